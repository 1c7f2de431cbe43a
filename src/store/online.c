/*
 * get_online_features(): reads by key from the online tables, with what a call needs kept from call to call
 *
 * A session keeps, for each list of features it asked for, the resolved views and how to read each. An online table whose primary
 * key is as enable_online() made it is read by descents of that index, when the caller has SELECT on the whole table and no row
 * security applies: the executor's start and end would cost more than the read. In every other case a kept plan is run, so that
 * column privileges, row security, views and foreign tables are the server's business.
 */
#include "store/online.h"
#include "fm_relation.h"
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(get_online_features);

typedef struct OnlineAnswer
{
	OnlineRequest *request;
	int view;			 /* the one that is being read */
	TimestampTz oldest;	 /* what is older than this is past the view's ttl */
	StringInfoData text; /* the values, one behind the other */
	int *start;			 /* [entity * nfeatures + feature]: where the value is in text, -1 for none */
	int *length;
	StoreStatus *status; /* [entity * nviews + view] */
	TimestampTz *event_time;
	AttrNumber *in_order;						 /* 1, 2, 3 ...: where a plan's result has the features */
	StringInfoData key, values, statuses, times; /* the columns of the row that is being made */
} OnlineAnswer;

typedef struct OnlineReceiver
{
	DestReceiver pub;
	OnlineAnswer *answer;
} OnlineReceiver;

/*
 * Takes in the row of an entity: its event time and the view's features
 */
static void
take_row(OnlineAnswer *answer, int entity, TimestampTz event, const Datum *values, const bool *nulls,
		 const AttrNumber *attributes)
{
	OnlineRequest *request = answer->request;
	int of_view = entity * request->nviews + answer->view;

	answer->event_time[of_view] = event;
	if (event < answer->oldest)
	{
		answer->status[of_view] = STORE_OUTSIDE_MAX_AGE;
		return;
	}
	answer->status[of_view] = STORE_PRESENT;
	for (int f = 0; f < request->nfeatures; f++)
	{
		OnlineFeature *feature = &request->features[f];
		int at = entity * request->nfeatures + f;
		int column = attributes[feature->column] - 1;

		if (feature->view != answer->view || nulls[column])
			continue;
		answer->start[at] = answer->text.len;
		online_append_value(&answer->text, feature, values[column]);
		answer->length[at] = answer->text.len - answer->start[at];
	}
}

static bool
receive_online_row(TupleTableSlot *slot, DestReceiver *self)
{
	OnlineAnswer *answer = ((OnlineReceiver *) self)->answer;

	slot_getallattrs(slot);
	take_row(answer, (int) DatumGetInt64(slot->tts_values[0]) - 1, DatumGetTimestampTz(slot->tts_values[1]),
			 slot->tts_values + 2, slot->tts_isnull + 2, answer->in_order);
	return true;
}

/*
 * Opens the table of a view and the index to read it by; false when the read is the executor's. What was found out before is asked
 * again under the lock: to wait for it may have been to wait for a change.
 */
static bool
open_for_index(const OnlineRequest *request, const OnlineView *view, Relation *table, Relation *index)
{
	Oid online_table = view->definition->online_table;

	if (!OidIsValid(view->index))
		return false;
	*table = try_table_open(online_table, AccessShareLock);
	if (*table == NULL)
		return false;
	if (online_request_is_current(request) && pg_class_aclcheck(online_table, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(online_table, InvalidOid, true) != RLS_ENABLED)
	{
		*index = index_open(view->index, AccessShareLock);
		if (fm_index_knows_snapshots(*index))
			return true;
		index_close(*index, NoLock);
	}
	table_close(*table, NoLock);
	return false;
}

/*
 * Reads one view by descents of the primary key; false when it has to be read by the executor
 */
static bool
read_by_index(OnlineAnswer *answer, int count, Datum **keys, bool **key_nulls)
{
	OnlineView *view = &answer->request->views[answer->view];
	StoreView *definition = view->definition;
	Relation table, index;
	IndexScanDesc scan;
	TupleTableSlot *slot;

	if (!open_for_index(answer->request, view, &table, &index))
		return false;
	slot = table_slot_create(table, NULL);
	scan = fm_index_beginscan(table, index, GetActiveSnapshot(), definition->nkeys);
	for (int i = 0; i < count; i++)
	{
		bool is_null = false;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < definition->nkeys; k++)
		{
			is_null |= key_nulls[k][i];
			view->scan_keys[k].sk_argument = keys[k][i];
		}
		if (is_null)
			continue;
		index_rescan(scan, view->scan_keys, definition->nkeys, NULL, 0);
		if (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			slot_getallattrs(slot);
			take_row(answer, i, DatumGetTimestampTz(slot->tts_values[view->event_attribute - 1]), slot->tts_values,
					 slot->tts_isnull, view->attributes);
		}
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(table, NoLock);
	return true;
}

/*
 * A plan follows its table; how a value is written does not, and must not meet another type
 */
static void
start_receiving(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	OnlineAnswer *answer = ((OnlineReceiver *) self)->answer;

	for (int f = 0; f < answer->request->nfeatures; f++)
	{
		OnlineFeature *feature = &answer->request->features[f];

		if (feature->view == answer->view &&
			getBaseType(TupleDescAttr(typeinfo, feature->column + 2)->atttypid) != feature->type)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the type of feature %s has just changed", feature->label), errhint("Repeat the call.")));
	}
}

static void
end_receiving(DestReceiver *self)
{
}

/*
 * Reads one view for all entities
 */
static void
read_view(OnlineAnswer *answer, const KeySource *source)
{
	OnlineView *view = &answer->request->views[answer->view];
	StoreView *definition = view->definition;
	int n = definition->nkeys;
	ParamListInfo params;
	OnlineReceiver receiver = {.pub = {receive_online_row, start_receiving, end_receiving, end_receiving, DestNone},
							   .answer = answer};
	SPIExecuteOptions execute = {.read_only = true, .dest = &receiver.pub};
	Datum *keys[STORE_MAX_KEYS];
	bool *nulls[STORE_MAX_KEYS];

	for (int k = 0; k < n; k++)
	{
		keys[k] = palloc(sizeof(Datum) * source->count);
		nulls[k] = palloc(sizeof(bool) * source->count);
		for (int i = 0; i < source->count; i++)
		{
			const JsonbValue *value = online_get_key(source, i, definition->keys[k].name);

			if (value == NULL)
				online_bad_keys(psprintf("Join key \"%s\" of feature view \"%s\" is missing.", definition->keys[k].name,
										 definition->name));
			keys[k][i] = online_key_datum(view, k, value, &nulls[k][i]);
		}
	}
	if (read_by_index(answer, source->count, keys, nulls))
		return;

	answer->in_order = palloc(sizeof(AttrNumber) * Max(definition->nfeatures, 1));
	for (int i = 0; i < definition->nfeatures; i++)
		answer->in_order[i] = i + 1;
	params = makeParamList(n);
	for (int k = 0; k < n; k++)
	{
		ParamExternData *param = &params->params[k];
		Oid type = definition->keys[k].type;

		param->pflags = 0;
		if (source->count == 1)
		{
			param->isnull = nulls[k][0];
			param->ptype = type;
			param->value = keys[k][0];
		}
		else
		{
			int dims[1] = {source->count};
			int lower[1] = {1};
			int16 typlen;
			bool typbyval;
			char typalign;

			get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
			param->isnull = false;
			param->ptype = view->key_array[k];
			param->value = PointerGetDatum(
				construct_md_array(keys[k], nulls[k], 1, dims, lower, type, typlen, typbyval, typalign));
		}
	}
	execute.params = params;
	SPI_connect();
	SPI_execute_plan_extended(source->count == 1 ? view->one : view->many, &execute);
	SPI_finish();
}

/* A column of type json is made in a buffer that starts with room for the length word */
static void
start_json(StringInfo buf)
{
	buf->len = VARHDRSZ; /* as it was when it was made */
}

static Datum
end_json(StringInfo buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return PointerGetDatum(buf->data);
}

/*
 * One row of the result: values and statuses of an entity as JSON objects by feature, event times by feature view
 */
static void
put_entity(OnlineAnswer *answer, const KeySource *source, int entity, ReturnSetInfo *rsinfo)
{
	static const char *const names[] = {"\"PRESENT\"", "\"NOT_FOUND\"", "\"OUTSIDE_MAX_AGE\""};
	OnlineRequest *request = answer->request;
	Datum columns[4];
	bool nulls[4] = {false};
	bool all_present = true;

	start_json(&answer->values);
	start_json(&answer->statuses);
	start_json(&answer->times);
	for (int f = 0; f < request->nfeatures; f++)
	{
		OnlineFeature *feature = &request->features[f];
		int at = entity * request->nfeatures + f;

		appendBinaryStringInfo(&answer->values, feature->prefix, feature->prefix_size);
		if (answer->start[at] < 0)
			appendBinaryStringInfo(&answer->values, "null", 4);
		else
			appendBinaryStringInfo(&answer->values, answer->text.data + answer->start[at], answer->length[at]);
		all_present &= answer->start[at] >= 0;
	}
	appendStringInfoChar(&answer->values, '}');
	if (all_present)
		appendBinaryStringInfo(&answer->statuses, request->all_present, request->all_present_size);
	else
	{
		for (int f = 0; f < request->nfeatures; f++)
		{
			OnlineFeature *feature = &request->features[f];
			int at = entity * request->nfeatures + f;
			StoreStatus status = answer->status[entity * request->nviews + feature->view];

			appendBinaryStringInfo(&answer->statuses, feature->prefix, feature->prefix_size);
			appendStringInfoString(&answer->statuses,
								   status == STORE_PRESENT && answer->start[at] < 0 ? "\"NULL_VALUE\"" : names[status]);
		}
		appendStringInfoChar(&answer->statuses, '}');
	}
	for (int v = 0; v < request->nviews; v++)
	{
		int of_view = entity * request->nviews + v;
		char time[MAXDATELEN + 1];

		appendBinaryStringInfo(&answer->times, request->views[v].prefix, request->views[v].prefix_size);
		if (answer->status[of_view] == STORE_NOT_FOUND)
			appendBinaryStringInfo(&answer->times, "null", 4);
		else
		{
			appendStringInfoChar(&answer->times, '"');
			appendStringInfoString(
				&answer->times,
				JsonEncodeDateTime(time, TimestampTzGetDatum(answer->event_time[of_view]), TIMESTAMPTZOID, NULL));
			appendStringInfoChar(&answer->times, '"');
		}
	}
	appendStringInfoChar(&answer->times, '}');
	start_json(&answer->key);
	online_append_keys(&answer->key, source, entity);
	columns[0] = end_json(&answer->key);
	columns[1] = end_json(&answer->values);
	columns[2] = end_json(&answer->statuses);
	columns[3] = end_json(&answer->times);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, columns, nulls);
}

/*
 * get_online_features(features text[], keys jsonb, full_feature_names boolean, service text)
 * returns table (entity_key json, feature_values json, statuses json, event_timestamps json)
 */
Datum
get_online_features(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	OnlineAnswer answer = {0};
	KeySource source;
	Datum references;
	Size n;

	InitMaterializedSRF(fcinfo, 0);
	references = store_references_or_service_of(fcinfo, 0, 3);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("keys and full_feature_names must not be NULL")));
	source = online_read_keys(PG_GETARG_JSONB_P(1));
	answer.request = online_find_request(fcinfo, DatumGetArrayTypeP(references), PG_GETARG_BOOL(2));
	initStringInfo(&answer.text);
	initStringInfo(&answer.key);
	initStringInfo(&answer.values);
	initStringInfo(&answer.statuses);
	initStringInfo(&answer.times);
	n = (Size) source.count;
	answer.start = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(n * answer.request->nfeatures, 1));
	memset(answer.start, 0xff, sizeof(int) * n * answer.request->nfeatures);
	answer.length = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(n * answer.request->nfeatures, 1));
	answer.status = palloc(sizeof(StoreStatus) * Max(n * answer.request->nviews, 1));
	answer.event_time = palloc(sizeof(TimestampTz) * Max(n * answer.request->nviews, 1));
	for (Size i = 0; i < n * answer.request->nviews; i++)
		answer.status[i] = STORE_NOT_FOUND;
	if (n > 0)
		for (answer.view = 0; answer.view < answer.request->nviews; answer.view++)
		{
			Interval *ttl = answer.request->views[answer.view].definition->ttl;

			answer.oldest = ttl ? store_before(GetCurrentStatementStartTimestamp(), ttl) : DT_NOBEGIN;
			read_view(&answer, &source);
		}
	for (int i = 0; i < source.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_entity(&answer, &source, i, rsinfo);
	}
	return (Datum) 0;
}
