/*
 * Walks over the tables of MLMD, in SQL
 *
 * Events come straight from the table when the caller may read all of it (event_scan.c), else and for past times by
 * SPI, so that row security and the rights on columns hold. Their rows go from the executor straight into the walk.
 */
#include "lineage/traverse_call.h"

#include "fm_epoch.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lineage/graph_call.h"
#include "lineage/ids.h"
#include "lineage/kept_plan.h"
#include "lineage/lineage_query.h"
#include "lineage/live_traversal.h"
#include "tcop/dest.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

/* Ids in one query */
#define BATCH_SIZE 8192

#define EVENT_COLUMNS "e.artifact_id, e.execution_id, e.type"
#define EVENT_DETAILS ", e.id, e.milliseconds_since_epoch"

typedef struct EventReceiver
{
	DestReceiver pub;
	FmTraversal *traversal;
	bool details;
} EventReceiver;

static bool
ReceiveEvent(TupleTableSlot *slot, DestReceiver *self)
{
	EventReceiver *receiver = (EventReceiver *) self;
	FmEvent event;

	slot_getsomeattrs(slot, receiver->details ? 5 : 3);
	event.artifact_id = DatumGetInt64(slot->tts_values[0]);
	event.execution_id = DatumGetInt64(slot->tts_values[1]);
	event.type = DatumGetInt32(slot->tts_values[2]);
	event.id = 0;
	event.milliseconds = 0;
	event.has_time = false;
	if (receiver->details)
	{
		event.id = DatumGetInt64(slot->tts_values[3]);
		event.has_time = !slot->tts_isnull[4];
		if (event.has_time)
			event.milliseconds = DatumGetInt64(slot->tts_values[4]);
	}
	fm_traversal_event(receiver->traversal, &event);
	return receiver->traversal->error->sqlstate == 0;
}

static void
ReceiverStart(DestReceiver *self, int operation, TupleDesc descriptor)
{
}

static void
ReceiverNothing(DestReceiver *self)
{
}

/*
 * The types of a mask, as an array
 */
static Datum
TypesArray(uint32 mask)
{
	Datum types[32];
	int n = 0;

	for (int type = 0; type < 31; type++)
		if (mask & (1U << type))
			types[n++] = Int32GetDatum(type);
	return PointerGetDatum(construct_array(types, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/*
 * The query for events of nodes of a kind
 */
static char *
EventQuery(const FmStoreSource *source, FmNodeKind kind, bool all_types)
{
	return psprintf("SELECT " EVENT_COLUMNS "%s FROM %s e WHERE e.%s_id OPERATOR(pg_catalog.=) ANY ($2)%s",
					source->details ? EVENT_DETAILS : "", source->has_as_of ? fm_relation_as_of("event") : "mlmd.event",
					fm_node_kind_name(kind), all_types ? "" : " AND e.type OPERATOR(pg_catalog.=) ANY ($3)");
}

static void
ExpandByQuery(FmEventSource *base, FmTraversal *traversal, FmNodeKind kind, const int64 *ids, uint32 n, uint32 types)
{
	FmStoreSource *source = (FmStoreSource *) base;
	bool all_types = types == FM_ALL_EVENTS;
	char *sql;
	EventReceiver receiver = {
		{ReceiveEvent, ReceiverStart, ReceiverNothing, ReceiverNothing, DestNone}, traversal, source->details};
	int64 *sorted;
	MemoryContext old_context;

	if (source->scan != NULL)
	{
		fm_event_scan_expand(source->scan, traversal, kind, ids, n, types);
		return;
	}
	if (source->batch_context == NULL)
		source->batch_context = AllocSetContextCreate(traversal->context, "events of a level", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(source->batch_context);
	sql = EventQuery(source, kind, all_types);
	/* neighbours in the index are read one after the other */
	if (n > 1)
	{
		sorted = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(int64));
		memcpy(sorted, ids, n * sizeof(int64));
		fm_sort_ids(sorted, n);
		ids = sorted;
	}
	for (uint32 start = 0; start < n && traversal->error->sqlstate == 0; start += BATCH_SIZE)
	{
		Datum values[3] = {TimestampTzGetDatum(source->as_of),
						   PointerGetDatum(fm_int64_array(ids + start, Min(BATCH_SIZE, n - start))),
						   all_types ? (Datum) 0 : TypesArray(types)};
		Oid type_oids[3] = {TIMESTAMPTZOID, INT8ARRAYOID, INT4ARRAYOID};

		fm_execute_kept(sql, all_types ? 2 : 3, type_oids, values, true, (DestReceiver *) &receiver);
		MemoryContextSwitchTo(source->batch_context);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(source->batch_context);
}

/*
 * Marks the ids that a query for nodes gives; the ids are given in any order, the result is sorted
 */
static void
MarkNodes(FmNodeKind kind, const FmNodeQuery *query, const int64 *ids, uint32 n, bool *marks, bool mark_found)
{
	int n_found;
	int64 *found = fm_node_ids(kind, query, &n_found);

	for (uint32 i = 0; i < n; i++)
		if ((fm_find_id(found, n_found, ids[i]) >= 0) == mark_found)
			marks[i] = true;
	pfree(found);
}

static void
ClassifyByQuery(FmEventSource *base, FmNodeKind kind, const int64 *ids, uint32 n, bool *ending, bool *hidden)
{
	FmStoreSource *source = (FmStoreSource *) base;
	const text *filter = kind == FM_ARTIFACT ? source->ending_artifacts : source->ending_executions;
	FmNodeQuery query = {0};

	for (uint32 start = 0; start < n; start += BATCH_SIZE)
	{
		query.candidates = ids + start;
		query.n_candidates = Min(BATCH_SIZE, n - start);
		query.has_as_of = source->has_as_of;
		query.as_of = source->as_of;
		if (filter != NULL)
		{
			query.filter = filter;
			MarkNodes(kind, &query, ids + start, query.n_candidates, ending + start, true);
		}
		if (source->check_visible[kind == FM_ARTIFACT])
		{
			query.filter = NULL;
			MarkNodes(kind, &query, ids + start, query.n_candidates, hidden + start, false);
		}
	}
}

static Oid
MlmdRelation(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("mlmd", false));
}

void
fm_store_source_init(FmStoreSource *source)
{
	source->base.expand = ExpandByQuery;
	/* with an edge one sees the ids of its ends, but a node that row security hides is no node */
	for (int i = 0; i < 2; i++)
	{
		Oid relation = MlmdRelation(i ? "artifact" : "execution");

		/* before the lock a policy may still be on its way */
		LockRelationOid(relation, AccessShareLock);
		source->check_visible[i] = source->has_as_of || check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED;
	}
	if (source->check_visible[0] || source->check_visible[1] || source->ending_artifacts || source->ending_executions)
		source->base.classify = ClassifyByQuery;
	else
		source->base.classify = NULL;
}

/*
 * The nodes in order and the table to find them by may each take what a hash table may
 */
Size
fm_traversal_memory_limit(void)
{
	Size limit = get_hash_memory_limit();

	return limit > SIZE_MAX / 2 ? limit : limit * 2;
}

FmDirection
fm_parse_direction(const text *direction)
{
	char *string = text_to_cstring(direction);

	if (pg_strcasecmp(string, "upstream") == 0)
		return FM_UPSTREAM;
	if (pg_strcasecmp(string, "downstream") == 0)
		return FM_DOWNSTREAM;
	if (pg_strcasecmp(string, "bidirectional") == 0)
		return FM_BIDIRECTIONAL;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid direction \"%s\"", string),
					errhint("Write upstream, downstream or bidirectional.")));
}

static const char *const event_type_names[] = {"UNKNOWN", "DECLARED_OUTPUT", "DECLARED_INPUT",	"INPUT",
											   "OUTPUT",  "INTERNAL_INPUT",	 "INTERNAL_OUTPUT", "PENDING_OUTPUT"};

/*
 * Names of event types as bits
 */
uint32
fm_parse_event_types(ArrayType *array)
{
	Datum *names;
	bool *nulls;
	int n;
	uint32 mask = 0;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char *name = nulls[i] ? NULL : TextDatumGetCString(names[i]);
		bool known = false;

		for (size_t type = 0; name != NULL && type < lengthof(event_type_names); type++)
		{
			if (strcmp(name, event_type_names[type]) == 0)
			{
				mask |= 1U << type;
				known = true;
			}
		}
		if (!known)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("invalid event type \"%s\"", name ? name : "NULL"),
							errhint("Write UNKNOWN, DECLARED_OUTPUT, DECLARED_INPUT, INPUT, OUTPUT, INTERNAL_INPUT, "
									"INTERNAL_OUTPUT or PENDING_OUTPUT.")));
	}
	return mask;
}

/*
 * The ids of an array; NULL elements are no nodes
 */
static int64 *
IdsOfArray(ArrayType *array, int *n)
{
	Datum *values;
	bool *nulls;
	int64 *ids;
	int n_values;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n_values);
	ids = palloc(Max(n_values, 1) * sizeof(int64));
	*n = 0;
	for (int i = 0; i < n_values; i++)
		if (!nulls[i])
			ids[(*n)++] = DatumGetInt64(values[i]);
	return ids;
}

/*
 * Starts from those of the given nodes that exist and that the caller may see
 */
static void
StartFromIds(FmTraversal *traversal, const FmStoreSource *source, FmNodeKind kind, ArrayType *array)
{
	FmNodeQuery query = {0};
	int64 *ids;
	int n;

	query.candidates = IdsOfArray(array, &query.n_candidates);
	query.has_as_of = source->has_as_of;
	query.as_of = source->as_of;
	ids = fm_node_ids(kind, &query, &n);
	for (int i = 0; i < n; i++)
		fm_traversal_start(traversal, kind, ids[i]);
}

void
fm_throw_core_error(const FmError *error)
{
	if (error->sqlstate != 0)
		fm_throw(error, NULL);
}

/*
 * The walk that the arguments of traverse_lineage() ask for
 */
static FmLiveTraversal *
WalkStore(FunctionCallInfo fcinfo, MemoryContext query_context)
{
	FmStoreSource source = {0};
	FmTraversalOptions options = {0};
	FmTraversal traversal;
	FmError error = {0};
	MemoryContext context;
	MemoryContext old_context;
	FmLiveTraversal *live;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("direction cannot be NULL")));
	options.direction = fm_parse_direction(PG_GETARG_TEXT_PP(0));
	options.max_hops = PG_ARGISNULL(3) ? -1 : PG_GETARG_INT64(3);
	if (!PG_ARGISNULL(3) && options.max_hops < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("number of hops cannot be negative"),
						errdetail("max_hops is %lld.", (long long) options.max_hops)));
	if (!PG_ARGISNULL(4))
		source.ending_artifacts = PG_GETARG_TEXT_PP(4);
	if (!PG_ARGISNULL(5))
		source.ending_executions = PG_GETARG_TEXT_PP(5);
	options.event_types = PG_ARGISNULL(6) ? FM_ALL_EVENTS : fm_parse_event_types(PG_GETARG_ARRAYTYPE_P(6));
	if (!PG_ARGISNULL(7))
	{
		options.has_before = true;
		options.before = fm_timestamp_to_milliseconds(PG_GETARG_TIMESTAMPTZ(7));
		source.details = true;
	}
	if (!PG_ARGISNULL(8))
	{
		source.has_as_of = true;
		source.as_of = PG_GETARG_TIMESTAMPTZ(8);
	}
	if (!PG_ARGISNULL(9) && !PG_ARGISNULL(10))
	{
		options.has_target = true;
		options.target_kind = fm_parse_traversal_kind(PG_GETARG_TEXT_PP(9));
		options.target_id = PG_GETARG_INT64(10);
	}
	options.include_ending_artifacts = options.include_ending_executions = true;
	options.memory_limit = fm_traversal_memory_limit();
	fm_check_filter(FM_ARTIFACT, source.ending_artifacts);
	fm_check_filter(FM_EXECUTION, source.ending_executions);
	fm_store_source_init(&source);

	context = AllocSetContextCreate(CurrentMemoryContext, "lineage traversal", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	fm_traversal_begin(&traversal, &options, &source.base, &error);
	if (!PG_ARGISNULL(1))
		StartFromIds(&traversal, &source, FM_ARTIFACT, PG_GETARG_ARRAYTYPE_P(1));
	if (!PG_ARGISNULL(2))
		StartFromIds(&traversal, &source, FM_EXECUTION, PG_GETARG_ARRAYTYPE_P(2));
	fm_store_source_run(&source, &traversal);
	fm_throw_core_error(&error);
	live = fm_keep_traversal(&traversal, query_context);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return live;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traverse_lineage);

/*
 * traverse_lineage(direction text, artifacts bigint[], executions bigint[], max_hops bigint, boundary_artifacts text,
 * boundary_executions text, event_types text[], before timestamptz, as_of timestamptz, target_kind text, target bigint)
 * -> SETOF bigint, for traversed_id() and its like
 */
Datum
traverse_lineage(PG_FUNCTION_ARGS)
{
	FmLiveTraversal *live = NULL;

	if (SRF_IS_FIRSTCALL())
		live = WalkStore(fcinfo, fm_walk_context(fcinfo));
	return fm_next_traversed(fcinfo, live);
}

FmNodeKind
fm_parse_traversal_kind(const text *kind)
{
	char *string = text_to_cstring(kind);

	if (strcmp(string, "artifact") == 0)
		return FM_ARTIFACT;
	if (strcmp(string, "execution") == 0)
		return FM_EXECUTION;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid kind of node \"%s\"", string),
					errhint("Write artifact or execution.")));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_start_ids);

/*
 * start_ids(wanted text, kind text, id bigint) -> bigint[]: {id} if kind is the wanted one, else NULL. Error 22023 for a
 * kind that is none. IMMUTABLE, STRICT.
 */
Datum
lineage_start_ids(PG_FUNCTION_ARGS)
{
	Datum id = PG_GETARG_DATUM(2);

	if (fm_parse_traversal_kind(PG_GETARG_TEXT_PP(0)) != fm_parse_traversal_kind(PG_GETARG_TEXT_PP(1)))
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(construct_array(&id, 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * MLMD's times are milliseconds since 1970
 */
int64
fm_timestamp_to_milliseconds(TimestampTz timestamp)
{
	if (TIMESTAMP_IS_NOBEGIN(timestamp))
		return PG_INT64_MIN;
	if (TIMESTAMP_IS_NOEND(timestamp))
		return PG_INT64_MAX;
	return timestamp / 1000 + FM_EPOCH_MICROSECONDS / 1000;
}

void
fm_store_source_run(FmStoreSource *source, FmTraversal *traversal)
{
	MemoryContext context = CurrentMemoryContext;

	SPI_connect();
	/* what the walk keeps outlives SPI */
	MemoryContextSwitchTo(context);
	source->scan = source->has_as_of ? NULL : fm_event_scan_open(source->details);
	fm_traversal_run(traversal);
	if (source->scan)
		fm_event_scan_close(source->scan);
	source->scan = NULL;
	SPI_finish();
	MemoryContextSwitchTo(context);
}

/*
 * The events of a walk from the given nodes, as a graph; nodes without any are in it too
 */
FmGraph *
fm_graph_of_walk(FmDirection direction, ArrayType *artifacts, ArrayType *executions, int64 max_hops)
{
	FmStoreSource source = {0};
	FmTraversalOptions options = {0};
	FmTraversal traversal;
	FmError error = {0};
	FmGraph *graph = fm_graph_new();

	options.direction = direction;
	options.max_hops = max_hops;
	options.event_types = FM_ALL_EVENTS;
	options.collect_events = true;
	options.memory_limit = fm_traversal_memory_limit();
	fm_store_source_init(&source);
	fm_traversal_begin(&traversal, &options, &source.base, &error);
	if (artifacts != NULL)
		StartFromIds(&traversal, &source, FM_ARTIFACT, artifacts);
	if (executions != NULL)
		StartFromIds(&traversal, &source, FM_EXECUTION, executions);
	fm_store_source_run(&source, &traversal);
	fm_throw_core_error(&error);
	for (uint32 i = 0; i < traversal.n_nodes; i++)
		if (!traversal.nodes[i].excluded)
			fm_graph_add_node(graph, traversal.nodes[i].kind, traversal.nodes[i].id, 0, 0);
	for (uint64 i = 0; i < traversal.n_events; i++)
		fm_graph_add_event(graph, traversal.events[i].artifact_id, traversal.events[i].execution_id,
						   traversal.events[i].type, false, 0);
	fm_graph_finish(graph);
	return graph;
}
