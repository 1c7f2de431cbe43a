-- Sketches as values: text form, damage, random splits, stored columns, partitions, many columns, the bounds
SET client_min_messages = warning;
SELECT setseed(0.25) IS NOT NULL AS seeded;

-- random tables, split at random into parts that are merged in a random order, give the bytes of one pass
CREATE FUNCTION sketch_rounds() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	parts integer; rows integer; spread integer; differ integer := 0; one text; other text;
BEGIN
	FOR round IN 1 .. 12 LOOP
		parts := 2 + (random() * 9)::integer; rows := (random() * 2500)::integer; spread := 1 + (random() * 3000)::integer;
		CREATE TABLE sketch_random AS
		SELECT CASE WHEN random() < 0.9 THEN (random() * spread)::integer END AS n, CASE WHEN random() < 0.9 THEN (random() - 0.5) * 10 ^ ((random() * 20)::integer - 10)::float8 END AS f,
			   CASE WHEN random() < 0.9 THEN left(md5((random() * spread)::integer::text), 1 + (random() * 8)::integer) END AS s, random() < 0.5 AS b,
			   CASE WHEN random() < 0.9 THEN array_fill((random() * 5)::integer, ARRAY[(random() * 4)::integer]) END AS a,
			   CASE WHEN random() < 0.9 THEN jsonb_build_object('k' || (random() * 3)::integer, CASE WHEN random() < 0.5 THEN to_jsonb(random() < 0.5) ELSE '[1, "x", null, {"y": 2}]' END) END AS j,
			   (random() * parts)::integer AS part, random() * 10 - 3 AS w FROM generate_series(0, rows);
		SELECT table_sketch(t)::text INTO one FROM sketch_random AS t;
		SELECT merge_sketches(x.s ORDER BY random())::text INTO other FROM (SELECT table_sketch(t) AS s FROM sketch_random AS t GROUP BY part) AS x;
		IF one IS DISTINCT FROM other THEN differ := differ + 1; RAISE WARNING 'round %: rows of % in % parts differ', round, rows, parts; END IF;
		SELECT table_sketch(t, w)::text INTO one FROM sketch_random AS t;
		SELECT merge_sketches(x.s::text::feature_sketch ORDER BY random())::text INTO other FROM (SELECT table_sketch(t, w) AS s FROM sketch_random AS t GROUP BY part) AS x;
		IF one IS DISTINCT FROM other THEN differ := differ + 1; RAISE WARNING 'round %: weighted rows differ', round; END IF;
		DROP TABLE sketch_random;
	END LOOP;
	RETURN differ;
END $$;
SELECT sketch_rounds() AS rounds_that_differ;

-- how deep lists are shows late: nulls that were taken for values turn out to be lists that are missing, in any order and split
CREATE TABLE sketch_lists AS SELECT n, j::jsonb AS j FROM unnest(ARRAY['[null, null]', '[]', '[null]', '[[null], []]', NULL, '[["b", "b", null], []]', '[["x"], null]']) WITH ORDINALITY AS t(j, n);
SELECT count(DISTINCT s::text) AS sketches, min(f.min_num_values) AS min, max(f.max_num_values) AS max, max(f.tot_num_values) AS tot FROM
	(SELECT column_sketch(j ORDER BY n) AS s FROM sketch_lists UNION ALL SELECT column_sketch(j ORDER BY -n) FROM sketch_lists
	 UNION ALL SELECT merge_sketches(s ORDER BY n) FROM (SELECT n, column_sketch(j) AS s FROM sketch_lists GROUP BY n) x
	 UNION ALL SELECT merge_sketches(s ORDER BY -n) FROM (SELECT n, column_sketch(j) AS s FROM sketch_lists GROUP BY n) x
	 UNION ALL SELECT merge_sketches(s ORDER BY n) FROM (SELECT n % 3 AS n, column_sketch(j ORDER BY hashint8(n)) AS s FROM sketch_lists GROUP BY n % 3) x) y, features(feature_statistics(s)) AS f;
DROP TABLE sketch_lists;

-- every byte of a sketch changed in three ways, and every length cut: an error of the class of its form, never another
CREATE FUNCTION sketch_reads(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN RETURN CASE WHEN t::feature_sketch::text = t THEN 'equal' ELSE 'another value' END;
EXCEPTION WHEN invalid_binary_representation OR invalid_text_representation THEN RETURN 'refused'; END $$;
CREATE TABLE sketch_samples AS
SELECT 'n' AS of, column_sketch(i % 7) AS s FROM generate_series(1, 40) AS i
UNION ALL SELECT 'f', column_sketch(i / 3.0::float8, i) FROM generate_series(1, 10) AS i
UNION ALL SELECT 's', column_sketch('v' || i) FROM generate_series(1, 10) AS i
UNION ALL SELECT 'j', column_sketch('{"a": [1, {"b": "c"}]}'::jsonb) FROM generate_series(1, 3);
SELECT of, outcome, count(*) = 3 * max(octet_length(bytes)) AS all_of_them FROM
	(SELECT of, bytes, sketch_reads('fms1:' || translate(encode(set_byte(bytes, at, get_byte(bytes, at) # bits), 'base64'), E'\n', '')) AS outcome
	 FROM (SELECT of, feature_sketch_send(s) AS bytes FROM sketch_samples) AS x, LATERAL generate_series(0, octet_length(bytes) - 1) AS at, unnest(ARRAY[1, 128, 255]) AS bits) AS y
GROUP BY of, outcome ORDER BY of, outcome;
SELECT sketch_reads(left(s::text, n)) AS outcome, count(*) > 100 AS many FROM sketch_samples, LATERAL generate_series(0, length(s::text) - 1) AS n GROUP BY 1;
SELECT sketch_reads(s::text) AS outcome, count(*), count(*) FILTER (WHERE s::text ~ '^fms1:[A-Za-z0-9+/=]+$') AS one_line FROM sketch_samples GROUP BY 1;
SELECT 'fms2:AQ=='::feature_sketch;
SELECT 'fms1:AwMEBQYHCAkKCw=='::feature_sketch;
SELECT 'fms1:A'::feature_sketch;
SELECT ''::feature_sketch;

-- transition functions are no functions of their own; merges refuse what does not fit
SELECT merge_sketches_add(s, s) FROM sketch_samples LIMIT 1;
SELECT column_sketch_add(NULL, 1);
SELECT merge(a.s, b.s) FROM sketch_samples AS a, sketch_samples AS b WHERE a.of = 'n' AND b.of = 'f';
SELECT merge(a.s, b.s) FROM sketch_samples AS a, sketch_samples AS b WHERE a.of = 'n' AND b.of = 's';
SELECT combine_columns(a.s, b.s) FROM sketch_samples AS a, sketch_samples AS b WHERE a.of = 'n' AND b.of = 's';
SELECT combine_columns(a, b) FROM (SELECT table_sketch_columns('{a}', i) AS a, table_sketch_columns('{a}', -i) AS b FROM generate_series(1, 3) AS i) AS x;
SELECT table_sketch_columns('{a,b}', i) FROM generate_series(1, 3) AS i;
SET feature_meta.sketch_distributions = off;
CREATE TABLE sketch_moments AS SELECT column_sketch(i % 7) AS s FROM generate_series(1, 40) AS i;
RESET feature_meta.sketch_distributions;
SELECT merge(a.s, b.s) FROM sketch_samples AS a, sketch_moments AS b WHERE a.of = 'n';
SELECT x.mean = y.mean AND x.std_dev = y.std_dev AND x.max = y.max AS same_moments, length(b.s::text) < length(a.s::text) AS smaller
FROM sketch_samples AS a, sketch_moments AS b, features(feature_statistics(a.s)) AS x, features(feature_statistics(b.s)) AS y WHERE a.of = 'n';

-- a stored column, merged by day; partitions, each aggregated where it lies
CREATE TABLE sketch_parted (day date, n integer, s text) PARTITION BY LIST (day);
CREATE TABLE sketch_parted_1 PARTITION OF sketch_parted FOR VALUES IN ('2026-01-01');
CREATE TABLE sketch_parted_2 PARTITION OF sketch_parted FOR VALUES IN ('2026-01-02');
CREATE TABLE sketch_parted_3 PARTITION OF sketch_parted FOR VALUES IN ('2026-01-03');
INSERT INTO sketch_parted SELECT date '2026-01-01' + i % 3, i % 400, 's' || i % 30 FROM generate_series(1, 3000) AS i;
CREATE TABLE sketch_days AS SELECT day, column_sketch(n) AS n, table_sketch_columns('{n,s}', n, s) AS both FROM sketch_parted GROUP BY day;
SELECT merge_sketches(d.n)::text = (SELECT column_sketch(n) FROM sketch_parted)::text AS n, merge_sketches(d.both)::text = (SELECT table_sketch_columns('{n,s}', n, s) FROM sketch_parted)::text AS "both"
FROM sketch_days AS d;
ANALYZE sketch_parted;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT column_sketch(n) FROM sketch_parted;
SELECT column_sketch(n)::text = (SELECT merge_sketches(n) FROM sketch_days)::text AS n, table_sketch_columns('{n,s}', n, s)::text = (SELECT merge_sketches("both") FROM sketch_days)::text AS "both" FROM sketch_parted;
SELECT count(*) AS days, bool_and(x.s::text = d.n::text) AS same FROM (SELECT day, column_sketch(n) AS s FROM sketch_parted GROUP BY day) AS x JOIN sketch_days AS d USING (day);
RESET enable_partitionwise_aggregate;

-- 150 columns by two aggregates
SELECT string_agg('i + ' || c, ', ' ORDER BY c) AS first, string_agg('''c' || c || '''', ', ' ORDER BY c) AS names FROM generate_series(1, 75) AS c \gset one_
SELECT string_agg('i * ' || c, ', ' ORDER BY c) AS first, string_agg('''c' || c || '''', ', ' ORDER BY c) AS names FROM generate_series(76, 150) AS c \gset two_
SELECT count(*) AS features, min(num_non_missing) AS rows, max(max) AS greatest FROM features(feature_statistics((SELECT combine_columns(table_sketch_columns(ARRAY[:one_names], :one_first),
	table_sketch_columns(ARRAY[:two_names], :two_first)) FROM generate_series(1, 10) AS i)));

-- beyond the bound the statistics say that they are estimates; up to it they are exact; the bound is the caller's
SET feature_meta.max_exact_values = 100;
SELECT num, f.is_exact, "unique" = num AS unique_right FROM unnest(ARRAY[100, 101]) AS num, LATERAL (SELECT * FROM features(feature_statistics((SELECT column_sketch('v' || i) FROM generate_series(1, num) AS i)))) AS f;
SELECT num, f.is_exact FROM unnest(ARRAY[100, 101]) AS num, LATERAL (SELECT * FROM features(feature_statistics((SELECT column_sketch(i / 3.0::float8) FROM generate_series(1, num) AS i)))) AS f;
RESET feature_meta.max_exact_values;
-- merged with one of a smaller bound the smaller one holds, in either order
SET feature_meta.max_exact_values = 20;
CREATE TABLE sketch_small AS SELECT column_sketch(i % 15) AS s FROM generate_series(1, 400) AS i;
RESET feature_meta.max_exact_values;
SELECT f.is_exact, f.max FROM sketch_small AS x, (SELECT column_sketch(i % 60) AS s FROM generate_series(1, 400) AS i) AS y, unnest(ARRAY[merge(x.s, y.s), merge(y.s, x.s)]) AS m,
	features(feature_statistics(m)) AS f;
-- a value longer than 1024 bytes is counted by its hash and not kept
SELECT "unique", top_value, top_frequency, length(s::text) < 500 AS small FROM (SELECT column_sketch(repeat('x', 100000 + i % 2)) AS s FROM generate_series(1, 4) AS i) AS x, features(feature_statistics(s));
-- bytes of version 1 are read: the same statistics, and a merge as with one of this version
SET feature_meta.max_exact_values = 16;
CREATE TABLE sketch_versions (older text, newer feature_sketch);
INSERT INTO sketch_versions VALUES
	('fms1:AQIQPAEAAAAABAE8AQAAADwAog7o+gu8+uAClr+c6bUFAAE8og7vD5EH7w/vD5EH7w+RB+8P7w+RB+8PkQfvD+8PkQfvD5EH7w/vD5EH7w+RB+8P7w+RB+8PkQfvD+8PkQfvD5EH7w/vD5EH7w+RB+8P7w+RB+8PkQfvD+8PkQfvD5EH7w/vD5EH7w+AF+8PkQfvD4AX7w+RB+8PADyI6qXq55IB+qvfut4x2uHyooYH9P+PyJqBAZaYmpDFyAGp1K2a7hbZ853RzQW+0srZcJW72KWQ7gLs4ojs2Ayc8ubPwCChts3RopAC7/uLvYELuZHnuKJghaz7+4cwnZuRq89Ni4aP0OwOyuSX97iUAen2tp3whwLMifXP8CXakf24lcIBoIT1uJoTlv/AjovZAar50fnNLcLevKH8mgHuwuaq5pEBl7KBpL3iAbag947m4QH2nd6Bt3LbwfWJl/wBi5PG6PuwAYbjouSOaYaNxrGk0gPftNjS/44B2Nyb8rykA8r4tIHmYfGBs8/6bsbbq6vQxAGjoLLo1rEBoJ6mu4gHid3vxMTYAZ6MroLP7QHqhNjowAKFuZGt8RnigvSqlhnj5Me69w7El8e5oAOtuYO7/5EBqtGMq6Bq2YmnvsgD3IX/5rH3AfPsueax+QHthf+R2r4BgI2OtoNfwLW1zOhEj9+y4ZGCAsH9y+Og0wG1yITf0Qn2p+S95EKFtuKoh3MAnxrxJg==', (SELECT column_sketch(i * 7919 % 100003) FROM generate_series(1, 60) AS i)),
	('fms1:AQMQPICAgICAgIA8AQAAAgAIATyAgICAgICAPAA8oQECAwAAgICAgICAgDyAgICAgICAoQGAgICAgICAPAAAAAAoCHYwAQh2MQIMdjEwAgx2MTECDHYxMgIMdjEzAgx2MTQCDHYxNQIMdjE2Agx2MTcCDHYxOAIMdjE5Agh2MgIMdjIwAgx2MjEBDHYyMgEMdjIzAQx2MjQBDHYyNQEMdjI2AQx2MjcBDHYyOAEMdjI5AQh2MwIMdjMwAQx2MzEBDHYzMgEMdjMzAQx2MzQBDHYzNQEMdjM2AQx2MzcBDHYzOAEMdjM5AQh2NAIIdjUCCHY2Agh2NwIIdjgCCHY5AgAAIQh2MACAgICAgICAAQh2MQCAgICAgICAAwx2MTAAgICAgICAgAMMdjExAICAgICAgIACDHYxMgCAgICAgICAAQx2MTMAgICAgICAgAMMdjE0AICAgICAgIACDHYxNQCAgICAgICAAQx2MTYAgICAgICAgAMMdjE3AICAgICAgIACDHYxOACAgICAgICAAQx2MTkAgICAgICAgAMIdjIAgICAgICAgAIMdjIwAICAgICAgIACDHYyMgCAgICAgICAAQx2MjMAgICAgICAgAIMdjI1AICAgICAgIABDHYyNgCAgICAgICAAgx2MjgAgICAgICAgAEMdjI5AICAgICAgIACCHYzAICAgICAgIABDHYzMQCAgICAgICAAQx2MzIAgICAgICAgAIMdjM0AICAgICAgIABDHYzNQCAgICAgICAAgx2MzcAgICAgICAgAEMdjM4AICAgICAgIACCHY0AICAgICAgIADCHY1AICAgICAgIACCHY2AICAgICAgIABCHY3AICAgICAgIADCHY4AICAgICAgIACCHY5AICAgICAgIABACjR07arhVimse2YgPIE3MKmx/dPzrWmrsfIBY3qke/XarPF6ZTeXqXo+PHKnwHt9ce5/inc86bFm1ja2IHRnRPittbE2PsC4rjGiNKXAfyx+prBjgG3i8XCiEr06KTiid0CwaClkcRE0unzwsndAvv7hrW7+AHNyariiIQF8rjL7818/aPQkpUr69TK9ZAW7K6O17fVA+7escfyB9XoqdmkG+f5ppTv1wHtscz9sxPS4N+hwsABovPyqrHEArjFk5De0gTN8s6JsGzVwsfsiWvyp5y/9Ujeh573s4UCkJicuua5BPfapqLLf5Gq8oriHc+I4dTThwHmw7jm40XpsMz4/ZQBAA4qMCo=', (SELECT column_sketch('v' || i % 40, i % 3) FROM generate_series(1, 60) AS i)),
	('fms1:AQMQKICAgICAgIC0BgEAAAAABAEogICAgICAgLQGAQAAAAAAKAEAgICAgIDADoCAgICAgPUBgICAgICAgICAgIDgrgQAgICAgICAgLQGAAIBAF4pAAAEAgAAGBwDAAAAASgAgICAgIAgAICAgICAIACAgICAgCAAgICAgIAgAICAgICAIACAgICAgCAAgICAgIAgAICAgICAIACAgICAgCAAgICAgIAgAICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIICAgICAIDY' || repeat('A', 64) || 'BgICAgIBAAAAAAAAA8D8CgICAgICAAQAAAAAAAABAgICAgIAgAAAAAAAACEAEgICAgICAAgAAAAAAABBAgICAgIAgAAAAAAAAFECAgICAgCAAAAAAAAAYQICAgICAIAAAAAAAABxACICAgICAgAQAAAAAAAAgQICAgICAIAAAAAAAACJAgICAgIAgAAAAAAAAJECAgICAgCAAAAAAAAAmQICAgICAIAAAAAAAAChAgICAgIAgAAAAAAAAKkCAgICAgCAAAAAAAAAsQICAgICAIAAAAAAAAC5AEAAAAAAAAAA+QICAgICAIAAAAAAAAD9AgICAgIDgAwAAAAAAADBAgICAgIAgAAAAAAAAMUCAgICAgCAAAAAAAAAyQICAgICAIAAAAAAAADNAgICAgIAgAAAAAAAANECAgICAgCAAAAAAAAA1QICAgICAIAAAAAAAADZAgICAgIAgAAAAAAAAN0CAgICAgCAAAAAAAAA4QICAgICAIAAAAAAAADlAgICAgIAgAAAAAAAAOkCAgICAgCAAAAAAAAA7QICAgICAIAAAAAAAADxAgICAgIAgAAAAAAAAPUAJgICAgICAAQAAAAAAAEBAgICAgIAgAAAAAACAQECAgICAgCAAAAAAAABBQICAgICAIAAAAAAAgEFAgICAgIAgAAAAAAAAQkCAgICAgCAAAAAAAIBCQICAgICAIAAAAAAAAENAgICAgIAgAAAAAACAQ0CAgICAgCAAAAAAAABEQAAe+Z/D/rV/iNDn/K6GBI76w4KsTIL8tIvGqQLVmorfksIFlO+N0aQ7t7z8n4KDAYjz6cCUuQK2/eqJoCCX5cW13Y0HqKG8kPKvAeDyocqkuAP6oKC5waAB+rqRr5bPAZyD7ZfGQMiEj8TySMCSg/OjdNTYxda7Sojz/43LF/7woOr6gAb+2aaOu5oEitemtaXHA6+s3O+UBOvKg/Dc9gSdlYmbnqIB3+/myKqpAcrN0sKnGcXVyIGr5wGt/b/PvrUB7JLAo+u9AwAJYW7L', (SELECT column_sketch((i % 30)::bigint << 40, i) FROM generate_series(1, 40) AS i)),
	('fms1:AQIQFAEAAAEABAEUAQAAABQAgICAgICAgMB/gICAgICAgISAAQABAgAAAEAaAAAAAAECAAAA2CwAAAABFICAgICAgIDAf4CAgICAgIAIgICAgICAgASAgICAgICABICAgICAgIACgICAgICAgAKAgICAgICAAoCAgICAgIACgICAgICAgAGAgICAgICAAYCAgICAgIABgICAgICAgAGAgICAgICAAYCAgICAgIABgICAgICAgAGAgICAgICAAYCAgICAgECAgICAgIBAgICAgICAQICAgICAgEABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE' || repeat('A', 888) || 'B' || repeat('A', 805) || 'C' || repeat('A', 140) || 'E' || repeat('A', 628) || 'C' || repeat('A', 1011) || 'g' || repeat('A', 437) || 'g' || repeat('A', 219) || 'C' || repeat('A', 1107) || 'C' || repeat('A', 342) || 'E' || repeat('A', 222) || 'Q' || repeat('A', 141) || 'g' || repeat('A', 449) || 'C' || repeat('A', 42) || 'E' || repeat('A', 1448) || 'B' || repeat('A', 331) || 'Q' || repeat('A', 501) || 'B' || repeat('A', 411) || 'Q' || repeat('A', 1255) || 'B' || repeat('A', 499) || 'MGO9gY=', (SELECT column_sketch(i / 8.0::float8) FROM generate_series(1, 20) AS i)),
	('fms1:AQIQFAEAAAAABAIAKAAUKAAAAAABBBQBAAAAKAAnKADsLAABKCcBAQEBAQEBAQEBAQEBAQEBAQEBAgEBAQEBAQEBAQEBAQEBAQEBAQEAKNmU+pXxkAL9/cWImpMC8azlvpGyAbv27cmUywGV2q2l9KIG79Lmw9KUBfvjzJPexQH3rf6Swp0DktK/oZukAanr3raKGam5v6Hf2wGnm8CSxC6xvbrY3ErIr9n8liro6ZuX8pcEkvrd6PHaAfHjxuiQNJzWzO7YgQLcocDg3Ga5hYbfg2P+pcve4d8BrdvI/9GIBK7C7oq+AoXdl7GJ4wG/6LjAs5sBj5yAptUzrP2a/8IkrPuFrYGAAZKa8+HXbN65jMKUswLP27KPksQByIDIybS0AaLQw5bK+AGh37Gczl3Bq+eVnyqG0Mul3VnIwbGt8MQCrfftseyHAf7QyPW5+gGErt6t9QIAc813Gg==', (SELECT column_sketch(ARRAY[i, -i]) FROM generate_series(1, 20) AS i));
SELECT left(older, 7) AS older, left(newer::text, 7) AS newer, feature_statistics(older::feature_sketch) = feature_statistics(newer) AS equal,
	feature_statistics(merge(older::feature_sketch, newer)) = feature_statistics(merge(newer, newer)) AS merged_equal FROM sketch_versions;
SELECT sketch_reads(overlay(older PLACING '///' FROM n)) AS damaged, count(*) > 5000 AS many FROM sketch_versions, LATERAL generate_series(12, length(older) - 12, 2) AS n GROUP BY 1;
RESET feature_meta.max_exact_values;
-- beyond a small bound, of dense or repeated integers, two bits of a quantile's key are written: that is read again too
CREATE FUNCTION sketch_dense(bound integer, num integer, step bigint, OUT read boolean, OUT weighted_read boolean, OUT merged boolean, OUT in_table boolean) LANGUAGE plpgsql AS $$
DECLARE
	s feature_sketch;
	w feature_sketch;
	t feature_sketch;
BEGIN
	PERFORM set_config('feature_meta.max_exact_values', bound::text, true);
	SELECT column_sketch(i % num * step), column_sketch(i % num * step, 1 + i % 2) INTO s, w FROM generate_series(1, 1000) AS i;
	SELECT table_sketch_columns('{name,key}', 'x', i % num * step) INTO t FROM generate_series(1, 1000) AS i;
	read := s::text::feature_sketch::text = s::text;
	weighted_read := w::text::feature_sketch::text = w::text;
	in_table := num_examples(t::text::feature_sketch) = 1000;
	SELECT f.num_non_missing = 1000 AND f.max = (num - 1) * step AND f.tot_num_values = 1000 INTO merged FROM features(feature_statistics((SELECT merge_sketches(part.s) FROM
		(SELECT column_sketch(i % num * step) AS s FROM generate_series(1, 1000) AS i GROUP BY i % 4) AS part))) AS f;
END $$;
SELECT bound, num, step, d.* FROM unnest(ARRAY[16, 100, 300]) AS bound, LATERAL unnest(ARRAY[1, bound + 1, bound * 2, 1000]) AS num, unnest(ARRAY[0, 1, 1000003]) AS step, sketch_dense(bound, num, step) AS d
WHERE (read AND weighted_read AND merged AND in_table) IS NOT TRUE;
SELECT d.* FROM sketch_dense(16, 17, 1) AS d;
DROP FUNCTION sketch_dense(integer, integer, bigint);

-- the size is bounded, whatever the values and however many rows: 100 KiB, with weights 160
CREATE FUNCTION sketch_size(s feature_sketch) RETURNS integer LANGUAGE sql AS 'SELECT octet_length(feature_sketch_send(s))';
CREATE TABLE sketch_rows AS SELECT i, i % 16383 AS k, 0.5 + i * 7 % 11 / 5.0::float8 AS w FROM generate_series(1, 200000) AS i;
CREATE TABLE sketch_sizes AS
SELECT 'integers' AS of, sketch_size(column_sketch(i)) AS bytes, sketch_size(column_sketch(i, w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'integers of 64 bits' AS of, sketch_size(column_sketch(hashint8extended(i, 1))) AS bytes, sketch_size(column_sketch(hashint8extended(i, 1), w)) AS weighted FROM sketch_rows
UNION ALL SELECT '16383 of them' AS of, sketch_size(column_sketch(hashint8extended(k, 1))) AS bytes, sketch_size(column_sketch(hashint8extended(k, 1), w)) AS weighted FROM sketch_rows
UNION ALL SELECT '4300 of them' AS of, sketch_size(column_sketch(hashint8extended(i % 4300, 1))) AS bytes, sketch_size(column_sketch(hashint8extended(i % 4300, 1), w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'doubles' AS of, sketch_size(column_sketch(sin(i) * exp(i % 1000 - 500))) AS bytes, sketch_size(column_sketch(sin(i) * exp(i % 1000 - 500), w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'timestamps' AS of, sketch_size(column_sketch(timestamp '2026-01-01' + i * interval '61.7 seconds')) AS bytes, sketch_size(column_sketch(timestamp '2026-01-01' + i * interval '61.7 seconds', w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'short strings' AS of, sketch_size(column_sketch('v' || i)) AS bytes, sketch_size(column_sketch('v' || i, w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'hex strings' AS of, sketch_size(column_sketch(md5(i::text))) AS bytes, sketch_size(column_sketch(md5(i::text), w)) AS weighted FROM sketch_rows
UNION ALL SELECT '16383 strings' AS of, sketch_size(column_sketch(repeat('x', k % 20) || k)) AS bytes, sketch_size(column_sketch(repeat('x', k % 20) || k, w)) AS weighted FROM sketch_rows
UNION ALL SELECT '4300 strings' AS of, sketch_size(column_sketch(left(md5((i % 4300)::text), 15))) AS bytes, sketch_size(column_sketch(left(md5((i % 4300)::text), 15), w)) AS weighted FROM sketch_rows
UNION ALL SELECT '1000 long strings' AS of, sketch_size(column_sketch(left(repeat(md5((i % 1000)::text), 3), 88))) AS bytes, sketch_size(column_sketch(left(repeat(md5((i % 1000)::text), 3), 88), w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'long strings' AS of, sketch_size(column_sketch(repeat(md5(i::text), 30))) AS bytes, sketch_size(column_sketch(repeat(md5(i::text), 30), w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'bytes' AS of, sketch_size(column_sketch(decode(md5(i::text), 'hex'))) AS bytes, sketch_size(column_sketch(decode(md5(i::text), 'hex'), w)) AS weighted FROM sketch_rows
UNION ALL SELECT 'lists' AS of, sketch_size(column_sketch(ARRAY[i, i % 7])) AS bytes, sketch_size(column_sketch(ARRAY[i, i % 7], w)) AS weighted FROM sketch_rows;
SELECT of, bytes <= 102400 AS within, weighted <= 163840 AS weighted_within, bytes > 8192 AS sketched FROM sketch_sizes;
DROP TABLE sketch_versions, sketch_rows, sketch_sizes;
DROP FUNCTION sketch_size(feature_sketch);
DROP TABLE sketch_small, sketch_samples, sketch_moments, sketch_days, sketch_parted;
DROP FUNCTION sketch_reads(text);
DROP FUNCTION sketch_rounds();
