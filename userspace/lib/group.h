/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of the groups beside the core (khugepaged, ksm, files) in a trace: lines of
 * text, as the module printed them into groups/NAME/events, and its counts at the end.
 *
 * A line: "SECONDS.NANOSECONDS [CPU] WORD seq=N pid=N tgid=N key=value… comm=NAME".
 */
#ifndef COWTRACE_GROUP_H
#define COWTRACE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"
#include "state.h"

/**
 * struct ct_group_event - one event, valid during the call that shows it
 * @time_ns: CLOCK_MONOTONIC.
 * @cpu: where.
 * @seq: its number in the group, from 1.
 * @lost: events missing before it.
 * @pid: thread that did it.
 * @tgid: its process.
 * @comm: its name.
 * @word: what happened.
 * @fields: "key=value …", without those above.
 */
struct ct_group_event {
	uint64_t	time_ns;
	uint32_t	cpu;
	uint32_t	seq;
	uint64_t	lost;
	uint32_t	pid;
	uint32_t	tgid;
	const char	*comm;
	const char	*word;
	const char	*fields;
};

/* Is shown an event. Return: 0 to go on; anything else ends the walk. */
typedef int ct_group_fn(void *arg, const struct ct_group_event *event);

/**
 * struct ct_group_info - what a trace has of a group
 * @there: the group was switched on for it.
 * @events: that can be read.
 * @lost: missing in their numbers, up to the last that the module counted.
 * @bad: lines that are no events.
 */
struct ct_group_info {
	bool		there;
	uint64_t	events;
	uint64_t	lost;
	uint64_t	bad;
};

/* Was a group switched on for a trace? What each of its events says is not looked at. */
bool ct_group_there(struct ct_reader *reader, const struct ct_state *state, const char *name);

/**
 * ct_group_walk() - show all events of a group, in the order of their numbers
 * @reader: the trace.
 * @name: of the group.
 * @info: filled in.
 * @fn: is shown each.
 * @arg: for @fn.
 * Return: 0, what @fn returned, or -ENOMEM.
 */
int ct_group_walk(struct ct_reader *reader, const char *name, struct ct_group_info *info,
		  ct_group_fn *fn, void *arg);

/**
 * ct_group_number() - a field that is a number
 * @event: the event.
 * @key: name of the field.
 * @value: filled in; negative numbers as two's complement.
 * Return: false when the event has none, or the kernel could not tell ("-").
 */
bool ct_group_number(const struct ct_group_event *event, const char *key, uint64_t *value);

/**
 * ct_group_text() - a field as text
 * @event: the event.
 * @key: name of the field.
 * @buf: receives it.
 * @size: bytes of @buf.
 * Return: false when the event has none, or it does not fit.
 */
bool ct_group_text(const struct ct_group_event *event, const char *key, char *buf, size_t size);

/* A count of groups/NAME/stats at the end of the trace. Return: whether there is one. */
bool ct_group_stat(const struct ct_state *state, const char *name, const char *count,
		   uint64_t *value);

#endif /* COWTRACE_GROUP_H */
