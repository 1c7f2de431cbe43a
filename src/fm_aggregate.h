/*
 * What every function of an aggregate asks first
 */
#ifndef FM_AGGREGATE_H
#define FM_AGGREGATE_H

#include "postgres.h"
#include "fmgr.h"

/* The context that an aggregate's state lives in. Raises 0A000 when the function is called outside of an aggregate. */
static inline MemoryContext
fm_aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("this function can only be called as part of an aggregate")));
	return context;
}

#endif
