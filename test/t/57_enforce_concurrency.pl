# enforce_schema while several sessions insert and copy, and another one registers new versions: no row gets in that the
# version in force did not allow, none is lost.
use strict;
use warnings;
use FeatureMeta;
use IPC::Run;

my $node = node();
sql(<<'SQL');
CREATE TABLE readings (session integer, n integer, value integer);
SELECT register_schema('readings', 'feature { name: "session" type: INT } feature { name: "n" type: INT } feature { name: "value" type: INT int_domain { max: 10 } }');
SELECT enforce_schema('readings', action => 'quarantine');
SQL

my $rows = 400;
my @script = map {
	my $session = $_;
	$session % 2
	  ? join('', map { "INSERT INTO readings SELECT $session, i, i % 20 FROM generate_series($_, $_ + 19) i;\n" } map { $_ * 20 } 0 .. $rows / 20 - 1)
	  : join('', map { my $first = $_; "COPY readings FROM stdin;\n" . join('', map { my $n = $first + $_; "$session\t$n\t" . $n % 20 . "\n" } 0 .. 19) . "\\.\n" } map { $_ * 20 } 0 .. $rows / 20 - 1)
} 1 .. 6;
# bounds move between 10 and 12 while they write
push @script, join('', map { my $max = 10 + $_ % 3; "SELECT register_schema('readings', set_domain(registered_schema('readings'), 'value', 'int_domain { max: $max }'));\n" } 1 .. 60);

my @run = map {
	my ($in, $out, $err) = ($_, '', '');
	my $harness = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \$err);
	[ $harness, \$err ]
} @script;
foreach my $run (@run)
{
	ok($run->[0]->finish, 'a session ends well');
	is(${ $run->[1] }, '', 'without a complaint');
}
is(sql('SELECT count(*) FROM readings WHERE value > 12'), '0', 'nothing beyond every version got in');
is(sql("SELECT count(*) FROM feature_meta.quarantined_row WHERE (\"row\" ->> 'value')::integer <= 10"), '0', 'nothing within every version was kept out');
is(sql("SELECT count(*), count(DISTINCT (session, n)) FROM (SELECT session, n FROM readings
		UNION ALL SELECT (\"row\" ->> 'session')::integer, (\"row\" ->> 'n')::integer FROM feature_meta.quarantined_row) s"),
	6 * $rows . '|' . 6 * $rows, 'each row is in one of the two, once');
is(sql("SELECT max(version) FROM feature_meta.registered_schema WHERE relation = 'readings'::regclass"), '61', 'each version was registered');

# parallel plans give the same rows
sql("CREATE TABLE many AS SELECT i AS session, i AS n, i % 1000 AS value FROM generate_series(1, 100000) i; ANALYZE many");
my $blame = "SELECT count(*), sum((key IS NULL)::integer), min(value::integer), max(value::integer) FROM anomalous_rows('many', registered_schema('readings', 1))";
my $alone = sql("SET max_parallel_workers_per_gather = 0; $blame");
is(sql("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = 2; $blame"), $alone,
	'anomalous_rows in parallel');
is((split /\|/, $alone)[0], '98900', 'and all of them');

no_crash();
done_testing();
