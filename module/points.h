/* SPDX-License-Identifier: GPL-2.0 */
/*
 * points: which kernel functions are probed, and what happens at each, whatever
 * the backend. Pipeline of a fault: enter -> filter -> sample, then at the
 * return: sample -> classify -> filter -> count -> ring, events, tracepoint.
 */
#ifndef COW_POINTS_H
#define COW_POINTS_H

#include <linux/types.h>
#include <cowtrace/vocab.h>

#include "sample.h"
#include "symbols.h"

/**
 * struct cow_point - one probed function
 * @symbol: the function.
 * @sentence: what it is probed for.
 * @path: the path whose faults it shows or testifies on.
 * @silence: of a witness: that it saw nothing is evidence too.
 * @enter: for a pair, which is one of entry and exit: at entry, with the registers
 *	there and the address of the function; returns 0 when cow_leave() is wanted.
 *	NULL for a witness.
 * @hit: for a witness: at entry, likewise.
 * @hits: calls that the probe saw, over all CPUs.
 */
struct cow_point {
	enum cow_symbol		symbol;
	const char		*sentence;
	enum cowtrace_path	path;
	bool			silence;
	int			(*enter)(struct cow_entry *e, const struct pt_regs *regs,
					 unsigned long ip);
	void			(*hit)(const struct pt_regs *regs, unsigned long ip);
	u64			(*hits)(void);
};

/**
 * enum cow_point_id - index into cow_points
 * @COW_POINT_WP: each fault of one PTE.
 * @COW_POINT_PMD: each fault of a huge PMD.
 * @COW_POINT_HUGETLB: each fault of a hugetlb page.
 * @COW_POINT_WP_COPY: witness: the copy of a page being mapped.
 * @COW_POINT_WP_REUSE: witness: a page being reused.
 * @COW_POINT_PMD_REUSE: witness: a huge page being reused.
 * @COW_POINT_PMD_COPY: witness: the copy of the huge zero page being mapped.
 * @COW_POINT_HUGETLB_COPY: witness: the copy of a hugetlb page being mapped.
 * @COW_NR_POINTS: how many there are.
 */
enum cow_point_id {
	COW_POINT_WP,
	COW_POINT_PMD,
	COW_POINT_HUGETLB,
	COW_POINT_WP_COPY,
	COW_POINT_WP_REUSE,
	COW_POINT_PMD_REUSE,
	COW_POINT_PMD_COPY,
	COW_POINT_HUGETLB_COPY,
	COW_NR_POINTS,
};

extern const struct cow_point cow_points[COW_NR_POINTS];

/* The handler of COW_POINT_WP, for a direct call. */
int cow_wp_enter(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip);
/* Of all pairs: at exit, with the return value and the return address. */
void cow_leave(struct cow_entry *e, unsigned long ret, unsigned long ret_ip);

/**
 * struct cow_missed - calls that the kernel did not show us
 * @entry: no storage was free (too many tasks asleep in do_wp_page()).
 * @nested: the CPU was inside another probe.
 * @witness: calls of a witness that were missed for either cause.
 */
struct cow_missed {
	u64	entry;
	u64	nested;
	u64	witness;
};

/**
 * struct cow_backend - one way to attach to functions
 * @name: as in the module parameter.
 * @missing: NULL, or the sentence why this kernel does not have it.
 * @attach: arm the points of a mask, BIT(enum cow_point_id), while none is
 *	armed; 0 or a negative errno, with nothing left behind.
 * @detach: disarm them; no handler of theirs runs any more when this returns
 *	what was missed since attach.
 * @missed: what was missed since attach.
 */
struct cow_backend {
	const char		*name;
	const char		*missing;
	int			(*attach)(unsigned long points);
	struct cow_missed	(*detach)(void);
	struct cow_missed	(*missed)(void);
};

extern const struct cow_backend cow_kretprobe;
extern const struct cow_backend cow_fprobe;

/*
 * Calls of do_wp_page() that may sleep at the same time (userfaultfd holds
 * them as long as it likes): return probes keep storage for each.
 */
extern unsigned int cow_maxactive;

#endif /* COW_POINTS_H */
