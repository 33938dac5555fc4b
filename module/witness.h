/* SPDX-License-Identifier: GPL-2.0 */
/*
 * witness: who mapped a copy. From 6.2 on a copy and a lost race both return 0
 * from do_wp_page(); only a copy calls ptep_clear_flush() from inside it. An
 * entry-only probe there, whose return address lies inside do_wp_page(), leaves
 * a mark that the exit of the same task picks up.
 */
#ifndef COW_WITNESS_H
#define COW_WITNESS_H

#include <linux/types.h>

struct cow_args;

/* Return: 0 or -ENOMEM. */
int __init cow_witness_init(void);
void cow_witness_exit(void);

/* At the entry of ptep_clear_flush(vma, address, ptep). Context: preemption off. */
void cow_witness_hit(const struct cow_args *args);

/**
 * enum cow_testimony - what the witness says of a fault
 * @COW_SAW_NOTHING: no copy was mapped.
 * @COW_SAW_COPY: a copy was mapped.
 * @COW_FORGOT: a mark was displaced during the fault; it may have been this one.
 */
enum cow_testimony {
	COW_SAW_NOTHING,
	COW_SAW_COPY,
	COW_FORGOT,
};

/**
 * cow_witness_ask() - did the current task map a copy since @since_ns?
 * @address: the page of the fault, vm_fault.address.
 * @since_ns: entry of the fault.
 *
 * Takes the mark away. The task may have changed its CPU since it was made.
 * Context: preemption off.
 */
enum cow_testimony cow_witness_ask(unsigned long address, u64 since_ns);

#endif /* COW_WITNESS_H */
