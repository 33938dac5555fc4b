// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cowtrace/classify.h>

#include "truth-huge.h"

char *map_for_thp(int n)
{
	char *mem = mmap(NULL, (n + 1) * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	need(mem != MAP_FAILED, "mapping %d huge pages: %s", n, strerror(errno));
	mem += -(uintptr_t)mem % HUGE;
	need(!madvise(mem, n * HUGE, MADV_HUGEPAGE), "MADV_HUGEPAGE: %s", strerror(errno));
	return mem;
}

char *map_thp(int n)
{
	char *mem = map_for_thp(n);
	int i;

	for (i = 0; i < n; i++) {
		poke(mem + i * HUGE, 1);
		need(page_flag(mem + i * HUGE, KPF_THP), "no huge page to be had");
	}
	/* What is split stays split. */
	madvise(mem, n * HUGE, MADV_NOHUGEPAGE);
	lru_drain();
	return mem;
}

void begin_at(char *mem, int n, size_t step)
{
	int i;

	begin(mem);
	sh->n = n;
	for (i = 0; i < n; i++)
		sh->page[i] = mem + i * step;
}

static struct kernel_counts counts_now(void)
{
	return (struct kernel_counts) {
		.pgreuse = value_in("/proc/vmstat", "pgreuse"),
		.thp_split_pmd = value_in("/proc/vmstat", "thp_split_pmd"),
		.thp_fault_alloc = value_in("/proc/vmstat", "thp_fault_alloc"),
		.hugetlb_free = value_in("/proc/meminfo", "HugePages_Free:"),
	};
}

void count_before(void)
{
	int hold = hold_open(), i;

	for (i = 0; i < sh->n; i++) {
		sh->pfn[i] = pfn_of(sh->page[i]);
		sh->mapcount[i] = kpage("/proc/kpagecount", sh->pfn[i]);
		sh->held[i].total = hold_count(hold, sh->page[i]);
	}
	close(hold);
	/* Twice: to read them may take faults of its own. */
	counts_now();
	sh->counts[0] = counts_now();
	sh->before_ns = now_ns();
}

void count_after(void)
{
	int i;

	sh->after_ns = now_ns();
	sh->counts[1] = counts_now();
	for (i = 0; i < sh->n; i++)
		sh->new_pfn[i] = pfn_of(sh->page[i]);
	sh->ready = true;
}

void write_counted(void)
{
	int i;

	count_before();
	for (i = 0; i < sh->n; i++)
		poke(sh->page[i], 2);
	count_after();
}

void pin_counted(char *mem, size_t pages)
{
	static char buf[N * PAGE];

	touch(buf, pages);
	count_before();
	pin_pages(mem, pages, buf);
	count_after();
}

static struct kernel_counts counts_of(const struct trace *t)
{
	struct kernel_counts c = { 0 };
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct cowtrace_record *r = &t->r[i];
		bool copy = r->outcome == COWTRACE_OUTCOME_COPY ||
			    r->outcome == COWTRACE_OUTCOME_UNSHARE;

		if (r->time_ns < sh->before_ns || r->time_ns > sh->after_ns)
			continue;
		c.pgreuse += r->path == COWTRACE_PATH_PTE &&
			     ((r->outcome == COWTRACE_OUTCOME_REUSE &&
			       r->origin != COWTRACE_ORIGIN_UNSHARE) ||
			      r->outcome == COWTRACE_OUTCOME_MKWRITE);
		c.thp_split_pmd += r->outcome == COWTRACE_OUTCOME_SPLIT;
		c.thp_fault_alloc += r->path == COWTRACE_PATH_PMD && copy;
		c.hugetlb_free -= r->path == COWTRACE_PATH_HUGETLB && copy;
	}
	return c;
}

void check_counts(const struct trace *t, const char *name)
{
	const struct kernel_counts *a = &sh->counts[0], *b = &sh->counts[1];
	struct kernel_counts grew = {
		b->pgreuse - a->pgreuse, b->thp_split_pmd - a->thp_split_pmd,
		b->thp_fault_alloc - a->thp_fault_alloc, b->hugetlb_free - a->hugetlb_free,
	}, want = counts_of(t);

	check(!memcmp(&grew, &want, sizeof(grew)), name,
	      "pgreuse, thp_split_pmd, thp_fault_alloc and HugePages_Free are as recorded",
	      "%lld %lld %lld %lld, recorded %lld %lld %lld %lld", grew.pgreuse,
	      grew.thp_split_pmd, grew.thp_fault_alloc, grew.hugetlb_free, want.pgreuse,
	      want.thp_split_pmd, want.thp_fault_alloc, want.hugetlb_free);
}

const struct cowtrace_record *since(const struct trace *t, int i, unsigned int n)
{
	const struct cowtrace_record *r;
	unsigned int before = 0;

	while ((r = nth(t, i, before)) && r->time_ns < sh->before_ns)
		before++;
	return nth(t, i, before + n);
}

const struct cowtrace_record *sole(const struct trace *t, int i)
{
	return since(t, i, 1) ? NULL : since(t, i, 0);
}

bool frames_agree(const struct trace *t)
{
	int i;

	for (i = 0; i < sh->n && pfn_agrees(sole(t, i), i); i++)
		;
	return i == sh->n;
}

void check_holders(const struct trace *t, const char *name, const char *claim,
		   struct held want, int fault)
{
	const struct cowtrace_record *r = since(t, 0, 0);
	struct cowtrace_holders h = { 0 };

	if (r)
		h = cowtrace_holders(r, traits);
	check(h.known && h.total == sh->held[0].total + fault && h.mappings == want.mappings &&
	      h.swapcache == want.swapcache && h.pagecache == want.pagecache &&
	      h.lru == want.lru && h.pins == want.pins && h.fault == fault &&
	      h.unattributed == want.others, name, claim,
	      "total %d instead of %d + %d, mappings %d swapcache %d pagecache %d lru %d pins %d fault %d unattributed %d; %s",
	      h.total, sh->held[0].total, fault, h.mappings, h.swapcache, h.pagecache, h.lru,
	      h.pins, h.fault, h.unattributed, record_text(r));
}
