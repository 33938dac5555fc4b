// SPDX-License-Identifier: GPL-2.0
/* What must hold among the policies, of every page that can be (worlds.h). */
#include "worlds.h"
#include "tap.h"

enum property {
	MINIMAL_COPIES, LIKE_REFCOUNT, ONLY_LARGE_DIFFER, MORE_KNOWLEDGE, ALL_KNOWN, KSM_REUSED,
	UNSEEN_FIELDS, PARTS_OF_ANSWER, OWN_OUTCOME, OWN_REASON, CLASSIFIED, NR_PROPERTIES
};

static const char * const claims[] = {
	[MINIMAL_COPIES] = "where minimal copies, no policy reuses",
	[LIKE_REFCOUNT] = "what refcount reuses of a PTE, swapcache and exclusive do not copy",
	[ONLY_LARGE_DIFFER] = "large-exclusive and exclusive differ on large folios of a PTE alone",
	[MORE_KNOWLEDGE] = "to know more turns no settled answer into another or into none",
	[ALL_KNOWN] = "with all known, device, release, moved counts or other pages are open",
	[KSM_REUSED] = "a merged page is reused by mapcount and minimal alone",
	[UNSEEN_FIELDS] = "who faulted where, when and how long changes no answer",
	[PARTS_OF_ANSWER] = "reason, cause and step are those of the answer",
	[CLASSIFIED] = "what the kernel did is what the record is classified as",
	[OWN_OUTCOME] = "a kernel's own policy says of certain verdicts the same, or nothing",
	[OWN_REASON] = "and for the same reason",
};

static uint64_t broken[NR_PROPERTIES], certain, open_own;

/*
 * mapcount's hole: who has a reference from when the page was shared sees the write.
 * A policy that looks at no references reuses, and minimal does not know.
 */
static const struct {
	uint8_t	policy, path, cause;
} holes[] = {
	{ COWTRACE_POLICY_MAPCOUNT, COWTRACE_PATH_PTE, COWTRACE_CAUSE_PINNED },
	{ COWTRACE_POLICY_MAPCOUNT, COWTRACE_PATH_PTE, COWTRACE_CAUSE_REFERENCE },
	{ COWTRACE_POLICY_MAPCOUNT, COWTRACE_PATH_PMD, COWTRACE_CAUSE_PINNED },
	{ COWTRACE_POLICY_MAPCOUNT, COWTRACE_PATH_PMD, COWTRACE_CAUSE_REFERENCE },
	{ COWTRACE_POLICY_REFCOUNT, COWTRACE_PATH_PMD, COWTRACE_CAUSE_PINNED },
	{ COWTRACE_POLICY_REFCOUNT, COWTRACE_PATH_PMD, COWTRACE_CAUSE_REFERENCE },
};

#define NR_HOLES	(sizeof(holes) / sizeof(*holes))

static uint64_t in_hole[NR_HOLES], elsewhere;

static void expect(enum property p, bool good, const struct view *v, const struct seen *s)
{
	if (good || broken[p]++)
		return;
	note("not so: %s; %s path %u kind %u order %u state %#x", claims[p],
	     kernels[v->kernel].name, v->path, v->kind, v->order, s->state);
	note("  refs %d maps %u/%d outcome %u unshare %u", s->refcount, s->mapcount,
	     s->folio_mapcount, s->outcome, v->unshare);
}

static bool same(struct cowtrace_prediction a, struct cowtrace_prediction b)
{
	return !memcmp(&a, &b, sizeof(a));
}

static bool is_copy_reason(uint8_t reason)
{
	return reason >= COWTRACE_REASON_KSM && reason <= COWTRACE_REASON_UNATTRIBUTED;
}

static bool is_reuse_reason(uint8_t reason)
{
	return reason >= COWTRACE_REASON_EXCLUSIVE && reason <= COWTRACE_REASON_MAPCOUNT_ONE;
}

static bool parts_fit(enum cowtrace_policy policy, struct cowtrace_prediction p)
{
	switch (p.answer) {
	case COWTRACE_ANSWER_NONE:
		return !p.reason && !p.cause && !p.step;
	case COWTRACE_ANSWER_REUSE:
		/* What nobody else uses though somebody holds it no kernel has a reason for. */
		return (is_reuse_reason(p.reason) ||
			(policy == COWTRACE_POLICY_MINIMAL && !p.reason)) && !p.cause && p.step;
	case COWTRACE_ANSWER_COPY:
		return is_copy_reason(p.reason) && !p.cause && p.step;
	default:
		return !p.reason && p.cause && p.step;
	}
}

static void check_hole(enum cowtrace_policy policy, const struct view *v, uint8_t cause)
{
	size_t i;

	for (i = 0; i < NR_HOLES; i++)
		if (holes[i].policy == policy && holes[i].path == v->path &&
		    holes[i].cause == cause) {
			in_hole[i]++;
			return;
		}
	elsewhere++;
}

static void check_among(const struct view *v, const struct seen *s, const struct cowtrace_facts *f,
			const struct cowtrace_prediction *p)
{
	const struct cowtrace_prediction *least = &p[COWTRACE_POLICY_MINIMAL];
	const struct cowtrace_prediction *exclusive = &p[COWTRACE_POLICY_EXCLUSIVE];
	bool kept = p[COWTRACE_POLICY_REFCOUNT].answer == COWTRACE_ANSWER_REUSE;
	int i;

	for (i = 0; i < COWTRACE_NR_POLICIES; i++) {
		bool reuse = p[i].answer == COWTRACE_ANSWER_REUSE;

		expect(PARTS_OF_ANSWER, parts_fit(i, p[i]), v, s);
		if (least->answer == COWTRACE_ANSWER_COPY)
			expect(MINIMAL_COPIES, !reuse, v, s);
		if (v->kind == COWTRACE_KIND_KSM && i != COWTRACE_POLICY_MAPCOUNT &&
		    i != COWTRACE_POLICY_MINIMAL)
			expect(KSM_REUSED, !reuse, v, s);
		/* hugetlb_wp() looks at no references in any generation. */
		if (reuse && f->exclusive <= 0 && v->path != COWTRACE_PATH_HUGETLB &&
		    (least->cause == COWTRACE_CAUSE_PINNED ||
		     least->cause == COWTRACE_CAUSE_REFERENCE))
			check_hole(i, v, least->cause);
	}
	if (kept && v->path == COWTRACE_PATH_PTE) {
		expect(LIKE_REFCOUNT,
		       p[COWTRACE_POLICY_SWAPCACHE].answer != COWTRACE_ANSWER_COPY, v, s);
		/* From 6.8 on large folios are copied whatever their count. */
		expect(LIKE_REFCOUNT, exclusive->answer != COWTRACE_ANSWER_COPY, v, s);
	}
	if (!v->order || v->path != COWTRACE_PATH_PTE)
		expect(ONLY_LARGE_DIFFER,
		       same(*exclusive, p[COWTRACE_POLICY_LARGE_EXCLUSIVE]), v, s);
}

/* --- more knowledge ---------------------------------------------------------- */

enum fact { EXCLUSIVE, SWAPCOUNT, SLOTS, MAPPINGS, ELSEWHERE, MM, DRAINS, LOCK, NR_FACTS };

/* One fact more, as it is of this page. */
static void learn(struct cowtrace_facts *f, enum fact fact, const struct world *w)
{
	switch (fact) {
	case EXCLUSIVE:
		f->exclusive = w->mark;
		break;
	case SWAPCOUNT:
		f->swapcount = w->entries;
		break;
	case SLOTS:
		f->folio_swapcount = total_swapcount(w);
		break;
	case MAPPINGS:
		f->folio_mapcount = large_mapcount(w);
		break;
	case ELSEWHERE:
		f->elsewhere = large_mapcount(w) > mapped_here(w);
		break;
	case MM:
		f->mm_shared = in_other_mm(w) || w->stuck;
		break;
	case DRAINS:
		f->drains = w->batch == OWN_BATCH;
		break;
	default:
		f->locked = w->lock == HELD;
	}
}

static bool may_stay_open(uint8_t cause, const struct view *v)
{
	if (cause == COWTRACE_CAUSE_MAPPINGS || cause == COWTRACE_CAUSE_SWAPCOUNT)
		return v->order && v->path == COWTRACE_PATH_PTE;
	return cause == COWTRACE_CAUSE_STABLE || cause == COWTRACE_CAUSE_MOVED ||
	       cause == COWTRACE_CAUSE_RELEASE;
}

static void check_knowledge(const struct view *v, const struct page *page,
			    const struct cowtrace_facts *f, const struct cowtrace_prediction *p)
{
	struct cowtrace_facts all = *f;
	int fact, i;

	for (fact = 0; fact < NR_FACTS; fact++) {
		struct cowtrace_facts more = *f;

		learn(&more, fact, &page->world);
		learn(&all, fact, &page->world);
		for (i = 0; i < COWTRACE_NR_POLICIES; i++)
			if (p[i].answer != COWTRACE_ANSWER_UNDETERMINED)
				expect(MORE_KNOWLEDGE,
				       cowtrace_predict(i, &more).answer == p[i].answer, v,
				       &page->seen);
	}
	for (i = 0; i < COWTRACE_POLICY_MINIMAL; i++) {
		struct cowtrace_prediction last = cowtrace_predict(i, &all);
		bool settled = last.answer != COWTRACE_ANSWER_UNDETERMINED;

		expect(ALL_KNOWN, settled || may_stay_open(last.cause, v), v, &page->seen);
	}
}

/* --- what no policy may see -------------------------------------------------- */

static void check_unseen(const struct view *v, const struct seen *s,
			 const struct cowtrace_record *r, const struct cowtrace_prediction *p)
{
	struct cowtrace_record other = *r;
	struct cowtrace_facts f;
	int i;

	other.seq = 7;
	other.cpu = 3;
	other.time_ns = 1ull << 40;
	other.duration_ns = 99;
	other.pid = 42;
	other.tgid = 43;
	other.uid = 44;
	memcpy(other.comm, "somebody", 9);
	other.address = 0x7f0000001234;
	other.ip = 0x401000;
	other.pfn = 0x77;
	other.new_pfn = 0x77;
	other.origin = COWTRACE_ORIGIN_REMOTE;
	other.node = 1;
	other.fault_flags |= COWTRACE_FAULT_FLAG_REMOTE;
	/* All that does not share, and what the PTE has. */
	other.vm_flags |= ~(COWTRACE_VM_WRITE | COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE);
	other.vm_flags &= ~COWTRACE_VM_WRITE;
	other.state ^= COWTRACE_PG_DIRTY | COWTRACE_PG_MLOCKED | COWTRACE_PTE_DIRTY |
		       COWTRACE_PTE_YOUNG | COWTRACE_PTE_SOFT_DIRTY | COWTRACE_AFTER_SPLIT;
	f = cowtrace_facts(&other, kernels[v->kernel].traits);
	for (i = 0; i < COWTRACE_NR_POLICIES; i++)
		expect(UNSEEN_FIELDS, same(cowtrace_predict(i, &f), p[i]), v, s);
}

/* --- the kernel's own policy ------------------------------------------------- */

/* The same fault with the evidence that a module would have had. */
static struct cowtrace_record with_evidence(struct cowtrace_record r, const struct view *v)
{
	bool coded = kernels[v->kernel].traits & COWTRACE_TRAIT_RET_WRITE;
	bool reuse = r.outcome == COWTRACE_OUTCOME_REUSE;

	r.evidence |= COWTRACE_EV_PTE | COWTRACE_EV_WATCHED;
	r.present |= COWTRACE_HAS_NEW_PFN;
	r.new_pfn = reuse ? r.pfn : r.pfn + 1;
	r.state |= COWTRACE_EXIT_PRESENT;
	if (reuse)
		r.state |= COWTRACE_EXIT_EXCLUSIVE;
	if (!v->unshare) {
		r.state |= COWTRACE_EXIT_WRITE | COWTRACE_EXIT_DIRTY;
		r.ret = coded ? COWTRACE_FAULT_WRITE : 0;
	}
	if (reuse)
		r.evidence |= v->unshare ? 0 : COWTRACE_EV_REUSED;
	else if (v->path == COWTRACE_PATH_PMD)
		r.ret = COWTRACE_FAULT_FALLBACK;
	else
		r.evidence |= COWTRACE_EV_WITNESS;
	return r;
}

static void check_own(const struct view *v, const struct seen *s, const struct cowtrace_record *r)
{
	static const uint16_t doubts = COWTRACE_EV_SHIFTED | COWTRACE_EV_TRIED |
				       COWTRACE_EV_UNSTABLE | COWTRACE_EV_DRAINED;
	uint32_t traits = kernels[v->kernel].traits;
	struct cowtrace_record full = with_evidence(*r, v);
	struct cowtrace_verdict verdict = cowtrace_classify(&full, traits);
	struct cowtrace_facts f = cowtrace_facts(&full, traits);
	struct cowtrace_prediction own;

	/* Until 5.18 there is no unshare. */
	if (v->raced || (v->unshare && v->kernel == V5_10))
		return;
	expect(CLASSIFIED, verdict.outcome == r->outcome, v, s);
	if (verdict.evidence & doubts)
		return;
	cowtrace_ask_kernel(&f, traits);
	own = cowtrace_predict(cowtrace_own_policy(traits), &f);
	certain++;
	if (own.answer == COWTRACE_ANSWER_UNDETERMINED) {
		open_own++;
		return;
	}
	expect(OWN_OUTCOME, (own.answer == COWTRACE_ANSWER_REUSE) ==
			    (verdict.outcome == COWTRACE_OUTCOME_REUSE), v, s);
	expect(OWN_REASON, own.reason == verdict.reason, v, s);
}

static void check_sample(const struct view *v, size_t first, size_t end)
{
	const struct seen *s = &pages[first].seen;
	struct cowtrace_record r = record_seen(s, v, 2);
	struct cowtrace_facts f = cowtrace_facts(&r, kernels[v->kernel].traits);
	struct cowtrace_prediction p[COWTRACE_NR_POLICIES];
	size_t i;

	for (i = 0; i < COWTRACE_NR_POLICIES; i++)
		p[i] = cowtrace_predict(i, &f);
	check_among(v, s, &f, p);
	check_unseen(v, s, &r, p);
	check_own(v, s, &r);
	for (i = first; i < end; i++)
		check_knowledge(v, &pages[i], &f, p);
}

int main(void)
{
	struct view v;
	size_t first, end;
	int i, p;

	for (i = 0; next_view(i, &v); i++) {
		make_pages(&v);
		for (first = 0; first < nr_pages_made; first = end) {
			end = look_alikes(first);
			check_sample(&v, first, end);
		}
	}
	for (p = 0; p < NR_PROPERTIES; p++)
		ok(!broken[p], "%s", claims[p]);
	for (i = 0; i < (int)NR_HOLES; i++)
		ok(in_hole[i], "policy %u on path %u reuses where minimal has cause %u: the hole",
		   holes[i].policy, holes[i].path, holes[i].cause);
	ok(!elsewhere, "and no other policy does, but for hugetlb pages");
	ok(certain && open_own * 100 <= certain,
	   "a kernel's own policy leaves 1 %% of certain verdicts open, or less");
	note("%lu certain verdicts, %lu of them open", (unsigned long)certain,
	     (unsigned long)open_own);
	return tap_end();
}
