-- The feature store online: one table a view with the newest values by key, fed by materialisation, by put_features or by a trigger
-- on the source, and read by a plain SELECT or by get_online_features.

-- The statement that brings rows (with the names and types of the source's columns) into a view's online table. An older row never
-- replaces a newer one; of rows equal in both times the later written stays.
CREATE FUNCTION store_online_insert(view text, rows text) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d record;
	online regclass;
	keys text;
	columns text;
	changes text;
	newer text;
	old_features text;
	new_features text;
BEGIN
	SELECT f.online_table INTO online FROM feature_meta.feature_view f WHERE f.name = store_online_insert.view;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', store_online_insert.view);
	ELSIF online IS NULL THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = format('feature view "%s" is not online', store_online_insert.view),
			HINT = 'Call enable_online() first.';
	END IF;
	SELECT * INTO d FROM @extschema@.store_view_definition(store_online_insert.view, NULL);
	SELECT string_agg(quote_ident(k), ', ' ORDER BY ord) INTO keys FROM unnest(d.join_keys) WITH ORDINALITY x(k, ord);
	SELECT string_agg(quote_ident(c), ', '), string_agg(format('%1$I = EXCLUDED.%1$I', c), ', ')
	INTO columns, changes
	FROM (SELECT d.event_time::text UNION ALL SELECT d.created_time::text WHERE d.created_time IS NOT NULL UNION ALL SELECT unnest(d.features)) x(c);
	SELECT string_agg(format('t.%I', f), ', '), string_agg(format('EXCLUDED.%I', f), ', ') INTO old_features, new_features FROM unnest(d.features) f;
	newer := format('EXCLUDED.%1$I > t.%1$I', d.event_time);
	IF d.created_time IS NOT NULL THEN
		newer := newer || format(' OR (EXCLUDED.%1$I = t.%1$I AND coalesce(EXCLUDED.%2$I, ''-infinity'') > coalesce(t.%2$I, ''-infinity''))',
								 d.event_time, d.created_time);
	END IF;
	newer := newer || format(' OR (EXCLUDED.%1$I = t.%1$I AND %2$s ROW(%3$s)::record *<> ROW(%4$s)::record)', d.event_time,
		CASE WHEN d.created_time IS NULL THEN ''
			 ELSE format('coalesce(EXCLUDED.%1$I, ''-infinity'') = coalesce(t.%1$I, ''-infinity'') AND', d.created_time) END,
		new_features, old_features);
	RETURN format('INSERT INTO %s AS t (%s, %s) SELECT %s, %s FROM %s ORDER BY %s ON CONFLICT (%s) DO UPDATE SET %s WHERE %s',
		online, keys, columns, keys, columns, rows, keys, keys, changes, newer);
END $$;
COMMENT ON FUNCTION store_online_insert(text, text) IS
'internal: the statement that brings rows into a feature view''s online table; part of materialize, put_features and the trigger on the source';

-- A set of source rows, reduced to the newest of each key, as latest_features does it.
CREATE FUNCTION store_newest_rows(view text, rows text) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d record;
	keys text;
	filter text;
	columns text;
	created text;
	sortable text;
	types jsonb;
BEGIN
	SELECT * INTO d FROM @extschema@.store_view_definition(store_newest_rows.view, NULL);
	SELECT string_agg(quote_ident(k), ', '), string_agg(format('%I IS NOT NULL', k), ' AND ') INTO keys, filter FROM unnest(d.join_keys) k;
	SELECT jsonb_object_agg(a.attname, a.atttypid::regtype) INTO types FROM pg_attribute a WHERE a.attrelid = d.source AND a.attnum > 0 AND NOT a.attisdropped;
	SELECT string_agg(CASE WHEN types ->> c IN ('date', 'timestamp without time zone')
						   THEN format('timezone(''UTC'', %1$I::timestamp) AS %1$I', c) ELSE quote_ident(c) END, ', ') INTO columns
	FROM (SELECT d.event_time::text UNION ALL SELECT d.created_time::text WHERE d.created_time IS NOT NULL) x(c);
	created := CASE WHEN d.created_time IS NULL THEN '' ELSE format(', %I DESC NULLS LAST', d.created_time) END;
	SELECT coalesce(string_agg(format(', %I DESC NULLS LAST', f), ''), '') INTO sortable
	FROM unnest(d.features) f WHERE types ->> f NOT IN ('json', 'xml', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle');
	RETURN format('(SELECT DISTINCT ON (%1$s) %1$s, %2$s, %3$s FROM %4$s WHERE %5$s AND %6$I IS NOT NULL ORDER BY %1$s, %6$I DESC%7$s%8$s) rows',
		keys, columns, (SELECT string_agg(quote_ident(f), ', ') FROM unnest(d.features) f), rows, filter, d.event_time, created, sortable);
END $$;
COMMENT ON FUNCTION store_newest_rows(text, text) IS
'internal: the query for the newest row of each key among some rows of a feature view''s source; part of put_features and the trigger on the source';

CREATE FUNCTION store_feed_online() RETURNS trigger
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a partition may have been detached since
	IF TG_ARGV[1] = 'part' THEN
		IF NOT EXISTS (SELECT FROM @extschema@.store_view_definition(TG_ARGV[0], NULL) d, @extschema@.store_parts(d.source) p WHERE p.part = TG_RELID) THEN
			RETURN NULL;
		END IF;
	END IF;
	IF TG_LEVEL = 'ROW' THEN
		EXECUTE @extschema@.store_online_insert(TG_ARGV[0], @extschema@.store_valid_rows(TG_ARGV[0],
			@extschema@.store_newest_rows(TG_ARGV[0], '(SELECT ($1).*) new_rows'))) USING NEW;
	ELSE
		EXECUTE @extschema@.store_online_insert(TG_ARGV[0], @extschema@.store_valid_rows(TG_ARGV[0], @extschema@.store_newest_rows(TG_ARGV[0], 'new_rows')));
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION store_feed_online() IS
'internal: trigger on a feature view''s source: brings the rows of the statement, or the row, into the online table, as the role that runs the statement';

CREATE FUNCTION store_parts(source regclass) RETURNS TABLE (part regclass, partitioned boolean)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	WITH RECURSIVE tree (part) AS (
		SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = store_parts.source
		UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.part)
	SELECT t.part::regclass, c.relispartition FROM tree t JOIN pg_class c ON c.oid = t.part ORDER BY c.oid;
END;
COMMENT ON FUNCTION store_parts(regclass) IS 'internal: the partitions and inheritance children of a source, at any depth; part of the trigger mode of online tables';

CREATE FUNCTION store_keep_history() RETURNS trigger
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('INSERT INTO %s SELECT clock_timestamp(), %L, r.* FROM changed_rows r', TG_ARGV[0]::regclass, TG_OP = 'DELETE');
	RETURN NULL;
END $$;
COMMENT ON FUNCTION store_keep_history() IS 'internal: trigger on an online table: keeps what is served from now on in the table''s history';

CREATE FUNCTION store_sync_trigger(view text, old_name text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	t record;
	source regclass;
	event text;
	name text;
	fed boolean;
	kind "char";
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = store_sync_trigger.view;
	-- the first argument is the view; what a partition has from its parent goes with the parent's
	FOR t IN SELECT g.tgname, g.tgrelid::regclass AS relation FROM pg_trigger g, unnest(ARRAY[v.name, old_name]) n(name)
			 WHERE g.tgfoid = '@extschema@.store_feed_online()'::regprocedure AND g.tgparentid = 0
				AND substr(g.tgargs, 1, octet_length(convert_to(n.name, getdatabaseencoding())) + 1) = convert_to(n.name, getdatabaseencoding()) || '\x00' LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.relation);
	END LOOP;
	IF NOT v.online_trigger THEN
		RETURN;
	END IF;
	SELECT d.source, c.relkind INTO source, kind FROM @extschema@.store_view_definition(v.name, NULL) d JOIN pg_class c ON c.oid = d.source;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	FOREACH event IN ARRAY ARRAY['INSERT', 'UPDATE'] LOOP
		name := 'feed_' || left(v.name, 50) || '_' || lower(event);
		EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.store_feed_online(%L)',
			name, event, source, v.name);
		-- A statement that names a part fires the part's triggers only. A row trigger is what the server gives to partitions that
		-- come later; it is for those alone, as it takes rows one by one.
		IF kind = 'p' THEN
			EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION @extschema@.store_feed_online(%L, %L)',
				name || '_row', event, source, v.name, 'part');
		END IF;
		FOR t IN SELECT p.part, p.partitioned, c.relkind, pg_has_role(c.relowner, 'USAGE') AS is_owner
				 FROM @extschema@.store_parts(source) p JOIN pg_class c ON c.oid = p.part LOOP
			fed := t.is_owner AND t.relkind <> 'f';
			IF fed THEN
				EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.store_feed_online(%L, %L)',
					name || '_part', event, t.part, v.name, 'part');
				IF t.partitioned AND t.relkind = 'r' THEN
					EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', t.part, name || '_row');
				END IF;
			ELSIF NOT t.partitioned THEN
				RAISE NOTICE 'rows that a statement puts straight into % come online with the next materialisation', t.part
					USING DETAIL = 'A trigger there needs a table that belongs to the role that calls.';
			END IF;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION store_sync_trigger(text, text) IS 'internal: makes the triggers on a feature view''s source as the catalogue wants them; part of enable_online and the like';

CREATE FUNCTION store_online_columns(view text) RETURNS TABLE (ord bigint, name text, definition text, is_key boolean)
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d record;
BEGIN
	SELECT * INTO d FROM @extschema@.store_view_definition(store_online_columns.view, NULL);
	RETURN QUERY
	SELECT c.ord, c.column_name, CASE WHEN c.is_time THEN 'timestamptz' ELSE format_type(a.atttypid, a.atttypmod) END
		|| CASE WHEN l.collname IS NOT NULL THEN format(' COLLATE %I.%I', n.nspname, l.collname) ELSE '' END
		|| CASE WHEN c.key OR c.column_name = d.event_time THEN ' NOT NULL' ELSE '' END, c.key
	FROM (SELECT row_number() OVER (), u.*
		  FROM (SELECT unnest(d.join_keys), true, false UNION ALL SELECT d.event_time, false, true
				UNION ALL SELECT d.created_time, false, true WHERE d.created_time IS NOT NULL UNION ALL SELECT unnest(d.features), false, false) u
		 ) c(ord, column_name, key, is_time)
	JOIN pg_attribute a ON a.attrelid = d.source AND a.attname = c.column_name
	LEFT JOIN pg_collation l ON l.oid = a.attcollation AND NOT c.is_time AND a.attcollation <> (SELECT t.typcollation FROM pg_type t WHERE t.oid = a.atttypid)
	LEFT JOIN pg_namespace n ON n.oid = l.collnamespace;
END $$;
COMMENT ON FUNCTION store_online_columns(text) IS 'internal: the columns that a feature view''s online table is to have; part of enable_online and materialize';

-- Whom the source hides rows from, the copy of them hides them from too. A policy that asks for more than the copy has
-- lets nothing through there.
CREATE FUNCTION store_copy_row_security(source regclass, target regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p record;
	head text;
BEGIN
	FOR p IN SELECT y.polname FROM pg_policy y WHERE y.polrelid = target AND obj_description(y.oid, 'pg_policy') = 'copied from the source' LOOP
		EXECUTE format('DROP POLICY %I ON %s', p.polname, target);
	END LOOP;
	-- what is closed stays so; to open it is the owner's
	IF NOT (SELECT c.relrowsecurity FROM pg_class c WHERE c.oid = source) THEN
		RETURN;
	END IF;
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
	IF (SELECT c.relforcerowsecurity FROM pg_class c WHERE c.oid = source) THEN
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
	END IF;
	FOR p IN
		SELECT y.polname AS name, y.polpermissive AS permissive,
			CASE y.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
			(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ') FROM unnest(y.polroles) r) AS roles,
			pg_get_expr(y.polqual, y.polrelid) AS visible, pg_get_expr(y.polwithcheck, y.polrelid) AS allowed
		FROM pg_policy y WHERE y.polrelid = source ORDER BY y.polname
	LOOP
		-- one of that name that the owner wrote is what the owner wants
		CONTINUE WHEN EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = target AND y.polname = p.name);
		head := format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.name, target, CASE WHEN p.permissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
			p.command, p.roles);
		BEGIN
			EXECUTE concat(head, ' USING (' || p.visible || ')', ' WITH CHECK (' || p.allowed || ')');
		EXCEPTION WHEN undefined_column OR undefined_table OR datatype_mismatch OR undefined_function THEN
			RAISE NOTICE 'policy "%" of % is about more than % has: nothing passes it there', p.name, source, target
				USING HINT = 'Write a policy for the online table that says who may see which keys.';
			EXECUTE concat(head, CASE WHEN p.command <> 'INSERT' THEN ' USING (false)' END, CASE WHEN p.command = 'INSERT' THEN ' WITH CHECK (false)' END);
		END;
		EXECUTE format('COMMENT ON POLICY %I ON %s IS %L', p.name, target, 'copied from the source');
	END LOOP;
END $$;
COMMENT ON FUNCTION store_copy_row_security(regclass, regclass) IS
'internal: gives a table the row security that a source has now, policy by policy, in place of what it was given before; part of enable_online and refresh_online';

CREATE FUNCTION store_row_security(relation regclass) RETURNS text
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(concat(c.relrowsecurity, c.relforcerowsecurity, (SELECT string_agg(ROW(y.polname, y.polpermissive, y.polcmd,
			ARRAY(SELECT CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END FROM unnest(y.polroles) r ORDER BY 1),
			pg_get_expr(y.polqual, y.polrelid), pg_get_expr(y.polwithcheck, y.polrelid))::text, ';' ORDER BY y.polname)
		FROM pg_policy y WHERE y.polrelid = c.oid AND c.relrowsecurity)))
	FROM pg_class c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION store_row_security(regclass) IS
'internal: a digest of the row security of a table, to tell whether it is still what the online table was given; NULL when the table is gone';

CREATE FUNCTION store_new_table(name text, default_schema name) RETURNS text[]
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_new_table(text, name) IS
'internal: schema and name of the table that a name, qualified or not, means when a table of the store is made; error 42602 when it is no name of a table, 42P16 in a temporary schema; part of enable_online, as create_training_set has it';

CREATE FUNCTION enable_online(name text, history boolean DEFAULT false, trigger boolean DEFAULT false, online_table text DEFAULT NULL)
	RETURNS regclass
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	source regclass;
	schema_name name;
	table_name text;
	parts text[];
	history_name text;
	made regclass;
	made_history regclass;
	event text;
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = enable_online.name FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', enable_online.name);
	ELSIF v.online_table IS NOT NULL THEN
		RAISE duplicate_table USING MESSAGE = format('feature view "%s" is online already', v.name),
			DETAIL = format('Its online table is %s.', v.online_table), HINT = 'Call disable_online() first.';
	END IF;
	SELECT d.source INTO source FROM @extschema@.store_view_definition(v.name, NULL) d;
	SELECT n.nspname INTO schema_name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source;
	parts := @extschema@.store_new_table(coalesce(online_table, quote_ident(left(v.name, 50) || '_online')), schema_name);
	schema_name := parts[1];
	table_name := parts[2];
	EXECUTE format('CREATE TABLE %I.%I (%s, PRIMARY KEY (%s)) WITH (fillfactor = 80)', schema_name, table_name,
		(SELECT string_agg(format('%I %s', c.name, c.definition), ', ' ORDER BY c.ord) FROM @extschema@.store_online_columns(v.name) c),
		(SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.ord) FROM @extschema@.store_online_columns(v.name) c WHERE c.is_key));
	made := format('%I.%I', schema_name, table_name)::regclass;
	EXECUTE format('COMMENT ON TABLE %s IS %L', made, format('newest values of feature view %s by key; filled by materialize()', v.name));
	PERFORM @extschema@.store_copy_row_security(source, made);
	IF history THEN
		history_name := left(table_name, 52) || '_history';
		EXECUTE format('CREATE TABLE %I.%I (valid_from timestamptz NOT NULL, deleted boolean NOT NULL, LIKE %s)', schema_name, history_name, made);
		made_history := format('%I.%I', schema_name, history_name)::regclass;
		EXECUTE format('CREATE INDEX ON %s (%s, valid_from)', made_history,
			(SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.ord) FROM @extschema@.store_online_columns(v.name) c WHERE c.is_key));
		EXECUTE format('COMMENT ON TABLE %s IS %L', made_history, format('what feature view %s served from when on', v.name));
		PERFORM @extschema@.store_copy_row_security(source, made_history);
		FOREACH event IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
			EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s REFERENCING %s TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.store_keep_history(%L)',
				'keep_history_' || lower(event), event, made, CASE event WHEN 'DELETE' THEN 'OLD' ELSE 'NEW' END, made_history);
		END LOOP;
	END IF;
	UPDATE feature_meta.feature_view f
	SET online_table = made, online_history = made_history, online_trigger = enable_online.trigger,
		online_row_security = @extschema@.store_row_security(source), materialized_to = NULL, materialized_at = NULL
	WHERE f.name = v.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', v.name);
	END IF;
	PERFORM @extschema@.store_sync_trigger(v.name);
	RETURN made;
END $$;
COMMENT ON FUNCTION enable_online(text, boolean, boolean, text) IS
'makes the online table of a feature view, empty: typed columns, primary key of the join keys, event and created time; named VIEW_online in the source''s schema unless online_table says otherwise (a name as SQL reads it, qualified or not). history keeps what was served when (online_at reads it); trigger keeps the table current with each INSERT and UPDATE of the source, or of a partition or inheritance child of it, as the role that runs it; a partition that is attached later is taken row by row until refresh_online(). Row security that the source has goes along, policy by policy, to both tables; a policy about columns that they have not lets nothing through there. Returns the table. Errors: 42P07 online already, 42704 unknown, 42501 made by another role, 42602 online_table is no name, 42P16 it is in a temporary schema';

CREATE FUNCTION refresh_online(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	source regclass;
BEGIN
	SELECT d.source INTO source FROM @extschema@.store_view_definition(refresh_online.name, NULL) d;
	UPDATE feature_meta.feature_view f SET online_row_security = @extschema@.store_row_security(source)
	WHERE f.name = refresh_online.name RETURNING f.* INTO v;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', refresh_online.name);
	ELSIF v.online_table IS NULL THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = format('feature view "%s" is not online', v.name), HINT = 'Call enable_online() first.';
	END IF;
	PERFORM @extschema@.store_copy_row_security(source, v.online_table);
	IF v.online_history IS NOT NULL THEN
		PERFORM @extschema@.store_copy_row_security(source, v.online_history);
	END IF;
	PERFORM @extschema@.store_sync_trigger(v.name);
END $$;
COMMENT ON FUNCTION refresh_online(text) IS
'has the online table of a feature view follow what changed around its source. Row security of the source is copied again, to the history too (policies that the owner wrote for them stay; where the source no longer has row security the copies stay closed), and in trigger mode partitions and inheritance children that came since get their triggers. Values stay as they are. Errors: 55000 not online, 42704 unknown, 42501 made by another role';

CREATE FUNCTION disable_online(name text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = disable_online.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', disable_online.name);
	END IF;
	UPDATE feature_meta.feature_view f SET online_trigger = false WHERE f.name = v.name;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', v.name);
	END IF;
	PERFORM @extschema@.store_sync_trigger(v.name);
	UPDATE feature_meta.feature_view f SET online_table = NULL, online_history = NULL, materialized_to = NULL, materialized_at = NULL WHERE f.name = v.name;
	-- one that is gone already is not missed
	IF EXISTS (SELECT FROM pg_class c WHERE c.oid = v.online_table) THEN
		EXECUTE format('DROP TABLE %s', v.online_table);
	END IF;
	IF EXISTS (SELECT FROM pg_class c WHERE c.oid = v.online_history) THEN
		EXECUTE format('DROP TABLE %s', v.online_history);
	END IF;
END $$;
COMMENT ON FUNCTION disable_online(text) IS 'drops a feature view''s online table, its history and its triggers. Errors: 42704 unknown, 42501 made by another role';

-- After a new version: the online table gets the columns that the version has and it lacks; where a key or a type changed it
-- starts anew, empty.
CREATE FUNCTION store_sync_online(view text) RETURNS void
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	c record;
	table_name text;
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = store_sync_online.view;
	IF EXISTS (SELECT FROM @extschema@.store_online_columns(v.name) w
			   LEFT JOIN pg_attribute a ON a.attrelid = v.online_table AND a.attname = w.name AND NOT a.attisdropped
			   WHERE CASE WHEN a.attname IS NULL THEN w.is_key OR w.definition LIKE '% NOT NULL'
						  ELSE format_type(a.atttypid, a.atttypmod) <> split_part(replace(w.definition, 'timestamptz', 'timestamp with time zone'), ' COLLATE', 1)
							   AND format_type(a.atttypid, a.atttypmod) || ' NOT NULL' <> replace(w.definition, 'timestamptz', 'timestamp with time zone') END)
		OR (SELECT string_agg(w.name, ',' ORDER BY w.ord) FROM @extschema@.store_online_columns(v.name) w WHERE w.is_key)
		   <> (SELECT string_agg(a.attname, ',' ORDER BY k.ord) FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, ord)
			   JOIN pg_attribute a ON a.attnum = k.attnum WHERE i.indrelid = v.online_table AND i.indisprimary AND a.attrelid = i.indrelid) THEN
		SELECT format('%I.%I', r.relnamespace::regnamespace::text, r.relname) INTO table_name FROM pg_class r WHERE r.oid = v.online_table;
		PERFORM @extschema@.disable_online(v.name);
		PERFORM @extschema@.enable_online(v.name, v.online_history IS NOT NULL, v.online_trigger, table_name);
		RAISE NOTICE 'the online table of feature view "%" starts anew: materialize it', v.name;
		RETURN;
	END IF;
	FOR c IN SELECT w.name, w.definition FROM @extschema@.store_online_columns(v.name) w
			 WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = v.online_table AND a.attname = w.name AND NOT a.attisdropped)
			 ORDER BY w.ord LOOP
		EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', v.online_table, c.name, c.definition);
		IF v.online_history IS NOT NULL THEN
			EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', v.online_history, c.name, c.definition);
		END IF;
	END LOOP;
	PERFORM @extschema@.store_sync_trigger(v.name);
END $$;
COMMENT ON FUNCTION store_sync_online(text) IS 'internal: makes a feature view''s online table fit its current version; part of alter_feature_view';

-- Materialise -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION materialize(view text, start_time timestamptz DEFAULT NULL, end_time timestamptz DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	written bigint;
	started timestamptz := clock_timestamp();
BEGIN
	EXECUTE @extschema@.store_online_insert(view, @extschema@.store_valid_rows(view,
		format('@extschema@.latest_features($1, $2, $3) AS rows (%s)', @extschema@.latest_features_columns(view))))
	USING view, start_time, end_time;
	GET DIAGNOSTICS written = ROW_COUNT;
	-- whoever may write the online table may materialise; the mark is for those who may change the definition
	UPDATE feature_meta.feature_view f
	SET materialized_to = greatest(f.materialized_to, coalesce(end_time, started)), materialized_at = started
	WHERE f.name = materialize.view;
	RETURN written;
END $$;
COMMENT ON FUNCTION materialize(text, timestamptz, timestamptz) IS
'brings the newest value of every key with event time from start_time to end_time (both included, NULL for no bound) into the online table, in one statement; a newer value that is there already stays, so it can be run again, for any window, and by two sessions at once. Rows that break the view''s schema are treated as its on_invalid says. Returns the number of keys written. Errors: 55000 not online, 42704 unknown';

CREATE FUNCTION materialize_incremental(view text DEFAULT NULL, end_time timestamptz DEFAULT NULL, service text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v text;
	written bigint := 0;
	views text[];
BEGIN
	IF num_nonnulls(view, service) <> 1 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'give a feature view or a feature service, and not both';
	ELSIF EXISTS (SELECT FROM feature_meta.feature_view f WHERE f.name = materialize_incremental.view) THEN
		views := ARRAY[materialize_incremental.view];
	ELSE
		SELECT array_agg(DISTINCT s.view ORDER BY s.view) INTO views FROM feature_meta.feature_service_feature s
		WHERE s.service = coalesce(materialize_incremental.service, materialize_incremental.view);
		IF views IS NULL THEN
			PERFORM @extschema@.store_not_changed(CASE WHEN service IS NULL THEN 'feature view' ELSE 'feature service' END, coalesce(service, view));
		END IF;
	END IF;
	FOREACH v IN ARRAY views LOOP
		written := written + @extschema@.materialize(v, NULL, end_time);
	END LOOP;
	RETURN written;
END $$;
COMMENT ON FUNCTION materialize_incremental(text, timestamptz, text) IS
'brings a feature view, or every view of a feature service (by its name as view or as service), up to date: late rows too, whatever their event time, which is why it reads the source once and writes only keys whose value changed. Returns the number of keys written. Errors: 55000 not online, 42704 unknown, 22023 neither or both given';

-- Read ------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION get_online_features(features text[] DEFAULT NULL, keys jsonb DEFAULT NULL, full_feature_names boolean DEFAULT false,
	service text DEFAULT NULL)
	RETURNS TABLE (entity_key json, feature_values json, statuses json, event_timestamps json)
	LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 1 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION get_online_features(text[], jsonb, boolean, text) IS
'a row for each entity, in the order asked for: its key, values and statuses as JSON objects by feature name, event times by feature view. features: references (view:feature, view:*) or names of feature services; or service: the name of one; keys: {"driver_id": 7}, a list a key {"driver_id": [7, 8]}, or [{"driver_id": 7}, {"driver_id": 8}]. Status: PRESENT, NULL_VALUE, NOT_FOUND (no such key), OUTSIDE_MAX_AGE (older than the view''s ttl: the value is withheld). Always of the current online table. Plans are cached in the session; the caller needs SELECT on the online tables. Errors: 55000 not online, 42704 unknown feature, 22023 bad keys, or features and service given';

CREATE FUNCTION get_online_features(features text, keys jsonb, full_feature_names boolean DEFAULT false)
	RETURNS TABLE (entity_key json, feature_values json, statuses json, event_timestamps json)
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 1
	RETURN @extschema@.get_online_features(@extschema@.store_references(features), keys, full_feature_names);
COMMENT ON FUNCTION get_online_features(text, jsonb, boolean) IS
'the same for the name of a feature service, one reference, or an array literal of references';

CREATE FUNCTION store_answer_json("row" json, columns text[], labels text[], views text[], status_columns text[], time_columns text[],
	OUT feature_values json, OUT statuses json, OUT event_timestamps json) RETURNS record
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT json_object_agg(x.label, CASE WHEN x.status = 'PRESENT' THEN x.value END ORDER BY x.ord),
		json_object_agg(x.label, CASE WHEN x.status = 'PRESENT' AND coalesce(json_typeof(x.value), 'null') = 'null' THEN 'NULL_VALUE' ELSE x.status END ORDER BY x.ord),
		(SELECT json_object_agg(v.view, "row" -> v.time_column ORDER BY v.ord)
		 FROM (SELECT u.view, u.time_column, min(u.ord) AS ord FROM unnest(views, time_columns) WITH ORDINALITY u(view, time_column, ord) GROUP BY 1, 2) v)
	FROM (SELECT u.label, u.ord, "row" -> u.column_name AS value, "row" ->> u.status_column AS status
		  FROM unnest(columns, labels, status_columns) WITH ORDINALITY u(column_name, label, status_column, ord)) x;
END;
COMMENT ON FUNCTION store_answer_json(json, text[], text[], text[], text[], text[]) IS
'internal: values and statuses of a row as JSON objects by feature, event times by feature view; part of get_features_at and online_at';

-- Keys in any of the forms that get_online_features takes, as an array of objects.
CREATE FUNCTION store_key_objects(keys jsonb) RETURNS SETOF jsonb
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
BEGIN ATOMIC
	SELECT k.value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(keys) = 'array' THEN keys ELSE '[]' END) k
	UNION ALL
	SELECT keys WHERE jsonb_typeof(keys) = 'object' AND NOT EXISTS (SELECT FROM jsonb_each(CASE WHEN jsonb_typeof(keys) = 'object' THEN keys ELSE '{}' END) e WHERE jsonb_typeof(e.value) = 'array')
	UNION ALL
	SELECT o.object FROM (
		SELECT jsonb_object_agg(e.key, a.value) AS object, a.ord
		FROM jsonb_each(CASE WHEN jsonb_typeof(keys) = 'object' THEN keys ELSE '{}' END) e,
			jsonb_array_elements(CASE WHEN jsonb_typeof(e.value) = 'array' THEN e.value ELSE '[]' END) WITH ORDINALITY a(value, ord)
		GROUP BY a.ord ORDER BY a.ord) o;
END;
COMMENT ON FUNCTION store_key_objects(jsonb) IS 'internal: keys in any form that get_online_features takes, an object an entity';

CREATE FUNCTION store_check_keys(keys jsonb, join_keys text[]) RETURNS void
	LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF keys IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'keys must not be NULL';
	ELSIF jsonb_typeof(keys) NOT IN ('object', 'array')
		OR EXISTS (SELECT FROM @extschema@.store_key_objects(keys) o WHERE jsonb_typeof(o) <> 'object' OR NOT o ?& join_keys) THEN
		RAISE invalid_parameter_value USING MESSAGE = 'keys do not say which entities are meant',
			DETAIL = format('Each of them needs the join keys %s.', array_to_string(join_keys, ', ')),
			HINT = 'Give {"driver_id": 7}, {"driver_id": [7, 8]} or [{"driver_id": 7}, {"driver_id": 8}].';
	END IF;
END $$;
COMMENT ON FUNCTION store_check_keys(jsonb, text[]) IS
'internal: raises error 22023 (22004 when NULL) unless each of the keys has all the join keys; part of get_features_at and online_at';

CREATE FUNCTION get_features_at(features text[] DEFAULT NULL, keys jsonb DEFAULT NULL, as_of timestamptz DEFAULT NULL,
	full_feature_names boolean DEFAULT false, service text DEFAULT NULL)
	RETURNS TABLE (entity_key json, feature_values json, statuses json, event_timestamps json)
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	entities text;
	join_keys text[];
	r record;
BEGIN
	features := @extschema@.store_references(features, service);
	IF as_of IS NULL OR full_feature_names IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'as_of and full_feature_names must not be NULL';
	END IF;
	SELECT array_agg(f.view || '__' || f.feature ORDER BY f."position") AS columns,
		array_agg(CASE WHEN full_feature_names THEN f.view || '__' || f.feature ELSE f.feature::text END ORDER BY f."position") AS labels,
		array_agg(f.view ORDER BY f."position") AS views,
		array_agg(f.view || '__status' ORDER BY f."position") AS status_columns,
		array_agg(f.view || '__event_timestamp' ORDER BY f."position") AS time_columns
	INTO r FROM @extschema@.resolve_features(features) f;
	PERFORM @extschema@.store_source_gone(v.view, v.version) FROM (SELECT DISTINCT f.view, f.version FROM @extschema@.resolve_features(features) f) v,
		LATERAL @extschema@.store_view_definition(v.view, v.version) d WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d.source);
	-- views may have a key in columns of unlike types: the widest holds what is given
	SELECT array_agg(t.key ORDER BY t.key), 'SELECT o AS entity_key, ' || string_agg(format('(o ->> %L)::%s AS %I', t.key, t.type, t.key), ', ')
		-- as JSON writes it: the text of a time is in the session's DateStyle
		|| format(', %L::timestamptz AS event_timestamp FROM @extschema@.store_key_objects(%L) o', to_jsonb(as_of) #>> '{}', keys)
	INTO join_keys, entities
	FROM (SELECT DISTINCT ON (k.key) k.key, format_type(y.oid, -1) AS type
		  FROM (SELECT DISTINCT f.view, f.version FROM @extschema@.resolve_features(features) f) v,
			LATERAL @extschema@.store_view_definition(v.view, v.version) d, unnest(d.join_keys) k(key)
		  JOIN pg_attribute a ON a.attname = k.key AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid
		  WHERE a.attrelid = d.source ORDER BY k.key, y.typlen < 0 DESC, y.typlen DESC, y.oid) t;
	PERFORM @extschema@.store_check_keys(keys, join_keys);
	RETURN QUERY EXECUTE format('SELECT t.entity_key::json, a.* FROM @extschema@.historical_features(%L, %L, full_feature_names => true, as_of => $1, with_status => true) AS t(%s),'
		' LATERAL @extschema@.store_answer_json(row_to_json(t.*), %L, %L, %L, %L, %L) a',
		entities, features, @extschema@.historical_features_columns(entities, features, full_feature_names => true, with_status => true),
		r.columns, r.labels, r.views, r.status_columns, r.time_columns) USING as_of;
END $$;
COMMENT ON FUNCTION get_features_at(text[], jsonb, timestamptz, boolean, text) IS
'the features of entities as they were, and were known, at a time, from the sources; arguments and result as get_online_features. Errors: 42704 unknown feature, 22023 a join key is missing, or features and service given';

CREATE FUNCTION get_features_at(features text, keys jsonb, as_of timestamptz, full_feature_names boolean DEFAULT false)
	RETURNS TABLE (entity_key json, feature_values json, statuses json, event_timestamps json)
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN @extschema@.get_features_at(@extschema@.store_references(features), keys, as_of, full_feature_names);
COMMENT ON FUNCTION get_features_at(text, jsonb, timestamptz, boolean) IS
'the same for the name of a feature service, one reference, or an array literal of references';

CREATE FUNCTION online_at(view text, keys jsonb, "time" timestamptz)
	RETURNS TABLE (entity_key json, feature_values json, statuses json, event_timestamps json)
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	d record;
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = online_at.view;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', online_at.view);
	ELSIF v.online_history IS NULL THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = format('feature view "%s" keeps no history of what it serves', v.name),
			HINT = 'Call disable_online() and then enable_online(..., history => true).';
	END IF;
	SELECT * INTO d FROM @extschema@.store_view_definition(v.name, NULL);
	PERFORM @extschema@.store_check_keys(keys, d.join_keys);
	RETURN QUERY EXECUTE format('SELECT k.o::json, a.* FROM @extschema@.store_key_objects($1) WITH ORDINALITY k(o, ord)'
		' LEFT JOIN LATERAL (SELECT h.* FROM %s h WHERE %s AND h.valid_from <= $2 ORDER BY h.valid_from DESC, h.%I DESC LIMIT 1) h ON NOT h.deleted,'
		' LATERAL (SELECT h.*, CASE WHEN h.%I IS NULL THEN ''NOT_FOUND'' WHEN h.%I < @extschema@.store_before($2, $3) THEN ''OUTSIDE_MAX_AGE'' ELSE ''PRESENT'' END AS online_status) r,'
		' LATERAL @extschema@.store_answer_json(row_to_json(r.*), $4, $4, array_fill($5, ARRAY[cardinality($4)]), array_fill(''online_status''::text, ARRAY[cardinality($4)]), array_fill(%L::text, ARRAY[cardinality($4)])) a ORDER BY k.ord',
		v.online_history,
		(SELECT string_agg(format('h.%I = (k.o ->> %L)::%s', x.key, x.key, format_type(a.atttypid, a.atttypmod)), ' AND ')
		 FROM unnest(d.join_keys) x(key) JOIN pg_attribute a ON a.attrelid = v.online_history AND a.attname = x.key AND NOT a.attisdropped),
		d.event_time, d.event_time, d.event_time, d.event_time)
	USING keys, "time", d.ttl, d.features, v.name;
END $$;
COMMENT ON FUNCTION online_at(text, jsonb, timestamptz) IS
'what a feature view served at a time, from its history; keys and result as get_online_features. Errors: 55000 no history is kept, 42704 unknown, 22023 a join key is missing';

-- Put -------------------------------------------------------------------------------------------------------------------

-- Rows that the view's schema admits. The rest goes the way of on_invalid.
CREATE FUNCTION store_refuse(view text, on_invalid text, keys jsonb, features jsonb, event_time timestamptz, reasons jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	words text := (SELECT string_agg(x.key || ': ' || x.value, '; ' ORDER BY x.key) FROM jsonb_each_text(reasons) x);
BEGIN
	IF on_invalid = 'reject' THEN
		RAISE check_violation USING MESSAGE = format('features of view "%s" break its schema', view),
			DETAIL = format('Key %s: %s', keys, words), HINT = 'Mend the row, loosen the schema, or set on_invalid to warn or quarantine.';
	ELSIF on_invalid = 'warn' THEN
		RAISE WARNING USING MESSAGE = format('features of view "%s" break its schema', view), DETAIL = format('Key %s: %s', keys, words);
		RETURN true;
	END IF;
	INSERT INTO feature_meta.feature_quarantine (view, keys, features, event_time, reasons)
	VALUES (store_refuse.view, store_refuse.keys, store_refuse.features, store_refuse.event_time, store_refuse.reasons);
	RETURN false;
END $$;
COMMENT ON FUNCTION store_refuse(text, text, jsonb, jsonb, timestamptz, jsonb) IS
'internal: what happens to a row that breaks a feature view''s schema: error 23514, a warning, or the quarantine; true when the row goes on; part of put_features and materialize';

CREATE FUNCTION store_valid_rows(view text, rows text) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v record;
	d record;
	features text;
BEGIN
	SELECT f.schema, f.on_invalid, f.version INTO v
	FROM feature_meta.feature_view w JOIN feature_meta.feature_view_version f ON f.view = w.name AND f.version = w.current_version
	WHERE w.name = store_valid_rows.view;
	IF v.schema IS NULL THEN
		RETURN rows;
	END IF;
	SELECT * INTO d FROM @extschema@.store_view_definition(store_valid_rows.view, v.version);
	-- what the schema does not speak of is nobody's business; one that was inferred from the source speaks of keys and times too
	SELECT string_agg(format('rows.%I', f), ', ') INTO features
	FROM unnest(d.join_keys || d.event_time::text || CASE WHEN d.created_time IS NULL THEN '{}' ELSE ARRAY[d.created_time::text] END || d.features) f
	WHERE f IN (SELECT x ->> 'name' FROM jsonb_array_elements(v.schema::jsonb -> 'feature') x);
	IF features IS NULL THEN
		RETURN rows;
	END IF;
	RETURN format('(SELECT rows.* FROM %1$s, LATERAL (SELECT %2$s) f WHERE @extschema@.is_valid_row(f.*, s.schema) OR @extschema@.store_refuse(%3$L, %4$L,'
		' (SELECT to_jsonb(k.*) FROM (SELECT %5$s) k), (SELECT to_jsonb(a.*) FROM (SELECT %7$s) a), rows.%6$I,'
		' (SELECT jsonb_object_agg(a.path, a.reasons) FROM (SELECT x.path, string_agg(x.description, '' '') AS reasons FROM @extschema@.anomalies(@extschema@.row_anomalies(f.*, s.schema)) x GROUP BY x.path) a))) rows',
		rows || format(', (SELECT x.schema FROM feature_meta.feature_view_version x WHERE x.view = %L AND x.version = %s) s', store_valid_rows.view, v.version),
		features, store_valid_rows.view, v.on_invalid, (SELECT string_agg(format('rows.%I', k), ', ') FROM unnest(d.join_keys) k), d.event_time,
		(SELECT string_agg(format('rows.%I', f), ', ') FROM unnest(d.features) f));
END $$;
COMMENT ON FUNCTION store_valid_rows(text, text) IS 'internal: the rows of a query that a feature view''s schema admits; part of put_features and materialize';

CREATE FUNCTION store_put_rows(view text, objects jsonb, shape text, mode text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v feature_meta.feature_view;
	d record;
	kind "char";
	stored text[];
	columns text;
	rows text;
	n bigint := 0;
	written bigint := 0;
BEGIN
	SELECT f.* INTO v FROM feature_meta.feature_view f WHERE f.name = store_put_rows.view;
	IF NOT FOUND THEN
		PERFORM @extschema@.store_not_changed('feature view', store_put_rows.view);
	END IF;
	IF mode IS NOT NULL AND lower(mode) NOT IN ('online', 'offline', 'online_and_offline') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('mode must be online, offline or online_and_offline, not "%s"', mode);
	END IF;
	SELECT * INTO d FROM @extschema@.store_view_definition(v.name, NULL);
	stored := d.join_keys || d.event_time::text || CASE WHEN d.created_time IS NULL THEN '{}' ELSE ARRAY[d.created_time::text] END || d.features;
	SELECT c.relkind INTO kind FROM pg_class c WHERE c.oid = d.source;
	-- checked once, whatever it is written to
	EXECUTE format('SELECT jsonb_agg(to_jsonb(rows.*)) FROM %s', @extschema@.store_valid_rows(v.name, format('jsonb_to_recordset(%L) AS rows(%s)', objects, shape)))
	INTO objects;
	rows := format('jsonb_to_recordset(%L) AS rows(%s)', coalesce(objects, '[]'), shape);
	IF lower(mode) IN ('offline', 'online_and_offline') OR (mode IS NULL AND kind IN ('r', 'p', 'f')) THEN
		SELECT string_agg(CASE WHEN a.attname IN (d.event_time, d.created_time) AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype)
							   THEN format('timezone(''UTC'', rows.%I)::%s', c.name, format_type(a.atttypid, a.atttypmod)) ELSE format('rows.%I', c.name) END, ', ' ORDER BY c.ord)
		INTO columns
		FROM unnest(stored) WITH ORDINALITY c(name, ord)
		JOIN pg_attribute a ON a.attrelid = d.source AND a.attname = c.name;
		EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM %s', d.source,
			(SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.ord) FROM unnest(stored) WITH ORDINALITY c(name, ord)), columns, rows);
		GET DIAGNOSTICS written = ROW_COUNT;
	END IF;
	IF (lower(mode) IN ('online', 'online_and_offline') OR (mode IS NULL AND v.online_table IS NOT NULL)) AND NOT (v.online_trigger AND written > 0) THEN
		-- of several rows of a key in one call the newest counts
		EXECUTE @extschema@.store_online_insert(v.name, format('(SELECT DISTINCT ON (%1$s) rows.* FROM %2$s ORDER BY %1$s, rows.%3$I DESC%4$s) rows',
			(SELECT string_agg(format('rows.%I', k), ', ') FROM unnest(d.join_keys) k), rows, d.event_time,
			CASE WHEN d.created_time IS NULL THEN '' ELSE format(', rows.%I DESC NULLS LAST', d.created_time) END));
		GET DIAGNOSTICS n = ROW_COUNT;
	END IF;
	RETURN greatest(written, n);
END $$;
COMMENT ON FUNCTION store_put_rows(text, jsonb, text, text) IS 'internal: brings rows into a feature view''s source and online table; part of put_features';

CREATE FUNCTION put_features(view text, keys jsonb, "values" jsonb, event_time timestamptz DEFAULT now(), created_time timestamptz DEFAULT now(),
	mode text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d record;
	known text[];
	rows jsonb;
	name text;
	shape text;
BEGIN
	SELECT * INTO d FROM @extschema@.store_view_definition(put_features.view, NULL);
	IF d.source IS NULL THEN
		PERFORM @extschema@.store_not_changed('feature view', put_features.view);
	ELSIF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d.source) THEN
		PERFORM @extschema@.store_source_gone(put_features.view, NULL);
	END IF;
	IF keys IS NULL OR "values" IS NULL OR event_time IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'keys, values and event_time must not be NULL';
	END IF;
	IF jsonb_typeof("values") NOT IN ('object', 'array') OR jsonb_typeof(keys) NOT IN ('object', 'array')
		OR EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof("values") WHEN 'array' THEN "values" ELSE '[]' END) v WHERE jsonb_typeof(v) <> 'object')
		OR EXISTS (SELECT FROM @extschema@.store_key_objects(keys) k WHERE jsonb_typeof(k) <> 'object') THEN
		RAISE invalid_parameter_value USING MESSAGE = 'keys and values must be an object, or an array of objects, each';
	END IF;
	IF (SELECT count(*) FROM @extschema@.store_key_objects(keys)) <> (CASE jsonb_typeof("values") WHEN 'array' THEN jsonb_array_length("values") ELSE 1 END) THEN
		RAISE invalid_parameter_value USING MESSAGE = 'there must be as many values as keys';
	END IF;
	SELECT jsonb_agg(v.value || k.object) INTO rows
	FROM @extschema@.store_key_objects(keys) WITH ORDINALITY k(object, ord)
	JOIN jsonb_array_elements(CASE jsonb_typeof("values") WHEN 'array' THEN "values" ELSE jsonb_build_array("values") END) WITH ORDINALITY v(value, ord) ON v.ord = k.ord;
	known := d.join_keys || d.event_time::text || CASE WHEN d.created_time IS NULL THEN '{}' ELSE ARRAY[d.created_time::text] END || d.features;
	SELECT x INTO name FROM (SELECT DISTINCT jsonb_object_keys(r) FROM jsonb_array_elements(rows) r) u(x) WHERE x <> ALL (known) ORDER BY x LIMIT 1;
	IF name IS NOT NULL THEN
		PERFORM @extschema@.store_unknown('feature', name, known);
	END IF;
	SELECT k INTO name FROM unnest(d.join_keys) k WHERE EXISTS (SELECT FROM jsonb_array_elements(rows) r WHERE coalesce(jsonb_typeof(r -> k), 'null') = 'null') LIMIT 1;
	IF name IS NOT NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = format('join key "%s" of feature view "%s" is missing', name, put_features.view);
	END IF;
	SELECT string_agg(format('%I %s', c.name, CASE WHEN c.name IN (d.event_time, d.created_time) THEN 'timestamptz' ELSE format_type(a.atttypid, a.atttypmod) END), ', ')
	INTO shape FROM unnest(known) c(name) JOIN pg_attribute a ON a.attrelid = d.source AND a.attname = c.name;
	-- the call's times are those of every row that does not bring its own
	rows := (SELECT jsonb_agg(jsonb_build_object(d.event_time, event_time)
				|| CASE WHEN d.created_time IS NULL THEN '{}' ELSE jsonb_build_object(d.created_time, created_time) END || r) FROM jsonb_array_elements(rows) r);
	RETURN @extschema@.store_put_rows(put_features.view, rows, shape, mode);
END $$;
COMMENT ON FUNCTION put_features(text, jsonb, jsonb, timestamptz, timestamptz, text) IS
'stores features, one row or many: keys and values are an object, or arrays of objects of the same length; a feature that is not given is NULL (a put is a whole row); event_time and created_time hold for rows that do not bring their own. mode online, offline or online_and_offline (Feast''s PushMode); NULL: the source if it is a table, and the online table if there is one. An older event never replaces a newer one online. The view''s schema is checked. Returns the number of rows stored. Errors: 42704 unknown view or feature, 22004 a key is missing, 22023 lengths differ, 23514 breaks the schema';

CREATE FUNCTION put_features(view text, "row" record) RETURNS bigint
	LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- an array of one each, as a key or a value may be an array
	RETURN @extschema@.put_features(view, (SELECT jsonb_build_array(jsonb_object_agg(k.key, to_jsonb("row") -> k.key))
		FROM @extschema@.store_view_definition(put_features.view, NULL) d, unnest(d.join_keys) k(key)), '[]'::jsonb || to_jsonb("row"));
END $$;
COMMENT ON FUNCTION put_features(text, record) IS
'stores one row, whose columns are named as those of the feature view''s source, as in SELECT put_features(''view'', r) FROM new_rows r; event and created time default to now. Otherwise as put_features with keys and values';

CREATE FUNCTION put_features_from(view text, query text, mode text DEFAULT NULL) RETURNS bigint
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION put_features_from(text, text, text) IS
'stores the rows of a query, whose columns are named as those of the feature view''s source; event and created time default to now. Otherwise as put_features with keys and values';
