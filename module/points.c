// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/percpu.h>

#include "add.h"
#include "caller.h"
#include "clock.h"
#include "compat/compat.h"
#include "count.h"
#include "counters.h"
#include "filter.h"
#include "points.h"
#include "proof.h"
#include "ring.h"
#include "sample_entry.h"
#include "sample_exit.h"
#include "session.h"
#include "split.h"
#include "tracepoint.h"
#include "verdict.h"
#include "witness.h"

/*
 * Each fault is taken with the probability of one in sample_every, whatever became
 * of those before it: a count-down would take always the same of a pattern that
 * repeats. Costs one multiplication, on the cache line of the visit.
 */
static __always_inline bool sampled_out(struct cow_counters *c)
{
	u64 below = READ_ONCE(cow_hot.sample_below);

	if (likely(below == U64_MAX))
		return false;
	/* Knuth's MMIX generator: the comparison rests on its high bits, which are good. */
	c->random = c->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return c->random >= below;
}

/* Is the fault wanted? Return: false when it ends here, accounted for. */
static __always_inline bool admit(struct cow_counters *c)
{
	cow_add(c->entries, 1);
	if (c->busy) {
		cow_add(c->nested, 1);
		return false;
	}
	if (!cow_filter_entry()) {
		cow_add(c->filtered_entry, 1);
		return false;
	}
	if (sampled_out(c)) {
		cow_add(c->sampled_out, 1);
		return false;
	}
	return true;
}

typedef bool (*sample_fn)(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip,
			  struct cow_alike *alike);

/* Inlined into each path's own handler, so that its sampler is no indirect call. */
static __always_inline int enter(struct cow_counters *c, struct cow_entry *e,
				 const struct pt_regs *regs, unsigned long ip, u32 users,
				 sample_fn sample, bool proof)
{
	bool sane;

	c->busy = true;
	sane = sample(e, regs, ip, &c->alike);
	if (READ_ONCE(cow_hot.watched) & BIT(e->s.path))
		e->s.evidence |= COWTRACE_EV_WATCHED;
	e->generation = READ_ONCE(cow_hot.generation);
	e->users = users;
	e->proof = proof;
	c->busy = false;
	if (unlikely(!sane)) {
		cow_add(c->unread, 1);
		return 1;
	}
	c->visit.wanted = true;
	if (!proof)
		cow_add(c->handed_on, 1);
	return 0;
}

int cow_wp_enter(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	u32 users = READ_ONCE(cow_hot.users);
	bool proof = cow_proof_here((const struct vm_fault *)cow_arg0(regs));

	cow_visit_begin(&c->visit);
	if (unlikely(proof))
		cow_add(c->proofs, 1);
	else if (!users || !admit(c))
		return 1;
	return enter(c, e, regs, ip, users, cow_sample_wp, proof);
}

/* Of a huge page. @entries: how many of the path this CPU had. */
static __always_inline int enter_huge(struct cow_counters *c, u64 *entries, struct cow_entry *e,
				      const struct pt_regs *regs, unsigned long ip,
				      sample_fn sample)
{
	u32 users = READ_ONCE(cow_hot.users);

	cow_visit_begin(&c->visit);
	if (!users)
		return 1;
	cow_add(*entries, 1);
	return admit(c) ? enter(c, e, regs, ip, users, sample, false) : 1;
}

static int pmd_enter(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);

	return enter_huge(c, &c->pmd_entries, e, regs, ip, cow_sample_pmd);
}

static int hugetlb_enter(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);

	return enter_huge(c, &c->hugetlb_entries, e, regs, ip, cow_sample_hugetlb);
}

/* The record to all who wanted it at entry. Return: false when the ring lost it. */
static bool deliver(struct cowtrace_record *r, u32 users)
{
	struct cow_ring *events = READ_ONCE(cow_hot.events);
	bool kept = true;

	if (users & (COW_USER_FILES | COW_USER_COUNT) && events && !cow_ring_write(events, r))
		cow_count(events_dropped);
	/* Last, so that the tracepoint shows the number that the ring gave. */
	if (users & COW_USER_FILES)
		kept = cow_ring_write(cow_hot.ring, r);
	else
		r->seq = 0;
	if (users & COW_USER_TRACE)
		cow_trace_fault(r);
	return kept;
}

static unsigned long size_at(const struct cowtrace_record *r)
{
	switch (r->path) {
	case COWTRACE_PATH_PMD:
		return HPAGE_PMD_SIZE;
	case COWTRACE_PATH_HUGETLB:
		return PAGE_SIZE << r->order;
	default:
		return PAGE_SIZE;
	}
}

static enum cow_testimony testimony(const struct cowtrace_record *r, const struct cow_entry *e)
{
	unsigned long size = size_at(r);

	if (likely(cow_stayed(e)))
		return cow_visit_told(&this_cpu_ptr(cow_counters)->visit, r->address, size);
	return cow_witness_ask(r->address, size, e->began, e->switches);
}

static __always_inline void hear_witness(struct cowtrace_record *r, const struct cow_entry *e)
{
	switch (testimony(r, e)) {
	case COW_SAW_COPY:
		r->evidence |= COWTRACE_EV_WITNESS;
		break;
	case COW_SAW_REUSE:
		r->evidence |= COWTRACE_EV_REUSED;
		break;
	case COW_SAW_UNKNOWN:
	case COW_FORGOT:
		r->evidence &= ~COWTRACE_EV_WATCHED;
		cow_count(witness_lost);
		break;
	case COW_SAW_NOTHING:
		break;
	}
}

/*
 * Is it worth a search for the witness? Not where the pgreuse event has told and
 * the same page is writable. The same page alone says nothing: a copy of a page of
 * KSM, or of the zero page, is merged again when ksmd comes before the user.
 */
static bool is_open(const struct cowtrace_record *r)
{
	return r->path == COWTRACE_PATH_PMD || r->new_pfn != r->pfn ||
	       !(r->state & COWTRACE_EXIT_WRITE) || !(r->evidence & COWTRACE_EV_COUNTED);
}

static __always_inline void settle(struct cowtrace_record *r, const struct cow_entry *e)
{
	struct cowtrace_verdict v;

	if ((r->evidence & COWTRACE_EV_WATCHED) && is_open(r))
		hear_witness(r, e);
	if (r->path == COWTRACE_PATH_PTE &&
	    cow_split_ask(r->address, cow_stayed(e)))
		r->state |= COWTRACE_AFTER_SPLIT;
	v = cow_verdict(r);
	r->outcome = v.outcome;
	r->reason = v.reason;
	r->evidence = v.evidence;
	if (r->path == COWTRACE_PATH_PMD && r->outcome == COWTRACE_OUTCOME_SPLIT)
		cow_split_note(r->address);
}

/* Does anybody look at the record of this fault, but who reads the ring? */
static __always_inline bool watched_closely(const struct cow_entry *e)
{
	return unlikely(e->proof) || cow_filter_set() || unlikely(READ_ONCE(cow_hot.events));
}

/* Names and time are not asked for where all that remains is a count. */
static __always_inline void record(struct cowtrace_record *r, const struct cow_entry *e,
				   unsigned long ret, unsigned long ret_ip, bool counted)
{
	cow_sample_exit(r, e, ret, ret_ip, !counted,
			!counted || static_branch_unlikely(&cow_durations_on));
	settle(r, e);
}

/* What is left of a fault is not surely a record. */
static noinline void leave_closely(struct cow_counters *c, struct cow_entry *e, unsigned long ret,
				   unsigned long ret_ip)
{
	struct cowtrace_record *r = &c->scratch;

	record(r, e, ret, ret_ip, false);
	if (e->proof) {
		cow_proof_seen(r);
		return;
	}
	cow_add(c->exits, 1);
	if (!cow_filter_exit(r)) {
		cow_add(c->filtered_exit, 1);
		return;
	}
	cow_count_fault(r);
	if (!deliver(r, e->users))
		cow_add(c->dropped_full, 1);
	else if (e->users & COW_USER_COUNT)
		cow_add(c->counted, 1);
	else
		cow_add(c->recorded, 1);
}

/*
 * The record is made where it is read: a copy of its two cache lines costs more than
 * the verdict. Return: false when there is no room.
 */
static __always_inline bool leave_in_ring(struct cow_counters *c, const struct cow_entry *e,
					  unsigned long ret, unsigned long ret_ip)
{
	struct cowtrace_record *r = cow_ring_claim(cow_hot.ring);

	if (unlikely(!r))
		return false;
	record(r, e, ret, ret_ip, false);
	cow_add(c->exits, 1);
	cow_add(c->recorded, 1);
	cow_count_fault(r);
	cow_ring_commit(cow_hot.ring, r);
	return true;
}

void cow_leave(struct cow_entry *e, unsigned long ret, unsigned long ret_ip)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);

	if (unlikely(e->generation != READ_ONCE(cow_hot.generation))) {
		cow_add(c->stale_exits, 1);
		return;
	}
	c->busy = true;
	if (watched_closely(e)) {
		leave_closely(c, e, ret, ret_ip);
	} else if (e->users == COW_USER_COUNT) {
		record(&c->scratch, e, ret, ret_ip, true);
		cow_add(c->exits, 1);
		cow_add(c->counted, 1);
		cow_count_fault(&c->scratch);
	} else if (e->users != COW_USER_FILES || !leave_in_ring(c, e, ret, ret_ip)) {
		leave_closely(c, e, ret, ret_ip);
	}
	cow_visit_end(&c->visit);
	c->busy = false;
}

/*
 * The probed function was called: from inside the one of @symbol, or of @other, whose
 * faults are traced? Whether it is wanted was settled at entry: a filter may change.
 */
static __always_inline void testify(const struct pt_regs *regs, unsigned long ip,
				    enum cow_symbol symbol, enum cow_symbol other,
				    enum cow_testimony what, unsigned long address)
{
	struct cow_visit *visit = &this_cpu_ptr(cow_counters)->visit;
	unsigned long ret_ip = *(unsigned long *)regs->sp;
	bool here = cow_visit_lasts(visit);

	if (likely(here) && !visit->wanted)
		return;
	if (!cow_symbol_covers(symbol, ret_ip) && !cow_symbol_covers(other, ret_ip)) {
		ret_ip = cow_return_ip(ip, regs);
		if (likely(ret_ip) && !cow_symbol_covers(symbol, ret_ip) &&
		    !cow_symbol_covers(other, ret_ip))
			return;
		if (!ret_ip)
			what = COW_SAW_UNKNOWN;
	}
	if (likely(here)) {
		cow_visit_mark(visit, what, address);
		return;
	}
	/* An earlier mark of this task must not be kept above the new one. */
	if (visit->task == current)
		WRITE_ONCE(visit->what, COW_SAW_NOTHING);
	cow_witness_mark(what, address);
}

static void wp_copy_hit(const struct pt_regs *regs, unsigned long ip)
{
	cow_count(wp_copy_hits);
	testify(regs, ip, COW_SYM_WP, COW_SYM_COPY, COW_SAW_COPY, cow_arg1(regs));
}

static void wp_reuse_hit(const struct pt_regs *regs, unsigned long ip)
{
	cow_count(wp_reuse_hits);
	testify(regs, ip, COW_SYM_WP, COW_SYM_REUSE, COW_SAW_REUSE, cow_arg1(regs));
}

static void pmd_reuse_hit(const struct pt_regs *regs, unsigned long ip)
{
	cow_count(pmd_reuse_hits);
	testify(regs, ip, COW_SYM_PMD, COW_SYM_PMD, COW_SAW_REUSE, cow_arg1(regs));
}

static void pmd_copy_hit(const struct pt_regs *regs, unsigned long ip)
{
	cow_count(pmd_copy_hits);
	testify(regs, ip, COW_SYM_PMD, COW_SYM_PMD, COW_SAW_COPY, cow_arg1(regs));
}

static void hugetlb_copy_hit(const struct pt_regs *regs, unsigned long ip)
{
	cow_count(hugetlb_copy_hits);
	testify(regs, ip, COW_SYM_HUGETLB, COW_SYM_HUGETLB, COW_SAW_COPY, cow_arg2(regs));
}

static u64 wp_hits(void)
{
	return cow_sum(entries) - cow_sum(pmd_entries) - cow_sum(hugetlb_entries) +
	       cow_sum(proofs);
}

#define HITS(counter)	static u64 counter##_sum(void) { return cow_sum(counter); }

HITS(pmd_entries)
HITS(hugetlb_entries)
HITS(wp_copy_hits)
HITS(wp_reuse_hits)
HITS(pmd_reuse_hits)
HITS(pmd_copy_hits)
HITS(hugetlb_copy_hits)

const struct cow_point cow_points[COW_NR_POINTS] = {
	[COW_POINT_WP] = {
		.symbol		= COW_SYM_WP,
		.sentence	= "each write-protect fault of one PTE",
		.path		= COWTRACE_PATH_PTE,
		.enter		= cow_wp_enter,
		.hits		= wp_hits,
	},
	[COW_POINT_PMD] = {
		.symbol		= COW_SYM_PMD,
		.sentence	= "each write-protect fault of a huge PMD",
		.path		= COWTRACE_PATH_PMD,
		.enter		= pmd_enter,
		.hits		= pmd_entries_sum,
	},
	[COW_POINT_HUGETLB] = {
		.symbol		= COW_SYM_HUGETLB,
		.sentence	= "each write-protect fault of a hugetlb page",
		.path		= COWTRACE_PATH_HUGETLB,
		.enter		= hugetlb_enter,
		.hits		= hugetlb_entries_sum,
	},
	[COW_POINT_WP_COPY] = {
		.symbol		= COW_SYM_PTE_FLUSH,
		.sentence	= "the copy of a page being mapped",
		.path		= COWTRACE_PATH_PTE,
		.silence	= true,
		.hit		= wp_copy_hit,
		.hits		= wp_copy_hits_sum,
	},
	[COW_POINT_WP_REUSE] = {
		.symbol		= COW_SYM_PTE_ACCESS,
		.sentence	= "a page being reused",
		.path		= COWTRACE_PATH_PTE,
		.hit		= wp_reuse_hit,
		.hits		= wp_reuse_hits_sum,
	},
	[COW_POINT_PMD_REUSE] = {
		.symbol		= COW_SYM_PMD_ACCESS,
		.sentence	= "a huge page being reused",
		.path		= COWTRACE_PATH_PMD,
		.silence	= true,
		.hit		= pmd_reuse_hit,
		.hits		= pmd_reuse_hits_sum,
	},
	[COW_POINT_PMD_COPY] = {
		.symbol		= COW_SYM_PMD_FLUSH,
		.sentence	= "the copy of the huge zero page being mapped",
		.path		= COWTRACE_PATH_PMD,
		.silence	= true,
		.hit		= pmd_copy_hit,
		.hits		= pmd_copy_hits_sum,
	},
	[COW_POINT_HUGETLB_COPY] = {
		.symbol		= COW_SYM_HUGETLB_RMAP,
		.sentence	= "the copy of a hugetlb page being mapped",
		.path		= COWTRACE_PATH_HUGETLB,
		.silence	= true,
		.hit		= hugetlb_copy_hit,
		.hits		= hugetlb_copy_hits_sum,
	},
};
