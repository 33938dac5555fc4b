/* SPDX-License-Identifier: GPL-2.0 */
/*
 * witness: what a task did inside a fault. From 6.2 on a copy and a lost race
 * both return 0 from do_wp_page(); only a copy calls ptep_clear_flush() from
 * inside it. An entry-only probe there, whose return address lies inside the
 * traced function, leaves a mark that the exit of the same task picks up. The
 * paths of huge pages have witnesses of their own.
 */
#ifndef COW_WITNESS_H
#define COW_WITNESS_H

#include <linux/types.h>

/* Return: 0 or -ENOMEM. */
int __init cow_witness_init(void);
void cow_witness_exit(void);

/**
 * enum cow_testimony - what the witness says of a fault
 * @COW_SAW_NOTHING: neither of these.
 * @COW_SAW_COPY: a copy was mapped.
 * @COW_SAW_REUSE: the page was made writable.
 * @COW_SAW_UNKNOWN: another tool hid who called the probed function.
 * @COW_FORGOT: a mark was displaced during the fault; it may have been this one.
 */
enum cow_testimony {
	COW_SAW_NOTHING,
	COW_SAW_COPY,
	COW_SAW_REUSE,
	COW_SAW_UNKNOWN,
	COW_FORGOT,
};

/* Remember what the current task does at @address. Context: preemption off. */
void cow_witness_mark(enum cow_testimony what, unsigned long address);

/**
 * cow_witness_ask() - what did the current task do since @since_ns?
 * @address: of the fault.
 * @size: of the page there, a power of two.
 * @since_ns: entry of the fault.
 *
 * Takes the mark away. The task may have changed its CPU since it was made.
 * Context: preemption off.
 */
enum cow_testimony cow_witness_ask(unsigned long address, unsigned long size, u64 since_ns);

#endif /* COW_WITNESS_H */
