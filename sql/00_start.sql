\echo Use "CREATE EXTENSION feature_meta" to load this file. \quit

-- What users store lives here, apart from the functions and types, which go where CREATE EXTENSION puts them.
CREATE SCHEMA feature_meta;
COMMENT ON SCHEMA feature_meta IS 'tables of the extension feature_meta: registered schemas, recorded statistics, monitors, feature views';
GRANT USAGE ON SCHEMA feature_meta TO PUBLIC;

