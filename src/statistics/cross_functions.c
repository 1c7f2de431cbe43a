/*
 * SQL functions: statistics of two columns
 */
#include "cross.h"

#include <math.h>

#include "arguments.h"
#include "catalog/pg_type.h"
#include "message/message_type.h"
#include "slices.h"
#include "statistics.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(cross_feature_statistics);
PG_FUNCTION_INFO_V1(lift_statistics);
PG_FUNCTION_INFO_V1(mutual_information);

static Tfmd__DatasetFeatureStatisticsList *
EmptyList(const char *name)
{
	Tfmd__DatasetFeatureStatistics *dataset = FM_NEW(Tfmd__DatasetFeatureStatistics, tfmd__dataset_feature_statistics);

	if (name != NULL)
		dataset->name = pstrdup(name);
	return fm_statistics_list(dataset);
}

/*
 * cross_feature_statistics(relation, feature_crosses, filter, sample_rate)
 *
 * feature_crosses: an array of pairs of names, or NULL for all pairs of numeric columns. Errors: 22023 not pairs, 42703,
 * 42601 filter, 42809 relation. NULL relation: NULL.
 */
Datum
cross_feature_statistics(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	Tfmd__DatasetFeatureStatisticsList *list;
	char **crosses;
	int num_crosses = fm_arg_texts(fcinfo, 1, "feature_crosses", &crosses);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (num_crosses > 0 && num_crosses % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("feature_crosses must be an array of pairs of names"),
				 errhint("For example: '{{age, fare}, {age, income}}'.")));

	list = EmptyList(NULL);
	SPI_connect();
	fm_add_cross_features(fm_source(PG_GETARG_OID(0), fm_arg_text(fcinfo, 2), fm_arg_float8(fcinfo, 3, 1)),
						  list->datasets[0], crosses, num_crosses < 0 ? -1 : num_crosses / 2, context);
	SPI_finish();
	PG_RETURN_MESSAGE(list);
}

static int
CompareBoundaries(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/*
 * The boundaries sorted, each once
 */
static int
ReadBoundaries(FunctionCallInfo fcinfo, int n, double **boundaries)
{
	Datum *elements;
	bool *nulls;
	int count;
	int distinct = 0;

	*boundaries = NULL;
	if (PG_ARGISNULL(n))
		return 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(n), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements,
					  &nulls, &count);
	*boundaries = palloc(sizeof(double) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i] || isnan(DatumGetFloat8(elements[i])))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("y_boundaries must not contain NULL or NaN")));
		(*boundaries)[i] = DatumGetFloat8(elements[i]);
	}
	qsort(*boundaries, count, sizeof(double), CompareBoundaries);
	for (int i = 0; i < count; i++)
	{
		if (distinct == 0 || (*boundaries)[distinct - 1] != (*boundaries)[i])
			(*boundaries)[distinct++] = (*boundaries)[i];
	}
	return distinct;
}

/*
 * lift_statistics(relation, y_path, x_paths, schema, y_boundaries, min_x_count, top_k_per_y, bottom_k_per_y,
 *                 weight_feature, output_custom_stats, slice_functions, slice_sqls, filter, sample_rate)
 *
 * The arguments of TFDV's LiftStatsGenerator. Errors: 22023 neither x_paths nor schema, boundaries that do not fit the
 * label, a column that is not categorical; 42703. NULL relation or y_path: NULL.
 */
Datum
lift_statistics(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	Tfmd__DatasetFeatureStatisticsList *list;
	FmStatisticsOptions options;
	FmLiftOptions lift = {0};
	FmRowSource *source;
	char *slices;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();

	fm_statistics_options_init(&options);
	options.slice_functions = fm_arg_jsonb(fcinfo, 10);
	options.num_slice_sqls = fm_arg_texts(fcinfo, 11, "slice_sqls", &options.slice_sqls);

	lift.y = fm_arg_text(fcinfo, 1);
	lift.num_x = fm_arg_texts(fcinfo, 2, "x_paths", &lift.x);
	lift.num_y_boundaries = ReadBoundaries(fcinfo, 4, &lift.y_boundaries);
	lift.min_x_count = fm_arg_int(fcinfo, 5, 0);
	lift.top_k_per_y = Max(fm_arg_int(fcinfo, 6, 0), 0);
	lift.bottom_k_per_y = Max(fm_arg_int(fcinfo, 7, 0), 0);
	lift.weight = fm_arg_text(fcinfo, 8);
	lift.output_custom_stats = fm_arg_bool(fcinfo, 9, false);
	if (lift.num_x < 0 && PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("either schema or x_paths must be given")));

	SPI_connect();
	source = fm_source(PG_GETARG_OID(0), fm_arg_text(fcinfo, 12), fm_arg_float8(fcinfo, 13, 1));
	if (lift.num_x < 0)
		lift.x = fm_lift_columns(source, PG_GETARG_FEATURE_SCHEMA(3), lift.y, &lift.num_x);
	slices = fm_slices_subquery(source, &options);

	MemoryContextSwitchTo(context);
	list = EmptyList(slices != NULL ? FM_ALL_EXAMPLES : NULL);
	fm_add_lift(source, slices, &lift, list, context);
	SPI_finish();
	PG_RETURN_MESSAGE(list);
}

/*
 * mutual_information(relation, label_feature, schema, filter, sample_rate)
 *
 * Of categorical columns exact, and adjusted by its expectation under permutations of the label; of numeric ones
 * estimated from their three nearest neighbours among at most 100,000 rows. Errors: 22023, 42703. A NULL among the first
 * three arguments: NULL.
 */
Datum
mutual_information(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	Tfmd__DatasetFeatureStatisticsList *list;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();

	list = EmptyList(NULL);
	SPI_connect();
	fm_add_mutual_information(fm_source(PG_GETARG_OID(0), fm_arg_text(fcinfo, 3), fm_arg_float8(fcinfo, 4, 1)),
							  fm_arg_text(fcinfo, 1), PG_GETARG_FEATURE_SCHEMA(2), list->datasets[0], context);
	SPI_finish();
	PG_RETURN_MESSAGE(list);
}
