// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/percpu.h>
#include <cowtrace/classify.h>

#include "compat/compat.h"
#include "counters.h"
#include "filter.h"
#include "points.h"
#include "proof.h"
#include "ring.h"
#include "session.h"
#include "tracepoint.h"
#include "witness.h"

/* One fault in sample_every, counted down per CPU: no division, no shared line. */
static bool sampled_out(struct cow_counters *c)
{
	u32 every = READ_ONCE(cow_hot.sample_every);

	if (likely(every <= 1))
		return false;
	/* The setting may have become smaller meanwhile. */
	if (c->countdown > 1 && c->countdown <= every) {
		c->countdown--;
		return true;
	}
	c->countdown = every;
	return false;
}

static int wp_enter(struct cow_entry *e, const struct cow_args *args)
{
	struct vm_fault *vmf = (struct vm_fault *)args->arg0;
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	u32 users = READ_ONCE(cow_hot.users);
	bool proof = cow_proof_here(vmf);

	if (proof) {
		c->proofs++;
	} else {
		if (!users)
			return 1;
		c->entries++;
		if (c->busy) {
			c->nested++;
			return 1;
		}
		if (!cow_filter_entry()) {
			c->filtered_entry++;
			return 1;
		}
		if (sampled_out(c)) {
			c->sampled_out++;
			return 1;
		}
		c->handed_on++;
	}
	c->busy = true;
	cow_sample_entry(e, vmf);
	if (READ_ONCE(cow_hot.witness))
		e->evidence |= COWTRACE_EV_WATCHED;
	e->generation = READ_ONCE(cow_hot.generation);
	e->users = users;
	e->proof = proof;
	c->busy = false;
	return 0;
}

/* The record to all who wanted it at entry. Return: false when the ring lost it. */
static bool deliver(struct cowtrace_record *r, u32 users)
{
	struct cow_ring *events = READ_ONCE(cow_hot.events);
	bool kept = true;

	if (users & COW_USER_FILES) {
		if (events && !cow_ring_write(events, r))
			cow_count(events_dropped);
		/* Last, so that the tracepoint shows the number that the ring gave. */
		kept = cow_ring_write(cow_hot.ring, r);
	}
	if (users & COW_USER_TRACE)
		cow_trace_fault(r);
	return kept;
}

static void hear(struct cowtrace_record *r, enum cow_testimony testimony)
{
	if (testimony == COW_SAW_COPY) {
		r->evidence |= COWTRACE_EV_WITNESS;
	} else if (testimony == COW_FORGOT) {
		r->evidence &= ~COWTRACE_EV_WATCHED;
		cow_count(witness_lost);
	}
}

static void settle(struct cowtrace_record *r, const struct cow_entry *e)
{
	struct cowtrace_verdict v;

	/* A page that is still mapped was not copied: spare the search. */
	if ((r->evidence & COWTRACE_EV_WATCHED) && r->new_pfn != r->pfn)
		hear(r, cow_witness_ask(r->address, e->time_ns));
	v = cowtrace_classify(r, COW_TRAITS);
	r->outcome = v.outcome;
	r->reason = v.reason;
	r->evidence = v.evidence;
}

static void wp_leave(struct cow_entry *e, unsigned long ret, unsigned long ret_ip)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	struct cowtrace_record r;

	if (e->generation != READ_ONCE(cow_hot.generation)) {
		c->stale_exits++;
		return;
	}
	c->busy = true;
	cow_sample_exit(&r, e, ret, ret_ip);
	settle(&r, e);
	if (e->proof) {
		cow_proof_seen(&r);
	} else {
		c->exits++;
		if (!cow_filter_exit(&r)) {
			c->filtered_exit++;
		} else {
			cow_tally(&r);
			if (deliver(&r, e->users))
				c->recorded++;
			else
				c->dropped_full++;
		}
	}
	c->busy = false;
}

static u64 wp_hits(void)
{
	return cow_sum(entries) + cow_sum(proofs);
}

static u64 witness_hits(void)
{
	return cow_sum(witness_hits);
}

const struct cow_point cow_points[COW_NR_POINTS] = {
	[COW_POINT_WP] = {
		.symbol		= COW_SYMBOL_WP,
		.sentence	= "each write-protect fault of one PTE",
		.enter		= wp_enter,
		.leave		= wp_leave,
		.hits		= wp_hits,
	},
	[COW_POINT_WITNESS] = {
		.symbol		= "ptep_clear_flush",
		.sentence	= "the copy being mapped",
		.hit		= cow_witness_hit,
		.hits		= witness_hits,
	},
};
