/*
 * Walks over the tables of MLMD: what the doors of the graph half share
 */
#ifndef FM_LINEAGE_TRAVERSE_CALL_H
#define FM_LINEAGE_TRAVERSE_CALL_H

#include "lineage/event_scan.h"
#include "lineage/graph.h"
#include "fm_compat.h"
#include "datatype/timestamp.h"
#include "utils/array.h"

/* The events of mlmd.event under the caller's rights and snapshot */
typedef struct FmStoreSource
{
	FmEventSource base;
	bool details; /* ids and times of events are wanted */
	bool has_as_of;
	TimestampTz as_of;
	const text *ending_artifacts; /* filters, or NULL; the empty one fits every node */
	const text *ending_executions;
	MemoryContext batch_context;
	FmEventScan *scan;	   /* during a walk; NULL: by queries */
	bool check_visible[2]; /* by kind: nodes may be hidden from the caller */
} FmStoreSource;

/* After the fields are set */
extern void fm_store_source_init(FmStoreSource *source);
extern void fm_store_source_run(FmStoreSource *source, FmTraversal *traversal);

extern Size fm_traversal_memory_limit(void);
extern FmDirection fm_parse_direction(const text *direction);
extern FmNodeKind fm_parse_traversal_kind(const text *kind);
extern uint32 fm_parse_event_types(ArrayType *array);
extern int64 fm_timestamp_to_milliseconds(TimestampTz timestamp);
extern void fm_throw_core_error(const FmError *error);

/* The events of a walk from the given nodes, as a graph */
extern FmGraph *fm_graph_of_walk(FmDirection direction, ArrayType *artifacts, ArrayType *executions, int64 max_hops);

#endif
