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
-- What goes is old: its time is set by hand
CREATE FUNCTION make_old(artifacts text[], executions text[]) RETURNS void LANGUAGE sql AS $$
	UPDATE mlmd.artifact SET last_update_time_since_epoch = 1000 WHERE name = ANY (artifacts);
	UPDATE mlmd.execution SET last_update_time_since_epoch = 1000 WHERE name = ANY (executions);
$$;
-- the graph as edges of names
CREATE FUNCTION graph() RETURNS TABLE (edge text) LANGUAGE sql AS $$
	SELECT CASE WHEN e.type LIKE '%INPUT' THEN a || ' -> ' || x ELSE x || ' -> ' || a END
	FROM mlmd.events e,
		LATERAL (SELECT coalesce(name, '(' || type || ')') FROM mlmd.artifacts WHERE id = e.artifact_id) an (a),
		LATERAL (SELECT coalesce(name, '(' || type || ')') FROM mlmd.executions WHERE id = e.execution_id) xn (x)
	ORDER BY (CASE WHEN e.type LIKE '%INPUT' THEN a || ' -> ' || x ELSE x || ' -> ' || a END) COLLATE "C" $$;
CREATE PROCEDURE chain(n int) LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM mlmd.artifact;
	DELETE FROM mlmd.execution;
	PERFORM put_artifact('P', name => 'a' || i) FROM generate_series(0, n) i;
	PERFORM put_execution('PE', ARRAY[(SELECT id FROM mlmd.artifact WHERE name = 'a' || i)], ARRAY[(SELECT id FROM mlmd.artifact WHERE name = 'a' || i + 1)], name => 'e' || i)
	FROM generate_series(0, n - 1) i;
END $$;
SELECT put_artifact_type('P') IS NOT NULL AS p, put_artifact_type('Q') IS NOT NULL AS q, put_execution_type('PE') IS NOT NULL AS e, put_context_type('PC') IS NOT NULL AS c;

-- in the middle of a chain: artifact to artifact
CALL chain(4);
SELECT make_old('{a2}', '{e1,e2}');
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();
-- again, the placeholder too: there is one between the same two
UPDATE mlmd.execution SET last_update_time_since_epoch = 1000 WHERE name IS NULL;
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();

-- artifact to execution, execution to artifact, execution to execution
CALL chain(4);
SELECT make_old('{a1}', '{e0}');
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();
CALL chain(4);
SELECT make_old('{a1}', '{e1}');
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();
CALL chain(4);
SELECT make_old('{a2}', '{}');
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();
-- the ends: nothing to connect
CALL chain(4);
SELECT make_old('{a0,a4}', '{e0,e3}');
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();
-- without lineage
CALL chain(2);
SELECT make_old('{a1}', '{e0,e1}');
SELECT * FROM purge('1980-01-01', keep_lineage => false);
SELECT * FROM graph();

-- two ways through what goes do not mix: x1 -> y1, x2 -> y2 and x2 -> y1, never x1 -> y2
DELETE FROM mlmd.artifact;
DELETE FROM mlmd.execution;
SELECT * FROM put_lineage_subgraph('{"artifacts": [{"type": "P", "name": "x1"}, {"type": "P", "name": "x2"}, {"type": "P", "name": "y1"}, {"type": "P", "name": "y2"}, {"type": "P", "name": "m"}],
	"executions": [{"type": "PE", "name": "f"}, {"type": "PE", "name": "g"}, {"type": "PE", "name": "h"}],
	"event_edges": [{"artifact_index": 0, "execution_index": 0, "event": {"type": "INPUT"}}, {"artifact_index": 4, "execution_index": 0, "event": {"type": "INPUT"}},
		{"artifact_index": 2, "execution_index": 0, "event": {"type": "OUTPUT"}}, {"artifact_index": 1, "execution_index": 1, "event": {"type": "INPUT"}},
		{"artifact_index": 4, "execution_index": 1, "event": {"type": "OUTPUT"}}, {"artifact_index": 1, "execution_index": 2, "event": {"type": "INPUT"}},
		{"artifact_index": 3, "execution_index": 2, "event": {"type": "OUTPUT"}}]}') \g /dev/null
SELECT make_old('{m}', '{f,g,h}');
SELECT * FROM purge('1980-01-01');
SELECT i.source, o.target FROM (SELECT e.execution_id, a.name AS source FROM mlmd.event e JOIN mlmd.artifact a ON a.id = e.artifact_id WHERE e.type = 3) i
	JOIN (SELECT e.execution_id, a.name AS target FROM mlmd.event e JOIN mlmd.artifact a ON a.id = e.artifact_id WHERE e.type = 4) o USING (execution_id) ORDER BY 1, 2;

-- a cycle through what goes ends
DELETE FROM mlmd.artifact;
DELETE FROM mlmd.execution;
SELECT put_artifact('P', name => 'loop') AS loop, put_artifact('P', name => 'in') AS "in", put_artifact('P', name => 'out') AS out \gset
SELECT put_execution('PE', ARRAY[:in, :loop], ARRAY[:loop, :out], name => 'l') IS NOT NULL AS put;
SELECT make_old('{loop}', '{l}');
SELECT * FROM purge('1980-01-01');
SELECT * FROM graph();

SELECT purge_history('infinity') > 0 AS forgotten;
-- by type; contexts go when nothing is in them
CALL chain(2);
-- NULL is not false
BEGIN;
SELECT make_old('{a1}', '{}');
SELECT artifacts, links FROM purge('1980-01-01', keep_lineage => NULL);
ROLLBACK;
SELECT put_artifact('Q', name => 'q') AS q, put_context('PC', 'full') AS full, put_context('PC', 'empty') AS empty, put_context('PC', 'young') AS young \gset
SELECT put_attribution(:full, id) IS NOT NULL AS put FROM mlmd.artifact WHERE name = 'a0';
SELECT make_old('{q,a2}', '{}');
UPDATE mlmd.context SET last_update_time_since_epoch = 1000 WHERE name <> 'young';
SELECT * FROM purge('1980-01-01', 'Q');
SELECT * FROM purge('1980-01-01', 'PC');
SELECT name FROM mlmd.context ORDER BY 1;
SELECT * FROM purge('1980-01-01', keep_history => true);
SELECT name, valid_to < 'infinity' AS deleted FROM mlmd.artifact_versions WHERE name IN ('q', 'a2') ORDER BY name, valid_to DESC;
SELECT * FROM purge('-infinity');
SELECT artifacts > 0 AS artifacts, executions > 0 AS executions, contexts FROM purge('infinity');
SELECT count(*) FROM mlmd.artifact;
SELECT purge(NULL);

-- who may not delete, may not purge
CREATE ROLE regress_mlmd_reader;
GRANT USAGE ON SCHEMA mlmd TO regress_mlmd_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA mlmd TO regress_mlmd_reader;
SELECT put_artifact('P', name => 'old') IS NOT NULL AS put, make_old('{old}', '{}') IS NULL AS aged;
SELECT make_old('{old}', '{}');
SET ROLE regress_mlmd_reader;
SELECT purge('1980-01-01');
SELECT delete_artifacts('{1}');
RESET ROLE;
DROP OWNED BY regress_mlmd_reader;
DROP ROLE regress_mlmd_reader;

\c :regression
DROP DATABASE regress_lineage_store;
