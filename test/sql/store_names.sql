-- Columns named like anything that a generated query may call its own
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT string_agg(format('%I int', n), ', ') AS columns, array_agg(n) AS names
FROM (SELECT chr(96 + i) AS n FROM generate_series(1, 26) i
	UNION ALL SELECT unnest('{rows,row,source,feature,value,schema,key,version,kind,name,entity_rows,entity,ord,o1,new,old,excluded,new_rows,features,keys,view,as_of,at}'::text[])) x \gset
CREATE TABLE n_source (id int, ts timestamptz, known timestamptz, doc jsonb, tags text[], :columns);
INSERT INTO n_source (id, ts, known, doc, tags) SELECT i, '2026-11-01', '2026-11-01', '{"a": [1]}', '{x,y}' FROM generate_series(1, 3) i;
SELECT format('UPDATE n_source SET (%s) = ROW (%s)', string_agg(quote_ident(n), ', '), string_agg('10 + id', ', ')) FROM unnest(:'names'::text[]) n \gexec

-- keys are k and t; the schema is the source's own, keys and times too
SELECT create_feature_view('n', 'n_source', '{k,t}', 'ts', 'known', schema => infer_schema(generate_statistics('n_source')));
SELECT create_feature_view('m', 'n_source', '{rows}', 'ts', features => '{f,r,o,x,s,h}');
SELECT enable_online('n', history => true), enable_online('m', trigger => true);
SELECT materialize('n'), materialize('m'), materialize_incremental('n');
UPDATE n_source SET f = 99 WHERE id = 1;
SELECT put_features('n', '{"k": 7, "t": 8}', '{"f": 3}', event_time => '2026-11-02');
SELECT alter_feature_view('n', on_invalid => 'quarantine');
SELECT put_features('n', '{"k": 7, "t": 8}', '{"f": 3, "doc": {"a": ["x"]}}', event_time => '2026-11-02');
SELECT keys, reasons -> 'f' AS f, reasons -> 'k' AS k FROM feature_meta.feature_quarantine WHERE view = 'n';
SELECT alter_feature_view('n', clear => '{schema}');
SELECT put_features('n', '{"k": 7, "t": 8}', '{"f": 3}', event_time => '2026-11-02', mode => 'online');
SELECT put_features_from('m', 'SELECT rows, ts + interval ''1 day'' AS ts, f, r, o, x FROM n_source WHERE r = 12');
SELECT entity_key, feature_values FROM get_online_features('{n:f,m:r,n:x}', '{"k": [11, 7], "t": [11, 8], "rows": [11, 12]}');
SELECT entity_key, feature_values FROM get_features_at('{n:f,m:r,n:x}', '{"k": 11, "t": 11, "rows": 12}', '2026-11-30');
SELECT entity_key, feature_values ->> 'f' AS f, feature_values ->> 'o' AS o FROM online_at('n', '{"k": [7, 12], "t": [8, 12]}', now());
SELECT * FROM historical_features('SELECT k, t, rows, r, timestamptz ''2026-11-30'' AS event_timestamp FROM n_source WHERE id < 3', '{n:f,m:x}')
	AS h(k int, t int, rows int, r int, event_timestamp timestamptz, f int, x int) ORDER BY k;
CALL create_training_set('n_set', 'SELECT k, t, rows, ts AS event_timestamp FROM n_source WHERE id < 4', '{n:f,n:a,m:x}');
SELECT row_count, sketch IS NOT NULL AS sketched FROM feature_meta.training_set WHERE name = 'n_set';
SELECT path, metric FROM training_serving_skew('n_set', 'n') ORDER BY 1, 2;
SELECT DISTINCT name, keys, problems FROM feature_view_health() ORDER BY 1;
SELECT drop_training_set('n_set'), drop_feature_view('n'), drop_feature_view('m'), drop_entity('k'), drop_entity('t'), drop_entity('rows');
DROP TABLE n_source;
