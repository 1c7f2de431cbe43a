/*
 * The SQL functions of the room "schema" that look at values only: infer, update, edit
 */
#include "fm_core.h"
#include "message/message_type.h"
#include "schema/edit.h"
#include "schema/schema.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#define RAISE(error) fm_throw(&(error), NULL)

/*
 * An argument text as the path of a feature
 */
static FmPath
getarg_path(FunctionCallInfo fcinfo, int n)
{
	FmError error = {0};
	FmPath path;

	if (!fm_path_parse(text_to_cstring(PG_GETARG_TEXT_PP(n)), &path, &error))
		RAISE(error);
	return path;
}

/*
 * An argument text[] as paths; NULL, which stands for all, if it is NULL
 */
static FmPath *
getarg_paths(FunctionCallInfo fcinfo, int n, int *n_paths)
{
	ArrayType *array;
	Datum *elements;
	bool *nulls;
	FmPath *paths;
	int i;

	*n_paths = 0;
	if (PG_ARGISNULL(n))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(n);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, n_paths);
	paths = palloc(sizeof(FmPath) * (*n_paths + 1));
	for (i = 0; i < *n_paths; i++)
	{
		FmError error = {0};

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a path must not be null")));
		if (!fm_path_parse(TextDatumGetCString(elements[i]), &paths[i], &error))
			RAISE(error);
	}
	return paths;
}

static const int64 *
getarg_int64(FunctionCallInfo fcinfo, int n, int64 *place)
{
	if (PG_ARGISNULL(n))
		return NULL;
	*place = PG_GETARG_INT64(n);
	return place;
}

static const double *
getarg_float8(FunctionCallInfo fcinfo, int n, double *place)
{
	if (PG_ARGISNULL(n))
		return NULL;
	*place = PG_GETARG_FLOAT8(n);
	return place;
}

PG_FUNCTION_INFO_V1(feature_meta_infer_schema);
Datum
feature_meta_infer_schema(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema =
		fm_infer_schema(PG_GETARG_FEATURE_STATISTICS(0), PG_GETARG_BOOL(1), PG_GETARG_INT32(2), &error);

	if (schema == NULL)
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_update_schema);
Datum
feature_meta_update_schema(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema;
	FmPath *paths;
	int n_paths;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	schema = PG_GETARG_FEATURE_SCHEMA(0);
	paths = getarg_paths(fcinfo, 2, &n_paths);
	if (!fm_update_schema(schema, PG_GETARG_FEATURE_STATISTICS(1), paths, n_paths, PG_GETARG_INT32(3), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_update_schema_by_anomalies);
Datum
feature_meta_update_schema_by_anomalies(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema;
	FmPath *paths;
	int n_paths;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	schema = PG_GETARG_FEATURE_SCHEMA(0);
	paths = getarg_paths(fcinfo, 2, &n_paths);
	if (!fm_update_schema_by_anomalies(schema, PG_GETARG_FEATURE_ANOMALIES(1), paths, n_paths, &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_set_domain);
Datum
feature_meta_set_domain(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema;
	FmPath path;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	schema = PG_GETARG_FEATURE_SCHEMA(0);
	path = getarg_path(fcinfo, 1);
	if (!fm_schema_set_domain(schema, &path, PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_set_domain_values);
Datum
feature_meta_set_domain_values(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);
	FmPath path = getarg_path(fcinfo, 1);
	Datum *elements;
	bool *nulls;
	int n;
	char **values;
	int i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	values = palloc(sizeof(char *) * (n + 1));
	for (i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a value of a domain must not be null")));
		values[i] = TextDatumGetCString(elements[i]);
	}
	if (!fm_schema_set_domain_values(schema, &path, values, n, &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_get_domain);
Datum
feature_meta_get_domain(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	FmPath path = getarg_path(fcinfo, 1);
	Tfmd__Feature *holder = fm_schema_get_domain(PG_GETARG_FEATURE_SCHEMA(0), &path, &error);
	StringInfoData buf;

	if (holder == NULL)
	{
		if (error.sqlstate != 0)
			RAISE(error);
		PG_RETURN_NULL();
	}
	initStringInfo(&buf);
	fm_message_print_text(&holder->base, &buf);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}

PG_FUNCTION_INFO_V1(feature_meta_set_presence);
Datum
feature_meta_set_presence(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema;
	FmPath path;
	double min_fraction;
	int64 min_count;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	schema = PG_GETARG_FEATURE_SCHEMA(0);
	path = getarg_path(fcinfo, 1);
	if (!fm_schema_set_presence(schema, &path, getarg_float8(fcinfo, 2, &min_fraction),
								getarg_int64(fcinfo, 3, &min_count), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

/*
 * What set_value_count and set_unique share
 */
static Datum
set_bounds(FunctionCallInfo fcinfo,
		   bool (*set)(Tfmd__Schema *, const FmPath *, const int64 *, const int64 *, FmError *))
{
	FmError error = {0};
	Tfmd__Schema *schema;
	FmPath path;
	int64 min;
	int64 max;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	schema = PG_GETARG_FEATURE_SCHEMA(0);
	path = getarg_path(fcinfo, 1);
	if (!set(schema, &path, getarg_int64(fcinfo, 2, &min), getarg_int64(fcinfo, 3, &max), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_set_value_count);
Datum
feature_meta_set_value_count(PG_FUNCTION_ARGS)
{
	return set_bounds(fcinfo, fm_schema_set_value_count);
}

PG_FUNCTION_INFO_V1(feature_meta_set_unique);
Datum
feature_meta_set_unique(PG_FUNCTION_ARGS)
{
	return set_bounds(fcinfo, fm_schema_set_unique);
}

PG_FUNCTION_INFO_V1(feature_meta_set_environment);
Datum
feature_meta_set_environment(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);
	FmPath path = getarg_path(fcinfo, 1);

	if (!fm_schema_set_environment(schema, &path, text_to_cstring(PG_GETARG_TEXT_PP(2)), PG_GETARG_BOOL(3), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_set_default_environment);
Datum
feature_meta_set_default_environment(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);

	if (!fm_schema_set_default_environment(schema, text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_GETARG_BOOL(2), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

/*
 * What set_drift_threshold and set_skew_threshold share
 */
static Datum
set_threshold(FunctionCallInfo fcinfo, bool drift)
{
	FmError error = {0};
	Tfmd__Schema *schema;
	FmPath path;
	double threshold;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	schema = PG_GETARG_FEATURE_SCHEMA(0);
	path = getarg_path(fcinfo, 1);
	if (!fm_schema_set_threshold(schema, &path, drift, getarg_float8(fcinfo, 2, &threshold),
								 PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_set_drift_threshold);
Datum
feature_meta_set_drift_threshold(PG_FUNCTION_ARGS)
{
	return set_threshold(fcinfo, true);
}

PG_FUNCTION_INFO_V1(feature_meta_set_skew_threshold);
Datum
feature_meta_set_skew_threshold(PG_FUNCTION_ARGS)
{
	return set_threshold(fcinfo, false);
}

PG_FUNCTION_INFO_V1(feature_meta_drop_feature);
Datum
feature_meta_drop_feature(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);
	FmPath path = getarg_path(fcinfo, 1);

	if (!fm_schema_drop_feature(schema, &path, &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_rename_feature);
Datum
feature_meta_rename_feature(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);
	FmPath path = getarg_path(fcinfo, 1);

	if (!fm_schema_rename_feature(schema, &path, text_to_cstring(PG_GETARG_TEXT_PP(2)), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}

PG_FUNCTION_INFO_V1(feature_meta_merge_schema);
Datum
feature_meta_merge_schema(PG_FUNCTION_ARGS)
{
	FmError error = {0};
	Tfmd__Schema *schema = PG_GETARG_FEATURE_SCHEMA(0);

	if (!fm_schema_merge(schema, PG_GETARG_FEATURE_SCHEMA(1), &error))
		RAISE(error);
	PG_RETURN_MESSAGE(schema);
}
