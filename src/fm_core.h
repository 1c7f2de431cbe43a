/*
 * What every file of the project includes first.
 *
 * The rooms' cores are plain C on plain structs: they use palloc, StringInfo, hash tables and the like from
 * PostgreSQL, but no Datum, SPI or ereport. So the same files compile with -DFRONTEND into programs that run
 * without a server (fuzz targets, unit tests); there palloc is malloc.
 *
 * A core reports a wrong input through FmError (fm_error.h); only the files at a room's door raise errors.
 */
#ifndef FM_CORE_H
#define FM_CORE_H

#ifdef FRONTEND
#include "postgres_fe.h"
#define CHECK_FOR_INTERRUPTS() ((void) 0)
#define check_stack_depth() ((void) 0)
#else
#include "postgres.h"
#include "miscadmin.h"
#endif

#include "lib/stringinfo.h"

#include "fm_error.h"

#endif
