# ALTER EXTENSION UPDATE from every version that was ever released gives what a fresh install gives. The old install scripts
# are kept in test/data/versions; there is none before the first release, and then the comparison itself is what is tested.
use strict;
use warnings;
use FeatureMeta;
use File::Copy qw(copy);
use ProtoText qw(slurp);

# Everything about the extension's objects, by name
my $DESCRIBE = <<'SQL';
SET search_path = pg_catalog;
WITH member AS (
	SELECT d.classid, d.objid, i.type, i.identity
	FROM pg_depend d, pg_extension e, pg_identify_object(d.classid, d.objid, 0) i
	WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'feature_meta' AND d.deptype = 'e'
)
SELECT type, identity, obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)),
	(SELECT concat_ws(' ', prokind, provolatile, proparallel, proisstrict, procost, prorows, prosrc, pg_get_function_result(objid),
		pg_get_function_arguments(objid), proacl, proconfig, prosqlbody IS NOT NULL) FROM pg_proc WHERE classid = 'pg_proc'::regclass AND oid = objid),
	(SELECT concat_ws(' ', aggtransfn::regproc, aggfinalfn::regproc, aggcombinefn::regproc, aggserialfn::regproc, aggtranstype::regtype, aggtransspace, agginitval)
		FROM pg_aggregate WHERE classid = 'pg_proc'::regclass AND aggfnoid = objid),
	(SELECT concat_ws(' ', relkind, relacl, relrowsecurity, (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
		col_description(attrelid, attnum), pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE attrelid = objid AND attnum > 0 AND NOT attisdropped),
		(SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid = objid),
		(SELECT string_agg(pg_get_indexdef(indexrelid), ', ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = objid),
		(SELECT string_agg(pg_get_triggerdef(oid), ', ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = objid AND NOT tgisinternal),
		(SELECT string_agg(concat_ws(' ', polname, polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), ', ' ORDER BY polname) FROM pg_policy WHERE polrelid = objid),
		pg_get_viewdef(objid))
		FROM pg_class WHERE classid = 'pg_class'::regclass AND oid = objid),
	objid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'feature_meta')::oid[])
FROM member ORDER BY 1, 2
SQL

my ($version) = slurp('feature_meta.control') =~ /^default_version = '(.*)'/m;
new_database('fresh');
my $fresh = sql($DESCRIBE, 'fresh');
cmp_ok(scalar(split /\n/, $fresh), '>', 10, 'a fresh install is described');

# the comparison sees a difference
new_database('other');
is(sql($DESCRIBE, 'other'), $fresh, 'two fresh installs are the same');
sql('ALTER FUNCTION feature_schema_hash(feature_schema) VOLATILE', 'other');
isnt(sql($DESCRIBE, 'other'), $fresh, 'a changed label is seen');

my $share = node()->config_data('--sharedir') . '/extension';
foreach my $path (sort glob('test/data/versions/feature_meta--*.sql'))
{
	my ($old) = $path =~ /--(.*)\.sql$/;
	copy($path, $share) or die "$path: $!";
	sql(qq(CREATE DATABASE "from_$old"));
	sql(qq(CREATE EXTENSION feature_meta VERSION '$old'; ALTER EXTENSION feature_meta UPDATE), "from_$old");
	is(sql('SELECT extversion FROM pg_extension WHERE extname = \'feature_meta\'', "from_$old"), $version, "update from $old");
	is(sql($DESCRIBE, "from_$old"), $fresh, "an update from $old gives what a fresh install gives");
	unlink "$share/feature_meta--$old.sql";
}
no_crash();
done_testing();
