-- generate_statistics over every kind of relation, its options and its refusals
CREATE TABLE trip (day date, vendor text, fare double precision, passengers integer, tip numeric, tags text[], at timestamptz,
	noon time, info jsonb, flag boolean);
INSERT INTO trip
SELECT '2026-11-01'::date + i % 3, 'v' || i % 2, i, CASE WHEN i % 10 > 0 THEN i % 5 END, i / 4.0, CASE WHEN i % 4 > 0 THEN array_fill('t'::text, ARRAY[i % 4]) END,
	'2026-11-01 00:00+00'::timestamptz + i * interval '1 hour', '12:00'::time + i * interval '1 minute', jsonb_build_object('a', i), i % 2 = 0
FROM generate_series(1, 40) i;

-- one row a feature, in the order of the columns
SELECT path, type, num_non_missing, num_missing, min_num_values, max_num_values, mean, std_dev, num_zeros, min, median, max
FROM features(generate_statistics('trip'));
SELECT path, earliest, latest, "unique", top_value, top_frequency, avg_length, is_exact FROM features(generate_statistics('trip'));

-- the columns of time carry their domain
SELECT f -> 'path' -> 'step' ->> 0 AS feature, f -> 'custom_stats'
FROM jsonb_array_elements(generate_statistics('trip')::jsonb -> 'datasets' -> 0 -> 'features') f
WHERE f ? 'custom_stats';

-- views, materialized views, partitions: the same rows, the same statistics
CREATE VIEW trip_view AS SELECT * FROM trip;
CREATE MATERIALIZED VIEW trip_kept AS SELECT * FROM trip;
CREATE TABLE trip_by_day (LIKE trip) PARTITION BY LIST (day);
CREATE TABLE trip_1 PARTITION OF trip_by_day FOR VALUES IN ('2026-11-01');
CREATE TABLE trip_2 PARTITION OF trip_by_day DEFAULT;
INSERT INTO trip_by_day SELECT * FROM trip;
SELECT generate_statistics('trip_view') = generate_statistics('trip') AS view,
	generate_statistics('trip_kept') = generate_statistics('trip') AS materialized_view,
	generate_statistics('trip_by_day') = generate_statistics('trip') AS partitioned;

-- a filter is one expression, and sees the table under its own name
SELECT num_non_missing FROM features(generate_statistics('trip', filter => 'trip.vendor = ''v1'' AND fare > 20 -- so')) WHERE path = 'fare';
SELECT generate_statistics('trip', filter => 'fare > 20) OR (true');
SELECT generate_statistics('trip', filter => 'fare > 20, true');
SELECT generate_statistics('trip', filter => 'true FROM pg_class');
SELECT generate_statistics('trip', filter => 'true ORDER BY 1');
SELECT generate_statistics('trip', filter => '*');
SELECT generate_statistics('trip', filter => 'true; DROP TABLE trip');
SELECT generate_statistics('trip', filter => '');

-- options
SELECT array_agg(path) FROM features(generate_statistics('trip', feature_allowlist => '{tip,fare}'));
SELECT generate_statistics('trip', feature_allowlist => '{tip,fare}', cross_features => true)::jsonb #> '{datasets,0,cross_features,0,count}' AS pair,
	jsonb_array_length(generate_statistics('trip', feature_allowlist => '{tip,fare,passengers}', cross_features => true)::jsonb #> '{datasets,0,cross_features}') AS pairs;
-- bytes: a null inside a list is a value of no bytes
SELECT f -> 'bytes_stats' ->> 'min_num_bytes' AS min, f -> 'bytes_stats' ->> 'max_num_bytes' AS max
FROM jsonb_array_elements(generate_statistics('trip', feature_allowlist => '{vendor,tags}', schema => 'feature { name: "vendor" type: BYTES image_domain { } } feature { name: "tags" type: BYTES image_domain { } }')::jsonb
	#> '{datasets,0,features}') f;
SELECT generate_statistics('trip', feature_allowlist => '{nosuch}');
SELECT generate_statistics('trip', feature_allowlist => '{fare,NULL}');
SELECT jsonb_array_length(s -> 'top_values'), jsonb_array_length(s -> 'rank_histogram' -> 'buckets')
FROM (SELECT generate_statistics('trip', feature_allowlist => '{day,vendor}', num_top_values => 1, num_rank_histogram_buckets => 2)::jsonb
	#> '{datasets,0,features,1,string_stats}') x(s);
SELECT generate_statistics('trip', num_quantiles_histogram_buckets => 0);
SELECT generate_statistics('trip', num_values_histogram_buckets => 100000);
SELECT generate_statistics('trip', num_top_values => -1);
SELECT generate_statistics('trip', frequency_threshold => -1);
SELECT generate_statistics('trip', weighted_frequency_threshold => -0.5);
SELECT generate_statistics('trip', weighted_frequency_threshold => 'NaN');
SELECT generate_statistics('trip', label_feature => 'nosuch');
SELECT generate_statistics('trip', weight_feature => 'nosuch');
SELECT generate_statistics('trip', num_top_values => NULL) = generate_statistics('trip') AS null_is_default;
SELECT generate_statistics(NULL) IS NULL AS null_relation;
SELECT generate_statistics('trip', sample_rate => 1.5);
SELECT num_non_missing < 40 AS sampled FROM features(generate_statistics('trip', sample_rate => 0.1)) WHERE path = 'fare';
SELECT num_non_missing < 40 AS sampled FROM features(generate_statistics('trip_view', sample_rate => 0.1)) WHERE path = 'fare';

-- weights
SELECT s #>> '{datasets,0,weighted_num_examples}' AS weight, s #> '{datasets,0,features,0,num_stats,weighted_numeric_stats,mean}' AS mean
FROM (SELECT generate_statistics('trip', weight_feature => 'tip', feature_allowlist => '{fare}')::jsonb) x(s);
SELECT generate_statistics('trip', weight_feature => 'passengers');
SELECT generate_statistics('trip', weight_feature => 'vendor');
SELECT generate_statistics('trip', weight_feature => 'tags');
SELECT generate_statistics('trip', weight_feature => 'nosuch');

-- a schema makes integers categorical and leaves values uncounted
SELECT path, type, "unique", top_value FROM features(generate_statistics('trip', feature_allowlist => '{passengers,vendor}',
	schema => 'feature { name: "passengers" type: INT int_domain { is_categorical: true } }
		feature { name: "vendor" type: BYTES string_domain { is_categorical: CATEGORICAL_NO } }'));

-- what has no rows
CREATE SEQUENCE trip_number;
SELECT generate_statistics('trip_number');
SELECT generate_statistics(4294967295);

-- aggregates: GROUP BY is slicing
SELECT vendor, (SELECT array_agg(num_non_missing ORDER BY path) FROM features(table_statistics(t)) WHERE path IN ('fare', 'passengers'))
FROM trip t GROUP BY vendor ORDER BY vendor;
SELECT table_statistics(t) = generate_statistics('trip') AS equal FROM trip t;
SELECT table_statistics(t) = generate_statistics('trip', filter => 'false') AS empty_equal FROM trip t WHERE false;
SELECT f.type, f.mean, f.max FROM (SELECT column_statistics(fare) FROM trip) x(s), features(s) f;
SELECT f.type, f.num_non_missing FROM (SELECT column_statistics(fare) FROM trip WHERE false) x(s), features(s) f;
SELECT s #> '{datasets,0,features,0,num_stats,weighted_numeric_stats,mean}' AS mean
FROM (SELECT column_statistics(fare, tip::double precision)::jsonb FROM trip) x(s);

-- sketch first, statistics after, as often as one likes
SELECT feature_statistics(relation_sketch('trip')) = generate_statistics('trip') AS equal,
	num_examples(relation_sketch('trip', filter => 'fare <= 7')) AS seven;
SELECT feature_statistics(merge_sketches(s)) = generate_statistics('trip') AS merged
FROM (SELECT relation_sketch('trip', filter => 'day = ''2026-11-01''') UNION ALL SELECT relation_sketch('trip', filter => 'day > ''2026-11-01''')) x(s);

-- workers give the same answer
CREATE TABLE many AS SELECT i % 1000 AS a, (i % 77)::double precision / 7 AS b, 'v' || i % 50 AS c FROM generate_series(1, 30000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 0;
CREATE TEMPORARY TABLE answer AS SELECT generate_statistics('many') AS alone;
SET max_parallel_workers_per_gather = 2;
SELECT generate_statistics('many') = alone AS same FROM answer;
RESET ALL;

-- a table of no columns
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
SELECT generate_statistics('nothing');

-- what a node of a shard is asked (test/citus/check has the cluster): a row of each partition, and the part of the statistics
SELECT day, count(*) FROM trip_by_day WHERE is_first_row(trip_by_day.tableoid) GROUP BY day ORDER BY day;
CREATE FUNCTION part(list text, rest text, VARIADIC settings text[] DEFAULT '{public,UTC,ISO,postgres,1,hex,4300,on}')
	RETURNS TABLE (slice text, rows bigint[], semantic integer) LANGUAGE sql AS
	$$SELECT slice, array(SELECT num_examples(s) FROM unnest(sketches) s), cardinality(semantic) FROM sketch_shard('trip'::regclass, list, rest, settings)$$;
SELECT * FROM part('trip.vendor, ARRAY[column_sketch(fare), column_sketch(day)], ARRAY[semantic_domain_counts(vendor), NULL]', ' AS trip WHERE fare < 21 GROUP BY 1 ORDER BY 1');
SELECT rows, current_setting('datestyle') FROM part('NULL::text, ARRAY[column_sketch(fare)], ARRAY[]::bytea[]', ' AS trip WHERE day = ''02.11.2026''', 'public', 'UTC', 'German', 'postgres', '1', 'hex', '4300', 'on');
SELECT * FROM part('1', '');
SELECT * FROM part('NULL::text, ARRAY[column_sketch(fare)], ARRAY[]::bytea[]', '', 'public');
SELECT * FROM part('NULL::text, ARRAY[column_sketch(fare)], ARRAY[]::bytea[]', ' AS t; DELETE FROM trip');
SELECT sketch_shard(4294967295, '', '', '{}');
DROP FUNCTION part;
