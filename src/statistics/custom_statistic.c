/*
 * Small builders for statistics messages: custom statistics and the buckets of a rank histogram
 */
#include "custom_statistic.h"

#include "message/message.h"

static Tfmd__CustomStatistic *
AddCustomStatistic(Tfmd__FeatureNameStatistics *feature, const char *name, Tfmd__CustomStatistic__ValCase val_case)
{
	Tfmd__CustomStatistic *statistic = FM_NEW(Tfmd__CustomStatistic, tfmd__custom_statistic);

	statistic->name = pstrdup(name);
	statistic->val_case = val_case;
	FM_APPEND(feature->n_custom_stats, feature->custom_stats, statistic);
	return statistic;
}

void
fm_add_custom_num(Tfmd__FeatureNameStatistics *feature, const char *name, double num)
{
	AddCustomStatistic(feature, name, TFMD__CUSTOM_STATISTIC__VAL_NUM)->num = num;
}

void
fm_add_custom_str(Tfmd__FeatureNameStatistics *feature, const char *name, const char *str)
{
	AddCustomStatistic(feature, name, TFMD__CUSTOM_STATISTIC__VAL_STR)->str = pstrdup(str);
}

void
fm_add_custom_histogram(Tfmd__FeatureNameStatistics *feature, const char *name, Tfmd__Histogram *histogram)
{
	AddCustomStatistic(feature, name, TFMD__CUSTOM_STATISTIC__VAL_HISTOGRAM)->histogram = histogram;
}

void
fm_add_custom_rank_histogram(Tfmd__FeatureNameStatistics *feature, const char *name, Tfmd__RankHistogram *histogram)
{
	AddCustomStatistic(feature, name, TFMD__CUSTOM_STATISTIC__VAL_RANK_HISTOGRAM)->rank_histogram = histogram;
}

void
fm_add_rank_bucket(Tfmd__RankHistogram *histogram, const char *label, double sample_count)
{
	Tfmd__RankHistogram__Bucket *bucket = FM_NEW(Tfmd__RankHistogram__Bucket, tfmd__rank_histogram__bucket);

	bucket->label = pstrdup(label);
	bucket->sample_count = sample_count;
	FM_APPEND(histogram->n_buckets, histogram->buckets, bucket);
}

Tfmd__Path *
fm_make_path(char *const *steps, int num_steps)
{
	Tfmd__Path *path = FM_NEW(Tfmd__Path, tfmd__path);

	for (int i = 0; i < num_steps; i++)
		FM_APPEND(path->n_step, path->step, pstrdup(steps[i]));
	return path;
}
