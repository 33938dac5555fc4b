// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous pages that somebody holds at the very moment of the fault. What no
 * program can time is set up by the module in hold/.
 */
#include <linux/kernel-page-flags.h>
#include <sys/mman.h>

#include "truth.h"

/* With their copies fewer than an LRU batch holds: PAGEVEC_SIZE, 15 or 31. */
#define FEW	5

/* --- a plain reference --------------------------------------------------- */

static void reference_run(void *unused)
{
	char *mem = fresh_pages();
	int hold = hold_open(), i;

	(void)unused;
	fork_and_forget();
	for (i = 0; i < N; i++)
		hold_take(hold, HOLD_REFERENCE, mem + i * PAGE, 1 + i % 2);
	write_pages();
}

static void reference_judge(const struct trace *t)
{
	bool counts = true;
	int i;

	ALL(t, "reference", "a plain reference makes the kernel copy: unattributed", COPY,
	    UNATTRIBUTED, ANON, USER);
	for (i = 0; i < N; i++)
		counts &= only(t, i) && only(t, i)->refcount == 2 + i % 2;
	check(counts, "reference-count", "refcount is the mapping and each reference", "%s",
	      record_text(only(t, 0)));
}

/* --- a pin ---------------------------------------------------------------- */

/*
 * 5.10 write-protects a pinned page for mprotect() and then copies it, because
 * do_wp_page() looks at page_count() (mm/memory.c:3163). Since 5.19 a pinned page
 * is exclusive and reused; only a count that looks like a pin's is copied.
 */
static void pin_run(void *unused)
{
	char *mem = fresh_pages();
	int hold = hold_open();
	bool real = !(traits & COWTRACE_TRAIT_EXCLUSIVE);

	(void)unused;
	if (!real)
		fork_and_forget();
	hold_pages(hold, real ? HOLD_PIN : HOLD_BIAS, N, 0);
	if (real) {
		mprotect(mem, N * PAGE, PROT_READ);
		mprotect(mem, N * PAGE, PROT_READ | PROT_WRITE);
	}
	write_pages();
}

static void pin_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	ALL(t, "pinned", "a page with the references of a pin is copied because pinned", COPY,
	    PINNED, ANON, USER);
	check(r && r->refcount == 1025 && (r->state & COWTRACE_PG_PINNED), "pinned-count",
	      "refcount is the mapping and 1024 of the pin", "%s", record_text(r));
}

/* --- the page lock -------------------------------------------------------- */

/* Its only reference is the mapping's: do_wp_page() gets as far as its trylock. */
static void lock_run(void *unused)
{
	int hold = hold_open();

	(void)unused;
	fresh_pages();
	fork_and_forget();
	hold_pages(hold, HOLD_LOCK, N, 0);
	write_pages();
}

static void lock_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	ALL(t, "locked", "a page that somebody locked is copied because locked", COPY, LOCKED, ANON,
	    USER);
	check(r && r->refcount == 1 && (r->state & COWTRACE_PG_LOCKED), "locked-state",
	      "there was one reference, and the state says locked", "%s", record_text(r));
}

/* --- the swap cache ------------------------------------------------------- */

static void write_held_in_cache(int hold, enum hold_kind kind)
{
	if (!pages_in_swap_cache())
		return;
	hold_pages(hold, kind, N, 0);
	write_pages();
}

static void writeback_run(void *unused)
{
	(void)unused;
	write_held_in_cache(hold_open(), HOLD_WRITEBACK);
}

/* folio_free_swap() lets a page that is being written be (6.1 mm/swapfile.c:1592). */
static void writeback_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "writeback", "being written to swap: copied because writeback", COPY,
		    WRITEBACK, ANON, USER);
	else
		ALL(t, "writeback", "being written to swap: copied because swapcache", COPY,
		    SWAPCACHE, ANON, USER);
	check(r && r->refcount == 2 && (r->state & COWTRACE_PG_WRITEBACK), "writeback-state",
	      "writeback holds no reference of its own", "%s", record_text(r));
}

static void cache_lock_run(void *unused)
{
	(void)unused;
	write_held_in_cache(hold_open(), HOLD_LOCK);
}

static void cache_lock_judge(const struct trace *t)
{
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "cache-locked", "in the swap cache and locked: copied because locked", COPY,
		    LOCKED, ANON, USER);
	else
		ALL(t, "cache-locked", "in the swap cache and locked: copied because swapcache",
		    COPY, SWAPCACHE, ANON, USER);
}

/* --- LRU batches ---------------------------------------------------------- */

/*
 * Write pages on CPU 0 that wait in the batch of @cpu. Nothing else may run on
 * @cpu: a child's exit drains its batches, as munmap() does.
 */
static void write_from_batch(int cpu)
{
	char *mem = map_pages(N);
	int i;

	if (!given(cpus_online() > 1, "this guest has one CPU"))
		return;
	on_cpu(cpu);
	lru_drain();
	touch(mem, FEW);
	on_cpu(!cpu);
	fork_and_forget();
	on_cpu(0);
	for (i = 0; i < FEW; i++)
		need(!page_flag(mem + i * PAGE, KPF_LRU), "page %d has left its batch too early",
		     i);
	begin(mem);
	touch(mem, FEW);
	sh->ready = true;
}

static void other_batch_run(void *unused)
{
	(void)unused;
	write_from_batch(1);
}

static void other_batch_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	FIRST(t, FEW, "lru", "in the LRU batch of another CPU: copied because lru", COPY, LRU, ANON,
	      USER);
	check(r && r->refcount == 2 && r->mapcount == 1 && !(r->state & COWTRACE_PG_LRU),
	      "lru-count", "the batch has a reference beside the mapping's", "%s", record_text(r));
}

static void own_batch_run(void *unused)
{
	(void)unused;
	write_from_batch(0);
}

/* Since 5.18 lru_add_drain() empties the batch of this CPU first. */
static void own_batch_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	if (traits & COWTRACE_TRAIT_EXCLUSIVE) {
		FIRST(t, 1, "drained", "in the LRU batch of this CPU: drained and reused, sole-ref",
		      REUSE, SOLE_REF, ANON, USER);
		check(r && r->refcount == 2 && (r->evidence & COWTRACE_EV_DRAINED),
		      "drained-evidence", "the batch had a reference, the evidence says drained",
		      "%s", record_text(r));
	} else {
		FIRST(t, FEW, "drained", "in the LRU batch of this CPU: copied because lru", COPY,
		      LRU, ANON, USER);
	}
}

static const struct pattern patterns[] = {
	{ "reference", reference_run, reference_judge },
	{ "pinned", pin_run, pin_judge },
	{ "locked", lock_run, lock_judge },
	{ "writeback", writeback_run, writeback_judge },
	{ "cache-locked", cache_lock_run, cache_lock_judge },
	{ "lru", other_batch_run, other_batch_judge },
	{ "drained", own_batch_run, own_batch_judge },
};

void run_truth_held(void)
{
	hold_load();
	truth_run_thp("never", patterns, ARRAY_SIZE(patterns));
}
