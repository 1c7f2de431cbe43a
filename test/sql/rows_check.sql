-- Rows against a schema, one by one and all those of a relation.
\set VERBOSITY terse
\pset null '(null)'
CREATE SCHEMA rows_check;
SET search_path = rows_check, public;
CREATE TYPE address AS (street text, zip integer);
CREATE TABLE trips (id integer, part integer, fare float8, vendor text, stops integer[], paid boolean, home address, extra jsonb, gone integer, day date,
	PRIMARY KEY (id, part));
ALTER TABLE trips DROP COLUMN gone;
CREATE TEMPORARY TABLE expected AS SELECT '
	feature { name: "id" type: INT } feature { name: "part" type: INT }
	feature { name: "fare" type: FLOAT presence { min_fraction: 1 } float_domain { min: 1 max: 100 disallow_nan: true disallow_inf: true } }
	feature { name: "vendor" type: BYTES domain: "vendor" } feature { name: "stops" type: INT value_count { min: 1 max: 3 } int_domain { max: 9 } }
	feature { name: "paid" type: INT bool_domain {} }
	feature { name: "home" type: STRUCT struct_domain { feature { name: "street" type: BYTES presence { min_fraction: 1 } } feature { name: "zip" type: INT int_domain { min: 1 } } } }
	feature { name: "extra" type: STRUCT struct_domain { feature { name: "tip" type: FLOAT presence { min_fraction: 1 } } feature { name: "tags" type: BYTES shape { dim { size: 2 } } } } }
	feature { name: "day" type: INT int_domain { min: 20000 } }
	string_domain { name: "vendor" value: "Blue" value: "Yellow" }
	default_environment: "Train" default_environment: "Serve"'::feature_schema AS s;
INSERT INTO trips VALUES
	(1, 1, 10, 'Blue', '{1,2}', true, ROW('a', 1), '{"tip": 1, "tags": ["x", "y"]}', '2026-01-01'),
	(2, 1, NULL, 'Red', '{}', false, ROW(NULL, 0), '{"tags": "x"}', '1970-01-02'),
	(3, 1, 'NaN', 'Blue', '{1,2,3,40}', NULL, NULL, '{"tip": "much", "tags": ["x", "y"]}', NULL),
	(4, 1, 'Infinity', NULL, '{{1,2},{3,4}}', true, ROW('b', NULL), NULL, NULL),
	(5, 1, 0.5, 'Blue', '{1,NULL}', true, NULL, '[1]', NULL);
SELECT a.key, a."column", a.value, a.reason, a.short_description, a.description FROM expected, anomalous_rows('trips', s) a;
SELECT id, is_valid_row(trips, s), is_valid_row(trips.*, s), row_anomalies(trips, s)::text LIKE 'anomaly_name_format%' AS nothing FROM trips, expected ORDER BY id;
SELECT a.ctid, a.key, a.tableoid FROM expected, anomalous_rows('trips', s, "limit" => 1) a;
SELECT a."column", a.reason FROM expected, anomalous_rows('trips', s, filter => 'id = 2 -- the second') a;
SELECT row_anomalies(trips, s) FROM trips, expected WHERE id = 2;

-- the registered schema, a view, a partitioned table, a table with more columns than a function has arguments
SELECT anomalous_rows('trips');
SELECT register_schema('trips', s) FROM expected;
SELECT count(DISTINCT ctid) FROM anomalous_rows('trips');
CREATE VIEW fares AS SELECT fare FROM trips;
SELECT a.ctid, a.key, a.value, a.reason, a.tableoid FROM anomalous_rows('fares', 'feature { name: "fare" type: FLOAT float_domain { min: 1 } }') a;
DO $$ BEGIN EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg('c' || i || ' integer', ', ') FROM generate_series(1, 120) i) || ')'; END $$;
INSERT INTO wide (c1, c120) VALUES (1, 1), (1, 9);
SELECT a."column", a.value FROM anomalous_rows('wide', (SELECT (string_agg('feature { name: "c' || i || '" type: INT int_domain { max: 5 } }', ' '))::feature_schema FROM generate_series(1, 120) i)) a;
CREATE TABLE parted (a integer) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted VALUES (1), (2);
SELECT a.tableoid, a.ctid, a.value FROM anomalous_rows('parted', 'feature { name: "a" type: INT int_domain { max: 1 } }') a;

-- columns that the schema does not have, or has and the table not; environments
SELECT a.value, a."column", a.reason, a.short_description FROM anomalous_rows('fares', 'feature { name: "fee" type: FLOAT presence { min_count: 1 } }', "limit" => 1) a;
SELECT a."column", a.reason, a.short_description, a.description FROM anomalous_rows('fares',
	'feature { name: "fare" type: FLOAT not_in_environment: "Serve" } default_environment: "Train" default_environment: "Serve"', environment => 'Serve', "limit" => 1) a;
SELECT count(*) FROM anomalous_rows('fares',
	'feature { name: "fare" type: FLOAT not_in_environment: "Serve" } default_environment: "Train" default_environment: "Serve"', environment => 'Train');

-- a schema that contradicts itself is a reason for every row, and is put right before the row is looked at
SELECT a.value, a.reason, a.short_description FROM anomalous_rows('fares',
	'feature { name: "fare" type: FLOAT value_count { min: 2 max: 1 } int_domain { min: 5 } }', "limit" => 1) a;

-- documents
SELECT is_valid_row('{"tip": 1, "n": 2}'::jsonb, 'feature { name: "tip" type: FLOAT } feature { name: "n" type: INT int_domain { max: 2 } }');
SELECT row_anomalies('{"tip": "x", "n": 3, "new": 1}'::jsonb, 'feature { name: "tip" type: FLOAT } feature { name: "n" type: INT int_domain { max: 2 } } feature { name: "must" type: INT presence { min_fraction: 1 } }');
SELECT row_anomalies('[1]'::jsonb, '');

-- usable in a check constraint
CREATE TABLE checked (a integer, CHECK (is_valid_row(checked, 'feature { name: "a" type: INT int_domain { max: 5 } }')));
INSERT INTO checked VALUES (5);
INSERT INTO checked VALUES (6);

-- errors
SELECT anomalous_rows('trips', environment => 'Test');
SELECT anomalous_rows('trips', "limit" => -1);
SELECT anomalous_rows('trips', filter => 'true; DROP TABLE trips');
SELECT anomalous_rows('trips', filter => 'true) UNION SELECT (1');
SELECT is_valid_row(ROW(1), NULL), is_valid_row(NULL::trips, ''), row_anomalies(NULL::jsonb, '');
SELECT are_valid_columns('checked', '', NULL, 1::bigint);
CREATE ROLE rows_stranger;
GRANT USAGE ON SCHEMA rows_check TO rows_stranger;
SET ROLE rows_stranger;
SELECT anomalous_rows('rows_check.trips', '');
RESET ROLE;
DROP OWNED BY rows_stranger;
DROP ROLE rows_stranger;
SET client_min_messages = warning;
DROP SCHEMA rows_check CASCADE;
