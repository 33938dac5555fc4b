// SPDX-License-Identifier: GPL-2.0
/* Why the kernel did what it did: a clause an outcome, reason and generation. */
#include "explain_parts.h"

#define REFCOUNT	(1u << CT_GEN_REFCOUNT)
#define EXCLUSIVE	(1u << CT_GEN_EXCLUSIVE)
#define FOLIO		(1u << CT_GEN_FOLIO)
#define LARGE		(1u << CT_GEN_LARGE)
#define DRAINING	(EXCLUSIVE | FOLIO | LARGE)
#define ALL		(REFCOUNT | DRAINING)

enum folio { ANY, SMALL, BIG };

struct why {
	uint8_t		reason;
	uint8_t		on;
	uint8_t		folio;
	const char	*clause;
};

#define WHY(reason, on, folio, clause) { COWTRACE_REASON_##reason, on, folio, clause }

/* The first that fits. */
static const struct why whys_pte[] = {
	WHY(KSM, REFCOUNT, ANY, "do_wp_page() keeps no page that KSM merged (PageKsm())"),
	WHY(KSM, EXCLUSIVE, ANY, "do_wp_page() keeps no page that KSM merged (folio_test_ksm())"),
	WHY(KSM, FOLIO | LARGE, ANY,
	    "wp_can_reuse_anon_folio() keeps no page that KSM merged (folio_test_ksm())"),
	WHY(MAPPED, REFCOUNT, ANY, "do_wp_page() keeps a page of one reference (page_count()) alone"),
	WHY(MAPPED, EXCLUSIVE, ANY,
	    "each mapping is a reference, and do_wp_page() allows one beside the swap cache's"),
	WHY(MAPPED, LARGE, BIG,
	    "FOLIO_MM_IDS_SHARED is set: more than one address space may map the large folio"),
	WHY(MAPPED, FOLIO | LARGE, ANY,
	    "each mapping is a reference, and wp_can_reuse_anon_folio() allows one beside the swap cache's"),
	WHY(SWAPCACHE, REFCOUNT, ANY,
	    "do_wp_page() tests page_count() before anything could free the swap slot"),
	WHY(SWAPCACHE, DRAINING, ANY, "folio_free_swap() did not free the swap slot"),
	WHY(WRITEBACK, ALL, ANY, "folio_free_swap() frees no slot that is being written to"),
	WHY(LRU, REFCOUNT, ANY,
	    "do_wp_page() tests page_count() and drains no LRU batch before"),
	WHY(LRU, LARGE, BIG, "__wp_can_reuse_large_anon_folio() drains no LRU batch"),
	WHY(LRU, DRAINING, ANY,
	    "lru_add_drain() empties the batches of its own CPU, and this reference stayed"),
	WHY(PINNED, REFCOUNT, ANY, "do_wp_page() tests page_count(), in which pins are references"),
	WHY(PINNED, LARGE, BIG,
	    "__wp_can_reuse_large_anon_folio() allows no reference but mappings"),
	WHY(PINNED, DRAINING, ANY,
	    "pins are references, and without PageAnonExclusive one beside the swap cache's is allowed"),
	WHY(LOCKED, REFCOUNT, ANY,
	    "do_wp_page() does not wait for the page lock (trylock_page())"),
	WHY(LOCKED, DRAINING, ANY,
	    "the kernel does not wait for the page lock here (folio_trylock())"),
	WHY(LARGE, REFCOUNT, ANY, "page_count() is that of the whole large folio, not of the page"),
	WHY(LARGE, EXCLUSIVE, ANY,
	    "folio_ref_count() is that of the whole large folio, not of the page"),
	WHY(LARGE, FOLIO, ANY,
	    "wp_can_reuse_anon_folio() keeps no page of a large folio (folio_test_large())"),
	WHY(LARGE, LARGE, ANY,
	    "a large folio of which one page is left mapped is given back (folio_large_mapcount() <= 1)"),
	WHY(ZERO, ALL, ANY, "a page of zeroes takes the place of the zero page"),
	WHY(FILE, ALL, ANY, "a private mapping gets a page of its own at the first write"),
	WHY(SPECIAL, ALL, ANY, "vm_normal_page() finds no struct page that could be kept"),
	WHY(UNATTRIBUTED, REFCOUNT, ANY,
	    "do_wp_page() tests page_count(), and a reference that no known holder explains counts too"),
	WHY(UNATTRIBUTED, DRAINING, ANY,
	    "the kernel allows no such reference, and no known holder explains this one"),
	WHY(EXCLUSIVE, ALL, ANY,
	    "PageAnonExclusive() says that the page is this process's alone, and no count is asked"),
	WHY(SOLE_REF, REFCOUNT, ANY, "page_count() was 1, so nobody else held the page"),
	WHY(SOLE_REF, DRAINING, ANY, "folio_ref_count() was 1, so nobody else held the page"),
	WHY(SWAPCACHE_FREED, ALL, ANY,
	    "folio_free_swap() freed the swap slot, and the mapping held the last reference"),
	WHY(LARGE_EXCLUSIVE, ALL, ANY,
	    "one address space maps the large folio, and all references are its mappings"),
};

static const struct why whys_pmd[] = {
	WHY(ZERO, LARGE, ANY, "do_huge_zero_wp_pmd() is to map a huge page of its own instead"),
	WHY(ZERO, ALL, ANY, "the huge zero page is split, so that one page of zeroes is enough"),
	WHY(MAPPED, REFCOUNT, ANY, "reuse_swap_page() counts more than one mapping"),
	WHY(MAPPED, DRAINING, ANY,
	    "each mapping is a reference, and do_huge_pmd_wp_page() allows one beside the swap cache's"),
	WHY(SWAPCACHE, REFCOUNT, ANY, "reuse_swap_page() counts swap entries as it does mappings"),
	WHY(SWAPCACHE, DRAINING, ANY, "folio_free_swap() did not free the swap slots"),
	WHY(WRITEBACK, ALL, ANY, "folio_free_swap() frees no slots that are being written to"),
	WHY(LRU, ALL, ANY, "do_huge_pmd_wp_page() drains no LRU batch"),
	WHY(PINNED, ALL, ANY,
	    "pins are references, and without PageAnonExclusive one beside the swap cache's is allowed"),
	WHY(UNATTRIBUTED, REFCOUNT, ANY,
	    "reuse_swap_page() said no, and the sample does not show what it counted"),
	WHY(UNATTRIBUTED, DRAINING, ANY,
	    "do_huge_pmd_wp_page() allows no such reference, and no known holder explains this one"),
	WHY(EXCLUSIVE, ALL, ANY,
	    "PageAnonExclusive() says that the page is this process's alone, and no count is asked"),
	WHY(SOLE_REF, ALL, ANY, "folio_ref_count() was 1, so nobody else held the page"),
	WHY(SWAPCACHE_FREED, ALL, ANY,
	    "folio_free_swap() freed the swap slots, and the mapping held the last reference"),
	WHY(MAPCOUNT_ONE, ALL, ANY,
	    "reuse_swap_page() counts mappings and swap entries and asks for no reference"),
};

static const struct why whys_hugetlb[] = {
	WHY(MAPPED, REFCOUNT, ANY, "hugetlb_cow() keeps a page that is mapped once (page_mapcount())"),
	WHY(MAPPED, EXCLUSIVE, ANY, "hugetlb_wp() keeps a page that is mapped once (page_mapcount())"),
	WHY(MAPPED, FOLIO | LARGE, ANY,
	    "hugetlb_wp() keeps a page that is mapped once (folio_mapcount())"),
	WHY(FILE, ALL, ANY, "a private mapping gets a page of its own at the first write"),
	WHY(EXCLUSIVE, ALL, ANY,
	    "PageAnonExclusive() says that the page is this process's alone"),
	WHY(MAPCOUNT_ONE, REFCOUNT, ANY, "hugetlb_cow() counts mappings and asks for no reference"),
	WHY(MAPCOUNT_ONE, DRAINING, ANY, "hugetlb_wp() counts mappings and asks for no reference"),
};

#define TABLE(t)	{ (t), sizeof(t) / sizeof(*(t)) }

static const struct {
	const struct why *whys;
	size_t		nr;
} tables[COWTRACE_NR_PATHS] = {
	[COWTRACE_PATH_PTE]	= TABLE(whys_pte),
	[COWTRACE_PATH_PMD]	= TABLE(whys_pmd),
	[COWTRACE_PATH_HUGETLB]	= TABLE(whys_hugetlb),
};

static bool fits(const struct why *why, const struct cowtrace_record *r, uint32_t traits)
{
	if (why->reason != r->reason || !(why->on & 1u << ct_generation(traits)))
		return false;
	return why->folio == ANY || (why->folio == BIG) == !!r->order;
}

/* A copy although all sampled counts allowed a reuse, or the other way round. */
static bool moved(const struct cowtrace_record *r, uint32_t traits)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);

	return r->reason == COWTRACE_REASON_UNATTRIBUTED &&
	       (r->evidence & COWTRACE_EV_SHIFTED) && !h.unattributed;
}

/* --- outcomes without a reason ----------------------------------------------- */

static const char *raced(const struct cowtrace_record *r, uint32_t traits)
{
	if (r->evidence & COWTRACE_EV_RET)
		return r->path == COWTRACE_PATH_PTE ?
		       "the page-table lock was dropped for a copy, and the return code says that none was mapped" :
		       "the return code says that it did neither";
	if (ct_shared_mapping(r, traits) && r->ret & COWTRACE_FAULT_NOPAGE)
		return "it returned VM_FAULT_NOPAGE, as it does when the entry has changed";
	if (r->path != COWTRACE_PATH_PTE || traits & COWTRACE_TRAIT_RET_WRITE)
		return "nothing that was seen is this fault's own doing";
	if (r->evidence & COWTRACE_EV_WATCHED)
		return r->evidence & COWTRACE_EV_COUNTED ?
		       "a witness of copies was armed and saw none, and no reuse was counted" :
		       "a witness of copies was armed and saw none";
	return "without a witness, what the page table shows may be another thread's doing";
}

static const char *mkwrite(const struct cowtrace_record *r)
{
	if (r->path == COWTRACE_PATH_HUGETLB)
		return "all who share the mapping are to see the write (VM_MAYSHARE)";
	if (r->kind == COWTRACE_KIND_SPECIAL)
		return "all who share the mapping are to see the write (wp_pfn_shared())";
	return "all who share the mapping are to see the write (wp_page_shared())";
}

static const char *noop(const struct cowtrace_record *r, uint32_t traits)
{
	if (r->path == COWTRACE_PATH_HUGETLB)
		return "a shared mapping has nothing to unshare";
	if (cowtrace_is_unshare_(r) && !(traits & COWTRACE_TRAIT_SHARED_FIRST))
		return "a page that is not anonymous has nothing to unshare";
	return "do_page_mkwrite() let it be, as it does when the file was cut short";
}

static const char *unreasoned(const struct cowtrace_record *r, uint32_t traits)
{
	switch (r->outcome) {
	case COWTRACE_OUTCOME_MKWRITE:
		return mkwrite(r);
	case COWTRACE_OUTCOME_UFFD:
		return r->path == COWTRACE_PATH_HUGETLB ?
		       "the write waits until the protection is taken away (huge_pte_uffd_wp())" :
		       "the page is write-protected there (userfaultfd_pte_wp(), handle_userfault())";
	case COWTRACE_OUTCOME_RETRY:
		return r->ret & COWTRACE_FAULT_RETRY ?
		       "it returned VM_FAULT_RETRY and the access comes again" :
		       "it returned VM_FAULT_NOPAGE and the access comes again";
	case COWTRACE_OUTCOME_RACED:
		return raced(r, traits);
	case COWTRACE_OUTCOME_NOOP:
		return noop(r, traits);
	case COWTRACE_OUTCOME_OOM:
		return "it returned VM_FAULT_OOM";
	case COWTRACE_OUTCOME_POISON:
		return r->ret & COWTRACE_FAULT_HWPOISON ? "it returned VM_FAULT_HWPOISON" :
							  "it returned VM_FAULT_HWPOISON_LARGE";
	case COWTRACE_OUTCOME_ERROR:
		return r->ret & COWTRACE_FAULT_SIGBUS ? "it returned VM_FAULT_SIGBUS" :
							"it returned VM_FAULT_SIGSEGV";
	case COWTRACE_OUTCOME_UNKNOWN:
		return "neither return code, page table nor a witness settles it";
	default:
		return "this reader does not know that outcome";
	}
}

const char *ct_explain_because(const struct cowtrace_record *r, uint32_t traits)
{
	if (r->reason == COWTRACE_REASON_NONE)
		return unreasoned(r, traits);
	if (moved(r, traits))
		return "the sampled counts allow a reuse, so something moved before they were tested";
	if (r->path < COWTRACE_NR_PATHS)
		for (size_t i = 0; i < tables[r->path].nr; i++)
			if (fits(&tables[r->path].whys[i], r, traits))
				return tables[r->path].whys[i].clause;
	return "this reader does not know that reason on this kernel";
}
