/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every page that can be, and what a sample shows of it. Pages that look alike
 * stand together: a policy may claim of them only what is true of all.
 */
#ifndef WORLDS_H
#define WORLDS_H

#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "steps.h"

/**
 * struct view - where a page is looked at, and how much is seen
 * @kernel: of which kernel the sample is.
 * @swapcount: it gives the users of a slot.
 * @exits: and tells whether the page left the swap cache.
 * @here: and how many pages of a large folio the page table maps.
 * @unstable: the count moved while it was sampled: it may be any.
 * @raced: the kernel copied, but somebody else was first and did what he liked.
 */
struct view {
	uint8_t	kernel, path, kind, order;
	bool	unshare, swapcount, exits, here, unstable, raced;
};

/* What a sample shows of a page; without padding, to be compared as bytes. */
struct seen {
	uint32_t state;
	int32_t	refcount, folio_mapcount;
	uint16_t mapped_here, present;
	uint8_t	mapcount, swapcount, pincount, outcome;
};

/* A policy, with the releases of 5.19 to 6.14 apart and together. */
enum asked {
	ASK_MAPCOUNT, ASK_REFCOUNT, ASK_SWAPCACHE, ASK_EXCLUSIVE, ASK_LARGE_EXCLUSIVE, ASK_MINIMAL,
	ASK_COUNTED, ASK_COPIED, NR_ASKED
};

enum { REUSES = 1, COPIES = 2 };

struct page {
	struct seen	seen;
	struct world	world;
	uint8_t		answers[NR_ASKED];
	/* The steps at which they were given, a bit each. */
	uint32_t	steps[NR_ASKED];
};

#define MAX_PAGES	400000
static struct page pages[MAX_PAGES];
static size_t nr_pages_made;

static enum cowtrace_policy policy_of(enum asked asked)
{
	return asked < ASK_COUNTED ? (enum cowtrace_policy)asked : COWTRACE_POLICY_EXCLUSIVE;
}

/* --- which pages there are ------------------------------------------------- */

static bool reachable(const struct world *w)
{
	int references = w->plain + w->pins;

	/* 6.1 mm/ksm.c:1083 write_protect_page() clears the mark before it merges. */
	if (w->mark && is_ksm(w))
		return false;
	/* 6.1 include/linux/rmap.h:234 page_try_dup_anon_rmap(): fork() clears it. */
	if (w->mark && mapcount(w) > 1)
		return false;
	/* 6.1 mm/rmap.c:1760 moves it to the entry, 6.1 mm/memory.c:3995 takes the last one's. */
	if (w->mark && w->entries)
		return false;
	/* The mark of a page mapped by a PMD is that of its whole folio. */
	if (w->mark && w->path == COWTRACE_PATH_PMD &&
	    (large_mapcount(w) > 1 || total_swapcount(w)))
		return false;
	/*
	 * 6.1 mm/memory.c:3485, 7.2 mm/memory.c:4156: who is alone gets the mark when no
	 * reference is left, and 6.1 mm/gup.c:635 pins nothing without it.
	 * hugetlb_wp() alone marks what it did not count.
	 */
	if (w->mark && w->taken && !(w->path == COWTRACE_PATH_HUGETLB && w->plain))
		return false;
	if (w->taken && !references)
		return false;
	/* A page that is mapped has entries only while the swap cache has it. */
	if (!w->cached && total_swapcount(w))
		return false;
	/* Anonymous pages are written to swap alone. */
	if (w->writeback && !w->cached)
		return false;
	/* mm/ksm.c merges single pages; hugetlb pages are neither swapped nor listed. */
	if (is_ksm(w) && w->order)
		return false;
	if (w->path == COWTRACE_PATH_HUGETLB && (w->cached || w->batch != LISTED))
		return false;
	/* The hugetlb pages of a folio are one. */
	if (w->path == COWTRACE_PATH_HUGETLB && w->others[UNMAPPED] != nr_pages(w) - 1)
		return false;
	/* A mm maps a page once: this one does already, so all others are other mms'. */
	if (w->path == COWTRACE_PATH_PMD &&
	    (w->others[HERE] || w->others[OTHER_TABLE] || w->others[HERE_AND_MM] ||
	     w->others[HERE_AND_ENTRY] || w->others[TABLE_AND_ENTRY]))
		return false;
	return true;
}

/* Of a large folio, so many that whatever they are made of is among the pages. */
#define MOST_REFERENCES	5

/* What makes no difference is told apart once only. */
static bool distinct(const struct world *w, const struct view *v)
{
	uint32_t traits = kernels[v->kernel].traits;

	/* With more references than all this can be made of in other ways, too. */
	if (w->order && v->path == COWTRACE_PATH_PTE &&
	    page_count(w) - w->cached * nr_pages(w) > MOST_REFERENCES)
		return false;
	if (w->later && (w->batch == LISTED || w->order))
		return false;
	if (w->stuck && (!(traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE) || !w->order || in_other_mm(w)))
		return false;
	return true;
}

/* --- what is seen of them -------------------------------------------------- */

static uint32_t state_at_entry(const struct world *w, uint32_t traits)
{
	uint32_t state = 0;

	state |= is_anon(w) ? COWTRACE_PG_ANON : 0;
	state |= is_ksm(w) ? COWTRACE_PG_KSM : 0;
	state |= w->cached ? COWTRACE_PG_SWAPCACHE : 0;
	state |= w->batch == LISTED && w->path != COWTRACE_PATH_HUGETLB ? COWTRACE_PG_LRU : 0;
	state |= w->writeback ? COWTRACE_PG_WRITEBACK : 0;
	state |= w->lock != UNLOCKED ? COWTRACE_PG_LOCKED : 0;
	state |= w->pins ? COWTRACE_PG_PINNED : 0;
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		state |= w->mark ? COWTRACE_PG_EXCLUSIVE : 0;
	if ((traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE) && w->order)
		state |= in_other_mm(w) || w->stuck ? COWTRACE_PG_MM_SHARED : 0;
	return state;
}

/*
 * The kernel has decided: what is left of the page? A copy unmaps it, and from
 * 6.1 on frees the slot of what nobody maps then (free_swap_cache()).
 */
static uint32_t state_at_exit(const struct world *before, struct world *after, bool copied,
			      const struct view *v)
{
	int left = page_count(after) - copied;
	uint32_t state = 0;

	if (before->order || v->path != COWTRACE_PATH_PTE)
		return 0;
	if (copied && after->cached && !after->more_maps && trylock_page(after) &&
	    (kernels[v->kernel].traits & COWTRACE_TRAIT_EXCLUSIVE)) {
		free_swap(after);
		left -= !after->cached;
	}
	if (before->batch != LISTED && (after->batch == LISTED || before->later) && left)
		state |= COWTRACE_EXIT_LRU;
	if (before->cached && v->exits)
		state |= after->cached ? COWTRACE_EXIT_SWAPCACHE : COWTRACE_EXIT_UNCACHED;
	return state;
}

static enum cowtrace_policy own_generation(int kernel)
{
	return kernel == V5_10 ? COWTRACE_POLICY_REFCOUNT :
	       kernel == V7_2 ? COWTRACE_POLICY_LARGE_EXCLUSIVE : COWTRACE_POLICY_EXCLUSIVE;
}

static void look(struct page *p, const struct view *v)
{
	uint32_t traits = kernels[v->kernel].traits;
	const struct world *w = &p->world;
	struct world after = *w;
	bool reuse = decide(own_generation(v->kernel), v->kernel == V6_12, &after).reuse;
	struct seen *s = &p->seen;

	*s = (struct seen) {
		.state = state_at_entry(w, traits),
		.refcount = v->unstable ? 0 : page_count(w),
		.mapcount = mapcount(w),
		.present = COWTRACE_HAS_PAGE,
	};
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		s->present |= COWTRACE_HAS_EXCLUSIVE;
	if (!w->order || v->path != COWTRACE_PATH_PTE || !(traits & COWTRACE_TRAIT_RET_WRITE)) {
		s->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
		s->folio_mapcount = large_mapcount(w);
	}
	if (w->order) {
		s->present |= COWTRACE_HAS_PINCOUNT;
		s->pincount = w->pins;
	}
	if (w->order && v->here && v->path == COWTRACE_PATH_PTE) {
		s->present |= COWTRACE_HAS_MAPPED_HERE;
		s->mapped_here = mapped_here(w);
	}
	if (w->cached && v->swapcount && v->path == COWTRACE_PATH_PTE) {
		s->present |= COWTRACE_HAS_SWAPCOUNT;
		s->swapcount = w->entries;
	}
	if (v->raced) {
		s->outcome = COWTRACE_OUTCOME_RACED;
		s->state |= w->later && v->path == COWTRACE_PATH_PTE ? COWTRACE_EXIT_LRU : 0;
		return;
	}
	s->outcome = reuse ? COWTRACE_OUTCOME_REUSE :
		     v->path == COWTRACE_PATH_PMD ? COWTRACE_OUTCOME_SPLIT :
		     v->unshare ? COWTRACE_OUTCOME_UNSHARE : COWTRACE_OUTCOME_COPY;
	s->state |= state_at_exit(w, &after, !reuse, v);
}

/* The record of such a sample; of a count that moved, @refcount. */
static struct cowtrace_record record_seen(const struct seen *s, const struct view *v,
					  int32_t refcount)
{
	struct cowtrace_record r = {
		.type = COWTRACE_TYPE_FAULT,
		.magic = COWTRACE_RECORD_MAGIC,
		.vm_flags = COWTRACE_VM_WRITE,
		.pfn = 0x1000,
		.fault_flags = v->unshare ? COWTRACE_FAULT_FLAG_UNSHARE : 0,
		.swapcount = s->swapcount,
		.mapped_here = s->mapped_here,
		.refcount = v->unstable ? refcount : s->refcount,
		.mapcount = s->mapcount,
		.folio_mapcount = s->folio_mapcount,
		.pincount = s->pincount,
		.state = s->state,
		.evidence = v->unstable ? COWTRACE_EV_UNSTABLE : 0,
		.present = s->present,
		.path = v->path,
		.kind = v->kind,
		.outcome = s->outcome,
		.order = v->order,
	};

	return r;
}

/* --- all of them ----------------------------------------------------------- */

static void add_page(const struct world *w, const struct view *v)
{
	struct page *p = &pages[nr_pages_made];
	int a;

	if (!reachable(w) || !distinct(w, v))
		return;
	if (nr_pages_made++ == MAX_PAGES)
		abort();
	p->world = *w;
	look(p, v);
	for (a = 0; a < NR_ASKED; a++) {
		struct world copy = *w;
		struct decision d = decide(policy_of(a), a == ASK_COPIED, &copy);

		p->answers[a] = d.reuse ? REUSES : COPIES;
		p->steps[a] = 1u << d.step;
	}
	/* Where the release is not known, it may be either. */
	p->answers[ASK_EXCLUSIVE] |= p->answers[ASK_COPIED];
	p->steps[ASK_EXCLUSIVE] |= p->steps[ASK_COPIED];
}

/* A few other pages, and the order of such folios. */
#define FEW		3
#define FEW_PAGES	2

#define UP_TO(var, last) for (w.var = 0; w.var <= (last); w.var++)

/*
 * All that a page can be, while the other pages of its folio are as they are. With
 * several of them it is about mappings alone: with one there is all else as well.
 */
static void add_pages(struct world w, const struct view *v)
{
	int many = v->order ? 1 : 2;
	bool all = v->order != FEW_PAGES;

	UP_TO(more_maps, many)
	UP_TO(cached, all)
	UP_TO(entries, w.cached ? many : 0)
	UP_TO(writeback, w.cached)
	UP_TO(stable, w.writeback)
	UP_TO(batch, all ? NR_BATCHES - 1 : LISTED)
	UP_TO(lock, all ? NR_LOCKS - 1 : UNLOCKED)
	UP_TO(plain, v->order ? 2 : 3)
	UP_TO(pins, all)
	UP_TO(taken, w.plain || w.pins)
	UP_TO(mark, 1)
	UP_TO(later, w.batch != LISTED && !v->order)
	UP_TO(stuck, v->order ? 1 : 0)
		add_page(&w, v);
}

static int by_what_is_seen(const void *a, const void *b)
{
	const struct page *p = a, *q = b;

	return memcmp(&p->seen, &q->seen, sizeof(p->seen));
}

/*
 * Makes all pages of a view, those that look alike side by side. Of the many other
 * pages of a huge one there is one of interest.
 */
static void make_pages(const struct view *v)
{
	int left = (1 << v->order) - 1, a, b, c;

	memset(pages, 0, nr_pages_made * sizeof(*pages));
	nr_pages_made = 0;
	for (a = 0; a < (left ? NR_OTHERS : 1); a++)
	for (b = 0; b <= (left == FEW ? a : 0); b++)
	for (c = 0; c <= (left == FEW ? b : 0); c++) {
		struct world w = { .path = v->path, .kind = v->kind, .order = v->order };

		w.others[a] += left > 0;
		if (left == FEW) {
			w.others[b]++;
			w.others[c]++;
		} else if (left) {
			w.others[UNMAPPED] += left - 1;
		}
		add_pages(w, v);
	}
	qsort(pages, nr_pages_made, sizeof(*pages), by_what_is_seen);
}

/* The first page after those that look like @first. */
static size_t look_alikes(size_t first)
{
	size_t i = first;

	while (i < nr_pages_made && !memcmp(&pages[i].seen, &pages[first].seen,
					    sizeof(pages[i].seen)))
		i++;
	return i;
}

/* --- and how they are looked at -------------------------------------------- */

static const struct view kinds[] = {
	{ .path = COWTRACE_PATH_PTE, .kind = COWTRACE_KIND_ANON },
	{ .path = COWTRACE_PATH_PTE, .kind = COWTRACE_KIND_KSM },
	{ .path = COWTRACE_PATH_PTE, .kind = COWTRACE_KIND_ANON, .order = 1 },
	{ .path = COWTRACE_PATH_PTE, .kind = COWTRACE_KIND_ANON, .order = FEW_PAGES },
	{ .path = COWTRACE_PATH_PMD, .kind = COWTRACE_KIND_THP, .order = 9 },
	{ .path = COWTRACE_PATH_HUGETLB, .kind = COWTRACE_KIND_HUGETLB, .order = 9 },
};

/* Return: false when there is no view of that number. */
static bool next_view(int number, struct view *v)
{
	static const struct view ways[] = {
		{ .swapcount = true, .exits = true, .here = true },
		{ .exits = true },
		{ 0 },
		{ .swapcount = true, .here = true, .unstable = true },
		{ .unstable = true },
		{ .raced = true },
		{ .exits = true, .unshare = true },
	};
	int nr_kinds = sizeof(kinds) / sizeof(*kinds), nr_ways = sizeof(ways) / sizeof(*ways);
	int kind = number % nr_kinds, way = number / nr_kinds % nr_ways;

	*v = ways[way];
	v->kernel = number / nr_kinds / nr_ways;
	v->path = kinds[kind].path;
	v->kind = kinds[kind].kind;
	v->order = kinds[kind].order;
	return v->kernel < NR_KERNELS;
}

#endif /* WORLDS_H */
