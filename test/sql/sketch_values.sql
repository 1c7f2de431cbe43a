-- Sketches of columns say what SQL's own aggregates say, to the last bit where both are exact
SET client_min_messages = warning;
SET extra_float_digits = 1;
CREATE FUNCTION sketch_figures(s feature_sketch) RETURNS TABLE (path text, type text, present bigint, missing bigint, min_values bigint,
	max_values bigint, tot_values bigint, mean float8, std_dev float8, zeros bigint, num_nan bigint, min float8, max float8, distinct_values bigint, top text, exact boolean)
LANGUAGE sql STABLE AS $$ SELECT path, type, num_non_missing, num_missing, min_num_values, max_num_values, tot_num_values, mean, std_dev, num_zeros, num_nan,
	min, max, "unique", top_value || ' ' || top_frequency, is_exact FROM features(feature_statistics(s)) $$;

-- integers of all widths, against count, avg, stddev_pop, min and max: integers' averages are of exact sums, rounded once
CREATE TABLE sketch_numbers AS
SELECT CASE WHEN i % 13 <> 0 THEN (i * 7919) % 3001 - 1000 END AS n, (i % 5 = 0) AS b, (i % 300)::smallint AS small,
	   9223372036854770000 + i AS big, (i % 77) / 4.0::real AS r, (i % 101) * 0.1::float8 AS f, (i % 50)::numeric / 8 AS num
FROM generate_series(1, 4000) AS i;
SELECT column_sketch(n) IS NOT NULL AS made FROM sketch_numbers;
SELECT f.present = count(n) AS present, f.missing = count(*) - count(n) AS missing, f.mean = avg(n)::float8 AS mean,
	   abs(f.std_dev / stddev_pop(n)::float8 - 1) < 1e-15 AS std_dev, f.min = min(n) AS min, f.max = max(n) AS max, f.zeros = count(*) FILTER (WHERE n = 0) AS zeros, f.exact
FROM sketch_numbers, (SELECT (sketch_figures(column_sketch(n))).* FROM sketch_numbers) AS f GROUP BY f.present, f.missing, f.mean, f.std_dev, f.min, f.max, f.zeros, f.exact;
SELECT f.path, f.type, f.mean, f.std_dev, f.min, f.max, f.zeros FROM (SELECT (sketch_figures(table_sketch(t))).* FROM sketch_numbers AS t) AS f;
SELECT avg(b::int)::float8 AS b, avg(small)::float8 AS small, avg(big)::float8 AS big, avg(r::numeric)::float8 AS r, avg(num)::float8 AS num FROM sketch_numbers;
-- the mean of doubles is that of their exact values (they are multiples of 2^-56 here), not of sums that were rounded
SELECT f.mean / (SELECT (sum((f * 2 ^ 56)::bigint) / (count(*) * (2::numeric ^ 56)::numeric(40, 20)))::float8 FROM sketch_numbers) BETWEEN 1 - 2.3e-16 AND 1 + 2.3e-16 AS mean,
	   f.std_dev / (SELECT stddev_pop((f * 2 ^ 56)::bigint)::float8 / 2 ^ 56 FROM sketch_numbers) BETWEEN 1 - 1e-15 AND 1 + 1e-15 AS std_dev
FROM (SELECT (sketch_figures(column_sketch(f))).* FROM sketch_numbers) AS f;
-- quantiles and frequent values of a weightless column against percentile_disc and GROUP BY
SELECT median = (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM sketch_numbers) AS median
FROM features(feature_statistics((SELECT column_sketch(n) FROM sketch_numbers)));
SELECT (sketch_figures(column_sketch(small::text))).* FROM sketch_numbers;
SELECT small, count(*) FROM sketch_numbers GROUP BY 1 ORDER BY 2 DESC, small::text COLLATE "C" DESC LIMIT 1;
SELECT count(DISTINCT small) FROM sketch_numbers;

-- no rows: no sketch; only NULLs: a sketch of missing values
SELECT column_sketch(n) IS NULL AS none, merge_sketches(NULL::feature_sketch) IS NULL AS nothing_merged FROM sketch_numbers WHERE false;
SELECT (sketch_figures(column_sketch(NULL::integer))).* FROM generate_series(1, 3);
SELECT (sketch_figures(column_sketch(NULL::text))).* FROM generate_series(1, 3);
SELECT (sketch_figures(column_sketch(NULL::jsonb))).* FROM generate_series(1, 3);

-- NaN and infinities are counted, and leave no finite mean; of dates too
SELECT (sketch_figures(column_sketch(x))).* FROM unnest('{NaN,1,-0,0,NULL}'::float8[]) AS x;
SELECT (sketch_figures(column_sketch(x))).* FROM unnest('{Infinity,1,NaN}'::float8[]) AS x;
SELECT (sketch_figures(column_sketch(x))).* FROM unnest('{Infinity,-Infinity}'::float8[]) AS x;
SELECT (sketch_figures(column_sketch(x))).* FROM unnest('{infinity,2026-01-01}'::date[]) AS x;
SELECT (sketch_figures(column_sketch(x))).* FROM unnest('{1e308,1e308,-1e308,5e-324}'::float8[]) AS x;
SELECT (sketch_figures(column_sketch(x))).* FROM unnest('{9223372036854775807,-9223372036854775808,9223372036854775807}'::bigint[]) AS x;

-- a big offset costs no digit: variance of 1e9 + 0, 1, 2 and of 1e15 + 0, 0.125
SELECT round(std_dev::numeric ^ 2, 12) AS variance FROM sketch_figures((SELECT column_sketch(1e9::float8 + i % 3) FROM generate_series(1, 3000) AS i));
SELECT round(std_dev::numeric ^ 2, 12) AS variance FROM sketch_figures((SELECT column_sketch(1e15::float8 + (i % 2) * 0.125) FROM generate_series(1, 3000) AS i));

-- weights: fixed point; of both signs, zero; refused where they are not finite, or too big
SELECT n #>> '{weighted_numeric_stats,mean}' AS mean, n #>> '{common_stats,weighted_common_stats,num_non_missing}' AS num_non_missing
FROM (SELECT feature_statistics(column_sketch(i, i / 4.0))::jsonb #> '{datasets,0,features,0,num_stats}' AS n FROM generate_series(1, 3) AS i) AS x;
SELECT sum(i * i / 4.0) / sum(i / 4.0) AS mean FROM generate_series(1, 3) AS i;
SELECT column_sketch(i, 0) IS NOT NULL AS zero, column_sketch(i, -i) IS NOT NULL AS negative FROM generate_series(1, 3) AS i;
SELECT column_sketch(i, 'NaN') FROM generate_series(1, 3) AS i;
SELECT column_sketch(i, 'Infinity') FROM generate_series(1, 3) AS i;
SELECT column_sketch(i, 1e15) FROM generate_series(1, 3) AS i;
-- strings with weights beyond the exact bound can be stored and merged, of both signs too
SET feature_meta.max_exact_values = 16;
SELECT count(*) AS parts, num_examples(merge_sketches(s::text::feature_sketch)) AS examples FROM (SELECT column_sketch('v' || i, i - 50.0) AS s FROM generate_series(1, 400) AS i GROUP BY i % 4) AS x;
RESET feature_meta.max_exact_values;

-- lists: arrays, empty ones, nulls in them, nested ones
SELECT (sketch_figures(column_sketch(a))).* FROM (VALUES ('{1,2,3}'::integer[]), ('{}'), (NULL), ('{5,NULL}')) AS v (a);
SELECT (sketch_figures(column_sketch(a))).* FROM (VALUES ('{{1,2},{3,4}}'::integer[]), ('{{5},{NULL}}')) AS v (a);
SELECT (sketch_figures(column_sketch(a))).* FROM (VALUES ('{x,y}'::text[]), ('{x}'), ('{NULL}')) AS v (a);
SELECT (sketch_figures(column_sketch(a, 0.5))).* FROM (VALUES ('{1.5,2.5}'::float8[]), ('{1.5}')) AS v (a);

-- structs: composites, arrays of them, jsonb of mixed depth, domains and enums
CREATE TYPE sketch_pair AS (x integer, y text);
CREATE TYPE sketch_tree AS (name text, pairs sketch_pair[]);
CREATE TYPE sketch_mood AS ENUM ('sad', 'happy');
CREATE DOMAIN sketch_share AS float8 CHECK (VALUE BETWEEN 0 AND 1);
SELECT path, type, present, missing, tot_values, mean, distinct_values, top FROM (SELECT (sketch_figures(table_sketch(t))).* FROM (VALUES
	(ROW(1, 'a')::sketch_pair, ROW('r', ARRAY[ROW(1, 'p'), ROW(2, NULL)]::sketch_pair[])::sketch_tree, 'sad'::sketch_mood, 0.5::sketch_share, '{"k": [1, {"z": 2}], "n": null}'::jsonb),
	(NULL, ROW('s', '{}')::sketch_tree, 'happy', NULL, '{"k": "text", "deep": {"er": [[true], []]}}'),
	(ROW(NULL, 'b')::sketch_pair, NULL, NULL, 1, '7')) AS t (pair, tree, mood, share, j)) AS f;

-- other types by their text; a name without a value
SELECT type, top, distinct_values FROM sketch_figures((SELECT column_sketch(x) FROM unnest('{10.0.0.1,10.0.0.2,10.0.0.1}'::inet[]) AS x));
SELECT type, top, distinct_values FROM sketch_figures((SELECT column_sketch(x) FROM unnest('{00000000-0000-0000-0000-000000000001}'::uuid[]) AS x));
SELECT type, min, max FROM sketch_figures((SELECT column_sketch(x) FROM unnest('{1970-01-02 00:00+00,1970-01-03 00:00+00}'::timestamptz[]) AS x));
SELECT type, min, max FROM sketch_figures((SELECT column_sketch(x) FROM unnest('{00:00:01,23:59:59.5}'::time[]) AS x));
SELECT column_sketch(NULL) IS NOT NULL AS untyped;
-- literals without a type are strings
SELECT path, type, present, missing, top, distinct_values FROM sketch_figures((SELECT table_sketch_columns('{a,b,n}', 'hello', i, NULL) FROM generate_series(1, 3) AS i)) ORDER BY path;
SELECT path, type, present, missing, top, distinct_values FROM sketch_figures((SELECT weighted_table_sketch_columns('{a,b,n}', 0.5, 'hello', i, NULL) FROM generate_series(1, 3) AS i)) ORDER BY path;
SELECT type, top, distinct_values FROM sketch_figures((SELECT column_sketch('hello') FROM generate_series(1, 3)));
SELECT table_sketch_columns('{a}', 'hello')::text = table_sketch_columns('{a}', 'hello'::text)::text AS as_text FROM generate_series(1, 3);
DROP FUNCTION sketch_figures(feature_sketch);
DROP TABLE sketch_numbers;
DROP TYPE sketch_tree, sketch_pair, sketch_mood;
DROP DOMAIN sketch_share;
