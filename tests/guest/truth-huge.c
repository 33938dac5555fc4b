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
	sh->reading_ns = now_ns();
	sh->counts[0] = counts_now();
	sh->before_ns = now_ns();
}

void count_after(void)
{
	int i;

	sh->after_ns = now_ns();
	sh->counts[1] = counts_now();
	sh->read_ns = now_ns();
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

/* What the kernel counts for @r. */
static struct kernel_counts counted_for(const struct cowtrace_record *r)
{
	bool copy = r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE;

	return (struct kernel_counts) {
		.pgreuse = r->path == COWTRACE_PATH_PTE &&
			   ((r->outcome == COWTRACE_OUTCOME_REUSE &&
			     r->origin != COWTRACE_ORIGIN_UNSHARE) ||
			    r->outcome == COWTRACE_OUTCOME_MKWRITE),
		.thp_split_pmd = r->outcome == COWTRACE_OUTCOME_SPLIT,
		.thp_fault_alloc = r->path == COWTRACE_PATH_PMD && copy,
		.hugetlb_free = -(r->path == COWTRACE_PATH_HUGETLB && copy),
	};
}

/* One of the four counts: @grew by the kernel, @sure by the records, @open while it was read. */
struct tally {
	long long grew, sure, open;
};

static void add_fault(struct tally *c, long long count, bool sure)
{
	if (sure)
		c->sure += count;
	else
		c->open += count;
}

static bool adds_up(const struct tally *c)
{
	long long rest = c->grew - c->sure;

	return c->open < 0 ? rest <= 0 && rest >= c->open : rest >= 0 && rest <= c->open;
}

/* The counts are the whole system's, and others may fault while they are read. */
void check_counts(const struct trace *t, const char *name)
{
	const struct kernel_counts *a = &sh->counts[0], *b = &sh->counts[1];
	struct tally reuse = { .grew = b->pgreuse - a->pgreuse },
		     split = { .grew = b->thp_split_pmd - a->thp_split_pmd },
		     alloc = { .grew = b->thp_fault_alloc - a->thp_fault_alloc },
		     huge = { .grew = b->hugetlb_free - a->hugetlb_free };
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct cowtrace_record *r = &t->r[i];
		uint64_t end = r->time_ns + r->duration_ns;
		struct kernel_counts c = counted_for(r);
		bool sure = r->time_ns >= sh->before_ns && end <= sh->after_ns;

		if (end < sh->reading_ns || r->time_ns > sh->read_ns)
			continue;
		add_fault(&reuse, c.pgreuse, sure);
		add_fault(&split, c.thp_split_pmd, sure);
		add_fault(&alloc, c.thp_fault_alloc, sure);
		add_fault(&huge, c.hugetlb_free, sure);
	}
	check(adds_up(&reuse) && adds_up(&split) && adds_up(&alloc) && adds_up(&huge), name,
	      "pgreuse, thp_split_pmd, thp_fault_alloc and HugePages_Free are as recorded",
	      "%lld %lld %lld %lld, recorded %lld %lld %lld %lld", reuse.grew, split.grew,
	      alloc.grew, huge.grew, reuse.sure, split.sure, alloc.sure, huge.sure);
}

const struct cowtrace_record *since(const struct trace *t, int i, unsigned int n)
{
	const struct cowtrace_record *r;
	unsigned int before = 0;

	/* By the end: what interrupts the end of a fault has it begin earlier than it did. */
	while ((r = nth(t, i, before)) && fault_end(r) < sh->before_ns)
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
