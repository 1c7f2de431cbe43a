/*
 * Distributed tables of Citus: each shard is sketched where it lies
 */
#include "shards.h"

#include "arguments.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "statistics.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(is_first_row);
PG_FUNCTION_INFO_V1(sketch_shard);

/* What the meaning of a query, the text of a value, or a sketch depends on */
static const char *const settings[] = {"search_path",
									   "TimeZone",
									   "DateStyle",
									   "IntervalStyle",
									   "extra_float_digits",
									   "bytea_output",
									   "feature_meta.max_exact_values",
									   "feature_meta.sketch_distributions"};

bool
fm_has_shards(const FmRowSource *source)
{
	/* reference tables and single shards ('n') are queries that Citus hands on as a whole */
	if (!OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE)) ||
		pg_class_aclcheck(source->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	fm_query(psprintf("SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid OPERATOR(pg_catalog.=) %u "
					  "AND partmethod OPERATOR(pg_catalog.<>) 'n'",
					  source->relid));
	return SPI_processed > 0;
}

static char *
SettingsAsArray(void)
{
	StringInfoData array;

	initStringInfo(&array);
	for (int i = 0; i < (int) lengthof(settings); i++)
		appendStringInfo(&array, "%s%s", i > 0 ? ", " : "ARRAY[",
						 quote_literal_cstr(GetConfigOptionByName(settings[i], NULL, false)));
	appendStringInfoString(&array, "]::pg_catalog.text[]");
	return array.data;
}

char *
fm_query_of_shards(const FmRowSource *source, const char *list, const char *rest)
{
	const char *schema = quote_identifier(fm_extension_schema());

	return psprintf(
		"SELECT fm_part.slice, fm_part.sketches, fm_part.semantic FROM %s AS fm_shard CROSS JOIN LATERAL "
		"%s.sketch_shard(fm_shard.tableoid, %s, %s, %s) AS fm_part WHERE %s.is_first_row(fm_shard.tableoid) "
		"ORDER BY fm_part.slice OPERATOR(pg_catalog.<>) '%s', fm_part.slice COLLATE pg_catalog.\"C\"",
		source->name, schema, quote_literal_cstr(list),
		/* the FROM item begins with the name, in place of which stands that of a shard */
		quote_literal_cstr(psprintf("%s%s", source->from + strlen(source->name), rest)), SettingsAsArray(), schema,
		FM_ALL_EXAMPLES);
}

FmRowSource *
fm_gathered_source(const FmRowSource *source)
{
	FmRowSource *result = palloc(sizeof(FmRowSource));

	*result = *source;
	/* Citus does not hand on a subquery with OFFSET: it fetches the rows, and the rest is a query of one node */
	result->from = psprintf("(SELECT * FROM %s OFFSET 0) AS %s", source->from, source->alias);
	return result;
}

/*
 * is_first_row(tableoid oid) RETURNS boolean
 *
 * Is this the first call of a scan, or the first for another partition? In the WHERE of a query it lets one row of each
 * shard pass. Volatile, as its answer depends on the calls before.
 */
Datum
is_first_row(PG_FUNCTION_ARGS)
{
	Oid *last = fcinfo->flinfo->fn_extra;
	Oid relid = PG_GETARG_OID(0);

	if (last != NULL && *last == relid)
		PG_RETURN_BOOL(false);
	if (last == NULL)
		last = fcinfo->flinfo->fn_extra = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Oid));
	*last = relid;
	PG_RETURN_BOOL(true);
}

static void
ApplySettings(FunctionCallInfo fcinfo, int n)
{
	char **values;

	if (fm_arg_texts(fcinfo, n, "settings", &values) != (int) lengthof(settings))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there must be %d settings", (int) lengthof(settings))));
	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i], values[i], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * sketch_shard(relation oid, list text, rest text, settings text[]) RETURNS SETOF (slice, sketches, semantic)
 *
 * The rows of SELECT list FROM relation rest, as the caller, with the settings of the node that sent it. Errors: 42P01 no
 * such relation, and all that the query raises.
 */
Datum
sketch_shard(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid relid = PG_GETARG_OID(0);
	char *name = get_rel_name(relid);
	int level = NewGUCNestLevel();

	if (name == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
	InitMaterializedSRF(fcinfo, 0);
	ApplySettings(fcinfo, 3);
	SPI_connect();
	fm_query(psprintf("SELECT %s FROM %s%s", fm_arg_text(fcinfo, 1),
					  quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name),
					  fm_arg_text(fcinfo, 2)));
	if (SPI_tuptable->tupdesc->natts != 3 || SPI_gettypeid(SPI_tuptable->tupdesc, 1) != TEXTOID ||
		SPI_gettypeid(SPI_tuptable->tupdesc, 2) != TupleDescAttr(result->setDesc, 1)->atttypid ||
		SPI_gettypeid(SPI_tuptable->tupdesc, 3) != BYTEAARRAYOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the list must be a slice, sketches and semantic counts")));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum values[3];
		bool nulls[3];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	AtEOXact_GUC(true, level);
	return (Datum) 0;
}
