// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <cowtrace/evidence.h>

#include "count.h"
#include "count_parts.h"
#include "counters.h"
#include "policies.h"
#include "vocabulary.h"

DEFINE_STATIC_KEY_FALSE(cow_durations_on);
DEFINE_STATIC_KEY_FALSE(cow_processes_on);

/* Readers of the tables against those who free or clear them. Inside: that of policies. */
static DEFINE_MUTEX(tables_mutex);
static unsigned int counting = COW_COUNT_DURATIONS | COW_COUNT_PROCESSES;

unsigned int cow_counting(void)
{
	return READ_ONCE(counting);
}

/* What @set asks for while the mode is records is for later. */
static bool in_use(unsigned int set, enum cow_counting what)
{
	return set & COW_COUNTING && set & what;
}

static int allocate(unsigned int wanted)
{
	int err = 0;

	if (in_use(wanted, COW_COUNT_DURATIONS) && !static_key_enabled(&cow_durations_on))
		err = cow_durations_alloc();
	if (!err && in_use(wanted, COW_COUNT_PROCESSES) && !static_key_enabled(&cow_processes_on))
		err = cow_processes_alloc();
	return err;
}

/* Tables that no static key leads to. */
static void free_unused(void)
{
	if (!static_key_enabled(&cow_durations_on))
		cow_durations_free();
	if (!static_key_enabled(&cow_processes_on))
		cow_processes_free();
}

static void turn(struct static_key_false *key, bool on)
{
	if (on)
		static_branch_enable(key);
	else
		static_branch_disable(key);
}

int cow_count_switch(unsigned int wanted)
{
	int err;

	mutex_lock(&tables_mutex);
	err = allocate(wanted);
	if (!err) {
		turn(&cow_durations_on, in_use(wanted, COW_COUNT_DURATIONS));
		turn(&cow_processes_on, in_use(wanted, COW_COUNT_PROCESSES));
		WRITE_ONCE(counting, wanted);
	}
	free_unused();
	mutex_unlock(&tables_mutex);
	return err;
}

void cow_count_reset(void)
{
	mutex_lock(&tables_mutex);
	if (static_key_enabled(&cow_durations_on))
		cow_durations_clear();
	if (static_key_enabled(&cow_processes_on))
		cow_processes_clear();
	mutex_unlock(&tables_mutex);
}

void cow_count_exit(void)
{
	cow_durations_free();
	cow_processes_free();
}

/* In the mode records each fault is timed, and a change of mode begins at zero. */
static bool timed(void)
{
	return !(counting & COW_COUNTING) || counting & COW_COUNT_DURATIONS;
}

static void show_fault(struct seq_file *m, unsigned int outcome, unsigned int reason)
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
	if (!sum.count)
		return;
	seq_printf(m, "fault %s %s %llu %llu", cow_outcome_name(outcome),
		   cow_reason_name(reason), sum.count, sum.bytes);
	cow_count_show_ns(m, sum.ns, timed());
	seq_putc(m, '\n');
}

void cow_count_show_faults(struct seq_file *m)
{
	unsigned int outcome, reason;

	for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
		for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
			show_fault(m, outcome, reason);
}

int cow_counts_show(struct seq_file *m, void *v)
{
	int err = 0;

	mutex_lock(&tables_mutex);
	seq_printf(m, "mode %s\n", counting & COW_COUNTING ? "counts" : "records");
	/* What is not counted now has no lines, which is not the same as none. */
	seq_printf(m, "durations %d\n", static_key_enabled(&cow_durations_on));
	seq_printf(m, "processes %d\n", static_key_enabled(&cow_processes_on));
	seq_printf(m, "policies %d\n", static_key_enabled(&cow_policies_on));
	cow_count_show_faults(m);
	if (static_key_enabled(&cow_durations_on))
		cow_durations_show(m);
	if (static_key_enabled(&cow_processes_on))
		err = cow_processes_show(m, timed());
	cow_policies_show_pairs(m);
	mutex_unlock(&tables_mutex);
	return err;
}
