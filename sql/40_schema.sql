-- What is expected of data: inferring a schema from statistics, loosening it, editing it, comparing two.
-- Features are addressed by serialised path: steps joined by a dot, a step with ( ) . or ' in it in single quotes.

CREATE FUNCTION infer_schema(statistics feature_statistics, infer_feature_shape boolean DEFAULT true, max_string_domain_size integer DEFAULT 100)
	RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_infer_schema' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION infer_schema(feature_statistics, boolean, integer) IS
	'the schema that the statistics suggest: types, presence, shape or value counts, domains of at most so many strings (negative: any number)';

CREATE FUNCTION update_schema(schema feature_schema, statistics feature_statistics, paths text[] DEFAULT NULL, max_string_domain_size integer DEFAULT 100)
	RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_update_schema' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION update_schema(feature_schema, feature_statistics, text[], integer) IS
	'the schema, every constraint loosened until the statistics conform to it and new columns added; paths: only these features';
CREATE FUNCTION update_schema(schema feature_schema, anomalies feature_anomalies, paths text[] DEFAULT NULL) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_update_schema_by_anomalies' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION update_schema(feature_schema, feature_anomalies, text[]) IS
	'the schema, loosened so that these anomalies do not come back; what the anomalies hold no figure for is not limited any more';

CREATE FUNCTION set_domain(schema feature_schema, path text, domain text) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_domain' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION set_domain(feature_schema, text, text) IS
	'replaces a feature''s domain: the name of a shared string domain or a domain in text format, int_domain { min: 0 }; null: none';
CREATE FUNCTION set_domain(schema feature_schema, path text, "values" text[]) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_domain_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_domain(feature_schema, text, text[]) IS 'replaces a feature''s domain by a string domain of these values';
CREATE FUNCTION get_domain(schema feature_schema, path text) RETURNS text
	AS 'MODULE_PATHNAME', 'feature_meta_get_domain' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION get_domain(feature_schema, text) IS
	'a feature''s domain in text format, a shared one with its values; null if it has none';

CREATE FUNCTION set_presence(schema feature_schema, path text, min_fraction double precision DEFAULT NULL, min_count bigint DEFAULT NULL)
	RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_presence' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION set_presence(feature_schema, text, double precision, bigint) IS
	'in what fraction (0 to 1) and number of the rows a feature must be present; both null: no constraint';
CREATE FUNCTION set_value_count(schema feature_schema, path text, min bigint DEFAULT NULL, max bigint DEFAULT NULL) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_value_count' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION set_value_count(feature_schema, text, bigint, bigint) IS
	'how many values a row must have where the feature is present, in place of a shape; both null: no constraint';
CREATE FUNCTION set_unique(schema feature_schema, path text, min bigint DEFAULT NULL, max bigint DEFAULT NULL) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_unique' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION set_unique(feature_schema, text, bigint, bigint) IS
	'how many different values a feature must have (text and categorical features); both null: no constraint';

CREATE FUNCTION set_environment(schema feature_schema, path text, environment text, present boolean DEFAULT true) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_environment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_environment(feature_schema, text, text, boolean) IS
	'says whether a feature is expected in one of the schema''s default environments';
CREATE FUNCTION set_environment(schema feature_schema, environment text, present boolean DEFAULT true) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_default_environment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION set_environment(feature_schema, text, boolean) IS
	'adds a default environment to the schema, or takes it away';

CREATE FUNCTION set_drift_threshold(schema feature_schema, path text, threshold double precision, distance text DEFAULT NULL)
	RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_drift_threshold' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION set_drift_threshold(feature_schema, text, double precision, text) IS
	'how far a feature may be from the previous data by infinity_norm (default for text), jensen_shannon_divergence (default for numbers) or normalized_abs_difference; null: any distance';
CREATE FUNCTION set_skew_threshold(schema feature_schema, path text, threshold double precision, distance text DEFAULT NULL)
	RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_set_skew_threshold' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION set_skew_threshold(feature_schema, text, double precision, text) IS
	'how far a feature may be from the serving data; distances as in set_drift_threshold';

CREATE FUNCTION drop_feature(schema feature_schema, path text) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_drop_feature' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION drop_feature(feature_schema, text) IS
	'the schema without a feature, and without the shared string domains that only it used';
CREATE FUNCTION rename_feature(schema feature_schema, path text, name text) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_rename_feature' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rename_feature(feature_schema, text, text) IS
	'gives a feature another name (the last step of its path), wherever the schema mentions it';
CREATE FUNCTION merge_schema(a feature_schema, b feature_schema) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_merge_schema' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merge_schema(feature_schema, feature_schema) IS
	'a schema to which all data conform that conform to either; a feature of one of them only becomes optional';

CREATE FUNCTION schema_diff(a feature_schema, b feature_schema,
	OUT path text, OUT change text, OUT "from" text, OUT "to" text, OUT breaks_readers boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_schema_diff' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION schema_diff(feature_schema, feature_schema) IS
	'what differs from a to b, and whether who relies on a may meet something new in data that conform to b';

CREATE FUNCTION features(schema feature_schema,
	OUT path text, OUT type text, OUT required boolean, OUT min_fraction double precision, OUT min_count bigint,
	OUT min_values bigint, OUT max_values bigint, OUT shape bigint[],
	OUT domain text, OUT domain_name text, OUT domain_values text[], OUT domain_min double precision, OUT domain_max double precision,
	OUT lifecycle_stage text, OUT in_environment text[], OUT not_in_environment text[])
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_schema_features' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION features(feature_schema) IS
	'a row for each feature of a schema, parents before the features in them';
