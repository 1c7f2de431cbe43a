/*
 * Mutual information of a label and the features of a schema
 */
#include "cross.h"

#include <math.h>

#include "custom_statistic.h"
#include "message/message.h"
#include "mutual_information.h"
#include "schema/schema.h"
#include "schema_hints.h"

/* Estimates by nearest neighbours look at so many rows, drawn by chance if there are more */
#define MAX_ROWS 100000

#define MISSING_CATEGORY "__missing_category__"

/* A feature or the label */
typedef struct Variable
{
	FmSourceColumn *column;
	bool categorical;
} Variable;

typedef struct Information
{
	double mutual;
	double shuffled; /* of the label in another order, or what is expected of it */
	double max_entropy;
} Information;

/*
 * One value of the column in a row; an array of a univalent feature has one
 */
static char *
ValueExpression(const Variable *variable)
{
	const FmSourceColumn *column = variable->column;
	const char *value = column->reference;

	if (column->is_array)
		value = psprintf("(%s)[pg_catalog.array_upper(%s, 1)]", column->reference, column->reference);
	if (variable->categorical)
		return psprintf("COALESCE((%s)::pg_catalog.text, '" MISSING_CATEGORY "') COLLATE pg_catalog.\"C\"", value);
	if (column->is_array)
		return fm_without_nan(fm_number_of_value(value, column->element));
	return fm_without_nan(fm_number_expression(column));
}

/*
 * The variable, or false for what scikit-learn's estimator cannot take: structs, features that may have several values,
 * features that the schema does not have
 */
static bool
MakeVariable(FmSourceColumn *column, const Tfmd__Schema *schema, Variable *variable)
{
	FmPath path = {1, &column->utf8_name};
	const Tfmd__Feature *feature = fm_schema_find_feature(schema, &path);

	if (feature == NULL || column->family == FM_FAMILY_STRUCT || !fm_is_univalent_feature(feature))
		return false;
	variable->column = column;
	variable->categorical = fm_is_categorical_feature(feature);
	/* text that the schema takes for a number is no number */
	return variable->categorical || column->family != FM_FAMILY_TEXT;
}

/* ---- two categorical variables ---- */

static int
CompareStrings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * The number of each text among the distinct ones
 */
static int *
NumberCategories(char **texts, int n, int *num_categories)
{
	char **sorted = palloc(sizeof(char *) * Max(n, 1));
	int *numbers = palloc(sizeof(int) * Max(n, 1));
	int distinct = 0;

	memcpy(sorted, texts, sizeof(char *) * n);
	qsort(sorted, n, sizeof(char *), CompareStrings);
	for (int i = 0; i < n; i++)
	{
		if (distinct == 0 || strcmp(sorted[distinct - 1], sorted[i]) != 0)
			sorted[distinct++] = sorted[i];
	}
	for (int i = 0; i < n; i++)
		numbers[i] = (char **) bsearch(&texts[i], sorted, distinct, sizeof(char *), CompareStrings) - sorted;
	*num_categories = distinct;
	return numbers;
}

static Information
CategoricalInformation(const FmRowSource *source, const Variable *x, const Variable *y)
{
	Information information;
	FmContingency table = {0};
	char **x_texts;
	char **y_texts;
	int *x_numbers;
	int *y_numbers;

	fm_query(psprintf("SELECT fm_r.x, fm_r.y, pg_catalog.count(*) FROM (SELECT %s AS x, %s AS y FROM %s%s) AS fm_r "
					  "GROUP BY 1, 2",
					  ValueExpression(x), ValueExpression(y), source->from, source->where));
	table.num_pairs = SPI_processed;
	table.pairs = palloc(sizeof(FmPairCount) * Max(table.num_pairs, 1));
	x_texts = palloc(sizeof(char *) * Max(table.num_pairs, 1));
	y_texts = palloc(sizeof(char *) * Max(table.num_pairs, 1));
	for (int i = 0; i < table.num_pairs; i++)
	{
		x_texts[i] = fm_query_text(i, 0);
		y_texts[i] = fm_query_text(i, 1);
		table.pairs[i].count = fm_query_int64(i, 2);
	}
	x_numbers = NumberCategories(x_texts, table.num_pairs, &table.num_x);
	y_numbers = NumberCategories(y_texts, table.num_pairs, &table.num_y);
	for (int i = 0; i < table.num_pairs; i++)
	{
		table.pairs[i].x = x_numbers[i];
		table.pairs[i].y = y_numbers[i];
	}
	fm_contingency_margins(&table);

	information.mutual = fm_mutual_information(&table);
	information.shuffled = fm_expected_mutual_information(&table);
	information.max_entropy =
		Max(fm_entropy(table.x_count, table.num_x, table.total), fm_entropy(table.y_count, table.num_y, table.total));
	return information;
}

/* ---- with a numeric variable ---- */

/*
 * The numbers of a result column; missing ones become ten times the largest, far from all others
 */
static double *
ResultNumbers(int column, int n)
{
	double *values = palloc(sizeof(double) * Max(n, 1));
	double max = -INFINITY;

	for (int i = 0; i < n; i++)
	{
		bool is_null;

		values[i] = fm_query_float8(i, column, &is_null);
		if (is_null)
			values[i] = NAN;
		else
			max = Max(max, values[i]);
	}
	for (int i = 0; i < n; i++)
	{
		if (isnan(values[i]))
			values[i] = isfinite(max) ? max * 10 : (double) PG_INT64_MAX;
		else if (isinf(values[i]))
			values[i] = values[i] > 0 ? 1e300 : -1e300;
	}
	return values;
}

static double *
CopyNumbers(const double *values, int n)
{
	double *copy = palloc(sizeof(double) * Max(n, 1));

	memcpy(copy, values, sizeof(double) * n);
	return copy;
}

static int *
ResultCategories(int column, int n, double *entropy)
{
	char **texts = palloc(sizeof(char *) * Max(n, 1));
	int num_categories;
	int *numbers;
	double *counts;

	for (int i = 0; i < n; i++)
		texts[i] = fm_query_text(i, column);
	numbers = NumberCategories(texts, n, &num_categories);
	counts = palloc0(sizeof(double) * Max(num_categories, 1));
	for (int i = 0; i < n; i++)
		counts[numbers[i]]++;
	*entropy = fm_entropy(counts, num_categories, n);
	return numbers;
}

static Information
NumericInformation(const FmRowSource *source, const Variable *x, const Variable *y)
{
	Information information = {0};
	int n;

	fm_query(psprintf("SELECT %s, %s FROM %s%s ORDER BY pg_catalog.random() LIMIT %d", ValueExpression(x),
					  ValueExpression(y), source->from, source->where, MAX_ROWS));
	n = SPI_processed;

	if (x->categorical || y->categorical)
	{
		double entropy;
		int *categories = ResultCategories(x->categorical ? 0 : 1, n, &entropy);
		double *numbers = ResultNumbers(x->categorical ? 1 : 0, n);

		information.mutual = fm_mutual_information_mixed(CopyNumbers(numbers, n), categories, n);
		fm_shuffle_categories(categories, n);
		information.shuffled = fm_mutual_information_mixed(CopyNumbers(numbers, n), categories, n);
		information.max_entropy =
			Max(entropy, fm_mutual_information_numeric(CopyNumbers(numbers, n), CopyNumbers(numbers, n), n));
	}
	else
	{
		double *xs = ResultNumbers(0, n);
		double *ys = ResultNumbers(1, n);

		information.mutual = fm_mutual_information_numeric(CopyNumbers(xs, n), CopyNumbers(ys, n), n);
		information.max_entropy = Max(fm_mutual_information_numeric(CopyNumbers(xs, n), CopyNumbers(xs, n), n),
									  fm_mutual_information_numeric(CopyNumbers(ys, n), CopyNumbers(ys, n), n));
		fm_shuffle_numbers(ys, n);
		information.shuffled = fm_mutual_information_numeric(xs, ys, n);
	}
	return information;
}

void
fm_add_mutual_information(const FmRowSource *source, const char *label, const Tfmd__Schema *schema,
						  Tfmd__DatasetFeatureStatistics *dataset, MemoryContext context)
{
	Variable y;

	if (!MakeVariable(fm_source_need_column(source, label), schema, &y))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mutual information with the label \"%s\" cannot be computed", label),
						errdetail("It must be a feature of the schema with one value, no struct.")));

	for (int i = 0; i < source->num_columns; i++)
	{
		Variable x;
		Information information;
		MemoryContext old;
		double adjusted;
		double normalized;
		Tfmd__FeatureNameStatistics *feature;

		CHECK_FOR_INTERRUPTS();
		if (strcmp(source->columns[i].name, label) == 0 || !MakeVariable(&source->columns[i], schema, &x))
			continue;

		information = x.categorical && y.categorical ? CategoricalInformation(source, &x, &y)
													 : NumericInformation(source, &x, &y);
		SPI_freetuptable(SPI_tuptable);
		adjusted = information.mutual - information.shuffled;
		normalized = information.max_entropy == information.shuffled
						 ? 0
						 : Min(1, Max(0, adjusted / (information.max_entropy - information.shuffled)));

		old = MemoryContextSwitchTo(context);
		feature = fm_need_feature_statistics(dataset, x.column->utf8_name);
		fm_add_custom_num(feature, "sklearn_adjusted_mutual_information", adjusted);
		fm_add_custom_num(feature, "sklearn_mutual_information", information.mutual);
		fm_add_custom_num(feature, "sklearn_normalized_adjusted_mutual_information", normalized);
		MemoryContextSwitchTo(old);
	}
}
