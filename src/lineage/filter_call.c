/*
 * Filters in SQL: from the text of a filter to the ids of the nodes that fit
 */
#include "lineage/lineage_query.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lineage/kept_plan.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Columns that the queries of this room use, by relation that has a history */
static const struct
{
	const char *name;
	const char *columns;
} historic[] = {
	{"artifact", "id, type_id, uri, state, name, external_id, create_time_since_epoch, last_update_time_since_epoch"},
	{"execution",
	 "id, type_id, last_known_state, name, external_id, create_time_since_epoch, last_update_time_since_epoch"},
	{"context", "id, type_id, name, external_id, create_time_since_epoch, last_update_time_since_epoch"},
	{"artifactproperty",
	 "artifact_id, name, is_custom_property, int_value, double_value, string_value, proto_value, bool_value"},
	{"executionproperty",
	 "execution_id, name, is_custom_property, int_value, double_value, string_value, proto_value, bool_value"},
	{"contextproperty",
	 "context_id, name, is_custom_property, int_value, double_value, string_value, proto_value, bool_value"},
	{"event", "id, artifact_id, execution_id, type, milliseconds_since_epoch"},
	{"eventpath", "event_id, is_index_step, step_index, step_key"},
	{"association", "id, context_id, execution_id"},
	{"attribution", "id, context_id, artifact_id"},
	{"parentcontext", "context_id, parent_context_id"}};

const char *
fm_relation_as_of(const char *name)
{
	for (size_t i = 0; i < lengthof(historic); i++)
		if (strcmp(historic[i].name, name) == 0)
			return psprintf(
				"(SELECT %s FROM mlmd.%s WHERE valid_from OPERATOR(pg_catalog.<=) $1 UNION ALL SELECT %s FROM "
				"mlmd.%s_history WHERE valid_from OPERATOR(pg_catalog.<=) $1 AND $1 OPERATOR(pg_catalog.<) valid_to)",
				historic[i].columns, name, historic[i].columns, name);
	return psprintf("mlmd.%s", name);
}

ArrayType *
fm_int64_array(const int64 *values, int n)
{
	ArrayType *array;
	Size size = (Size) ARR_OVERHEAD_NONULLS(1) + (Size) n * sizeof(int64);

	if (size > MaxAllocSize)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many nodes for one query: %d", n)));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	if (n > 0)
		memcpy((char *) array + ARR_OVERHEAD_NONULLS(1), values, (Size) n * sizeof(int64));
	return array;
}

static Oid
TypeOid(FmFilterType type, bool array)
{
	switch (type)
	{
		case FM_TYPE_BOOL:
			return array ? BOOLARRAYOID : BOOLOID;
		case FM_TYPE_INT64:
			return array ? INT8ARRAYOID : INT8OID;
		case FM_TYPE_UINT64:
			return array ? NUMERICARRAYOID : NUMERICOID;
		case FM_TYPE_DOUBLE:
			return array ? FLOAT8ARRAYOID : FLOAT8OID;
		case FM_TYPE_STRING:
		case FM_TYPE_NULL:
			break;
	}
	return array ? TEXTARRAYOID : TEXTOID;
}

static Datum
ValueDatum(const FmFilterValue *value, FmFilterType type)
{
	char digits[32];
	char *string;

	switch (type)
	{
		case FM_TYPE_BOOL:
			return BoolGetDatum(value->bool_value);
		case FM_TYPE_INT64:
			return Int64GetDatum(value->int_value);
		case FM_TYPE_UINT64:
			if (value->type == FM_TYPE_UINT64)
				snprintf(digits, sizeof(digits), UINT64_FORMAT, value->uint_value);
			else
				snprintf(digits, sizeof(digits), INT64_FORMAT, value->int_value);
			return DirectFunctionCall3(numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid),
									   Int32GetDatum(-1));
		case FM_TYPE_DOUBLE:
			return Float8GetDatum(value->double_value);
		case FM_TYPE_STRING:
		case FM_TYPE_NULL:
			break;
	}
	string = pg_any_to_server(value->string_value, strlen(value->string_value), PG_UTF8);
	return CStringGetTextDatum(string);
}

static Datum
ParamDatum(const FmFilterParam *param)
{
	Datum *values;
	int16 length;
	bool by_value;
	char align;
	Oid element = TypeOid(param->type, false);

	if (param->n_values < 0)
		return ValueDatum(&param->values[0], param->type);
	values = palloc(param->n_values * sizeof(Datum));
	for (int i = 0; i < param->n_values; i++)
		values[i] = ValueDatum(&param->values[i], param->type);
	get_typlenbyvalalign(element, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, param->n_values, element, length, by_value, align));
}

static FmFilter *
ParseFilter(FmNodeKind kind, const text *filter)
{
	const char *data = VARDATA_ANY(filter);
	int size = VARSIZE_ANY_EXHDR(filter);
	char *utf8 = pg_server_to_any(data, size, PG_UTF8);
	FmError error = {0};
	FmFilter *parsed;

	if (utf8 != data)
		size = strlen(utf8);
	parsed = fm_filter_parse(kind, utf8, size, &error);
	if (parsed == NULL)
	{
		error.message = pg_any_to_server(error.message, strlen(error.message), PG_UTF8);
		if (error.detail)
			error.detail = pg_any_to_server(error.detail, strlen(error.detail), PG_UTF8);
		fm_throw(&error, NULL);
	}
	return parsed;
}

void
fm_check_filter(FmNodeKind kind, const text *filter)
{
	if (filter != NULL && VARSIZE_ANY_EXHDR(filter) > 0)
		ParseFilter(kind, filter);
}

/*
 * The node table's column of an order
 */
static const char *
OrderColumn(FmOrderBy order)
{
	return order == FM_ORDER_CREATE_TIME   ? "create_time_since_epoch"
		   : order == FM_ORDER_UPDATE_TIME ? "last_update_time_since_epoch"
										   : "id";
}

int64 *
fm_node_ids(FmNodeKind kind, const FmNodeQuery *query, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData sql;
	FmFilterParam *params = NULL;
	int n_params = 0;
	Oid *types;
	Datum *values;
	int64 *ids;
	const char *table = fm_node_kind_name(kind);
	const char *column = OrderColumn(query->order_by);
	const char *(*relation)(const char *) = query->has_as_of ? fm_relation_as_of : NULL;
	bool filtered = query->filter != NULL && VARSIZE_ANY_EXHDR(query->filter) > 0;
	int as_of = 0;
	int candidates = 0;
	int after = 0;

	/* the filter's parameters come after ours */
	if (query->has_as_of)
		as_of = ++n_params;
	if (query->candidates != NULL)
		candidates = ++n_params;
	if (query->has_after)
		after = ++n_params;
	if (n_params > 0)
		params = palloc0(8 * sizeof(FmFilterParam));

	SPI_connect();
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT n.id FROM %s n WHERE true",
					 query->has_as_of ? fm_relation_as_of(table) : psprintf("mlmd.%s", table));
	if (candidates)
		appendStringInfo(&sql, " AND n.id OPERATOR(pg_catalog.=) ANY ($%d)", candidates);
	if (after)
	{
		const char *op = query->descending ? "<" : ">";

		if (query->order_by == FM_ORDER_ID)
			appendStringInfo(&sql, " AND n.id OPERATOR(pg_catalog.%s) $%d", op, after);
		else
			appendStringInfo(&sql,
							 " AND (n.%s, n.id) OPERATOR(pg_catalog.%s) (SELECT a.%s, a.id FROM %s a WHERE a.id "
							 "OPERATOR(pg_catalog.=) $%d)",
							 column, op, column,
							 query->has_as_of ? fm_relation_as_of(table) : psprintf("mlmd.%s", table), after);
	}
	if (filtered)
	{
		FmFilter *filter = ParseFilter(kind, query->filter);
		FmError error = {0};

		appendStringInfoString(&sql, " AND ");
		if (!fm_filter_to_sql(filter, relation, &sql, &n_params, &params, &error))
			fm_throw(&error, NULL);
	}
	appendStringInfo(&sql, " ORDER BY n.%s%s", column, query->descending ? " DESC" : "");
	if (query->order_by != FM_ORDER_ID)
		appendStringInfo(&sql, ", n.id%s", query->descending ? " DESC" : "");
	if (query->limit > 0)
		appendStringInfo(&sql, " LIMIT " INT64_FORMAT, query->limit);
	if (query->offset > 0)
		appendStringInfo(&sql, " OFFSET " INT64_FORMAT, query->offset);

	if (n_params > 65535)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("filter has too many literals")));
	types = palloc(Max(n_params, 1) * sizeof(Oid));
	values = palloc(Max(n_params, 1) * sizeof(Datum));
	for (int i = 1; i <= n_params; i++)
	{
		if (i == as_of)
		{
			types[i - 1] = TIMESTAMPTZOID;
			values[i - 1] = TimestampTzGetDatum(query->as_of);
		}
		else if (i == candidates)
		{
			types[i - 1] = INT8ARRAYOID;
			values[i - 1] = PointerGetDatum(fm_int64_array(query->candidates, query->n_candidates));
		}
		else if (i == after)
		{
			types[i - 1] = INT8OID;
			values[i - 1] = Int64GetDatum(query->after);
		}
		else
		{
			types[i - 1] = TypeOid(params[i - 1].type, params[i - 1].n_values >= 0);
			values[i - 1] = ParamDatum(&params[i - 1]);
		}
	}
	/* a page is written into the text; a plan for each would only push others out */
	if (query->n_candidates <= FM_KEPT_PLAN_NODES && query->limit == 0 && query->offset == 0)
		fm_execute_kept(sql.data, n_params, types, values, false, NULL);
	else if (SPI_execute_with_args(sql.data, n_params, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of a query for nodes");
	*n = (int) SPI_processed;
	ids = MemoryContextAllocHuge(caller, Max(SPI_processed, 1) * sizeof(int64));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool is_null;

		ids[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null));
	}
	SPI_finish();
	return ids;
}

/*
 * 'id', 'create_time' or 'update_time', and perhaps 'asc' or 'desc'
 */
static void
ParseOrder(const text *order, FmNodeQuery *query)
{
	char *string = text_to_cstring(order);
	char *save = NULL;
	char *field = strtok_r(string, " \t\n", &save);
	char *direction = strtok_r(NULL, " \t\n", &save);

	if (field != NULL && pg_strcasecmp(field, "id") == 0)
		query->order_by = FM_ORDER_ID;
	else if (field != NULL && pg_strcasecmp(field, "create_time") == 0)
		query->order_by = FM_ORDER_CREATE_TIME;
	else if (field != NULL &&
			 (pg_strcasecmp(field, "update_time") == 0 || pg_strcasecmp(field, "last_update_time") == 0))
		query->order_by = FM_ORDER_UPDATE_TIME;
	else
		field = NULL;
	if (direction != NULL && pg_strcasecmp(direction, "desc") == 0)
		query->descending = true;
	else if (direction != NULL && pg_strcasecmp(direction, "asc") != 0)
		field = NULL;
	if (field == NULL || strtok_r(NULL, " \t\n", &save) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid order \"%s\"", text_to_cstring(order)),
				 errhint("Write id, create_time or update_time, and asc or desc after it if you like.")));
}

static FmNodeKind
ParseNodeKind(const text *kind)
{
	char *string = text_to_cstring(kind);

	for (FmNodeKind k = FM_EXECUTION; k <= FM_CONTEXT; k++)
		if (strcmp(string, fm_node_kind_name(k)) == 0)
			return k;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid kind of node \"%s\"", string),
					errhint("Write artifact, execution or context.")));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(filtered_node_ids);

/*
 * filtered_node_ids(kind text, filter text, order_by text, page_size bigint, page bigint, after bigint, as_of timestamptz)
 */
Datum
filtered_node_ids(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FmNodeQuery query = {0};
	FmNodeKind kind;
	int64 *ids;
	int n;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("kind of node cannot be NULL")));
	kind = ParseNodeKind(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
		query.filter = PG_GETARG_TEXT_PP(1);
	if (!PG_ARGISNULL(2))
		ParseOrder(PG_GETARG_TEXT_PP(2), &query);
	if (!PG_ARGISNULL(3))
	{
		query.limit = PG_GETARG_INT64(3);
		if (query.limit <= 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("page size must be positive, not %lld", (long long) query.limit)));
	}
	if (!PG_ARGISNULL(4))
	{
		int64 page = PG_GETARG_INT64(4);

		if (page <= 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("page must be positive, not %lld", (long long) page)));
		if (query.limit == 0)
			query.limit = 100;
		if (page - 1 > PG_INT64_MAX / query.limit)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("page is out of range")));
		query.offset = (page - 1) * query.limit;
	}
	if (!PG_ARGISNULL(5))
	{
		query.has_after = true;
		query.after = PG_GETARG_INT64(5);
	}
	if (!PG_ARGISNULL(6))
	{
		query.has_as_of = true;
		query.as_of = PG_GETARG_TIMESTAMPTZ(6);
	}
	ids = fm_node_ids(kind, &query, &n);
	for (int i = 0; i < n; i++)
	{
		Datum value = Int64GetDatum(ids[i]);
		bool is_null = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &is_null);
	}
	return (Datum) 0;
}
