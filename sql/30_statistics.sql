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

CREATE FUNCTION feature_statistics(sketch feature_sketch, num_top_values integer DEFAULT 20,
	num_rank_histogram_buckets integer DEFAULT 1000, num_values_histogram_buckets integer DEFAULT 10,
	num_histogram_buckets integer DEFAULT 10, num_quantiles_histogram_buckets integer DEFAULT 10,
	frequency_threshold integer DEFAULT 1, weighted_frequency_threshold double precision DEFAULT 1,
	schema feature_schema DEFAULT NULL) RETURNS feature_statistics
	AS 'MODULE_PATHNAME', 'feature_statistics_of_sketch' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics(feature_sketch, integer, integer, integer, integer, integer, integer, double precision, feature_schema) IS
	'statistics of the rows that a sketch remembers; options as in StatsOptions of TFDV';

CREATE FUNCTION generate_statistics(relation regclass, filter text DEFAULT NULL, num_top_values integer DEFAULT 20,
	num_rank_histogram_buckets integer DEFAULT 1000, num_values_histogram_buckets integer DEFAULT 10,
	num_histogram_buckets integer DEFAULT 10, num_quantiles_histogram_buckets integer DEFAULT 10,
	frequency_threshold integer DEFAULT 1, weighted_frequency_threshold double precision DEFAULT 1,
	schema feature_schema DEFAULT NULL, weight_feature text DEFAULT NULL, feature_allowlist text[] DEFAULT NULL,
	sample_rate double precision DEFAULT 1, label_feature text DEFAULT NULL, enable_semantic_domain_stats boolean DEFAULT false,
	slice_functions jsonb DEFAULT NULL, slice_sqls text[] DEFAULT NULL, cross_features boolean DEFAULT false,
	mutual_information boolean DEFAULT false) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION generate_statistics(regclass, text, integer, integer, integer, integer, integer, integer, double precision,
	feature_schema, text, text[], double precision, text, boolean, jsonb, text[], boolean, boolean) IS
	'statistics of all columns of a table, partitioned table, view, materialized view or foreign table, in one pass; options as in StatsOptions of TFDV';

CREATE FUNCTION relation_sketch(relation regclass, filter text DEFAULT NULL, weight_feature text DEFAULT NULL,
	feature_allowlist text[] DEFAULT NULL, sample_rate double precision DEFAULT 1) RETURNS feature_sketch
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION relation_sketch(regclass, text, text, text[], double precision) IS
	'what one pass over the rows of a relation remembers, to store, merge and turn into statistics';

-- a distributed table of Citus: each shard is sketched where it lies

CREATE FUNCTION is_first_row(tableoid oid) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION is_first_row(oid) IS 'internal: in a WHERE, lets one row of each shard of a distributed table pass';
CREATE FUNCTION sketch_shard(relation oid, list text, rest text, settings text[], OUT slice text, OUT sketches feature_sketch[],
	OUT semantic bytea[]) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION sketch_shard(oid, text, text, text[]) IS
	'internal: on the node of a shard, the part of generate_statistics that reads it';

CREATE FUNCTION num_examples(sketch feature_sketch) RETURNS bigint
	AS 'MODULE_PATHNAME', 'sketch_num_examples' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION num_examples(feature_sketch) IS 'number of rows that a sketch remembers';

-- Aggregates: statistics of groups of rows, as slices are in SQL

CREATE FUNCTION table_statistics_final(internal, record) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_statistics_final(internal, record) IS 'final function of table_statistics(record)';
CREATE AGGREGATE table_statistics("row" record) (
	SFUNC = table_sketch_add, STYPE = internal, SSPACE = 65536, FINALFUNC = table_statistics_final, FINALFUNC_EXTRA,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE table_statistics(record) IS
	'statistics of all columns of the rows: table_statistics(t) FROM t';
CREATE FUNCTION table_statistics_final(internal, record, double precision) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_statistics_final(internal, record, double precision) IS 'final function of table_statistics(record, double precision)';
CREATE AGGREGATE table_statistics("row" record, weight double precision) (
	SFUNC = table_sketch_add, STYPE = internal, SSPACE = 65536, FINALFUNC = table_statistics_final, FINALFUNC_EXTRA,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE table_statistics(record, double precision) IS
	'statistics of all columns of the rows: table_statistics(t) FROM t, each row with a weight';
CREATE FUNCTION column_statistics_final(internal, anyelement) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_statistics_final(internal, anyelement) IS 'final function of column_statistics(anyelement)';
CREATE AGGREGATE column_statistics(value anyelement) (
	SFUNC = column_sketch_add_any, STYPE = internal, SSPACE = 65536, FINALFUNC = column_statistics_final, FINALFUNC_EXTRA,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_statistics(anyelement) IS
	'statistics of one column, whose feature has the empty name';
CREATE FUNCTION column_statistics_final(internal, anyelement, double precision) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_statistics_final(internal, anyelement, double precision) IS 'final function of column_statistics(anyelement, double precision)';
CREATE AGGREGATE column_statistics(value anyelement, weight double precision) (
	SFUNC = column_sketch_add_any, STYPE = internal, SSPACE = 65536, FINALFUNC = column_statistics_final, FINALFUNC_EXTRA,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_statistics(anyelement, double precision) IS
	'statistics of one column, whose feature has the empty name, each row with a weight';
