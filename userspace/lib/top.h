/* SPDX-License-Identifier: GPL-2.0 */
/* What happened between two looks at what the module counts: who, why, how much. */
#ifndef COWTRACE_TOP_H
#define COWTRACE_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "count.h"
#include "counts.h"

/* What rows can be ordered by, all of the interval but the last. X(id, name) */
#define CT_TOP_KEYS(X)		\
	X(COPIES, "copies")	\
	X(FAULTS, "faults")	\
	X(REUSES, "reuses")	\
	X(SPLITS, "splits")	\
	X(BYTES, "copied")	\
	X(TIME, "time")		\
	X(TOTAL, "total")

#define CT_TOP_KEY_ENUM_(id, name)	CT_TOP_##id,
enum ct_top_key { CT_TOP_KEYS(CT_TOP_KEY_ENUM_) CT_TOP_NR_KEYS };

/**
 * struct ct_top_row - a process, or an outcome with its reason
 * @tgid: number of the process.
 * @comm: its name, clean.
 * @at_least: a part of its faults may stand in struct ct_top.others.
 * @outcome: enum cowtrace_outcome of what is no process.
 * @reason: enum cowtrace_reason, likewise.
 * @now: its faults in the interval.
 * @total: all that the module has counted of it.
 *
 * copy_ns is 0 in the counts of a process.
 */
struct ct_top_row {
	uint32_t	tgid;
	char		comm[COWTRACE_COMM_LEN];
	bool		at_least;
	uint8_t		outcome;
	uint8_t		reason;
	struct ct_count	now;
	struct ct_count	total;
};

/**
 * struct ct_top - one interval
 * @elapsed_ns: how long it was; 0 where there is no look before, and then @now is @total.
 * @reset: the counters went back: @now is what was counted since.
 * @timed: durations were taken, else every ns is 0 and means nothing.
 * @by_process: processes are told apart, else there are none.
 * @sum: of all patterns.
 * @patterns: those of which the module has counted any.
 * @nr_patterns: number of them.
 * @processes: those that have a line of their own.
 * @nr_processes: number of them.
 * @others: processes that had to make room; with them all add up.
 */
struct ct_top {
	uint64_t	elapsed_ns;
	bool		reset;
	bool		timed;
	bool		by_process;
	struct ct_top_row sum;
	struct ct_top_row *patterns;
	size_t		nr_patterns;
	struct ct_top_row *processes;
	size_t		nr_processes;
	struct ct_top_row others;
};

/**
 * ct_top_between() - what happened between two looks
 * @top: filled in, let go of by ct_top_clear(); rows in the order of @now.
 * @before: the first look, NULL for none.
 * @now: the second.
 * @elapsed_ns: between them.
 * Return: 0 or -ENOMEM, with nothing to let go of.
 */
int ct_top_between(struct ct_top *top, const struct ct_counts *before,
		   const struct ct_counts *now, uint64_t elapsed_ns);

void ct_top_clear(struct ct_top *top);

/**
 * ct_top_sort() - order the rows
 * @top: whose.
 * @key: the most of it comes first; rows that have as much go by their totals.
 * @reverse: the least comes first.
 */
void ct_top_sort(struct ct_top *top, enum ct_top_key key, bool reverse);

/**
 * ct_top_keep() - leave out processes that nobody asked for
 * @top: whose; the sums stay.
 * @wanted: a process of this number, or with this in its name; "" for all.
 */
void ct_top_keep(struct ct_top *top, const char *wanted);

/* The key's name, and the key of a name: -1 for none. */
const char *ct_top_key_name(enum ct_top_key key);
int ct_top_key_named(const char *name);

/* @n of an interval, a second; 0 where the interval has no length. */
double ct_top_rate(const struct ct_top *top, uint64_t n);

#endif /* COWTRACE_TOP_H */
