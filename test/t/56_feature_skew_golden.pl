# Two tables row by row: counts as TFDV's DetectFeatureSkew gave them.
use strict;
use warnings;
use FeatureMeta;
use File::Basename qw(basename);
use JSON::PP ();

node();
my $json = JSON::PP->new->utf8(1);

sub csv_text
{
	my ($path) = @_;
	my $text = golden($path) =~ s/\A[^\n]*\n//r;
	$text =~ s/\r//g;
	$text =~ s/\n\z//;
	return $text;
}

foreach my $folder (map { basename($_) } grep { -d } glob(golden_path('examples/feature_skew/*')))
{
	my $at = "examples/feature_skew/$folder";
	my $spec = $json->decode(golden("$at/spec.json"));
	foreach my $side (qw(base test))
	{
		my $table = "skew_${folder}_$side";
		my $create = golden("$at/$side.sql") =~ s/create table \w+/create table $table/r;
		my $csv = golden_path("$at/$side.csv");
		sql("$create\n\\copy $table from '$csv' with (format csv, header true, encoding 'UTF8')");
	}
	my $list = sub { my ($names) = @_; return defined $names ? 'ARRAY[' . join(', ', map { literal($_) } @$names) . ']::text[]' : 'NULL' };
	my $tables = "'skew_${folder}_base', 'skew_${folder}_test', " . $list->($spec->{identifier_features});
	my $digits = $spec->{float_round_ndigits} // 'NULL';
	my $duplicates = $spec->{allow_duplicate_identifiers} ? 'true' : 'false';
	my $csv = sub { my ($query) = @_; return sql("\\copy ($query) to stdout with (format csv)") };
	my $confusion = "SELECT * FROM feature_skew_confusion($tables, " . $list->($spec->{confusion}) . ", $digits, $duplicates)";

	if ($spec->{error})
	{
		like(sql_error($confusion), qr/^0A000/, "$folder: an error");
		next;
	}
	is($csv->("SELECT * FROM feature_skew($tables, " . $list->($spec->{features_to_ignore}) . ", $digits, $duplicates)"),
		csv_text("$at/skew_results.csv"), "feature_skew: $folder");
	is($csv->("SELECT * FROM feature_skew_match_stats($tables, $digits)"), csv_text("$at/match_stats.csv"), "match stats: $folder");
	if ($spec->{confusion})
	{
		is(join("\n", sort split /\n/, $csv->($confusion)), join("\n", sort split /\n/, csv_text("$at/confusion_counts.csv")), "confusion: $folder");
	}
}

no_crash();
done_testing();
