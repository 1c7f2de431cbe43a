/*
 * The room's distances between two sides of a feature: current data and its baseline
 *
 * Plain functions over what sketches and statistics remember; metrics.c has the definitions, tests.c the p-values. The
 * divergences of TFDV's comparators are in distance.h.
 *
 *   metric                          over                    zero shares          empty side
 *   l_infinity_distance             categories              as they are          counts as all 0 (TFDV)
 *   normalized_absolute_difference  categories              as they are          counts as all 0 (TFDV)
 *   jensen_shannon_divergence       categories of text,     left at 0            none
 *                                   histograms of numbers
 *   population_stability_index      categories of text,     0.0001 (option)      none
 *                                   bins of numbers
 *   kolmogorov_smirnov              numbers                 -                    none
 *   wasserstein_distance            numbers                 -                    none
 *   chi_squared                     categories              -                    none
 *   hellinger_distance              categories              left at 0            none
 *   total_variation_distance        categories              left at 0            none
 *   kullback_leibler_divergence     categories              infinite (option)    none
 *
 * A category is a distinct value, whatever its type; options turn numbers into bins first. NULL is no value unless an option
 * makes it a category; NaN is a category of its own, and is left out of what is over numbers; infinities are numbers, and
 * meet only themselves in histograms. A value that one side lacks has share 0 there.
 */
#ifndef FM_METRICS_H
#define FM_METRICS_H

#include "fm_core.h"
#include "sketch/sketch.h"
#include "statistics.pb-c.h"

typedef enum FmMetric
{
	FM_L_INFINITY,
	FM_NORMALIZED_ABSOLUTE_DIFFERENCE,
	FM_JENSEN_SHANNON,
	FM_POPULATION_STABILITY,
	FM_KOLMOGOROV_SMIRNOV,
	FM_WASSERSTEIN,
	FM_CHI_SQUARED,
	FM_HELLINGER,
	FM_TOTAL_VARIATION,
	FM_KULLBACK_LEIBLER,
	FM_METRICS /* how many there are */
} FmMetric;

extern const char *fm_metric_name(FmMetric metric);

typedef enum FmBinning
{
	FM_BIN_DEFAULT,		/* by metric */
	FM_BIN_VALUES,		/* each value is a bin */
	FM_BIN_QUANTILE,	/* equal shares of the baseline; what lies outside joins the outer bins */
	FM_BIN_EQUAL_WIDTH, /* equal widths over both sides */
	FM_BIN_DOANE /* equal widths over the baseline, as many as Doane's rule says; what lies outside is one bin more */
} FmBinning;

typedef struct FmDriftOptions
{
	bool null_is_category;
	FmBinning binning;
	int bins;				 /* 0: 10 for quantiles, Sturges' rule over both sides for equal widths */
	bool unseen_is_category; /* what the baseline does not have is one category */
	double zero_share;		 /* what a share of 0 is replaced by; negative: the metric's default */
	bool distance;			 /* Jensen-Shannon: the square root */
	bool base_e;			 /* divergences in nats */
	bool base_2;			 /* Kullback-Leibler and population stability: in bits */
	bool quantiles;			 /* Jensen-Shannon of numbers over QUANTILES histograms, not STANDARD ones */
	bool quick_p_value;		 /* Kolmogorov-Smirnov: exact for up to 200 values a side, not 10000, which takes time */
	bool scale_by_deviation; /* Wasserstein: divided by the baseline's standard deviation (at least 0.001) */
} FmDriftOptions;

extern void fm_drift_options_init(FmDriftOptions *options);

/* One side of a feature */
typedef struct FmDriftSide
{
	bool is_number;
	FmEntries entries; /* numbers: values and weights, NaN left out */
	uint64 num_nan;
	double nan_weight;
	FmFrequentValues values; /* text */
	bool by_weight;
	double null_weight;				 /* missing */
	double total;					 /* weight of all values, NaN among them */
	double deviation;				 /* numbers: standard deviation */
	const Tfmd__Histogram *standard; /* numbers of statistics: their histograms; NULL: made from the entries */
	const Tfmd__Histogram *quantiles;
	const Tfmd__Histogram *kept; /* made once for all comparisons of this side; NULL: made for each */
	bool kept_quantiles;
	bool exact;
} FmDriftSide;

/* A side as a column's sketch (or a feature of a table's) has it */
extern void fm_drift_side_of_feature(const FmFeatureInfo *info, bool weighted, FmDriftSide *side);

/* For a side of numbers that is compared more than once */
extern void fm_drift_side_keep_histogram(FmDriftSide *side, bool quantiles);

/*
 * Both sides, current first, as statistics have them: by weight if both have weights. Numbers are those of their QUANTILES histograms,
 * cut at the edges of both: approximate. False for what has neither values nor a histogram.
 */
extern bool fm_drift_sides_of_statistics(const Tfmd__FeatureNameStatistics *current,
										 const Tfmd__FeatureNameStatistics *baseline, FmDriftSide *sides);

typedef struct FmDriftResult
{
	bool defined;
	double value; /* the distance, or the test's statistic */
	double degrees_of_freedom;
	double p_value;
	bool exact; /* false: computed from sketches beyond their exact bound */
} FmDriftResult;

/* Does the metric make sense for such a feature? */
extern bool fm_metric_fits(FmMetric metric, bool is_number);

/* False and *error (42804 the sides are of two kinds, or of one the metric is not for) */
extern bool fm_drift_measure(FmMetric metric, FmDriftSide *current, FmDriftSide *baseline,
							 const FmDriftOptions *options, FmDriftResult *result, FmError *error);

/* Each metric that fits into results[FM_METRICS]; none where the sides are of two kinds. Sorts and merges once for all. */
extern bool fm_drift_measure_all(FmDriftSide *current, FmDriftSide *baseline, const FmDriftOptions *options,
								 FmDriftResult *results, FmError *error);

/* tests.c: probability of a statistic at least as large when both sides are of one distribution */
extern double fm_kolmogorov_smirnov_p(double statistic, double n1, double n2, bool quick);
extern double fm_chi_squared_p(double statistic, double degrees_of_freedom);

#endif
