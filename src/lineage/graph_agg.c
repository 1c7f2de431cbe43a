/*
 * lineage_graph_agg(): a lineage graph from any table of edges
 *
 * MLMD's graphs are of artifacts and executions by turns, so an edge a -> b becomes a -> execution -> b. All edges into
 * one node (with one label) are the inputs of one execution: that keeps who depends on whom, and each edge two hops long.
 * Ids are given by the order of names, so that the result does not depend on the order of rows or workers.
 */
#include "lineage/graph_call.h"

#include "fm_aggregate.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "message/message_type.h"
#include "metadata_store.pb-c.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "lineage/traverse_call.h"

#define AGG_VERSION 1
#define NO_NAME PG_UINT32_MAX

typedef struct AggEdge
{
	int64 source; /* id, or number of a name */
	int64 target;
	int64 time;
	uint32 label; /* number of a name, or NO_NAME */
	bool has_source;
	bool has_target;
	bool has_time;
} AggEdge;

typedef struct AggNameKey
{
	const char *data;
	uint32 length;
} AggNameKey;

typedef struct AggNameEntry
{
	AggNameKey key;
	uint32 number;
	uint32 hash;
	char status;
} AggNameEntry;

#define SH_PREFIX aggtable
#define SH_ELEMENT_TYPE AggNameEntry
#define SH_KEY_TYPE AggNameKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_bytes((const unsigned char *) (k).data, (k).length)
#define SH_EQUAL(tb, a, b) ((a).length == (b).length && memcmp((a).data, (b).data, (a).length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) ((a)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "common/hashfn.h"
#include "lib/simplehash.h"

typedef struct AggState
{
	MemoryContext context;
	bool by_name;
	aggtable_hash *table;
	AggNameKey *names;
	uint32 n_names;
	uint32 max_names;
	AggEdge *edges;
	uint32 n_edges;
	uint32 max_edges;
} AggState;

static AggState *
NewState(MemoryContext context, bool by_name)
{
	MemoryContext own = AllocSetContextCreate(context, "lineage_graph_agg", ALLOCSET_DEFAULT_SIZES);
	AggState *state = MemoryContextAllocZero(own, sizeof(AggState));

	state->context = own;
	state->by_name = by_name;
	state->table = aggtable_create(own, 64, NULL);
	return state;
}

/*
 * Number of a name; its bytes are copied when it is new
 */
static uint32
InternName(AggState *state, const char *data, uint32 length)
{
	AggNameKey key = {data, length};
	bool found;
	AggNameEntry *entry = aggtable_insert(state->table, key, &found);

	if (!found)
	{
		char *copy = MemoryContextAlloc(state->context, length + 1);

		memcpy(copy, data, length);
		copy[length] = '\0';
		if (state->n_names == state->max_names)
		{
			state->max_names = Max(64, state->max_names * 2);
			state->names = state->names == NULL
							   ? MemoryContextAllocHuge(state->context, state->max_names * sizeof(AggNameKey))
							   : repalloc_huge(state->names, state->max_names * sizeof(AggNameKey));
		}
		entry->key.data = copy;
		entry->number = state->n_names;
		state->names[state->n_names++] = entry->key;
	}
	return entry->number;
}

static void
AddEdge(AggState *state, AggEdge edge)
{
	if (state->n_edges == state->max_edges)
	{
		state->max_edges = Max(64, state->max_edges * 2);
		state->edges = state->edges == NULL
						   ? MemoryContextAllocHuge(state->context, (Size) state->max_edges * sizeof(AggEdge))
						   : repalloc_huge(state->edges, (Size) state->max_edges * sizeof(AggEdge));
	}
	state->edges[state->n_edges++] = edge;
}

static uint32
InternText(AggState *state, text *value)
{
	return InternName(state, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static Datum
Accumulate(FunctionCallInfo fcinfo, bool by_name)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	AggState *state;
	AggEdge edge;

	state = PG_ARGISNULL(0) ? NewState(context, by_name) : (AggState *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1) && PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	memset(&edge, 0, sizeof(edge));
	edge.has_source = !PG_ARGISNULL(1);
	edge.has_target = !PG_ARGISNULL(2);
	if (edge.has_source)
		edge.source = by_name ? InternText(state, PG_GETARG_TEXT_PP(1)) : PG_GETARG_INT64(1);
	if (edge.has_target)
		edge.target = by_name ? InternText(state, PG_GETARG_TEXT_PP(2)) : PG_GETARG_INT64(2);
	edge.label = PG_NARGS() > 3 && !PG_ARGISNULL(3) ? InternText(state, PG_GETARG_TEXT_PP(3)) : NO_NAME;
	if (PG_NARGS() > 4 && !PG_ARGISNULL(4))
	{
		edge.has_time = true;
		edge.time = fm_timestamp_to_milliseconds(PG_GETARG_TIMESTAMPTZ(4));
	}
	AddEdge(state, edge);
	PG_RETURN_POINTER(state);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_agg_text);

/*
 * lineage_graph_agg_text(internal, source text, target text [, label text [, time timestamptz]])
 */
Datum
lineage_graph_agg_text(PG_FUNCTION_ARGS)
{
	return Accumulate(fcinfo, true);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_agg_int8);

/*
 * lineage_graph_agg_int8(internal, source bigint, target bigint [, label text [, time timestamptz]])
 */
Datum
lineage_graph_agg_int8(PG_FUNCTION_ARGS)
{
	return Accumulate(fcinfo, false);
}

/*
 * Adds another state's edges, whose names get numbers of ours
 */
static void
MergeState(AggState *state, const AggState *other)
{
	uint32 *numbers = palloc(Max(other->n_names, 1) * sizeof(uint32));

	for (uint32 i = 0; i < other->n_names; i++)
		numbers[i] = InternName(state, other->names[i].data, other->names[i].length);
	for (uint32 i = 0; i < other->n_edges; i++)
	{
		AggEdge edge = other->edges[i];

		if (state->by_name)
		{
			edge.source = edge.has_source ? numbers[edge.source] : 0;
			edge.target = edge.has_target ? numbers[edge.target] : 0;
		}
		if (edge.label != NO_NAME)
			edge.label = numbers[edge.label];
		AddEdge(state, edge);
	}
	pfree(numbers);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_agg_combine);

Datum
lineage_graph_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = fm_aggregate_context(fcinfo);
	AggState *state = PG_ARGISNULL(0) ? NULL : (AggState *) PG_GETARG_POINTER(0);
	AggState *other = PG_ARGISNULL(1) ? NULL : (AggState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = NewState(context, other->by_name);
	MergeState(state, other);
	PG_RETURN_POINTER(state);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_agg_serial);

Datum
lineage_graph_agg_serial(PG_FUNCTION_ARGS)
{
	const AggState *state = (const AggState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, AGG_VERSION);
	pq_sendbyte(&buf, state->by_name);
	pq_sendint32(&buf, state->n_names);
	for (uint32 i = 0; i < state->n_names; i++)
	{
		pq_sendint32(&buf, state->names[i].length);
		pq_sendbytes(&buf, state->names[i].data, state->names[i].length);
	}
	pq_sendint32(&buf, state->n_edges);
	for (uint32 i = 0; i < state->n_edges; i++)
	{
		const AggEdge *edge = &state->edges[i];

		pq_sendbyte(&buf, edge->has_source | edge->has_target << 1 | edge->has_time << 2);
		pq_sendint64(&buf, edge->source);
		pq_sendint64(&buf, edge->target);
		pq_sendint64(&buf, edge->time);
		pq_sendint32(&buf, edge->label);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_agg_deserial);

Datum
lineage_graph_agg_deserial(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf;
	AggState *state;
	uint32 n;

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgbyte(&buf) != AGG_VERSION)
		elog(ERROR, "unexpected version of a lineage_graph_agg state");
	state = NewState(CurrentMemoryContext, pq_getmsgbyte(&buf) != 0);
	n = pq_getmsgint(&buf, 4);
	for (uint32 i = 0; i < n; i++)
	{
		uint32 length = pq_getmsgint(&buf, 4);

		InternName(state, pq_getmsgbytes(&buf, length), length);
	}
	n = pq_getmsgint(&buf, 4);
	for (uint32 i = 0; i < n; i++)
	{
		AggEdge edge;
		int flags = pq_getmsgbyte(&buf);

		memset(&edge, 0, sizeof(edge));
		edge.has_source = flags & 1;
		edge.has_target = (flags >> 1) & 1;
		edge.has_time = (flags >> 2) & 1;
		edge.source = pq_getmsgint64(&buf);
		edge.target = pq_getmsgint64(&buf);
		edge.time = pq_getmsgint64(&buf);
		edge.label = pq_getmsgint(&buf, 4);
		if ((edge.label != NO_NAME && edge.label >= state->n_names) ||
			(state->by_name && ((edge.has_source && (uint64) edge.source >= state->n_names) ||
								(edge.has_target && (uint64) edge.target >= state->n_names))))
			elog(ERROR, "invalid lineage_graph_agg state");
		AddEdge(state, edge);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* ---- result ---- */

static int
CompareNames(const void *a, const void *b, void *arg)
{
	const AggNameKey *names = arg;
	const AggNameKey *left = &names[*(const uint32 *) a];
	const AggNameKey *right = &names[*(const uint32 *) b];
	int order = memcmp(left->data, right->data, Min(left->length, right->length));

	if (order != 0)
		return order;
	return left->length < right->length ? -1 : left->length > right->length;
}

static int
CompareEdges(const void *a, const void *b)
{
	const AggEdge *left = a;
	const AggEdge *right = b;

	if (left->target != right->target)
		return left->target < right->target ? -1 : 1;
	if (left->label != right->label)
		/* without a label first */
		return left->label + 1 < right->label + 1 ? -1 : 1;
	if (left->source != right->source)
		return left->source < right->source ? -1 : 1;
	if (left->has_time != right->has_time)
		return left->has_time ? -1 : 1;
	return left->time < right->time ? -1 : left->time > right->time;
}

static int
CompareInt64(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

static char *
Utf8Name(const AggNameKey *name)
{
	return pg_server_to_any(pnstrdup(name->data, name->length), name->length, PG_UTF8);
}

static Mlmd__Event *
NewEvent(int64 artifact, int64 execution, Mlmd__Event__Type type, bool has_time, int64 time)
{
	Mlmd__Event *event = FM_NEW(Mlmd__Event, mlmd__event);

	event->has_artifact_id = event->has_execution_id = event->has_type = true;
	event->artifact_id = artifact;
	event->execution_id = execution;
	event->type = type;
	event->has_milliseconds_since_epoch = has_time;
	event->milliseconds_since_epoch = time;
	return event;
}

/*
 * Nodes in the order of their ids; names[i] belongs to id i + 1
 */
static void
PutArtifacts(Mlmd__LineageGraph *graph, const AggState *state, const uint32 *by_rank)
{
	int64 *ids = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) state->n_edges * 2 + 1) * sizeof(int64));
	size_t n = 0;

	for (uint32 i = 0; i < state->n_edges; i++)
	{
		if (state->edges[i].has_source)
			ids[n++] = state->edges[i].source;
		if (state->edges[i].has_target)
			ids[n++] = state->edges[i].target;
	}
	qsort(ids, n, sizeof(int64), CompareInt64);
	graph->artifacts = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(void *));
	for (size_t i = 0; i < n; i++)
	{
		Mlmd__Artifact *artifact;

		if (i > 0 && ids[i] == ids[i - 1])
			continue;
		artifact = FM_NEW(Mlmd__Artifact, mlmd__artifact);
		artifact->has_id = artifact->has_type_id = true;
		artifact->id = ids[i];
		artifact->type_id = 1;
		artifact->type = "node";
		if (state->by_name)
			artifact->name = Utf8Name(&state->names[by_rank[ids[i] - 1]]);
		graph->artifacts[graph->n_artifacts++] = artifact;
	}
	pfree(ids);
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(lineage_graph_agg_final);

Datum
lineage_graph_agg_final(PG_FUNCTION_ARGS)
{
	const AggState *state = PG_ARGISNULL(0) ? NULL : (const AggState *) PG_GETARG_POINTER(0);
	AggState sorted;
	Mlmd__LineageGraph *graph;
	uint32 *by_rank;
	uint32 *rank;
	int64 execution = 0;

	if (state == NULL || state->n_edges == 0)
		PG_RETURN_NULL();
	graph = FM_NEW(Mlmd__LineageGraph, mlmd__lineage_graph);
	/* names by rank, so that ids do not depend on the order of rows */
	by_rank = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) state->n_names + 1) * sizeof(uint32));
	rank = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) state->n_names + 1) * sizeof(uint32));
	for (uint32 i = 0; i < state->n_names; i++)
		by_rank[i] = i;
	qsort_arg(by_rank, state->n_names, sizeof(uint32), CompareNames, state->names);
	for (uint32 i = 0; i < state->n_names; i++)
		rank[by_rank[i]] = i;
	sorted = *state;
	sorted.edges = MemoryContextAllocHuge(CurrentMemoryContext, (Size) state->n_edges * sizeof(AggEdge));
	for (uint32 i = 0; i < state->n_edges; i++)
	{
		AggEdge edge = state->edges[i];

		if (state->by_name)
		{
			edge.source = edge.has_source ? (int64) rank[edge.source] + 1 : 0;
			edge.target = edge.has_target ? (int64) rank[edge.target] + 1 : 0;
		}
		if (edge.label != NO_NAME)
			edge.label = rank[edge.label];
		sorted.edges[i] = edge;
	}
	PutArtifacts(graph, &sorted, by_rank);
	qsort(sorted.edges, sorted.n_edges, sizeof(AggEdge), CompareEdges);

	graph->executions = MemoryContextAllocHuge(CurrentMemoryContext, (Size) state->n_edges * sizeof(void *));
	graph->events = MemoryContextAllocHuge(CurrentMemoryContext, (Size) state->n_edges * 2 * sizeof(void *));
	for (uint32 i = 0; i < sorted.n_edges;)
	{
		const AggEdge *first = &sorted.edges[i];
		bool has_time = false;
		int64 latest = 0;
		bool has_previous = false;
		int64 previous = 0;

		CHECK_FOR_INTERRUPTS();
		if (!first->has_source || !first->has_target)
		{
			/* a node without this edge */
			i++;
			continue;
		}
		execution++;
		for (; i < sorted.n_edges && sorted.edges[i].target == first->target && sorted.edges[i].label == first->label;
			 i++)
		{
			const AggEdge *edge = &sorted.edges[i];

			if (!edge->has_source || !edge->has_target)
				continue;
			if (edge->has_time && (!has_time || edge->time > latest))
			{
				has_time = true;
				latest = edge->time;
			}
			/* an edge that comes again is one event, at its first time */
			if (has_previous && edge->source == previous)
				continue;
			previous = edge->source;
			has_previous = true;
			graph->events[graph->n_events++] =
				NewEvent(edge->source, execution, MLMD__EVENT__TYPE__INPUT, edge->has_time, edge->time);
		}
		graph->events[graph->n_events++] =
			NewEvent(first->target, execution, MLMD__EVENT__TYPE__OUTPUT, has_time, latest);
		{
			Mlmd__Execution *node = FM_NEW(Mlmd__Execution, mlmd__execution);

			node->has_id = node->has_type_id = true;
			node->id = execution;
			node->type_id = 1;
			node->type = "edge";
			if (first->label != NO_NAME)
				node->name = Utf8Name(&state->names[by_rank[first->label]]);
			graph->executions[graph->n_executions++] = node;
		}
	}
	{
		Mlmd__ArtifactType *type = FM_NEW(Mlmd__ArtifactType, mlmd__artifact_type);

		type->has_id = true;
		type->id = 1;
		type->name = "node";
		FM_APPEND(graph->n_artifact_types, graph->artifact_types, type);
	}
	if (graph->n_executions > 0)
	{
		Mlmd__ExecutionType *type = FM_NEW(Mlmd__ExecutionType, mlmd__execution_type);

		type->has_id = true;
		type->id = 1;
		type->name = "edge";
		FM_APPEND(graph->n_execution_types, graph->execution_types, type);
	}
	PG_RETURN_MESSAGE(graph);
}
