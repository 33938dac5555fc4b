// SPDX-License-Identifier: GPL-2.0
/*
 * What the policies say, with reason or cause and the step, a claim a line. That the
 * answers are right of every page is test-policy-sweep.c.
 */
#include <string.h>

#include <cowtrace/policy.h>

#include "sample.h"
#include "tap.h"

/* Which policies a line is about. */
#define P(name)		(1u << COWTRACE_POLICY_##name)
#define OLD		(P(MAPCOUNT) | P(REFCOUNT) | P(SWAPCACHE))
#define MARKING		(P(EXCLUSIVE) | P(LARGE_EXCLUSIVE))
#define COUNTING	(P(SWAPCACHE) | MARKING)
#define KERNELS		(OLD | MARKING)
#define EVERY		(KERNELS | P(MINIMAL))

struct line {
	const char	*claim;
	uint32_t	policies;
	int		kernel;
	struct cowtrace_record r;
	struct cowtrace_prediction want;
};

/* The last of two initializers counts: what is usual may be overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define HAS(what)	COWTRACE_HAS_##what
#define COUNTED_PAGE	(HAS(PAGE) | HAS(FOLIO_MAPCOUNT))
#define PAGE(...)							\
	{ .vm_flags = W, .kind = COWTRACE_KIND_ANON, .state = ANON | LRU, .refcount = 1, \
	  .mapcount = 1, .folio_mapcount = 1, .present = COUNTED_PAGE, __VA_ARGS__ }
/* From 5.19 on it is known that a page has no mark. */
#define UNMARKED(...)	PAGE(.present = COUNTED_PAGE | HAS(EXCLUSIVE), __VA_ARGS__)
#define MERGED(...)	PAGE(.kind = COWTRACE_KIND_KSM, .state = KSM | LRU, __VA_ARGS__)
/* A large folio of four pages, all mapped here. */
#define FOLIO(...)							\
	PAGE(.order = 2, .refcount = 4, .folio_mapcount = 4, .mapped_here = 4, \
	     .present = COUNTED_PAGE | HAS(EXCLUSIVE) | HAS(MAPPED_HERE), __VA_ARGS__)
/* The same until 6.1, where nobody counts the mappings. */
#define UNCOUNTED(...)							\
	FOLIO(.folio_mapcount = 0, .present = HAS(PAGE) | HAS(MAPPED_HERE), __VA_ARGS__)
#define HUGE_(...)							\
	UNMARKED(.path = COWTRACE_PATH_PMD, .kind = COWTRACE_KIND_THP, .order = 9, __VA_ARGS__)
#define HUGETLB(...)							\
	UNMARKED(.path = COWTRACE_PATH_HUGETLB, .kind = COWTRACE_KIND_HUGETLB, .order = 9, \
		 .state = ANON, .refcount = 2, __VA_ARGS__)
#define CACHED(...)	UNMARKED(.state = ANON | LRU | SWAP, .refcount = 2, __VA_ARGS__)
/* With as many users of the slot. */
#define USERS(n)								\
	.swapcount = (n), .present = COUNTED_PAGE | HAS(EXCLUSIVE) | HAS(SWAPCOUNT)
#define MOVED_COUNT	.evidence = COWTRACE_EV_UNSTABLE
#define DID(what)	.outcome = COWTRACE_OUTCOME_##what

#define REUSE(at, why)	{ COWTRACE_ANSWER_REUSE, COWTRACE_REASON_##why, 0, COWTRACE_STEP_##at }
#define COPY(at, why)	{ COWTRACE_ANSWER_COPY, COWTRACE_REASON_##why, 0, COWTRACE_STEP_##at }
#define OPEN(at, why)							\
	{ COWTRACE_ANSWER_UNDETERMINED, 0, COWTRACE_CAUSE_##why, COWTRACE_STEP_##at }
#define UNASKED		{ COWTRACE_ANSWER_NONE, 0, 0, 0 }

/* What page and mapping settle. */
static const struct line settled[] = {
	{ "no policy decides about a page that was not sampled", EVERY, V6_12,
	  PAGE(.kind = COWTRACE_KIND_UNKNOWN), UNASKED },
	{ "or on a path that is not known", EVERY, V6_12, PAGE(.path = COWTRACE_NR_PATHS),
	  UNASKED },
	{ "or where userfaultfd took the fault", EVERY, V6_12, PAGE(DID(UFFD)), UNASKED },
	{ "or of a shared file", EVERY, V5_10,
	  PAGE(.vm_flags = SHARED, .kind = COWTRACE_KIND_FILE, .state = LRU), UNASKED },
	{ "or of a mapping that may be shared, from 6.2 on", EVERY, V6_12,
	  PAGE(.vm_flags = MAYSHARE, .kind = COWTRACE_KIND_FILE, .state = LRU), UNASKED },
	{ "or of shared hugetlb memory", EVERY, V5_10,
	  HUGETLB(.vm_flags = COWTRACE_VM_SHARED), UNASKED },
	{ "or of hugetlb memory that may be shared", EVERY, V5_10,
	  HUGETLB(.vm_flags = COWTRACE_VM_MAYSHARE), UNASKED },
	{ "a read-only pin has nothing to unshare but anonymous memory", EVERY, V6_12,
	  PAGE(.fault_flags = COWTRACE_FAULT_FLAG_UNSHARE, .state = LRU,
	       .kind = COWTRACE_KIND_FILE), UNASKED },
	{ "until 5.18 there is no unshare", OLD, V6_12,
	  UNMARKED(.fault_flags = COWTRACE_FAULT_FLAG_UNSHARE), UNASKED },
	{ "from 5.19 on there is", MARKING, V6_12,
	  UNMARKED(.fault_flags = COWTRACE_FAULT_FLAG_UNSHARE), REUSE(LAST, SOLE_REF) },
	{ "the lower bound holds for an unshare too", P(MINIMAL), V6_12,
	  UNMARKED(.fault_flags = COWTRACE_FAULT_FLAG_UNSHARE), REUSE(NOBODY, SOLE_REF) },
	{ "the zero page is copied", EVERY, V6_12,
	  PAGE(.kind = COWTRACE_KIND_ZERO, .state = 0, .present = 0), COPY(PAGE, ZERO) },
	{ "the huge zero page is split", EVERY, V6_12,
	  HUGE_(.kind = COWTRACE_KIND_ZERO, .state = 0), COPY(HUGE_ZERO, ZERO) },
	{ "what has no struct page is copied", EVERY, V6_12,
	  PAGE(.kind = COWTRACE_KIND_SPECIAL, .state = 0, .present = 0), COPY(PAGE, SPECIAL) },
	{ "a page of a private file is copied", EVERY, V6_12,
	  PAGE(.kind = COWTRACE_KIND_FILE, .state = LRU), COPY(ANON, FILE) },
	{ "so is one of a private hugetlb file", EVERY, V6_12, HUGETLB(.state = 0),
	  COPY(HUGETLB, FILE) },
	{ "a hugetlb page that is mapped once is reused, with any references", KERNELS, V6_12,
	  HUGETLB(.refcount = 9), REUSE(HUGETLB, MAPCOUNT_ONE) },
	{ "one that is mapped twice is copied", KERNELS, V6_12, HUGETLB(.mapcount = 2),
	  COPY(HUGETLB, MAPPED) },
	{ "no policy of another name answers", 1u << COWTRACE_NR_POLICIES, V6_12, PAGE(), UNASKED },
};

static const struct line mapcount[] = {
	{ "what is mapped once is reused, with any references", P(MAPCOUNT), V5_10,
	  PAGE(.refcount = 5), REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "what is mapped twice is copied", P(MAPCOUNT), V5_10, PAGE(.mapcount = 2),
	  COPY(MAP_SWAPCOUNT, MAPPED) },
	{ "a huge page too, one page of which somebody else maps", P(MAPCOUNT) | P(REFCOUNT), V5_10,
	  HUGE_(.refcount = 2, .folio_mapcount = 2), COPY(MAP_SWAPCOUNT, MAPPED) },
	{ "four pages with five mappings: one is mapped twice", P(MAPCOUNT), V6_12,
	  FOLIO(.folio_mapcount = 5, .refcount = 5), COPY(MAP_SWAPCOUNT, MAPPED) },
	{ "all four mapped here: none is", P(MAPCOUNT), V6_12, FOLIO(),
	  REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "three mappings of which one is elsewhere may be two of one page", P(MAPCOUNT), V6_12,
	  FOLIO(.mapped_here = 2, .folio_mapcount = 3), OPEN(MAP_SWAPCOUNT, MAPPINGS) },
	{ "not in one mm", P(MAPCOUNT), V7_2, FOLIO(.mapped_here = 2, .folio_mapcount = 3),
	  REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "two mappings cannot, this page being mapped once", P(MAPCOUNT), V6_12,
	  FOLIO(.mapped_here = 1, .folio_mapcount = 2), REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "a swap entry counts as a mapping", P(MAPCOUNT), V6_12, CACHED(USERS(1)),
	  COPY(MAP_SWAPCOUNT, SWAPCACHE) },
	{ "a huge page was split for its slots", P(MAPCOUNT) | P(REFCOUNT), V5_10,
	  HUGE_(.state = ANON | LRU | SWAP, .refcount = 513, DID(SPLIT)),
	  COPY(MAP_SWAPCOUNT, SWAPCACHE) },
	{ "a slot of which nothing is known may have one", P(MAPCOUNT), V5_10, CACHED(),
	  OPEN(MAP_SWAPCOUNT, SWAPCOUNT) },
	{ "of a large folio the other pages' slots may", P(MAPCOUNT), V6_12,
	  FOLIO(.state = ANON | LRU | SWAP, .refcount = 8, .swapcount = 0,
		.present = COUNTED_PAGE | HAS(EXCLUSIVE) | HAS(MAPPED_HERE) | HAS(SWAPCOUNT)),
	  OPEN(MAP_SWAPCOUNT, SWAPCOUNT) },
	{ "writeback forbids the reuse on a device with stable writes", P(MAPCOUNT), V6_12,
	  CACHED(.state = ANON | LRU | SWAP | WB, USERS(0)), OPEN(STABLE, STABLE) },
	{ "a slot without users does not matter", P(MAPCOUNT), V6_12, CACHED(USERS(0)),
	  REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "a merged page with one user is reused", P(MAPCOUNT), V5_10, MERGED(),
	  REUSE(KSM_REUSE, SOLE_REF) },
	{ "not from the swap cache", P(MAPCOUNT), V5_10,
	  MERGED(.state = KSM | LRU | SWAP, .refcount = 2), COPY(KSM_REUSE, KSM) },
	{ "nor with another mapping", P(MAPCOUNT), V5_10, MERGED(.mapcount = 2, MOVED_COUNT),
	  COPY(KSM_REUSE, KSM) },
	{ "nor with another reference", P(MAPCOUNT), V5_10, MERGED(.refcount = 2),
	  COPY(KSM_REUSE, KSM) },
	{ "a count that moved may have been one", P(MAPCOUNT), V5_10, MERGED(MOVED_COUNT),
	  OPEN(KSM_REUSE, MOVED) },
};

static const struct line refcount[] = {
	{ "one reference is the mapping's", P(REFCOUNT), V5_10, PAGE(),
	  REUSE(COUNT_ONE, SOLE_REF) },
	{ "a merged page is copied", P(REFCOUNT), V5_10, MERGED(), COPY(COUNT_ONE, KSM) },
	{ "so is one that is mapped twice, even if counts moved", P(REFCOUNT), V5_10,
	  PAGE(.mapcount = 2, MOVED_COUNT), COPY(COUNT_ONE, MAPPED) },
	{ "one in the swap cache", P(REFCOUNT), V6_12, CACHED(USERS(0)),
	  COPY(COUNT_ONE, SWAPCACHE) },
	{ "one in a batch", P(REFCOUNT), V5_10, PAGE(.state = ANON, .refcount = 2),
	  COPY(COUNT_ONE, LRU) },
	{ "and one with a plain reference", P(REFCOUNT), V5_10, PAGE(.refcount = 2),
	  COPY(COUNT_ONE, UNATTRIBUTED) },
	{ "a count that moved may have been one", P(REFCOUNT), V5_10, PAGE(MOVED_COUNT),
	  OPEN(COUNT_ONE, MOVED) },
	{ "a lock that was held may have been let go", P(REFCOUNT), V6_12,
	  UNMARKED(.state = ANON | LRU | LOCKED), OPEN(TRYLOCK_ONE, LOCK) },
	{ "it was where 5.10 kept the page", P(REFCOUNT), V5_10,
	  PAGE(.state = ANON | LRU | LOCKED, DID(REUSE)), REUSE(COUNT_ONE, SOLE_REF) },
	{ "and was not where it copied it", P(REFCOUNT), V5_10,
	  PAGE(.state = ANON | LRU | LOCKED, DID(COPY)), COPY(TRYLOCK_ONE, LOCKED) },
	{ "a huge page is looked at as before", P(REFCOUNT), V5_10, HUGE_(.refcount = 3),
	  REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
};

static const struct line swapcache[] = {
	{ "one reference is the mapping's", COUNTING, V6_12, UNMARKED(), REUSE(LAST, SOLE_REF) },
	{ "a merged page is copied", COUNTING, V6_12, MERGED(), COPY(KSM_FIRST, KSM) },
	{ "more than three references are refused at once", COUNTING, V6_12,
	  UNMARKED(.refcount = 4), COPY(KSM_FIRST, UNATTRIBUTED) },
	{ "of two, one is too many", COUNTING, V6_12, UNMARKED(.refcount = 2),
	  COPY(COUNT, UNATTRIBUTED) },
	{ "a second mapping is, even if counts moved", COUNTING, V6_12,
	  UNMARKED(.mapcount = 2, MOVED_COUNT), COPY(COUNT, MAPPED) },
	{ "a count that moved may have been one", COUNTING, V6_12, UNMARKED(MOVED_COUNT),
	  OPEN(COUNT, MOVED) },
	{ "a batch may be another CPU's", P(SWAPCACHE), V5_10,
	  PAGE(.state = ANON, .refcount = 2), OPEN(COUNT, BATCH) },
	{ "it was this CPU's where the kernel kept the page", COUNTING, V6_12,
	  UNMARKED(.state = ANON, .refcount = 2, DID(REUSE)), REUSE(LAST, SOLE_REF) },
	{ "it was not where the kernel copied it", COUNTING, V6_12,
	  UNMARKED(.state = ANON, .refcount = 2, DID(COPY)), COPY(COUNT, LRU) },
	{ "a slot in use settles it for batch and lock", COUNTING, V6_12,
	  CACHED(.state = ANON | SWAP | LOCKED, .refcount = 3, USERS(1)),
	  COPY(FREE_SWAP, SWAPCACHE) },
	{ "so does writeback", COUNTING, V6_12, CACHED(.state = ANON | LRU | SWAP | WB, USERS(0)),
	  COPY(FREE_SWAP, WRITEBACK) },
	{ "a slot without users is freed", COUNTING, V6_12, CACHED(USERS(0)),
	  REUSE(FREE_SWAP, SWAPCACHE_FREED) },
	{ "one of which nothing is known may be", COUNTING, V6_12, CACHED(),
	  OPEN(FREE_SWAP, SWAPCOUNT) },
	{ "a lock that was held may have been let go", COUNTING, V6_12,
	  CACHED(.state = ANON | LRU | SWAP | LOCKED, USERS(0)), OPEN(TRYLOCK, LOCK) },
	{ "it was not where nothing else forbade the reuse", COUNTING, V6_12,
	  CACHED(.state = ANON | LRU | SWAP | LOCKED, USERS(0), DID(COPY)), COPY(TRYLOCK, LOCKED) },
	{ "a huge page with one reference is kept, whoever held its lock", COUNTING, V6_12,
	  HUGE_(.state = ANON | LRU | LOCKED), REUSE(LAST, SOLE_REF) },
	{ "with a second mapping it is split, even if counts moved", COUNTING, V6_12,
	  HUGE_(.refcount = 2, .folio_mapcount = 2, MOVED_COUNT), COPY(PMD_COUNT, MAPPED) },
	{ "a count of it that moved may have been one", COUNTING, V6_12, HUGE_(MOVED_COUNT),
	  OPEN(PMD_COUNT, MOVED) },
	{ "with a plain reference it is split", COUNTING, V6_12, HUGE_(.refcount = 2),
	  COPY(PMD_COUNT, UNATTRIBUTED) },
	{ "the references of its slots are tolerated", COUNTING, V6_12,
	  HUGE_(.state = ANON | LRU | SWAP, .refcount = 513, DID(REUSE)),
	  REUSE(FREE_SWAP, SWAPCACHE_FREED) },
	{ "not those of slots in use", COUNTING, V6_12,
	  HUGE_(.state = ANON | LRU | SWAP, .refcount = 513, DID(SPLIT)),
	  COPY(FREE_SWAP, SWAPCACHE) },
};

static const struct line marked[] = {
	{ "the mark settles it, whatever the count", MARKING, V6_12,
	  UNMARKED(.state = ANON | LRU | EXCL, .refcount = 1030), REUSE(EXCLUSIVE, EXCLUSIVE) },
	{ "a kernel without marks does not tell", MARKING, V5_10, PAGE(.refcount = 2),
	  OPEN(EXCLUSIVE, EXCLUSIVE) },
	{ "nor does it matter where the count allows the reuse", MARKING, V5_10, PAGE(),
	  REUSE(LAST, SOLE_REF) },
	{ "what is mapped twice has none", MARKING, V5_10, PAGE(.refcount = 2, .mapcount = 2),
	  COPY(COUNT, MAPPED) },
	{ "a merged page has none", MARKING, V5_10, MERGED(), COPY(KSM_FIRST, KSM) },
	{ "a page with a swap entry has none", MARKING, V5_10,
	  CACHED(.swapcount = 1, .present = COUNTED_PAGE | HAS(SWAPCOUNT)),
	  COPY(FREE_SWAP, SWAPCACHE) },
	{ "a huge page that is mapped twice has none", MARKING, V5_10,
	  HUGE_(.refcount = 2, .folio_mapcount = 2, .present = COUNTED_PAGE),
	  COPY(PMD_COUNT, MAPPED) },
	{ "nor one with swap entries", MARKING, V5_10,
	  HUGE_(.state = ANON | LRU | SWAP, .refcount = 513, .present = COUNTED_PAGE, DID(SPLIT)),
	  COPY(FREE_SWAP, SWAPCACHE) },
	{ "a large folio of one reference is kept until 6.7, copied from 6.8 on", P(EXCLUSIVE),
	  V6_12, FOLIO(.refcount = 1, .folio_mapcount = 1, .mapped_here = 1),
	  OPEN(LARGE, RELEASE) },
	{ "of several it is copied by both", P(EXCLUSIVE), V6_12, FOLIO(), COPY(LARGE, LARGE) },
};

static const struct line large[] = {
	{ "what one mm maps and holds is reused", P(LARGE_EXCLUSIVE), V7_2, FOLIO(),
	  REUSE(LARGE_COUNT, LARGE_EXCLUSIVE) },
	{ "the last page of a folio is copied, to give the rest back", P(LARGE_EXCLUSIVE), V7_2,
	  FOLIO(.refcount = 1, .folio_mapcount = 1, .mapped_here = 1), COPY(LARGE_MAPPED, LARGE) },
	{ "what several mms map is copied", P(LARGE_EXCLUSIVE), V7_2,
	  FOLIO(.state = ANON | LRU | MMS), COPY(MM_IDS, MAPPED) },
	{ "what is mapped elsewhere may be another mm's", P(LARGE_EXCLUSIVE), V6_12,
	  FOLIO(.mapped_here = 2), OPEN(MM_IDS, MMS) },
	{ "it is if this page is mapped twice", P(LARGE_EXCLUSIVE), V6_12, FOLIO(.mapcount = 2),
	  COPY(MM_IDS, MAPPED) },
	{ "or if there are more mappings than pages", P(LARGE_EXCLUSIVE), V6_12,
	  FOLIO(.folio_mapcount = 5, .refcount = 5), COPY(MM_IDS, MAPPED) },
	{ "until 6.1 a reference may be a mapping", P(LARGE_EXCLUSIVE), V6_1,
	  UNCOUNTED(.refcount = 5, .present = HAS(PAGE) | HAS(MAPPED_HERE) | HAS(EXCLUSIVE)),
	  OPEN(LARGE_COUNT, MAPPINGS) },
	{ "none is where none is left over", P(LARGE_EXCLUSIVE), V5_10, UNCOUNTED(),
	  REUSE(LARGE_COUNT, LARGE_EXCLUSIVE) },
	{ "a pin is not a mapping", P(MAPCOUNT), V5_10, UNCOUNTED(.refcount = 5, .pincount = 1),
	  REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "the reference of a batch is not", P(MAPCOUNT), V5_10,
	  UNCOUNTED(.state = ANON, .refcount = 5), REUSE(MAP_SWAPCOUNT, MAPCOUNT_ONE) },
	{ "one of the swap cache is not", P(MINIMAL), V5_10,
	  UNCOUNTED(.state = ANON | LRU | SWAP, .refcount = 8, .swapcount = 0,
		    .present = HAS(PAGE) | HAS(MAPPED_HERE) | HAS(SWAPCOUNT)),
	  REUSE(NOBODY, NONE) },
	{ "a count that moved may have been right", P(LARGE_EXCLUSIVE), V7_2, FOLIO(MOVED_COUNT),
	  OPEN(LARGE_COUNT, MOVED) },
	{ "a plain reference forbids the reuse", P(LARGE_EXCLUSIVE), V7_2, FOLIO(.refcount = 5),
	  COPY(LARGE_COUNT, UNATTRIBUTED) },
	{ "writeback does", P(LARGE_EXCLUSIVE), V7_2,
	  FOLIO(.state = ANON | LRU | SWAP | WB, .refcount = 8), COPY(LARGE_FREE, WRITEBACK) },
	{ "a swap entry does", P(LARGE_EXCLUSIVE), V7_2,
	  FOLIO(.state = ANON | LRU | SWAP, .refcount = 8, .swapcount = 1,
		.present = COUNTED_PAGE | HAS(EXCLUSIVE) | HAS(MAPPED_HERE) | HAS(SWAPCOUNT)),
	  COPY(LARGE_FREE, SWAPCACHE) },
	{ "another page's slot may have one", P(LARGE_EXCLUSIVE), V7_2,
	  FOLIO(.state = ANON | LRU | SWAP, .refcount = 8), OPEN(LARGE_FREE, SWAPCOUNT) },
	{ "none had where 7.2 freed them", P(LARGE_EXCLUSIVE), V7_2,
	  FOLIO(.state = ANON | LRU | SWAP, .refcount = 8, DID(REUSE)),
	  REUSE(LARGE_COUNT, LARGE_EXCLUSIVE) },
};

static const struct line minimal[] = {
	{ "one reference is the mapping's", P(MINIMAL), V5_10, PAGE(), REUSE(NOBODY, SOLE_REF) },
	{ "a merged page with one user is nobody else's", P(MINIMAL), V5_10, MERGED(),
	  REUSE(NOBODY, SOLE_REF) },
	{ "another mapping is another user", P(MINIMAL), V5_10, PAGE(.mapcount = 2),
	  COPY(MAPPED, MAPPED) },
	{ "of a huge page that of any of its pages", P(MINIMAL), V5_10,
	  HUGE_(.refcount = 2, .folio_mapcount = 2), COPY(MAPPED, MAPPED) },
	{ "of a large folio that of this page alone", P(MINIMAL), V6_12,
	  FOLIO(.mapped_here = 2), REUSE(NOBODY, NONE) },
	{ "a swap entry is another user", P(MINIMAL), V6_12, CACHED(USERS(1)),
	  COPY(ENTRY, SWAPCACHE) },
	{ "a slot of which nothing is known may have one", P(MINIMAL), V5_10, CACHED(),
	  OPEN(ENTRY, SWAPCOUNT) },
	{ "swap cache and batch are no users", P(MINIMAL), V6_12,
	  CACHED(.state = ANON | SWAP, .refcount = 3, USERS(0)), REUSE(NOBODY, NONE) },
	{ "a page that is exclusive has no other users, pinned or not", P(MINIMAL), V6_12,
	  UNMARKED(.state = ANON | LRU | EXCL | COWTRACE_PG_PINNED, .refcount = 1025),
	  REUSE(NOBODY, EXCLUSIVE) },
	{ "a pin may have been taken while the page was shared", P(MINIMAL), V6_12,
	  UNMARKED(.state = ANON | LRU | COWTRACE_PG_PINNED, .refcount = 1025),
	  OPEN(TAKEN, PINNED) },
	{ "on a kernel without marks too", P(MINIMAL), V5_10,
	  PAGE(.state = ANON | LRU | COWTRACE_PG_PINNED, .refcount = 1025), OPEN(TAKEN, PINNED) },
	{ "any other reference may", P(MINIMAL), V6_12, UNMARKED(.refcount = 2),
	  OPEN(TAKEN, REFERENCE) },
	{ "until 6.1 what is left of a large folio's references may be one", P(MINIMAL), V5_10,
	  UNCOUNTED(.refcount = 5), OPEN(TAKEN, REFERENCE) },
	{ "of a count that moved some may", P(MINIMAL), V5_10, PAGE(MOVED_COUNT),
	  OPEN(TAKEN, MOVED) },
	{ "hugetlb_wp() marks pages whose references it has not seen", P(MINIMAL), V6_12,
	  HUGETLB(.state = ANON | EXCL, .refcount = 3), OPEN(TAKEN, REFERENCE) },
	{ "but nobody pins one without mark", P(MINIMAL), V6_12,
	  HUGETLB(.state = ANON | EXCL | COWTRACE_PG_PINNED, .refcount = 3, .pincount = 1,
		  .present = COUNTED_PAGE | HAS(EXCLUSIVE) | HAS(PINCOUNT)),
	  REUSE(NOBODY, NONE) },
};

static void check_line(const struct line *l)
{
	struct cowtrace_facts f = cowtrace_facts(&l->r, kernels[l->kernel].traits);
	bool good = true;
	unsigned int p;

	for (p = 0; p <= COWTRACE_NR_POLICIES; p++) {
		struct cowtrace_prediction got = cowtrace_predict(p, &f);

		if (!(l->policies & 1u << p) || !memcmp(&got, &l->want, sizeof(got)))
			continue;
		good = false;
		note("policy %u: answer %u reason %u cause %u step %u instead of %u, %u, %u and %u",
		     p, got.answer, got.reason, got.cause, got.step, l->want.answer,
		     l->want.reason, l->want.cause, l->want.step);
	}
	ok(good, "%s", l->claim);
}

#define CHECK(lines)							\
	do {								\
		for (size_t i = 0; i < sizeof(lines) / sizeof(*(lines)); i++) \
			check_line(&(lines)[i]);			\
	} while (0)

/* Which policy is whose, and what its releases differ in. */
static void check_kernels(void)
{
	struct cowtrace_record r = FOLIO(.refcount = 1, .folio_mapcount = 1, .mapped_here = 1);
	struct cowtrace_facts f = cowtrace_facts(&r, kernels[V6_12].traits);

	ok(cowtrace_own_policy(kernels[V5_10].traits) == COWTRACE_POLICY_REFCOUNT,
	   "5.10 has the policy refcount");
	ok(cowtrace_own_policy(kernels[V6_1].traits) == COWTRACE_POLICY_EXCLUSIVE &&
	   cowtrace_own_policy(kernels[V6_12].traits) == COWTRACE_POLICY_EXCLUSIVE,
	   "6.1 and 6.12 have the policy exclusive");
	ok(cowtrace_own_policy(kernels[V7_2].traits) == COWTRACE_POLICY_LARGE_EXCLUSIVE,
	   "7.2 has the policy large-exclusive");
	cowtrace_ask_kernel(&f, kernels[V5_10].traits);
	ok(cowtrace_predict(COWTRACE_POLICY_EXCLUSIVE, &f).cause == COWTRACE_CAUSE_RELEASE,
	   "a kernel without marks is no release of exclusive");
	cowtrace_ask_kernel(&f, kernels[V6_1].traits);
	ok(cowtrace_predict(COWTRACE_POLICY_EXCLUSIVE, &f).answer == COWTRACE_ANSWER_REUSE,
	   "6.1 counts the references of a large folio");
	cowtrace_ask_kernel(&f, kernels[V6_12].traits);
	ok(cowtrace_predict(COWTRACE_POLICY_EXCLUSIVE, &f).reason == COWTRACE_REASON_LARGE,
	   "6.12 copies it");
}

/* The kernel's own policy, asked before the decision. */
static void check_foresight(void)
{
	struct cowtrace_record locked = UNMARKED(.state = ANON | LRU | LOCKED, DID(REUSE));
	struct cowtrace_record batch = UNMARKED(.state = ANON, .refcount = 2, DID(REUSE));
	struct cowtrace_record kept = CACHED(DID(COPY)), freed = CACHED(DID(REUSE));
	struct cowtrace_record huge = HUGE_(.state = ANON | LRU | SWAP, .refcount = 513,
					    DID(SPLIT));
	struct cowtrace_record one = FOLIO(.refcount = 1, .folio_mapcount = 1, .mapped_here = 1);
	struct cowtrace_record held = UNMARKED(DID(UFFD));
	__u32 traits = kernels[V7_2].traits;

	ok(cowtrace_foresee(&locked, traits).cause == COWTRACE_CAUSE_LOCK,
	   "a lock that was got is not foreseen");
	ok(cowtrace_foresee(&batch, traits).cause == COWTRACE_CAUSE_BATCH,
	   "nor a batch that was drained");
	ok(cowtrace_foresee(&kept, traits).reason == COWTRACE_REASON_SWAPCACHE,
	   "that a slot was not freed stands for its entries");
	ok(cowtrace_foresee(&freed, traits).reason == COWTRACE_REASON_SWAPCACHE_FREED,
	   "that it was, for none");
	ok(cowtrace_foresee(&huge, traits).reason == COWTRACE_REASON_SWAPCACHE,
	   "those of a huge page too");
	ok(cowtrace_foresee(&one, kernels[V6_1].traits).answer == COWTRACE_ANSWER_REUSE &&
	   cowtrace_foresee(&one, kernels[V6_12].traits).reason == COWTRACE_REASON_LARGE,
	   "it is the release that is asked");
	ok(cowtrace_foresee(&held, traits).answer == COWTRACE_ANSWER_NONE,
	   "and not of a fault that userfaultfd holds");
}

static int elsewhere(struct cowtrace_record r)
{
	return cowtrace_facts(&r, kernels[V5_10].traits).elsewhere;
}

static void check_elsewhere(void)
{
	struct cowtrace_record twice = UNCOUNTED(.mapcount = 2, .refcount = 9);
	struct cowtrace_record open = UNCOUNTED(.refcount = 9), here = UNCOUNTED();
	struct cowtrace_record three = FOLIO(.mapped_here = 3);

	ok(elsewhere(twice) == 1, "what is mapped twice is mapped elsewhere");
	ok(elsewhere(three) == 1, "so is a folio with more mappings than there are here");
	ok(elsewhere(here) == 0, "not one of which all references are those mappings");
	ok(elsewhere(open) == COWTRACE_NOT_KNOWN, "until 6.1 a reference too many may be one");
}

int main(void)
{
	CHECK(settled);
	CHECK(mapcount);
	CHECK(refcount);
	CHECK(swapcache);
	CHECK(marked);
	CHECK(large);
	CHECK(minimal);
	check_kernels();
	check_foresight();
	check_elsewhere();
	return tap_end();
}
