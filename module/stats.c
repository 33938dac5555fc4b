// SPDX-License-Identifier: GPL-2.0
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "count.h"
#include "counters.h"
#include "policies.h"
#include "session.h"
#include "stats.h"

/* What entries, handed_on and exits are the sums of, printed in this order. */
struct counter {
	const char	*name;
	size_t		offset;
};

#define COUNTER(name, sentence)	{ #name, offsetof(struct cow_counters, name) },
static const struct counter counters[] = { COWTRACE_COUNTERS(COUNTER) };

int cow_stats_show(struct seq_file *m, void *v)
{
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
	cow_count_show_faults(m);
	cow_policies_show(m);
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
