/*
 * anomalous_rows: the rows of a relation to blame, and why
 *
 * One query reads the relation and leaves only rows that do not conform (are_valid_columns, parallel safe); what is wrong
 * with each is worked out here. It runs as the caller.
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "rows/row_plan.h"
#include "schema/registry.h"
#include "statistics/source.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/bitmapset.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

/* With this many columns, the relation, schema and environment come to as many arguments as a function may have */
#define MAX_COLUMN_ARGUMENTS (FUNC_MAX_ARGS - 3)

/*
 * jsonb of the primary key's columns; "NULL" if there is no primary key
 */
static char *
key_expression(Relation relation)
{
	Bitmapset *key = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	StringInfoData buf;
	int attribute = -1;
	int n = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "pg_catalog.jsonb_build_object(");
	while ((attribute = bms_next_member(key, attribute)) >= 0)
	{
		Form_pg_attribute column =
			TupleDescAttr(RelationGetDescr(relation), attribute + FirstLowInvalidHeapAttributeNumber - 1);
		char *name = NameStr(column->attname);

		appendStringInfo(&buf, "%s%s, t.%s", n++ > 0 ? ", " : "", quote_literal_cstr(name), quote_identifier(name));
	}
	appendStringInfoChar(&buf, ')');
	return n > 0 ? buf.data : pstrdup("NULL::pg_catalog.jsonb");
}

/*
 * SELECT tableoid, ctid, key, columns FROM relation WHERE not valid [AND filter] [LIMIT n]; $1 schema, $2 environment.
 * A dropped column is read as NULL, so that positions are attribute numbers.
 */
static char *
make_query(Relation relation, const char *extension, const char *filter, bool has_limit)
{
	TupleDesc row_type = RelationGetDescr(relation);
	bool has_system_columns =
		relation->rd_rel->relkind != RELKIND_VIEW && relation->rd_rel->relkind != RELKIND_FOREIGN_TABLE;
	StringInfoData columns;
	StringInfoData arguments;
	StringInfoData query;
	int n_arguments = 0;
	int i;

	initStringInfo(&columns);
	initStringInfo(&arguments);
	for (i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);

		if (attribute->attisdropped)
		{
			appendStringInfoString(&columns, ", NULL");
			continue;
		}
		appendStringInfo(&columns, ", t.%s", quote_identifier(NameStr(attribute->attname)));
		appendStringInfo(&arguments, ", t.%s", quote_identifier(NameStr(attribute->attname)));
		n_arguments++;
	}
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s, %s%s\nFROM %s t\nWHERE NOT %s.",
					 has_system_columns ? "t.tableoid, t.ctid" : "NULL::pg_catalog.oid, NULL::pg_catalog.tid",
					 key_expression(relation), columns.data,
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												RelationGetRelationName(relation)),
					 extension);
	if (n_arguments > 0 && n_arguments <= MAX_COLUMN_ARGUMENTS)
		appendStringInfo(&query, "are_valid_columns(%u::pg_catalog.regclass, $1, $2%s)", RelationGetRelid(relation),
						 arguments.data);
	else
		appendStringInfoString(&query, "is_valid_row(t.*, $1, $2)");
	if (filter != NULL)
		appendStringInfo(&query, "\nAND (%s\n)", filter);
	if (has_limit)
		appendStringInfoString(&query, "\nLIMIT $3");
	return query.data;
}

/* Where the query's rows go: each is judged and what is wrong put into the result */
typedef struct BlameReceiver
{
	DestReceiver receiver;
	ReturnSetInfo *result;
	FmRowPlan *plan;
	MemoryContext per_row;
} BlameReceiver;

/* Columns of the query before those of the relation */
#define LEADING_COLUMNS 3

/*
 * The column a reason is about, as text; NULL if it has no value
 */
static char *
value_text(const FmRowNode *node, const FmRowPlan *plan, TupleTableSlot *slot)
{
	int i;

	for (i = 0; i < plan->root.n_attributes; i++)
		if (OidIsValid(plan->root.children[i].type) && strcmp(plan->root.children[i].name, node->path.step[0]) == 0)
		{
			Oid output;
			bool is_varlena;

			if (slot->tts_isnull[LEADING_COLUMNS + i])
				return NULL;
			getTypeOutputInfo(plan->root.children[i].type, &output, &is_varlena);
			return OidOutputFunctionCall(output, slot->tts_values[LEADING_COLUMNS + i]);
		}
	return NULL;
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	BlameReceiver *blame = (BlameReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(blame->per_row);
	FmRowReasons reasons;
	int i;

	CHECK_FOR_INTERRUPTS();
	slot_getallattrs(slot);
	reasons = fm_row_reasons(blame->plan, slot->tts_values + LEADING_COLUMNS, slot->tts_isnull + LEADING_COLUMNS);
	for (i = 0; i < reasons.n; i++)
	{
		const FmRowReason *reason = &reasons.reason[i];
		char *text = value_text(reason->node, blame->plan, slot);
		bool nulls[8] = {false};
		Datum values[8];

		values[0] = slot->tts_values[1];
		nulls[0] = slot->tts_isnull[1];
		values[1] = slot->tts_values[2];
		nulls[1] = slot->tts_isnull[2];
		values[2] = CStringGetTextDatum(reason->node->serialized_path);
		values[3] = text ? CStringGetTextDatum(text) : (Datum) 0;
		nulls[3] = text == NULL;
		values[4] = CStringGetTextDatum(fm_enum_name(&tfmd__anomaly_info__type__descriptor, reason->type));
		values[5] = CStringGetTextDatum(reason->short_description);
		values[6] = CStringGetTextDatum(reason->description);
		values[7] = slot->tts_values[0];
		nulls[7] = slot->tts_isnull[0];
		tuplestore_putvalues(blame->result->setResult, blame->result->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(blame->per_row);
	return true;
}

static void
start_receiver(DestReceiver *self, int operation, TupleDesc description)
{
}

static void
end_receiver(DestReceiver *self)
{
}

PG_FUNCTION_INFO_V1(feature_meta_anomalous_rows);
Datum
feature_meta_anomalous_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *extension = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	Oid *signature;
	int n_signature;
	Oid relid;
	Datum schema;
	char *environment = NULL;
	char *filter = NULL;
	ParamListInfo parameters;
	SPIExecuteOptions options = {0};
	BlameReceiver blame;
	Relation relation;
	char *query;
	bool has_limit = !PG_ARGISNULL(2);

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	relid = PG_GETARG_OID(0);
	fm_check_may_read_schema(relid);
	schema = PG_ARGISNULL(1) ? fm_need_registered_schema(relid, 0, NULL).schema : PG_GETARG_DATUM(1);
	if (has_limit && PG_GETARG_INT64(2) < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE), errmsg("limit must not be negative")));
	if (!PG_ARGISNULL(3))
		environment = text_to_cstring(PG_GETARG_TEXT_PP(3));
	if (!PG_ARGISNULL(4))
	{
		filter = text_to_cstring(PG_GETARG_TEXT_PP(4));
		fm_check_expression(filter, "filter");
	}
	relation = table_open(relid, AccessShareLock);
	blame.plan = fm_row_plan_create((Tfmd__Schema *) fm_datum_get_message(schema, &tfmd__schema__descriptor),
									RelationGetDescr(relation), environment, false);
	query = make_query(relation, extension, filter, has_limit);
	table_close(relation, NoLock);

	get_func_signature(fcinfo->flinfo->fn_oid, &signature, &n_signature);
	parameters = makeParamList(3);
	parameters->params[0].ptype = signature[1];
	parameters->params[0].value = schema;
	parameters->params[0].isnull = false;
	parameters->params[1].ptype = TEXTOID;
	parameters->params[1].value = environment ? CStringGetTextDatum(environment) : (Datum) 0;
	parameters->params[1].isnull = environment == NULL;
	parameters->params[2].ptype = INT8OID;
	parameters->params[2].value = has_limit ? Int64GetDatum(PG_GETARG_INT64(2)) : (Datum) 0;
	parameters->params[2].isnull = !has_limit;
	parameters->params[0].pflags = parameters->params[1].pflags = parameters->params[2].pflags = PARAM_FLAG_CONST;

	memset(&blame.receiver, 0, sizeof(blame.receiver));
	blame.receiver.receiveSlot = receive_row;
	blame.receiver.rStartup = start_receiver;
	blame.receiver.rShutdown = end_receiver;
	blame.receiver.rDestroy = end_receiver;
	blame.receiver.mydest = DestTuplestore; /* not DestSPI, which is looked into */
	blame.result = result;
	blame.per_row = AllocSetContextCreate(CurrentMemoryContext, "anomalous rows", ALLOCSET_DEFAULT_SIZES);
	options.params = parameters;
	options.read_only = true;
	options.dest = &blame.receiver;
	SPI_connect();
	if (SPI_execute_extended(query, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not run: %s", query);
	SPI_finish();
	return (Datum) 0;
}
