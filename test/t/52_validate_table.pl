# validate_table on the rows behind the golden anomalies: what TFDV says of the same rows. Then who may validate what, and
# what is told of a missing table, schema or environment.
use strict;
use warnings;
use FeatureMeta;
use File::Basename qw(basename);
use Golden qw(compare_anomalies slurp);

node();
my %loaded;

sub exists_golden { my ($file) = @_; return -e golden_path($file); }

sub text_of { my ($file) = @_; my $text = slurp(golden_path($file)); $text =~ s/\s+\z//; return $text; }

# The rows of a case as a table: its own, or one of the golden tables
sub table_of
{
	my ($folder, $stem) = @_;
	my $file = "$folder/" . ($stem eq 'statistics' ? '' : $stem . '_') . 'data';
	if (exists_golden("$file.sql"))
	{
		my $name = 'data_' . $stem;
		my $create = golden("$file.sql");
		$create =~ s/create table \w+/create table $name/;
		my $csv = golden_path("$file.csv");
		sql("DROP TABLE IF EXISTS $name;\n$create\n\\copy $name from '$csv' with (format csv, header true, encoding 'UTF8')");
		return $name;
	}
	return undef unless exists_golden($file . '_table.txt');
	my $name = text_of($file . '_table.txt');
	return undef if $name =~ /\./;
	load_golden($name) unless $loaded{$name}++;
	return $name;
}

my $n = 0;
foreach my $case (map { basename($_) } grep { -d } glob(golden_path('anomalies/*')))
{
	my $at = "anomalies/$case";
	my $weight = exists_golden("$at/weight_column.txt") ? literal(text_of("$at/weight_column.txt")) : 'NULL';
	my $table = table_of($at, 'statistics');
	my %control;
	foreach my $stem (qw(previous serving))
	{
		if ($stem eq 'serving' && exists_golden("$at/serving_same_as_previous.txt"))
		{
			$control{serving} = $control{previous};
			next;
		}
		my $control = table_of($at, $stem);
		# made by hand, without rows
		$control{$stem} = defined $control ? "generate_statistics('$control', weight_feature => $weight)"
			: exists_golden("$at/$stem.pbtxt") ? literal(golden("$at/$stem.pbtxt")) . '::feature_statistics' : undef;
	}
	next unless defined $table;
	my $call = "validate_table('$table', schema => " . literal(golden("$at/schema.pbtxt")) . ", weight_feature => $weight"
		. (exists_golden("$at/environment.txt") ? ', environment => ' . literal(text_of("$at/environment.txt")) : '')
		. join('', map { ", ${_}_statistics => $control{$_}" } grep { defined $control{$_} } sort keys %control) . ')';
	my @difference = compare_anomalies(golden("$at/expected_anomalies.pbtxt"), sql("SELECT $call"), labels => 1, order => 1);
	is(join("\n", @difference), '', $case);
	$n++;
}
cmp_ok($n, '>', 80, "$n cases have rows");

# -- the registered schema, environments, filters
load_golden('titanic', undef, as => 'passengers');
sql(<<'SQL');
SELECT register_schema('passengers', set_environment(set_environment(infer_schema(generate_statistics('passengers')), 'TRAINING'), 'survived', 'TRAINING'));
ALTER TABLE passengers ADD COLUMN deck text;
CREATE VIEW adults AS SELECT * FROM passengers WHERE age >= 18;
CREATE TABLE unregistered AS SELECT 1 AS a;
SQL
is(sql("SELECT string_agg(path || ' ' || type, ',') FROM anomalies(validate_table('passengers'))"), 'deck SCHEMA_NEW_COLUMN', 'the registered schema is taken');
is(sql("SELECT string_agg(path || ' ' || type, ',') FROM anomalies(validate_table('passengers', filter => 'false'))"), '', 'no rows: nothing is said of columns');
is(sql("SELECT validate_table('passengers', filter => 'false')::jsonb -> 'data_missing'"), 'true', 'but that data is missing');
is(sql("SELECT validate_table('passengers', environment => 'TRAINING')::jsonb -> 'anomaly_info' -> 'deck' ->> 'short_description'"), 'New column', 'environment of the schema');
is(sql("SELECT count(*) FROM anomalies(validate_table('adults', registered_schema('passengers'), previous_statistics => generate_statistics('passengers')))"), '1', 'a view');
is(sql("SELECT validate_table(NULL) IS NULL"), 't', 'NULL is NULL');
like(sql_error("SELECT validate_table('nosuch')"), qr/^42P01: relation "nosuch" does not exist/, 'no such table');
like(sql_error("SELECT validate_table('unregistered')"), qr/^42704: .*schema.*HINT/s, 'no registered schema');
like(sql_error("SELECT validate_table('passengers', environment => 'SERVING')"), qr/^42704: environment "SERVING" not found in the schema\nDETAIL:  The environments of the schema are "TRAINING"/, 'no such environment');
like(sql_error("SELECT validate_table('passengers', filter => 'age >')"), qr/^42601: /, 'a filter that is none');
like(sql_error("SELECT validate_table('passengers', filter => 'true); DROP TABLE unregistered; SELECT (true')"), qr/^42601: /, 'nothing breaks out of a filter');
like(sql_error("SELECT validate_table('passengers', weight_feature => 'nosuch')"), qr/^42703: /, 'no such weight');
like(sql_error("SELECT assert_valid(validate_table('passengers'))"), qr/^23514: data is not valid: 1 anomaly\nDETAIL:  deck: New column/, 'a job stops');

# -- privileges and row security are the caller's
sql(<<'SQL');
CREATE ROLE reader; CREATE ROLE stranger; CREATE ROLE half;
GRANT SELECT ON passengers TO reader;
GRANT SELECT (class, age) ON passengers TO half;
CREATE TABLE secret (a bigint);
INSERT INTO secret SELECT generate_series(1, 10);
SELECT register_schema('secret', 'feature { name: "a" type: INT int_domain { max: 3 } }');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON secret FOR SELECT USING (a <= 3);
GRANT SELECT ON secret TO reader;
SQL
is(sql("SELECT count(*) FROM anomalies(validate_table('secret'))"), '1', 'the owner sees all rows');
is((split /\n/, sql_as('reader', "SELECT count(*) FROM anomalies(validate_table('secret'))"))[-1], '0', 'a reader only those of the policy');
like(sql_error("SELECT validate_table('passengers')", undef, role => 'stranger'), qr/^42501: /, 'a stranger may not');
like(sql_error("SELECT validate_table('passengers', 'feature { name: \"class\" type: BYTES }')", undef, role => 'half'), qr/^42501: /, 'who may not read a column may not');
is((split /\n/, sql_as('reader', "SET search_path = ''; SELECT count(*) FROM public.anomalies(public.validate_table('public.passengers'))"))[-1], '1', 'with an empty search_path');

# -- sparse and weighted features, categorical integers: the statistics know what the schema says of them
sql(<<'SQL');
CREATE TABLE sparse (value double precision[], index bigint[], code bigint, weight double precision[]);
INSERT INTO sparse VALUES ('{1,2}', '{1}', 7, '{1,1}'), ('{1}', NULL, 8, '{1}'), (NULL, '{4}', 9, NULL);
SQL
is(sql(<<'SQL'), "code FEATURE_TYPE_LOW_UNIQUE\ns SPARSE_FEATURE_LENGTH_MISMATCH\ns SPARSE_FEATURE_MISSING_INDEX\ns SPARSE_FEATURE_MISSING_VALUE\nw WEIGHTED_FEATURE_LENGTH_MISMATCH\nw WEIGHTED_FEATURE_MISSING_WEIGHT", 'what only statistics made with the schema tell');
UPDATE sparse SET weight = NULL WHERE code = 8;
UPDATE sparse SET weight = '{1}' WHERE code = 7;
SELECT DISTINCT path || ' ' || type FROM anomalies(validate_table('sparse', 'feature { name: "value" type: FLOAT } feature { name: "index" type: INT } feature { name: "weight" type: FLOAT }
	feature { name: "code" type: INT int_domain { is_categorical: true } unique_constraints { min: 4 max: 9 } }
	sparse_feature { name: "s" value_feature { name: "value" } index_feature { name: "index" } }
	weighted_feature { name: "w" feature { step: "value" } weight_feature { step: "weight" } }')) ORDER BY 1;
SQL

no_crash();
done_testing();
