// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "counters.h"
#include "session.h"
#include "vocabulary.h"

struct cow_counters __percpu *cow_counters;

static u64 skipped_exits;

/* What entries, handed_on and exits are the sums of, printed in this order. */
struct counter {
	const char	*name;
	size_t		offset;
};

#define COUNTER(name, sentence)	{ #name, offsetof(struct cow_counters, name) },
static const struct counter counters[] = { COW_COUNTERS(COUNTER) };

int __init cow_counters_init(void)
{
	/* Whole cache lines, so that no line is written by two CPUs. */
	cow_counters = __alloc_percpu(sizeof(*cow_counters), SMP_CACHE_BYTES);
	return cow_counters ? 0 : -ENOMEM;
}

void cow_counters_exit(void)
{
	free_percpu(cow_counters);
}

u64 cow_counter_sum(size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((void *)per_cpu_ptr(cow_counters, cpu) + offset));
	return sum;
}

void cow_tally(const struct cowtrace_record *r)
{
	struct cow_tally *t = &this_cpu_ptr(cow_counters)->tally[r->outcome][r->reason];

	t->count++;
	t->ns += r->duration_ns;
	if (r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE)
		t->bytes += PAGE_SIZE;
}

u64 cow_skipped_exits(void)
{
	return READ_ONCE(skipped_exits);
}

u64 cow_asleep(void)
{
	/* Exits first: a fault that ends meanwhile must not make this negative. */
	u64 gone = cow_sum(exits) + cow_skipped_exits();

	return cow_sum(handed_on) - gone;
}

void cow_skip_asleep(void)
{
	WRITE_ONCE(skipped_exits, skipped_exits + cow_asleep());
}

void cow_counters_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(cow_counters, cpu), 0, sizeof(struct cow_counters));
	skipped_exits = 0;
}

static void show_tally(struct seq_file *m, unsigned int outcome, unsigned int reason)
{
	struct cow_tally sum = { 0 };
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct cow_tally *t =
			&per_cpu_ptr(cow_counters, cpu)->tally[outcome][reason];

		sum.count += READ_ONCE(t->count);
		sum.bytes += READ_ONCE(t->bytes);
		sum.ns += READ_ONCE(t->ns);
	}
	if (sum.count)
		seq_printf(m, "fault %s %s %llu %llu %llu\n", cow_outcome_name(outcome),
			   cow_reason_name(reason), sum.count, sum.bytes, sum.ns);
}

int cow_stats_show(struct seq_file *m, void *v)
{
	unsigned int outcome, reason;
	int cpu, i;

	seq_printf(m, "state %s\n", cow_session_running() ? "running" : "off");
	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		seq_printf(m, "%s %llu\n", counters[i].name, cow_counter_sum(counters[i].offset));
		/* The exits that did not come stand beside those that did. */
		if (counters[i].offset == offsetof(struct cow_counters, exits)) {
			seq_printf(m, "skipped_exits %llu\n", cow_skipped_exits());
			seq_printf(m, "asleep %llu\n", cow_asleep());
		}
	}
	for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
		for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
			show_tally(m, outcome, reason);
	for_each_possible_cpu(cpu) {
		seq_printf(m, "cpu %d", cpu);
		for (i = 0; i < ARRAY_SIZE(counters); i++)
			seq_printf(m, " %s %llu", counters[i].name,
				   READ_ONCE(*(u64 *)((void *)per_cpu_ptr(cow_counters, cpu) +
						      counters[i].offset)));
		seq_putc(m, '\n');
	}
	return 0;
}

int cow_lost_show(struct seq_file *m, void *v)
{
	struct cow_missed missed = cow_session_missed();

	seq_printf(m, "full %llu\n", cow_sum(dropped_full));
	seq_printf(m, "events_full %llu\n", cow_sum(events_dropped));
	seq_printf(m, "missed_no_instance %llu\n", missed.entry);
	seq_printf(m, "missed_recursion %llu\n", missed.nested + cow_sum(nested));
	seq_printf(m, "missed_witness %llu\n", missed.witness + cow_sum(witness_lost));
	seq_printf(m, "skipped_exits %llu\n", cow_skipped_exits());
	seq_printf(m, "asleep %llu\n", cow_asleep());
	if (cow_session_sight() == COW_SIGHT_UNKNOWN)
		seq_puts(m, "disarmed -\n");
	else
		seq_printf(m, "disarmed %d\n", cow_session_sight() == COW_SIGHT_UNSEEN);
	seq_printf(m, "disarmed_checks %u\n", cow_session_blind_checks());
	return 0;
}
