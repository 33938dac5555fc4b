/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verdict: what cowtrace_classify() says of a fault, remembered. It reads 48 bytes of
 * a record and one comparison, and few of them differ in a load: each CPU keeps some
 * with their verdicts. 32 instructions then, where asking takes 80 for a reuse and 160
 * for a copy whose holders are told apart.
 */
#ifndef COW_VERDICT_H
#define COW_VERDICT_H

#include <cowtrace/classify.h>
#include <linux/hash.h>
#include <linux/percpu.h>

#include "compat/compat.h"

/* All that is read of a record but its page frames and vm_flags. */
#define COW_JUDGED_FROM		offsetof(struct cowtrace_record, fault_flags)
#define COW_JUDGED_WORDS	((sizeof(struct cowtrace_record) - COW_JUDGED_FROM) / sizeof(u64))
#define COW_VERDICT_BITS	5

/**
 * struct cow_verdict - a verdict, on a cache line of its own
 * @key: vm_flags of the record, all bits inverted when the page stayed the same.
 * @judged: its words from fault_flags on, as before the verdict.
 * @v: the verdict.
 */
struct cow_verdict {
	u64			key;
	u64			judged[COW_JUDGED_WORDS];
	struct cowtrace_verdict	v;
} ____cacheline_aligned;

static_assert(COW_JUDGED_FROM % sizeof(u64) == 0 && sizeof(struct cow_verdict) == SMP_CACHE_BYTES);

/**
 * struct cow_verdicts - what a CPU remembers
 * @of: found by hash of counts, states and kind. An empty one stands for a record of
 *	which nothing is known, and its verdict is that.
 */
struct cow_verdicts {
	struct cow_verdict	of[BIT(COW_VERDICT_BITS)];
};

extern struct cow_verdicts __percpu *cow_verdicts;

/* Return: 0 or -ENOMEM. */
int __init cow_verdict_init(void);
void cow_verdict_exit(void);

/* Ask, and remember. Context: preemption off. */
void cow_verdict_ask(struct cow_verdict *m, const struct cowtrace_record *r, u64 key);

/**
 * cow_verdict() - the verdict on a fault
 * @r: the record, with outcome and reason 0.
 *
 * Context: preemption off, never interrupted by another fault of this CPU.
 * Return: what cowtrace_classify() returns.
 */
static __always_inline struct cowtrace_verdict cow_verdict(const struct cowtrace_record *r)
{
	const u64 *judged = (const u64 *)((const char *)r + COW_JUDGED_FROM);
	u64 key = r->new_pfn == r->pfn ? ~r->vm_flags : r->vm_flags;
	u32 hash = hash_64(judged[1] + judged[3] + judged[4], COW_VERDICT_BITS);
	struct cow_verdict *m = &this_cpu_ptr(cow_verdicts)->of[hash];
	u64 differ = m->key ^ key;
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < COW_JUDGED_WORDS; i++)
		differ |= m->judged[i] ^ judged[i];
	if (unlikely(differ))
		cow_verdict_ask(m, r, key);
	return m->v;
}

#endif /* COW_VERDICT_H */
