// SPDX-License-Identifier: GPL-2.0
#include "steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cowtrace/decision.h>

#include "count.h"

static bool is_reuse(const struct cowtrace_record *r)
{
	return r->outcome == COWTRACE_OUTCOME_REUSE;
}

static bool fits(const struct ct_step *step, const struct cowtrace_record *r)
{
	return step->size == CT_SIZE_ANY || (step->size == CT_SIZE_LARGE) == !!r->order;
}

/* Is the step asked of such a page? */
static bool applies(const struct ct_step *step, const struct cowtrace_record *r)
{
	if (!fits(step, r))
		return false;
	switch (step->ask) {
	case CT_ASK_UFFD:
		return !cowtrace_is_unshare_(r);
	case CT_ASK_DRAIN:
		return !(r->state & COWTRACE_PG_LRU);
	case CT_ASK_SWAP:
		return r->state & COWTRACE_PG_SWAPCACHE;
	case CT_ASK_LOCK:
		return step->size != CT_SIZE_LARGE || r->state & COWTRACE_PG_SWAPCACHE;
	default:
		return true;
	}
}

static bool is_shared(const struct cowtrace_record *r, uint32_t traits)
{
	if (r->path == COWTRACE_PATH_HUGETLB)
		return r->vm_flags & COWTRACE_VM_MAYSHARE;
	return r->path == COWTRACE_PATH_PTE && cowtrace_is_shared(r, traits);
}

static bool waits_for_uffd(const struct cowtrace_record *r)
{
	return (r->state & COWTRACE_PTE_UFFD_WP) && !(r->state & COWTRACE_EXIT_UFFD_ASYNC) &&
	       (r->path == COWTRACE_PATH_HUGETLB || r->vm_flags & COWTRACE_VM_UFFD_WP);
}

/* --- which step decided ------------------------------------------------------ */

static bool has_name(const struct ct_step *step, const char *name)
{
	for (size_t i = 0; i < CT_STEP_NAMES && step->names[i]; i++)
		if (!strcmp(step->names[i], name))
			return true;
	return false;
}

static size_t step_of(const struct ct_walk *w, const struct cowtrace_record *r, enum ct_ask ask)
{
	for (size_t i = 0; i < w->steps.nr; i++)
		if (w->steps.steps[i].ask == ask && applies(&w->steps.steps[i], r))
			return i;
	return CT_STEP_NONE;
}

/* The same test may be made several times: of a copy the count tells which it was. */
static bool is_that_test(const struct ct_step *step, const struct cowtrace_decision *d)
{
	if (d->value <= d->limit)
		return false;
	if (step->ask == CT_ASK_FIRST_COUNT)
		return d->limit == COWTRACE_FIRST_LIMIT_;
	return step->ask == CT_ASK_LARGE_COUNT ||
	       (step->ask == CT_ASK_COUNT && d->limit != COWTRACE_FIRST_LIMIT_);
}

/* The step that cowtrace_decision() names. */
static size_t named_step(const struct ct_walk *w, const struct cowtrace_record *r,
			 const struct cowtrace_decision *d)
{
	uint8_t way = is_reuse(r) ? CT_WAY_REUSE : CT_WAY_COPY;
	size_t last = CT_STEP_NONE, that = CT_STEP_NONE;
	unsigned int found = 0;

	for (size_t i = 0; i < w->steps.nr; i++) {
		const struct ct_step *step = &w->steps.steps[i];

		if (!(step->ways & way) || !applies(step, r) || !has_name(step, d->test))
			continue;
		last = i;
		found++;
		if (that == CT_STEP_NONE && is_that_test(step, d))
			that = i;
	}
	return found < 2 || is_reuse(r) ? last : that;
}

/* What mapping and page alone settle, whatever came of it. */
static size_t branch_step(const struct ct_walk *w, const struct cowtrace_record *r,
			  uint32_t traits)
{
	bool coded = traits & COWTRACE_TRAIT_RET_WRITE;

	if (r->outcome == COWTRACE_OUTCOME_UFFD)
		return step_of(w, r, CT_ASK_UFFD);
	if (r->path == COWTRACE_PATH_PMD) {
		if (r->kind == COWTRACE_KIND_ZERO)
			return step_of(w, r, CT_ASK_HUGE_ZERO);
		return step_of(w, r, r->outcome == COWTRACE_OUTCOME_RACED ? CT_ASK_PMD :
									    CT_NR_ASKS);
	}
	if (!cowtrace_is_unshare_(r) && is_shared(r, traits) &&
	    !(coded && r->path == COWTRACE_PATH_PTE))
		return step_of(w, r, CT_ASK_SHARED);
	if (r->path != COWTRACE_PATH_PTE)
		return CT_STEP_NONE;
	switch (r->kind) {
	case COWTRACE_KIND_ZERO:
	case COWTRACE_KIND_SPECIAL:
		return step_of(w, r, CT_ASK_PAGE);
	case COWTRACE_KIND_FILE:
		return step_of(w, r, CT_ASK_ANON);
	case COWTRACE_KIND_KSM:
		return step_of(w, r, CT_ASK_KSM);
	case COWTRACE_KIND_ANON:
		return r->order && (traits & COWTRACE_TRAIT_LARGE_COPY) &&
		       !(r->state & COWTRACE_PG_EXCLUSIVE) ? step_of(w, r, CT_ASK_LARGE) :
							     CT_STEP_NONE;
	default:
		return CT_STEP_NONE;
	}
}

/* --- what became of the fault at each ---------------------------------------- */

/* What the sample settles for good: it was taken under the lock of the PTE. */
static bool surely_passed(const struct ct_step *step, const struct cowtrace_record *r,
			  uint32_t traits)
{
	switch (step->ask) {
	case CT_ASK_UFFD:
		return !waits_for_uffd(r);
	case CT_ASK_SHARED:
		return !is_shared(r, traits);
	case CT_ASK_PAGE:
	case CT_ASK_LARGE:
		return r->present & COWTRACE_HAS_PAGE && !r->order;
	case CT_ASK_ANON:
		return r->state & COWTRACE_PG_ANON;
	case CT_ASK_EXCLUSIVE:
		/* Such a page is never copied; a PMD was sampled without its lock. */
		return ct_took_away(r->outcome) ||
		       (r->path == COWTRACE_PATH_PTE && !(r->state & COWTRACE_PG_EXCLUSIVE));
	case CT_ASK_KSM:
		return !(r->state & COWTRACE_PG_KSM);
	case CT_ASK_HUGE_ZERO:
		return r->kind == COWTRACE_KIND_THP;
	case CT_ASK_PMD:
		return ct_took_away(r->outcome) || is_reuse(r);
	default:
		return false;
	}
}

static void fill_open(struct ct_walk *w, const struct cowtrace_record *r, uint32_t traits)
{
	bool open = false;

	for (size_t i = 0; i < w->steps.nr; i++) {
		const struct ct_step *step = &w->steps.steps[i];

		if (!applies(step, r)) {
			w->state[i] = CT_STEP_SKIPPED;
			continue;
		}
		open = open || !surely_passed(step, r, traits);
		w->state[i] = open ? CT_STEP_OPEN : CT_STEP_PASSED;
	}
}

/* Whether lock or swap cache decided does not show: the count was too high either way. */
static bool may_have_decided(const struct ct_walk *w, size_t i)
{
	return w->steps.steps[w->decided].ask == CT_ASK_LARGE_COUNT &&
	       (w->steps.steps[i].ask == CT_ASK_LOCK || w->steps.steps[i].ask == CT_ASK_SWAP);
}

static enum ct_step_state after_decision(const struct ct_walk *w,
					 const struct cowtrace_record *r, size_t i)
{
	const struct ct_step *decided = &w->steps.steps[w->decided];

	if (is_reuse(r) && decided->ask != CT_ASK_EXCLUSIVE)
		return applies(&w->steps.steps[i], r) ? CT_STEP_PASSED : CT_STEP_SKIPPED;
	/* A slot that stays is told by the count that is looked at next. */
	if (ct_took_away(r->outcome) && decided->ask == CT_ASK_SWAP && i == w->decided + 1)
		return CT_STEP_FOLLOWED;
	return CT_STEP_NOT_REACHED;
}

static void fill_decided(struct ct_walk *w, const struct cowtrace_record *r)
{
	for (size_t i = 0; i < w->steps.nr; i++) {
		if (i == w->decided)
			w->state[i] = CT_STEP_DECIDED;
		else if (i > w->decided)
			w->state[i] = after_decision(w, r, i);
		else if (!applies(&w->steps.steps[i], r))
			w->state[i] = CT_STEP_SKIPPED;
		else
			w->state[i] = may_have_decided(w, i) ? CT_STEP_OPEN : CT_STEP_PASSED;
	}
}

void ct_steps_walk(const struct cowtrace_record *r, uint32_t traits, struct ct_walk *w)
{
	struct cowtrace_decision d = cowtrace_decision(r, traits);

	memset(w, 0, sizeof(*w));
	w->steps = ct_steps(ct_generation(traits), r->path);
	w->decided = d.test ? named_step(w, r, &d) : branch_step(w, r, traits);
	if (w->decided == CT_STEP_NONE)
		fill_open(w, r, traits);
	else
		fill_decided(w, r);
	for (size_t i = 0; i < w->steps.nr; i++)
		if (w->state[i] != CT_STEP_NOT_REACHED && fits(&w->steps.steps[i], r))
			w->looked_at |= w->steps.steps[i].states;
}

const char *ct_step_state_name(enum ct_step_state state)
{
	static const char * const names[CT_NR_STEP_STATES] = {
		[CT_STEP_PASSED]	= "passed",
		[CT_STEP_DECIDED]	= "decided",
		[CT_STEP_FOLLOWED]	= "followed",
		[CT_STEP_OPEN]		= "open",
		[CT_STEP_SKIPPED]	= "skipped",
		[CT_STEP_NOT_REACHED]	= "not-reached",
	};

	return names[state];
}

/* --- what the sample has for it ---------------------------------------------- */

#define SAY(...)	snprintf(to, CT_FOUND_TEXT, __VA_ARGS__)

static int32_t allowed(const struct cowtrace_record *r, uint32_t traits)
{
	return r->path == COWTRACE_PATH_PMD ? cowtrace_pmd_tolerated_(r) :
					      cowtrace_tolerated_(r, traits);
}

static void found_count(char *to, const struct cowtrace_record *r, uint32_t traits, bool recheck)
{
	if (!(r->present & COWTRACE_HAS_PAGE))
		return;
	if (!recheck)
		SAY("%d sampled, a reuse allows %d", r->refcount, allowed(r, traits));
	else if (is_reuse(r))
		SAY("so that the mapping's reference was left (%d sampled before)", r->refcount);
	else
		SAY("%d sampled before", r->refcount);
}

static void found_swap(char *to, const struct cowtrace_record *r, enum ct_step_state state)
{
	if (is_reuse(r))
		SAY("in the swap cache, which let it go");
	else if (state != CT_STEP_DECIDED)
		SAY("in the swap cache");
	else if (r->state & COWTRACE_PG_WRITEBACK)
		SAY("being written to swap, so its slot was not freed");
	else if (r->present & COWTRACE_HAS_SWAPCOUNT && r->swapcount)
		SAY("in the swap cache, its slot has %u more user%s%s", r->swapcount,
		    r->swapcount == 1 ? "" : "s",
		    r->swapcount == COWTRACE_SWAPCOUNT_MAX ? " at least" : "");
	else
		SAY("in the swap cache, its slot was not freed");
}

static void found_mapcount(char *to, const struct cowtrace_record *r)
{
	if (!(r->present & COWTRACE_HAS_PAGE))
		return;
	if (r->path == COWTRACE_PATH_PMD)
		SAY("%d mappings of its pages sampled, swap entries are not", r->folio_mapcount);
	else
		SAY("%d sampled, %s", r->mapcount,
		    r->state & COWTRACE_PG_ANON ? "anonymous" : "a page of the file");
}

static void found_large(char *to, const struct cowtrace_record *r, enum ct_ask ask)
{
	if (!(r->present & COWTRACE_HAS_FOLIO_MAPCOUNT))
		return;
	if (ask == CT_ASK_LARGE_MAPPED)
		SAY("%d mappings of its %d pages sampled", r->folio_mapcount,
		    cowtrace_folio_pages(r));
	else
		SAY("%d mappings, %d references sampled", r->folio_mapcount, r->refcount);
}

static void found_anon(char *to, const struct cowtrace_record *r, uint32_t traits)
{
	if (r->state & COWTRACE_PG_ANON)
		SAY("anonymous");
	else if (!cowtrace_is_unshare_(r) && is_shared(r, traits))
		SAY("a page of a file, in a shared writable mapping");
	else
		SAY("a page of a file, in a private mapping");
}

static void found_page(char *to, const struct cowtrace_record *r)
{
	if (r->kind == COWTRACE_KIND_ZERO)
		SAY("none: the zero page");
	else if (r->kind == COWTRACE_KIND_SPECIAL)
		SAY("none: memory without a struct page");
	else if (r->present & COWTRACE_HAS_PAGE)
		SAY("page frame 0x%" PRIx64, (uint64_t)r->pfn);
}

static void found_uffd(char *to, const struct cowtrace_record *r)
{
	if (waits_for_uffd(r))
		SAY("write-protected by userfaultfd");
	else if (r->state & COWTRACE_EXIT_UFFD_ASYNC)
		SAY("write-protected, but userfaultfd lets writes pass (async)");
	else
		SAY("not protected");
}

void ct_step_found(char *to, const struct cowtrace_record *r, uint32_t traits,
		   const struct ct_walk *w, size_t i)
{
	enum ct_ask ask = w->steps.steps[i].ask;

	*to = '\0';
	switch (ask) {
	case CT_ASK_UFFD:
		found_uffd(to, r);
		return;
	case CT_ASK_PAGE:
		found_page(to, r);
		return;
	case CT_ASK_SHARED:
		SAY("a %s mapping", is_shared(r, traits) ? "shared" : "private");
		return;
	case CT_ASK_ANON:
		if (r->present & COWTRACE_HAS_PAGE)
			found_anon(to, r, traits);
		return;
	case CT_ASK_EXCLUSIVE:
		if (r->present & COWTRACE_HAS_PAGE)
			SAY(r->state & COWTRACE_PG_EXCLUSIVE ? "set" : "not set");
		return;
	case CT_ASK_LARGE:
		SAY(r->order ? "a folio of %d pages" : "a folio of one page",
		    cowtrace_folio_pages(r));
		return;
	case CT_ASK_KSM:
		SAY(r->state & COWTRACE_PG_KSM ? "merged by KSM" : "not merged");
		return;
	case CT_ASK_FIRST_COUNT:
		if (r->present & COWTRACE_HAS_PAGE)
			SAY("%d sampled", r->refcount);
		return;
	case CT_ASK_DRAIN:
		SAY("on no LRU list: the batches of this CPU are drained");
		return;
	case CT_ASK_COUNT:
	case CT_ASK_RECHECK:
		found_count(to, r, traits, ask == CT_ASK_RECHECK);
		return;
	case CT_ASK_LOCK:
		SAY("%s when sampled", r->state & COWTRACE_PG_LOCKED ? "locked" : "not locked");
		return;
	case CT_ASK_SWAP:
		found_swap(to, r, w->state[i]);
		return;
	case CT_ASK_MM_IDS:
		SAY(r->state & COWTRACE_PG_MM_SHARED ? "set" : "not set");
		return;
	case CT_ASK_LARGE_MAPPED:
	case CT_ASK_LARGE_COUNT:
	case CT_ASK_LARGE_RECHECK:
		found_large(to, r, ask);
		return;
	case CT_ASK_HUGE_ZERO:
		SAY(r->kind == COWTRACE_KIND_ZERO ? "the huge zero page" : "a huge page");
		return;
	case CT_ASK_PMD:
		if (w->state[i] != CT_STEP_OPEN)
			SAY(w->state[i] == CT_STEP_DECIDED ? "it had changed" : "unchanged");
		return;
	case CT_ASK_MAPCOUNT:
		found_mapcount(to, r);
		return;
	case CT_NR_ASKS:
		return;
	}
}
