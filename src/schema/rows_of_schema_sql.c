/*
 * Schemas and their differences as rows: features(schema), schema_diff(a, b)
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "schema/edit.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static Datum
text_array(char **list, size_t n)
{
	Datum *elements = palloc(sizeof(Datum) * (n + 1));
	size_t i;

	for (i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(list[i]);
	return PointerGetDatum(construct_array(elements, (int) n, TEXTOID, -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(feature_meta_schema_diff);
Datum
feature_meta_schema_diff(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FmSchemaChange *changes;
	int n_changes;
	int i;

	InitMaterializedSRF(fcinfo, 0);
	changes = fm_schema_diff(PG_GETARG_FEATURE_SCHEMA(0), PG_GETARG_FEATURE_SCHEMA(1), &n_changes);
	for (i = 0; i < n_changes; i++)
	{
		Datum values[5];
		bool nulls[5] = {false};

		values[0] = CStringGetTextDatum(changes[i].path);
		values[1] = CStringGetTextDatum(changes[i].change);
		values[2] = text_or_null(changes[i].from, &nulls[2]);
		values[3] = text_or_null(changes[i].to, &nulls[3]);
		values[4] = BoolGetDatum(changes[i].breaks_readers);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

#define FEATURES_COLUMNS 16

typedef struct FeatureRows
{
	ReturnSetInfo *result;
	const Tfmd__Schema *schema;
} FeatureRows;

/*
 * Bounds of an int_domain or float_domain as float8
 */
static void
put_bounds(const Tfmd__Feature *feature, Datum *values, bool *nulls)
{
	if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN)
	{
		nulls[0] = !feature->int_domain->has_min;
		values[0] = Float8GetDatum((double) feature->int_domain->min);
		nulls[1] = !feature->int_domain->has_max;
		values[1] = Float8GetDatum((double) feature->int_domain->max);
	}
	else if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN)
	{
		nulls[0] = !feature->float_domain->has_min;
		values[0] = Float8GetDatum(feature->float_domain->min);
		nulls[1] = !feature->float_domain->has_max;
		values[1] = Float8GetDatum(feature->float_domain->max);
	}
	else
		nulls[0] = nulls[1] = true;
}

static Datum
shape_array(const Tfmd__FixedShape *shape)
{
	Datum *elements = palloc(sizeof(Datum) * (shape->n_dim + 1));
	size_t i;

	for (i = 0; i < shape->n_dim; i++)
		elements[i] = Int64GetDatum(shape->dim[i]->size);
	return PointerGetDatum(
		construct_array(elements, (int) shape->n_dim, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static bool
put_feature_row(void *arg, const FmPath *path, Tfmd__Feature *feature)
{
	FeatureRows *rows = arg;
	Datum values[FEATURES_COLUMNS] = {0};
	bool nulls[FEATURES_COLUMNS];
	Tfmd__StringDomain *strings = fm_feature_string_domain(rows->schema, feature);
	const char *name;

	memset(nulls, true, sizeof(nulls));
	values[0] = CStringGetTextDatum(fm_path_serialize(path));
	nulls[0] = false;
	values[1] = text_or_null(feature->has_type ? fm_enum_name(&tfmd__feature_type__descriptor, feature->type) : NULL,
							 &nulls[1]);
	values[2] = BoolGetDatum(fm_feature_is_required(rows->schema, feature, NULL));
	nulls[2] = false;
	if (feature->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE)
	{
		nulls[3] = !feature->presence->has_min_fraction;
		values[3] = Float8GetDatum(feature->presence->min_fraction);
		nulls[4] = !feature->presence->has_min_count;
		values[4] = Int64GetDatum(feature->presence->min_count);
	}
	if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
	{
		nulls[5] = !feature->value_count->has_min;
		values[5] = Int64GetDatum(feature->value_count->min);
		nulls[6] = !feature->value_count->has_max;
		values[6] = Int64GetDatum(feature->value_count->max);
	}
	if (feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_SHAPE)
	{
		nulls[7] = false;
		values[7] = shape_array(feature->shape);
	}
	if (feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO__NOT_SET)
	{
		nulls[8] = false;
		values[8] = CStringGetTextDatum(strings != NULL ? "string_domain" : fm_feature_domain_name(feature));
	}
	if (strings != NULL)
	{
		values[9] = text_or_null(strings->name, &nulls[9]);
		values[10] = text_array(strings->value, strings->n_value);
		nulls[10] = false;
	}
	put_bounds(feature, &values[11], &nulls[11]);
	name = feature->has_lifecycle_stage ? fm_enum_name(&tfmd__lifecycle_stage__descriptor, feature->lifecycle_stage)
										: (fm_feature_is_deprecated(feature) ? "DEPRECATED" : NULL);
	values[13] = text_or_null(name, &nulls[13]);
	if (feature->n_in_environment > 0)
	{
		values[14] = text_array(feature->in_environment, feature->n_in_environment);
		nulls[14] = false;
	}
	if (feature->n_not_in_environment > 0)
	{
		values[15] = text_array(feature->not_in_environment, feature->n_not_in_environment);
		nulls[15] = false;
	}
	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	return true;
}

PG_FUNCTION_INFO_V1(feature_meta_schema_features);
Datum
feature_meta_schema_features(PG_FUNCTION_ARGS)
{
	FeatureRows rows;

	InitMaterializedSRF(fcinfo, 0);
	rows.result = (ReturnSetInfo *) fcinfo->resultinfo;
	rows.schema = PG_GETARG_FEATURE_SCHEMA(0);
	fm_schema_walk(rows.schema, put_feature_row, &rows);
	return (Datum) 0;
}
