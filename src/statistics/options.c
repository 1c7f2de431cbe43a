/*
 * Options of statistics, with StatsOptions' names and defaults
 */
#include "statistics.h"

#include "message/message.h"

/* More buckets than this are no histogram; it keeps a call from filling the memory */
#define MAX_BUCKETS 10000

void
fm_statistics_options_init(FmStatisticsOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->num_top_values = 20;
	options->num_rank_histogram_buckets = 1000;
	options->num_values_histogram_buckets = 10;
	options->num_histogram_buckets = 10;
	options->num_quantiles_histogram_buckets = 10;
	options->frequency_threshold = 1;
	options->weighted_frequency_threshold = 1;
	options->num_feature_allowlist = -1;
	options->sample_rate = 1;
}

static bool
CheckBuckets(const char *name, int value, int min, FmError *error)
{
	if (value < min || value > MAX_BUCKETS)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "%s must be between %d and %d, not %d", name, min,
					   MAX_BUCKETS, value);
	return true;
}

bool
fm_statistics_options_check(const FmStatisticsOptions *options, FmError *error)
{
	if (!CheckBuckets("num_values_histogram_buckets", options->num_values_histogram_buckets, 2, error) ||
		!CheckBuckets("num_histogram_buckets", options->num_histogram_buckets, 1, error) ||
		!CheckBuckets("num_quantiles_histogram_buckets", options->num_quantiles_histogram_buckets, 1, error))
		return false;
	if (options->num_top_values < 0)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "num_top_values must not be negative");
	if (options->num_rank_histogram_buckets < 0)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "num_rank_histogram_buckets must not be negative");
	if (options->frequency_threshold < 0)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "frequency_threshold must not be negative");
	if (!(options->weighted_frequency_threshold >= 0))
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE,
					   "weighted_frequency_threshold must not be negative or NaN");
	return true;
}

Tfmd__DatasetFeatureStatisticsList *
fm_statistics_list(Tfmd__DatasetFeatureStatistics *dataset)
{
	Tfmd__DatasetFeatureStatisticsList *list =
		FM_NEW(Tfmd__DatasetFeatureStatisticsList, tfmd__dataset_feature_statistics_list);

	FM_APPEND(list->n_datasets, list->datasets, dataset);
	return list;
}
