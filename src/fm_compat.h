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
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname)                                                                                  \
	extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS);                                                               \
	extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, funcname)(void);                                    \
	const Pg_finfo_record *CppConcat(pg_finfo_, funcname)(void)                                                        \
	{                                                                                                                  \
		static const Pg_finfo_record my_finfo = {1};                                                                   \
		return &my_finfo;                                                                                              \
	}                                                                                                                  \
	extern int no_such_variable
#endif

#if PG_VERSION_NUM >= 160000
#define FM_ESCONTEXT(fcinfo) ((fcinfo)->context)
#else
#define FM_ESCONTEXT(fcinfo) NULL
#endif

/* Does the current user own the relation? */
#if PG_VERSION_NUM >= 160000
#define FM_RELATION_OWNERCHECK(relid) object_ownercheck(RelationRelationId, (relid), GetUserId())
#else
#define FM_RELATION_OWNERCHECK(relid) pg_class_ownercheck((relid), GetUserId())
#endif

/* Stands before the type of a function that raises an error in each case */
#if PG_VERSION_NUM >= 180000
#define FM_NORETURN pg_noreturn
#else
#define FM_NORETURN __attribute__((noreturn))
#endif

#if PG_VERSION_NUM >= 180000
#define FM_PRIMARY_KEY_INDEX(relation) RelationGetPrimaryKeyIndex((relation), false)
#else
#define FM_PRIMARY_KEY_INDEX(relation) RelationGetPrimaryKeyIndex(relation)
#endif

/* 18 has a place for what EXPLAIN counts */
#if PG_VERSION_NUM >= 180000
#define fm_index_beginscan(table, index, snapshot, nkeys) index_beginscan(table, index, snapshot, NULL, nkeys, 0)
#else
#define fm_index_beginscan(table, index, snapshot, nkeys) index_beginscan(table, index, snapshot, nkeys, 0)
#endif

/* Declares the snapshot that toast tables are read with */
#if PG_VERSION_NUM >= 180000
#define FM_TOAST_SNAPSHOT(name) Snapshot name = get_toast_snapshot()
#else
#define FM_TOAST_SNAPSHOT(name)                                                                                        \
	SnapshotData name##_data;                                                                                          \
	Snapshot name = (init_toast_snapshot(&name##_data), &name##_data)
#endif

/* VARATT_IS_SHORT is true of a pointer to a value that is stored elsewhere too */
#define FM_VARATT_IS_SHORT(v) (VARATT_IS_SHORT(v) && !VARATT_IS_EXTERNAL(v))

#endif
