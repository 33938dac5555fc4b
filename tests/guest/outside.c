// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"
#include "outside.h"

#define TRACING		"/sys/kernel/tracing"
#define GROUP		TRACING "/events/cowtest"
/* Its own ring buffer: what else is traced neither fills it nor is mixed in. */
#define INSTANCE	TRACING "/instances/cowtest"
#define NEWPAGE		INSTANCE "/events/cowtest/newpage"

static char text[1 << 16];

/* The files trace_pipe_raw of the instance, while it is there. */
static struct {
	unsigned int	cpus;
	int		fd[MAX_CPUS];
} raw;

/* --- kprobe events ------------------------------------------------------ */

static bool change_events(const char *definition)
{
	return !file_append(TRACING "/kprobe_events", definition);
}

bool kprobe_profile(const char *event, long long *hits, long long *misses)
{
	char *line, *rest = text, name[64];

	if (file_read(TRACING "/kprobe_profile", text, sizeof(text)) < 0)
		return false;
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, " %63s %lld %lld", name, hits, misses) == 3 &&
		    !strcmp(name, event))
			return true;
	return false;
}

static long long calls_of(const char *event)
{
	long long hits, misses;

	return kprobe_profile(event, &hits, &misses) ? hits + misses : -1;
}

/* --- symbols ------------------------------------------------------------ */

enum { WP, COPY, ATTEMPT, NEW_FOLIO, NEW_PAGE, NR_SYMBOLS };

static struct symbol {
	const char	*name;
	uint64_t	start, end;
} symbols[NR_SYMBOLS] = {
	[WP]		= { .name = "do_wp_page" },
	[COPY]		= { .name = "wp_page_copy" },
	[ATTEMPT]	= { .name = "__delayacct_wpcopy_start" },
	[NEW_FOLIO]	= { .name = "folio_add_new_anon_rmap" },
	[NEW_PAGE]	= { .name = "page_add_new_anon_rmap" },
};

/* A function ends where the next symbol begins: the file is in order of addresses. */
static void find_symbols(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long at;
	char name[256];
	int i;

	need(f, "/proc/kallsyms: %s", strerror(errno));
	while (fgets(text, sizeof(text), f) && !strchr(text, '[')) {
		if (sscanf(text, "%llx %*c %255s", &at, name) != 2)
			continue;
		for (i = 0; i < NR_SYMBOLS; i++) {
			if (!strcmp(name, symbols[i].name))
				symbols[i].start = at;
			else if (symbols[i].start && !symbols[i].end && at > symbols[i].start)
				symbols[i].end = at;
		}
	}
	fclose(f);
	need(symbols[WP].end, "no do_wp_page in /proc/kallsyms");
}

static bool inside(const struct symbol *s, uint64_t ip)
{
	return ip >= s->start && ip < s->end;
}

/* --- counts --------------------------------------------------------------- */

static const struct symbol *attempts_symbol(void)
{
	if (symbols[ATTEMPT].end && file_has("/proc/cmdline", "delayacct"))
		return &symbols[ATTEMPT];
	return symbols[COPY].end ? &symbols[COPY] : NULL;
}

const char *outside_attempts(void)
{
	const struct symbol *s = attempts_symbol();

	return s ? s->name : NULL;
}

bool outside_hugetlb(void)
{
	return attempts_symbol() == &symbols[ATTEMPT];
}

static const struct symbol *newpage_symbol(void)
{
	return &symbols[symbols[NEW_FOLIO].end ? NEW_FOLIO : NEW_PAGE];
}

static bool arm(bool on)
{
	int err = file_write(GROUP "/wp/enable", on ? "1" : "0");

	if (outside_attempts())
		err |= file_write(GROUP "/attempt/enable", on ? "1" : "0");
	if (raw.cpus)
		err |= file_write(NEWPAGE "/enable", on ? "1" : "0");
	return !err;
}

void outside_init(void)
{
	char line[128];

	/* What a suite that failed has left. */
	outside_exit();
	find_symbols();
	file_write("/proc/sys/kernel/task_delayacct", "1");
	need(change_events("p:cowtest/wp do_wp_page\n"), "no kprobe event on do_wp_page");
	if (!outside_attempts())
		return;
	snprintf(line, sizeof(line), "p:cowtest/attempt %s\n", outside_attempts());
	need(change_events(line), "no kprobe event on %s", outside_attempts());
}

void outside_exit(void)
{
	newpages_close();
	file_write(GROUP "/wp/enable", "0");
	file_write(GROUP "/attempt/enable", "0");
	change_events("-:cowtest/wp\n");
	change_events("-:cowtest/attempt\n");
}

static void outside_read(struct outside *o)
{
	static struct rusage usage;

	o->calls = calls_of("wp");
	o->attempts = outside_attempts() ? calls_of("attempt") : -1;
	o->pgreuse = value_in("/proc/vmstat", "pgreuse");
	o->cow_ksm = value_in("/proc/vmstat", "cow_ksm");
	getrusage(RUSAGE_SELF, &usage);
	o->minflt = usage.ru_minflt;
}

/* Write to each page of this process that can be written to. */
static void settle(void)
{
	static char maps[1 << 16];
	unsigned long start, end;
	char *line, *rest = maps, r, w;

	need(file_read("/proc/self/maps", maps, sizeof(maps)) > 0, "no /proc/self/maps");
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%lx-%lx %c%c", &start, &end, &r, &w) != 4 || w != 'w')
			continue;
		for (; start < end; start += PAGE) {
			volatile char *at = (volatile char *)start;

			*at = *at;
		}
	}
}

void outside_begin(struct outside *before)
{
	static struct stats s;

	/* All that is called once, so that the C library has its memory. */
	stats_read(&s);
	outside_read(before);
	settle();
	outside_read(before);
	need(arm(true), "the kprobe events cannot be enabled");
	enable();
}

void outside_end(struct outside *after)
{
	disable();
	outside_read(after);
	need(arm(false), "the kprobe events cannot be disabled");
}

int outside_count(const char *event, int pid)
{
	struct perf_event_attr attr = {
		.type		= PERF_TYPE_TRACEPOINT,
		.size		= sizeof(attr),
		.inherit	= 1,
	};
	char path[128];
	int fd;

	snprintf(path, sizeof(path), GROUP "/%s/id", event);
	need(file_read(path, text, sizeof(text)) > 0, "no %s", path);
	attr.config = strtoull(text, NULL, 10);
	fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	need(fd >= 0, "perf cannot count the event %s: %s", event, strerror(errno));
	return fd;
}

long long outside_counted(int fd)
{
	uint64_t n;

	need(read(fd, &n, sizeof(n)) == sizeof(n), "perf gives no count: %s", strerror(errno));
	close(fd);
	return n;
}

/* --- new pages ------------------------------------------------------------- */

/* Of the kernel's ring buffer: include/linux/ring_buffer.h, and header_page. */
enum { PADDING = 29, TIME_EXTEND = 30, TIME_STAMP = 31 };
#define COMMIT_SIZE	((1u << 27) - 1)
#define HEADER		16

/* As the event's file "format" describes it on all kernels. */
struct newpage_event {
	uint16_t	type;
	uint8_t		flags, preempt_count;
	int32_t		pid;
	uint64_t	ip, ret, address;
};

static void newpage_add(struct newpages *list, const struct newpage_event *e, uint64_t time_ns)
{
	if (!inside(&symbols[WP], e->ret) && !inside(&symbols[COPY], e->ret)) {
		list->others++;
		return;
	}
	list->at = with_room(list->at, list->n, &list->room, sizeof(*list->at));
	list->at[list->n++] = (struct newpage) { time_ns, e->address, e->pid };
}

/* The events of one page of the ring buffer. */
static void decode(struct newpages *list, const char *page)
{
	uint64_t time_ns, size, at, length;
	struct newpage_event e;
	uint32_t word, more;

	memcpy(&time_ns, page, 8);
	memcpy(&size, page + 8, 8);
	size = HEADER + (size & COMMIT_SIZE);
	need(size <= PAGE, "a page of the ring buffer holds %llu bytes", (unsigned long long)size);
	for (at = HEADER; at < size; at += length) {
		memcpy(&word, page + at, 4);
		memcpy(&more, page + at + 4, 4);
		switch (word & 31) {
		case PADDING:
			if (!(word >> 5))
				return;
			length = 4 + more;
			continue;
		case TIME_EXTEND:
			time_ns += (word >> 5) + ((uint64_t)more << 27);
			length = 8;
			continue;
		case TIME_STAMP:
			time_ns = (time_ns & ~((1ull << 59) - 1)) |
				  (word >> 5) | (uint64_t)more << 27;
			length = 8;
			continue;
		}
		time_ns += word >> 5;
		length = 4 + (word & 31) * 4;
		need(length == 4 + sizeof(e), "an event of %llu bytes",
		     (unsigned long long)length);
		memcpy(&e, page + at + 4, sizeof(e));
		newpage_add(list, &e, time_ns);
	}
}

void newpages_open(unsigned int kb)
{
	unsigned int cpu;
	char line[128];

	snprintf(line, sizeof(line), "p:cowtest/newpage %s ret=+0($stack):x64 address=%%dx:x64\n",
		 newpage_symbol()->name);
	need(change_events(line), "no kprobe event on %s", newpage_symbol()->name);
	need(!mkdir(INSTANCE, 0700), "%s: %s", INSTANCE, strerror(errno));
	snprintf(line, sizeof(line), "%u", kb);
	need(!file_write(INSTANCE "/trace_clock", "mono") &&
	     !file_write(INSTANCE "/buffer_size_kb", line), "the trace instance has no such buffer");
	raw.cpus = cpus_online();
	for (cpu = 0; cpu < raw.cpus; cpu++) {
		snprintf(line, sizeof(line), INSTANCE "/per_cpu/cpu%u/trace_pipe_raw", cpu);
		raw.fd[cpu] = open(line, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		need(raw.fd[cpu] >= 0, "%s: %s", line, strerror(errno));
	}
}

void newpages_close(void)
{
	for (; raw.cpus; raw.cpus--)
		close(raw.fd[raw.cpus - 1]);
	file_write(NEWPAGE "/enable", "0");
	rmdir(INSTANCE);
	change_events("-:cowtest/newpage\n");
}

void newpages_take(struct newpages *list)
{
	static char page[PAGE];
	unsigned int cpu;
	ssize_t got;

	for (cpu = 0; cpu < raw.cpus; cpu++) {
		while ((got = read(raw.fd[cpu], page, sizeof(page))) > 0) {
			need(got == sizeof(page), "trace_pipe_raw gave %zd bytes", got);
			decode(list, page);
		}
		need(!got || errno == EAGAIN, "trace_pipe_raw: %s", strerror(errno));
	}
}

void newpages_free(struct newpages *list)
{
	free(list->at);
	memset(list, 0, sizeof(*list));
}

struct newpages_count newpages_count(void)
{
	static const char * const losses[] = { "overrun:", "commit overrun:", "dropped events:" };
	struct newpages_count c = { 0 };
	unsigned int cpu, i;
	char path[128];

	need(kprobe_profile("newpage", &c.hits, &c.lost), "no profile of the event");
	for (cpu = 0; cpu < raw.cpus; cpu++) {
		snprintf(path, sizeof(path), INSTANCE "/per_cpu/cpu%u/stats", cpu);
		for (i = 0; i < ARRAY_SIZE(losses); i++)
			c.lost += value_in(path, losses[i]);
	}
	return c;
}
