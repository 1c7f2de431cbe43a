# What users store survives pg_dump and restore, and the rooms work with an empty search_path and in a schema of the user's
# choice. What is stored: test/fixtures.
use strict;
use warnings;
use FeatureMeta;
use IPC::Run ();

sub run_fixture
{
	my ($path, $database, $schema) = @_;
	my $output = '';
	IPC::Run::run([ 'psql', '-XqAt', '-v', "fm=$schema", '-v', 'ON_ERROR_STOP=1', '-d', node()->connstr($database) . " options='-c search_path='",
			'-f', $path ], '<', \'', '>&', \$output)
	  or return "FAILED $path: $output";
	return $output;
}

sub checks
{
	my ($database, $schema) = @_;
	return join '', map { "== $_\n" . run_fixture($_, $database, $schema) } sort glob('test/fixtures/*.check.sql');
}

sub dump_text
{
	my ($database, @option) = @_;
	my ($text, $error) = ('', '');
	IPC::Run::run([ 'pg_dump', @option, '-d', node()->connstr($database) ], '>', \$text, '2>', \$error) or die "pg_dump: $error";
	is($error, '', "pg_dump of $database has nothing to say");
	$text =~ s/^\\(?:un)?restrict .*\n//gm;    # a random word
	return $text;
}

# Lines that are in one of two texts only, so that a failure can be read
sub differences
{
	my ($expected, $got) = @_;
	my %count;
	$count{$_}++ foreach split /\n/, $expected;
	$count{$_}-- foreach split /\n/, $got;
	return join "\n", map { ($count{$_} > 0 ? 'lost: ' : 'new: ') . substr($_, 0, 300) } grep { $count{$_} } sort keys %count;
}

foreach my $schema ('public', 'fm')
{
	my $database = "filled_$schema";
	sql("CREATE DATABASE $database");
	sql(($schema eq 'public' ? '' : "CREATE SCHEMA $schema;") . "CREATE EXTENSION feature_meta SCHEMA $schema", $database);
	foreach my $path (grep { !/\.check\.sql$/ } sort glob('test/fixtures/*.sql'))
	{
		unlike(run_fixture($path, $database, $schema), qr/^FAILED/, "$schema: $path");
	}
	my $before = checks($database, $schema);
	unlike($before, qr/^FAILED/m, "$schema: the checks run");

	my $dump = dump_text($database);
	sql("CREATE DATABASE restored_$schema");
	my $output = '';
	IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', node()->connstr("restored_$schema") ], '<', \$dump, '>', \my $ignored, '2>', \$output);
	is($output, '', "$schema: restore of a plain dump");
	is(differences($before, checks("restored_$schema", $schema)), '', "$schema: what is stored is as before");
	is(differences($dump, dump_text("restored_$schema")), '', "$schema: a dump of the restored database is the same dump");

	my $file = PostgreSQL::Test::Utils::tempdir() . '/dump';
	node()->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', node()->connstr($database) ], "$schema: dump in custom format");
	sql("CREATE DATABASE custom_$schema");
	# foreign keys between tables of an extension are there before the data, and pg_restore's parallel jobs do not wait for one another
	foreach my $option ([ '--section=pre-data' ], [ '--section=data' ], [ '--section=post-data', '-j', '2' ])
	{
		node()->command_ok([ 'pg_restore', '-e', @$option, '-d', node()->connstr("custom_$schema"), $file ], "$schema: restore of @$option");
	}
	is(differences($before, checks("custom_$schema", $schema)), '', "$schema: what is stored is as before");

	# data alone, into a database that has the extension and the user's tables
	sql("CREATE DATABASE data_$schema");
	IPC::Run::run([ 'pg_restore', '-e', '--section=pre-data', '-d', node()->connstr("data_$schema"), $file ]);
	node()->command_ok([ 'pg_restore', '-e', '--section=data', '-d', node()->connstr("data_$schema"), $file ], "$schema: restore of the data section");
	node()->command_ok([ 'pg_restore', '-e', '--section=post-data', '-d', node()->connstr("data_$schema"), $file ], "$schema: restore of the section after it");
	is(differences($before, checks("data_$schema", $schema)), '', "$schema: what is stored is as before");

	# nothing of a room stays behind
	sql("DROP EXTENSION feature_meta CASCADE", "custom_$schema");
	is(sql("SELECT count(*) FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('feature_meta', 'mlmd')) AND relkind IN ('r', 'S', 'v')", "custom_$schema"),
		'0', "$schema: DROP EXTENSION takes its tables along");
}
no_crash();
done_testing();
