// SPDX-License-Identifier: GPL-2.0
/* The files cpuN and events: what readers get, and in what pieces. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define PAGES	512

static void few(void *arg)
{
	(void)arg;
	fork_write_on(0, PAGES);
}

/* --- lines beside records ------------------------------------------------ */

#define ODD_NAME	"a\nb\033[2J\177c"
#define NAMED		32

static void few_of_odd_name(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, ODD_NAME);
	fork_write_on(0, NAMED);
}

static void named_oddly(void)
{
	static char text[1 << 18];
	size_t lines = 0, named = 0, i;
	char *line, *rest = text;
	struct stats s;
	bool plain = true;
	ssize_t n;
	int fd;

	fd = events_of(few_of_odd_name);
	for (i = 0; i < sizeof(text) - 1; i += n) {
		n = read(fd, text + i, sizeof(text) - 1 - i);
		if (n <= 0)
			break;
	}
	close(fd);
	while (i--)
		plain &= text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~');
	while ((line = strsep(&rest, "\n")) && *line) {
		lines++;
		named += !!strstr(line, " a?b?[2J?c-");
	}
	stats_read(&s);
	check(plain && named >= 2 * NAMED && lines == s.sum.recorded, "events-name",
	      "a name with a line's end and a terminal's commands is part of one line of plain text",
	      "%zu lines of %zu with the name, recorded %llu", named, lines, s.sum.recorded);
}

#define LINES	"/tmp/events"

static void copy_events(void *arg)
{
	int from = *(int *)arg, to = open(LINES, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			_exit(1);
	_exit(n ? 1 : 0);
}

/* What names a fault in a line and in a record. */
struct name {
	unsigned long long	us, address;
	unsigned int		pid;
};

/* CPUs are merged as they are read, and a fault may end after a later one: any order. */
static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct name));
}

static struct name *names_of_lines(size_t *n, size_t *broken)
{
	static struct name names[16 * PAGES];
	unsigned long long s, us;
	char line[2048], comm[16];
	FILE *f = fopen(LINES, "r");

	need(f, "no %s", LINES);
	memset(names, 0, sizeof(names));
	*n = *broken = 0;
	while (fgets(line, sizeof(line), f) && *n < ARRAY_SIZE(names)) {
		char *addr = strstr(line, " addr=");
		struct name *name = &names[*n];

		if (sscanf(line, "%llu.%6llu [%*u] %7[a-z]-%u ", &s, &us, comm, &name->pid) != 4 ||
		    !addr || strcmp(comm, "cowtest") || !strchr(line, '\n'))
			(*broken)++;
		else
			name->address = strtoull(addr + 6, NULL, 0);
		name->us = s * 1000000 + us;
		(*n)++;
	}
	fclose(f);
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

static struct name *names_of_records(const struct trace *t)
{
	struct name *names = calloc(t->n + 1, sizeof(*names));
	size_t i;

	need(names, "no memory");
	for (i = 0; i < t->n; i++) {
		names[i].us = t->r[i].time_ns / 1000;
		names[i].address = t->r[i].address;
		names[i].pid = t->r[i].pid;
	}
	qsort(names, t->n, sizeof(*names), by_name);
	return names;
}

static void lines_beside_records(void)
{
	struct held_child c;
	struct name *in_lines, *in_records;
	size_t lines, broken;
	char pid[16];
	struct stats s;
	struct trace t;
	int fd, status;
	pid_t reader;

	c = child_held(few, NULL);
	snprintf(pid, sizeof(pid), "%d", c.pid);
	need(!cow_write("filter/tree", pid), "filter/tree does not take %s", pid);
	fd = cow_open("events", O_RDONLY);
	need(fd >= 0, "opening events: %s", strerror(-fd));
	enable();
	reader = child(copy_events, &fd);
	child_go(&c);
	need(!child_wait(c.pid), "the load failed");
	disable();
	status = child_wait(reader);
	close(fd);
	check(!status, "events-end", "events ends when tracing is off and all is read", "status %#x",
	      status);
	stats_read(&s);
	trace_read(&t);
	check(t.n == s.sum.recorded && t.n >= 2 * PAGES, "events-apart",
	      "reading events takes no record from cpuN", "%zu, recorded %llu", t.n,
	      s.sum.recorded);
	in_lines = names_of_lines(&lines, &broken);
	in_records = names_of_records(&t);
	check(lines == t.n && !broken && !s.events_dropped &&
	      !memcmp(in_lines, in_records, lines * sizeof(*in_lines)), "events-lines",
	      "one line a record, with its time, task and address",
	      "%zu lines of %zu records, %zu broken, %llu dropped", lines, t.n, broken,
	      s.events_dropped);
	free(in_records);
	trace_free(&t);
	cow_write("filter/tree", "any");
}

/* --- openers and pieces --------------------------------------------------- */

static void one_opener(const char *name)
{
	char claim[64], label[32];
	int first = cow_open(name, O_RDONLY), second = cow_open(name, O_RDONLY), third;

	if (first >= 0)
		close(first);
	third = cow_open(name, O_RDONLY);
	snprintf(label, sizeof(label), "opener-%s", name);
	snprintf(claim, sizeof(claim), "%s has one opener: a second gets EBUSY", name);
	check(first >= 0 && second == -EBUSY && third >= 0, label, claim, "%d, then %d, then %d",
	      first, second, third);
	if (third >= 0)
		close(third);
}

/* Faults on CPU 0 of a process that is gone then; no other is recorded. */
static void few_of_one(bool first)
{
	struct held_child c = child_held(few, NULL);
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", c.pid);
	need(!cow_write("filter/tgid", pid), "filter/tgid does not take %s", pid);
	if (first)
		enable();
	child_go(&c);
	need(!child_wait(c.pid), "the load failed");
}

static void pieces(void)
{
	static char buf[PAGE];
	const struct cowtrace_record *first = (const struct cowtrace_record *)buf;
	void *nowhere = map_none();
	ssize_t small, bad, odd, waiting, nothing;
	struct pollfd p;
	int fd, events;

	cow_write("reset", "1");
	fd = cow_open("cpu0", O_RDONLY | O_NONBLOCK);
	need(fd >= 0, "opening cpu0: %s", strerror(-fd));
	few_of_one(true);
	small = read(fd, buf, 100) < 0 ? -errno : 0;
	bad = read(fd, nowhere, PAGE) < 0 ? -errno : 0;
	odd = read(fd, buf, 1000);
	check(bad == -EFAULT && first->seq == 1, "nowhere",
	      "a read to a bad address is EFAULT, and takes nothing", "%zd, then record %u", bad,
	      first->seq);
	check(small == -EINVAL, "small", "a read of 100 bytes is EINVAL", "%zd", small);
	check(odd == 1000 / 128 * 128, "whole", "a read of 1000 bytes gives 7 whole records", "%zd",
	      odd);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	waiting = read(fd, buf, sizeof(buf)) < 0 ? -errno : 0;
	check(waiting == -EAGAIN, "again", "nothing there while tracing is on: EAGAIN", "%zd",
	      waiting);
	p = (struct pollfd) { .fd = fd, .events = POLLIN };
	check(poll(&p, 1, 0) == 0, "poll-empty", "poll says that nothing is there", "revents %#x",
	      p.revents);
	few_of_one(false);
	check(poll(&p, 1, -1) == 1 && p.revents == POLLIN, "poll-full",
	      "poll says that records are there", "revents %#x", p.revents);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	disable();
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	nothing = read(fd, buf, sizeof(buf)) < 0 ? -errno : 0;
	check(nothing == 0, "eof", "nothing there while tracing is off: end of file", "%zd", nothing);
	close(fd);
	events = cow_open("events", O_RDONLY);
	nothing = read(events, buf, sizeof(buf)) < 0 ? -errno : 0;
	check(events >= 0 && !nothing, "events-eof", "events too", "%zd", nothing);
	close(events);
	cow_write("filter/tgid", "any");
}

static void blocked(void *arg)
{
	struct cowtrace_record r;
	int fd = *(int *)arg;

	_exit(read(fd, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

static void trickle(void)
{
	int fd, status = 0;
	pid_t reader, gone;

	need(!cow_write("filter/comm", "trickle"), "filter/comm does not take trickle");
	/* Of before there may be records. */
	cow_write("reset", "1");
	enable();
	fd = cow_open("cpu1", O_RDONLY);
	need(fd >= 0, "opening cpu1: %s", strerror(-fd));
	reader = child(blocked, &fd);
	child_sleeps(reader);
	gone = waitpid(reader, &status, WNOHANG);
	check(!gone, "blocks", "a read waits while nothing is there", "it came back with %#x",
	      status);
	prctl(PR_SET_NAME, "trickle");
	on_cpu(1);
	touch(map_pages(1), 1);
	fork_write(map_pages(1), 1);
	/* Tracing stays on and nothing more is written: only a reader that looks again ends. */
	status = child_wait(reader);
	check(!status, "wakes", "a waiting reader gets a single record", "status %#x", status);
	close(fd);
	disable();
	cow_write("filter/comm", "any");
}

/* --- no torn record -------------------------------------------------------- */

/* To be read on each CPU before the storm may end. */
#define STORM_RECORDS	10000
#define STORMERS	4
#define SMALLEST_KB	"64"

/*
 * Name, process and address of a storm's record depend on one another: a
 * record put together of two would not fit itself.
 */
static void *storm_base(int nr)
{
	return (void *)(0x100000000000ull + ((unsigned long)nr << 32));
}

static void storm(void *arg)
{
	uintptr_t nr = (uintptr_t)arg;
	char name[16], *mem;

	snprintf(name, sizeof(name), "storm%zu", nr);
	prctl(PR_SET_NAME, name);
	on_cpu(nr);
	mem = mmap(storm_base(nr), PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (mem != storm_base(nr))
		_exit(1);
	madvise(mem, PAGES * PAGE, MADV_NOHUGEPAGE);
	touch(mem, PAGES);
	for (;;)
		fork_write(mem, PAGES);
}

struct found {
	unsigned long long	read, gaps, storms;
	uint32_t		last_seq;
	uint64_t		last_exit;
	char			torn[600];
};

static const char *torn(const struct cowtrace_record *r, unsigned int cpu, struct found *f)
{
	unsigned long nr;

	if (r->magic != COWTRACE_RECORD_MAGIC)
		return "magic";
	if (r->type != COWTRACE_TYPE_FAULT || r->cpu != cpu)
		return "type or cpu";
	if (r->seq <= f->last_seq)
		return "number";
	if (r->path >= COWTRACE_NR_PATHS || r->origin >= COWTRACE_NR_ORIGINS ||
	    r->kind >= COWTRACE_NR_KINDS || r->outcome >= COWTRACE_NR_OUTCOMES ||
	    r->reason >= COWTRACE_NR_REASONS)
		return "a word that is none";
	/* The clock may step back a little when it is read across an update. */
	if (r->time_ns + r->duration_ns + 1000000 < f->last_exit)
		return "time";
	if (strncmp(r->comm, "storm", 5) || r->address < (uintptr_t)storm_base(0) ||
	    r->address >= (uintptr_t)storm_base(STORMERS))
		return NULL;
	nr = (r->address - (uintptr_t)storm_base(0)) >> 32;
	if (r->comm[5] != (char)('0' + nr) || r->comm[6] || r->ip != (uintptr_t)poke)
		return "name, address and instruction";
	if (r->outcome != COWTRACE_OUTCOME_COPY && r->outcome != COWTRACE_OUTCOME_REUSE)
		return "outcome";
	if ((r->outcome == COWTRACE_OUTCOME_COPY) != (r->new_pfn != r->pfn) &&
	    (r->present & COWTRACE_HAS_NEW_PFN))
		return "outcome and pfns";
	f->storms++;
	return NULL;
}

/* Reads one record at a time until the end of file. */
static void read_storm(unsigned int cpu, struct found *f)
{
	struct cowtrace_record r;
	char name[16];
	ssize_t got;
	int fd;

	snprintf(name, sizeof(name), "cpu%u", cpu);
	fd = cow_open(name, O_RDONLY);
	while (fd >= 0 && (got = read(fd, &r, sizeof(r))) > 0) {
		const char *what = got == sizeof(r) ? torn(&r, cpu, f) : "size";

		if (what && !*f->torn)
			snprintf(f->torn, sizeof(f->torn), "record %llu, %s: seq %u after %u, %s",
				 f->read, what, r.seq, f->last_seq, record_text(&r));
		f->gaps += r.seq - f->last_seq - 1;
		f->last_seq = r.seq;
		f->last_exit = r.time_ns + r.duration_ns;
		f->read++;
	}
	if (fd < 0 || got)
		snprintf(f->torn, sizeof(f->torn), "reading %s: %s", name,
			 strerror(fd < 0 ? -fd : errno));
}

static struct found *founds;

static void reader(void *arg)
{
	read_storm((uintptr_t)arg, &founds[(uintptr_t)arg]);
}

static void never_torn(void)
{
	pid_t stormers[STORMERS], readers[2];
	unsigned long long tail, gaps = 0;
	bool whole = true, counted = true;
	struct stats s;
	uintptr_t i;

	founds = map_shared(2 * sizeof(*founds));
	need(!cow_write("buffer_kb", SMALLEST_KB), "buffer_kb does not take " SMALLEST_KB);
	cow_write("reset", "1");
	enable();
	for (i = 0; i < 2; i++)
		readers[i] = child(reader, (void *)i);
	for (i = 0; i < STORMERS; i++)
		stormers[i] = child(storm, (void *)i);
	for (i = 0; i < 2; i++)
		while (founds[i].storms < STORM_RECORDS && !*founds[i].torn)
			sleep_ms(10);
	for (i = 0; i < STORMERS; i++)
		child_kill(stormers[i]);
	disable();
	for (i = 0; i < 2; i++)
		child_wait(readers[i]);
	stats_read(&s);
	for (i = 0; i < 2; i++) {
		struct found *f = &founds[i];

		whole &= !*f->torn && f->read == s.cpu[i].recorded;
		/* What was dropped behind the last record that was read leaves no gap. */
		tail = s.cpu[i].recorded + s.cpu[i].dropped_full - f->last_seq;
		counted &= f->gaps + tail == s.cpu[i].dropped_full;
		gaps += f->gaps;
		note("storm, cpu %zu: read %llu, storm's %llu, gaps %llu, tail %llu, dropped %llu",
		     (size_t)i, f->read, f->storms, f->gaps, tail, s.cpu[i].dropped_full);
	}
	check(whole, "torn", "no record is torn when readers chase a storm in the smallest buffer",
	      "%s; %s", founds[0].torn, founds[1].torn);
	check(counted, "torn-gaps", "gaps in the numbers are what was dropped, to the record",
	      "gaps %llu, dropped %llu", gaps, s.sum.dropped_full);
	check(!stats_broken(&s), "torn-accounting", "accounting is exact after the storm", "%s",
	      stats_broken(&s));
	munmap(founds, 2 * sizeof(*founds));
}

void run_events(void)
{
	module_start(4096);
	lines_beside_records();
	named_oddly();
	one_opener("cpu0");
	one_opener("cpu1");
	one_opener("events");
	pieces();
	trickle();
	shared_reads();
	never_torn();
}
