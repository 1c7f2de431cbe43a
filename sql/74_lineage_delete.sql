-- Deleting nodes and edges, and purging old ones in such a way that the lineage of the rest stays whole.

CREATE FUNCTION delete_artifacts(ids bigint[]) RETURNS bigint
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.artifact WHERE id = ANY (ids) RETURNING 1) SELECT count(*) FROM deleted;
END;
COMMENT ON FUNCTION delete_artifacts(bigint[]) IS 'deletes artifacts with their properties, events and attributions; returns how many there were. History keeps them';

CREATE FUNCTION delete_executions(ids bigint[]) RETURNS bigint
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.execution WHERE id = ANY (ids) RETURNING 1) SELECT count(*) FROM deleted;
END;
COMMENT ON FUNCTION delete_executions(bigint[]) IS 'deletes executions with their properties, events and associations; returns how many there were. History keeps them';

CREATE FUNCTION delete_contexts(ids bigint[]) RETURNS bigint
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.context WHERE id = ANY (ids) RETURNING 1) SELECT count(*) FROM deleted;
END;
COMMENT ON FUNCTION delete_contexts(bigint[]) IS 'deletes contexts with their properties, attributions, associations, parents and children; returns how many there were. History keeps them';

CREATE FUNCTION delete_events(ids bigint[]) RETURNS bigint
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.event WHERE id = ANY (ids) RETURNING 1) SELECT count(*) FROM deleted;
END;
COMMENT ON FUNCTION delete_events(bigint[]) IS 'deletes events with their paths; returns how many there were. History keeps them';

CREATE FUNCTION delete_attribution(context bigint, artifact bigint) RETURNS boolean
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.attribution WHERE context_id = context AND artifact_id = artifact RETURNING 1) SELECT EXISTS (SELECT FROM deleted);
END;
COMMENT ON FUNCTION delete_attribution(bigint, bigint) IS 'takes an artifact out of a context; false if it was not in it';

CREATE FUNCTION delete_association(context bigint, execution bigint) RETURNS boolean
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.association WHERE context_id = context AND execution_id = execution RETURNING 1) SELECT EXISTS (SELECT FROM deleted);
END;
COMMENT ON FUNCTION delete_association(bigint, bigint) IS 'takes an execution out of a context; false if it was not in it';

CREATE FUNCTION delete_parent_context(child bigint, parent bigint) RETURNS boolean
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.parentcontext WHERE context_id = child AND parent_context_id = parent RETURNING 1) SELECT EXISTS (SELECT FROM deleted);
END;
COMMENT ON FUNCTION delete_parent_context(bigint, bigint) IS 'ends that a context is the parent of another; false if it was not';

CREATE FUNCTION delete_types(ids bigint[]) RETURNS bigint
	LANGUAGE SQL VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH deleted AS (DELETE FROM mlmd.type WHERE id = ANY (ids) RETURNING 1) SELECT count(*) FROM deleted;
END;
COMMENT ON FUNCTION delete_types(bigint[]) IS 'deletes types and their properties; returns how many there were; error 23503 while there are nodes of them, 2BP01 for a simple type, which clients need';

CREATE FUNCTION purge_paths(artifacts bigint[], executions bigint[])
		RETURNS TABLE (source_is_artifact boolean, source bigint, target_is_artifact boolean, target bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL UNSAFE ROWS 1000 SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION purge_paths(bigint[], bigint[]) IS
	'internal: which nodes that stay reach which other nodes that stay through the artifacts and executions that go';

CREATE FUNCTION purge(before timestamptz, type text DEFAULT NULL, keep_lineage boolean DEFAULT true, keep_history boolean DEFAULT false,
		OUT artifacts bigint, OUT executions bigint, OUT contexts bigint, OUT links bigint) RETURNS record
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	epoch bigint := CASE WHEN isfinite(before) THEN floor(extract(epoch FROM before) * 1000) WHEN before > now() THEN 9223372036854775807 ELSE 0 END;
	old_artifacts bigint[];
	old_executions bigint[];
	old_contexts bigint[];
	link record;
	placeholder bigint;
	put_at bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
BEGIN
	IF before IS NULL THEN
		RAISE EXCEPTION 'purge needs a time' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	-- The lock keeps others from linking to what goes.
	SELECT coalesce(array_agg(n.id), '{}') INTO old_artifacts FROM (
		SELECT a.id FROM mlmd.artifact a JOIN mlmd.type t ON t.id = a.type_id
		WHERE a.last_update_time_since_epoch < epoch AND (purge.type IS NULL OR t.name = purge.type)
		ORDER BY a.id FOR UPDATE OF a) n;
	SELECT coalesce(array_agg(n.id), '{}') INTO old_executions FROM (
		SELECT e.id FROM mlmd.execution e JOIN mlmd.type t ON t.id = e.type_id
		WHERE e.last_update_time_since_epoch < epoch AND (purge.type IS NULL OR t.name = purge.type)
		ORDER BY e.id FOR UPDATE OF e) n;

	links := 0;
	IF keep_lineage IS NOT FALSE AND cardinality(old_artifacts) + cardinality(old_executions) > 0 THEN
		-- Which nodes that stay are connected through nodes that go? Targets with the same sources share a placeholder.
		FOR link IN
			WITH kept AS (
				SELECT r.source_is_artifact, r.target_is_artifact AS is_artifact, r.target AS id, array_agg(r.source ORDER BY r.source) AS sources
				FROM @extschema@.purge_paths(old_artifacts, old_executions) r
				GROUP BY r.source_is_artifact, r.target_is_artifact, r.target
			)
			SELECT source_is_artifact, is_artifact, sources, array_agg(id ORDER BY id) AS targets
			FROM kept GROUP BY source_is_artifact, is_artifact, sources
			ORDER BY source_is_artifact, is_artifact, sources
		LOOP
			IF link.source_is_artifact AND NOT link.is_artifact THEN
				INSERT INTO mlmd.event (artifact_id, execution_id, type, milliseconds_since_epoch)
				SELECT s, t, 3, put_at FROM unnest(link.sources) s, unnest(link.targets) t ON CONFLICT ON CONSTRAINT uniqueevent DO NOTHING;
			ELSIF NOT link.source_is_artifact AND link.is_artifact THEN
				INSERT INTO mlmd.event (artifact_id, execution_id, type, milliseconds_since_epoch)
				SELECT t, s, 4, put_at FROM unnest(link.sources) s, unnest(link.targets) t ON CONFLICT ON CONSTRAINT uniqueevent DO NOTHING;
			ELSIF link.source_is_artifact THEN
				PERFORM @extschema@.put_execution_type('feature_meta.Purged', description => 'stands for purged executions');
				PERFORM @extschema@.put_execution('feature_meta.Purged', inputs => link.sources, outputs => link.targets);
			ELSE
				PERFORM @extschema@.put_artifact_type('feature_meta.Purged', description => 'stands for purged artifacts');
				placeholder := @extschema@.put_artifact('feature_meta.Purged');
				INSERT INTO mlmd.event (artifact_id, execution_id, type, milliseconds_since_epoch)
				SELECT placeholder, s, 4, put_at FROM unnest(link.sources) s UNION ALL SELECT placeholder, t, 3, put_at FROM unnest(link.targets) t;
			END IF;
			links := links + 1;
		END LOOP;
	END IF;

	DELETE FROM mlmd.artifact WHERE id = ANY (old_artifacts);
	GET DIAGNOSTICS artifacts = ROW_COUNT;
	DELETE FROM mlmd.execution WHERE id = ANY (old_executions);
	GET DIAGNOSTICS executions = ROW_COUNT;
	SELECT coalesce(array_agg(n.id), '{}') INTO old_contexts FROM (
		SELECT c.id FROM mlmd.context c JOIN mlmd.type t ON t.id = c.type_id
		WHERE c.last_update_time_since_epoch < epoch AND (purge.type IS NULL OR t.name = purge.type)
			AND NOT EXISTS (SELECT FROM mlmd.attribution WHERE context_id = c.id)
			AND NOT EXISTS (SELECT FROM mlmd.association WHERE context_id = c.id)
			AND NOT EXISTS (SELECT FROM mlmd.parentcontext WHERE parent_context_id = c.id)
		ORDER BY c.id FOR UPDATE OF c) n;
	DELETE FROM mlmd.context WHERE id = ANY (old_contexts);
	GET DIAGNOSTICS contexts = ROW_COUNT;

	IF NOT keep_history THEN
		DELETE FROM mlmd.artifact_history WHERE id = ANY (old_artifacts);
		DELETE FROM mlmd.artifactproperty_history WHERE artifact_id = ANY (old_artifacts);
		DELETE FROM mlmd.execution_history WHERE id = ANY (old_executions);
		DELETE FROM mlmd.executionproperty_history WHERE execution_id = ANY (old_executions);
		DELETE FROM mlmd.context_history WHERE id = ANY (old_contexts);
		DELETE FROM mlmd.contextproperty_history WHERE context_id = ANY (old_contexts);
		WITH deleted AS (
			DELETE FROM mlmd.event_history WHERE artifact_id = ANY (old_artifacts) OR execution_id = ANY (old_executions) RETURNING id)
		DELETE FROM mlmd.eventpath_history WHERE event_id IN (SELECT id FROM deleted);
		DELETE FROM mlmd.attribution_history WHERE artifact_id = ANY (old_artifacts) OR context_id = ANY (old_contexts);
		DELETE FROM mlmd.association_history WHERE execution_id = ANY (old_executions) OR context_id = ANY (old_contexts);
		DELETE FROM mlmd.parentcontext_history WHERE context_id = ANY (old_contexts) OR parent_context_id = ANY (old_contexts);
	END IF;
END;
$$;
COMMENT ON FUNCTION purge(timestamptz, text, boolean, boolean) IS
	'deletes the artifacts and executions last updated before a time (of a type), and the contexts that are as old and have nothing in them; returns how many. With keep_lineage what stays and was connected through what goes is connected again: artifact to execution by an event, artifacts or executions through a placeholder of type feature_meta.Purged; links counts these. Without keep_history the history of what goes goes too. Error 22004 without a time';
