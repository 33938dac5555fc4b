/* SPDX-License-Identifier: GPL-2.0 */
/* Adding up faults that have something in common. */
#ifndef COWTRACE_COUNT_H
#define COWTRACE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <cowtrace/classify.h>

#include "bytes.h"

/**
 * struct ct_count - faults that have something in common
 * @faults: all.
 * @copies: outcomes copy and unshare.
 * @reuses: outcome reuse.
 * @splits: outcome split.
 * @bytes: copied.
 * @ns: time of all faults.
 * @copy_ns: time of the copies.
 */
struct ct_count {
	uint64_t	faults;
	uint64_t	copies;
	uint64_t	reuses;
	uint64_t	splits;
	uint64_t	bytes;
	uint64_t	ns;
	uint64_t	copy_ns;
};

/* Did a fault with this outcome make a new page of the old one? */
static inline bool ct_copied(unsigned int outcome)
{
	return outcome == COWTRACE_OUTCOME_COPY || outcome == COWTRACE_OUTCOME_UNSHARE;
}

/* A copy, an unshare or a split: what a reuse would have saved. */
static inline bool ct_took_away(unsigned int outcome)
{
	return ct_copied(outcome) || outcome == COWTRACE_OUTCOME_SPLIT;
}

/* Count a fault, which copied @bytes. */
static inline void ct_count_add(struct ct_count *c, const struct cowtrace_record *r,
				uint64_t bytes)
{
	c->faults++;
	c->copies += ct_copied(r->outcome);
	c->reuses += r->outcome == COWTRACE_OUTCOME_REUSE;
	c->splits += r->outcome == COWTRACE_OUTCOME_SPLIT;
	c->bytes = ct_add(c->bytes, bytes);
	c->ns += r->duration_ns;
	c->copy_ns += ct_copied(r->outcome) ? r->duration_ns : 0;
}

/* Add what was counted elsewhere. */
static inline void ct_count_merge(struct ct_count *to, const struct ct_count *from)
{
	to->faults += from->faults;
	to->copies += from->copies;
	to->reuses += from->reuses;
	to->splits += from->splits;
	to->bytes = ct_add(to->bytes, from->bytes);
	to->ns += from->ns;
	to->copy_ns += from->copy_ns;
}

/* Which of two comes first: the more copies, then the more faults. As qsort() wants it. */
static inline int ct_count_order(const struct ct_count *x, const struct ct_count *y)
{
	if (x->copies != y->copies)
		return x->copies > y->copies ? -1 : 1;
	if (x->faults != y->faults)
		return x->faults > y->faults ? -1 : 1;
	return 0;
}

#endif /* COWTRACE_COUNT_H */
