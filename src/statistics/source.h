/*
 * Where statistics come from: a relation, a filter and a sample, as the FROM and WHERE of generated queries
 *
 * All reading goes through SPI as the caller: privileges, row security, views, partitions, foreign tables and parallel
 * plans are the server's business. Every name in a generated query is quoted and qualified.
 */
#ifndef FM_SOURCE_H
#define FM_SOURCE_H

#include "fm_core.h"
#include "fm_compat.h"
#include "executor/spi.h"
#include "utils/array.h"

typedef enum FmFamily
{
	FM_FAMILY_INT,	  /* bool and the integers */
	FM_FAMILY_FLOAT,  /* float4, float8, numeric */
	FM_FAMILY_TIME,	  /* date, time, timestamp, timestamptz */
	FM_FAMILY_STRUCT, /* composite types, jsonb */
	FM_FAMILY_TEXT	  /* anything else, by its text output */
} FmFamily;

typedef struct FmSourceColumn
{
	char *name;		   /* in the server's encoding, as queries need it */
	char *utf8_name;   /* as messages need it */
	char *reference;   /* the column in a query, qualified and quoted */
	AttrNumber number; /* in the relation: a column dropped and added again has another */
	Oid type;		   /* as declared */
	Oid element;	   /* base type of a value: that of the elements for an array */
	bool is_array;
	FmFamily family; /* of a value */
} FmSourceColumn;

typedef struct FmRowSource
{
	Oid relid;
	char *name;	 /* qualified and quoted */
	char *alias; /* name of the relation inside the query, quoted */
	char *from;	 /* FROM item: the name, its alias, and the sample */
	char *where; /* "" or " WHERE (...)" */
	int num_columns;
	FmSourceColumn *columns; /* without dropped ones, in their order */
} FmRowSource;

/*
 * Opens a relation: table, partitioned table, view, materialised view or foreign table; else 42809. filter: NULL or one
 * boolean expression over its columns, else 42601. sample_rate: share of the rows in (0, 1], drawn by chance, else
 * 22023.
 */
extern FmRowSource *fm_source(Oid relid, const char *filter, double sample_rate);

/* The source without the rows that are not in a slice; slices: see slices.h */
extern FmRowSource *fm_source_of_slice(const FmRowSource *source, const char *slices, const char *name);

/* The elements of an array of a varlena type */
extern void fm_array_elements(ArrayType *array, Datum **elements, bool **nulls, int *n);

/* The schema of the extension, not quoted */
extern char *fm_extension_schema(void);

/* The column of that name (in either encoding), or NULL; fm_source_need_column raises 42703 instead */
extern FmSourceColumn *fm_source_column(const FmRowSource *source, const char *name);
extern FmSourceColumn *fm_source_need_column(const FmRowSource *source, const char *name);

/* The column as float8, NULL where it has not exactly one value; INT, FLOAT and TIME only (times: as in statistics) */
extern char *fm_number_expression(const FmSourceColumn *column);

/* The same of an expression for one value of a type */
extern char *fm_number_of_value(const char *value, Oid type);

/* A float8 in a query, NULL for NaN; not by NULLIF, which takes its operator from the search_path */
extern char *fm_without_nan(const char *number);

/* Raises 42601 unless the text is one SQL expression, so that it can be put between parentheses in a query */
extern void fm_check_expression(const char *text, const char *what);

/*
 * Runs a query read-only with the snapshot in use, in parallel if the planner likes; the result is in SPI_tuptable.
 * SPI must be connected.
 */
extern void fm_query(const char *query);

/* A value of the result of the last query: as UTF-8 text in the caller's context or NULL; as number */
extern char *fm_query_text(uint64 row, int column);
extern double fm_query_float8(uint64 row, int column, bool *is_null);
extern int64 fm_query_int64(uint64 row, int column);

#endif
