/*
 * SQL functions: statistics of sketches and relations
 */
#include "fm_core.h"

#include "arguments.h"
#include "catalog/pg_type.h"
#include "message/message_type.h"
#include "sketch/sketch_type.h"
#include "sketch/sketch_value.h"
#include "statistics.h"

PG_FUNCTION_INFO_V1(generate_statistics);
PG_FUNCTION_INFO_V1(feature_statistics_of_sketch);
PG_FUNCTION_INFO_V1(relation_sketch);
PG_FUNCTION_INFO_V1(sketch_num_examples);
PG_FUNCTION_INFO_V1(table_statistics_final);
PG_FUNCTION_INFO_V1(column_statistics_final);

/* The final function of the sketch aggregates, whose state only their file knows */
extern Datum table_sketch_final(PG_FUNCTION_ARGS);

/*
 * Eight arguments from the given one on: how a sketch is turned into statistics
 */
static int
ReadSketchOptions(FunctionCallInfo fcinfo, int n, FmStatisticsOptions *options)
{
	FmError error = {0};

	fm_statistics_options_init(options);
	options->num_top_values = fm_arg_int(fcinfo, n, options->num_top_values);
	options->num_rank_histogram_buckets = fm_arg_int(fcinfo, n + 1, options->num_rank_histogram_buckets);
	options->num_values_histogram_buckets = fm_arg_int(fcinfo, n + 2, options->num_values_histogram_buckets);
	options->num_histogram_buckets = fm_arg_int(fcinfo, n + 3, options->num_histogram_buckets);
	options->num_quantiles_histogram_buckets = fm_arg_int(fcinfo, n + 4, options->num_quantiles_histogram_buckets);
	options->frequency_threshold = fm_arg_int(fcinfo, n + 5, options->frequency_threshold);
	options->weighted_frequency_threshold = fm_arg_float8(fcinfo, n + 6, options->weighted_frequency_threshold);
	if (!PG_ARGISNULL(n + 7))
		options->schema = PG_GETARG_FEATURE_SCHEMA(n + 7);
	if (!fm_statistics_options_check(options, &error))
		fm_throw(&error, NULL);
	return n + 8;
}

/*
 * Three arguments from the given one on: which rows and columns are read
 */
static int
ReadSourceOptions(FunctionCallInfo fcinfo, int n, FmStatisticsOptions *options)
{
	options->weight_feature = fm_arg_text(fcinfo, n);
	options->num_feature_allowlist = fm_arg_texts(fcinfo, n + 1, "feature_allowlist", &options->feature_allowlist);
	options->sample_rate = fm_arg_float8(fcinfo, n + 2, 1);
	return n + 3;
}

/*
 * feature_statistics(sketch, options ...): the statistics of a sketch, as one data set without a name
 *
 * Errors: 22023 an option out of range. NULL sketch: NULL; a NULL option is its default.
 */
Datum
feature_statistics_of_sketch(PG_FUNCTION_ARGS)
{
	FmStatisticsOptions options;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ReadSketchOptions(fcinfo, 1, &options);
	PG_RETURN_MESSAGE(fm_statistics_list(fm_statistics_of_sketch(PG_GETARG_FEATURE_SKETCH(0), &options)));
}

/*
 * generate_statistics(relation, filter, options ...)
 *
 * TFDV's generate_statistics over the rows of a relation that the caller may see. Errors: 42809 a relation without rows,
 * 42601 the filter is not one expression, 42703 no such column, 22023 an option out of range, 22004 a weight is missing.
 * NULL relation: NULL.
 */
Datum
generate_statistics(PG_FUNCTION_ARGS)
{
	FmStatisticsOptions options;
	int n;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	n = ReadSketchOptions(fcinfo, 2, &options);
	n = ReadSourceOptions(fcinfo, n, &options);
	options.label_feature = fm_arg_text(fcinfo, n++);
	options.enable_semantic_domain_stats = fm_arg_bool(fcinfo, n++, false);
	options.slice_functions = fm_arg_jsonb(fcinfo, n++);
	options.num_slice_sqls = fm_arg_texts(fcinfo, n++, "slice_sqls", &options.slice_sqls);
	options.cross_features = fm_arg_bool(fcinfo, n++, false);
	options.mutual_information = fm_arg_bool(fcinfo, n++, false);

	PG_RETURN_MESSAGE(fm_relation_statistics(PG_GETARG_OID(0), fm_arg_text(fcinfo, 1), &options));
}

/*
 * relation_sketch(relation, filter, weight_feature, feature_allowlist, sample_rate): the sketch of the rows
 *
 * Errors as for generate_statistics. NULL relation: NULL.
 */
Datum
relation_sketch(PG_FUNCTION_ARGS)
{
	FmStatisticsOptions options;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	fm_statistics_options_init(&options);
	ReadSourceOptions(fcinfo, 2, &options);
	PG_RETURN_FEATURE_SKETCH(fm_relation_sketch(PG_GETARG_OID(0), fm_arg_text(fcinfo, 1), &options));
}

/*
 * num_examples(sketch) RETURNS bigint
 */
Datum
sketch_num_examples(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) fm_sketch_num_examples(PG_GETARG_FEATURE_SKETCH(0)));
}

/*
 * Statistics of the state of a sketch aggregate; without rows, of the empty sketch
 */
static Datum
FinalStatistics(FunctionCallInfo fcinfo, FmSketch *empty)
{
	FmStatisticsOptions options;
	FmSketch *sketch = PG_ARGISNULL(0) ? empty : fm_datum_get_sketch(table_sketch_final(fcinfo));

	fm_statistics_options_init(&options);
	PG_RETURN_MESSAGE(fm_statistics_list(fm_statistics_of_sketch(sketch, &options)));
}

/*
 * Final function of table_statistics(record [, weight]); of no rows the columns and types are those of the expression
 */
Datum
table_statistics_final(PG_FUNCTION_ARGS)
{
	FmSketch *empty = fm_sketch_new_by_settings(PG_NARGS() > 2);
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);

	if (PG_ARGISNULL(0) && OidIsValid(type) && type != RECORDOID)
		fm_row_open(empty, NULL, type, -1);
	return FinalStatistics(fcinfo, empty);
}

/*
 * Final function of column_statistics(anyelement [, weight])
 */
Datum
column_statistics_final(PG_FUNCTION_ARGS)
{
	FmSketch *empty = fm_sketch_new_by_settings(PG_NARGS() > 2);
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);

	if (PG_ARGISNULL(0) && OidIsValid(type))
		fm_column_open(empty, NULL, "", 0, type);
	return FinalStatistics(fcinfo, empty);
}
