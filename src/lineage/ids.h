/*
 * Ids in order
 */
#ifndef FM_LINEAGE_IDS_H
#define FM_LINEAGE_IDS_H

#include "fm_core.h"

/* Sorts ids in ascending order */
extern void fm_sort_ids(int64 *ids, size_t n);

/* Place of an id among sorted ids, -1 when it is not there */
extern int64 fm_find_id(const int64 *ids, size_t n, int64 id);

#endif
