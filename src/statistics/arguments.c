/*
 * Arguments of the SQL functions, NULL meaning the default
 */
#include "arguments.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

static bool
IsNull(FunctionCallInfo fcinfo, int n)
{
	return n >= PG_NARGS() || PG_ARGISNULL(n);
}

int
fm_arg_int(FunctionCallInfo fcinfo, int n, int if_null)
{
	return IsNull(fcinfo, n) ? if_null : PG_GETARG_INT32(n);
}

double
fm_arg_float8(FunctionCallInfo fcinfo, int n, double if_null)
{
	return IsNull(fcinfo, n) ? if_null : PG_GETARG_FLOAT8(n);
}

bool
fm_arg_bool(FunctionCallInfo fcinfo, int n, bool if_null)
{
	return IsNull(fcinfo, n) ? if_null : PG_GETARG_BOOL(n);
}

char *
fm_arg_text(FunctionCallInfo fcinfo, int n)
{
	return IsNull(fcinfo, n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

char *
fm_arg_jsonb(FunctionCallInfo fcinfo, int n)
{
	return IsNull(fcinfo, n) ? NULL : DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(n)));
}

int
fm_arg_texts(FunctionCallInfo fcinfo, int n, const char *name, char ***texts)
{
	Datum *elements;
	bool *nulls;
	int count;

	*texts = NULL;
	if (IsNull(fcinfo, n))
		return -1;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	*texts = palloc(sizeof(char *) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", name)));
		(*texts)[i] = TextDatumGetCString(elements[i]);
	}
	return count;
}

void
fm_arg_required(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (IsNull(fcinfo, n))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", name)));
}
