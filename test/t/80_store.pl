# The feature store among several sessions: concurrent puts and materialisations, a cancelled join, a foreign source, rights.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use FeatureMeta;
use IPC::Run qw(start finish);
use Time::HiRes qw(time sleep);

my $node = node();
sql(q{
	CREATE TABLE s (driver_id int, event_timestamp timestamptz, created timestamptz, trips int);
	SELECT create_feature_view('v', 's', '{driver_id}', 'event_timestamp', 'created');
	SELECT enable_online('v', history => true);
});

# Eight clients put rows of 20 keys in any order: what is online is the newest of each key, and no put is lost
$node->pgbench('-n -c 8 -t 50', 0, [qr/processed: 400\/400/], [qr/^$/], 'concurrent puts', {
	'put_features' => q{
\set key random(1, 20)
\set hour random(1, 100000)
\set trips random(1, 1000000)
SELECT put_features('v', jsonb_build_object('driver_id', :key::int), jsonb_build_object('trips', :trips::int),
	event_time => timestamptz '2024-01-01' + :hour * interval '1 second', created_time => timestamptz '2024-01-01' + :hour * interval '1 second');
} });
is(sql('SELECT count(*) FROM s'), 400, 'every put is in the source');
my $wrong = q{
	SELECT count(*) FROM (SELECT DISTINCT ON (driver_id) driver_id, event_timestamp, trips FROM s ORDER BY driver_id, event_timestamp DESC, created DESC NULLS LAST) n
	FULL JOIN v_online o USING (driver_id) WHERE n.event_timestamp IS DISTINCT FROM o.event_timestamp};
is(sql($wrong), 0, 'the newest of each key is online');

# Many materialisations at once, while rows arrive
$node->pgbench('-n -c 6 -t 15', 0, [qr/processed: 90\/90/], [qr/^$/], 'materialisations at once', {
	'materialize' => q{
\set key random(1, 40)
INSERT INTO s VALUES (:key, timestamptz '2024-01-01' + random() * interval '40 days', now(), :key);
SELECT materialize('v');
SELECT materialize_incremental('v');
} });
sql(q{SELECT materialize('v')});
is(sql($wrong), 0, 'and what is online is the newest again');
is(sql(q{SELECT materialize('v')}), 0, 'a run that finds nothing new writes nothing');
is(sql(q{SELECT count(*) FROM v_online o WHERE NOT EXISTS (SELECT FROM v_online_history h WHERE h.driver_id = o.driver_id AND h.event_timestamp = o.event_timestamp)}), 0,
	'all that is served is in the history');

# A join over millions of rows is cancelled within a second and leaves nothing behind
sql(q{
	CREATE UNLOGGED TABLE big AS SELECT (i % 50000)::int AS driver_id, timestamptz '2024-01-01' + i * interval '1 second' AS event_timestamp, i AS trips FROM generate_series(1, 3000000) i;
	SELECT create_feature_view('bigview', 'big', '{driver_id}', 'event_timestamp');
});
my $relations = sql('SELECT count(*) FROM pg_class');
my ($in, $out, $err) = (q{SET feature_meta.join_method = scan; SELECT count(*) FROM historical_features('SELECT driver_id, event_timestamp FROM big', '{bigview:trips}')
	AS t(driver_id int, event_timestamp timestamptz, trips int);
}, '', '');
my $client = start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . ' application_name=joiner' ], \$in, \$out, \$err);
$client->pump_nb;
my $pid = '';
for (1 .. 100)
{
	$pid = sql(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'joiner' AND state = 'active' AND query LIKE '%historical_features%'});
	last if $pid ne '';
	$client->pump_nb;
	sleep 0.05;
}
# three million entity rows do not fit into work_mem: the join writes its files when it is cancelled
$node->poll_query_until('postgres', 'SELECT count(*) > 5 FROM pg_ls_tmpdir()') or die 'the join writes no files';
my $start = time;
sql("SELECT pg_cancel_backend($pid)");
finish($client);
my $took = time - $start;
like($err, qr/canceling statement/, 'the join was cancelled');
cmp_ok($took, '<', 10, 'soon'); # a second on an idle machine
is(sql('SELECT count(*) FROM pg_class'), $relations, 'no relation is left behind');
is(sql('SELECT count(*) FROM pg_ls_tmpdir()'), 0, 'and no file');

# Nor is one left when the join ends, or is stopped by temp_file_limit
is(sql(q{SET work_mem = '64kB'; SET feature_meta.join_method = scan; SELECT count(trips) FROM historical_features('SELECT driver_id, event_timestamp FROM big LIMIT 50000', '{bigview:trips}')
	AS t(driver_id int, event_timestamp timestamptz, trips int)}), 50000, 'a join through files ends');
like(sql_error(q{SET work_mem = '64kB'; SET temp_file_limit = '8MB'; SET feature_meta.join_method = scan; SELECT count(*) FROM historical_features('SELECT driver_id, event_timestamp FROM big LIMIT 50000',
	'{bigview:trips}') AS t(driver_id int, event_timestamp timestamptz, trips int)}), qr/temp_file_limit/, 'temp_file_limit holds');
is(sql('SELECT count(*) FROM pg_ls_tmpdir()'), 0, 'and no file is left');

# A client is killed in the middle of a materialisation: nothing of it is there, and the next run does all of it
sql(q{
	SELECT enable_online('bigview', history => true);
	CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01) WHERE NEW.driver_id % 100 = 0; RETURN NEW; END';
	CREATE TRIGGER slow BEFORE INSERT ON bigview_online FOR EACH ROW EXECUTE FUNCTION slow();
});
($in, $out, $err) = ("SELECT materialize('bigview');\n", '', '');
$client = start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . ' application_name=killed' ], \$in, \$out, \$err);
$client->pump_nb;
my $killed = q{FROM pg_stat_activity WHERE application_name = 'killed'};
$node->poll_query_until('postgres', "SELECT EXISTS (SELECT $killed AND wait_event = 'PgSleep')") or die 'the materialisation does not write';
is(sql("SELECT pg_terminate_backend(pid, 60000) $killed"), 't', 'the server process is ended');
eval { finish($client) };
unlike($out, qr/\d/, 'the materialisation did not end');
is(sql(q{SELECT (SELECT count(*) FROM bigview_online), (SELECT count(*) FROM bigview_online_history), materialized_at IS NULL FROM feature_meta.feature_view WHERE name = 'bigview'}),
	'0|0|t', 'a killed materialisation leaves nothing half done');
sql('DROP TRIGGER slow ON bigview_online');
is(sql(q{SELECT materialize('bigview')}), 50000, 'and the next one does all of it');

# A partitioned source, whose partitions have their columns in another order, gives what one table gives
sql(q{
	CREATE TABLE parts (driver_id int, event_timestamp timestamptz, created timestamptz, trips int) PARTITION BY RANGE (event_timestamp);
	CREATE TABLE part_1 (trips int, gone text, created timestamptz, driver_id int, event_timestamp timestamptz);
	ALTER TABLE part_1 DROP COLUMN gone;
	ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES FROM (MINVALUE) TO ('2024-01-01 12:00');
	CREATE TABLE part_2 PARTITION OF parts DEFAULT;
	INSERT INTO parts SELECT * FROM s;
	SELECT create_feature_view('parts', 'parts', '{driver_id}', 'event_timestamp', 'created', online => true);
	SELECT materialize('parts');
});
is(sql(q{SELECT count(*) > 20, count(*) FILTER (WHERE p.event_timestamp IS DISTINCT FROM v.event_timestamp) FROM parts_online p FULL JOIN v_online v USING (driver_id)}), 't|0',
	'a partitioned source is materialised as a table is');
for my $method (qw(scan index))
{
	is(sql("SET feature_meta.join_method = $method; SELECT count(*) > 400, count(*) FILTER (WHERE a IS DISTINCT FROM b) FROM "
		. join(' JOIN ', map { "(SELECT row_number() OVER () AS n, t.* FROM historical_features('SELECT driver_id, event_timestamp FROM s', '{$_:trips}') AS t(driver_id int, event_timestamp timestamptz, trips int)) "
			. ($_ eq 'v' ? 'a' : 'b') } qw(v parts)) . ' USING (n)'), 't|0', "and joined by $method");
}

# A foreign table as source, by scan and by remote index
sql(q{
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '} . $node->host . q{', port '} . $node->port . q{', dbname 'postgres');
	CREATE USER MAPPING FOR CURRENT_USER SERVER self;
	CREATE FOREIGN TABLE far (driver_id int, event_timestamp timestamptz, created timestamptz, trips int) SERVER self OPTIONS (table_name 's');
	SELECT create_feature_view('far', 'far', '{driver_id}', 'event_timestamp', 'created');
});
for my $method (qw(scan index))
{
	my $rows = sub {
		my ($view) = @_;
		return qq{(SELECT row_number() OVER () AS n, t.* FROM historical_features('SELECT driver_id, event_timestamp FROM s', '{$view:trips}')
			AS t(driver_id int, event_timestamp timestamptz, trips int))};
	};
	is(sql("SET feature_meta.join_method = $method; SELECT count(*) > 400, count(*) FILTER (WHERE a.trips IS DISTINCT FROM b.trips) FROM "
		. $rows->('far') . ' a JOIN ' . $rows->('v') . ' b USING (n)'), 't|0', "a foreign source by $method");
}

# Rights and row security of the source hold in every path
sql(q{
	CREATE ROLE analyst;
	GRANT SELECT ON s, v_online TO analyst;
	ALTER TABLE s ENABLE ROW LEVEL SECURITY;
	CREATE POLICY mine ON s USING (driver_id <= 5);
});
for my $method (qw(scan index))
{
	for my $memory (qw(4MB 64kB))
	{
		is(sql_as('analyst', qq{SET feature_meta.join_method = $method; SET work_mem = '$memory';
			SELECT max(driver_id) FROM historical_features('SELECT g % 20 + 1 AS driver_id, now() AS event_timestamp FROM generate_series(1, 5000) g', '{v:trips}')
				AS t(driver_id int, event_timestamp timestamptz, trips int) WHERE trips IS NOT NULL}), 5, "row security in historical_features by $method with $memory");
	}
	is(sql_as('analyst', qq{SET feature_meta.join_method = $method;
		SELECT max(driver_id) FROM latest_features('v') AS t(driver_id int, event_timestamp timestamptz, created timestamptz, trips int)}), 5, "and in latest_features by $method");
}
is(sql_as('analyst', q{SELECT statuses ->> 'trips' FROM get_features_at('{v:trips}', '{"driver_id": 6}', now())}), 'NOT_FOUND', 'and in get_features_at');
like(sql_error(q{SELECT materialize('v')}, undef, role => 'analyst'), qr/^42501/, 'no right to write the online table, no materialisation');
like(sql_error(q{SELECT put_features('v', '{"driver_id": 1}', '{"trips": 1}')}, undef, role => 'analyst'), qr/^42501/, 'nor a put');
like(sql_error(q{SELECT * FROM historical_features('SELECT 1 AS driver_id, now() AS event_timestamp', '{bigview:trips}') AS t(driver_id int, event_timestamp timestamptz, trips int)},
	undef, role => 'analyst'), qr/^42501: permission denied for table big/, 'no right to read the source, no features');

# Dump and restore keep it all: definitions with their versions, services, training sets, online tables with history and triggers
new_database('store_dump');
my $kept = sub { sql($_[0], $_[1] // 'store_dump') };
$kept->(q{
	CREATE SCHEMA "Odd one";
	CREATE TABLE "Odd one"."s t" (a int, "b c" text, event_timestamp timestamptz, created timestamptz, trips int, note text);
	INSERT INTO "Odd one"."s t" SELECT i % 10, 'k' || i % 3, timestamptz '2024-01-01' + i * interval '1 hour', timestamptz '2024-01-01' + i * interval '1 hour', i, repeat('n', i) FROM generate_series(1, 100) i;
	SELECT create_entity('pair', '{a,b c}', tags => '{"x": 1}');
	SELECT create_feature_view('w', '"Odd one"."s t"', '{pair}', 'event_timestamp', 'created', '3 months', features => '{trips}', description => 'it''s');
	SELECT alter_feature_view('w', features => '{trips,note}', schema => 'feature { name: "trips" type: INT int_domain { max: 1000 } }', on_invalid => 'quarantine');
	SELECT enable_online('w', history => true, trigger => true);
	SELECT materialize('w');
	SELECT put_features('w', '{"a": 1, "b c": "k1"}', '{"trips": 5000}');
	SELECT create_feature_service('svc', '{w@1:trips,w:note}');
	CREATE TABLE labels AS SELECT a, "b c", event_timestamp + interval '1 hour' AS event_timestamp FROM "Odd one"."s t";
	CALL create_training_set('train', 'labels', '{svc}');
});
$node->command_ok([ 'pg_dump', '-Fc', '-f', $node->basedir . '/store.dump', '-d', $node->connstr('store_dump') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE store_restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('store_restored'), $node->basedir . '/store.dump' ], 'restored');
for my $table (qw(feature_entity feature_view feature_view_version feature_view_entity feature_view_feature feature_service feature_service_feature training_set feature_quarantine))
{
	my $rows = "SELECT count(*) > 0, string_agg(t::text, E'\\n' ORDER BY t::text) FROM feature_meta.$table t";
	my $before = $kept->($rows);
	like($before, qr/^t/, "$table has rows");
	is($kept->($rows, 'store_restored'), $before, "and they are restored");
}
for my $query (q{SELECT o.feature_values, o.statuses FROM get_online_features('svc', '[{"a": 1, "b c": "k1"}, {"a": 2, "b c": "none"}]') o}, 'SELECT count(*), sum(trips) FROM train',
	q{SELECT reference, services, training_sets FROM feature_catalog() ORDER BY 1}, q{SELECT count(*) FROM online_at('w', '{"a": 1, "b c": "k1"}', now()) WHERE statuses ->> 'trips' <> 'NOT_FOUND'})
{
	is($kept->($query, 'store_restored'), $kept->($query), $query);
}
$kept->(q{INSERT INTO "Odd one"."s t" VALUES (77, 'k', now(), now(), 7, 'new')}, 'store_restored');
is($kept->(q{SELECT (SELECT trips FROM "Odd one".w_online WHERE a = 77), (SELECT count(*) FROM "Odd one".w_online_history WHERE a = 77)}, 'store_restored'), '7|1', 'the trigger feeds the restored online table, whose history goes on');
is($kept->(q{SELECT materialize('w')}, 'store_restored'), 0, 'and materialisation finds nothing new');

# No answer depends on how the session writes times: "CST" of Shanghai is read as US Central
sql(q{
	CREATE TABLE zone (driver_id int, event_timestamp timestamptz, created timestamptz, trips int);
	INSERT INTO zone SELECT 1, t, t, row_number() OVER () FROM generate_series(timestamptz '2024-01-01 00:00+00', '2024-03-01 00:00+00', '1 hour') t;
	INSERT INTO zone SELECT 4, event_timestamp, NULL, trips FROM zone;
	INSERT INTO zone VALUES (2, '-infinity', NULL, -1), (3, '0044-03-15 12:00+00 BC', NULL, -44);
	CREATE INDEX ON zone (driver_id, event_timestamp);
	CREATE INDEX ON zone (event_timestamp);
	ANALYZE zone;
	SELECT create_feature_view('zone', 'zone', '{driver_id}', 'event_timestamp', 'created', '10 hours');
	SELECT enable_online('zone');
});
my $zone = sub { sql("SET feature_meta.join_method = $_[2]; SET datestyle = '$_[0]'; SET timezone = '$_[1]'; $_[3]") };
my $asked = q{'SELECT 1 AS driver_id, timestamptz ''2024-02-28 12:30:00.123456+00'' AS event_timestamp'};
for my $case (
	[ 'historical_features with a ttl', "SELECT trips FROM historical_features($asked, '{zone:trips}') AS t(driver_id int, event_timestamp timestamptz, trips int)", 1405 ],
	[ 'historical_features as of a time', "SELECT trips FROM historical_features($asked, '{zone:trips}', filter_by_created_timestamp => false, as_of => '2024-02-28 06:30+00')
		AS t(driver_id int, event_timestamp timestamptz, trips int)", 1399 ],
	[ 'and where the created time is not known', "SELECT trips FROM historical_features('SELECT 4 AS driver_id, timestamptz ''2024-02-28 12:30+00'' AS event_timestamp', '{zone:trips}',
		filter_by_created_timestamp => false, as_of => '2024-02-28 06:30+00') AS t(driver_id int, event_timestamp timestamptz, trips int)", 1399 ],
	[ 'get_features_at', q{SELECT feature_values ->> 'trips' FROM get_features_at('{zone:trips}', '{"driver_id": 1}', '2024-02-10 12:30+00')}, 973 ],
	[ 'get_features_at infinity', q{SELECT statuses ->> 'trips' FROM get_features_at('{zone:trips}', '{"driver_id": 1}', 'infinity')}, 'OUTSIDE_MAX_AGE' ],
	[ 'create_training_set', qq{CALL create_training_set('zone_set', $asked, '{zone:trips}', filter_by_created_timestamp => false, as_of => '2024-02-28 06:30+00', lineage => false);
		SELECT trips FROM zone_set; DO \$\$BEGIN PERFORM drop_training_set('zone_set'); END\$\$}, 1399 ],
	[ 'materialize of a window', q{TRUNCATE zone_online; DO $$BEGIN PERFORM materialize('zone', '2024-02-01 00:30+00', '2024-02-01 03:30+00'); END$$;
		SELECT string_agg(driver_id || ':' || trips, ',' ORDER BY driver_id) FROM zone_online}, '1:748,4:748' ],
	[ 'get_features_at a time BC', q{SELECT feature_values ->> 'trips' FROM get_features_at('{zone:trips}', '{"driver_id": 3}', '0044-03-15 12:30+00 BC')}, -44 ])
{
	my ($name, $query, $answer) = @$case;
	is(join(' ', map { my $method = $_; ($zone->('ISO, MDY', 'UTC', $method, $query), $zone->('SQL, MDY', 'Asia/Shanghai', $method, $query), $zone->('German', 'Europe/Paris', $method, $query)) }
			qw(index scan)), join(' ', ($answer) x 6), "$name in every DateStyle and zone");
}

# The known ways to break out of a reference, a name or a key
for my $evil (q{v:trips"; DROP TABLE s; --}, q{v:trips'); DROP TABLE s; --}, q{v@1;DROP TABLE s:trips})
{
	like(sql_error('SELECT * FROM resolve_features(ARRAY[' . literal($evil) . '])'), qr/^(22023|42704)/, "refused: $evil");
}
is(sql('SELECT count(*) FROM get_online_features(ARRAY[\'v:trips\'], jsonb_build_object(\'driver_id\', ARRAY[1])) ' . q{WHERE statuses ->> 'trips' = 'PRESENT'}), 1, 'all tables are still there');
no_crash();
done_testing();
