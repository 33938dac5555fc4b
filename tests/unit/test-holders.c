// SPDX-License-Identifier: GPL-2.0
/* Who held a page, and how much of it was copied. See inversions. */
#include <string.h>

#include "sample.h"
#include "tap.h"

/* Parts of the count in the order of struct cowtrace_holders, the total first. */
struct parts {
	int32_t	total, mappings, swapcache, pagecache, lru, pins, fault, unattributed;
};

#define FILE_STATE	(LRU | COWTRACE_PG_PRIVATE)
#define HUGETLB(...)							\
	{ COWTRACE_KIND_HUGETLB, COWTRACE_PATH_HUGETLB, .plain = true, .order = 9, \
	  .folio_maps = 1, __VA_ARGS__ }

static const struct {
	const char	*claim;
	uint32_t	on;
	struct sample	s;
	struct parts	parts;
} cases[] = {
	{ "one reference is the mapping's", ALL,
	  A(.state = ANON | LRU), { 1, .mappings = 1 } },
	{ "three mappings have three references", ALL,
	  A(.state = ANON | LRU, .refs = 3, .maps = 3), { 3, .mappings = 3 } },
	{ "the swap cache has one", ALL,
	  A(.state = ANON | LRU | SWAP, .refs = 2), { 2, .mappings = 1, .swapcache = 1 } },
	{ "the swap cache has one for each page of a folio", SILENT,
	  A(.state = ANON | LRU | SWAP, .refs = 8, .order = 2, .folio_maps = 4),
	  { 8, .mappings = 4, .swapcache = 4 } },
	{ "the page cache has one", ALL,
	  B(FILE, .state = LRU, .refs = 2), { 2, .mappings = 1, .pagecache = 1 } },
	{ "buffers have one more", ALL,
	  B(FILE, .state = FILE_STATE, .refs = 3), { 3, .mappings = 1, .pagecache = 2 } },
	{ "shmem on its way to swap is held by the swap cache", ALL,
	  B(FILE, .state = LRU | SWAP, .refs = 2), { 2, .mappings = 1, .swapcache = 1 } },
	{ "a page on no LRU list waits in a batch", ALL,
	  A(.state = ANON, .refs = 2), { 2, .mappings = 1, .lru = 1 } },
	{ "a page on no LRU list without a reference left waits nowhere", ALL,
	  A(.state = ANON), { 1, .mappings = 1 } },
	{ "a batch has one reference, no more", ALL,
	  A(.state = ANON, .refs = 3), { 3, .mappings = 1, .lru = 1, .unattributed = 1 } },
	{ "a page on an LRU list waits in no batch", ALL,
	  A(.state = ANON | LRU, .refs = 2), { 2, .mappings = 1, .unattributed = 1 } },
	{ "each pin of a small page has 1024", ALL,
	  A(.state = ANON | LRU, .refs = 2049), { 2049, .mappings = 1, .pins = 2048 } },
	{ "less than 1024 is no pin", ALL,
	  A(.state = ANON | LRU, .refs = 1024), { 1024, .mappings = 1, .unattributed = 1023 } },
	{ "a large folio counts its pins apart", SILENT,
	  A(.state = ANON | LRU, .refs = 1030, .order = 2, .folio_maps = 4, .pins = 2),
	  { 1030, .mappings = 4, .pins = 2, .unattributed = 1024 } },
	{ "many references of a large folio are no pins when it has no count of them", SILENT,
	  A(.state = ANON | LRU, .refs = 1026, .order = 1, .folio_maps = 2),
	  { 1026, .mappings = 2, .unattributed = 1024 } },
	{ "more mappings than references: they moved, and nobody has less than none", ALL,
	  A(.state = ANON | LRU | SWAP, .refs = 2, .maps = 5), { 2, .mappings = 2 } },
	{ "a mapcount that is negative is none", ALL,
	  A(.state = ANON | LRU, .refs = 2, .maps = -1), { 2, .unattributed = 2 } },
	{ "a count of nothing is known: nobody holds it", ALL,
	  { COWTRACE_KIND_ANON, .state = ANON | LRU }, { 0 } },
	{ "a hugetlb page is on no LRU list and in no batch: the fault has a reference", ALL,
	  HUGETLB(.state = ANON, .refs = 2), { 2, .mappings = 1, .fault = 1 } },
	{ "a page of a hugetlb file is held once by the page cache until 6.6", K(V6_12),
	  HUGETLB(.state = 0, .refs = 3), { 3, .mappings = 1, .pagecache = 1, .fault = 1 } },
	{ "and once for each of its pages since", K(V6_12),
	  HUGETLB(.state = 0, .refs = 514), { 514, .mappings = 1, .pagecache = 512, .fault = 1 } },
	{ "until 6.1 the fault has two references on a page of a hugetlb file", CODED,
	  HUGETLB(.state = 0, .refs = 4), { 4, .mappings = 1, .pagecache = 1, .fault = 2 } },
	{ "from 6.2 on it has one", SILENT,
	  HUGETLB(.state = 0, .refs = 4),
	  { 4, .mappings = 1, .pagecache = 1, .fault = 1, .unattributed = 1 } },
};

static void check_parts(void)
{
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct parts *want = &cases[i].parts;
		bool good = true;

		for (k = 0; k < NR_KERNELS; k++) {
			struct cowtrace_record r = record_of(&cases[i].s, kernels[k].traits);
			struct cowtrace_holders h;

			if (!(cases[i].on & K(k)))
				continue;
			/* hugetlb_fault() is called for the whole page: its mappings are known. */
			h = cowtrace_holders(&r, kernels[k].traits);
			if (h.known && h.total == want->total && h.mappings == want->mappings &&
			    h.swapcache == want->swapcache && h.pagecache == want->pagecache &&
			    h.lru == want->lru && h.pins == want->pins && h.fault == want->fault &&
			    h.unattributed == want->unattributed)
				continue;
			good = false;
			note("%s: %sknown, total %d = mappings %d + swap cache %d + page cache %d + LRU batch %d + pins %d + fault %d + unattributed %d",
			     kernels[k].name, h.known ? "" : "not ", h.total, h.mappings,
			     h.swapcache, h.pagecache, h.lru, h.pins, h.fault, h.unattributed);
		}
		ok(good, "%s", cases[i].claim);
	}
}

static bool known(struct sample s, size_t kernel)
{
	struct cowtrace_record r = record_of(&s, kernels[kernel].traits);

	return cowtrace_holders(&r, kernels[kernel].traits).known;
}

static void check_unknown(void)
{
	struct cowtrace_holders none = { 0 }, h;
	struct cowtrace_record r;
	struct sample special = B(SPECIAL, .state = 0);
	struct sample zero = B(ZERO, .state = 0, .refs = 3);
	struct sample negative = A(.state = ANON | LRU, .refs = -1);
	struct sample large = A(.state = ANON | LRU, .refs = 512, .order = 9);

	ok(!known(special, V6_12), "a page without struct page has no known holders");
	ok(!known(zero, V6_12), "the zero page has no known holders");
	ok(!known(negative, V6_12), "a negative count has no known holders");
	ok(!known(large, V6_1), "a large folio whose mappings are not known has no known holders");
	r = record_of(&large, kernels[V6_1].traits);
	h = cowtrace_holders(&r, kernels[V6_1].traits);
	ok(!memcmp(&h, &none, sizeof(h)), "of holders that are not known each part is 0");
}

static uint32_t copied(int outcome, int path, int order)
{
	struct cowtrace_record r = { .outcome = outcome, .path = path, .order = order };

	return cowtrace_copied_pages(&r);
}

#define O(name)	COWTRACE_OUTCOME_##name
#define P(name)	COWTRACE_PATH_##name

static void check_copied(void)
{
	ok(copied(O(COPY), P(PTE), 9) == 1, "a copy of one PTE is one page");
	ok(copied(O(UNSHARE), P(PTE), 0) == 1, "an unshare is one page");
	ok(copied(O(REUSE), P(PTE), 0) == 0, "a reuse copies nothing");
	ok(copied(O(COPY), P(PMD), 0) == 512, "the huge zero page is copied whole");
	ok(copied(O(COPY), P(HUGETLB), 18) == 1 << 18, "a hugetlb page is copied whole");
	ok(copied(O(COPY), P(HUGETLB), 29) == 1u << 29, "whatever its size");
	ok(copied(O(COPY), P(HUGETLB), 30) == 0, "an order that no kernel has is none");
}

int main(void)
{
	check_parts();
	check_unknown();
	check_copied();
	return tap_end();
}
