/*
 * enforce_schema: a trigger that keeps a relation to its registered schema
 *
 * The schema is compiled once a session and relation; registering a new version, or changing the relation, sends a relcache
 * invalidation, on which it is compiled anew.
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "rows/row_plan.h"
#include "schema/registry.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Last in the alphabet, so that it sees what other triggers made of the row */
#define TRIGGER_NAME "zz_enforce_schema"

/* Reasons listed in an error's detail */
#define MAX_LISTED 10

typedef enum EnforceAction
{
	ENFORCE_REJECT,
	ENFORCE_QUARANTINE,
	ENFORCE_WARN
} EnforceAction;

typedef struct EnforcedTrigger
{
	Oid trigger; /* key */
	bool valid;
	Oid relid;
	int n_ancestors; /* of a partition; a schema may be registered for any of them */
	Oid *ancestors;
	EnforceAction action;
	FmRowPlan *plan; /* holds ancestors too */
} EnforcedTrigger;

static HTAB *enforced = NULL;

static void
forget_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	EnforcedTrigger *entry;
	int i;

	hash_seq_init(&scan, enforced);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (!OidIsValid(relid) || entry->relid == relid)
			entry->valid = false;
		for (i = 0; entry->valid && i < entry->n_ancestors; i++)
			if (entry->ancestors[i] == relid)
				entry->valid = false;
	}
}

static void
create_cache(void)
{
	HASHCTL control;

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(EnforcedTrigger);
	enforced = hash_create("feature_meta enforced schemas", 16, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
}

static bool
parse_action(const char *name, EnforceAction *action)
{
	if (strcmp(name, "reject") == 0)
		*action = ENFORCE_REJECT;
	else if (strcmp(name, "quarantine") == 0)
		*action = ENFORCE_QUARANTINE;
	else if (strcmp(name, "warn") == 0)
		*action = ENFORCE_WARN;
	else
		return false;
	return true;
}

/*
 * Compiles the schema of the trigger's relation into the entry
 */
static void
compile_trigger(EnforcedTrigger *entry, const TriggerData *data)
{
	const Trigger *trigger = data->tg_trigger;
	Oid relid = RelationGetRelid(data->tg_relation);
	FmRegisteredSchema found;
	EnforceAction action;
	FmRowPlan *plan;
	List *ancestors;
	ListCell *cell;
	int n = 0;

	if (trigger->tgnargs < 1 || trigger->tgnargs > 2 || !parse_action(trigger->tgargs[0], &action))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger \"%s\" has wrong arguments", trigger->tgname),
						errhint("Let enforce_schema create it.")));
	/* whoever writes to the relation is held to its schema, so their right to read it is not asked for */
	if (!fm_registered_schema(relid, 0, NULL, &found))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("no schema is registered for \"%s\"", RelationGetRelationName(data->tg_relation)),
						errhint("Use register_schema, or drop the trigger \"%s\".", trigger->tgname)));
	plan =
		fm_row_plan_create((Tfmd__Schema *) fm_datum_get_message(found.schema, &tfmd__schema__descriptor),
						   RelationGetDescr(data->tg_relation), trigger->tgnargs > 1 ? trigger->tgargs[1] : NULL, true);
	plan->strict_bool = true;
	ancestors = data->tg_relation->rd_rel->relispartition ? get_partition_ancestors(relid) : NIL;
	if (entry->plan != NULL)
		MemoryContextDelete(entry->plan->context);
	entry->plan = plan;
	entry->ancestors = MemoryContextAlloc(plan->context, sizeof(Oid) * (list_length(ancestors) + 1));
	foreach (cell, ancestors)
		entry->ancestors[n++] = lfirst_oid(cell);
	entry->n_ancestors = n;
	entry->action = action;
	entry->relid = relid;
	MemoryContextSetParent(plan->context, TopMemoryContext);
	entry->valid = true;
}

static EnforcedTrigger *
find_trigger(const TriggerData *data)
{
	EnforcedTrigger *entry;
	bool found;

	if (enforced == NULL)
		create_cache();
	entry = hash_search(enforced, &data->tg_trigger->tgoid, HASH_ENTER, &found);
	if (!found)
	{
		entry->valid = false;
		entry->relid = InvalidOid;
		entry->n_ancestors = 0;
		entry->plan = NULL;
	}
	/* compiling reads the catalogue, which may invalidate again */
	while (!entry->valid)
		compile_trigger(entry, data);
	return entry;
}

/*
 * A line for each reason
 */
static char *
list_reasons(const FmRowReasons *reasons)
{
	StringInfoData buf;
	int i;

	initStringInfo(&buf);
	for (i = 0; i < reasons->n && i < MAX_LISTED; i++)
		appendStringInfo(&buf, "%s%s: %s (%s).", i > 0 ? "\n" : "", reasons->reason[i].node->serialized_path,
						 reasons->reason[i].description,
						 fm_enum_name(&tfmd__anomaly_info__type__descriptor, reasons->reason[i].type));
	if (reasons->n > MAX_LISTED)
		appendStringInfo(&buf, "\nand %d more.", reasons->n - MAX_LISTED);
	return buf.data;
}

/*
 * Keeps the row in feature_meta.quarantined_row, as the current user, under the name of the table that was written to: for
 * a partition the topmost one
 */
static void
put_into_quarantine(const EnforcedTrigger *entry, const TriggerData *data, HeapTuple tuple, const FmRowReasons *reasons)
{
	Oid extension = get_func_namespace(data->tg_trigger->tgfoid);
	TupleDesc row_type = RelationGetDescr(data->tg_relation);
	Oid relid = entry->n_ancestors > 0 ? entry->ancestors[entry->n_ancestors - 1] : entry->relid;
	Oid types[3] = {OIDOID, row_type->tdtypeid, BYTEAOID};
	Datum values[3];
	char *query = psprintf("INSERT INTO feature_meta.quarantined_row (relation, \"row\", anomalies)\n"
						   "VALUES ($1, pg_catalog.to_jsonb($2), $3::%s.feature_anomalies)",
						   quote_identifier(get_namespace_name(extension)));

	values[0] = ObjectIdGetDatum(relid);
	values[1] = heap_copy_tuple_as_datum(tuple, row_type);
	values[2] = fm_message_get_datum(&fm_reasons_to_anomalies(reasons)->base);
	SPI_connect();
	if (SPI_execute_with_args(query, 3, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to feature_meta.quarantined_row");
	SPI_finish();
}

PG_FUNCTION_INFO_V1(feature_meta_enforce_schema_trigger);
Datum
feature_meta_enforce_schema_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	EnforcedTrigger *entry;
	TupleTableSlot *slot;
	HeapTuple tuple;
	FmRowReasons reasons;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("enforce_schema_trigger must be fired before insert or update, for each row")));
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
	{
		slot = data->tg_newslot;
		tuple = data->tg_newtuple;
	}
	else
	{
		slot = data->tg_trigslot;
		tuple = data->tg_trigtuple;
	}
	entry = find_trigger(data);
	slot_getallattrs(slot);
	if (fm_row_is_valid(entry->plan, slot->tts_values, slot->tts_isnull))
		return PointerGetDatum(tuple);
	reasons = fm_row_reasons(entry->plan, slot->tts_values, slot->tts_isnull);
	switch (entry->action)
	{
		case ENFORCE_REJECT:
		case ENFORCE_WARN:
			ereport(
				entry->action == ENFORCE_WARN ? WARNING : ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("new row for relation \"%s\" does not conform to its schema",
						RelationGetRelationName(data->tg_relation)),
				 errdetail("%s", list_reasons(&reasons)),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(RelationGetNamespace(data->tg_relation))),
				 err_generic_string(PG_DIAG_TABLE_NAME, RelationGetRelationName(data->tg_relation))));
			break;
		case ENFORCE_QUARANTINE:
			put_into_quarantine(entry, data, tuple, &reasons);
			return PointerGetDatum(NULL);
	}
	return PointerGetDatum(tuple);
}

/*
 * Runs a command about the trigger as the current user, whose rights on the relation the command asks for
 */
static void
run_command(const char *command)
{
	if (SPI_execute(command, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not run: %s", command);
}

PG_FUNCTION_INFO_V1(feature_meta_enforce_schema);
Datum
feature_meta_enforce_schema(PG_FUNCTION_ARGS)
{
	Oid relid;
	char *environment = NULL;
	char *action_name;
	EnforceAction action;
	FmRegisteredSchema registered;
	FmError error = {0};
	char *relation;
	StringInfoData arguments;
	const char *extension;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and action must not be null")));
	relid = PG_GETARG_OID(0);
	if (!PG_ARGISNULL(1))
		environment = text_to_cstring(PG_GETARG_TEXT_PP(1));
	action_name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!parse_action(action_name, &action) && strcmp(action_name, "off") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown action \"%s\"", action_name),
						errhint("Use reject, quarantine, warn or off.")));
	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			fm_check_may_read_schema(relid);
			ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", get_rel_name(relid))));
	}
	if (!FM_RELATION_OWNERCHECK(relid))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
	relation = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
	SPI_connect();
	if (strcmp(action_name, "off") == 0)
	{
		run_command(psprintf("DROP TRIGGER IF EXISTS " TRIGGER_NAME " ON %s", relation));
		SPI_finish();
		PG_RETURN_VOID();
	}
	registered = fm_need_registered_schema(relid, 0, NULL);
	if (environment != NULL)
	{
		const Tfmd__Schema *schema =
			(const Tfmd__Schema *) fm_datum_get_message(registered.schema, &tfmd__schema__descriptor);

		if (!fm_schema_has_environment(schema, environment))
		{
			fm_fail(&error, ERRCODE_UNDEFINED_OBJECT, "environment \"%s\" does not exist in the schema", environment);
			fm_throw(&error, NULL);
		}
	}
	extension = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	initStringInfo(&arguments);
	appendStringInfoString(&arguments, quote_literal_cstr(action_name));
	if (environment != NULL)
		appendStringInfo(&arguments, ", %s", quote_literal_cstr(environment));
	run_command(psprintf("CREATE OR REPLACE TRIGGER " TRIGGER_NAME " BEFORE INSERT OR UPDATE ON %s\n"
						 "FOR EACH ROW EXECUTE FUNCTION %s.enforce_schema_trigger(%s)",
						 relation, extension, arguments.data));
	run_command(
		psprintf("COMMENT ON TRIGGER " TRIGGER_NAME " ON %s IS 'keeps the rows to the registered schema'", relation));
	SPI_finish();
	PG_RETURN_VOID();
}
