-- A subgraph is the same whichever way its rows are read: by indexes for who may read the whole tables, by queries for others
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_lineage_reads;
CREATE DATABASE regress_lineage_reads;
\c regress_lineage_reads
SET client_min_messages = warning;
CREATE EXTENSION feature_meta;

SELECT put_artifact_type('Data', '{"i": "INT", "s": "STRING"}', base_type => 'Dataset') AS data, put_artifact_type('Rare') AS rare,
	put_execution_type('Step', '{"d": "DOUBLE"}', base_type => 'Transform', output_type => '{"simple": {"name": "Data"}}') AS step,
	put_execution_type('Bare') AS bare, put_context_type('Run', '{"i": "INT"}') AS run \gset
-- ids that are dense, with gaps, and far apart
CREATE TABLE ids AS SELECT i, CASE WHEN i <= 300 THEN i WHEN i <= 500 THEN i * 3 WHEN i <= 600 THEN i * 1000003::bigint ELSE 9000000000 + i END AS id
	FROM generate_series(1, 900) i;
INSERT INTO mlmd.artifact (id, type_id, name, uri, state, create_time_since_epoch)
	SELECT id, CASE WHEN i % 97 = 0 THEN :rare ELSE :data END, 'a' || i, CASE WHEN i % 3 > 0 THEN repeat('u', i) END, nullif(i % 7, 0), i FROM ids;
INSERT INTO mlmd.execution (id, type_id, name, last_known_state) SELECT id, CASE WHEN i % 89 = 0 THEN :bare ELSE :step END, 'e' || i, nullif(i % 6, 0) FROM ids;
INSERT INTO mlmd.context (id, type_id, name) SELECT id, :run, 'c' || i FROM ids WHERE i % 50 = 0;
INSERT INTO mlmd.event (artifact_id, execution_id, type, milliseconds_since_epoch)
	SELECT id, id, 4, nullif(i % 5, 0) FROM ids ORDER BY hashint8(i);
INSERT INTO mlmd.event (artifact_id, execution_id, type, milliseconds_since_epoch)
	SELECT DISTINCT a.id, e.id, 3, e.i FROM ids e, generate_series(1, 2) k, ids a WHERE a.i = e.i - 1 - abs(hashint8(e.i * 7 + k)) % 20;
-- properties of some, very many of one that lies between; paths of some events; a few contexts
INSERT INTO mlmd.artifactproperty (artifact_id, name, is_custom_property, int_value, string_value)
	SELECT id, k.name, k.name = 'own', CASE WHEN k.name = 'i' THEN i END, CASE WHEN k.name <> 'i' THEN repeat('text ', CASE WHEN i % 300 = 299 THEN 20000 ELSE i % 9 END) END
	FROM ids, unnest('{i,s,own}'::text[]) k (name) WHERE i % 4 = 0 OR i % 300 = 299;
INSERT INTO mlmd.artifactproperty (artifact_id, name, is_custom_property, bool_value) SELECT 303 * 3, 'b' || k, true, k % 2 = 0 FROM generate_series(1, 300) k;
INSERT INTO mlmd.executionproperty (execution_id, name, is_custom_property, double_value) SELECT id, 'd', i % 2 = 0, i / 7.0 FROM ids WHERE i BETWEEN 250 AND 650;
INSERT INTO mlmd.contextproperty (context_id, name, is_custom_property, int_value) SELECT id, 'i', false, id FROM mlmd.context WHERE id % 3 = 0;
INSERT INTO mlmd.eventpath (event_id, is_index_step, step_index, step_key)
	SELECT e.id, s = 2, CASE WHEN s = 2 THEN e.id END, CASE WHEN s <> 2 THEN 'k' || s END FROM mlmd.event e, generate_series(1, 3) s WHERE e.id % 11 = 0 ORDER BY e.id, s;
INSERT INTO mlmd.attribution (context_id, artifact_id) SELECT c.id, i.id FROM mlmd.context c, ids i WHERE abs(hashint8(c.id * 31 + i.i)) % 40 = 0;
INSERT INTO mlmd.association (context_id, execution_id) SELECT c.id, i.id FROM mlmd.context c, ids i WHERE abs(hashint8(c.id * 37 + i.i)) % 40 = 0;
-- former versions of rows, and rows that are gone
UPDATE mlmd.artifact SET state = 4 WHERE id % 13 = 0;
UPDATE mlmd.event SET milliseconds_since_epoch = 77 WHERE id % 17 = 0;
DELETE FROM mlmd.event WHERE id % 101 = 0;
DELETE FROM mlmd.executionproperty WHERE execution_id % 10 = 0;

CREATE TABLE asked (starts text, direction text, hops int);
INSERT INTO asked SELECT s, d, h FROM unnest(ARRAY['id = 9000000900', 'id = 1500', 'name = "a290"', 'id < 40', 'name LIKE "a55%"']) s,
	unnest('{upstream,downstream,bidirectional}'::text[]) d, unnest('{0,1,4,30,400}'::int[]) h;
CREATE TABLE answered AS SELECT asked, lineage_subgraph(starts, max_num_hops => hops, direction => direction) AS graph FROM asked;
CREATE FUNCTION differing() RETURNS TABLE (asked asked) LANGUAGE SQL AS $$
	SELECT w.asked FROM answered w WHERE w.graph <> lineage_subgraph((w.asked).starts, max_num_hops => (w.asked).hops, direction => (w.asked).direction)
$$;
-- they are what the tables have
WITH graph AS (SELECT row_number() OVER () AS n, graph::jsonb AS j FROM answered),
	artifact AS MATERIALIZED (SELECT n, a, (a ->> 'id')::bigint AS id FROM graph, jsonb_array_elements(j -> 'artifacts') a),
	execution AS MATERIALIZED (SELECT n, e, (e ->> 'id')::bigint AS id FROM graph, jsonb_array_elements(j -> 'executions') e)
SELECT (SELECT count(*) FROM graph) AS graphs, (SELECT count(*) FROM artifact) > 5000 AS many,
	(SELECT count(*) FROM artifact JOIN mlmd.artifact t USING (id) WHERE a ->> 'name' = t.name AND a ->> 'uri' IS NOT DISTINCT FROM t.uri
		AND a ->> 'type' = CASE t.type_id WHEN :rare THEN 'Rare' ELSE 'Data' END) = (SELECT count(*) FROM artifact) AS artifacts,
	(SELECT sum((SELECT count(*) FROM jsonb_object_keys(coalesce(a -> 'properties', '{}'))) + (SELECT count(*) FROM jsonb_object_keys(coalesce(a -> 'custom_properties', '{}'))))
		FROM artifact) = (SELECT count(*) FROM artifact JOIN mlmd.artifactproperty p ON p.artifact_id = artifact.id) AS properties,
	(SELECT sum((SELECT count(*) FROM jsonb_object_keys(coalesce(e -> 'properties', '{}'))) + (SELECT count(*) FROM jsonb_object_keys(coalesce(e -> 'custom_properties', '{}'))))
		FROM execution) = (SELECT count(*) FROM execution JOIN mlmd.executionproperty p ON p.execution_id = execution.id) AS execution_properties,
	(SELECT sum(jsonb_array_length(coalesce(j -> 'attributions', '[]'))) FROM graph) = (SELECT count(*) FROM artifact JOIN mlmd.attribution l ON l.artifact_id = artifact.id) AS attributions,
	(SELECT sum(jsonb_array_length(coalesce(j -> 'associations', '[]'))) FROM graph) = (SELECT count(*) FROM execution JOIN mlmd.association l ON l.execution_id = execution.id) AS associations,
	(SELECT bool_and(e ->> 'milliseconds_since_epoch' IS NOT DISTINCT FROM t.milliseconds_since_epoch::text AND jsonb_array_length(coalesce(e -> 'path' -> 'steps', '[]'))
			= (SELECT count(*) FROM mlmd.eventpath p WHERE p.event_id = t.id))
		FROM graph, jsonb_array_elements(j -> 'events') e JOIN mlmd.event t ON t.artifact_id = (e ->> 'artifact_id')::bigint AND t.execution_id = (e ->> 'execution_id')::bigint) AS events,
	(SELECT bool_and((SELECT jsonb_object_agg(t ->> 'name', coalesce(t ->> 'base_type', 'none')) FROM jsonb_array_elements(j -> 'execution_types') t)
		<@ '{"Step": "TRANSFORM", "Bare": "none"}') FROM graph WHERE j ? 'execution_types') AS base_types
FROM (VALUES (1)) v;
-- a role that may read columns, but not the tables
CREATE ROLE regress_reads_columns;
GRANT USAGE ON SCHEMA mlmd TO regress_reads_columns;
GRANT SELECT ON answered TO regress_reads_columns;
DO $$
DECLARE
	grants text;
BEGIN
	FOR grants IN SELECT format('GRANT SELECT (%s) ON mlmd.%I TO regress_reads_columns', string_agg(quote_ident(attname), ', '), relname)
		FROM pg_class c JOIN pg_attribute ON attrelid = c.oid WHERE relnamespace = 'mlmd'::regnamespace AND relkind = 'r' AND (attnum > 0 OR attname = 'ctid') AND NOT attisdropped GROUP BY relname
	LOOP
		EXECUTE grants;
	END LOOP;
END
$$;
SET ROLE regress_reads_columns;
SELECT count(*) FROM differing();
RESET ROLE;
-- a policy that hides nothing, on some of the tables
GRANT SELECT ON ALL TABLES IN SCHEMA mlmd TO regress_reads_columns;
ALTER TABLE mlmd.artifactproperty ENABLE ROW LEVEL SECURITY;
ALTER TABLE mlmd.eventpath ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON mlmd.artifactproperty USING (true);
CREATE POLICY all_rows ON mlmd.eventpath USING (event_id % 33 = 0);
SET ROLE regress_reads_columns;
SELECT count(*) > 0 AS paths_are_missing FROM differing();
RESET ROLE;
ALTER POLICY all_rows ON mlmd.eventpath USING (true);
SET ROLE regress_reads_columns;
SELECT count(*) FROM differing();
RESET ROLE;
-- a time that is now: every row by a query, the steps of a path in any order
SELECT count(*) FROM answered w WHERE w.graph - lineage_subgraph((w.asked).starts, max_num_hops => (w.asked).hops, direction => (w.asked).direction, as_of => clock_timestamp()) <> ''::lineage_graph;
-- all pages visible to everyone: events without the table
VACUUM mlmd.event, mlmd.artifact, mlmd.artifactproperty, mlmd.eventpath;
SELECT count(*) FROM differing();
-- indexes that have less, other ones, or none
ALTER TABLE mlmd.event DROP CONSTRAINT uniqueevent, ADD CONSTRAINT uniqueevent UNIQUE (artifact_id, execution_id, type);
SELECT count(*) FROM differing();
DROP INDEX mlmd.event_execution_id_idx, mlmd.eventpath_event_id_idx, mlmd.attribution_artifact_id_idx;
CREATE INDEX ON mlmd.eventpath (event_id DESC);
CREATE INDEX ON mlmd.attribution (artifact_id) WHERE context_id > 0;
SELECT count(*) FROM differing();
-- a table that a user made a parent: its rows are those of the child too
CREATE TABLE more () INHERITS (mlmd.artifactproperty);
INSERT INTO more (artifact_id, name, is_custom_property, string_value) VALUES (290, 'inherited', true, 'yes');
SELECT graph::jsonb -> 'artifacts' -> 0 -> 'custom_properties' -> 'inherited' AS inherited FROM lineage_subgraph('id = 290', max_num_hops => 0) AS graph;
DROP TABLE more;
-- several rows of a node, from history that was written by hand or from a child with the parent's ids: one of them
INSERT INTO mlmd.artifact_history (id, type_id, name, create_time_since_epoch, last_update_time_since_epoch, valid_from, valid_to)
	SELECT id, type_id, name, 0, 0, '2000-01-01', '3000-01-01' FROM mlmd.artifact, generate_series(1, 20);
INSERT INTO mlmd.execution_history (id, type_id, name, create_time_since_epoch, last_update_time_since_epoch, valid_from, valid_to)
	SELECT id, type_id, name, 0, 0, '2000-01-01', '3000-01-01' FROM mlmd.execution, generate_series(1, 20);
INSERT INTO mlmd.context_history (id, type_id, name, create_time_since_epoch, last_update_time_since_epoch, valid_from, valid_to)
	SELECT id, type_id, name, 0, 0, '2000-01-01', '3000-01-01' FROM mlmd.context, generate_series(1, 20);
CREATE TABLE more_types () INHERITS (mlmd.type);
INSERT INTO more_types SELECT t.* FROM ONLY mlmd.type t, generate_series(1, 20);
SELECT count(*) AS differing FROM answered w, unnest('{artifacts,executions,contexts,artifact_types,execution_types,context_types}'::text[]) part,
	lineage_subgraph((w.asked).starts, max_num_hops => (w.asked).hops, direction => (w.asked).direction, as_of => clock_timestamp()) g
	WHERE (w.asked).hops = 30 AND (w.asked).direction = 'bidirectional'
		AND jsonb_path_query_array(w.graph::jsonb, format('$.%s[*].id', part)::jsonpath) <> jsonb_path_query_array(g::jsonb, format('$.%s[*].id', part)::jsonpath);
SELECT count(*) FROM differing();

DROP OWNED BY regress_reads_columns;
DROP ROLE regress_reads_columns;
\c :regression
DROP DATABASE regress_lineage_reads;
