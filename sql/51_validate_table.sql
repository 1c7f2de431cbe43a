-- A relation against a schema

CREATE FUNCTION validate_table(relation regclass, schema feature_schema DEFAULT NULL, environment text DEFAULT NULL,
	previous_statistics feature_statistics DEFAULT NULL, serving_statistics feature_statistics DEFAULT NULL,
	previous_version_statistics feature_statistics DEFAULT NULL, config text DEFAULT NULL,
	custom_validation_config text DEFAULT NULL, filter text DEFAULT NULL, weight_feature text DEFAULT NULL,
	sample_rate double precision DEFAULT 1) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION validate_table(regclass, feature_schema, text, feature_statistics, feature_statistics, feature_statistics,
	text, text, text, text, double precision) IS
	'what is wrong with the rows of a relation: validate_statistics of its statistics, read in one pass; the registered schema by default';
