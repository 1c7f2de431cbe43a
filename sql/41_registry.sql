-- The schemas of relations, by version. A version is never changed; register_schema adds the next one.

CREATE TABLE feature_meta.registered_schema (
	relation regclass NOT NULL,
	version integer NOT NULL CHECK (version > 0),
	schema @extschema@.feature_schema NOT NULL,
	registered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	registered_by text NOT NULL DEFAULT CURRENT_USER,
	comment text,
	PRIMARY KEY (relation, version)
);
COMMENT ON TABLE feature_meta.registered_schema IS 'versions of the schema of a relation, written by register_schema';
COMMENT ON COLUMN feature_meta.registered_schema.relation IS 'the table or view that the schema describes';
COMMENT ON COLUMN feature_meta.registered_schema.version IS 'from 1 on, without gaps';
COMMENT ON COLUMN feature_meta.registered_schema.schema IS 'what is expected of the relation';
COMMENT ON COLUMN feature_meta.registered_schema.registered_at IS 'when; in the order of the versions';
COMMENT ON COLUMN feature_meta.registered_schema.registered_by IS 'the role that registered it';
COMMENT ON COLUMN feature_meta.registered_schema.comment IS 'what for, or what changed';

ALTER TABLE feature_meta.registered_schema ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON feature_meta.registered_schema TO PUBLIC;
-- A schema lists values of its relation, so who may read the relation may read it.
CREATE POLICY registered_schema_read ON feature_meta.registered_schema FOR SELECT
	USING (pg_catalog.has_table_privilege(relation, 'SELECT')
		OR pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relation), 'USAGE'));
COMMENT ON POLICY registered_schema_read ON feature_meta.registered_schema IS 'who may read the relation';
CREATE POLICY registered_schema_write ON feature_meta.registered_schema FOR INSERT
	WITH CHECK (pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relation), 'USAGE')
		AND registered_by OPERATOR(pg_catalog.=) CURRENT_USER);
COMMENT ON POLICY registered_schema_write ON feature_meta.registered_schema IS 'the owner of the relation, in the own name';
-- Rows of relations that are gone, or that no dump holds, stay behind.
SELECT pg_catalog.pg_extension_config_dump('feature_meta.registered_schema',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = relation AND c.relpersistence <> ''t'')');

CREATE FUNCTION register_schema(relation regclass, schema feature_schema, comment text DEFAULT NULL) RETURNS integer
	AS 'MODULE_PATHNAME', 'feature_meta_register_schema' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION register_schema(regclass, feature_schema, text) IS
	'keeps a schema for a relation as its newest version and returns the version; the owner of the relation may';
CREATE FUNCTION registered_schema(relation regclass, version integer DEFAULT NULL) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_registered_schema' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION registered_schema(regclass, integer) IS
	'the schema kept for a relation, the newest unless a version is given; a partition without one has its parent''s';
CREATE FUNCTION schema_as_of(relation regclass, at timestamptz) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_meta_schema_as_of' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION schema_as_of(regclass, timestamptz) IS
	'the schema that was the newest one kept for a relation at that time';
