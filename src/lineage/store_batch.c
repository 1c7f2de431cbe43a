/*
 * Rows for a table of the store, inserted by one statement
 *
 * The rows go to the server as one array of the table's row type: a scan of that costs a quarter of a scan of an array
 * for each column.
 */
#include "lineage/store.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "funcapi.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

void
fm_batch_begin(FmBatch *batch, FmBatchInsert *insert)
{
	Oid relation = get_relname_relid(insert->table, get_namespace_oid("mlmd", false));
	Oid row_type = OidIsValid(relation) ? get_rel_type_id(relation) : InvalidOid;

	if (!OidIsValid(row_type))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table mlmd.%s does not exist", insert->table)));
	if (insert->plan != NULL && insert->row_type != row_type)
	{
		/* the extension was dropped and made again */
		SPI_freeplan(insert->plan);
		insert->plan = NULL;
	}
	insert->row_type = row_type;
	memset(batch, 0, sizeof(FmBatch));
	batch->insert = insert;
	batch->desc = lookup_rowtype_tupdesc(row_type, -1);
	for (int i = 0; i < insert->n_columns; i++)
	{
		batch->attributes[i] = SPI_fnumber(batch->desc, insert->columns[i]) - 1;
		if (batch->attributes[i] < 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("table mlmd.%s has no column \"%s\"", insert->table, insert->columns[i])));
	}
	batch->values = palloc0(sizeof(Datum) * batch->desc->natts);
	batch->nulls = palloc(sizeof(bool) * batch->desc->natts);
}

void
fm_batch_add(FmBatch *batch, const Datum *values, const bool *nulls)
{
	memset(batch->nulls, true, sizeof(bool) * batch->desc->natts);
	for (int i = 0; i < batch->insert->n_columns; i++)
	{
		batch->values[batch->attributes[i]] = values[i];
		batch->nulls[batch->attributes[i]] = nulls[i];
	}
	if (batch->n == batch->room)
	{
		batch->room = batch->room == 0 ? 16 : batch->room * 2;
		batch->rows = batch->rows == NULL ? palloc(sizeof(Datum) * batch->room)
										  : repalloc_huge(batch->rows, sizeof(Datum) * batch->room);
	}
	batch->rows[batch->n++] = HeapTupleGetDatum(heap_form_tuple(batch->desc, batch->values, batch->nulls));
}

void
fm_batch_execute(FmBatch *batch)
{
	FmBatchInsert *insert = batch->insert;
	const Oid arg_types[] = {get_array_type(insert->row_type)};
	Datum rows;

	ReleaseTupleDesc(batch->desc);
	if (batch->n == 0)
	{
		SPI_processed = 0;
		return;
	}
	rows = PointerGetDatum(construct_array(batch->rows, batch->n, insert->row_type, -1, false, TYPALIGN_DOUBLE));
	if (insert->plan == NULL)
	{
		StringInfoData sql;

		initStringInfo(&sql);
		appendStringInfo(&sql, "INSERT INTO mlmd.%s AS p (", insert->table);
		for (int i = 0; i < insert->n_columns; i++)
			appendStringInfo(&sql, "%s%s", i == 0 ? "" : ", ", insert->columns[i]);
		appendStringInfoString(&sql, ") SELECT ");
		for (int i = 0; i < insert->n_columns; i++)
			appendStringInfo(&sql, "%sr.%s", i == 0 ? "" : ", ", insert->columns[i]);
		appendStringInfo(&sql, " FROM unnest($1) r %s", insert->tail);
		fm_store_execute(&insert->plan, sql.data, 1, arg_types, &rows, NULL, 0);
	}
	else
		fm_store_execute(&insert->plan, NULL, 1, arg_types, &rows, NULL, 0);
}
