/*
 * Statistics as a tree of features (see statistics_view.h)
 */
#include "fm_core.h"
#include "schema/statistics_view.h"

#include <math.h>

static const Tfmd__CommonStatistics *
common_of(const Tfmd__FeatureNameStatistics *statistics)
{
	static const Tfmd__CommonStatistics nothing = TFMD__COMMON_STATISTICS__INIT;
	const Tfmd__CommonStatistics *common = NULL;

	switch (statistics->stats_case)
	{
		case TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS:
			common = statistics->num_stats->common_stats;
			break;
		case TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS:
			common = statistics->string_stats->common_stats;
			break;
		case TFMD__FEATURE_NAME_STATISTICS__STATS_BYTES_STATS:
			common = statistics->bytes_stats->common_stats;
			break;
		case TFMD__FEATURE_NAME_STATISTICS__STATS_STRUCT_STATS:
			common = statistics->struct_stats->common_stats;
			break;
		default:
			return NULL;
	}
	return common ? common : &nothing;
}

static bool
is_empty(const Tfmd__FeatureNameStatistics *statistics)
{
	return statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS__NOT_SET && statistics->n_custom_stats == 0;
}

bool
fm_dataset_is_weighted(const Tfmd__DatasetFeatureStatistics *dataset)
{
	size_t i;

	if (dataset->weighted_num_examples == 0)
		return false;
	for (i = 0; i < dataset->n_features; i++)
	{
		const Tfmd__CommonStatistics *common = common_of(dataset->features[i]);

		if (common == NULL)
			continue;
		if (common->weighted_common_stats == NULL ||
			common->n_presence_and_valency_stats != common->n_weighted_presence_and_valency_stats)
			return false;
	}
	return true;
}

static const char *
name_of(const FmFeatureView *feature)
{
	return feature->statistics->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_NAME
			   ? feature->statistics->name
			   : "";
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(name_of(*(FmFeatureView *const *) a), name_of(*(FmFeatureView *const *) b));
}

static int
compare_paths(const void *a, const void *b)
{
	return fm_path_compare(&(*(FmFeatureView *const *) a)->path, &(*(FmFeatureView *const *) b)->path);
}

static void
add_child(FmFeatureView *parent, FmFeatureView *child)
{
	child->parent = parent;
	FM_APPEND(parent->n_children, parent->children, child);
}

/*
 * By name: a struct's name followed by any one character begins its children's names ("trip.fare")
 */
static void
connect_names(FmStatisticsView *view)
{
	FmFeatureView *ancestor = NULL;
	int i;

	qsort(view->sorted, view->n_features, sizeof(FmFeatureView *), compare_names);
	for (i = 0; i < view->n_features; i++)
	{
		FmFeatureView *feature = view->sorted[i];
		const char *name = name_of(feature);

		while (ancestor != NULL)
		{
			size_t length = strlen(name_of(ancestor));

			if (length < strlen(name) && strncmp(name, name_of(ancestor), length) == 0)
				break;
			ancestor = ancestor->parent;
		}
		if (ancestor != NULL)
		{
			feature->path = fm_path_child(&ancestor->path, name + strlen(name_of(ancestor)) + 1);
			add_child(ancestor, feature);
		}
		else
			feature->path = fm_path_child(NULL, name);
		if (feature->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__STRUCT)
			ancestor = feature;
	}
}

static void
connect_paths(FmStatisticsView *view)
{
	int i;

	for (i = 0; i < view->n_features; i++)
		view->features[i].path = fm_path_from_message(view->features[i].statistics->path);
	qsort(view->sorted, view->n_features, sizeof(FmFeatureView *), compare_paths);
	for (i = 0; i < view->n_features; i++)
	{
		FmPath parent_path = {view->sorted[i]->path.n_step - 1, view->sorted[i]->path.step};
		FmFeatureView *parent = parent_path.n_step > 0 ? fm_view_find(view, &parent_path) : NULL;

		if (parent != NULL)
			add_child(parent, view->sorted[i]);
	}
}

FmStatisticsView *
fm_statistics_view(const Tfmd__DatasetFeatureStatistics *dataset, bool by_weight, FmError *error)
{
	FmStatisticsView *view = palloc0(sizeof(FmStatisticsView));
	size_t n_paths = 0;
	size_t n_named = 0;
	size_t i;

	view->dataset = dataset;
	view->by_weight = by_weight;
	view->features = palloc0(sizeof(FmFeatureView) * (dataset->n_features + 1));
	view->sorted = palloc0(sizeof(FmFeatureView *) * (dataset->n_features + 1));
	for (i = 0; i < dataset->n_features; i++)
	{
		const Tfmd__FeatureNameStatistics *statistics = dataset->features[i];
		FmFeatureView *feature;

		if (statistics->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH)
		{
			n_paths++;
			if (statistics->path->n_step == 0)
			{
				fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "statistics of a feature without name or path");
				return NULL;
			}
		}
		else
			n_named++;
		if (is_empty(statistics))
			continue;
		feature = &view->features[view->n_features];
		feature->dataset = view;
		feature->statistics = statistics;
		feature->common = common_of(statistics);
		view->sorted[view->n_features++] = feature;
	}
	if (n_paths > 0 && n_named > 0)
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE,
				"some features of the statistics have a name and others have a path");
		fm_fail_hint(error, "Address all features of a data set in the same way.");
		return NULL;
	}
	if (n_paths > 0)
		connect_paths(view);
	else
		connect_names(view);
	for (i = 1; i < (size_t) view->n_features; i++)
	{
		const FmFeatureView *a = view->sorted[i - 1];
		const FmFeatureView *b = view->sorted[i];

		if (n_paths > 0 ? fm_path_equal(&a->path, &b->path) : strcmp(name_of(a), name_of(b)) == 0)
		{
			fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "feature \"%s\" occurs twice in the statistics",
					fm_path_serialize(&a->path));
			return NULL;
		}
	}
	if (n_paths == 0)
		qsort(view->sorted, view->n_features, sizeof(FmFeatureView *), compare_paths);
	return view;
}

FmFeatureView *
fm_view_find(const FmStatisticsView *view, const FmPath *path)
{
	int low = 0;
	int high = view->n_features;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = fm_path_compare(&view->sorted[middle]->path, path);

		if (order == 0)
			return view->sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

double
fm_view_num_examples(const FmStatisticsView *view)
{
	return view->by_weight ? view->dataset->weighted_num_examples : (double) view->dataset->num_examples;
}

double
fm_view_num_present(const FmFeatureView *feature)
{
	const Tfmd__CommonStatistics *common = feature->common;

	if (feature->dataset->by_weight)
		return common->weighted_common_stats ? common->weighted_common_stats->num_non_missing : 0;
	return (double) common->num_non_missing;
}

double
fm_view_num_missing(const FmFeatureView *feature)
{
	const Tfmd__CommonStatistics *common = feature->common;

	if (feature->dataset->by_weight)
		return common->weighted_common_stats ? common->weighted_common_stats->num_missing : 0;
	return (double) common->num_missing;
}

double
fm_view_total_values(const FmFeatureView *feature)
{
	const Tfmd__CommonStatistics *common = feature->common;

	if (feature->dataset->by_weight)
		return common->weighted_common_stats ? common->weighted_common_stats->tot_num_values : 0;
	/* old statistics have no total; the average is a float and so is the product */
	if (common->tot_num_values == 0)
		return (float) common->num_non_missing * common->avg_num_values;
	return (double) common->tot_num_values;
}

bool
fm_view_fraction_present(const FmFeatureView *feature, double *fraction)
{
	double num_examples = fm_view_num_examples(feature->dataset);

	if (!(num_examples > 0))
		return false;
	*fraction = fm_view_num_missing(feature) == 0 ? 1.0 : fm_view_num_present(feature) / num_examples;
	return true;
}

int
fm_view_n_levels(const FmFeatureView *feature)
{
	return Max((int) feature->common->n_presence_and_valency_stats, 1);
}

FmLengthRange
fm_view_length_range(const FmFeatureView *feature, int level)
{
	const Tfmd__CommonStatistics *common = feature->common;
	FmLengthRange range;

	if (common->n_presence_and_valency_stats > 0)
	{
		range.min = Max((int) common->presence_and_valency_stats[level]->min_num_values, 0);
		range.max = (int) common->presence_and_valency_stats[level]->max_num_values;
	}
	else
	{
		range.min = Max((int) common->min_num_values, 0);
		range.max = (int) common->max_num_values;
	}
	return range;
}

int
fm_view_n_missing_levels(const FmFeatureView *feature)
{
	size_t n = feature->dataset->by_weight ? feature->common->n_weighted_presence_and_valency_stats
										   : feature->common->n_presence_and_valency_stats;

	return Max((int) n, 1);
}

double
fm_view_missing_at_level(const FmFeatureView *feature, int level)
{
	const Tfmd__CommonStatistics *common = feature->common;

	if (feature->dataset->by_weight)
		return common->n_weighted_presence_and_valency_stats > 0
				   ? common->weighted_presence_and_valency_stats[level]->num_missing
				   : fm_view_num_missing(feature);
	return common->n_presence_and_valency_stats > 0 ? (double) common->presence_and_valency_stats[level]->num_missing
													: fm_view_num_missing(feature);
}

typedef struct IndexedValue
{
	FmValueCount value;
	size_t index;
} IndexedValue;

static int
compare_values(const void *a, const void *b)
{
	const IndexedValue *x = a;
	const IndexedValue *y = b;
	int order = strcmp(x->value.value, y->value.value);

	return order != 0 ? order : (x->index < y->index ? -1 : 1);
}

FmValueCount *
fm_view_string_values(const FmFeatureView *feature, int *n)
{
	const Tfmd__StringStatistics *strings;
	const Tfmd__RankHistogram *histogram = NULL;
	IndexedValue *values;
	FmValueCount *result;
	size_t i;

	*n = 0;
	if (feature->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
	{
		strings = feature->statistics->string_stats;
		if (!feature->dataset->by_weight)
			histogram = strings->rank_histogram;
		else if (strings->weighted_string_stats != NULL)
			histogram = strings->weighted_string_stats->rank_histogram;
	}
	if (histogram == NULL || histogram->n_buckets == 0)
		return NULL;
	values = palloc(sizeof(IndexedValue) * histogram->n_buckets);
	for (i = 0; i < histogram->n_buckets; i++)
	{
		values[i].value.value = histogram->buckets[i]->label;
		values[i].value.count = histogram->buckets[i]->sample_count;
		values[i].index = i;
	}
	qsort(values, histogram->n_buckets, sizeof(IndexedValue), compare_values);
	result = palloc(sizeof(FmValueCount) * histogram->n_buckets);
	for (i = 0; i < histogram->n_buckets; i++)
		if (i == 0 || strcmp(values[i].value.value, values[i - 1].value.value) != 0)
			result[(*n)++] = values[i].value;
	pfree(values);
	return result;
}

bool
fm_view_has_invalid_utf8(const FmFeatureView *feature)
{
	return feature->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS &&
		   feature->statistics->string_stats->invalid_utf8_count > 0;
}

double
fm_view_min(const FmFeatureView *feature)
{
	return feature->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS
			   ? feature->statistics->num_stats->min
			   : 0;
}

double
fm_view_max(const FmFeatureView *feature)
{
	return feature->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS
			   ? feature->statistics->num_stats->max
			   : 0;
}

Tfmd__FeatureType
fm_view_type(const FmFeatureView *feature)
{
	switch ((int) feature->statistics->type)
	{
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES:
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING:
			return TFMD__FEATURE_TYPE__BYTES;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__INT:
			return TFMD__FEATURE_TYPE__INT;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT:
			return TFMD__FEATURE_TYPE__FLOAT;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRUCT:
			return TFMD__FEATURE_TYPE__STRUCT;
		default:
			return TFMD__FEATURE_TYPE__TYPE_UNKNOWN;
	}
}

const Tfmd__CustomStatistic *
fm_view_custom(const FmFeatureView *feature, const char *name)
{
	size_t i;

	for (i = 0; i < feature->statistics->n_custom_stats; i++)
		if (strcmp(feature->statistics->custom_stats[i]->name, name) == 0)
			return feature->statistics->custom_stats[i];
	return NULL;
}

double
fm_custom_number(const Tfmd__CustomStatistic *statistic)
{
	return statistic->val_case == TFMD__CUSTOM_STATISTIC__VAL_NUM ? statistic->num : 0;
}

float
fm_supported_image_fraction(const Tfmd__CustomStatistic *formats)
{
	/* in floats, as TFDV adds */
	float supported = 0;
	float unsupported = 0;
	size_t i;

	for (i = 0;
		 formats->val_case == TFMD__CUSTOM_STATISTIC__VAL_RANK_HISTOGRAM && i < formats->rank_histogram->n_buckets; i++)
	{
		const Tfmd__RankHistogram__Bucket *bucket = formats->rank_histogram->buckets[i];

		if (strcmp(bucket->label, "UNKNOWN") == 0)
			unsupported += bucket->sample_count;
		else
			supported += bucket->sample_count;
	}
	return supported / (supported + unsupported);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
fm_read_int64(const char *text, int64 *value)
{
	const char *end = text + strlen(text);
	bool negative = false;
	int64 result = 0;

	while (is_blank(*text))
		text++;
	while (end > text && is_blank(end[-1]))
		end--;
	if (text < end && (*text == '-' || *text == '+'))
		negative = *text++ == '-';
	if (text == end)
		return false;
	for (; text < end; text++)
	{
		int digit = *text - '0';

		if (!is_digit(*text))
			return false;
		/* counts down, because the negative side reaches further */
		if (result < (PG_INT64_MIN + digit) / 10)
			return false;
		result = result * 10 - digit;
	}
	if (!negative && result == PG_INT64_MIN)
		return false;
	*value = negative ? result : -result;
	return true;
}

/*
 * Does [text, end) have the form of a decimal floating-point number without sign?
 */
static bool
is_decimal_float(const char *text, const char *end)
{
	int digits = 0;

	for (; text < end && is_digit(*text); text++)
		digits++;
	if (text < end && *text == '.')
		for (text++; text < end && is_digit(*text); text++)
			digits++;
	if (digits == 0)
		return false;
	if (text < end && (*text == 'e' || *text == 'E'))
	{
		text++;
		if (text < end && (*text == '+' || *text == '-'))
			text++;
		if (text == end)
			return false;
		while (text < end && is_digit(*text))
			text++;
	}
	return text == end;
}

/*
 * "nan", or "nan(letters_and_digits)"
 */
static bool
is_nan_text(const char *text, const char *end)
{
	if (end - text < 3 || pg_strncasecmp(text, "nan", 3) != 0)
		return false;
	text += 3;
	if (text == end)
		return true;
	if (*text != '(' || end - text < 2 || end[-1] != ')')
		return false;
	for (text++; text < end - 1; text++)
		if (!is_digit(*text) && *text != '_' && !(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z'))
			return false;
	return true;
}

bool
fm_read_float(const char *text, float *value)
{
	const char *end = text + strlen(text);
	const char *unsigned_part;
	bool negative = false;

	while (is_blank(*text))
		text++;
	while (end > text && is_blank(end[-1]))
		end--;
	if (text < end && (*text == '-' || *text == '+'))
		negative = *text++ == '-';
	unsigned_part = text;
	if ((end - text == 3 && pg_strncasecmp(text, "inf", 3) == 0) ||
		(end - text == 8 && pg_strncasecmp(text, "infinity", 8) == 0))
		*value = negative ? -INFINITY : INFINITY;
	else if (is_nan_text(text, end))
		*value = NAN;
	else if (is_decimal_float(text, end))
	{
		char *copy = pnstrdup(unsigned_part, end - unsigned_part);

		*value = negative ? -strtof(copy, NULL) : strtof(copy, NULL);
		pfree(copy);
	}
	else
		return false;
	return true;
}

int64
fm_double_to_int64(double value)
{
	/* what x86-64 gives for a value that does not fit, NaN too */
	if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0))
		return PG_INT64_MIN;
	return (int64) value;
}
