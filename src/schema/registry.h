/*
 * Schemas registered for relations, as other rooms see them. Needs a server.
 */
#ifndef FM_REGISTRY_H
#define FM_REGISTRY_H

#include "fm_core.h"
#include "fm_compat.h"
#include "utils/timestamp.h"

typedef struct FmRegisteredSchema
{
	Oid relid;	  /* what it was registered for: the relation asked about, or the nearest parent of a partition */
	int version;  /* from 1 on */
	Datum schema; /* a feature_schema, detoasted, in the current memory context */
} FmRegisteredSchema;

/*
 * The schema registered for a relation or, for a partition without one, for its nearest parent; false if there is none.
 * version 0: the newest. at: NULL, or only what was registered until then.
 * Privileges are not looked at: the caller answers for that (fm_check_may_read_schema).
 */
extern bool fm_registered_schema(Oid relid, int version, const TimestampTz *at, FmRegisteredSchema *found);

/* Raises 42P01 if the relation does not exist and 42501 if the current user may not read it */
extern void fm_check_may_read_schema(Oid relid);

/* Both of them, and 42704 (undefined_object) with a hint if there is no schema */
extern FmRegisteredSchema fm_need_registered_schema(Oid relid, int version, const TimestampTz *at);

/* Oid of the table feature_meta.registered_schema */
extern Oid fm_registry_oid(void);

#endif
