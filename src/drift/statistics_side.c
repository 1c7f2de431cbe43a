/*
 * The sides of a feature as statistics have them: all that a message still tells of the values
 *
 * Text has the values that its rank histogram lists. Numbers have the QUANTILES histogram: what lies above the low edge of a bucket
 * and up to its high edge, taken as uniform in between. Both sides are cut at the edges of both, so that what they say of the same
 * stretch is compared, as TFDV's Jensen-Shannon does it; each cell then stands for one value. Without that every edge would be a value
 * which the other side lacks, and two samples of one distribution would be far from each other.
 */
#include "fm_core.h"

#include "drift/metrics.h"
#include "fm_doubles.h"

#include <math.h>

/* Values that are uniform above low and up to high; of one point if these are the same */
typedef struct Stretch
{
	double low;
	double high;
	double weight;
} Stretch;

typedef struct Stretches
{
	int n;
	Stretch *stretch;
} Stretches;

static void
add_stretch(Stretches *stretches, double low, double high, double weight)
{
	if (weight > 0 && low <= high) /* nothing of NaN, which a message may hold */
		stretches->stretch[stretches->n++] = (Stretch){low, high, weight};
}

/*
 * An integer k is what lies above k - 1 and up to k, so that buckets of few integers are taken at their word: (3, 4] is 4. The first
 * bucket holds its low edge too.
 */
static Stretches
stretches_of(const Tfmd__Histogram *histogram, bool integers)
{
	Stretches stretches = {0};
	int n = histogram == NULL ? 0 : histogram->n_buckets;

	stretches.stretch = palloc(sizeof(Stretch) * (2 * n + 1));
	for (int i = 0; i < n; i++)
	{
		double low = histogram->buckets[i]->low_value;
		double high = histogram->buckets[i]->high_value;
		double weight = histogram->buckets[i]->sample_count;

		if (low != high && (isinf(low) || isinf(high)))
		{
			add_stretch(&stretches, low, low, weight / 2);
			add_stretch(&stretches, high, high, weight / 2);
		}
		else
			add_stretch(&stretches, integers && (i == 0 || low == high) ? low - 1 : low, high, weight);
	}
	return stretches;
}

/* The ends of both sides' stretches, ascending, each once */
static int
ends_of(const Stretches *sides, double **ends)
{
	int n = 0;

	*ends = palloc(sizeof(double) * 2 * (sides[0].n + sides[1].n + 1));
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < sides[side].n; i++)
		{
			(*ends)[n++] = sides[side].stretch[i].low;
			(*ends)[n++] = sides[side].stretch[i].high;
		}
	return fm_sort_distinct_doubles(*ends, n);
}

/* Place 2 i of the entries is end i, place 2 i + 1 the cell from there to the next end */
static void
spread(const Stretches *stretches, const double *ends, int n, bool integers, FmEntries *entries)
{
	entries->num_entries = Max(2 * n - 1, 0);
	entries->values = palloc(sizeof(double) * (entries->num_entries + 1));
	entries->weights = palloc0(sizeof(double) * (entries->num_entries + 1));
	for (int i = 0; i < n; i++)
	{
		entries->values[2 * i] = ends[i];
		if (i + 1 < n)
			entries->values[2 * i + 1] = ends[i] / 2 + ends[i + 1] / 2 + (integers ? 0.5 : 0);
	}
	for (int i = 0; i < stretches->n; i++)
	{
		const Stretch *s = &stretches->stretch[i];
		double width = s->high / 2 - s->low / 2; /* halves, as the whole may be beyond a double */
		int at = (const double *) bsearch(&s->low, ends, n, sizeof(double), fm_compare_doubles) - ends;

		entries->total += s->weight;
		if (s->low == s->high)
			entries->weights[2 * at] += s->weight;
		for (; ends[at] < s->high; at++)
			entries->weights[2 * at + 1] += (ends[at + 1] / 2 - ends[at] / 2) / width * s->weight;
	}
}

/* Leaves out the places where neither side has anything, as beside the infinities */
static void
leave_out_empty(FmEntries *a, FmEntries *b)
{
	int n = 0;

	for (int i = 0; i < a->num_entries; i++)
		if (a->weights[i] > 0 || b->weights[i] > 0)
		{
			a->values[n] = b->values[n] = a->values[i];
			a->weights[n] = a->weights[i];
			b->weights[n++] = b->weights[i];
		}
	a->num_entries = b->num_entries = n;
}

static const Tfmd__Histogram *
histogram_of_type(Tfmd__Histogram *const *histograms, size_t n, bool quantiles)
{
	for (size_t i = 0; i < n; i++)
		if ((histograms[i]->type == TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES) == quantiles)
			return histograms[i];
	return NULL;
}

static void
read_numbers(const Tfmd__NumericStatistics *numbers, bool weighted, FmDriftSide *side)
{
	const Tfmd__WeightedNumericStatistics *by_weight = weighted ? numbers->weighted_numeric_stats : NULL;
	Tfmd__Histogram *const *histograms = by_weight != NULL ? by_weight->histograms : numbers->histograms;
	size_t n = by_weight != NULL ? by_weight->n_histograms : numbers->n_histograms;

	side->is_number = true;
	side->deviation = by_weight != NULL ? by_weight->std_dev : numbers->std_dev;
	side->standard = histogram_of_type(histograms, n, false);
	side->quantiles = histogram_of_type(histograms, n, true);
	side->num_nan = side->quantiles == NULL ? 0 : side->quantiles->num_nan;
}

static void
read_text(const Tfmd__StringStatistics *strings, bool weighted, FmDriftSide *side)
{
	const Tfmd__RankHistogram *ranks = weighted && strings->weighted_string_stats != NULL
										   ? strings->weighted_string_stats->rank_histogram
										   : strings->rank_histogram;
	int n = ranks == NULL ? 0 : ranks->n_buckets;

	side->exact = (uint64) n >= strings->unique;
	side->values.values = palloc0(sizeof(FmFrequentValue) * Max(n, 1));
	side->values.num_values = n;
	side->by_weight = true; /* counts are doubles here */
	for (int i = 0; i < n; i++)
	{
		side->values.values[i].value = ranks->buckets[i]->label;
		side->values.values[i].size = strlen(ranks->buckets[i]->label);
		side->values.values[i].weighted_count = ranks->buckets[i]->sample_count;
		side->total += ranks->buckets[i]->sample_count;
	}
}

static const Tfmd__CommonStatistics *
common_statistics(const Tfmd__FeatureNameStatistics *statistics)
{
	if (statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
		return statistics->string_stats->common_stats;
	if (statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
		return statistics->num_stats->common_stats;
	return NULL;
}

static bool
has_weights(const Tfmd__FeatureNameStatistics *statistics)
{
	const Tfmd__CommonStatistics *common = common_statistics(statistics);

	return common != NULL && common->weighted_common_stats != NULL;
}

static bool
read_side(const Tfmd__FeatureNameStatistics *statistics, bool weighted, FmDriftSide *side)
{
	const Tfmd__CommonStatistics *common = common_statistics(statistics);

	memset(side, 0, sizeof(*side));
	if (statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
		read_text(statistics->string_stats, weighted, side);
	else if (statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
		read_numbers(statistics->num_stats, weighted, side);
	else
		return false;
	if (common != NULL)
		side->null_weight = weighted ? common->weighted_common_stats->num_missing : (double) common->num_missing;
	return true;
}

bool
fm_drift_sides_of_statistics(const Tfmd__FeatureNameStatistics *current, const Tfmd__FeatureNameStatistics *baseline,
							 FmDriftSide *sides)
{
	const Tfmd__FeatureNameStatistics *statistics[2] = {current, baseline};
	bool weighted = has_weights(current) && has_weights(baseline);
	bool integers = current->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__INT &&
					baseline->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__INT;
	Stretches stretches[2];
	double *ends;
	int n;

	for (int i = 0; i < 2; i++)
	{
		if (!read_side(statistics[i], weighted, &sides[i]))
			return false;
		stretches[i] = stretches_of(sides[i].quantiles, integers);
	}
	n = ends_of(stretches, &ends);
	for (int i = 0; i < 2; i++)
		spread(&stretches[i], ends, n, integers, &sides[i].entries);
	leave_out_empty(&sides[0].entries, &sides[1].entries);
	for (int i = 0; i < 2; i++)
		if (sides[i].is_number)
		{
			const Tfmd__CommonStatistics *common = common_statistics(statistics[i]);

			/* histograms by weight count NaN without; their weight is what no bucket has */
			sides[i].nan_weight = sides[i].num_nan;
			if (weighted && sides[i].num_nan > 0)
				sides[i].nan_weight = Max(0, common->weighted_common_stats->tot_num_values - sides[i].entries.total);
			sides[i].total = sides[i].entries.total + sides[i].nan_weight;
		}
	return true;
}
