/*
 * A sketch as TFDV's statistics: the figures of each feature
 */
#include "statistics.h"

#include <math.h>

#include "custom_statistic.h"
#include "histogram.h"
#include "message/message.h"
#include "schema_hints.h"

/* What every figure depends on beside its feature */
typedef struct Scope
{
	const FmStatisticsOptions *options;
	bool weighted;
	bool complete; /* not only counts, moments and extremes */
} Scope;

/*
 * What the sketch says of a distribution, as the entries of quantile boundaries
 */
static FmWeightedValue *
WeightedValues(const FmEntries *entries)
{
	FmWeightedValue *values = palloc(sizeof(FmWeightedValue) * Max(entries->num_entries, 1));

	for (int i = 0; i < entries->num_entries; i++)
	{
		values[i].value = entries->values[i];
		values[i].weight = entries->weights[i];
	}
	return values;
}

static FmBoundaries
Boundaries(const FmEntries *entries, int num_intervals)
{
	return fm_quantile_boundaries(WeightedValues(entries), entries->num_entries, num_intervals);
}

/*
 * An estimate is marked in the name of its histogram, which TensorFlow's tools leave alone
 */
static void
MarkHistogram(Tfmd__Histogram *histogram, bool exact)
{
	if (!exact)
		histogram->name = pstrdup("approximate: rank error at most 0.5 %");
}

static double
StandardDeviation(double variance)
{
	/* TFDV takes a variance that is not a number, or beyond any number, for 0 */
	return variance > 0 && isfinite(variance) ? sqrt(variance) : 0;
}

/* ---- presence and valency ---- */

static Tfmd__WeightedCommonStatistics *
MakeWeightedCommonStats(const FmPresence *presence, double total)
{
	Tfmd__WeightedCommonStatistics *common = FM_NEW(Tfmd__WeightedCommonStatistics, tfmd__weighted_common_statistics);

	common->num_non_missing = presence->weighted_num_non_missing;
	common->num_missing = presence->weighted_num_missing;
	common->tot_num_values = total;
	if (presence->weighted_num_non_missing != 0)
		common->avg_num_values = total / presence->weighted_num_non_missing;
	return common;
}

static Tfmd__PresenceAndValencyStatistics *
MakePresenceAndValency(const FmPresence *presence)
{
	Tfmd__PresenceAndValencyStatistics *stats =
		FM_NEW(Tfmd__PresenceAndValencyStatistics, tfmd__presence_and_valency_statistics);

	stats->num_missing = presence->num_missing;
	stats->num_non_missing = presence->num_non_missing;
	if (presence->num_non_missing > 0)
	{
		stats->min_num_values = presence->min_num_values;
		stats->max_num_values = presence->max_num_values;
		stats->tot_num_values = presence->tot_num_values;
	}
	return stats;
}

static Tfmd__CommonStatistics *
MakeCommonStats(const FmFeatureInfo *info, const Scope *scope)
{
	Tfmd__CommonStatistics *common = FM_NEW(Tfmd__CommonStatistics, tfmd__common_statistics);
	const FmPresence *presence = &info->common;

	common->num_non_missing = presence->num_non_missing;
	common->num_missing = presence->num_missing;
	common->tot_num_values = presence->tot_num_values;
	if (presence->num_non_missing > 0)
	{
		FmEntries lengths;
		FmBoundaries boundaries;

		common->min_num_values = presence->min_num_values;
		common->max_num_values = presence->max_num_values;
		common->avg_num_values = (double) presence->tot_num_values / presence->num_non_missing;

		if (scope->complete)
		{
			fm_feature_list_lengths(info->feature, 0, &lengths);
			boundaries = Boundaries(&lengths, scope->options->num_values_histogram_buckets);
			common->num_values_histogram = fm_quantiles_histogram(&boundaries);
			MarkHistogram(common->num_values_histogram, lengths.exact);
		}
	}
	if (scope->weighted)
		common->weighted_common_stats = MakeWeightedCommonStats(presence, presence->weighted_tot_num_values);

	for (int i = 0; i < info->num_levels && info->num_levels > 1; i++)
	{
		const FmPresence *level = &info->levels[i];

		FM_APPEND(common->n_presence_and_valency_stats, common->presence_and_valency_stats,
				  MakePresenceAndValency(level));
		if (scope->weighted)
		{
			Tfmd__WeightedCommonStatistics *weighted = MakeWeightedCommonStats(level, level->weighted_tot_num_values);

			/* of a level TFDV gives no average by a negative weight, of a column it does */
			if (level->weighted_num_non_missing < 0)
				weighted->avg_num_values = 0;
			FM_APPEND(common->n_weighted_presence_and_valency_stats, common->weighted_presence_and_valency_stats,
					  weighted);
		}
	}
	return common;
}

/*
 * The lengths of the lists inside lists, as TFDV has them: custom statistics, from the second level on
 */
static void
AddListLengthStats(Tfmd__FeatureNameStatistics *feature, const FmFeatureInfo *info, const Scope *scope)
{
	for (int level = 1; level < info->num_levels && scope->complete; level++)
	{
		FmEntries lengths;
		FmBoundaries boundaries;
		FmFiniteRange range = {0};
		Tfmd__Histogram *histogram;

		fm_feature_list_lengths(info->feature, level + 1, &lengths);
		boundaries = Boundaries(&lengths, scope->options->num_values_histogram_buckets);
		histogram = fm_quantiles_histogram(&boundaries);
		MarkHistogram(histogram, lengths.exact);
		fm_add_custom_histogram(feature, psprintf("level_%d_value_list_length_quantiles", level + 1), histogram);

		range.min = info->levels[level].min_num_values;
		range.max = info->levels[level].max_num_values;
		histogram = fm_standard_histogram(&boundaries, &range, scope->options->num_values_histogram_buckets);
		MarkHistogram(histogram, lengths.exact);
		fm_add_custom_histogram(feature, psprintf("level_%d_value_list_length_standard", level + 1), histogram);
	}
}

/* ---- numbers ---- */

/*
 * The smallest and largest finite value, and the weight of +inf
 *
 * The sketch knows the extremes, infinities included; the finite ones are then those of the entries.
 */
static FmFiniteRange
FiniteRange(const FmNumberSummary *numbers, const FmEntries *entries, const FmEntries *weighted_entries)
{
	FmFiniteRange range = {INFINITY, -INFINITY, 0};

	for (int i = 0; i < entries->num_entries; i++)
	{
		if (!isfinite(entries->values[i]))
			continue;
		range.min = Min(range.min, entries->values[i]);
		range.max = Max(range.max, entries->values[i]);
	}
	if (isfinite(numbers->min))
		range.min = numbers->min;
	if (isfinite(numbers->max))
		range.max = numbers->max;

	for (int i = 0; i < weighted_entries->num_entries; i++)
	{
		if (weighted_entries->values[i] == INFINITY)
			range.positive_infinity += weighted_entries->weights[i];
	}
	return range;
}

/*
 * Median and both histograms. by_weight: of the weighted entries.
 */
static void
MakeHistograms(const FmFeatureInfo *info, const FmNumberSummary *numbers, bool by_weight, const Scope *scope,
			   double *median, size_t *n_histograms, Tfmd__Histogram ***histograms)
{
	FmEntries entries;
	FmEntries weighted_entries;
	FmBoundaries boundaries;
	FmBoundaries quantiles;
	FmFiniteRange range;
	Tfmd__Histogram *standard;
	Tfmd__Histogram *quantiles_histogram;

	fm_feature_quantile_entries(info->feature, false, &entries);
	if (by_weight)
		fm_feature_quantile_entries(info->feature, true, &weighted_entries);
	else
		weighted_entries = entries;

	boundaries = Boundaries(&weighted_entries, FM_QUANTILES_FACTOR * scope->options->num_quantiles_histogram_buckets);
	if (boundaries.n == 0)
		return;
	if (!weighted_entries.exact)
	{
		/* the sketch of a distribution may have lost its ends, which are known */
		boundaries.value[0] = numbers->min;
		boundaries.value[boundaries.n - 1] = numbers->max;
	}
	*median = fm_boundaries_median(&boundaries);

	range = FiniteRange(numbers, &entries, &weighted_entries);
	standard = fm_standard_histogram(&boundaries, &range, scope->options->num_histogram_buckets);
	standard->num_nan = numbers->num_nan;
	MarkHistogram(standard, weighted_entries.exact);
	FM_APPEND(*n_histograms, *histograms, standard);

	quantiles = fm_rebin_boundaries(&boundaries, FM_QUANTILES_FACTOR);
	quantiles_histogram = fm_quantiles_histogram(&quantiles);
	quantiles_histogram->num_nan = numbers->num_nan;
	MarkHistogram(quantiles_histogram, weighted_entries.exact);
	FM_APPEND(*n_histograms, *histograms, quantiles_histogram);
}

/*
 * A histogram that says only how many values are not numbers
 */
static Tfmd__Histogram *
NanHistogram(Tfmd__Histogram__HistogramType type, uint64 num_nan)
{
	Tfmd__Histogram *histogram = FM_NEW(Tfmd__Histogram, tfmd__histogram);

	histogram->type = type;
	histogram->num_nan = num_nan;
	return histogram;
}

static Tfmd__NumericStatistics *
MakeNumericStats(const FmFeatureInfo *info, const Scope *scope)
{
	Tfmd__NumericStatistics *stats = FM_NEW(Tfmd__NumericStatistics, tfmd__numeric_statistics);
	FmNumberSummary numbers;

	stats->common_stats = MakeCommonStats(info, scope);
	fm_feature_numbers(info->feature, &numbers);
	if (numbers.count == 0)
	{
		if (numbers.num_nan > 0)
		{
			FM_APPEND(stats->n_histograms, stats->histograms,
					  NanHistogram(TFMD__HISTOGRAM__HISTOGRAM_TYPE__STANDARD, numbers.num_nan));
			FM_APPEND(stats->n_histograms, stats->histograms,
					  NanHistogram(TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES, numbers.num_nan));
		}
		return stats;
	}

	stats->mean = numbers.mean;
	stats->std_dev = StandardDeviation(numbers.variance);
	stats->num_zeros = numbers.num_zeros;
	stats->min = numbers.min;
	stats->max = numbers.max;
	stats->median = NAN;
	if (scope->complete)
		MakeHistograms(info, &numbers, false, scope, &stats->median, &stats->n_histograms, &stats->histograms);

	if (scope->weighted)
	{
		Tfmd__WeightedNumericStatistics *by_weight =
			FM_NEW(Tfmd__WeightedNumericStatistics, tfmd__weighted_numeric_statistics);

		by_weight->mean = numbers.weighted_mean;
		by_weight->std_dev = StandardDeviation(numbers.weighted_variance);
		if (scope->complete)
			MakeHistograms(info, &numbers, true, scope, &by_weight->median, &by_weight->n_histograms,
						   &by_weight->histograms);
		stats->weighted_numeric_stats = by_weight;
	}
	return stats;
}

/* ---- strings ---- */

/*
 * Top values and rank histogram, from the most frequent value down to the threshold
 */
static Tfmd__RankHistogram *
MakeRankHistogram(const FmFrequentValues *frequent, bool by_weight, double threshold,
				  const FmStatisticsOptions *options, size_t *n_top_values,
				  Tfmd__StringStatistics__FreqAndValue ***top_values)
{
	Tfmd__RankHistogram *histogram = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
	int limit = Min(frequent->num_values, Max(options->num_top_values, options->num_rank_histogram_buckets));

	for (int i = 0; i < limit; i++)
	{
		const FmFrequentValue *value = &frequent->values[i];
		double count = by_weight ? value->weighted_count : (double) value->count;
		char *label;

		if (count < threshold)
			break;
		label = pnstrdup(value->value, value->size);
		if (i < options->num_top_values)
		{
			Tfmd__StringStatistics__FreqAndValue *top =
				FM_NEW(Tfmd__StringStatistics__FreqAndValue, tfmd__string_statistics__freq_and_value);

			top->value = label;
			top->frequency = count;
			FM_APPEND(*n_top_values, *top_values, top);
		}
		if (i < options->num_rank_histogram_buckets)
		{
			fm_add_rank_bucket(histogram, label, count);
			histogram->buckets[i]->low_rank = i;
			histogram->buckets[i]->high_rank = i;
		}
	}
	/* with no value above the threshold there is none */
	return histogram->n_buckets > 0 ? histogram : NULL;
}

/*
 * unique, top values and rank histogram
 */
static void
AddValueStats(Tfmd__StringStatistics *stats, const FmFeatureInfo *info, const Scope *scope)
{
	FmFrequentValues frequent;
	bool exact_distinct;
	double distinct = fm_feature_distinct(info->feature, &exact_distinct);

	fm_feature_frequent_values(info->feature, false, &frequent);
	if (distinct == 0)
		return;

	stats->unique = (uint64) rint(distinct);
	stats->rank_histogram = MakeRankHistogram(&frequent, false, scope->options->frequency_threshold, scope->options,
											  &stats->n_top_values, &stats->top_values);
	/*
	 * An estimate is marked in a field that TensorFlow's tools leave alone; also where none of many values is
	 * frequent enough to be known
	 */
	if (!(frequent.exact && exact_distinct))
	{
		if (stats->rank_histogram == NULL)
			stats->rank_histogram = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
		stats->rank_histogram->name =
			psprintf("approximate: counts up to " UINT64_FORMAT " too low, unique %s", frequent.max_error,
					 exact_distinct ? "exact" : "within 0.8 % (standard error)");
	}

	if (scope->weighted)
	{
		Tfmd__WeightedStringStatistics *by_weight =
			FM_NEW(Tfmd__WeightedStringStatistics, tfmd__weighted_string_statistics);

		fm_feature_frequent_values(info->feature, true, &frequent);
		by_weight->rank_histogram = MakeRankHistogram(&frequent, true, scope->options->weighted_frequency_threshold,
													  scope->options, &by_weight->n_top_values, &by_weight->top_values);
		if (by_weight->rank_histogram != NULL && !frequent.exact)
			by_weight->rank_histogram->name =
				psprintf("approximate: weights up to %g too low", frequent.weighted_max_error);
		stats->weighted_string_stats = by_weight;
	}
}

static Tfmd__StringStatistics *
MakeStringStats(const FmFeatureInfo *info, const Scope *scope, bool with_values)
{
	Tfmd__StringStatistics *stats = FM_NEW(Tfmd__StringStatistics, tfmd__string_statistics);
	FmStringSummary strings;

	stats->common_stats = MakeCommonStats(info, scope);
	fm_feature_strings(info->feature, &strings);
	/* nulls inside lists are values here, of no length */
	if (info->common.tot_num_values > 0)
		stats->avg_length = (double) strings.tot_num_bytes / info->common.tot_num_values;
	stats->invalid_utf8_count = strings.num_invalid_utf8;
	if (with_values && scope->complete)
		AddValueStats(stats, info, scope);
	return stats;
}

static Tfmd__BytesStatistics *
MakeBytesStats(const FmFeatureInfo *info, const Scope *scope)
{
	Tfmd__BytesStatistics *stats = FM_NEW(Tfmd__BytesStatistics, tfmd__bytes_statistics);
	FmStringSummary strings;

	stats->common_stats = MakeCommonStats(info, scope);
	fm_feature_strings(info->feature, &strings);
	if (info->common.tot_num_values > 0)
	{
		stats->avg_num_bytes = (double) strings.tot_num_bytes / info->common.tot_num_values;
		/* a null inside a list is a value of no bytes here */
		stats->min_num_bytes = strings.num_null_values > 0 ? 0 : strings.min_num_bytes;
		stats->max_num_bytes = strings.max_num_bytes;
		stats->max_num_bytes_int = strings.max_num_bytes;
	}
	return stats;
}

/* ---- the whole ---- */

/*
 * Dates and times are numbers here; a custom statistic tells infer_schema which domain they have
 */
static const char *
TimeDomain(FmLogicalType type)
{
	switch (type)
	{
		case FM_DATE:
			return "time_domain { integer_format: UNIX_DAYS }";
		case FM_TIMESTAMP:
		case FM_TIMESTAMPTZ:
			return "time_domain { integer_format: UNIX_MICROSECONDS }";
		case FM_TIME:
			/* microseconds since midnight, for which the schema has no name: no format */
			return "time_of_day_domain { }";
		default:
			return NULL;
	}
}

static Tfmd__FeatureNameStatistics *
MakeFeatureStats(const FmFeatureInfo *info, const Scope *scope)
{
	Tfmd__FeatureNameStatistics *feature = FM_NEW(Tfmd__FeatureNameStatistics, tfmd__feature_name_statistics);
	FmSchemaHints hints = fm_schema_hints(scope->options->schema, info->steps, info->num_steps);
	const char *domain = TimeDomain(info->logical_type);

	feature->field_id_case = TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH;
	feature->path = fm_make_path((char *const *) info->steps, info->num_steps);

	switch (info->kind)
	{
		case FM_INT:
		case FM_FLOAT:
			feature->type = info->kind == FM_INT ? TFMD__FEATURE_NAME_STATISTICS__TYPE__INT
												 : TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT;
			if (info->kind == FM_INT && hints.is_categorical_int)
			{
				feature->stats_case = TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS;
				feature->string_stats = MakeStringStats(info, scope, true);
			}
			else
			{
				feature->stats_case = TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS;
				feature->num_stats = MakeNumericStats(info, scope);
			}
			break;
		case FM_STRING:
		case FM_BYTES:
			/* bytes are strings, some of them not UTF-8, unless the schema knows better */
			if (hints.is_image)
			{
				feature->type = TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES;
				feature->stats_case = TFMD__FEATURE_NAME_STATISTICS__STATS_BYTES_STATS;
				feature->bytes_stats = MakeBytesStats(info, scope);
			}
			else
			{
				feature->type = TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING;
				feature->stats_case = TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS;
				feature->string_stats = MakeStringStats(info, scope, !hints.is_not_categorical);
			}
			break;
		case FM_STRUCT:
			feature->type = TFMD__FEATURE_NAME_STATISTICS__TYPE__STRUCT;
			feature->stats_case = TFMD__FEATURE_NAME_STATISTICS__STATS_STRUCT_STATS;
			feature->struct_stats = FM_NEW(Tfmd__StructStatistics, tfmd__struct_statistics);
			feature->struct_stats->common_stats = MakeCommonStats(info, scope);
			break;
	}

	AddListLengthStats(feature, info, scope);
	if (domain != NULL)
		fm_add_custom_str(feature, "domain_info", domain);
	return feature;
}

Tfmd__DatasetFeatureStatistics *
fm_statistics_of_sketch(FmSketch *sketch, const FmStatisticsOptions *options)
{
	Tfmd__DatasetFeatureStatistics *dataset = FM_NEW(Tfmd__DatasetFeatureStatistics, tfmd__dataset_feature_statistics);
	Scope scope = {options, fm_sketch_is_weighted(sketch), fm_sketch_is_complete(sketch)};
	FmFeatureInfo *features;
	int num_features;

	dataset->num_examples = fm_sketch_num_examples(sketch);
	if (scope.weighted)
		dataset->weighted_num_examples = fm_sketch_weighted_num_examples(sketch);

	num_features = fm_sketch_features(sketch, &features);
	for (int i = 0; i < num_features; i++)
	{
		CHECK_FOR_INTERRUPTS();
		FM_APPEND(dataset->n_features, dataset->features, MakeFeatureStats(&features[i], &scope));
	}
	return dataset;
}
