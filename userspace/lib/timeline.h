/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults over time, in a fixed number of bins of equal width. A bin is twice as wide
 * as before whenever time has run on too far for them; the widths are powers of two
 * and the bins begin at multiples of theirs, so that what stands in each does not
 * depend on the order of the faults.
 */
#ifndef COWTRACE_TIMELINE_H
#define COWTRACE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "count.h"

/* At most so many; more than half as many as soon as time does not fit in 1 ns each. */
#define CT_TIMELINE_BINS	256u

/**
 * struct ct_timeline_bin - what happened in a part of the time
 * @count: faults that began in it.
 * @lost: records missing before one of these on its CPU.
 */
struct ct_timeline_bin {
	struct ct_count	count;
	uint64_t	lost;
};

/**
 * struct ct_timeline - all of it; all zero is an empty one
 * @shift: a bin is 1 << @shift ns wide.
 * @first: number of the first bin: the time that it begins at in widths.
 * @nr: bins from the first to the last that has a fault, 0 without one.
 * @bins: each at its number modulo CT_TIMELINE_BINS.
 */
struct ct_timeline {
	unsigned int	shift;
	uint64_t	first;
	size_t		nr;
	struct ct_timeline_bin bins[CT_TIMELINE_BINS];
};

/**
 * ct_timeline_add() - enter a fault
 * @timeline: the bins.
 * @record: the fault, in any order.
 * @bytes: what it copied.
 * @lost: records missing before it.
 */
void ct_timeline_add(struct ct_timeline *timeline, const struct cowtrace_record *record,
		     uint64_t bytes, uint64_t lost);

/* The @i-th bin, from 0 to below @nr. */
static inline struct ct_timeline_bin *ct_timeline_bin(struct ct_timeline *timeline, size_t i)
{
	return &timeline->bins[(timeline->first + i) % CT_TIMELINE_BINS];
}

/* When it begins, in the clock of the records, ns. */
static inline uint64_t ct_timeline_start(const struct ct_timeline *timeline, size_t i)
{
	return (timeline->first + i) << timeline->shift;
}

#endif /* COWTRACE_TIMELINE_H */
