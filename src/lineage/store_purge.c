/*
 * What stays connected when nodes are purged: which nodes that stay reach which through nodes that go
 */
#include "lineage/store.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(purge_paths);

#define FETCH_SIZE 10000

typedef struct NodeKey
{
	int64 id;
	int64 is_artifact;
} NodeKey;

typedef struct NodeEntry
{
	NodeKey key;
	int64 index;
} NodeEntry;

/* The nodes that go and their neighbours, as a graph in the direction of the data */
typedef struct PurgeGraph
{
	HTAB *index; /* NodeKey -> place in the arrays */
	int64 n_nodes;
	int64 nodes_room;
	NodeKey *nodes;
	bool *gone;
	int64 n_edges;
	int64 edges_room;
	int64 *sources;
	int64 *targets;
	int64 *first; /* of n_nodes + 1: where a node's edges begin in next */
	int64 *next;
} PurgeGraph;

static void *
grow(void *array, size_t size, int64 room)
{
	return array == NULL ? palloc_extended(size * room, MCXT_ALLOC_HUGE) : repalloc_huge(array, size * room);
}

static int64
node_index(PurgeGraph *graph, bool is_artifact, int64 id)
{
	NodeKey key = {id, is_artifact};
	bool found;
	NodeEntry *entry = hash_search(graph->index, &key, HASH_ENTER, &found);

	if (found)
		return entry->index;
	if (graph->n_nodes == graph->nodes_room)
	{
		graph->nodes_room = graph->nodes_room == 0 ? 1024 : graph->nodes_room * 2;
		graph->nodes = grow(graph->nodes, sizeof(NodeKey), graph->nodes_room);
		graph->gone = grow(graph->gone, sizeof(bool), graph->nodes_room);
	}
	graph->nodes[graph->n_nodes] = key;
	graph->gone[graph->n_nodes] = false;
	return entry->index = graph->n_nodes++;
}

static void
mark_gone(PurgeGraph *graph, bool is_artifact, ArrayType *ids)
{
	Datum *values;
	bool *nulls;
	int n;

	deconstruct_array(ids, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		int64 node;

		if (nulls[i])
			continue;
		node = node_index(graph, is_artifact, DatumGetInt64(values[i]));
		graph->gone[node] = true;
	}
}

/* Reads the edges that touch a node that goes */
static void
read_edges(PurgeGraph *graph, Datum artifacts, Datum executions)
{
	static const Oid types[] = {INT8ARRAYOID, INT8ARRAYOID};
	Datum values[] = {artifacts, executions};
	MemoryContext caller = CurrentMemoryContext;
	Portal cursor;

	SPI_connect();
	/* 2, 3 and 5 are inputs; 1, 4, 6 and 7 outputs; 0 says neither */
	cursor = SPI_cursor_open_with_args(NULL,
									   "SELECT artifact_id, execution_id, type IN (2, 3, 5) FROM mlmd.event "
									   "WHERE artifact_id = ANY ($1) AND type BETWEEN 1 AND 7 UNION "
									   "SELECT artifact_id, execution_id, type IN (2, 3, 5) FROM mlmd.event "
									   "WHERE execution_id = ANY ($2) AND type BETWEEN 1 AND 7",
									   2, (Oid *) types, values, NULL, true, 0);
	for (;;)
	{
		MemoryContext spi;

		SPI_cursor_fetch(cursor, true, FETCH_SIZE);
		if (SPI_processed == 0)
			break;
		spi = MemoryContextSwitchTo(caller);
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			bool isnull;
			int64 artifact = node_index(graph, true, fm_result_int64(row, 1, &isnull));
			int64 execution = node_index(graph, false, fm_result_int64(row, 2, &isnull));
			bool is_input = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 3, &isnull));

			if (graph->n_edges == graph->edges_room)
			{
				graph->edges_room = graph->edges_room == 0 ? 1024 : graph->edges_room * 2;
				graph->sources = grow(graph->sources, sizeof(int64), graph->edges_room);
				graph->targets = grow(graph->targets, sizeof(int64), graph->edges_room);
			}
			graph->sources[graph->n_edges] = is_input ? artifact : execution;
			graph->targets[graph->n_edges++] = is_input ? execution : artifact;
		}
		MemoryContextSwitchTo(spi);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(cursor);
	SPI_finish();
}

/* Edges by source */
static void
sort_edges(PurgeGraph *graph)
{
	int64 *fill;

	graph->first = palloc_extended(sizeof(int64) * (graph->n_nodes + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	graph->next = palloc_extended(sizeof(int64) * (graph->n_edges + 1), MCXT_ALLOC_HUGE);
	fill = palloc_extended(sizeof(int64) * (graph->n_nodes + 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < graph->n_edges; i++)
		graph->first[graph->sources[i] + 1]++;
	for (int64 i = 0; i < graph->n_nodes; i++)
		graph->first[i + 1] += graph->first[i];
	memcpy(fill, graph->first, sizeof(int64) * (graph->n_nodes + 1));
	for (int64 i = 0; i < graph->n_edges; i++)
		graph->next[fill[graph->sources[i]]++] = graph->targets[i];
}

static void
put_path(ReturnSetInfo *result, const NodeKey *source, const NodeKey *target)
{
	Datum values[4] = {BoolGetDatum(source->is_artifact), Int64GetDatum(source->id), BoolGetDatum(target->is_artifact),
					   Int64GetDatum(target->id)};
	bool nulls[4] = {false, false, false, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * From one node that stays through nodes that go to the nodes that stay behind them. seen holds, for each node, the last
 * source from which it was seen.
 */
static void
walk(const PurgeGraph *graph, int64 source, int64 *seen, int64 *queue, ReturnSetInfo *result)
{
	int64 head = 0;
	int64 tail = 0;

	queue[tail++] = source;
	seen[source] = source;
	while (head < tail)
	{
		int64 node = queue[head++];

		CHECK_FOR_INTERRUPTS();
		for (int64 i = graph->first[node]; i < graph->first[node + 1]; i++)
		{
			int64 target = graph->next[i];

			/* from the source itself only into what goes */
			if (seen[target] == source || (node == source && !graph->gone[target]))
				continue;
			seen[target] = source;
			if (graph->gone[target])
				queue[tail++] = target;
			else
				put_path(result, &graph->nodes[source], &graph->nodes[target]);
		}
	}
}

/*
 * purge_paths(artifacts bigint[], executions bigint[]) -> rows (source_is_artifact, source, target_is_artifact, target)
 */
Datum
purge_paths(PG_FUNCTION_ARGS)
{
	HASHCTL ctl = {.keysize = sizeof(NodeKey), .entrysize = sizeof(NodeEntry), .hcxt = CurrentMemoryContext};
	PurgeGraph graph = {NULL};
	int64 *seen;
	int64 *queue;

	InitMaterializedSRF(fcinfo, 0);
	graph.index = hash_create("nodes of a purge", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	mark_gone(&graph, true, PG_GETARG_ARRAYTYPE_P(0));
	mark_gone(&graph, false, PG_GETARG_ARRAYTYPE_P(1));
	read_edges(&graph, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	sort_edges(&graph);
	seen = palloc_extended(sizeof(int64) * (graph.n_nodes + 1), MCXT_ALLOC_HUGE);
	queue = palloc_extended(sizeof(int64) * (graph.n_nodes + 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < graph.n_nodes; i++)
		seen[i] = -1;
	for (int64 i = 0; i < graph.n_nodes; i++)
	{
		if (!graph.gone[i])
			walk(&graph, i, seen, queue, (ReturnSetInfo *) fcinfo->resultinfo);
	}
	return (Datum) 0;
}
