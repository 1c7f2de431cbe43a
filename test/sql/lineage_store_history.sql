-- In a database of its own: ids count from one, and nothing is left for other tests
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_lineage_store;
CREATE DATABASE regress_lineage_store;
\c regress_lineage_store
SET client_min_messages = warning;
CREATE EXTENSION feature_meta;
RESET client_min_messages;

\set SHOW_CONTEXT never
-- Transactions apart: each statement is one
SELECT put_artifact_type('H', '{"i": "INT"}') IS NOT NULL AS t, put_execution_type('HE') IS NOT NULL AS e, put_context_type('HC') IS NOT NULL AS c;
SELECT put_artifact('H', 'v1', 'h', '{"i": 1}') AS a \gset
SELECT clock_timestamp() AS t1, pg_sleep(0.002) \gset
SELECT put_artifact(id => :a, uri => 'v2', properties => '{"i": 2}', custom_properties => '{"note": "new"}') = :a AS put;
SELECT clock_timestamp() AS t2, pg_sleep(0.002) \gset
SELECT put_artifact(id => :a, state => 'LIVE', properties => '{"i": null}') = :a AS put;
SELECT clock_timestamp() AS t3, pg_sleep(0.002) \gset
SELECT uri, state, properties, custom_properties, valid_to = 'infinity' AS last FROM get_artifact_history(:a);
SELECT uri, state, properties, custom_properties FROM artifacts_as_of(:'t1', ARRAY[:a])
UNION ALL SELECT uri, state, properties, custom_properties FROM artifacts_as_of(:'t2', ARRAY[:a])
UNION ALL SELECT uri, state, properties, custom_properties FROM artifacts_as_of(:'t3', ARRAY[:a]);
SELECT count(*) AS before_it_was FROM artifacts_as_of('2000-01-01', ARRAY[:a]);

-- what does not change leaves no version; what a transaction does to its own rows neither
SELECT count(*) AS versions FROM mlmd.artifact_history \gset
UPDATE mlmd.artifact SET uri = uri;
BEGIN;
UPDATE mlmd.artifact SET uri = 'in between' WHERE id = :a;
SELECT put_artifact('H', 'own', 'own') AS own \gset
UPDATE mlmd.artifact SET uri = 'v3' WHERE id IN (:a, :own);
DELETE FROM mlmd.artifact WHERE id = :own;
SELECT valid_from = transaction_timestamp() AS now FROM mlmd.artifact WHERE id = :a;
COMMIT;
SELECT count(*) - :versions AS versions FROM mlmd.artifact_history;
SELECT array_agg(uri ORDER BY valid_from) FROM mlmd.artifact_versions WHERE id = :a;
-- a change undone
BEGIN;
UPDATE mlmd.artifact SET uri = 'undone' WHERE id = :a;
ROLLBACK;
SELECT array_agg(uri ORDER BY valid_from) FROM mlmd.artifact_versions WHERE id = :a;
-- versions neither overlap nor leave gaps
SELECT count(*) FROM (SELECT valid_to, lead(valid_from) OVER (ORDER BY valid_from) AS next FROM mlmd.artifact_versions WHERE id = :a) v
WHERE valid_to <> coalesce(next, 'infinity');
-- a version newer than this transaction (of one that began later and ended earlier) lasts a microsecond
BEGIN;
INSERT INTO mlmd.artifact (type_id, uri, valid_from) SELECT type_id, 'later', transaction_timestamp() + interval '1 second' FROM mlmd.artifact WHERE id = :a RETURNING id AS later \gset
COMMIT;
UPDATE mlmd.artifact SET uri = 'earlier' WHERE id = :later;
SELECT uri, extract(microseconds FROM valid_to - valid_from) AS microseconds FROM mlmd.artifact_history WHERE id = :later;

-- edges and deleted nodes
SELECT put_execution('HE', inputs => ARRAY[:a], name => 'e', new_outputs => '[{"type": "H", "name": "out", "event": {"path": ["k", 1]}}]', new_contexts => '[{"type": "HC", "name": "c"}]') AS e \gset
SELECT id AS out FROM get_artifacts(name => 'out') \gset
SELECT id AS c FROM get_contexts(name => 'c') \gset
SELECT clock_timestamp() AS t4, pg_sleep(0.002) \gset
SELECT delete_artifacts(ARRAY[:out]), delete_association(:c, :e), delete_association(:c, :e);
SELECT type FROM get_events(execution => :e);
UPDATE mlmd.artifact SET uri = 'after' WHERE id = :a;
-- a walk names its nodes as they were
SELECT kind, type, name, uri, distance FROM upstream(artifact => :out, as_of => :'t4') ORDER BY distance;
SELECT kind, type, name, uri, distance FROM downstream(artifact => :a, as_of => :'t4') ORDER BY distance;
SELECT kind, type, name, uri FROM upstream(execution => :e) ORDER BY distance;
SELECT type, path, artifact_id = :out AS deleted FROM events_as_of(:'t4', executions => ARRAY[:e]);
SELECT name FROM artifacts_as_of(:'t4', ARRAY[:out]);
SELECT name, valid_to < 'infinity' AS deleted FROM get_artifact_history(:out);
SELECT count(*) FROM mlmd.association_versions WHERE execution_id = :e AND valid_from <= :'t4' AND :'t4' < valid_to;
SELECT delete_executions(ARRAY[:e]), delete_contexts(ARRAY[:c]), delete_executions('{}');
SELECT name FROM executions_as_of(:'t4', ARRAY[:e]);
SELECT name FROM contexts_as_of(:'t4');
SELECT name, state FROM get_execution_history(:e);
SELECT name FROM get_context_history(:c);

-- forgetting
SELECT purge_history('2000-01-01'), purge_history(clock_timestamp() + interval '1 minute') > 0 AS forgotten;
SELECT sum(n) FROM (SELECT count(*) AS n FROM mlmd.artifact_history UNION ALL SELECT count(*) FROM mlmd.event_history UNION ALL SELECT count(*) FROM mlmd.artifactproperty_history) h;
SELECT uri FROM get_artifact_history(:a);

-- the triggers are for the tables of MLMD
CREATE TABLE other (id int);
CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION mlmd_reuse_type();
INSERT INTO other VALUES (1);
ALTER TABLE other ADD type_kind int, ADD name int, ADD version text, ALTER id TYPE bigint;
INSERT INTO other VALUES (1, 1, 1);
CREATE OR REPLACE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION mlmd_keep_history();
INSERT INTO other VALUES (1);
DROP TABLE other;

\c :regression
DROP DATABASE regress_lineage_store;
