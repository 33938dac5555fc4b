/* SPDX-License-Identifier: GPL-2.0 */
/* tree: some processes, and all that they fork from then on. */
#ifndef COW_TREE_H
#define COW_TREE_H

#include <linux/types.h>

struct seq_file;
struct task_struct;

/* Does the process of @task stand in the tree? Only after cow_tree_add() succeeded. */
bool cow_tree_has(const struct task_struct *task);

/**
 * cow_tree_add() - put a running process into the tree
 * @pid: of the process, in the initial namespace.
 *
 * The caller serialises this with cow_tree_clear() and cow_tree_show().
 *
 * Return: 0; -ESRCH no such process; -E2BIG 64 were added already; -ENOMEM;
 * -ENOENT the kernel has no scheduler tracepoints.
 */
int cow_tree_add(u32 pid);

/* Forget all. No handler may still ask for the tree. */
void cow_tree_clear(void);

/* Print the added process ids, one line. */
void cow_tree_show(struct seq_file *m);

#endif /* COW_TREE_H */
