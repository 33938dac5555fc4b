// SPDX-License-Identifier: GPL-2.0
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/error-injection.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/relay.h>
#include <linux/tracepoint.h>

#include "compat/compat.h"
#include "register.h"

/*
 * Since 6.14 register_kprobe() says 0 as well when a probe could not be armed, and has
 * taken it off its list. Enabling one again that is on the list does nothing.
 */
static int listed(struct kprobe *kp)
{
	return kprobe_disabled(kp) || !enable_kprobe(kp) ? 0 : -EIO;
}

noinline int cow_register_kprobe(struct kprobe *kp)
{
	int err = register_kprobe(kp);

	if (err)
		return err;
	err = listed(kp);
	if (err)
		unregister_kprobe(kp);
	return err;
}

ALLOW_ERROR_INJECTION(cow_register_kprobe, ERRNO);

noinline int cow_register_kretprobe(struct kretprobe *rp)
{
	int err = register_kretprobe(rp);

	if (err)
		return err;
	err = listed(&rp->kp);
	/* It has the memory of its instances all the same. */
	if (err)
		unregister_kretprobe(rp);
	return err;
}

ALLOW_ERROR_INJECTION(cow_register_kretprobe, ERRNO);

#if defined(COW_HAVE_FPROBE) || defined(COW_HAVE_FPROBE_FTRACE_REGS)
noinline int cow_register_fprobe(struct fprobe *fp, unsigned long *locations, int nr)
{
	return register_fprobe_ips(fp, locations, nr);
}

ALLOW_ERROR_INJECTION(cow_register_fprobe, ERRNO);
#endif

noinline int cow_register_tracepoint(struct tracepoint *tp, void *probe)
{
	return tracepoint_probe_register(tp, probe, NULL);
}

ALLOW_ERROR_INJECTION(cow_register_tracepoint, ERRNO);

bool cow_disarm_kprobe(struct kprobe *kp)
{
	int err;

	while ((err = disable_kprobe(kp)) == -ENOMEM)
		msleep(20);
	if (err)
		__module_get(THIS_MODULE);
	return !err;
}

noinline struct dentry *cow_create_dir(const char *name, struct dentry *parent)
{
	return debugfs_create_dir(name, parent);
}

ALLOW_ERROR_INJECTION(cow_create_dir, ERRNO);

noinline struct dentry *cow_create_file(const char *name, umode_t mode, struct dentry *dir,
					void *data, const struct file_operations *fops)
{
	return debugfs_create_file(name, mode, dir, data, fops);
}

ALLOW_ERROR_INJECTION(cow_create_file, ERRNO);

noinline struct rchan *cow_open_channel(const char *name, struct dentry *dir, size_t size,
					size_t nr, const struct rchan_callbacks *callbacks,
					void *data)
{
	/* Until 5.10 its callbacks are not const, and are not changed. */
	return relay_open(name, dir, size, nr, (struct rchan_callbacks *)callbacks, data);
}

ALLOW_ERROR_INJECTION(cow_open_channel, NULL);
