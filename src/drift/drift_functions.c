/*
 * Distances in SQL: aggregates over rows, functions of two sketches or of two statistics, and the report
 *
 * An aggregate's state is a column sketch a side, so it is small, mergeable and exact up to DRIFT_EXACT_VALUES distinct values
 * a side; what is further bounded (text by bytes) is in sketch.h.
 */
#include "fm_core.h"
#include "fm_aggregate.h"
#include "fm_compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "drift/drift_functions.h"
#include "message/message_type.h"
#include "schema/nearest.h"
#include "schema/schema.h"
#include "sketch/sketch_type.h"
#include "sketch/sketch_value.h"
#include "statistics/source.h"

#include <math.h>

/* Distances are asked of one column: it may keep more distinct values than one among hundreds */
#define DRIFT_EXACT_VALUES 100000
#define MAX_BINS 10000

/* ------------------------------------------------------------------------------------------------ options */

static void
bad_option(const char *name, const char *wanted)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" must be %s", name, wanted)));
}

static bool
option_boolean(const char *name, const JsonbValue *value)
{
	if (value->type != jbvBool)
		bad_option(name, "true or false");
	return value->val.boolean;
}

static double
option_number(const char *name, const JsonbValue *value, double low, double high, const char *wanted)
{
	double number = 0;

	if (value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	if (value->type != jbvNumeric || !(number >= low && number <= high))
		bad_option(name, wanted);
	return number;
}

static bool
option_is(const JsonbValue *value, const char *word)
{
	return value->type == jbvString && value->val.string.len == (int) strlen(word) &&
		   pg_strncasecmp(value->val.string.val, word, value->val.string.len) == 0;
}

/*
 * {"null_is_category": bool, "unseen_is_category": bool, "binning": "values" | "quantile" | "equal_width" | "doane", "bins": n, "zero_share": x, "distance": bool,
 *  "base": 2 | "e", "histogram": "STANDARD" | "QUANTILES", "scale": "none" | "reference_std"}
 */
FmDriftOptions
fm_drift_read_options(Jsonb *jsonb)
{
	static const char *const known[] = {"null_is_category",
										"unseen_is_category",
										"binning",
										"bins",
										"zero_share",
										"distance",
										"base",
										"histogram",
										"scale"};
	FmDriftOptions options;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	char *name = NULL;

	fm_drift_options_init(&options);
	if (jsonb == NULL)
		return options;
	if (!JB_ROOT_IS_OBJECT(jsonb))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options must be a JSON object")));
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		if (strcmp(name, "null_is_category") == 0)
			options.null_is_category = option_boolean(name, &value);
		else if (strcmp(name, "unseen_is_category") == 0)
			options.unseen_is_category = option_boolean(name, &value);
		else if (strcmp(name, "distance") == 0)
			options.distance = option_boolean(name, &value);
		else if (strcmp(name, "bins") == 0)
			options.bins = (int) option_number(name, &value, 2, MAX_BINS, "a number from 2 to 10000");
		else if (strcmp(name, "zero_share") == 0)
			options.zero_share = option_number(name, &value, 0, 1, "a number from 0 to 1");
		else if (strcmp(name, "binning") == 0)
		{
			if (option_is(&value, "values"))
				options.binning = FM_BIN_VALUES;
			else if (option_is(&value, "quantile"))
				options.binning = FM_BIN_QUANTILE;
			else if (option_is(&value, "equal_width"))
				options.binning = FM_BIN_EQUAL_WIDTH;
			else if (option_is(&value, "doane"))
				options.binning = FM_BIN_DOANE;
			else
				bad_option(name, "values, quantile, equal_width or doane");
		}
		else if (strcmp(name, "base") == 0)
		{
			if (option_is(&value, "e"))
				options.base_e = true;
			else if (option_number(name, &value, 2, 2, "2 or \"e\"") == 2)
				options.base_2 = true;
		}
		else if (strcmp(name, "histogram") == 0)
		{
			if (!option_is(&value, "STANDARD") && !option_is(&value, "QUANTILES"))
				bad_option(name, "STANDARD or QUANTILES");
			options.quantiles = option_is(&value, "QUANTILES");
		}
		else if (strcmp(name, "scale") == 0)
		{
			if (!option_is(&value, "none") && !option_is(&value, "reference_std"))
				bad_option(name, "none or reference_std");
			options.scale_by_deviation = option_is(&value, "reference_std");
		}
		else
		{
			FmNearest nearest;

			fm_nearest_init(&nearest, name);
			for (int i = 0; i < (int) lengthof(known); i++)
				fm_nearest_offer(&nearest, known[i]);
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("option \"%s\" is not known", name),
					 fm_nearest_get(&nearest) ? errhint("Perhaps you meant \"%s\".", fm_nearest_get(&nearest)) : 0));
		}
	}
	return options;
}

/* ------------------------------------------------------------------------------------------------ results */

/*
 * A result as the metric's SQL type: double precision, or (statistic, p_value), or (statistic, degrees_of_freedom, p_value)
 */
static Datum
result_datum(FunctionCallInfo fcinfo, FmMetric metric, const FmDriftResult *result)
{
	TupleDesc desc;
	Datum values[3];
	bool nulls[3] = {false};
	int n = 0;

	if (!result->defined)
	{
		fcinfo->isnull = true;
		return (Datum) 0;
	}
	if (metric != FM_KOLMOGOROV_SMIRNOV && metric != FM_CHI_SQUARED)
		return Float8GetDatum(result->value);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[n++] = Float8GetDatum(result->value);
	if (metric == FM_CHI_SQUARED)
		values[n++] = Float8GetDatum(result->degrees_of_freedom);
	values[n++] = Float8GetDatum(result->p_value);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

static FmDriftResult
measure(FmMetric metric, FmDriftSide *current, FmDriftSide *baseline, const FmDriftOptions *options)
{
	FmDriftResult result;
	FmError error = {0};

	if (!fm_drift_measure(metric, current, baseline, options, &result, &error))
		fm_throw(&error, NULL);
	return result;
}

/* ------------------------------------------------------------------------------------------------ aggregates */

typedef struct DriftState
{
	MemoryContext context;
	bool weighted;
	FmDriftOptions options;
	FmSketch *side[2]; /* baseline, current */
	FmColumn *column[2];
} DriftState;

PG_FUNCTION_INFO_V1(drift_add);
PG_FUNCTION_INFO_V1(drift_combine);
PG_FUNCTION_INFO_V1(drift_serialize);
PG_FUNCTION_INFO_V1(drift_deserialize);

static DriftState *
new_state(MemoryContext parent, bool weighted)
{
	MemoryContext context = AllocSetContextCreate(parent, "drift", ALLOCSET_DEFAULT_SIZES);
	DriftState *state = MemoryContextAllocZero(context, sizeof(DriftState));

	state->context = context;
	state->weighted = weighted;
	fm_drift_options_init(&state->options);
	return state;
}

/*
 * drift_add(internal, value anyelement, [weight double precision,] is_current boolean [, options jsonb])
 */
Datum
drift_add(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate = fm_aggregate_context(fcinfo);
	int next = 2;
	bool weighted = get_fn_expr_argtype(fcinfo->flinfo, 2) == FLOAT8OID;
	double weight = 1;
	DriftState *state;
	MemoryContext old;
	int side;
	FmError error = {0};

	if (PG_ARGISNULL(0))
	{
		int options_at = weighted ? 4 : 3;

		state = new_state(aggregate, weighted);
		if (PG_NARGS() > options_at && !PG_ARGISNULL(options_at))
			state->options = fm_drift_read_options(PG_GETARG_JSONB_P(options_at));
	}
	else
		state = (DriftState *) PG_GETARG_POINTER(0);
	if (weighted)
	{
		if (PG_ARGISNULL(next))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("weight must not be null")));
		weight = PG_GETARG_FLOAT8(next++);
	}
	/* a row that belongs to neither side */
	if (PG_ARGISNULL(next))
		PG_RETURN_POINTER(state);
	side = PG_GETARG_BOOL(next) ? 1 : 0;

	old = MemoryContextSwitchTo(state->context);
	if (state->side[side] == NULL)
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);

		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of the value");
		state->side[side] = fm_sketch_new(weighted, FM_KEEP_ALL, DRIFT_EXACT_VALUES);
		state->column[side] = fm_column_open(state->side[side], NULL, "", 0, type);
	}
	if (!fm_sketch_add_example(state->side[side], weight, &error))
		fm_throw(&error, NULL);
	MemoryContextSwitchTo(old);
	if (!PG_ARGISNULL(1))
		fm_column_add(state->column[side], PG_GETARG_DATUM(1), state->context);
	PG_RETURN_POINTER(state);
}

Datum
drift_combine(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate = fm_aggregate_context(fcinfo);
	DriftState *state = PG_ARGISNULL(0) ? NULL : (DriftState *) PG_GETARG_POINTER(0);
	DriftState *other = PG_ARGISNULL(1) ? NULL : (DriftState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
	{
		state = new_state(aggregate, other->weighted);
		state->options = other->options;
	}
	for (int side = 0; side < 2; side++)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);
		FmError error = {0};

		if (other->side[side] != NULL)
		{
			if (state->side[side] == NULL)
				state->side[side] = fm_sketch_new(other->weighted, FM_KEEP_ALL, DRIFT_EXACT_VALUES);
			if (!fm_sketch_merge(state->side[side], other->side[side], &error))
				fm_throw(&error, NULL);
		}
		MemoryContextSwitchTo(old);
	}
	PG_RETURN_POINTER(state);
}

Datum
drift_serialize(PG_FUNCTION_ARGS)
{
	DriftState *state;
	StringInfoData buf;

	fm_aggregate_context(fcinfo);
	state = (DriftState *) PG_GETARG_POINTER(0);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, state->weighted);
	pq_sendbyte(&buf, state->options.null_is_category);
	pq_sendbyte(&buf, state->options.unseen_is_category);
	pq_sendbyte(&buf, state->options.binning);
	pq_sendint32(&buf, state->options.bins);
	pq_sendfloat8(&buf, state->options.zero_share);
	pq_sendbyte(&buf, state->options.distance);
	pq_sendbyte(&buf, state->options.base_e);
	pq_sendbyte(&buf, state->options.base_2);
	pq_sendbyte(&buf, state->options.quantiles);
	pq_sendbyte(&buf, state->options.scale_by_deviation);
	for (int side = 0; side < 2; side++)
	{
		StringInfoData bytes;

		initStringInfo(&bytes);
		if (state->side[side] != NULL)
			fm_sketch_write(state->side[side], &bytes);
		pq_sendint32(&buf, bytes.len);
		pq_sendbytes(&buf, bytes.data, bytes.len);
		pfree(bytes.data);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
drift_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes;
	StringInfoData buf;
	DriftState *state;

	fm_aggregate_context(fcinfo);
	bytes = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state = new_state(CurrentMemoryContext, pq_getmsgbyte(&buf) != 0);
	state->options.null_is_category = pq_getmsgbyte(&buf) != 0;
	state->options.unseen_is_category = pq_getmsgbyte(&buf) != 0;
	state->options.binning = pq_getmsgbyte(&buf);
	state->options.bins = pq_getmsgint(&buf, 4);
	state->options.zero_share = pq_getmsgfloat8(&buf);
	state->options.distance = pq_getmsgbyte(&buf) != 0;
	state->options.base_e = pq_getmsgbyte(&buf) != 0;
	state->options.base_2 = pq_getmsgbyte(&buf) != 0;
	state->options.quantiles = pq_getmsgbyte(&buf) != 0;
	state->options.scale_by_deviation = pq_getmsgbyte(&buf) != 0;
	for (int side = 0; side < 2; side++)
	{
		int size = pq_getmsgint(&buf, 4);
		FmError error = {0};
		MemoryContext old;

		if (size == 0)
			continue;
		old = MemoryContextSwitchTo(state->context);
		state->side[side] = fm_sketch_read(pq_getmsgbytes(&buf, size), size, &error);
		if (state->side[side] == NULL)
			fm_throw(&error, NULL);
		MemoryContextSwitchTo(old);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

static void
side_of_sketch(FmSketch *sketch, FmDriftSide *side)
{
	FmFeatureInfo *features;

	memset(side, 0, sizeof(*side));
	side->exact = true;
	if (sketch == NULL || fm_sketch_features(sketch, &features) < 1)
		return;
	if (features[0].kind == FM_STRUCT)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a distance between rows is not defined"),
						errhint("Take the distance of their columns one by one, or drift_report().")));
	fm_drift_side_of_feature(&features[0], fm_sketch_is_weighted(sketch), side);
}

static Datum
finish(FunctionCallInfo fcinfo, FmMetric metric)
{
	DriftState *state;
	FmDriftSide current, baseline;
	FmDriftResult result;
	MemoryContext old;

	fm_aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (DriftState *) PG_GETARG_POINTER(0);
	old = MemoryContextSwitchTo(state->context);
	for (int i = 0; i < 2; i++)
		if (state->side[i] != NULL)
			fm_sketch_settle(state->side[i]);
	MemoryContextSwitchTo(old);
	side_of_sketch(state->side[1], &current);
	side_of_sketch(state->side[0], &baseline);
	result = measure(metric, &current, &baseline, &state->options);
	return result_datum(fcinfo, metric, &result);
}

/* ------------------------------------------------------------------------------------------------ two sketches, two statistics */

static void
no_such_feature(const char *path)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					path ? errmsg("feature \"%s\" is not there", path) : errmsg("which feature is meant is not said"),
					errhint("Give the path of one feature.")));
}

char *
fm_drift_path(const FmFeatureInfo *info)
{
	FmPath path = {info->num_steps, (char **) info->steps};

	/* the column of column_sketch has no name */
	return info->num_steps == 1 && info->steps[0][0] == '\0' ? pstrdup("") : fm_path_serialize(&path);
}

static void
side_of_sketch_feature(FmSketch *sketch, const char *path, FmDriftSide *side)
{
	FmFeatureInfo *features;
	int n = fm_sketch_features(sketch, &features);
	int found = -1;

	for (int i = 0; i < n; i++)
	{
		if (path == NULL ? features[i].parent < 0 : strcmp(fm_drift_path(&features[i]), path) == 0)
		{
			if (found >= 0)
				no_such_feature(path);
			found = i;
		}
	}
	if (found < 0 || features[found].kind == FM_STRUCT)
		no_such_feature(path);
	fm_drift_side_of_feature(&features[found], fm_sketch_is_weighted(sketch), side);
}

/*
 * METRIC(current feature_sketch, baseline feature_sketch, path text, options jsonb)
 */
static Datum
of_sketches(FunctionCallInfo fcinfo, FmMetric metric)
{
	FmDriftSide current, baseline;
	FmDriftOptions options;
	FmDriftResult result;
	char *path = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	options = fm_drift_read_options(PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	side_of_sketch_feature(PG_GETARG_FEATURE_SKETCH(0), path, &current);
	side_of_sketch_feature(PG_GETARG_FEATURE_SKETCH(1), path, &baseline);
	result = measure(metric, &current, &baseline, &options);
	return result_datum(fcinfo, metric, &result);
}

static const Tfmd__FeatureNameStatistics *
feature_of_statistics(Tfmd__DatasetFeatureStatisticsList *list, const char *path)
{
	FmError error = {0};
	Tfmd__DatasetFeatureStatistics *dataset = fm_default_dataset(list, &error);
	const Tfmd__FeatureNameStatistics *found = NULL;

	if (dataset == NULL)
		fm_throw(&error, NULL);
	for (size_t i = 0; i < dataset->n_features; i++)
	{
		const Tfmd__FeatureNameStatistics *feature = dataset->features[i];
		FmPath steps = {0};
		char *name = pstrdup("");

		if (feature->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH)
		{
			steps = fm_path_from_message(feature->path);
			name = fm_path_serialize(&steps);
		}
		else if (feature->field_id_case == TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_NAME)
			name = feature->name;
		if (path == NULL || strcmp(name, path) == 0)
		{
			if (found != NULL)
				no_such_feature(path);
			found = feature;
		}
	}
	if (found == NULL)
		no_such_feature(path);
	return found;
}

/*
 * METRIC(current feature_statistics, baseline feature_statistics, path text, options jsonb)
 */
static Datum
of_statistics(FunctionCallInfo fcinfo, FmMetric metric)
{
	FmDriftSide sides[2];
	FmDriftOptions options;
	FmDriftResult result;
	char *path = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	options = fm_drift_read_options(PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	if (!fm_drift_sides_of_statistics(feature_of_statistics(PG_GETARG_FEATURE_STATISTICS(0), path),
									  feature_of_statistics(PG_GETARG_FEATURE_STATISTICS(1), path), sides))
		no_such_feature(path);
	result = measure(metric, &sides[0], &sides[1], &options);
	return result_datum(fcinfo, metric, &result);
}

#define METRIC_FUNCTIONS(name, metric)                                                                                 \
	PG_FUNCTION_INFO_V1(drift_##name##_final);                                                                         \
	Datum drift_##name##_final(PG_FUNCTION_ARGS)                                                                       \
	{                                                                                                                  \
		return finish(fcinfo, metric);                                                                                 \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(drift_##name##_of_sketches);                                                                   \
	Datum drift_##name##_of_sketches(PG_FUNCTION_ARGS)                                                                 \
	{                                                                                                                  \
		return of_sketches(fcinfo, metric);                                                                            \
	}                                                                                                                  \
	PG_FUNCTION_INFO_V1(drift_##name##_of_statistics);                                                                 \
	Datum drift_##name##_of_statistics(PG_FUNCTION_ARGS)                                                               \
	{                                                                                                                  \
		return of_statistics(fcinfo, metric);                                                                          \
	}                                                                                                                  \
	extern int no_such_variable

METRIC_FUNCTIONS(l_infinity_distance, FM_L_INFINITY);
METRIC_FUNCTIONS(normalized_absolute_difference, FM_NORMALIZED_ABSOLUTE_DIFFERENCE);
METRIC_FUNCTIONS(jensen_shannon_divergence, FM_JENSEN_SHANNON);
METRIC_FUNCTIONS(population_stability_index, FM_POPULATION_STABILITY);
METRIC_FUNCTIONS(kolmogorov_smirnov, FM_KOLMOGOROV_SMIRNOV);
METRIC_FUNCTIONS(wasserstein_distance, FM_WASSERSTEIN);
METRIC_FUNCTIONS(chi_squared, FM_CHI_SQUARED);
METRIC_FUNCTIONS(hellinger_distance, FM_HELLINGER);
METRIC_FUNCTIONS(total_variation_distance, FM_TOTAL_VARIATION);
METRIC_FUNCTIONS(kullback_leibler_divergence, FM_KULLBACK_LEIBLER);

/* ------------------------------------------------------------------------------------------------ filters */

PG_FUNCTION_INFO_V1(checked_filter);

/*
 * checked_filter(text) returns text: the expression between parentheses, once it is sure to be one; the line break ends a comment
 */
Datum
checked_filter(PG_FUNCTION_ARGS)
{
	char *filter = text_to_cstring(PG_GETARG_TEXT_PP(0));

	fm_check_expression(filter, "a filter");
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("(%s\n)", filter)));
}
