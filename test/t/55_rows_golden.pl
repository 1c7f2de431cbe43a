# Rows against a schema: reasons, labels and paths as TFDV's validate_instance gave them for each row. What it does not
# say, a NULL in a required column, is left out of the comparison.
use strict;
use warnings;
use FeatureMeta;
use File::Basename qw(basename);
use JSON::PP ();
use ProtoText qw(get list);
use Golden qw(read_message);

node();
my $json = JSON::PP->new->utf8(1);

# path => [TYPE short_description, ...] of an Anomalies document
sub reasons
{
	my ($text) = @_;
	my %found;
	my $map = read_message('anomalies', $text)->{anomaly_info} // {};
	foreach my $key (keys %$map)
	{
		my $info = $map->{$key};
		my @reason = map { get($_, 'type') . ' ' . get($_, 'short_description') } list($info, 'reason');
		@reason = grep { !/^(?:19|FEATURE_TYPE_NOT_PRESENT) / } @reason;
		$found{$key} = \@reason if @reason;
	}
	return \%found;
}

foreach my $folder (map { basename($_) } grep { -d } glob(golden_path('examples/rows/*')))
{
	my $at = "examples/rows/$folder";
	my $case = $json->decode(golden("$at/reasons.json"));
	my $table = "rows_$folder";
	my $create = golden("$at/data.sql") =~ s/create table data/create table $table/r;
	my $csv = golden_path("$at/data.csv");
	sql("$create\n\\copy $table from '$csv' with (format csv, header true, encoding 'UTF8')");
	my $schema = literal(golden("$at/schema.pbtxt")) . '::feature_schema';
	my $environment = defined $case->{environment} ? literal($case->{environment}) : 'NULL';

	my %expected = map { my $line = $json->decode($_); ($line->{row} => reasons($line->{expected})) } split /\n/, golden("$at/expected_rows.jsonl");
	my $rows = sql("SELECT json_agg(row_anomalies(t.*, $schema, $environment)::text ORDER BY t.ctid) FROM $table t");
	my (%got, $row);
	foreach my $text (@{ $json->decode($rows) })
	{
		my $found = reasons($text);
		$row++;
		$got{$row} = $found if %$found;
	}
	is_deeply(\%got, \%expected, "row_anomalies: $folder");

	my $by_reason = $json->decode(sql("SELECT coalesce(json_object_agg(key, rows), '{}') FROM (
		SELECT a.\"column\" || '_' || a.reason AS key, json_agg(t.n ORDER BY t.n) AS rows
		FROM anomalous_rows('$table', $schema, environment => $environment) a
			JOIN (SELECT ctid, row_number() OVER (ORDER BY ctid) AS n FROM $table) t USING (ctid)
		WHERE a.reason <> 'FEATURE_TYPE_NOT_PRESENT' GROUP BY 1) s"));
	is_deeply($by_reason, $case->{reasons}, "anomalous_rows: $folder");

	is(sql("SELECT count(*) FROM $table t WHERE is_valid_row(t.*, $schema, $environment)
			<> (row_anomalies(t.*, $schema, $environment)::text = 'anomaly_name_format: SERIALIZED_PATH' || chr(10))"), '0',
		"is_valid_row agrees with row_anomalies: $folder");
}

no_crash();
done_testing();
