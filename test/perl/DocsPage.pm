# The SQL examples of a page of documentation, taken from its Markdown and run as a reader would.
#
#   ```sql          is run; it must not raise an error
#   ```sql error    must raise an error
#   a ``` block without a language (or ```text) that follows one with nothing but blank lines between holds the output that
#   psql prints for it: compared line by line, blanks at line ends apart; a line "..." stands for any number of lines
#
# The blocks of a page run top to bottom in one session. Core Perl only.
#   read_page($markdown)         list of { line, sql, error, expected (undef without) }
#   script($page)                text for psql with a marker around each block
#   outputs($psql_output)        what psql printed for each block
#   difference($block, $output)  what is wrong, in words, or ''
package DocsPage;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(read_page script outputs difference);

my $MARK = '@@ block @@';

sub read_page
{
	my ($markdown) = @_;
	my @block;
	my ($open, @text, $kind, $start);
	my $after = 0;    # the block before this line was SQL and nothing but blank lines has followed
	my $number = 0;
	foreach my $line (split /\n/, $markdown)
	{
		$number++;
		if (!defined $open)
		{
			if ($line =~ /^(\s*)(```+)\s*(.*?)\s*$/)
			{
				($open, $kind, $start, @text) = ($2, $3, $number);
			}
			elsif ($line =~ /\S/) { $after = 0; }
		}
		elsif ($line =~ /^\s*\Q$open\E\s*$/)
		{
			if ($kind =~ /^sql(?:\s+error)?$/)
			{
				push @block, { line => $start, sql => join("\n", @text), error => $kind =~ /error/ ? 1 : 0 };
				$after = 1;
			}
			else
			{
				$block[-1]{expected} = join("\n", @text) if $after && $kind =~ /^(?:text)?$/;
				$after = 0;
			}
			$open = undef;
		}
		else { push @text, $line; }
	}
	die "a code block of line $start is not closed\n" if defined $open;
	return @block;
}

sub script
{
	my (@block) = @_;
	return join('', "\\set SHOW_CONTEXT never\n", map { "$_->{sql}\n\\echo '$MARK'\n" } @block);
}

sub outputs
{
	my ($text) = @_;
	$text =~ s/^psql:[^:\n]*:\d+: //gm;
	my @output = split /^\Q$MARK\E\n/m, $text, -1;
	pop @output;
	return @output;
}

sub _lines
{
	my ($text) = @_;
	my @line = split /\n/, $text;
	s/\s+$// foreach @line;
	shift @line while @line && $line[0] eq '';
	pop @line while @line && $line[-1] eq '';
	return grep { $_ ne '' } @line;
}

sub difference
{
	my ($block, $output) = @_;
	return "not run: the session ended before it" unless defined $output;
	my $failed = $output =~ /^(?:ERROR|FATAL|PANIC):/m || $output =~ /^(?:\\|invalid command)/m;
	return "an error that the page does not tell of:\n$output" if $failed && !$block->{error};
	return "an error was expected, but it gave:\n$output" if !$failed && $block->{error};
	return '' unless defined $block->{expected};
	my $pattern = '';
	foreach my $line (_lines($block->{expected}))
	{
		$pattern .= $line eq '...' ? '(?:[^\n]*\n)*?' : "\Q$line\E\n";
	}
	my $actual = join '', map { "$_\n" } _lines($output);
	return '' if $actual =~ /\A$pattern\z/;
	return "expected:\n$block->{expected}\ngot:\n$actual";
}

1;
