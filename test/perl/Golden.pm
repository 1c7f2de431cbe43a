# Compares documents of TensorFlow Metadata: what a real tool wrote (golden) with what the extension gives.
#
# A document is text: protobuf's text format or its JSON mapping with original field names (value::text or
# value::jsonb). It is read by the field types in proto/ (ProtoText.pm), not by the extension, so that a fault of the
# extension's own readers cannot hide itself. Core Perl only.
#
#   compare_statistics($expected, $actual, %options)   feature_order => 1, check_quantiles => 0
#   compare_schema($expected, $actual, %options)       feature_order => 0: pair features and domains by name
#   compare_anomalies($expected, $actual, %options)    labels => 1, order => 1, drift => 0, rel => 1e-6
#   compare_fields($kind, $expected, $actual, %options)  every field: kind is statistics, schema, anomalies or a
#                                                      message name; ignore => [names], rel => 1e-9
# Each returns a list of differences in words; an empty list means equal.
#   read_message($kind, $text)                           the document as nested hashes (ProtoText)
#   self_check()                                       a list of what is wrong with this module itself
package Golden;

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use ProtoText qw(has get list which slurp);

our @EXPORT_OK = qw(compare_statistics compare_schema compare_anomalies compare_fields read_message self_check slurp);

# Relative tolerances. Why: TFDV's own sums are floating point, and past some sizes its sketches only estimate.
my %TOLERANCE = (
	exact => 1e-9,             # counts, min, max: nothing but the noise of floats
	moment => 1e-6,            # means, deviations, weighted sums
	rank_bucket => 1e-6,       # counts of a rank histogram while no more than 1024 values are distinct
	exact_n => 4000,           # up to so many values TFDV's quantile sketch has dropped nothing
	eps => 0.002,              # above: difference of ranks as a fraction of all values
	unique_sketch => 0.03,     # distinct counts from 16383 on are estimates
	distance => 1e-6,          # measured distances
);

my %KIND = (
	statistics => 'tensorflow.metadata.v0.DatasetFeatureStatisticsList',
	schema => 'tensorflow.metadata.v0.Schema',
	anomalies => 'tensorflow.metadata.v0.Anomalies',
);

sub read_message
{
	my ($kind, $text) = @_;
	return ProtoText::read_message($KIND{$kind} // $kind, $text);
}

# ---------------------------------------------------------------- helpers over messages

sub _isnan { return $_[0] != $_[0]; }
sub _isinf { return $_[0] == 9**9**9 || $_[0] == -9**9**9; }
sub _abs_max { my ($x, $y) = @_; return abs($x) > abs($y) ? abs($x) : abs($y); }
sub _max { my ($x, $y) = @_; return $x > $y ? $x : $y; }
sub _path { my ($m) = @_; return join("\x1f", list(get($m, 'path'), 'step')); }
sub _show { my ($p) = @_; $p =~ s/\x1f/./g; return $p eq '' ? '(none)' : $p; }

sub _close
{
	my ($x, $y, $rel, $abs) = @_;
	return 1 if $x == $y || (_isnan($x) && _isnan($y));
	return 0 if _isnan($x) || _isnan($y) || _isinf($x) || _isinf($y);
	return abs($x - $y) <= _max($abs // 1e-12, $rel * _abs_max($x, $y));
}

sub _union
{
	my %seen;
	return sort grep { !$seen{$_}++ } map { keys %$_ } @_;
}

# ---------------------------------------------------------------- anomalies

sub _info_diff
{
	my ($where, $e, $g, $labels, $order, $out) = @_;
	my @te = map { get($_, 'type') } list($e, 'reason');
	my @ta = map { get($_, 'type') } list($g, 'reason');
	my $same = "@te" eq "@ta";
	my $equal = $order ? $same : "@{[sort @te]}" eq "@{[sort @ta]}";
	push @$out, "$where: reasons expected @te got @ta" unless $equal;
	push @$out, "$where: severity expected " . get($e, 'severity') . ' got ' . get($g, 'severity')
	  if get($e, 'severity') ne get($g, 'severity');
	push @$out, "$where: path expected " . _show(_path($e)) . ' got ' . _show(_path($g))
	  if has($e, 'path') && _path($e) ne _path($g);
	return unless $labels;
	push @$out, "$where: short_description expected '" . get($e, 'short_description') . "' got '" . get($g, 'short_description') . "'"
	  if get($e, 'short_description') ne get($g, 'short_description');
	return unless $same;
	my @re = list($e, 'reason');
	my @ra = list($g, 'reason');
	foreach my $i (0 .. $#re)
	{
		my ($x, $y) = map { get($_, 'short_description') } $re[$i], $ra[$i];
		push @$out, "$where: reason $i short_description expected '$x' got '$y'" if $x ne $y;
	}
}

sub compare_anomalies
{
	my ($expected, $actual, %option) = @_;
	my ($e, $g) = map { read_message('anomalies', $_) } $expected, $actual;
	my $rel = $option{rel} // $TOLERANCE{distance};
	my @out;
	push @out, 'data_missing expected ' . get($e, 'data_missing') . ' got ' . get($g, 'data_missing')
	  if get($e, 'data_missing') != get($g, 'data_missing');
	my ($ie, $ia) = map { $_->{anomaly_info} // {} } $e, $g;
	foreach my $k (_union($ie, $ia))
	{
		my @labels = map { get($_, 'short_description') } map { list($_, 'reason') } grep { defined } ($ie->{$k} // $ia->{$k});
		if (!$ia->{$k}) { push @out, "'$k': missing anomaly: " . join('; ', @labels); }
		elsif (!$ie->{$k}) { push @out, "'$k': unexpected anomaly: " . join('; ', @labels); }
		else { _info_diff("'$k'", $ie->{$k}, $ia->{$k}, $option{labels}, $option{order}, \@out); }
	}
	if (has($e, 'dataset_anomaly_info') != has($g, 'dataset_anomaly_info'))
	{
		push @out, 'dataset anomaly ' . (has($e, 'dataset_anomaly_info') ? 'missing' : 'unexpected');
	}
	elsif (has($e, 'dataset_anomaly_info'))
	{
		_info_diff('(dataset)', $e->{dataset_anomaly_info}, $g->{dataset_anomaly_info}, $option{labels}, $option{order}, \@out);
	}
	return @out unless $option{drift} // 1;
	my %de = map { _path($_) => $_ } list($e, 'drift_skew_info');
	my %da = map { _path($_) => $_ } list($g, 'drift_skew_info');
	foreach my $p (_union(\%de, \%da))
	{
		my $show = _show($p);
		if (!$da{$p} || !$de{$p})
		{
			push @out, "drift_skew_info $show: " . ($da{$p} ? 'unexpected' : 'missing');
			next;
		}
		foreach my $f ('drift_measurements', 'skew_measurements')
		{
			my %x = map { get($_, 'type') => $_ } list($de{$p}, $f);
			my %y = map { get($_, 'type') => $_ } list($da{$p}, $f);
			if ("@{[sort keys %x]}" ne "@{[sort keys %y]}")
			{
				push @out, "$f $show: types expected @{[sort keys %x]} got @{[sort keys %y]}";
				next;
			}
			foreach my $t (sort keys %x)
			{
				my ($v, $w) = map { get($_->{$t}, 'value') } \%x, \%y;
				push @out, "$f $show $t: value expected $v got $w" unless _close($v, $w, $rel, 1e-9);
				($v, $w) = map { get($_->{$t}, 'threshold') } \%x, \%y;
				push @out, "$f $show $t: threshold expected $v got $w" unless _close($v, $w, 1e-12);
			}
		}
	}
	return @out;
}

# ---------------------------------------------------------------- every field alike

sub _same_scalar
{
	my ($f, $x, $y) = @_;
	return $x eq $y if $f->{class} eq 'string' || $f->{class} eq 'enum';
	return $x == $y || ($f->{class} eq 'float' && _isnan($x) && _isnan($y));
}

sub _proto_diff
{
	my ($e, $g, $where, $out) = @_;
	if (exists $e->{json} || exists $g->{json})
	{
		my $json = JSON::PP->new->canonical->allow_nonref;
		push @$out, "$where: differs" if $json->encode($e->{json}) ne $json->encode($g->{json});
		return;
	}
	foreach my $f (@{ $e->{''}{fields} })
	{
		my $name = $f->{name};
		my $one = sub {
			my ($x, $y, $w) = @_;
			if ($f->{message}) { _proto_diff($x, $y, $w, $out); }
			elsif (!_same_scalar($f, $x, $y)) { push @$out, "$w: expected '$x' got '$y'"; }
		};
		if ($f->{map_key})
		{
			my ($x, $y) = map { $_->{$name} // {} } $e, $g;
			foreach my $k (_union($x, $y))
			{
				if (!exists $x->{$k} || !exists $y->{$k})
				{
					push @$out, "$where.$name\['$k']: " . (exists $x->{$k} ? 'missing' : 'unexpected');
				}
				else { $one->($x->{$k}, $y->{$k}, "$where.$name\['$k']"); }
			}
		}
		elsif ($f->{label} eq 'repeated')
		{
			my @x = list($e, $name);
			my @y = list($g, $name);
			push @$out, "$where.$name: " . @x . ' expected, got ' . @y if @x != @y;
			$one->($x[$_], $y[$_], "$where.$name\[$_]") foreach 0 .. ($#x < $#y ? $#x : $#y);
		}
		else
		{
			if ($f->{presence} && has($e, $name) != has($g, $name))
			{
				push @$out, "$where.$name: " . (has($e, $name) ? 'missing' : 'unexpected');
			}
			next if $f->{message} && !(has($e, $name) && has($g, $name));
			$one->(get($e, $name), get($g, $name), "$where.$name");
		}
	}
}

sub compare_schema
{
	my ($expected, $actual, %option) = @_;
	my ($e, $g) = map { read_message($option{message} // 'schema', $_) } $expected, $actual;
	if (!($option{feature_order} // 1))
	{
		foreach my $m ($e, $g)
		{
			foreach my $f ('feature', 'string_domain', 'sparse_feature', 'weighted_feature')
			{
				$m->{$f} = [ sort { get($a, 'name') cmp get($b, 'name') } @{ $m->{$f} } ] if $m->{$f};
			}
		}
	}
	my @out;
	_proto_diff($e, $g, 'schema', \@out);
	return @out;
}

# ---------------------------------------------------------------- statistics

sub _sum { my $s = 0; $s += get($_, 'sample_count') foreach @_; return $s; }

# Histograms by shape, and by cumulative mass at the expected edges (sketches differ inside eps)
sub _hist_diff
{
	my ($where, $he, $ha, $total, $out, $rel_rank) = @_;
	foreach my $f ('type', 'num_nan')
	{
		my ($x, $y) = map { get($_, $f) } $he, $ha;
		push @$out, "$where: $f expected $x got $y" if $x ne $y;
	}
	my @be = list($he, 'buckets');
	my @ba = list($ha, 'buckets');
	if (@be != @ba)
	{
		push @$out, "$where: " . @be . ' buckets expected, got ' . @ba;
		return;
	}
	my ($se, $sa) = (_sum(@be), _sum(@ba));
	push @$out, "$where: total count expected $se got $sa" unless _close($se, $sa, 1e-6, 1e-6 * _max(1, $total));
	if (get($he, 'type') eq 'STANDARD')
	{
		my ($ce, $ca) = (0, 0);
		my $top = @be ? get($be[-1], 'high_value') : 1;
		$top = 1 if _isinf($top) || _isnan($top);
		foreach my $i (0 .. $#be)
		{
			foreach my $f ('low_value', 'high_value')
			{
				my ($x, $y) = map { get($_, $f) } $be[$i], $ba[$i];
				push @$out, "$where bucket $i $f: expected $x got $y" unless _close($x, $y, 1e-9, 1e-9 * abs($top));
			}
			$ce += get($be[$i], 'sample_count');
			$ca += get($ba[$i], 'sample_count');
			push @$out, "$where bucket $i: cumulative count expected $ce got $ca"
			  if abs($ce - $ca) > ($total <= $TOLERANCE{exact_n} ? 1e-6 : $rel_rank) * _max(1, $total) + 1e-6;
		}
		return;
	}

	# quantiles: every expected edge must lie within eps ranks of the actual one
	my $cdf = sub {
		my ($v) = @_;
		my ($lo, $hi) = (0, 0);
		foreach my $b (@ba)
		{
			if (get($b, 'high_value') < $v)
			{
				$lo += get($b, 'sample_count');
				$hi += get($b, 'sample_count');
			}
			elsif (get($b, 'low_value') <= $v) { $hi += get($b, 'sample_count'); }
		}
		return ($lo, $hi);
	};
	my $run = 0;
	foreach my $i (0 .. $#be)
	{
		$run += get($be[$i], 'sample_count');
		if ($total <= $TOLERANCE{exact_n})
		{
			foreach my $f ('low_value', 'high_value', 'sample_count')
			{
				my ($x, $y) = map { get($_, $f) } $be[$i], $ba[$i];
				push @$out, "$where bucket $i $f: expected $x got $y" unless _close($x, $y, 1e-6, 1e-9);
			}
			next;
		}
		my ($x, $y) = map { get($_, 'high_value') } $be[$i], $ba[$i];
		next if _close($x, $y, 1e-9);
		my ($lo, $hi) = $cdf->($x);
		my $slack = 2 * $rel_rank * _max(1, $total) + 1;
		push @$out, "$where bucket $i high_value: expected $x got $y (rank outside tolerance)"
		  if $run < $lo - $slack || $run > $hi + $slack;
	}
	return unless @be;
	foreach my $end ([ 'low_value', 0 ], [ 'high_value', -1 ])
	{
		my ($f, $i) = @$end;
		my ($x, $y) = map { get($_, $f) } $be[$i], $ba[$i];
		push @$out, "$where $f end: expected $x got $y" unless _close($x, $y, 1e-9);
	}
}

sub _num_fields
{
	my ($where, $e, $g, $exact, $moment, $out) = @_;
	foreach my $set ([ $exact, $TOLERANCE{exact}, 1e-12 ], [ $moment, $TOLERANCE{moment}, 1e-9 ])
	{
		my ($fields, $rel, $abs) = @$set;
		foreach my $f (@$fields)
		{
			my ($x, $y) = map { get($_, $f) } $e, $g;
			push @$out, "$where.$f: expected $x got $y" unless _close($x, $y, $rel, $abs);
		}
	}
}

sub _common_diff
{
	my ($w, $e, $g, $out) = @_;
	_num_fields($w, $e, $g, [qw(num_non_missing num_missing min_num_values max_num_values tot_num_values)], ['avg_num_values'], $out);
	if (has($e, 'num_values_histogram') != has($g, 'num_values_histogram'))
	{
		push @$out, "$w.num_values_histogram: presence differs";
	}
	elsif (has($e, 'num_values_histogram'))
	{
		_hist_diff("$w.num_values_histogram", $e->{num_values_histogram}, $g->{num_values_histogram},
			get($e, 'num_non_missing'), $out, $TOLERANCE{eps});
	}
	if (has($e, 'weighted_common_stats') != has($g, 'weighted_common_stats'))
	{
		push @$out, "$w.weighted_common_stats: presence differs";
	}
	else
	{
		_num_fields("$w.weighted", get($e, 'weighted_common_stats'), get($g, 'weighted_common_stats'), [],
			[qw(num_non_missing num_missing avg_num_values tot_num_values)], $out);
	}
	my @x = list($e, 'presence_and_valency_stats');
	my @y = list($g, 'presence_and_valency_stats');
	push @$out, "$w.presence_and_valency_stats: " . @x . ' expected, got ' . @y if @x != @y;
	foreach my $i (0 .. ($#x < $#y ? $#x : $#y))
	{
		_num_fields("$w.presence_and_valency_stats[$i]", $x[$i], $y[$i],
			[qw(num_missing num_non_missing min_num_values max_num_values tot_num_values)], [], $out);
	}
}

sub _rank_diff
{
	my ($w, $e, $g, $unique, $out) = @_;
	my @x = list($e, 'buckets');
	my @y = list($g, 'buckets');
	if ($unique > 1024)    # TFDV keeps 1024 counters: only the heavy values are safe
	{
		my $n = _sum(@x);
		my %got = map { get($_, 'label') => get($_, 'sample_count') } @y;
		foreach my $b (@x)
		{
			my $count = get($b, 'sample_count');
			next unless $count > 3 * _max(1, $n / 1024);
			my $label = get($b, 'label');
			push @$out, "$w: heavy value '$label' expected $count got " . ($got{$label} // 'nothing')
			  unless _close($count, $got{$label} // 0, 0, $n / 1024 + 1e-6);
		}
		return;
	}
	push @$out, "$w: " . @x . ' buckets expected, got ' . @y if @x != @y;
	foreach my $i (0 .. ($#x < $#y ? $#x : $#y))
	{
		my ($lx, $ly) = map { get($_, 'label') } $x[$i], $y[$i];
		my ($cx, $cy) = map { get($_, 'sample_count') } $x[$i], $y[$i];
		next if $lx eq $ly && _close($cx, $cy, $TOLERANCE{rank_bucket});
		push @$out, "$w\[$i]: expected '$lx' $cx got '$ly' $cy";
		return if @$out > 400;
	}
}

sub _feature_key
{
	my ($f) = @_;
	return which($f, 'field_id') eq 'name' ? get($f, 'name') : _path($f);
}

sub _numeric_diff
{
	my ($w, $x, $y, $check_quantiles, $out) = @_;
	my $total = get(get($x, 'common_stats'), 'tot_num_values');
	_num_fields($w, $x, $y, [qw(num_zeros min max)], [qw(mean std_dev)], $out);
	my ($lo, $hi) = map { _isinf($_) || _isnan($_) ? 0 : $_ } map { get($x, $_) } 'min', 'max';
	my $scale = _abs_max($lo, $hi);
	my ($wx, $wy) = map { get($_, 'weighted_numeric_stats') } $x, $y;
	foreach my $pair ([ $x, $y, $total ], [ $wx, $wy, undef ])
	{
		my %hx = map { get($_, 'type') => $_ } list($pair->[0], 'histograms');
		my %hy = map { get($_, 'type') => $_ } list($pair->[1], 'histograms');
		if ("@{[sort keys %hx]}" ne "@{[sort keys %hy]}")
		{
			push @$out, "$w: histogram types expected @{[sort keys %hx]} got @{[sort keys %hy]}";
			next;
		}
		next unless $check_quantiles;
		foreach my $t (sort keys %hx)
		{
			_hist_diff("$w.histogram[$t]", $hx{$t}, $hy{$t}, $pair->[2] // _sum(list($hx{$t}, 'buckets')), $out, 2 * $TOLERANCE{eps});
		}
	}
	my ($quantiles) = grep { get($_, 'type') eq 'QUANTILES' } list($x, 'histograms');
	if ($check_quantiles && $quantiles && list($quantiles, 'buckets') && !_close(get($x, 'median'), get($y, 'median'), 1e-9))
	{
		# inside the band around rank one half
		my @b = list($quantiles, 'buckets');
		my @edge = sort { $a <=> $b } ((map { get($_, 'low_value') } @b), get($b[-1], 'high_value'));
		my $i = int(@edge / 2);
		my ($from, $to) = ($edge[ _max(0, $i - 1) ], $edge[ $i + 1 > $#edge ? $#edge : $i + 1 ]);
		push @$out, "$w.median: expected " . get($x, 'median') . ' got ' . get($y, 'median')
		  if $total <= $TOLERANCE{exact_n} || !($from <= get($y, 'median') && get($y, 'median') <= $to);
	}
	if (has($x, 'weighted_numeric_stats') != has($y, 'weighted_numeric_stats'))
	{
		push @$out, "$w.weighted_numeric_stats: presence differs";
	}
	elsif (has($x, 'weighted_numeric_stats'))
	{
		foreach my $f ('mean', 'std_dev')
		{
			my ($p, $q) = map { get($_, $f) } $wx, $wy;
			push @$out, "$w.weighted $f: expected $p got $q" unless _close($p, $q, 1e-5, 1e-6 * _max(1, $scale));
		}
	}
}

sub _string_diff
{
	my ($w, $x, $y, $out) = @_;
	_num_fields($w, $x, $y, ['invalid_utf8_count'], ['avg_length'], $out);
	my ($ux, $uy) = map { get($_, 'unique') } $x, $y;
	push @$out, "$w.unique: expected $ux got $uy" unless _close($ux, $uy, $ux < 16383 ? 0 : $TOLERANCE{unique_sketch}, 0);
	if ($ux <= 1024)
	{
		my @tx = map { [ get($_, 'value'), get($_, 'frequency') ] } list($x, 'top_values');
		my @ty = map { [ get($_, 'value'), get($_, 'frequency') ] } list($y, 'top_values');
		if (@tx != @ty || grep { $tx[$_][0] ne $ty[$_][0] || !_close($tx[$_][1], $ty[$_][1], 1e-6) } 0 .. $#tx)
		{
			push @$out, "$w.top_values: expected " . join(', ', map { "'$_->[0]' $_->[1]" } @tx) . ' got ' . join(', ', map { "'$_->[0]' $_->[1]" } @ty);
		}
	}
	_rank_diff("$w.rank_histogram", get($x, 'rank_histogram'), get($y, 'rank_histogram'), $ux, $out);
	if (has($x, 'weighted_string_stats') != has($y, 'weighted_string_stats'))
	{
		push @$out, "$w.weighted_string_stats: presence differs";
	}
	elsif ($ux <= 1024)    # weights are 32-bit floats inside TFDV: compared as sets with a tolerance
	{
		my ($mx, $my) = map {
			+{ map { get($_, 'label') => get($_, 'sample_count') } list(get(get($_, 'weighted_string_stats'), 'rank_histogram'), 'buckets') }
		} $x, $y;
		foreach my $l (_union($mx, $my))
		{
			push @$out, "$w.weighted rank '$l': expected " . ($mx->{$l} // 'nothing') . ' got ' . ($my->{$l} // 'nothing')
			  unless _close($mx->{$l} // 0, $my->{$l} // 0, 1e-4, 1e-4);
		}
	}
}

sub _custom_diff
{
	my ($w, $x, $y, $out) = @_;
	my %cx = map { get($_, 'name') => $_ } list($x, 'custom_stats');
	my %cy = map { get($_, 'name') => $_ } list($y, 'custom_stats');
	foreach my $c (_union(\%cx, \%cy))
	{
		if (!$cx{$c} || !$cy{$c})
		{
			push @$out, "$w: custom statistic $c " . ($cx{$c} ? 'missing' : 'unexpected');
			next;
		}
		my ($kx, $ky) = map { which($_, 'val') } $cx{$c}, $cy{$c};
		if ($kx ne $ky) { push @$out, "$w: custom statistic $c kind differs"; }
		elsif ($kx eq 'num' ? $cx{$c}{num} != $cy{$c}{num} : $kx eq 'str' && $cx{$c}{str} ne $cy{$c}{str})
		{
			push @$out, "$w: custom statistic $c value differs";
		}
	}
}

sub compare_statistics
{
	my ($expected, $actual, %option) = @_;
	my ($e, $g) = map { read_message('statistics', $_) } $expected, $actual;
	my $check_quantiles = $option{check_quantiles} // 1;
	my @de = list($e, 'datasets');
	my @da = list($g, 'datasets');
	return (@de . ' data sets expected, got ' . @da) if @de != @da;
	my @out;
	foreach my $d (0 .. $#de)
	{
		my ($x, $y) = ($de[$d], $da[$d]);
		push @out, 'num_examples expected ' . get($x, 'num_examples') . ' got ' . get($y, 'num_examples')
		  if get($x, 'num_examples') != get($y, 'num_examples');
		push @out, 'weighted_num_examples expected ' . get($x, 'weighted_num_examples') . ' got ' . get($y, 'weighted_num_examples')
		  unless _close(get($x, 'weighted_num_examples'), get($y, 'weighted_num_examples'), $TOLERANCE{moment});
		my @ke = map { _feature_key($_) } list($x, 'features');
		my @ka = map { _feature_key($_) } list($y, 'features');
		my (%fe, %fa);
		@fe{@ke} = list($x, 'features');
		@fa{@ka} = list($y, 'features');
		push @out, 'feature order differs' if $option{feature_order} && join("\x1e", @ke) ne join("\x1e", @ka);
		foreach my $k (@ke, grep { !$fe{$_} } @ka)
		{
			my $w = _show($k);
			if (!$fe{$k} || !$fa{$k})
			{
				push @out, "$w: " . ($fe{$k} ? 'missing' : 'unexpected') . ' feature';
				next;
			}
			my ($p, $q) = ($fe{$k}, $fa{$k});
			push @out, "$w: type expected " . get($p, 'type') . ' got ' . get($q, 'type') if get($p, 'type') ne get($q, 'type');
			my ($op, $oq) = map { which($_, 'stats') } $p, $q;
			if ($op ne $oq)
			{
				push @out, "$w: $op expected, got $oq";
				next;
			}
			next if $op eq '';
			my ($sx, $sy) = ($p->{$op}, $q->{$oq});
			if ($op eq 'struct_stats')
			{
				_common_diff($w, get($sx, 'common_stats'), get($sy, 'common_stats'), \@out);
			}
			else
			{
				_common_diff($w, get($sx, 'common_stats'), get($sy, 'common_stats'), \@out);
				if ($op eq 'num_stats') { _numeric_diff($w, $sx, $sy, $check_quantiles, \@out); }
				elsif ($op eq 'string_stats') { _string_diff($w, $sx, $sy, \@out); }
				elsif ($op eq 'bytes_stats') { _num_fields($w, $sx, $sy, [qw(min_num_bytes max_num_bytes)], ['avg_num_bytes'], \@out); }
			}
			_custom_diff($w, $p, $q, \@out);
		}
	}
	return @out;
}

# ---------------------------------------------------------------- field by field with a tolerance (compare_ext)

# What repeated messages of these kinds are put in order by; others stay as they are
sub _sort_key
{
	my ($m) = @_;
	my $name = $m->{''}{name};
	return get($m, 'name') if $name =~ /\.DatasetFeatureStatistics$/;
	return _path($m) . "\x1e" . get($m, 'name') if $name =~ /\.FeatureNameStatistics$/;
	if ($name =~ /\.CrossFeatureStatistics$/)
	{
		my @lift = list(get(get($m, 'categorical_cross_stats'), 'lift'), 'lift_series');
		my $weighted = @lift && which($lift[0], 'y_count_value') eq 'weighted_y_count' ? 1 : 0;
		return join "\x1e", (map { join("\x1f", list(get($m, $_), 'step')) } 'path_x', 'path_y'), $weighted;
	}
	return undef;
}

sub _fields_diff
{
	my ($e, $g, $where, $ignore, $rel, $out) = @_;
	return _proto_diff($e, $g, $where, $out) if exists $e->{json} || exists $g->{json};
	foreach my $f (@{ $e->{''}{fields} })
	{
		my $name = $f->{name};
		next if $ignore->{$name};
		my $w = "$where.$name";
		my $r = $rel // ($f->{type} eq 'float' ? 1e-5 : 1e-9);
		my $one = sub {
			my ($x, $y, $at) = @_;
			if ($f->{message}) { _fields_diff($x, $y, $at, $ignore, $rel, $out); }
			elsif (!($f->{class} eq 'float' ? _close($x, $y, $r) : _same_scalar($f, $x, $y)))
			{
				push @$out, "$at: expected '$x' got '$y'";
			}
		};
		if ($f->{map_key})
		{
			my ($x, $y) = map { $_->{$name} // {} } $e, $g;
			foreach my $k (_union($x, $y))
			{
				if (!exists $x->{$k} || !exists $y->{$k})
				{
					push @$out, "$w\['$k']: " . (exists $x->{$k} ? 'missing' : 'unexpected');
				}
				else { $one->($x->{$k}, $y->{$k}, "$w\['$k']"); }
			}
		}
		elsif ($f->{label} eq 'repeated')
		{
			my @x = list($e, $name);
			my @y = list($g, $name);
			if (($f->{message} // '') =~ /\.CustomStatistic$/)
			{
				@x = grep { !$ignore->{ get($_, 'name') } } @x;
				@y = grep { !$ignore->{ get($_, 'name') } } @y;
			}
			if (@x && $f->{message} && defined _sort_key($x[0]))
			{
				@x = sort { _sort_key($a) cmp _sort_key($b) } @x;
				@y = sort { _sort_key($a) cmp _sort_key($b) } @y;
			}
			push @$out, "$w: expected " . @x . ' entries got ' . @y if @x != @y;
			$one->($x[$_], $y[$_], "$w\[$_]") foreach 0 .. ($#x < $#y ? $#x : $#y);
		}
		elsif ($f->{message})
		{
			if (has($e, $name) != has($g, $name))
			{
				push @$out, "$w: " . (has($e, $name) ? 'missing' : 'unexpected');
			}
			elsif (has($e, $name)) { $one->($e->{$name}, $g->{$name}, $w); }
		}
		else { $one->(get($e, $name), get($g, $name), $w); }
	}
}

sub compare_fields
{
	my ($kind, $expected, $actual, %option) = @_;
	my ($e, $g) = map { read_message($kind, $_) } $expected, $actual;
	my @out;
	_fields_diff($e, $g, '', { map { $_ => 1 } @{ $option{ignore} // [] } }, $option{rel}, \@out);
	return @out;
}

# ---------------------------------------------------------------- self check

sub self_check
{
	my @wrong;
	my $same = sub { my ($what, @diff) = @_; push @wrong, "$what: should be equal: $diff[0]" if @diff; };
	my $differ = sub { my ($what, @diff) = @_; push @wrong, "$what: a difference was not seen" unless @diff; };
	my $with = sub { my ($text, $from, $to) = @_; die "no $from" unless $text =~ s/\Q$from\E/$to/; return $text; };

	my $A = 'anomaly_info { key: "x" value { path { step: "x" } severity: ERROR short_description: "Multiple errors" description: "a b"
	  reason { type: INT_TYPE_SMALL_INT short_description: "s" description: "a" } reason { type: INT_TYPE_BIG_INT short_description: "s" description: "b" } } }
	  drift_skew_info { path { step: "x" } drift_measurements { type: L_INFTY value: 0.5 threshold: 0.1 } }';
	$same->('anomalies', compare_anomalies($A, $A, labels => 1, order => 1));
	$same->('description', compare_anomalies($A, $with->($A, '"a b"', '"other words"'), labels => 1));
	$same->('short description', compare_anomalies($A, $with->($A, '"Multiple errors"', '"x"')));
	$same->('value', compare_anomalies($A, $with->($A, '0.5', '0.5000000000001')));
	$differ->('labels', compare_anomalies($A, $with->($A, '"Multiple errors"', '"x"'), labels => 1));
	$differ->("anomalies $_->[0]", compare_anomalies($A, $with->($A, @$_)))
	  foreach [ 'INT_TYPE_BIG_INT', 'INT_TYPE_NOT_INT_STRING' ], [ 'ERROR', 'WARNING' ], [ '0.5', '0.50001' ], [ '0.1', '0.2' ],
	  [ 'reason { type: INT_TYPE_SMALL_INT short_description: "s" description: "a" }', '' ], [ 'step: "x"', 'step: "y"' ];
	$differ->('no anomalies', compare_anomalies($A, ''));
	$differ->('anomalies for none', compare_anomalies('', $A));
	$differ->('data_missing', compare_anomalies('data_missing: true', ''));
	$differ->('dataset anomaly', compare_anomalies('dataset_anomaly_info { severity: ERROR }', ''));
	$same->('as JSON', compare_anomalies($A, '{"anomaly_info": {"x": {"path": {"step": ["x"]}, "severity": "ERROR", "short_description":
	  "Multiple errors", "reason": [{"type": "INT_TYPE_SMALL_INT", "short_description": "s"}, {"type": "INT_TYPE_BIG_INT",
	  "short_description": "s"}]}}, "drift_skew_info": [{"path": {"step": ["x"]}, "drift_measurements": [{"type": "L_INFTY", "value": 0.5,
	  "threshold": 0.1}]}]}', labels => 1, order => 1));

	my $S = 'feature { name: "a" type: INT presence { min_count: 1 } int_domain { min: 0 } } feature { name: "b" } tensor_representation_group { key: "" value { } }';
	my $S2 = 'feature { name: "b" } feature { name: "a" type: INT presence { min_count: 1 } int_domain { min: 0 } } tensor_representation_group { key: "" value { } }';
	$same->('schema', compare_schema($S, $S));
	$same->('schema in another order', compare_schema($S, $S2, feature_order => 0));
	$differ->('schema order', compare_schema($S, $S2));
	$differ->("schema $_->[0]", compare_schema($S, $with->($S, @$_)))
	  foreach [ 'min: 0', '' ], [ 'min: 0', 'min: 1' ], [ 'int_domain', 'float_domain' ], [ 'min_count: 1', 'min_count: 1 min_fraction: 0' ],
	  [ 'key: ""', 'key: "k"' ];
	$same->('escapes', compare_schema("feature { name: 'caf\\303\\251\\n' }", '{"feature": [{"name": "café\n"}]}'));
	push @wrong, 'an unknown field was read' if eval { read_message('schema', 'feature { nam: "a" }'); 1 };
	push @wrong, 'an unclosed message was read' if eval { read_message('schema', 'feature { name: "a"'); 1 };

	my $T = 'datasets { num_examples: 10 features { path { step: "n" } type: FLOAT num_stats { common_stats { num_non_missing: 10 tot_num_values: 10 min_num_values: 1 max_num_values: 1 avg_num_values: 1 }
	  mean: 2 std_dev: 1 min: 0 max: 4 median: 2 num_zeros: 1 histograms { type: STANDARD buckets { low_value: 0 high_value: 2 sample_count: 5 } buckets { low_value: 2 high_value: 4 sample_count: 5 } }
	  histograms { type: QUANTILES buckets { low_value: 0 high_value: 2 sample_count: 5 } buckets { low_value: 2 high_value: 4 sample_count: 5 } } } }
	  features { path { step: "s" } type: STRING string_stats { common_stats { num_non_missing: 10 } unique: 2 avg_length: 1.5 top_values { value: "a" frequency: 6 }
	  rank_histogram { buckets { label: "a" sample_count: 6 } buckets { low_rank: 1 high_rank: 1 label: "b" sample_count: 4 } } } } }';
	$same->('statistics', compare_statistics($T, $T, feature_order => 1));
	$same->('statistics mean', compare_statistics($T, $with->($T, 'mean: 2', 'mean: 2.0000000001')));
	$differ->("statistics $_->[0]", compare_statistics($T, $with->($T, @$_)))
	  foreach [ 'mean: 2', 'mean: 2.01' ], [ 'num_examples: 10', 'num_examples: 11' ], [ 'unique: 2', 'unique: 3' ], [ 'label: "b"', 'label: "c"' ],
	  [ 'type: STRING', 'type: BYTES' ], [ 'min: 0', 'min: 1' ], [ 'high_value: 4 sample_count: 5', 'high_value: 4.5 sample_count: 5' ],
	  [ 'num_non_missing: 10 tot', 'num_non_missing: 9 num_missing: 1 tot' ], [ 'avg_length: 1.5', 'avg_length: 1.6' ], [ 'step: "s"', 'step: "t"' ],
	  [ 'median: 2', 'median: 40' ], [ 'mean: 2', 'mean: nan' ];

	my $t = 'datasets { name: "b" num_examples: 3 features { path { step: "x" } num_stats { mean: 1.5 } custom_stats { name: "q" num: 2 } } } datasets { name: "a" }';
	my $u = 'datasets { name: "a" } datasets { name: "b" num_examples: 3 features { path { step: "x" } num_stats { mean: 1.5000000001 } custom_stats { name: "q" num: 2 } } }';
	$same->('fields', compare_fields('statistics', $t, $u));
	$differ->('fields mean', compare_fields('statistics', $t, $with->($u, '1.5000000001', '1.6')));
	$differ->('fields name', compare_fields('statistics', $t, $with->($u, '"a"', '"c"')));
	$same->('fields ignored', compare_fields('statistics', $t, $with->($u, 'num: 2', 'num: 3'), ignore => ['q']));
	$differ->('fields custom', compare_fields('statistics', $t, $with->($u, 'num: 2', 'num: 3')));
	return @wrong;
}

1;
