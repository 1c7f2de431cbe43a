-- Subgraphs as values of type lineage_graph, and what can be done with these

CREATE FUNCTION lineage_subgraph(starting_artifacts text DEFAULT NULL, starting_executions text DEFAULT NULL, max_num_hops bigint DEFAULT NULL,
		direction text DEFAULT 'bidirectional', ending_artifacts text DEFAULT NULL, ending_executions text DEFAULT NULL,
		include_ending_nodes boolean DEFAULT false, include_ending_artifacts boolean DEFAULT NULL,
		include_ending_executions boolean DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS lineage_graph
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lineage_subgraph(text, text, bigint, text, text, text, boolean, boolean, boolean, timestamptz) IS
	'the nodes within max_num_hops events of the nodes for which the starting filters hold, their events, attributions, associations, contexts and types: MLMD''s get_lineage_subgraph without its limits of 100 hops and 100 start nodes. direction: upstream, downstream or bidirectional. Nodes for which an ending filter holds end the walk and are left out unless include_ending_nodes (or that of their kind). as_of: as the store was then. Errors: 22023 no start filter, negative hops, unknown direction, P0002 no start node, those of filters. STABLE';
