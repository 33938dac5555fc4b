/* SPDX-License-Identifier: GPL-2.0 */
/* What contention.c hands over to be counted, once it is known who met whom. */
#ifndef COWTRACE_CONTENTION_COUNT_H
#define COWTRACE_CONTENTION_COUNT_H

#include "contention.h"

/* Entries of page tables that a group tells apart. */
#define CT_GROUP_ENTRIES	8

/**
 * struct ct_met - one fault of the window
 * @begin: entry, ns.
 * @end: exit; @begin too when the clock did not move.
 * @order: the latest @end so far: none that follows has an earlier one.
 * @page: address of what the entry of the page table maps.
 * @r: the record.
 * @process: the caller's number.
 * @site: likewise.
 * @older: the fault before it in its bucket, by its place in the window.
 * @newer: the one after it.
 * @bucket: where it hangs.
 * @group: number of its group, CT_MAP_NONE for none.
 * @before: member of the group before it.
 * @after: member after it.
 * @won_by: the fault that did the work that this one lost was met.
 * @shown: and this one's entry showed the page of the other at its exit.
 * @beside_copy: it began while another fault copied the page.
 * @beside_lock: it began within another fault that takes the page lock.
 */
struct ct_met {
	uint64_t	begin, end, order;
	uint64_t	page;
	struct cowtrace_record r;
	uint32_t	process, site;
	uint32_t	older, newer, bucket;
	uint32_t	group, before, after;
	bool		won_by, shown, beside_copy, beside_lock;
};

/**
 * struct ct_group_entry - one entry of a page table in a group
 * @process: whose.
 * @page: its address.
 * @path: its size: enum cowtrace_path.
 * @copied: a fault copied its page.
 * @split: a fault split it.
 */
struct ct_group_entry {
	uint32_t	process;
	uint64_t	page;
	uint8_t		path;
	bool		copied, split;
};

/**
 * struct ct_group - faults that met, directly or by one that met both
 * @first: member in the window, by its place there; CT_MAP_NONE for none.
 * @members: members in the window.
 * @faults: all, those that left the window too.
 * @ns: time of them.
 * @copies: of them; likewise @reuses to @retries.
 * @lost: lost their entry to a member.
 * @lost_unseen: lost their entry to somebody else.
 * @locked: copied because of the page lock.
 * @mapped: how often the page was mapped, the most that a member saw.
 * @others: the least references besides mappings that a member saw.
 * @odd: a copy was not of a small anonymous page whose holders are known.
 * @last_end: end of the last copy.
 * @last_ns: its time.
 * @entry: entries that members had.
 * @nr_entries: number of them; CT_GROUP_ENTRIES + 1 when there were more.
 */
struct ct_group {
	uint32_t	first, members;
	uint64_t	faults, ns;
	uint64_t	copies, reuses, splits, lost, lost_unseen, locked, retries;
	int32_t		mapped;
	int64_t		others;
	bool		odd;
	uint64_t	last_end, last_ns;
	struct ct_group_entry entry[CT_GROUP_ENTRIES];
	uint32_t	nr_entries;
};

/* Two faults met: count their processes. 0 or -ENOMEM, as below. */
int ct_count_pair(struct ct_contention *c, const struct ct_met *a, const struct ct_met *b,
		  bool lost);

/* A fault leaves the window. */
int ct_count_fault(struct ct_contention *c, const struct ct_met *met);

/* All faults of a group have left it. */
void ct_count_group(struct ct_contention *c, const struct ct_group *group);

/* Put the tables in order. */
void ct_count_end(struct ct_contention *c);

#endif /* COWTRACE_CONTENTION_COUNT_H */
