/*
 * The store's statements and locks
 */
#include "lineage/store.h"

#include "fm_epoch.h"

#include "miscadmin.h"
#include "storage/lock.h"
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

void
fm_store_execute(SPIPlanPtr *plan, const char *sql, int n_args, const Oid *types, Datum *values, const char *nulls,
				 long limit)
{
	int code;

	if (*plan == NULL)
	{
		SPIPlanPtr made = SPI_prepare(sql, n_args, (Oid *) types);

		if (made == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		*plan = made;
	}
	code = SPI_execute_plan(*plan, values, nulls, false, limit);
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
