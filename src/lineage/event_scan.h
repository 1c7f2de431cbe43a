/*
 * Events straight from the table and its indexes, for those who may read all of mlmd.event
 *
 * A walk asks for the events of a few nodes some thousand times; the executor takes longer to start than to answer.
 * What it would check is checked here once: the right to SELECT, no row security, a plain table. Rows are those of the
 * active snapshot. When a check fails the caller goes by SPI.
 */
#ifndef FM_LINEAGE_EVENT_SCAN_H
#define FM_LINEAGE_EVENT_SCAN_H

#include "lineage/traverse.h"

typedef struct FmEventScan FmEventScan;

/* NULL when the table cannot be read so; details: ids and times of events are wanted. To be closed after the walk. */
extern FmEventScan *fm_event_scan_open(bool details);
extern void fm_event_scan_close(FmEventScan *scan);

/* Hands the events of the nodes to the walk */
extern void fm_event_scan_expand(FmEventScan *scan, FmTraversal *traversal, FmNodeKind kind, const int64 *ids, uint32 n,
								 uint32 types);

#endif
