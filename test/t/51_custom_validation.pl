# Custom validations against what TFDV's ZetaSQL gave: the reasons of each case, or that it is an error.
use strict;
use warnings;
use FeatureMeta;
use Golden qw(compare_anomalies compare_fields);
use JSON::PP ();

node();
my $json = JSON::PP->new->utf8(1);

sub statistics_literal
{
	my ($statistics) = @_;
	return literal($statistics =~ /\{/ ? $statistics : golden("statistics/$statistics.pbtxt")) . '::feature_statistics';
}

sub call_of
{
	my ($case) = @_;
	my @argument = (statistics_literal($case->{statistics}));
	my $config = literal($case->{config});
	push @argument, defined $case->{schema}
		? (literal($case->{schema}) . '::feature_schema', "custom_validation_config => $config")
		: ("config => $config");
	push @argument, (defined $case->{schema} ? 'previous_statistics' : 'base_statistics') . ' => ' . statistics_literal($case->{base_statistics})
		if defined $case->{base_statistics};
	push @argument, 'environment => ' . literal($case->{environment}) if defined $case->{environment};
	return (defined $case->{schema} ? 'validate_statistics' : 'custom_validate_statistics') . '(' . join(', ', @argument) . ')';
}

open my $in, '<:raw', golden_path('custom_validation/cases.jsonl') or die $!;
while (my $line = <$in>)
{
	my $case = $json->decode($line);
	my $call = call_of($case);
	if (exists $case->{error})
	{
		my $report = sql_error("SELECT $call");
		unlike($report, qr/^XX/, "$case->{id}: an error: " . ($report =~ /^(.*)/)[0]);
		next;
	}
	my $actual = sql("SELECT $call");
	# descriptions of validate_statistics' own reasons are ours; those of expressions are TFDV's to the letter
	my @difference = defined $case->{schema}
		? compare_anomalies($case->{expected}, $actual, labels => 1, order => 1)
		: compare_fields('anomalies', $case->{expected}, $actual);
	is(join("\n", @difference), '', $case->{id});
}

no_crash();
done_testing();
