// SPDX-License-Identifier: GPL-2.0
/* What must hold for every sample, whatever the kernel decided. */
#include "parts.h"
#include "sample.h"
#include "tap.h"

/* Each property is checked on every sample; the first that breaks it is kept. */
enum property {
	REASON_IFF_DONE, REASON_OF_COPY, REASON_OF_REUSE, SILENT_COPY_WITNESSED,
	UNSHARE_ONLY_THERE, EXCLUSIVE_NOT_COPIED, NEVER_REUSED, SPLIT_ONLY_HUGE, EVIDENCE_KEPT,
	FAILURE_FIRST, NOTHING_FROM_NOTHING, CODED_RACE, HOLDERS_SUM, HOLDERS_POSITIVE,
	NR_PROPERTIES
};

static const char * const property_claims[] = {
	[REASON_IFF_DONE] = "a reason is given exactly for reuse, copy, unshare and split",
	[REASON_OF_COPY] = "the reason of a copy or a split is one of a copy",
	[REASON_OF_REUSE] = "the reason of a reuse is one of a reuse",
	[SILENT_COPY_WITNESSED] = "a kernel without VM_FAULT_WRITE has a copy only with a witness",
	[UNSHARE_ONLY_THERE] = "an unshare is never a copy, a write never an unshare",
	[EXCLUSIVE_NOT_COPIED] = "an exclusive page is never copied unless a witness saw it",
	[NEVER_REUSED] = "KSM, zero, private file and special pages of a PTE are never reused",
	[SPLIT_ONLY_HUGE] = "only a huge PMD is split",
	[EVIDENCE_KEPT] = "the verdict keeps the evidence of the sample",
	[FAILURE_FIRST] = "no memory and poison are told whatever else was seen",
	[NOTHING_FROM_NOTHING] = "without witness, PTE and code nothing is called reuse or copy",
	[CODED_RACE] = "without VM_FAULT_WRITE no kernel that has it reused or copied",
	[HOLDERS_SUM] = "the holders add up to the reference count",
	[HOLDERS_POSITIVE] = "no holder is negative",
};

static uint64_t samples, broken[NR_PROPERTIES];
static struct cowtrace_record first_broken[NR_PROPERTIES];

static void expect(enum property p, bool good, const struct cowtrace_record *r)
{
	if (!good && !broken[p]++)
		first_broken[p] = *r;
}

static bool never_reusable(const struct cowtrace_record *r)
{
	return r->kind == COWTRACE_KIND_KSM || r->kind == COWTRACE_KIND_ZERO ||
	       r->kind == COWTRACE_KIND_FILE || r->kind == COWTRACE_KIND_SPECIAL;
}

static void check_sample(const struct sample *s, uint32_t traits)
{
	struct cowtrace_record r = record_of(s, traits);
	struct cowtrace_verdict v = cowtrace_classify(&r, traits);
	struct cowtrace_holders h = cowtrace_holders(&r, traits);
	bool unshare = r.fault_flags & COWTRACE_FAULT_FLAG_UNSHARE;
	bool coded = traits & COWTRACE_TRAIT_RET_WRITE;
	bool copy = v.outcome == COWTRACE_OUTCOME_COPY;
	bool broke = v.outcome == COWTRACE_OUTCOME_UNSHARE;
	bool reuse = v.outcome == COWTRACE_OUTCOME_REUSE;
	bool split = v.outcome == COWTRACE_OUTCOME_SPLIT;

	samples++;
	expect(REASON_IFF_DONE, (copy || broke || reuse || split) == (v.reason != 0), &r);
	if (copy || broke || split)
		expect(REASON_OF_COPY, v.reason >= COWTRACE_REASON_KSM &&
		       v.reason <= COWTRACE_REASON_UNATTRIBUTED, &r);
	if (reuse)
		expect(REASON_OF_REUSE, v.reason >= COWTRACE_REASON_EXCLUSIVE &&
		       v.reason <= COWTRACE_REASON_MAPCOUNT_ONE, &r);
	expect(SPLIT_ONLY_HUGE, !split || r.path == COWTRACE_PATH_PMD, &r);
	if (copy && (!coded || r.path != COWTRACE_PATH_PTE))
		expect(SILENT_COPY_WITNESSED, r.evidence & COWTRACE_EV_WITNESS, &r);
	expect(UNSHARE_ONLY_THERE, unshare ? !copy : !broke, &r);
	if ((r.state & COWTRACE_PG_EXCLUSIVE) && !(r.evidence & COWTRACE_EV_WITNESS))
		expect(EXCLUSIVE_NOT_COPIED, !copy, &r);
	/* What stands in the PTE is not in doubt here: such a page is not made writable. */
	if (r.path == COWTRACE_PATH_PTE && never_reusable(&r) && s->pte != SAME_RW &&
	    s->pte != SAME_DIRTY && s->pte != SAME_EXCL && s->pte != SAME_RW_EXCL)
		expect(NEVER_REUSED, !reuse, &r);
	expect(EVIDENCE_KEPT, (v.evidence & r.evidence) == r.evidence, &r);
	if (r.ret & COWTRACE_FAULT_OOM)
		expect(FAILURE_FIRST, v.outcome == COWTRACE_OUTCOME_OOM, &r);
	else if (r.ret & COWTRACE_FAULT_HWPOISON)
		expect(FAILURE_FIRST, v.outcome == COWTRACE_OUTCOME_POISON, &r);
	if (!coded && !(r.state & COWTRACE_PG_EXCLUSIVE) &&
	    !(r.evidence & (COWTRACE_EV_WITNESS | COWTRACE_EV_PTE | COWTRACE_EV_REUSED)))
		expect(NOTHING_FROM_NOTHING, !copy && !reuse && !broke, &r);
	if (coded && !unshare && !(r.ret & COWTRACE_FAULT_WRITE) &&
	    r.path != COWTRACE_PATH_HUGETLB)
		expect(CODED_RACE, !copy && !reuse, &r);
	if (h.known) {
		expect(HOLDERS_SUM, parts_add_up(&h) && h.total == r.refcount, &r);
		expect(HOLDERS_POSITIVE, !parts_negative(&h), &r);
	}
}

#define EACH(var, list)	for (size_t var = 0; var < sizeof(list) / sizeof(*(list)); var++)

static const uint32_t rets[] = {
	0, COWTRACE_FAULT_WRITE, COWTRACE_FAULT_RETRY, COWTRACE_FAULT_COMPLETED,
	COWTRACE_FAULT_NOPAGE, COWTRACE_FAULT_OOM, COWTRACE_FAULT_SIGBUS,
	COWTRACE_FAULT_HWPOISON, COWTRACE_FAULT_WRITE | COWTRACE_FAULT_RETRY,
	COWTRACE_FAULT_FALLBACK,
};

static const uint64_t vms[] = { 0, W, SHARED, MAYSHARE, W | COWTRACE_VM_UFFD_WP };
static const uint32_t flags[] = { 0, COWTRACE_FAULT_FLAG_UNSHARE };
static const uint32_t evidences[] = {
	0, WATCHED, WITNESS, ALONE, ALONE | WATCHED, ALONE | WITNESS, COUNTED, COUNTED_NOT,
	WATCHED | COUNTED, WITNESS | COUNTED_NOT,
};

/* What a page can be on which path. */
static const struct {
	uint8_t		kind, path;
	uint32_t	state;
} pages[] = {
	{ COWTRACE_KIND_UNKNOWN, COWTRACE_PATH_PTE, 0 },
	{ COWTRACE_KIND_ANON, COWTRACE_PATH_PTE, ANON },
	{ COWTRACE_KIND_KSM, COWTRACE_PATH_PTE, KSM },
	{ COWTRACE_KIND_ZERO, COWTRACE_PATH_PTE, 0 },
	{ COWTRACE_KIND_FILE, COWTRACE_PATH_PTE, 0 },
	{ COWTRACE_KIND_SPECIAL, COWTRACE_PATH_PTE, 0 },
	{ COWTRACE_KIND_THP, COWTRACE_PATH_PMD, ANON },
	{ COWTRACE_KIND_ZERO, COWTRACE_PATH_PMD, 0 },
	{ COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, ANON },
	{ COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, 0 },
};

/* States that outcomes depend on come first: reasons and holders depend on all. */
static const uint32_t bits[] = { LRU, SWAP, EXCL, UFFD_BIT, WB, LOCKED, MMS };
#define FOR_OUTCOMES	4
#define FOR_REASONS	7
static const int32_t refs[] = { 0, 1, 2, 3, 4, 5, 1025, 1026, 4096, INT32_MAX };

static uint32_t state_of(size_t page, uint32_t chosen)
{
	uint32_t state = pages[page].state;

	EACH(i, bits)
		if (chosen & 1u << i)
			state |= bits[i];
	/* Only an anonymous page that no KSM merged is exclusive. */
	if (pages[page].state != ANON)
		state &= ~EXCL;
	return state;
}

/* The kernel never counts a reuse of such a page, and always one of an exclusive page. */
static bool contradicts_itself(const struct sample *s)
{
	if (!(s->evidence & COWTRACE_EV_COUNTED))
		return false;
	return s->state & EXCL ? !(s->evidence & COWTRACE_EV_REUSED) :
				 (s->evidence & COWTRACE_EV_REUSED) &&
				 s->kind != COWTRACE_KIND_ANON;
}

/* Every way in which a fault can end, over a few counts. */
static void sweep_outcomes(void)
{
	for (size_t k = 0; k < NR_KERNELS; k++)
	EACH(page, pages)
	for (uint32_t chosen = 0; chosen < 1u << FOR_OUTCOMES; chosen++)
	EACH(vm, vms)
	EACH(f, flags)
	EACH(ret, rets)
	EACH(ev, evidences)
	for (int pte = UNREAD; pte <= OTHER_EXCL; pte++)
	for (int32_t ref = 1; ref < 4; ref++) {
		struct sample s = {
			.kind = pages[page].kind, .path = pages[page].path, .vm = vms[vm],
			.state = state_of(page, chosen), .refs = ref, .maps = 1 + (ref > 2),
			.flags = flags[f], .ret = rets[ret], .pte = pte,
			.evidence = evidences[ev],
		};

		if (!contradicts_itself(&s))
			check_sample(&s, kernels[k].traits);
	}
}

/* Every way in which references can be spread, over a few ends. */
static void sweep_counts(void)
{
	static const uint8_t orders[] = { 0, 2, 9 };
	static const uint32_t pins[] = { 0, 1, UINT32_MAX };
	static const int32_t maps[] = { 0, 1, 2, 512, INT32_MAX };

	for (size_t k = 0; k < NR_KERNELS; k++)
	EACH(page, pages)
	for (uint32_t chosen = 0; chosen < 1u << FOR_REASONS; chosen++)
	EACH(ref, refs)
	EACH(map, maps)
	EACH(folio, maps)
	EACH(order, orders)
	EACH(pin, pins)
	for (int copy = 0; copy < 2; copy++) {
		struct sample s = {
			.kind = pages[page].kind, .path = pages[page].path, .vm = W,
			.state = state_of(page, chosen), .refs = refs[ref], .maps = maps[map],
			.folio_maps = maps[folio], .order = orders[order], .pins = pins[pin],
			.ret = DONE, .pte = copy ? OTHER_RW : SAME_RW,
			.evidence = copy ? WITNESS : WATCHED | ALONE,
		};

		check_sample(&s, kernels[k].traits);
	}
}

int main(void)
{
	size_t p;

	sweep_outcomes();
	sweep_counts();
	for (p = 0; p < NR_PROPERTIES; p++) {
		const struct cowtrace_record *r = &first_broken[p];

		ok(!broken[p], "%s", property_claims[p]);
		if (broken[p])
			note("%lu samples, first: path %u kind %u state %#x refs %d maps %d order %u ret %#x flags %#x vm %#llx evidence %#x new_pfn %#llx",
			     (unsigned long)broken[p], r->path, r->kind, r->state, r->refcount,
			     r->mapcount, r->order, r->ret, r->fault_flags,
			     (unsigned long long)r->vm_flags, r->evidence,
			     (unsigned long long)r->new_pfn);
	}
	note("%lu samples", (unsigned long)samples);
	return tap_end();
}
