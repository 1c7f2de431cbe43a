/*
 * Relations that a caller names
 */
#ifndef FM_RELATION_H
#define FM_RELATION_H

#include "postgres.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

/* Opens a relation that a regclass names, which may be any number: 42P01 where there is none. No privilege is checked. */
extern Relation fm_open_relation(Oid relid, LOCKMODE lockmode);

#endif
