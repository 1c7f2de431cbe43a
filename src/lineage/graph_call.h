/*
 * Values of type lineage_graph: what the doors graph_*.c share
 */
#ifndef FM_LINEAGE_GRAPH_CALL_H
#define FM_LINEAGE_GRAPH_CALL_H

#include "lineage/graph.h"
#include "fm_compat.h"
#include "utils/array.h"

/* A value opened for walking: the graph and the bytes its nodes lie in */
typedef struct FmGraphValue
{
	FmGraph *graph;
	const uint8 *data;
} FmGraphValue;

/*
 * Open until the current memory context goes, in no order with others; raises an error when the bytes are no graph
 * (graph_open.c)
 */
extern FmGraphValue fm_open_graph(Datum datum);

/* type, name or uri ('t', 'n', 'u') of a node as text of the database's encoding; false when it has none */
extern bool fm_graph_node_text(const uint8 *data, const FmGraphNode *node, char what, Datum *value);

/* Numbers of the nodes that arguments artifacts and executions (bigint[] or NULL) name; unknown ones are left out */
extern uint32 *fm_graph_starts(const FmGraph *graph, ArrayType *artifacts, ArrayType *executions, uint32 *n);

/* "artifact" or "execution" as a text Datum that lives on */
extern Datum fm_kind_datum(FmNodeKind kind);

/* Raises the error of a graph that cannot be ordered, naming nodes of a cycle */
extern FM_NORETURN void fm_throw_cycle(const FmGraph *graph);

#endif
