-- The feature store's catalogue: definitions as rows. The features themselves stay in the user's own tables.

-- Who made a definition may change it; members of that role too. Everyone may read the catalogue (a team reuses before it
-- builds); reading the features asks for the privileges of their source.

CREATE TABLE feature_meta.feature_entity (
	name text PRIMARY KEY CHECK (name <> '' AND name !~ '[:@{},"]'),
	join_keys text[] NOT NULL CHECK (cardinality(join_keys) BETWEEN 1 AND 32),
	description text,
	owner text,
	tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tags) = 'object'),
	created_by name NOT NULL DEFAULT current_user,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE feature_meta.feature_entity IS 'what features describe (a driver, a customer): a name and its join keys';
COMMENT ON COLUMN feature_meta.feature_entity.name IS 'name of the entity';
COMMENT ON COLUMN feature_meta.feature_entity.join_keys IS 'columns that identify one, in sources and in entity rows';
COMMENT ON COLUMN feature_meta.feature_entity.description IS 'what it is, in words';
COMMENT ON COLUMN feature_meta.feature_entity.owner IS 'who answers for it: a person or a team, free text';
COMMENT ON COLUMN feature_meta.feature_entity.tags IS 'labels and their values';
COMMENT ON COLUMN feature_meta.feature_entity.created_by IS 'role that made it and may change it';
COMMENT ON COLUMN feature_meta.feature_entity.created_at IS 'when it was made';

CREATE TABLE feature_meta.feature_view (
	name text PRIMARY KEY CHECK (name <> '' AND name !~ '[:@{},"]'),
	current_version integer NOT NULL DEFAULT 1,
	description text,
	owner text,
	tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tags) = 'object'),
	online_table regclass UNIQUE,
	online_history regclass UNIQUE,
	online_trigger boolean NOT NULL DEFAULT false,
	online_row_security text,
	materialized_to timestamptz,
	materialized_at timestamptz,
	created_by name NOT NULL DEFAULT current_user,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE feature_meta.feature_view IS 'features of one source, addressed by entity and time; what they are is in feature_view_version';
COMMENT ON COLUMN feature_meta.feature_view.name IS 'name of the view, as in view:feature';
COMMENT ON COLUMN feature_meta.feature_view.current_version IS 'the version that a reference without @version means';
COMMENT ON COLUMN feature_meta.feature_view.description IS 'what it is, in words';
COMMENT ON COLUMN feature_meta.feature_view.owner IS 'who answers for it: a person or a team, free text';
COMMENT ON COLUMN feature_meta.feature_view.tags IS 'labels and their values';
COMMENT ON COLUMN feature_meta.feature_view.online_table IS 'table that serves the newest values by key; NULL: not online';
COMMENT ON COLUMN feature_meta.feature_view.online_history IS 'table that keeps what was served when; NULL: history is off';
COMMENT ON COLUMN feature_meta.feature_view.online_trigger IS 'whether a trigger on the source keeps the online table current';
COMMENT ON COLUMN feature_meta.feature_view.online_row_security IS 'digest of the row security of the source when the online table was given it';
COMMENT ON COLUMN feature_meta.feature_view.materialized_to IS 'end of the last materialisation: event times before it are online';
COMMENT ON COLUMN feature_meta.feature_view.materialized_at IS 'start of the last materialisation';
COMMENT ON COLUMN feature_meta.feature_view.created_by IS 'role that made it and may change it';
COMMENT ON COLUMN feature_meta.feature_view.created_at IS 'when it was made';

CREATE TABLE feature_meta.feature_view_version (
	view text NOT NULL REFERENCES feature_meta.feature_view ON UPDATE CASCADE ON DELETE CASCADE,
	version integer NOT NULL CHECK (version >= 1),
	source regclass NOT NULL,
	event_time name NOT NULL,
	created_time name,
	ttl interval CHECK (ttl > '0'),
	schema feature_schema,
	on_invalid text NOT NULL DEFAULT 'reject' CHECK (on_invalid IN ('reject', 'warn', 'quarantine')),
	source_name text,
	created_by name NOT NULL DEFAULT current_user,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (view, version)
);
COMMENT ON TABLE feature_meta.feature_view_version IS 'one definition of a feature view; a change makes a new version, old ones stay';
COMMENT ON COLUMN feature_meta.feature_view_version.view IS 'the feature view';
COMMENT ON COLUMN feature_meta.feature_view_version.version IS 'from 1 on, without gaps';
COMMENT ON COLUMN feature_meta.feature_view_version.source IS 'table, view, partitioned or foreign table that holds the features';
COMMENT ON COLUMN feature_meta.feature_view_version.event_time IS 'column of the source: when the row''s values became true';
COMMENT ON COLUMN feature_meta.feature_view_version.created_time IS 'column of the source: when the row became known; NULL: at its event time';
COMMENT ON COLUMN feature_meta.feature_view_version.ttl IS 'how long a row''s values hold after its event time, inclusive; NULL: for ever';
COMMENT ON COLUMN feature_meta.feature_view_version.schema IS 'what is expected of the features; NULL: anything';
COMMENT ON COLUMN feature_meta.feature_view_version.on_invalid IS 'what happens to a row that breaks the schema: reject, warn or quarantine';
COMMENT ON COLUMN feature_meta.feature_view_version.source_name IS 'name of the source when the version was made, for when it is gone';
COMMENT ON COLUMN feature_meta.feature_view_version.created_by IS 'role that made the version';
COMMENT ON COLUMN feature_meta.feature_view_version.created_at IS 'when the version was made';

CREATE TABLE feature_meta.feature_view_entity (
	view text NOT NULL,
	version integer NOT NULL,
	"position" integer NOT NULL,
	entity text NOT NULL REFERENCES feature_meta.feature_entity ON UPDATE CASCADE,
	PRIMARY KEY (view, version, "position"),
	UNIQUE (view, version, entity),
	FOREIGN KEY (view, version) REFERENCES feature_meta.feature_view_version ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX ON feature_meta.feature_view_entity (entity);
COMMENT ON TABLE feature_meta.feature_view_entity IS 'the entities whose join keys address a feature view''s rows';
COMMENT ON COLUMN feature_meta.feature_view_entity.view IS 'the feature view';
COMMENT ON COLUMN feature_meta.feature_view_entity.version IS 'its version';
COMMENT ON COLUMN feature_meta.feature_view_entity."position" IS 'order of the entities, from 1';
COMMENT ON COLUMN feature_meta.feature_view_entity.entity IS 'the entity';

CREATE TABLE feature_meta.feature_view_feature (
	view text NOT NULL,
	version integer NOT NULL,
	"position" integer NOT NULL,
	feature name NOT NULL CHECK (feature <> '' AND feature !~ '[:@]'),
	type regtype NOT NULL,
	type_modifier integer NOT NULL DEFAULT -1,
	PRIMARY KEY (view, version, feature),
	UNIQUE (view, version, "position"),
	FOREIGN KEY (view, version) REFERENCES feature_meta.feature_view_version ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE feature_meta.feature_view_feature IS 'the features of a feature view: columns of its source';
COMMENT ON COLUMN feature_meta.feature_view_feature.view IS 'the feature view';
COMMENT ON COLUMN feature_meta.feature_view_feature.version IS 'its version';
COMMENT ON COLUMN feature_meta.feature_view_feature."position" IS 'order of the features, from 1';
COMMENT ON COLUMN feature_meta.feature_view_feature.feature IS 'name of the feature and of the source''s column';
COMMENT ON COLUMN feature_meta.feature_view_feature.type IS 'type of the column when the version was made';
COMMENT ON COLUMN feature_meta.feature_view_feature.type_modifier IS 'its type modifier, -1 for none';

CREATE TABLE feature_meta.feature_service (
	name text PRIMARY KEY CHECK (name <> '' AND name !~ '[:@{},"]'),
	description text,
	owner text,
	tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tags) = 'object'),
	created_by name NOT NULL DEFAULT current_user,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE feature_meta.feature_service IS 'a named list of features, as one model uses them';
COMMENT ON COLUMN feature_meta.feature_service.name IS 'name of the service';
COMMENT ON COLUMN feature_meta.feature_service.description IS 'what it is, in words';
COMMENT ON COLUMN feature_meta.feature_service.owner IS 'who answers for it: a person or a team, free text';
COMMENT ON COLUMN feature_meta.feature_service.tags IS 'labels and their values';
COMMENT ON COLUMN feature_meta.feature_service.created_by IS 'role that made it and may change it';
COMMENT ON COLUMN feature_meta.feature_service.created_at IS 'when it was made';

CREATE TABLE feature_meta.feature_service_feature (
	service text NOT NULL REFERENCES feature_meta.feature_service ON UPDATE CASCADE ON DELETE CASCADE,
	"position" integer NOT NULL,
	view text NOT NULL REFERENCES feature_meta.feature_view ON UPDATE CASCADE,
	version integer,
	feature name NOT NULL,
	PRIMARY KEY (service, "position"),
	UNIQUE (service, view, feature),
	FOREIGN KEY (view, version, feature) REFERENCES feature_meta.feature_view_feature ON UPDATE CASCADE
);
CREATE INDEX ON feature_meta.feature_service_feature (view, version, feature);
COMMENT ON TABLE feature_meta.feature_service_feature IS 'the features of a feature service, in order';
COMMENT ON COLUMN feature_meta.feature_service_feature.service IS 'the feature service';
COMMENT ON COLUMN feature_meta.feature_service_feature."position" IS 'order of the features, from 1';
COMMENT ON COLUMN feature_meta.feature_service_feature.view IS 'the feature view';
COMMENT ON COLUMN feature_meta.feature_service_feature.version IS 'the version asked for; NULL: the current one';
COMMENT ON COLUMN feature_meta.feature_service_feature.feature IS 'the feature';

CREATE TABLE feature_meta.training_set (
	name text PRIMARY KEY CHECK (name <> ''),
	relation regclass NOT NULL UNIQUE,
	labels text NOT NULL,
	features text[] NOT NULL,
	options jsonb NOT NULL DEFAULT '{}',
	as_of timestamptz NOT NULL,
	row_count bigint NOT NULL,
	sketch feature_sketch NOT NULL,
	execution_id bigint,
	artifact_id bigint,
	description text,
	created_by name NOT NULL DEFAULT current_user,
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE feature_meta.training_set IS 'what made a training set: query, feature versions, time, row count, statistics and lineage';
COMMENT ON COLUMN feature_meta.training_set.name IS 'name of the training set';
COMMENT ON COLUMN feature_meta.training_set.relation IS 'the table that holds it';
COMMENT ON COLUMN feature_meta.training_set.labels IS 'relation or query that gave the entity rows';
COMMENT ON COLUMN feature_meta.training_set.features IS 'the features, each with its version: view@version:feature';
COMMENT ON COLUMN feature_meta.training_set.options IS 'the other arguments of the call';
COMMENT ON COLUMN feature_meta.training_set.as_of IS 'what was known at this time went in, nothing later';
COMMENT ON COLUMN feature_meta.training_set.row_count IS 'number of rows';
COMMENT ON COLUMN feature_meta.training_set.sketch IS 'what one pass over the rows remembers';
COMMENT ON COLUMN feature_meta.training_set.execution_id IS 'the execution in mlmd that made it';
COMMENT ON COLUMN feature_meta.training_set.artifact_id IS 'the artifact in mlmd that it is';
COMMENT ON COLUMN feature_meta.training_set.description IS 'what it is, in words';
COMMENT ON COLUMN feature_meta.training_set.created_by IS 'role that made it';
COMMENT ON COLUMN feature_meta.training_set.created_at IS 'when it was made';

CREATE TABLE feature_meta.feature_quarantine (
	view text NOT NULL REFERENCES feature_meta.feature_view ON UPDATE CASCADE ON DELETE CASCADE,
	quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	keys jsonb NOT NULL,
	features jsonb NOT NULL,
	event_time timestamptz NOT NULL,
	reasons jsonb NOT NULL,
	created_by name NOT NULL DEFAULT current_user
);
CREATE INDEX ON feature_meta.feature_quarantine (view, quarantined_at);
COMMENT ON TABLE feature_meta.feature_quarantine IS 'rows that a feature view''s schema kept out of the store';
COMMENT ON COLUMN feature_meta.feature_quarantine.view IS 'the feature view';
COMMENT ON COLUMN feature_meta.feature_quarantine.quarantined_at IS 'when the row was kept out';
COMMENT ON COLUMN feature_meta.feature_quarantine.keys IS 'the join keys of the row';
COMMENT ON COLUMN feature_meta.feature_quarantine.features IS 'the features of the row';
COMMENT ON COLUMN feature_meta.feature_quarantine.event_time IS 'the event time of the row';
COMMENT ON COLUMN feature_meta.feature_quarantine.reasons IS 'what the schema has against it';
COMMENT ON COLUMN feature_meta.feature_quarantine.created_by IS 'role that wrote the row';

SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_entity', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_view', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_view_version', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_view_entity', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_view_feature', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_service', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_service_feature', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.training_set', '');
SELECT pg_catalog.pg_extension_config_dump('feature_meta.feature_quarantine', '');

-- Rights: everyone reads the catalogue and may add to it; a definition is changed by who made it. What a table's rows tell of
-- the data itself (training sets' sketches, quarantined rows) is for those who may read the data.
GRANT SELECT, INSERT, UPDATE, DELETE ON feature_meta.feature_entity, feature_meta.feature_view, feature_meta.feature_view_version,
	feature_meta.feature_view_entity, feature_meta.feature_view_feature, feature_meta.feature_service,
	feature_meta.feature_service_feature, feature_meta.training_set, feature_meta.feature_quarantine TO PUBLIC;

ALTER TABLE feature_meta.feature_entity ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_entity FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_entity USING (may_change(created_by));

ALTER TABLE feature_meta.feature_view ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_view FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_view USING (may_change(created_by));

ALTER TABLE feature_meta.feature_view_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_view_version FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_view_version USING (may_change(created_by)
	AND EXISTS (SELECT FROM feature_meta.feature_view v WHERE v.name = view AND may_change(v.created_by)));

ALTER TABLE feature_meta.feature_view_entity ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_view_entity FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_view_entity USING (
	EXISTS (SELECT FROM feature_meta.feature_view v WHERE v.name = view AND may_change(v.created_by)));

ALTER TABLE feature_meta.feature_view_feature ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_view_feature FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_view_feature USING (
	EXISTS (SELECT FROM feature_meta.feature_view v WHERE v.name = view AND may_change(v.created_by)));

ALTER TABLE feature_meta.feature_service ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_service FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_service USING (may_change(created_by));

ALTER TABLE feature_meta.feature_service_feature ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.feature_service_feature FOR SELECT USING (true);
CREATE POLICY change ON feature_meta.feature_service_feature USING (
	EXISTS (SELECT FROM feature_meta.feature_service s WHERE s.name = service AND may_change(s.created_by)));

ALTER TABLE feature_meta.training_set ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON feature_meta.training_set FOR SELECT USING (pg_catalog.has_table_privilege(relation, 'SELECT')
	AND NOT pg_catalog.row_security_active(relation));
CREATE POLICY change ON feature_meta.training_set USING (may_change(created_by));

ALTER TABLE feature_meta.feature_quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY change ON feature_meta.feature_quarantine USING (may_change(created_by)
	OR EXISTS (SELECT FROM feature_meta.feature_view v WHERE v.name = view AND may_change(v.created_by)))
	WITH CHECK (EXISTS (SELECT FROM feature_meta.feature_view v JOIN feature_meta.feature_view_version d ON d.view = v.name AND d.version = v.current_version
						WHERE v.name = feature_quarantine.view AND (pg_catalog.has_table_privilege(d.source, 'INSERT')
							OR pg_catalog.has_table_privilege(v.online_table, 'INSERT'))));

COMMENT ON POLICY read ON feature_meta.feature_entity IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_entity IS 'who made it, or a member of that role';
COMMENT ON POLICY read ON feature_meta.feature_view IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_view IS 'who made it, or a member of that role';
COMMENT ON POLICY read ON feature_meta.feature_view_version IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_view_version IS 'who made the feature view, or a member of that role';
COMMENT ON POLICY read ON feature_meta.feature_view_entity IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_view_entity IS 'who made the feature view, or a member of that role';
COMMENT ON POLICY read ON feature_meta.feature_view_feature IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_view_feature IS 'who made the feature view, or a member of that role';
COMMENT ON POLICY read ON feature_meta.feature_service IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_service IS 'who made it, or a member of that role';
COMMENT ON POLICY read ON feature_meta.feature_service_feature IS 'everyone reads the catalogue';
COMMENT ON POLICY change ON feature_meta.feature_service_feature IS 'who made the feature service, or a member of that role';
COMMENT ON POLICY read ON feature_meta.training_set IS 'who may read all rows of the table may read what made it';
COMMENT ON POLICY change ON feature_meta.training_set IS 'who made it, or a member of that role';
COMMENT ON POLICY change ON feature_meta.feature_quarantine IS 'who wrote the row, or who made the feature view; rows come from who may write its source or online table';

-- A change of the catalogue reaches what sessions have cached of it.
CREATE FUNCTION store_definition_changed() RETURNS trigger
	LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION store_definition_changed() IS 'internal: trigger: tells every session that the definitions of the feature store changed';
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_meta.feature_view
	FOR EACH STATEMENT EXECUTE FUNCTION store_definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_meta.feature_view_version
	FOR EACH STATEMENT EXECUTE FUNCTION store_definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_meta.feature_view_feature
	FOR EACH STATEMENT EXECUTE FUNCTION store_definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_meta.feature_view_entity
	FOR EACH STATEMENT EXECUTE FUNCTION store_definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_meta.feature_entity
	FOR EACH STATEMENT EXECUTE FUNCTION store_definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON feature_meta.feature_service_feature
	FOR EACH STATEMENT EXECUTE FUNCTION store_definition_changed();
COMMENT ON TRIGGER definition_changed ON feature_meta.feature_view IS 'tells every session that definitions changed';
COMMENT ON TRIGGER definition_changed ON feature_meta.feature_view_version IS 'tells every session that definitions changed';
COMMENT ON TRIGGER definition_changed ON feature_meta.feature_view_feature IS 'tells every session that definitions changed';
COMMENT ON TRIGGER definition_changed ON feature_meta.feature_view_entity IS 'tells every session that definitions changed';
COMMENT ON TRIGGER definition_changed ON feature_meta.feature_entity IS 'tells every session that definitions changed';
COMMENT ON TRIGGER definition_changed ON feature_meta.feature_service_feature IS 'tells every session that definitions changed';
