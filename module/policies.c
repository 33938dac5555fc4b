// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <cowtrace/policy.h>

#include "add.h"
#include "compat/compat.h"
#include "memo.h"
#include "policies.h"
#include "tables.h"
#include "vocabulary.h"

DEFINE_STATIC_KEY_FALSE(cow_policies_on);

static const struct cowtrace_word policies[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };
static const struct cowtrace_word answers[] = { COWTRACE_ANSWERS(COWTRACE_WORD_) };

/**
 * struct asked - what the policies said of a record, on a cache line of its own
 * @memo: of which.
 * @answers: by policy.
 */
struct asked {
	struct cow_memo	memo;
	u8		answers[COWTRACE_NR_POLICIES];
} ____cacheline_aligned;

static_assert(sizeof(struct asked) == SMP_CACHE_BYTES);

#define ASKED_BITS	6

/**
 * struct memory - what one CPU knows of policies, on whole cache lines of its own
 * @asked: asking all policies takes hundreds of instructions: some faults are
 *	remembered. An empty one is a fault of no kind, which none decides.
 * @answers: counted, by what happened.
 */
struct memory {
	struct asked	asked[BIT(ASKED_BITS)];
	u64		answers[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS]
			       [COWTRACE_NR_POLICIES][COWTRACE_NR_ANSWERS];
} ____cacheline_aligned;

/* Of struct memory. */
static DEFINE_PER_CPU(struct cow_table, memory);
/* Readers of it against those who free or clear it. Innermost. */
static DEFINE_MUTEX(memory_mutex);

static noinline void ask(struct asked *a, const struct cowtrace_record *r)
{
	struct cowtrace_facts facts = cowtrace_facts(r, COW_TRAITS);
	unsigned int policy;

	cow_memo_set(&a->memo, r, r->vm_flags);
	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		a->answers[policy] = cowtrace_predict(policy, &facts).answer;
}

void cow_policies_add(const struct cowtrace_record *r)
{
	struct memory *mem = this_cpu_read(memory.at);
	u64 (*counts)[COWTRACE_NR_ANSWERS] = mem->answers[r->outcome][r->reason];
	struct asked *a = &mem->asked[cow_memo_hash(r, ASKED_BITS)];
	unsigned int policy;

	if (!cow_memo_fits(&a->memo, r, r->vm_flags))
		ask(a, r);
#pragma GCC unroll 8
	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		cow_add(counts[policy][a->answers[policy]], 1);
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
