/*
 * The point-in-time join's own: what asof.c, asof_index.c, asof_rows.c and asof_source.c share. Other rooms see store.h.
 */
#ifndef FM_STORE_ASOF_H
#define FM_STORE_ASOF_H

#include "store/store.h"
#include "access/htup.h"
#include "executor/tuptable.h"

#define NO_SLOT PG_UINT32_MAX
#define NO_GROUP PG_UINT32_MAX

/*
 * A group is the entity rows of one key: a single integer itself, or the address of the key's values. One entry is all that
 * a source row of another key touches.
 */
typedef struct AsofGroup
{
	Datum key;
	uint32 hash;
	uint32 number;
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

/*
 * A group by a single integer, for the pass over a source: small and thinly spread, as every source row looks for one
 */
typedef struct AsofProbe
{
	int64 key;
	uint32 first_slot;
	uint32 end_slot; /* 0: empty */
} AsofProbe;

struct AsofIndex
{
	MemoryContext context;
	int nkeys;
	StoreKey *keys;
	bool inline_key;  /* one integer */
	bool open;		  /* keys are those of the source: a slot a key, made as they come */
	TimestampTz from; /* open: event times that count, "until" included */
	TimestampTz until;
	asof_hash *groups; /* given up by finish when there are probes */
	AsofProbe *probes;
	uint32 probe_mask;
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
	return index->inline_key ? store_integer_hash(DatumGetInt64(key))
							 : store_keys_hash(index->keys, index->nkeys, key_values(index, &key));
}

static inline bool
index_equal(const AsofIndex *index, Datum a, Datum b)
{
	return index->inline_key
			   ? a == b
			   : store_keys_equal(index->keys, index->nkeys, key_values(index, &a), key_values(index, &b));
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

/* asof_index.c ----------------------------------------------------------------------------------------------------- */

/* Numbers a group that was just put into the hash table and copies its key */
extern void asof_index_new_group(AsofIndex *index, AsofGroup *group);

/* asof_rows.c ------------------------------------------------------------------------------------------------------ */

/* Records for n slots, all empty */
extern AsofRows *asof_rows_create(const AsofIndex *index, const StoreView *view, const AsofOptions *options,
								  MemoryContext context, Size n);

/* Source rows on their way into an AsofRows */
typedef struct AsofPending AsofPending;
extern AsofPending *asof_pending_create(AsofRows *rows);

/* Where a table has a column */
typedef struct AsofPlace
{
	AttrNumber number;
	int offset; /* in a tuple without NULLs, -1 if that differs from tuple to tuple */
	int16 typlen;
	bool typbyval;
} AsofPlace;

/* Where a table has the columns of a view */
typedef struct AsofLayout
{
	TupleDesc desc;
	AsofPlace keys[STORE_MAX_KEYS];
	AsofPlace event_time;
	AsofPlace created_time;
	AsofPlace *features;
	AttrNumber last_known; /* the last of keys and times */
	AttrNumber last_feature;
	bool fixed_known; /* all keys and times, all features have an offset */
	bool fixed_features;
} AsofLayout;

/*
 * Takes a row of a query: keys, event time, [created time], features; false when no more are wanted, as memory is used up
 */
extern bool asof_add_slot(AsofPending *pending, TupleTableSlot *slot);

/*
 * The same of a table's own row, which must stay where it is until asof_flush(). The slot is scratch, of TTSOpsHeapTuple.
 */
extern bool asof_add_tuple(AsofPending *pending, const AsofLayout *layout, TupleTableSlot *slot, HeapTuple tuple);

/* Brings in what is pending; false when memory is used up */
extern bool asof_flush(AsofPending *pending);

/* Carries the newest row forward along the times of each key and looks at the time to live */
extern void asof_carry_forward(AsofRows *rows);

/* asof_source.c ---------------------------------------------------------------------------------------------------- */

/* Reads a view's source into pending rows, the way that is cheapest; false when memory was used up */
extern bool asof_read_source(const AsofIndex *index, const StoreView *view, const AsofOptions *options,
							 AsofPending *pending);

#endif
