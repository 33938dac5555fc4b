// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of steps.h. Read in mm/memory.c, mm/huge_memory.c and mm/hugetlb.c
 * of Debian's 5.10.262, 6.1.192, 6.12.117 and 7.2.12.
 */
#include "steps.h"

#define COPY	CT_WAY_COPY
#define REUSE	CT_WAY_REUSE
#define OTHER	CT_WAY_OTHER

#define ANY	CT_SIZE_ANY
#define SMALL	CT_SIZE_SMALL
#define LARGE	CT_SIZE_LARGE

#define S(x)	COWTRACE_PG_##x
#define UFFD_STATES	(COWTRACE_PTE_UFFD_WP | COWTRACE_EXIT_UFFD_ASYNC)

/* --- 5.9 to 5.17 (09854ba94c6a): references decide, nothing is freed first --- */

static const struct ct_step refcount_pte[] = {
	{ CT_ASK_UFFD, "do_wp_page", "userfaultfd_pte_wp(vma, *vmf->pte)",
	  OTHER, ANY, UFFD_STATES, { NULL } },
	{ CT_ASK_PAGE, "do_wp_page", "!vm_normal_page(vma, vmf->address, vmf->orig_pte)",
	  COPY | OTHER, ANY, 0, { "vm_normal_page()" } },
	{ CT_ASK_ANON, "do_wp_page", "!PageAnon(vmf->page)",
	  COPY | OTHER, ANY, S(ANON), { "PageAnon()" } },
	{ CT_ASK_KSM, "do_wp_page", "PageKsm(page)",
	  COPY, ANY, S(KSM), { "PageKsm()" } },
	{ CT_ASK_COUNT, "do_wp_page", "page_count(page) != 1",
	  COPY, ANY, S(SWAPCACHE), { "page_count()" } },
	{ CT_ASK_LOCK, "do_wp_page", "!trylock_page(page)",
	  COPY, ANY, S(LOCKED), { "trylock_page()" } },
	{ CT_ASK_RECHECK, "do_wp_page",
	  "PageKsm(page) || page_mapcount(page) != 1 || page_count(page) != 1",
	  COPY | REUSE, ANY, 0, { "page_count()" } },
};

static const struct ct_step refcount_pmd[] = {
	{ CT_ASK_HUGE_ZERO, "do_huge_pmd_wp_page", "is_huge_zero_pmd(orig_pmd)",
	  COPY, ANY, 0, { "is_huge_zero_pmd()" } },
	{ CT_ASK_PMD, "do_huge_pmd_wp_page", "!pmd_same(*vmf->pmd, orig_pmd)",
	  OTHER, ANY, 0, { NULL } },
	/* Waits for the page lock before it asks. */
	{ CT_ASK_MAPCOUNT, "reuse_swap_page", "page_trans_huge_map_swapcount(page) <= 1",
	  COPY | REUSE, ANY, S(SWAPCACHE),
	  { "page_trans_huge_map_swapcount()", "page_trans_huge_map_swapcount()<=1" } },
};

static const struct ct_step refcount_hugetlb[] = {
	{ CT_ASK_MAPCOUNT, "hugetlb_cow", "page_mapcount(old_page) == 1 && PageAnon(old_page)",
	  COPY | REUSE, ANY, S(ANON), { "page_mapcount()", "PageAnon()" } },
};

/* --- 5.19 to 6.1 (6c287605fd56): PageAnonExclusive, then what can go away goes --- */

static const struct ct_step exclusive_pte[] = {
	{ CT_ASK_UFFD, "do_wp_page", "userfaultfd_pte_wp(vma, *vmf->pte)",
	  OTHER, ANY, UFFD_STATES, { NULL } },
	{ CT_ASK_PAGE, "do_wp_page", "!vm_normal_page(vma, vmf->address, vmf->orig_pte)",
	  COPY | OTHER, ANY, 0, { "vm_normal_page()" } },
	{ CT_ASK_ANON, "do_wp_page", "!folio_test_anon(folio)",
	  COPY | OTHER, ANY, S(ANON), { "folio_test_anon()" } },
	{ CT_ASK_EXCLUSIVE, "do_wp_page", "PageAnonExclusive(vmf->page)",
	  REUSE, ANY, S(EXCLUSIVE), { "PageAnonExclusive()" } },
	{ CT_ASK_KSM, "do_wp_page", "folio_test_ksm(folio)",
	  COPY, ANY, S(KSM), { "folio_test_ksm()" } },
	{ CT_ASK_FIRST_COUNT, "do_wp_page", "folio_ref_count(folio) > 3",
	  COPY, ANY, 0, { "folio_ref_count()" } },
	{ CT_ASK_DRAIN, "do_wp_page", "!folio_test_lru(folio): lru_add_drain()",
	  0, ANY, S(LRU), { NULL } },
	{ CT_ASK_COUNT, "do_wp_page", "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)",
	  COPY, ANY, S(SWAPCACHE), { "folio_ref_count()" } },
	{ CT_ASK_LOCK, "do_wp_page", "!folio_trylock(folio)",
	  COPY, ANY, S(LOCKED), { "folio_trylock()" } },
	{ CT_ASK_SWAP, "do_wp_page", "folio_test_swapcache(folio): folio_free_swap(folio)",
	  COPY | REUSE, ANY, S(SWAPCACHE) | S(WRITEBACK), { "folio_free_swap()" } },
	{ CT_ASK_RECHECK, "do_wp_page", "folio_test_ksm(folio) || folio_ref_count(folio) != 1",
	  COPY | REUSE, ANY, 0, { "folio_ref_count()" } },
};

#define FOLIO_PMD							\
	{ CT_ASK_PMD, "do_huge_pmd_wp_page", "!pmd_same(*vmf->pmd, orig_pmd)", \
	  OTHER, ANY, 0, { NULL } },					\
	{ CT_ASK_EXCLUSIVE, "do_huge_pmd_wp_page", "PageAnonExclusive(page)", \
	  REUSE, ANY, S(EXCLUSIVE), { "PageAnonExclusive()" } },	\
	/* Waits for the page lock before it asks the rest. */		\
	{ CT_ASK_COUNT, "do_huge_pmd_wp_page",				\
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio) * folio_nr_pages(folio)", \
	  COPY, ANY, S(SWAPCACHE), { "folio_ref_count()" } },		\
	{ CT_ASK_SWAP, "do_huge_pmd_wp_page",				\
	  "folio_test_swapcache(folio): folio_free_swap(folio)",	\
	  COPY | REUSE, ANY, S(SWAPCACHE) | S(WRITEBACK), { "folio_free_swap()" } }, \
	{ CT_ASK_RECHECK, "do_huge_pmd_wp_page", "folio_ref_count(folio) == 1", \
	  COPY | REUSE, ANY, 0, { "folio_ref_count()" } },

static const struct ct_step folio_pmd[] = {
	{ CT_ASK_HUGE_ZERO, "do_huge_pmd_wp_page", "is_huge_zero_pmd(orig_pmd)",
	  COPY, ANY, 0, { "is_huge_zero_pmd()" } },
	FOLIO_PMD
};

static const struct ct_step exclusive_hugetlb[] = {
	{ CT_ASK_UFFD, "hugetlb_wp", "huge_pte_uffd_wp(pte)",
	  OTHER, ANY, UFFD_STATES, { NULL } },
	{ CT_ASK_SHARED, "hugetlb_wp", "vma->vm_flags & VM_MAYSHARE",
	  OTHER, ANY, 0, { NULL } },
	{ CT_ASK_MAPCOUNT, "hugetlb_wp", "page_mapcount(old_page) == 1 && PageAnon(old_page)",
	  COPY | REUSE, ANY, S(ANON), { "page_mapcount()", "PageAnon()" } },
};

/* --- 6.2 on: shared mappings first; from 6.8 large folios are copied ---------- */

#define FOLIO_PTE							\
	{ CT_ASK_UFFD, "do_wp_page", "userfaultfd_pte_wp(vma, ptep_get(vmf->pte))", \
	  OTHER, ANY, UFFD_STATES, { NULL } },				\
	{ CT_ASK_SHARED, "do_wp_page", "vma->vm_flags & (VM_SHARED | VM_MAYSHARE)", \
	  OTHER, ANY, 0, { NULL } },					\
	{ CT_ASK_PAGE, "do_wp_page", "!vm_normal_page(vma, vmf->address, vmf->orig_pte)", \
	  COPY, ANY, 0, { "vm_normal_page()" } },			\
	{ CT_ASK_ANON, "do_wp_page", "!folio_test_anon(folio)",		\
	  COPY, ANY, S(ANON), { "folio_test_anon()" } },		\
	{ CT_ASK_EXCLUSIVE, "do_wp_page", "PageAnonExclusive(vmf->page)", \
	  REUSE, ANY, S(EXCLUSIVE), { "PageAnonExclusive()" } },

#define FOLIO_SMALL							\
	{ CT_ASK_KSM, "wp_can_reuse_anon_folio", "folio_test_ksm(folio)", \
	  COPY, SMALL, S(KSM), { "folio_test_ksm()" } },		\
	{ CT_ASK_FIRST_COUNT, "wp_can_reuse_anon_folio", "folio_ref_count(folio) > 3", \
	  COPY, SMALL, 0, { "folio_ref_count()" } },			\
	{ CT_ASK_DRAIN, "wp_can_reuse_anon_folio", "!folio_test_lru(folio): lru_add_drain()", \
	  0, SMALL, S(LRU), { NULL } },					\
	{ CT_ASK_COUNT, "wp_can_reuse_anon_folio",			\
	  "folio_ref_count(folio) > 1 + folio_test_swapcache(folio)",	\
	  COPY, SMALL, S(SWAPCACHE), { "folio_ref_count()" } },		\
	{ CT_ASK_LOCK, "wp_can_reuse_anon_folio", "!folio_trylock(folio)", \
	  COPY, SMALL, S(LOCKED), { "folio_trylock()" } },		\
	{ CT_ASK_SWAP, "wp_can_reuse_anon_folio",			\
	  "folio_test_swapcache(folio): folio_free_swap(folio)",	\
	  COPY | REUSE, SMALL, S(SWAPCACHE) | S(WRITEBACK), { "folio_free_swap()" } }, \
	{ CT_ASK_RECHECK, "wp_can_reuse_anon_folio",			\
	  "folio_test_ksm(folio) || folio_ref_count(folio) != 1",	\
	  COPY | REUSE, SMALL, 0, { "folio_ref_count()" } },

static const struct ct_step folio_pte[] = {
	FOLIO_PTE
	{ CT_ASK_LARGE, "wp_can_reuse_anon_folio", "folio_test_large(folio)",
	  COPY, ANY, 0, { "folio_test_large()" } },
	FOLIO_SMALL
};

static const struct ct_step folio_hugetlb[] = {
	{ CT_ASK_UFFD, "hugetlb_wp", "huge_pte_uffd_wp(pte)",
	  OTHER, ANY, UFFD_STATES, { NULL } },
	{ CT_ASK_SHARED, "hugetlb_wp", "vma->vm_flags & VM_MAYSHARE",
	  OTHER, ANY, 0, { NULL } },
	{ CT_ASK_MAPCOUNT, "hugetlb_wp",
	  "folio_mapcount(old_folio) == 1 && folio_test_anon(old_folio)",
	  COPY | REUSE, ANY, S(ANON), { "folio_mapcount()", "folio_test_anon()" } },
};

/* --- 6.15 on (1da190f4d0a6): large folios by who maps them ------------------- */

#define IN_LARGE	"__wp_can_reuse_large_anon_folio"

static const struct ct_step large_pte[] = {
	FOLIO_PTE
	{ CT_ASK_LARGE_MAPPED, IN_LARGE, "folio_large_mapcount(folio) <= 1",
	  COPY, LARGE, 0, { "folio_large_mapcount()<=1" } },
	{ CT_ASK_MM_IDS, IN_LARGE, "test_bit(FOLIO_MM_IDS_SHARED_BITNUM, &folio->_mm_ids)",
	  COPY, LARGE, S(MM_SHARED), { "FOLIO_MM_IDS_SHARED" } },
	{ CT_ASK_LOCK, IN_LARGE, "folio_test_swapcache(folio): !folio_trylock(folio)",
	  COPY, LARGE, S(LOCKED), { "folio_trylock()" } },
	{ CT_ASK_SWAP, IN_LARGE, "folio_test_swapcache(folio): folio_free_swap(folio)",
	  COPY, LARGE, S(SWAPCACHE) | S(WRITEBACK), { "folio_free_swap()" } },
	{ CT_ASK_LARGE_COUNT, IN_LARGE, "folio_large_mapcount(folio) != folio_ref_count(folio)",
	  COPY, LARGE, 0, { "folio_ref_count()==folio_large_mapcount()" } },
	{ CT_ASK_LARGE_RECHECK, IN_LARGE, "both again, after folio_lock_large_mapcount(folio)",
	  COPY | REUSE, LARGE, 0, { "folio_ref_count()==folio_large_mapcount()" } },
	FOLIO_SMALL
};

/* From 7.0 on at the latest, the huge zero page gives way to a huge page of its own. */
static const struct ct_step large_pmd[] = {
	{ CT_ASK_HUGE_ZERO, "do_huge_zero_wp_pmd", "is_huge_zero_pmd(orig_pmd)",
	  COPY | OTHER, ANY, 0, { "is_huge_zero_pmd()" } },
	FOLIO_PMD
};

#define STEPS(table)	{ (table), sizeof(table) / sizeof(*(table)) }

static const struct ct_steps tables[CT_NR_GENERATIONS][COWTRACE_NR_PATHS] = {
	[CT_GEN_REFCOUNT] = {
		[COWTRACE_PATH_PTE]	= STEPS(refcount_pte),
		[COWTRACE_PATH_PMD]	= STEPS(refcount_pmd),
		[COWTRACE_PATH_HUGETLB]	= STEPS(refcount_hugetlb),
	},
	[CT_GEN_EXCLUSIVE] = {
		[COWTRACE_PATH_PTE]	= STEPS(exclusive_pte),
		[COWTRACE_PATH_PMD]	= STEPS(folio_pmd),
		[COWTRACE_PATH_HUGETLB]	= STEPS(exclusive_hugetlb),
	},
	[CT_GEN_FOLIO] = {
		[COWTRACE_PATH_PTE]	= STEPS(folio_pte),
		[COWTRACE_PATH_PMD]	= STEPS(folio_pmd),
		[COWTRACE_PATH_HUGETLB]	= STEPS(folio_hugetlb),
	},
	[CT_GEN_LARGE] = {
		[COWTRACE_PATH_PTE]	= STEPS(large_pte),
		[COWTRACE_PATH_PMD]	= STEPS(large_pmd),
		[COWTRACE_PATH_HUGETLB]	= STEPS(folio_hugetlb),
	},
};

_Static_assert(sizeof(large_pte) / sizeof(*large_pte) <= CT_STEPS_MAX, "the longest fits");

enum ct_generation ct_generation(uint32_t traits)
{
	if (!(traits & COWTRACE_TRAIT_EXCLUSIVE))
		return CT_GEN_REFCOUNT;
	if (traits & COWTRACE_TRAIT_RET_WRITE)
		return CT_GEN_EXCLUSIVE;
	return traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE ? CT_GEN_LARGE : CT_GEN_FOLIO;
}

struct ct_steps ct_steps(enum ct_generation generation, uint8_t path)
{
	if (path >= COWTRACE_NR_PATHS)
		return (struct ct_steps) { NULL, 0 };
	return tables[generation][path];
}
