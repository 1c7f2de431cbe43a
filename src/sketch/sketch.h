/*
 * What one pass over rows remembers, for one column or for a whole table: the type feature_sketch
 *
 * This header is all that other rooms see. A sketch is built by the aggregates (or by the functions under
 * "Building"), merged in any order, written and read as bytes, and looked at through the functions under
 * "Reading". Nothing here knows a Datum; sketch_value.h does.
 *
 * Memory: a sketch lives in the memory context that is current while it is built (everything by palloc), so
 * switch to the sketch's own context before calling what adds to it or merges it. Readers allocate what they
 * return in the current context and do not change what the sketch says; they may fold pending values in, so
 * they too want a sketch that is not shared between contexts. Errors: FmError, never ereport.
 *
 * What is exact, until when (E = feature_meta.max_exact_values, default 4300):
 *   always exact         numbers of examples, presence, valency, nulls, NaN, infinities, zeros, min, max, sums,
 *                        mean and variance (rounded at the end only), bytes of strings; weighted ones too. None of
 *                        it depends on the order of rows or merges, to the last bit.
 *   exact up to E        distinct values, quantile entries and frequent values of a column with at most E distinct
 *                        values (a string column also needs its distinct values to fit in 64 KiB, or to be at most
 *                        1024 and fit in 88 KiB); list lengths with at most E distinct lengths
 *   distinct beyond that exact up to 16383 distinct strings or integers (by 40-bit hashes), then HyperLogLog with
 *                        2^14 registers: standard error 0.8 %
 *   quantiles            beyond E a KLL sketch: rank error below 0.5 % of the count at every rank
 *   frequent values      beyond E a Misra-Gries summary of 1024 to 2048 counters that carries its error
 * Every reader says which one it gave ("exact").
 *
 * Size as bytes, at the default E: at most 100 KiB for the values of a feature, 160 KiB with weights, each level of lists
 * as much again for the lengths as an integer column; most take 10 to 50 KiB. What adds up to it: 16383 hashes of 28 bits
 * 56 KiB or registers 8 KiB; entries of the quantile sketch (6144 of 55 bits at most) 41 KiB, with weights 45 KiB more;
 * counters of frequent values 36 KiB beside hashes, 58 KiB beside registers; or all values with their counts, 92 KiB.
 */
#ifndef FM_SKETCH_H
#define FM_SKETCH_H

#include "fm_core.h"

/* The numbers are those of tensorflow.metadata.v0.FeatureNameStatistics.Type */
typedef enum FmKind
{
	FM_INT = 0,
	FM_FLOAT = 1,
	FM_STRING = 2,
	FM_BYTES = 3, /* bytea: has a string part as FM_STRING has, with UTF-8 checked */
	FM_STRUCT = 4
} FmKind;

/* What an FM_INT was in SQL, for the domain that a schema states */
typedef enum FmLogicalType
{
	FM_PLAIN = 0,
	FM_BOOL,		 /* 0 and 1 */
	FM_DATE,		 /* days since 1970-01-01 */
	FM_TIME,		 /* microseconds since midnight */
	FM_TIMESTAMP,	 /* microseconds since 1970-01-01 00:00:00 */
	FM_TIMESTAMPTZ,	 /* the same, UTC */
	FM_LOGICAL_TYPES /* how many there are */
} FmLogicalType;

typedef struct FmSketch FmSketch;
typedef struct FmFeature FmFeature;

/* ---------------------------------------------------------------- Reading */

/*
 * Presence and valency. The universe (missing + non_missing) of a column is the examples; of a child of a struct
 * the parent's values; of a list level below the first the elements of the level above. min, max, tot: numbers of
 * values over what is not missing, 0 if nothing is. A null inside a list is a value. The weighted_ ones are 0 in a
 * sketch without weights.
 */
typedef struct FmPresence
{
	uint64 num_missing;
	uint64 num_non_missing;
	uint64 min_num_values;
	uint64 max_num_values;
	uint64 tot_num_values;
	double weighted_num_missing;
	double weighted_num_non_missing;
	double weighted_tot_num_values;
} FmPresence;

/* A feature as the readers see it; features come parent first, then its children, depth first */
typedef struct FmFeatureInfo
{
	FmFeature *feature; /* the handle for the functions below */
	int parent;			/* index in the same array, -1 at the top */
	int num_steps;		/* path: the names from the column down; a column_sketch has one step, the empty name */
	const char **steps; /* UTF-8, NUL-terminated */
	FmKind kind;
	FmLogicalType logical_type;
	FmPresence common; /* values are the innermost ones */
	int num_levels; /* 1: a scalar or a plain list; more: lists of lists, then levels[] has one entry each, outermost first */
	FmPresence *levels;
} FmFeatureInfo;

extern uint64 fm_sketch_num_examples(const FmSketch *sketch);
extern bool fm_sketch_is_weighted(const FmSketch *sketch);
extern double fm_sketch_weighted_num_examples(const FmSketch *sketch);

/* false: the sketch was told to keep counts, moments and extremes only; then the entries, frequent values and distinct are empty */
extern bool fm_sketch_is_complete(const FmSketch *sketch);

/* All features, in column order, nested ones after their parent; returns how many */
extern int fm_sketch_features(FmSketch *sketch, FmFeatureInfo **features);

/*
 * A distribution: distinct values in ascending order with their weights (counts; or sums of weights). What
 * TFDV.md 1.4 calls v[i], c[i]. exact = false: entries of a quantile sketch, whose ranks are right within 0.5 %.
 */
typedef struct FmEntries
{
	int num_entries;
	double *values;
	double *weights;
	double total; /* sum of the weights */
	bool exact;
} FmEntries;

/* Values of an FM_INT or FM_FLOAT, NaN left out, infinities as first and last; weighted: by sums of weights */
extern void fm_feature_quantile_entries(FmFeature *feature, bool weighted, FmEntries *entries);

/* Lengths of the present lists, for num_values_histogram: level 0 is the number of innermost values per example, 1.. the levels */
extern void fm_feature_list_lengths(FmFeature *feature, int level, FmEntries *entries);

typedef struct FmNumberSummary
{
	uint64 count;			/* values that are not NaN, infinities among them */
	uint64 num_nan;			/* NaN values and nulls inside lists, as TFDV counts them */
	uint64 num_null_values; /* of these the nulls inside lists */
	uint64 num_zeros;		/* 0 and -0.0 */
	uint64 num_pos_inf;
	uint64 num_neg_inf;
	double min;		 /* +inf if count is 0 */
	double max;		 /* -inf if count is 0 */
	double mean;	 /* NaN if there is an infinity or no value */
	double variance; /* population; NaN if there is an infinity or no value; +inf if it is beyond a double's range */
	/* by weights; the same rules, and NaN if the weights sum up to 0 */
	double weighted_count;
	double weighted_mean;
	double weighted_variance;
} FmNumberSummary;

extern void fm_feature_numbers(FmFeature *feature, FmNumberSummary *summary);

typedef struct FmStringSummary
{
	uint64 num_values;		/* not null */
	uint64 num_null_values; /* nulls inside lists */
	uint64 tot_num_bytes;	/* of all values; UTF-8 */
	uint64 min_num_bytes;	/* 0 if there is no value */
	uint64 max_num_bytes;
	uint64 num_invalid_utf8; /* values, repeats counted */
	uint64 num_large;		 /* valid values longer than FM_MAX_VALUE_BYTES, repeats counted */
	double weighted_num_values;
	double weighted_tot_num_bytes;
} FmStringSummary;

/* Of an FM_STRING or FM_BYTES. Of an FM_INT (a categorical one): of the values as decimal text; the bytes are estimates beyond E distinct values. */
extern void fm_feature_strings(FmFeature *feature, FmStringSummary *summary);

/* Number of distinct values (NaN left out; long and invalid strings are counted apart, by hash), any kind but FM_STRUCT */
extern double fm_feature_distinct(FmFeature *feature, bool *exact);

/* Longer values are counted together as this one, values that are not UTF-8 as the other */
#define FM_MAX_VALUE_BYTES 1024
#define FM_LARGE_BYTES "__LARGE_BYTES__"
#define FM_BYTES_VALUE "__BYTES_VALUE__"

typedef struct FmFrequentValue
{
	const char *value; /* UTF-8, NUL-terminated besides */
	size_t size;
	uint64 count;		   /* at least this often, at most max_error more; 0 when asked for by weight and not exact */
	double weighted_count; /* the same with weighted_max_error, when asked for by weight */
} FmFrequentValue;

typedef struct FmFrequentValues
{
	int num_values;
	FmFrequentValue *values; /* by count (or weight) descending, equals by value descending in byte order */
	bool exact;				 /* all values are there with their true counts */
	uint64 max_error;		 /* a value that is not listed has at most this count */
	double weighted_max_error;
} FmFrequentValues;

/* Of an FM_STRING or FM_BYTES; of an FM_INT its decimal text (beyond E distinct values from the quantile sketch) */
extern void fm_feature_frequent_values(FmFeature *feature, bool by_weight, FmFrequentValues *values);

/* The same in any order; a sketch that was read mostly has them in byte order, fm_compare_values' one */
extern void fm_feature_values(FmFeature *feature, bool by_weight, FmFrequentValues *values);
extern int fm_compare_values(const void *a, const void *b);

/* ---------------------------------------------------------------- Building */

/* What a sketch keeps */
#define FM_KEEP_MOMENTS 0	   /* counts, moments, extremes: always */
#define FM_KEEP_DISTRIBUTION 1 /* quantiles, distinct and frequent values */
#define FM_KEEP_ALL FM_KEEP_DISTRIBUTION

extern FmSketch *fm_sketch_new(bool weighted, int keep, int max_exact_values);

/* A feature at the top; source and logical type say what will be added. position: its place among the columns */
extern FmFeature *fm_sketch_add_feature(FmSketch *sketch, const char *name, int position, FmKind kind,
										FmLogicalType logical_type);

/*
 * One example: fm_sketch_add_example, then for each feature that is not NULL in it one of the fm_add functions
 * (a feature that gets nothing is missing). The weight must be finite, |weight| < 2^47 (false otherwise);
 * it is rounded to a multiple of 2^-48.
 */
extern bool fm_sketch_add_example(FmSketch *sketch, double weight, FmError *error);
extern void fm_add_int(FmFeature *feature, int64 value);
extern void fm_add_float(FmFeature *feature, double value);
extern void fm_add_string(FmFeature *feature, const char *value, size_t size, bool check_utf8);

/* +infinity or -infinity of a date or timestamp */
extern void fm_add_infinity(FmFeature *feature, bool positive);

/* ---------------------------------------------------------------- Merging and bytes */

/*
 * Rows of "other" join those of "sketch"; features are matched by name. "other" is left as it is. False and *error
 * (22023, 42804) if they cannot be merged: weighted with unweighted, a feature of two kinds.
 */
extern bool fm_sketch_merge(FmSketch *sketch, FmSketch *other, FmError *error);

/* The same rows, other columns: features of "other" are appended (copied). False if the examples differ or a name is in both. */
extern bool fm_sketch_combine_columns(FmSketch *sketch, FmSketch *other, FmError *error);

/*
 * Works off what waits in batches. A sketch that is read and then added to, like the state of an aggregate in a window or of one that
 * is scanned again, wants this first, in its own memory context: reading does it otherwise, in the context of whoever reads.
 */
extern void fm_sketch_settle(FmSketch *sketch);

/* Versioned, checksummed bytes; the same statistics, while all is exact, have the same bytes */
extern void fm_sketch_write(FmSketch *sketch, StringInfo out);

/* NULL and *error (22P03) when the bytes are not a sketch: every length, order, range and sum is checked */
extern FmSketch *fm_sketch_read(const char *data, size_t size, FmError *error);

#endif
