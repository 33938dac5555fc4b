// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios that PTEs map. Until 6.1 they are decided as small pages are, by
 * the count of the whole folio; 6.12 copies all that is not exclusive; 6.15 and
 * later reuse them where one process maps and holds all of it.
 */
#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <sys/mman.h>

#include "truth-huge.h"

/* Pages of the folio that are written: not its first. */
#define FIRST_PAGE	3
#define SOME		4

/* All pages of one huge page, each mapped by a PTE. */
static char *large(void)
{
	char *mem = map_thp(1);

	/* To protect one page splits the PMD. */
	mprotect(mem, PAGE, PROT_READ);
	mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
	begin_at(mem + FIRST_PAGE * PAGE, SOME, PAGE);
	return mem;
}

/* Every page: its record, an order of @order, and what kpagecount says of it. */
static void check_pages(const struct trace *t, const char *name, const char *claim, int outcome,
			int reason, int order)
{
	const struct cowtrace_record *r = NULL;
	bool good = true;
	int i;

	for (i = 0; i < sh->n && good; i++) {
		r = sole(t, i);
		good = is(r, outcome, reason, COWTRACE_KIND_ANON, COWTRACE_ORIGIN_USER) &&
		       r->path == COWTRACE_PATH_PTE && r->order == order &&
		       r->mapcount == (int)sh->mapcount[i] && !(r->state & COWTRACE_AFTER_SPLIT);
	}
	check(good && i, name, claim, "page %d, kpagecount %d: %s", i - 1,
	      (int)sh->mapcount[i ? i - 1 : 0], record_text(r));
}

#define PAGES(t, name, claim, o, why)					\
	check_pages(t, name, claim, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, 9)

/* What is common to all patterns. */
static void check_rest(const struct trace *t, const char *frames, const char *counts)
{
	check(frames_agree(t), frames, "its frames are those of pagemap", "%s",
	      record_text(sole(t, 0)));
	check_counts(t, counts);
}

/* --- one process -------------------------------------------------------------- */

static void alone_run(void *unused)
{
	(void)unused;
	large();
	fork_and_forget();
	write_counted();
}

static void alone_judge(const struct trace *t)
{
	const struct cowtrace_record *r = sole(t, 0);

	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE)
		PAGES(t, "alone", "one process maps and holds all of it: reused, large-exclusive",
		      REUSE, LARGE_EXCLUSIVE);
	else
		PAGES(t, "alone", "a page of it is copied because large", COPY, LARGE);
	if (traits & COWTRACE_TRAIT_SHARED_FIRST) {
		check(r && r->folio_mapcount == 512 && r->refcount == 512, "alone-counts-of-folio",
		      "mapped 512 times, with as many references", "%s", record_text(r));
		check_holders(t, "alone-holders", "the mappings hold it, and nothing else",
			      (struct held) { .mappings = 512 }, 0);
	} else {
		check(r && r->refcount == 512 && !(r->present & COWTRACE_HAS_FOLIO_MAPCOUNT),
		      "alone-counts-of-folio",
		      "512 references, and its mappings are not known to a module", "%s",
		      record_text(r));
	}
	check_rest(t, "alone-frames", "alone-counts");
}

static void exclusive_run(void *unused)
{
	char *mem = large();

	(void)unused;
	track_writes(mem);
	write_counted();
}

static void exclusive_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		PAGES(t, "exclusive", "write-protected for soft-dirty tracking: reused, exclusive",
		      REUSE, EXCLUSIVE);
	else
		PAGES(t, "exclusive",
		      "write-protected for soft-dirty tracking: copied because large", COPY,
		      LARGE);
	check_rest(t, "exclusive-frames", "exclusive-counts");
}

/* One page is left: its reference is the only one of the folio. */
static void last_run(void *unused)
{
	char *mem = large();

	(void)unused;
	begin_at(mem + FIRST_PAGE * PAGE, 1, PAGE);
	madvise(mem, FIRST_PAGE * PAGE, MADV_DONTNEED);
	madvise(mem + (FIRST_PAGE + 1) * PAGE, HUGE - (FIRST_PAGE + 1) * PAGE, MADV_DONTNEED);
	fork_and_forget();
	write_counted();
}

/* 6.12 copies as always, later kernels to give the rest of the folio back. */
static void last_judge(const struct trace *t)
{
	if (traits & (COWTRACE_TRAIT_LARGE_COPY | COWTRACE_TRAIT_LARGE_EXCLUSIVE))
		PAGES(t, "last", "the last page of it that is mapped is copied because large", COPY,
		      LARGE);
	else
		PAGES(t, "last", "the last page of it that is mapped is reused: sole-ref", REUSE,
		      SOLE_REF);
	check_rest(t, "last-frames", "last-counts");
}

/* --- others ------------------------------------------------------------------- */

static void shared_run(void *unused)
{
	struct partner p;

	(void)unused;
	large();
	p = partner_start();
	write_counted();
	partner_end(&p);
}

static void shared_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_LARGE_COPY)
		PAGES(t, "shared", "mapped by two processes: copied because large", COPY, LARGE);
	else
		PAGES(t, "shared", "mapped by two processes: copied because mapped", COPY, MAPPED);
	check(sh->mapcount[0] == 2, "shared-mapcount", "the kernel counts two mappings", "%llu",
	      (unsigned long long)sh->mapcount[0]);
	check_rest(t, "shared-frames", "shared-counts");
}

static void reference_run(void *unused)
{
	char *mem = large();

	(void)unused;
	fork_and_forget();
	hold_take(hold_open(), HOLD_REFERENCE, mem, 3);
	write_counted();
}

static void reference_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE) {
		PAGES(t, "reference", "plain references: copied because unattributed", COPY,
		      UNATTRIBUTED);
		check(sole(t, 0) && sole(t, 0)->refcount == sole(t, 0)->folio_mapcount + 3,
		      "reference-count", "three references more than mappings", "%s",
		      record_text(sole(t, 0)));
	} else {
		PAGES(t, "reference", "plain references: copied because large", COPY, LARGE);
	}
	check_rest(t, "reference-frames", "reference-counts");
}

/* --- in this page table ------------------------------------------------------- */

/* Where pagemap has a page of the folio in its place, and kpageflags calls it one. */
static int in_place(const char *mem, uint64_t head)
{
	int i, n = 0;

	need(kpage("/proc/kpageflags", head) >> KPF_COMPOUND_HEAD & 1, "no huge page any more");
	for (i = 0; i < (int)(HUGE / PAGE); i++)
		n += pfn_of(mem + i * PAGE) == head + i &&
		     (kpage("/proc/kpageflags", head + i) &
		      (1 << KPF_COMPOUND_HEAD | 1 << KPF_COMPOUND_TAIL));
	return n;
}

/* A copy takes its page away, so each page is counted before it is written. */
static void write_each(const char *mem)
{
	uint64_t head = pfn_of(mem + FIRST_PAGE * PAGE) - FIRST_PAGE;
	int i;

	fork_and_forget();
	count_before();
	for (i = 0; i < sh->n; i++) {
		sh->count[i] = in_place(mem, head);
		poke(sh->page[i], 2);
	}
	count_after();
}

static void check_here(const struct trace *t, const char *name, const char *claim,
		       unsigned int first)
{
	const struct cowtrace_record *r = NULL;
	int i;

	for (i = 0; i < sh->n; i++) {
		r = sole(t, i);
		if (!r || !(r->present & COWTRACE_HAS_MAPPED_HERE) ||
		    r->mapped_here != sh->count[i])
			break;
	}
	check(i == sh->n && sh->count[0] == first, name, claim,
	      "page %d: pagemap has %u, the record %d; %s", i,
	      i < sh->n ? sh->count[i] : sh->count[0], r ? r->mapped_here : -1, record_text(r));
}

static void whole_run(void *unused)
{
	(void)unused;
	write_each(large());
}

static void whole_judge(const struct trace *t)
{
	check_here(t, "here-whole", "mapped_here is all 512 pages, as pagemap and kpageflags say",
		   512);
}

/* Some are unmapped, and some are mapped elsewhere or out of their order. */
static void part_run(void *unused)
{
	char *mem = large(), *other = map_pages(1);

	(void)unused;
	madvise(mem, 2 * PAGE, MADV_DONTNEED);
	madvise(mem + 100 * PAGE, 50 * PAGE, MADV_DONTNEED);
	need(mremap(mem + 200 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other,
	     "mremap: %s", strerror(errno));
	need(mremap(mem + 300 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		    mem + 400 * PAGE) == mem + 400 * PAGE, "mremap: %s", strerror(errno));
	write_each(mem);
}

static void part_judge(const struct trace *t)
{
	check_here(t, "here-part", "mapped_here is what is left in its place, as pagemap says",
		   512 - 2 - 50 - 1 - 2);
}

/* --- smaller ones ------------------------------------------------------------- */

#define SMALL	(64ul << 10)
#define SIZES	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"

static void small_run(void *unused)
{
	char *mem = mmap(NULL, 4 * SMALL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	if (!given(!file_write(SIZES, "madvise"), "this kernel has no folios of other sizes"))
		return;
	/* A mapping with room for one folio, and for no greater one. */
	mem += SMALL + -(uintptr_t)mem % SMALL;
	mprotect(mem, SMALL, PROT_READ | PROT_WRITE);
	need(!madvise(mem, SMALL, MADV_HUGEPAGE), "MADV_HUGEPAGE: %s", strerror(errno));
	poke(mem, 1);
	file_write(SIZES, "never");
	need(pfn_of(mem) && pfn_of(mem + SMALL - PAGE) == pfn_of(mem) + SMALL / PAGE - 1,
	     "no large folio to be had");
	lru_drain();
	fork_and_forget();
	begin_at(mem, SMALL / PAGE, PAGE);
	write_counted();
}

static void small_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE)
		check_pages(t, "64k", "a folio of 64 KiB: reused, large-exclusive",
			    COWTRACE_OUTCOME_REUSE, COWTRACE_REASON_LARGE_EXCLUSIVE, 4);
	else
		check_pages(t, "64k", "a folio of 64 KiB: copied because large",
			    COWTRACE_OUTCOME_COPY, COWTRACE_REASON_LARGE, 4);
	check_rest(t, "64k-frames", "64k-counts");
}

static const struct pattern patterns[] = {
	{ "alone", alone_run, alone_judge },
	{ "exclusive", exclusive_run, exclusive_judge },
	{ "last", last_run, last_judge },
	{ "shared", shared_run, shared_judge },
	{ "reference", reference_run, reference_judge },
	{ "here-whole", whole_run, whole_judge },
	{ "here-part", part_run, part_judge },
	{ "64k", small_run, small_judge },
};

void run_truth_large(void)
{
	hold_load();
	truth_run(patterns, ARRAY_SIZE(patterns));
}
