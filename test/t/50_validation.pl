# validate_statistics and validate_corresponding_slices against what TFDV gave for the same input: types, severities, short
# descriptions, paths, order of reasons, measurements; and every number of TFDV's descriptions is in ours.
use strict;
use warnings;
use FeatureMeta;
use File::Basename qw(basename);
use Golden qw(compare_anomalies compare_schema read_message slurp);
use ProtoText qw(get list);

node();

sub exists_golden { my ($file) = @_; return -e golden_path($file); }

sub text_of { my ($file) = @_; my $text = slurp(golden_path($file)); $text =~ s/\s+\z//; return $text; }

# Statistics of a case: its own file, or those of a table that it names
sub statistics_of
{
	my ($folder, $stem) = @_;
	my $pointer = "$folder/" . ($stem eq 'statistics' ? 'data_table.txt' : $stem . '_data_table.txt');
	return golden("$folder/$stem.pbtxt") if exists_golden("$folder/$stem.pbtxt");
	return golden('statistics/' . text_of($pointer) . '.pbtxt') if exists_golden($pointer);
	return undef;
}

sub argument
{
	my ($name, $value, $type) = @_;
	return defined $value ? (", $name => " . literal($value) . "::$type") : ('');
}

# Numbers in what TFDV says of a reason that ours does not have
sub facts_left_out
{
	my ($expected, $actual) = @_;
	my %theirs = %{ $expected->{anomaly_info} // {} };
	my %ours = %{ $actual->{anomaly_info} // {} };
	my @lost;
	foreach my $key (sort keys %theirs)
	{
		my @reason = list($ours{$key} // {}, 'reason');
		foreach my $e (list($theirs{$key}, 'reason'))
		{
			my $description = get(shift(@reason) // {}, 'description') // '';
			foreach my $number ((get($e, 'description') // '') =~ /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g)
			{
				push @lost, "$key: $number" if index($description, $number) < 0;
			}
		}
	}
	return @lost;
}

sub check_case
{
	my ($name, $call, $expected_text, $schema) = @_;
	my $actual_text = sql("SELECT $call");
	my @difference = compare_anomalies($expected_text, $actual_text, labels => 1, order => 1);
	my $actual = read_message('anomalies', $actual_text);
	my $expected = read_message('anomalies', $expected_text);
	push @difference, facts_left_out($expected, $actual);
	push @difference, 'anomaly_name_format' if (get($expected, 'anomaly_name_format') // 0) ne (get($actual, 'anomaly_name_format') // 0);
	push @difference, 'baseline is not the schema'
		if defined $schema && sql("SELECT feature_schema(" . literal($actual_text) . "::feature_anomalies::jsonb -> 'baseline') = " . literal($schema) . '::feature_schema') ne 't';
	is(join("\n", @difference), '', $name);
	return;
}

foreach my $case (map { basename($_) } grep { -d } glob(golden_path('anomalies/*')))
{
	my $at = "anomalies/$case";
	my $previous = statistics_of($at, 'previous');
	my $serving = exists_golden("$at/serving_same_as_previous.txt") ? $previous : statistics_of($at, 'serving');
	my $environment = exists_golden("$at/environment.txt") ? text_of("$at/environment.txt") : undef;
	my $schema = golden("$at/schema.pbtxt");
	my $call = 'validate_statistics(' . literal(statistics_of($at, 'statistics')) . '::feature_statistics, ' . literal($schema) . '::feature_schema'
		. argument('environment', $environment, 'text')
		. argument('previous_statistics', $previous, 'feature_statistics')
		. argument('serving_statistics', $serving, 'feature_statistics') . ')';
	check_case("anomalies: $case", $call, golden("$at/expected_anomalies.pbtxt"), $schema);
}

foreach my $case (map { basename($_) } grep { -d } glob(golden_path('structs/*')))
{
	my $at = "structs/$case";
	next unless exists_golden("$at/expected_anomalies.pbtxt");
	my $schema = golden(exists_golden("$at/schema.pbtxt") ? "$at/schema.pbtxt" : "$at/inferred_schema.pbtxt");
	my $statistics = golden(exists_golden("$at/statistics.pbtxt") ? "$at/statistics.pbtxt" : "$at/statistics_with_schema.pbtxt");
	check_case("structs: $case", 'validate_statistics(' . literal($statistics) . ', ' . literal($schema) . ')', golden("$at/expected_anomalies.pbtxt"), $schema);
}

foreach my $case (map { basename($_) } grep { -d } glob(golden_path('slices/*')))
{
	my $at = "slices/$case";
	foreach my $kind (qw(corresponding_slices default_slice))
	{
		next unless exists_golden("$at/expected_anomalies_$kind.pbtxt");
		my $function = $kind eq 'default_slice' ? 'validate_statistics' : 'validate_corresponding_slices';
		check_case("slices: $case, $kind",
			"$function(" . literal(golden("$at/statistics.pbtxt")) . ', ' . literal(golden("$at/schema.pbtxt"))
				. argument('previous_statistics', statistics_of($at, 'previous'), 'feature_statistics') . ')',
			golden("$at/expected_anomalies_$kind.pbtxt"));
	}
}

no_crash();
done_testing();
