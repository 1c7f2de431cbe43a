/*
 * SQL functions that validate statistics: the door of the room "validation"
 */
#include "fm_core.h"
#include "fm_compat.h"
#include "message/message_type.h"
#include "validation/validation_door.h"

PG_FUNCTION_INFO_V1(validate_statistics);
PG_FUNCTION_INFO_V1(validate_corresponding_slices);
PG_FUNCTION_INFO_V1(custom_validate_statistics);
PG_FUNCTION_INFO_V1(assert_valid);

char *
fm_optional_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

Tfmd__DatasetFeatureStatisticsList *
fm_optional_statistics(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : PG_GETARG_FEATURE_STATISTICS(n);
}

static const ProtobufCFieldDescriptor *
field_named(const ProtobufCMessageDescriptor *descriptor, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(descriptor, name);
}

Tfmd__DatasetFeatureStatisticsList *
fm_statistics_to_validate(Datum datum, bool histograms)
{
	static const ProtobufCFieldDescriptor *left_out[5];
	bytea *bytes = DatumGetByteaPP(datum);
	FmError error = {0};
	ProtobufCMessage *message;

	if (left_out[0] == NULL)
	{
		left_out[4] = field_named(&tfmd__histogram__descriptor, "buckets");
		left_out[3] = field_named(&tfmd__dataset_feature_statistics__descriptor, "cross_features");
		left_out[2] = field_named(&tfmd__string_statistics__descriptor, "top_values");
		left_out[1] = field_named(&tfmd__common_statistics__descriptor, "feature_list_length_histogram");
		left_out[0] = field_named(&tfmd__common_statistics__descriptor, "num_values_histogram");
	}
	message =
		fm_message_unpack_part(&tfmd__dataset_feature_statistics_list__descriptor, (const uint8 *) VARDATA_ANY(bytes),
							   VARSIZE_ANY_EXHDR(bytes), left_out, histograms ? 4 : 5, &error);
	if (message == NULL)
		fm_throw(&error, NULL);
	return (Tfmd__DatasetFeatureStatisticsList *) message;
}

static bool
any_bool(Tfmd__Feature **features, size_t n)
{
	size_t i;

	check_stack_depth();
	for (i = 0; i < n; i++)
		if (features[i]->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN ||
			(features[i]->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN &&
			 any_bool(features[i]->struct_domain->feature, features[i]->struct_domain->n_feature)))
			return true;
	return false;
}

bool
fm_schema_needs_histograms(const Tfmd__Schema *schema)
{
	return any_bool(schema->feature, schema->n_feature);
}

Datum
fm_anomalies_get_datum(Tfmd__Anomalies *anomalies, Datum schema)
{
	bytea *baseline = DatumGetByteaPP(schema);
	size_t length = VARSIZE_ANY_EXHDR(baseline);
	size_t rest = length;
	uint8 head[11];
	int n = 0;
	bytea *others;
	bytea *result;
	char *out;

	/* the baseline is field 1, so it stands first; what is stored is canonical already */
	anomalies->baseline_schema_case = TFMD__ANOMALIES__BASELINE_SCHEMA__NOT_SET;
	anomalies->baseline = NULL;
	others = DatumGetByteaPP(fm_message_get_datum(&anomalies->base));
	head[n++] = 1 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	for (; rest >= 0x80; rest >>= 7)
		head[n++] = (uint8) rest | 0x80;
	head[n++] = (uint8) rest;
	result = palloc(VARHDRSZ + n + length + VARSIZE_ANY_EXHDR(others));
	SET_VARSIZE(result, VARHDRSZ + n + length + VARSIZE_ANY_EXHDR(others));
	out = VARDATA(result);
	memcpy(out, head, n);
	memcpy(out + n, VARDATA_ANY(baseline), length);
	memcpy(out + n + length, VARDATA_ANY(others), VARSIZE_ANY_EXHDR(others));
	return PointerGetDatum(result);
}

/* A configuration in text form, NULL if the argument is; an error names the argument */
static ProtobufCMessage *
parse_config(const char *config, const char *argument, const ProtobufCMessageDescriptor *descriptor)
{
	FmError error = {0};
	ProtobufCMessage *message;

	if (config == NULL)
		return NULL;
	message = fm_message_parse_text(descriptor, config, strlen(config), &error);
	if (message == NULL)
		ereport(ERROR,
				(errcode(error.sqlstate), errmsg("%s is not a %s in text format", argument, descriptor->short_name),
				 error.detail != NULL ? errdetail("%s", error.detail) : errdetail("%s", error.message),
				 error.hint != NULL ? errhint("%s", error.hint) : 0));
	return message;
}

const Tfdv__ValidationConfig *
fm_parse_validation_config(const char *config)
{
	return (const Tfdv__ValidationConfig *) parse_config(config, "config", &tfdv__validation_config__descriptor);
}

const Tfdv__CustomValidationConfig *
fm_parse_custom_validation_config(const char *config, const char *argument)
{
	return (const Tfdv__CustomValidationConfig *) parse_config(config, argument,
															   &tfdv__custom_validation_config__descriptor);
}

/*
 * validate_statistics(statistics feature_statistics, schema feature_schema, environment text,
 *     previous_statistics, serving_statistics, previous_version_statistics feature_statistics, config text,
 *     custom_validation_config text) RETURNS feature_anomalies
 *
 * TFDV's validate_statistics. config is a ValidationConfig, custom_validation_config a CustomValidationConfig, both
 * in protobuf text format. NULL statistics or schema give NULL; other NULLs mean "not given". Errors: see
 * fm_validate_statistics; 22P02 for a configuration that cannot be read. IMMUTABLE.
 */
Datum
validate_statistics(PG_FUNCTION_ARGS)
{
	FmValidation validation = {0};
	FmError error = {0};
	Tfmd__Anomalies *anomalies;
	Datum schema;
	bool histograms;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	schema = PointerGetDatum(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1)));
	validation.schema = (Tfmd__Schema *) fm_datum_get_message(schema, &tfmd__schema__descriptor);
	validation.environment = fm_optional_text(fcinfo, 2);
	validation.config = fm_parse_validation_config(fm_optional_text(fcinfo, 6));
	validation.custom_config =
		fm_parse_custom_validation_config(fm_optional_text(fcinfo, 7), "custom_validation_config");
	if (validation.custom_config != NULL)
	{
		/* expressions may look at anything */
		validation.statistics = PG_GETARG_FEATURE_STATISTICS(0);
		validation.previous_statistics = fm_optional_statistics(fcinfo, 3);
	}
	else
	{
		histograms = !PG_ARGISNULL(3) || !PG_ARGISNULL(4) || fm_schema_needs_histograms(validation.schema);
		validation.statistics = fm_statistics_to_validate(PG_GETARG_DATUM(0), histograms);
		if (!PG_ARGISNULL(3))
			validation.previous_statistics = fm_statistics_to_validate(PG_GETARG_DATUM(3), true);
	}
	if (!PG_ARGISNULL(4))
		validation.serving_statistics = fm_statistics_to_validate(PG_GETARG_DATUM(4), true);
	if (!PG_ARGISNULL(5))
		validation.previous_version_statistics = fm_statistics_to_validate(PG_GETARG_DATUM(5), false);

	anomalies = fm_validate_statistics(&validation, &error);
	if (anomalies == NULL)
		fm_throw(&error, NULL);
	return fm_anomalies_get_datum(anomalies, schema);
}

/*
 * validate_corresponding_slices(statistics feature_statistics, schema feature_schema, environment text,
 *     previous_statistics, serving_statistics feature_statistics) RETURNS feature_anomalies
 *
 * TFDV's validate_corresponding_slices: each slice against the same slice of the other statistics, a feature named
 * slice(SLICE)::FEATURE. NULLs and errors as validate_statistics. IMMUTABLE.
 */
Datum
validate_corresponding_slices(PG_FUNCTION_ARGS)
{
	FmValidation validation = {0};
	FmError error = {0};
	Tfmd__Anomalies *anomalies;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	validation.statistics = PG_GETARG_FEATURE_STATISTICS(0);
	validation.schema = PG_GETARG_FEATURE_SCHEMA(1);
	validation.environment = fm_optional_text(fcinfo, 2);
	validation.previous_statistics = fm_optional_statistics(fcinfo, 3);
	validation.serving_statistics = fm_optional_statistics(fcinfo, 4);

	anomalies = fm_validate_corresponding_slices(&validation, &error);
	if (anomalies == NULL)
		fm_throw(&error, NULL);
	PG_RETURN_MESSAGE(anomalies);
}

/*
 * custom_validate_statistics(statistics feature_statistics, config text, base_statistics feature_statistics,
 *     environment text) RETURNS feature_anomalies
 *
 * TFDV's custom_validate_statistics: config is a CustomValidationConfig in protobuf text format, its expressions are
 * evaluated over the statistics (they never reach the server as SQL). NULL statistics or config give NULL. Errors:
 * see fm_custom_validate. IMMUTABLE.
 */
Datum
custom_validate_statistics(PG_FUNCTION_ARGS)
{
	const Tfdv__CustomValidationConfig *config;
	FmError error = {0};
	Tfmd__Anomalies *anomalies;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	config = fm_parse_custom_validation_config(fm_optional_text(fcinfo, 1), "config");
	anomalies = fm_custom_validate(PG_GETARG_FEATURE_STATISTICS(0), fm_optional_statistics(fcinfo, 2), config,
								   fm_optional_text(fcinfo, 3), &error);
	if (anomalies == NULL)
		fm_throw(&error, NULL);
	PG_RETURN_MESSAGE(anomalies);
}

static Tfmd__AnomalyInfo__Severity
parse_severity(const char *name)
{
	const ProtobufCEnumDescriptor *severities = &tfmd__anomaly_info__severity__descriptor;
	unsigned i;

	for (i = 0; i < severities->n_values; i++)
		if (pg_strcasecmp(name, severities->values[i].name) == 0)
			return severities->values[i].value;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("severity \"%s\" is not known", name),
					errhint("Severities are UNKNOWN, WARNING and ERROR.")));
}

/* Appends the reasons of an entry; returns how many */
static int
append_reasons(StringInfo out, const char *where, const Tfmd__AnomalyInfo *info)
{
	size_t i;

	for (i = 0; i < info->n_reason; i++)
	{
		const Tfmd__AnomalyInfo__Reason *reason = info->reason[i];

		appendStringInfo(out, "%s%s: %s: %s", out->len > 0 ? "\n" : "", where,
						 reason->short_description == NULL ? "" : reason->short_description,
						 reason->description == NULL ? "" : reason->description);
	}
	return (int) info->n_reason;
}

/*
 * assert_valid(anomalies feature_anomalies, min_severity text) RETURNS feature_anomalies
 *
 * Returns its argument if it holds no anomaly of the severity or above; else raises 23514 (check_violation): the
 * message counts, the detail lists every reason. Missing data (data_missing) raises too. NULL gives NULL. VOLATILE,
 * so that no plan leaves the call out.
 */
Datum
assert_valid(PG_FUNCTION_ARGS)
{
	Tfmd__Anomalies *anomalies;
	Tfmd__AnomalyInfo__Severity min_severity = TFMD__ANOMALY_INFO__SEVERITY__ERROR;
	StringInfoData list;
	int n_reasons = 0;
	int n_entries = 0;
	size_t i;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	anomalies = PG_GETARG_FEATURE_ANOMALIES(0);
	if (!PG_ARGISNULL(1))
		min_severity = parse_severity(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (anomalies->has_data_missing && anomalies->data_missing)
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION), errmsg("data is not valid: there are no examples"),
						errdetail("The statistics that were validated are of 0 examples.")));
	initStringInfo(&list);
	if (anomalies->dataset_anomaly_info != NULL && anomalies->dataset_anomaly_info->severity >= min_severity)
	{
		n_reasons += append_reasons(&list, "data set", anomalies->dataset_anomaly_info);
		n_entries++;
	}
	for (i = 0; i < anomalies->n_anomaly_info; i++)
	{
		const Tfmd__Anomalies__AnomalyInfoEntry *entry = anomalies->anomaly_info[i];

		if (entry->value == NULL || entry->value->severity < min_severity)
			continue;
		n_reasons += append_reasons(&list, entry->key == NULL ? "" : entry->key, entry->value);
		n_entries++;
	}
	if (n_entries > 0)
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg_plural("data is not valid: %d anomaly", "data is not valid: %d anomalies",
									  Max(n_reasons, 1), Max(n_reasons, 1)),
						errdetail("%s", list.data)));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
