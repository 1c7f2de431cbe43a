-- Statistics of two columns

CREATE FUNCTION cross_feature_statistics(relation regclass, feature_crosses text[] DEFAULT NULL, filter text DEFAULT NULL,
	sample_rate double precision DEFAULT 1) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION cross_feature_statistics(regclass, text[], text, double precision) IS
	'covariance and correlation of pairs of numeric columns (an array of pairs; NULL: all), over the rows where both have one value';

CREATE FUNCTION lift_statistics(relation regclass, y_path text, x_paths text[] DEFAULT NULL, schema feature_schema DEFAULT NULL,
	y_boundaries double precision[] DEFAULT NULL, min_x_count integer DEFAULT 0, top_k_per_y integer DEFAULT NULL,
	bottom_k_per_y integer DEFAULT NULL, weight_feature text DEFAULT NULL, output_custom_stats boolean DEFAULT false,
	slice_functions jsonb DEFAULT NULL, slice_sqls text[] DEFAULT NULL, filter text DEFAULT NULL,
	sample_rate double precision DEFAULT 1) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lift_statistics(regclass, text, text[], feature_schema, double precision[], integer, integer, integer, text, boolean,
	jsonb, text[], text, double precision) IS
	'lift of the values of categorical columns for each value of a label: P(y | x) / P(y)';

CREATE FUNCTION mutual_information(relation regclass, label_feature text, schema feature_schema, filter text DEFAULT NULL,
	sample_rate double precision DEFAULT 1) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mutual_information(regclass, text, feature_schema, text, double precision) IS
	'mutual information, in nats, of a label and each feature of a schema, as custom statistics';
