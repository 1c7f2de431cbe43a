-- What a pass remembers to tell semantic domains: natural language, times, images

CREATE FUNCTION semantic_domain_counts_accum(internal, anyelement) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION semantic_domain_counts_accum(internal, anyelement) IS 'adds a value: transition function of semantic_domain_counts';
CREATE FUNCTION semantic_domain_counts_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION semantic_domain_counts_combine(internal, internal) IS 'combine function of semantic_domain_counts';
CREATE FUNCTION semantic_domain_counts_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION semantic_domain_counts_serialize(internal) IS 'serialises the state of semantic_domain_counts, which is its result too';
CREATE FUNCTION semantic_domain_counts_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION semantic_domain_counts_deserialize(bytea, internal) IS 'reads a state of semantic_domain_counts';
CREATE AGGREGATE semantic_domain_counts(anyelement) (
	SFUNC = semantic_domain_counts_accum, STYPE = internal, SSPACE = 2304, FINALFUNC = semantic_domain_counts_serialize,
	COMBINEFUNC = semantic_domain_counts_combine, SERIALFUNC = semantic_domain_counts_serialize,
	DESERIALFUNC = semantic_domain_counts_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE semantic_domain_counts(anyelement) IS
	'how many values of a column look like natural language, times or images; generate_statistics reads it';
