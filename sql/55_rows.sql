-- Rows against a schema: which ones do not conform, and keeping them out.

CREATE FUNCTION row_anomalies("row" record, schema feature_schema, environment text DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME', 'feature_meta_row_anomalies' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION row_anomalies(record, feature_schema, text) IS
	'what is wrong with a row, as TFDV''s validate_instance says it; a NULL in a required column too';
CREATE FUNCTION row_anomalies(document jsonb, schema feature_schema, environment text DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME', 'feature_meta_document_anomalies' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION row_anomalies(jsonb, feature_schema, text) IS
	'what is wrong with a document whose keys are the features; a key that is not there is a NULL';
CREATE FUNCTION is_valid_row("row" record, schema feature_schema, environment text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'feature_meta_is_valid_row' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION is_valid_row(record, feature_schema, text) IS
	'does a row conform to a schema: are there no row_anomalies';
CREATE FUNCTION is_valid_row(document jsonb, schema feature_schema, environment text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'feature_meta_is_valid_document' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION is_valid_row(jsonb, feature_schema, text) IS
	'does a document conform to a schema: are there no row_anomalies';
CREATE FUNCTION are_valid_columns(relation regclass, schema feature_schema, environment text, VARIADIC columns "any") RETURNS boolean
	AS 'MODULE_PATHNAME', 'feature_meta_are_valid_columns' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION are_valid_columns(regclass, feature_schema, text, "any") IS
	'is_valid_row for the columns of a relation given one by one; anomalous_rows filters by it';

CREATE FUNCTION anomalous_rows(relation regclass, schema feature_schema DEFAULT NULL, "limit" bigint DEFAULT NULL,
	environment text DEFAULT NULL, filter text DEFAULT NULL,
	OUT ctid tid, OUT key jsonb, OUT "column" text, OUT value text, OUT reason text, OUT short_description text, OUT description text,
	OUT tableoid regclass)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_anomalous_rows' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION anomalous_rows(regclass, feature_schema, bigint, text, text) IS
	'the rows of a relation that do not conform to a schema (the registered one by default), a row for each reason; limit counts the relation''s rows';
