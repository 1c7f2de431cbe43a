/*
 * Loosening the domain of a feature until the data fit: part of the update engine (update.c)
 */
#include "fm_core.h"
#include "schema/update.h"

#include <math.h>

static void
clear_domain(Tfmd__Feature *feature)
{
	feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
}

/* -- string domains -- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

void
fm_string_domain_add_missing(const FmFeatureView *view, double max_off_domain, Tfmd__StringDomain *domain)
{
	char **known = palloc(sizeof(char *) * (domain->n_value + 1));
	size_t n_known = domain->n_value;
	FmValueCount *values;
	double off_domain = 0;
	int n_missing = 0;
	int n;
	int i;

	if (n_known > 0)
		memcpy(known, domain->value, sizeof(char *) * n_known);
	qsort(known, n_known, sizeof(char *), compare_strings);
	values = fm_view_string_values(view, &n);
	for (i = 0; i < n; i++)
		if (bsearch(&values[i].value, known, n_known, sizeof(char *), compare_strings) == NULL)
		{
			off_domain += values[i].count;
			values[n_missing++] = values[i];
		}
	if (off_domain / fm_view_total_values(view) > max_off_domain || (max_off_domain == 0 && n_missing > 0))
		for (i = 0; i < n_missing; i++)
			FM_APPEND(domain->n_value, domain->value, pstrdup(values[i].value));
}

/*
 * A shared domain that cannot be used is taken from every feature that names it, and from the schema
 */
static void
forget_domain(Tfmd__Feature **features, size_t n_features, const char *name)
{
	size_t i;

	check_stack_depth();
	for (i = 0; i < n_features; i++)
	{
		Tfmd__Feature *feature = features[i];
		const char *domain = feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN ? feature->domain : "";

		if (strcmp(domain, name) == 0)
			clear_domain(feature);
		if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
			forget_domain(feature->struct_domain->feature, feature->struct_domain->n_feature, name);
	}
}

static void
drop_shared_domain(Tfmd__Schema *schema, const char *name)
{
	size_t kept = 0;
	size_t i;

	forget_domain(schema->feature, schema->n_feature, name);
	for (i = 0; i < schema->n_string_domain; i++)
	{
		const char *candidate = schema->string_domain[i]->name ? schema->string_domain[i]->name : "";

		if (strcmp(candidate, name) != 0)
			schema->string_domain[kept++] = schema->string_domain[i];
	}
	schema->n_string_domain = kept;
}

static void
update_string_domain(FmUpdater *updater, const FmFeatureView *view, Tfmd__Feature *feature)
{
	const Tfmd__DistributionConstraints *distribution = feature->distribution_constraints;
	double max_off_domain =
		distribution != NULL && distribution->has_min_domain_mass ? 1.0 - distribution->min_domain_mass : 0.0;

	if (!fm_view_has_invalid_utf8(view))
		fm_string_domain_add_missing(view, max_off_domain, fm_feature_string_domain(updater->schema, feature));
	else if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
		drop_shared_domain(updater->schema, feature->domain);
	else
		clear_domain(feature);
}

/* -- bool domains -- */

static void
to_int_domain(const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__IntDomain *domain = FM_MUTABLE_DOMAIN(feature, INT_DOMAIN, int_domain, Tfmd__IntDomain, tfmd__int_domain);

	domain->has_min = domain->has_max = true;
	domain->min = fm_double_to_int64(fm_view_min(view));
	domain->max = fm_double_to_int64(fm_view_max(view));
}

/*
 * Could the floats all be 0 or 1? Only buckets of quantiles say that a value lies between.
 */
static bool
floats_are_bool(const FmFeatureView *view)
{
	const Tfmd__NumericStatistics *numbers;
	double min = fm_view_min(view);
	double max = fm_view_max(view);
	size_t i;
	size_t j;

	if ((min != 0 && min != 1) || (max != 0 && max != 1))
		return false;
	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
		return true;
	numbers = view->statistics->num_stats;
	for (i = 0; i < numbers->n_histograms; i++)
	{
		const Tfmd__Histogram *histogram = numbers->histograms[i];

		if (histogram->num_nan > 0)
			return false;
		for (j = 0; j < histogram->n_buckets; j++)
		{
			const Tfmd__Histogram__Bucket *bucket = histogram->buckets[j];

			if (bucket->sample_count <= 0)
				continue;
			if (bucket->high_value < 0 || bucket->low_value > 1)
				return false;
			if (histogram->type == TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES && bucket->high_value < 1 &&
				bucket->low_value > 0)
				return false;
		}
	}
	return true;
}

static void
update_bool_domain(const FmFeatureView *view, Tfmd__Feature *feature)
{
	const Tfmd__BoolDomain *domain = feature->bool_domain;
	FmValueCount *values;
	int n;
	int i;

	switch ((int) view->statistics->type)
	{
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__INT:
			if (fm_view_min(view) < 0 || fm_view_max(view) > 1)
				to_int_domain(view, feature);
			break;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT:
			if (!floats_are_bool(view))
			{
				Tfmd__FloatDomain *floats =
					FM_MUTABLE_DOMAIN(feature, FLOAT_DOMAIN, float_domain, Tfmd__FloatDomain, tfmd__float_domain);

				floats->has_min = floats->has_max = true;
				floats->min = (float) fm_view_min(view);
				floats->max = (float) fm_view_max(view);
			}
			break;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING:
			values = fm_view_string_values(view, &n);
			for (i = 0; i < n; i++)
				if (!(domain->true_value != NULL && strcmp(values[i].value, domain->true_value) == 0) &&
					!(domain->false_value != NULL && strcmp(values[i].value, domain->false_value) == 0))
				{
					clear_domain(feature);
					break;
				}
			break;
		default:
			break;
	}
}

/* -- int and float domains -- */

static void
loosen_int(int64 min, int64 max, Tfmd__IntDomain *domain)
{
	if (domain->has_min && domain->min > min)
		domain->min = min;
	if (domain->has_max && domain->max < max)
		domain->max = max;
}

static void
update_int_domain(const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__IntDomain *domain = feature->int_domain;
	FmValueCount *values;
	int64 min = 0;
	int64 max = 0;
	int n;
	int i;

	if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT ||
		view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__STRUCT)
		return;
	values = fm_view_string_values(view, &n);
	if (n == 0)
	{
		if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__INT)
		{
			/* compared as doubles: 2^63 is not above the maximum */
			if (fm_view_min(view) < (double) PG_INT64_MIN || fm_view_max(view) > (double) PG_INT64_MAX)
			{
				if (domain->has_min || domain->has_max)
					clear_domain(feature);
			}
			else
				loosen_int(fm_double_to_int64(fm_view_min(view)), fm_double_to_int64(fm_view_max(view)), domain);
		}
		return;
	}
	for (i = 0; i < n; i++)
	{
		int64 value;

		if (!fm_read_int64(values[i].value, &value))
		{
			if (view->statistics->type != TFMD__FEATURE_NAME_STATISTICS__TYPE__INT || domain->has_min ||
				domain->has_max)
				clear_domain(feature);
			return;
		}
		min = i == 0 ? value : Min(min, value);
		max = i == 0 ? value : Max(max, value);
	}
	loosen_int(min, max, domain);
}

static bool
has_nan(const FmFeatureView *view, const FmValueCount *values, int n)
{
	int i;

	if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT &&
		view->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
	{
		const Tfmd__NumericStatistics *numbers = view->statistics->num_stats;

		for (i = 0; i < (int) numbers->n_histograms; i++)
			if (numbers->histograms[i]->num_nan > 0)
				return true;
	}
	if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING)
		for (i = 0; i < n; i++)
		{
			float value;

			if (fm_read_float(values[i].value, &value) && isnan(value))
				return true;
		}
	return false;
}

static bool
update_float_domain(FmUpdater *updater, const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__FloatDomain *domain = feature->float_domain;
	FmValueCount *values;
	float min = 0;
	float max = 0;
	int n;
	int i;

	values = fm_view_string_values(view, &n);
	if (domain->has_disallow_nan && domain->disallow_nan && has_nan(view, values, n))
		domain->disallow_nan = false;
	switch ((int) view->statistics->type)
	{
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT:
			min = (float) fm_view_min(view);
			max = (float) fm_view_max(view);
			break;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES:
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING:
			if (n == 0)
				return true;
			for (i = 0; i < n; i++)
			{
				float value;

				if (!fm_read_float(values[i].value, &value))
				{
					clear_domain(feature);
					return true;
				}
				if (i == 0)
					min = max = value;
				if (min > value)
					min = value;
				if (max < value)
					max = value;
			}
			break;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__INT:
			return true;
		default:
			return fm_fail(updater->error, ERRCODE_INVALID_PARAMETER_VALUE,
						   "the float_domain of feature \"%s\" cannot be compared with statistics of a struct",
						   fm_path_serialize(&view->path));
	}
	if (domain->has_min && min < domain->min)
		domain->min = min;
	if (domain->has_max && max > domain->max)
		domain->max = max;
	if (domain->has_disallow_inf && domain->disallow_inf && (isinf(min) || isinf(max)))
		domain->disallow_inf = false;
	return true;
}

/* -- semantic domains -- */

static void
update_image_domain(const FmFeatureView *view, Tfmd__ImageDomain *domain)
{
	const Tfmd__CustomStatistic *formats = fm_view_custom(view, "image_format_histogram");

	if (domain->has_minimum_supported_image_fraction && formats != NULL)
	{
		float fraction = fm_supported_image_fraction(formats);

		if (fraction < domain->minimum_supported_image_fraction)
			domain->minimum_supported_image_fraction = fraction;
	}
	if (domain->has_max_image_byte_size)
	{
		int64 max_bytes = view->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_BYTES_STATS
							  ? view->statistics->bytes_stats->max_num_bytes_int
							  : 0;

		if (max_bytes > domain->max_image_byte_size)
			domain->max_image_byte_size = max_bytes;
	}
}

static const Tfmd__NaturalLanguageStatistics__TokenStatistics *
find_token(const Tfmd__NaturalLanguageStatistics *statistics, const Tfmd__SequenceValueConstraints *constraint)
{
	size_t i;

	for (i = 0; statistics != NULL && i < statistics->n_token_statistics; i++)
	{
		const Tfmd__NaturalLanguageStatistics__TokenStatistics *token = statistics->token_statistics[i];

		if (constraint->value_case == TFMD__SEQUENCE_VALUE_CONSTRAINTS__VALUE_INT_VALUE &&
			token->token_case == TFMD__NATURAL_LANGUAGE_STATISTICS__TOKEN_STATISTICS__TOKEN_INT_TOKEN &&
			token->int_token == constraint->int_value)
			return token;
		if (constraint->value_case == TFMD__SEQUENCE_VALUE_CONSTRAINTS__VALUE_STRING_VALUE &&
			token->token_case == TFMD__NATURAL_LANGUAGE_STATISTICS__TOKEN_STATISTICS__TOKEN_STRING_TOKEN &&
			strcmp(token->string_token, constraint->string_value) == 0)
			return token;
	}
	return NULL;
}

static void
loosen_token(const Tfmd__NaturalLanguageStatistics__TokenStatistics *token, Tfmd__SequenceValueConstraints *constraint)
{
	if (constraint->has_min_fraction_of_sequences &&
		constraint->min_fraction_of_sequences > token->fraction_of_sequences)
		constraint->min_fraction_of_sequences = (float) token->fraction_of_sequences;
	if (constraint->has_max_fraction_of_sequences &&
		constraint->max_fraction_of_sequences < token->fraction_of_sequences)
		constraint->max_fraction_of_sequences = (float) token->fraction_of_sequences;
	if (constraint->has_min_per_sequence && (double) constraint->min_per_sequence > token->per_sequence_min_frequency)
		constraint->min_per_sequence = fm_double_to_int64(token->per_sequence_min_frequency);
	if (constraint->has_max_per_sequence && (double) constraint->max_per_sequence < token->per_sequence_max_frequency)
		constraint->max_per_sequence = fm_double_to_int64(token->per_sequence_max_frequency);
}

/*
 * The custom statistic "nl_statistics" holds a message of its own in an Any
 */
static bool
unpack_language_statistics(const Tfmd__CustomStatistic *custom, Tfmd__NaturalLanguageStatistics **statistics)
{
	const char *type;
	FmError error = {0};

	if (custom->val_case != TFMD__CUSTOM_STATISTIC__VAL_ANY)
		return false;
	type = strrchr(custom->any->type_url, '/');
	if (type == NULL || strcmp(type + 1, "tensorflow.metadata.v0.NaturalLanguageStatistics") != 0)
		return false;
	*statistics = (Tfmd__NaturalLanguageStatistics *) fm_message_unpack(
		&tfmd__natural_language_statistics__descriptor, custom->any->value.data, custom->any->value.len, &error);
	return *statistics != NULL;
}

static void
update_language_domain(const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__NaturalLanguageDomain *domain = feature->natural_language_domain;
	Tfmd__FeatureCoverageConstraints *coverage = domain->coverage;
	const Tfmd__CustomStatistic *custom = fm_view_custom(view, "nl_statistics");
	Tfmd__NaturalLanguageStatistics *statistics = NULL;
	bool asks_coverage = coverage != NULL && (coverage->has_min_coverage || coverage->has_min_avg_token_length);
	size_t i;

	if (custom != NULL && !unpack_language_statistics(custom, &statistics))
		return;
	if ((asks_coverage || domain->n_token_constraints > 0) && statistics == NULL)
	{
		clear_domain(feature);
		return;
	}
	if (asks_coverage && coverage->has_min_coverage && coverage->min_coverage > statistics->feature_coverage)
		coverage->min_coverage = (float) statistics->feature_coverage;
	if (asks_coverage && coverage->has_min_avg_token_length &&
		statistics->avg_token_length < coverage->min_avg_token_length)
		coverage->min_avg_token_length = (float) statistics->avg_token_length;
	for (i = 0; i < domain->n_token_constraints; i++)
	{
		Tfmd__SequenceValueConstraints *constraint = domain->token_constraints[i];
		const Tfmd__NaturalLanguageStatistics__TokenStatistics *token;

		if (constraint->value_case == TFMD__SEQUENCE_VALUE_CONSTRAINTS__VALUE__NOT_SET)
			continue;
		token = find_token(statistics, constraint);
		if (token == NULL)
		{
			clear_domain(feature);
			return;
		}
		loosen_token(token, constraint);
	}
}

bool
fm_update_domain(FmUpdater *updater, const FmFeatureView *view, Tfmd__Feature *feature)
{
	/* bytes that are not to be read as text */
	if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES &&
		feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN &&
		feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN &&
		feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_URL_DOMAIN)
		clear_domain(feature);
	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
			update_string_domain(updater, view, feature);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			update_bool_domain(view, feature);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			update_int_domain(view, feature);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			return update_float_domain(updater, view, feature);
		case TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN:
			update_image_domain(view, feature->image_domain);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN:
			update_language_domain(view, feature);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO__NOT_SET:
			fm_apply_domain_info(view, feature);
			return true;
		default:
			/* other semantic domains have nothing to loosen; a struct's children come by themselves */
			return true;
	}
}
