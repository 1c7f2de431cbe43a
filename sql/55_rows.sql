-- Rows against a schema: which ones do not conform, and keeping them out.

CREATE FUNCTION row_anomalies("row" record, schema feature_schema, environment text DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME', 'feature_meta_row_anomalies' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION row_anomalies(record, feature_schema, text) IS
	'what is wrong with a row, as TFDV''s validate_instance says it; a NULL in a required column too';
CREATE FUNCTION row_anomalies(document jsonb, schema feature_schema, environment text DEFAULT NULL) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME', 'feature_meta_document_anomalies' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION row_anomalies(jsonb, feature_schema, text) IS
	'what is wrong with a document whose keys are the features; a key that is not there is a NULL';
CREATE FUNCTION is_valid_row("row" record, schema feature_schema, environment text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'feature_meta_is_valid_row' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION is_valid_row(record, feature_schema, text) IS
	'does a row conform to a schema: are there no row_anomalies';
CREATE FUNCTION is_valid_row(document jsonb, schema feature_schema, environment text DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'feature_meta_is_valid_document' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION is_valid_row(jsonb, feature_schema, text) IS
	'does a document conform to a schema: are there no row_anomalies';
CREATE FUNCTION are_valid_columns(relation regclass, schema feature_schema, environment text, VARIADIC columns "any") RETURNS boolean
	AS 'MODULE_PATHNAME', 'feature_meta_are_valid_columns' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION are_valid_columns(regclass, feature_schema, text, "any") IS
	'is_valid_row for the columns of a relation given one by one; anomalous_rows filters by it';

CREATE FUNCTION anomalous_rows(relation regclass, schema feature_schema DEFAULT NULL, "limit" bigint DEFAULT NULL,
	environment text DEFAULT NULL, filter text DEFAULT NULL,
	OUT ctid tid, OUT key jsonb, OUT "column" text, OUT value text, OUT reason text, OUT short_description text, OUT description text,
	OUT tableoid regclass)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_anomalous_rows' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION anomalous_rows(regclass, feature_schema, bigint, text, text) IS
	'the rows of a relation that do not conform to a schema (the registered one by default), a row for each reason; limit counts the relation''s rows';

-- Schema on write: a trigger that keeps a table to its registered schema.

CREATE TABLE feature_meta.quarantined_row (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	relation regclass NOT NULL,
	"row" jsonb NOT NULL,
	anomalies @extschema@.feature_anomalies NOT NULL,
	quarantined_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	quarantined_by text NOT NULL DEFAULT CURRENT_USER
);
COMMENT ON TABLE feature_meta.quarantined_row IS 'rows that enforce_schema(..., action => ''quarantine'') kept out of their table';
COMMENT ON COLUMN feature_meta.quarantined_row.id IS 'in the order of arrival';
COMMENT ON COLUMN feature_meta.quarantined_row.relation IS 'the table that the row was for; of partitions the topmost';
COMMENT ON COLUMN feature_meta.quarantined_row."row" IS 'the row as it would have been stored; jsonb_populate_record makes it a row again';
COMMENT ON COLUMN feature_meta.quarantined_row.anomalies IS 'what is wrong with it';
COMMENT ON COLUMN feature_meta.quarantined_row.quarantined_at IS 'when';
COMMENT ON COLUMN feature_meta.quarantined_row.quarantined_by IS 'the role that wrote it';
CREATE INDEX quarantined_row_relation ON feature_meta.quarantined_row (relation, id);
COMMENT ON INDEX feature_meta.quarantined_row_relation IS 'the rows of one table';

ALTER TABLE feature_meta.quarantined_row ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, DELETE ON feature_meta.quarantined_row TO PUBLIC;
CREATE POLICY quarantined_row_write ON feature_meta.quarantined_row FOR INSERT
	WITH CHECK ((pg_catalog.has_any_column_privilege(relation, 'INSERT') OR pg_catalog.has_any_column_privilege(relation, 'UPDATE'))
		AND quarantined_by OPERATOR(pg_catalog.=) CURRENT_USER);
COMMENT ON POLICY quarantined_row_write ON feature_meta.quarantined_row IS 'who may write to the table, in the own name';
CREATE POLICY quarantined_row_read ON feature_meta.quarantined_row FOR SELECT
	USING (pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relation), 'USAGE'));
COMMENT ON POLICY quarantined_row_read ON feature_meta.quarantined_row IS 'the owner of the table';
CREATE POLICY quarantined_row_delete ON feature_meta.quarantined_row FOR DELETE
	USING (pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relation), 'USAGE'));
COMMENT ON POLICY quarantined_row_delete ON feature_meta.quarantined_row IS 'the owner of the table, when the row is dealt with';
SELECT pg_catalog.pg_extension_config_dump('feature_meta.quarantined_row',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = relation AND c.relpersistence <> ''t'')');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.quarantined_row_id_seq', '');

CREATE FUNCTION enforce_schema_trigger() RETURNS trigger
	AS 'MODULE_PATHNAME', 'feature_meta_enforce_schema_trigger' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION enforce_schema_trigger() IS
	'trigger that enforce_schema creates; arguments: action, environment';
CREATE FUNCTION enforce_schema(relation regclass, environment text DEFAULT NULL, action text DEFAULT 'reject') RETURNS void
	AS 'MODULE_PATHNAME', 'feature_meta_enforce_schema' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION enforce_schema(regclass, text, text) IS
	'keeps a table to its registered schema from now on: a row that does not conform is rejected, moved to feature_meta.quarantined_row or warned of (reject, quarantine, warn; off: no more)';
