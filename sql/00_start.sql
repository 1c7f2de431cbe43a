\echo Use "CREATE EXTENSION feature_meta" to load this file. \quit

-- What users store lives here, apart from the functions and types, which go where CREATE EXTENSION puts them.
CREATE SCHEMA feature_meta;
COMMENT ON SCHEMA feature_meta IS 'tables of the extension feature_meta: registered schemas, recorded statistics, monitors, feature views';
GRANT USAGE ON SCHEMA feature_meta TO PUBLIC;

-- Who made a definition (of a monitor, of the feature store) may change it
CREATE FUNCTION may_change(created_by name) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN EXISTS (SELECT FROM pg_catalog.pg_roles r
				   WHERE r.rolname OPERATOR(pg_catalog.=) created_by AND pg_catalog.pg_has_role(r.oid, 'USAGE'));
COMMENT ON FUNCTION may_change(name) IS
	'internal: whether the current role may change a definition that the given role made (it is that role or a member of it)';
