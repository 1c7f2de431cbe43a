-- Subgraphs as values of type lineage_graph, and what can be done with these

CREATE FUNCTION lineage_subgraph(starting_artifacts text DEFAULT NULL, starting_executions text DEFAULT NULL, max_num_hops bigint DEFAULT NULL,
		direction text DEFAULT 'bidirectional', ending_artifacts text DEFAULT NULL, ending_executions text DEFAULT NULL,
		include_ending_nodes boolean DEFAULT false, include_ending_artifacts boolean DEFAULT NULL,
		include_ending_executions boolean DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS lineage_graph
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lineage_subgraph(text, text, bigint, text, text, text, boolean, boolean, boolean, timestamptz) IS
	'the nodes within max_num_hops events of the nodes for which the starting filters hold, their events, attributions, associations, contexts and types: MLMD''s get_lineage_subgraph without its limits of 100 hops and 100 start nodes. direction: upstream, downstream or bidirectional. Nodes for which an ending filter holds end the walk and are left out unless include_ending_nodes (or that of their kind). as_of: as the store was then. Errors: 22023 no start filter, negative hops, unknown direction, P0002 no start node, those of filters. STABLE';

CREATE FUNCTION nodes(graph lineage_graph, OUT kind text, OUT id bigint, OUT type text, OUT name text, OUT uri text, OUT state text,
		OUT external_id text, OUT properties jsonb, OUT custom_properties jsonb, OUT create_time_since_epoch bigint,
		OUT last_update_time_since_epoch bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'lineage_graph_nodes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nodes(lineage_graph) IS 'artifacts, executions and contexts of a graph, a row a node, as the graph has them. IMMUTABLE';

CREATE FUNCTION edges(graph lineage_graph, OUT source_kind text, OUT source bigint, OUT target_kind text, OUT target bigint, OUT type text,
		OUT path jsonb, OUT milliseconds_since_epoch bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'lineage_graph_edges' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION edges(lineage_graph) IS
	'events of a graph in the direction of the data, a row an event: inputs lead from an artifact to an execution, outputs from an execution to an artifact; an event of unknown type stands as artifact to execution. IMMUTABLE';

CREATE FUNCTION traverse_graph(graph lineage_graph, direction text, artifacts bigint[], executions bigint[], max_hops bigint, event_types text[],
		before timestamptz)
	RETURNS SETOF bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION traverse_graph(lineage_graph, text, bigint[], bigint[], bigint, text[], timestamptz) IS
	'walks breadth-first over a graph: what upstream() and downstream() of a graph stand on. A number a node, by which traversed_id(), traversed_attribute() and their like know it in the same query';

CREATE FUNCTION traversed_attribute(node bigint, attribute text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION traversed_attribute(bigint, text) IS 'type, name or uri of a node of traverse_graph()';

CREATE FUNCTION upstream(graph lineage_graph, artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL,
		executions bigint[] DEFAULT NULL, max_hops bigint DEFAULT NULL, event_types text[] DEFAULT NULL, before timestamptz DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, uri text, distance integer, path bigint[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT @extschema@.traversed_kind(t.node), @extschema@.traversed_id(t.node), @extschema@.traversed_attribute(t.node, 'type'),
		@extschema@.traversed_attribute(t.node, 'name'), @extschema@.traversed_attribute(t.node, 'uri'), @extschema@.traversed_distance(t.node),
		@extschema@.traversed_path(t.node)
	FROM (SELECT @extschema@.traverse_graph(graph, 'upstream', artifact || artifacts, execution || executions, max_hops, event_types, before) AS node) t;
END;
COMMENT ON FUNCTION upstream(lineage_graph, bigint, bigint, bigint[], bigint[], bigint, text[], timestamptz) IS
	'what nodes of a graph come from, within the graph: as upstream() over the store. STABLE';

CREATE FUNCTION downstream(graph lineage_graph, artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL,
		executions bigint[] DEFAULT NULL, max_hops bigint DEFAULT NULL, event_types text[] DEFAULT NULL, before timestamptz DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, uri text, distance integer, path bigint[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT @extschema@.traversed_kind(t.node), @extschema@.traversed_id(t.node), @extschema@.traversed_attribute(t.node, 'type'),
		@extschema@.traversed_attribute(t.node, 'name'), @extschema@.traversed_attribute(t.node, 'uri'), @extschema@.traversed_distance(t.node),
		@extschema@.traversed_path(t.node)
	FROM (SELECT @extschema@.traverse_graph(graph, 'downstream', artifact || artifacts, execution || executions, max_hops, event_types, before) AS node) t;
END;
COMMENT ON FUNCTION downstream(lineage_graph, bigint, bigint, bigint[], bigint[], bigint, text[], timestamptz) IS
	'what comes from nodes of a graph, within the graph: as downstream() over the store. STABLE';

CREATE FUNCTION "union"(a lineage_graph, b lineage_graph) RETURNS lineage_graph
	AS 'MODULE_PATHNAME', 'lineage_graph_union' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION "union"(lineage_graph, lineage_graph) IS
	'what is in either graph. Nodes and types are the same by id, events by artifact, execution and type, attributions and associations by their ends; of what is in both, the first graph''s. IMMUTABLE';
CREATE OPERATOR + (LEFTARG = lineage_graph, RIGHTARG = lineage_graph, FUNCTION = "union");
COMMENT ON OPERATOR + (lineage_graph, lineage_graph) IS 'union of graphs';

CREATE FUNCTION difference(a lineage_graph, b lineage_graph) RETURNS lineage_graph
	AS 'MODULE_PATHNAME', 'lineage_graph_difference' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION difference(lineage_graph, lineage_graph) IS
	'what is in the first graph and not in the second, by the keys that "union" has: an event may stay whose nodes are in both. Types stay with the nodes that have them. (a - b) + b is a + b but for who wins. IMMUTABLE';
CREATE OPERATOR - (LEFTARG = lineage_graph, RIGHTARG = lineage_graph, FUNCTION = difference);
COMMENT ON OPERATOR - (lineage_graph, lineage_graph) IS 'difference of graphs';

CREATE FUNCTION is_acyclic(graph lineage_graph) RETURNS boolean
	AS 'MODULE_PATHNAME', 'lineage_graph_is_acyclic' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION is_acyclic(lineage_graph) IS 'whether no node of a graph comes from itself. IMMUTABLE';

CREATE FUNCTION find_cycles(graph lineage_graph, OUT cycle bigint, OUT kind text, OUT id bigint, OUT type text, OUT name text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'lineage_graph_find_cycles' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION find_cycles(lineage_graph) IS
	'nodes of a graph that come from themselves; those with one number in cycle all come from one another. IMMUTABLE';

CREATE FUNCTION topological_order(graph lineage_graph, OUT "position" bigint, OUT kind text, OUT id bigint, OUT type text, OUT name text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'lineage_graph_topological_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION topological_order(lineage_graph) IS
	'artifacts and executions of a graph so that whatever a node is made from comes before it. Error 22000 when the graph has a cycle. IMMUTABLE';

CREATE FUNCTION roots(graph lineage_graph, OUT kind text, OUT id bigint, OUT type text, OUT name text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'lineage_graph_roots' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION roots(lineage_graph) IS 'artifacts and executions that come from nothing in the graph. IMMUTABLE';

CREATE FUNCTION leaves(graph lineage_graph, OUT kind text, OUT id bigint, OUT type text, OUT name text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'lineage_graph_leaves' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION leaves(lineage_graph) IS 'artifacts and executions that nothing in the graph comes from. IMMUTABLE';

CREATE FUNCTION to_dot(graph lineage_graph) RETURNS text
	AS 'MODULE_PATHNAME', 'lineage_graph_to_dot' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION to_dot(lineage_graph) IS 'a graph in the language of Graphviz: artifacts as ellipses, executions as boxes. IMMUTABLE';

CREATE FUNCTION to_mermaid(graph lineage_graph) RETURNS text
	AS 'MODULE_PATHNAME', 'lineage_graph_to_mermaid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION to_mermaid(lineage_graph) IS 'a graph as a Mermaid flowchart: artifacts rounded, executions as boxes. IMMUTABLE';

CREATE FUNCTION to_openlineage(graph lineage_graph, namespace text DEFAULT 'mlmd', producer text DEFAULT 'https://github.com/google/ml-metadata',
		event_time timestamptz DEFAULT NULL) RETURNS SETOF jsonb
	AS 'MODULE_PATHNAME', 'lineage_graph_to_openlineage' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION to_openlineage(lineage_graph, text, text, timestamptz) IS
	'executions of a graph as RunEvents of OpenLineage 2-0-2, one each: the job is the type of the execution, its datasets the artifacts, named by uri if they have one; the run id is the same every time. namespace is that of the jobs and of datasets without a uri, producer a URI. The time of an event is the last update of the execution, else the last of its MLMD events, else when it was made, else when its outputs or inputs were; event_time where none of these is known, without which that is an error (22004). IMMUTABLE';

CREATE FUNCTION lineage_graph_agg_text(internal, source text, target text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_text(internal, text, text) IS 'transition function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_text(internal, source text, target text, label text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_text(internal, text, text, text) IS 'transition function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_text(internal, source text, target text, label text, "time" timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_text(internal, text, text, text, timestamptz) IS 'transition function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_int8(internal, source bigint, target bigint) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_int8(internal, bigint, bigint) IS 'transition function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_int8(internal, source bigint, target bigint, label text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_int8(internal, bigint, bigint, text) IS 'transition function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_int8(internal, source bigint, target bigint, label text, "time" timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_int8(internal, bigint, bigint, text, timestamptz) IS 'transition function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_combine(internal, internal) IS 'combine function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_serial(internal) IS 'serial function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_deserial(bytea, internal) IS 'deserial function of lineage_graph_agg';
CREATE FUNCTION lineage_graph_agg_final(internal) RETURNS lineage_graph
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_agg_final(internal) IS 'final function of lineage_graph_agg';

CREATE AGGREGATE lineage_graph_agg(source text, target text) (
	SFUNC = lineage_graph_agg_text, STYPE = internal, SSPACE = 8192, FINALFUNC = lineage_graph_agg_final, COMBINEFUNC = lineage_graph_agg_combine,
	SERIALFUNC = lineage_graph_agg_serial, DESERIALFUNC = lineage_graph_agg_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lineage_graph_agg(text, text) IS
	'the graph of a table of edges between names: an artifact a name, with ids in the order of the names, and an execution for the edges into one artifact. A row with one end NULL is a node without an edge';
CREATE AGGREGATE lineage_graph_agg(source text, target text, label text) (
	SFUNC = lineage_graph_agg_text, STYPE = internal, SSPACE = 8192, FINALFUNC = lineage_graph_agg_final, COMBINEFUNC = lineage_graph_agg_combine,
	SERIALFUNC = lineage_graph_agg_serial, DESERIALFUNC = lineage_graph_agg_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lineage_graph_agg(text, text, text) IS
	'as lineage_graph_agg(source, target), with an execution for the edges into one artifact that have one label, which is its name';
CREATE AGGREGATE lineage_graph_agg(source text, target text, label text, "time" timestamptz) (
	SFUNC = lineage_graph_agg_text, STYPE = internal, SSPACE = 8192, FINALFUNC = lineage_graph_agg_final, COMBINEFUNC = lineage_graph_agg_combine,
	SERIALFUNC = lineage_graph_agg_serial, DESERIALFUNC = lineage_graph_agg_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lineage_graph_agg(text, text, text, timestamptz) IS
	'as lineage_graph_agg(source, target, label), with the times of the events: an input is at the first time of its edge, an output at the last of its inputs';
CREATE AGGREGATE lineage_graph_agg(source bigint, target bigint) (
	SFUNC = lineage_graph_agg_int8, STYPE = internal, SSPACE = 8192, FINALFUNC = lineage_graph_agg_final, COMBINEFUNC = lineage_graph_agg_combine,
	SERIALFUNC = lineage_graph_agg_serial, DESERIALFUNC = lineage_graph_agg_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lineage_graph_agg(bigint, bigint) IS
	'the graph of a table of edges between numbers, which are the ids of the artifacts; otherwise as lineage_graph_agg(text, text)';
CREATE AGGREGATE lineage_graph_agg(source bigint, target bigint, label text) (
	SFUNC = lineage_graph_agg_int8, STYPE = internal, SSPACE = 8192, FINALFUNC = lineage_graph_agg_final, COMBINEFUNC = lineage_graph_agg_combine,
	SERIALFUNC = lineage_graph_agg_serial, DESERIALFUNC = lineage_graph_agg_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lineage_graph_agg(bigint, bigint, text) IS 'as lineage_graph_agg(text, text, text), with ids for names';
CREATE AGGREGATE lineage_graph_agg(source bigint, target bigint, label text, "time" timestamptz) (
	SFUNC = lineage_graph_agg_int8, STYPE = internal, SSPACE = 8192, FINALFUNC = lineage_graph_agg_final, COMBINEFUNC = lineage_graph_agg_combine,
	SERIALFUNC = lineage_graph_agg_serial, DESERIALFUNC = lineage_graph_agg_deserial, PARALLEL = SAFE
);
COMMENT ON AGGREGATE lineage_graph_agg(bigint, bigint, text, timestamptz) IS 'as lineage_graph_agg(text, text, text, timestamptz), with ids for names';
