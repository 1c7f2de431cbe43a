/*
 * Relations that a caller names, and their indexes
 */
#include "fm_core.h"
#include "fm_relation.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

Relation
fm_open_relation(Oid relid, LOCKMODE lockmode)
{
	Relation relation = try_relation_open(relid, lockmode);

	if (relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
	return relation;
}

bool
fm_index_knows_snapshots(Relation index)
{
	return !index->rd_index->indcheckxmin ||
		   TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin);
}
