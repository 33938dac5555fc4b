// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <cowtrace/record.h>

#include "filter.h"
#include "tree.h"
#include "vocabulary.h"

#define ANY_ID		U32_MAX

/**
 * struct cow_filter - what must hold for a fault to be recorded
 * @pid: thread id, or ANY_ID.
 * @tgid: process id, or ANY_ID.
 * @uid: real user id, or ANY_ID, which is no valid uid.
 * @by_comm: @comm must match.
 * @by_tree: the task must stand in the tree (tree.h).
 * @comm: command name.
 * @outcomes: wanted outcomes, a bit each.
 * @reasons: wanted reasons, a bit each.
 * @min_duration_ns: shorter faults are not wanted.
 *
 * Replaced as a whole, so that no fault sees half of a change.
 */
struct cow_filter {
	u32	pid;
	u32	tgid;
	u32	uid;
	bool	by_comm;
	bool	by_tree;
	char	comm[TASK_COMM_LEN];
	u32	outcomes;
	u32	reasons;
	u32	min_duration_ns;
	struct rcu_head rcu;
};

static const struct cow_filter pass_all = {
	.pid = ANY_ID,
	.tgid = ANY_ID,
	.uid = ANY_ID,
	.outcomes = ~0u,
	.reasons = ~0u,
};

struct cow_filter __rcu *cow_filter __read_mostly;
static DEFINE_MUTEX(filter_mutex);

bool cow_filter_wants_task(void)
{
	const struct cow_filter *f = rcu_dereference_sched(cow_filter);

	/* Taken away since cow_filter_set() saw it. */
	if (unlikely(!f))
		return true;
	if (f->by_tree && !cow_tree_has(current))
		return false;
	if (f->pid != ANY_ID && f->pid != current->pid)
		return false;
	if (f->tgid != ANY_ID && f->tgid != current->tgid)
		return false;
	if (f->uid != ANY_ID && f->uid != from_kuid(&init_user_ns, current_uid()))
		return false;
	return !f->by_comm || !strncmp(f->comm, current->comm, TASK_COMM_LEN);
}

bool cow_filter_wants_fault(const struct cowtrace_record *r)
{
	const struct cow_filter *f = rcu_dereference_sched(cow_filter);

	/* Taken away since cow_filter_set() saw it. */
	if (unlikely(!f))
		return true;
	return (f->outcomes & BIT(r->outcome)) && (f->reasons & BIT(r->reason)) &&
	       r->duration_ns >= f->min_duration_ns;
}

static const struct cow_filter *current_filter(void)
{
	return rcu_dereference_protected(cow_filter, lockdep_is_held(&filter_mutex)) ?: &pass_all;
}

/* Put a copy of the filter, changed by @change, in its place. */
static int replace(void (*change)(struct cow_filter *f, const void *arg), const void *arg)
{
	struct cow_filter *new, *old;

	new = kmemdup(current_filter(), sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	change(new, arg);
	if (!memcmp(new, &pass_all, offsetof(struct cow_filter, rcu))) {
		kfree(new);
		new = NULL;
	}
	old = rcu_replace_pointer(cow_filter, new, lockdep_is_held(&filter_mutex));
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static int replace_locked(void (*change)(struct cow_filter *f, const void *arg), const void *arg)
{
	int err;

	mutex_lock(&filter_mutex);
	err = replace(change, arg);
	mutex_unlock(&filter_mutex);
	return err;
}

static int parse_id(const char *text, u32 max, u32 *id)
{
	int err;

	if (!strcmp(text, "any")) {
		*id = ANY_ID;
		return 0;
	}
	err = kstrtou32(text, 10, id);
	if (err)
		return err;
	return *id > max ? -ERANGE : 0;
}

static void show_id(struct seq_file *m, u32 id)
{
	if (id == ANY_ID)
		seq_puts(m, "any\n");
	else
		seq_printf(m, "%u\n", id);
}

#define ID_FILTER(member, max)						\
static void set_##member(struct cow_filter *f, const void *arg)		\
{									\
	f->member = *(const u32 *)arg;					\
}									\
									\
static int member##_store(const char *text)				\
{									\
	u32 id;								\
	int err = parse_id(text, max, &id);				\
									\
	return err ?: replace_locked(set_##member, &id);		\
}									\
									\
static int member##_show(struct seq_file *m, void *v)			\
{									\
	mutex_lock(&filter_mutex);					\
	show_id(m, current_filter()->member);				\
	mutex_unlock(&filter_mutex);					\
	return 0;							\
}

ID_FILTER(pid, INT_MAX)
ID_FILTER(tgid, INT_MAX)
/* ANY_ID is the one number that is no user. */
ID_FILTER(uid, U32_MAX - 1)

static void set_comm(struct cow_filter *f, const void *arg)
{
	memset(f->comm, 0, sizeof(f->comm));
	f->by_comm = arg;
	if (arg)
		strscpy(f->comm, arg, sizeof(f->comm));
}

static int comm_store(const char *text)
{
	size_t len = strlen(text);

	if (!len || len >= TASK_COMM_LEN)
		return -EINVAL;
	return replace_locked(set_comm, strcmp(text, "any") ? text : NULL);
}

static int comm_show(struct seq_file *m, void *v)
{
	mutex_lock(&filter_mutex);
	seq_printf(m, "%s\n", current_filter()->by_comm ? current_filter()->comm : "any");
	mutex_unlock(&filter_mutex);
	return 0;
}

static void set_tree(struct cow_filter *f, const void *arg)
{
	f->by_tree = arg;
}

static int tree_store(const char *text)
{
	u32 pid;
	int err;

	mutex_lock(&filter_mutex);
	if (!strcmp(text, "any")) {
		err = replace(set_tree, NULL);
		if (!err) {
			/* No fault may still look into the tree. */
			synchronize_rcu();
			cow_tree_clear();
		}
	} else {
		err = parse_id(text, INT_MAX, &pid) ?: cow_tree_add(pid);
		if (!err)
			err = replace(set_tree, "");
		if (err && !current_filter()->by_tree)
			cow_tree_clear();
	}
	mutex_unlock(&filter_mutex);
	return err;
}

static int tree_show(struct seq_file *m, void *v)
{
	mutex_lock(&filter_mutex);
	if (current_filter()->by_tree)
		cow_tree_show(m);
	else
		seq_puts(m, "any\n");
	mutex_unlock(&filter_mutex);
	return 0;
}

static int parse_names(const char *text, const struct cowtrace_word *words, size_t nr, u32 *mask)
{
	char *copy, *rest, *name;
	int err = 0;
	size_t i;

	*mask = ~0u;
	if (!strcmp(text, "any"))
		return 0;
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	*mask = 0;
	rest = copy;
	while (!err && (name = strsep(&rest, ","))) {
		for (i = 0; i < nr && strcmp(name, words[i].name); i++)
			;
		if (i < nr)
			*mask |= BIT(words[i].value);
		else
			err = -EINVAL;
	}
	kfree(copy);
	return err;
}

static void show_names(struct seq_file *m, const struct cowtrace_word *words, size_t nr, u32 mask)
{
	const char *comma = "";
	size_t i;

	if (mask == ~0u) {
		seq_puts(m, "any\n");
		return;
	}
	for (i = 0; i < nr; i++) {
		if (!(mask & BIT(words[i].value)))
			continue;
		seq_printf(m, "%s%s", comma, words[i].name);
		comma = ",";
	}
	seq_putc(m, '\n');
}

#define NAME_FILTER(file, member, words)				\
static void set_##member(struct cow_filter *f, const void *arg)		\
{									\
	f->member = *(const u32 *)arg;					\
}									\
									\
static int file##_store(const char *text)				\
{									\
	u32 mask;							\
	int err = parse_names(text, words, ARRAY_SIZE(words), &mask);	\
									\
	return err ?: replace_locked(set_##member, &mask);		\
}									\
									\
static int file##_show(struct seq_file *m, void *v)			\
{									\
	mutex_lock(&filter_mutex);					\
	show_names(m, words, ARRAY_SIZE(words), current_filter()->member); \
	mutex_unlock(&filter_mutex);					\
	return 0;							\
}

NAME_FILTER(outcome, outcomes, cow_outcomes)
NAME_FILTER(reason, reasons, cow_reasons)

static void set_min_duration(struct cow_filter *f, const void *arg)
{
	f->min_duration_ns = *(const u32 *)arg;
}

static int min_duration_store(const char *text)
{
	u32 ns;
	int err = kstrtou32(text, 10, &ns);

	return err ?: replace_locked(set_min_duration, &ns);
}

static int min_duration_show(struct seq_file *m, void *v)
{
	mutex_lock(&filter_mutex);
	seq_printf(m, "%u\n", current_filter()->min_duration_ns);
	mutex_unlock(&filter_mutex);
	return 0;
}

const struct cow_setting cow_filter_settings[] = {
	{ "pid", 0600, "a thread id or any", pid_show, pid_store },
	{ "tgid", 0600, "a process id or any", tgid_show, tgid_store },
	{ "uid", 0600, "a user id or any", uid_show, uid_store },
	{ "comm", 0600, "a command name of up to 15 bytes or any", comm_show, comm_store },
	{ "tree", 0600, "the id of a running process, or any to clear", tree_show, tree_store },
	{ "outcome", 0600, "outcomes joined by commas or any, see schema",
	  outcome_show, outcome_store },
	{ "reason", 0600, "reasons joined by commas or any, see schema",
	  reason_show, reason_store },
	{ "min_duration_ns", 0600, "0 to 4294967295", min_duration_show, min_duration_store },
};

const size_t cow_nr_filter_settings = ARRAY_SIZE(cow_filter_settings);

void cow_filter_exit_module(void)
{
	kfree(rcu_dereference_protected(cow_filter, true));
	RCU_INIT_POINTER(cow_filter, NULL);
	cow_tree_clear();
	/* kfree_rcu() of 5.10 frees from a work item of the kernel: nothing of ours runs. */
}
