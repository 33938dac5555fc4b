/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfs: the files of /sys/kernel/debug/cowtrace/. Results are 0400 without
 * mmap and ioctl, so that they stay readable under lockdown; settings are 0600
 * with one value each. An open file holds the module.
 */
#ifndef COW_DEBUGFS_H
#define COW_DEBUGFS_H

#include <linux/fs.h>

struct seq_file;

/**
 * struct cow_setting - a file with one value
 * @name: of the file.
 * @mode: of the file.
 * @accepts: what may be written, for the kernel log line after a bad write.
 * @show: print the value.
 * @store: set it from a trimmed text; 0 or a negative errno, nothing changed.
 */
struct cow_setting {
	const char	*name;
	umode_t		mode;
	const char	*accepts;
	int		(*show)(struct seq_file *m, void *v);
	int		(*store)(const char *text);
};

/**
 * cow_setting_text() - what was written to a setting
 * @from: the text.
 * @count: bytes of it.
 * @ppos: where in the file: a value is one write, the second half of a line is no value.
 * Return: the trimmed text, to be freed by kfree(), or an ERR_PTR.
 */
char *cow_setting_text(const char __user *from, size_t count, const loff_t *ppos);

/* Tell the log why a write to a setting failed, with what it accepts. */
void cow_setting_explain(const char *name, const char *accepts, int err);

/* The write operation of a file that is only read: EINVAL and a line in the log. */
ssize_t cow_refuse_write(struct file *file, const char __user *from, size_t count, loff_t *ppos);

/* Create the files in @dir; they vanish with it. Return: 0 or a negative errno. */
int __init cow_debugfs_init(struct dentry *dir);

#endif /* COW_DEBUGFS_H */
