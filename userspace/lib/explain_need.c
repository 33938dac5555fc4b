// SPDX-License-Identifier: GPL-2.0
/* Who held the page, and whether anybody else could have seen the write in it. */
#include <stdarg.h>
#include <stdio.h>

#include "count.h"
#include "explain_parts.h"

/* --- was it needed? ---------------------------------------------------------- */

/* Of a write, and of a read-only pin, which fears later ones. */
enum clause {
	BECAUSE_MAPPED, BECAUSE_PAGES, BECAUSE_ZERO, BECAUSE_FILE, BECAUSE_SPECIAL, BECAUSE_SLOT,
	BECAUSE_SWAPIN, ALTHOUGH_NOBODY, ALTHOUGH_UNMAPPED, NOT_SHOWN
};

static const char * const clauses[][2] = {
	[BECAUSE_MAPPED] = {
		"because other mappings of it would have seen the write",
		"because other mappings of it would see later writes" },
	[BECAUSE_PAGES] = {
		"because other mappings of its pages would have seen writes",
		"because other mappings of its pages would see later writes" },
	[BECAUSE_ZERO] = {
		"because the zero page is everybody's",
		"because the zero page is everybody's" },
	[BECAUSE_FILE] = {
		"because the file must not see the write",
		"because the file must not see later writes" },
	[BECAUSE_SPECIAL] = {
		"because that memory is not this process's own",
		"because that memory is not this process's own" },
	[BECAUSE_SLOT] = {
		"because a swap entry elsewhere still names it",
		"because a swap entry elsewhere still names it" },
	[BECAUSE_SWAPIN] = {
		"because do_swap_page() had just found it mapped or swapped elsewhere too",
		"because do_swap_page() had just found it mapped or swapped elsewhere too" },
	[ALTHOUGH_NOBODY] = {
		"although nobody else could see the write",
		"although nobody else could see a later write" },
	[ALTHOUGH_UNMAPPED] = {
		"although no other page table mapped it",
		"although no other page table mapped it" },
	[NOT_SHOWN] = {
		"and the record does not show whether anybody else could see the write",
		"and the record does not show whether anybody else could see a later write" },
};

/*
 * 5.10's do_swap_page() asks reuse_swap_page() before it calls do_wp_page(); but for
 * a page in writeback, only another mapping or swap entry lets it say no.
 */
static bool refused_at_swapin(const struct cowtrace_record *r, uint32_t traits)
{
	return !(traits & COWTRACE_TRAIT_EXCLUSIVE) && r->origin == COWTRACE_ORIGIN_SWAPIN &&
	       (r->state & COWTRACE_PG_SWAPCACHE) && !(r->state & COWTRACE_PG_WRITEBACK);
}

/*
 * From 5.18 the slot is freed unless it is in use, being written, or hibernation began.
 * Of a large folio that may be the slot of another of its pages.
 */
static bool slot_in_use(const struct cowtrace_record *r, uint32_t traits)
{
	if (r->present & COWTRACE_HAS_SWAPCOUNT)
		return r->swapcount;
	return (traits & COWTRACE_TRAIT_EXCLUSIVE) && !r->order &&
	       r->reason == COWTRACE_REASON_SWAPCACHE;
}

static bool nobody_else(const struct cowtrace_record *r, uint32_t traits)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);

	/* A page that is being migrated looks so, and has lost mappings that come back. */
	if (h.lru && r->state & COWTRACE_PG_LOCKED)
		return false;
	/* The swap cache is nobody, if its slot was seen to have no user. */
	return h.known && !h.pins && !h.unattributed &&
	       (!h.swapcache || r->present & COWTRACE_HAS_SWAPCOUNT) &&
	       !(r->evidence & (COWTRACE_EV_UNSTABLE | COWTRACE_EV_SHIFTED));
}

static enum clause clause_of(const struct cowtrace_record *r, uint32_t traits)
{
	switch (r->reason) {
	case COWTRACE_REASON_ZERO:
		return BECAUSE_ZERO;
	case COWTRACE_REASON_FILE:
		return BECAUSE_FILE;
	case COWTRACE_REASON_SPECIAL:
		return BECAUSE_SPECIAL;
	default:
		break;
	}
	if (!(r->present & COWTRACE_HAS_PAGE) || r->mapcount < 1)
		return NOT_SHOWN;
	if (r->mapcount > 1)
		return BECAUSE_MAPPED;
	if (r->path == COWTRACE_PATH_PMD && r->folio_mapcount > 1)
		return BECAUSE_PAGES;
	if (slot_in_use(r, traits))
		return BECAUSE_SLOT;
	if (refused_at_swapin(r, traits))
		return BECAUSE_SWAPIN;
	/* Who holds it by anything but a page table may have got it while it was shared. */
	return nobody_else(r, traits) ? ALTHOUGH_NOBODY : ALTHOUGH_UNMAPPED;
}

enum ct_need ct_explain_need(const struct cowtrace_record *r, uint32_t traits,
			     const char **words)
{
	enum clause clause;

	*words = "";
	if (!ct_took_away(r->outcome))
		return CT_NEED_NONE;
	clause = clause_of(r, traits);
	*words = clauses[clause][cowtrace_is_unshare_(r)];
	if (clause == ALTHOUGH_NOBODY)
		return CT_NEED_NO;
	return clause == ALTHOUGH_UNMAPPED || clause == NOT_SHOWN ? CT_NEED_OPEN : CT_NEED_YES;
}

/* --- the references ---------------------------------------------------------- */

struct text {
	char	*to;
	size_t	size, used;
};

__attribute__((format(printf, 2, 3)))
static void put(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->to + t->used, t->size - t->used, format, args);
	va_end(args);
	if (n > 0)
		t->used = t->used + n < t->size ? t->used + n : t->size - 1;
}

static void part(struct text *t, int32_t n, const char *one, const char *many)
{
	if (n)
		put(t, "%s%d %s", t->to[t->used - 1] == '=' ? " " : " + ", n, n == 1 ? one : many);
}

static void pins(struct text *t, const struct cowtrace_record *r, int32_t references)
{
	if (r->order || r->present & COWTRACE_HAS_PINCOUNT || references % COWTRACE_PIN_BIAS)
		part(t, references, "pin", "pins");
	else if (references)
		put(t, "%s%d of %d pin%s", t->to[t->used - 1] == '=' ? " " : " + ", references,
		    references / COWTRACE_PIN_BIAS,
		    references == COWTRACE_PIN_BIAS ? "" : "s");
}

static void unknown_sum(struct text *t, const struct cowtrace_record *r)
{
	if (r->kind == COWTRACE_KIND_ZERO)
		put(t, "the references of the zero page mean nothing");
	else if (!(r->present & COWTRACE_HAS_PAGE))
		put(t, "no references were sampled");
	else if (r->refcount < 0)
		put(t, "refcount %d makes no sense", r->refcount);
	else
		put(t, "refcount %d of all %d pages of the folio, %d mapping%s of this page, the rest not known",
		    r->refcount, cowtrace_folio_pages(r), r->mapcount, r->mapcount == 1 ? "" : "s");
}

void ct_explain_arithmetic(const struct cowtrace_record *r, uint32_t traits, char *to, size_t size)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);
	struct text t = { to, size, 0 };

	if (!h.known) {
		unknown_sum(&t, r);
		return;
	}
	put(&t, "refcount %d", h.total);
	if (r->order)
		put(&t, " of the folio");
	if (!h.total)
		return;
	put(&t, " =");
	part(&t, h.mappings, "mapping", "mappings");
	part(&t, h.swapcache, "swap cache", "swap cache");
	part(&t, h.pagecache, "page cache", "page cache");
	part(&t, h.lru, "LRU batch", "LRU batches");
	pins(&t, r, h.pins);
	part(&t, h.fault, "of the fault itself", "of the fault itself");
	part(&t, h.unattributed, "unattributed", "unattributed");
}
