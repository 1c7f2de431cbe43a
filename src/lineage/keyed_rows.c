/*
 * Rows of a table of MLMD by a key
 */
#include "lineage/keyed_rows.h"

#include "lineage/direct_scan.h"
#include "lineage/kept_plan.h"
#include "lineage/lineage_query.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* So many entries that nobody asked for are passed over before the index is asked for the next id */
#define MAX_SKIPPED 32

/* After so many ranges without a row the index is asked where there are rows again; that is worth so many ids */
#define EMPTY_RANGES 4
#define PROBE_IDS 8

/*
 * Ids that are near one another are a range: an index finds a range as fast as an id. What lies between the ids is read for
 * nothing, so that is never more than the ids themselves. Gives the number of ids in the range that starts with the first.
 */
static int
IdsInRange(const int64 *ids, int n)
{
	int in_range = 1;

	while (in_range < n && (uint64) ids[in_range] - (uint64) ids[0] <= 2 * (uint64) in_range)
		in_range++;
	return in_range;
}

/* ---- by index ---- */

typedef struct DirectRead
{
	const FmKeyedTable *table;
	Relation relation;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	AttrNumber attributes[FM_KEYED_COLUMNS];
	AttrNumber last; /* of attributes */
	bool is_int4[FM_KEYED_COLUMNS];
	FmKeyedReceiver receive;
	void *arg;
} DirectRead;

/*
 * The columns by name, as they are expected to be
 */
static bool
FindColumns(DirectRead *read)
{
	static const Oid types[] = {[FM_COLUMN_INT] = INT8OID,
								[FM_COLUMN_DOUBLE] = FLOAT8OID,
								[FM_COLUMN_TEXT] = TEXTOID,
								[FM_COLUMN_BYTES] = BYTEAOID,
								[FM_COLUMN_BOOL] = BOOLOID};

	for (int c = 0; c < read->table->n_columns; c++)
	{
		AttrNumber attribute = get_attnum(RelationGetRelid(read->relation), read->table->columns[c].name);
		FmColumnType type = read->table->columns[c].type;
		Oid found;

		if (attribute == InvalidAttrNumber)
			return false;
		found = TupleDescAttr(RelationGetDescr(read->relation), attribute - 1)->atttypid;
		read->is_int4[c] = type == FM_COLUMN_INT && c > 0 && found == INT4OID;
		if (found != types[type] && !read->is_int4[c])
			return false;
		read->attributes[c] = attribute;
		read->last = Max(read->last, attribute);
	}
	return true;
}

static bool
OpenIndex(DirectRead *read)
{
	List *indexes = RelationGetIndexList(read->relation);
	ListCell *lc;

	foreach (lc, indexes)
	{
		Relation index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_index->indkey.values[0] == read->attributes[0] && fm_index_reads_directly(index))
		{
			read->index = index;
			return true;
		}
		index_close(index, AccessShareLock);
	}
	return false;
}

/*
 * The next entry of the index; its row may be one that the snapshot does not see
 */
static bool
NextKey(DirectRead *read, int64 *key)
{
	bool is_null;

	if (index_getnext_tid(read->scan, ForwardScanDirection) == NULL)
		return false;
	*key = DatumGetInt64(index_getattr(read->scan->xs_itup, 1, read->scan->xs_itupdesc, &is_null));
	return true;
}

static void
ReceiveSlot(const DirectRead *read)
{
	Datum values[FM_KEYED_COLUMNS];
	bool nulls[FM_KEYED_COLUMNS];
	const FmKeyedRow row = {values, nulls};

	slot_getsomeattrs(read->slot, read->last);
	for (int c = 0; c < read->table->n_columns; c++)
	{
		int attribute = read->attributes[c] - 1;

		nulls[c] = read->slot->tts_isnull[attribute];
		values[c] = read->slot->tts_values[attribute];
		if (read->is_int4[c] && !nulls[c])
			values[c] = Int64GetDatum(DatumGetInt32(values[c]));
	}
	read->receive(read->arg, &row);
}

/*
 * The rows of ids that are a range. Tells whether the index has an entry for one of them.
 */
static bool
ReadRange(DirectRead *read, const int64 *ids, int n)
{
	int64 key;
	int i = 0;
	int skipped = 0;
	bool found = false;

	fm_index_range(read->scan, ids[0], ids[n - 1]);
	while (NextKey(read, &key))
	{
		while (ids[i] < key)
			i++;
		if (ids[i] == key)
		{
			found = true;
			skipped = 0;
			if (index_fetch_heap(read->scan, read->slot))
				ReceiveSlot(read);
		}
		else if (++skipped > MAX_SKIPPED)
		{
			skipped = 0;
			fm_index_range(read->scan, ids[i], ids[n - 1]);
		}
		CHECK_FOR_INTERRUPTS();
	}
	return found;
}

/*
 * Passes over the ids before the next entry of the index; gives their number
 */
static int
IdsBeforeNextKey(DirectRead *read, const int64 *ids, int n)
{
	int64 key;
	int passed = 0;

	fm_index_range(read->scan, ids[0], ids[n - 1]);
	if (!NextKey(read, &key))
		return n;
	while (ids[passed] < key)
		passed++;
	return passed;
}

static void
ReadByIndex(DirectRead *read, const int64 *ids, int n)
{
	int patience = EMPTY_RANGES;
	int n_empty = 0;

	read->slot = table_slot_create(read->relation, NULL);
	read->scan = fm_index_beginscan(read->relation, read->index, GetActiveSnapshot(), 2);
	read->scan->xs_want_itup = true;
	for (int i = 0; i < n;)
	{
		int in_range = IdsInRange(ids + i, n - i);

		n_empty = ReadRange(read, ids + i, in_range) ? 0 : n_empty + 1;
		i += in_range;
		if (n_empty == patience && i < n)
		{
			int passed = IdsBeforeNextKey(read, ids + i, n - i);

			patience = passed >= PROBE_IDS ? EMPTY_RANGES : Min(patience * 2, 1024);
			n_empty = 0;
			i += passed;
		}
		CHECK_FOR_INTERRUPTS();
	}
	index_endscan(read->scan);
	ExecDropSingleTupleTableSlot(read->slot);
}

/*
 * Reads the rows without the executor; false when the caller must go by a query
 */
static bool
ReadDirectly(const FmKeyedTable *table, const int64 *ids, int n, FmKeyedReceiver receive, void *arg)
{
	Oid relation = get_relname_relid(table->name, get_namespace_oid("mlmd", false));
	DirectRead read = {.table = table, .receive = receive, .arg = arg};
	bool directly;

	if (!OidIsValid(relation))
		return false;
	read.relation = relation_open(relation, AccessShareLock);
	directly = fm_reads_directly(read.relation) && FindColumns(&read) && OpenIndex(&read);
	if (directly)
	{
		ReadByIndex(&read, ids, n);
		index_close(read.index, AccessShareLock);
	}
	relation_close(read.relation, AccessShareLock);
	return directly;
}

/* ---- by a query ---- */

typedef struct QueryReceiver
{
	DestReceiver pub;
	const FmKeyedTable *table;
	const int64 *ids;
	int n;
	FmKeyedReceiver receive;
	void *arg;
	MemoryContext context;
} QueryReceiver;

static bool
ReceiveResult(TupleTableSlot *slot, DestReceiver *self)
{
	QueryReceiver *receiver = (QueryReceiver *) self;
	FmKeyedRow row;
	MemoryContext old_context;

	slot_getallattrs(slot);
	row.values = slot->tts_values;
	row.nulls = slot->tts_isnull;
	/* ranges have rows of other ids too */
	while (receiver->n > 0 && *receiver->ids < DatumGetInt64(row.values[0]))
	{
		receiver->ids++;
		receiver->n--;
	}
	if (receiver->n == 0 || *receiver->ids != DatumGetInt64(row.values[0]))
		return true;
	old_context = MemoryContextSwitchTo(receiver->context);
	receiver->receive(receiver->arg, &row);
	MemoryContextSwitchTo(old_context);
	return true;
}

static void
StartResult(DestReceiver *self, int operation, TupleDesc descriptor)
{
}

static void
EndResult(DestReceiver *self)
{
}

static void
ReadByQuery(const FmKeyedTable *table, const int64 *ids, int n, const TimestampTz *as_of, FmKeyedReceiver receive,
			void *arg)
{
	QueryReceiver receiver = {{ReceiveResult, StartResult, EndResult, EndResult, DestNone},
							  table,
							  ids,
							  n,
							  receive,
							  arg,
							  CurrentMemoryContext};
	DestReceiver *dest = (DestReceiver *) &receiver;
	const char *relation = as_of ? fm_relation_as_of(table->name) : psprintf("mlmd.%s", table->name);
	const char *key = table->columns[0].name;
	const char *order = table->order != NULL && as_of == NULL ? table->order : "1";
	Oid types[3] = {TIMESTAMPTZOID, INT8ARRAYOID, INT8ARRAYOID};
	Datum values[3] = {TimestampTzGetDatum(as_of ? *as_of : 0)};
	int64 *low = MemoryContextAllocHuge(CurrentMemoryContext, (Size) n * 2 * sizeof(int64));
	int64 *high = low + n;
	int n_ranges = 0;
	StringInfoData sql;

	initStringInfo(&sql);
	for (int c = 0; c < table->n_columns; c++)
		appendStringInfo(&sql, "%s n.%s%s", c == 0 ? "SELECT" : ",", table->columns[c].name,
						 table->columns[c].type == FM_COLUMN_INT ? "::pg_catalog.int8" : "");
	for (int i = 0, in_range; i < n; i += in_range)
	{
		in_range = IdsInRange(ids + i, n - i);
		low[n_ranges] = ids[i];
		high[n_ranges++] = ids[i + in_range - 1];
	}
	if (n_ranges <= FM_KEPT_PLAN_NODES)
	{
		values[1] = PointerGetDatum(fm_int64_array(low, n_ranges));
		values[2] = PointerGetDatum(fm_int64_array(high, n_ranges));
		appendStringInfo(&sql,
						 " FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) r (low, high), %s n WHERE "
						 "n.%s OPERATOR(pg_catalog.>=) r.low AND n.%s OPERATOR(pg_catalog.<=) r.high ORDER BY 1, %s",
						 relation, key, key, order);
		fm_execute_kept(sql.data, 3, types, values, true, dest);
	}
	else
	{
		values[1] = PointerGetDatum(fm_int64_array(ids, n));
		appendStringInfo(&sql, " FROM %s n WHERE n.%s OPERATOR(pg_catalog.=) ANY ($2) ORDER BY 1, %s", relation, key,
						 order);
		fm_execute_once(sql.data, 2, types, values, dest);
	}
	/* SPI leaves its own, which goes with SPI_finish */
	MemoryContextSwitchTo(receiver.context);
	pfree(low);
}

void
fm_read_keyed(const FmKeyedTable *table, const int64 *ids, int n, const TimestampTz *as_of, FmKeyedReceiver receive,
			  void *arg)
{
	if (n > 0 && (as_of != NULL || !ReadDirectly(table, ids, n, receive, arg)))
		ReadByQuery(table, ids, n, as_of, receive, arg);
}
