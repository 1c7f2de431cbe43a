/*
 * A wrong input, described by a core so that the room's door can raise it (or, as a soft error, return it)
 */
#ifndef FM_ERROR_H
#define FM_ERROR_H

/* SQLSTATE as ereport takes it; the ERRCODE_ names are the server's, which a program without one has to read too */
#ifdef FRONTEND
#define PGSIXBIT(ch) (((ch) - '0') & 0x3F)
#define MAKE_SQLSTATE(ch1, ch2, ch3, ch4, ch5)                                                                         \
	(PGSIXBIT(ch1) + (PGSIXBIT(ch2) << 6) + (PGSIXBIT(ch3) << 12) + (PGSIXBIT(ch4) << 18) + (PGSIXBIT(ch5) << 24))
#endif
#include "utils/errcodes.h"

/* vsprintf into a palloc'd string; args can be used only this once */
extern char *fm_format(const char *format, va_list args) pg_attribute_printf(1, 0);

typedef struct FmError
{
	int sqlstate;  /* 0: no error */
	char *message; /* palloc'd; primary message, without the place */
	char *detail;  /* palloc'd or NULL; where and what */
	char *hint;	   /* palloc'd or NULL; what to do */
} FmError;

/* Fills in an error unless there is one already; returns false, so that a core can "return fm_fail(...)" */
extern bool fm_fail(FmError *error, int sqlstate, const char *message, ...) pg_attribute_printf(3, 4);
extern void fm_fail_detail(FmError *error, const char *detail, ...) pg_attribute_printf(2, 3);
extern void fm_fail_hint(FmError *error, const char *hint, ...) pg_attribute_printf(2, 3);

#ifndef FRONTEND
struct Node;

/* Raises the error; with a fmgr call context of soft errors (PostgreSQL 16) saves it there and returns false */
extern bool fm_throw(const FmError *error, struct Node *escontext);
#endif

#endif
