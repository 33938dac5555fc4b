/* SPDX-License-Identifier: GPL-2.0 */
/*
 * filter: which faults are recorded. Decided before a record is written, by
 * task at entry (before anything is sampled) and by verdict at exit.
 */
#ifndef COW_FILTER_H
#define COW_FILTER_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "debugfs.h"

struct cowtrace_record;

struct cow_filter;

/* NULL: everything passes. */
extern struct cow_filter __rcu *cow_filter;

static __always_inline bool cow_filter_set(void)
{
	return unlikely(rcu_access_pointer(cow_filter));
}

bool cow_filter_wants_task(void);
bool cow_filter_wants_fault(const struct cowtrace_record *r);

/* Is the current task wanted? Context: preemption off. */
static __always_inline bool cow_filter_entry(void)
{
	return !cow_filter_set() || cow_filter_wants_task();
}

/* Is a fault with this outcome, reason and duration wanted? Context: preemption off. */
static __always_inline bool cow_filter_exit(const struct cowtrace_record *r)
{
	return !cow_filter_set() || cow_filter_wants_fault(r);
}

/* The files below filter/. */
extern const struct cow_setting cow_filter_settings[];
extern const size_t cow_nr_filter_settings;

/* Let everything pass and free what the filters hold. Context: no handler runs. */
void cow_filter_exit_module(void);

#endif /* COW_FILTER_H */
