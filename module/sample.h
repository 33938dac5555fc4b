/* SPDX-License-Identifier: GPL-2.0 */
/* sample: what is known of a fault at entry, and what is added at exit. */
#ifndef COW_SAMPLE_H
#define COW_SAMPLE_H

#include <cowtrace/record.h>
#include <linux/mm_types.h>

/**
 * struct cow_args - what a backend found at the entry of a probed function
 * @arg: the first arguments, by position.
 * @ret_ip: return address, 0 when another tool's return probe hides it.
 */
struct cow_args {
	unsigned long	arg[5];
	unsigned long	ret_ip;
};

/**
 * struct cow_entry - what the entry of a fault hands to its exit
 * @time_ns: entry, ktime_get_mono_fast_ns().
 * @mm: whose memory it is.
 * @vmf: the fault, on the stack of the caller: valid until it returns. NULL on
 *	the hugetlb path.
 * @slot: the PMD entry; on the hugetlb path the hugetlb entry.
 * @pfn: see struct cowtrace_record, as for the fields that follow.
 * @address: with its offset in the page.
 * @ip: user instruction pointer.
 * @vm_flags: flags of the mapping, which may be gone at exit.
 * @generation: of the session that saw the entry: a later one skips the exit.
 * @refcount: page_count().
 * @mapcount: of this page.
 * @folio_mapcount: of the folio.
 * @pincount: of the folio.
 * @state: COWTRACE_PG_* and COWTRACE_PTE_*.
 * @pgreuse: reuses that this CPU had counted.
 * @switches: how often this task had left its CPU.
 * @fault_flags: FAULT_FLAG_*.
 * @swapcount: of the page's slot.
 * @mapped_here: of the folio's pages.
 * @evidence: COWTRACE_EV_*.
 * @present: COWTRACE_HAS_*.
 * @node: NUMA node.
 * @path: enum cowtrace_path.
 * @kind: enum cowtrace_kind.
 * @order: of the folio.
 * @caller: of do_wp_page(), enum cow_caller.
 * @users: who wanted faults at entry, enum cow_user.
 * @proof: the module provoked this fault itself (proof.h).
 *
 * Lives in the probe's own storage for the call: at most 120 bytes, which is
 * what an fprobe has on the function-graph shadow stack (MAX_FPROBE_DATA_SIZE).
 */
struct cow_entry {
	u64			time_ns;
	struct mm_struct	*mm;
	const struct vm_fault	*vmf;
	void			*slot;
	u64			pfn;
	u64			address;
	u64			ip;
	u64			vm_flags;
	u32			generation;
	s32			refcount;
	s32			mapcount;
	s32			folio_mapcount;
	u32			pincount;
	u32			state;
	u32			pgreuse;
	u32			switches;
	u16			fault_flags;
	u16			swapcount;
	u16			mapped_here;
	u16			evidence;
	u16			present;
	u16			node;
	u8			path;
	u8			kind;
	u8			order;
	u8			caller;
	u8			users;
	bool			proof;
};

static_assert(sizeof(struct cow_entry) <= 120, "an fprobe on fgraph carries 120 bytes");

/**
 * cow_sample_wp() - sample a fault of one PTE, at the entry of do_wp_page()
 * @e: filled but for @generation, @users and @proof.
 * @args: of the function.
 *
 * Takes no reference and no lock: that would change what is measured.
 * Context: preemption off, the fault's ptl held.
 * Return: false when the arguments make no sense.
 */
bool cow_sample_wp(struct cow_entry *e, const struct cow_args *args);

/*
 * The same for do_huge_pmd_wp_page(). The ptl is not held yet, but mmap or VMA
 * lock: the page may change or go, its struct page stays readable.
 */
bool cow_sample_pmd(struct cow_entry *e, const struct cow_args *args);

/* The same for hugetlb_wp(), under the ptl. */
bool cow_sample_hugetlb(struct cow_entry *e, const struct cow_args *args);

/**
 * cow_sample_exit() - make a record of the entry and of what is left at exit
 * @r: filled but for seq, outcome and reason.
 * @e: the entry.
 * @ret: return value of the function.
 * @ret_ip: its return address, for an entry that did not find it.
 *
 * Context: preemption off, no ptl but on the hugetlb path; mmap or VMA lock held
 * unless @ret says that it was dropped.
 */
void cow_sample_exit(struct cowtrace_record *r, const struct cow_entry *e, unsigned long ret,
		     unsigned long ret_ip);

#endif /* COW_SAMPLE_H */
