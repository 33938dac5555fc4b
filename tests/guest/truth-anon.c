// SPDX-License-Identifier: GPL-2.0
/* Anonymous memory: who maps it, where it came from, and the zero page. */
#include <linux/kernel-page-flags.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "truth.h"

/* --- mapped by three processes ----------------------------------------- */

/* The instruction that writes. */
#define OFFSET	123

static void *write_named(void *unused)
{
	int i;

	(void)unused;
	prctl(PR_SET_NAME, "cow-writer");
	sh->tid = syscall(SYS_gettid);
	note_before();
	for (i = 0; i < N; i++)
		poke(sh->page[i] + OFFSET, 2);
	note_after();
	return NULL;
}

static void three_run(void *unused)
{
	struct partner p[2];
	pthread_t writer;
	int i;

	(void)unused;
	fresh_pages();
	for (i = 0; i < 2; i++)
		p[i] = partner_start();
	/* The thread's own number differs from the process's. */
	syscall(SYS_setreuid, 1234, -1);
	pthread_create(&writer, NULL, write_named, NULL);
	pthread_join(writer, NULL);
	for (i = 0; i < 2; i++)
		partner_end(&p[i]);
}

static void three_judge(const struct trace *t)
{
	bool counts = true, refs = true, where = true, who = true, when = true;
	/* vm_fault.real_address came with 5.15; before, the kernel keeps no offset. */
	uintptr_t offset = traits & COWTRACE_TRAIT_EXCLUSIVE ? OFFSET : 0;
	const struct cowtrace_record *r = NULL;
	int i;

	ALL(t, "mapped", "a page mapped by three processes is copied because mapped", COPY, MAPPED,
	    ANON, USER);
	for (i = 0; i < N && (r = only(t, i)); i++) {
		counts &= sh->mapcount[i] == 3 && r->mapcount == 3 && r->folio_mapcount == 3;
		refs &= r->refcount == 3 && (r->state & COWTRACE_PG_LRU);
		where &= r->address == (uintptr_t)sh->page[i] + offset && r->ip == (uintptr_t)poke;
		who &= r->pid == sh->tid && r->tgid == sh->tgid && r->uid == 1234 &&
		       !strcmp(r->comm, "cow-writer") && sh->tid != sh->tgid;
		when &= r->time_ns >= sh->before_ns && r->duration_ns > 0 &&
			r->time_ns + r->duration_ns <= sh->after_ns;
	}
	check(r && counts, "mapcount", "mapcount is 3 and that of /proc/kpagecount",
	      "kpagecount %llu; %s", (unsigned long long)sh->mapcount[0], record_text(r));
	check(r && refs, "refcount", "refcount is that of the three mappings", "%s",
	      record_text(r));
	check(r && pfns_agree(t), "pfn", "pfn before and after are those of pagemap",
	      "%#llx %#llx; %s", (unsigned long long)sh->pfn[0],
	      (unsigned long long)sh->new_pfn[0], record_text(r));
	check(r && where, "where", "address and instruction are those of the store",
	      "%p+%d by %p; %s", sh->page[0], OFFSET, (void *)poke, record_text(r));
	check(r && who, "who", "pid, tgid, uid and comm are those of the writing thread",
	      "tid %u tgid %u; %s", sh->tid, sh->tgid, record_text(r));
	check(r && when, "when", "time and duration lie between the clock's readings around them",
	      "%s", record_text(r));
}

/* --- alone, zero ---------------------------------------------------------- */

static void alone_run(void *unused)
{
	(void)unused;
	fresh_pages();
	fork_and_forget();
	write_pages();
}

static void alone_judge(const struct trace *t)
{
	ALL(t, "alone", "a page whose other user is gone is reused: sole-ref", REUSE, SOLE_REF,
	    ANON, USER);
	check(pfns_agree(t) && sh->pfn[0] == sh->new_pfn[0], "same", "a reuse keeps the page",
	      "%s", record_text(only(t, 0)));
}

static void zero_run(void *unused)
{
	(void)unused;
	begin(map_pages(N));
	read_pages();
	write_pages();
}

static void zero_judge(const struct trace *t)
{
	ALL(t, "zero", "the zero page is copied because zero", COPY, ZERO, ZERO, USER);
	check(pfns_agree(t), "zero-pfn", "its pfns are those of pagemap", "%s",
	      record_text(only(t, 0)));
}

/* --- KSM ----------------------------------------------------------------- */

static void ksm_run(void *unused)
{
	(void)unused;
	if (!pages_of_ksm())
		return;
	sh->count[0] = value_in("/proc/vmstat", "cow_ksm");
	write_pages();
	sh->count[1] = value_in("/proc/vmstat", "cow_ksm");
}

static void ksm_judge(const struct trace *t)
{
	ALL(t, "ksm", "pages merged by KSM are copied because ksm", COPY, KSM, KSM, USER);
	check(pfns_agree(t) && sh->pfn[0] == sh->pfn[1], "ksm-pfn",
	      "their pfn is the one of pagemap, the same for all", "%s", record_text(only(t, 0)));
	if ((int)sh->count[0] >= 0)
		check(sh->count[1] - sh->count[0] == N, "ksm-vmstat",
		      "cow_ksm grows by as many", "%u", sh->count[1] - sh->count[0]);
	else
		skip("ksm-vmstat", "no cow_ksm in /proc/vmstat of this kernel");
}

/* --- swap ---------------------------------------------------------------- */

static void swap_run(void *unused)
{
	(void)unused;
	if (!page_out(fresh_pages()))
		return;
	read_pages();
	write_pages();
}

/* Until 6.1 a page that was read back from swap stays read-only. */
static void swap_judge(const struct trace *t)
{
	if (!(traits & COWTRACE_TRAIT_RET_WRITE))
		check(!records(t) && sh->ready, "swap",
		      "swapped in, read, written: no write-protect fault",
		      "%zu faults, the first %s", records(t), record_text(only(t, 0)));
	else if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "swap", "swapped in, read, written: reused, exclusive", REUSE, EXCLUSIVE,
		    ANON, USER);
	else
		ALL(t, "swap", "swapped in, read, written: copied because swapcache", COPY,
		    SWAPCACHE, ANON, USER);
}

/* Fork shares the slots of pages that are swapped out; the child has ended. */
static void swap_shared_run(void *unused)
{
	int i;

	(void)unused;
	if (!pages_in_swap_cache())
		return;
	for (i = 0; i < N; i++)
		sh->count[i] = page_flag(sh->page[i], KPF_SWAPCACHE);
	write_pages();
}

static void swap_shared_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);
	int i, cached = 0;

	for (i = 0; i < N; i++)
		cached += sh->count[i];
	check(cached == N, "swap-cached", "read back, the kernel has them in the swap cache",
	      "%d of %d", cached, N);
	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "swap-freed", "shared, swapped, alone again: reused, swapcache-freed", REUSE,
		    SWAPCACHE_FREED, ANON, USER);
	else
		ALL(t, "swap-freed", "shared, swapped, alone again: copied because swapcache", COPY,
		    SWAPCACHE, ANON, USER);
	check(r && (r->state & COWTRACE_PG_SWAPCACHE), "swap-state",
	      "the state says that the swap cache holds the page", "%s", record_text(r));
}

/* The other process still has the slot: a write swaps in and copies at once. */
static void swap_write_run(void *unused)
{
	struct partner p;
	char *mem;

	(void)unused;
	/* What is read ahead waits in this CPU's batch, which do_wp_page() drains. */
	on_cpu(0);
	mem = fresh_pages();
	if (!page_out(mem))
		return;
	p = partner_start();
	touch(mem, N);
	sh->ready = true;
	partner_end(&p);
}

static void swap_write_judge(const struct trace *t)
{
	ALL(t, "swapin",
	    "a write that swaps in a shared page: origin swapin, copied because swapcache", COPY,
	    SWAPCACHE, ANON, SWAPIN);
}

/* --- other references ---------------------------------------------------- */

static void vmsplice_run(void *unused)
{
	(void)unused;
	pipe_pages(fresh_pages(), N);
	fork_and_forget();
	write_pages();
}

static void vmsplice_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	ALL(t, "vmsplice", "a plain reference of a pipe makes the kernel copy: unattributed", COPY,
	    UNATTRIBUTED, ANON, USER);
	check(r && r->refcount == 2 && r->mapcount == 1, "vmsplice-refs",
	      "one mapping and one reference more", "%s", record_text(r));
}

static void mprotect_run(void *unused)
{
	char *mem = fresh_pages();

	(void)unused;
	mprotect(mem, N * PAGE, PROT_READ);
	mprotect(mem, N * PAGE, PROT_READ | PROT_WRITE);
	track_writes(mem);
	touch(mem, N);
	sh->ready = true;
}

static void mprotect_judge(const struct trace *t)
{
	const struct cowtrace_record *r = only(t, 0);

	if (traits & COWTRACE_TRAIT_EXCLUSIVE)
		ALL(t, "soft-dirty", "write-protected for soft-dirty tracking: reused, exclusive",
		    REUSE, EXCLUSIVE, ANON, USER);
	else
		ALL(t, "soft-dirty", "write-protected for soft-dirty tracking: reused, sole-ref",
		    REUSE, SOLE_REF, ANON, USER);
	check(r && !(r->state & COWTRACE_PTE_SOFT_DIRTY), "soft-dirty-state",
	      "the PTE's soft-dirty bit was clear at entry", "%s", record_text(r));
}

static const struct pattern patterns[] = {
	{ "mapped", three_run, three_judge },
	{ "alone", alone_run, alone_judge },
	{ "zero", zero_run, zero_judge },
	{ "ksm", ksm_run, ksm_judge },
	{ "swap", swap_run, swap_judge },
	{ "swap-freed", swap_shared_run, swap_shared_judge },
	{ "swapin", swap_write_run, swap_write_judge },
	{ "vmsplice", vmsplice_run, vmsplice_judge },
	{ "soft-dirty", mprotect_run, mprotect_judge },
};

void run_truth_anon(void)
{
	truth_run(patterns, ARRAY_SIZE(patterns));
}
