# SPDX-License-Identifier: GPL-2.0
# Two policies once more, from the kernel's source and not from policy.h: what
# do_wp_page() and its like of 5.8 (mapcount) and 5.10 (refcount) answer, where a
# sample settles it by itself: reuse, copy or undetermined; nothing where no policy is
# asked.
use strict;
use warnings;

my (%bit, %trait);

# Masks of flags by name: $bit{state}{ksm}.
sub learn_flags {
	my ($schema) = @_;
	$bit{$_} = $schema->{value}{$_} for qw(state evidence present trait);
	$trait{$_} = oct($schema->{traits}) & $bit{trait}{$_} for keys %{ $bit{trait} };
}

sub has { my ($f, $of, $name) = @_; return $f->{$of} & ($bit{$of}{$name} // 0); }

# Anonymous memory that no other mapping is meant to see, and what became of it.
sub decided {
	my ($f) = @_;
	my $shared = $f->{vm_flags} & 0x88;		# VM_SHARED, VM_MAYSHARE
	return 0 if $f->{kind} eq 'unknown' || $f->{outcome} !~ /^(reuse|copy|unshare|split)$/;
	# Nobody had FAULT_FLAG_UNSHARE yet.
	return 0 if $f->{fault_flags} & 0x400;
	return !$shared if $f->{path} eq 'hugetlb' || ($f->{path} eq 'pte' && $trait{'shared-first'});
	return 1 if $f->{path} eq 'pmd' || has($f, 'state', 'anon');
	return ($f->{vm_flags} & 0xa) != 0xa;		# VM_WRITE and VM_SHARED
}

# Swap entries that share the slot, 1 for at least one; undef where nothing tells.
sub swapcount {
	my ($f) = @_;
	my $free = !grep { has($f, 'state', $_) } qw(writeback locked);
	return 0 if !has($f, 'state', 'swapcache');
	return $f->{swapcount} if has($f, 'present', 'swapcount');
	# Entries take the mark away, and no kernel of 5.9 on reuses beside them.
	return 0 if has($f, 'state', 'exclusive') || has($f, 'state', 'exit-uncached');
	return 0 if $f->{outcome} eq 'reuse';
	return undef if !$trait{exclusive} || !$free || $f->{mapcount} != 1 ||
			$f->{outcome} !~ /^(copy|unshare)$/;
	# do_wp_page() of 5.19 on frees the slot where page_count() is that of the mapping
	# and of the swap cache, and after a copy: entries forbade it.
	return 1 if has($f, 'state', 'exit-swapcache');
	return $f->{refcount} <= 2 && !$f->{order} && !has($f, 'state', 'ksm') &&
	       !has($f, 'evidence', 'unstable') ? 1 : undef;
}

# Are pages of a large folio mapped by other page tables? undef where nothing tells.
sub elsewhere {
	my ($f) = @_;
	my $all = has($f, 'present', 'folio_mapcount') ? $f->{folio_mapcount} : undef;
	my $here = has($f, 'present', 'mapped_here') ? $f->{mapped_here} : undef;
	return 0 if !defined $all && defined $here && $f->{refcount} == $here;
	return 1 if defined $all && $all > 1 << $f->{order};
	return defined $all && defined $here ? $all > $here : undef;
}

sub reuse_swap_page {
	my ($f) = @_;
	my $cached = has($f, 'state', 'swapcache');
	my $all = has($f, 'present', 'folio_mapcount') ? $f->{folio_mapcount} : undef;
	return 'copy' if $f->{mapcount} > 1;
	if ($f->{order}) {
		return 'copy' if defined $all && $all > ($f->{path} eq 'pmd' ? 1 : 1 << $f->{order});
		return 'undetermined' if $f->{path} eq 'pte' && (elsewhere($f) // 1);
	}
	my $entries = swapcount($f);
	return 'copy' if $entries;
	return 'undetermined' if !defined $entries || ($cached && $f->{order});
	# SWP_STABLE_WRITES is a matter of the swap device.
	return has($f, 'state', 'writeback') ? 'undetermined' : 'reuse';
}

sub answer {
	my ($policy, $f) = @_;
	return undef if !decided($f);
	return 'copy' if $f->{kind} =~ /^(zero|special)$/ || !has($f, 'state', 'anon');
	return $f->{mapcount} == 1 ? 'reuse' : 'copy' if $f->{path} eq 'hugetlb';
	my $ksm = has($f, 'state', 'ksm');
	return reuse_swap_page($f) if $f->{path} eq 'pmd' || ($policy eq 'mapcount' && !$ksm);
	return 'copy' if $f->{mapcount} > 1;
	return 'copy' if $ksm && ($policy eq 'refcount' || has($f, 'state', 'swapcache'));
	return 'undetermined' if has($f, 'evidence', 'unstable');
	return 'copy' if $f->{refcount} != 1;
	return $policy eq 'refcount' && has($f, 'state', 'locked') ? 'undetermined' : 'reuse';
}

# Faults of each answer of each policy.
sub policy_totals {
	my ($schema, @groups) = @_;
	my %total = map { $_ => { copy => 0, reuse => 0, undetermined => 0 } } qw(mapcount refcount);
	learn_flags($schema);
	for my $f (@groups) {
		for (keys %total) {
			my $answer = answer($_, $f);
			$total{$_}{$answer} += $f->{faults} if $answer;
		}
	}
	return %total;
}

1;
