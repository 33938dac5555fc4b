// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cowtrace/classify.h>

#include "ledger.h"

/* Of what should not be. */
#define EXAMPLES	16

void keep(struct kept *k, const struct cowtrace_record *r)
{
	k->r = with_room(k->r, k->n, &k->room, sizeof(*r));
	k->r[k->n++] = *r;
}

void kept_free(struct kept *k)
{
	free(k->r);
	memset(k, 0, sizeof(*k));
}

static void add_copy(struct ledger *l, const struct cowtrace_record *r)
{
	l->copies = with_room(l->copies, l->nr_copies, &l->room, sizeof(*l->copies));
	l->copies[l->nr_copies++] = (struct copy) {
		.begin_ns	= r->time_ns,
		.end_ns		= fault_end(r),
		.address	= r->address & ~(PAGE - 1),
		.pid		= r->pid,
	};
}

static bool may_be_reuse(const struct cowtrace_record *r)
{
	return !(r->evidence & (COWTRACE_EV_RET | COWTRACE_EV_COUNTED | COWTRACE_EV_WATCHED)) &&
	       r->origin != COWTRACE_ORIGIN_UNSHARE && cowtrace_made_writable_(r);
}

void ledger_add(struct ledger *l, const struct cowtrace_record *r)
{
	bool attempt = false;

	l->records++;
	l->fault[r->outcome][r->reason]++;
	l->gaps += r->seq - l->seq[r->cpu] - 1;
	l->seq[r->cpu] = r->seq;
	l->hugetlb += r->path == COWTRACE_PATH_HUGETLB && !(r->vm_flags & COWTRACE_VM_SHARED);
	if (r->path != COWTRACE_PATH_PTE)
		return;
	switch (r->outcome) {
	case COWTRACE_OUTCOME_COPY:
	case COWTRACE_OUTCOME_UNSHARE:
		*(r->outcome == COWTRACE_OUTCOME_COPY ? &l->copied : &l->unshared) += 1;
		attempt = true;
		add_copy(l, r);
		break;
	case COWTRACE_OUTCOME_RACED:
	case COWTRACE_OUTCOME_OOM:
	case COWTRACE_OUTCOME_POISON:
	case COWTRACE_OUTCOME_RETRY:
		attempt = !(r->vm_flags & COWTRACE_VM_SHARED);
		if (attempt && r->outcome == COWTRACE_OUTCOME_RACED) {
			l->raced++;
			l->uncounted += may_be_reuse(r);
			keep(&l->losers, r);
		} else if (attempt) {
			l->others++;
		}
		break;
	case COWTRACE_OUTCOME_REUSE:
		if (r->origin == COWTRACE_ORIGIN_UNSHARE)
			l->unshare_reused++;
		else
			l->reused++;
		break;
	case COWTRACE_OUTCOME_MKWRITE:
		l->mkwrite++;
		break;
	}
	l->ksm += attempt && r->kind == COWTRACE_KIND_KSM;
}

void ledger_free(struct ledger *l)
{
	free(l->copies);
	kept_free(&l->losers);
	memset(l, 0, sizeof(*l));
}

unsigned long long ledger_outcome(const struct ledger *l, unsigned int outcome)
{
	unsigned long long sum = 0;
	int i;

	for (i = 0; i < COWTRACE_NR_REASONS; i++)
		sum += l->fault[outcome][i];
	return sum;
}

void window_open(struct window *w)
{
	outside_begin(&w->before);
}

void window_close(struct window *w)
{
	outside_end(&w->after);
	stats_read(&w->s);
	w->missed = missed();
}

static const char *name(const char *prefix, const char *what)
{
	static char full[64];

	snprintf(full, sizeof(full), "%s%s", prefix, what);
	return full;
}

/* Those that may have been a reuse, by what their exit found. */
static void note_losers(const struct ledger *l, const char *prefix)
{
	size_t i, n = 0;

	for (i = 0; i < l->losers.n && n < EXAMPLES; i++) {
		const struct cowtrace_record *r = &l->losers.r[i];

		if (cowtrace_other_page_(r))
			continue;
		note("%sperhaps a reuse: %s", prefix, record_text(r));
		n++;
	}
}

void ledger_check(const struct ledger *l, const struct window *w, const char *prefix,
		  unsigned long long least)
{
	long long calls = w->after.calls - w->before.calls;
	long long attempts = w->after.attempts - w->before.attempts;
	long long reuses = w->after.pgreuse - w->before.pgreuse;
	long long ksm = w->after.cow_ksm - w->before.cow_ksm;
	/* hugetlb_wp() calls the accounting, but not wp_page_copy(). */
	unsigned long long hugetlb = outside_hugetlb() ? l->hugetlb : 0;
	/* Called raced, but reuses by the kernel's own count. */
	long long undecided = reuses - (long long)(l->reused + l->mkwrite);
	long long ours = l->copied + l->unshared + l->raced + l->others + hugetlb +
			 w->s.sum.proofs;
	unsigned long long entries = w->s.sum.entries - w->s.sum.pmd_entries -
				     w->s.sum.hugetlb_entries;
	const char *broken = stats_broken(&w->s);

	note("%scalls %lld = entries %llu - pmd %llu - hugetlb %llu + proofs %llu + missed %llu",
	     prefix, calls, w->s.sum.entries, w->s.sum.pmd_entries, w->s.sum.hugetlb_entries,
	     w->s.sum.proofs, w->missed);
	note("%sattempts %lld = copy %llu + unshare %llu + raced %llu + oom, poison, retry %llu + hugetlb %llu + proofs %llu",
	     prefix, attempts, l->copied, l->unshared, l->raced, l->others, hugetlb,
	     w->s.sum.proofs);
	note("%spgreuse %lld = reuse %llu (and %llu for unshare, not counted) + mkwrite %llu + undecided %lld of %llu",
	     prefix, reuses, l->reused, l->unshare_reused, l->mkwrite, undecided, l->uncounted);
	note("%scow_ksm %lld = %llu on KSM pages", prefix, ksm, l->ksm);
	if (undecided < 0 || undecided > (long long)l->uncounted)
		note_losers(l, prefix);

	check(!broken, name(prefix, "identities"), "the accounting identities hold", "%s", broken);
	check(calls == (long long)(entries + w->s.sum.proofs + w->missed) &&
	      calls >= (long long)least, name(prefix, "calls"),
	      "calls of do_wp_page = entries of PTEs + proofs + missed", "%lld, %llu + %llu + %llu",
	      calls, entries, w->s.sum.proofs, w->missed);
	check(l->records == w->s.sum.entries && !l->gaps && !w->missed, name(prefix, "all"),
	      "each call is a record, none was missed", "%llu of %llu, %llu gaps, %llu missed",
	      l->records, w->s.sum.entries, l->gaps, w->missed);
	if (outside_attempts())
		check(attempts == ours - undecided, name(prefix, "attempts"),
		      "calls of the function that copies = copy + unshare + raced + oom + poison + retry + hugetlb + proofs - undecided",
		      "%lld of %s, %lld - %lld", attempts, outside_attempts(), ours, undecided);
	else
		skip(name(prefix, "attempts"),
		     "no __delayacct_wpcopy_start in this kernel, or no delayacct");
	check(undecided >= 0 && undecided <= (long long)l->uncounted, name(prefix, "reuses"),
	      "pgreuse = reuse without unshare + mkwrite + undecided",
	      "%lld, %llu + %llu, at most %llu undecided", reuses, l->reused, l->mkwrite,
	      l->uncounted);
	if (w->after.cow_ksm >= 0)
		check(ksm == (long long)l->ksm, name(prefix, "ksm"),
		      "cow_ksm = attempts on KSM pages", "%lld, %llu", ksm, l->ksm);
	else
		skip(name(prefix, "ksm"), "no cow_ksm in /proc/vmstat of this kernel");
}

static int by_place(uint32_t pid1, uint64_t address1, uint64_t time1, uint32_t pid2,
		    uint64_t address2, uint64_t time2)
{
	if (pid1 != pid2)
		return pid1 < pid2 ? -1 : 1;
	if (address1 != address2)
		return address1 < address2 ? -1 : 1;
	return (time1 > time2) - (time1 < time2);
}

static int compare_copies(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return by_place(x->pid, x->address, x->begin_ns, y->pid, y->address, y->begin_ns);
}

static int compare_pages(const void *a, const void *b)
{
	const struct newpage *x = a, *y = b;

	return by_place(x->pid, x->address & ~(PAGE - 1), x->time_ns,
			y->pid, y->address & ~(PAGE - 1), y->time_ns);
}

/* Is the page before the copy (-1), of it (0), or after it (1)? */
static int place(const struct newpage *p, const struct copy *c)
{
	int order = by_place(p->pid, p->address & ~(PAGE - 1), 0, c->pid, c->address, 0);

	if (order)
		return order;
	return p->time_ns < c->begin_ns ? -1 : p->time_ns > c->end_ns;
}

static const struct cowtrace_record *loser_of(const struct ledger *l, const struct newpage *p)
{
	size_t i;

	for (i = 0; i < l->losers.n; i++) {
		const struct cowtrace_record *r = &l->losers.r[i];

		if (r->pid == p->pid && !((r->address ^ p->address) & ~(PAGE - 1)) &&
		    r->time_ns <= p->time_ns && p->time_ns <= fault_end(r))
			return r;
	}
	return NULL;
}

/* A record that says that it does not know. */
static bool undecided_unshare(const struct cowtrace_record *r)
{
	return r && r->origin == COWTRACE_ORIGIN_UNSHARE &&
	       !(r->evidence & COWTRACE_EV_WATCHED) && r->new_pfn != r->pfn;
}

void ledger_check_copies(const struct ledger *l, const struct window *w, struct newpages *pages,
			 const char *prefix)
{
	struct newpages_count count = newpages_count();
	unsigned long long copies = l->copied + l->unshared;
	unsigned long long proofs = 0, unseen = 0, without = 0, maybe = 0;
	const struct copy *false_copy = NULL;
	size_t i = 0, k = 0;

	if (l->nr_copies)
		qsort(l->copies, l->nr_copies, sizeof(*l->copies), compare_copies);
	if (pages->n)
		qsort(pages->at, pages->n, sizeof(*pages->at), compare_pages);
	while (i < pages->n || k < l->nr_copies) {
		int order = i == pages->n ? 1 :
			    k == l->nr_copies ? -1 : place(&pages->at[i], &l->copies[k]);

		if (order < 0 && pages->at[i].pid == (uint32_t)getpid()) {
			proofs++;
		} else if (order < 0) {
			const struct cowtrace_record *r = loser_of(l, &pages->at[i]);

			if (undecided_unshare(r))
				maybe++;
			else if (unseen++ < EXAMPLES)
				note("%scopied at %" PRIu64 ", but: %s", prefix,
				     pages->at[i].time_ns, record_text(r));
		} else if (order > 0) {
			without++;
			false_copy = &l->copies[k];
		}
		i += order <= 0;
		k += order >= 0;
	}
	note("%snew pages %zu (and %llu not of do_wp_page) = copies %llu + proofs %llu + undecided unshares %llu, lost %lld",
	     prefix, pages->n, pages->others, copies, proofs, maybe, count.lost);
	check(count.hits == (long long)(pages->n + pages->others) && !count.lost,
	      name(prefix, "outside"), "each hit of the kprobe event on new pages is read",
	      "%lld hits, %zu + %llu read, %lld lost", count.hits, pages->n, pages->others,
	      count.lost);
	check(pages->n == copies + w->s.sum.proofs + maybe, name(prefix, "copies"),
	      "new pages mapped by do_wp_page = copy + unshare + proofs + undecided unshares",
	      "%zu, %llu + %llu + %llu", pages->n, copies, w->s.sum.proofs, maybe);
	check(!without, name(prefix, "no-false-copy"), "each copy mapped a new page",
	      "%llu did not, one at %#" PRIx64 " by %u", without,
	      without ? false_copy->address : 0, without ? false_copy->pid : 0);
	check(!unseen && proofs == w->s.sum.proofs, name(prefix, "no-hidden-copy"),
	      "each new page is that of a copy", "%llu are not; %llu of %llu proofs", unseen,
	      proofs, w->s.sum.proofs);
}
