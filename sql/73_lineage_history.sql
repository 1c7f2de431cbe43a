-- History: every row of nodes and edges knows since when it is so (valid_from); the version that an UPDATE or DELETE
-- replaces goes into the table's _history twin with the time it ended (valid_to). So an INSERT costs nothing, a restore
-- makes no history, no sequence is used (LASTVAL() stays what the client expects), and what was at a time t is
--     SELECT .. FROM mlmd.x WHERE valid_from <= t
--     UNION ALL SELECT .. FROM mlmd.x_history WHERE valid_from <= t AND t < valid_to
CREATE FUNCTION mlmd_keep_history() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlmd_keep_history() IS 'internal: BEFORE UPDATE OR DELETE trigger: moves the row''s former version into the table''s _history';

DO $$
DECLARE
	relation text;
	key text;
BEGIN
	FOR relation, key IN VALUES
		('artifact', 'id'), ('execution', 'id'), ('context', 'id'), ('event', 'id'), ('association', 'id'), ('attribution', 'id'),
		('artifactproperty', 'artifact_id'), ('executionproperty', 'execution_id'),
		('contextproperty', 'context_id'), ('parentcontext', 'context_id'), ('eventpath', 'event_id')
	LOOP
		EXECUTE pg_catalog.format('CREATE TABLE mlmd.%1$s_history (LIKE mlmd.%1$s INCLUDING COMMENTS, valid_to timestamptz NOT NULL,
				CHECK (valid_from < valid_to));
			CREATE INDEX %1$s_history_key_idx ON mlmd.%1$s_history (%2$s, valid_from);
			COMMENT ON TABLE mlmd.%1$s_history IS ''former versions of the rows of mlmd.%1$s'';
			COMMENT ON COLUMN mlmd.%1$s_history.valid_to IS ''start of the transaction that replaced or deleted this version of the row''',
			relation, key);
		EXECUTE pg_catalog.format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON mlmd.%1$s FOR EACH ROW EXECUTE FUNCTION @extschema@.mlmd_keep_history();
			COMMENT ON TRIGGER keep_history ON mlmd.%1$s IS ''moves the row''''s former version into mlmd.%1$s_history''', relation);
		PERFORM pg_catalog.pg_extension_config_dump(pg_catalog.format('mlmd.%I', relation || '_history')::pg_catalog.regclass, '');
	END LOOP;
END
$$;
CREATE INDEX event_history_artifact_id_idx ON mlmd.event_history (artifact_id);
CREATE INDEX event_history_execution_id_idx ON mlmd.event_history (execution_id);
CREATE INDEX association_history_context_id_idx ON mlmd.association_history (context_id);
CREATE INDEX association_history_execution_id_idx ON mlmd.association_history (execution_id);
CREATE INDEX attribution_history_context_id_idx ON mlmd.attribution_history (context_id);
CREATE INDEX attribution_history_artifact_id_idx ON mlmd.attribution_history (artifact_id);
CREATE INDEX parentcontext_history_parent_context_id_idx ON mlmd.parentcontext_history (parent_context_id);

-- All versions of the rows of a table, the last one until infinity.
DO $$
DECLARE
	relation text;
	columns text;
BEGIN
	FOREACH relation IN ARRAY ARRAY['artifact', 'artifactproperty', 'execution', 'executionproperty', 'context', 'contextproperty',
		'event', 'eventpath', 'association', 'attribution', 'parentcontext']
	LOOP
		SELECT pg_catalog.string_agg(attname, ', ' ORDER BY attnum) INTO columns
		FROM pg_catalog.pg_attribute WHERE attrelid = ('mlmd.' || relation)::pg_catalog.regclass AND attnum > 0;
		EXECUTE pg_catalog.format('CREATE VIEW mlmd.%1$s_versions WITH (security_invoker = true) AS
				SELECT %2$s, ''infinity''::timestamptz AS valid_to FROM mlmd.%1$s UNION ALL SELECT %2$s, valid_to FROM mlmd.%1$s_history;
			COMMENT ON VIEW mlmd.%1$s_versions IS ''all versions of the rows of mlmd.%1$s: at a time t they were those WHERE valid_from <= t AND t < valid_to'';
			COMMENT ON COLUMN mlmd.%1$s_versions.valid_to IS ''start of the transaction that replaced or deleted this version of the row, infinity for the last one''',
			relation, columns);
		FOR columns IN
			SELECT pg_catalog.format('COMMENT ON COLUMN mlmd.%I.%I IS %L', relation || '_versions', attname, pg_catalog.col_description(attrelid, attnum))
			FROM pg_catalog.pg_attribute WHERE attrelid = ('mlmd.' || relation)::pg_catalog.regclass AND attnum > 0
		LOOP
			EXECUTE columns;
		END LOOP;
	END LOOP;
END
$$;

CREATE FUNCTION artifacts_as_of(as_of timestamptz, ids bigint[] DEFAULT NULL) RETURNS SETOF mlmd.artifacts
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT n.id, n.type_id, t.name, t.version, n.uri, n.name, artifact_state_name(n.state), n.external_id,
		(SELECT coalesce(jsonb_object_agg(p.name, mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
			FROM mlmd.artifactproperty_versions p
			WHERE p.artifact_id = n.id AND NOT p.is_custom_property AND p.valid_from <= as_of AND as_of < p.valid_to),
		(SELECT coalesce(jsonb_object_agg(p.name, mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
			FROM mlmd.artifactproperty_versions p
			WHERE p.artifact_id = n.id AND p.is_custom_property AND p.valid_from <= as_of AND as_of < p.valid_to),
		n.create_time_since_epoch, n.last_update_time_since_epoch
	FROM mlmd.artifact_versions n JOIN mlmd.type t ON t.id = n.type_id
	WHERE (ids IS NULL OR n.id = ANY (ids)) AND n.valid_from <= as_of AND as_of < n.valid_to
	ORDER BY n.id;
END;
COMMENT ON FUNCTION artifacts_as_of(timestamptz, bigint[]) IS
	'what the artifacts, or those with the given ids, were at a time, deleted ones too; a change counts from the start of its transaction';

CREATE FUNCTION get_artifact_history(artifact bigint)
		RETURNS TABLE (valid_from timestamptz, valid_to timestamptz, uri text, name text, state text, external_id text, properties jsonb, custom_properties jsonb,
			last_update_time_since_epoch bigint)
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT c.since, c.until, n.uri, n.name, n.state, n.external_id, n.properties, n.custom_properties, n.last_update_time_since_epoch
	FROM (
		SELECT t.since, lead(t.since, 1, 'infinity') OVER (ORDER BY t.since) AS until
		FROM (
			SELECT v.valid_from AS since FROM mlmd.artifact_versions v WHERE v.id = get_artifact_history.artifact
			UNION SELECT v.valid_to FROM mlmd.artifact_versions v WHERE v.id = get_artifact_history.artifact AND v.valid_to < 'infinity'
			UNION SELECT p.valid_from FROM mlmd.artifactproperty_versions p WHERE p.artifact_id = get_artifact_history.artifact
			UNION SELECT p.valid_to FROM mlmd.artifactproperty_versions p WHERE p.artifact_id = get_artifact_history.artifact AND p.valid_to < 'infinity') t) c,
		LATERAL artifacts_as_of(c.since, ARRAY[get_artifact_history.artifact]) n
	ORDER BY c.since;
END;
COMMENT ON FUNCTION get_artifact_history(bigint) IS
	'the versions of an artifact, oldest first: its state and properties and from when to when (exclusive) they were so; the last version of an artifact that was not deleted ends at infinity';

CREATE FUNCTION executions_as_of(as_of timestamptz, ids bigint[] DEFAULT NULL) RETURNS SETOF mlmd.executions
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT n.id, n.type_id, t.name, t.version, n.name, execution_state_name(n.last_known_state), n.external_id,
		(SELECT coalesce(jsonb_object_agg(p.name, mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
			FROM mlmd.executionproperty_versions p
			WHERE p.execution_id = n.id AND NOT p.is_custom_property AND p.valid_from <= as_of AND as_of < p.valid_to),
		(SELECT coalesce(jsonb_object_agg(p.name, mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
			FROM mlmd.executionproperty_versions p
			WHERE p.execution_id = n.id AND p.is_custom_property AND p.valid_from <= as_of AND as_of < p.valid_to),
		n.create_time_since_epoch, n.last_update_time_since_epoch
	FROM mlmd.execution_versions n JOIN mlmd.type t ON t.id = n.type_id
	WHERE (ids IS NULL OR n.id = ANY (ids)) AND n.valid_from <= as_of AND as_of < n.valid_to
	ORDER BY n.id;
END;
COMMENT ON FUNCTION executions_as_of(timestamptz, bigint[]) IS
	'what the executions, or those with the given ids, were at a time, deleted ones too; a change counts from the start of its transaction';

CREATE FUNCTION get_execution_history(execution bigint)
		RETURNS TABLE (valid_from timestamptz, valid_to timestamptz, name text, state text, external_id text, properties jsonb, custom_properties jsonb,
			last_update_time_since_epoch bigint)
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT c.since, c.until, n.name, n.state, n.external_id, n.properties, n.custom_properties, n.last_update_time_since_epoch
	FROM (
		SELECT t.since, lead(t.since, 1, 'infinity') OVER (ORDER BY t.since) AS until
		FROM (
			SELECT v.valid_from AS since FROM mlmd.execution_versions v WHERE v.id = get_execution_history.execution
			UNION SELECT v.valid_to FROM mlmd.execution_versions v WHERE v.id = get_execution_history.execution AND v.valid_to < 'infinity'
			UNION SELECT p.valid_from FROM mlmd.executionproperty_versions p WHERE p.execution_id = get_execution_history.execution
			UNION SELECT p.valid_to FROM mlmd.executionproperty_versions p WHERE p.execution_id = get_execution_history.execution AND p.valid_to < 'infinity') t) c,
		LATERAL executions_as_of(c.since, ARRAY[get_execution_history.execution]) n
	ORDER BY c.since;
END;
COMMENT ON FUNCTION get_execution_history(bigint) IS
	'the versions of an execution, oldest first: its state and properties and from when to when (exclusive) they were so; the last version of an execution that was not deleted ends at infinity';

CREATE FUNCTION contexts_as_of(as_of timestamptz, ids bigint[] DEFAULT NULL) RETURNS SETOF mlmd.contexts
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT n.id, n.type_id, t.name, t.version, n.name, n.external_id,
		(SELECT coalesce(jsonb_object_agg(p.name, mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
			FROM mlmd.contextproperty_versions p
			WHERE p.context_id = n.id AND NOT p.is_custom_property AND p.valid_from <= as_of AND as_of < p.valid_to),
		(SELECT coalesce(jsonb_object_agg(p.name, mlmd_property_value(p.int_value, p.double_value, p.string_value, p.proto_value, p.bool_value)), '{}')
			FROM mlmd.contextproperty_versions p
			WHERE p.context_id = n.id AND p.is_custom_property AND p.valid_from <= as_of AND as_of < p.valid_to),
		n.create_time_since_epoch, n.last_update_time_since_epoch
	FROM mlmd.context_versions n JOIN mlmd.type t ON t.id = n.type_id
	WHERE (ids IS NULL OR n.id = ANY (ids)) AND n.valid_from <= as_of AND as_of < n.valid_to
	ORDER BY n.id;
END;
COMMENT ON FUNCTION contexts_as_of(timestamptz, bigint[]) IS
	'what the contexts, or those with the given ids, were at a time, deleted ones too; a change counts from the start of its transaction';

CREATE FUNCTION get_context_history(context bigint)
		RETURNS TABLE (valid_from timestamptz, valid_to timestamptz, name text, external_id text, properties jsonb, custom_properties jsonb,
			last_update_time_since_epoch bigint)
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT c.since, c.until, n.name, n.external_id, n.properties, n.custom_properties, n.last_update_time_since_epoch
	FROM (
		SELECT t.since, lead(t.since, 1, 'infinity') OVER (ORDER BY t.since) AS until
		FROM (
			SELECT v.valid_from AS since FROM mlmd.context_versions v WHERE v.id = get_context_history.context
			UNION SELECT v.valid_to FROM mlmd.context_versions v WHERE v.id = get_context_history.context AND v.valid_to < 'infinity'
			UNION SELECT p.valid_from FROM mlmd.contextproperty_versions p WHERE p.context_id = get_context_history.context
			UNION SELECT p.valid_to FROM mlmd.contextproperty_versions p WHERE p.context_id = get_context_history.context AND p.valid_to < 'infinity') t) c,
		LATERAL contexts_as_of(c.since, ARRAY[get_context_history.context]) n
	ORDER BY c.since;
END;
COMMENT ON FUNCTION get_context_history(bigint) IS
	'the versions of a context, oldest first: its state and properties and from when to when (exclusive) they were so; the last version of a context that was not deleted ends at infinity';

CREATE FUNCTION events_as_of(as_of timestamptz, artifacts bigint[] DEFAULT NULL, executions bigint[] DEFAULT NULL) RETURNS SETOF mlmd.events
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT e.id, e.artifact_id, e.execution_id, event_type_name(e.type),
		(SELECT jsonb_agg(CASE WHEN p.is_index_step THEN to_jsonb(p.step_index) ELSE to_jsonb(p.step_key) END)
			FROM mlmd.eventpath_versions p WHERE p.event_id = e.id AND p.valid_from <= as_of AND as_of < p.valid_to),
		e.milliseconds_since_epoch
	FROM mlmd.event_versions e
	WHERE (artifacts IS NULL OR e.artifact_id = ANY (artifacts)) AND (executions IS NULL OR e.execution_id = ANY (executions))
		AND e.valid_from <= as_of AND as_of < e.valid_to
	ORDER BY e.id;
END;
COMMENT ON FUNCTION events_as_of(timestamptz, bigint[], bigint[]) IS
	'what the events, or those of the given artifacts and executions, were at a time, deleted ones too';

CREATE FUNCTION purge_history(before timestamptz) RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text;
	n bigint;
	total bigint := 0;
BEGIN
	FOREACH relation IN ARRAY ARRAY['artifact', 'artifactproperty', 'execution', 'executionproperty', 'context', 'contextproperty',
		'event', 'eventpath', 'association', 'attribution', 'parentcontext']
	LOOP
		EXECUTE format('DELETE FROM mlmd.%I WHERE valid_to < $1', relation || '_history') USING before;
		GET DIAGNOSTICS n = ROW_COUNT;
		total := total + n;
	END LOOP;
	RETURN total;
END;
$$;
COMMENT ON FUNCTION purge_history(timestamptz) IS 'forgets the versions of nodes and edges that ended before a time, and returns how many rows that were; the present stays as it is';
