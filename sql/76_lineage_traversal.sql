-- Walks over the tables of MLMD: what an artifact or execution comes from, and what comes from it

CREATE FUNCTION traverse_lineage(direction text, artifacts bigint[], executions bigint[], max_hops bigint, boundary_artifacts text,
		boundary_executions text, event_types text[], before timestamptz, as_of timestamptz, target_kind text, target bigint)
	RETURNS SETOF bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION traverse_lineage(text, bigint[], bigint[], bigint, text, text, text[], timestamptz, timestamptz, text, bigint) IS
	'walks breadth-first: what upstream(), downstream() and lineage_path() stand on. A number a node, by which traversed_id() and its like know it in the same query';

CREATE FUNCTION traversed_kind(node bigint) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_kind(bigint) IS 'artifact or execution: what a node of traverse_lineage() or traverse_graph() is';

CREATE FUNCTION traversed_id(node bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_id(bigint) IS 'the id of a node of traverse_lineage() or traverse_graph()';

CREATE FUNCTION traversed_artifact(node bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_artifact(bigint) IS 'the id of a node of traverse_lineage() or traverse_graph() that is an artifact, else NULL';

CREATE FUNCTION traversed_execution(node bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_execution(bigint) IS 'the id of a node of traverse_lineage() or traverse_graph() that is an execution, else NULL';

CREATE FUNCTION traversed_distance(node bigint) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_distance(bigint) IS 'hops from the start to a node of traverse_lineage() or traverse_graph()';

CREATE FUNCTION traversed_path(node bigint) RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_path(bigint) IS 'a shortest path from a start to a node of traverse_lineage() or traverse_graph(); artifacts and executions take turns in it';

CREATE FUNCTION traversed_as_of(node bigint, as_of timestamptz, OUT type text, OUT name text, OUT uri text) RETURNS record
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT t.name, n.name, n.uri
	FROM (SELECT a.type_id, a.name, a.uri FROM mlmd.artifact_versions a
			WHERE a.id = @extschema@.traversed_artifact(node) AND a.valid_from <= as_of AND as_of < a.valid_to
		UNION ALL
		SELECT e.type_id, e.name, NULL FROM mlmd.execution_versions e
			WHERE e.id = @extschema@.traversed_execution(node) AND e.valid_from <= as_of AND as_of < e.valid_to) n
		LEFT JOIN mlmd.type t ON t.id = n.type_id;
END;
COMMENT ON FUNCTION traversed_as_of(bigint, timestamptz) IS 'internal: type, name and uri that a node of traverse_lineage() had at a time';

CREATE FUNCTION start_ids(wanted text, kind text, id bigint) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'lineage_start_ids' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION start_ids(text, text, bigint) IS 'internal: {id} if kind is the wanted one, else NULL; error 22023 if kind is neither artifact nor execution';

-- The functions below are of one SELECT each, so that the planner unfolds them: a query that does not ask for names, types
-- or paths does not pay for them. The walk stands in a SELECT list: there its rows go on one by one, in FROM they would
-- first be written down.
CREATE FUNCTION upstream(artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL,
		executions bigint[] DEFAULT NULL, max_hops bigint DEFAULT NULL, boundary_artifacts text DEFAULT NULL,
		boundary_executions text DEFAULT NULL, event_types text[] DEFAULT NULL, before timestamptz DEFAULT NULL,
		as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, uri text, distance integer, path bigint[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT @extschema@.traversed_kind(t.node), @extschema@.traversed_id(t.node),
		CASE WHEN upstream.as_of IS NULL THEN coalesce(ya.name, ye.name) ELSE (@extschema@.traversed_as_of(t.node, upstream.as_of)).type END,
		CASE WHEN upstream.as_of IS NULL THEN coalesce(a.name, e.name) ELSE (@extschema@.traversed_as_of(t.node, upstream.as_of)).name END,
		CASE WHEN upstream.as_of IS NULL THEN a.uri ELSE (@extschema@.traversed_as_of(t.node, upstream.as_of)).uri END,
		@extschema@.traversed_distance(t.node), @extschema@.traversed_path(t.node)
	FROM (SELECT @extschema@.traverse_lineage('upstream', artifact || artifacts, execution || executions, max_hops, boundary_artifacts,
			boundary_executions, event_types, before, as_of, NULL, NULL) AS node) t
		LEFT JOIN mlmd.artifact a ON a.id = @extschema@.traversed_artifact(t.node)
		LEFT JOIN mlmd.execution e ON e.id = @extschema@.traversed_execution(t.node)
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
	SELECT @extschema@.traversed_kind(t.node), @extschema@.traversed_id(t.node),
		CASE WHEN downstream.as_of IS NULL THEN coalesce(ya.name, ye.name) ELSE (@extschema@.traversed_as_of(t.node, downstream.as_of)).type END,
		CASE WHEN downstream.as_of IS NULL THEN coalesce(a.name, e.name) ELSE (@extschema@.traversed_as_of(t.node, downstream.as_of)).name END,
		CASE WHEN downstream.as_of IS NULL THEN a.uri ELSE (@extschema@.traversed_as_of(t.node, downstream.as_of)).uri END,
		@extschema@.traversed_distance(t.node), @extschema@.traversed_path(t.node)
	FROM (SELECT @extschema@.traverse_lineage('downstream', artifact || artifacts, execution || executions, max_hops, boundary_artifacts,
			boundary_executions, event_types, before, as_of, NULL, NULL) AS node) t
		LEFT JOIN mlmd.artifact a ON a.id = @extschema@.traversed_artifact(t.node)
		LEFT JOIN mlmd.execution e ON e.id = @extschema@.traversed_execution(t.node)
		LEFT JOIN mlmd.type ya ON ya.id = a.type_id
		LEFT JOIN mlmd.type ye ON ye.id = e.type_id;
END;
COMMENT ON FUNCTION downstream(bigint, bigint, bigint[], bigint[], bigint, text, text, text[], timestamptz, timestamptz) IS
	'what comes from the given artifacts and executions: as upstream(), the other way';

CREATE FUNCTION lineage_path(a bigint, b bigint, a_kind text DEFAULT 'artifact', b_kind text DEFAULT 'artifact', direction text DEFAULT 'downstream')
	RETURNS TABLE ("position" bigint, kind text, id bigint, type text, name text)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 10
BEGIN ATOMIC
	SELECT p.n, k.kind, p.id, coalesce(ya.name, ye.name), coalesce(a.name, e.name)
	FROM (SELECT @extschema@.traverse_lineage(lineage_path.direction, @extschema@.start_ids('artifact', a_kind, lineage_path.a),
			@extschema@.start_ids('execution', a_kind, lineage_path.a), NULL, NULL, NULL, NULL, NULL, NULL, b_kind, b) AS node
			WHERE b IS NOT NULL AND b_kind IS NOT NULL) t
		CROSS JOIN LATERAL unnest(@extschema@.traversed_path(t.node)) WITH ORDINALITY p (id, n)
		CROSS JOIN LATERAL (SELECT CASE WHEN (p.n % 2 = 1) = (a_kind = 'artifact') THEN 'artifact' ELSE 'execution' END) k (kind)
		LEFT JOIN mlmd.artifact a ON k.kind = 'artifact' AND a.id = p.id
		LEFT JOIN mlmd.execution e ON k.kind = 'execution' AND e.id = p.id
		LEFT JOIN mlmd.type ya ON ya.id = a.type_id
		LEFT JOIN mlmd.type ye ON ye.id = e.type_id
	ORDER BY p.n;
END;
COMMENT ON FUNCTION lineage_path(bigint, bigint, text, text, text) IS
	'a shortest chain of events from a to b, a row a node; no row when there is none, or an argument is NULL. a_kind and b_kind say whether they are ids of an artifact or an execution, else error 22023; direction downstream follows the data from a to b, upstream goes against it, bidirectional takes events both ways. STABLE';

CREATE FUNCTION common_ancestors(a bigint, b bigint, a_kind text DEFAULT 'artifact', b_kind text DEFAULT 'artifact', max_hops bigint DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, distance_a integer, distance_b integer, is_nearest boolean)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT u.kind, u.id, u.type, u.name, u.distance, v.distance, u.distance + v.distance = min(u.distance + v.distance) OVER ()
	FROM @extschema@.upstream(artifacts => @extschema@.start_ids('artifact', a_kind, a),
			executions => @extschema@.start_ids('execution', a_kind, a),
			max_hops => common_ancestors.max_hops) u
		JOIN @extschema@.upstream(artifacts => @extschema@.start_ids('artifact', b_kind, b),
			executions => @extschema@.start_ids('execution', b_kind, b),
			max_hops => common_ancestors.max_hops) v ON v.kind = u.kind AND v.id = u.id
	ORDER BY u.distance + v.distance, u.kind, u.id;
END;
COMMENT ON FUNCTION common_ancestors(bigint, bigint, text, text, bigint) IS
	'what both a and b come from, with the number of hops from each; is_nearest where the sum of both is least. A node is its own ancestor at 0 hops. a_kind and b_kind are artifact or execution, else error 22023. STABLE';

CREATE FUNCTION lineage_order(direction text, artifacts bigint[], executions bigint[], max_hops bigint, OUT "position" bigint, OUT kind text, OUT id bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lineage_order(text, bigint[], bigint[], bigint) IS 'what topological_order() of the store stands on';

CREATE FUNCTION topological_order(artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL,
		executions bigint[] DEFAULT NULL, direction text DEFAULT 'downstream', max_hops bigint DEFAULT NULL)
	RETURNS TABLE ("position" bigint, kind text, id bigint, type text, name text)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT o."position", o.kind, o.id, coalesce(ya.name, ye.name), coalesce(a.name, e.name)
	FROM @extschema@.lineage_order(coalesce(topological_order.direction, 'downstream'),
			CASE WHEN artifact IS NULL THEN artifacts ELSE artifact || artifacts END,
			CASE WHEN execution IS NULL THEN executions ELSE execution || executions END, max_hops) o
		LEFT JOIN mlmd.artifact a ON o.kind = 'artifact' AND a.id = o.id
		LEFT JOIN mlmd.execution e ON o.kind = 'execution' AND e.id = o.id
		LEFT JOIN mlmd.type ya ON ya.id = a.type_id
		LEFT JOIN mlmd.type ye ON ye.id = e.type_id
	ORDER BY o."position";
END;
COMMENT ON FUNCTION topological_order(bigint, bigint, bigint[], bigint[], text, bigint) IS
	'the nodes that a walk from the given ones reaches, so that whatever a node is made from comes before it: the order in which to make them again. All nodes that have events when no start is given. Error 22000 when they are on a cycle. STABLE';

CREATE FUNCTION lineage_cycles(OUT cycle bigint, OUT kind text, OUT id bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lineage_cycles() IS 'what find_cycles() of the store stands on';

CREATE FUNCTION find_cycles() RETURNS TABLE (cycle bigint, kind text, id bigint, type text, name text)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT c.cycle, c.kind, c.id, coalesce(ya.name, ye.name), coalesce(a.name, e.name)
	FROM @extschema@.lineage_cycles() c
		LEFT JOIN mlmd.artifact a ON c.kind = 'artifact' AND a.id = c.id
		LEFT JOIN mlmd.execution e ON c.kind = 'execution' AND e.id = c.id
		LEFT JOIN mlmd.type ya ON ya.id = a.type_id
		LEFT JOIN mlmd.type ye ON ye.id = e.type_id
	ORDER BY c.cycle, c.kind, c.id;
END;
COMMENT ON FUNCTION find_cycles() IS
	'nodes of the store that come from themselves; those with one number in cycle all come from one another (strongly connected). STABLE';

CREATE FUNCTION has_cycle() RETURNS boolean
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN EXISTS (SELECT FROM @extschema@.lineage_cycles());
COMMENT ON FUNCTION has_cycle() IS 'whether some artifact or execution of the store comes from itself. STABLE';
