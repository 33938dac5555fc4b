// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>

#include "compat/compat.h"
#include "caller.h"
#include "compat/huge.h"
#include "sample.h"
#include "swap.h"

/* Each test is one load of its own: together they are not one moment. */
static u32 page_states(struct page *page)
{
	u32 state = 0;

	if (cow_test(page, anon, Anon))
		state |= COWTRACE_PG_ANON;
	if (cow_page_ksm(page))
		state |= COWTRACE_PG_KSM;
	if (cow_test(page, swapcache, SwapCache))
		state |= COWTRACE_PG_SWAPCACHE;
	if (cow_test(page, lru, LRU))
		state |= COWTRACE_PG_LRU;
	if (cow_test(page, writeback, Writeback))
		state |= COWTRACE_PG_WRITEBACK;
	if (cow_test(page, locked, Locked))
		state |= COWTRACE_PG_LOCKED;
	if (cow_test(page, dirty, Dirty))
		state |= COWTRACE_PG_DIRTY;
	if (cow_test(page, mlocked, Mlocked))
		state |= COWTRACE_PG_MLOCKED;
	if (cow_test(page, private, Private))
		state |= COWTRACE_PG_PRIVATE;
	if (cow_maybe_pinned(page))
		state |= COWTRACE_PG_PINNED;
	if ((state & COWTRACE_PG_ANON) && !(state & COWTRACE_PG_KSM) && cow_anon_exclusive(page))
		state |= COWTRACE_PG_EXCLUSIVE;
	return state;
}

static u32 pte_states(pte_t pte)
{
	u32 state = 0;

	if (pte_dirty(pte))
		state |= COWTRACE_PTE_DIRTY;
	if (pte_young(pte))
		state |= COWTRACE_PTE_YOUNG;
	if (pte_soft_dirty(pte))
		state |= COWTRACE_PTE_SOFT_DIRTY;
	if (cow_pte_uffd_wp(pte))
		state |= COWTRACE_PTE_UFFD_WP;
	if (pte_special(pte))
		state |= COWTRACE_PTE_SPECIAL;
	return state;
}

static u32 pmd_states(pmd_t pmd)
{
	u32 state = 0;

	if (pmd_dirty(pmd))
		state |= COWTRACE_PTE_DIRTY;
	if (pmd_young(pmd))
		state |= COWTRACE_PTE_YOUNG;
	if (pmd_soft_dirty(pmd))
		state |= COWTRACE_PTE_SOFT_DIRTY;
	if (cow_pmd_uffd_wp(pmd))
		state |= COWTRACE_PTE_UFFD_WP;
	return state;
}

static u8 kind_of(struct page *page, pte_t pte, u32 state)
{
	if (is_zero_pfn(pte_pfn(pte)))
		return COWTRACE_KIND_ZERO;
	if (!page)
		return COWTRACE_KIND_SPECIAL;
	if (state & COWTRACE_PG_KSM)
		return COWTRACE_KIND_KSM;
	return state & COWTRACE_PG_ANON ? COWTRACE_KIND_ANON : COWTRACE_KIND_FILE;
}

/* Only do_wp_page() has two callers; the others are told by the flags alone. */
static u8 origin_of(const struct cow_entry *e, unsigned long ret_ip)
{
	if (e->fault_flags & COWTRACE_FAULT_FLAG_UNSHARE)
		return COWTRACE_ORIGIN_UNSHARE;
	if (e->fault_flags & FAULT_FLAG_REMOTE || e->mm != current->mm)
		return COWTRACE_ORIGIN_REMOTE;
	if (e->path == COWTRACE_PATH_HUGETLB && !cow_hugetlb_flags_known)
		return COWTRACE_ORIGIN_UNKNOWN;
	if (e->path == COWTRACE_PATH_PTE) {
		enum cow_caller caller = e->caller ?: cow_caller(ret_ip);

		if (caller == COW_CALLER_SWAP)
			return COWTRACE_ORIGIN_SWAPIN;
		if (caller == COW_CALLER_UNKNOWN)
			return COWTRACE_ORIGIN_UNKNOWN;
	}
	return e->fault_flags & FAULT_FLAG_USER ? COWTRACE_ORIGIN_USER : COWTRACE_ORIGIN_KERNEL;
}

/*
 * Under the lock of the PTE that maps it, the page can be neither freed nor
 * split; its counts and states may still move under our hands.
 */
static void sample_page(struct cow_entry *e, struct page *page)
{
	int before = page_count(page);

	e->present |= COWTRACE_HAS_PAGE;
	e->order = cow_page_order(page);
	e->mapcount = cow_page_mapcount(page);
	if (cow_folio_mapcount(page, e->order, &e->folio_mapcount))
		e->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	if (cow_pincount(page, e->order, &e->pincount))
		e->present |= COWTRACE_HAS_PINCOUNT;
	if (e->order && cow_mm_shared(page))
		e->state |= COWTRACE_PG_MM_SHARED;
	e->state |= page_states(page);
	e->node = page_to_nid(page);
	e->refcount = page_count(page);
	if (e->refcount != before)
		e->evidence |= COWTRACE_EV_UNSTABLE;
}

static void begin(struct cow_entry *e, u8 path, const struct vm_area_struct *vma,
		  unsigned long address, unsigned int fault_flags)
{
	*e = (struct cow_entry) {
		.time_ns	= ktime_get_mono_fast_ns(),
		.mm		= vma->vm_mm,
		.address	= address,
		.vm_flags	= vma->vm_flags,
		.fault_flags	= fault_flags,
		.pgreuse	= cow_pgreuse(),
		.switches	= current->nvcsw + current->nivcsw,
		.path		= path,
	};
	if (COW_TRAITS & COWTRACE_TRAIT_EXCLUSIVE)
		e->present |= COWTRACE_HAS_EXCLUSIVE;
	if (!(current->flags & PF_KTHREAD) && user_mode(task_pt_regs(current))) {
		e->ip = instruction_pointer(task_pt_regs(current));
		e->present |= COWTRACE_HAS_IP;
	}
	if (atomic_read(&e->mm->mm_users) == 1)
		e->evidence |= COWTRACE_EV_ALONE;
}

/* What the page table of the fault has of the folio; the rest may be anywhere. */
static u16 mapped_here(const struct vm_fault *vmf, struct page *page, unsigned int order)
{
	unsigned long slot = pte_index(vmf->address), index = page - compound_head(page);
	unsigned long first = slot - min(slot, index);
	unsigned long end = min(slot - index + (1ul << order), (unsigned long)PTRS_PER_PTE);
	/* The frame that the first slot of the table would have in that row. */
	unsigned long base = page_to_pfn(page) - slot;
	const pte_t *table = vmf->pte - slot;
	u16 n = 0;

	for (; first < end; first++) {
		pte_t pte = ptep_get((pte_t *)table + first);

		n += pte_present(pte) && pte_pfn(pte) == base + first;
	}
	return n;
}

bool cow_sample_wp(struct cow_entry *e, const struct cow_args *args)
{
	const struct vm_fault *vmf = (const struct vm_fault *)args->arg[0];
	struct page *page = cow_normal_page(vmf->orig_pte);

	begin(e, COWTRACE_PATH_PTE, vmf->vma, cow_real_address(vmf), vmf->flags);
	e->vmf = vmf;
	e->slot = vmf->pmd;
	e->caller = cow_caller(args->ret_ip);
	e->pfn = pte_pfn(vmf->orig_pte);
	e->state = pte_states(vmf->orig_pte);
	if (page && !is_zero_pfn(e->pfn)) {
		sample_page(e, page);
		if ((e->state & COWTRACE_PG_SWAPCACHE) && cow_swap_count(page, &e->swapcount))
			e->present |= COWTRACE_HAS_SWAPCOUNT;
		if (e->order) {
			e->mapped_here = mapped_here(vmf, page, e->order);
			e->present |= COWTRACE_HAS_MAPPED_HERE;
		}
	}
	e->kind = kind_of(page, vmf->orig_pte, e->state);
	return true;
}

static void sample_thp(struct cow_entry *e, struct page *page)
{
	/* Only anonymous mappings come here: anything else is the huge zero page. */
	if (!cow_test(page, anon, Anon)) {
		e->kind = COWTRACE_KIND_ZERO;
		return;
	}
	e->kind = COWTRACE_KIND_THP;
	sample_page(e, page);
	e->folio_mapcount = cow_thp_mapcount(page, e->order);
	e->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
}

bool cow_sample_pmd(struct cow_entry *e, const struct cow_args *args)
{
	const struct vm_fault *vmf = (const struct vm_fault *)args->arg[0];
	pmd_t pmd = cow_orig_pmd(vmf, args->arg[1]);

	begin(e, COWTRACE_PATH_PMD, vmf->vma, cow_real_address(vmf), vmf->flags);
	e->vmf = vmf;
	e->slot = vmf->pmd;
	e->pfn = pmd_pfn(pmd);
	e->state = pmd_states(pmd);
	if (pmd_same(READ_ONCE(*vmf->pmd), pmd))
		sample_thp(e, pfn_to_page(e->pfn));
	/* What was sampled may have belonged to another page already. */
	if (!pmd_same(READ_ONCE(*vmf->pmd), pmd))
		e->evidence |= COWTRACE_EV_UNSTABLE;
	return true;
}

bool cow_sample_hugetlb(struct cow_entry *e, const struct cow_args *args)
{
	struct cow_hugetlb_fault f;
	pte_t pte;

	if (!cow_hugetlb_fault(&f, args->arg))
		return false;
	pte = ptep_get(f.ptep);
	begin(e, COWTRACE_PATH_HUGETLB, f.vma, f.address, f.flags);
	e->slot = f.ptep;
	e->pfn = pte_pfn(pte);
	e->state = pte_states(pte);
	e->kind = COWTRACE_KIND_HUGETLB;
	sample_page(e, pte_page(pte));
	return true;
}

/*
 * Page tables may be freed under us from 6.12 on, but only after an RCU grace
 * period; the PMD table stays as long as the mmap or VMA lock is held.
 */
static bool read_pte(const struct cow_entry *e, pte_t *pte)
{
	bool there;
	pmd_t pmd;

	rcu_read_lock();
	pmd = READ_ONCE(*(pmd_t *)e->slot);
	there = pmd_present(pmd) && !pmd_trans_huge(pmd) && !pmd_bad(pmd);
	if (there)
		*pte = ptep_get(pte_offset_kernel(&pmd, e->address));
	rcu_read_unlock();
	return there;
}

static void exit_page(struct cowtrace_record *r, u64 pfn, bool write, bool dirty)
{
	r->present |= COWTRACE_HAS_NEW_PFN;
	r->new_pfn = pfn;
	r->state |= COWTRACE_EXIT_PRESENT;
	if (write)
		r->state |= COWTRACE_EXIT_WRITE;
	if (dirty)
		r->state |= COWTRACE_EXIT_DIRTY;
	if ((r->state & COWTRACE_PG_ANON) && pfn == r->pfn &&
	    cow_anon_exclusive(pfn_to_page(pfn)))
		r->state |= COWTRACE_EXIT_EXCLUSIVE;
}

static void exit_pte(struct cowtrace_record *r, pte_t pte)
{
	r->evidence |= COWTRACE_EV_PTE;
	if (pte_present(pte))
		exit_page(r, pte_pfn(pte), pte_write(pte), pte_dirty(pte));
}

static void exit_pmd(struct cowtrace_record *r, pmd_t pmd)
{
	r->evidence |= COWTRACE_EV_PTE;
	if (!pmd_present(pmd))
		return;
	if (pmd_trans_huge(pmd))
		exit_page(r, pmd_pfn(pmd), pmd_write(pmd), pmd_dirty(pmd));
	else
		r->state |= COWTRACE_EXIT_TABLE;
}

static void sample_exit_slot(struct cowtrace_record *r, const struct cow_entry *e)
{
	pte_t pte;

	if (r->ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_COMPLETED)) {
		/* The lock was dropped: mapping and page tables may be gone. */
		r->evidence |= COWTRACE_EV_UNLOCKED;
		return;
	}
	if (atomic_read(&e->mm->mm_users) != 1)
		r->evidence &= ~COWTRACE_EV_ALONE;
	if (e->path == COWTRACE_PATH_PMD)
		exit_pmd(r, READ_ONCE(*(pmd_t *)e->slot));
	else if (e->path == COWTRACE_PATH_HUGETLB)
		exit_pte(r, ptep_get(e->slot));
	else if (read_pte(e, &pte))
		exit_pte(r, pte);
}

/*
 * wp_page_reuse() counts in the event pgreuse of its CPU. A task that never left
 * its CPU had it to itself: the difference is its own doing.
 */
static void sample_exit_count(struct cowtrace_record *r, const struct cow_entry *e)
{
	u32 reuses = cow_pgreuse() - e->pgreuse;

	if (e->path != COWTRACE_PATH_PTE || reuses > 1 ||
	    (u32)(current->nvcsw + current->nivcsw) != e->switches)
		return;
	r->evidence |= COWTRACE_EV_COUNTED;
	if (reuses)
		r->evidence |= COWTRACE_EV_REUSED;
}

/*
 * The page may have been freed since. Its flags are read bare: what asks for the
 * head of a folio must hold a reference to it.
 */
static void sample_exit_page(struct cowtrace_record *r)
{
	const unsigned long cached = BIT(PG_swapcache) | BIT(PG_swapbacked);
	unsigned long flags;

	if (r->path != COWTRACE_PATH_PTE || !(r->state & COWTRACE_PG_ANON) || r->order)
		return;
	flags = cow_page_flags(pfn_to_page(r->pfn));
	if (!(r->state & COWTRACE_PG_LRU) && (flags & BIT(PG_lru)))
		r->state |= COWTRACE_EXIT_LRU;
	/* The bit is used otherwise in a page that swap does not back. */
	if (r->state & COWTRACE_PG_SWAPCACHE)
		r->state |= (flags & cached) == cached ? COWTRACE_EXIT_SWAPCACHE :
							 COWTRACE_EXIT_UNCACHED;
}

void cow_sample_exit(struct cowtrace_record *r, const struct cow_entry *e, unsigned long ret,
		     unsigned long ret_ip)
{
	u64 duration = ktime_get_mono_fast_ns() - e->time_ns;

	*r = (struct cowtrace_record) {
		.cpu		= smp_processor_id(),
		.type		= COWTRACE_TYPE_FAULT,
		.magic		= COWTRACE_RECORD_MAGIC,
		.time_ns	= e->time_ns,
		.duration_ns	= min_t(u64, duration, U32_MAX),
		.pid		= current->pid,
		.tgid		= current->tgid,
		.uid		= from_kuid(&init_user_ns, current_uid()),
		.address	= e->address,
		.ip		= e->ip,
		.vm_flags	= e->vm_flags,
		.pfn		= e->pfn,
		.fault_flags	= e->fault_flags,
		.ret		= ret,
		.refcount	= e->refcount,
		.mapcount	= e->mapcount,
		.folio_mapcount	= e->folio_mapcount,
		.pincount	= e->pincount,
		.swapcount	= e->swapcount,
		.mapped_here	= e->mapped_here,
		.state		= e->state,
		.evidence	= e->evidence,
		.present	= e->present,
		.path		= e->path,
		.origin		= origin_of(e, ret_ip),
		.kind		= e->kind,
		.order		= e->order,
		.node		= e->node,
	};
	/* Another task may rename this one at any time; each byte is then old or new. */
	memcpy(r->comm, current->comm, sizeof(r->comm));
	r->comm[sizeof(r->comm) - 1] = '\0';
	/* vmf stands on the caller's stack, whatever became of the locks. */
	if (e->path == COWTRACE_PATH_PTE && (r->state & COWTRACE_PTE_UFFD_WP) &&
	    !cow_pte_uffd_wp(e->vmf->orig_pte))
		r->state |= COWTRACE_EXIT_UFFD_ASYNC;
	sample_exit_count(r, e);
	sample_exit_slot(r, e);
	sample_exit_page(r);
}
