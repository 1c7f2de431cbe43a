/*
 * Relations that a caller names
 */
#include "fm_core.h"
#include "fm_relation.h"

#include "access/relation.h"

Relation
fm_open_relation(Oid relid, LOCKMODE lockmode)
{
	Relation relation = try_relation_open(relid, lockmode);

	if (relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
	return relation;
}
