/*
 * Lift: how much more often a label has a value where a feature has one
 */
#include "cross.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "custom_statistic.h"
#include "message/message.h"
#include "schema_hints.h"
#include "slices.h"
#include "utils/builtins.h"

typedef struct LiftValue
{
	char *text;	  /* of x */
	int64 number; /* of x, if it is an integer */
	double lift;
	double x_count;
	double xy_count;
	bool kept;
} LiftValue;

/*
 * A column as the set of its values in a row: an array without NULL, of bigint or of text in byte order. y may be
 * numeric with boundaries: then the number of its bin.
 */
static char *
ValuesArray(const FmSourceColumn *column, const FmLiftOptions *options, bool is_y)
{
	char *array = column->is_array ? column->reference : psprintf("ARRAY[%s]", column->reference);

	if (is_y && options->num_y_boundaries > 0)
	{
		StringInfoData bin;

		/* bin b holds what is at or above boundary b - 1 and below boundary b; NaN is in none */
		initStringInfo(&bin);
		for (int i = 0; i < options->num_y_boundaries; i++)
			appendStringInfo(&bin, "%s'%s'::pg_catalog.float8", i > 0 ? ", " : "",
							 DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(options->y_boundaries[i]))));
		return psprintf("ARRAY(SELECT pg_catalog.width_bucket(n.v, ARRAY[%s])::pg_catalog.int8 "
						"FROM (SELECT %s AS v FROM pg_catalog.unnest(%s) AS u(v)) AS n "
						"WHERE n.v OPERATOR(pg_catalog.<>) 'NaN'::pg_catalog.float8)",
						bin.data, fm_number_of_value("u.v", column->element), array);
	}
	if (column->family == FM_FAMILY_INT)
		return psprintf("(%s)%s::pg_catalog.int8[]", array, column->element == BOOLOID ? "::pg_catalog.int4[]" : "");
	return psprintf("(%s)::pg_catalog.text[]", array);
}

static bool
IsInteger(const FmSourceColumn *column)
{
	return column->family == FM_FAMILY_INT;
}

/*
 * One query: for every slice, y and x that occur, how many rows have y, x, and both; and their weights
 *
 * The columns are: slice, y, rows and weight with y, x, rows and weight with x, rows and weight with both, rows and
 * weight of the slice. Ordered by slice and y.
 */
static char *
CountsQuery(const FmRowSource *source, const char *slices, const FmSourceColumn *y, const FmSourceColumn *x,
			const FmLiftOptions *options)
{
	StringInfoData query;
	const char *weight = options->weight == NULL ? "1::pg_catalog.float8"
												 : fm_number_expression(fm_source_need_column(source, options->weight));
	const char *y_collate = IsInteger(y) || options->num_y_boundaries > 0 ? "" : " COLLATE pg_catalog.\"C\"";
	const char *x_collate = IsInteger(x) ? "" : " COLLATE pg_catalog.\"C\"";
	const char *sums = "pg_catalog.count(*) AS n, COALESCE(pg_catalog.sum(r.w), 0) AS w";

	initStringInfo(&query);
	appendStringInfo(&query, "WITH r AS MATERIALIZED (SELECT %s AS s, %s AS ys, %s AS xs, %s AS w FROM %s",
					 slices == NULL ? "''::pg_catalog.text" : "fm_slices.fm_slice", ValuesArray(y, options, true),
					 ValuesArray(x, options, false), weight, source->from);
	if (slices != NULL)
		appendStringInfo(&query, " CROSS JOIN LATERAL (%s) AS fm_slices(fm_slice)", slices);
	appendStringInfo(&query,
					 "%s), n AS (SELECT r.s, %s FROM r GROUP BY 1), "
					 "yc AS (SELECT r.s, u.v, %s FROM r, LATERAL (SELECT DISTINCT a.v%s AS v FROM "
					 "pg_catalog.unnest(r.ys) AS a(v) WHERE a.v IS NOT NULL) AS u GROUP BY 1, 2), "
					 "xc AS (SELECT r.s, u.v, %s FROM r, LATERAL (SELECT DISTINCT a.v%s AS v FROM "
					 "pg_catalog.unnest(r.xs) AS a(v) WHERE a.v IS NOT NULL) AS u GROUP BY 1, 2), ",
					 source->where, sums, sums, y_collate, sums, x_collate);
	appendStringInfo(&query,
					 "xy AS (SELECT r.s, yu.v AS y, xu.v AS x, %s FROM r, "
					 "LATERAL (SELECT DISTINCT a.v%s AS v FROM pg_catalog.unnest(r.ys) AS a(v) WHERE a.v IS NOT NULL) "
					 "AS yu, LATERAL (SELECT DISTINCT a.v%s AS v FROM pg_catalog.unnest(r.xs) AS a(v) "
					 "WHERE a.v IS NOT NULL) AS xu GROUP BY 1, 2, 3) ",
					 sums, y_collate, x_collate);
	appendStringInfoString(
		&query, "SELECT n.s, yc.v, yc.n::pg_catalog.float8, yc.w, xc.v, xc.n::pg_catalog.float8, xc.w, "
				"COALESCE(xy.n, 0)::pg_catalog.float8, COALESCE(xy.w, 0), n.n::pg_catalog.float8, n.w FROM n "
				"JOIN yc ON yc.s OPERATOR(pg_catalog.=) n.s JOIN xc ON xc.s OPERATOR(pg_catalog.=) n.s "
				"LEFT JOIN xy ON xy.s OPERATOR(pg_catalog.=) n.s AND xy.y OPERATOR(pg_catalog.=) yc.v "
				"AND xy.x OPERATOR(pg_catalog.=) xc.v ORDER BY 1, 2, 5");
	return query.data;
}

/* lift descending, x ascending; integers by value */
static int
CompareLift(const void *a, const void *b)
{
	const LiftValue *x = a;
	const LiftValue *y = b;

	if (x->lift != y->lift)
		return x->lift > y->lift ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* lift and x descending, which is the order in which the top and bottom are cut */
static int
CompareLiftForCut(const void *a, const void *b)
{
	const LiftValue *x = a;
	const LiftValue *y = b;

	return x->lift != y->lift ? CompareLift(a, b) : -CompareLift(a, b);
}

/*
 * Marks the k largest and the k smallest by lift, then sorts for output
 */
static void
CutAndSort(LiftValue *values, int n, int top_k, int bottom_k)
{
	qsort(values, n, sizeof(LiftValue), CompareLiftForCut);
	for (int i = 0; i < n; i++)
		values[i].kept = (top_k == 0 && bottom_k == 0) || i < top_k || i >= n - bottom_k;
	qsort(values, n, sizeof(LiftValue), CompareLift);
}

static int32
Int32OfLabel(int64 number, const char *name)
{
	if (number < PG_INT32_MIN || number > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("value " INT64_FORMAT " of \"%s\" does not fit into a lift statistic", number, name),
						errdetail("Integers there have 32 bits.")));
	return (int32) number;
}

/*
 * The lift series of one y: its values in order
 */
static Tfmd__LiftSeries *
MakeSeries(const FmSourceColumn *y, const FmSourceColumn *x, const char *y_text, double y_count, LiftValue *values,
		   int n, bool weighted, const FmLiftOptions *options, Tfmd__FeatureNameStatistics *feature)
{
	Tfmd__LiftSeries *series = FM_NEW(Tfmd__LiftSeries, tfmd__lift_series);
	Tfmd__RankHistogram *histogram = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
	char *y_label = pstrdup(y_text);

	if (options->num_y_boundaries > 0)
	{
		int bin = atoi(y_text);
		Tfmd__LiftSeries__Bucket *bucket = FM_NEW(Tfmd__LiftSeries__Bucket, tfmd__lift_series__bucket);

		bucket->low_value = bin == 0 ? -INFINITY : options->y_boundaries[bin - 1];
		bucket->high_value = bin == options->num_y_boundaries ? INFINITY : options->y_boundaries[bin];
		series->y_value_case = TFMD__LIFT_SERIES__Y_VALUE_Y_BUCKET;
		series->y_bucket = bucket;
		y_label = psprintf("[%s,%s%c", fm_python_float(bucket->low_value), fm_python_float(bucket->high_value),
						   isinf(bucket->high_value) ? ']' : ')');
	}
	else if (IsInteger(y))
	{
		series->y_value_case = TFMD__LIFT_SERIES__Y_VALUE_Y_INT;
		series->y_int = Int32OfLabel(strtoi64(y_text, NULL, 10), y->name);
	}
	else
	{
		series->y_value_case = TFMD__LIFT_SERIES__Y_VALUE_Y_STRING;
		series->y_string = pstrdup(y_text);
	}
	if (weighted)
	{
		series->y_count_value_case = TFMD__LIFT_SERIES__Y_COUNT_VALUE_WEIGHTED_Y_COUNT;
		series->weighted_y_count = y_count;
	}
	else
	{
		series->y_count_value_case = TFMD__LIFT_SERIES__Y_COUNT_VALUE_Y_COUNT;
		series->y_count = (uint64) y_count;
	}

	CutAndSort(values, n, options->top_k_per_y, options->bottom_k_per_y);
	for (int i = 0; i < n; i++)
	{
		Tfmd__LiftSeries__LiftValue *value;

		if (!values[i].kept)
			continue;
		value = FM_NEW(Tfmd__LiftSeries__LiftValue, tfmd__lift_series__lift_value);
		if (IsInteger(x))
		{
			value->x_value_case = TFMD__LIFT_SERIES__LIFT_VALUE__X_VALUE_X_INT;
			value->x_int = Int32OfLabel(values[i].number, x->name);
		}
		else
		{
			value->x_value_case = TFMD__LIFT_SERIES__LIFT_VALUE__X_VALUE_X_STRING;
			value->x_string = pstrdup(values[i].text);
		}
		value->lift = values[i].lift;
		if (weighted)
		{
			value->x_count_value_case = TFMD__LIFT_SERIES__LIFT_VALUE__X_COUNT_VALUE_WEIGHTED_X_COUNT;
			value->weighted_x_count = values[i].x_count;
			value->x_and_y_count_value_case = TFMD__LIFT_SERIES__LIFT_VALUE__X_AND_Y_COUNT_VALUE_WEIGHTED_X_AND_Y_COUNT;
			value->weighted_x_and_y_count = values[i].xy_count;
		}
		else
		{
			value->x_count_value_case = TFMD__LIFT_SERIES__LIFT_VALUE__X_COUNT_VALUE_X_COUNT;
			value->x_count = (uint64) values[i].x_count;
			value->x_and_y_count_value_case = TFMD__LIFT_SERIES__LIFT_VALUE__X_AND_Y_COUNT_VALUE_X_AND_Y_COUNT;
			value->x_and_y_count = (uint64) values[i].xy_count;
		}
		FM_APPEND(series->n_lift_values, series->lift_values, value);
		fm_add_rank_bucket(histogram, values[i].text, values[i].lift);
	}
	if (feature != NULL)
		fm_add_custom_rank_histogram(feature, psprintf("Lift (Y=%s)", y_label), histogram);
	return series;
}

/*
 * The data set of a slice; a new one where the list has none
 */
static Tfmd__DatasetFeatureStatistics *
NeedDataset(Tfmd__DatasetFeatureStatisticsList *list, const char *name)
{
	Tfmd__DatasetFeatureStatistics *dataset;

	for (size_t i = 0; i < list->n_datasets; i++)
	{
		if (strcmp(list->datasets[i]->name, name) == 0)
			return list->datasets[i];
	}
	dataset = FM_NEW(Tfmd__DatasetFeatureStatistics, tfmd__dataset_feature_statistics);
	dataset->name = pstrdup(name);
	FM_APPEND(list->n_datasets, list->datasets, dataset);
	return dataset;
}

/*
 * The cross of x and y in a data set: the series by weight come after those by rows in the same one
 */
static Tfmd__CrossFeatureStatistics *
NeedLiftCross(Tfmd__DatasetFeatureStatistics *dataset, const FmSourceColumn *y, const FmSourceColumn *x)
{
	Tfmd__CrossFeatureStatistics *cross;

	for (size_t i = 0; i < dataset->n_cross_features; i++)
	{
		cross = dataset->cross_features[i];
		if (cross->cross_stats_case == TFMD__CROSS_FEATURE_STATISTICS__CROSS_STATS_CATEGORICAL_CROSS_STATS &&
			strcmp(cross->path_x->step[0], x->utf8_name) == 0 && strcmp(cross->path_y->step[0], y->utf8_name) == 0)
			return cross;
	}
	cross = FM_NEW(Tfmd__CrossFeatureStatistics, tfmd__cross_feature_statistics);
	cross->path_x = fm_make_path(&x->utf8_name, 1);
	cross->path_y = fm_make_path(&y->utf8_name, 1);
	cross->cross_stats_case = TFMD__CROSS_FEATURE_STATISTICS__CROSS_STATS_CATEGORICAL_CROSS_STATS;
	cross->categorical_cross_stats = FM_NEW(Tfmd__CategoricalCrossStatistics, tfmd__categorical_cross_statistics);
	cross->categorical_cross_stats->lift = FM_NEW(Tfmd__LiftStatistics, tfmd__lift_statistics);
	FM_APPEND(dataset->n_cross_features, dataset->cross_features, cross);
	return cross;
}

/*
 * The result of the last counts query as cross features, by rows or by weight
 */
static void
AddLiftOfColumn(const FmSourceColumn *y, const FmSourceColumn *x, bool weighted, const FmLiftOptions *options,
				Tfmd__DatasetFeatureStatisticsList *list)
{
	LiftValue *values = palloc(sizeof(LiftValue) * Max(SPI_processed, 1));
	Tfmd__CrossFeatureStatistics *cross = NULL;
	Tfmd__DatasetFeatureStatistics *dataset = NULL;
	char *slice = NULL;

	for (uint64 first = 0, end; first < SPI_processed; first = end)
	{
		char *y_text = fm_query_text(first, 1);
		char *name = fm_query_text(first, 0);
		bool is_null;
		double y_count = fm_query_float8(first, weighted ? 3 : 2, &is_null);
		double total = fm_query_float8(first, weighted ? 10 : 9, &is_null);
		int n = 0;

		CHECK_FOR_INTERRUPTS();
		for (end = first; end < SPI_processed; end++)
		{
			double x_count = fm_query_float8(end, weighted ? 6 : 5, &is_null);
			LiftValue *value = &values[n];

			if (strcmp(fm_query_text(end, 1), y_text) != 0 || strcmp(fm_query_text(end, 0), name) != 0)
				break;
			if (!(x_count > options->min_x_count) || x_count == 0)
				continue;
			value->text = fm_query_text(end, 4);
			value->number = IsInteger(x) ? strtoi64(value->text, NULL, 10) : 0;
			value->x_count = x_count;
			value->xy_count = fm_query_float8(end, weighted ? 8 : 7, &is_null);
			value->lift = (value->xy_count / x_count) / (y_count / total);
			n++;
		}
		if (n == 0)
			continue;

		if (slice == NULL || strcmp(slice, name) != 0)
		{
			slice = name;
			dataset = NeedDataset(list, name);
			cross = NeedLiftCross(dataset, y, x);
		}
		FM_APPEND(
			cross->categorical_cross_stats->lift->n_lift_series, cross->categorical_cross_stats->lift->lift_series,
			MakeSeries(y, x, y_text, y_count, values, n, weighted, options,
					   options->output_custom_stats && !weighted ? fm_need_feature_statistics(dataset, x->utf8_name)
																 : NULL));
	}
}

void
fm_add_lift(const FmRowSource *source, const char *slices, const FmLiftOptions *options,
			Tfmd__DatasetFeatureStatisticsList *list, MemoryContext context)
{
	FmSourceColumn *y = fm_source_need_column(source, options->y);

	if (options->num_y_boundaries > 0 && y->family != FM_FAMILY_INT && y->family != FM_FAMILY_FLOAT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("y_boundaries can be given for a numeric label only, not for \"%s\"", y->name)));
	if (options->num_y_boundaries == 0 && y->family == FM_FAMILY_FLOAT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("lift with the label \"%s\", which is not categorical, needs y_boundaries", y->name)));
	if (y->family == FM_FAMILY_STRUCT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("label \"%s\" is a struct", y->name)));

	for (int i = 0; i < options->num_x; i++)
	{
		FmSourceColumn *x = fm_source_need_column(source, options->x[i]);
		MemoryContext old;

		if (x->family == FM_FAMILY_FLOAT || x->family == FM_FAMILY_STRUCT)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("lift of feature \"%s\", which is not categorical, cannot be computed", x->name)));

		fm_query(CountsQuery(source, slices, y, x, options));
		old = MemoryContextSwitchTo(context);
		AddLiftOfColumn(y, x, false, options, list);
		if (options->weight != NULL)
			AddLiftOfColumn(y, x, true, options, list);
		MemoryContextSwitchTo(old);
		SPI_freetuptable(SPI_tuptable);
	}
}

char **
fm_lift_columns(const FmRowSource *source, const Tfmd__Schema *schema, const char *label, int *num_x)
{
	char **x = palloc(sizeof(char *) * Max(schema->n_feature, 1));

	*num_x = 0;
	for (size_t i = 0; i < schema->n_feature; i++)
	{
		const Tfmd__Feature *feature = schema->feature[i];
		const FmSourceColumn *column = fm_source_column(source, feature->name);

		if (column == NULL || strcmp(feature->name, label) == 0 || !fm_is_categorical_feature(feature) ||
			column->family == FM_FAMILY_FLOAT || column->family == FM_FAMILY_STRUCT)
			continue;
		x[(*num_x)++] = pstrdup(feature->name);
	}
	return x;
}
