/*
 * Loosening a schema until statistics conform to it: TFDV's update_schema
 *
 * Each feature of the statistics is looked at in turn. One the schema does not have is added (infer.c); for one it
 * has, the schema's own mistakes are mended first, then every constraint that the data break is set to what was
 * seen, and what cannot be mended so (a column that is gone, another type) makes the feature DEPRECATED.
 * The order and the fixes are those that TFDV suggests with its anomalies.
 */
#include "fm_core.h"
#include "schema/edit.h"
#include "schema/update.h"

/* -- marks -- */

static void
deprecate(Tfmd__Feature *feature)
{
	feature->has_lifecycle_stage = true;
	feature->lifecycle_stage = TFMD__LIFECYCLE_STAGE__DEPRECATED;
}

static void
deprecate_sparse(Tfmd__SparseFeature *feature)
{
	feature->has_lifecycle_stage = true;
	feature->lifecycle_stage = TFMD__LIFECYCLE_STAGE__DEPRECATED;
}

static void
deprecate_weighted(Tfmd__WeightedFeature *feature)
{
	feature->has_lifecycle_stage = true;
	feature->lifecycle_stage = TFMD__LIFECYCLE_STAGE__DEPRECATED;
}

static Tfmd__FeaturePresence *
presence_of(const Tfmd__Feature *feature)
{
	return feature->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE ? feature->presence
																							  : NULL;
}

/* -- the schema's own mistakes -- */

static void
mend_value_count(Tfmd__ValueCount *count)
{
	if (count->has_min && count->min < 0)
	{
		count->has_min = false;
		count->min = 0;
	}
	if (count->has_max && count->max < (count->has_min ? count->min : 0))
		count->max = count->has_min ? count->min : 0;
}

static void
mend_shape(Tfmd__Feature *feature)
{
	size_t i;

	switch (feature->shape_type_case)
	{
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT:
			mend_value_count(feature->value_count);
			break;
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS:
			for (i = 0; i < feature->value_counts->n_value_count; i++)
				mend_value_count(feature->value_counts->value_count[i]);
			break;
		case TFMD__FEATURE__SHAPE_TYPE_SHAPE:
			for (i = 0; i < feature->shape->n_dim; i++)
				if (!feature->shape->dim[i]->has_size || feature->shape->dim[i]->size <= 0)
				{
					feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE__NOT_SET;
					break;
				}
			break;
		default:
			break;
	}
}

typedef struct DomainValue
{
	char *value;
	size_t index;
} DomainValue;

static int
compare_domain_values(const void *a, const void *b)
{
	const DomainValue *x = a;
	const DomainValue *y = b;
	int order = strcmp(x->value, y->value);

	return order != 0 ? order : (x->index < y->index ? -1 : 1);
}

/*
 * Keeps the first of equal values, in the order of the domain
 */
static void
drop_repeated_values(Tfmd__StringDomain *domain)
{
	DomainValue *sorted = palloc(sizeof(DomainValue) * (domain->n_value + 1));
	size_t kept = 0;
	size_t i;

	for (i = 0; i < domain->n_value; i++)
	{
		sorted[i].value = domain->value[i];
		sorted[i].index = i;
	}
	qsort(sorted, domain->n_value, sizeof(DomainValue), compare_domain_values);
	for (i = 1; i < domain->n_value; i++)
		if (strcmp(sorted[i].value, sorted[i - 1].value) == 0)
			domain->value[sorted[i].index] = NULL;
	for (i = 0; i < domain->n_value; i++)
		if (domain->value[i] != NULL)
			domain->value[kept++] = domain->value[i];
	domain->n_value = kept;
	pfree(sorted);
}

static void
mend_domain(const Tfmd__Schema *schema, Tfmd__Feature *feature)
{
	bool takes_distribution = false;

	if (!fm_domain_allows_type(feature))
		feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
			takes_distribution = true;
			if (fm_schema_find_string_domain(schema, feature->domain) == NULL)
				feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
			takes_distribution = true;
			drop_repeated_values(feature->string_domain);
			break;
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			if (feature->bool_domain->true_value != NULL && feature->bool_domain->false_value != NULL &&
				strcmp(feature->bool_domain->true_value, feature->bool_domain->false_value) == 0)
				feature->bool_domain->false_value = NULL;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_TIME_OF_DAY_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_AUDIO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_VIDEO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_CONTENT_CHUNK_DOMAIN:
			/* domains that TFDV does not know are taken away */
			takes_distribution = true;
			feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
			break;
		default:
			break;
	}
	if (!takes_distribution)
		feature->distribution_constraints = NULL;
}

/*
 * Mends what is wrong with the expectation whatever the data are; the feature may end up deprecated
 */
void
fm_schema_mend_feature(const Tfmd__Schema *schema, Tfmd__Feature *feature)
{
	Tfmd__FeaturePresence *presence = presence_of(feature);

	if (fm_feature_is_deprecated(feature))
		return;
	if (feature->name == NULL)
	{
		deprecate(feature);
		return;
	}
	if (!feature->has_type)
	{
		if (feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_DOMAIN &&
			feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN)
		{
			deprecate(feature);
			return;
		}
		feature->has_type = true;
		feature->type = TFMD__FEATURE_TYPE__BYTES;
	}
	if (presence != NULL && presence->has_min_fraction && presence->min_fraction < 0)
	{
		presence->has_min_fraction = false;
		presence->min_fraction = 0;
	}
	if (presence != NULL && presence->has_min_fraction && presence->min_fraction > 1)
		presence->min_fraction = 1;
	mend_shape(feature);
	mend_domain(schema, feature);
}

/* -- constraints that the data break -- */

static void
loosen_count(FmLengthRange range, Tfmd__ValueCount *count)
{
	if (count->has_min && range.min < count->min)
	{
		count->has_min = range.min != 0;
		count->min = range.min;
	}
	if (count->has_max && range.max > count->max)
		count->max = range.max;
}

static void
loosen_value_counts(const FmFeatureView *view, Tfmd__Feature *feature)
{
	int n_levels = fm_view_n_levels(view);
	int i;

	if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
	{
		if (n_levels == 1)
		{
			loosen_count(fm_view_length_range(view, 0), feature->value_count);
			return;
		}
	}
	else if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS)
	{
		if ((size_t) n_levels == feature->value_counts->n_value_count)
		{
			for (i = 0; i < n_levels; i++)
				loosen_count(fm_view_length_range(view, i), feature->value_counts->value_count[i]);
			return;
		}
	}
	else
		return;
	/* other nesting: as for a new feature */
	feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE__NOT_SET;
	fm_init_value_count(view, feature);
}

/*
 * A shape is kept if every level is always present and the lengths, all fixed, give the same number of values
 */
static void
loosen_shape(const FmFeatureView *view, Tfmd__Feature *feature)
{
	int32 expected = 1;
	int32 actual = 1;
	size_t d;
	int i;

	if (feature->shape_type_case != TFMD__FEATURE__SHAPE_TYPE_SHAPE)
		return;
	for (d = 0; d < feature->shape->n_dim; d++)
		expected = (int32) ((uint64) expected * (uint64) feature->shape->dim[d]->size);
	for (i = 0; i < fm_view_n_levels(view); i++)
	{
		FmLengthRange range = fm_view_length_range(view, i);

		if (range.min != range.max || range.min == 0)
		{
			actual = -1;
			break;
		}
		actual = (int32) ((uint32) actual * (uint32) range.min);
	}
	for (i = 0; i < fm_view_n_missing_levels(view); i++)
		if (fm_view_missing_at_level(view, i) != 0)
			actual = -1;
	if (actual <= 0 || actual != expected)
		feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE__NOT_SET;
}

static void
loosen_presence(const FmFeatureView *view, Tfmd__FeaturePresence *presence)
{
	double fraction;

	if (presence == NULL)
		return;
	if (presence->has_min_count && fm_view_num_present(view) < (double) presence->min_count)
		presence->min_count = fm_double_to_int64(fm_view_num_present(view));
	if (presence->has_min_fraction && fm_view_fraction_present(view, &fraction))
	{
		if (fraction < presence->min_fraction)
			presence->min_fraction = fraction;
		/* so few are missing that the fraction rounds to 1 */
		if (presence->min_fraction == 1 && fm_view_num_missing(view) != 0)
			presence->min_fraction = 0.9999;
	}
}

/*
 * A bound that is not set counts as 0, as in TFDV
 */
static void
loosen_unique(const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__UniqueConstraints *unique = feature->unique_constraints;
	int num_unique;

	if (unique == NULL)
		return;
	if (view->statistics->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS_STRING_STATS)
	{
		feature->unique_constraints = NULL;
		return;
	}
	num_unique = (int) view->statistics->string_stats->unique;
	if (num_unique < (unique->has_min ? unique->min : 0))
	{
		unique->has_min = true;
		unique->min = num_unique;
	}
	if (num_unique > (unique->has_max ? unique->max : 0))
	{
		unique->has_max = true;
		unique->max = num_unique;
	}
}

static bool
loosen_feature(FmUpdater *updater, const FmFeatureView *view, Tfmd__Feature *feature)
{
	fm_schema_mend_feature(updater->schema, feature);
	if (fm_feature_is_deprecated(feature))
		return true;
	if (fm_view_num_present(view) == 0)
	{
		if (fm_feature_is_required(updater->schema, feature, NULL))
			deprecate(feature);
		return true;
	}
	loosen_value_counts(view, feature);
	loosen_shape(view, feature);
	loosen_presence(view, presence_of(feature));
	if (fm_view_type(view) != feature->type)
		deprecate(feature);
	if (!fm_update_domain(updater, view, feature))
		return false;
	loosen_unique(view, feature);
	if (view->statistics->validation_derived_source != NULL && feature->validation_derived_source == NULL)
	{
		feature->has_lifecycle_stage = true;
		feature->lifecycle_stage = TFMD__LIFECYCLE_STAGE__VALIDATION_DERIVED;
		feature->validation_derived_source = view->statistics->validation_derived_source;
	}
	if (feature->validation_derived_source != NULL && !fm_feature_is_deprecated(feature))
	{
		feature->has_lifecycle_stage = true;
		feature->lifecycle_stage = TFMD__LIFECYCLE_STAGE__VALIDATION_DERIVED;
	}
	return true;
}

/* -- sparse and weighted features -- */

static bool
any_bucket(const Tfmd__CustomStatistic *custom)
{
	size_t i;

	if (custom->val_case != TFMD__CUSTOM_STATISTIC__VAL_RANK_HISTOGRAM)
		return false;
	for (i = 0; i < custom->rank_histogram->n_buckets; i++)
		if (custom->rank_histogram->buckets[i]->sample_count != 0)
			return true;
	return false;
}

/*
 * missing_index counts whole examples only
 */
static bool
any_whole_bucket(const Tfmd__CustomStatistic *custom)
{
	size_t i;

	if (custom->val_case != TFMD__CUSTOM_STATISTIC__VAL_RANK_HISTOGRAM)
		return false;
	for (i = 0; i < custom->rank_histogram->n_buckets; i++)
		if ((int) custom->rank_histogram->buckets[i]->sample_count != 0)
			return true;
	return false;
}

static void
loosen_sparse(const FmFeatureView *view, Tfmd__SparseFeature *feature)
{
	size_t i;

	for (i = 0; i < view->statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *custom = view->statistics->custom_stats[i];

		if ((strcmp(custom->name, "missing_value") == 0 && fm_custom_number(custom) != 0) ||
			(strcmp(custom->name, "missing_index") == 0 && any_whole_bucket(custom)) ||
			((strcmp(custom->name, "max_length_diff") == 0 || strcmp(custom->name, "min_length_diff") == 0) &&
			 any_bucket(custom)))
			deprecate_sparse(feature);
	}
}

static void
loosen_weighted(const FmFeatureView *view, Tfmd__WeightedFeature *feature)
{
	int min_difference = 0;
	int max_difference = 0;
	size_t i;

	for (i = 0; i < view->statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *custom = view->statistics->custom_stats[i];
		double number = fm_custom_number(custom);

		if (number == 0)
			continue;
		if (strcmp(custom->name, "missing_value") == 0 || strcmp(custom->name, "missing_weight") == 0)
			deprecate_weighted(feature);
		else if (strcmp(custom->name, "min_weight_length_diff") == 0)
			min_difference = (int) number;
		else if (strcmp(custom->name, "max_weight_length_diff") == 0)
			max_difference = (int) number;
	}
	if (min_difference != 0 || max_difference != 0)
		deprecate_weighted(feature);
}

/* -- the walk -- */

static bool
update_feature(FmUpdater *updater, const FmFeatureView *view)
{
	Tfmd__Feature *feature = fm_schema_find_feature(updater->schema, &view->path);
	Tfmd__SparseFeature *sparse = fm_schema_find_sparse_feature(updater->schema, &view->path);
	Tfmd__WeightedFeature *weighted = fm_schema_find_weighted_feature(updater->schema, &view->path);

	if (weighted != NULL)
	{
		if ((feature != NULL || sparse != NULL) && !fm_weighted_feature_is_deprecated(weighted))
		{
			deprecate_weighted(weighted);
			if (feature != NULL)
				deprecate(feature);
			if (sparse != NULL)
				deprecate_sparse(sparse);
		}
		else
			loosen_weighted(view, weighted);
		return true;
	}
	if (sparse != NULL && !fm_sparse_feature_is_deprecated(sparse))
	{
		if (feature != NULL && !fm_feature_is_deprecated(feature))
		{
			deprecate_sparse(sparse);
			deprecate(feature);
		}
		else
			loosen_sparse(view, sparse);
		return true;
	}
	if (feature == NULL)
		return fm_create_feature(updater, view);
	if (view->common == NULL && !fm_feature_is_deprecated(feature))
	{
		fm_fail(updater->error, ERRCODE_INVALID_PARAMETER_VALUE, "feature \"%s\" has custom statistics only",
				fm_path_serialize(&view->path));
		fm_fail_detail(updater->error, "The schema's feature cannot be compared with them.");
		return false;
	}
	return loosen_feature(updater, view, feature);
}

static bool
update_recursively(FmUpdater *updater, const FmFeatureView *view, const FmPath *paths, int n_paths)
{
	const Tfmd__Feature *feature;
	const Tfmd__SparseFeature *sparse;
	int i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (paths != NULL)
	{
		for (i = 0; i < n_paths; i++)
			if (fm_path_equal(&paths[i], &view->path))
				break;
		if (i == n_paths)
			return true;
	}
	if (!update_feature(updater, view))
		return false;
	feature = fm_schema_find_feature(updater->schema, &view->path);
	sparse = fm_schema_find_sparse_feature(updater->schema, &view->path);
	if (feature != NULL ? fm_feature_is_deprecated(feature) : sparse != NULL && fm_sparse_feature_is_deprecated(sparse))
		return true;
	for (i = 0; i < view->n_children; i++)
		if (!update_recursively(updater, view->children[i], paths, n_paths))
			return false;
	return true;
}

typedef struct MissingWalk
{
	FmUpdater *updater;
	const FmStatisticsView *view;
	const FmPath *paths;
	int n_paths;
	int n_missing;
	FmPath *missing;
} MissingWalk;

static bool
collect_missing(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	MissingWalk *walk = arg;
	bool listed = walk->paths == NULL;
	int i;

	for (i = 0; !listed && i < walk->n_paths; i++)
		listed = fm_path_equal(&walk->paths[i], path);
	if (listed && fm_feature_is_required(walk->updater->schema, feature, NULL) &&
		fm_view_find(walk->view, path) == NULL)
		FM_APPEND(walk->n_missing, walk->missing, *path);
	return !fm_feature_is_deprecated(feature);
}

bool
fm_run_update(FmUpdater *updater, const Tfmd__DatasetFeatureStatisticsList *statistics, const FmPath *paths,
			  int n_paths)
{
	const Tfmd__DatasetFeatureStatistics *dataset = fm_default_dataset(statistics, updater->error);
	FmStatisticsView *view;
	MissingWalk missing = {0};
	int i;

	if (dataset == NULL)
		return false;
	view = fm_statistics_view(dataset, fm_dataset_is_weighted(dataset), updater->error);
	if (view == NULL)
		return false;
	for (i = 0; i < view->n_features; i++)
		if (view->features[i].parent == NULL && !update_recursively(updater, &view->features[i], paths, n_paths))
			return false;
	missing.updater = updater;
	missing.view = view;
	missing.paths = paths;
	missing.n_paths = n_paths;
	fm_schema_walk(updater->schema, collect_missing, &missing);
	for (i = 0; i < missing.n_missing; i++)
	{
		/* by path: of features with one name the first counts */
		Tfmd__Feature *feature = fm_schema_find_feature(updater->schema, &missing.missing[i]);

		if (feature != NULL)
			deprecate(feature);
	}
	return true;
}

bool
fm_update_schema(Tfmd__Schema *schema, const Tfmd__DatasetFeatureStatisticsList *statistics, const FmPath *paths,
				 int n_paths, int max_string_domain_size, FmError *error)
{
	FmUpdater updater;

	updater.schema = schema;
	updater.infer_feature_shape = false;
	updater.max_string_domain_size = max_string_domain_size;
	updater.error = error;
	return fm_run_update(&updater, statistics, paths, n_paths);
}
