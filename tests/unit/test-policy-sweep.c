// SPDX-License-Identifier: GPL-2.0
/*
 * Each policy against the kernel's own steps (steps.h), over every page that can
 * be (worlds.h): it answers what the kernel does with all pages that look like the
 * sample, and is undetermined where the kernel does not do the same with all.
 */
#include "worlds.h"
#include "tap.h"

enum claim { TRUE_OF_ALL, NOTHING_LOST, STEP_TAKEN, CAUSE_DECIDES, NOT_ASKED, NR_CLAIMS };

static const char * const claims[] = {
	[TRUE_OF_ALL] = "what a policy answers, its kernel does with every page that looks so",
	[NOTHING_LOST] = "what its kernel does with every page that looks so, a policy answers",
	[STEP_TAKEN] = "the step is one at which the kernel decides about such a page",
	[CAUSE_DECIDES] = "to know what the cause names would settle the answer or narrow it",
	[NOT_ASKED] = "only who unshares pages is asked about an unshare",
};

static uint64_t samples, broken[NR_CLAIMS][NR_ASKED], untrue, all_broken;

/* --- what is undetermined though all pages agree ---------------------------- */

enum excuse { NO_EXCUSE, MOVED, DEVICE, ONE_OF_TWO, UNCOUNTED, SLOTS, NR_EXCUSES };

static const char * const excuses[] = {
	[MOVED] = "of counts that moved nothing but the mappings is believed",
	[DEVICE] = "what 5.10 did to a huge page under writeback does not tell of its device",
	[UNCOUNTED] = "what references of a large folio can be mappings is not tried out",
	[ONE_OF_TWO] = "a copy was made for batch, lock or slot: each would forbid the reuse again",
	[SLOTS] = "which other page of a large folio has the entries is not tried out",
};

static uint64_t excused[NR_EXCUSES];

static enum excuse excuse_of(const struct view *v, const struct seen *s, enum cowtrace_cause cause)
{
	if (v->unstable)
		return MOVED;
	if (v->path == COWTRACE_PATH_PMD && v->kernel == V5_10 && (s->state & WB))
		return DEVICE;
	if (((s->state & LOCKED) || cause == COWTRACE_CAUSE_BATCH) &&
	    (s->outcome == COWTRACE_OUTCOME_COPY || s->outcome == COWTRACE_OUTCOME_UNSHARE))
		return ONE_OF_TWO;
	if (cause == COWTRACE_CAUSE_MAPPINGS && !(s->present & COWTRACE_HAS_FOLIO_MAPCOUNT))
		return UNCOUNTED;
	if (cause == COWTRACE_CAUSE_SWAPCOUNT && v->order && v->path == COWTRACE_PATH_PTE)
		return SLOTS;
	return NO_EXCUSE;
}

/* --- one sample ------------------------------------------------------------- */

static const char *name_of(enum asked a)
{
	static const char * const names[] = {
		"mapcount", "refcount", "swapcache", "exclusive", "large-exclusive", "minimal",
		"exclusive (5.19)", "exclusive (6.8)",
	};

	return names[a];
}

static void describe(const struct view *v, const struct page *p, enum asked a,
		     struct cowtrace_prediction got)
{
	const struct seen *s = &p->seen;
	const struct world *w = &p->world;
	int i;

	note("  %s of a sample of %s: answer %u reason %u cause %u step %u", name_of(a),
	     kernels[v->kernel].name, got.answer, got.reason, got.cause, got.step);
	note("  path %u kind %u order %u unshare %u moved %u raced %u given %u%u%u", v->path,
	     v->kind, v->order, v->unshare, v->unstable, v->raced, v->swapcount, v->exits, v->here);
	note("  sample: outcome %u state %#x refs %d maps %u/%d here %u entries %u pins %u",
	     s->outcome, s->state, s->refcount, s->mapcount, s->folio_mapcount, s->mapped_here,
	     s->swapcount, s->pincount);
	note("  page: maps %u entries %u cached %u wb %u stable %u batch %u lock %u plain %u",
	     w->more_maps, w->entries, w->cached, w->writeback, w->stable, w->batch, w->lock,
	     w->plain);
	note("  pins %u taken %u mark %u later %u stuck %u", w->pins, w->taken, w->mark, w->later,
	     w->stuck);
	for (i = 0; i < NR_OTHERS; i++)
		if (w->others[i])
			note("  others %d: %u", i, w->others[i]);
}

static void expect(enum claim claim, enum asked a, bool good, const struct view *v,
		   const struct page *p, struct cowtrace_prediction got, unsigned int wanted)
{
	all_broken += !good;
	if (good || broken[claim][a]++)
		return;
	note("not so: %s; wanted %u", claims[claim], wanted);
	describe(v, p, a, got);
}

/* What the page has of that which the cause says is not known. */
static int64_t named_by(enum cowtrace_cause cause, const struct world *w)
{
	switch (cause) {
	case COWTRACE_CAUSE_EXCLUSIVE:
		return w->mark;
	case COWTRACE_CAUSE_SWAPCOUNT:
		return w->entries * 64 + total_swapcount(w);
	case COWTRACE_CAUSE_STABLE:
		return w->stable;
	case COWTRACE_CAUSE_BATCH:
		return w->batch;
	case COWTRACE_CAUSE_LOCK:
		return w->lock;
	case COWTRACE_CAUSE_MAPPINGS:
		return map_swapcount(w) * 4096 + large_mapcount(w);
	case COWTRACE_CAUSE_MMS:
		return in_other_mm(w);
	case COWTRACE_CAUSE_PINNED:
	case COWTRACE_CAUSE_REFERENCE:
		return w->taken;
	case COWTRACE_CAUSE_MOVED:
		return page_count(w);
	default:
		return 0;
	}
}

/* Is there a value of it with which fewer answers are left? */
static bool decides(enum cowtrace_cause cause, enum asked a, size_t first, size_t end,
		    uint8_t all)
{
	size_t i, k;

	if (cause == COWTRACE_CAUSE_RELEASE)
		return a == ASK_EXCLUSIVE;
	for (i = first; i < end; i++) {
		int64_t value = named_by(cause, &pages[i].world);
		uint8_t left = 0;

		for (k = first; k < end && left != all; k++)
			if (named_by(cause, &pages[k].world) == value)
				left |= pages[k].answers[a];
		if (left != all)
			return true;
	}
	return false;
}

static void check_answer(enum asked a, const struct view *v, const struct cowtrace_facts *known,
			 size_t first, size_t end)
{
	const struct page *p = &pages[first];
	struct cowtrace_facts f = *known;
	struct cowtrace_prediction got;
	uint8_t answers = 0;
	uint32_t steps = 0;
	size_t i;

	if (a >= ASK_COUNTED)
		f.large_copied = a == ASK_COPIED;
	got = cowtrace_predict(policy_of(a), &f);
	if (v->unshare && policy_of(a) < COWTRACE_POLICY_EXCLUSIVE) {
		expect(NOT_ASKED, a, got.answer == COWTRACE_ANSWER_NONE, v, p, got, 0);
		return;
	}
	for (i = first; i < end; i++) {
		answers |= pages[i].answers[a];
		steps |= pages[i].steps[a];
	}
	if (got.answer == COWTRACE_ANSWER_UNDETERMINED) {
		enum excuse excuse = answers == (REUSES | COPIES) ? NO_EXCUSE :
				     excuse_of(v, &p->seen, got.cause);

		excused[excuse]++;
		if (excuse)
			return;
		expect(NOTHING_LOST, a, answers == (REUSES | COPIES), v, p, got, answers);
		if (answers == (REUSES | COPIES))
			expect(CAUSE_DECIDES, a,
			       v->unstable || decides(got.cause, a, first, end, answers), v, p,
			       got, 0);
	} else {
		expect(TRUE_OF_ALL, a, got.answer == answers, v, p, got, answers);
	}
	expect(STEP_TAKEN, a, v->unstable || (steps & 1u << got.step), v, p, got, steps);
}

static bool count_fits(int32_t known, int count)
{
	return known == COWTRACE_NOT_KNOWN || (known ? count >= known : !count);
}

static bool fits(int8_t known, bool is)
{
	return known == COWTRACE_NOT_KNOWN || known == is;
}

/* Is what the facts claim so with this page? */
static bool is_so(const struct cowtrace_facts *f, const struct world *w)
{
	return count_fits(f->swapcount, w->entries) &&
	       count_fits(f->folio_swapcount, total_swapcount(w)) &&
	       (f->folio_mapcount == COWTRACE_NOT_KNOWN ||
		f->folio_mapcount == large_mapcount(w)) &&
	       fits(f->exclusive, w->mark) && fits(f->mm_shared, in_other_mm(w) || w->stuck) &&
	       fits(f->elsewhere, large_mapcount(w) > mapped_here(w)) &&
	       fits(f->drains, w->batch == OWN_BATCH) &&
	       /* For a huge page the kernel waits until the lock is let go. */
	       (w->path != COWTRACE_PATH_PTE || fits(f->locked, w->lock == HELD));
}

static void check_facts(const struct view *v, const struct cowtrace_facts *f, size_t first,
			size_t end)
{
	static const struct cowtrace_prediction none;
	size_t i;

	for (i = first; i < end; i++) {
		if (is_so(f, &pages[i].world))
			continue;
		all_broken++;
		if (untrue++)
			continue;
		note("facts: exclusive %d swapcount %d/%d mapcount %d", f->exclusive,
		     f->swapcount, f->folio_swapcount, f->folio_mapcount);
		note("  elsewhere %d mms %d drains %d locked %d", f->elsewhere, f->mm_shared,
		     f->drains, f->locked);
		describe(v, &pages[i], ASK_MAPCOUNT, none);
	}
}

static void check_sample(const struct view *v, size_t first, size_t end)
{
	/* A count that moved may be any. */
	static const int32_t refcounts[] = { 1, 3, 5, 1030 };
	size_t i, n = v->unstable ? sizeof(refcounts) / sizeof(*refcounts) : 1;
	int a;

	for (i = 0; i < n; i++) {
		struct cowtrace_record r = record_seen(&pages[first].seen, v, refcounts[i]);
		struct cowtrace_facts f = cowtrace_facts(&r, kernels[v->kernel].traits);

		samples++;
		check_facts(v, &f, first, end);
		for (a = 0; a < NR_ASKED; a++)
			check_answer(a, v, &f, first, end);
	}
}

static void check_view(const struct view *v)
{
	size_t first, end;

	make_pages(v);
	for (first = 0; first < nr_pages_made; first = end) {
		end = look_alikes(first);
		check_sample(v, first, end);
	}
}

int main(void)
{
	uint64_t worlds = 0;
	struct view v;
	int c, a, i;

	/* What is broken is told at once. */
	for (i = 0; !all_broken && next_view(i, &v); i++) {
		check_view(&v);
		worlds += nr_pages_made;
	}
	ok(!untrue, "what the facts claim is so with every page that looks so");
	for (c = 0; c < NR_CLAIMS; c++)
		for (a = 0; a < NR_ASKED; a++)
			if (c != NOT_ASKED || policy_of(a) < COWTRACE_POLICY_EXCLUSIVE)
				ok(!broken[c][a], "%s: %s", name_of(a), claims[c]);
	for (i = MOVED; i < NR_EXCUSES; i++)
		ok(excused[i], "undetermined, and it has to be said why: %s", excuses[i]);
	note("%lu pages, %lu samples", (unsigned long)worlds, (unsigned long)samples);
	return tap_end();
}
