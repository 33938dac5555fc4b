/* SPDX-License-Identifier: GPL-2.0 */
/* The entries of faults of huge pages, as module/sample_huge.c. */
#ifndef COW_BPF_HUGE_H
#define COW_BPF_HUGE_H

#include "entry.bpf.h"

/* Mappings of all pages of a THP, where the kernel keeps no sum: see module/compat/huge.h. */
static __always_inline int thp_mapcount(struct page *head)
{
	int maps = entire_mapcount(head);

	for (int i = 0; i < PTES; i++) {
		struct page *page = nth(head, i);

		maps += READ_ATOMIC(page, _mapcount) + 1;
	}
	return mapped_both_ways(head) ? maps - PTES : maps;
}

static __always_inline void sample_thp(struct cowtrace_record *r)
{
	struct page *page = page_of(r->pfn), *head = head_of(page);

	/* Only anonymous mappings come here: anything else is the huge zero page. */
	if (!((unsigned long)READ(head, mapping) & COWTRACE_MAPPING_ANON)) {
		r->kind = COWTRACE_KIND_ZERO;
		return;
	}
	r->kind = COWTRACE_KIND_THP;
	sample_page(r, page, head, false);
	if (!mappings_counted())
		r->folio_mapcount = thp_mapcount(head);
	r->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
}

/* do_huge_pmd_wp_page(vmf, [orig_pmd until 5.13]) */
static __always_inline int pmd_enter(__u64 vmf, __u64 orig_pmd)
{
	struct cow_bpf_counters *c = my_counters();
	struct vm_fault *v = (void *)vmf;
	struct cowtrace_record *r;
	struct inflight *f;

	if (!c || !settings.enabled)
		return 0;
	COUNT(c, pmd_entries);
	if (!admit(c))
		return 0;
	f = place_for(vmf, c);
	if (!f)
		return 0;
	if (bpf_core_field_exists(v->orig_pmd))
		orig_pmd = READ(v, orig_pmd.pmd);
	r = &f->r;
	f->vmf = vmf;
	f->slot = (__u64)READ(v, pmd);
	begin(f, COWTRACE_PATH_PMD, (__u64)READ(v, vma), fault_address(v), fault_flags(vmf));
	r->pfn = pmd_frame(orig_pmd);
	if (read_at((void *)f->slot) == orig_pmd)
		sample_thp(r);
	/* What was sampled may have belonged to another page already. */
	if (read_at((void *)f->slot) != orig_pmd)
		r->evidence |= COWTRACE_EV_UNSTABLE;
	r->state |= entry_states(orig_pmd);
	COUNT(c, handed_on);
	return 0;
}

/* hugetlb_wp() with a vm_fault among its arguments, or hugetlb_cow(mm, vma, address, ptep). */
static __always_inline int hugetlb_enter(__u64 a0, __u64 a1, __u64 a2, __u64 a3, __u64 a4)
{
	__u64 vmf = settings.hugetlb_vmf == 1 ? a0 : settings.hugetlb_vmf == 2 ? a1 : 0;
	bool flags_known = vmf || knows_exclusive();
	struct cow_bpf_counters *c = my_counters();
	struct vm_fault *v = (void *)vmf;
	struct cowtrace_record *r;
	struct inflight *f;
	struct page *page;
	__u64 slot, pte;

	if (!c || !settings.enabled)
		return 0;
	COUNT(c, hugetlb_entries);
	if (!admit(c))
		return 0;
	slot = vmf ? (__u64)READ(v, pte) : a3;
	f = place_for(slot, c);
	if (!f)
		return 0;
	r = &f->r;
	f->slot = slot;
	if (vmf)
		begin(f, COWTRACE_PATH_HUGETLB, (__u64)READ(v, vma), fault_address(v),
		      fault_flags(vmf));
	else
		begin(f, COWTRACE_PATH_HUGETLB, a1, a2,
		      flags_known ? a4 : COWTRACE_FAULT_FLAG_WRITE);
	if (!flags_known && r->origin != COWTRACE_ORIGIN_REMOTE)
		r->origin = COWTRACE_ORIGIN_UNKNOWN;
	pte = read_at((void *)slot);
	r->pfn = pte_frame(pte);
	page = page_of(r->pfn);
	sample_page(r, page, head_of(page), true);
	r->state |= entry_states(pte);
	if (pte & COWTRACE_X86_SPECIAL)
		r->state |= COWTRACE_PTE_SPECIAL;
	r->kind = COWTRACE_KIND_HUGETLB;
	COUNT(c, handed_on);
	return 0;
}

#endif /* COW_BPF_HUGE_H */
