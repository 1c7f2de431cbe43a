/*
 * Schema on read: a document of a lake as typed columns, with what is wrong with it beside them
 *
 * A value that does not fit its column is NULL there, and the anomalies say why: reading a lake does not end with an
 * error because of one document.
 */
#include "fm_core.h"
#include "fm_epoch.h"
#include "message/message_type.h"
#include "rows/row_cache.h"
#include "schema/registry.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "common/int.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* Name of the column of a view that holds the anomalies; the second one if a feature has the first name */
#define ANOMALIES_COLUMN "anomalies"
#define OTHER_ANOMALIES_COLUMN "schema_anomalies"

/* -- one value -- */

/*
 * Is the number an integer between the bounds?
 */
static bool
json_integer(const JsonbValue *value, int64 min, int64 max, int64 *integer)
{
	double number;

	if (value->type == jbvBool)
	{
		*integer = value->val.boolean;
		return true;
	}
	if (value->type != jbvNumeric || numeric_is_nan(value->val.numeric) || numeric_is_inf(value->val.numeric))
		return false;
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (number != floor(number) || fabs(number) > 9.2e18)
		return false;
	*integer = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
	return *integer >= min && *integer <= max;
}

static Datum
json_text(JsonbValue *value)
{
	if (value->type == jbvString)
		return PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
	if (value->type == jbvBool)
		return CStringGetTextDatum(value->val.boolean ? "true" : "false");
	if (value->type == jbvNumeric)
		return CStringGetTextDatum(
			DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
	return CStringGetTextDatum(JsonbToCString(NULL, value->val.binary.data, value->val.binary.len));
}

/*
 * Microseconds since 1970 of an integer that the feature's time_domain gives a unit; false if it has none, or too large
 */
static bool
time_of_integer(const Tfmd__Feature *feature, int64 integer, int64 *microseconds)
{
	int64 factor;

	if (feature == NULL || feature->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_TIME_DOMAIN ||
		feature->time_domain->format_case != TFMD__TIME_DOMAIN__FORMAT_INTEGER_FORMAT)
		return false;
	switch (feature->time_domain->integer_format)
	{
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_DAYS:
			factor = INT64CONST(86400000000);
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_SECONDS:
			factor = 1000000;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_MILLISECONDS:
			factor = 1000;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_MICROSECONDS:
			factor = 1;
			break;
		case TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_NANOSECONDS:
			*microseconds = integer / 1000 - (integer % 1000 < 0);
			return true;
		default:
			return false;
	}
	return !pg_mul_s64_overflow(integer, factor, microseconds);
}

/*
 * A JSON value as a value of an SQL type; false if it does not fit
 */
static bool
convert_scalar(JsonbValue *value, Oid type, const Tfmd__Feature *feature, Datum *result)
{
	int64 integer;
	int64 time;

	switch (type)
	{
		case INT2OID:
			if (!json_integer(value, PG_INT16_MIN, PG_INT16_MAX, &integer))
				return false;
			*result = Int16GetDatum((int16) integer);
			return true;
		case INT4OID:
			if (!json_integer(value, PG_INT32_MIN, PG_INT32_MAX, &integer))
				return false;
			*result = Int32GetDatum((int32) integer);
			return true;
		case INT8OID:
			if (!json_integer(value, PG_INT64_MIN, PG_INT64_MAX, &integer))
				return false;
			*result = Int64GetDatum(integer);
			return true;
		case BOOLOID:
			if (!json_integer(value, 0, 1, &integer))
				return false;
			*result = BoolGetDatum(integer != 0);
			return true;
		case FLOAT4OID:
		case FLOAT8OID:
		{
			double number;

			if (value->type != jbvNumeric)
				return false;
			number =
				DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
			*result = type == FLOAT4OID ? Float4GetDatum((float) number) : Float8GetDatum(number);
			return true;
		}
		case NUMERICOID:
			if (value->type != jbvNumeric)
				return false;
			*result = NumericGetDatum(value->val.numeric);
			return true;
		case TEXTOID:
		case VARCHAROID:
			*result = json_text(value);
			return true;
		case JSONBOID:
			*result = JsonbPGetDatum(JsonbValueToJsonb(value));
			return true;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			if (!json_integer(value, PG_INT64_MIN, PG_INT64_MAX, &integer) ||
				!time_of_integer(feature, integer, &time) || !IS_VALID_TIMESTAMP(time - FM_EPOCH_MICROSECONDS))
				return false;
			time -= FM_EPOCH_MICROSECONDS;
			*result = type == DATEOID ? DirectFunctionCall1(timestamp_date, TimestampGetDatum(time))
									  : TimestampGetDatum(time);
			return true;
		default:
			return false;
	}
}

static bool
is_readable_type(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case BOOLOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case JSONBOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

/*
 * A JSON array, or a single value, as an array of one dimension; a value that does not fit is NULL in it
 */
static Datum
convert_array(JsonbValue *value, Oid element, const Tfmd__Feature *feature)
{
	ArrayBuildState *state = initArrayResult(element, CurrentMemoryContext, false);
	Datum result;

	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		JsonbIterator *iterator = JsonbIteratorInit(value->val.binary.data);
		JsonbIteratorToken token;
		JsonbValue item;

		token = JsonbIteratorNext(&iterator, &item, true);
		while ((token = JsonbIteratorNext(&iterator, &item, true)) == WJB_ELEM)
		{
			bool fits = item.type != jbvNull && convert_scalar(&item, element, feature, &result);

			state = accumArrayResult(state, fits ? result : (Datum) 0, !fits, element, CurrentMemoryContext);
		}
	}
	else
	{
		bool fits = convert_scalar(value, element, feature, &result);

		state = accumArrayResult(state, fits ? result : (Datum) 0, !fits, element, CurrentMemoryContext);
	}
	return makeArrayResult(state, CurrentMemoryContext);
}

static bool
convert_value(JsonbValue *value, Oid type, const Tfmd__Feature *feature, Datum *result)
{
	Oid element = get_element_type(type);

	if (OidIsValid(element))
	{
		*result = convert_array(value, element, feature);
		return true;
	}
	/* a list of one is as good as its element */
	if (type != JSONBOID && value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		JsonbValue *only;

		if (JsonContainerSize(value->val.binary.data) != 1)
			return false;
		only = getIthJsonbValueFromContainer(value->val.binary.data, 0);
		return only->type != jbvNull && only->type != jbvBinary && convert_scalar(only, type, feature, result);
	}
	return convert_scalar(value, type, feature, result);
}

/* -- read_as -- */

static const Tfmd__Feature *
planned_feature(const FmRowPlan *plan, const char *name)
{
	int i;

	for (i = 0; i < plan->root.n_children; i++)
		if (strcmp(plan->root.children[i].name, name) == 0)
			return plan->root.children[i].feature;
	return NULL;
}

PG_FUNCTION_INFO_V1(feature_meta_read_as);
Datum
feature_meta_read_as(PG_FUNCTION_ARGS)
{
	TupleDesc row_type;
	FmRowPlan *plan;
	Jsonb *document;
	Oid anomalies_type;
	Datum *values;
	bool *nulls;
	FmRowReasons reasons;
	int i;

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("read_as needs a list of columns"),
				 errhint("Write FROM read_as(document, schema) AS r(name type, ..., anomalies feature_anomalies).")));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	/* the type feature_anomalies is where the function is */
	anomalies_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("feature_anomalies"),
									 ObjectIdGetDatum(get_func_namespace(fcinfo->flinfo->fn_oid)));
	plan = fm_cached_json_plan(fcinfo, 1, 2);
	document = PG_GETARG_JSONB_P(0);
	reasons = fm_json_reasons(plan, document);
	values = palloc0(sizeof(Datum) * row_type->natts);
	nulls = palloc(sizeof(bool) * row_type->natts);
	for (i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);
		char *name = NameStr(attribute->attname);
		Oid element = get_element_type(attribute->atttypid);
		JsonbValue *value;

		nulls[i] = true;
		if (attribute->atttypid == anomalies_type)
		{
			values[i] = fm_message_get_datum(&fm_reasons_to_anomalies(&reasons)->base);
			nulls[i] = false;
			continue;
		}
		if (!is_readable_type(OidIsValid(element) ? element : attribute->atttypid))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("read_as cannot make column \"%s\" of type %s", name, format_type_be(attribute->atttypid)),
					 errhint("Read it as text or jsonb and cast that.")));
		value = JB_ROOT_IS_OBJECT(document)
					? getKeyJsonValueFromContainer(&document->root, name, (int) strlen(name), NULL)
					: NULL;
		if (value != NULL && value->type != jbvNull)
			nulls[i] = !convert_value(value, attribute->atttypid, planned_feature(plan, name), &values[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
}

/* -- create_view_from_schema -- */

/*
 * Has a row at most one value of the feature? So unless the schema says otherwise.
 */
static bool
is_univalent(const Tfmd__Feature *feature)
{
	switch (feature->shape_type_case)
	{
		case TFMD__FEATURE__SHAPE_TYPE_SHAPE:
			return feature->shape->n_dim == 0 || (feature->shape->n_dim == 1 && feature->shape->dim[0]->size <= 1);
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT:
			return feature->value_count->has_max && feature->value_count->max <= 1;
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS:
			return false;
		default:
			return true;
	}
}

static const char *
sql_type(const Tfmd__Feature *feature)
{
	const char *type;
	int64 unused;

	if (feature->type == TFMD__FEATURE_TYPE__STRUCT ||
		feature->shape_type_case == TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS)
		return "pg_catalog.jsonb";
	switch (feature->type)
	{
		case TFMD__FEATURE_TYPE__INT:
			if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN)
				type = "pg_catalog.bool";
			else if (time_of_integer(feature, 0, &unused))
				type = feature->time_domain->integer_format == TFMD__TIME_DOMAIN__INTEGER_TIME_FORMAT__UNIX_DAYS
						   ? "pg_catalog.date"
						   : "pg_catalog.timestamptz";
			else
				type = "pg_catalog.int8";
			break;
		case TFMD__FEATURE_TYPE__FLOAT:
			type = "pg_catalog.float8";
			break;
		default:
			type = "pg_catalog.text";
			break;
	}
	return is_univalent(feature) ? type : psprintf("%s[]", type);
}

static bool
has_feature(const Tfmd__Schema *schema, const char *name)
{
	FmPath path = fm_path_child(NULL, name);

	return fm_schema_find_feature(schema, &path) != NULL;
}

/*
 * The columns of the relation but the document, ", t.x" each
 */
static char *
other_columns(Oid relid, const char *document, const Tfmd__Schema *schema)
{
	Relation relation = table_open(relid, AccessShareLock);
	TupleDesc row_type = RelationGetDescr(relation);
	StringInfoData buf;
	bool found = false;
	int i;

	initStringInfo(&buf);
	for (i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);
		char *name = NameStr(attribute->attname);

		if (attribute->attisdropped)
			continue;
		if (strcmp(name, document) == 0)
		{
			if (getBaseType(attribute->atttypid) != JSONBOID)
				ereport(ERROR,
						(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("column \"%s\" is not of type jsonb", name)));
			found = true;
			continue;
		}
		if (has_feature(schema, name))
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
							errmsg("\"%s\" is a column of the relation and a feature of the schema", name)));
		appendStringInfo(&buf, "t.%s, ", quote_identifier(name));
	}
	if (!found)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of relation \"%s\" does not exist",
																  document, RelationGetRelationName(relation))));
	table_close(relation, NoLock);
	return buf.data;
}

PG_FUNCTION_INFO_V1(feature_meta_create_view_from_schema);
Datum
feature_meta_create_view_from_schema(PG_FUNCTION_ARGS)
{
	char *view_name;
	Oid relid;
	char *document;
	Datum schema_datum;
	const Tfmd__Schema *schema;
	const char *extension = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	const char *anomalies;
	char *relation;
	char *schema_expression;
	List *names;
	RangeVar *view;
	char *qualified;
	StringInfoData columns;
	StringInfoData query;
	size_t i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("view, relation and document must not be null")));
	view_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = PG_GETARG_OID(1);
	document = text_to_cstring(PG_GETARG_TEXT_PP(2));
	fm_check_may_read_schema(relid);
	relation = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	if (PG_ARGISNULL(3))
	{
		schema_datum = fm_need_registered_schema(relid, 0, NULL).schema;
		schema_expression =
			psprintf("(SELECT %s.registered_schema(%s::pg_catalog.regclass))", extension, quote_literal_cstr(relation));
	}
	else
	{
		StringInfoData text;

		schema_datum = PG_GETARG_DATUM(3);
		initStringInfo(&text);
		fm_message_print_text(fm_datum_get_message(schema_datum, &tfmd__schema__descriptor), &text);
		schema_expression = psprintf("%s::%s.feature_schema", quote_literal_cstr(text.data), extension);
	}
	schema = (const Tfmd__Schema *) fm_datum_get_message(schema_datum, &tfmd__schema__descriptor);
	if (!PG_ARGISNULL(4) && !fm_schema_has_environment(schema, text_to_cstring(PG_GETARG_TEXT_PP(4))))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("environment \"%s\" does not exist in the schema",
																  text_to_cstring(PG_GETARG_TEXT_PP(4)))));
	anomalies = has_feature(schema, ANOMALIES_COLUMN) ? OTHER_ANOMALIES_COLUMN : ANOMALIES_COLUMN;
	names = textToQualifiedNameList(PG_GETARG_TEXT_PP(0));
	view = makeRangeVarFromNameList(names);
	qualified = view->schemaname ? quote_qualified_identifier(view->schemaname, view->relname)
								 : pstrdup(quote_identifier(view->relname));

	initStringInfo(&columns);
	for (i = 0; i < schema->n_feature; i++)
	{
		const Tfmd__Feature *feature = schema->feature[i];

		if (feature->name == NULL || strlen(feature->name) == 0 || strlen(feature->name) >= NAMEDATALEN)
			ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
							errmsg("\"%s\" cannot be the name of a column", feature->name ? feature->name : "")));
		appendStringInfo(&columns, "%s %s, ", quote_identifier(feature->name), sql_type(feature));
	}
	initStringInfo(&query);
	appendStringInfo(&query,
					 "CREATE VIEW %s WITH (security_invoker = true) AS\nSELECT %sr.*\nFROM %s t\nCROSS JOIN LATERAL "
					 "%s.read_as(t.%s, %s, %s) AS r(%s%s %s.feature_anomalies)",
					 qualified, other_columns(relid, document, schema), relation, extension, quote_identifier(document),
					 schema_expression,
					 PG_ARGISNULL(4) ? "NULL" : quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(4))), columns.data,
					 quote_identifier(anomalies), extension);
	SPI_connect();
	if (SPI_execute(query.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create view \"%s\"", view_name);
	SPI_finish();
	PG_RETURN_OID(RangeVarGetRelid(view, NoLock, false));
}
