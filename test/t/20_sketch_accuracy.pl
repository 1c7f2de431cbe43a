# The errors that docs/sketches.md states, measured beyond the bound up to which sketches are exact, in one pass and
# merged from 16 parts; what is exact is so to the last bit in parallel workers; the binary form
use strict;
use warnings;
use FeatureMeta;
use PostgreSQL::Test::Utils ();
use ProtoText ();

my $rows = 200000;

sql(<<"SQL");
SELECT setseed(0.1);
CREATE TABLE uniform AS SELECT i, random() AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE normal AS SELECT i, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE heavy_tailed AS SELECT i, (1 - random()) ^ -2 AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE constant AS SELECT i, 42.5::float8 AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE sorted AS SELECT i, i::float8 AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE reversed AS SELECT i, ($rows - i)::float8 AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE two_valued AS SELECT i, (random() < 0.01)::integer::float8 AS v FROM generate_series(1, $rows) AS i;
-- half of the rows are one value, the rest all differ
CREATE TABLE half AS SELECT i, CASE WHEN i % 2 = 0 THEN 0.25 ELSE random() END AS v FROM generate_series(1, $rows) AS i;
CREATE TABLE offset_1e9 AS SELECT i, 1e9 + random() AS v FROM generate_series(1, $rows) AS i;
-- greatest distance of a boundary's true rank from the rank that it stands for
CREATE FUNCTION rank_error(data regclass, s feature_sketch) RETURNS float8 LANGUAGE plpgsql AS \$\$
DECLARE error float8;
BEGIN
	EXECUTE format(\$q\$
	WITH buckets AS (SELECT bucket, n, jsonb_array_length(h -> 'buckets') AS number FROM jsonb_array_elements(feature_statistics(\$1,
			num_quantiles_histogram_buckets => 2000)::jsonb #> '{datasets,0,features,0,num_stats,histograms}') AS x (h),
			LATERAL jsonb_array_elements(h -> 'buckets') WITH ORDINALITY AS b (bucket, n) WHERE h ->> 'type' = 'QUANTILES'),
		bounds AS (SELECT COALESCE((bucket ->> 'high_value')::float8, 0) AS v, n::float8 / number AS rank FROM buckets WHERE n < number),
		counts AS (SELECT v, count(*) AS c, NULL::float8 AS rank FROM %s GROUP BY v UNION ALL SELECT v, 0, rank FROM bounds),
		sums AS (SELECT rank, sum(c) OVER (ORDER BY v) AS upto, sum(c) OVER (PARTITION BY v) AS here FROM counts)
	SELECT max(greatest(rank - upto / (SELECT count(*) FROM %s)::float8, (upto - here) / (SELECT count(*) FROM %s)::float8 - rank, 0)) FROM sums WHERE rank IS NOT NULL\$q\$, data, data, data)
	INTO error USING s;
	RETURN error;
END \$\$;
SQL

my %exact = map { $_ => 1 } qw(constant two_valued);
for my $data (qw(uniform normal heavy_tailed constant sorted reversed two_valued half offset_1e9))
{
	for my $way (
		[ 'one pass', "SELECT column_sketch(v) FROM $data" ],
		[ '16 parts of every 16th row', "SELECT merge_sketches(s ORDER BY p) FROM (SELECT i % 16 AS p, column_sketch(v) AS s FROM $data GROUP BY 1) AS x" ],
		[ '16 parts in a row', "SELECT merge_sketches(s ORDER BY p) FROM (SELECT i * 16 / ($rows + 1) AS p, column_sketch(v) AS s FROM $data GROUP BY 1) AS x" ])
	{
		my ($name, $query) = @$way;
		my ($error, $is_exact, $moments) = split /\|/, sql(<<"SQL");
WITH s AS MATERIALIZED (SELECT ($query) AS s), f AS (SELECT f.* FROM s, features(feature_statistics(s)) AS f),
	n AS (SELECT avg(v::numeric)::float8 AS mean, min(v) AS min, max(v) AS max FROM $data)
SELECT rank_error('$data', s), is_exact, abs(f.mean / n.mean - 1) < 1e-9 AND f.min = n.min AND f.max = n.max FROM s, f, n
SQL
		my $bound = $exact{$data} ? 0 : 0.005;
		cmp_ok($error, '<=', $bound + 1e-12, "$data, $name: the worst rank error of 2000 quantiles, $error, is at most $bound");
		is($is_exact, $exact{$data} ? 't' : 'f', "$data, $name: says whether it is exact");
		is($moments, 't', "$data, $name: mean and extremes") unless $data eq 'normal';
	}
	my $same = sql(<<"SQL");
SELECT count(DISTINCT (mean, std_dev, min, max, num_zeros)) FROM (SELECT column_sketch(v) AS s FROM $data
UNION ALL SELECT merge_sketches(s) FROM (SELECT column_sketch(v) AS s FROM $data GROUP BY i % 16) AS x
UNION ALL SELECT merge_sketches(s) FROM (SELECT column_sketch(v) AS s FROM $data GROUP BY hashint4(i) % 7) AS x) AS y, features(feature_statistics(s))
SQL
	is($same, 1, "$data: moments are the same bits whatever the parts");
}

# beyond 262,144 values, of each part beyond 98,304, only some go into the quantile sketch
sql('CREATE TABLE long AS SELECT i, (1 - random()) ^ -2 AS v FROM generate_series(1, 1000000) AS i');
for my $workers (0 .. 2)
{
	my $error = sql("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = $workers; SELECT rank_error('long', (SELECT column_sketch(v) FROM long))");
	cmp_ok($error, '<=', 0.005, "a million values, $workers workers: the worst rank error of 2000 quantiles, $error, is at most 0.005");
	cmp_ok($error, '>', 0, '... and it is sketched');
}

# the textbook formula has no digit left here: 1e18 in the squares, 1/12 in the variance
is(sql('SELECT abs((SELECT std_dev ^ 2 FROM features(feature_statistics((SELECT column_sketch(v) FROM offset_1e9)))) / var_pop((v - 1e9)) - 1) < 1e-9 FROM offset_1e9'),
	't', 'variance beside an offset of 1e9');

# distinct values, also where no value is frequent; 2 % are two and a half standard errors
for my $distinct (5000, 16000, 17000, 60000, 200000)
{
	for my $kind ([ 'strings', "'v' || i % $distinct" ], [ 'strings from 1 to 5 bytes', "(i % $distinct)::text" ])
	{
		my ($one, $is_exact, $merged) = split /\|/, sql(<<"SQL");
SELECT (SELECT "unique" || '|' || is_exact FROM features(feature_statistics((SELECT column_sketch($kind->[1]) FROM uniform)))),
	(SELECT "unique" FROM features(feature_statistics((SELECT merge_sketches(s) FROM (SELECT column_sketch($kind->[1]) AS s FROM uniform GROUP BY i / 12500) AS x))))
SQL
		cmp_ok(abs($one / $distinct - 1), '<=', $distinct < 16384 ? 0 : 0.02, "$distinct distinct $kind->[0]: $one");
		is($is_exact, 'false', '... is no exact column any more');
		is($merged, $one, '... and the same from 17 parts');
	}
}

# frequent values: at most the true count, and no more below it than the summary's error, rows / 1025
sql("CREATE TABLE words AS SELECT i, 'w' || floor(60000 * random() ^ 6) AS w FROM generate_series(1, $rows) AS i");
for my $way ([ 'one pass', 'SELECT column_sketch(w) FROM words' ], [ '16 parts', 'SELECT merge_sketches(s) FROM (SELECT column_sketch(w) AS s FROM words GROUP BY i % 16) AS x' ])
{
	my ($listed, $over, $under, $right) = split /\|/, sql(<<"SQL");
WITH top AS (SELECT t ->> 'value' AS w, (t ->> 'frequency')::float8 AS frequency, n FROM jsonb_array_elements(feature_statistics(($way->[1]))::jsonb
		#> '{datasets,0,features,0,string_stats,top_values}') WITH ORDINALITY AS t (t, n)),
	counts AS (SELECT w, count(*) AS c, rank() OVER (ORDER BY count(*) DESC) AS r FROM words GROUP BY w)
SELECT count(*), max(frequency - c), max(c - frequency), count(*) FILTER (WHERE n <= 3 AND r <= 3) FROM top LEFT JOIN counts USING (w)
SQL
	is($listed, 20, "frequent values, $way->[0]: 20 are listed");
	cmp_ok($over, '<=', 0, '... none is counted too often');
	cmp_ok($under, '<=', $rows / 1025, "... none misses more than rows / 1025: $under");
	is($right, 3, '... the first three are the right ones');
}

# parallel workers: what is exact is the same to the last bit, the plan is parallel
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;';
my $mixed = "SELECT table_sketch_columns('{v,w,n}', round(v::numeric, 3)::float8, 'w' || i % 4000, CASE WHEN i % 7 <> 0 THEN i % 4300 END) FROM uniform";
like(sql("$parallel EXPLAIN (COSTS OFF) $mixed"), qr/Gather.*Partial Aggregate/s, 'table_sketch_columns runs in workers');
like(sql("$parallel EXPLAIN (COSTS OFF) SELECT column_sketch(v) FROM uniform"), qr/Gather.*Partial Aggregate/s, 'column_sketch runs in workers');
my $serial = sql("SET max_parallel_workers_per_gather = 0; $mixed");
is(sql("$parallel $mixed"), $serial, 'exact sketches of three columns have the same text from one process and from workers') for 1 .. 3;
my $moments = 'SELECT mean, std_dev, min, max, num_zeros, num_missing FROM features(feature_statistics((SELECT column_sketch(v) FROM heavy_tailed)))';
is(sql("$parallel $moments"), sql("SET max_parallel_workers_per_gather = 0; $moments"), 'moments of a sketched column are the same bits from workers');

# the binary form: out and in again; damaged bytes are refused
my $dir = PostgreSQL::Test::Utils::tempdir();
chmod 0777, $dir;
sql(<<"SQL");
CREATE TABLE sent AS SELECT column_sketch(v) AS s FROM normal UNION ALL SELECT column_sketch(w, 0.5) FROM words UNION ALL SELECT column_sketch(ARRAY[i, NULL]) FROM uniform;
CREATE TABLE received (s feature_sketch);
COPY sent TO '$dir/sketches' (FORMAT binary);
COPY received FROM '$dir/sketches' (FORMAT binary);
SQL
is(sql('SELECT count(*) FROM (SELECT s::text FROM sent INTERSECT SELECT s::text FROM received) AS x'), 3, 'binary COPY gives the same sketches');
my $bytes = ProtoText::slurp("$dir/sketches");
my $refused = 0;
for my $n (0 .. 19)
{
	my $damaged = $bytes;
	# within the first value: after the header of 19 bytes, the number of columns and the length
	my $at = 25 + int($n * (length($bytes) / 8 - 30) / 20);
	substr($damaged, $at, 1) = chr(ord(substr($damaged, $at, 1)) ^ (1 << $n % 8));
	open my $out, '>:raw', "$dir/damaged" or die;
	print $out $damaged;
	close $out;
	my $error = sql_error("COPY received FROM '$dir/damaged' (FORMAT binary)");
	$refused++ if $error =~ /^22P03: invalid feature_sketch/ || $error =~ /^22P03: unsupported version/;
}
is($refused, 20, 'damaged bytes are refused with 22P03');
no_crash();
done_testing();
