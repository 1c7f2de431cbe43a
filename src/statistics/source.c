/*
 * Where statistics come from: a relation, a filter and a sample, as the FROM and WHERE of generated queries
 */
#include "source.h"

#include <math.h>

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "fm_relation.h"
#include "nodes/parsenodes.h"
#include "mb/pg_wchar.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/*
 * The parser says whether the text is an expression on its own; then it is one between parentheses too
 */
void
fm_check_expression(const char *text, const char *what)
{
	List *tree = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = NULL;
	bool one = false;

	if (list_length(tree) == 1 && IsA(linitial_node(RawStmt, tree)->stmt, SelectStmt))
		select = (SelectStmt *) linitial_node(RawStmt, tree)->stmt;

	if (select != NULL && list_length(select->targetList) == 1)
	{
		ResTarget *target = linitial_node(ResTarget, select->targetList);
		bool star = IsA(target->val, ColumnRef) && IsA(llast(((ColumnRef *) target->val)->fields), A_Star);

		one = target->name == NULL && target->indirection == NIL && !star && select->distinctClause == NIL &&
			  select->intoClause == NULL && select->fromClause == NIL && select->whereClause == NULL &&
			  select->groupClause == NIL && select->havingClause == NULL && select->windowClause == NIL &&
			  select->valuesLists == NIL && select->sortClause == NIL && select->limitOffset == NULL &&
			  select->limitCount == NULL && select->lockingClause == NIL && select->withClause == NULL &&
			  select->op == SETOP_NONE;
	}
	if (!one)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("%s must be one expression", what),
						errdetail("It is: %s", text)));
}

static FmFamily
FamilyOfType(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return FM_FAMILY_INT;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return FM_FAMILY_FLOAT;
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return FM_FAMILY_TIME;
		case JSONBOID:
			return FM_FAMILY_STRUCT;
		default:
			return type_is_rowtype(type) ? FM_FAMILY_STRUCT : FM_FAMILY_TEXT;
	}
}

static void
DescribeColumn(FmSourceColumn *column, const char *alias, Form_pg_attribute attribute)
{
	Oid base = getBaseType(attribute->atttypid);
	Oid element = get_element_type(base);

	column->name = pstrdup(NameStr(attribute->attname));
	column->utf8_name = pg_server_to_any(column->name, strlen(column->name), PG_UTF8);
	column->reference = psprintf("%s.%s", alias, quote_identifier(column->name));
	column->number = attribute->attnum;
	column->type = attribute->atttypid;
	column->is_array = OidIsValid(element);
	column->element = OidIsValid(element) ? getBaseType(element) : base;
	column->family = FamilyOfType(column->element);
}

FmRowSource *
fm_source(Oid relid, const char *filter, double sample_rate)
{
	FmRowSource *source = palloc0(sizeof(FmRowSource));
	Relation relation;
	StringInfoData from;
	StringInfoData where;
	bool sample_by_table;
	char kind;

	if (!(sample_rate > 0 && sample_rate <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("sample_rate must be greater than 0 and at most 1, not %g", sample_rate)));
	if (filter != NULL)
		fm_check_expression(filter, "filter");

	relation = fm_open_relation(relid, AccessShareLock);
	kind = relation->rd_rel->relkind;
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_VIEW &&
		kind != RELKIND_MATVIEW && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" has no rows to describe", RelationGetRelationName(relation)),
						errdetail("It is not a table, view, materialized view or foreign table.")));

	source->relid = relid;
	source->alias = pstrdup(quote_identifier(RelationGetRelationName(relation)));
	source->columns = palloc0(sizeof(FmSourceColumn) * Max(RelationGetDescr(relation)->natts, 1));
	for (int i = 0; i < RelationGetDescr(relation)->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);

		if (!attribute->attisdropped)
			DescribeColumn(&source->columns[source->num_columns++], source->alias, attribute);
	}

	/* the alias is the relation's own name, so that a filter may use it; views and foreign tables cannot be sampled */
	sample_by_table = sample_rate < 1 && kind != RELKIND_VIEW && kind != RELKIND_FOREIGN_TABLE;
	source->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
											  RelationGetRelationName(relation));
	initStringInfo(&from);
	appendStringInfo(&from, "%s AS %s", source->name, source->alias);
	if (sample_by_table)
		appendStringInfo(&from, " TABLESAMPLE pg_catalog.bernoulli (%.17g)", sample_rate * 100);
	source->from = from.data;

	initStringInfo(&where);
	if (sample_rate < 1 && !sample_by_table)
		appendStringInfo(&where, "pg_catalog.random() OPERATOR(pg_catalog.<) %.17g", sample_rate);
	if (filter != NULL)
		appendStringInfo(&where, "%s(%s\n)", where.len > 0 ? " AND " : "", filter);
	source->where = where.len > 0 ? psprintf(" WHERE %s", where.data) : pstrdup("");

	/* the lock is kept to the end of the transaction, so that the columns stay what they are */
	relation_close(relation, NoLock);
	return source;
}

FmSourceColumn *
fm_source_column(const FmRowSource *source, const char *name)
{
	for (int i = 0; i < source->num_columns; i++)
	{
		if (strcmp(source->columns[i].name, name) == 0 || strcmp(source->columns[i].utf8_name, name) == 0)
			return &source->columns[i];
	}
	return NULL;
}

FmSourceColumn *
fm_source_need_column(const FmRowSource *source, const char *name)
{
	FmSourceColumn *column = fm_source_column(source, name);

	if (column == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name, get_rel_name(source->relid))));
	return column;
}

/*
 * The source without the rows that are not in a slice
 */
FmRowSource *
fm_source_of_slice(const FmRowSource *source, const char *slices, const char *name)
{
	FmRowSource *result = palloc(sizeof(FmRowSource));
	char *is_member = psprintf("fm_slices.fm_slice OPERATOR(pg_catalog.=) %s",
							   quote_literal_cstr(pg_any_to_server(name, strlen(name), PG_UTF8)));

	*result = *source;
	result->from = psprintf("%s CROSS JOIN LATERAL (%s) AS fm_slices(fm_slice)", source->from, slices);
	result->where =
		*source->where == '\0' ? psprintf(" WHERE %s", is_member) : psprintf("%s AND %s", source->where, is_member);
	return result;
}

void
fm_array_elements(ArrayType *array, Datum **elements, bool **nulls, int *n)
{
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, elements, nulls, n);
}

/*
 * The schema of the extension, for functions of ours in generated queries
 */
char *
fm_extension_schema(void)
{
	Relation relation = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	Oid schema = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("feature_meta"));
	scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	if (!OidIsValid(schema))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("extension \"feature_meta\" does not exist")));
	return get_namespace_name(schema);
}

/*
 * One value of the type as float8: dates in days, timestamps in microseconds since 1970
 */
char *
fm_number_of_value(const char *value, Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return psprintf("((%s)::pg_catalog.int4)::pg_catalog.float8", value);
		case NUMERICOID:
			/* beyond the range of float8 infinite or 0, as in a sketch, instead of an error */
			return psprintf("CASE WHEN pg_catalog.abs(%s) OPERATOR(pg_catalog.<) 1e-307 THEN 0::pg_catalog.float8 "
							"WHEN pg_catalog.abs(%s) OPERATOR(pg_catalog.<=) 1.7976931348623157e308 "
							"THEN (%s)::pg_catalog.float8 ELSE pg_catalog.sign(%s)::pg_catalog.float8 "
							"OPERATOR(pg_catalog.*) 'Infinity'::pg_catalog.float8 END",
							value, value, value, value);
		case DATEOID:
			return psprintf("(%s OPERATOR(pg_catalog.-) pg_catalog.make_date(1970, 1, 1))::pg_catalog.float8", value);
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return psprintf("(pg_catalog.date_part('epoch', %s) OPERATOR(pg_catalog.*) 1000000.0::pg_catalog.float8)",
							value);
		default:
			return psprintf("(%s)::pg_catalog.float8", value);
	}
}

char *
fm_number_expression(const FmSourceColumn *column)
{
	if (column->is_array)
		return psprintf("(SELECT %s FROM pg_catalog.unnest(%s) AS u(v) "
						"WHERE pg_catalog.cardinality(%s) OPERATOR(pg_catalog.=) 1)",
						fm_number_of_value("u.v", column->element), column->reference, column->reference);
	return fm_number_of_value(column->reference, column->element);
}

char *
fm_without_nan(const char *number)
{
	return psprintf("CASE WHEN %s OPERATOR(pg_catalog.<>) 'NaN'::pg_catalog.float8 THEN %s END", number, number);
}

void
fm_query(const char *query)
{
	SPIPlanPtr plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	int result;

	if (plan == NULL)
		elog(ERROR, "could not prepare query: %s", SPI_result_code_string(SPI_result));
	result = SPI_execute_plan(plan, NULL, NULL, true, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run query: %s", SPI_result_code_string(result));
}

char *
fm_query_text(uint64 row, int column)
{
	char *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1);

	return text == NULL ? NULL : pg_server_to_any(text, strlen(text), PG_UTF8);
}

double
fm_query_float8(uint64 row, int column, bool *is_null)
{
	Datum datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, is_null);

	return *is_null ? 0 : DatumGetFloat8(datum);
}

int64
fm_query_int64(uint64 row, int column)
{
	bool is_null;
	Datum datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, &is_null);

	return is_null ? 0 : DatumGetInt64(datum);
}
