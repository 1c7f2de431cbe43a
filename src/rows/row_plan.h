/*
 * A schema compiled for the rows of one row type: what to look at in each column, decided once
 *
 * The rule is TFDV's row check (validate_instance): the statistics of the row, validated, without what makes no sense for
 * a single row (fractions and counts of rows, drift, skew). What it does not see is reported too: a NULL in a column
 * that the schema requires in every row. The checks are made from the values, no statistics are built.
 */
#ifndef FM_ROW_PLAN_H
#define FM_ROW_PLAN_H

#include "fm_core.h"
#include "fm_compat.h"
#include "schema/schema.h"

#include "access/tupdesc.h"
#include "utils/jsonb.h"

/* How a column's values are read */
typedef enum FmRowReader
{
	FM_READ_BOOL,
	FM_READ_INT2,
	FM_READ_INT4,
	FM_READ_INT8,
	FM_READ_DATE,	   /* days since 1970 */
	FM_READ_TIME,	   /* microseconds since midnight */
	FM_READ_TIMESTAMP, /* microseconds since 1970 */
	FM_READ_FLOAT4,
	FM_READ_FLOAT8,
	FM_READ_NUMERIC,
	FM_READ_TEXT,
	FM_READ_BPCHAR,
	FM_READ_BYTEA,
	FM_READ_OUTPUT, /* by the type's output function */
	FM_READ_COMPOSITE,
	FM_READ_JSON
} FmRowReader;

/* How values of a type (not an array or domain) are read */
extern FmRowReader fm_row_reader(Oid type);

/* What data a column holds, in the terms of statistics */
typedef enum FmRowKind
{
	FM_KIND_NONE, /* jsonb of which nothing was seen yet */
	FM_KIND_INT,
	FM_KIND_FLOAT,
	FM_KIND_STRING,
	FM_KIND_BYTES,
	FM_KIND_STRUCT
} FmRowKind;

/* The type that a schema has for it */
extern Tfmd__FeatureType fm_row_kind_type(FmRowKind kind);

/* What the schema's domain asks for */
typedef enum FmRowDomain
{
	FM_DOMAIN_NONE,
	FM_DOMAIN_STRINGS,	/* one of the listed values */
	FM_DOMAIN_BOOL,		/* true_value or false_value; 0 or 1 */
	FM_DOMAIN_INT,		/* a range of integers, numbers or text */
	FM_DOMAIN_FLOAT,	/* a range of floats, numbers or text */
	FM_DOMAIN_LANGUAGE, /* constraints that no row can be checked for */
	FM_DOMAIN_IMAGE,
	FM_DOMAIN_OTHER
} FmRowDomain;

#define FM_ROW_MAX_LEVELS 6 /* MAXDIM */

/* A set of strings, by value */
typedef struct FmStringSet FmStringSet;
extern FmStringSet *fm_string_set_create(char **values, size_t n);
extern bool fm_string_set_has(const FmStringSet *set, const char *value, int length);

/* What the schema says that contradicts itself: a reason for every row that has the column */
typedef struct FmSchemaMistake
{
	Tfmd__AnomalyInfo__Type type;
	char *short_description;
	char *description;
} FmSchemaMistake;

/* A value outside the domain, and how often the row has it */
typedef struct FmOddValue
{
	char *value;
	int count;
} FmOddValue;

typedef struct FmRowNode
{
	char *name; /* of the column or key */
	FmPath path;
	char *serialized_path;
	const Tfmd__Feature *feature; /* NULL: the schema does not have it */
	bool unchecked;				  /* deprecated, or below something new */
	bool in_environment;
	bool required; /* in every row (min_fraction 1) */
	bool missing;  /* the schema requires a column that is not there */
	int n_mistakes;
	FmSchemaMistake *mistakes;

	/* reading */
	FmRowReader reader;
	bool is_array;
	Oid type; /* of the column */
	Oid element_type;
	int16 typlen;
	bool typbyval;
	char typalign;
	FmgrInfo output;
	TupleDesc row_type; /* FM_READ_COMPOSITE; NULL: found with the value */
	int n_children;
	struct FmRowNode
		*children;	  /* composite: one for each attribute, then missing ones; json: one for each key expected */
	int n_attributes; /* composite: children that are attributes */

	/* the schema, put right where it contradicts itself */
	Tfmd__FeatureType expected_type;
	int n_counts; /* value_count: 1, value_counts: any, else 0 */
	bool nested_counts;
	Tfmd__ValueCount *counts;
	int shape; /* product of the dimensions; -1: no shape */
	FmRowDomain domain;
	FmStringSet *strings;
	double max_off_domain;
	const char *true_value;
	const char *false_value;
	bool has_min;
	bool has_max;
	int64 int_min;
	int64 int_max;
	float float_min;
	float float_max;
	bool disallow_nan;
	bool disallow_inf;
	int64 max_image_bytes; /* -1: any */
	bool categorical_int;
	bool has_unique;
	int64 unique_min;
	int64 unique_max;

	/* a scalar whose only checks are those of fm_row_is_valid's short way */
	bool is_simple;

	/* what a row has shown so far */
	FmRowKind kind;
	bool mixed_kinds;
	int n_present;
	int n_missing;
	int n_levels;
	int min_length[FM_ROW_MAX_LEVELS];
	int max_length[FM_ROW_MAX_LEVELS];
	int64 n_values;
	int64 n_numbers; /* values that are numbers and not NaN */
	int64 int_lowest;
	int64 int_highest;
	double float_lowest;
	double float_highest;
	bool seen_nan;
	bool seen_non_bool;
	bool invalid_utf8;
	int64 max_bytes;
	int n_odd;
	int max_odd;
	FmOddValue *odd; /* off the domain, or not a number; equal ones are put together when they are judged */
	int n_texts;
	int max_texts;
	char **texts; /* all values, if has_unique */
} FmRowNode;

typedef struct FmRowPlan
{
	MemoryContext context; /* holds the plan */
	MemoryContext scratch; /* reset for each row that is looked at closely */
	const char *environment;
	bool strict_bool;	 /* check integers against bool_domain, which TFDV's row check does not */
	bool always_invalid; /* a column is missing or new: no row is valid */
	FmRowNode root;		 /* its children are the columns */
} FmRowPlan;

/* Why a row, or rather a feature of it, is anomalous */
typedef struct FmRowReason
{
	FmRowNode *node;
	Tfmd__AnomalyInfo__Type type;
	const char *short_description;
	char *description;
} FmRowReason;

typedef struct FmRowReasons
{
	int n;
	FmRowReason *reason;
} FmRowReasons;

/*
 * Compiles a schema for rows of a type, in a new child of the current context. Columns that are dropped are left out, and
 * with skip_generated those that are generated (a BEFORE trigger does not see them yet).
 * Raises 42704 if the environment is not one of the schema's.
 */
extern FmRowPlan *fm_row_plan_create(const Tfmd__Schema *schema, TupleDesc row_type, const char *environment,
									 bool skip_generated);

/* The same for a document: the top level's features are keys */
extern FmRowPlan *fm_json_plan_create(const Tfmd__Schema *schema, const char *environment);

/* Does the row conform? Stops at the first reason. The arrays are by attribute number - 1. */
extern bool fm_row_is_valid(FmRowPlan *plan, const Datum *values, const bool *nulls);

/*
 * All reasons, features in byte order of the paths, those of one feature in TFDV's order. They live in the plan's
 * scratch context, until the next row.
 */
extern FmRowReasons fm_row_reasons(FmRowPlan *plan, const Datum *values, const bool *nulls);
extern FmRowReasons fm_json_reasons(FmRowPlan *plan, Jsonb *document);

/* The reasons as TFDV's message, in the current context */
extern Tfmd__Anomalies *fm_reasons_to_anomalies(const FmRowReasons *reasons);

#endif
