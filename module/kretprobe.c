// SPDX-License-Identifier: GPL-2.0
/* The backend that every kernel has: kretprobes for pairs, kprobes for witnesses. */
#include <linux/bitops.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "caller.h"
#include "compat/compat.h"
#include "points.h"
#include "register.h"

/**
 * struct attachment - one armed point
 * @rp: for a pair; its kprobe alone for a witness.
 * @point: what it calls.
 * @faults: page faults inside of the handlers of a pair, which its kprobe has counted as
 *	missed calls (cow_on_handler_fault()).
 */
struct attachment {
	struct kretprobe	rp;
	const struct cow_point	*point;
	unsigned long __percpu	*faults;
};

static struct attachment *attachments[COW_NR_POINTS];

/* Handlers find the instruction pointer as a breakpoint leaves it: behind itself. */
static __always_inline unsigned long probed_ip(struct pt_regs *regs)
{
	return instruction_pointer(regs) - sizeof(kprobe_opcode_t);
}

/* Nearly all of them; a call through a pointer costs what half of the work does. */
static int on_wp_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return cow_wp_enter((struct cow_entry *)ri->data, regs, probed_ip(regs));
}

NOKPROBE_SYMBOL(on_wp_entry);

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct attachment *a = container_of(cow_kretprobe(ri), struct attachment, rp);

	return a->point->enter((struct cow_entry *)ri->data, regs, probed_ip(regs));
}

NOKPROBE_SYMBOL(on_entry);

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	/* NULL once the probe was unregistered while the task slept. */
	if (cow_kretprobe(ri))
		cow_leave((struct cow_entry *)ri->data, regs_return_value(regs),
			  cow_return_address(ri, regs));
	return 0;
}

NOKPROBE_SYMBOL(on_return);

static int on_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct attachment *a = container_of(kp, struct attachment, rp.kp);

	a->point->hit(regs, probed_ip(regs));
	return 0;
}

NOKPROBE_SYMBOL(on_hit);

/* The tracepoint's readers copy user memory, such as perf the stack to beyond its end. */
static int on_fault(struct kprobe *kp, struct pt_regs *regs, int trap)
{
	struct attachment *a = container_of(kp, struct attachment, rp.kp);

	this_cpu_inc(*a->faults);
	return 0;
}

NOKPROBE_SYMBOL(on_fault);

static void free_attachment(struct attachment *a)
{
	if (!a)
		return;
	free_percpu(a->faults);
	kfree(a);
}

static int attach_one(int id)
{
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;
	a->faults = alloc_percpu(unsigned long);
	if (!a->faults) {
		kfree(a);
		return -ENOMEM;
	}
	a->point = &cow_points[id];
	a->rp.kp.symbol_name = cow_symbol_name(a->point->symbol);
	if (a->point->enter) {
		a->rp.entry_handler = id == COW_POINT_WP ? on_wp_entry : on_entry;
		a->rp.handler = on_return;
		a->rp.data_size = sizeof(struct cow_entry);
		a->rp.maxactive = cow_maxactive;
		err = cow_register_kretprobe(&a->rp);
		cow_on_handler_fault(&a->rp.kp, on_fault);
	} else {
		a->rp.kp.pre_handler = on_hit;
		err = cow_register_kprobe(&a->rp.kp);
	}
	if (err)
		free_attachment(a);
	else
		attachments[id] = a;
	return err;
}

/* Two CPUs that count a missed call at once count it as one, so it may be less. */
static unsigned long missed_calls(const struct attachment *a)
{
	unsigned long missed = READ_ONCE(a->rp.kp.nmissed), faults = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		faults += READ_ONCE(*per_cpu_ptr(a->faults, cpu));
	return missed - min(missed, faults);
}

static struct cow_missed kretprobe_missed(void)
{
	struct cow_missed m = { 0 };
	int id;

	for (id = 0; id < COW_NR_POINTS; id++) {
		const struct attachment *a = attachments[id];

		if (a && a->point->enter) {
			m.entry += READ_ONCE(a->rp.nmissed);
			m.nested += missed_calls(a);
		} else if (a) {
			m.witness += READ_ONCE(a->rp.kp.nmissed);
		}
	}
	return m;
}

/* All together: each unregistration waits for RCU grace periods. */
static struct cow_missed kretprobe_detach(void)
{
	struct cow_missed missed;
	struct kretprobe *pairs[COW_NR_POINTS];
	struct kprobe *witnesses[COW_NR_POINTS];
	int id, nr_pairs = 0, nr_witnesses = 0;

	for (id = 0; id < COW_NR_POINTS; id++) {
		struct attachment *a = attachments[id];

		if (a && !cow_disarm_kprobe(&a->rp.kp))
			attachments[id] = NULL;
		else if (a && a->point->enter)
			pairs[nr_pairs++] = &a->rp;
		else if (a)
			witnesses[nr_witnesses++] = &a->rp.kp;
	}
	unregister_kretprobes(pairs, nr_pairs);
	unregister_kprobes(witnesses, nr_witnesses);
	/* Exit handlers run with preemption off: none is left after this. */
	synchronize_rcu();
	missed = kretprobe_missed();
	for (id = 0; id < COW_NR_POINTS; id++) {
		free_attachment(attachments[id]);
		attachments[id] = NULL;
	}
	return missed;
}

static int kretprobe_attach(unsigned long points)
{
	int id, err;

	for_each_set_bit(id, &points, COW_NR_POINTS) {
		err = attach_one(id);
		if (err) {
			kretprobe_detach();
			return err;
		}
	}
	return 0;
}

const struct cow_backend cow_kretprobe = {
	.name	= "kretprobe",
	.attach	= kretprobe_attach,
	.detach	= kretprobe_detach,
	.missed	= kretprobe_missed,
};
