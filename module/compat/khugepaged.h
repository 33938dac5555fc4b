/* SPDX-License-Identifier: GPL-2.0 */
/* khugepaged: what differs between kernels in what it asks of a page, and in what it tells. */
#ifndef COW_COMPAT_KHUGEPAGED_H
#define COW_COMPAT_KHUGEPAGED_H

#include "compat.h"

/*
 * How khugepaged asks whether the page of a PTE is shared: X(id, name). Precise is
 * page_mapcount(), until 6.9; likely is folio_likely_mapped_shared() (1bafe96e89f0), maybe
 * is folio_maybe_mapped_shared().
 */
#define COW_ESTIMATES(X)	\
	X(PRECISE, "precise")	\
	X(LIKELY, "likely")	\
	X(MAYBE, "maybe")

#define COW_ESTIMATE_ENUM_(id, name)	COW_ESTIMATE_##id,
enum cow_estimate { COW_ESTIMATES(COW_ESTIMATE_ENUM_) COW_NR_ESTIMATES };

/* That of this kernel. 6.9 and 6.10 have two of the functions: which is asked is not seen. */
#if defined(COW_HAVE_MM_IDS)
#define COW_OWN_ESTIMATE	COW_ESTIMATE_MAYBE
#elif defined(COW_HAVE_LIKELY_MAPPED_SHARED) && !defined(COW_HAVE_PAGE_MAPCOUNT)
#define COW_OWN_ESTIMATE	COW_ESTIMATE_LIKELY
#elif defined(COW_HAVE_PAGE_MAPCOUNT) && !defined(COW_HAVE_LIKELY_MAPPED_SHARED)
#define COW_OWN_ESTIMATE	COW_ESTIMATE_PRECISE
#else
#define COW_OWN_ESTIMATE	COW_NR_ESTIMATES
#endif

/* Does each page of a large folio count its own mappings? */
#define cow_pages_counted	(!IS_ENABLED(CONFIG_NO_PAGE_MAPCOUNT))

/* Mappings of a large folio by a PMD. */
static inline int cow_entire_mapcount(struct page *head)
{
#ifdef COW_HAVE_FOLIO_LARGE_MAPCOUNT
	return folio_entire_mapcount(page_folio(head));
#else
	return compound_mapcount(head);
#endif
}

/* Does each page of it count one mapping too many? Until 6.1. */
static inline bool cow_double_map(struct page *head)
{
#ifdef COW_HAVE_FOLIO_LARGE_MAPCOUNT
	return false;
#else
	return PageDoubleMap(head);
#endif
}

#if defined(CONFIG_PAGE_IDLE_FLAG) || defined(CONFIG_IDLE_PAGE_TRACKING)
#define COW_PAGE_REFERENCED	(BIT(PG_referenced) | BIT(PG_young))
#else
#define COW_PAGE_REFERENCED	BIT(PG_referenced)
#endif

/*
 * The arguments of trace_mm_khugepaged_scan_pmd() behind @mm: the page, or what stands in
 * its place, and whether a PTE was writable, which 7.2 no longer asks.
 */
#if defined(COW_HAVE_KHUGEPAGED_PAGE)
#define COW_SCANNED_ARGS	struct page *page, bool writable,
#define cow_scanned_page()	page
#define cow_scanned_writable()	((s16)writable)
#elif defined(COW_HAVE_KHUGEPAGED_FOLIO)
#define COW_SCANNED_ARGS	struct folio *folio,
#elif defined(COW_HAVE_KHUGEPAGED_PFN)
#define COW_SCANNED_ARGS	unsigned long pfn,
#endif
#ifndef COW_HAVE_KHUGEPAGED_PAGE
#define cow_scanned_page()	NULL
#define cow_scanned_writable()	((s16)-1)
#endif

#endif /* COW_COMPAT_KHUGEPAGED_H */
