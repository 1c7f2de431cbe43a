/*
 * Walks that live as long as the query that made them, so that paths and names are made only for rows that ask for them
 */
#ifndef FM_LINEAGE_LIVE_TRAVERSAL_H
#define FM_LINEAGE_LIVE_TRAVERSAL_H

#include "lineage/graph.h"
#include "fm_compat.h"

/*
 * Each gives the number by which traversed_path() and traversed_attribute() find the walk's first node, until the context
 * goes; node i has i more
 */
extern int64 fm_keep_traversal(const FmTraversal *traversal, MemoryContext context);
/* graph, data and walk must live in the context, or longer */
extern int64 fm_keep_graph_walk(const uint8 *data, const FmGraph *graph, const FmGraphWalk *walk, MemoryContext context);

#endif
