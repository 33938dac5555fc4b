/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verdict: what cowtrace_classify() says of a fault, remembered: each CPU keeps some
 * faults (memo.h) with their verdicts. 32 instructions then, where asking takes 80 for a
 * reuse and 160 for a copy whose holders are told apart.
 */
#ifndef COW_VERDICT_H
#define COW_VERDICT_H

#include <cowtrace/classify.h>
#include <linux/percpu.h>

#include "compat/compat.h"
#include "memo.h"

#define COW_VERDICT_BITS	5

/**
 * struct cow_verdict - a verdict, on a cache line of its own
 * @memo: of what; the bits of its key are inverted when the page stayed the same.
 * @v: the verdict.
 */
struct cow_verdict {
	struct cow_memo		memo;
	struct cowtrace_verdict	v;
} ____cacheline_aligned;

static_assert(sizeof(struct cow_verdict) == SMP_CACHE_BYTES);

/**
 * struct cow_verdicts - what a CPU remembers
 * @of: found by cow_memo_hash(). The verdict of an empty one is that nothing is known.
 */
struct cow_verdicts {
	struct cow_verdict	of[BIT(COW_VERDICT_BITS)];
};

extern struct cow_verdicts __percpu *cow_verdicts;

/* Return: 0 or -ENOMEM. */
int __init cow_verdict_init(void);
void cow_verdict_exit(void);

/* Ask, and remember. Context: preemption off. */
void cow_verdict_ask(struct cow_verdict *v, const struct cowtrace_record *r, u64 key);

/**
 * cow_verdict() - the verdict on a fault
 * @r: the record, with outcome and reason 0.
 *
 * Context: preemption off, never interrupted by another fault of this CPU.
 * Return: what cowtrace_classify() returns.
 */
static __always_inline struct cowtrace_verdict cow_verdict(const struct cowtrace_record *r)
{
	u64 key = r->new_pfn == r->pfn ? ~r->vm_flags : r->vm_flags;
	u32 hash = cow_memo_hash(r, COW_VERDICT_BITS);
	struct cow_verdict *v = &this_cpu_ptr(cow_verdicts)->of[hash];

	if (unlikely(!cow_memo_fits(&v->memo, r, key)))
		cow_verdict_ask(v, r, key);
	return v->v;
}

#endif /* COW_VERDICT_H */
