/*
 * create_training_set() and put_features_from(): what runs a query of the caller's
 *
 * They are in C because the caller's query must see the caller's search_path, while every name of ours is qualified.
 */
#include "store/store.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(store_new_table);
PG_FUNCTION_INFO_V1(create_training_set);
PG_FUNCTION_INFO_V1(create_training_set_of_text);
PG_FUNCTION_INFO_V1(put_features_from);

/* Arguments of create_training_set */
enum
{
	ARG_NAME,
	ARG_LABELS,
	ARG_FEATURES,
	ARG_EVENT_TIME,
	ARG_FULL_NAMES,
	ARG_KNOWN_AT,
	ARG_AS_OF,
	ARG_DESCRIPTION,
	ARG_LINEAGE,
	N_ARGS /* and then the service, where features are an array */
};

/*
 * Schema and name of the table to be made that a name means; it is made in the default schema, or without one in the current, unless
 * the name says otherwise. The catalogue outlives what is temporary, so that is refused.
 */
static List *
new_table(const char *name, char *schema)
{
	List *names;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("\"%s\" cannot be the name of a table", name),
						errhint("Write table or schema.table, as in SQL.")));
	if (list_length(names) == 2)
		schema = linitial(names);
	else if (schema == NULL)
	{
		List *path = fetch_search_path(false);

		if (path == NIL || (schema = get_namespace_name(linitial_oid(path))) == NULL)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("no schema has been selected to create in")));
	}
	if (strcmp(schema, "pg_temp") == 0 || isAnyTempNamespace(get_namespace_oid(schema, true)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION), errmsg("\"%s\" cannot be made in a temporary schema", name),
				 errdetail("The record of it would outlive it.")));
	return list_make2(schema, llast(names));
}

/*
 * store_new_table(name text, default_schema name) returns text[]
 */
Datum
store_new_table(PG_FUNCTION_ARGS)
{
	List *table;
	Datum parts[2];

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the name of a table must not be NULL")));
	table = new_table(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1)));
	parts[0] = CStringGetTextDatum(linitial(table));
	parts[1] = CStringGetTextDatum(lsecond(table));
	PG_RETURN_ARRAYTYPE_P(construct_array(parts, 2, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
make_training_set(FunctionCallInfo fcinfo, Datum references)
{
	static Oid types[] = {TEXTOID,		  TEXTOID, TEXTARRAYOID, TEXTOID, BOOLOID,	  BOOLOID,
						  TIMESTAMPTZOID, TEXTOID, BOOLOID,		 TEXTOID, REGCLASSOID};
	Datum values[N_ARGS + 2];
	char nulls[N_ARGS + 3];
	List *names;
	Oid entity_rows;
	const char *schema = store_schema(fcinfo);
	char *table, *columns;

	for (int i = 0; i < N_ARGS; i++)
	{
		if (PG_ARGISNULL(i) && i != ARG_FEATURES && i != ARG_AS_OF && i != ARG_DESCRIPTION)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument %d of create_training_set must not be NULL", i + 1)));
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	values[ARG_FEATURES] = references;
	nulls[ARG_FEATURES] = ' ';
	/* what becomes known while this runs is not part of it */
	if (PG_ARGISNULL(ARG_AS_OF))
	{
		values[ARG_AS_OF] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
		nulls[ARG_AS_OF] = ' ';
	}
	names = new_table(text_to_cstring(PG_GETARG_TEXT_PP(ARG_NAME)), NULL);
	table = quote_qualified_identifier(linitial(names), lsecond(names));
	values[N_ARGS] = CStringGetTextDatum(table);
	nulls[N_ARGS] = ' ';
	entity_rows = store_entity_relation(text_to_cstring(PG_GETARG_TEXT_PP(ARG_LABELS)));
	values[N_ARGS + 1] = ObjectIdGetDatum(entity_rows);
	nulls[N_ARGS + 1] = OidIsValid(entity_rows) ? ' ' : 'n';
	nulls[N_ARGS + 2] = '\0';

	SPI_connect();
	SPI_execute_with_args(
		psprintf("SELECT %s.store_check_training_set($1), %s.historical_features_columns($2, $3, $4, $5, $6, $7)",
				 schema, schema),
		N_ARGS + 1, types, values, nulls, false, 1);
	columns = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	SPI_execute_with_args(
		psprintf("CREATE TABLE %s AS SELECT * FROM %s.historical_features(%s, %s, %s, %s, %s, %s) AS t(%s)", table,
				 schema, quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(ARG_LABELS))),
				 quote_literal_cstr(OidOutputFunctionCall(F_ARRAY_OUT, values[ARG_FEATURES])),
				 quote_literal_cstr(text_to_cstring(PG_GETARG_TEXT_PP(ARG_EVENT_TIME))),
				 PG_GETARG_BOOL(ARG_FULL_NAMES) ? "true" : "false", PG_GETARG_BOOL(ARG_KNOWN_AT) ? "true" : "false",
				 store_time_literal(values[ARG_AS_OF], TIMESTAMPTZOID), columns),
		0, NULL, NULL, NULL, false, 0);
	SPI_execute_with_args(
		psprintf(
			"SELECT %s.store_record_training_set($1, $10::pg_catalog.regclass, $2, $3, pg_catalog.jsonb_build_object("
			"'event_time', $4, 'full_feature_names', $5, 'filter_by_created_timestamp', $6), $7, $8, $9, $11)",
			schema),
		N_ARGS + 2, types, values, nulls, false, 1);
	SPI_finish();
}

/*
 * create_training_set(name, labels, features text[], event_time, full_feature_names, filter_by_created_timestamp, as_of,
 * description, lineage, service)
 */
Datum
create_training_set(PG_FUNCTION_ARGS)
{
	make_training_set(fcinfo, store_references_or_service_of(fcinfo, ARG_FEATURES, N_ARGS));
	PG_RETURN_VOID();
}

/*
 * The same with features text, without service
 */
Datum
create_training_set_of_text(PG_FUNCTION_ARGS)
{
	make_training_set(fcinfo, store_references_of_argument(fcinfo, ARG_FEATURES));
	PG_RETURN_VOID();
}

/*
 * put_features_from(view text, query text, mode text) returns bigint
 */
Datum
put_features_from(PG_FUNCTION_ARGS)
{
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[2];
	char nulls[3] = "  ";
	const char *schema = store_schema(fcinfo);
	bool isnull;
	int64 stored;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("view and query must not be NULL")));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(2);
	nulls[1] = PG_ARGISNULL(2) ? 'n' : ' ';

	SPI_connect();
	/* a query that closes the bracket early does not become more than the caller could run anyway: it is the caller's */
	SPI_execute_with_args(
		psprintf(
			"SELECT %s.put_features($1, pg_catalog.jsonb_agg(x.keys), pg_catalog.jsonb_agg(x.features), mode => $2)"
			" FROM (SELECT (SELECT COALESCE(pg_catalog.jsonb_object_agg(e.key, e.value), '{}') FROM "
			"pg_catalog.jsonb_each(r) e"
			" WHERE e.key OPERATOR(pg_catalog.=) ANY (d.join_keys)) AS keys,"
			" (SELECT COALESCE(pg_catalog.jsonb_object_agg(e.key, e.value), '{}') FROM pg_catalog.jsonb_each(r) e"
			" WHERE e.key OPERATOR(pg_catalog.<>) ALL (d.join_keys)) AS features"
			" FROM (SELECT pg_catalog.to_jsonb(q.*) FROM (%s\n) q) rows(r), %s.store_view_definition($1, NULL) d) x"
			" HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0",
			schema, text_to_cstring(PG_GETARG_TEXT_PP(1)), schema),
		2, types, values, nulls, false, 1);
	stored =
		SPI_processed == 0 ? 0 : DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	PG_RETURN_INT64(stored);
}
