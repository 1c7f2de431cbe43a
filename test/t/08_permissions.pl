# The caller's privileges and row security apply in every path: a role that may not read a table learns nothing of it, whatever
# it calls, and cannot change what others have stored. Each function that takes a relation is called as that role with the
# relation it may not read, and random values for the rest.
# RANDOM_SEED=N repeats a run, RANDOM_CALLS=N calls each function so often.
use strict;
use warnings;
use FeatureMeta;
use RandomCall;

my $seed = $ENV{RANDOM_SEED} // time;
my $calls = $ENV{RANDOM_CALLS} // 20;
srand $seed;
note("RANDOM_SEED=$seed");

# what must not be seen: a word and a number that nothing else holds
my $WORD = 'Xyzzy';
my $NUMBER = '48151623';
my $secret = qr/\Q$WORD\E|\Q$NUMBER\E/;

my $database = new_database('guarded');
make_tables($database);
sql(<<SQL, $database);
CREATE ROLE keeper;
CREATE ROLE stranger;
GRANT CREATE ON SCHEMA public TO keeper;
SET SESSION AUTHORIZATION keeper;
-- nothing granted
CREATE TABLE hidden (id int PRIMARY KEY, word text, number bigint, at timestamptz DEFAULT now());
INSERT INTO hidden SELECT i, '$WORD' || i % 3, $NUMBER + i % 2 FROM generate_series(1, 50) i;
-- one column granted
CREATE TABLE partly (id int PRIMARY KEY, word text, number bigint, at timestamptz DEFAULT now());
INSERT INTO partly SELECT * FROM hidden;
GRANT SELECT (id) ON partly TO stranger;
-- some rows granted
CREATE TABLE guarded (id int PRIMARY KEY, word text, number bigint, at timestamptz DEFAULT now());
INSERT INTO guarded SELECT * FROM hidden;
INSERT INTO guarded SELECT 1000 + i, 'open', i FROM generate_series(1, 10) i;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY open_rows ON guarded FOR SELECT TO stranger USING (word = 'open');
GRANT SELECT ON guarded TO stranger;
RESET SESSION AUTHORIZATION;
GRANT SELECT ON small, penguins, empty_table TO PUBLIC;
CREATE FUNCTION seen(statement text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
	result text;
	detail text;
	hint text;
	context text;
BEGIN
	IF statement LIKE 'CALL %' THEN
		EXECUTE statement;
		RETURN 'value NULL';
	END IF;
	EXECUTE 'SELECT string_agg(t::text, E''\\n'') FROM (' || statement || ') t' INTO result;
	RETURN 'value ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS OR query_canceled THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN SQLSTATE || ' ' || SQLERRM || ' ' || detail || ' ' || hint;
END \$\$;
SQL

# What the owner has stored about these tables, as far as the rooms are there
my %exists = map { $_ => 1 } split /\n/, sql("SELECT DISTINCT proname FROM pg_proc", $database);
my @store = (
	[ 'register_schema', "SELECT register_schema('%s', infer_schema(generate_statistics('%s')))" ],
	[ 'record_statistics', "SELECT record_statistics('%s', span => '2026-11-01'::date)" ],
	[ 'create_entity', "SELECT create_entity('entity_%s', '{id}')" ],
	[ 'create_feature_view', "SELECT create_feature_view('view_%s', source => '%s', entities => '{entity_%s}', event_time => 'at')" ],
	[ 'enable_online', "SELECT enable_online('view_%s')" ],
	[ 'materialize', "SELECT materialize('view_%s')" ],
	[ 'create_monitor', "SELECT create_monitor('%s', 'at', '1 day', name => 'monitor_%s')" ],
	[ 'run_monitor', "SELECT run_monitor('monitor_%s')" ]);
foreach my $table ('hidden', 'partly', 'guarded')
{
	foreach my $step (grep { $exists{ $_->[0] } } @store)
	{
		(my $text = $step->[1]) =~ s/%s/$table/g;
		my ($status, undef, $error) = node()->psql($database, "SET SESSION AUTHORIZATION keeper; $text");
		is($error, '', "the owner: $text");
	}
}

# 1. tables and views of the extension show a stranger nothing
my @relations = split /\n/, sql(<<'SQL', $database);
SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm') AND nspname IN ('feature_meta', 'mlmd') ORDER BY 1
SQL
foreach my $relation (@relations)
{
	my (undef, $output, $error) = node()->psql($database, "SET SESSION AUTHORIZATION stranger; SELECT t::text FROM $relation t");
	# the schema of a table is its owner's statement to all who may read some of it
	next if $relation eq 'feature_meta.registered_schema';
	is(join("\n", map { substr $_, 0, 200 } grep { /$secret/ } split /\n/, $output), '', "$relation shows a stranger nothing of tables that it may not read");
	next unless $relation =~ /^feature_meta/;
	# nor does it let one write about them
	my (undef, undef, $write) = node()->psql($database, "SET SESSION AUTHORIZATION stranger; DELETE FROM $relation");
	unlike($write // '', qr/XX000|crash/, "$relation: delete as a stranger is refused or does nothing");
}
# (everyone may add entities and services to the catalogue of features, which say nothing of a table, and training sets of what one may read)
my $stored = 'SELECT ' . join(' || ', map { "(SELECT count(*) || ' $_ ' FROM $_)" } grep { /^feature_meta/ && !/feature_(?:entity|service)|training_set/ } @relations);
$stored = "SELECT ''" unless grep { /^feature_meta/ } @relations;
my $before = sql($stored, $database);
my $tables = "SELECT c.oid, relname, relhastriggers, relowner, relacl, (SELECT string_agg(polname, ',') FROM pg_policy WHERE polrelid = c.oid) FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1";
my $tables_before = sql($tables, $database);

# 2. functions
my (@told, @bad, @value, $total);
foreach my $table ('hidden', 'partly', 'guarded')
{
	foreach my $f (grep { $_->{types} =~ /\bregclass\b|\btext\b/ && $_->{kind} ne 'a' } functions($database))
	{
		my @statement;
		foreach (1 .. $calls)
		{
			my $named = 0;
			my $call = random_call($f, sub {
					my ($type, $position) = @_;
					return $named++ ? undef : "'$table'::regclass" if $type eq 'regclass';
					return rand() < 0.5 ? ("'$table'", "'view_$table'", "'public.$table'", "'SELECT id, now() AS event_timestamp FROM $table'", "'(SELECT word FROM $table LIMIT 1) = ''x'''", "'word = ''x'''")[ int rand 6 ] . "::text" : undef if $type eq 'text';
					return rand() < 0.3 ? "'{view_$table:word}'::text[]" : undef if $type eq 'text[]';
					return undef;
				}) or last;
			push @statement, $call;
		}
		my ($status, $output, $error) = node()->psql($database,
			"SET SESSION AUTHORIZATION stranger;\nSET statement_timeout = '20s';\nSET client_min_messages = warning;\n" . join '', map { "SELECT seen(" . literal($_) . ");\n" } @statement);
		$total += @statement;
		push @bad, "$f->{signature}: psql ended with $status: $error" if $status != 0;
		next if $table eq 'guarded' && $f->{name} =~ /^(?:registered_schema|registered_schema_if_any|schema_as_of|display_schema)$/;
		push @told, "$f->{signature} tells of $table: " . substr($&, 0, 200) if "$output\n$error" =~ /^.*(?:$secret).*$/m;
		push @bad, "$f->{signature} of $table: $_" foreach grep { /^(?:XX|57014)/ } split /\n/, $output;
		push @value, $f->{signature} if $table eq 'hidden' && $f->{types} =~ /\bregclass\b/ && $output =~ /^value (?!NULL$)(?!$)/m;
	}
}
is(join("\n", @told), '', "$total calls as a stranger tell nothing");
is(join("\n", @bad), '', 'and end with a value or a clear error');
note("gave a value of a table that must not be read: @value") if @value;
is(sql($stored, $database), $before, 'nothing is stored or removed by a stranger');
is(sql($tables, $database), $tables_before, 'no trigger, policy or privilege has changed');
no_crash();
done_testing();
