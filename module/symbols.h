/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbols: where the kernel functions lie whose return addresses are compared.
 * Addresses are only compared and probed, never called: on kernels with IBT
 * most of these functions have no valid entry for an indirect call.
 */
#ifndef COW_SYMBOLS_H
#define COW_SYMBOLS_H

#include <linux/types.h>

/**
 * enum cow_caller - who called do_wp_page()
 * @COW_CALLER_UNKNOWN: neither; another tracer's return probe hides it.
 * @COW_CALLER_FAULT: handle_pte_fault(), inlined into one of two functions.
 * @COW_CALLER_SWAP: do_swap_page(), for a write to a page just swapped in.
 */
enum cow_caller {
	COW_CALLER_UNKNOWN,
	COW_CALLER_FAULT,
	COW_CALLER_SWAP,
};

/**
 * cow_symbols_init() - find the functions
 *
 * Return: 0, or -ENOENT when the traced function does not exist, after a line
 * in the kernel log. A missing caller is no error: origins are then unknown.
 */
int __init cow_symbols_init(void);

/* Which function called do_wp_page(), by its return address. */
enum cow_caller cow_caller(unsigned long ret_ip);

/* Does @ip lie inside the function that copies pages for do_wp_page()? */
bool cow_copies_page(unsigned long ip);

#endif /* COW_SYMBOLS_H */
