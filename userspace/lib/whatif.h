/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What other policies would have decided, fault by fault, in one pass over a trace.
 *
 * Faults about which all policies are told the same and answer the same are one
 * pattern; all numbers come from the patterns. Memory does not grow with the trace:
 * patterns, processes and places in the code are bounded, what goes beyond is counted.
 *
 * What happened is what the record says; a policy is held against it where the kernel
 * had decided: reuse, copy, unshare or split. Other outcomes (raced, retry, ...) are
 * not decided and in no number of a policy.
 *
 * A policy is asked about each fault as it stands. What it would have changed for later
 * faults of the same page is left as it was, but for one: where a policy would have
 * kept a huge page that was split, the fault of one page which the same access went on
 * with would not have been: not faulted.
 */
#ifndef COWTRACE_WHATIF_H
#define COWTRACE_WHATIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/policy.h>

#include "count.h"
#include "error.h"
#include "expression.h"
#include "map.h"
#include "process.h"
#include "reader.h"
#include "sites.h"

/* The policies of policy.h come first, then those of the user. */
#define CT_WHATIF_OWN_MAX	10
#define CT_WHATIF_POLICIES	(COWTRACE_NR_POLICIES + CT_WHATIF_OWN_MAX)

/* One more answer: the fault would not have been. */
#define CT_ANSWER_NOT_FAULTED	COWTRACE_NR_ANSWERS
#define CT_NR_ANSWERS		(COWTRACE_NR_ANSWERS + 1)

/* Beyond so many patterns only answers and outcome tell them apart. */
#define CT_WHATIF_PATTERNS	8192u
/* So many processes, and so many pairs of a pattern with a process or a place. */
#define CT_WHATIF_PROCESSES	65536u
#define CT_WHATIF_SHARES	65536u
/* So many places in the code. */
#define CT_WHATIF_SITES		65536u
/* So many words for what own policies found unknown. */
#define CT_WHATIF_WORDS		64u

/* How a page was held. X(id, bit, text) */
#define CT_SHAPES(X)							\
	X(MAPPED,    0, "mapped more than once")			\
	X(ELSEWHERE, 1, "pages of its folio mapped elsewhere")		\
	X(WHERE_OPEN, 2, "where else its folio is mapped is not known")	\
	X(CACHED,    3, "in the swap cache")				\
	X(ENTRIES,   4, "swap entries share its slot")			\
	X(SLOT_OPEN, 5, "swap entries not known")			\
	X(WRITEBACK, 6, "under writeback")				\
	X(LRU,	     7, "in an LRU batch")				\
	X(PINS,	     8, "pinned")					\
	X(PLAIN,     9, "unattributed references")			\
	X(LOCKED,   10, "locked")					\
	X(MOVED,    11, "its counts moved")				\
	X(LARGE,    12, "part of a large folio")

#define CT_SHAPE_ENUM_(id, bit, text)	CT_SHAPE_##id = 1u << (bit),
enum ct_shape { CT_SHAPES(CT_SHAPE_ENUM_) };

/**
 * struct ct_whatif_key - what makes a pattern
 * @predicted: the answers, by policy; of the kernel's own by cowtrace_foresee(); of
 *	policies of the user @cause counts in ct_whatif.words. CT_ANSWER_NOT_FAULTED is
 *	one of the answers.
 * @shape: enum ct_shape, bits.
 * @path: enum cowtrace_path.
 * @kind: enum cowtrace_kind.
 * @outcome: enum cowtrace_outcome, or a number of a later schema.
 * @reason: enum cowtrace_reason, likewise.
 * @exclusive: PageAnonExclusive, or COWTRACE_NOT_KNOWN.
 * @asked: policies decide such a fault.
 * @rest: one of those beyond CT_WHATIF_PATTERNS: @shape, @reason, @kind and
 *	@exclusive mean nothing.
 */
struct ct_whatif_key {
	struct cowtrace_prediction predicted[CT_WHATIF_POLICIES];
	uint16_t	shape;
	uint8_t		path;
	uint8_t		kind;
	uint8_t		outcome;
	uint8_t		reason;
	int8_t		exclusive;
	uint8_t		asked : 1;
	uint8_t		rest : 1;
};

/**
 * struct ct_whatif_pattern - faults of one pattern
 * @key: what they have in common.
 * @faults: how many.
 * @ns: their time.
 * @copied: bytes that they copied.
 * @bytes: bytes that they would have copied, had all been copies.
 * @processes: different ones, at least.
 * @flagged: faults with each bit of evidence, by its number.
 * @cpu: of the first one.
 * @seq: of the first one.
 * @time_ns: of the first one.
 */
struct ct_whatif_pattern {
	struct ct_whatif_key key;
	uint64_t	faults;
	uint64_t	ns;
	uint64_t	copied;
	uint64_t	bytes;
	uint32_t	processes;
	uint64_t	flagged[16];
	uint32_t	cpu;
	uint32_t	seq;
	uint64_t	time_ns;
	/* The last process and place, by which most faults are counted again. */
	uint32_t	process;
	uint32_t	site;
	uint32_t	process_share;
	uint32_t	site_share;
};

/**
 * struct ct_whatif_share - faults of one pattern by one process, or at one place
 * @pattern: number of the pattern.
 * @what: number of the process, or of the place in ct_whatif.sites.
 * @faults: how many.
 */
struct ct_whatif_share {
	uint32_t	pattern;
	uint32_t	what;
	uint64_t	faults;
};

/* Shares of all patterns; @over: faults that found no room, here or before. */
struct ct_whatif_shares {
	struct ct_whatif_share *list;
	size_t		nr;
	struct ct_map	place;
	uint64_t	over;
};

/**
 * struct ct_whatif_process - a process that faulted
 * @process: number in the process table, CT_MAP_NONE if not there.
 * @tgid: process number.
 * @comm: name at its first fault.
 */
struct ct_whatif_process {
	uint32_t	process;
	uint32_t	tgid;
	char		comm[COWTRACE_COMM_LEN];
};

/**
 * struct ct_whatif_own - a policy of the user
 * @name: its name.
 * @expression: the policy.
 */
struct ct_whatif_own {
	const char	*name;
	struct ct_expression *expression;
};

struct ct_whatif_memo;
struct ct_whatif_tasks;
struct ct_past;

/**
 * struct ct_whatif - all that was counted
 * @traits: COWTRACE_TRAIT_* of the traced kernel.
 * @page_size: bytes of a page there.
 * @own: policies of the user; the caller's.
 * @nr_own: number of them.
 * @kernel: the policy that the traced kernel has.
 * @total: all faults.
 * @list: the patterns.
 * @nr: number of them.
 * @by_process: shares of processes in ct_whatif.processes.
 * @by_site: shares of places in ct_whatif.sites.
 * @processes: that faulted.
 * @nr_processes: number of them.
 * @sites: places that faulted.
 * @words: names of what own policies found unknown, by ct_whatif_key.predicted.cause.
 * @table: the process table; the caller's.
 * @past: what the trace tells of pages, NULL where the kernel knows PageAnonExclusive.
 */
struct ct_whatif {
	uint32_t	traits;
	uint32_t	page_size;
	const struct ct_whatif_own *own;
	size_t		nr_own;
	enum cowtrace_policy kernel;
	uint64_t	total;
	struct ct_whatif_pattern *list;
	size_t		nr;
	struct ct_whatif_shares by_process;
	struct ct_whatif_shares by_site;
	struct ct_whatif_process *processes;
	size_t		nr_processes;
	struct ct_sites	sites;
	const char	*words[CT_WHATIF_WORDS];
	const struct ct_processes *table;
	struct ct_past	*past;
	struct ct_whatif_memo *memo;
	struct ct_whatif_tasks *tasks;
	struct ct_map	place;
	struct ct_map	process_of;
};

/**
 * ct_whatif_new() - begin to count
 * @schema: of the trace.
 * @table: its process table; must outlive the result.
 * @own: policies of the user; must outlive the result.
 * @nr_own: number of them, at most CT_WHATIF_OWN_MAX.
 * Return: all zero counts, NULL without memory.
 */
struct ct_whatif *ct_whatif_new(const struct ct_schema *schema, const struct ct_processes *table,
				const struct ct_whatif_own *own, size_t nr_own);

/**
 * ct_whatif_take() - count a fault
 * @w: the counts.
 * @record: the fault; in the order in which they ended.
 * Return: 0 or -ENOMEM.
 */
int ct_whatif_take(struct ct_whatif *w, const struct cowtrace_record *record);

void ct_whatif_free(struct ct_whatif *w);

/* Policies that were asked. */
static inline size_t ct_whatif_nr(const struct ct_whatif *w)
{
	return COWTRACE_NR_POLICIES + w->nr_own;
}

/* Did the kernel decide? Else the outcome was another. */
static inline bool ct_whatif_decided(const struct ct_whatif_key *key)
{
	return key->asked &&
	       (key->outcome == COWTRACE_OUTCOME_REUSE || ct_took_away(key->outcome));
}

/* What it decided, as an answer. */
static inline enum cowtrace_answer ct_whatif_observed(const struct ct_whatif_key *key)
{
	return key->outcome == COWTRACE_OUTCOME_REUSE ? COWTRACE_ANSWER_REUSE :
							COWTRACE_ANSWER_COPY;
}

#endif /* COWTRACE_WHATIF_H */
