# SPDX-License-Identifier: GPL-2.0
# Reads a trace without a line of cowtrace's own code: where the fields of a record
# stand and what their values mean is taken from the schema text in the trace.
use strict;
use warnings;

my %chunk = (schema => 2, records => 3, end => 6);

# The text of the schema: fields, words and settings, each by name.
sub parse_schema {
	my %schema;
	for (split /\n/, shift) {
		my ($what, @rest) = split ' ';
		if ($what eq 'field') {
			$schema{field}{$rest[0]} = {
				type => $rest[1], at => $rest[2], size => $rest[3],
			};
		} elsif ($what eq 'word') {
			$schema{word}{$rest[0]}{oct $rest[1]} = $rest[2];
			$schema{value}{$rest[0]}{$rest[2]} = oct $rest[1];
		} else {
			$schema{$what} = $rest[0];
		}
	}
	return \%schema;
}

# What unpack() needs to take the bytes of these fields, as few pieces as they make.
sub pieces {
	my ($schema, @names) = @_;
	my @piece;
	for (sort { $a->{at} <=> $b->{at} } map { $schema->{field}{$_} } @names) {
		if (@piece && $piece[-1][1] == $_->{at}) {
			$piece[-1][1] += $_->{size};
		} else {
			push @piece, [$_->{at}, $_->{at} + $_->{size}];
		}
	}
	return join ' ', map { "\@$_->[0] a" . ($_->[1] - $_->[0]) } @piece;
}

# The values of these fields in such bytes.
sub values_of {
	my ($schema, $bytes, @names) = @_;
	my %letter = (u8 => 'C', u16 => 'v', u32 => 'V', u64 => 'Q<', s32 => 'l<');
	my (%value, $at);
	for (sort { $schema->{field}{$a}{at} <=> $schema->{field}{$b}{at} } @names) {
		my $field = $schema->{field}{$_};
		$at //= 0;
		$value{$_} = unpack $letter{$field->{type}}, substr $bytes, $at, $field->{size};
		$at += $field->{size};
	}
	return \%value;
}

# Walks over a trace. Gives its schema, the number of records that are missing, and
# for all faults with the same values of these fields (if the trace has them) one
# hash of the values, with their number as "faults".
sub read_trace {
	my ($path, @wanted) = @_;
	my ($header, $data, $ended, $schema, $rest, %seq, %count);
	my $lost = 0;
	open my $file, '<:raw', $path or die "$path: $!\n";
	read $file, $header, 16;
	my ($magic, undef, undef, $first) = unpack 'a8 v v V', $header;
	die "$path is no trace\n" if $magic ne 'COWTRACE';
	seek $file, $first, 0;
	while (read($file, $header, 24) == 24) {
		my ($mark, $type, $cpu, $length) = unpack 'a4 V3', $header;
		die "$path is damaged\n" if $mark ne 'CWCK';
		read $file, $data, ($length + 7) & ~7;
		$ended = $type == $chunk{end};
		if ($type == $chunk{schema} && !$schema) {
			$schema = parse_schema(substr $data, 0, $length);
			@wanted = grep { $schema->{field}{$_} } @wanted;
			$rest = "\@$schema->{field}{seq}{at} V \@$schema->{field}{type}{at} C " .
				pieces($schema, @wanted);
		}
		next if $type != $chunk{records};
		my $size = $schema->{record_size};
		for (my $at = 0; $at + $size <= $length; $at += $size) {
			my ($seq, $kind, @bytes) = unpack $rest, substr $data, $at, $size;
			next if $kind != 1;
			# A CPU writes its records in order: what is missing is between two.
			$lost += ($seq - $seq{$cpu} - 1) & 0xffffffff if defined $seq{$cpu};
			$seq{$cpu} = $seq;
			$count{join '', @bytes}++;
		}
	}
	die "$path has no end\n" if !$ended;
	my @groups = map { my $v = values_of($schema, $_, @wanted);
			   $v->{faults} = $count{$_}; $v } keys %count;
	return ($schema, $lost, @groups);
}

1;
