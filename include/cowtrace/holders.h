/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace: who held the page, as a pure function of the record. */
#ifndef COWTRACE_HOLDERS_H
#define COWTRACE_HOLDERS_H

#include "evidence.h"

/**
 * struct cowtrace_holders - who held the folio at the entry of the fault
 * @total: page_count(); the parts below add up to it exactly.
 * @mappings: one reference for each mapping of any page of the folio.
 * @swapcache: one reference for each page in the swap cache.
 * @pagecache: one reference for each page in the page cache, and one more for
 *	private data (buffers).
 * @lru: a reference of an LRU-add batch, inferred: the page is on no LRU list
 *	and a reference is left over. Isolation looks the same.
 * @pins: references taken by FOLL_PIN, 1024 a pin on a small folio.
 * @fault: references that the fault itself holds: hugetlb_fault() takes one
 *	before it calls hugetlb_wp(), and until 6.1 another on a page-cache page.
 * @unattributed: plain references: vmsplice, O_DIRECT before 6.3, isolation, DAMON.
 * @known: false when the record has no struct page to split (special), when its
 *	count means nothing (zero pages), or when it is that of a large folio
 *	mapped page by page, whose mappings no module can count (until 6.1).
 *
 * No part is negative: counts that moved while they were sampled
 * (COWTRACE_EV_UNSTABLE) are cut to what is left of the total.
 */
struct cowtrace_holders {
	__s32	total;
	__s32	mappings;
	__s32	swapcache;
	__s32	pagecache;
	__s32	lru;
	__s32	pins;
	__s32	fault;
	__s32	unattributed;
	bool	known;
};

static inline __s32 cowtrace_take_(__s32 *left, __s32 want)
{
	__s32 got = want < *left ? want : *left;

	got = got < 0 ? 0 : got;
	*left -= got;
	return got;
}

/* The page cache's references. Until 6.6 one for a whole hugetlb page. */
static inline __s32 cowtrace_cached_(const struct cowtrace_record *r, __s32 left)
{
	__s32 pages = cowtrace_folio_pages(r);

	if (r->kind == COWTRACE_KIND_HUGETLB)
		return left > pages ? pages : 1;
	return pages + !!(r->state & COWTRACE_PG_PRIVATE);
}

/**
 * cowtrace_holders() - split the reference count of a record
 * @r: the record.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled the fault.
 *
 * Return: the parts, see struct cowtrace_holders.
 */
static inline struct cowtrace_holders cowtrace_holders(const struct cowtrace_record *r,
						       __u32 traits)
{
	struct cowtrace_holders h = { 0 };
	bool cached = r->kind == COWTRACE_KIND_FILE ||
		      (r->kind == COWTRACE_KIND_HUGETLB && !(r->state & COWTRACE_PG_ANON));
	__s32 left = r->refcount;

	h.known = (r->present & COWTRACE_HAS_PAGE) && r->kind != COWTRACE_KIND_ZERO &&
		  left >= 0 && (!r->order || (r->present & COWTRACE_HAS_FOLIO_MAPCOUNT));
	if (!h.known)
		return h;

	h.total = left;
	h.mappings = cowtrace_take_(&left, r->order ? r->folio_mapcount : r->mapcount);
	if (r->state & COWTRACE_PG_SWAPCACHE)
		h.swapcache = cowtrace_take_(&left, cowtrace_folio_pages(r));
	else if (cached)
		h.pagecache = cowtrace_take_(&left, cowtrace_cached_(r, left));
	if (r->present & COWTRACE_HAS_PINCOUNT)
		h.pins = cowtrace_take_(&left, (__s32)r->pincount);
	else if (!r->order)
		h.pins = cowtrace_take_(&left, left / COWTRACE_PIN_BIAS * COWTRACE_PIN_BIAS);
	if (r->kind == COWTRACE_KIND_HUGETLB)
		h.fault = cowtrace_take_(&left, 1 + (cached &&
						     (traits & COWTRACE_TRAIT_RET_WRITE)));
	else if (!(r->state & COWTRACE_PG_LRU))
		h.lru = cowtrace_take_(&left, 1);
	h.unattributed = left;
	return h;
}

#endif /* COWTRACE_HOLDERS_H */
