// SPDX-License-Identifier: GPL-2.0
/* What must hold for the explanation of every fault that can occur. */
#include <string.h>

#include "explain.h"
#include "sample.h"
#include "tap.h"

#include <cowtrace/decision.h>

enum property {
	SENTENCE, BECAUSE, WORDS, DECISION, ONE_DECIDES, ORDER, VALUES, NEED_ASKED, NEED_NO,
	NEED_YES, SUM, RESTS, FLAGS, NR_PROPERTIES
};

static const char * const claims[] = {
	[SENTENCE] = "each verdict is one whole sentence that begins with the kernel",
	[BECAUSE] = "each outcome and reason has a clause for why",
	[WORDS] = "no text has a leftover of a format, a doubled space or a cut end",
	[DECISION] = "the step that decided is the one of cowtrace_decision()",
	[ONE_DECIDES] = "at most one step decided",
	[ORDER] = "what is before the decision was asked, what comes after a copy's was not",
	[VALUES] = "a step that was passed can be passed with the values sampled",
	[NEED_ASKED] = "whether it was needed is asked of copies and splits alone",
	[NEED_NO] = "a copy that nobody needed has one mapping and no holder that reads or writes",
	[NEED_YES] = "a copy that was needed names who could see the write",
	[SUM] = "the sum names each holder of the page",
	[RESTS] = "each explanation says what it rests on",
	[FLAGS] = "each doubtful flag of the evidence is told in words, and no other",
};

static uint64_t samples, broken[NR_PROPERTIES];
static struct cowtrace_record first[NR_PROPERTIES];
static char first_text[NR_PROPERTIES][768];
/* Which kernels gave which outcomes with which reasons. */
static bool seen[NR_KERNELS][COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];

static void expect(enum property p, bool good, const struct cowtrace_record *r, const char *text)
{
	if (good || broken[p]++)
		return;
	first[p] = *r;
	snprintf(first_text[p], sizeof(first_text[p]), "%s", text);
}

static bool whole(const char *text)
{
	size_t n = strlen(text);

	return !strchr(text, '%') && !strstr(text, "null") && !strstr(text, "  ") &&
	       !strstr(text, " ,") && !strstr(text, " :") &&
	       (!n || (text[n - 1] != ' ' && text[n - 1] != '.' && text[n - 1] != ':'));
}

static bool named(const struct ct_step *step, const char *name)
{
	for (size_t i = 0; i < CT_STEP_NAMES && step->names[i]; i++)
		if (!strcmp(step->names[i], name))
			return true;
	return false;
}

/* Where the counts moved, any of the tests of that name may have been the one. */
static bool decides(const struct cowtrace_record *r, const struct ct_walk *w, const char *name)
{
	if (w->decided != CT_STEP_NONE)
		return named(&w->steps.steps[w->decided], name);
	for (size_t i = 0; i < w->steps.nr; i++)
		if (w->state[i] == CT_STEP_OPEN && named(&w->steps.steps[i], name))
			return r->evidence & COWTRACE_EV_SHIFTED;
	return false;
}

static bool is_copy(const struct cowtrace_record *r)
{
	return r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE ||
	       r->outcome == COWTRACE_OUTCOME_SPLIT;
}

static bool in_order(const struct cowtrace_record *r, const struct ct_walk *w)
{
	for (size_t i = 0; i < w->steps.nr && w->decided != CT_STEP_NONE; i++) {
		if (i < w->decided && (w->state[i] == CT_STEP_NOT_REACHED ||
				       w->state[i] == CT_STEP_FOLLOWED))
			return false;
		if (i > w->decided && is_copy(r) && w->state[i] != CT_STEP_NOT_REACHED &&
		    w->state[i] != CT_STEP_FOLLOWED)
			return false;
	}
	return true;
}

/* The kernel's conditions, written down once more. A batch that was drained had one. */
static bool passable(const struct cowtrace_record *r, uint32_t traits, enum ct_ask ask)
{
	bool settles = traits & COWTRACE_TRAIT_EXCLUSIVE;
	int32_t pages = 1 << r->order;
	int32_t cache = r->state & SWAP && settles ? pages : 0;
	int32_t batch = settles && !(r->state & LRU);

	switch (ask) {
	case CT_ASK_KSM:
		return !(r->state & COWTRACE_PG_KSM);
	case CT_ASK_EXCLUSIVE:
		return !(r->state & EXCL);
	case CT_ASK_FIRST_COUNT:
		return r->refcount <= 3;
	case CT_ASK_COUNT:
		return r->refcount <= 1 + cache + batch;
	case CT_ASK_LARGE_MAPPED:
		return r->folio_mapcount > 1;
	case CT_ASK_MM_IDS:
		return !(r->state & MMS);
	case CT_ASK_LARGE_COUNT:
		return r->refcount <= r->folio_mapcount + cache;
	case CT_ASK_LARGE:
		return !r->order;
	case CT_ASK_HUGE_ZERO:
		return r->kind != COWTRACE_KIND_ZERO;
	default:
		return true;
	}
}

static bool values_fit(const struct cowtrace_record *r, uint32_t traits, const struct ct_walk *w)
{
	if (r->evidence & COWTRACE_EV_SHIFTED)
		return true;
	for (size_t i = 0; i < w->steps.nr; i++)
		if (w->state[i] == CT_STEP_PASSED && !passable(r, traits, w->steps.steps[i].ask))
			return false;
	return true;
}

static bool sum_names(const struct cowtrace_record *r, uint32_t traits, const char *sum)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);

	if (!h.known)
		return *sum;
	return !h.mappings == !strstr(sum, "mapping") && !h.swapcache == !strstr(sum, "swap cache") &&
	       !h.pagecache == !strstr(sum, "page cache") && !h.lru == !strstr(sum, "LRU batch") &&
	       !h.pins == !strstr(sum, " pin") && !h.fault == !strstr(sum, "fault itself") &&
	       !h.unattributed == !strstr(sum, "unattributed");
}

static bool tells(const struct ct_notes *notes, const char *word)
{
	for (size_t i = 0; i < notes->nr; i++)
		if (!strncmp(notes->text[i], word, strlen(word)))
			return true;
	return false;
}

static bool flags_told(const struct cowtrace_record *r, const struct ct_notes *doubts)
{
	static const struct {
		uint16_t	flag;
		const char	*word;
	} flags[] = {
		{ COWTRACE_EV_UNSTABLE, "unstable:" }, { COWTRACE_EV_SHIFTED, "shifted:" },
		{ COWTRACE_EV_DRAINED, "drained:" }, { COWTRACE_EV_TRIED, "tried:" },
		{ COWTRACE_EV_UNLOCKED, "unlocked:" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!(r->evidence & flags[i].flag) == tells(doubts, flags[i].word))
			return false;
	return true;
}

static void check_words(const struct cowtrace_record *r, const struct ct_explanation *e)
{
	bool good = whole(e->verdict) && whole(e->arithmetic) && whole(e->end) &&
		    strlen(e->verdict) + 1 < sizeof(e->verdict) &&
		    strlen(e->arithmetic) + 1 < sizeof(e->arithmetic) &&
		    strlen(e->because) + 1 < sizeof(e->because) &&
		    strlen(e->end) + 1 < sizeof(e->end);

	for (size_t i = 0; i < e->walk.steps.nr; i++)
		good = good && whole(e->found[i]) && strlen(e->found[i]) + 1 < CT_FOUND_TEXT;
	expect(WORDS, good, r, e->verdict);
}

static void check_record(const struct cowtrace_record *r, size_t k)
{
	uint32_t traits = kernels[k].traits;
	struct cowtrace_decision d = cowtrace_decision(r, traits);
	struct cowtrace_holders h = cowtrace_holders(r, traits);
	size_t decided = 0, name = strlen(kernels[k].name);
	struct ct_explanation e;
	char release[32];

	snprintf(release, sizeof(release), "%s.0-1-amd64", kernels[k].name);
	ct_explain(r, traits, release, 4096, &e);
	samples++;
	seen[k][r->outcome][r->reason] = true;
	for (size_t i = 0; i < e.walk.steps.nr; i++)
		decided += e.walk.state[i] == CT_STEP_DECIDED;

	expect(SENTENCE, !strncmp(e.verdict, kernels[k].name, name) && e.verdict[name] == ' ' &&
	       strstr(e.verdict, ": ") && strlen(e.verdict) > name + 20, r, e.verdict);
	expect(BECAUSE, e.because[0] && !strstr(e.because, "this reader"), r, e.verdict);
	check_words(r, &e);
	if (d.test)
		expect(DECISION, decides(r, &e.walk, d.test), r, d.test);
	expect(ONE_DECIDES, decided == (e.walk.decided != CT_STEP_NONE), r, e.verdict);
	expect(ORDER, in_order(r, &e.walk), r, e.verdict);
	expect(VALUES, values_fit(r, traits, &e.walk), r, e.verdict);
	expect(NEED_ASKED, is_copy(r) == (e.need != CT_NEED_NONE), r, e.verdict);
	if (e.need == CT_NEED_NO)
		expect(NEED_NO, h.known && r->mapcount == 1 && !h.swapcache && !h.pins &&
		       !h.unattributed && strstr(e.verdict, "although nobody else"), r,
		       e.verdict);
	if (e.need == CT_NEED_YES)
		expect(NEED_YES, strstr(e.verdict, "because "), r, e.verdict);
	expect(SUM, sum_names(r, traits, e.arithmetic), r, e.arithmetic);
	expect(RESTS, e.rests.nr > 0, r, e.verdict);
	expect(FLAGS, flags_told(r, &e.doubts), r, e.verdict);
}

/* --- all that can occur ------------------------------------------------------ */

#define EACH(var, list)	for (size_t var = 0; var < sizeof(list) / sizeof(*(list)); var++)

static const struct {
	uint8_t		kind, path, order;
	uint32_t	state;
} pages[] = {
	{ COWTRACE_KIND_ANON, COWTRACE_PATH_PTE, 0, ANON },
	{ COWTRACE_KIND_ANON, COWTRACE_PATH_PTE, 2, ANON },
	{ COWTRACE_KIND_ANON, COWTRACE_PATH_PTE, 1, ANON },
	{ COWTRACE_KIND_KSM, COWTRACE_PATH_PTE, 0, KSM },
	{ COWTRACE_KIND_ZERO, COWTRACE_PATH_PTE, 0, 0 },
	{ COWTRACE_KIND_FILE, COWTRACE_PATH_PTE, 0, 0 },
	{ COWTRACE_KIND_FILE, COWTRACE_PATH_PTE, 4, 0 },
	{ COWTRACE_KIND_SPECIAL, COWTRACE_PATH_PTE, 0, 0 },
	{ COWTRACE_KIND_THP, COWTRACE_PATH_PMD, 9, ANON },
	{ COWTRACE_KIND_ZERO, COWTRACE_PATH_PMD, 0, 0 },
	{ COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, 9, ANON },
	{ COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, 9, 0 },
};

static const uint32_t bits[] = { LRU, SWAP, WB, LOCKED, EXCL, UFFD_BIT, MMS, NOW_LRU };
static const uint64_t vms[] = { W, SHARED, READ, W | UFFD };
static const uint32_t rets[] = {
	0, COWTRACE_FAULT_WRITE, COWTRACE_FAULT_RETRY, COWTRACE_FAULT_COMPLETED,
	COWTRACE_FAULT_NOPAGE, COWTRACE_FAULT_OOM, COWTRACE_FAULT_SIGBUS,
	COWTRACE_FAULT_SIGSEGV, COWTRACE_FAULT_HWPOISON, COWTRACE_FAULT_HWPOISON_LARGE,
	COWTRACE_FAULT_FALLBACK,
};

static const struct {
	enum pte	pte;
	uint32_t	evidence;
} ends[] = {
	{ UNREAD, 0 }, { SAME_RO, 0 }, { SAME_RW, WATCHED | COUNTED }, { SAME_RW, ALONE },
	{ OTHER_RW, WITNESS | COUNTED_NOT }, { OTHER_RO, WITNESS }, { SAME_EXCL, WATCHED },
	{ SAME_RW, WATCHED | REUSED }, { OTHER_RW, 0 }, { OTHER_RW, WATCHED | COUNTED_NOT },
	{ GONE, COWTRACE_EV_UNSTABLE | WATCHED }, { SAME_DIRTY, WATCHED | COUNTED },
};

/* References beside mappings and swap cache: none, a batch's or somebody's, pins. */
static const int32_t extra[] = { 0, 1, 2, COWTRACE_PIN_BIAS };

/* Only what a kernel can hold: no fault contradicts itself. */
static bool consistent(const struct cowtrace_record *r, uint32_t traits)
{
	bool coded = traits & COWTRACE_TRAIT_RET_WRITE;
	bool unshare = r->fault_flags & COWTRACE_FAULT_FLAG_UNSHARE;

	if (r->state & WB && !(r->state & (SWAP | COWTRACE_PG_ANON)) &&
	    r->kind != COWTRACE_KIND_FILE)
		return false;
	if ((r->state & EXCL) && (!(traits & COWTRACE_TRAIT_EXCLUSIVE) || r->mapcount > 1 ||
				  r->evidence & COWTRACE_EV_WITNESS ||
				  r->kind == COWTRACE_KIND_KSM || !(r->state & ANON)))
		return false;
	/* Such a page is kept at once, and the huge zero page never. */
	if (is_copy(r) && r->state & EXCL)
		return false;
	if (r->outcome == COWTRACE_OUTCOME_REUSE && r->path == COWTRACE_PATH_PMD &&
	    r->kind == COWTRACE_KIND_ZERO)
		return false;
	if ((r->state & MMS) && (!r->order || !(traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE)))
		return false;
	if (unshare && (!(traits & COWTRACE_TRAIT_EXCLUSIVE) || r->vm_flags & COWTRACE_VM_SHARED))
		return false;
	if ((r->ret & COWTRACE_FAULT_WRITE) && (!coded || unshare))
		return false;
	if ((r->ret & COWTRACE_FAULT_FALLBACK) && r->path != COWTRACE_PATH_PMD)
		return false;
	if (r->path == COWTRACE_PATH_PMD && r->vm_flags & COWTRACE_VM_SHARED)
		return false;
	/* Large folios are never reused there, and no witness says otherwise. */
	return !(r->path == COWTRACE_PATH_PTE && r->order && (traits & COWTRACE_TRAIT_LARGE_COPY) &&
		 !(r->state & EXCL) && r->outcome == COWTRACE_OUTCOME_REUSE);
}

static void check_sample(const struct sample *s, size_t k, bool shared)
{
	struct cowtrace_record r = record_of(s, kernels[k].traits);
	struct cowtrace_verdict v = cowtrace_classify(&r, kernels[k].traits);

	/* An address in the zero page or in no page has no counts. */
	if (r.kind == COWTRACE_KIND_ZERO)
		r.present &= ~(COWTRACE_HAS_PAGE | COWTRACE_HAS_FOLIO_MAPCOUNT);
	r.origin = shared ? COWTRACE_ORIGIN_SWAPIN : COWTRACE_ORIGIN_USER;
	r.outcome = v.outcome;
	r.reason = v.reason;
	r.evidence = v.evidence;
	if (consistent(&r, kernels[k].traits))
		check_record(&r, k);
}

static uint32_t state_of(size_t page, uint32_t chosen)
{
	uint32_t state = pages[page].state;

	EACH(i, bits)
		if (chosen & 1u << i)
			state |= bits[i];
	return state;
}

/* Numbers in a row come out as if thrown: the finaliser of MurmurHash3. */
static uint32_t chance(uint32_t x)
{
	x = (x ^ x >> 16) * 0x85ebca6b;
	x = (x ^ x >> 13) * 0xc2b2ae35;
	return x ^ x >> 16;
}

static void sweep(void)
{
	uint32_t turn = 0;

	for (size_t k = 0; k < NR_KERNELS; k++)
	EACH(page, pages)
	for (uint32_t chosen = 0; chosen < 1u << (sizeof(bits) / sizeof(*bits)); chosen++)
	EACH(vm, vms)
	EACH(ret, rets)
	EACH(end, ends)
	EACH(x, extra)
	for (int maps = 1; maps < 5; maps += maps)
	for (int unshare = 0; unshare < 2; unshare++) {
		uint32_t state = state_of(page, chosen);
		int32_t pages_of = 1 << pages[page].order;
		/* In the order in which the page is mapped: whole, or all its pages. */
		int32_t folio = pages[page].path == COWTRACE_PATH_PTE ?
				maps * (pages_of - (maps == 1)) : maps;
		struct sample s = {
			.kind = pages[page].kind, .path = pages[page].path, .vm = vms[vm],
			.state = state, .maps = maps, .order = pages[page].order,
			.folio_maps = folio ?: 1,
			.flags = unshare ? COWTRACE_FAULT_FLAG_UNSHARE : 0,
			.ret = rets[ret], .pte = ends[end].pte, .evidence = ends[end].evidence,
		};

		/* Explaining takes its time: one of sixteen, chosen as if by chance. */
		if (chance(++turn) % 16)
			continue;
		/* A few are enough of what only varies words. */
		if ((ret > 1 && (chosen & 0xad || x > 1)) || (vm && x > 1) ||
		    (vm != 3 && state & UFFD_BIT) || (end > 4 && chosen & 0x0c))
			continue;
		s.refs = (s.order ? s.folio_maps : maps) + extra[x] + (state & SWAP ? pages_of : 0);
		if (s.order && extra[x] == COWTRACE_PIN_BIAS) {
			s.refs += 3 - extra[x];
			s.pins = 3;
		}
		check_sample(&s, k, chosen & 1);
	}
}

/* --- the vocabulary ---------------------------------------------------------- */

#define R(x)	(1u << COWTRACE_REASON_##x)
#define COPIES	(R(KSM) | R(MAPPED) | R(SWAPCACHE) | R(LRU) | R(PINNED) | R(LOCKED) | R(LARGE) | \
		 R(ZERO) | R(FILE) | R(SPECIAL) | R(UNATTRIBUTED))

static const uint32_t of_copy[NR_KERNELS] = {
	COPIES, COPIES | R(WRITEBACK), COPIES | R(WRITEBACK), COPIES | R(WRITEBACK),
};

static const uint32_t of_reuse[NR_KERNELS] = {
	R(SOLE_REF) | R(MAPCOUNT_ONE),
	R(SOLE_REF) | R(MAPCOUNT_ONE) | R(EXCLUSIVE) | R(SWAPCACHE_FREED),
	R(SOLE_REF) | R(MAPCOUNT_ONE) | R(EXCLUSIVE) | R(SWAPCACHE_FREED),
	R(SOLE_REF) | R(MAPCOUNT_ONE) | R(EXCLUSIVE) | R(SWAPCACHE_FREED) | R(LARGE_EXCLUSIVE),
};

static uint32_t reasons_of(size_t k, int outcome)
{
	uint32_t reasons = 0;

	for (unsigned int i = 0; i < COWTRACE_NR_REASONS; i++)
		reasons |= seen[k][outcome][i] ? 1u << i : 0;
	return reasons;
}

static void check_vocabulary(void)
{
	for (size_t k = 0; k < NR_KERNELS; k++) {
		uint32_t copies = reasons_of(k, COWTRACE_OUTCOME_COPY);
		uint32_t reuses = reasons_of(k, COWTRACE_OUTCOME_REUSE);
		unsigned int outcomes = 0;

		if (!ok((copies & of_copy[k]) == of_copy[k],
			"each reason of a copy on %s was explained", kernels[k].name))
			note("reasons %#x of %#x", copies, of_copy[k]);
		if (!ok((reuses & of_reuse[k]) == of_reuse[k],
			"each reason of a reuse on %s was explained", kernels[k].name))
			note("reasons %#x of %#x", reuses, of_reuse[k]);
		for (int o = 0; o < COWTRACE_NR_OUTCOMES; o++)
			outcomes += !!reasons_of(k, o);
		/* 5.10 has nothing to unshare. */
		if (!ok(outcomes == COWTRACE_NR_OUTCOMES - (k == V5_10),
			"each outcome on %s was explained", kernels[k].name))
			note("%u outcomes", outcomes);
	}
}

/* --- the tables -------------------------------------------------------------- */

static void check_tables(void)
{
	bool complete = true, short_enough = true;

	for (int g = 0; g < CT_NR_GENERATIONS; g++)
		for (int path = 0; path < COWTRACE_NR_PATHS; path++) {
			struct ct_steps steps = ct_steps(g, path);

			short_enough = short_enough && steps.nr && steps.nr <= CT_STEPS_MAX;
			for (size_t i = 0; i < steps.nr; i++)
				complete = complete && steps.steps[i].function &&
					   steps.steps[i].test[0] &&
					   (steps.steps[i].names[0] ||
					    !(steps.steps[i].ways & CT_WAY_COPY));
		}
	ok(short_enough, "each generation has steps for each path");
	ok(complete, "each step has its function and its test, and a name if it copies");
	ok(!ct_steps(CT_GEN_LARGE, COWTRACE_NR_PATHS).nr, "an unknown path has no steps");
}

/* A record of a later schema, or of a damaged trace. */
static void check_strangers(void)
{
	struct cowtrace_record r = record_of(&(struct sample)A(.state = ANON | LRU), 0);
	struct ct_explanation e;

	r.outcome = 77;
	r.reason = 99;
	r.path = 9;
	ct_explain(&r, ~0u, NULL, 4096, &e);
	ok(!strncmp(e.verdict, "The kernel ended this page in outcome 77: ", 42),
	   "a word of a later schema is its number, and a kernel without a release is the kernel");
	memset(&r, 0xff, sizeof(r));
	ct_explain(&r, ~0u, "6.1", UINT32_MAX, &e);
	ok(e.verdict[0] && e.arithmetic[0], "a record of nothing but ones is explained somehow");
}

int main(void)
{
	sweep();
	for (size_t p = 0; p < NR_PROPERTIES; p++) {
		const struct cowtrace_record *r = &first[p];

		ok(!broken[p], "%s", claims[p]);
		if (broken[p])
			note("%lu samples, first: \"%s\": path %u kind %u outcome %u reason %u state %#x refs %d maps %d folio %d order %u ret %#x vm %#llx flags %#x evidence %#x",
			     (unsigned long)broken[p], first_text[p], r->path, r->kind, r->outcome,
			     r->reason, r->state, r->refcount, r->mapcount, r->folio_mapcount,
			     r->order, r->ret, (unsigned long long)r->vm_flags, r->fault_flags,
			     r->evidence);
	}
	note("%lu samples", (unsigned long)samples);
	check_vocabulary();
	check_tables();
	check_strangers();
	return tap_end();
}
