-- Online tables: materialised, put, fed by a trigger; read by key with a status
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE TABLE o_stats (driver_id int, event_timestamp timestamptz, created timestamptz, rate float8, trips int, city text, tags text[], doc jsonb);
INSERT INTO o_stats VALUES
	(1, '2024-01-01 10:00', '2024-01-01 10:01', 0.1, 1, 'a', '{x,y}', '{"k": 1}'),
	(1, '2024-01-01 12:00', '2024-01-01 12:01', 'NaN', 2, E'b"\\', NULL, 'null'),
	(1, '2024-01-01 11:00', '2024-01-01 13:00', 0.3, 3, 'late', NULL, NULL),
	(2, '2024-01-01 09:00', NULL, NULL, NULL, NULL, NULL, NULL),
	(NULL, '2024-01-01 09:00', NULL, 1, 1, 'no key', NULL, NULL);
SELECT create_feature_view('ov', 'o_stats', '{driver_id}', 'event_timestamp', 'created', '10000 days');
SELECT * FROM get_online_features('{ov:rate}', '{"driver_id": 1}');
SELECT materialize('ov');
SELECT enable_online('ov', history => true);
SELECT enable_online('ov');
\d ov_online
SELECT materialize('ov', '2024-01-01 00:00', '2024-01-01 10:30');
SELECT * FROM ov_online ORDER BY 1;
SELECT materialize('ov');
SELECT materialize('ov'); -- nothing to do
SELECT materialize('ov', '2024-01-01 00:00', '2024-01-01 10:30'); -- an older window changes nothing
SELECT * FROM ov_online ORDER BY 1;

-- One key, many, in each form; what is there, what is NULL, what is not there
SELECT * FROM get_online_features('{ov:*}', '{"driver_id": 1}');
SELECT * FROM get_online_features('{ov:trips,ov:city}', '{"driver_id": [2, 1, 3, 1, null]}');
SELECT entity_key, feature_values FROM get_online_features('ov:trips', '[{"driver_id": 2}, {"driver_id": "1"}]');
SELECT entity_key, feature_values FROM get_online_features('{ov:trips}', '[]');
SELECT feature_values FROM get_online_features('{ov:trips}', '{"driver_id": 1}', full_feature_names => true);
SELECT * FROM get_online_features('{ov:trips}', '{"driver": 1}');
SELECT * FROM get_online_features('{ov:trips}', '1');
SELECT * FROM get_online_features('{ov:trips}', '[1]');
SELECT * FROM get_online_features('{ov:trips}', '{"driver_id": "x"}');
SELECT * FROM get_online_features('{ov:trips}', '{"driver_id": 99999999999}');
SELECT * FROM get_online_features('{ov:trip}', '{"driver_id": 1}');

-- The ttl holds online too
SELECT alter_feature_view('ov', ttl => '1 hour');
SELECT * FROM get_online_features('{ov:trips}', '{"driver_id": [1, 3]}');
SELECT alter_feature_view('ov', clear => '{ttl}');

-- Put: an older event never replaces a newer one, an equal one is the later word
SELECT put_features('ov', '{"driver_id": 1}', '{"trips": 7}', event_time => '2024-01-01 11:30', created_time => '2024-01-02');
SELECT feature_values FROM get_online_features('{ov:trips}', '{"driver_id": 1}');
SELECT put_features('ov', '{"driver_id": 1}', '{"trips": 8, "city": "it''s"}', event_time => '2024-01-03', created_time => '2024-01-03');
SELECT put_features('ov', '{"driver_id": [3, 4, 3]}', '[{"trips": 1}, {"trips": 2}, {"trips": 3, "event_timestamp": "2024-01-05"}]', event_time => '2024-01-04', created_time => '2024-01-04');
SELECT entity_key, feature_values, event_timestamps FROM get_online_features('{ov:trips,ov:city}', '{"driver_id": [1, 3, 4]}');
SELECT driver_id, event_timestamp, created, trips, city FROM o_stats WHERE created >= '2024-01-02' ORDER BY 1, 2;
SELECT put_features('ov', '{"driver_id": 9}', '{"trips": 1}', event_time => '2024-01-04', mode => 'online');
SELECT count(*) FROM o_stats WHERE driver_id = 9;
SELECT put_features_from('ov', 'SELECT 10 AS driver_id, 5 AS trips, timestamptz ''2024-01-04'' AS event_timestamp', mode => 'online');
SELECT put_features('ov', r) FROM (VALUES (11, timestamptz '2024-01-04', 'NaN'::float8, '{a,"b c"}'::text[]), (11, '2024-01-05', 0.5, NULL)) AS r(driver_id, event_timestamp, rate, tags);
SELECT event_timestamp, created = now() OR created <= clock_timestamp() AS created, rate, trips, tags FROM o_stats WHERE driver_id = 11 ORDER BY 1;
SELECT feature_values FROM get_online_features('{ov:rate}', '{"driver_id": 11}');
SELECT put_features('ov', r) FROM (SELECT 11 AS driver_id, 1 AS trip) r;
SELECT put_features('ov', NULL::record);
DELETE FROM o_stats WHERE driver_id = 11;
DELETE FROM ov_online WHERE driver_id = 11;
SELECT put_features('ov', '{"driver_id": 1}', '{"trip": 1}');
SELECT put_features('ov', '{"driver_id": null}', '{"trips": 1}');
SELECT put_features('ov', '{"driver_id": [1, 2]}', '{"trips": 1}');
SELECT put_features('ov', '{"driver_id": 1}', '{"trips": 1}', mode => 'sideways');
SELECT put_features('nowhere', '{"driver_id": 1}', '{"trips": 1}');

-- As it was: by the sources, and by what was served
SELECT * FROM get_features_at('{ov:trips,ov:city}', '{"driver_id": [1, 2, 3]}', '2024-01-01 12:00:30');
SELECT max(valid_from) AS then FROM ov_online_history WHERE driver_id = 1 AND trips = 2 \gset
SELECT feature_values, statuses FROM online_at('ov', '{"driver_id": [1, 10]}', :'then');
DELETE FROM ov_online WHERE driver_id = 1;
SELECT statuses -> 'trips' FROM online_at('ov', '{"driver_id": 1}', now() + interval '1 hour');

-- A new version brings its columns; a key of another type starts the table anew
ALTER TABLE o_stats ADD COLUMN extra int DEFAULT 5;
SELECT alter_feature_view('ov', features => '{trips,extra}');
SELECT materialize_incremental('ov');
SELECT entity_key, feature_values FROM get_online_features('{ov:extra}', '{"driver_id": [1, 2]}');
SELECT disable_online('ov');
SELECT to_regclass('ov_online'), to_regclass('ov_online_history');

-- The trigger keeps it current; several rows of a key in one statement too
SELECT enable_online('ov', trigger => true);
INSERT INTO o_stats (driver_id, event_timestamp, trips) VALUES (20, '2024-01-01', 1), (20, '2024-01-03', 3), (20, '2024-01-02', 2);
UPDATE o_stats SET trips = 33 WHERE driver_id = 20 AND event_timestamp = '2024-01-03';
SELECT rename_feature_view('ov', 'ow');
INSERT INTO o_stats (driver_id, event_timestamp, trips) VALUES (21, '2024-01-01', 1);
SELECT driver_id, trips FROM ov_online ORDER BY 1;

-- Column privileges and row security hold in both ways of reading
CREATE ROLE regress_store_online;
SET ROLE regress_store_online;
SELECT * FROM get_online_features('{ow:trips}', '{"driver_id": 20}');
RESET ROLE;
GRANT SELECT (driver_id, event_timestamp, trips) ON ov_online TO regress_store_online;
SET ROLE regress_store_online;
SELECT feature_values FROM get_online_features('{ow:trips}', '{"driver_id": 20}');
SELECT feature_values FROM get_online_features('{ow:trips,ow:extra}', '{"driver_id": 20}');
RESET ROLE;
GRANT SELECT ON ov_online TO regress_store_online;
ALTER TABLE ov_online ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_twenty ON ov_online USING (driver_id <> 20);
SET ROLE regress_store_online;
SELECT entity_key, statuses FROM get_online_features('{ow:trips}', '{"driver_id": [20, 21]}');
RESET ROLE;

-- A policy that asks for features too, with more lists than a session keeps
CREATE FUNCTION asks_too(key int) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
	FOR i IN 1 .. 70 LOOP
		PERFORM get_online_features(format('[%s:%s]={ow:extra,ow:trips}', i, i + 1)::text[], jsonb_build_object('driver_id', key));
	END LOOP;
	RETURN true;
END $$;
ALTER POLICY not_twenty ON ov_online USING (asks_too(driver_id));
SET ROLE regress_store_online;
SELECT entity_key, feature_values FROM get_online_features('{ow:trips}', '{"driver_id": [20, 21]}');
SELECT entity_key, feature_values FROM get_online_features('[0:0]={ow:trips}'::text[], '{"driver_id": 21}'); -- when they fill the list
RESET ROLE;
DROP POLICY not_twenty ON ov_online;
DROP FUNCTION asks_too;
ALTER TABLE ov_online DISABLE ROW LEVEL SECURITY;

-- A table that inherits from the online table is read with it
CREATE TABLE o_child () INHERITS (ov_online);
INSERT INTO o_child (driver_id, event_timestamp, trips) VALUES (22, '2024-01-01', 22);
SELECT feature_values FROM get_online_features('{ow:trips}', '{"driver_id": 22}');
DROP TABLE o_child;

-- The online table's schema may move and change its name
SELECT current_schema() AS schema \gset
CREATE SCHEMA o_here;
ALTER TABLE ov_online SET SCHEMA o_here;
SELECT feature_values FROM get_online_features('{ow:trips}', '{"driver_id": 20}');
ALTER SCHEMA o_here RENAME TO o_there;
SELECT feature_values FROM get_online_features('{ow:trips}', '{"driver_id": 20}');
ALTER TABLE o_there.ov_online SET SCHEMA :schema;
DROP SCHEMA o_there;

-- The schema of a view: rejected, warned about, kept in quarantine
\set SHOW_CONTEXT never
SELECT alter_feature_view('ow', schema => 'feature { name: "trips" type: INT presence { min_fraction: 1 } int_domain { min: 0 max: 100 } }');
SELECT put_features('ow', '{"driver_id": 1}', '{"trips": 101}', event_time => '2025-01-01');
SELECT put_features('ow', '{"driver_id": 1}', '{"extra": 1}', event_time => '2025-01-01');
SELECT put_features('ow', '{"driver_id": 1}', '{"trips": 100}', event_time => '2025-01-01');
SELECT alter_feature_view('ow', on_invalid => 'quarantine');
SELECT put_features('ow', '{"driver_id": [1, 2]}', '[{"trips": -1, "extra": 3}, {"trips": 2}]', event_time => '2025-01-02');
INSERT INTO o_stats (driver_id, event_timestamp, trips) VALUES (30, '2025-01-01', 1), (31, '2025-01-01', 1000);
SELECT view, keys, features, event_time, reasons FROM feature_meta.feature_quarantine ORDER BY keys::text;
SELECT alter_feature_view('ow', on_invalid => 'warn');
SELECT put_features('ow', '{"driver_id": 1}', '{"trips": -5}', event_time => '2025-01-03');
SELECT driver_id, trips FROM ov_online WHERE event_timestamp >= '2025-01-01' ORDER BY 1;

SELECT name, feature, newest_event, fresh, keys, expired, null_rate FROM feature_view_health('ow');
SELECT drop_feature_view('ow');
SELECT drop_entity('driver_id');
DROP TABLE o_stats;
DROP ROLE regress_store_online;
