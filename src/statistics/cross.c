/*
 * Covariance and correlation of pairs of numeric columns
 */
#include "cross.h"

#include <math.h>

#include "custom_statistic.h"
#include "message/message.h"

/* So many pairs are computed by one query: three columns each, and a SELECT list has at most 1664 */
#define PAIRS_A_QUERY 400

typedef struct Pair
{
	FmSourceColumn *x;
	FmSourceColumn *y;
} Pair;

/*
 * A column as a cross sees it: one number a row, NaN is missing
 */
static void
AppendNumber(StringInfo query, const FmSourceColumn *column)
{
	appendStringInfoString(query, fm_without_nan(fm_number_expression(column)));
}

static bool
IsNumeric(const FmSourceColumn *column)
{
	return column->family == FM_FAMILY_INT || column->family == FM_FAMILY_FLOAT || column->family == FM_FAMILY_TIME;
}

static int
CompareColumns(const void *a, const void *b)
{
	return strcmp((*(FmSourceColumn *const *) a)->name, (*(FmSourceColumn *const *) b)->name);
}

/*
 * The numeric columns that have one value in some row, in ascending order of their names
 */
static FmSourceColumn **
NumericColumns(const FmRowSource *source, int *num_columns)
{
	FmSourceColumn **columns = palloc(sizeof(FmSourceColumn *) * Max(source->num_columns, 1));
	StringInfoData query;
	int num_numeric = 0;
	int num_kept = 0;

	*num_columns = 0;
	initStringInfo(&query);
	for (int i = 0; i < source->num_columns; i++)
	{
		if (!IsNumeric(&source->columns[i]))
			continue;
		appendStringInfo(&query, "%spg_catalog.count(%s)", num_numeric > 0 ? ", " : "SELECT ",
						 fm_number_expression(&source->columns[i]));
		columns[num_numeric++] = &source->columns[i];
	}
	if (num_numeric == 0)
		return columns;

	appendStringInfo(&query, " FROM %s%s", source->from, source->where);
	fm_query(query.data);
	for (int i = 0; i < num_numeric; i++)
	{
		if (fm_query_int64(0, i) > 0)
			columns[num_kept++] = columns[i];
	}
	qsort(columns, num_kept, sizeof(FmSourceColumn *), CompareColumns);
	*num_columns = num_kept;
	return columns;
}

/* Of the rows where both have a number */
typedef struct Figures
{
	uint64 count;
	double covariance; /* 0 if there are no rows */
	bool has_correlation;
	double correlation;
} Figures;

static Tfmd__CrossFeatureStatistics *
MakeCross(const Pair *pair, const Figures *figures)
{
	Tfmd__CrossFeatureStatistics *cross = FM_NEW(Tfmd__CrossFeatureStatistics, tfmd__cross_feature_statistics);

	cross->path_x = fm_make_path(&pair->x->utf8_name, 1);
	cross->path_y = fm_make_path(&pair->y->utf8_name, 1);
	cross->count = figures->count;
	if (figures->count > 0)
	{
		cross->cross_stats_case = TFMD__CROSS_FEATURE_STATISTICS__CROSS_STATS_NUM_CROSS_STATS;
		cross->num_cross_stats = FM_NEW(Tfmd__NumericCrossStatistics, tfmd__numeric_cross_statistics);
		cross->num_cross_stats->covariance = figures->covariance;
		if (figures->has_correlation)
			cross->num_cross_stats->correlation = figures->correlation;
	}
	return cross;
}

/*
 * The columns as c0, c1, ... of fm_s
 */
static void
AppendFrom(StringInfo query, const FmRowSource *source, FmSourceColumn **columns, int num_columns)
{
	appendStringInfoString(query, " FROM (SELECT ");
	for (int i = 0; i < num_columns; i++)
	{
		appendStringInfoString(query, i > 0 ? ", " : "");
		AppendNumber(query, columns[i]);
		appendStringInfo(query, " AS c%d", i);
	}
	appendStringInfo(query, " FROM %s%s) AS fm_s", source->from, source->where);
}

/*
 * Covariance where one of the columns has an infinity, so that covar_pop is NaN: what E[xy] - E[x] E[y] comes to in
 * floating point, as TFDV computes it. A product that is NaN (infinity times 0) is left out of E[xy], as pandas does;
 * the finite products can't matter beside an infinity.
 */
static double
InfiniteCovariance(const FmRowSource *source, const Pair *pair, uint64 count)
{
	FmSourceColumn *columns[] = {pair->x, pair->y};
	StringInfoData query;
	double sums[3];
	bool is_null;

	initStringInfo(&query);
	appendStringInfoString(&query,
						   "SELECT pg_catalog.sum(fm_s.c0), pg_catalog.sum(fm_s.c1), "
						   "pg_catalog.sum(NULLIF(fm_s.c0 OPERATOR(pg_catalog.*) fm_s.c1, 'NaN'::pg_catalog.float8)) "
						   "FILTER (WHERE 'Infinity'::pg_catalog.float8 OPERATOR(pg_catalog.=) "
						   "ANY (ARRAY[pg_catalog.abs(fm_s.c0), pg_catalog.abs(fm_s.c1)]))");
	AppendFrom(&query, source, columns, 2);
	appendStringInfoString(&query, " WHERE fm_s.c0 IS NOT NULL AND fm_s.c1 IS NOT NULL");
	fm_query(query.data);
	for (int i = 0; i < 3; i++)
		sums[i] = fm_query_float8(0, i, &is_null) / (double) count;
	return sums[2] - sums[0] * sums[1];
}

/*
 * The figures of some pairs, by one query
 */
static void
AddPairs(const FmRowSource *source, Tfmd__DatasetFeatureStatistics *dataset, const Pair *pairs, int num_pairs,
		 FmSourceColumn **columns, int num_columns, MemoryContext context)
{
	StringInfoData query;
	Figures *figures;

	initStringInfo(&query);
	for (int i = 0; i < num_pairs; i++)
	{
		int x = 0;
		int y = 0;

		for (int j = 0; j < num_columns; j++)
		{
			if (columns[j] == pairs[i].x)
				x = j;
			if (columns[j] == pairs[i].y)
				y = j;
		}
		appendStringInfo(&query,
						 "%spg_catalog.regr_count(fm_s.c%d, fm_s.c%d), pg_catalog.covar_pop(fm_s.c%d, fm_s.c%d), "
						 "pg_catalog.corr(fm_s.c%d, fm_s.c%d)",
						 i > 0 ? ", " : "SELECT ", x, y, x, y, x, y);
	}
	AppendFrom(&query, source, columns, num_columns);
	fm_query(query.data);

	figures = palloc(sizeof(Figures) * num_pairs);
	for (int i = 0; i < num_pairs; i++)
	{
		bool is_null;

		figures[i].count = fm_query_int64(0, 3 * i);
		figures[i].covariance = fm_query_float8(0, 3 * i + 1, &is_null);
		figures[i].correlation = fm_query_float8(0, 3 * i + 2, &is_null);
		/* with infinite values there is no deviation, hence no correlation */
		figures[i].has_correlation = !is_null && !isnan(figures[i].correlation);
	}
	for (int i = 0; i < num_pairs; i++)
	{
		MemoryContext old;

		if (isnan(figures[i].covariance))
			figures[i].covariance = InfiniteCovariance(source, &pairs[i], figures[i].count);
		old = MemoryContextSwitchTo(context);
		FM_APPEND(dataset->n_cross_features, dataset->cross_features, MakeCross(&pairs[i], &figures[i]));
		MemoryContextSwitchTo(old);
	}
}

/*
 * A pair asked for, or false with a warning
 */
static bool
FindPair(const FmRowSource *source, char **names, FmSourceColumn **columns, int num_columns, Pair *pair)
{
	pair->x = pair->y = NULL;
	for (int i = 0; i < num_columns; i++)
	{
		if (strcmp(columns[i]->name, names[0]) == 0)
			pair->x = columns[i];
		if (strcmp(columns[i]->name, names[1]) == 0)
			pair->y = columns[i];
	}
	if (pair->x != NULL && pair->y != NULL && strcmp(names[0], names[1]) < 0)
		return true;

	ereport(WARNING, (errmsg("skipping the cross of \"%s\" and \"%s\"", names[0], names[1]),
					  errdetail("Both must be numeric columns with a value, in ascending order of their names.")));
	return false;
}

void
fm_add_cross_features(const FmRowSource *source, Tfmd__DatasetFeatureStatistics *dataset, char **crosses,
					  int num_crosses, MemoryContext context)
{
	int num_columns;
	FmSourceColumn **columns = NumericColumns(source, &num_columns);
	int max_pairs = num_crosses >= 0 ? num_crosses : num_columns * (num_columns - 1) / 2;
	Pair *pairs = palloc(sizeof(Pair) * Max(max_pairs, 1));
	int num_pairs = 0;

	if (num_crosses >= 0)
	{
		for (int i = 0; i < num_crosses; i++)
			num_pairs += FindPair(source, &crosses[2 * i], columns, num_columns, &pairs[num_pairs]);
	}
	else
	{
		for (int i = 0; i < num_columns; i++)
		{
			for (int j = i + 1; j < num_columns; j++)
				pairs[num_pairs++] = (Pair){columns[i], columns[j]};
		}
	}

	for (int i = 0; i < num_pairs; i += PAIRS_A_QUERY)
		AddPairs(source, dataset, &pairs[i], Min(PAIRS_A_QUERY, num_pairs - i), columns, num_columns, context);
}

Tfmd__FeatureNameStatistics *
fm_need_feature_statistics(Tfmd__DatasetFeatureStatistics *dataset, const char *name)
{
	Tfmd__FeatureNameStatistics *feature;

	for (size_t i = 0; i < dataset->n_features; i++)
	{
		feature = dataset->features[i];
		if (feature->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH && feature->path->n_step == 1 &&
			strcmp(feature->path->step[0], name) == 0)
			return feature;
	}
	feature = FM_NEW(Tfmd__FeatureNameStatistics, tfmd__feature_name_statistics);
	feature->field_id_case = TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH;
	feature->path = fm_make_path((char *const *) &name, 1);
	FM_APPEND(dataset->n_features, dataset->features, feature);
	return feature;
}
