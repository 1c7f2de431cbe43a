# Statistics of tables against what TFDV gives for them: golden/statistics, structs, semantic and slices.
use strict;
use warnings;
use FeatureMeta;
use Golden qw(compare_fields compare_statistics);
use JSON::PP ();

my $json = JSON::PP->new->allow_nonref;

# ---- golden/statistics: whole tables, and options

my %option = (
	plain => '',
	options => ', num_top_values => 3, num_rank_histogram_buckets => 7, num_values_histogram_buckets => 4,'
		. ' num_histogram_buckets => 5, num_quantiles_histogram_buckets => 6, frequency_threshold => 2',
);

my %loaded;
foreach my $file (sort glob(golden_path('statistics') . '/*.pbtxt'))
{
	my ($name) = $file =~ m{([^/]+)\.pbtxt$};
	my ($table, $variant) = split /\./, $name, 2;
	next if $name =~ /\.schema$/;
	$variant //= 'plain';
	load_golden($table) unless $loaded{$table}++;

	my $options = $option{$variant};
	$options = ", weight_feature => '$1'" if $variant =~ /^weighted_by_(.*)/;
	$options = ', schema => ' . literal(golden("statistics/$name.schema.pbtxt")) if $variant eq 'categorical_int';
	my $actual = sql("SELECT generate_statistics('$table'$options)");
	is(join("\n", compare_statistics(golden("statistics/$name.pbtxt"), $actual, feature_order => 1)), '', "statistics $name");
}

# ---- golden/structs and golden/semantic: rows as JSON, each column of the type that types.json tells

my $types = 0;

# The SQL type of a column; jsonb where PostgreSQL's own types cannot hold it: lists of lists of any lengths, empty names
sub sql_type
{
	my ($type) = @_;
	return { int => 'bigint', float => 'double precision', bool => 'boolean' }->{$type} // $type unless ref $type;
	if (ref $type eq 'ARRAY')
	{
		my $element = sql_type($type->[0]);
		return $element =~ /\]$/ || $element eq 'jsonb' ? 'jsonb' : "$element\[]";
	}
	my @fields = map { [ $_, sql_type($type->{$_}) ] } sort keys %$type;
	return 'jsonb' if grep { $_->[0] eq '' || $_->[1] eq 'jsonb' } @fields;
	my $name = 'struct_' . ++$types;
	sql("CREATE TYPE $name AS (" . join(', ', map { qq("$_->[0]" $_->[1]) } @fields) . ')');
	return $name;
}

sub load_rows
{
	my ($case, $make_type) = @_;
	my $columns = $json->decode(golden("$case/types.json"));
	# the order of the columns is that of the file, which a hash does not keep
	my %place = map { $_ => index(golden("$case/types.json"), $json->encode($_) . ':') } keys %$columns;
	my @order = sort { $place{$a} <=> $place{$b} } keys %$columns;

	sql('DROP TABLE IF EXISTS data');
	sql('CREATE TABLE data (' . join(', ', map { qq("$_" ) . $make_type->($columns->{$_}) } @order) . ')');
	sql(join("\n", map { 'INSERT INTO data SELECT (jsonb_populate_record(NULL::data, ' . literal($_) . ')).*;' }
				split /\n/, golden("$case/data.jsonl")));
	return;
}

# structs as jsonb: whole numbers in a float column are integers there, so only some cases can be equal
sub jsonb_type
{
	my ($type) = @_;
	return ref $type eq 'HASH' || (ref $type eq 'ARRAY' && ref $type->[0]) ? 'jsonb' : sql_type($type);
}

foreach my $folder (sort glob(golden_path('structs') . '/*'))
{
	my ($case) = $folder =~ m{(structs/[^/]+)$};
	next unless -d $folder;
	my $with_schema = -e "$folder/statistics_with_schema.pbtxt";
	my $expected = golden("$case/statistics" . ($with_schema ? '_with_schema' : '') . '.pbtxt');
	my $schema = -e "$folder/schema.pbtxt" ? 'schema.pbtxt' : 'inferred_schema.pbtxt';
	my $options = $with_schema ? ', schema => ' . literal(golden("$case/$schema")) : '';

	load_rows($case, \&sql_type);
	my $actual = sql("SELECT generate_statistics('data'$options)");
	is(join("\n", compare_fields('statistics', $expected, $actual)), '', $case);

	next if golden("$case/types.json") =~ /float/;
	load_rows($case, \&jsonb_type);
	$actual = sql("SELECT generate_statistics('data'$options)");
	is(join("\n", compare_fields('statistics', $expected, $actual)), '', "$case as jsonb");
}

foreach my $folder (sort glob(golden_path('semantic') . '/*'))
{
	my ($case) = $folder =~ m{(semantic/[^/]+)$};
	next unless -d $folder;
	load_rows($case, \&sql_type);
	my $actual = sql("SELECT generate_statistics('data', enable_semantic_domain_stats => true)");
	is(join("\n", compare_fields('statistics', golden("$case/statistics.pbtxt"), $actual)), '', $case);
}

# ---- golden/slices

foreach my $folder (sort glob(golden_path('slices') . '/*'))
{
	my ($case) = $folder =~ m{(slices/[^/]+)$};
	next unless -d $folder;
	my $spec = $json->decode(golden("$case/spec.json"));
	my $options = $spec->{functions} ? 'slice_functions => ' . literal($json->encode($spec->{functions}))
		: 'slice_sqls => ARRAY[' . join(', ', map { literal($_) } @{ $spec->{sqls} }) . ']';
	$options .= ", weight_feature => '$spec->{weight_feature}'" if $spec->{weight_feature};

	sql("DROP TABLE IF EXISTS data;\n" . golden("$case/data.sql"));
	sql("\\copy data from '$folder/data.csv' with (format csv, header true, encoding 'UTF8')");
	if ($spec->{error})
	{
		like(sql_error("SELECT generate_statistics('data', $options)"), qr/^22023: /, "$case is an error");
		next;
	}
	my $actual = sql("SELECT generate_statistics('data', $options)");
	is(join("\n", compare_fields('statistics', golden("$case/statistics.pbtxt"), $actual, rel => 1e-6)), '', $case);
}

no_crash();
done_testing();
