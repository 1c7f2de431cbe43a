# infer_schema, update_schema and the display tables against what TFDV gave for the same input.
use strict;
use warnings;
use FeatureMeta;
use File::Basename qw(basename);
use Golden qw(compare_fields);
use JSON::PP ();

node();
my $json = JSON::PP->new->utf8(0);

# Both documents are schemas: every field equal, but for the noise of floats.
sub is_schema
{
	my ($actual, $file, $name) = @_;
	my @difference = compare_fields('schema', golden($file), $actual, rel => 1e-12);
	return is(join("\n", @difference), '', $name);
}

sub infer
{
	my ($statistics, @arguments) = @_;
	return sql('SELECT infer_schema(' . join(', ', literal(golden($statistics)) . '::feature_statistics', @arguments) . ')');
}

# Rows of a CSV file, header apart.
sub csv_rows
{
	my ($text) = @_;
	my (@rows, @row);
	while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\z)/gc)
	{
		my ($quoted, $plain, $end) = ($1, $2, $3);
		last if $end eq '' && !@row && !defined $quoted && $plain eq '';
		$quoted =~ s/""/"/g if defined $quoted;
		push @row, $quoted // $plain;
		next if $end eq ',';
		push @rows, [@row];
		@row = ();
		last if $end eq '';
	}
	shift @rows;
	return \@rows;
}

# Rows that a query returns, as arrays of its columns.
sub rows
{
	my ($query, @columns) = @_;
	my $list = join ', ', map { "d.\"$_\"" } @columns;
	return $json->decode(sql("SELECT coalesce(json_agg(json_build_array($list) ORDER BY n), '[]') FROM ($query) AS d"));
}

foreach my $file (map { basename($_) } glob(golden_path('schema/*.pbtxt')))
{
	my ($table) = $file =~ /^([^.]*)/;
	my $shape = $file =~ /\.no_shape\./ ? 'false' : 'true';
	my $size = $file =~ /\.domain_(\d+)\./ ? $1 : 100;
	is_schema(infer("statistics/$table.pbtxt", $shape, $size), "schema/$file", "infer_schema: $file");
}

foreach my $folder (map { basename($_) } grep { -d } glob(golden_path('structs/*')), glob(golden_path('semantic/*')))
{
	my ($kind) = grep { -d golden_path("$_/$folder") } qw(structs semantic);
	my $at = "$kind/$folder";
	my $statistics = -e golden_path("$at/statistics.pbtxt") ? "$at/statistics.pbtxt" : "$at/statistics_with_schema.pbtxt";
	# its values have NULs, which no string of ours may
	next if $folder eq 'images';
	if (-e golden_path("$at/inferred_schema.pbtxt"))
	{
		is_schema(infer($statistics), "$at/inferred_schema.pbtxt", "infer_schema: $at");
	}
	if (-e golden_path("$at/inferred_schema.no_shape.pbtxt"))
	{
		is_schema(infer($statistics, 'false'), "$at/inferred_schema.no_shape.pbtxt", "infer_schema without shape: $at");
	}
	next unless $kind eq 'structs';
	my $schema = -e golden_path("$at/schema.pbtxt") ? "$at/schema.pbtxt" : "$at/inferred_schema.pbtxt";
	next unless -e golden_path($schema);
	# TFDV aborts on the statistics of a deprecated sparse feature
	next if $folder eq 'sparse_deprecated';
	my $updated = sql('SELECT update_schema(' . literal(golden($schema)) . '::feature_schema, '
		  . literal(golden($statistics)) . '::feature_statistics)');
	is_schema($updated, -e golden_path("$at/updated_schema.pbtxt") ? "$at/updated_schema.pbtxt" : $schema, "update_schema: $at");
}

foreach my $file (glob(golden_path('display/schema/*.features.csv')))
{
	my $name = basename($file, '.features.csv');
	my $source = golden(-e golden_path("schema/$name.pbtxt") ? "schema/$name.pbtxt" : "display/schema/$name.pbtxt");
	my $schema = literal($source) . '::feature_schema';
	is_deeply(rows("SELECT * FROM display_schema($schema) WITH ORDINALITY AS t(feature_name, type, presence, valency, domain, n)",
			qw(feature_name type presence valency domain)),
		csv_rows(golden("display/schema/$name.features.csv")), "display_schema: $name");
	is_deeply(rows("SELECT * FROM display_domains($schema) WITH ORDINALITY AS t(domain, \"values\", n)", qw(domain values)),
		-e golden_path("display/schema/$name.domains.csv") ? csv_rows(golden("display/schema/$name.domains.csv")) : [],
		"display_domains: $name");
}

foreach my $file (glob(golden_path('display/anomalies/*.csv')))
{
	my $name = basename($file, '.csv');
	my $anomalies = literal(golden("anomalies/$name/expected_anomalies.pbtxt")) . '::feature_anomalies';
	is_deeply(rows("SELECT * FROM display_anomalies($anomalies) WITH ORDINALITY AS t(feature_name, short_description, long_description, n)",
			qw(feature_name short_description long_description)),
		csv_rows(golden("display/anomalies/$name.csv")), "display_anomalies: $name");
}

foreach my $file (glob(golden_path('display/drift/*.csv')))
{
	my $name = basename($file, '.csv');
	my $anomalies = literal(golden("anomalies/$name/expected_anomalies.pbtxt")) . '::feature_anomalies';
	my $got = rows("SELECT * FROM display_drift_skew($anomalies) WITH ORDINALITY AS t(path, type, value, threshold, n)",
		qw(path type value threshold));
	my $want = csv_rows(golden("display/drift/$name.csv"));
	$_->[2] += 0, $_->[3] += 0 foreach @$got, @$want;
	is_deeply($got, $want, "display_drift_skew: $name");
}

no_crash();
done_testing();
