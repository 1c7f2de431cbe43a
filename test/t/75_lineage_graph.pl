# Walks among other sessions and roles: a cancelled walk ends, rights and row security hold in every way to walk, rows that
# arrive during a walk do not break it.
use strict;
use warnings;
use FeatureMeta;
use Time::HiRes qw(time);

# A chain: artifact i is read by execution i, which writes artifact i + 1
my $STEPS = 40;
my $END = $STEPS + 1;
my $db = new_database('chain');
sql(<<SQL, $db);
ALTER DATABASE chain SET search_path = public;
SELECT put_artifact_type('Data'), put_execution_type('Step');
INSERT INTO mlmd.artifact (id, type_id, name) SELECT i, (SELECT id FROM mlmd.type WHERE name = 'Data'), 'a' || i FROM generate_series(1, $END) i;
INSERT INTO mlmd.execution (id, type_id, name) SELECT i, (SELECT id FROM mlmd.type WHERE name = 'Step'), 'e' || i FROM generate_series(1, $STEPS) i;
INSERT INTO mlmd.event (artifact_id, execution_id, type) SELECT i, i, 3 FROM generate_series(1, $STEPS) i UNION ALL SELECT i + 1, i, 4 FROM generate_series(1, $STEPS) i;
SELECT setval(pg_get_serial_sequence('mlmd.artifact', 'id'), 1000), setval(pg_get_serial_sequence('mlmd.execution', 'id'), 1000);
CREATE ROLE walker;
CREATE ROLE narrow;
GRANT USAGE ON SCHEMA mlmd TO walker, narrow;
GRANT SELECT ON ALL TABLES IN SCHEMA mlmd TO walker, narrow;
REVOKE SELECT ON mlmd.event FROM narrow;
GRANT SELECT (id, artifact_id, execution_id) ON mlmd.event TO narrow;
SQL

# each way to walk from the end of the chain, and the number of nodes it gives when nothing is hidden
my $all = 2 * $STEPS + 1;
my %walk = (
	'upstream' => "SELECT count(*) FROM upstream(artifact => $END)",
	'upstream before a time' => "SELECT count(*) FROM upstream(artifact => $END, before => now())",
	'upstream as of now' => "SELECT count(*) FROM upstream(artifact => $END, as_of => now())",
	'upstream by type' => "SELECT count(*) FROM upstream(artifact => $END, event_types => '{INPUT,OUTPUT}')",
	'lineage_path' => "SELECT count(*) FROM lineage_path(1, $END)",
	'common_ancestors' => "SELECT count(*) FROM common_ancestors($END, $END)",
	'topological_order' => "SELECT count(*) FROM topological_order(artifact => $END, direction => 'upstream')",
	'lineage_subgraph' => "SELECT count(*) FROM nodes(lineage_subgraph('id = $END', direction => 'upstream'))",
	'lineage_subgraph as of now' => "SELECT count(*) FROM nodes(lineage_subgraph('id = $END', direction => 'upstream', as_of => now()))",
);

foreach my $name (sort keys %walk)
{
	is(sql_as('walker', $walk{$name}, $db), $all, "$name: a role that may read all sees all");
	like(sql_error($walk{$name}, $db, role => 'narrow'), qr/^42501: permission denied for table event/, "$name: a right on some columns is not enough");
}
foreach my $call ('topological_order()', 'find_cycles()', 'has_cycle()')
{
	like(sql_error("SELECT * FROM $call", $db, role => 'narrow'), qr/^42501: permission denied for table event/, "$call: a right on some columns is not enough");
}

# Execution 20 keeps to itself what it read: the walk ends there. The same session as another role sees the rest, and again
# what it may: kept plans know whom they are for.
sql(q{ALTER TABLE mlmd.event ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON mlmd.event FOR SELECT USING (execution_id <> 20 OR type <> 3)}, $db);
my $seen = 2 * ($STEPS - 20) + 2;
my $events = 2 * ($STEPS - 20) + 1;
foreach my $name (sort keys %walk)
{
	my $expected = $name eq 'lineage_path' ? 0 : $seen;
	is(sql("$walk{$name};\nSET ROLE walker;\n$walk{$name};\n$walk{$name};\nRESET ROLE;\n$walk{$name};\nSET ROLE walker;\n$walk{$name}", $db),
		"$all\n$expected\n$expected\n$all\n$expected", "$name: hidden events are not followed");
}
is(sql_as('walker', "SELECT count(*) FROM edges(lineage_subgraph('id = $END', direction => 'upstream'))", $db), $events, 'a subgraph has no hidden event');
is(sql_as('walker', 'SELECT count(*) FROM topological_order()', $db), $all, 'all nodes have an event that is seen');
is(sql_as('walker', 'SELECT count(*) FROM downstream(artifact => 1)', $db), 2 * 19 + 1, 'downstream: the hidden event is not followed');
sql(q{DROP POLICY part ON mlmd.event; ALTER TABLE mlmd.event DISABLE ROW LEVEL SECURITY}, $db);
is(sql_as('walker', $walk{upstream}, $db), $all, 'without row security all is seen again');

# A node that is hidden is no node, and nothing is seen through it
sql(q{ALTER TABLE mlmd.artifact ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON mlmd.artifact FOR SELECT USING (id <> 20)}, $db);
foreach my $name (sort grep { $_ ne 'lineage_path' } keys %walk)
{
	is(sql_as('walker', $walk{$name}, $db), 2 * ($STEPS - 19), "$name: a hidden artifact ends the walk");
}
is(sql_as('walker', $walk{lineage_path}, $db), 0, 'lineage_path: no path through a hidden artifact');
is(sql_as('walker', 'SELECT count(*) FROM upstream(artifact => 20)', $db), 0, 'a hidden artifact is no start');
sql(q{DROP POLICY part ON mlmd.artifact; ALTER TABLE mlmd.artifact DISABLE ROW LEVEL SECURITY}, $db);

# The extension made anew in the same session: kept plans are for the new tables
is(sql("$walk{lineage_subgraph};\nBEGIN;\nSET LOCAL client_min_messages = warning;\nDROP EXTENSION feature_meta CASCADE;\nCREATE EXTENSION feature_meta;\n"
		. "SELECT put_artifact_type('Data') > 0;\nINSERT INTO mlmd.artifact (id, type_id) SELECT $END, id FROM mlmd.type WHERE name = 'Data';\n"
		. "$walk{lineage_subgraph};\nROLLBACK;\n$walk{lineage_subgraph}", $db), "$all\nt\n1\n$all", 'kept plans follow the tables');

# Rows arrive while others walk: what is upstream stays as it was, and a subgraph has both ends of each of its events
my $check = sub { my ($condition) = @_; return "SELECT 1 / ($condition)::int;\n" };
node()->pgbench('-n -c 6 -t 60', 0, [qr/processed: 360\/360/], [qr/^$/], 'walks while events are put', {
	'put@2' => <<SQL,
\\set input random(1, $END)
WITH e AS (INSERT INTO mlmd.execution (type_id) SELECT id FROM mlmd.type WHERE name = 'Step' RETURNING id),
	a AS (INSERT INTO mlmd.artifact (type_id) SELECT id FROM mlmd.type WHERE name = 'Data' RETURNING id)
INSERT INTO mlmd.event (artifact_id, execution_id, type) SELECT a.id, e.id, 4 FROM a, e UNION ALL SELECT :input, e.id, 3 FROM e;
SQL
	'walk@1' => $check->("(SELECT count(*) FROM upstream(artifact => $END)) = $all") . $check->("(SELECT count(*) FROM downstream(artifact => 1)) >= $all")
		. $check->("(SELECT is_acyclic(lineage_subgraph('id = 1')))"),
	'subgraph@1' => <<SQL
SELECT 1 / (NOT EXISTS (SELECT FROM edges(g.graph) e WHERE NOT EXISTS (SELECT FROM nodes(g.graph) n WHERE n.kind = e.source_kind AND n.id = e.source)
	OR NOT EXISTS (SELECT FROM nodes(g.graph) n WHERE n.kind = e.target_kind AND n.id = e.target)))::int FROM (SELECT lineage_subgraph('id = 1', max_num_hops => 6) AS graph) g;
SQL
}, $db);
is(sql("SELECT count(*) FROM downstream(artifact => 1)", $db), sql('SELECT (SELECT count(*) FROM mlmd.artifact) + (SELECT count(*) FROM mlmd.execution)', $db),
	'all that was put comes from the first artifact');

# A walk over a big graph that is cancelled ends: layers of ten, each execution reads two of the layer before
my $big = new_database('big');
my $n = 40000;
sql(<<SQL, $big);
SELECT put_artifact_type('Data'), put_execution_type('Step');
INSERT INTO mlmd.artifact (id, type_id) SELECT i, (SELECT id FROM mlmd.type WHERE name = 'Data') FROM generate_series(1, $n) i;
INSERT INTO mlmd.execution (id, type_id) SELECT i, (SELECT id FROM mlmd.type WHERE name = 'Step') FROM generate_series(1, $n) i;
INSERT INTO mlmd.event (artifact_id, execution_id, type) SELECT i, i, 4 FROM generate_series(1, $n) i;
INSERT INTO mlmd.event (artifact_id, execution_id, type) SELECT DISTINCT (e - 1) / 10 * 10 - 9 + (e * 7 + k * 3) % 10, e, 3 FROM generate_series(11, $n) e, generate_series(1, 2) k;
ANALYZE mlmd.artifact, mlmd.execution, mlmd.event;
SQL
my %long = (
	'a walk from each artifact' => 'SELECT sum((SELECT count(*) FROM upstream(artifact => a.id))) FROM mlmd.artifact a',
	'paths of each artifact' => 'SELECT sum((SELECT count(path) FROM downstream(artifact => a.id))) FROM mlmd.artifact a',
	'the subgraph of all' => q{SELECT lineage_subgraph('true')},
	'a walk as of now' => "SELECT count(*) FROM upstream(artifacts => (SELECT array_agg(id) FROM mlmd.artifact), as_of => now())",
);
foreach my $name (sort keys %long)
{
	my $started = time;

	like(sql_error("SET statement_timeout = 30;\n$long{$name}", $big), qr/^57014: canceling statement due to statement timeout/, "$name is cancelled");
	cmp_ok(time - $started, '<', 30, "$name ends");
}
is(sql("SELECT count(*) > 1000 FROM upstream(artifact => $n)", $big), 't', 'and the next walk is well');

no_crash();
done_testing();
