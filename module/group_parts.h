/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the frame of groups share. */
#ifndef COW_GROUP_PARTS_H
#define COW_GROUP_PARTS_H

#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "group.h"

/* Bytes of the record of an event, at most. */
#define COW_EVENT_MAX	192

/**
 * struct cow_group_probed - a function that a group looks at
 * @rp: armed for a return; its kprobe alone for an entry.
 * @probe: what is called.
 * @name: of the function on this kernel, NULL when it has none that can be probed.
 * @hits: calls seen since the group was last switched on, a number a CPU.
 * @missed: calls not seen in the last run that is over.
 * @armed: it is.
 * @on: of the group: all that is armed with this is armed.
 */
struct cow_group_probed {
	struct kretprobe		rp;
	const struct cow_group_probe	*probe;
	const char			*name;
	u64 __percpu			*hits;
	u64				missed;
	bool				armed;
	const bool			*on;
};

/**
 * struct cow_group_log - events on their way out
 * @lock: of all that follows.
 * @events: room for @size records, NULL until the group was first switched on.
 * @head: records written since then.
 * @tail: records read since then.
 * @seq: number of the last event.
 * @dropped: events for which there was no room.
 */
struct cow_group_log {
	raw_spinlock_t	lock;	/* of the log */
	void		*events;
	u64		head;
	u64		tail;
	u32		seq;
	u64		dropped;
};

/**
 * struct cow_group_state - what the frame keeps of a group
 * @group: the group.
 * @probed: its functions, in the order of its probes.
 * @looked: the functions were looked for.
 * @live: it is on.
 * @armed: all its probes are armed: before and after, some would see what others miss.
 * @seconds: after which it switches itself off, 0 for never; taken at the next start.
 * @begun_ns: CLOCK_MONOTONIC when it was last switched on.
 * @ended_ns: when it was last switched off, 0 while it is on.
 * @until_ns: when it is to be switched off, 0 for never.
 * @limited: it was the limit that switched it off.
 * @limit: does that.
 * @readers: whether the events are open.
 * @log: its events.
 */
struct cow_group_state {
	const struct cow_group	*group;
	struct cow_group_probed	*probed;
	bool			looked;
	bool			live;
	bool			armed;
	unsigned int		seconds;
	u64			begun_ns;
	u64			ended_ns;
	u64			until_ns;
	bool			limited;
	struct delayed_work	limit;
	atomic_t		readers;
	struct cow_group_log	log;
};

/* --- group_probe.c: the functions of a group ------------------------------------- */

/* Find the functions on this kernel. Return: 0 or -ENOMEM. */
int cow_group_look(struct cow_group_state *s);

/* Arm all that exist. Return: 0 or a negative errno, with nothing left armed. */
int cow_group_arm(struct cow_group_state *s);

/* Disarm them; no handler runs any more when this returns. */
void cow_group_disarm(struct cow_group_state *s);

u64 cow_group_hits(const struct cow_group_probed *p);
u64 cow_group_missed(const struct cow_group_probed *p);

/*
 * Do kprobes work at all? They can be registered where they are disarmed.
 * Return: 0; -ENODATA when they see nothing; -EIO when one cannot be armed, or could not be
 * disarmed once; or another negative errno when that cannot be found out.
 */
int cow_group_sighted(void);

/* --- group_log.c: the events of a group --------------------------------------------- */

/* Empty the log and number from 1 again. Return: 0 or -ENOMEM. */
int cow_group_log_reset(struct cow_group_state *s);

extern const struct file_operations cow_group_events_fops;

#endif /* COW_GROUP_PARTS_H */
