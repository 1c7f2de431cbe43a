\set SHOW_CONTEXT never
-- Functions of lineage and of the feature store must not meet what other roles put in front of pg_catalog: here every
-- operator of the common types raises an error
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_hostile_path;
CREATE DATABASE regress_hostile_path;
\c regress_hostile_path
SET client_min_messages = warning;
CREATE EXTENSION feature_meta;
CREATE SCHEMA hostile;
DO $$
DECLARE
	o record;
	types regtype[] := '{bool,int2,int4,int8,float4,float8,numeric,text,name,oid,"char",bytea,jsonb,date,timestamp,timestamptz,interval}';
BEGIN
	FOR o IN
		SELECT row_number() OVER () AS n, p.oprname AS name, p.oprleft::regtype AS l, p.oprright::regtype AS r, p.oprresult::regtype AS result
		FROM pg_operator p WHERE p.oprnamespace = 'pg_catalog'::regnamespace AND p.oprleft = ANY (types)
			AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid IN (p.oprleft, p.oprright, p.oprresult) AND t.typtype = 'p')
	LOOP
		EXECUTE format('CREATE FUNCTION hostile.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', o.n, o.l, o.r, o.result,
			format('BEGIN RAISE EXCEPTION USING MESSAGE = %L; END', format('operator %s of %s and %s was run', o.name, o.l, o.r)));
		EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.operator_%s)', o.name, o.l, o.r, o.n);
	END LOOP;
END $$;
CREATE TABLE source (k bigint, part text, ts timestamptz, known timestamptz, a int, b text);
INSERT INTO source SELECT g % 3, 'x', timestamptz '2020-01-01' + g * interval '1 hour', timestamptz '2020-01-01' + g * interval '1 hour', g, 'b' FROM generate_series(1, 9) g;
CREATE TABLE entity_rows (k bigint, part text, event_timestamp timestamptz);
INSERT INTO entity_rows VALUES (1, 'x', '2020-01-02');

SET search_path = hostile, pg_catalog, public;
SELECT 1 = 1; -- the trap works

-- lineage
SELECT public.put_artifact_type('Data', '{"i": "INT"}', base_type => 'Dataset') AS data, public.put_artifact_type('Net', base_type => 'Model') AS net,
	public.put_execution_type('Trainer', base_type => 'Train') AS trainer, public.put_context_type('Run') AS run \gset
SELECT public.put_artifact('Data', name => 'a', properties => '{"i": 1}', custom_properties => '{"c": true}', state => 'LIVE', external_id => 'x') AS a,
	public.put_context('Run', 'r') AS r \gset
SELECT public.put_artifact('Data', name => 'a', reuse => true, properties => '{"i": 2}') AS a \gset
SELECT public.put_execution('Trainer', inputs => ARRAY[:a]::bigint[], new_outputs => '[{"type": "Net", "name": "n", "event": {"path": ["k", 1]}}]',
	contexts => ARRAY[:r]::bigint[], new_contexts => '[{"type": "Run", "name": "s"}]') AS e \gset
SELECT name FROM public.get_artifacts(type => 'Net', execution => :e);
SELECT public.put_parent_context(1, 2), public.put_event(:a, :e, 'DECLARED_INPUT') IS NOT NULL AS event;
SELECT kind, name, distance FROM public.downstream(artifact => :a::bigint, boundary_artifacts => 'id = 77', event_types => '{INPUT,OUTPUT}');
SELECT count(*) FROM public.artifacts('type = ''Data'' AND properties.i.int_value + 1 >= 3 AND contexts_0.name LIKE ''r%'' OR lower(name) IN (''a'', ''b'')', order_by => 'update_time desc', page_size => 5);
SELECT public.lineage_subgraph('name = ''a''', ending_executions => 'id = 77') AS graph \gset
SELECT kind, name FROM public.nodes(:'graph');
SELECT count(*) FROM public.topological_order(:'graph'::public.lineage_graph), public.to_openlineage(:'graph');
SELECT (SELECT count(*) FROM public.lineage_path(:a, 2)), (SELECT count(*) FROM public.common_ancestors(2, 2)), (SELECT count(*) FROM public.impact(artifact => :a::bigint)),
	(SELECT count(*) FROM public.transformations(2)), (SELECT count(*) FROM public.models_trained_on(:a)), (SELECT count(*) FROM public.compare_artifacts(ARRAY[1, 2]::bigint[])),
	(SELECT count(*) FROM public.lineage_diff(1, 2)), (SELECT count(*) FROM public.get_artifact_history(:a)), (SELECT count(*) FROM public.mlmd_check()) IS NOT NULL, public.has_cycle();
SELECT count(*) FROM public.artifacts_as_of('infinity'), public.executions_as_of('infinity'), public.contexts_as_of('infinity'), public.events_as_of('infinity');
SELECT execution_ids FROM public.put_lineage_subgraph(:'graph'::public.lineage_graph, reuse => true);

-- features
SELECT public.create_entity('e', '{k,part}'), public.create_feature_view('v', 'public.source', '{e}', 'ts', 'known', '10 days', schema => 'feature { name: "a" type: INT }'),
	public.create_feature_service('s', '{v:a,v@1:b}'), public.enable_online('v', history => true, trigger => true);
SELECT public.materialize('v'), public.materialize_incremental('s'), public.put_features('v', '{"k": 1, "part": "x"}', '{"a": 7}', '2020-01-01 12:00');
INSERT INTO public.source VALUES (5, 'x', '2020-01-01', '2020-01-01', 1, 'b');
SELECT feature_values FROM public.get_online_features('s', '{"k": [1, 5], "part": ["x", "x"]}');
SELECT feature_values FROM public.get_features_at('s', '{"k": 1, "part": "x"}', '2020-01-01 12:00');
SELECT * FROM public.historical_features('public.entity_rows', '{v:a}') AS t(k bigint, part text, event_timestamp timestamptz, a int);
SET feature_meta.join_method = 'index';
SELECT * FROM public.historical_features('public.entity_rows', '{v:a}') AS t(k bigint, part text, event_timestamp timestamptz, a int);
SELECT count(*) FROM public.latest_features('v') AS t(k bigint, part text, ts timestamptz, known timestamptz, a int, b text);
RESET feature_meta.join_method;
SELECT count(*) FROM public.feature_rows('v') AS t(k bigint, part text, ts timestamptz, known timestamptz, a int, b text);
CALL public.create_training_set('public.trained', 'public.entity_rows', '{v:a}');
SELECT count(*) FROM public.training_serving_skew('public.trained', 'v');
SELECT (SELECT count(*) FROM public.feature_view_health()), (SELECT count(*) FROM public.feature_catalog('a', entity => 'e', type => 'int4')),
	(SELECT count(*) FROM public.online_at('v', '{"k": 1, "part": "x"}', 'infinity'));
SELECT public.alter_feature_view('v', on_invalid => 'quarantine'), public.rename_feature_view('v', 'w'), public.drop_training_set('public.trained');
SELECT public.drop_feature_service('s'), public.drop_feature_view('w'), public.drop_entity('e');
SELECT * FROM public.purge('infinity');
RESET search_path;

\c :regression
DROP DATABASE regress_hostile_path;
