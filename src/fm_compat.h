/*
 * The differences between PostgreSQL 15 and 18, in one place
 */
#ifndef FM_COMPAT_H
#define FM_COMPAT_H

#include "postgres.h"
#include "fmgr.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#include "nodes/miscnodes.h"
#else
/* The module is built with hidden symbols; 15 does not mark the functions of the SQL interface as exported */
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#if PG_VERSION_NUM >= 160000
#define FM_ESCONTEXT(fcinfo) ((fcinfo)->context)
#else
#define FM_ESCONTEXT(fcinfo) NULL
#endif

#endif
