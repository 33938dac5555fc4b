/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the test of the running kernel that decided, with the value that the
 * sample has for it. For people: outputs show it beside the reason.
 */
#ifndef COWTRACE_DECISION_H
#define COWTRACE_DECISION_H

#include "classify.h"

/**
 * struct cowtrace_decision - the deciding test of a reuse, a copy, an unshare or a split
 * @test: the test in the kernel's own names; of a copy the first that failed,
 *	of a reuse the last that passed. NULL for other outcomes.
 * @value: what was compared, as sampled at entry.
 * @limit: the greatest value that still allows a reuse.
 * @measured: the test compares counts: @value and @limit are given.
 */
struct cowtrace_decision {
	const char	*test;
	__s32		value;
	__s32		limit;
	bool		measured;
};

static inline struct cowtrace_decision
cowtrace_counted_(const char *test, __s32 value, __s32 limit)
{
	return (struct cowtrace_decision) { test, value, limit, true };
}

static inline struct cowtrace_decision cowtrace_tested_(const char *test)
{
	return (struct cowtrace_decision) { test, 0, 0, false };
}

static inline struct cowtrace_decision
cowtrace_pmd_decision_(const struct cowtrace_record *r, __u32 traits)
{
	if (r->kind == COWTRACE_KIND_ZERO)
		return cowtrace_tested_("is_huge_zero_pmd()");
	/* The greatest count of one page: known while the whole is mapped, but not its slots. */
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE))
		return r->mapcount == r->folio_mapcount &&
		       (r->reason == COWTRACE_REASON_MAPPED ||
			r->reason == COWTRACE_REASON_MAPCOUNT_ONE) ?
		       cowtrace_counted_("page_trans_huge_map_swapcount()", r->mapcount, 1) :
		       cowtrace_tested_("page_trans_huge_map_swapcount()<=1");
	if (r->reason == COWTRACE_REASON_SWAPCACHE || r->reason == COWTRACE_REASON_WRITEBACK)
		return cowtrace_tested_("folio_free_swap()");
	return cowtrace_counted_("folio_ref_count()", r->refcount, cowtrace_pmd_tolerated_(r));
}

static inline struct cowtrace_decision
cowtrace_large_decision_(const struct cowtrace_record *r)
{
	switch (r->reason) {
	case COWTRACE_REASON_LARGE:
		return cowtrace_tested_("folio_large_mapcount()<=1");
	case COWTRACE_REASON_MAPPED:
		return cowtrace_tested_("FOLIO_MM_IDS_SHARED");
	default:
		return cowtrace_counted_("folio_ref_count()==folio_large_mapcount()", r->refcount,
					 r->folio_mapcount);
	}
}

static inline struct cowtrace_decision
cowtrace_pte_decision_(const struct cowtrace_record *r, __u32 traits)
{
	bool folio = traits & COWTRACE_TRAIT_EXCLUSIVE;

	switch (r->reason) {
	case COWTRACE_REASON_KSM:
		return cowtrace_tested_(folio ? "folio_test_ksm()" : "PageKsm()");
	case COWTRACE_REASON_ZERO:
	case COWTRACE_REASON_SPECIAL:
		return cowtrace_tested_("vm_normal_page()");
	case COWTRACE_REASON_FILE:
		return cowtrace_tested_(folio ? "folio_test_anon()" : "PageAnon()");
	case COWTRACE_REASON_LOCKED:
		return cowtrace_tested_(folio ? "folio_trylock()" : "trylock_page()");
	default:
		break;
	}
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_COPY))
		return cowtrace_tested_("folio_test_large()");
	if ((folio && r->reason == COWTRACE_REASON_SWAPCACHE) ||
	    r->reason == COWTRACE_REASON_WRITEBACK || r->reason == COWTRACE_REASON_SWAPCACHE_FREED)
		return cowtrace_tested_("folio_free_swap()");
	if (r->order && (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		return cowtrace_large_decision_(r);
	if (folio && r->refcount > COWTRACE_FIRST_LIMIT_)
		return cowtrace_counted_("folio_ref_count()", r->refcount, COWTRACE_FIRST_LIMIT_);
	return cowtrace_counted_(folio ? "folio_ref_count()" : "page_count()", r->refcount,
				 cowtrace_tolerated_(r, traits));
}

/**
 * cowtrace_decision() - which test of the kernel decided
 * @r: a classified record.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled the fault.
 *
 * Return: the test. Where the record is flagged drained, shifted or tried, the
 * kernel may have found another value than the sample.
 */
static inline struct cowtrace_decision
cowtrace_decision(const struct cowtrace_record *r, __u32 traits)
{
	if (r->reason == COWTRACE_REASON_NONE)
		return cowtrace_tested_(NULL);
	if (r->reason == COWTRACE_REASON_EXCLUSIVE)
		return cowtrace_tested_("PageAnonExclusive()");
	switch (r->path) {
	case COWTRACE_PATH_PMD:
		return cowtrace_pmd_decision_(r, traits);
	case COWTRACE_PATH_HUGETLB:
		if (r->reason == COWTRACE_REASON_FILE)
			return cowtrace_tested_(traits & COWTRACE_TRAIT_RET_WRITE ? "PageAnon()" :
						"folio_test_anon()");
		return cowtrace_counted_(traits & COWTRACE_TRAIT_RET_WRITE ? "page_mapcount()" :
					 "folio_mapcount()", r->mapcount, 1);
	default:
		return cowtrace_pte_decision_(r, traits);
	}
}

#endif /* COWTRACE_DECISION_H */
