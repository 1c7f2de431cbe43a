# What the reads that go past the executor owe to the other sessions: serializable transactions whose reads and writes
# cross are told so, and what changed while a read waited for its lock is seen by it.
use strict;
use warnings;
use FeatureMeta;

my $node = node();
my $connection = $node->connstr('postgres');
sql(<<'SQL');
CREATE EXTENSION dblink;
CREATE ROLE reader;
CREATE TABLE s (driver_id int, event_timestamp timestamptz, trips int);
INSERT INTO s SELECT i, '2026-01-01', i FROM generate_series(1, 5000) i;
SELECT create_feature_view('v', 's', '{driver_id}', 'event_timestamp');
SELECT enable_online('v');
SELECT materialize('v');
GRANT SELECT ON v_online TO reader;
SELECT put_artifact_type('Data'), put_execution_type('Run');
SELECT count(put_artifact('Data', name => 'a' || i)), count(put_execution('Run', name => 'e' || i)) FROM generate_series(1, 3000) i;
INSERT INTO mlmd.event (artifact_id, execution_id, type) SELECT a.id, e.id, 3 + (random() < 0.5)::integer
	FROM mlmd.artifact a JOIN mlmd.execution e ON e.id IN (a.id, a.id % 2999 + 1);
VACUUM ANALYZE;
SQL
is(sql('SELECT count(*) FROM mlmd.event'), '6000', 'a graph');

# Both sessions run a statement that reads, then one that writes what the other one read; returns the SQLSTATEs of the two ends
sub crossed
{
	my ($isolation, $reads, $writes) = @_;
	my $script = "DO \$\$\nDECLARE\n\tends text[] := '{}';\nBEGIN\n";
	foreach my $i (0, 1)
	{
		$script .= "PERFORM dblink_connect('c$i', " . literal($connection) . ");\n";
		$script .= "PERFORM dblink_exec('c$i', 'BEGIN ISOLATION LEVEL $isolation');\n";
		$script .= "PERFORM dblink_exec('c$i', 'SET LOCAL enable_seqscan = off');\n";
	}
	$script .= "PERFORM * FROM dblink('c$_', " . literal($reads->[$_]) . ") AS r(x text);\n" foreach 0, 1;
	foreach my $i (0, 1)
	{
		$script .= "BEGIN PERFORM dblink_exec('c$i', " . literal($writes->[$i]) . "); PERFORM dblink_exec('c$i', 'COMMIT'); ends := array_append(ends, 'done');\n";
		$script .= "EXCEPTION WHEN OTHERS THEN ends := array_append(ends, SQLSTATE); END;\n";
	}
	$script .= "PERFORM dblink_disconnect('c$_');\n" foreach 0, 1;
	$script .= "RAISE 'ends %', ends; END \$\$";
	my ($ends) = sql_error($script) =~ /ends \{(.*)\}/;
	return $ends;
}

# What is read and written of one id; the ids are far from each other, and others each time
my %case = (
	'online features' => [ q(SELECT feature_values::text FROM get_online_features('{v:trips}', '{"driver_id": ID}')),
		'UPDATE v_online SET trips = trips + 1 WHERE driver_id = ID' ],
	'online features that are not there yet' => [ q(SELECT feature_values::text FROM get_online_features('{v:trips}', '{"driver_id": -ID}')),
		q(INSERT INTO v_online (driver_id, event_timestamp, trips) VALUES (-ID, '2026-01-01', 1)) ],
	'a walk over pages that all can see' => [ 'SELECT count(*)::text FROM downstream(artifacts => ARRAY[ID], max_hops => 1)',
		'DELETE FROM mlmd.event WHERE artifact_id = ID' ],
	'a walk that meets a new event' => [ 'SELECT count(*)::text FROM downstream(artifacts => ARRAY[ID], max_hops => 1)',
		'INSERT INTO mlmd.event (artifact_id, execution_id, type) VALUES (ID, ID + 77, 3)' ],
	'subgraphs' => [ q(SELECT lineage_subgraph(starting_artifacts => 'id = ID', max_num_hops => 1)::text),
		'DELETE FROM mlmd.event WHERE artifact_id = ID' ]);
my $times = 0;
foreach my $name (sort keys %case)
{
	my ($read, $write) = @{ $case{$name} };
	foreach my $expected ([ 'SERIALIZABLE', "SELECT ''", 'done,done', 'the writes alone pass' ], [ 'REPEATABLE READ', $read, 'done,done', 'and all of it where that is allowed' ],
		[ 'SERIALIZABLE', $read, 'done,40001', 'but one of two that read what the other writes has to repeat' ])
	{
		my ($isolation, $reads, $ends, $what) = @$expected;
		my @id = (10 + 5 * $times, 2800 - 5 * $times);
		$times++;
		sql('VACUUM mlmd.event');
		is(crossed($isolation, [ map { $reads =~ s/ID/$_/gr } @id ], [ map { $write =~ s/ID/$_/gr } reverse @id ]), $ends, "$name: $what");
	}
}

# A read waits for a lock; what the holder of the lock did is what it finds
sub changed_while_waiting
{
	my ($change) = @_;
	my $call = q(SELECT statuses::text FROM get_online_features('{v:trips}', '{"driver_id": 5}'));
	return sql_error(<<"SQL");
DO \$\$
DECLARE
	before text;
	answer text;
	waiting bigint := 0;
BEGIN
	PERFORM dblink_connect('c', @{[ literal($connection) ]});
	PERFORM dblink_exec('c', 'SET SESSION AUTHORIZATION reader');
	-- what is cached was right before
	SELECT x INTO before FROM dblink('c', @{[ literal($call) ]}) AS r(x text);
	PERFORM dblink_connect('holder', @{[ literal($connection) ]});
	PERFORM dblink_exec('holder', 'BEGIN; LOCK v_online; $change');
	PERFORM dblink_send_query('c', @{[ literal($call) ]});
	WHILE waiting = 0 LOOP
		PERFORM pg_sleep(0.01);
		SELECT count(*) INTO waiting FROM pg_locks WHERE relation = 'v_online'::regclass AND NOT granted;
	END LOOP;
	PERFORM dblink_exec('holder', 'COMMIT');
	BEGIN
		SELECT x INTO answer FROM dblink_get_result('c') AS r(x text);
	EXCEPTION WHEN OTHERS THEN
		answer := SQLSTATE;
	END;
	RAISE '% then %', before, answer;
END \$\$
SQL
}
like(changed_while_waiting('ALTER TABLE v_online ENABLE ROW LEVEL SECURITY'), qr/PRESENT.* then .*NOT_FOUND/, 'row security that came while the read waited holds');
sql('ALTER TABLE v_online DISABLE ROW LEVEL SECURITY');
like(changed_while_waiting('REVOKE SELECT ON v_online FROM reader'), qr/PRESENT.* then 42501/, 'and a right that went');

no_crash();
done_testing();
