/*
 * Opening lineage_graph values for walks, and keeping them open
 *
 * To walk over a value its bytes are read, its nodes numbered and its edges ordered, which takes far longer than most
 * walks. So the values that were opened last stay open for the session, as long as all of them take no more memory than
 * one walk may (fm_traversal_memory_limit: twice work_mem times hash_mem_multiplier). A value is known again by its
 * bytes, as they are stored; whatever became of the row, the same bytes are the same graph, so nothing can make a kept
 * one wrong.
 *
 * To read the bytes of a large value takes time too, so it is also known by the tuple that its first piece lies in:
 * file, place, value number and inserting transaction together are never used again while a session lives (a place is
 * free for others only when that transaction is over, and it cannot come back before 2^32 others). The pieces of a
 * value are written at once and never changed. Where anything of this differs the bytes decide.
 */
#include "lineage/graph_call.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_internals.h"
#include "catalog/pg_am.h"
#include "lib/ilist.h"
#include "lineage/traverse_call.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Smaller values are opened each time */
#define MIN_KEPT_BYTES 16384

/* Stored bytes are compared a piece at a time, so that those of a known value need no room */
#define PIECE_BYTES (128 * 1024)

/* What is stored of a value: in a toast table (perhaps compressed), or at hand and not compressed */
typedef struct StoredBytes
{
	bool toasted;
	struct varatt_external pointer; /* if toasted */
	const char *bytes;				/* if at hand */
	Size size;
} StoredBytes;

/* Where the first piece of a toasted value lies */
typedef struct StoredPlace
{
	Oid relation; /* InvalidOid: nowhere */
	Oid file;
	Oid value;
	ItemPointerData tid;
	TransactionId inserted_by;
} StoredPlace;

typedef struct OpenGraph
{
	dlist_node node;
	MemoryContext context; /* of all of it */
	FmGraphValue value;
	bool compressed; /* what is stored is not the value's bytes */
	const char *stored;
	Size stored_size;
	StoredPlace place;
	int n_users;
	bool kept; /* in the list; else it goes with its last user */
} OpenGraph;

typedef struct GraphUser
{
	OpenGraph *graph;
	MemoryContextCallback callback;
} GraphUser;

static dlist_head kept_graphs = DLIST_STATIC_INIT(kept_graphs); /* the last used first */

/* ---- what is stored ---- */

static StoredBytes
StoredBytesOf(Datum datum)
{
	struct varlena *attribute = (struct varlena *) DatumGetPointer(datum);
	StoredBytes stored = {0};

	if (VARATT_IS_EXTERNAL_ONDISK(attribute))
	{
		stored.toasted = true;
		VARATT_EXTERNAL_GET_POINTER(stored.pointer, attribute);
		stored.size = VARATT_EXTERNAL_GET_EXTSIZE(stored.pointer);
	}
	else
	{
		bytea *bytes = (bytea *) PG_DETOAST_DATUM_PACKED(datum);

		stored.bytes = VARDATA_ANY(bytes);
		stored.size = VARSIZE_ANY_EXHDR(bytes);
	}
	return stored;
}

static bool
IsCompressed(const StoredBytes *stored)
{
	/* as VARATT_EXTERNAL_IS_COMPRESSED has it, with signs that compilers like */
	return stored->toasted && stored->size + VARHDRSZ < (Size) stored->pointer.va_rawsize;
}

/*
 * The place of a value; nowhere when it is not toasted, or not in a heap
 */
static StoredPlace
PlaceOf(const StoredBytes *stored)
{
	StoredPlace place = {0};
	Relation toast;
	Relation *indexes;
	int n_indexes;
	int valid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!stored->toasted)
		return place;
	toast = table_open(stored->pointer.va_toastrelid, AccessShareLock);
	if (toast->rd_rel->relam == HEAP_TABLE_AM_OID)
	{
		FM_TOAST_SNAPSHOT(snapshot);

		valid = toast_open_indexes(toast, AccessShareLock, &indexes, &n_indexes);
		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(stored->pointer.va_valueid));
		scan = systable_beginscan_ordered(toast, indexes[valid], snapshot, 1, &key);
		tuple = systable_getnext_ordered(scan, ForwardScanDirection);
		if (tuple != NULL)
		{
			place.relation = stored->pointer.va_toastrelid;
			place.file = toast->rd_rel->relfilenode;
			place.value = stored->pointer.va_valueid;
			place.tid = tuple->t_self;
			place.inserted_by = HeapTupleHeaderGetRawXmin(tuple->t_data);
		}
		systable_endscan_ordered(scan);
		toast_close_indexes(indexes, n_indexes, AccessShareLock);
	}
	table_close(toast, AccessShareLock);
	return place;
}

static bool
SamePlace(const StoredPlace *a, const StoredPlace *b)
{
	return OidIsValid(a->relation) && a->relation == b->relation && a->file == b->file && a->value == b->value &&
		   ItemPointerEquals((ItemPointer) &a->tid, (ItemPointer) &b->tid) && a->inserted_by == b->inserted_by;
}

static bool
SameToastedBytes(const StoredBytes *stored, const char *bytes)
{
	Relation toast = table_open(stored->pointer.va_toastrelid, AccessShareLock);
	struct varlena *piece = palloc(PIECE_BYTES + VARHDRSZ);
	bool same = true;

	for (Size offset = 0; same && offset < stored->size; offset += PIECE_BYTES)
	{
		Size size = Min(PIECE_BYTES, stored->size - offset);

		SET_VARSIZE(piece, size + VARHDRSZ);
		table_relation_fetch_toast_slice(toast, stored->pointer.va_valueid, (int32) stored->size, (int32) offset,
										 (int32) size, piece);
		same = memcmp(VARDATA(piece), bytes + offset, size) == 0;
		CHECK_FOR_INTERRUPTS();
	}
	pfree(piece);
	table_close(toast, AccessShareLock);
	return same;
}

static bool
SameBytes(const StoredBytes *stored, const OpenGraph *graph)
{
	if (graph->stored_size != stored->size || graph->compressed != IsCompressed(stored))
		return false;
	return stored->toasted ? SameToastedBytes(stored, graph->stored)
						   : memcmp(stored->bytes, graph->stored, stored->size) == 0;
}

/* ---- those that are kept ---- */

static void
LeaveGraph(void *arg)
{
	OpenGraph *graph = ((GraphUser *) arg)->graph;

	if (--graph->n_users == 0 && !graph->kept)
		MemoryContextDelete(graph->context);
}

static FmGraphValue
UseGraph(OpenGraph *graph)
{
	GraphUser *user = palloc0(sizeof(GraphUser));

	user->graph = graph;
	user->callback.func = LeaveGraph;
	user->callback.arg = user;
	graph->n_users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &user->callback);
	return graph->value;
}

static void
DropGraph(OpenGraph *graph)
{
	dlist_delete(&graph->node);
	graph->kept = false;
	if (graph->n_users == 0)
		MemoryContextDelete(graph->context);
}

/*
 * Drops the graphs that were not used for the longest time until the rest takes no more than a limit
 */
static void
DropDownTo(Size limit)
{
	dlist_mutable_iter iter;
	Size total = 0;

	dlist_foreach_modify(iter, &kept_graphs)
	{
		OpenGraph *graph = dlist_container(OpenGraph, node, iter.cur);

		total += MemoryContextMemAllocated(graph->context, true);
		if (total > limit)
			DropGraph(graph);
	}
}

static OpenGraph *
FindKept(const StoredBytes *stored, const StoredPlace *place)
{
	dlist_iter iter;

	dlist_foreach(iter, &kept_graphs)
	{
		OpenGraph *graph = dlist_container(OpenGraph, node, iter.cur);

		if (SamePlace(place, &graph->place) || SameBytes(stored, graph))
		{
			graph->place = *place;
			dlist_move_head(&kept_graphs, &graph->node);
			return graph;
		}
	}
	return NULL;
}

/* ---- opening ---- */

/*
 * A graph with all it needs in a context of its own, below the current one
 */
static OpenGraph *
NewGraph(Datum datum, const StoredBytes *stored)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "open lineage graph", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	OpenGraph *graph = palloc0(sizeof(OpenGraph));
	bytea *bytes;
	FmError error = {0};

	graph->context = context;
	graph->compressed = IsCompressed(stored);
	graph->stored_size = stored->size;
	if (graph->compressed)
	{
		struct varlena *packed = detoast_external_attr((struct varlena *) DatumGetPointer(datum));

		graph->stored = VARDATA(packed);
		bytes = (bytea *) PG_DETOAST_DATUM(PointerGetDatum(packed));
	}
	else
		bytes = (bytea *) PG_DETOAST_DATUM_COPY(datum);
	graph->value.data = (const uint8 *) VARDATA_ANY(bytes);
	if (!graph->compressed)
		graph->stored = (const char *) graph->value.data;
	graph->value.graph = fm_graph_new();
	if (!fm_graph_parse(graph->value.graph, graph->value.data, VARSIZE_ANY_EXHDR(bytes), &error))
		fm_throw(&error, NULL);
	MemoryContextSwitchTo(old_context);
	return graph;
}

FmGraphValue
fm_open_graph(Datum datum)
{
	StoredBytes stored = StoredBytesOf(datum);
	Size limit = fm_traversal_memory_limit();
	StoredPlace place = {0};
	OpenGraph *graph;
	Size size;

	if (stored.size >= MIN_KEPT_BYTES)
	{
		place = PlaceOf(&stored);
		graph = FindKept(&stored, &place);
		if (graph != NULL)
			return UseGraph(graph);
	}
	graph = NewGraph(datum, &stored);
	graph->place = place;
	size = stored.size < MIN_KEPT_BYTES ? limit + 1 : MemoryContextMemAllocated(graph->context, true);
	/* else it goes with the current context, as what is palloc'd does */
	if (size <= limit)
	{
		DropDownTo(limit - size);
		MemoryContextSetParent(graph->context, CacheMemoryContext);
		dlist_push_head(&kept_graphs, &graph->node);
		graph->kept = true;
		return UseGraph(graph);
	}
	return graph->value;
}
