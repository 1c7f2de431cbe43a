/*
 * A lineage graph in memory: the core
 */
#include "lineage/graph.h"

#include "common/hashfn.h"

typedef struct FmGraphEntry
{
	int64 id;
	uint32 node;
	char status;
} FmGraphEntry;

static inline uint32
HashNodeId(int64 id)
{
	return murmurhash32((uint32) id ^ murmurhash32((uint32) ((uint64) id >> 32)));
}

#define SH_PREFIX graphtable
#define SH_ELEMENT_TYPE FmGraphEntry
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) HashNodeId(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#ifdef FRONTEND
#define SH_RAW_ALLOCATOR palloc0
#endif
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#ifdef FRONTEND
#define ALLOC(size) palloc(size)
#define ALLOC_ZERO(size) palloc0(size)
#define REALLOC(pointer, size) repalloc(pointer, size)
#else
#define ALLOC(size) MemoryContextAllocHuge(CurrentMemoryContext, size)
#define ALLOC_ZERO(size) MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)
#define REALLOC(pointer, size) repalloc_huge(pointer, size)
#endif

/*
 * Number of a node by its id: an array while ids are dense, which sequences make them, else a hash table
 */
typedef struct FmGraphIndex
{
	int64 first;
	uint64 n_dense;
	uint32 *dense; /* node number + 1 */
	graphtable_hash *table;
} FmGraphIndex;

FmGraph *
fm_graph_new(void)
{
	return palloc0(sizeof(FmGraph));
}

void
fm_graph_add_event(FmGraph *graph, int64 artifact_id, int64 execution_id, int32 type, bool has_time, int64 milliseconds)
{
	uint32 n = graph->n_events;

	if (n == graph->max_events)
	{
		Size size = Max(256, (Size) graph->max_events * 2);

		graph->artifact_ids = n == 0 ? ALLOC(size * sizeof(int64)) : REALLOC(graph->artifact_ids, size * sizeof(int64));
		graph->execution_ids =
			n == 0 ? ALLOC(size * sizeof(int64)) : REALLOC(graph->execution_ids, size * sizeof(int64));
		graph->types = n == 0 ? ALLOC(size) : REALLOC(graph->types, size);
		if (graph->times != NULL)
			graph->times = REALLOC(graph->times, size * sizeof(int64));
		graph->max_events = size;
	}
	graph->artifact_ids[n] = artifact_id;
	graph->execution_ids[n] = execution_id;
	graph->types[n] = type >= 0 && type <= 7 ? type : 0;
	if (has_time && graph->times == NULL)
	{
		graph->times = ALLOC((Size) graph->max_events * sizeof(int64));
		for (uint32 i = 0; i < n; i++)
			graph->times[i] = PG_INT64_MIN;
	}
	if (graph->times != NULL)
		graph->times[n] = has_time ? milliseconds : PG_INT64_MIN;
	graph->n_events++;
}

void
fm_graph_add_node(FmGraph *graph, FmNodeKind kind, int64 id, uint32 offset, uint32 length)
{
	FmGraphNode *node;

	if (graph->n_nodes == graph->max_nodes)
	{
		Size size = Max(256, (Size) graph->max_nodes * 2);

		graph->nodes =
			graph->n_nodes == 0 ? ALLOC(size * sizeof(FmGraphNode)) : REALLOC(graph->nodes, size * sizeof(FmGraphNode));
		graph->max_nodes = size;
	}
	node = &graph->nodes[graph->n_nodes++];
	node->id = id;
	node->kind = kind;
	node->offset = offset;
	node->length = length;
}

/* ---- numbering ---- */

static FmGraphIndex *
NewIndex(int64 low, int64 high, uint64 n_mentions)
{
	FmGraphIndex *index = palloc0(sizeof(FmGraphIndex));
	uint64 range = (uint64) high - (uint64) low;

	index->first = low;
	if (n_mentions == 0 || range < n_mentions * 2 + 1024)
	{
		index->n_dense = n_mentions == 0 ? 0 : range + 1;
		index->dense = ALLOC_ZERO(Max(index->n_dense, 1) * sizeof(uint32));
	}
	else
		index->table = graphtable_create(
#ifndef FRONTEND
			CurrentMemoryContext,
#endif
			256, NULL);
	return index;
}

/*
 * Where the number of an id stands, + 1; 0 while it has none
 */
static inline uint32 *
IndexSlot(FmGraphIndex *index, int64 id)
{
	bool found;
	FmGraphEntry *entry;

	if (index->dense != NULL)
		return &index->dense[(uint64) id - (uint64) index->first];
	entry = graphtable_insert(index->table, id, &found);
	if (!found)
		entry->node = 0;
	return &entry->node;
}

uint32
fm_graph_find(const FmGraph *graph, FmNodeKind kind, int64 id)
{
	const FmGraphIndex *index = graph->index[kind == FM_ARTIFACT];
	FmGraphEntry *entry;

	if (index->dense != NULL)
	{
		if (id < index->first || (uint64) id - (uint64) index->first >= index->n_dense)
			return FM_NO_NODE;
		/* none is 0 - 1 */
		return index->dense[(uint64) id - (uint64) index->first] - 1;
	}
	entry = graphtable_lookup(index->table, id);
	return entry == NULL ? FM_NO_NODE : entry->node - 1;
}

static uint32
NumberNode(FmGraph *graph, FmNodeKind kind, int64 id)
{
	uint32 *slot = IndexSlot(graph->index[kind == FM_ARTIFACT], id);

	if (*slot == 0)
	{
		fm_graph_add_node(graph, kind, id, 0, 0);
		*slot = graph->n_nodes;
	}
	return *slot - 1;
}

/*
 * Edges by the node at one of their ends, by counting
 */
static void
BuildEdges(const FmGraph *graph, const uint32 *near, const uint32 *far, FmGraphEdges *edges)
{
	Size n = Max((Size) graph->n_events, 1);
	uint32 *next;

	edges->start = ALLOC_ZERO(((Size) graph->n_nodes + 2) * sizeof(uint32));
	edges->node = ALLOC(n * sizeof(uint32));
	edges->event = ALLOC(n * sizeof(uint32));
	/* counts go one further than they belong, so that filling moves them into place */
	next = edges->start + 1;
	for (uint32 i = 0; i < graph->n_events; i++)
		next[near[i] + 1]++;
	for (uint32 i = 1; i <= graph->n_nodes; i++)
		next[i] += next[i - 1];
	for (uint32 i = 0; i < graph->n_events; i++)
	{
		uint32 place = next[near[i]]++;

		edges->node[place] = far[i];
		edges->event[place] = i;
	}
}

/*
 * Gives back what a finished graph has no use for: it may be kept for long
 */
static void
ShrinkGraph(FmGraph *graph)
{
	if (graph->max_nodes > 0)
		graph->nodes = REALLOC(graph->nodes, Max((Size) graph->n_nodes, 1) * sizeof(FmGraphNode));
	graph->max_nodes = graph->n_nodes;
	if (graph->max_events == 0)
		return;
	pfree(graph->artifact_ids);
	pfree(graph->execution_ids);
	graph->artifact_ids = graph->execution_ids = NULL;
	graph->types = REALLOC(graph->types, graph->n_events);
	if (graph->times != NULL)
		graph->times = REALLOC(graph->times, (Size) graph->n_events * sizeof(int64));
	graph->max_events = graph->n_events;
}

void
fm_graph_finish(FmGraph *graph)
{
	int64 low[2] = {PG_INT64_MAX, PG_INT64_MAX};
	int64 high[2] = {PG_INT64_MIN, PG_INT64_MIN};
	uint64 mentions[2] = {graph->n_events, graph->n_events};
	uint32 n_listed = graph->n_nodes;
	uint32 kept = 0;
	uint32 *from = ALLOC(Max((Size) graph->n_events, 1) * sizeof(uint32));
	uint32 *to = ALLOC(Max((Size) graph->n_events, 1) * sizeof(uint32));

	for (uint32 i = 0; i < n_listed; i++)
	{
		int k = graph->nodes[i].kind == FM_ARTIFACT;

		low[k] = Min(low[k], graph->nodes[i].id);
		high[k] = Max(high[k], graph->nodes[i].id);
		mentions[k]++;
	}
	for (uint32 i = 0; i < graph->n_events; i++)
	{
		low[0] = Min(low[0], graph->execution_ids[i]);
		high[0] = Max(high[0], graph->execution_ids[i]);
		low[1] = Min(low[1], graph->artifact_ids[i]);
		high[1] = Max(high[1], graph->artifact_ids[i]);
	}
	for (int k = 0; k < 2; k++)
		graph->index[k] = NewIndex(low[k], high[k], mentions[k]);

	/* a node that is listed again is the same node */
	for (uint32 i = 0; i < n_listed; i++)
	{
		FmGraphNode node = graph->nodes[i];
		uint32 *slot = IndexSlot(graph->index[node.kind == FM_ARTIFACT], node.id);

		if (*slot != 0)
			continue;
		graph->nodes[kept++] = node;
		*slot = kept;
	}
	graph->n_nodes = kept;

	for (uint32 i = 0; i < graph->n_events; i++)
	{
		uint32 artifact = NumberNode(graph, FM_ARTIFACT, graph->artifact_ids[i]);
		uint32 execution = NumberNode(graph, FM_EXECUTION, graph->execution_ids[i]);
		bool output = (FM_OUTPUT_EVENTS >> graph->types[i]) & 1;

		from[i] = output ? execution : artifact;
		to[i] = output ? artifact : execution;
		if (graph->types[i] == 0)
			graph->has_unknown = true;
	}
	BuildEdges(graph, from, to, &graph->out);
	BuildEdges(graph, to, from, &graph->in);
	pfree(from);
	pfree(to);
	ShrinkGraph(graph);
}

/* ---- walks ---- */

void
fm_graph_walk(const FmGraph *graph, const FmTraversalOptions *options, const uint32 *starts, uint32 n_starts,
			  FmGraphWalk *walk)
{
	uint32 *position = ALLOC_ZERO(Max((Size) graph->n_nodes, 1) * sizeof(uint32)); /* in order, + 1 */
	uint32 types = options->event_types;
	bool check;
	uint32 level = 0;
	uint32 level_end;

	/* bit 31 stands for types that are none of MLMD's, which the graph has as unknown */
	if (options->direction != FM_BIDIRECTIONAL)
		types &= ~1U;
	check = options->has_before || (types & 0xFE) != 0xFE || (graph->has_unknown && !(types & 1));
	walk->n = 0;
	walk->order = ALLOC(Max((Size) graph->n_nodes, 1) * sizeof(uint32));
	walk->parents = ALLOC(Max((Size) graph->n_nodes, 1) * sizeof(uint32));
	walk->distances = ALLOC(Max((Size) graph->n_nodes, 1) * sizeof(int32));
	for (uint32 i = 0; i < n_starts; i++)
	{
		if (position[starts[i]] != 0)
			continue;
		walk->order[walk->n] = starts[i];
		walk->parents[walk->n] = FM_NO_NODE;
		walk->distances[walk->n] = 0;
		position[starts[i]] = ++walk->n;
	}
	for (int32 distance = 0; level < walk->n && (options->max_hops < 0 || distance < options->max_hops); distance++)
	{
		level_end = walk->n;
		CHECK_FOR_INTERRUPTS();
		for (; level < level_end; level++)
		{
			uint32 node = walk->order[level];

			for (int side = 0; side < 2; side++)
			{
				const FmGraphEdges *edges = side == 0 ? &graph->in : &graph->out;

				if (!(options->direction & (side == 0 ? FM_UPSTREAM : FM_DOWNSTREAM)))
					continue;
				for (uint32 i = edges->start[node]; i < edges->start[node + 1]; i++)
				{
					uint32 other = edges->node[i];

					if (position[other] != 0)
						continue;
					if (check)
					{
						uint32 event = edges->event[i];

						if (!((types >> graph->types[event]) & 1) ||
							(options->has_before && graph->times != NULL && graph->times[event] > options->before))
							continue;
					}
					walk->order[walk->n] = other;
					walk->parents[walk->n] = level;
					walk->distances[walk->n] = distance + 1;
					position[other] = ++walk->n;
				}
			}
		}
	}
	pfree(position);
}

/* ---- order and cycles ---- */

uint32
fm_graph_order(const FmGraph *graph, uint32 *order)
{
	uint32 *waiting = ALLOC_ZERO(Max((Size) graph->n_nodes, 1) * sizeof(uint32));
	uint32 n = 0;

	for (uint32 i = 0; i < graph->n_nodes; i++)
		for (uint32 k = graph->in.start[i]; k < graph->in.start[i + 1]; k++)
			waiting[i] += graph->types[graph->in.event[k]] != 0;
	for (uint32 i = 0; i < graph->n_nodes; i++)
		if (waiting[i] == 0)
			order[n++] = i;
	for (uint32 done = 0; done < n; done++)
	{
		uint32 node = order[done];

		if ((done & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint32 i = graph->out.start[node]; i < graph->out.start[node + 1]; i++)
		{
			uint32 other = graph->out.node[i];

			if (graph->types[graph->out.event[i]] != 0 && --waiting[other] == 0)
				order[n++] = other;
		}
	}
	pfree(waiting);
	return n;
}

/*
 * Tarjan's algorithm with a stack of its own
 */
uint32
fm_graph_cycles(const FmGraph *graph, uint32 *component)
{
	Size n = Max((Size) graph->n_nodes, 1);
	uint32 *visited = ALLOC_ZERO(n * sizeof(uint32)); /* order of the visit, from 1 */
	uint32 *low = ALLOC(n * sizeof(uint32));
	uint32 *next = ALLOC(n * sizeof(uint32)); /* edge to look at next */
	uint32 *calls = ALLOC(n * sizeof(uint32));
	uint32 *stack = ALLOC(n * sizeof(uint32));
	bool *on_stack = ALLOC_ZERO(n);
	uint32 n_calls = 0;
	uint32 n_stack = 0;
	uint32 n_visited = 0;
	uint32 n_components = 0;

	memset(component, 0, graph->n_nodes * sizeof(uint32));
	for (uint32 root = 0; root < graph->n_nodes; root++)
	{
		if (visited[root] != 0)
			continue;
		calls[n_calls++] = root;
		while (n_calls > 0)
		{
			uint32 node = calls[n_calls - 1];
			bool descended = false;

			if (visited[node] == 0)
			{
				visited[node] = low[node] = ++n_visited;
				next[node] = graph->out.start[node];
				stack[n_stack++] = node;
				on_stack[node] = true;
				if ((n_visited & 0xFFFF) == 0)
					CHECK_FOR_INTERRUPTS();
			}
			while (next[node] < graph->out.start[node + 1] && !descended)
			{
				uint32 edge = next[node]++;
				uint32 other = graph->out.node[edge];

				if (graph->types[graph->out.event[edge]] == 0)
					continue;
				if (visited[other] == 0)
				{
					calls[n_calls++] = other;
					descended = true;
				}
				else if (on_stack[other])
					low[node] = Min(low[node], visited[other]);
			}
			if (descended)
				continue;
			n_calls--;
			if (n_calls > 0)
				low[calls[n_calls - 1]] = Min(low[calls[n_calls - 1]], low[node]);
			if (low[node] == visited[node])
			{
				/* events join different nodes, so a cycle has two at least */
				bool cycle = stack[n_stack - 1] != node;
				uint32 member;

				n_components += cycle;
				do
				{
					member = stack[--n_stack];
					on_stack[member] = false;
					component[member] = cycle ? n_components : 0;
				} while (member != node);
			}
		}
	}
	return n_components;
}
