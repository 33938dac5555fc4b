/* SPDX-License-Identifier: GPL-2.0 */
/* huge: what differs between kernels in the arguments and counts of huge pages. */
#ifndef COW_COMPAT_HUGE_H
#define COW_COMPAT_HUGE_H

#include <linux/hugetlb.h>
#include <linux/sched/task_stack.h>

#include "compat.h"

/* The PMD that do_huge_pmd_wp_page(vmf, [orig_pmd until 5.13]) decides on. */
static inline pmd_t cow_orig_pmd(const struct vm_fault *vmf, unsigned long arg1)
{
#ifdef COW_HAVE_VMF_ORIG_PMD
	return vmf->orig_pmd;
#else
	return __pmd(arg1);
#endif
}

static inline bool cow_pmd_uffd_wp(pmd_t pmd)
{
#ifdef COW_HAVE_PTE_UFFD
	return pmd_uffd(pmd);
#else
	return pmd_uffd_wp(pmd);
#endif
}

/*
 * Mappings of all pages of a THP, total_mapcount() of those kernels that export
 * none. It looks at each page, so it is for the rare faults of a whole PMD.
 */
static inline int cow_thp_mapcount(struct page *head, unsigned int order)
{
	int maps = 0;
#ifdef COW_HAVE_FOLIO_LARGE_MAPCOUNT
	cow_folio_mapcount(head, order, &maps);
#else
	int i, pages = 1 << order;

	maps = compound_mapcount(head);
	for (i = 0; i < pages; i++)
		maps += atomic_read(&head[i]._mapcount) + 1;
	/* While PMDs and PTEs map it, each page counts one too many. */
	if (PageDoubleMap(head))
		maps -= pages;
#endif
	return maps;
}

/**
 * struct cow_hugetlb_fault - the arguments of hugetlb_wp() in one form
 * @vma: the mapping.
 * @ptep: the hugetlb entry, under its lock.
 * @address: faulting user address.
 * @flags: FAULT_FLAG_*; of 5.10 FAULT_FLAG_WRITE alone is known.
 */
struct cow_hugetlb_fault {
	struct vm_area_struct	*vma;
	pte_t			*ptep;
	unsigned long		address;
	unsigned int		flags;
};

/* 5.10's hugetlb_cow() does not get the flags of the fault. */
#if defined(COW_HAVE_VM_FAULT_WRITE) && !defined(COW_HAVE_FAULT_FLAG_UNSHARE)
#define cow_hugetlb_flags_known	false
#else
#define cow_hugetlb_flags_known	true
#endif

#ifdef COW_HAVE_VM_FAULT_WRITE

/* hugetlb_cow(mm, vma, addr, ptep, ...), hugetlb_wp(mm, vma, addr, ptep, flags, ...) */
static inline bool cow_hugetlb_fault(struct cow_hugetlb_fault *f, const struct pt_regs *regs)
{
	*f = (struct cow_hugetlb_fault) {
		.vma		= (struct vm_area_struct *)cow_arg1(regs),
		.address	= cow_arg2(regs),
		.ptep		= (pte_t *)cow_arg3(regs),
#ifdef COW_HAVE_FAULT_FLAG_UNSHARE
		.flags		= cow_arg4(regs),
#else
		.flags		= FAULT_FLAG_WRITE,
#endif
	};
	return (unsigned long)f->vma->vm_mm == cow_arg0(regs);
}

#else

/*
 * hugetlb_wp(vmf), or (pagecache_folio, vmf): it changed between two updates of
 * Debian's 6.12, and static functions are in no header. Only vmf is on the stack.
 */
static inline bool cow_hugetlb_fault(struct cow_hugetlb_fault *f, const struct pt_regs *regs)
{
	const struct vm_fault *vmf;

	if (object_is_on_stack((void *)cow_arg0(regs)))
		vmf = (struct vm_fault *)cow_arg0(regs);
	else if (object_is_on_stack((void *)cow_arg1(regs)))
		vmf = (struct vm_fault *)cow_arg1(regs);
	else
		return false;
	*f = (struct cow_hugetlb_fault) {
		.vma		= vmf->vma,
		.ptep		= vmf->pte,
		.address	= vmf->real_address,
		.flags		= vmf->flags,
	};
	return true;
}

#endif

#endif /* COW_COMPAT_HUGE_H */
