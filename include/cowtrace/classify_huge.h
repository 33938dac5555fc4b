/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the verdict on faults of huge pages. The kernel functions named in
 * comments are those of mm/huge_memory.c and mm/hugetlb.c.
 */
#ifndef COWTRACE_CLASSIFY_HUGE_H
#define COWTRACE_CLASSIFY_HUGE_H

#include "holders.h"

/* --- do_huge_pmd_wp_page() ----------------------------------------------- */

/*
 * A huge page is reused or split, never copied, but for the huge zero page
 * from 7.x on. Reuse and lost race both return 0 from 6.2 on; only a reuse calls
 * pmdp_set_access_flags(), and only that copy pmdp_huge_clear_flush(): witnesses.
 */
static inline enum cowtrace_outcome
cowtrace_pmd_outcome_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	if (r->ret & COWTRACE_FAULT_FALLBACK) {
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_SPLIT;
	}
	if (cowtrace_is_unshare_(r)) {
		if (r->evidence & COWTRACE_EV_WITNESS)
			return COWTRACE_OUTCOME_UNSHARE;
		/* A reuse leaves the PMD read-only. */
		return cowtrace_same_page_(r) && !(r->state & COWTRACE_EXIT_WRITE) &&
		       (r->state & COWTRACE_EXIT_EXCLUSIVE) ? COWTRACE_OUTCOME_REUSE :
							      COWTRACE_OUTCOME_RACED;
	}
	if (traits & COWTRACE_TRAIT_RET_WRITE) {
		*evidence |= COWTRACE_EV_RET;
		return r->ret & COWTRACE_FAULT_WRITE ? COWTRACE_OUTCOME_REUSE :
						       COWTRACE_OUTCOME_RACED;
	}
	if (r->evidence & COWTRACE_EV_WITNESS)
		return COWTRACE_OUTCOME_COPY;
	if (r->evidence & COWTRACE_EV_REUSED)
		return COWTRACE_OUTCOME_REUSE;
	/* Nobody watched: only who was alone did it himself. */
	if (!(r->evidence & COWTRACE_EV_WATCHED) && (r->evidence & COWTRACE_EV_ALONE) &&
	    cowtrace_made_writable_(r))
		return COWTRACE_OUTCOME_REUSE;
	return COWTRACE_OUTCOME_RACED;
}

/* References that stand for the swap cache, which the kernel would free. */
static inline __s32 cowtrace_pmd_tolerated_(const struct cowtrace_record *r)
{
	return 1 + (r->state & COWTRACE_PG_SWAPCACHE ? cowtrace_folio_pages(r) : 0);
}

static inline enum cowtrace_reason
cowtrace_pmd_split_reason_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);

	if (r->kind == COWTRACE_KIND_ZERO)
		return COWTRACE_REASON_ZERO;
	/* Until 5.18 reuse_swap_page() counts mappings and swap slots alone. */
	if (h.mappings > 1)
		return COWTRACE_REASON_MAPPED;
	if (traits & COWTRACE_TRAIT_EXCLUSIVE && r->refcount > cowtrace_pmd_tolerated_(r)) {
		if (h.pins)
			return COWTRACE_REASON_PINNED;
		return h.lru && !h.unattributed ? COWTRACE_REASON_LRU :
						  COWTRACE_REASON_UNATTRIBUTED;
	}
	*evidence |= COWTRACE_EV_TRIED;
	/* Until 5.18 writeback forbids a reuse on a swap device with stable writes alone. */
	if (r->state & COWTRACE_PG_SWAPCACHE)
		return traits & COWTRACE_TRAIT_EXCLUSIVE ? cowtrace_slot_reason_(r) :
							   COWTRACE_REASON_SWAPCACHE;
	*evidence |= COWTRACE_EV_SHIFTED;
	return COWTRACE_REASON_UNATTRIBUTED;
}

static inline enum cowtrace_reason
cowtrace_pmd_reuse_reason_(const struct cowtrace_record *r, __u32 traits, __u16 *evidence)
{
	if (r->state & COWTRACE_PG_EXCLUSIVE)
		return COWTRACE_REASON_EXCLUSIVE;
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE)) {
		if (r->folio_mapcount > 1)
			*evidence |= COWTRACE_EV_SHIFTED;
		return COWTRACE_REASON_MAPCOUNT_ONE;
	}
	if (r->refcount > cowtrace_pmd_tolerated_(r))
		*evidence |= COWTRACE_EV_SHIFTED;
	if (!(r->state & COWTRACE_PG_SWAPCACHE))
		return COWTRACE_REASON_SOLE_REF;
	*evidence |= COWTRACE_EV_TRIED;
	return COWTRACE_REASON_SWAPCACHE_FREED;
}

/* --- hugetlb_wp(), hugetlb_cow() ----------------------------------------- */

/* All that counts is one mapping of an anonymous page; references do not. */
static inline bool cowtrace_hugetlb_sole_(const struct cowtrace_record *r)
{
	return (r->state & COWTRACE_PG_ANON) && r->mapcount == 1;
}

/*
 * Everything returns 0. Only a copy calls hugetlb_add_new_anon_rmap(): the
 * witness. Without one, another thread may have done it while the fault slept.
 */
static inline enum cowtrace_outcome
cowtrace_hugetlb_outcome_(const struct cowtrace_record *r, __u16 *evidence)
{
	bool unshare = cowtrace_is_unshare_(r);
	bool settled = cowtrace_hugetlb_sole_(r) || (r->evidence & COWTRACE_EV_ALONE);

	if (r->ret & COWTRACE_FAULT_RETRY) {
		*evidence |= COWTRACE_EV_RET;
		return COWTRACE_OUTCOME_RETRY;
	}
	if (r->evidence & COWTRACE_EV_WITNESS)
		return unshare ? COWTRACE_OUTCOME_UNSHARE : COWTRACE_OUTCOME_COPY;
	if (r->vm_flags & (COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE)) {
		if (r->state & COWTRACE_EXIT_WRITE)
			return COWTRACE_OUTCOME_MKWRITE;
		return unshare ? COWTRACE_OUTCOME_NOOP : COWTRACE_OUTCOME_RACED;
	}
	if (unshare)
		return cowtrace_same_page_(r) && (r->state & COWTRACE_EXIT_EXCLUSIVE) && settled ?
		       COWTRACE_OUTCOME_REUSE : COWTRACE_OUTCOME_RACED;
	/* The write waits until userfaultfd takes its protection away. */
	if (cowtrace_same_page_(r) && (r->state & COWTRACE_PTE_UFFD_WP))
		return COWTRACE_OUTCOME_UFFD;
	/* Decided under the lock; on 7.2 a write by FOLL_FORCE leaves no trace in the PTE. */
	if (cowtrace_same_page_(r) && cowtrace_hugetlb_sole_(r))
		return COWTRACE_OUTCOME_REUSE;
	return cowtrace_made_writable_(r) && settled ? COWTRACE_OUTCOME_REUSE :
						       COWTRACE_OUTCOME_RACED;
}

static inline enum cowtrace_reason
cowtrace_hugetlb_copy_reason_(const struct cowtrace_record *r, __u16 *evidence)
{
	if (!(r->state & COWTRACE_PG_ANON))
		return COWTRACE_REASON_FILE;
	/* A second mapping that went before the kernel looked leaves no other reason. */
	if (r->mapcount <= 1)
		*evidence |= COWTRACE_EV_SHIFTED;
	return COWTRACE_REASON_MAPPED;
}

static inline enum cowtrace_reason
cowtrace_hugetlb_reuse_reason_(const struct cowtrace_record *r, __u16 *evidence)
{
	if (!cowtrace_hugetlb_sole_(r))
		*evidence |= COWTRACE_EV_SHIFTED;
	return COWTRACE_REASON_MAPCOUNT_ONE;
}

#endif /* COWTRACE_CLASSIFY_HUGE_H */
