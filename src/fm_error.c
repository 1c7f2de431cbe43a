/*
 * Errors described by cores, raised at the doors
 */
#include "fm_core.h"
#ifndef FRONTEND
#include "fm_compat.h"
#endif

char *
fm_format(const char *format, va_list args)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (;;)
	{
		va_list copy;
		int needed;

		va_copy(copy, args);
		needed = appendStringInfoVA(&buf, format, copy);
		va_end(copy);
		if (needed == 0)
			return buf.data;
		enlargeStringInfo(&buf, needed);
	}
}

bool
fm_fail(FmError *error, int sqlstate, const char *message, ...)
{
	va_list args;

	if (error->sqlstate != 0)
		return false;
	error->sqlstate = sqlstate;
	error->detail = error->hint = NULL;
	va_start(args, message);
	error->message = fm_format(message, args);
	va_end(args);
	return false;
}

void
fm_fail_detail(FmError *error, const char *detail, ...)
{
	va_list args;

	if (error->detail != NULL)
		return;
	va_start(args, detail);
	error->detail = fm_format(detail, args);
	va_end(args);
}

void
fm_fail_hint(FmError *error, const char *hint, ...)
{
	va_list args;

	if (error->hint != NULL)
		return;
	va_start(args, hint);
	error->hint = fm_format(hint, args);
	va_end(args);
}

#ifndef FRONTEND
bool
fm_throw(const FmError *error, struct Node *escontext)
{
#if PG_VERSION_NUM >= 160000
	errsave(escontext,
			(errcode(error->sqlstate), errmsg("%s", error->message), error->detail ? errdetail("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0));
	return false;
#else
	ereport(ERROR, (errcode(error->sqlstate), errmsg("%s", error->message),
					error->detail ? errdetail("%s", error->detail) : 0, error->hint ? errhint("%s", error->hint) : 0));
	return false;
#endif
}
#endif
