/*
 * Two schemas into one that is as loose as both (see edit.h)
 *
 * Of each constraint the weaker one is kept; one that only a single side states falls away. A feature that only one
 * side knows becomes optional.
 */
#include "fm_core.h"
#include "schema/edit.h"

typedef struct Merge
{
	Tfmd__Schema *a;
	const Tfmd__Schema *b;
	FmError *error;
} Merge;

static bool merge_features(Merge *merge, const FmPath *parent, Tfmd__Feature ***features, size_t *n_features,
						   Tfmd__Feature **others, size_t n_others);

static bool
same_message(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	uint8 *packed_a;
	uint8 *packed_b;
	size_t size_a;
	size_t size_b;

	if (a == NULL || b == NULL)
		return a == b;
	packed_a = fm_message_pack(a, &size_a);
	packed_b = fm_message_pack(b, &size_b);
	return size_a == size_b && memcmp(packed_a, packed_b, size_a) == 0;
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

/* -- presence -- */

static void
make_optional(Tfmd__Feature *feature)
{
	if (feature->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS__NOT_SET)
		return;
	feature->presence_constraints_case = TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE;
	feature->presence = FM_NEW(Tfmd__FeaturePresence, tfmd__feature_presence);
	feature->presence->has_min_count = true;
}

static void
merge_presence(Tfmd__Feature *a, const Tfmd__Feature *b)
{
	if (a->presence_constraints_case != b->presence_constraints_case)
	{
		make_optional(a);
		return;
	}
	if (a->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE)
	{
		a->presence->has_min_fraction = a->presence->has_min_fraction && b->presence->has_min_fraction;
		a->presence->min_fraction = Min(a->presence->min_fraction, b->presence->min_fraction);
		a->presence->has_min_count = a->presence->has_min_count && b->presence->has_min_count;
		a->presence->min_count = Min(a->presence->min_count, b->presence->min_count);
	}
	else if (a->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_GROUP_PRESENCE)
		a->group_presence->required = a->group_presence->required && b->group_presence->required;
}

/* -- number of values -- */

static void
merge_count(Tfmd__ValueCount *a, const Tfmd__ValueCount *b)
{
	a->has_min = a->has_min && b->has_min;
	a->min = Min(a->min, b->min);
	a->has_max = a->has_max && b->has_max;
	a->max = Max(a->max, b->max);
}

/*
 * What a feature says of the number of values, a shape of one dimension too; NULL if that is not one range
 */
static Tfmd__ValueCount *
count_of(const Tfmd__Feature *feature)
{
	Tfmd__ValueCount *count = FM_NEW(Tfmd__ValueCount, tfmd__value_count);

	if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
		*count = *feature->value_count;
	else if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_SHAPE && feature->shape->n_dim == 1)
	{
		count->has_min = count->has_max = true;
		count->min = count->max = feature->shape->dim[0]->size;
	}
	else
		return NULL;
	return count;
}

static void
merge_shape(Tfmd__Feature *a, const Tfmd__Feature *b)
{
	Tfmd__ValueCount *count_a;
	Tfmd__ValueCount *count_b;
	size_t i;

	if (a->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_SHAPE &&
		b->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_SHAPE && same_message(&a->shape->base, &b->shape->base))
		return;
	if (a->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS &&
		b->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS &&
		a->value_counts->n_value_count == b->value_counts->n_value_count)
	{
		for (i = 0; i < a->value_counts->n_value_count; i++)
			merge_count(a->value_counts->value_count[i], b->value_counts->value_count[i]);
		return;
	}
	count_a = count_of(a);
	count_b = count_of(b);
	a->shape_type_case = TFMD__FEATURE__SHAPE_TYPE__NOT_SET;
	if (count_a == NULL || count_b == NULL)
		return;
	merge_count(count_a, count_b);
	if (!count_a->has_min && !count_a->has_max)
		return;
	a->shape_type_case = TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT;
	a->value_count = count_a;
}

/* -- domains -- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
merge_string_domain(Tfmd__StringDomain *a, const Tfmd__StringDomain *b)
{
	size_t n_known = a->n_value;
	char **known = palloc(sizeof(char *) * (n_known + 1));
	size_t i;

	if (n_known > 0)
		memcpy(known, a->value, sizeof(char *) * n_known);
	qsort(known, n_known, sizeof(char *), compare_strings);
	for (i = 0; i < b->n_value; i++)
		if (bsearch(&b->value[i], known, n_known, sizeof(char *), compare_strings) == NULL)
			FM_APPEND(a->n_value, a->value, b->value[i]);
	pfree(known);
}

/*
 * The range of an integer feature's domain; a bool_domain is 0 to 1. NULL if the domain is neither.
 */
static Tfmd__IntDomain *
int_range_of(const Tfmd__Feature *feature)
{
	Tfmd__IntDomain *range;

	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN)
		return feature->int_domain;
	if (feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN || feature->type != TFMD__FEATURE_TYPE__INT)
		return NULL;
	range = FM_NEW(Tfmd__IntDomain, tfmd__int_domain);
	range->has_min = range->has_max = true;
	range->max = 1;
	return range;
}

static void
merge_int_range(Tfmd__IntDomain *a, const Tfmd__IntDomain *b)
{
	a->has_min = a->has_min && b->has_min;
	a->min = Min(a->min, b->min);
	a->has_max = a->has_max && b->has_max;
	a->max = Max(a->max, b->max);
}

static void
merge_float_range(Tfmd__FloatDomain *a, const Tfmd__FloatDomain *b)
{
	a->has_min = a->has_min && b->has_min;
	a->min = Min(a->min, b->min);
	a->has_max = a->has_max && b->has_max;
	a->max = Max(a->max, b->max);
	a->disallow_nan = a->disallow_nan && b->disallow_nan;
	a->has_disallow_nan = a->has_disallow_nan && b->has_disallow_nan;
	a->disallow_inf = a->disallow_inf && b->disallow_inf;
	a->has_disallow_inf = a->has_disallow_inf && b->has_disallow_inf;
}

/*
 * Do both hold the same message as domain? Any member but "domain" is one.
 */
static bool
same_domain(const Tfmd__Feature *a, const Tfmd__Feature *b)
{
	return a->domain_info_case == b->domain_info_case &&
		   same_message(&a->int_domain->base, &b->int_domain->base); /* any member: they share their place */
}

static void
merge_sparse_features(Tfmd__SparseFeature ***features, size_t *n_features, Tfmd__SparseFeature **others,
					  size_t n_others)
{
	size_t i;
	size_t j;

	for (i = 0; i < n_others; i++)
	{
		for (j = 0; j < *n_features; j++)
			if (strcmp((*features)[j]->name ? (*features)[j]->name : "", others[i]->name ? others[i]->name : "") == 0)
				break;
		if (j == *n_features)
			FM_APPEND(*n_features, *features, others[i]);
	}
}

static bool
merge_domain(Merge *merge, const FmPath *path, Tfmd__Feature *a, const Tfmd__Feature *b)
{
	Tfmd__StringDomain *strings_a = fm_feature_string_domain(merge->a, a);
	Tfmd__StringDomain *strings_b = fm_feature_string_domain(merge->b, b);
	Tfmd__IntDomain *ints_a = int_range_of(a);
	Tfmd__IntDomain *ints_b = int_range_of(b);

	if (a->domain_info_case == TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
		return true;
	if (a->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN &&
		b->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
	{
		merge_sparse_features(&a->struct_domain->sparse_feature, &a->struct_domain->n_sparse_feature,
							  b->struct_domain->sparse_feature, b->struct_domain->n_sparse_feature);
		return merge_features(merge, path, &a->struct_domain->feature, &a->struct_domain->n_feature,
							  b->struct_domain->feature, b->struct_domain->n_feature);
	}
	if (strings_a != NULL && strings_b != NULL)
		merge_string_domain(strings_a, strings_b);
	else if (strings_a != NULL || strings_b != NULL || b->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN ||
			 a->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
		a->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
	else if (same_domain(a, b))
		return true;
	else if (ints_a != NULL && ints_b != NULL)
	{
		merge_int_range(ints_a, ints_b);
		a->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN;
		a->int_domain = ints_a;
	}
	else if (a->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN &&
			 b->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN)
		merge_float_range(a->float_domain, b->float_domain);
	else
		a->domain_info_case = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
	return true;
}

/* -- the rest of a feature -- */

static void
merge_distribution(Tfmd__Feature *a, const Tfmd__Feature *b)
{
	double mass_a = a->distribution_constraints ? a->distribution_constraints->min_domain_mass : 1;
	double mass_b = b->distribution_constraints ? b->distribution_constraints->min_domain_mass : 1;

	if (a->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_DOMAIN &&
		a->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN)
		a->distribution_constraints = NULL;
	else if (mass_b < mass_a)
		a->distribution_constraints = b->distribution_constraints;
}

static void
merge_unique(Tfmd__Feature *a, const Tfmd__Feature *b)
{
	Tfmd__UniqueConstraints *unique = a->unique_constraints;

	if (unique == NULL || b->unique_constraints == NULL)
	{
		a->unique_constraints = NULL;
		return;
	}
	/* a bound that is not set counts as 0 */
	unique->has_min = unique->has_max = true;
	unique->min = Min(unique->min, b->unique_constraints->min);
	unique->max = Max(unique->max, b->unique_constraints->max);
}

static Tfmd__FeatureComparator *
merge_comparator(Tfmd__FeatureComparator *a, const Tfmd__FeatureComparator *b)
{
	if (a == NULL || b == NULL)
		return NULL;
	if (a->infinity_norm != NULL && b->infinity_norm != NULL)
		a->infinity_norm->threshold = Max(a->infinity_norm->threshold, b->infinity_norm->threshold);
	else
		a->infinity_norm = NULL;
	if (a->jensen_shannon_divergence != NULL && b->jensen_shannon_divergence != NULL)
		a->jensen_shannon_divergence->threshold =
			Max(a->jensen_shannon_divergence->threshold, b->jensen_shannon_divergence->threshold);
	else
		a->jensen_shannon_divergence = NULL;
	if (a->normalized_abs_difference != NULL && b->normalized_abs_difference != NULL)
		a->normalized_abs_difference->threshold =
			Max(a->normalized_abs_difference->threshold, b->normalized_abs_difference->threshold);
	else
		a->normalized_abs_difference = NULL;
	return a->infinity_norm || a->jensen_shannon_divergence || a->normalized_abs_difference ? a : NULL;
}

/*
 * In an environment that only one side has it in, the feature may be there and need not
 */
static void
merge_environments(Merge *merge, Tfmd__Feature *a, const Tfmd__Feature *b)
{
	bool differs = false;
	size_t kept = 0;
	size_t i;

	for (i = 0; i < b->n_in_environment; i++)
		if (!contains(a->in_environment, a->n_in_environment, b->in_environment[i]))
		{
			FM_APPEND(a->n_in_environment, a->in_environment, b->in_environment[i]);
			differs = true;
		}
	for (i = 0; i < a->n_not_in_environment; i++)
	{
		char *environment = a->not_in_environment[i];

		if (contains(b->not_in_environment, b->n_not_in_environment, environment) ||
			!fm_feature_in_environment(merge->b, b, environment))
			a->not_in_environment[kept++] = environment;
		else
			differs = true;
	}
	a->n_not_in_environment = kept;
	for (i = 0; i < b->n_not_in_environment; i++)
	{
		char *environment = b->not_in_environment[i];

		if (fm_feature_in_environment(merge->a, a, environment))
			differs = true;
		else if (!contains(a->not_in_environment, a->n_not_in_environment, environment))
			FM_APPEND(a->n_not_in_environment, a->not_in_environment, environment);
	}
	if (differs)
		make_optional(a);
}

static bool
merge_feature(Merge *merge, const FmPath *path, Tfmd__Feature *a, const Tfmd__Feature *b)
{
	if (fm_feature_is_deprecated(a))
		return true;
	if (fm_feature_is_deprecated(b))
	{
		a->has_lifecycle_stage = true;
		a->lifecycle_stage = b->has_lifecycle_stage ? b->lifecycle_stage : TFMD__LIFECYCLE_STAGE__DEPRECATED;
		return true;
	}
	if (a->type != b->type)
	{
		fm_fail(merge->error, ERRCODE_DATATYPE_MISMATCH, "the types of feature \"%s\" differ", fm_path_serialize(path));
		fm_fail_detail(merge->error, "One schema says %s, the other %s.",
					   fm_enum_name(&tfmd__feature_type__descriptor, a->type),
					   fm_enum_name(&tfmd__feature_type__descriptor, b->type));
		return false;
	}
	merge_presence(a, b);
	merge_environments(merge, a, b);
	merge_shape(a, b);
	if (!merge_domain(merge, path, a, b))
		return false;
	merge_distribution(a, b);
	merge_unique(a, b);
	a->drift_comparator = merge_comparator(a->drift_comparator, b->drift_comparator);
	a->skew_comparator = merge_comparator(a->skew_comparator, b->skew_comparator);
	return true;
}

/*
 * Brings the shared domains that a feature of b names into a, under another name if theirs is taken by other values
 */
static void
adopt_domains(Merge *merge, Tfmd__Feature *feature)
{
	Tfmd__StringDomain *domain;
	Tfmd__StringDomain *own;
	char *name;
	int suffix;
	size_t i;

	check_stack_depth();
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
		for (i = 0; i < feature->struct_domain->n_feature; i++)
			adopt_domains(merge, feature->struct_domain->feature[i]);
	if (feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
		return;
	domain = fm_schema_find_string_domain(merge->b, feature->domain);
	if (domain == NULL)
		return;
	name = feature->domain;
	for (suffix = 2; (own = fm_schema_find_string_domain(merge->a, name)) != NULL; suffix++)
	{
		char *original = own->name;
		bool same;

		own->name = domain->name;
		same = same_message(&own->base, &domain->base);
		own->name = original;
		if (same)
			break;
		name = psprintf("%s%d", feature->domain, suffix);
	}
	if (own == NULL)
	{
		own = (Tfmd__StringDomain *) fm_message_copy(&domain->base);
		own->name = name;
		FM_APPEND(merge->a->n_string_domain, merge->a->string_domain, own);
	}
	feature->domain = name;
}

static bool
merge_features(Merge *merge, const FmPath *parent, Tfmd__Feature ***features, size_t *n_features,
			   Tfmd__Feature **others, size_t n_others)
{
	size_t n_own = *n_features;
	bool *matched = palloc0(sizeof(bool) * (n_own + 1));
	size_t i;
	size_t j;

	check_stack_depth();
	for (i = 0; i < n_others; i++)
	{
		const char *name = others[i]->name ? others[i]->name : "";
		FmPath path = fm_path_child(parent, name);

		CHECK_FOR_INTERRUPTS();
		for (j = 0; j < n_own; j++)
			if (strcmp((*features)[j]->name ? (*features)[j]->name : "", name) == 0)
				break;
		if (j < n_own)
		{
			matched[j] = true;
			if (!merge_feature(merge, &path, (*features)[j], others[i]))
				return false;
			continue;
		}
		adopt_domains(merge, others[i]);
		make_optional(others[i]);
		FM_APPEND(*n_features, *features, others[i]);
	}
	for (j = 0; j < n_own; j++)
		if (!matched[j])
			make_optional((*features)[j]);
	pfree(matched);
	return true;
}

/* -- the schema itself -- */

static Tfmd__NumericValueComparator *
merge_ratio(Tfmd__NumericValueComparator *a, const Tfmd__NumericValueComparator *b)
{
	if (a == NULL || b == NULL)
		return NULL;
	a->has_min_fraction_threshold = a->has_min_fraction_threshold && b->has_min_fraction_threshold;
	a->min_fraction_threshold = Min(a->min_fraction_threshold, b->min_fraction_threshold);
	a->has_max_fraction_threshold = a->has_max_fraction_threshold && b->has_max_fraction_threshold;
	a->max_fraction_threshold = Max(a->max_fraction_threshold, b->max_fraction_threshold);
	return a;
}

static Tfmd__DatasetConstraints *
merge_dataset_constraints(Tfmd__DatasetConstraints *a, const Tfmd__DatasetConstraints *b)
{
	if (a == NULL || b == NULL)
		return NULL;
	a->num_examples_drift_comparator = merge_ratio(a->num_examples_drift_comparator, b->num_examples_drift_comparator);
	a->num_examples_version_comparator =
		merge_ratio(a->num_examples_version_comparator, b->num_examples_version_comparator);
	a->has_min_examples_count = a->has_min_examples_count && b->has_min_examples_count;
	a->min_examples_count = Min(a->min_examples_count, b->min_examples_count);
	a->has_max_examples_count = a->has_max_examples_count && b->has_max_examples_count;
	a->max_examples_count = Max(a->max_examples_count, b->max_examples_count);
	return a;
}

bool
fm_schema_merge(Tfmd__Schema *a, const Tfmd__Schema *b, FmError *error)
{
	Merge merge = {a, b, error};
	size_t i;
	size_t j;

	if (!merge_features(&merge, NULL, &a->feature, &a->n_feature, b->feature, b->n_feature))
		return false;
	/* after the features: these still look at the environments that each schema had */
	for (i = 0; i < b->n_default_environment; i++)
		if (!contains(a->default_environment, a->n_default_environment, b->default_environment[i]))
			FM_APPEND(a->n_default_environment, a->default_environment, b->default_environment[i]);
	merge_sparse_features(&a->sparse_feature, &a->n_sparse_feature, b->sparse_feature, b->n_sparse_feature);
	for (i = 0; i < b->n_weighted_feature; i++)
	{
		FmPath path = fm_path_child(NULL, b->weighted_feature[i]->name ? b->weighted_feature[i]->name : "");

		if (fm_schema_find_weighted_feature(a, &path) == NULL)
			FM_APPEND(a->n_weighted_feature, a->weighted_feature, b->weighted_feature[i]);
	}
	for (i = 0; i < b->n_int_domain; i++)
		if (fm_schema_find_int_domain(a, b->int_domain[i]->name ? b->int_domain[i]->name : "") == NULL)
			FM_APPEND(a->n_int_domain, a->int_domain, b->int_domain[i]);
	for (i = 0; i < b->n_float_domain; i++)
		if (fm_schema_find_float_domain(a, b->float_domain[i]->name ? b->float_domain[i]->name : "") == NULL)
			FM_APPEND(a->n_float_domain, a->float_domain, b->float_domain[i]);
	for (i = 0; i < b->n_tensor_representation_group; i++)
	{
		for (j = 0; j < a->n_tensor_representation_group; j++)
			if (strcmp(a->tensor_representation_group[j]->key, b->tensor_representation_group[i]->key) == 0)
				break;
		if (j == a->n_tensor_representation_group)
			FM_APPEND(a->n_tensor_representation_group, a->tensor_representation_group,
					  b->tensor_representation_group[i]);
	}
	a->dataset_constraints = merge_dataset_constraints(a->dataset_constraints, b->dataset_constraints);
	return true;
}
