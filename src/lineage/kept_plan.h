/*
 * Queries whose plans are kept for the session, found by their text
 *
 * For short walks and small subgraphs a query takes longer to plan than to run.
 */
#ifndef FM_LINEAGE_KEPT_PLAN_H
#define FM_LINEAGE_KEPT_PLAN_H

#include "fm_core.h"
#include "fm_compat.h"
#include "executor/spi.h"

/* A query for more nodes than this is planned for them: a kept plan expects few */
#define FM_KEPT_PLAN_NODES 1000

/*
 * Runs a SELECT read-only, as SPI_execute_with_args does: the rows are in SPI_tuptable, or go to dest if it is not NULL.
 * No parameter is NULL. To be called between SPI_connect and SPI_finish. The text holds no value of a user's, else every
 * value would have a plan of its own. generic: the plan does not look at the parameters.
 */
extern void fm_execute_kept(const char *sql, int n_args, const Oid *types, const Datum *values, bool generic,
							DestReceiver *dest);

/* The same for a query that is planned for these values, and not kept */
extern void fm_execute_once(const char *sql, int n_args, const Oid *types, const Datum *values, DestReceiver *dest);

#endif
