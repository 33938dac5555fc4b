/* SPDX-License-Identifier: GPL-2.0 */
/*
 * khugepaged: what it finds in the range of a PMD when it asks whether a huge page can
 * take its place: how many PTEs are empty, in swap, referenced, and how many map a page
 * that others map too, by each way of counting that there has been.
 */
#ifndef COW_GROUP_KHUGEPAGED_H
#define COW_GROUP_KHUGEPAGED_H

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "compat/khugepaged.h"
#include "group.h"

/* What maps a range. X(id, name) */
#define COW_TABLES(X)		\
	X(UNKNOWN, "-")		\
	X(NONE, "none")		\
	X(HUGE, "huge")		\
	X(PTE, "pte")

#define COW_TABLE_ENUM_(id, name)	COW_TABLE_##id,
enum cow_table { COW_TABLES(COW_TABLE_ENUM_) };

/**
 * struct cow_range_counts - the PTEs of a range
 * @table: enum cow_table; without COW_TABLE_PTE all is 0.
 * @ptes: how many were looked at.
 * @none: empty.
 * @zero: that map the zero page.
 * @unmapped: neither empty nor present: swap and migration entries, markers.
 * @special: present, without a page that can be looked at.
 * @present: that map a page; what follows is of these.
 * @writable: by the PTE.
 * @referenced: by PTE or folio; a secondary MMU is not asked.
 * @large: whose page is part of a large folio.
 * @shared: of which each estimate says that others map the page too.
 * @open: of which it cannot be told what the estimate would say.
 */
struct cow_range_counts {
	u8	table;
	u16	ptes;
	u16	none;
	u16	zero;
	u16	unmapped;
	u16	special;
	u16	present;
	u16	writable;
	u16	referenced;
	u16	large;
	u16	shared[COW_NR_ESTIMATES];
	u16	open[COW_NR_ESTIMATES];
};

#define COW_FOLIO_MEMO	8

/**
 * struct cow_range_walk - a range while its PTEs are looked at
 * @counts: so far.
 * @memo: answers for large folios that were met last: each takes a look at all its pages.
 * @next: which of @memo is the oldest.
 */
struct cow_range_walk {
	struct cow_range_counts	counts;
	struct {
		struct page	*head;
		s8		answer[COW_NR_ESTIMATES];
	} memo[COW_FOLIO_MEMO];
	unsigned int		next;
};

/**
 * cow_range_pte() - count one PTE
 * @walk: its range.
 * @pte: its value.
 *
 * Context: preemption off. The page may be freed meanwhile: what is read is of its struct
 * page alone, which is there as long as the memory is.
 */
void cow_range_pte(struct cow_range_walk *walk, pte_t pte);

/**
 * cow_range_walk() - count the PTEs of a range without a lock
 * @walk: filled in; @counts is a snapshot, of which each PTE is true for its moment.
 * @mm: whose; its mmap_lock is held for reading.
 * @address: the first of the range.
 *
 * Context: any. A page table that is freed while the lock is held for reading waits for
 * readers with interrupts off, as it does for get_user_pages_fast().
 */
void cow_range_walk(struct cow_range_walk *walk, struct mm_struct *mm, unsigned long address);

/**
 * enum cow_limit - what khugepaged puts up with in a range
 * @COW_LIMIT_NONE: empty PTEs, those of the zero page included.
 * @COW_LIMIT_SWAP: PTEs that are not present.
 * @COW_LIMIT_SHARED: PTEs whose page is shared.
 */
enum cow_limit { COW_LIMIT_NONE, COW_LIMIT_SWAP, COW_LIMIT_SHARED, COW_NR_LIMITS };

/* As its file is called. */
const char *cow_limit_name(enum cow_limit limit);

/* In force, -1 where it could not be read. */
extern s32 cow_limits[COW_NR_LIMITS];

/* Read them from sysfs. Context: process, of somebody who sees it mounted. */
void cow_limits_read(void);

/* kretprobes on what is written to their files: they keep cow_limits up to date. */
bool cow_limit_none_enter(void *data, struct pt_regs *regs);
bool cow_limit_swap_enter(void *data, struct pt_regs *regs);
bool cow_limit_shared_enter(void *data, struct pt_regs *regs);
void cow_limit_leave(void *data, struct pt_regs *regs);

/**
 * struct cow_limit_data - a limit while it is written
 * @limit: enum cow_limit.
 * @value: what is to be its value.
 */
struct cow_limit_data {
	enum cow_limit	limit;
	s32		value;
};

/*
 * Where each scan is a call of its own, which came with MADV_COLLAPSE, its range is walked
 * when the call begins. Before, khugepaged is watched while it looks up the page of each
 * PTE, under the lock of the page table, until it has seen enough.
 */
#ifdef MADV_COLLAPSE
#define COW_RANGE_WALKED	true
#else
#define COW_RANGE_WALKED	false
#endif

/* Who asked for a scan. */
enum cow_scan_origin { COW_SCAN_KHUGEPAGED, COW_SCAN_MADVISE };

/**
 * struct cow_scan - one scan of the range of a PMD
 * @event: see there.
 * @address: the first of the range, 0 when it is not known.
 * @owner: process whose memory it is, 0 when it has gone.
 * @owner_comm: its name.
 * @counts: of the PTEs.
 * @limits: in force when it began, -1 for not known.
 * @status: enum scan_result of this kernel.
 * @origin: enum cow_scan_origin.
 * @told: the tracepoint was hit: what follows is by the kernel.
 * @writable: whether a PTE was, -1 where it does not ask.
 * @none: PTEs that are empty or of the zero page, until it had seen enough.
 * @unmapped: PTEs that are not present, likewise.
 * @referenced: PTEs, likewise.
 */
struct cow_scan {
	struct cow_event	event;
	u64			address;
	u32			owner;
	char			owner_comm[TASK_COMM_LEN];
	struct cow_range_counts	counts;
	s32			limits[COW_NR_LIMITS];
	s32			status;
	u8			origin;
	bool			told;
	s16			writable;
	s16			none;
	s16			unmapped;
	s16			referenced;
};

/* The name of an estimate, "-" for COW_NR_ESTIMATES. */
const char *cow_estimate_name(enum cow_estimate estimate);

/* A struct cow_scan as a line of the group's events. Return: bytes printed. */
size_t cow_scan_print(char *buf, size_t size, const void *event);

#endif /* COW_GROUP_KHUGEPAGED_H */
