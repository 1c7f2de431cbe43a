-- What one pass over rows remembers: the type feature_sketch and its aggregates.

CREATE TYPE feature_sketch;
CREATE FUNCTION feature_sketch_in(cstring) RETURNS feature_sketch
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_sketch_in(cstring) IS 'I/O';
CREATE FUNCTION feature_sketch_out(feature_sketch) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_sketch_out(feature_sketch) IS 'I/O';
CREATE FUNCTION feature_sketch_recv(internal) RETURNS feature_sketch
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_sketch_recv(internal) IS 'I/O';
CREATE FUNCTION feature_sketch_send(feature_sketch) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_sketch_send(feature_sketch) IS 'I/O';
CREATE TYPE feature_sketch (
	INPUT = feature_sketch_in, OUTPUT = feature_sketch_out, RECEIVE = feature_sketch_recv, SEND = feature_sketch_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE feature_sketch IS 'what one pass over rows remembers, of a column or of a table: mergeable, exact while small';

-- merging

CREATE FUNCTION merge_sketches_add(feature_sketch, feature_sketch) RETURNS feature_sketch
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION merge_sketches_add(feature_sketch, feature_sketch) IS 'transition and combine function of the aggregates whose state is a feature_sketch';
CREATE AGGREGATE merge_sketches(feature_sketch) (
	SFUNC = merge_sketches_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE merge_sketches(feature_sketch) IS 'sketch of all the rows of the sketches; NULLs are left out';
CREATE FUNCTION merge(a feature_sketch, b feature_sketch) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'feature_sketch_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION merge(feature_sketch, feature_sketch) IS 'sketch of the rows of both';
CREATE FUNCTION combine_columns(VARIADIC sketches feature_sketch[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'feature_sketch_combine_columns' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION combine_columns(feature_sketch[]) IS 'one sketch of the columns of all, which must be of the same rows: for tables with more columns than an aggregate takes';

-- a column: the state is the sketch itself, one aggregate a type

CREATE FUNCTION column_sketch_add(feature_sketch, boolean) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_bool' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, boolean) IS 'transition function of column_sketch(boolean)';
CREATE AGGREGATE column_sketch(value boolean) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(boolean) IS 'sketch of a column of type boolean; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, smallint) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int2' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, smallint) IS 'transition function of column_sketch(smallint)';
CREATE AGGREGATE column_sketch(value smallint) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(smallint) IS 'sketch of a column of type smallint; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, integer) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int4' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, integer) IS 'transition function of column_sketch(integer)';
CREATE AGGREGATE column_sketch(value integer) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(integer) IS 'sketch of a column of type integer; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, bigint) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int8' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, bigint) IS 'transition function of column_sketch(bigint)';
CREATE AGGREGATE column_sketch(value bigint) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(bigint) IS 'sketch of a column of type bigint; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, real) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float4' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, real) IS 'transition function of column_sketch(real)';
CREATE AGGREGATE column_sketch(value real) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(real) IS 'sketch of a column of type real; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float8' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, double precision) IS 'transition function of column_sketch(double precision)';
CREATE AGGREGATE column_sketch(value double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(double precision) IS 'sketch of a column of type double precision; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, numeric) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_numeric' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, numeric) IS 'transition function of column_sketch(numeric)';
CREATE AGGREGATE column_sketch(value numeric) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(numeric) IS 'sketch of a column of type numeric; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, text) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_text' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, text) IS 'transition function of column_sketch(text)';
CREATE AGGREGATE column_sketch(value text) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(text) IS 'sketch of a column of type text; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, bytea) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_bytea' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, bytea) IS 'transition function of column_sketch(bytea)';
CREATE AGGREGATE column_sketch(value bytea) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(bytea) IS 'sketch of a column of type bytea; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, date) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_date' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, date) IS 'transition function of column_sketch(date)';
CREATE AGGREGATE column_sketch(value date) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(date) IS 'sketch of a column of type date; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, time) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_time' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, time) IS 'transition function of column_sketch(time)';
CREATE AGGREGATE column_sketch(value time) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(time) IS 'sketch of a column of type time; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, timestamp) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_timestamp' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, timestamp) IS 'transition function of column_sketch(timestamp)';
CREATE AGGREGATE column_sketch(value timestamp) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(timestamp) IS 'sketch of a column of type timestamp; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, timestamptz) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_timestamptz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, timestamptz) IS 'transition function of column_sketch(timestamptz)';
CREATE AGGREGATE column_sketch(value timestamptz) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(timestamptz) IS 'sketch of a column of type timestamptz; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, uuid) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_uuid' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, uuid) IS 'transition function of column_sketch(uuid)';
CREATE AGGREGATE column_sketch(value uuid) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(uuid) IS 'sketch of a column of type uuid; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, jsonb) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_jsonb' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, jsonb) IS 'transition function of column_sketch(jsonb)';
CREATE AGGREGATE column_sketch(value jsonb) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(jsonb) IS 'sketch of a column of type jsonb; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, boolean[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_bool_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, boolean[]) IS 'transition function of column_sketch(boolean[])';
CREATE AGGREGATE column_sketch(value boolean[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(boolean[]) IS 'sketch of a column of type boolean[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, smallint[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int2_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, smallint[]) IS 'transition function of column_sketch(smallint[])';
CREATE AGGREGATE column_sketch(value smallint[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(smallint[]) IS 'sketch of a column of type smallint[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, integer[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int4_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, integer[]) IS 'transition function of column_sketch(integer[])';
CREATE AGGREGATE column_sketch(value integer[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(integer[]) IS 'sketch of a column of type integer[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, bigint[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int8_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, bigint[]) IS 'transition function of column_sketch(bigint[])';
CREATE AGGREGATE column_sketch(value bigint[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(bigint[]) IS 'sketch of a column of type bigint[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, real[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float4_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, real[]) IS 'transition function of column_sketch(real[])';
CREATE AGGREGATE column_sketch(value real[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(real[]) IS 'sketch of a column of type real[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, double precision[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float8_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, double precision[]) IS 'transition function of column_sketch(double precision[])';
CREATE AGGREGATE column_sketch(value double precision[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(double precision[]) IS 'sketch of a column of type double precision[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, text[]) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_text_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, text[]) IS 'transition function of column_sketch(text[])';
CREATE AGGREGATE column_sketch(value text[]) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(text[]) IS 'sketch of a column of type text[]; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, boolean, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_bool' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, boolean, double precision) IS 'transition function of column_sketch(boolean, double precision)';
CREATE AGGREGATE column_sketch(value boolean, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(boolean, double precision) IS 'sketch of a column of type boolean, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, smallint, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int2' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, smallint, double precision) IS 'transition function of column_sketch(smallint, double precision)';
CREATE AGGREGATE column_sketch(value smallint, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(smallint, double precision) IS 'sketch of a column of type smallint, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, integer, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int4' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, integer, double precision) IS 'transition function of column_sketch(integer, double precision)';
CREATE AGGREGATE column_sketch(value integer, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(integer, double precision) IS 'sketch of a column of type integer, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, bigint, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int8' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, bigint, double precision) IS 'transition function of column_sketch(bigint, double precision)';
CREATE AGGREGATE column_sketch(value bigint, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(bigint, double precision) IS 'sketch of a column of type bigint, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, real, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float4' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, real, double precision) IS 'transition function of column_sketch(real, double precision)';
CREATE AGGREGATE column_sketch(value real, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(real, double precision) IS 'sketch of a column of type real, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, double precision, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float8' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, double precision, double precision) IS 'transition function of column_sketch(double precision, double precision)';
CREATE AGGREGATE column_sketch(value double precision, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(double precision, double precision) IS 'sketch of a column of type double precision, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, numeric, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_numeric' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, numeric, double precision) IS 'transition function of column_sketch(numeric, double precision)';
CREATE AGGREGATE column_sketch(value numeric, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(numeric, double precision) IS 'sketch of a column of type numeric, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, text, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_text' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, text, double precision) IS 'transition function of column_sketch(text, double precision)';
CREATE AGGREGATE column_sketch(value text, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(text, double precision) IS 'sketch of a column of type text, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, bytea, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_bytea' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, bytea, double precision) IS 'transition function of column_sketch(bytea, double precision)';
CREATE AGGREGATE column_sketch(value bytea, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(bytea, double precision) IS 'sketch of a column of type bytea, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, date, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_date' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, date, double precision) IS 'transition function of column_sketch(date, double precision)';
CREATE AGGREGATE column_sketch(value date, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(date, double precision) IS 'sketch of a column of type date, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, time, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_time' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, time, double precision) IS 'transition function of column_sketch(time, double precision)';
CREATE AGGREGATE column_sketch(value time, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(time, double precision) IS 'sketch of a column of type time, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, timestamp, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_timestamp' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, timestamp, double precision) IS 'transition function of column_sketch(timestamp, double precision)';
CREATE AGGREGATE column_sketch(value timestamp, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(timestamp, double precision) IS 'sketch of a column of type timestamp, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, timestamptz, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_timestamptz' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, timestamptz, double precision) IS 'transition function of column_sketch(timestamptz, double precision)';
CREATE AGGREGATE column_sketch(value timestamptz, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(timestamptz, double precision) IS 'sketch of a column of type timestamptz, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, uuid, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_uuid' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, uuid, double precision) IS 'transition function of column_sketch(uuid, double precision)';
CREATE AGGREGATE column_sketch(value uuid, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(uuid, double precision) IS 'sketch of a column of type uuid, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, jsonb, double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_jsonb' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, jsonb, double precision) IS 'transition function of column_sketch(jsonb, double precision)';
CREATE AGGREGATE column_sketch(value jsonb, weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(jsonb, double precision) IS 'sketch of a column of type jsonb, each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, boolean[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_bool_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, boolean[], double precision) IS 'transition function of column_sketch(boolean[], double precision)';
CREATE AGGREGATE column_sketch(value boolean[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(boolean[], double precision) IS 'sketch of a column of type boolean[], each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, smallint[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int2_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, smallint[], double precision) IS 'transition function of column_sketch(smallint[], double precision)';
CREATE AGGREGATE column_sketch(value smallint[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(smallint[], double precision) IS 'sketch of a column of type smallint[], each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, integer[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int4_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, integer[], double precision) IS 'transition function of column_sketch(integer[], double precision)';
CREATE AGGREGATE column_sketch(value integer[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(integer[], double precision) IS 'sketch of a column of type integer[], each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, bigint[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_int8_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, bigint[], double precision) IS 'transition function of column_sketch(bigint[], double precision)';
CREATE AGGREGATE column_sketch(value bigint[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(bigint[], double precision) IS 'sketch of a column of type bigint[], each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, real[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float4_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, real[], double precision) IS 'transition function of column_sketch(real[], double precision)';
CREATE AGGREGATE column_sketch(value real[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(real[], double precision) IS 'sketch of a column of type real[], each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, double precision[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_float8_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, double precision[], double precision) IS 'transition function of column_sketch(double precision[], double precision)';
CREATE AGGREGATE column_sketch(value double precision[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(double precision[], double precision) IS 'sketch of a column of type double precision[], each value with a weight; NULL is missing';

CREATE FUNCTION column_sketch_add(feature_sketch, text[], double precision) RETURNS feature_sketch
	AS 'MODULE_PATHNAME', 'column_sketch_add_text_array' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add(feature_sketch, text[], double precision) IS 'transition function of column_sketch(text[], double precision)';
CREATE AGGREGATE column_sketch(value text[], weight double precision) (
	SFUNC = column_sketch_add, STYPE = feature_sketch, SSPACE = 32768, COMBINEFUNC = merge_sketches_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(text[], double precision) IS 'sketch of a column of type text[], each value with a weight; NULL is missing';

-- rows, and columns of any other type

CREATE FUNCTION table_sketch_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_combine(internal, internal) IS 'combine function of table_sketch';
CREATE FUNCTION table_sketch_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_serialize(internal) IS 'serialization function of table_sketch';
CREATE FUNCTION table_sketch_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_deserialize(bytea, internal) IS 'deserialization function of table_sketch';
CREATE FUNCTION table_sketch_final(internal) RETURNS feature_sketch
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_final(internal) IS 'final function of table_sketch';
CREATE FUNCTION column_sketch_add_any(internal, anyelement) RETURNS internal
	AS 'MODULE_PATHNAME', 'column_sketch_add_any' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add_any(internal, anyelement) IS 'transition function of column_sketch(anyelement)';
CREATE AGGREGATE column_sketch(value anyelement) (
	SFUNC = column_sketch_add_any, STYPE = internal, SSPACE = 65536, FINALFUNC = table_sketch_final,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(anyelement) IS 'sketch of a column of any other type';

CREATE FUNCTION column_sketch_add_any(internal, anyelement, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'column_sketch_add_any' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION column_sketch_add_any(internal, anyelement, double precision) IS 'transition function of column_sketch(anyelement, double precision)';
CREATE AGGREGATE column_sketch(value anyelement, weight double precision) (
	SFUNC = column_sketch_add_any, STYPE = internal, SSPACE = 65536, FINALFUNC = table_sketch_final,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE column_sketch(anyelement, double precision) IS 'sketch of a column of any other type, each value with a weight';

CREATE FUNCTION table_sketch_add(internal, record) RETURNS internal
	AS 'MODULE_PATHNAME', 'table_sketch_add' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_add(internal, record) IS 'transition function of table_sketch(record)';
CREATE AGGREGATE table_sketch("row" record) (
	SFUNC = table_sketch_add, STYPE = internal, SSPACE = 65536, FINALFUNC = table_sketch_final,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE table_sketch(record) IS 'sketch of all the columns of the rows, with their names: table_sketch(t) FROM t';

CREATE FUNCTION table_sketch_add(internal, record, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'table_sketch_add' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_add(internal, record, double precision) IS 'transition function of table_sketch(record, double precision)';
CREATE AGGREGATE table_sketch("row" record, weight double precision) (
	SFUNC = table_sketch_add, STYPE = internal, SSPACE = 65536, FINALFUNC = table_sketch_final,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE table_sketch(record, double precision) IS 'sketch of all the columns of the rows, each row with a weight';

CREATE FUNCTION table_sketch_columns_add(internal, text[], VARIADIC "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'table_sketch_columns_add' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION table_sketch_columns_add(internal, text[], VARIADIC "any") IS 'transition function of table_sketch_columns(text[], VARIADIC "any")';
CREATE AGGREGATE table_sketch_columns(names text[], VARIADIC "any") (
	SFUNC = table_sketch_columns_add, STYPE = internal, SSPACE = 65536, FINALFUNC = table_sketch_final,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE table_sketch_columns(text[], VARIADIC "any") IS 'sketch of columns of any types under these names; faster than table_sketch, at most 98 columns';

CREATE FUNCTION weighted_table_sketch_columns_add(internal, text[], double precision, VARIADIC "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'weighted_table_sketch_columns_add' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION weighted_table_sketch_columns_add(internal, text[], double precision, VARIADIC "any") IS 'transition function of weighted_table_sketch_columns(text[], double precision, VARIADIC "any")';
CREATE AGGREGATE weighted_table_sketch_columns(names text[], weight double precision, VARIADIC "any") (
	SFUNC = weighted_table_sketch_columns_add, STYPE = internal, SSPACE = 65536, FINALFUNC = table_sketch_final,
	COMBINEFUNC = table_sketch_combine, SERIALFUNC = table_sketch_serialize, DESERIALFUNC = table_sketch_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE weighted_table_sketch_columns(text[], double precision, VARIADIC "any") IS 'sketch of columns of any types under these names, each row with a weight; at most 97 columns';
