-- History: every row of nodes and edges knows since when it is so (valid_from); the version that an UPDATE or DELETE
-- replaces goes into the table's _history twin with the time it ended (valid_to). So an INSERT costs nothing, a restore
-- makes no history, no sequence is used (LASTVAL() stays what the client expects), and what was at a time t is
--     SELECT .. FROM mlmd.x WHERE valid_from <= t
--     UNION ALL SELECT .. FROM mlmd.x_history WHERE valid_from <= t AND t < valid_to
CREATE FUNCTION mlmd_keep_history() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION mlmd_keep_history() IS 'BEFORE UPDATE OR DELETE trigger: moves the row''s former version into the table''s _history';

DO $$
DECLARE
	relation text;
	key text;
BEGIN
	FOR relation, key IN VALUES
		('artifact', 'id'), ('execution', 'id'), ('context', 'id'), ('event', 'id'), ('association', 'id'), ('attribution', 'id'),
		('artifactproperty', 'artifact_id'), ('executionproperty', 'execution_id'),
		('contextproperty', 'context_id'), ('parentcontext', 'context_id'), ('eventpath', 'event_id')
	LOOP
		EXECUTE pg_catalog.format('CREATE TABLE mlmd.%1$s_history (LIKE mlmd.%1$s INCLUDING COMMENTS, valid_to timestamptz NOT NULL,
				CHECK (valid_from < valid_to));
			CREATE INDEX %1$s_history_key_idx ON mlmd.%1$s_history (%2$s, valid_from);
			COMMENT ON TABLE mlmd.%1$s_history IS ''former versions of the rows of mlmd.%1$s'';
			COMMENT ON COLUMN mlmd.%1$s_history.valid_to IS ''start of the transaction that replaced or deleted this version of the row''',
			relation, key);
		EXECUTE pg_catalog.format('CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON mlmd.%1$s FOR EACH ROW EXECUTE FUNCTION @extschema@.mlmd_keep_history();
			COMMENT ON TRIGGER keep_history ON mlmd.%1$s IS ''moves the row''''s former version into mlmd.%1$s_history''', relation);
		PERFORM pg_catalog.pg_extension_config_dump(pg_catalog.format('mlmd.%I', relation || '_history')::pg_catalog.regclass, '');
	END LOOP;
END
$$;
CREATE INDEX event_history_artifact_id_idx ON mlmd.event_history (artifact_id);
CREATE INDEX event_history_execution_id_idx ON mlmd.event_history (execution_id);
CREATE INDEX association_history_context_id_idx ON mlmd.association_history (context_id);
CREATE INDEX association_history_execution_id_idx ON mlmd.association_history (execution_id);
CREATE INDEX attribution_history_context_id_idx ON mlmd.attribution_history (context_id);
CREATE INDEX attribution_history_artifact_id_idx ON mlmd.attribution_history (artifact_id);
CREATE INDEX parentcontext_history_parent_context_id_idx ON mlmd.parentcontext_history (parent_context_id);
