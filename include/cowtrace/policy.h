/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cowtrace: the reuse logic of each generation of the kernel, as pure functions of
 * the sample. Each is a list of tests in the order in which the kernel makes them.
 *
 * A test whose result the sample does not settle ends the list as undetermined,
 * unless both results lead to the same answer.
 */
#ifndef COWTRACE_POLICY_H
#define COWTRACE_POLICY_H

#include "facts.h"

/*
 * The tests. X(id, value, test, where)
 * "where": the function, and the commit that brought the test.
 */
#define COWTRACE_POLICY_STEPS(X)					\
	X(NONE,	      0, "-", "-")					\
	X(PAGE,	      1, "!vm_normal_page()", "do_wp_page()")		\
	X(ANON,	      2, "!PageAnon(page)", "do_wp_page()")		\
	X(HUGE_ZERO,  3, "is_huge_zero_pmd(orig_pmd)", "do_huge_pmd_wp_page()") \
	X(HUGETLB,    4, "page_mapcount(page) == 1 && PageAnon(page)", "hugetlb_wp()") \
	X(KSM_REUSE,  5, "PageKsm(page) && (PageSwapCache(page) || page_count(page) != 1)", \
	  "do_wp_page(), 52d1e606ee73")					\
	X(MAP_SWAPCOUNT, 6, "page_trans_huge_map_swapcount(page) <= 1", \
	  "reuse_swap_page(), 6d0a07edd17c")				\
	X(STABLE,     7, "PageWriteback(page) && SWP_STABLE_WRITES", \
	  "reuse_swap_page(), f05714293a59")				\
	X(COUNT_ONE,  8, "PageKsm(page) || page_count(page) != 1", "do_wp_page(), 09854ba94c6a") \
	X(TRYLOCK_ONE, 9, "!trylock_page(page)", "do_wp_page(), 09854ba94c6a") \
	X(KSM_FIRST, 10, "PageKsm(page) || page_count(page) > 3", \
	  "do_wp_page(), d4c470970d45")					\
	X(COUNT,     11, "page_count(page) > 1 + PageSwapCache(page)", \
	  "do_wp_page(), 53a05ad9f21d")					\
	X(TRYLOCK,   12, "!trylock_page(page)", "do_wp_page(), 53a05ad9f21d") \
	X(FREE_SWAP, 13, "PageSwapCache(page): try_to_free_swap(page)", \
	  "do_wp_page(), 53a05ad9f21d")					\
	X(LAST,	     14, "page_count(page) == 1", "do_wp_page(), 53a05ad9f21d") \
	X(EXCLUSIVE, 15, "PageAnonExclusive(page)", "do_wp_page(), 6c287605fd56") \
	X(LARGE,     16, "folio_test_large(folio)", "wp_can_reuse_anon_folio(), 6.8") \
	X(LARGE_MAPPED, 17, "folio_large_mapcount(folio) <= 1", \
	  "__wp_can_reuse_large_anon_folio(), 1da190f4d0a6")		\
	X(MM_IDS,    18, "FOLIO_MM_IDS_SHARED", \
	  "__wp_can_reuse_large_anon_folio(), 1da190f4d0a6")		\
	X(LARGE_FREE, 19, "folio_free_swap(folio)", \
	  "__wp_can_reuse_large_anon_folio(), 1da190f4d0a6")		\
	X(LARGE_COUNT, 20, "folio_large_mapcount(folio) != folio_ref_count(folio)", \
	  "__wp_can_reuse_large_anon_folio(), 1da190f4d0a6")		\
	X(PMD_COUNT, 21, "page_count(page) > 1 + PageSwapCache(page) * nr_pages", \
	  "do_huge_pmd_wp_page(), 3bff7e3f1f16")			\
	X(MAPPED,    22, "another mapping of the page", "minimal")	\
	X(ENTRY,     23, "a swap entry for the page", "minimal")	\
	X(TAKEN,     24, "a reference taken while the page was shared", "minimal") \
	X(NOBODY,    25, "no other user", "minimal")

#define COWTRACE_STEP_ENUM_(id, value, test, where)	COWTRACE_STEP_##id = (value),

enum cowtrace_policy_step { COWTRACE_POLICY_STEPS(COWTRACE_STEP_ENUM_) COWTRACE_NR_STEPS };

/**
 * struct cowtrace_prediction - what a policy answers
 * @answer: enum cowtrace_answer.
 * @reason: enum cowtrace_reason of a copy or a reuse, as the generation of the policy
 *	would have given it.
 * @cause: enum cowtrace_cause of what is undetermined.
 * @step: enum cowtrace_policy_step, the test that decided or that could not be made.
 */
struct cowtrace_prediction {
	__u8	answer;
	__u8	reason;
	__u8	cause;
	__u8	step;
};

#define COWTRACE_REUSE_(step, reason)					\
	((struct cowtrace_prediction) { COWTRACE_ANSWER_REUSE,		\
		COWTRACE_REASON_##reason, COWTRACE_CAUSE_NONE, COWTRACE_STEP_##step })
#define COWTRACE_COPY_(step, why)					\
	((struct cowtrace_prediction) { COWTRACE_ANSWER_COPY, (__u8)(why), \
		COWTRACE_CAUSE_NONE, COWTRACE_STEP_##step })
#define COWTRACE_OPEN_(step, cause)					\
	((struct cowtrace_prediction) { COWTRACE_ANSWER_UNDETERMINED,	\
		COWTRACE_REASON_NONE, COWTRACE_CAUSE_##cause, COWTRACE_STEP_##step })

/* --- until 5.8: reuse_swap_page() -------------------------------------------- */

/* Mappings and swap entries of that page of the folio which has most of them. */
static inline struct cowtrace_prediction
cowtrace_reuse_swap_page_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	bool pmd = r->path == COWTRACE_PATH_PMD;

	if (r->mapcount > 1 || f->folio_mapcount > (pmd ? 1 : cowtrace_folio_pages(r)))
		return COWTRACE_COPY_(MAP_SWAPCOUNT, COWTRACE_REASON_MAPPED);
	if ((pmd ? f->folio_swapcount : f->swapcount) > 0)
		return COWTRACE_COPY_(MAP_SWAPCOUNT, COWTRACE_REASON_SWAPCACHE);
	/* One mm maps each page once. Of two mappings beside this both may be of one page. */
	if (!pmd && f->mm_shared && f->elsewhere && cowtrace_most_mapped_(r) > 2)
		return COWTRACE_OPEN_(MAP_SWAPCOUNT, MAPPINGS);
	if (f->folio_swapcount)
		return COWTRACE_OPEN_(MAP_SWAPCOUNT, SWAPCOUNT);
	if (r->state & COWTRACE_PG_WRITEBACK)
		return COWTRACE_OPEN_(STABLE, STABLE);
	return COWTRACE_REUSE_(MAP_SWAPCOUNT, MAPCOUNT_ONE);
}

static inline struct cowtrace_prediction
cowtrace_policy_mapcount_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;

	if (!(r->state & COWTRACE_PG_KSM))
		return cowtrace_reuse_swap_page_(f);
	if ((r->state & COWTRACE_PG_SWAPCACHE) || r->mapcount > 1)
		return COWTRACE_COPY_(KSM_REUSE, COWTRACE_REASON_KSM);
	if (cowtrace_moved_(r))
		return COWTRACE_OPEN_(KSM_REUSE, MOVED);
	if (r->refcount != 1)
		return COWTRACE_COPY_(KSM_REUSE, COWTRACE_REASON_KSM);
	return COWTRACE_REUSE_(KSM_REUSE, SOLE_REF);
}

/* --- 5.9 to 5.17 ------------------------------------------------------------- */

static inline struct cowtrace_prediction
cowtrace_policy_refcount_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;

	if (r->path == COWTRACE_PATH_PMD)
		return cowtrace_reuse_swap_page_(f);
	if (r->state & COWTRACE_PG_KSM)
		return COWTRACE_COPY_(COUNT_ONE, COWTRACE_REASON_KSM);
	if (r->mapcount > 1)
		return COWTRACE_COPY_(COUNT_ONE, COWTRACE_REASON_MAPPED);
	if (cowtrace_moved_(r))
		return COWTRACE_OPEN_(COUNT_ONE, MOVED);
	if (r->refcount != 1)
		return COWTRACE_COPY_(COUNT_ONE, cowtrace_blame_(r, 0, &f->holders));
	if (f->locked > 0)
		return COWTRACE_COPY_(TRYLOCK_ONE, COWTRACE_REASON_LOCKED);
	if (f->locked)
		return COWTRACE_OPEN_(TRYLOCK_ONE, LOCK);
	return COWTRACE_REUSE_(COUNT_ONE, SOLE_REF);
}

/* --- 5.18 on: what can let go is asked to ------------------------------------ */

static inline struct cowtrace_prediction
cowtrace_free_swap_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;

	if (!(r->state & COWTRACE_PG_SWAPCACHE))
		return COWTRACE_REUSE_(LAST, SOLE_REF);
	if (r->state & COWTRACE_PG_WRITEBACK)
		return COWTRACE_COPY_(FREE_SWAP, COWTRACE_REASON_WRITEBACK);
	if (f->folio_swapcount > 0)
		return COWTRACE_COPY_(FREE_SWAP, COWTRACE_REASON_SWAPCACHE);
	if (f->folio_swapcount == COWTRACE_NOT_KNOWN)
		return COWTRACE_OPEN_(FREE_SWAP, SWAPCOUNT);
	return COWTRACE_REUSE_(FREE_SWAP, SWAPCACHE_FREED);
}

static inline struct cowtrace_prediction
cowtrace_pmd_freed_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	__u16 evidence = 0;

	if (f->folio_mapcount > 1)
		return COWTRACE_COPY_(PMD_COUNT, COWTRACE_REASON_MAPPED);
	if (cowtrace_moved_(r))
		return COWTRACE_OPEN_(PMD_COUNT, MOVED);
	if (r->refcount > cowtrace_pmd_tolerated_(r))
		return COWTRACE_COPY_(PMD_COUNT,
				      cowtrace_pmd_split_reason_(r, COWTRACE_TRAIT_EXCLUSIVE,
								 &evidence));
	return cowtrace_free_swap_(f);
}

static inline struct cowtrace_prediction
cowtrace_policy_swapcache_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	__s32 tolerated = cowtrace_tolerated_(r, COWTRACE_TRAIT_EXCLUSIVE);
	struct cowtrace_prediction freed = cowtrace_free_swap_(f);
	__u8 blame = cowtrace_blame_(r, COWTRACE_TRAIT_EXCLUSIVE, &f->holders);

	if (r->path == COWTRACE_PATH_PMD)
		return cowtrace_pmd_freed_(f);
	if (r->state & COWTRACE_PG_KSM)
		return COWTRACE_COPY_(KSM_FIRST, COWTRACE_REASON_KSM);
	if (cowtrace_moved_(r))
		return r->mapcount > 1 ? COWTRACE_COPY_(COUNT, blame) :
					 COWTRACE_OPEN_(COUNT, MOVED);
	if (r->refcount > COWTRACE_FIRST_LIMIT_)
		return COWTRACE_COPY_(KSM_FIRST, blame);
	/* What may be drained counts as gone. */
	if ((__s64)r->refcount - !!f->drains > tolerated)
		return COWTRACE_COPY_(COUNT, blame);
	/* Whether batch and lock allow it or not: the slot does not. */
	if (freed.answer == COWTRACE_ANSWER_COPY)
		return freed;
	if (r->refcount > tolerated && f->drains == COWTRACE_NOT_KNOWN)
		return COWTRACE_OPEN_(COUNT, BATCH);
	if (f->locked > 0)
		return COWTRACE_COPY_(TRYLOCK, COWTRACE_REASON_LOCKED);
	return f->locked ? COWTRACE_OPEN_(TRYLOCK, LOCK) : freed;
}

/* --- 5.19 on: PageAnonExclusive ---------------------------------------------- */

static inline struct cowtrace_prediction
cowtrace_not_exclusive_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	struct cowtrace_prediction counted = cowtrace_policy_swapcache_(f);

	if (r->path != COWTRACE_PATH_PTE || !r->order || !f->large_copied)
		return counted;
	/* Where the count forbids it too, both releases copy. */
	if (f->large_copied == COWTRACE_NOT_KNOWN && counted.answer != COWTRACE_ANSWER_COPY)
		return COWTRACE_OPEN_(LARGE, RELEASE);
	return COWTRACE_COPY_(LARGE, COWTRACE_REASON_LARGE);
}

/* __wp_can_reuse_large_anon_folio(): the slots of all its pages are freed, or none. */
static inline struct cowtrace_prediction
cowtrace_large_freed_(const struct cowtrace_facts *f)
{
	if (f->record->state & COWTRACE_PG_WRITEBACK)
		return COWTRACE_COPY_(LARGE_FREE, COWTRACE_REASON_WRITEBACK);
	if (f->folio_swapcount > 0)
		return COWTRACE_COPY_(LARGE_FREE, COWTRACE_REASON_SWAPCACHE);
	if (f->folio_swapcount == COWTRACE_NOT_KNOWN)
		return COWTRACE_OPEN_(LARGE_FREE, SWAPCOUNT);
	return COWTRACE_REUSE_(LARGE_COUNT, LARGE_EXCLUSIVE);
}

static inline struct cowtrace_prediction
cowtrace_large_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	struct cowtrace_prediction freed = cowtrace_large_freed_(f);
	__s32 spare = r->state & COWTRACE_PG_SWAPCACHE ? cowtrace_folio_pages(r) : 0;
	__u16 evidence = 0;

	if (f->folio_mapcount == 1)
		return COWTRACE_COPY_(LARGE_MAPPED, COWTRACE_REASON_LARGE);
	if (f->mm_shared > 0)
		return COWTRACE_COPY_(MM_IDS, COWTRACE_REASON_MAPPED);
	if (f->folio_mapcount == COWTRACE_NOT_KNOWN)
		return COWTRACE_OPEN_(LARGE_COUNT, MAPPINGS);
	if (cowtrace_moved_(r))
		return COWTRACE_OPEN_(LARGE_COUNT, MOVED);
	if ((__s64)r->refcount - spare > f->folio_mapcount)
		return COWTRACE_COPY_(LARGE_COUNT,
				      cowtrace_large_copy_reason_(r, &f->holders, &evidence));
	if (freed.answer == COWTRACE_ANSWER_COPY || f->mm_shared != COWTRACE_NOT_KNOWN)
		return freed;
	return COWTRACE_OPEN_(MM_IDS, MMS);
}

static inline struct cowtrace_prediction
cowtrace_policy_large_exclusive_(const struct cowtrace_facts *f)
{
	return f->record->order && f->record->path == COWTRACE_PATH_PTE ?
	       cowtrace_large_(f) : cowtrace_policy_swapcache_(f);
}

/* The mark comes first; where it is not known, only one answer of both is certain. */
static inline struct cowtrace_prediction
cowtrace_marked_(const struct cowtrace_facts *f, struct cowtrace_prediction unmarked)
{
	if (f->exclusive > 0)
		return COWTRACE_REUSE_(EXCLUSIVE, EXCLUSIVE);
	if (!f->exclusive || unmarked.answer == COWTRACE_ANSWER_REUSE)
		return unmarked;
	return COWTRACE_OPEN_(EXCLUSIVE, EXCLUSIVE);
}

/* --- minimal ----------------------------------------------------------------- */

static inline struct cowtrace_prediction
cowtrace_policy_minimal_(const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;
	const struct cowtrace_holders *h = &f->holders;
	bool pmd = r->path == COWTRACE_PATH_PMD;
	__s32 entries = pmd ? f->folio_swapcount : f->swapcount;

	if (r->mapcount > 1 || (pmd && f->folio_mapcount > 1))
		return COWTRACE_COPY_(MAPPED, COWTRACE_REASON_MAPPED);
	if (entries > 0)
		return COWTRACE_COPY_(ENTRY, COWTRACE_REASON_SWAPCACHE);
	/* hugetlb_wp() marks what it keeps without a look at its references. */
	if (f->exclusive > 0 && r->path != COWTRACE_PATH_HUGETLB)
		return COWTRACE_REUSE_(NOBODY, EXCLUSIVE);
	if (entries == COWTRACE_NOT_KNOWN)
		return COWTRACE_OPEN_(ENTRY, SWAPCOUNT);
	/* Nobody pins what has no mark, where there is one. */
	if ((r->state & COWTRACE_PG_PINNED) && f->exclusive <= 0)
		return COWTRACE_OPEN_(TAKEN, PINNED);
	if (cowtrace_moved_(r))
		return COWTRACE_OPEN_(TAKEN, MOVED);
	/* Of a large folio mapped page by page, all that is not mapped here. */
	if (!h->known ? f->elsewhere : h->unattributed)
		return COWTRACE_OPEN_(TAKEN, REFERENCE);
	return r->refcount == 1 ? COWTRACE_REUSE_(NOBODY, SOLE_REF) :
				  COWTRACE_REUSE_(NOBODY, NONE);
}

/* --- all of them ------------------------------------------------------------- */

/* What page and mapping settle alike in every generation. */
static inline struct cowtrace_prediction
cowtrace_settled_(enum cowtrace_policy policy, const struct cowtrace_facts *f)
{
	const struct cowtrace_record *r = f->record;

	/* Until 5.18 nobody asks for an unshared page. */
	if (!f->asked || (cowtrace_is_unshare_(r) && policy < COWTRACE_POLICY_EXCLUSIVE))
		return (struct cowtrace_prediction) { .answer = COWTRACE_ANSWER_NONE };
	if (r->kind == COWTRACE_KIND_ZERO)
		return r->path == COWTRACE_PATH_PMD ?
		       COWTRACE_COPY_(HUGE_ZERO, COWTRACE_REASON_ZERO) :
		       COWTRACE_COPY_(PAGE, COWTRACE_REASON_ZERO);
	if (r->kind == COWTRACE_KIND_SPECIAL)
		return COWTRACE_COPY_(PAGE, COWTRACE_REASON_SPECIAL);
	if (!(r->state & COWTRACE_PG_ANON))
		return r->path == COWTRACE_PATH_HUGETLB ?
		       COWTRACE_COPY_(HUGETLB, COWTRACE_REASON_FILE) :
		       COWTRACE_COPY_(ANON, COWTRACE_REASON_FILE);
	/* Only the lower bound has another opinion. */
	if (r->path == COWTRACE_PATH_HUGETLB && policy != COWTRACE_POLICY_MINIMAL)
		return r->mapcount == 1 ? COWTRACE_REUSE_(HUGETLB, MAPCOUNT_ONE) :
					  COWTRACE_COPY_(HUGETLB, COWTRACE_REASON_MAPPED);
	return (struct cowtrace_prediction) { .answer = COWTRACE_ANSWER_UNDETERMINED };
}

/**
 * cowtrace_predict() - what a policy would have decided
 * @policy: whom to ask.
 * @f: what is known of the fault.
 *
 * Return: the answer. Never fails; a policy that does not exist answers
 * COWTRACE_ANSWER_NONE.
 */
static inline struct cowtrace_prediction
cowtrace_predict(enum cowtrace_policy policy, const struct cowtrace_facts *f)
{
	struct cowtrace_prediction p = cowtrace_settled_(policy, f);

	if (p.answer != COWTRACE_ANSWER_UNDETERMINED)
		return p;
	switch (policy) {
	case COWTRACE_POLICY_MAPCOUNT:
		return cowtrace_policy_mapcount_(f);
	case COWTRACE_POLICY_REFCOUNT:
		return cowtrace_policy_refcount_(f);
	case COWTRACE_POLICY_SWAPCACHE:
		return cowtrace_policy_swapcache_(f);
	case COWTRACE_POLICY_EXCLUSIVE:
		return cowtrace_marked_(f, cowtrace_not_exclusive_(f));
	case COWTRACE_POLICY_LARGE_EXCLUSIVE:
		return cowtrace_marked_(f, cowtrace_policy_large_exclusive_(f));
	case COWTRACE_POLICY_MINIMAL:
		return cowtrace_policy_minimal_(f);
	default:
		return (struct cowtrace_prediction) { .answer = COWTRACE_ANSWER_NONE };
	}
}

/**
 * cowtrace_own_policy() - the policy that a kernel has
 * @traits: COWTRACE_TRAIT_* of the kernel.
 */
static inline enum cowtrace_policy cowtrace_own_policy(__u32 traits)
{
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE))
		return COWTRACE_POLICY_REFCOUNT;
	return traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE ? COWTRACE_POLICY_LARGE_EXCLUSIVE :
							 COWTRACE_POLICY_EXCLUSIVE;
}

/**
 * cowtrace_ask_kernel() - ask about the releases of one kernel alone
 * @f: the facts.
 * @traits: COWTRACE_TRAIT_* of the kernel that holds the policy.
 *
 * A policy covers several releases: what differs among them is settled here.
 */
static inline void cowtrace_ask_kernel(struct cowtrace_facts *f, __u32 traits)
{
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		f->large_copied = !!(traits & COWTRACE_TRAIT_LARGE_COPY);
}

/**
 * cowtrace_foresee() - what a kernel's own policy says of its fault beforehand
 * @r: a classified record.
 * @traits: COWTRACE_TRAIT_* of the kernel that handled it.
 *
 * What happened is not looked at, so that it can be held against the answer; but for a
 * swap slot whose entries the kernel shows to nobody: whether it was freed stands in.
 *
 * Return: the answer.
 */
static inline struct cowtrace_prediction
cowtrace_foresee(const struct cowtrace_record *r, __u32 traits)
{
	struct cowtrace_facts after = cowtrace_facts(r, traits), before;
	struct cowtrace_record sample = *r;

	sample.outcome = COWTRACE_OUTCOME_UNKNOWN;
	before = cowtrace_facts(&sample, traits);
	before.asked = after.asked;
	before.swapcount = after.swapcount;
	before.folio_swapcount = after.folio_swapcount;
	cowtrace_ask_kernel(&before, traits);
	return cowtrace_predict(cowtrace_own_policy(traits), &before);
}

#endif /* COWTRACE_POLICY_H */
