/*
 * Quantile boundaries, and TFDV's two histograms made from them
 */
#include "histogram.h"

#include <math.h>

#include "message/message.h"

/* A bucket: low and high bound, and the weight between them */
typedef struct Bucket
{
	double low;
	double high;
	double weight;
} Bucket;

/*
 * Boundaries of intervals of about equal weight
 *
 * Boundary r answers the query "which value has rank r * total / num_intervals". An entry i covers the ranks from
 * min_rank(i) = weight before it to max_rank(i) = weight up to and including it. A rank belongs to the last entry whose
 * middle it has passed; between that entry and the next the shared edge decides. The search goes on from where the last
 * query ended, so the whole is linear.
 */
FmBoundaries
fm_quantile_boundaries(const FmWeightedValue *entries, size_t n, int num_intervals)
{
	FmBoundaries boundaries = {0};
	FmWeightedValue *kept;
	double *max_rank;
	size_t num_kept = 0;
	size_t current = 0;
	double total = 0;

	if (n == 0)
		return boundaries;

	/* the answer to one interval is two, as in TFDV */
	num_intervals = Max(num_intervals, 2);

	kept = palloc(sizeof(FmWeightedValue) * n);
	max_rank = palloc(sizeof(double) * n);
	for (size_t i = 0; i < n; i++)
	{
		if (!(entries[i].weight > 0))
			continue;
		total += entries[i].weight;
		kept[num_kept] = entries[i];
		max_rank[num_kept++] = total;
	}

	if (num_kept > 0)
	{
		boundaries.value = palloc(sizeof(double) * (num_intervals + 1));
		boundaries.cumulative = palloc(sizeof(double) * (num_intervals + 1));
		for (int r = 0; r <= num_intervals; r++)
		{
			double twice_rank = 2 * (r * total / num_intervals);
			size_t next = current + 1;
			size_t chosen;

			while (next < num_kept && twice_rank >= (max_rank[next] - kept[next].weight) + max_rank[next])
				next++;
			current = next - 1;
			if (next == num_kept || twice_rank < (max_rank[current] - kept[current].weight + kept[current].weight) +
													 (max_rank[next] - kept[next].weight))
				chosen = current;
			else
				chosen = next;
			boundaries.value[boundaries.n] = kept[chosen].value;
			boundaries.cumulative[boundaries.n++] = max_rank[chosen];
		}
	}

	pfree(kept);
	pfree(max_rank);
	return boundaries;
}

/*
 * Every factor-th boundary
 */
FmBoundaries
fm_rebin_boundaries(const FmBoundaries *boundaries, int factor)
{
	FmBoundaries result = {0};

	if (boundaries->n == 0)
		return result;

	Assert((boundaries->n - 1) % factor == 0);
	result.value = palloc(sizeof(double) * ((boundaries->n - 1) / factor + 1));
	result.cumulative = palloc(sizeof(double) * ((boundaries->n - 1) / factor + 1));
	for (int i = 0; i < boundaries->n; i += factor)
	{
		result.value[result.n] = boundaries->value[i];
		result.cumulative[result.n++] = boundaries->cumulative[i];
	}
	return result;
}

/*
 * The middle boundary
 */
double
fm_boundaries_median(const FmBoundaries *boundaries)
{
	int middle = boundaries->n / 2;

	Assert(boundaries->n > 0);
	if (boundaries->n % 2 == 0)
		return (boundaries->value[middle - 1] + boundaries->value[middle]) / 2;
	return boundaries->value[middle];
}

/*
 * The buckets between the boundaries, n - 1 of them
 *
 * A value that fills several buckets is the boundary of all of them, but its weight was counted once, in the first: it
 * is spread evenly over the buckets that end there. The weight up to the first boundary likewise belongs to all buckets
 * equal to the first.
 */
static Bucket *
BucketsBetween(const FmBoundaries *boundaries, int *num_buckets)
{
	int n = Max(boundaries->n - 1, 0);
	Bucket *buckets = palloc(sizeof(Bucket) * Max(n, 1));
	int equal = 0;

	for (int i = 0; i < n; i++)
	{
		buckets[i].low = boundaries->value[i];
		buckets[i].high = boundaries->value[i + 1];
		buckets[i].weight = boundaries->cumulative[i + 1] - boundaries->cumulative[i];
	}

	for (int i = 0, j; i < n; i = j)
	{
		double sum = buckets[i].weight;

		for (j = i + 1; j < n && buckets[j].high == buckets[i].high; j++)
			sum += buckets[j].weight;
		for (int k = i; k < j && j > i + 1; k++)
			buckets[k].weight = sum / (j - i);
	}

	while (equal < n && buckets[equal].low == buckets[0].low && buckets[equal].high == buckets[0].high)
		equal++;
	for (int i = 0; i < equal; i++)
		buckets[i].weight += boundaries->cumulative[0] / equal;

	*num_buckets = n;
	return buckets;
}

/*
 * Adds a bucket; the array has room for it
 */
static void
AddBucket(Tfmd__Histogram *histogram, double low, double high, double weight)
{
	Tfmd__Histogram__Bucket *bucket = FM_NEW(Tfmd__Histogram__Bucket, tfmd__histogram__bucket);

	bucket->low_value = low;
	bucket->high_value = high;
	bucket->sample_count = weight;
	histogram->buckets[histogram->n_buckets++] = bucket;
}

static Tfmd__Histogram *
NewHistogram(Tfmd__Histogram__HistogramType type, int max_buckets)
{
	Tfmd__Histogram *histogram = FM_NEW(Tfmd__Histogram, tfmd__histogram);

	histogram->type = type;
	histogram->buckets = palloc(sizeof(Tfmd__Histogram__Bucket *) * Max(max_buckets, 1));
	return histogram;
}

Tfmd__Histogram *
fm_quantiles_histogram(const FmBoundaries *boundaries)
{
	int n;
	Bucket *buckets = BucketsBetween(boundaries, &n);
	Tfmd__Histogram *histogram = NewHistogram(TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES, n);

	for (int i = 0; i < n; i++)
		AddBucket(histogram, buckets[i].low, buckets[i].high, buckets[i].weight);
	pfree(buckets);
	return histogram;
}

/*
 * The boundaries between the infinities, and the weight of -inf
 *
 * Buckets are known by their upper ends, so those that end at -inf are cut off. A bucket that ends at +inf may hold
 * finite values too: the last one is made to end at the largest finite value.
 */
static FmBoundaries
FiniteBoundaries(const FmBoundaries *boundaries, const FmFiniteRange *range, double *negative_infinity)
{
	FmBoundaries finite = {0};
	int first = 0;

	*negative_infinity = 0;
	while (first < boundaries->n && boundaries->value[first] == -INFINITY)
		*negative_infinity = boundaries->cumulative[first++];

	finite.value = palloc(sizeof(double) * (boundaries->n - first + 1));
	finite.cumulative = palloc(sizeof(double) * (boundaries->n - first + 1));
	for (int i = first; i < boundaries->n; i++)
	{
		if (range->positive_infinity != 0 && boundaries->value[i] == INFINITY)
			break;
		finite.value[finite.n] = boundaries->value[i];
		finite.cumulative[finite.n++] = boundaries->cumulative[i] - *negative_infinity;
	}
	if (range->positive_infinity != 0)
	{
		finite.value[finite.n] = range->max;
		finite.cumulative[finite.n++] =
			boundaries->cumulative[boundaries->n - 1] - *negative_infinity - range->positive_infinity;
	}
	return finite;
}

/*
 * The share of a bucket that lies in the interval from low to high, as if its weight were spread evenly
 *
 * A bucket that is a point counts in the interval that contains it; one on the left edge of an interval belongs to the
 * interval before, and only the first interval has none before it. *before and *after tell that the bucket lies wholly
 * on one side.
 */
static double
ShareInInterval(const Bucket *bucket, double low, double high, bool first_interval, bool *before, bool *after)
{
	*before = *after = false;

	if (bucket->low == low && bucket->high == low)
	{
		*before = !first_interval;
		return first_interval ? 1 : 0;
	}
	if (bucket->high < low)
	{
		*before = true;
		return 0;
	}
	if (bucket->low > high)
	{
		*after = true;
		return 0;
	}
	if (low <= bucket->low && high >= bucket->high)
		return 1;
	if (low <= bucket->low)
		return (high - bucket->low) / (bucket->high - bucket->low);
	if (high >= bucket->high)
		return (bucket->high - low) / (bucket->high - bucket->low);
	return (high - low) / (bucket->high - bucket->low);
}

/*
 * Where an interval begins, as numpy.linspace has it: between the smallest doubles, whose tenth is 0, by the fraction
 */
static double
Edge(const FmFiniteRange *range, int i, int num_buckets)
{
	double width = range->max - range->min;
	double step = width / num_buckets;

	if (i == num_buckets)
		return range->max;
	return (step == 0 ? (double) i / num_buckets * width : i * step) + range->min;
}

Tfmd__Histogram *
fm_standard_histogram(const FmBoundaries *boundaries, const FmFiniteRange *range, int num_buckets)
{
	Tfmd__Histogram *histogram = NewHistogram(TFMD__HISTOGRAM__HISTOGRAM_TYPE__STANDARD, num_buckets + 2);
	FmBoundaries finite;
	Bucket *buckets;
	double negative_infinity;
	int n;
	int start = 0;

	if (boundaries->n == 0)
		return histogram;

	/* no finite value: the range is empty, from +inf to -inf, and TFDV prints it so */
	if (!isfinite(range->min) && !isfinite(range->max))
	{
		AddBucket(histogram, range->min, range->max, boundaries->cumulative[boundaries->n - 1]);
		return histogram;
	}

	if (range->min == range->max)
		num_buckets = 1;
	if (!isfinite((range->max - range->min) / num_buckets))
		return histogram;

	finite = FiniteBoundaries(boundaries, range, &negative_infinity);
	buckets = BucketsBetween(&finite, &n);

	if (negative_infinity != 0)
		AddBucket(histogram, -INFINITY, -INFINITY, negative_infinity);
	for (int i = 0; i < num_buckets; i++)
	{
		double low = Edge(range, i, num_buckets);
		double high = Edge(range, i + 1, num_buckets);
		double weight = 0;

		for (int j = start; j < n; j++)
		{
			bool before;
			bool after;
			double share = ShareInInterval(&buckets[j], low, high, i == 0, &before, &after);

			if (after)
				break;
			if (before)
				start = j;
			weight += share * buckets[j].weight;
		}
		AddBucket(histogram, low, high, weight);
	}
	if (range->positive_infinity != 0)
		AddBucket(histogram, INFINITY, INFINITY, range->positive_infinity);

	pfree(buckets);
	return histogram;
}
