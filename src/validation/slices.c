/*
 * Corresponding slices: the data sets of sliced statistics laid side by side in one, and the schema repeated for each
 */
#include "fm_core.h"
#include "validation/name_table.h"
#include "validation/validation.h"

/* The names of all slices, each once, in order of appearance */
typedef struct SliceNames
{
	FmNameTable *known;
	size_t n;
	char **name;
} SliceNames;

static char *
slice_name(const char *slice, const char *feature)
{
	return psprintf("slice(%s)::%s", slice, feature == NULL ? "" : feature);
}

static void
note_slice(SliceNames *slices, char *name)
{
	void **slot = fm_name_table_add(slices->known, NULL, name);

	if (*slot != NULL)
		return;
	*slot = name;
	FM_APPEND(slices->n, slices->name, name);
}

/* The slice of all examples: the only one, or the one called so */
static const Tfmd__DatasetFeatureStatistics *
overall_slice(const Tfmd__DatasetFeatureStatisticsList *statistics)
{
	size_t i;

	for (i = 0; i < statistics->n_datasets; i++)
	{
		const Tfmd__DatasetFeatureStatistics *dataset = statistics->datasets[i];

		if (statistics->n_datasets == 1 || strcmp(dataset->name, "All Examples") == 0)
			return dataset;
	}
	return NULL;
}

/*
 * One data set in place of many. NULL, with no error, if there were no statistics.
 */
static const Tfmd__DatasetFeatureStatisticsList *
flatten(const Tfmd__DatasetFeatureStatisticsList *statistics, SliceNames *slices, FmError *error)
{
	Tfmd__DatasetFeatureStatisticsList *result;
	const Tfmd__DatasetFeatureStatistics *overall;
	Tfmd__DatasetFeatureStatistics *flat;
	size_t n = 0;
	size_t i;
	size_t k;

	if (statistics == NULL)
		return NULL;
	overall = overall_slice(statistics);
	if (overall == NULL)
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "the statistics have no data set for all examples");
		fm_fail_hint(error, "Sliced statistics hold a data set named \"All Examples\" beside those of the slices.");
		return NULL;
	}
	for (i = 0; i < statistics->n_datasets; i++)
		n += statistics->datasets[i]->n_features;
	flat = FM_NEW(Tfmd__DatasetFeatureStatistics, tfmd__dataset_feature_statistics);
	*flat = *overall;
	flat->n_cross_features = 0;
	flat->n_features = 0;
	flat->features = palloc(sizeof(*flat->features) * Max(n, 1));
	for (i = 0; i < statistics->n_datasets; i++)
	{
		const Tfmd__DatasetFeatureStatistics *dataset = statistics->datasets[i];

		note_slice(slices, dataset->name);
		for (k = 0; k < dataset->n_features; k++)
		{
			const Tfmd__FeatureNameStatistics *from = dataset->features[k];
			Tfmd__FeatureNameStatistics *feature = palloc(sizeof(*feature));
			Tfmd__Path *path = FM_NEW(Tfmd__Path, tfmd__path);

			CHECK_FOR_INTERRUPTS();
			if (from->field_id_case != TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH || from->path->n_step == 0)
			{
				fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "a feature of slice \"%s\" has no path", dataset->name);
				return NULL;
			}
			path->n_step = from->path->n_step;
			path->step = palloc(sizeof(char *) * path->n_step);
			memcpy(path->step, from->path->step, sizeof(char *) * path->n_step);
			path->step[0] = slice_name(dataset->name, from->path->step[0]);
			*feature = *from;
			feature->path = path;
			flat->features[flat->n_features++] = feature;
		}
	}
	result = FM_NEW(Tfmd__DatasetFeatureStatisticsList, tfmd__dataset_feature_statistics_list);
	FM_APPEND(result->n_datasets, result->datasets, flat);
	return result;
}

/* Copies of a list of features whose names get the slice in front */
#define REPEAT(Type, list)                                                                                             \
	for (k = 0; k < schema->n_##list; k++)                                                                             \
	{                                                                                                                  \
		Type *copy = palloc(sizeof(Type));                                                                             \
                                                                                                                       \
		*copy = *schema->list[k];                                                                                      \
		copy->name = slice_name(slices->name[i], copy->name);                                                          \
		result->list[result->n_##list++] = copy;                                                                       \
	}

static const Tfmd__Schema *
repeat_schema(const Tfmd__Schema *schema, const SliceNames *slices)
{
	Tfmd__Schema *result = FM_NEW(Tfmd__Schema, tfmd__schema);
	size_t i;
	size_t k;

	result->n_string_domain = schema->n_string_domain;
	result->string_domain = schema->string_domain;
	result->n_float_domain = schema->n_float_domain;
	result->float_domain = schema->float_domain;
	result->n_int_domain = schema->n_int_domain;
	result->int_domain = schema->int_domain;
	result->n_default_environment = schema->n_default_environment;
	result->default_environment = schema->default_environment;
	result->feature = palloc(sizeof(void *) * (slices->n * schema->n_feature + 1));
	result->sparse_feature = palloc(sizeof(void *) * (slices->n * schema->n_sparse_feature + 1));
	result->weighted_feature = palloc(sizeof(void *) * (slices->n * schema->n_weighted_feature + 1));
	for (i = 0; i < slices->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		REPEAT(Tfmd__Feature, feature)
		REPEAT(Tfmd__SparseFeature, sparse_feature)
		REPEAT(Tfmd__WeightedFeature, weighted_feature)
	}
	return result;
}

Tfmd__Anomalies *
fm_validate_corresponding_slices(const FmValidation *validation, FmError *error)
{
	FmValidation flat = {0};
	SliceNames slices = {fm_name_table(16), 0, NULL};

	flat.environment = validation->environment;
	flat.statistics = flatten(validation->statistics, &slices, error);
	if (error->sqlstate == 0)
		flat.previous_statistics = flatten(validation->previous_statistics, &slices, error);
	if (error->sqlstate == 0)
		flat.serving_statistics = flatten(validation->serving_statistics, &slices, error);
	if (error->sqlstate != 0)
		return NULL;
	flat.schema = repeat_schema(validation->schema, &slices);
	return fm_validate_statistics(&flat, error);
}
