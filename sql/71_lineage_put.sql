-- Putting types, nodes and edges: one statement for each call of the ml-metadata client, and for its put_execution.
--
-- All functions run with the rights of the caller. Errors: 22023 for an argument that does not fit (a property of another
-- kind than the type declares, an unknown state), 42704 for a type that does not exist, P0002 for a node that does not,
-- 23505 for a name or external id that is taken, 23503 for an edge to a node that does not exist, 40001 for an update of
-- a version that is no longer the last.
--
-- Those that put nodes and edges turn off enable_seqscan: the plans of the foreign keys' checks are made at the first rows
-- that a session puts, often into small tables, where a scan looks cheap, and stay while these tables grow.

CREATE FUNCTION put_artifact_type(name text, properties jsonb DEFAULT '{}', version text DEFAULT NULL, description text DEFAULT NULL,
		base_type text DEFAULT NULL, external_id text DEFAULT NULL, can_add_fields boolean DEFAULT false,
		can_omit_fields boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION put_artifact_type(text, jsonb, text, text, text, text, boolean, boolean) IS
	'puts a type of artifacts, or finds it, and returns its id; properties are {"name": "INT" | "DOUBLE" | "STRING" | "STRUCT" | "PROTO" | "BOOLEAN"}, base_type is Dataset, Model, Metrics or Statistics; a stored type with other properties is an error (42710) unless can_add_fields or can_omit_fields allow it';

CREATE FUNCTION put_execution_type(name text, properties jsonb DEFAULT '{}', version text DEFAULT NULL, description text DEFAULT NULL,
		base_type text DEFAULT NULL, external_id text DEFAULT NULL, can_add_fields boolean DEFAULT false,
		can_omit_fields boolean DEFAULT false, input_type jsonb DEFAULT NULL, output_type jsonb DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION put_execution_type(text, jsonb, text, text, text, text, boolean, boolean, jsonb, jsonb) IS
	'puts a type of executions, or finds it, and returns its id; as put_artifact_type, base_type is Train, Transform, Process, Evaluate or Deploy, input_type and output_type are an ml_metadata.ArtifactStructType as JSON';

CREATE FUNCTION put_context_type(name text, properties jsonb DEFAULT '{}', version text DEFAULT NULL, description text DEFAULT NULL,
		external_id text DEFAULT NULL, can_add_fields boolean DEFAULT false, can_omit_fields boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION put_context_type(text, jsonb, text, text, text, boolean, boolean) IS
	'puts a type of contexts, or finds it, and returns its id; as put_artifact_type';

CREATE FUNCTION put_artifact(type text DEFAULT NULL, uri text DEFAULT NULL, name text DEFAULT NULL, properties jsonb DEFAULT NULL,
		custom_properties jsonb DEFAULT NULL, state text DEFAULT NULL, external_id text DEFAULT NULL, id bigint DEFAULT NULL,
		type_version text DEFAULT NULL, last_update_time_since_epoch bigint DEFAULT NULL, "replace" boolean DEFAULT false,
		reuse boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off;
COMMENT ON FUNCTION put_artifact(text, text, text, jsonb, jsonb, text, text, bigint, text, bigint, boolean, boolean) IS
	'puts an artifact and returns its id: a new one, or with id an update in which what is not given stays and a property that is JSON null goes (replace => true: what is not given goes). With last_update_time_since_epoch the update fails (40001) unless that is the stored one. reuse => true updates the artifact of the same external id, or type and name, if there is one';

CREATE FUNCTION put_context(type text DEFAULT NULL, name text DEFAULT NULL, properties jsonb DEFAULT NULL, custom_properties jsonb DEFAULT NULL,
		external_id text DEFAULT NULL, id bigint DEFAULT NULL, type_version text DEFAULT NULL,
		last_update_time_since_epoch bigint DEFAULT NULL, "replace" boolean DEFAULT false, reuse boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off;
COMMENT ON FUNCTION put_context(text, text, jsonb, jsonb, text, bigint, text, bigint, boolean, boolean) IS
	'puts a context and returns its id; as put_artifact, but a new context needs a name';

CREATE FUNCTION put_execution(type text DEFAULT NULL, inputs bigint[] DEFAULT NULL, outputs bigint[] DEFAULT NULL,
		contexts bigint[] DEFAULT NULL, name text DEFAULT NULL, properties jsonb DEFAULT NULL, custom_properties jsonb DEFAULT NULL,
		state text DEFAULT NULL, external_id text DEFAULT NULL, new_inputs jsonb DEFAULT NULL, new_outputs jsonb DEFAULT NULL,
		new_contexts jsonb DEFAULT NULL, id bigint DEFAULT NULL, type_version text DEFAULT NULL,
		last_update_time_since_epoch bigint DEFAULT NULL, "replace" boolean DEFAULT false, reuse boolean DEFAULT false) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off;
COMMENT ON FUNCTION put_execution(text, bigint[], bigint[], bigint[], text, jsonb, jsonb, text, text, jsonb, jsonb, jsonb, bigint, text, bigint, boolean, boolean) IS
	'puts an execution with its inputs, outputs and contexts and returns its id; the execution itself as put_artifact. inputs, outputs and contexts are ids; new_inputs and new_outputs are JSON arrays of artifacts with the fields of put_artifact (id too) and "event": {"type", "path", "milliseconds_since_epoch"}, INPUT and OUTPUT if not given; new_contexts is an array of contexts, taken as they are when there is one of the external id, or type and name';

CREATE FUNCTION put_event(artifact bigint, execution bigint, type text, path jsonb DEFAULT NULL, milliseconds_since_epoch bigint DEFAULT NULL)
		RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off;
COMMENT ON FUNCTION put_event(bigint, bigint, text, jsonb, bigint) IS
	'puts an event between an artifact and an execution and returns its id; type is that of ml_metadata.Event (INPUT, OUTPUT, DECLARED_INPUT, ..), path an array of keys (strings) and indexes (numbers), the time now if not given; an event of the two and the type that is there stays as it is';

CREATE FUNCTION put_attribution(context bigint, artifact bigint) RETURNS bigint
	LANGUAGE SQL VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET enable_seqscan = off
BEGIN ATOMIC
	INSERT INTO mlmd.attribution AS a (context_id, artifact_id) VALUES (context, artifact)
	ON CONFLICT (context_id, artifact_id) DO UPDATE SET context_id = EXCLUDED.context_id RETURNING a.id;
END;
COMMENT ON FUNCTION put_attribution(bigint, bigint) IS 'puts an artifact into a context and returns the id of the attribution, which may have been there';

CREATE FUNCTION put_association(context bigint, execution bigint) RETURNS bigint
	LANGUAGE SQL VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET enable_seqscan = off
BEGIN ATOMIC
	INSERT INTO mlmd.association AS a (context_id, execution_id) VALUES (context, execution)
	ON CONFLICT (context_id, execution_id) DO UPDATE SET context_id = EXCLUDED.context_id RETURNING a.id;
END;
COMMENT ON FUNCTION put_association(bigint, bigint) IS 'puts an execution into a context and returns the id of the association, which may have been there';

CREATE FUNCTION put_parent_context(child bigint, parent bigint) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
BEGIN
	IF EXISTS (
		WITH RECURSIVE ancestors (id) AS (
			SELECT parent UNION SELECT p.parent_context_id FROM mlmd.parentcontext p JOIN ancestors a ON p.context_id = a.id)
		SELECT FROM ancestors WHERE id = child)
	THEN
		RAISE EXCEPTION 'context % is an ancestor of context %', child, parent
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Contexts and their parents must not form a cycle.';
	END IF;
	INSERT INTO mlmd.parentcontext (context_id, parent_context_id) VALUES (child, parent) ON CONFLICT DO NOTHING;
	RETURN FOUND;
END;
$$;
COMMENT ON FUNCTION put_parent_context(bigint, bigint) IS 'makes a context the parent of another; false if it was already; error 22023 if the child is an ancestor of the parent';

CREATE FUNCTION put_lineage_subgraph(subgraph jsonb, reuse boolean DEFAULT false, OUT execution_ids bigint[], OUT artifact_ids bigint[],
		OUT context_ids bigint[]) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off;
COMMENT ON FUNCTION put_lineage_subgraph(jsonb, boolean) IS
	'puts executions, artifacts, contexts and the events between them, an ml_metadata.PutLineageSubgraphRequest as JSON: {"executions": [..], "artifacts": [..], "contexts": [..], "event_edges": [{"execution_index", "artifact_index", "event"}]}; nodes as in put_execution, each in all of the contexts; returns the ids in the order of the nodes';

CREATE FUNCTION put_lineage_subgraph(graph lineage_graph, reuse boolean DEFAULT false, OUT execution_ids bigint[], OUT artifact_ids bigint[],
		OUT context_ids bigint[]) RETURNS record
	AS 'MODULE_PATHNAME', 'put_lineage_graph' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off;
COMMENT ON FUNCTION put_lineage_subgraph(lineage_graph, boolean) IS
	'copies a lineage_graph into the store: its types (added to those of the same name), nodes, events, attributions, associations and parent contexts. Ids in the graph only say what hangs together; all nodes are new, or with reuse those of the same external id, or type and name, which are updated (contexts always are). Returns the new ids in the order of the nodes';

CREATE FUNCTION put_lineage_subgraph(subgraph text, reuse boolean DEFAULT false, OUT execution_ids bigint[], OUT artifact_ids bigint[],
		OUT context_ids bigint[]) RETURNS record
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT execution_ids, artifact_ids, context_ids FROM put_lineage_subgraph(subgraph::jsonb, reuse);
END;
COMMENT ON FUNCTION put_lineage_subgraph(text, boolean) IS 'as put_lineage_subgraph(jsonb), for a literal without a type';
