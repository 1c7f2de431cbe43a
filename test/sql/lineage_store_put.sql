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

-- Types
SELECT put_artifact_type('Data', '{"i": "INT", "d": "DOUBLE", "s": "STRING", "st": "STRUCT", "p": "PROTO", "b": "BOOLEAN"}', base_type => 'Dataset') AS data,
	put_artifact_type('Model', base_type => 'mlmd.Model', description => 'what is trained') AS model,
	put_execution_type('Trainer', '{"lr": 2}', base_type => 'TRAIN', input_type => '{"simple": {"name": "Data"}}') AS trainer,
	put_context_type('Run', external_id => 'run-type') AS run;
SELECT * FROM get_artifact_types(name => 'Data');
SELECT kind, name, description, base_type, input_type, external_id FROM mlmd.types WHERE name IN ('Model', 'Trainer', 'Run') ORDER BY id;

-- again: the same; with other properties only when allowed
SELECT put_artifact_type('Model') = put_artifact_type('Model', description => 'said anew') AS same;
SELECT description FROM get_artifact_types(name => 'Model');
SELECT put_artifact_type('Model', '{"accuracy": "DOUBLE"}');
SELECT put_artifact_type('Model', '{"accuracy": "DOUBLE"}', can_add_fields => true) = put_artifact_type('Model', can_omit_fields => true) AS same;
SELECT put_artifact_type('Model');
SELECT put_artifact_type('Model', '{"accuracy": "INT"}', can_add_fields => true);
SELECT put_artifact_type('Model', version => '2') <> put_artifact_type('Model', can_omit_fields => true) AS another;
SELECT version, properties FROM get_artifact_types(name => 'Model') ORDER BY id;
SELECT put_artifact_type('Model', base_type => 'Dataset', can_omit_fields => true);
SELECT put_artifact_type('Model', base_type => 'Train', can_omit_fields => true);
SELECT put_artifact_type('Bad', '{"x": "FLOAT"}');
SELECT put_artifact_type('Bad', '{"x": 0}');
SELECT put_artifact_type('Bad', '["x"]');
SELECT put_artifact_type('');
SELECT put_artifact_type(NULL);
SELECT put_context_type('Other', external_id => 'run-type');
DELETE FROM mlmd.type WHERE name = 'mlmd.Model';
UPDATE mlmd.type SET name = 'x' WHERE name = 'mlmd.Model';
SELECT delete_types(ARRAY[put_context_type('Bad')]);

-- Property values, there and back
SELECT put_artifact('Data', 's3://bucket/a', 'a', state => 'LIVE', external_id => 'ext-a',
	properties => '{"i": 9007199254740993, "d": 1.5e-9, "s": "text", "b": true, "st": {"list": [1, "two", null, {"x": 0.1}], "empty": {}, "none": []},
		"p": {"@type": "type.googleapis.com/x.Y", "value": "CAE="}}',
	custom_properties => '{"int": 1, "double": 1.0, "big": 1e30, "text": "t", "yes": true, "struct": {"k": "v"}, "any": {"@type": "t", "value": ""},
		"stated": {"double_value": 3}, "string int": {"int_value": "12"}, "inf": {"double_value": "-Infinity"}, "nan": {"double_value": "NaN"},
		"odd": {"struct_value": {"int_value": 7}}, "typed": {"struct_value": {"@type": "x"}}}') AS id \gset
SELECT name, is_custom_property AS custom, int_value, double_value, string_value, proto_value, bool_value
FROM mlmd.artifactproperty WHERE artifact_id = :id ORDER BY is_custom_property, name COLLATE "C";
SELECT jsonb_pretty(to_jsonb(a) - 'create_time_since_epoch' - 'last_update_time_since_epoch' - 'id' - 'type_id') FROM get_artifacts(external_id => 'ext-a') a;
-- what was got can be put: nothing changes
SELECT put_lineage_subgraph(jsonb_build_object('artifacts', jsonb_agg(to_jsonb(a)))) FROM get_artifacts(ARRAY[:id]) a;
SELECT count(*) FROM mlmd.artifactproperty_history;
-- full double precision
SELECT count(*) AS lost FROM generate_series(1, 200) i, LATERAL (SELECT (random() * 10 ^ (i - 100))::double precision AS x) r,
	LATERAL (SELECT put_artifact('Data', properties => jsonb_build_object('d', x)) AS id) a, LATERAL (SELECT double_value FROM mlmd.artifactproperty p WHERE p.artifact_id = a.id) v
WHERE v.double_value <> x;

-- Any string
CREATE TEMPORARY TABLE nasty (s text);
INSERT INTO nasty VALUES ('\'), ('a\\b'), ('it''s'), ('"'), (E'tab\tline\n'), ('$1'), ('%s%n'), ('''); DROP TABLE mlmd.artifact; --'), ('Grüße 漢字 🎉'), (''),
	('mlmd-struct:'), (repeat('x', 100000)), ('{"a": 1}'), (E'\u00a0\u2028');
CREATE TEMPORARY TABLE put AS
SELECT n.s, put_artifact('Data', n.s, left('n' || n.s, 500), jsonb_build_object('s', n.s),
	jsonb_build_object(left('k' || n.s, 500), n.s, 'struct', jsonb_build_object(n.s, n.s)), external_id => left('x' || n.s, 500)) AS id
FROM nasty n;
SELECT count(*) AS put, count(*) FILTER (WHERE a.uri = n.s AND a.name = left('n' || n.s, 500) AND a.external_id = left('x' || n.s, 500) AND a.properties ->> 's' = n.s
	AND a.custom_properties -> left('k' || n.s, 500) = to_jsonb(n.s) AND a.custom_properties -> 'struct' = jsonb_build_object(n.s, n.s)) AS same
FROM put n JOIN get_artifacts() a USING (id);
SELECT count(*) AS found FROM nasty n, LATERAL get_artifacts(uri => n.s) a;
SELECT put_artifact_type(s), put_execution_type(s), put_context_type(s) FROM nasty WHERE s <> '' AND length(s) < 1000 \g /dev/null
SELECT count(*) FROM mlmd.type JOIN nasty ON name = s;

-- Errors of values
SELECT put_artifact('Data', properties => '{"i": 1.5}');
SELECT put_artifact('Data', properties => '{"i": "1"}');
SELECT put_artifact('Data', properties => '{"i": 9223372036854775808}');
SELECT put_artifact('Data', properties => '{"d": "x"}');
SELECT put_artifact('Data', properties => '{"d": 1e400}');
SELECT put_artifact('Data', properties => '{"s": 1}');
SELECT put_artifact('Data', properties => '{"s": {"int_value": 1}}');
SELECT put_artifact('Data', properties => '{"b": "true"}');
SELECT put_artifact('Data', properties => '{"st": [1]}');
SELECT put_artifact('Data', properties => '{"p": {"value": "AA=="}}');
SELECT put_artifact('Data', properties => '{"p": {"@type": "t", "value": "!"}}');
SELECT put_artifact('Data', properties => '{"s": "mlmd-struct::"}');
SELECT put_artifact('Data', properties => '{"undeclared": 1}');
SELECT put_artifact('Data', custom_properties => '{"list": [1]}');
SELECT put_artifact('Data', custom_properties => (repeat('{"a":', 40) || '1' || repeat('}', 40))::jsonb);
SELECT put_artifact('Data', properties => '[]');
SELECT put_artifact('Data', state => 'ALIVE');
SELECT put_artifact('None');
SELECT put_artifact('Data', type_version => '7');
SELECT put_artifact();
SELECT put_artifact(id => -1);
SELECT put_artifact(id => 1000000, uri => 'x');
SELECT put_context('Run');
SELECT put_execution('Data');

-- Names and external ids are unique; reuse finds what is there
SELECT put_artifact('Data', name => 'a');
SELECT put_artifact('Data', external_id => 'ext-a');
SELECT put_artifact('Data', name => 'a', uri => 'changed', reuse => true) = :id AS by_name, put_artifact('Data', external_id => 'ext-a', reuse => true) = :id AS by_external_id;
SELECT uri, state FROM get_artifacts(ARRAY[:id]);
SELECT put_context('Run', 'r', external_id => 'ext-r') = put_context('Run', 'r', reuse => true) AS same;

-- Updates: what is not given stays
SELECT put_artifact('Data', 'u', 'upd', '{"i": 1, "s": "s"}', '{"c": 1, "k": 2}', 'PENDING') AS upd \gset
SELECT put_artifact(id => :upd, state => 'LIVE', properties => '{"i": 2, "s": null}', custom_properties => '{"c": "text"}') = :upd AS updated;
SELECT uri, name, state, properties, custom_properties FROM get_artifacts(ARRAY[:upd]);
SELECT put_artifact(id => :upd, properties => '{"d": 0.5}', "replace" => true) = :upd AS replaced;
SELECT uri, name, state, properties, custom_properties FROM get_artifacts(ARRAY[:upd]);
SELECT put_artifact(id => :upd, name => 'another name');
SELECT put_artifact('Model', id => :upd);
-- without a change the time stays; with one it moves, even within a millisecond
SELECT last_update_time_since_epoch AS t0 FROM mlmd.artifact WHERE id = :upd \gset
SELECT put_artifact(id => :upd, properties => '{"d": 0.5}') = :upd AS updated;
SELECT last_update_time_since_epoch = :t0 AS unchanged FROM mlmd.artifact WHERE id = :upd;
SELECT put_artifact(id => :upd, uri => 'v1', last_update_time_since_epoch => :t0) = :upd AS updated;
\set VERBOSITY terse
SELECT put_artifact(id => :upd, uri => 'v2', properties => '{"d": 1}', last_update_time_since_epoch => :t0);
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT uri, properties, last_update_time_since_epoch > :t0 AS moved FROM get_artifacts(ARRAY[:upd]);

-- an id of nothing is an error, also with nothing to change
SELECT put_artifact(id => 999999);
SELECT put_context(id => 999999);
SELECT put_execution(id => 999999);
SELECT put_lineage_subgraph('{"artifacts": [{"id": 999999}]}'::jsonb);
SELECT put_artifact(id => :upd) = :upd AS same;

-- put_execution
SELECT put_artifact('Data', name => 'train') AS train, put_artifact('Model', name => 'm0') AS m0, put_context('Run', 'run 1') AS run1 \gset
SELECT put_execution('Trainer', inputs => ARRAY[:train], outputs => ARRAY[:m0], contexts => ARRAY[:run1]) AS e \gset
SELECT put_execution('Trainer', inputs => ARRAY[:train, :train], name => 'second', properties => '{"lr": 0.1}', state => 'COMPLETE',
	new_outputs => '[{"type": "Model", "name": "m1", "event": {"path": ["model", 0, {"key": "x"}, {"index": 2}]}},
		{"type": "Model", "name": "m2", "event": {"type": "DECLARED_OUTPUT", "milliseconds_since_epoch": 5, "path": {"steps": [{"key": "k"}]}}}]',
	new_inputs => jsonb_build_array(jsonb_build_object('id', :m0, 'state', 'REFERENCE')),
	new_contexts => '[{"type": "Run", "name": "run 1"}, {"type": "Run", "name": "run 2", "custom_properties": {"n": 2}}]') AS e2 \gset
SELECT a.name, e.type, e.path, CASE WHEN e.milliseconds_since_epoch < 10 THEN e.milliseconds_since_epoch END AS ms
FROM get_events(execution => :e2) e JOIN mlmd.artifact a ON a.id = e.artifact_id ORDER BY 1;
SELECT name, state, properties FROM get_executions(ARRAY[:e2]);
SELECT name FROM get_contexts(execution => :e2) ORDER BY 1;
SELECT name, state, (SELECT array_agg(c.name ORDER BY c.name) FROM get_contexts(artifact => a.id) c) AS contexts FROM get_artifacts(execution => :e2) a ORDER BY 1;
-- put again with its id: nothing twice
SELECT put_execution(id => :e2, inputs => ARRAY[:train], contexts => ARRAY[:run1], state => 'CACHED') = :e2 AS same;
SELECT count(*), count(DISTINCT (artifact_id, type)) FROM mlmd.event WHERE execution_id = :e2;
-- all or nothing
SELECT count(*) AS before FROM mlmd.artifact \gset
SELECT put_execution('Trainer', inputs => ARRAY[1000000], new_outputs => '[{"type": "Model"}]');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Model"}, {"type": "Model", "name": "m1"}]');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Model", "event": {"path": [true]}}]');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Model", "colour": 1}]');
SELECT put_execution('Trainer', new_outputs => '{"type": "Model"}');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Model", "event": {"type": "SIDEWAYS"}}]');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Model", "properties": {"i": 1}}]');
SELECT put_execution('Trainer', new_outputs => '[{"id": 1.5}]');
SELECT put_execution('Trainer', new_outputs => '[{"id": "x"}]');
SELECT put_execution('Trainer', new_outputs => '[{"id": 0}]');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Model", "state": 1.5}]');
SELECT put_execution('Trainer', inputs => ARRAY[NULL::bigint]);
SELECT put_execution('Trainer', contexts => ARRAY[1000000]);
SELECT count(*) - :before AS left_behind FROM mlmd.artifact;
-- an output of that external id is there: reused and updated
SELECT put_execution('Trainer', new_outputs => '[{"type": "Data", "external_id": "ext-a", "uri": "by execution"}]');
SELECT put_execution('Trainer', new_outputs => '[{"type": "Data", "external_id": "ext-a", "uri": "by execution"}]', reuse => true) IS NOT NULL AS put;
SELECT uri FROM get_artifacts(ARRAY[:id]);

-- edges
SELECT put_event(:m0, :e, 'DECLARED_INPUT', '["a", 1]', 7) = put_event(:m0, :e, 'DECLARED_INPUT', '["other"]') AS same;
SELECT type, path, milliseconds_since_epoch FROM get_events(artifact => :m0, execution => :e) WHERE type = 'DECLARED_INPUT';
SELECT put_event(:m0, 1000000, 'INPUT');
SELECT put_event(:m0, NULL, 'INPUT');
SELECT put_event(:m0, :e, 'INWARD');
SELECT put_attribution(:run1, :id) = put_attribution(:run1, :id) AS same, put_association(:run1, :e) = put_association(:run1, :e) AS same;
SELECT put_context('Run', 'parent') AS parent, put_context('Run', 'grandparent') AS grandparent \gset
SELECT put_parent_context(:run1, :parent), put_parent_context(:run1, :parent), put_parent_context(:parent, :grandparent);
SELECT put_parent_context(:grandparent, :run1);
SELECT (SELECT array_agg(name) FROM get_contexts(child => :run1)) AS parents, (SELECT array_agg(name) FROM get_contexts(parent => :grandparent)) AS children;

-- put_lineage_subgraph
SELECT * FROM put_lineage_subgraph(jsonb_build_object('executions', '[{"type": "Trainer", "name": "s1"}]'::jsonb,
	'artifacts', jsonb_build_array('{"type": "Data", "name": "in"}'::jsonb, '{"type": "Model", "name": "out"}'::jsonb, jsonb_build_object('id', :m0)),
	'contexts', '[{"type": "Run", "name": "run 1"}]'::jsonb,
	'event_edges', '[{"execution_index": 0, "artifact_index": 0, "event": {"type": "INPUT"}}, {"execution_index": 0, "artifact_index": 1, "event": {"type": "OUTPUT", "path": ["m"]}},
		{"execution_index": 0, "artifact_index": 2, "event": {"type": 3}}]'::jsonb)) \gset g_
SELECT (:'g_artifact_ids'::bigint[])[3] = :m0 AS stored, (:'g_context_ids'::bigint[])[1] = :run1 AS reused;
SELECT a.name, e.type, e.path FROM get_events(executions => :'g_execution_ids') e JOIN mlmd.artifact a ON a.id = e.artifact_id ORDER BY e.id;
SELECT put_lineage_subgraph('{"artifacts": [], "event_edges": [{"artifact_index": 0, "event": {}}]}');
SELECT put_lineage_subgraph('{"executions": [{"type": "Trainer"}], "event_edges": [{"execution_index": 0, "event": {}}]}');
SELECT put_lineage_subgraph('{"nodes": []}');
SELECT put_lineage_subgraph('[]');
SELECT put_lineage_subgraph('{}');

-- a role without rights can not put, one with rights can, whatever its search_path
CREATE ROLE regress_mlmd_none;
CREATE ROLE regress_mlmd_writer;
GRANT USAGE ON SCHEMA mlmd TO regress_mlmd_none, regress_mlmd_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mlmd TO regress_mlmd_writer;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA mlmd TO regress_mlmd_writer;
SET ROLE regress_mlmd_none;
SELECT put_artifact('Data');
SELECT count(*) FROM get_artifacts();
SET ROLE regress_mlmd_writer;
SET search_path = '';
SELECT public.put_execution('Trainer', new_outputs => '[{"type": "Model"}]') IS NOT NULL AS put;
SELECT public.put_artifact_type('Written') IS NOT NULL AS put;
INSERT INTO mlmd.type (name, type_kind) VALUES ('Written', 1);
SELECT lastval() = id AS lastval_is_id FROM mlmd.type WHERE name = 'Written';
UPDATE mlmd.artifact SET state = 4 WHERE name = 'train';
RESET ROLE;
RESET search_path;
DROP OWNED BY regress_mlmd_none, regress_mlmd_writer;
DROP ROLE regress_mlmd_none, regress_mlmd_writer;

-- foreign keys are checked by index from a session's first node on, though a scan of these small tables looks cheaper
\c regress_lineage_store
ANALYZE mlmd.artifact, mlmd.execution, mlmd.context, mlmd.event, mlmd.association, mlmd.attribution;
BEGIN;
SELECT count(put_execution('Trainer', new_inputs => '[{"type": "Model", "event": {"path": [1]}}]', new_contexts => '[{"type": "Run", "name": "r1"}]',
	custom_properties => '{"x": 1}')) FROM generate_series(1, 12);
SELECT count(put_artifact(id => id, uri => 'moved')) FROM (SELECT max(id) AS id FROM mlmd.artifact) a;
SELECT relname FROM pg_stat_xact_all_tables WHERE schemaname = 'mlmd' AND seq_scan > 0 ORDER BY 1;
ROLLBACK;

-- rows that were inserted with ids of their own do not move the sequence: the next row meets an id that is taken, and a
-- put says so, also where it leaves alone what is there already
SELECT id AS data FROM mlmd.type WHERE name = 'Data' \gset
SELECT setval(pg_get_serial_sequence('mlmd.artifact', 'id'), (SELECT max(id) FROM mlmd.artifact)) + 1 AS next,
	setval(pg_get_serial_sequence('mlmd.event', 'id'), (SELECT max(id) FROM mlmd.event)) AS event,
	setval(pg_get_serial_sequence('mlmd.association', 'id'), (SELECT max(id) FROM mlmd.association)) AS association \gset
INSERT INTO mlmd.artifact (id, type_id) SELECT i, :data FROM generate_series(:next::bigint, :next + 5) i;
SELECT problem, severity FROM mlmd_check() WHERE problem = 'sequence behind';
SELECT replace(detail, :'next', 'N') = 'The next id for mlmd.artifact is N, but there are rows up to ' || :next + 5 || ': a new one may meet an id that is taken.' AS detail,
	cure FROM mlmd_check() WHERE problem = 'sequence behind';
CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN message || E'\n' || hint;
END
$$;
SELECT hint_of($$SELECT put_artifact('Data')$$);
SELECT hint_of($$SELECT put_artifact('Data', name => 'lagging', reuse => true)$$);
SELECT hint_of($$SELECT put_execution('Trainer', new_outputs => '[{"type": "Data"}]')$$);
-- the cure
SELECT setval(pg_get_serial_sequence('mlmd.artifact', 'id'), max(id)) = max(id) AS set FROM mlmd.artifact;
SELECT count(*) FROM mlmd_check() WHERE problem = 'sequence behind';
SELECT hint_of($$SELECT put_artifact('Data', name => 'lagging', reuse => true)$$);
-- no edge is lost
SELECT put_execution('Trainer') AS execution, put_context('Run', 'lagging') AS context \gset
INSERT INTO mlmd.event (id, artifact_id, execution_id, type) SELECT max(e.id) + i, :next, :execution, i FROM mlmd.event e, generate_series(1, 2) i GROUP BY i;
INSERT INTO mlmd.association (id, context_id, execution_id) SELECT max(id) + 1, :context, :execution FROM mlmd.association;
SELECT problem, severity, count(*) FROM mlmd_check() WHERE problem = 'sequence behind' GROUP BY 1, 2;
SELECT hint_of(format($$SELECT put_execution('Trainer', inputs => ARRAY[%s])$$, :next));
SELECT hint_of(format($$SELECT put_event(%s, %s, 'OUTPUT')$$, :next, :execution));
SELECT hint_of(format($$SELECT put_execution('Trainer', contexts => ARRAY[%s])$$, :context));
SELECT hint_of($$SELECT put_artifact_type('New')$$);
INSERT INTO mlmd.type (id, name, type_kind) SELECT max(id) + 1, 'by hand', 1 FROM mlmd.type;
SELECT hint_of($$SELECT put_artifact_type('Newer')$$);
-- another key that is taken is the server's own error
SELECT hint_of($$SELECT put_artifact('Data', name => 'lagging')$$);
DROP FUNCTION hint_of(text);

\c :regression
DROP DATABASE regress_lineage_store;
