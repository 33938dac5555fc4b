/* SPDX-License-Identifier: GPL-2.0 */
/*
 * group: what stands next to do_wp_page(). Each group of events has a directory of
 * its own below debugfs, with a switch that is off until somebody turns it on. While
 * it is off nothing of it is probed, and the faults of the core know nothing of it.
 *
 * Files of a group: enabled (0 or 1), seconds (after which it switches itself off; 0 for
 * never), stats (name and value a line), events (one line of text an event, for one
 * reader; a group that only counts has none), table (of a group that has one), probes.
 */
#ifndef COW_GROUP_H
#define COW_GROUP_H

#include <linux/kprobes.h>
#include <linux/types.h>

struct dentry;
struct pt_regs;
struct seq_file;

/**
 * struct cow_event - what the record of each event begins with
 * @time_ns: CLOCK_MONOTONIC when it was written.
 * @seq: its number in the group, from 1; lost ones are counted, so that a gap shows.
 * @cpu: where.
 * @type: of the group's own.
 * @pid: thread that did it, in the initial namespace.
 * @tgid: its process.
 * @comm: its name.
 */
struct cow_event {
	u64	time_ns;
	u32	seq;
	u16	cpu;
	u16	type;
	u32	pid;
	u32	tgid;
	char	comm[16];
};

/**
 * struct cow_group_probe - a function of the kernel that a group looks at
 * @names: the newest name first; the first that can be probed is.
 * @sentence: what it is probed for.
 * @required: without it the group is not offered on this kernel.
 * @hit: at entry. NULL where @leave is given.
 * @enter: at entry of a function of which the return is looked at too; @data is its own
 *	for the duration of the call. Return: whether @leave is wanted. NULL for always.
 * @leave: at its return.
 * @data_size: bytes of @data.
 *
 * Context: preemption off; must not sleep and must not fault.
 */
struct cow_group_probe {
	const char	*names[4];
	const char	*sentence;
	bool		required;
	void		(*hit)(struct pt_regs *regs);
	bool		(*enter)(void *data, struct pt_regs *regs);
	void		(*leave)(void *data, struct pt_regs *regs);
	size_t		data_size;
};

#define COW_GROUP_PROBES	32

struct cow_group_state;

/**
 * struct cow_group - a group of events
 * @name: its directory.
 * @sentence: what it shows.
 * @missing: NULL, or says why this kernel cannot have it, NULL if it can.
 * @probes: functions that it looks at.
 * @nr_probes: number of them, at most COW_GROUP_PROBES.
 * @prepare: NULL, or called before @start without a lock, which readers of this group's
 *	files hold beside those of their own: for what reads files itself.
 * @start: NULL, or called before the probes are armed; 0 or a negative errno.
 * @stop: NULL, or called after they are disarmed: no handler of @start's is to
 *	run any more when it returns.
 * @clear: set the counts to 0; called before each start, with nothing running.
 * @show: print the counts, "name value" a line.
 * @table: NULL, or print what does not fit into that form. 0 or a negative errno.
 * @seconds: after which it switches itself off unless told otherwise; 0 for never.
 * @free: NULL, or free what @start allocated; called once, with nothing running.
 * @event_size: bytes of the record of an event, 0 for a group that only counts.
 * @log_events: how many fit into its log, a power of two.
 * @print: an event as "word key=value…", without newline. Return: bytes printed.
 * @state: where the frame keeps what is its own.
 */
struct cow_group {
	const char			*name;
	const char			*sentence;
	const char			*(*missing)(void);
	const struct cow_group_probe	*probes;
	unsigned int			nr_probes;
	void				(*prepare)(void);
	int				(*start)(void);
	void				(*stop)(void);
	void				(*clear)(void);
	void				(*show)(struct seq_file *m);
	int				(*table)(struct seq_file *m);
	unsigned int			seconds;
	void				(*free)(void);
	size_t				event_size;
	unsigned int			log_events;
	size_t				(*print)(char *buf, size_t size, const void *event);
	struct cow_group_state		**state;
};

/**
 * cow_group_event() - put an event into the log of its group
 * @group: the group.
 * @event: its record, which begins with a struct cow_event: all of that but its type
 *	is filled in. When the log is full the event is lost, and counted.
 *
 * Context: any but NMI.
 */
void cow_group_event(const struct cow_group *group, struct cow_event *event);

/**
 * cow_group_word() - what a task or a file calls itself, as one word of a line
 * @to: receives it, at most @size bytes and a NUL.
 * @name: as it likes, with a NUL if it is shorter than @size.
 * @size: of @name.
 */
void cow_group_word(char *to, const char *name, size_t size);

/* Does the kernel have one of a probe's functions, so that it is armed with the group? */
bool cow_group_has(const struct cow_group *group, unsigned int probe);

/**
 * cow_groups_init() - make the files of all groups
 * @dir: the module's directory.
 * Return: 0 or -ENOMEM. A group that this kernel cannot have is there, and refuses to start.
 */
int __init cow_groups_init(struct dentry *dir);

/* Switch all groups off and free them; their files vanish with the module's directory. */
void cow_groups_exit(void);

#endif /* COW_GROUP_H */
