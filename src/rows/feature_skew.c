/*
 * feature_skew: what differs between the same rows in two tables, as TFDV's DetectFeatureSkew counts it
 *
 * Rows are matched by identifiers in one generated query. A feature's values are compared in the form skew_value gives
 * them: the kind (integers, floats, bytes), then the values in order, floats as float32 and rounded if asked.
 */
#include "fm_core.h"
#include "fm_compat.h"
#include "rows/row_plan.h"
#include "statistics/source.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* -- values -- */

typedef struct SkewReader
{
	FmRowReader reader;
	bool is_array;
	FmgrInfo output;
} SkewReader;

static SkewReader *
skew_reader(FunctionCallInfo fcinfo)
{
	SkewReader *reader = fcinfo->flinfo->fn_extra;
	Oid type;
	Oid element;
	Oid output;
	bool is_varlena;

	if (reader != NULL)
		return reader;
	type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 0));
	element = get_element_type(type);
	reader = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SkewReader));
	if (OidIsValid(element) && get_typlen(type) == -1)
	{
		reader->is_array = true;
		type = getBaseType(element);
	}
	reader->reader = fm_row_reader(type);
	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info_cxt(output, &reader->output, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = reader;
	return reader;
}

/*
 * As Python's round: to the nearest number of so many decimals, ties of the exact value to even
 */
static double
round_digits(double value, int digits)
{
	char buf[512];
	double scale;

	if (!isfinite(value) || digits > 300)
		return value;
	if (digits >= 0)
	{
		snprintf(buf, sizeof(buf), "%.*f", digits, value);
		return strtod(buf, NULL);
	}
	scale = pow(10, -digits);
	return isinf(scale) ? 0 : rint(value / scale) * scale;
}

static void
append_float(StringInfo out, double value, int digits)
{
	float narrow = (float) value;
	uint32 bits;

	if (digits != PG_INT32_MIN)
		narrow = (float) round_digits(narrow, digits);
	memcpy(&bits, &narrow, sizeof(bits));
	appendStringInfo(out, "%08x", bits);
}

static char
kind_of(FmRowReader reader)
{
	switch (reader)
	{
		case FM_READ_BOOL:
		case FM_READ_INT2:
		case FM_READ_INT4:
		case FM_READ_INT8:
		case FM_READ_DATE:
		case FM_READ_TIME:
		case FM_READ_TIMESTAMP:
			return 'i';
		case FM_READ_FLOAT4:
		case FM_READ_FLOAT8:
		case FM_READ_NUMERIC:
			return 'f';
		default:
			return 'b';
	}
}

static void
append_value(StringInfo out, const SkewReader *reader, Datum value, int digits)
{
	char *text;

	switch (reader->reader)
	{
		case FM_READ_BOOL:
			appendStringInfo(out, "%d,", DatumGetBool(value));
			break;
		case FM_READ_INT2:
			appendStringInfo(out, "%d,", DatumGetInt16(value));
			break;
		case FM_READ_INT4:
		case FM_READ_DATE:
			appendStringInfo(out, "%d,", DatumGetInt32(value));
			break;
		case FM_READ_INT8:
		case FM_READ_TIME:
		case FM_READ_TIMESTAMP:
			appendStringInfo(out, INT64_FORMAT ",", DatumGetInt64(value));
			break;
		case FM_READ_FLOAT4:
			append_float(out, DatumGetFloat4(value), digits);
			break;
		case FM_READ_FLOAT8:
			append_float(out, DatumGetFloat8(value), digits);
			break;
		case FM_READ_NUMERIC:
			append_float(out, DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)), digits);
			break;
		default:
			text = OutputFunctionCall(unconstify(FmgrInfo *, &reader->output), value);
			appendStringInfo(out, "%zu:", strlen(text));
			appendStringInfoString(out, text);
			break;
	}
}

PG_FUNCTION_INFO_V1(feature_meta_skew_value);
Datum
feature_meta_skew_value(PG_FUNCTION_ARGS)
{
	SkewReader *reader;
	StringInfoData buf;
	int digits = PG_ARGISNULL(1) ? PG_INT32_MIN : PG_GETARG_INT32(1);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	reader = skew_reader(fcinfo);
	initStringInfo(&buf);
	if (reader->is_array)
	{
		ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
		Datum element;
		bool isnull;

		while (array_iterate(iterator, &element, &isnull))
		{
			if (buf.len == 0)
				appendStringInfoChar(&buf, kind_of(reader->reader));
			if (isnull)
				appendStringInfoChar(&buf, '-');
			else
				append_value(&buf, reader, element, digits);
		}
		array_free_iterator(iterator);
	}
	else
	{
		appendStringInfoChar(&buf, kind_of(reader->reader));
		append_value(&buf, reader, PG_GETARG_DATUM(0), digits);
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

PG_FUNCTION_INFO_V1(feature_meta_confusion_value);
Datum
feature_meta_confusion_value(PG_FUNCTION_ARGS)
{
	SkewReader *reader = skew_reader(fcinfo);
	ArrayIterator iterator;
	Datum element;
	Datum extra;
	bool isnull;

	if (kind_of(reader->reader) != 'b')
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("%s features cannot be looked at for confusion",
							   kind_of(reader->reader) == 'i' ? "integer" : "float"),
						errhint("Name text columns only.")));
	if (PG_ARGISNULL(0))
		PG_RETURN_TEXT_P(cstring_to_text("__MISSING_VALUE__"));
	if (!reader->is_array)
		PG_RETURN_TEXT_P(cstring_to_text(OutputFunctionCall(&reader->output, PG_GETARG_DATUM(0))));
	iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	if (!array_iterate(iterator, &element, &isnull) || isnull)
		PG_RETURN_TEXT_P(cstring_to_text("__MISSING_VALUE__"));
	if (array_iterate(iterator, &extra, &isnull))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("features of several values cannot be looked at for confusion")));
	PG_RETURN_TEXT_P(cstring_to_text(OutputFunctionCall(&reader->output, element)));
}

/* -- queries -- */

typedef struct SkewCall
{
	FmRowSource *base;
	FmRowSource *test;
	int n_identifiers;
	char **identifiers;
	char *digits; /* as SQL */
	bool allow_duplicates;
	const char *extension; /* schema of the functions, quoted */
} SkewCall;

static char **
text_list(FunctionCallInfo fcinfo, int argument, int *n)
{
	Datum *elements;
	bool *nulls;
	char **list;
	int i;

	*n = 0;
	if (PG_ARGISNULL(argument))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, n);
	list = palloc(sizeof(char *) * (*n + 1));
	for (i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("names of features must not be null")));
		list[i] = TextDatumGetCString(elements[i]);
	}
	return list;
}

/*
 * Arguments 0 to 2 (training, serving, identifiers), and the numbers of those that not all functions have
 */
static SkewCall
read_call(FunctionCallInfo fcinfo, int digits_argument, int duplicates_argument)
{
	SkewCall call;
	int i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("training, serving and identifiers must not be null")));
	call.base = fm_source(PG_GETARG_OID(0), NULL, 1);
	call.test = fm_source(PG_GETARG_OID(1), NULL, 1);
	call.identifiers = text_list(fcinfo, 2, &call.n_identifiers);
	if (call.n_identifiers == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("at least one identifier is needed")));
	for (i = 0; i < call.n_identifiers; i++)
	{
		fm_source_need_column(call.base, call.identifiers[i]);
		fm_source_need_column(call.test, call.identifiers[i]);
	}
	call.digits = PG_ARGISNULL(digits_argument) ? pstrdup("NULL") : psprintf("%d", PG_GETARG_INT32(digits_argument));
	call.allow_duplicates =
		duplicates_argument >= 0 && !PG_ARGISNULL(duplicates_argument) && PG_GETARG_BOOL(duplicates_argument);
	call.extension = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
	return call;
}

/*
 * name AS (SELECT ARRAY[identifiers] AS k, (columns) FROM relation); k is NULL if an identifier has no value
 */
static void
append_side(StringInfo query, const SkewCall *call, const char *name, const FmRowSource *source, const char *columns)
{
	int i;

	appendStringInfo(query, "%s AS (SELECT CASE WHEN ", name);
	for (i = 0; i < call->n_identifiers; i++)
		appendStringInfo(query, "%spg_catalog.length(%s.skew_value(%s, %s)) OPERATOR(pg_catalog.>) 0",
						 i > 0 ? " AND " : "", call->extension,
						 fm_source_column(source, call->identifiers[i])->reference, call->digits);
	appendStringInfoString(query, " THEN ARRAY[");
	for (i = 0; i < call->n_identifiers; i++)
		appendStringInfo(query, "%s%s.skew_value(%s, %s)", i > 0 ? ", " : "", call->extension,
						 fm_source_column(source, call->identifiers[i])->reference, call->digits);
	appendStringInfo(query, "] END AS k%s FROM %s)", columns, source->from);
}

/*
 * pairs AS (rows of both sides with the same identifiers); without allow_duplicates only of those that occur once
 */
static void
append_pairs(StringInfo query, const SkewCall *call)
{
	const char *base = "base";
	const char *test = "test";

	appendStringInfoString(query, ",\n");
	if (!call->allow_duplicates)
	{
		appendStringInfoString(query, "base_once AS (SELECT * FROM (SELECT *, pg_catalog.count(*) OVER (PARTITION BY "
									  "k) AS n FROM base) s WHERE n OPERATOR(pg_catalog.=) 1),\n"
									  "test_once AS (SELECT * FROM (SELECT *, pg_catalog.count(*) OVER (PARTITION BY "
									  "k) AS n FROM test) s WHERE n OPERATOR(pg_catalog.=) 1),\n");
		base = "base_once";
		test = "test_once";
	}
	appendStringInfo(query, "pairs AS (SELECT b AS b, t AS t FROM %s b JOIN %s t ON b.k OPERATOR(pg_catalog.=) t.k)\n",
					 base, test);
}

/*
 * Runs a query and copies its result
 */
static void
return_query(FunctionCallInfo fcinfo, const char *query)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	uint64 i;

	SPI_connect();
	fm_query(query);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];

		tuplestore_puttuple(result->setResult, tuple);
	}
	SPI_finish();
}

static bool
is_listed(char **list, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

PG_FUNCTION_INFO_V1(feature_meta_feature_skew);
Datum
feature_meta_feature_skew(PG_FUNCTION_ARGS)
{
	SkewCall call;
	StringInfoData query;
	StringInfoData base_columns;
	StringInfoData test_columns;
	StringInfoData features;
	char **ignored;
	char **names;
	int n_ignored;
	int n_names = 0;
	int i;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	call = read_call(fcinfo, 4, 5);
	ignored = text_list(fcinfo, 3, &n_ignored);
	/* features of either side, each once */
	names = palloc(sizeof(char *) * (call.base->num_columns + call.test->num_columns + 1));
	for (i = 0; i < call.base->num_columns; i++)
		names[n_names++] = call.base->columns[i].name;
	for (i = 0; i < call.test->num_columns; i++)
		if (fm_source_column(call.base, call.test->columns[i].name) == NULL)
			names[n_names++] = call.test->columns[i].name;
	qsort(names, n_names, sizeof(char *), compare_names);
	initStringInfo(&base_columns);
	initStringInfo(&test_columns);
	initStringInfo(&features);
	for (i = 0; i < n_names; i++)
	{
		FmSourceColumn *base = fm_source_column(call.base, names[i]);
		FmSourceColumn *test = fm_source_column(call.test, names[i]);

		if (is_listed(call.identifiers, call.n_identifiers, names[i]) || is_listed(ignored, n_ignored, names[i]))
			continue;
		if (base != NULL)
			appendStringInfo(&base_columns, ", %s.skew_value(%s, %s) AS f%d", call.extension, base->reference,
							 call.digits, i);
		else
			appendStringInfo(&base_columns, ", NULL::pg_catalog.text AS f%d", i);
		if (test != NULL)
			appendStringInfo(&test_columns, ", %s.skew_value(%s, %s) AS f%d", call.extension, test->reference,
							 call.digits, i);
		else
			appendStringInfo(&test_columns, ", NULL::pg_catalog.text AS f%d", i);
		appendStringInfo(&features, "%s(%d, %s, (p.b).f%d, (p.t).f%d)", features.len > 0 ? ", " : "", i,
						 quote_literal_cstr(names[i]), i, i);
	}
	if (features.len > 0)
	{
		initStringInfo(&query);
		appendStringInfoString(&query, "WITH ");
		append_side(&query, &call, "base", call.base, base_columns.data);
		appendStringInfoString(&query, ",\n");
		append_side(&query, &call, "test", call.test, test_columns.data);
		append_pairs(&query, &call);
		appendStringInfo(&query,
						 "SELECT v.name::pg_catalog.text, pg_catalog.count(*) FILTER (WHERE v.b "
						 "OPERATOR(pg_catalog.<>) '') AS base_count,\n"
						 "  pg_catalog.count(*) FILTER (WHERE v.t OPERATOR(pg_catalog.<>) ''),\n"
						 "  pg_catalog.count(*) FILTER (WHERE v.b OPERATOR(pg_catalog.=) v.t),\n"
						 "  pg_catalog.count(*) FILTER (WHERE v.b OPERATOR(pg_catalog.<>) '' AND (v.t IS NULL OR v.t "
						 "OPERATOR(pg_catalog.=) '')),\n"
						 "  pg_catalog.count(*) FILTER (WHERE v.t OPERATOR(pg_catalog.<>) '' AND (v.b IS NULL OR v.b "
						 "OPERATOR(pg_catalog.=) '')),\n"
						 "  pg_catalog.count(*) FILTER (WHERE v.b OPERATOR(pg_catalog.<>) '' AND v.t "
						 "OPERATOR(pg_catalog.<>) '' AND v.b OPERATOR(pg_catalog.<>) v.t),\n"
						 "  pg_catalog.count(*) FILTER (WHERE COALESCE(v.b, '') OPERATOR(pg_catalog.<>) "
						 "COALESCE(v.t, ''))\n"
						 "FROM pairs p CROSS JOIN LATERAL (VALUES %s) v(i, name, b, t)\n"
						 "WHERE v.b IS NOT NULL OR v.t IS NOT NULL GROUP BY v.i, v.name ORDER BY v.i",
						 features.data);
		return_query(fcinfo, query.data);
	}
	SPI_finish();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(feature_meta_feature_skew_match_stats);
Datum
feature_meta_feature_skew_match_stats(PG_FUNCTION_ARGS)
{
	SkewCall call;
	StringInfoData query;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	call = read_call(fcinfo, 3, -1);
	initStringInfo(&query);
	appendStringInfoString(&query, "WITH ");
	append_side(&query, &call, "base", call.base, "");
	appendStringInfoString(&query, ",\n");
	append_side(&query, &call, "test", call.test, "");
	appendStringInfoString(
		&query,
		",\ncounts AS (SELECT k, pg_catalog.count(*) FILTER (WHERE side OPERATOR(pg_catalog.=) 0) AS b, "
		"pg_catalog.count(*) FILTER (WHERE side OPERATOR(pg_catalog.=) 1) AS t\n"
		"  FROM (SELECT k, 0 AS side FROM base UNION ALL SELECT k, 1 FROM test) s GROUP BY k)\n"
		"SELECT COALESCE(pg_catalog.sum(b) FILTER (WHERE k IS NOT NULL), 0)::pg_catalog.int8,\n"
		"  COALESCE(pg_catalog.sum(t) FILTER (WHERE k IS NOT NULL), 0)::pg_catalog.int8,\n"
		"  pg_catalog.count(k),\n"
		"  pg_catalog.count(*) FILTER (WHERE k IS NOT NULL AND b OPERATOR(pg_catalog.=) 0),\n"
		"  pg_catalog.count(*) FILTER (WHERE k IS NOT NULL AND t OPERATOR(pg_catalog.=) 0),\n"
		"  COALESCE(pg_catalog.sum(b OPERATOR(pg_catalog.*) t) FILTER (WHERE k IS NOT NULL), 0)::pg_catalog.int8,\n"
		"  COALESCE(pg_catalog.sum(b) FILTER (WHERE k IS NULL), 0)::pg_catalog.int8,\n"
		"  COALESCE(pg_catalog.sum(t) FILTER (WHERE k IS NULL), 0)::pg_catalog.int8,\n"
		"  pg_catalog.count(*) FILTER (WHERE k IS NOT NULL AND (b OPERATOR(pg_catalog.>) 1 OR t OPERATOR(pg_catalog.>) "
		"1))\n"
		"FROM counts");
	return_query(fcinfo, query.data);
	SPI_finish();
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(feature_meta_feature_skew_confusion);
Datum
feature_meta_feature_skew_confusion(PG_FUNCTION_ARGS)
{
	SkewCall call;
	StringInfoData query;
	StringInfoData base_columns;
	StringInfoData test_columns;
	StringInfoData features;
	char **names;
	int n_names;
	int i;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	call = read_call(fcinfo, 4, 5);
	names = text_list(fcinfo, 3, &n_names);
	initStringInfo(&base_columns);
	initStringInfo(&test_columns);
	initStringInfo(&features);
	for (i = 0; i < n_names; i++)
	{
		appendStringInfo(&base_columns, ", %s.confusion_value(%s) AS f%d", call.extension,
						 fm_source_need_column(call.base, names[i])->reference, i);
		appendStringInfo(&test_columns, ", %s.confusion_value(%s) AS f%d", call.extension,
						 fm_source_need_column(call.test, names[i])->reference, i);
		appendStringInfo(&features, "%s(%s, (p.b).f%d, (p.t).f%d)", features.len > 0 ? ", " : "",
						 quote_literal_cstr(names[i]), i, i);
	}
	if (n_names > 0)
	{
		initStringInfo(&query);
		appendStringInfoString(&query, "WITH ");
		append_side(&query, &call, "base", call.base, base_columns.data);
		appendStringInfoString(&query, ",\n");
		append_side(&query, &call, "test", call.test, test_columns.data);
		append_pairs(&query, &call);
		appendStringInfo(
			&query,
			"SELECT v.name::pg_catalog.text, v.b, v.t, pg_catalog.count(*) FROM pairs p CROSS JOIN LATERAL (VALUES %s) "
			"v(name, b, t)\n"
			"GROUP BY v.name, v.b, v.t ORDER BY v.name COLLATE \"C\", v.b COLLATE \"C\", v.t COLLATE \"C\"",
			features.data);
		return_query(fcinfo, query.data);
	}
	SPI_finish();
	return (Datum) 0;
}
