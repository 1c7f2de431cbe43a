/*
 * The MLMD store: what the files store_*.c share
 */
#ifndef FM_LINEAGE_STORE_H
#define FM_LINEAGE_STORE_H

#include "fm_core.h"
#include "fm_compat.h"
#include "executor/spi.h"

/*
 * Locks of our own, held to the end of the transaction. They are advisory locks of a class that no SQL function
 * can take, so they meet no lock of a user's.
 */
typedef enum FmStoreLock
{
	FM_LOCK_TYPES = 1, /* who makes a type: one at a time, so that nobody makes it twice and nobody deadlocks */
	FM_LOCK_LASTVAL    /* who moves the sequence behind LASTVAL() */
} FmStoreLock;

extern void fm_store_lock(FmStoreLock which);
extern void fm_store_unlock(FmStoreLock which);

/*
 * Runs a statement whose plan is kept in *plan for the life of the session. The text is a constant: values come as
 * parameters. nulls as SPI takes it ('n' or ' '), or NULL. limit 0 is no limit. To be called between SPI_connect and
 * SPI_finish; the result is in SPI_processed and SPI_tuptable.
 */
extern void fm_store_execute(SPIPlanPtr *plan, const char *sql, int n_args, const Oid *types, Datum *values,
							 const char *nulls, long limit);

#endif
