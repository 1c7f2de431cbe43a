-- Messages as SQL types: casts, JSON, equality, hashing, binary copy, unknown fields, empty search_path
\pset format unaligned
\pset tuples_only

-- casts
SELECT 'feature { name: "a" type: INT }'::feature_schema::bytea;
SELECT '\x0a0530020a0161'::bytea::feature_schema::bytea;
SELECT 'feature { name: "a" type: INT int_domain { min: 1 } float_domain { } }'::text::feature_schema::bytea IS NULL;
SELECT 'feature { name: "a" type: INT int_domain { min: 1 max: 9223372036854775807 } presence { min_fraction: inf } }'::feature_schema::jsonb;
SELECT '{"feature": [{"name": "é", "type": 2, "intDomain": {"min": "1", "max": 2e1}, "presence": {"minFraction": "-Infinity", "min_count": null}}]}'::feature_schema;
SELECT jsonb '{"feature": [{"name": "a", "validation_derived_source": {"config": {"allowlist": {"allowed_bytes_value": ["AP8=", "_-8", ""]}}}}]}'::feature_schema;
SELECT 'feature { validation_derived_source { config { allowlist { placeholder_value: "\000\377" } } } }'::feature_schema::jsonb;
SELECT '{"annotation": {"extra_metadata": [{"step": ["a"], "@type": "type.googleapis.com/tensorflow.metadata.v0.Path"}, {"@type": "a/google.protobuf.ListValue", "value": [1, null, {"k": "v"}]}, {}]}}'::feature_schema;
SELECT '{"annotation": {"extra_metadata": [{"step": ["a"], "@type": "type.googleapis.com/tensorflow.metadata.v0.Path"}, {"@type": "a/google.protobuf.ListValue", "value": [1, null, {"k": "v"}]}, {}]}}'::feature_schema::jsonb;
SELECT '{"artifacts": [{"id": "1", "properties": {"a": {"struct_value": {"x": [1, "1", true, null, {}, []]}}, "b": {"int_value": 3}}}], "artifact_types": [{"properties": {"p": "INT", "q": 2}}]}'::lineage_graph::jsonb;
SELECT 'anomaly_info { key: "b" value { severity: ERROR reason { type: SCHEMA_NEW_COLUMN } } } anomaly_info { key: "a" }'::feature_anomalies::jsonb;
-- which casts there are, and when they apply
\pset tuples_only off
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod
FROM pg_cast
WHERE castsource::regtype::text IN ('feature_schema', 'feature_statistics', 'feature_anomalies', 'lineage_graph')
	OR casttarget::regtype::text IN ('feature_schema', 'feature_statistics', 'feature_anomalies', 'lineage_graph')
ORDER BY castsource::regtype::text, casttarget::regtype::text;
\pset tuples_only
CREATE TABLE document (id int PRIMARY KEY, schema feature_schema, raw bytea, json jsonb);
INSERT INTO document (id, schema) SELECT 1, '\x0a030a0161'::bytea;
UPDATE document SET raw = schema, json = schema;
SELECT raw, json FROM document;

-- equal by value, however written: order of fields, packed or not, map entries in any order, a number in more bytes than it needs
SELECT 'feature { name: "a" type: INT }'::feature_schema = 'feature { type: 2, name: "a" }';
SELECT '\x0a0530020a0161'::bytea::feature_schema = '\x0a060a0161308200'::bytea::feature_schema;
SELECT '\x0a0dc2010a12082001200220032004'::bytea::feature_schema = '\x0a0bc201081206220401020304'::bytea::feature_schema;
SELECT 'tensor_representation_group { key: "b" } tensor_representation_group { key: "a" }'::feature_schema = 'tensor_representation_group { key: "a" value { } } tensor_representation_group { key: "b" }';
SELECT 'feature { name: "a" }'::feature_schema = 'feature { name: "b" }', 'feature { name: "a" }'::feature_schema <> 'feature { name: "b" }', ''::feature_schema <> '', ''::feature_schema = NULL;
-- an explicit zero is not the same as none, in proto2; in proto3 it is
SELECT 'feature { presence { min_count: 0 } }'::feature_schema = 'feature { presence { } }', 'datasets { num_examples: 0 }'::feature_statistics = 'datasets { }';
INSERT INTO document (id, schema) VALUES (2, 'feature { name: "a" }'), (3, 'feature { name: "b" }'), (4, NULL);
SELECT (SELECT count(*) FROM (SELECT DISTINCT schema FROM document) d), (SELECT count(*) FROM (SELECT schema FROM document GROUP BY schema) g);
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT a.id, b.id FROM document a JOIN document b USING (schema) ORDER BY 1, 2;
RESET enable_nestloop;
RESET enable_mergejoin;
CREATE INDEX ON document USING hash (schema);
SET enable_seqscan = off;
SELECT id FROM document WHERE schema = 'feature { name: "b" }';
RESET enable_seqscan;
SELECT schema_hash = again, extended <> feature_schema_hash_extended(schema, 2) FROM (SELECT schema, feature_schema_hash(schema) AS schema_hash, feature_schema_hash('feature { name: "b" }') AS again, feature_schema_hash_extended(schema, 1) AS extended FROM document WHERE id = 3) h;

-- a big value is compressed or moved out, and comes back
INSERT INTO document (id, schema) SELECT 5, ('string_domain { name: "d" ' || string_agg(format('value: "%s"', md5(i::text)), ' ') || '}')::feature_schema FROM generate_series(1, 20000) i;
SELECT length(schema::bytea), md5(schema::text), schema = schema::text::feature_schema, schema = schema::jsonb::feature_schema FROM document WHERE id = 5;

-- binary copy out and in again
\copy document (id, schema) to 'results/message.copy' (format binary)
CREATE TABLE copied (id int, schema feature_schema);
\copy copied from 'results/message.copy' (format binary)
SELECT id, copied.schema = document.schema FROM copied JOIN document USING (id) ORDER BY id;
\copy document (id, schema) to 'results/message.copy'
TRUNCATE copied;
\copy copied from 'results/message.copy'
SELECT count(*) FROM copied JOIN document USING (id, schema);

-- unknown fields: a number that no field has, a field with another wire type, a group, an enum's number without a name
CREATE TABLE unknown (v feature_schema);
INSERT INTO unknown VALUES ('\xf80701'::bytea), ('\x0801'::bytea), ('\xfb070801fc07'::bytea), ('\x0a0430113200'::bytea), ('\x0a060a0161f80701'::bytea);
SELECT v::bytea, v::text FROM unknown;
-- text format has no place for them; exact text (extra_float_digits over 1, as pg_dump sets it) carries them in a comment
SET extra_float_digits = 3;
SELECT v FROM unknown;
SELECT v::text::feature_schema = v FROM unknown;
SELECT 'feature { name: "a" }'::feature_schema;
SET extra_float_digits = 1;
-- a comment that does not belong to the text before is only a comment
SELECT E'feature {\n  name: "b"\n}\n# wire: CgYKAWH4BwE=\n'::feature_schema::bytea, E'# wire: nonsense'::feature_schema::bytea;

-- soft errors (PostgreSQL 16 and later)
CREATE FUNCTION is_valid(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	valid boolean;
BEGIN
	IF current_setting('server_version_num')::int < 160000 THEN
		RETURN value = 'feature { }';
	END IF;
	EXECUTE 'SELECT pg_input_is_valid($1, $2)' INTO valid USING value, type;
	RETURN valid;
END $$;
SELECT is_valid('feature { }', 'feature_schema'), is_valid('feature {', 'feature_schema'), is_valid('{"feature": 1}', 'feature_schema'), is_valid('{"feature"', 'lineage_graph'),
	is_valid(repeat('feature { struct_domain { ', 51), 'feature_schema');

-- all of it with an empty search_path
SELECT n.nspname AS fm FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'feature_meta' \gset
SET search_path = '';
SELECT (('feature { name: "a" }'::text)::public.feature_schema)::pg_catalog.jsonb, ('{"feature": []}'::pg_catalog.jsonb)::public.feature_schema OPERATOR(public.=) ''::public.feature_schema,
	(pg_catalog.jsonb '{}')::public.lineage_graph::bytea;
SELECT pg_catalog.count(*) FROM (SELECT DISTINCT schema FROM public.document) d;
RESET search_path;
DROP TABLE document, copied, unknown;
