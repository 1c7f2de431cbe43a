/*
 * What the functions and the report share
 */
#ifndef FM_DRIFT_FUNCTIONS_H
#define FM_DRIFT_FUNCTIONS_H

#include "fm_compat.h"
#include "utils/jsonb.h"

#include "drift/metrics.h"

/* The options of the distances, NULL: none. Errors: 22023. */
extern FmDriftOptions fm_drift_read_options(Jsonb *jsonb);

/* The path of a sketch's feature as text; empty for the column of a column_sketch */
extern char *fm_drift_path(const FmFeatureInfo *info);

#endif
