# What Feast answered (test/data/feast/make.py), offline and online after each materialisation: the same here, except where Feast is known
# to be wrong, and there it must differ the way docs/features.md says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use FeatureMeta;
use JSON::PP;

my $cases = JSON::PP->new->utf8->allow_bignum->decode(ProtoText::slurp("$FindBin::Bin/../data/feast/cases.json"));
my $json = JSON::PP->new->allow_bignum->canonical;
sql(q{CREATE TABLE expected (step int, nr int, key jsonb, answer jsonb); CREATE TABLE entity_answer (known_at boolean, row_number int, answer jsonb);
CREATE FUNCTION sorted(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT jsonb_agg(x ORDER BY x) FROM jsonb_array_elements($1) x'});

sub copy
{
	my ($table, @rows) = @_;
	my $text = join('', map { join("\t", map { my $x = defined $_ ? $_ : '\N'; $x =~ s/\\(?!N$)/\\\\/g; $x } @$_) . "\n" } @rows);
	utf8::encode($text) if utf8::is_utf8($text);
	sql("COPY $table FROM stdin;\n$text\\.\n");
}

# Feast materialises integers through float8 where there are NULLs among them. 2^53 is none of the values, so it was 2^53 + 1.
my $rounded = 0;

sub whole
{
	my ($text) = @_;
	$rounded += $text =~ s/\b9007199254740992\b/9007199254740993/g;
	return $text;
}

for my $name (sort keys %{ $cases->{views} })
{
	my $view = $cases->{views}{$name};
	my @keys = @{ $view->{keys} };
	my @columns = map { $_->[0] } @{ $view->{columns} };
	my @features = grep { my $c = $_; !grep { $_ eq $c } @keys, 'event_timestamp', 'created' } @columns;
	my %type = map { @$_ } @{ $view->{columns} };
	my $created = $view->{created} ? 'created' : "'-infinity'::timestamptz";
	my $source = "feast_$name";
	my $references = '{' . join(',', map { "$name:$_" } @features) . '}';
	my $same_key = join ' AND ', map { "r.$_ = k.$_" } @keys;
	my $key_list = join ', ', @keys;
	# values of both sides in one form
	my $list = sub { my $row = shift; 'jsonb_build_array(' . join(', ', map { "$row.$_" } @features) . ')' };
	my $theirs = sub { my $x = shift; 'jsonb_build_array(' . join(', ', map { $type{$_} eq 'timestamptz' ? "($x)::timestamptz" =~ s/\?/$_/r : $type{$_} =~ /\[\]/ ? "to_jsonb($x)" =~ s/->>/->/r =~ s/\?/$_/r : "($x)::$type{$_}" =~ s/\?/$_/r } @features) . ')' };

	sql("CREATE TABLE $source (" . join(', ', map { "$_->[0] $_->[1]" } @{ $view->{columns} }) . ", seen boolean DEFAULT false, nr serial)");
	sql("SELECT create_feature_view('$name', '$source', '{$key_list}', 'event_timestamp'" . ($view->{created} ? ", created_time => 'created'" : '') . ", features => '{" . join(',', @features) . "}')");
	sql("SELECT enable_online('$name')");
	# Feast's online store: whatever a window's newest row is, it is written
	sql("CREATE TABLE feast_online AS SELECT * FROM $source; ALTER TABLE feast_online ADD PRIMARY KEY ($key_list)");
	my ($end, $same, $stale, $tied) = (undef, 0, 0, 0);
	for my $number (0 .. $#{ $view->{online} })
	{
		my $step = $view->{online}[$number];
		copy("$source (" . join(', ', @columns) . ')',
			map { [map { ref $_ eq 'ARRAY' ? '{' . join(',', @$_) . '}' : JSON::PP::is_bool($_) ? ($_ ? 't' : 'f') : $_ } @$_] } @{ $step->{rows} });
		sql(defined $step->{from} ? "SELECT materialize('$name', '$step->{from}', '$step->{to}')" : "SELECT materialize_incremental('$name', '$step->{to}')");
		sql("UPDATE $source SET seen = true WHERE event_timestamp BETWEEN " . (defined $step->{from} ? "'$step->{from}'" : "'-infinity'") . " AND '$step->{to}'");
		my $from = defined $step->{from} ? $step->{from} : $end;
		my $set = join ', ', map { "$_ = EXCLUDED.$_" } 'event_timestamp', ($view->{created} ? 'created' : ()), @features, 'nr';
		sql("INSERT INTO feast_online SELECT DISTINCT ON ($key_list) * FROM $source WHERE event_timestamp BETWEEN '$from' AND '$step->{to}' ORDER BY $key_list, event_timestamp DESC, $created DESC
			ON CONFLICT ($key_list) DO UPDATE SET $set");
		$end = $step->{to} if !defined $end || $step->{to} gt $end;

		sql('TRUNCATE expected');
		copy('expected', map { my %key; @key{@keys} = @{ $step->{keys}[$_] }; [$number, $_, $json->encode(\%key), whole($json->encode($step->{answers}[$_]))] } 0 .. $#{ $step->{keys} });
		my $first = $features[0];
		my $query = "WITH k AS (SELECT e.nr, e.answer, e.key, " . join(', ', map { "(e.key ->> '$_')::$type{$_} AS $_" } @keys) . " FROM expected e),
			ours AS (SELECT row_number() OVER () - 1 AS nr, o.* FROM get_online_features('$references'::text[], (SELECT jsonb_agg(e.key ORDER BY e.nr) FROM expected e)) o),
			truth AS (SELECT DISTINCT ON ($key_list) * FROM $source WHERE seen ORDER BY $key_list, event_timestamp DESC, $created DESC),
			compared AS (SELECT r.nr IS NULL AS missing, r.event_timestamp AS true_event, f.event_timestamp AS feast_event, f.nr = r.nr AS agree,
				(o.event_timestamps ->> '$name')::timestamptz AS our_event, (k.answer -> '$first' ->> 2)::timestamptz AS told_event, k.answer -> '$first' ->> 0 AS told_status,
				" . $theirs->("o.feature_values ->> '?'") . " AS our_values, " . $theirs->("k.answer -> '?' ->> 1") . " AS told_values,
				(SELECT array_agg(DISTINCT s.value) FROM json_each_text(o.statuses) s) AS statuses,
				(SELECT bool_and(s.value = CASE WHEN o.feature_values ->> s.key IS NULL THEN 'NULL_VALUE' ELSE 'PRESENT' END) FROM json_each_text(o.statuses) s) AS told_apart,
				(SELECT array_agg(" . $list->('x') . ") FROM $source x WHERE " . join(' AND ', map { "x.$_ = k.$_" } @keys) . " AND x.seen AND x.event_timestamp = r.event_timestamp AND x.$created IS NOT DISTINCT FROM r.$created) AS tied,
				(SELECT array_agg(" . $list->('x') . ") FROM $source x WHERE " . join(' AND ', map { "x.$_ = k.$_" } @keys) . " AND x.event_timestamp = f.event_timestamp AND x.$created IS NOT DISTINCT FROM f.$created) AS feast_tied
				FROM k JOIN ours o USING (nr) LEFT JOIN truth r ON $same_key LEFT JOIN feast_online f ON " . join(' AND ', map { "f.$_ = k.$_" } @keys) . ")
			SELECT count(*) FILTER (WHERE told_event IS DISTINCT FROM feast_event OR (told_status = 'NOT_FOUND') <> (feast_event IS NULL) OR told_values <> ALL (feast_tied)),
				count(*) FILTER (WHERE CASE WHEN missing THEN statuses <> '{NOT_FOUND}' OR our_event IS NOT NULL ELSE our_event IS DISTINCT FROM true_event OR NOT told_apart OR our_values <> ALL (tied) END),
				count(*) FILTER (WHERE agree AND our_values = told_values), count(*) FILTER (WHERE feast_event IS DISTINCT FROM true_event),
				count(*) FILTER (WHERE feast_event = true_event AND our_values <> told_values AND cardinality(tied) = 1), count(*) FILTER (WHERE cardinality(tied) > 1)
			FROM compared";
		my $line = sql($query =~ s/\bx\.'-infinity'::timestamptz|\b[rf]\.'-infinity'::timestamptz/NULL/gr);
		my @n = split /\|/, $line;
		is(join(' ', @n[0, 1, 4]), '0 0 0', "$name, step $number: Feast's answers are the newest of the last window, ours the newest of all; where these are the same row so are the answers");
		$same += $n[2];
		$stale += $n[3];
		$tied += $n[5];
	}
	cmp_ok($same, '>', 50, "$name: $same answers are Feast's");
	cmp_ok($stale, '>', 5, "$name: $stale answers of Feast are older than what was there, or miss a late row");
	cmp_ok($tied, '>', 0, "$name: $tied are of rows equal in both times") if $name eq 'driver';

	# what is past its time is withheld here; Feast serves it
	sql("SELECT alter_feature_view('$name', ttl => '1 day')");
	is(sql("SELECT count(*) > 0, bool_and(s.value = CASE WHEN o.event_timestamps ->> '$name' IS NULL THEN 'NOT_FOUND' ELSE 'OUTSIDE_MAX_AGE' END AND o.feature_values ->> s.key IS NULL)
		FROM get_online_features('$references'::text[], (SELECT jsonb_agg(e.key) FROM expected e)) o, json_each_text(o.statuses) s"), 't|t', "$name: expired values are withheld");

	my $ttl = $view->{ttl_hours} ? "ttl => '$view->{ttl_hours} hours'" : "clear => '{ttl}'";
	sql("SELECT alter_feature_view('$name', $ttl)");
	sql("CREATE TABLE entities (\"row\" int, " . join(', ', map { "$_ $type{$_}" } @keys) . ', event_timestamp timestamptz)');
	copy('entities', @{ $view->{offline}{entities} });
	for my $known_at (0, $view->{created} ? 1 : ())
	{
		sql('TRUNCATE entity_answer');
		copy('entity_answer', map { my @row = @$_; my %answer; @answer{@features} = @row[1 .. $#row]; [$known_at ? 't' : 'f', $row[0], $json->encode(\%answer)] } @{ $view->{offline}{ $known_at ? 'known_at' : 'any_time' } });
		for my $method ('scan', 'index')
		{
			my $filter = $known_at ? 'true' : 'false';
			my $line = sql("SET feature_meta.join_method = $method; WITH ours AS (SELECT * FROM historical_features('entities', '$references', filter_by_created_timestamp => $filter) AS t(\"row\" int, " .
				join(', ', map { "$_ $type{$_}" } @keys, 'event_timestamp', @features) =~ s/event_timestamp \w+/event_timestamp timestamptz/r . ")),
				theirs AS (SELECT e.row_number AS \"row\", array_agg(" . $theirs->("e.answer ->> '?'") . ") AS told FROM entity_answer e GROUP BY 1)
				SELECT count(*), count(*) FILTER (WHERE o.\"row\" IS NULL OR t.told IS NULL), count(*) FILTER (WHERE " . $list->('o') . " <> ALL (t.told)), count(*) FILTER (WHERE cardinality(t.told) > 1)
				FROM ours o FULL JOIN theirs t USING (\"row\")");
			my @n = split /\|/, $line;
			is(join(' ', @n[0 .. 2]), scalar(@{ $view->{offline}{entities} }) . ' 0 0', "$name, known at $filter, by $method: a row for each entity row, with Feast's answer");
			cmp_ok($n[3], '>', 0, "of which Feast gives $n[3] more than once: rows that are equal in both times");
		}
	}
	sql("DROP TABLE feast_online, entities");
}

cmp_ok($rounded, '>', 0, "$rounded integers that Feast rounded are whole here");
done_testing();
