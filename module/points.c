// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/percpu.h>
#include <cowtrace/classify.h>

#include "compat/compat.h"
#include "count.h"
#include "counters.h"
#include "filter.h"
#include "points.h"
#include "proof.h"
#include "ring.h"
#include "session.h"
#include "split.h"
#include "tracepoint.h"
#include "witness.h"

/*
 * Each fault is taken with the probability of one in sample_every, whatever became
 * of those before it: a count-down would take always the same of a pattern that
 * repeats. Costs one multiplication, on a cache line that counts the fault anyway.
 */
static bool sampled_out(struct cow_counters *c)
{
	u64 below = READ_ONCE(cow_hot.sample_below);

	if (likely(below == U64_MAX))
		return false;
	/* Knuth's MMIX generator: the comparison rests on its high bits, which are good. */
	c->random = c->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return c->random >= below;
}

/* Is the fault wanted? Return: false when it ends here, accounted for. */
static bool admit(struct cow_counters *c)
{
	c->entries++;
	if (c->busy) {
		c->nested++;
		return false;
	}
	if (!cow_filter_entry()) {
		c->filtered_entry++;
		return false;
	}
	if (sampled_out(c)) {
		c->sampled_out++;
		return false;
	}
	return true;
}

typedef bool (*sample_fn)(struct cow_entry *e, const struct cow_args *args);

/* Inlined into each path's own handler, so that its sampler is no indirect call. */
static __always_inline int enter(struct cow_entry *e, const struct cow_args *args, u32 users,
				 sample_fn sample, bool proof)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	bool sane;

	c->busy = true;
	sane = sample(e, args);
	if (READ_ONCE(cow_hot.watched) & BIT(e->path))
		e->evidence |= COWTRACE_EV_WATCHED;
	e->generation = READ_ONCE(cow_hot.generation);
	e->users = users;
	e->proof = proof;
	c->busy = false;
	if (unlikely(!sane)) {
		c->unread++;
		return 1;
	}
	if (!proof)
		c->handed_on++;
	return 0;
}

static int wp_enter(struct cow_entry *e, const struct cow_args *args)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	u32 users = READ_ONCE(cow_hot.users);
	bool proof = cow_proof_here((const struct vm_fault *)args->arg[0]);

	if (proof)
		c->proofs++;
	else if (!users || !admit(c))
		return 1;
	return enter(e, args, users, cow_sample_wp, proof);
}

static int pmd_enter(struct cow_entry *e, const struct cow_args *args)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	u32 users = READ_ONCE(cow_hot.users);

	if (!users)
		return 1;
	c->pmd_entries++;
	return admit(c) ? enter(e, args, users, cow_sample_pmd, false) : 1;
}

static int hugetlb_enter(struct cow_entry *e, const struct cow_args *args)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	u32 users = READ_ONCE(cow_hot.users);

	if (!users)
		return 1;
	c->hugetlb_entries++;
	return admit(c) ? enter(e, args, users, cow_sample_hugetlb, false) : 1;
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

static void hear_witness(struct cowtrace_record *r)
{
	switch (cow_witness_ask(r->address, size_at(r), r->time_ns)) {
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

static void settle(struct cowtrace_record *r)
{
	struct cowtrace_verdict v;

	if ((r->evidence & COWTRACE_EV_WATCHED) && is_open(r))
		hear_witness(r);
	if (r->path == COWTRACE_PATH_PTE &&
	    cow_split_ask(r->address, r->evidence & COWTRACE_EV_COUNTED))
		r->state |= COWTRACE_AFTER_SPLIT;
	v = cowtrace_classify(r, COW_TRAITS);
	r->outcome = v.outcome;
	r->reason = v.reason;
	r->evidence = v.evidence;
	if (r->path == COWTRACE_PATH_PMD && r->outcome == COWTRACE_OUTCOME_SPLIT)
		cow_split_note(r->address);
}

static void leave(struct cow_entry *e, unsigned long ret, unsigned long ret_ip)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	struct cowtrace_record r;

	if (e->generation != READ_ONCE(cow_hot.generation)) {
		c->stale_exits++;
		return;
	}
	c->busy = true;
	cow_sample_exit(&r, e, ret, ret_ip);
	settle(&r);
	if (e->proof) {
		cow_proof_seen(&r);
	} else {
		c->exits++;
		if (!cow_filter_exit(&r)) {
			c->filtered_exit++;
		} else {
			cow_count_fault(&r);
			if (!deliver(&r, e->users))
				c->dropped_full++;
			else if (e->users & COW_USER_COUNT)
				c->counted++;
			else
				c->recorded++;
		}
	}
	c->busy = false;
}

/* The probed function was called: from @inside the one whose faults are traced? */
static void testify(const struct cow_args *args, bool inside, enum cow_testimony what,
		    unsigned long address)
{
	/* Not filtered: a filter may change between the entry and here. */
	if (inside)
		cow_witness_mark(what, address);
	else if (unlikely(!args->ret_ip))
		cow_witness_mark(COW_SAW_UNKNOWN, address);
}

static void wp_copy_hit(const struct cow_args *args)
{
	cow_count(wp_copy_hits);
	testify(args, cow_symbol_covers(COW_SYM_WP, args->ret_ip) ||
		cow_symbol_covers(COW_SYM_COPY, args->ret_ip), COW_SAW_COPY, args->arg[1]);
}

static void wp_reuse_hit(const struct cow_args *args)
{
	cow_count(wp_reuse_hits);
	testify(args, cow_symbol_covers(COW_SYM_REUSE, args->ret_ip) ||
		cow_symbol_covers(COW_SYM_WP, args->ret_ip), COW_SAW_REUSE, args->arg[1]);
}

static void pmd_reuse_hit(const struct cow_args *args)
{
	cow_count(pmd_reuse_hits);
	testify(args, cow_symbol_covers(COW_SYM_PMD, args->ret_ip), COW_SAW_REUSE, args->arg[1]);
}

static void pmd_copy_hit(const struct cow_args *args)
{
	cow_count(pmd_copy_hits);
	testify(args, cow_symbol_covers(COW_SYM_PMD, args->ret_ip), COW_SAW_COPY, args->arg[1]);
}

static void hugetlb_copy_hit(const struct cow_args *args)
{
	cow_count(hugetlb_copy_hits);
	testify(args, cow_symbol_covers(COW_SYM_HUGETLB, args->ret_ip), COW_SAW_COPY,
		args->arg[2]);
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
		.enter		= wp_enter,
		.leave		= leave,
		.hits		= wp_hits,
	},
	[COW_POINT_PMD] = {
		.symbol		= COW_SYM_PMD,
		.sentence	= "each write-protect fault of a huge PMD",
		.path		= COWTRACE_PATH_PMD,
		.enter		= pmd_enter,
		.leave		= leave,
		.hits		= pmd_entries_sum,
	},
	[COW_POINT_HUGETLB] = {
		.symbol		= COW_SYM_HUGETLB,
		.sentence	= "each write-protect fault of a hugetlb page",
		.path		= COWTRACE_PATH_HUGETLB,
		.enter		= hugetlb_enter,
		.leave		= leave,
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
