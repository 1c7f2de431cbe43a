/*
 * Compiled schemas kept from call to call (see row_cache.h)
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "rows/row_cache.h"

#include "utils/memutils.h"
#include "utils/typcache.h"

typedef struct FmRowCache
{
	FmRowPlan *plan;
	Oid typid;
	int32 typmod;
	bool arguments_are_stable;
	Size schema_size; /* as the argument came: a TOAST pointer is compared as such */
	char *schema;
	Size environment_size;
	char *environment; /* NULL: none */
} FmRowCache;

static bool
same_datum(Datum value, Size size, const char *kept)
{
	return VARSIZE_ANY(DatumGetPointer(value)) == size && memcmp(DatumGetPointer(value), kept, size) == 0;
}

static bool
is_current(FunctionCallInfo fcinfo, const FmRowCache *cache, int schema_arg, int environment_arg, Oid typid,
		   int32 typmod)
{
	bool has_environment = environment_arg >= 0 && !PG_ARGISNULL(environment_arg);

	if (cache->typid != typid || cache->typmod != typmod)
		return false;
	if (cache->arguments_are_stable)
		return true;
	if (has_environment != (cache->environment != NULL))
		return false;
	return same_datum(PG_GETARG_DATUM(schema_arg), cache->schema_size, cache->schema) &&
		   (!has_environment ||
			same_datum(PG_GETARG_DATUM(environment_arg), cache->environment_size, cache->environment));
}

static char *
copy_datum(Datum value, Size *size)
{
	*size = VARSIZE_ANY(DatumGetPointer(value));
	return memcpy(palloc(*size), DatumGetPointer(value), *size);
}

static FmRowPlan *
cached_plan(FunctionCallInfo fcinfo, int schema_arg, int environment_arg, Oid typid, int32 typmod, FmRowTypeGetter get,
			void *arg)
{
	FmRowCache *cache = fcinfo->flinfo->fn_extra;
	Tfmd__Schema *schema;
	char *environment = NULL;
	MemoryContext old;
	FmRowPlan *plan;

	if (cache != NULL && is_current(fcinfo, cache, schema_arg, environment_arg, typid, typmod))
		return cache->plan;
	schema = PG_GETARG_FEATURE_SCHEMA(schema_arg);
	if (environment_arg >= 0 && !PG_ARGISNULL(environment_arg))
		environment = text_to_cstring(PG_GETARG_TEXT_PP(environment_arg));
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	if (cache != NULL)
	{
		/* nothing is left half-made if the new schema turns out to be wrong */
		fcinfo->flinfo->fn_extra = NULL;
		MemoryContextDelete(cache->plan->context);
		pfree(cache->schema);
		if (cache->environment != NULL)
			pfree(cache->environment);
		pfree(cache);
	}
	plan = get != NULL ? fm_row_plan_create(schema, get(arg), environment, false)
					   : fm_json_plan_create(schema, environment);
	cache = palloc0(sizeof(FmRowCache));
	cache->plan = plan;
	cache->typid = typid;
	cache->typmod = typmod;
	cache->arguments_are_stable = get_fn_expr_arg_stable(fcinfo->flinfo, schema_arg) &&
								  (environment_arg < 0 || get_fn_expr_arg_stable(fcinfo->flinfo, environment_arg));
	cache->schema = copy_datum(PG_GETARG_DATUM(schema_arg), &cache->schema_size);
	if (environment != NULL)
		cache->environment = copy_datum(PG_GETARG_DATUM(environment_arg), &cache->environment_size);
	fcinfo->flinfo->fn_extra = cache;
	MemoryContextSwitchTo(old);
	return plan;
}

FmRowPlan *
fm_cached_row_plan(FunctionCallInfo fcinfo, int schema_arg, int environment_arg, Oid typid, int32 typmod,
				   FmRowTypeGetter get, void *arg)
{
	return cached_plan(fcinfo, schema_arg, environment_arg, typid, typmod, get, arg);
}

FmRowPlan *
fm_cached_json_plan(FunctionCallInfo fcinfo, int schema_arg, int environment_arg)
{
	return cached_plan(fcinfo, schema_arg, environment_arg, InvalidOid, -1, NULL, NULL);
}
