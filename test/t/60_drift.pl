# Distances against SciPy's and NumPy's (test/data/drift/make.py made the cases), as aggregates, of sketches, merged and parallel.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use FeatureMeta;
use JSON::PP;

my $json = JSON::PP->new->utf8->allow_nonref;
my @numbers = qw(kolmogorov_smirnov wasserstein_distance population_stability_index);
my @categories = qw(l_infinity_distance normalized_absolute_difference hellinger_distance total_variation_distance kullback_leibler_divergence chi_squared);

# relative 1e-9, as both sides sum in their own order; a p-value below 1e-300 is nothing
sub close_enough
{
	my ($expected, $actual) = @_;
	return 0 unless defined $actual;
	return 1 if $expected eq $actual || ("$expected" =~ /inf/i && $actual =~ /inf/i);
	return 0 if "$expected$actual" =~ /inf|nan/i;
	my $scale = abs($expected) > abs($actual) ? abs($expected) : abs($actual);
	return abs($expected - $actual) <= 1e-9 * $scale + 1e-13;
}

sql(q{CREATE TABLE cases (id int, type text, value text, is_current boolean, weight float8 DEFAULT 1)});
my @cases = map { $json->decode($_) } split /\n/, ProtoText::slurp("$FindBin::Bin/../data/drift/cases.jsonl");
my $rows = '';
for my $i (0 .. $#cases)
{
	for my $side (qw(current baseline))
	{
		$rows .= join("\t", $i, $cases[$i]{type}, $_, $side eq 'current' ? 't' : 'f') . "\n" for @{ $cases[$i]{$side} };
	}
}
utf8::encode($rows) if utf8::is_utf8($rows);
sql("COPY cases (id, type, value, is_current) FROM stdin;\n$rows\\.\n");

for my $i (0 .. $#cases)
{
	my $case = $cases[$i];
	my @metrics = (@categories, $case->{type} eq 'float8' ? @numbers : ());
	my $value = "value::$case->{type}";
	my $from = "FROM cases WHERE id = $i";
	my %calls = (
		aggregate => sub { "(SELECT to_jsonb($_[0]($value, is_current)) $from)" },
		weighted => sub { "(SELECT to_jsonb($_[0]($value, weight, is_current)) $from)" },
		sketches => sub { "(SELECT to_jsonb($_[0](column_sketch($value) FILTER (WHERE is_current), column_sketch($value) FILTER (WHERE NOT is_current))) $from)" });
	$calls{$_} && ($i % 5) && delete $calls{$_} for qw(weighted sketches); # every fifth case in every way
	my @wrong;
	for my $way (sort keys %calls)
	{
		my $got = $json->decode(sql('SELECT jsonb_build_object(' . join(', ', map { "'$_', " . $calls{$way}->($_) } @metrics)
			. ", 'jensen_shannon_values', (SELECT jensen_shannon_divergence($value, is_current, '{\"binning\": \"values\"}') $from))"));
		for my $metric (@metrics, 'jensen_shannon_values')
		{
			my $expected = $case->{expected}{$metric};
			my $actual = $got->{$metric};
			my @e = ref $expected ? @$expected : ($expected);
			my @a = ref $actual eq 'HASH' ? grep { defined } @$actual{qw(statistic degrees_of_freedom p_value)} : ($actual);
			push @wrong, "$way $metric: expected @e, got @{[map { $_ // 'NULL' } @a]}"
				if @e != @a || grep { !close_enough($e[$_], $a[$_]) } 0 .. $#e;
		}
	}
	is("@wrong", '', "case $i ($case->{type}, " . @{ $case->{current} } . ' and ' . @{ $case->{baseline} } . ' values)');
}

# The same from parallel workers, and from parts that were merged
sql(q{
	CREATE TABLE big AS SELECT i, (i * 7919::bigint % 1000)::int AS n, sqrt(i * 7919::bigint % 50021) AS x, 'v' || i % 37 AS t, i % 3 = 0 AS is_current FROM generate_series(1, 300000) i;
	ANALYZE big;
});
my $all = join(', ', map { "$_(n, is_current)::text, $_(x, is_current)::text" } @numbers, 'jensen_shannon_divergence')
	. ', ' . join(', ', map { "$_(n, is_current)::text, $_(t, is_current)::text" } @categories);
my $serial = sql("SET max_parallel_workers_per_gather = 0; SELECT $all FROM big");
my $parallel = q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;};
like(sql("$parallel EXPLAIN SELECT $all FROM big"), qr/Partial Aggregate/, 'the aggregates run in parallel');
is(sql("$parallel SELECT $all FROM big"), $serial, 'with the same answers');
is(sql(q{SELECT l_infinity_distance(merge_sketches(s) FILTER (WHERE c), merge_sketches(s) FILTER (WHERE NOT c)), chi_squared(merge_sketches(s) FILTER (WHERE c), merge_sketches(s) FILTER (WHERE NOT c))
	FROM (SELECT is_current AS c, column_sketch(n) AS s FROM big GROUP BY is_current, i % 11) parts}),
	sql('SELECT l_infinity_distance(n, is_current), chi_squared(n, is_current) FROM big'), 'and of sketches merged from parts');
no_crash();
done_testing();
