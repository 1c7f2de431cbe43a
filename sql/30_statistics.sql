-- Statistics of tables: what people read

CREATE FUNCTION features(statistics feature_statistics, OUT dataset text, OUT path text, OUT type text,
	OUT num_non_missing bigint, OUT num_missing bigint, OUT min_num_values bigint, OUT max_num_values bigint,
	OUT avg_num_values double precision, OUT tot_num_values bigint, OUT mean double precision, OUT std_dev double precision,
	OUT num_zeros bigint, OUT num_nan bigint, OUT min double precision, OUT median double precision, OUT max double precision,
	OUT earliest text, OUT latest text, OUT "unique" bigint, OUT top_value text, OUT top_frequency double precision,
	OUT avg_length double precision, OUT is_exact boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'features_of_statistics' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 50;
COMMENT ON FUNCTION features(feature_statistics) IS
	'a row for each feature of each data set: its figures, times also as times, and whether all are exact';
