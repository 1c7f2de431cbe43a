/*
 * Retrieval without entity rows: latest_features(), the newest row of every key of a feature view, and feature_rows(),
 * all its rows in a range
 *
 * The newest are found in one pass with a hash table over the keys; when they do not fit into work_mem, by a sort of
 * the server, which spills.
 */
#include "store/store.h"
#include "catalog/pg_type.h"
#include "executor/nodeHash.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(latest_features);
PG_FUNCTION_INFO_V1(latest_features_columns);
PG_FUNCTION_INFO_V1(feature_rows);

/*
 * (keys, event time, [created time], features); times are timestamps with time zone whatever they are in the source
 */
static TupleDesc
describe_rows(const StoreView *view)
{
	TupleDesc desc = CreateTemplateTupleDesc(view->nkeys + 1 + (view->created_time.name ? 1 : 0) + view->nfeatures);
	int next = 0;

	for (int i = 0; i < view->nkeys; i++)
	{
		TupleDescInitEntry(desc, ++next, view->keys[i].name, view->keys[i].type, view->keys[i].typmod, 0);
		TupleDescInitEntryCollation(desc, next, view->keys[i].collation);
	}
	TupleDescInitEntry(desc, ++next, view->event_time.name, TIMESTAMPTZOID, -1, 0);
	if (view->created_time.name)
		TupleDescInitEntry(desc, ++next, view->created_time.name, TIMESTAMPTZOID, -1, 0);
	for (int i = 0; i < view->nfeatures; i++)
	{
		TupleDescInitEntry(desc, ++next, view->features[i].name, view->features[i].type, view->features[i].typmod, 0);
		TupleDescInitEntryCollation(desc, next, view->features[i].collation);
	}
	return desc;
}

typedef struct LatestOutput
{
	const StoreView *view;
	TupleDesc desc;
	Tuplestorestate *result;
	Datum *values;
	bool *nulls;
} LatestOutput;

static void
put_row(void *arg, const StoreKey *keys, const Datum *key_values, TimestampTz event_time, TimestampTz created_time,
		const Datum *values, const bool *nulls)
{
	LatestOutput *output = arg;
	int next = 0;

	for (int i = 0; i < output->view->nkeys; i++, next++)
	{
		output->values[next] = store_key_denormalize(&keys[i], key_values[i]);
		output->nulls[next] = false;
	}
	output->values[next] = TimestampTzGetDatum(event_time);
	output->nulls[next++] = false;
	if (output->view->created_time.name)
	{
		output->values[next] = TimestampTzGetDatum(created_time);
		output->nulls[next++] = created_time == DT_NOBEGIN;
	}
	memcpy(output->values + next, values, sizeof(Datum) * output->view->nfeatures);
	memcpy(output->nulls + next, nulls, sizeof(bool) * output->view->nfeatures);
	tuplestore_putvalues(output->result, output->desc, output->values, output->nulls);
}

/*
 * A time column as a timestamp with time zone, in SQL; a time without zone is in UTC
 */
static char *
time_expression(const StoreColumn *column)
{
	const char *name = quote_identifier(column->name);

	if (column->type == TIMESTAMPTZOID)
		return psprintf("%s", name);
	return psprintf("pg_catalog.timezone('UTC', %s::pg_catalog.timestamp)", name);
}

/*
 * By a query of the server: all rows, or by a sort for each key the first of its rows in descending order
 */
static void
rows_by_query(const StoreView *view, TimestampTz from, TimestampTz until, const AsofOptions *options, bool newest,
			  Tuplestorestate *result, MemoryContext context)
{
	StringInfoData sql;
	Oid types[3] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	ParamListInfo params = makeParamList(options->has_as_of ? 3 : 2);
	SPIExecuteOptions execute = {.params = params, .read_only = true};
	char *event = time_expression(&view->event_time);
	char *created = view->created_time.name ? time_expression(&view->created_time) : NULL;
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 0; i < view->nkeys; i++)
		appendStringInfo(&keys, "%s%s", i > 0 ? ", " : "", quote_identifier(view->keys[i].name));
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s%s, %s", newest ? psprintf("DISTINCT ON (%s) ", keys.data) : "", keys.data, event);
	if (created)
		appendStringInfo(&sql, ", %s", created);
	for (int i = 0; i < view->nfeatures; i++)
		appendStringInfo(&sql, ", %s", quote_identifier(view->features[i].name));
	appendStringInfo(&sql, " FROM %s WHERE %s OPERATOR(pg_catalog.>=) $1 AND %s OPERATOR(pg_catalog.<=) $2",
					 view->source_name, event, event);
	for (int i = 0; i < view->nkeys; i++)
		appendStringInfo(&sql, " AND %s IS NOT NULL", quote_identifier(view->keys[i].name));
	if (options->has_as_of)
		appendStringInfo(&sql, " AND %s OPERATOR(pg_catalog.<=) $3",
						 created ? psprintf("coalesce(%s, %s)", created, event) : event);
	if (newest)
	{
		appendStringInfo(&sql, " ORDER BY %s, %s DESC", keys.data, event);
		if (created)
			appendStringInfo(&sql, ", %s DESC NULLS LAST", created);
		for (int i = 0; i < view->nfeatures; i++)
			if (OidIsValid(lookup_type_cache(view->features[i].type, TYPECACHE_CMP_PROC)->cmp_proc))
				appendStringInfo(&sql, ", %s DESC NULLS LAST", quote_identifier(view->features[i].name));
	}

	for (int i = 0; i < params->numParams; i++)
	{
		params->params[i].ptype = types[i];
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].isnull = false;
		params->params[i].value = TimestampTzGetDatum(i == 0 ? from : i == 1 ? until : options->as_of);
	}
	execute.dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(execute.dest, result, context, false, NULL, NULL);
	SPI_execute_extended(sql.data, &execute);
}

/* Both functions: their arguments are the same */
static void
retrieve(FunctionCallInfo fcinfo, const char *function, bool newest)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AsofOptions options = {0};
	TimestampTz from = PG_ARGISNULL(1) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz until = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);
	LatestOutput output;
	MemoryContext context;
	StoreView *view;
	AsofRows *rows;
	char *name, *version;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the feature view must not be NULL")));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	SPI_connect();
	context = CurrentMemoryContext;
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	version = strchr(name, '@');
	if (version)
		*version++ = '\0';
	view = store_load_view(store_schema(fcinfo), name, version ? pg_strtoint32(version) : 0);
	output.desc = describe_rows(view);
	store_check_column_list(rsinfo->setDesc, output.desc, function);
	options.has_as_of = !PG_ARGISNULL(3);
	options.as_of = options.has_as_of ? PG_GETARG_TIMESTAMPTZ(3) : 0;
	options.memory_limit = get_hash_memory_limit();
	rows = newest && store_join_method != STORE_JOIN_INDEX ? asof_latest(view, from, until, &options, context) : NULL;
	if (rows == NULL)
		rows_by_query(view, from, until, &options, newest, rsinfo->setResult, context);
	else
	{
		output.view = view;
		output.result = rsinfo->setResult;
		output.values = palloc(sizeof(Datum) * output.desc->natts);
		output.nulls = palloc(sizeof(bool) * output.desc->natts);
		asof_each(rows, put_row, &output);
	}
	SPI_finish();
}

/*
 * latest_features(view text, start_time timestamptz, end_time timestamptz, as_of timestamptz) returns setof record
 */
Datum
latest_features(PG_FUNCTION_ARGS)
{
	retrieve(fcinfo, "latest_features", true);
	return (Datum) 0;
}

/*
 * feature_rows(view text, start_time timestamptz, end_time timestamptz, as_of timestamptz) returns setof record
 */
Datum
feature_rows(PG_FUNCTION_ARGS)
{
	retrieve(fcinfo, "feature_rows", false);
	return (Datum) 0;
}

/*
 * latest_features_columns(view text) returns text
 */
Datum
latest_features_columns(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *version = strchr(name, '@');
	char *text;

	SPI_connect();
	if (version)
		*version++ = '\0';
	text = MemoryContextStrdup(context, store_column_definitions(describe_rows(store_load_view(
											store_schema(fcinfo), name, version ? pg_strtoint32(version) : 0))));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(text));
}
