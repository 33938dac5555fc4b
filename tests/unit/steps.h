/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The steps of each generation of the kernel, written down from its source and
 * made on a page of which everything is known. They know nothing of policy.h, but
 * the names of its steps: test-policy-sweep.c holds the two against each other.
 */
#ifndef STEPS_H
#define STEPS_H

#include <cowtrace/policy.h>

/* What became of another page of a large folio. */
enum other {
	UNMAPPED, HERE, OTHER_TABLE, OTHER_MM, OTHER_MMS, HERE_AND_MM, ENTRY, ENTRIES,
	HERE_AND_ENTRY, MM_AND_ENTRY, TABLE_AND_ENTRY, NR_OTHERS
};

static const struct {
	int	here, maps, entries;
	bool	other_mm;
} others[NR_OTHERS] = {
	[HERE]		= { .here = 1, .maps = 1 },
	[OTHER_TABLE]	= { .maps = 1 },
	[OTHER_MM]	= { .maps = 1, .other_mm = true },
	[OTHER_MMS]	= { .maps = 2, .other_mm = true },
	[HERE_AND_MM]	= { .here = 1, .maps = 2, .other_mm = true },
	[ENTRY]		= { .entries = 1 },
	[ENTRIES]	= { .entries = 2 },
	[HERE_AND_ENTRY] = { .here = 1, .maps = 1, .entries = 1 },
	[MM_AND_ENTRY]	= { .maps = 1, .entries = 1, .other_mm = true },
	[TABLE_AND_ENTRY] = { .maps = 1, .entries = 1 },
};

/**
 * struct world - a page at the moment of the fault, and all that decides about it
 * @more_maps: mappings of the page by others.
 * @entries: swap entries in page tables that name its slot.
 * @others: how many other pages of the folio are in which state.
 * @batch: the reference of an LRU list's batch, while the page is on none: of this
 *	CPU, or of another one; an isolated page has one as well.
 * @lock: the page lock: free, held while the fault looks for it, or let go until then.
 * @plain: references of anybody else.
 * @pins: FOLL_PIN.
 * @taken: some of these references were taken while the page was shared.
 * @mark: PageAnonExclusive, or that it would be set on a kernel that has none.
 * @stable: the swap device has SWP_STABLE_WRITES.
 * @later: who held the page for an LRU list puts it there before the fault ends.
 * @stuck: 7.x calls the folio shared though one mm is left.
 */
struct world {
	uint8_t	path, kind, order;
	uint8_t	more_maps, entries;
	uint16_t others[NR_OTHERS];
	uint8_t	cached, writeback, stable;
	uint8_t	batch, lock;
	uint8_t	plain, pins;
	uint8_t	taken, mark, later, stuck;
};

enum { LISTED, OWN_BATCH, AWAY, NR_BATCHES };
enum { UNLOCKED, LET_GO, HELD, NR_LOCKS };

struct decision {
	bool	reuse;
	uint8_t	step;
};

#define REUSE_AT(at)	((struct decision) { true, COWTRACE_STEP_##at })
#define COPY_AT(at)	((struct decision) { false, COWTRACE_STEP_##at })

/* --- what the kernel reads ------------------------------------------------- */

static bool is_anon(const struct world *w)
{
	return w->kind == COWTRACE_KIND_ANON || w->kind == COWTRACE_KIND_KSM ||
	       w->kind == COWTRACE_KIND_THP || w->kind == COWTRACE_KIND_HUGETLB;
}

static bool is_ksm(const struct world *w)
{
	return w->kind == COWTRACE_KIND_KSM;
}

static int nr_pages(const struct world *w)
{
	return 1 << w->order;
}

static int mapcount(const struct world *w)
{
	return 1 + w->more_maps;
}

/* folio_large_mapcount(), total_mapcount() */
static int large_mapcount(const struct world *w)
{
	int i, n = mapcount(w);

	for (i = 0; i < NR_OTHERS; i++)
		n += w->others[i] * others[i].maps;
	return n;
}

static int mapped_here(const struct world *w)
{
	int i, n = 1;

	for (i = 0; i < NR_OTHERS; i++)
		n += w->others[i] * others[i].here;
	return n;
}

static bool in_other_mm(const struct world *w)
{
	int i;

	for (i = 0; i < NR_OTHERS; i++)
		if (w->others[i] && others[i].other_mm)
			return true;
	return w->more_maps;
}

/* Swap entries for all pages of the folio. */
static int total_swapcount(const struct world *w)
{
	int i, n = w->entries;

	for (i = 0; i < NR_OTHERS; i++)
		n += w->others[i] * others[i].entries;
	return n;
}

/* page_trans_huge_map_swapcount(): of the page that has most. A PMD maps them all. */
static int map_swapcount(const struct world *w)
{
	int by_pmd = w->path == COWTRACE_PATH_PMD ? mapcount(w) : 0;
	int i, most = mapcount(w) + w->entries;

	for (i = 0; i < NR_OTHERS; i++)
		if (w->others[i] && by_pmd + others[i].maps + others[i].entries > most)
			most = by_pmd + others[i].maps + others[i].entries;
	return most;
}

/* Each mapping, slot and batch has one, hugetlb_fault() too; a pin of a small page 1024. */
static int page_count(const struct world *w)
{
	return large_mapcount(w) + w->cached * nr_pages(w) + (w->batch != LISTED) + w->plain +
	       w->pins * (w->order ? 1 : 1024) + (w->path == COWTRACE_PATH_HUGETLB);
}

static bool trylock_page(const struct world *w)
{
	return w->lock != HELD;
}

/* mm/swap.c: puts on their lists what this CPU's batches hold. */
static void lru_add_drain(struct world *w)
{
	if (w->batch == OWN_BATCH)
		w->batch = LISTED;
}

/* mm/swapfile.c: try_to_free_swap(), folio_free_swap(); no page is free while one is in use. */
static void free_swap(struct world *w)
{
	if (w->cached && !w->writeback && !total_swapcount(w))
		w->cached = false;
}

/* --- until 5.8 ------------------------------------------------------------- */

/* 5.10 mm/swapfile.c:1718 reuse_swap_page(), the page is locked */
static struct decision reuse_swap_page(struct world *w)
{
	int count = map_swapcount(w);

	if (count == 1 && w->cached && (!w->order || total_swapcount(w) == w->entries)) {
		if (!w->writeback)
			w->cached = false;
		else if (w->stable)
			return COPY_AT(STABLE);
	}
	return count <= 1 ? REUSE_AT(MAP_SWAPCOUNT) : COPY_AT(MAP_SWAPCOUNT);
}

/* 5.7 mm/memory.c do_wp_page(): it sleeps for the lock. */
static struct decision wp_page_5_7(struct world *w)
{
	if (is_ksm(w)) {
		if (w->cached || page_count(w) != 1)
			return COPY_AT(KSM_REUSE);
		/* reuse_ksm_page() */
		return page_count(w) == 1 ? REUSE_AT(KSM_REUSE) : COPY_AT(KSM_REUSE);
	}
	return reuse_swap_page(w);
}

/* --- 5.9 to 5.17 ----------------------------------------------------------- */

/* 5.10 mm/memory.c:3154 */
static struct decision wp_page_5_10(struct world *w)
{
	if (is_ksm(w) || page_count(w) != 1)
		return COPY_AT(COUNT_ONE);
	if (!trylock_page(w))
		return COPY_AT(TRYLOCK_ONE);
	if (is_ksm(w) || mapcount(w) != 1 || page_count(w) != 1)
		return COPY_AT(COUNT_ONE);
	return REUSE_AT(COUNT_ONE);
}

/* --- 5.18 ------------------------------------------------------------------ */

/* What follows the attempt to free the slot is decided by it, where there was one. */
static struct decision last_count(struct world *w)
{
	bool tried = w->cached;

	free_swap(w);
	if (page_count(w) != 1)
		return tried ? COPY_AT(FREE_SWAP) : COPY_AT(LAST);
	return tried ? REUSE_AT(FREE_SWAP) : REUSE_AT(LAST);
}

/* 5.18 mm/memory.c do_wp_page(); the same list is 6.1 mm/memory.c:3461 */
static struct decision wp_page_5_18(struct world *w)
{
	if (is_ksm(w) || page_count(w) > 3)
		return COPY_AT(KSM_FIRST);
	if (w->batch != LISTED)
		lru_add_drain(w);
	if (page_count(w) > 1 + w->cached)
		return COPY_AT(COUNT);
	if (!trylock_page(w))
		return COPY_AT(TRYLOCK);
	return last_count(w);
}

/* 5.18 mm/huge_memory.c do_huge_pmd_wp_page(): it sleeps for the lock. */
static struct decision huge_pmd_5_18(struct world *w)
{
	if (page_count(w) > 1 + w->cached * nr_pages(w))
		return COPY_AT(PMD_COUNT);
	return last_count(w);
}

/* --- 5.19 to 6.14 ---------------------------------------------------------- */

/* 6.1 mm/memory.c:3456, 6.12 mm/memory.c:3586 wp_can_reuse_anon_folio() */
static struct decision wp_page_6(struct world *w, bool large_copied)
{
	if (w->mark)
		return REUSE_AT(EXCLUSIVE);
	if (large_copied && w->order)
		return COPY_AT(LARGE);
	return wp_page_5_18(w);
}

/* 6.1 mm/huge_memory.c:1323, 7.2 mm/huge_memory.c:2160 */
static struct decision huge_pmd_6(struct world *w)
{
	return w->mark ? REUSE_AT(EXCLUSIVE) : huge_pmd_5_18(w);
}

/* --- 6.15 on --------------------------------------------------------------- */

/* 7.2 mm/memory.c:4109 __wp_can_reuse_large_anon_folio() */
static struct decision wp_can_reuse_large(struct world *w)
{
	if (large_mapcount(w) <= 1)
		return COPY_AT(LARGE_MAPPED);
	if (in_other_mm(w) || w->stuck)
		return COPY_AT(MM_IDS);
	if (w->cached) {
		if (!trylock_page(w))
			return COPY_AT(LARGE_FREE);
		free_swap(w);
	}
	/* Is it for the slots alone? */
	if (large_mapcount(w) != page_count(w))
		return w->cached && large_mapcount(w) == page_count(w) - nr_pages(w) ?
		       COPY_AT(LARGE_FREE) : COPY_AT(LARGE_COUNT);
	return REUSE_AT(LARGE_COUNT);
}

/* 7.2 mm/memory.c:4182 wp_can_reuse_anon_folio() */
static struct decision wp_page_7_2(struct world *w)
{
	if (w->mark)
		return REUSE_AT(EXCLUSIVE);
	return w->order ? wp_can_reuse_large(w) : wp_page_5_18(w);
}

/* --- no kernel ------------------------------------------------------------- */

/* Who else could see the write? A huge PMD writes to all pages of its folio. */
static struct decision lower_bound(const struct world *w)
{
	bool pmd = w->path == COWTRACE_PATH_PMD;

	if (w->more_maps || (pmd && large_mapcount(w) > 1))
		return COPY_AT(MAPPED);
	if (pmd ? total_swapcount(w) : w->entries)
		return COPY_AT(ENTRY);
	return w->taken ? COPY_AT(TAKEN) : REUSE_AT(NOBODY);
}

/* --- all of them ----------------------------------------------------------- */

/**
 * decide() - what the kernel of a generation does
 * @policy: the generation.
 * @large_copied: of 5.19 to 6.14: a release from 6.8 on.
 * @w: the page; what the kernel drains and frees is gone from it afterwards.
 */
static struct decision decide(enum cowtrace_policy policy, bool large_copied, struct world *w)
{
	if (w->kind == COWTRACE_KIND_ZERO)
		return w->path == COWTRACE_PATH_PMD ? COPY_AT(HUGE_ZERO) : COPY_AT(PAGE);
	if (w->kind == COWTRACE_KIND_SPECIAL)
		return COPY_AT(PAGE);
	if (!is_anon(w))
		return COPY_AT(ANON);
	if (policy == COWTRACE_POLICY_MINIMAL)
		return lower_bound(w);
	/* hugetlb_cow(), hugetlb_wp(): 5.10 mm/hugetlb.c:4152 to 7.2 mm/hugetlb.c:5511 */
	if (w->path == COWTRACE_PATH_HUGETLB)
		return mapcount(w) == 1 ? REUSE_AT(HUGETLB) : COPY_AT(HUGETLB);
	if (w->path == COWTRACE_PATH_PMD)
		return policy <= COWTRACE_POLICY_REFCOUNT ? reuse_swap_page(w) :
		       policy == COWTRACE_POLICY_SWAPCACHE ? huge_pmd_5_18(w) : huge_pmd_6(w);
	switch (policy) {
	case COWTRACE_POLICY_MAPCOUNT:
		return wp_page_5_7(w);
	case COWTRACE_POLICY_REFCOUNT:
		return wp_page_5_10(w);
	case COWTRACE_POLICY_SWAPCACHE:
		return wp_page_5_18(w);
	case COWTRACE_POLICY_EXCLUSIVE:
		return wp_page_6(w, large_copied);
	default:
		return wp_page_7_2(w);
	}
}

#endif /* STEPS_H */
