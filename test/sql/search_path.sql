-- What is generated finds its own operators and functions, whatever lies in front of pg_catalog
CREATE SCHEMA hostile;
DO $$
DECLARE
	o record;
BEGIN
	FOR o IN SELECT oprname AS name, oprleft::regtype::text AS a, oprright::regtype::text AS b FROM pg_operator
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprresult = 'boolean'::regtype AND oprleft <> 0
			AND oprname IN ('=', '<>', '<', '>', '<=', '>=') AND oprleft::regtype::text NOT LIKE 'any%'
	LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION hostile.compare(%s, %s) RETURNS boolean LANGUAGE plpgsql AS
			$f$BEGIN RAISE ''a hostile operator was called''; END$f$', o.a, o.b);
		EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.compare)', o.name, o.a, o.b);
	END LOOP;
END $$;
CREATE TABLE victim (id int, at timestamptz, amount float8, kind text, ok boolean, whole jsonb);
INSERT INTO victim SELECT i, '2026-11-01 00:00+00'::timestamptz + i * interval '1 hour', i % 7, 'k' || i % 3, i % 2 = 0,
	jsonb_build_object('index', jsonb_build_array(1, 2), 'value', i) FROM generate_series(1, 100) i;
SET search_path = hostile, pg_catalog, public;
SELECT 1 = 1;
SELECT public.generate_statistics('public.victim', slice_functions => '[{"kind": null}]', label_feature => 'kind', cross_features => true,
	mutual_information => true, enable_semantic_domain_stats => true, weight_feature => 'id', filter => 'ok',
	schema => 'feature { name: "kind" type: BYTES domain: "kind" value_count { min: 1 max: 1 } } feature { name: "amount" type: FLOAT value_count { min: 1 max: 1 } } string_domain { name: "kind" value: "k0" value: "k1" value: "k2" }
		sparse_feature { name: "sparse" index_feature { name: "index" } value_feature { name: "value" } }
		feature { name: "whole" type: STRUCT struct_domain { feature { name: "index" } feature { name: "value" }
			sparse_feature { name: "sparse" index_feature { name: "index" } value_feature { name: "value" } } } }') IS NOT NULL AS described;
SELECT public.generate_statistics('public.victim', slice_sqls => '{"SELECT ok, kind"}') IS NOT NULL AS described;
SELECT public.cross_feature_statistics('public.victim') IS NOT NULL AS crossed;
SELECT public.lift_statistics('public.victim', 'kind', x_paths => '{ok}') IS NOT NULL AS lifted;
SELECT public.record_statistics('public.victim', '2026-11-01', incremental => true);
SELECT public.recorded_statistics('public.victim', '2026-11-01') IS NOT NULL AS recorded;
SELECT pg_catalog.count(*) FROM public.drift_report('public.victim', baseline => 'ok', current => 'NOT ok');
SELECT public.create_monitor('public.victim', time_column => 'at', slices => '{kind}', thresholds => '{"l_infinity_distance": 0}', name => 'victim');
SELECT windows FROM public.run_monitor('victim', until => '2026-11-05 00:00+00');
SELECT public.drop_monitor('victim');
SELECT pg_catalog.count(*) FROM public.anomalous_rows('public.victim', public.infer_schema(public.generate_statistics('public.victim')));
SELECT pg_catalog.count(*) FROM public.feature_skew('public.victim', 'public.victim', '{id}');
RESET search_path;
DELETE FROM feature_meta.recorded_statistics WHERE relation = 'victim'::regclass;
DELETE FROM feature_meta.recorded_partition WHERE relation = 'victim'::regclass;
DROP TABLE victim;
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
