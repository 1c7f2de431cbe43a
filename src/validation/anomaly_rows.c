/*
 * Anomalies as rows
 */
#include "fm_core.h"
#include "fm_compat.h"
#include "funcapi.h"
#include "message/message_type.h"
#include "schema/schema.h"
#include "utils/builtins.h"
#include "validation/validation_door.h"

PG_FUNCTION_INFO_V1(anomalies);
PG_FUNCTION_INFO_V1(drift_measurements);

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* Rows of one entry: path NULL for the data set */
static void
put_reasons(ReturnSetInfo *result, const char *path, const Tfmd__AnomalyInfo *info)
{
	size_t i;

	for (i = 0; i < info->n_reason; i++)
	{
		const Tfmd__AnomalyInfo__Reason *reason = info->reason[i];
		Datum values[6];
		bool nulls[6] = {false};

		values[0] = text_or_null(path, &nulls[0]);
		values[1] = text_or_null(fm_enum_name(&tfmd__anomaly_info__severity__descriptor, info->severity), &nulls[1]);
		values[2] = text_or_null(fm_enum_name(&tfmd__anomaly_info__type__descriptor, reason->type), &nulls[2]);
		values[3] = text_or_null(reason->short_description, &nulls[3]);
		values[4] = text_or_null(reason->description, &nulls[4]);
		values[5] = Int32GetDatum((int32) i + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * anomalies(anomalies feature_anomalies) RETURNS SETOF record
 *
 * A row for each reason, features in the order of the value (byte order of the paths), the data set first with a
 * NULL path. Missing data is one row of type DATA_MISSING. NULL gives no rows. IMMUTABLE.
 */
Datum
anomalies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Tfmd__Anomalies *value = PG_GETARG_FEATURE_ANOMALIES(0);
	size_t i;

	InitMaterializedSRF(fcinfo, 0);
	if (value->has_data_missing && value->data_missing)
	{
		Datum values[6];
		bool nulls[6] = {true, false, false, false, false, false};

		values[1] = CStringGetTextDatum("ERROR");
		values[2] = CStringGetTextDatum("DATA_MISSING");
		values[3] = CStringGetTextDatum("Data missing");
		values[4] = CStringGetTextDatum("The statistics are of 0 examples, so nothing could be checked.");
		values[5] = Int32GetDatum(1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	if (value->dataset_anomaly_info != NULL)
		put_reasons(result, NULL, value->dataset_anomaly_info);
	for (i = 0; i < value->n_anomaly_info; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (value->anomaly_info[i]->value != NULL)
			put_reasons(result, value->anomaly_info[i]->key == NULL ? "" : value->anomaly_info[i]->key,
						value->anomaly_info[i]->value);
	}
	return (Datum) 0;
}

static void
put_measurements(ReturnSetInfo *result, const char *path, const char *comparison,
				 Tfmd__DriftSkewInfo__Measurement **measurements, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
	{
		const Tfmd__DriftSkewInfo__Measurement *measurement = measurements[i];
		Datum values[5];
		bool nulls[5] = {false};

		values[0] = CStringGetTextDatum(path);
		values[1] = CStringGetTextDatum(comparison);
		values[2] = text_or_null(fm_enum_name(&tfmd__drift_skew_info__measurement__type__descriptor, measurement->type),
								 &nulls[2]);
		values[3] = Float8GetDatum(measurement->value);
		values[4] = Float8GetDatum(measurement->threshold);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * drift_measurements(anomalies feature_anomalies) RETURNS SETOF record
 *
 * A row for each distance that was measured (drift_skew_info), anomaly or not: path, comparison (drift or skew), type,
 * value, threshold. NULL gives no rows. IMMUTABLE.
 */
Datum
drift_measurements(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Tfmd__Anomalies *value = PG_GETARG_FEATURE_ANOMALIES(0);
	size_t i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < value->n_drift_skew_info; i++)
	{
		const Tfmd__DriftSkewInfo *info = value->drift_skew_info[i];
		FmPath path = fm_path_from_message(info->path);
		char *serialized = fm_path_serialize(&path);

		put_measurements(result, serialized, "drift", info->drift_measurements, info->n_drift_measurements);
		put_measurements(result, serialized, "skew", info->skew_measurements, info->n_skew_measurements);
	}
	return (Datum) 0;
}
