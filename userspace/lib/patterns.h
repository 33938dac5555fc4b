/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults that have the same explanation: the same path, outcome, reason, kind and
 * origin, a folio of the same class, decided at the same step by a page in the
 * same states. Memory grows with patterns, not with faults.
 */
#ifndef COWTRACE_PATTERNS_H
#define COWTRACE_PATTERNS_H

#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "explain.h"
#include "map.h"

/**
 * enum ct_order_class - how large the folio is
 * @CT_ORDER_PAGE: one page.
 * @CT_ORDER_PART: less than what a PMD maps (mTHP).
 * @CT_ORDER_PMD: as much.
 * @CT_ORDER_MORE: more.
 */
enum ct_order_class {
	CT_ORDER_PAGE,
	CT_ORDER_PART,
	CT_ORDER_PMD,
	CT_ORDER_MORE,
};

/**
 * struct ct_pattern - faults of one explanation
 * @faults: how many.
 * @bytes: copied by them.
 * @ns: time of them.
 * @min_refs: least reference count sampled.
 * @max_refs: greatest.
 * @need: whether copies of it were needed: the same for all.
 * @order: enum ct_order_class.
 * @states: COWTRACE_PG_* and others that mattered and were set: the same for all.
 * @flagged: faults with each bit of evidence, indexed by its number.
 * @example: one of them, with the counts of most of them if most agree.
 */
struct ct_pattern {
	uint64_t	faults;
	uint64_t	bytes;
	uint64_t	ns;
	int32_t		min_refs;
	int32_t		max_refs;
	enum ct_need	need;
	enum ct_order_class order;
	uint32_t	states;
	uint64_t	flagged[16];
	struct cowtrace_record example;
	/* Votes for the example: see ct_patterns_add(). */
	uint64_t	votes;
};

/**
 * struct ct_patterns - all patterns of a trace
 * @traits: COWTRACE_TRAIT_* of the traced kernel; to be set before the first fault.
 * @page_size: bytes of a page there; likewise.
 * @patterns: the patterns.
 * @nr: number of them.
 * @faults: of all patterns, as the next two.
 * @bytes: copied.
 * @ns: time.
 */
struct ct_patterns {
	uint32_t	traits;
	uint32_t	page_size;
	struct ct_pattern *patterns;
	size_t		nr;
	uint64_t	faults;
	uint64_t	bytes;
	uint64_t	ns;
	struct ct_map	place;
};

/* Count a fault. Return: 0 or -ENOMEM. */
int ct_patterns_add(struct ct_patterns *patterns, const struct cowtrace_record *record);

/* What comes first. */
enum ct_pattern_order { CT_BY_FAULTS, CT_BY_TIME, CT_BY_BYTES };

void ct_patterns_sort(struct ct_patterns *patterns, enum ct_pattern_order order);

void ct_patterns_free(struct ct_patterns *patterns);

#endif /* COWTRACE_PATTERNS_H */
