# Calls of the extension's functions with random values: edge values, damaged documents, NULL, nothing that fits together.
#
#   functions()            the functions, aggregates and procedures that SQL can call: a list of { signature, schema, name, kind, types, variadic }
#   random_call($function [, sub { my ($type, $position) = @_; ... }])
#                          "SELECT ..." with a random value for each argument, or undef where a type is not known; the sub may give
#                          an SQL expression for an argument itself
#   value_of($type)        an SQL expression
# The tables small, penguins and empty_table must be there: make_tables($database) makes them.
package RandomCall;

use strict;
use warnings;
use Exporter 'import';
use FeatureMeta qw(sql golden literal load_golden);

our @EXPORT = qw(functions random_call value_of make_tables);

sub make_tables
{
	my ($database) = @_;
	load_golden('penguins', $database);
	sql(<<'SQL', $database);
CREATE TABLE empty_table ();
CREATE TABLE small (a int, b text, c float8[], d jsonb, e timestamptz);
INSERT INTO small VALUES (1, 'x', '{1,NaN}', '{"a": [1]}', now()), (NULL, NULL, NULL, NULL, NULL);
SQL
}

# the head of long ones: a whole one makes each call slow
my @documents = map { substr(golden($_), 0, 20000) } 'schema/titanic.pbtxt', 'statistics/titanic.pbtxt', 'anomalies/census_corrupted/expected_anomalies.pbtxt',
  'anomalies/titanic_clean/schema.pbtxt';

sub damaged
{
	my ($text) = @_;
	foreach (0 .. int rand 4)
	{
		my $at = int rand(length($text) + 1);
		my $what = int rand 5;
		if ($what == 0) { substr($text, $at, int rand 30) = ''; }
		elsif ($what == 1) { substr($text, $at, 0) = substr($text, int rand(length $text), int rand 40); }
		elsif ($what == 2) { substr($text, $at, 1) = chr(1 + int rand 126) if $at < length $text; }
		elsif ($what == 3) { substr($text, $at, 0) = ('{', '}', '"', '<', '>', ':', '[', ']', '\\', '-', '9' x 30, 'nan', 'inf')[ int rand 13 ]; }
		else { $text = substr($text, 0, $at); }
	}
	$text =~ s/[^\x01-\x7f]/?/g;
	return $text;
}

my @message = ("'feature { name: \"a\" type: INT } feature { name: \"b\" type: BYTES domain: \"d\" } string_domain { name: \"d\" value: \"x\" }'", "''",
	"'datasets { num_examples: 3 features { name: \"a\" type: INT num_stats { common_stats { num_non_missing: 3 } } } }'",
	"'anomaly_info { key: \"a\" value { severity: ERROR } }'");
my %pool = (
	int => [ 0, 1, -1, 2, 7, 100, 2147483647, -2147483648 ],
	bigint => [ 0, 1, -1, 1000, '9223372036854775807', "'-9223372036854775808'" ],
	float => [ 0, 1, -1, 0.5, "'NaN'", "'Infinity'", "'-Infinity'", 1e308, 1e-308 ],
	text => [ "''", "'a'", "'b'", "'small'", "'penguins'", "'flipper_length_mm'", "'species'", "E'\\x01'", "'1 = 1'", "'a ; DROP TABLE small'", "'{\"a\": 1}'", "repeat('x', 100000)", "'é'", "'TRAINING'" ],
	bool => [ 'true', 'false' ],
	regclass => [ "'small'", "'penguins'", "'empty_table'", "'pg_class'", 0, 4294967295 ],
	jsonb => [ "'{}'", "'[]'", "'null'", "'1'", "'{\"a\": {\"b\": [1, \"x\", null]}}'", "'[[[[[[]]]]]]'", "'{\"feature\": [{\"name\": \"a\"}]}'" ],
	time => [ "'now'", "'epoch'", "'infinity'", "'-infinity'", "'2026-11-24'", "'4713-01-01 BC'" ],
	interval => [ "'0'", "'1 day'", "'-1 day'", "'178000000 years'" ],
	bytea => [ "''", "'\\x00'", "'\\x0a03616263'", "'\\xffffffffffffffffffff'", "'\\x0affffffff0f'" ],
);

# An SQL expression of the type, or undef where there is no way to make one
sub value_of
{
	my ($type, $depth) = @_;
	my $null = rand() < 0.1;
	my $pick = sub { my $p = $pool{ $_[0] }; return $p->[ int rand @$p ]; };
	return "NULL::$type" if $null && $type !~ /^(?:"?any|internal|record|cstring|anyelement)/;
	return $pick->('int') . "::$type" if $type eq 'integer';
	return (0, 1, -1, 32767)[ int rand 4 ] . "::$type" if $type eq 'smallint';
	return $pick->('bigint') . "::$type" if $type eq 'bigint';
	return $pick->('float') . "::$type" if $type eq 'double precision';
	return (0, 1.5, "'NaN'", "'Infinity'")[ int rand 4 ] . "::$type" if $type eq 'real';
	return ("'NaN'", "'Infinity'", 0, '1e100', '-1e-100')[ int rand 5 ] . "::$type" if $type eq 'numeric';
	return (rand() < 0.3 ? literal(damaged($documents[ int rand @documents ])) : $pick->('text')) . "::$type" if $type eq 'text';
	return "'small'::$type" if $type =~ /^(?:name|character varying|"char")$/;
	return literal(damaged($documents[ int rand @documents ])) . "::$type" if $type eq 'cstring';
	return $pick->('bool') . "::$type" if $type eq 'boolean';
	return $pick->('regclass') . "::$type" if $type =~ /^(?:regclass|oid)$/;
	return ("'int4'", "'text'", "'small'", 0)[ int rand 4 ] . "::$type" if $type eq 'regtype';
	return $pick->('jsonb') . "::$type" if $type =~ /^jsonb?$/;
	return $pick->('time') . "::$type" if $type =~ /^(?:timestamp|date)/;
	return "'12:34:56'::$type" if $type =~ /^time /;
	return "'[now, infinity)'::$type" if $type =~ /^ts(?:tz)?range$/;
	return "NULL::$type" if $type =~ /^feature_meta\./;
	return "'(0,1)'::$type" if $type eq 'tid';
	return "'7'::$type" if $type eq 'xid';
	return ("'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'")[ int rand 2 ] . "::$type" if $type eq 'uuid';
	return $pick->('interval') . "::$type" if $type eq 'interval';
	return $pick->('bytea') . "::$type" if $type eq 'bytea';
	return ("1::int", "'a'::text", "1.5::float8", "ARRAY[1, NULL]", "NULL::text", "'{\"a\": 1}'::jsonb", "ROW(1, 'x')", "now()")[ int rand 8 ] if $type =~ /^"?any"?$|^any(?:nonarray|compatible)?(?:element)?$/;
	return ("ARRAY[1, NULL]", "ARRAY['a']", "'{}'::float8[]", "ARRAY[[1, 2], [3, 4]]")[ int rand 4 ] if $type =~ /^any\w*array$/;
	return ("ROW(1, 'a')", "(SELECT s FROM small s LIMIT 1)", "(SELECT p FROM penguins p LIMIT 1)", 'ROW()')[ int rand 4 ] if $type eq 'record';
	if ($type =~ /^(.*)\[\]$/)
	{
		my $of = $1;
		my @element = map { value_of($of, 1) } 1 .. int rand 4;
		return undef if grep { !defined } @element;
		return "ARRAY[" . join(', ', @element) . "]::$type";
	}
	if ($type =~ /^(?:public\.)?(?:feature_schema|feature_statistics|feature_anomalies|lineage_graph)$/)
	{
		return $message[ int rand @message ] . "::$type" if rand() < 0.6;
		return literal(damaged($documents[ int rand @documents ])) . "::$type";
	}
	return '(SELECT table_sketch(s) FROM small s)' if $type =~ /feature_sketch$/ && rand() < 0.7;
	return "'1'::$type" if $type =~ /feature_sketch$/;
	return undef;
}

sub functions
{
	my ($database) = @_;
	my @field = qw(signature schema name kind types variadic);
	my @row = map { [ split /\|/ ] } split /\n/, sql(<<'SQL', $database);
SELECT p.oid::regprocedure, n.nspname, p.proname, p.prokind, array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a(t, i) ORDER BY i), ','), p.provariadic <> 0
FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'feature_meta')
	AND p.prorettype <> 'trigger'::regtype AND p.prokind IN ('f', 'a', 'p')
ORDER BY 1
SQL
	# SQL cannot make a value of internal
	return grep { $_->{types} !~ /\binternal\b/ } map { my %f; @f{@field} = @$_; $f{types} //= ''; \%f } @row;
}

sub random_call
{
	my ($f, $choose) = @_;
	my @type = split /,/, $f->{types};
	my @value = map { ($choose ? $choose->($type[$_], $_) : undef) // value_of($type[$_]) } 0 .. $#type;
	return undef if grep { !defined } @value;
	push @value, value_of('any') foreach 1 .. ($f->{variadic} eq 't' && $f->{types} =~ /"?any"?$/ ? int rand 3 : 0);
	my $call = qq("$f->{schema}"."$f->{name}"(@{[ join ', ', @value ]}));
	return "CALL $call" if $f->{kind} eq 'p';
	return $f->{kind} eq 'a' ? "SELECT $call FROM generate_series(1, 3)" : "SELECT * FROM $call AS called";
}

1;
