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
 * Entity rows whose answers do not fit into memory are joined by partitions of their keys (asof_partition.c).
 */
#include "store/asof.h"
#include "utils/memutils.h"

AsofRows *
asof_latest(const StoreView *view, TimestampTz from, TimestampTz until, const AsofOptions *options,
			MemoryContext context)
{
	MemoryContext old = CurrentMemoryContext;
	StoreKey *keys;
	AsofSource source;
	AsofIndex *index;
	AsofRows *rows;
	bool fits;

	context = AllocSetContextCreate(context, "latest features", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	keys = palloc(sizeof(StoreKey) * view->nkeys);
	for (int i = 0; i < view->nkeys; i++)
		store_key_init(&keys[i], view->keys[i].name, view->keys[i].type, view->keys[i].type, view->keys[i].collation);
	index = asof_index_create(context, view->nkeys, keys);
	index->open = true;
	index->from = from;
	index->until = until;
	rows = asof_rows_create(index, view, options, context, 1024);
	asof_source_open(&source, view, options, keys, from, until, 0);
	fits = asof_source_read(&source, index, asof_pending_create(rows, NULL, NULL));
	asof_source_close(&source);
	MemoryContextSwitchTo(old);
	if (!fits)
		MemoryContextDelete(context);
	return fits ? rows : NULL;
}

AsofRows *
asof_join_source(AsofIndex *index, const AsofSource *source, AsofSpill *spill, int file, MemoryContext context)
{
	AsofRows *rows;
	AsofPending *pending;

	context = AllocSetContextCreate(context, "feature values", ALLOCSET_DEFAULT_SIZES);
	rows = asof_rows_create(index, source->view, source->options, context, index->nslots);
	if (index->nslots == 0)
		return rows;
	pending = asof_pending_create(rows, NULL, NULL);
	if (spill ? !asof_add_spilled(pending, spill, file) : !asof_source_read(source, index, pending))
	{
		MemoryContextDelete(context);
		return NULL;
	}
	asof_carry_forward(rows);
	return rows;
}

AsofRows *
asof_join(AsofIndex *index, const StoreView *view, const AsofOptions *options, MemoryContext context)
{
	AsofSource source;
	AsofRows *rows;

	asof_source_open_for(&source, view, options, index->keys, index->first_time, index->last_time, index->nslots);
	rows = asof_join_source(index, &source, NULL, 0, context);
	asof_source_close(&source);
	return rows;
}
