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
#include "shards.h"
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

	columns.column =
		palloc(sizeof(FmSourceColumn *) * Max(Max(source->num_columns, options->num_feature_allowlist), 1));
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
AppendSketchAggregate(StringInfo list, const char *schema, const FmRowSource *source, const Columns *columns, int first,
					  int end, const FmStatisticsOptions *options)
{
	/* no columns at all: rows are counted */
	if (first == end)
	{
		appendStringInfo(list, "%s.table_sketch(ROW()", schema);
		if (options->weight_feature != NULL)
			appendStringInfo(list, ", %s",
							 fm_number_expression(fm_source_need_column(source, options->weight_feature)));
		appendStringInfoChar(list, ')');
		return;
	}

	appendStringInfo(list, "%s.%stable_sketch_columns(ARRAY[", schema,
					 options->weight_feature != NULL ? "weighted_" : "");
	for (int i = first; i < end; i++)
		appendStringInfo(list, "%s%s", i > first ? ", " : "", quote_literal_cstr(columns->column[i]->name));
	appendStringInfoString(list, "]::pg_catalog.text[]");
	if (options->weight_feature != NULL)
		appendStringInfo(list, ", %s", fm_number_expression(fm_source_need_column(source, options->weight_feature)));
	for (int i = first; i < end; i++)
		appendStringInfo(list, ", %s", columns->column[i]->reference);
	appendStringInfoChar(list, ')');
}

/*
 * What the query gives for each slice: its name (NULL without slices), the sketches of some columns each, and for each
 * column the counts that tell semantic domains, or NULL
 */
static char *
SelectList(const FmRowSource *source, const Columns *columns, const char *slices, const FmStatisticsOptions *options)
{
	const char *schema = quote_identifier(fm_extension_schema());
	StringInfoData list;

	initStringInfo(&list);
	appendStringInfo(&list, "%s, ARRAY[", slices == NULL ? "NULL::pg_catalog.text" : "fm_slices.fm_slice");
	for (int first = 0; first < columns->n || first == 0; first += COLUMNS_AN_AGGREGATE)
	{
		if (first > 0)
			appendStringInfoString(&list, ", ");
		AppendSketchAggregate(&list, schema, source, columns, first, Min(first + COLUMNS_AN_AGGREGATE, columns->n),
							  options);
	}
	appendStringInfoString(&list, "], ARRAY[");
	for (int i = 0; i < columns->n && options->enable_semantic_domain_stats; i++)
	{
		if (i > 0)
			appendStringInfoString(&list, ", ");
		if (fm_semantic_kind(columns->column[i]) == FM_SEMANTIC_NONE)
			appendStringInfoString(&list, "NULL");
		else
			appendStringInfo(&list, "%s.semantic_domain_counts(%s)", schema, columns->column[i]->reference);
	}
	appendStringInfoString(&list, "]::pg_catalog.bytea[]");
	return list.data;
}

/*
 * What follows the FROM item: slices, rows, groups. All rows first, then slices in byte order.
 */
static char *
RestOfQuery(const FmRowSource *source, const char *slices)
{
	if (slices == NULL)
		return pstrdup(source->where);
	return psprintf(" CROSS JOIN LATERAL (%s) AS fm_slices(fm_slice)%s GROUP BY 1 "
					"ORDER BY fm_slices.fm_slice OPERATOR(pg_catalog.<>) '%s', 1",
					slices, source->where, FM_ALL_EXAMPLES);
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
 * The sketches of groups of columns as one; NULL of no rows
 */
static FmSketch *
ReadSketches(Datum datum)
{
	FmSketch *sketch = NULL;
	Datum *groups;
	bool *nulls;
	int num_groups;

	fm_array_elements(DatumGetArrayTypeP(datum), &groups, &nulls, &num_groups);
	for (int i = 0; i < num_groups; i++)
	{
		FmError error = {0};

		if (nulls[i])
			continue;
		if (sketch == NULL)
			sketch = fm_datum_get_sketch(groups[i]);
		else if (!fm_sketch_combine_columns(sketch, fm_datum_get_sketch(groups[i]), &error))
			fm_throw(&error, NULL);
	}
	return sketch;
}

static void
MergeSketch(Slice *slice, FmSketch *sketch)
{
	FmError error = {0};

	if (slice->sketch == NULL)
		slice->sketch = sketch;
	else if (sketch != NULL && !fm_sketch_merge(slice->sketch, sketch, &error))
		fm_throw(&error, NULL);
}

static void
MergeSemantic(Slice *slice, Datum datum)
{
	Datum *columns;
	bool *nulls;
	int num_columns;

	fm_array_elements(DatumGetArrayTypeP(datum), &columns, &nulls, &num_columns);
	for (int i = 0; i < num_columns; i++)
	{
		FmSemanticCounts counts;

		if (nulls[i])
			continue;
		fm_semantic_read(columns[i], &counts);
		if (slice->semantic[i] == NULL)
			slice->semantic[i] = palloc0(sizeof(FmSemanticCounts));
		fm_semantic_merge(slice->semantic[i], &counts);
	}
}

/*
 * The result of the last query: a slice for each run of rows of one name, which are several where there are shards
 */
static Slice *
ReadSlices(const Columns *columns, int *num_slices)
{
	Slice *slices = palloc0(sizeof(Slice) * Max(SPI_processed, 1));
	Slice *slice = NULL;

	*num_slices = 0;
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char *name = fm_query_text(row, 0);
		bool is_null;
		Datum datum;

		if (slice == NULL || (name != NULL && strcmp(name, slice->name) != 0))
		{
			slice = &slices[(*num_slices)++];
			slice->name = name;
			slice->semantic = palloc0(sizeof(FmSemanticCounts *) * Max(columns->n, 1));
		}
		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2, &is_null);
		if (!is_null)
			MergeSketch(slice, ReadSketches(datum));
		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 3, &is_null);
		if (!is_null)
			MergeSemantic(slice, datum);
	}
	return slices;
}

static void
CheckWeight(const FmRowSource *source, const FmStatisticsOptions *options)
{
	FmSourceColumn *weight;

	if (options->weight_feature == NULL)
		return;
	weight = fm_source_need_column(source, options->weight_feature);
	if (weight->is_array || weight->family == FM_FAMILY_STRUCT || weight->family == FM_FAMILY_TEXT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("weight_feature \"%s\" must be a number", weight->name),
						errdetail("It must have exactly one value in each example.")));
}

/*
 * The rows of the relation, read once. SPI is connected; the result is in the context given.
 */
static Slice *
ReadRelation(const FmRowSource *source, const Columns *columns, const char *slices, const FmStatisticsOptions *options,
			 MemoryContext context, int *num_slices)
{
	const char *list;
	const char *rest;
	MemoryContext old;
	Slice *result;

	CheckWeight(source, options);
	list = SelectList(source, columns, slices, options);
	rest = RestOfQuery(source, slices);
	fm_query(fm_has_shards(source) ? fm_query_of_shards(source, list, rest)
								   : psprintf("SELECT %s FROM %s%s", list, source->from, rest));
	old = MemoryContextSwitchTo(context);
	result = ReadSlices(columns, num_slices);
	/* an empty relation gives no row at all where there are slices or shards */
	if (*num_slices == 0)
	{
		result[0].name = slices == NULL ? NULL : pstrdup(FM_ALL_EXAMPLES);
		result[0].semantic = palloc0(sizeof(FmSemanticCounts *) * Max(columns->n, 1));
		*num_slices = 1;
	}
	for (int i = 0; i < *num_slices; i++)
	{
		if (result[i].sketch == NULL || fm_sketch_num_examples(result[i].sketch) == 0)
			result[i].sketch = EmptySketch(columns, options);
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
 * The source as if it had the chosen columns only
 */
static FmRowSource *
SourceOfColumns(const FmRowSource *source, const Columns *columns)
{
	FmRowSource *result = palloc(sizeof(FmRowSource));

	*result = *source;
	result->columns = palloc(sizeof(FmSourceColumn) * Max(columns->n, 1));
	result->num_columns = columns->n;
	for (int i = 0; i < columns->n; i++)
		result->columns[i] = *columns->column[i];
	return result;
}

/*
 * What takes queries of its own, for each data set
 */
static void
AddQueriedStats(const FmRowSource *source, const Columns *columns, const char *slices,
				const FmStatisticsOptions *options, Tfmd__DatasetFeatureStatisticsList *list, MemoryContext context)
{
	/* Citus cannot join shards with the slices of a row */
	if (slices != NULL && fm_has_shards(source))
		source = fm_gathered_source(source);
	for (size_t i = 0; i < list->n_datasets; i++)
	{
		Tfmd__DatasetFeatureStatistics *dataset = list->datasets[i];
		const FmRowSource *rows = slices == NULL ? source : fm_source_of_slice(source, slices, dataset->name);
		const FmRowSource *chosen = SourceOfColumns(rows, columns);

		if (options->schema != NULL)
			fm_add_component_stats(chosen, options->schema, dataset, context);
		if (options->cross_features)
			fm_add_cross_features(chosen, dataset, NULL, -1, context);
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
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
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
	if (options->label_feature != NULL)
		fm_source_need_column(source, options->label_feature);
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
	AddQueriedStats(source, &columns, slices, options, list, context);
	SPI_finish();
	return list;
}
