-- Training sets as tables with a record of what made them, and whether training and serving still agree.

CREATE FUNCTION store_record_training_set(name text, relation regclass, labels text, features text[], options jsonb, as_of timestamptz,
	description text, lineage boolean, entity_rows regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n bigint;
	made @extschema@.feature_sketch;
	resolved text[];
	execution bigint;
	output bigint;
	artifact_name text;
	inputs jsonb;
	entities bigint;
BEGIN
	SELECT array_agg(f.reference ORDER BY f."position") INTO resolved FROM @extschema@.resolve_features(features) f;
	EXECUTE format('SELECT count(*), @extschema@.table_sketch(t.*) FROM %s t', relation) INTO n, made;
	IF lineage AND NOT has_table_privilege('mlmd.execution', 'INSERT') THEN
		RAISE NOTICE 'the lineage of training set "%" is not recorded: no INSERT privilege on the tables of schema mlmd', name;
	ELSIF lineage THEN
		PERFORM @extschema@.put_artifact_type('FeatureView', '{"version": "INT", "source": "STRING"}', can_add_fields => true, can_omit_fields => true);
		PERFORM @extschema@.put_artifact_type('EntityRows', '{}', can_add_fields => true, can_omit_fields => true);
		PERFORM @extschema@.put_artifact_type('TrainingSet', '{"row_count": "INT"}', base_type => 'Dataset', can_add_fields => true, can_omit_fields => true);
		PERFORM @extschema@.put_execution_type('CreateTrainingSet', '{"as_of": "STRING"}', base_type => 'Transform', can_add_fields => true, can_omit_fields => true);
		SELECT jsonb_agg(jsonb_build_object('id', @extschema@.put_artifact('FeatureView', name => v.view || '@' || v.version, state => 'LIVE',
				uri => format('postgresql:///%s/%s', current_database(), d.source),
				properties => jsonb_build_object('version', v.version, 'source', d.source::text), reuse => true)))
		INTO inputs
		FROM (SELECT DISTINCT f.view, f.version FROM @extschema@.resolve_features(features) f) v, @extschema@.store_view_definition(v.view, v.version) d;
		-- entity rows that are a training set are that artifact; a query is no place, so it has no uri
		SELECT x.artifact_id INTO entities FROM feature_meta.training_set x WHERE x.relation = entity_rows
			AND EXISTS (SELECT FROM mlmd.artifact a WHERE a.id = x.artifact_id);
		inputs := inputs || jsonb_build_object('id', coalesce(entities, @extschema@.put_artifact('EntityRows', name => left(coalesce(entity_rows::text, labels), 1000),
			state => 'LIVE', uri => 'postgresql:///' || current_database() || '/' || entity_rows, reuse => true)));
		-- another training set of the name may have been, and what came of it did not come of this one
		SELECT store_record_training_set.name || coalesce('@' || max(CASE WHEN a.name = store_record_training_set.name THEN 1
			ELSE substr(a.name, length(store_record_training_set.name) + 2)::integer END) + 1, '') INTO artifact_name
		FROM mlmd.artifact a JOIN mlmd.type y ON y.id = a.type_id
		WHERE y.name = 'TrainingSet' AND y.type_kind = 1 AND (a.name = store_record_training_set.name
			OR starts_with(a.name, store_record_training_set.name || '@') AND substr(a.name, length(store_record_training_set.name) + 2) ~ '^[0-9]{1,9}$');
		output := @extschema@.put_artifact('TrainingSet', name => artifact_name, state => 'LIVE', uri => format('postgresql:///%s/%s', current_database(), relation),
			properties => jsonb_build_object('row_count', n));
		execution := @extschema@.put_execution('CreateTrainingSet',
			inputs => ARRAY(SELECT (x ->> 'id')::bigint FROM jsonb_array_elements(inputs) x), outputs => ARRAY[output],
			properties => jsonb_build_object('as_of', as_of), state => 'COMPLETE');
	END IF;
	INSERT INTO feature_meta.training_set (name, relation, labels, features, options, as_of, row_count, sketch, execution_id, artifact_id, description)
	VALUES (store_record_training_set.name, relation, labels, resolved, options, as_of, n, made, execution, output, store_record_training_set.description);
END $$;
COMMENT ON FUNCTION store_record_training_set(text, regclass, text, text[], jsonb, timestamptz, text, boolean, regclass) IS
'internal: records what made a training set, with its statistics sketch and its lineage; part of create_training_set';

CREATE FUNCTION store_check_training_set(name text) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM feature_meta.training_set t WHERE t.name = store_check_training_set.name) THEN
		RAISE duplicate_object USING MESSAGE = format('training set "%s" exists already', name),
			HINT = 'A training set is never changed: drop_training_set() it, or choose another name.';
	END IF;
END $$;
COMMENT ON FUNCTION store_check_training_set(text) IS 'internal: raises error 42710 when there is a training set of the name; part of create_training_set';

CREATE PROCEDURE create_training_set(name text, labels text, features text[] DEFAULT NULL, event_time text DEFAULT 'event_timestamp',
	full_feature_names boolean DEFAULT false, filter_by_created_timestamp boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
	description text DEFAULT NULL, lineage boolean DEFAULT true, service text DEFAULT NULL)
	LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON PROCEDURE create_training_set(text, text, text[], text, boolean, boolean, timestamptz, text, boolean, text) IS
'makes a table with the rows of historical_features, and a row in feature_meta.training_set that says what made it: labels, feature versions, options, time, row count, statistics sketch, and the lineage in mlmd (execution, inputs, output). name: the table, in the current schema unless qualified; labels: a relation or one SELECT; features: references or names of feature services; or service: the name of one; as_of: what was known at this time goes in, now by default. Errors: 42710 the name is taken, 42P16 it is in a temporary schema, and those of historical_features';

CREATE PROCEDURE create_training_set(name text, labels text, features text, event_time text DEFAULT 'event_timestamp',
	full_feature_names boolean DEFAULT false, filter_by_created_timestamp boolean DEFAULT true, as_of timestamptz DEFAULT NULL,
	description text DEFAULT NULL, lineage boolean DEFAULT true)
	LANGUAGE c AS 'MODULE_PATHNAME', 'create_training_set_of_text';
COMMENT ON PROCEDURE create_training_set(text, text, text, text, boolean, boolean, timestamptz, text, boolean) IS
'the same for the name of a feature service, one reference, or an array literal of references';

CREATE FUNCTION drop_training_set(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	table_name regclass;
BEGIN
	DELETE FROM feature_meta.training_set t WHERE t.name = drop_training_set.name RETURNING t.relation INTO table_name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('training set', drop_training_set.name);
	END IF;
	IF EXISTS (SELECT FROM pg_class c WHERE c.oid = table_name) THEN
		EXECUTE format('DROP TABLE %s', table_name);
	END IF;
END $$;
COMMENT ON FUNCTION drop_training_set(text) IS
'drops a training set''s table and its record; its lineage in mlmd stays. Errors: 42704 unknown, 42501 made by another role';

CREATE FUNCTION training_serving_skew(training_set text, serving regclass, schema feature_schema DEFAULT NULL)
	RETURNS TABLE (path text, metric text, value double precision, threshold double precision, anomaly boolean)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t feature_meta.training_set;
	trained @extschema@.feature_statistics;
	served @extschema@.feature_statistics;
	result jsonb;
	names text[];
	served_names text[];
	features text[];
	expected jsonb;
	inferred jsonb;
	feature jsonb;
BEGIN
	SELECT x.* INTO t FROM feature_meta.training_set x WHERE x.name = training_serving_skew.training_set;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('training set', training_serving_skew.training_set);
	END IF;
	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.relation) THEN
		RAISE undefined_table USING MESSAGE = format('the table of training set "%s" is gone', t.name), HINT = 'Drop its record by drop_training_set().';
	END IF;
	-- Only what both have can be compared, under the name that the training set gives it. What is served may lack the name
	-- of the view where that leaves no doubt.
	SELECT array_agg(c.trained ORDER BY c.attnum), array_agg(c.served ORDER BY c.attnum), array_agg(c.feature ORDER BY c.attnum)
	INTO names, served_names, features
	FROM (SELECT DISTINCT ON (a.attnum) a.attnum, a.attname::text AS trained, b.attname::text AS served, f.feature
		  FROM (SELECT split_part(r, '@', 1) AS view, split_part(r, ':', 2) AS feature, count(*) OVER (PARTITION BY split_part(r, ':', 2)) AS namesakes
				FROM unnest(t.features) r) f
		  JOIN pg_attribute a ON a.attrelid = t.relation AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attname = CASE WHEN (t.options ->> 'full_feature_names')::boolean THEN f.view || '__' || f.feature ELSE f.feature END
		  JOIN pg_attribute b ON b.attrelid = serving AND b.attnum > 0 AND NOT b.attisdropped
			AND (b.attname IN (a.attname, f.view || '__' || f.feature) OR b.attname = f.feature
				AND (f.namesakes = 1 OR EXISTS (SELECT FROM feature_meta.feature_view v WHERE v.name = f.view AND v.online_table = serving)))
		  ORDER BY a.attnum, b.attname = a.attname DESC, b.attname <> f.feature DESC) c;
	IF names IS NULL THEN
		RAISE undefined_column USING MESSAGE = format('relation %s has none of the features of training set "%s"', serving, t.name);
	END IF;
	trained := @extschema@.generate_statistics(t.relation, feature_allowlist => names);
	served := (SELECT jsonb_set(s, '{datasets}', jsonb_agg(d || jsonb_build_object('features', (
			SELECT jsonb_agg(jsonb_set(f, '{path,step,0}', to_jsonb(names[array_position(served_names, f #>> '{path,step,0}')])))
			FROM jsonb_array_elements(d -> 'features') f))))
		FROM (SELECT @extschema@.generate_statistics(serving, feature_allowlist => served_names)::jsonb) x(s), jsonb_array_elements(s -> 'datasets') d
		GROUP BY s)::@extschema@.feature_statistics;
	IF schema IS NULL THEN
		schema := @extschema@.store_training_schema(t.name);
	END IF;
	-- what no comparator of the schema asks for is measured without a threshold
	expected := jsonb_build_object('feature', '[]'::jsonb) || coalesce(schema::jsonb, '{}');
	inferred := @extschema@.infer_schema(trained)::jsonb;
	FOR i IN 1 .. cardinality(names) LOOP
		SELECT f INTO feature FROM jsonb_array_elements(expected -> 'feature') f WHERE f ->> 'name' IN (names[i], features[i]) ORDER BY f ->> 'name' = names[i] DESC LIMIT 1;
		expected := jsonb_set(expected, '{feature}', coalesce((SELECT jsonb_agg(f) FROM jsonb_array_elements(expected -> 'feature') f WHERE f IS DISTINCT FROM feature), '[]')
			|| (coalesce('{"skew_comparator": {"jensen_shannon_divergence": {"threshold": "Infinity"}}}' || feature,
				(SELECT jsonb_build_object('type', f -> 'type', 'skew_comparator', '{"jensen_shannon_divergence": {"threshold": "Infinity"}}'::jsonb)
				 FROM jsonb_array_elements(inferred -> 'feature') f WHERE f ->> 'name' = names[i]))
				|| jsonb_build_object('name', names[i])));
	END LOOP;
	schema := expected::@extschema@.feature_schema;
	result := @extschema@.validate_statistics(trained, schema, serving_statistics => served)::jsonb;
	RETURN QUERY
	SELECT array_to_string(ARRAY(SELECT jsonb_array_elements_text(i -> 'path' -> 'step')), '.'), m ->> 'type', (m ->> 'value')::float8,
		nullif((m ->> 'threshold')::float8, 'Infinity'), (m ->> 'value')::float8 > (m ->> 'threshold')::float8
	FROM jsonb_array_elements(result -> 'drift_skew_info') i, jsonb_array_elements(i -> 'skew_measurements') m
	ORDER BY 1, 2;
END $$;
COMMENT ON FUNCTION training_serving_skew(text, regclass, feature_schema) IS
'compares what a training set was made of with what is served: a feature view''s online table, or a table that logs what was served. A row a feature and metric: the distance by the schema''s skew comparator (the schema given, else those of the feature views), and Jensen-Shannon divergence without a threshold where the schema has none. Columns are matched by name, with or without the name of the view before it; path is the training set''s column. Errors: 42704 unknown training set, 42703 no feature in common';

CREATE FUNCTION training_serving_skew(training_set text, view text, schema feature_schema DEFAULT NULL)
	RETURNS TABLE (path text, metric text, value double precision, threshold double precision, anomaly boolean)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = training_serving_skew.view;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', training_serving_skew.view);
	ELSIF v.online_table IS NULL THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = format('feature view "%s" is not online', v.name);
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.training_serving_skew(training_serving_skew.training_set, v.online_table, training_serving_skew.schema);
END $$;
COMMENT ON FUNCTION training_serving_skew(text, text, feature_schema) IS
'the same against the online table of a feature view. Errors: 55000 not online, 42704 unknown';

CREATE FUNCTION store_training_schema(training_set text) RETURNS feature_schema
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT jsonb_build_object('feature', jsonb_agg(f.feature || jsonb_build_object('name',
		CASE WHEN (t.options ->> 'full_feature_names')::boolean THEN v.view || '__' || split_part(r, ':', 2) ELSE split_part(r, ':', 2) END)))::feature_schema
	FROM feature_meta.training_set t, unnest(t.features) r
	JOIN feature_meta.feature_view_version v ON v.view = split_part(r, '@', 1) AND v.version = split_part(split_part(r, '@', 2), ':', 1)::integer,
		jsonb_array_elements(v.schema::jsonb -> 'feature') f(feature)
	WHERE t.name = store_training_schema.training_set AND f.feature ->> 'name' = split_part(r, ':', 2)
	HAVING count(*) > 0;
END;
COMMENT ON FUNCTION store_training_schema(text) IS 'internal: what the feature views of a training set expect of its features; NULL if nothing';

CREATE FUNCTION feature_view_health(view text DEFAULT NULL)
	RETURNS TABLE (name text, version integer, feature name, source regclass, newest_event timestamptz, age interval, ttl interval, fresh boolean,
		keys bigint, expired bigint, null_rate double precision, online boolean, materialized_to timestamptz, problems text[])
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	d record;
	newest timestamptz;
	n bigint;
	old bigint;
	nulls bigint[];
	rows text;
	read regclass;
BEGIN
	IF view IS NOT NULL AND NOT EXISTS (SELECT FROM feature_meta.feature_view f WHERE f.name = view) THEN
		PERFORM @extschema@.store_not_changed('feature view', view);
	END IF;
	FOR v IN SELECT f.* FROM feature_meta.feature_view f WHERE view IS NULL OR f.name = view ORDER BY f.name LOOP
		SELECT * INTO d FROM @extschema@.store_view_definition(v.name, NULL);
		-- a view whose data the caller may not read is left out of the overview; asked for by name it is an error
		SELECT c.oid INTO read FROM pg_class c WHERE c.oid IN (v.online_table, d.source) ORDER BY c.oid = v.online_table DESC NULLS LAST LIMIT 1;
		CONTINUE WHEN view IS NULL AND NOT has_table_privilege(read, 'SELECT');
		problems := array_remove(ARRAY[
			CASE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d.source) THEN format('the source is gone, it was %s', coalesce(
				(SELECT x.source_name FROM feature_meta.feature_view_version x WHERE x.view = v.name AND x.version = v.current_version), 'of no known name')) END,
			CASE WHEN v.online_table IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = v.online_table) THEN 'the online table is gone: disable_online(), then enable_online()' END,
			CASE WHEN v.online_table IS NOT NULL AND v.online_row_security <> @extschema@.store_row_security(d.source)
				THEN 'the row security of the source has changed since it was copied to the online table: refresh_online()' END,
			CASE WHEN v.online_trigger AND EXISTS (SELECT FROM @extschema@.store_parts(d.source) p JOIN pg_class c ON c.oid = p.part
					WHERE c.relkind <> 'f' AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = p.part AND g.tgparentid = 0
						AND g.tgfoid = '@extschema@.store_feed_online()'::regprocedure))
				THEN 'the source has partitions or children without the trigger for whole statements: refresh_online()' END], NULL);
		IF read IS NULL THEN
			RETURN QUERY SELECT v.name, v.current_version, f.feature::name, d.source, NULL::timestamptz, NULL::interval, d.ttl, false, NULL::bigint, NULL::bigint,
				NULL::float8, v.online_table IS NOT NULL, v.materialized_to, problems FROM unnest(d.features) f(feature);
			CONTINUE;
		END IF;
		rows := CASE WHEN read = v.online_table THEN read::text
			ELSE format('@extschema@.latest_features(%L) AS rows(%s)', v.name, @extschema@.latest_features_columns(v.name)) END;
		EXECUTE format('SELECT max(%1$I), count(*), count(*) FILTER (WHERE %1$I < @extschema@.store_before(now(), $1)), ARRAY[%2$s] FROM %3$s',
			d.event_time, (SELECT string_agg(format('count(*) FILTER (WHERE %I IS NULL)', f), ', ' ORDER BY ord) FROM unnest(d.features) WITH ORDINALITY x(f, ord)), rows)
		INTO newest, n, old, nulls USING d.ttl;
		RETURN QUERY
		SELECT v.name, v.current_version, f.feature::name, d.source, newest, now() - newest, d.ttl,
			CASE WHEN newest IS NULL THEN false WHEN d.ttl IS NULL THEN true ELSE newest >= @extschema@.store_before(now(), d.ttl) END,
			n, coalesce(old, 0), CASE WHEN n > 0 THEN nulls[f.ord]::double precision / n END, v.online_table IS NOT NULL, v.materialized_to, problems
		FROM unnest(d.features) WITH ORDINALITY f(feature, ord);
	END LOOP;
END $$;
COMMENT ON FUNCTION feature_view_health(text) IS
'a row a feature: how new the newest event is, whether it is within the ttl, how many keys there are and how many of them expired, and the share of keys whose value is NULL; from the online table, else from the newest rows of the source. problems: what does not follow its source any more or is gone, and what to do; figures are NULL where nothing is left to read. All feature views the caller may read when view is NULL. Errors: 42704 unknown';
