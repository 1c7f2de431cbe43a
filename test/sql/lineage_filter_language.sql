-- MLMD's filter language: what holds, what is an error and where, and that nothing of a filter becomes SQL
SET client_min_messages = warning;
SELECT put_artifact_type('Dataset', '{"rows": "INT", "split": "STRING", "ok": "BOOLEAN"}'),
	put_artifact_type('Model', '{"acc": "DOUBLE"}'), put_execution_type('Trainer', '{"lr": "DOUBLE"}'),
	put_context_type('Run', '{"note": "STRING"}'), put_context_type('Pipeline', '{}');
SELECT put_artifact(type => 'Dataset', name => 'data' || i, uri => CASE WHEN i < 4 THEN 's3://bucket/data_' || i END,
	state => (ARRAY['LIVE', 'PENDING', 'DELETED', NULL])[i],
	properties => jsonb_build_object('rows', i * 10, 'split', (ARRAY['train', 'Test', 'it''s', 'a\b'])[i]) || CASE WHEN i > 2 THEN jsonb_build_object('ok', i = 3) ELSE '{}'::jsonb END,
	custom_properties => (CASE i WHEN 1 THEN '{"my prop": "x"}' WHEN 2 THEN '{"my prop": "y", "n": 2}' END)::jsonb, external_id => 'ext' || i)
FROM generate_series(1, 4) i;
SELECT put_artifact(type => 'Model', name => 'model' || i, properties => jsonb_build_object('acc', 0.5 + i / 8.0), state => 'LIVE') FROM generate_series(1, 2) i;
SELECT put_execution('Trainer', inputs => ARRAY[i], outputs => ARRAY[4 + i], properties => jsonb_build_object('lr', 0.1 * i),
	state => (ARRAY['COMPLETE', 'FAILED'])[i]) FROM generate_series(1, 2) i;
SELECT put_context('Pipeline', 'p'), put_context('Run', 'run1', properties => '{"note": "first"}'), put_context('Run', 'run2');
SELECT put_parent_context(2, 1), put_parent_context(3, 1);
SELECT count(put_attribution(c, a)) FROM (VALUES (2, 1), (2, 5), (3, 2), (3, 6), (1, 1)) v (c, a);
SELECT count(put_association(i + 1, i)) FROM generate_series(1, 2) i;

CREATE FUNCTION found(kind text, filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ids text;
	detail text;
	hint text;
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(id ORDER BY id)::text, ''none'') FROM %Is($1)', kind) INTO ids USING filter;
	RETURN ids;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN format('%s %s / %s', SQLSTATE, SQLERRM, detail);
END
$$;

-- attributes, operators, precedence
SELECT f, found('artifact', f) FROM unnest(ARRAY[
	'id = 1', 'id != 1', 'id <> 1', '1 = id', 'id IN (1, 3)', 'id NOT IN (1, 3)', 'id BETWEEN 2 AND 4', 'id NOT BETWEEN 2 AND 4',
	'id = 1 OR id = 2 AND id = 3', '(id = 1 OR id = 2) AND NOT id = 2', 'NOT NOT id = 1', 'id + 1 * 2 = 3', 'id / 2 = 0.5', '-id = -2', 'id & 1 = 1',
	'id = 3.0', 'id > 2.5', 'id = 0x2', 'id < 9223372036854775808', 'id > -9223372036854775808', 'true', 'false', '', 'ID = 1', '`id` = 1',
	'type = ''Model''', 'type LIKE ''Data%''', 'external_id = ''ext2''', 'external_id IS NULL', 'uri IS NOT NULL',
	'name LIKE ''data_''', 'name LIKE ''DATA%''', 'name NOT LIKE ''data%''', 'uri LIKE ''%data\\_1''', 'name > ''data2''', 'name BETWEEN ''data2'' AND ''data3''',
	'name = "data1"', 'name = r''data1''', 'name = ''''''data1''''''', 'name = ''data\x31''', 'name = ''data\u0031'' -- comment', 'id = 1 # comment',
	'id = /* comment */ 1', 'create_time_since_epoch > 0 AND last_update_time_since_epoch <= 9e18', 'id IN (1, NULL)', 'id NOT IN (1, NULL)',
	'(id = 1) = true', '(id = 1) IS TRUE', '(uri = ''x'') IS NULL', 'UPPER(name) = ''DATA1''', 'LENGTH(name) = 6', 'name || ''x'' = ''data1x''',
	'CASE WHEN id = 1 THEN true ELSE false END', 'CAST(id AS STRING) = ''2''', 'COALESCE(uri, ''none'') = ''none''', 'MOD(id, 3) = 0', 'SUBSTR(name, -1) = ''2''']) f;

-- states: != and NOT IN hold where there is none
SELECT f, found('artifact', f) FROM unnest(ARRAY['state = LIVE', 'state != LIVE', 'state IN (LIVE, PENDING)', 'state NOT IN (LIVE)', 'state not in (LIVE, PENDING)',
	'state IS NULL', 'state > 1', 'NOT state = LIVE', '2 = state']) f;
SELECT f, found('execution', f) FROM unnest(ARRAY['last_known_state = COMPLETE', 'last_known_state != COMPLETE', 'last_known_state IN (NEW, FAILED)']) f;

-- properties: a node without it is not found, whatever is said of it
SELECT f, found('artifact', f) FROM unnest(ARRAY['properties.rows.int_value > 10', 'NOT (properties.rows.int_value > 10)', 'properties.rows.int_value > 10 OR id = 5',
	'properties.acc.double_value >= 0.75', 'properties.acc.double_value = 0.75 OR properties.acc.double_value = 1', 'properties.ok.bool_value', 'NOT properties.ok.bool_value',
	'properties.rows.double_value IS NULL', 'properties.none.int_value IS NULL', 'custom_properties.`my prop`.string_value = ''y''',
	'custom_properties.`my prop`.string_value != ''y''', 'custom_properties.n.int_value = 2 AND properties.rows.int_value = 20',
	'properties.split.string_value = ''it\''s''', 'properties.split.string_value = "it''s"', 'properties.split.string_value = ''a\\b''', 'properties.split.string_value = r"a\b"']) f;

-- neighbours: one alias is one row, two may be different ones
SELECT f, found('artifact', f) FROM unnest(ARRAY['contexts_a.name = ''run1''', 'contexts_a.type = ''Run'' AND contexts_b.type = ''Pipeline''',
	'contexts_a.type = ''Run'' AND contexts_a.type = ''Pipeline''', 'contexts_a.name = ''run1'' OR contexts_b.name = ''p''', 'NOT contexts_a.name = ''run1''', 'contexts_a.id IN (1, 3)',
	'events_0.type = INPUT', 'events_0.type = OUTPUT', 'events_0.type != INPUT', 'events_0.type IN (INPUT, OUTPUT)', 'events_0.execution_id = 1', 'events_x.execution_id = 1 AND events_x.type = OUTPUT',
	'events_0.milliseconds_since_epoch > 0 AND type = ''Model'' AND contexts_c.create_time_since_epoch > 0 AND properties.acc.double_value > 0.7']) f;
SELECT f, found('execution', f) FROM unnest(ARRAY['events_0.artifact_id = 1', 'events_0.artifact_id = 1 AND events_0.type = OUTPUT', 'contexts_a.name = ''run2''', 'properties.lr.double_value > 0.1',
	'type = ''Trainer'' AND id = 1']) f;
SELECT f, found('context', f) FROM unnest(ARRAY['name = ''p''', 'type = ''Run''', 'artifacts_a.id = 1', 'artifacts_a.name = ''data2''', 'artifacts_a.type = ''Model'' AND artifacts_b.type = ''Dataset''',
	'artifacts_a.state = LIVE', 'artifacts_a.state != LIVE', 'artifacts_a.external_id = ''ext2''', 'artifacts_a.uri LIKE ''s3:%''', 'executions_a.last_known_state = FAILED', 'executions_a.type = ''Trainer''',
	'parent_contexts_a.name = ''p''', 'parent_contexts_a.type = ''Pipeline'' AND id = 3', 'child_contexts_a.name = ''run1'' AND child_contexts_b.name = ''run2''', 'child_contexts_a.id = 2',
	'properties.note.string_value = ''first''']) f;

-- what is not a filter
SELECT k, f, found(k, f) FROM (VALUES
	('artifact', 'id == 1'), ('artifact', 'id = '), ('artifact', 'id'), ('artifact', '1'), ('artifact', '''a'''), ('artifact', 'NULL'), ('artifact', '   '), ('artifact', 'foo = 1'),
	('artifact', 'id = foo'), ('artifact', 'id = ''1'''), ('artifact', 'name = 1'), ('artifact', 'name = true'), ('artifact', 'id = NULL'), ('artifact', 'NOT NULL'), ('artifact', 'id AND true'),
	('artifact', 'id = 1 AND'), ('artifact', '(id = 1'), ('artifact', 'id = 1)'), ('artifact', 'id = 1;'), ('artifact', 'id = 1 id = 2'), ('artifact', '1 < id < 3'), ('artifact', 'id IN ()'),
	('artifact', 'id IN (1,)'), ('artifact', 'id IN 1'), ('artifact', 'id IN (''a'')'), ('artifact', 'id BETWEEN 1'), ('artifact', 'id LIKE ''a'''), ('artifact', 'name LIKE 1'), ('artifact', 'id IS 1'),
	('artifact', 'id IS TRUE'), ('artifact', 'id % 2 = 0'), ('artifact', 'id && 1'), ('artifact', '! id = 1'), ('artifact', 'id = 99999999999999999999'), ('artifact', 'id = 1a'), ('artifact', 'name = ''a'),
	('artifact', 'name = ''\q'''), ('artifact', 'name = ''\uD800'''), ('artifact', 'name = ''\x00'''), ('artifact', 'name = ''\xff'''), ('artifact', 'name = b''x'''), ('artifact', 'id = 1 /* open'),
	('artifact', 'id = $1'), ('artifact', 'id = @p'), ('artifact', 'id = ?'), ('artifact', 'select = 1'), ('artifact', 'id IN (SELECT 1)'), ('artifact', 'EXISTS (SELECT 1)'), ('artifact', 'pg_sleep(1) IS NULL'),
	('artifact', 'COUNT(*) > 1'), ('artifact', 'n.id = 1'), ('artifact', 'mlmd.artifact.id = 1'), ('artifact', 'state = ''LIVE'''), ('artifact', 'state = 2'), ('artifact', 'state = RUNNING'),
	('artifact', 'state = live'), ('artifact', 'state IN LIVE'), ('artifact', 'state IN (LIVE, 2)'), ('artifact', 'state = ABANDONED'), ('artifact', 'last_known_state = RUNNING'),
	('execution', 'state = LIVE'), ('execution', 'uri = ''a'''), ('execution', 'events_0.execution_id = 1'), ('artifact', 'events_0.artifact_id = 1'), ('artifact', 'events_0.type = PENDING_OUTPUT'),
	('artifact', 'events_0.type = 3'), ('artifact', 'events_0'), ('artifact', 'contexts_a'), ('artifact', 'contexts_a.foo = 1'), ('artifact', 'contexts_a.id.x = 1'), ('artifact', 'contexts_a.id.'),
	('artifact', 'contexts_a.external_id = ''x'''), ('artifact', 'contexts_.id = 1'), ('artifact', 'contexts_A.id = 1 AND contexts_a.id = 1'), ('context', 'contexts_a.id = 1'), ('context', 'events_0.artifact_id = 1'),
	('context', 'state = LIVE'), ('artifact', 'artifacts_a.id = 1'), ('artifact', 'parent_contexts_a.id = 1'), ('artifact', 'properties'), ('artifact', 'properties.rows'), ('artifact', 'properties.rows = 1'),
	('artifact', 'properties.rows.value = 1'), ('artifact', 'properties.rows.'), ('artifact', 'properties.a-b.int_value = 1'), ('artifact', 'properties.``.int_value = 1'), ('artifact', 'custom_properties.my prop.string_value = ''y'''),
	('artifact', 'properties.rows.int_value = ''10'''), ('artifact', 'properties.ok.bool_value = 1'), ('artifact', E'id = 1 AND\n  foo = 2'), ('artifact', 'ABS(name) = 1'), ('artifact', 'ABS() = 1')) v (k, f);
\set VERBOSITY default
SELECT * FROM artifacts('stat = LIVE');
SELECT * FROM contexts('name = ''a'' AND nam = ''b''');
SELECT * FROM artifacts('state = LIFE');

-- bounds
SELECT found('artifact', repeat('(', 1000) || 'id = 1' || repeat(')', 1000));
SELECT found('artifact', repeat('NOT ', 1000) || 'id = 1');
SELECT found('artifact', repeat('- ', 1000) || 'id = 1');
SELECT found('artifact', 'id = 1' || repeat(' OR id = 1', 50000));
SELECT found('artifact', 'id' || repeat(' + 1', 1000) || ' = 1');
SELECT found('artifact', 'id = 1 ' || repeat('x', 1100000));
SELECT found('artifact', string_agg('properties.p' || i || '.int_value = 1', ' OR ')) FROM generate_series(1, 65) i;
SELECT found('artifact', 'id IN (' || string_agg(i::text, ',') || ')') FROM generate_series(1, 70000) i;

-- injection: through every string and every name
SELECT found('artifact', f) FROM unnest(ARRAY['name = ''x\''; DROP TABLE mlmd.artifact; --''', 'name = "x''; DROP TABLE mlmd.artifact; --"', 'properties.`x'' OR true --`.int_value = 1',
	'properties.`x\"; --`.int_value = 1', 'name LIKE ''%\'' OR true --''', 'name = ''$1''', 'name IN (''a\'')) OR (true'')', 'CAST(name AS STRING) = ''\\\''; --''']) f;
SELECT count(*) FROM mlmd.artifact;

-- order and pages
SELECT array_agg(id) FROM artifacts(order_by => 'id desc', page_size => 2);
SELECT array_agg(id) FROM artifacts(order_by => 'id', page_size => 2, page => 2);
SELECT array_agg(id) FROM artifacts(order_by => 'id desc', page_size => 2, after => 5);
SELECT array_agg(id) FROM artifacts('id > 2', order_by => 'create_time', page_size => 10);
SELECT array_agg(id) FROM artifacts(order_by => 'update_time DESC', page_size => 1, after => 6);
SELECT array_agg(id) FROM artifacts(order_by => 'name');
SELECT array_agg(id) FROM artifacts(order_by => 'id; DROP TABLE x');
SELECT array_agg(id) FROM artifacts(page_size => 0);
SELECT array_agg(id) FROM artifacts(page => 0);
SELECT id, type, name, uri, state, properties, custom_properties, external_id FROM artifacts('id = 2');
SELECT id, type, name, state, properties FROM executions('id = 1');
SELECT id, type, name, properties FROM contexts('id = 2');

-- under the caller's rights
CREATE ROLE regress_lineage_reader;
SET ROLE regress_lineage_reader;
-- which of the views is named first differs between majors
\set VERBOSITY sqlstate
SELECT count(*) FROM artifacts('id = 1');
\set VERBOSITY default
RESET ROLE;
GRANT USAGE ON SCHEMA mlmd TO regress_lineage_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA mlmd TO regress_lineage_reader;
ALTER TABLE mlmd.artifact ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON mlmd.artifact USING (id % 2 = 1);
SET ROLE regress_lineage_reader;
SET search_path = '';
SELECT array_agg(id) FROM public.artifacts('id > 0');
SELECT array_agg(id ORDER BY id) FROM public.upstream(artifact => 5) WHERE kind = 'artifact';
SELECT array_agg(id ORDER BY id) FROM public.upstream(artifact => 6);
RESET search_path;
RESET ROLE;
DROP POLICY odd ON mlmd.artifact;
ALTER TABLE mlmd.artifact DISABLE ROW LEVEL SECURITY;
DROP OWNED BY regress_lineage_reader;
DROP ROLE regress_lineage_reader;
DROP FUNCTION found(text, text);
TRUNCATE mlmd.artifact, mlmd.execution, mlmd.context RESTART IDENTITY CASCADE;
DELETE FROM mlmd.type WHERE id > 9;
ALTER TABLE mlmd.type ALTER COLUMN id RESTART WITH 10;
