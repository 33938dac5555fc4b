/* SPDX-License-Identifier: GPL-2.0 */
/* swap: how many swap entries name the slot of a page in the swap cache. */
#ifndef COW_SWAP_H
#define COW_SWAP_H

#include <linux/init.h>
#include <linux/types.h>

struct page;

/*
 * Until this is called, and in a kernel that cannot tell, no count is given.
 * Context: may sleep, after cow_symbols_init().
 */
void __init cow_swap_init(void);

/**
 * cow_swap_count() - count the page tables that have the page's swap entry
 * @page: mapped by a PTE under whose lock the caller stands.
 * @count: filled in: cowtrace_record.swapcount.
 *
 * Takes no lock, and no reference but that of the swap device, on this CPU.
 * Context: preemption off.
 * Return: false when the page was in no slot, or has changed it meanwhile.
 */
bool cow_swap_count(struct page *page, u16 *count);

#endif /* COW_SWAP_H */
