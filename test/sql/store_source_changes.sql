-- What changes around the source of a feature view after it was defined: partitions, policies, a drop; and what is refused at definition
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- A statement that names a partition, a child, or a partition that came later
CREATE TABLE p_source (id int, ts timestamptz, y int) PARTITION BY RANGE (id);
CREATE TABLE p_low PARTITION OF p_source FOR VALUES FROM (0) TO (100) PARTITION BY LIST (id);
CREATE TABLE p_one PARTITION OF p_low FOR VALUES IN (1);
CREATE TABLE p_high PARTITION OF p_source FOR VALUES FROM (100) TO (200);
SELECT create_feature_view('parts', 'p_source', '{id}', 'ts'), enable_online('parts', trigger => true);
INSERT INTO p_source VALUES (1, '2024-01-01', 1), (100, '2024-01-01', 1);
INSERT INTO p_one VALUES (1, '2024-01-02', 2), (1, '2024-01-03', 3);
INSERT INTO p_high VALUES (101, '2024-01-02', 4);
UPDATE p_high SET y = 5 WHERE id = 101;
INSERT INTO p_low VALUES (1, '2024-01-01', 6);
SELECT id, ts = '2024-01-03' AS third, y FROM parts_online ORDER BY id;
CREATE TABLE p_two PARTITION OF p_low FOR VALUES IN (2);
CREATE TABLE p_top (y int, id int, ts timestamptz);
ALTER TABLE p_source ATTACH PARTITION p_top FOR VALUES FROM (200) TO (300);
INSERT INTO p_two VALUES (2, '2024-01-02', 7), (2, '2024-01-01', 6);
INSERT INTO p_top (id, ts, y) VALUES (200, '2024-01-02', 8);
UPDATE p_top SET y = 9;
INSERT INTO p_source VALUES (201, '2024-01-02', 10);
SELECT id, y FROM parts_online ORDER BY id;
SELECT problems FROM feature_view_health('parts');
SELECT refresh_online('parts');
SELECT problems FROM feature_view_health('parts');
INSERT INTO p_top (id, ts, y) VALUES (202, '2024-01-02', 11);
ALTER TABLE p_source DETACH PARTITION p_top;
INSERT INTO p_top (id, ts, y) VALUES (203, '2024-01-02', 12); -- no part of the source any more
SELECT rename_feature_view('parts', 'sharded');
INSERT INTO p_one VALUES (1, '2024-01-04', 13);
SELECT id, y FROM parts_online ORDER BY id;
SELECT disable_online('sharded');
SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text ~ '^p_';
INSERT INTO p_one VALUES (1, '2024-01-05', 14);

CREATE TABLE h_source (id int, ts timestamptz, y int);
CREATE TABLE h_child (extra int) INHERITS (h_source);
SELECT create_feature_view('heirs', 'h_source', '{id}', 'ts'), enable_online('heirs', trigger => true);
INSERT INTO h_child VALUES (1, '2024-01-01', 1, 2);
INSERT INTO h_source VALUES (2, '2024-01-01', 2);
SELECT id, y FROM heirs_online ORDER BY id;

-- A ttl that goes back before all times is no limit, wherever it is read
SELECT create_feature_view('old', 'h_source', '{id}', 'ts', ttl => '7000 years'), enable_online('old', history => true), materialize('old');
SELECT alter_feature_view('heirs', ttl => '200000000 days 1000000000 hours');
SELECT feature_values, statuses FROM get_online_features('{old:y}', '{"id": [1, 2]}');
SELECT statuses FROM get_online_features('{heirs:y}', '{"id": [1, 2]}');
SELECT statuses FROM online_at('old', '{"id": 1}', clock_timestamp());
SELECT statuses FROM get_features_at('{old:y,heirs:y}', '{"id": 1}', '2024-01-02', full_feature_names => true);
SELECT name, fresh, expired FROM feature_view_health() WHERE name IN ('old', 'heirs') ORDER BY 1;
SELECT store_before('2024-03-31 00:00Z', t::interval) AT TIME ZONE 'UTC' FROM unnest(ARRAY['1 month', '6736 years', '6737 years', '1 day', '7000 years']) t;

-- Names of tables to be made are read as SQL reads them
SELECT current_schema() AS schema \gset
CREATE SCHEMA n_place;
SELECT disable_online('heirs');
SELECT enable_online('heirs', online_table => 'n_place.Heirs', history => true);
SELECT disable_online('heirs');
SELECT enable_online('heirs', online_table => '"n_place.heirs"');
SELECT disable_online('heirs');
SELECT enable_online('heirs', online_table => 'a.b.c');
SELECT enable_online('heirs', online_table => 'pg_temp.x');
CALL create_training_set('pg_temp.t', 'SELECT 1 AS id, now() AS event_timestamp', '{heirs:y}');
SELECT count(*) FROM feature_meta.training_set;
CREATE TEMPORARY TABLE n_temp (id int, ts timestamptz, y int);
SET search_path = pg_temp, public;
CALL public.create_training_set('t', 'SELECT 1 AS id, now() AS event_timestamp', '{heirs:y}');
RESET search_path;
SELECT create_feature_view('brief', 'n_temp', '{id}', 'ts');
DROP SCHEMA n_place;

-- A schema is looked at when it is given
CREATE TABLE s_source (id int, ts timestamptz, x real, d date, doc jsonb, tags text[]);
SELECT create_feature_view('s', 's_source', '{id}', 'ts', schema => 'feature { name: "x" type: BYTES }');
SELECT create_feature_view('s', 's_source', '{id}', 'ts', schema => 'feature { name: "y" type: FLOAT }');
SELECT create_feature_view('s', 's_source', '{id}', 'ts', schema => 'feature { name: "id" type: INT }');
SELECT create_feature_view('s', 's_source', '{id}', 'ts', schema => '');
SELECT create_feature_view('s', 's_source', '{id}', 'ts', schema => 'feature { name: "id" type: INT } feature { name: "x" type: FLOAT } feature { name: "d" type: INT }
	feature { name: "doc" type: STRUCT } feature { name: "tags" type: BYTES } feature { name: "was" type: INT lifecycle_stage: DEPRECATED }');
SELECT alter_feature_view('s', schema => 'feature { name: "tags" type: INT }');
SELECT put_features('s', '{"id": 1}', '{"x": 1.5, "d": "2024-01-01", "doc": {"a": 1}, "tags": ["a"]}');
SELECT alter_feature_view('s', schema => infer_schema(generate_statistics('s_source')));
SELECT alter_feature_view('s', clear => '{schema}');

-- Policies that change after they were copied
CREATE ROLE regress_s_reader;
ALTER TABLE s_source ENABLE ROW LEVEL SECURITY;
CREATE POLICY positive ON s_source USING (x > 0);
SELECT enable_online('s', history => true), materialize('s');
GRANT SELECT ON s_online, s_online_history TO regress_s_reader;
SET ROLE regress_s_reader;
SELECT count(*), (SELECT count(*) FROM s_online_history) AS history FROM s_online;
RESET ROLE;
SELECT DISTINCT problems FROM feature_view_health('s');
ALTER POLICY positive ON s_source USING (x > 2);
CREATE POLICY own_word ON s_online AS RESTRICTIVE USING (id < 100);
SELECT DISTINCT problems FROM feature_view_health('s');
SET ROLE regress_s_reader;
SELECT refresh_online('s');
RESET ROLE;
SELECT refresh_online('s');
SELECT DISTINCT problems FROM feature_view_health('s');
SELECT tablename, policyname, qual FROM pg_policies WHERE tablename LIKE 's\_online%' ORDER BY 1, 2;
SET ROLE regress_s_reader;
SELECT count(*), (SELECT count(*) FROM s_online_history) AS history FROM s_online;
RESET ROLE;
DROP POLICY positive ON s_source;
SELECT refresh_online('s');
SELECT tablename, policyname, qual FROM pg_policies WHERE tablename LIKE 's\_online%' ORDER BY 1, 2;
SELECT refresh_online('heirs');

-- A source that is dropped by hand: what is online is still read, the rest says what is missing
CREATE TABLE g_rows AS SELECT 1 AS id, timestamptz '2024-01-02' AS event_timestamp;
CREATE TABLE g_source AS SELECT 1 AS id, timestamptz '2024-01-01' AS ts, 7 AS y;
SELECT create_feature_view('g', 'g_source', '{id}', 'ts'), enable_online('g', trigger => true), materialize('g');
CALL create_training_set('g_set', 'g_rows', '{g:y}');
DROP TABLE g_source, g_set;
\set VERBOSITY default
SELECT materialize('g');
\set VERBOSITY terse
SELECT feature_values FROM get_online_features('{g:y}', '{"id": 1}');
SELECT feature_values FROM get_features_at('{g:y}', '{"id": 1}', '2024-01-02');
SELECT historical_features_columns('g_rows', '{g:y}');
SELECT put_features('g', '{"id": 1}', '{"y": 1}');
SELECT feature, keys, problems FROM feature_view_health('g');
SELECT training_serving_skew('g_set', 'g');
SELECT count(*) FROM feature_catalog('g');
SELECT drop_training_set('g_set'), rename_feature_view('g', 'gone');
DROP TABLE g_online;
SELECT feature_values FROM get_online_features('{gone:y}', '{"id": 1}');
SELECT feature, keys, problems FROM feature_view_health('gone');
SELECT alter_feature_view('gone', source => 'h_source');
SELECT drop_feature_view('gone');

-- Entity rows that are a training set are what came out of the other one
INSERT INTO h_source SELECT id, '2024-01-01', id FROM g_rows;
CALL create_training_set('first_set', 'g_rows', '{heirs:y}');
CALL create_training_set('second_set', 'first_set', '{old:y}', full_feature_names => true);
SELECT replace(n.uri, current_database(), 'DB') AS uri, n.type FROM feature_meta.training_set t, upstream(artifact => t.artifact_id) n
WHERE t.name = 'second_set' AND n.kind = 'artifact' ORDER BY 1, 2;

SELECT drop_training_set(name) FROM feature_meta.training_set ORDER BY name;
SELECT drop_feature_view(name) FROM feature_meta.feature_view ORDER BY name;
SELECT drop_entity('id');
DROP TABLE p_source, p_top, h_source, h_child, s_source, g_rows, n_temp;
DROP ROLE regress_s_reader;
