/* SPDX-License-Identifier: GPL-2.0 */
/* task: how far the current task has come, and whose an mm is. */
#ifndef COW_TASK_H
#define COW_TASK_H

#include <linux/mm_types.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>

/* How often the current task left its CPU. Equal twice, it did not between. */
static __always_inline u32 cow_switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/* The faults that it finished: inside one they do not change. */
static __always_inline unsigned long cow_finished_faults(void)
{
	return current->min_flt + current->maj_flt;
}

/*
 * The process that @mm belongs to, and the name of that in @comm, which has TASK_COMM_LEN
 * bytes; 0, and @comm as it was, without one. Known where memory cgroups are built in.
 */
static inline u32 cow_mm_owner(const struct mm_struct *mm, char *comm)
{
	u32 tgid = 0;
#ifdef CONFIG_MEMCG
	const struct task_struct *task;

	rcu_read_lock();
	task = rcu_dereference(mm->owner);
	if (task) {
		tgid = task->tgid;
		/* Another task may rename it at any time. */
		data_race(memcpy(comm, task->group_leader->comm, TASK_COMM_LEN));
	}
	rcu_read_unlock();
#endif
	return tgid;
}

#endif /* COW_TASK_H */
