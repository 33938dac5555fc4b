/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger of forks: which faults each fork() caused.
 *
 * A fork takes the right to write from all private pages that the parent has:
 * parent and child share them until one writes. The rule that gives a fault to
 * a fork, exactly one or none:
 *
 * 1. Only a private, anonymous page can be shared by a fork. Zero page, file,
 *    device and KSM pages have causes of their own, and so has a write by
 *    another task, whose record does not say whose memory it was.
 * 2. A page was shared by a fork if it is mapped more than once, or if the
 *    kernel keeps a mark of pages that are not shared (PageAnonExclusive, from
 *    5.19 on) and the page has none. A page with the mark was not. Without the
 *    marks, and with a page under writeback, whose mark swap-in may drop, one
 *    mapping settles nothing: then a fault that a fork may have caused counts
 *    as unsettled.
 * 3. Such a page was in its memory when this last took part in a fork, or it
 *    would not be shared. A fault counts to the newest fork before it that this
 *    memory took part in: as parent, or as the child that the fork made. Where
 *    others still map the page, forks whose children are all gone are passed
 *    over, because who maps it came by an older one.
 *
 * So a copy counts to the fork whatever its reason: a page that lost its mark
 * by a fork may be copied for the swap cache, an LRU batch or its large folio
 * long after the child is gone, and without the fork it would not have faulted
 * at all. Memory, not the process, is what takes part: all threads, and children
 * of vfork() until they exec.
 *
 * Perf tells of a fork a moment after the page tables were copied, and another
 * thread of the parent may write in between. Where others map the page, the memory
 * was seen from its beginning, no fork of it is there and nothing that perf told was
 * lost, the write counts to the fork that is told next. Where none is, the page
 * tables of the last child have outlived it, as those do that somebody reads
 * /proc/PID/smaps of: the write is after that. In the moment between an end and the
 * next fork nothing tells the two apart: it counts to the next.
 */
#ifndef COWTRACE_LEDGER_H
#define COWTRACE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "count.h"
#include "error.h"
#include "process.h"
#include "reader.h"
#include "sites.h"

/* Why a fault counts to no fork. X(id, name, sentence) */
#define CT_FORK_CAUSES(X)						\
	X(ZERO,	     "zero",	  "the zero page, which all share without a fork") \
	X(FILE,	     "file",	  "a private mapping of a file, which all share without a fork") \
	X(SPECIAL,   "special",	  "a mapping without struct page")	\
	X(KSM,	     "ksm",	  "KSM merged the page with others")	\
	X(PROTECTED, "protected", "not shared: swap, mprotect, soft-dirty or userfaultfd took the right to write") \
	X(REMOTE,    "remote",	  "another task wrote, and whose memory it was is not recorded") \
	X(UNSEEN,    "unseen",	  "shared by a fork that the trace does not tell of: it was before, or is lost") \
	X(UNSETTLED, "unsettled", "mapped once, and no mark tells whether a fork or something else took the right to write") \
	X(UNTOLD,    "untold",	  "the trace does not tell of the process") \
	X(UNSAMPLED, "unsampled", "the page was not sampled")

#define CT_FORK_CAUSE_ENUM_(id, n, s)	CT_FORK_CAUSE_##id,
enum ct_fork_cause { CT_FORK_CAUSES(CT_FORK_CAUSE_ENUM_) CT_NR_FORK_CAUSES };

/**
 * enum ct_fork_end - how the child let go of the memory that it shared
 * @CT_FORK_ALIVE: it had not when the trace ended.
 * @CT_FORK_EXIT: it exited.
 * @CT_FORK_EXEC: it called exec.
 */
enum ct_fork_end { CT_FORK_ALIVE, CT_FORK_EXIT, CT_FORK_EXEC };

/**
 * struct ct_fork - one fork and what it caused
 * @parent: process that forked, its number in the process table.
 * @child: process that it made, likewise.
 * @start: when, CLOCK_MONOTONIC in ns.
 * @end: when the child let go, UINT64_MAX for CT_FORK_ALIVE.
 * @how: how it did.
 * @known: it is known that the child copies the memory; else it may have been
 *	a vfork(), which shares no page by copy on write.
 * @by_parent: faults of the parent's memory until @end.
 * @by_child: faults of the child's memory until @end.
 * @after: faults after @end: the pages still lack the right to write, and the
 *	child's own children may hold them.
 * @total: these three.
 * @unsettled: faults that this fork or something else has caused; in no other
 *	number here.
 */
struct ct_fork {
	uint32_t	parent;
	uint32_t	child;
	uint64_t	start;
	uint64_t	end;
	enum ct_fork_end how;
	bool		known;
	struct ct_count	by_parent;
	struct ct_count	by_child;
	struct ct_count	after;
	struct ct_count	total;
	struct ct_count	unsettled;
};

/**
 * struct ct_fork_reason - what one fork caused, by outcome and reason
 * @fork: its number.
 * @outcome: enum cowtrace_outcome, or a number of a later schema.
 * @reason: enum cowtrace_reason, likewise.
 * @count: the faults.
 */
struct ct_fork_reason {
	uint32_t	fork;
	uint8_t		outcome;
	uint8_t		reason;
	struct ct_count	count;
};

/**
 * struct ct_fork_site - what one fork caused, by place in the code
 * @fork: its number.
 * @site: number of the place.
 * @count: the faults.
 */
struct ct_fork_site {
	uint32_t	fork;
	uint32_t	site;
	struct ct_count	count;
};

struct ct_memories;

/**
 * struct ct_forks - the ledger
 * @processes: the process table; not the ledger's.
 * @list: the forks, in the order of time.
 * @nr: number of them.
 * @sharing: children that share their parent's memory instead: vfork(),
 *	posix_spawn(). They are no forks here.
 * @total: all faults. The totals of the forks and @causes add up to it.
 * @causes: faults that count to no fork, by enum ct_fork_cause.
 * @reasons: by fork, in the order of their numbers, the most copies first.
 * @nr_reasons: number of them.
 * @by_site: likewise, by place in the code.
 * @nr_by_site: number of them.
 * @sites: the places.
 * @all_told: the trace has lost nothing of who forked when.
 */
struct ct_forks {
	const struct ct_processes *processes;
	struct ct_fork	*list;
	size_t		nr;
	size_t		sharing;
	struct ct_count	total;
	struct ct_count	causes[CT_NR_FORK_CAUSES];
	struct ct_fork_reason *reasons;
	size_t		nr_reasons;
	struct ct_fork_site *by_site;
	size_t		nr_by_site;
	struct ct_sites	sites;
	bool		all_told;
	/* Which memory took part in which forks; the rest is of use until the end alone. */
	struct ct_memories *memories;
	struct ct_map	reason_of;
	struct ct_map	site_of;
	uint64_t	page_size;
};

/**
 * ct_forks_new() - a ledger of all forks of a process table, without faults
 * @processes: the table; must outlive the ledger.
 * @page_size: of the traced machine, in bytes.
 * Return: the ledger, NULL without memory.
 */
struct ct_forks *ct_forks_new(const struct ct_processes *processes, uint64_t page_size);

/**
 * struct ct_lineage - what is known of the memory of a process at a time
 * @memory: number of the memory: the same for all who have it, never used again.
 * @begun: its beginning was seen: a fork or an exec made it.
 * @fork: the newest fork that it took part in, as parent or as the child that it made;
 *	CT_MAP_NONE for none that was seen.
 * @from: all this holds since then,
 * @until: and until then.
 * @next_fork: when it will fork next, UINT64_MAX for never.
 */
struct ct_lineage {
	uint32_t	memory;
	bool		begun;
	uint32_t	fork;
	uint64_t	from;
	uint64_t	until;
	uint64_t	next_fork;
};

/* The memory that a process of the table had at a time. */
void ct_forks_lineage(const struct ct_forks *forks, uint32_t process, uint64_t time,
		      struct ct_lineage *lineage);

/* Enter a fault; in any order. Return: 0 or -ENOMEM. */
int ct_forks_take(struct ct_forks *forks, const struct cowtrace_record *record);

/* Put reasons and places in order, after the last fault. */
void ct_forks_end(struct ct_forks *forks);

/**
 * ct_forks_make() - the ledger of a whole trace
 * @reader: the trace.
 * @processes: its process table; must outlive the ledger.
 * @forks: receives the ledger.
 * @err: filled in on failure.
 * Return: 0 or -ENOMEM.
 */
int ct_forks_make(struct ct_reader *reader, const struct ct_processes *processes,
		  struct ct_forks **forks, struct ct_error *err);

void ct_forks_free(struct ct_forks *forks);

/* The name of a cause, and what it means. */
const char *ct_fork_cause_name(enum ct_fork_cause cause);
const char *ct_fork_cause_sentence(enum ct_fork_cause cause);

#endif /* COWTRACE_LEDGER_H */
