/*
 * What to expect of a column, from its statistics
 *
 * The rules are those of TFDV's infer_schema: presence, then shape or value count, then the first domain that fits.
 */
#include "fm_core.h"
#include "schema/update.h"

static const char *const true_values[] = {"TRUE", "true", "SET", "set", "1", "", NULL};
static const char *const false_values[] = {"FALSE", "false", "CLEAR", "clear", "0", NULL};

Tfmd__DatasetFeatureStatistics *
fm_default_dataset(const Tfmd__DatasetFeatureStatisticsList *statistics, FmError *error)
{
	size_t i;

	if (statistics->n_datasets == 1)
		return statistics->datasets[0];
	for (i = 0; i < statistics->n_datasets; i++)
		if (strcmp(statistics->datasets[i]->name, "All Examples") == 0)
			return statistics->datasets[i];
	fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "statistics have %s",
			statistics->n_datasets == 0 ? "no data set" : "several data sets and none of them is \"All Examples\"");
	return NULL;
}

static void
set_value_count(FmLengthRange range, Tfmd__ValueCount *count)
{
	if (range.min <= 0)
		return;
	count->has_min = true;
	count->min = 1;
	if (range.min == range.max)
	{
		count->min = range.min;
		count->has_max = true;
		count->max = range.max;
	}
}

void
fm_init_value_count(const FmFeatureView *view, Tfmd__Feature *feature)
{
	int i;

	if (fm_view_n_levels(view) == 1 && view->common->n_presence_and_valency_stats <= 1)
	{
		FmLengthRange range = fm_view_length_range(view, 0);

		if (range.min <= 0)
			return;
		feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT;
		feature->value_count = FM_NEW(Tfmd__ValueCount, tfmd__value_count);
		set_value_count(range, feature->value_count);
		return;
	}
	feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS;
	feature->value_counts = FM_NEW(Tfmd__ValueCountList, tfmd__value_count_list);
	for (i = 0; i < fm_view_n_levels(view); i++)
	{
		Tfmd__ValueCount *count = FM_NEW(Tfmd__ValueCount, tfmd__value_count);

		set_value_count(fm_view_length_range(view, i), count);
		FM_APPEND(feature->value_counts->n_value_count, feature->value_counts->value_count, count);
	}
}

/*
 * A shape needs every level to be always present and of one length
 */
static void
init_shape(const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__FixedShape *shape;
	int n_levels = Min(fm_view_n_levels(view), fm_view_n_missing_levels(view));
	int i;

	if (fm_view_type(view) == TFMD__FEATURE_TYPE__STRUCT)
		return;
	for (i = 0; i < n_levels; i++)
	{
		FmLengthRange range = fm_view_length_range(view, i);

		if (fm_view_missing_at_level(view, i) != 0 || range.min != range.max || range.min <= 0)
			return;
	}
	shape = FM_NEW(Tfmd__FixedShape, tfmd__fixed_shape);
	for (i = 0; i < n_levels; i++)
	{
		Tfmd__FixedShape__Dim *dim = FM_NEW(Tfmd__FixedShape__Dim, tfmd__fixed_shape__dim);

		dim->has_size = true;
		dim->size = fm_view_length_range(view, i).min;
		FM_APPEND(shape->n_dim, shape->dim, dim);
	}
	feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE_SHAPE;
	feature->shape = shape;
}

static void
init_presence_and_shape(const FmUpdater *updater, const FmFeatureView *view, Tfmd__Feature *feature)
{
	Tfmd__FeaturePresence *presence = FM_NEW(Tfmd__FeaturePresence, tfmd__feature_presence);
	double num_present = fm_view_num_present(view);

	feature->presence_constraints_case = TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE;
	feature->presence = presence;
	presence->has_min_count = true;
	presence->min_count = num_present < 1 ? 0 : 1;
	if (num_present <= 0)
		return;
	if (fm_view_num_missing(view) == 0)
	{
		presence->has_min_fraction = true;
		presence->min_fraction = 1;
	}
	if (updater->infer_feature_shape)
		init_shape(view, feature);
	if (feature->shape_type_case != TFMD__FEATURE__SHAPE_TYPE_SHAPE)
		fm_init_value_count(view, feature);
}

/*
 * Is exactly one field of the message set, and it is a member of domain_info?
 */
static bool
is_domain_alone(const Tfmd__Feature *feature)
{
	const ProtobufCMessageDescriptor *descriptor = feature->base.descriptor;
	unsigned i;

	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET || feature->base.n_unknown_fields > 0)
		return false;
	for (i = 0; i < descriptor->n_fields; i++)
	{
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		const char *quantifier = (const char *) feature + field->quantifier_offset;
		const char *member = (const char *) feature + field->offset;
		bool is_set;

		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			is_set = *(const uint32_t *) quantifier == field->id;
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
			is_set = *(const size_t *) quantifier > 0;
		else if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING)
			is_set = *(void *const *) member != NULL;
		else
			is_set = *(const protobuf_c_boolean *) quantifier;
		if (is_set && field->id != (uint32_t) feature->domain_info_case)
			return false;
	}
	return true;
}

bool
fm_apply_domain_info(const FmFeatureView *view, Tfmd__Feature *feature)
{
	const char *text = "";
	Tfmd__Feature *parsed;
	FmError error = {0};
	size_t i;

	for (i = 0; i < view->statistics->n_custom_stats; i++)
	{
		const Tfmd__CustomStatistic *custom = view->statistics->custom_stats[i];

		if (strcmp(custom->name, "domain_info") != 0)
			continue;
		if (*text != '\0')
			return false; /* two generators disagree */
		text = custom->val_case == TFMD__CUSTOM_STATISTIC__VAL_STR ? custom->str : "";
	}
	if (*text == '\0' || feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
		return false;
	parsed = (Tfmd__Feature *) fm_message_parse_text(&tfmd__feature__descriptor, text, strlen(text), &error);
	if (parsed == NULL || !is_domain_alone(parsed))
		return false;
	feature->domain_info_case = parsed->domain_info_case;
	feature->domain = parsed->domain; /* any member: they share their place */
	return true;
}

/*
 * The first of the values that is in the list, or NULL
 */
static const char *
first_listed(const FmValueCount *values, int n, const char *const *list)
{
	int i;

	for (i = 0; i < n; i++)
	{
		const char *const *item;

		for (item = list; *item != NULL; item++)
			if (strcmp(values[i].value, *item) == 0)
				return *item;
	}
	return NULL;
}

/*
 * Integers from 0 or 1 to 1, or text whose one or two values are at most one word for true and one for false
 */
static bool
try_bool_domain(const FmFeatureView *view, const FmValueCount *values, int n, Tfmd__Feature *feature)
{
	const char *true_value = NULL;
	const char *false_value = NULL;
	Tfmd__BoolDomain *domain;

	if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__INT)
	{
		if (!(fm_view_min(view) >= 0 && fm_view_max(view) == 1))
			return false;
	}
	else if (view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING)
	{
		true_value = first_listed(values, n, true_values);
		false_value = first_listed(values, n, false_values);
		if (n == 0 || n != (true_value != NULL) + (false_value != NULL))
			return false;
	}
	else
		return false;
	domain = FM_MUTABLE_DOMAIN(feature, BOOL_DOMAIN, bool_domain, Tfmd__BoolDomain, tfmd__bool_domain);
	if (true_value != NULL)
		domain->true_value = pstrdup(true_value);
	if (false_value != NULL)
		domain->false_value = pstrdup(false_value);
	return true;
}

static bool
try_int_domain(const FmFeatureView *view, const FmValueCount *values, int n, Tfmd__Feature *feature)
{
	int i;

	if (view->statistics->type != TFMD__FEATURE_NAME_STATISTICS__TYPE__STRING || n == 0)
		return false;
	for (i = 0; i < n; i++)
	{
		int64 unused;

		if (!fm_read_int64(values[i].value, &unused))
			return false;
	}
	feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN;
	feature->int_domain = FM_NEW(Tfmd__IntDomain, tfmd__int_domain);
	return true;
}

static void
try_string_domain(FmUpdater *updater, const FmFeatureView *view, int n, Tfmd__Feature *feature)
{
	char *base = fm_path_serialize(&view->path);
	char *name = base;
	Tfmd__StringDomain *domain;
	int suffix;

	if (n == 0 || (updater->max_string_domain_size >= 0 && n > updater->max_string_domain_size))
		return;
	for (suffix = 2; fm_schema_find_string_domain(updater->schema, name) != NULL; suffix++)
		name = psprintf("%s%d", base, suffix);
	domain = FM_NEW(Tfmd__StringDomain, tfmd__string_domain);
	domain->name = name;
	fm_string_domain_add_missing(view, 0, domain);
	FM_APPEND(updater->schema->n_string_domain, updater->schema->string_domain, domain);
	feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_DOMAIN;
	feature->domain = pstrdup(name);
}

bool
fm_create_feature(FmUpdater *updater, const FmFeatureView *view)
{
	Tfmd__Feature *feature = FM_NEW(Tfmd__Feature, tfmd__feature);
	FmValueCount *values;
	int n;

	if (view->common == NULL)
	{
		fm_fail(updater->error, ERRCODE_INVALID_PARAMETER_VALUE, "feature \"%s\" has custom statistics only",
				fm_path_serialize(&view->path));
		fm_fail_detail(updater->error, "Nothing can be inferred without its common statistics.");
		return false;
	}
	feature->name = pstrdup(view->path.step[view->path.n_step - 1]);
	if (view->path.n_step == 1)
		FM_APPEND(updater->schema->n_feature, updater->schema->feature, feature);
	else
	{
		FmPath parent_path = {view->path.n_step - 1, view->path.step};
		Tfmd__Feature *parent = fm_schema_find_feature(updater->schema, &parent_path);
		Tfmd__StructDomain *children;

		if (parent == NULL)
		{
			fm_fail(updater->error, ERRCODE_INVALID_PARAMETER_VALUE,
					"neither the statistics nor the schema have the parent of feature \"%s\"",
					fm_path_serialize(&view->path));
			return false;
		}
		children = FM_MUTABLE_DOMAIN(parent, STRUCT_DOMAIN, struct_domain, Tfmd__StructDomain, tfmd__struct_domain);
		FM_APPEND(children->n_feature, children->feature, feature);
	}
	feature->has_type = true;
	feature->type = fm_view_type(view);
	init_presence_and_shape(updater, view, feature);
	if (view->statistics->validation_derived_source != NULL)
	{
		feature->has_lifecycle_stage = true;
		feature->lifecycle_stage = TFMD__LIFECYCLE_STAGE__VALIDATION_DERIVED;
		feature->validation_derived_source = view->statistics->validation_derived_source;
	}
	if (fm_apply_domain_info(view, feature) || fm_view_has_invalid_utf8(view) ||
		view->statistics->type == TFMD__FEATURE_NAME_STATISTICS__TYPE__BYTES)
		return true;
	values = fm_view_string_values(view, &n);
	if (!try_bool_domain(view, values, n, feature) && !try_int_domain(view, values, n, feature))
		try_string_domain(updater, view, n, feature);
	return true;
}

Tfmd__Schema *
fm_infer_schema(const Tfmd__DatasetFeatureStatisticsList *statistics, bool infer_feature_shape,
				int max_string_domain_size, FmError *error)
{
	const Tfmd__DatasetFeatureStatistics *dataset = fm_default_dataset(statistics, error);
	Tfmd__DatasetFeatureStatistics described;
	Tfmd__DatasetFeatureStatistics *datasets[1] = {&described};
	Tfmd__DatasetFeatureStatisticsList list = TFMD__DATASET_FEATURE_STATISTICS_LIST__INIT;
	Tfmd__Schema *schema;
	FmUpdater updater;
	size_t i;

	if (dataset == NULL)
		return NULL;
	/* sparse and weighted features have custom statistics only: nothing to infer from */
	described = *dataset;
	described.n_features = 0;
	described.features = palloc(sizeof(Tfmd__FeatureNameStatistics *) * (dataset->n_features + 1));
	for (i = 0; i < dataset->n_features; i++)
		if (dataset->features[i]->stats_case != TFMD__FEATURE_NAME_STATISTICS__STATS__NOT_SET)
			described.features[described.n_features++] = dataset->features[i];
	list.n_datasets = 1;
	list.datasets = datasets;

	schema = FM_NEW(Tfmd__Schema, tfmd__schema);
	updater.schema = schema;
	updater.infer_feature_shape = infer_feature_shape;
	updater.max_string_domain_size = max_string_domain_size;
	updater.error = error;
	return fm_run_update(&updater, &list, NULL, 0) ? schema : NULL;
}
