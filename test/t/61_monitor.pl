# Monitors: a month of real flights with a drift planted in the third week, late rows, two runs at once, rights, and the real pg_cron.
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
like(sql_error(q{SELECT create_monitor('events', 'at', name => 'x', filter => 'true) OR (true')}), qr/^42601/, 'a filter is one expression');
like(sql_error(q{SELECT create_monitor('events', 'carrier', name => 'x')}), qr/^42804/, 'a time column is of a type of time');
like(sql_error(q{SELECT create_monitor('events', 'at', '2 months', name => 'x')}), qr/^22023/, 'a granularity that has no windows');
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
