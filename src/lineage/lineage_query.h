/*
 * Reading the MLMD tables by SPI: filters and time travel, for the doors of the graph half of the room. Every function
 * here runs under the caller's rights and snapshot; those that take no SPI connection open their own.
 */
#ifndef FM_LINEAGE_QUERY_H
#define FM_LINEAGE_QUERY_H

#include "lineage/filter.h"
#include "fm_compat.h"
#include "datatype/timestamp.h"
#include "utils/array.h"

typedef enum FmOrderBy
{
	FM_ORDER_ID,
	FM_ORDER_CREATE_TIME,
	FM_ORDER_UPDATE_TIME
} FmOrderBy;

/* Which nodes, in which order; all zero (FM_ANY_NODE): every node by id */
typedef struct FmNodeQuery
{
	const text *filter;		 /* NULL or empty: no filter */
	const int64 *candidates; /* NULL, or only these ids */
	int n_candidates;
	FmOrderBy order_by;
	bool descending;
	int64 limit; /* 0: none */
	int64 offset;
	bool has_after; /* after the node with id after, in the order */
	int64 after;
	bool has_as_of; /* as the tables were then */
	TimestampTz as_of;
} FmNodeQuery;

/* The ids of the nodes, in the current memory context */
extern int64 *fm_node_ids(FmNodeKind kind, const FmNodeQuery *query, int *n);

/* Raises the error of a filter that cannot be read; does nothing when it can */
extern void fm_check_filter(FmNodeKind kind, const text *filter);

/*
 * The text that stands for a table of MLMD as it was at the time $1, see 73_lineage_history.sql
 */
extern const char *fm_relation_as_of(const char *name);

extern ArrayType *fm_int64_array(const int64 *values, int n);

#endif
