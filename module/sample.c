// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>

#include "compat/compat.h"
#include "sample.h"
#include "symbols.h"

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

static u8 origin_of(u32 fault_flags, unsigned long ret_ip)
{
	if (fault_flags & COWTRACE_FAULT_FLAG_UNSHARE)
		return COWTRACE_ORIGIN_UNSHARE;
	if (fault_flags & FAULT_FLAG_REMOTE)
		return COWTRACE_ORIGIN_REMOTE;
	switch (cow_caller(ret_ip)) {
	case COW_CALLER_SWAP:
		return COWTRACE_ORIGIN_SWAPIN;
	case COW_CALLER_FAULT:
		return fault_flags & FAULT_FLAG_USER ? COWTRACE_ORIGIN_USER :
						      COWTRACE_ORIGIN_KERNEL;
	default:
		return COWTRACE_ORIGIN_UNKNOWN;
	}
}

/*
 * The PTE maps the page and we hold its lock, so the page can be neither
 * freed nor split; its counts and states may still move under our hands.
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

void cow_sample_entry(struct cow_entry *e, struct vm_fault *vmf)
{
	const struct vm_area_struct *vma = vmf->vma;
	struct page *page = cow_normal_page(vmf->orig_pte);

	*e = (struct cow_entry) {
		.time_ns	= ktime_get_mono_fast_ns(),
		.vmf		= vmf,
		.orig_pte	= vmf->orig_pte,
		.address	= cow_real_address(vmf),
		.vm_flags	= vma->vm_flags,
		.fault_flags	= vmf->flags,
		.state		= pte_states(vmf->orig_pte),
	};
	if (COW_TRAITS & COWTRACE_TRAIT_EXCLUSIVE)
		e->present |= COWTRACE_HAS_EXCLUSIVE;
	if (!(current->flags & PF_KTHREAD) && user_mode(task_pt_regs(current))) {
		e->ip = instruction_pointer(task_pt_regs(current));
		e->present |= COWTRACE_HAS_IP;
	}
	if (page && !is_zero_pfn(page_to_pfn(page)))
		sample_page(e, page);
	e->kind = kind_of(page, vmf->orig_pte, e->state);
	if (atomic_read(&vma->vm_mm->mm_users) == 1)
		e->evidence |= COWTRACE_EV_ALONE;
}

/*
 * Page tables may be freed under us from 6.12 on, but only after an RCU grace
 * period; the PMD table stays as long as the mmap or VMA lock is held.
 */
static bool read_pte(const struct vm_fault *vmf, pte_t *pte)
{
	bool there;
	pmd_t pmd;

	rcu_read_lock();
	pmd = READ_ONCE(*vmf->pmd);
	there = pmd_present(pmd) && !pmd_trans_huge(pmd) && !pmd_bad(pmd);
	if (there)
		*pte = ptep_get(pte_offset_kernel(&pmd, vmf->address));
	rcu_read_unlock();
	return there;
}

static void sample_exit_pte(struct cowtrace_record *r, const struct cow_entry *e)
{
	pte_t pte;

	if (r->ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_COMPLETED)) {
		/* The lock was dropped: vmf's mapping and tables may be gone. */
		r->evidence |= COWTRACE_EV_UNLOCKED;
		return;
	}
	if (atomic_read(&e->vmf->vma->vm_mm->mm_users) != 1)
		r->evidence &= ~COWTRACE_EV_ALONE;
	if (!read_pte(e->vmf, &pte))
		return;

	r->evidence |= COWTRACE_EV_PTE;
	if (!pte_present(pte))
		return;
	r->present |= COWTRACE_HAS_NEW_PFN;
	r->new_pfn = pte_pfn(pte);
	r->state |= COWTRACE_EXIT_PRESENT;
	if (pte_write(pte))
		r->state |= COWTRACE_EXIT_WRITE;
	if (pte_dirty(pte))
		r->state |= COWTRACE_EXIT_DIRTY;
	if ((r->state & COWTRACE_PG_ANON) && r->new_pfn == r->pfn &&
	    cow_anon_exclusive(pte_page(pte)))
		r->state |= COWTRACE_EXIT_EXCLUSIVE;
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
		.pfn		= pte_pfn(e->orig_pte),
		.fault_flags	= e->fault_flags,
		.ret		= ret,
		.refcount	= e->refcount,
		.mapcount	= e->mapcount,
		.folio_mapcount	= e->folio_mapcount,
		.pincount	= e->pincount,
		.state		= e->state,
		.evidence	= e->evidence,
		.present	= e->present,
		.path		= COWTRACE_PATH_PTE,
		.origin		= origin_of(e->fault_flags, ret_ip),
		.kind		= e->kind,
		.order		= e->order,
		.node		= e->node,
	};
	/* Another task may rename this one at any time; each byte is then old or new. */
	memcpy(r->comm, current->comm, sizeof(r->comm));
	r->comm[sizeof(r->comm) - 1] = '\0';
	sample_exit_pte(r, e);
}
