/*
 * What a schema says that changes how a feature is described (TFDV: utils/schema_util.py)
 */
#include "schema_hints.h"

#include "schema/schema.h"

/*
 * Does the domain of a text, inline or shared, say that it is not categorical?
 */
static bool
IsNotCategorical(const Tfmd__Schema *schema, const Tfmd__Feature *feature)
{
	const Tfmd__StringDomain *domain = fm_feature_string_domain(schema, feature);

	return domain != NULL && domain->is_categorical == TFMD__STRING_DOMAIN__CATEGORICAL__CATEGORICAL_NO;
}

FmSchemaHints
fm_schema_hints(const Tfmd__Schema *schema, const char *const *steps, int num_steps)
{
	FmSchemaHints hints = {0};
	FmPath path = {num_steps, (char **) steps};
	const Tfmd__Feature *feature = schema == NULL ? NULL : fm_schema_find_feature(schema, &path);

	if (feature == NULL || feature->type == TFMD__FEATURE_TYPE__STRUCT)
		return hints;

	hints.is_image = feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN;
	hints.is_categorical_int = feature->type == TFMD__FEATURE_TYPE__INT && fm_is_categorical_feature(feature);
	hints.is_not_categorical = IsNotCategorical(schema, feature);
	return hints;
}

bool
fm_is_categorical_feature(const Tfmd__Feature *feature)
{
	switch (feature->type)
	{
		case TFMD__FEATURE_TYPE__BYTES:
			return true;
		case TFMD__FEATURE_TYPE__INT:
			return (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN &&
					feature->int_domain->is_categorical) ||
				   feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN ||
				   feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN;
		case TFMD__FEATURE_TYPE__FLOAT:
			return feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN &&
				   feature->float_domain->is_categorical;
		default:
			return false;
	}
}

bool
fm_is_univalent_feature(const Tfmd__Feature *feature)
{
	if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_SHAPE)
		return feature->shape->n_dim == 1 && feature->shape->dim[0]->size == 1;
	return feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT && feature->value_count->max == 1;
}
