/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: what a policy is asked about: the sample of one fault, with what
 * follows from it and what stays unknown told apart.
 */
#ifndef COWTRACE_FACTS_H
#define COWTRACE_FACTS_H

#include "classify.h"

/* A count or a yes or no that neither sample nor trace settles. */
#define COWTRACE_NOT_KNOWN	(-1)

/**
 * struct cowtrace_facts - one fault, as a policy sees it
 * @record: the sample, classified.
 * @holders: who held the folio, cowtrace_holders().
 * @asked: a policy decides such a fault at all: a private mapping, not held by
 *	userfaultfd, of a kind that was sampled.
 * @exclusive: PageAnonExclusive of the page: 0, 1 or COWTRACE_NOT_KNOWN on a kernel
 *	that has none, until somebody who knows the page's past says so.
 * @swapcount: swap entries that share the page's slot, as page_swapcount() counts them;
 *	0 outside of the swap cache; 1 stands for "at least one" where only the kernel's
 *	refusal to free the slot tells; or COWTRACE_NOT_KNOWN.
 * @folio_mapcount: mappings of all pages of the folio, or COWTRACE_NOT_KNOWN.
 * @elsewhere: 1: pages of a large folio are mapped outside of this page table; 0: they
 *	are not; or COWTRACE_NOT_KNOWN.
 * @mm_shared: the folio may be mapped by several mms, FOLIO_MM_IDS_SHARED: 0, 1 or
 *	COWTRACE_NOT_KNOWN.
 * @drains: lru_add_drain() takes a reference of an LRU batch away: 0, 1 or
 *	COWTRACE_NOT_KNOWN, where it may be in a batch of another CPU.
 * @large_copied: a large folio that is not exclusive is copied whatever its count is,
 *	COWTRACE_TRAIT_LARGE_COPY of the kernel that is asked about: 0, 1 or
 *	COWTRACE_NOT_KNOWN for the whole generation.
 */
struct cowtrace_facts {
	const struct cowtrace_record *record;
	struct cowtrace_holders holders;
	__s32	swapcount;
	__s32	folio_mapcount;
	bool	asked;
	__s8	exclusive;
	__s8	elsewhere;
	__s8	mm_shared;
	__s8	drains;
	__s8	large_copied;
};

static inline bool cowtrace_asked_(const struct cowtrace_record *r, __u32 traits)
{
	if (r->kind == COWTRACE_KIND_UNKNOWN || r->path >= COWTRACE_NR_PATHS)
		return false;
	if (r->outcome == COWTRACE_OUTCOME_UFFD)
		return false;
	/* What a read-only pin must not share is anonymous memory. */
	if (cowtrace_is_unshare_(r) && !(r->state & COWTRACE_PG_ANON))
		return false;
	if (r->path == COWTRACE_PATH_HUGETLB)
		return !(r->vm_flags & (COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE));
	return r->path == COWTRACE_PATH_PMD || cowtrace_is_unshare_(r) ||
	       !cowtrace_is_shared(r, traits);
}

/* Did the kernel try to free the slot, and could not, although only entries can hold it? */
static inline bool cowtrace_slot_kept_(const struct cowtrace_record *r, __u32 traits)
{
	return (traits & COWTRACE_TRAIT_EXCLUSIVE) && r->mapcount == 1 &&
	       (r->state & COWTRACE_EXIT_SWAPCACHE) &&
	       !(r->state & (COWTRACE_PG_WRITEBACK | COWTRACE_PG_LOCKED)) &&
	       (r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE);
}

static inline __s32 cowtrace_swapcount_(const struct cowtrace_record *r, __u32 traits)
{
	if (!(r->state & COWTRACE_PG_SWAPCACHE))
		return 0;
	if (r->present & COWTRACE_HAS_SWAPCOUNT)
		return r->swapcount;
	/* An entry that shares the slot would have cleared it. */
	if (r->state & COWTRACE_PG_EXCLUSIVE)
		return 0;
	/* Only a slot without entries can be freed: by this fault, or by who raced with it. */
	if (r->state & COWTRACE_EXIT_UNCACHED)
		return 0;
	return cowtrace_slot_kept_(r, traits) ? 1 : COWTRACE_NOT_KNOWN;
}

static inline __s32 cowtrace_known_mapcount_(const struct cowtrace_record *r)
{
	if (!r->order)
		return r->mapcount;
	if (r->present & COWTRACE_HAS_FOLIO_MAPCOUNT)
		return r->folio_mapcount;
	/* Each mapping holds a reference: none is left over for another one. */
	if ((r->present & COWTRACE_HAS_MAPPED_HERE) && r->refcount == r->mapped_here)
		return r->mapped_here;
	return COWTRACE_NOT_KNOWN;
}

static inline __s8 cowtrace_elsewhere_(const struct cowtrace_record *r, __s32 mapcount)
{
	if (!r->order)
		return r->mapcount > 1;
	/* A page is mapped once in one mm. */
	if (r->mapcount > 1 || mapcount > cowtrace_folio_pages(r))
		return 1;
	if (!(r->present & COWTRACE_HAS_MAPPED_HERE) || mapcount == COWTRACE_NOT_KNOWN)
		return COWTRACE_NOT_KNOWN;
	return mapcount > r->mapped_here;
}

static inline __s8 cowtrace_mm_shared_(const struct cowtrace_record *r, __u32 traits,
				       const struct cowtrace_facts *f)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE)
		return !!(r->state & COWTRACE_PG_MM_SHARED);
	/* Another page table may still be of this mm. */
	if (r->mapcount > 1 || f->folio_mapcount > cowtrace_folio_pages(r))
		return 1;
	return f->elsewhere ? COWTRACE_NOT_KNOWN : 0;
}

/* Of a kernel that drains, the page on its list at exit shows that it worked. */
static inline __s8 cowtrace_drained_(const struct cowtrace_record *r, __u32 traits,
				     const struct cowtrace_holders *h)
{
	if (!h->lru)
		return 0;
	if (!cowtrace_drains_(r, traits))
		return COWTRACE_NOT_KNOWN;
	return !!(r->state & COWTRACE_EXIT_LRU);
}

/**
 * cowtrace_facts() - what a policy may know of a fault
 * @r: a classified record; has to outlive the facts.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled it.
 *
 * Return: the facts. Whoever knows more of the page's past sets @exclusive.
 */
static inline struct cowtrace_facts cowtrace_facts(const struct cowtrace_record *r, __u32 traits)
{
	struct cowtrace_facts f;

	f.record = r;
	f.holders = cowtrace_holders(r, traits);
	f.swapcount = cowtrace_swapcount_(r, traits);
	f.folio_mapcount = cowtrace_known_mapcount_(r);
	f.asked = cowtrace_asked_(r, traits);
	f.exclusive = r->present & COWTRACE_HAS_EXCLUSIVE ?
		      !!(r->state & COWTRACE_PG_EXCLUSIVE) : COWTRACE_NOT_KNOWN;
	f.large_copied = COWTRACE_NOT_KNOWN;
	f.elsewhere = cowtrace_elsewhere_(r, f.folio_mapcount);
	f.mm_shared = cowtrace_mm_shared_(r, traits, &f);
	f.drains = cowtrace_drained_(r, traits, &f.holders);
	return f;
}

#endif /* COWTRACE_FACTS_H */
