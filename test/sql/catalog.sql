-- What holds for every object of the extension, asked of the catalogue. Each query lists offenders: none is right.
SET search_path = pg_catalog;

CREATE TEMPORARY VIEW member AS
SELECT d.classid, d.objid
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'feature_meta' AND d.deptype = 'e';

-- the extension has objects at all
SELECT count(*) > 10 AS has_objects FROM member;

-- objects without a comment; sequences and indexes belong to a column or table that has one, and so do the row and array types
-- that 17 counts as members
SELECT identity.type, identity.identity
FROM member m, pg_identify_object(m.classid, m.objid, 0) identity
WHERE identity.type NOT IN ('sequence', 'index')
	AND NOT EXISTS (SELECT FROM pg_type t WHERE m.classid = 'pg_type'::regclass AND t.oid = m.objid
		AND (t.typcategory = 'A' OR t.typrelid IN (SELECT oid FROM pg_class WHERE relkind <> 'c')))
	AND obj_description(m.objid, (SELECT relname FROM pg_class WHERE oid = m.classid)) IS NULL
ORDER BY 1, 2;

-- columns of tables and views without a comment
SELECT m.objid::regclass AS relation, a.attname AS column
FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
	JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
ORDER BY m.objid::regclass::text, a.attnum;

-- triggers without a comment
SELECT t.tgrelid::regclass AS relation, t.tgname AS trigger
FROM member m JOIN pg_trigger t ON m.classid = 'pg_class'::regclass AND t.tgrelid = m.objid
WHERE NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
ORDER BY 1, 2;

-- functions that run with their owner's rights
SELECT p.oid::regprocedure AS security_definer
FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
WHERE p.prosecdef
ORDER BY p.oid::regprocedure::text;

-- bodies kept as text find their names at run time: they must pin search_path
SELECT p.oid::regprocedure AS finds_names_at_run_time
FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL
	AND NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%')
ORDER BY p.oid::regprocedure::text;

-- aggregates without a combine function, or not parallel safe
SELECT p.oid::regprocedure AS not_parallel
FROM member m JOIN pg_aggregate a ON m.classid = 'pg_proc'::regclass AND a.aggfnoid = m.objid JOIN pg_proc p ON p.oid = m.objid
WHERE a.aggcombinefn = 0 OR p.proparallel <> 's'
ORDER BY p.oid::regprocedure::text;

-- tables that users fill are dumped, and so are the sequences behind them; mlmdenv holds the version of MLMD's tables,
-- one row that the install script writes itself
SELECT m.objid::regclass AS not_dumped
FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
WHERE c.relkind IN ('r', 'p', 'S') AND m.objid::regclass::text <> 'mlmd.mlmdenv'
	AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'feature_meta' AND m.objid = ANY (e.extconfig))
ORDER BY m.objid::regclass::text;

-- outside the schema mlmd no table may be called as one of ML Metadata's: its client counts columns by table name alone
SELECT m.objid::regclass AS taken_name
FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
WHERE c.relkind IN ('r', 'p', 'v') AND c.relnamespace <> coalesce(to_regnamespace('mlmd')::oid, 0)
	AND c.relname IN ('type', 'parenttype', 'typeproperty', 'artifact', 'artifactproperty', 'execution', 'executionproperty', 'context',
		'contextproperty', 'parentcontext', 'event', 'eventpath', 'mlmdenv', 'association', 'attribution')
ORDER BY m.objid::regclass::text;
