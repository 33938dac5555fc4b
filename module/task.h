/* SPDX-License-Identifier: GPL-2.0 */
/* task: how far the current task has come. Equal twice, it did nothing of that between. */
#ifndef COW_TASK_H
#define COW_TASK_H

#include <linux/sched.h>
#include <linux/types.h>

/* How often the current task left its CPU. */
static __always_inline u32 cow_switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/* The faults that it finished: inside one they do not change. */
static __always_inline unsigned long cow_finished_faults(void)
{
	return current->min_flt + current->maj_flt;
}

#endif /* COW_TASK_H */
