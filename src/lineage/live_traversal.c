/*
 * Walks that live as long as the query that made them
 *
 * A row of upstream() has a path, and on a chain of n nodes the paths have n * n / 2 ids. So a walk gives its rows a
 * number, and what is asked of a row is looked up here when the query needs it; the planner drops what it does not need.
 */
#include "lineage/live_traversal.h"

#include "lineage/graph_call.h"
#include "lineage/lineage_query.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct LiveNode
{
	int64 id;
	uint32 parent;
	int32 distance;
} LiveNode;

typedef struct LiveTraversal
{
	int64 number; /* of the first node; its low 32 bits are 0 */
	uint32 n_nodes;
	LiveNode *nodes; /* of a walk over the tables */
	const uint8 *data; /* of a walk over a value */
	const FmGraph *graph;
	FmGraphWalk walk;
	struct LiveTraversal *next;
	MemoryContextCallback callback;
} LiveTraversal;

static LiveTraversal *live_traversals;
static int64 last_traversal;

static void
ForgetTraversal(void *arg)
{
	for (LiveTraversal **link = &live_traversals; *link != NULL; link = &(*link)->next)
	{
		if (*link == arg)
		{
			*link = (*link)->next;
			return;
		}
	}
}

static LiveTraversal *
NewTraversal(MemoryContext context)
{
	LiveTraversal *live = MemoryContextAllocZero(context, sizeof(LiveTraversal));

	/* 2^31 walks a session; then numbers come again */
	last_traversal = (last_traversal + 1) & PG_INT32_MAX;
	live->number = last_traversal << 32;
	live->next = live_traversals;
	live_traversals = live;
	live->callback.func = ForgetTraversal;
	live->callback.arg = live;
	MemoryContextRegisterResetCallback(context, &live->callback);
	return live;
}

int64
fm_keep_traversal(const FmTraversal *traversal, MemoryContext context)
{
	LiveNode *nodes = MemoryContextAllocHuge(context, Max((Size) traversal->n_nodes, 1) * sizeof(LiveNode));
	LiveTraversal *live = NewTraversal(context);

	for (uint32 i = 0; i < traversal->n_nodes; i++)
	{
		nodes[i].id = traversal->nodes[i].id;
		nodes[i].parent = traversal->nodes[i].parent;
		nodes[i].distance = traversal->nodes[i].distance;
	}
	live->nodes = nodes;
	live->n_nodes = traversal->n_nodes;
	return live->number;
}

int64
fm_keep_graph_walk(const uint8 *data, const FmGraph *graph, const FmGraphWalk *walk, MemoryContext context)
{
	LiveTraversal *live = NewTraversal(context);

	live->data = data;
	live->graph = graph;
	live->walk = *walk;
	live->n_nodes = walk->n;
	return live->number;
}

static const LiveTraversal *
FindTraversal(int64 number, uint32 *node)
{
	const LiveTraversal *live = live_traversals;

	*node = (uint32) number;
	while (live != NULL && live->number >> 32 != number >> 32)
		live = live->next;
	if (live == NULL || *node >= live->n_nodes)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("there is no such traversal"),
						errdetail("What a row of a walk has can only be asked for within the query that walks.")));
	return live;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_path);

/*
 * traversed_path(node bigint) -> bigint[]: ids from the start to the node
 */
Datum
traversed_path(PG_FUNCTION_ARGS)
{
	uint32 node;
	const LiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);
	int64 *ids;
	int n = (live->graph ? live->walk.distances[node] : live->nodes[node].distance) + 1;

	if ((Size) n > MaxAllocSize / sizeof(int64) / 2)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("path is too long for an array")));
	ids = palloc(n * sizeof(int64));
	for (int i = n - 1; i >= 0; i--)
	{
		ids[i] = live->graph ? live->graph->nodes[live->walk.order[node]].id : live->nodes[node].id;
		node = live->graph ? live->walk.parents[node] : live->nodes[node].parent;
	}
	PG_RETURN_ARRAYTYPE_P(fm_int64_array(ids, n));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_attribute);

/*
 * traversed_attribute(node bigint, attribute text) -> text: type, name or uri of a node of a value
 */
Datum
traversed_attribute(PG_FUNCTION_ARGS)
{
	uint32 node;
	const LiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);
	text *attribute = PG_GETARG_TEXT_PP(1);
	Datum value;

	if (live->graph == NULL || VARSIZE_ANY_EXHDR(attribute) == 0 ||
		!fm_graph_node_text(live->data, &live->graph->nodes[live->walk.order[node]], *VARDATA_ANY(attribute), &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}
