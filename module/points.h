/* SPDX-License-Identifier: GPL-2.0 */
/*
 * points: which kernel functions are probed, and what happens at each, whatever
 * the backend. Pipeline of a fault: enter -> filter -> sample, then at the
 * return: sample -> classify -> filter -> count -> ring, events, tracepoint.
 */
#ifndef COW_POINTS_H
#define COW_POINTS_H

#include <linux/types.h>

#include "sample.h"

/* Overridden by tests that need a symbol that is missing or blacklisted. */
#ifndef COW_SYMBOL_WP
#define COW_SYMBOL_WP	"do_wp_page"
#endif

/**
 * struct cow_args - what a backend found at the entry of a probed function
 * @arg0: first argument.
 * @arg1: second argument.
 * @ret_ip: return address, or that of another tool's return probe, which at the
 *	exit has put the right one back.
 */
struct cow_args {
	unsigned long	arg0;
	unsigned long	arg1;
	unsigned long	ret_ip;
};

/**
 * struct cow_point - one probed function
 * @symbol: its name.
 * @sentence: what it is probed for.
 * @enter: for a pair: at entry; returns 0 when @leave is wanted.
 * @leave: for a pair: at exit, with the return value and the return address.
 *	NULL for entry only.
 * @hit: for entry only: at entry.
 * @hits: calls that the probe saw, over all CPUs.
 */
struct cow_point {
	const char	*symbol;
	const char	*sentence;
	int		(*enter)(struct cow_entry *e, const struct cow_args *args);
	void		(*leave)(struct cow_entry *e, unsigned long ret, unsigned long ret_ip);
	void		(*hit)(const struct cow_args *args);
	u64		(*hits)(void);
};

/**
 * enum cow_point_id - index into cow_points
 * @COW_POINT_WP: do_wp_page().
 * @COW_POINT_WITNESS: ptep_clear_flush(), called by do_wp_page() to map a copy.
 * @COW_NR_POINTS: how many there are.
 */
enum cow_point_id {
	COW_POINT_WP,
	COW_POINT_WITNESS,
	COW_NR_POINTS,
};

extern const struct cow_point cow_points[COW_NR_POINTS];

/**
 * struct cow_backend - one way to attach to functions
 * @name: as in the module parameter.
 * @missing: NULL, or the sentence why this kernel does not have it.
 * @attach: arm @point; 0 or a negative errno, with nothing left behind.
 * @detach: disarm it; no handler of it runs any more when this returns.
 * @missed_entry: calls missed because no storage was free, since attach.
 * @missed_nested: calls missed because the CPU was inside another probe.
 */
struct cow_backend {
	const char	*name;
	const char	*missing;
	int		(*attach)(enum cow_point_id point);
	void		(*detach)(enum cow_point_id point);
	u64		(*missed_entry)(enum cow_point_id point);
	u64		(*missed_nested)(enum cow_point_id point);
};

extern const struct cow_backend cow_kretprobe;
extern const struct cow_backend cow_fprobe;

/*
 * Calls of do_wp_page() that may sleep at the same time (userfaultfd holds
 * them as long as it likes): return probes keep storage for each.
 */
extern unsigned int cow_maxactive;

#endif /* COW_POINTS_H */
