/*
 * Quantile boundaries, and TFDV's two histograms made from them
 *
 * TFDV draws the median and both histograms of a feature from one set of quantile boundaries (TFDV: statistics/
 * generators/basic_stats_generator.py, utils/quantiles_util.py; the boundaries are tfx_bsl's QuantilesSketch, a
 * weighted quantiles summary). While no value was dropped the boundaries are an exact function of the distinct values
 * and their weights; this file is that function. Given the entries of an approximate sketch it answers with that
 * sketch's error.
 */
#ifndef FM_HISTOGRAM_H
#define FM_HISTOGRAM_H

#include "fm_core.h"
#include "statistics.pb-c.h"

/* So many quantiles are asked for each bucket of the quantiles histogram; the standard histogram is made from all */
#define FM_QUANTILES_FACTOR 100

/* A distinct value and how much of the data has it */
typedef struct FmWeightedValue
{
	double value;  /* not NaN; may be infinite */
	double weight; /* a count, or a sum of weights */
} FmWeightedValue;

/* num_intervals + 1 boundaries, ascending, each with the weight of all entries up to and including it */
typedef struct FmBoundaries
{
	int n;
	double *value;
	double *cumulative;
} FmBoundaries;

/* What a histogram needs to know beside the boundaries */
typedef struct FmFiniteRange
{
	double min;				  /* smallest finite value; +inf when there is none */
	double max;				  /* largest finite value; -inf when there is none */
	double positive_infinity; /* weight of +inf */
} FmFiniteRange;

/*
 * Boundaries of num_intervals intervals of about equal weight. The entries are sorted by value, each value once;
 * those with a weight of zero or less are left out, as TFDV does. No entry: no boundaries (n = 0).
 */
extern FmBoundaries fm_quantile_boundaries(const FmWeightedValue *entries, size_t n, int num_intervals);

/* Every factor-th boundary; factor divides the number of intervals */
extern FmBoundaries fm_rebin_boundaries(const FmBoundaries *boundaries, int factor);

/* The middle boundary; the mean of the two middle ones when their number is even. n > 0. */
extern double fm_boundaries_median(const FmBoundaries *boundaries);

/* A histogram of type QUANTILES whose buckets end at the boundaries */
extern Tfmd__Histogram *fm_quantiles_histogram(const FmBoundaries *boundaries);

/*
 * A histogram of type STANDARD: num_buckets buckets of equal width over the finite range, the mass of each interval of
 * the boundaries spread evenly over it, infinities in buckets of their own. Without buckets when the width overflows.
 */
extern Tfmd__Histogram *fm_standard_histogram(const FmBoundaries *boundaries, const FmFiniteRange *range,
											  int num_buckets);

#endif
