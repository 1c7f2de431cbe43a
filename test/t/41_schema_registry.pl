# Registering from several sessions at once.
use strict;
use warnings;
use FeatureMeta;
use IPC::Run;

my $node = node();
sql('CREATE TABLE trips (fare float8)');

my ($sessions, $each) = (6, 25);
my @command = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', '-');
my $script = "SELECT register_schema('trips', 'feature { name: \"fare\" type: FLOAT }');\n" x $each;
my @run = map { my ($in, $out, $err) = ($script, '', ''); [ IPC::Run::start([@command], '<', \$in, '>', \$out, '2>', \$err), \$out, \$err ] } 1 .. $sessions;
my @version;
foreach my $run (@run)
{
	ok($run->[0]->finish, "a session registers: ${$run->[2]}");
	push @version, split /\n/, ${ $run->[1] };
}
is(join(' ', sort { $a <=> $b } @version), join(' ', 1 .. $sessions * $each), 'each version is given once, without gaps');
is(sql('SELECT count(*) FROM (SELECT registered_at <= lag(registered_at) OVER (ORDER BY version) AS bad FROM feature_meta.registered_schema) s WHERE bad'),
	'0', 'later versions have later times');

# a transaction that sees an old state can't take a number twice: it has to start again
like(sql_error("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM feature_meta.registered_schema;\n"
			. "\\! psql -XAtq -d '" . $node->connstr('postgres') . "' -c \"SELECT register_schema('trips', '')\"\n"
			. "SELECT register_schema('trips', '');"),
	qr/^40001/, 'a stale snapshot is a serialization failure');

no_crash();
done_testing();
