/*
 * Triggers of the MLMD tables: types that two clients make at once are one, replaced rows become history
 *
 * The ml-metadata client reads "SELECT LASTVAL()" after an INSERT. So nothing here may use a sequence, except to make
 * LASTVAL() the id of a type that was there already.
 */
#include "fm_core.h"
#include "fm_compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "lineage/store.h"

PG_FUNCTION_INFO_V1(mlmd_reuse_type);
PG_FUNCTION_INFO_V1(mlmd_reuse_row);
PG_FUNCTION_INFO_V1(mlmd_keep_history);

/*
 * The trigger's call, checked: a user can attach our functions to any table
 */
static TriggerData *
trigger_call(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *call = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(call->tg_event) || !TRIGGER_FIRED_FOR_ROW(call->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"%s\" must be fired by a BEFORE trigger for each row", name)));
	return call;
}

static Datum
column_value(TriggerData *call, HeapTuple row, const char *name, Oid type, bool *isnull)
{
	TupleDesc desc = call->tg_relation->rd_att;
	int attnum = SPI_fnumber(desc, name);

	if (attnum <= 0 || TupleDescAttr(desc, attnum - 1)->atttypid != type)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("table \"%s\" has no column \"%s\" of type %s",
							   RelationGetRelationName(call->tg_relation), name, format_type_be(type))));
	return heap_getattr(row, attnum, desc, isnull);
}

static Oid
relation_owner(Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Makes LASTVAL() of this session a number: moves a sequence of our own there and takes one value from it. Sequences
 * are shared, so a lock keeps another session from moving it in between. The move is done as the sequence's owner
 * (it needs UPDATE, which is none of the caller's business); what LASTVAL() needs is granted to everybody.
 */
static void
set_lastval(int64 value)
{
	Oid sequence = get_relname_relid("reused_type_id", get_namespace_oid("mlmd", false));
	Oid user;
	int context;

	if (!OidIsValid(sequence))
		elog(ERROR, "sequence mlmd.reused_type_id is missing");
	fm_store_lock(FM_LOCK_LASTVAL);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(relation_owner(sequence), context | SECURITY_LOCAL_USERID_CHANGE);
	DirectFunctionCall3(setval3_oid, ObjectIdGetDatum(sequence), Int64GetDatum(value), BoolGetDatum(false));
	nextval_internal(sequence, false);
	SetUserIdAndSecContext(user, context);
	fm_store_unlock(FM_LOCK_LASTVAL);
}

/*
 * BEFORE INSERT on mlmd.type: a type of the same kind, name and version is not made twice
 *
 * Clients look a type up and insert it when it is not there, without a lock: two at once insert it twice. Here the
 * second waits for the first, inserts nothing, and finds the first one's id in LASTVAL().
 *
 * A row with the id of a stored simple type comes from the restore of a dump: it brings what was changed in that type.
 */
Datum
mlmd_reuse_type(PG_FUNCTION_ARGS)
{
	TriggerData *call = trigger_call(fcinfo, "mlmd_reuse_type");
	HeapTuple row = call->tg_trigtuple;
	static SPIPlanPtr find = NULL;
	static SPIPlanPtr restore = NULL;
	static const Oid find_types[] = {INT4OID, TEXTOID, TEXTOID};
	static const Oid restore_types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum values[5];
	char nulls[5];
	bool isnull;
	int64 id = DatumGetInt64(column_value(call, row, "id", INT8OID, &isnull));

	SPI_connect();
	for (int i = 0; i < 3; i++)
	{
		static const char *const columns[] = {"type_kind", "name", "version"};

		values[i] = column_value(call, row, columns[i], find_types[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (nulls[0] == 'n' || nulls[1] == 'n')
	{
		SPI_finish();
		return PointerGetDatum(row); /* the NOT NULL constraint speaks */
	}

	fm_store_lock(FM_LOCK_TYPES);
	fm_store_execute(&find,
					 "SELECT id FROM mlmd.type WHERE type_kind = $1 AND name = $2 "
					 "AND coalesce(version, '') = coalesce($3, '')",
					 3, find_types, values, nulls, 1);
	if (SPI_processed > 0)
	{
		int64 stored = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));

		if (stored != id)
			set_lastval(stored);
		else
		{
			values[0] = Int64GetDatum(id);
			nulls[0] = ' ';
			for (int i = 1; i < 5; i++)
			{
				static const char *const columns[] = {NULL, "description", "input_type", "output_type", "external_id"};

				values[i] = column_value(call, row, columns[i], TEXTOID, &isnull);
				nulls[i] = isnull ? 'n' : ' ';
			}
			fm_store_execute(
				&restore,
				"UPDATE mlmd.type SET description = $2, input_type = $3, output_type = $4, external_id = $5 "
				"WHERE id = $1 AND (description, input_type, output_type, external_id) IS DISTINCT FROM ($2, $3, $4, "
				"$5)",
				5, restore_types, values, nulls, 0);
		}
		row = NULL;
	}
	SPI_finish();
	return PointerGetDatum(row);
}

/*
 * BEFORE INSERT on mlmd.typeproperty and mlmd.parenttype: a row that is stored already is not an error
 *
 * The client that lost the race for a type goes on to insert its properties and its base type.
 */
Datum
mlmd_reuse_row(PG_FUNCTION_ARGS)
{
	TriggerData *call = trigger_call(fcinfo, "mlmd_reuse_row");
	bool is_property = strcmp(RelationGetRelationName(call->tg_relation), "typeproperty") == 0;
	static SPIPlanPtr plans[2] = {NULL, NULL};
	static const Oid property_types[] = {INT8OID, TEXTOID, INT4OID};
	static const Oid parent_types[] = {INT8OID, INT8OID};
	static const char *const property_columns[] = {"type_id", "name", "data_type"};
	static const char *const parent_columns[] = {"type_id", "parent_type_id"};
	Datum values[3];
	char nulls[3];
	int n = is_property ? 3 : 2;
	bool stored;

	for (int i = 0; i < n; i++)
	{
		bool isnull;

		values[i] = column_value(call, call->tg_trigtuple, is_property ? property_columns[i] : parent_columns[i],
								 is_property ? property_types[i] : parent_types[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	SPI_connect();
	fm_store_execute(&plans[is_property],
					 is_property ? "SELECT 1 FROM mlmd.typeproperty WHERE type_id = $1 "
								   "AND name = $2 AND data_type IS NOT DISTINCT FROM $3"
								 : "SELECT 1 FROM mlmd.parenttype WHERE type_id = $1 "
								   "AND parent_type_id = $2",
					 n, is_property ? property_types : parent_types, values, nulls, 1);
	stored = SPI_processed > 0;
	SPI_finish();
	return PointerGetDatum(stored ? NULL : call->tg_trigtuple);
}

/* What mlmd_keep_history remembers of a table: the plan that moves a row into its history */
typedef struct HistoryPlan
{
	Oid relation; /* key */
	SPIPlanPtr plan;
} HistoryPlan;

static SPIPlanPtr
history_plan(Relation relation)
{
	static HTAB *plans = NULL;
	HistoryPlan *entry;
	Oid key = RelationGetRelid(relation);
	bool found;

	if (plans == NULL)
	{
		HASHCTL ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(HistoryPlan)};

		plans = hash_create("MLMD history plans", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	if (entry->plan == NULL)
	{
		Oid types[] = {relation->rd_rel->reltype, TIMESTAMPTZOID};
		Oid schema = RelationGetNamespace(relation);
		char *history = psprintf("%s_history", RelationGetRelationName(relation));
		Oid history_oid = get_relname_relid(history, schema);
		StringInfoData columns;
		StringInfoData values;
		SPIPlanPtr plan;

		/* the columns that both have: users add columns of their own */
		initStringInfo(&columns);
		initStringInfo(&values);
		for (int i = 0; i < relation->rd_att->natts; i++)
		{
			Form_pg_attribute attribute = TupleDescAttr(relation->rd_att, i);
			const char *name = quote_identifier(NameStr(attribute->attname));

			if (attribute->attisdropped || get_attnum(history_oid, NameStr(attribute->attname)) == InvalidAttrNumber)
				continue;
			appendStringInfo(&columns, "%s, ", name);
			appendStringInfo(&values, "($1).%s, ", name);
		}
		plan = SPI_prepare(psprintf("INSERT INTO %s.%s (%svalid_to) SELECT %s$2",
									quote_identifier(get_namespace_name(schema)), quote_identifier(history),
									columns.data, values.data),
						   2, types);
		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		entry->plan = plan;
	}
	return entry->plan;
}

/* Do two versions of a row differ, valid_from apart? */
static bool
row_changed(TupleDesc desc, HeapTuple before, HeapTuple after, int valid_from)
{
	for (int i = 1; i <= desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i - 1);
		bool null1;
		bool null2;
		Datum value1;
		Datum value2;

		if (attribute->attisdropped || i == valid_from)
			continue;
		value1 = heap_getattr(before, i, desc, &null1);
		value2 = heap_getattr(after, i, desc, &null2);
		if (null1 != null2 || (!null1 && !datum_image_eq(value1, value2, attribute->attbyval, attribute->attlen)))
			return true;
	}
	return false;
}

/*
 * BEFORE UPDATE OR DELETE on a table with a column valid_from: the version of the row that ends goes into the table's
 * history, and the new one is valid from now, the start of this transaction
 *
 * A version that this transaction itself wrote leaves no trace: nobody else ever saw it. A version that a transaction
 * wrote that began after this one, and ended before, ends a microsecond after it began.
 */
Datum
mlmd_keep_history(PG_FUNCTION_ARGS)
{
	TriggerData *call = trigger_call(fcinfo, "mlmd_keep_history");
	TupleDesc desc = call->tg_relation->rd_att;
	HeapTuple before = call->tg_trigtuple;
	bool is_update = TRIGGER_FIRED_BY_UPDATE(call->tg_event);
	int valid_from = SPI_fnumber(desc, "valid_from");
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz since;
	bool isnull;

	since = DatumGetTimestampTz(column_value(call, before, "valid_from", TIMESTAMPTZOID, &isnull));
	if (is_update && !row_changed(desc, before, call->tg_newtuple, valid_from))
		return PointerGetDatum(call->tg_newtuple);
	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(before->t_data)))
		now = since;
	else
	{
		Datum values[2];

		if (now <= since)
			now = since + 1;
		SPI_connect();
		values[0] = heap_copy_tuple_as_datum(before, desc);
		values[1] = TimestampTzGetDatum(now);
		if (SPI_execute_plan(history_plan(call->tg_relation), values, NULL, false, 0) < 0)
			elog(ERROR, "SPI_execute_plan failed");
		SPI_finish();
	}
	if (!is_update)
		return PointerGetDatum(before);
	return PointerGetDatum(heap_modify_tuple_by_cols(call->tg_newtuple, desc, 1, &valid_from,
													 (Datum[]){TimestampTzGetDatum(now)}, (bool[]){false}));
}
