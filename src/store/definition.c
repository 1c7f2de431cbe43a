/*
 * A feature view as the catalogue has it, checked against its source
 */
#include "schema/nearest.h"
#include "fm_relation.h"
#include "store/store.h"
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "access/relation.h"

PG_FUNCTION_INFO_V1(store_check_source);
PG_FUNCTION_INFO_V1(store_unknown);
PG_FUNCTION_INFO_V1(store_references);
PG_FUNCTION_INFO_V1(store_references_or_service);
PG_FUNCTION_INFO_V1(store_definition_changed);
PG_FUNCTION_INFO_V1(store_before_sql);

const char *
store_schema(FunctionCallInfo fcinfo)
{
	return quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
}

/*
 * The elements of a text array, as C strings; a NULL element is an error
 */
static char **
text_array_elements(ArrayType *array, int *count)
{
	Datum *datums;
	bool *nulls;
	char **strings;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls, count);
	strings = palloc(sizeof(char *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a name must not be NULL")));
		strings[i] = TextDatumGetCString(datums[i]);
	}
	return strings;
}

/*
 * The nearest of the known names, NULL when none is near
 */
static const char *
nearest_name(const char *name, int nknown, char **known)
{
	FmNearest nearest;

	fm_nearest_init(&nearest, name);
	for (int i = 0; i < nknown; i++)
	{
		CHECK_FOR_INTERRUPTS();
		fm_nearest_offer(&nearest, known[i]);
	}
	return fm_nearest_get(&nearest);
}

void
store_unknown_name(const char *kind, const char *name, int nknown, char **known)
{
	const char *nearest = nearest_name(name, nknown, known);

	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s \"%s\" does not exist", kind, name),
					nearest ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
}

/*
 * store_unknown(kind text, name text, known text[]) returns void: raises the error
 */
Datum
store_unknown(PG_FUNCTION_ARGS)
{
	int nknown = 0;
	char **known = NULL;

	if (!PG_ARGISNULL(2))
		known = text_array_elements(PG_GETARG_ARRAYTYPE_P(2), &nknown);
	store_unknown_name(PG_ARGISNULL(0) ? "object" : text_to_cstring(PG_GETARG_TEXT_PP(0)),
					   PG_ARGISNULL(1) ? "NULL" : text_to_cstring(PG_GETARG_TEXT_PP(1)), nknown, known);
}

/*
 * store_definition_changed(): statement trigger on the catalogue's tables. The invalidation of the table's own cache entry is
 * what other sessions get at commit; store/online.c listens for it.
 */
Datum
store_definition_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("store_definition_changed() is a trigger")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * The column of a relation, by name; error 42703 with the nearest name
 */
static StoreColumn
find_column(Relation relation, const char *name)
{
	TupleDesc tupdesc = RelationGetDescr(relation);
	char **known = palloc(sizeof(char *) * Max(tupdesc->natts, 1));
	int nknown = 0;
	const char *nearest;
	StoreColumn column = {0};

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		if (att->attisdropped)
			continue;
		if (strcmp(NameStr(att->attname), name) == 0)
		{
			column.name = pstrdup(name);
			column.type = att->atttypid;
			column.typmod = att->atttypmod;
			column.collation = att->attcollation;
			column.typlen = att->attlen;
			column.typbyval = att->attbyval;
			pfree(known);
			return column;
		}
		known[nknown++] = NameStr(att->attname);
	}
	nearest = nearest_name(name, nknown, known);
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(relation)),
					nearest ? errhint("Perhaps you meant \"%s\".", nearest) : 0));
	return column; /* not reached */
}

static void
check_time_column(StoreColumn *column)
{
	Oid type = column->type = getBaseType(column->type);

	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" cannot be a time: its type is %s", column->name, format_type_be(column->type)),
				 errhint("A time is of type timestamp with time zone, timestamp or date.")));
}

static void
check_key_column(const StoreColumn *column)
{
	StoreKey key;

	store_key_init(&key, column->name, column->type, column->type, column->collation);
}

TimestampTz
store_time(Datum value, Oid type)
{
	DateADT date;

	if (type != DATEOID)
		return DatumGetTimestampTz(value);
	date = DatumGetDateADT(value);
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date))
		return DT_NOEND;
	/* a date past the timestamps' range sorts behind all of them, as infinity does */
	if (date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return DT_NOEND;
	return date * USECS_PER_DAY;
}

char *
store_time_literal(Datum value, Oid type)
{
	char text[MAXDATELEN + 1];
	int utc = 0;

	JsonEncodeDateTime(text, value, type, &utc);
	return psprintf("%s::pg_catalog.%s", quote_literal_cstr(text),
					type == DATEOID		   ? "date"
					: type == TIMESTAMPOID ? "timestamp"
										   : "timestamptz");
}

/*
 * Checks columns against a relation and fills in their types. The relation's own privileges are checked where it is read.
 */
static void
describe_columns(StoreView *view, Oid from)
{
	Relation relation = fm_open_relation(from, AccessShareLock);
	char kind = relation->rd_rel->relkind;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_VIEW &&
		kind != RELKIND_MATVIEW && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be the source of a feature view", RelationGetRelationName(relation)),
				 errdetail("A source is a table, a view, a materialized view, a partitioned or a foreign table.")));
	view->source_name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												   RelationGetRelationName(relation));
	for (int i = 0; i < view->nkeys; i++)
	{
		view->keys[i] = find_column(relation, view->keys[i].name);
		check_key_column(&view->keys[i]);
	}
	view->event_time = find_column(relation, view->event_time.name);
	check_time_column(&view->event_time);
	if (view->created_time.name)
	{
		view->created_time = find_column(relation, view->created_time.name);
		check_time_column(&view->created_time);
	}
	for (int i = 0; i < view->nfeatures; i++)
		view->features[i] = find_column(relation, view->features[i].name);
	relation_close(relation, AccessShareLock);
}

static StoreColumn *
columns_of_names(ArrayType *names, int *count)
{
	char **strings = text_array_elements(names, count);
	StoreColumn *columns = palloc0(sizeof(StoreColumn) * Max(*count, 1));

	for (int i = 0; i < *count; i++)
		columns[i].name = strings[i];
	return columns;
}

/*
 * store_check_source(source, join_keys, event_time, created_time, features) returns void
 */
Datum
store_check_source(PG_FUNCTION_ARGS)
{
	StoreView view = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("source, join keys, event time and features must not be NULL")));
	view.source = PG_GETARG_OID(0);
	view.keys = columns_of_names(PG_GETARG_ARRAYTYPE_P(1), &view.nkeys);
	if (view.nkeys > STORE_MAX_KEYS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a feature view has at most %d join keys", STORE_MAX_KEYS)));
	view.event_time.name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!PG_ARGISNULL(3))
		view.created_time.name = text_to_cstring(PG_GETARG_TEXT_PP(3));
	view.features = columns_of_names(PG_GETARG_ARRAYTYPE_P(4), &view.nfeatures);
	describe_columns(&view, view.source);
	if (get_rel_persistence(view.source) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("temporary relation \"%s\" cannot be the source of a feature view", get_rel_name(view.source)),
				 errdetail("The definition would outlive it.")));
	PG_RETURN_VOID();
}

/*
 * The relation to take the columns of a view from: its source, and once that is gone the online table for who reads only that
 */
static Oid
relation_to_describe(const StoreView *view, const char *schema, bool online)
{
	Oid types[2] = {TEXTOID, INT4OID};
	Datum values[2] = {CStringGetTextDatum(view->name), Int32GetDatum(view->version)};

	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(view->source)))
		return view->source;
	if (online && SearchSysCacheExists1(RELOID, ObjectIdGetDatum(view->online_table)))
		return view->online_table;
	SPI_execute_with_args(psprintf("SELECT %s.store_source_gone($1, $2)", schema), 2, types, values,
						  view->version == 0 ? " n" : NULL, true, 1);
	return InvalidOid; /* not reached */
}

static StoreView *
load_view(const char *schema, const char *name, int version, bool online)
{
	MemoryContext context = CurrentMemoryContext;
	StoreView *view;
	Oid types[2] = {TEXTOID, INT4OID};
	Datum values[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};
	HeapTuple row;
	TupleDesc desc;
	bool isnull;
	Datum value;

	SPI_execute_with_args(psprintf("SELECT * FROM %s.store_view_definition($1, $2)", schema), 2, types, values,
						  version == 0 ? " n" : NULL, true, 1);
	if (SPI_processed != 1 || (SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull), isnull))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("feature view \"%s\" does not exist", name)));
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	MemoryContextSwitchTo(context);

	view = palloc0(sizeof(StoreView));
	view->name = pstrdup(name);
	view->version = version;
	view->source = DatumGetObjectId(SPI_getbinval(row, desc, 1, &isnull));
	view->event_time.name = pstrdup(NameStr(*DatumGetName(SPI_getbinval(row, desc, 2, &isnull))));
	value = SPI_getbinval(row, desc, 3, &isnull);
	if (!isnull)
		view->created_time.name = pstrdup(NameStr(*DatumGetName(value)));
	value = SPI_getbinval(row, desc, 4, &isnull);
	if (!isnull)
	{
		view->ttl = palloc(sizeof(Interval));
		*view->ttl = *DatumGetIntervalP(value);
	}
	view->keys = columns_of_names(DatumGetArrayTypeP(SPI_getbinval(row, desc, 5, &isnull)), &view->nkeys);
	view->features = columns_of_names(DatumGetArrayTypeP(SPI_getbinval(row, desc, 6, &isnull)), &view->nfeatures);
	value = SPI_getbinval(row, desc, 7, &isnull);
	view->online_table = isnull ? InvalidOid : DatumGetObjectId(value);
	SPI_freetuptable(SPI_tuptable);
	describe_columns(view, relation_to_describe(view, schema, online));
	return view;
}

StoreView *
store_load_view(const char *schema, const char *name, int version)
{
	return load_view(schema, name, version, false);
}

/*
 * Keeps of a view only the features that are asked for; finds a feature or adds it
 */
static int
request_feature(StoreView *view, int *nkept, const char *name)
{
	for (int i = 0; i < *nkept; i++)
		if (strcmp(view->features[i].name, name) == 0)
			return i;
	for (int i = *nkept; i < view->nfeatures; i++)
		if (strcmp(view->features[i].name, name) == 0)
		{
			StoreColumn wanted = view->features[i];

			view->features[i] = view->features[*nkept];
			view->features[*nkept] = wanted;
			return (*nkept)++;
		}
	elog(ERROR, "feature \"%s\" is not part of feature view \"%s\"", name, view->name);
	return -1;
}

static Datum
one_reference(Datum reference)
{
	return PointerGetDatum(construct_array(&reference, 1, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
require_references(bool given)
{
	if (!given)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("no features are asked for"),
						errhint("Give features, or the name of a feature service.")));
}

Datum
store_references_of_argument(FunctionCallInfo fcinfo, int features)
{
	char *string;

	require_references(!PG_ARGISNULL(features));
	string = text_to_cstring(PG_GETARG_TEXT_PP(features));
	if (string[strspn(string, " \t\n\r")] != '{')
		return one_reference(PG_GETARG_DATUM(features));
	return OidFunctionCall3(F_ARRAY_IN, CStringGetDatum(string), ObjectIdGetDatum(TEXTOID), Int32GetDatum(-1));
}

Datum
store_references_or_service_of(FunctionCallInfo fcinfo, int features, int service)
{
	if (PG_ARGISNULL(service))
	{
		require_references(!PG_ARGISNULL(features));
		return PG_GETARG_DATUM(features);
	}
	if (!PG_ARGISNULL(features))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("features and service cannot both be given"),
						errhint("The name of a feature service may stand among the features.")));
	return one_reference(PG_GETARG_DATUM(service));
}

/*
 * store_references(features text) returns text[]
 */
Datum
store_references(PG_FUNCTION_ARGS)
{
	return store_references_of_argument(fcinfo, 0);
}

/*
 * store_references(features text[], service text) returns text[]
 */
Datum
store_references_or_service(PG_FUNCTION_ARGS)
{
	return store_references_or_service_of(fcinfo, 0, 1);
}

static StoreRequest *
resolve(const char *schema, Datum references, bool online)
{
	StoreRequest *request = palloc0(sizeof(StoreRequest));
	MemoryContext context = CurrentMemoryContext;
	Oid types[1] = {TEXTARRAYOID};
	SPITupleTable *rows;
	uint64 nrows;
	int *nkept;

	SPI_execute_with_args(psprintf("SELECT view, version, feature, reference FROM %s.resolve_features($1)", schema), 1,
						  types, &references, NULL, true, 0);
	rows = SPI_tuptable;
	nrows = SPI_processed;
	MemoryContextSwitchTo(context);
	if (nrows > 1600)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("a call can ask for at most 1600 features, not " UINT64_FORMAT, nrows)));
	request->features = palloc0(sizeof(StoreFeature) * nrows);
	request->views = palloc0(sizeof(StoreView *) * nrows);
	nkept = palloc0(sizeof(int) * nrows);
	for (uint64 i = 0; i < nrows; i++)
	{
		char *name = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		int version = pg_strtoint32(SPI_getvalue(rows->vals[i], rows->tupdesc, 2));
		int v;

		for (v = 0; v < request->nviews; v++)
			if (request->views[v]->version == version && strcmp(request->views[v]->name, name) == 0)
				break;
		if (v == request->nviews)
			request->views[request->nviews++] = load_view(schema, name, version, online);
		request->features[i].view = v;
		request->features[i].feature =
			request_feature(request->views[v], &nkept[v], SPI_getvalue(rows->vals[i], rows->tupdesc, 3));
		request->features[i].reference = SPI_getvalue(rows->vals[i], rows->tupdesc, 4);
	}
	request->nfeatures = nrows;
	for (int v = 0; v < request->nviews; v++)
		request->views[v]->nfeatures = nkept[v];
	return request;
}

StoreRequest *
store_resolve(const char *schema, Datum references)
{
	return resolve(schema, references, false);
}

StoreRequest *
store_resolve_online(const char *schema, Datum references)
{
	return resolve(schema, references, true);
}

void
store_append_columns(StringInfo sql, const StoreView *view)
{
	for (int i = 0; i < view->nkeys; i++)
		appendStringInfo(sql, "%s, ", quote_identifier(view->keys[i].name));
	appendStringInfoString(sql, quote_identifier(view->event_time.name));
	if (view->created_time.name)
		appendStringInfo(sql, ", %s", quote_identifier(view->created_time.name));
	for (int i = 0; i < view->nfeatures; i++)
		appendStringInfo(sql, ", %s", quote_identifier(view->features[i].name));
}

/*
 * The columns of the result, as a column definition list wants them
 */
char *
store_column_definitions(TupleDesc desc)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		appendStringInfo(
			&buf, "%s%s %s", i > 0 ? ", " : "", quote_identifier(NameStr(att->attname)),
			format_type_extended(att->atttypid, att->atttypmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	}
	return buf.data;
}

void
store_check_column_list(TupleDesc expected, TupleDesc actual, const char *function)
{
	bool fits = expected->natts == actual->natts;

	for (int i = 0; fits && i < expected->natts; i++)
		fits = TupleDescAttr(expected, i)->atttypid == TupleDescAttr(actual, i)->atttypid;
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the column list does not fit the result of %s", function),
				 errhint("Write: AS t(%s)", store_column_definitions(actual))));
}

/*
 * The time a ttl before; days and months are those of UTC, whatever the session's zone is. What would lie before the first
 * timestamp is no limit.
 */
TimestampTz
store_before(TimestampTz time, const Interval *ttl)
{
	int64 fixed, days, time_before;
	struct pg_tm tm;
	fsec_t fsec;
	Interval months = {.month = ttl->month};
	TimestampTz month_before;

	if (TIMESTAMP_NOT_FINITE(time))
		return time;
	/* a day of UTC has 24 hours; only months need the calendar */
	if (ttl->month == 0 && !pg_mul_s64_overflow(ttl->day, USECS_PER_DAY, &days) &&
		!pg_add_s64_overflow(days, ttl->time, &fixed) && !pg_sub_s64_overflow(time, fixed, &time_before) &&
		IS_VALID_TIMESTAMP(time_before))
		return time_before;
	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		return DT_NOBEGIN;
	/* the first year of timestamps is not whole */
	if ((int64) tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1 - ttl->month <
		(int64) (JULIAN_MINYEAR + 1) * MONTHS_PER_YEAR)
		return DT_NOBEGIN;
	month_before = DatumGetTimestamp(
		DirectFunctionCall2(timestamp_mi_interval, TimestampGetDatum(time), IntervalPGetDatum(&months)));
	if (pg_mul_s64_overflow(ttl->day, USECS_PER_DAY, &days) || pg_sub_s64_overflow(month_before, days, &time_before) ||
		pg_sub_s64_overflow(time_before, ttl->time, &time_before) || time_before < MIN_TIMESTAMP)
		return DT_NOBEGIN;
	return Min(time_before, END_TIMESTAMP - 1);
}

/*
 * store_before(time timestamptz, ttl interval) returns timestamptz
 */
Datum
store_before_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(store_before(PG_GETARG_TIMESTAMPTZ(0), PG_GETARG_INTERVAL_P(1)));
}

/*
 * The equality of a type, as it must be written to be found whatever the search_path is
 */
char *
store_equality_operator(Oid type)
{
	Oid operator= lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char *text;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	text =
		psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return text;
}

Oid
store_column_type(Oid relation, const char *name)
{
	AttrNumber number = get_attnum(relation, name);
	char *table = get_rel_name(relation);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the online table has just been dropped")));
	if (number == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("column \"%s\" is not in the online table \"%s\"", name, table),
						errhint("Materialize the feature view again.")));
	return get_atttype(relation, number);
}
