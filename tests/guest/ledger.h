/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records of one window added up, and set against the kernel's own counts
 * of the same window (outside.h), to the single fault:
 *
 *   calls:    calls of do_wp_page()
 *               = entries - those of huge PMDs and hugetlb pages + proofs + missed
 *   attempts: calls of the function in which a copy begins
 *               = copy + unshare + raced + oom + poison + retry of private
 *                 mappings + all faults of private hugetlb pages (not where it is
 *                 wp_page_copy()) + proofs (each copies the zero page)
 *   reuses:   pgreuse of /proc/vmstat
 *               = reuse (but not of FAULT_FLAG_UNSHARE) + mkwrite, of PTEs
 *   ksm:      cow_ksm of /proc/vmstat
 *               = those of the second line whose page is KSM's
 *   copies:   calls of folio_add_new_anon_rmap() from inside do_wp_page()
 *               = copy + unshare + proofs, one by one: each lies in the time of
 *                 one of these, by the same thread at the same page
 *
 * With the witness off, from 6.2 on, a fault that was preempted has neither a code
 * nor pgreuse to tell whether it reused the page: it is called raced when the page
 * is the same at its exit, and writable. Those, and no others, are the term
 * "undecided": each may stand in the equation of the reuses instead of that of the
 * attempts.
 * 5.19 to 6.1 have no code for an unshare: without the witness it is called
 * raced, and may be a copy.
 */
#ifndef COWTEST_LEDGER_H
#define COWTEST_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

#include "lib.h"
#include "outside.h"

/**
 * struct copy - a record that says that a new page was mapped
 * @begin_ns: its entry.
 * @end_ns: its exit.
 * @address: of the page.
 * @pid: the thread.
 */
struct copy {
	uint64_t	begin_ns, end_ns;
	uint64_t	address;
	uint32_t	pid;
};

/**
 * struct kept - records that are kept as they are
 * @r: the records.
 * @n: how many.
 * @room: for how many there is memory.
 */
struct kept {
	struct cowtrace_record	*r;
	size_t			n, room;
};

void keep(struct kept *k, const struct cowtrace_record *r);
void kept_free(struct kept *k);

/**
 * struct ledger - what the records say; all but the first two of PTEs alone
 * @records: all.
 * @hugetlb: of private hugetlb pages.
 * @copied: outcome copy.
 * @unshared: outcome unshare.
 * @raced: outcome raced, in a private mapping.
 * @others: oom, poison and retry, in a private mapping.
 * @reused: outcome reuse.
 * @unshare_reused: the same for FAULT_FLAG_UNSHARE, which counts no pgreuse.
 * @mkwrite: outcome mkwrite.
 * @ksm: attempts to copy a page of KSM.
 * @uncounted: of @raced, those that may have been a reuse.
 * @fault: by outcome and reason, of all paths.
 * @gaps: records that are missing, by their numbers.
 * @seq: the last number of each CPU.
 * @copies: each of @copied and @unshared.
 * @nr_copies: how many.
 * @room: for how many there is memory.
 * @losers: each of @raced.
 */
struct ledger {
	unsigned long long	records, hugetlb, copied, unshared, raced, others;
	unsigned long long	reused, unshare_reused, mkwrite, ksm, uncounted;
	unsigned long long	fault[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
	unsigned long long	gaps;
	uint32_t		seq[MAX_CPUS];
	struct copy		*copies;
	size_t			nr_copies, room;
	struct kept		losers;
};

void ledger_add(struct ledger *l, const struct cowtrace_record *r);
void ledger_free(struct ledger *l);
/* All faults of an outcome. */
unsigned long long ledger_outcome(const struct ledger *l, unsigned int outcome);

/**
 * struct window - the counts of one window beside the module's own
 * @before: outside, before.
 * @after: outside, after.
 * @s: the module's statistics after it.
 * @missed: calls that the module knows that it did not see.
 */
struct window {
	struct outside		before, after;
	struct stats		s;
	unsigned long long	missed;
};

/* outside_begin(), outside_end(), and what the module says of it. */
void window_open(struct window *w);
void window_close(struct window *w);

/*
 * Check all equations but that of single copies. @prefix goes before the names
 * of the claims; @least is how many calls, and as many reuses and attempts in
 * sum, there were at least.
 */
void ledger_check(const struct ledger *l, const struct window *w, const char *prefix,
		  unsigned long long least);
/* Check that each copy is one of @pages, and each of these one copy or a proof. */
void ledger_check_copies(const struct ledger *l, const struct window *w, struct newpages *pages,
			 const char *prefix);

#endif /* COWTEST_LEDGER_H */
