# Distances against SciPy's, NumPy's and TFDV's (test/data/drift/make.py and make_tfdv.py made the cases), as aggregates, of sketches and
# statistics, merged and parallel.
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

# Samples beyond what is exact: SciPy 1.17's ks_2samp of the same values
for my $test (
	[ '(i * 7919 % 50021) / 50021.0', 12000, 'power((i * 7919 % 50021) / 50021.0, 1.1)', 15000, 0.03528333333333333, 1.2020060815327682e-07 ],
	[ '(i * 7919 % 50021) / 50021.0', 12000, '(i * 104729 % 50021) / 50021.0', 300, 0.016583333333333332, 0.9999951691696298 ],
	[ '(i * 7919 % 50021) / 50021.0', 12000, '(i * 104729 % 50021) / 40000.0', 300, 0.2150833333333333, 2.2371926343627887e-12 ])
{
	my ($current, $n, $baseline, $m, $statistic, $p) = @$test;
	my ($got, $got_p) = split /\|/, sql("SELECT (k).statistic, (k).p_value FROM (SELECT kolmogorov_smirnov(x, c) AS k FROM (
		SELECT ($current)::float8 AS x, true AS c FROM generate_series(1, $n) i UNION ALL SELECT ($baseline)::float8, false FROM generate_series(1, $m) i) x) k");
	ok(close_enough($statistic, $got) && abs($p - $got_p) <= 1e-7 * $p, "Kolmogorov-Smirnov of $n and $m values: expected $statistic $p, got $got $got_p");
}

# Variants of NannyML, by NumPy: the baseline's bins by Doane's rule and one for what lies outside; the values that the baseline lacks as one
is(sql(q{SELECT abs(total_variation_distance(x, c, '{"binning": "doane"}') - 0.3483333333333333) < 1e-12, abs(jensen_shannon_divergence(x, c, '{"binning": "doane", "distance": true}') - 0.46241964481122355) < 1e-12
	FROM (SELECT (i * 7919 % 997) / 997.0::float8 * 1.3 AS x, true AS c FROM generate_series(1, 400) i UNION ALL SELECT power((i * 104729 % 997) / 997.0::float8, 2), false FROM generate_series(1, 300) i) v}),
	't|t', "Doane's bins");
is(sql(q{SELECT abs(l_infinity_distance(x, c, '{"unseen_is_category": true}') - 0.775) < 1e-12, abs(hellinger_distance(x, c, '{"unseen_is_category": true}') - 0.7285698271479842) < 1e-12
	FROM (SELECT 'w' || i * i % 31 AS x, true AS c FROM generate_series(1, 200) i UNION ALL SELECT 'w' || i * i % 12, false FROM generate_series(1, 150) i) v}), 't|t', 'what the baseline lacks is one category');

# What TFDV's comparators measure: of statistics with points, infinities and NaN, and of rows
my $n = 0;
for my $case (map { $json->decode($_) } split /\n/, ProtoText::slurp("$FindBin::Bin/../data/drift/tfdv.jsonl"))
{
	my $about = "TFDV case $n";
	$n++;
	if (!$case->{type})
	{
		my ($current, $baseline) = map { "decode('$case->{$_}', 'base64')::feature_statistics" } qw(current baseline);
		my $got = sql("SELECT jensen_shannon_divergence($current, $baseline, 'n')");
		my $expected = $case->{jensen_shannon};
		ok(defined $expected ? close_enough($expected, $got) : $got eq '', "$about: " . ($expected // 'none') . " is $got");
		next;
	}
	my $values = join(', ', map { my $side = $_; map { '(' . (defined $_ ? literal($_) : 'NULL') . ($side eq 'current' ? ', true)' : ', false)') } @{ $case->{$side} } } qw(current baseline));
	my %measured = map { my $histogram = $_; map { ("$histogram $_->[0]" => $_->[1]) } @{ $case->{$histogram} } } qw(STANDARD QUANTILES);
	my %call = (jensen_shannon_divergence => sub { "jensen_shannon_divergence(value::$case->{type}, is_current, '{\"histogram\": \"$_[0]\"}')" });
	@call{qw(infinity_norm normalized_abs_difference)} = map { my $name = $_; sub { "$name(value::text, is_current)" } } qw(l_infinity_distance normalized_absolute_difference)
		if $case->{type} eq 'text';
	my @wrong;
	for my $histogram (qw(STANDARD QUANTILES))
	{
		for my $comparator (sort keys %call)
		{
			my $got = sql('SELECT ' . $call{$comparator}->($histogram) . " FROM (VALUES $values) x(value, is_current)");
			my $expected = $measured{"$histogram $comparator"};
			push @wrong, "$histogram $comparator: expected " . ($expected // 'none') . ", got $got" unless defined $expected ? close_enough($expected, $got) : $got eq '';
		}
	}
	is("@wrong", '', "$about ($case->{type})");
}

# Statistics instead of sketches: numbers over their histograms, cut at the edges of both; by weight where both have weights
sql(q{CREATE TABLE halves AS SELECT (i * 7919::bigint % 10007) / 10007.0::float8 AS x, (i * 7919::bigint % 10007) % 7 AS n,
	'v' || (i * 7919::bigint % 10007) % 9 AS t, (i % 5)::float8 AS w, i % 2 = 0 AS c FROM generate_series(1, 6000) i;});
sub of_statistics
{
	my ($query, $arguments) = @_;
	return sprintf $query, "(SELECT column_statistics($arguments) FROM halves WHERE c), (SELECT column_statistics($arguments) FROM halves WHERE NOT c)";
}
is(sql(of_statistics('SELECT (kolmogorov_smirnov(%1$s)).statistic < 0.01, population_stability_index(%1$s) < 0.001, l_infinity_distance(%1$s) < 0.01', 'x')), 't|t|t',
	'statistics of two samples of one distribution are close');
for my $metric (@categories, 'kolmogorov_smirnov', 'wasserstein_distance')
{
	my $same = of_statistics("SELECT $metric(\%1\$s)::text", 'n') . " UNION ALL SELECT $metric(n, c)::text FROM halves";
	my ($of_statistics, $of_rows) = map { [ /[\d.e+-]+/g ] } split /\n/, sql($same);
	ok(@$of_rows == @$of_statistics && !grep({ !close_enough($of_rows->[$_], $of_statistics->[$_]) } 0 .. $#$of_rows), "$metric of statistics of a few integers is that of the rows");
	is(sql(of_statistics("SELECT $metric(\%1\$s)::text", 't, w')), sql("SELECT $metric(column_sketch(t, w) FILTER (WHERE c), column_sketch(t, w) FILTER (WHERE NOT c))::text FROM halves"),
		"$metric of statistics with weights is by weight") unless $metric =~ /kolmogorov|wasserstein/;
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
