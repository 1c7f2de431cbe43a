# The pieces of sql/ state what the catalogue then holds: each function its volatility, strictness and parallel label, each
# aggregate its parallel label. And what must agree between files does: the version, the index of the docs.
use strict;
use warnings;
use FeatureMeta;
use IPC::Run ();
use JSON::PP ();
use ProtoText qw(slurp);

# statements of a piece, without comments, strings and bodies
sub statements
{
	my ($text) = @_;
	$text =~ s{--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1|E?'(?:[^']|'')*'|(BEGIN\s+ATOMIC\b).*?\bEND\s*;}{defined $2 ? 'BODY;' : defined $1 ? 'BODY' : ' '}gise;
	return map { s/\s+/ /gr =~ s/^ | $//gr } split /;/, $text;
}

my (%stated, @unstated, $functions);
foreach my $path (sort glob('sql/[0-9]*.sql'))
{
	foreach my $statement (statements(slurp($path)))
	{
		if ($statement =~ /^CREATE (?:OR REPLACE )?FUNCTION (?:\@extschema\@\.|public\.)?"?([\w.]+)"?\s*\(/i)
		{
			my $name = $1;
			$functions++;
			(my $tail = $statement) =~ s/\b(?:RETURN (?!S)|BODY\b).*//i;
			my ($volatile) = $statement =~ /\b(IMMUTABLE|STABLE|VOLATILE)\b/i;
			my ($strict) = $statement =~ /\b(STRICT|RETURNS NULL ON NULL INPUT|CALLED ON NULL INPUT)\b/i;
			my ($parallel) = $statement =~ /\bPARALLEL (SAFE|RESTRICTED|UNSAFE)\b/i;
			push @unstated, "$path: $name" unless $volatile && $strict && $parallel;
			next unless $volatile && $strict && $parallel;
			push @{ $stated{$name} }, join ' ', uc $volatile, ($strict =~ /CALLED/i ? 'CALLED' : 'STRICT'), uc $parallel;
		}
		elsif ($statement =~ /^CREATE (?:OR REPLACE )?AGGREGATE (?:\@extschema\@\.)?"?([\w.]+)"?\s*\(/i)
		{
			my $name = $1;
			my ($parallel) = $statement =~ /\bPARALLEL = (SAFE|RESTRICTED|UNSAFE)\b/i;
			push @unstated, "$path: aggregate $name" unless $parallel;
			push @{ $stated{$name} }, 'AGGREGATE ' . uc($parallel // 'NOTHING');
		}
	}
}
is(join("\n", @unstated), '', 'every function states volatility, strictness and parallel label, every aggregate its parallel label');

my %held;
foreach my $line (split /\n/, sql(<<'SQL'))
SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || p.proname, p.prokind,
	CASE WHEN p.prokind = 'a' THEN 'AGGREGATE' ELSE
		CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END || CASE WHEN p.proisstrict THEN ' STRICT' ELSE ' CALLED' END END
	|| CASE p.proparallel WHEN 's' THEN ' SAFE' WHEN 'r' THEN ' RESTRICTED' ELSE ' UNSAFE' END
FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND p.prokind IN ('f', 'a')
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'feature_meta')
SQL
{
	my ($name, undef, $label) = split /\|/, $line;
	push @{ $held{$name} }, $label;
}
my %name = map { $_ => 1 } keys %stated, keys %held;
my @differ = map { my ($s, $h) = map { join ', ', sort @{ $_ // [] } } $stated{$_}, $held{$_}; $s eq $h ? () : "$_: sql/ says [$s], the catalogue [$h]" } sort keys %name;
is(join("\n", @differ), '', 'the catalogue holds what sql/ states');

# the version stands in the control file; what must repeat it does
my ($version) = slurp('feature_meta.control') =~ /^default_version = '(.*)'/m;
my $meta = JSON::PP->new->utf8->decode(slurp('META.json'));
is($meta->{version}, $version, 'META.json: version');
is($meta->{provides}{feature_meta}{version}, $version, 'META.json: provided version');
like(slurp('CHANGELOG.md'), qr/^## \Q$version\E /m, 'CHANGELOG.md has the version');
is(sql("SELECT extversion FROM pg_extension WHERE extname = 'feature_meta'"), $version, 'the installed version');

# the table of functions is the catalogue's
{
	my ($table) = slurp('README.md') =~ /<!-- functions -->\n\n(.*)<!-- end of functions -->/s;
	local @ENV{qw(PGHOST PGPORT PGDATABASE)} = (node()->host, node()->port, 'postgres');
	my ($text, $error) = ('', '');
	IPC::Run::run([ 'scripts/reference' ], '>', \$text, '2>', \$error);
	is($error, '', 'the functions are listed');
	my %table = map { $_ => 1 } split /\n/, $table;
	my %text = map { $_ => 1 } split /\n/, $text;
	is(join("\n", (map { "not in README.md: $_" } grep { !$table{$_} } sort keys %text), (map { "not in the catalogue: $_" } grep { !$text{$_} } sort keys %table)),
		'', 'README.md lists every function: make reference renews it');
}

# every page of docs/ is in README's index and has a title
my $readme = slurp('README.md');
foreach my $path (sort glob('docs/*.md'))
{
	like($readme, qr/\(\Q$path\E\)/, "README.md links $path");
	like(slurp($path), qr/\A# \S/, "$path has a title");
}

# links to files inside README.md and docs/ lead somewhere
foreach my $path ('README.md', 'CHANGELOG.md', sort glob('docs/*.md'))
{
	my ($dir) = $path =~ m{^(.*/)};
	my @broken = grep { !-e (($dir // '') . $_) } grep { !m{^(?:https?:|#)} } map { s/#.*//r || '#' } slurp($path) =~ /\]\(([^)\s]+)\)/g;
	is("@broken", '', "$path: no broken link");
}
done_testing();
