# Statistics of tables against what TFDV gives for them: golden/statistics, structs, semantic and slices.
use strict;
use warnings;
use FeatureMeta;
use Golden qw(compare_fields compare_statistics);
use JSON::PP ();

my $json = JSON::PP->new->allow_nonref;

# One case: the call gives what is expected, by the comparison given
sub is_expected
{
	my ($call, $compare, $name) = @_;
	my $actual = eval { sql("SELECT $call") };
	return fail("$name: $@") unless defined $actual;
	return is(join("\n", $compare->($actual)), '', $name);
}

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
	my $expected = golden("statistics/$name.pbtxt");
	# of 3,500 titles TFDV lists the first seven by counts that are too high; which they are is chance there
	my $chance = $name eq 'movies.options' ? qr/^title\.rank_histogram: heavy value/ : qr/^$/;
	is_expected("generate_statistics('$table'$options)",
		sub { grep { !/$chance/ } compare_statistics($expected, $_[0], feature_order => 1) }, "statistics $name");
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

	sql('DROP TABLE IF EXISTS data, row_type');
	sql('CREATE TABLE data (' . join(', ', map { qq("$_" ) . $make_type->($columns->{$_}) } @order) . ')');
	# some rules look at the first rows only: CREATE TABLE AS keeps the order of the file, INSERT fills gaps
	sql('ALTER TABLE data RENAME TO row_type');
	sql('CREATE TABLE data AS SELECT (jsonb_populate_record(NULL::row_type, line::jsonb)).* FROM (VALUES '
			. join(', ', map { '(' . literal($_) . ')' } split /\n/, golden("$case/data.jsonl")) . ') AS file(line)');
	return;
}

# structs as jsonb: whole numbers in a float column are integers there, so only some cases can be equal
sub jsonb_type
{
	my ($type) = @_;
	return ref $type eq 'HASH' || (ref $type eq 'ARRAY' && ref $type->[0]) ? 'jsonb' : sql_type($type);
}

my %struct_case = map { $_->{id} => $_ } @{ $json->decode(golden('structs/index.json')) };
foreach my $folder (sort glob(golden_path('structs') . '/*'))
{
	my ($case) = $folder =~ m{(structs/[^/]+)$};
	# in one case TFDV itself dies
	next unless grep { -e } "$folder/statistics.pbtxt", "$folder/statistics_with_schema.pbtxt";
	my $with_schema = -e "$folder/statistics_with_schema.pbtxt";
	my $expected = golden("$case/statistics" . ($with_schema ? '_with_schema' : '') . '.pbtxt');
	my $schema = -e "$folder/schema.pbtxt" ? 'schema.pbtxt' : 'inferred_schema.pbtxt';
	my $options = $with_schema ? ', schema => ' . literal(golden("$case/$schema")) : '';
	my $weight = $struct_case{ $case =~ s{^structs/}{}r }{weight};
	$options .= ', weight_feature => ' . literal($weight) if defined $weight;

	# TFDV sums the weights of texts as 32-bit floats
	my $compare = sub { compare_fields('statistics', $expected, $_[0], defined $weight ? (rel => 1e-6) : ()) };
	load_rows($case, \&sql_type);
	is_expected("generate_statistics('data'$options)", $compare, $case);

	# nothing in the data tells that a column without a value would be a struct
	next if golden("$case/types.json") =~ /float/ || $case eq 'structs/all_null_struct';
	load_rows($case, \&jsonb_type);
	is_expected("generate_statistics('data'$options)", $compare, "$case as jsonb");
}

foreach my $folder (sort glob(golden_path('semantic') . '/*'))
{
	my ($case) = $folder =~ m{(semantic/[^/]+)$};
	next unless -d $folder;
	load_rows($case, \&sql_type);
	# a text with a zero byte, which no text here can have, counts as bytes: one column of images has some
	my @zero = $case eq 'semantic/images' ? (ignore => [qw(top_values rank_histogram invalid_utf8_count)]) : ();
	is_expected("generate_statistics('data', enable_semantic_domain_stats => true)",
		sub { compare_fields('statistics', golden("$case/statistics.pbtxt"), $_[0], @zero) }, $case);
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
	is_expected("generate_statistics('data', $options)",
		sub { compare_fields('statistics', golden("$case/statistics.pbtxt"), $_[0], rel => 1e-6) }, $case);
}

# ---- what TFDV gives where nothing in golden/ says it

# the edges between 0 and the smallest double are 0 up to the middle
sql('CREATE TABLE smallest AS SELECT unnest(ARRAY[0, 5e-324]) AS v');
is(sql("SELECT string_agg(round(COALESCE(b ->> 'sample_count', '0')::float8)::text, ' ') FROM jsonb_array_elements(generate_statistics('smallest')::jsonb #> '{datasets,0,features,0,num_stats,histograms,0,buckets}') AS b"),
	'1 0 0 0 0 1 0 0 0 0', 'buckets between the smallest doubles');

# components beside the allowlist are missing ones
sql('CREATE TABLE parts AS SELECT ARRAY[i] AS i, ARRAY[1, 2] AS v FROM generate_series(1, 3) AS i');
my $sparse = literal('sparse_feature { name: "s" value_feature { name: "v" } index_feature { name: "i" } }');
foreach ([ 'NULL', 0, -1 ], [ q{'{i}'}, 3, 1 ])
{
	my ($allowlist, $missing, $difference) = @$_;
	is(sql("SELECT (s #>> '{0,num}')::float8 || ' ' || (s #>> '{2,rank_histogram,buckets,0,sample_count}')::float8 FROM (SELECT f -> 'custom_stats' AS s
		FROM jsonb_array_elements(generate_statistics('parts', schema => $sparse, feature_allowlist => $allowlist)::jsonb #> '{datasets,0,features}') AS f
		WHERE f #>> '{path,step,0}' = 's') AS x"),
		"$missing $difference", "a sparse feature, allowlist $allowlist");
}

no_crash();
done_testing();
