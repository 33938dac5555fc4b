// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "clock.h"
#include "counters.h"
#include "points.h"
#include "symbols.h"
#include "task.h"
#include "witness.h"

#define MARK_BITS	8
#define NR_MARKS	BIT(MARK_BITS)
/* A mark lies at most this far behind its hash. */
#define REACH		8

/**
 * struct mark - "this task did that at this address"
 * @task: the task, NULL when free. Set last and read first.
 * @address: in the page.
 * @faults: that the task had finished: unchanged until this access has.
 * @pid: of the task: another may get its place in memory, and fault as it did.
 * @what: what it did, enum cow_testimony, and above WHAT_BITS how manieth of its CPU.
 *
 * Half a cache line. Marks of faults that are not recorded stay until the same task
 * leaves another, the place is needed or the next session begins; they cannot be
 * mistaken, because the task has finished that fault.
 */
struct mark {
	struct task_struct	*task;
	unsigned long		address;
	unsigned long		faults;
	pid_t			pid;
	u32			what;
};

#define WHAT_BITS	3

/**
 * struct notebook - the marks of one CPU, whole cache lines written by that CPU alone
 * @displaced: cow_ticks() when the last mark of another task was displaced.
 * @made: marks so far, times 2^WHAT_BITS.
 * @marks: found by hash of the task.
 */
struct notebook {
	u64		displaced;
	u32		made;
	struct mark	marks[NR_MARKS] __aligned(sizeof(struct mark));
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

void cow_witness_forget(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(notebooks, cpu), 0, sizeof(struct notebook));
}

static struct mark *mark_at(struct notebook *n, const struct task_struct *task,
			    unsigned int step)
{
	return &n->marks[(hash_ptr(task, MARK_BITS) + step) % NR_MARKS];
}

/* The first that is the task's own or free, else the oldest. */
static struct mark *choose(struct notebook *n, const struct task_struct *task)
{
	struct mark *m = mark_at(n, task, 0), *oldest = m;
	const struct task_struct *of;
	unsigned int i;

	/* Other CPUs take marks away. */
	for (i = 1; (of = READ_ONCE(m->task)) && of != task; i++) {
		if (i == REACH)
			return oldest;
		m = mark_at(n, task, i);
		if ((s32)(m->what - oldest->what) < 0)
			oldest = m;
	}
	return m;
}

/* Not of a task that may be gone: @task is compared, and nothing more. */
static void mark(struct task_struct *task, pid_t pid, unsigned long faults,
		 enum cow_testimony what, unsigned long address)
{
	struct notebook *n = this_cpu_ptr(notebooks);
	struct mark *m = choose(n, task);
	const struct task_struct *of = READ_ONCE(m->task);

	if (unlikely(of && of != task))
		WRITE_ONCE(n->displaced, cow_ticks());
	WRITE_ONCE(m->task, NULL);
	/* A task that takes its mark on another CPU must not see half of it. */
	smp_wmb();
	WRITE_ONCE(m->address, address);
	WRITE_ONCE(m->faults, faults);
	WRITE_ONCE(m->pid, pid);
	WRITE_ONCE(m->what, n->made | what);
	n->made += BIT(WHAT_BITS);
	/* Pairs with the acquire in take(). */
	smp_store_release(&m->task, task);
}

void cow_witness_mark(enum cow_testimony what, unsigned long address)
{
	mark(current, current->pid, cow_finished_faults(), what, address);
}

void cow_witness_keep(struct cow_visit *v)
{
	if (v->task)
		mark(v->task, v->pid, v->faults, v->what, v->address);
	/* Not before the mark is in the notebook: who asks looks there next. */
	smp_store_release(&v->what, COW_SAW_NOTHING);
}

static enum cow_testimony take(struct notebook *n, unsigned long address, unsigned long size)
{
	enum cow_testimony what;
	unsigned int i;

	for (i = 0; i < REACH; i++) {
		struct mark *m = mark_at(n, current, i);

		/* Pairs with the release in mark(), maybe on another CPU. */
		if (smp_load_acquire(&m->task) != current)
			continue;
		if (((READ_ONCE(m->address) ^ address) & ~(size - 1)) ||
		    READ_ONCE(m->faults) != cow_finished_faults() ||
		    READ_ONCE(m->pid) != current->pid)
			continue;
		what = READ_ONCE(m->what) & GENMASK(WHAT_BITS - 1, 0);
		/* Nobody else makes marks of this fault: what is still there is what we read. */
		if (cmpxchg(&m->task, current, NULL) == current)
			return what;
	}
	return COW_SAW_NOTHING;
}

/* In the visit that it left there, if nobody has come since. */
static enum cow_testimony told_elsewhere(const struct cow_visit *v, unsigned long address,
					 unsigned long size, u32 switches)
{
	enum cow_testimony what;

	/* Pairs with the release in cow_visit_begin(). */
	if (smp_load_acquire(&v->task) != current || READ_ONCE(v->switches) != switches ||
	    READ_ONCE(v->pid) != current->pid)
		return COW_SAW_NOTHING;
	/* Pairs with the release in cow_visit_mark(). */
	what = smp_load_acquire(&v->what);
	if (what && ((READ_ONCE(v->address) ^ address) & ~(size - 1)))
		what = COW_SAW_NOTHING;
	/* Pairs with the barrier in cow_visit_begin(). */
	smp_rmb();
	return READ_ONCE(v->task) == current ? what : COW_SAW_NOTHING;
}

enum cow_testimony cow_witness_ask(unsigned long address, unsigned long size, u64 began,
				   u32 switches)
{
	enum cow_testimony what;
	bool displaced = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct notebook *n = per_cpu_ptr(notebooks, cpu);

		/* In this order: who comes after it moves its mark to the notebook first. */
		what = told_elsewhere(&per_cpu_ptr(cow_counters, cpu)->visit, address, size,
				      switches);
		if (what == COW_SAW_NOTHING)
			what = take(n, address, size);
		if (what != COW_SAW_NOTHING)
			return what;
		displaced |= READ_ONCE(n->displaced) >= began;
	}
	return displaced ? COW_FORGOT : COW_SAW_NOTHING;
}
