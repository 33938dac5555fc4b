/* SPDX-License-Identifier: GPL-2.0 */
/* The entry of a fault: module/sample_entry.h says why each value is read as it is. */
#ifndef COW_BPF_ENTRY_H
#define COW_BPF_ENTRY_H

#include "task.bpf.h"

/* Is the fault wanted? Return: false when it ends here, accounted for. */
static __always_inline bool admit(struct cow_bpf_counters *c)
{
	COUNT(c, entries);
	if (!wants_task()) {
		COUNT(c, filtered_entry);
		return false;
	}
	if (settings.sample_below != COW_BPF_ANY &&
	    bpf_get_prandom_u32() >= settings.sample_below) {
		COUNT(c, sampled_out);
		return false;
	}
	return true;
}

static __always_inline unsigned int fault_flags(__u64 vmf)
{
	if (bpf_core_field_exists(((struct vm_fault___int *)0)->flags))
		return READ((struct vm_fault___int *)vmf, flags);
	return READ((struct vm_fault___enum *)vmf, flags);
}

static __always_inline __u64 fault_address(struct vm_fault *vmf)
{
	if (bpf_core_field_exists(vmf->real_address))
		return READ(vmf, real_address);
	return READ(vmf, address);
}

static __always_inline __u8 origin_of(struct task_struct *task, __u64 mm, __u32 flags)
{
	if (flags & COWTRACE_FAULT_FLAG_UNSHARE)
		return COWTRACE_ORIGIN_UNSHARE;
	if ((flags & COWTRACE_FAULT_FLAG_REMOTE) || mm != (__u64)READ(task, mm))
		return COWTRACE_ORIGIN_REMOTE;
	return flags & COWTRACE_FAULT_FLAG_USER ? COWTRACE_ORIGIN_USER : COWTRACE_ORIGIN_KERNEL;
}

/* All but what the page-table entry and the page tell. */
static __always_inline void begin(struct inflight *f, __u8 path, __u64 vma, __u64 address,
				  __u32 flags)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cowtrace_record *r = &f->r;

	r->time_ns = bpf_ktime_get_ns();
	f->vma = vma;
	f->mm = (__u64)READ((struct vm_area_struct *)vma, vm_mm);
	f->pgreuse = pgreuse();
	f->switches = switches_of(task);
	r->address = address;
	r->vm_flags = READ((struct vm_area_struct *)vma, vm_flags);
	r->fault_flags = flags;
	r->path = path;
	r->origin = origin_of(task, f->mm, flags);
	if (knows_exclusive())
		r->present |= COWTRACE_HAS_EXCLUSIVE;
	sample_ip(r, task);
	if (READ_ATOMIC((struct mm_struct *)f->mm, mm_users) == 1)
		r->evidence |= COWTRACE_EV_ALONE;
	if (settings.watched & (1u << path))
		r->evidence |= COWTRACE_EV_WATCHED;
}

static __always_inline void sample_large(struct cowtrace_record *r, struct page *page,
					 struct page *head, bool anon, bool hugetlb)
{
	r->order = order_of(head);
	r->mapcount = mapcount_of(page, head, anon, hugetlb);
	if (hugetlb) {
		r->folio_mapcount = r->mapcount;
		r->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	} else if (mappings_counted()) {
		r->folio_mapcount = READ_ATOMIC((struct folio *)head, _large_mapcount) + 1;
		r->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	}
	if (mm_shared(head))
		r->state |= COWTRACE_PG_MM_SHARED;
	if (pins_of(head, r->order, &r->pincount)) {
		r->present |= COWTRACE_HAS_PINCOUNT;
		if (r->pincount)
			r->state |= COWTRACE_PG_PINNED;
	} else if ((__u32)READ_ATOMIC(head, _refcount) >= COWTRACE_PIN_BIAS) {
		r->state |= COWTRACE_PG_PINNED;
	}
}

static __always_inline void sample_page(struct cowtrace_record *r, struct page *page,
					struct page *head, bool hugetlb)
{
	int before = READ_ATOMIC(head, _refcount);
	unsigned long flags = flags_of(head);
	int maps;

	r->present |= COWTRACE_HAS_PAGE;
	r->state |= page_states(flags, (unsigned long)READ(head, mapping));
	if (settings.node_shift)
		r->node = flags_of(page) >> settings.node_shift;
	if (flags & FLAG(PG_head)) {
		sample_large(r, page, head, r->state & COWTRACE_PG_ANON, hugetlb);
		if ((r->state & (COWTRACE_PG_ANON | COWTRACE_PG_KSM)) == COWTRACE_PG_ANON &&
		    is_exclusive(flags_of(page)))
			r->state |= COWTRACE_PG_EXCLUSIVE;
	} else {
		/* What has a page type has no mappings. */
		maps = READ_ATOMIC(page, _mapcount) + 1;
		r->mapcount = maps < 0 ? 0 : maps;
		r->folio_mapcount = r->mapcount;
		r->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	}
	r->refcount = READ_ATOMIC(head, _refcount);
	if (!(flags & FLAG(PG_head)) && (__u32)r->refcount >= COWTRACE_PIN_BIAS)
		r->state |= COWTRACE_PG_PINNED;
	if (r->refcount != before)
		r->evidence |= COWTRACE_EV_UNSTABLE;
}

/* What the page table of the fault has of the folio; the rest may be anywhere. */
static __always_inline void sample_table(struct cowtrace_record *r, __u64 pte, __u64 index)
{
	__u64 slot = (r->address >> PAGE_BITS) % PTES;
	__u32 zero = 0;
	volatile struct table *t = bpf_map_lookup_elem(&tables, &zero);

	if (!t || bpf_probe_read_kernel((void *)t->pte, sizeof(t->pte),
					(void *)(pte & ~((1ull << PAGE_BITS) - 1))))
		return;
	t->first = slot > index ? slot - index : 0;
	t->end = slot + (1ul << (r->order & 31)) - index;
	t->base = r->pfn - slot;
	t->mapped = 0;
	for (__u32 i = 0; i < PTES; i++) {
		__u64 entry = t->pte[i];

		if (i >= t->first && i < t->end && is_present(entry) &&
		    pte_frame(entry) == t->base + i)
			t->mapped += 1;
	}
	r->mapped_here = t->mapped;
	r->present |= COWTRACE_HAS_MAPPED_HERE;
}

static __always_inline void sample_pte(struct inflight *f, struct vm_fault *vmf)
{
	__u64 pte = READ(vmf, orig_pte.pte);
	struct cowtrace_record *r = &f->r;
	struct page *page, *head;

	r->pfn = pte_frame(pte);
	r->state |= entry_states(pte);
	if (pte & COWTRACE_X86_SPECIAL)
		r->state |= COWTRACE_PTE_SPECIAL;
	if (r->pfn == zero_frame()) {
		r->kind = COWTRACE_KIND_ZERO;
		return;
	}
	if (pte & COWTRACE_X86_SPECIAL) {
		r->kind = COWTRACE_KIND_SPECIAL;
		return;
	}
	page = page_of(r->pfn);
	head = head_of(page);
	sample_page(r, page, head, false);
	if ((r->state & COWTRACE_PG_SWAPCACHE) && has_swap_map() &&
	    swap_count(page, head, &r->swapcount))
		r->present |= COWTRACE_HAS_SWAPCOUNT;
	if (r->order)
		sample_table(r, (__u64)READ(vmf, pte),
			     ((__u64)page - (__u64)head) / SIZE_OF_PAGE);
	r->kind = r->state & COWTRACE_PG_KSM ? COWTRACE_KIND_KSM :
		  r->state & COWTRACE_PG_ANON ? COWTRACE_KIND_ANON : COWTRACE_KIND_FILE;
}

/* do_swap_page() has called do_wp_page(), if it has this very vm_fault. */
static __always_inline void sample_caller(struct cowtrace_record *r, __u64 vmf)
{
	__u32 tid = tid_of_current();
	__u64 *in_swap;

	if (r->origin == COWTRACE_ORIGIN_UNSHARE || r->origin == COWTRACE_ORIGIN_REMOTE)
		return;
	if (!settings.callers) {
		r->origin = COWTRACE_ORIGIN_UNKNOWN;
		return;
	}
	in_swap = bpf_map_lookup_elem(&swapping, &tid);
	if (in_swap && *in_swap == vmf)
		r->origin = COWTRACE_ORIGIN_SWAPIN;
}

static __always_inline int wp_enter(__u64 vmf)
{
	struct cow_bpf_counters *c = my_counters();
	bool proof = settings.prover && settings.prover == tid_of_current();
	struct vm_fault *v = (void *)vmf;
	struct inflight *f;

	if (!c)
		return 0;
	if (!proof && (!settings.enabled || !admit(c)))
		return 0;
	f = place_for(vmf, c);
	if (!f)
		return 0;
	f->proof = proof;
	f->vmf = vmf;
	f->slot = (__u64)READ(v, pmd);
	begin(f, COWTRACE_PATH_PTE, (__u64)READ(v, vma), fault_address(v), fault_flags(vmf));
	sample_caller(&f->r, vmf);
	sample_pte(f, v);
	if (!proof)
		COUNT(c, handed_on);
	return 0;
}

#endif /* COW_BPF_ENTRY_H */
