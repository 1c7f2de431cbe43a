/*
 * Sketch and statistics of a relation: one generated query, then what the sketch cannot know
 */
#include "statistics.h"

#include "cross.h"
#include "components.h"
#include "message/message.h"
#include "semantic_aggregate.h"
#include "sketch/sketch_type.h"
#include "sketch/sketch_value.h"
#include "slices.h"
#include "source.h"
#include "utils/builtins.h"

/* So many columns go through one aggregate, beside its state, the names and the weight */
#define COLUMNS_AN_AGGREGATE (FUNC_MAX_ARGS - 3)

/* What one slice (or the whole relation) gave */
typedef struct Slice
{
	char *name; /* NULL without slices */
	FmSketch *sketch;
	FmSemanticCounts **semantic; /* one for each column that is described; NULL entries: none */
} Slice;

/* The columns that are described, in the order of the result */
typedef struct Columns
{
	int n;
	FmSourceColumn **column;
} Columns;

/*
 * All columns, or those of the allowlist in its order
 */
static Columns
ChooseColumns(const FmRowSource *source, const FmStatisticsOptions *options)
{
	Columns columns = {0};

	columns.column = palloc(sizeof(FmSourceColumn *) * Max(Max(source->num_columns, options->num_feature_allowlist), 1));
	if (options->num_feature_allowlist < 0)
	{
		for (int i = 0; i < source->num_columns; i++)
			columns.column[columns.n++] = &source->columns[i];
		return columns;
	}
	for (int i = 0; i < options->num_feature_allowlist; i++)
	{
		FmSourceColumn *column = fm_source_need_column(source, options->feature_allowlist[i]);
		bool again = false;

		for (int j = 0; j < columns.n; j++)
			again = again || columns.column[j] == column;
		if (!again)
			columns.column[columns.n++] = column;
	}
	return columns;
}

/*
 * The call of the sketch's aggregate for some columns
 */
static void
AppendSketchAggregate(StringInfo query, const char *schema, const FmRowSource *source, const Columns *columns, int first,
					  int end, const FmStatisticsOptions *options)
{
	/* no columns at all: rows are counted */
	if (first == end)
	{
		appendStringInfo(query, ", %s.table_sketch(ROW()", schema);
		if (options->weight_feature != NULL)
			appendStringInfo(query, ", %s",
							 fm_number_expression(fm_source_need_column(source, options->weight_feature)));
		appendStringInfoChar(query, ')');
		return;
	}

	appendStringInfo(query, ", %s.%stable_sketch_columns(ARRAY[", schema,
					 options->weight_feature != NULL ? "weighted_" : "");
	for (int i = first; i < end; i++)
		appendStringInfo(query, "%s%s", i > first ? ", " : "", quote_literal_cstr(columns->column[i]->name));
	appendStringInfoString(query, "]::pg_catalog.text[]");
	if (options->weight_feature != NULL)
		appendStringInfo(query, ", %s",
						 fm_number_expression(fm_source_need_column(source, options->weight_feature)));
	for (int i = first; i < end; i++)
		appendStringInfo(query, ", %s", columns->column[i]->reference);
	appendStringInfoChar(query, ')');
}

/*
 * The query: a row for each slice, with the sketches of some columns each, then the counts that tell semantic domains
 */
static char *
MakeQuery(const FmRowSource *source, const Columns *columns, const char *slices, const FmStatisticsOptions *options)
{
	const char *schema = quote_identifier(fm_extension_schema());
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s", slices == NULL ? "NULL::pg_catalog.text" : "fm_slices.fm_slice");
	for (int first = 0; first < columns->n || first == 0; first += COLUMNS_AN_AGGREGATE)
	{
		int end = Min(first + COLUMNS_AN_AGGREGATE, columns->n);

		AppendSketchAggregate(&query, schema, source, columns, first, end, options);
	}
	if (options->enable_semantic_domain_stats)
	{
		for (int i = 0; i < columns->n; i++)
		{
			if (fm_semantic_kind(columns->column[i]) != FM_SEMANTIC_NONE)
				appendStringInfo(&query, ", %s.semantic_domain_counts(%s)", schema, columns->column[i]->reference);
		}
	}
	appendStringInfo(&query, " FROM %s", source->from);
	if (slices != NULL)
		appendStringInfo(&query, " CROSS JOIN LATERAL (%s) AS fm_slices(fm_slice)", slices);
	appendStringInfoString(&query, source->where);
	if (slices != NULL)
		/* all rows first, then in byte order */
		appendStringInfo(&query, " GROUP BY 1 ORDER BY fm_slices.fm_slice OPERATOR(pg_catalog.<>) '%s', 1",
						 FM_ALL_EXAMPLES);
	return query.data;
}

/*
 * A sketch of no rows that knows the columns and their types
 */
static FmSketch *
EmptySketch(const Columns *columns, const FmStatisticsOptions *options)
{
	FmSketch *sketch = fm_sketch_new_by_settings(options->weight_feature != NULL);

	for (int i = 0; i < columns->n; i++)
		fm_column_open(sketch, NULL, columns->column[i]->utf8_name, i, columns->column[i]->type);
	return sketch;
}

/*
 * One row of the result: the sketches of the column groups become one
 */
static void
ReadSlice(uint64 row, const Columns *columns, const FmStatisticsOptions *options, Slice *slice)
{
	int column = 0;

	slice->name = fm_query_text(row, column++);
	slice->sketch = NULL;
	for (int first = 0; first < columns->n || first == 0; first += COLUMNS_AN_AGGREGATE)
	{
		bool is_null;
		Datum datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, ++column, &is_null);
		FmError error = {0};

		if (is_null)
			continue;
		if (slice->sketch == NULL)
			slice->sketch = fm_datum_get_sketch(datum);
		else if (!fm_sketch_combine_columns(slice->sketch, fm_datum_get_sketch(datum), &error))
			fm_throw(&error, NULL);
	}
	if (slice->sketch == NULL || fm_sketch_num_examples(slice->sketch) == 0)
		slice->sketch = EmptySketch(columns, options);

	slice->semantic = palloc0(sizeof(FmSemanticCounts *) * Max(columns->n, 1));
	for (int i = 0; i < columns->n && options->enable_semantic_domain_stats; i++)
	{
		bool is_null;
		Datum datum;

		if (fm_semantic_kind(columns->column[i]) == FM_SEMANTIC_NONE)
			continue;
		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, ++column, &is_null);
		if (is_null)
			continue;
		slice->semantic[i] = palloc(sizeof(FmSemanticCounts));
		fm_semantic_read(datum, slice->semantic[i]);
	}
}

/*
 * The rows of the relation, read once. SPI is connected; the result is in the context given.
 */
static Slice *
ReadRelation(const FmRowSource *source, const Columns *columns, const char *slices, const FmStatisticsOptions *options,
			 MemoryContext context, int *num_slices)
{
	MemoryContext old;
	Slice *result;

	if (options->weight_feature != NULL)
	{
		FmSourceColumn *weight = fm_source_need_column(source, options->weight_feature);

		if (weight->is_array || weight->family == FM_FAMILY_STRUCT || weight->family == FM_FAMILY_TEXT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight_feature \"%s\" must be a number", weight->name),
					 errdetail("It must have exactly one value in each example.")));
	}

	fm_query(MakeQuery(source, columns, slices, options));
	old = MemoryContextSwitchTo(context);
	*num_slices = SPI_processed;
	result = palloc0(sizeof(Slice) * Max(*num_slices, 1));
	for (int i = 0; i < *num_slices; i++)
		ReadSlice(i, columns, options, &result[i]);
	/* with slices an empty relation gives no row at all */
	if (*num_slices == 0)
	{
		result[0].name = pstrdup(FM_ALL_EXAMPLES);
		result[0].sketch = EmptySketch(columns, options);
		result[0].semantic = palloc0(sizeof(FmSemanticCounts *) * Max(columns->n, 1));
		*num_slices = 1;
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/*
 * The semantic domains that the values of a slice tell
 */
static void
AddSemanticStats(const Slice *slice, const Columns *columns, Tfmd__DatasetFeatureStatistics *dataset)
{
	for (int i = 0; i < columns->n; i++)
	{
		if (slice->semantic[i] != NULL)
			fm_semantic_custom_stats(slice->semantic[i], fm_semantic_kind(columns->column[i]),
									 fm_need_feature_statistics(dataset, columns->column[i]->utf8_name));
	}
}

static void
AddLabelStats(const FmRowSource *source, const char *slices, const FmStatisticsOptions *options,
			  Tfmd__DatasetFeatureStatisticsList *list, MemoryContext context)
{
	FmLiftOptions lift = {0};

	lift.y = options->label_feature;
	lift.weight = options->weight_feature;
	lift.output_custom_stats = true;
	lift.x = fm_lift_columns(source, options->schema, options->label_feature, &lift.num_x);
	fm_add_lift(source, slices, &lift, list, context);
}

/*
 * What takes queries of its own, for each data set
 */
static void
AddQueriedStats(const FmRowSource *source, const char *slices, const FmStatisticsOptions *options,
				Tfmd__DatasetFeatureStatisticsList *list, MemoryContext context)
{
	for (size_t i = 0; i < list->n_datasets; i++)
	{
		Tfmd__DatasetFeatureStatistics *dataset = list->datasets[i];
		const FmRowSource *rows = slices == NULL ? source : fm_source_of_slice(source, slices, dataset->name);

		if (options->schema != NULL)
			fm_add_component_stats(rows, options->schema, dataset, context);
		if (options->cross_features)
			fm_add_cross_features(rows, dataset, NULL, -1, context);
		if (options->mutual_information)
			fm_add_mutual_information(rows, options->label_feature, options->schema, dataset, context);
	}
	if (options->label_feature != NULL && options->schema != NULL)
		AddLabelStats(source, slices, options, list, context);
}

static void
CheckOptions(const FmStatisticsOptions *options)
{
	FmError error = {0};

	if (!fm_statistics_options_check(options, &error))
		fm_throw(&error, NULL);
	if (options->mutual_information && (options->label_feature == NULL || options->schema == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mutual_information needs a label_feature and a schema")));
}

FmSketch *
fm_relation_sketch(Oid relid, const char *filter, const FmStatisticsOptions *options)
{
	MemoryContext context = CurrentMemoryContext;
	FmRowSource *source;
	Columns columns;
	Slice *slice;
	int num_slices;

	CheckOptions(options);
	SPI_connect();
	source = fm_source(relid, filter, options->sample_rate);
	columns = ChooseColumns(source, options);
	slice = ReadRelation(source, &columns, NULL, options, context, &num_slices);
	SPI_finish();
	return slice->sketch;
}

Tfmd__DatasetFeatureStatisticsList *
fm_relation_statistics(Oid relid, const char *filter, const FmStatisticsOptions *options)
{
	MemoryContext context = CurrentMemoryContext;
	Tfmd__DatasetFeatureStatisticsList *list =
		FM_NEW(Tfmd__DatasetFeatureStatisticsList, tfmd__dataset_feature_statistics_list);
	FmRowSource *source;
	Columns columns;
	Slice *slice;
	char *slices;
	int num_slices;

	CheckOptions(options);
	SPI_connect();
	source = fm_source(relid, filter, options->sample_rate);
	columns = ChooseColumns(source, options);
	slices = fm_slices_subquery(source, options);
	slice = ReadRelation(source, &columns, slices, options, context, &num_slices);
	for (int i = 0; i < num_slices; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		Tfmd__DatasetFeatureStatistics *dataset = fm_statistics_of_sketch(slice[i].sketch, options);

		if (slices != NULL)
			dataset->name = slice[i].name;
		AddSemanticStats(&slice[i], &columns, dataset);
		FM_APPEND(list->n_datasets, list->datasets, dataset);
		MemoryContextSwitchTo(old);
	}
	AddQueriedStats(source, slices, options, list, context);
	SPI_finish();
	return list;
}
