/*
 * The statistics of one feature against what the schema says of it
 */
#include "fm_core.h"
#include "validation/checks.h"

#define ADD(type, ...) fm_add_reason(reasons, TFMD__ANOMALY_INFO__TYPE__##type, __VA_ARGS__)

bool
fm_refuse_statistics(const FmCheck *check, const FmFeatureView *view, const char *why)
{
	fm_fail(check->error, ERRCODE_INVALID_PARAMETER_VALUE, "statistics of feature \"%s\" cannot be validated",
			fm_path_serialize(&view->path));
	fm_fail_detail(check->error, "%s", why);
	return false;
}

static void
check_value_count(const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	const Tfmd__ValueCount *count = &expected->counts[0];
	FmLengthRange range;

	if (fm_view_n_levels(view) > 1)
	{
		ADD(VALUE_NESTEDNESS_MISMATCH, "Mismatched value nest level",
			"The values are nested %d levels deep (more than 1), but the schema counts values at one level. Give the "
			"feature value_counts with an entry for each level instead of value_count.",
			fm_view_n_levels(view));
		return;
	}
	range = fm_view_length_range(view, 0);
	if (count->has_min && range.min < count->min)
		ADD(FEATURE_TYPE_LOW_NUMBER_VALUES, "Missing values",
			"Some examples have only %d values; the schema expects " INT64_FORMAT " or more.", range.min, count->min);
	if (count->has_max && range.max > count->max)
		ADD(FEATURE_TYPE_HIGH_NUMBER_VALUES, "Superfluous values",
			"Some examples have %d values; the schema allows " INT64_FORMAT " at most.", range.max, count->max);
}

static void
check_value_counts(const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	int i;

	if (expected->n_counts != fm_view_n_levels(view))
	{
		ADD(VALUE_NESTEDNESS_MISMATCH, "Mismatched value nest level",
			"The values are nested %d levels deep; the schema expects %d, so the numbers of values are not checked.",
			fm_view_n_levels(view), expected->n_counts);
		return;
	}
	for (i = 0; i < expected->n_counts; i++)
	{
		const Tfmd__ValueCount *count = &expected->counts[i];
		FmLengthRange range = fm_view_length_range(view, i);

		if (count->has_min && range.min < count->min)
			ADD(FEATURE_TYPE_LOW_NUMBER_VALUES, "Missing values",
				"At nesting level %d some examples have only %d values; the schema expects " INT64_FORMAT " or more.",
				i, range.min, count->min);
		if (count->has_max && range.max > count->max)
			ADD(FEATURE_TYPE_HIGH_NUMBER_VALUES, "Superfluous values",
				"At nesting level %d some examples have %d values; the schema allows " INT64_FORMAT " at most.", i,
				range.max, count->max);
	}
}

static bool
is_missing_somewhere(const FmFeatureView *view)
{
	int i;

	for (i = 0; i < fm_view_n_missing_levels(view); i++)
		if (fm_view_missing_at_level(view, i) != 0)
			return true;
	return false;
}

static void
check_shape(const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	int wanted = 1;
	int found = 1;
	size_t i;

	/* TFDV multiplies in 32 bits */
	for (i = 0; i < expected->shape->n_dim; i++)
		wanted = (int) (uint32) ((uint64) (int64) wanted * (uint64) expected->shape->dim[i]->size);
	for (i = 0; i < (size_t) fm_view_n_levels(view); i++)
	{
		FmLengthRange range = fm_view_length_range(view, (int) i);

		if (range.min != range.max || range.min == 0)
		{
			found = -1;
			break;
		}
		found = (int) ((uint32) found * (uint32) range.min);
	}
	if (found <= 0 || is_missing_somewhere(view))
		ADD(INVALID_FEATURE_SHAPE, "Feature shape dropped",
			"The schema gives the feature a fixed shape (%d in all), but %s. Use value_count instead of shape, or "
			"complete the data.",
			wanted,
			found <= 0 ? "the number of values varies between examples or is 0"
					   : "it is missing in some examples (or at some level of nesting)");
	else if (found != wanted)
		ADD(INVALID_FEATURE_SHAPE, "Feature shape dropped",
			"The number of values is %d in every example, but the shape in the schema has room for %d. Correct the "
			"shape.",
			found, wanted);
}

static void
check_presence(const FmFeatureView *view, const FmExpected *expected, FmReasons *reasons)
{
	double present = fm_view_num_present(view);
	double min_fraction = expected->min_fraction;
	double fraction;

	if (expected->has_min_count && present < (double) expected->min_count)
		ADD(FEATURE_TYPE_LOW_NUMBER_PRESENT, "Column dropped",
			"The feature is present in " INT64_FORMAT " examples; the schema expects a minimum of " INT64_FORMAT ".",
			fm_double_to_int64(present), expected->min_count);
	if (!expected->has_min_fraction || !fm_view_fraction_present(view, &fraction))
		return;
	if (fraction < min_fraction)
	{
		ADD(FEATURE_TYPE_LOW_FRACTION_PRESENT, "Column dropped",
			"The feature is present in a fraction of %f of the examples; the schema expects a minimum fraction of %f. "
			"It "
			"is missing in %g examples.",
			fraction, (float) min_fraction, fm_view_num_missing(view));
		min_fraction = fraction;
	}
	if (min_fraction == 1.0 && fm_view_num_missing(view) != 0)
		/* so few that the fraction rounds to 1 */
		ADD(FEATURE_TYPE_LOW_FRACTION_PRESENT, "Column dropped",
			"The schema expects the feature in every example; it is missing in %g examples.",
			fm_view_num_missing(view));
}

static void
check_type(const FmFeatureView *view, FmExpected *expected, FmReasons *reasons)
{
	const char *found;
	const char *wanted;

	if (fm_view_type(view) == expected->type)
		return;
	expected->deprecated = true;
	expected->derived = false;
	found = fm_enum_name(&tfmd__feature_name_statistics__type__descriptor, view->statistics->type);
	wanted = fm_enum_name(&tfmd__feature_type__descriptor, expected->type);
	ADD(UNEXPECTED_DATA_TYPE, "Unexpected data type",
		"The schema expects values of type %s; the data has values of type %s. Convert the column, or correct the type "
		"in the schema.",
		wanted ? wanted : psprintf("unknown(%d)", (int) expected->type),
		found ? found : psprintf("unknown(%d)", (int) view->statistics->type));
}

static void
check_unique(const FmFeatureView *view, const Tfmd__UniqueConstraints *constraints, FmReasons *reasons)
{
	int64 min = constraints->has_min ? constraints->min : 0;
	int64 max = constraints->has_max ? constraints->max : 0;
	int unique;

	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
	{
		ADD(FEATURE_TYPE_NO_UNIQUE, "No unique values",
			"The schema limits the number of unique values, but the statistics do not count them: the feature is "
			"neither "
			"text nor categorical. Remove unique_constraints, or make the feature categorical.");
		return;
	}
	unique = (int) (uint32) view->statistics->string_stats->unique;
	if (unique < min)
		ADD(FEATURE_TYPE_LOW_UNIQUE, "Low number of unique values",
			"The feature has %d unique values; the schema expects " INT64_FORMAT " or more.", unique, min);
	if (unique > max)
		ADD(FEATURE_TYPE_HIGH_UNIQUE, "High number of unique values",
			"The feature has %d unique values; the schema allows " INT64_FORMAT " at most%s.", unique, max,
			constraints->has_max ? "" : " (no maximum is set, which counts as 0)");
}

/*
 * A feature that validation made itself says so in the statistics, and the schema has to say the same
 */
static void
check_derived(const FmFeatureView *view, FmExpected *expected, FmReasons *reasons)
{
	bool has_source = expected->feature->validation_derived_source != NULL;

	if (view->statistics->validation_derived_source != NULL && !has_source)
	{
		ADD(DERIVED_FEATURE_INVALID_SOURCE, "Derived source not set in schema.",
			"The statistics say that this feature is derived from others; the schema does not. Set its "
			"validation_derived_source.");
		has_source = true;
		expected->derived = true;
		expected->deprecated = false;
	}
	if (has_source && !expected->derived && !expected->deprecated)
	{
		const Tfmd__Feature *feature = expected->feature;
		const char *stage = fm_enum_name(&tfmd__lifecycle_stage__descriptor,
										 feature->has_lifecycle_stage ? feature->lifecycle_stage : 0);

		ADD(DERIVED_FEATURE_BAD_LIFECYCLE, "Derived feature has wrong lifecycle.",
			"The feature has a validation_derived_source, so its lifecycle_stage should be VALIDATION_DERIVED; it is "
			"%s.",
			stage ? stage : "unknown");
	}
}

bool
fm_check_feature(const FmCheck *check, const FmFeatureView *view, const Tfmd__Feature *feature, FmReasons *reasons,
				 Tfmd__DriftSkewInfo **drift, bool *deprecated)
{
	FmExpected expected;

	*drift = NULL;
	fm_check_schema_feature(check, feature, &expected, reasons);
	*deprecated = expected.deprecated;
	if (expected.deprecated)
		return true;
	if (view->common == NULL)
		return fm_refuse_statistics(check, view,
									"It has custom statistics only, but the schema knows it as an ordinary feature.");
	if (fm_view_num_present(view) == 0)
	{
		if (fm_expected_is_required(check, &expected))
		{
			ADD(FEATURE_TYPE_NOT_PRESENT, "Column dropped",
				"No example has a value of this feature, and the schema requires it. Deliver it, or relax its presence "
				"(min_count and min_fraction 0).");
			*deprecated = true;
		}
		return true;
	}
	if (!fm_feature_in_environment(check->schema, feature, check->environment))
		ADD(SCHEMA_NEW_COLUMN, "Column missing in environment",
			"The data has the column %s, which the schema does not expect in the environment %s. Drop it from the "
			"data, or "
			"add the environment to its in_environment.",
			fm_path_serialize(&view->path), check->environment);

	if (expected.nested_counts)
		check_value_counts(view, &expected, reasons);
	else if (expected.n_counts > 0)
		check_value_count(view, &expected, reasons);
	if (expected.shape != NULL)
		check_shape(view, &expected, reasons);
	check_presence(view, &expected, reasons);
	check_type(view, &expected, reasons);
	if (!fm_check_domain(check, view, &expected, reasons))
		return false;
	if (feature->unique_constraints != NULL)
		check_unique(view, feature->unique_constraints, reasons);
	if (!fm_check_comparators(check, view, feature, reasons, drift))
		return false;
	check_derived(view, &expected, reasons);
	*deprecated = expected.deprecated;
	return true;
}

/* -- sparse and weighted features: their statistics are custom ones -- */

/* As a C++ cast to int gives it on the machines TFDV runs on */
static int
to_int(double value)
{
	return value > -2147483649.0 && value < 2147483648.0 ? (int) value : PG_INT32_MIN;
}

static void
check_index_features(const Tfmd__CustomStatistic *statistic, bool lengths, FmReasons *reasons)
{
	const Tfmd__RankHistogram *histogram = statistic->rank_histogram;
	size_t i;

	if (statistic->val_case != TFMD__CUSTOM_STATISTIC__VAL_RANK_HISTOGRAM)
		return;
	for (i = 0; i < histogram->n_buckets; i++)
	{
		const char *index = histogram->buckets[i]->label;
		double count = histogram->buckets[i]->sample_count;

		if (lengths && count != 0)
			ADD(SPARSE_FEATURE_LENGTH_MISMATCH, "Length mismatch between value and index feature",
				"The index feature %s and the value feature differ in length: %s = %d (length of the index minus "
				"length "
				"of the value).",
				index, statistic->name, to_int(count));
		else if (!lengths && to_int(count) != 0)
			ADD(SPARSE_FEATURE_MISSING_INDEX, "Missing index feature",
				"%d examples have the value feature but not the index feature %s.", to_int(count), index);
	}
}

void
fm_check_sparse_feature(const FmFeatureView *view, FmReasons *reasons)
{
	size_t i;

	for (i = 0; i < view->statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *statistic = view->statistics->custom_stats[i];

		if (strcmp(statistic->name, "missing_value") == 0 && fm_custom_number(statistic) != 0)
			ADD(SPARSE_FEATURE_MISSING_VALUE, "Missing value feature",
				"%g examples have an index feature but not the value feature.", fm_custom_number(statistic));
		else if (strcmp(statistic->name, "missing_index") == 0)
			check_index_features(statistic, false, reasons);
		else if (strcmp(statistic->name, "max_length_diff") == 0 || strcmp(statistic->name, "min_length_diff") == 0)
			check_index_features(statistic, true, reasons);
	}
}

void
fm_check_weighted_feature(const FmFeatureView *view, FmReasons *reasons)
{
	int min_difference = 0;
	int max_difference = 0;
	size_t i;

	for (i = 0; i < view->statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *statistic = view->statistics->custom_stats[i];
		double number = fm_custom_number(statistic);

		if (number == 0)
			continue;
		if (strcmp(statistic->name, "missing_value") == 0)
			ADD(WEIGHTED_FEATURE_MISSING_VALUE, "Missing value feature",
				"%g examples have the weight feature but not the value feature.", number);
		else if (strcmp(statistic->name, "missing_weight") == 0)
			ADD(WEIGHTED_FEATURE_MISSING_WEIGHT, "Missing weight feature",
				"%g examples have the value feature but not the weight feature.", number);
		else if (strcmp(statistic->name, "min_weight_length_diff") == 0)
			min_difference = to_int(number);
		else if (strcmp(statistic->name, "max_weight_length_diff") == 0)
			max_difference = to_int(number);
	}
	if (min_difference != 0 || max_difference != 0)
		ADD(WEIGHTED_FEATURE_LENGTH_MISMATCH, "Length mismatch between value and weight feature",
			"The weight feature and the value feature differ in length: min_weight_length_diff = %d and "
			"max_weight_length_diff = %d (length of the weight minus length of the value).",
			min_difference, max_difference);
}
