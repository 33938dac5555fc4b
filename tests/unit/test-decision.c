// SPDX-License-Identifier: GPL-2.0
/* The kernel's test that decided, and the value that it had. See inversions. */
#include <string.h>

#include <cowtrace/decision.h>

#include "sample.h"
#include "tap.h"

#define TESTS(test)			test, 0, 0, false
#define COUNTS(test, value, limit)	test, value, limit, true

static const struct {
	const char	*claim;
	uint32_t	on;
	struct sample	s;
	const char	*test;
	int32_t		value, limit;
	bool		measured;
} cases[] = {
	/* One PTE. */
	{ "what needs no reason has no test", ALL,
	  A(.state = ANON | LRU, .refs = 2, .ret = COWTRACE_FAULT_OOM), TESTS(NULL) },
	{ "an exclusive page", DRAINING,
	  A(.state = ANON | LRU | EXCL, KEPT), TESTS("PageAnonExclusive()") },
	{ "a KSM page on 5.10", K(V5_10), B(KSM, .state = KSM | LRU, COPIED), TESTS("PageKsm()") },
	{ "a KSM page", DRAINING, B(KSM, .state = KSM | LRU, COPIED), TESTS("folio_test_ksm()") },
	{ "the zero page", ALL, B(ZERO, .state = 0, COPIED), TESTS("vm_normal_page()") },
	{ "a special page", ALL, B(SPECIAL, .state = 0, COPIED), TESTS("vm_normal_page()") },
	{ "a file page on 5.10", K(V5_10), B(FILE, .state = LRU, .refs = 2, COPIED), TESTS("PageAnon()") },
	{ "a file page", DRAINING, B(FILE, .state = LRU, .refs = 2, COPIED), TESTS("folio_test_anon()") },
	{ "a lost trylock on 5.10", K(V5_10),
	  A(.state = ANON | LRU | LOCKED, COPIED), TESTS("trylock_page()") },
	{ "a lost trylock", DRAINING, A(.state = ANON | LRU | LOCKED, COPIED), TESTS("folio_trylock()") },
	{ "three mappings on 5.10: 3, where 1 is allowed", K(V5_10),
	  A(.state = ANON | LRU, .refs = 3, .maps = 3, COPIED), COUNTS("page_count()", 3, 1) },
	{ "three mappings: 3, where 1 is allowed", DRAINING,
	  A(.state = ANON | LRU, .refs = 3, .maps = 3, COPIED), COUNTS("folio_ref_count()", 3, 1) },
	{ "two mappings and the swap cache: 3, where 2 are allowed", DRAINING,
	  A(.state = ANON | LRU | SWAP, .refs = 3, .maps = 2, COPIED),
	  COUNTS("folio_ref_count()", 3, 2) },
	{ "three mappings and the swap cache: 4, where the first look allows 3", DRAINING,
	  A(.state = ANON | LRU | SWAP, .refs = 4, .maps = 3, COPIED),
	  COUNTS("folio_ref_count()", 4, 3) },
	{ "four mappings on 5.10: 4, where 1 is allowed", K(V5_10),
	  A(.state = ANON | LRU, .refs = 4, .maps = 4, COPIED), COUNTS("page_count()", 4, 1) },
	{ "the swap cache on 5.10: 2, where 1 is allowed", K(V5_10),
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), COUNTS("page_count()", 2, 1) },
	{ "a slot that stays", DRAINING,
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), TESTS("folio_free_swap()") },
	{ "a slot that is being written", DRAINING,
	  A(.state = ANON | LRU | SWAP | WB, .refs = 2, COPIED), TESTS("folio_free_swap()") },
	{ "a slot that was freed", DRAINING,
	  A(.state = ANON | LRU | SWAP, .refs = 2, KEPT), TESTS("folio_free_swap()") },
	{ "one reference that was enough", DRAINING,
	  A(.state = ANON | LRU, KEPT), COUNTS("folio_ref_count()", 1, 1) },
	{ "a large folio on 6.1: the count", K(V6_1),
	  A(.state = ANON | LRU, .order = 9, .refs = 512, COPIED),
	  COUNTS("folio_ref_count()", 512, 3) },
	{ "a large folio on 6.12", K(V6_12),
	  A(.state = ANON | LRU, .order = 2, .folio_maps = 1, COPIED), TESTS("folio_test_large()") },
	{ "the last page of a large folio on 7.2", K(V7_2),
	  A(.state = ANON | LRU, .order = 2, .folio_maps = 1, COPIED),
	  TESTS("folio_large_mapcount()<=1") },
	{ "a large folio of several mms on 7.2", K(V7_2),
	  A(.state = ANON | LRU | MMS, .order = 2, .refs = 8, .folio_maps = 8, COPIED),
	  TESTS("FOLIO_MM_IDS_SHARED") },
	{ "a large folio with a reference more on 7.2", K(V7_2),
	  A(.state = ANON | LRU, .order = 2, .refs = 5, .folio_maps = 4, COPIED),
	  COUNTS("folio_ref_count()==folio_large_mapcount()", 5, 4) },
	{ "a large folio of one mm on 7.2", K(V7_2),
	  A(.state = ANON | LRU, .order = 2, .refs = 4, .folio_maps = 4, KEPT),
	  COUNTS("folio_ref_count()==folio_large_mapcount()", 4, 4) },
	{ "a large folio whose slots stay on 7.2", K(V7_2),
	  A(.state = ANON | LRU | SWAP, .order = 2, .refs = 8, .folio_maps = 4, COPIED),
	  TESTS("folio_free_swap()") },

	/* A huge PMD. */
	{ "the huge zero page", ALL,
	  { COWTRACE_KIND_ZERO, COWTRACE_PATH_PMD, .vm = W, .ret = COWTRACE_FAULT_FALLBACK },
	  TESTS("is_huge_zero_pmd()") },
	{ "a huge page of two processes on 5.10", K(V5_10),
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 2, .maps = 2, .folio_maps = 2, .ret = COWTRACE_FAULT_FALLBACK },
	  COUNTS("page_trans_huge_map_swapcount()", 2, 1) },
	{ "a huge page of one process on 5.10: 1, where 1 is allowed", K(V5_10),
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 1, .maps = 1, .folio_maps = 1, .ret = DONE },
	  COUNTS("page_trans_huge_map_swapcount()", 1, 1) },
	{ "a huge page whose pages a child maps too, on 5.10: the greatest is not known",
	  K(V5_10),
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 513, .maps = 2, .folio_maps = 513, .ret = COWTRACE_FAULT_FALLBACK },
	  TESTS("page_trans_huge_map_swapcount()<=1") },
	{ "a huge page whose slots are in use, on 5.10: they were not counted", K(V5_10),
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU | SWAP, .order = 9,
	    .refs = 513, .maps = 1, .folio_maps = 1, .ret = COWTRACE_FAULT_FALLBACK },
	  TESTS("page_trans_huge_map_swapcount()<=1") },
	{ "a huge page of two processes", DRAINING,
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 2, .maps = 2, .folio_maps = 2, .ret = COWTRACE_FAULT_FALLBACK },
	  COUNTS("folio_ref_count()", 2, 1) },
	{ "a huge page in the swap cache of two processes: 514, where 513 are allowed", DRAINING,
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU | SWAP, .order = 9,
	    .refs = 514, .maps = 2, .folio_maps = 2, .ret = COWTRACE_FAULT_FALLBACK },
	  COUNTS("folio_ref_count()", 514, 513) },
	{ "a huge page whose slots stay", DRAINING,
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU | SWAP, .order = 9,
	    .refs = 513, .maps = 1, .folio_maps = 1, .ret = COWTRACE_FAULT_FALLBACK },
	  TESTS("folio_free_swap()") },
	{ "a huge page whose slots are being written", DRAINING,
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU | SWAP | WB,
	    .order = 9, .refs = 513, .maps = 1, .folio_maps = 1,
	    .ret = COWTRACE_FAULT_FALLBACK }, TESTS("folio_free_swap()") },

	/* A hugetlb page. */
	{ "a page of a hugetlb file on 5.10 and 6.1", CODED,
	  { COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .vm = W, .order = 9, .refs = 3,
	    .maps = 1, .folio_maps = 1, .pte = OTHER_RW, .evidence = WITNESS },
	  TESTS("PageAnon()") },
	{ "a page of a hugetlb file", SILENT,
	  { COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .vm = W, .order = 9, .refs = 3,
	    .maps = 1, .folio_maps = 1, .pte = OTHER_RW, .evidence = WITNESS },
	  TESTS("folio_test_anon()") },
	{ "a hugetlb page of two processes on 5.10 and 6.1", CODED,
	  { COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .vm = W, .state = ANON, .order = 9,
	    .refs = 3, .maps = 2, .folio_maps = 2, .pte = OTHER_RW, .evidence = WITNESS },
	  COUNTS("page_mapcount()", 2, 1) },
	{ "a hugetlb page of two processes", SILENT,
	  { COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .vm = W, .state = ANON, .order = 9,
	    .refs = 3, .maps = 2, .folio_maps = 2, .pte = OTHER_RW, .evidence = WITNESS },
	  COUNTS("folio_mapcount()", 2, 1) },
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

int main(void)
{
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool good = true;

		for (k = 0; k < NR_KERNELS; k++) {
			struct cowtrace_record r = record_of(&cases[i].s, kernels[k].traits);
			struct cowtrace_verdict v = cowtrace_classify(&r, kernels[k].traits);
			struct cowtrace_decision d;

			if (!(cases[i].on & K(k)))
				continue;
			r.outcome = v.outcome;
			r.reason = v.reason;
			r.evidence = v.evidence;
			d = cowtrace_decision(&r, kernels[k].traits);
			if (same(d.test, cases[i].test) && d.measured == cases[i].measured &&
			    d.value == cases[i].value && d.limit == cases[i].limit)
				continue;
			good = false;
			note("%s: %s %d, limit %d, %smeasured", kernels[k].name,
			     d.test ? d.test : "no test", d.value, d.limit,
			     d.measured ? "" : "not ");
		}
		ok(good, "%s: %s", cases[i].claim, cases[i].test ? cases[i].test : "none");
	}
	return tap_end();
}
