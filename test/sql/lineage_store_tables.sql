-- In a database of its own: ids count from one, and nothing is left for other tests
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_lineage_store;
CREATE DATABASE regress_lineage_store;
\c regress_lineage_store
SET client_min_messages = warning;
CREATE EXTENSION feature_meta;
RESET client_min_messages;

-- The counts that the ml-metadata client takes when it connects, over all schemas
SELECT table_name, count(*) FROM information_schema.columns
WHERE (table_name, column_name) IN (
	SELECT split_part(t, ' ', 1), unnest(string_to_array(t, ' ')) FROM unnest(ARRAY[
		'type id name version type_kind description input_type output_type', 'parenttype type_id parent_type_id',
		'typeproperty type_id name data_type', 'artifact id type_id uri state name create_time_since_epoch last_update_time_since_epoch',
		'artifactproperty artifact_id name is_custom_property int_value double_value string_value byte_value proto_value bool_value',
		'executionproperty execution_id name is_custom_property int_value double_value string_value byte_value proto_value bool_value',
		'contextproperty context_id name is_custom_property int_value double_value string_value byte_value proto_value bool_value',
		'execution id type_id last_known_state name create_time_since_epoch last_update_time_since_epoch',
		'context id type_id name create_time_since_epoch last_update_time_since_epoch', 'parentcontext context_id parent_context_id',
		'event id artifact_id execution_id type milliseconds_since_epoch', 'eventpath event_id is_index_step step_index step_key',
		'association id context_id execution_id', 'attribution id context_id artifact_id', 'mlmdenv schema_version']) t)
GROUP BY table_name ORDER BY table_name COLLATE "C";
SELECT schema_version FROM mlmd.mlmdenv;
SELECT id, name, type_kind, version FROM mlmd.type ORDER BY id;

-- long and repeated values
BEGIN;
INSERT INTO mlmd.artifact (type_id, uri) SELECT 1, (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 3000) j) FROM generate_series(1, 3) i;
INSERT INTO mlmd.artifactproperty (artifact_id, name, is_custom_property, string_value) SELECT id, 'p', true, reverse(uri) FROM mlmd.artifact;
SELECT count(*) FROM mlmd.artifact a JOIN mlmd.artifactproperty p ON p.string_value = reverse(a.uri);
SELECT 3.0::mlmd.float64 = 3;
ROLLBACK;

\c :regression
DROP DATABASE regress_lineage_store;
