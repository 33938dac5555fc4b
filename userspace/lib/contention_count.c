// SPDX-License-Identifier: GPL-2.0
#include "contention_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/evidence.h>
#include <cowtrace/vocab.h>

#include "count.h"

#define NAME(id, n, s)		[CT_MEETING_##id] = n,
#define SENTENCE(id, n, s)	[CT_MEETING_##id] = s,
const char * const ct_meeting_names[CT_NR_MEETINGS] = { CT_MEETINGS(NAME) };
const char * const ct_meeting_sentences[CT_NR_MEETINGS] = { CT_MEETINGS(SENTENCE) };

int ct_count_pair(struct ct_contention *c, const struct ct_met *a, const struct ct_met *b,
		  bool lost)
{
	uint32_t first = a->process < b->process ? a->process : b->process;
	uint32_t second = a->process < b->process ? b->process : a->process;
	bool copied_a = ct_copied(a->r.outcome), copied_b = ct_copied(b->r.outcome);
	struct ct_met_pair *pair = CT_ELEMENT(&c->pair_of, first, second, c->pairs,
					      &c->nr_pairs);

	if (!pair)
		return -ENOMEM;
	pair->a = first;
	pair->b = second;
	pair->pairs++;
	pair->both_copied += copied_a && copied_b;
	pair->one_reused += (copied_a && b->r.outcome == COWTRACE_OUTCOME_REUSE) ||
			    (copied_b && a->r.outcome == COWTRACE_OUTCOME_REUSE);
	pair->one_lost += lost;
	return 0;
}

static void count_place(struct ct_met_place *place, const struct cowtrace_record *r)
{
	place->faults++;
	place->copies += ct_copied(r->outcome);
	place->raced += r->outcome == COWTRACE_OUTCOME_RACED;
	place->ns += r->duration_ns;
}

/* The least number of faults that half of a full table does not exceed, about. */
static uint64_t lesser_half(const struct ct_contention *c)
{
	uint64_t limit = 1;
	size_t i, more;

	for (;; limit *= 2) {
		for (i = 0, more = 0; i < c->nr_pages; i++)
			more += c->pages[i].faults > limit;
		if (more <= CT_CONTENTION_PAGES / 2)
			return limit;
	}
}

/*
 * Lossy counting: pages that met no more often than the lesser half of a full
 * table are dropped. One that comes again lacks at most so many faults.
 */
static int drop_pages(struct ct_contention *c)
{
	uint64_t limit = lesser_half(c);
	size_t i, kept = 0;

	ct_map_free(&c->page_of);
	for (i = 0; i < c->nr_pages; i++) {
		const struct ct_met_place *page = &c->pages[i];
		uint32_t *slot;

		if (page->faults <= limit)
			continue;
		slot = ct_map_slot(&c->page_of, page->process, page->address);
		if (!slot)
			return -ENOMEM;
		*slot = kept;
		c->pages[kept++] = *page;
	}
	c->nr_pages = kept;
	c->pages_missing += limit;
	return 0;
}

static int count_places(struct ct_contention *c, const struct ct_met *met)
{
	struct ct_met_place *page, *site;

	if (c->nr_pages == CT_CONTENTION_PAGES &&
	    ct_map_find(&c->page_of, met->process, met->page) == CT_MAP_NONE && drop_pages(c))
		return -ENOMEM;
	page = CT_ELEMENT(&c->page_of, met->process, met->page, c->pages, &c->nr_pages);
	if (!page)
		return -ENOMEM;
	page->process = met->process;
	page->address = met->page;
	count_place(page, &met->r);
	if (met->site == CT_MAP_NONE)
		return 0;
	site = CT_ELEMENT(&c->site_of, met->site, 0, c->sites, &c->nr_sites);
	if (!site)
		return -ENOMEM;
	site->site = met->site;
	count_place(site, &met->r);
	return 0;
}

/*
 * A fault of a private page changes its entry under one hold of the page-table lock
 * from its entry on, or makes a page for a copy and looks again: who lost had made
 * one. A return code, or a witness that kept silent, says that it was not mapped.
 */
static void count_raced(struct ct_contention *c, const struct ct_met *met)
{
	const struct cowtrace_record *r = &met->r;
	bool private = !(r->vm_flags & (COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE)) &&
		       r->path == COWTRACE_PATH_PTE;

	c->raced++;
	c->raced_ns += r->duration_ns;
	c->raced_seen += met->won_by;
	c->raced_shown += met->shown;
	if (private && r->evidence & (COWTRACE_EV_RET | COWTRACE_EV_WATCHED)) {
		c->thrown++;
		c->thrown_ns += r->duration_ns;
	} else if (private) {
		c->undecided++;
	}
}

/* hugetlb_fault() locks the page before it calls the function that is traced. */
static bool asks_lock(const struct cowtrace_record *r)
{
	return r->present & COWTRACE_HAS_PAGE && r->path != COWTRACE_PATH_HUGETLB &&
	       r->kind != COWTRACE_KIND_ZERO;
}

/* Numbers of a later schema share a row: what is not known is not told apart. */
static uint8_t known(uint8_t value, unsigned int nr)
{
	return value < nr ? value : UINT8_MAX;
}

static int count_lock(struct ct_contention *c, const struct ct_met *met, bool others)
{
	const struct cowtrace_record *r = &met->r;
	uint8_t path = known(r->path, COWTRACE_NR_PATHS);
	uint8_t outcome = known(r->outcome, COWTRACE_NR_OUTCOMES);
	uint8_t reason = known(r->reason, COWTRACE_NR_REASONS);
	struct ct_found_locked *row;

	if (!asks_lock(r))
		return 0;
	c->lock_asked++;
	if (r->outcome == COWTRACE_OUTCOME_COPY && r->reason == COWTRACE_REASON_LOCKED) {
		c->locked_copies++;
		c->locked_ns += r->duration_ns;
	}
	if (!(r->state & COWTRACE_PG_LOCKED))
		return 0;
	c->lock_held++;
	c->holder_seen += met->beside_lock;
	row = CT_ELEMENT(&c->locked_of, path, outcome << 8 | reason, c->locked, &c->nr_locked);
	if (!row)
		return -ENOMEM;
	row->path = path;
	row->outcome = outcome;
	row->reason = reason;
	row->faults++;
	row->met += others;
	row->ns += r->duration_ns;
	return 0;
}

static int count_kind(struct ct_contention *c, const struct cowtrace_record *r, bool others)
{
	uint8_t path = known(r->path, COWTRACE_NR_PATHS);
	uint8_t kind = known(r->kind, COWTRACE_NR_KINDS);
	uint8_t outcome = known(r->outcome, COWTRACE_NR_OUTCOMES);
	uint8_t reason = known(r->reason, COWTRACE_NR_REASONS);
	struct ct_met_kind *row = CT_ELEMENT(&c->kind_of, path << 8 | kind,
					     outcome << 8 | reason, c->kinds, &c->nr_kinds);

	if (!row)
		return -ENOMEM;
	row->path = path;
	row->kind = kind;
	row->outcome = outcome;
	row->reason = reason;
	ct_histogram_add(others ? &row->met : &row->alone, r->duration_ns);
	return 0;
}

int ct_count_fault(struct ct_contention *c, const struct ct_met *met)
{
	bool others = met->group != CT_MAP_NONE;
	int err;

	err = count_kind(c, &met->r, others);
	if (!err)
		err = count_lock(c, met, others);
	if (!err && others)
		err = count_places(c, met);
	if (met->r.outcome == COWTRACE_OUTCOME_RACED)
		count_raced(c, met);
	c->beside_copy += met->beside_copy && met->r.reason == COWTRACE_REASON_UNATTRIBUTED &&
			  ct_copied(met->r.outcome);
	return err;
}

/* All who mapped the page copied it, and nobody else could see it. */
static bool copied_by_all(const struct ct_group *g, int32_t copied)
{
	return copied > 1 && !g->odd && !g->reuses && !g->others && g->mapped == copied &&
	       g->nr_entries <= CT_GROUP_ENTRIES;
}

void ct_count_group(struct ct_contention *c, const struct ct_group *g)
{
	uint32_t i, known = g->nr_entries < CT_GROUP_ENTRIES ? g->nr_entries : CT_GROUP_ENTRIES;
	bool shows[CT_NR_MEETINGS] = { false }, any = false;
	int32_t copied = 0, split = 0;

	for (i = 0; i < known; i++) {
		copied += g->entry[i].copied;
		split += g->entry[i].split;
	}
	shows[CT_MEETING_RACE] = g->lost;
	shows[CT_MEETING_RACE_UNSEEN] = g->lost_unseen;
	shows[CT_MEETING_COPY_REUSE] = copied && g->reuses;
	shows[CT_MEETING_DOUBLE_COPY] = copied_by_all(g, copied);
	shows[CT_MEETING_COPIES] = copied > 1 && !shows[CT_MEETING_DOUBLE_COPY];
	shows[CT_MEETING_SPLITS] = split > 1;
	shows[CT_MEETING_LOCKED] = g->locked;
	shows[CT_MEETING_RETRY] = g->retries;
	for (i = 0; i < CT_NR_MEETINGS; i++)
		any |= shows[i];
	shows[CT_MEETING_PLAIN] = !any;
	for (i = 0; i < CT_NR_MEETINGS; i++) {
		if (!shows[i])
			continue;
		c->meetings[i].groups++;
		c->meetings[i].faults += g->faults;
		c->meetings[i].ns += g->ns;
	}
	c->groups++;
	c->one_entry += g->nr_entries == 1;
	c->faults += g->faults;
	c->ns += g->ns;
	if (g->faults > c->largest)
		c->largest = g->faults;
	if (shows[CT_MEETING_DOUBLE_COPY]) {
		c->last_copies++;
		c->last_ns += g->last_ns;
	}
}

static int compare(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int kind_order(const void *a, const void *b)
{
	const struct ct_met_kind *x = a, *y = b;
	int order = compare(y->met.count, x->met.count);

	if (!order)
		order = compare(y->alone.count, x->alone.count);
	return order ? order : memcmp(x, y, offsetof(struct ct_met_kind, met));
}

static int locked_order(const void *a, const void *b)
{
	const struct ct_found_locked *x = a, *y = b;
	int order = compare(y->faults, x->faults);

	return order ? order : memcmp(x, y, 3);
}

static int pair_order(const void *a, const void *b)
{
	const struct ct_met_pair *x = a, *y = b;
	int order = compare(y->pairs, x->pairs);

	if (!order)
		order = compare(x->a, y->a);
	return order ? order : compare(x->b, y->b);
}

static int place_order(const void *a, const void *b)
{
	const struct ct_met_place *x = a, *y = b;
	int order = compare(y->faults, x->faults);

	if (!order)
		order = compare(x->process, y->process);
	if (!order)
		order = compare(x->address, y->address);
	return order ? order : compare(x->site, y->site);
}

static void sort(void *array, size_t n, size_t size, int (*order)(const void *, const void *))
{
	if (n)
		qsort(array, n, size, order);
}

void ct_count_end(struct ct_contention *c)
{
	sort(c->kinds, c->nr_kinds, sizeof(*c->kinds), kind_order);
	sort(c->locked, c->nr_locked, sizeof(*c->locked), locked_order);
	sort(c->pairs, c->nr_pairs, sizeof(*c->pairs), pair_order);
	sort(c->sites, c->nr_sites, sizeof(*c->sites), place_order);
	sort(c->pages, c->nr_pages, sizeof(*c->pages), place_order);
}
