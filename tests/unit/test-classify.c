// SPDX-License-Identifier: GPL-2.0
/*
 * The decisions against the steps of the kernels, written down a second time
 * as a table. No line of a decision may be inverted without a claim of this
 * program failing: see inversions.
 */
#include "sample.h"
#include "tap.h"

/* Outcome, reason, and the evidence that the classification adds. */
#define IS(o, r, ...)	COWTRACE_OUTCOME_##o, COWTRACE_REASON_##r, (0 __VA_OPT__(|) __VA_ARGS__)
#define RET		COWTRACE_EV_RET
#define DRAINED		COWTRACE_EV_DRAINED
#define SHIFTED		COWTRACE_EV_SHIFTED

static const struct {
	const char	*claim;
	uint32_t	on;
	struct sample	s;
	uint8_t		outcome, reason;
	uint16_t	adds;
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
	  DRAINING, A(.state = ANON, .refs = 2, COPIED), IS(COPY, LRU, DRAINED) },
	{ "one FOLL_PIN of a small page is 1024 references",
	  ALL, A(.state = ANON | LRU, .refs = 1025, COPIED), IS(COPY, PINNED) },
	{ "a pin weighs more than a batch that was drained",
	  DRAINING, A(.state = ANON, .refs = 1026, COPIED), IS(COPY, PINNED, DRAINED) },
	{ "a plain reference that nothing explains stays unattributed",
	  ALL, A(.state = ANON | LRU, .refs = 2, COPIED), IS(COPY, UNATTRIBUTED) },
	{ "with a single reference only the lost trylock is left",
	  ALL, A(.state = ANON | LRU | LOCKED, COPIED), IS(COPY, LOCKED) },
	{ "a lost trylock comes before the slot is looked at",
	  DRAINING, A(.state = ANON | LRU | SWAP | LOCKED, .refs = 2, COPIED), IS(COPY, LOCKED) },
	{ "counts that allowed a reuse and no lock: they moved, nobody is blamed",
	  ALL, A(.state = ANON | LRU, COPIED), IS(COPY, UNATTRIBUTED, SHIFTED) },

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
	  IS(COPY, LRU, DRAINED) },
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
	  CODED, B(FILE, .state = LRU, .refs = 2, .ret = DONE), IS(COPY, FILE, RET) },
	{ "a KSM page on 5.10 and 6.1 is copied even if ksmd has merged it again",
	  CODED, B(KSM, .state = KSM | LRU, .ret = DONE, .pte = SAME_RO), IS(COPY, KSM, RET) },

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
	  A(.state = ANON, .refs = 2, KEPT), IS(REUSE, SOLE_REF, DRAINED) },
	{ "FOLL_FORCE leaves a reused page read-only and dirty", ALL,
	  A(.vm = READ, .state = ANON | LRU, .ret = DONE, .pte = SAME_DIRTY, .evidence = WATCHED),
	  IS(REUSE, SOLE_REF) },

	/* Shared mappings. */
	{ "a shared file page is made writable: 5.10 and 6.1 return VM_FAULT_WRITE", CODED,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = DONE, .pte = SAME_RW),
	  IS(MKWRITE, NONE, RET) },
	{ "a shared file page is made writable: from 6.2 on the PTE tells", SILENT,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = DONE, .pte = SAME_RW),
	  IS(MKWRITE, NONE) },
	{ "a bit that was VM_FAULT_WRITE says nothing from 6.2 on", SILENT,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_WRITE,
	    .pte = SAME_RO), IS(UNKNOWN, NONE) },
	{ "a shared PFN is made writable", SILENT,
	  B(SPECIAL, .vm = SHARED, .state = 0, .ret = DONE, .pte = SAME_RW), IS(MKWRITE, NONE) },
	{ "VM_SHARED alone is enough from 6.2 on", SILENT,
	  B(FILE, .vm = W | COWTRACE_VM_SHARED, .state = LRU, .refs = 3, .pte = SAME_RW),
	  IS(MKWRITE, NONE) },
	{ "NOPAGE and the same page still read-only: the driver asked again", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_NOPAGE,
	    .pte = SAME_RO), IS(RETRY, NONE) },
	{ "NOPAGE and the page is writable: another thread was faster", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_NOPAGE,
	    .pte = SAME_RW), IS(RACED, NONE) },
	{ "NOPAGE and the page is gone: somebody was faster", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_NOPAGE,
	    .pte = GONE), IS(RACED, NONE) },
	{ "NOPAGE and a PTE that was not read: nobody asked again for certain", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_NOPAGE),
	  IS(RACED, NONE) },
	{ "5.10 returns WRITE and RETRY after throttling a dirtier", K(V5_10),
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3,
	    .ret = COWTRACE_FAULT_WRITE | COWTRACE_FAULT_RETRY), IS(MKWRITE, NONE, RET) },
	{ "COMPLETED means made writable, with the lock dropped", DRAINING,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_COMPLETED),
	  IS(MKWRITE, NONE, RET) },
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
	  IS(RETRY, NONE, RET) },
	{ "SIGBUS of page_mkwrite() is an error", ALL,
	  B(FILE, .vm = SHARED, .state = LRU, .refs = 3, .ret = COWTRACE_FAULT_SIGBUS),
	  IS(ERROR, NONE, RET) },

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
	    .ret = COWTRACE_FAULT_RETRY), IS(UFFD, NONE, RET) },
	{ "userfaultfd without a handler ends in SIGBUS and is still its fault", ALL,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT,
	    .ret = COWTRACE_FAULT_SIGBUS), IS(UFFD, NONE, RET) },
	{ "async userfaultfd clears the bit and goes on to reuse", SILENT,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT | EXCL, KEPT),
	  IS(REUSE, EXCLUSIVE) },
	{ "an unshare does not ask userfaultfd", SILENT,
	  A(.vm = W | COWTRACE_VM_UFFD_WP, .state = ANON | LRU | UFFD_BIT, UNSHARE,
	    .ret = COWTRACE_FAULT_RETRY), IS(RETRY, NONE, RET) },

	/* Failures. */
	{ "no memory for the copy", ALL,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = COWTRACE_FAULT_OOM), IS(OOM, NONE, RET) },
	{ "the source page is poisoned", DRAINING,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .ret = COWTRACE_FAULT_HWPOISON),
	  IS(POISON, NONE, RET) },
	{ "anon_vma under the VMA lock asks again", SILENT,
	  B(FILE, .state = LRU, .refs = 2, .ret = COWTRACE_FAULT_RETRY), IS(RETRY, NONE, RET) },

	/* Races. */
	{ "without VM_FAULT_WRITE 5.10 and 6.1 lost a race", CODED,
	  A(.state = ANON | LRU, .refs = 2, .maps = 2, .pte = OTHER_RW), IS(RACED, NONE, RET) },
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
			if (v.outcome == cases[i].outcome && v.reason == cases[i].reason &&
			    v.evidence == (r.evidence | cases[i].adds))
				continue;
			good = false;
			note("%s: outcome %u reason %u evidence %#x instead of %u, %u and %#x",
			     kernels[k].name, v.outcome, v.reason, v.evidence, cases[i].outcome,
			     cases[i].reason, r.evidence | cases[i].adds);
		}
		ok(good, "%s", cases[i].claim);
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
	ok(!cowtrace_holders(&r, 0).known, "a negative count has no known holders");
	r.refcount = 3;
	r.kind = COWTRACE_KIND_ZERO;
	ok(!cowtrace_holders(&r, 0).known, "the zero page has no known holders");
}

int main(void)
{
	check_cases();
	check_other_paths();
	return tap_end();
}
