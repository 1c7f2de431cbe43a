/*
 * Statistics against a schema: walks the features, collects what the checks find, makes the result of it
 */
#include "fm_core.h"
#include "validation/checks.h"
#include "validation/name_table.h"

/* What was found at one path */
typedef struct Finding
{
	FmPath path;
	FmReasons reasons;
	Tfmd__AnomalyInfo__Severity severity;
} Finding;

typedef struct Walk
{
	FmCheck check;
	int n_findings;
	int max_findings;
	Finding *findings;
	int n_drift;
	int max_drift;
	Tfmd__DriftSkewInfo **drift;
} Walk;

static void
add_finding(Walk *walk, const FmPath *path, const FmReasons *reasons, Tfmd__AnomalyInfo__Severity severity)
{
	if (walk->n_findings == walk->max_findings)
	{
		walk->max_findings = walk->max_findings * 2 + 16;
		walk->findings = walk->findings == NULL ? palloc(sizeof(Finding) * walk->max_findings)
												: repalloc(walk->findings, sizeof(Finding) * walk->max_findings);
	}
	walk->findings[walk->n_findings].path = *path;
	walk->findings[walk->n_findings].reasons = *reasons;
	walk->findings[walk->n_findings++].severity = severity;
}

static void
add_drift(Walk *walk, Tfmd__DriftSkewInfo *drift)
{
	if (walk->n_drift == walk->max_drift)
	{
		walk->max_drift = walk->max_drift * 2 + 16;
		walk->drift = walk->drift == NULL ? palloc(sizeof(*walk->drift) * walk->max_drift)
										  : repalloc(walk->drift, sizeof(*walk->drift) * walk->max_drift);
	}
	walk->drift[walk->n_drift++] = drift;
}

/* -- one feature of the statistics and what is below it -- */

static bool
has_no_statistics(const Tfmd__FeatureNameStatistics *statistics)
{
	return statistics->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH &&
		   statistics->stats_case == TFMD__FEATURE_NAME_STATISTICS__STATS__NOT_SET && statistics->n_custom_stats == 0;
}

/*
 * Is a feature nested in one that is listed without any statistics? TFDV passes over both.
 */
static bool
is_below_nothing(const FmFeatureView *view)
{
	const Tfmd__DatasetFeatureStatistics *dataset = view->dataset->dataset;
	FmPath parent = {view->path.n_step - 1, view->path.step};
	size_t i;

	if (parent.n_step == 0 || dataset->n_features == (size_t) view->dataset->n_features)
		return false;
	for (i = 0; i < dataset->n_features; i++)
	{
		FmPath path;

		if (!has_no_statistics(dataset->features[i]))
			continue;
		path = fm_path_from_message(dataset->features[i]->path);
		if (fm_path_equal(&path, &parent))
			return true;
	}
	return false;
}

/*
 * Below a feature that is looked at, TFDV dies of a child that has no statistics at all
 */
static bool
check_empty_children(Walk *walk, const FmFeatureView *view)
{
	const Tfmd__DatasetFeatureStatistics *dataset = view->dataset->dataset;
	size_t i;

	if (dataset->n_features == (size_t) view->dataset->n_features)
		return true;
	for (i = 0; i < dataset->n_features; i++)
	{
		const Tfmd__FeatureNameStatistics *statistics = dataset->features[i];
		FmFeatureView child = {0};
		FmPath parent;
		FmSchemaNode node;

		if (!has_no_statistics(statistics))
			continue;
		child.path = fm_path_from_message(statistics->path);
		parent = child.path;
		parent.n_step--;
		if (parent.n_step <= 0 || !fm_path_equal(&parent, &view->path))
			continue;
		node = fm_schema_index_find(walk->check.index, &child.path);
		if (node.weighted != NULL || node.sparse != NULL ||
			(node.feature != NULL && fm_feature_is_deprecated(node.feature)))
			continue;
		return fm_refuse_statistics(&walk->check, &child, "It is nested and has no statistics at all.");
	}
	return true;
}

/* A column that is new, and its children: told once, but the statistics of all have to be sound */
static bool
check_new_feature(Walk *walk, const FmFeatureView *view)
{
	int i;

	check_stack_depth();
	if (view->common == NULL)
		return fm_refuse_statistics(&walk->check, view,
									"It has custom statistics only, and the schema knows no sparse or weighted feature "
									"of this name.");
	for (i = 0; i < view->n_children; i++)
		if (!check_new_feature(walk, view->children[i]))
			return false;
	return check_empty_children(walk, view);
}

static bool
check_known_feature(Walk *walk, const FmFeatureView *view, FmSchemaNode node, bool *below)
{
	const FmCheck *check = &walk->check;
	FmReasons reasons = {0};
	Tfmd__AnomalyInfo__Severity severity;
	Tfmd__DriftSkewInfo *drift = NULL;
	bool deprecated = false;

	*below = false;
	if (node.feature != NULL ? fm_feature_is_deprecated(node.feature)
							 : node.sparse != NULL && fm_sparse_feature_is_deprecated(node.sparse))
		return true;
	if (node.weighted != NULL)
	{
		if ((node.feature != NULL || node.sparse != NULL) && !fm_weighted_feature_is_deprecated(node.weighted))
		{
			fm_add_reason(&reasons, TFMD__ANOMALY_INFO__TYPE__WEIGHTED_FEATURE_NAME_COLLISION,
						  "Weighted feature name collision",
						  "The schema has a weighted feature and a%s feature of this name. Rename one of them.",
						  node.feature != NULL ? "n ordinary" : " sparse");
			deprecated = true;
		}
		else
			fm_check_weighted_feature(view, &reasons);
	}
	else if (node.sparse != NULL && !fm_sparse_feature_is_deprecated(node.sparse))
	{
		if (node.feature != NULL)
			fm_add_reason(&reasons, TFMD__ANOMALY_INFO__TYPE__SPARSE_FEATURE_NAME_COLLISION,
						  "Sparse feature name collision",
						  "The schema has a sparse feature and an ordinary feature of this name. Rename one of them.");
		else
			fm_check_sparse_feature(view, &reasons);
		deprecated = reasons.n > 0;
	}
	else if (!fm_check_feature(check, view, node.feature, &reasons, &drift, &deprecated))
		return false;

	if (drift != NULL)
		add_drift(walk, drift);
	severity = fm_severity_of(&reasons, 0, check->config);
	if (severity != TFMD__ANOMALY_INFO__SEVERITY__UNKNOWN)
		add_finding(walk, &view->path, &reasons, severity);
	*below = !deprecated || severity == TFMD__ANOMALY_INFO__SEVERITY__UNKNOWN;
	return true;
}

static bool
check_recursively(Walk *walk, const FmFeatureView *view)
{
	FmSchemaNode node = fm_schema_index_find(walk->check.index, &view->path);
	bool below;
	int i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node.feature == NULL && node.sparse == NULL && node.weighted == NULL)
	{
		FmReasons reasons = {0};
		FmPath parent = {view->path.n_step - 1, view->path.step};

		if (parent.n_step > 0 && fm_schema_index_find(walk->check.index, &parent).feature == NULL)
			return fm_refuse_statistics(
				&walk->check, view,
				"It is new, and the feature it is nested in is neither in the statistics nor in "
				"the schema.");
		fm_add_reason(
			&reasons, TFMD__ANOMALY_INFO__TYPE__SCHEMA_NEW_COLUMN, "New column",
			"The data has this column; the schema does not know it. Add it to the schema, or drop it from the "
			"data.");
		add_finding(walk, &view->path, &reasons, fm_severity_of(&reasons, 0, walk->check.config));
		return check_new_feature(walk, view);
	}
	if (!check_known_feature(walk, view, node, &below))
		return false;
	if (!below)
		return true;
	for (i = 0; i < view->n_children; i++)
		if (!check_recursively(walk, view->children[i]))
			return false;
	return check_empty_children(walk, view);
}

/* -- features of the schema that the data does not have -- */

static bool
check_missing(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	Walk *walk = arg;
	const FmCheck *check = &walk->check;

	if (fm_feature_is_deprecated(feature))
		return false;
	if (fm_feature_is_required(check->schema, feature, check->environment) && fm_view_find(check->view, path) == NULL)
	{
		FmReasons reasons = {0};
		Tfmd__AnomalyInfo__Severity severity;

		fm_add_reason(
			&reasons, TFMD__ANOMALY_INFO__TYPE__SCHEMA_MISSING_COLUMN, "Column dropped",
			"The schema requires this column; it is completely missing from the data. Deliver it, or relax its "
			"presence in the schema (min_count and min_fraction 0, or a lifecycle_stage such as DEPRECATED).");
		severity = fm_severity_of(&reasons, 0, check->config);
		if (severity != TFMD__ANOMALY_INFO__SEVERITY__UNKNOWN)
			add_finding(walk, path, &reasons, severity);
	}
	return true;
}

/* -- the result -- */

static int
compare_findings(const void *a, const void *b)
{
	return fm_path_compare(&((const Finding *) a)->path, &((const Finding *) b)->path);
}

/* A required feature that the schema lists twice is missing twice; one entry tells of both */
static void
merge_findings(Walk *walk)
{
	int n = 0;
	int i;
	int k;

	qsort(walk->findings, walk->n_findings, sizeof(Finding), compare_findings);
	for (i = 0; i < walk->n_findings; i++)
	{
		Finding *last = n > 0 ? &walk->findings[n - 1] : NULL;
		Finding *finding = &walk->findings[i];

		if (last == NULL || !fm_path_equal(&last->path, &finding->path))
		{
			walk->findings[n++] = *finding;
			continue;
		}
		last->severity = Max(last->severity, finding->severity);
		for (k = 0; k < finding->reasons.n; k++)
			fm_add_reason(&last->reasons, finding->reasons.reason[k].type, finding->reasons.reason[k].short_description,
						  "%s", finding->reasons.reason[k].description);
	}
	walk->n_findings = n;
}

static int
compare_drift(const void *a, const void *b)
{
	FmPath x = fm_path_from_message((*(Tfmd__DriftSkewInfo *const *) a)->path);
	FmPath y = fm_path_from_message((*(Tfmd__DriftSkewInfo *const *) b)->path);

	return fm_path_compare(&x, &y);
}

static void
fill_in(Walk *walk, Tfmd__Anomalies *anomalies)
{
	int i;

	if (walk->n_findings > 0)
	{
		merge_findings(walk);
		anomalies->anomaly_info = palloc(sizeof(*anomalies->anomaly_info) * walk->n_findings);
	}
	for (i = 0; i < walk->n_findings; i++)
	{
		const Finding *finding = &walk->findings[i];
		Tfmd__Anomalies__AnomalyInfoEntry *entry =
			FM_NEW(Tfmd__Anomalies__AnomalyInfoEntry, tfmd__anomalies__anomaly_info_entry);

		entry->key = fm_path_serialize(&finding->path);
		entry->value = fm_make_anomaly(&finding->reasons, finding->severity, &finding->path);
		anomalies->anomaly_info[anomalies->n_anomaly_info++] = entry;
	}
	if (walk->n_drift > 0)
		qsort(walk->drift, walk->n_drift, sizeof(*walk->drift), compare_drift);
	anomalies->n_drift_skew_info = walk->n_drift;
	anomalies->drift_skew_info = walk->drift;
}

static Tfmd__Anomalies *
new_anomalies(const Tfmd__Schema *schema)
{
	Tfmd__Anomalies *anomalies = FM_NEW(Tfmd__Anomalies, tfmd__anomalies);

	anomalies->baseline_schema_case = TFMD__ANOMALIES__BASELINE_SCHEMA_BASELINE;
	anomalies->baseline = unconstify(Tfmd__Schema *, schema);
	return anomalies;
}

/* -- the data sets -- */

/* A data set with nothing in it at all counts as not given */
static bool
is_blank(const Tfmd__DatasetFeatureStatistics *dataset)
{
	return (dataset->name == NULL || *dataset->name == '\0') && dataset->num_examples == 0 &&
		   dataset->n_features == 0 && dataset->weighted_num_examples == 0 && dataset->n_cross_features == 0;
}

/*
 * Of a feature that occurs twice in the data that is compared with, TFDV takes the last; one without a path it never
 * finds
 */
static const Tfmd__DatasetFeatureStatistics *
without_repeats(const Tfmd__DatasetFeatureStatistics *dataset)
{
	Tfmd__DatasetFeatureStatistics *result = palloc(sizeof(*result));
	FmNameTable *seen = fm_name_table(dataset->n_features);
	size_t n = 0;
	size_t i;

	*result = *dataset;
	result->features = palloc(sizeof(*result->features) * Max(dataset->n_features, 1));
	for (i = dataset->n_features; i > 0; i--)
	{
		Tfmd__FeatureNameStatistics *feature = dataset->features[i - 1];
		FmPath path = {0, NULL};
		void **slot;

		if (feature->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH)
			path = fm_path_from_message(feature->path);
		else
			path = fm_path_child(
				NULL, feature->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_NAME ? feature->name : "");
		if (path.n_step == 0)
			continue;
		slot = fm_name_table_add(seen, NULL, fm_path_serialize(&path));
		if (*slot == NULL)
			result->features[n++] = feature;
		*slot = feature;
	}
	result->n_features = n;
	return result;
}

/* The data set that control statistics stand for; NULL if there are none. False: they have none that does. */
static bool
find_control(const Tfmd__DatasetFeatureStatisticsList *statistics, const Tfmd__DatasetFeatureStatistics **dataset,
			 FmError *error)
{
	*dataset = NULL;
	if (statistics == NULL)
		return true;
	*dataset = fm_default_dataset(statistics, error);
	if (*dataset == NULL)
		return false;
	if (is_blank(*dataset))
		*dataset = NULL;
	return true;
}

static bool
view_control(const Tfmd__DatasetFeatureStatistics *dataset, bool by_weight, const FmStatisticsView **view,
			 FmError *error)
{
	FmError refused = {0};

	*view = NULL;
	if (dataset == NULL)
		return true;
	*view = fm_statistics_view(dataset, by_weight, &refused);
	if (*view == NULL)
		*view = fm_statistics_view(without_repeats(dataset), by_weight, error);
	return *view != NULL;
}

/* Weighted statistics cannot hold features that have custom statistics only: TFDV dies of them */
static bool
check_weights(const FmCheck *check)
{
	int i;

	if (check->view->dataset->weighted_num_examples == 0)
		return true;
	for (i = 0; i < check->view->n_features; i++)
	{
		const FmFeatureView *view = &check->view->features[i];

		if (view->common == NULL)
			return fm_refuse_statistics(check, view,
										"The statistics are weighted, and it has no weighted statistics of its own "
										"(sparse and weighted features do not go with a weight column).");
		if (view->common->weighted_common_stats == NULL)
			return true;
	}
	return true;
}

bool
fm_check_environment(const Tfmd__Schema *schema, const char *environment, FmError *error)
{
	StringInfoData known;
	size_t i;

	if (environment == NULL || fm_schema_has_environment(schema, environment))
		return true;
	fm_fail(error, ERRCODE_UNDEFINED_OBJECT, "environment \"%s\" not found in the schema", environment);
	initStringInfo(&known);
	for (i = 0; i < schema->n_default_environment; i++)
		appendStringInfo(&known, "%s\"%s\"", i > 0 ? ", " : "", schema->default_environment[i]);
	if (schema->n_default_environment > 0)
		fm_fail_detail(error, "The environments of the schema are %s.", known.data);
	else
		fm_fail_detail(error, "The schema has no environments.");
	fm_fail_hint(error, "Add it to default_environment of the schema.");
	return false;
}

static Tfmd__Anomalies *
validate(const FmValidation *validation, FmError *error)
{
	const Tfmd__DatasetFeatureStatistics *dataset = fm_default_dataset(validation->statistics, error);
	const Tfmd__DatasetFeatureStatistics *previous;
	const Tfmd__DatasetFeatureStatistics *serving;
	const Tfmd__DatasetFeatureStatistics *previous_version;
	Tfmd__Anomalies *anomalies;
	FmReasons dataset_reasons = {0};
	Walk walk = {0};
	FmCheck *check = &walk.check;
	bool by_weight;
	int i;

	check->schema = validation->schema;
	check->config = validation->config;
	check->error = error;
	/* the empty name is, for TFDV, none */
	if (validation->environment != NULL && validation->environment[0] != '\0')
		check->environment = validation->environment;
	if (dataset == NULL || !fm_check_environment(validation->schema, validation->environment, error) ||
		!find_control(validation->previous_statistics, &previous, error) ||
		!find_control(validation->serving_statistics, &serving, error) ||
		!find_control(validation->previous_version_statistics, &previous_version, error))
		return NULL;
	by_weight = fm_dataset_is_weighted(dataset);
	check->view = fm_statistics_view(dataset, by_weight, error);
	if (check->view == NULL || !check_weights(check))
		return NULL;
	anomalies = new_anomalies(validation->schema);
	if (dataset->num_examples == 0)
	{
		anomalies->has_data_missing = true;
		anomalies->data_missing = true;
		return anomalies;
	}
	if (!view_control(previous, by_weight, &check->previous, error) ||
		!view_control(serving, by_weight, &check->serving, error) ||
		!view_control(previous_version, by_weight, &check->previous_version, error))
		return NULL;

	check->index = fm_schema_index(validation->schema);
	for (i = 0; i < check->view->n_features; i++)
	{
		const FmFeatureView *view = &check->view->features[i];

		if (view->parent == NULL && !is_below_nothing(view) && !check_recursively(&walk, view))
			return NULL;
	}
	fm_schema_walk(validation->schema, check_missing, &walk);
	if (!fm_check_dataset(check, &dataset_reasons))
		return NULL;

	anomalies->has_anomaly_name_format = true;
	anomalies->anomaly_name_format = TFMD__ANOMALIES__ANOMALY_NAME_FORMAT__SERIALIZED_PATH;
	fill_in(&walk, anomalies);
	if (dataset_reasons.n > 0)
		anomalies->dataset_anomaly_info = fm_make_anomaly(&dataset_reasons, TFMD__ANOMALY_INFO__SEVERITY__ERROR, NULL);
	return anomalies;
}

/* -- custom validations -- */

/* The sum of an entry's reasons, as TFDV writes it when custom validations had a part in them */
static void
sum_up(Tfmd__AnomalyInfo *info)
{
	StringInfoData joined;
	size_t i;

	initStringInfo(&joined);
	for (i = 0; i < info->n_reason; i++)
		appendStringInfo(&joined, "%s%s", i > 0 ? " " : "", info->reason[i]->description);
	info->description = joined.data;
	info->short_description = info->n_reason > 1 ? pstrdup("Multiple errors") : info->reason[0]->short_description;
}

/* Reasons of custom validations come after the others of their feature */
static void
merge_custom(Tfmd__Anomalies *anomalies, const Tfmd__Anomalies *custom)
{
	FmNameTable *entries = fm_name_table(anomalies->n_anomaly_info);
	size_t i;
	size_t k;

	for (i = 0; i < anomalies->n_anomaly_info; i++)
		*fm_name_table_add(entries, NULL, anomalies->anomaly_info[i]->key) = anomalies->anomaly_info[i]->value;
	for (i = 0; i < custom->n_anomaly_info; i++)
	{
		Tfmd__Anomalies__AnomalyInfoEntry *entry = custom->anomaly_info[i];
		Tfmd__AnomalyInfo *info = fm_name_table_find(entries, NULL, entry->key);

		if (info == NULL)
		{
			info = entry->value;
			FM_APPEND(anomalies->n_anomaly_info, anomalies->anomaly_info, entry);
		}
		else
		{
			info->severity = Max(info->severity, entry->value->severity);
			for (k = 0; k < entry->value->n_reason; k++)
				FM_APPEND(info->n_reason, info->reason, entry->value->reason[k]);
		}
		sum_up(info);
	}
}

Tfmd__Anomalies *
fm_validate_statistics(const FmValidation *validation, FmError *error)
{
	Tfmd__Anomalies *anomalies = validate(validation, error);
	Tfmd__Anomalies *custom;

	if (anomalies == NULL || validation->custom_config == NULL)
		return anomalies;
	custom = fm_custom_validate(validation->statistics, validation->previous_statistics, validation->custom_config,
								validation->environment, error);
	if (custom == NULL)
		return NULL;
	merge_custom(anomalies, custom);
	return anomalies;
}
