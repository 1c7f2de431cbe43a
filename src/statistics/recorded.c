/*
 * SQL functions: has a relation changed since its sketch was taken?
 *
 * The rule: a fingerprint of the row versions that a scan sees (their number, and the sum of a 64-bit hash of each
 * one's place and inserting transaction) and of the columns. A sum, and not an exclusive or: shards of a distributed
 * table may hold two versions alike, which would cancel out. An insert adds a version, a delete takes one away, an
 * update does both, a rewrite moves them; freezing changes neither place nor transaction. PostgreSQL's own counters
 * (pg_stat_user_tables) would be cheaper, but they count what was rolled back, are lost in a crash and can be reset. The
 * scan that a fingerprint takes looks at no column, so it costs a small part of a sketch.
 */
#include "fm_core.h"

#include <inttypes.h>

#include "arguments.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "fm_compat.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "source.h"
#include "storage/itemptr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

PG_FUNCTION_INFO_V1(row_version_hash);
PG_FUNCTION_INFO_V1(relation_fingerprint);

/*
 * row_version_hash(ctid tid, xmin xid) RETURNS bigint
 */
Datum
row_version_hash(PG_FUNCTION_ARGS)
{
	ItemPointer place = (ItemPointer) PG_GETARG_POINTER(0);
	TransactionId inserter = DatumGetTransactionId(PG_GETARG_DATUM(1));
	uint32 version[3] = {ItemPointerGetBlockNumberNoCheck(place), ItemPointerGetOffsetNumberNoCheck(place), inserter};

	PG_RETURN_INT64((int64) hash_bytes_extended((const unsigned char *) version, sizeof(version), 0));
}

/*
 * Refuses a filter whose answer for a row may change while the row does not
 */
static void
CheckStableFilter(const FmRowSource *source)
{
	SPIPlanPtr plan = SPI_prepare(psprintf("SELECT 1 FROM %s%s", source->from, source->where), 0, NULL);
	ListCell *cell;

	if (plan == NULL)
		elog(ERROR, "could not prepare query: %s", SPI_result_code_string(SPI_result));
	foreach (cell, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *plan_source = lfirst(cell);
		Query *query = linitial_node(Query, plan_source->query_list);

		if (query->hasSubLinks || contain_mutable_functions((Node *) query->jointree))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("filter of an incremental record must depend on the row alone"),
							errdetail("It has a subquery, or a function that is not immutable."),
							errhint("Write times and dates as constants: day = '2026-11-24'.")));
	}
}

static uint64
HashOfColumns(const FmRowSource *source)
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < source->num_columns; i++)
		appendStringInfo(&columns, "%d %s %s\n", source->columns[i].number, source->columns[i].name,
						 format_type_be(source->columns[i].type));
	return hash_bytes_extended((unsigned char *) columns.data, columns.len, 0);
}

/*
 * relation_fingerprint(relation, filter) RETURNS text
 *
 * NULL for relations without row versions: views and foreign tables, which count as changed. Errors: 22023 a filter that
 * is not immutable; 42601, 42809 as generate_statistics.
 */
Datum
relation_fingerprint(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	FmRowSource *source;
	char *fingerprint = NULL;
	char *sum;
	char kind;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();

	SPI_connect();
	source = fm_source(PG_GETARG_OID(0), fm_arg_text(fcinfo, 1), 1);
	CheckStableFilter(source);
	kind = get_rel_relkind(source->relid);
	if (kind == RELKIND_RELATION || kind == RELKIND_MATVIEW)
	{
		fm_query(psprintf("SELECT pg_catalog.count(*), pg_catalog.sum(%s.row_version_hash(%s.ctid, %s.xmin)) "
						  "FROM ONLY %s",
						  quote_identifier(fm_extension_schema()), source->alias, source->alias, source->from));
		sum = fm_query_text(0, 1);
		fingerprint = MemoryContextStrdup(context, psprintf(INT64_FORMAT ":%s:%016" PRIx64, fm_query_int64(0, 0),
															sum == NULL ? "0" : sum, HashOfColumns(source)));
	}
	SPI_finish();
	if (fingerprint == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(fingerprint));
}
