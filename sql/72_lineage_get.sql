-- Getting types, nodes and edges; deleting and purging them is in 74_lineage_delete.sql. The views are what the functions
-- return; they run with the rights of who reads them.

CREATE FUNCTION mlmd_property_value(int_value bigint, double_value double precision, string_value text, proto_value bytea, bool_value boolean)
		RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mlmd_property_value(bigint, double precision, text, bytea, boolean) IS
	'internal: the value of a row of a property table as jsonb, in the form in which put_artifact takes it: a STRUCT as an object, a PROTO as {"@type", "value": base64}; NULL if all are NULL';

CREATE FUNCTION artifact_state_name(state integer) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN coalesce(('{UNKNOWN,PENDING,LIVE,MARKED_FOR_DELETION,DELETED,ABANDONED,REFERENCE}'::text[])[state + 1], state::text);
COMMENT ON FUNCTION artifact_state_name(integer) IS 'internal: name of an Artifact.State, such as LIVE; the number itself when MLMD has no name for it';

CREATE FUNCTION execution_state_name(state integer) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN coalesce(('{UNKNOWN,NEW,RUNNING,COMPLETE,FAILED,CACHED,CANCELED}'::text[])[state + 1], state::text);
COMMENT ON FUNCTION execution_state_name(integer) IS 'internal: name of an Execution.State, such as COMPLETE; the number itself when MLMD has no name for it';

CREATE FUNCTION event_type_name(type integer) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN coalesce(('{UNKNOWN,DECLARED_OUTPUT,DECLARED_INPUT,INPUT,OUTPUT,INTERNAL_INPUT,INTERNAL_OUTPUT,PENDING_OUTPUT}'::text[])[type + 1], type::text);
COMMENT ON FUNCTION event_type_name(integer) IS 'internal: name of an Event.Type, such as INPUT; the number itself when MLMD has no name for it';

CREATE FUNCTION property_type_name(data_type integer) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN coalesce(('{UNKNOWN,INT,DOUBLE,STRING,STRUCT,PROTO,BOOLEAN}'::text[])[data_type + 1], data_type::text);
COMMENT ON FUNCTION property_type_name(integer) IS 'internal: name of a PropertyType, such as INT; the number itself when MLMD has no name for it';

CREATE VIEW mlmd.types WITH (security_invoker = true) AS
SELECT t.id, ('{execution,artifact,context}'::text[])[t.type_kind + 1] AS kind, t.name, t.version, t.description,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.property_type_name(p.data_type)), '{}') FROM mlmd.typeproperty p WHERE p.type_id = t.id)
		AS properties,
	(SELECT min(b.name) FROM mlmd.parenttype p JOIN mlmd.type b ON b.id = p.parent_type_id WHERE p.type_id = t.id) AS base_type,
	t.external_id, t.input_type, t.output_type
FROM mlmd.type t;
COMMENT ON VIEW mlmd.types IS 'types with their properties, a row a type';
COMMENT ON COLUMN mlmd.types.kind IS 'artifact, execution or context';
COMMENT ON COLUMN mlmd.types.properties IS 'the declared properties, {"name": "INT" | "DOUBLE" | ..}';
COMMENT ON COLUMN mlmd.types.base_type IS 'name of the base type, such as mlmd.Model';

CREATE VIEW mlmd.artifacts WITH (security_invoker = true) AS
SELECT n.id, n.type_id, t.name AS type, t.version AS type_version, n.uri, n.name, @extschema@.artifact_state_name(n.state) AS state, n.external_id,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
		FROM mlmd.artifactproperty p WHERE p.artifact_id = n.id AND NOT p.is_custom_property) AS properties,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
		FROM mlmd.artifactproperty p WHERE p.artifact_id = n.id AND p.is_custom_property) AS custom_properties,
	n.create_time_since_epoch, n.last_update_time_since_epoch
FROM mlmd.artifact n JOIN mlmd.type t ON t.id = n.type_id;
COMMENT ON VIEW mlmd.artifacts IS 'artifacts with type and properties, a row an artifact';
COMMENT ON COLUMN mlmd.artifacts.type IS 'name of its type';
COMMENT ON COLUMN mlmd.artifacts.type_version IS 'version of its type';
COMMENT ON COLUMN mlmd.artifacts.properties IS 'the properties that the type declares, {"name": value}';
COMMENT ON COLUMN mlmd.artifacts.custom_properties IS 'its own properties, {"name": value}';

CREATE VIEW mlmd.executions WITH (security_invoker = true) AS
SELECT n.id, n.type_id, t.name AS type, t.version AS type_version, n.name, @extschema@.execution_state_name(n.last_known_state) AS state, n.external_id,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
		FROM mlmd.executionproperty p WHERE p.execution_id = n.id AND NOT p.is_custom_property) AS properties,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
		FROM mlmd.executionproperty p WHERE p.execution_id = n.id AND p.is_custom_property) AS custom_properties,
	n.create_time_since_epoch, n.last_update_time_since_epoch
FROM mlmd.execution n JOIN mlmd.type t ON t.id = n.type_id;
COMMENT ON VIEW mlmd.executions IS 'executions with type and properties, a row an execution';
COMMENT ON COLUMN mlmd.executions.type IS 'name of its type';
COMMENT ON COLUMN mlmd.executions.type_version IS 'version of its type';
COMMENT ON COLUMN mlmd.executions.properties IS 'the properties that the type declares, {"name": value}';
COMMENT ON COLUMN mlmd.executions.custom_properties IS 'its own properties, {"name": value}';

CREATE VIEW mlmd.contexts WITH (security_invoker = true) AS
SELECT n.id, n.type_id, t.name AS type, t.version AS type_version, n.name, n.external_id,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
		FROM mlmd.contextproperty p WHERE p.context_id = n.id AND NOT p.is_custom_property) AS properties,
	(SELECT coalesce(jsonb_object_agg(p.name, @extschema@.mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
		FROM mlmd.contextproperty p WHERE p.context_id = n.id AND p.is_custom_property) AS custom_properties,
	n.create_time_since_epoch, n.last_update_time_since_epoch
FROM mlmd.context n JOIN mlmd.type t ON t.id = n.type_id;
COMMENT ON VIEW mlmd.contexts IS 'contexts with type and properties, a row a context';
COMMENT ON COLUMN mlmd.contexts.type IS 'name of its type';
COMMENT ON COLUMN mlmd.contexts.type_version IS 'version of its type';
COMMENT ON COLUMN mlmd.contexts.properties IS 'the properties that the type declares, {"name": value}';
COMMENT ON COLUMN mlmd.contexts.custom_properties IS 'its own properties, {"name": value}';

COMMENT ON COLUMN mlmd.artifacts.state IS 'name of its state, such as LIVE';
COMMENT ON COLUMN mlmd.executions.state IS 'name of its last known state, such as COMPLETE';

CREATE VIEW mlmd.events WITH (security_invoker = true) AS
SELECT e.id, e.artifact_id, e.execution_id, @extschema@.event_type_name(e.type) AS type,
	(SELECT jsonb_agg(CASE WHEN p.is_index_step THEN to_jsonb(p.step_index) ELSE to_jsonb(p.step_key) END ORDER BY p.ctid)
		FROM mlmd.eventpath p WHERE p.event_id = e.id) AS path,
	e.milliseconds_since_epoch
FROM mlmd.event e;
COMMENT ON VIEW mlmd.events IS 'events with their paths, a row an event';
COMMENT ON COLUMN mlmd.events.type IS 'name of its type, such as INPUT';
COMMENT ON COLUMN mlmd.events.path IS 'keys (strings) and indexes (numbers) that lead to the artifact among the inputs or outputs';

-- What the columns of the views share with those of the tables.
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN
		SELECT v.relname AS view, a.attname AS name, pg_catalog.col_description(b.oid, o.attnum) AS comment
		FROM pg_catalog.pg_class v
			JOIN pg_catalog.pg_class b ON b.relnamespace = v.relnamespace AND b.relname || 's' = v.relname
			JOIN pg_catalog.pg_attribute a ON a.attrelid = v.oid
			JOIN pg_catalog.pg_attribute o ON o.attrelid = b.oid AND o.attname = a.attname
		WHERE v.relnamespace = 'mlmd'::pg_catalog.regnamespace AND v.relkind = 'v' AND a.attnum > 0
			AND pg_catalog.col_description(v.oid, a.attnum) IS NULL
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON COLUMN mlmd.%I.%I IS %L', c.view, c.name, c.comment);
	END LOOP;
END
$$;

CREATE FUNCTION get_artifact_types(ids bigint[] DEFAULT NULL, name text DEFAULT NULL, version text DEFAULT NULL, external_id text DEFAULT NULL)
		RETURNS SETOF mlmd.types
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	SELECT * FROM mlmd.types t
	WHERE t.kind = 'artifact' AND (ids IS NULL OR t.id = ANY (ids)) AND (get_artifact_types.name IS NULL OR t.name = get_artifact_types.name)
		AND (get_artifact_types.version IS NULL OR t.version = get_artifact_types.version)
		AND (get_artifact_types.external_id IS NULL OR t.external_id = get_artifact_types.external_id)
	ORDER BY t.id;
END;
COMMENT ON FUNCTION get_artifact_types(bigint[], text, text, text) IS
	'types of artifacts, those for which all that is given holds: id, name, version, external id';

CREATE FUNCTION get_execution_types(ids bigint[] DEFAULT NULL, name text DEFAULT NULL, version text DEFAULT NULL, external_id text DEFAULT NULL)
		RETURNS SETOF mlmd.types
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	SELECT * FROM mlmd.types t
	WHERE t.kind = 'execution' AND (ids IS NULL OR t.id = ANY (ids)) AND (get_execution_types.name IS NULL OR t.name = get_execution_types.name)
		AND (get_execution_types.version IS NULL OR t.version = get_execution_types.version)
		AND (get_execution_types.external_id IS NULL OR t.external_id = get_execution_types.external_id)
	ORDER BY t.id;
END;
COMMENT ON FUNCTION get_execution_types(bigint[], text, text, text) IS
	'types of executions, those for which all that is given holds: id, name, version, external id';

CREATE FUNCTION get_context_types(ids bigint[] DEFAULT NULL, name text DEFAULT NULL, version text DEFAULT NULL, external_id text DEFAULT NULL)
		RETURNS SETOF mlmd.types
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	SELECT * FROM mlmd.types t
	WHERE t.kind = 'context' AND (ids IS NULL OR t.id = ANY (ids)) AND (get_context_types.name IS NULL OR t.name = get_context_types.name)
		AND (get_context_types.version IS NULL OR t.version = get_context_types.version)
		AND (get_context_types.external_id IS NULL OR t.external_id = get_context_types.external_id)
	ORDER BY t.id;
END;
COMMENT ON FUNCTION get_context_types(bigint[], text, text, text) IS
	'types of contexts, those for which all that is given holds: id, name, version, external id';

CREATE FUNCTION get_artifacts(ids bigint[] DEFAULT NULL, type text DEFAULT NULL, name text DEFAULT NULL, uri text DEFAULT NULL, external_id text DEFAULT NULL, context bigint DEFAULT NULL, execution bigint DEFAULT NULL, type_version text DEFAULT NULL)
		RETURNS SETOF mlmd.artifacts
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT * FROM mlmd.artifacts n
	WHERE (ids IS NULL OR n.id = ANY (ids))
		AND (get_artifacts.type IS NULL OR n.type = get_artifacts.type)
		AND (get_artifacts.name IS NULL OR n.name = get_artifacts.name)
		AND (get_artifacts.uri IS NULL OR n.uri = get_artifacts.uri)
		AND (get_artifacts.external_id IS NULL OR n.external_id = get_artifacts.external_id)
		AND (get_artifacts.type_version IS NULL OR n.type_version = get_artifacts.type_version)
		AND (get_artifacts.context IS NULL OR n.id IN (SELECT l.artifact_id FROM mlmd.attribution l WHERE l.context_id = get_artifacts.context))
		AND (get_artifacts.execution IS NULL OR n.id IN (SELECT l.artifact_id FROM mlmd.event l WHERE l.execution_id = get_artifacts.execution))
	ORDER BY n.id;
END;
COMMENT ON FUNCTION get_artifacts(bigint[], text, text, text, text, bigint, bigint, text) IS
	'artifacts with type and properties, those for which all that is given holds: id, type, name, uri, external id, context they are attributed to, execution they have an event with, version of the type; all without an argument';

CREATE FUNCTION get_executions(ids bigint[] DEFAULT NULL, type text DEFAULT NULL, name text DEFAULT NULL, external_id text DEFAULT NULL, context bigint DEFAULT NULL, artifact bigint DEFAULT NULL, type_version text DEFAULT NULL)
		RETURNS SETOF mlmd.executions
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT * FROM mlmd.executions n
	WHERE (ids IS NULL OR n.id = ANY (ids))
		AND (get_executions.type IS NULL OR n.type = get_executions.type)
		AND (get_executions.name IS NULL OR n.name = get_executions.name)
		AND (get_executions.external_id IS NULL OR n.external_id = get_executions.external_id)
		AND (get_executions.type_version IS NULL OR n.type_version = get_executions.type_version)
		AND (get_executions.context IS NULL OR n.id IN (SELECT l.execution_id FROM mlmd.association l WHERE l.context_id = get_executions.context))
		AND (get_executions.artifact IS NULL OR n.id IN (SELECT l.execution_id FROM mlmd.event l WHERE l.artifact_id = get_executions.artifact))
	ORDER BY n.id;
END;
COMMENT ON FUNCTION get_executions(bigint[], text, text, text, bigint, bigint, text) IS
	'executions with type and properties, those for which all that is given holds: id, type, name, external id, context they are associated with, artifact they have an event with, version of the type; all without an argument';

CREATE FUNCTION get_contexts(ids bigint[] DEFAULT NULL, type text DEFAULT NULL, name text DEFAULT NULL, external_id text DEFAULT NULL, artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, parent bigint DEFAULT NULL, child bigint DEFAULT NULL, type_version text DEFAULT NULL)
		RETURNS SETOF mlmd.contexts
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT * FROM mlmd.contexts n
	WHERE (ids IS NULL OR n.id = ANY (ids))
		AND (get_contexts.type IS NULL OR n.type = get_contexts.type)
		AND (get_contexts.name IS NULL OR n.name = get_contexts.name)
		AND (get_contexts.external_id IS NULL OR n.external_id = get_contexts.external_id)
		AND (get_contexts.type_version IS NULL OR n.type_version = get_contexts.type_version)
		AND (get_contexts.artifact IS NULL OR n.id IN (SELECT l.context_id FROM mlmd.attribution l WHERE l.artifact_id = get_contexts.artifact))
		AND (get_contexts.execution IS NULL OR n.id IN (SELECT l.context_id FROM mlmd.association l WHERE l.execution_id = get_contexts.execution))
		AND (get_contexts.parent IS NULL OR n.id IN (SELECT l.context_id FROM mlmd.parentcontext l WHERE l.parent_context_id = get_contexts.parent))
		AND (get_contexts.child IS NULL OR n.id IN (SELECT l.parent_context_id FROM mlmd.parentcontext l WHERE l.context_id = get_contexts.child))
	ORDER BY n.id;
END;
COMMENT ON FUNCTION get_contexts(bigint[], text, text, text, bigint, bigint, bigint, bigint, text) IS
	'contexts with type and properties, those for which all that is given holds: id, type, name, external id, artifact or execution in them, parent, child, version of the type; all without an argument';

CREATE FUNCTION get_events(artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL, executions bigint[] DEFAULT NULL)
		RETURNS SETOF mlmd.events
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT * FROM mlmd.events e
	WHERE (artifact IS NULL OR e.artifact_id = artifact) AND (execution IS NULL OR e.execution_id = execution)
		AND (artifacts IS NULL OR e.artifact_id = ANY (artifacts)) AND (executions IS NULL OR e.execution_id = ANY (executions))
	ORDER BY e.id;
END;
COMMENT ON FUNCTION get_events(bigint, bigint, bigint[], bigint[]) IS
	'events with their paths, those of an artifact, an execution, or of any of several; all without an argument';
