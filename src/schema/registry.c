/*
 * Versions of the schemas of relations: table feature_meta.registered_schema (relation, version, schema, ...)
 *
 * Read as the catalogue is: by index, whoever asks, because a trigger has to find a table's schema also for a role that
 * may only insert. The SQL functions look at the caller's privileges on the relation first. Written through SPI as the
 * caller, so that the table's policies apply.
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "schema/registry.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Columns of the table */
#define COLUMN_RELATION 1
#define COLUMN_VERSION 2
#define COLUMN_SCHEMA 3
#define COLUMN_REGISTERED_AT 4

Oid
fm_registry_oid(void)
{
	Oid relid = get_relname_relid("registered_schema", get_namespace_oid("feature_meta", false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("table feature_meta.registered_schema does not exist")));
	return relid;
}

/*
 * The version asked for that is registered for just this relation
 */
static bool
find_own_schema(Oid relid, int version, const TimestampTz *at, FmRegisteredSchema *found)
{
	Relation table = table_open(fm_registry_oid(), AccessShareLock);
	/* what this very transaction has registered counts; a parallel plan has one snapshot for all */
	Snapshot snapshot = RegisterSnapshot(IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot());
	Oid index = FM_PRIMARY_KEY_INDEX(table);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	found->version = 0;
	ScanKeyInit(&key, COLUMN_RELATION, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(table, index, OidIsValid(index), snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TupleDesc description = RelationGetDescr(table);
		bool isnull;
		int candidate = DatumGetInt32(heap_getattr(tuple, COLUMN_VERSION, description, &isnull));

		if ((version != 0 && candidate != version) || candidate < found->version)
			continue;
		if (at != NULL && DatumGetTimestampTz(heap_getattr(tuple, COLUMN_REGISTERED_AT, description, &isnull)) > *at)
			continue;
		found->relid = relid;
		found->version = candidate;
		found->schema =
			PointerGetDatum(PG_DETOAST_DATUM_COPY(heap_getattr(tuple, COLUMN_SCHEMA, description, &isnull)));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(table, AccessShareLock);
	return found->version != 0;
}

bool
fm_registered_schema(Oid relid, int version, const TimestampTz *at, FmRegisteredSchema *found)
{
	for (;;)
	{
		if (find_own_schema(relid, version, at, found))
			return true;
		if (!get_rel_relispartition(relid))
			return false;
		relid = get_partition_parent(relid, true);
	}
}

/*
 * Raises an error unless relid is something with rows
 */
static void
check_relation(Oid relid)
{
	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return;
		case '\0':
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table or view", get_rel_name(relid))));
	}
}

void
fm_check_may_read_schema(Oid relid)
{
	AclResult result;

	check_relation(relid);
	result = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
}

FmRegisteredSchema
fm_need_registered_schema(Oid relid, int version, const TimestampTz *at)
{
	FmRegisteredSchema found;

	fm_check_may_read_schema(relid);
	if (!fm_registered_schema(relid, version, at, &found))
	{
		char *relation = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));

		if (version != 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
							errmsg("version %d of the schema of \"%s\" does not exist", version, relation)));
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no schema is registered for \"%s\"", relation),
						at != NULL ? errdetail("None was at %s.", timestamptz_to_str(*at)) : 0,
						errhint("Use register_schema.")));
	}
	return found;
}

PG_FUNCTION_INFO_V1(feature_meta_registered_schema);
Datum
feature_meta_registered_schema(PG_FUNCTION_ARGS)
{
	int version = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (version < 0 || (version == 0 && !PG_ARGISNULL(1)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("versions begin with 1")));
	return fm_need_registered_schema(PG_GETARG_OID(0), version, NULL).schema;
}

PG_FUNCTION_INFO_V1(feature_meta_schema_as_of);
Datum
feature_meta_schema_as_of(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);

	return fm_need_registered_schema(PG_GETARG_OID(0), 0, &at).schema;
}

PG_FUNCTION_INFO_V1(feature_meta_register_schema);
Datum
feature_meta_register_schema(PG_FUNCTION_ARGS)
{
	Oid types[4];
	Datum values[4];
	char nulls[4] = {' ', ' ', ' ', ' '};
	Oid relid;
	Oid function = fcinfo->flinfo->fn_oid;
	Oid *argument_types;
	int n_arguments;
	int version;
	bool isnull;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and schema must not be null")));
	relid = PG_GETARG_OID(0);
	check_relation(relid);
	if (!FM_RELATION_OWNERCHECK(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));

	/* one registration of a relation at a time, so that numbers have no gap and times keep their order */
	LockDatabaseObject(fm_registry_oid(), relid, 0, ExclusiveLock);

	get_func_signature(function, &argument_types, &n_arguments);
	types[0] = OIDOID;
	values[0] = ObjectIdGetDatum(relid);
	types[1] = argument_types[1];
	values[1] = PG_GETARG_DATUM(1);
	types[2] = TEXTOID;
	values[2] = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
	nulls[2] = PG_ARGISNULL(2) ? 'n' : ' ';
	types[3] = TIMESTAMPTZOID;
	values[3] = TimestampTzGetDatum(GetCurrentTimestamp());
	SPI_connect();
	if (SPI_execute_with_args(
			"INSERT INTO feature_meta.registered_schema AS r (relation, version, schema, registered_at, comment)\n"
			"SELECT $1, COALESCE(pg_catalog.max(o.version), 0) OPERATOR(pg_catalog.+) 1, $2,\n"
			"  CASE WHEN pg_catalog.max(o.registered_at) OPERATOR(pg_catalog.>=) $4\n"
			"    THEN pg_catalog.max(o.registered_at) OPERATOR(pg_catalog.+) '1 microsecond'::pg_catalog.interval\n"
			"    ELSE $4 END, $3\n"
			"FROM feature_meta.registered_schema o WHERE o.relation OPERATOR(pg_catalog.=) $1\n"
			"ON CONFLICT DO NOTHING RETURNING r.version",
			4, types, values, nulls, false, 1) != SPI_OK_INSERT_RETURNING)
		elog(ERROR, "could not write to feature_meta.registered_schema");
	if (SPI_processed != 1)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("the schema of \"%s\" was registered by another transaction", get_rel_name(relid))));
	version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();

	/* triggers that keep a plan of the schema have to look again */
	CacheInvalidateRelcacheByRelid(relid);
	PG_RETURN_INT32(version);
}
