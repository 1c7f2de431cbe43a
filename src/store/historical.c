/*
 * historical_features(): entity rows with their features, correct in time, as a set
 *
 * The entity rows go into a tuplestore, which spills. They are joined in batches. The keys and times of a batch, and for each
 * view the values found, may take as much memory as the hash table of a hash join (work_mem times hash_mem_multiplier); a batch
 * whose values turn out larger is done again in halves.
 */
#include "store/store.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/nodeHash.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(historical_features);
PG_FUNCTION_INFO_V1(historical_features_columns);

int store_join_method = STORE_JOIN_AUTO;

static const struct config_enum_entry join_methods[] = {{"auto", STORE_JOIN_AUTO, false},
														{"scan", STORE_JOIN_SCAN, false},
														{"index", STORE_JOIN_INDEX, false},
														{NULL, 0, false}};

void
store_define_settings(void)
{
	DefineCustomEnumVariable(
		"feature_meta.join_method", "How point-in-time joins read a feature view's source.",
		"auto chooses by the planner's costs; scan makes one pass; index makes a descent for each entity row.",
		&store_join_method, STORE_JOIN_AUTO, join_methods, PGC_USERSET, 0, NULL, NULL, NULL);
}

static const char *const status_names[] = {"PRESENT", "NOT_FOUND", "OUTSIDE_MAX_AGE"};

/* A call, taken apart */
typedef struct Historical
{
	StoreRequest *request;
	const char *event_column;
	bool full_names;
	bool with_status;
	AsofOptions options;
	char *entity_sql;
	TupleDesc entity_desc;
	Tuplestorestate *entities;
	int event_attribute; /* of the entity rows, from 0 */
	Oid event_type;
	TupleDesc result_desc;
} Historical;

/* An index over the entity rows that one or more views share: same columns, same types in the source */
typedef struct KeySet
{
	int nkeys;
	int attributes[STORE_MAX_KEYS];
	StoreKey *keys;
	AsofIndex *index;
} KeySet;

/*
 * The query for the entity rows: a relation's name, or one SELECT
 */
static char *
entity_query(const char *text)
{
	List *names = NIL;
	Oid relation = InvalidOid;
	char *copy = pstrdup(text);

	/* a name that SplitIdentifierString takes is one; a query never is */
	if (SplitIdentifierString(copy, '.', &names) && names != NIL && list_length(names) <= 3)
	{
		List *strings = NIL;
		ListCell *cell;

		foreach (cell, names)
			strings = lappend(strings, makeString((char *) lfirst(cell)));
		relation = RangeVarGetRelid(makeRangeVarFromNameList(strings), NoLock, true);
		if (!OidIsValid(relation))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"%s\" does not exist", text)));
		return psprintf("SELECT * FROM %s", quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
																	   get_rel_name(relation)));
	}
	return pstrdup(text);
}

/*
 * Prepares the entity query; it must be one statement that returns rows and writes nothing
 */
static SPIPlanPtr
prepare_entities(Historical *call)
{
	SPIPlanPtr plan = SPI_prepare_cursor(call->entity_sql, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	List *sources;
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (list_length(sources) != 1 || (source = linitial(sources), source->commandTag != CMDTAG_SELECT) ||
		source->resultDesc == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("entity rows come from a relation or from one SELECT"),
						errhint("Give the name of a relation, or a query.")));
	call->entity_desc = CreateTupleDescCopy(source->resultDesc);
	return plan;
}

static int
find_attribute(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	return -1;
}

static int
require_attribute(TupleDesc desc, const char *name, const char *what)
{
	int attribute = find_attribute(desc, name);

	if (attribute < 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the entity rows have no column \"%s\"", name),
						errdetail("%s", what)));
	return attribute;
}

/*
 * The columns of the result: those of the entity rows, a column a feature, and on demand for each view the event time and the
 * status
 */
static void
describe_result(Historical *call)
{
	StoreRequest *request = call->request;
	int nentity = call->entity_desc->natts;
	int n = nentity + request->nfeatures + (call->with_status ? 2 * request->nviews : 0);
	int next = nentity;
	Oid type;

	if (n > MaxTupleAttributeNumber)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("the result would have %d columns, the limit is %d", n, MaxTupleAttributeNumber)));
	call->event_attribute = require_attribute(call->entity_desc, call->event_column,
											  "It is to hold each row's time: see the argument event_time.");
	type = getBaseType(TupleDescAttr(call->entity_desc, call->event_attribute)->atttypid);
	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of the entity rows is of type %s, not a time", call->event_column,
							   format_type_be(type))));
	call->event_type = type;
	call->result_desc = CreateTemplateTupleDesc(n);
	for (int i = 0; i < nentity; i++)
		TupleDescCopyEntry(call->result_desc, i + 1, call->entity_desc, i + 1);
	for (int i = 0; i < request->nfeatures; i++)
	{
		StoreView *view = request->views[request->features[i].view];
		StoreColumn *column = &view->features[request->features[i].feature];
		char *name = call->full_names ? psprintf("%s__%s", view->name, column->name) : column->name;

		for (int j = 0; j < next; j++)
			if (strcmp(NameStr(TupleDescAttr(call->result_desc, j)->attname), name) == 0)
				ereport(
					ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("column \"%s\" would occur twice in the result", name),
					 errhint(
						 "Ask for full_feature_names => true, or rename the column in the query of the entity rows.")));
		TupleDescInitEntry(call->result_desc, ++next, name, column->type, column->typmod, 0);
		TupleDescInitEntryCollation(call->result_desc, next, column->collation);
	}
	for (int v = 0; call->with_status && v < request->nviews; v++)
	{
		TupleDescInitEntry(call->result_desc, ++next, psprintf("%s__event_timestamp", request->views[v]->name),
						   TIMESTAMPTZOID, -1, 0);
		TupleDescInitEntry(call->result_desc, ++next, psprintf("%s__status", request->views[v]->name), TEXTOID, -1, 0);
		TupleDescInitEntryCollation(call->result_desc, next, DEFAULT_COLLATION_OID);
	}
}

static KeySet *
make_keysets(Historical *call, int *nsets, int *set_of_view)
{
	StoreRequest *request = call->request;
	KeySet *sets = palloc0(sizeof(KeySet) * request->nviews);

	*nsets = 0;
	for (int v = 0; v < request->nviews; v++)
	{
		StoreView *view = request->views[v];
		KeySet set = {.nkeys = view->nkeys, .keys = palloc0(sizeof(StoreKey) * view->nkeys)};
		int s;

		for (int k = 0; k < view->nkeys; k++)
		{
			Form_pg_attribute att;

			set.attributes[k] = require_attribute(call->entity_desc, view->keys[k].name,
												  psprintf("It is a join key of feature view \"%s\".", view->name));
			att = TupleDescAttr(call->entity_desc, set.attributes[k]);
			store_key_init(&set.keys[k], view->keys[k].name, att->atttypid, view->keys[k].type,
						   view->keys[k].collation);
		}
		for (s = 0; s < *nsets; s++)
		{
			bool same = sets[s].nkeys == set.nkeys;

			for (int k = 0; same && k < set.nkeys; k++)
				same = sets[s].attributes[k] == set.attributes[k] && sets[s].keys[k].class == set.keys[k].class &&
					   sets[s].keys[k].right_type == set.keys[k].right_type &&
					   sets[s].keys[k].collation == set.keys[k].collation;
			if (same)
				break;
		}
		if (s == *nsets)
			sets[(*nsets)++] = set;
		set_of_view[v] = s;
	}
	return sets;
}

/*
 * Joins the entity rows from the tuplestore's read pointer "load" on, at most "limit" of them and as many as fit, and puts the
 * results out; returns how many were done, 0 when the values were larger than the memory.
 */
static uint64
join_batch(Historical *call, KeySet *sets, int nsets, const int *set_of_view, int load, int print, uint64 limit,
		   Tuplestorestate *result, MemoryContext context, bool *overflow)
{
	StoreRequest *request = call->request;
	MemoryContext old = MemoryContextSwitchTo(context);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(call->entity_desc, &TTSOpsMinimalTuple);
	AsofRows **rows = palloc0(sizeof(AsofRows *) * request->nviews);
	Datum *values = palloc(sizeof(Datum) * call->result_desc->natts);
	bool *nulls = palloc(sizeof(bool) * call->result_desc->natts);
	Size limit_bytes = get_hash_memory_limit();
	Size row_size = 0; /* of the widest view's answers */
	uint64 n = 0;
	Datum keys[STORE_MAX_KEYS];
	bool key_nulls[STORE_MAX_KEYS];

	*overflow = false;
	for (int s = 0; s < nsets; s++)
		sets[s].index = asof_index_create(context, sets[s].nkeys, sets[s].keys);
	for (int v = 0; v < request->nviews; v++)
		row_size = Max(row_size, asof_row_size(request->views[v]));

	tuplestore_select_read_pointer(call->entities, load);
	while (n < limit && tuplestore_gettupleslot(call->entities, true, false, slot))
	{
		slot_getallattrs(slot);
		for (int s = 0; s < nsets; s++)
		{
			bool time_is_null = slot->tts_isnull[call->event_attribute];

			for (int k = 0; k < sets[s].nkeys; k++)
			{
				keys[k] = slot->tts_values[sets[s].attributes[k]];
				key_nulls[k] = slot->tts_isnull[sets[s].attributes[k]];
			}
			asof_index_add(sets[s].index, keys, key_nulls,
						   time_is_null ? 0 : store_time(slot->tts_values[call->event_attribute], call->event_type),
						   time_is_null);
		}
		n++;
		if ((n & 0x3ff) == 0)
		{
			CHECK_FOR_INTERRUPTS();
			if (MemoryContextMemAllocated(context, true) > limit_bytes || n * row_size > limit_bytes)
				break;
		}
	}
	for (int s = 0; s < nsets; s++)
		asof_index_finish(sets[s].index);
	call->options.memory_limit = Max(limit_bytes, n * row_size);
	for (int v = 0; v < request->nviews && n > 0; v++)
	{
		rows[v] = asof_join(sets[set_of_view[v]].index, request->views[v], &call->options, context);
		if (rows[v] == NULL)
		{
			*overflow = true;
			MemoryContextSwitchTo(old);
			ExecDropSingleTupleTableSlot(slot);
			return n;
		}
	}

	tuplestore_select_read_pointer(call->entities, print);
	for (uint64 i = 0; i < n; i++)
	{
		int next = call->entity_desc->natts;

		CHECK_FOR_INTERRUPTS();
		if (!tuplestore_gettupleslot(call->entities, true, false, slot))
			elog(ERROR, "lost an entity row");
		slot_getallattrs(slot);
		for (int v = 0; v < request->nviews; v++)
			asof_prefetch(rows[v], i + 8);
		memcpy(values, slot->tts_values, sizeof(Datum) * next);
		memcpy(nulls, slot->tts_isnull, sizeof(bool) * next);
		for (int f = 0; f < request->nfeatures; f++, next++)
		{
			Datum *found;
			bool *found_null;
			TimestampTz event;
			int at = request->features[f].feature;

			nulls[next] = asof_get(rows[request->features[f].view], i, &found, &found_null, &event) != STORE_PRESENT ||
						  found_null[at];
			if (!nulls[next])
				values[next] = found[at];
		}
		for (int v = 0; call->with_status && v < request->nviews; v++, next += 2)
		{
			Datum *found;
			bool *found_null;
			TimestampTz event = 0;
			StoreStatus status = asof_get(rows[v], i, &found, &found_null, &event);

			nulls[next] = status == STORE_NOT_FOUND;
			values[next] = TimestampTzGetDatum(event);
			nulls[next + 1] = false;
			values[next + 1] = CStringGetTextDatum(status_names[status]);
		}
		tuplestore_putvalues(result, call->result_desc, values, nulls);
	}
	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
	return n;
}

static void
join_all(Historical *call, Tuplestorestate *result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "entity rows", ALLOCSET_DEFAULT_SIZES);
	int *set_of_view = palloc(sizeof(int) * Max(call->request->nviews, 1));
	int nsets;
	KeySet *sets = make_keysets(call, &nsets, set_of_view);
	int load = tuplestore_alloc_read_pointer(call->entities, EXEC_FLAG_REWIND);
	int print = tuplestore_alloc_read_pointer(call->entities, EXEC_FLAG_REWIND);
	uint64 limit = PG_UINT64_MAX;

	for (;;)
	{
		bool overflow;
		uint64 n = join_batch(call, sets, nsets, set_of_view, load, print, limit, result, context, &overflow);

		MemoryContextReset(context);
		if (overflow)
		{
			/* back to the start of the batch, with half as many rows */
			tuplestore_copy_read_pointer(call->entities, print, load);
			limit = Max(n / 2, 1);
			continue;
		}
		if (n == 0)
			break;
	}
}

/*
 * Reads the arguments (entity rows, features, event_time, full_feature_names, filter_by_created_timestamp, as_of, with_status)
 * and says what the result is. SPI must be connected.
 */
static SPIPlanPtr
start_call(FunctionCallInfo fcinfo, Historical *call)
{
	SPIPlanPtr plan;

	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i) && i != 5)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument %d of historical_features must not be NULL", i + 1)));
	call->entity_sql = entity_query(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	call->request = store_resolve(store_schema(fcinfo), PG_GETARG_DATUM(1));
	call->event_column = text_to_cstring(PG_GETARG_TEXT_PP(2));
	call->full_names = PG_GETARG_BOOL(3);
	call->options.known_at = PG_GETARG_BOOL(4);
	call->options.has_as_of = !PG_ARGISNULL(5);
	call->options.as_of = PG_ARGISNULL(5) ? 0 : PG_GETARG_TIMESTAMPTZ(5);
	call->with_status = call->options.tell_expired = PG_GETARG_BOOL(6);
	plan = prepare_entities(call);
	describe_result(call);
	return plan;
}

/*
 * historical_features_columns(...) returns text
 */
Datum
historical_features_columns(PG_FUNCTION_ARGS)
{
	Historical call = {0};
	char *text;
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	start_call(fcinfo, &call);
	text = MemoryContextStrdup(context, store_column_definitions(call.result_desc));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/*
 * historical_features(entity_rows text, features text[], event_time text, full_feature_names boolean,
 * filter_by_created_timestamp boolean, as_of timestamptz, with_status boolean) returns setof record
 */
Datum
historical_features(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Historical call = {0};
	MemoryContext context;
	SPIPlanPtr plan;
	DestReceiver *receiver;
	SPIExecuteOptions execute = {.read_only = true};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	SPI_connect();
	context = CurrentMemoryContext;
	plan = start_call(fcinfo, &call);

	store_check_column_list(rsinfo->setDesc, call.result_desc, "historical_features");
	call.entities = tuplestore_begin_heap(true, false, work_mem);
	receiver = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(receiver, call.entities, context, false, NULL, NULL);
	execute.dest = receiver;
	SPI_execute_plan_extended(plan, &execute);
	MemoryContextSwitchTo(context);
	join_all(&call, rsinfo->setResult);
	tuplestore_end(call.entities);
	SPI_finish();
	return (Datum) 0;
}
