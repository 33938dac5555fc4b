/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the verdict on faults of one PTE. The kernel functions named in
 * comments are those of mm/memory.c.
 */
#ifndef COWTRACE_CLASSIFY_PTE_H
#define COWTRACE_CLASSIFY_PTE_H

#include "holders.h"

/* Does do_wp_page() treat the mapping as shared, on the kernel with @traits? */
static inline bool cowtrace_is_shared(const struct cowtrace_record *r, __u32 traits)
{
	if (traits & COWTRACE_TRAIT_SHARED_FIRST)
		return r->vm_flags & (COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE);
	/* Until 6.1 an anonymous page is decided before the mapping is looked at. */
	if (r->state & COWTRACE_PG_ANON)
		return false;
	return (r->vm_flags & COWTRACE_VM_WRITE) && (r->vm_flags & COWTRACE_VM_SHARED);
}

/*
 * The references that the kernel tolerates before it copies an anonymous page:
 * the mapping, and from 5.18 the swap cache, which it then tries to free.
 */
static inline __s32 cowtrace_tolerated_(const struct cowtrace_record *r, __u32 traits)
{
	return 1 + ((traits & COWTRACE_TRAIT_EXCLUSIVE) &&
		    (r->state & COWTRACE_PG_SWAPCACHE));
}

/*
 * From 5.18 on: more references than the mapping, the swap cache and an LRU batch
 * have are refused before anything is drained.
 */
#define COWTRACE_FIRST_LIMIT_	3

/* Does do_wp_page() drain this CPU's LRU batches before it decides? */
static inline bool cowtrace_drains_(const struct cowtrace_record *r, __u32 traits)
{
	return (traits & COWTRACE_TRAIT_EXCLUSIVE) && !(r->state & COWTRACE_PG_LRU) &&
	       r->refcount <= COWTRACE_FIRST_LIMIT_;
}

/* __wp_can_reuse_large_anon_folio(), which drains nothing but frees the swap cache. */
static inline bool cowtrace_large_reuse_possible_(const struct cowtrace_record *r)
{
	__s32 cached = r->state & COWTRACE_PG_SWAPCACHE ? cowtrace_folio_pages(r) : 0;

	if (r->state & COWTRACE_PG_MM_SHARED)
		return false;
	return r->folio_mapcount > 1 && r->refcount <= (__s64)r->folio_mapcount + cached;
}

/**
 * cowtrace_reuse_possible() - could the kernel have reused the sampled page?
 * @r: the record of a page that is not PageAnonExclusive.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled the fault.
 *
 * An LRU-add batch may be drained between the sample and the decision, so its
 * reference is granted.
 *
 * Return: false when no state that this sample can lead to lets do_wp_page()
 * reuse the page, as long as nobody else drops a reference meanwhile.
 */
static inline bool cowtrace_reuse_possible(const struct cowtrace_record *r, __u32 traits)
{
	if (!(r->state & COWTRACE_PG_ANON))
		return false;
	if (r->state & COWTRACE_PG_KSM)
		return false;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_COPY))
		return false;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return cowtrace_large_reuse_possible_(r);
	return r->refcount <= cowtrace_tolerated_(r, traits) + cowtrace_drains_(r, traits);
}

/* Which holder made a reference count too high? In the order of the vocabulary. */
static inline enum cowtrace_reason
cowtrace_blame_(const struct cowtrace_record *r, __u32 traits, const struct cowtrace_holders *h)
{
	if (r->mapcount > 1)
		return COWTRACE_REASON_MAPPED;
	/* Mapped once itself: the count is that of the folio's other pages, if it has any. */
	if (r->order)
		return r->pincount &&
		       (__s64)r->refcount - r->pincount <= cowtrace_tolerated_(r, traits) ?
		       COWTRACE_REASON_PINNED : COWTRACE_REASON_LARGE;
	if (h->swapcache && !(traits & COWTRACE_TRAIT_EXCLUSIVE))
		return COWTRACE_REASON_SWAPCACHE;
	/* From 5.18 the kernel drained this CPU's batch first: any other reference weighs more. */
	if (h->lru && !((traits & COWTRACE_TRAIT_EXCLUSIVE) && (h->pins || h->unattributed)))
		return COWTRACE_REASON_LRU;
	if (h->pins)
		return COWTRACE_REASON_PINNED;
	return COWTRACE_REASON_UNATTRIBUTED;
}

/* __wp_can_reuse_large_anon_folio(), step by step. */
static inline enum cowtrace_reason
cowtrace_large_copy_reason_(const struct cowtrace_record *r, const struct cowtrace_holders *h,
			    __u16 *evidence)
{
	if (!(r->present & COWTRACE_HAS_FOLIO_MAPCOUNT) || r->folio_mapcount <= 1)
		return COWTRACE_REASON_LARGE;
	if (r->state & COWTRACE_PG_MM_SHARED)
		return COWTRACE_REASON_MAPPED;
	if (h->swapcache) {
		*evidence |= COWTRACE_EV_TRIED;
		if (r->state & COWTRACE_PG_LOCKED)
			return COWTRACE_REASON_LOCKED;
	}
	/* Whether the swap cache went or not, these are too many. */
	if (h->lru)
		return COWTRACE_REASON_LRU;
	if (h->pins)
		return COWTRACE_REASON_PINNED;
	if (h->swapcache && !h->unattributed)
		return cowtrace_slot_reason_(r);
	if (!h->unattributed)
		*evidence |= COWTRACE_EV_SHIFTED;
	return COWTRACE_REASON_UNATTRIBUTED;
}

/*
 * Was the page in a batch of this CPU, which the kernel drained? It is on an LRU
 * list by now, and there is a later test that can have failed; if there is none,
 * it was in another CPU's until just now.
 */
static inline bool cowtrace_own_batch_(const struct cowtrace_record *r, __u32 traits)
{
	return cowtrace_drains_(r, traits) && (r->state & COWTRACE_EXIT_LRU) &&
	       (r->state & (COWTRACE_PG_SWAPCACHE | COWTRACE_PG_LOCKED));
}

/* The first test of the running kernel that failed. */
static inline enum cowtrace_reason
cowtrace_copy_reason_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	__s32 refs = r->refcount;
	struct cowtrace_holders h;

	switch (r->kind) {
	case COWTRACE_KIND_ZERO:
		return COWTRACE_REASON_ZERO;
	case COWTRACE_KIND_FILE:
		return COWTRACE_REASON_FILE;
	case COWTRACE_KIND_SPECIAL:
		return COWTRACE_REASON_SPECIAL;
	case COWTRACE_KIND_KSM:
		return COWTRACE_REASON_KSM;
	default:
		break;
	}

	h = cowtrace_holders(r, traits);
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_COPY))
		return COWTRACE_REASON_LARGE;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return cowtrace_large_copy_reason_(r, &h, evidence);
	if (cowtrace_drains_(r, traits))
		*evidence |= COWTRACE_EV_DRAINED;
	if (cowtrace_own_batch_(r, traits)) {
		refs -= h.lru;
		h.lru = 0;
	}
	if (refs > cowtrace_tolerated_(r, traits))
		return cowtrace_blame_(r, traits, &h);

	/* The counts allowed a reuse: the lock or the swap slot did not. */
	*evidence |= COWTRACE_EV_TRIED;
	if (r->state & COWTRACE_PG_LOCKED)
		return COWTRACE_REASON_LOCKED;
	if (r->state & COWTRACE_PG_SWAPCACHE)
		return cowtrace_slot_reason_(r);
	*evidence |= COWTRACE_EV_SHIFTED;
	return COWTRACE_REASON_UNATTRIBUTED;
}

/* The test that allowed the reuse. */
static inline enum cowtrace_reason
cowtrace_reuse_reason_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	if (r->state & COWTRACE_PG_EXCLUSIVE)
		return COWTRACE_REASON_EXCLUSIVE;
	if (!cowtrace_reuse_possible(r, traits))
		*evidence |= COWTRACE_EV_SHIFTED;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return COWTRACE_REASON_LARGE_EXCLUSIVE;
	if (cowtrace_drains_(r, traits))
		*evidence |= COWTRACE_EV_DRAINED;
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE) || !(r->state & COWTRACE_PG_SWAPCACHE))
		return COWTRACE_REASON_SOLE_REF;
	*evidence |= COWTRACE_EV_TRIED;
	return COWTRACE_REASON_SWAPCACHE_FREED;
}

/* Did the pgreuse event of this CPU, or a witness, see a reuse by this fault? */
static inline bool cowtrace_saw_reuse_(const struct cowtrace_record *r)
{
	return r->evidence & COWTRACE_EV_REUSED;
}

/* Was there surely none? */
static inline bool cowtrace_saw_no_reuse_(const struct cowtrace_record *r)
{
	return (r->evidence & COWTRACE_EV_COUNTED) && !(r->evidence & COWTRACE_EV_REUSED);
}

/* wp_page_shared(), wp_pfn_shared(). */
static inline enum cowtrace_outcome
cowtrace_shared_outcome_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	if ((r->ret & COWTRACE_FAULT_COMPLETED) ||
	    ((traits & COWTRACE_TRAIT_RET_WRITE) && (r->ret & COWTRACE_FAULT_WRITE))) {
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_MKWRITE;
	}
	if (r->ret & COWTRACE_FAULT_RETRY) {
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_RETRY;
	}
	/* finish_mkwrite_fault() found another PTE, or the driver asked again. */
	if (r->ret & COWTRACE_FAULT_NOPAGE)
		return r->state & COWTRACE_EXIT_PRESENT && !cowtrace_made_writable_(r) ?
		       COWTRACE_OUTCOME_RETRY : COWTRACE_OUTCOME_RACED;
	if (cowtrace_saw_reuse_(r))
		return COWTRACE_OUTCOME_MKWRITE;
	/* do_page_mkwrite() found the page truncated: the access is tried again. */
	if (cowtrace_saw_no_reuse_(r))
		return COWTRACE_OUTCOME_NOOP;
	if (cowtrace_made_writable_(r))
		return COWTRACE_OUTCOME_MKWRITE;
	/* The same, where a success would have returned another code. */
	if (cowtrace_same_page_(r) && (traits & COWTRACE_TRAIT_RET_WRITE))
		return COWTRACE_OUTCOME_NOOP;
	return COWTRACE_OUTCOME_UNKNOWN;
}

/* FAULT_FLAG_UNSHARE: a reuse leaves the PTE alone, a copy is read-only. */
static inline enum cowtrace_outcome
cowtrace_unshare_outcome_(const struct cowtrace_record *r, __u32 traits)
{
	bool same = cowtrace_same_page_(r);

	if (r->evidence & COWTRACE_EV_WITNESS)
		return COWTRACE_OUTCOME_UNSHARE;
	/* Before 6.2 there is nothing to unshare on a page that is not anonymous. */
	if (same && !(r->state & COWTRACE_PG_ANON))
		return traits & COWTRACE_TRAIT_SHARED_FIRST ? COWTRACE_OUTCOME_RACED :
							      COWTRACE_OUTCOME_NOOP;
	if (same && (r->state & COWTRACE_EXIT_EXCLUSIVE))
		return COWTRACE_OUTCOME_REUSE;
	return r->evidence & COWTRACE_EV_PTE ? COWTRACE_OUTCOME_RACED : COWTRACE_OUTCOME_UNKNOWN;
}

/* Until 6.1 success and failure have different return codes. */
static inline enum cowtrace_outcome
cowtrace_coded_outcome_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	*evidence |= COWTRACE_EV_RET;
	if (!(r->ret & COWTRACE_FAULT_WRITE))
		return COWTRACE_OUTCOME_RACED;
	if (r->evidence & COWTRACE_EV_WITNESS)
		return COWTRACE_OUTCOME_COPY;
	if (cowtrace_saw_reuse_(r))
		return COWTRACE_OUTCOME_REUSE;
	if (cowtrace_saw_no_reuse_(r))
		return COWTRACE_OUTCOME_COPY;
	/* A private page that is not anonymous, or of KSM, is never reused. */
	if (!(r->state & COWTRACE_PG_ANON) || r->state & COWTRACE_PG_KSM)
		return COWTRACE_OUTCOME_COPY;
	if (r->state & COWTRACE_PG_EXCLUSIVE || cowtrace_same_page_(r))
		return COWTRACE_OUTCOME_REUSE;
	if (cowtrace_other_page_(r))
		return COWTRACE_OUTCOME_COPY;
	/* Success, but the PTE was gone again at exit: only the sample is left. */
	if (!cowtrace_reuse_possible(r, traits))
		return COWTRACE_OUTCOME_COPY;
	return r->evidence & COWTRACE_EV_WATCHED ? COWTRACE_OUTCOME_REUSE :
						   COWTRACE_OUTCOME_UNKNOWN;
}

/*
 * From 6.2 success and a lost race both return 0. A copy maps its page by
 * ptep_clear_flush() from inside do_wp_page(): the witness probe. A reuse is
 * decided and done under one hold of the page-table lock and counted in pgreuse;
 * a task that was preempted before its exit has a witness of that too.
 */
static inline enum cowtrace_outcome
cowtrace_silent_outcome_(const struct cowtrace_record *r, __u32 traits)
{
	if (r->evidence & COWTRACE_EV_WITNESS)
		return COWTRACE_OUTCOME_COPY;
	if (cowtrace_saw_reuse_(r) || r->state & COWTRACE_PG_EXCLUSIVE)
		return COWTRACE_OUTCOME_REUSE;
	if (cowtrace_saw_no_reuse_(r))
		return COWTRACE_OUTCOME_RACED;
	/* It slept, and so most likely lost: only who was alone did it himself. */
	if (cowtrace_made_writable_(r) && (r->evidence & COWTRACE_EV_ALONE))
		return COWTRACE_OUTCOME_REUSE;
	if (r->state & COWTRACE_EXIT_PRESENT)
		return COWTRACE_OUTCOME_RACED;
	/* The PTE is gone again. No copy was mapped, or nobody watched. */
	if ((r->evidence & COWTRACE_EV_WATCHED) && !cowtrace_reuse_possible(r, traits))
		return COWTRACE_OUTCOME_RACED;
	return COWTRACE_OUTCOME_UNKNOWN;
}

static inline enum cowtrace_outcome
cowtrace_pte_outcome_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	bool unshare = cowtrace_is_unshare_(r);

	if (!unshare && cowtrace_is_shared(r, traits))
		return cowtrace_shared_outcome_(r, traits, evidence);
	if (r->ret & COWTRACE_FAULT_RETRY) {
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_RETRY;
	}
	if (unshare)
		return cowtrace_unshare_outcome_(r, traits);
	return traits & COWTRACE_TRAIT_RET_WRITE ?
	       cowtrace_coded_outcome_(r, traits, evidence) :
	       cowtrace_silent_outcome_(r, traits);
}

#endif /* COWTRACE_CLASSIFY_PTE_H */
