-- What an ml-metadata client would trip over here

CREATE FUNCTION mlmd_check_hba() RETURNS boolean
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT has_table_privilege('pg_hba_file_rules', 'SELECT') OR NOT has_function_privilege('pg_hba_file_rules()', 'EXECUTE') THEN
		RETURN NULL;
	END IF;
	RETURN EXISTS (SELECT FROM pg_hba_file_rules WHERE type IN ('local', 'host', 'hostnossl') AND auth_method <> 'reject' AND error IS NULL);
END;
$$;
COMMENT ON FUNCTION mlmd_check_hba() IS 'internal: does pg_hba.conf let anybody in without TLS? NULL when the caller may not read it';

CREATE FUNCTION mlmd_check_environment(OUT rows bigint, OUT version integer) RETURNS record
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- a role that may not read it gets no answer, not an error
	IF has_schema_privilege('mlmd', 'USAGE') THEN
		IF has_table_privilege('mlmd.mlmdenv', 'SELECT') THEN
			SELECT count(*), min(e.schema_version) INTO rows, version FROM mlmd.mlmdenv e;
		END IF;
	END IF;
END;
$$;
COMMENT ON FUNCTION mlmd_check_environment() IS 'internal: how many rows mlmd.mlmdenv has, and its version; NULL when the caller may not read it';

CREATE FUNCTION mlmd_check_sequences() RETURNS TABLE (relation text, next bigint, highest bigint)
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT has_schema_privilege('mlmd', 'USAGE') THEN
		RETURN;
	END IF;
	FOREACH relation IN ARRAY ARRAY['type', 'artifact', 'execution', 'context', 'event', 'association', 'attribution'] LOOP
		-- a role that may not read them gets no answer, not an error
		CONTINUE WHEN NOT has_column_privilege('mlmd.' || relation, 'id', 'SELECT')
			OR NOT has_sequence_privilege(pg_get_serial_sequence('mlmd.' || relation, 'id'), 'SELECT');
		EXECUTE format('SELECT s.last_value + s.is_called::integer, (SELECT max(n.id) FROM mlmd.%I n) FROM %s s',
			relation, pg_get_serial_sequence('mlmd.' || relation, 'id')) INTO next, highest;
		IF highest >= next THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END;
$$;
COMMENT ON FUNCTION mlmd_check_sequences() IS 'internal: the tables, of those that the caller may read, whose sequence gives an id next that is not above the highest one of the rows that the caller sees';

CREATE FUNCTION mlmd_check() RETURNS TABLE (problem text, detail text, cure text, severity text)
	LANGUAGE SQL STABLE CALLED ON NULL INPUT PARALLEL RESTRICTED
BEGIN ATOMIC
	WITH wanted (relation, columns) AS (
		VALUES ('mlmdenv', '{schema_version}'::text[]),
			('type', '{id,name,version,type_kind,description,input_type,output_type}'),
			('typeproperty', '{type_id,name,data_type}'),
			('parenttype', '{type_id,parent_type_id}'),
			('artifact', '{id,type_id,uri,state,name,create_time_since_epoch,last_update_time_since_epoch}'),
			('artifactproperty', '{artifact_id,name,is_custom_property,int_value,double_value,string_value,byte_value,proto_value,bool_value}'),
			('execution', '{id,type_id,last_known_state,name,create_time_since_epoch,last_update_time_since_epoch}'),
			('executionproperty', '{execution_id,name,is_custom_property,int_value,double_value,string_value,byte_value,proto_value,bool_value}'),
			('context', '{id,type_id,name,create_time_since_epoch,last_update_time_since_epoch}'),
			('contextproperty', '{context_id,name,is_custom_property,int_value,double_value,string_value,byte_value,proto_value,bool_value}'),
			('parentcontext', '{context_id,parent_context_id}'),
			('event', '{id,artifact_id,execution_id,type,milliseconds_since_epoch}'),
			('eventpath', '{event_id,is_index_step,step_index,step_key}'),
			('association', '{id,context_id,execution_id}'),
			('attribution', '{id,context_id,artifact_id}')
	), found (relation, here, mlmd, place) AS ( -- what the name means on the search_path, and the table it should mean
		SELECT w.relation, to_regclass(w.relation), c.oid, (SELECT format('%I.%I', h.relnamespace::regnamespace, h.relname) FROM pg_class h WHERE h.oid = to_regclass(w.relation))
		FROM wanted w JOIN pg_class c ON c.relname = w.relation AND c.relnamespace = to_regnamespace('mlmd')
	), elsewhere (relation, place, columns, is_owner) AS ( -- an owner, as a superuser, sees columns without any right on them
		SELECT w.relation, format('%I.%I', c.table_schema, c.table_name), string_agg(c.column_name, ', ' ORDER BY c.column_name),
			EXISTS (SELECT FROM pg_class k JOIN pg_namespace s ON s.oid = k.relnamespace
				WHERE s.nspname = c.table_schema AND k.relname = c.table_name AND pg_has_role(k.relowner, 'USAGE'))
		FROM wanted w JOIN information_schema.columns c ON c.table_name = w.relation AND c.column_name = ANY (w.columns)
		WHERE c.table_schema <> 'mlmd'
		GROUP BY w.relation, c.table_schema, c.table_name
	), own (relation, columns) AS (
		SELECT f.relation, string_agg(x, ', ' ORDER BY x)
		FROM found f JOIN wanted w USING (relation) CROSS JOIN unnest(w.columns) x
		WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = f.mlmd AND a.attname = x AND NOT a.attisdropped)
		GROUP BY f.relation
	), rights (missing, relations) AS (
		SELECT m.missing, string_agg(m.relation, ', ' ORDER BY m.relation)
		FROM (
			SELECT 'mlmd.' || c.relname, string_agg(p, ', ' ORDER BY n)
			FROM pg_class c CROSS JOIN unnest(CASE
				WHEN c.relname LIKE '%\_history' THEN '{INSERT}'::text[]
				WHEN c.relname = 'mlmdenv' THEN '{SELECT}' ELSE '{SELECT,INSERT,UPDATE,DELETE}' END) WITH ORDINALITY AS r (p, n)
			WHERE c.relnamespace = to_regnamespace('mlmd') AND c.relkind = 'r' AND NOT has_table_privilege(c.oid, p)
			GROUP BY c.oid, c.relname) m (relation, missing)
		GROUP BY m.missing
	)
	SELECT 'search_path'::text, format('%I resolves to %s.', f.relation, coalesce(f.place, 'nothing')),
		format('ALTER ROLE %I IN DATABASE %I SET search_path = mlmd;', current_user, current_database()), 'error'::text
	FROM found f
	WHERE f.relation = 'mlmdenv' AND f.here IS DISTINCT FROM f.mlmd
	UNION ALL
	SELECT 'shadowed table', format('%I resolves to %s, ahead of the one in mlmd.', f.relation, f.place),
		format('ALTER ROLE %I IN DATABASE %I SET search_path = mlmd;', current_user, current_database()), 'error'
	FROM found f
	WHERE f.here <> f.mlmd AND EXISTS (SELECT FROM found e WHERE e.relation = 'mlmdenv' AND e.here = e.mlmd)
	UNION ALL
	SELECT 'table of the same name', format('%s has columns that the client counts with those of mlmd.%I: %s.', e.place, e.relation, e.columns),
		format(CASE WHEN e.is_owner THEN 'Connect as a role that does not own %1$s, nor is a member of its owner or a superuser, or rename the table or its columns.'
			ELSE 'REVOKE ALL ON %1$s FROM %2$I; or from PUBLIC or the role that has the right, or rename the table or its columns.' END, e.place, current_user),
		'error'
	FROM elsewhere e
	UNION ALL
	SELECT 'missing column', format('mlmd.%I has no %s.', o.relation, o.columns), 'Add the column again, or install the extension anew.', 'error'
	FROM own o
	UNION ALL
	SELECT 'missing privilege', 'USAGE on schema mlmd', format('GRANT USAGE ON SCHEMA mlmd TO %I;', current_user), 'error'
	WHERE NOT has_schema_privilege(to_regnamespace('mlmd'), 'USAGE')
	UNION ALL
	SELECT 'missing privilege', format('%s on %s', r.missing, r.relations),
		format('GRANT %s ON %s TO %I;', r.missing, r.relations, current_user) || CASE WHEN r.missing = 'SELECT' THEN '' ELSE ' unless the role is to read only.' END,
		CASE WHEN r.missing LIKE 'SELECT%' THEN 'error' ELSE 'warning' END
	FROM rights r
	UNION ALL
	SELECT 'missing privilege', format('SELECT or USAGE on sequence %s, for LASTVAL()', string_agg('mlmd.' || s.relname, ', ' ORDER BY s.relname)),
		format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA mlmd TO %I; unless the role is to read only.', current_user), 'warning'
	FROM pg_class s
	WHERE s.relnamespace = to_regnamespace('mlmd')
		AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') AND NOT has_sequence_privilege(s.oid, 'SELECT') END
	HAVING count(*) > 0
	UNION ALL
	SELECT 'schema version', CASE WHEN e.rows = 1 THEN format('mlmd.mlmdenv says %s, ml-metadata 1.14 to 1.17 want 10.', e.version)
			ELSE format('mlmd.mlmdenv has %s rows, the client wants one.', e.rows) END,
		'TRUNCATE mlmd.mlmdenv; INSERT INTO mlmd.mlmdenv VALUES (10);', 'error'
	FROM mlmd_check_environment() e WHERE e.rows <> 1 OR e.version <> 10
	UNION ALL
	SELECT 'sequence behind', format('The next id for mlmd.%I is %s, but there are rows up to %s: a new one may meet an id that is taken.', s.relation, s.next, s.highest),
		format('SELECT setval(pg_get_serial_sequence(''mlmd.%1$s'', ''id''), max(id)) FROM mlmd.%1$I; by the owner of the sequence.', s.relation), 'warning'
	FROM mlmd_check_sequences() s
	UNION ALL
	SELECT 'TLS only', 'pg_hba.conf lets nobody in without TLS, and the published client has a libpq without it.',
		'Add a line of type host, hostnossl or local for the client.', 'error'
	WHERE NOT mlmd_check_hba()
	UNION ALL
	SELECT 'name that needs quotes', format('%s "%s" has characters that the client does not quote in its connection string.', what, name),
		format('Use another %s for the client.', what), 'error'
	FROM (VALUES ('database', current_database()::text), ('role', current_user::text)) v (what, name)
	WHERE name ~ '[[:space:]''\\]'
	UNION ALL
	SELECT 'name in mixed case', format('Database "%s" is found only with skip_db_creation.', current_database()),
		'Set skip_db_creation in the client''s connection config.', 'warning'
	WHERE current_database() <> lower(current_database())
	UNION ALL
	SELECT 'lost updates', format('default_transaction_isolation is %s: clients that update a node at the same time overwrite each other.',
			current_setting('default_transaction_isolation')),
		format('ALTER ROLE %I IN DATABASE %I SET default_transaction_isolation = ''repeatable read'';', current_user, current_database()), 'warning'
	WHERE current_setting('default_transaction_isolation') NOT IN ('repeatable read', 'serializable')
	UNION ALL
	SELECT 'encoding', format('The database is in %s, the client sends UTF-8 whatever it is.', getdatabaseencoding()), 'Use a database in UTF8.', 'warning'
	WHERE getdatabaseencoding() <> 'UTF8';
END;
COMMENT ON FUNCTION mlmd_check() IS
	'what an ml-metadata client that connects to this database as the current role, with the current settings, would trip over: the problem, where it is, how to cure it, and whether it keeps the client from connecting (error) or not (warning); no rows of severity error: it connects';
