/*
 * The store's statements and locks
 */
#include "lineage/store.h"

#include "fm_epoch.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* field4 of an advisory lock's tag: 1 and 2 are those of pg_advisory_lock(bigint) and (int, int) */
#define FM_LOCK_CLASS 7007

static LOCKTAG
lock_tag(FmStoreLock which)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, which, 0, FM_LOCK_CLASS);
	return tag;
}

void
fm_store_lock(FmStoreLock which)
{
	LOCKTAG tag = lock_tag(which);

	LockAcquire(&tag, ExclusiveLock, false, false);
}

void
fm_store_unlock(FmStoreLock which)
{
	LOCKTAG tag = lock_tag(which);

	LockRelease(&tag, ExclusiveLock, false);
}

/* An id that the sequence of a table of the store gave is taken */
FM_NORETURN static void
throw_taken_id(const char *table, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
					errmsg("the next id for mlmd.%s is taken: its sequence is behind the rows of the table", table),
					detail ? errdetail_internal("%s", detail) : 0,
					errhint("Rows that are inserted with an id do not move the sequence. Its owner does: SELECT "
							"pg_catalog.setval(pg_catalog.pg_get_serial_sequence('mlmd.%s', 'id'), "
							"pg_catalog.max(id)) FROM mlmd.%s;",
							table, table)));
}

/*
 * If the error that is being handled says that the primary key of a table with ids is violated, raises one that says what to
 * do; nobody gives ids to rows that are inserted here
 */
static void
explain_taken_id(void)
{
	ErrorData *error = CopyErrorData();
	Oid relation;

	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION || error->schema_name == NULL || error->table_name == NULL ||
		error->constraint_name == NULL || strcmp(error->schema_name, "mlmd") != 0 ||
		strcmp(error->constraint_name, psprintf("%s_pkey", error->table_name)) != 0)
		return;
	relation = get_relname_relid(error->table_name, get_namespace_oid("mlmd", false));
	if (!OidIsValid(relation) || get_attnum(relation, "id") == InvalidAttrNumber)
		return;
	FlushErrorState();
	throw_taken_id(error->table_name, error->detail);
}

void
fm_check_last_id(const char *table)
{
	static const Oid types[] = {TEXTOID};
	Datum values[] = {CStringGetTextDatum(psprintf("mlmd.%s", table))};
	char *sql =
		psprintf("SELECT n.id FROM mlmd.%s n WHERE n.id = pg_catalog.currval(pg_catalog.pg_get_serial_sequence($1, "
				 "'id')::pg_catalog.regclass)",
				 table);
	bool isnull;

	if (SPI_execute_with_args(sql, 1, (Oid *) types, values, NULL, false, 1) == SPI_OK_SELECT && SPI_processed > 0)
		throw_taken_id(table, psprintf("Key (id)=(" INT64_FORMAT ") already exists.", fm_result_int64(0, 1, &isnull)));
}

void
fm_store_execute(SPIPlanPtr *plan, const char *sql, int n_args, const Oid *types, Datum *values, const char *nulls,
				 long limit)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int code = 0;

	if (*plan == NULL)
	{
		SPIPlanPtr made = SPI_prepare(sql, n_args, (Oid *) types);

		if (made == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		*plan = made;
	}
	PG_TRY();
	{
		code = SPI_execute_plan(*plan, values, nulls, false, limit);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		explain_taken_id();
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (code < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
}

int64
fm_result_int64(uint64 row, int column, bool *isnull)
{
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);

	return *isnull ? 0 : DatumGetInt64(value);
}

char *
fm_result_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

int64
fm_store_now(void)
{
	TimestampTz now = GetCurrentTimestamp();

	return (now / 1000) + FM_EPOCH_MICROSECONDS / 1000;
}
