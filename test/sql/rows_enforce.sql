-- Schema on write: the trigger that enforce_schema creates.
\set VERBOSITY default
CREATE SCHEMA enforce;
CREATE ROLE enforce_owner;
CREATE ROLE enforce_writer;
GRANT CREATE, USAGE ON SCHEMA enforce TO enforce_owner;
GRANT USAGE ON SCHEMA enforce TO enforce_writer;
SET ROLE enforce_owner;
CREATE TABLE enforce.trips (id integer PRIMARY KEY, fare float8, vendor text, twice float8 GENERATED ALWAYS AS (fare * 2) STORED);
GRANT INSERT, UPDATE ON enforce.trips TO enforce_writer;
SELECT enforce_schema('enforce.trips');
SELECT register_schema('enforce.trips', 'feature { name: "id" type: INT } feature { name: "twice" type: FLOAT }
	feature { name: "fare" type: FLOAT presence { min_fraction: 1 } float_domain { min: 1 } }
	feature { name: "vendor" type: BYTES string_domain { value: "Blue" } not_in_environment: "Bare" } default_environment: "Full" default_environment: "Bare"');
SELECT enforce_schema('enforce.trips');
INSERT INTO enforce.trips VALUES (1, 5, 'Blue');
INSERT INTO enforce.trips VALUES (2, NULL, 'Red');
UPDATE enforce.trips SET fare = 0 WHERE id = 1;
COPY enforce.trips (id, fare, vendor) FROM STDIN;
3	7	Blue
4	0.5	Blue
\.
SELECT * FROM enforce.trips ORDER BY id;

-- a role that may only write is held to the schema too
SET ROLE enforce_writer;
INSERT INTO enforce.trips VALUES (5, 5, 'Green');
INSERT INTO enforce.trips VALUES (5, 5, 'Blue');
SELECT enforce_schema('enforce.trips', action => 'off');
SET ROLE enforce_owner;

-- a new version counts at once, and one that is rolled back does not
SELECT register_schema('enforce.trips', set_domain(registered_schema('enforce.trips'), 'vendor', '{Blue,Green}'::text[]));
INSERT INTO enforce.trips VALUES (6, 5, 'Green');
BEGIN;
SELECT register_schema('enforce.trips', set_domain(registered_schema('enforce.trips'), 'vendor', '{Black}'::text[]));
INSERT INTO enforce.trips VALUES (7, 5, 'Black');
ROLLBACK;
INSERT INTO enforce.trips VALUES (7, 5, 'Black');
INSERT INTO enforce.trips VALUES (7, 5, 'Green');
-- and a change of the table
ALTER TABLE enforce.trips ADD COLUMN extra integer;
INSERT INTO enforce.trips VALUES (8, 5, 'Green');
ALTER TABLE enforce.trips DROP COLUMN extra;
INSERT INTO enforce.trips VALUES (8, 5, 'Green');

-- warn and quarantine
SELECT enforce_schema('enforce.trips', action => 'warn');
INSERT INTO enforce.trips VALUES (9, 0, 'Red');
SELECT enforce_schema('enforce.trips', action => 'quarantine');
SET ROLE enforce_writer;
INSERT INTO enforce.trips VALUES (10, 0, 'Red'), (11, 5, 'Blue');
SELECT count(*) FROM feature_meta.quarantined_row;
SET ROLE enforce_owner;
SELECT relation, "row", quarantined_by, anomalies FROM feature_meta.quarantined_row ORDER BY id;
SELECT id FROM enforce.trips ORDER BY id;
DELETE FROM feature_meta.quarantined_row WHERE relation = 'enforce.trips'::regclass;
INSERT INTO feature_meta.quarantined_row (relation, "row", anomalies, quarantined_by) VALUES ('enforce.trips', '{}', '', 'somebody');

-- environments
SELECT enforce_schema('enforce.trips', 'Bare', 'reject');
INSERT INTO enforce.trips VALUES (12, 5, 'Blue');
INSERT INTO enforce.trips VALUES (12, 5, NULL);
SELECT enforce_schema('enforce.trips', 'None');
SELECT enforce_schema('enforce.trips', action => 'pray');
SELECT enforce_schema('enforce.trips', action => 'off');
INSERT INTO enforce.trips VALUES (13, 0, 'Red');

-- partitions have their parent's schema unless they have one
CREATE TABLE enforce.parted (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE enforce.parted_1 PARTITION OF enforce.parted FOR VALUES IN (1);
CREATE TABLE enforce.parted_2 PARTITION OF enforce.parted FOR VALUES IN (2);
SELECT register_schema('enforce.parted', 'feature { name: "a" type: INT } feature { name: "b" type: INT int_domain { max: 5 } }');
SELECT enforce_schema('enforce.parted');
INSERT INTO enforce.parted VALUES (1, 6);
INSERT INTO enforce.parted VALUES (1, 5);
SELECT register_schema('enforce.parted', 'feature { name: "a" type: INT } feature { name: "b" type: INT int_domain { max: 6 } }');
INSERT INTO enforce.parted VALUES (1, 6);
SELECT register_schema('enforce.parted_2', 'feature { name: "a" type: INT } feature { name: "b" type: INT int_domain { max: 1 } }');
INSERT INTO enforce.parted VALUES (2, 6);
SELECT enforce_schema('enforce.parted', action => 'quarantine');
INSERT INTO enforce.parted VALUES (2, 6), (1, 6), (2, 1);
SELECT relation, "row" FROM feature_meta.quarantined_row ORDER BY id;
SELECT enforce_schema('enforce.parted', action => 'off');

-- not tables
CREATE VIEW enforce.view AS SELECT 1 AS a;
SELECT enforce_schema('enforce.view');
SELECT enforce_schema('pg_catalog.pg_class');
RESET ROLE;
\set VERBOSITY terse
CREATE TRIGGER wrong AFTER INSERT ON enforce.trips FOR EACH ROW EXECUTE FUNCTION enforce_schema_trigger('reject');
INSERT INTO enforce.trips VALUES (20, 5, 'Blue');
DROP TRIGGER wrong ON enforce.trips;
CREATE TRIGGER wrong BEFORE INSERT ON enforce.trips FOR EACH ROW EXECUTE FUNCTION enforce_schema_trigger('nothing');
INSERT INTO enforce.trips VALUES (20, 5, 'Blue');
DELETE FROM feature_meta.quarantined_row;
SET client_min_messages = warning;
DROP SCHEMA enforce CASCADE;
DROP ROLE enforce_owner, enforce_writer;
