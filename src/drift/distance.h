/*
 * Distances between two distributions, as TFDV's comparators measure them
 *
 * Plain functions over rank histograms (values and their counts) and histograms (buckets). They know neither schemas
 * nor SQL. Sums run in ascending order of the values or edges, so that the same statistics give TFDV's figures to
 * the last digits.
 */
#ifndef FM_DISTANCE_H
#define FM_DISTANCE_H

#include "fm_core.h"

#include "statistics.pb-c.h"

/* A value and how often it occurs */
typedef struct FmFrequency
{
	const char *value;
	double count;
} FmFrequency;

/* The values of one side: each once, in byte order */
typedef struct FmFrequencies
{
	int n;
	FmFrequency *frequency;
} FmFrequencies;

/*
 * The values that a rank histogram lists; shares its strings. Of a value listed twice the first count stands.
 * histogram may be NULL: no values.
 */
extern FmFrequencies fm_frequencies_from_rank_histogram(const Tfmd__RankHistogram *histogram);

/*
 * Largest difference between the shares of a value on the two sides, 0 to 1. A side without any mass counts as all
 * zero. *value is the value that differs most (of several the last in byte order), "" if there is none.
 */
extern double fm_l_infinity_distance(const FmFrequencies *a, const FmFrequencies *b, const char **value);

/* As above, but counts are divided by the sum of both sides: the sizes of the two sides matter too */
extern double fm_normalized_absolute_difference(const FmFrequencies *a, const FmFrequencies *b, const char **value);

/*
 * Jensen-Shannon divergence to the base 2, 0 to 1. False if it is not defined: a side without values, or a count
 * that is not positive.
 */
extern bool fm_jensen_shannon_of_values(const FmFrequencies *a, const FmFrequencies *b, double *divergence);

/*
 * Approximate Jensen-Shannon divergence of two histograms, base 2. Values are taken as uniform inside a bucket; a
 * bucket of one point is met only by the same point, infinite edges by nothing. NaN is met by nothing when both sides
 * have the same edges, and left out when they have not: so it is in TFDV, whose histograms lose it when they are cut anew.
 *
 * False with no error: not defined (a side is empty, the types of the histograms differ). False with *error
 * (22023): the buckets of a side are not in order, overlap, or leave a gap that the other side has not.
 */
extern bool fm_jensen_shannon_of_histograms(const Tfmd__Histogram *a, const Tfmd__Histogram *b, double *divergence,
											FmError *error);

#endif
