// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "counters.h"
#include "points.h"
#include "symbols.h"
#include "witness.h"

#define MARK_BITS	8
#define NR_MARKS	BIT(MARK_BITS)
/* A mark lies at most this far behind its hash. */
#define REACH		8

/**
 * struct mark - "this task did that at this address"
 * @task: the task, NULL when free. Set last and read first.
 * @address: in the page.
 * @time_ns: when.
 * @what: what it did.
 *
 * A task has at most one mark a CPU. Marks of faults that are not recorded stay
 * until the same task leaves another or the place is needed; they cannot be
 * mistaken, because they are older than any later fault.
 */
struct mark {
	struct task_struct	*task;
	unsigned long		address;
	u64			time_ns;
	enum cow_testimony	what;
};

/**
 * struct notebook - the marks of one CPU, whole cache lines written by that CPU alone
 * @displaced_ns: when the last mark of another task was displaced.
 * @marks: found by hash of the task.
 */
struct notebook {
	u64		displaced_ns;
	struct mark	marks[NR_MARKS];
} ____cacheline_aligned;

static struct notebook __percpu *notebooks __read_mostly;

int __init cow_witness_init(void)
{
	notebooks = alloc_percpu(struct notebook);
	return notebooks ? 0 : -ENOMEM;
}

void cow_witness_exit(void)
{
	free_percpu(notebooks);
}

static struct mark *mark_at(struct notebook *n, unsigned int step)
{
	return &n->marks[(hash_ptr(current, MARK_BITS) + step) % NR_MARKS];
}

/* The task's own mark, else a free one, else the oldest. */
static struct mark *choose(struct notebook *n)
{
	struct mark *best = NULL;
	unsigned int i;

	for (i = 0; i < REACH; i++) {
		struct mark *m = mark_at(n, i);

		if (m->task == current)
			return m;
		if (!best || (best->task && (!m->task || m->time_ns < best->time_ns)))
			best = m;
	}
	return best;
}

void cow_witness_mark(enum cow_testimony what, unsigned long address)
{
	struct notebook *n = this_cpu_ptr(notebooks);
	u64 now = ktime_get_mono_fast_ns();
	struct mark *m = choose(n);

	if (m->task && m->task != current)
		WRITE_ONCE(n->displaced_ns, now);
	WRITE_ONCE(m->task, NULL);
	/* A task that takes its mark on another CPU must not see half of it. */
	smp_wmb();
	m->address = address;
	m->time_ns = now;
	m->what = what;
	/* Pairs with the acquire in take(). */
	smp_store_release(&m->task, current);
}

static enum cow_testimony take(struct notebook *n, unsigned long address, unsigned long size,
			       u64 since_ns)
{
	enum cow_testimony what;
	unsigned int i;

	for (i = 0; i < REACH; i++) {
		struct mark *m = mark_at(n, i);

		/* Pairs with the release in cow_witness_mark(), maybe on another CPU. */
		if (smp_load_acquire(&m->task) != current)
			continue;
		if (((m->address ^ address) & ~(size - 1)) || m->time_ns < since_ns)
			return COW_SAW_NOTHING;
		what = m->what;
		/* Only we make our marks: if it is still ours, so was what we read. */
		return cmpxchg(&m->task, current, NULL) == current ? what : COW_SAW_NOTHING;
	}
	return COW_SAW_NOTHING;
}

enum cow_testimony cow_witness_ask(unsigned long address, unsigned long size, u64 since_ns)
{
	enum cow_testimony what = take(this_cpu_ptr(notebooks), address, size, since_ns);
	bool forgot = false;
	int cpu;

	if (what != COW_SAW_NOTHING)
		return what;
	for_each_possible_cpu(cpu) {
		struct notebook *n = per_cpu_ptr(notebooks, cpu);

		if (cpu != smp_processor_id())
			what = take(n, address, size, since_ns);
		if (what != COW_SAW_NOTHING)
			return what;
		forgot |= READ_ONCE(n->displaced_ns) >= since_ns;
	}
	return forgot ? COW_FORGOT : COW_SAW_NOTHING;
}
