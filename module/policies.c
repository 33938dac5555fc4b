// SPDX-License-Identifier: GPL-2.0
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <cowtrace/policy.h>

#include "compat/compat.h"
#include "counters.h"
#include "policies.h"

DEFINE_STATIC_KEY_FALSE(cow_policies_on);

static const struct cowtrace_word policies[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };
static const struct cowtrace_word answers[] = { COWTRACE_ANSWERS(COWTRACE_WORD_) };

void cow_policies_add(const struct cowtrace_record *r)
{
	struct cow_counters *c = this_cpu_ptr(cow_counters);
	struct cowtrace_facts facts = cowtrace_facts(r, COW_TRAITS);
	unsigned int policy;

	for (policy = 0; policy < COWTRACE_NR_POLICIES; policy++)
		c->answers[policy][cowtrace_predict(policy, &facts).answer]++;
}

void cow_policies_switch(bool on)
{
	int cpu;

	if (on)
		static_branch_enable(&cow_policies_on);
	else
		static_branch_disable(&cow_policies_on);
	for_each_possible_cpu(cpu) {
		struct cow_counters *c = per_cpu_ptr(cow_counters, cpu);

		memset(c->answers, 0, sizeof(c->answers));
	}
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
