-- The feature store's definitions: entities, feature views and their versions, feature services.

CREATE FUNCTION store_check_source(source regclass, join_keys text[], event_time text, created_time text, features text[])
	RETURNS void
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_check_source(regclass, text[], text, text, text[]) IS
'internal: raises an error unless the columns exist in the relation and can serve: join keys can be hashed and compared, times are timestamp with or without time zone or date (42703 no such column, 42804 wrong type, each naming the nearest column)';

CREATE FUNCTION store_check_tags(tags jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF jsonb_typeof(tags) IS DISTINCT FROM 'object' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'tags must be a JSON object', DETAIL = format('They are %s.', coalesce(tags::text, 'NULL'));
	END IF;
	RETURN tags;
END $$;
COMMENT ON FUNCTION store_check_tags(jsonb) IS 'internal: the tags, when they are a JSON object; error 22023 otherwise';

CREATE FUNCTION store_check_name(kind text, name text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF name IS NULL OR name = '' OR name ~ '[:@{},"]' THEN
		RAISE invalid_name USING MESSAGE = format('"%s" cannot be the name of a %s', name, kind),
			DETAIL = 'A name is not empty and has none of the characters : @ { } , "', HINT = 'They have a meaning in feature references.';
	END IF;
	RETURN name;
END $$;
COMMENT ON FUNCTION store_check_name(text, text) IS 'internal: the name, when an entity, feature view or feature service may have it; error 42602 otherwise';

CREATE FUNCTION store_before("time" timestamptz, ttl interval) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'store_before_sql';
COMMENT ON FUNCTION store_before(timestamptz, interval) IS
'internal: the time a ttl before another, in days and months of UTC; -infinity when that is before all times';

-- Raises the error for a name that the catalogue does not know, with the nearest name that it does.
CREATE FUNCTION store_unknown(kind text, name text, known text[]) RETURNS void
	LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_unknown(text, text, text[]) IS
'internal: raises error 42704: an object of this kind and name does not exist; the hint names the nearest of the known ones';

CREATE FUNCTION create_entity(name text, join_keys text[] DEFAULT NULL, description text DEFAULT NULL, owner text DEFAULT NULL,
	tags jsonb DEFAULT '{}') RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF cardinality(join_keys) = 0 OR cardinality(join_keys) > 32 OR (SELECT count(*) <> count(DISTINCT k) FROM unnest(join_keys) k) THEN
		RAISE invalid_parameter_value USING MESSAGE = format('entity "%s" needs 1 to 32 join keys, each another', create_entity.name),
			DETAIL = format('Join keys: %s.', join_keys);
	END IF;
	INSERT INTO feature_meta.feature_entity AS e (name, join_keys, description, owner, tags)
	VALUES (@extschema@.store_check_name('entity', create_entity.name), coalesce(create_entity.join_keys, ARRAY[create_entity.name]), create_entity.description,
			create_entity.owner, @extschema@.store_check_tags(create_entity.tags));
	RETURN create_entity.name;
EXCEPTION WHEN unique_violation THEN
	RAISE duplicate_object USING MESSAGE = format('entity "%s" exists already', create_entity.name),
		HINT = 'Use alter_entity() to change it.';
END $$;
COMMENT ON FUNCTION create_entity(text, text[], text, text, jsonb) IS
'makes an entity: a name and the columns that identify one (the name itself when join_keys is NULL); returns the name. Errors: 42710 exists already, 22023 tags are not an object, no or the same join keys, 42602 bad name';

CREATE FUNCTION alter_entity(name text, description text DEFAULT NULL, owner text DEFAULT NULL, tags jsonb DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE feature_meta.feature_entity e
	SET description = coalesce(alter_entity.description, e.description), owner = coalesce(alter_entity.owner, e.owner),
		tags = @extschema@.store_check_tags(coalesce(alter_entity.tags, e.tags))
	WHERE e.name = alter_entity.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('entity', alter_entity.name);
	END IF;
	RETURN alter_entity.name;
END $$;
COMMENT ON FUNCTION alter_entity(text, text, text, jsonb) IS
'changes an entity''s description, owner or tags; NULL leaves one as it is. Join keys never change: make another entity. Errors: 42704 unknown, 42501 made by another role';

CREATE FUNCTION drop_entity(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM feature_meta.feature_entity e WHERE e.name = drop_entity.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('entity', drop_entity.name);
	END IF;
EXCEPTION WHEN foreign_key_violation THEN
	RAISE dependent_objects_still_exist USING MESSAGE = format('cannot drop entity "%s" because feature views use it', drop_entity.name),
		DETAIL = (SELECT 'Feature views: ' || string_agg(DISTINCT f.view, ', ' ORDER BY f.view) || '.'
				  FROM feature_meta.feature_view_entity f WHERE f.entity = drop_entity.name);
END $$;
COMMENT ON FUNCTION drop_entity(text) IS 'drops an entity that no feature view uses. Errors: 42704 unknown, 42501 made by another role, 2BP01 in use';

CREATE FUNCTION rename_entity(name text, new_name text) RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE feature_meta.feature_entity e SET name = @extschema@.store_check_name('entity', rename_entity.new_name) WHERE e.name = rename_entity.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('entity', rename_entity.name);
	END IF;
	RETURN rename_entity.new_name;
EXCEPTION WHEN unique_violation THEN
	RAISE duplicate_object USING MESSAGE = format('entity "%s" exists already', rename_entity.new_name);
END $$;
COMMENT ON FUNCTION rename_entity(text, text) IS 'gives an entity another name; its join keys stay. Errors: 42704 unknown, 42501 made by another role, 42710 the new name is taken';

-- Why a change found no row: the name is unknown, or another role made it.
CREATE FUNCTION store_not_changed(kind text, name text) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known text[];
BEGIN
	known := CASE kind
		WHEN 'entity' THEN ARRAY(SELECT e.name FROM feature_meta.feature_entity e)
		WHEN 'feature view' THEN ARRAY(SELECT v.name FROM feature_meta.feature_view v)
		WHEN 'feature service' THEN ARRAY(SELECT s.name FROM feature_meta.feature_service s)
		ELSE ARRAY(SELECT t.name FROM feature_meta.training_set t) END;
	IF store_not_changed.name = ANY (known) THEN
		RAISE insufficient_privilege USING MESSAGE = format('permission denied for %s "%s"', kind, store_not_changed.name),
			DETAIL = 'Another role made it.';
	END IF;
	PERFORM @extschema@.store_unknown(kind, store_not_changed.name, known);
END $$;
COMMENT ON FUNCTION store_not_changed(text, text) IS
'internal: raises the error for a definition that a statement did not find: 42704 unknown, or 42501 made by another role';

CREATE FUNCTION store_feature_type(type regtype) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_feature_type(regtype) IS
'internal: INT, FLOAT, BYTES or STRUCT, as what a row check takes the values of a type; NULL for json and jsonb, which may be any, and for a type that is not there';

-- A schema that speaks of nothing here, or that no row could pass, is a slip. It may speak of keys and times too, as one that was inferred
-- from the source does, and of features that are no longer or not yet in use.
CREATE FUNCTION store_check_schema(source regclass, schema feature_schema, features text[]) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	f record;
	known text[] := ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
	FOR f IN SELECT x ->> 'name' AS name, x ->> 'type' AS type, a.atttypid::regtype AS column_type, @extschema@.store_feature_type(a.atttypid) AS found
			 FROM jsonb_array_elements(schema::jsonb -> 'feature') x
			 LEFT JOIN pg_attribute a ON a.attrelid = source AND a.attname = x ->> 'name' AND a.attnum > 0 AND NOT a.attisdropped
			 WHERE coalesce(x ->> 'lifecycle_stage', '') NOT IN ('DEPRECATED', 'PLANNED', 'ALPHA', 'DEBUG_ONLY', 'DISABLED') LOOP
		IF f.name <> ALL (known) THEN
			PERFORM @extschema@.store_unknown('source column for the feature of the schema', f.name, known);
		ELSIF f.name = ANY (features) AND f.type <> f.found AND f.type <> 'TYPE_UNKNOWN' THEN
			RAISE datatype_mismatch USING MESSAGE = format('the schema expects type %s of feature "%s", but its column holds %s', f.type, f.name, f.found),
				DETAIL = format('The column is of type %s.', f.column_type);
		END IF;
	END LOOP;
	IF NOT EXISTS (SELECT FROM jsonb_array_elements(schema::jsonb -> 'feature') x WHERE x ->> 'name' = ANY (features)) THEN
		RAISE invalid_parameter_value USING MESSAGE = 'the schema speaks of no feature of the view', DETAIL = format('Features: %s.', array_to_string(features, ', '));
	END IF;
END $$;
COMMENT ON FUNCTION store_check_schema(regclass, feature_schema, text[]) IS
'internal: raises an error unless a schema fits the features of a view: 42704 a name that is no column of the source, 42804 another type, 22023 it is about none of the features; part of create_feature_view and alter_feature_view';

CREATE FUNCTION store_source_gone(view text, version integer) RETURNS void
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := (SELECT d.source_name FROM feature_meta.feature_view_version d JOIN feature_meta.feature_view v ON v.name = d.view
				  WHERE d.view = store_source_gone.view AND d.version = coalesce(store_source_gone.version, v.current_version));
BEGIN
	RAISE undefined_table USING MESSAGE = format('the source of feature view "%s" is gone', view),
		DETAIL = coalesce(format('It was %s when the view was defined.', name), 'Its name is not known.'),
		HINT = 'Name another one by alter_feature_view(source => ...). What is online can still be read.';
END $$;
COMMENT ON FUNCTION store_source_gone(text, integer) IS 'internal: raises error 42P01 for a feature view whose source was dropped, with the name that it had';

-- Adds a version of a feature view with what belongs to it, after checking all of it.
CREATE FUNCTION store_add_version(view text, version integer, source regclass, entities text[], event_time text, created_time text,
	ttl interval, features text[], schema feature_schema, on_invalid text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	keys text[];
	e text;
BEGIN
	IF source IS NULL OR event_time IS NULL OR coalesce(cardinality(entities), 0) = 0 THEN
		RAISE null_value_not_allowed USING MESSAGE = 'a feature view needs a source, entities and an event_time';
	END IF;
	IF ttl <= '0' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'ttl must be positive', HINT = 'Leave ttl out for features that never expire.';
	END IF;
	IF on_invalid NOT IN ('reject', 'warn', 'quarantine') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('on_invalid must be reject, warn or quarantine, not "%s"', on_invalid);
	END IF;
	-- An entity that is only a column of the source needs no definition of its own first.
	FOREACH e IN ARRAY entities LOOP
		IF NOT EXISTS (SELECT FROM feature_meta.feature_entity f WHERE f.name = e) THEN
			IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = source AND a.attname = e AND a.attnum > 0 AND NOT a.attisdropped) THEN
				PERFORM @extschema@.store_unknown('entity', e, ARRAY(SELECT f.name FROM feature_meta.feature_entity f));
			END IF;
			PERFORM @extschema@.create_entity(e);
		END IF;
	END LOOP;
	SELECT array_agg(k.key ORDER BY x.ord, k.ord) INTO keys
	FROM unnest(entities) WITH ORDINALITY x(entity, ord) JOIN feature_meta.feature_entity f ON f.name = x.entity,
		unnest(f.join_keys) WITH ORDINALITY k(key, ord);
	IF (SELECT count(*) <> count(DISTINCT k) FROM unnest(keys) k) THEN
		RAISE invalid_parameter_value USING MESSAGE = 'a join key occurs twice among the entities', DETAIL = format('Join keys: %s.', keys);
	END IF;
	IF features IS NULL THEN
		SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO features
		FROM pg_attribute a
		WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attname <> ALL (keys || event_time || coalesce(created_time, event_time));
	END IF;
	IF coalesce(cardinality(features), 0) = 0 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'a feature view needs at least one feature';
	END IF;
	-- Each becomes a column of the online table and of results, beside the keys and times.
	SELECT f INTO e FROM unnest(features) f GROUP BY f HAVING count(*) > 1 OR f = ANY (keys || event_time || created_time) LIMIT 1;
	IF FOUND THEN
		RAISE invalid_parameter_value USING MESSAGE = format('column "%s" cannot be a feature of view "%s"', e, view),
			DETAIL = CASE e WHEN event_time THEN 'It is the event time.' WHEN created_time THEN 'It is the created time.'
				ELSE CASE WHEN e = ANY (keys) THEN 'It is a join key.' ELSE 'It is a feature already.' END END;
	END IF;
	PERFORM @extschema@.store_check_source(source, keys, event_time, created_time, features);
	IF schema IS NOT NULL THEN
		PERFORM @extschema@.store_check_schema(source, schema, features);
	END IF;
	INSERT INTO feature_meta.feature_view_version (view, version, source, event_time, created_time, ttl, schema, on_invalid, source_name)
	VALUES (store_add_version.view, store_add_version.version, source, event_time, created_time, ttl, store_add_version.schema, on_invalid, source::text);
	INSERT INTO feature_meta.feature_view_entity (view, version, "position", entity)
	SELECT store_add_version.view, store_add_version.version, x.ord, x.entity FROM unnest(entities) WITH ORDINALITY x(entity, ord);
	INSERT INTO feature_meta.feature_view_feature (view, version, "position", feature, type, type_modifier)
	SELECT store_add_version.view, store_add_version.version, x.ord, x.feature, a.atttypid, a.atttypmod
	FROM unnest(features) WITH ORDINALITY x(feature, ord) JOIN pg_attribute a ON a.attrelid = source AND a.attname = x.feature;
END $$;
COMMENT ON FUNCTION store_add_version(text, integer, regclass, text[], text, text, interval, text[], feature_schema, text) IS
'internal: adds a version of a feature view; part of create_feature_view and alter_feature_view';

CREATE FUNCTION create_feature_view(name text, source regclass, entities text[], event_time text, created_time text DEFAULT NULL,
	ttl interval DEFAULT NULL, features text[] DEFAULT NULL, schema feature_schema DEFAULT NULL, online boolean DEFAULT false,
	description text DEFAULT NULL, owner text DEFAULT NULL, tags jsonb DEFAULT '{}', on_invalid text DEFAULT 'reject') RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	BEGIN
		INSERT INTO feature_meta.feature_view (name, description, owner, tags)
		VALUES (@extschema@.store_check_name('feature view', create_feature_view.name), create_feature_view.description, create_feature_view.owner,
				@extschema@.store_check_tags(create_feature_view.tags));
	EXCEPTION WHEN unique_violation THEN
		RAISE duplicate_object USING MESSAGE = format('feature view "%s" exists already', create_feature_view.name),
			HINT = 'Use alter_feature_view() to make a new version of it.';
	END;
	PERFORM @extschema@.store_add_version(create_feature_view.name, 1, source, entities, event_time, created_time, ttl, features,
		schema, on_invalid);
	IF online THEN
		PERFORM @extschema@.enable_online(create_feature_view.name);
	END IF;
	RETURN create_feature_view.name || '@1';
END $$;
COMMENT ON FUNCTION create_feature_view(text, regclass, text[], text, text, interval, text[], feature_schema, boolean, text, text, jsonb, text) IS
'makes a feature view over a table, view, partitioned or foreign table; nothing is copied. entities: names of entities (one that does not exist is made when the source has a column of that name); event_time: column that tells when the values became true; created_time: column that tells when they became known; ttl: how long they hold, inclusive; features: columns, all the others when NULL; schema: what is expected of the features, with on_invalid reject, warn or quarantine. Returns name@version. Errors: 42710 exists already, 42703 no such column, 42804 wrong type, also of the schema, 42704 the schema names no column, 22023 bad argument, 42P16 the source is temporary';

CREATE FUNCTION alter_feature_view(name text, source regclass DEFAULT NULL, entities text[] DEFAULT NULL, event_time text DEFAULT NULL,
	created_time text DEFAULT NULL, ttl interval DEFAULT NULL, features text[] DEFAULT NULL, schema feature_schema DEFAULT NULL,
	online boolean DEFAULT NULL, description text DEFAULT NULL, owner text DEFAULT NULL, tags jsonb DEFAULT NULL,
	on_invalid text DEFAULT NULL, clear text[] DEFAULT '{}') RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	d feature_meta.feature_view_version;
	old_entities text[];
	old_features text[];
	c text;
BEGIN
	FOREACH c IN ARRAY clear LOOP
		IF c NOT IN ('created_time', 'ttl', 'schema', 'description', 'owner') THEN
			RAISE invalid_parameter_value USING MESSAGE = format('cannot clear "%s" of a feature view', c),
				HINT = 'What can be cleared: created_time, ttl, schema, description, owner.';
		END IF;
	END LOOP;
	UPDATE feature_meta.feature_view f
	SET description = CASE WHEN 'description' = ANY (clear) THEN NULL ELSE coalesce(alter_feature_view.description, f.description) END,
		owner = CASE WHEN 'owner' = ANY (clear) THEN NULL ELSE coalesce(alter_feature_view.owner, f.owner) END,
		tags = @extschema@.store_check_tags(coalesce(alter_feature_view.tags, f.tags))
	WHERE f.name = alter_feature_view.name RETURNING f.* INTO v;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', alter_feature_view.name);
	END IF;
	SELECT f.* INTO STRICT d FROM feature_meta.feature_view_version f WHERE f.view = v.name AND f.version = v.current_version;
	old_entities := ARRAY(SELECT f.entity FROM feature_meta.feature_view_entity f
						  WHERE f.view = v.name AND f.version = v.current_version ORDER BY f."position");
	old_features := ARRAY(SELECT f.feature::text FROM feature_meta.feature_view_feature f
						  WHERE f.view = v.name AND f.version = v.current_version ORDER BY f."position");
	source := coalesce(source, d.source);
	entities := coalesce(entities, old_entities);
	event_time := coalesce(event_time, d.event_time);
	created_time := CASE WHEN 'created_time' = ANY (clear) THEN NULL ELSE coalesce(created_time, d.created_time) END;
	ttl := CASE WHEN 'ttl' = ANY (clear) THEN NULL ELSE coalesce(ttl, d.ttl) END;
	features := coalesce(features, old_features);
	schema := CASE WHEN 'schema' = ANY (clear) THEN NULL ELSE coalesce(schema, d.schema) END;
	on_invalid := coalesce(on_invalid, d.on_invalid);
	IF (source, entities, event_time, created_time, ttl::text, features, schema::text, on_invalid)
		IS DISTINCT FROM (d.source, old_entities, d.event_time, d.created_time, d.ttl::text, old_features, d.schema::text, d.on_invalid) THEN
		SELECT max(f.version) + 1 INTO v.current_version FROM feature_meta.feature_view_version f WHERE f.view = v.name;
		PERFORM @extschema@.store_add_version(v.name, v.current_version, source, entities, event_time, created_time, ttl, features,
			schema, on_invalid);
		UPDATE feature_meta.feature_view f SET current_version = v.current_version WHERE f.name = v.name;
		IF v.online_table IS NOT NULL AND online IS DISTINCT FROM false THEN
			PERFORM @extschema@.store_sync_online(v.name);
		END IF;
	END IF;
	IF online AND v.online_table IS NULL THEN
		PERFORM @extschema@.enable_online(v.name);
	ELSIF NOT online AND v.online_table IS NOT NULL THEN
		PERFORM @extschema@.disable_online(v.name);
	END IF;
	RETURN v.name || '@' || v.current_version;
END $$;
COMMENT ON FUNCTION alter_feature_view(text, regclass, text[], text, text, interval, text[], feature_schema, boolean, text, text, jsonb, text, text[]) IS
'changes a feature view; an argument left out stays as it is, what is named in clear (created_time, ttl, schema, description, owner) is taken away. A change of source, entities, times, ttl, features, schema or on_invalid makes a new version; the old ones stay readable as view@version:feature. Returns name@version. Errors: 42704 unknown, 42501 made by another role, and those of create_feature_view';

CREATE FUNCTION drop_feature_view(name text, cascade boolean DEFAULT false) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	users text;
BEGIN
	SELECT string_agg(DISTINCT f.service, ', ' ORDER BY f.service) INTO users
	FROM feature_meta.feature_service_feature f WHERE f.view = drop_feature_view.name;
	IF users IS NOT NULL AND NOT cascade THEN
		RAISE dependent_objects_still_exist USING MESSAGE = format('cannot drop feature view "%s" because feature services use it', drop_feature_view.name),
			DETAIL = format('Feature services: %s.', users), HINT = 'Pass cascade => true to take its features out of them.';
	END IF;
	DELETE FROM feature_meta.feature_service_feature f WHERE f.view = drop_feature_view.name;
	IF EXISTS (SELECT FROM feature_meta.feature_view f WHERE f.name = drop_feature_view.name AND f.online_table IS NOT NULL) THEN
		PERFORM @extschema@.disable_online(drop_feature_view.name);
	END IF;
	DELETE FROM feature_meta.feature_view f WHERE f.name = drop_feature_view.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', drop_feature_view.name);
	END IF;
END $$;
COMMENT ON FUNCTION drop_feature_view(text, boolean) IS
'drops a feature view with all its versions and its online table; the source stays. With cascade its features leave the feature services. Errors: 42704 unknown, 42501 made by another role, 2BP01 used by a feature service';

CREATE FUNCTION rename_feature_view(name text, new_name text) RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE feature_meta.feature_view f SET name = @extschema@.store_check_name('feature view', rename_feature_view.new_name) WHERE f.name = rename_feature_view.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', rename_feature_view.name);
	END IF;
	PERFORM @extschema@.store_sync_trigger(rename_feature_view.new_name, rename_feature_view.name);
	RETURN rename_feature_view.new_name;
EXCEPTION WHEN unique_violation THEN
	RAISE duplicate_object USING MESSAGE = format('feature view "%s" exists already', rename_feature_view.new_name);
END $$;
COMMENT ON FUNCTION rename_feature_view(text, text) IS
'gives a feature view another name; services follow, the online table keeps its name. Errors: 42704 unknown, 42501 made by another role, 42710 the new name is taken';

-- References -----------------------------------------------------------------------------------------------------------

-- What asks for features takes them as an array, or as text: '{view:feature, ...}', one reference, or a service's name.
-- An untyped literal is text. service => is for those who want to say so.
CREATE FUNCTION store_references(features text) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_references(text) IS
'internal: features given as text, as the array that is meant: an array literal, else one reference. Errors: 22P02 malformed array literal';

CREATE FUNCTION store_references(features text[], service text) RETURNS text[]
	LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME', 'store_references_or_service';
COMMENT ON FUNCTION store_references(text[], text) IS
'internal: the features, or the feature service, that a call asks for. Errors: 22023 both are given, 22004 neither';

CREATE FUNCTION resolve_features(features text[],
	OUT "position" integer, OUT view text, OUT version integer, OUT feature name, OUT type regtype, OUT type_modifier integer,
	OUT reference text) RETURNS SETOF record
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ref text;
	part text[];
	wanted integer;
	f record;
BEGIN
	IF coalesce(cardinality(features), 0) = 0 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'no features are asked for';
	END IF;
	resolve_features."position" := 0;
	FOREACH ref IN ARRAY features LOOP
		IF ref IS NULL THEN
			RAISE null_value_not_allowed USING MESSAGE = 'a feature reference must not be NULL';
		END IF;
		IF strpos(ref, ':') = 0 THEN
			IF NOT EXISTS (SELECT FROM feature_meta.feature_service s WHERE s.name = ref) THEN
				PERFORM @extschema@.store_unknown('feature service', ref, ARRAY(SELECT s.name FROM feature_meta.feature_service s));
			END IF;
			FOR f IN SELECT s.view, coalesce(s.version, v.current_version) AS version, s.feature
					 FROM feature_meta.feature_service_feature s JOIN feature_meta.feature_view v ON v.name = s.view
					 WHERE s.service = ref ORDER BY s."position" LOOP
				resolve_features."position" := resolve_features."position" + 1;
				resolve_features.view := f.view;
				resolve_features.version := f.version;
				SELECT x.feature, x.type, x.type_modifier INTO resolve_features.feature, resolve_features.type, resolve_features.type_modifier
				FROM feature_meta.feature_view_feature x WHERE x.view = f.view AND x.version = f.version AND x.feature = f.feature;
				IF NOT FOUND THEN
					PERFORM @extschema@.store_unknown('feature', format('%s@%s:%s', f.view, f.version, f.feature),
						ARRAY(SELECT format('%s@%s:%s', x.view, x.version, x.feature) FROM feature_meta.feature_view_feature x
							  WHERE x.view = f.view AND x.version = f.version));
				END IF;
				resolve_features.reference := format('%s@%s:%s', resolve_features.view, resolve_features.version, resolve_features.feature);
				RETURN NEXT;
			END LOOP;
			CONTINUE;
		END IF;
		part := regexp_match(ref, '^([^:@]+)(?:@([0-9]{1,9}))?:([^:@]+)$');
		IF part IS NULL THEN
			RAISE invalid_parameter_value USING MESSAGE = format('"%s" is not a feature reference', ref),
				HINT = 'Write view:feature, view@version:feature, view:* or the name of a feature service.';
		END IF;
		SELECT coalesce(part[2]::integer, v.current_version) INTO wanted FROM feature_meta.feature_view v WHERE v.name = part[1];
		IF NOT FOUND THEN
			PERFORM @extschema@.store_unknown('feature view', part[1], ARRAY(SELECT v.name FROM feature_meta.feature_view v));
		END IF;
		IF NOT EXISTS (SELECT FROM feature_meta.feature_view_version v WHERE v.view = part[1] AND v.version = wanted) THEN
			RAISE undefined_object USING MESSAGE = format('feature view "%s" has no version %s', part[1], wanted),
				DETAIL = (SELECT format('Its versions are 1 to %s.', max(v.version)) FROM feature_meta.feature_view_version v WHERE v.view = part[1]);
		END IF;
		FOR f IN SELECT x.feature, x.type, x.type_modifier FROM feature_meta.feature_view_feature x
				 WHERE x.view = part[1] AND x.version = wanted AND (x.feature = part[3] OR part[3] = '*') ORDER BY x."position" LOOP
			resolve_features."position" := resolve_features."position" + 1;
			resolve_features.view := part[1];
			resolve_features.version := wanted;
			resolve_features.feature := f.feature;
			resolve_features.type := f.type;
			resolve_features.type_modifier := f.type_modifier;
			resolve_features.reference := format('%s@%s:%s', part[1], wanted, f.feature);
			RETURN NEXT;
		END LOOP;
		IF NOT FOUND THEN
			PERFORM @extschema@.store_unknown('feature', part[3],
				ARRAY(SELECT x.feature::text FROM feature_meta.feature_view_feature x WHERE x.view = part[1] AND x.version = wanted));
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION resolve_features(text[]) IS
'what feature references mean: a row a feature, in the order asked for. A reference is view:feature, view@version:feature, view:* (all its features) or the name of a feature service. Errors: 42704 unknown view, version, feature or service, with the nearest name; 22023 not a reference';

-- Services -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION store_set_service(service text, features text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM feature_meta.feature_service_feature f WHERE f.service = store_set_service.service;
	-- a reference without @version follows the view; the version is only kept where it was asked for
	INSERT INTO feature_meta.feature_service_feature (service, "position", view, version, feature)
	SELECT store_set_service.service, row_number() OVER (ORDER BY x.ord, r."position"), r.view,
		CASE WHEN split_part(x.ref, ':', 1) ~ '@' THEN r.version END, r.feature
	FROM unnest(features) WITH ORDINALITY x(ref, ord), LATERAL @extschema@.resolve_features(ARRAY[x.ref]) r;
	IF NOT FOUND THEN
		RAISE invalid_parameter_value USING MESSAGE = 'a feature service needs at least one feature';
	END IF;
EXCEPTION WHEN unique_violation THEN
	RAISE invalid_parameter_value USING MESSAGE = 'a feature occurs twice in the feature service', DETAIL = format('Features: %s.', features);
END $$;
COMMENT ON FUNCTION store_set_service(text, text[]) IS 'internal: sets the features of a feature service; part of create_feature_service and alter_feature_service';

CREATE FUNCTION create_feature_service(name text, features text[], description text DEFAULT NULL, owner text DEFAULT NULL,
	tags jsonb DEFAULT '{}') RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	BEGIN
		INSERT INTO feature_meta.feature_service (name, description, owner, tags)
		VALUES (@extschema@.store_check_name('feature service', create_feature_service.name), create_feature_service.description, create_feature_service.owner,
				@extschema@.store_check_tags(create_feature_service.tags));
	EXCEPTION WHEN unique_violation THEN
		RAISE duplicate_object USING MESSAGE = format('feature service "%s" exists already', create_feature_service.name),
			HINT = 'Use alter_feature_service() to change it.';
	END;
	PERFORM @extschema@.store_set_service(create_feature_service.name, features);
	RETURN create_feature_service.name;
END $$;
COMMENT ON FUNCTION create_feature_service(text, text[], text, text, jsonb) IS
'makes a feature service: the named list of features that one model uses, as references view:feature (follows the view) or view@version:feature (stays at the version). Its name serves wherever features are asked for. Errors: 42710 exists already, 42704 unknown feature, 22023 bad argument';

CREATE FUNCTION create_feature_service(name text, features text, description text DEFAULT NULL, owner text DEFAULT NULL,
	tags jsonb DEFAULT '{}') RETURNS text
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN @extschema@.create_feature_service(name, @extschema@.store_references(features), description, owner, tags);
COMMENT ON FUNCTION create_feature_service(text, text, text, text, jsonb) IS
'the same for one reference, or an array literal of references';

CREATE FUNCTION alter_feature_service(name text, features text[] DEFAULT NULL, description text DEFAULT NULL, owner text DEFAULT NULL,
	tags jsonb DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE feature_meta.feature_service s
	SET description = coalesce(alter_feature_service.description, s.description), owner = coalesce(alter_feature_service.owner, s.owner),
		tags = @extschema@.store_check_tags(coalesce(alter_feature_service.tags, s.tags))
	WHERE s.name = alter_feature_service.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature service', alter_feature_service.name);
	END IF;
	IF features IS NOT NULL THEN
		PERFORM @extschema@.store_set_service(alter_feature_service.name, features);
	END IF;
	RETURN alter_feature_service.name;
END $$;
COMMENT ON FUNCTION alter_feature_service(text, text[], text, text, jsonb) IS
'changes a feature service; an argument left out stays as it is. Errors: 42704 unknown, 42501 made by another role, 22023 bad argument';

CREATE FUNCTION alter_feature_service(name text, features text, description text DEFAULT NULL, owner text DEFAULT NULL,
	tags jsonb DEFAULT NULL) RETURNS text
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN @extschema@.alter_feature_service(name, @extschema@.store_references(features), description, owner, tags);
COMMENT ON FUNCTION alter_feature_service(text, text, text, text, jsonb) IS
'the same for one reference, or an array literal of references';

CREATE FUNCTION drop_feature_service(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM feature_meta.feature_service s WHERE s.name = drop_feature_service.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature service', drop_feature_service.name);
	END IF;
END $$;
COMMENT ON FUNCTION drop_feature_service(text) IS 'drops a feature service; the feature views stay. Errors: 42704 unknown, 42501 made by another role';

CREATE FUNCTION rename_feature_service(name text, new_name text) RETURNS text
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE feature_meta.feature_service s SET name = @extschema@.store_check_name('feature service', rename_feature_service.new_name) WHERE s.name = rename_feature_service.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature service', rename_feature_service.name);
	END IF;
	RETURN rename_feature_service.new_name;
EXCEPTION WHEN unique_violation THEN
	RAISE duplicate_object USING MESSAGE = format('feature service "%s" exists already', rename_feature_service.new_name);
END $$;
COMMENT ON FUNCTION rename_feature_service(text, text) IS
'gives a feature service another name. Errors: 42704 unknown, 42501 made by another role, 42710 the new name is taken';

-- The catalogue --------------------------------------------------------------------------------------------------------

CREATE FUNCTION feature_catalog(search text DEFAULT NULL, tag text DEFAULT NULL, owner text DEFAULT NULL, type regtype DEFAULT NULL,
	entity text DEFAULT NULL)
	RETURNS TABLE (reference text, view text, version integer, feature name, feature_type text, entities text[], source regclass,
		ttl interval, online boolean, view_owner text, description text, tags jsonb, services text[], training_sets text[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.name || ':' || f.feature, v.name, v.current_version, f.feature, pg_catalog.format_type(f.type, f.type_modifier), e.entities,
		d.source, d.ttl, v.online_table IS NOT NULL, v.owner, v.description, v.tags, s.services, t.training_sets
	FROM feature_meta.feature_view v
	JOIN feature_meta.feature_view_version d ON d.view = v.name AND d.version = v.current_version
	JOIN feature_meta.feature_view_feature f ON f.view = v.name AND f.version = v.current_version
	CROSS JOIN LATERAL (SELECT array_agg(x.entity ORDER BY x."position") AS entities FROM feature_meta.feature_view_entity x
						WHERE x.view = v.name AND x.version = v.current_version) e
	CROSS JOIN LATERAL (SELECT coalesce(array_agg(x.service ORDER BY x.service), '{}') AS services
						FROM feature_meta.feature_service_feature x WHERE x.view = v.name AND x.feature = f.feature) s
	CROSS JOIN LATERAL (SELECT coalesce(array_agg(x.name ORDER BY x.name), '{}') AS training_sets
						FROM feature_meta.training_set x
						WHERE EXISTS (SELECT FROM unnest(x.features) r WHERE split_part(r, '@', 1) = v.name AND split_part(r, ':', 2) = f.feature)) t
	WHERE (feature_catalog.search IS NULL
		   OR strpos(lower(concat_ws(' ', v.name, f.feature, v.description, v.owner, v.tags::text, d.source::text, array_to_string(e.entities, ' '))),
					 lower(feature_catalog.search)) > 0)
		AND (feature_catalog.tag IS NULL OR v.tags ? feature_catalog.tag
			 OR EXISTS (SELECT FROM jsonb_each_text(v.tags) x WHERE x.key || '=' || x.value = feature_catalog.tag))
		AND (feature_catalog.owner IS NULL OR v.owner = feature_catalog.owner)
		AND (feature_catalog.type IS NULL OR f.type = feature_catalog.type)
		AND (feature_catalog.entity IS NULL OR feature_catalog.entity = ANY (e.entities))
	ORDER BY v.name, f."position";
END;
COMMENT ON FUNCTION feature_catalog(text, text, text, regtype, text) IS
'finds features by text (in names, description, owner, tags, source, entities; any case), tag (a key, or key=value), owner, type and entity, and says who uses them; all features when every argument is NULL';

CREATE FUNCTION store_view_definition(view text, version integer, OUT source regclass, OUT event_time name, OUT created_time name,
	OUT ttl interval, OUT join_keys text[], OUT features text[], OUT online_table regclass) RETURNS record
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT d.source, d.event_time, d.created_time, d.ttl,
		ARRAY(SELECT k.key FROM feature_meta.feature_view_entity x JOIN feature_meta.feature_entity e ON e.name = x.entity,
			  unnest(e.join_keys) WITH ORDINALITY k(key, ord)
			  WHERE x.view = d.view AND x.version = d.version ORDER BY x."position", k.ord),
		ARRAY(SELECT f.feature::text FROM feature_meta.feature_view_feature f
			  WHERE f.view = d.view AND f.version = d.version ORDER BY f."position"),
		v.online_table
	FROM feature_meta.feature_view_version d JOIN feature_meta.feature_view v ON v.name = d.view
	WHERE d.view = store_view_definition.view AND d.version = coalesce(store_view_definition.version, v.current_version);
END;
COMMENT ON FUNCTION store_view_definition(text, integer) IS
'internal: one version of a feature view (the current one when version is NULL) in a row, for the functions in C; no row when there is none';
