// SPDX-License-Identifier: GPL-2.0
#include "contention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/evidence.h>
#include <cowtrace/vocab.h>

#include "bytes.h"
#include "contention_count.h"
#include "count.h"

#define MASK	(CT_CONTENTION_WINDOW - 1)
/* A fault looks at so many others at most: no trace can make this slow. */
#define STEPS	512u

/**
 * struct ct_window - the faults that ended last
 * @page_size: bytes of a page.
 * @met: the faults; the place of the next one is @taken & MASK.
 * @taken: faults taken so far.
 * @last_order: order of the last.
 * @forgotten: the latest end of a fault that left.
 * @head: the newest fault of each bucket.
 * @group: the groups; each has a member, so there are never more than faults.
 * @unused: numbers of groups that are free.
 * @nr_unused: how many.
 */
struct ct_window {
	uint64_t	page_size;
	struct ct_met	met[CT_CONTENTION_WINDOW];
	uint64_t	taken;
	uint64_t	last_order;
	uint64_t	forgotten;
	uint32_t	head[CT_CONTENTION_WINDOW];
	struct ct_group	group[CT_CONTENTION_WINDOW];
	uint32_t	unused[CT_CONTENTION_WINDOW];
	uint32_t	nr_unused;
};

struct ct_contention *ct_contention_new(uint64_t page_size)
{
	struct ct_contention *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	/* Large, and mostly untouched when the trace is small. */
	c->window = calloc(1, sizeof(*c->window));
	if (!c->window) {
		free(c);
		return NULL;
	}
	c->window->page_size = page_size;
	memset(c->window->head, 0xff, sizeof(c->window->head));
	for (uint32_t i = 0; i < CT_CONTENTION_WINDOW; i++)
		c->window->unused[i] = CT_CONTENTION_WINDOW - 1 - i;
	c->window->nr_unused = CT_CONTENTION_WINDOW;
	return c;
}

void ct_contention_free(struct ct_contention *c)
{
	if (!c)
		return;
	ct_map_free(&c->kind_of);
	ct_map_free(&c->locked_of);
	ct_map_free(&c->pair_of);
	ct_map_free(&c->site_of);
	ct_map_free(&c->page_of);
	free(c->kinds);
	free(c->locked);
	free(c->pairs);
	free(c->sites);
	free(c->pages);
	free(c->window);
	free(c);
}

/* --- who may meet whom ------------------------------------------------------- */

/* One frame that stands for a page of all: only one page of one process is the same. */
static bool is_common(const struct cowtrace_record *r)
{
	return r->kind == COWTRACE_KIND_ZERO || r->kind == COWTRACE_KIND_SPECIAL ||
	       r->kind == COWTRACE_KIND_UNKNOWN;
}

/* Sorts of pages that a page does not change between. */
static unsigned int sort_of(const struct cowtrace_record *r)
{
	switch (r->kind) {
	case COWTRACE_KIND_KSM:
	case COWTRACE_KIND_THP:
		return COWTRACE_KIND_ANON;
	default:
		return r->kind;
	}
}

static bool same_entry(const struct ct_met *a, const struct ct_met *b)
{
	return a->process == b->process && a->page == b->page && a->r.path == b->r.path;
}

static bool same_frame(const struct ct_met *a, const struct ct_met *b)
{
	return a->r.pfn == b->r.pfn && a->r.pid != b->r.pid && sort_of(&a->r) == sort_of(&b->r) &&
	       (!is_common(&a->r) || same_entry(a, b));
}

static uint32_t bucket_of(const struct ct_met *met)
{
	uint64_t x = met->r.pfn;

	if (is_common(&met->r))
		x ^= met->page + ((uint64_t)met->process << 32);
	x *= 0x9e3779b97f4a7c15ull;
	return x >> 32 & MASK;
}

/* The address that the entry of the page table stands for. */
static uint64_t page_of(const struct ct_window *w, const struct cowtrace_record *r)
{
	uint64_t size = w->page_size;

	if (r->path == COWTRACE_PATH_PMD)
		size <<= COWTRACE_PMD_ORDER;
	else if (r->path == COWTRACE_PATH_HUGETLB)
		size *= cowtrace_folio_pages(r);
	return r->address & ~(size - 1);
}

/* --- groups -------------------------------------------------------------------- */

static struct ct_group_entry *entry_of(struct ct_group *g, uint32_t process, uint64_t page,
				       uint8_t path)
{
	uint32_t i;

	for (i = 0; i < g->nr_entries && i < CT_GROUP_ENTRIES; i++)
		if (g->entry[i].process == process && g->entry[i].page == page &&
		    g->entry[i].path == path)
			return &g->entry[i];
	if (i == CT_GROUP_ENTRIES) {
		g->nr_entries = CT_GROUP_ENTRIES + 1;
		return NULL;
	}
	g->nr_entries = i + 1;
	g->entry[i] = (struct ct_group_entry) { .process = process, .page = page, .path = path };
	return &g->entry[i];
}

static void add_copy(struct ct_group *g, const struct ct_met *met)
{
	const struct cowtrace_record *r = &met->r;
	int64_t others = (int64_t)r->refcount - r->mapcount;

	g->odd |= r->kind != COWTRACE_KIND_ANON || r->path != COWTRACE_PATH_PTE || r->order ||
		  !(r->present & COWTRACE_HAS_PAGE) || r->evidence & COWTRACE_EV_UNSTABLE ||
		  r->state & (COWTRACE_PG_SWAPCACHE | COWTRACE_PG_PINNED);
	/* A batch that adds a page to its list holds a reference, and sees nothing. */
	if (others > 0 && !(r->state & COWTRACE_PG_LRU))
		others--;
	if (!g->copies || others < g->others)
		g->others = others;
	if (r->mapcount > g->mapped)
		g->mapped = r->mapcount;
	g->copies++;
	if (met->end >= g->last_end) {
		g->last_end = met->end;
		g->last_ns = r->duration_ns;
	}
}

static void join(struct ct_window *w, uint32_t number, uint32_t place)
{
	struct ct_group *g = &w->group[number];
	struct ct_met *met = &w->met[place];
	const struct cowtrace_record *r = &met->r;
	struct ct_group_entry *entry = entry_of(g, met->process, met->page, r->path);

	met->group = number;
	met->before = CT_MAP_NONE;
	met->after = g->first;
	if (g->first != CT_MAP_NONE)
		w->met[g->first].before = place;
	g->first = place;
	g->members++;
	g->faults++;
	g->ns += r->duration_ns;
	g->reuses += r->outcome == COWTRACE_OUTCOME_REUSE;
	g->splits += r->outcome == COWTRACE_OUTCOME_SPLIT;
	g->retries += r->outcome == COWTRACE_OUTCOME_RETRY;
	if (ct_copied(r->outcome)) {
		add_copy(g, met);
		g->locked += r->reason == COWTRACE_REASON_LOCKED;
	}
	if (entry) {
		entry->copied |= ct_copied(r->outcome);
		entry->split |= r->outcome == COWTRACE_OUTCOME_SPLIT;
	}
}

static uint32_t begin_group(struct ct_window *w, uint32_t place)
{
	uint32_t number = w->unused[--w->nr_unused];

	w->group[number] = (struct ct_group) { .first = CT_MAP_NONE };
	join(w, number, place);
	return number;
}

/* Make the members of one group members of another. */
static void merge(struct ct_window *w, uint32_t to, uint32_t from)
{
	struct ct_group *g = &w->group[to], *h = &w->group[from];
	uint32_t i, last = CT_MAP_NONE;

	for (i = h->first; i != CT_MAP_NONE; i = w->met[i].after) {
		w->met[i].group = to;
		last = i;
	}
	if (last != CT_MAP_NONE) {
		w->met[last].after = g->first;
		if (g->first != CT_MAP_NONE)
			w->met[g->first].before = last;
		g->first = h->first;
	}
	g->members += h->members;
	g->faults += h->faults;
	g->ns += h->ns;
	g->reuses += h->reuses;
	g->splits += h->splits;
	g->lost += h->lost;
	g->lost_unseen += h->lost_unseen;
	g->locked += h->locked;
	g->retries += h->retries;
	g->odd |= h->odd;
	if (h->copies && (!g->copies || h->others < g->others))
		g->others = h->others;
	if (h->mapped > g->mapped)
		g->mapped = h->mapped;
	g->copies += h->copies;
	if (h->last_end >= g->last_end) {
		g->last_end = h->last_end;
		g->last_ns = h->last_ns;
	}
	for (i = 0; i < h->nr_entries && i < CT_GROUP_ENTRIES; i++) {
		struct ct_group_entry *e = entry_of(g, h->entry[i].process, h->entry[i].page,
						    h->entry[i].path);

		if (e) {
			e->copied |= h->entry[i].copied;
			e->split |= h->entry[i].split;
		}
	}
	if (h->nr_entries > CT_GROUP_ENTRIES)
		g->nr_entries = h->nr_entries;
	w->unused[w->nr_unused++] = from;
}

/* --- the window ------------------------------------------------------------------ */

/* A fault of the window leaves it: all that it could meet is known. */
static int leave(struct ct_contention *c, uint32_t place)
{
	struct ct_window *w = c->window;
	struct ct_met *met = &w->met[place];
	int err = ct_count_fault(c, met);

	/* The oldest of its bucket: what follows it is newer. */
	if (met->newer == CT_MAP_NONE)
		w->head[met->bucket] = CT_MAP_NONE;
	else
		w->met[met->newer].older = CT_MAP_NONE;
	if (met->end > w->forgotten)
		w->forgotten = met->end;
	if (met->group != CT_MAP_NONE) {
		struct ct_group *g = &w->group[met->group];

		if (met->before == CT_MAP_NONE)
			g->first = met->after;
		else
			w->met[met->before].after = met->after;
		if (met->after != CT_MAP_NONE)
			w->met[met->after].before = met->before;
		if (met->r.outcome == COWTRACE_OUTCOME_RACED)
			*(met->won_by ? &g->lost : &g->lost_unseen) += 1;
		if (!--g->members) {
			ct_count_group(c, g);
			w->unused[w->nr_unused++] = met->group;
		}
	}
	return err;
}

static bool did_the_work(const struct cowtrace_record *r)
{
	return ct_copied(r->outcome) || r->outcome == COWTRACE_OUTCOME_REUSE ||
	       r->outcome == COWTRACE_OUTCOME_MKWRITE || r->outcome == COWTRACE_OUTCOME_SPLIT;
}

/*
 * Did @loser lose its entry to @winner? Two processes may have one address space
 * (vfork(), a remote access): then the page that only the winner has shows it.
 */
static bool lost_to(struct ct_met *loser, const struct ct_met *winner)
{
	const struct cowtrace_record *l = &loser->r, *w = &winner->r;
	bool shown = l->present & w->present & COWTRACE_HAS_NEW_PFN && l->new_pfn == w->new_pfn;
	bool own = ct_copied(w->outcome) || w->outcome == COWTRACE_OUTCOME_REUSE;

	if (l->outcome != COWTRACE_OUTCOME_RACED || !did_the_work(w) || l->path != w->path ||
	    loser->page != winner->page)
		return false;
	if (loser->process != winner->process && !(shown && own))
		return false;
	loser->won_by = true;
	loser->shown |= shown;
	return true;
}

/* While it copies, a fault holds a reference to the page. */
static bool takes_reference(const struct cowtrace_record *r)
{
	return r->path == COWTRACE_PATH_PTE &&
	       (ct_copied(r->outcome) || r->outcome == COWTRACE_OUTCOME_RACED);
}

/*
 * do_huge_pmd_wp_page() locks the page unless it is exclusive, and a shared
 * mapping's page_mkwrite() does: both where others can see it.
 */
static bool takes_lock(const struct cowtrace_record *r)
{
	if (r->path == COWTRACE_PATH_PMD)
		return r->reason != COWTRACE_REASON_EXCLUSIVE;
	return r->path == COWTRACE_PATH_PTE &&
	       r->vm_flags & (COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE);
}

/* What @met may have found that was @other's doing. */
static void find_traces(struct ct_met *met, const struct ct_met *other)
{
	if (other->begin >= met->begin || met->begin >= other->end)
		return;
	met->beside_copy |= takes_reference(&other->r);
	met->beside_lock |= takes_lock(&other->r);
}

static int link_pair(struct ct_contention *c, uint32_t a, uint32_t b)
{
	struct ct_window *w = c->window;
	struct ct_met *x = &w->met[a], *y = &w->met[b];
	bool lost = lost_to(x, y);

	lost |= lost_to(y, x);
	find_traces(x, y);
	find_traces(y, x);
	if (x->group == CT_MAP_NONE)
		begin_group(w, a);
	if (y->group == CT_MAP_NONE)
		join(w, x->group, b);
	else if (x->group != y->group && w->group[x->group].members > w->group[y->group].members)
		merge(w, x->group, y->group);
	else if (x->group != y->group)
		merge(w, y->group, x->group);
	return ct_count_pair(c, x, y, lost);
}

/* Find those that the fault met among those that ended before it. */
static int look_back(struct ct_contention *c, uint32_t place)
{
	struct ct_window *w = c->window;
	struct ct_met *met = &w->met[place];
	unsigned int steps = 0;
	uint32_t i;
	int err;

	for (i = met->older; i != CT_MAP_NONE; i = w->met[i].older) {
		struct ct_met *other = &w->met[i];

		if (other->order < met->begin)
			break;
		if (steps++ == STEPS) {
			c->crowded++;
			break;
		}
		if (!same_frame(other, met))
			continue;
		if (other->begin < met->end && met->begin < other->end) {
			err = link_pair(c, i, place);
			if (err)
				return err;
		} else if (other->begin <= met->end && met->begin <= other->end) {
			c->touching++;
		}
	}
	return 0;
}

int ct_contention_take(struct ct_contention *c, const struct cowtrace_record *r,
		       uint32_t process, uint32_t site)
{
	struct ct_window *w = c->window;
	uint32_t place = w->taken & MASK;
	struct ct_met *met = &w->met[place];
	int err;

	if (r->outcome == COWTRACE_OUTCOME_UFFD)
		return 0;
	if (w->taken >= CT_CONTENTION_WINDOW) {
		err = leave(c, place);
		if (err)
			return err;
	}
	*met = (struct ct_met) {
		.begin = r->time_ns,
		.end = ct_add(r->time_ns, r->duration_ns),
		.page = page_of(w, r),
		.r = *r,
		.process = process,
		.site = site,
		.newer = CT_MAP_NONE,
		.group = CT_MAP_NONE,
	};
	w->taken++;
	if (met->end > w->last_order)
		w->last_order = met->end;
	met->order = w->last_order;
	c->early += met->begin < w->forgotten;

	met->bucket = bucket_of(met);
	met->older = w->head[met->bucket];
	if (met->older != CT_MAP_NONE)
		w->met[met->older].newer = place;
	w->head[met->bucket] = place;
	return look_back(c, place);
}

int ct_contention_end(struct ct_contention *c)
{
	struct ct_window *w = c->window;
	uint64_t i = w->taken > CT_CONTENTION_WINDOW ? w->taken - CT_CONTENTION_WINDOW : 0;
	int err = 0;

	for (; i < w->taken && !err; i++)
		err = leave(c, i & MASK);
	w->taken = 0;
	ct_count_end(c);
	return err;
}
