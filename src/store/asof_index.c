/*
 * The entity rows of a point-in-time join, by key and time
 */
#include "store/asof.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

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

void
asof_index_new_group(AsofIndex *index, AsofGroup *group)
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
	AsofIndex *index;

	context = AllocSetContextCreate(context, "entity rows by key", ALLOCSET_DEFAULT_SIZES);
	index = MemoryContextAllocZero(context, sizeof(AsofIndex));
	index->context = context;
	index->nkeys = nkeys;
	index->keys = keys;
	index->inline_key = nkeys == 1 && keys[0].class == STORE_KEY_INTEGER;
	index->groups = asof_create(context, 256, index);
	index->max_rows = 256;
	index->entities = MemoryContextAlloc(context, sizeof(AsofEntity) * index->max_rows);
	return index;
}

static AsofEntity *
next_entity(AsofIndex *index, TimestampTz time)
{
	AsofEntity *entity;

	if (index->nrows == index->max_rows)
	{
		index->max_rows *= 2;
		index->entities = repalloc_huge(index->entities, sizeof(AsofEntity) * index->max_rows);
	}
	entity = &index->entities[index->nrows];
	entity->row = index->nrows++;
	entity->time = time;
	entity->group = NO_GROUP;
	return entity;
}

void
asof_index_add_normal(AsofIndex *index, Datum *keys, uint32 hash, TimestampTz time)
{
	bool found;
	AsofGroup *group =
		asof_insert_hash(index->groups, index->inline_key ? keys[0] : PointerGetDatum(keys), hash, &found);

	if (!found)
		asof_index_new_group(index, group);
	next_entity(index, time)->group = group->number;
}

void
asof_index_add(AsofIndex *index, const Datum *keys, const bool *nulls, TimestampTz time, bool time_is_null)
{
	Datum normal[STORE_MAX_KEYS];

	if (store_keys_normalize(index->keys, index->nkeys, keys, nulls, normal) && !time_is_null)
		asof_index_add_normal(index, normal, index_hash(index, index->inline_key ? normal[0] : PointerGetDatum(normal)),
							  time);
	else
		next_entity(index, time);
}

/*
 * How many probes finish() makes: a third of them full at most
 */
static Size
probe_count(const AsofIndex *index)
{
	return pg_nextpower2_32(Max((Size) index->ngroups * 3 / 2, 16)) * 2;
}

Size
asof_index_size(const AsofIndex *index)
{
	return MemoryContextMemAllocated(index->context, true) + index->nrows * (sizeof(TimestampTz) + 2 * sizeof(uint32)) +
		   index->ngroups * (sizeof(uint32) + sizeof(Datum)) +
		   (index->inline_key ? sizeof(AsofProbe) * probe_count(index) : 0);
}

/*
 * Turns the groups into probes
 */
static void
make_probes(AsofIndex *index)
{
	Size size = probe_count(index);

	index->probe_mask = size - 1;
	index->probes =
		MemoryContextAllocExtended(index->context, sizeof(AsofProbe) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 group = 0; group < index->ngroups; group++)
	{
		int64 key = DatumGetInt64(index->group_key[group]);
		uint32 at = store_integer_hash(key) & index->probe_mask;

		while (index->probes[at].end_slot != 0)
			at = (at + 1) & index->probe_mask;
		index->probes[at].key = key;
		index->probes[at].first_slot = index->group_start[group];
		index->probes[at].end_slot = index->group_start[group + 1];
	}
	asof_destroy(index->groups);
	index->groups = NULL;
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
		index->group_key[group->number] = group->key;
	if (index->inline_key && index->ngroups < PG_UINT32_MAX / 8)
		make_probes(index);
	pfree(index->entities);
	index->entities = NULL;
	MemoryContextSwitchTo(old);
}
