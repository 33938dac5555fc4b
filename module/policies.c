// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <cowtrace/policy.h>

#include "compat/compat.h"
#include "counters.h"
#include "policies.h"

DEFINE_STATIC_KEY_FALSE(cow_policies_on);

static const struct cowtrace_word policies[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };
static const struct cowtrace_word answers[] = { COWTRACE_ANSWERS(COWTRACE_WORD_) };

/* All that facts and policies read of a record: what follows its page frames, and its flags. */
#define ASKED_FROM	offsetof(struct cowtrace_record, fault_flags)
#define ASKED_WORDS	((sizeof(struct cowtrace_record) - ASKED_FROM) / sizeof(u64))

/**
 * struct memo - what the policies said of such a record, on a cache line of its own
 * @vm_flags: of it.
 * @asked: its words from fault_flags on.
 * @answers: by policy.
 */
struct memo {
	u64	vm_flags;
	u64	asked[ASKED_WORDS];
	u8	answers[COWTRACE_NR_POLICIES];
} ____cacheline_aligned;

static_assert(ASKED_FROM % sizeof(u64) == 0 && sizeof(struct memo) == SMP_CACHE_BYTES);

#define MEMO_BITS	6

/*
 * Asking all policies takes hundreds of instructions and faults are much alike: each
 * CPU remembers some. An empty one stands for a fault of no kind, which none decides.
 */
struct memory {
	struct memo	memos[BIT(MEMO_BITS)];
};

static struct memory __percpu *memory __read_mostly;

static const u64 *asked(const struct cowtrace_record *r)
{
	return (const u64 *)((const char *)r + ASKED_FROM);
}

/* Counts, states and kind tell most of them apart. */
static struct memo *place(const struct cowtrace_record *r)
{
	u64 key = asked(r)[1] + asked(r)[3] + asked(r)[4];

	return &this_cpu_ptr(memory)->memos[hash_64(key, MEMO_BITS)];
}

static bool remembered(const struct memo *m, const struct cowtrace_record *r)
{
	u64 differ = m->vm_flags ^ r->vm_flags;
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < ASKED_WORDS; i++)
		differ |= m->asked[i] ^ asked(r)[i];
	return !differ;
}

static noinline void ask(struct memo *m, const struct cowtrace_record *r)
{
	struct cowtrace_facts facts = cowtrace_facts(r, COW_TRAITS);
	unsigned int policy;

	m->vm_flags = r->vm_flags;
	memcpy(m->asked, asked(r), sizeof(m->asked));
	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		m->answers[policy] = cowtrace_predict(policy, &facts).answer;
}

void cow_policies_add(const struct cowtrace_record *r)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	struct memo *m = place(r);
	unsigned int policy;

	if (!remembered(m, r))
		ask(m, r);
#pragma GCC unroll 8
	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		c->answers[policy][m->answers[policy]]++;
}

static void forget(void)
{
	free_percpu(memory);
	memory = NULL;
}

int cow_policies_switch(bool on)
{
	int cpu;

	if (on && !memory) {
		memory = alloc_percpu(struct memory);
		if (!memory)
			return -ENOMEM;
	}
	if (on)
		static_branch_enable(&cow_policies_on);
	else
		static_branch_disable(&cow_policies_on);
	if (!on)
		forget();
	for_each_possible_cpu(cpu) {
		struct cow_counters *c = per_cpu_ptr(cow_counters, cpu);

		memset(c->answers, 0, sizeof(c->answers));
	}
	return 0;
}

void cow_policies_exit(void)
{
	forget();
}

void cow_policies_show(struct seq_file *m)
{
	unsigned int policy, answer;

	if (!static_key_enabled(&cow_policies_on))
		return;
	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		for (answer = 0; answer < COWTRACE_NR_ANSWERS; answer++) {
			u64 n = cow_counter_sum(offsetof(struct cow_counters,
							 answers[policy][answer]));

			if (n)
				seq_printf(m, "policy %s %s %llu\n", policies[policy].name,
					   answers[answer].name, n);
		}
}
