-- Drift on a schedule: a monitor sketches the new windows of a relation and writes two tables that any tool reads, profile metrics
-- and drift metrics; what is wrong is recorded and announced.

CREATE TABLE feature_meta.monitor (
	name text PRIMARY KEY CHECK (name <> ''),
	relation regclass NOT NULL,
	time_column name NOT NULL,
	granularity interval NOT NULL CHECK (granularity > '0'),
	baseline text,
	slices name[] NOT NULL DEFAULT '{}',
	filter text,
	schema feature_schema,
	environment text,
	thresholds jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(thresholds) = 'object'),
	feature_allowlist text[],
	lateness interval NOT NULL,
	channel text NOT NULL CHECK (octet_length(channel) BETWEEN 1 AND 63), -- what NOTIFY takes
	watch_updates boolean NOT NULL DEFAULT true,
	last_run timestamptz,
	created_by name NOT NULL DEFAULT current_user,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE feature_meta.monitor IS 'what create_monitor watches';
COMMENT ON COLUMN feature_meta.monitor.name IS 'name of the monitor';
COMMENT ON COLUMN feature_meta.monitor.relation IS 'the table or view that is watched';
COMMENT ON COLUMN feature_meta.monitor.time_column IS 'column that puts a row into its window; times without zone are in UTC';
COMMENT ON COLUMN feature_meta.monitor.granularity IS 'length of a window; windows start at whole ones in UTC, weeks on Monday';
COMMENT ON COLUMN feature_meta.monitor.baseline IS 'boolean expression that chooses the rows of the baseline; NULL: the first window';
COMMENT ON COLUMN feature_meta.monitor.slices IS 'columns whose values make slices';
COMMENT ON COLUMN feature_meta.monitor.filter IS 'boolean expression that chooses the rows that are watched; NULL: all';
COMMENT ON COLUMN feature_meta.monitor.schema IS 'what is expected; NULL: the schema registered for the relation, if any';
COMMENT ON COLUMN feature_meta.monitor.environment IS 'environment of the schema';
COMMENT ON COLUMN feature_meta.monitor.thresholds IS 'alarms for every column beside the schema''s: name of a drift metric -> the value above which it is an anomaly';
COMMENT ON COLUMN feature_meta.monitor.feature_allowlist IS 'columns that are described; NULL: all but the time column';
COMMENT ON COLUMN feature_meta.monitor.lateness IS 'how long after its end a window is still looked at for late rows';
COMMENT ON COLUMN feature_meta.monitor.channel IS 'channel of NOTIFY for anomalies';
COMMENT ON COLUMN feature_meta.monitor.watch_updates IS 'whether a window is done again when its rows were written anew, as many as before, not only when their number changed';
COMMENT ON COLUMN feature_meta.monitor.last_run IS 'when run_monitor last came to its end';
COMMENT ON COLUMN feature_meta.monitor.created_by IS 'role that made it and may run it; members of it too';
COMMENT ON COLUMN feature_meta.monitor.created_at IS 'when it was made';

CREATE TABLE feature_meta.monitor_window (
	monitor text NOT NULL REFERENCES feature_meta.monitor ON UPDATE CASCADE ON DELETE CASCADE,
	slice text NOT NULL,
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	num_examples bigint NOT NULL,
	sketch feature_sketch NOT NULL,
	computed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (monitor, slice, window_start)
);
ALTER TABLE feature_meta.monitor_window ALTER COLUMN sketch SET STORAGE EXTERNAL; -- sketches do not get smaller
COMMENT ON TABLE feature_meta.monitor_window IS 'the sketch of each window and slice of a monitor; the baseline''s start at -infinity';
COMMENT ON COLUMN feature_meta.monitor_window.monitor IS 'the monitor';
COMMENT ON COLUMN feature_meta.monitor_window.slice IS 'COLUMN_VALUE, or empty for all rows';
COMMENT ON COLUMN feature_meta.monitor_window.window_start IS 'first instant of the window';
COMMENT ON COLUMN feature_meta.monitor_window.window_end IS 'first instant after it';
COMMENT ON COLUMN feature_meta.monitor_window.num_examples IS 'number of rows';
COMMENT ON COLUMN feature_meta.monitor_window.sketch IS 'what one pass over the rows remembers';
COMMENT ON COLUMN feature_meta.monitor_window.computed_at IS 'when the pass was made';

CREATE TABLE feature_meta.monitor_watched (
	monitor text NOT NULL REFERENCES feature_meta.monitor ON UPDATE CASCADE ON DELETE CASCADE,
	window_start timestamptz NOT NULL,
	versions bigint NOT NULL,
	PRIMARY KEY (monitor, window_start)
);
COMMENT ON TABLE feature_meta.monitor_watched IS 'what rows the windows had that are still watched: by it a run notices rows that were written anew, as many as before';
COMMENT ON COLUMN feature_meta.monitor_watched.monitor IS 'the monitor';
COMMENT ON COLUMN feature_meta.monitor_watched.window_start IS 'first instant of the window';
COMMENT ON COLUMN feature_meta.monitor_watched.versions IS 'checksum of the transactions that wrote its rows (xmin)';

CREATE TABLE feature_meta.monitor_profile_metrics (
	monitor text NOT NULL,
	slice text NOT NULL,
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	path text NOT NULL,
	type text NOT NULL,
	num_non_missing bigint,
	num_missing bigint,
	missing_share double precision,
	mean double precision,
	std_dev double precision,
	min double precision,
	median double precision,
	max double precision,
	num_zeros bigint,
	num_nan bigint,
	"unique" bigint,
	top_value text,
	top_frequency double precision,
	avg_length double precision,
	PRIMARY KEY (monitor, slice, window_start, path),
	FOREIGN KEY (monitor, slice, window_start) REFERENCES feature_meta.monitor_window ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE feature_meta.monitor_profile_metrics IS 'a row a window, slice and column: the figures of features(feature_statistics)';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.monitor IS 'the monitor';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.slice IS 'COLUMN_VALUE, or empty for all rows';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.window_start IS 'first instant of the window; -infinity: the baseline';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.window_end IS 'first instant after it';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.path IS 'the column, or the path of a feature in it';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.type IS 'INT, FLOAT, STRING, BYTES or STRUCT';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.num_non_missing IS 'rows with a value';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.num_missing IS 'rows without';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.missing_share IS 'share of rows without a value, 0 to 1';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.mean IS 'mean of the values';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.std_dev IS 'population standard deviation';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.min IS 'smallest value';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.median IS 'median';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.max IS 'largest value';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.num_zeros IS 'values that are 0';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.num_nan IS 'values that are NaN';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics."unique" IS 'distinct values of text';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.top_value IS 'most frequent value of text';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.top_frequency IS 'how often it occurs';
COMMENT ON COLUMN feature_meta.monitor_profile_metrics.avg_length IS 'mean length of text in bytes';

CREATE TABLE feature_meta.monitor_drift_metrics (
	monitor text NOT NULL,
	slice text NOT NULL,
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	against text NOT NULL CHECK (against IN ('previous', 'baseline')),
	against_start timestamptz NOT NULL,
	path text NOT NULL,
	type text NOT NULL,
	null_share_difference double precision,
	l_infinity_distance double precision,
	normalized_absolute_difference double precision,
	jensen_shannon_divergence double precision,
	population_stability_index double precision,
	kolmogorov_smirnov double precision,
	kolmogorov_smirnov_p_value double precision,
	wasserstein_distance double precision,
	chi_squared double precision,
	chi_squared_p_value double precision,
	hellinger_distance double precision,
	total_variation_distance double precision,
	kullback_leibler_divergence double precision,
	thresholds jsonb,
	drifted boolean,
	PRIMARY KEY (monitor, slice, window_start, against, path),
	FOREIGN KEY (monitor, slice, window_start) REFERENCES feature_meta.monitor_window ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE feature_meta.monitor_drift_metrics IS 'a row a window, slice, column and comparison: the distances of drift_report';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.monitor IS 'the monitor';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.slice IS 'COLUMN_VALUE, or empty for all rows';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.window_start IS 'first instant of the window';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.window_end IS 'first instant after it';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.against IS 'previous: the window before, of the same slice; baseline';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.against_start IS 'start of the window that this one is compared with';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.path IS 'the column, or the path of a feature in it';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.type IS 'INT, FLOAT, STRING or BYTES';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.null_share_difference IS 'share of NULLs now less the one then';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.l_infinity_distance IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.normalized_absolute_difference IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.jensen_shannon_divergence IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.population_stability_index IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.kolmogorov_smirnov IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.kolmogorov_smirnov_p_value IS 'its p-value';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.wasserstein_distance IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.chi_squared IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.chi_squared_p_value IS 'its p-value';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.hellinger_distance IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.total_variation_distance IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.kullback_leibler_divergence IS 'as the function of this name';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.thresholds IS 'metric -> threshold, of the schema and of the monitor';
COMMENT ON COLUMN feature_meta.monitor_drift_metrics.drifted IS 'whether a metric is above its threshold; NULL: there is none';

CREATE TABLE feature_meta.monitor_anomaly (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	monitor text NOT NULL,
	slice text NOT NULL,
	window_start timestamptz NOT NULL,
	against text NOT NULL,
	path text NOT NULL,
	type text NOT NULL,
	severity text NOT NULL,
	short_description text NOT NULL,
	description text NOT NULL,
	statistics feature_statistics NOT NULL,
	compared_with feature_statistics,
	raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	acknowledged_at timestamptz,
	acknowledged_by name,
	note text,
	UNIQUE (monitor, slice, window_start, against, path, type),
	FOREIGN KEY (monitor, slice, window_start) REFERENCES feature_meta.monitor_window ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE feature_meta.monitor_anomaly IS 'what the runs of monitors found wrong, with the statistics that raised it';
COMMENT ON COLUMN feature_meta.monitor_anomaly.id IS 'number of the anomaly';
COMMENT ON COLUMN feature_meta.monitor_anomaly.monitor IS 'the monitor';
COMMENT ON COLUMN feature_meta.monitor_anomaly.slice IS 'COLUMN_VALUE, or empty for all rows';
COMMENT ON COLUMN feature_meta.monitor_anomaly.window_start IS 'first instant of the window';
COMMENT ON COLUMN feature_meta.monitor_anomaly.against IS 'schema, or what a distance was measured to: previous or baseline';
COMMENT ON COLUMN feature_meta.monitor_anomaly.path IS 'the column; empty: the data set';
COMMENT ON COLUMN feature_meta.monitor_anomaly.type IS 'type of the anomaly as in tensorflow.metadata.v0.AnomalyInfo; NAME_OF_METRIC_HIGH for a threshold of the monitor';
COMMENT ON COLUMN feature_meta.monitor_anomaly.severity IS 'ERROR or WARNING';
COMMENT ON COLUMN feature_meta.monitor_anomaly.short_description IS 'what is wrong, in a few words';
COMMENT ON COLUMN feature_meta.monitor_anomaly.description IS 'what was expected and what was found';
COMMENT ON COLUMN feature_meta.monitor_anomaly.statistics IS 'statistics of the window';
COMMENT ON COLUMN feature_meta.monitor_anomaly.compared_with IS 'statistics that a distance was measured to';
COMMENT ON COLUMN feature_meta.monitor_anomaly.raised_at IS 'when a run found it first';
COMMENT ON COLUMN feature_meta.monitor_anomaly.acknowledged_at IS 'when acknowledge_anomaly was called; NULL: open';
COMMENT ON COLUMN feature_meta.monitor_anomaly.acknowledged_by IS 'by which role';
COMMENT ON COLUMN feature_meta.monitor_anomaly.note IS 'what it said';

SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor_window', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor_watched', 'WHERE false'); -- a restored row is another version
SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor_profile_metrics', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor_drift_metrics', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor_anomaly', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.monitor_anomaly_id_seq', '');

-- Who may read the relation, all of its rows, may read what is said of them; who made the monitor, or a member of that role, may write.
CREATE FUNCTION monitor_may_read(monitor text) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN EXISTS (SELECT FROM feature_meta.monitor m WHERE m.name = monitor_may_read.monitor AND has_table_privilege(m.relation, 'SELECT')
						AND NOT row_security_active(m.relation));
COMMENT ON FUNCTION monitor_may_read(text) IS 'internal: whether the current role may read the relation that a monitor watches';
CREATE FUNCTION monitor_may_write(monitor text) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN EXISTS (SELECT FROM feature_meta.monitor m WHERE m.name = monitor_may_write.monitor AND may_change(m.created_by));
COMMENT ON FUNCTION monitor_may_write(text) IS 'internal: whether the current role made a monitor, or is a member of the role that did';

GRANT SELECT, INSERT, UPDATE, DELETE ON feature_meta.monitor, feature_meta.monitor_window, feature_meta.monitor_watched, feature_meta.monitor_profile_metrics,
	feature_meta.monitor_drift_metrics, feature_meta.monitor_anomaly TO PUBLIC;
GRANT USAGE ON SEQUENCE feature_meta.monitor_anomaly_id_seq TO PUBLIC;
ALTER TABLE feature_meta.monitor ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_meta.monitor_window ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_meta.monitor_watched ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_meta.monitor_profile_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_meta.monitor_drift_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_meta.monitor_anomaly ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.monitor FOR SELECT USING (has_table_privilege(relation, 'SELECT') AND NOT row_security_active(relation));
CREATE POLICY change ON feature_meta.monitor USING (may_change(created_by));
CREATE POLICY read ON feature_meta.monitor_window FOR SELECT USING (monitor_may_read(monitor));
CREATE POLICY change ON feature_meta.monitor_window USING (monitor_may_write(monitor));
CREATE POLICY read ON feature_meta.monitor_watched FOR SELECT USING (monitor_may_read(monitor));
CREATE POLICY change ON feature_meta.monitor_watched USING (monitor_may_write(monitor));
CREATE POLICY read ON feature_meta.monitor_profile_metrics FOR SELECT USING (monitor_may_read(monitor));
CREATE POLICY change ON feature_meta.monitor_profile_metrics USING (monitor_may_write(monitor));
CREATE POLICY read ON feature_meta.monitor_drift_metrics FOR SELECT USING (monitor_may_read(monitor));
CREATE POLICY change ON feature_meta.monitor_drift_metrics USING (monitor_may_write(monitor));
CREATE POLICY read ON feature_meta.monitor_anomaly FOR SELECT USING (monitor_may_read(monitor));
CREATE POLICY change ON feature_meta.monitor_anomaly USING (monitor_may_write(monitor));
COMMENT ON POLICY read ON feature_meta.monitor IS 'who may read all rows of the relation';
COMMENT ON POLICY change ON feature_meta.monitor IS 'who made it, or a member of that role';
COMMENT ON POLICY read ON feature_meta.monitor_window IS 'who may read all rows of the relation';
COMMENT ON POLICY change ON feature_meta.monitor_window IS 'who made the monitor, or a member of that role';
COMMENT ON POLICY read ON feature_meta.monitor_watched IS 'who may read all rows of the relation';
COMMENT ON POLICY change ON feature_meta.monitor_watched IS 'who made the monitor, or a member of that role';
COMMENT ON POLICY read ON feature_meta.monitor_profile_metrics IS 'who may read all rows of the relation';
COMMENT ON POLICY change ON feature_meta.monitor_profile_metrics IS 'who made the monitor, or a member of that role';
COMMENT ON POLICY read ON feature_meta.monitor_drift_metrics IS 'who may read all rows of the relation';
COMMENT ON POLICY change ON feature_meta.monitor_drift_metrics IS 'who made the monitor, or a member of that role';
COMMENT ON POLICY read ON feature_meta.monitor_anomaly IS 'who may read all rows of the relation';
COMMENT ON POLICY change ON feature_meta.monitor_anomaly IS 'who made the monitor, or a member of that role';

CREATE FUNCTION checked_filter(filter text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION checked_filter(text) IS 'internal: the expression in parentheses, when it is one expression; error 42601 otherwise';

-- Windows ----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION monitor_window_start("time" timestamptz, granularity interval) RETURNS timestamptz
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION monitor_window_start(timestamptz, interval) IS
	'internal: start of the window that an instant is in: in UTC, weeks start on Monday; NULL for an infinite one. Errors: 22023 windows cannot be of that length, 22008 out of range';

CREATE TYPE monitor_window_sketch AS (window_start timestamptz, num_examples bigint, versions bigint, sketch feature_sketch);
COMMENT ON TYPE monitor_window_sketch IS 'internal: a window of window_sketches';
COMMENT ON COLUMN monitor_window_sketch.window_start IS 'first instant of the window';
COMMENT ON COLUMN monitor_window_sketch.num_examples IS 'number of rows';
COMMENT ON COLUMN monitor_window_sketch.versions IS 'checksum of their versions; NULL: they have none';
COMMENT ON COLUMN monitor_window_sketch.sketch IS 'what the pass remembers of them; NULL: they were only counted';

CREATE FUNCTION window_sketches_add(internal, interval, timestamptz, text[], xid, VARIADIC "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION window_sketches_add(internal, interval, timestamptz, text[], xid, VARIADIC "any") IS 'internal: transition function of window_sketches';
CREATE FUNCTION window_sketches_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION window_sketches_combine(internal, internal) IS 'internal: combine function of window_sketches';
CREATE FUNCTION window_sketches_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION window_sketches_serialize(internal) IS 'internal: serialization function of window_sketches';
CREATE FUNCTION window_sketches_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION window_sketches_deserialize(bytea, internal) IS 'internal: deserialization function of window_sketches';
CREATE FUNCTION window_sketches_final(internal) RETURNS monitor_window_sketch[]
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION window_sketches_final(internal) IS 'internal: final function of window_sketches';
CREATE AGGREGATE window_sketches(granularity interval, sketch_from timestamptz, names text[], version xid, VARIADIC "any") (
	SFUNC = window_sketches_add, STYPE = internal, SSPACE = 65536, FINALFUNC = window_sketches_final, COMBINEFUNC = window_sketches_combine,
	SERIALFUNC = window_sketches_serialize, DESERIALFUNC = window_sketches_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE window_sketches(interval, timestamptz, text[], xid, VARIADIC "any") IS
	'internal: the windows of the first of the columns behind the version, a timestamp, with the sketches of the others under the names (at most 94); windows that start before sketch_from are only counted. granularity NULL: all rows are one window, which starts at -infinity. version: a row''s xmin, of which a checksum is made; NULL: none';

-- Only rows of heaps say in xmin which version of them is there; a query may ask for it with a right to the whole table
CREATE FUNCTION monitor_has_versions(relation regclass) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE source AS (SELECT relation::oid AS oid UNION SELECT i.inhrelid FROM source s JOIN pg_inherits i ON i.inhparent = s.oid)
	SELECT has_table_privilege(relation, 'SELECT') AND NOT EXISTS (
		SELECT FROM source s JOIN pg_class r ON r.oid = s.oid LEFT JOIN pg_am a ON a.oid = r.relam
		WHERE r.relkind <> 'p' AND NOT (r.relkind IN ('r', 'm') AND a.amhandler = 'heap_tableam_handler'::regproc));
END;
COMMENT ON FUNCTION monitor_has_versions(regclass) IS
	'internal: whether a change of rows shows in their xmin: of tables and materialized views that are heaps, partitioned or not; not of views and foreign tables';

-- The type that a time column is compared in: timestamptz, or timestamp, which is in UTC
CREATE FUNCTION monitor_time_type(relation regclass, time_column name) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE t.base WHEN 'timestamptz'::regtype THEN 'timestamptz' ELSE 'timestamp' END
	FROM (SELECT coalesce(nullif(t.typbasetype, 0), t.oid) AS base FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		  WHERE a.attrelid = relation AND a.attname = time_column AND NOT a.attisdropped AND a.attnum > 0) t
	WHERE t.base IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype);
END;
COMMENT ON FUNCTION monitor_time_type(regclass, name) IS
	'internal: timestamptz or timestamp, for a time column; NULL when there is no such column, or of no type of time';

CREATE FUNCTION create_monitor(relation regclass, time_column text, granularity interval DEFAULT '1 day', baseline text DEFAULT NULL,
	slices text[] DEFAULT '{}', name text DEFAULT NULL, filter text DEFAULT NULL, schema feature_schema DEFAULT NULL, environment text DEFAULT NULL,
	thresholds jsonb DEFAULT '{}', feature_allowlist text[] DEFAULT NULL, lateness interval DEFAULT NULL, channel text DEFAULT 'feature_meta_monitor',
	watch_updates boolean DEFAULT true)
	RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c text;
	metric text;
	expected @extschema@.feature_schema;
BEGIN
	IF relation IS NULL OR time_column IS NULL OR granularity IS NULL OR slices IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'a monitor needs a relation, a time column, a granularity and slices (which may be empty)';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = relation) THEN
		RAISE undefined_table USING MESSAGE = format('relation %s does not exist', relation::oid);
	END IF;
	name := coalesce(name, (SELECT r.relname FROM pg_class r WHERE r.oid = relation));
	PERFORM @extschema@.monitor_window_start(now(), granularity); -- raises what granularity cannot be
	IF NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = relation AND r.relkind IN ('r', 'p', 'v', 'm', 'f')) THEN
		RAISE wrong_object_type USING MESSAGE = format('"%s" is not a table or view', relation);
	END IF;
	FOREACH c IN ARRAY slices || time_column || coalesce(feature_allowlist, '{}') LOOP
		IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped) THEN
			RAISE undefined_column USING MESSAGE = format('column "%s" of relation "%s" does not exist', c, relation);
		END IF;
	END LOOP;
	IF @extschema@.monitor_time_type(relation, time_column) IS NULL THEN
		RAISE datatype_mismatch USING MESSAGE = format('column "%s" is not of a type of time', time_column),
			HINT = 'A time column is of type timestamp with time zone, timestamp or date.';
	END IF;
	IF jsonb_typeof(thresholds) IS DISTINCT FROM 'object' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'thresholds must be a JSON object';
	END IF;
	FOR metric IN SELECT jsonb_object_keys(thresholds) LOOP
		IF jsonb_typeof(thresholds -> metric) <> 'number' OR metric NOT IN ('null_share_difference', 'l_infinity_distance', 'normalized_absolute_difference',
			'jensen_shannon_divergence', 'population_stability_index', 'kolmogorov_smirnov', 'wasserstein_distance', 'chi_squared', 'hellinger_distance',
			'total_variation_distance', 'kullback_leibler_divergence') THEN
			RAISE invalid_parameter_value USING MESSAGE = format('"%s" cannot have a threshold', metric),
				HINT = 'Thresholds are numbers for the columns of feature_meta.monitor_drift_metrics.';
		END IF;
	END LOOP;
	-- that the columns may be read, and both expressions, are checked by what runs them, on no row; the environment by what judges
	PERFORM @extschema@.relation_sketch(relation, @extschema@.checked_filter(x) || ' AND false',
		feature_allowlist => CASE WHEN feature_allowlist IS NOT NULL THEN feature_allowlist || slices || time_column END)
	FROM unnest(ARRAY['true', filter, baseline]) x WHERE x IS NOT NULL;
	expected := coalesce(create_monitor.schema, @extschema@.registered_schema_if_any(relation));
	IF environment IS NOT NULL AND expected IS NOT NULL THEN
		PERFORM @extschema@.validate_statistics(@extschema@.feature_statistics(@extschema@.relation_sketch(relation, 'false', feature_allowlist => '{}')),
			expected, environment => environment);
	END IF;
	INSERT INTO feature_meta.monitor (name, relation, time_column, granularity, baseline, slices, filter, schema, environment, thresholds, feature_allowlist,
		lateness, channel, watch_updates)
	VALUES (create_monitor.name, relation, time_column, granularity, baseline, slices::name[], filter, create_monitor.schema, environment, thresholds,
		feature_allowlist, coalesce(lateness, 3 * granularity), channel, coalesce(create_monitor.watch_updates, true));
	RETURN create_monitor.name;
EXCEPTION WHEN unique_violation THEN
	RAISE duplicate_object USING MESSAGE = format('monitor "%s" exists already', create_monitor.name);
END $$;
COMMENT ON FUNCTION create_monitor(regclass, text, interval, text, text[], text, text, feature_schema, text, jsonb, text[], interval, text, boolean) IS
	'makes a monitor of a relation''s drift, to be run by run_monitor: windows of a granularity (minutes to weeks, 1 month, 3 months, 1 year; in UTC) by a time column, slices by the values of columns, a baseline chosen by a boolean expression (the first window when NULL). Its name is the relation''s when NULL. Alarms are what the schema (the registered one when NULL) says of a window and its drift, and thresholds: {"jensen_shannon_divergence": 0.1} for every column. lateness: how long after its end a window is watched for late rows (three windows when NULL), and, unless watch_updates is false, for rows of a table that were updated in place. Returns the name. Errors: 42710 exists, 42703 no such column, 42804 not a time, 22023 bad argument, 42601 bad expression, 42501 columns that the caller may not read, 42704 an environment that the schema does not have';

CREATE FUNCTION drop_monitor(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM feature_meta.monitor m WHERE m.name = drop_monitor.name;
	IF NOT FOUND THEN
		RAISE undefined_object USING MESSAGE = format('monitor "%s" does not exist', drop_monitor.name);
	END IF;
END $$;
COMMENT ON FUNCTION drop_monitor(text) IS 'drops a monitor with its windows, metrics and anomalies. Errors: 42704 no such monitor, or none of yours';

-- Reads the rows once, in ranges of time of which each is a query and has at most 16384 windows times columns: the windows of a query, of
-- one slice, come back as one value. Rows of windows in [low, high) that start before sketch_from are counted, those of later ones sketched (only: of
-- these windows); high NULL: the baseline. Windows from watch_from on get the checksum of
-- their rows' versions. A query of its own, without an INSERT around it, so that it can run in parallel.
CREATE FUNCTION monitor_read_windows(m feature_meta.monitor, low timestamptz, high timestamptz, sketch_from timestamptz DEFAULT NULL, "only" timestamptz[] DEFAULT NULL,
	watch_from timestamptz DEFAULT NULL)
	RETURNS TABLE (slice text, window_start timestamptz, num_examples bigint, versions bigint, sketch feature_sketch)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET enable_sort = off -- the slices are few, whatever the planner thinks of their columns: no sort of all rows
	SET datestyle = 'ISO' -- times in the query name their offset, not a zone's abbreviation
	AS $$
DECLARE
	time_type text := @extschema@.monitor_time_type(m.relation, m.time_column);
	instant text := format('r.%I::%s', m.time_column, time_type);
	condition text := coalesce(@extschema@.checked_filter(m.filter), 'true');
	slice_name text := '''''::text';
	sets text := '';
	calls text;
	arrays text;
	names text;
	parts integer;
	windows integer; -- of a query
	literal text := CASE time_type WHEN 'timestamptz' THEN '%L::timestamptz' ELSE 'timezone(''UTC'', %L::timestamptz)' END;
	version text := 'NULL::xid';
	first timestamptz := nullif(low, '-infinity'); -- of the range of a query; NULL: to be found
	stop timestamptz;
	query text;
BEGIN
	IF high > watch_from AND m.watch_updates AND @extschema@.monitor_has_versions(m.relation) THEN
		version := CASE WHEN low >= watch_from THEN 'r.xmin' ELSE format('CASE WHEN r.%I >= %s THEN r.xmin END', m.time_column, format(literal, watch_from)) END;
	END IF;
	IF high IS NULL THEN
		condition := condition || ' AND ' || @extschema@.checked_filter(m.baseline);
	ELSE
		condition := condition || CASE WHEN "only" IS NULL THEN '' ELSE format(' AND @extschema@.monitor_window_start(%s, %L) = ANY (%L::timestamptz[])',
			CASE time_type WHEN 'timestamptz' THEN instant ELSE format('timezone(''UTC'', %s)', instant) END, m.granularity, "only") END;
	END IF;
	IF m.slices <> '{}' THEN
		SELECT 'CASE' || string_agg(format(' WHEN grouping(r.%1$I) = 0 THEN %2$L || r.%1$I%3$s::text', s.name, s.name || '_',
				CASE a.atttypid WHEN 'bool'::regtype THEN '::int' ELSE '' END), '' ORDER BY s.ord) || ' ELSE '''' END',
			' GROUP BY GROUPING SETS ((), ' || string_agg(format('(r.%I)', s.name), ', ' ORDER BY s.ord) || ')' INTO slice_name, sets
		FROM unnest(m.slices) WITH ORDINALITY s(name, ord) LEFT JOIN pg_attribute a ON a.attrelid = m.relation AND a.attname = s.name;
	END IF;
	-- an aggregate takes at most 94 columns
	SELECT string_agg(format('@extschema@.window_sketches(%L::interval, %L::timestamptz, %L::text[], %s, %s%s) AS w%s', CASE WHEN high IS NOT NULL THEN m.granularity END,
			sketch_from, c.names, CASE WHEN c.part = 0 THEN version ELSE 'NULL::xid' END, coalesce(instant, 'NULL::timestamp'), c.columns, c.part), ', ' ORDER BY c.part),
		string_agg(format('unnest(x.w%s)', c.part), ', ' ORDER BY c.part),
		string_agg(format('window_start%1$s, num_examples%1$s, versions%1$s, sketch%1$s', c.part), ', ' ORDER BY c.part), count(*), greatest(16384 / sum(c.width), 1) INTO calls, arrays, names, parts, windows
	FROM (SELECT (a.ord - 1) / 94 AS part, coalesce(array_agg(a.name ORDER BY a.ord) FILTER (WHERE a.name IS NOT NULL), '{}') AS names,
				coalesce(string_agg(format(', r.%I', a.name), '' ORDER BY a.ord) FILTER (WHERE a.name IS NOT NULL), '') AS columns, count(*) AS width
		  FROM (SELECT a.attname::text AS name, row_number() OVER (ORDER BY a.attnum) AS ord FROM pg_attribute a
				WHERE a.attrelid = m.relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> m.time_column
					AND (m.feature_allowlist IS NULL OR a.attname = ANY (m.feature_allowlist))
				UNION ALL SELECT NULL, 1 WHERE m.feature_allowlist <@ ARRAY[m.time_column::text]) a GROUP BY 1) c;
	query := format('SELECT x.slice, u.window_start0, u.num_examples0, u.versions0, %1$s
			FROM (SELECT %2$s AS slice, %3$s FROM %4$s r WHERE %5$s', CASE WHEN parts = 1 THEN 'u.sketch0' ELSE 'CASE WHEN u.sketch0 IS NOT NULL THEN @extschema@.combine_columns('
			|| (SELECT string_agg('u.sketch' || i, ', ' ORDER BY i) FROM generate_series(0, parts - 1) i) || ') END' END,
		slice_name, calls, m.relation, condition);
	sets := format('%s) x, ROWS FROM (%s) AS u(%s) WHERE x.slice IS NOT NULL', sets, arrays, names);
	-- slices of two columns that get one name (b_x of "a", x of "a_b") are one, of the rows of both, as in TFDV
	IF EXISTS (SELECT FROM unnest(m.slices) WITH ORDINALITY a(name, ord), unnest(m.slices) WITH ORDINALITY b(name, ord)
			   WHERE a.ord <> b.ord AND starts_with(b.name || '_', a.name || '_')) THEN
		query := 'SELECT y.slice, y.window_start, sum(y.num_examples)::bigint, min(y.versions), @extschema@.merge_sketches(y.sketch) FROM (' || query;
		sets := sets || ') y(slice, window_start, num_examples, versions, sketch) GROUP BY y.slice, y.window_start';
	END IF;
	IF high IS NULL THEN
		RETURN QUERY EXECUTE query || sets;
		RETURN;
	END IF;
	-- the bounds are in the column's own type, so that an index serves
	LOOP
		IF first IS NULL THEN
			EXECUTE format('SELECT %s FROM %s r WHERE %s AND r.%I >= %s AND r.%I < %s',
				CASE time_type WHEN 'timestamptz' THEN format('min(r.%I)', m.time_column) ELSE format('timezone(''UTC'', min(r.%I)::timestamp)', m.time_column) END,
				m.relation, condition, m.time_column, format(literal, coalesce(stop, '4714-11-24 00:00+00 BC')), m.time_column, format(literal, high)) INTO first;
		END IF;
		EXIT WHEN first IS NULL OR first >= high;
		stop := CASE WHEN (high - first) / windows <= m.granularity THEN high
			ELSE least(timezone('UTC', timezone('UTC', @extschema@.monitor_window_start(first, m.granularity)) + windows * m.granularity), high) END;
		RETURN QUERY EXECUTE query || format(' AND r.%I >= %s AND r.%I < %s', m.time_column, format(literal, first), m.time_column, format(literal, stop)) || sets;
		-- after a range without rows: where they go on
		first := CASE WHEN FOUND THEN stop END;
	END LOOP;
END $$;
COMMENT ON FUNCTION monitor_read_windows(feature_meta.monitor, timestamptz, timestamptz, timestamptz, timestamptz[], timestamptz) IS
	'internal: counts and sketches windows of a monitor, or sketches its baseline, in one pass over the rows (a query for each 16384 windows times columns)';

CREATE FUNCTION monitor_sketch_windows(m feature_meta.monitor, low timestamptz, high timestamptz, sketch_from timestamptz DEFAULT NULL, "only" timestamptz[] DEFAULT NULL,
	watch_from timestamptz DEFAULT NULL)
	RETURNS TABLE (window_start timestamptz, num_examples bigint, versions bigint, sketched boolean)
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
BEGIN ATOMIC
	WITH seen AS MATERIALIZED (SELECT x.* FROM monitor_read_windows(m, low, high, sketch_from, "only", watch_from) x),
	stored AS (
		INSERT INTO feature_meta.monitor_window AS w (monitor, slice, window_start, window_end, num_examples, sketch)
		SELECT (m).name, x.slice, x.window_start, CASE WHEN x.window_start = '-infinity' THEN '-infinity' ELSE timezone('UTC', timezone('UTC', x.window_start) + (m).granularity) END,
			x.num_examples, x.sketch
		FROM seen x WHERE x.sketch IS NOT NULL
		ON CONFLICT (monitor, slice, window_start) DO UPDATE
		SET num_examples = EXCLUDED.num_examples, sketch = EXCLUDED.sketch, computed_at = clock_timestamp())
	SELECT x.window_start, x.num_examples, x.versions, x.sketch IS NOT NULL FROM seen x WHERE x.slice = '';
END;
COMMENT ON FUNCTION monitor_sketch_windows(feature_meta.monitor, timestamptz, timestamptz, timestamptz, timestamptz[], timestamptz) IS
	'internal: stores what monitor_read_windows reads; returns the windows';

-- Metrics and anomalies of windows, from the stored sketches. A statement each for all windows: few of them cost less than many, and
-- drift_report reads a sketch once that is in several comparisons next to each other.
CREATE FUNCTION monitor_judge(m feature_meta.monitor, starts timestamptz[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	expected @extschema@.feature_schema := coalesce(m.schema, @extschema@.registered_schema_if_any(m.relation));
	held @extschema@.feature_schema := @extschema@.monitor_schema(m, expected);
	of_slice text[]; -- the windows: their slices and, at the same places, their starts
	start_at timestamptz[];
	found bigint;
BEGIN
	SELECT array_agg(w.slice ORDER BY w.slice, w.window_start), array_agg(w.window_start ORDER BY w.slice, w.window_start) INTO of_slice, start_at
	FROM feature_meta.monitor_window w WHERE w.monitor = m.name AND w.window_start = ANY (starts);
	FOR i IN 1 .. coalesce(cardinality(of_slice), 0) LOOP
		DELETE FROM feature_meta.monitor_profile_metrics p WHERE (p.monitor, p.slice, p.window_start) = (m.name, of_slice[i], start_at[i]);
		DELETE FROM feature_meta.monitor_drift_metrics d WHERE (d.monitor, d.slice, d.window_start) = (m.name, of_slice[i], start_at[i]);
		DELETE FROM feature_meta.monitor_anomaly a WHERE (a.monitor, a.slice, a.window_start) = (m.name, of_slice[i], start_at[i]) AND a.acknowledged_at IS NULL;
	END LOOP;
	-- OFFSET 0 below has rows looked up by their whole key, however few of them the planner thinks there are

	-- the profile, and what the schema says of it
	WITH described AS MATERIALIZED (
		SELECT w.slice, w.window_start, w.window_end, @extschema@.feature_statistics(w.sketch) AS statistics
		FROM unnest(of_slice, start_at) k(slice, start), LATERAL (
			SELECT w.* FROM feature_meta.monitor_window w WHERE (w.monitor, w.slice, w.window_start) = (m.name, k.slice, k.start) OFFSET 0) w),
	profile AS (
		INSERT INTO feature_meta.monitor_profile_metrics
		SELECT m.name, w.slice, w.window_start, w.window_end, f.path, f.type, f.num_non_missing, f.num_missing,
			f.num_missing::double precision / nullif(f.num_missing + f.num_non_missing, 0), f.mean, f.std_dev, f.min, f.median, f.max, f.num_zeros, f.num_nan,
			f."unique", f.top_value, f.top_frequency, f.avg_length
		FROM described w, @extschema@.features(w.statistics) f)
	INSERT INTO feature_meta.monitor_anomaly (monitor, slice, window_start, against, path, type, severity, short_description, description, statistics, compared_with)
	SELECT m.name, w.slice, w.window_start, CASE WHEN a.type LIKE 'COMPARATOR%' THEN 'previous' ELSE 'schema' END, coalesce(a.path, ''), a.type,
		a.severity, a.short_description, a.description, w.statistics, CASE WHEN a.type LIKE 'COMPARATOR%' THEN o.statistics END
	FROM described w
		LEFT JOIN LATERAL (SELECT @extschema@.feature_statistics(x.sketch) AS statistics FROM feature_meta.monitor_window x
			WHERE x.monitor = m.name AND x.slice = w.slice AND x.window_start < w.window_start AND x.window_start > '-infinity' ORDER BY x.window_start DESC LIMIT 1) o ON true,
		@extschema@.anomalies(@extschema@.validate_statistics(w.statistics, held, m.environment, previous_statistics => o.statistics)) a
	WHERE expected IS NOT NULL AND w.window_start > '-infinity'
	ORDER BY w.window_start, w.slice
	ON CONFLICT (monitor, slice, window_start, against, path, type) DO NOTHING;

	-- the distances to the window before and to the baseline
	INSERT INTO feature_meta.monitor_drift_metrics
	SELECT m.name, w.slice, w.window_start, w.window_end, w.side, w.against_start, r.path, r.type, r.current_null_share - r.baseline_null_share,
		r.l_infinity_distance, r.normalized_absolute_difference, r.jensen_shannon_divergence, r.population_stability_index, r.kolmogorov_smirnov,
		r.kolmogorov_smirnov_p_value, r.wasserstein_distance, r.chi_squared, r.chi_squared_p_value, r.hellinger_distance, r.total_variation_distance,
		r.kullback_leibler_divergence, nullif(m.thresholds || coalesce(r.thresholds, '{}'), '{}'),
		CASE WHEN m.thresholds <> '{}' OR r.thresholds IS NOT NULL
			 THEN coalesce(r.drifted, false) OR EXISTS (SELECT FROM jsonb_each(m.thresholds) t
				WHERE (to_jsonb(r) || jsonb_build_object('null_share_difference', abs(r.current_null_share - r.baseline_null_share))) -> t.key > t.value
					AND jsonb_typeof((to_jsonb(r) || jsonb_build_object('null_share_difference', abs(r.current_null_share - r.baseline_null_share))) -> t.key) = 'number') END
	FROM (SELECT w.slice, w.window_start, w.window_end, w.sketch, o.side, o.window_start AS against_start, o.sketch AS against
		  FROM unnest(of_slice, start_at) k(slice, start), LATERAL (
			SELECT w.* FROM feature_meta.monitor_window w WHERE (w.monitor, w.slice, w.window_start) = (m.name, k.slice, k.start) OFFSET 0) w, LATERAL (
			(SELECT 'previous' AS side, x.window_start, x.sketch FROM feature_meta.monitor_window x
			 WHERE x.monitor = m.name AND x.slice = w.slice AND x.window_start < w.window_start AND x.window_start > '-infinity' ORDER BY x.window_start DESC LIMIT 1)
			UNION ALL
			(SELECT 'baseline', x.window_start, x.sketch FROM feature_meta.monitor_window x
			 WHERE x.monitor = m.name AND x.slice = w.slice AND (m.baseline IS NULL OR x.window_start = '-infinity') ORDER BY x.window_start LIMIT 1)) o
		  WHERE w.window_start > '-infinity' AND o.window_start <> w.window_start
		  ORDER BY w.slice, w.window_start OFFSET 0) w,
		@extschema@.drift_report(w.sketch, w.against, expected) r;

	-- the schema's comparators against the baseline too, and the monitor's own thresholds against both
	INSERT INTO feature_meta.monitor_anomaly (monitor, slice, window_start, against, path, type, severity, short_description, description, statistics, compared_with)
	SELECT m.name, g.slice, g.start, g.against, h.path, upper(h.key) || '_HIGH', 'ERROR', format('High %s', replace(h.key, '_', ' ')),
		format('The %s of "%s" between this window and the %s is %s, above the threshold %s.', replace(h.key, '_', ' '), h.path,
			CASE g.against WHEN 'previous' THEN 'window before' ELSE 'baseline' END, h.distance, h.threshold), w.statistics, o.statistics
	FROM (SELECT k.slice, k.start, d.against, d.against_start, array_agg(d.path) AS paths, array_agg(t.key) AS keys, array_agg(to_jsonb(d) ->> t.key) AS distances,
			array_agg(t.value) AS thresholds
		  FROM unnest(of_slice, start_at) k(slice, start), LATERAL (
				SELECT d.* FROM feature_meta.monitor_drift_metrics d WHERE (d.monitor, d.slice, d.window_start) = (m.name, k.slice, k.start) OFFSET 0) d,
			jsonb_each(CASE d.against WHEN 'baseline' THEN d.thresholds ELSE m.thresholds END) t
		  WHERE jsonb_typeof(to_jsonb(d) -> t.key) = 'number' AND abs((to_jsonb(d) ->> t.key)::double precision) > t.value::double precision
		  GROUP BY 1, 2, 3, 4 ORDER BY k.start, k.slice, d.against DESC OFFSET 0) g,
		LATERAL (SELECT @extschema@.feature_statistics(w.sketch) AS statistics FROM feature_meta.monitor_window w
			WHERE (w.monitor, w.slice, w.window_start) = (m.name, g.slice, g.start) OFFSET 0) w,
		LATERAL (SELECT @extschema@.feature_statistics(o.sketch) AS statistics FROM feature_meta.monitor_window o
			WHERE (o.monitor, o.slice, o.window_start) = (m.name, g.slice, g.against_start) OFFSET 0) o,
		unnest(g.paths, g.keys, g.distances, g.thresholds) h(path, key, distance, threshold)
	ON CONFLICT (monitor, slice, window_start, against, path, type) DO NOTHING;

	SELECT sum(a.open), count(pg_notify(m.channel, jsonb_build_object('monitor', m.name, 'slice', k.slice, 'window_start', k.start, 'anomalies', a.open)::text)) INTO found
	FROM unnest(of_slice, start_at) k(slice, start), LATERAL (
		SELECT count(*) AS open FROM feature_meta.monitor_anomaly a
		WHERE (a.monitor, a.slice, a.window_start) = (m.name, k.slice, k.start) AND a.acknowledged_at IS NULL) a
	WHERE a.open > 0;
	RETURN coalesce(found, 0);
END $$;
COMMENT ON FUNCTION monitor_judge(feature_meta.monitor, timestamptz[]) IS
	'internal: makes the metrics and anomalies of windows anew from the stored sketches; returns the number of open anomalies';

-- A schema without what a window is not described by: the time column, and columns that are not watched
CREATE FUNCTION monitor_schema(m feature_meta.monitor, schema feature_schema) RETURNS feature_schema
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN jsonb_set(schema::jsonb, '{feature}', coalesce((SELECT jsonb_agg(f ORDER BY ord) FROM jsonb_array_elements(schema::jsonb -> 'feature') WITH ORDINALITY x(f, ord)
		WHERE f ->> 'name' <> m.time_column AND (m.feature_allowlist IS NULL OR f ->> 'name' = ANY (m.feature_allowlist))), '[]'))::feature_schema;
COMMENT ON FUNCTION monitor_schema(feature_meta.monitor, feature_schema) IS 'internal: the part of a schema that a monitor''s windows can be held against';

CREATE FUNCTION run_monitor(name text, until timestamptz DEFAULT now(), redo_from timestamptz DEFAULT NULL,
	OUT windows integer, OUT redone integer, OUT anomalies bigint) RETURNS record
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m feature_meta.monitor;
	done_to timestamptz;
	stop timestamptz;
	first timestamptz; -- the window that stands in for a baseline
	base timestamptz[] := '{}';
	made timestamptz[] := '{}';
	again timestamptz[] := '{}';
	late timestamptz[] := '{}';
	judged timestamptz[];
	watched_from timestamptz;
	watched_again timestamptz; -- from here on the windows are watched by the next run, too
BEGIN
	-- a second run waits here, and then finds nothing left to do
	PERFORM pg_advisory_xact_lock(hashtextextended('feature_meta.monitor ' || run_monitor.name, 0));
	SELECT x.* INTO m FROM feature_meta.monitor x WHERE x.name = run_monitor.name;
	IF NOT FOUND THEN
		RAISE undefined_object USING MESSAGE = format('monitor "%s" does not exist', run_monitor.name);
	ELSIF NOT @extschema@.may_change(m.created_by) THEN
		RAISE insufficient_privilege USING MESSAGE = format('permission denied for monitor "%s"', m.name), DETAIL = 'Another role made it.';
	ELSIF m.created_by <> current_user AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = current_user AND r.rolsuper)
		AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = m.created_by AND r.rolsuper) THEN
		RAISE insufficient_privilege USING MESSAGE = format('permission denied for monitor "%s"', m.name),
			DETAIL = 'Its expressions, which another role wrote, would run with the rights of a superuser.', HINT = format('SET ROLE %I first.', m.created_by);
	ELSIF NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = m.relation) THEN
		RAISE undefined_table USING MESSAGE = format('the relation of monitor "%s" does not exist any more', m.name);
	ELSIF @extschema@.monitor_time_type(m.relation, m.time_column) IS NULL THEN
		RAISE undefined_column USING MESSAGE = format('relation "%s" does not have a column "%s" of a type of time any more', m.relation, m.time_column);
	END IF;
	until := coalesce(until, now());
	stop := @extschema@.monitor_window_start(until, m.granularity); -- windows that are not over wait for the next run
	SELECT max(w.window_end), min(w.window_start) INTO done_to, first FROM feature_meta.monitor_window w
	WHERE w.monitor = m.name AND w.slice = '' AND w.window_start > '-infinity';
	IF done_to IS NOT NULL THEN
		done_to := least(greatest(done_to, @extschema@.monitor_window_start(m.last_run, m.granularity)), stop);
	END IF;
	IF m.baseline IS NOT NULL AND (redo_from = '-infinity' OR NOT EXISTS (
		SELECT FROM feature_meta.monitor_window w WHERE w.monitor = m.name AND w.window_start = '-infinity')) THEN
		base := ARRAY(SELECT w.window_start FROM @extschema@.monitor_sketch_windows(m, NULL, NULL) w);
	END IF;

	-- One pass: the rows of windows that are still watched are counted, with a checksum of their versions, those of new ones sketched
	watched_again := @extschema@.monitor_window_start(until - m.lateness, m.granularity);
	watched_from := least(watched_again, redo_from, done_to);
	DELETE FROM feature_meta.monitor_watched o WHERE o.monitor = m.name AND o.window_start < watched_again;
	WITH seen AS MATERIALIZED (
		SELECT w.* FROM @extschema@.monitor_sketch_windows(m, CASE WHEN done_to IS NOT NULL THEN watched_from END, stop, done_to, NULL, watched_again) w),
	remembered AS (
		INSERT INTO feature_meta.monitor_watched AS o (monitor, window_start, versions) SELECT m.name, s.window_start, s.versions FROM seen s WHERE s.versions IS NOT NULL
		ON CONFLICT (monitor, window_start) DO UPDATE SET versions = EXCLUDED.versions WHERE o.versions <> EXCLUDED.versions)
	SELECT coalesce(array_agg(window_start) FILTER (WHERE s.sketched), '{}'),
		coalesce(array_agg(window_start) FILTER (WHERE s.sketched IS NOT TRUE AND (s.num_examples IS DISTINCT FROM w.num_examples OR s.versions <> w.versions OR window_start >= redo_from)), '{}')
	INTO made, late
	FROM seen s FULL JOIN (
		SELECT w.window_start, w.num_examples, o.versions FROM feature_meta.monitor_window w LEFT JOIN feature_meta.monitor_watched o USING (monitor, window_start)
		WHERE w.monitor = m.name AND w.slice = '' AND w.window_start >= watched_from AND w.window_start < done_to AND w.window_start > '-infinity') w USING (window_start);
	-- where these are not what they were, rows came late, went or were written anew: a pass over these windows
	IF late <> '{}' THEN
		DELETE FROM feature_meta.monitor_window w WHERE w.monitor = m.name AND w.window_start = ANY (late) AND NOT EXISTS (
			SELECT FROM feature_meta.monitor_anomaly a WHERE (a.monitor, a.slice, a.window_start) = (w.monitor, w.slice, w.window_start) AND a.acknowledged_at IS NOT NULL);
		WITH seen AS MATERIALIZED (
			SELECT w.* FROM (SELECT min(x) AS low, max(x) AS high FROM unnest(late) x) x,
				@extschema@.monitor_sketch_windows(m, x.low, timezone('UTC', timezone('UTC', x.high) + m.granularity), NULL, late, watched_again) w),
		remembered AS (
			UPDATE feature_meta.monitor_watched o SET versions = s.versions FROM seen s
			WHERE o.monitor = m.name AND o.window_start = s.window_start AND o.versions <> s.versions)
		SELECT coalesce(array_agg(s.window_start), '{}') INTO again FROM seen s;
	END IF;

	-- what was compared with a window that changed is compared again
	IF base <> '{}' OR (m.baseline IS NULL AND first >= ANY (late)) THEN
		judged := ARRAY(SELECT w.window_start FROM feature_meta.monitor_window w WHERE w.monitor = m.name);
	ELSE
		judged := made || again || ARRAY(
			SELECT DISTINCT (SELECT min(n.window_start) FROM feature_meta.monitor_window n WHERE n.monitor = m.name AND n.slice = w.slice AND n.window_start > a.start)
			FROM unnest(late) a(start) JOIN feature_meta.monitor_window w ON w.monitor = m.name);
	END IF;
	anomalies := @extschema@.monitor_judge(m, judged);
	UPDATE feature_meta.monitor x SET last_run = greatest(x.last_run, until) WHERE x.name = m.name;
	windows := cardinality(made);
	redone := cardinality(again);
END $$;
COMMENT ON FUNCTION run_monitor(text, timestamptz, timestamptz) IS
	'brings a monitor up to date: one pass sketches the windows that ended before "until" and are new, and counts the rows of those within the monitor''s lateness; where their number changed, or rows were written anew (which a view or a foreign table does not tell; everywhere from redo_from on, when that is given; -infinity: the baseline too) a second one sketches again; writes profile and drift metrics and anomalies, and notifies the channel. Running it again changes nothing; of two runs at once the second waits. Returns the number of new windows, of windows done again, and of open anomalies in them. Errors: 42704 no such monitor, 42501 another role made it (its members may run it, a superuser by SET ROLE), 42P01 or 42703 its relation or time column is gone';

CREATE FUNCTION acknowledge_anomaly(id bigint, note text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE feature_meta.monitor_anomaly a
	SET acknowledged_at = coalesce(a.acknowledged_at, clock_timestamp()), acknowledged_by = coalesce(a.acknowledged_by, current_user),
		note = coalesce(acknowledge_anomaly.note, a.note)
	WHERE a.id = acknowledge_anomaly.id;
	IF NOT FOUND THEN
		RAISE undefined_object USING MESSAGE = format('anomaly %s does not exist', acknowledge_anomaly.id), HINT = 'Or another role made its monitor.';
	END IF;
END $$;
COMMENT ON FUNCTION acknowledge_anomaly(bigint, text) IS
	'marks an anomaly of a monitor as seen, with a note; later runs leave it as it is. Errors: 42704 no such anomaly, or none of yours';
