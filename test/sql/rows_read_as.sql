-- Schema on read.
\set VERBOSITY terse
\pset null '(null)'
CREATE SCHEMA lake;
CREATE TABLE lake.events (id integer, doc jsonb);
INSERT INTO lake.events VALUES
	(1, '{"fare": 3.5, "stops": [1, 2], "vendor": "Blue", "paid": true, "at": 20000, "who": {"name": "x"}}'),
	(2, '{"fare": "much", "stops": 7, "vendor": "Red", "paid": 2, "at": 1.5, "more": 1}'),
	(3, '{"fare": [9], "stops": [1, "x", null], "vendor": 5}'),
	(4, NULL), (5, '{}');
SELECT register_schema('lake.events', 'feature { name: "fare" type: FLOAT presence { min_fraction: 1 } value_count { min: 1 max: 1 } }
	feature { name: "stops" type: INT value_count { min: 1 } } feature { name: "vendor" type: BYTES string_domain { value: "Blue" } }
	feature { name: "paid" type: INT bool_domain {} } feature { name: "at" type: INT time_domain { integer_format: UNIX_DAYS } }
	feature { name: "who" type: STRUCT struct_domain { feature { name: "name" type: BYTES } } }');
SELECT e.id, r.fare, r.stops, r.vendor, r.at FROM lake.events e,
	read_as(e.doc, registered_schema('lake.events')) AS r(fare float8, stops smallint[], vendor text, at date) ORDER BY id;
SELECT create_view_from_schema('lake.trips', 'lake.events', 'doc');
\d lake.trips
SELECT id, fare, stops, vendor, paid, at, who FROM lake.trips ORDER BY id;
SELECT id, d.feature_name, d.short_description, d.long_description FROM lake.trips, display_anomalies(anomalies) d ORDER BY id, 2;
-- the view follows the registered schema
SELECT register_schema('lake.events', set_domain(registered_schema('lake.events'), 'vendor', '{Blue,Red}'::text[]));
SELECT id, d.feature_name FROM lake.trips, display_anomalies(anomalies) d WHERE id = 2 ORDER BY id, 2;
SELECT create_view_from_schema('lake."Other view"', 'lake.events', 'doc', 'feature { name: "fare" type: FLOAT } feature { name: "anomalies" type: BYTES }');
SELECT * FROM lake."Other view" WHERE id = 5;

-- errors
SELECT read_as('{}', '');
SELECT * FROM read_as('[1]', '') AS r(a integer, b feature_anomalies);
SELECT * FROM read_as('{"a": 1}', 'feature { name: "a" type: INT }') AS r(a interval);
SELECT create_view_from_schema('lake.trips', 'lake.events', 'doc');
SELECT create_view_from_schema('lake.x', 'lake.events', 'none');
SELECT create_view_from_schema('lake.x', 'lake.events', 'id');
SELECT create_view_from_schema('lake.x', 'lake.events', 'doc', 'feature { name: "id" type: INT }');
SELECT create_view_from_schema('lake.x; DROP TABLE lake.events', 'lake.events', 'doc');
SELECT create_view_from_schema('lake.x', 'lake.events', 'doc', 'feature { name: "a) AS r; DROP TABLE lake.events" type: INT }');
SELECT * FROM lake.x WHERE id = 5;
DROP VIEW lake.x;
SELECT create_view_from_schema('lake.x', 'lake.events', 'doc', environment => 'Unknown');
SET client_min_messages = warning;
DROP SCHEMA lake CASCADE;
