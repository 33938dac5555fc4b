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

/**
 * cow_split_ask() - did it do so just before, for this very access?
 * @address: of the access.
 * @stayed: the task has not left its CPU since do_wp_page() began.
 *
 * Context: preemption off.
 */
bool cow_split_ask(u64 address, bool stayed);

#endif /* COW_SPLIT_H */
