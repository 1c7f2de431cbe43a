/*
 * The values that the statistics tell of against the domain that the schema gives them
 */
#include "fm_core.h"
#include "validation/checks.h"
#include "validation/name_table.h"

#include <math.h>

#define ADD(type, ...) fm_add_reason(reasons, TFMD__ANOMALY_INFO__TYPE__##type, __VA_ARGS__)

#define IS_TYPE(view, t) ((view)->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__##t)

/* The listed values of a feature, in the order of the statistics; of a value listed twice the first counts */
typedef struct Values
{
	size_t n;
	Tfmd__RankHistogram__Bucket **bucket;
} Values;

static Values
listed_values(const FmFeatureView *view)
{
	Values values = {0, NULL};
	const Tfmd__StringStatistics *strings = view->statistics->string_stats;
	const Tfmd__RankHistogram *histogram;

	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
		return values;
	histogram = strings->rank_histogram;
	if (view->dataset->by_weight)
		histogram = strings->weighted_string_stats == NULL ? NULL : strings->weighted_string_stats->rank_histogram;
	if (histogram != NULL)
	{
		values.n = histogram->n_buckets;
		values.bucket = histogram->buckets;
	}
	return values;
}

/* -- string domains -- */

static int
compare_labels(const void *a, const void *b)
{
	Tfmd__RankHistogram__Bucket **x = *(Tfmd__RankHistogram__Bucket * *const *) a;
	Tfmd__RankHistogram__Bucket **y = *(Tfmd__RankHistogram__Bucket * *const *) b;
	int order = strcmp((*x)->label, (*y)->label);

	/* the place in the list decides between equal ones */
	return order != 0 ? order : (x < y ? -1 : x > y);
}

/* The values that are not in the domain, in byte order, each once */
static Tfmd__RankHistogram__Bucket **
off_domain(Values values, const Tfmd__StringDomain *domain, size_t *n)
{
	FmNameTable *known = fm_name_table(domain->n_value);
	Tfmd__RankHistogram__Bucket ***places = NULL;
	Tfmd__RankHistogram__Bucket **result;
	size_t n_places = 0;
	size_t i;

	*n = 0;
	for (i = 0; i < domain->n_value; i++)
		*fm_name_table_add(known, NULL, domain->value[i]) = known;
	for (i = 0; i < values.n; i++)
	{
		if (fm_name_table_find(known, NULL, values.bucket[i]->label) != NULL)
			continue;
		if (places == NULL)
			places = palloc(sizeof(*places) * (values.n - i));
		places[n_places++] = &values.bucket[i];
	}
	if (n_places == 0)
		return NULL;
	qsort(places, n_places, sizeof(*places), compare_labels);
	result = palloc(sizeof(*result) * n_places);
	for (i = 0; i < n_places; i++)
		if (i == 0 || strcmp((*places[i])->label, (*places[i - 1])->label) != 0)
			result[(*n)++] = *places[i];
	return result;
}

/* Control characters, quotes and backslashes as in a C string; UTF-8 stays */
static void
append_escaped(StringInfo out, const char *value)
{
	const unsigned char *c;

	for (c = (const unsigned char *) value; *c != '\0'; c++)
	{
		if (*c == '\n')
			appendStringInfoString(out, "\\n");
		else if (*c == '\r')
			appendStringInfoString(out, "\\r");
		else if (*c == '\t')
			appendStringInfoString(out, "\\t");
		else if (*c == '"' || *c == '\'' || *c == '\\')
			appendStringInfo(out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			appendStringInfo(out, "\\%03o", *c);
		else
			appendStringInfoChar(out, (char) *c);
	}
}

static void
append_share(StringInfo out, int64 count, double total)
{
	double percent = 100 * (double) count / total;

	if (total == 0)
		appendStringInfoString(out, " (?)");
	else if (percent < 1.0)
		appendStringInfoString(out, " (<1%)");
	else
		appendStringInfo(out, " (~%d%%)", (int) floor(percent));
}

static void
check_string_domain(const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	const Tfmd__DistributionConstraints *constraints = expected->feature->distribution_constraints;
	double max_off_domain =
		constraints != NULL && constraints->has_min_domain_mass ? 1.0 - constraints->min_domain_mass : 0.0;
	double total = fm_view_total_values(view);
	double mass = 0;
	Tfmd__RankHistogram__Bucket **off;
	size_t n;
	size_t i;
	StringInfoData list;

	if (fm_view_has_invalid_utf8(view))
	{
		ADD(ENUM_TYPE_INVALID_UTF8, "Invalid UTF8 strings",
			"Some values are not valid UTF-8, so that they cannot be in the string domain. Correct their encoding.");
		return;
	}
	off = off_domain(listed_values(view), expected->string_domain, &n);
	for (i = 0; i < n; i++)
		mass += off[i]->sample_count;
	if (!(mass / total > max_off_domain) && !(max_off_domain == 0 && n > 0))
		return;
	initStringInfo(&list);
	for (i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(&list, ", ");
		append_escaped(&list, off[i]->label);
		append_share(&list, fm_double_to_int64(off[i]->sample_count), total);
	}
	if (max_off_domain != 0)
		ADD(ENUM_TYPE_UNEXPECTED_STRING_VALUES, "Unexpected string values",
			"%d %s not in the domain of the schema (share of all values): %s. Together they make %.6g of the "
			"values; the schema allows %.6g. Correct the data, or add the values to the domain.",
			(int) n, n == 1 ? "value is" : "values are", list.data, mass / total, max_off_domain);
	else
		ADD(ENUM_TYPE_UNEXPECTED_STRING_VALUES, "Unexpected string values",
			"%d %s not in the domain of the schema (share of all values): %s. Correct the data, or add the values "
			"to the domain.",
			(int) n, n == 1 ? "value is" : "values are", list.data);
}

/* -- bool domains -- */

static void
check_bool_int(const FmFeatureView *view, FmReasons *reasons)
{
	if (fm_view_min(view) < 0)
		ADD(BOOL_TYPE_SMALL_INT, "Non-boolean values",
			"The schema expects booleans (0 or 1); the data has integers down to %g, which is below 0.",
			fm_view_min(view));
	else if (fm_view_max(view) > 1)
		ADD(BOOL_TYPE_BIG_INT, "Non-boolean values",
			"The schema expects booleans (0 or 1); the data has integers up to %g, which is above 1.",
			fm_view_max(view));
}

static void
check_bool_float(const FmFeatureView *view, FmReasons *reasons)
{
	const Tfmd__NumericStatistics *numbers = view->statistics->num_stats;
	double min = fm_view_min(view);
	double max = fm_view_max(view);
	size_t i;
	size_t k;

	if ((min != 0 && min != 1) || (max != 0 && max != 1))
	{
		ADD(BOOL_TYPE_UNEXPECTED_FLOAT, "Non-boolean values",
			"The schema expects booleans (0 or 1); the data has floats such as %g, which is neither.",
			min != 0 && min != 1 ? min : max);
		return;
	}
	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
		return;
	for (i = 0; i < numbers->n_histograms; i++)
	{
		const Tfmd__Histogram *histogram = numbers->histograms[i];
		bool quantiles = histogram->type == TFMD__HISTOGRAM__HISTOGRAM_TYPE__QUANTILES;

		if (histogram->num_nan > 0)
		{
			ADD(BOOL_TYPE_UNEXPECTED_FLOAT, "Non-boolean values",
				"The schema expects booleans (0 or 1); the data has NaN, which is neither.");
			return;
		}
		for (k = 0; k < histogram->n_buckets; k++)
		{
			const Tfmd__Histogram__Bucket *bucket = histogram->buckets[k];
			const char *where = NULL;

			if (bucket->sample_count <= 0)
				continue;
			if (bucket->high_value < 0)
				where = "below 0 (< 0)";
			else if (bucket->low_value > 1)
				where = "above 1 (> 1)";
			else if (quantiles && bucket->high_value < 1 && bucket->low_value > 0)
				where = "between 0 and 1";
			if (where != NULL)
			{
				ADD(BOOL_TYPE_UNEXPECTED_FLOAT, "Non-boolean values",
					"The schema expects booleans (0 or 1); the data has floats %s.", where);
				return;
			}
		}
	}
}

static void
check_bool_string(const FmFeatureView *view, const Tfmd__BoolDomain *domain, FmReasons *reasons)
{
	Values values = listed_values(view);
	const char *unexpected = NULL;
	StringInfoData valid;
	const char *first = domain->true_value;
	const char *second = domain->false_value;
	size_t i;

	for (i = 0; i < values.n; i++)
	{
		const char *label = values.bucket[i]->label;

		if ((first != NULL && strcmp(label, first) == 0) || (second != NULL && strcmp(label, second) == 0))
			continue;
		if (unexpected == NULL || strcmp(label, unexpected) < 0)
			unexpected = label;
	}
	if (unexpected == NULL)
		return;
	initStringInfo(&valid);
	if (first != NULL && second != NULL && strcmp(first, second) > 0)
	{
		first = domain->false_value;
		second = domain->true_value;
	}
	if (first == NULL || (second != NULL && strcmp(first, second) == 0))
	{
		first = second;
		second = NULL;
	}
	if (first != NULL)
		appendStringInfo(&valid, "\"%s\"", first);
	if (second != NULL)
		appendStringInfo(&valid, ", \"%s\"", second);
	ADD(BOOL_TYPE_UNEXPECTED_STRING, "Non-boolean values",
		"The data has the value \"%s\"; the schema's bool domain knows only {%s}. Correct the data, or set true_value "
		"and "
		"false_value.",
		unexpected, valid.data);
}

static void
check_bool_domain(const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	if (IS_TYPE(view, INT))
		check_bool_int(view, reasons);
	else if (IS_TYPE(view, FLOAT))
		check_bool_float(view, reasons);
	else if (IS_TYPE(view, STRING))
		check_bool_string(view, expected->feature->bool_domain, reasons);
}

/* -- int domains -- */

/* double -> int64 as the hardware does it that TFDV runs on: out of range and NaN are the smallest integer */
static int64
cast_to_int64(double value)
{
	return value >= -9223372036854775808.0 && value < 9223372036854775808.0 ? (int64) value : PG_INT64_MIN;
}

static void
check_int_range(int64 min, int64 max, const Tfmd__IntDomain *domain, FmReasons *reasons)
{
	if (domain->has_min && domain->min > min)
		ADD(INT_TYPE_SMALL_INT, "Out-of-range values",
			"The smallest value is " INT64_FORMAT "; the schema expects values from " INT64_FORMAT " on.", min,
			domain->min);
	if (domain->has_max && domain->max < max)
		ADD(INT_TYPE_BIG_INT, "Out-of-range values",
			"The largest value is " INT64_FORMAT "; the schema expects values up to " INT64_FORMAT ".", max,
			domain->max);
}

static void
check_int_strings(const FmFeatureView *view, Values values, const Tfmd__IntDomain *domain, FmReasons *reasons)
{
	const char *no_int = NULL;
	int64 min = PG_INT64_MAX;
	int64 max = PG_INT64_MIN;
	size_t i;

	for (i = 0; i < values.n; i++)
	{
		const char *label = values.bucket[i]->label;
		int64 value;

		if (fm_read_int64(label, &value))
		{
			min = Min(min, value);
			max = Max(max, value);
		}
		else if (no_int == NULL || strcmp(label, no_int) < 0)
			no_int = label;
	}
	if (no_int == NULL)
		check_int_range(min, max, domain, reasons);
	else if (fm_view_type(view) == TFMD__FEATURE_TYPE__BYTES)
		ADD(INT_TYPE_NOT_INT_STRING, "Invalid values",
			"The schema expects integers written as text; the data has values that are none, such as \"%s\".", no_int);
	else if (domain->has_min || domain->has_max)
		ADD(DOMAIN_INVALID_FOR_TYPE, "Invalid values",
			"The schema limits the integers to a range; the data has values that are no 64-bit integers, such as "
			"\"%s\".",
			no_int);
}

static bool
check_int_domain(const FmCheck *check, const FmFeatureView *view, const Tfmd__IntDomain *domain, FmReasons *reasons)
{
	Values values = listed_values(view);

	switch ((int) view->statistics->type)
	{
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRUCT:
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT:
			return true;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__INT:
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES:
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING:
			break;
		default:
			return fm_refuse_statistics(check, view, "The type of the statistics is not known.");
	}
	if (values.n > 0)
		check_int_strings(view, values, domain, reasons);
	else if (IS_TYPE(view, INT))
	{
		double min = fm_view_min(view);
		double max = fm_view_max(view);

		if (min >= -9223372036854775808.0 || isnan(min))
		{
			if (!(max > 9223372036854775808.0))
			{
				check_int_range(cast_to_int64(min), cast_to_int64(max), domain, reasons);
				return true;
			}
			min = max;
		}
		if (domain->has_min || domain->has_max)
			ADD(DOMAIN_INVALID_FOR_TYPE, "Invalid values",
				"The schema limits the integers to a range; the data has values that are no 64-bit integers, such as "
				"\"%f\".",
				min);
	}
	return true;
}

/* -- float domains -- */

static bool
has_nan(const FmFeatureView *view)
{
	size_t i;

	if (IS_TYPE(view, FLOAT) && view->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS)
	{
		for (i = 0; i < view->statistics->num_stats->n_histograms; i++)
			if (view->statistics->num_stats->histograms[i]->num_nan > 0)
				return true;
	}
	else if (IS_TYPE(view, STRING))
	{
		Values values = listed_values(view);
		float value;

		for (i = 0; i < values.n; i++)
			if (fm_read_float(values.bucket[i]->label, &value) && isnan(value))
				return true;
	}
	return false;
}

static void
check_float_range(float min, float max, const Tfmd__FloatDomain *domain, FmReasons *reasons)
{
	if (domain->has_min && min < domain->min)
		ADD(FLOAT_TYPE_SMALL_FLOAT, "Out-of-range values",
			"The smallest value is too low: %g<%g, the minimum of the schema (up to six significant digits).", min,
			domain->min);
	if (domain->has_max && max > domain->max)
		ADD(FLOAT_TYPE_BIG_FLOAT, "Out-of-range values",
			"The largest value is too high: %g>%g, the maximum of the schema (up to six significant digits).", max,
			domain->max);
	if (domain->has_disallow_inf && domain->disallow_inf && (isinf(min) || isinf(max)))
		ADD(FLOAT_TYPE_HAS_INF, "Invalid values",
			"The data has infinite (Inf) values, which the schema does not allow.");
}

static void
check_float_strings(Values values, const Tfmd__FloatDomain *domain, FmReasons *reasons)
{
	const char *no_float = NULL;
	const char *first = NULL;
	float first_value = 0;
	float min = INFINITY;
	float max = -INFINITY;
	size_t i;

	for (i = 0; i < values.n; i++)
	{
		const char *label = values.bucket[i]->label;
		float value;

		if (!fm_read_float(label, &value))
		{
			if (no_float == NULL || strcmp(label, no_float) < 0)
				no_float = label;
			continue;
		}
		if (first == NULL || strcmp(label, first) < 0)
		{
			first = label;
			first_value = value;
		}
		if (value < min)
			min = value;
		if (value > max)
			max = value;
	}
	if (no_float != NULL)
	{
		ADD(FLOAT_TYPE_STRING_NOT_FLOAT, "Invalid values",
			"The schema expects floats written as text; the data has values that are none, such as \"%s\".", no_float);
		return;
	}
	if (first == NULL)
		return;
	/* TFDV starts from the first value in byte order; if that is NaN nothing compares with it any more */
	if (isnan(first_value))
		min = max = first_value;
	check_float_range(min, max, domain, reasons);
}

static bool
check_float_domain(const FmCheck *check, const FmFeatureView *view, const Tfmd__FloatDomain *domain, FmReasons *reasons)
{
	if (domain->has_disallow_nan && domain->disallow_nan && has_nan(view))
		ADD(FLOAT_TYPE_HAS_NAN, "Invalid values", "The data has NaN values, which the schema does not allow.");
	switch ((int) view->statistics->type)
	{
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__FLOAT:
			check_float_range((float) fm_view_min(view), (float) fm_view_max(view), domain, reasons);
			return true;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES:
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING:
			check_float_strings(listed_values(view), domain, reasons);
			return true;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__INT:
			return true;
		case TFMD__FEATURE_NAME_STATISTICS__TYPE__STRUCT:
			return fm_refuse_statistics(check, view, "The schema has a float domain for it, but the data is a struct.");
		default:
			return fm_refuse_statistics(check, view, "The type of the statistics is not known.");
	}
}

/* -- semantic domains -- */

static void
check_image_domain(const FmFeatureView *view, const Tfmd__ImageDomain *domain, FmReasons *reasons)
{
	const Tfmd__CustomStatistic *formats = fm_view_custom(view, "image_format_histogram");

	if (domain->has_minimum_supported_image_fraction && formats != NULL)
	{
		float fraction = fm_supported_image_fraction(formats);

		if (fraction < domain->minimum_supported_image_fraction)
			ADD(LOW_SUPPORTED_IMAGE_FRACTION, "Low supported image fraction",
				"A fraction of %f of the values are images in a known format; the schema expects %f or more.", fraction,
				domain->minimum_supported_image_fraction);
	}
	if (domain->has_max_image_byte_size)
	{
		int64 largest = view->statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS_BYTES_STATS
							? view->statistics->bytes_stats->max_num_bytes_int
							: 0;

		if (largest > domain->max_image_byte_size)
			ADD(MAX_IMAGE_BYTE_SIZE_EXCEEDED, "Num bytes exceeds the max byte size.",
				"The largest image has " INT64_FORMAT " bytes; the schema allows " INT64_FORMAT ".", largest,
				domain->max_image_byte_size);
	}
}

typedef Tfmd__NaturalLanguageStatistics__TokenStatistics TokenStatistics;

static void
check_coverage(const Tfmd__NaturalLanguageStatistics *statistics, const Tfmd__FeatureCoverageConstraints *coverage,
			   FmReasons *reasons)
{
	if (coverage == NULL)
		return;
	if (coverage->has_min_coverage && coverage->min_coverage > statistics->feature_coverage)
		ADD(FEATURE_COVERAGE_TOO_LOW, "Feature coverage is too low.",
			"A fraction of %g of the tokens is in the vocabulary; the schema expects %g or more.",
			statistics->feature_coverage, coverage->min_coverage);
	if (coverage->has_min_avg_token_length && statistics->avg_token_length < coverage->min_avg_token_length)
		ADD(FEATURE_COVERAGE_TOO_SHORT_AVG_TOKEN_LENGTH, "Average token length is too short.",
			"The tokens are %g long on average; the schema expects %g or more.", statistics->avg_token_length,
			coverage->min_avg_token_length);
}

static void
check_token(const TokenStatistics *statistics, const char *token, const Tfmd__SequenceValueConstraints *constraint,
			FmReasons *reasons)
{
	if (constraint->has_min_fraction_of_sequences &&
		constraint->min_fraction_of_sequences > statistics->fraction_of_sequences)
		ADD(SEQUENCE_VALUE_TOO_SMALL_FRACTION, "Value occurs in too small a fraction of sequences.",
			"The value %s occurs in a fraction of %g of the sequences; the schema expects %g or more.", token,
			statistics->fraction_of_sequences, constraint->min_fraction_of_sequences);
	if (constraint->has_max_fraction_of_sequences &&
		constraint->max_fraction_of_sequences < statistics->fraction_of_sequences)
		ADD(SEQUENCE_VALUE_TOO_LARGE_FRACTION, "Value occurs in too large a fraction of sequences.",
			"The value %s occurs in a fraction of %g of the sequences; the schema allows %g at most.", token,
			statistics->fraction_of_sequences, constraint->max_fraction_of_sequences);
	if (constraint->has_min_per_sequence &&
		(double) constraint->min_per_sequence > statistics->per_sequence_min_frequency)
		ADD(SEQUENCE_VALUE_TOO_FEW_OCCURRENCES, "Value has too few per-sequence occurrences.",
			"The value %s occurs only %g times in some sequence; the schema expects " INT64_FORMAT " or more.", token,
			statistics->per_sequence_min_frequency, constraint->min_per_sequence);
	if (constraint->has_max_per_sequence &&
		(double) constraint->max_per_sequence < statistics->per_sequence_max_frequency)
		ADD(SEQUENCE_VALUE_TOO_MANY_OCCURRENCES, "Value has too many per-sequence occurrences.",
			"The value %s occurs %g times in some sequence; the schema allows " INT64_FORMAT " at most.", token,
			statistics->per_sequence_max_frequency, constraint->max_per_sequence);
}

/* The statistics of the token that a constraint is about; NULL if there are none */
static const TokenStatistics *
find_token(const Tfmd__NaturalLanguageStatistics *statistics, const Tfmd__SequenceValueConstraints *constraint)
{
	bool is_int = constraint->value_case == TFMD__SEQUENCE_VALUE_CONSTRAINTS__VALUE_INT_VALUE;
	size_t i;

	for (i = 0; i < statistics->n_token_statistics; i++)
	{
		const TokenStatistics *token = statistics->token_statistics[i];

		if (is_int)
		{
			if (token->token_case == TFMD__NATURAL_LANGUAGE_STATISTICS__TOKEN_STATISTICS__TOKEN_INT_TOKEN &&
				token->int_token == constraint->int_value)
				return token;
		}
		else if (token->token_case == TFMD__NATURAL_LANGUAGE_STATISTICS__TOKEN_STATISTICS__TOKEN_STRING_TOKEN &&
				 strcmp(token->string_token, constraint->string_value) == 0)
			return token;
	}
	return NULL;
}

static void
add_not_computed(FmReasons *reasons)
{
	ADD(STATS_NOT_AVAILABLE, "Natural language stats are not computed.",
		"The natural language domain sets limits that cannot be checked, because the statistics do not hold the "
		"natural "
		"language figures they are about.");
}

static void
check_language_domain(const FmFeatureView *view, const Tfmd__NaturalLanguageDomain *domain, FmReasons *reasons)
{
	static const char message_name[] = "/tensorflow.metadata.v0.NaturalLanguageStatistics";
	static const Tfmd__NaturalLanguageStatistics nothing = TFMD__NATURAL_LANGUAGE_STATISTICS__INIT;
	const Tfmd__CustomStatistic *custom = fm_view_custom(view, "nl_statistics");
	const Tfmd__NaturalLanguageStatistics *statistics = &nothing;
	const Tfmd__FeatureCoverageConstraints *coverage = domain->coverage;
	size_t i;

	if (custom != NULL)
	{
		FmError ignored = {0};
		const char *url;

		/* something else under this name is not ours to read */
		if (custom->val_case != TFMD__CUSTOM_STATISTIC__VAL_ANY || custom->any->type_url == NULL)
			return;
		url = strrchr(custom->any->type_url, '/');
		if (url == NULL || strcmp(url, message_name) != 0)
			return;
		statistics = (const Tfmd__NaturalLanguageStatistics *) fm_message_unpack(
			&tfmd__natural_language_statistics__descriptor, custom->any->value.data, custom->any->value.len, &ignored);
		if (statistics == NULL)
			return;
	}
	else if ((coverage != NULL && (coverage->has_min_coverage || coverage->has_min_avg_token_length)) ||
			 domain->n_token_constraints > 0)
	{
		add_not_computed(reasons);
		return;
	}
	check_coverage(statistics, coverage, reasons);
	for (i = 0; i < domain->n_token_constraints; i++)
	{
		const Tfmd__SequenceValueConstraints *constraint = domain->token_constraints[i];
		const TokenStatistics *token;

		if (constraint->value_case == TFMD__SEQUENCE_VALUE_CONSTRAINTS__VALUE__NOT_SET)
			continue;
		token = find_token(statistics, constraint);
		if (token == NULL)
		{
			add_not_computed(reasons);
			return;
		}
		check_token(token,
					constraint->value_case == TFMD__SEQUENCE_VALUE_CONSTRAINTS__VALUE_INT_VALUE
						? psprintf(INT64_FORMAT, constraint->int_value)
						: constraint->string_value,
					constraint, reasons);
	}
}

/*
 * A feature without a domain whose statistics say what the values are: one custom statistic "domain_info", the text
 * format of a Feature that has this domain and nothing else
 */
static void
check_domain_found(const FmFeatureView *view, const Tfmd__Feature *feature, FmReasons *reasons)
{
	const char *text = NULL;
	const Tfmd__Feature *parsed;
	FmError ignored = {0};
	Tfmd__Feature alone;
	size_t i;

	for (i = 0; i < view->statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *statistic = view->statistics->custom_stats[i];

		if (strcmp(statistic->name, "domain_info") != 0)
			continue;
		if (text != NULL && *text != '\0')
			return;
		text = statistic->val_case == TFMD__CUSTOM_STATISTIC__VAL_STR ? statistic->str : "";
	}
	if (text == NULL || *text == '\0')
		return;
	parsed = (const Tfmd__Feature *) fm_message_parse_text(&tfmd__feature__descriptor, text, strlen(text), &ignored);
	if (parsed == NULL || parsed->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
		return;
	alone = *parsed;
	alone.domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
	if (protobuf_c_message_get_packed_size(&alone.base) > 0)
		return;
	ADD(SEMANTIC_DOMAIN_UPDATE, "Updated semantic domain",
		"The values of feature %s look like a %s, and the schema gives it no domain. Add the domain to the schema, or "
		"ignore this.",
		feature->name, fm_feature_domain_name(parsed));
}

bool
fm_check_domain(const FmCheck *check, const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	const Tfmd__Feature *feature = expected->feature;
	Tfmd__Feature__DomainInfoCase domain = expected->domain;

	if (IS_TYPE(view, BYTES) && domain != TFMD__FEATURE__DOMAIN_INFO__NOT_SET &&
		domain != TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN &&
		domain != TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN && domain != TFMD__FEATURE__DOMAIN_INFO_URL_DOMAIN)
	{
		ADD(DOMAIN_INVALID_FOR_TYPE, "Invalid domain type",
			"The statistics treat the values as BYTES that are not to be interpreted, but the schema gives feature %s "
			"the "
			"domain \"%s\", which interprets them.",
			feature->name, fm_feature_domain_name(feature));
		domain = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
	}
	switch (domain)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
			check_string_domain(view, expected, reasons);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			check_bool_domain(view, expected, reasons);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			return check_int_domain(check, view, feature->int_domain, reasons);
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			return check_float_domain(check, view, feature->float_domain, reasons);
		case TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN:
			check_image_domain(view, feature->image_domain, reasons);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN:
			check_language_domain(view, feature->natural_language_domain, reasons);
			return true;
		case TFMD__FEATURE__DOMAIN_INFO__NOT_SET:
			check_domain_found(view, feature, reasons);
			return true;
		default:
			/* of media identifiers, URLs, times, structs nothing is checked */
			return true;
	}
}
