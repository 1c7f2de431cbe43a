-- Walks over the tables and over values against a plain reference, on random graphs with cycles
SET client_min_messages = warning;
TRUNCATE mlmd.artifact, mlmd.execution, mlmd.context RESTART IDENTITY CASCADE;
SELECT put_artifact_type('node') AS at, put_execution_type('step') AS et \gset
INSERT INTO mlmd.artifact (type_id, name) SELECT :at, 'a' || i FROM generate_series(1, 60) i;
INSERT INTO mlmd.execution (type_id, name) SELECT :et, 'e' || i FROM generate_series(1, 40) i;
-- hashint4 is the same on every machine, random() is not
INSERT INTO mlmd.event (artifact_id, execution_id, type, milliseconds_since_epoch)
SELECT DISTINCT ON (1, 2, 3) 1 + (hashint4(i) & 1023) % 60, 1 + (hashint4(i + 1000) & 1023) % 40, (hashint4(i + 2000) & 1023) % 8, i
FROM generate_series(1, 150) i ORDER BY 1, 2, 3, i;

-- edges with the data
CREATE VIEW flow AS
SELECT 'artifact' AS source_kind, artifact_id AS source, 'execution' AS target_kind, execution_id AS target, milliseconds_since_epoch AS ms FROM mlmd.event WHERE type IN (2, 3, 5)
UNION ALL SELECT 'execution', execution_id, 'artifact', artifact_id, milliseconds_since_epoch FROM mlmd.event WHERE type IN (1, 4, 6, 7);

CREATE FUNCTION reference(kind text, id bigint, up boolean, hops int) RETURNS TABLE (kind text, id bigint, distance int) LANGUAGE sql AS $$
	WITH RECURSIVE walk AS (
		SELECT $1 AS kind, $2 AS id, 0 AS distance
		UNION
		SELECT CASE WHEN $3 THEN f.source_kind ELSE f.target_kind END, CASE WHEN $3 THEN f.source ELSE f.target END, w.distance + 1
		FROM walk w JOIN flow f ON CASE WHEN $3 THEN (f.target_kind, f.target) ELSE (f.source_kind, f.source) END = (w.kind, w.id)
		WHERE w.distance < $4
	) SELECT kind, id, min(distance) FROM walk GROUP BY kind, id;
$$;

-- every node, both ways, several limits: no row of one that the other has not
SELECT count(*) FROM (VALUES ('artifact', 60), ('execution', 40)) k (kind, n), generate_series(1, k.n) id, (VALUES (1), (2), (5), (12)) h (hops),
	LATERAL (
		(SELECT r.kind, r.id, r.distance FROM reference(k.kind, id, true, hops) r
			EXCEPT SELECT u.kind, u.id, u.distance FROM upstream(artifact => CASE k.kind WHEN 'artifact' THEN id END, execution => CASE k.kind WHEN 'execution' THEN id END, max_hops => hops) u)
		UNION ALL
		(SELECT u.kind, u.id, u.distance FROM upstream(artifact => CASE k.kind WHEN 'artifact' THEN id END, execution => CASE k.kind WHEN 'execution' THEN id END, max_hops => hops) u
			EXCEPT SELECT r.kind, r.id, r.distance FROM reference(k.kind, id, true, hops) r)
		UNION ALL
		(SELECT r.kind, r.id, r.distance FROM reference(k.kind, id, false, hops) r
			EXCEPT SELECT u.kind, u.id, u.distance FROM downstream(artifact => CASE k.kind WHEN 'artifact' THEN id END, execution => CASE k.kind WHEN 'execution' THEN id END, max_hops => hops) u)
		UNION ALL
		(SELECT u.kind, u.id, u.distance FROM downstream(artifact => CASE k.kind WHEN 'artifact' THEN id END, execution => CASE k.kind WHEN 'execution' THEN id END, max_hops => hops) u
			EXCEPT SELECT r.kind, r.id, r.distance FROM reference(k.kind, id, false, hops) r)
	) difference;

-- the same over a value; and each path is one: it has distance steps, each an edge
CREATE TABLE whole AS SELECT lineage_subgraph('true') + lineage_subgraph(starting_executions => 'true') AS graph;
SELECT count(*) FROM whole, generate_series(1, 60) id, LATERAL (
		(SELECT u.kind, u.id, u.distance FROM upstream(artifact => id) u EXCEPT SELECT u.kind, u.id, u.distance FROM upstream(graph, artifact => id) u)
		UNION ALL
		(SELECT u.kind, u.id, u.distance FROM downstream(graph, artifact => id, max_hops => 7) u EXCEPT SELECT u.kind, u.id, u.distance FROM downstream(artifact => id, max_hops => 7) u)
	) difference;
SELECT count(*) AS paths, count(*) FILTER (WHERE array_length(path, 1) <> distance + 1) AS wrong_length,
	count(*) FILTER (WHERE path[1] <> start OR path[distance + 1] <> id) AS wrong_end,
	count(*) FILTER (WHERE EXISTS (
		SELECT FROM generate_series(1, distance) i
		WHERE NOT EXISTS (SELECT FROM flow f WHERE f.target = path[i] AND f.source = path[i + 1]
			AND f.target_kind = CASE WHEN i % 2 = 1 THEN 'artifact' ELSE 'execution' END))) AS not_an_edge
FROM generate_series(1, 60) start, LATERAL (SELECT * FROM upstream(artifact => start)) u;
SELECT count(*) FROM whole, generate_series(1, 60) start, LATERAL (SELECT id, distance, path FROM upstream(graph, artifact => start)) u
WHERE array_length(path, 1) <> distance + 1 OR path[1] <> start OR path[distance + 1] <> id;

-- several starts, limits, event types, times, boundaries
SELECT kind, id, distance FROM upstream(artifacts => ARRAY[1, 2, NULL, 1, 999], execution => 3, max_hops => 1) ORDER BY 1, 2;
SELECT count(*) FROM upstream(artifact => 999);
SELECT count(*) FROM upstream();
SELECT kind, id, distance FROM upstream(artifact => 1, max_hops => 0);
SELECT count(*) FROM upstream(artifact => 1, max_hops => -1);
SELECT count(*) FROM upstream(artifact => 1, event_types => '{INPUTS}');
SELECT count(*) FROM upstream(artifact => 1, boundary_artifacts => 'ids = 1');
SELECT count(*) > 1 AS more, bool_and(b.n <= a.n) AS fewer
FROM generate_series(1, 60) id, LATERAL (SELECT count(*) AS n FROM upstream(artifact => id)) a,
	LATERAL (SELECT count(*) AS n FROM upstream(artifact => id, event_types => '{INPUT, OUTPUT}')) b;
-- time: the same as without the later events
BEGIN;
CREATE TABLE early AS SELECT start, u.kind, u.id, u.distance FROM generate_series(1, 60) start, LATERAL (SELECT * FROM upstream(artifact => start, before => to_timestamp(0.080))) u;
CREATE TABLE early_value AS SELECT start, u.kind, u.id, u.distance FROM whole, generate_series(1, 60) start, LATERAL (SELECT * FROM upstream(graph, artifact => start, before => to_timestamp(0.080))) u;
DELETE FROM mlmd.event WHERE milliseconds_since_epoch > 80;
CREATE TABLE late AS SELECT start, u.kind, u.id, u.distance FROM generate_series(1, 60) start, LATERAL (SELECT * FROM upstream(artifact => start)) u;
SELECT (SELECT count(*) FROM (TABLE early EXCEPT TABLE late) d) AS a, (SELECT count(*) FROM (TABLE late EXCEPT TABLE early) d) AS b,
	(SELECT count(*) FROM (TABLE early_value EXCEPT TABLE late) d) AS c, (SELECT count(*) FROM (TABLE late EXCEPT TABLE early_value) d) AS d;
ROLLBACK;
-- a boundary is reached and not passed
SELECT bool_or(id % 2 = 0) AS reached, max(distance) AS farthest
FROM (SELECT (downstream(artifact => s, boundary_artifacts => 'MOD(id, 2) = 0', boundary_executions => 'true')).* FROM generate_series(1, 60) s) d;

-- paths, ancestors
SELECT count(*) AS differ FROM generate_series(1, 60) a, generate_series(1, 60, 7) b,
	LATERAL (SELECT (SELECT max("position") - 1 FROM lineage_path(a, b)) AS got, (SELECT distance FROM reference('artifact', a, false, 20) WHERE kind = 'artifact' AND id = b) AS wanted) x
WHERE got IS DISTINCT FROM wanted;
SELECT count(*) FROM lineage_path(1, 2, direction => 'sideways');
SELECT count(*) FROM lineage_path(1, 2, a_kind => 'model');
SELECT count(*) FROM lineage_path(1, 2, b_kind => 'model');
SELECT count(*) FROM common_ancestors(1, 2, a_kind => 'model');
SELECT count(*) FROM common_ancestors(1, 2, b_kind => 'model');
SELECT (SELECT count(*) FROM lineage_path(NULL, 2)) + (SELECT count(*) FROM lineage_path(1, NULL)) + (SELECT count(*) FROM lineage_path(1, 2, b_kind => NULL))
	+ (SELECT count(*) FROM lineage_path(1, 2, a_kind => NULL)) + (SELECT count(*) FROM common_ancestors(NULL, 2)) + (SELECT count(*) FROM common_ancestors(1, NULL)) AS of_null;
SELECT count(*) AS differ FROM generate_series(1, 60, 9) a, generate_series(1, 60, 11) b, LATERAL (
	(SELECT kind, id FROM common_ancestors(a, b) EXCEPT (SELECT kind, id FROM reference('artifact', a, true, 20) INTERSECT SELECT kind, id FROM reference('artifact', b, true, 20)))
	UNION ALL
	((SELECT kind, id FROM reference('artifact', a, true, 20) INTERSECT SELECT kind, id FROM reference('artifact', b, true, 20)) EXCEPT SELECT kind, id FROM common_ancestors(a, b))) d;

-- cycles: nodes that come from themselves
SELECT has_cycle(), (SELECT is_acyclic(graph) FROM whole);
WITH own AS (
	SELECT k.kind, node AS id FROM (VALUES ('artifact', 60), ('execution', 40)) k (kind, n), generate_series(1, k.n) node
	WHERE EXISTS (SELECT FROM flow f, LATERAL reference(f.source_kind, f.source, true, 25) r WHERE (f.target_kind, f.target) = (k.kind, node) AND (r.kind, r.id) = (k.kind, node)))
SELECT (SELECT count(*) FROM (SELECT kind, id FROM own EXCEPT SELECT kind, id FROM find_cycles()) d) AS missed,
	(SELECT count(*) FROM (SELECT kind, id FROM find_cycles() EXCEPT SELECT kind, id FROM own) d) AS too_many,
	(SELECT count(*) FROM (SELECT kind, id FROM whole, find_cycles(graph) EXCEPT SELECT kind, id FROM find_cycles()) d) AS value_too_many,
	(SELECT count(*) FROM whole, find_cycles(graph)) = (SELECT count(*) FROM find_cycles()) AS same_number;
\set VERBOSITY terse
SELECT count(*) FROM topological_order();
SELECT count(*) FROM whole, topological_order(graph);
\set VERBOSITY default

-- without the events that go back there is an order
DELETE FROM mlmd.event WHERE type IN (2, 3, 5) AND artifact_id > execution_id OR type IN (1, 4, 6, 7) AND artifact_id <= execution_id;
SELECT has_cycle(), (SELECT is_acyclic(lineage_subgraph('true'))), (SELECT count(*) FROM find_cycles());
WITH o AS MATERIALIZED (SELECT * FROM topological_order())
SELECT count(*) > 50 AS many, count(*) = max("position") AS numbered, (SELECT count(*) FROM flow f JOIN o s ON (s.kind, s.id) = (f.source_kind, f.source) JOIN o t ON (t.kind, t.id) = (f.target_kind, f.target)
	WHERE s."position" >= t."position") AS backward FROM o;
WITH o AS MATERIALIZED (SELECT t.* FROM (SELECT lineage_subgraph('true', direction => 'downstream') AS graph) g, topological_order(graph) t)
SELECT (SELECT count(*) FROM flow f JOIN o s ON (s.kind, s.id) = (f.source_kind, f.source) JOIN o t ON (t.kind, t.id) = (f.target_kind, f.target) WHERE s."position" >= t."position") AS backward,
	(SELECT count(*) FROM mlmd.artifact) <= count(*) AS all_there FROM o;
SELECT (SELECT count(*) FROM topological_order(artifact => 5)) = (SELECT count(*) FROM downstream(artifact => 5)) AS same;

-- what a walk knows ends with its query
SELECT traversed_path(1);
SELECT count(*) FROM traverse_lineage(NULL, '{1}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- a value that was opened stays open, and is known again only when it is the same
CREATE TABLE kept (id int PRIMARY KEY, graph lineage_graph);
CREATE VIEW walked AS SELECT kept.id, count(*) AS nodes, max(distance) AS hops, sum(u.id) AS ids FROM kept, upstream(graph, artifact => 3001) u GROUP BY kept.id;
INSERT INTO kept SELECT 1, lineage_graph_agg(i, i + 1) FROM generate_series(1, 3000) i;
INSERT INTO kept SELECT 2, lineage_graph_agg(i, i % 3 + i + 1) FROM generate_series(1, 3000) i;
SELECT * FROM walked ORDER BY id;
SELECT * FROM walked ORDER BY id;
UPDATE kept SET graph = (SELECT k.graph FROM kept k WHERE k.id <> kept.id);
SELECT * FROM walked ORDER BY id;
-- not compressed; at hand; in another table's file
ALTER TABLE kept ALTER graph SET STORAGE EXTERNAL;
CREATE TABLE others AS SELECT id, graph::text::lineage_graph AS graph FROM kept;
TRUNCATE kept;
INSERT INTO kept SELECT id, graph::text::lineage_graph FROM others;
SELECT * FROM walked ORDER BY id;
VACUUM FULL kept;
SELECT * FROM walked ORDER BY id;
SELECT o.id, count(*) FROM others o, upstream(o.graph, artifact => 3001) GROUP BY 1 ORDER BY 1;
SELECT o.id, count(*) FROM others o, upstream(o.graph::text::lineage_graph, artifact => 3001) GROUP BY 1 ORDER BY 1;
-- two walks over one value at a time; a walk that goes on while its graph is pushed out
SELECT count(*), min(u.distance + d.distance), max(u.distance + d.distance) FROM kept, upstream(graph, artifact => 3001) u JOIN downstream(graph, artifact => 1) d USING (kind, id) WHERE kept.id = 2;
BEGIN;
DECLARE walk SCROLL CURSOR FOR SELECT u.id, u.path[1:2] FROM kept, upstream(graph, artifact => 3001) u WHERE kept.id = 2;
FETCH 2 FROM walk;
SET LOCAL work_mem = '64kB';
SELECT is_acyclic(graph) FROM others ORDER BY id;
SET LOCAL work_mem = '16MB';
SELECT is_acyclic(lineage_graph_agg(i, i + 1)) FROM generate_series(1, 100000) i;
FETCH 2 FROM walk;
MOVE ALL IN walk;
SAVEPOINT s;
\set VERBOSITY terse
SELECT t.* FROM kept, (SELECT lineage_graph_agg(3001, 1) AS back) b, topological_order(graph + back) t WHERE kept.id = 2;
\set VERBOSITY default
ROLLBACK TO s;
FETCH BACKWARD 1 FROM walk;
COMMIT;
SELECT * FROM walked ORDER BY id;
DROP VIEW walked;
DROP TABLE kept, others;

-- an index of another order serves no walk, and is not taken for one that does
CREATE TEMPORARY TABLE in_order AS SELECT start, u.kind, u.id, u.distance FROM generate_series(1, 60) start, LATERAL upstream(artifact => start) u;
BEGIN;
DROP INDEX mlmd.event_execution_id_idx;
CREATE INDEX ON mlmd.event (execution_id DESC, artifact_id, type);
SELECT count(*) > 60 AS walked, count(*) = (SELECT count(*) FROM in_order) AS same_number,
	count(*) FILTER (WHERE NOT EXISTS (SELECT FROM in_order i WHERE i.start = w.start AND i.kind = w.kind AND i.id = w.id AND i.distance = w.distance)) AS others
FROM (SELECT start, u.kind, u.id, u.distance FROM generate_series(1, 60) start, LATERAL upstream(artifact => start) u) w;
ROLLBACK;
DROP TABLE in_order;

-- memory is bounded
INSERT INTO mlmd.artifact (type_id) SELECT :at FROM generate_series(1, 6000);
INSERT INTO mlmd.execution (type_id) VALUES (:et);
INSERT INTO mlmd.event (artifact_id, execution_id, type) SELECT id, (SELECT max(id) FROM mlmd.execution), 4 FROM mlmd.artifact WHERE name IS NULL;
SELECT count(*) FROM downstream(execution => 41);
BEGIN;
SET LOCAL work_mem = '64kB';
SET LOCAL hash_mem_multiplier = 1;
\set VERBOSITY terse
SELECT count(*) FROM downstream(execution => 41);
ROLLBACK;
BEGIN;
SET LOCAL work_mem = '1MB';
SET LOCAL hash_mem_multiplier = 1;
SELECT count(*) FROM generate_series(1, 100) g, LATERAL downstream(execution => 41 + 0 * g);
SELECT count(*) FROM generate_series(1, 400) g, LATERAL downstream(execution => 41 + 0 * g);
ROLLBACK;
DROP VIEW flow CASCADE;
DROP FUNCTION reference(text, bigint, boolean, int);
DROP TABLE whole;
TRUNCATE mlmd.artifact, mlmd.execution, mlmd.context RESTART IDENTITY CASCADE;
DELETE FROM mlmd.type WHERE id > 9;
ALTER TABLE mlmd.type ALTER COLUMN id RESTART WITH 10;
