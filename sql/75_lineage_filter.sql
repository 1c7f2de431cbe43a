-- Nodes by MLMD's filter language (ListOperationOptions.filter_query), now and as they were

CREATE FUNCTION filtered_node_ids(kind text, filter text, order_by text, page_size bigint, page bigint, after bigint, as_of timestamptz)
	RETURNS SETOF bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION filtered_node_ids(text, text, text, bigint, bigint, bigint, timestamptz) IS
	'ids of the nodes of a kind (artifact, execution, context) for which a filter holds, in order: what artifacts(), executions() and contexts() stand on. Errors: 42601 syntax, 42703 unknown name, 42883 unknown function, 42804 types that do not fit, 22023 unknown state or event type';

CREATE FUNCTION artifacts(filter text DEFAULT NULL, order_by text DEFAULT 'id', page_size bigint DEFAULT NULL, page bigint DEFAULT NULL,
		after bigint DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF mlmd.artifacts
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
BEGIN ATOMIC
	SELECT n.* FROM @extschema@.filtered_node_ids('artifact', filter, order_by, page_size, page, after, as_of) WITH ORDINALITY f (id, position)
		JOIN LATERAL (SELECT a.* FROM mlmd.artifacts a WHERE a.id = f.id AND as_of IS NULL
			UNION ALL SELECT h.* FROM @extschema@.artifacts_as_of(as_of, ARRAY[f.id]) h WHERE as_of IS NOT NULL) n ON true
	ORDER BY f.position;
END;
COMMENT ON FUNCTION artifacts(text, text, bigint, bigint, bigint, timestamptz) IS
	'artifacts for which a filter in MLMD''s language holds, with type and properties; all when it is NULL or empty. order_by: id, create_time or update_time, with asc or desc. page_size rows a page; page counts from 1; after is the id of the last row of the page before, which stays right when rows come and go. as_of: as the store was then. Errors: 42601 syntax, 42703 unknown name, 42883 unknown function, 42804 types that do not fit, 22023 unknown state, event type, order or page. STABLE';

CREATE FUNCTION executions(filter text DEFAULT NULL, order_by text DEFAULT 'id', page_size bigint DEFAULT NULL, page bigint DEFAULT NULL,
		after bigint DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF mlmd.executions
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
BEGIN ATOMIC
	SELECT n.* FROM @extschema@.filtered_node_ids('execution', filter, order_by, page_size, page, after, as_of) WITH ORDINALITY f (id, position)
		JOIN LATERAL (SELECT a.* FROM mlmd.executions a WHERE a.id = f.id AND as_of IS NULL
			UNION ALL SELECT h.* FROM @extschema@.executions_as_of(as_of, ARRAY[f.id]) h WHERE as_of IS NOT NULL) n ON true
	ORDER BY f.position;
END;
COMMENT ON FUNCTION executions(text, text, bigint, bigint, bigint, timestamptz) IS
	'executions for which a filter in MLMD''s language holds, with type and properties; all when it is NULL or empty. order_by: id, create_time or update_time, with asc or desc. page_size rows a page; page counts from 1; after is the id of the last row of the page before, which stays right when rows come and go. as_of: as the store was then. Errors: 42601 syntax, 42703 unknown name, 42883 unknown function, 42804 types that do not fit, 22023 unknown state, event type, order or page. STABLE';

CREATE FUNCTION contexts(filter text DEFAULT NULL, order_by text DEFAULT 'id', page_size bigint DEFAULT NULL, page bigint DEFAULT NULL,
		after bigint DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF mlmd.contexts
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
BEGIN ATOMIC
	SELECT n.* FROM @extschema@.filtered_node_ids('context', filter, order_by, page_size, page, after, as_of) WITH ORDINALITY f (id, position)
		JOIN LATERAL (SELECT a.* FROM mlmd.contexts a WHERE a.id = f.id AND as_of IS NULL
			UNION ALL SELECT h.* FROM @extschema@.contexts_as_of(as_of, ARRAY[f.id]) h WHERE as_of IS NOT NULL) n ON true
	ORDER BY f.position;
END;
COMMENT ON FUNCTION contexts(text, text, bigint, bigint, bigint, timestamptz) IS
	'contexts for which a filter in MLMD''s language holds, with type and properties; all when it is NULL or empty. order_by: id, create_time or update_time, with asc or desc. page_size rows a page; page counts from 1; after is the id of the last row of the page before, which stays right when rows come and go. as_of: as the store was then. Errors: 42601 syntax, 42703 unknown name, 42883 unknown function, 42804 types that do not fit, 22023 unknown state, event type, order or page. STABLE';

