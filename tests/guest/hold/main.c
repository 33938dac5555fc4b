// SPDX-License-Identifier: GPL-2.0
/* The device: each open file holds pages of its own. */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hold-internal.h"

/**
 * struct hold_file - what one open file holds
 * @map: the page that it maps. First, see hold_mmap().
 * @lock: guards @holdings.
 * @holdings: struct holding.
 */
struct hold_file {
	struct hold_map		map;
	/* Guards holdings. */
	struct mutex		lock;
	struct list_head	holdings;
};

static int take(struct hold_file *f, const void __user *arg)
{
	struct hold_request request;
	struct holding *h;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	h = holding_take(&request);
	if (IS_ERR(h))
		return PTR_ERR(h);
	mutex_lock(&f->lock);
	list_add_tail(&h->list, &f->holdings);
	mutex_unlock(&f->lock);
	return 0;
}

static int wait_for_stall(struct hold_file *f)
{
	struct completion *stalled = NULL;
	struct holding *h;

	mutex_lock(&f->lock);
	list_for_each_entry(h, &f->holdings, list)
		if (h->kind == HOLD_STALL)
			stalled = &h->watch.stalled;
	mutex_unlock(&f->lock);
	/* Only one thread uses the file: what it holds stays. */
	return stalled ? wait_for_completion_interruptible(stalled) : -EINVAL;
}

static void release_all(struct hold_file *f)
{
	struct holding *h, *next;
	LIST_HEAD(all);

	mutex_lock(&f->lock);
	list_splice_init(&f->holdings, &all);
	mutex_unlock(&f->lock);
	/* The last first: a lock goes before the reference that was there before it. */
	list_for_each_entry_safe_reverse(h, next, &all, list)
		holding_release(h);
}

static long hold_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct hold_file *f = file->private_data;

	switch (command) {
	case HOLD_TAKE:
		return take(f, (const void __user *)arg);
	case HOLD_COUNT:
		return page_count_of(arg);
	case HOLD_WAIT:
		return wait_for_stall(f);
	case HOLD_RELEASE:
		release_all(f);
		return 0;
	case HOLD_ANSWER:
		if (arg > HOLD_POISON)
			return -EINVAL;
		atomic_set(&f->map.answer, arg);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int hold_open(struct inode *inode, struct file *file)
{
	struct hold_file *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int err;

	if (!f)
		return -ENOMEM;
	err = hold_map_init(&f->map);
	if (err) {
		kfree(f);
		return err;
	}
	mutex_init(&f->lock);
	INIT_LIST_HEAD(&f->holdings);
	file->private_data = f;
	return 0;
}

static int hold_close(struct inode *inode, struct file *file)
{
	struct hold_file *f = file->private_data;

	release_all(f);
	hold_map_exit(&f->map);
	kfree(f);
	return 0;
}

static const struct file_operations hold_fops = {
	.owner		= THIS_MODULE,
	.open		= hold_open,
	.release	= hold_close,
	.unlocked_ioctl	= hold_ioctl,
	.mmap		= hold_mmap,
};

static struct miscdevice hold_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "cowtrace-hold",
	.fops	= &hold_fops,
	.mode	= 0600,
};
module_misc_device(hold_device);

MODULE_DESCRIPTION("Bring pages into states that no program can time, for the tests of cowtrace");
MODULE_LICENSE("GPL");
