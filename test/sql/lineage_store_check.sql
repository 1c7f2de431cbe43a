-- In a database of its own: ids count from one, and nothing is left for other tests
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_lineage_store;
CREATE DATABASE regress_lineage_store;
\c regress_lineage_store
SET client_min_messages = warning;
CREATE EXTENSION feature_meta;
RESET client_min_messages;

-- What a role would trip over; only what keeps a client from connecting, and what does not depend on the server
CREATE FUNCTION errors() RETURNS TABLE (problem text, detail text, cure text) LANGUAGE sql AS $$
	SELECT problem, detail, replace(cure, current_database(), 'DB') FROM mlmd_check() WHERE severity = 'error' ORDER BY problem, detail $$;
CREATE FUNCTION warnings() RETURNS TABLE (problem text) LANGUAGE sql AS $$
	SELECT problem FROM mlmd_check() WHERE severity = 'warning' AND problem NOT IN ('encoding', 'name in mixed case') ORDER BY problem $$;
CREATE ROLE regress_mlmd;
GRANT USAGE ON SCHEMA public TO regress_mlmd;

-- nothing granted, no search_path
SET ROLE regress_mlmd;
SELECT problem, cure FROM errors();
RESET ROLE;

-- read only
GRANT USAGE ON SCHEMA mlmd TO regress_mlmd;
GRANT SELECT ON ALL TABLES IN SCHEMA mlmd TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM errors();
SET search_path = mlmd;
SELECT * FROM public.mlmd_check() WHERE severity = 'error';
SET search_path = public, mlmd;
SELECT * FROM errors();
SELECT * FROM warnings();
RESET ROLE;

-- all rights
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mlmd TO regress_mlmd;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA mlmd TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM warnings();
SET default_transaction_isolation = 'repeatable read';
SELECT * FROM warnings();
RESET default_transaction_isolation;

-- tables of the same name: only counted columns of tables that the role may see matter
RESET ROLE;
CREATE SCHEMA app;
CREATE TABLE app.event (id int, name text, type text);
CREATE TABLE app.artifact (sha text);
GRANT USAGE ON SCHEMA app TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM errors();
RESET ROLE;
GRANT SELECT ON app.event, app.artifact TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM errors();
RESET ROLE;
REVOKE ALL ON app.event FROM regress_mlmd;
GRANT SELECT (name) ON app.event TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM errors();
RESET ROLE;
GRANT SELECT (type) ON app.event TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM errors();
-- who owns the table sees it without any right
RESET ROLE;
REVOKE ALL ON app.event FROM regress_mlmd;
REVOKE ALL (name, type) ON app.event FROM regress_mlmd;
ALTER TABLE app.event OWNER TO regress_mlmd;
REVOKE ALL ON app.event FROM regress_mlmd;
SET ROLE regress_mlmd;
SELECT * FROM errors();
SELECT count(*) FROM information_schema.columns WHERE table_schema = 'app' AND table_name = 'event';
-- ahead of mlmd
SET search_path = app, public, mlmd;
SELECT * FROM public.errors() WHERE problem = 'shadowed table';
RESET search_path;
RESET ROLE;
DROP SCHEMA app CASCADE;

-- the version
SET search_path = mlmd, public;
INSERT INTO mlmd.mlmdenv VALUES (9);
SELECT * FROM errors();
DELETE FROM mlmd.mlmdenv WHERE schema_version = 10;
SELECT * FROM errors();
DELETE FROM mlmd.mlmdenv;
SELECT * FROM errors();
INSERT INTO mlmd.mlmdenv VALUES (10);
SELECT * FROM errors();

-- what is asked for is enough: a role with that and no more puts, changes, deletes, and cannot rewrite history
DROP OWNED BY regress_mlmd;
GRANT USAGE ON SCHEMA public TO regress_mlmd;
SET ROLE regress_mlmd;
SELECT cure FROM mlmd_check() WHERE problem = 'missing privilege' AND cure LIKE 'GRANT INSERT ON%';
SELECT string_agg(split_part(cure, ' unless', 1), ' ') AS cures FROM mlmd_check() WHERE problem = 'missing privilege' \gset
RESET ROLE;
:cures
SET ROLE regress_mlmd;
SELECT count(*) FROM mlmd_check() WHERE problem = 'missing privilege';
SELECT put_artifact_type('Rights', '{"n": "INT"}') > 0 AS type, put_artifact('Rights', name => 'a', properties => '{"n": 1}') AS artifact \gset
SELECT put_execution('Trainer', outputs => ARRAY[:artifact]) > 0 AS execution
FROM (SELECT put_execution_type('Trainer', '{}')) t;
SELECT put_artifact('Rights', id => :artifact, properties => '{"n": 2}') = :artifact AS changed;
SELECT delete_artifacts(ARRAY[:artifact]);
UPDATE mlmd.artifact_history SET name = 'b';
DELETE FROM mlmd.artifact_history;
RESET ROLE;
SELECT count(*) > 0 AS kept FROM mlmd.artifact_history;
DROP OWNED BY regress_mlmd;
DROP ROLE regress_mlmd;

\c :regression
DROP DATABASE regress_lineage_store;
