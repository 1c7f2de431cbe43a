/*
 * The point-in-time join's own: what asof.c and the files asof_*.c share. Other rooms see store.h.
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

/* Adds an entity row whose key is normalised and hashed */
extern void asof_index_add_normal(AsofIndex *index, Datum *keys, uint32 hash, TimestampTz time);

/* asof_spill.c ----------------------------------------------------------------------------------------------------- */

/*
 * A row in a temporary file: values, their null flags, then the bytes of values by reference, whose Datums are offsets while
 * the row is in the file
 */
typedef struct AsofSpilled
{
	uint32 size; /* of the whole */
	uint32 tag;	 /* hash of the key; of an answer its status */
	TimestampTz event;
	TimestampTz created;
	Datum values[FLEXIBLE_ARRAY_MEMBER];
} AsofSpilled;

/* Room for a row, that grows, in a context of who has it */
typedef struct AsofRoom
{
	MemoryContext context;
	AsofSpilled *row;
	Size size;
} AsofRoom;

/* Rows of one shape, in a temporary file for each partition; a file without rows is NULL */
typedef struct AsofSpill
{
	MemoryContext context;
	int nfiles;
	struct BufFile **files;
	int nvalues;
	int16 *typlen;
	bool *typbyval;
	AsofRoom out;
} AsofSpill;

/* Files for rows of nvalues values, the types of which are then to be set */
extern AsofSpill *asof_spill_create(MemoryContext context, int nfiles, int nvalues);
extern void asof_spill_type(AsofSpill *spill, int value, int16 typlen, bool typbyval);
extern void asof_spill_put(AsofSpill *spill, int file, uint32 tag, TimestampTz event, TimestampTz created,
						   const Datum *values, const bool *nulls);

/* The null flags of a row */
static inline bool *
asof_spilled_nulls(const AsofSpill *spill, AsofSpilled *row)
{
	return (bool *) (row->values + spill->nvalues);
}

/* After the last row was put: back to the first */
extern void asof_spill_rewind(AsofSpill *spill, int file);

/* The next row, into the room; false after the last one */
extern bool asof_spill_get(AsofSpill *spill, int file, AsofRoom *room);
extern void asof_room_free(AsofRoom *room);
extern void asof_spill_close(AsofSpill *spill, int file);

/* Bytes of a value by reference without the pointers of an expanded object, which are good for one row only, and the bytes themselves */
extern Size asof_value_size(Datum value, int16 typlen);
extern void asof_value_copy(char *to, Datum value, int16 typlen, Size size);

/* asof_partition.c ------------------------------------------------------------------------------------------------- */

/*
 * Entity rows by the partition of their key, which is a range of its hash: tables use the low bits. The first one is as large
 * as the memory, the others share the rest evenly.
 */
struct AsofPartitions
{
	MemoryContext context;
	int n;
	uint32 first_end;	   /* the first hash that is not of the first partition */
	uint64 per_hash;	   /* the others' number for a hash, times 2^48 */
	uint64 first_entities; /* rows of the first partition */
	int nkeys;
	StoreKey *keys;
	AsofSpill *entities; /* keys, normalised; event: the time */
	uint64 nentities;
	TimestampTz first_time;
	TimestampTz last_time;
	uint64 *asked; /* bits for the hashes of keys, so that most rows of other keys go no further */
	uint32 asked_mask;
};

static inline int
asof_partition_of_hash(const AsofPartitions *partitions, uint32 hash)
{
	return hash < partitions->first_end ? 0 : 1 + (int) (((hash - partitions->first_end) * partitions->per_hash) >> 48);
}

static inline bool
asof_partitions_ask(const AsofPartitions *partitions, uint32 hash)
{
	return (partitions->asked[(hash & partitions->asked_mask) / 64] >> (hash % 64)) & 1;
}

/* asof_rows.c ------------------------------------------------------------------------------------------------------ */

/* Records for n slots, all empty */
extern AsofRows *asof_rows_create(const AsofIndex *index, const StoreView *view, const AsofOptions *options,
								  MemoryContext context, Size n);

/* Source rows on their way into an AsofRows; or, with partitions, into their files, but for the first if the rows have an index */
typedef struct AsofPending AsofPending;
extern AsofPending *asof_pending_create(AsofRows *rows, const AsofPartitions *partitions, AsofSpill *spill);

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

/* Takes the rows of a partition that were spilled; false when memory is used up */
extern bool asof_add_spilled(AsofPending *pending, AsofSpill *spill, int file);

/* Brings in what is pending; false when memory is used up */
extern bool asof_flush(AsofPending *pending);

/* Carries the newest row forward along the times of each key and looks at the time to live */
extern void asof_carry_forward(AsofRows *rows);

/* asof_source.c ---------------------------------------------------------------------------------------------------- */

/* How a view's source is read, chosen once for all entity rows */
typedef struct AsofSource
{
	const StoreView *view;
	const AsofOptions *options;
	const StoreKey *keys;
	SPIPlanPtr scan;	/* one pass by a query */
	bool bounds_pay;	/* the query's bounds on time help, so that it is better than a pass over the table */
	SPIPlanPtr descent; /* an index descent */
	bool by_index;
} AsofSource;

/* For event times in [from, until]; ndescents 0: a pass is the only way */
extern void asof_source_open(AsofSource *source, const StoreView *view, const AsofOptions *options,
							 const StoreKey *keys, TimestampTz from, TimestampTz until, double ndescents);
extern void asof_source_close(AsofSource *source);

/* Reads it into pending rows; false when memory was used up. The index says where to descend. */
extern bool asof_source_read(const AsofSource *source, const AsofIndex *index, AsofPending *pending);

/* The same for the entity rows of times in [first, last] */
extern void asof_source_open_for(AsofSource *source, const StoreView *view, const AsofOptions *options,
								 const StoreKey *keys, TimestampTz first, TimestampTz last, double nentities);

/* asof.c ----------------------------------------------------------------------------------------------------------- */

/*
 * asof_join() with a source that is open; its rows come from a spill's file if there is one
 */
extern AsofRows *asof_join_source(AsofIndex *index, const AsofSource *source, AsofSpill *spill, int file,
								  MemoryContext context);

#endif
