# What one session of pg_regress cannot show of sketches and statistics: values of 100 MB in bounded memory, foreign tables,
# calls that are cancelled.
use strict;
use warnings;
use FeatureMeta;

# ---- a value of 100 MB: its length and hash count, it is not kept

# little shared memory, as the peak of a process counts what it touched of that
node()->append_conf('postgresql.conf', "shared_buffers = 16MB\n");
node()->restart;
sql("CREATE TABLE big (id int, body text, raw bytea)");
sql("ALTER TABLE big ALTER body SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL");
sql("INSERT INTO big SELECT i, repeat(chr(97 + i % 2), 100 * 1024 * 1024), NULL FROM generate_series(1, 4) i");
sql("INSERT INTO big SELECT i, NULL, decode(repeat('ff', 50 * 1024 * 1024), 'hex') FROM generate_series(5, 6) i");

# The answer, and the most memory that its process ever had, in MB beyond what it has at rest. The value itself is there once,
# detoasted; a second and a third copy would show.
my ($peak, $rest) = map { $_ / 1024 } split /\|/, sql(<<'SQL');
CREATE FUNCTION pg_temp.peak() RETURNS int LANGUAGE sql AS
	$$SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\s+(\d+)')::int$$;
CREATE TEMP TABLE at AS SELECT pg_temp.peak() AS rest;
CREATE TABLE answer AS SELECT generate_statistics('big') AS statistics, relation_sketch('big') AS sketch;
SELECT pg_temp.peak(), rest FROM at;
SQL
note(sprintf('peak %.0f MB, %.0f MB at rest', $peak, $rest));
cmp_ok($peak - $rest, '<', 150, 'four texts of 100 MB and two bytea of 50 MB are read in less than the memory of two');
is(sql(q{SELECT path, num_non_missing, "unique", avg_length, top_value, top_frequency FROM features((SELECT statistics FROM answer)) WHERE path <> 'id'}),
	"body|4|2|104857600|__LARGE_BYTES__|4\nraw|2|1|52428800|__BYTES_VALUE__|2", 'their lengths and distinct values');
cmp_ok(sql('SELECT pg_column_size(sketch) FROM answer'), '<', 2000, 'the sketch is small');
is(sql(q{SELECT sum(total_bytes) < 64 * 1024 * 1024 FROM (SELECT table_sketch(b) FROM big b) x, pg_backend_memory_contexts}), 't', 'no context keeps them');

# ---- foreign tables

my $port = node()->port;
my $host = node()->host;
new_database('far');
sql(<<'SQL', 'far');
CREATE TABLE trip AS SELECT i AS id, i % 7 AS day, i / 4.0::float8 AS fare, 'v' || i % 5 AS vendor FROM generate_series(1, 2000) i;
CREATE TABLE by_day AS SELECT day, column_sketch(fare) AS fare, table_sketch(trip) AS whole FROM trip GROUP BY day;
ANALYZE trip, by_day;
SQL
sql(<<SQL);
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'far', use_remote_estimate 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER far;
IMPORT FOREIGN SCHEMA public LIMIT TO (trip, by_day) FROM SERVER far INTO public;
SQL
my $there = sql("SELECT generate_statistics('trip')", 'far');
is(sql("SELECT generate_statistics('trip')"), $there, 'statistics of a foreign table');
is(sql("SELECT feature_statistics(merge_sketches(whole)) FROM by_day"), $there, 'sketches stored in a foreign table are merged');
is(sql("SELECT record_statistics('trip', '2026-01-01', incremental => false) = 2000"), 't', 'record_statistics of a foreign table');

sub remote_sql
{
	return sql("EXPLAIN (VERBOSE, COSTS OFF) $_[0]");
}
my %query = (
	'merge_sketches' => 'SELECT merge_sketches(fare) FROM by_day',
	'column_sketch by groups' => 'SELECT vendor, column_sketch(fare) FROM trip GROUP BY vendor ORDER BY vendor',
);
foreach my $name (sort keys %query)
{
	unlike(remote_sql($query{$name}), qr/Remote SQL: SELECT .*_sketch/, "$name is not pushed down unasked");
}
my %here = map { $_ => sql($query{$_}) } keys %query;
sql("ALTER SERVER far OPTIONS (ADD extensions 'feature_meta')");
foreach my $name (sort keys %query)
{
	like(remote_sql($query{$name}), qr/Remote SQL: SELECT .*_sketch/, "$name is pushed down where the server has the extension");
	is(sql($query{$name}), $here{$name}, "$name gives the same where the server has the extension");
}

# ---- calls that are cancelled

sql("CREATE TABLE long AS SELECT i, md5(i::text) AS s, i / 3.0::float8 AS f FROM generate_series(1, 300000) i");
sql("CREATE TABLE sketches AS SELECT i % 20 AS part, table_sketch(t) AS s FROM long t GROUP BY i % 20");
sql("CREATE TABLE deep AS SELECT jsonb_object_agg('k' || i, i) AS j FROM generate_series(1, 20000) i");
my %long = (
	'generate_statistics' => "generate_statistics('long', cross_features => true) FROM generate_series(1, 1000)",
	'table_sketch' => 'table_sketch(t) FROM long t, generate_series(1, 1000)',
	'merge_sketches' => 'merge_sketches(s) FROM sketches, generate_series(1, 100000)',
	'reading and writing sketches' => 's::text::feature_sketch FROM sketches, generate_series(1, 100000)',
	'feature_statistics' => 'feature_statistics(s) FROM (SELECT column_sketch(j) AS s FROM deep OFFSET 0) x, generate_series(1, 100000)',
	'statistics of a struct of very many members' => "generate_statistics('deep') FROM generate_series(1, 100000)",
);
foreach my $name (sort keys %long)
{
	my $started = time;
	like(sql_error("SET statement_timeout = '300ms'; SELECT count(x::text) FROM (SELECT $long{$name}) AS q(x);"), qr/^57014: canceling statement/, "$name is cancelled");
	cmp_ok(time - $started, '<', 60, "$name ends then");
}

no_crash();
done_testing();
