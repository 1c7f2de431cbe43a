/*
 * What differs between two schemas, and whether who reads data by the first meets something new (see edit.h)
 */
#include "fm_core.h"
#include "schema/edit.h"
#include "schema/shape_text.h"

typedef struct Diff
{
	const Tfmd__Schema *a;
	const Tfmd__Schema *b;
	FmSchemaChange *changes;
	int n_changes;
} Diff;

static void diff_features(Diff *diff, const FmPath *parent, Tfmd__Feature **a, size_t n_a, Tfmd__Feature **b,
						  size_t n_b);

static void
add_change(Diff *diff, const FmPath *path, const char *change, char *from, char *to, bool breaks_readers)
{
	FmSchemaChange entry;

	entry.path = path != NULL ? fm_path_serialize(path) : pstrdup("");
	entry.change = change;
	entry.from = from;
	entry.to = to;
	entry.breaks_readers = breaks_readers;
	FM_APPEND(diff->n_changes, diff->changes, entry);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
compare_texts(Diff *diff, const FmPath *path, const char *change, char *a, char *b, bool breaks_readers)
{
	if (!same_text(a, b))
		add_change(diff, path, change, a, b, breaks_readers);
}

/*
 * A message in text format without its last line end; NULL for NULL
 */
static char *
message_text(const ProtobufCMessage *message)
{
	StringInfoData buf;

	if (message == NULL)
		return NULL;
	initStringInfo(&buf);
	fm_message_print_text(message, &buf);
	if (buf.len > 0 && buf.data[buf.len - 1] == '\n')
		buf.data[--buf.len] = '\0';
	return buf.data;
}

#define MESSAGE_TEXT(member) message_text((member) != NULL ? &(member)->base : NULL)

static char *
number_text(bool is_set, double value)
{
	char buf[64];

	if (!is_set)
		return NULL;
	snprintf(buf, sizeof(buf), "%.15g", value);
	return pstrdup(buf);
}

static char *
integer_text(bool is_set, int64 value)
{
	return is_set ? psprintf(INT64_FORMAT, value) : NULL;
}

static char *
string_list_text(char **list, size_t n)
{
	StringInfoData buf;
	size_t i;

	if (n == 0)
		return NULL;
	initStringInfo(&buf);
	for (i = 0; i < n; i++)
		appendStringInfo(&buf, "%s'%s'", i > 0 ? ", " : "", list[i]);
	return buf.data;
}

/* -- presence -- */

static void
diff_presence(Diff *diff, const FmPath *path, const Tfmd__Feature *a, const Tfmd__Feature *b)
{
	static const Tfmd__FeaturePresence nothing = TFMD__FEATURE_PRESENCE__INIT;
	bool has_a = a->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE;
	bool has_b = b->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE;
	const Tfmd__FeaturePresence *from = has_a ? a->presence : &nothing;
	const Tfmd__FeaturePresence *to = has_b ? b->presence : &nothing;

	if (from->has_min_fraction != to->has_min_fraction || from->min_fraction != to->min_fraction)
		add_change(diff, path, "presence.min_fraction", number_text(from->has_min_fraction, from->min_fraction),
				   number_text(to->has_min_fraction, to->min_fraction), to->min_fraction < from->min_fraction);
	if (from->has_min_count != to->has_min_count || from->min_count != to->min_count)
		add_change(diff, path, "presence.min_count", integer_text(from->has_min_count, from->min_count),
				   integer_text(to->has_min_count, to->min_count), to->min_count < from->min_count);
	if (a->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_GROUP_PRESENCE ||
		b->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_GROUP_PRESENCE)
	{
		bool group_a = a->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_GROUP_PRESENCE;
		bool group_b = b->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_GROUP_PRESENCE;

		compare_texts(diff, path, "group_presence", group_a ? message_text(&a->group_presence->base) : NULL,
					  group_b ? message_text(&b->group_presence->base) : NULL,
					  group_a && a->group_presence->required && !(group_b && b->group_presence->required));
	}
}

/* -- number of values -- */

static bool
count_holds(const Tfmd__ValueCount *outer, const Tfmd__ValueCount *inner)
{
	if (outer->has_min && outer->min > (inner->has_min ? inner->min : 0))
		return false;
	return !outer->has_max || (inner->has_max && inner->max <= outer->max);
}

/*
 * Does every number of values that b allows satisfy a?
 */
static bool
shape_holds(const Tfmd__Feature *a, const Tfmd__Feature *b)
{
	Tfmd__ValueCount inner = TFMD__VALUE_COUNT__INIT;
	size_t i;

	if (a->shape_type_case == TFMD__FEATURE__SHAPE_TYPE__NOT_SET)
		return true;
	if (a->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
	{
		if (b->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
			return count_holds(a->value_count, b->value_count);
		if (b->shape_type_case != TFMD__FEATURE__SHAPE_TYPE_SHAPE || b->shape->n_dim != 1)
			return false;
		inner.has_min = inner.has_max = true;
		inner.min = inner.max = b->shape->dim[0]->size;
		return count_holds(a->value_count, &inner);
	}
	if (a->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS)
	{
		if (b->shape_type_case != TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS ||
			a->value_counts->n_value_count != b->value_counts->n_value_count)
			return false;
		for (i = 0; i < a->value_counts->n_value_count; i++)
			if (!count_holds(a->value_counts->value_count[i], b->value_counts->value_count[i]))
				return false;
		return true;
	}
	/* a fixed shape is kept only by itself */
	if (b->shape_type_case != TFMD__FEATURE__SHAPE_TYPE_SHAPE || a->shape->n_dim != b->shape->n_dim)
		return false;
	for (i = 0; i < a->shape->n_dim; i++)
		if (a->shape->dim[i]->size != b->shape->dim[i]->size)
			return false;
	return true;
}

/* -- domains -- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * Values of b that are not in a, as text in the order of b; NULL if there is none
 */
static char *
values_beyond(const Tfmd__StringDomain *a, const Tfmd__StringDomain *b)
{
	char **known = palloc(sizeof(char *) * (a->n_value + 1));
	char **beyond = palloc(sizeof(char *) * (b->n_value + 1));
	size_t n_beyond = 0;
	size_t i;

	if (a->n_value > 0)
		memcpy(known, a->value, sizeof(char *) * a->n_value);
	qsort(known, a->n_value, sizeof(char *), compare_strings);
	for (i = 0; i < b->n_value; i++)
		if (bsearch(&b->value[i], known, a->n_value, sizeof(char *), compare_strings) == NULL)
			beyond[n_beyond++] = b->value[i];
	return string_list_text(beyond, n_beyond);
}

static void
diff_ranges(Diff *diff, const FmPath *path, bool has_min_a, double min_a, bool has_min_b, double min_b, bool has_max_a,
			double max_a, bool has_max_b, double max_b, char *texts[4])
{
	if (has_min_a != has_min_b || min_a != min_b)
		add_change(diff, path, "domain.min", texts[0], texts[1], has_min_a && (!has_min_b || min_b < min_a));
	if (has_max_a != has_max_b || max_a != max_b)
		add_change(diff, path, "domain.max", texts[2], texts[3], has_max_a && (!has_max_b || max_b > max_a));
}

static char *
domain_text(const Tfmd__Feature *feature)
{
	Tfmd__Feature *holder;

	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
		return NULL;
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
		return pstrdup("struct_domain");
	holder = FM_NEW(Tfmd__Feature, tfmd__feature);
	holder->domain_info_case = feature->domain_info_case;
	holder->domain = feature->domain;
	return message_text(&holder->base);
}

static void
diff_flag(Diff *diff, const FmPath *path, const char *change, bool a, bool b)
{
	if (a != b)
		add_change(diff, path, change, pstrdup(a ? "true" : "false"), pstrdup(b ? "true" : "false"), a && !b);
}

static void
diff_domain(Diff *diff, const FmPath *path, const Tfmd__Feature *a, const Tfmd__Feature *b)
{
	Tfmd__StringDomain *strings_a = fm_feature_string_domain(diff->a, a);
	Tfmd__StringDomain *strings_b = fm_feature_string_domain(diff->b, b);
	char *texts[4];

	if (strings_a != NULL && strings_b != NULL)
	{
		char *added = values_beyond(strings_a, strings_b);
		char *removed = values_beyond(strings_b, strings_a);

		if (added != NULL)
			add_change(diff, path, "domain.values added", NULL, added, true);
		if (removed != NULL)
			add_change(diff, path, "domain.values removed", removed, NULL, false);
		if (!same_text(strings_a->name, strings_b->name))
			add_change(diff, path, "domain.name", strings_a->name, strings_b->name, false);
		return;
	}
	if (a->domain_info_case != b->domain_info_case)
	{
		add_change(diff, path, "domain", domain_text(a), domain_text(b),
				   a->domain_info_case != TFMD__FEATURE__DOMAIN_INFO__NOT_SET);
		return;
	}
	switch (a->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			texts[0] = integer_text(a->int_domain->has_min, a->int_domain->min);
			texts[1] = integer_text(b->int_domain->has_min, b->int_domain->min);
			texts[2] = integer_text(a->int_domain->has_max, a->int_domain->max);
			texts[3] = integer_text(b->int_domain->has_max, b->int_domain->max);
			diff_ranges(diff, path, a->int_domain->has_min, (double) a->int_domain->min, b->int_domain->has_min,
						(double) b->int_domain->min, a->int_domain->has_max, (double) a->int_domain->max,
						b->int_domain->has_max, (double) b->int_domain->max, texts);
			diff_flag(diff, path, "domain.is_categorical", a->int_domain->is_categorical,
					  b->int_domain->is_categorical);
			break;
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			texts[0] = number_text(a->float_domain->has_min, a->float_domain->min);
			texts[1] = number_text(b->float_domain->has_min, b->float_domain->min);
			texts[2] = number_text(a->float_domain->has_max, a->float_domain->max);
			texts[3] = number_text(b->float_domain->has_max, b->float_domain->max);
			diff_ranges(diff, path, a->float_domain->has_min, a->float_domain->min, b->float_domain->has_min,
						b->float_domain->min, a->float_domain->has_max, a->float_domain->max, b->float_domain->has_max,
						b->float_domain->max, texts);
			diff_flag(diff, path, "domain.disallow_nan", a->float_domain->disallow_nan, b->float_domain->disallow_nan);
			diff_flag(diff, path, "domain.disallow_inf", a->float_domain->disallow_inf, b->float_domain->disallow_inf);
			break;
		case TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN:
			diff_features(diff, path, a->struct_domain->feature, a->struct_domain->n_feature, b->struct_domain->feature,
						  b->struct_domain->n_feature);
			break;
		default:
			compare_texts(diff, path, "domain", domain_text(a), domain_text(b), true);
			break;
	}
}

/* -- the rest of a feature -- */

static char *
environment_text(const Tfmd__Feature *feature)
{
	char *in = string_list_text(feature->in_environment, feature->n_in_environment);
	char *not_in = string_list_text(feature->not_in_environment, feature->n_not_in_environment);

	if (in == NULL && not_in == NULL)
		return NULL;
	return psprintf("%s%s%s%s%s", in ? "in " : "", in ? in : "", in && not_in ? ", " : "", not_in ? "not in " : "",
					not_in ? not_in : "");
}

/*
 * Is the feature in fewer of the environments that both schemas know?
 */
static bool
leaves_environment(const Diff *diff, const Tfmd__Feature *a, const Tfmd__Feature *b)
{
	size_t i;

	for (i = 0; i < diff->a->n_default_environment; i++)
		if (fm_feature_in_environment(diff->a, a, diff->a->default_environment[i]) &&
			!fm_feature_in_environment(diff->b, b, diff->a->default_environment[i]))
			return true;
	for (i = 0; i < a->n_in_environment; i++)
		if (!fm_feature_in_environment(diff->b, b, a->in_environment[i]))
			return true;
	return false;
}

static char *
stage_text(const Tfmd__Feature *feature)
{
	if (feature->has_lifecycle_stage)
	{
		const char *name = fm_enum_name(&tfmd__lifecycle_stage__descriptor, feature->lifecycle_stage);

		return name != NULL ? pstrdup(name) : psprintf("%d", (int) feature->lifecycle_stage);
	}
	return fm_feature_is_deprecated(feature) ? pstrdup("deprecated") : NULL;
}

static char *
type_text(const Tfmd__Feature *feature)
{
	const char *name = fm_enum_name(&tfmd__feature_type__descriptor, feature->type);

	return feature->has_type && name != NULL ? pstrdup(name) : NULL;
}

static bool
unique_widens(const Tfmd__UniqueConstraints *a, const Tfmd__UniqueConstraints *b)
{
	return a != NULL && (b == NULL || b->min < a->min || b->max > a->max);
}

static void
diff_feature(Diff *diff, const FmPath *path, const Tfmd__Feature *a, const Tfmd__Feature *b)
{
	double mass_a = a->distribution_constraints ? a->distribution_constraints->min_domain_mass : 1;
	double mass_b = b->distribution_constraints ? b->distribution_constraints->min_domain_mass : 1;

	compare_texts(diff, path, "lifecycle_stage", stage_text(a), stage_text(b),
				  !fm_feature_is_deprecated(a) && fm_feature_is_deprecated(b));
	compare_texts(diff, path, "type", type_text(a), type_text(b), true);
	diff_presence(diff, path, a, b);
	compare_texts(diff, path, "shape", fm_shape_text(a), fm_shape_text(b), !shape_holds(a, b));
	diff_domain(diff, path, a, b);
	if (mass_a != mass_b)
		add_change(diff, path, "distribution_constraints.min_domain_mass", number_text(true, mass_a),
				   number_text(true, mass_b), mass_b < mass_a);
	compare_texts(diff, path, "environment", environment_text(a), environment_text(b), leaves_environment(diff, a, b));
	compare_texts(diff, path, "unique_constraints", MESSAGE_TEXT(a->unique_constraints),
				  MESSAGE_TEXT(b->unique_constraints), unique_widens(a->unique_constraints, b->unique_constraints));
	compare_texts(diff, path, "drift_comparator", MESSAGE_TEXT(a->drift_comparator), MESSAGE_TEXT(b->drift_comparator),
				  false);
	compare_texts(diff, path, "skew_comparator", MESSAGE_TEXT(a->skew_comparator), MESSAGE_TEXT(b->skew_comparator),
				  false);
	compare_texts(diff, path, "annotation", MESSAGE_TEXT(a->annotation), MESSAGE_TEXT(b->annotation), false);
	compare_texts(diff, path, "validation_derived_source", MESSAGE_TEXT(a->validation_derived_source),
				  MESSAGE_TEXT(b->validation_derived_source), false);
	compare_texts(diff, path, "sequence_metadata", MESSAGE_TEXT(a->sequence_metadata),
				  MESSAGE_TEXT(b->sequence_metadata), false);
}

static Tfmd__Feature *
find_by_name(Tfmd__Feature **features, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(features[i]->name ? features[i]->name : "", name) == 0)
			return features[i];
	return NULL;
}

static void
diff_features(Diff *diff, const FmPath *parent, Tfmd__Feature **a, size_t n_a, Tfmd__Feature **b, size_t n_b)
{
	size_t i;

	check_stack_depth();
	for (i = 0; i < n_a; i++)
	{
		const char *name = a[i]->name ? a[i]->name : "";
		FmPath path = fm_path_child(parent, name);
		Tfmd__Feature *other = find_by_name(b, n_b, name);

		CHECK_FOR_INTERRUPTS();
		if (other != NULL)
			diff_feature(diff, &path, a[i], other);
		else
			add_change(diff, &path, "removed", type_text(a[i]), NULL, !fm_feature_is_deprecated(a[i]));
	}
	for (i = 0; i < n_b; i++)
	{
		const char *name = b[i]->name ? b[i]->name : "";
		FmPath path = fm_path_child(parent, name);

		if (find_by_name(a, n_a, name) == NULL)
			add_change(diff, &path, "added", NULL, type_text(b[i]), false);
	}
}

/* -- sparse and weighted features, and the schema itself -- */

static void
diff_sparse_features(Diff *diff)
{
	size_t i;

	for (i = 0; i < diff->a->n_sparse_feature; i++)
	{
		Tfmd__SparseFeature *sparse = diff->a->sparse_feature[i];
		FmPath path = fm_path_child(NULL, sparse->name ? sparse->name : "");
		Tfmd__SparseFeature *other = fm_schema_find_sparse_feature(diff->b, &path);

		if (other == NULL)
			add_change(diff, &path, "sparse_feature removed", message_text(&sparse->base), NULL,
					   !fm_sparse_feature_is_deprecated(sparse));
		else
			compare_texts(diff, &path, "sparse_feature", message_text(&sparse->base), message_text(&other->base), true);
	}
	for (i = 0; i < diff->b->n_sparse_feature; i++)
	{
		Tfmd__SparseFeature *sparse = diff->b->sparse_feature[i];
		FmPath path = fm_path_child(NULL, sparse->name ? sparse->name : "");

		if (fm_schema_find_sparse_feature(diff->a, &path) == NULL)
			add_change(diff, &path, "sparse_feature added", NULL, message_text(&sparse->base), false);
	}
}

static void
diff_weighted_features(Diff *diff)
{
	size_t i;

	for (i = 0; i < diff->a->n_weighted_feature; i++)
	{
		Tfmd__WeightedFeature *weighted = diff->a->weighted_feature[i];
		FmPath path = fm_path_child(NULL, weighted->name ? weighted->name : "");
		Tfmd__WeightedFeature *other = fm_schema_find_weighted_feature(diff->b, &path);

		if (other == NULL)
			add_change(diff, &path, "weighted_feature removed", message_text(&weighted->base), NULL,
					   !fm_weighted_feature_is_deprecated(weighted));
		else
			compare_texts(diff, &path, "weighted_feature", message_text(&weighted->base), message_text(&other->base),
						  true);
	}
	for (i = 0; i < diff->b->n_weighted_feature; i++)
	{
		Tfmd__WeightedFeature *weighted = diff->b->weighted_feature[i];
		FmPath path = fm_path_child(NULL, weighted->name ? weighted->name : "");

		if (fm_schema_find_weighted_feature(diff->a, &path) == NULL)
			add_change(diff, &path, "weighted_feature added", NULL, message_text(&weighted->base), false);
	}
}

/*
 * The schema without what is compared one by one, as text
 */
static char *
remainder_text(const Tfmd__Schema *schema)
{
	Tfmd__Schema rest = *schema;

	rest.n_feature = rest.n_string_domain = rest.n_default_environment = 0;
	rest.n_sparse_feature = rest.n_weighted_feature = 0;
	rest.dataset_constraints = NULL;
	return message_text(&rest.base);
}

static bool
loses_environment(const Tfmd__Schema *a, const Tfmd__Schema *b)
{
	size_t i;

	for (i = 0; i < a->n_default_environment; i++)
		if (!fm_schema_has_environment(b, a->default_environment[i]))
			return true;
	return false;
}

FmSchemaChange *
fm_schema_diff(const Tfmd__Schema *a, const Tfmd__Schema *b, int *n_changes)
{
	Diff diff = {a, b, NULL, 0};

	diff_features(&diff, NULL, a->feature, a->n_feature, b->feature, b->n_feature);
	diff_sparse_features(&diff);
	diff_weighted_features(&diff);
	compare_texts(&diff, NULL, "default_environment",
				  string_list_text(a->default_environment, a->n_default_environment),
				  string_list_text(b->default_environment, b->n_default_environment), loses_environment(a, b));
	compare_texts(&diff, NULL, "dataset_constraints", MESSAGE_TEXT(a->dataset_constraints),
				  MESSAGE_TEXT(b->dataset_constraints), false);
	compare_texts(&diff, NULL, "other", remainder_text(a), remainder_text(b), false);
	*n_changes = diff.n_changes;
	return diff.changes;
}
