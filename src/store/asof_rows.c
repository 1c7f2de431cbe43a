/*
 * What a point-in-time join keeps of a source: for each slot of the entity rows the newest row that starts there
 */
#include "store/asof.h"
#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * What nearly every source row looks at, so small that it stays in the processor's caches: most rows are older than the one that is
 * kept, and go no further
 */
typedef struct AsofSlot
{
	TimestampTz time; /* of the entity rows; not used by an open index */
	union
	{
		TimestampTz newest; /* event time of the row that is kept, DT_NOBEGIN for none */
		struct
		{
			uint32 slot; /* that holds the answer, NO_SLOT for none */
			bool expired;
		} answer; /* after asof_carry_forward */
	} u;
} AsofSlot;

/*
 * The newest row that is kept for a slot; its values, their null flags, and whether there is one. One record, so that a source row
 * touches one place.
 */
typedef struct AsofRecord
{
	TimestampTz event_time;
	TimestampTz created_time;
	Datum values[FLEXIBLE_ARRAY_MEMBER];
} AsofRecord;

struct AsofRows
{
	const AsofIndex *index;
	const StoreView *view;
	MemoryContext context;
	const AsofOptions *options;
	AsofSlot *slots;
	char *records;
	Size record_size;
	Size max_records;
	bool by_reference; /* a key or a feature is passed by reference */
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

static inline bool *
record_used(const AsofRows *rows, AsofRecord *record)
{
	return record_nulls(rows, record) + rows->view->nfeatures;
}

Size
asof_row_size(const StoreView *view)
{
	return MAXALIGN(offsetof(AsofRecord, values) + view->nfeatures * (sizeof(Datum) + sizeof(bool)) + sizeof(bool)) +
		   sizeof(AsofSlot);
}

Size
asof_row_width(const StoreView *view)
{
	Size width = asof_row_size(view);

	for (int i = 0; i < view->nfeatures; i++)
		if (!view->features[i].typbyval)
		{
			AttrNumber number = get_attnum(view->source, view->features[i].name);
			int32 known = number > InvalidAttrNumber ? get_attavgwidth(view->source, number) : 0;

			/* each in a chunk of its own, the size of which is a power of two */
			width +=
				16 + (known > 0 ? known : get_typavgwidth(view->features[i].type, view->features[i].typmod)) * 3 / 2;
		}
	return width;
}

AsofRows *
asof_rows_create(const AsofIndex *index, const StoreView *view, const AsofOptions *options, MemoryContext context,
				 Size n)
{
	AsofRows *rows = MemoryContextAllocZero(context, sizeof(AsofRows));

	rows->index = index;
	rows->view = view;
	rows->options = options;
	rows->context = context;
	rows->record_size = asof_row_size(view) - sizeof(AsofSlot);
	rows->max_records = Max(n, 1);
	rows->records =
		MemoryContextAllocExtended(context, rows->max_records * rows->record_size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	rows->slots = MemoryContextAllocHuge(context, rows->max_records * sizeof(AsofSlot));
	for (Size i = 0; i < rows->max_records; i++)
	{
		rows->slots[i].time = index->open || i >= index->nslots ? 0 : index->slot_time[i];
		rows->slots[i].u.newest = DT_NOBEGIN;
	}
	for (int i = 0; i < index->nkeys; i++)
		rows->by_reference |= !index->keys[i].typbyval;
	for (int i = 0; i < view->nfeatures; i++)
		rows->by_reference |= !view->features[i].typbyval;
	return rows;
}

/*
 * Twice as many records, for the keys of an open index
 */
static void
double_records(AsofRows *rows)
{
	Size old = rows->max_records;

	rows->max_records *= 2;
	rows->records = repalloc_huge(rows->records, rows->max_records * rows->record_size);
	memset(rows->records + old * rows->record_size, 0, old * rows->record_size);
	rows->slots = repalloc_huge(rows->slots, rows->max_records * sizeof(AsofSlot));
	for (Size i = old; i < rows->max_records; i++)
		rows->slots[i].u.newest = DT_NOBEGIN;
}

/*
 * Is the row (event, created, values) newer than the one kept in the record?
 */
static inline bool
is_newer(const AsofRows *rows, AsofRecord *record, TimestampTz event, TimestampTz created, const Datum *values,
		 const bool *nulls)
{
	if (!*record_used(rows, record))
		return true;
	if (event != record->event_time)
		return event > record->event_time;
	if (created != record->created_time)
		return created > record->created_time;
	return store_compare_features(rows->view, values, nulls, record->values, record_nulls(rows, record)) > 0;
}

static void
keep_row(AsofRows *rows, AsofRecord *record, TimestampTz event, TimestampTz created, const Datum *values,
		 const bool *nulls)
{
	int n = rows->view->nfeatures;
	bool *kept_null = record_nulls(rows, record);

	for (int i = 0; i < n; i++)
	{
		const StoreColumn *column = &rows->view->features[i];

		if (!column->typbyval)
		{
			MemoryContext old = MemoryContextSwitchTo(rows->context);

			if (*record_used(rows, record) && !kept_null[i])
				pfree(DatumGetPointer(record->values[i]));
			if (!nulls[i])
				record->values[i] = datumCopy(values[i], false, column->typlen);
			MemoryContextSwitchTo(old);
		}
		else
			record->values[i] = values[i];
		kept_null[i] = nulls[i];
	}
	*record_used(rows, record) = true;
	record->event_time = event;
	record->created_time = created;
}

/*
 * Source rows wait here until there are enough of them: each touches a few places all over memory (the key's entry, its times,
 * its record), and asking for those of many rows at a time lets the processor fetch them together.
 */
#define PENDING_ROWS 32
#define PENDING_BYTES 256		   /* room for a row's values by reference; a row that needs more goes through alone */
#define PENDING_SPILLED_BYTES 1024 /* the same for all of a row out of a file */

typedef struct PendingRow
{
	uint32 hash;
	uint32 slot;
	TimestampTz event;
	TimestampTz created;
	TimestampTz start; /* from when on the row was true and known */
	uint32 first_slot; /* of its key */
	uint32 end_slot;
	Datum *keys;	 /* normalised */
	bool *key_nulls; /* none is */
	Datum
		*values; /* features, behind the keys in one array; those of a table's row are read only when the row is kept */
	bool *nulls;
	char *bytes;
	HeapTupleData tuple; /* a table's row */
	AsofRoom spilled;	 /* a row out of a file, in which keys and values then lie */
} PendingRow;

struct AsofPending
{
	AsofRows *rows;
	const AsofPartitions
		*partitions; /* the rows go into their files, but for the first if its entity rows are in memory */
	AsofSpill *spill;
	const AsofLayout *layout;  /* NULL: the rows of a query */
	MemoryContext row_context; /* for what decompressing a key leaves */
	Datum *deformed;		   /* a tuple's columns */
	bool *deformed_nulls;
	Size memory_limit;
	int n;
	PendingRow rows_pending[PENDING_ROWS];
};

AsofPending *
asof_pending_create(AsofRows *rows, const AsofPartitions *partitions, AsofSpill *spill)
{
	int nkeys = rows->index->nkeys;
	int n = nkeys + rows->view->nfeatures;
	AsofPending *pending = MemoryContextAllocZero(rows->context, sizeof(AsofPending));

	pending->rows = rows;
	pending->partitions = partitions;
	pending->spill = spill;
	pending->row_context = AllocSetContextCreate(rows->context, "pending rows", ALLOCSET_SMALL_SIZES);
	for (int i = 0; i < PENDING_ROWS; i++)
	{
		PendingRow *row = &pending->rows_pending[i];

		row->keys = MemoryContextAlloc(rows->context, sizeof(Datum) * n);
		row->values = row->keys + nkeys;
		row->key_nulls = MemoryContextAllocZero(rows->context, sizeof(bool) * n);
		row->nulls = row->key_nulls + nkeys;
		row->bytes = MemoryContextAlloc(rows->context, PENDING_BYTES);
		row->spilled.context = rows->context;
	}
	/* what there is now was counted when the batch was made */
	pending->memory_limit = Max(rows->options->memory_limit,
								MemoryContextMemAllocated(rows->context, true) + PENDING_ROWS * PENDING_SPILLED_BYTES);
	return pending;
}

/*
 * For an open index: the slots of the pending rows' keys, new ones for new keys
 */
static void
find_open_slots(AsofPending *pending)
{
	AsofRows *rows = pending->rows;
	AsofIndex *index = (AsofIndex *) rows->index;

	for (int i = 0; i < pending->n; i++)
	{
		PendingRow *row = &pending->rows_pending[i];
		bool found;
		AsofGroup *group = asof_insert_hash(
			index->groups, index->inline_key ? row->keys[0] : PointerGetDatum(row->keys), row->hash, &found);

		if (!found)
		{
			asof_index_new_group(index, group);
			if (index->ngroups > rows->max_records)
				double_records(rows);
		}
		row->slot = group->number;
		__builtin_prefetch(&rows->slots[row->slot]);
	}
}

/*
 * For entity rows: the slots of a pending row's key; none for a key that is not asked for
 */
static inline void
find_group(const AsofIndex *index, PendingRow *row)
{
	row->first_slot = row->end_slot = 0;
	if (index->probes)
	{
		int64 key = DatumGetInt64(row->keys[0]);

		for (uint32 at = row->hash & index->probe_mask; index->probes[at].end_slot != 0;
			 at = (at + 1) & index->probe_mask)
			if (index->probes[at].key == key)
			{
				row->first_slot = index->probes[at].first_slot;
				row->end_slot = index->probes[at].end_slot;
				break;
			}
	}
	else
	{
		AsofGroup *group =
			asof_lookup_hash(index->groups, index->inline_key ? row->keys[0] : PointerGetDatum(row->keys), row->hash);

		if (group)
		{
			row->first_slot = index->group_start[group->number];
			row->end_slot = index->group_start[group->number + 1];
		}
	}
}

/*
 * For entity rows: the slots in which the pending rows start, NO_SLOT for rows that are of no use
 */
static void
find_slots(AsofPending *pending)
{
	const AsofRows *rows = pending->rows;

	for (int i = 0; i < pending->n; i++)
	{
		PendingRow *row = &pending->rows_pending[i];

		find_group(rows->index, row);
		__builtin_prefetch(&rows->slots[row->first_slot]);
		__builtin_prefetch(&rows->slots[Max(row->end_slot, 1) - 1]);
	}
	for (int i = 0; i < pending->n; i++)
	{
		PendingRow *row = &pending->rows_pending[i];
		uint32 low = row->first_slot;
		uint32 n = row->end_slot - low;

		/* no branch depends on the times, which no processor could guess */
		while (n > 1)
		{
			uint32 half = n / 2;

			low += rows->slots[low + half - 1].time < row->start ? half : 0;
			n -= half;
		}
		if (n > 0)
			low += rows->slots[low].time < row->start;
		row->slot = low < row->end_slot ? low : NO_SLOT;
	}
}

/*
 * A column of a table's row: in place, or out of the slot, which knows how far it was read
 */
static pg_attribute_always_inline Datum
table_column(const AsofPlace *place, TupleTableSlot *slot, HeapTuple tuple, bool in_place, bool *isnull)
{
	*isnull = !in_place && slot->tts_isnull[place->number - 1];
	if (in_place)
		return fetch_att((char *) tuple->t_data + tuple->t_data->t_hoff + place->offset, place->typbyval,
						 place->typlen);
	return slot->tts_values[place->number - 1];
}

/*
 * Reads the features of a table's row
 */
static void
read_features(AsofPending *pending, PendingRow *row)
{
	const AsofLayout *layout = pending->layout;
	int n = pending->rows->view->nfeatures;

	if (layout->fixed_features && !HeapTupleHasNulls(&row->tuple) &&
		HeapTupleHeaderGetNatts(row->tuple.t_data) >= layout->last_feature)
	{
		for (int i = 0; i < n; i++)
			row->values[i] = table_column(&layout->features[i], NULL, &row->tuple, true, &row->nulls[i]);
		return;
	}
	heap_deform_tuple(&row->tuple, layout->desc, pending->deformed, pending->deformed_nulls);
	for (int i = 0; i < n; i++)
	{
		row->values[i] = pending->deformed[layout->features[i].number - 1];
		row->nulls[i] = pending->deformed_nulls[layout->features[i].number - 1];
	}
}

bool
asof_flush(AsofPending *pending)
{
	AsofRows *rows = pending->rows;
	const AsofIndex *index = rows->index;

	if (index->open)
		find_open_slots(pending);
	else
		find_slots(pending);
	for (int i = 0; i < pending->n; i++)
	{
		PendingRow *row = &pending->rows_pending[i];

		if (row->slot == NO_SLOT)
			continue;
		if (row->event < rows->slots[row->slot].u.newest)
			row->slot = NO_SLOT;
		else
		{
			__builtin_prefetch(record_of(rows, row->slot), 1);
			__builtin_prefetch((char *) record_of(rows, row->slot) + 64, 1);
		}
	}
	for (int i = 0; i < pending->n; i++)
	{
		PendingRow *row = &pending->rows_pending[i];
		AsofRecord *record;

		/* a row before it in this batch may be newer */
		if (row->slot == NO_SLOT || row->event < rows->slots[row->slot].u.newest)
			continue;
		record = record_of(rows, row->slot);
		if (pending->layout)
			read_features(pending, row);
		if (is_newer(rows, record, row->event, row->created, row->values, row->nulls))
		{
			keep_row(rows, record, row->event, row->created, row->values, row->nulls);
			rows->slots[row->slot].u.newest = row->event;
		}
	}
	pending->n = 0;
	if (!rows->by_reference && !index->open)
		return true;
	MemoryContextReset(pending->row_context);
	/* values by reference, or keys that are not known before, are what can grow past the limit */
	return !(index->open || index->nslots > 1) ||
		   MemoryContextMemAllocated(rows->context, true) <= pending->memory_limit;
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
		int16 typlen = is_key ? index->keys[i].typlen : feature->typlen;
		Size size;

		if (is_key ? index->keys[i].typbyval : (feature->typbyval || row->nulls[i - index->nkeys]))
			continue;
		size = asof_value_size(*value, typlen);
		if (used + size > PENDING_BYTES)
			return false;
		asof_value_copy(row->bytes + used, *value, typlen, size);
		*value = PointerGetDatum(row->bytes + used);
		used += MAXALIGN(size);
	}
	return true;
}

/*
 * From when on a row was true and known
 */
static inline TimestampTz
row_start(const AsofOptions *options, const PendingRow *row)
{
	return options->known_at ? Max(row->event, row->created) : row->event;
}

/*
 * Has the processor fetch the entry of a row's key
 */
static inline void
prefetch_group(const AsofIndex *index, const PendingRow *row)
{
	if (index->probes)
		__builtin_prefetch(&index->probes[row->hash & index->probe_mask]);
	else
		__builtin_prefetch(&index->groups->data[row->hash & index->groups->sizemask]);
}

/*
 * Starts a row: its keys, normalised, and times; false when it can be no answer
 */
static pg_attribute_always_inline bool
start_row(AsofRows *rows, PendingRow *row, const Datum *keys, const bool *key_nulls, Datum event, bool event_is_null,
		  Datum created, bool created_is_null)
{
	const AsofIndex *index = rows->index;
	const StoreView *view = rows->view;
	const AsofOptions *options = rows->options;

	if (event_is_null)
		return false;
	for (int i = 0; i < index->nkeys; i++)
		if (key_nulls[i])
			return false;
	row->event = store_time(event, view->event_time.type);
	/* a created time that is not told: known at its event time, and older than any that is */
	row->created = DT_NOBEGIN;
	if (!created_is_null)
	{
		row->created = store_time(created, view->created_time.type);
		if (options->has_as_of && row->created > options->as_of)
			return false;
	}
	row->start = row_start(options, row);
	if (options->has_as_of && row->created == DT_NOBEGIN && row->event > options->as_of)
		return false;
	if (index->open && (row->event < index->from || row->event > index->until))
		return false;
	for (int i = 0; i < index->nkeys; i++)
		row->keys[i] = store_key_normalize(&index->keys[i], index->keys[i].right_type, keys[i]);
	row->hash = index_hash(index, index->inline_key ? row->keys[0] : PointerGetDatum(row->keys));
	prefetch_group(index, row);
	return true;
}

/*
 * Puts a row into the file of its partition, unless no entity row can have its key; false for a row of the first partition when
 * that one is in memory
 */
static bool
spill_row(AsofPending *pending, PendingRow *row)
{
	int partition = asof_partition_of_hash(pending->partitions, row->hash);

	if (partition == 0 && pending->rows->index->nslots > 0)
		return false;
	if (asof_partitions_ask(pending->partitions, row->hash))
	{
		if (pending->layout)
			read_features(pending, row);
		asof_spill_put(pending->spill, partition, row->hash, row->event, row->created, row->keys, row->key_nulls);
	}
	if (pending->n == 0)
		MemoryContextReset(pending->row_context);
	return true;
}

bool
asof_add_slot(AsofPending *pending, TupleTableSlot *slot)
{
	AsofRows *rows = pending->rows;
	const StoreView *view = rows->view;
	PendingRow *row = &pending->rows_pending[pending->n];
	int event = rows->index->nkeys;
	int created = view->created_time.name ? event + 1 : event;
	MemoryContext old = MemoryContextSwitchTo(pending->row_context);
	bool taken;

	slot_getallattrs(slot);
	taken = start_row(rows, row, slot->tts_values, slot->tts_isnull, slot->tts_values[event], slot->tts_isnull[event],
					  slot->tts_values[created], created == event || slot->tts_isnull[created]);
	MemoryContextSwitchTo(old);
	if (!taken)
		return true;
	memcpy(row->values, slot->tts_values + created + 1, sizeof(Datum) * view->nfeatures);
	memcpy(row->nulls, slot->tts_isnull + created + 1, sizeof(bool) * view->nfeatures);
	if (pending->spill && spill_row(pending, row))
		return true;
	pending->n++;
	if ((rows->by_reference && !hold_values(row, rows)) || pending->n == PENDING_ROWS)
		return asof_flush(pending);
	return true;
}

bool
asof_add_tuple(AsofPending *pending, const AsofLayout *layout, TupleTableSlot *slot, HeapTuple tuple)
{
	AsofRows *rows = pending->rows;
	PendingRow *row = &pending->rows_pending[pending->n];
	bool in_place = layout->fixed_known && !HeapTupleHasNulls(tuple) &&
					HeapTupleHeaderGetNatts(tuple->t_data) >= layout->last_known;
	Datum keys[STORE_MAX_KEYS];
	bool key_nulls[STORE_MAX_KEYS];
	bool event_is_null;
	bool created_is_null = true;
	Datum event;
	Datum created = (Datum) 0;
	MemoryContext old;
	bool taken;

	if (pending->layout == NULL)
	{
		pending->layout = layout;
		pending->deformed = MemoryContextAlloc(rows->context, sizeof(Datum) * layout->desc->natts);
		pending->deformed_nulls = MemoryContextAlloc(rows->context, sizeof(bool) * layout->desc->natts);
	}
	if (!in_place)
	{
		ExecStoreHeapTuple(tuple, slot, false);
		slot_getsomeattrs(slot, layout->last_known);
	}
	for (int i = 0; i < rows->index->nkeys; i++)
		keys[i] = table_column(&layout->keys[i], slot, tuple, in_place, &key_nulls[i]);
	event = table_column(&layout->event_time, slot, tuple, in_place, &event_is_null);
	if (rows->view->created_time.name)
		created = table_column(&layout->created_time, slot, tuple, in_place, &created_is_null);
	old = MemoryContextSwitchTo(pending->row_context);
	taken = start_row(rows, row, keys, key_nulls, event, event_is_null, created, created_is_null);
	MemoryContextSwitchTo(old);
	if (!taken)
		return true;
	row->tuple = *tuple;
	if (pending->spill && spill_row(pending, row))
		return true;
	return ++pending->n < PENDING_ROWS || asof_flush(pending);
}

bool
asof_add_spilled(AsofPending *pending, AsofSpill *spill, int file)
{
	AsofRows *rows = pending->rows;

	asof_spill_rewind(spill, file);
	for (;;)
	{
		PendingRow *row = &pending->rows_pending[pending->n];
		AsofSpilled *spilled;

		if (!asof_spill_get(spill, file, &row->spilled))
			return asof_flush(pending);
		spilled = row->spilled.row;
		row->hash = spilled->tag;
		row->event = spilled->event;
		row->created = spilled->created;
		row->start = row_start(rows->options, row);
		row->keys = spilled->values;
		row->values = row->keys + rows->index->nkeys;
		row->nulls = asof_spilled_nulls(spill, spilled) + rows->index->nkeys;
		prefetch_group(rows->index, row);
		if (++pending->n == PENDING_ROWS || spilled->size > PENDING_SPILLED_BYTES)
		{
			CHECK_FOR_INTERRUPTS();
			if (!asof_flush(pending))
				return false;
			if (spilled->size > PENDING_SPILLED_BYTES)
				asof_room_free(&row->spilled);
		}
	}
}

void
asof_carry_forward(AsofRows *rows)
{
	const AsofIndex *index = rows->index;

	for (uint32 group = 0; group < index->ngroups; group++)
	{
		AsofRecord *newest = NULL;
		uint32 newest_slot = NO_SLOT;

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = index->group_start[group]; i < index->group_start[group + 1]; i++)
		{
			AsofSlot *slot = &rows->slots[i];
			AsofRecord *record = record_of(rows, i);

			if (*record_used(rows, record) &&
				(newest == NULL || is_newer(rows, newest, record->event_time, record->created_time, record->values,
											record_nulls(rows, record))))
			{
				newest = record;
				newest_slot = i;
			}
			slot->u.answer.slot = newest_slot;
			slot->u.answer.expired = newest != NULL && rows->view->ttl != NULL &&
									 newest->event_time < store_before(slot->time, rows->view->ttl);
		}
	}
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
		visit(arg, index->keys, key_values(index, &group->key), record->event_time, record->created_time,
			  record->values, record_nulls(rows, record));
	}
}

void
asof_prefetch(const AsofRows *rows, uint32 entity)
{
	uint32 slot = entity < rows->index->nrows ? rows->index->row_slot[entity] : NO_SLOT;

	/* the answer is often the slot's own record */
	if (slot != NO_SLOT)
	{
		__builtin_prefetch(&rows->slots[slot]);
		__builtin_prefetch(record_of(rows, slot));
	}
}

void
asof_get(const AsofRows *rows, uint32 entity, AsofAnswer *answer)
{
	uint32 slot = rows->index->row_slot[entity];
	AsofRecord *record;

	answer->status = STORE_NOT_FOUND;
	if (slot == NO_SLOT || rows->slots[slot].u.answer.slot == NO_SLOT)
		return;
	record = record_of(rows, rows->slots[slot].u.answer.slot);
	answer->status = rows->slots[slot].u.answer.expired ? STORE_OUTSIDE_MAX_AGE : STORE_PRESENT;
	answer->values = record->values;
	answer->nulls = record_nulls(rows, record);
	answer->event_time = record->event_time;
}
