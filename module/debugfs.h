/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfs: the files of /sys/kernel/debug/cowtrace/. Results are 0400 without
 * mmap and ioctl, so that they stay readable under lockdown; settings are 0600
 * with one value each. An open file holds the module.
 */
#ifndef COW_DEBUGFS_H
#define COW_DEBUGFS_H

#include <linux/types.h>

struct dentry;
struct seq_file;

/**
 * struct cow_setting - a file with one value
 * @name: of the file.
 * @accepts: what may be written, for the kernel log line after a bad write.
 * @show: print the value.
 * @store: set it from a trimmed text; 0 or a negative errno, nothing changed.
 */
struct cow_setting {
	const char	*name;
	const char	*accepts;
	int		(*show)(struct seq_file *m, void *v);
	int		(*store)(const char *text);
};

/* Create the files in @dir; they vanish with it. */
void __init cow_debugfs_init(struct dentry *dir);

#endif /* COW_DEBUGFS_H */
