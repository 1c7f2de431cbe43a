-- Getting types, nodes and edges. The views are what the functions return; they run with the rights of who reads them.

CREATE FUNCTION mlmd_property_value(int_value bigint, double_value double precision, string_value text, proto_value bytea, bool_value boolean)
		RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mlmd_property_value(bigint, double precision, text, bytea, boolean) IS
	'the value of a row of a property table as jsonb, in the form in which put_artifact takes it: a STRUCT as an object, a PROTO as {"@type", "value": base64}; NULL if all are NULL';

CREATE FUNCTION mlmd_artifact_state(state integer) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE state WHEN 0 THEN 'UNKNOWN' WHEN 1 THEN 'PENDING' WHEN 2 THEN 'LIVE' WHEN 3 THEN 'MARKED_FOR_DELETION' WHEN 4 THEN 'DELETED'
		WHEN 5 THEN 'ABANDONED' WHEN 6 THEN 'REFERENCE' ELSE state::text END;
COMMENT ON FUNCTION mlmd_artifact_state(integer) IS 'name of an ml_metadata.Artifact.State';

CREATE FUNCTION mlmd_execution_state(state integer) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE state WHEN 0 THEN 'UNKNOWN' WHEN 1 THEN 'NEW' WHEN 2 THEN 'RUNNING' WHEN 3 THEN 'COMPLETE' WHEN 4 THEN 'FAILED'
		WHEN 5 THEN 'CACHED' WHEN 6 THEN 'CANCELED' ELSE state::text END;
COMMENT ON FUNCTION mlmd_execution_state(integer) IS 'name of an ml_metadata.Execution.State';

CREATE FUNCTION mlmd_event_type(type integer) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE type WHEN 0 THEN 'UNKNOWN' WHEN 1 THEN 'DECLARED_OUTPUT' WHEN 2 THEN 'DECLARED_INPUT' WHEN 3 THEN 'INPUT' WHEN 4 THEN 'OUTPUT'
		WHEN 5 THEN 'INTERNAL_INPUT' WHEN 6 THEN 'INTERNAL_OUTPUT' WHEN 7 THEN 'PENDING_OUTPUT' ELSE type::text END;
COMMENT ON FUNCTION mlmd_event_type(integer) IS 'name of an ml_metadata.Event.Type';

CREATE FUNCTION mlmd_property_kind(data_type integer) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE data_type WHEN 1 THEN 'INT' WHEN 2 THEN 'DOUBLE' WHEN 3 THEN 'STRING' WHEN 4 THEN 'STRUCT' WHEN 5 THEN 'PROTO' WHEN 6 THEN 'BOOLEAN'
		ELSE data_type::text END;
COMMENT ON FUNCTION mlmd_property_kind(integer) IS 'name of an ml_metadata.PropertyType';

