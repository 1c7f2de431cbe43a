/*
 * Small builders for statistics messages: custom statistics and the buckets of a rank histogram
 */
#ifndef FM_CUSTOM_STATISTIC_H
#define FM_CUSTOM_STATISTIC_H

#include "fm_core.h"
#include "statistics.pb-c.h"

/* Append a custom statistic to the feature. Names and texts are copied. */
extern void fm_add_custom_num(Tfmd__FeatureNameStatistics *feature, const char *name, double num);
extern void fm_add_custom_str(Tfmd__FeatureNameStatistics *feature, const char *name, const char *str);
extern void fm_add_custom_histogram(Tfmd__FeatureNameStatistics *feature, const char *name, Tfmd__Histogram *histogram);
extern void fm_add_custom_rank_histogram(Tfmd__FeatureNameStatistics *feature, const char *name,
										 Tfmd__RankHistogram *histogram);

/* Appends a bucket without ranks */
extern void fm_add_rank_bucket(Tfmd__RankHistogram *histogram, const char *label, double sample_count);

/* A path of steps, copied */
extern Tfmd__Path *fm_make_path(char *const *steps, int num_steps);

#endif
