/* SPDX-License-Identifier: GPL-2.0 */
/*
 * count: each classified fault, added up per CPU: by outcome and reason always, by
 * duration and by process in the mode counts. No line of it is written by two CPUs.
 */
#ifndef COW_COUNT_H
#define COW_COUNT_H

#include <cowtrace/evidence.h>
#include <cowtrace/record.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "add.h"
#include "counters.h"
#include "policies.h"

struct seq_file;

/**
 * enum cow_counting - settings that say what is counted, a bit each
 * @COW_COUNTING: the setting mode is counts: nothing is recorded.
 * @COW_COUNT_DURATIONS: the setting durations.
 * @COW_COUNT_PROCESSES: the setting processes.
 */
enum cow_counting {
	COW_COUNTING = 1,
	COW_COUNT_DURATIONS = 2,
	COW_COUNT_PROCESSES = 4,
};

/*
 * In the mode counts: are durations, are processes counted? Off, each costs a fault
 * one instruction that does nothing, and without durations no clock need be read.
 */
DECLARE_STATIC_KEY_FALSE(cow_durations_on);
DECLARE_STATIC_KEY_FALSE(cow_processes_on);

/* Of cow_count_fault(), for the durations in it. */
void cow_durations_add(const struct cowtrace_record *r);
/* Likewise for processes; @bytes were copied. */
void cow_processes_add(const struct cowtrace_record *r, u64 bytes);

/**
 * cow_count_fault() - count a classified fault
 * @r: outcome, reason, path and order; duration_ns and all that policies ask for
 *	where those are on. Its names are not looked at, current has them.
 *
 * One line of this CPU for the sums; each table adds one or two of its own.
 * Context: preemption off, never interrupted by another fault of this CPU.
 */
static __always_inline void cow_count_fault(const struct cowtrace_record *r)
{
	struct cow_tally *t = &this_cpu_ptr(cow_counters)->tally[r->outcome][r->reason];
	u64 bytes = (u64)cowtrace_copied_pages(r) << PAGE_SHIFT;

	cow_add(t->count, 1);
	cow_add(t->bytes, bytes);
	cow_add(t->ns, r->duration_ns);
	if (static_branch_unlikely(&cow_durations_on))
		cow_durations_add(r);
	if (static_branch_unlikely(&cow_processes_on))
		cow_processes_add(r, bytes);
	cow_policies_count(r);
}

/* Which bits of enum cow_counting are set. */
unsigned int cow_counting(void);

/**
 * cow_count_switch() - set what is counted
 * @wanted: bits of enum cow_counting.
 *
 * Tables are there only while they are in use, and begin empty.
 * Context: may sleep; no handler runs.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int cow_count_switch(unsigned int wanted);

/* Begin again at zero. Context: may sleep; no handler runs. */
void cow_count_reset(void);

/* Let go of the tables. Context: no handler runs any more. */
void cow_count_exit(void);

/* Lines "fault OUTCOME REASON COUNT BYTES NANOSECONDS", of those that occurred. */
void cow_count_show_faults(struct seq_file *m);

/* Text of the file counts. */
int cow_counts_show(struct seq_file *m, void *v);

#endif /* COW_COUNT_H */
