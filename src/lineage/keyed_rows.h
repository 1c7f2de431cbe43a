/*
 * Rows of a table of MLMD by a key: those of many ids at once, now or at a time
 *
 * Now they come straight from an index on the key, if the caller may read the whole table, else by a query; at a time by a
 * query. All under the caller's rights and snapshot. Who receives a row does not know which way it came.
 */
#ifndef FM_LINEAGE_KEYED_ROWS_H
#define FM_LINEAGE_KEYED_ROWS_H

#include "fm_core.h"
#include "fm_compat.h"
#include "datatype/timestamp.h"

/* What a column holds, and what its Datum is */
typedef enum FmColumnType
{
	FM_COLUMN_INT, /* bigint or integer: int64 */
	FM_COLUMN_DOUBLE,
	FM_COLUMN_TEXT,
	FM_COLUMN_BYTES,
	FM_COLUMN_BOOL
} FmColumnType;

#define FM_KEYED_COLUMNS 9

typedef struct FmKeyedTable
{
	const char *name;
	const char *order; /* of rows that have the same key, in SQL, where the table is read as it is now; or NULL */
	int n_columns;
	struct
	{
		const char *name;
		FmColumnType type;
	} columns[FM_KEYED_COLUMNS]; /* the first is the key, an INT */
} FmKeyedTable;

typedef struct FmKeyedRow
{
	const Datum *values; /* of the table's columns */
	const bool *nulls;
} FmKeyedRow;

/* Gets a row; what the values point to is gone when it returns. The memory context is that of fm_read_keyed's caller. */
typedef void (*FmKeyedReceiver)(void *arg, const FmKeyedRow *row);

/*
 * Hands the rows whose key is among ids, ascending and without duplicates, to the receiver in the order of keys; as_of:
 * those of a time, NULL: now. To be called within SPI_connect.
 */
extern void fm_read_keyed(const FmKeyedTable *table, const int64 *ids, int n, const TimestampTz *as_of,
						  FmKeyedReceiver receive, void *arg);

static inline int64
fm_row_int(const FmKeyedRow *row, int column, int *has)
{
	if (has != NULL)
		*has = !row->nulls[column];
	return row->nulls[column] ? 0 : DatumGetInt64(row->values[column]);
}

#endif
