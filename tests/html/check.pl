#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# check.pl DIR PAGE...: looks at DIR/PAGE.html and DIR/PAGE.xhtml in headless Chromium, in
# light and dark, wide and narrow; DIR/PAGE.report.json, .forks.json and .whatif.json say
# what has to stand there. Prints a line a claim; pictures are left as DIR/PAGE-*.png.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP;
use MIME::Base64;

my $here = dirname(abs_path($0));
require "$here/devtools.pl";

my ($dir, @pages) = @ARGV;
$dir = abs_path($dir);
my ($passed, $failed) = (0, 0);

# claim NAME, WHETHER, SENTENCE, NOTE...
sub claim {
	my ($name, $good, $sentence, @notes) = @_;
	print $good ? '' : 'not ', "ok html/$name - $sentence\n";
	$good ? $passed++ : $failed++;
	print map { "       | $_\n" } @notes unless $good;
}

sub slurp {
	my $path = shift;
	open my $f, '<:raw', $path or die "$path: $!\n";
	local $/;
	return <$f>;
}

my $measure = slurp("$here/measure.js");
my $session = start_browser();

sub measured { return evaluate($session, "($measure).$_[0]") }

# What is left of an attempt to get something, and what the console says.
sub noise {
	my $url = shift;
	my @noise;
	for (events($session)) {
		if ($_->{method} eq 'Network.requestWillBeSent') {
			push @noise, "request: $_->{params}{request}{url}"
				if $_->{params}{request}{url} ne $url;
		} elsif ($_->{method} eq 'Log.entryAdded') {
			push @noise, "console: $_->{params}{entry}{text}";
		} elsif ($_->{method} =~ /^Runtime\.(consoleAPICalled|exceptionThrown)$/) {
			push @noise, "console: $_->{method}";
		}
	}
	return @noise;
}

# The colours of a PNG: how many there are, and how much of it the most frequent one takes.
sub colours {
	my $png = encode_base64(shift, '');
	load($session, 'about:blank');
	return evaluate($session, <<"SCRIPT");
(async () => {
	const image = new Image();
	image.src = 'data:image/png;base64,$png';
	await image.decode();
	const canvas = new OffscreenCanvas(image.width, image.height);
	const context = canvas.getContext('2d');
	context.drawImage(image, 0, 0);
	const pixels = new Uint32Array(
		context.getImageData(0, 0, image.width, image.height).data.buffer);
	const seen = new Map();
	for (const pixel of pixels)
		seen.set(pixel, (seen.get(pixel) ?? 0) + 1);
	return { colours: seen.size, most: Math.max(...seen.values()) / pixels.length };
})()
SCRIPT
}

# --- the figures ----------------------------------------------------------------------

# rows ROWS, MORE: what a table shows of rows of numbers: so many, and the sums of the rest.
sub rows {
	my ($shown, @rows) = @_;
	return @rows if @rows <= $shown;
	my @rest = splice @rows, $shown;
	my @sum;
	for my $row (@rest) {
		$sum[$_] += $row->[$_] for 0 .. $#$row;
	}
	return (@rows, \@sum);
}

sub count_of { my $o = shift; return [map { $o->{$_} } qw(faults copies reuses bytes_copied time_ns)] }

# Numbers of a table, each row as a line; cells without one are left out.
sub lines_of { return join "\n", map { join ' ', grep { defined } @$_ } @_ }

sub compare {
	my ($page, $report, $forks, $whatif, $tables) = @_;
	my $top = 12;
	my (%expected, @wrong);
	my @reasons = @{$report->{reasons}};
	my %members = (copies => qr/^(copy|unshare)$/, reuses => qr/^reuse$/, splits => qr/^split$/);
	for my $table (keys %members) {
		$expected{$table} = [rows($top, map { [$_->{faults}, $_->{bytes_copied},
						       $_->{duration}{sum_ns}] }
				     grep { $_->{outcome} =~ $members{$table} } @reasons)];
	}
	$expected{processes} = [rows($top, map { count_of($_) } @{$report->{processes}})];
	$expected{sites} = [rows($top, map { count_of($_) } @{$report->{sites}})];
	$expected{answers} = [map { [@{$_->{answers}}{qw(copy reuse undetermined)},
				     $_->{bytes_copied}, $_->{avoided}{faults},
				     $_->{added}{faults}] } @{$whatif->{policies}}];
	$expected{ledger} = [rows($top, map { [$_->{by_parent}{copies}, $_->{by_child}{copies},
					       $_->{after}{copies}, $_->{total}{reuses},
					       $_->{total}{bytes_copied}, $_->{total}{time_ns}] }
			     @{$forks->{forks}})];
	# Without a fault there is nothing that a table could be of.
	%expected = map { $_ => [] } keys %expected unless $report->{faults}{faults};
	for my $table (sort keys %expected) {
		my @rows = map { $_->{cells} } @{$tables->{$table} // []};
		# What happened is no policy.
		shift @rows if $table eq 'answers';
		my ($has, $wants) = (lines_of(@rows), lines_of(@{$expected{$table}}));
		push @wrong, "$table has", split(/\n/, $has), 'and not', split(/\n/, $wants)
			if $has ne $wants;
	}
	my @sum = (0) x 5;
	for my $row (@{$tables->{timetable} // []}) {
		$sum[$_] += $row->{cells}[$_] for 0 .. 4;
	}
	my $wants = "@{count_of($report->{faults})}";
	push @wrong, "the time line adds up to @sum and not to $wants" if "@sum" ne $wants;
	return @wrong;
}

# --- a page ---------------------------------------------------------------------------

sub check_look {
	my ($page, $scheme, $width) = @_;
	my $url = "file://$dir/$page.html";
	my $name = "$page/$scheme-$width";
	look($session, $width, 900, $scheme);
	load($session, $url);
	my $png = screenshot($session);
	open my $f, '>:raw', "$dir/$page-$scheme-$width.png" or die;
	print $f $png;
	close $f;
	my $seen = measured('look()');
	my @noise = noise($url);
	claim("$name/alone", !@noise, 'nothing is asked for, the console is silent', @noise);
	claim("$name/width", $seen->{needs} <= $seen->{has}, 'it is not wider than the window',
	      "$seen->{needs} in $seen->{has} pixels");
	claim("$name/paper", $scheme eq 'dark' ? $seen->{background} < 0.05 : $seen->{background} > 0.9,
	      "the paper is $scheme", "luminance $seen->{background}");
	claim("$name/text", $seen->{text}{contrast} >= 4.5 && $seen->{text}{texts} > 20,
	      'all text has a contrast of 4.5 at least',
	      "$seen->{text}{contrast}: " . ($seen->{text}{at} // ''));
	claim("$name/drawn", $seen->{drawn}{contrast} >= 3, 'what is drawn has one of 3',
	      "$seen->{drawn}{contrast}: " . ($seen->{drawn}{at} // ''));
	my $colours = colours($png);
	claim("$name/picture", $colours->{colours} >= 16 && $colours->{most} < 0.98,
	      'there is something to be seen', "$colours->{colours} colours, $colours->{most} of one");
}

sub check_page {
	my $page = shift;
	my %json = map { $_ => decode_json(slurp("$dir/$page.$_.json")) } qw(report forks whatif);
	my $url = "file://$dir/$page.html";
	claim("$page/size", -s "$dir/$page.html" < 2 << 20, 'it is smaller than 2 MiB');
	for my $scheme (qw(light dark)) {
		check_look($page, $scheme, $_) for 1280, 375;
	}

	look($session, 1280, 900, 'light');
	load($session, $url);
	# HTML moves white space that is behind its end.
	my $words = 'document.body.textContent.replace(/\s+/g, " ").trim()';
	my $text = evaluate($session, $words);
	my @bad = @{measured('unreachable()')};
	claim("$page/reach", !@bad, 'tables, pictures and links are there for everybody', @bad);
	my @wrong = compare($page, @json{qw(report forks whatif)}, measured('tables()'));
	claim("$page/figures", !@wrong, 'the tables are those of report, forks and whatif --json',
	      @wrong);
	my @tiles = @{measured('tiles()')};
	my @first = @{$json{report}{faults}}{qw(faults reuses copies bytes_copied copy_time_ns)};
	claim("$page/first", "@tiles[0 .. 4]" eq "@first", 'so is what is seen first',
	      "@tiles[0 .. 4], not @first");
	evaluate($session, 'document.getElementById("dark").click()');
	claim("$page/switch", measured('look()')->{background} < 0.05,
	      'where it is light, it can be switched to dark');

	look($session, 700, 900, 'dark', 'print');
	load($session, $url);
	my $print = measured('look()');
	claim("$page/print", $print->{background} > 0.9 && $print->{needs} <= $print->{has} &&
	      !evaluate($session, 'document.querySelector("nav").checkVisibility()'),
	      'it prints on white, without what is of no use there',
	      "luminance $print->{background}, $print->{needs} in $print->{has} pixels");

	look($session, 1280, 900, 'light');
	load($session, "file://$dir/$page.xhtml");
	my $error = evaluate($session, 'document.querySelector("parsererror")?.textContent ?? ""');
	claim("$page/xml", !$error && evaluate($session, $words) eq $text,
	      'it is XML too, and says the same there', $error);
}

check_page($_) for @pages;
stop_browser();
print "$passed passed, $failed failed, 0 skipped\n";
exit !!$failed;
