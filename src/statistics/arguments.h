/*
 * Arguments of the SQL functions, NULL meaning the default
 */
#ifndef FM_ARGUMENTS_H
#define FM_ARGUMENTS_H

#include "fm_core.h"
#include "fm_compat.h"

/* Argument n, or the default if it is NULL (or the call has not so many) */
extern int fm_arg_int(FunctionCallInfo fcinfo, int n, int if_null);
extern double fm_arg_float8(FunctionCallInfo fcinfo, int n, double if_null);
extern bool fm_arg_bool(FunctionCallInfo fcinfo, int n, bool if_null);
extern char *fm_arg_text(FunctionCallInfo fcinfo, int n);  /* or NULL */
extern char *fm_arg_jsonb(FunctionCallInfo fcinfo, int n); /* as text, or NULL */

/* The elements of a text[] in order, of any number of dimensions; -1 and NULL if it is NULL. No element may be NULL. */
extern int fm_arg_texts(FunctionCallInfo fcinfo, int n, const char *name, char ***texts);

/* An argument that must not be NULL: 22004 */
extern void fm_arg_required(FunctionCallInfo fcinfo, int n, const char *name);

#endif
