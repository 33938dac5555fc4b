// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "split.h"
#include "task.h"

#define NOTE_BITS	4

/**
 * struct note - "this task split the PMD of this address"
 * @task: the task, NULL when free. Set last and read first.
 * @address: of the access, with its offset in the page.
 * @faults: that the task had finished; unchanged until this access has.
 *
 * Found by hash of the task alone: of two tasks that split on one CPU in the same
 * microsecond and share a place, one goes without its link.
 */
struct note {
	struct task_struct	*task;
	u64			address;
	unsigned long		faults;
};

/**
 * struct notes - of the splits on one CPU, written by that CPU alone
 * @at: found by hash.
 *
 * Except by a task that changed its CPU inside do_wp_page(): it takes its note where
 * it left it. Between the split and do_wp_page() nothing sleeps; a task that was
 * preempted just there, and moved, goes without its link.
 */
struct notes {
	struct note		at[BIT(NOTE_BITS)];
} ____cacheline_aligned;

static DEFINE_PER_CPU_ALIGNED(struct notes, notes);
/* Most loads never split a huge page. */
static bool any __read_mostly;

static struct note *place(struct notes *of)
{
	return &of->at[hash_ptr(current, NOTE_BITS)];
}

void cow_split_note(u64 address)
{
	struct note *n = place(this_cpu_ptr(&notes));

	if (!READ_ONCE(any))
		WRITE_ONCE(any, true);
	WRITE_ONCE(n->task, NULL);
	/* Whoever reads the place on another CPU must not see half of it. */
	smp_wmb();
	WRITE_ONCE(n->address, address);
	WRITE_ONCE(n->faults, cow_finished_faults());
	/* Pairs with the acquire in cow_split_ask(). */
	smp_store_release(&n->task, current);
}

static bool take(struct notes *from, u64 address)
{
	struct note *n = place(from);

	/* Pairs with the release in cow_split_note(), maybe on another CPU. */
	if (smp_load_acquire(&n->task) != current)
		return false;
	/* An overwritten note fails one of these: addresses differ, or it is not ours. */
	return READ_ONCE(n->address) == address && READ_ONCE(n->faults) == cow_finished_faults() &&
	       cmpxchg(&n->task, current, NULL) == current;
}

bool cow_split_ask(u64 address, bool stayed)
{
	int cpu;

	if (likely(!READ_ONCE(any)))
		return false;
	if (take(this_cpu_ptr(&notes), address))
		return true;
	if (likely(stayed))
		return false;
	for_each_possible_cpu(cpu)
		if (take(per_cpu_ptr(&notes, cpu), address))
			return true;
	return false;
}
