// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "group_parts.h"
#include "register.h"

/* Calls of one function that may be under way at the same time; most of them sleep. */
#define ACTIVE	256

static int on_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct cow_group_probed *p = container_of(kp, struct cow_group_probed, rp.kp);

	if (likely(READ_ONCE(*p->on))) {
		this_cpu_inc(*p->hits);
		p->probe->hit(regs);
	}
	return 0;
}

NOKPROBE_SYMBOL(on_hit);

static int on_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct cow_group_probed *p = container_of(cow_kretprobe(ri), struct cow_group_probed, rp);

	if (unlikely(!READ_ONCE(*p->on)))
		return 1;
	this_cpu_inc(*p->hits);
	return p->probe->enter && !p->probe->enter(ri->data, regs);
}

NOKPROBE_SYMBOL(on_entry);

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kretprobe *rp = cow_kretprobe(ri);
	struct cow_group_probed *p = container_of(rp, struct cow_group_probed, rp);

	/* NULL once the probe was unregistered while the task slept. */
	if (rp && likely(READ_ONCE(*p->on)))
		p->probe->leave(ri->data, regs);
	return 0;
}

NOKPROBE_SYMBOL(on_return);

/*
 * A disabled kprobe finds out without touching the code. Return: 0 with @kp registered, or a
 * negative errno: -ENOMEM says nothing about the function.
 */
static int find(struct cow_group_probed *p, struct kprobe *kp)
{
	int i, err = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(p->probe->names) && p->probe->names[i]; i++) {
		*kp = (struct kprobe) {
			.symbol_name	= p->probe->names[i],
			.flags		= KPROBE_FLAG_DISABLED,
		};
		err = cow_register_kprobe(kp);
		if (!err)
			p->name = p->probe->names[i];
		if (!err || err == -ENOMEM)
			break;
	}
	return err;
}

int cow_group_look(struct cow_group_state *s)
{
	struct kprobe *kps, *found[COW_GROUP_PROBES];
	unsigned int i;
	int err = 0, nr = 0;

	if (s->looked)
		return 0;
	kps = kcalloc(s->group->nr_probes ?: 1, sizeof(*kps), GFP_KERNEL);
	if (!kps)
		return -ENOMEM;
	for (i = 0; err != -ENOMEM && i < s->group->nr_probes; i++) {
		err = find(&s->probed[i], &kps[i]);
		if (!err)
			found[nr++] = &kps[i];
	}
	/* Together: each call waits for an RCU grace period. */
	unregister_kprobes(found, nr);
	kfree(kps);
	s->looked = err != -ENOMEM;
	return s->looked ? 0 : err;
}

bool cow_group_has(const struct cow_group *group, unsigned int probe)
{
	return (*group->state)->probed[probe].name;
}

static int arm(struct cow_group_probed *p)
{
	int cpu, err;

	for_each_possible_cpu(cpu)
		WRITE_ONCE(*per_cpu_ptr(p->hits, cpu), 0);
	p->missed = 0;
	memset(&p->rp, 0, sizeof(p->rp));
	p->rp.kp.symbol_name = p->name;
	if (p->probe->leave) {
		p->rp.entry_handler = on_entry;
		p->rp.handler = on_return;
		p->rp.data_size = p->probe->data_size;
		p->rp.maxactive = ACTIVE;
		err = cow_register_kretprobe(&p->rp);
	} else {
		p->rp.kp.pre_handler = on_hit;
		err = cow_register_kprobe(&p->rp.kp);
	}
	p->armed = !err;
	return err;
}

int cow_group_arm(struct cow_group_state *s)
{
	unsigned int i;
	int err;

	for (i = 0; i < s->group->nr_probes; i++) {
		if (!s->probed[i].name)
			continue;
		err = arm(&s->probed[i]);
		if (err) {
			pr_err("%s: %s() cannot be probed (%d)\n", s->group->name,
			       s->probed[i].name, err);
			cow_group_disarm(s);
			return err;
		}
	}
	WRITE_ONCE(s->armed, true);
	return 0;
}

void cow_group_disarm(struct cow_group_state *s)
{
	struct kretprobe *pairs[COW_GROUP_PROBES];
	struct kprobe *entries[COW_GROUP_PROBES];
	int nr_pairs = 0, nr_entries = 0;
	unsigned int i;

	WRITE_ONCE(s->armed, false);
	for (i = 0; i < s->group->nr_probes; i++) {
		struct cow_group_probed *p = &s->probed[i];

		/* One that stays armed is not armed again. */
		if (p->armed && !cow_disarm_kprobe(&p->rp.kp))
			p->name = NULL;
		else if (p->armed && p->probe->leave)
			pairs[nr_pairs++] = &p->rp;
		else if (p->armed)
			entries[nr_entries++] = &p->rp.kp;
	}
	unregister_kretprobes(pairs, nr_pairs);
	unregister_kprobes(entries, nr_entries);
	/* Exit handlers run with preemption off: none is left after this. */
	synchronize_rcu();
	for (i = 0; i < s->group->nr_probes; i++) {
		s->probed[i].missed = cow_group_missed(&s->probed[i]);
		s->probed[i].armed = false;
	}
}

u64 cow_group_hits(const struct cow_group_probed *p)
{
	u64 hits = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		hits += READ_ONCE(*per_cpu_ptr(p->hits, cpu));
	return hits;
}

u64 cow_group_missed(const struct cow_group_probed *p)
{
	return p->armed ? READ_ONCE(p->rp.nmissed) + READ_ONCE(p->rp.kp.nmissed) : p->missed;
}

/* --- do kprobes work? ------------------------------------------------------------- */

static bool seen;

static int see(struct kprobe *kp, struct pt_regs *regs)
{
	WRITE_ONCE(seen, true);
	return 0;
}

NOKPROBE_SYMBOL(see);

int cow_group_sighted(void)
{
	/* A function of the kernel, so that ftrace may have to be on for it as well. */
	static struct kprobe kp;
	static bool stuck;
	int err;

	if (stuck)
		return -EIO;
	kp = (struct kprobe) { .symbol_name = "synchronize_rcu", .pre_handler = see };
	WRITE_ONCE(seen, false);
	err = cow_register_kprobe(&kp);
	if (err)
		return err;
	synchronize_rcu();
	stuck = !cow_disarm_kprobe(&kp);
	if (stuck)
		return -EIO;
	unregister_kprobe(&kp);
	return READ_ONCE(seen) ? 0 : -ENODATA;
}
