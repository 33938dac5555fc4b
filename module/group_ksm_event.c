// SPDX-License-Identifier: GPL-2.0
/* What the group ksm counts, and its events on their way into the log. */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "group_ksm_parts.h"

static atomic64_t counts[KSM_NR_COUNTS];

void ksm_counts_clear(void)
{
	int i;

	for (i = 0; i < KSM_NR_COUNTS; i++)
		atomic64_set(&counts[i], 0);
}

s64 ksm_counted(enum ksm_count what)
{
	return atomic64_read(&counts[what]);
}

void ksm_count(enum ksm_count what)
{
	atomic64_inc(&counts[what]);
}

/* Whose page tables: known where memory cgroups are built in. */
static void name_owner(struct ksm_event *e)
{
#ifdef CONFIG_MEMCG
	const struct task_struct *task;

	rcu_read_lock();
	task = rcu_dereference(e->mm->owner);
	if (task) {
		e->owner = task->tgid;
		memcpy(e->name, task->group_leader->comm, sizeof(e->name));
	}
	rcu_read_unlock();
#endif
}

void ksm_event(struct ksm_event *e)
{
	name_owner(e);
	cow_group_event(&cow_group_ksm, &e->head);
}
