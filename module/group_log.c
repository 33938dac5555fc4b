// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "debugfs.h"
#include "group_parts.h"
#include "lines.h"
#include "session.h"

static void *place(struct cow_group_state *s, u64 number)
{
	return s->log.events + (number & (s->group->log_events - 1)) * s->group->event_size;
}

int cow_group_log_reset(struct cow_group_state *s)
{
	struct cow_group_log *log = &s->log;
	unsigned long flags;

	if (!s->group->event_size)
		return 0;
	if (!log->events) {
		log->events = vzalloc(array_size(s->group->log_events, s->group->event_size));
		if (!log->events)
			return -ENOMEM;
	}
	raw_spin_lock_irqsave(&log->lock, flags);
	log->head = 0;
	log->tail = 0;
	WRITE_ONCE(log->seq, 0);
	WRITE_ONCE(log->dropped, 0);
	raw_spin_unlock_irqrestore(&log->lock, flags);
	return 0;
}

void cow_group_event(const struct cow_group *group, struct cow_event *event)
{
	struct cow_group_state *s = *group->state;
	struct cow_group_log *log = &s->log;
	unsigned long flags;

	event->cpu = raw_smp_processor_id();
	event->pid = current->pid;
	event->tgid = current->tgid;
	/* Another task may rename this one at any time. */
	data_race(memcpy(event->comm, current->comm, sizeof(event->comm)));
	raw_spin_lock_irqsave(&log->lock, flags);
	/* Inside, so that the order of the numbers is that of the times. */
	event->time_ns = ktime_get_mono_fast_ns();
	event->seq = log->seq + 1;
	WRITE_ONCE(log->seq, event->seq);
	if (log->head - log->tail < group->log_events) {
		memcpy(place(s, log->head), event, group->event_size);
		log->head++;
	} else {
		WRITE_ONCE(log->dropped, log->dropped + 1);
	}
	raw_spin_unlock_irqrestore(&log->lock, flags);
}

static bool take(struct cow_group_state *s, void *event)
{
	unsigned long flags;
	bool any;

	if (!s->log.events)
		return false;
	raw_spin_lock_irqsave(&s->log.lock, flags);
	any = s->log.head != s->log.tail;
	if (any)
		memcpy(event, place(s, s->log.tail++), s->group->event_size);
	raw_spin_unlock_irqrestore(&s->log.lock, flags);
	return any;
}

/**
 * struct text - an open file of events
 * @lines: what was read of it.
 * @state: of the group.
 * @event: the one being printed.
 * @body: its own part of the line.
 */
struct text {
	struct cow_lines	lines;
	struct cow_group_state	*state;
	u64			event[COW_EVENT_MAX / sizeof(u64)];
	char			body[COW_LINE_MAX / 2];
};

void cow_group_word(char *to, const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < size && name[i]; i++)
		to[i] = isgraph(name[i]) ? name[i] : '?';
	to[i] = '\0';
}

/* "SECONDS.NANOSECONDS [CPU] WORD seq=N pid=N tgid=N key=value… comm=NAME" */
static size_t print_line(struct text *t, char *line, size_t size)
{
	const struct cow_event *e = (const void *)t->event;
	u32 ns = e->time_ns % NSEC_PER_SEC;
	char comm[sizeof(e->comm)];
	size_t n;
	int word;

	n = t->state->group->print(t->body, sizeof(t->body), e);
	t->body[min(n, sizeof(t->body) - 1)] = '\0';
	word = strcspn(t->body, " ");
	cow_lines_comm(comm, e->comm);
	return scnprintf(line, size, "%llu.%09u [%03u] %.*s seq=%u pid=%u tgid=%u%s comm=%s\n",
			 e->time_ns / NSEC_PER_SEC, ns, e->cpu, word, t->body, e->seq, e->pid,
			 e->tgid, t->body + word, comm);
}

static int next_line(struct cow_lines *lines)
{
	struct text *t = container_of(lines, struct text, lines);
	/* First: what is logged before the end must be read. */
	bool live = smp_load_acquire(&t->state->live);

	if (!take(t->state, t->event))
		return live ? -EAGAIN : 0;
	lines->len = print_line(t, lines->line, sizeof(lines->line));
	return 1;
}

static int events_open(struct inode *inode, struct file *file)
{
	struct cow_group_state *s = inode->i_private;
	struct text *t;

	if (!cow_session_is_open())
		return -EAGAIN;
	if (atomic_cmpxchg(&s->readers, 0, 1))
		return -EBUSY;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		atomic_set(&s->readers, 0);
		return -ENOMEM;
	}
	cow_lines_init(&t->lines, next_line);
	t->state = s;
	file->private_data = &t->lines;
	return stream_open(inode, file);
}

static int events_release(struct inode *inode, struct file *file)
{
	struct text *t = container_of(file->private_data, struct text, lines);

	atomic_set(&t->state->readers, 0);
	kfree(t);
	return 0;
}

const struct file_operations cow_group_events_fops = {
	.owner		= THIS_MODULE,
	.open		= events_open,
	.read		= cow_lines_read,
	.write		= cow_refuse_write,
	.release	= events_release,
};
