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
 * @folio_swapcount: the same of the slots of all pages of the folio: 0, 1 for "at least
 *	one", or COWTRACE_NOT_KNOWN.
 * @folio_mapcount: mappings of all pages of the folio, or COWTRACE_NOT_KNOWN.
 * @elsewhere: 1: pages of a large folio are mapped outside of this page table; 0: they
 *	are not; or COWTRACE_NOT_KNOWN.
 * @mm_shared: the folio may be mapped by several mms, FOLIO_MM_IDS_SHARED: 0, 1 or
 *	COWTRACE_NOT_KNOWN.
 * @drains: lru_add_drain() takes a reference of an LRU batch away: 0, 1 or
 *	COWTRACE_NOT_KNOWN, where it may be in a batch of another CPU.
 * @locked: the page lock is held: 0, 1 or COWTRACE_NOT_KNOWN, where the sample found it
 *	held and it may have been let go. On the pmd path the kernel waits for it.
 * @large_copied: a large folio that is not exclusive is copied whatever its count is,
 *	COWTRACE_TRAIT_LARGE_COPY of the kernel that is asked about: 0, 1 or
 *	COWTRACE_NOT_KNOWN for the whole generation.
 */
struct cowtrace_facts {
	const struct cowtrace_record *record;
	struct cowtrace_holders holders;
	__s32	swapcount;
	__s32	folio_swapcount;
	__s32	folio_mapcount;
	bool	asked;
	__s8	exclusive;
	__s8	elsewhere;
	__s8	mm_shared;
	__s8	drains;
	__s8	locked;
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
	return !cowtrace_is_shared(r, traits);
}

/* Counts that moved may have been on either side of a limit. */
static inline bool cowtrace_moved_(const struct cowtrace_record *r)
{
	return r->evidence & COWTRACE_EV_UNSTABLE;
}

/* A reuse for which the kernel had to look further than at the mark. */
static inline bool cowtrace_earned_(const struct cowtrace_record *r)
{
	return r->outcome == COWTRACE_OUTCOME_REUSE && !(r->state & COWTRACE_PG_EXCLUSIVE);
}

static inline bool cowtrace_copied_(const struct cowtrace_record *r)
{
	return r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE;
}

/* Is it the count that decides? Not of a merged page, from 6.8 on not of a large folio. */
static inline bool cowtrace_counted_out_(const struct cowtrace_record *r, __u32 traits)
{
	const __u32 by_size = COWTRACE_TRAIT_LARGE_COPY | COWTRACE_TRAIT_LARGE_EXCLUSIVE;

	if (r->path != COWTRACE_PATH_PTE || (r->state & COWTRACE_PG_KSM) || cowtrace_moved_(r))
		return false;
	return !r->order || !(traits & by_size);
}

/*
 * From 5.19 on the slot is freed for a reuse that nothing else forbids, and after the
 * copy of a page that nobody maps any more: did that fail?
 */
static inline bool cowtrace_slot_kept_(const struct cowtrace_record *r, __u32 traits)
{
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE) || r->mapcount != 1 || !cowtrace_copied_(r) ||
	    (r->state & (COWTRACE_PG_WRITEBACK | COWTRACE_PG_LOCKED)))
		return false;
	return (r->state & COWTRACE_EXIT_SWAPCACHE) ||
	       (cowtrace_counted_out_(r, traits) &&
		r->refcount <= cowtrace_tolerated_(r, traits));
}

static inline __s32 cowtrace_swapcount_(const struct cowtrace_record *r, __u32 traits)
{
	if (!(r->state & COWTRACE_PG_SWAPCACHE))
		return 0;
	if (r->present & COWTRACE_HAS_SWAPCOUNT)
		return r->swapcount;
	/* An entry that shares the slot would have cleared the mark, and forbidden the reuse. */
	if ((r->state & COWTRACE_PG_EXCLUSIVE) || cowtrace_earned_(r))
		return 0;
	/* Only a slot without entries can be freed: by this fault, or by who raced with it. */
	if (r->state & COWTRACE_EXIT_UNCACHED)
		return 0;
	return cowtrace_slot_kept_(r, traits) ? 1 : COWTRACE_NOT_KNOWN;
}

/* Was a huge page split though its mappings and references allowed to keep it? */
static inline bool cowtrace_slots_kept_(const struct cowtrace_record *r, __u32 traits)
{
	return r->outcome == COWTRACE_OUTCOME_SPLIT && r->folio_mapcount == 1 &&
	       !cowtrace_moved_(r) && !(r->state & COWTRACE_PG_WRITEBACK) &&
	       (!(traits & COWTRACE_TRAIT_EXCLUSIVE) || r->refcount <= cowtrace_pmd_tolerated_(r));
}

static inline __s32 cowtrace_folio_swapcount_(const struct cowtrace_record *r, __u32 traits,
					      __s32 swapcount)
{
	if (!r->order || swapcount > 0 || !(r->state & COWTRACE_PG_SWAPCACHE))
		return swapcount;
	/* The mark of a page that a PMD maps is that of its folio. */
	if (cowtrace_earned_(r) ||
	    (r->path == COWTRACE_PATH_PMD && (r->state & COWTRACE_PG_EXCLUSIVE)))
		return 0;
	return cowtrace_slots_kept_(r, traits) ? 1 : COWTRACE_NOT_KNOWN;
}

/* Pages of the folio that are mapped here, at least. */
static inline __s32 cowtrace_here_(const struct cowtrace_record *r)
{
	return r->present & COWTRACE_HAS_MAPPED_HERE ? r->mapped_here : 1;
}

static inline bool cowtrace_mappings_counted_(const struct cowtrace_record *r)
{
	return !r->order || (r->present & COWTRACE_HAS_FOLIO_MAPCOUNT);
}

/* Mappings of all pages of the folio, at most. */
static inline __s64 cowtrace_most_mapped_(const struct cowtrace_record *r)
{
	/* Each mapping holds a reference, but not each reference is a mapping's. */
	__s64 most = (__s64)r->refcount - r->pincount;

	if (cowtrace_mappings_counted_(r))
		return r->order ? r->folio_mapcount : r->mapcount;
	if (cowtrace_moved_(r))
		return 0x7fffffff;
	if (r->state & COWTRACE_PG_SWAPCACHE)
		most -= cowtrace_folio_pages(r);
	return r->state & COWTRACE_PG_LRU ? most : most - 1;
}

static inline __s32 cowtrace_known_mapcount_(const struct cowtrace_record *r)
{
	__s64 most = cowtrace_most_mapped_(r);

	return cowtrace_mappings_counted_(r) || most == cowtrace_here_(r) ? most :
									    COWTRACE_NOT_KNOWN;
}

static inline __s8 cowtrace_elsewhere_(const struct cowtrace_record *r)
{
	/* A page is mapped once in one mm. */
	if (r->mapcount > 1)
		return 1;
	if (cowtrace_most_mapped_(r) == cowtrace_here_(r))
		return 0;
	return cowtrace_mappings_counted_(r) && (r->present & COWTRACE_HAS_MAPPED_HERE) ?
	       1 : COWTRACE_NOT_KNOWN;
}

static inline __s8 cowtrace_mm_shared_(const struct cowtrace_record *r, __u32 traits,
				       const struct cowtrace_facts *f)
{
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return !!(r->state & COWTRACE_PG_MM_SHARED);
	/* Another page table may still be of this mm. */
	if (r->mapcount > 1 || f->folio_mapcount > cowtrace_folio_pages(r))
		return 1;
	return f->elsewhere ? COWTRACE_NOT_KNOWN : 0;
}

/* Only a kernel that drained shows whose the batch was. */
static inline __s8 cowtrace_drained_(const struct cowtrace_record *r, __u32 traits,
				     const struct cowtrace_facts *f)
{
	bool on_list = r->state & COWTRACE_EXIT_LRU;
	bool enough = (__s64)r->refcount - 1 <= cowtrace_tolerated_(r, traits);
	/* The copy frees a page that nobody else holds: it is seen on no list. */
	bool gone = enough && !(r->state & COWTRACE_PG_SWAPCACHE);

	if (r->state & COWTRACE_PG_LRU)
		return 0;
	if (!cowtrace_drains_(r, traits) || !cowtrace_counted_out_(r, traits))
		return COWTRACE_NOT_KNOWN;
	if (cowtrace_earned_(r))
		return 1;
	if (!cowtrace_copied_(r))
		return COWTRACE_NOT_KNOWN;
	/* It was another CPU's if nothing but its reference forbade the reuse... */
	if (enough && !f->swapcount &&
	    !(r->state & (COWTRACE_PG_WRITEBACK | COWTRACE_PG_LOCKED)))
		return 0;
	/* ...or if it is on no list yet. */
	return !r->order && !on_list && !gone ? 0 : COWTRACE_NOT_KNOWN;
}

/* Who kept the page got its lock; who copied what neither count nor slot forbade did not. */
static inline __s8 cowtrace_locked_(const struct cowtrace_record *r, __u32 traits,
				    const struct cowtrace_facts *f)
{
	if (!(r->state & COWTRACE_PG_LOCKED))
		return 0;
	if (!cowtrace_counted_out_(r, traits))
		return COWTRACE_NOT_KNOWN;
	if (cowtrace_earned_(r))
		return 0;
	return cowtrace_copied_(r) && !f->swapcount && !(r->state & COWTRACE_PG_WRITEBACK) &&
	       r->refcount <= cowtrace_tolerated_(r, traits) ? 1 : COWTRACE_NOT_KNOWN;
}

/* What is mapped, named by an entry or merged elsewhere has no mark on any kernel. */
static inline __s8 cowtrace_exclusive_(const struct cowtrace_record *r,
				       const struct cowtrace_facts *f)
{
	if (r->present & COWTRACE_HAS_EXCLUSIVE)
		return !!(r->state & COWTRACE_PG_EXCLUSIVE);
	if ((r->state & COWTRACE_PG_KSM) || r->mapcount > 1 || f->swapcount > 0 ||
	    (r->path == COWTRACE_PATH_PMD && (f->folio_mapcount > 1 || f->folio_swapcount > 0)))
		return 0;
	return COWTRACE_NOT_KNOWN;
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
	f.folio_swapcount = cowtrace_folio_swapcount_(r, traits, f.swapcount);
	f.elsewhere = cowtrace_elsewhere_(r);
	f.folio_mapcount = cowtrace_known_mapcount_(r);
	f.asked = cowtrace_asked_(r, traits);
	f.exclusive = cowtrace_exclusive_(r, &f);
	f.mm_shared = cowtrace_mm_shared_(r, traits, &f);
	f.drains = cowtrace_drained_(r, traits, &f);
	f.locked = cowtrace_locked_(r, traits, &f);
	f.large_copied = COWTRACE_NOT_KNOWN;
	return f;
}

#endif /* COWTRACE_FACTS_H */
