/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: from sample to verdict, as pure functions.
 *
 * The same code runs in the module at the exit of each fault and in userspace
 * over stored records. It reads nothing but the record and the traits of the
 * kernel that wrote it, and never guesses: what the evidence does not settle
 * is COWTRACE_OUTCOME_UNKNOWN or COWTRACE_OUTCOME_RACED.
 *
 * The kernel functions named in comments are those of mm/memory.c.
 */
#ifndef COWTRACE_CLASSIFY_H
#define COWTRACE_CLASSIFY_H

#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include "record.h"
#include "vocab.h"

/*
 * Values of the kernel that a stored record needs. The module asserts that the
 * kernel it is built for has the same (module/compat/compat.h).
 */
#define COWTRACE_VM_WRITE		0x00000002ull
#define COWTRACE_VM_SHARED		0x00000008ull
#define COWTRACE_VM_MAYSHARE		0x00000080ull
#define COWTRACE_VM_UFFD_WP		0x00001000ull

#define COWTRACE_FAULT_FLAG_USER	0x040u
#define COWTRACE_FAULT_FLAG_REMOTE	0x080u
#define COWTRACE_FAULT_FLAG_UNSHARE	0x400u

#define COWTRACE_FAULT_OOM		0x0001u
#define COWTRACE_FAULT_SIGBUS		0x0002u
#define COWTRACE_FAULT_WRITE		0x0008u	/* until 6.1 */
#define COWTRACE_FAULT_HWPOISON		0x0010u
#define COWTRACE_FAULT_HWPOISON_LARGE	0x0020u
#define COWTRACE_FAULT_SIGSEGV		0x0040u
#define COWTRACE_FAULT_NOPAGE		0x0100u
#define COWTRACE_FAULT_RETRY		0x0400u
#define COWTRACE_FAULT_COMPLETED	0x4000u	/* from 6.1 */

/* References that one FOLL_PIN takes on a small folio: GUP_PIN_COUNTING_BIAS. */
#define COWTRACE_PIN_BIAS		1024

/**
 * struct cowtrace_verdict - what cowtrace_classify() found
 * @outcome: enum cowtrace_outcome.
 * @reason: enum cowtrace_reason; COWTRACE_REASON_NONE unless the outcome is a
 *	reuse, a copy or an unshare.
 * @evidence: the record's evidence, with what the classification added.
 */
struct cowtrace_verdict {
	__u8	outcome;
	__u8	reason;
	__u16	evidence;
};

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
 * @unattributed: plain references: vmsplice, O_DIRECT before 6.3, isolation.
 * @known: false when the record has no struct page to split (special), when its
 *	count means nothing (the zero page), or when it is that of a large folio
 *	whose mappings the kernel tells no module (until 6.1).
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
	__s32	unattributed;
	bool	known;
};

static inline __s32 cowtrace_take_(__s32 *left, __s32 want)
{
	__s32 got = want < *left ? want : *left;

	if (got < 0)
		got = 0;
	*left -= got;
	return got;
}

static inline struct cowtrace_holders cowtrace_holders(const struct cowtrace_record *r)
{
	struct cowtrace_holders h = { 0 };
	__s32 pages = (__s32)1 << r->order;
	__s32 left = r->refcount;
	__s32 maps = r->mapcount;

	h.known = (r->present & COWTRACE_HAS_PAGE) && r->kind != COWTRACE_KIND_ZERO &&
		  left >= 0 && (!r->order || (r->present & COWTRACE_HAS_FOLIO_MAPCOUNT));
	if (!h.known)
		return h;

	h.total = left;
	if (r->order)
		maps = r->folio_mapcount;
	h.mappings = cowtrace_take_(&left, maps);
	if (r->state & COWTRACE_PG_SWAPCACHE)
		h.swapcache = cowtrace_take_(&left, pages);
	else if (r->kind == COWTRACE_KIND_FILE)
		h.pagecache = cowtrace_take_(&left, pages +
					     !!(r->state & COWTRACE_PG_PRIVATE));
	if (r->present & COWTRACE_HAS_PINCOUNT)
		h.pins = cowtrace_take_(&left, (__s32)r->pincount);
	else if (!r->order)
		h.pins = cowtrace_take_(&left, left / COWTRACE_PIN_BIAS * COWTRACE_PIN_BIAS);
	if (!(r->state & COWTRACE_PG_LRU))
		h.lru = cowtrace_take_(&left, 1);
	h.unattributed = left;
	return h;
}

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

/**
 * cowtrace_reuse_possible() - could the kernel have reused the sampled page?
 * @r: the record.
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
	if (r->state & COWTRACE_PG_EXCLUSIVE)
		return true;
	if (r->state & COWTRACE_PG_KSM)
		return false;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_COPY))
		return false;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return !(r->state & COWTRACE_PG_MM_SHARED);
	return r->refcount <= cowtrace_tolerated_(r, traits) +
	       ((traits & COWTRACE_TRAIT_EXCLUSIVE) && !(r->state & COWTRACE_PG_LRU));
}

/* Which holder made a reference count too high? In the order of the vocabulary. */
static inline enum cowtrace_reason
cowtrace_blame_(const struct cowtrace_record *r, __u32 traits, const struct cowtrace_holders *h)
{
	if (r->mapcount > 1)
		return COWTRACE_REASON_MAPPED;
	/* Mapped once itself: the count is that of the folio's other pages. */
	if (r->order)
		return COWTRACE_REASON_LARGE;
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
cowtrace_large_copy_reason_(const struct cowtrace_record *r, const struct cowtrace_holders *h)
{
	if (!(r->present & COWTRACE_HAS_FOLIO_MAPCOUNT) || r->folio_mapcount <= 1)
		return COWTRACE_REASON_LARGE;
	if (r->state & COWTRACE_PG_MM_SHARED)
		return COWTRACE_REASON_MAPPED;
	if (h->swapcache) {
		if (r->state & COWTRACE_PG_LOCKED)
			return COWTRACE_REASON_LOCKED;
		if (r->state & COWTRACE_PG_WRITEBACK)
			return COWTRACE_REASON_WRITEBACK;
		return COWTRACE_REASON_SWAPCACHE;
	}
	if (h->lru)
		return COWTRACE_REASON_LRU;
	if (h->pins)
		return COWTRACE_REASON_PINNED;
	return COWTRACE_REASON_UNATTRIBUTED;
}

/* The first test of the running kernel that failed. */
static inline enum cowtrace_reason
cowtrace_copy_reason_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
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

	h = cowtrace_holders(r);
	if ((traits & COWTRACE_TRAIT_EXCLUSIVE) && !(r->state & COWTRACE_PG_LRU))
		*evidence |= COWTRACE_EV_DRAINED;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_COPY))
		return COWTRACE_REASON_LARGE;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return cowtrace_large_copy_reason_(r, &h);
	if (r->refcount > cowtrace_tolerated_(r, traits))
		return cowtrace_blame_(r, traits, &h);

	/* The counts allowed a reuse: the lock or the swap slot did not. */
	if (r->state & COWTRACE_PG_LOCKED)
		return COWTRACE_REASON_LOCKED;
	if (r->state & COWTRACE_PG_SWAPCACHE)
		return r->state & COWTRACE_PG_WRITEBACK ? COWTRACE_REASON_WRITEBACK :
							  COWTRACE_REASON_SWAPCACHE;
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
	if ((traits & COWTRACE_TRAIT_EXCLUSIVE) && !(r->state & COWTRACE_PG_LRU))
		*evidence |= COWTRACE_EV_DRAINED;
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return COWTRACE_REASON_LARGE_EXCLUSIVE;
	if ((traits & COWTRACE_TRAIT_EXCLUSIVE) && (r->state & COWTRACE_PG_SWAPCACHE))
		return COWTRACE_REASON_SWAPCACHE_FREED;
	return COWTRACE_REASON_SOLE_REF;
}

static inline bool cowtrace_same_page_(const struct cowtrace_record *r)
{
	return (r->evidence & COWTRACE_EV_PTE) && (r->present & COWTRACE_HAS_NEW_PFN) &&
	       r->new_pfn == r->pfn;
}

static inline bool cowtrace_other_page_(const struct cowtrace_record *r)
{
	return (r->evidence & COWTRACE_EV_PTE) && (r->present & COWTRACE_HAS_NEW_PFN) &&
	       r->new_pfn != r->pfn;
}

/* wp_page_reuse() leaves the PTE dirty; FOLL_FORCE leaves it read-only. */
static inline bool cowtrace_made_writable_(const struct cowtrace_record *r)
{
	if (!cowtrace_same_page_(r))
		return false;
	if (r->vm_flags & COWTRACE_VM_WRITE)
		return r->state & COWTRACE_EXIT_WRITE;
	return r->state & COWTRACE_EXIT_DIRTY;
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
		return r->evidence & COWTRACE_EV_PTE &&
		       r->state & COWTRACE_EXIT_PRESENT && !cowtrace_made_writable_(r) ?
		       COWTRACE_OUTCOME_RETRY : COWTRACE_OUTCOME_RACED;
	if (cowtrace_made_writable_(r))
		return COWTRACE_OUTCOME_MKWRITE;
	/*
	 * do_page_mkwrite() found the page truncated: the access is tried again.
	 * From 6.2 on a success whose page was cleaned again looks the same.
	 */
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
	if (cowtrace_other_page_(r) && !(r->evidence & COWTRACE_EV_WATCHED) &&
	    (r->evidence & COWTRACE_EV_ALONE) && !cowtrace_reuse_possible(r, traits))
		return COWTRACE_OUTCOME_UNSHARE;
	return r->evidence & COWTRACE_EV_PTE ? COWTRACE_OUTCOME_RACED : COWTRACE_OUTCOME_UNKNOWN;
}

/* Until 6.1 success and failure have different return codes. */
static inline enum cowtrace_outcome
cowtrace_coded_outcome_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	if (!(r->ret & COWTRACE_FAULT_WRITE)) {
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_RACED;
	}
	if (r->evidence & COWTRACE_EV_WITNESS)
		return COWTRACE_OUTCOME_COPY;
	if (!(r->state & COWTRACE_PG_ANON) || r->state & COWTRACE_PG_KSM) {
		/* A private page that is not anonymous, or of KSM, is never reused. */
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_COPY;
	}
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
 * decided and done under one hold of the page-table lock, so nobody can come
 * between; only who took the copy path can lose a race.
 */
static inline enum cowtrace_outcome
cowtrace_silent_outcome_(const struct cowtrace_record *r, __u32 traits)
{
	bool possible = cowtrace_reuse_possible(r, traits);
	bool watched = r->evidence & COWTRACE_EV_WATCHED;

	if (r->evidence & COWTRACE_EV_WITNESS)
		return COWTRACE_OUTCOME_COPY;
	if (r->state & COWTRACE_PG_EXCLUSIVE)
		return COWTRACE_OUTCOME_REUSE;
	if (cowtrace_made_writable_(r)) {
		if (possible || (r->evidence & COWTRACE_EV_ALONE))
			return COWTRACE_OUTCOME_REUSE;
		return COWTRACE_OUTCOME_RACED;
	}
	if (cowtrace_other_page_(r) || cowtrace_same_page_(r))
		return COWTRACE_OUTCOME_RACED;
	/* The PTE is gone again. No copy was mapped, or nobody watched. */
	if (watched && !possible)
		return COWTRACE_OUTCOME_RACED;
	return COWTRACE_OUTCOME_UNKNOWN;
}

/**
 * cowtrace_classify() - outcome, reason and evidence of one pte fault
 * @r: the record, with everything filled but outcome and reason.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled the fault.
 *
 * Return: the verdict. Never fails; a record of another path or without
 * evidence is COWTRACE_OUTCOME_UNKNOWN.
 */
static inline struct cowtrace_verdict
cowtrace_classify(const struct cowtrace_record *r, __u32 traits)
{
	struct cowtrace_verdict v = { COWTRACE_OUTCOME_UNKNOWN, COWTRACE_REASON_NONE,
				      r->evidence };
	bool unshare = r->fault_flags & COWTRACE_FAULT_FLAG_UNSHARE;
	bool uffd = !unshare && (r->vm_flags & COWTRACE_VM_UFFD_WP) &&
		    (r->state & COWTRACE_PTE_UFFD_WP);

	if (r->path != COWTRACE_PATH_PTE)
		return v;

	v.evidence |= COWTRACE_EV_RET;
	if (r->ret & COWTRACE_FAULT_OOM)
		v.outcome = COWTRACE_OUTCOME_OOM;
	else if (r->ret & (COWTRACE_FAULT_HWPOISON | COWTRACE_FAULT_HWPOISON_LARGE))
		v.outcome = COWTRACE_OUTCOME_POISON;
	else if (uffd && (r->ret & (COWTRACE_FAULT_RETRY | COWTRACE_FAULT_SIGBUS |
				    COWTRACE_FAULT_NOPAGE)))
		v.outcome = COWTRACE_OUTCOME_UFFD;
	else if (r->ret & (COWTRACE_FAULT_SIGBUS | COWTRACE_FAULT_SIGSEGV))
		v.outcome = COWTRACE_OUTCOME_ERROR;
	if (v.outcome != COWTRACE_OUTCOME_UNKNOWN)
		return v;

	v.evidence = r->evidence;
	if (!unshare && cowtrace_is_shared(r, traits)) {
		v.outcome = cowtrace_shared_outcome_(r, traits, &v.evidence);
		return v;
	}
	if (r->ret & COWTRACE_FAULT_RETRY) {
		v.evidence |= COWTRACE_EV_RET;
		v.outcome = COWTRACE_OUTCOME_RETRY;
		return v;
	}

	if (unshare)
		v.outcome = cowtrace_unshare_outcome_(r, traits);
	else if (traits & COWTRACE_TRAIT_RET_WRITE)
		v.outcome = cowtrace_coded_outcome_(r, traits, &v.evidence);
	else
		v.outcome = cowtrace_silent_outcome_(r, traits);

	if (v.outcome == COWTRACE_OUTCOME_COPY || v.outcome == COWTRACE_OUTCOME_UNSHARE)
		v.reason = cowtrace_copy_reason_(r, traits, &v.evidence);
	else if (v.outcome == COWTRACE_OUTCOME_REUSE)
		v.reason = cowtrace_reuse_reason_(r, traits, &v.evidence);
	return v;
}

#endif /* COWTRACE_CLASSIFY_H */
