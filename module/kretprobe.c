// SPDX-License-Identifier: GPL-2.0
/* The backend that every kernel has: kretprobes for pairs, kprobes for entries. */
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "points.h"

/**
 * struct attachment - one armed point
 * @rp: for a pair; its kprobe alone for an entry-only point.
 * @point: what it calls.
 */
struct attachment {
	struct kretprobe	rp;
	const struct cow_point	*point;
};

static struct attachment *attachments[COW_NR_POINTS];

/* At its entry a function's return address lies on top of the stack. */
static struct cow_args args_of(struct pt_regs *regs)
{
	return (struct cow_args) {
		.arg0	= regs_get_kernel_argument(regs, 0),
		.arg1	= regs_get_kernel_argument(regs, 1),
		.ret_ip	= *(unsigned long *)kernel_stack_pointer(regs),
	};
}

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct attachment *a = container_of(cow_kretprobe(ri), struct attachment, rp);
	struct cow_args args = args_of(regs);

	return a->point->enter((struct cow_entry *)ri->data, &args);
}

NOKPROBE_SYMBOL(on_entry);

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kretprobe *rp = cow_kretprobe(ri);
	struct attachment *a;

	/* NULL once the probe was unregistered while the task slept. */
	if (!rp)
		return 0;
	a = container_of(rp, struct attachment, rp);
	a->point->leave((struct cow_entry *)ri->data, regs_return_value(regs),
			cow_return_address(ri, regs));
	return 0;
}

NOKPROBE_SYMBOL(on_return);

static int on_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct attachment *a = container_of(kp, struct attachment, rp.kp);
	struct cow_args args = args_of(regs);

	a->point->hit(&args);
	return 0;
}

NOKPROBE_SYMBOL(on_hit);

static int kretprobe_attach(enum cow_point_id id)
{
	const struct cow_point *point = &cow_points[id];
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;
	a->point = point;
	a->rp.kp.symbol_name = point->symbol;
	if (point->leave) {
		a->rp.entry_handler = on_entry;
		a->rp.handler = on_return;
		a->rp.data_size = sizeof(struct cow_entry);
		a->rp.maxactive = cow_maxactive;
		err = register_kretprobe(&a->rp);
	} else {
		a->rp.kp.pre_handler = on_hit;
		err = register_kprobe(&a->rp.kp);
	}
	if (err)
		kfree(a);
	else
		attachments[id] = a;
	return err;
}

static void kretprobe_detach(enum cow_point_id id)
{
	struct attachment *a = attachments[id];

	if (a->point->leave)
		unregister_kretprobe(&a->rp);
	else
		unregister_kprobe(&a->rp.kp);
	/* Exit handlers run with preemption off: none is left after this. */
	synchronize_rcu();
	attachments[id] = NULL;
	kfree(a);
}

static u64 kretprobe_missed_entry(enum cow_point_id id)
{
	return READ_ONCE(attachments[id]->rp.nmissed);
}

static u64 kretprobe_missed_nested(enum cow_point_id id)
{
	return READ_ONCE(attachments[id]->rp.kp.nmissed);
}

const struct cow_backend cow_kretprobe = {
	.name		= "kretprobe",
	.attach		= kretprobe_attach,
	.detach		= kretprobe_detach,
	.missed_entry	= kretprobe_missed_entry,
	.missed_nested	= kretprobe_missed_nested,
};
