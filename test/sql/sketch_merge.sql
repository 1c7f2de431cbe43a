-- Sketches: the same bytes from any split, any order, any number of workers, while all is exact
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.sketch_refuses(t text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN PERFORM t::feature_sketch; RETURN false; EXCEPTION WHEN invalid_text_representation OR invalid_binary_representation THEN RETURN true; END $$;
CREATE TABLE sketch_rows AS
SELECT i AS id, CASE WHEN i % 20 <> 0 THEN i % 317 END AS n, CASE WHEN i % 19 <> 0 THEN (i % 211) / 7.0::double precision END AS f,
	   'v' || i % 97 AS s, i % 3 = 0 AS b, date '2026-01-01' + i % 50 AS d, ARRAY[i % 4, NULL, i % 5] AS a,
	   jsonb_build_object('x', i % 7, 'y', jsonb_build_array('k' || i % 3, i % 2)) AS j, left(md5(i::text), 12) AS key
FROM generate_series(1, 4000) AS i;
ANALYZE sketch_rows;

-- parts of 2 to 40 pieces, merged in the order of another column
SELECT parts, (SELECT merge_sketches(s ORDER BY o) FROM (SELECT table_sketch(t) AS s, min(key) AS o FROM sketch_rows AS t
				GROUP BY hashtext(key) % parts) AS p)::text = (SELECT table_sketch(t) FROM sketch_rows AS t)::text AS same
FROM unnest(ARRAY[2, 3, 7, 40]) AS parts;

-- merge(a, b) is commutative and associative
WITH p AS (SELECT id % 3 AS k, column_sketch(f) AS s FROM sketch_rows GROUP BY 1),
x AS (SELECT (SELECT s FROM p WHERE k = 0) AS a, (SELECT s FROM p WHERE k = 1) AS b, (SELECT s FROM p WHERE k = 2) AS c)
SELECT merge(a, b)::text = merge(b, a)::text AS commutative, merge(merge(a, b), c)::text = merge(a, merge(b, c))::text AS associative,
	   merge(merge(a, b), c)::text = (SELECT column_sketch(f) FROM sketch_rows)::text AS whole FROM x;

-- with weights
SELECT (SELECT merge_sketches(s) FROM (SELECT column_sketch(f, id / 10.0) AS s FROM sketch_rows GROUP BY id % 11) AS p)::text
	   = (SELECT column_sketch(f, id / 10.0) FROM sketch_rows)::text AS same;

-- parallel workers
CREATE TEMP TABLE one_process AS SELECT table_sketch(t) AS rows, NULL::feature_sketch AS f FROM sketch_rows AS t;
UPDATE one_process SET f = (SELECT column_sketch(f) FROM sketch_rows);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT (SELECT table_sketch(t) FROM sketch_rows AS t)::text = rows::text AS rows, (SELECT column_sketch(f) FROM sketch_rows)::text = f::text AS f
FROM one_process;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- through text and binary forms, GROUPING SETS, a table of more columns than one aggregate takes
SELECT s::text::feature_sketch::text = s::text AS text FROM (SELECT table_sketch(t) AS s FROM sketch_rows AS t) AS x;
SELECT count(*) AS groups, (SELECT merge_sketches(s) FROM (SELECT column_sketch(n) AS s FROM sketch_rows GROUP BY b) AS y)::text
	   = max(s::text) FILTER (WHERE b IS NULL) AS whole
FROM (SELECT b, column_sketch(n) AS s FROM sketch_rows GROUP BY GROUPING SETS ((b), ())) AS x;
SELECT combine_columns((SELECT table_sketch_columns('{n,f}', n, f) FROM sketch_rows), (SELECT table_sketch_columns('{s}', s) FROM sketch_rows))::text
	   = (SELECT table_sketch_columns('{n,f,s}', n, f, s) FROM sketch_rows)::text AS combined;

-- beyond the exact bound the size stays bounded
SELECT length(column_sketch(i * 1.7::double precision)::text) < 80000 AS float, length(column_sketch(i)::text) < 80000 AS int,
	   length(column_sketch(md5(i::text))::text) < 110000 AS text FROM generate_series(1, 100000) AS i;

-- however many rows of empty lists a sketch counts, what is merged takes the same time
DO $$
DECLARE
	s feature_sketch;
	deep feature_sketch;
	wide feature_sketch;
	direct feature_sketch;
BEGIN
	SET LOCAL statement_timeout = '60s';
	SELECT column_sketch(ARRAY[NULL]::integer[]) INTO s;
	SELECT column_sketch(ARRAY[[1]]) INTO deep;
	SELECT column_sketch(CASE WHEN i <= 256 THEN ARRAY[NULL]::integer[] ELSE ARRAY[[1]] END ORDER BY i) INTO direct FROM generate_series(1, 257) AS i;
	FOR i IN 1..45 LOOP
		s := merge(s, s);
		IF i = 8 THEN
			RAISE WARNING 'as of rows: %, %', merge(s, deep)::text = direct::text, merge(deep, s)::text = direct::text;
		END IF;
	END LOOP;
	RAISE WARNING 'examples: %, %', num_examples(merge(s, deep)) - 2::bigint ^ 45, num_examples(merge(deep, s)::text::feature_sketch) - 2::bigint ^ 45;
	PERFORM set_config('feature_meta.max_exact_values', '16', true);
	-- more numbers of values than are kept exactly
	SELECT column_sketch(ARRAY[array_fill(1, ARRAY[i])]) INTO wide FROM generate_series(1, 40) AS i;
	RAISE WARNING 'sketched: %', (SELECT to_jsonb(f) FROM (SELECT num_non_missing - 2::bigint ^ 45 AS present, min_num_values, max_num_values, tot_num_values
		FROM features(feature_statistics(merge(wide, s)::text::feature_sketch))) AS f);
END $$;

-- a state is read and then added to (in a window), or read again (an aggregate that is scanned again): the same as one read at the end
CREATE TABLE window_rows AS SELECT i, i * 7919 % 101 AS n, sqrt(i % 50) AS f, 't' || i * 31 % 17 AS s, ARRAY[i % 7, i] AS a, i % 3 = 0 AS c FROM generate_series(1, 300) AS i;
SELECT count(*) FILTER (WHERE read::text = whole::text) AS same FROM (SELECT table_sketch(w) OVER (ORDER BY i) AS read,
	(SELECT table_sketch(v) FROM window_rows v WHERE v.i <= w.i) AS whole FROM window_rows w) AS x;
SELECT count(*) FILTER (WHERE read IS NOT DISTINCT FROM whole) AS same FROM (SELECT jensen_shannon_divergence(n, c) OVER (ORDER BY i) AS read,
	(SELECT jensen_shannon_divergence(n, c) FROM window_rows v WHERE v.i <= w.i) AS whole FROM window_rows w) AS x;
SET enable_material = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_sort = off;
SELECT count(DISTINCT x.read::text) AS sketches, count(*) AS read FROM generate_series(1, 5) AS again
	LEFT JOIN (SELECT c, table_sketch(w) AS read FROM window_rows w GROUP BY c) AS x ON true;
SELECT count(DISTINCT x.read) AS statistics, count(*) AS read FROM generate_series(1, 5) AS again
	LEFT JOIN (SELECT c, feature_statistics(column_sketch(n * 1000 + i))::text AS read FROM window_rows w GROUP BY c) AS x ON true;
SELECT count(DISTINCT x.read) AS statistics, count(*) AS read FROM generate_series(1, 5) AS again
	LEFT JOIN (SELECT c, feature_statistics(column_sketch(sqrt(i)))::text AS read FROM window_rows w GROUP BY c) AS x ON true;
RESET enable_material;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_sort;
DROP TABLE window_rows;

-- damaged text is refused: each of the first 200 characters changed
SELECT count(*) AS tried, count(*) FILTER (WHERE refused) AS refused FROM (SELECT pg_temp.sketch_refuses(overlay(s PLACING
	   CASE WHEN substr(s, i, 1) = 'A' THEN 'B' ELSE 'A' END FROM i FOR 1)) AS refused
	   FROM (SELECT column_sketch(f)::text AS s FROM sketch_rows) AS x, generate_series(1, 200) AS i) AS y;
SELECT 'fms1:AAAA'::feature_sketch;
SELECT 'nonsense'::feature_sketch;
SELECT merge((SELECT column_sketch(n) FROM sketch_rows), (SELECT column_sketch(s) FROM sketch_rows));
SELECT column_sketch(n, NULL::double precision) FROM sketch_rows;
SELECT table_sketch_columns('{a,a}', n, f) FROM sketch_rows;
DROP TABLE sketch_rows;
