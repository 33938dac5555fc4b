// SPDX-License-Identifier: GPL-2.0
/* What the group ksm counts, and its events on their way into the log. */
#include <linux/atomic.h>

#include "group_ksm_parts.h"
#include "task.h"

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

void ksm_event(struct ksm_event *e)
{
	e->owner = cow_mm_owner(e->mm, e->name);
	cow_group_event(&cow_group_ksm, &e->head);
}
