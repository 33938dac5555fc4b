// SPDX-License-Identifier: GPL-2.0
/*
 * Real cases, derived from the source of each kernel: the whole sentence, whether
 * a copy was needed, and the step that decided.
 */
#include <string.h>

#include "explain.h"
#include "sample.h"
#include "tap.h"

static const struct {
	int		on;
	const char	*claim;
	struct sample	s;
	uint8_t		origin;
	enum ct_need	need;
	const char	*step;
	const char	*verdict;
} cases[] = {
	{ V5_10, "5.10: a page read from swap by its only owner, then written",
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_OPEN,
	  "page_count(page) != 1",
	  "5.10 copied this page although no other page table mapped it: refcount 2 = 1 mapping + 1 swap cache; do_wp_page() tests page_count() before anything could free the swap slot" },
	{ V5_10, "5.10: a write that swaps in a page whose slot others use",
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), COWTRACE_ORIGIN_SWAPIN, CT_NEED_YES,
	  "page_count(page) != 1",
	  "5.10 copied this page because do_swap_page() had just found it mapped or swapped elsewhere too: refcount 2 = 1 mapping + 1 swap cache; do_wp_page() tests page_count() before anything could free the swap slot" },
	{ V5_10, "5.10: the same, where the slot was counted and is free but for the cache",
	  A(.state = ANON | LRU | SWAP, .refs = 2, SLOT(0), COPIED), COWTRACE_ORIGIN_USER,
	  CT_NEED_NO, "page_count(page) != 1",
	  "5.10 copied this page although nobody else could see the write: refcount 2 = 1 mapping + 1 swap cache; do_wp_page() tests page_count() before anything could free the swap slot" },
	{ V5_10, "5.10: a slot of which the count shows another user",
	  A(.state = ANON | LRU | SWAP, .refs = 2, SLOT(1), COPIED), COWTRACE_ORIGIN_USER,
	  CT_NEED_YES, "page_count(page) != 1",
	  "5.10 copied this page because a swap entry elsewhere still names it: refcount 2 = 1 mapping + 1 swap cache; do_wp_page() tests page_count() before anything could free the swap slot" },
	{ V6_1, "6.1: the only owner of a swap slot",
	  A(.state = ANON | LRU | SWAP, .refs = 2, KEPT), COWTRACE_ORIGIN_USER, CT_NEED_NONE,
	  "folio_test_swapcache(folio): folio_free_swap(folio)",
	  "6.1 kept this page and made it writable: refcount 2 = 1 mapping + 1 swap cache; folio_free_swap() freed the swap slot, and the mapping held the last reference" },
	{ V6_1, "6.1: a slot that a child uses too",
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "folio_test_swapcache(folio): folio_free_swap(folio)",
	  "6.1 copied this page because a swap entry elsewhere still names it: refcount 2 = 1 mapping + 1 swap cache; folio_free_swap() did not free the swap slot" },
	{ V6_12, "6.12: a slot that is being written to",
	  A(.state = ANON | LRU | SWAP | WB, .refs = 2, COPIED), COWTRACE_ORIGIN_USER,
	  CT_NEED_OPEN, "folio_test_swapcache(folio): folio_free_swap(folio)",
	  "6.12 copied this page although no other page table mapped it: refcount 2 = 1 mapping + 1 swap cache; folio_free_swap() frees no slot that is being written to" },
	{ V6_12, "6.12: a page that a fork shares",
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)",
	  "6.12 copied this page because other mappings of it would have seen the write: refcount 2 = 2 mappings; each mapping is a reference, and wp_can_reuse_anon_folio() allows one beside the swap cache's" },
	{ V6_12, "6.12: a page that four forks share does not get that far",
	  A(.state = ANON | LRU, .refs = 5, .maps = 5, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "folio_ref_count(folio) > 3",
	  "6.12 copied this page because other mappings of it would have seen the write: refcount 5 = 5 mappings; each mapping is a reference, and wp_can_reuse_anon_folio() allows one beside the swap cache's" },
	{ V6_1, "6.1: the parent, after the child has gone",
	  A(.state = ANON | LRU, KEPT), COWTRACE_ORIGIN_USER, CT_NEED_NONE,
	  "folio_test_ksm(folio) || folio_ref_count(folio) != 1",
	  "6.1 kept this page and made it writable: refcount 1 = 1 mapping; folio_ref_count() was 1, so nobody else held the page" },
	{ V6_12, "6.12: mprotect to and fro leaves a page exclusive, whoever pins it",
	  A(.state = ANON | LRU | EXCL, .refs = 1 + 1024, KEPT), COWTRACE_ORIGIN_USER,
	  CT_NEED_NONE, "PageAnonExclusive(vmf->page)",
	  "6.12 kept this page and made it writable: refcount 1025 = 1 mapping + 1024 of 1 pin; PageAnonExclusive() says that the page is this process's alone, and no count is asked" },
	{ V5_10, "5.10: a pinned page is copied away from its pin",
	  A(.state = ANON | LRU, .refs = 1 + 2048, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_OPEN,
	  "page_count(page) != 1",
	  "5.10 copied this page although no other page table mapped it: refcount 2049 = 1 mapping + 2048 of 2 pins; do_wp_page() tests page_count(), in which pins are references" },
	{ V5_10, "5.10: a page that is fresh in an LRU batch",
	  A(.state = ANON, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_NO,
	  "page_count(page) != 1",
	  "5.10 copied this page although nobody else could see the write: refcount 2 = 1 mapping + 1 LRU batch; do_wp_page() tests page_count() and drains no LRU batch before" },
	{ V6_1, "6.1: a page in the batch of another CPU",
	  A(.state = ANON, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_NO,
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)",
	  "6.1 copied this page although nobody else could see the write: refcount 2 = 1 mapping + 1 LRU batch; lru_add_drain() empties the batches of its own CPU, and this reference stayed" },
	{ V5_10, "5.10: a page that is isolated and locked may be on its way elsewhere",
	  A(.state = ANON | LOCKED, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_OPEN,
	  "page_count(page) != 1",
	  "5.10 copied this page although no other page table mapped it: refcount 2 = 1 mapping + 1 LRU batch; do_wp_page() tests page_count() and drains no LRU batch before" },
	{ V6_12, "6.12: a lost race in a shared mapping",
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 2, .ret = COWTRACE_FAULT_NOPAGE,
	    .pte = SAME_RW), COWTRACE_ORIGIN_USER, CT_NEED_NONE,
	  "vma->vm_flags & (VM_SHARED | VM_MAYSHARE)",
	  "6.12 was not seen to end an access to this file page, whose page-table entry may have changed first: it returned VM_FAULT_NOPAGE, as it does when the entry has changed" },
	{ V7_2, "7.2: a KSM page with one user left",
	  B(KSM, .state = KSM | LRU, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_NO,
	  "folio_test_ksm(folio)",
	  "7.2 copied this KSM page although nobody else could see the write: refcount 1 = 1 mapping; wp_can_reuse_anon_folio() keeps no page that KSM merged (folio_test_ksm())" },
	{ V6_12, "6.12: a page of a large folio whose other users have gone",
	  A(.state = ANON | LRU, .order = 2, .refs = 4, .folio_maps = 4, COPIED),
	  COWTRACE_ORIGIN_USER, CT_NEED_NO, "folio_test_large(folio)",
	  "6.12 copied this page of a large folio although nobody else could see the write: refcount 4 of the folio = 4 mappings; wp_can_reuse_anon_folio() keeps no page of a large folio (folio_test_large())" },
	{ V7_2, "7.2: the same",
	  A(.state = ANON | LRU, .order = 2, .refs = 4, .folio_maps = 4, KEPT),
	  COWTRACE_ORIGIN_USER, CT_NEED_NONE, "both again, after folio_lock_large_mapcount(folio)",
	  "7.2 kept this page of a large folio and made it writable: refcount 4 of the folio = 4 mappings; one address space maps the large folio, and all references are its mappings" },
	{ V7_2, "7.2: a large folio with three mappings and a plain reference",
	  A(.state = ANON | LRU, .order = 2, .refs = 4, .folio_maps = 3, COPIED),
	  COWTRACE_ORIGIN_USER, CT_NEED_OPEN,
	  "folio_large_mapcount(folio) != folio_ref_count(folio)",
	  "7.2 copied this page of a large folio although no other page table mapped it: refcount 4 of the folio = 3 mappings + 1 unattributed; the kernel allows no such reference, and no known holder explains this one" },
	{ V5_10, "5.10: a page of a split huge page says nothing of the others' holders",
	  A(.state = ANON | LRU, .order = 9, .refs = 512, COPIED), COWTRACE_ORIGIN_USER,
	  CT_NEED_OPEN, "page_count(page) != 1",
	  "5.10 copied this page of a large folio although no other page table mapped it: refcount 512 of all 512 pages of the folio, 1 mapping of this page, the rest not known; page_count() is that of the whole large folio, not of the page" },
	{ V6_12, "6.12: a lost trylock",
	  A(.state = ANON | LRU | LOCKED, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_NO,
	  "!folio_trylock(folio)",
	  "6.12 copied this page although nobody else could see the write: refcount 1 = 1 mapping; the kernel does not wait for the page lock here (folio_trylock())" },
	{ V6_12, "6.12: a plain reference of vmsplice",
	  A(.state = ANON | LRU, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_OPEN,
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)",
	  "6.12 copied this page although no other page table mapped it: refcount 2 = 1 mapping + 1 unattributed; the kernel allows no such reference, and no known holder explains this one" },
	{ V6_12, "6.12: the zero page",
	  B(ZERO, .state = 0, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "!vm_normal_page(vma, vmf->address, vmf->orig_pte)",
	  "6.12 replaced the zero page because the zero page is everybody's: a page of zeroes takes the place of the zero page" },
	{ V6_1, "6.1: the first write to a private mapping of a file",
	  B(FILE, .state = LRU, .refs = 2, COPIED), COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "!folio_test_anon(folio)",
	  "6.1 copied this file page because the file must not see the write: a private mapping gets a page of its own at the first write" },
	{ V6_12, "6.12: a shared file page is made writable",
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 2, KEPT), COWTRACE_ORIGIN_USER, CT_NEED_NONE,
	  "vma->vm_flags & (VM_SHARED | VM_MAYSHARE)",
	  "6.12 made this file page writable where it is: all who share the mapping are to see the write (wp_page_shared())" },
	{ V6_12, "6.12: a huge page that a fork shares is split",
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 2, .maps = 2, .folio_maps = 2, .ret = COWTRACE_FAULT_FALLBACK },
	  COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio) * folio_nr_pages(folio)",
	  "6.12 split the mapping of this huge page, copying nothing yet, because other mappings of it would have seen the write: refcount 2 of the folio = 2 mappings; each mapping is a reference, and do_huge_pmd_wp_page() allows one beside the swap cache's" },
	{ V5_10, "5.10: a huge page with a reference more is kept",
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 2, .maps = 1, .folio_maps = 1, .ret = DONE },
	  COWTRACE_ORIGIN_USER, CT_NEED_NONE, "page_trans_huge_map_swapcount(page) <= 1",
	  "5.10 kept this huge page and made it writable: refcount 2 of the folio = 1 mapping + 1 unattributed; reuse_swap_page() counts mappings and swap entries and asks for no reference" },
	{ V6_12, "6.12: a hugetlb page of parent and child",
	  { COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .vm = W, .state = ANON, .order = 9,
	    .refs = 3, .maps = 2, .folio_maps = 2, .pte = OTHER_RW, .evidence = WITNESS },
	  COWTRACE_ORIGIN_USER, CT_NEED_YES,
	  "folio_mapcount(old_folio) == 1 && folio_test_anon(old_folio)",
	  "6.12 copied this hugetlb page because other mappings of it would have seen the write: refcount 3 of the folio = 2 mappings + 1 of the fault itself; hugetlb_wp() keeps a page that is mapped once (folio_mapcount())" },
	{ V6_1, "6.1: a read-only pin of a page that a fork shares",
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, UNSHARE, .pte = OTHER_RO,
	    .evidence = WITNESS), COWTRACE_ORIGIN_UNSHARE, CT_NEED_YES,
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)",
	  "6.1 copied this page for a read-only pin because other mappings of it would see later writes: refcount 2 = 2 mappings; each mapping is a reference, and do_wp_page() allows one beside the swap cache's" },
	{ V6_12, "6.12: a page that userfaultfd protects",
	  A(.vm = W | UFFD, .state = ANON | LRU | UFFD_BIT, .ret = COWTRACE_FAULT_RETRY),
	  COWTRACE_ORIGIN_USER, CT_NEED_NONE, "userfaultfd_pte_wp(vma, ptep_get(vmf->pte))",
	  "6.12 left an access to this page to its userfaultfd: the page is write-protected there (userfaultfd_pte_wp(), handle_userfault())" },
	{ V5_10, "5.10: a lost race, by the return code",
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = 0, .pte = OTHER_RW),
	  COWTRACE_ORIGIN_USER, CT_NEED_NONE, NULL,
	  "5.10 lost the race for this page, whose page-table entry may have changed first: the page-table lock was dropped for a copy, and the return code says that none was mapped" },
	{ V6_12, "6.12: what nobody watched is told as that",
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = 0, .pte = OTHER_RW),
	  COWTRACE_ORIGIN_USER, CT_NEED_NONE, NULL,
	  "6.12 was not seen to end an access to this page, whose page-table entry may have changed first: without a witness, what the page table shows may be another thread's doing" },
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* A letter a step: Passed, Decided, Followed, Open, - skipped, . not reached. */
static const struct {
	int		on;
	const char	*claim;
	struct sample	s;
	const char	*steps;
} walks[] = {
	{ V5_10, "5.10: after the count nothing more is asked",
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), "PPPPD.." },
	{ V6_1, "6.1: after a slot that was freed the count is looked at again, and passed",
	  A(.state = ANON | LRU | SWAP, .refs = 2, KEPT), "PPPPPP-PPDP" },
	{ V6_1, "6.1: a slot that stays shows in the count that follows",
	  A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), "PPPPPP-PPDF" },
	{ V6_1, "6.1: a page on no LRU list has the batches drained",
	  A(.state = ANON, .refs = 2, KEPT), "PPPPPPPPP-D" },
	{ V6_1, "6.1: an exclusive page is asked for nothing more",
	  A(.state = ANON | LRU | EXCL, KEPT), "PPPD......." },
	{ V7_2, "7.2: behind a count that is too high anyway, lock and slots stay open",
	  A(.state = ANON | LRU | SWAP, .order = 2, .refs = 9, .folio_maps = 4, COPIED),
	  "PPPPPPPOOD........" },
	{ V6_12, "6.12: counts that moved leave open which test it was",
	  A(.state = ANON | LRU, COPIED), "PPPPPPPO-OO-O" },
	{ V6_12, "6.12: the same of a huge page",
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 1, .maps = 1, .folio_maps = 1, .ret = COWTRACE_FAULT_FALLBACK }, "PPPO-O" },
	{ V6_12, "6.12: what is no anonymous page of a private mapping is to be copied, whoever wins",
	  B(FILE, .state = LRU, .refs = 2, .pte = OTHER_RW), "PPPD........." },
	{ V6_12, "6.12: a shared mapping is settled at once",
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 2, KEPT), "PD..........." },
	{ V6_1, "6.1: a shared mapping is looked at after the page",
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 2, KEPT), "PPD........" },
	{ V5_10, "5.10: a huge PMD that has changed",
	  { COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .vm = W, .state = ANON | LRU, .order = 9,
	    .refs = 1, .maps = 1, .folio_maps = 1 }, "PD." },
	{ V6_12, "6.12: userfaultfd comes first",
	  A(.vm = W | UFFD, .state = ANON | LRU | UFFD_BIT, .ret = COWTRACE_FAULT_RETRY),
	  "D............" },
	{ V6_12, "6.12: a page without memory for its copy leaves open what sent it there",
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = COWTRACE_FAULT_OOM),
	  "PPPPPPPO-OO-O" },
};

static void check_walks(void)
{
	static const char letters[] = {
		[CT_STEP_PASSED] = 'P', [CT_STEP_DECIDED] = 'D', [CT_STEP_FOLLOWED] = 'F',
		[CT_STEP_OPEN] = 'O', [CT_STEP_SKIPPED] = '-', [CT_STEP_NOT_REACHED] = '.',
	};

	for (size_t i = 0; i < sizeof(walks) / sizeof(*walks); i++) {
		uint32_t traits = kernels[walks[i].on].traits;
		struct cowtrace_record r = record_of(&walks[i].s, traits);
		struct cowtrace_verdict v = cowtrace_classify(&r, traits);
		char found[CT_STEPS_MAX + 1] = "";
		struct ct_walk w;

		r.outcome = v.outcome;
		r.reason = v.reason;
		r.evidence = v.evidence;
		ct_steps_walk(&r, traits, &w);
		for (size_t k = 0; k < w.steps.nr; k++)
			found[k] = letters[w.state[k]];
		if (!ok(!strcmp(found, walks[i].steps), "%s", walks[i].claim))
			note("%s", found);
	}
}

static const struct {
	struct sample	s;
	const char	*found;
} slots[] = {
	{ A(.state = ANON | LRU | SWAP, .refs = 2, COPIED),
	  "in the swap cache, its slot was not freed" },
	{ A(.state = ANON | LRU | SWAP, .refs = 2, SLOT(1), COPIED),
	  "in the swap cache, its slot has 1 more user" },
	{ A(.state = ANON | LRU | SWAP, .refs = 2, SLOT(3), COPIED),
	  "in the swap cache, its slot has 3 more users" },
	{ A(.state = ANON | LRU | SWAP, .refs = 2, SLOT(COWTRACE_SWAPCOUNT_MAX), COPIED),
	  "in the swap cache, its slot has 63 more users at least" },
	{ A(.state = ANON | LRU | SWAP, .refs = 2, SLOT(0), KEPT),
	  "in the swap cache, which let it go" },
};

static void check_slots(void)
{
	uint32_t traits = kernels[V6_1].traits;
	char found[CT_FOUND_TEXT];
	struct ct_walk w;

	for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		struct cowtrace_record r = record_of(&slots[i].s, traits);
		struct cowtrace_verdict v = cowtrace_classify(&r, traits);

		r.outcome = v.outcome;
		r.reason = v.reason;
		ct_steps_walk(&r, traits, &w);
		ct_step_found(found, &r, traits, &w, w.steps.nr - 2);
		if (!ok(!strcmp(found, slots[i].found), "the step of the slot: %s",
			slots[i].found))
			note("%s", found);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t traits = kernels[cases[i].on].traits;
		struct cowtrace_record r = record_of(&cases[i].s, traits);
		struct cowtrace_verdict v = cowtrace_classify(&r, traits);
		struct ct_explanation e;
		const char *step;
		char release[32];

		r.outcome = v.outcome;
		r.reason = v.reason;
		r.evidence = v.evidence;
		r.origin = cases[i].origin;
		snprintf(release, sizeof(release), "%s.0-1-amd64", kernels[cases[i].on].name);
		ct_explain(&r, traits, release, 4096, &e);
		step = e.walk.decided == CT_STEP_NONE ? NULL :
		       e.walk.steps.steps[e.walk.decided].test;
		if (!ok(same(e.verdict, cases[i].verdict) && e.need == cases[i].need &&
			same(step, cases[i].step), "%s", cases[i].claim))
			note("%s; needed: %s; decided: %s", e.verdict, ct_need_name(e.need),
			     step ?: "-");
	}
	check_walks();
	check_slots();
	return tap_end();
}
