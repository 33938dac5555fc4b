/* SPDX-License-Identifier: GPL-2.0 */
/*
 * split: after a huge PMD was split, the same access goes on as a fault of one
 * PTE. A note that the task leaves for itself links the two records.
 */
#ifndef COW_SPLIT_H
#define COW_SPLIT_H

#include <linux/types.h>

/* The current task split the PMD of @address. Context: preemption off. */
void cow_split_note(u64 address);

/* Did it do so just before, for this very access? Context: preemption off. */
bool cow_split_ask(u64 address);

#endif /* COW_SPLIT_H */
