# Cross features, lift and mutual information against what TFDV gives (golden/cross).
use strict;
use warnings;
use FeatureMeta;
use Golden qw(compare_fields);
use JSON::PP ();

# An SQL array of texts or numbers, arrays inside arrays included; NULL for null
sub array
{
	my ($values, $type) = @_;
	return 'NULL' unless defined $values;
	return 'ARRAY[' . join(', ', map { ref $_ ? array($_, $type) : $type eq 'text' ? literal($_) : $_ } @$values) . "]::${type}[]";
}

sub value
{
	my ($value) = @_;
	return defined $value ? literal($value) : 'NULL';
}

sub call
{
	my ($spec, $case) = @_;
	my $schema = -e golden_path("$case/schema.pbtxt") ? literal(golden("$case/schema.pbtxt")) . '::feature_schema' : 'NULL';
	return 'cross_feature_statistics(\'data\', ' . array($spec->{feature_crosses}, 'text') . ')' if $spec->{kind} eq 'cross';
	return "mutual_information('data', " . literal($spec->{label}) . ", $schema)" if $spec->{kind} eq 'mutual_information';
	my $slices = defined $spec->{slices} ? literal(JSON::PP->new->encode([ $spec->{slices} ])) : 'NULL';
	return "lift_statistics('data', y_path => " . literal($spec->{y}) . ', x_paths => ' . array($spec->{x_paths}, 'text')
		. ", schema => $schema, y_boundaries => " . array($spec->{y_boundaries}, 'float8')
		. ', min_x_count => ' . ($spec->{min_x_count} // 0) . ', top_k_per_y => ' . ($spec->{top_k_per_y} // 'NULL')
		. ', bottom_k_per_y => ' . ($spec->{bottom_k_per_y} // 'NULL') . ', weight_feature => ' . value($spec->{weight})
		. ', output_custom_stats => ' . ($spec->{output_custom_stats} ? 'true' : 'false') . ", slice_functions => $slices)";
}

# mutual information of numbers is an estimate with noise, and the adjusted ones rest on a random shuffle
my @ignore = map { "sklearn_${_}mutual_information" } 'adjusted_', 'normalized_adjusted_';

foreach my $folder (sort glob(golden_path('cross') . '/*/*'))
{
	my ($case) = $folder =~ m{(cross/[^/]+/[^/]+)$};
	next unless -d $folder;
	my $spec = JSON::PP->new->decode(golden("$case/spec.json"));

	sql("DROP TABLE IF EXISTS data;\n" . golden("$case/data.sql"));
	sql("\\copy data from '$folder/data.csv' with (format csv, header true, encoding 'UTF8')");
	if ($spec->{error})
	{
		like(sql_error('SELECT ' . call($spec, $case)), qr/^22023: /, "$case is an error");
		next;
	}

	my $actual = sql('SELECT ' . call($spec, $case));
	my $expected = golden("$case/statistics.pbtxt");
	my @without = @ignore;
	# where a column is numeric only the others are compared
	push @without, 'sklearn_mutual_information' if $case =~ m{mutual_information/(census|numeric_label)$};
	if (defined $spec->{weight})
	{
		# TFDV divides the weight of y by the number of rows, not by their weight: its lift by weight is too small by
		# the mean weight
		my $mean = sql("SELECT avg($spec->{weight}::float8) FROM data");
		my $weighted;
		$actual = join("\n", map {
				$weighted = 0 if /^\s*y_count: /;
				$weighted = 1 if /^\s*weighted_y_count: /;
				/^(\s*lift: )(\S+)$/ && $weighted ? $1 . $2 / $mean : $_;
			} split /\n/, $actual);
	}
	is(join("\n", compare_fields('statistics', $expected, $actual, ignore => \@without)), '', $case);
}

# the figures of categorical columns do not depend on the label being numeric or not
sql("CREATE TABLE pairs AS SELECT i % 3 AS x, (i % 3)::text AS y FROM generate_series(1, 300) i");
my $schema = literal('feature { name: "x" type: INT int_domain { is_categorical: true } shape { dim { size: 1 } } }'
		. ' feature { name: "y" type: BYTES shape { dim { size: 1 } } }') . '::feature_schema';
is(sql("SELECT round((c ->> 'num')::numeric, 12) FROM jsonb_path_query(mutual_information('pairs', 'y', $schema)::jsonb,"
			. " '\$.datasets[0].features[0].custom_stats[*] ? (\@.name like_regex \"^sklearn_mutual\")') c"),
	sql('SELECT round(ln(3::numeric), 12)'), 'mutual information of a column with itself is its entropy');

# infinities: what E[xy] - E[x] E[y] is in floating point, a product that is NaN left out; checked with TFDV on 1,788 random pairs
foreach (
	[ '-inf', 'inf -1', '1 2' ],
	[ 'inf', 'inf 1', '1 -2' ],
	[ 'nan', 'inf 1', '1 2' ],
	[ '-inf', 'inf 0', '1 2' ],
	[ 'nan', 'inf 1', '0 0' ],
	[ 'nan', 'inf 1', '-inf 1' ],
	[ 'nan', 'inf 1', 'inf -1', '-1 -9' ],
	[ undef, 'inf nan', 'nan 1' ])
{
	my ($covariance, @rows) = @$_;
	my $values = join ', ', map { sprintf "('%s'::float8, '%s'::float8)", split } @rows;
	my $text = sql("DROP TABLE IF EXISTS far; CREATE TABLE far (x, y) AS VALUES $values; SELECT cross_feature_statistics('far')");
	is(join(' ', $text =~ /covariance: (\S+)/), $covariance // '', "covariance of @rows");
	unlike($text, qr/correlation/, '... and no correlation');
}

no_crash();
done_testing();
