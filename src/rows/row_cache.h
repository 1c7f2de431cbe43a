/*
 * Compiled schemas kept from call to call of an SQL function
 */
#ifndef FM_ROW_CACHE_H
#define FM_ROW_CACHE_H

#include "rows/row_plan.h"

/* A row type by which a plan is compiled */
typedef TupleDesc (*FmRowTypeGetter)(void *arg);

/*
 * The plan of arguments schema_arg (feature_schema, not NULL) and environment_arg (text or NULL; -1: none) of the call,
 * for rows of the type typid/typmod. It is kept in fn_extra and made anew when one of these changes.
 */
extern FmRowPlan *fm_cached_row_plan(FunctionCallInfo fcinfo, int schema_arg, int environment_arg, Oid typid,
									 int32 typmod, FmRowTypeGetter get, void *arg);

/* The same for documents */
extern FmRowPlan *fm_cached_json_plan(FunctionCallInfo fcinfo, int schema_arg, int environment_arg);

#endif
