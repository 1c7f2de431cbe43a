-- Statistics against a schema

CREATE FUNCTION validate_statistics(statistics feature_statistics, schema feature_schema, environment text DEFAULT NULL,
	previous_statistics feature_statistics DEFAULT NULL, serving_statistics feature_statistics DEFAULT NULL,
	previous_version_statistics feature_statistics DEFAULT NULL, config text DEFAULT NULL,
	custom_validation_config text DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION validate_statistics(feature_statistics, feature_schema, text, feature_statistics, feature_statistics,
	feature_statistics, text, text) IS
	'what is wrong with data, by its statistics and a schema; drift, skew and sizes against other statistics; configurations in text format';

CREATE FUNCTION validate_corresponding_slices(statistics feature_statistics, schema feature_schema,
	environment text DEFAULT NULL, previous_statistics feature_statistics DEFAULT NULL,
	serving_statistics feature_statistics DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION validate_corresponding_slices(feature_statistics, feature_schema, text, feature_statistics, feature_statistics) IS
	'validate_statistics slice by slice; feature f of slice s is named slice(s)::f';

CREATE FUNCTION custom_validate_statistics(statistics feature_statistics, config text,
	base_statistics feature_statistics DEFAULT NULL, environment text DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION custom_validate_statistics(feature_statistics, text, feature_statistics, text) IS
	'evaluates the expressions of a CustomValidationConfig (text format) over statistics';

CREATE FUNCTION anomalies(anomalies feature_anomalies, OUT path text, OUT severity text, OUT type text,
	OUT short_description text, OUT description text, OUT reason integer) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION anomalies(feature_anomalies) IS
	'a row for each reason of each anomaly; path is NULL for the data set, reason counts within a path';

CREATE FUNCTION drift_measurements(anomalies feature_anomalies, OUT path text, OUT comparison text, OUT type text,
	OUT value double precision, OUT threshold double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION drift_measurements(feature_anomalies) IS
	'a row for each distance measured by a drift or skew comparator, above its threshold or not';

CREATE FUNCTION assert_valid(anomalies feature_anomalies, min_severity text DEFAULT 'ERROR') RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION assert_valid(feature_anomalies, text) IS
	'raises 23514 that lists the anomalies of the severity or above, and when there was no data; else returns its argument';
