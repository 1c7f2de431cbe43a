/*
 * Reading a table of MLMD without the executor: what it would check, and ranges of an index
 *
 * For many small reads the executor takes longer to start than to answer. What it would check is checked here once: the
 * right to SELECT, no row security, a plain table. Who fails a check goes by SPI.
 */
#ifndef FM_LINEAGE_DIRECT_SCAN_H
#define FM_LINEAGE_DIRECT_SCAN_H

#include "fm_core.h"
#include "fm_compat.h"
#include "access/genam.h"
#include "utils/rel.h"

/* May the caller read every row and column of the relation, which is open, and are its rows all there are? */
extern bool fm_reads_directly(Relation relation);

/* May the index be read? It is a whole btree of integers in ascending order, without gaps for the snapshot. */
extern bool fm_index_reads_directly(Relation index);

/* Starts the scan anew over the entries whose first column is from low to high; it was begun with two keys */
extern void fm_index_range(IndexScanDesc scan, int64 low, int64 high);

#endif
