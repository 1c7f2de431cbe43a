-- The feature store offline: training sets correct in time, and the newest values of every key.

CREATE FUNCTION historical_features(entity_rows text, features text[] DEFAULT NULL, event_time text DEFAULT 'event_timestamp',
	full_feature_names boolean DEFAULT false, filter_by_created_timestamp boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
	with_status boolean DEFAULT false, service text DEFAULT NULL) RETURNS SETOF record
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION historical_features(text, text[], text, boolean, boolean, timestamptz, boolean, text) IS
'entity rows (a relation''s name or one SELECT) with their features, correct in time: for each row and feature view the newest source row with event time at or before the row''s time and within the view''s ttl, both ends included, and known by then (created_time at or before it; filter_by_created_timestamp => false leaves that out). features: references (view:feature, view:*) or names of feature services; or service: the name of one. Of rows equal in event time the later created wins, then the one whose feature values compare greatest, NULL lowest. as_of: only what was known at that time. Times without time zone are in UTC. Every entity row comes back once, in its order; a missing key gives NULLs. with_status adds for each view its event time and PRESENT, NOT_FOUND or OUTSIDE_MAX_AGE. Needs a column list: historical_features_columns() gives it. Runs as the caller. What does not fit into work_mem times hash_mem_multiplier goes through temporary files, with one pass over each source. Errors: 42704 unknown feature, 42703 missing column, 42804 types differ, 22023 features and service given';

CREATE FUNCTION historical_features(entity_rows text, features text, event_time text DEFAULT 'event_timestamp',
	full_feature_names boolean DEFAULT false, filter_by_created_timestamp boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
	with_status boolean DEFAULT false) RETURNS SETOF record
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'historical_features_of_text';
COMMENT ON FUNCTION historical_features(text, text, text, boolean, boolean, timestamptz, boolean) IS
'the same for the name of a feature service, one reference, or an array literal of references';

CREATE FUNCTION historical_features_columns(entity_rows text, features text[] DEFAULT NULL, event_time text DEFAULT 'event_timestamp',
	full_feature_names boolean DEFAULT false, filter_by_created_timestamp boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
	with_status boolean DEFAULT false, service text DEFAULT NULL) RETURNS text
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION historical_features_columns(text, text[], text, boolean, boolean, timestamptz, boolean, text) IS
'the column definition list for a call of historical_features with the same arguments';

CREATE FUNCTION historical_features_columns(entity_rows text, features text, event_time text DEFAULT 'event_timestamp',
	full_feature_names boolean DEFAULT false, filter_by_created_timestamp boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
	with_status boolean DEFAULT false) RETURNS text
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN @extschema@.historical_features_columns(entity_rows, @extschema@.store_references(features), event_time, full_feature_names, filter_by_created_timestamp, as_of, with_status);
COMMENT ON FUNCTION historical_features_columns(text, text, text, boolean, boolean, timestamptz, boolean) IS
'the same for the name of a feature service, one reference, or an array literal of references';

CREATE FUNCTION latest_features(view text, start_time timestamptz DEFAULT NULL, end_time timestamptz DEFAULT NULL,
	as_of timestamptz DEFAULT NULL) RETURNS SETOF record
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION latest_features(text, timestamptz, timestamptz, timestamptz) IS
'the newest row of every key of a feature view (name, or name@version) with event time from start_time to end_time, both included, NULL for no bound; as_of: only what was known at that time. Ties as in historical_features; NULL keys and event times are left out; the ttl is not looked at, the event time is in the row. Columns: keys, event time, created time if the view has one, features; latest_features_columns() gives the column list. In no order. Errors: 42704 unknown view';

CREATE FUNCTION feature_rows(view text, start_time timestamptz DEFAULT NULL, end_time timestamptz DEFAULT NULL,
	as_of timestamptz DEFAULT NULL) RETURNS SETOF record
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION feature_rows(text, timestamptz, timestamptz, timestamptz) IS
'all rows of a feature view (name, or name@version) with event time from start_time to end_time, both included, NULL for no bound, corrections and equal rows too; as_of: only what was known at that time. NULL keys and event times are left out; no order. Columns: those of latest_features, whose latest_features_columns() gives the list. Errors: 42704 unknown view, 42804 the column list does not fit';

CREATE FUNCTION latest_features_columns(view text) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION latest_features_columns(text) IS 'the column definition list for latest_features and feature_rows of a feature view';
