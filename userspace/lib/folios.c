// SPDX-License-Identifier: GPL-2.0
#include "folios.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_(name, word, sentence)	word,
#define SENTENCE_(name, word, sentence)	sentence,
const char * const ct_folio_share_names[CT_NR_FOLIO_SHARES] = { CT_FOLIO_SHARES(NAME_) };
const char * const ct_folio_share_sentences[CT_NR_FOLIO_SHARES] = { CT_FOLIO_SHARES(SENTENCE_) };

#define SET_BITS	12
#define SETS		(1u << SET_BITS)
#define WAYS		4u
#define MAX_PAGES	(1u << CT_FOLIO_MAX_ORDER)

/**
 * struct folio - of a process, while it may go on
 * @head: its first page frame.
 * @base: where the process has it.
 * @last: when it was seen last, counted in records; 0 for a free place.
 * @tgid: the process.
 * @copied: pages copied.
 * @order: of the folio.
 * @split: a fault of the process split its PMD.
 * @pages: those that were copied, a bit each.
 */
struct folio {
	uint64_t	head;
	uint64_t	base;
	uint64_t	last;
	uint32_t	tgid;
	uint16_t	copied;
	uint8_t		order;
	bool		split;
	uint64_t	pages[MAX_PAGES / 64];
};

struct ct_folio_table {
	uint64_t	page_size;
	uint64_t	now;
	struct folio	sets[SETS][WAYS];
};

struct ct_folios *ct_folios_new(uint64_t page_size)
{
	struct ct_folios *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->table = calloc(1, sizeof(*f->table));
	if (!f->table) {
		free(f);
		return NULL;
	}
	f->table->page_size = page_size;
	return f;
}

void ct_folios_free(struct ct_folios *f)
{
	if (!f)
		return;
	free(f->table);
	free(f);
}

static enum ct_folio_share share_of(const struct folio *it)
{
	unsigned int pages = 1u << it->order;

	if (!it->copied)
		return CT_FOLIO_NONE;
	if (it->copied == pages)
		return CT_FOLIO_WHOLE;
	if (it->copied * 4u <= pages)
		return CT_FOLIO_QUARTER;
	return it->copied * 2u <= pages ? CT_FOLIO_HALF : CT_FOLIO_PART;
}

static void finish(struct ct_folios *f, struct folio *it)
{
	struct ct_folio_order *o = &f->orders[it->order];

	if (!it->last)
		return;
	o->folios++;
	o->split += it->split;
	o->shares[share_of(it)]++;
	memset(it, 0, sizeof(*it));
}

void ct_folios_end(struct ct_folios *f)
{
	unsigned int i, way;

	for (i = 0; i < SETS; i++)
		for (way = 0; way < WAYS; way++)
			finish(f, &f->table->sets[i][way]);
}

/* Its place, or that of the one which was not seen for the longest time. */
static struct folio *place(struct ct_folio_table *t, uint64_t head, uint32_t tgid)
{
	/* Fibonacci hashing, as the kernel's hash_64(). */
	uint64_t hash = (head ^ (uint64_t)tgid << 32) * 0x61C8864680B583EBull;
	struct folio *set = t->sets[hash >> (64 - SET_BITS)], *oldest = set;
	unsigned int way;

	for (way = 0; way < WAYS; way++) {
		if (set[way].last && set[way].head == head && set[way].tgid == tgid)
			return &set[way];
		if (set[way].last < oldest->last)
			oldest = &set[way];
	}
	return oldest;
}

static bool is_copied(const struct folio *it, unsigned int page)
{
	return it->pages[page / 64] >> page % 64 & 1;
}

/* Where the process has the first page: a split is of the whole folio, and aligned as it is. */
static uint64_t base_of(const struct ct_folio_table *t, const struct cowtrace_record *r,
			unsigned int page, bool split)
{
	if (split)
		return r->address & ~((t->page_size << r->order) - 1);
	return (r->address & ~(t->page_size - 1)) - page * t->page_size;
}

/* The folio of the record's page, a new one where what stood there is another. */
static struct folio *find(struct ct_folios *f, const struct cowtrace_record *r, unsigned int page,
			  bool split)
{
	struct ct_folio_table *t = f->table;
	uint64_t head = r->pfn - page, base = base_of(t, r, page, split);
	struct folio *it = place(t, head, r->tgid);

	if (it->head != head || it->tgid != r->tgid || it->base != base ||
	    it->order != r->order || split || is_copied(it, page))
		finish(f, it);
	it->head = head;
	it->tgid = r->tgid;
	it->base = base;
	it->order = r->order;
	it->last = ++t->now;
	return it;
}

/* Of the huge zero page nothing is left after its split. */
static bool is_split(const struct cowtrace_record *r)
{
	return r->path == COWTRACE_PATH_PMD && r->outcome == COWTRACE_OUTCOME_SPLIT &&
	       r->kind != COWTRACE_KIND_ZERO;
}

void ct_folios_take(struct ct_folios *f, const struct cowtrace_record *r)
{
	bool paged = r->path == COWTRACE_PATH_PTE, split = is_split(r);
	struct folio *it;
	unsigned int page;

	if ((!paged && !split) || !r->order || r->order >= CT_FOLIO_ORDERS)
		return;
	if (paged)
		ct_count_add(&f->orders[r->order].count, r,
			     ct_copied(r->outcome) ? f->table->page_size : 0);
	if (r->order > CT_FOLIO_MAX_ORDER)
		return;
	page = r->pfn & ((1u << r->order) - 1);
	it = find(f, r, page, split);
	if (split) {
		it->split = true;
	} else if (ct_copied(r->outcome)) {
		it->pages[page / 64] |= 1ull << page % 64;
		it->copied++;
	}
}
