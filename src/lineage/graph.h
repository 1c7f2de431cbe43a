/*
 * A lineage graph in memory: nodes by number, edges both ways as arrays
 *
 * Built from events, wherever these come from: a lineage_graph value (graph_wire.c) or one scan of mlmd.event. Edges go
 * with the data: from the input artifact to the execution, from the execution to the output artifact. An event of
 * unknown type has no direction: only a walk both ways follows it.
 */
#ifndef FM_LINEAGE_GRAPH_H
#define FM_LINEAGE_GRAPH_H

#include "lineage/traverse.h"

typedef struct FmGraphNode
{
	int64 id;
	uint32 offset; /* of the node's message in the value, length 0: the node is only named by an event */
	uint32 length;
	uint8 kind; /* FmNodeKind: EXECUTION or ARTIFACT */
} FmGraphNode;

/* Edges by the node at one of their ends: those of node i are start[i] up to start[i + 1] */
typedef struct FmGraphEdges
{
	uint32 *start; /* n_nodes + 1 */
	uint32 *node;  /* at the other end */
	uint32 *event;
} FmGraphEdges;

typedef struct FmGraph
{
	uint32 n_nodes;
	uint32 max_nodes;
	FmGraphNode *nodes;
	/* events as they came */
	uint32 n_events;
	uint32 max_events;
	int64 *artifact_ids; /* NULL after fm_graph_finish */
	int64 *execution_ids;
	uint8 *types; /* 0: unknown, or not a type of MLMD's */
	int64 *times; /* milliseconds, PG_INT64_MIN: none; NULL when no event has a time */
	/* after fm_graph_finish */
	bool has_unknown; /* some events have no direction */
	FmGraphEdges out;
	FmGraphEdges in;
	struct FmGraphIndex *index[2];
} FmGraph;

extern FmGraph *fm_graph_new(void);
extern void fm_graph_add_event(FmGraph *graph, int64 artifact_id, int64 execution_id, int32 type, bool has_time,
							   int64 milliseconds);
/* A node that is listed; call it before fm_graph_finish. A node listed twice keeps its first message. */
extern void fm_graph_add_node(FmGraph *graph, FmNodeKind kind, int64 id, uint32 offset, uint32 length);
/* Numbers the nodes and orders the edges */
extern void fm_graph_finish(FmGraph *graph);

/* Number of a node, FM_NO_NODE when the graph has no such node */
extern uint32 fm_graph_find(const FmGraph *graph, FmNodeKind kind, int64 id);

/* From the wire bytes of an ml_metadata.LineageGraph; false when they are not one */
extern bool fm_graph_parse(FmGraph *graph, const uint8 *data, size_t size, FmError *error);

/* type, name or uri ('t', 'n', 'u') in a node's message; false when it has none */
extern bool fm_graph_node_string(const uint8 *data, const FmGraphNode *node, char what, const uint8 **string,
								 size_t *size);

/* The nodes reached, in the order they were */
typedef struct FmGraphWalk
{
	uint32 n;
	uint32 *order;	  /* node numbers */
	uint32 *parents;  /* by position in order: position of the parent, FM_NO_NODE for a start */
	int32 *distances; /* by position in order */
} FmGraphWalk;

extern void fm_graph_walk(const FmGraph *graph, const FmTraversalOptions *options, const uint32 *starts,
						  uint32 n_starts, FmGraphWalk *walk);

/*
 * Nodes so that edges go forward; among those that could be next, the one that was listed first. Gives the number of
 * nodes placed: fewer than n_nodes when the graph has cycles.
 */
extern uint32 fm_graph_order(const FmGraph *graph, uint32 *order);

/*
 * The strongly connected component of each node, numbered from 1, or 0 for nodes on no cycle; gives the number of
 * components
 */
extern uint32 fm_graph_cycles(const FmGraph *graph, uint32 *component);

#endif
