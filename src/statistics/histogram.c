/*
 * Quantile boundaries, and TFDV's two histograms made from them
 */
#include "histogram.h"

#include <math.h>

#include "message/message.h"

/* So many buckets of the same bounds, and the weight that each of them has between these */
typedef struct Buckets
{
	double low;
	double high;
	double weight;
	int count;
} Buckets;

/*
 * Twice the rank that boundary r asks for
 */
static inline double
TwiceRank(int r, double total, int num_intervals)
{
	return 2 * (r * total / num_intervals);
}

/*
 * The first boundary from "from" on that asks for no less, num_intervals + 1 if none does. It is guessed, and the guess mended by
 * the same ranks that a search would look at.
 */
static int
FirstAtLeast(double twice_rank, int from, double total, int num_intervals)
{
	double guess;
	int r;

	if (from > num_intervals || TwiceRank(from, total, num_intervals) >= twice_rank)
		return from;
	guess = ceil(twice_rank / (2 * total) * num_intervals);
	/* not so if it is not a number */
	r = guess > from && guess < num_intervals ? (int) guess : guess >= num_intervals ? num_intervals : from + 1;
	while (r > from && TwiceRank(r - 1, total, num_intervals) >= twice_rank)
		r--;
	while (r <= num_intervals && TwiceRank(r, total, num_intervals) < twice_rank)
		r++;
	return r;
}

/*
 * Boundaries of intervals of about equal weight
 *
 * Boundary r answers the query "which value has rank r * total / num_intervals". An entry i covers the ranks from
 * min_rank(i) = weight before it to max_rank(i) = weight up to and including it. A rank belongs to the last entry whose
 * middle it has passed; between that entry and the next the shared edge decides. The search goes on from where the last
 * query ended, and all ranks between two middles are answered at once, so few entries cost little whatever num_intervals is.
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
		while (boundaries.n <= num_intervals)
		{
			double twice_rank = TwiceRank(boundaries.n, total, num_intervals);
			size_t next = current + 1;
			int end = num_intervals + 1;
			int edge = end;

			while (next < num_kept && twice_rank >= (max_rank[next] - kept[next].weight) + max_rank[next])
				next++;
			current = next - 1;
			if (next < num_kept)
			{
				end = FirstAtLeast((max_rank[next] - kept[next].weight) + max_rank[next], boundaries.n, total,
								   num_intervals);
				edge = FirstAtLeast((max_rank[current] - kept[current].weight + kept[current].weight) +
										(max_rank[next] - kept[next].weight),
									boundaries.n, total, num_intervals);
			}
			for (; boundaries.n < end; boundaries.n++)
			{
				size_t chosen = boundaries.n < edge ? current : next;

				boundaries.value[boundaries.n] = kept[chosen].value;
				boundaries.cumulative[boundaries.n] = max_rank[chosen];
			}
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
 * The n - 1 buckets between the boundaries, those that are equal together; *num is how many of these there are
 *
 * A value that fills several buckets is the boundary of all of them, but its weight was counted once, in the first: it
 * is spread evenly over the buckets that end there: the first one, and those that are this value only. The weight up to the
 * first boundary likewise belongs to all buckets equal to the first.
 */
static Buckets *
BucketsBetween(const FmBoundaries *boundaries, int *num)
{
	int n = Max(boundaries->n - 1, 0);
	Buckets *buckets = palloc(sizeof(Buckets) * Max(n, 1));

	*num = 0;
	for (int i = 0, j; i < n; i = j)
	{
		double low = boundaries->value[i];
		double high = boundaries->value[i + 1];
		double sum = boundaries->cumulative[i + 1] - boundaries->cumulative[i];
		int with_low;

		for (j = i + 1; j < n && boundaries->value[j + 1] == high; j++)
			if (boundaries->cumulative[j + 1] != boundaries->cumulative[j])
				sum += boundaries->cumulative[j + 1] - boundaries->cumulative[j];
		with_low = low == high ? j - i : 1;
		buckets[(*num)++] = (Buckets){low, high, sum / (j - i), with_low};
		if (with_low < j - i)
			buckets[(*num)++] = (Buckets){high, high, sum / (j - i), j - i - with_low};
	}
	if (n > 0)
		buckets[0].weight += boundaries->cumulative[0] / buckets[0].count;
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
	Buckets *buckets = BucketsBetween(boundaries, &n);
	Tfmd__Histogram *histogram = NewHistogram(TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES, boundaries->n);

	for (int i = 0; i < n; i++)
		for (int k = 0; k < buckets[i].count; k++)
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
ShareInInterval(const Buckets *bucket, double low, double high, bool first_interval, bool *before, bool *after)
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
	Buckets *buckets;
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
			/* one by one, as TFDV does: a product would be rounded otherwise */
			share *= buckets[j].weight;
			for (int k = 0; k < buckets[j].count && share != 0; k++)
				weight += share;
		}
		AddBucket(histogram, low, high, weight);
	}
	if (range->positive_infinity != 0)
		AddBucket(histogram, INFINITY, INFINITY, range->positive_infinity);

	pfree(buckets);
	return histogram;
}
