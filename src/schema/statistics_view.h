/*
 * The statistics of one data set as validation and update look at them: a tree of features by path, and the
 * figures by weight when the whole data set is weighted
 */
#ifndef FM_STATISTICS_VIEW_H
#define FM_STATISTICS_VIEW_H

#include "schema/schema.h"

typedef struct FmStatisticsView FmStatisticsView;

typedef struct FmFeatureView
{
	const FmStatisticsView *dataset;
	const Tfmd__FeatureNameStatistics *statistics;
	const Tfmd__CommonStatistics *common; /* NULL: only custom statistics (sparse and weighted features) */
	FmPath path;
	bool empty; /* neither statistics nor custom statistics: ignored by name, as TFDV does */
	struct FmFeatureView *parent;
	int n_children;
	struct FmFeatureView **children; /* in byte order of the paths */
} FmFeatureView;

struct FmStatisticsView
{
	const Tfmd__DatasetFeatureStatistics *dataset;
	bool by_weight;
	int n_features;
	FmFeatureView *features; /* in the order of the statistics, without those that are empty */
	FmFeatureView **sorted;	 /* the same by path */
};

/* One value of a rank histogram */
typedef struct FmValueCount
{
	const char *value;
	double count;
} FmValueCount;

/* Smallest and largest number of values at a level of nesting */
typedef struct FmLengthRange
{
	int min;
	int max;
} FmLengthRange;

/* Does every feature carry weighted statistics, and the data set a weight? */
extern bool fm_dataset_is_weighted(const Tfmd__DatasetFeatureStatistics *dataset);

/*
 * NULL and *error filled in (22023) if features are addressed by name and by path at once, twice, or not at all.
 * by_weight: validation takes that of the current data also for the data it is compared with.
 */
extern FmStatisticsView *fm_statistics_view(const Tfmd__DatasetFeatureStatistics *dataset, bool by_weight,
											FmError *error);
extern FmFeatureView *fm_view_find(const FmStatisticsView *view, const FmPath *path);

extern double fm_view_num_examples(const FmStatisticsView *view);

/* Figures of one feature; by weight if the view is */
extern double fm_view_num_present(const FmFeatureView *feature);
extern double fm_view_num_missing(const FmFeatureView *feature);
extern double fm_view_total_values(const FmFeatureView *feature);

/* Share of the examples in which the feature is present; false if there are no examples */
extern bool fm_view_fraction_present(const FmFeatureView *feature, double *fraction);

/* Levels of nesting (1 for plain lists); the ranges and the missing counts have one entry for each */
extern int fm_view_n_levels(const FmFeatureView *feature);
extern FmLengthRange fm_view_length_range(const FmFeatureView *feature, int level);
extern int fm_view_n_missing_levels(const FmFeatureView *feature);
extern double fm_view_missing_at_level(const FmFeatureView *feature, int level);

/* Values listed in the rank histogram, each once, in byte order; palloc'd */
extern FmValueCount *fm_view_string_values(const FmFeatureView *feature, int *n);

extern bool fm_view_has_invalid_utf8(const FmFeatureView *feature);

/* Minimum and maximum of num_stats; 0 if there is none */
extern double fm_view_min(const FmFeatureView *feature);
extern double fm_view_max(const FmFeatureView *feature);

/* Type as a schema has it */
extern Tfmd__FeatureType fm_view_type(const FmFeatureView *feature);
extern const Tfmd__CustomStatistic *fm_view_custom(const FmFeatureView *feature, const char *name);

/* The statistic's number; 0 if it is of another kind */
extern double fm_custom_number(const Tfmd__CustomStatistic *statistic);

/* Share of the values of an image_format_histogram whose format is known; NaN if it counts none */
extern float fm_supported_image_fraction(const Tfmd__CustomStatistic *formats);

/* Text -> number as absl::SimpleAtoi<int64> and SimpleAtof<float> read it: blanks around it are allowed */
extern bool fm_read_int64(const char *text, int64 *value);
extern bool fm_read_float(const char *text, float *value);

/* double -> int64 as TFDV's C++ casts it on x86-64: a value that does not fit, or NaN, gives the smallest int64 */
extern int64 fm_double_to_int64(double value);

#endif
