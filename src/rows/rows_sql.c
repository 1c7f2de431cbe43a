/*
 * The SQL functions that look at one row: row_anomalies, is_valid_row
 */
#include "fm_core.h"
#include "fm_relation.h"
#include "message/message_type.h"
#include "rows/row_cache.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "utils/rel.h"
#include "utils/typcache.h"

typedef struct RowTypeId
{
	Oid typid;
	int32 typmod;
} RowTypeId;

static TupleDesc
get_row_type(void *arg)
{
	const RowTypeId *id = arg;

	return lookup_rowtype_tupdesc_copy(id->typid, id->typmod);
}

/*
 * The row in argument 0, taken apart
 */
static FmRowPlan *
open_row(FunctionCallInfo fcinfo, Datum **values, bool **nulls)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	RowTypeId id = {HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row)};
	FmRowPlan *plan = fm_cached_row_plan(fcinfo, 1, 2, id.typid, id.typmod, get_row_type, &id);
	TupleDesc row_type = lookup_rowtype_tupdesc(id.typid, id.typmod);
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	*values = palloc(sizeof(Datum) * (row_type->natts + 1));
	*nulls = palloc(sizeof(bool) * (row_type->natts + 1));
	heap_deform_tuple(&tuple, row_type, *values, *nulls);
	ReleaseTupleDesc(row_type);
	return plan;
}

PG_FUNCTION_INFO_V1(feature_meta_row_anomalies);
Datum
feature_meta_row_anomalies(PG_FUNCTION_ARGS)
{
	FmRowPlan *plan;
	FmRowReasons reasons;
	Datum *values;
	bool *nulls;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	plan = open_row(fcinfo, &values, &nulls);
	reasons = fm_row_reasons(plan, values, nulls);
	PG_RETURN_MESSAGE(fm_reasons_to_anomalies(&reasons));
}

PG_FUNCTION_INFO_V1(feature_meta_is_valid_row);
Datum
feature_meta_is_valid_row(PG_FUNCTION_ARGS)
{
	FmRowPlan *plan;
	Datum *values;
	bool *nulls;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	plan = open_row(fcinfo, &values, &nulls);
	PG_RETURN_BOOL(fm_row_is_valid(plan, values, nulls));
}

PG_FUNCTION_INFO_V1(feature_meta_document_anomalies);
Datum
feature_meta_document_anomalies(PG_FUNCTION_ARGS)
{
	FmRowReasons reasons;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	reasons = fm_json_reasons(fm_cached_json_plan(fcinfo, 1, 2), PG_GETARG_JSONB_P(0));
	PG_RETURN_MESSAGE(fm_reasons_to_anomalies(&reasons));
}

PG_FUNCTION_INFO_V1(feature_meta_is_valid_document);
Datum
feature_meta_is_valid_document(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(fm_json_reasons(fm_cached_json_plan(fcinfo, 1, 2), PG_GETARG_JSONB_P(0)).n == 0);
}

static TupleDesc
get_relation_row_type(void *arg)
{
	Relation relation = fm_open_relation(*(Oid *) arg, AccessShareLock);
	TupleDesc row_type = CreateTupleDescCopy(RelationGetDescr(relation));

	table_close(relation, AccessShareLock);
	return row_type;
}

/*
 * The columns of a relation's row given one by one, without the dropped ones: what anomalous_rows filters by, cheaper
 * than a whole row
 */
PG_FUNCTION_INFO_V1(feature_meta_are_valid_columns);
Datum
feature_meta_are_valid_columns(PG_FUNCTION_ARGS)
{
	Oid relid;
	FmRowPlan *plan;
	Datum values[FUNC_MAX_ARGS];
	bool nulls[FUNC_MAX_ARGS];
	int n_columns = 0;
	int argument = 3;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("columns must be given one by one")));
	relid = PG_GETARG_OID(0);
	plan = fm_cached_row_plan(fcinfo, 1, 2, relid, -1, get_relation_row_type, &relid);
	if (plan->root.n_attributes > FUNC_MAX_ARGS)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS), errmsg("the relation has too many columns")));
	for (; n_columns < plan->root.n_attributes; n_columns++)
	{
		const FmRowNode *node = &plan->root.children[n_columns];

		nulls[n_columns] = true;
		values[n_columns] = (Datum) 0;
		if (!OidIsValid(node->type))
			continue; /* dropped */
		if (argument >= PG_NARGS() || get_fn_expr_argtype(fcinfo->flinfo, argument) != node->type)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("the arguments are not the columns of the relation")));
		nulls[n_columns] = PG_ARGISNULL(argument);
		values[n_columns] = nulls[n_columns] ? (Datum) 0 : PG_GETARG_DATUM(argument);
		argument++;
	}
	PG_RETURN_BOOL(fm_row_is_valid(plan, values, nulls));
}
