// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "counters.h"
#include "filter.h"
#include "points.h"
#include "proof.h"
#include "symbols.h"
#include "witness.h"

#define MARK_BITS	8
#define NR_MARKS	BIT(MARK_BITS)
/* A mark lies at most this far behind its hash. */
#define REACH		8

/**
 * struct mark - "this task mapped a copy at this address"
 * @task: the task, NULL when free. Set last and read first.
 * @address: of the page.
 * @time_ns: when.
 *
 * A task has at most one mark a CPU. Marks of faults that were filtered or
 * sampled out stay until the same task copies again or the place is needed;
 * they cannot be mistaken: they are older than any later fault.
 */
struct mark {
	struct task_struct	*task;
	unsigned long		address;
	u64			time_ns;
};

static struct mark __percpu *marks;

int __init cow_witness_init(void)
{
	marks = __alloc_percpu(NR_MARKS * sizeof(*marks), SMP_CACHE_BYTES);
	return marks ? 0 : -ENOMEM;
}

void cow_witness_exit(void)
{
	free_percpu(marks);
}

static struct mark *mark_at(struct mark *table, const struct task_struct *task, unsigned int step)
{
	return &table[(hash_ptr((void *)task, MARK_BITS) + step) % NR_MARKS];
}

/* The task's own mark, else a free one, else the oldest. */
static struct mark *choose(struct mark *table)
{
	struct mark *best = NULL;
	unsigned int i;

	for (i = 0; i < REACH; i++) {
		struct mark *m = mark_at(table, current, i);

		if (m->task == current)
			return m;
		if (!best || (best->task && (!m->task || m->time_ns < best->time_ns)))
			best = m;
	}
	return best;
}

void cow_witness_hit(const struct cow_args *args)
{
	struct mark *m;

	cow_count(witness_hits);
	if (!cow_inside_wp(args->ret_ip) || !(cow_filter_entry() || cow_proving()))
		return;

	m = choose(this_cpu_ptr(marks));
	if (m->task && m->task != current)
		cow_count(witness_lost);
	WRITE_ONCE(m->task, NULL);
	barrier();
	m->address = args->arg1;
	m->time_ns = ktime_get_mono_fast_ns();
	/* Pairs with the acquire of a task that finished on another CPU. */
	smp_store_release(&m->task, current);
}

static bool take_from(struct mark *table, unsigned long address, u64 since_ns)
{
	unsigned int i;

	for (i = 0; i < REACH; i++) {
		struct mark *m = mark_at(table, current, i);

		/* Pairs with the release of cow_witness_hit(), maybe on another CPU. */
		if (smp_load_acquire(&m->task) != current)
			continue;
		if (((m->address ^ address) & PAGE_MASK) || m->time_ns < since_ns)
			return false;
		/* Only we write our own mark, and we are here: nobody races for it. */
		cmpxchg(&m->task, current, NULL);
		return true;
	}
	return false;
}

bool cow_witness_take(unsigned long address, u64 since_ns)
{
	int cpu;

	if (take_from(this_cpu_ptr(marks), address, since_ns))
		return true;
	for_each_possible_cpu(cpu)
		if (cpu != smp_processor_id() &&
		    take_from(per_cpu_ptr(marks, cpu), address, since_ns))
			return true;
	return false;
}
