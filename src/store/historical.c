/*
 * historical_features(): entity rows with their features, correct in time, as a set
 *
 * The entity rows go into a tuplestore, which spills. Their keys and times, and for each view the values found, may take as
 * much memory each as the hash table of a hash join (work_mem times hash_mem_multiplier). When they take more, the join is made
 * by partitions of the keys, in temporary files.
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
PG_FUNCTION_INFO_V1(historical_features_of_text);
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
	AsofPartitions *partitions; /* when the join does not fit into memory */
} KeySet;

/* A join that is being made: in memory, or by partitions */
typedef struct FeatureJoin
{
	KeySet *sets;
	int nsets;
	int *set_of_view;
	AsofRows **rows;	   /* by view */
	AsofAnswers **answers; /* the same by partitions */
} FeatureJoin;

Oid
store_entity_relation(const char *text)
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
	}
	return relation;
}

/*
 * The query for the entity rows: a relation's name, or one SELECT
 */
static char *
entity_query(const char *text)
{
	Oid relation = store_entity_relation(text);

	if (!OidIsValid(relation))
		return pstrdup(text);
	return psprintf("SELECT * FROM %s", quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
																   get_rel_name(relation)));
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

static void
make_keysets(Historical *call, FeatureJoin *join)
{
	StoreRequest *request = call->request;
	KeySet *sets = join->sets = palloc0(sizeof(KeySet) * Max(request->nviews, 1));
	int *nsets = &join->nsets;

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
		join->set_of_view[v] = s;
	}
}

/*
 * An entity row's keys of a set
 */
static void
entity_keys(const KeySet *set, TupleTableSlot *slot, Datum *keys, bool *nulls)
{
	for (int k = 0; k < set->nkeys; k++)
	{
		keys[k] = slot->tts_values[set->attributes[k]];
		nulls[k] = slot->tts_isnull[set->attributes[k]];
	}
}

/*
 * The next entity row and its time
 */
static bool
next_entity(const Historical *call, TupleTableSlot *slot, TimestampTz *time, bool *time_is_null)
{
	CHECK_FOR_INTERRUPTS();
	if (!tuplestore_gettupleslot(call->entities, true, false, slot))
		return false;
	slot_getallattrs(slot);
	*time_is_null = slot->tts_isnull[call->event_attribute];
	*time = *time_is_null ? 0 : store_time(slot->tts_values[call->event_attribute], call->event_type);
	return true;
}

/*
 * Joins all entity rows in memory. When they do not fit: false, and how many times the memory all of them would take.
 */
static bool
join_in_memory(Historical *call, FeatureJoin *join, TupleTableSlot *slot, MemoryContext context, double *too_large)
{
	StoreRequest *request = call->request;
	Size limit = call->options.memory_limit;
	Size row_size = 0; /* of the widest view's answers */
	int64 total = tuplestore_tuple_count(call->entities);
	int64 n = 0;
	MemoryContext row_context = AllocSetContextCreate(context, "entity row", ALLOCSET_SMALL_SIZES);
	TimestampTz time;
	bool time_is_null;
	Datum keys[STORE_MAX_KEYS];
	bool nulls[STORE_MAX_KEYS];

	for (int s = 0; s < join->nsets; s++)
		join->sets[s].index = asof_index_create(context, join->sets[s].nkeys, join->sets[s].keys);
	for (int v = 0; v < request->nviews; v++)
		row_size = Max(row_size, asof_row_width(request->views[v]));
	tuplestore_rescan(call->entities);
	while (next_entity(call, slot, &time, &time_is_null))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		for (int s = 0; s < join->nsets; s++)
		{
			entity_keys(&join->sets[s], slot, keys, nulls);
			asof_index_add(join->sets[s].index, keys, nulls, time, time_is_null);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		if (++n % ASOF_CHECK_ROWS == 0)
		{
			Size size = n * row_size;

			for (int s = 0; s < join->nsets; s++)
				size = Max(size, asof_index_size(join->sets[s].index));
			*too_large = (double) size / limit * total / n;
			if (size > limit)
				return false;
		}
	}
	for (int s = 0; s < join->nsets; s++)
		asof_index_finish(join->sets[s].index);
	for (int v = 0; v < request->nviews; v++)
	{
		join->rows[v] = asof_join(join->sets[join->set_of_view[v]].index, request->views[v], &call->options, context);
		if (join->rows[v] == NULL)
		{
			/* the values are wider than was thought */
			*too_large = 4;
			return false;
		}
	}
	return true;
}

/*
 * The same by partitions, each of which is about small enough
 */
static void
join_by_partitions(Historical *call, FeatureJoin *join, TupleTableSlot *slot, MemoryContext context, double too_large)
{
	StoreRequest *request = call->request;
	Size limit = call->options.memory_limit;
	/* the buffers of all files that are open at once take a quarter of the memory */
	int most = Max(limit / 4 / BLCKSZ / (join->nsets + 1 + request->nviews), 4);
	MemoryContext row_context = AllocSetContextCreate(context, "entity row", ALLOCSET_SMALL_SIZES);
	TimestampTz time;
	bool time_is_null;
	Datum keys[STORE_MAX_KEYS];
	bool nulls[STORE_MAX_KEYS];

	for (int s = 0; s < join->nsets; s++)
		/* the keys do not spread evenly */
		join->sets[s].partitions =
			asof_partitions_create(context, too_large * 1.2, most, tuplestore_tuple_count(call->entities), limit,
								   join->sets[s].nkeys, join->sets[s].keys);
	tuplestore_rescan(call->entities);
	while (next_entity(call, slot, &time, &time_is_null))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		for (int s = 0; s < join->nsets; s++)
		{
			entity_keys(&join->sets[s], slot, keys, nulls);
			asof_partitions_add(join->sets[s].partitions, keys, nulls, time, time_is_null);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	for (int v = 0; v < request->nviews; v++)
		join->answers[v] =
			asof_partitions_join(join->sets[join->set_of_view[v]].partitions, request->views[v], &call->options);
}

/*
 * Each view's answer for an entity row
 */
static void
find_answers(const Historical *call, const FeatureJoin *join, TupleTableSlot *slot, uint64 row, int *partitions,
			 AsofAnswer *answers)
{
	int nviews = call->request->nviews;

	if (join->rows)
	{
		for (int v = 0; v < nviews; v++)
			asof_prefetch(join->rows[v], row + 8);
		for (int v = 0; v < nviews; v++)
			asof_get(join->rows[v], row, &answers[v]);
		return;
	}
	for (int s = 0; s < join->nsets; s++)
	{
		Datum keys[STORE_MAX_KEYS];
		bool nulls[STORE_MAX_KEYS];

		entity_keys(&join->sets[s], slot, keys, nulls);
		partitions[s] =
			asof_partition_of(join->sets[s].partitions, keys, nulls, slot->tts_isnull[call->event_attribute]);
	}
	for (int v = 0; v < nviews; v++)
		asof_answers_next(join->answers[v], partitions[join->set_of_view[v]], &answers[v]);
}

/*
 * Puts out the entity rows with their features
 */
static void
put_rows(Historical *call, FeatureJoin *join, TupleTableSlot *slot, Tuplestorestate *result)
{
	StoreRequest *request = call->request;
	Datum *values = palloc(sizeof(Datum) * call->result_desc->natts);
	bool *nulls = palloc(sizeof(bool) * call->result_desc->natts);
	AsofAnswer *answers = palloc0(sizeof(AsofAnswer) * Max(request->nviews, 1));
	int *partitions = palloc(sizeof(int) * Max(join->nsets, 1));
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "result row", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_context);
	TimestampTz time;
	bool time_is_null;

	tuplestore_rescan(call->entities);
	for (uint64 row = 0; next_entity(call, slot, &time, &time_is_null); row++)
	{
		int next = call->entity_desc->natts;

		find_answers(call, join, slot, row, partitions, answers);
		memcpy(values, slot->tts_values, sizeof(Datum) * next);
		memcpy(nulls, slot->tts_isnull, sizeof(bool) * next);
		for (int f = 0; f < request->nfeatures; f++, next++)
		{
			const AsofAnswer *answer = &answers[request->features[f].view];
			int at = request->features[f].feature;

			nulls[next] = answer->status != STORE_PRESENT || answer->nulls[at];
			if (!nulls[next])
				values[next] = answer->values[at];
		}
		for (int v = 0; call->with_status && v < request->nviews; v++, next += 2)
		{
			nulls[next] = answers[v].status == STORE_NOT_FOUND;
			values[next] = TimestampTzGetDatum(answers[v].event_time);
			nulls[next + 1] = false;
			values[next + 1] = CStringGetTextDatum(status_names[answers[v].status]);
		}
		tuplestore_putvalues(result, call->result_desc, values, nulls);
		ExecClearTuple(slot);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
}

static void
join_all(Historical *call, Tuplestorestate *result)
{
	int nviews = call->request->nviews;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "historical features", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = CurrentMemoryContext;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(call->entity_desc, &TTSOpsMinimalTuple);
	FeatureJoin join = {.set_of_view = palloc(sizeof(int) * Max(nviews, 1)),
						.rows = palloc0(sizeof(AsofRows *) * Max(nviews, 1))};
	double too_large = 0;

	make_keysets(call, &join);
	call->options.memory_limit = get_hash_memory_limit();
	MemoryContextSwitchTo(context);
	if (!join_in_memory(call, &join, slot, context, &too_large))
	{
		ExecClearTuple(slot);
		MemoryContextReset(context);
		join.rows = NULL;
		join.answers = palloc0(sizeof(AsofAnswers *) * Max(nviews, 1));
		join_by_partitions(call, &join, slot, context, too_large);
	}
	put_rows(call, &join, slot, result);
	for (int v = 0; join.answers && v < nviews; v++)
		asof_answers_close(join.answers[v]);
	for (int s = 0; join.answers && s < join.nsets; s++)
		asof_partitions_close(join.sets[s].partitions);
	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(context);
}

/*
 * Reads the arguments (entity rows, features, event_time, full_feature_names, filter_by_created_timestamp, as_of, with_status)
 * and says what the result is. SPI must be connected.
 */
static SPIPlanPtr
start_call(FunctionCallInfo fcinfo, Datum references, Historical *call)
{
	SPIPlanPtr plan;

	for (int i = 0; i <= 6; i++)
		if (PG_ARGISNULL(i) && i != 1 && i != 5)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument %d of historical_features must not be NULL", i + 1)));
	call->entity_sql = entity_query(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	call->request = store_resolve(store_schema(fcinfo), references);
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

	Datum references = store_references_or_service_of(fcinfo, 1, 7);

	SPI_connect();
	start_call(fcinfo, references, &call);
	text = MemoryContextStrdup(context, store_column_definitions(call.result_desc));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

static void
put_historical_features(FunctionCallInfo fcinfo, Datum references)
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
	plan = start_call(fcinfo, references, &call);

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
}

/*
 * historical_features(entity_rows text, features text[], event_time text, full_feature_names boolean,
 * filter_by_created_timestamp boolean, as_of timestamptz, with_status boolean, service text) returns setof record
 */
Datum
historical_features(PG_FUNCTION_ARGS)
{
	put_historical_features(fcinfo, store_references_or_service_of(fcinfo, 1, 7));
	return (Datum) 0;
}

/*
 * historical_features(entity_rows text, features text, ...) returns setof record
 */
Datum
historical_features_of_text(PG_FUNCTION_ARGS)
{
	put_historical_features(fcinfo, store_references_of_argument(fcinfo, 1));
	return (Datum) 0;
}
