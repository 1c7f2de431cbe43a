-- Protobuf messages as types: text format in and out, wire bytes in binary. A value is stored as the canonical wire bytes,
-- so bytea's functions compare and hash it.

CREATE TYPE feature_schema;
COMMENT ON TYPE feature_schema IS 'TensorFlow Metadata Schema (tensorflow.metadata.v0.Schema): what is expected of a data set';

CREATE FUNCTION feature_schema_in(cstring) RETURNS feature_schema
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_in(cstring) IS 'I/O: protobuf text format or JSON';
CREATE FUNCTION feature_schema_out(feature_schema) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_out(feature_schema) IS 'I/O: protobuf text format';
CREATE FUNCTION feature_schema_recv(internal) RETURNS feature_schema
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_recv(internal) IS 'I/O: protobuf wire bytes';
CREATE FUNCTION feature_schema_send(feature_schema) RETURNS bytea
	AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_send(feature_schema) IS 'I/O: protobuf wire bytes';

CREATE TYPE feature_schema (
	INPUT = feature_schema_in, OUTPUT = feature_schema_out, RECEIVE = feature_schema_recv, SEND = feature_schema_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);

CREATE FUNCTION feature_schema(bytea) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_schema_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema(bytea) IS 'reads protobuf wire bytes';
CREATE CAST (bytea AS feature_schema) WITH FUNCTION feature_schema(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS feature_schema) IS 'from protobuf wire bytes';
CREATE CAST (feature_schema AS bytea) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (feature_schema AS bytea) IS 'to protobuf wire bytes';

CREATE FUNCTION feature_schema(jsonb) RETURNS feature_schema
	AS 'MODULE_PATHNAME', 'feature_schema_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema(jsonb) IS 'reads protobuf JSON';
CREATE CAST (jsonb AS feature_schema) WITH FUNCTION feature_schema(jsonb);
COMMENT ON CAST (jsonb AS feature_schema) IS 'from protobuf JSON';
CREATE FUNCTION jsonb(feature_schema) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'feature_schema_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb(feature_schema) IS 'protobuf JSON with original field names';
CREATE CAST (feature_schema AS jsonb) WITH FUNCTION jsonb(feature_schema) AS ASSIGNMENT;
COMMENT ON CAST (feature_schema AS jsonb) IS 'to protobuf JSON';

CREATE FUNCTION feature_schema_eq(feature_schema, feature_schema) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_eq(feature_schema, feature_schema) IS 'implementation of = operator';
CREATE FUNCTION feature_schema_ne(feature_schema, feature_schema) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_ne(feature_schema, feature_schema) IS 'implementation of <> operator';
CREATE FUNCTION feature_schema_hash(feature_schema) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_hash(feature_schema) IS 'hash';
CREATE FUNCTION feature_schema_hash_extended(feature_schema, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_schema_hash_extended(feature_schema, bigint) IS 'hash with a seed';
CREATE OPERATOR = (
	LEFTARG = feature_schema, RIGHTARG = feature_schema, FUNCTION = feature_schema_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (feature_schema, feature_schema) IS 'equal by value';
CREATE OPERATOR <> (
	LEFTARG = feature_schema, RIGHTARG = feature_schema, FUNCTION = feature_schema_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (feature_schema, feature_schema) IS 'not equal by value';
CREATE OPERATOR CLASS feature_schema_ops DEFAULT FOR TYPE feature_schema USING hash AS
	OPERATOR 1 =, FUNCTION 1 feature_schema_hash(feature_schema), FUNCTION 2 feature_schema_hash_extended(feature_schema, bigint);
COMMENT ON OPERATOR CLASS feature_schema_ops USING hash IS 'equality of messages by value';
COMMENT ON OPERATOR FAMILY feature_schema_ops USING hash IS 'equality of messages by value';

CREATE TYPE feature_statistics;
COMMENT ON TYPE feature_statistics IS 'statistics of data sets (tensorflow.metadata.v0.DatasetFeatureStatisticsList)';

CREATE FUNCTION feature_statistics_in(cstring) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_in(cstring) IS 'I/O: protobuf text format or JSON';
CREATE FUNCTION feature_statistics_out(feature_statistics) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_out(feature_statistics) IS 'I/O: protobuf text format';
CREATE FUNCTION feature_statistics_recv(internal) RETURNS feature_statistics
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_recv(internal) IS 'I/O: protobuf wire bytes';
CREATE FUNCTION feature_statistics_send(feature_statistics) RETURNS bytea
	AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_send(feature_statistics) IS 'I/O: protobuf wire bytes';

CREATE TYPE feature_statistics (
	INPUT = feature_statistics_in, OUTPUT = feature_statistics_out, RECEIVE = feature_statistics_recv, SEND = feature_statistics_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);

CREATE FUNCTION feature_statistics(bytea) RETURNS feature_statistics
	AS 'MODULE_PATHNAME', 'feature_statistics_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics(bytea) IS 'reads protobuf wire bytes';
CREATE CAST (bytea AS feature_statistics) WITH FUNCTION feature_statistics(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS feature_statistics) IS 'from protobuf wire bytes';
CREATE CAST (feature_statistics AS bytea) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (feature_statistics AS bytea) IS 'to protobuf wire bytes';

CREATE FUNCTION feature_statistics(jsonb) RETURNS feature_statistics
	AS 'MODULE_PATHNAME', 'feature_statistics_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics(jsonb) IS 'reads protobuf JSON';
CREATE CAST (jsonb AS feature_statistics) WITH FUNCTION feature_statistics(jsonb);
COMMENT ON CAST (jsonb AS feature_statistics) IS 'from protobuf JSON';
CREATE FUNCTION jsonb(feature_statistics) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'feature_statistics_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb(feature_statistics) IS 'protobuf JSON with original field names';
CREATE CAST (feature_statistics AS jsonb) WITH FUNCTION jsonb(feature_statistics) AS ASSIGNMENT;
COMMENT ON CAST (feature_statistics AS jsonb) IS 'to protobuf JSON';

CREATE FUNCTION feature_statistics_eq(feature_statistics, feature_statistics) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_eq(feature_statistics, feature_statistics) IS 'implementation of = operator';
CREATE FUNCTION feature_statistics_ne(feature_statistics, feature_statistics) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_ne(feature_statistics, feature_statistics) IS 'implementation of <> operator';
CREATE FUNCTION feature_statistics_hash(feature_statistics) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_hash(feature_statistics) IS 'hash';
CREATE FUNCTION feature_statistics_hash_extended(feature_statistics, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_statistics_hash_extended(feature_statistics, bigint) IS 'hash with a seed';
CREATE OPERATOR = (
	LEFTARG = feature_statistics, RIGHTARG = feature_statistics, FUNCTION = feature_statistics_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (feature_statistics, feature_statistics) IS 'equal by value';
CREATE OPERATOR <> (
	LEFTARG = feature_statistics, RIGHTARG = feature_statistics, FUNCTION = feature_statistics_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (feature_statistics, feature_statistics) IS 'not equal by value';
CREATE OPERATOR CLASS feature_statistics_ops DEFAULT FOR TYPE feature_statistics USING hash AS
	OPERATOR 1 =, FUNCTION 1 feature_statistics_hash(feature_statistics), FUNCTION 2 feature_statistics_hash_extended(feature_statistics, bigint);
COMMENT ON OPERATOR CLASS feature_statistics_ops USING hash IS 'equality of messages by value';
COMMENT ON OPERATOR FAMILY feature_statistics_ops USING hash IS 'equality of messages by value';

CREATE TYPE feature_anomalies;
COMMENT ON TYPE feature_anomalies IS 'what is wrong with a data set (tensorflow.metadata.v0.Anomalies)';

CREATE FUNCTION feature_anomalies_in(cstring) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_in(cstring) IS 'I/O: protobuf text format or JSON';
CREATE FUNCTION feature_anomalies_out(feature_anomalies) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_out(feature_anomalies) IS 'I/O: protobuf text format';
CREATE FUNCTION feature_anomalies_recv(internal) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_recv(internal) IS 'I/O: protobuf wire bytes';
CREATE FUNCTION feature_anomalies_send(feature_anomalies) RETURNS bytea
	AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_send(feature_anomalies) IS 'I/O: protobuf wire bytes';

CREATE TYPE feature_anomalies (
	INPUT = feature_anomalies_in, OUTPUT = feature_anomalies_out, RECEIVE = feature_anomalies_recv, SEND = feature_anomalies_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);

CREATE FUNCTION feature_anomalies(bytea) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME', 'feature_anomalies_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies(bytea) IS 'reads protobuf wire bytes';
CREATE CAST (bytea AS feature_anomalies) WITH FUNCTION feature_anomalies(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS feature_anomalies) IS 'from protobuf wire bytes';
CREATE CAST (feature_anomalies AS bytea) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (feature_anomalies AS bytea) IS 'to protobuf wire bytes';

CREATE FUNCTION feature_anomalies(jsonb) RETURNS feature_anomalies
	AS 'MODULE_PATHNAME', 'feature_anomalies_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies(jsonb) IS 'reads protobuf JSON';
CREATE CAST (jsonb AS feature_anomalies) WITH FUNCTION feature_anomalies(jsonb);
COMMENT ON CAST (jsonb AS feature_anomalies) IS 'from protobuf JSON';
CREATE FUNCTION jsonb(feature_anomalies) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'feature_anomalies_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb(feature_anomalies) IS 'protobuf JSON with original field names';
CREATE CAST (feature_anomalies AS jsonb) WITH FUNCTION jsonb(feature_anomalies) AS ASSIGNMENT;
COMMENT ON CAST (feature_anomalies AS jsonb) IS 'to protobuf JSON';

CREATE FUNCTION feature_anomalies_eq(feature_anomalies, feature_anomalies) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_eq(feature_anomalies, feature_anomalies) IS 'implementation of = operator';
CREATE FUNCTION feature_anomalies_ne(feature_anomalies, feature_anomalies) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_ne(feature_anomalies, feature_anomalies) IS 'implementation of <> operator';
CREATE FUNCTION feature_anomalies_hash(feature_anomalies) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_hash(feature_anomalies) IS 'hash';
CREATE FUNCTION feature_anomalies_hash_extended(feature_anomalies, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_anomalies_hash_extended(feature_anomalies, bigint) IS 'hash with a seed';
CREATE OPERATOR = (
	LEFTARG = feature_anomalies, RIGHTARG = feature_anomalies, FUNCTION = feature_anomalies_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (feature_anomalies, feature_anomalies) IS 'equal by value';
CREATE OPERATOR <> (
	LEFTARG = feature_anomalies, RIGHTARG = feature_anomalies, FUNCTION = feature_anomalies_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (feature_anomalies, feature_anomalies) IS 'not equal by value';
CREATE OPERATOR CLASS feature_anomalies_ops DEFAULT FOR TYPE feature_anomalies USING hash AS
	OPERATOR 1 =, FUNCTION 1 feature_anomalies_hash(feature_anomalies), FUNCTION 2 feature_anomalies_hash_extended(feature_anomalies, bigint);
COMMENT ON OPERATOR CLASS feature_anomalies_ops USING hash IS 'equality of messages by value';
COMMENT ON OPERATOR FAMILY feature_anomalies_ops USING hash IS 'equality of messages by value';

CREATE TYPE lineage_graph;
COMMENT ON TYPE lineage_graph IS 'artifacts, executions, contexts and how they hang together (ml_metadata.LineageGraph)';

CREATE FUNCTION lineage_graph_in(cstring) RETURNS lineage_graph
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_in(cstring) IS 'I/O: protobuf text format or JSON';
CREATE FUNCTION lineage_graph_out(lineage_graph) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_out(lineage_graph) IS 'I/O: protobuf text format';
CREATE FUNCTION lineage_graph_recv(internal) RETURNS lineage_graph
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_recv(internal) IS 'I/O: protobuf wire bytes';
CREATE FUNCTION lineage_graph_send(lineage_graph) RETURNS bytea
	AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_send(lineage_graph) IS 'I/O: protobuf wire bytes';

CREATE TYPE lineage_graph (
	INPUT = lineage_graph_in, OUTPUT = lineage_graph_out, RECEIVE = lineage_graph_recv, SEND = lineage_graph_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);

CREATE FUNCTION lineage_graph(bytea) RETURNS lineage_graph
	AS 'MODULE_PATHNAME', 'lineage_graph_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph(bytea) IS 'reads protobuf wire bytes';
CREATE CAST (bytea AS lineage_graph) WITH FUNCTION lineage_graph(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS lineage_graph) IS 'from protobuf wire bytes';
CREATE CAST (lineage_graph AS bytea) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (lineage_graph AS bytea) IS 'to protobuf wire bytes';

CREATE FUNCTION lineage_graph(jsonb) RETURNS lineage_graph
	AS 'MODULE_PATHNAME', 'lineage_graph_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph(jsonb) IS 'reads protobuf JSON';
CREATE CAST (jsonb AS lineage_graph) WITH FUNCTION lineage_graph(jsonb);
COMMENT ON CAST (jsonb AS lineage_graph) IS 'from protobuf JSON';
CREATE FUNCTION jsonb(lineage_graph) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'lineage_graph_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb(lineage_graph) IS 'protobuf JSON with original field names';
CREATE CAST (lineage_graph AS jsonb) WITH FUNCTION jsonb(lineage_graph) AS ASSIGNMENT;
COMMENT ON CAST (lineage_graph AS jsonb) IS 'to protobuf JSON';

CREATE FUNCTION lineage_graph_eq(lineage_graph, lineage_graph) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_eq(lineage_graph, lineage_graph) IS 'implementation of = operator';
CREATE FUNCTION lineage_graph_ne(lineage_graph, lineage_graph) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_ne(lineage_graph, lineage_graph) IS 'implementation of <> operator';
CREATE FUNCTION lineage_graph_hash(lineage_graph) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_hash(lineage_graph) IS 'hash';
CREATE FUNCTION lineage_graph_hash_extended(lineage_graph, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lineage_graph_hash_extended(lineage_graph, bigint) IS 'hash with a seed';
CREATE OPERATOR = (
	LEFTARG = lineage_graph, RIGHTARG = lineage_graph, FUNCTION = lineage_graph_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (lineage_graph, lineage_graph) IS 'equal by value';
CREATE OPERATOR <> (
	LEFTARG = lineage_graph, RIGHTARG = lineage_graph, FUNCTION = lineage_graph_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (lineage_graph, lineage_graph) IS 'not equal by value';
CREATE OPERATOR CLASS lineage_graph_ops DEFAULT FOR TYPE lineage_graph USING hash AS
	OPERATOR 1 =, FUNCTION 1 lineage_graph_hash(lineage_graph), FUNCTION 2 lineage_graph_hash_extended(lineage_graph, bigint);
COMMENT ON OPERATOR CLASS lineage_graph_ops USING hash IS 'equality of messages by value';
COMMENT ON OPERATOR FAMILY lineage_graph_ops USING hash IS 'equality of messages by value';
