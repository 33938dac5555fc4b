// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "debugfs.h"
#include "group_parts.h"
#include "groups.h"
#include "register.h"
#include "session.h"

/* The longest limit: a day. */
#define SECONDS_MAX	86400u

/* Of all switches, and of what the probes of a group are. */
static DEFINE_MUTEX(groups_mutex);

/* Why this kernel cannot have the group, NULL if it can. */
static const char *missing(struct cow_group_state *s)
{
	unsigned int i;

	for (i = 0; i < s->group->nr_probes; i++)
		if (s->group->probes[i].required && !s->probed[i].name)
			return s->group->probes[i].names[0];
	return s->group->missing ? s->group->missing() : NULL;
}

/* From here on all is counted. */
static void begin(struct cow_group_state *s)
{
	s->begun_ns = ktime_get_ns();
	if (!s->seconds)
		return;
	s->until_ns = s->begun_ns + (u64)s->seconds * NSEC_PER_SEC;
	/* One of the last run may be waiting for its time still. */
	cancel_delayed_work(&s->limit);
	schedule_delayed_work(&s->limit, s->seconds * HZ + 1);
}

static void end(struct cow_group_state *s)
{
	/* Who reads that it has ended finds all that was logged before. */
	smp_store_release(&s->live, false);
}

static int start(struct cow_group_state *s)
{
	const struct cow_group *g = s->group;
	const char *why = missing(s);
	int err;

	if (why) {
		pr_warn_ratelimited("%s: this kernel cannot show it: no %s\n", g->name, why);
		return -EOPNOTSUPP;
	}
	err = cow_group_sighted();
	if (err == -ENODATA) {
		err = -EIO;
		pr_warn_ratelimited("%s: kprobes do not work: set /sys/kernel/debug/kprobes/enabled and /proc/sys/kernel/ftrace_enabled to 1\n",
				    g->name);
	} else if (err && err != -ENOMEM) {
		pr_warn_ratelimited("%s: a kprobe cannot be armed or disarmed (%d): there is no memory, or ftrace has shut itself down\n",
				    g->name, err);
	}
	if (err)
		return err;
	err = cow_group_log_reset(s);
	if (err)
		return err;
	if (g->clear)
		g->clear();
	s->limited = false;
	s->until_ns = 0;
	s->ended_ns = 0;
	s->begun_ns = 0;
	WRITE_ONCE(s->live, true);
	err = g->start ? g->start() : 0;
	if (err)
		goto off;
	err = cow_group_arm(s);
	if (!err) {
		begin(s);
		return 0;
	}
	if (g->stop)
		g->stop();
off:
	end(s);
	return err;
}

static void stop(struct cow_group_state *s)
{
	cow_group_disarm(s);
	if (s->group->stop)
		s->group->stop();
	s->ended_ns = ktime_get_ns();
	end(s);
}

static void limit_reached(struct work_struct *work)
{
	struct cow_group_state *s = container_of(to_delayed_work(work), struct cow_group_state,
						 limit);

	mutex_lock(&groups_mutex);
	/* It may be another run by now, with more time to go. */
	if (s->live && s->until_ns && ktime_get_ns() >= s->until_ns) {
		s->limited = true;
		stop(s);
	}
	mutex_unlock(&groups_mutex);
}

static int set_enabled(struct cow_group_state *s, bool on)
{
	int err;

	if (on && s->group->prepare)
		s->group->prepare();
	mutex_lock(&groups_mutex);
	err = cow_group_look(s);
	if (!err && on && !s->live)
		err = start(s);
	else if (!err && !on && s->live)
		stop(s);
	mutex_unlock(&groups_mutex);
	return err;
}

static int enabled_show(struct seq_file *m, void *v)
{
	struct cow_group_state *s = m->private;

	seq_printf(m, "%d\n", READ_ONCE(s->live));
	return 0;
}

/* One value, as those of debugfs.c, but of one group. */
static ssize_t write_setting(struct file *file, const char __user *from, size_t count,
			     loff_t *ppos, const char *name, const char *accepts,
			     int (*store)(struct cow_group_state *s, const char *text))
{
	char *text = cow_setting_text(from, count, ppos);
	int err = PTR_ERR_OR_ZERO(text);

	if (!err) {
		err = store(((struct seq_file *)file->private_data)->private, text);
		kfree(text);
	}
	/* What else fails at a start writes its own line. */
	if (err == -EINVAL || err == -ERANGE || err == -ENOMEM)
		cow_setting_explain(name, accepts, err);
	if (err)
		return err;
	*ppos += count;
	return count;
}

static int enabled_store(struct cow_group_state *s, const char *text)
{
	if (strcmp(text, "0") && strcmp(text, "1"))
		return -EINVAL;
	return cow_as_told(set_enabled(s, text[0] == '1'));
}

static ssize_t enabled_write(struct file *file, const char __user *from, size_t count,
			     loff_t *ppos)
{
	return write_setting(file, from, count, ppos, "enabled", "0 or 1", enabled_store);
}

static int stats_show(struct seq_file *m, void *v)
{
	struct cow_group_state *s = m->private;
	unsigned int i;

	mutex_lock(&groups_mutex);
	seq_printf(m, "state %s\n", s->live ? "running" : "off");
	if (s->begun_ns)
		seq_printf(m, "ran_ns %llu\n",
			   (s->ended_ns ?: ktime_get_ns()) - s->begun_ns);
	seq_printf(m, "limited %d\n", s->limited);
	seq_printf(m, "seconds %u\n", s->seconds);
	if (s->group->event_size) {
		seq_printf(m, "events %u\n", READ_ONCE(s->log.seq));
		seq_printf(m, "dropped %llu\n", READ_ONCE(s->log.dropped));
	}
	if (s->group->show)
		s->group->show(m);
	for (i = 0; i < s->group->nr_probes; i++)
		if (s->probed[i].name)
			seq_printf(m, "probe %s hits %llu missed %llu\n", s->probed[i].name,
				   cow_group_hits(&s->probed[i]), cow_group_missed(&s->probed[i]));
	mutex_unlock(&groups_mutex);
	return 0;
}

static int probes_show(struct seq_file *m, void *v)
{
	struct cow_group_state *s = m->private;
	const char *why;
	unsigned int i;
	int err;

	mutex_lock(&groups_mutex);
	err = cow_group_look(s);
	if (err)
		goto unlock;
	why = missing(s);
	seq_printf(m, "group %s %s\n", s->group->name, s->group->sentence);
	seq_printf(m, "offered %s%s\n", why ? "no, this kernel has no " : "yes", why ?: "");
	for (i = 0; i < s->group->nr_probes; i++)
		seq_printf(m, "%s %s %s %s\n", s->probed[i].name ?: s->group->probes[i].names[0],
			   s->group->probes[i].leave ? "return" : "entry",
			   !s->probed[i].name ? "absent" : s->probed[i].armed ? "armed" : "off",
			   s->group->probes[i].sentence);
unlock:
	mutex_unlock(&groups_mutex);
	return err;
}

static int table_show(struct seq_file *m, void *v)
{
	struct cow_group_state *s = m->private;
	int err;

	mutex_lock(&groups_mutex);
	err = s->group->table(m);
	mutex_unlock(&groups_mutex);
	return err;
}

static int seconds_show(struct seq_file *m, void *v)
{
	struct cow_group_state *s = m->private;

	seq_printf(m, "%u\n", READ_ONCE(s->seconds));
	return 0;
}

static int seconds_store(struct cow_group_state *s, const char *text)
{
	unsigned int seconds;
	int err = kstrtouint(text, 10, &seconds);

	if (err)
		return err;
	if (seconds > SECONDS_MAX)
		return -ERANGE;
	WRITE_ONCE(s->seconds, seconds);
	return 0;
}

static ssize_t seconds_write(struct file *file, const char __user *from, size_t count,
			     loff_t *ppos)
{
	return write_setting(file, from, count, ppos, "seconds", "0 (no limit) to 86400",
			     seconds_store);
}

#define SHOWN(name, write_op)							\
static int name##_open(struct inode *inode, struct file *file)			\
{										\
	if (!cow_session_is_open())						\
		return -EAGAIN;							\
	return single_open(file, name##_show, inode->i_private);		\
}										\
										\
static const struct file_operations name##_fops = {				\
	.owner		= THIS_MODULE,						\
	.open		= name##_open,						\
	.read		= seq_read,						\
	.write		= write_op,						\
	.llseek		= seq_lseek,						\
	.release	= single_release,					\
}

SHOWN(enabled, enabled_write);
SHOWN(seconds, seconds_write);
SHOWN(stats, cow_refuse_write);
SHOWN(table, cow_refuse_write);
SHOWN(probes, cow_refuse_write);

static void release(struct cow_group_state *s)
{
	unsigned int i;

	if (!s)
		return;
	if (s->group->free)
		s->group->free();
	for (i = 0; s->probed && i < s->group->nr_probes; i++)
		free_percpu(s->probed[i].hits);
	vfree(s->log.events);
	kfree(s->probed);
	kfree(s);
}

static struct cow_group_state *allocate(const struct cow_group *g)
{
	struct cow_group_state *s = kzalloc(sizeof(*s), GFP_KERNEL);
	unsigned int i;

	if (!s)
		return NULL;
	s->group = g;
	s->seconds = g->seconds;
	INIT_DELAYED_WORK(&s->limit, limit_reached);
	raw_spin_lock_init(&s->log.lock);
	s->probed = kcalloc(g->nr_probes ?: 1, sizeof(*s->probed), GFP_KERNEL);
	if (!s->probed)
		goto fail;
	for (i = 0; i < g->nr_probes; i++) {
		s->probed[i].probe = &g->probes[i];
		s->probed[i].on = &s->armed;
		s->probed[i].hits = alloc_percpu(u64);
		if (!s->probed[i].hits)
			goto fail;
	}
	return s;
fail:
	release(s);
	return NULL;
}

static int __init create_files(struct cow_group_state *s, struct dentry *parent)
{
	const struct {
		const char	*name;
		umode_t		mode;
		const struct file_operations *fops;
		bool		wanted;
	} files[] = {
		{ "enabled", 0600, &enabled_fops, true },
		{ "seconds", 0600, &seconds_fops, true },
		{ "stats", 0400, &stats_fops, true },
		{ "probes", 0400, &probes_fops, true },
		{ "events", 0400, &cow_group_events_fops, s->group->event_size },
		{ "table", 0400, &table_fops, s->group->table },
	};
	struct dentry *dir = cow_create_dir(s->group->name, parent);
	int i, err = PTR_ERR_OR_ZERO(dir);

	for (i = 0; !err && i < ARRAY_SIZE(files); i++)
		if (files[i].wanted)
			err = PTR_ERR_OR_ZERO(cow_create_file(files[i].name, files[i].mode, dir, s,
							      files[i].fops));
	return err;
}

int __init cow_groups_init(struct dentry *dir)
{
	struct dentry *parent = cow_create_dir("groups", dir);
	const struct cow_group * const *g;
	int err = PTR_ERR_OR_ZERO(parent);

	for (g = cow_groups; !err && *g; g++) {
		if (WARN_ON_ONCE((*g)->event_size > COW_EVENT_MAX ||
				 (*g)->nr_probes > COW_GROUP_PROBES))
			return -EINVAL;
		*(*g)->state = allocate(*g);
		if (!*(*g)->state)
			return -ENOMEM;
		err = create_files(*(*g)->state, parent);
	}
	return err;
}

void cow_groups_exit(void)
{
	const struct cow_group * const *g;

	for (g = cow_groups; *g; g++) {
		struct cow_group_state *s = *(*g)->state;

		/* Nobody switches it on again: its files are gone. */
		if (s)
			cancel_delayed_work_sync(&s->limit);
		if (s && s->live)
			stop(s);
		release(s);
		*(*g)->state = NULL;
	}
}
