-- Schema on read: documents of a lake as typed columns.

CREATE FUNCTION read_as(document jsonb, schema feature_schema, environment text DEFAULT NULL) RETURNS record
	AS 'MODULE_PATHNAME', 'feature_meta_read_as' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION read_as(jsonb, feature_schema, text) IS
	'a document as the columns that the call lists, AS r(name type, ...); a value that does not fit is null, and a column of type feature_anomalies says what is wrong';
CREATE FUNCTION create_view_from_schema("view" text, relation regclass, document text, schema feature_schema DEFAULT NULL,
	environment text DEFAULT NULL)
	RETURNS regclass
	AS 'MODULE_PATHNAME', 'feature_meta_create_view_from_schema' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION create_view_from_schema(text, regclass, text, feature_schema, text) IS
	'creates a view of a relation with a column for each feature, read from its jsonb column document, and the anomalies; without a schema the registered one, then the view checks by the newest version';
