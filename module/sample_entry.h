/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sample_entry: what the entries of all paths have in common. Inlined into each
 * handler: a call costs the saving of six registers, about as much as all that is
 * read of a page. Costs in the comments are instructions on 6.12.
 */
#ifndef COW_SAMPLE_ENTRY_H
#define COW_SAMPLE_ENTRY_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "caller.h"
#include "clock.h"
#include "compat/compat.h"
#include "sample.h"
#include "task.h"

/* The flag of the record for the bit of @bits that has the number @from. */
#define COW_FLAG(bits, from, flag)	((bits) & BIT(from) ? (flag) : 0)

/* The flags of struct page that a record tells. */
#define COW_PAGE_FLAGS	(BIT(PG_lru) | BIT(PG_writeback) | BIT(PG_locked) | BIT(PG_dirty) |	\
			 BIT(PG_mlocked) | BIT(PG_private) | BIT(PG_swapcache) |		\
			 BIT(PG_swapbacked) | BIT(PG_head) | cow_exclusive_bit)

/* All but PG_EXCLUSIVE of a large folio, which each of its pages has for itself. */
static inline u32 page_states(unsigned long flags, unsigned long mapping)
{
	u32 state = COW_FLAG(flags, PG_lru, COWTRACE_PG_LRU) |
		    COW_FLAG(flags, PG_writeback, COWTRACE_PG_WRITEBACK) |
		    COW_FLAG(flags, PG_locked, COWTRACE_PG_LOCKED) |
		    COW_FLAG(flags, PG_dirty, COWTRACE_PG_DIRTY) |
		    COW_FLAG(flags, PG_mlocked, COWTRACE_PG_MLOCKED) |
		    COW_FLAG(flags, PG_private, COWTRACE_PG_PRIVATE);

	if (cow_in_swapcache(flags))
		state |= COWTRACE_PG_SWAPCACHE;
	if ((mapping & COW_MAPPING_FLAGS) == COW_MAPPING_KSM)
		state |= COWTRACE_PG_ANON | COWTRACE_PG_KSM;
	else if (mapping & COW_MAPPING_ANON)
		state |= COWTRACE_PG_ANON |
			 (flags & cow_exclusive_bit && !(flags & BIT(PG_head)) ?
			  COWTRACE_PG_EXCLUSIVE : 0);
	return state;
}

/*
 * Pages and PTEs of a load are much alike: the translation of their flags, some 40
 * and 20 instructions, is kept, which makes it 8 and 5. One load of flags and one of
 * mapping tell what folio_test_*() of the kernel ask a load each for.
 */
static __always_inline u32 page_states_again(struct cow_alike *alike, unsigned long flags,
					     unsigned long mapping)
{
	/* Nobody asked for the highest bits of flags: the lowest of mapping go there. */
	unsigned long key = (flags & COW_PAGE_FLAGS) | mapping << (BITS_PER_LONG - 2);

	BUILD_BUG_ON(COW_MAPPING_FLAGS != 3 || COW_PAGE_FLAGS >> (BITS_PER_LONG - 2));
	if (unlikely(key != alike->page)) {
		alike->page = key;
		alike->page_state = page_states(flags, mapping);
	}
	return alike->page_state;
}

static inline u32 pte_states(pte_t pte)
{
	return (pte_dirty(pte) ? COWTRACE_PTE_DIRTY : 0) |
	       (pte_young(pte) ? COWTRACE_PTE_YOUNG : 0) |
	       (pte_soft_dirty(pte) ? COWTRACE_PTE_SOFT_DIRTY : 0) |
	       (cow_pte_uffd_wp(pte) ? COWTRACE_PTE_UFFD_WP : 0) |
	       (pte_special(pte) ? COWTRACE_PTE_SPECIAL : 0);
}

static __always_inline u32 pte_states_again(struct cow_alike *alike, pte_t pte)
{
	u64 flags = pte_flags(pte);

	if (unlikely(flags != alike->pte)) {
		alike->pte = flags;
		alike->pte_state = pte_states(pte);
	}
	return alike->pte_state;
}

static __always_inline u8 kind_of(struct page *page, u64 pfn, u32 state)
{
	if (is_zero_pfn(pfn))
		return COWTRACE_KIND_ZERO;
	if (!page)
		return COWTRACE_KIND_SPECIAL;
	if (state & COWTRACE_PG_KSM)
		return COWTRACE_KIND_KSM;
	return state & COWTRACE_PG_ANON ? COWTRACE_KIND_ANON : COWTRACE_KIND_FILE;
}

/* Where an access comes from, as far as its flags tell. */
static __always_inline u8 origin_of(const struct mm_struct *mm, unsigned int fault_flags)
{
	if (fault_flags & COWTRACE_FAULT_FLAG_UNSHARE)
		return COWTRACE_ORIGIN_UNSHARE;
	if (fault_flags & FAULT_FLAG_REMOTE || mm != current->mm)
		return COWTRACE_ORIGIN_REMOTE;
	return fault_flags & FAULT_FLAG_USER ? COWTRACE_ORIGIN_USER : COWTRACE_ORIGIN_KERNEL;
}

/* The same, now that the function has called it that do_wp_page() will return to. */
static __always_inline u8 origin_by(enum cow_caller caller, u8 origin)
{
	if (likely(caller == COW_CALLER_FAULT) || origin == COWTRACE_ORIGIN_UNSHARE ||
	    origin == COWTRACE_ORIGIN_REMOTE)
		return origin;
	return caller == COW_CALLER_SWAP ? COWTRACE_ORIGIN_SWAPIN : COWTRACE_ORIGIN_UNKNOWN;
}

/**
 * struct found - flags of a record, in registers until all are known
 * @state: COWTRACE_PG_* and COWTRACE_PTE_*.
 * @evidence: COWTRACE_EV_*.
 * @present: COWTRACE_HAS_*.
 */
struct found {
	u32	state;
	u16	evidence;
	u16	present;
};

/* What is rare is sampled by calls, which add to the flags in the record. */
#define COW_ADD_RARE(found, s, call) do {			\
	(s)->state = 0;					\
	(s)->present = 0;				\
	call;						\
	(found)->state |= (s)->state;			\
	(found)->present |= (s)->present;		\
} while (0)

/*
 * Under the lock of the PTE that maps it, the page can be neither freed nor
 * split; its counts and states may still move under our hands. One cache line,
 * that of struct page, which the kernel reads next itself. 40 instructions.
 */
static __always_inline void sample_page(struct cow_sampled *s, struct found *f, struct page *page,
					struct cow_alike *alike)
{
	struct page *head = cow_head(page);
	int before = page_ref_count(head);
	unsigned long flags = cow_page_flags(head);

	f->present |= COWTRACE_HAS_PAGE;
	f->state |= page_states_again(alike, flags, (unsigned long)READ_ONCE(head->mapping));
	/* In the word of the flags, where its bits never change. */
	s->node = data_race(page_to_nid(page));
	if (unlikely(flags & BIT(PG_head))) {
		COW_ADD_RARE(f, s, cow_sample_large(s, page));
		if ((f->state & (COWTRACE_PG_ANON | COWTRACE_PG_KSM)) == COWTRACE_PG_ANON &&
		    cow_anon_exclusive(page))
			f->state |= COWTRACE_PG_EXCLUSIVE;
	} else {
		/* What has a page type has no mappings. */
		s->mapcount = max(atomic_read(&page->_mapcount) + 1, 0);
		s->folio_mapcount = s->mapcount;
		f->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	}
	s->refcount = page_ref_count(head);
	/* page_maybe_dma_pinned() of a small folio. */
	if (unlikely((u32)s->refcount >= GUP_PIN_COUNTING_BIAS) && !(flags & BIT(PG_head)))
		f->state |= COWTRACE_PG_PINNED;
	if (unlikely(s->refcount != before))
		f->evidence |= COWTRACE_EV_UNSTABLE;
}

/* All but pfn, kind and flags; of a page whatever is known without it, none. */
static __always_inline struct found begin(struct cow_entry *e, u8 path,
					  const struct vm_area_struct *vma,
					  const struct vm_fault *vmf, void *slot,
					  unsigned long address, unsigned int fault_flags)
{
	struct task_struct *task = current;
	struct mm_struct *mm = vma->vm_mm;
	struct pt_regs *user = task_pt_regs(task);
	struct cow_sampled *s = &e->s;
	struct found f = { 0 };

	e->began = cow_ticks();
	e->mm = mm;
	e->vmf = vmf;
	e->pgreuse = cow_pgreuse();
	e->switches = cow_switches();
	s->address = address;
	s->vm_flags = vma->vm_flags;
	s->slot = slot;
	s->fault_flags = fault_flags;
	s->ret = 0;
	s->swapcount = 0;
	s->mapped_here = 0;
	s->refcount = 0;
	s->mapcount = 0;
	s->folio_mapcount = 0;
	s->pincount = 0;
	s->path = path;
	s->origin = origin_of(mm, fault_flags);
	s->outcome = 0;
	s->reason = 0;
	s->order = 0;
	s->node = 0;
	if (COW_TRAITS & COWTRACE_TRAIT_EXCLUSIVE)
		f.present |= COWTRACE_HAS_EXCLUSIVE;
	s->ip = 0;
	if (likely(!(task->flags & PF_KTHREAD) && user_mode(user))) {
		s->ip = instruction_pointer(user);
		f.present |= COWTRACE_HAS_IP;
	}
	if (atomic_read(&mm->mm_users) == 1)
		f.evidence |= COWTRACE_EV_ALONE;
	return f;
}

static __always_inline void finish(struct cow_sampled *s, struct found f, u8 kind)
{
	s->kind = kind;
	s->state = f.state;
	s->evidence = f.evidence;
	s->present = f.present;
}

/**
 * cow_sample_wp() - sample a fault of one PTE, at the entry of do_wp_page()
 * @e: filled but for @generation, @users and @proof.
 * @regs: at the entry of the function.
 * @ip: the function.
 * @alike: of this CPU.
 *
 * Takes no reference and no lock: that would change what is measured.
 * Context: preemption off, the fault's ptl held.
 * Return: true: the arguments are always known.
 */
static __always_inline bool cow_sample_wp(struct cow_entry *e, const struct pt_regs *regs,
					  unsigned long ip, struct cow_alike *alike)
{
	const struct vm_fault *vmf = (const struct vm_fault *)cow_arg0(regs);
	/* Each pte_val() is a call on a kernel that may run on Xen, and pte_pfn() makes one. */
	pteval_t val = pte_val(vmf->orig_pte);
	pte_t pte = native_make_pte(val);
	/* The frame of a PTE without _PAGE_PRESENT (PROT_NONE) is inverted against L1TF. */
	u64 pfn = ((val ^ protnone_mask(val)) & PTE_PFN_MASK) >> PAGE_SHIFT;
	struct page *page = cow_normal_page(pte, pfn, cow_end_pfn);
	struct cow_sampled *s = &e->s;
	struct found f = begin(e, COWTRACE_PATH_PTE, vmf->vma, vmf, vmf->pmd,
			       cow_real_address(vmf), vmf->flags);

	s->origin = origin_by(cow_caller_at(ip, regs), s->origin);
	s->pfn = pfn;
	if (page && !is_zero_pfn(pfn)) {
		sample_page(s, &f, page, alike);
		if (unlikely(f.state & COWTRACE_PG_SWAPCACHE))
			COW_ADD_RARE(&f, s, cow_sample_swap(s, page));
		if (unlikely(s->order))
			COW_ADD_RARE(&f, s, cow_sample_table(s, vmf, page));
	}
	f.state |= pte_states_again(alike, pte);
	finish(s, f, kind_of(page, pfn, f.state));
	return true;
}

#endif /* COW_SAMPLE_ENTRY_H */
