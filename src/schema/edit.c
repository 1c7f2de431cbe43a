/*
 * Changing a schema by hand (see edit.h)
 */
#include "fm_core.h"
#include "schema/edit.h"
#include "schema/nearest.h"

#include <math.h>

/* -- domains -- */

bool
fm_domain_allows_type(const Tfmd__Feature *feature)
{
	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_MID_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_URL_DOMAIN:
			return feature->type == TFMD__FEATURE_TYPE__BYTES;
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			return feature->type == TFMD__FEATURE_TYPE__INT || feature->type == TFMD__FEATURE_TYPE__BYTES ||
				   feature->type == TFMD__FEATURE_TYPE__FLOAT;
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_TIME_DOMAIN:
			return feature->type == TFMD__FEATURE_TYPE__INT || feature->type == TFMD__FEATURE_TYPE__BYTES;
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			return feature->type == TFMD__FEATURE_TYPE__FLOAT || feature->type == TFMD__FEATURE_TYPE__BYTES;
		case TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN:
			return feature->type == TFMD__FEATURE_TYPE__STRUCT;
		default:
			return feature->type == TFMD__FEATURE_TYPE__INT || feature->type == TFMD__FEATURE_TYPE__FLOAT ||
				   feature->type == TFMD__FEATURE_TYPE__BYTES || feature->type == TFMD__FEATURE_TYPE__STRUCT;
	}
}

static bool
check_domain_name(const Tfmd__Schema *schema, const char *name, FmError *error)
{
	FmNearest nearest;
	size_t i;

	if (fm_schema_find_string_domain(schema, name) != NULL)
		return true;
	fm_fail(error, ERRCODE_UNDEFINED_OBJECT, "string domain \"%s\" does not exist in the schema", name);
	fm_nearest_init(&nearest, name);
	for (i = 0; i < schema->n_string_domain; i++)
		if (schema->string_domain[i]->name != NULL)
			fm_nearest_offer(&nearest, schema->string_domain[i]->name);
	if (fm_nearest_get(&nearest) != NULL)
		fm_fail_hint(error, "Perhaps you meant the domain \"%s\".", fm_nearest_get(&nearest));
	else
		fm_fail_hint(error, "Give the name of a shared string domain, or a domain in text format such as "
							"int_domain { min: 0 max: 5 }.");
	return false;
}

bool
fm_schema_set_domain_message(Tfmd__Schema *schema, const FmPath *path, Tfmd__Feature *holder, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);

	if (feature == NULL)
		return false;
	if (holder->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "no domain is given");
		fm_fail_hint(error, "Give one member of domain_info, such as int_domain { min: 0 max: 5 }.");
		return false;
	}
	if (holder->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN &&
		!check_domain_name(schema, holder->domain, error))
		return false;
	if (feature->has_type)
	{
		holder->type = feature->type;
		if (!fm_domain_allows_type(holder))
		{
			fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "%s does not fit feature \"%s\" of type %s",
					fm_feature_domain_name(holder), fm_path_serialize(path),
					fm_enum_name(&tfmd__feature_type__descriptor, feature->type));
			return false;
		}
	}
	feature->domain_info_case = holder->domain_info_case;
	feature->domain = holder->domain; /* any member: they share their place */
	return true;
}

bool
fm_schema_set_domain(Tfmd__Schema *schema, const FmPath *path, const char *domain, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);
	Tfmd__Feature *holder;
	FmError parse_error = {0};

	if (feature == NULL)
		return false;
	if (domain == NULL)
	{
		if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
		{
			fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "struct_domain of feature \"%s\" cannot be taken away",
					fm_path_serialize(path));
			fm_fail_hint(error, "Use drop_feature to take away the features in it.");
			return false;
		}
		feature->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
		return true;
	}
	if (strpbrk(domain, "{<:") == NULL || fm_schema_find_string_domain(schema, domain) != NULL)
	{
		holder = FM_NEW(Tfmd__Feature, tfmd__feature);
		holder->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_DOMAIN;
		holder->domain = pstrdup(domain);
	}
	else
	{
		holder =
			(Tfmd__Feature *) fm_message_parse_text(&tfmd__feature__descriptor, domain, strlen(domain), &parse_error);
		if (holder == NULL)
		{
			*error = parse_error;
			return false;
		}
	}
	return fm_schema_set_domain_message(schema, path, holder, error);
}

bool
fm_schema_set_domain_values(Tfmd__Schema *schema, const FmPath *path, char **values, int n_values, FmError *error)
{
	Tfmd__Feature *holder = FM_NEW(Tfmd__Feature, tfmd__feature);
	int i;

	holder->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN;
	holder->string_domain = FM_NEW(Tfmd__StringDomain, tfmd__string_domain);
	holder->string_domain->name = fm_path_serialize(path);
	for (i = 0; i < n_values; i++)
		FM_APPEND(holder->string_domain->n_value, holder->string_domain->value, values[i]);
	return fm_schema_set_domain_message(schema, path, holder, error);
}

Tfmd__Feature *
fm_schema_get_domain(const Tfmd__Schema *schema, const FmPath *path, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);
	Tfmd__Feature *holder;
	Tfmd__StringDomain *shared;

	if (feature == NULL || feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
		return NULL;
	holder = FM_NEW(Tfmd__Feature, tfmd__feature);
	holder->domain_info_case = feature->domain_info_case;
	holder->domain = feature->domain;
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
	{
		if (!check_domain_name(schema, feature->domain, error))
			return NULL;
		shared = fm_schema_find_string_domain(schema, feature->domain);
		holder->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN;
		holder->string_domain = shared;
	}
	return holder;
}

/* -- presence, counts, uniqueness -- */

bool
fm_schema_set_presence(Tfmd__Schema *schema, const FmPath *path, const double *min_fraction, const int64 *min_count,
					   FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);

	if (feature == NULL)
		return false;
	if (min_fraction != NULL && !(*min_fraction >= 0 && *min_fraction <= 1))
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "min_fraction must lie between 0 and 1");
	if (min_count != NULL && *min_count < 0)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "min_count must not be negative");
	feature->presence_constraints_case = TFMD__FEATURE__PRESENCE_CONSTRAINTS__NOT_SET;
	if (min_fraction == NULL && min_count == NULL)
		return true;
	feature->presence_constraints_case = TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE;
	feature->presence = FM_NEW(Tfmd__FeaturePresence, tfmd__feature_presence);
	if (min_fraction != NULL)
	{
		feature->presence->has_min_fraction = true;
		feature->presence->min_fraction = *min_fraction;
	}
	if (min_count != NULL)
	{
		feature->presence->has_min_count = true;
		feature->presence->min_count = *min_count;
	}
	return true;
}

static bool
check_bounds(const int64 *min, const int64 *max, FmError *error)
{
	if ((min != NULL && *min < 0) || (max != NULL && *max < 0))
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "min and max must not be negative");
	if (min != NULL && max != NULL && *min > *max)
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "min must not be greater than max");
	return true;
}

bool
fm_schema_set_value_count(Tfmd__Schema *schema, const FmPath *path, const int64 *min, const int64 *max, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);

	if (feature == NULL || !check_bounds(min, max, error))
		return false;
	feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE__NOT_SET;
	if (min == NULL && max == NULL)
		return true;
	feature->shape_type_case = TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT;
	feature->value_count = FM_NEW(Tfmd__ValueCount, tfmd__value_count);
	feature->value_count->has_min = min != NULL;
	feature->value_count->min = min != NULL ? *min : 0;
	feature->value_count->has_max = max != NULL;
	feature->value_count->max = max != NULL ? *max : 0;
	return true;
}

bool
fm_schema_set_unique(Tfmd__Schema *schema, const FmPath *path, const int64 *min, const int64 *max, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);

	if (feature == NULL || !check_bounds(min, max, error))
		return false;
	feature->unique_constraints = NULL;
	if (min == NULL && max == NULL)
		return true;
	/* a bound that is not set counts as 0 in validation, so both are written */
	feature->unique_constraints = FM_NEW(Tfmd__UniqueConstraints, tfmd__unique_constraints);
	feature->unique_constraints->has_min = feature->unique_constraints->has_max = true;
	feature->unique_constraints->min = min != NULL ? *min : 0;
	feature->unique_constraints->max = max != NULL ? *max : PG_INT64_MAX;
	return true;
}

/* -- environments -- */

static void
remove_string(char **list, size_t *n, const char *item)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < *n; i++)
		if (strcmp(list[i], item) != 0)
			list[kept++] = list[i];
	*n = kept;
}

bool
fm_schema_set_environment(Tfmd__Schema *schema, const FmPath *path, const char *environment, bool present,
						  FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);

	if (feature == NULL)
		return false;
	if (!fm_schema_has_environment(schema, environment))
	{
		fm_fail(error, ERRCODE_UNDEFINED_OBJECT, "environment \"%s\" does not exist in the schema", environment);
		fm_fail_hint(error, "Add it first with set_environment(schema, '%s').", environment);
		return false;
	}
	/* what is in a default environment need not say so */
	remove_string(feature->in_environment, &feature->n_in_environment, environment);
	remove_string(feature->not_in_environment, &feature->n_not_in_environment, environment);
	if (!present)
		FM_APPEND(feature->n_not_in_environment, feature->not_in_environment, pstrdup(environment));
	return true;
}

static bool
forget_environment(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	const char *environment = arg;

	remove_string(feature->in_environment, &feature->n_in_environment, environment);
	remove_string(feature->not_in_environment, &feature->n_not_in_environment, environment);
	return true;
}

bool
fm_schema_set_default_environment(Tfmd__Schema *schema, const char *environment, bool present, FmError *error)
{
	if (*environment == '\0')
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "an environment must have a name");
	if (!present)
	{
		remove_string(schema->default_environment, &schema->n_default_environment, environment);
		fm_schema_walk(schema, forget_environment, unconstify(char *, environment));
	}
	else if (!fm_schema_has_environment(schema, environment))
		FM_APPEND(schema->n_default_environment, schema->default_environment, pstrdup(environment));
	return true;
}

/* -- drift and skew -- */

static const char *
default_distance(const Tfmd__Schema *schema, const Tfmd__Feature *feature)
{
	bool is_number =
		feature->has_type && (feature->type == TFMD__FEATURE_TYPE__INT || feature->type == TFMD__FEATURE_TYPE__FLOAT);

	return is_number && !fm_feature_is_categorical(schema, feature) ? "jensen_shannon_divergence" : "infinity_norm";
}

bool
fm_schema_set_threshold(Tfmd__Schema *schema, const FmPath *path, bool drift, const double *threshold,
						const char *distance, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_need_feature(schema, path, error);
	Tfmd__FeatureComparator **slot;
	Tfmd__FeatureComparator *comparator;

	if (feature == NULL)
		return false;
	slot = drift ? &feature->drift_comparator : &feature->skew_comparator;
	if (threshold == NULL)
	{
		*slot = NULL;
		return true;
	}
	if (!(*threshold >= 0) || isinf(*threshold))
		return fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "a threshold must be a number from 0 on");
	if (distance == NULL)
		distance = default_distance(schema, feature);
	comparator = *slot != NULL ? *slot : FM_NEW(Tfmd__FeatureComparator, tfmd__feature_comparator);
	if (strcmp(distance, "infinity_norm") == 0)
	{
		comparator->infinity_norm = FM_NEW(Tfmd__InfinityNorm, tfmd__infinity_norm);
		comparator->infinity_norm->has_threshold = true;
		comparator->infinity_norm->threshold = *threshold;
	}
	else if (strcmp(distance, "jensen_shannon_divergence") == 0)
	{
		if (comparator->jensen_shannon_divergence == NULL)
			comparator->jensen_shannon_divergence =
				FM_NEW(Tfmd__JensenShannonDivergence, tfmd__jensen_shannon_divergence);
		comparator->jensen_shannon_divergence->has_threshold = true;
		comparator->jensen_shannon_divergence->threshold = *threshold;
	}
	else if (strcmp(distance, "normalized_abs_difference") == 0)
	{
		comparator->normalized_abs_difference =
			FM_NEW(Tfmd__NormalizedAbsoluteDifference, tfmd__normalized_absolute_difference);
		comparator->normalized_abs_difference->has_threshold = true;
		comparator->normalized_abs_difference->threshold = *threshold;
	}
	else
	{
		fm_fail(error, ERRCODE_INVALID_PARAMETER_VALUE, "unknown distance \"%s\"", distance);
		fm_fail_hint(error, "Use infinity_norm, jensen_shannon_divergence or normalized_abs_difference.");
		return false;
	}
	*slot = comparator;
	return true;
}

/* -- drop and rename -- */

/*
 * The lists in which a feature's siblings stand: the schema's or those of its parent's struct_domain
 */
typedef struct Siblings
{
	Tfmd__Feature **feature;
	size_t *n_feature;
	Tfmd__SparseFeature **sparse_feature;
	size_t *n_sparse_feature;
} Siblings;

static Siblings
siblings_of(Tfmd__Schema *schema, const FmPath *path)
{
	Siblings siblings = {0};
	FmPath parent_path = {path->n_step - 1, path->step};
	Tfmd__Feature *parent = path->n_step > 1 ? fm_schema_find_feature(schema, &parent_path) : NULL;

	if (path->n_step == 1)
	{
		siblings.feature = schema->feature;
		siblings.n_feature = &schema->n_feature;
		siblings.sparse_feature = schema->sparse_feature;
		siblings.n_sparse_feature = &schema->n_sparse_feature;
	}
	else if (parent != NULL && parent->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
	{
		siblings.feature = parent->struct_domain->feature;
		siblings.n_feature = &parent->struct_domain->n_feature;
		siblings.sparse_feature = parent->struct_domain->sparse_feature;
		siblings.n_sparse_feature = &parent->struct_domain->n_sparse_feature;
	}
	return siblings;
}

static bool
names_feature(const char *name, const char *wanted)
{
	return name != NULL && strcmp(name, wanted) == 0;
}

/*
 * A sparse or weighted feature that has the feature as a part; NULL if there is none
 */
static const char *
user_of_feature(Tfmd__Schema *schema, const FmPath *path)
{
	Siblings siblings = siblings_of(schema, path);
	const char *name = path->step[path->n_step - 1];
	size_t i;
	size_t j;

	for (i = 0; siblings.feature != NULL && i < *siblings.n_sparse_feature; i++)
	{
		Tfmd__SparseFeature *sparse = siblings.sparse_feature[i];

		if (sparse->value_feature != NULL && names_feature(sparse->value_feature->name, name))
			return sparse->name;
		for (j = 0; j < sparse->n_index_feature; j++)
			if (names_feature(sparse->index_feature[j]->name, name))
				return sparse->name;
	}
	for (i = 0; i < schema->n_weighted_feature; i++)
	{
		Tfmd__WeightedFeature *weighted = schema->weighted_feature[i];
		FmPath value = fm_path_from_message(weighted->feature);
		FmPath weight = fm_path_from_message(weighted->weight_feature);

		if (fm_path_equal(&value, path) || fm_path_equal(&weight, path))
			return weighted->name;
	}
	return NULL;
}

typedef struct DomainUse
{
	const char *name;
	bool used;
} DomainUse;

static bool
look_for_domain(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	DomainUse *use = arg;

	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN && strcmp(feature->domain, use->name) == 0)
		use->used = true;
	return true;
}

static void
drop_unused_domain(Tfmd__Schema *schema, const char *name)
{
	DomainUse use = {name, false};
	size_t kept = 0;
	size_t i;

	fm_schema_walk(schema, look_for_domain, &use);
	if (use.used)
		return;
	for (i = 0; i < schema->n_string_domain; i++)
		if (!names_feature(schema->string_domain[i]->name, name))
			schema->string_domain[kept++] = schema->string_domain[i];
	schema->n_string_domain = kept;
}

typedef struct DomainList
{
	int n;
	const char **name;
} DomainList;

static void
collect_domains(Tfmd__Feature *feature, DomainList *list)
{
	size_t i;

	check_stack_depth();
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
		FM_APPEND(list->n, list->name, feature->domain);
	else if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
		for (i = 0; i < feature->struct_domain->n_feature; i++)
			collect_domains(feature->struct_domain->feature[i], list);
}

#define REMOVE_ELEMENT(array, n, element)                                                                              \
	do                                                                                                                 \
	{                                                                                                                  \
		size_t from;                                                                                                   \
		size_t to = 0;                                                                                                 \
                                                                                                                       \
		for (from = 0; from < (n); from++)                                                                             \
			if ((array)[from] != (element))                                                                            \
				(array)[to++] = (array)[from];                                                                         \
		(n) = to;                                                                                                      \
	} while (0)

bool
fm_schema_drop_feature(Tfmd__Schema *schema, const FmPath *path, FmError *error)
{
	Siblings siblings;
	Tfmd__SparseFeature *sparse = fm_schema_find_sparse_feature(schema, path);
	Tfmd__WeightedFeature *weighted = fm_schema_find_weighted_feature(schema, path);
	Tfmd__Feature *feature = fm_schema_find_feature(schema, path);
	DomainList domains = {0};
	const char *user;
	int i;

	if (feature == NULL && sparse == NULL && weighted == NULL)
		return fm_schema_need_feature(schema, path, error) != NULL;
	siblings = siblings_of(schema, path);
	if (sparse != NULL)
		REMOVE_ELEMENT(siblings.sparse_feature, *siblings.n_sparse_feature, sparse);
	if (weighted != NULL)
		REMOVE_ELEMENT(schema->weighted_feature, schema->n_weighted_feature, weighted);
	if (feature == NULL)
		return true;
	user = user_of_feature(schema, path);
	if (user != NULL)
	{
		fm_fail(error, ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
				"feature \"%s\" cannot be dropped because feature \"%s\" is made of it", fm_path_serialize(path), user);
		fm_fail_hint(error, "Drop that feature first.");
		return false;
	}
	collect_domains(feature, &domains);
	REMOVE_ELEMENT(siblings.feature, *siblings.n_feature, feature);
	for (i = 0; i < domains.n; i++)
		drop_unused_domain(schema, domains.name[i]);
	return true;
}

static void
rename_string(char **place, const char *from, const char *to)
{
	if (names_feature(*place, from))
		*place = pstrdup(to);
}

/*
 * Replaces the last step of path in a path that has it as prefix: the feature itself or one below it
 */
static void
rename_in_path(Tfmd__Path *place, const FmPath *path, const char *to)
{
	FmPath prefix;

	if (place == NULL || place->n_step < (size_t) path->n_step)
		return;
	prefix.n_step = path->n_step;
	prefix.step = place->step;
	if (fm_path_equal(&prefix, path))
		place->step[path->n_step - 1] = pstrdup(to);
}

/*
 * Tensor representations name columns of the top level
 */
static void
rename_in_tensor(Tfmd__TensorRepresentation *tensor, const FmPath *path, const char *to)
{
	const char *from = path->step[0];
	size_t i;

	if (tensor->kind_case == TFMD__TENSOR_REPRESENTATION__KIND_RAGGED_TENSOR)
	{
		Tfmd__TensorRepresentation__RaggedTensor *ragged = tensor->ragged_tensor;
		FmPath place = fm_path_from_message(ragged->feature_path);

		/* row lengths are siblings of the feature */
		if (place.n_step == path->n_step)
		{
			FmPath a = {place.n_step - 1, place.step};
			FmPath b = {path->n_step - 1, path->step};

			for (i = 0; i < ragged->n_partition && fm_path_equal(&a, &b); i++)
				if (ragged->partition[i]->kind_case ==
					TFMD__TENSOR_REPRESENTATION__RAGGED_TENSOR__PARTITION__KIND_ROW_LENGTH)
					rename_string(&ragged->partition[i]->row_length, path->step[path->n_step - 1], to);
		}
		rename_in_path(ragged->feature_path, path, to);
		return;
	}
	if (path->n_step != 1)
		return;
	switch (tensor->kind_case)
	{
		case TFMD__TENSOR_REPRESENTATION__KIND_DENSE_TENSOR:
			rename_string(&tensor->dense_tensor->column_name, from, to);
			break;
		case TFMD__TENSOR_REPRESENTATION__KIND_VARLEN_SPARSE_TENSOR:
			rename_string(&tensor->varlen_sparse_tensor->column_name, from, to);
			break;
		case TFMD__TENSOR_REPRESENTATION__KIND_SPARSE_TENSOR:
			for (i = 0; i < tensor->sparse_tensor->n_index_column_names; i++)
				rename_string(&tensor->sparse_tensor->index_column_names[i], from, to);
			rename_string(&tensor->sparse_tensor->value_column_name, from, to);
			break;
		default:
			break;
	}
}

typedef struct Rename
{
	const FmPath *path;
	const char *to;
} Rename;

static bool
rename_in_source(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	const Rename *rename = arg;
	Tfmd__DerivedFeatureSource *source = feature->validation_derived_source;
	size_t i;

	for (i = 0; source != NULL && i < source->n_source_path; i++)
		rename_in_path(source->source_path[i], rename->path, rename->to);
	return true;
}

bool
fm_schema_rename_feature(Tfmd__Schema *schema, const FmPath *path, const char *name, FmError *error)
{
	Tfmd__Feature *feature = fm_schema_find_feature(schema, path);
	Tfmd__SparseFeature *sparse = fm_schema_find_sparse_feature(schema, path);
	Tfmd__WeightedFeature *weighted = fm_schema_find_weighted_feature(schema, path);
	Rename rename = {path, name};
	Siblings siblings;
	const char *old_name;
	FmPath parent = {path->n_step - 1, path->step};
	FmPath new_path;
	size_t i;
	size_t j;

	if (feature == NULL && sparse == NULL && weighted == NULL)
		return fm_schema_need_feature(schema, path, error) != NULL;
	old_name = path->step[path->n_step - 1];
	if (strcmp(old_name, name) == 0)
		return true;
	new_path = fm_path_child(&parent, name);
	if (fm_schema_find_feature(schema, &new_path) != NULL || fm_schema_find_sparse_feature(schema, &new_path) != NULL ||
		fm_schema_find_weighted_feature(schema, &new_path) != NULL)
		return fm_fail(error, ERRCODE_DUPLICATE_OBJECT, "feature \"%s\" exists already in the schema",
					   fm_path_serialize(&new_path));
	if (sparse != NULL)
		sparse->name = pstrdup(name);
	if (weighted != NULL)
		weighted->name = pstrdup(name);
	if (feature == NULL)
		return true;
	siblings = siblings_of(schema, path);
	for (i = 0; i < *siblings.n_sparse_feature; i++)
	{
		Tfmd__SparseFeature *user = siblings.sparse_feature[i];

		if (user->value_feature != NULL)
			rename_string(&user->value_feature->name, old_name, name);
		for (j = 0; j < user->n_index_feature; j++)
			rename_string(&user->index_feature[j]->name, old_name, name);
	}
	for (i = 0; i < schema->n_weighted_feature; i++)
	{
		rename_in_path(schema->weighted_feature[i]->feature, path, name);
		rename_in_path(schema->weighted_feature[i]->weight_feature, path, name);
	}
	for (i = 0; i < schema->n_tensor_representation_group; i++)
	{
		Tfmd__TensorRepresentationGroup *group = schema->tensor_representation_group[i]->value;

		for (j = 0; group != NULL && j < group->n_tensor_representation; j++)
			if (group->tensor_representation[j]->value != NULL)
				rename_in_tensor(group->tensor_representation[j]->value, path, name);
	}
	fm_schema_walk(schema, rename_in_source, &rename);
	feature->name = pstrdup(name);
	return true;
}
