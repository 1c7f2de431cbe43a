-- Point-in-time joins against a plain reference, on random rows: every rule of historical_features at once.
SET TimeZone = 'America/New_York'; -- nothing may depend on it
SELECT setseed(0.4);
CREATE TABLE s_source AS
SELECT (random() * 30)::int::bigint AS driver_id, (random() * 3)::int::smallint AS region,
	timestamptz '2024-03-09 00:00+00' + (random() * 200)::int * interval '30 minutes' AS event_timestamp,
	CASE WHEN random() < 0.9 THEN timestamptz '2024-03-09 00:00+00' + (random() * 240)::int * interval '30 minutes' END AS created,
	CASE WHEN random() < 0.9 THEN (random() * 10)::int END AS trips,
	CASE WHEN random() < 0.8 THEN (random() * 5)::int::text || repeat('x', (random() * 300)::int) END AS note
FROM generate_series(1, 1000);
INSERT INTO s_source VALUES (NULL, 1, '2024-03-09', NULL, 1, 'no key'), (1, NULL, '2024-03-09', NULL, 1, 'no key'), (1, 1, NULL, NULL, 1, 'no time');
CREATE TABLE s_orders AS
SELECT i AS order_id, CASE WHEN random() < 0.97 THEN (random() * 33)::int END AS driver_id, (random() * 3)::int AS region,
	CASE WHEN random() < 0.98 THEN timestamptz '2024-03-09 00:00+00' + (random() * 230)::int * interval '30 minutes' END AS event_timestamp
FROM generate_series(1, 600) i;
INSERT INTO s_orders SELECT 2000 + order_id, driver_id, region, event_timestamp FROM s_orders WHERE order_id % 10 = 0;

SELECT create_entity('driver', '{driver_id}', description => 'who drives');
SELECT create_entity('region');
SELECT create_feature_view('all_times', 's_source', '{driver}', 'event_timestamp', features => '{trips,note}');
SELECT create_feature_view('known', 's_source', '{driver,region}', 'event_timestamp', created_time => 'created', ttl => '1 day 1 hour', features => '{trips,note}');

-- the same by SQL alone
CREATE FUNCTION reference(with_created boolean, with_region boolean, ttl interval, known_at boolean, cutoff timestamptz)
RETURNS TABLE (order_id int, trips int, note text, status text) LANGUAGE sql AS $$
	SELECT o.order_id, CASE WHEN fresh THEN s.trips END, CASE WHEN fresh THEN s.note END,
		CASE WHEN s.event_timestamp IS NULL THEN 'NOT_FOUND' WHEN fresh THEN 'PRESENT' ELSE 'OUTSIDE_MAX_AGE' END
	FROM s_orders o
	LEFT JOIN LATERAL (
		SELECT s.* FROM s_source s
		WHERE s.driver_id = o.driver_id AND (NOT with_region OR s.region = o.region) AND s.event_timestamp <= o.event_timestamp
			AND (NOT known_at OR NOT with_created OR s.created IS NULL OR s.created <= o.event_timestamp)
			AND (cutoff IS NULL OR (CASE WHEN with_created THEN coalesce(s.created, s.event_timestamp) ELSE s.event_timestamp END) <= cutoff)
		ORDER BY s.event_timestamp DESC, CASE WHEN with_created THEN s.created END DESC NULLS LAST, s.trips DESC NULLS LAST, s.note DESC NULLS LAST
		LIMIT 1) s ON true
	CROSS JOIN LATERAL (SELECT ttl IS NULL OR (s.event_timestamp AT TIME ZONE 'UTC') >= (o.event_timestamp AT TIME ZONE 'UTC') - ttl AS fresh) f
$$;
CREATE FUNCTION compare(method text, memory text, view text, known_at boolean, cutoff timestamptz)
RETURNS TABLE (rows bigint, present bigint, expired bigint, missing bigint, in_order boolean, differences bigint) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('feature_meta.join_method', method, true), set_config('work_mem', memory, true);
	RETURN QUERY EXECUTE format('
		WITH ours AS MATERIALIZED (
			SELECT row_number() OVER () AS n, t.* FROM historical_features(''s_orders'', %L, filter_by_created_timestamp => %L, as_of => %L, with_status => true)
				AS t(order_id int, driver_id int, region int, event_timestamp timestamptz, trips int, note text, event timestamptz, status text)),
		place AS (SELECT o.order_id, row_number() OVER () AS n FROM s_orders o),
		theirs AS (SELECT * FROM reference(%L, %L, %L, %L, %L))
		SELECT count(*), count(*) FILTER (WHERE o.status = ''PRESENT''), count(*) FILTER (WHERE o.status = ''OUTSIDE_MAX_AGE''), count(*) FILTER (WHERE o.status = ''NOT_FOUND''),
			bool_and(o.n = p.n), count(*) FILTER (WHERE (o.trips, o.note, o.status) IS DISTINCT FROM (r.trips, r.note, r.status))
		FROM ours o JOIN theirs r USING (order_id) JOIN place p USING (order_id)',
		ARRAY[view || ':trips', view || ':note'], known_at, cutoff,
		view = 'known', view = 'known', CASE view WHEN 'known' THEN interval '1 day 1 hour' END, known_at, cutoff);
END $$;
SELECT method, memory, view, known_at, cutoff, c.*
FROM (VALUES ('scan', '4MB'), ('index', '4MB'), ('scan', '64kB'), ('auto', '4MB')) m(method, memory),
	(VALUES ('all_times'), ('known')) v(view), (VALUES (true), (false)) k(known_at), (VALUES (NULL::timestamptz), ('2024-03-11 05:00+00')) t(cutoff),
	LATERAL compare(method, memory, view, known_at, cutoff) c
ORDER BY 3, 4, 5, 1, 2;

-- An index changes nothing but the way
CREATE INDEX ON s_source (driver_id, event_timestamp);
ANALYZE s_source;
SELECT differences FROM compare('index', '4MB', 'known', true, NULL);

-- The newest row of every key
CREATE FUNCTION compare_latest(method text, memory text) RETURNS TABLE (keys bigint, differences bigint) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('feature_meta.join_method', method, true), set_config('work_mem', memory, true);
	RETURN QUERY
	SELECT count(*), count(*) FILTER (WHERE (o.event_timestamp, o.created, o.trips, o.note) IS DISTINCT FROM (r.event_timestamp, r.created, r.trips, r.note))
	FROM latest_features('known', '2024-03-10 00:00+00', '2024-03-12 00:00+00', as_of => '2024-03-12 05:00+00')
		AS o(driver_id bigint, region smallint, event_timestamp timestamptz, created timestamptz, trips int, note text)
	FULL JOIN (SELECT DISTINCT ON (driver_id, region) * FROM s_source
			   WHERE event_timestamp BETWEEN '2024-03-10 00:00+00' AND '2024-03-12 00:00+00' AND coalesce(created, event_timestamp) <= '2024-03-12 05:00+00'
				AND driver_id IS NOT NULL AND region IS NOT NULL
			   ORDER BY driver_id, region, event_timestamp DESC, created DESC NULLS LAST, trips DESC NULLS LAST, note DESC NULLS LAST) r USING (driver_id, region);
END $$;
SELECT method, memory, c.* FROM (VALUES ('scan', '4MB'), ('scan', '64kB'), ('index', '4MB')) m(method, memory), compare_latest(method, memory) c;
SELECT latest_features_columns('known@1');

-- Keys of other types: text, two columns that glued together would collide, dates and times without zone (they are in UTC)
CREATE TABLE s_glued (a int, b int, day date, seen timestamp, value text);
INSERT INTO s_glued VALUES (1, 11, '2024-01-01', '2024-01-01 01:00', 'one'), (11, 1, '2024-01-01', '2024-01-01 02:00', 'eleven');
SELECT create_feature_view('glued', 's_glued', '{a,b}', 'day', 'seen', features => '{value}');
SELECT * FROM historical_features($$SELECT * FROM (VALUES (1, 11, timestamptz '2024-01-01 01:00+00'), (1, 11, '2024-01-01 00:59+00'), (11, 1, '2024-01-01 03:00+00'), (1, 1, '2024-01-02 00:00+00')) v(a, b, event_timestamp)$$, '{glued:value}')
	AS t(a int, b int, event_timestamp timestamptz, value text);
CREATE TABLE s_text (k varchar(10), at timestamptz, v numeric);
INSERT INTO s_text VALUES ('ä', '2024-01-01', 1.50), ('a', '2024-01-01', 2);
SELECT create_feature_view('by_text', 's_text', '{k}', 'at');
SELECT * FROM historical_features($$SELECT 'ä'::text AS k, timestamptz '2024-02-01' AS at$$, '{by_text:v}', event_time => 'at') AS t(k text, at timestamptz, v numeric);

-- A plain table's rows are read in place, those of a view by a query: the same answers, whatever the tuples look like
CREATE TABLE s_place (gone text, who text, seen date, event_timestamp timestamp, small smallint, flag boolean, exact numeric, wide text, kind "char", near real);
INSERT INTO s_place SELECT 'x', 'driver ' || (random() * 8)::int, date '2024-01-01' + (random() * 20)::int, timestamp '2024-01-01' + (random() * 500)::int * interval '1 hour',
	(random() * 9)::int, random() < 0.5, CASE WHEN random() < 0.8 THEN random()::numeric END, repeat(md5(random()::text), (random() * 300)::int), 'k', random()
FROM generate_series(1, 300);
ALTER TABLE s_place DROP COLUMN gone, ADD COLUMN region int DEFAULT 7, ADD COLUMN added bigint; -- the first rows do not have these
INSERT INTO s_place SELECT 'driver ' || (random() * 8)::int, CASE WHEN random() < 0.7 THEN date '2024-01-01' + (random() * 20)::int END, timestamp '2024-01-01' + (random() * 500)::int * interval '1 hour',
	(random() * 9)::int, NULL, random()::numeric, NULL, 'l', random(), (random() * 3)::int + 5, (random() * 1000)::int FROM generate_series(1, 300);
INSERT INTO s_place (who, seen, event_timestamp, region) VALUES ('driver 1', '-infinity', '-infinity', 7), ('driver 2', '2024-01-02', 'infinity', 7), ('driver 3', 'infinity', '2024-01-02', 7), (NULL, NULL, NULL, 7), (repeat('driver', 10000), NULL, '2024-01-05', 7);
CREATE TABLE s_place_orders AS
SELECT CASE i % 40 WHEN 39 THEN repeat('driver', 10000) ELSE 'driver ' || i % 10 END AS who, i % 10 AS region, timestamp '2024-01-02' + i * interval '53 minutes' AS event_timestamp
FROM generate_series(1, 500) i;
CREATE VIEW s_place_view AS SELECT * FROM s_place;
SELECT create_feature_view('place_' || kind || '_' || keys, CASE kind WHEN 'table' THEN 's_place' ELSE 's_place_view' END, CASE keys WHEN 'text' THEN '{who}'::text[] ELSE '{region}' END,
	'event_timestamp', created_time => 'seen', ttl => '5 days', features => '{small,flag,exact,wide,kind,near,added}')
FROM (VALUES ('table'), ('view')) k(kind), (VALUES ('text'), ('int')) y(keys);
CREATE FUNCTION place(kind text, keys text, memory text) RETURNS TABLE (n bigint, present bigint, all_rows text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('feature_meta.join_method', 'scan', true), set_config('work_mem', memory, true);
	RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE status = ''PRESENT''), md5(string_agg(t::text, '','' ORDER BY t::text)) FROM historical_features(
		''s_place_orders'',
		%L, with_status => true) AS t(who text, region int, event_timestamp timestamp, small smallint, flag boolean, exact numeric, wide text, kind "char", near real, added bigint, event timestamptz, status text)',
		ARRAY['place_' || kind || '_' || keys || ':*']);
END $$;
SELECT keys, memory, t.n, t.present, t.all_rows = v.all_rows AS same
FROM (VALUES ('text'), ('int')) y(keys), (VALUES ('4MB'), ('64kB')) m(memory), place('table', keys, memory) t, place('view', keys, memory) v ORDER BY 1, 2;
SELECT count(*) AS keys, count(*) FILTER (WHERE a IS DISTINCT FROM b) AS differences
FROM latest_features('place_table_text') AS a(who text, event_timestamp timestamptz, seen timestamptz, small smallint, flag boolean, exact numeric, wide text, kind "char", near real, added bigint)
FULL JOIN latest_features('place_view_text') AS b(who text, event_timestamp timestamptz, seen timestamptz, small smallint, flag boolean, exact numeric, wide text, kind "char", near real, added bigint) USING (who);

-- A generated column is read as the executor computes it: since 18 it may be in no tuple
DO $$BEGIN
	EXECUTE 'CREATE TABLE s_made (driver_id int, event_timestamp timestamptz, trips int, twice int GENERATED ALWAYS AS (trips * 2) '
		|| CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END || ')';
END$$;
INSERT INTO s_made SELECT g, '2024-01-01', g FROM generate_series(1, 20) g;
SELECT create_feature_view('made', 's_made', '{driver_id}', 'event_timestamp');
SET feature_meta.join_method = scan;
SELECT count(*), bool_and(twice = 2 * driver_id) AS right FROM historical_features('SELECT driver_id, now() AS event_timestamp FROM s_made', '{made:twice}') AS t(driver_id int, event_timestamp timestamptz, twice int);
SET feature_meta.join_method = index;
SELECT count(*), bool_and(twice = 2 * driver_id) AS right FROM historical_features('SELECT driver_id, now() AS event_timestamp FROM s_made', '{made:twice}') AS t(driver_id int, event_timestamp timestamptz, twice int);
RESET feature_meta.join_method;
SELECT count(*), bool_and(twice = 2 * driver_id) AS right FROM latest_features('made') AS t(driver_id int, event_timestamp timestamptz, trips int, twice int);
SELECT enable_online('made', trigger => true);
SELECT materialize('made');
INSERT INTO s_made VALUES (21, '2024-01-01', 21);
SELECT count(*), bool_and(twice = 2 * driver_id) AS right FROM made_online;

-- More entity rows than fit into memory go through files, by partitions of the keys: the same answers in the same order for one key or
-- two, of other types on the two sides, in one call; for a key that has most of the rows; for values that are wider than was thought
CREATE FUNCTION s_list(n int) RETURNS int[] LANGUAGE plpgsql STRICT AS $$DECLARE a int[] := '{}'; BEGIN FOR i IN 1 .. n LOOP a[i] := n; END LOOP; RETURN a; END$$;
CREATE TABLE s_many AS
SELECT ('x' || md5((random() * 300)::int::text) || repeat('y', (random() * 30)::int % 2))::varchar AS who, (random() * 300)::int AS driver_id,
	timestamptz '2024-01-01 00:00+00' + (random() * 500)::int * interval '1 hour' AS event_timestamp,
	CASE WHEN random() < 0.8 THEN timestamptz '2024-01-01 00:00+00' + (random() * 600)::int * interval '1 hour' END AS created,
	(random() * 3)::int AS trips, CASE WHEN random() < 0.9 THEN repeat('n', (random() * 900)::int) END AS note
FROM generate_series(1, 3000);
UPDATE s_many SET who = repeat('who', 800), note = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i) WHERE driver_id = 7;
CREATE VIEW s_many_view AS SELECT *, public.s_list(driver_id % 20) AS list, repeat(note, 3) AS wide FROM s_many;
CREATE TABLE s_many_orders AS
SELECT i AS order_id, CASE WHEN random() < 0.99 THEN CASE WHEN i % 3 = 0 THEN 7 ELSE (random() * 330)::int END END::bigint AS driver_id, NULL::text AS who,
	CASE WHEN random() < 0.99 THEN timestamptz '2024-01-01 00:00+00' + (random() * 600)::int * interval '1 hour' END AS event_timestamp
FROM generate_series(1, 4000) i;
UPDATE s_many_orders o SET who = (SELECT m.who FROM s_many m WHERE m.driver_id = o.driver_id ORDER BY m.created, m.who LIMIT 1);
INSERT INTO s_many_orders SELECT order_id + 10000, driver_id, who, event_timestamp FROM s_many_orders WHERE order_id % 5 = 0;
CREATE INDEX ON s_many (driver_id, event_timestamp);
ANALYZE s_many;
SELECT create_feature_view('many', 's_many', '{driver_id}', 'event_timestamp', created_time => 'created', ttl => '2 days', features => '{trips,note}');
SELECT create_feature_view('many_pairs', 's_many_view', '{who,driver_id}', 'event_timestamp', created_time => 'created', features => '{trips,list,wide}');
CREATE FUNCTION many(method text, memory text) RETURNS TABLE (n bigint, "row" text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('feature_meta.join_method', method, true), set_config('work_mem', memory, true);
	RETURN QUERY SELECT row_number() OVER (), md5(t::text) FROM historical_features('s_many_orders', '{many:*,many_pairs:*}', full_feature_names => true, with_status => true)
		AS t(order_id int, driver_id bigint, who text, event_timestamp timestamptz, many__trips int, many__note text, many_pairs__trips int, many_pairs__list int[], many_pairs__wide text,
			many_event timestamptz, many_status text, many_pairs_event timestamptz, many_pairs_status text);
END $$;
CREATE TABLE s_many_reference AS
SELECT row_number() OVER () AS n, md5((o.*, CASE WHEN a.fresh THEN a.trips END, CASE WHEN a.fresh THEN a.note END, p.trips, public.s_list(p.driver_id % 20), repeat(p.note, 3),
	a.event_timestamp, CASE WHEN a.event_timestamp IS NULL THEN 'NOT_FOUND' WHEN a.fresh THEN 'PRESENT' ELSE 'OUTSIDE_MAX_AGE' END,
	p.event_timestamp, CASE WHEN p.event_timestamp IS NULL THEN 'NOT_FOUND' ELSE 'PRESENT' END)::text) AS "row"
FROM (SELECT order_id, driver_id, who, event_timestamp FROM s_many_orders) o
LEFT JOIN LATERAL (SELECT s.*, s.event_timestamp >= o.event_timestamp - interval '48 hours' AS fresh FROM s_many s
	WHERE s.driver_id = o.driver_id AND s.event_timestamp <= o.event_timestamp AND (s.created <= o.event_timestamp OR s.created IS NULL)
	ORDER BY s.event_timestamp DESC, s.created DESC NULLS LAST, s.trips DESC NULLS LAST, s.note DESC NULLS LAST LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT s.* FROM s_many s
	WHERE s.driver_id = o.driver_id AND s.who = o.who AND s.event_timestamp <= o.event_timestamp AND (s.created <= o.event_timestamp OR s.created IS NULL)
	ORDER BY s.event_timestamp DESC, s.created DESC NULLS LAST, s.trips DESC NULLS LAST, s.note DESC NULLS LAST LIMIT 1) p ON true;
SELECT method, memory, count(*) AS rows, count(*) FILTER (WHERE t."row" IS DISTINCT FROM r."row") AS differences
FROM (VALUES ('scan', '64MB'), ('scan', '1MB'), ('scan', '64kB'), ('index', '64kB'), ('auto', '256kB')) m(method, memory), many(method, memory) t JOIN s_many_reference r USING (n)
GROUP BY 1, 2 ORDER BY 1, 2;
SET hash_mem_multiplier = 1;
SELECT count(*) FILTER (WHERE t."row" IS DISTINCT FROM r."row") AS differences FROM many('scan', '64kB') t FULL JOIN s_many_reference r USING (n);
RESET hash_mem_multiplier;

-- Features or a service, as a literal, text or an array, by position or by name
SELECT create_feature_service('svc', 'known:trips'), alter_feature_service('svc', '{known:trips,known:note}');
SELECT count(DISTINCT columns) AS same FROM (VALUES (historical_features_columns('s_orders', 'svc')), (historical_features_columns('s_orders', '{svc}')), (historical_features_columns('s_orders', 'svc'::text)),
	(historical_features_columns('s_orders', ARRAY['svc'])), (historical_features_columns('s_orders', service => 'svc')), (historical_features_columns('s_orders', features => 'svc')),
	(historical_features_columns('s_orders', features => '{known:trips,known:note}')), (historical_features_columns('s_orders', ARRAY['known:trips', 'known:note'])), (historical_features_columns('s_orders', 'known:*'))) v(columns);
SELECT count(*) FROM historical_features('s_orders', 'svc') AS t(order_id int, driver_id int, region int, event_timestamp timestamptz, trips int, note text);
SELECT count(*) FROM historical_features('s_orders', service => 'svc') AS t(order_id int, driver_id int, region int, event_timestamp timestamptz, trips int, note text);
SELECT count(*) FROM historical_features('s_orders', features => 'known:trips', with_status => true) AS t(order_id int, driver_id int, region int, event_timestamp timestamptz, trips int, event timestamptz, status text);
CALL create_training_set('s_by_name', 's_orders', 'svc', lineage => false);
CALL create_training_set('s_by_service', labels => 's_orders', service => 'svc', lineage => false);
CALL create_training_set('s_by_array', 's_orders', ARRAY['known:trips', 'known:note'], lineage => false);
SELECT count(*), count(DISTINCT features) AS same FROM feature_meta.training_set;
SELECT drop_training_set(name) FROM feature_meta.training_set;
SELECT count(*) FROM get_features_at('svc', '{"driver_id": 1, "region": 1}', '2024-03-11') a, get_features_at(ARRAY['svc'], '{"driver_id": 1, "region": 1}', '2024-03-11') b,
	get_features_at(service => 'svc', keys => '{"driver_id": 1, "region": 1}', as_of => '2024-03-11') c;
SELECT enable_online('known');
SELECT count(*) FROM get_online_features('svc', '{"driver_id": 1, "region": 1}') a, get_online_features('{svc}', '{"driver_id": 1, "region": 1}') b, get_online_features(ARRAY['known:trips'], '{"driver_id": 1, "region": 1}') c,
	get_online_features(service => 'svc', keys => '{"driver_id": 1, "region": 1}') d;
SELECT materialize_incremental('svc') > 0 AS by_name, materialize_incremental(service => 'svc') AS by_service, materialize_incremental(view => 'known') AS by_view;
SELECT disable_online('known');

-- Wrong calls
\set SHOW_CONTEXT never
SELECT * FROM historical_features('s_orders', '{known:trips}') AS t(order_id int);
SELECT * FROM historical_features('s_orders', '{known:trip}') AS t(order_id int);
SELECT * FROM historical_features('s_orders', '{knwn:trips}') AS t(order_id int);
SELECT * FROM historical_features('s_orders', '{known@7:trips}') AS t(order_id int);
SELECT * FROM historical_features('s_orders', '{known:trips,all_times:trips}') AS t(order_id int);
SELECT * FROM historical_features('s_orders', '{known:trips}', event_time => 'nothing') AS t(order_id int);
SELECT * FROM historical_features('SELECT 1 AS x, now() AS event_timestamp', '{known:trips}') AS t(x int, event_timestamp timestamptz, trips int);
SELECT * FROM historical_features('SELECT ''1''::text AS driver_id, 1 AS region, now() AS event_timestamp', '{known:trips}') AS t(driver_id text, region int, event_timestamp timestamptz, trips int);
SELECT * FROM historical_features('DELETE FROM s_orders RETURNING *', '{known:trips}') AS t(order_id int);
SELECT * FROM historical_features('SELECT 1; DROP TABLE s_orders', '{known:trips}') AS t(order_id int);
SELECT * FROM historical_features('nowhere', '{known:trips}') AS t(order_id int);

SELECT historical_features_columns('s_orders', 'svk');
SELECT historical_features_columns('s_orders', '{svc');
SELECT historical_features_columns('s_orders');
SELECT historical_features_columns('s_orders', NULL);
SELECT historical_features_columns('s_orders', '{}');
SELECT historical_features_columns('s_orders', ARRAY['svc'], service => 'svc');
SELECT get_online_features(service => 'svc');
SELECT get_features_at('svc', '{"driver_id": 1, "region": 1}', NULL);
CALL create_training_set('s_none', 's_orders');
SELECT materialize_incremental();
SELECT materialize_incremental('known', service => 'svc');
SELECT materialize_incremental(service => 'svk');
SELECT drop_feature_service('svc');

-- A training set is a table with a record of what made it
CALL create_training_set('s_train', labels => 's_orders', features => '{known:trips,all_times:note}', as_of => '2024-03-20 00:00+00', lineage => false);
SELECT count(*), count(trips), count(note) FROM s_train;
SELECT name, relation, labels, features, options, as_of AT TIME ZONE 'UTC' AS as_of, row_count FROM feature_meta.training_set;
CALL create_training_set('s_train', labels => 's_orders', features => '{known:trips}');
SELECT reference, services, training_sets FROM feature_catalog(search => 'known');
SELECT drop_training_set('s_train');
SELECT to_regclass('s_train');
SELECT drop_training_set('s_train');

SELECT drop_feature_view(name) FROM feature_meta.feature_view ORDER BY name;
SELECT drop_entity(name) FROM feature_meta.feature_entity ORDER BY name;
DROP VIEW s_many_view;
DROP TABLE s_source, s_orders, s_glued, s_text, s_place_orders, s_place, s_made, s_many, s_many_orders, s_many_reference CASCADE;
DROP FUNCTION reference, compare, compare_latest, place, many, s_list;
