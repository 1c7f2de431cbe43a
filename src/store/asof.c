/*
 * For entity rows: each one's newest source row that was true and known by then
 *
 * A source row with event time e, known at c, can be the answer for every entity row of its key whose time is at or after
 * start = max(e, c). So it is kept with the first entity time at or after start, where only the newest of such rows matters
 * (by event time, then created time, then the features' values). After the pass the newest so far is carried forward along
 * the times of each key: the answer for a time is the newest of all rows that start at or before it. One pass in any
 * order, a binary search a row, memory for the entity rows alone. The time to live is looked at last: if the newest row
 * is too old, every other one is.
 *
 * Few entity rows over a large view with an index are better served by an index descent each; the planner's costs decide.
 */
#include "store/store.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "nodes/plannodes.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/timestamp.h"

/*
 * A group is the entity rows of one key: a single integer itself, or the address of the key's values. One entry is all that
 * a source row of another key touches.
 */
typedef struct AsofGroup
{
	Datum key;
	uint32 hash;
	uint32 number;
	uint32 first_slot; /* after finish */
	uint32 end_slot;
	char status;
} AsofGroup;

typedef struct AsofEntity
{
	uint32 group;
	uint32 row;
	TimestampTz time;
} AsofEntity;

#define SH_PREFIX asof
#define SH_ELEMENT_TYPE AsofGroup
#define SH_KEY_TYPE Datum
#define SH_KEY key
#define SH_HASH_KEY(tb, key) index_hash((tb)->private_data, key)
#define SH_EQUAL(tb, a, b) index_equal((tb)->private_data, a, b)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_DECLARE
#include "lib/simplehash.h"

struct AsofIndex
{
	MemoryContext context;
	int nkeys;
	StoreKey *keys;
	bool inline_key; /* one integer */
	bool open;		 /* keys are those of the source: a slot a key, made as they come */
	TimestampTz from; /* open: event times that count, "until" included */
	TimestampTz until;
	asof_hash *groups;
	uint32 ngroups;
	uint32 nrows;
	uint32 max_rows;
	AsofEntity *entities; /* in the order of adding; after finish by group and time, then given up */
	uint32 nslots;		  /* distinct pairs of group and time */
	TimestampTz *slot_time;
	uint32 *group_start; /* first slot of a group; ngroups + 1 entries */
	uint32 *row_slot;	 /* slot of an entity row, NO_SLOT for a NULL key or time */
	Datum *group_key;
	uint32 *slot_group;
	TimestampTz first_time;
	TimestampTz last_time;
};

#define NO_SLOT PG_UINT32_MAX
#define NO_GROUP PG_UINT32_MAX

/*
 * The newest row that is kept for a slot; its values follow, then their null flags. One record, so that a source row touches
 * one place.
 */
typedef struct AsofRecord
{
	TimestampTz event_time;
	TimestampTz created_time;
	uint32 answer; /* slot that holds the slot's answer, NO_SLOT for none; set by carry_forward */
	bool used;
	bool expired;
	Datum values[FLEXIBLE_ARRAY_MEMBER];
} AsofRecord;

struct AsofRows
{
	const AsofIndex *index;
	const StoreView *view;
	MemoryContext context;
	const AsofOptions *options;
	char *records;
	Size record_size;
	Size max_records;
	bool by_reference; /* a key or a feature is passed by reference */
	bool overflow;
};

static inline AsofRecord *
record_of(const AsofRows *rows, uint32 slot)
{
	return (AsofRecord *) (rows->records + slot * rows->record_size);
}

static inline bool *
record_nulls(const AsofRows *rows, AsofRecord *record)
{
	return (bool *) (record->values + rows->view->nfeatures);
}

/*
 * The values of a group's key
 */
static inline const Datum *
key_values(const AsofIndex *index, const Datum *key)
{
	return index->inline_key ? key : (const Datum *) DatumGetPointer(*key);
}

static inline uint32
index_hash(const AsofIndex *index, Datum key)
{
	return store_keys_hash(index->keys, index->nkeys, key_values(index, &key));
}

static inline bool
index_equal(const AsofIndex *index, Datum a, Datum b)
{
	return index->inline_key ? a == b : store_keys_equal(index->keys, index->nkeys, key_values(index, &a), key_values(index, &b));
}

#define SH_PREFIX asof
#define SH_ELEMENT_TYPE AsofGroup
#define SH_KEY_TYPE Datum
#define SH_KEY key
#define SH_HASH_KEY(tb, key) index_hash((tb)->private_data, key)
#define SH_EQUAL(tb, a, b) index_equal((tb)->private_data, a, b)
#define SH_SCOPE static inline
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_DEFINE
#include "lib/simplehash.h"

static int
compare_entities(const AsofEntity *a, const AsofEntity *b)
{
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return 0;
}

#define ST_SORT sort_entities
#define ST_ELEMENT_TYPE AsofEntity
#define ST_COMPARE(a, b) compare_entities(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Numbers a group that was just put into the hash table and copies its key
 */
static void
init_group(AsofIndex *index, AsofGroup *group)
{
	group->number = index->ngroups++;
	if (!index->inline_key)
	{
		const Datum *values = key_values(index, &group->key);
		MemoryContext old = MemoryContextSwitchTo(index->context);
		Datum *copy = palloc(sizeof(Datum) * index->nkeys);

		for (int i = 0; i < index->nkeys; i++)
			copy[i] = store_key_copy(&index->keys[i], values[i]);
		group->key = PointerGetDatum(copy);
		MemoryContextSwitchTo(old);
	}
}

AsofIndex *
asof_index_create(MemoryContext context, int nkeys, StoreKey *keys)
{
	AsofIndex *index = MemoryContextAllocZero(context, sizeof(AsofIndex));

	index->context = context;
	index->nkeys = nkeys;
	index->keys = keys;
	index->inline_key = nkeys == 1 && keys[0].class == STORE_KEY_INTEGER;
	index->groups = asof_create(context, 256, index);
	index->max_rows = 256;
	index->entities = MemoryContextAlloc(context, sizeof(AsofEntity) * index->max_rows);
	return index;
}

void
asof_index_add(AsofIndex *index, const Datum *keys, const bool *nulls, TimestampTz time, bool time_is_null)
{
	AsofEntity *entity;
	AsofGroup *group;
	Datum normal[STORE_MAX_KEYS];
	bool found;

	if (index->nrows == index->max_rows)
	{
		index->max_rows *= 2;
		index->entities = repalloc_huge(index->entities, sizeof(AsofEntity) * index->max_rows);
	}
	entity = &index->entities[index->nrows];
	entity->row = index->nrows++;
	entity->time = time;
	entity->group = NO_GROUP;
	if (time_is_null)
		return;
	for (int i = 0; i < index->nkeys; i++)
	{
		if (nulls[i])
			return;
		normal[i] = store_key_normalize(&index->keys[i], index->keys[i].left_type, keys[i]);
	}
	group = asof_insert(index->groups, index->inline_key ? normal[0] : PointerGetDatum(normal), &found);
	if (!found)
		init_group(index, group);
	entity->group = group->number;
}

void
asof_index_finish(AsofIndex *index)
{
	MemoryContext old = MemoryContextSwitchTo(index->context);
	asof_iterator iterator;
	AsofGroup *group;
	Size n = Max(index->nrows, 1);

	sort_entities(index->entities, index->nrows);
	index->slot_time = MemoryContextAllocHuge(index->context, sizeof(TimestampTz) * n);
	index->slot_group = MemoryContextAllocHuge(index->context, sizeof(uint32) * n);
	index->row_slot = MemoryContextAllocHuge(index->context, sizeof(uint32) * n);
	index->group_start = MemoryContextAllocHuge(index->context, sizeof(uint32) * ((Size) index->ngroups + 1));
	index->group_key = MemoryContextAllocHuge(index->context, sizeof(Datum) * Max(index->ngroups, 1));
	index->first_time = DT_NOEND;
	index->last_time = DT_NOBEGIN;
	for (uint32 i = 0; i < index->nrows; i++)
	{
		AsofEntity *entity = &index->entities[i];

		if (entity->group == NO_GROUP)
		{
			index->row_slot[entity->row] = NO_SLOT;
			continue;
		}
		if (i == 0 || index->entities[i - 1].group != entity->group)
			index->group_start[entity->group] = index->nslots;
		if (i == 0 || compare_entities(&index->entities[i - 1], entity) != 0)
		{
			index->slot_time[index->nslots] = entity->time;
			index->slot_group[index->nslots] = entity->group;
			index->nslots++;
		}
		index->row_slot[entity->row] = index->nslots - 1;
		index->first_time = Min(index->first_time, entity->time);
		index->last_time = Max(index->last_time, entity->time);
	}
	index->group_start[index->ngroups] = index->nslots;
	asof_start_iterate(index->groups, &iterator);
	while ((group = asof_iterate(index->groups, &iterator)) != NULL)
	{
		index->group_key[group->number] = group->key;
		group->first_slot = index->group_start[group->number];
		group->end_slot = index->group_start[group->number + 1];
	}
	pfree(index->entities);
	index->entities = NULL;
	MemoryContextSwitchTo(old);
}

/*
 * Is the row (event, created, values) newer than the one kept in the record?
 */
static inline bool
is_newer(const AsofRows *rows, AsofRecord *record, TimestampTz event, TimestampTz created, const Datum *values, const bool *nulls)
{
	if (!record->used)
		return true;
	if (event != record->event_time)
		return event > record->event_time;
	if (created != record->created_time)
		return created > record->created_time;
	return store_compare_features(rows->view, values, nulls, record->values, record_nulls(rows, record)) > 0;
}

static void
keep_row(AsofRows *rows, AsofRecord *record, TimestampTz event, TimestampTz created, const Datum *values, const bool *nulls)
{
	int n = rows->view->nfeatures;
	bool *kept_null = record_nulls(rows, record);

	for (int i = 0; i < n; i++)
	{
		const StoreColumn *column = &rows->view->features[i];

		if (!column->typbyval)
		{
			MemoryContext old = MemoryContextSwitchTo(rows->context);

			if (record->used && !kept_null[i])
				pfree(DatumGetPointer(record->values[i]));
			if (!nulls[i])
				record->values[i] = datumCopy(values[i], false, column->typlen);
			MemoryContextSwitchTo(old);
		}
		else
			record->values[i] = values[i];
		kept_null[i] = nulls[i];
	}
	record->used = true;
	record->event_time = event;
	record->created_time = created;
}

/*
 * Source rows wait here until there are enough of them: each touches a few places all over memory (the key's entry, its times,
 * its record), and asking for those of many rows at a time lets the processor fetch them together.
 */
#define PENDING_ROWS 32
#define PENDING_BYTES 256 /* room for a row's values by reference; a row that needs more goes through alone */

typedef struct PendingRow
{
	uint32 hash;
	TimestampTz event;
	TimestampTz created;
	TimestampTz start; /* from when on the row was true and known */
	const AsofGroup *group;
	AsofRecord *record;
	Datum *keys;   /* normalised */
	Datum *values; /* features */
	bool *nulls;
	char *bytes;
} PendingRow;

/* A receiver of the rows of a scan: (keys, event, [created], features) */
typedef struct AsofReceiver
{
	DestReceiver pub;
	AsofRows *rows;
	int npending;
	PendingRow pending[PENDING_ROWS];
} AsofReceiver;

static void
init_receiver(AsofReceiver *receiver, AsofRows *rows)
{
	int nkeys = rows->index->nkeys;
	int n = rows->view->nfeatures;

	receiver->rows = rows;
	receiver->npending = 0;
	for (int i = 0; i < PENDING_ROWS; i++)
	{
		receiver->pending[i].keys = MemoryContextAlloc(rows->context, sizeof(Datum) * nkeys);
		receiver->pending[i].values = MemoryContextAlloc(rows->context, sizeof(Datum) * Max(n, 1));
		receiver->pending[i].nulls = MemoryContextAlloc(rows->context, sizeof(bool) * Max(n, 1));
		receiver->pending[i].bytes = MemoryContextAlloc(rows->context, PENDING_BYTES);
	}
}

/*
 * For an open index: the slots of the pending rows' keys, new ones for new keys
 */
static void
find_open_slots(AsofReceiver *receiver)
{
	AsofRows *rows = receiver->rows;
	AsofIndex *index = (AsofIndex *) rows->index;
	uint32 slots[PENDING_ROWS];

	for (int i = 0; i < receiver->npending; i++)
	{
		PendingRow *row = &receiver->pending[i];
		bool found;
		AsofGroup *group =
			asof_insert_hash(index->groups, index->inline_key ? row->keys[0] : PointerGetDatum(row->keys), row->hash, &found);

		if (!found)
		{
			init_group(index, group);
			if (index->ngroups > rows->max_records)
			{
				Size old = rows->max_records * rows->record_size;

				rows->max_records *= 2;
				rows->records = repalloc_huge(rows->records, rows->max_records * rows->record_size);
				memset(rows->records + old, 0, rows->max_records * rows->record_size - old);
			}
		}
		slots[i] = group->number;
	}
	for (int i = 0; i < receiver->npending; i++)
	{
		receiver->pending[i].record = record_of(rows, slots[i]);
		__builtin_prefetch(receiver->pending[i].record, 1);
	}
}

/*
 * For entity rows: the slots in which the pending rows start
 */
static void
find_slots(AsofReceiver *receiver)
{
	AsofRows *rows = receiver->rows;
	const AsofIndex *index = rows->index;

	for (int i = 0; i < receiver->npending; i++)
	{
		PendingRow *row = &receiver->pending[i];

		row->group = asof_lookup_hash(index->groups, index->inline_key ? row->keys[0] : PointerGetDatum(row->keys), row->hash);
		if (row->group != NULL)
			__builtin_prefetch(&index->slot_time[row->group->first_slot]);
	}
	for (int i = 0; i < receiver->npending; i++)
	{
		PendingRow *row = &receiver->pending[i];
		uint32 low, high;

		row->record = NULL;
		if (row->group == NULL)
			continue;
		low = row->group->first_slot;
		high = row->group->end_slot;
		if (index->slot_time[high - 1] < row->start)
			continue;
		while (low < high)
		{
			uint32 middle = low + (high - low) / 2;

			if (index->slot_time[middle] < row->start)
				low = middle + 1;
			else
				high = middle;
		}
		row->record = record_of(rows, low);
		__builtin_prefetch(row->record, 1);
		__builtin_prefetch((char *) row->record + 64, 1);
	}
}

/*
 * Keeps the pending rows that are the newest of their key and time so far
 */
static void
flush_pending(AsofReceiver *receiver)
{
	AsofRows *rows = receiver->rows;

	if (rows->index->open)
		find_open_slots(receiver);
	else
		find_slots(receiver);
	for (int i = 0; i < receiver->npending; i++)
	{
		PendingRow *row = &receiver->pending[i];

		if (row->record != NULL && is_newer(rows, row->record, row->event, row->created, row->values, row->nulls))
			keep_row(rows, row->record, row->event, row->created, row->values, row->nulls);
	}
	receiver->npending = 0;
}

/*
 * Moves a row's values by reference into its own bytes; false when they do not fit
 */
static bool
hold_values(PendingRow *row, const AsofRows *rows)
{
	const AsofIndex *index = rows->index;
	const StoreView *view = rows->view;
	Size used = 0;

	for (int i = 0; i < index->nkeys + view->nfeatures; i++)
	{
		bool is_key = i < index->nkeys;
		const StoreColumn *feature = is_key ? NULL : &view->features[i - index->nkeys];
		Datum *value = is_key ? &row->keys[i] : &row->values[i - index->nkeys];
		Size size;

		if (is_key ? index->keys[i].typbyval : (feature->typbyval || row->nulls[i - index->nkeys]))
			continue;
		size = datumGetSize(*value, false, is_key ? index->keys[i].typlen : feature->typlen);
		if (used + size > PENDING_BYTES)
			return false;
		memcpy(row->bytes + used, DatumGetPointer(*value), size);
		*value = PointerGetDatum(row->bytes + used);
		used += MAXALIGN(size);
	}
	return true;
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	AsofReceiver *receiver = (AsofReceiver *) self;
	AsofRows *rows = receiver->rows;
	const AsofIndex *index = rows->index;
	const StoreView *view = rows->view;
	const AsofOptions *options = rows->options;
	PendingRow *row = &receiver->pending[receiver->npending];
	int next = index->nkeys;

	slot_getallattrs(slot);
	for (int i = 0; i < index->nkeys; i++)
	{
		if (slot->tts_isnull[i])
			return true;
		row->keys[i] = store_key_normalize(&index->keys[i], index->keys[i].right_type, slot->tts_values[i]);
	}
	if (slot->tts_isnull[next])
		return true;
	row->event = row->start = store_time(slot->tts_values[next], view->event_time.type);
	next++;
	/* a created time that is not told: known at its event time, and older than any that is */
	row->created = DT_NOBEGIN;
	if (view->created_time.name)
	{
		if (!slot->tts_isnull[next])
		{
			row->created = store_time(slot->tts_values[next], view->created_time.type);
			if (options->has_as_of && row->created > options->as_of)
				return true;
			if (options->known_at && row->created > row->start)
				row->start = row->created;
		}
		next++;
	}
	if (options->has_as_of && row->created == DT_NOBEGIN && row->event > options->as_of)
		return true;
	if (index->open && (row->event < index->from || row->event > index->until))
		return true;
	for (int i = 0; i < view->nfeatures; i++)
	{
		row->values[i] = slot->tts_values[next + i];
		row->nulls[i] = slot->tts_isnull[next + i];
	}
	row->hash = index_hash(index, index->inline_key ? row->keys[0] : PointerGetDatum(row->keys));
	__builtin_prefetch(&index->groups->data[row->hash & index->groups->sizemask]);
	receiver->npending++;
	if ((rows->by_reference && !hold_values(row, rows)) || receiver->npending == PENDING_ROWS)
	{
		flush_pending(receiver);
		/* values by reference, or keys that are not known before, are what can grow past the limit */
		if ((index->open || (rows->by_reference && index->nslots > 1)) &&
			MemoryContextMemAllocated(rows->context, true) > options->memory_limit)
		{
			rows->overflow = true;
			return false;
		}
	}
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
}

static void
receiver_nothing(DestReceiver *self)
{
}

/*
 * What the planner thinks of a query
 */
static void
plan_estimate(SPIPlanPtr plan, double *rows, double *cost)
{
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	PlannedStmt *statement;

	if (cached == NULL)
		elog(ERROR, "no plan for a query of the feature store");
	statement = linitial_node(PlannedStmt, cached->stmt_list);
	*rows = statement->planTree->plan_rows;
	*cost = statement->planTree->total_cost;
	ReleaseCachedPlan(cached, NULL); /* SPI gives a plan that is not saved no owner */
}

static SPIPlanPtr
prepare(const char *sql, int nargs, Oid *types, int options)
{
	SPIPlanPtr plan = SPI_prepare_cursor(sql, nargs, types, options);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * A time as a literal of the column's type; the bound is rounded towards "later" so that no row is lost
 */
static char *
time_literal(TimestampTz time, Oid type)
{
	char *text;

	if (type == DATEOID)
	{
		DateADT date;

		if (TIMESTAMP_IS_NOBEGIN(time))
			DATE_NOBEGIN(date);
		else if (TIMESTAMP_IS_NOEND(time))
			DATE_NOEND(date);
		else
			date = (time - (time < 0 ? USECS_PER_DAY - 1 : 0)) / USECS_PER_DAY;
		text = DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(date)));
	}
	else if (type == TIMESTAMPOID)
		text = DatumGetCString(DirectFunctionCall1(timestamp_out, TimestampGetDatum(time)));
	else
		text = DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(time)));
	return psprintf("%s::pg_catalog.%s", quote_literal_cstr(text),
					type == DATEOID ? "date" : type == TIMESTAMPOID ? "timestamp" : "timestamptz");
}

/*
 * One pass over the source. The time bounds go into the query only when the planner expects them to spare rows: an index
 * or partitions may then help, and otherwise they cost every row a comparison for nothing.
 */
static SPIPlanPtr
prepare_scan(const AsofIndex *index, const StoreView *view, const AsofOptions *options, double *cost)
{
	StringInfoData all, bounded;
	SPIPlanPtr plans[2];
	double rows[2], costs[2];
	Oid type = view->event_time.type;
	TimestampTz first;
	int choice;

	initStringInfo(&all);
	appendStringInfoString(&all, "SELECT ");
	store_append_columns(&all, view);
	appendStringInfo(&all, " FROM %s", view->source_name);
	initStringInfo(&bounded);
	/* without rows past the ttl an expired key looks like one that never was */
	first = index->open ? index->from : view->ttl && !options->tell_expired ? store_before(index->first_time, view->ttl) : DT_NOBEGIN;
	appendStringInfo(&bounded, "%s WHERE %s OPERATOR(pg_catalog.<=) %s AND %s OPERATOR(pg_catalog.>=) %s", all.data,
					 quote_identifier(view->event_time.name), time_literal(index->open ? index->until : index->last_time, type),
					 quote_identifier(view->event_time.name), time_literal(first, type));
	plans[0] = prepare(all.data, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	plans[1] = prepare(bounded.data, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	plan_estimate(plans[0], &rows[0], &costs[0]);
	plan_estimate(plans[1], &rows[1], &costs[1]);
	choice = rows[1] < rows[0] * 0.8;
	SPI_freeplan(plans[1 - choice]);
	*cost = costs[choice];
	return plans[choice];
}

/*
 * Does the query of a descent have the parameter for the created time?
 */
static bool
bounds_created(const StoreView *view, const AsofOptions *options)
{
	return view->created_time.name && (options->known_at || options->has_as_of);
}

/*
 * One index descent a slot: the newest row and its ties. Parameters: keys, latest event time, latest created time.
 */
static SPIPlanPtr
prepare_descent(const AsofIndex *index, const StoreView *view, const AsofOptions *options, double *cost)
{
	StringInfoData sql;
	Oid types[STORE_MAX_KEYS + 2];
	int n = view->nkeys;
	const char *event = quote_identifier(view->event_time.name);
	SPIPlanPtr plan;
	double rows;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	store_append_columns(&sql, view);
	appendStringInfo(&sql, " FROM %s WHERE true", view->source_name);
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(&sql, " AND %s %s $%d", quote_identifier(view->keys[i].name),
						 store_equality_operator(index->keys[i].class == STORE_KEY_INTEGER ? INT8OID : index->keys[i].right_type), i + 1);
		types[i] = index->keys[i].class == STORE_KEY_INTEGER ? INT8OID : index->keys[i].right_type;
	}
	types[n] = view->event_time.type;
	appendStringInfo(&sql, " AND %s OPERATOR(pg_catalog.<=) $%d", event, n + 1);
	if (bounds_created(view, options))
	{
		const char *created = quote_identifier(view->created_time.name);

		types[n + 1] = view->created_time.type;
		appendStringInfo(&sql, " AND (%s OPERATOR(pg_catalog.<=) $%d OR %s IS NULL", created, n + 2, created);
		if (options->has_as_of)
			appendStringInfo(&sql, " AND %s OPERATOR(pg_catalog.<=) %s", event, time_literal(options->as_of, types[n]));
		appendStringInfoChar(&sql, ')');
	}
	appendStringInfo(&sql, " ORDER BY %s DESC", event);
	if (view->created_time.name)
		appendStringInfo(&sql, ", %s DESC NULLS LAST", quote_identifier(view->created_time.name));
	appendStringInfoString(&sql, " FETCH FIRST 1 ROW WITH TIES");
	plan = prepare(sql.data, n + 1 + bounds_created(view, options), types, CURSOR_OPT_GENERIC_PLAN);
	plan_estimate(plan, &rows, cost);
	return plan;
}

/*
 * A time as a value of a time column's type, dates rounded down
 */
static Datum
time_datum(TimestampTz time, Oid type)
{
	if (type != DATEOID)
		return TimestampTzGetDatum(time);
	if (TIMESTAMP_IS_NOBEGIN(time))
		return DateADTGetDatum(DATEVAL_NOBEGIN);
	if (TIMESTAMP_IS_NOEND(time))
		return DateADTGetDatum(DATEVAL_NOEND);
	return DateADTGetDatum((time - (time < 0 ? USECS_PER_DAY - 1 : 0)) / USECS_PER_DAY);
}

static void
descend(AsofRows *rows, SPIPlanPtr plan, DestReceiver *receiver)
{
	const AsofIndex *index = rows->index;
	const StoreView *view = rows->view;
	const AsofOptions *options = rows->options;
	int n = view->nkeys;
	ParamListInfo params = makeParamList(n + 1 + bounds_created(view, options));
	SPIExecuteOptions execute = {.params = params, .read_only = true, .dest = receiver};
	Oid event_type = view->event_time.type;
	Oid created_type = view->created_time.name ? view->created_time.type : InvalidOid;

	for (int i = 0; i < params->numParams; i++)
	{
		params->params[i].isnull = false;
		params->params[i].pflags = 0;
		params->params[i].ptype = i < n ? (index->keys[i].class == STORE_KEY_INTEGER ? INT8OID : index->keys[i].right_type)
										: (i == n ? event_type : created_type);
	}
	for (uint32 slot = 0; slot < index->nslots && !rows->overflow; slot++)
	{
		TimestampTz time = index->slot_time[slot];

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			params->params[i].value = key_values(index, &index->group_key[index->slot_group[slot]])[i];
		/* without a created time a row is known at its event time */
		params->params[n].value = time_datum(options->has_as_of && !view->created_time.name ? Min(time, options->as_of) : time, event_type);
		if (bounds_created(view, options))
		{
			TimestampTz known = options->known_at ? time : DT_NOEND;

			params->params[n + 1].value = time_datum(options->has_as_of ? Min(known, options->as_of) : known, created_type);
		}
		SPI_execute_plan_extended(plan, &execute);
	}
}

/*
 * Carries the newest row forward along the times of each key and looks at the time to live
 */
static void
carry_forward(AsofRows *rows)
{
	const AsofIndex *index = rows->index;

	for (uint32 group = 0; group < index->ngroups; group++)
	{
		AsofRecord *newest = NULL;
		uint32 newest_slot = NO_SLOT;

		for (uint32 slot = index->group_start[group]; slot < index->group_start[group + 1]; slot++)
		{
			AsofRecord *record = record_of(rows, slot);

			if (record->used && (newest == NULL || is_newer(rows, newest, record->event_time, record->created_time, record->values,
															record_nulls(rows, record))))
			{
				newest = record;
				newest_slot = slot;
			}
			record->answer = newest_slot;
			record->expired = newest != NULL && rows->view->ttl != NULL &&
				newest->event_time < store_before(index->slot_time[slot], rows->view->ttl);
		}
	}
}

Size
asof_row_size(const StoreView *view)
{
	return MAXALIGN(offsetof(AsofRecord, values) + view->nfeatures * (sizeof(Datum) + sizeof(bool)));
}

/*
 * Records for n slots, all empty
 */
static AsofRows *
create_rows(const AsofIndex *index, const StoreView *view, const AsofOptions *options, MemoryContext context, Size n)
{
	AsofRows *rows = MemoryContextAllocZero(context, sizeof(AsofRows));

	rows->index = index;
	rows->view = view;
	rows->options = options;
	rows->context = context;
	rows->record_size = asof_row_size(view);
	rows->max_records = Max(n, 1);
	rows->records = MemoryContextAllocExtended(context, rows->max_records * rows->record_size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < index->nkeys; i++)
		rows->by_reference |= !index->keys[i].typbyval;
	for (int i = 0; i < view->nfeatures; i++)
		rows->by_reference |= !view->features[i].typbyval;
	return rows;
}

AsofRows *
asof_latest(const StoreView *view, TimestampTz from, TimestampTz until, const AsofOptions *options, MemoryContext context)
{
	MemoryContext old = CurrentMemoryContext;
	StoreKey *keys;
	AsofIndex *index;
	AsofRows *rows;
	AsofReceiver receiver = {.pub = {receive_row, receiver_startup, receiver_nothing, receiver_nothing, DestNone}};
	SPIExecuteOptions execute = {.read_only = true, .dest = &receiver.pub};
	SPIPlanPtr scan;
	double cost;

	context = AllocSetContextCreate(context, "latest features", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	keys = palloc(sizeof(StoreKey) * view->nkeys);
	for (int i = 0; i < view->nkeys; i++)
		store_key_init(&keys[i], view->keys[i].name, view->keys[i].type, view->keys[i].type, view->keys[i].collation);
	index = asof_index_create(context, view->nkeys, keys);
	index->open = true;
	index->from = from;
	index->until = until;
	rows = create_rows(index, view, options, context, 1024);
	init_receiver(&receiver, rows);
	scan = prepare_scan(index, view, options, &cost);
	SPI_execute_plan_extended(scan, &execute);
	SPI_freeplan(scan);
	MemoryContextSwitchTo(old);
	if (rows->overflow)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	flush_pending(&receiver);
	return rows;
}

void
asof_each(const AsofRows *rows, AsofVisitor visit, void *arg)
{
	const AsofIndex *index = rows->index;
	asof_iterator iterator;
	AsofGroup *group;

	asof_start_iterate(index->groups, &iterator);
	while ((group = asof_iterate(index->groups, &iterator)) != NULL)
	{
		AsofRecord *record = record_of(rows, group->number);

		CHECK_FOR_INTERRUPTS();
		visit(arg, index->keys, key_values(index, &group->key), record->event_time, record->created_time, record->values,
			  record_nulls(rows, record));
	}
}

AsofRows *
asof_join(AsofIndex *index, const StoreView *view, const AsofOptions *options, MemoryContext context)
{
	MemoryContext old = CurrentMemoryContext;
	AsofRows *rows;
	SPIPlanPtr scan, descent;
	double scan_cost, descent_cost;
	AsofReceiver receiver = {.pub = {receive_row, receiver_startup, receiver_nothing, receiver_nothing, DestNone}};
	bool by_index;

	context = AllocSetContextCreate(context, "feature values", ALLOCSET_DEFAULT_SIZES);
	rows = create_rows(index, view, options, context, index->nslots);
	init_receiver(&receiver, rows);
	if (index->nslots == 0)
		return rows;

	scan = prepare_scan(index, view, options, &scan_cost);
	descent = prepare_descent(index, view, options, &descent_cost);
	/* the planner takes pages for cold; in a loop over one index the upper ones are not */
	by_index = store_join_method == STORE_JOIN_AUTO ? descent_cost * index->nslots * 0.5 < scan_cost
													: store_join_method == STORE_JOIN_INDEX;
	if (by_index)
		descend(rows, descent, &receiver.pub);
	else
	{
		SPIExecuteOptions execute = {.read_only = true, .dest = &receiver.pub};

		SPI_execute_plan_extended(scan, &execute);
	}
	SPI_freeplan(scan);
	SPI_freeplan(descent);
	MemoryContextSwitchTo(old);
	if (!rows->overflow)
		flush_pending(&receiver);
	if (rows->overflow)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	carry_forward(rows);
	return rows;
}

StoreStatus
asof_get(const AsofRows *rows, uint32 entity, Datum **values, bool **nulls, TimestampTz *event_time)
{
	uint32 slot = rows->index->row_slot[entity];
	AsofRecord *record;
	AsofRecord *answer;

	if (slot == NO_SLOT || (record = record_of(rows, slot))->answer == NO_SLOT)
		return STORE_NOT_FOUND;
	answer = record_of(rows, record->answer);
	*values = answer->values;
	*nulls = record_nulls(rows, answer);
	*event_time = answer->event_time;
	return record->expired ? STORE_OUTSIDE_MAX_AGE : STORE_PRESENT;
}
