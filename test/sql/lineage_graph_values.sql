-- Values of type lineage_graph: rows, sets, exports, aggregates; and graphs that a stranger wrote
SET client_min_messages = warning;
CREATE TABLE hostile (what text, graph lineage_graph);
INSERT INTO hostile VALUES
	('empty', ''),
	('dangling', 'events { artifact_id: 1 execution_id: 2 type: INPUT } events { artifact_id: 9 execution_id: 2 type: OUTPUT }'),
	('half', 'artifacts { id: 1 name: "a" } events { artifact_id: 1 type: INPUT } events { execution_id: 1 } events { }'),
	('twice', 'artifacts { id: 1 name: "first" type: "T" } artifacts { id: 1 name: "second" } executions { id: 1 } events { artifact_id: 1 execution_id: 1 type: INPUT } events { artifact_id: 1 execution_id: 1 type: INPUT }'),
	('itself', 'artifacts { id: 1 } executions { id: 1 } events { artifact_id: 1 execution_id: 1 type: INPUT } events { artifact_id: 1 execution_id: 1 type: OUTPUT }'),
	('unknown', 'artifacts { id: 1 } executions { id: 1 } events { artifact_id: 1 execution_id: 1 } attributions { artifact_id: 1 context_id: 7 } contexts { name: "no id" }'),
	('far', 'artifacts { id: -9223372036854775808 } artifacts { id: 9223372036854775807 } executions { id: 5 } events { artifact_id: -9223372036854775808 execution_id: 5 type: DECLARED_INPUT } events { artifact_id: 9223372036854775807 execution_id: 5 type: PENDING_OUTPUT }'),
	('names', E'artifacts { id: 1 name: "a\\"]; x -> y; \\\\ <script>`#\\n" type: "T|" uri: "s3://b" } executions { id: 1 name: "\\"" } events { artifact_id: 1 execution_id: 1 type: INTERNAL_INPUT }'),
	('values', E'artifacts { id: 1 properties { key: "d" value { double_value: nan } } properties { key: "i" value { int_value: -5 } } properties { key: "s" value { struct_value { fields { key: "x" value { list_value { values { bool_value: true } } } } } } } properties { key: "p" value { proto_value { type_url: "t/x" value: "\\001" } } } properties { key: "n" value { } } custom_properties { key: "b" value { bool_value: true } } }');
SELECT what, n.kind, n.id, n.type, n.name, n.properties, n.custom_properties FROM hostile, nodes(graph) n ORDER BY what, n.kind, n.id, n.name;
SELECT what, e.* FROM hostile, edges(graph) e ORDER BY what, 2, 3, 4, 5, 6;
SELECT what, is_acyclic(graph), (SELECT array_agg(kind || ' ' || id ORDER BY kind, id) FROM roots(graph)) AS roots, (SELECT array_agg(kind || ' ' || id ORDER BY kind, id) FROM leaves(graph)) AS leaves,
	(SELECT array_agg(kind || ' ' || id ORDER BY kind, id) FROM find_cycles(graph)) AS cycles FROM hostile ORDER BY what;
SELECT what, (SELECT array_agg(u.id || ':' || u.distance ORDER BY u.distance, u.id) FROM downstream(graph, artifacts => '{1, -9223372036854775808, 3, NULL}') u) AS down,
	(SELECT array_agg(u.id || ':' || u.distance || coalesce(' ' || u.name, '') ORDER BY u.distance, u.id) FROM upstream(graph, artifacts => '{9, 9223372036854775807}', executions => '{2, 1}') u) AS up FROM hostile ORDER BY what;
SELECT what, (SELECT array_agg(kind || ' ' || id ORDER BY "position") FROM topological_order(graph)) FROM hostile WHERE what <> 'itself' ORDER BY what;
SELECT what, topological_order(graph) FROM hostile WHERE what = 'itself';
SELECT what, to_dot(graph), to_mermaid(graph) FROM hostile WHERE what IN ('names', 'far', 'dangling', 'unknown') ORDER BY what;
SELECT what, o FROM hostile, to_openlineage(graph, 'n"s', 'https://example.org', '2024-02-29 12:34:56.789+00') o ORDER BY what, o;
SELECT o FROM hostile, to_openlineage(graph) o WHERE what = 'itself';
SELECT FROM to_openlineage(NULL) UNION ALL SELECT FROM to_openlineage('executions { id: 1 }', NULL) UNION ALL SELECT FROM to_openlineage('executions { id: 1 }', producer => NULL);
SELECT to_openlineage('', event_time => 'infinity');
-- an event has the best time that is known; 0 is MLMD's for none
SELECT what, to_openlineage(graph::lineage_graph, event_time => '2031-01-01 00:00+00') ->> 'eventTime' AS time FROM (VALUES
	('last update', 'executions { id: 1 last_update_time_since_epoch: 1700000001000 create_time_since_epoch: 1700000002000 } events { execution_id: 1 artifact_id: 1 type: INPUT milliseconds_since_epoch: 1700000003000 }'),
	('last event', 'executions { id: 1 last_update_time_since_epoch: 0 create_time_since_epoch: 1700000002000 } events { execution_id: 1 artifact_id: 1 type: INPUT milliseconds_since_epoch: 1700000003000 } events { execution_id: 1 artifact_id: 2 type: INPUT } events { execution_id: 2 artifact_id: 2 type: INPUT milliseconds_since_epoch: 1700000009000 }'),
	('made', 'executions { id: 1 create_time_since_epoch: 1700000002000 } artifacts { id: 1 create_time_since_epoch: 1700000004000 } events { execution_id: 1 artifact_id: 1 type: OUTPUT }'),
	('outputs', 'executions { id: 1 } artifacts { id: 1 create_time_since_epoch: 1700000004000 } artifacts { id: 2 create_time_since_epoch: 1700000005000 } artifacts { id: 3 create_time_since_epoch: 1700000003000 } events { execution_id: 1 artifact_id: 2 type: INPUT } events { execution_id: 1 artifact_id: 1 type: OUTPUT } events { execution_id: 1 artifact_id: 3 type: OUTPUT }'),
	('inputs', 'executions { id: 1 } artifacts { id: 1 } artifacts { id: 2 create_time_since_epoch: 1700000005000 } events { execution_id: 1 artifact_id: 2 type: INPUT } events { execution_id: 1 artifact_id: 1 type: OUTPUT }'),
	('before 1970', 'executions { id: 1 } events { execution_id: 1 artifact_id: 1 type: INPUT milliseconds_since_epoch: -5000 }'),
	('given', 'executions { id: 1 } artifacts { id: 1 } events { execution_id: 1 artifact_id: 1 type: OUTPUT }')) t (what, graph);
SELECT a.what, b.what FROM hostile a, hostile b WHERE (a.graph - b.graph) + b.graph IS NULL;
SELECT what FROM hostile WHERE (graph - graph)::text <> '' ORDER BY what;
SELECT a.what, b.what FROM hostile a, hostile b WHERE ((a.graph + b.graph) - b.graph)::text <> (a.graph - b.graph)::text ORDER BY 1, 2;
SELECT "union"('artifacts { id: 1 name: "a" } events { artifact_id: 1 execution_id: 1 type: INPUT }', 'artifacts { id: 1 name: "b" } artifacts { id: 2 } events { artifact_id: 1 execution_id: 1 type: INPUT } events { artifact_id: 1 execution_id: 1 type: OUTPUT }');
SELECT difference('artifact_types { id: 1 } artifact_types { id: 2 } artifacts { id: 1 type_id: 1 } artifacts { id: 2 type_id: 2 }', 'artifacts { id: 2 type_id: 2 }');
SELECT count(*) FROM upstream(NULL::lineage_graph, artifact => 1);
SELECT count(*) FROM nodes(NULL);
-- bytes that are no graph: a cast lets none in
SELECT '\x2205'::bytea::lineage_graph;
SELECT o ->> 'eventTime' FROM (VALUES (0), (951782400123), (-1), (253402300800000), (1709210096789)) t (ms),
	to_openlineage(format('executions { id: 1 last_update_time_since_epoch: %s }', ms)::lineage_graph, event_time => '2031-01-01 00:00+00') o;
-- datasets have the names that OpenLineage gives them
SELECT u.uri, o #>> '{outputs,0,namespace}' AS namespace, o #>> '{outputs,0,name}' AS name FROM unnest(ARRAY['s3://b/k/x', 'file:///tmp/x', 'file://host/tmp/x', 'hdfs://n:8020/d/x', 'postgres://h:5432/d.s.t', '/tmp/x', 'gs://b/', 'x://']) u (uri),
	to_openlineage(format('executions { id: 1 } artifacts { id: 2 uri: "%s" } events { artifact_id: 2 execution_id: 1 type: OUTPUT }', u.uri)::lineage_graph, namespace => 'ours', event_time => '2031-01-01 00:00+00') o;

-- aggregate: ids go by names, whatever the order of rows, one process or several
CREATE TABLE edge AS SELECT 'n' || (hashint4(i) & 1023) % 80 AS source, 'n' || (hashint4(i + 7777) & 1023) % 80 AS target, (ARRAY['x', 'y', NULL])[1 + i % 3] AS label,
	to_timestamp(i) AS at, ((hashint4(i) & 1023) % 80)::bigint AS s, ((hashint4(i + 7777) & 1023) % 80)::bigint AS t FROM generate_series(1, 3000) i;
SELECT (SELECT lineage_graph_agg(source, target, label, at) FROM edge) = (SELECT lineage_graph_agg(source, target, label, at) FROM (SELECT * FROM edge ORDER BY md5(at::text)) e) AS same;
CREATE TABLE alone AS SELECT lineage_graph_agg(source, target, label, at) AS g, lineage_graph_agg(s, t) AS h FROM edge;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE edge SET (parallel_workers = 2);
CREATE TABLE together AS SELECT lineage_graph_agg(source, target, label, at) AS g, lineage_graph_agg(s, t) AS h FROM edge;
SELECT alone.g = together.g AS text_same, alone.h = together.h AS bigint_same FROM alone, together;
-- reachability is that of the edges
WITH RECURSIVE r (a, b) AS (SELECT s, t FROM edge UNION SELECT r.a, e.t FROM r JOIN edge e ON e.s = r.b)
SELECT count(*) FROM (
	(SELECT a, b FROM r WHERE a < 10 EXCEPT SELECT n, d.id FROM alone, generate_series(0, 9) n, downstream(h, artifact => n) d WHERE d.kind = 'artifact')
	UNION ALL
	(SELECT n, d.id FROM alone, generate_series(0, 9) n, downstream(h, artifact => n) d WHERE d.kind = 'artifact' AND d.distance > 0 EXCEPT SELECT a, b FROM r)) x;
SELECT lineage_graph_agg(a, b, l) FROM (VALUES ('a', 'b', 'l'), ('a', 'b', 'l'), ('c', NULL, NULL), (NULL, 'd', NULL), (NULL, NULL, 'x'), ('b', 'b', NULL)) v (a, b, l);
SELECT lineage_graph_agg(a, b) IS NULL AS null_of_none FROM (VALUES (1::bigint, 2::bigint)) v (a, b) WHERE false;

-- questions
SELECT put_artifact_type('Data'), put_artifact_type('Model'), put_artifact_type('Eval', base_type => 'Metrics'), put_execution_type('Train'), put_context_type('Run');
SELECT put_context('Run', 'one'), put_context('Run', 'two');
SELECT put_artifact('Data', name => 'd'), put_artifact('Model', name => 'm1', custom_properties => '{"size": 1}'), put_artifact('Model', name => 'm2', custom_properties => '{"size": 2}'), put_artifact('Eval', custom_properties => '{"auc": 0.5}');
SELECT put_execution('Train', inputs => '{1}', outputs => '{2, 4}', contexts => '{1}', custom_properties => '{"rate": 0.1}'), put_execution('Train', inputs => '{1}', outputs => '{3}', contexts => '{2}', custom_properties => '{"rate": 0.1}');
SELECT id, name, distance FROM models_trained_on(1);
SELECT id FROM models_trained_on(1, type => 'Eval');
SELECT execution, inputs, outputs, properties, distance FROM transformations(2);
SELECT kind, id, distance, contexts FROM impact(artifact => 1);
SELECT kind, id, distance FROM impact(execution => 2);
SELECT * FROM compare_artifacts('{2, 3}');
SELECT * FROM compare_artifacts(NULL);
SELECT kind, type, id_a, id_b, status, differences FROM lineage_diff(1, 2);
SELECT kind, id, distance_a, distance_b, is_nearest FROM common_ancestors(2, 3);
-- as it was
SELECT pg_sleep(0.01);
SELECT clock_timestamp() AS before \gset
SELECT pg_sleep(0.01);
DELETE FROM mlmd.event WHERE artifact_id = 3;
SELECT put_artifact(id => 2, state => 'DELETED', custom_properties => '{"size": 9}');
SELECT (SELECT count(*) FROM downstream(artifact => 1)) AS now, (SELECT count(*) FROM downstream(artifact => 1, as_of => :'before')) AS before,
	(SELECT count(*) FROM nodes(lineage_subgraph('id = 1', as_of => :'before')) WHERE kind = 'artifact') AS nodes_before,
	(SELECT count(*) FROM nodes(lineage_subgraph('id = 1')) WHERE kind = 'artifact') AS nodes_now;
-- also of contexts, and of what was in them
SELECT kind, id, contexts AS now FROM impact(artifact => 1) ORDER BY 1, 2;
UPDATE mlmd.context SET name = name || ', renamed';
DELETE FROM mlmd.association WHERE execution_id = 2;
INSERT INTO mlmd.attribution (context_id, artifact_id) SELECT max(id), 2 FROM mlmd.context ON CONFLICT DO NOTHING;
SELECT kind, id, n.contexts AS now, b.contexts AS before FROM impact(artifact => 1, as_of => :'before') b LEFT JOIN impact(artifact => 1) n USING (kind, id) ORDER BY 1, 2;
SELECT id, name, state FROM artifacts('name = ''m1''');
SELECT id, name, state, custom_properties FROM artifacts('name = ''m1'' AND custom_properties.size.int_value = 1', as_of => :'before');
SELECT count(*) FROM artifacts(as_of => '2000-01-01');
-- a subgraph from nothing, and how it is asked for
SELECT lineage_subgraph();
SELECT lineage_subgraph('');
SELECT lineage_subgraph('id = 999');
SELECT lineage_subgraph('id = 1', max_num_hops => -1);
SELECT lineage_subgraph('id = 1', direction => 'up');
SELECT lineage_subgraph('id = 1', ending_executions => 'foo');
DROP TABLE hostile, edge, alone, together;
TRUNCATE mlmd.artifact, mlmd.execution, mlmd.context RESTART IDENTITY CASCADE;
DELETE FROM mlmd.type WHERE id > 9;
ALTER TABLE mlmd.type ALTER COLUMN id RESTART WITH 10;
