# Every SQL example of README.md and docs/ runs, and prints what the page says. How a page states that: test/perl/DocsPage.pm.
# Each page has a database of its own with the extension and the tables of demo/flights.sql.
# DOCS="docs/x.md" runs one page; DOCS_SHOW=1 prints what each block gave.
use strict;
use warnings;
use DocsPage qw(read_page script outputs difference);
use FeatureMeta;
use IPC::Run ();
use ProtoText qw(slurp);

# the runner itself
my @self = read_page("# x\n```sql\nSELECT 1;\n```\n\n```\n ?column?\n...\n(1 row)\n```\ntext\n```sql error\nSELECT 1/0;\n```\n```sh\nls\n```\n```\nnot output\n```\n");
is(scalar(@self), 2, 'the blocks of a page are found');
is_deeply([ map { [ $_->{line}, $_->{error}, defined $_->{expected} ? 1 : 0 ] } @self ], [ [ 2, 0, 1 ], [ 12, 1, 0 ] ], 'with their kinds and output');
is(difference($self[0], " ?column? \n----------\n        1\n(1 row)\n\n"), '', 'output that fits');
isnt(difference($self[0], " ?column? \n----------\n        1\n(2 rows)\n\n"), '', 'output that does not fit');
isnt(difference($self[0], "ERROR:  no\n"), '', 'an error that was not told of');
isnt(difference($self[1], " ?column? \n"), '', 'no error where one was told of');
isnt(difference($self[1], undef), '', 'a block that was not reached');

local $ENV{PGTZ} = 'UTC';
my $examples = 0;
foreach my $path ($ENV{DOCS} ? split(' ', $ENV{DOCS}) : ('README.md', sort glob('docs/*.md')))
{
	next unless -e $path;
	my @page = read_page(slurp($path));
	next unless @page;
	(my $name = lc $path) =~ s/\W+/_/g;
	new_database($name);
	node()->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', node()->connstr($name), '-f', 'demo/flights.sql' ], "$path: tables of the demo");
	my $script = script(@page);
	my $output = '';
	IPC::Run::run([ 'psql', '-Xq', '-d', node()->connstr($name), '-f', '-' ], '<', \$script, '>&', \$output);
	my @output = outputs($output);
	foreach my $i (0 .. $#page)
	{
		note("$path line $page[$i]{line}:\n$output[$i]") if $ENV{DOCS_SHOW} && defined $output[$i];
		is(difference($page[$i], $output[$i]), '', "$path line $page[$i]{line}");
		$examples++;
	}
}
cmp_ok($examples, '>', 0, "$examples examples were run");
no_crash();
done_testing();
