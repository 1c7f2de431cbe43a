-- What differs between the same rows in two tables: TFDV's feature skew detector.

CREATE FUNCTION skew_value(value "any", float_round_ndigits integer) RETURNS text
	AS 'MODULE_PATHNAME', 'feature_meta_skew_value' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION skew_value("any", integer) IS
	'a value in the form in which feature_skew compares it: kind, values in order, floats as float32, rounded if digits are given; empty for an empty list';
CREATE FUNCTION confusion_value(value "any") RETURNS text
	AS 'MODULE_PATHNAME', 'feature_meta_confusion_value' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION confusion_value("any") IS
	'a text value as feature_skew_confusion counts it: __MISSING_VALUE__ for null';

CREATE FUNCTION feature_skew(training regclass, serving regclass, identifiers text[], features_to_ignore text[] DEFAULT NULL,
	float_round_ndigits integer DEFAULT NULL, allow_duplicate_identifiers boolean DEFAULT false,
	OUT feature_name text, OUT base_count bigint, OUT test_count bigint, OUT match_count bigint,
	OUT base_only bigint, OUT test_only bigint, OUT mismatch_count bigint, OUT diff_count bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_feature_skew' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION feature_skew(regclass, regclass, text[], text[], integer, boolean) IS
	'compares the rows of two tables that have the same identifiers, feature by feature; an identifier that occurs twice in a table is left out unless duplicates are allowed';
CREATE FUNCTION feature_skew_match_stats(training regclass, serving regclass, identifiers text[], float_round_ndigits integer DEFAULT NULL,
	OUT base_with_id_count bigint, OUT test_with_id_count bigint, OUT identifiers_count bigint,
	OUT ids_missing_in_base_count bigint, OUT ids_missing_in_test_count bigint, OUT matching_pairs_count bigint,
	OUT base_missing_id_count bigint, OUT test_missing_id_count bigint, OUT duplicate_id_count bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_feature_skew_match_stats' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 1;
COMMENT ON FUNCTION feature_skew_match_stats(regclass, regclass, text[], integer) IS
	'how well the rows of two tables can be matched by identifiers';
CREATE FUNCTION feature_skew_confusion(training regclass, serving regclass, identifiers text[], features text[],
	float_round_ndigits integer DEFAULT NULL, allow_duplicate_identifiers boolean DEFAULT false,
	OUT feature_name text, OUT base text, OUT test text, OUT count bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'feature_meta_feature_skew_confusion' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION feature_skew_confusion(regclass, regclass, text[], text[], integer, boolean) IS
	'how often a text feature has one value in the training table and another in the serving table';
