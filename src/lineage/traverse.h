/*
 * Walking a lineage graph breadth-first: artifacts and executions are nodes, events are edges
 *
 * The walk asks a source for the events of a batch of nodes, a level at a time; where the events come from (index
 * scans, one scan of the whole table, a lineage_graph value) is the source's business. The core keeps the nodes it has
 * seen, each with the node it was first reached from, so that distance and a shortest path come for nothing.
 */
#ifndef FM_LINEAGE_TRAVERSE_H
#define FM_LINEAGE_TRAVERSE_H

#include "fm_core.h"
#include "lineage/filter.h"

typedef enum FmDirection
{
	FM_UPSTREAM = 1,
	FM_DOWNSTREAM = 2,
	FM_BIDIRECTIONAL = 3
} FmDirection;

/* Event.Type as bits: which carry data from an artifact into an execution, and which the other way */
#define FM_INPUT_EVENTS ((1 << 2) | (1 << 3) | (1 << 5))
#define FM_OUTPUT_EVENTS ((1 << 1) | (1 << 4) | (1 << 6) | (1 << 7))
#define FM_ALL_EVENTS 0xFFFFFFFF
#define FM_EVENT_BIT(type) ((type) >= 0 && (type) < 31 ? 1U << (type) : 1U << 31)

typedef struct FmEvent
{
	int64 id;
	int64 artifact_id;
	int64 execution_id;
	int64 milliseconds;
	int32 type;
	bool has_time;
} FmEvent;

#define FM_NO_NODE PG_UINT32_MAX

typedef struct FmTraversalNode
{
	int64 id;
	uint32 parent; /* index of the node it was reached from, FM_NO_NODE for a start */
	int32 distance;
	uint8 kind; /* FmNodeKind */
	bool ending;
	bool expanded;
	bool excluded; /* an ending node that is not asked for */
} FmTraversalNode;

struct FmTraversal;
struct FmIdTable;

typedef struct FmEventSource
{
	/*
	 * Hands every event of the nodes to fm_traversal_event. types: bits of the event types that matter, the others
	 * may be left out. ids are in no order and without duplicates.
	 */
	void (*expand)(struct FmEventSource *source, struct FmTraversal *traversal, FmNodeKind kind, const int64 *ids,
				   uint32 n, uint32 types);
	/* Sets ending[i] for the ids at which the walk stops, and hidden[i] for those that the caller cannot see; may be
	 * NULL */
	void (*classify)(struct FmEventSource *source, FmNodeKind kind, const int64 *ids, uint32 n, bool *ending,
					 bool *hidden);
} FmEventSource;

typedef struct FmTraversalOptions
{
	FmDirection direction;
	int64 max_hops;		/* < 0: no limit */
	uint32 event_types; /* bits of the types to follow */
	bool has_before;	/* events after this are not there; events without a time are */
	int64 before;
	bool include_ending_artifacts;
	bool include_ending_executions;
	bool collect_events; /* keep the events of the subgraph */
	bool has_target;	 /* stop as soon as this node is reached */
	FmNodeKind target_kind;
	int64 target_id;
	Size memory_limit; /* bytes; 0: none */
} FmTraversalOptions;

/* The indexes of nodes, + 1, for all ids from first on; 0: not reached */
typedef struct FmIdWindow
{
	int64 first;
	uint64 size;
	uint32 *index;
} FmIdWindow;

typedef struct FmTraversal
{
	FmTraversalOptions options;
	FmEventSource *source;
	FmError *error;
#ifndef FRONTEND
	MemoryContext context; /* of all that is kept */
#endif
	FmTraversalNode *nodes;
	uint32 n_nodes;
	uint32 max_nodes;
	/* to find nodes by id; by FmNodeKind: EXECUTION, ARTIFACT */
	FmIdWindow windows[2];
	struct FmIdTable *tables[2]; /* of ids outside the window */
	FmEvent *events;			 /* collected */
	uint64 n_events;
	uint64 max_events;
	uint32 found;	   /* index of the target, or FM_NO_NODE */
	uint64 n_followed; /* events seen, for those who choose how to read them */
	/* of the level that is being expanded */
	FmNodeKind level_kind;
	int64 near_id; /* of the last event, and the node's index; FM_NO_NODE: none */
	uint32 near_index;
	int32 level_distance;
	FmEvent *level_events;
	uint64 n_level_events;
	uint64 max_level_events;
	bool buffering;
} FmTraversal;

extern void fm_traversal_begin(FmTraversal *traversal, const FmTraversalOptions *options, FmEventSource *source,
							   FmError *error);
/* Adds a start node; twice does no harm */
extern bool fm_traversal_start(FmTraversal *traversal, FmNodeKind kind, int64 id);
/* Walks until nothing new comes, max_hops is reached or the target found; false when the error was filled in */
extern bool fm_traversal_run(FmTraversal *traversal);

/* For sources: an event of a node of the level */
extern void fm_traversal_event(FmTraversal *traversal, const FmEvent *event);

/* For sources that know that ids are dense: finds nodes with ids from 0 to n - 1 by an array from now on */
extern void fm_traversal_index_densely(FmTraversal *traversal, FmNodeKind kind, int64 n);

/* The types of events that the walk follows from nodes of a kind, as bits */
extern uint32 fm_traversal_types(const FmTraversal *traversal, FmNodeKind kind);

/* Index of a node, FM_NO_NODE when it was not reached */
extern uint32 fm_traversal_find(const FmTraversal *traversal, FmNodeKind kind, int64 id);

#endif
