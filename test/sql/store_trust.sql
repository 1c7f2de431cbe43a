\set SHOW_CONTEXT never
-- Whether what is served is what was trained on, and that nobody sees online what the source hides
SET client_min_messages = warning;
CREATE TABLE t_source (id bigint, ts timestamptz, owner name, x double precision, y int, z text);
INSERT INTO t_source SELECT g, timestamptz '2026-01-01' + g * interval '1 hour', CASE WHEN g % 2 = 0 THEN 'regress_t_even' ELSE 'nobody' END, g, g % 3, 'w' || g % 4 FROM generate_series(1, 40) g;
CREATE TABLE t_rows AS SELECT g AS id, timestamptz '2026-01-01' + g * interval '1 hour' AS event_timestamp FROM generate_series(1, 20) g;

-- Definitions that could not be served are refused
SELECT create_entity('pair', '{id,id}');
SELECT create_entity('none', '{}');
SELECT create_feature_view('t', 't_source', '{id}', 'ts', features => '{x,id}');
SELECT create_feature_view('t', 't_source', '{id}', 'ts', features => '{x,ts}');
SELECT create_feature_view('t', 't_source', '{id}', 'ts', 'ts', features => '{x,y,x}');

SELECT create_feature_view('t', 't_source', '{id}', 'ts', features => '{x,y,z}',
	schema => 'feature { name: "x" type: FLOAT skew_comparator { jensen_shannon_divergence { threshold: 0.01 } } }');
SELECT create_feature_view('u', 't_source', '{id}', 'ts', features => '{x}');
SELECT enable_online('t'), enable_online('u'), materialize('t'), materialize('u');

-- Every feature is compared, whether the schema names it or not, with the view's name before it or without
CALL create_training_set('t_train', 't_rows', '{t:x,t:y,t:z}', lineage => false);
CALL create_training_set('t_full', 't_rows', '{t:x,t:z,u:x}', full_feature_names => true, lineage => false);
SELECT path, metric, round(value::numeric, 3) AS value, threshold, anomaly FROM training_serving_skew('t_train', 't');
SELECT path, metric, round(value::numeric, 3) AS value, threshold, anomaly FROM training_serving_skew('t_full', 't');
SELECT path, metric, round(value::numeric, 3) AS value, threshold, anomaly FROM training_serving_skew('t_full', 'u');
SELECT path, threshold, anomaly FROM training_serving_skew('t_train', 't', 'feature { name: "y" type: INT skew_comparator { jensen_shannon_divergence { threshold: 0.9 } } }');
CREATE TABLE t_log AS SELECT x AS t__x, x, z FROM t_online;
SELECT path, round(value::numeric, 3) AS value FROM training_serving_skew('t_train', 't_log'::regclass);
SELECT path, round(value::numeric, 3) AS value FROM training_serving_skew('t_full', 't_log'::regclass);
SELECT path FROM training_serving_skew('t_full', 't_rows'::regclass);

-- A training set made again under its name does not inherit where the former one came from
BEGIN;
CALL create_training_set('t_again', 't_rows', '{t:x}');
SELECT drop_training_set('t_again');
CALL create_training_set('t_again', 't_rows', '{u:x}');
SELECT up.type, up.name, up.distance FROM feature_meta.training_set s, upstream(s.artifact_id) up WHERE s.name = 't_again' ORDER BY up.distance, up.name;
ROLLBACK;

-- All rows in a range, corrections too
INSERT INTO t_source VALUES (3, '2026-01-01 03:00', 'nobody', 0, 33), (3, '2026-01-01 03:00', 'nobody', 0, 33), (NULL, '2026-01-01 03:00', 'nobody', 0, 1);
SELECT id, y FROM feature_rows('t', '2026-01-01 02:00', '2026-01-01 04:00') AS r(id bigint, ts timestamptz, x double precision, y int, z text) ORDER BY 1, 2;
SELECT count(*) FROM feature_rows('t@1') AS r(id bigint, ts timestamptz, x double precision, y int, z text);
SELECT count(*) FROM feature_rows('t', as_of => '2026-01-01 04:00') AS r(id bigint, ts timestamptz, x double precision, y int, z text);
SELECT * FROM feature_rows('t') AS r(id int);
SELECT * FROM feature_rows('tt') AS r(id int);

-- Keys that are not whole are an error, at a time as online; views may have a key in columns of unlike types
CREATE TABLE t_pairs (id int, part varchar(3), ts timestamptz, v int);
INSERT INTO t_pairs VALUES (1, 'a', '2026-01-01', 1), (2, 'a', '2026-01-01', 2);
CREATE TABLE t_wide (id bigint, part char(4), ts timestamptz, w int);
INSERT INTO t_wide VALUES (1, 'a', '2026-01-01', 10);
SELECT create_entity('pair', '{id,part}'), create_feature_view('pairs', 't_pairs', '{pair}', 'ts'), create_feature_view('wide', 't_wide', '{id}', 'ts', features => '{w}'),
	enable_online('pairs', history => true), materialize('pairs');
SELECT entity_key, feature_values FROM get_features_at('{pairs:v,wide:w}', '{"id": [1, 2], "part": ["a", "a"]}', '2026-01-02');
SELECT entity_key FROM get_features_at('pairs:v', '{"id": [1, 2], "part": "a"}', '2026-01-02');
SELECT entity_key FROM get_features_at('pairs:v', '{"id": 1}', '2026-01-02');
SELECT entity_key FROM get_features_at('pairs:v', '[5]', '2026-01-02');
SELECT entity_key FROM get_features_at('pairs:v', '5', '2026-01-02');
SELECT entity_key FROM get_features_at('pairs:v', NULL, '2026-01-02');
SELECT entity_key FROM online_at('pairs', '[{"id": 1, "part": "a"}, {"id": 1}]', now());
SELECT put_features('pairs', '[5]', '{"v": 1}');
SELECT put_features('pairs', '[{"id": 1, "part": "a"}]', '[5]');
SELECT put_features_from('pairs', 'SELECT 1 AS v');
SELECT count(*) FROM t_pairs;

-- Row security of the source goes along to the online table and its history
CREATE ROLE regress_t_even;
CREATE ROLE regress_t_other;
ALTER TABLE t_source ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON t_source FOR SELECT TO regress_t_even, regress_t_other USING (owner = current_user);
CREATE POLICY not_two ON t_source AS RESTRICTIVE USING (id <> 2);
SELECT create_feature_view('owned', 't_source', '{id}', 'ts', features => '{owner,y}'), enable_online('owned', history => true), materialize('owned');
SET client_min_messages = notice;
SELECT create_feature_view('hidden', 't_source', '{id}', 'ts', features => '{y}'), enable_online('hidden');
SET client_min_messages = warning;
SELECT materialize('hidden');
GRANT SELECT ON t_source, owned_online, owned_online_history, hidden_online TO regress_t_even, regress_t_other;
SELECT tablename, policyname, permissive, roles, cmd, qual FROM pg_policies WHERE tablename ~ '^(owned|hidden)_' ORDER BY 1, 2;
SET ROLE regress_t_even;
SELECT feature_values, statuses FROM get_online_features('owned:y', '{"id": [2, 3, 4]}');
SELECT feature_values ->> 'y' AS y FROM online_at('owned', '{"id": [2, 3, 4]}', now());
SELECT count(*), (SELECT count(*) FROM latest_features('hidden') AS r(id bigint, ts timestamptz, y int)) AS source FROM hidden_online;
SET ROLE regress_t_other;
SELECT count(*) FROM owned_online;
RESET ROLE;

-- and where it holds for the owner too, so it does there
GRANT CREATE ON SCHEMA public TO regress_t_even;
SET ROLE regress_t_even;
CREATE TABLE t_forced AS SELECT i AS id, timestamptz '2026-01-01' AS ts, i AS y, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS tenant FROM generate_series(1, 4) i;
ALTER TABLE t_forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON t_forced USING (tenant = current_setting('app.tenant', true));
SELECT create_feature_view('forced', 't_forced', '{id}', 'ts', features => '{y,tenant}'), enable_online('forced', history => true);
SET app.tenant = 'a';
SELECT materialize('forced');
SET app.tenant = 'b';
SELECT materialize('forced');
SELECT (SELECT count(*) FROM t_forced) AS source, (SELECT count(*) FROM forced_online) AS online, (SELECT count(*) FROM forced_online_history) AS history;
SELECT statuses FROM get_online_features('forced:y', '{"id": [1, 2]}');
RESET app.tenant;
SELECT drop_feature_view('forced');
DROP TABLE t_forced;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_t_even;

SELECT drop_training_set(name) FROM feature_meta.training_set ORDER BY name;
SELECT drop_feature_view(name) FROM feature_meta.feature_view ORDER BY name;
SELECT drop_entity('id'), drop_entity('pair');
DROP TABLE t_pairs, t_wide, t_source, t_rows, t_log;
DROP ROLE regress_t_even, regress_t_other;
