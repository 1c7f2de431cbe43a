/*
 * A feature of the schema that contradicts itself: what is wrong with it, and what it is taken to mean
 */
#include "fm_core.h"
#include "validation/checks.h"

#define ADD(...) fm_add_label(reasons, TFMD__ANOMALY_INFO__TYPE__##__VA_ARGS__)
#define INVALID(...) ADD(INVALID_SCHEMA_SPECIFICATION, __VA_ARGS__)

static bool
domain_fits_type(Tfmd__Feature__DomainInfoCase domain, Tfmd__FeatureType type)
{
	bool is_int = type == TFMD__FEATURE_TYPE__INT;
	bool is_float = type == TFMD__FEATURE_TYPE__FLOAT;
	bool is_bytes = type == TFMD__FEATURE_TYPE__BYTES;
	bool is_struct = type == TFMD__FEATURE_TYPE__STRUCT;

	switch (domain)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_MID_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_URL_DOMAIN:
			return is_bytes;
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_TIME_DOMAIN:
			return is_int || is_bytes;
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			return is_float || is_bytes;
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			return is_int || is_float || is_bytes;
		case TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN:
			return is_struct;
		default:
			return is_int || is_float || is_bytes || is_struct;
	}
}

static void
check_presence(const Tfmd__Feature *feature, FmExpected *expected, FmReasons *reasons)
{
	const Tfmd__FeaturePresence *presence = feature->presence;

	if (feature->presence_constraints_case != TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE)
		return;
	expected->has_min_count = presence->has_min_count;
	expected->min_count = presence->has_min_count ? presence->min_count : 0;
	expected->has_min_fraction = presence->has_min_fraction;
	expected->min_fraction = presence->has_min_fraction ? presence->min_fraction : 0;
	if (expected->min_fraction < 0)
	{
		INVALID("min_fraction should not be negative: clear is equal to zero",
				"The schema asks for presence in a fraction of %f of the examples; it is read as 0. Set min_fraction "
				"between 0 and 1, or remove it.",
				expected->min_fraction);
		expected->has_min_fraction = false;
		expected->min_fraction = 0;
	}
	if (expected->min_fraction > 1)
	{
		INVALID("min_fraction should not greater than 1",
				"The schema asks for presence in a fraction of %f of the examples; it is read as 1. Set min_fraction "
				"between 0 and 1.",
				expected->min_fraction);
		expected->min_fraction = 1;
	}
}

static Tfmd__ValueCount
copy_count(const Tfmd__ValueCount *from)
{
	Tfmd__ValueCount count = *from;

	if (!count.has_min)
		count.min = 0;
	if (!count.has_max)
		count.max = 0;
	return count;
}

static void
check_value_count(const Tfmd__Feature *feature, FmExpected *expected, FmReasons *reasons)
{
	Tfmd__ValueCount *count = palloc(sizeof(Tfmd__ValueCount));

	*count = copy_count(feature->value_count);
	if (count->min < 0)
	{
		INVALID("ValueCount.min should not be negative",
				"The schema asks for at least " INT64_FORMAT " values in an example; it is read as no minimum.",
				count->min);
		count->has_min = false;
		count->min = 0;
	}
	if (count->has_max && count->max < count->min)
	{
		INVALID("ValueCount.max should not be less than min",
				"The schema allows at most " INT64_FORMAT " values in an example and asks for at least " INT64_FORMAT
				"; the maximum is read as the minimum.",
				count->max, count->min);
		count->max = count->min;
	}
	expected->n_counts = 1;
	expected->counts = count;
}

static void
check_value_counts(const Tfmd__Feature *feature, FmExpected *expected, FmReasons *reasons)
{
	size_t n = feature->value_counts->n_value_count;
	size_t i;

	expected->nested_counts = true;
	expected->n_counts = (int) n;
	expected->counts = palloc(sizeof(Tfmd__ValueCount) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		Tfmd__ValueCount *count = &expected->counts[i];

		*count = copy_count(feature->value_counts->value_count[i]);
		if (count->min < 0)
		{
			fm_add_reason(reasons, TFMD__ANOMALY_INFO__TYPE__INVALID_SCHEMA_SPECIFICATION,
						  "ValueCounts.min should not be negative",
						  "At nesting level %d the schema asks for at least " INT64_FORMAT
						  " values; it is read as no minimum.",
						  (int) i, count->min);
			count->has_min = false;
			count->min = 0;
		}
		if (count->has_max && count->max < count->min)
		{
			fm_add_reason(reasons, TFMD__ANOMALY_INFO__TYPE__INVALID_SCHEMA_SPECIFICATION,
						  "ValueCounts.max should not be less than min",
						  "At nesting level %d the schema allows at most " INT64_FORMAT
						  " values and asks for at least " INT64_FORMAT "; the maximum is read as the minimum.",
						  (int) i, count->max, count->min);
			count->max = count->min;
		}
	}
}

static void
check_shape(const Tfmd__Feature *feature, FmExpected *expected, FmReasons *reasons)
{
	size_t i;

	expected->shape = feature->shape;
	for (i = 0; i < feature->shape->n_dim; i++)
	{
		int64 size = feature->shape->dim[i]->has_size ? feature->shape->dim[i]->size : 0;

		if (size <= 0)
		{
			INVALID("Shape.dim.size must be a positive integer",
					"Dimension %d of the shape has the size " INT64_FORMAT "; the shape is not checked.", (int) i,
					size);
			expected->shape = NULL;
			return;
		}
	}
}

/* Which domains a min_domain_mass cannot go with; NULL if the domain is one that it can */
static const char *
no_distribution(Tfmd__Feature__DomainInfoCase domain)
{
	switch (domain)
	{
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			return "distribution constraints not supported for bool domains.";
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			return "distribution constraints not supported for int domains.";
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			return "distribution constraints not supported for float domains.";
		case TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN:
			return "distribution constraints not supported for struct domains.";
		case TFMD__FEATURE__DOMAIN_INFO__NOT_SET:
			return "distribution constraints require domain or string domain.";
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_TIME_OF_DAY_DOMAIN:
			return NULL;
		default:
			return "distribution constraints not supported for semantic domains.";
	}
}

static void
check_domain_info(const FmCheck *check, const Tfmd__Feature *feature, FmExpected *expected, FmReasons *reasons)
{
	const char *unsupported;

	expected->domain = feature->domain_info_case;
	if (!domain_fits_type(expected->domain, expected->type))
	{
		const char *type = fm_enum_name(&tfmd__feature_type__descriptor, expected->type);

		fm_add_reason(reasons, TFMD__ANOMALY_INFO__TYPE__DOMAIN_INVALID_FOR_TYPE, "The domain does not match the type",
					  "The schema gives the feature the domain \"%s\", which values of type %s cannot have; the domain "
					  "is not checked. Correct the type or the domain.",
					  fm_feature_domain_name(feature), type == NULL ? "?" : type);
		expected->domain = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
	}
	if (expected->domain == TFMD__FEATURE__DOMAIN_INFO_DOMAIN)
	{
		expected->string_domain = fm_schema_index_domain(check->index, feature->domain);
		if (expected->string_domain == NULL)
		{
			ADD(INVALID_DOMAIN_SPECIFICATION, "missing domain: ",
				"The schema has no string domain named \"%s\"; the values are not checked. Add the domain, or remove "
				"the "
				"reference to it.",
				feature->domain);
			expected->domain = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
			return;
		}
	}
	else if (expected->domain == TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN)
		expected->string_domain = feature->string_domain;
	else if (expected->domain == TFMD__FEATURE__DOMAIN_INFO_TIME_OF_DAY_DOMAIN)
	{
		ADD(INVALID_DOMAIN_SPECIFICATION, "internal issue: unknown domain_info type",
			"The schema gives the feature a time_of_day_domain, which validation does not know; it is not checked.");
		expected->domain = TFMD__FEATURE__DOMAIN_INFO__NOT_SET;
		return;
	}
	unsupported = no_distribution(expected->domain);
	if (feature->distribution_constraints != NULL && unsupported != NULL)
		INVALID(unsupported,
				"The schema sets distribution_constraints, which only a string domain can have; they are not checked. "
				"Remove them.");
}

void
fm_check_schema_feature(const FmCheck *check, const Tfmd__Feature *feature, FmExpected *expected, FmReasons *reasons)
{
	memset(expected, 0, sizeof(*expected));
	expected->feature = feature;
	expected->derived =
		feature->has_lifecycle_stage && feature->lifecycle_stage == TFMD__LIFECYCLE_STAGE__VALIDATION_DERIVED;
	expected->deprecated = fm_feature_is_deprecated(feature);
	if (expected->deprecated)
		return;
	if (feature->name == NULL)
	{
		ADD(FEATURE_MISSING_NAME,
			"unspecified name (maybe meant to be the empty string): find name rather than deprecating.",
			"A feature of the schema has no name, so nothing of it is checked. Give it the name of its column, or \"\" "
			"if that is what the column is called.");
		expected->deprecated = true;
		return;
	}
	expected->type = feature->type;
	if (!feature->has_type)
	{
		if (feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_DOMAIN &&
			feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN)
		{
			ADD(FEATURE_MISSING_TYPE, "unspecified type: determine the type and set it, rather than deprecating.",
				"The schema gives the feature no type, so nothing of it is checked. Set its type.");
			expected->deprecated = true;
			return;
		}
		ADD(FEATURE_MISSING_TYPE, "unspecified type: inferring the type to be BYTES, given the domain specified.",
			"The schema gives the feature no type; it is taken as BYTES, because it has a string domain. Set its "
			"type.");
		expected->type = TFMD__FEATURE_TYPE__BYTES;
	}
	check_presence(feature, expected, reasons);
	switch (feature->shape_type_case)
	{
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT:
			check_value_count(feature, expected, reasons);
			break;
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS:
			check_value_counts(feature, expected, reasons);
			break;
		case TFMD__FEATURE__SHAPE_TYPE_SHAPE:
			check_shape(feature, expected, reasons);
			break;
		default:
			break;
	}
	check_domain_info(check, feature, expected, reasons);
}

bool
fm_expected_is_required(const FmCheck *check, const FmExpected *expected)
{
	/* TFDV's comparison: a min_fraction that is NaN is not <= 0 */
	if (expected->min_count <= 0 && expected->min_fraction <= 0)
		return false;
	return fm_feature_in_environment(check->schema, expected->feature, check->environment);
}
