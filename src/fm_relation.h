/*
 * Relations that a caller names, and their indexes
 */
#ifndef FM_RELATION_H
#define FM_RELATION_H

#include "postgres.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

/* Opens a relation that a regclass names, which may be any number: 42P01 where there is none. No privilege is checked. */
extern Relation fm_open_relation(Oid relid, LOCKMODE lockmode);

/*
 * Does an index know all rows that the transaction's snapshots see? One that was made over rows that had been updated in
 * place does not, for transactions older than itself (as the planner asks in get_relation_info).
 */
extern bool fm_index_knows_snapshots(Relation index);

#endif
