# The comparison that golden tests lean on: it must see every planted difference, and read every golden document.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find;
use Golden qw(self_check read_message slurp);
use Test::More;

is(join("\n", self_check()), '', 'the comparison sees what differs and lets pass what does not');

my $golden = dirname(__FILE__) . '/../data/golden';
my %read = (statistics => 0, schema => 0, anomalies => 0);
my @unread;
find(
	{
		no_chdir => 1,
		wanted => sub {
			return unless /\.pbtxt$/ && !m{/schema_text/};
			my ($name) = m{([^/]*)$};
			my $kind = $name =~ /anomalies/ ? 'anomalies' : $name =~ /statistics/ ? 'statistics' : m{/schema/} || $name =~ /schema/ ? 'schema' : 'statistics';
			eval { read_message($kind, slurp($_)); $read{$kind}++; 1 } or push @unread, "$_: $@";
		},
	},
	$golden);
is(join('', @unread), '', 'every golden document is read');
cmp_ok($read{$_}, '>', 20, "$read{$_} documents of $_") foreach sort keys %read;
done_testing();
