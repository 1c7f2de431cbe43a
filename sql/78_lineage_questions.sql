-- Questions that people ask of lineage, one call each

CREATE FUNCTION models_trained_on(artifact bigint, type text DEFAULT NULL, max_hops bigint DEFAULT NULL)
	RETURNS TABLE (id bigint, type text, name text, uri text, distance integer)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 20
BEGIN ATOMIC
	SELECT d.id, d.type, d.name, d.uri, d.distance
	FROM @extschema@.downstream(artifact => models_trained_on.artifact, max_hops => models_trained_on.max_hops) d
		JOIN mlmd.artifact a ON a.id = d.id
	WHERE d.kind = 'artifact' AND d.distance > 0
		AND CASE WHEN models_trained_on.type IS NOT NULL THEN d.type = models_trained_on.type
			ELSE d.type ILIKE '%model%' OR EXISTS (SELECT FROM mlmd.parenttype p JOIN mlmd.type b ON b.id = p.parent_type_id
				WHERE p.type_id = a.type_id AND b.name = 'mlmd.Model') END
	ORDER BY d.distance, d.id;
END;
COMMENT ON FUNCTION models_trained_on(bigint, text, bigint) IS
	'which models were trained on this data: the artifacts downstream of it that have the given type; without a type, those whose type has the base type mlmd.Model or model in its name. STABLE';

CREATE FUNCTION transformations(artifact bigint, max_hops bigint DEFAULT NULL)
	RETURNS TABLE (execution bigint, type text, name text, state text, started timestamptz, finished timestamptz, inputs bigint[], outputs bigint[],
		properties jsonb, distance integer)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 20
BEGIN ATOMIC
	SELECT e.id, e.type, e.name, e.state,
		to_timestamp(nullif(least(e.create_time_since_epoch, v.first), 0) / 1000.0), to_timestamp(nullif(greatest(e.last_update_time_since_epoch, v.last), 0) / 1000.0),
		v.inputs, v.outputs, e.properties || e.custom_properties, u.distance
	FROM @extschema@.upstream(artifact => transformations.artifact, max_hops => transformations.max_hops) u
		JOIN mlmd.executions e ON e.id = u.id
		CROSS JOIN LATERAL (SELECT array_agg(DISTINCT v.artifact_id) FILTER (WHERE v.type IN (2, 3, 5)) AS inputs,
				array_agg(DISTINCT v.artifact_id) FILTER (WHERE v.type IN (1, 4, 6, 7)) AS outputs,
				min(v.milliseconds_since_epoch) AS first, max(v.milliseconds_since_epoch) AS last
			FROM mlmd.event v WHERE v.execution_id = e.id) v
	WHERE u.kind = 'execution'
	ORDER BY u.distance DESC, e.id;
END;
COMMENT ON FUNCTION transformations(bigint, bigint) IS
	'how and when this data was made: the executions upstream of it, the farthest first, with what went in and out. started and finished are the first and last time that the execution or its events have. STABLE';

CREATE FUNCTION contexts_as_of(kind text, node bigint, as_of timestamptz) RETURNS text[]
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT array_agg(c.name ORDER BY c.name) FROM mlmd.context_versions c
	WHERE c.valid_from <= contexts_as_of.as_of AND contexts_as_of.as_of < c.valid_to AND c.id IN (
		SELECT l.context_id FROM mlmd.attribution_versions l
		WHERE contexts_as_of.kind = 'artifact' AND l.artifact_id = node AND l.valid_from <= contexts_as_of.as_of AND contexts_as_of.as_of < l.valid_to
		UNION ALL SELECT l.context_id FROM mlmd.association_versions l
		WHERE contexts_as_of.kind = 'execution' AND l.execution_id = node AND l.valid_from <= contexts_as_of.as_of AND contexts_as_of.as_of < l.valid_to);
END;
COMMENT ON FUNCTION contexts_as_of(text, bigint, timestamptz) IS
	'the names of the contexts that an artifact or an execution belonged to at a time, in order; NULL for none. STABLE';

CREATE FUNCTION impact(artifact bigint DEFAULT NULL, execution bigint DEFAULT NULL, artifacts bigint[] DEFAULT NULL, executions bigint[] DEFAULT NULL,
		max_hops bigint DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (kind text, id bigint, type text, name text, uri text, distance integer, contexts text[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100
BEGIN ATOMIC
	SELECT d.kind, d.id, d.type, d.name, d.uri, d.distance,
		CASE WHEN impact.as_of IS NOT NULL THEN @extschema@.contexts_as_of(d.kind, d.id, impact.as_of)
			ELSE (SELECT array_agg(c.name ORDER BY c.name) FROM mlmd.context c WHERE c.id IN (
				SELECT l.context_id FROM mlmd.attribution l WHERE d.kind = 'artifact' AND l.artifact_id = d.id
				UNION ALL SELECT l.context_id FROM mlmd.association l WHERE d.kind = 'execution' AND l.execution_id = d.id)) END
	FROM @extschema@.downstream(artifact => impact.artifact, execution => impact.execution, artifacts => impact.artifacts,
		executions => impact.executions, max_hops => impact.max_hops, as_of => impact.as_of) d
	WHERE d.distance > 0
	ORDER BY d.distance, d.kind, d.id;
END;
COMMENT ON FUNCTION impact(bigint, bigint, bigint[], bigint[], bigint, timestamptz) IS
	'what would be touched by a change of the given artifacts and executions: all that comes from them, with the names of the contexts (pipelines, runs) it belongs to, or belonged to at the time as_of. STABLE';

CREATE FUNCTION compare_artifacts(artifacts bigint[])
	RETURNS TABLE (origin text, property text, "values" jsonb, is_equal boolean)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 20
BEGIN ATOMIC
	WITH model AS (
		SELECT a.* FROM mlmd.artifacts a WHERE a.id = ANY (artifacts)
	), fact (artifact, origin, property, value) AS (
		SELECT m.id, 'artifact', p.key, p.value
		FROM model m CROSS JOIN LATERAL jsonb_each(m.properties || m.custom_properties
			|| jsonb_strip_nulls(jsonb_build_object('type', m.type, 'name', m.name, 'uri', m.uri, 'state', m.state))) p
		UNION ALL
		SELECT m.id, 'execution', p.key, p.value
		FROM model m JOIN mlmd.event v ON v.artifact_id = m.id AND v.type IN (1, 4, 6, 7) JOIN mlmd.executions e ON e.id = v.execution_id
			CROSS JOIN LATERAL jsonb_each(e.properties || e.custom_properties || jsonb_build_object('type', e.type)) p
		UNION ALL
		SELECT m.id, 'metrics', p.key, p.value
		FROM model m CROSS JOIN LATERAL (
				SELECT o.artifact_id FROM mlmd.event i JOIN mlmd.event o ON o.execution_id = i.execution_id AND o.type IN (1, 4, 6, 7)
				WHERE i.artifact_id = m.id AND o.artifact_id <> m.id) o
			JOIN mlmd.artifacts x ON x.id = o.artifact_id
			CROSS JOIN LATERAL jsonb_each(x.properties || x.custom_properties) p
		WHERE x.type ILIKE '%metrics%' OR EXISTS (SELECT FROM mlmd.parenttype q JOIN mlmd.type b ON b.id = q.parent_type_id
			WHERE q.type_id = x.type_id AND b.name = 'mlmd.Metrics')
	)
	SELECT f.origin, f.property, jsonb_object_agg(f.artifact, f.value),
		count(DISTINCT f.value) = 1 AND count(DISTINCT f.artifact) = (SELECT count(*) FROM model)
	FROM fact f
	GROUP BY f.origin, f.property
	ORDER BY array_position('{artifact,execution,metrics}'::text[], f.origin), f.property;
END;
COMMENT ON FUNCTION compare_artifacts(bigint[]) IS
	'artifacts side by side, a row a property with the value that each artifact has, {"id": value}. origin artifact: its own attributes and properties; execution: the properties of what made it, such as hyperparameters; metrics: the properties of metrics (base type mlmd.Metrics, or metrics in the name of the type) that came out of the execution that made it or of one that read it. is_equal when all have the same value. STABLE';

CREATE FUNCTION lineage_diff(a bigint, b bigint)
	RETURNS TABLE (kind text, type text, id_a bigint, id_b bigint, name_a text, name_b text, status text, differences jsonb)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 20
BEGIN ATOMIC
	WITH member (side, kind, type, id, name, facts) AS (
		SELECT s.side, 'artifact', n.type, n.id, n.name,
			n.properties || n.custom_properties || jsonb_strip_nulls(jsonb_build_object('uri', n.uri, 'state', n.state))
		FROM (VALUES ('a', a), ('b', b)) s (side, context) JOIN mlmd.attribution l ON l.context_id = s.context JOIN mlmd.artifacts n ON n.id = l.artifact_id
		UNION ALL
		SELECT s.side, 'execution', n.type, n.id, n.name,
			n.properties || n.custom_properties || jsonb_strip_nulls(jsonb_build_object('state', n.state))
		FROM (VALUES ('a', a), ('b', b)) s (side, context) JOIN mlmd.association l ON l.context_id = s.context JOIN mlmd.executions n ON n.id = l.execution_id
	), shared AS (
		SELECT x.kind, x.id FROM member x JOIN member y ON y.kind = x.kind AND y.id = x.id WHERE x.side = 'a' AND y.side = 'b'
	), ranked AS (
		SELECT m.*, row_number() OVER (PARTITION BY m.side, m.kind, m.type ORDER BY m.id) AS rank
		FROM member m WHERE (m.kind, m.id) NOT IN (SELECT s.kind, s.id FROM shared s)
	), pair AS (
		SELECT m.kind, m.type, m.id AS id_a, m.id AS id_b, m.name AS name_a, m.name AS name_b, m.facts AS facts_a, m.facts AS facts_b
		FROM member m WHERE m.side = 'a' AND (m.kind, m.id) IN (SELECT s.kind, s.id FROM shared s)
		UNION ALL
		SELECT coalesce(x.kind, y.kind), coalesce(x.type, y.type), x.id, y.id, x.name, y.name, x.facts, y.facts
		FROM (SELECT * FROM ranked WHERE side = 'a') x
			FULL JOIN (SELECT * FROM ranked WHERE side = 'b') y ON y.kind = x.kind AND y.type = x.type AND y.rank = x.rank
	)
	SELECT p.kind, p.type, p.id_a, p.id_b, p.name_a, p.name_b,
		CASE WHEN p.id_b IS NULL THEN 'only in a' WHEN p.id_a IS NULL THEN 'only in b' WHEN p.id_a = p.id_b THEN 'shared'
			WHEN p.facts_a = p.facts_b THEN 'equal' ELSE 'different' END,
		CASE WHEN p.id_a <> p.id_b THEN (
			SELECT jsonb_object_agg(coalesce(f.key, g.key), jsonb_build_array(f.value, g.value))
			FROM jsonb_each(p.facts_a) f FULL JOIN jsonb_each(p.facts_b) g ON g.key = f.key WHERE f.value IS DISTINCT FROM g.value) END
	FROM pair p
	ORDER BY p.kind DESC, p.type, coalesce(p.id_a, p.id_b), p.id_b;
END;
COMMENT ON FUNCTION lineage_diff(bigint, bigint) IS
	'what differs between two contexts, such as two runs of a pipeline: their executions and artifacts side by side. A node in both is shared; others are paired by kind, type and order of ids, and differences has {"property": [in a, in b]} for what is not equal. STABLE';
