/* SPDX-License-Identifier: GPL-2.0 */
/*
 * witness: what a task did inside a fault. From 6.2 on a copy and a lost race
 * both return 0 from do_wp_page(); only a copy calls ptep_clear_flush() from
 * inside it. An entry-only probe there, whose return address lies inside the
 * traced function, leaves a mark that the exit of the same task picks up. The
 * paths of huge pages have witnesses of their own.
 */
#ifndef COW_WITNESS_H
#define COW_WITNESS_H

#include <linux/sched.h>
#include <linux/types.h>

#include "task.h"

/* Return: 0 or -ENOMEM. */
int __init cow_witness_init(void);
void cow_witness_exit(void);

/*
 * Tear out all pages: of faults that were not recorded marks are left, and times by a
 * clock that may be another now. Context: no handler runs.
 */
void cow_witness_forget(void);

/**
 * enum cow_testimony - what the witness says of a fault
 * @COW_SAW_NOTHING: neither of these.
 * @COW_SAW_COPY: a copy was mapped.
 * @COW_SAW_REUSE: the page was made writable.
 * @COW_SAW_UNKNOWN: another tool hid who called the probed function.
 * @COW_FORGOT: a mark was displaced during the fault; it may have been this one.
 */
enum cow_testimony {
	COW_SAW_NOTHING,
	COW_SAW_COPY,
	COW_SAW_REUSE,
	COW_SAW_UNKNOWN,
	COW_FORGOT,
};

/**
 * struct cow_visit - the last call of a traced function on a CPU, written by that CPU
 * @task: who made it; NULL after its exit. Set last and read first.
 * @address: of the mark.
 * @faults: that the task had finished when it made the mark.
 * @switches: how often the task had left its CPU at entry.
 * @pid: of the task: another may get its place in memory.
 * @what: its mark, enum cow_testimony, 0 for none.
 * @wanted: its exit is waited for; a mark of another is for nobody.
 *
 * Nearly all faults end where they began, and their mark stands here: some 15
 * instructions to make, ask and clear, against 130 in the notebooks of those that moved.
 */
struct cow_visit {
	struct task_struct	*task;
	unsigned long		address;
	unsigned long		faults;
	u32			switches;
	pid_t			pid;
	u8			what;
	bool			wanted;
};

/* The mark of a visit into the notebook of this CPU, for a task that went elsewhere. */
void cow_witness_keep(struct cow_visit *v);

/* The current task enters a traced function. @v: of this CPU. Context: preemption off. */
static __always_inline void cow_visit_begin(struct cow_visit *v)
{
	if (unlikely(v->what))
		cow_witness_keep(v);
	WRITE_ONCE(v->task, NULL);
	/* A task that asks from another CPU must not see half of it. */
	smp_wmb();
	WRITE_ONCE(v->switches, cow_switches());
	WRITE_ONCE(v->pid, current->pid);
	v->wanted = false;
	/* Pairs with the acquire in told_elsewhere(). */
	smp_store_release(&v->task, current);
}

/* Is the current task still where it entered last, or where it left since? */
static __always_inline bool cow_visit_lasts(const struct cow_visit *v)
{
	return v->task == current && v->switches == cow_switches() && v->pid == current->pid;
}

/* The mark of the current task, whose visit lasts. */
static __always_inline void cow_visit_mark(struct cow_visit *v, enum cow_testimony what,
					   unsigned long address)
{
	WRITE_ONCE(v->address, address);
	v->faults = cow_finished_faults();
	/* Pairs with the acquire in told_elsewhere(). */
	smp_store_release(&v->what, what);
}

/* What it did at the page of @size bytes at @address, in the visit that lasts. */
static __always_inline enum cow_testimony cow_visit_told(const struct cow_visit *v,
							 unsigned long address,
							 unsigned long size)
{
	return (v->address ^ address) & ~(size - 1) ? COW_SAW_NOTHING : v->what;
}

/* The current task leaves: of its visit nothing stays. */
static __always_inline void cow_visit_end(struct cow_visit *v)
{
	if (v->task != current)
		return;
	WRITE_ONCE(v->task, NULL);
	WRITE_ONCE(v->what, COW_SAW_NOTHING);
}

/* The mark of a task that is not where it entered. Context: preemption off. */
void cow_witness_mark(enum cow_testimony what, unsigned long address);

/**
 * cow_witness_ask() - what did the current task do in this fault, on whatever CPU?
 * @address: of the fault.
 * @size: of the page there, a power of two.
 * @began: cow_ticks() at the entry of the fault.
 * @switches: cow_switches() then.
 *
 * Takes the mark away that stands in a notebook. For a task that left its CPU meanwhile.
 * Context: preemption off, inside the fault.
 */
enum cow_testimony cow_witness_ask(unsigned long address, unsigned long size, u64 began,
				   u32 switches);

#endif /* COW_WITNESS_H */
