# Every document of golden/schema_text whose message is a feature_schema or a part of one: what Python's protobuf read, printed
# and wrote of it, the types read, print and write too. And its malformed documents: the same verdict.
use strict;
use warnings;
use FeatureMeta;
use JSON::PP ();

my $json = JSON::PP->new->utf8;

sub hex_of { return unpack 'H*', $_[0]; }

sub varint
{
	my ($n) = @_;
	my $out = '';
	while ($n >= 128) { $out .= chr($n & 127 | 128); $n >>= 7; }
	return $out . chr $n;
}

sub field_bytes { return varint($_[0] << 3 | 2) . varint(length $_[1]) . $_[1]; }
sub indented { return join '', map { "  $_\n" } split /\n/, $_[0]; }

# A part stands where a schema has such a message: [fields from the outside in, with their numbers]
my %part = (
	'tensorflow.metadata.v0.Schema' => [],
	'tensorflow.metadata.v0.DerivedFeatureSource' => [ [ feature => 1, 1 ], [ validation_derived_source => 34 ] ],
	'tensorflow.metadata.v0.Path' => [ [ weighted_feature => 12, 1 ], [ feature => 2 ] ],
);

sub wrap_text { my ($place, $text) = @_; $text = "$_->[0] {\n" . $text . "\n}" foreach reverse @$place; return $text; }
sub wrap_canonical { my ($place, $text) = @_; $text = "$_->[0] {\n" . indented($text) . "}\n" foreach reverse @$place; return $text; }
sub wrap_bytes { my ($place, $bytes) = @_; $bytes = field_bytes($_->[1], $bytes) foreach reverse @$place; return $bytes; }
sub wrap_json { my ($place, $text) = @_; $text = $_->[2] ? "{\"$_->[0]\": [$text]}" : "{\"$_->[0]\": $text}" foreach reverse @$place; return $text; }

# the answer of each cast, or the SQLSTATE of its error
sql(<<'SQL');
CREATE FUNCTION answer(expression text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT (' || expression || ')::text' INTO result USING value;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN 'error ' || SQLSTATE;
END $$;
SQL

# Questions are asked in one session: an expression of $1, its value, the answer, and what is tested
my @question;
sub ask { push @question, [@_]; return; }

sub check_answers
{
	# as JSON, since an answer has many lines; text format ends in a line feed
	my @answer = map { $json->decode("[$_]")->[0] } split /\n/, sql(join '', map { "SELECT to_json(answer(" . literal($_->[0]) . ', ' . literal($_->[1]) . "));\n" } @question);
	foreach my $i (0 .. $#question)
	{
		my (undef, undef, $expected, $name) = @{ $question[$i] };
		utf8::encode($answer[$i]) if defined $answer[$i];
		is($answer[$i], $expected, $name);
	}
	@question = ();
	return;
}

my $documents = $json->decode(golden('schema_text/index.json'));
my %done;
foreach my $document (@$documents)
{
	my ($name, $message) = @$document{qw(name message)};
	my $place = $part{$message};
	if (!$place)
	{
		like($message, qr/\.ProblemStatement$/, "$name: the only message that is no part of the types");
		next;
	}
	$done{$message}++;
	# a string with a zero byte, which Python takes and C's strings can't hold
	if ($name eq 'syntax_41')
	{
		ask('$1::feature_schema', golden("schema_text/$name.pbtxt"), 'error 22P02', "$name: a zero byte in a string, in text");
		ask('$1::bytea::feature_schema', '\x' . hex_of(golden("schema_text/$name.pb")), 'error 22P03', "$name: ... in wire bytes");
		ask('$1::feature_schema', golden("schema_text/$name.json"), 'error 22P02', "$name: ... in JSON");
		next;
	}
	my $text = wrap_text($place, golden("schema_text/$name.pbtxt"));
	my $canonical = wrap_canonical($place, golden("schema_text/$name.canonical.pbtxt"));
	my $bytes = '\x' . hex_of(wrap_bytes($place, golden("schema_text/$name.pb")));
	my $utf8 = "schema_text/$name.canonical_utf8.pbtxt";

	ask('$1::feature_schema', $text, $canonical, "$name: text to text");
	ask('$1::feature_schema::bytea', $text, $bytes, "$name: text to bytes");
	ask('$1::feature_schema', $canonical, $canonical, "$name: printed text to text");
	ask('$1::feature_schema::bytea', wrap_canonical($place, golden($utf8)), $bytes, "$name: text in UTF-8 to bytes") if -e golden_path($utf8);
	ask('$1::bytea::feature_schema', $bytes, $canonical, "$name: bytes to text");
	ask('$1::bytea::feature_schema::bytea', $bytes, $bytes, "$name: bytes to bytes");
	if ($document->{json} eq '1')
	{
		my $object = wrap_json($place, golden("schema_text/$name.json"));
		ask('$1::feature_schema::bytea', $object, $bytes, "$name: JSON to bytes");
		ask("\$1::bytea::feature_schema::jsonb = " . literal($object) . "::jsonb", $bytes, 'true', "$name: bytes to jsonb");
		# jsonb's numbers have no -0
		my $from = $object =~ /-0\.0\b/ ? $object =~ s/-0\.0\b/"-0.0"/gr : $object;
		ask('$1::jsonb::feature_schema::bytea', $from, $bytes, "$name: jsonb to bytes");
		# the names in camel case; not where a map's keys look like names
		my $camel = $object =~ s{"([a-z_0-9]+)":}{ '"' . $1 =~ s/_+([a-z0-9])/uc $1/ger . '":' }ger;
		ask('$1::feature_schema::bytea', $camel, $bytes, "$name: JSON with camel-case names to bytes") if $object !~ /"tensor_representation_group"/;
	}
	else
	{
		ask('$1::bytea::feature_schema::jsonb', $bytes, 'error 22023', "$name: has no JSON form");
	}
}
check_answers();
cmp_ok($done{'tensorflow.metadata.v0.Schema'}, '>', 90, 'documents of a schema');
cmp_ok($done{$_} // 0, '>', 1, "documents of $_") foreach grep { @{ $part{$_} } } sort keys %part;

# Malformed documents. Where the types differ from Python, and why:
my %otherwise = (
	'embedded_nul.pbtxt' => 'a zero byte in a string',
	'json.pbtxt' => 'JSON is input of the types too',
	'deep_nesting_120.pbtxt' => '240 messages inside one another: neither Python nor the types read its wire bytes',
);
my $malformed = $json->decode(golden('schema_text/malformed/index.json'));
my ($accepted, $refused) = (0, 0);
foreach my $case (@$malformed)
{
	my $file = $case->{file};
	my $text = golden("schema_text/malformed/$file");
	if ($text =~ /\0/)
	{
		# SQL text has no zero byte, in no encoding: the client or the server refuses it before the type sees it
		ok($otherwise{$file} || !$case->{accepted}, "$file: holds a zero byte");
		next;
	}
	if (!utf8::decode(my $copy = $text))
	{
		is(sql_error("SELECT " . literal($text) . "::feature_schema") =~ s/:.*//sr, '22021', "$file: the server refuses bytes that are no UTF-8");
		next;
	}
	my @ask = ('$1::feature_schema', $text);
	if ($file eq 'json.pbtxt')
	{
		ask(@ask, "feature {\n  name: \"a\"\n}\n", "$file: $otherwise{$file}");
	}
	elsif ($otherwise{$file})
	{
		ask(@ask, 'error 54001', "$file: $otherwise{$file}");
	}
	elsif ($case->{accepted})
	{
		$accepted++;
		my $canonical = "schema_text/malformed/" . $file =~ s/\.pbtxt$/.canonical.pbtxt/r;
		if (-e golden_path($canonical)) { ask(@ask, golden($canonical), "$file: accepted as Python understood it"); }
		else { ask("$ask[0] IS NOT NULL", $ask[1], 'true', "$file: accepted"); }
	}
	else
	{
		$refused++;
		ask(@ask, $file =~ /deep/ ? 'error 54001' : 'error 22P02', "$file: refused");
	}
}
check_answers();
cmp_ok($accepted, '>', 8, 'malformed documents that are accepted');
cmp_ok($refused, '>', 60, 'malformed documents that are refused');

# every other golden document of the types reads, and prints and packs as a fixpoint
foreach my $case ([ feature_schema => 'schema/*.pbtxt' ], [ feature_statistics => 'statistics/*.pbtxt' ], [ feature_anomalies => 'anomalies/*/expected_anomalies.pbtxt' ],
	[ feature_schema => 'anomalies/*/schema.pbtxt' ])
{
	my ($type, $pattern) = @$case;
	foreach my $path (grep { $type eq 'feature_schema' || !/schema/ } glob golden_path($pattern))
	{
		ask("(SELECT t::text::$type = t AND t::bytea::$type = t AND t::jsonb::${type}::jsonb = t::jsonb AND t::bytea::${type}::text = t::text FROM (SELECT \$1::$type) v (t))",
			ProtoText::slurp($path), 'true', $path =~ s{.*/golden/}{}r . ": a $type");
	}
}
check_answers();
no_crash();
done_testing();
