/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the ledger of KSM share. */
#ifndef COWTRACE_KSM_PARTS_H
#define COWTRACE_KSM_PARTS_H

#include "ksm.h"

#define KSM_NOBODY	UINT32_MAX

/**
 * struct ksm_entry - one PTE that was merged at least once
 * @time_ns: of its last merge.
 * @merge_ns: that this took.
 * @page: of it, in the pages.
 * @process: of it, in the processes.
 * @next: another of the same address space, KSM_NOBODY for none.
 * @live: it is merged.
 * @zero: into the zero page.
 */
struct ksm_entry {
	uint64_t	time_ns;
	uint64_t	merge_ns;
	uint32_t	page;
	uint32_t	process;
	uint32_t	next;
	bool		live;
	bool		zero;
};

/* An address space, and the first of its PTEs. */
struct ksm_space {
	bool		known;
	uint32_t	first;
};

/**
 * struct ct_ksm_books - what is looked up
 * @entry_at: address space and address, to place in @entries.
 * @space_at: address space, to place in @spaces.
 * @process_at: number of a process, to place in the processes.
 * @page_at: frame, to place of its last content in the pages.
 */
struct ct_ksm_books {
	struct ct_map	entry_at, space_at, process_at, page_at;
	struct ksm_entry	*entries;
	struct ksm_space	*spaces;
	size_t		nr_entries, nr_spaces;
};

/**
 * struct ksm_seen - an event, its fields read
 * @time_ns: when it was over.
 * @ns: that it took.
 * @mm: address space.
 * @address: in it.
 * @pfn: of the KSM page.
 * @zero: it is the zero page instead.
 * @users: that map it.
 * @refs: to it.
 * @users_told: @users is known.
 * @process: place in the processes.
 * @seq: its number.
 */
struct ksm_seen {
	uint64_t	time_ns, ns, mm, address, pfn, users, refs;
	bool		zero, users_told;
	uint32_t	process, seq;
};

/* Place of the process of an event. Return: KSM_NOBODY without memory. */
uint32_t ksm_process(struct ct_ksm *k, const struct ct_group_event *e);

/* Place of the page; @fresh: with a content that it did not have before. Likewise. */
uint32_t ksm_page(struct ct_ksm *k, const struct ksm_seen *s, bool fresh);

/* The entry of an event, NULL for none. */
struct ksm_entry *ksm_find(struct ct_ksm *k, const struct ksm_seen *s);

/* The same, made and hung into its address space if need be; NULL without memory. */
struct ksm_entry *ksm_entry(struct ct_ksm *k, const struct ksm_seen *s);

#endif /* COWTRACE_KSM_PARTS_H */
