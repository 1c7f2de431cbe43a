/*
 * The report: all distances of all columns between two sketches
 *
 * A query that compares many stored sketches names each of them several times: a window is compared with the one before it and with a
 * baseline, and then the next one with it. So what was read of the last few stored values is kept for as long as the query runs.
 */
#include "fm_core.h"
#include "fm_compat.h"

#include "access/detoast.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "drift/drift_functions.h"
#include "message/message_type.h"
#include "schema/nearest.h"
#include "schema/schema.h"
#include "sketch/sketch_type.h"

/* A window, the one before, a baseline */
#define KEPT_SKETCHES 3

/* A sketch with what a comparison wants of it */
typedef struct ReadSketch
{
	MemoryContext context; /* NULL: nothing is here */
	Oid toast_relation;	   /* where it is stored, and as what */
	Oid toast_value;
	uint64 last_use;
	FmSketch *sketch;
	int num_features;
	FmFeatureInfo *features;
	char **paths;
	FmDriftSide **sides; /* by feature; NULL: not made yet */
} ReadSketch;

typedef struct ReadSketches
{
	MemoryContext context;
	uint64 uses;
	ReadSketch kept[KEPT_SKETCHES];
} ReadSketches;

static void
read_sketch(ReadSketch *read, Datum datum)
{
	read->sketch = fm_datum_get_sketch(datum);
	read->num_features = fm_sketch_features(read->sketch, &read->features);
	read->paths = palloc(sizeof(char *) * Max(read->num_features, 1));
	read->sides = palloc0(sizeof(FmDriftSide *) * Max(read->num_features, 1));
	for (int i = 0; i < read->num_features; i++)
		read->paths[i] = fm_drift_path(&read->features[i]);
}

/*
 * The sketch of an argument; one that is stored out of line is kept
 */
static ReadSketch *
get_sketch(FunctionCallInfo fcinfo, int argument)
{
	Datum datum = PG_GETARG_DATUM(argument);
	ReadSketches *all = fcinfo->flinfo->fn_extra;
	struct varatt_external pointer;
	ReadSketch *read = NULL;
	MemoryContext old;

	if (!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(datum)))
	{
		read = palloc0(sizeof(ReadSketch));
		read->context = CurrentMemoryContext;
		read_sketch(read, datum);
		return read;
	}
	if (all == NULL)
	{
		all = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ReadSketches));
		all->context = fcinfo->flinfo->fn_mcxt;
		fcinfo->flinfo->fn_extra = all;
	}
	all->uses++;
	VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(datum));
	for (int i = 0; i < KEPT_SKETCHES; i++)
	{
		ReadSketch *kept = &all->kept[i];

		if (kept->context != NULL && kept->toast_relation == pointer.va_toastrelid &&
			kept->toast_value == pointer.va_valueid)
		{
			kept->last_use = all->uses;
			return kept;
		}
		if (read == NULL || kept->last_use < read->last_use)
			read = kept;
	}
	if (read->context != NULL)
		MemoryContextDelete(read->context);
	memset(read, 0, sizeof(*read));
	read->last_use = all->uses;
	read->toast_relation = pointer.va_toastrelid;
	read->toast_value = pointer.va_valueid;
	{
		MemoryContext context = AllocSetContextCreate(all->context, "sketch of drift_report", ALLOCSET_DEFAULT_SIZES);

		old = MemoryContextSwitchTo(context);
		read_sketch(read, datum);
		MemoryContextSwitchTo(old);
		read->context = context; /* now it is all there */
	}
	return read;
}

/*
 * A feature's side, made when it is asked for first; histograms as the options say
 */
static FmDriftSide *
side_of(ReadSketch *read, int feature, bool quantiles)
{
	FmDriftSide *side = read->sides[feature];
	MemoryContext old = MemoryContextSwitchTo(read->context);

	if (side == NULL)
	{
		side = palloc(sizeof(FmDriftSide));
		fm_drift_side_of_feature(&read->features[feature], fm_sketch_is_weighted(read->sketch), side);
		read->sides[feature] = side;
	}
	if (side->is_number && (side->kept == NULL || side->kept_quantiles != quantiles))
		fm_drift_side_keep_histogram(side, quantiles);
	MemoryContextSwitchTo(old);
	return side;
}

/*
 * Where a path is in a sketch, mostly where it is in the other; -1: nowhere
 */
static int
find_path(const ReadSketch *read, const char *path, int likely_at)
{
	if (likely_at < read->num_features && strcmp(read->paths[likely_at], path) == 0)
		return likely_at;
	for (int i = 0; i < read->num_features; i++)
		if (strcmp(read->paths[i], path) == 0)
			return i;
	return -1;
}

PG_FUNCTION_INFO_V1(drift_report_of_sketches);

/* Columns of the report */
enum
{
	R_PATH,
	R_TYPE,
	R_CURRENT_COUNT,
	R_BASELINE_COUNT,
	R_CURRENT_NULL_SHARE,
	R_BASELINE_NULL_SHARE,
	R_METRICS, /* the metrics with one value each, in the order of FmMetric; tests bring their p-value behind them */
	R_THRESHOLDS = R_METRICS + FM_METRICS + 2,
	R_DRIFTED,
	R_EXACT,
	R_COLUMNS
};

/*
 * Is the distance that the schema's comparator asks for above its threshold? Adds it to the text of thresholds.
 */
static void
apply_threshold(StringInfo thresholds, const char *name, double threshold, bool defined, double value, bool *drifted)
{
	appendStringInfo(thresholds, "%s\"%s\": %g", thresholds->len > 0 ? ", " : "", name, threshold);
	*drifted |= defined && value > threshold;
}

/*
 * drift_report(current feature_sketch, baseline feature_sketch, schema feature_schema, options jsonb) returns setof record
 */
Datum
drift_report_of_sketches(PG_FUNCTION_ARGS)
{
	static const char *const type_names[] = {"INT", "FLOAT", "STRING", "BYTES", "STRUCT"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ReadSketch *sketches[2];
	FmDriftOptions options;
	Tfmd__Schema *schema;
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext per_feature;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	sketches[0] = get_sketch(fcinfo, 0);
	sketches[1] = get_sketch(fcinfo, 1);
	schema = PG_ARGISNULL(2) ? NULL : PG_GETARG_FEATURE_SCHEMA(2);
	options = fm_drift_read_options(PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3));
	options.quick_p_value = true;
	per_feature = AllocSetContextCreate(outer, "feature of drift_report", ALLOCSET_DEFAULT_SIZES);

	/* the features of the current side, then those that only the baseline has */
	for (int s = 0; s < 2; s++)
		for (int i = 0; i < sketches[s]->num_features; i++)
		{
			ReadSketch *others = sketches[1 - s];
			FmFeatureInfo *info = &sketches[s]->features[i];
			char *path = sketches[s]->paths[i];
			int other = find_path(others, path, i);
			FmDriftSide nothing = {.exact = true};
			FmDriftSide *sides[2];
			Datum values[R_COLUMNS];
			bool nulls[R_COLUMNS];
			StringInfoData thresholds;
			FmDriftResult results[FM_METRICS];
			bool drifted = false;
			int next = R_METRICS;
			FmError error = {0};
			FmPath parsed;
			Tfmd__Feature *feature;

			CHECK_FOR_INTERRUPTS();
			if (info->kind == FM_STRUCT || (s == 1 && other >= 0))
				continue;
			MemoryContextReset(per_feature);
			MemoryContextSwitchTo(per_feature);
			memset(nulls, true, sizeof(nulls));
			sides[s] = side_of(sketches[s], i, options.quantiles);
			sides[1 - s] = other >= 0 && others->features[other].kind != FM_STRUCT
							   ? side_of(others, other, options.quantiles)
							   : &nothing;
			values[R_PATH] = CStringGetTextDatum(path);
			values[R_TYPE] = CStringGetTextDatum(type_names[info->kind]);
			nulls[R_PATH] = nulls[R_TYPE] = false;
			for (int side = 0; side < 2; side++)
			{
				double all = sides[side]->total + sides[side]->null_weight;

				values[R_CURRENT_COUNT + side] = Float8GetDatum(sides[side]->total);
				nulls[R_CURRENT_COUNT + side] = false;
				values[R_CURRENT_NULL_SHARE + side] = Float8GetDatum(all > 0 ? sides[side]->null_weight / all : 0);
				nulls[R_CURRENT_NULL_SHARE + side] = all <= 0;
			}
			if (!fm_drift_measure_all(sides[0], sides[1], &options, results, &error))
				fm_throw(&error, NULL);
			for (int metric = 0; metric < FM_METRICS; metric++)
			{
				FmDriftResult *result = &results[metric];

				values[next] = Float8GetDatum(result->value);
				nulls[next++] = !result->defined;
				if (metric == FM_KOLMOGOROV_SMIRNOV || metric == FM_CHI_SQUARED)
				{
					values[next] = Float8GetDatum(result->p_value);
					nulls[next++] = !result->defined;
				}
			}
			initStringInfo(&thresholds);
			if (schema != NULL && fm_path_parse(path, &parsed, &error) &&
				(feature = fm_schema_find_feature(schema, &parsed)) != NULL && feature->drift_comparator != NULL)
			{
				Tfmd__FeatureComparator *comparator = feature->drift_comparator;

				if (comparator->infinity_norm && comparator->infinity_norm->has_threshold)
					apply_threshold(&thresholds, fm_metric_name(FM_L_INFINITY), comparator->infinity_norm->threshold,
									results[FM_L_INFINITY].defined, results[FM_L_INFINITY].value, &drifted);
				if (comparator->normalized_abs_difference && comparator->normalized_abs_difference->has_threshold)
					apply_threshold(&thresholds, fm_metric_name(FM_NORMALIZED_ABSOLUTE_DIFFERENCE),
									comparator->normalized_abs_difference->threshold,
									results[FM_NORMALIZED_ABSOLUTE_DIFFERENCE].defined,
									results[FM_NORMALIZED_ABSOLUTE_DIFFERENCE].value, &drifted);
				if (comparator->jensen_shannon_divergence && comparator->jensen_shannon_divergence->has_threshold)
					apply_threshold(&thresholds, fm_metric_name(FM_JENSEN_SHANNON),
									comparator->jensen_shannon_divergence->threshold,
									results[FM_JENSEN_SHANNON].defined, results[FM_JENSEN_SHANNON].value, &drifted);
			}
			if (thresholds.len > 0)
			{
				values[R_THRESHOLDS] =
					DirectFunctionCall1(jsonb_in, CStringGetDatum(psprintf("{%s}", thresholds.data)));
				values[R_DRIFTED] = BoolGetDatum(drifted);
				nulls[R_THRESHOLDS] = nulls[R_DRIFTED] = false;
			}
			values[R_EXACT] = BoolGetDatum(sides[0]->exact && sides[1]->exact);
			nulls[R_EXACT] = false;
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			MemoryContextSwitchTo(outer);
		}
	MemoryContextDelete(per_feature);
	return (Datum) 0;
}
