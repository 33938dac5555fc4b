/* SPDX-License-Identifier: GPL-2.0 */
/*
 * register: all that the module asks the kernel to have it called by, or shown. Each is a
 * function of its own that a test can make fail, by a kprobe or by the kernel's own fault
 * injection (/sys/kernel/debug/fail_function, where it is built in).
 */
#ifndef COW_REGISTER_H
#define COW_REGISTER_H

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/types.h>

struct dentry;
struct fprobe;
struct kprobe;
struct kretprobe;
struct rchan;
struct rchan_callbacks;
struct tracepoint;

/*
 * As register_kprobe() and the like, register_fprobe_ips() with what
 * cow_symbol_location() gave. Return: 0 or a negative errno; -EIO for a kprobe that the
 * kernel could not arm without saying so (6.14 and later).
 */
int cow_register_kprobe(struct kprobe *kp);
int cow_register_kretprobe(struct kretprobe *rp);
int cow_register_fprobe(struct fprobe *fp, unsigned long *locations, int nr);
int cow_register_tracepoint(struct tracepoint *tp, void *probe);

/**
 * cow_disarm_kprobe() - before unregister_kprobe() and the like
 *
 * They say nothing when there is no memory to take a probe off ftrace's list, and leave it
 * armed. This waits for the memory. May sleep.
 *
 * Return: true; false when it cannot be disarmed, as ftrace has shut itself down (until
 * 6.9) or the kernel has lost count of its kprobes: it must not be unregistered nor freed,
 * and the module stays.
 */
bool cow_disarm_kprobe(struct kprobe *kp);

/*
 * The errno of a registration as who wrote to a setting is told it: these two would say
 * that the value was wrong, or another setting in the way.
 */
static inline int cow_as_told(int err)
{
	if (err == -EINVAL)
		return -EOPNOTSUPP;
	return err == -EBUSY ? -EIO : err;
}

/* As debugfs_create_dir(). Return: the directory or an ERR_PTR. */
struct dentry *cow_create_dir(const char *name, struct dentry *parent);
/* As debugfs_create_file(). Return: the file or an ERR_PTR. */
struct dentry *cow_create_file(const char *name, umode_t mode, struct dentry *dir, void *data,
			       const struct file_operations *fops);
/* As relay_open(). Return: the channel, NULL on failure. */
struct rchan *cow_open_channel(const char *name, struct dentry *dir, size_t size, size_t nr,
			       const struct rchan_callbacks *callbacks, void *data);

#endif /* COW_REGISTER_H */
