-- TFDV's tables: cell by cell what its display_schema, display_anomalies and get_drift_skew_dataframe show.

CREATE FUNCTION display_schema(schema feature_schema,
	OUT feature_name text, OUT type text, OUT presence text, OUT valency text, OUT domain text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_display_schema' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION display_schema(feature_schema) IS
	'TFDV''s table of a schema: a row for each feature of the top level';
CREATE FUNCTION display_schema(relation regclass,
	OUT feature_name text, OUT type text, OUT presence text, OUT valency text, OUT domain text)
	RETURNS SETOF record LANGUAGE SQL STABLE STRICT PARALLEL SAFE ROWS 20
	BEGIN ATOMIC
		SELECT d.feature_name, d.type, d.presence, d.valency, d.domain
		FROM @extschema@.display_schema(@extschema@.registered_schema(relation)) d;
	END;
COMMENT ON FUNCTION display_schema(regclass) IS 'TFDV''s table of the schema registered for a relation';
-- so that display_schema('trips') need not say which of the two is meant
CREATE FUNCTION display_schema(relation text,
	OUT feature_name text, OUT type text, OUT presence text, OUT valency text, OUT domain text)
	RETURNS SETOF record LANGUAGE SQL STABLE STRICT PARALLEL SAFE ROWS 20
	BEGIN ATOMIC
		SELECT d.feature_name, d.type, d.presence, d.valency, d.domain
		FROM @extschema@.display_schema(relation::pg_catalog.regclass) d;
	END;
COMMENT ON FUNCTION display_schema(text) IS 'TFDV''s table of the schema registered for the relation of this name';
CREATE FUNCTION display_domains(schema feature_schema, OUT domain text, OUT "values" text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_display_domains' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION display_domains(feature_schema) IS 'TFDV''s table of a schema''s string domains';
CREATE FUNCTION display_anomalies(anomalies feature_anomalies, OUT feature_name text, OUT short_description text, OUT long_description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_display_anomalies' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION display_anomalies(feature_anomalies) IS
	'TFDV''s table of anomalies, by name; the last row is that of the data set. No row: no anomalies';
CREATE FUNCTION display_drift_skew(anomalies feature_anomalies,
	OUT path text, OUT type text, OUT value double precision, OUT threshold double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_display_drift_skew' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION display_drift_skew(feature_anomalies) IS
	'TFDV''s table of the drift that was measured, whether too much or not; like TFDV it leaves the skew out';
