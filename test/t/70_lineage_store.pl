# Several callers at once: types, contexts and artifacts are made once, updates are not lost, and what a client without locks
# does (look up, insert, SELECT LASTVAL()) is cured by the tables' triggers.
use strict;
use warnings;
use FeatureMeta;
use IPC::Run ();

my $CALLERS = 4;
my $db = new_database('store');
sql('ALTER DATABASE store SET search_path = mlmd, public');

# Runs the text that the function makes for each caller in a psql of its own, all at once; returns outputs and errors
sub at_once
{
	my ($make) = @_;
	my (@run, @out, @err);
	push @run, start_psql($make->($_), \$out[$_], \$err[$_]) foreach 0 .. $CALLERS - 1;
	$_->finish foreach @run;
	return (\@out, \@err);
}

# from a file: psql does not wait for this process to hand it its input
sub start_psql
{
	my ($text, $out, $err) = @_;
	my $path = PostgreSQL::Test::Utils::tempdir() . '/input.sql';
	open my $file, '>', $path or die "$path: $!";
	print {$file} $text;
	close $file;
	return IPC::Run::start([ 'psql', '-XqAt', '-d', node()->connstr($db) ], '<', $path, '>', $out, '2>', $err);
}

# the statements of the real client (shared by all its versions): look up, insert if it is not there, ask for the id
my $client = sub {
	my ($n) = @_;
	return join '', map { <<SQL } 1 .. 20;
BEGIN;
SELECT count(*) > 0 AS found FROM Type WHERE name = 'raced$_' AND version IS NULL AND type_kind = 1 \\gset
\\if :found
SELECT '$_ ' || id FROM Type WHERE name = 'raced$_' AND version IS NULL AND type_kind = 1;
\\else
INSERT INTO Type( name, type_kind, version, description, external_id ) VALUES('raced$_', 1, NULL, NULL, NULL);
SELECT LASTVAL() AS id \\gset
SELECT '$_ ' || :id;
INSERT INTO TypeProperty( type_id, name, data_type ) VALUES(:id, 'x', 1);
INSERT INTO TypeProperty( type_id, name, data_type ) VALUES(:id, 'y', 3);
SELECT count(*) > 0 AS found FROM ParentType WHERE type_id = :id AND parent_type_id = 1 \\gset
\\if :found
\\else
INSERT INTO ParentType(type_id, parent_type_id) VALUES(:id, 1);
\\endif
\\endif
COMMIT;
SQL
};
my ($out, $err) = at_once($client);
is(join('', @$err), '', 'no client fails for a type of the same name');
is(sql(q(SELECT count(*), count(DISTINCT name) FROM mlmd.type WHERE name LIKE 'raced%'), $db), '20|20', 'each type is there once');
is(sql(q(SELECT count(*) FROM mlmd.typeproperty p JOIN mlmd.type t ON t.id = p.type_id WHERE t.name LIKE 'raced%'), $db), '40', 'with its properties');
my %ids = map { split / / } split /\n/, sql(q(SELECT substr(name, 6) || ' ' || id FROM mlmd.type WHERE name LIKE 'raced%'), $db);
my @wrong = grep { my ($n, $id) = split / /; $ids{$n} != $id } map { split /\n/ } @$out;
is(scalar(map { split /\n/ } @$out), 20 * $CALLERS, 'every client has an id for every type');
is("@wrong", '', 'and LASTVAL() is the id of the type that is stored');

($out, $err) = at_once(sub { join '', map { "SELECT '$_ ' || put_execution_type('put$_', '{\"x\": \"INT\"}', base_type => 'Train');\n" } 1 .. 20 });
is(join('', @$err), '', 'put_execution_type: nobody fails');
is(sql(q(SELECT count(*), count(DISTINCT name) FROM mlmd.type WHERE name LIKE 'put%'), $db), '20|20', 'put_execution_type: each once');
is(scalar(keys %{ { map { $_ => 1 } map { split /\n/ } @$out } }), 20, 'put_execution_type: all callers have the same ids');

# executions that make or reuse the same contexts and artifacts
sql(q(SELECT put_artifact_type('Data', '{"n": "INT"}'), put_execution_type('Job'), put_context_type('Run')), $db);
($out, $err) = at_once(sub {
	my ($n) = @_;
	join '', map { <<SQL } 1 .. 25;
SELECT put_execution('Job', name => '$n.$_', new_contexts => '[{"type": "Run", "name": "run $_"}]',
	new_outputs => '[{"type": "Data", "name": "shared $_", "external_id": "x$_", "custom_properties": {"by $n": 1}}]', reuse => true);
SQL
});
is(join('', @$err), '', 'put_execution: nobody fails');
is(sql('SELECT count(*) FROM mlmd.execution', $db), 25 * $CALLERS, 'put_execution: every execution is there');
is(sql('SELECT count(*), count(DISTINCT name) FROM mlmd.context', $db), '25|25', 'put_execution: contexts are there once');
is(sql('SELECT count(*), count(DISTINCT external_id) FROM mlmd.artifact', $db), '25|25', 'put_execution: artifacts of an external id are there once');
is(sql('SELECT count(*) FROM mlmd.artifactproperty', $db), 25 * $CALLERS, 'put_execution: and have what every caller put on them');
is(sql('SELECT count(*) FROM mlmd.attribution', $db), '25', 'put_execution: attributions are there once');
is(sql('SELECT count(*) FROM mlmd.event', $db), 25 * $CALLERS, 'put_execution: every event is there');

# the same nodes in another order: nobody deadlocks
sql(q(SELECT put_artifact('Data', name => 'input ' || i) FROM generate_series(1, 10) i), $db);
my @inputs = split /\n/, sql(q(SELECT id FROM mlmd.artifact WHERE name LIKE 'input %' ORDER BY id), $db);
($out, $err) = at_once(sub {
	my ($n) = @_;
	join '', map {
		my $round = $_;
		my @order = $n % 2 ? (1 .. 5) : reverse(1 .. 5);
		my $contexts = join ', ', map { qq({"type": "Run", "name": "order $round.$_"}) } @order;
		my $outputs = join ', ', map { qq({"type": "Data", "name": "order $round.$_", "external_id": "o$round.$_", "custom_properties": {"by": $n}}) } @order;
		my $inputs = join ', ', $n % 2 ? @inputs : reverse(@inputs);
		"SELECT put_execution('Job', inputs => ARRAY[$inputs], new_contexts => '[$contexts]', new_outputs => '[$outputs]', reuse => true);\n"
	} 1 .. 20;
});
is(join('', @$err), '', 'put_execution: the same nodes in another order');

# a counter: who was too late tries again
my $counter = sql(q(SELECT put_artifact('Data', name => 'counter', properties => '{"n": 0}')), $db);
sql(<<'SQL', $db);
CREATE PROCEDURE count_up(counter bigint, times int) LANGUAGE plpgsql AS $$
DECLARE
	stored mlmd.artifacts;
	stale int := 0;
BEGIN
	WHILE times > 0 LOOP
		SELECT * INTO stored FROM get_artifacts(ARRAY[counter]);
		BEGIN
			PERFORM put_artifact(id => counter, properties => jsonb_build_object('n', (stored.properties ->> 'n')::int + 1),
				last_update_time_since_epoch => stored.last_update_time_since_epoch);
			times := times - 1;
		EXCEPTION WHEN serialization_failure THEN
			stale := stale + 1;
		END;
		COMMIT;
	END LOOP;
	RAISE NOTICE 'stale: %', stale;
END $$
SQL
($out, $err) = at_once(sub { "CALL count_up($counter, 50)" });
note(join '', @$err);
is(scalar(grep { /ERROR/ } @$err), 0, 'counter: nobody fails');
is(sql("SELECT properties ->> 'n' FROM get_artifacts(ARRAY[$counter])", $db), 50 * $CALLERS, 'counter: no update is lost');
is(sql("SELECT count(*) FROM get_artifact_history($counter)", $db), 50 * $CALLERS + 1, 'counter: every value is in its history');
is(sql("SELECT count(*) FROM (SELECT (properties ->> 'n')::int - lag((properties ->> 'n')::int) OVER (ORDER BY valid_from) AS step FROM get_artifact_history($counter)) s WHERE step <> 1", $db),
	'0', 'counter: in the order in which they were');

# an event for what is purged at the same time: either it was there before, or it fails; no dangling row
my $purged = sql(q(SELECT put_artifact('Data', name => 'purged')), $db);
my $execution = sql('SELECT min(id) FROM mlmd.execution', $db);
my ($ignored, $put_err);
my $holder = start_psql("BEGIN; SELECT delete_artifacts(ARRAY[$purged]), pg_sleep(2); COMMIT;\n", \$ignored, \$ignored);
node()->poll_query_until($db, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
my $put = start_psql("SELECT put_event($purged, $execution, 'INPUT');\n", \$ignored, \$put_err);
$_->finish foreach $holder, $put;
like($put_err, qr/violates foreign key constraint/, 'an event for an artifact that is being deleted waits, then fails');

no_crash();
done_testing();
