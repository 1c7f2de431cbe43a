# Reads a document of TensorFlow Metadata or ML Metadata, in protobuf's text format or its JSON mapping with original
# field names, by the field types in proto/. It shares nothing with the extension's readers. Core Perl only.
#
#   read_message($message_name, $text)    nested hashes of the fields that are set; '' holds the message's descriptor
#   has($m, $field), get($m, $field)      is it set; its value or default (an empty message for a message)
#   list($m, $field), which($m, $oneof)   elements of a repeated field; name of the member that is set, or ''
package ProtoText;

use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Spec;
use JSON::PP ();

our @EXPORT_OK = qw(read_message has get list which slurp);

# ---------------------------------------------------------------- the messages' fields, from proto/

my (%message, %enum);
my $SCALAR = qr/^(?:double|float|u?int(?:32|64)|s?fixed(?:32|64)|sint(?:32|64)|bool|string|bytes)$/;

# Reads the .proto files once: enough of their language for files that hold only messages and enums.
sub _descriptors
{
	return if %message;
	my $top = File::Spec->catdir(dirname(__FILE__), '..', '..', 'proto');
	foreach my $file (glob("$top/*.proto"), glob("$top/google/protobuf/*.proto"))
	{
		my $text = slurp($file);
		$text =~ s{//[^\n]*|/\*.*?\*/}{}gs;
		my $proto3 = $text =~ /syntax\s*=\s*"proto3"/;
		my ($package) = $text =~ /^\s*package\s+([\w.]+)\s*;/m;
		my @token = $text =~ /"(?:[^"\\]|\\.)*"|[\w.]+|[{}\[\]<>=;,()-]/g;
		my @scope = ($package);
		my @block = ('file');
		my $oneof;
		while (@token)
		{
			my $t = shift @token;
			if ($t eq '}')
			{
				my $kind = pop @block;
				$oneof = undef if $kind eq 'oneof';
				pop @scope if $kind eq 'message' || $kind eq 'enum';
			}
			elsif ($t eq 'message' || $t eq 'enum')
			{
				push @scope, shift @token;
				push @block, $t;
				my $name = join '.', @scope;
				$t eq 'message' ? ($message{$name} //= { name => $name, fields => [], by_name => {} }) : ($enum{$name} = []);
				shift @token;
			}
			elsif ($t eq 'oneof')
			{
				$oneof = shift @token;
				push @block, 'oneof';
				shift @token;
			}
			elsif ($block[-1] eq 'enum' && $t ne 'option' && $t ne 'reserved')
			{
				my @rest = _statement(\@token);
				my ($number) = join(' ', @rest) =~ /^= (-? ?\d+)/;
				$number =~ tr/ //d;
				push @{ $enum{ join '.', @scope } }, [ $t, $number ];
			}
			elsif (($block[-1] eq 'message' || $block[-1] eq 'oneof') && $t !~ /^(?:option|reserved|extensions)$/)
			{
				my $label = $t =~ /^(?:optional|required|repeated)$/ ? $t : '';
				my $type = $label ? shift @token : $t;
				my %f = (label => $label, oneof => $oneof, scope => [@scope]);
				if ($type eq 'map')
				{
					shift @token;
					my $key = shift @token;
					shift @token;
					$f{map_key} = $key;
					$type = shift @token;
					shift @token;
				}
				$f{type} = $type;
				$f{name} = shift @token;
				my $rest = join ' ', _statement(\@token);
				$f{default} = $1 if $rest =~ /\bdefault = ([\w.-]+)/;
				$f{presence} = !$proto3 || $label eq 'optional' || defined $oneof;
				my $m = $message{ join '.', @scope };
				push @{ $m->{fields} }, \%f;
				$m->{by_name}{ $f{name} } = \%f;
			}
			else { _statement(\@token); }
		}
	}
	foreach my $m (values %message)
	{
		foreach my $f (@{ $m->{fields} })
		{
			my @scope = @{ delete $f->{scope} };
			if ($f->{type} !~ $SCALAR)
			{
				# a name is looked for from the inside out
				my $type = $f->{type};
				my ($found) = grep { $message{$_} || $enum{$_} }
				  ((map { join '.', (split /\./, join('.', @scope))[ 0 .. $_ ], $type } reverse 0 .. $#{ [ split /\./, join('.', @scope) ] }), $type);
				die "unknown type $type of $m->{name}.$f->{name}" unless $found;
				$f->{type} = $found;
				$f->{ $message{$found} ? 'message' : 'enum' } = $found;
			}
			$f->{class} =
				$f->{message} ? 'message'
			  : $f->{enum} ? 'enum'
			  : $f->{type} =~ /^(?:double|float)$/ ? 'float'
			  : $f->{type} =~ /^(?:string|bytes)$/ ? 'string'
			  : $f->{type} eq 'bool' ? 'bool'
			  : 'int';
			$f->{zero} = $f->{class} eq 'enum' ? $enum{ $f->{enum} }[0][0] : $f->{class} eq 'string' ? '' : 0;
			$f->{zero} = $f->{class} eq 'float' || $f->{class} eq 'int' ? $f->{default} + 0 : $f->{default} if defined $f->{default};
			$f->{presence} = 1 if $f->{message};
		}
	}
}

sub _statement
{
	my ($token) = @_;
	my @statement;
	while (@$token)
	{
		my $t = shift @$token;
		last if $t eq ';';
		push @statement, $t;
	}
	return @statement;
}

# ---------------------------------------------------------------- reading a document

sub slurp
{
	my ($path) = @_;
	open my $fh, '<:raw', $path or die "$path: $!";
	local $/;
	my $text = <$fh>;
	close $fh;
	return $text;
}

sub read_message
{
	my ($name, $text) = @_;
	_descriptors();
	my $m = $message{$name} or die "unknown message $name";
	utf8::encode($text) if utf8::is_utf8($text);
	return _from_json($m, JSON::PP->new->utf8->decode($text), $m->{name}) if $text =~ /^\s*\{/;
	pos($text) = 0;
	my $value = _from_text($m, \$text, undef);
	return $value;
}

sub _scalar
{
	my ($f, $v, $where) = @_;
	if ($f->{class} eq 'int')
	{
		die "$where: not an integer: $v\n" unless $v =~ /^[+-]?(?:0[xX][0-9a-fA-F]+|\d+)(?:\.0*)?(?:[eE]\+?\d+)?$/;
		return $v =~ /x/i ? oct($v) : $v + 0;
	}
	if ($f->{class} eq 'float')
	{
		return 9**9**9 if $v =~ /^\+?inf(?:inity)?f?$/i;
		return -9**9**9 if $v =~ /^-inf(?:inity)?f?$/i;
		return 9**9**9 / 9**9**9 if $v =~ /^[+-]?nan$/i;
		$v =~ s/[fF]$//;
		die "$where: not a number: $v\n" unless $v =~ /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
		return $v + 0;
	}
	return $v =~ /^(?:1|true|t|True)$/ ? 1 : 0 if $f->{class} eq 'bool';
	if ($f->{class} eq 'enum')
	{
		my ($pair) = grep { $_->[0] eq $v || $_->[1] eq $v } @{ $enum{ $f->{enum} } };
		return $pair ? $pair->[0] : $v;
	}
	return "$v";
}

sub _from_json
{
	my ($m, $json, $where) = @_;
	return { '' => $m, json => $json } if $m->{name} =~ /^google\.protobuf\./;
	die "$where: not a JSON object\n" unless ref $json eq 'HASH';
	my %value = ('' => $m);
	foreach my $key (keys %$json)
	{
		my $f = $m->{by_name}{$key} or die "$where: no field $key in $m->{name}\n";
		my $v = $json->{$key};
		next unless defined $v;
		my $one = sub {
			$f->{message} ? _from_json($message{ $f->{message} }, $_[0], "$where.$key")
			  : $f->{type} eq 'bytes' ? _base64($_[0])
			  : _scalar($f, $_[0], "$where.$key");
		};
		$value{$key} =
			$f->{map_key} ? { map { $_ => $one->($v->{$_}) } keys %$v }
		  : $f->{label} eq 'repeated' ? [ map { $one->($_) } @$v ]
		  : $one->($v);
	}
	return \%value;
}

sub _base64
{
	require MIME::Base64;
	return MIME::Base64::decode_base64($_[0]);
}

# What may stand between two tokens
my $SPACE = qr/(?:[\s,;]|#[^\n]*)*/;
my %ESCAPE = (n => "\n", r => "\r", t => "\t", a => "\a", b => "\b", f => "\f", v => "\013");

sub _unescape
{
	my ($s) = @_;
	$s =~ s{\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))}
	       {defined $1 ? chr(oct $1 & 255) : defined $2 ? chr(hex $2)
	        : defined $3 || defined $4 ? do { my $c = chr(hex($3 // $4)); utf8::encode($c); $c }
	        : $ESCAPE{$5} // $5}gse;
	return $s;
}

sub _from_text
{
	my ($m, $text, $close) = @_;
	my %value = ('' => $m);
	for (;;)
	{
		$$text =~ /\G$SPACE/gc;
		if (defined $close ? $$text =~ /\G\Q$close\E/gc : pos($$text) == length $$text)
		{
			return \%value;
		}
		$$text =~ /\G(\w+|\[[^\]]*\])/gc or die "text format: a field expected at byte " . pos($$text) . "\n";
		my $key = $1;
		my $f = $m->{by_name}{$key} or die "text format: no field $key in $m->{name}\n";
		my $colon = $$text =~ /\G$SPACE:$SPACE/gc;
		my @v;
		if ($$text =~ /\G$SPACE\[$SPACE/gc)
		{
			until ($$text =~ /\G$SPACE\]/gc)
			{
				push @v, _text_value($f, $text);
			}
		}
		else { push @v, _text_value($f, $text); }
		if ($f->{map_key})
		{
			foreach my $entry (@v)
			{
				utf8::decode(my $k = $entry->{key} // '');
				$value{$key}{$k} = $entry->{value} // ($f->{message} ? { '' => $message{ $f->{message} } } : $f->{zero});
			}
		}
		elsif ($f->{label} eq 'repeated') { push @{ $value{$key} }, @v; }
		else
		{
			die "text format: $key is set twice in $m->{name}\n" if exists $value{$key};
			$value{$key} = $v[0];
		}
	}
}

sub _text_value
{
	my ($f, $text) = @_;
	if ($f->{map_key} || $f->{message})
	{
		$$text =~ /\G$SPACE([{<])/gc or die "text format: a message expected at byte " . pos($$text) . "\n";
		my $close = $1 eq '{' ? '}' : '>';
		return _from_text($message{ $f->{message} }, $text, $close) unless $f->{map_key};
		my %k = (name => 'key', type => $f->{map_key}, label => '', class => $f->{map_key} eq 'string' ? 'string' : 'int');
		my %v = (%$f, name => 'value', map_key => undef);
		return _from_text({ name => 'map entry', by_name => { key => \%k, value => \%v } }, $text, $close);
	}
	if ($f->{class} eq 'string')
	{
		my $s;
		while ($$text =~ /\G(?:\s|#[^\n]*)*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/gcs)
		{
			$s = ($s // '') . _unescape($1 // $2);
		}
		die "text format: a string expected at byte " . pos($$text) . "\n" unless defined $s;
		utf8::decode($s) if $f->{type} eq 'string';
		return $s;
	}
	$$text =~ /\G$SPACE([+-]?)\s*([\w.+-]+)/gc or die "text format: a value expected at byte " . pos($$text) . "\n";
	return _scalar($f, "$1$2", $f->{name});
}

# ---------------------------------------------------------------- asking a message

sub has { my ($m, $field) = @_; return exists $m->{$field}; }
sub list { my ($m, $field) = @_; return @{ $m->{$field} // [] }; }

# A field's value, or its default when it is not set; an empty message for a message
sub get
{
	my ($m, $field) = @_;
	return $m->{$field} if exists $m->{$field};
	my $f = $m->{''}{by_name}{$field} or die "no field $field in $m->{''}{name}";
	return $f->{message} ? { '' => $message{ $f->{message} } } : $f->{zero};
}

sub which
{
	my ($m, $oneof) = @_;
	foreach my $f (@{ $m->{''}{fields} })
	{
		return $f->{name} if ($f->{oneof} // '') eq $oneof && exists $m->{ $f->{name} };
	}
	return '';
}

1;
