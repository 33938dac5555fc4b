// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <cowtrace/policy.h>

#include "compat/compat.h"
#include "policies.h"
#include "tables.h"
#include "vocabulary.h"

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

/**
 * struct memory - what one CPU knows of policies, on whole cache lines of its own
 * @memos: asking all policies takes hundreds of instructions and faults are much alike:
 *	some are remembered. An empty one is a fault of no kind, which none decides.
 * @answers: counted, by what happened.
 */
struct memory {
	struct memo	memos[BIT(MEMO_BITS)];
	u64		answers[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS]
			       [COWTRACE_NR_POLICIES][COWTRACE_NR_ANSWERS];
} ____cacheline_aligned;

/* Of struct memory. */
static DEFINE_PER_CPU(struct cow_table, memory);
/* Readers of it against those who free or clear it. Innermost. */
static DEFINE_MUTEX(memory_mutex);

static const u64 *asked(const struct cowtrace_record *r)
{
	return (const u64 *)((const char *)r + ASKED_FROM);
}

/* Counts, states and kind tell most of them apart. */
static struct memo *place(struct memory *mem, const struct cowtrace_record *r)
{
	u64 key = asked(r)[1] + asked(r)[3] + asked(r)[4];

	return &mem->memos[hash_64(key, MEMO_BITS)];
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
	struct memory *mem = this_cpu_read(memory.at);
	u64 (*counts)[COWTRACE_NR_ANSWERS] = mem->answers[r->outcome][r->reason];
	struct memo *m = place(mem, r);
	unsigned int policy;

	if (!remembered(m, r))
		ask(m, r);
#pragma GCC unroll 8
	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		counts[policy][m->answers[policy]]++;
}

int cow_policies_switch(bool on)
{
	bool was = static_key_enabled(&cow_policies_on);
	int err = 0;

	mutex_lock(&memory_mutex);
	if (on && was) {
		cow_tables_clear(&memory, sizeof(struct memory));
	} else if (on) {
		err = cow_tables_alloc(&memory, sizeof(struct memory));
		if (!err)
			static_branch_enable(&cow_policies_on);
	} else {
		static_branch_disable(&cow_policies_on);
		cow_tables_free(&memory);
	}
	mutex_unlock(&memory_mutex);
	return err;
}

void cow_policies_reset(void)
{
	mutex_lock(&memory_mutex);
	if (static_key_enabled(&cow_policies_on))
		cow_tables_clear(&memory, sizeof(struct memory));
	mutex_unlock(&memory_mutex);
}

void cow_policies_exit(void)
{
	cow_tables_free(&memory);
}

/* Over all CPUs, of one outcome and reason. */
static u64 sum_of(unsigned int outcome, unsigned int reason, unsigned int policy,
		  unsigned int answer)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct memory *mem = per_cpu(memory, cpu).at;

		sum += READ_ONCE(mem->answers[outcome][reason][policy][answer]);
	}
	return sum;
}

static u64 sum_of_all(unsigned int policy, unsigned int answer)
{
	unsigned int outcome, reason;
	u64 sum = 0;

	for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
		for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
			sum += sum_of(outcome, reason, policy, answer);
	return sum;
}

void cow_policies_show(struct seq_file *m)
{
	unsigned int policy, answer;

	mutex_lock(&memory_mutex);
	if (static_key_enabled(&cow_policies_on))
		for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
			for (answer = 0; answer < COWTRACE_NR_ANSWERS; answer++) {
				u64 n = sum_of_all(policy, answer);

				if (n)
					seq_printf(m, "policy %s %s %llu\n", policies[policy].name,
						   answers[answer].name, n);
			}
	mutex_unlock(&memory_mutex);
}

static void show_pair(struct seq_file *m, unsigned int outcome, unsigned int reason)
{
	unsigned int policy, answer;

	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		for (answer = 0; answer < COWTRACE_NR_ANSWERS; answer++) {
			u64 n = sum_of(outcome, reason, policy, answer);

			if (n)
				seq_printf(m, "policy %s %s %s %s %llu\n",
					   cow_outcome_name(outcome), cow_reason_name(reason),
					   policies[policy].name, answers[answer].name, n);
		}
}

void cow_policies_show_pairs(struct seq_file *m)
{
	unsigned int outcome, reason;

	mutex_lock(&memory_mutex);
	if (static_key_enabled(&cow_policies_on))
		for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
			for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
				show_pair(m, outcome, reason);
	mutex_unlock(&memory_mutex);
}
