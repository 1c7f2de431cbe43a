/*
 * TFDV's tables of schemas and anomalies, cell by cell as its get_*_dataframe functions fill them
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "schema/schema.h"

#include "funcapi.h"

/*
 * 'name', with quotes inside as \'
 */
static void
append_quoted(StringInfo out, const char *text)
{
	appendStringInfoChar(out, '\'');
	for (; *text; text++)
	{
		if (*text == '\'')
			appendStringInfoChar(out, '\\');
		appendStringInfoChar(out, *text);
	}
	appendStringInfoChar(out, '\'');
}

static char *
quoted(const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_quoted(&buf, text ? text : "");
	return buf.data;
}

/* -- schemas -- */

static const char *
presence_cell(const Tfmd__Feature *feature)
{
	if (feature->presence_constraints_case != TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE)
		return "";
	return feature->presence->has_min_fraction && feature->presence->min_fraction == 1.0 ? "required" : "optional";
}

static const char *
valency_cell(const Tfmd__Feature *feature)
{
	const Tfmd__ValueCount *count;

	if (feature->shape_type_case != TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT)
		return "";
	count = feature->value_count;
	if (count->has_min && count->has_max && count->min == 1 && count->max == 1)
		return "single";
	return psprintf("[" INT64_FORMAT ",%s", count->has_min ? count->min : (int64) 0,
					count->has_max ? psprintf(INT64_FORMAT "]", (int64) count->max) : "inf)");
}

static const char *
type_cell(const Tfmd__Feature *feature)
{
	const char *name = fm_enum_name(&tfmd__feature_type__descriptor, feature->type);

	if (feature->type == TFMD__FEATURE_TYPE__BYTES &&
		(feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_DOMAIN ||
		 feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN))
		return "STRING";
	return name ? name : "TYPE_UNKNOWN";
}

static char *
bounds_cell(const char *min, const char *max)
{
	if (min == NULL && max == NULL)
		return pstrdup("-");
	return psprintf("%s%s%s", min ? min : "", min && max ? "; " : "", max ? max : "");
}

/*
 * "min: 0.500000"; without a bound "min: -inf", unless infinity is not allowed
 */
static char *
float_bound(const char *which, bool is_set, float value, const char *infinity, bool disallow_inf)
{
	if (is_set)
		return psprintf("%s: %f", which, value);
	return disallow_inf ? NULL : psprintf("%s: %s", which, infinity);
}

static char *
domain_cell(const Tfmd__Feature *feature)
{
	const Tfmd__IntDomain *ints;
	const Tfmd__FloatDomain *floats;

	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
			return quoted(feature->domain);
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			ints = feature->int_domain;
			return bounds_cell(ints->has_min ? psprintf("min: " INT64_FORMAT, (int64) ints->min) : NULL,
							   ints->has_max ? psprintf("max: " INT64_FORMAT, (int64) ints->max) : NULL);
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			floats = feature->float_domain;
			return bounds_cell(float_bound("min", floats->has_min, floats->min, "-inf", floats->disallow_inf),
							   float_bound("max", floats->has_max, floats->max, "inf", floats->disallow_inf));
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
			if (feature->string_domain->name != NULL && feature->string_domain->name[0] != '\0')
				return quoted(feature->string_domain->name);
			return quoted(psprintf("%s_domain", feature->name ? feature->name : ""));
		default:
			return pstrdup("-");
	}
}

PG_FUNCTION_INFO_V1(feature_meta_display_schema);
Datum
feature_meta_display_schema(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);
	size_t i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < schema->n_feature; i++)
	{
		const Tfmd__Feature *feature = schema->feature[i];
		bool nulls[5] = {false};
		Datum values[5];

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(quoted(feature->name));
		values[1] = CStringGetTextDatum(type_cell(feature));
		values[2] = CStringGetTextDatum(presence_cell(feature));
		values[3] = CStringGetTextDatum(valency_cell(feature));
		values[4] = CStringGetTextDatum(domain_cell(feature));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
put_domain(ReturnSetInfo *result, char *name, const Tfmd__StringDomain *domain)
{
	StringInfoData buf;
	bool nulls[2] = {false};
	Datum values[2];
	size_t i;

	initStringInfo(&buf);
	for (i = 0; i < domain->n_value; i++)
	{
		if (i > 0)
			appendStringInfoString(&buf, ", ");
		append_quoted(&buf, domain->value[i]);
	}
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(buf.data);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(feature_meta_display_domains);
Datum
feature_meta_display_domains(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);
	size_t i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < schema->n_string_domain; i++)
		put_domain(result, quoted(schema->string_domain[i]->name), schema->string_domain[i]);
	for (i = 0; i < schema->n_feature; i++)
		if (schema->feature[i]->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN)
			put_domain(result, domain_cell(schema->feature[i]), schema->feature[i]->string_domain);
	return (Datum) 0;
}

/* -- anomalies -- */

/*
 * The entry's own text or, if it has none, its reasons' texts joined by "; "
 */
static char *
description_cell(const Tfmd__AnomalyInfo *info, bool is_short)
{
	const char *own = is_short ? info->short_description : info->description;
	StringInfoData buf;
	size_t i;

	if (own != NULL && own[0] != '\0')
		return pstrdup(own);
	initStringInfo(&buf);
	for (i = 0; i < info->n_reason; i++)
	{
		const char *reason = is_short ? info->reason[i]->short_description : info->reason[i]->description;

		appendStringInfo(&buf, "%s%s", i > 0 ? "; " : "", reason ? reason : "");
	}
	return buf.data;
}

static void
put_anomaly(ReturnSetInfo *result, const char *name, const Tfmd__AnomalyInfo *info)
{
	bool nulls[3] = {false};
	Datum values[3];

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(description_cell(info, true));
	values[2] = CStringGetTextDatum(description_cell(info, false));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static int
compare_entries(const void *a, const void *b)
{
	return strcmp((*(Tfmd__Anomalies__AnomalyInfoEntry *const *) a)->key,
				  (*(Tfmd__Anomalies__AnomalyInfoEntry *const *) b)->key);
}

PG_FUNCTION_INFO_V1(feature_meta_display_anomalies);
Datum
feature_meta_display_anomalies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Tfmd__Anomalies *anomalies = PG_GETARG_FEATURE_ANOMALIES(0);
	size_t i;

	InitMaterializedSRF(fcinfo, 0);
	qsort(anomalies->anomaly_info, anomalies->n_anomaly_info, sizeof(*anomalies->anomaly_info), compare_entries);
	for (i = 0; i < anomalies->n_anomaly_info; i++)
		if (anomalies->anomaly_info[i]->value != NULL)
			put_anomaly(result, quoted(anomalies->anomaly_info[i]->key), anomalies->anomaly_info[i]->value);
	if (anomalies->dataset_anomaly_info != NULL)
		put_anomaly(result, "[dataset anomaly]", anomalies->dataset_anomaly_info);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(feature_meta_display_drift_skew);
Datum
feature_meta_display_drift_skew(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Tfmd__Anomalies *anomalies = PG_GETARG_FEATURE_ANOMALIES(0);
	size_t i;
	size_t j;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < anomalies->n_drift_skew_info; i++)
	{
		const Tfmd__DriftSkewInfo *info = anomalies->drift_skew_info[i];
		StringInfoData path;

		initStringInfo(&path);
		for (j = 0; info->path != NULL && j < info->path->n_step; j++)
			appendStringInfo(&path, "%s%s", j > 0 ? "." : "", info->path->step[j]);
		for (j = 0; j < info->n_drift_measurements; j++)
		{
			const Tfmd__DriftSkewInfo__Measurement *measurement = info->drift_measurements[j];
			const char *type = fm_enum_name(&tfmd__drift_skew_info__measurement__type__descriptor, measurement->type);
			bool nulls[4] = {false};
			Datum values[4];

			values[0] = CStringGetTextDatum(path.data);
			values[1] = CStringGetTextDatum(type ? type : "UNKNOWN");
			values[2] = Float8GetDatum(measurement->value);
			values[3] = Float8GetDatum(measurement->threshold);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}
