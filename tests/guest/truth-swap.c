// SPDX-License-Identifier: GPL-2.0
/*
 * Who uses the swap slot of a page in the swap cache: the record's count against
 * SwapPss of /proc/PID/smaps, in which each entry of a process counts PAGE_SIZE
 * divided by the count; and what became of the slot, against /proc/kpageflags.
 */
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <string.h>

#include "truth.h"

/* More than the kernel's map has room for. */
#define MANY	66

/* A figure of the mapping that begins at @mem, in kB; -1 when there is none. */
static int smaps(pid_t pid, const char *mem, const char *name)
{
	char path[64], line[512];
	unsigned long start, end;
	bool here = false;
	int kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	need(f, "no %s", path);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (uintptr_t)mem;
		else if (here && !strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), " %d kB", &kb);
	}
	fclose(f);
	return kb;
}

/* The count with which SwapPss of N entries is what it is. */
static unsigned int users(pid_t holder, const char *mem)
{
	int pss = smaps(holder, mem, "SwapPss:"), all = N * PAGE / 1024, n;

	need(smaps(holder, mem, "Swap:") == all, "a child has no swap entries");
	for (n = 1; n < MANY && all / n != pss; n++)
		;
	return n;
}

/*
 * @others children keep their swap entries, and one that has ended has shared the
 * slots, so that no page comes back exclusive.
 */
static void with_others(int others)
{
	char *mem = fresh_pages();
	struct partner p[MANY];
	int i;

	if (!page_out(mem))
		return;
	fork_and_forget();
	for (i = 0; i < others; i++)
		p[i] = partner_start();
	read_pages();
	lru_drain();
	for (i = 0; i < N; i++)
		need(page_flag(sh->page[i], KPF_SWAPCACHE), "page %d is in no swap cache", i);
	sh->count[0] = others ? users(p[0].pid, mem) : 0;
	write_pages();
	for (i = 0; i < N; i++)
		sh->count[i] = sh->count[0] |
			       (kpage("/proc/kpageflags", sh->pfn[i]) >> KPF_SWAPCACHE & 1) << 16;
	for (i = 0; i < others; i++)
		partner_end(&p[i]);
}

static void judge(const struct trace *t, const char *name, const char *claim, unsigned int want)
{
	const struct cowtrace_record *r = NULL;
	char kept[64];
	int i, told = 0, given = 0;

	for (i = 0; i < N; i++) {
		uint32_t said = sh->count[i] >> 16 ? COWTRACE_EXIT_SWAPCACHE :
						     COWTRACE_EXIT_UNCACHED;

		r = only(t, i);
		told += r && r->state & COWTRACE_PG_SWAPCACHE &&
			(r->state & (COWTRACE_EXIT_SWAPCACHE | COWTRACE_EXIT_UNCACHED)) == said;
		given += r && r->present & COWTRACE_HAS_SWAPCOUNT;
	}
	snprintf(kept, sizeof(kept), "%s-kept", name);
	check(told == N, kept, "exit-swapcache or exit-uncached, as kpageflags says of the page afterwards",
	      "of %d pages; %s", told, record_text(r));
	if (!given && traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE) {
		skip(name, "this kernel has no swap_map to read: the count is absent");
		return;
	}
	for (i = 0; i < N; i++) {
		r = only(t, i);
		if (!r || !(r->present & COWTRACE_HAS_SWAPCOUNT) || r->swapcount != want)
			break;
	}
	check(i == N && (sh->count[0] & 0xffff) >= want, name, claim,
	      "page %d: smaps has %u, the record %d; %s", i, sh->count[0] & 0xffff,
	      r ? r->swapcount : -1, record_text(r));
}

static void none_run(void *unused)
{
	(void)unused;
	with_others(0);
}

static void none_judge(const struct trace *t)
{
	judge(t, "none", "nobody has a swap entry of the page: 0", 0);
}

static void one_run(void *unused)
{
	(void)unused;
	with_others(1);
}

static void one_judge(const struct trace *t)
{
	judge(t, "one", "one other process has one: as many as smaps says", sh->count[0] & 0xffff);
}

static void three_run(void *unused)
{
	(void)unused;
	with_others(3);
}

static void three_judge(const struct trace *t)
{
	judge(t, "three", "three others have one: as many as smaps says", sh->count[0] & 0xffff);
}

static void many_run(void *unused)
{
	(void)unused;
	with_others(MANY);
}

static void many_judge(const struct trace *t)
{
	judge(t, "many", "more than the kernel's map counts: 63", COWTRACE_SWAPCOUNT_MAX);
}

static const struct pattern patterns[] = {
	{ "none", none_run, none_judge },
	{ "one", one_run, one_judge },
	{ "three", three_run, three_judge },
	{ "many", many_run, many_judge },
};

void run_truth_swap(void)
{
	truth_run(patterns, ARRAY_SIZE(patterns));
}
