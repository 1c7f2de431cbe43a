-- Any table: as many columns as there can be, odd names, dropped and generated columns, no rows, no columns, many partitions
SET client_min_messages = warning;

-- 1,600 columns: seventeen calls of the aggregate, one result
DO $$ BEGIN
	EXECUTE (SELECT format('CREATE TABLE any_wide (%s)', string_agg(format('c%s integer', c), ', ' ORDER BY c)) FROM generate_series(1, 1600) c);
	EXECUTE (SELECT format('INSERT INTO any_wide SELECT %s FROM generate_series(1, 3) i', string_agg(CASE WHEN c % 7 = 0 THEN 'NULL' ELSE format('i * %s', c) END, ', ' ORDER BY c))
		FROM generate_series(1, 1600) c);
END $$;
SELECT count(*) AS features, count(*) FILTER (WHERE num_missing = 3) AS missing, bool_and(max = 3 * substr(path, 2)::integer) AS max, bool_and("unique" IS NULL) AS numbers,
	bool_and(median = 2 * substr(path, 2)::integer) AS median FROM features(generate_statistics('any_wide'));
SELECT array_agg(path) FROM (SELECT path FROM features(generate_statistics('any_wide')) WITH ORDINALITY ORDER BY ordinality LIMIT 3 OFFSET 1597) f;
SELECT generate_statistics('any_wide', weight_feature => 'c1')::jsonb #>> '{datasets,0,weighted_num_examples}' AS weight,
	num_examples(relation_sketch('any_wide', filter => 'c1600 > 1600')) AS filtered;
SELECT record_statistics('any_wide', '2026-01-01'), recorded_statistics('any_wide') = generate_statistics('any_wide') AS same_later;
SELECT recorded_statistics('any_wide') = generate_statistics('any_wide') AS same;
SELECT jsonb_array_length(generate_statistics('any_wide', slice_functions => '[{"c1": [2]}]')::jsonb #> '{datasets,1,features}') AS features_of_slice;
DELETE FROM feature_meta.recorded_statistics;
DROP TABLE any_wide;

-- names; columns that are gone, generated or of domains
CREATE SCHEMA "any Schema"".1";
CREATE DOMAIN "any Schema"".1"."Small One" AS integer CHECK (VALUE < 100);
CREATE TABLE "any Schema"".1"."A 'table' %s" ("Id" integer, gone text, "it's" "any Schema"".1"."Small One", "quo""te" text, " " double precision, "select" boolean, "été" date,
	twice integer GENERATED ALWAYS AS ("Id" * 2) STORED, "a.b" integer[], "$1" numeric);
ALTER TABLE "any Schema"".1"."A 'table' %s" DROP COLUMN gone;
INSERT INTO "any Schema"".1"."A 'table' %s" ("Id", "it's", "quo""te", " ", "select", "été", "a.b", "$1") SELECT i, i % 5, 'x"' || i % 2, i / 4.0, i > 5, date '2026-01-01' + i, ARRAY[i, i], i FROM generate_series(1, 10) AS i;
ALTER TABLE "any Schema"".1"."A 'table' %s" ADD COLUMN late text DEFAULT 'there';
SELECT path, type, num_non_missing, min, max, top_value FROM features(generate_statistics('"any Schema"".1"."A ''table'' %s"', weight_feature => ' '));
SET search_path = '';
SELECT d ->> 'name' AS dataset, d ->> 'num_examples' AS rows FROM pg_catalog.jsonb_array_elements(public.generate_statistics('"any Schema"".1"."A ''table'' %s"',
	filter => '"A ''table'' %s"."Id" OPERATOR(pg_catalog.>) 2', slice_functions => '[{"it''s": [1, 2], "quo\"te": null}]')::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'datasets') d;
SELECT public.record_statistics('"any Schema"".1"."A ''table'' %s"', '2026-01-01', slice => 'o''ne', filter => '"quo""te" LIKE ''%"1''');
RESET search_path;
SELECT relation, slice, num_examples, filter FROM feature_meta.recorded_statistics;
DELETE FROM feature_meta.recorded_statistics;

-- values that lie elsewhere or compressed are the values
CREATE TABLE any_toasted (i integer, outside text, compressed text, raw bytea, list integer[], "json" jsonb);
ALTER TABLE any_toasted ALTER outside SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL, ALTER list SET STORAGE EXTERNAL, ALTER "json" SET STORAGE EXTERNAL;
INSERT INTO any_toasted SELECT i, repeat('ab', 500 * i), repeat('cd', 1000 * i), decode(repeat('ff', 700 * i), 'hex'), array_fill(i, ARRAY[500 * i]), jsonb_build_object('long', repeat('x', 1000 * i), 'n', i)
FROM generate_series(1, 6) i;
SELECT pg_relation_size(reltoastrelid) > 0 AS toasted FROM pg_class WHERE oid = 'any_toasted'::regclass;
SELECT path, num_non_missing, tot_num_values, "unique", top_value, top_frequency, avg_length FROM features(generate_statistics('any_toasted'));
SELECT avg(octet_length(outside)) AS outside, avg(octet_length(compressed)) AS compressed, avg(octet_length(raw)) AS raw, sum(cardinality(list)) AS list FROM any_toasted;
SELECT generate_statistics('any_toasted') = feature_statistics(table_sketch(ROW(i, outside || '', compressed || '', raw || '', list || '{}', "json" || '{}')::any_toasted)) AS as_in_line FROM any_toasted;
DROP TABLE any_toasted;

-- no rows, no columns
CREATE TABLE any_empty (a integer, b text, c double precision[], d jsonb, e "any Schema"".1"."Small One");
SELECT path, type, num_non_missing, num_missing, min, "unique" FROM features(generate_statistics('any_empty'));
SELECT num_examples(relation_sketch('any_empty')), record_statistics('any_empty', '2026-01-01');
SELECT recorded_statistics('any_empty') = generate_statistics('any_empty') AS same,
	feature_statistics(merge(relation_sketch('any_empty'), relation_sketch('any_empty'))) = generate_statistics('any_empty') AS merged;
SELECT feature_statistics(table_sketch(t)) IS NULL AS no_sketch_of_no_rows FROM any_empty t;
ALTER TABLE any_empty DROP COLUMN a, DROP COLUMN b, DROP COLUMN c, DROP COLUMN d, DROP COLUMN e;
INSERT INTO any_empty DEFAULT VALUES;
SELECT num_examples(relation_sketch('any_empty')), generate_statistics('any_empty');
DROP SCHEMA "any Schema"".1" CASCADE;

-- 64 partitions: only those that changed are read again, and the answer is that of the whole table
CREATE TABLE any_parted (day integer, amount double precision, kind text) PARTITION BY LIST (day);
DO $$ BEGIN FOR d IN 1 .. 64 LOOP EXECUTE format('CREATE TABLE any_part_%s PARTITION OF any_parted FOR VALUES IN (%s)', d, d); END LOOP; END $$;
INSERT INTO any_parted SELECT 1 + i % 64, i % 2001 / 8.0, 'k' || i % 5 FROM generate_series(1, 6400) AS i;
SELECT record_statistics('any_parted', '2026-01-01', incremental => true);
CREATE TEMPORARY TABLE any_before AS SELECT partition, xmin::text AS version FROM feature_meta.recorded_partition;
UPDATE any_parted SET amount = amount + 1 WHERE day IN (3, 60);
DELETE FROM any_parted WHERE day = 17 AND kind = 'k1';
DROP TABLE any_part_64;
CREATE TABLE any_part_65 PARTITION OF any_parted FOR VALUES IN (65);
INSERT INTO any_parted VALUES (65, 0.5, 'new');
SELECT record_statistics('any_parted', '2026-01-02', incremental => true) = (SELECT count(*) FROM any_parted) AS rows;
SELECT p.partition FROM feature_meta.recorded_partition p LEFT JOIN any_before b ON b.partition = p.partition AND b.version = p.xmin::text WHERE b.partition IS NULL ORDER BY p.partition::text;
SELECT count(*) AS partitions FROM feature_meta.recorded_partition;
SELECT recorded_statistics('any_parted', '2026-01-02') = generate_statistics('any_parted') AS same;
SET enable_partitionwise_aggregate = on;
SELECT recorded_statistics('any_parted', '2026-01-02') = generate_statistics('any_parted') AS partitionwise,
	(SELECT merge_sketches(s) FROM (SELECT column_sketch(amount) AS s FROM any_parted GROUP BY day) x)::text = (SELECT column_sketch(amount) FROM any_parted)::text AS by_partition;
RESET enable_partitionwise_aggregate;
SELECT count(*) AS groups, count(DISTINCT s::text) FILTER (WHERE kind IS NULL AND day IS NULL) AS whole, sum(num_examples(s)) = 3 * (SELECT count(*) FROM any_parted) AS rows
FROM (SELECT kind, day, column_sketch(amount) AS s FROM any_parted GROUP BY GROUPING SETS ((kind), (day), ())) x;
DELETE FROM feature_meta.recorded_statistics;
DELETE FROM feature_meta.recorded_partition;
DROP TABLE any_parted, any_empty, any_before;
