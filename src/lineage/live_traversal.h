/*
 * Walks that live as long as the query that made them, so that ids, paths and names are made only for rows that ask for
 * them
 */
#ifndef FM_LINEAGE_LIVE_TRAVERSAL_H
#define FM_LINEAGE_LIVE_TRAVERSAL_H

#include "lineage/graph.h"
#include "fm_compat.h"
#include "fmgr.h"

typedef struct FmLiveTraversal FmLiveTraversal;

/* Of a walk over the tables; the nodes are copied to the context */
extern FmLiveTraversal *fm_keep_traversal(const FmTraversal *traversal, MemoryContext context);
/* graph, data and walk must live in the context, or longer */
extern FmLiveTraversal *fm_keep_graph_walk(const uint8 *data, const FmGraph *graph, const FmGraphWalk *walk,
										   MemoryContext context);

/* The context in which a function that returns rows keeps its walk: that of the query */
extern MemoryContext fm_walk_context(FunctionCallInfo fcinfo);

/*
 * For a function that returns SETOF bigint: a call a row, the number by which the functions traversed_..() know the
 * node. live is the walk at the first call (SRF_IS_FIRSTCALL), NULL for no row, and not looked at later.
 */
extern Datum fm_next_traversed(FunctionCallInfo fcinfo, FmLiveTraversal *live);

#endif
