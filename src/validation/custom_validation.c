/*
 * Custom validations: expressions of a configuration, evaluated over the statistics of a feature or a pair of them
 */
#include "fm_core.h"
#include "validation/expression.h"
#include "validation/name_table.h"
#include "validation/validation.h"

/* The statistics that expressions are about: features by data set and path */
typedef struct Features
{
	const Tfmd__DatasetFeatureStatisticsList *statistics;
	FmNameTable *datasets; /* the first data set of each name */
	FmNameTable *features; /* of several with one path the last stands */
} Features;

typedef struct CustomValidation
{
	Tfmd__Anomalies *anomalies;
	FmNameTable *entries;
	const char *environment;
	FmError *error;
} CustomValidation;

static void
find_features(Features *features, const Tfmd__DatasetFeatureStatisticsList *statistics)
{
	size_t i;
	size_t k;

	features->statistics = statistics;
	features->datasets = fm_name_table(statistics->n_datasets);
	features->features = fm_name_table(64);
	for (i = 0; i < statistics->n_datasets; i++)
	{
		const Tfmd__DatasetFeatureStatistics *dataset = statistics->datasets[i];
		void **slot = fm_name_table_add(features->datasets, NULL, dataset->name);
		const void *owner;

		if (dataset->n_features == 0)
			continue;
		if (*slot == NULL)
			*slot = statistics->datasets[i];
		owner = *slot;
		for (k = 0; k < dataset->n_features; k++)
		{
			const Tfmd__FeatureNameStatistics *feature = dataset->features[k];
			FmPath path = {0, NULL};

			CHECK_FOR_INTERRUPTS();
			if (feature->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH)
				path = fm_path_from_message(feature->path);
			*fm_name_table_add(features->features, owner, fm_path_serialize(&path)) = dataset->features[k];
		}
	}
}

static const Tfmd__FeatureNameStatistics *
find_feature(const Features *features, const char *dataset_name, const Tfmd__Path *path_message, FmError *error)
{
	FmPath path = fm_path_from_message(path_message);
	const char *serialized = fm_path_serialize(&path);
	const char *name = dataset_name == NULL ? "" : dataset_name;
	const void *dataset = fm_name_table_find(features->datasets, NULL, name);
	const Tfmd__FeatureNameStatistics *found;

	if (dataset == NULL && *name == '\0')
		dataset = fm_name_table_find(features->datasets, NULL, "All Examples");
	if (dataset == NULL)
	{
		fm_fail(error, ERRCODE_UNDEFINED_OBJECT, "data set \"%s\" of the custom validation is not in the statistics",
				name);
		return NULL;
	}
	found = fm_name_table_find(features->features, dataset, serialized);
	if (found == NULL)
		fm_fail(error, ERRCODE_UNDEFINED_OBJECT, "feature \"%s\" of the custom validation is not in the statistics",
				serialized);
	return found;
}

/* A validation that names environments is for those only; without an environment it is not run */
static bool
is_for_environment(const Tfdv__Validation *validation, const char *environment)
{
	size_t i;

	if (validation->n_in_environment == 0)
		return true;
	for (i = 0; environment != NULL && i < validation->n_in_environment; i++)
		if (strcmp(validation->in_environment[i], environment) == 0)
			return true;
	return false;
}

static void
add_reason(CustomValidation *custom, const Tfmd__Path *path_message, const Tfdv__Validation *validation,
		   char *description)
{
	FmPath path = fm_path_from_message(path_message);
	char *key = fm_path_serialize(&path);
	void **slot = fm_name_table_add(custom->entries, NULL, key);
	Tfmd__AnomalyInfo__Severity severity =
		validation->has_severity ? validation->severity : TFMD__ANOMALY_INFO__SEVERITY__UNKNOWN;
	Tfmd__AnomalyInfo__Reason *reason = FM_NEW(Tfmd__AnomalyInfo__Reason, tfmd__anomaly_info__reason);
	Tfmd__AnomalyInfo *info = *slot;

	if (info == NULL)
	{
		Tfmd__Anomalies__AnomalyInfoEntry *entry =
			FM_NEW(Tfmd__Anomalies__AnomalyInfoEntry, tfmd__anomalies__anomaly_info_entry);

		info = FM_NEW(Tfmd__AnomalyInfo, tfmd__anomaly_info);
		info->path = fm_path_to_message(&path);
		entry->key = key;
		entry->value = info;
		*slot = info;
		FM_APPEND(custom->anomalies->n_anomaly_info, custom->anomalies->anomaly_info, entry);
	}
	info->has_severity = true;
	info->severity = Max(info->severity, severity);
	reason->has_type = true;
	reason->type = TFMD__ANOMALY_INFO__TYPE__CUSTOM_VALIDATION;
	reason->short_description = validation->description == NULL ? "" : validation->description;
	reason->description = description;
	FM_APPEND(info->n_reason, info->reason, reason);
}

/* Evaluates the validations of one feature or pair */
static bool
run_validations(CustomValidation *custom, Tfdv__Validation **validations, size_t n, const FmExpressionInput *inputs,
				int n_inputs, const Tfmd__Path *path, const char *where)
{
	size_t i;

	for (i = 0; i < n; i++)
	{
		const char *text = validations[i]->sql_expression == NULL ? "" : validations[i]->sql_expression;
		bool valid;

		CHECK_FOR_INTERRUPTS();
		if (!is_for_environment(validations[i], custom->environment))
			continue;
		if (!fm_expression_test(text, inputs, n_inputs, &valid, custom->error))
		{
			const char *detail = custom->error->detail;

			custom->error->detail = NULL;
			fm_fail_detail(custom->error, "%s%sExpression: %s", detail == NULL ? "" : detail,
						   detail == NULL ? "" : "\n", text);
			return false;
		}
		if (!valid)
			add_reason(custom, path, validations[i],
					   psprintf("Custom validation triggered anomaly. Query: %s Test dataset: %s", text, where));
	}
	return true;
}

static const char *
test_name(const char *dataset_name)
{
	return dataset_name == NULL || *dataset_name == '\0' ? "default slice" : dataset_name;
}

Tfmd__Anomalies *
fm_custom_validate(const Tfmd__DatasetFeatureStatisticsList *statistics,
				   const Tfmd__DatasetFeatureStatisticsList *base_statistics,
				   const Tfdv__CustomValidationConfig *config, const char *environment, FmError *error)
{
	CustomValidation custom = {0};
	Features test;
	Features base;
	size_t i;

	custom.anomalies = FM_NEW(Tfmd__Anomalies, tfmd__anomalies);
	custom.entries = fm_name_table(16);
	/* the empty name is, for TFDV, none */
	custom.environment = environment != NULL && *environment != '\0' ? environment : NULL;
	custom.error = error;
	find_features(&test, statistics);
	for (i = 0; i < config->n_feature_validations; i++)
	{
		const Tfdv__FeatureValidation *validation = config->feature_validations[i];
		FmExpressionInput inputs[1] = {{"feature", NULL}};

		inputs[0].message =
			(const ProtobufCMessage *) find_feature(&test, validation->dataset_name, validation->feature_path, error);
		if (inputs[0].message == NULL ||
			!run_validations(&custom, validation->validations, validation->n_validations, inputs, 1,
							 validation->feature_path, test_name(validation->dataset_name)))
			return NULL;
	}
	if (config->n_feature_pair_validations == 0)
		return custom.anomalies;
	if (base_statistics == NULL || base_statistics->n_datasets == 0)
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE,
				"the configuration has validations of pairs, but there are no base statistics");
		return NULL;
	}
	find_features(&base, base_statistics);
	for (i = 0; i < config->n_feature_pair_validations; i++)
	{
		const Tfdv__FeaturePairValidation *validation = config->feature_pair_validations[i];
		FmExpressionInput inputs[2] = {{"feature_test", NULL}, {"feature_base", NULL}};
		FmPath base_path = fm_path_from_message(validation->feature_base_path);

		inputs[0].message = (const ProtobufCMessage *) find_feature(&test, validation->dataset_name,
																	validation->feature_test_path, error);
		if (inputs[0].message == NULL)
			return NULL;
		inputs[1].message = (const ProtobufCMessage *) find_feature(&base, validation->base_dataset_name,
																	validation->feature_base_path, error);
		if (inputs[1].message == NULL ||
			!run_validations(&custom, validation->validations, validation->n_validations, inputs, 2,
							 validation->feature_test_path,
							 psprintf("%s Base dataset: %s Base path: %s", test_name(validation->dataset_name),
									  validation->base_dataset_name == NULL ? "" : validation->base_dataset_name,
									  fm_path_serialize(&base_path))))
			return NULL;
	}
	return custom.anomalies;
}
