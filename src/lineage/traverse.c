/*
 * Breadth-first walk over events: the core
 */
#include "lineage/traverse.h"

#include "common/hashfn.h"

/* Index of a node by its id where ids are sparse, one table a kind */
typedef struct FmIdEntry
{
	int64 id;
	uint32 index; /* + 1 */
	char status;
} FmIdEntry;

static inline uint32
HashId(int64 id)
{
	return murmurhash32((uint32) id ^ murmurhash32((uint32) ((uint64) id >> 32)));
}

/*
 * A window has this many ids for each node there is, or less, and is made for so many nodes at once
 */
#define FM_WINDOW_IDS_PER_NODE 8
#define FM_WINDOW_NODES 256
#define FM_MAX_WINDOW_ID ((int64) 1 << 60)

#define SH_PREFIX idtable
#define SH_ELEMENT_TYPE FmIdEntry
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) HashId(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#ifdef FRONTEND
#define SH_RAW_ALLOCATOR palloc0
#endif
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#ifdef FRONTEND
#define ALLOC_HUGE(traversal, size) palloc(size)
#define REALLOC_HUGE(pointer, size) repalloc(pointer, size)
#else
#define ALLOC_HUGE(traversal, size) MemoryContextAllocHuge((traversal)->context, size)
#define REALLOC_HUGE(pointer, size) repalloc_huge(pointer, size)
#endif

void
fm_traversal_begin(FmTraversal *traversal, const FmTraversalOptions *options, FmEventSource *source, FmError *error)
{
	memset(traversal, 0, sizeof(*traversal));
	traversal->options = *options;
	traversal->source = source;
	traversal->error = error;
	traversal->found = traversal->near_index = FM_NO_NODE;
#ifndef FRONTEND
	traversal->context = CurrentMemoryContext;
#endif
	for (int i = 0; i < 2; i++)
		traversal->tables[i] = (struct FmIdTable *) idtable_create(
#ifndef FRONTEND
			CurrentMemoryContext,
#endif
			64, NULL);
}

static idtable_hash *
TableOf(const FmTraversal *traversal, FmNodeKind kind)
{
	return (idtable_hash *) traversal->tables[kind == FM_ARTIFACT ? 1 : 0];
}

static Size
MemoryUsed(const FmTraversal *traversal)
{
	return traversal->max_nodes * sizeof(FmTraversalNode) +
		   (TableOf(traversal, FM_ARTIFACT)->size + TableOf(traversal, FM_EXECUTION)->size) * sizeof(FmIdEntry) +
		   (traversal->windows[0].size + traversal->windows[1].size) * sizeof(uint32) +
		   (traversal->max_events + traversal->max_level_events) * sizeof(FmEvent);
}

static bool
CheckMemory(FmTraversal *traversal)
{
	if (traversal->options.memory_limit > 0 && MemoryUsed(traversal) > traversal->options.memory_limit)
	{
		fm_fail(traversal->error, ERRCODE_OUT_OF_MEMORY, "lineage is too large for work_mem");
		fm_fail_detail(traversal->error, "%u nodes take more than %zu kB, twice work_mem times hash_mem_multiplier.",
					   traversal->n_nodes, traversal->options.memory_limit / 1024);
		fm_fail_hint(traversal->error,
					 "Increase work_mem, or bound the walk by a number of hops, a boundary, event types or a time.");
	}
	return traversal->error->sqlstate == 0;
}

/* ---- nodes by id ---- */

/*
 * Place of an id in a window, NULL when it lies outside
 */
static inline uint32 *
WindowSlot(const FmIdWindow *window, int64 id)
{
	uint64 offset = (uint64) id - (uint64) window->first;

	return offset < window->size ? &window->index[offset] : NULL;
}

static void
ResizeWindow(FmTraversal *traversal, FmNodeKind kind, int64 first, uint64 size)
{
	FmIdWindow *window = &traversal->windows[kind == FM_ARTIFACT];
	uint32 *index = ALLOC_HUGE(traversal, size * sizeof(uint32));
	idtable_hash *table = TableOf(traversal, kind);
	idtable_iterator iterator;
	FmIdEntry *entry;

	memset(index, 0, size * sizeof(uint32));
	if (window->size > 0)
	{
		memcpy(index + (window->first - first), window->index, window->size * sizeof(uint32));
		pfree(window->index);
	}
	window->index = index;
	window->first = first;
	window->size = size;
	if (table->members == 0)
		return;
	/* those that are in the table may stay there: the window is asked first */
	idtable_start_iterate(table, &iterator);
	while ((entry = idtable_iterate(table, &iterator)) != NULL)
	{
		uint32 *slot = WindowSlot(window, entry->id);

		if (slot != NULL)
			*slot = entry->index;
	}
}

/*
 * Widens the window so that an id lies in it, unless most of it would be empty; ids of sequences are dense, so a window
 * is nearly always what finds them
 */
static uint32 *
WidenWindow(FmTraversal *traversal, FmNodeKind kind, int64 id)
{
	FmIdWindow *window = &traversal->windows[kind == FM_ARTIFACT];
	int64 first = window->size == 0 ? id : Min(window->first, id);
	int64 end = window->size == 0 ? id + 1 : Max(window->first + (int64) window->size, id + 1);
	int64 room;

	if (id < 0 || id > FM_MAX_WINDOW_ID ||
		end - first > ((int64) traversal->n_nodes + FM_WINDOW_NODES) * FM_WINDOW_IDS_PER_NODE)
		return NULL;
	/* it grows on the side where the walk goes */
	room = Max(end - first, FM_WINDOW_NODES);
	if (window->size == 0 || id < window->first)
		first = Max(first - room, 0);
	if (window->size == 0 || id >= end - 1)
		end += room;
	ResizeWindow(traversal, kind, first, end - first);
	return CheckMemory(traversal) ? WindowSlot(window, id) : NULL;
}

void
fm_traversal_index_densely(FmTraversal *traversal, FmNodeKind kind, int64 n)
{
	const FmIdWindow *window = &traversal->windows[kind == FM_ARTIFACT];
	int64 end = Max(n, window->size == 0 ? 0 : window->first + (int64) window->size);

	ResizeWindow(traversal, kind, 0, end);
}

/*
 * Index of a node, made with this distance and parent if it is new; FM_NO_NODE after an error
 */
static uint32
InternNode(FmTraversal *traversal, FmNodeKind kind, int64 id, int32 distance, uint32 parent)
{
	uint32 *slot = WindowSlot(&traversal->windows[kind == FM_ARTIFACT], id);
	FmTraversalNode *node;

	if (slot == NULL)
	{
		FmIdEntry *entry = TableOf(traversal, kind)->members == 0 ? NULL : idtable_lookup(TableOf(traversal, kind), id);

		if (entry != NULL)
			return entry->index - 1;
		slot = WidenWindow(traversal, kind, id);
	}
	else if (*slot != 0)
		return *slot - 1;
	if (traversal->n_nodes == traversal->max_nodes)
	{
		uint32 size = Max(64, traversal->max_nodes * 2);

		traversal->nodes = traversal->nodes == NULL ? ALLOC_HUGE(traversal, size * sizeof(FmTraversalNode))
													: REALLOC_HUGE(traversal->nodes, size * sizeof(FmTraversalNode));
		traversal->max_nodes = size;
	}
	if (!CheckMemory(traversal))
		return FM_NO_NODE;
	if (slot != NULL)
		*slot = traversal->n_nodes + 1;
	else
	{
		bool found;

		idtable_insert(TableOf(traversal, kind), id, &found)->index = traversal->n_nodes + 1;
	}
	node = &traversal->nodes[traversal->n_nodes++];
	memset(node, 0, sizeof(*node));
	node->id = id;
	node->kind = kind;
	node->distance = distance;
	node->parent = parent;
	if (traversal->options.has_target && kind == traversal->options.target_kind && id == traversal->options.target_id)
		traversal->found = traversal->n_nodes - 1;
	return traversal->n_nodes - 1;
}

uint32
fm_traversal_find(const FmTraversal *traversal, FmNodeKind kind, int64 id)
{
	const uint32 *slot = WindowSlot(&traversal->windows[kind == FM_ARTIFACT], id);
	const FmIdEntry *entry;

	/* none is 0 - 1 */
	if (slot != NULL)
		return *slot - 1;
	entry = idtable_lookup(TableOf(traversal, kind), id);
	return entry == NULL ? FM_NO_NODE : entry->index - 1;
}

bool
fm_traversal_start(FmTraversal *traversal, FmNodeKind kind, int64 id)
{
	InternNode(traversal, kind, id, 0, FM_NO_NODE);
	return traversal->error->sqlstate == 0;
}

static void
AppendEvent(FmTraversal *traversal, FmEvent **events, uint64 *n, uint64 *max, const FmEvent *event)
{
	if (*n == *max)
	{
		uint64 size = Max(256, *max * 2);

		*events = *events == NULL ? ALLOC_HUGE(traversal, size * sizeof(FmEvent))
								  : REALLOC_HUGE(*events, size * sizeof(FmEvent));
		*max = size;
		CheckMemory(traversal);
	}
	(*events)[(*n)++] = *event;
}

/*
 * The two ends of an event, seen from the kind that is being expanded
 */
static inline int64
NearId(const FmTraversal *traversal, const FmEvent *event)
{
	return traversal->level_kind == FM_ARTIFACT ? event->artifact_id : event->execution_id;
}

static inline int64
FarId(const FmTraversal *traversal, const FmEvent *event)
{
	return traversal->level_kind == FM_ARTIFACT ? event->execution_id : event->artifact_id;
}

static inline FmNodeKind
FarKind(const FmTraversal *traversal)
{
	return traversal->level_kind == FM_ARTIFACT ? FM_EXECUTION : FM_ARTIFACT;
}

/*
 * Index of a node of the level; a node's events come one after the other
 */
static inline uint32
NearIndex(FmTraversal *traversal, int64 id)
{
	if (traversal->near_index == FM_NO_NODE || traversal->near_id != id)
	{
		traversal->near_id = id;
		traversal->near_index = fm_traversal_find(traversal, traversal->level_kind, id);
	}
	return traversal->near_index;
}

uint32
fm_traversal_types(const FmTraversal *traversal, FmNodeKind kind)
{
	uint32 types = traversal->options.event_types;

	if (traversal->options.direction == FM_BIDIRECTIONAL)
		return types;
	return types & ((traversal->options.direction == FM_UPSTREAM) == (kind == FM_ARTIFACT) ? FM_OUTPUT_EVENTS
																						   : FM_INPUT_EVENTS);
}

void
fm_traversal_event(FmTraversal *traversal, const FmEvent *event)
{
	if (traversal->error->sqlstate != 0 ||
		!(fm_traversal_types(traversal, traversal->level_kind) & FM_EVENT_BIT(event->type)) ||
		(traversal->options.has_before && event->has_time && event->milliseconds > traversal->options.before))
		return;
	traversal->n_followed++;
	if (traversal->buffering)
		AppendEvent(traversal, &traversal->level_events, &traversal->n_level_events, &traversal->max_level_events,
					event);
	else
		InternNode(traversal, FarKind(traversal), FarId(traversal, event), traversal->level_distance + 1,
				   NearIndex(traversal, NearId(traversal, event)));
}

/*
 * Asks the source which of the nodes from first on are ends of the walk or hidden. Hidden nodes stay known, so that
 * they are not asked for again, but nobody sees them.
 */
static void
ClassifyNodes(FmTraversal *traversal, uint32 first)
{
	uint32 n = traversal->n_nodes - first;
	int64 *ids;
	bool *ending;
	bool *hidden;

	if (n == 0 || traversal->source->classify == NULL)
		return;
	ids = ALLOC_HUGE(traversal, n * sizeof(int64));
	ending = ALLOC_HUGE(traversal, n);
	hidden = ALLOC_HUGE(traversal, n);
	for (FmNodeKind kind = FM_EXECUTION; kind <= FM_ARTIFACT; kind++)
	{
		uint32 k = 0;

		for (uint32 i = first; i < first + n; i++)
			if (traversal->nodes[i].kind == kind)
				ids[k++] = traversal->nodes[i].id;
		if (k == 0)
			continue;
		memset(ending, 0, k);
		memset(hidden, 0, k);
		traversal->source->classify(traversal->source, kind, ids, k, ending, hidden);
		k = 0;
		for (uint32 i = first; i < first + n; i++)
		{
			FmTraversalNode *node = &traversal->nodes[i];

			if (node->kind != kind)
				continue;
			node->ending = ending[k] || hidden[k];
			node->excluded =
				hidden[k] || (ending[k] && !(kind == FM_ARTIFACT ? traversal->options.include_ending_artifacts
																 : traversal->options.include_ending_executions));
			k++;
		}
	}
	pfree(ids);
	pfree(ending);
	pfree(hidden);
}

/*
 * Which of the level's events belong to the subgraph. As the client has it: all to nodes that are followed, those to
 * ending nodes if these are asked for, and each once.
 */
static void
CollectEvents(FmTraversal *traversal)
{
	FmNodeKind far = FarKind(traversal);

	for (uint64 i = 0; i < traversal->n_level_events; i++)
	{
		const FmEvent *event = &traversal->level_events[i];
		uint32 index = fm_traversal_find(traversal, far, FarId(traversal, event));
		const FmTraversalNode *node = &traversal->nodes[index];

		if (node->excluded)
			continue;
		/* both ends are expanded when the walk goes both ways: the other end has given it already */
		if (traversal->options.direction == FM_BIDIRECTIONAL && node->expanded)
			continue;
		AppendEvent(traversal, &traversal->events, &traversal->n_events, &traversal->max_events, event);
	}
}

/*
 * Expands the nodes of one kind of the level [first, end)
 */
static bool
ExpandKind(FmTraversal *traversal, FmNodeKind kind, uint32 first, uint32 end, int64 *ids)
{
	uint32 n = 0;
	uint32 old_n = traversal->n_nodes;

	for (uint32 i = first; i < end; i++)
		if (traversal->nodes[i].kind == kind && !traversal->nodes[i].ending)
			ids[n++] = traversal->nodes[i].id;
	if (n == 0 || fm_traversal_types(traversal, kind) == 0)
		return true;
	traversal->level_kind = kind;
	traversal->near_index = FM_NO_NODE;
	traversal->n_level_events = 0;
	traversal->buffering = traversal->options.collect_events;
	traversal->source->expand(traversal->source, traversal, kind, ids, n, fm_traversal_types(traversal, kind));
	if (traversal->error->sqlstate != 0)
		return false;
	if (traversal->buffering)
	{
		traversal->buffering = false;
		for (uint64 i = 0; i < traversal->n_level_events; i++)
		{
			const FmEvent *event = &traversal->level_events[i];

			InternNode(traversal, FarKind(traversal), FarId(traversal, event), traversal->level_distance + 1,
					   NearIndex(traversal, NearId(traversal, event)));
		}
	}
	if (traversal->error->sqlstate != 0)
		return false;
	ClassifyNodes(traversal, old_n);
	if (traversal->options.collect_events)
		CollectEvents(traversal);
	for (uint32 i = first; i < end; i++)
		if (traversal->nodes[i].kind == kind && !traversal->nodes[i].ending)
			traversal->nodes[i].expanded = true;
	return traversal->error->sqlstate == 0;
}

bool
fm_traversal_run(FmTraversal *traversal)
{
	uint32 first = 0;

	if (traversal->error->sqlstate != 0)
		return false;
	ClassifyNodes(traversal, 0);
	for (traversal->level_distance = 0;
		 first < traversal->n_nodes && traversal->found == FM_NO_NODE &&
		 (traversal->options.max_hops < 0 || traversal->level_distance < traversal->options.max_hops);
		 traversal->level_distance++)
	{
		uint32 end = traversal->n_nodes;
		int64 *ids = ALLOC_HUGE(traversal, (end - first) * sizeof(int64));
		bool done;

		CHECK_FOR_INTERRUPTS();
		done =
			ExpandKind(traversal, FM_ARTIFACT, first, end, ids) && ExpandKind(traversal, FM_EXECUTION, first, end, ids);
		pfree(ids);
		if (!done)
			return false;
		first = end;
	}
	return true;
}
