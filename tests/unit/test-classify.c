// SPDX-License-Identifier: GPL-2.0
/*
 * classify.h against the steps of the kernels' do_wp_page(), written down a
 * second time as a table, and against what must hold for every sample.
 */
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/classify.h>

#include "tap.h"

/* Which kernel decides how. */
enum { V5_10, V6_1, V6_12, V7_2, NR_KERNELS };

static const struct {
	const char	*name;
	uint32_t	traits;
} kernels[] = {
	[V5_10]	= { "5.10", COWTRACE_TRAIT_RET_WRITE },
	[V6_1]	= { "6.1", COWTRACE_TRAIT_RET_WRITE | COWTRACE_TRAIT_EXCLUSIVE },
	[V6_12]	= { "6.12", COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST |
			    COWTRACE_TRAIT_LARGE_COPY },
	[V7_2]	= { "7.2", COWTRACE_TRAIT_EXCLUSIVE | COWTRACE_TRAIT_SHARED_FIRST |
			   COWTRACE_TRAIT_LARGE_EXCLUSIVE },
};

#define K(v)		(1u << (v))
#define CODED		(K(V5_10) | K(V6_1))
#define SILENT		(K(V6_12) | K(V7_2))
#define DRAINING	(K(V6_1) | SILENT)
#define ALL		(CODED | SILENT)

#define ANON		COWTRACE_PG_ANON
#define KSM		(COWTRACE_PG_ANON | COWTRACE_PG_KSM)
#define LRU		COWTRACE_PG_LRU
#define SWAP		COWTRACE_PG_SWAPCACHE
#define WB		COWTRACE_PG_WRITEBACK
#define LOCKED		COWTRACE_PG_LOCKED
#define EXCL		COWTRACE_PG_EXCLUSIVE
#define MMS		COWTRACE_PG_MM_SHARED
#define UFFD_BIT	COWTRACE_PTE_UFFD_WP

#define READ		1
#define W		COWTRACE_VM_WRITE
#define SHARED		(COWTRACE_VM_WRITE | COWTRACE_VM_SHARED | COWTRACE_VM_MAYSHARE)
#define MAYSHARE	(COWTRACE_VM_WRITE | COWTRACE_VM_MAYSHARE)

/* What stands in the PTE at exit. */
enum pte {
	UNREAD,		/* not read, or not present any more */
	SAME_RO,	/* the same page, read-only */
	SAME_RW,	/* the same page, writable and dirty */
	SAME_DIRTY,	/* the same page, dirty and read-only: FOLL_FORCE */
	OTHER_RW,	/* another page, writable */
	OTHER_RO,	/* another page, read-only */
	SAME_EXCL,	/* the same page, read-only, now PageAnonExclusive */
};

#define WITNESS		(COWTRACE_EV_WITNESS | COWTRACE_EV_WATCHED)
#define WATCHED		COWTRACE_EV_WATCHED
#define ALONE		COWTRACE_EV_ALONE

/* What a kernel returns when it did it: VM_FAULT_WRITE where there is one. */
#define DONE		0x80000000u

struct sample {
	uint8_t		kind;
	/* What is 0 is as usual: writable, one reference, one mapping. */
	bool		plain;
	uint64_t	vm;
	uint32_t	state;
	int32_t		refs, maps;
	uint8_t		order;
	int32_t		folio_maps;
	uint32_t	pins;
	uint32_t	flags, ret;
	enum pte	pte;
	uint32_t	evidence;
};

static struct cowtrace_record record_of(const struct sample *s, uint32_t traits)
{
	struct cowtrace_record r = {
		.type = COWTRACE_TYPE_FAULT,
		.magic = COWTRACE_RECORD_MAGIC,
		.vm_flags = s->vm,
		.pfn = 0x1000,
		.fault_flags = s->flags,
		.ret = s->ret,
		.refcount = s->refs,
		.mapcount = s->maps,
		.folio_mapcount = s->order ? s->folio_maps : s->maps,
		.state = s->state,
		.evidence = s->evidence,
		.kind = s->kind,
		.order = s->order,
		.present = COWTRACE_HAS_PAGE | COWTRACE_HAS_FOLIO_MAPCOUNT,
	};
	static const struct {
		uint32_t	state;
		uint64_t	pfn;
	} exits[] = {
		[SAME_RO]	= { 0, 0x1000 },
		[SAME_RW]	= { COWTRACE_EXIT_WRITE | COWTRACE_EXIT_DIRTY, 0x1000 },
		[SAME_DIRTY]	= { COWTRACE_EXIT_DIRTY, 0x1000 },
		[OTHER_RW]	= { COWTRACE_EXIT_WRITE | COWTRACE_EXIT_DIRTY, 0x2000 },
		[OTHER_RO]	= { 0, 0x2000 },
		[SAME_EXCL]	= { COWTRACE_EXIT_EXCLUSIVE, 0x1000 },
	};

	if (s->plain) {
		r.vm_flags = s->vm ?: W;
		r.refcount = s->refs ?: 1;
		r.mapcount = s->maps ?: 1;
		r.folio_mapcount = s->order ? s->folio_maps : r.mapcount;
	}
	if (s->ret & DONE)
		r.ret = traits & COWTRACE_TRAIT_RET_WRITE ? COWTRACE_FAULT_WRITE : 0;
	if (s->kind == COWTRACE_KIND_SPECIAL)
		r.present = 0;
	if (s->pins) {
		r.pincount = s->pins;
		r.present |= COWTRACE_HAS_PINCOUNT;
	}
	if (s->pte != UNREAD) {
		r.state |= COWTRACE_EXIT_PRESENT | exits[s->pte].state;
		r.new_pfn = exits[s->pte].pfn;
		r.present |= COWTRACE_HAS_NEW_PFN;
		r.evidence |= COWTRACE_EV_PTE;
	}
	return r;
}

#define A(...)	{ COWTRACE_KIND_ANON, .plain = true, __VA_ARGS__ }
#define B(k, ...) { COWTRACE_KIND_##k, .plain = true, __VA_ARGS__ }
#define UNSHARE	.flags = COWTRACE_FAULT_FLAG_UNSHARE
/* Done, seen to have copied or seen not to have. */
#define COPIED	.ret = DONE, .pte = OTHER_RW, .evidence = WITNESS
#define KEPT	.ret = DONE, .pte = SAME_RW, .evidence = WATCHED

#define IS(o, r)	COWTRACE_OUTCOME_##o, COWTRACE_REASON_##r

static const struct {
	const char	*claim;
	uint32_t	on;
	struct sample	s;
	uint8_t		outcome, reason;
} cases[] = {
	/* Copies of anonymous pages, in the order of the tests. */
	{ "a KSM page with one user left is copied: PageKsm is tested",
	  ALL, B(KSM, .state = KSM | LRU, COPIED), IS(COPY, KSM) },
	{ "a page that a child maps too is copied for its mappings",
	  ALL, A(.state = ANON | LRU, .refs = 2, .maps = 2, COPIED), IS(COPY, MAPPED) },
	{ "a page of ten generations is copied for its mappings: count above 3",
	  ALL, A(.state = ANON | LRU, .refs = 10, .maps = 10, COPIED), IS(COPY, MAPPED) },
	{ "mappings weigh more than the swap cache beside them",
	  ALL, A(.state = ANON | LRU | SWAP, .refs = 3, .maps = 2, COPIED), IS(COPY, MAPPED) },
	{ "5.10 copies what the swap cache holds: page_count is 2",
	  K(V5_10), A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), IS(COPY, SWAPCACHE) },
	{ "from 5.18 the swap cache alone is the reason only if its slot stays",
	  DRAINING, A(.state = ANON | LRU | SWAP, .refs = 2, COPIED), IS(COPY, SWAPCACHE) },
	{ "a slot under writeback cannot be freed",
	  DRAINING, A(.state = ANON | LRU | SWAP | WB, .refs = 2, COPIED), IS(COPY, WRITEBACK) },
	{ "5.10 copies for the reference of an LRU batch",
	  K(V5_10), A(.state = ANON, .refs = 2, COPIED), IS(COPY, LRU) },
	{ "a batch of another CPU is not drained by lru_add_drain()",
	  DRAINING, A(.state = ANON, .refs = 2, COPIED), IS(COPY, LRU) },
	{ "one FOLL_PIN of a small page is 1024 references",
	  ALL, A(.state = ANON | LRU, .refs = 1025, COPIED), IS(COPY, PINNED) },
	{ "a pin weighs more than a batch that was drained",
	  DRAINING, A(.state = ANON, .refs = 1026, COPIED), IS(COPY, PINNED) },
	{ "a plain reference that nothing explains stays unattributed",
	  ALL, A(.state = ANON | LRU, .refs = 2, COPIED), IS(COPY, UNATTRIBUTED) },
	{ "with a single reference only the lost trylock is left",
	  ALL, A(.state = ANON | LRU | LOCKED, COPIED), IS(COPY, LOCKED) },
	{ "a lost trylock comes before the slot is looked at",
	  DRAINING, A(.state = ANON | LRU | SWAP | LOCKED, .refs = 2, COPIED), IS(COPY, LOCKED) },
	{ "counts that allowed a reuse and no lock: they moved, nobody is blamed",
	  ALL, A(.state = ANON | LRU, COPIED), IS(COPY, UNATTRIBUTED) },

	/* Large folios. */
	{ "5.10 and 6.1 copy a part of a THP: the count is that of all its pages",
	  CODED, A(.state = ANON | LRU, .order = 9, .refs = 512, .folio_maps = 512, COPIED),
	  IS(COPY, LARGE) },
	{ "6.12 copies every part of a large folio that is not exclusive",
	  K(V6_12), A(.state = ANON | LRU, .order = 2, .refs = 1, .folio_maps = 1, COPIED),
	  IS(COPY, LARGE) },
	{ "7.2 copies the last mapped page of a large folio, to give the folio back",
	  K(V7_2), A(.state = ANON | LRU, .order = 2, .refs = 1, .folio_maps = 1, COPIED),
	  IS(COPY, LARGE) },
	{ "7.2 copies a large folio that several mms may map",
	  K(V7_2), A(.state = ANON | LRU | MMS, .order = 2, .refs = 8, .folio_maps = 8, .maps = 2,
		     COPIED), IS(COPY, MAPPED) },
	{ "7.2 copies a large folio with a pin: mappings and count differ",
	  K(V7_2), A(.state = ANON | LRU, .order = 2, .refs = 5, .folio_maps = 4, .pins = 1,
		     COPIED), IS(COPY, PINNED) },
	{ "7.2 copies a large folio whose swap slots are being written",
	  K(V7_2), A(.state = ANON | LRU | SWAP | WB, .order = 2, .refs = 8, .folio_maps = 4,
		     COPIED), IS(COPY, WRITEBACK) },
	{ "7.2 copies a large folio in the swap cache that somebody locked",
	  K(V7_2), A(.state = ANON | LRU | SWAP | LOCKED, .order = 2, .refs = 8, .folio_maps = 4,
		     COPIED), IS(COPY, LOCKED) },
	{ "7.2 copies a large folio with a reference in an LRU batch",
	  K(V7_2), A(.state = ANON, .order = 2, .refs = 5, .folio_maps = 4, COPIED),
	  IS(COPY, LRU) },
	{ "7.2 copies a large folio with a plain reference",
	  K(V7_2), A(.state = ANON | LRU, .order = 2, .refs = 5, .folio_maps = 4, COPIED),
	  IS(COPY, UNATTRIBUTED) },
	{ "7.2 reuses a large folio that one mm maps and holds alone",
	  K(V7_2), A(.state = ANON | LRU, .order = 2, .refs = 4, .folio_maps = 4, KEPT),
	  IS(REUSE, LARGE_EXCLUSIVE) },

	/* Pages that are never reused. */
	{ "the zero page is copied", ALL,
	  B(ZERO, .state = 0, COPIED), IS(COPY, ZERO) },
	{ "a private file page is copied", ALL,
	  B(FILE, .state = LRU, .refs = 2, COPIED), IS(COPY, FILE) },
	{ "a page without struct page is copied", ALL,
	  B(SPECIAL, .state = 0, COPIED), IS(COPY, SPECIAL) },
	{ "a private file page on 5.10 and 6.1 is copied even if the PTE could not be read",
	  CODED, B(FILE, .state = LRU, .refs = 2, .ret = DONE), IS(COPY, FILE) },
	{ "a KSM page on 5.10 and 6.1 is copied even if ksmd has merged it again",
	  CODED, B(KSM, .state = KSM | LRU, .ret = DONE, .pte = SAME_RO), IS(COPY, KSM) },

	/* Reuses. */
	{ "a page with one reference is reused", ALL,
	  A(.state = ANON | LRU, KEPT), IS(REUSE, SOLE_REF) },
	{ "PageAnonExclusive is enough, whatever the count", DRAINING,
	  A(.state = ANON | LRU | EXCL, .refs = 1500, KEPT), IS(REUSE, EXCLUSIVE) },
	{ "a large exclusive folio is reused as exclusive", SILENT,
	  A(.state = ANON | LRU | EXCL, .order = 9, .refs = 512, .folio_maps = 512, KEPT),
	  IS(REUSE, EXCLUSIVE) },
	{ "a page that only the swap cache held too is reused", DRAINING,
	  A(.state = ANON | LRU | SWAP, .refs = 2, KEPT), IS(REUSE, SWAPCACHE_FREED) },
	{ "a page in a batch of this CPU is reused after the drain", DRAINING,
	  A(.state = ANON, .refs = 2, KEPT), IS(REUSE, SOLE_REF) },
	{ "FOLL_FORCE leaves a reused page read-only and dirty", ALL,
	  A(.vm = READ, .state = ANON | LRU, .ret = DONE, .pte = SAME_DIRTY, .evidence = WATCHED),
	  IS(REUSE, SOLE_REF) },

	/* Shared mappings. */
	{ "a shared file page is made writable", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = DONE, .pte = SAME_RW),
	  IS(MKWRITE, NONE) },
	{ "a shared PFN is made writable", ALL,
	  B(SPECIAL, .vm = SHARED, .state = 0, .ret = DONE, .pte = SAME_RW), IS(MKWRITE, NONE) },
	{ "5.10 returns WRITE and RETRY after throttling a dirtier", K(V5_10),
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3,
	    .ret = COWTRACE_FAULT_WRITE | COWTRACE_FAULT_RETRY), IS(MKWRITE, NONE) },
	{ "COMPLETED means made writable, with the lock dropped", DRAINING,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_COMPLETED),
	  IS(MKWRITE, NONE) },
	{ "6.12 treats VM_MAYSHARE as shared", SILENT,
	  B(FILE, .vm = MAYSHARE, .state = LRU, .refs = 3, .pte = SAME_RW), IS(MKWRITE, NONE) },
	{ "5.10 and 6.1 copy where VM_SHARED is not set", CODED,
	  B(FILE, .vm = MAYSHARE, .state = LRU, .refs = 3, COPIED), IS(COPY, FILE) },
	{ "5.10 and 6.1 say 0 of a shared page that was truncated: nothing to do", CODED,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .pte = SAME_RO), IS(NOOP, NONE) },
	{ "from 6.2 a shared page still read-only was truncated, or written and cleaned", SILENT,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .pte = SAME_RO), IS(UNKNOWN, NONE) },
	{ "RETRY under the VMA lock asks again", SILENT,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_RETRY),
	  IS(RETRY, NONE) },
	{ "SIGBUS of page_mkwrite() is an error", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_SIGBUS),
	  IS(ERROR, NONE) },

	/* Unshare. */
	{ "unshare copies what is shared and leaves it read-only", DRAINING,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, UNSHARE, .pte = OTHER_RO,
	    .evidence = WITNESS), IS(UNSHARE, MAPPED) },
	{ "unshare of a page with one user keeps it and makes it exclusive", DRAINING,
	  A(.state = ANON | LRU, UNSHARE, .pte = SAME_EXCL, .evidence = WATCHED),
	  IS(REUSE, SOLE_REF) },
	{ "6.1 has nothing to unshare on a file page", K(V6_1),
	  B(FILE, .state = LRU, .refs = 2, UNSHARE, .pte = SAME_RO, .evidence = WATCHED),
	  IS(NOOP, NONE) },
	{ "6.1 has nothing to unshare on the zero page", K(V6_1),
	  B(ZERO, .state = 0, UNSHARE, .pte = SAME_RO, .evidence = WATCHED), IS(NOOP, NONE) },
	{ "6.12 copies the zero page for an unshare", SILENT,
	  B(ZERO, .state = 0, UNSHARE, .pte = OTHER_RO, .evidence = WITNESS), IS(UNSHARE, ZERO) },
	{ "unshare breaks a KSM page", SILENT,
	  B(KSM, .state = KSM | LRU, .refs = 3, .maps = 3, UNSHARE, .pte = OTHER_RO,
	    .evidence = WITNESS), IS(UNSHARE, KSM) },

	/* userfaultfd. */
	{ "write protection by userfaultfd takes the fault", ALL,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT,
	    .ret = COWTRACE_FAULT_RETRY), IS(UFFD, NONE) },
	{ "userfaultfd without a handler ends in SIGBUS and is still its fault", ALL,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT,
	    .ret = COWTRACE_FAULT_SIGBUS), IS(UFFD, NONE) },
	{ "async userfaultfd clears the bit and goes on to reuse", SILENT,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT | EXCL, KEPT),
	  IS(REUSE, EXCLUSIVE) },
	{ "an unshare does not ask userfaultfd", SILENT,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT, UNSHARE,
	    .ret = COWTRACE_FAULT_RETRY), IS(RETRY, NONE) },

	/* Failures. */
	{ "no memory for the copy", ALL,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = COWTRACE_FAULT_OOM), IS(OOM, NONE) },
	{ "the source page is poisoned", DRAINING,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = COWTRACE_FAULT_HWPOISON),
	  IS(POISON, NONE) },
	{ "anon_vma under the VMA lock asks again", SILENT,
	  B(FILE, .state = LRU, .refs = 2, .ret = COWTRACE_FAULT_RETRY), IS(RETRY, NONE) },

	/* Races. */
	{ "without VM_FAULT_WRITE 5.10 and 6.1 lost a race", CODED,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .pte = OTHER_RW), IS(RACED, NONE) },
	{ "6.12: another page in the PTE and no witness is no copy of ours", SILENT,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .pte = OTHER_RW, .evidence = WATCHED),
	  IS(RACED, NONE) },
	{ "6.12: another page in the PTE and nobody watched is not called a copy", SILENT,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .pte = OTHER_RW), IS(RACED, NONE) },
	{ "6.12: the page could not be reused, was not copied and is gone: raced", SILENT,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .evidence = WATCHED), IS(RACED, NONE) },
	{ "6.12: the page could be reused and is gone: unknown", SILENT,
	  A(.state = ANON | LRU, .evidence = WATCHED), IS(UNKNOWN, NONE) },
	{ "6.1: success, page gone, and it could not be reused: copied", CODED,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = DONE), IS(COPY, MAPPED) },
	{ "6.1: success, page gone, it could be reused, nobody watched: unknown", CODED,
	  A(.state = ANON | LRU, .ret = DONE), IS(UNKNOWN, NONE) },
	{ "a witnessed copy is one whatever happened to the PTE since", ALL,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = DONE, .evidence = WITNESS),
	  IS(COPY, MAPPED) },
};

static void check_cases(void)
{
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool good = true;

		for (k = 0; k < NR_KERNELS; k++) {
			struct cowtrace_record r = record_of(&cases[i].s, kernels[k].traits);
			struct cowtrace_verdict v;

			if (!(cases[i].on & K(k)))
				continue;
			v = cowtrace_classify(&r, kernels[k].traits);
			if (v.outcome == cases[i].outcome && v.reason == cases[i].reason)
				continue;
			good = false;
			note("%s: outcome %u reason %u instead of %u and %u", kernels[k].name,
			     v.outcome, v.reason, cases[i].outcome, cases[i].reason);
		}
		ok(good, "%s", cases[i].claim);
	}
}

/* Each property is checked on every sample; the first that breaks it is kept. */
enum property {
	REASON_IFF_DONE, REASON_OF_COPY, REASON_OF_REUSE, SILENT_COPY_WITNESSED,
	UNSHARE_ONLY_THERE, EXCLUSIVE_NOT_COPIED, NEVER_REUSED, EVIDENCE_KEPT, FAILURE_FIRST,
	NOTHING_FROM_NOTHING, CODED_RACE, HOLDERS_SUM, HOLDERS_POSITIVE, NR_PROPERTIES
};

static const char * const property_claims[] = {
	[REASON_IFF_DONE] = "a reason is given exactly for reuse, copy and unshare",
	[REASON_OF_COPY] = "the reason of a copy is one of a copy",
	[REASON_OF_REUSE] = "the reason of a reuse is one of a reuse",
	[SILENT_COPY_WITNESSED] = "a kernel without VM_FAULT_WRITE has a copy only with a witness",
	[UNSHARE_ONLY_THERE] = "an unshare is never a copy, a write never an unshare",
	[EXCLUSIVE_NOT_COPIED] = "an exclusive page is never copied unless a witness saw it",
	[NEVER_REUSED] = "KSM, zero, private file and special pages are never reused",
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
	struct cowtrace_holders h = cowtrace_holders(&r);
	bool unshare = r.fault_flags & COWTRACE_FAULT_FLAG_UNSHARE;
	bool coded = traits & COWTRACE_TRAIT_RET_WRITE;
	bool copy = v.outcome == COWTRACE_OUTCOME_COPY;
	bool broke = v.outcome == COWTRACE_OUTCOME_UNSHARE;
	bool reuse = v.outcome == COWTRACE_OUTCOME_REUSE;

	samples++;
	expect(REASON_IFF_DONE, (copy || broke || reuse) == (v.reason != 0), &r);
	if (copy || broke)
		expect(REASON_OF_COPY, v.reason >= COWTRACE_REASON_KSM &&
				       v.reason <= COWTRACE_REASON_UNATTRIBUTED, &r);
	if (reuse)
		expect(REASON_OF_REUSE, v.reason >= COWTRACE_REASON_EXCLUSIVE &&
					v.reason < COWTRACE_REASON_MAPCOUNT_ONE, &r);
	if (copy && !coded)
		expect(SILENT_COPY_WITNESSED, r.evidence & COWTRACE_EV_WITNESS, &r);
	expect(UNSHARE_ONLY_THERE, unshare ? !copy : !broke, &r);
	if ((r.state & COWTRACE_PG_EXCLUSIVE) && !(r.evidence & COWTRACE_EV_WITNESS))
		expect(EXCLUSIVE_NOT_COPIED, !copy, &r);
	/* What stands in the PTE is not in doubt here: such a page is not made writable. */
	if (never_reusable(&r) && s->pte != SAME_RW && s->pte != SAME_DIRTY && s->pte != SAME_EXCL)
		expect(NEVER_REUSED, !reuse, &r);
	expect(EVIDENCE_KEPT, (v.evidence & r.evidence) == r.evidence, &r);
	if (r.ret & COWTRACE_FAULT_OOM)
		expect(FAILURE_FIRST, v.outcome == COWTRACE_OUTCOME_OOM, &r);
	else if (r.ret & COWTRACE_FAULT_HWPOISON)
		expect(FAILURE_FIRST, v.outcome == COWTRACE_OUTCOME_POISON, &r);
	if (!coded && !(r.evidence & (COWTRACE_EV_WITNESS | COWTRACE_EV_PTE)) &&
	    !(r.state & COWTRACE_PG_EXCLUSIVE))
		expect(NOTHING_FROM_NOTHING, !copy && !reuse && !broke, &r);
	if (coded && !unshare && !(r.ret & COWTRACE_FAULT_WRITE))
		expect(CODED_RACE, !copy && !reuse, &r);
	if (h.known) {
		expect(HOLDERS_SUM, h.mappings + h.swapcache + h.pagecache + h.lru + h.pins +
				    h.unattributed == h.total && h.total == r.refcount, &r);
		expect(HOLDERS_POSITIVE, h.mappings >= 0 && h.swapcache >= 0 &&
		       h.pagecache >= 0 && h.lru >= 0 && h.pins >= 0 && h.unattributed >= 0, &r);
	}
}

#define EACH(var, list)	for (size_t var = 0; var < sizeof(list) / sizeof(*(list)); var++)

static const uint32_t rets[] = {
	0, COWTRACE_FAULT_WRITE, COWTRACE_FAULT_RETRY, COWTRACE_FAULT_COMPLETED,
	COWTRACE_FAULT_NOPAGE, COWTRACE_FAULT_OOM, COWTRACE_FAULT_SIGBUS,
	COWTRACE_FAULT_HWPOISON, COWTRACE_FAULT_WRITE | COWTRACE_FAULT_RETRY,
};
static const uint64_t vms[] = { 0, W, SHARED, MAYSHARE, W | COWTRACE_VM_UFFD_WP };
static const uint32_t flags[] = { 0, COWTRACE_FAULT_FLAG_UNSHARE };
static const uint32_t evidences[] = {
	0, WATCHED, WITNESS, ALONE, ALONE | WATCHED, ALONE | WITNESS,
};
static const uint32_t kind_states[] = {
	[COWTRACE_KIND_UNKNOWN] = 0, [COWTRACE_KIND_ANON] = ANON, [COWTRACE_KIND_KSM] = KSM,
	[COWTRACE_KIND_ZERO] = 0, [COWTRACE_KIND_FILE] = 0, [COWTRACE_KIND_SPECIAL] = 0,
};
static const uint32_t bits[] = { LRU, SWAP, WB, LOCKED, EXCL, MMS, UFFD_BIT };
static const int32_t refs[] = { 0, 1, 2, 3, 4, 5, 1025, 1026, 4096, INT32_MAX };

static uint32_t state_of(size_t kind, uint32_t chosen)
{
	uint32_t state = kind_states[kind];

	EACH(i, bits)
		if (chosen & 1u << i)
			state |= bits[i];
	/* Only an anonymous page that no KSM merged is exclusive. */
	if (kind != COWTRACE_KIND_ANON)
		state &= ~EXCL;
	return state;
}

/* Every way in which a fault can end, over a few counts. */
static void sweep_outcomes(void)
{
	for (size_t k = 0; k < NR_KERNELS; k++)
	EACH(kind, kind_states)
	for (uint32_t chosen = 0; chosen < 1u << (sizeof(bits) / sizeof(*bits)); chosen++)
	EACH(vm, vms)
	EACH(f, flags)
	EACH(ret, rets)
	EACH(ev, evidences)
	for (int pte = UNREAD; pte <= SAME_EXCL; pte++)
	for (int32_t ref = 1; ref < 4; ref++) {
		struct sample s = {
			.kind = kind, .vm = vms[vm], .state = state_of(kind, chosen),
			.refs = ref, .maps = 1 + (ref > 2), .flags = flags[f], .ret = rets[ret],
			.pte = pte, .evidence = evidences[ev],
		};

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
	EACH(kind, kind_states)
	for (uint32_t chosen = 0; chosen < 1u << (sizeof(bits) / sizeof(*bits)); chosen++)
	EACH(ref, refs)
	EACH(map, maps)
	EACH(folio, maps)
	EACH(order, orders)
	EACH(pin, pins)
	for (int copy = 0; copy < 2; copy++) {
		struct sample s = {
			.kind = kind, .vm = W, .state = state_of(kind, chosen), .refs = refs[ref],
			.maps = maps[map], .folio_maps = maps[folio], .order = orders[order],
			.pins = pins[pin], .ret = DONE, .pte = copy ? OTHER_RW : SAME_RW,
			.evidence = copy ? WITNESS : WATCHED,
		};

		check_sample(&s, kernels[k].traits);
	}
}

static void check_other_paths(void)
{
	struct sample s = A(.state = ANON | LRU, .refs = 2, .maps = 2, COPIED);
	struct cowtrace_record r = record_of(&s, 0);
	struct cowtrace_verdict v;

	r.path = COWTRACE_PATH_HUGETLB;
	v = cowtrace_classify(&r, 0);
	ok(v.outcome == COWTRACE_OUTCOME_UNKNOWN && !v.reason,
	   "a record of another path is not judged by the rules of this one");
	r.refcount = -1;
	ok(!cowtrace_holders(&r).known, "a negative count has no known holders");
	r.refcount = 3;
	r.kind = COWTRACE_KIND_ZERO;
	ok(!cowtrace_holders(&r).known, "the zero page has no known holders");
}

int main(void)
{
	size_t p;

	check_cases();
	check_other_paths();
	sweep_outcomes();
	sweep_counts();
	for (p = 0; p < NR_PROPERTIES; p++) {
		const struct cowtrace_record *r = &first_broken[p];

		ok(!broken[p], "%s", property_claims[p]);
		if (broken[p])
			note("%lu samples, first: kind %u state %#x refs %d maps %d order %u ret %#x flags %#x vm %#llx evidence %#x new_pfn %#llx",
			     (unsigned long)broken[p], r->kind, r->state, r->refcount, r->mapcount,
			     r->order, r->ret, r->fault_flags, (unsigned long long)r->vm_flags,
			     r->evidence, (unsigned long long)r->new_pfn);
	}
	note("%lu samples", (unsigned long)samples);
	return tap_end();
}
