// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages that a PMD maps: do_huge_pmd_wp_page() reuses them whole, or splits
 * the PMD, and the same fault goes on in do_wp_page(). None but the huge zero
 * page is ever copied whole.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "truth-huge.h"

/* Until 5.18 mappings and swap slots alone count: reuse_swap_page(). */
#define COUNTS_REFS	(traits & COWTRACE_TRAIT_EXCLUSIVE)

/* The first record of each page: do_huge_pmd_wp_page(). */
static void check_pmd(const struct trace *t, const char *name, const char *claim, int outcome,
		      int reason, int kind, int origin)
{
	const struct cowtrace_record *r = NULL;
	bool good = true;
	int i;

	for (i = 0; i < sh->n && good; i++) {
		r = since(t, i, 0);
		good = is(r, outcome, reason, kind, origin) && r->path == COWTRACE_PATH_PMD &&
		       !(r->state & COWTRACE_AFTER_SPLIT);
	}
	check(good && i, name, claim, "page %d: %s", i - 1, record_text(r));
}

/*
 * The second: do_wp_page() for the same access, and no third. Under the first
 * address of a huge page stands its first frame, but another zero page.
 */
static void check_after_split(const struct trace *t, const char *name, const char *claim,
			      int outcome, int reason, int kind, int origin)
{
	const struct cowtrace_record *r = NULL, *split;
	bool good = true;
	int i;

	for (i = 0; i < sh->n && good; i++) {
		split = since(t, i, 0);
		r = since(t, i, 1);
		good = is(r, outcome, reason, kind, origin) && r->path == COWTRACE_PATH_PTE &&
		       (r->state & COWTRACE_AFTER_SPLIT) && r->address == split->address &&
		       (r->pfn == split->pfn) == (kind != COWTRACE_KIND_ZERO) &&
		       r->new_pfn == sh->new_pfn[i] &&
		       (split->state & COWTRACE_EXIT_TABLE) && !since(t, i, 2);
	}
	check(good && i, name, claim, "page %d: %s", i - 1, record_text(r));
}

#define PMD(t, name, claim, o, why, k, from)				\
	check_pmd(t, name, claim, COWTRACE_OUTCOME_##o, COWTRACE_REASON_##why, \
		  COWTRACE_KIND_##k, COWTRACE_ORIGIN_##from)
#define AFTER(t, name, claim, o, why, k, from)				\
	check_after_split(t, name, claim, COWTRACE_OUTCOME_##o, why,	\
			  COWTRACE_KIND_##k, COWTRACE_ORIGIN_##from)

/* Why a page of a large folio is copied that another process maps too. */
static int shared_reason(void)
{
	return traits & COWTRACE_TRAIT_LARGE_COPY ? COWTRACE_REASON_LARGE : COWTRACE_REASON_MAPPED;
}

static void check_same(const struct trace *t, const char *name)
{
	check(frames_agree(t) && sh->pfn[0] == sh->new_pfn[0], name,
	      "one record a page, and pagemap has the same frames after it", "%s",
	      record_text(since(t, 0, 0)));
}

/* --- whole ------------------------------------------------------------------ */

static void alone_run(void *unused)
{
	char *mem = map_thp(FEW);

	(void)unused;
	fork_and_forget();
	begin_at(mem, FEW, HUGE);
	write_counted();
}

static void alone_judge(const struct trace *t)
{
	if (COUNTS_REFS)
		PMD(t, "alone", "a huge page whose other user is gone is reused: sole-ref", REUSE,
		    SOLE_REF, THP, USER);
	else
		PMD(t, "alone", "a huge page whose other user is gone is reused: mapcount-one",
		    REUSE, MAPCOUNT_ONE, THP, USER);
	check_same(t, "alone-same");
	check_counts(t, "alone-counts");
	check_holders(t, "alone-holders", "one mapping, nothing else",
		      (struct held) { .mappings = 1 }, 0);
}

static void exclusive_run(void *unused)
{
	char *mem = map_thp(FEW);

	(void)unused;
	begin_at(mem, FEW, HUGE);
	track_writes(mem);
	write_counted();
}

static void exclusive_judge(const struct trace *t)
{
	if (COUNTS_REFS)
		PMD(t, "exclusive", "write-protected for soft-dirty tracking: reused, exclusive",
		    REUSE, EXCLUSIVE, THP, USER);
	else
		PMD(t, "exclusive",
		    "write-protected for soft-dirty tracking: reused, mapcount-one", REUSE,
		    MAPCOUNT_ONE, THP, USER);
	check_same(t, "exclusive-same");
	check_counts(t, "exclusive-counts");
}

static void pin_run(void *unused)
{
	char *mem = map_thp(FEW);

	(void)unused;
	begin_at(mem, FEW, HUGE);
	hold_pages(hold_open(), HOLD_PIN, FEW, 0);
	track_writes(mem);
	write_counted();
}

/* fs/proc/task_mmu.c, clear_soft_dirty() spares pinned PTEs, clear_soft_dirty_pmd() no PMDs. */
static void pin_judge(const struct trace *t)
{
	if (COUNTS_REFS)
		PMD(t, "pinned", "a pinned huge page is reused: exclusive", REUSE, EXCLUSIVE, THP,
		    USER);
	else
		PMD(t, "pinned", "a pinned huge page is reused: mapcount-one", REUSE, MAPCOUNT_ONE,
		    THP, USER);
	check_holders(t, "pinned-holders", "one mapping and one pin",
		      (struct held) { .mappings = 1, .pins = 1 }, 0);
	check_counts(t, "pinned-counts");
}

/* --- split ------------------------------------------------------------------ */

static void shared_run(void *unused)
{
	char *mem = map_thp(FEW);
	struct partner p = partner_start();

	(void)unused;
	begin_at(mem, FEW, HUGE);
	count_before();
	poke(mem, 2);
	poke(mem + HUGE, 2);
	/* Another page of the first huge page: no PMD is left. */
	poke(mem + 7 * PAGE, 2);
	sh->page[FEW] = mem + 7 * PAGE;
	count_after();
	partner_end(&p);
}

static void shared_judge(const struct trace *t)
{
	const struct cowtrace_record *r = since(t, 0, 0), *other = sole(t, FEW);

	PMD(t, "shared", "a huge page of two processes is split because mapped", SPLIT, MAPPED,
	    THP, USER);
	AFTER(t, "shared-then", "and one page of it is copied by the same fault", COPY,
	      shared_reason(), ANON, USER);
	check(is(other, COWTRACE_OUTCOME_COPY, shared_reason(), COWTRACE_KIND_ANON,
		 COWTRACE_ORIGIN_USER) && other->path == COWTRACE_PATH_PTE &&
	      !(other->state & COWTRACE_AFTER_SPLIT), "shared-next",
	      "the next page of it is copied by a fault that splits nothing", "%s",
	      record_text(other));
	check(r && r->pfn == sh->pfn[0] && sh->pfn[0] != sh->new_pfn[0], "shared-pfn",
	      "what was split is the frame that pagemap had", "%s", record_text(r));
	check(r && sh->mapcount[0] == 2 && r->mapcount == 2 && r->folio_mapcount == 2,
	      "shared-mapcount", "mapcount is 2 and that of /proc/kpagecount",
	      "kpagecount %llu; %s", (unsigned long long)sh->mapcount[0], record_text(r));
	check_counts(t, "shared-counts");
	check_holders(t, "shared-holders", "two mappings, nothing else",
		      (struct held) { .mappings = 2 }, 0);
}

static void reference_run(void *unused)
{
	char *mem = map_thp(FEW);

	(void)unused;
	fork_and_forget();
	begin_at(mem, FEW, HUGE);
	hold_pages(hold_open(), HOLD_REFERENCE, FEW, 3);
	write_counted();
}

static void reference_judge(const struct trace *t)
{
	if (!COUNTS_REFS) {
		PMD(t, "reference", "plain references are not looked at: reused, mapcount-one",
		    REUSE, MAPCOUNT_ONE, THP, USER);
		check_same(t, "reference-then");
	} else {
		PMD(t, "reference", "plain references make the kernel split: unattributed", SPLIT,
		    UNATTRIBUTED, THP, USER);
		AFTER(t, "reference-then", "and one page of it is copied by the same fault", COPY,
		      traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE ? COWTRACE_REASON_UNATTRIBUTED :
		      COWTRACE_REASON_LARGE, ANON, USER);
	}
	check_counts(t, "reference-counts");
	check_holders(t, "reference-holders", "one mapping, three references unattributed",
		      (struct held) { .mappings = 1, .others = 3 }, 0);
}

/* --- the huge zero page ------------------------------------------------------- */

static void zero_run(void *unused)
{
	char *mem = map_for_thp(FEW);
	int i;

	(void)unused;
	for (i = 0; i < FEW; i++)
		read_one(mem + i * HUGE);
	need(pfn_of(mem) == pfn_of(mem + HUGE), "no huge zero page to be had");
	begin_at(mem, FEW, HUGE);
	write_counted();
}

/* do_huge_zero_wp_pmd() came with 6.13 (1ced09e0331f). */
static void zero_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE) {
		PMD(t, "zero", "the huge zero page is copied whole", COPY, ZERO, ZERO, USER);
		check(frames_agree(t) && sh->pfn[0] != sh->new_pfn[0], "zero-then",
		      "its frames are those of pagemap", "%s", record_text(since(t, 0, 0)));
	} else {
		PMD(t, "zero", "the huge zero page is split", SPLIT, ZERO, ZERO, USER);
		AFTER(t, "zero-then", "and the zero page is copied by the same fault", COPY,
		      COWTRACE_REASON_ZERO, ZERO, USER);
	}
	check_counts(t, "zero-counts");
}

/* A long-term pin for reading must not keep the zero page: from 6.2 on it is unshared. */
static void zero_unshare_run(void *unused)
{
	char *mem = map_for_thp(FEW);
	int i, hold = hold_open();

	(void)unused;
	if (!given(traits & COWTRACE_TRAIT_SHARED_FIRST, "this kernel unshares no zero page"))
		return;
	for (i = 0; i < FEW; i++)
		read_one(mem + i * HUGE);
	need(pfn_of(mem) == pfn_of(mem + HUGE), "no huge zero page to be had");
	begin_at(mem, FEW, HUGE);
	count_before();
	for (i = 0; i < FEW; i++)
		hold_take(hold, HOLD_PIN_READ, mem + i * HUGE, 0);
	count_after();
}

static void zero_unshare_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE) {
		PMD(t, "zero-unshare", "the huge zero page is unshared whole", UNSHARE, ZERO, ZERO,
		    UNSHARE);
		check(frames_agree(t) && sh->pfn[0] != sh->new_pfn[0], "zero-unshare-then",
		      "its frames are those of pagemap", "%s", record_text(since(t, 0, 0)));
	} else {
		PMD(t, "zero-unshare", "the huge zero page is split for an unshare", SPLIT, ZERO,
		    ZERO, UNSHARE);
		AFTER(t, "zero-unshare-then", "and the zero page is unshared by the same fault",
		      UNSHARE, COWTRACE_REASON_ZERO, ZERO, UNSHARE);
	}
	check_counts(t, "zero-unshare-counts");
}

/* --- unshare ------------------------------------------------------------------ */

static void unshare_run(void *unused)
{
	char *mem = map_thp(1);
	struct partner p = partner_start();

	(void)unused;
	begin_at(mem, 1, HUGE);
	pin_counted(mem, N);
	partner_end(&p);
	given(COUNTS_REFS, "this kernel does not unshare");
}

static void unshare_judge(const struct trace *t)
{
	PMD(t, "unshare", "a read-only pin of a huge page of two processes splits it", SPLIT,
	    MAPPED, THP, UNSHARE);
	AFTER(t, "unshare-then", "and one page of it is unshared by the same fault", UNSHARE,
	      shared_reason(), ANON, UNSHARE);
	check_counts(t, "unshare-counts");
}

static void unshare_alone_run(void *unused)
{
	char *mem = map_thp(1);

	(void)unused;
	fork_and_forget();
	begin_at(mem, 1, HUGE);
	pin_counted(mem, N);
	given(COUNTS_REFS, "this kernel does not unshare");
}

static void unshare_alone_judge(const struct trace *t)
{
	const struct cowtrace_record *r = sole(t, 0);

	PMD(t, "unshare-alone", "of one whose other user is gone: reused, sole-ref", REUSE,
	    SOLE_REF, THP, UNSHARE);
	check(r && (r->state & COWTRACE_EXIT_EXCLUSIVE) && !(r->state & COWTRACE_EXIT_WRITE),
	      "unshare-alone-state", "it is exclusive then, and still read-only", "%s",
	      record_text(r));
	check_same(t, "unshare-alone-same");
	check_counts(t, "unshare-alone-counts");
}

/* --- a lost race -------------------------------------------------------------- */

/* It sleeps for the lock of the page meanwhile: neither S nor Z. */
static void thread_waits(void)
{
	char path[64], line[512], *state;

	do {
		sleep_ms(1);
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)sh->tid);
		state = file_read(path, line, sizeof(line)) > 0 ? strrchr(line, ')') : NULL;
	} while (!state || state[2] != 'D');
}

static void raced_run(void *unused)
{
	char *mem = map_thp(1);
	int hold = hold_open();
	pthread_t writer;

	(void)unused;
	fork_and_forget();
	begin_at(mem, 1, HUGE);
	sh->tid = 0;
	hold_take(hold, HOLD_LOCK, mem, 0);
	count_before();
	pthread_create(&writer, NULL, write_first, mem);
	thread_waits();
	madvise(mem, HUGE, MADV_DONTNEED);
	hold_release(hold);
	pthread_join(writer, NULL);
	count_after();
}

static void raced_judge(const struct trace *t)
{
	PMD(t, "raced", "the page was given back while the fault slept for its lock: raced", RACED,
	    NONE, THP, USER);
	check(sole(t, 0) && !(sole(t, 0)->state & COWTRACE_EXIT_PRESENT), "raced-state",
	      "at the exit the PMD was not present, and nothing is recorded after that", "%s",
	      record_text(sole(t, 0)));
	check_counts(t, "raced-counts");
}

static const struct pattern patterns[] = {
	{ "alone", alone_run, alone_judge },
	{ "exclusive", exclusive_run, exclusive_judge },
	{ "pinned", pin_run, pin_judge },
	{ "shared", shared_run, shared_judge },
	{ "reference", reference_run, reference_judge },
	{ "zero", zero_run, zero_judge },
	{ "zero-unshare", zero_unshare_run, zero_unshare_judge },
	{ "unshare", unshare_run, unshare_judge },
	{ "unshare-alone", unshare_alone_run, unshare_alone_judge },
	{ "raced", raced_run, raced_judge },
};

void run_truth_thp(void)
{
	hold_load();
	/* The stack of a thread would have huge pages too. */
	truth_run_thp("madvise", patterns, ARRAY_SIZE(patterns));
}
