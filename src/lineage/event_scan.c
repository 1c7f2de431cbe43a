/*
 * Events straight from the table and its indexes
 *
 * Small frontiers go by index: a descent a node, and with no details no heap access either. When a walk has seen a good
 * part of the graph, one scan of the table and arrays in memory are faster for the rest of it; how much is a good part
 * follows from the cost of both.
 */
#include "lineage/event_scan.h"

#include "lineage/direct_scan.h"
#include "lineage/ids.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Ids so far apart are read in one go; what lies between is skipped, but no more than so many events of it */
#define MAX_GAP 8
#define MAX_SKIPPED 32

/*
 * Where a walk goes on to ids that are near, events of so many more ids are read with those that are asked for, but no
 * more than so many events
 */
#define AHEAD_IDS 32
#define MAX_AHEAD 128

/* A walk whose reading ahead was for nothing is not believed for so many reads */
#define AHEAD_PENALTY 8

/* A descent costs as much as this many rows of a scan, arrays included */
#define ROWS_PER_DESCENT 20
#define ROWS_PER_EVENT 4

/* The columns of mlmd.event by what they are */
enum
{
	COLUMN_ARTIFACT,
	COLUMN_EXECUTION,
	COLUMN_TYPE,
	N_LINK_COLUMNS,
	/* details */
	COLUMN_ID = N_LINK_COLUMNS,
	COLUMN_TIME,
	N_COLUMNS
};

/* Neighbours of all nodes of a kind, as arrays: those of id are far[start[id]] up to far[start[id + 1]] */
typedef struct Adjacency
{
	uint32 n_ids;
	uint32 *start;
	uint32 *far;
} Adjacency;

/* Events read ahead, of all ids from low to high, in their order */
typedef struct Ahead
{
	int64 low;
	int64 high; /* below low: nothing was read ahead */
	uint32 n;
	FmEvent events[MAX_AHEAD];
	bool used;
	int64 last_low; /* the last ids that were read because they were asked for */
	int64 last_high;
	int trust; /* > 0: it is worth reading ahead */
} Ahead;

struct FmEventScan
{
	MemoryContext context;
	Relation heap;
	AttrNumber columns[N_COLUMNS];
	Relation index[2]; /* by kind: artifact 1, execution 0 */
	IndexScanDesc scan[2];
	AttrNumber in_index[2][N_COLUMNS]; /* position of the columns in the index, 0: it has it not */
	bool covered[2];				   /* the index has all that is wanted */
	TupleTableSlot *slot;
	Buffer vm_buffer;
	bool details;
	Ahead ahead[2];
	uint64 n_descents;
	double n_rows; /* of the table, roughly */
	bool scanned;
	bool unfit; /* the table does not fit in arrays */
	Adjacency adjacency[2];
};

/*
 * The index to find events by a column: it begins with it and has artifact, execution and type. Ours have id and time
 * too, so that details take no heap access either.
 */
static bool
OpenIndex(FmEventScan *scan, int kind, AttrNumber leading)
{
	List *indexes = RelationGetIndexList(scan->heap);
	ListCell *lc;

	foreach (lc, indexes)
	{
		Relation index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool fits = fm_index_reads_directly(index) && form->indkey.values[0] == leading;

		for (int c = 0; fits && c < N_COLUMNS; c++)
		{
			scan->in_index[kind][c] = 0;
			for (int k = 0; k < form->indnatts; k++)
				if (form->indkey.values[k] == scan->columns[c])
					scan->in_index[kind][c] = k + 1;
			fits = scan->in_index[kind][c] != 0 || c >= N_LINK_COLUMNS;
		}
		if (fits)
		{
			scan->index[kind] = index;
			scan->covered[kind] =
				!scan->details || (scan->in_index[kind][COLUMN_ID] != 0 && scan->in_index[kind][COLUMN_TIME] != 0);
			return true;
		}
		index_close(index, AccessShareLock);
	}
	return false;
}

FmEventScan *
fm_event_scan_open(bool details)
{
	static const char *const names[N_COLUMNS] = {"artifact_id", "execution_id", "type", "id",
												 "milliseconds_since_epoch"};
	static const Oid types[N_COLUMNS] = {INT8OID, INT8OID, INT4OID, INT8OID, INT8OID};
	Oid relation = get_relname_relid("event", get_namespace_oid("mlmd", false));
	FmEventScan *scan;
	bool fits;

	if (!OidIsValid(relation))
		return NULL;
	scan = palloc0(sizeof(FmEventScan));
	scan->context = CurrentMemoryContext;
	scan->details = details;
	scan->vm_buffer = InvalidBuffer;
	scan->heap = relation_open(relation, AccessShareLock);
	fits = fm_reads_directly(scan->heap);
	for (int c = 0; fits && c < N_COLUMNS; c++)
	{
		scan->columns[c] = get_attnum(relation, names[c]);
		fits = scan->columns[c] != InvalidAttrNumber && get_atttype(relation, scan->columns[c]) == types[c];
	}
	if (!fits || !OpenIndex(scan, 0, scan->columns[COLUMN_EXECUTION]) ||
		!OpenIndex(scan, 1, scan->columns[COLUMN_ARTIFACT]))
	{
		fm_event_scan_close(scan);
		return NULL;
	}
	for (int k = 0; k < 2; k++)
	{
		scan->ahead[k].low = 1;
		scan->ahead[k].last_low = scan->ahead[k].last_high = PG_INT64_MIN;
	}
	scan->n_rows = Max(scan->heap->rd_rel->reltuples, 0);
	scan->slot = table_slot_create(scan->heap, NULL);
	for (int k = 0; k < 2; k++)
	{
		scan->scan[k] = fm_index_beginscan(scan->heap, scan->index[k], GetActiveSnapshot(), 2);
		scan->scan[k]->xs_want_itup = scan->covered[k];
	}
	return scan;
}

void
fm_event_scan_close(FmEventScan *scan)
{
	if (BufferIsValid(scan->vm_buffer))
		ReleaseBuffer(scan->vm_buffer);
	for (int k = 0; k < 2; k++)
	{
		if (scan->scan[k])
			index_endscan(scan->scan[k]);
		if (scan->index[k])
			index_close(scan->index[k], AccessShareLock);
	}
	if (scan->slot)
		ExecDropSingleTupleTableSlot(scan->slot);
	relation_close(scan->heap, AccessShareLock);
}

/*
 * An event whose columns are in the slot
 */
static void
EventOfSlot(const FmEventScan *scan, FmEvent *event)
{
	bool is_null;

	event->artifact_id = DatumGetInt64(slot_getattr(scan->slot, scan->columns[COLUMN_ARTIFACT], &is_null));
	event->execution_id = DatumGetInt64(slot_getattr(scan->slot, scan->columns[COLUMN_EXECUTION], &is_null));
	event->type = DatumGetInt32(slot_getattr(scan->slot, scan->columns[COLUMN_TYPE], &is_null));
	event->id = DatumGetInt64(slot_getattr(scan->slot, scan->columns[COLUMN_ID], &is_null));
	event->milliseconds = DatumGetInt64(slot_getattr(scan->slot, scan->columns[COLUMN_TIME], &is_null));
	event->has_time = !is_null;
	if (is_null)
		event->milliseconds = 0;
}

static void
StartRange(FmEventScan *scan, int kind, int64 low, int64 high)
{
	fm_index_range(scan->scan[kind], low, high);
	scan->n_descents++;
}

static inline Datum
IndexColumn(const FmEventScan *scan, int kind, int column, bool *is_null)
{
	IndexScanDesc index_scan = scan->scan[kind];

	return index_getattr(index_scan->xs_itup, scan->in_index[kind][column], index_scan->xs_itupdesc, is_null);
}

/*
 * An event that the index has all of
 */
static void
EventOfIndex(const FmEventScan *scan, int kind, FmEvent *event)
{
	bool is_null;

	event->artifact_id = DatumGetInt64(IndexColumn(scan, kind, COLUMN_ARTIFACT, &is_null));
	event->execution_id = DatumGetInt64(IndexColumn(scan, kind, COLUMN_EXECUTION, &is_null));
	event->type = DatumGetInt32(IndexColumn(scan, kind, COLUMN_TYPE, &is_null));
	if (!scan->details)
		return;
	event->id = DatumGetInt64(IndexColumn(scan, kind, COLUMN_ID, &is_null));
	event->milliseconds = DatumGetInt64(IndexColumn(scan, kind, COLUMN_TIME, &is_null));
	event->has_time = !is_null;
	if (is_null)
		event->milliseconds = 0;
}

/*
 * The next event of the range, in the order of near ends
 */
static bool
NextEvent(FmEventScan *scan, int kind, FmEvent *event)
{
	IndexScanDesc index_scan = scan->scan[kind];
	ItemPointer tid;

	if (!scan->covered[kind])
	{
		if (!index_getnext_slot(index_scan, ForwardScanDirection, scan->slot))
			return false;
		EventOfSlot(scan, event);
		return true;
	}
	/* as an index-only scan: the heap is asked only about pages that are not all visible */
	for (;;)
	{
		tid = index_getnext_tid(index_scan, ForwardScanDirection);
		if (tid == NULL)
			return false;
		if (VM_ALL_VISIBLE(scan->heap, ItemPointerGetBlockNumber(tid), &scan->vm_buffer))
		{
			/* what the heap would have done for serializable transactions */
			PredicateLockPage(scan->heap, ItemPointerGetBlockNumber(tid), index_scan->xs_snapshot);
			break;
		}
		if (index_fetch_heap(index_scan, scan->slot))
			break;
	}
	EventOfIndex(scan, kind, event);
	return true;
}

static inline int64
NearEnd(const FmEvent *event, int kind)
{
	return kind ? event->artifact_id : event->execution_id;
}

static inline bool
IsAhead(const Ahead *ahead, int64 id)
{
	return ahead->low <= id && id <= ahead->high;
}

/*
 * Events of a node that were read ahead
 */
static void
TakeAhead(FmEventScan *scan, FmTraversal *traversal, int kind, int64 id)
{
	Ahead *ahead = &scan->ahead[kind];
	uint32 low = 0;
	uint32 high = ahead->n;

	while (low < high)
	{
		uint32 middle = (low + high) / 2;

		if (NearEnd(&ahead->events[middle], kind) < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < ahead->n && NearEnd(&ahead->events[low], kind) == id; low++)
		fm_traversal_event(traversal, &ahead->events[low]);
	ahead->used = true;
	ahead->last_low = Min(ahead->last_low, id);
	ahead->last_high = Max(ahead->last_high, id);
}

/*
 * How many ids to read ahead above those that are asked for, or below if negative: some when the walk goes on near the
 * ids that were read last, and twice as many each time that it does
 */
static int
IdsAhead(Ahead *ahead, int64 low, int64 high)
{
	int side = 0;
	int64 width = high - low + 1;

	if (low > ahead->last_high && low - AHEAD_IDS <= ahead->last_high)
		side = 1;
	else if (high < ahead->last_low && high + AHEAD_IDS >= ahead->last_low)
		side = -1;
	if (ahead->low <= ahead->high && !ahead->used)
		ahead->trust = -AHEAD_PENALTY;
	else if (side != 0 || ahead->trust < 0)
		ahead->trust = Min(ahead->trust + 1, 8);
	ahead->last_low = low;
	ahead->last_high = high;
	return ahead->trust <= 0 || width > AHEAD_IDS ? 0 : side * (int) Min(width << ahead->trust, AHEAD_IDS);
}

/*
 * Events of the nodes whose ids are sorted and near one another
 */
static void
ReadRun(FmEventScan *scan, FmTraversal *traversal, int kind, const int64 *ids, uint32 n)
{
	Ahead *ahead = &scan->ahead[kind];
	int64 low = ids[0];
	int64 high = ids[n - 1];
	/* an id has room for others beside it, or is not a sequence's */
	int more = low > AHEAD_IDS && high < PG_INT64_MAX - AHEAD_IDS ? IdsAhead(ahead, low, high) : 0;
	int64 end = more > 0 ? high + more : high;
	FmEvent event = {0};
	uint32 i = 0;
	uint32 skipped = 0;

	ahead->n = 0;
	ahead->used = false;
	StartRange(scan, kind, more < 0 ? low + more : low, end);
	ahead->low = more < 0 ? low + more : more > 0 ? high + 1 : 1;
	ahead->high = more < 0 ? low - 1 : more > 0 ? end : 0;
	while (NextEvent(scan, kind, &event))
	{
		int64 near = NearEnd(&event, kind);

		if (near < low || near > high)
		{
			if (ahead->n < MAX_AHEAD)
				ahead->events[ahead->n++] = event;
			else if (near > high)
			{
				ahead->high = near - 1;
				break;
			}
			else
			{
				/* nodes with many events lie before those that are asked for */
				ahead->high = ahead->low - 1;
				StartRange(scan, kind, low, high);
			}
			continue;
		}
		while (ids[i] < near)
			i++;
		if (ids[i] == near)
		{
			skipped = 0;
			fm_traversal_event(traversal, &event);
		}
		else if (++skipped > MAX_SKIPPED)
		{
			/* a node between that has many events */
			skipped = 0;
			StartRange(scan, kind, ids[i], end);
		}
	}
}

/* ---- the whole table ---- */

typedef struct PairList
{
	uint32 n;
	uint32 max;
	uint32 *near;
	uint32 *far;
	uint32 highest;
} PairList;

static void
AddPair(PairList *list, int64 near, int64 far)
{
	if (list->n == list->max)
	{
		Size size = Max(1024, (Size) list->max * 2);

		list->near = list->max == 0 ? palloc_extended(size * sizeof(uint32), MCXT_ALLOC_HUGE)
									: repalloc_huge(list->near, size * sizeof(uint32));
		list->far = list->max == 0 ? palloc_extended(size * sizeof(uint32), MCXT_ALLOC_HUGE)
								   : repalloc_huge(list->far, size * sizeof(uint32));
		list->max = size;
	}
	list->near[list->n] = (uint32) near;
	list->far[list->n++] = (uint32) far;
	list->highest = Max(list->highest, (uint32) near);
}

static void
BuildAdjacency(FmEventScan *scan, int kind, PairList *list)
{
	Adjacency *adjacency = &scan->adjacency[kind];
	uint32 *next;

	adjacency->n_ids = list->n == 0 ? 0 : list->highest + 1;
	adjacency->start = MemoryContextAllocExtended(scan->context, ((Size) adjacency->n_ids + 2) * sizeof(uint32),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	adjacency->far = MemoryContextAllocHuge(scan->context, Max((Size) list->n, 1) * sizeof(uint32));
	/* counts stand one further than they belong; filling moves them into place */
	next = adjacency->start + 1;
	for (uint32 i = 0; i < list->n; i++)
		next[list->near[i] + 1]++;
	for (uint32 i = 1; i <= adjacency->n_ids; i++)
		next[i] += next[i - 1];
	for (uint32 i = 0; i < list->n; i++)
		adjacency->far[next[list->near[i]]++] = list->far[i];
}

/*
 * Reads the events that the walk follows into arrays. Gives up when ids are too large or too sparse for them.
 */
static void
ScanTable(FmEventScan *scan, FmTraversal *traversal, const uint32 types[2])
{
	MemoryContext work = AllocSetContextCreate(scan->context, "events of a table", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(work);
	TableScanDesc table_scan = table_beginscan(scan->heap, GetActiveSnapshot(), 0, NULL);
	PairList lists[2] = {{0}};
	AttrNumber last =
		Max(Max(scan->columns[COLUMN_ARTIFACT], scan->columns[COLUMN_EXECUTION]), scan->columns[COLUMN_TYPE]);
	uint32 count = 0;
	int64 highest[2] = {0, 0};

	while (!scan->unfit && table_scan_getnextslot(table_scan, ForwardScanDirection, scan->slot))
	{
		int64 artifact;
		int64 execution;
		uint32 bit;

		slot_getsomeattrs(scan->slot, last);
		artifact = DatumGetInt64(scan->slot->tts_values[scan->columns[COLUMN_ARTIFACT] - 1]);
		execution = DatumGetInt64(scan->slot->tts_values[scan->columns[COLUMN_EXECUTION] - 1]);
		bit = FM_EVENT_BIT(DatumGetInt32(scan->slot->tts_values[scan->columns[COLUMN_TYPE] - 1]));
		if (((types[0] | types[1]) & bit) == 0)
			continue;
		if (artifact < 0 || execution < 0 || artifact >= PG_UINT32_MAX - 2 || execution >= PG_UINT32_MAX - 2)
			scan->unfit = true;
		highest[0] = Max(highest[0], execution);
		highest[1] = Max(highest[1], artifact);
		if (types[1] & bit)
			AddPair(&lists[1], artifact, execution);
		if (types[0] & bit)
			AddPair(&lists[0], execution, artifact);
		if ((++count & 0xFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	table_endscan(table_scan);
	ExecClearTuple(scan->slot);
	for (int k = 0; k < 2; k++)
		if (highest[k] / 8 > (int64) lists[0].n + lists[1].n)
			scan->unfit = true;
	if (!scan->unfit)
	{
		for (int k = 0; k < 2; k++)
			BuildAdjacency(scan, k, &lists[k]);
		scan->scanned = true;
		/* the far ends of one kind are the near ends of the other, or have no events to follow */
		for (int k = 0; k < 2; k++)
			fm_traversal_index_densely(traversal, k ? FM_ARTIFACT : FM_EXECUTION, highest[k] + 1);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(work);
}

/*
 * Whether it is time to read the whole table: the descents so far have cost about as much. In memory it takes a pair of
 * numbers and an array element an event, and an array element a node.
 */
static bool
WantsScan(const FmEventScan *scan, const FmTraversal *traversal)
{
	return !scan->scanned && !scan->unfit && !scan->details && scan->n_rows > 1000 &&
		   (double) (scan->n_descents * ROWS_PER_DESCENT + traversal->n_followed * ROWS_PER_EVENT) > scan->n_rows &&
		   (traversal->options.memory_limit == 0 || scan->n_rows * 16 < traversal->options.memory_limit);
}

void
fm_event_scan_expand(FmEventScan *scan, FmTraversal *traversal, FmNodeKind kind, const int64 *ids, uint32 n,
					 uint32 types)
{
	int k = kind == FM_ARTIFACT;
	int64 *sorted;

	if (WantsScan(scan, traversal))
	{
		const uint32 follow[2] = {fm_traversal_types(traversal, FM_EXECUTION),
								  fm_traversal_types(traversal, FM_ARTIFACT)};

		ScanTable(scan, traversal, follow);
	}
	if (scan->scanned)
	{
		const Adjacency *adjacency = &scan->adjacency[k];
		FmEvent event = {0};

		/* what was read is what is followed: any of the types will do */
		while (event.type < 31 && !(types & FM_EVENT_BIT(event.type)))
			event.type++;
		for (uint32 i = 0; i < n; i++)
		{
			if (ids[i] < 0 || ids[i] >= adjacency->n_ids)
				continue;
			event.artifact_id = event.execution_id = ids[i];
			for (uint32 e = adjacency->start[ids[i]]; e < adjacency->start[ids[i] + 1]; e++)
			{
				if (k)
					event.execution_id = adjacency->far[e];
				else
					event.artifact_id = adjacency->far[e];
				fm_traversal_event(traversal, &event);
			}
			if ((i & 0xFFFF) == 0xFFFF)
				CHECK_FOR_INTERRUPTS();
		}
		return;
	}
	/* neighbours in the index are read one after the other */
	sorted = palloc_extended(n * sizeof(int64), MCXT_ALLOC_HUGE);
	memcpy(sorted, ids, n * sizeof(int64));
	if (n > 1)
		fm_sort_ids(sorted, n);
	for (uint32 i = 0, end; i < n && traversal->error->sqlstate == 0; i = end)
	{
		for (end = i + 1; end < n && end - i < 1000 && sorted[end] - sorted[end - 1] <= MAX_GAP; end++)
			;
		if (IsAhead(&scan->ahead[k], sorted[i]) && IsAhead(&scan->ahead[k], sorted[end - 1]))
		{
			for (uint32 j = i; j < end; j++)
				TakeAhead(scan, traversal, k, sorted[j]);
			continue;
		}
		ReadRun(scan, traversal, k, sorted + i, end - i);
		CHECK_FOR_INTERRUPTS();
	}
	pfree(sorted);
}
