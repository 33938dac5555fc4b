/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the format perfetto share. */
#ifndef COWTRACE_EXPORT_PERFETTO_PARTS_H
#define COWTRACE_EXPORT_PERFETTO_PARTS_H

#include "columns.h"
#include "export.h"
#include "map.h"
#include "perfetto.h"
#include "process.h"

/**
 * struct px_meter - copied bytes, until now
 * @track: their sum.
 * @rate: track of bytes a second, 0 for none.
 * @slot: interval of the last copy.
 * @in_slot: bytes in it.
 * @sum: all.
 */
struct px_meter {
	uint64_t	track;
	uint64_t	rate;
	uint64_t	slot;
	uint64_t	in_slot;
	uint64_t	sum;
};

/**
 * struct px_owner - a process that has a track
 * @track: the track.
 * @tgid: its number.
 * @copied: by it.
 */
struct px_owner {
	uint64_t	track;
	uint32_t	tgid;
	struct px_meter	copied;
};

/**
 * struct px_thread - a thread that has a track
 * @track: the track.
 * @end: of the last slice on it. Slices on a track nest or follow each other, and
 *	ktime_get_mono_fast_ns() goes back a little when the clock is set right: what
 *	begins before the one before it has ended is drawn from there on.
 */
struct px_thread {
	uint64_t	track;
	uint64_t	end;
};

/**
 * struct px_arg - a field as an argument of a slice
 * @key: number of the string that it is called, 0 for a field that the slice shows.
 * @value: that it has in the fault that is drawn.
 * @string: number of the string that this is, 0 for none.
 */
struct px_arg {
	uint64_t	key;
	uint64_t	value;
	uint64_t	string;
};

/**
 * struct px - a trace that is drawn
 * @p: what is written.
 * @export: the trace.
 * @columns: its fields; those that the slice itself shows are no arguments.
 * @args: of the fault that is drawn, by column.
 * @bytes_key: the argument bytes_copied.
 * @decision_key: the argument decision.
 * @processes: of the trace.
 * @owners: processes that have a track.
 * @nr_owners: number of them.
 * @owner_of: their places, by number in @processes and tgid.
 * @thread_of: places in @threads, by owner and pid.
 * @threads: threads that have a track.
 * @nr_threads: number of them.
 * @copied: by all.
 * @lost: track of what is missing.
 */
struct px {
	struct ct_perfetto p;
	struct ct_export *export;
	struct ct_columns *columns;
	struct px_arg	*args;
	uint64_t	bytes_key;
	uint64_t	decision_key;
	struct ct_processes *processes;
	struct px_owner	*owners;
	size_t		nr_owners;
	struct ct_map	owner_of;
	struct ct_map	thread_of;
	struct px_thread *threads;
	size_t		nr_threads;
	struct px_meter	copied;
	uint64_t	lost;
};

/**
 * px_owner() - the track of a process, described when it is first asked for
 * @x: the trace.
 * @process: number in the table of processes, CT_MAP_NONE if it is not there.
 * @tgid: process number.
 * @time: when, for its name.
 * @comm: name of its first thread, clean, NULL if not known.
 * Return: until the next call; NULL without memory.
 */
struct px_owner *px_owner(struct px *x, uint32_t process, uint32_t tgid, uint64_t time,
			  const char *comm);

/* The same of a thread of it. */
struct px_thread *px_thread(struct px *x, const struct px_owner *owner, uint32_t pid,
			    const char *comm);

/* Add a fault to the counters. */
void px_count(struct px *x, struct px_owner *owner, const struct cowtrace_record *record);

/* Write what the counters still have. */
void px_count_end(struct px *x);

/* Draw what is no fault: forks, calls of exec, events of groups. Return: 0 or -ENOMEM. */
int px_beside(struct px *x);

/* Draw what is missing: before a record, and at the end what the module tells of. */
void px_lost(struct px *x, const struct ct_event *event);
void px_lost_end(struct px *x, uint64_t time);

/* An instant with a number. */
void px_note(struct px *x, uint64_t time, uint64_t track, const char *name, const char *key,
	     uint64_t value);

#endif /* COWTRACE_EXPORT_PERFETTO_PARTS_H */
