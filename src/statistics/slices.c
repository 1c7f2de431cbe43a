/*
 * Slices: which rows belong to which data set of a sliced list of statistics
 */
#include "slices.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "slice_sql.h"

/* Name of the column of the subquery and of the row sources inside it; no column of a user's can hide behind them */
#define SLICE_VALUE "fm_slice_value"

/* A feature to slice by: its column, and the values asked for (NULL: all) */
typedef struct SliceFeature
{
	char *name;
	FmSourceColumn *column;
	List *values; /* C strings */
	bool all;
} SliceFeature;

/*
 * One value as it stands in the name of a slice: text as it is, integers decimal, bools 0 and 1, floats as Python
 * prints them
 */
static char *
ValueText(const char *value, const FmSourceColumn *column)
{
	switch (column->element)
	{
		case BOOLOID:
			return psprintf("(%s)::pg_catalog.int4::pg_catalog.text", value);
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		{
			/* the digits are PostgreSQL's shortest ones; what Python writes otherwise is put right */
			const char *f = psprintf("(%s)", fm_number_of_value(value, column->element));

			return psprintf("CASE WHEN (%s)::pg_catalog.text OPERATOR(pg_catalog.~) '^-?[0-9]+$' "
							"THEN (%s)::pg_catalog.text OPERATOR(pg_catalog.||) '.0' "
							"WHEN pg_catalog.abs(%s) OPERATOR(pg_catalog.>=) 1e15 AND pg_catalog.abs(%s) "
							"OPERATOR(pg_catalog.<) 1e16 "
							"AND pg_catalog.trunc(%s) OPERATOR(pg_catalog.=) %s "
							"THEN (%s)::pg_catalog.int8::pg_catalog.text OPERATOR(pg_catalog.||) '.0' "
							"ELSE pg_catalog.replace(pg_catalog.lower((%s)::pg_catalog.text), 'infinity', 'inf') END",
							f, f, f, f, f, f, f, f);
		}
		default:
			return psprintf("(%s)::pg_catalog.text", value);
	}
}

/*
 * The distinct values of a feature in one row that are asked for, as text
 */
static char *
ValuesSubquery(const SliceFeature *feature)
{
	const FmSourceColumn *column = feature->column;
	StringInfoData query;

	initStringInfo(&query);
	if (column->is_array)
		appendStringInfo(&query,
						 "SELECT DISTINCT (%s)%s AS " SLICE_VALUE " FROM pg_catalog.unnest(%s) AS fm_u(fm_v) "
						 "WHERE fm_u.fm_v IS NOT NULL",
						 ValueText("fm_u.fm_v", column), " COLLATE pg_catalog.\"C\"", column->reference);
	else
		appendStringInfo(&query, "SELECT (%s) COLLATE pg_catalog.\"C\" AS " SLICE_VALUE " WHERE (%s) IS NOT NULL",
						 ValueText(column->reference, column), column->reference);

	if (!feature->all)
	{
		ListCell *cell;
		bool first = true;

		appendStringInfo(&query, " AND (%s) COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=) ANY (ARRAY[",
						 ValueText(column->is_array ? "fm_u.fm_v" : column->reference, column));
		foreach (cell, feature->values)
		{
			appendStringInfo(&query, "%s%s", first ? "" : ", ", quote_literal_cstr(lfirst(cell)));
			first = false;
		}
		appendStringInfoString(&query, "]::pg_catalog.text[])");
	}
	return query.data;
}

static int
CompareFeatures(const ListCell *a, const ListCell *b)
{
	return strcmp(((SliceFeature *) lfirst(a))->name, ((SliceFeature *) lfirst(b))->name);
}

/*
 * One slicer: the cross of the values of its features; the name has them in ascending order of the features' names
 */
static char *
SlicerQuery(List *features)
{
	StringInfoData name;
	StringInfoData from;
	int i = 0;
	ListCell *cell;

	list_sort(features, CompareFeatures);
	initStringInfo(&name);
	initStringInfo(&from);
	foreach (cell, features)
	{
		SliceFeature *feature = lfirst(cell);

		appendStringInfo(&name, "%s%s OPERATOR(pg_catalog.||) fm_s%d." SLICE_VALUE,
						 i > 0 ? " OPERATOR(pg_catalog.||) " : "",
						 quote_literal_cstr(psprintf("%s%s_", i > 0 ? "_" : "", feature->name)), i);
		appendStringInfo(&from, "%s(%s) AS fm_s%d", i > 0 ? ", " : "", ValuesSubquery(feature), i);
		i++;
	}
	return psprintf("SELECT %s FROM %s", name.data, from.data);
}

static void
NotSliceFunctions(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("slice_functions must be an array of objects from feature to null or an array of values"),
					errdetail("%s", detail),
					errhint("For example: [{\"sex\": null}, {\"class\": [\"1st\"], \"survived\": null}].")));
}

/*
 * A value asked for, as it would stand in the name of the slice
 */
static char *
WantedValue(const JsonbValue *value, const FmSourceColumn *column)
{
	char *text;

	if (value->type == jbvString)
		text = pnstrdup(value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
		text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	else
	{
		NotSliceFunctions("A value to slice by is neither a string nor a number.");
		text = NULL;
	}

	if (column->family == FM_FAMILY_INT)
	{
		/* "1" asks for 1, but "x" can't be meant */
		int64 number;
		char *end;

		errno = 0;
		number = strtoi64(text, &end, 10);
		if (errno != 0 || end == text || *end != '\0')
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("feature \"%s\" to slice on has integer values, but \"%s\" is not an integer",
								   column->name, text)));
		text = psprintf(INT64_FORMAT, number);
	}
	else if (column->family == FM_FAMILY_FLOAT && value->type == jbvNumeric)
		text =
			fm_python_float(DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric))));
	return text;
}

/*
 * The JSON of slice_functions as a UNION ALL of slicers
 *
 * Slices of two slicers that get one name are merged and their rows counted twice, as TFDV does. A feature that the
 * relation does not have is left out of its slicer.
 */
static void
AppendSliceFunctions(StringInfo query, const FmRowSource *source, const char *json)
{
	Datum datum = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	JsonbIterator *iterator = JsonbIteratorInit(&DatumGetJsonbP(datum)->root);
	JsonbIteratorToken token;
	JsonbValue value;
	List *features = NIL;
	SliceFeature *feature = NULL;
	int depth = 0;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		switch (token)
		{
			case WJB_BEGIN_ARRAY:
				if (value.val.array.rawScalar || (depth != 0 && depth != 2))
					NotSliceFunctions("An array stands where none is expected.");
				if (depth == 2 && feature != NULL)
					feature->all = false;
				depth++;
				break;
			case WJB_BEGIN_OBJECT:
				if (depth != 1)
					NotSliceFunctions("An object stands where none is expected.");
				features = NIL;
				depth++;
				break;
			case WJB_KEY:
			{
				char *name = pnstrdup(value.val.string.val, value.val.string.len);
				FmSourceColumn *column = fm_source_column(source, name);

				feature = NULL;
				if (column == NULL)
					break;
				if (column->family == FM_FAMILY_STRUCT)
					ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
									errmsg("cannot slice on feature \"%s\", which is a struct", name)));
				feature = palloc0(sizeof(SliceFeature));
				feature->name = name;
				feature->column = column;
				feature->all = true;
				features = lappend(features, feature);
				break;
			}
			case WJB_VALUE:
				if (value.type != jbvNull)
					NotSliceFunctions("The values of a feature are neither null nor an array.");
				break;
			case WJB_ELEM:
				if (depth != 3)
					NotSliceFunctions("A slicer is not an object.");
				if (feature != NULL)
					feature->values = lappend(feature->values, WantedValue(&value, feature->column));
				break;
			case WJB_END_OBJECT:
				if (features != NIL)
					appendStringInfo(query, " UNION ALL %s", SlicerQuery(features));
				depth--;
				break;
			case WJB_END_ARRAY:
				depth--;
				break;
			default:
				break;
		}
	}
}

/*
 * The slices of slice_sqls; here a row is in a slice once, whatever the number of queries that say so
 */
static void
AppendSliceSqls(StringInfo query, const FmRowSource *source, const FmStatisticsOptions *options)
{
	StringInfoData slices;
	bool invalid = false;

	initStringInfo(&slices);
	for (int i = 0; i < options->num_slice_sqls; i++)
	{
		char *slicer = fm_slice_sql(source, options->slice_sqls[i]);

		if (slicer == NULL)
			invalid = true;
		else
			appendStringInfo(&slices, "%s(%s)", slices.len > 0 ? " UNION ALL " : "", slicer);
	}
	if (invalid)
		appendStringInfo(query, " UNION ALL SELECT '%s'::pg_catalog.text", FM_INVALID_SLICE);
	if (slices.len > 0)
		appendStringInfo(query,
						 " UNION ALL (SELECT DISTINCT fm_d.fm_slice COLLATE pg_catalog.\"C\" FROM (%s) AS "
						 "fm_d(fm_slice) WHERE fm_d.fm_slice IS NOT NULL)",
						 slices.data);
}

char *
fm_slices_subquery(const FmRowSource *source, const FmStatisticsOptions *options)
{
	StringInfoData query;

	if (options->slice_functions == NULL && options->num_slice_sqls <= 0)
		return NULL;
	if (options->slice_functions != NULL && options->num_slice_sqls > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("slice_functions and slice_sqls cannot be given together")));

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT '%s'::pg_catalog.text COLLATE pg_catalog.\"C\"", FM_ALL_EXAMPLES);
	if (options->slice_functions != NULL)
		AppendSliceFunctions(&query, source, options->slice_functions);
	else
		AppendSliceSqls(&query, source, options);
	return query.data;
}
