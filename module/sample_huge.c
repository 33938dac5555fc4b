// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>

#include "compat/compat.h"
#include "compat/huge.h"
#include "sample.h"
#include "sample_entry.h"

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

static void sample_thp(struct cow_sampled *s, struct found *f, struct page *page,
		       struct cow_alike *alike)
{
	/* Only anonymous mappings come here: anything else is the huge zero page. */
	if (!((unsigned long)READ_ONCE(cow_head(page)->mapping) & COW_MAPPING_ANON)) {
		s->kind = COWTRACE_KIND_ZERO;
		return;
	}
	s->kind = COWTRACE_KIND_THP;
	sample_page(s, f, page, alike);
	/* Without the ptl it may be another's by now, and its order anything: no walk over that. */
	if (s->order != HPAGE_PMD_ORDER) {
		f->present &= ~COWTRACE_HAS_FOLIO_MAPCOUNT;
		return;
	}
	s->folio_mapcount = cow_thp_mapcount(page, s->order);
	f->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
}

bool cow_sample_pmd(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip,
		    struct cow_alike *alike)
{
	const struct vm_fault *vmf = (const struct vm_fault *)cow_arg0(regs);
	pmd_t pmd = cow_orig_pmd(vmf, cow_arg1(regs));
	struct cow_sampled *s = &e->s;
	struct found f = begin(e, COWTRACE_PATH_PMD, vmf->vma, vmf, vmf->pmd,
			       cow_real_address(vmf), vmf->flags);

	s->kind = COWTRACE_KIND_UNKNOWN;
	s->pfn = pmd_pfn(pmd);
	if (pmd_same(READ_ONCE(*vmf->pmd), pmd))
		sample_thp(s, &f, pfn_to_page(s->pfn), alike);
	/* What was sampled may have belonged to another page already. */
	if (!pmd_same(READ_ONCE(*vmf->pmd), pmd))
		f.evidence |= COWTRACE_EV_UNSTABLE;
	f.state |= pmd_states(pmd);
	finish(s, f, s->kind);
	return true;
}

bool cow_sample_hugetlb(struct cow_entry *e, const struct pt_regs *regs, unsigned long ip,
			struct cow_alike *alike)
{
	struct cow_hugetlb_fault h;
	struct cow_sampled *s = &e->s;
	struct found f;
	pte_t pte;

	if (!cow_hugetlb_fault(&h, regs))
		return false;
	pte = ptep_get(h.ptep);
	f = begin(e, COWTRACE_PATH_HUGETLB, h.vma, NULL, h.ptep, h.address, h.flags);
	if (!cow_hugetlb_flags_known && s->origin != COWTRACE_ORIGIN_REMOTE)
		s->origin = COWTRACE_ORIGIN_UNKNOWN;
	s->pfn = pte_pfn(pte);
	sample_page(s, &f, pte_page(pte), alike);
	f.state |= pte_states(pte);
	finish(s, f, COWTRACE_KIND_HUGETLB);
	return true;
}
