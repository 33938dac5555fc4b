// SPDX-License-Identifier: GPL-2.0
#include "patterns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "explain_parts.h"

static enum ct_order_class order_class(const struct cowtrace_record *r)
{
	if (!r->order)
		return CT_ORDER_PAGE;
	if (r->order < COWTRACE_PMD_ORDER)
		return CT_ORDER_PART;
	return r->order == COWTRACE_PMD_ORDER ? CT_ORDER_PMD : CT_ORDER_MORE;
}

static bool same_counts(const struct cowtrace_record *a, const struct cowtrace_record *b)
{
	return a->refcount == b->refcount && a->mapcount == b->mapcount &&
	       a->folio_mapcount == b->folio_mapcount && a->pincount == b->pincount &&
	       a->evidence == b->evidence;
}

static void count(struct ct_patterns *all, struct ct_pattern *p, const struct cowtrace_record *r)
{
	uint64_t bytes = (uint64_t)cowtrace_copied_pages(r) * all->page_size;

	if (!p->faults || r->refcount < p->min_refs)
		p->min_refs = r->refcount;
	if (!p->faults || r->refcount > p->max_refs)
		p->max_refs = r->refcount;
	p->faults++;
	p->bytes = ct_add(p->bytes, bytes);
	p->ns += r->duration_ns;
	for (unsigned int bit = 0; bit < 16; bit++)
		p->flagged[bit] += r->evidence >> bit & 1;
	all->faults++;
	all->bytes = ct_add(all->bytes, bytes);
	all->ns += r->duration_ns;
	/* Boyer and Moore: what most of them are outvotes all others. */
	if (!p->votes)
		p->example = *r;
	if (same_counts(&p->example, r))
		p->votes++;
	else
		p->votes--;
}

int ct_patterns_add(struct ct_patterns *all, const struct cowtrace_record *r)
{
	enum ct_order_class order = order_class(r);
	struct ct_pattern *p;
	enum ct_need need;
	const char *words;
	struct ct_walk walk;
	uint32_t states;
	uint64_t key;

	ct_steps_walk(r, all->traits, &walk);
	need = ct_explain_need(r, all->traits, &words);
	states = r->state & (walk.looked_at | COWTRACE_AFTER_SPLIT);
	key = (uint64_t)r->path << 56 | (uint64_t)r->outcome << 48 | (uint64_t)r->reason << 40 |
	      (uint64_t)r->kind << 32 | (uint64_t)r->origin << 24 |
	      (walk.decided & 0xff) << 16 | order << 8 | need << 4 |
	      ct_shared_mapping(r, all->traits) << 1 | cowtrace_is_unshare_(r);
	p = CT_ELEMENT(&all->place, key, states, all->patterns, &all->nr);
	if (!p)
		return -ENOMEM;
	p->order = order;
	p->need = need;
	p->states = states;
	count(all, p, r);
	return 0;
}

static int more(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int by_faults(const void *one, const void *other)
{
	const struct ct_pattern *a = one, *b = other;

	return more(a->faults, b->faults) ?: more(a->ns, b->ns) ?:
	       memcmp(&a->example, &b->example, sizeof(a->example));
}

static int by_time(const void *one, const void *other)
{
	const struct ct_pattern *a = one, *b = other;

	return more(a->ns, b->ns) ?: by_faults(a, b);
}

static int by_bytes(const void *one, const void *other)
{
	const struct ct_pattern *a = one, *b = other;

	return more(a->bytes, b->bytes) ?: by_faults(a, b);
}

void ct_patterns_sort(struct ct_patterns *all, enum ct_pattern_order order)
{
	static int (* const compare[])(const void *, const void *) = {
		[CT_BY_FAULTS] = by_faults, [CT_BY_TIME] = by_time, [CT_BY_BYTES] = by_bytes,
	};

	if (all->nr)
		qsort(all->patterns, all->nr, sizeof(*all->patterns), compare[order]);
	/* Places have changed: nothing can be added any more. */
	ct_map_free(&all->place);
}

void ct_patterns_free(struct ct_patterns *all)
{
	free(all->patterns);
	ct_map_free(&all->place);
	memset(all, 0, sizeof(*all));
}
