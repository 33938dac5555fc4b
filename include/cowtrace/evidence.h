/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace: what a record says by itself, without the traits of its kernel. */
#ifndef COWTRACE_EVIDENCE_H
#define COWTRACE_EVIDENCE_H

#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
#endif
#include "kernel.h"
#include "record.h"
#include "vocab.h"

static inline bool cowtrace_is_unshare_(const struct cowtrace_record *r)
{
	return r->fault_flags & COWTRACE_FAULT_FLAG_UNSHARE;
}

static inline bool cowtrace_same_page_(const struct cowtrace_record *r)
{
	return (r->present & COWTRACE_HAS_NEW_PFN) && r->new_pfn == r->pfn;
}

static inline bool cowtrace_other_page_(const struct cowtrace_record *r)
{
	return (r->present & COWTRACE_HAS_NEW_PFN) && r->new_pfn != r->pfn;
}

/* Why a page that was in the swap cache stayed there. */
static inline enum cowtrace_reason cowtrace_slot_reason_(const struct cowtrace_record *r)
{
	return r->state & COWTRACE_PG_WRITEBACK ? COWTRACE_REASON_WRITEBACK :
						  COWTRACE_REASON_SWAPCACHE;
}

/* Pages of the folio. No kernel has folios of 2^30 pages; a damaged trace may say so. */
static inline __s32 cowtrace_folio_pages(const struct cowtrace_record *r)
{
	return r->order < 30 ? (__s32)1 << r->order : 0;
}

/* Pages that the fault copied: one, but for huge pages that are copied whole. */
static inline __u32 cowtrace_copied_pages(const struct cowtrace_record *r)
{
	if (r->outcome != COWTRACE_OUTCOME_COPY && r->outcome != COWTRACE_OUTCOME_UNSHARE)
		return 0;
	switch (r->path) {
	case COWTRACE_PATH_PMD:
		return 1u << COWTRACE_PMD_ORDER;
	case COWTRACE_PATH_HUGETLB:
		return cowtrace_folio_pages(r);
	default:
		return 1;
	}
}

/* A reuse leaves the PTE dirty and writable; for FOLL_FORCE it stays read-only. */
static inline bool cowtrace_made_writable_(const struct cowtrace_record *r)
{
	if (!cowtrace_same_page_(r))
		return false;
	if (r->vm_flags & COWTRACE_VM_WRITE)
		return r->state & COWTRACE_EXIT_WRITE;
	return r->state & COWTRACE_EXIT_DIRTY;
}

#endif /* COWTRACE_EVIDENCE_H */
