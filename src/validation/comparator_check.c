/*
 * Drift against earlier data and skew against serving data
 */
#include "fm_core.h"
#include "validation/checks.h"

#include "drift/distance.h"

typedef Tfmd__DriftSkewInfo__Measurement Measurement;

/* One comparator at work: its two sides, and where its findings go */
typedef struct Comparison
{
	const FmCheck *check;
	const FmFeatureView *treatment;
	const FmFeatureView *control;
	const char *treatment_name;
	const char *control_name;
	FmFrequencies treatment_values;
	FmFrequencies control_values;
	FmReasons *reasons;
	size_t *n_measurements;
	Measurement ***measurements;
} Comparison;

static const Tfmd__RankHistogram *
values_of(const FmFeatureView *view)
{
	const Tfmd__StringStatistics *strings = view->statistics->string_stats;

	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
		return NULL;
	if (!view->dataset->by_weight)
		return strings->rank_histogram;
	return strings->weighted_string_stats == NULL ? NULL : strings->weighted_string_stats->rank_histogram;
}

static const Tfmd__Histogram *
histogram_of(const FmFeatureView *view, Tfmd__Histogram__HistogramType type)
{
	const Tfmd__NumericStatistics *numbers = view->statistics->num_stats;
	Tfmd__Histogram **histograms;
	size_t n;
	size_t i;

	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
		return NULL;
	histograms = numbers->histograms;
	n = numbers->n_histograms;
	if (view->dataset->by_weight)
	{
		if (numbers->weighted_numeric_stats == NULL)
			return NULL;
		histograms = numbers->weighted_numeric_stats->histograms;
		n = numbers->weighted_numeric_stats->n_histograms;
	}
	for (i = 0; i < n; i++)
		if (histograms[i]->type == type)
			return histograms[i];
	return NULL;
}

/* Notes a measurement, anomaly or not */
static void
measure(Comparison *comparison, Tfmd__DriftSkewInfo__Measurement__Type type, double value, double threshold)
{
	Measurement *measurement = FM_NEW(Measurement, tfmd__drift_skew_info__measurement);

	measurement->has_type = true;
	measurement->type = type;
	measurement->has_value = true;
	measurement->value = value;
	measurement->has_threshold = true;
	measurement->threshold = threshold;
	FM_APPEND(*comparison->n_measurements, *comparison->measurements, measurement);
}

static void
compare_infinity_norm(Comparison *comparison, const Tfmd__InfinityNorm *norm)
{
	const char *value;
	double distance;

	if (norm == NULL || !norm->has_threshold)
		return;
	distance = fm_l_infinity_distance(&comparison->treatment_values, &comparison->control_values, &value);
	measure(comparison, TFMD__DRIFT_SKEW_INFO__MEASUREMENT__TYPE__L_INFTY, distance, norm->threshold);
	if (!(distance <= norm->threshold))
		fm_add_reason(
			comparison->reasons, TFMD__ANOMALY_INFO__TYPE__COMPARATOR_L_INFTY_HIGH,
			psprintf("High Linfty distance between %s and %s", comparison->treatment_name, comparison->control_name),
			"The L-infinity distance between %s and %s data is %g (up to six significant digits), above the "
			"threshold %g. The share of this value changed most: %s",
			comparison->treatment_name, comparison->control_name, distance, norm->threshold, value);
}

static void
compare_normalized_difference(Comparison *comparison, const Tfmd__NormalizedAbsoluteDifference *difference)
{
	const char *value;
	double distance;

	if (difference == NULL || !difference->has_threshold)
		return;
	distance = fm_normalized_absolute_difference(&comparison->treatment_values, &comparison->control_values, &value);
	measure(comparison, TFMD__DRIFT_SKEW_INFO__MEASUREMENT__TYPE__NORMALIZED_ABSOLUTE_DIFFERENCE, distance,
			difference->threshold);
	if (!(distance <= difference->threshold))
		fm_add_reason(comparison->reasons, TFMD__ANOMALY_INFO__TYPE__COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH,
					  psprintf("High normalized absolute difference between %s and %s", comparison->treatment_name,
							   comparison->control_name),
					  "The normalized absolute difference between %s and %s data is %g (up to six significant digits), "
					  "above the threshold %g. The count of this value changed most: %s",
					  comparison->treatment_name, comparison->control_name, distance, difference->threshold, value);
}

static bool
compare_jensen_shannon(Comparison *comparison, const Tfmd__JensenShannonDivergence *divergence)
{
	double value;
	bool defined;

	if (divergence == NULL || !divergence->has_threshold)
		return true;
	if (comparison->treatment_values.n > 0 && comparison->control_values.n > 0)
		defined = fm_jensen_shannon_of_values(&comparison->treatment_values, &comparison->control_values, &value);
	else
	{
		bool quantiles = divergence->source != NULL && divergence->source->has_type &&
						 divergence->source->type == TFMD__HISTOGRAM_SELECTION__TYPE__QUANTILES;
		Tfmd__Histogram__HistogramType type =
			quantiles ? TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES : TFMD__HISTOGRAM__HISTOGRAM_TYPE__STANDARD;
		const Tfmd__Histogram *treatment = histogram_of(comparison->treatment, type);
		const Tfmd__Histogram *control = histogram_of(comparison->control, type);

		defined = treatment != NULL && control != NULL &&
				  fm_jensen_shannon_of_histograms(treatment, control, &value, comparison->check->error);
		if (comparison->check->error->sqlstate != 0)
			return false;
	}
	if (!defined)
		return true;
	measure(comparison, TFMD__DRIFT_SKEW_INFO__MEASUREMENT__TYPE__JENSEN_SHANNON_DIVERGENCE, value,
			divergence->threshold);
	if (value > divergence->threshold)
		fm_add_reason(comparison->reasons, TFMD__ANOMALY_INFO__TYPE__COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH,
					  psprintf("High approximate Jensen-Shannon divergence between %s and %s",
							   comparison->treatment_name, comparison->control_name),
					  "The approximate Jensen-Shannon divergence between %s and %s data is %g (up to six significant "
					  "digits), above the threshold %g.",
					  comparison->treatment_name, comparison->control_name, value, divergence->threshold);
	return true;
}

static bool
has_threshold(const Tfmd__FeatureComparator *comparator)
{
	return (comparator->infinity_norm != NULL && comparator->infinity_norm->has_threshold) ||
		   (comparator->jensen_shannon_divergence != NULL && comparator->jensen_shannon_divergence->has_threshold) ||
		   (comparator->normalized_abs_difference != NULL && comparator->normalized_abs_difference->has_threshold);
}

/*
 * The feature in the control data. One that is there by path without any statistics counts as there, with nothing in
 * it; fm_view_find does not see it.
 */
static const FmFeatureView *
find_control(const FmStatisticsView *control, const FmPath *path)
{
	const FmFeatureView *found = fm_view_find(control, path);
	size_t i;

	for (i = 0; found == NULL && i < control->dataset->n_features; i++)
	{
		const Tfmd__FeatureNameStatistics *statistics = control->dataset->features[i];
		FmPath candidate;

		if (statistics->field_id_case != TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH ||
			statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS__NOT_SET || statistics->n_custom_stats > 0)
			continue;
		candidate = fm_path_from_message(statistics->path);
		if (fm_path_equal(&candidate, path))
		{
			FmFeatureView *view = palloc0(sizeof(FmFeatureView));

			view->dataset = control;
			view->statistics = statistics;
			view->path = candidate;
			found = view;
		}
	}
	return found;
}

static bool
compare(Comparison *comparison, const Tfmd__FeatureComparator *comparator, const FmStatisticsView *control)
{
	if (comparator == NULL || control == NULL || !has_threshold(comparator))
		return true;
	comparison->control = find_control(control, &comparison->treatment->path);
	if (comparison->control == NULL)
	{
		fm_add_reason(comparison->reasons, TFMD__ANOMALY_INFO__TYPE__COMPARATOR_CONTROL_DATA_MISSING,
					  psprintf("%s data missing", comparison->control_name),
					  "The %s data has no such feature, so there is nothing to compare with. Compare with data that "
					  "has it, or remove the comparator.",
					  comparison->control_name);
		return true;
	}
	comparison->treatment_values = fm_frequencies_from_rank_histogram(values_of(comparison->treatment));
	comparison->control_values = fm_frequencies_from_rank_histogram(values_of(comparison->control));
	compare_infinity_norm(comparison, comparator->infinity_norm);
	compare_normalized_difference(comparison, comparator->normalized_abs_difference);
	return compare_jensen_shannon(comparison, comparator->jensen_shannon_divergence);
}

bool
fm_check_comparators(const FmCheck *check, const FmFeatureView *view, const Tfmd__Feature *feature, FmReasons *reasons,
					 Tfmd__DriftSkewInfo **drift)
{
	Tfmd__DriftSkewInfo *info;
	Comparison comparison = {0};

	if (feature->drift_comparator == NULL && feature->skew_comparator == NULL)
		return true;
	info = FM_NEW(Tfmd__DriftSkewInfo, tfmd__drift_skew_info);
	comparison.check = check;
	comparison.treatment = view;
	comparison.reasons = reasons;

	comparison.treatment_name = "current";
	comparison.control_name = "previous";
	comparison.n_measurements = &info->n_drift_measurements;
	comparison.measurements = &info->drift_measurements;
	if (!compare(&comparison, feature->drift_comparator, check->previous))
		return false;

	comparison.treatment_name = "training";
	comparison.control_name = "serving";
	comparison.n_measurements = &info->n_skew_measurements;
	comparison.measurements = &info->skew_measurements;
	if (!compare(&comparison, feature->skew_comparator, check->serving))
		return false;

	if (info->n_drift_measurements > 0 || info->n_skew_measurements > 0)
	{
		info->path = fm_path_to_message(&view->path);
		*drift = info;
	}
	return true;
}
