/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sample: what is known of a fault at entry. What is common to all paths, and all of
 * the path of one PTE, is inlined (sample_entry.h); what the exit adds as well
 * (sample_exit.h).
 */
#ifndef COW_SAMPLE_H
#define COW_SAMPLE_H

#include <cowtrace/record.h>
#include <linux/mm_types.h>

#include "task.h"

struct pt_regs;

/**
 * struct cow_sampled - the fields of a record that its entry fills
 * @slot: the PMD entry; on the hugetlb path the hugetlb entry. Stands where the
 *	record has new_pfn, which the exit reads from it.
 *
 * As in struct cowtrace_record from its address on, field by field, so that the
 * exit moves them as a whole; ret, outcome and reason are the exit's.
 */
struct cow_sampled {
	u64	address;
	u64	ip;
	u64	vm_flags;
	u64	pfn;
	void	*slot;
	u16	fault_flags;
	u16	ret;
	u16	swapcount;
	u16	mapped_here;
	s32	refcount;
	s32	mapcount;
	s32	folio_mapcount;
	u32	pincount;
	u32	state;
	u16	evidence;
	u16	present;
	u8	path;
	u8	origin;
	u8	kind;
	u8	outcome;
	u8	reason;
	u8	order;
	u16	node;
};

/**
 * struct cow_entry - what the entry of a fault hands to its exit
 * @began: cow_ticks() at entry.
 * @mm: whose memory it is.
 * @vmf: the fault, on the stack of the caller: valid until it returns. NULL on
 *	the hugetlb path.
 * @generation: of the session that saw the entry: a later one skips the exit.
 * @pgreuse: reuses that this CPU had counted.
 * @switches: how often this task had left its CPU.
 * @users: who wanted faults at entry, enum cow_user.
 * @proof: the module provoked this fault itself (proof.h).
 * @s: the fields of the record.
 *
 * Lives in the probe's own storage for the call: at most 120 bytes, which is
 * what an fprobe has on the function-graph shadow stack (MAX_FPROBE_DATA_SIZE).
 */
struct cow_entry {
	u64			began;
	struct mm_struct	*mm;
	const struct vm_fault	*vmf;
	u32			generation;
	u32			pgreuse;
	u32			switches;
	u8			users;
	bool			proof;
	struct cow_sampled	s;
};

/* Is the task on the CPU of the entry, and was all the time? */
static __always_inline bool cow_stayed(const struct cow_entry *e)
{
	return cow_switches() == e->switches;
}

static_assert(sizeof(struct cow_entry) <= 120, "an fprobe on fgraph carries 120 bytes");

/**
 * struct cow_alike - flags that this CPU translated last
 * @page: of struct page, and what its mapping says.
 * @pte: of the PTE.
 * @page_state: COWTRACE_PG_* of @page.
 * @pte_state: COWTRACE_PTE_* of @pte.
 *
 * All 0 is true of itself.
 */
struct cow_alike {
	unsigned long	page;
	u64		pte;
	u32		page_state;
	u32		pte_state;
};

/* The first frame behind the memory that was there when the module came. */
extern unsigned long cow_end_pfn;

/* Find it: see cow_normal_page(). */
void cow_sample_init(void);

/* Rare parts of the inlined, and therefore calls. */
void cow_sample_large(struct cow_sampled *s, struct page *page);
void cow_sample_swap(struct cow_sampled *s, struct page *page);
void cow_sample_table(struct cow_sampled *s, const struct vm_fault *vmf, struct page *page);

/**
 * cow_sample_pmd() - sample a fault of a huge PMD, at the entry of do_huge_pmd_wp_page()
 * @e: filled but for @generation, @users and @proof.
 * @regs: at the entry of the function.
 * @ip: the function.
 * @alike: of this CPU.
 *
 * The ptl is not held yet, but mmap or VMA lock: the page may change or go, its
 * struct page stays readable.
 * Context: preemption off.
 * Return: false when the arguments make no sense.
 */
bool cow_sample_pmd(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip,
		    struct cow_alike *alike);

/* The same for hugetlb_wp(), under the ptl. */
bool cow_sample_hugetlb(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip,
			struct cow_alike *alike);

#endif /* COW_SAMPLE_H */
