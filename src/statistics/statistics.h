/*
 * From sketches to statistics: the door of the room "statistics"
 *
 * The rules are TFDV's (generate_statistics and the generators behind StatsOptions); options have StatsOptions' names.
 */
#ifndef FM_STATISTICS_H
#define FM_STATISTICS_H

#include "fm_core.h"
#include "sketch/sketch.h"

#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/* Name of the data set that holds all rows when there are slices */
#define FM_ALL_EXAMPLES "All Examples"

typedef struct FmStatisticsOptions
{
	/* how a sketch is turned into statistics */
	int num_top_values;
	int num_rank_histogram_buckets;
	int num_values_histogram_buckets;
	int num_histogram_buckets;
	int num_quantiles_histogram_buckets;
	int frequency_threshold;
	double weighted_frequency_threshold;
	const Tfmd__Schema *schema; /* NULL, or says which integers are categorical and which bytes are images */

	/* which rows and columns are read, and what is computed beside the sketch */
	const char *weight_feature; /* NULL or a column with exactly one value in each row */
	int num_feature_allowlist;	/* -1: all columns */
	char **feature_allowlist;
	double sample_rate;		   /* in (0, 1] */
	const char *label_feature; /* NULL or a column: lift of the schema's categorical features */
	bool enable_semantic_domain_stats;
	bool cross_features;	 /* covariance and correlation of all pairs of numeric columns */
	bool mutual_information; /* of the label and every feature of the schema */
	char *slice_functions;	 /* NULL or JSON: [{"feature": null | [value, ...], ...}, ...] */
	int num_slice_sqls;		 /* -1: none */
	char **slice_sqls;		 /* SELECT lists over one row */
} FmStatisticsOptions;

/* TFDV's defaults */
extern void fm_statistics_options_init(FmStatisticsOptions *options);

/* false and 22023 if a number is out of its range */
extern bool fm_statistics_options_check(const FmStatisticsOptions *options, FmError *error);

/* A sketch as one data set without a name; feature_statistics.c. Never fails on a valid sketch. */
extern Tfmd__DatasetFeatureStatistics *fm_statistics_of_sketch(FmSketch *sketch, const FmStatisticsOptions *options);

/* A list that holds the data set */
extern Tfmd__DatasetFeatureStatisticsList *fm_statistics_list(Tfmd__DatasetFeatureStatistics *dataset);

#ifndef FRONTEND
/*
 * Sketch and statistics of the rows of a relation that the caller may see. filter: NULL or one boolean expression.
 * Connects to SPI itself; the result is in the current memory context. Errors: 42809 not a relation with rows, 42601
 * filter, 42703 unknown column, 22023 options, 22004 a weight is missing.
 */
extern FmSketch *fm_relation_sketch(Oid relid, const char *filter, const FmStatisticsOptions *options);
extern Tfmd__DatasetFeatureStatisticsList *fm_relation_statistics(Oid relid, const char *filter,
																  const FmStatisticsOptions *options);
#endif

#endif
