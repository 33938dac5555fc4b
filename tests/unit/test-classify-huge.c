// SPDX-License-Identifier: GPL-2.0
/*
 * The verdict on faults of huge pages against the steps of the kernels'
 * do_huge_pmd_wp_page(), hugetlb_wp() and hugetlb_cow(). See inversions.
 */
#include "verdicts.h"

#define PAGES	512

#define PMD(...)							\
	{ COWTRACE_KIND_THP, COWTRACE_PATH_PMD, .plain = true, .order = 9, .folio_maps = 1, \
	  .state = ANON | LRU, __VA_ARGS__ }
#define HUGETLB(...)							\
	{ COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .plain = true, .order = 9, \
	  .folio_maps = 1, .refs = 2, .state = ANON, __VA_ARGS__ }
#define SPLIT	.ret = COWTRACE_FAULT_FALLBACK
/* Mapped twice, by PMDs. */
#define TWICE	.maps = 2, .folio_maps = 2

/* The last of two initializers counts: the defaults above may be overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct verdict pmd[] = {
	/* Splits, in the order of the tests. */
	{ "the huge zero page is split", ALL,
	  PMD(.kind = COWTRACE_KIND_ZERO, .state = 0, SPLIT), IS(SPLIT, ZERO, RET) },
	{ "a huge page that a child maps too is split for its mappings", ALL,
	  PMD(.refs = 2, TWICE, SPLIT), IS(SPLIT, MAPPED, RET) },
	{ "from 5.19 on a pin of a page that is not exclusive splits it", DRAINING,
	  PMD(.refs = 1025, .pins = 1, SPLIT), IS(SPLIT, PINNED, RET) },
	{ "from 5.19 on a plain reference splits it", DRAINING,
	  PMD(.refs = 2, SPLIT), IS(SPLIT, UNATTRIBUTED, RET) },
	{ "from 5.19 on the reference of an LRU batch splits it", DRAINING,
	  PMD(.state = ANON, .refs = 2, SPLIT), IS(SPLIT, LRU, RET) },
	{ "a plain reference weighs more than a batch", DRAINING,
	  PMD(.state = ANON, .refs = 3, SPLIT), IS(SPLIT, UNATTRIBUTED, RET) },
	{ "5.10 looks at mappings and swap slots alone, and none was left: they moved", K(V5_10),
	  PMD(.refs = 2, SPLIT), IS(SPLIT, UNATTRIBUTED, RET, TRIED, SHIFTED) },
	{ "the swap cache has a reference for each page: they are tolerated", ALL,
	  PMD(.state = ANON | LRU | SWAP, .refs = 1 + PAGES, SPLIT),
	  IS(SPLIT, SWAPCACHE, RET, TRIED) },
	{ "slots under writeback cannot be freed", DRAINING,
	  PMD(.state = ANON | LRU | SWAP | WB, .refs = 1 + PAGES, SPLIT),
	  IS(SPLIT, WRITEBACK, RET, TRIED) },
	{ "5.10 minds writeback on few devices, slots in use on all", K(V5_10),
	  PMD(.state = ANON | LRU | SWAP | WB, .refs = 1 + PAGES, SPLIT),
	  IS(SPLIT, SWAPCACHE, RET, TRIED) },
	{ "a reference beside the swap cache's splits it", DRAINING,
	  PMD(.state = ANON | LRU | SWAP, .refs = 2 + PAGES, SPLIT),
	  IS(SPLIT, UNATTRIBUTED, RET) },
	{ "counts that allowed a reuse moved", ALL,
	  PMD(SPLIT), IS(SPLIT, UNATTRIBUTED, RET, TRIED, SHIFTED) },

	/* Reuses. */
	{ "an exclusive huge page is reused: 6.1 returns VM_FAULT_WRITE", K(V6_1),
	  PMD(.state = ANON | LRU | EXCL, .refs = 3, .ret = DONE), IS(REUSE, EXCLUSIVE, RET) },
	{ "an exclusive huge page is reused: from 6.2 on the witness saw it", SILENT,
	  PMD(.state = ANON | LRU | EXCL, .refs = 3, .evidence = WATCHED | REUSED),
	  IS(REUSE, EXCLUSIVE) },
	{ "who was alone made the huge page writable himself, when nobody watched", SILENT,
	  PMD(.pte = SAME_RW, .evidence = ALONE), IS(REUSE, SOLE_REF) },
	{ "5.10 reuses what one process maps, whatever the references", K(V5_10),
	  PMD(.refs = 3, .ret = DONE), IS(REUSE, MAPCOUNT_ONE, RET) },
	{ "5.10 reused what two processes mapped: that moved", K(V5_10),
	  PMD(.refs = 2, TWICE, .ret = DONE), IS(REUSE, MAPCOUNT_ONE, RET, SHIFTED) },
	{ "from 5.19 on a huge page with one reference is reused", K(V6_1),
	  PMD(.ret = DONE), IS(REUSE, SOLE_REF, RET) },
	{ "a huge page that only the swap cache held too is reused", SILENT,
	  PMD(.state = ANON | LRU | SWAP, .refs = 1 + PAGES, .evidence = REUSED),
	  IS(REUSE, SWAPCACHE_FREED, TRIED) },
	{ "a reuse with a reference too many: that moved", SILENT,
	  PMD(.refs = 2, .evidence = REUSED), IS(REUSE, SOLE_REF, SHIFTED) },
	{ "an unshare that keeps a huge page makes it exclusive", DRAINING,
	  PMD(UNSHARE, .pte = SAME_EXCL), IS(REUSE, SOLE_REF) },

	/* All else. */
	{ "7.2 copies the huge zero page when it has a huge page at hand", SILENT,
	  PMD(.kind = COWTRACE_KIND_ZERO, .state = 0, .pte = OTHER_RW, .evidence = WITNESS),
	  IS(COPY, ZERO) },
	{ "7.2 unshares the huge zero page by a copy", SILENT,
	  PMD(.kind = COWTRACE_KIND_ZERO, .state = 0, UNSHARE, .pte = OTHER_RW,
	      .evidence = WITNESS), IS(UNSHARE, ZERO) },
	{ "without VM_FAULT_WRITE 5.10 and 6.1 lost a race", CODED,
	  PMD(.pte = SAME_RW), IS(RACED, NONE, RET) },
	{ "from 6.2 on, watched and seen doing nothing is a lost race", SILENT,
	  PMD(.pte = SAME_RW, .evidence = WATCHED | ALONE), IS(RACED, NONE) },
	{ "nobody watched, and another thread may have done it", SILENT,
	  PMD(.pte = SAME_RW), IS(RACED, NONE) },
	{ "alone, but the huge page is not writable", SILENT,
	  PMD(.pte = SAME_RO, .evidence = ALONE), IS(RACED, NONE) },
	{ "an unshare after which the huge page is not exclusive lost a race", DRAINING,
	  PMD(UNSHARE, .pte = SAME_RO), IS(RACED, NONE) },
	{ "an unshare after which another page stands there lost a race", DRAINING,
	  PMD(UNSHARE, .pte = OTHER_EXCL), IS(RACED, NONE) },
	{ "an unshare after which the huge page is writable lost a race to a write", DRAINING,
	  PMD(UNSHARE, .pte = SAME_RW_EXCL), IS(RACED, NONE) },
	{ "no memory for a huge page", SILENT,
	  PMD(.ret = COWTRACE_FAULT_OOM), IS(OOM, NONE, RET) },
};

static const struct verdict hugetlb[] = {
	{ "a private hugetlb page that a child maps too is copied", ALL,
	  HUGETLB(TWICE, .refs = 3, .pte = OTHER_RW, .evidence = WITNESS), IS(COPY, MAPPED) },
	{ "a copy of a page that was mapped once: that moved", ALL,
	  HUGETLB(.pte = OTHER_RW, .evidence = WITNESS), IS(COPY, MAPPED, SHIFTED) },
	{ "a private mapping of a hugetlb file is copied", ALL,
	  HUGETLB(.state = 0, .refs = 3, .pte = OTHER_RW, .evidence = WITNESS), IS(COPY, FILE) },
	{ "an unshare of a hugetlb page copies it", DRAINING,
	  HUGETLB(TWICE, .refs = 3, UNSHARE, .pte = OTHER_RO, .evidence = WITNESS),
	  IS(UNSHARE, MAPPED) },
	{ "mapped once and writable at the end: reused, whatever the references", ALL,
	  HUGETLB(.refs = 9, .pte = SAME_RW, .evidence = WATCHED), IS(REUSE, MAPCOUNT_ONE) },
	{ "mapped twice at first, but alone: the other mapping went, reused", ALL,
	  HUGETLB(TWICE, .refs = 3, .pte = SAME_RW, .evidence = WATCHED | ALONE),
	  IS(REUSE, MAPCOUNT_ONE, SHIFTED) },
	{ "mapped twice at first, and another thread may have done it", ALL,
	  HUGETLB(TWICE, .refs = 3, .pte = SAME_RW, .evidence = WATCHED), IS(RACED, NONE) },
	{ "a file's page mapped once is not reused by its mappings alone", ALL,
	  HUGETLB(.state = 0, .pte = SAME_RW, .evidence = WATCHED), IS(RACED, NONE) },
	{ "mapped once, and FOLL_FORCE leaves it read-only: decided under the lock, reused", ALL,
	  HUGETLB(.vm = READ, .pte = SAME_RO, .evidence = WATCHED), IS(REUSE, MAPCOUNT_ONE) },
	{ "mapped once, but another page stands there: raced", ALL,
	  HUGETLB(.pte = OTHER_RO, .evidence = WATCHED), IS(RACED, NONE) },
	{ "an unshare that keeps a hugetlb page makes it exclusive", DRAINING,
	  HUGETLB(UNSHARE, .pte = SAME_EXCL, .evidence = WATCHED), IS(REUSE, MAPCOUNT_ONE) },
	{ "an unshare that left the page as it was lost a race", DRAINING,
	  HUGETLB(UNSHARE, .pte = SAME_RO, .evidence = WATCHED), IS(RACED, NONE) },
	{ "an unshare after which another page is exclusive lost a race", DRAINING,
	  HUGETLB(UNSHARE, .pte = OTHER_EXCL, .evidence = WATCHED), IS(RACED, NONE) },
	{ "an unshare of a page mapped twice: another thread may have done it", DRAINING,
	  HUGETLB(TWICE, UNSHARE, .pte = SAME_EXCL, .evidence = WATCHED), IS(RACED, NONE) },
	{ "a shared mapping is made writable", ALL,
	  HUGETLB(.vm = SHARED, .state = 0, .pte = SAME_RW), IS(MKWRITE, NONE) },
	{ "VM_SHARED alone is a shared mapping", ALL,
	  HUGETLB(.vm = W | COWTRACE_VM_SHARED, .state = 0, .pte = SAME_RW), IS(MKWRITE, NONE) },
	{ "VM_MAYSHARE alone is a shared mapping", ALL,
	  HUGETLB(.vm = MAYSHARE, .state = 0, .pte = SAME_RW), IS(MKWRITE, NONE) },
	{ "a shared mapping that is not writable at the end lost a race", ALL,
	  HUGETLB(.vm = SHARED, .state = 0, .pte = SAME_RO), IS(RACED, NONE) },
	{ "there is nothing to unshare in a shared mapping", DRAINING,
	  HUGETLB(.vm = SHARED, .state = 0, UNSHARE, .pte = SAME_RO), IS(NOOP, NONE) },
	{ "the write waits for userfaultfd to take its protection away", ALL,
	  HUGETLB(.vm = W | UFFD, .state = ANON | UFFD_BIT, .pte = SAME_RO), IS(UFFD, NONE) },
	{ "a protected page that is another one now lost a race", ALL,
	  HUGETLB(.vm = W | UFFD, .state = ANON | UFFD_BIT, .pte = OTHER_RO), IS(RACED, NONE) },
	{ "RETRY asks again", SILENT,
	  HUGETLB(.ret = COWTRACE_FAULT_RETRY), IS(RETRY, NONE, RET) },
	{ "no huge page for the copy", ALL,
	  HUGETLB(TWICE, .ret = COWTRACE_FAULT_OOM), IS(OOM, NONE, RET) },
	{ "no huge page in the pool", ALL,
	  HUGETLB(TWICE, .ret = COWTRACE_FAULT_SIGBUS), IS(ERROR, NONE, RET) },
};

int main(void)
{
	check_verdicts(pmd, sizeof(pmd) / sizeof(*pmd));
	check_verdicts(hugetlb, sizeof(hugetlb) / sizeof(*hugetlb));
	return tap_end();
}
