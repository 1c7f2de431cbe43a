# Monitors: a month of real flights with a drift planted in the third week, late rows, two runs at once, rights, whatever relations, times and
# columns there are, and the real pg_cron.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use FeatureMeta;
use IPC::Run qw(start finish);
use Time::HiRes qw(time sleep);

my $pkglibdir = `pg_config --pkglibdir`;
chomp $pkglibdir;
my $node = node();

# January 2013 out of New York; in the third week one carrier goes by another name and delays are in seconds
load_golden('flights');
sql(q{
	CREATE TABLE events AS SELECT make_timestamptz(year::int, month::int, day::int, (row_number() OVER () % 24)::int, 0, 0, 'UTC') AS at, carrier, origin, dep_delay, distance FROM flights;
	UPDATE events SET at = timestamptz '2013-01-01 00:00+00' + (extract(epoch FROM at)::bigint % (28 * 86400)) * interval '1 second';
	UPDATE events SET carrier = 'XX', dep_delay = dep_delay * 60 WHERE at >= '2013-01-15 00:00+00' AND at < '2013-01-22 00:00+00' AND carrier IN ('UA', 'B6');
	SELECT create_monitor('events', 'at', '1 day', name => 'flights', baseline => 'at < ''2013-01-08 00:00+00''', slices => '{origin}',
		thresholds => '{"l_infinity_distance": 0.25}', feature_allowlist => '{carrier,dep_delay,distance}');
});

# a listener hears of it
my ($in, $out, $err) = ("LISTEN feature_meta_monitor;\n", '', '');
my $listener = start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], \$in, \$out, \$err);
$listener->pump_nb while $in ne '';
sleep 0.5;

is(sql(q{SELECT windows, redone FROM run_monitor('flights', '2013-01-29 00:00+00')}), '28|0', 'four weeks of days');
is(sql(q{SELECT string_agg(DISTINCT extract(day FROM window_start AT TIME ZONE 'UTC')::text, ',' ) FROM feature_meta.monitor_drift_metrics
	WHERE monitor = 'flights' AND slice = '' AND against = 'baseline' AND path = 'carrier' AND l_infinity_distance > 0.25}),
	join(',', sort map { "$_" } 15 .. 21), 'the third week is found, and nothing else');
is(sql(q{SELECT count(DISTINCT window_start) FROM feature_meta.monitor_anomaly WHERE slice = '' AND against = 'baseline' AND path = 'carrier' AND type = 'L_INFINITY_DISTANCE_HIGH'}), 7, 'and recorded');
is(sql(q{SELECT bool_and(statistics::text LIKE '%num_examples%' AND compared_with::text LIKE '%num_examples%') FROM feature_meta.monitor_anomaly WHERE against <> 'schema'}), 't', 'with the statistics that raised it');
is(sql(q{SELECT string_agg(DISTINCT slice, ',') FROM feature_meta.monitor_window}), ',origin_EWR,origin_JFK,origin_LGA', 'slices as TFDV names them');
is(sql(q{SELECT count(*) FROM (SELECT w.window_start, sum(w.num_examples) FILTER (WHERE slice = '') AS whole, sum(w.num_examples) FILTER (WHERE slice <> '') AS parts
	FROM feature_meta.monitor_window w GROUP BY 1) x WHERE whole <> parts}), 0, 'the slices of a window are its rows');

# the figures are those of the rows
is(sql(q{SELECT count(*) FROM feature_meta.monitor_profile_metrics p JOIN (SELECT date_trunc('day', at, 'UTC') AS start, count(dep_delay) AS n, avg(dep_delay) AS mean, max(dep_delay) AS max
	FROM events GROUP BY 1) e ON e.start = p.window_start WHERE p.slice = '' AND p.path = 'dep_delay'
	AND (p.num_non_missing <> e.n OR abs(p.mean - e.mean) > 1e-9 * abs(e.mean) OR p.max <> e.max)}), 0, 'profile metrics are those of the rows');
is(sql(q{SELECT count(*) FROM feature_meta.monitor_drift_metrics d WHERE d.slice = '' AND d.against = 'previous' AND d.path = 'carrier' AND abs(d.l_infinity_distance - (
	SELECT l_infinity_distance(carrier, at >= d.window_start) FROM events WHERE at >= d.against_start AND at < d.window_end)) > 1e-12}), 0, 'drift metrics too');

my $fingerprint = q{SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (
	SELECT p::text FROM feature_meta.monitor_profile_metrics p UNION ALL SELECT d::text FROM feature_meta.monitor_drift_metrics d
	UNION ALL SELECT (monitor, slice, window_start, against, path, type, description)::text FROM feature_meta.monitor_anomaly) t};
my $before = sql($fingerprint);
is(sql(q{SELECT windows, redone FROM run_monitor('flights', '2013-01-29 00:00+00')}), '0|0', 'a second run has nothing to do');
is(sql($fingerprint), $before, 'and changes nothing');

# Late rows: within the lateness they are noticed, later they are not unless asked for; all is as if they had been there at first
sql(q{INSERT INTO events SELECT timestamptz '2013-01-27 12:00+00', 'ZZ', 'JFK', 1, 2 FROM generate_series(1, 40)});
is(sql(q{SELECT windows, redone FROM run_monitor('flights', '2013-01-29 00:00+00')}), '0|1', 'late rows within the lateness');
sql(q{INSERT INTO events VALUES ('2013-01-10 12:00+00', 'ZZ', 'JFK', 1, 2)});
is(sql(q{SELECT windows, redone FROM run_monitor('flights', '2013-01-29 00:00+00')}), '0|0', 'too late is too late');
is(sql(q{SELECT redone > 0 FROM run_monitor('flights', '2013-01-29 00:00+00', redo_from => '2013-01-10 00:00+00')}), 't', 'unless asked for');
sql(q{SELECT create_monitor('events', 'at', '1 day', name => 'again', baseline => 'at < ''2013-01-08 00:00+00''', slices => '{origin}',
	thresholds => '{"l_infinity_distance": 0.25}', feature_allowlist => '{carrier,dep_delay,distance}')});

# Two runs at once: one does the work, the other finds nothing left
my @runs = map {
	my ($output, $errors) = ('', '');
	[ start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', q{SELECT windows FROM run_monitor('again', '2013-01-29 00:00+00')} ],
		\undef, \$output, \$errors), \$output ]
} 1 .. 2;
finish($_->[0]) for @runs;
is(join(',', sort map { ${ $_->[1] } =~ s/\s//gr } @runs), '0,28', 'two runs at once');
is(sql(q{SELECT count(*) FROM (SELECT (to_jsonb(d) - 'monitor')::text FROM feature_meta.monitor_drift_metrics d WHERE monitor = 'flights'
	EXCEPT ALL SELECT (to_jsonb(d) - 'monitor')::text FROM feature_meta.monitor_drift_metrics d WHERE monitor = 'again') x}), 0, 'the same metrics in one go as bit by bit');

# acknowledged is acknowledged, also when the window is done again
my $id = sql(q{SELECT min(id) FROM feature_meta.monitor_anomaly WHERE monitor = 'flights' AND slice = ''});
sql("SELECT acknowledge_anomaly($id, 'a carrier was renamed')");
sql(q{SELECT run_monitor('flights', '2013-01-29 00:00+00', redo_from => '2013-01-01 00:00+00')});
is(sql("SELECT note, acknowledged_by FROM feature_meta.monitor_anomaly WHERE id = $id"), 'a carrier was renamed|' . sql('SELECT current_user'), 'acknowledged stays acknowledged');
like(sql_error('SELECT acknowledge_anomaly(-1)'), qr/^42704/, 'an anomaly that is not there');

$in .= "SELECT 1;\n";
for (1 .. 50) { $listener->pump_nb; last if $out =~ /window_start/; sleep 0.1; }
like($out, qr/feature_meta_monitor.*"monitor": "flights"/, 'the listener was notified');
$listener->kill_kill;

# Rights: who may read the relation may read the metrics; who made the monitor runs it
sql('CREATE ROLE reader; GRANT SELECT ON events TO reader; CREATE ROLE stranger');
is(sql_as('reader', 'SELECT count(*) > 0 FROM feature_meta.monitor_drift_metrics'), 't', 'a reader of the relation reads its metrics');
is(sql_as('stranger', 'SELECT count(*) FROM feature_meta.monitor_drift_metrics'), 0, 'a stranger does not');
like(sql_error(q{SELECT run_monitor('flights')}, undef, role => 'reader'), qr/^42501/, 'a reader does not run it');

# an expression never runs with more rights than those of who wrote it
sql_as('reader', q{SELECT create_monitor('events', 'at', name => 'of_reader', filter => 'distance > 100')});
like(sql_error(q{SELECT run_monitor('of_reader', '2013-01-03 00:00+00')}), qr/^42501.*SET ROLE reader/s, 'a superuser does not run the expressions of others');
is(sql(q{SET ROLE reader; SELECT windows FROM run_monitor('of_reader', '2013-01-03 00:00+00')}), 2, 'but in their role');
sql(q{SET ROLE reader; SELECT drop_monitor('of_reader')});

like(sql_error(q{SELECT create_monitor('events', 'at', name => 'x', filter => 'true) OR (true')}), qr/^42601/, 'a filter is one expression');
like(sql_error(q{SELECT create_monitor('events', 'carrier', name => 'x')}), qr/^42804/, 'a time column is of a type of time');
like(sql_error(qq{SELECT create_monitor('events', 'at', name => 'x', channel => '$_')}), qr/^23514/, 'a channel that NOTIFY cannot take') for '', 'x' x 64;
like(sql_error(q{SELECT create_monitor('events', 'at', '2 months', name => 'x')}), qr/^22023/, 'a granularity that has no windows');
like(sql_error(qq{SELECT create_monitor('events', 'at', '$_', name => 'x')}), qr/^22023/, "nor has $_") for '2 mons 30 days', '1 mon 1 hour', '11 mons 30 days', '24 months', '-1 day', '0', '30 seconds', '90 seconds', '1 day 00:00:01';
like(sql_error(q{SELECT create_monitor('events', 'at', schema => 'default_environment: "SERVING"', environment => 'TRAINING', name => 'x')}),
	qr/^42704/, 'an environment that the schema does not have');
is(sql(q{SELECT create_monitor('events', 'at', schema => 'default_environment: "SERVING"', environment => 'SERVING', name => 'x'), drop_monitor('x') IS NULL}),
	'x|f', 'one that it has');
sql(q{CREATE ROLE monitor_stranger; CREATE TABLE half_open (at timestamptz, seen int, hidden int); GRANT SELECT (at, seen) ON half_open TO monitor_stranger});
like(sql_error(q{SET ROLE monitor_stranger; SELECT create_monitor('half_open', 'at', name => 'x')}), qr/^42501/, 'a column that its maker cannot read');
is(sql(q{SET ROLE monitor_stranger; SELECT create_monitor('half_open', 'at', name => 'x', feature_allowlist => '{seen}')}), 'x', 'only columns that can be read');
sql(q{SET ROLE monitor_stranger; SELECT drop_monitor('x')});
sql(q{DROP TABLE half_open; DROP ROLE monitor_stranger});
like(sql_error(q{SELECT monitor_window_start('2026-01-01 00:00+00', '200000000 days')}), qr/^22008/, 'a window that is longer than time');
like(sql_error(q{SELECT window_sketches('1 day', NULL, '{a,a}', NULL, at, distance, distance) FROM events}), qr/^42701/, 'a name is one of one column');
like(sql_error(q{SELECT run_monitor('nowhere')}), qr/^42704/, 'a monitor that is not there');

# The schema's comparators and checks raise anomalies of TFDV's types; months and weeks have their windows
sql(q{
	SELECT register_schema('events', 'feature { name: "carrier" type: BYTES domain: "carrier" drift_comparator { infinity_norm { threshold: 0.2 } } } feature { name: "distance" type: INT int_domain { min: 1000000 } }
		feature { name: "at" type: INT } feature { name: "origin" type: BYTES } feature { name: "dep_delay" type: FLOAT }
		string_domain { name: "carrier" value: "UA" value: "B6" value: "EV" value: "DL" value: "AA" value: "MQ" value: "US" value: "9E" value: "WN" value: "VX" value: "FL" value: "AS" value: "F9" value: "YV" value: "HA" value: "OO" }');
	SELECT create_monitor('events', 'at', '7 days', name => 'weekly');
	SELECT run_monitor('weekly', '2013-01-29 00:00+00');
});
is(sql(q{SELECT string_agg(DISTINCT type || ' ' || against, ',' ORDER BY type || ' ' || against) FROM feature_meta.monitor_anomaly WHERE monitor = 'weekly' AND path = 'carrier'}),
	'COMPARATOR_L_INFTY_HIGH previous,ENUM_TYPE_UNEXPECTED_STRING_VALUES schema,L_INFINITY_DISTANCE_HIGH baseline', 'types of TFDV');
is(sql(q{SELECT count(*), min(extract(isodow FROM window_start AT TIME ZONE 'UTC')) FROM feature_meta.monitor_window WHERE monitor = 'weekly'}), '4|1', 'weeks start on Monday');

is(sql(q{SELECT (run_monitor(create_monitor('events', 'at', '7 days', name => 'to_now'), NULL)).windows > 4}), 't', 'a NULL until is now');

# Where a monitor looks: partitions, views, names with quotes, all types of time, granularities, zones
sql(q{
	CREATE TABLE "Odd ""name'" ("ti me" date, "va'l""ue" text, b bool) PARTITION BY RANGE ("ti me");
	CREATE TABLE odd_1 PARTITION OF "Odd ""name'" FOR VALUES FROM ('2026-01-01') TO ('2026-01-05');
	CREATE TABLE odd_2 PARTITION OF "Odd ""name'" FOR VALUES FROM ('2026-01-05') TO ('2026-02-05');
	INSERT INTO "Odd ""name'" SELECT date '2026-01-01' + i / 100, 'v' || i % 7, i % 2 = 0 FROM generate_series(0, 999) i;
	CREATE VIEW odd_view AS SELECT "ti me"::timestamp AS at, "va'l""ue" AS v FROM "Odd ""name'";
	CREATE TABLE spring AS SELECT timestamptz '2026-03-01 00:00+00' + i * interval '10 minutes' AS at, i % 5 AS x FROM generate_series(0, 6 * 24 * 60) i;
});
is(sql(q{SELECT (run_monitor(create_monitor('"Odd ""name''"', 'ti me', name => 'od"d''', slices => ARRAY['va''l"ue', 'b'], baseline => '"ti me" < ''2026-01-03'''), '2026-01-08')).windows}), 7, 'a partitioned table, names with quotes, dates');
is(sql(q{SELECT string_agg(slice || ' ' || num_examples, ',' ORDER BY slice) FROM feature_meta.monitor_window WHERE monitor = 'od"d''' AND window_start = '2026-01-01 00:00+00'}),
	q{ 100,b_0 50,b_1 50,va'l"ue_v0 15,va'l"ue_v1 15,va'l"ue_v2 14,va'l"ue_v3 14,va'l"ue_v4 14,va'l"ue_v5 14,va'l"ue_v6 14}, 'in slices');
is(sql(q{SELECT num_examples FROM feature_meta.monitor_window WHERE monitor = 'od"d''' AND slice = '' AND window_start = '-infinity'}), 200, 'and a baseline');
is(sql(q{SELECT (run_monitor(create_monitor('odd_view', 'at', '7 days', name => 'view'), '2026-02-01')).windows;
	SELECT string_agg(num_examples::text, ',' ORDER BY window_start) FROM feature_meta.monitor_window WHERE monitor = 'view'}), "2\n400,600", 'a view, a timestamp, weeks');
for my $zone (qw(UTC America/New_York Asia/Kolkata))
{
	is(sql(qq{SET timezone = '$zone'; SET datestyle = 'German'; SELECT (run_monitor(create_monitor('spring', 'at', name => 'in $zone'), '2026-04-10 00:00+00')).windows;
		SELECT count(*), min(num_examples), max(num_examples), max(window_end - window_start) FROM feature_meta.monitor_window WHERE monitor = 'in $zone'}),
		"40\n40|144|144|1 day", "days are those of UTC, whatever the session's zone: $zone");
}
is(sql(q{SELECT (run_monitor(create_monitor('spring', 'at', '1 hour', name => 'hours'), '2026-03-03 00:00+00')).windows, (run_monitor(create_monitor('spring', 'at', '1 month', name => 'months'), '2026-05-01')).windows,
	(run_monitor(create_monitor('spring', 'at', '3 months', name => 'quarters'), '2026-07-01')).windows, (run_monitor(create_monitor('spring', 'at', '1 year', name => 'years'), '2026-07-01')).windows;
	SELECT string_agg(num_examples::text, ',' ORDER BY monitor, window_start) FROM feature_meta.monitor_window WHERE monitor IN ('months', 'quarters')}), "48|2|2|0\n4464,4177,4464,4177", 'hours, months, quarters; a year that is not over');
is(sql(q{SELECT count(*) FROM generate_series(timestamptz '1890-01-01 00:00+00', '2040-01-01', '977 hours') t, unnest('{1 minute,7 minutes,1 hour,1 day,36 hours,7 days,1 month,3 months,1 year}'::interval[]) g
	WHERE monitor_window_start(t, g) IS DISTINCT FROM timezone('UTC', CASE WHEN g = '1 year' THEN date_trunc('year', timezone('UTC', t)) WHEN g = '3 months' THEN date_trunc('quarter', timezone('UTC', t))
		WHEN g = '1 month' THEN date_trunc('month', timezone('UTC', t)) ELSE timestamp '2001-01-01' + floor(extract(epoch FROM timezone('UTC', t) - timestamp '2001-01-01') / extract(epoch FROM g)) * g END)}), 0, 'windows are what date_trunc and division make');

# Rows without a time and infinite ones are in no window; a first window that changes has all compared again
sql(q{INSERT INTO spring VALUES ('infinity', 1), ('-infinity', 1), (NULL, 1)});
is(sql(q{SELECT (run_monitor(create_monitor('spring', 'at', '1 month', name => 'infinite', baseline => 'x < 2'), '2026-05-01')).windows;
	SELECT string_agg(window_start::date || ' ' || num_examples, ',' ORDER BY window_start) FROM feature_meta.monitor_window WHERE monitor = 'infinite'}), "2\n-infinity 3460,2026-03-01 4464,2026-04-01 4177", 'infinite times');
sql(q{SELECT run_monitor(create_monitor('spring', 'at', name => 'first', lateness => '100 days'), '2026-03-11'); INSERT INTO spring SELECT timestamptz '2026-03-01 12:00+00', 9 FROM generate_series(1, 50)});
is(sql(q{SELECT redone FROM run_monitor('first', '2026-03-11');
	SELECT run_monitor(create_monitor('spring', 'at', name => 'second'), '2026-03-11');
	SELECT count(*) FROM (SELECT (to_jsonb(d) - 'monitor')::text FROM feature_meta.monitor_drift_metrics d WHERE monitor = 'first'
	EXCEPT ALL SELECT (to_jsonb(d) - 'monitor')::text FROM feature_meta.monitor_drift_metrics d WHERE monitor = 'second') x}), "1\n(10,0,0)\n0", 'a late row in the window that is the baseline');
is(sql(q{DELETE FROM spring WHERE x < 2 AND at < '2026-03-02'; SELECT redone FROM run_monitor('infinite', '2026-05-01', redo_from => '-infinity');
	SELECT num_examples FROM feature_meta.monitor_window WHERE monitor = 'infinite' AND window_start = '-infinity'}), "2\n3401", 'the baseline too is done again when asked for');

# Columns come, go and change their type; a day without rows; late rows in it; the time column and the table go
sql(q{
	CREATE TABLE changing AS SELECT timestamp '2026-01-01' + i * interval '1 hour' AS at, i % 3 AS a, 'x' || i % 3 AS b FROM generate_series(0, 47) i;
	SELECT run_monitor(create_monitor('changing', 'at'), '2026-01-03');
	ALTER TABLE changing ADD COLUMN d float8 DEFAULT 1.5; ALTER TABLE changing DROP COLUMN b; ALTER TABLE changing ALTER COLUMN a TYPE text;
	INSERT INTO changing SELECT timestamp '2026-01-03' + i * interval '1 hour', 'q' || i % 3, i FROM generate_series(0, 23) i;
	INSERT INTO changing SELECT timestamp '2026-01-06' + i * interval '1 hour', 'q' || i % 3, i FROM generate_series(0, 23) i;
});
is(sql(q{SELECT windows FROM run_monitor('changing', '2026-01-07');
	SELECT string_agg(path || ' ' || type || ' ' || coalesce(round(l_infinity_distance::numeric, 2)::text, '-'), ',' ORDER BY path) FROM feature_meta.monitor_drift_metrics
	WHERE monitor = 'changing' AND window_start = '2026-01-03 00:00+00' AND against = 'previous'}), "2\na STRING -,b STRING 0.33,d FLOAT 0.04", 'columns that changed, went and came');
is(sql(q{SELECT against_start::date FROM feature_meta.monitor_drift_metrics WHERE monitor = 'changing' AND window_start = '2026-01-06 00:00+00' AND against = 'previous' AND path = 'd';
	INSERT INTO changing VALUES ('2026-01-05 12:00', 'q1', 1); SELECT windows, redone FROM run_monitor('changing', '2026-01-07');
	SELECT against_start::date FROM feature_meta.monitor_drift_metrics WHERE monitor = 'changing' AND window_start = '2026-01-06 00:00+00' AND against = 'previous' AND path = 'd'}),
	"2026-01-03\n0|1\n2026-01-05", 'a day without rows has no window until a row comes');
is(sql(q{UPDATE feature_meta.monitor SET thresholds = '{"wasserstein_distance": 0.5}' WHERE name = 'changing'; SELECT anomalies > 0 FROM run_monitor('changing', '2026-01-07', redo_from => '2026-01-05')}), 't', 'a monitor is altered by UPDATE');
sql('ALTER TABLE changing RENAME at TO other');
like(sql_error(q{SELECT run_monitor('changing')}), qr/^42703/, 'the time column is gone');
sql('DROP TABLE changing');
like(sql_error(q{SELECT run_monitor('changing')}), qr/^42P01/, 'the relation is gone');
is(sql(q{SELECT drop_monitor('changing'); SELECT count(*) FROM feature_meta.monitor_window WHERE monitor = 'changing'}), "\n0", 'and the monitor');
like(sql_error(q{SELECT drop_monitor('changing')}), qr/^42704/, 'which is dropped once');

# Any number of columns, also none; the same in parallel
sql('CREATE TABLE wide AS SELECT timestamptz \'2026-01-01 00:00+00\' + i * interval \'1 hour\' AS at, ' . join(', ', map { "i + $_ AS c$_" } 1 .. 230) . ' FROM generate_series(0, 99) i');
is(sql(q{SELECT run_monitor(create_monitor('wide', 'at'), '2026-01-05'), run_monitor(create_monitor('wide', 'at', name => 'none', feature_allowlist => '{}'), '2026-01-05');
	SELECT count(*), min(median - substr(path, 2)::int), max(median - substr(path, 2)::int) FROM feature_meta.monitor_profile_metrics WHERE monitor = 'wide' AND window_start = '2026-01-02 00:00+00'}),
	"(4,0,0)|(4,0,0)\n230|36|36", 'more columns than an aggregate takes, and none');
sql(q{CREATE TABLE many AS SELECT timestamptz '2026-01-01 00:00+00' + i * 7919::bigint % 300000 * interval '3 seconds' AS at, i % 1000 AS n, 'v' || i % 37 AS t, sqrt(i % 4000) AS x FROM generate_series(1, 300000) i; ANALYZE many});
my $workers = q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;};
sql(q{SET max_parallel_workers_per_gather = 0; SELECT run_monitor(create_monitor('many', 'at', name => 'serial', slices => '{t}'), '2026-02-01')});
sql(qq{$workers SELECT run_monitor(create_monitor('many', 'at', name => 'parallel', slices => '{t}'), '2026-02-01'), run_monitor(create_monitor('many', 'at', name => 'parallel whole'), '2026-02-01')});
is(sql(q{SELECT count(*), count(*) FILTER (WHERE s.sketch::text = p.sketch::text), count(*) FILTER (WHERE s.slice <> '' OR s.sketch::text = w.sketch::text) FROM feature_meta.monitor_window s
	JOIN feature_meta.monitor_window p ON p.monitor = 'parallel' AND p.slice = s.slice AND p.window_start = s.window_start LEFT JOIN feature_meta.monitor_window w ON w.monitor = 'parallel whole' AND w.slice = s.slice AND w.window_start = s.window_start
	WHERE s.monitor = 'serial'}), '418|418|418', 'the same sketches from parallel workers, and from rows in any order');

# Rows that are written anew, as many as before, are noticed where rows have versions: in tables, partitions and materialized views, by whatever statement;
# what only looks at rows, locks, cleans up or freezes them is not. Views have none: there a number must change.
sql(q{
	CREATE TABLE rewritten AS SELECT timestamptz '2026-01-01 00:00+00' + i * interval '1 hour' AS at, i % 5 AS n FROM generate_series(0, 95) i;
	CREATE VIEW rewritten_view AS SELECT * FROM rewritten;
	CREATE MATERIALIZED VIEW rewritten_copy AS SELECT * FROM rewritten;
	CREATE TABLE parts (at timestamptz, n int) PARTITION BY RANGE (at);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-01-03 00:00+00');
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2026-01-03 00:00+00') TO ('2026-01-05 00:00+00');
	INSERT INTO parts SELECT * FROM rewritten;
	CREATE TABLE parts_3 AS SELECT * FROM parts_2;
});
sql(q{SELECT run_monitor(create_monitor('rewritten', 'at', name => 'counted', lateness => '3 days', watch_updates => false), '2026-01-05 00:00+00')});
my %watched = map { $_ => sql(qq{SELECT run_monitor(create_monitor('$_', 'at', lateness => '3 days'), '2026-01-05 00:00+00')}) } qw(rewritten rewritten_view rewritten_copy parts);
is(join(' ', map { $watched{$_} } sort keys %watched), '(4,0,0) (4,0,0) (4,0,0) (4,0,0)', 'first runs');
my $again = sub { sql(join '; ', map { qq{SELECT redone FROM run_monitor('$_', '2026-01-05 00:00+00')} } qw(rewritten rewritten_view rewritten_copy parts)) };
is($again->(), "0\n0\n0\n0", 'nothing changed');
sql(q{UPDATE rewritten SET n = n + 1 WHERE at = '2026-01-03 05:00+00'; UPDATE parts SET n = n + 1 WHERE at IN ('2026-01-02 05:00+00', '2026-01-04 05:00+00')});
is($again->(), "1\n0\n0\n2", 'an update in place');
is(sql(q{SELECT redone FROM run_monitor('counted', '2026-01-05 00:00+00'); SELECT count(*) FROM feature_meta.monitor_watched WHERE monitor = 'counted'}), "0\n0", 'which is not looked for when it is not asked for');
is($again->(), "0\n0\n0\n0", 'is done once');
is(sql(q{SELECT sum(mean)::int FROM feature_meta.monitor_profile_metrics p WHERE monitor = 'rewritten' AND path = 'n' AND abs(mean - (SELECT avg(n) FROM rewritten r WHERE r.at >= p.window_start AND r.at < p.window_end)) > 1e-9}), '', 'and shows in the metrics');
sql(q{UPDATE rewritten SET n = 77 WHERE at = '2026-01-01 05:00+00'});
is($again->(), "0\n0\n0\n0", 'too late is too late for it too');
sql(q{BEGIN; DELETE FROM rewritten WHERE at = '2026-01-04 00:00+00'; INSERT INTO rewritten VALUES ('2026-01-04 00:00+00', 3); COMMIT; BEGIN; UPDATE parts SET n = 9; ROLLBACK});
is($again->(), "1\n0\n0\n0", 'a row that is replaced; a change that was rolled back');
sql(q{REFRESH MATERIALIZED VIEW rewritten_copy});
is($again->(), "0\n0\n3\n0", 'a materialized view that is made anew');
sql(q{ALTER TABLE parts DETACH PARTITION parts_2; ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM ('2026-01-03 00:00+00') TO ('2026-01-05 00:00+00')});
is($again->(), "0\n0\n0\n2", 'another partition in the place of one');
sql(q{SELECT count(*) FROM (SELECT FROM rewritten FOR UPDATE) x; UPDATE rewritten SET n = n WHERE false});
sql('VACUUM (FREEZE) rewritten');
sql('VACUUM (FREEZE) parts');
is($again->(), "0\n0\n0\n0", 'locks, VACUUM and FREEZE');
sql(q{SELECT run_monitor(create_monitor('rewritten', 'at', name => 'long', lateness => '9 days'), '2026-01-05')});
is(sql(q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SELECT redone FROM run_monitor('long', '2026-01-05')}), 0, 'parallel workers see the same versions');
is(sql(q{UPDATE feature_meta.monitor SET lateness = '0' WHERE name = 'long'; SELECT windows FROM run_monitor('long', '2026-01-05', redo_from => '2026-01-01'); UPDATE feature_meta.monitor SET lateness = '9 days' WHERE name = 'long';
	UPDATE rewritten SET n = 4; SELECT redone FROM run_monitor('long', '2026-01-05')}), "0\n0", 'versions that nobody was to look at again are learnt first');
is(sql(q{UPDATE rewritten SET n = 5 WHERE at = '2026-01-01 05:00+00'; SELECT redone FROM run_monitor('long', '2026-01-05')}), 1, 'and then compared');
is(sql(q{SELECT count(*) FROM feature_meta.monitor_watched WHERE monitor = 'rewritten'; SELECT drop_monitor('rewritten'); SELECT count(*) FROM feature_meta.monitor_watched WHERE monitor = 'rewritten'}), "3\n\n0", 'only what is watched is remembered');

# Two slice columns whose slices are spelt alike: one slice of the rows of both, as in generate_statistics
sql(q{CREATE TABLE alike AS SELECT timestamptz '2026-01-01 00:00+00' + i * interval '1 hour' AS at, CASE WHEN i % 2 = 0 THEN 'b_x' ELSE 'q' END AS a, CASE WHEN i % 3 = 0 THEN 'x' ELSE 'b_x' END AS a_b, i AS n FROM generate_series(0, 23) i});
is(sql(q{SELECT run_monitor(create_monitor('alike', 'at', slices => '{a,a_b}', feature_allowlist => '{n}'), '2026-01-02');
	SELECT string_agg(slice || ' ' || num_examples, ',' ORDER BY slice) FROM feature_meta.monitor_window WHERE monitor = 'alike';
	SELECT bool_and(feature_statistics(w.sketch)::jsonb -> 'datasets' -> 0 -> 'features' = d -> 'features')
	FROM feature_meta.monitor_window w, jsonb_array_elements(generate_statistics('alike', slice_functions => '[{"a": null}, {"a_b": null}]', feature_allowlist => '{n}')::jsonb -> 'datasets') d
	WHERE w.monitor = 'alike' AND d ->> 'name' = coalesce(nullif(w.slice, ''), 'All Examples')}), "(1,0,0)\n 24,a_b_b_x 16,a_b_x 20,a_q 12\nt", 'slices of two columns that are spelt alike');

# Windows of few rows are not all open at a time; a run of more windows than a query may have is several, over gaps, of whatever type of time
sql(q{CREATE TABLE sparse AS SELECT timestamptz '2025-01-01 00:00+00' + (i + i / 2000 * 500000) * interval '1 minute' AS at, } . join(', ', map { "i % 7 + $_ AS c$_" } 1 .. 20)
	. q{ FROM generate_series(0, 5999) i;
	CREATE VIEW sparse_utc AS SELECT at AT TIME ZONE 'UTC' AS at, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20 FROM sparse});
for my $relation (qw(sparse sparse_utc))
{
	sql(qq{SELECT create_monitor('$relation', 'at', '1 minute')});
	is(sql(qq{SET timezone = 'Asia/Kolkata'; SELECT count(*), count(DISTINCT window_start), sum(num_examples), min(num_examples), bool_and(num_examples(sketch) = 1) FROM (SELECT w.*
		FROM feature_meta.monitor m, monitor_read_windows(m, NULL, '2028-01-01 00:00+00') w WHERE m.name = '$relation') w}), '6000|6000|6000|1|t', "windows of several queries: $relation");
}
my $one = q{SELECT md5(string_agg(w.sketch::text, '' ORDER BY w.window_start)) FROM unnest((SELECT window_sketches('1 hour', NULL, '{c1,c2}', NULL, at, c1, c2 ORDER BY %s) FROM sparse)) w};
is(sql(sprintf($one, 'hashint8(extract(epoch FROM at)::bigint)')), sql(sprintf($one, 'at')), 'windows that are closed and opened again');
like(sql(qq{$workers EXPLAIN SELECT window_sketches('1 day', NULL, '{n}', NULL, at, n) FROM many}), qr/Partial Aggregate/, 'which do run');

SKIP:
{
	skip 'pg_cron is not installed', 2 unless -e "$pkglibdir/pg_cron.so";
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on\n");
	$node->restart;
	sql(q{
		CREATE EXTENSION pg_cron;
		CREATE TABLE fresh AS SELECT now() - i * interval '30 minutes' AS at, i % 3 AS n FROM generate_series(1, 300) i;
		SELECT create_monitor('fresh', 'at', name => 'nightly');
		SELECT cron.schedule('nightly', '* * * * *', $job$SELECT run_monitor('nightly')$job$);
	});
	my $windows = 0;
	for (1 .. 140)
	{
		$windows = sql(q{SELECT count(*) FROM feature_meta.monitor_window WHERE monitor = 'nightly'});
		last if $windows > 0;
		sleep 0.5;
	}
	cmp_ok($windows, '>=', 5, 'pg_cron runs a monitor');
	is(sql(q{SELECT DISTINCT status FROM cron.job_run_details WHERE status <> 'running'}), 'succeeded', 'and it succeeds');
}
no_crash();
done_testing();
