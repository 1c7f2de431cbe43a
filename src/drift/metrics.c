/*
 * Distances between two sides of a feature
 */
#include "fm_core.h"

#include "drift/distance.h"
#include "drift/metrics.h"
#include "statistics/histogram.h"

#include <math.h>

/* Evidently's and the credit-risk habit's stand-in for a share of 0 */
#define DEFAULT_ZERO_SHARE 0.0001

/* Buckets of the histograms that Jensen-Shannon compares: TFDV's default */
#define HISTOGRAM_BUCKETS 10

const char *
fm_metric_name(FmMetric metric)
{
	static const char *const names[] = {"l_infinity_distance",
										"normalized_absolute_difference",
										"jensen_shannon_divergence",
										"population_stability_index",
										"kolmogorov_smirnov",
										"wasserstein_distance",
										"chi_squared",
										"hellinger_distance",
										"total_variation_distance",
										"kullback_leibler_divergence"};

	return names[metric];
}

bool
fm_metric_fits(FmMetric metric, bool is_number)
{
	return is_number || (metric != FM_KOLMOGOROV_SMIRNOV && metric != FM_WASSERSTEIN);
}

void
fm_drift_options_init(FmDriftOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->zero_share = -1;
}

void
fm_drift_side_of_feature(const FmFeatureInfo *info, bool weighted, FmDriftSide *side)
{
	memset(side, 0, sizeof(*side));
	side->by_weight = weighted;
	side->null_weight = weighted ? info->common.weighted_num_missing : (double) info->common.num_missing;
	side->is_number = info->kind == FM_INT || info->kind == FM_FLOAT;
	if (side->is_number)
	{
		FmNumberSummary numbers;

		fm_feature_numbers(info->feature, &numbers);
		fm_feature_quantile_entries(info->feature, weighted, &side->entries);
		side->num_nan = numbers.num_nan - numbers.num_null_values;
		side->nan_weight = (double) side->num_nan;
		/* weights are summed exactly, so what is not of a number is of NaN (and of nulls in lists, which share it by their count) */
		if (weighted && side->num_nan > 0)
			side->nan_weight *=
				(info->common.weighted_tot_num_values - numbers.weighted_count) / (double) numbers.num_nan;
		side->total = side->entries.total + side->nan_weight;
		side->deviation = sqrt(Max(0, weighted ? numbers.weighted_variance : numbers.variance));
		side->exact = side->entries.exact;
	}
	else if (info->kind != FM_STRUCT)
	{
		FmStringSummary strings;

		fm_feature_strings(info->feature, &strings);
		fm_feature_values(info->feature, weighted, &side->values);
		side->total = weighted ? strings.weighted_num_values : (double) strings.num_values;
		side->exact = side->values.exact;
	}
}

/* ------------------------------------------------------------------------------------------------ categories */

/* The two sides by category: the same category at the same place, weights of 0 where a side lacks it */
typedef struct Categories
{
	bool made;
	int n;
	double *current;
	double *baseline;
	double current_total;
	double baseline_total;
	/* what add_up() makes of them, for the metrics that are sums without a logarithm */
	double largest_share;
	double largest_weight;
	double variation;
	double hellinger;
	double chi_squared;
	int present;
} Categories;

/* Two sides that are compared, with what more than one metric wants of them */
typedef struct Pair
{
	FmDriftSide *current;
	FmDriftSide *baseline;
	bool is_number; /* a side without a value is of the other's kind */
	const FmDriftOptions *options;
	Categories categories[FM_BIN_DOANE + 1]; /* by binning */
	int num_numbers;						 /* see merge_numbers */
	double *numbers;
	double *weights[2];
	bool walked;
	double gap; /* between the distribution functions */
	double area;
} Pair;

static void
add_category(Categories *categories, double current, double baseline)
{
	categories->current[categories->n] = current;
	categories->baseline[categories->n++] = baseline;
	categories->current_total += current;
	categories->baseline_total += baseline;
}

static double
weight_of(const FmDriftSide *side, const FmFrequentValue *value)
{
	return side->by_weight ? value->weighted_count : (double) value->count;
}

static void
text_categories(FmDriftSide *current, FmDriftSide *baseline, Categories *categories)
{
	FmFrequentValue *a = current->values.values;
	FmFrequentValue *b = baseline->values.values;
	int i = 0, j = 0;

	/* looks first whether they are in order already, as those of a stored sketch are */
	qsort(a, current->values.num_values, sizeof(FmFrequentValue), fm_compare_values);
	qsort(b, baseline->values.num_values, sizeof(FmFrequentValue), fm_compare_values);
	while (i < current->values.num_values || j < baseline->values.num_values)
	{
		int order = i == current->values.num_values	   ? 1
					: j == baseline->values.num_values ? -1
													   : fm_compare_values(&a[i], &b[j]);

		add_category(categories, order <= 0 ? weight_of(current, &a[i]) : 0,
					 order >= 0 ? weight_of(baseline, &b[j]) : 0);
		i += order <= 0;
		j += order >= 0;
	}
}

/*
 * The distinct numbers of both sides in their order, with the weight that each side has there
 */
static void
merge_numbers(Pair *pair)
{
	const FmEntries *a = &pair->current->entries;
	const FmEntries *b = &pair->baseline->entries;
	Size room = (Size) a->num_entries + b->num_entries;
	int i = 0, j = 0, n = 0;

	if (pair->numbers != NULL)
		return;
	pair->numbers = palloc_extended(sizeof(double) * Max(room, 1), MCXT_ALLOC_HUGE);
	for (int side = 0; side < 2; side++)
		pair->weights[side] = palloc_extended(sizeof(double) * Max(room, 1), MCXT_ALLOC_HUGE);
	/* no branch here: which side is next is chance */
	while (i < a->num_entries && j < b->num_entries)
	{
		bool from_a = a->values[i] <= b->values[j];
		bool from_b = b->values[j] <= a->values[i];

		pair->numbers[n] = from_a ? a->values[i] : b->values[j];
		pair->weights[0][n] = from_a ? a->weights[i] : 0;
		pair->weights[1][n++] = from_b ? b->weights[j] : 0;
		i += from_a;
		j += from_b;
	}
	for (; i < a->num_entries; i++, n++)
	{
		pair->numbers[n] = a->values[i];
		pair->weights[0][n] = a->weights[i];
		pair->weights[1][n] = 0;
	}
	for (; j < b->num_entries; j++, n++)
	{
		pair->numbers[n] = b->values[j];
		pair->weights[0][n] = 0;
		pair->weights[1][n] = b->weights[j];
	}
	pair->num_numbers = n;
}

static void
number_categories(Pair *pair, Categories *categories)
{
	merge_numbers(pair);
	for (int i = 0; i < pair->num_numbers; i++)
		add_category(categories, pair->weights[0][i], pair->weights[1][i]);
}

/*
 * The upper edges of the bins, ascending, the last one left out: it has all the rest. Edges of quantile bins are values of the
 * baseline; equal ones are one.
 */
static double *
bin_edges(const FmDriftSide *current, const FmDriftSide *baseline, const FmDriftOptions *options, bool equal_width,
		  int *n_edges)
{
	int bins = options->bins;
	double *edges;

	*n_edges = 0;
	if (equal_width)
	{
		double low = INFINITY, high = -INFINITY;
		double total = current->entries.total + baseline->entries.total;

		for (int side = 0; side < 2; side++)
		{
			const FmEntries *entries = side == 0 ? &current->entries : &baseline->entries;

			for (int i = 0; i < entries->num_entries; i++)
				if (isfinite(entries->values[i]))
				{
					low = Min(low, entries->values[i]);
					high = Max(high, entries->values[i]);
				}
		}
		if (bins == 0)
			bins = Max(1, (int) ceil(log2(Max(total, 1)) + 1)); /* Sturges, 1926 */
		edges = palloc(sizeof(double) * bins);
		if (low < high)
			for (int i = 1; i < bins; i++)
				edges[(*n_edges)++] = low + (high / bins - low / bins) * i;
		return edges;
	}
	if (bins == 0)
		bins = 10;
	edges = palloc(sizeof(double) * bins);
	{
		double cumulative = 0;
		int next = 1;

		for (int i = 0; i < baseline->entries.num_entries; i++)
		{
			cumulative += baseline->entries.weights[i];
			/* a hair less will do: sums of parts of buckets are rounded */
			while (next < bins && cumulative >= baseline->entries.total * next / bins * (1 - 1e-13))
			{
				if (*n_edges == 0 || edges[*n_edges - 1] < baseline->entries.values[i])
					edges[(*n_edges)++] = baseline->entries.values[i];
				next++;
			}
		}
	}
	return edges;
}

static void
bin_numbers(const FmDriftSide *current, const FmDriftSide *baseline, const FmDriftOptions *options, bool equal_width,
			Categories *categories)
{
	int n_edges;
	double *edges = bin_edges(current, baseline, options, equal_width, &n_edges);
	double *weights[2];

	for (int side = 0; side < 2; side++)
	{
		const FmEntries *entries = side == 0 ? &current->entries : &baseline->entries;
		int bin = 0;

		weights[side] = palloc0(sizeof(double) * (n_edges + 1));
		for (int i = 0; i < entries->num_entries; i++)
		{
			/* a quantile edge belongs to the bin below it, an edge of equal widths to the one above, as in NumPy's histogram */
			while (bin < n_edges && (equal_width ? entries->values[i] >= edges[bin] : entries->values[i] > edges[bin]))
				bin++;
			weights[side][bin] += entries->weights[i];
		}
	}
	for (int bin = 0; bin <= n_edges; bin++)
		if (weights[0][bin] != 0 || weights[1][bin] != 0)
			add_category(categories, weights[0][bin], weights[1][bin]);
}

/*
 * The number of equal bins for a distribution that may be skewed (D. P. Doane, Aesthetic frequency classifications, 1976), as in NumPy
 */
static int
doane_bins(const FmEntries *entries)
{
	double n = 0, mean = 0, variance = 0, skewness = 0;

	for (int i = 0; i < entries->num_entries; i++)
		if (isfinite(entries->values[i]))
		{
			n += entries->weights[i];
			mean += entries->weights[i] * entries->values[i];
		}
	mean /= n;
	for (int i = 0; i < entries->num_entries; i++)
		if (isfinite(entries->values[i]))
		{
			double deviation = entries->values[i] - mean;

			variance += entries->weights[i] / n * deviation * deviation;
			skewness += entries->weights[i] / n * deviation * deviation * deviation;
		}
	if (!(n > 2) || !(variance > 0))
		return 1;
	skewness = fabs(skewness / (variance * sqrt(variance))) / sqrt(6 * (n - 2) / ((n + 1) * (n + 3)));
	return Max(1, (int) ceil(1 + log2(n) + log2(1 + skewness)));
}

/*
 * Bins over the range of the baseline, the last one with its upper edge
 */
static void
bin_by_baseline(const FmDriftSide *current, const FmDriftSide *baseline, const FmDriftOptions *options,
				Categories *categories)
{
	const FmEntries *reference = &baseline->entries;
	double low = INFINITY, high = -INFINITY;
	int bins;
	double *weights[2];

	for (int i = 0; i < reference->num_entries; i++)
		if (isfinite(reference->values[i]))
		{
			low = Min(low, reference->values[i]);
			high = Max(high, reference->values[i]);
		}
	bins = options->bins > 0 ? options->bins : low <= high ? doane_bins(reference) : 1;
	if (low == high)
	{
		low -= 0.5;
		high += 0.5;
	}
	for (int side = 0; side < 2; side++)
	{
		const FmEntries *entries = side == 0 ? &current->entries : reference;
		int bin = 0;

		weights[side] = palloc0(sizeof(double) * (bins + 1));
		for (int i = 0; i < entries->num_entries; i++)
		{
			double value = entries->values[i];

			while (bin < bins - 1 && value >= low + (high - low) / bins * (bin + 1))
				bin++;
			weights[side][value >= low && value <= high ? bin : bins] += entries->weights[i];
		}
	}
	for (int bin = 0; bin <= bins; bin++)
		if (weights[0][bin] != 0 || weights[1][bin] != 0)
			add_category(categories, weights[0][bin], weights[1][bin]);
}

/*
 * What the baseline lacks becomes one category
 */
static void
join_unseen(Categories *categories)
{
	int n = 0;
	double unseen = 0;

	for (int i = 0; i < categories->n; i++)
	{
		if (categories->baseline[i] == 0)
		{
			unseen += categories->current[i];
			continue;
		}
		categories->current[n] = categories->current[i];
		categories->baseline[n++] = categories->baseline[i];
	}
	if (unseen != 0)
	{
		categories->current[n] = unseen;
		categories->baseline[n++] = 0;
	}
	categories->n = n;
}

static double
share(double weight, double total)
{
	return total > 0 ? weight / total : 0;
}

static void
add_up(Categories *c)
{
	double both = c->current_total + c->baseline_total;
	double current_share = share(c->current_total, both);
	double baseline_share = share(c->baseline_total, both);

	for (int i = 0; i < c->n; i++)
	{
		double p = share(c->current[i], c->current_total);
		double q = share(c->baseline[i], c->baseline_total);
		double roots = sqrt(p) - sqrt(q);
		double column = c->current[i] + c->baseline[i];
		/* what the current side has above what is expected of it, the other side lacks */
		double above = c->current[i] * baseline_share - c->baseline[i] * current_share;

		c->largest_share = Max(c->largest_share, fabs(p - q));
		c->largest_weight = Max(c->largest_weight, fabs(c->current[i] - c->baseline[i]));
		c->variation += fabs(p - q);
		c->hellinger += roots * roots;
		c->present += column > 0;
		c->chi_squared += column > 0 ? above * above / column : 0;
	}
	/* of one category only what rounding leaves */
	c->chi_squared = c->present > 1 ? c->chi_squared / (current_share * baseline_share) : 0;
}

/*
 * The sides as the metric sees them
 */
static const Categories *
categorize(Pair *pair, FmMetric metric)
{
	FmDriftSide *current = pair->current;
	FmDriftSide *baseline = pair->baseline;
	const FmDriftOptions *options = pair->options;
	FmBinning binning = options->binning;
	Categories *categories;
	Size room;

	if (!pair->is_number)
		binning = FM_BIN_VALUES;
	else if (binning == FM_BIN_DEFAULT)
		binning = options->bins > 0 || metric == FM_POPULATION_STABILITY ? FM_BIN_QUANTILE : FM_BIN_VALUES;
	categories = &pair->categories[binning];
	if (categories->made)
		return categories;

	room = pair->is_number ? (Size) current->entries.num_entries + baseline->entries.num_entries
						   : (Size) current->values.num_values + baseline->values.num_values;
	room = Max(room, (Size) options->bins + 128) + 3;
	categories->made = true;
	categories->current = palloc_extended(sizeof(double) * room, MCXT_ALLOC_HUGE);
	categories->baseline = palloc_extended(sizeof(double) * room, MCXT_ALLOC_HUGE);
	if (!pair->is_number)
		text_categories(current, baseline, categories);
	else if (binning == FM_BIN_VALUES)
		number_categories(pair, categories);
	else if (binning == FM_BIN_DOANE)
		bin_by_baseline(current, baseline, options, categories);
	else
		bin_numbers(current, baseline, options, binning == FM_BIN_EQUAL_WIDTH, categories);
	if (current->nan_weight != 0 || baseline->nan_weight != 0)
		add_category(categories, current->nan_weight, baseline->nan_weight);
	if (options->null_is_category)
		add_category(categories, current->null_weight, baseline->null_weight);
	if (options->unseen_is_category)
		join_unseen(categories);
	add_up(categories);
	return categories;
}

/* ------------------------------------------------------------------------------------------------ metrics */

/*
 * Jensen-Shannon, Kullback-Leibler or population stability
 */
static double
sum_of_logarithms(FmMetric metric, const Categories *c, double zero)
{
	double sum = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < c->n; i++)
	{
		double p = share(c->current[i], c->current_total);
		double q = share(c->baseline[i], c->baseline_total);

		if (metric == FM_JENSEN_SHANNON)
		{
			double m = (p + q) / 2;

			sum += (p > 0 ? p * log2(p / m) : 0) / 2 + (q > 0 ? q * log2(q / m) : 0) / 2;
			continue;
		}
		p = p == 0 ? zero : p;
		q = q == 0 ? zero : q;
		if (metric == FM_POPULATION_STABILITY)
			sum += p == q ? 0 : (p - q) * log(p / q);
		else if (p > 0 && q == 0)
			return INFINITY;
		else
			sum += p > 0 ? p * log(p / q) : 0;
	}
	return sum;
}

static double
of_categories(FmMetric metric, const Categories *c, const FmDriftOptions *options, FmDriftResult *result)
{
	switch (metric)
	{
		case FM_L_INFINITY:
			return c->largest_share;
		case FM_NORMALIZED_ABSOLUTE_DIFFERENCE:
			return share(c->largest_weight, c->current_total + c->baseline_total);
		case FM_HELLINGER:
			return sqrt(c->hellinger / 2);
		case FM_TOTAL_VARIATION:
			return c->variation / 2;
		case FM_CHI_SQUARED:
			result->degrees_of_freedom = c->present - 1;
			result->p_value = c->present > 1 ? fm_chi_squared_p(c->chi_squared, c->present - 1) : 1;
			return c->chi_squared;
		case FM_JENSEN_SHANNON:
			return Min(1, Max(0, sum_of_logarithms(metric, c, 0)));
		case FM_POPULATION_STABILITY:
			return sum_of_logarithms(metric, c, options->zero_share >= 0 ? options->zero_share : DEFAULT_ZERO_SHARE);
		default: /* FM_KULLBACK_LEIBLER */
			return sum_of_logarithms(metric, c, options->zero_share >= 0 ? options->zero_share : 0);
	}
}

/*
 * Largest gap between the two distribution functions, and the area between them
 */
static void
walk_distributions(Pair *pair)
{
	double current_total = pair->current->entries.total;
	double baseline_total = pair->baseline->entries.total;
	double current = 0, baseline = 0;
	double gap = 0; /* since the previous value */

	if (pair->walked)
		return;
	merge_numbers(pair);
	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < pair->num_numbers; i++)
	{
		/* the gap may last up to infinity, but where there is none it is nothing times infinity */
		if (gap != 0)
			pair->area += gap * (pair->numbers[i] - pair->numbers[i - 1]);
		current += pair->weights[0][i];
		baseline += pair->weights[1][i];
		gap = fabs(current / current_total - baseline / baseline_total);
		pair->gap = Max(pair->gap, gap);
	}
	pair->walked = true;
}

static const Tfmd__Histogram *
histogram_of(const FmDriftSide *side, bool quantiles)
{
	FmFiniteRange range = {INFINITY, -INFINITY, 0};
	FmBoundaries boundaries;
	FmWeightedValue *values;
	Tfmd__Histogram *histogram;

	if (side->standard != NULL && side->quantiles != NULL)
		return quantiles ? side->quantiles : side->standard;
	if (side->kept != NULL && side->kept_quantiles == quantiles)
		return side->kept;
	values = palloc_extended(sizeof(FmWeightedValue) * Max(side->entries.num_entries, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < side->entries.num_entries; i++)
	{
		double value = side->entries.values[i];

		values[i].value = value;
		values[i].weight = side->entries.weights[i];
		if (isfinite(value))
		{
			range.min = Min(range.min, value);
			range.max = Max(range.max, value);
		}
		else if (value > 0)
			range.positive_infinity += side->entries.weights[i];
	}
	boundaries = fm_quantile_boundaries(values, side->entries.num_entries, HISTOGRAM_BUCKETS * FM_QUANTILES_FACTOR);
	if (quantiles)
	{
		FmBoundaries tenth = fm_rebin_boundaries(&boundaries, FM_QUANTILES_FACTOR);

		histogram = fm_quantiles_histogram(&tenth);
	}
	else
		histogram = fm_standard_histogram(&boundaries, &range, HISTOGRAM_BUCKETS);
	histogram->num_nan = side->num_nan; /* counted without weights in TFDV's histograms too */
	pfree(values);
	return histogram;
}

void
fm_drift_side_keep_histogram(FmDriftSide *side, bool quantiles)
{
	side->kept = histogram_of(side, quantiles);
	side->kept_quantiles = quantiles;
}

static bool
measure(Pair *pair, FmMetric metric, FmDriftResult *result, FmError *error)
{
	FmDriftSide *current = pair->current;
	FmDriftSide *baseline = pair->baseline;
	const FmDriftOptions *options = pair->options;
	bool counts_empty = metric == FM_L_INFINITY || metric == FM_NORMALIZED_ABSOLUTE_DIFFERENCE;
	double nulls_current = options->null_is_category ? current->null_weight : 0;
	double nulls_baseline = options->null_is_category ? baseline->null_weight : 0;

	memset(result, 0, sizeof(*result));
	result->exact = current->exact && baseline->exact;
	if (current->is_number != baseline->is_number && current->total > 0 && baseline->total > 0)
	{
		fm_fail(error, ERRCODE_DATATYPE_MISMATCH, "cannot compare numbers with text");
		return false;
	}
	if (!fm_metric_fits(metric, pair->is_number))
	{
		fm_fail(error, ERRCODE_DATATYPE_MISMATCH, "%s is a metric of numbers", fm_metric_name(metric));
		return false;
	}
	if (!counts_empty && (current->total + nulls_current <= 0 || baseline->total + nulls_baseline <= 0))
		return true;
	if (counts_empty && current->total + nulls_current <= 0 && baseline->total + nulls_baseline <= 0)
		return true;
	result->defined = true;
	if (metric == FM_KOLMOGOROV_SMIRNOV || metric == FM_WASSERSTEIN)
	{
		if (current->entries.total <= 0 || baseline->entries.total <= 0)
		{
			result->defined = false;
			return true;
		}
		walk_distributions(pair);
		if (metric == FM_WASSERSTEIN)
			result->value = options->scale_by_deviation ? pair->area / Max(baseline->deviation, 0.001) : pair->area;
		else
		{
			result->value = pair->gap;
			result->p_value = fm_kolmogorov_smirnov_p(pair->gap, current->entries.total, baseline->entries.total,
													  options->quick_p_value);
		}
		return true;
	}
	if (metric == FM_JENSEN_SHANNON && pair->is_number && options->binning == FM_BIN_DEFAULT && options->bins == 0 &&
		!options->null_is_category && !options->unseen_is_category)
	{
		result->defined =
			fm_jensen_shannon_of_histograms(histogram_of(current, options->quantiles),
											histogram_of(baseline, options->quantiles), &result->value, error);
		if (error->sqlstate != 0)
			return false;
	}
	else
		result->value = of_categories(metric, categorize(pair, metric), options, result);
	if (metric == FM_JENSEN_SHANNON)
	{
		if (options->base_e)
			result->value *= M_LN2;
		if (options->distance)
			result->value = sqrt(result->value);
	}
	else if ((metric == FM_KULLBACK_LEIBLER || metric == FM_POPULATION_STABILITY) && options->base_2)
		result->value /= M_LN2;
	return true;
}

static Pair
pair_of(FmDriftSide *current, FmDriftSide *baseline, const FmDriftOptions *options)
{
	return (Pair){.current = current,
				  .baseline = baseline,
				  .options = options,
				  .is_number = current->total == 0 && baseline->total > 0 ? baseline->is_number : current->is_number};
}

bool
fm_drift_measure(FmMetric metric, FmDriftSide *current, FmDriftSide *baseline, const FmDriftOptions *options,
				 FmDriftResult *result, FmError *error)
{
	Pair pair = pair_of(current, baseline, options);

	return measure(&pair, metric, result, error);
}

bool
fm_drift_measure_all(FmDriftSide *current, FmDriftSide *baseline, const FmDriftOptions *options, FmDriftResult *results,
					 FmError *error)
{
	Pair pair = pair_of(current, baseline, options);
	bool one_kind = current->is_number == baseline->is_number || current->total == 0 || baseline->total == 0;

	memset(results, 0, sizeof(FmDriftResult) * FM_METRICS);
	for (int metric = 0; metric < FM_METRICS; metric++)
		if (one_kind && fm_metric_fits(metric, pair.is_number) && !measure(&pair, metric, &results[metric], error))
			return false;
	return true;
}
