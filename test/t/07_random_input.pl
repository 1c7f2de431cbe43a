# Every function of the extension that SQL can call, called with random values of its argument types: edge values, damaged
# documents, NULL, nothing that fits together. Each call must end, with a value or an error that a user can read: no crash,
# no internal error (XX...), no runaway.
# RANDOM_SEED=N repeats a run, RANDOM_CALLS=N calls each function so often.
use strict;
use warnings;
use FeatureMeta;
use RandomCall;

my $seed = $ENV{RANDOM_SEED} // time;
my $calls = $ENV{RANDOM_CALLS} // 20;
srand $seed;
note("RANDOM_SEED=$seed");

make_tables();

# calls run in one session, each in a subtransaction that is undone
sql(<<'SQL');
CREATE FUNCTION try_call(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := 'value';
BEGIN
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION USING ERRCODE = 'YYYYY';
	EXCEPTION
		WHEN SQLSTATE 'YYYYY' THEN NULL;
		WHEN OTHERS OR query_canceled THEN result := SQLSTATE || ' ' || SQLERRM;
	END;
	RETURN result;
END $$;
SQL

my ($total, @unmade) = (0);
my %by_function;
foreach my $f (functions())
{
	foreach my $n (1 .. $calls)
	{
		my $call = random_call($f);
		if (!defined $call)
		{
			push @unmade, $f->{signature};
			last;
		}
		push @{ $by_function{ $f->{signature} } }, $call;
		$total++;
	}
}
is("@unmade", '', 'values can be made for every argument type');

my (@bad, %state);
foreach my $signature (sort keys %by_function)
{
	my @statement = @{ $by_function{$signature} };
	my $script = "SET statement_timeout = '20s';\nSET client_min_messages = error;\n" . join '', map { "SELECT try_call(" . literal($_) . ");\n" } @statement;
	my ($status, $output, $error) = node()->psql('postgres', $script);
	my @result = split /\n/, $output;
	# a value or message may hold line feeds: only lines that begin as results do are counted
	foreach my $i (0 .. $#result)
	{
		next unless $result[$i] =~ /^(value|[0-9A-Z]{5})(?: |$)/;
		$state{$1}++;
		push @bad, "$signature: $result[$i]" if $1 =~ /^(?:XX|57014|58|53200)/;
	}
	push @bad, "$signature: psql ended with $status: $error\nafter " . scalar(@result) . ' lines; statements: ' . substr(join("\n", @statement), 0, 3000) if $status != 0;
	node()->poll_query_until('postgres', 'SELECT true') if $status != 0;
}
is(join("\n", @bad), '', "$total calls of " . keys(%by_function) . ' functions end with a value or a clear error');
note(join ', ', map { "$_: $state{$_}" } sort keys %state);
cmp_ok($state{value} // 0, '>', 0, 'some calls gave a value');
no_crash();
done_testing();
