-- Entities, feature views and their versions, services, the catalogue of features
\set SHOW_CONTEXT never
CREATE TABLE d_stats (driver_id bigint NOT NULL, "Event Time" timestamptz, created timestamptz, conv_rate real, "Acc Rate" numeric(5,2), city text, old int);
ALTER TABLE d_stats DROP COLUMN old;
CREATE VIEW d_view AS SELECT * FROM d_stats;

SELECT create_entity('driver', '{driver_id}', description => 'a driver', owner => 'rides', tags => '{"team": "rides"}');
SELECT create_entity('driver');
SELECT create_entity('bad:name');
SELECT create_entity('x', tags => '[]');
SELECT alter_entity('driver', owner => 'mobility');
SELECT alter_entity('drive', owner => 'x');

SELECT create_feature_view('stats', 'd_stats', '{driver}', 'Event Time', 'created', '1 day', description => 'hourly figures', owner => 'rides', tags => '{"tier": "gold"}');
SELECT create_feature_view('stats', 'd_stats', '{driver}', 'Event Time');
SELECT create_feature_view('wrong', 'd_stats', '{driver}', 'Event Tim');
SELECT create_feature_view('wrong', 'd_stats', '{driver}', 'city');
SELECT create_feature_view('wrong', 'd_stats', '{drivers}', 'Event Time');
SELECT create_feature_view('wrong', 'd_stats', '{driver}', 'Event Time', features => '{conv_rates}');
SELECT create_feature_view('wrong', 'd_stats', '{driver}', 'Event Time', ttl => '-1 day');
SELECT create_feature_view('wrong', 'd_stats', '{driver}', 'Event Time', on_invalid => 'ignore');
SELECT create_feature_view('wrong', 'd_stats', '{}', 'Event Time');
SELECT create_feature_view('wrong', 'd_stats_driver_id_seq', '{driver}', 'Event Time');
-- an entity that is only a column needs no definition first
SELECT create_feature_view('by_city', 'd_view', '{city}', 'Event Time', features => '{"Acc Rate"}');
SELECT name, join_keys FROM feature_meta.feature_entity ORDER BY name;

SELECT view, version, source, event_time, created_time, ttl, on_invalid FROM feature_meta.feature_view_version ORDER BY view, version;
SELECT view, version, "position", feature, type FROM feature_meta.feature_view_feature ORDER BY 1, 2, 3;

-- A change makes a version, old ones stay; what is not part of the definition makes none
SELECT alter_feature_view('stats', description => 'figures by the hour', tags => '{"tier": "silver"}');
SELECT alter_feature_view('stats', ttl => '2 days');
SELECT alter_feature_view('stats', features => '{conv_rate}', clear => '{created_time}');
SELECT alter_feature_view('stats', clear => '{source}');
SELECT version, created_time, ttl FROM feature_meta.feature_view_version WHERE view = 'stats' ORDER BY version;
SELECT * FROM resolve_features('{stats:conv_rate,stats@1:city,stats@2:*}');
SELECT * FROM resolve_features('{stats:city}');
SELECT * FROM resolve_features('{stats@4:city}');
SELECT * FROM resolve_features('{stats@x:city}');
SELECT * FROM resolve_features('{}');

-- Services follow a view, or stay at a version
SELECT create_feature_service('eta_model', '{stats:conv_rate,stats@1:city}', owner => 'eta');
SELECT create_feature_service('eta_model', '{stats:conv_rate}');
SELECT create_feature_service('twice', '{stats:conv_rate,stats:conv_rate}');
SELECT create_feature_service('none', '{}');
SELECT reference FROM resolve_features('{eta_model}');
SELECT alter_feature_view('stats', ttl => '3 days');
SELECT reference FROM resolve_features('{eta_model}');
SELECT rename_feature_service('eta_model', 'eta');
SELECT rename_feature_view('stats', 'driver_stats');
SELECT reference FROM resolve_features('{eta}');
SELECT rename_feature_view('driver_stats', 'by_city');
SELECT alter_feature_service('eta', features => '{driver_stats@1:city,by_city:Acc Rate}');

-- Find before you build
SELECT reference, feature_type, entities, source, ttl, online, services FROM feature_catalog();
SELECT reference FROM feature_catalog(search => 'HOUR');
SELECT reference FROM feature_catalog(tag => 'tier=silver');
SELECT reference FROM feature_catalog(tag => 'tier');
SELECT reference FROM feature_catalog(type => 'numeric');
SELECT reference FROM feature_catalog(entity => 'driver', owner => 'rides');

-- What is used cannot go; what another role made cannot be changed
SELECT drop_entity('driver');
SELECT drop_feature_view('driver_stats');
CREATE ROLE regress_store_reader;
SET ROLE regress_store_reader;
SELECT count(*) FROM feature_catalog();
SELECT alter_feature_view('driver_stats', owner => 'me');
SELECT drop_feature_service('eta');
SELECT * FROM historical_features('SELECT 1::bigint AS driver_id, now() AS event_timestamp', '{driver_stats:conv_rate}') AS t(driver_id bigint, event_timestamp timestamptz, conv_rate real);
RESET ROLE;
DROP ROLE regress_store_reader;
SELECT drop_feature_service('eta');
SELECT drop_feature_view('driver_stats');
SELECT drop_feature_view('driver_stats');
SELECT drop_feature_view('by_city');
SELECT drop_entity('driver'), drop_entity('city');
DROP TABLE d_stats CASCADE;
