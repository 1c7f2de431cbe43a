-- Schemas kept for relations, and who may see and write them.
\set VERBOSITY terse
CREATE ROLE schema_owner;
CREATE ROLE schema_reader;
CREATE ROLE schema_stranger;
CREATE SCHEMA registry AUTHORIZATION schema_owner;
GRANT USAGE ON SCHEMA registry TO PUBLIC;
SET ROLE schema_owner;
CREATE TABLE registry.trips (fare float8, day date) PARTITION BY RANGE (day);
CREATE TABLE registry.trips_old PARTITION OF registry.trips FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY RANGE (day);
CREATE TABLE registry.trips_old_1 PARTITION OF registry.trips_old FOR VALUES FROM ('2026-01-01') TO ('2026-01-15');
CREATE INDEX trips_day ON registry.trips (day);
GRANT SELECT ON registry.trips TO schema_reader;

SELECT register_schema('registry.trips', 'feature { name: "fare" type: FLOAT }');
SELECT register_schema('registry.trips', 'feature { name: "fare" type: FLOAT presence { min_count: 1 } }', 'fare is needed');
SELECT relation, version, registered_by, comment, registered_at > '2000-01-01' AS dated, schema
FROM feature_meta.registered_schema WHERE relation = 'registry.trips'::regclass ORDER BY version;
SELECT registered_schema('registry.trips') = registered_schema('registry.trips', 2) AS newest_by_default;
SELECT registered_schema('registry.trips', 1);
SELECT registered_schema('registry.trips_old_1') = registered_schema('registry.trips') AS of_the_parent;
SELECT register_schema('registry.trips_old', 'feature { name: "fare" type: INT }');
SELECT registered_schema('registry.trips_old_1');
SELECT schema_as_of('registry.trips', (SELECT registered_at FROM feature_meta.registered_schema WHERE relation = 'registry.trips'::regclass AND version = 1))
	= registered_schema('registry.trips', 1) AS first_one;
SELECT schema_as_of('registry.trips', 'infinity') = registered_schema('registry.trips') AS last_one;
SELECT registered_schema(NULL), schema_as_of(NULL, now());

-- errors
SELECT schema_as_of('registry.trips', '2000-01-01 00:00+00');
SELECT registered_schema('registry.trips', 3);
SELECT registered_schema('registry.trips', 0);
SELECT registered_schema('registry.nothing');
SELECT registered_schema(1::regclass);
SELECT register_schema('registry.trips_day', '');
SELECT register_schema('registry.trips', NULL);
UPDATE feature_meta.registered_schema SET comment = '';
DELETE FROM feature_meta.registered_schema;
INSERT INTO feature_meta.registered_schema (relation, version, schema, registered_by) VALUES ('registry.trips', 7, '', 'somebody');
INSERT INTO feature_meta.registered_schema (relation, version, schema) VALUES ('pg_catalog.pg_authid', 1, '');

-- nothing stays of a registration that is rolled back
BEGIN;
SELECT register_schema('registry.trips', '');
ROLLBACK;
SELECT register_schema('registry.trips', 'feature { name: "fare" }');

-- display takes a relation's name
SELECT * FROM display_schema('registry.trips');
SELECT * FROM display_schema('registry.trips'::regclass);

-- who may read the relation may read its schema, who owns it may write
SET ROLE schema_reader;
SELECT count(*) FROM feature_meta.registered_schema;
SELECT registered_schema('registry.trips') IS NOT NULL AS readable;
SELECT registered_schema('registry.trips_old');
SELECT register_schema('registry.trips', '');
SET ROLE schema_stranger;
SELECT count(*) FROM feature_meta.registered_schema;
SELECT registered_schema('registry.trips');
SELECT schema_as_of('registry.trips', now());
RESET ROLE;

-- an empty search_path does
SET search_path = '';
SELECT public.register_schema('registry.trips', 'feature { name: "fare" type: FLOAT }');
SELECT * FROM public.display_schema('registry.trips');
RESET search_path;

DELETE FROM feature_meta.registered_schema;
DROP SCHEMA registry CASCADE;
DROP ROLE schema_owner, schema_reader, schema_stranger;
