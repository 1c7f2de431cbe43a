/*
 * Walks that live as long as the query that made them
 *
 * A row of upstream() has a path, and on a chain of n nodes the paths have n * n / 2 ids. So a walk gives its rows a
 * number and nothing else: what is asked of a row is looked up here when the query needs it, and the planner drops what
 * it does not need. Rows go out a call each: nobody keeps them in between.
 */
#include "lineage/live_traversal.h"

#include "funcapi.h"
#include "lineage/graph_call.h"
#include "lineage/lineage_query.h"
#include "lineage/traverse_call.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* The walks that live at a time, as a LATERAL from many starts makes them, may take as much as so many full ones */
#define MAX_FULL_WALKS 16

typedef struct LiveNode
{
	int64 id;
	uint32 parent;
	uint32 distance : 30;
	uint32 kind : 1;   /* FmNodeKind */
	uint32 hidden : 1; /* gives no row */
} LiveNode;

struct FmLiveTraversal
{
	int64 number; /* of the first node; its low 32 bits are 0 */
	uint32 n_nodes;
	Size size;
	LiveNode *nodes;   /* of a walk over the tables */
	const uint8 *data; /* of a walk over a value */
	const FmGraph *graph;
	FmGraphWalk walk;
	MemoryContextCallback callback;
};

typedef struct LiveEntry
{
	int64 number;
	FmLiveTraversal *live;
} LiveEntry;

static HTAB *live_traversals;
static const FmLiveTraversal *last_found;
static int64 last_traversal;
static Size live_size; /* of all that live */

static void
ForgetTraversal(void *arg)
{
	FmLiveTraversal *live = arg;

	hash_search(live_traversals, &live->number, HASH_REMOVE, NULL);
	live_size -= live->size;
	if (last_found == live)
		last_found = NULL;
}

static FmLiveTraversal *
NewTraversal(MemoryContext context, Size size)
{
	FmLiveTraversal *live = MemoryContextAllocZero(context, sizeof(FmLiveTraversal));
	LiveEntry *entry;

	if (live_size + size > MAX_FULL_WALKS * fm_traversal_memory_limit())
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("the walks of this query are too large for work_mem"),
				 errdetail("They take more than %d times what one walk may take.", MAX_FULL_WALKS),
				 errhint("Increase work_mem, walk from all starts at once, or bound the walks by a number of hops.")));
	if (live_traversals == NULL)
	{
		HASHCTL control = {.keysize = sizeof(int64), .entrysize = sizeof(LiveEntry)};

		live_traversals = hash_create("feature_meta walks", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	/* 2^31 walks a session; then numbers come again */
	last_traversal = (last_traversal + 1) & PG_INT32_MAX;
	live->number = last_traversal << 32;
	entry = hash_search(live_traversals, &live->number, HASH_ENTER, NULL);
	entry->live = live;
	live->size = size;
	live_size += size;
	live->callback.func = ForgetTraversal;
	live->callback.arg = live;
	MemoryContextRegisterResetCallback(context, &live->callback);
	return live;
}

FmLiveTraversal *
fm_keep_traversal(const FmTraversal *traversal, MemoryContext context)
{
	Size size = Max((Size) traversal->n_nodes, 1) * sizeof(LiveNode);
	FmLiveTraversal *live = NewTraversal(context, size);
	LiveNode *nodes = MemoryContextAllocHuge(context, size);

	for (uint32 i = 0; i < traversal->n_nodes; i++)
	{
		const FmTraversalNode *node = &traversal->nodes[i];

		nodes[i].id = node->id;
		nodes[i].parent = node->parent;
		nodes[i].distance = node->distance;
		nodes[i].kind = node->kind;
		nodes[i].hidden = node->excluded || (traversal->options.has_target && i != traversal->found);
	}
	live->nodes = nodes;
	live->n_nodes = traversal->n_nodes;
	return live;
}

FmLiveTraversal *
fm_keep_graph_walk(const uint8 *data, const FmGraph *graph, const FmGraphWalk *walk, MemoryContext context)
{
	FmLiveTraversal *live = NewTraversal(context, walk->n * (2 * sizeof(uint32) + sizeof(int32)));

	live->data = data;
	live->graph = graph;
	live->walk = *walk;
	live->n_nodes = walk->n;
	return live;
}

MemoryContext
fm_walk_context(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set")));
	return rsinfo->econtext->ecxt_per_query_memory;
}

Datum
fm_next_traversed(FunctionCallInfo fcinfo, FmLiveTraversal *live)
{
	FuncCallContext *funcctx;

	if (SRF_IS_FIRSTCALL())
	{
		funcctx = SRF_FIRSTCALL_INIT();
		funcctx->user_fctx = live;
	}
	funcctx = SRF_PERCALL_SETUP();
	live = funcctx->user_fctx;
	while (live != NULL && funcctx->call_cntr < live->n_nodes)
	{
		uint32 node = (uint32) funcctx->call_cntr;

		if (live->nodes == NULL || !live->nodes[node].hidden)
			SRF_RETURN_NEXT(funcctx, Int64GetDatum(live->number + node));
		funcctx->call_cntr++;
	}
	SRF_RETURN_DONE(funcctx);
}

static const FmLiveTraversal *
FindTraversal(int64 number, uint32 *node)
{
	int64 first = number & ~(int64) PG_UINT32_MAX;

	*node = (uint32) number;
	if (last_found == NULL || last_found->number != first)
	{
		LiveEntry *entry = live_traversals == NULL ? NULL : hash_search(live_traversals, &first, HASH_FIND, NULL);

		last_found = entry == NULL ? NULL : entry->live;
	}
	if (last_found == NULL || *node >= last_found->n_nodes)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("there is no such traversal"),
						errdetail("What a row of a walk has can only be asked for within the query that walks.")));
	return last_found;
}

static inline FmNodeKind
KindOfNode(const FmLiveTraversal *live, uint32 node)
{
	return live->graph ? live->graph->nodes[live->walk.order[node]].kind : live->nodes[node].kind;
}

static inline int64
IdOfNode(const FmLiveTraversal *live, uint32 node)
{
	return live->graph ? live->graph->nodes[live->walk.order[node]].id : live->nodes[node].id;
}

static inline int32
DistanceOfNode(const FmLiveTraversal *live, uint32 node)
{
	return live->graph ? live->walk.distances[node] : (int32) live->nodes[node].distance;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_kind);

/*
 * traversed_kind(node bigint) -> text: artifact or execution
 */
Datum
traversed_kind(PG_FUNCTION_ARGS)
{
	uint32 node;
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);

	PG_RETURN_DATUM(fm_kind_datum(KindOfNode(live, node)));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_id);

/*
 * traversed_id(node bigint) -> bigint
 */
Datum
traversed_id(PG_FUNCTION_ARGS)
{
	uint32 node;
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);

	PG_RETURN_INT64(IdOfNode(live, node));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_artifact);

/*
 * traversed_artifact(node bigint) -> bigint: the id of an artifact, NULL for an execution
 */
Datum
traversed_artifact(PG_FUNCTION_ARGS)
{
	uint32 node;
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);

	if (KindOfNode(live, node) != FM_ARTIFACT)
		PG_RETURN_NULL();
	PG_RETURN_INT64(IdOfNode(live, node));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_execution);

/*
 * traversed_execution(node bigint) -> bigint: the id of an execution, NULL for an artifact
 */
Datum
traversed_execution(PG_FUNCTION_ARGS)
{
	uint32 node;
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);

	if (KindOfNode(live, node) != FM_EXECUTION)
		PG_RETURN_NULL();
	PG_RETURN_INT64(IdOfNode(live, node));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_distance);

/*
 * traversed_distance(node bigint) -> integer: hops from the start
 */
Datum
traversed_distance(PG_FUNCTION_ARGS)
{
	uint32 node;
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);

	PG_RETURN_INT32(DistanceOfNode(live, node));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(traversed_path);

/*
 * traversed_path(node bigint) -> bigint[]: ids from the start to the node
 */
Datum
traversed_path(PG_FUNCTION_ARGS)
{
	uint32 node;
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);
	int64 *ids;
	int n = DistanceOfNode(live, node) + 1;

	if ((Size) n > MaxAllocSize / sizeof(int64) / 2)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("path is too long for an array")));
	ids = palloc(n * sizeof(int64));
	for (int i = n - 1; i >= 0; i--)
	{
		ids[i] = IdOfNode(live, node);
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
	const FmLiveTraversal *live = FindTraversal(PG_GETARG_INT64(0), &node);
	text *attribute = PG_GETARG_TEXT_PP(1);
	Datum value;

	if (live->graph == NULL || VARSIZE_ANY_EXHDR(attribute) == 0 ||
		!fm_graph_node_text(live->data, &live->graph->nodes[live->walk.order[node]], *VARDATA_ANY(attribute), &value))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}
