/*
 * Reading a table of MLMD without the executor
 */
#include "lineage/direct_scan.h"

#include "fm_relation.h"

#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/rls.h"

bool
fm_reads_directly(Relation relation)
{
	/* rights and policies are looked at under the lock: before it they may still change */
	return relation->rd_rel->relkind == RELKIND_RELATION && !relation->rd_rel->relhassubclass &&
		   pg_class_aclcheck(RelationGetRelid(relation), GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		   check_enable_rls(RelationGetRelid(relation), InvalidOid, true) == RLS_NONE;
}

bool
fm_index_reads_directly(Relation index)
{
	Form_pg_index form = index->rd_index;

	return index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indisready && form->indislive &&
		   RelationGetIndexPredicate(index) == NIL && RelationGetIndexExpressions(index) == NIL &&
		   index->rd_opfamily[0] == INTEGER_BTREE_FAM_OID && !(index->rd_indoption[0] & INDOPTION_DESC) &&
		   fm_index_knows_snapshots(index);
}

void
fm_index_range(IndexScanDesc scan, int64 low, int64 high)
{
	ScanKeyData keys[2];

	/* with both ends the same the btree makes one key of them, if it is told that they are equalities */
	ScanKeyInit(&keys[0], 1, low == high ? BTEqualStrategyNumber : BTGreaterEqualStrategyNumber,
				low == high ? F_INT8EQ : F_INT8GE, Int64GetDatum(low));
	ScanKeyInit(&keys[1], 1, low == high ? BTEqualStrategyNumber : BTLessEqualStrategyNumber,
				low == high ? F_INT8EQ : F_INT8LE, Int64GetDatum(high));
	index_rescan(scan, keys, 2, NULL, 0);
}
