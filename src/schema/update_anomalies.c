/*
 * Loosening a schema by what anomalies say, when the statistics are gone
 *
 * An anomaly names the constraint that was broken but, the drift measurements apart, not the figure that would hold. So
 * where update_schema would write the figure seen, here the broken bound is taken away; every other fix is the same.
 */
#include "fm_core.h"
#include "schema/edit.h"
#include "schema/schema.h"

static void
set_stage(Tfmd__Feature *feature, Tfmd__LifecycleStage stage)
{
	feature->has_lifecycle_stage = true;
	feature->lifecycle_stage = stage;
}

/*
 * A column that only an anomaly tells of: known from now on, its type and the rest are not. One that the schema has is
 * missing in the environment only; which one the anomaly does not say, so it is put into all.
 */
static void
add_new_column(Tfmd__Schema *schema, const FmPath *path)
{
	Tfmd__Feature *feature = FM_NEW(Tfmd__Feature, tfmd__feature);
	FmPath parent_path = {path->n_step - 1, path->step};
	Tfmd__Feature *parent;
	Tfmd__Feature *known = fm_schema_find_feature(schema, path);

	if (known != NULL)
		known->n_not_in_environment = 0;
	if (path->n_step == 0 || known != NULL)
		return;
	feature->name = pstrdup(path->step[path->n_step - 1]);
	set_stage(feature, TFMD__LIFECYCLE_STAGE__ALPHA);
	if (path->n_step == 1)
	{
		FM_APPEND(schema->n_feature, schema->feature, feature);
		return;
	}
	parent = fm_schema_find_feature(schema, &parent_path);
	if (parent == NULL || parent->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
		return;
	FM_APPEND(parent->struct_domain->n_feature, parent->struct_domain->feature, feature);
}

static void
loosen_counts(Tfmd__Feature *feature, bool low)
{
	Tfmd__ValueCount *one[1];
	Tfmd__ValueCount **counts = one;
	size_t n_counts = 1;
	size_t i;

	if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
		one[0] = feature->value_count;
	else if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS)
	{
		counts = feature->value_counts->value_count;
		n_counts = feature->value_counts->n_value_count;
	}
	else
		return;
	for (i = 0; i < n_counts; i++)
	{
		if (low)
			counts[i]->has_min = false;
		else
			counts[i]->has_max = false;
	}
}

static void
clear_bound(Tfmd__Feature *feature, bool low)
{
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN)
		*(low ? &feature->int_domain->has_min : &feature->int_domain->has_max) = false;
	else if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN)
		*(low ? &feature->float_domain->has_min : &feature->float_domain->has_max) = false;
}

static void
clear_presence(Tfmd__Feature *feature, bool fraction)
{
	if (feature->presence_constraints_case != TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE)
		return;
	if (fraction)
		feature->presence->has_min_fraction = false;
	else
		feature->presence->has_min_count = false;
}

/*
 * Values outside the domain are allowed; the domain stays, because its values are still what is usual
 */
static void
allow_other_values(Tfmd__Feature *feature)
{
	if (feature->distribution_constraints == NULL)
		feature->distribution_constraints = FM_NEW(Tfmd__DistributionConstraints, tfmd__distribution_constraints);
	feature->distribution_constraints->has_min_domain_mass = true;
	feature->distribution_constraints->min_domain_mass = 0;
}

static void
apply_reason(Tfmd__Schema *schema, Tfmd__Feature *feature, const Tfmd__AnomalyInfo__Reason *reason)
{
	switch (reason->type)
	{
		case TFMD__ANOMALY_INFO__TYPE__COMPARATOR_CONTROL_DATA_MISSING:
			/* "previous data missing" or "serving data missing" */
			if (reason->short_description == NULL || strncmp(reason->short_description, "serving", 7) != 0)
				feature->drift_comparator = NULL;
			if (reason->short_description == NULL || strncmp(reason->short_description, "previous", 8) != 0)
				feature->skew_comparator = NULL;
			break;
		case TFMD__ANOMALY_INFO__TYPE__SCHEMA_MISSING_COLUMN:
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_NOT_PRESENT:
		case TFMD__ANOMALY_INFO__TYPE__UNEXPECTED_DATA_TYPE:
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_MISSING_NAME:
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_MISSING_TYPE:
		case TFMD__ANOMALY_INFO__TYPE__SPARSE_FEATURE_NAME_COLLISION:
		case TFMD__ANOMALY_INFO__TYPE__WEIGHTED_FEATURE_NAME_COLLISION:
			set_stage(feature, TFMD__LIFECYCLE_STAGE__DEPRECATED);
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_LOW_NUMBER_VALUES:
			loosen_counts(feature, true);
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_HIGH_NUMBER_VALUES:
			loosen_counts(feature, false);
			break;
		case TFMD__ANOMALY_INFO__TYPE__VALUE_NESTEDNESS_MISMATCH:
		case TFMD__ANOMALY_INFO__TYPE__INVALID_FEATURE_SHAPE:
			feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE__NOT_SET;
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_LOW_FRACTION_PRESENT:
			clear_presence(feature, true);
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_LOW_NUMBER_PRESENT:
			clear_presence(feature, false);
			break;
		case TFMD__ANOMALY_INFO__TYPE__ENUM_TYPE_UNEXPECTED_STRING_VALUES:
			allow_other_values(feature);
			break;
		case TFMD__ANOMALY_INFO__TYPE__INT_TYPE_SMALL_INT:
		case TFMD__ANOMALY_INFO__TYPE__FLOAT_TYPE_SMALL_FLOAT:
			clear_bound(feature, true);
			break;
		case TFMD__ANOMALY_INFO__TYPE__INT_TYPE_BIG_INT:
		case TFMD__ANOMALY_INFO__TYPE__FLOAT_TYPE_BIG_FLOAT:
			clear_bound(feature, false);
			break;
		case TFMD__ANOMALY_INFO__TYPE__FLOAT_TYPE_HAS_NAN:
			if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN)
				feature->float_domain->disallow_nan = false;
			break;
		case TFMD__ANOMALY_INFO__TYPE__FLOAT_TYPE_HAS_INF:
			if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN)
				feature->float_domain->disallow_inf = false;
			break;
		case TFMD__ANOMALY_INFO__TYPE__BOOL_TYPE_BIG_INT:
		case TFMD__ANOMALY_INFO__TYPE__BOOL_TYPE_SMALL_INT:
			feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN;
			feature->int_domain = FM_NEW(Tfmd__IntDomain, tfmd__int_domain);
			break;
		case TFMD__ANOMALY_INFO__TYPE__BOOL_TYPE_UNEXPECTED_FLOAT:
			feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN;
			feature->float_domain = FM_NEW(Tfmd__FloatDomain, tfmd__float_domain);
			break;
		case TFMD__ANOMALY_INFO__TYPE__BOOL_TYPE_UNEXPECTED_STRING:
		case TFMD__ANOMALY_INFO__TYPE__INT_TYPE_NOT_INT_STRING:
		case TFMD__ANOMALY_INFO__TYPE__FLOAT_TYPE_STRING_NOT_FLOAT:
		case TFMD__ANOMALY_INFO__TYPE__ENUM_TYPE_INVALID_UTF8:
		case TFMD__ANOMALY_INFO__TYPE__DOMAIN_INVALID_FOR_TYPE:
		case TFMD__ANOMALY_INFO__TYPE__INVALID_DOMAIN_SPECIFICATION:
		case TFMD__ANOMALY_INFO__TYPE__STATS_NOT_AVAILABLE:
			if (feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
				feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_LOW_UNIQUE:
			if (feature->unique_constraints != NULL)
			{
				feature->unique_constraints->has_min = true;
				feature->unique_constraints->min = 0;
			}
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_HIGH_UNIQUE:
			if (feature->unique_constraints != NULL)
			{
				feature->unique_constraints->has_max = true;
				feature->unique_constraints->max = PG_INT64_MAX;
			}
			break;
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_NO_UNIQUE:
			feature->unique_constraints = NULL;
			break;
		case TFMD__ANOMALY_INFO__TYPE__LOW_SUPPORTED_IMAGE_FRACTION:
			if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN)
				feature->image_domain->has_minimum_supported_image_fraction = false;
			break;
		case TFMD__ANOMALY_INFO__TYPE__MAX_IMAGE_BYTE_SIZE_EXCEEDED:
			if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN)
				feature->image_domain->has_max_image_byte_size = false;
			break;
		case TFMD__ANOMALY_INFO__TYPE__DERIVED_FEATURE_BAD_LIFECYCLE:
			set_stage(feature, TFMD__LIFECYCLE_STAGE__VALIDATION_DERIVED);
			break;
		default:
			break;
	}
}

/*
 * Thresholds rise to what was measured
 */
static void
raise_thresholds(Tfmd__FeatureComparator *comparator, Tfmd__DriftSkewInfo__Measurement **measurements, size_t n)
{
	size_t i;

	if (comparator == NULL)
		return;
	for (i = 0; i < n; i++)
	{
		double value = measurements[i]->value;

		switch (measurements[i]->type)
		{
			case TFMD__DRIFT_SKEW_INFO__MEASUREMENT__TYPE__L_INFTY:
				if (comparator->infinity_norm != NULL && comparator->infinity_norm->has_threshold)
					comparator->infinity_norm->threshold = Max(comparator->infinity_norm->threshold, value);
				break;
			case TFMD__DRIFT_SKEW_INFO__MEASUREMENT__TYPE__JENSEN_SHANNON_DIVERGENCE:
				if (comparator->jensen_shannon_divergence != NULL &&
					comparator->jensen_shannon_divergence->has_threshold)
					comparator->jensen_shannon_divergence->threshold =
						Max(comparator->jensen_shannon_divergence->threshold, value);
				break;
			case TFMD__DRIFT_SKEW_INFO__MEASUREMENT__TYPE__NORMALIZED_ABSOLUTE_DIFFERENCE:
				if (comparator->normalized_abs_difference != NULL &&
					comparator->normalized_abs_difference->has_threshold)
					comparator->normalized_abs_difference->threshold =
						Max(comparator->normalized_abs_difference->threshold, value);
				break;
			default:
				break;
		}
	}
}

static bool
is_listed(const FmPath *path, const FmPath *paths, int n_paths)
{
	int i;

	if (paths == NULL)
		return true;
	for (i = 0; i < n_paths; i++)
		if (fm_path_equal(path, &paths[i]))
			return true;
	return false;
}

static void
apply_dataset_reason(Tfmd__DatasetConstraints *constraints, Tfmd__AnomalyInfo__Type type)
{
	switch (type)
	{
		case TFMD__ANOMALY_INFO__TYPE__DATASET_LOW_NUM_EXAMPLES:
			constraints->has_min_examples_count = true;
			constraints->min_examples_count = 0; /* unset, it would switch the maximum off too */
			break;
		case TFMD__ANOMALY_INFO__TYPE__DATASET_HIGH_NUM_EXAMPLES:
			constraints->has_max_examples_count = false;
			break;
		case TFMD__ANOMALY_INFO__TYPE__COMPARATOR_LOW_NUM_EXAMPLES:
			if (constraints->num_examples_drift_comparator != NULL)
				constraints->num_examples_drift_comparator->has_min_fraction_threshold = false;
			if (constraints->num_examples_version_comparator != NULL)
				constraints->num_examples_version_comparator->has_min_fraction_threshold = false;
			break;
		case TFMD__ANOMALY_INFO__TYPE__COMPARATOR_HIGH_NUM_EXAMPLES:
			if (constraints->num_examples_drift_comparator != NULL)
				constraints->num_examples_drift_comparator->has_max_fraction_threshold = false;
			if (constraints->num_examples_version_comparator != NULL)
				constraints->num_examples_version_comparator->has_max_fraction_threshold = false;
			break;
		default:
			break;
	}
}

/*
 * The reasons of one entry of the map
 */
static void
apply_anomaly(Tfmd__Schema *schema, const FmPath *path, const Tfmd__AnomalyInfo *info)
{
	size_t i;

	for (i = 0; i < info->n_reason; i++)
	{
		Tfmd__AnomalyInfo__Type type = info->reason[i]->type;
		Tfmd__Feature *feature = fm_schema_find_feature(schema, path);
		Tfmd__SparseFeature *sparse = fm_schema_find_sparse_feature(schema, path);
		Tfmd__WeightedFeature *weighted = fm_schema_find_weighted_feature(schema, path);

		if (type == TFMD__ANOMALY_INFO__TYPE__SCHEMA_NEW_COLUMN)
			add_new_column(schema, path);
		else if (sparse != NULL || weighted != NULL)
		{
			/* all that validation says of them is that they cannot be put together */
			if (sparse != NULL)
			{
				sparse->has_lifecycle_stage = true;
				sparse->lifecycle_stage = TFMD__LIFECYCLE_STAGE__DEPRECATED;
			}
			if (weighted != NULL)
			{
				weighted->has_lifecycle_stage = true;
				weighted->lifecycle_stage = TFMD__LIFECYCLE_STAGE__DEPRECATED;
			}
			if (feature != NULL)
				set_stage(feature, TFMD__LIFECYCLE_STAGE__DEPRECATED);
		}
		else if (feature != NULL)
		{
			fm_schema_mend_feature(schema, feature);
			apply_reason(schema, feature, info->reason[i]);
		}
	}
}

bool
fm_update_schema_by_anomalies(Tfmd__Schema *schema, const Tfmd__Anomalies *anomalies, const FmPath *paths, int n_paths,
							  FmError *error)
{
	size_t i;

	for (i = 0; i < anomalies->n_anomaly_info; i++)
	{
		const Tfmd__AnomalyInfo *info = anomalies->anomaly_info[i]->value;
		FmPath path;

		CHECK_FOR_INTERRUPTS();
		if (info == NULL)
			continue;
		if (info->path != NULL && info->path->n_step > 0)
			path = fm_path_from_message(info->path);
		else if (!fm_path_parse(anomalies->anomaly_info[i]->key, &path, error))
			return false;
		if (is_listed(&path, paths, n_paths))
			apply_anomaly(schema, &path, info);
	}
	for (i = 0; i < anomalies->n_drift_skew_info; i++)
	{
		const Tfmd__DriftSkewInfo *info = anomalies->drift_skew_info[i];
		FmPath path = fm_path_from_message(info->path);
		Tfmd__Feature *feature = fm_schema_find_feature(schema, &path);

		if (feature == NULL || !is_listed(&path, paths, n_paths))
			continue;
		raise_thresholds(feature->drift_comparator, info->drift_measurements, info->n_drift_measurements);
		raise_thresholds(feature->skew_comparator, info->skew_measurements, info->n_skew_measurements);
	}
	if (anomalies->dataset_anomaly_info != NULL && schema->dataset_constraints != NULL && paths == NULL)
		for (i = 0; i < anomalies->dataset_anomaly_info->n_reason; i++)
			apply_dataset_reason(schema->dataset_constraints, anomalies->dataset_anomaly_info->reason[i]->type);
	return true;
}
