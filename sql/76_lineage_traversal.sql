-- Walks over the tables of MLMD: what an artifact or execution comes from, and what comes from it

CREATE FUNCTION traverse_lineage(direction text, artifacts bigint[], executions bigint[], max_hops bigint, boundary_artifacts text,
		boundary_executions text, event_types text[], before timestamptz, as_of timestamptz, target_kind text, target bigint,
		OUT kind text, OUT id bigint, OUT distance integer, OUT node bigint, OUT traversal bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION traverse_lineage(text, bigint[], bigint[], bigint, text, text, text[], timestamptz, timestamptz, text, bigint) IS
	'walks breadth-first: what upstream(), downstream() and lineage_path() stand on. node and traversal are for traversed_path() in the same query';

CREATE FUNCTION traversed_path(traversal bigint, node bigint) RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_path(bigint, bigint) IS 'a shortest path from a start node of traverse_lineage() to one of its rows; artifacts and executions take turns in it';

-- The functions below are of one SELECT each, so that the planner unfolds them: a query that does not ask for names, types
-- or paths does not pay for them.
CREATE FUNCTION upstream(artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL,
		executions bigint[] DEFAULT NULL, max_hops bigint DEFAULT NULL, boundary_artifacts text DEFAULT NULL,
		boundary_executions text DEFAULT NULL, event_types text[] DEFAULT NULL, before timestamptz DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, uri text, distance integer, path bigint[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT t.kind, t.id, coalesce(ya.name, ye.name), coalesce(a.name, e.name), a.uri, t.distance, @extschema@.traversed_path(t.traversal, t.node)
	FROM @extschema@.traverse_lineage('upstream', artifact || artifacts, execution || executions, max_hops, boundary_artifacts,
			boundary_executions, event_types, before, as_of, NULL, NULL) t
		LEFT JOIN mlmd.artifact a ON t.kind = 'artifact' AND a.id = t.id
		LEFT JOIN mlmd.execution e ON t.kind = 'execution' AND e.id = t.id
		LEFT JOIN mlmd.type ya ON ya.id = a.type_id
		LEFT JOIN mlmd.type ye ON ye.id = e.type_id;
END;
COMMENT ON FUNCTION upstream(bigint, bigint, bigint[], bigint[], bigint, text, text, text[], timestamptz, timestamptz) IS
	'what the given artifacts and executions come from, themselves at distance 0: a row a node with the number of hops (events) and the ids on one shortest path. The walk ends at max_hops, and at nodes for which a boundary filter holds (they are in the result). event_types: follow only these; before: only events up to then; as_of: as the store was then. An id that does not exist gives no row. STABLE';

CREATE FUNCTION downstream(artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL,
		executions bigint[] DEFAULT NULL, max_hops bigint DEFAULT NULL, boundary_artifacts text DEFAULT NULL,
		boundary_executions text DEFAULT NULL, event_types text[] DEFAULT NULL, before timestamptz DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, uri text, distance integer, path bigint[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT t.kind, t.id, coalesce(ya.name, ye.name), coalesce(a.name, e.name), a.uri, t.distance, @extschema@.traversed_path(t.traversal, t.node)
	FROM @extschema@.traverse_lineage('downstream', artifact || artifacts, execution || executions, max_hops, boundary_artifacts,
			boundary_executions, event_types, before, as_of, NULL, NULL) t
		LEFT JOIN mlmd.artifact a ON t.kind = 'artifact' AND a.id = t.id
		LEFT JOIN mlmd.execution e ON t.kind = 'execution' AND e.id = t.id
		LEFT JOIN mlmd.type ya ON ya.id = a.type_id
		LEFT JOIN mlmd.type ye ON ye.id = e.type_id;
END;
COMMENT ON FUNCTION downstream(bigint, bigint, bigint[], bigint[], bigint, text, text, text[], timestamptz, timestamptz) IS
	'what comes from the given artifacts and executions: as upstream(), the other way';
