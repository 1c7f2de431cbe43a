-- The checks of test/citus/check: a line "ok - name" or "not ok - name: why" for each
SET client_min_messages = error;
SET citus.shard_count = 8;
CREATE EXTENSION feature_meta;

SET citus.enable_ddl_propagation = off;
CREATE PROCEDURE pg_temp.check_that(name text, query text) LANGUAGE plpgsql AS $$
DECLARE
	answer boolean;
BEGIN
	EXECUTE 'SELECT ' || query INTO answer;
	RAISE INFO '% - %', CASE WHEN answer THEN 'ok' ELSE 'not ok' END, name;
EXCEPTION WHEN OTHERS THEN
	RAISE INFO 'not ok - %: %', name, SQLERRM;
END $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
	RETURN plan;
END $$;
-- figures that are sums of doubles in any order: equal but for the last digits
CREATE FUNCTION pg_temp.nearly(a text, b text) RETURNS boolean LANGUAGE sql AS $$
	SELECT regexp_replace(a, '[-+0-9.e]+', '#', 'g') = regexp_replace(b, '[-+0-9.e]+', '#', 'g') AND bool_and(abs(x[1]::float8 - y[1]::float8) <= 1e-9 + 1e-9 * abs(x[1]::float8))
	FROM ROWS FROM (regexp_matches(a, '-?\d+(?:\.\d+)?(?:e[-+]?\d+)?', 'g'), regexp_matches(b, '-?\d+(?:\.\d+)?(?:e[-+]?\d+)?', 'g')) AS n(x, y)
$$;
RESET citus.enable_ddl_propagation;

-- the same rows in a table of one node and in a distributed one; every value within the exact bound
CREATE TABLE alone AS
SELECT i, CASE WHEN i % 20 <> 0 THEN i % 317 END AS n, CASE WHEN i % 19 <> 0 THEN (i % 211) / 7.0::double precision * 10 ^ (i % 7) END AS f,
	'v' || i % 97 AS s, i % 3 = 0 AS b, date '2026-01-01' + i % 50 AS day, timestamptz '2026-01-01 00:00+00' + i % 99 * interval '1 hour' AS at,
	ARRAY[i % 4, NULL, i % 5] AS a, jsonb_build_object('x', i % 7, 'y', jsonb_build_array('k' || i % 3, i % 2)) AS j,
	CASE WHEN i % 5 <> 0 THEN (i % 300)::numeric / 8 END AS num, i % 10 / 4.0::double precision AS w,
	CASE WHEN i % 11 <> 0 THEN repeat('long ', i % 3 * 300) || i % 3 END AS long, interval '1 hour' * (i % 12) AS span
FROM generate_series(1, 4200) AS i;
CREATE TABLE spread (LIKE alone);
SELECT create_distributed_table('spread', 'i');
INSERT INTO spread SELECT * FROM alone;
ANALYZE alone, spread;

-- column_sketch of each type: pushed down, as a state that travels as text, and the same as of one process
CREATE TABLE types AS
SELECT i, b AS boolean, (i % 300)::smallint AS smallint, n AS integer, i::bigint * 7 AS bigint, f::real AS real, f AS "double precision", num AS numeric, s AS text,
	decode(md5(s), 'hex') AS bytea, day AS date, at::time AS "time without time zone", at::timestamp AS "timestamp without time zone", at AS "timestamp with time zone",
	md5(s)::uuid AS uuid, j AS jsonb, ARRAY[b, NULL] AS "boolean[]", ARRAY[n]::smallint[] AS "smallint[]", a AS "integer[]", a::bigint[] AS "bigint[]",
	ARRAY[f]::real[] AS "real[]", ARRAY[f, 1] AS "double precision[]", ARRAY[s, NULL, 'x'] AS "text[]"
FROM alone;
CREATE TABLE types_spread (LIKE types);
SELECT create_distributed_table('types_spread', 'i');
INSERT INTO types_spread SELECT * FROM types;
SET citus.coordinator_aggregation_strategy = disabled;
SELECT format('CALL pg_temp.check_that(%L, %L);', format('column_sketch(%s%s) is pushed down', type, weight),
	format('pg_temp.plan_of($q$SELECT column_sketch(%1$I%2$s) FROM types_spread$q$) ~ ''worker_partial_agg.*'' AND
		(SELECT column_sketch(%1$I%2$s) FROM types_spread)::text = (SELECT column_sketch(%1$I%2$s) FROM types)::text', type, weight))
FROM (SELECT format_type(p.proargtypes[0], NULL) AS type, CASE WHEN p.pronargs = 2 THEN ', i::double precision / 16' ELSE '' END AS weight
	FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proname = 'column_sketch' AND a.aggtranstype = 'feature_sketch'::regtype ORDER BY 1, 2) x
\gexec

CALL pg_temp.check_that('GROUP BY another column than that of the distribution', $$(SELECT jsonb_object_agg(day, s::text) FROM (SELECT day, column_sketch(f) AS s FROM spread GROUP BY day) x)
	= (SELECT jsonb_object_agg(day, s::text) FROM (SELECT day, column_sketch(f) AS s FROM alone GROUP BY day) x)$$);
CALL pg_temp.check_that('FILTER', $$(SELECT column_sketch(f) FILTER (WHERE b) FROM spread)::text = (SELECT column_sketch(f) FILTER (WHERE b) FROM alone)::text$$);
CALL pg_temp.check_that('a WHERE that leaves rows on one shard only', $$(SELECT column_sketch(s) FROM spread WHERE i = 77)::text = (SELECT column_sketch(s) FROM alone WHERE i = 77)::text$$);
CALL pg_temp.check_that('no rows at all', $$(SELECT column_sketch(s) FROM spread WHERE i < 0) IS NULL$$);
CALL pg_temp.check_that('several aggregates, a HAVING', $$(SELECT jsonb_agg(x ORDER BY x.b) FROM (SELECT b, column_sketch(n)::text AS n, column_sketch(s)::text AS s, count(*) FROM spread GROUP BY b HAVING count(*) > 1400) x)
	= (SELECT jsonb_agg(x ORDER BY x.b) FROM (SELECT b, column_sketch(n)::text AS n, column_sketch(s)::text AS s, count(*) FROM alone GROUP BY b HAVING count(*) > 1400) x)$$);

-- a distributed table of sketches
RESET citus.coordinator_aggregation_strategy;
CREATE TABLE sketches (key integer, part integer, s feature_sketch);
SELECT create_distributed_table('sketches', 'key');
INSERT INTO sketches SELECT i % 40, i % 2, column_sketch(f) FROM alone GROUP BY 1, 2;
SET citus.coordinator_aggregation_strategy = disabled;
CALL pg_temp.check_that('merge_sketches is pushed down', $$pg_temp.plan_of('SELECT merge_sketches(s) FROM sketches') ~ 'worker_partial_agg'
	AND (SELECT merge_sketches(s) FROM sketches)::text = (SELECT column_sketch(f) FROM alone)::text$$);
CALL pg_temp.check_that('merge_sketches by another column', $$(SELECT merge_sketches(x.s) FROM (SELECT part, merge_sketches(s) AS s FROM sketches GROUP BY part) x)::text = (SELECT column_sketch(f) FROM alone)::text$$);
CALL pg_temp.check_that('merge_sketches of what is grouped by the column of the distribution', $$(SELECT merge_sketches(x.s) FROM (SELECT i, table_sketch_columns('{n,s}', n, s) AS s FROM spread GROUP BY i) x)::text
	= (SELECT table_sketch_columns('{n,s}', n, s) FROM alone)::text$$);
RESET citus.coordinator_aggregation_strategy;

-- one process, parallel workers, the cluster: the whole text of the statistics
SET max_parallel_workers_per_gather = 0;
CREATE TEMPORARY TABLE answer AS SELECT generate_statistics('alone') AS statistics;
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CALL pg_temp.check_that('parallel workers give the statistics of one process', $$pg_temp.plan_of('SELECT table_sketch(t) FROM alone AS t') ~ 'Workers Planned: 2'
	AND generate_statistics('alone')::text = (SELECT statistics::text FROM answer)$$);
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
-- no row comes to the coordinator: to gather rows is an error now
SET citus.coordinator_aggregation_strategy = disabled;
CALL pg_temp.check_that('the cluster gives the statistics of one process', $$generate_statistics('spread')::text = (SELECT statistics::text FROM answer)$$);
CALL pg_temp.check_that('recipe with run_command_on_shards',
	$$(SELECT feature_statistics(merge_sketches(result::feature_sketch)) FROM run_command_on_shards('spread', 'SELECT table_sketch(t) FROM %s AS t') WHERE result <> '')::text = (SELECT statistics::text FROM answer)$$);
SELECT format('CALL pg_temp.check_that(%L, %L);', 'generate_statistics of a distributed table: ' || option,
	format('generate_statistics(''spread'', %1$s)::text = generate_statistics(''alone'', %1$s)::text', option))
FROM unnest(ARRAY['filter => $f$ s LIKE ''v1%'' AND n > 10 -- 5 % of it$f$', 'filter => $f$ i = 77 $f$', 'filter => $f$ false $f$', 'feature_allowlist => $f${s,f}$f$',
	'weight_feature => $f$w$f$', 'weight_feature => $f$w$f$, filter => $f$ b $f$', 'feature_allowlist => $f${}$f$',
	'num_top_values => 3, num_rank_histogram_buckets => 7, num_histogram_buckets => 5, frequency_threshold => 2', 'enable_semantic_domain_stats => true',
	'slice_functions => $f$[{"b": null}, {"s": ["v1", "v2"], "day": null}, {"a": null}]$f$', 'slice_functions => $f$[{"n": null}]$f$, weight_feature => $f$w$f$',
	'slice_sqls => $f${"SELECT s, b WHERE n < 5", "SELECT STRUCT(day) FROM example.day"}$f$',
	'slice_sqls => $f${SELECT nosuch AS x}$f$']) AS option
\gexec
SELECT format('CALL pg_temp.check_that(%L, %L);', 'generate_statistics of a distributed table: ' || option,
	format('pg_temp.nearly(generate_statistics(''spread'', %1$s)::text, generate_statistics(''alone'', %1$s)::text)', option))
FROM unnest(ARRAY['label_feature => $f$s$f$, mutual_information => true, schema => infer_schema(generate_statistics($f$alone$f$, feature_allowlist => $f${s,b,long}$f$))', 'cross_features => true, weight_feature => $f$w$f$']) AS option
\gexec
RESET citus.coordinator_aggregation_strategy;
CALL pg_temp.check_that('slices with cross features', $$pg_temp.nearly(generate_statistics('spread', slice_functions => '[{"b": null}]', cross_features => true)::text,
	generate_statistics('alone', slice_functions => '[{"b": null}]', cross_features => true)::text)$$);
CALL pg_temp.check_that('a sample', $$num_examples(relation_sketch('spread', sample_rate => 0.25)) BETWEEN 850 AND 1250$$);
CALL pg_temp.check_that('infer_schema and validate_table', $$infer_schema(generate_statistics('spread')) = infer_schema((SELECT statistics FROM answer))
	AND (SELECT count(*) FROM anomalies(validate_table('spread', infer_schema((SELECT statistics FROM answer))))) = 0$$);
DO $$ BEGIN PERFORM generate_statistics('spread', filter => 'n / 0 = 1'); RAISE INFO 'not ok - an error on a shard is an error';
EXCEPTION WHEN division_by_zero THEN RAISE INFO 'ok - an error on a shard is an error'; END $$;
DO $$ BEGIN PERFORM generate_statistics('spread', filter => 'true); SELECT (1'); RAISE INFO 'not ok - a filter is one expression';
EXCEPTION WHEN syntax_error THEN RAISE INFO 'ok - a filter is one expression'; END $$;

-- settings of the session hold on the workers
SET feature_meta.max_exact_values = 50;
CALL pg_temp.check_that('feature_meta.max_exact_values', $$(SELECT bool_or(NOT is_exact) FROM features(generate_statistics('spread')) WHERE path IN ('n', 's'))
	AND generate_statistics('spread', feature_allowlist => '{b,a}')::text = generate_statistics('alone', feature_allowlist => '{b,a}')::text$$);
RESET feature_meta.max_exact_values;
SET feature_meta.sketch_distributions = off;
CALL pg_temp.check_that('feature_meta.sketch_distributions', $$generate_statistics('spread')::text = generate_statistics('alone')::text$$);
RESET feature_meta.sketch_distributions;
SET timezone = 'Asia/Kolkata'; SET datestyle = 'German'; SET intervalstyle = 'sql_standard';
CALL pg_temp.check_that('the meaning of times and texts', $$generate_statistics('spread', filter => 'at > ''02.01.2026 03:00''', slice_functions => '[{"day": null}]')::text
	= generate_statistics('alone', filter => 'at > ''02.01.2026 03:00''', slice_functions => '[{"day": null}]')::text$$);
RESET timezone; RESET datestyle; RESET intervalstyle;
SET search_path = '';
CALL pg_temp.check_that('an empty search_path', $$public.generate_statistics('public.spread')::text OPERATOR(pg_catalog.=) (SELECT statistics::text FROM answer)$$);
RESET search_path;
CREATE SCHEMA other;
CREATE FUNCTION other.is_small(integer) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN $1 < 100;
SET search_path = public, other;
CALL pg_temp.check_that('a filter with a function on the search_path', $$generate_statistics('spread', filter => 'is_small(n)')::text = generate_statistics('alone', filter => 'is_small(n)')::text$$);
RESET search_path;

-- beyond the exact bound: within the stated errors
CREATE TABLE many AS SELECT i, i * 1.7::double precision AS f, md5(i::text) AS s FROM generate_series(1, 60000) AS i;
CREATE TABLE many_spread (LIKE many);
SELECT create_distributed_table('many_spread', 'i');
INSERT INTO many_spread SELECT * FROM many;
CREATE TEMPORARY TABLE beyond AS SELECT generate_statistics('many_spread') AS statistics;
CALL pg_temp.check_that('beyond the bound, what is always exact', $$(SELECT array_agg((path, num_non_missing, mean, std_dev, min, max, avg_length)) FROM features((SELECT statistics FROM beyond)))
	= (SELECT array_agg((path, num_non_missing, mean, std_dev, min, max, avg_length)) FROM features(generate_statistics('many')))$$);
CALL pg_temp.check_that('beyond the bound, the distinct values', $$(SELECT abs("unique" / 60000.0 - 1) < 0.03 FROM features((SELECT statistics FROM beyond)) WHERE path = 's')$$);
CALL pg_temp.check_that('beyond the bound, quantiles within 0.5 % of the ranks', $$(SELECT bool_and(abs((bucket ->> 'high_value')::float8 / 1.7 / 60000 - at / 10.0) < 0.005)
	FROM jsonb_array_elements((SELECT statistics FROM beyond)::jsonb #> '{datasets,0,features,1,num_stats,histograms,1,buckets}') WITH ORDINALITY AS q(bucket, at))$$);

-- what is not committed yet is read, and a distributed table that has just been emptied
BEGIN;
INSERT INTO spread (i, n) SELECT i, -5 FROM generate_series(10001, 10100) AS i;
CALL pg_temp.check_that('rows of the own transaction', $$(SELECT min FROM features(generate_statistics('spread')) WHERE path = 'n') = -5$$);
TRUNCATE spread;
CALL pg_temp.check_that('an empty table', $$generate_statistics('spread')::text = generate_statistics('alone', filter => 'false')::text$$);
ROLLBACK;

-- record_statistics; partitions
CALL pg_temp.check_that('record_statistics', $$record_statistics('spread', '2026-01-01') = 4200$$);
CALL pg_temp.check_that('recorded_statistics', $$recorded_statistics('spread', '2026-01-01')::text = (SELECT statistics::text FROM answer)$$);
CREATE TABLE sale (day date, i integer, amount double precision) PARTITION BY RANGE (day);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE sale_3 PARTITION OF sale FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
SELECT create_distributed_table('sale', 'i');
INSERT INTO sale SELECT date '2026-01-01' + i % 50, i, i % 7 / 3.0 FROM generate_series(1, 3000) AS i;
CREATE TABLE sale_alone AS SELECT * FROM sale;
CALL pg_temp.check_that('a partitioned table', $$generate_statistics('sale')::text = generate_statistics('sale_alone')::text$$);
CALL pg_temp.check_that('incremental', $$record_statistics('sale', '2026-01-01', incremental => true) = 3000$$);
CALL pg_temp.check_that('incremental, read back', $$recorded_statistics('sale', '2026-01-01')::text = generate_statistics('sale_alone')::text$$);
CREATE TEMPORARY TABLE before AS SELECT partition, xmin::text AS version FROM feature_meta.recorded_partition;
CALL pg_temp.check_that('incremental, nothing changed', $$record_statistics('sale', '2026-01-02', incremental => true) = 3000$$);
CALL pg_temp.check_that('incremental, nothing read', $$(SELECT count(*) FROM feature_meta.recorded_partition p JOIN before b ON b.partition = p.partition AND b.version = p.xmin::text) = 3$$);
UPDATE sale SET amount = amount WHERE day < '2026-02-01' AND i % 2 = 0;
CALL pg_temp.check_that('incremental, one partition changed', $$record_statistics('sale', '2026-01-03', incremental => true) = 3000$$);
CALL pg_temp.check_that('incremental, one partition read', $$(SELECT array_agg(p.partition::text) FROM feature_meta.recorded_partition p LEFT JOIN before b ON b.partition = p.partition AND b.version = p.xmin::text
	WHERE b.partition IS NULL) = '{sale_1}'$$);

-- names; dropped and generated columns; other kinds of tables
CREATE TABLE "A ""quoted"" 50% table's" ("K" integer, gone integer, "a 'b' %s %" double precision, twice integer GENERATED ALWAYS AS ("K" * 2) STORED);
ALTER TABLE "A ""quoted"" 50% table's" DROP COLUMN gone;
SELECT create_distributed_table('"A ""quoted"" 50% table''s"', 'K');
INSERT INTO "A ""quoted"" 50% table's" SELECT i, i % 9 / 2.0 FROM generate_series(1, 500) AS i;
CREATE TABLE quoted_alone AS SELECT * FROM "A ""quoted"" 50% table's";
CALL pg_temp.check_that('names with quotes and %', $$generate_statistics('"A ""quoted"" 50% table''s"', filter => '"a ''b'' %s %" > 1')::text = generate_statistics('quoted_alone', filter => '"a ''b'' %s %" > 1')::text$$);
CREATE TABLE reference (LIKE alone);
SELECT create_reference_table('reference');
INSERT INTO reference SELECT * FROM alone;
CALL pg_temp.check_that('a reference table', $$generate_statistics('reference')::text = (SELECT statistics::text FROM answer)$$);
CREATE TABLE single (LIKE alone);
SELECT create_distributed_table('single', NULL);
INSERT INTO single SELECT * FROM alone;
CALL pg_temp.check_that('a table of one shard', $$generate_statistics('single')::text = (SELECT statistics::text FROM answer)$$);
CREATE VIEW seen AS SELECT * FROM spread;
CALL pg_temp.check_that('a view of a distributed table (its rows are gathered)', $$generate_statistics('seen')::text = (SELECT statistics::text FROM answer)$$);

-- privileges and policies are the caller's
CREATE ROLE citus_check_reader LOGIN;
SET ROLE citus_check_reader;
DO $$ BEGIN PERFORM generate_statistics('spread'); RAISE INFO 'not ok - no privilege';
EXCEPTION WHEN insufficient_privilege THEN RAISE INFO 'ok - no privilege'; END $$;
RESET ROLE;
GRANT SELECT ON spread TO citus_check_reader;
GRANT SELECT (statistics) ON answer TO citus_check_reader;
SET ROLE citus_check_reader;
CALL pg_temp.check_that('a role that may read', $$generate_statistics('spread')::text = (SELECT statistics::text FROM answer)$$);
RESET ROLE;
ALTER TABLE spread ENABLE ROW LEVEL SECURITY;
CREATE POLICY late ON spread TO citus_check_reader USING (i > 4000);
SET ROLE citus_check_reader;
CALL pg_temp.check_that('row security', $$num_examples(relation_sketch('spread')) = 200$$);
RESET ROLE;
