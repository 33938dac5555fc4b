# SPDX-License-Identifier: GPL-2.0
# Drives a headless Chromium by the DevTools protocol, over a pair of pipes.
use strict;
use warnings;

use File::Temp qw(tempdir);
use JSON::PP;
use MIME::Base64;
use POSIX qw(dup2);

my ($to, $from, $pid, $buffer, $last_id, @events);

# What the browser says next; dies when it says nothing for a minute.
sub receive {
	local $SIG{ALRM} = sub { die "the browser does not answer\n" };
	alarm 60;
	my $end;
	while (($end = index $buffer, "\0") < 0) {
		sysread $from, $buffer, 1 << 20, length $buffer or die "the browser has ended\n";
	}
	alarm 0;
	my $message = decode_json(substr $buffer, 0, $end);
	substr($buffer, 0, $end + 1) = '';
	return $message;
}

# call METHOD, SESSION, NAME => VALUE...: ask for something and wait for the answer.
sub call {
	my ($method, $session, %params) = @_;
	my $id = ++$last_id;
	my %message = (id => $id, method => $method, params => \%params);
	$message{sessionId} = $session if $session;
	my $text = encode_json(\%message) . "\0";
	while (length $text) {
		my $n = syswrite $to, $text or die "the browser does not listen\n";
		substr($text, 0, $n) = '';
	}
	for (;;) {
		my $answer = receive();
		if (!defined $answer->{id}) {
			push @events, $answer;
		} elsif ($answer->{id} == $id) {
			die "$method: $answer->{error}{message}\n" if $answer->{error};
			return $answer->{result};
		}
	}
}

# Events of a session so far, and since they were asked for last; then they are forgotten.
sub events {
	my $session = shift;
	my @of = grep { ($_->{sessionId} // '') eq $session } @events;
	@events = ();
	return @of;
}

sub wait_for {
	my ($name, $session) = @_;
	for (;;) {
		for (@events) {
			return if $_->{method} eq $name && ($_->{sessionId} // '') eq $session;
		}
		my $message = receive();
		push @events, $message unless defined $message->{id};
	}
}

# Start it. Returns a session with a page that is empty.
sub start_browser {
	my $dir = tempdir(CLEANUP => 1);
	pipe my $in, $to or die;
	pipe $from, my $out or die;
	$buffer = '';
	$pid = fork // die;
	if (!$pid) {
		# Out of the way of 3 and 4, whichever numbers these have.
		my ($i, $o) = map { POSIX::fcntl($_, &POSIX::F_DUPFD, 10) } $in, $out;
		dup2($i, 3);
		dup2($o, 4);
		open STDERR, '>', "$dir/stderr";
		open STDOUT, '>&', \*STDERR;
		exec 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
			'--remote-debugging-pipe', '--no-first-run', '--disable-background-networking',
			"--user-data-dir=$dir/profile", 'about:blank';
		exit 127;
	}
	close $in;
	close $out;
	my $target = call('Target.createTarget', undef, url => 'about:blank');
	my $attached = call('Target.attachToTarget', undef, targetId => $target->{targetId},
			    flatten => JSON::PP::true);
	my $session = $attached->{sessionId};
	call("$_.enable", $session) for qw(Page Network Runtime Log);
	return $session;
}

sub stop_browser {
	eval { call('Browser.close') };
	waitpid $pid, 0;
}

# How it is looked at: width and height in CSS pixels, light or dark, screen or print.
sub look {
	my ($session, $width, $height, $scheme, $media) = @_;
	call('Emulation.setDeviceMetricsOverride', $session, width => $width + 0, height => $height + 0,
	     deviceScaleFactor => 1, mobile => $width < 600 ? JSON::PP::true : JSON::PP::false);
	call('Emulation.setEmulatedMedia', $session, media => $media // 'screen',
	     features => [{ name => 'prefers-color-scheme', value => $scheme }]);
}

sub load {
	my ($session, $url) = @_;
	@events = ();
	call('Page.navigate', $session, url => $url);
	wait_for('Page.loadEventFired', $session);
}

# The value of a JavaScript expression.
sub evaluate {
	my ($session, $expression) = @_;
	my $answer = call('Runtime.evaluate', $session, expression => $expression,
			  returnByValue => JSON::PP::true, awaitPromise => JSON::PP::true);
	die "$answer->{exceptionDetails}{exception}{description}\n" if $answer->{exceptionDetails};
	return $answer->{result}{value};
}

# A picture of what is seen, or of the whole page, as PNG.
sub screenshot {
	my ($session, $whole) = @_;
	my $shot = call('Page.captureScreenshot', $session, format => 'png',
			captureBeyondViewport => $whole ? JSON::PP::true : JSON::PP::false);
	return decode_base64($shot->{data});
}

1;
