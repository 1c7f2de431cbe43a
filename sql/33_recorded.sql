-- Recorded statistics: the sketch of a relation at a span of time, to be read back, merged and compared with

CREATE TABLE feature_meta.recorded_statistics (
	relation regclass NOT NULL,
	slice text NOT NULL,
	span timestamp NOT NULL,
	sketch @extschema@.feature_sketch NOT NULL,
	num_examples bigint NOT NULL,
	filter text,
	recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	recorded_by text NOT NULL DEFAULT CURRENT_USER,
	PRIMARY KEY (relation, slice, span)
);
COMMENT ON TABLE feature_meta.recorded_statistics IS 'sketches of relations by span, written by record_statistics';
COMMENT ON COLUMN feature_meta.recorded_statistics.relation IS 'the table or view';
COMMENT ON COLUMN feature_meta.recorded_statistics.slice IS 'name of the part of the rows; empty: all that the filter lets pass';
COMMENT ON COLUMN feature_meta.recorded_statistics.span IS 'which day, hour or batch the rows belong to';
COMMENT ON COLUMN feature_meta.recorded_statistics.sketch IS 'what the pass over the rows remembers';
COMMENT ON COLUMN feature_meta.recorded_statistics.num_examples IS 'number of rows';
COMMENT ON COLUMN feature_meta.recorded_statistics.filter IS 'the filter, or NULL';
COMMENT ON COLUMN feature_meta.recorded_statistics.recorded_at IS 'when';
COMMENT ON COLUMN feature_meta.recorded_statistics.recorded_by IS 'the role that recorded it';

CREATE TABLE feature_meta.recorded_partition (
	relation regclass NOT NULL,
	slice text NOT NULL,
	partition regclass NOT NULL,
	options text NOT NULL,
	fingerprint text,
	sketch @extschema@.feature_sketch NOT NULL,
	PRIMARY KEY (relation, slice, partition)
);
COMMENT ON TABLE feature_meta.recorded_partition IS
	'newest sketch of each partition, kept by incremental record_statistics to be merged while the partition stays as it is';
COMMENT ON COLUMN feature_meta.recorded_partition.relation IS 'the partitioned table';
COMMENT ON COLUMN feature_meta.recorded_partition.slice IS 'name of the part of the rows';
COMMENT ON COLUMN feature_meta.recorded_partition.partition IS 'a partition that holds rows';
COMMENT ON COLUMN feature_meta.recorded_partition.options IS 'filter, weight, columns and settings that the sketch was made with';
COMMENT ON COLUMN feature_meta.recorded_partition.fingerprint IS 'of the row versions and columns, by relation_fingerprint; NULL: cannot be told';
COMMENT ON COLUMN feature_meta.recorded_partition.sketch IS 'what the pass over its rows remembers';

-- A sketch holds values of its relation: who may read all of the relation may read it, the owner may write it.
CREATE FUNCTION may_read_recorded(relation regclass) RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN (pg_catalog.has_table_privilege(relation, 'SELECT') AND NOT pg_catalog.row_security_active(relation::oid))
		OR pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relation::oid), 'USAGE');
COMMENT ON FUNCTION may_read_recorded(regclass) IS
	'may the caller read what is recorded of a relation: its owner, and who may read all its rows';
CREATE FUNCTION may_record(relation regclass) RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) relation::oid), 'USAGE');
COMMENT ON FUNCTION may_record(regclass) IS 'may the caller record statistics of a relation: its owner';

ALTER TABLE feature_meta.recorded_statistics ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_meta.recorded_partition ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON feature_meta.recorded_statistics, feature_meta.recorded_partition TO PUBLIC;
CREATE POLICY recorded_statistics_read ON feature_meta.recorded_statistics FOR SELECT USING (@extschema@.may_read_recorded(relation));
COMMENT ON POLICY recorded_statistics_read ON feature_meta.recorded_statistics IS 'the owner, and who may read all rows of the relation';
CREATE POLICY recorded_statistics_insert ON feature_meta.recorded_statistics FOR INSERT
	WITH CHECK (@extschema@.may_record(relation) AND recorded_by OPERATOR(pg_catalog.=) CURRENT_USER);
COMMENT ON POLICY recorded_statistics_insert ON feature_meta.recorded_statistics IS 'the owner of the relation, in the own name';
CREATE POLICY recorded_statistics_update ON feature_meta.recorded_statistics FOR UPDATE USING (@extschema@.may_record(relation))
	WITH CHECK (@extschema@.may_record(relation) AND recorded_by OPERATOR(pg_catalog.=) CURRENT_USER);
COMMENT ON POLICY recorded_statistics_update ON feature_meta.recorded_statistics IS 'the owner of the relation, in the own name';
CREATE POLICY recorded_statistics_delete ON feature_meta.recorded_statistics FOR DELETE USING (@extschema@.may_record(relation));
COMMENT ON POLICY recorded_statistics_delete ON feature_meta.recorded_statistics IS 'the owner of the relation';
CREATE POLICY recorded_partition_owner ON feature_meta.recorded_partition USING (@extschema@.may_record(relation))
	WITH CHECK (@extschema@.may_record(relation));
COMMENT ON POLICY recorded_partition_owner ON feature_meta.recorded_partition IS 'the owner of the partitioned table';
-- Rows of relations that are gone, or that no dump holds, stay behind. A restored table has other row versions, so what was
-- recorded of its partitions is not dumped.
SELECT pg_catalog.pg_extension_config_dump('feature_meta.recorded_statistics',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = relation AND c.relpersistence <> ''t'')');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.recorded_partition', 'WHERE false');

CREATE FUNCTION row_version_hash(ctid tid, xmin xid) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION row_version_hash(tid, xid) IS 'hash of a row version, of which relation_fingerprint makes its sum';
CREATE FUNCTION relation_fingerprint(relation regclass, filter text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION relation_fingerprint(regclass, text) IS
	'fingerprint of the row versions and columns of a table: equal as long as nothing changed; NULL for views and foreign tables';

CREATE FUNCTION record_partitions(relation regclass, slice text, filter text, weight_feature text, feature_allowlist text[],
	sample_rate double precision) RETURNS feature_sketch LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
BEGIN ATOMIC
	DELETE FROM feature_meta.recorded_partition old
	WHERE old.relation OPERATOR(pg_catalog.=) record_partitions.relation AND old.slice OPERATOR(pg_catalog.=) record_partitions.slice
		AND old.partition OPERATOR(pg_catalog.<>) record_partitions.relation
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(record_partitions.relation) tree
			WHERE tree.relid OPERATOR(pg_catalog.=) old.partition AND tree.isleaf);
	WITH leaf AS MATERIALIZED (
		SELECT tree.relid, @extschema@.relation_fingerprint(tree.relid, record_partitions.filter) AS fingerprint,
			pg_catalog.jsonb_build_array(record_partitions.filter, record_partitions.weight_feature,
				record_partitions.feature_allowlist, record_partitions.sample_rate,
				pg_catalog.current_setting('feature_meta.max_exact_values'),
				pg_catalog.current_setting('feature_meta.sketch_distributions'))::text AS options
		-- a table without partitions has no tree and is its own leaf
		FROM (SELECT t.relid FROM pg_catalog.pg_partition_tree(record_partitions.relation) t WHERE t.isleaf
			UNION SELECT c.oid::regclass FROM pg_catalog.pg_class c
			WHERE c.oid OPERATOR(pg_catalog.=) record_partitions.relation::oid AND c.relkind OPERATOR(pg_catalog.<>) 'p') tree
	)
	INSERT INTO feature_meta.recorded_partition AS old (relation, slice, partition, options, fingerprint, sketch)
	SELECT record_partitions.relation, record_partitions.slice, leaf.relid, leaf.options, leaf.fingerprint,
		@extschema@.relation_sketch(leaf.relid, record_partitions.filter, record_partitions.weight_feature,
			record_partitions.feature_allowlist, record_partitions.sample_rate)
	FROM leaf
	WHERE NOT EXISTS (SELECT FROM feature_meta.recorded_partition kept
		WHERE kept.relation OPERATOR(pg_catalog.=) record_partitions.relation
			AND kept.slice OPERATOR(pg_catalog.=) record_partitions.slice AND kept.partition OPERATOR(pg_catalog.=) leaf.relid
			AND kept.options OPERATOR(pg_catalog.=) leaf.options AND kept.fingerprint OPERATOR(pg_catalog.=) leaf.fingerprint)
	ON CONFLICT (relation, slice, partition) DO UPDATE
		SET options = EXCLUDED.options, fingerprint = EXCLUDED.fingerprint, sketch = EXCLUDED.sketch;
	-- without any partition there is nothing to merge, but there are columns
	SELECT COALESCE(@extschema@.merge_sketches(kept.sketch), @extschema@.relation_sketch(record_partitions.relation,
		record_partitions.filter, record_partitions.weight_feature, record_partitions.feature_allowlist, record_partitions.sample_rate))
	FROM feature_meta.recorded_partition kept
	WHERE kept.relation OPERATOR(pg_catalog.=) record_partitions.relation AND kept.slice OPERATOR(pg_catalog.=) record_partitions.slice;
END;
COMMENT ON FUNCTION record_partitions(regclass, text, text, text, text[], double precision) IS
	'sketches the partitions that changed since the last call and merges the sketches of all: what record_statistics does when incremental';

CREATE FUNCTION check_recording(relation regclass, span timestamp) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF relation IS NULL OR span IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'record_statistics needs a relation and a span';
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION check_recording(regclass, timestamp) IS 'internal: true; error 22004 for a NULL, before a row is read';

CREATE FUNCTION record_statistics(relation regclass, span timestamp, slice text DEFAULT '', filter text DEFAULT NULL,
	weight_feature text DEFAULT NULL, feature_allowlist text[] DEFAULT NULL, sample_rate double precision DEFAULT 1,
	incremental boolean DEFAULT false) RETURNS bigint LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO feature_meta.recorded_statistics AS old (relation, slice, span, sketch, num_examples, filter)
	SELECT record_statistics.relation, COALESCE(record_statistics.slice, ''), record_statistics.span, taken.sketch,
		@extschema@.num_examples(taken.sketch), record_statistics.filter
	FROM (SELECT CASE WHEN NOT @extschema@.check_recording(record_statistics.relation, record_statistics.span) THEN NULL
			WHEN record_statistics.incremental
			THEN @extschema@.record_partitions(record_statistics.relation, COALESCE(record_statistics.slice, ''),
				record_statistics.filter, record_statistics.weight_feature, record_statistics.feature_allowlist,
				record_statistics.sample_rate)
			ELSE @extschema@.relation_sketch(record_statistics.relation, record_statistics.filter,
				record_statistics.weight_feature, record_statistics.feature_allowlist, record_statistics.sample_rate)
		END OFFSET 0) AS taken(sketch)
	ON CONFLICT (relation, slice, span) DO UPDATE
		SET sketch = EXCLUDED.sketch, num_examples = EXCLUDED.num_examples, filter = EXCLUDED.filter,
			recorded_at = EXCLUDED.recorded_at, recorded_by = EXCLUDED.recorded_by
	RETURNING num_examples;
END;
COMMENT ON FUNCTION record_statistics(regclass, timestamp, text, text, text, text[], double precision, boolean) IS
	'keeps the sketch of a relation (or of the rows that pass the filter) for a span, in place of what was kept for it, and returns the number of rows; incremental: of a partitioned table only the partitions that changed are read. Errors: those of relation_sketch, 22004 no relation or no span';

CREATE FUNCTION recorded_sketch(relation regclass, span timestamp DEFAULT NULL, slice text DEFAULT '') RETURNS feature_sketch
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT r.sketch FROM feature_meta.recorded_statistics r
	WHERE r.relation OPERATOR(pg_catalog.=) recorded_sketch.relation AND r.slice OPERATOR(pg_catalog.=) recorded_sketch.slice
		AND (recorded_sketch.span IS NULL OR r.span OPERATOR(pg_catalog.=) recorded_sketch.span)
	ORDER BY r.span DESC
	LIMIT 1;
END;
COMMENT ON FUNCTION recorded_sketch(regclass, timestamp, text) IS
	'the sketch recorded for a span, or the newest; NULL if there is none';
CREATE FUNCTION recorded_sketch(relation regclass, spans tsrange, slice text DEFAULT '') RETURNS feature_sketch
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT @extschema@.merge_sketches(r.sketch) FROM feature_meta.recorded_statistics r
	WHERE r.relation OPERATOR(pg_catalog.=) recorded_sketch.relation AND r.slice OPERATOR(pg_catalog.=) recorded_sketch.slice
		AND r.span OPERATOR(pg_catalog.<@) recorded_sketch.spans;
END;
COMMENT ON FUNCTION recorded_sketch(regclass, tsrange, text) IS 'the sketches recorded for a range of spans, merged; NULL if there is none';
CREATE FUNCTION recorded_sketch(relation regclass, spans daterange, slice text DEFAULT '') RETURNS feature_sketch
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT @extschema@.merge_sketches(r.sketch) FROM feature_meta.recorded_statistics r
	WHERE r.relation OPERATOR(pg_catalog.=) recorded_sketch.relation AND r.slice OPERATOR(pg_catalog.=) recorded_sketch.slice
		AND r.span::date OPERATOR(pg_catalog.<@) recorded_sketch.spans;
END;
COMMENT ON FUNCTION recorded_sketch(regclass, daterange, text) IS 'the sketches recorded for a range of days, merged; NULL if there is none';
-- A literal without a type is taken for text: this is what it means then.
CREATE FUNCTION recorded_sketch(relation regclass, span text, slice text DEFAULT '') RETURNS feature_sketch
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN CASE WHEN span OPERATOR(pg_catalog.~) '^\s*(\[|\(|empty)'
		THEN @extschema@.recorded_sketch(relation, span::tsrange, slice)
		ELSE @extschema@.recorded_sketch(relation, span::timestamp, slice) END;
COMMENT ON FUNCTION recorded_sketch(regclass, text, text) IS
	'the sketch recorded for a span, or those of a range of spans, merged; NULL if there is none';

CREATE FUNCTION recorded_statistics(relation regclass, span timestamp DEFAULT NULL, slice text DEFAULT '') RETURNS feature_statistics
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN @extschema@.feature_statistics(@extschema@.recorded_sketch(relation, span, slice));
COMMENT ON FUNCTION recorded_statistics(regclass, timestamp, text) IS
	'statistics recorded for a span, or the newest; NULL if there are none';
CREATE FUNCTION recorded_statistics(relation regclass, spans tsrange, slice text DEFAULT '') RETURNS feature_statistics
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN @extschema@.feature_statistics(@extschema@.recorded_sketch(relation, spans, slice));
COMMENT ON FUNCTION recorded_statistics(regclass, tsrange, text) IS
	'statistics of all rows recorded for a range of spans; NULL if there are none';
CREATE FUNCTION recorded_statistics(relation regclass, spans daterange, slice text DEFAULT '') RETURNS feature_statistics
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN @extschema@.feature_statistics(@extschema@.recorded_sketch(relation, spans, slice));
COMMENT ON FUNCTION recorded_statistics(regclass, daterange, text) IS
	'statistics of all rows recorded for a range of days; NULL if there are none';
CREATE FUNCTION recorded_statistics(relation regclass, span text, slice text DEFAULT '') RETURNS feature_statistics
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN @extschema@.feature_statistics(@extschema@.recorded_sketch(relation, span, slice));
COMMENT ON FUNCTION recorded_statistics(regclass, text, text) IS
	'statistics of all rows recorded for a span or a range of spans; NULL if there are none';
