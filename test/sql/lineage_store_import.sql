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

-- a graph from elsewhere: its ids are labels
SELECT put_artifact_type('Other') IS NOT NULL AS put, put_artifact('Other') IS NOT NULL AS put;
SELECT $$
artifact_types { id: 5 name: "D" base_type: MODEL properties { key: "st" value: STRUCT } properties { key: "i" value: INT } }
execution_types { id: 6 name: "E" version: "2" description: "made elsewhere" input_type { simple { name: "D" } } base_type: TRAIN }
context_types { id: 5 name: "C" external_id: "type c" }
artifacts { id: 77 type_id: 5 uri: "it's \\ \"u\"" name: "n" external_id: "x" state: LIVE
	properties { key: "st" value { struct_value { fields { key: "a" value { number_value: 1 } } } } }
	properties { key: "i" value { int_value: 9007199254740993 } }
	custom_properties { key: "p" value { proto_value { type_url: "t/x" value: "abc" } } }
	custom_properties { key: "q" value { double_value: 1 } }
	custom_properties { key: "empty" value { } } }
artifacts { id: 78 type: "mlmd.Dataset" }
artifacts { type: "Other" }
executions { id: 77 type_id: 6 last_known_state: COMPLETE custom_properties { key: "b" value { bool_value: false } } }
contexts { id: 9 type_id: 5 name: "run" }
contexts { id: 10 type_id: 5 name: "pipeline" }
events { artifact_id: 77 execution_id: 77 type: INPUT path { steps { key: "k" } steps { index: 2 } } milliseconds_since_epoch: 5 }
events { artifact_id: 78 execution_id: 77 type: OUTPUT }
attributions { artifact_id: 78 context_id: 9 }
associations { execution_id: 77 context_id: 9 }
parent_contexts { child_id: 9 parent_id: 10 }
$$::lineage_graph AS graph \gset
SELECT * FROM put_lineage_subgraph(:'graph'::lineage_graph);
SELECT kind, name, version, description, properties, base_type, external_id, input_type FROM mlmd.types WHERE id > 10 ORDER BY id;
SELECT id, type, uri, name, state, external_id, properties, custom_properties FROM mlmd.artifacts ORDER BY id;
SELECT id, type, type_version, state, custom_properties FROM mlmd.executions;
SELECT artifact_id, execution_id, type, path, CASE WHEN milliseconds_since_epoch < 1000 THEN milliseconds_since_epoch END AS ms FROM mlmd.events ORDER BY id;
SELECT (SELECT array_agg(id) FROM get_artifacts(context => run)) AS attributed, (SELECT array_agg(id) FROM get_executions(context => run)) AS associated,
	(SELECT array_agg(name) FROM get_contexts(child => run)) AS parents FROM get_contexts(name => 'run') c (run);
-- again: names and external ids are taken, unless they are to be reused
SELECT put_lineage_subgraph(:'graph'::lineage_graph);
SELECT put_lineage_subgraph(:'graph'::lineage_graph, reuse => true);
-- what is stored, taken out and copied: types of the same name, contexts and named nodes are the same
SELECT put_lineage_subgraph(lineage_subgraph(starting_artifacts => 'id = 2'), true);
SELECT count(*) FROM mlmd.type WHERE id > 10;

-- graphs that do not hang together
SELECT put_lineage_subgraph('events { artifact_id: 1 execution_id: 1 }'::lineage_graph);
SELECT put_lineage_subgraph('artifacts { id: 1 }'::lineage_graph);
SELECT put_lineage_subgraph('artifacts { id: 1 type_id: 4 }'::lineage_graph);
SELECT put_lineage_subgraph('artifacts { id: 1 type: "None" }'::lineage_graph);
SELECT put_lineage_subgraph('artifacts { id: 1 type: "Other" } artifacts { id: 1 type: "Other" }'::lineage_graph);
SELECT put_lineage_subgraph('contexts { id: 1 type: "C" }'::lineage_graph);
SELECT put_lineage_subgraph('artifact_types { id: 1 }'::lineage_graph);
SELECT put_lineage_subgraph('artifact_types { id: 1 name: "D" properties { key: "i" value: STRING } }'::lineage_graph);
SELECT put_lineage_subgraph('artifacts { type: "D" properties { key: "i" value { string_value: "x" } } }'::lineage_graph);
SELECT put_lineage_subgraph('artifacts { type: "D" custom_properties { key: "x" value { string_value: "mlmd-struct::x" } } }'::lineage_graph);
SELECT put_lineage_subgraph(''::lineage_graph);
SELECT put_lineage_subgraph(NULL::lineage_graph);
SELECT put_execution_type('BadSignature', input_type => '{"simple": {"nam": "x"}}');

-- PROTO as JSON of a message whose type is known
SELECT put_artifact('Other', custom_properties => '{"p": {"@type": "type.googleapis.com/ml_metadata.Artifact", "uri": "inside"}}') AS id \gset
SELECT proto_value FROM mlmd.artifactproperty WHERE artifact_id = :id;
SELECT put_artifact('Other', custom_properties => '{"p": {"@type": "type.googleapis.com/no.Such", "uri": "inside"}}');

\c :regression
DROP DATABASE regress_lineage_store;
