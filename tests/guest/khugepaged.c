// SPDX-License-Identifier: GPL-2.0
/*
 * The group khugepaged: what it says of a range is what pagemap, kpagecount and
 * kpageflags say of its pages, and it has as many scans as the kernel's own event
 * mm_khugepaged_scan_pmd has hits, with the numbers of that event.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib.h"

#define HUGE		(2ul << 20)
#define PAGES		(HUGE / PAGE)
#define THP		"/sys/kernel/mm/transparent_hugepage/"
#define KHUGEPAGED	THP "khugepaged/"
#define GROUP		"groups/khugepaged/"
#define TRACING		"/sys/kernel/tracing"
#define INSTANCE	TRACING "/instances/cowtest-thp"
#define EVENT		INSTANCE "/events/huge_memory/mm_khugepaged_scan_pmd"
#define SCANS		3
#define EVENTS		256

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

/* Only since 6.1 a scan is a call of its own, whose range is read whole. */
#define WHOLE		(traits & COWTRACE_TRAIT_EXCLUSIVE)

static unsigned int traits;
static char text[1 << 20];

/* --- ranges ---------------------------------------------------------------------- */

static char *range(void)
{
	char *mem = mmap(NULL, 3 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(mem != MAP_FAILED, "mmap: %s", strerror(errno));
	mem += HUGE - (uintptr_t)mem % HUGE;
	need(!mprotect(mem, HUGE, PROT_READ | PROT_WRITE), "mprotect: %s", strerror(errno));
	madvise(mem, HUGE, MADV_NOHUGEPAGE);
	return mem;
}

/* One folio, mapped page by page from @first up to @last, who is not. */
static char *folio(unsigned int first, unsigned int last)
{
	char *mem = range();

	madvise(mem, HUGE, MADV_HUGEPAGE);
	poke(mem, 1);
	madvise(mem, HUGE, MADV_NOHUGEPAGE);
	if (first)
		madvise(mem, first * PAGE, MADV_DONTNEED);
	if (last < PAGES)
		madvise(mem + last * PAGE, (PAGES - last) * PAGE, MADV_DONTNEED);
	return mem;
}

static char *all_own(void)
{
	char *mem = range();

	touch(mem, PAGES);
	return mem;
}

static char *half_empty(void)
{
	char *mem = range();

	touch(mem, 100);
	return mem;
}

/* Reads find the zero page. */
static char *zeros(void)
{
	char *mem = range();
	unsigned int i;

	touch(mem, 300);
	for (i = 300; i < 340; i++)
		(void)*(volatile char *)(mem + i * PAGE);
	return mem;
}

static char *swapped(void)
{
	char *mem = range();

	touch(mem, PAGES);
	lru_drain();
	madvise(mem, 20 * PAGE, MADV_PAGEOUT);
	return mem;
}

static char *feared(void)
{
	return folio(1, 257);
}

static char *whole_folio(void)
{
	char *mem = folio(0, PAGES - 1);

	return mem;
}

/**
 * struct pattern - a range, and who shares it
 * @name: of its claims.
 * @make: makes the range, before the fork.
 * @shared: a child maps it too.
 * @written: pages that are written after that, from the first.
 * @limit: max_ptes_shared.
 */
static const struct pattern {
	const char	*name;
	char		*(*make)(void);
	bool		shared;
	unsigned int	first, written;
	const char	*limit;
} patterns[] = {
	{ "own", all_own, false, 0, 0, "256" },
	{ "empty", half_empty, false, 0, 0, "256" },
	{ "zeros", zeros, false, 0, 0, "256" },
	{ "swapped", swapped, false, 0, 0, "256" },
	{ "shared", all_own, true, 0, 7, "17" },
	{ "half-shared", all_own, true, 0, 256, "256" },
	{ "feared", feared, true, 300, 1, "0" },
	{ "folio", whole_folio, true, 0, 3, "100" },
};

/**
 * struct truth - what the kernel's own files say of a range
 */
struct truth {
	long long none, zero, unmapped, present, precise, large;
};

static struct truth look(const char *mem)
{
	struct truth t = { 0 };
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		const char *at = mem + i * PAGE;
		uint64_t pfn, flags;

		if (in_swap(at)) {
			t.unmapped++;
			continue;
		}
		if (!(pagemap(at) >> 63)) {
			t.none++;
			continue;
		}
		pfn = pfn_of(at);
		flags = kpage("/proc/kpageflags", pfn);
		if (flags >> KPF_ZERO_PAGE & 1) {
			t.zero++;
			continue;
		}
		t.present++;
		t.precise += kpage("/proc/kpagecount", pfn) > 1;
		t.large += (flags & (1 << KPF_COMPOUND_HEAD | 1 << KPF_COMPOUND_TAIL)) != 0;
	}
	return t;
}

/* --- events ---------------------------------------------------------------------- */

static char *events[EVENTS];
static unsigned int nr_events;

static void take_events(void)
{
	int fd = cow_open(GROUP "events", O_RDONLY | O_NONBLOCK);
	char *line, *rest = text;
	size_t used = 0;
	ssize_t n;

	need(fd >= 0, "no " GROUP "events: %s", strerror(-fd));
	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	close(fd);
	text[used] = '\0';
	for (nr_events = 0; (line = strsep(&rest, "\n")) && nr_events < EVENTS;)
		if (*line)
			events[nr_events++] = strdup(line);
}

static long long field(const char *event, const char *key)
{
	char want[40];
	const char *at;

	snprintf(want, sizeof(want), " %s=", key);
	at = event ? strstr(event, want) : NULL;
	if (!at || at[strlen(want)] == '-')
		return -1;
	return strtoll(at + strlen(want), NULL, 0);
}

/* The first scan of the range, for whom, that found a page table. */
static const char *event_of(const char *mem, const char *origin)
{
	unsigned int i;

	for (i = 0; i < nr_events; i++)
		if (field(events[i], "addr") == (long long)(uintptr_t)mem &&
		    strstr(events[i], origin) && strstr(events[i], " table=pte "))
			return events[i];
	return NULL;
}

static void forget_events(void)
{
	while (nr_events)
		free(events[--nr_events]);
}

/* --- scans ------------------------------------------------------------------------ */

static long long full_scans(void)
{
	char number[32] = "";

	file_read(KHUGEPAGED "full_scans", number, sizeof(number));
	return atoll(number);
}

static void wait_scans(void)
{
	long long first = full_scans();
	uint64_t end = now_ns() + slowness() * 60000000000ull;

	/* Wakes it. */
	file_write(KHUGEPAGED "scan_sleep_millisecs", "10");
	while (full_scans() < first + SCANS && now_ns() < end)
		sleep_ms(5);
	need(full_scans() >= first + SCANS, "khugepaged does not scan");
}

static void check_whole(const struct pattern *p, const struct truth *t, const char *e,
			long long writable)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-ptes", p->name);
	check(field(e, "ptes") == (long long)PAGES && field(e, "none") == t->none &&
	      field(e, "zero") == t->zero && field(e, "unmapped") == t->unmapped &&
	      field(e, "present") == t->present, name,
	      "its PTEs are those of pagemap", "none %lld zero %lld unmapped %lld present %lld: %s",
	      t->none, t->zero, t->unmapped, t->present, e ?: "no event");
	snprintf(name, sizeof(name), "%s-precise", p->name);
	check(field(e, "precise") == t->precise && field(e, "large") == t->large, name,
	      "the pages that are shared are those of kpagecount", "%lld of %lld large: %s",
	      t->precise, t->large, e ?: "no event");
	snprintf(name, sizeof(name), "%s-writable", p->name);
	check(field(e, "writable") == writable, name, "writable are those that were written since",
	      "%lld: %s", writable, e ?: "no event");
}

/* Until 6.1 khugepaged's own look ends with the first page too many. */
static void check_seen(const struct pattern *p, const struct truth *t, const char *e)
{
	long long limit = atoll(p->limit);
	bool over = t->precise > limit;
	char name[64];

	snprintf(name, sizeof(name), "%s-seen", p->name);
	check(field(e, "precise") == (over ? limit + 1 : t->precise) &&
	      (over || field(e, "present") == t->present), name,
	      "it sees the pages of kpagecount until there is one too many",
	      "%lld present, %lld shared: %s", t->present, t->precise, e ?: "no event");
}

static void pattern_of(const struct pattern *p)
{
	struct partner partner;
	char *mem = p->make(), name[64];
	struct truth t;
	const char *e;

	if (p->shared)
		partner = partner_start();
	touch(mem + p->first * PAGE, p->written);
	lru_drain();
	need(!file_write(KHUGEPAGED "max_ptes_shared", p->limit), "max_ptes_shared");
	t = look(mem);
	madvise(mem, HUGE, MADV_HUGEPAGE);
	wait_scans();
	madvise(mem, HUGE, MADV_NOHUGEPAGE);
	take_events();
	e = event_of(mem, " origin=khugepaged ");
	if (WHOLE)
		check_whole(p, &t, e, p->shared ? p->written : t.present);
	else
		check_seen(p, &t, e);
	snprintf(name, sizeof(name), "%s-whose", p->name);
	check(field(e, "owner") == getpid() && field(e, "max_ptes_shared") == atoll(p->limit) &&
	      field(e, "max_ptes_none") == 511, name,
	      "it has the process, and the limits in force", "%d, %s: %s", getpid(), p->limit,
	      e ?: "no event");
	if (p->shared)
		partner_end(&partner);
	munmap(mem, HUGE);
}

static void run_patterns(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		pattern_of(&patterns[i]);
		forget_events();
	}
}

/* --- beside the kernel's own event --------------------------------------------------- */

static long long number_behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoll(at + strlen(key), NULL, 0) : -1;
}

/* One line of the kernel, one event: in the same order, with the same numbers. */
static unsigned int compare_lines(unsigned int *different)
{
	FILE *f = fopen(INSTANCE "/trace", "r");
	unsigned int n = 0;
	char line[1024];

	need(f, "no " INSTANCE "/trace");
	*different = 0;
	while (fgets(line, sizeof(line), f)) {
		if (*line == '#' || !strstr(line, "mm_khugepaged_scan_pmd:"))
			continue;
		*different += n >= nr_events ||
			number_behind(line, "none_or_zero=") != field(events[n], "kernel_none") ||
			number_behind(line, "unmapped=") != field(events[n], "kernel_unmapped") ||
			number_behind(line, "referenced=") != field(events[n], "kernel_referenced");
		n++;
	}
	fclose(f);
	return n;
}

static void drop_scans(void)
{
	int fd = open(INSTANCE "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	need(fd >= 0, "the trace cannot be emptied: %s", strerror(errno));
	close(fd);
	take_events();
	forget_events();
}

static void beside(void)
{
	char *own = all_own(), *empty = half_empty(), *refused = feared();
	struct partner partner = partner_start();
	unsigned int lines, different;
	long long before, after;

	touch(refused + 300 * PAGE, 1);
	lru_drain();
	file_write(KHUGEPAGED "max_ptes_shared", "0");
	/* Nothing else asks to be scanned: between these two it rests. */
	drop_scans();
	before = value_in(COW_DIR "/" GROUP "stats", "tracepoint");
	madvise(own, HUGE, MADV_HUGEPAGE);
	madvise(empty, HUGE, MADV_HUGEPAGE);
	madvise(refused, HUGE, MADV_HUGEPAGE);
	wait_scans();
	madvise(own, HUGE, MADV_NOHUGEPAGE);
	madvise(empty, HUGE, MADV_NOHUGEPAGE);
	madvise(refused, HUGE, MADV_NOHUGEPAGE);
	wait_scans();
	take_events();
	after = value_in(COW_DIR "/" GROUP "stats", "tracepoint");
	lines = compare_lines(&different);
	check(lines == nr_events && lines >= 3 && after - before == lines, "hits",
	      "there are as many scans as hits of mm_khugepaged_scan_pmd",
	      "%u lines, %u events, %lld counted", lines, nr_events, after - before);
	check(lines && !different, "numbers",
	      "each has the numbers of the kernel's event, in its order", "%u of %u differ",
	      different, lines);
	forget_events();
	partner_end(&partner);
	munmap(own, HUGE);
	munmap(empty, HUGE);
	munmap(refused, HUGE);
}

/* --- MADV_COLLAPSE -------------------------------------------------------------------- */

static void collapse(void)
{
	struct partner partner;
	struct truth t;
	const char *e;
	char *mem;

	if (!WHOLE) {
		skip("collapse", "MADV_COLLAPSE came with 6.1");
		return;
	}
	mem = feared();
	partner = partner_start();
	touch(mem + 300 * PAGE, 1);
	lru_drain();
	file_write(KHUGEPAGED "max_ptes_shared", "0");
	wait_scans();
	drop_scans();
	t = look(mem);
	/* Who has no huge pages by madvise() is let through by the setting alone. */
	file_write(KHUGEPAGED "scan_sleep_millisecs", "100000");
	madvise(mem, HUGE, MADV_HUGEPAGE);
	need(!madvise(mem, HUGE, MADV_COLLAPSE), "MADV_COLLAPSE: %s", strerror(errno));
	madvise(mem, HUGE, MADV_NOHUGEPAGE);
	take_events();
	e = event_of(mem, " origin=madvise ");
	check(field(e, "pid") == gettid(), "collapse",
	      "a scan for MADV_COLLAPSE is by whom it asked", "%s", e ?: "no event");
	check(field(e, "precise") == t.precise && field(e, "precise") == 256, "collapse-precise",
	      "and has the same counts", "%lld: %s", t.precise, e ?: "no event");
	forget_events();
	partner_end(&partner);
	munmap(mem, HUGE);
}

static void check_off(void)
{
	char *mem = all_own();
	long long hits;

	need(!cow_write(GROUP "enabled", "0"), "it cannot be switched off");
	hits = value_in(COW_DIR "/" GROUP "stats", "tracepoint");
	check(!file_has("/sys/kernel/debug/kprobes/list", "collapse") &&
	      !file_has("/sys/kernel/debug/kprobes/list", "max_ptes"), "off-probes",
	      "switched off, nothing of khugepaged is probed", "a kprobe is left");
	madvise(mem, HUGE, MADV_HUGEPAGE);
	wait_scans();
	check(value_in(COW_DIR "/" GROUP "stats", "tracepoint") == hits, "off-hits",
	      "nor is its event seen", "%lld", hits);
	munmap(mem, HUGE);
}

/* --- the machine ------------------------------------------------------------------------ */

static struct setting {
	const char	*path, *value;
	char		before[64];
} settings[] = {
	{ THP "enabled", "madvise", "" },
	{ THP "hugepages-2048kB/enabled", "inherit", "" },
	{ KHUGEPAGED "max_ptes_none", "511", "" },
	{ KHUGEPAGED "max_ptes_swap", "64", "" },
	{ KHUGEPAGED "max_ptes_shared", "256", "" },
	{ KHUGEPAGED "pages_to_scan", "32768", "" },
	{ KHUGEPAGED "scan_sleep_millisecs", "10", "" },
};

static void set_up(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		struct setting *s = &settings[i];
		char *chosen;

		if (file_read(s->path, s->before, sizeof(s->before)) < 0)
			continue;
		chosen = strchr(s->before, '[');
		if (chosen) {
			chosen[strcspn(chosen, "]")] = '\0';
			memmove(s->before, chosen + 1, strlen(chosen));
		}
		need(!file_write(s->path, s->value), "%s", s->path);
	}
	need(!mkdir(INSTANCE, 0700) || errno == EEXIST, INSTANCE ": %s", strerror(errno));
	need(!file_write(EVENT "/enable", "1"), "no " EVENT);
}

static void put_back(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (*settings[i].before)
			file_write(settings[i].path, settings[i].before);
	file_write(EVENT "/enable", "0");
	rmdir(INSTANCE);
}

void run_khugepaged(void)
{
	module_start(256);
	traits = kernel_traits();
	set_up();
	/* What asked before is scanned before. */
	wait_scans();
	need(!cow_write(GROUP "enabled", "1"), "it cannot be switched on");
	run_patterns();
	beside();
	collapse();
	check_off();
	put_back();
}
