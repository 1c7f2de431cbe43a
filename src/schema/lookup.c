/*
 * Looking things up in a schema: features, environments, lifecycle, domains
 */
#include "fm_core.h"
#include "schema/schema.h"
#include "schema/nearest.h"

static Tfmd__Feature *
find_by_name(Tfmd__Feature **features, size_t n_features, const char *name)
{
	size_t i;

	for (i = 0; i < n_features; i++)
	{
		const char *candidate = features[i]->name ? features[i]->name : "";

		if (strcmp(candidate, name) == 0)
			return features[i];
	}
	return NULL;
}

static Tfmd__StructDomain *
struct_domain_of(const Tfmd__Feature *feature)
{
	return feature != NULL && feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN
			   ? feature->struct_domain
			   : NULL;
}

Tfmd__Feature *
fm_schema_find_feature(const Tfmd__Schema *schema, const FmPath *path)
{
	Tfmd__Feature *feature;
	int i;

	if (path->n_step == 0)
		return NULL;
	feature = find_by_name(schema->feature, schema->n_feature, path->step[0]);
	for (i = 1; i < path->n_step; i++)
	{
		Tfmd__StructDomain *domain = struct_domain_of(feature);

		if (domain == NULL)
			return NULL;
		feature = find_by_name(domain->feature, domain->n_feature, path->step[i]);
	}
	return feature;
}

Tfmd__SparseFeature *
fm_schema_find_sparse_feature(const Tfmd__Schema *schema, const FmPath *path)
{
	Tfmd__SparseFeature **features = schema->sparse_feature;
	size_t n_features = schema->n_sparse_feature;
	size_t i;

	if (path->n_step == 0)
		return NULL;
	if (path->n_step > 1)
	{
		FmPath parent = {path->n_step - 1, path->step};
		Tfmd__StructDomain *domain = struct_domain_of(fm_schema_find_feature(schema, &parent));

		if (domain == NULL)
			return NULL;
		features = domain->sparse_feature;
		n_features = domain->n_sparse_feature;
	}
	for (i = 0; i < n_features; i++)
	{
		const char *name = features[i]->name ? features[i]->name : "";

		if (strcmp(name, path->step[path->n_step - 1]) == 0)
			return features[i];
	}
	return NULL;
}

Tfmd__WeightedFeature *
fm_schema_find_weighted_feature(const Tfmd__Schema *schema, const FmPath *path)
{
	size_t i;

	if (path->n_step != 1)
		return NULL;
	for (i = 0; i < schema->n_weighted_feature; i++)
	{
		const char *name = schema->weighted_feature[i]->name ? schema->weighted_feature[i]->name : "";

		if (strcmp(name, path->step[0]) == 0)
			return schema->weighted_feature[i];
	}
	return NULL;
}

static void
walk(Tfmd__Feature **features, size_t n_features, const FmPath *parent, FmFeatureVisitor visit, void *arg)
{
	size_t i;

	check_stack_depth();
	for (i = 0; i < n_features; i++)
	{
		FmPath path = fm_path_child(parent, features[i]->name ? features[i]->name : "");
		Tfmd__StructDomain *domain;

		CHECK_FOR_INTERRUPTS();
		if (!visit(arg, &path, features[i]))
			continue;
		domain = struct_domain_of(features[i]);
		if (domain != NULL)
			walk(domain->feature, domain->n_feature, &path, visit, arg);
	}
}

void
fm_schema_walk(const Tfmd__Schema *schema, FmFeatureVisitor visit, void *arg)
{
	walk(schema->feature, schema->n_feature, NULL, visit, arg);
}

static bool
offer_feature(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	fm_nearest_offer(arg, fm_path_serialize(path));
	return true;
}

Tfmd__Feature *
fm_schema_need_feature(const Tfmd__Schema *schema, const FmPath *path, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_find_feature(schema, path);

	if (feature == NULL)
	{
		char *wanted = fm_path_serialize(path);
		FmNearest nearest;
		const char *hint;

		fm_nearest_init(&nearest, wanted);
		fm_schema_walk(schema, offer_feature, &nearest);
		hint = fm_nearest_get(&nearest);
		fm_fail(error, ERRCODE_UNDEFINED_OBJECT, "feature \"%s\" does not exist in the schema", wanted);
		if (hint != NULL)
			fm_fail_hint(error, "Perhaps you meant the feature \"%s\".", hint);
	}
	return feature;
}

bool
fm_stage_is_deprecated(Tfmd__LifecycleStage stage)
{
	switch (stage)
	{
		case TFMD__LIFECYCLE_STAGE__PLANNED:
		case TFMD__LIFECYCLE_STAGE__ALPHA:
		case TFMD__LIFECYCLE_STAGE__DEPRECATED:
		case TFMD__LIFECYCLE_STAGE__DEBUG_ONLY:
		case TFMD__LIFECYCLE_STAGE__DISABLED:
			return true;
		default:
			return false;
	}
}

/* "deprecated" is an old field that files still set, so it has to be read */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

bool
fm_feature_is_deprecated(const Tfmd__Feature *feature)
{
	return (feature->has_deprecated && feature->deprecated) ||
		   (feature->has_lifecycle_stage && fm_stage_is_deprecated(feature->lifecycle_stage));
}

bool
fm_sparse_feature_is_deprecated(const Tfmd__SparseFeature *feature)
{
	return (feature->has_deprecated && feature->deprecated) ||
		   (feature->has_lifecycle_stage && fm_stage_is_deprecated(feature->lifecycle_stage));
}

#pragma GCC diagnostic pop

bool
fm_weighted_feature_is_deprecated(const Tfmd__WeightedFeature *feature)
{
	return feature->has_lifecycle_stage && fm_stage_is_deprecated(feature->lifecycle_stage);
}

static bool
contains(char **list, size_t n, const char *item)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], item) == 0)
			return true;
	return false;
}

bool
fm_schema_has_environment(const Tfmd__Schema *schema, const char *environment)
{
	return contains(schema->default_environment, schema->n_default_environment, environment);
}

bool
fm_feature_in_environment(const Tfmd__Schema *schema, const Tfmd__Feature *feature, const char *environment)
{
	if (environment == NULL || contains(feature->in_environment, feature->n_in_environment, environment))
		return true;
	if (contains(feature->not_in_environment, feature->n_not_in_environment, environment))
		return false;
	return fm_schema_has_environment(schema, environment);
}

bool
fm_feature_is_required(const Tfmd__Schema *schema, const Tfmd__Feature *feature, const char *environment)
{
	const Tfmd__FeaturePresence *presence =
		feature->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE ? feature->presence : NULL;

	if (presence == NULL || fm_feature_is_deprecated(feature))
		return false;
	if (!(presence->has_min_count && presence->min_count > 0) &&
		!(presence->has_min_fraction && !(presence->min_fraction <= 0))) /* NaN counts as above, as in TFDV */
		return false;
	return fm_feature_in_environment(schema, feature, environment);
}

/* Shared domains are looked up by name; a nameless one has the name "" */
#define FIND_DOMAIN(array, n)                                                                                          \
	do                                                                                                                 \
	{                                                                                                                  \
		size_t i;                                                                                                      \
                                                                                                                       \
		for (i = 0; i < (n); i++)                                                                                      \
			if (strcmp((array)[i]->name ? (array)[i]->name : "", name) == 0)                                           \
				return (array)[i];                                                                                     \
		return NULL;                                                                                                   \
	} while (0)

Tfmd__StringDomain *
fm_schema_find_string_domain(const Tfmd__Schema *schema, const char *name)
{
	FIND_DOMAIN(schema->string_domain, schema->n_string_domain);
}

Tfmd__IntDomain *
fm_schema_find_int_domain(const Tfmd__Schema *schema, const char *name)
{
	FIND_DOMAIN(schema->int_domain, schema->n_int_domain);
}

Tfmd__FloatDomain *
fm_schema_find_float_domain(const Tfmd__Schema *schema, const char *name)
{
	FIND_DOMAIN(schema->float_domain, schema->n_float_domain);
}

Tfmd__StringDomain *
fm_feature_string_domain(const Tfmd__Schema *schema, const Tfmd__Feature *feature)
{
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN)
		return feature->string_domain;
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
		return fm_schema_find_string_domain(schema, feature->domain);
	return NULL;
}

bool
fm_feature_is_categorical(const Tfmd__Schema *schema, const Tfmd__Feature *feature)
{
	Tfmd__StringDomain *domain;

	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			return true;
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			return feature->int_domain->has_is_categorical && feature->int_domain->is_categorical;
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			return feature->float_domain->has_is_categorical && feature->float_domain->is_categorical;
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
			domain = fm_feature_string_domain(schema, feature);
			return domain == NULL || !domain->has_is_categorical ||
				   domain->is_categorical != TFMD__STRING_DOMAIN__CATEGORICAL__CATEGORICAL_NO;
		default:
			return false;
	}
}

const char *
fm_feature_domain_name(const Tfmd__Feature *feature)
{
	const ProtobufCFieldDescriptor *field;

	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
		return "UNSET";
	field = protobuf_c_message_descriptor_get_field(&tfmd__feature__descriptor, feature->domain_info_case);
	return field ? field->name : "UNSET";
}

const char *
fm_enum_name(const ProtobufCEnumDescriptor *descriptor, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);

	return found ? found->name : NULL;
}
