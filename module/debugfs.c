// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "count.h"
#include "counters.h"
#include "debugfs.h"
#include "events.h"
#include "filter.h"
#include "policies.h"
#include "register.h"
#include "ring.h"
#include "schema.h"
#include "session.h"
#include "stats.h"

/* The longest that any setting takes, names of all reasons included. */
#define VALUE_MAX	256

/**
 * struct result - a file that is only read
 * @name: of the file.
 * @show: print it.
 * @check: provoke a fault first, to see whether the probes still work.
 */
struct result {
	const char	*name;
	int		(*show)(struct seq_file *m, void *v);
	bool		check;
};

static int enabled_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", cow_session_running());
	return 0;
}

static int enabled_store(const char *text)
{
	if (strcmp(text, "0") && strcmp(text, "1"))
		return -EINVAL;
	return cow_session_enable(text[0] == '1');
}

/* Root may open it for reading in spite of its mode: there is nothing to read. */
static int reset_show(struct seq_file *m, void *v)
{
	return 0;
}

static int reset_store(const char *text)
{
	return strcmp(text, "1") ? -EINVAL : cow_session_reset();
}

static int buffer_kb_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", cow_session_buffer_kb());
	return 0;
}

static int buffer_kb_store(const char *text)
{
	unsigned int kb;
	int err = kstrtouint(text, 10, &kb);

	return err ?: cow_session_set_buffer_kb(kb);
}

static u32 sample_every = 1;

static int sample_every_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", READ_ONCE(sample_every));
	return 0;
}

static int sample_every_store(const char *text)
{
	u32 n;
	int err = kstrtou32(text, 10, &n);

	if (err)
		return err;
	if (!n)
		return -EINVAL;
	WRITE_ONCE(sample_every, n);
	/* Of 1: U64_MAX. */
	WRITE_ONCE(cow_hot.sample_below, div64_u64(U64_MAX, n));
	return 0;
}

static const char * const witness_modes[] = {
	[COW_WITNESS_AUTO]	= "auto",
	[COW_WITNESS_ON]	= "on",
	[COW_WITNESS_OFF]	= "off",
};

static int witness_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s\n", witness_modes[cow_session_witness()]);
	return 0;
}

static int witness_store(const char *text)
{
	int mode = match_string(witness_modes, ARRAY_SIZE(witness_modes), text);

	return mode < 0 ? mode : cow_session_set_witness(mode);
}

static const char * const modes[] = { "records", "counts" };

static int mode_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s\n", modes[!!(cow_counting() & COW_COUNTING)]);
	return 0;
}

static int mode_store(const char *text)
{
	int mode = match_string(modes, ARRAY_SIZE(modes), text);

	return mode < 0 ? mode : cow_session_set_counting(COW_COUNTING, mode);
}

#define COUNT_SETTING(name, what)					\
static int name##_show(struct seq_file *m, void *v)			\
{									\
	seq_printf(m, "%d\n", !!(cow_counting() & (what)));		\
	return 0;							\
}									\
									\
static int name##_store(const char *text)				\
{									\
	if (strcmp(text, "0") && strcmp(text, "1"))			\
		return -EINVAL;						\
	return cow_session_set_counting(what, text[0] == '1');		\
}

COUNT_SETTING(durations, COW_COUNT_DURATIONS)
COUNT_SETTING(processes, COW_COUNT_PROCESSES)

static int policies_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", static_key_enabled(&cow_policies_on));
	return 0;
}

static int policies_store(const char *text)
{
	if (strcmp(text, "0") && strcmp(text, "1"))
		return -EINVAL;
	return cow_session_set_policies(text[0] == '1');
}

static const struct cow_setting settings[] = {
	{ "enabled", 0600, "0 or 1", enabled_show, enabled_store },
	{ "reset", 0200, "1", reset_show, reset_store },
	{ "buffer_kb", 0600, "a power of two from 64 to 65536", buffer_kb_show, buffer_kb_store },
	{ "sample_every", 0600, "1 to 4294967295", sample_every_show, sample_every_store },
	{ "witness", 0600, "auto, on or off", witness_show, witness_store },
	{ "mode", 0600, "records or counts", mode_show, mode_store },
	{ "durations", 0600, "0 or 1", durations_show, durations_store },
	{ "processes", 0600, "0 or 1", processes_show, processes_store },
	{ "policies", 0600, "0 or 1", policies_show, policies_store },
};

static const struct result results[] = {
	{ "schema", cow_schema_show, false },
	{ "stats", cow_stats_show, false },
	{ "counts", cow_counts_show, false },
	{ "lost", cow_lost_show, true },
	{ "probes", cow_session_probes_show, true },
};

/* A refused value gets a line that helps; a failed start wrote its own. */
void cow_setting_explain(const char *name, const char *accepts, int err)
{
	if (err == -EINVAL || err == -ERANGE)
		pr_warn_ratelimited("%s accepts %s\n", name, accepts);
	else if (err == -EBUSY)
		pr_warn_ratelimited("%s cannot be changed now: write 0 to enabled, disable the tracepoint, and close the files cpuN first\n",
				    name);
	else if (err == -ESRCH)
		pr_warn_ratelimited("%s: no such process; it accepts %s\n", name, accepts);
	else if (err == -E2BIG)
		pr_warn_ratelimited("%s: 64 were added already; write any to clear\n", name);
	else
		pr_warn_ratelimited("%s: not done, error %d\n", name, err);
}

char *cow_setting_text(const char __user *from, size_t count, const loff_t *ppos)
{
	char *text, *trimmed;

	if (*ppos || count > VALUE_MAX)
		return ERR_PTR(-EINVAL);
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return text;
	/* A NUL inside would hide the rest. */
	if (strlen(text) != count) {
		kfree(text);
		return ERR_PTR(-EINVAL);
	}
	trimmed = strim(text);
	memmove(text, trimmed, strlen(trimmed) + 1);
	return text;
}

static int setting_open(struct inode *inode, struct file *file)
{
	const struct cow_setting *s = inode->i_private;

	if (!cow_session_is_open())
		return -EAGAIN;
	return single_open(file, s->show, (void *)s);
}

ssize_t cow_refuse_write(struct file *file, const char __user *from, size_t count, loff_t *ppos)
{
	pr_warn_ratelimited("%pd is only read; settings are enabled, reset, mode, buffer_kb, sample_every, witness, durations, processes, policies and filter/*\n",
			    file->f_path.dentry);
	return -EINVAL;
}

static ssize_t setting_write(struct file *file, const char __user *from, size_t count,
			     loff_t *ppos)
{
	const struct cow_setting *s = ((struct seq_file *)file->private_data)->private;
	char *text = cow_setting_text(from, count, ppos);
	int err = PTR_ERR_OR_ZERO(text);

	if (!err) {
		err = s->store(text);
		kfree(text);
	}
	if (err) {
		cow_setting_explain(s->name, s->accepts, err);
		return err;
	}
	*ppos += count;
	return count;
}

static const struct file_operations setting_fops = {
	.owner		= THIS_MODULE,
	.open		= setting_open,
	.read		= seq_read,
	.write		= setting_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int result_open(struct inode *inode, struct file *file)
{
	const struct result *r = inode->i_private;

	if (!cow_session_is_open())
		return -EAGAIN;
	if (r->check)
		cow_session_check();
	return single_open(file, r->show, NULL);
}

static const struct file_operations result_fops = {
	.owner		= THIS_MODULE,
	.open		= result_open,
	.read		= seq_read,
	.write		= cow_refuse_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init create_setting(const struct cow_setting *s, struct dentry *dir)
{
	return PTR_ERR_OR_ZERO(cow_create_file(s->name, s->mode, dir, (void *)s, &setting_fops));
}

static int __init create_result(const struct result *r, struct dentry *dir)
{
	return PTR_ERR_OR_ZERO(cow_create_file(r->name, 0400, dir, (void *)r, &result_fops));
}

int __init cow_debugfs_init(struct dentry *dir)
{
	struct dentry *filters = cow_create_dir("filter", dir);
	int i, err = PTR_ERR_OR_ZERO(filters);

	for (i = 0; !err && i < ARRAY_SIZE(settings); i++)
		err = create_setting(&settings[i], dir);
	for (i = 0; !err && i < cow_nr_filter_settings; i++)
		err = create_setting(&cow_filter_settings[i], filters);
	for (i = 0; !err && i < ARRAY_SIZE(results); i++)
		err = create_result(&results[i], dir);
	return err ?: PTR_ERR_OR_ZERO(cow_create_file("events", 0400, dir, NULL,
						      &cow_events_fops));
}
