/* SPDX-License-Identifier: GPL-2.0 */
/* add: to a counter that one CPU writes and all others may read at any time. */
#ifndef COW_ADD_H
#define COW_ADD_H

#include <linux/compiler.h>

/*
 * Add @n to the counter @word, which nobody else writes now. Readers use READ_ONCE() or
 * ask a seqcount. One instruction on memory, which x86 does not tear; with WRITE_ONCE()
 * it would be three, on the way of each fault.
 */
#define cow_add(word, n)	((void)data_race((word) += (n)))

#endif /* COW_ADD_H */
