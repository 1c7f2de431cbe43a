/*
 * A point-in-time join of more entity rows than fit into memory
 *
 * As in a hybrid hash join, both sides go into temporary files by the hash of their key: the entity rows once for each
 * set of keys, the rows of a source in its one pass, in which those of the first partition are joined at once. Then a partition is joined as if there were no other, and its answers go
 * into a file in the order of its entity rows. Who reads the entity rows again finds each one's answer at the head of its
 * partition's file, so that nothing is sorted.
 *
 * A partition that is still too large, because a key has very many entity rows or the values are wider than was thought, is
 * joined in several parts, each of which reads the partition's source rows again.
 */
#include "store/asof.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/buffile.h"
#include "utils/memutils.h"
#include <math.h>

struct AsofAnswers
{
	AsofSpill *spill;
	AsofRoom room;
};

static void
close_all(AsofSpill *spill)
{
	for (int file = 0; file < spill->nfiles; file++)
		asof_spill_close(spill, file);
}

AsofPartitions *
asof_partitions_create(MemoryContext context, double too_large, int most, uint64 nentities, Size memory_limit,
					   int nkeys, StoreKey *keys)
{
	AsofPartitions *partitions = MemoryContextAllocZero(context, sizeof(AsofPartitions));
	uint64 bits = pg_nextpower2_64(Max(Min(nentities, memory_limit / 8) * 8, 1024));

	if (bits > memory_limit) /* an eighth of the memory at most */
		bits = pg_prevpower2_64(Max(memory_limit, 1024));
	bits = Min(bits, (uint64) 1 << 31);
	partitions->context = context;
	too_large = Max(too_large, 1.01);
	partitions->n = 1 + (int) Min(ceil(too_large - 1), most - 1);
	partitions->first_end = (uint32) (PG_UINT32_MAX / too_large);
	partitions->per_hash = ((uint64) (partitions->n - 1) << 48) / (((uint64) 1 << 32) - partitions->first_end);
	partitions->nkeys = nkeys;
	partitions->keys = keys;
	partitions->first_time = DT_NOEND;
	partitions->last_time = DT_NOBEGIN;
	partitions->asked = MemoryContextAllocExtended(context, bits / 8, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	partitions->asked_mask = (uint32) (bits - 1);
	partitions->entities = asof_spill_create(context, partitions->n, nkeys);
	for (int i = 0; i < nkeys; i++)
		asof_spill_type(partitions->entities, i, keys[i].typlen, keys[i].typbyval);
	return partitions;
}

int
asof_partition_of(const AsofPartitions *partitions, const Datum *keys, const bool *nulls, bool time_is_null)
{
	Datum normal[STORE_MAX_KEYS];

	if (time_is_null || !store_keys_normalize(partitions->keys, partitions->nkeys, keys, nulls, normal))
		return -1;
	return asof_partition_of_hash(partitions, store_keys_hash(partitions->keys, partitions->nkeys, normal));
}

void
asof_partitions_add(AsofPartitions *partitions, const Datum *keys, const bool *nulls, TimestampTz time,
					bool time_is_null)
{
	Datum normal[STORE_MAX_KEYS];
	uint32 hash;
	int partition;

	if (time_is_null || !store_keys_normalize(partitions->keys, partitions->nkeys, keys, nulls, normal))
		return;
	hash = store_keys_hash(partitions->keys, partitions->nkeys, normal);
	partition = asof_partition_of_hash(partitions, hash);
	asof_spill_put(partitions->entities, partition, hash, time, time, normal, nulls);
	partitions->first_entities += partition == 0;
	partitions->asked[(hash & partitions->asked_mask) / 64] |= UINT64CONST(1) << (hash % 64);
	partitions->nentities++;
	partitions->first_time = Min(partitions->first_time, time);
	partitions->last_time = Max(partitions->last_time, time);
}

/*
 * The entity rows of a partition from where its file is read, at most "limit" of them and as many as fit
 */
static AsofIndex *
load_entities(const AsofPartitions *partitions, int partition, const AsofSource *source, uint64 limit, AsofRoom *room,
			  MemoryContext context)
{
	AsofIndex *index = asof_index_create(context, partitions->nkeys, partitions->keys);
	Size row_size = asof_row_size(source->view);
	Size memory_limit = source->options->memory_limit;

	while (index->nrows < limit && asof_spill_get(partitions->entities, partition, room))
	{
		asof_index_add_normal(index, room->row->values, room->row->tag, room->row->event);
		if (index->nrows % ASOF_CHECK_ROWS == 0)
		{
			CHECK_FOR_INTERRUPTS();
			if (asof_index_size(index) > memory_limit || index->nrows * row_size > memory_limit)
				break;
		}
	}
	asof_index_finish(index);
	return index;
}

static void
put_answers(AsofAnswers *answers, int partition, const AsofRows *rows, uint64 n)
{
	int nvalues = answers->spill->nvalues;
	Datum *no_values = palloc0(sizeof(Datum) * Max(nvalues, 1));
	bool *all_null = palloc(sizeof(bool) * Max(nvalues, 1));

	memset(all_null, true, nvalues);
	for (uint64 i = 0; i < n; i++)
	{
		AsofAnswer answer = {0};
		bool present;

		if ((i & 0x3ff) == 0)
			CHECK_FOR_INTERRUPTS();
		asof_prefetch(rows, i + 8);
		asof_get(rows, i, &answer);
		present = answer.status == STORE_PRESENT;
		asof_spill_put(answers->spill, partition, answer.status, answer.event_time, 0,
					   present ? answer.values : no_values, present ? answer.nulls : all_null);
	}
}

/*
 * One pass over the source, its rows into files; those of the entity rows in the index are joined, NULL if the values do not fit
 */
static AsofRows *
spill_source(const AsofPartitions *partitions, const AsofSource *source, AsofIndex *index, AsofSpill *spill,
			 MemoryContext context)
{
	AsofRows *rows = asof_rows_create(index, source->view, source->options, context, index->nslots);

	if (!asof_source_read(source, index, asof_pending_create(rows, partitions, spill)))
		return NULL;
	asof_carry_forward(rows);
	return rows;
}

/*
 * Spills the source and joins the first partition, if it fits into memory; returns whether it did
 */
static bool
join_first(const AsofPartitions *partitions, const AsofSource *source, AsofSpill *spill, AsofAnswers *answers,
		   MemoryContext context)
{
	AsofRoom room = {.context = context};
	AsofIndex *index;
	AsofRows *rows;

	asof_spill_rewind(partitions->entities, 0);
	index = load_entities(partitions, 0, source, PG_UINT64_MAX, &room, context);
	if (index->nslots > 0 && index->nrows == partitions->first_entities)
	{
		rows = spill_source(partitions, source, index, spill, context);
		if (rows)
		{
			put_answers(answers, 0, rows, index->nrows);
			MemoryContextReset(context);
			return true;
		}
		close_all(spill);
	}
	/* nothing is joined yet */
	MemoryContextReset(context);
	index = asof_index_create(context, partitions->nkeys, partitions->keys);
	asof_index_finish(index);
	spill_source(partitions, source, index, spill, context);
	MemoryContextReset(context);
	return false;
}

static void
join_partition(AsofPartitions *partitions, int partition, const AsofSource *source, AsofSpill *rows,
			   AsofAnswers *answers, MemoryContext context)
{
	BufFile *entities = partitions->entities->files[partition];
	AsofRoom room = {.context = partitions->context};
	uint64 limit = PG_UINT64_MAX;

	if (entities == NULL)
		return;
	asof_spill_rewind(partitions->entities, partition);
	for (;;)
	{
		AsofIndex *index;
		AsofRows *found;
		int fileno;
		off_t offset;

		BufFileTell(entities, &fileno, &offset);
		index = load_entities(partitions, partition, source, limit, &room, context);
		if (index->nrows == 0)
			break;
		found = asof_join_source(index, source, rows, partition, context);
		if (found)
			put_answers(answers, partition, found, index->nrows);
		else
		{
			/* the values are larger than the memory: the same again, with half as many rows */
			limit = Max(index->nrows / 2, 1);
			if (BufFileSeek(entities, fileno, offset, SEEK_SET) != 0)
				ereport(ERROR,
						(errcode_for_file_access(), errmsg("could not seek in a temporary file of entity rows")));
		}
		MemoryContextReset(context);
	}
	MemoryContextReset(context);
	asof_room_free(&room);
}

/*
 * Files for the keys and features of a source
 */
static AsofSpill *
create_source_spill(const AsofPartitions *partitions, const StoreView *view, MemoryContext context)
{
	int nkeys = partitions->nkeys;
	AsofSpill *spill = asof_spill_create(context, partitions->n, nkeys + view->nfeatures);

	for (int i = 0; i < nkeys; i++)
		asof_spill_type(spill, i, partitions->keys[i].typlen, partitions->keys[i].typbyval);
	for (int i = 0; i < view->nfeatures; i++)
		asof_spill_type(spill, nkeys + i, view->features[i].typlen, view->features[i].typbyval);
	return spill;
}

AsofAnswers *
asof_partitions_join(AsofPartitions *partitions, const StoreView *view, const AsofOptions *options)
{
	MemoryContext join_context = AllocSetContextCreate(partitions->context, "partitioned join", ALLOCSET_DEFAULT_SIZES);
	MemoryContext context = AllocSetContextCreate(join_context, "partition", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	AsofAnswers *answers = MemoryContextAllocZero(partitions->context, sizeof(AsofAnswers));
	AsofSource source;
	AsofSpill *spill = NULL;
	int partition = 0;

	answers->room.context = partitions->context;
	answers->spill = asof_spill_create(partitions->context, partitions->n, view->nfeatures);
	for (int i = 0; i < view->nfeatures; i++)
		asof_spill_type(answers->spill, i, view->features[i].typlen, view->features[i].typbyval);
	if (partitions->nentities == 0)
		return answers;
	old = MemoryContextSwitchTo(join_context);
	asof_source_open_for(&source, view, options, partitions->keys, partitions->first_time, partitions->last_time,
						 partitions->nentities);
	MemoryContextSwitchTo(context);
	if (!source.by_index)
	{
		spill = create_source_spill(partitions, view, join_context);
		partition = join_first(partitions, &source, spill, answers, context) ? 1 : 0;
	}
	for (; partition < partitions->n; partition++)
	{
		join_partition(partitions, partition, &source, spill, answers, context);
		if (spill)
			asof_spill_close(spill, partition);
	}
	for (partition = 0; partition < partitions->n; partition++)
		asof_spill_rewind(answers->spill, partition);
	asof_source_close(&source);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(join_context);
	return answers;
}

void
asof_answers_next(AsofAnswers *answers, int partition, AsofAnswer *answer)
{
	answer->status = STORE_NOT_FOUND;
	if (partition < 0)
		return;
	if (!asof_spill_get(answers->spill, partition, &answers->room))
		elog(ERROR, "lost the answer for an entity row");
	answer->status = answers->room.row->tag;
	answer->event_time = answers->room.row->event;
	answer->values = answers->room.row->values;
	answer->nulls = asof_spilled_nulls(answers->spill, answers->room.row);
}

void
asof_answers_close(AsofAnswers *answers)
{
	close_all(answers->spill);
}

void
asof_partitions_close(AsofPartitions *partitions)
{
	close_all(partitions->entities);
}
