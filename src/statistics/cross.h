/*
 * Statistics of two columns: covariance and correlation, lift, mutual information
 *
 * TFDV's CrossFeatureStatsGenerator, LiftStatsGenerator and SkLearnMutualInformation. The counting is done by generated
 * queries. SPI must be connected; messages are made in the context given.
 */
#ifndef FM_CROSS_H
#define FM_CROSS_H

#include "source.h"

#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/*
 * Covariance and correlation of numeric columns, over the rows where both have exactly one value that is not NaN.
 * num_crosses -1: all pairs, in ascending order of names; else the pairs given (x0, y0, x1, y1, ...), of which those
 * that are unknown, not numeric or not in ascending order are left out with a warning, as TFDV does.
 */
extern void fm_add_cross_features(const FmRowSource *source, Tfmd__DatasetFeatureStatistics *dataset, char **crosses,
								  int num_crosses, MemoryContext context);

typedef struct FmLiftOptions
{
	const char *y; /* the label: a column */
	int num_x;	   /* the columns x */
	char **x;
	int num_y_boundaries; /* sorted; a numeric y falls into the bins between them */
	double *y_boundaries;
	int min_x_count; /* an x is listed if more rows than this have it */
	int top_k_per_y; /* 0: all */
	int bottom_k_per_y;
	const char *weight; /* NULL or a column: then lift by weight is added */
	bool output_custom_stats;
} FmLiftOptions;

/*
 * Lift of the values of the columns x for each value of y: P(y | x) / P(y). slices: NULL, or a subquery of slices; then
 * every slice has its own lift, in the data set of its name, which is added where the list has none.
 *
 * By weight P(y) is the share of the weight; TFDV divides by the number of rows there, so its weighted lift is off by
 * the mean weight.
 */
extern void fm_add_lift(const FmRowSource *source, const char *slices, const FmLiftOptions *options,
						Tfmd__DatasetFeatureStatisticsList *list, MemoryContext context);

/* The categorical features of the schema that are columns of the source, without the label */
extern char **fm_lift_columns(const FmRowSource *source, const Tfmd__Schema *schema, const char *label, int *num_x);

/* Appends the custom statistics sklearn_[[normalized_]adjusted_]mutual_information of each feature with the label */
extern void fm_add_mutual_information(const FmRowSource *source, const char *label, const Tfmd__Schema *schema,
									  Tfmd__DatasetFeatureStatistics *dataset, MemoryContext context);

/* The feature of a data set with a path of one step, made where there is none */
extern Tfmd__FeatureNameStatistics *fm_need_feature_statistics(Tfmd__DatasetFeatureStatistics *dataset,
															   const char *name);

#endif
