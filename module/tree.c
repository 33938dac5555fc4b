// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/threads.h>
#include <linux/tracepoint.h>
#include <linux/vmalloc.h>

#include "register.h"
#include "tree.h"

#define MAX_SEEDS	64

/*
 * One bit a process id, half a megabyte: found by one load, whatever the size
 * of the tree. Threads go with their process, as do the workers of io_uring.
 */
static unsigned long *members __read_mostly;
static u32 seeds[MAX_SEEDS];
static unsigned int nr_seeds;

bool cow_tree_has(const struct task_struct *task)
{
	return test_bit(task->tgid, members);
}

/* Called before the child can run, so it never faults outside the tree. */
static void on_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	bool member = test_bit(parent->tgid, members);

	/* Each fork of the machine comes here: only those of the tree write. */
	if (child->tgid != parent->tgid && test_bit(child->tgid, members) != member)
		assign_bit(child->tgid, members, member);
}

/*
 * With the last thread the id becomes free for a stranger. An exec by another
 * thread ends the leader before, and the process goes on. Newer kernels pass
 * one argument more.
 */
static void on_exit(void *data, struct task_struct *task)
{
	if (!atomic_read(&task->signal->live) && test_bit(task->tgid, members))
		clear_bit(task->tgid, members);
}

struct hook {
	const char		*name;
	void			*probe;
	struct tracepoint	*tp;
};

static struct hook hooks[] = {
	{ "sched_process_fork", on_fork },
	{ "sched_process_exit", on_exit },
};

static void find_hook(struct tracepoint *tp, void *priv)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(tp->name, hooks[i].name))
			hooks[i].tp = tp;
}

static void unhook(int nr)
{
	while (nr--)
		tracepoint_probe_unregister(hooks[nr].tp, hooks[nr].probe, NULL);
	tracepoint_synchronize_unregister();
}

static int hook(void)
{
	int err, i;

	for_each_kernel_tracepoint(find_hook, NULL);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		err = hooks[i].tp ? cow_register_tracepoint(hooks[i].tp, hooks[i].probe) :
				    -ENOENT;
		if (err) {
			unhook(i);
			return cow_as_told(err);
		}
	}
	return 0;
}

static int grow_tree(void)
{
	int err;

	members = vzalloc(BITS_TO_LONGS(PID_MAX_LIMIT) * sizeof(long));
	if (!members)
		return -ENOMEM;
	err = hook();
	if (err) {
		vfree(members);
		members = NULL;
	}
	return err;
}

int cow_tree_add(u32 pid)
{
	struct task_struct *leader;
	int err;

	if (nr_seeds == MAX_SEEDS)
		return -E2BIG;
	if (!members) {
		err = grow_tree();
		if (err)
			return err;
	}

	rcu_read_lock();
	leader = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_TGID);
	if (leader)
		set_bit(pid, members);
	rcu_read_unlock();
	if (!leader) {
		if (!nr_seeds)
			cow_tree_clear();
		return -ESRCH;
	}
	seeds[nr_seeds++] = pid;
	return 0;
}

void cow_tree_clear(void)
{
	nr_seeds = 0;
	if (!members)
		return;
	unhook(ARRAY_SIZE(hooks));
	vfree(members);
	members = NULL;
}

void cow_tree_show(struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < nr_seeds; i++)
		seq_printf(m, "%s%u", i ? " " : "", seeds[i]);
	seq_putc(m, '\n');
}
