/*
 * A table of names: PostgreSQL's simplehash with a pair as its key
 */
#include "fm_core.h"
#include "validation/name_table.h"

#include "common/hashfn.h"
#ifdef FRONTEND
#include "common/logging.h"
#endif

typedef struct NameKey
{
	const void *owner;
	const char *name;
} NameKey;

typedef struct NameEntry
{
	NameKey key;
	void *value;
	uint32 hash;
	char status;
} NameEntry;

static inline uint32
hash_name(NameKey key)
{
	return hash_bytes((const unsigned char *) key.name, (int) strlen(key.name)) ^
		   murmurhash32((uint32) ((uintptr_t) key.owner >> 4));
}

static inline bool
same_name(NameKey a, NameKey b)
{
	return a.owner == b.owner && strcmp(a.name, b.name) == 0;
}

#define SH_PREFIX name
#define SH_ELEMENT_TYPE NameEntry
#define SH_KEY_TYPE NameKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_name(key)
#define SH_EQUAL(tb, a, b) same_name(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) a->hash
#define SH_SCOPE static inline
#ifdef FRONTEND
#define SH_RAW_ALLOCATOR palloc0
#endif
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

FmNameTable *
fm_name_table(size_t expected_size)
{
	/* simplehash keeps up to nine tenths full, and has a limit that a hint must not pass */
	uint32 size = (uint32) Min(expected_size + 8, 1 << 24);

#ifdef FRONTEND
	return name_create(size, NULL);
#else
	return name_create(CurrentMemoryContext, size, NULL);
#endif
}

void **
fm_name_table_add(FmNameTable *table, const void *owner, const char *name)
{
	NameKey key = {owner, name};
	bool found;
	NameEntry *entry = name_insert(table, key, &found);

	if (!found)
		entry->value = NULL;
	return &entry->value;
}

void *
fm_name_table_find(FmNameTable *table, const void *owner, const char *name)
{
	NameKey key = {owner, name};
	NameEntry *entry = name_lookup(table, key);

	return entry == NULL ? NULL : entry->value;
}
