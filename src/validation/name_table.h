/*
 * A table of names, each belonging to an owner (any address), with a pointer kept for each
 */
#ifndef FM_NAME_TABLE_H
#define FM_NAME_TABLE_H

#include "fm_core.h"

typedef struct name_hash FmNameTable;

extern FmNameTable *fm_name_table(size_t expected_size);

/* The pointer of a name, NULL when the name is new; valid until the next call. name is not copied. */
extern void **fm_name_table_add(FmNameTable *table, const void *owner, const char *name);

/* The pointer of a name; NULL if it is not there */
extern void *fm_name_table_find(FmNameTable *table, const void *owner, const char *name);

#endif
