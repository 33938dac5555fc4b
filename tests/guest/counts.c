// SPDX-License-Identifier: GPL-2.0
/*
 * The mode counts: the file counts against the kernel's own counts, against the records
 * and the lines of the same faults, and against itself.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ledger.h"
#include "lib.h"
#include "metrics.h"
#include "outside.h"

#define PAGES	256
#define MAPPED	32
/* More processes than the table of a CPU has room for, 64 sets of 8. */
#define CROWD	800
#define ROWS	(512 * MAX_CPUS)
#define READS	100

/**
 * struct sum - faults, of an outcome and reason or of a process
 * @faults: how many.
 * @bytes: copied by them.
 * @ns: their time.
 * @copies: copies and unshares, of a process.
 * @reuses: reuses, of a process.
 */
struct sum {
	unsigned long long faults, bytes, ns, copies, reuses;
};

/**
 * struct counts - the file counts, or what it should say
 * @of: by outcome and reason.
 * @log2: the same by power of two of their duration.
 * @row: by process.
 * @tgid: whose row.
 * @nr: number of rows.
 * @others: the last row.
 * @all: the sum of @of.
 * @in_rows: the sum of @row and @others.
 */
struct counts {
	struct sum	of[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
	unsigned long long log2[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS][32];
	struct sum	row[ROWS];
	unsigned int	tgid[ROWS];
	unsigned int	nr;
	struct sum	others, all, in_rows;
};

static unsigned int number_of(const char *(*name_of)(unsigned int), unsigned int nr,
			      const char *name)
{
	unsigned int i;

	for (i = 0; i < nr && strcmp(name_of(i), name); i++)
		;
	need(i < nr, "the word '%s' is not known", name);
	return i;
}

#define OUTCOME(name)	number_of(outcome_name, COWTRACE_NR_OUTCOMES, name)
#define REASON(name)	number_of(reason_name, COWTRACE_NR_REASONS, name)

static void add(struct sum *to, const struct sum *from)
{
	to->faults += from->faults;
	to->bytes += from->bytes;
	to->ns += from->ns;
	to->copies += from->copies;
	to->reuses += from->reuses;
}

/* A line of the file that begins with "process TGID" or "others", behind that. */
static void parse_row(struct counts *c, struct sum *to, const char *rest)
{
	struct sum s;

	need(sscanf(rest, "%llu %llu %llu %*u %llu %llu", &s.faults, &s.copies, &s.reuses, &s.bytes,
		    &s.ns) == 5, "a process of counts: %s", rest);
	*to = s;
	add(&c->in_rows, &s);
}

static void parse(struct counts *c, const char *line)
{
	char outcome[32], reason[32];
	unsigned long long from, n;
	struct sum s = { 0 };
	int at = 0;

	if (sscanf(line, "fault %31s %31s %llu %llu %llu", outcome, reason, &s.faults, &s.bytes,
		   &s.ns) == 5) {
		c->of[OUTCOME(outcome)][REASON(reason)] = s;
		add(&c->all, &s);
	} else if (sscanf(line, "duration %31s %31s %llu %llu", outcome, reason, &from, &n) == 4) {
		c->log2[OUTCOME(outcome)][REASON(reason)][__builtin_ctzll(from)] = n;
	} else if (sscanf(line, "process %u %n", &c->tgid[c->nr], &at) == 1 && at) {
		parse_row(c, &c->row[c->nr], line + at);
		need(++c->nr < ROWS, "counts has more processes than the tables of all CPUs");
	} else if (!strncmp(line, "others ", 7)) {
		parse_row(c, &c->others, line + 7);
	}
}

static void counts_read(struct counts *c)
{
	static char text[1 << 19];
	ssize_t size = cow_read("counts", text, sizeof(text));
	char *line, *save;

	need(size > 0 && text[size - 1] == '\n', "reading counts: %s",
	     size < 0 ? strerror(-size) : "it ends in the middle of a line");
	memset(c, 0, sizeof(*c));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse(c, line);
}

/* One fault of a record or of a line. All pages are small. */
static void count(struct counts *c, int outcome, int reason, unsigned int tgid, uint32_t ns)
{
	bool copied = outcome == COWTRACE_OUTCOME_COPY || outcome == COWTRACE_OUTCOME_UNSHARE;
	struct sum one = {
		1, copied ? PAGE : 0, ns, copied, outcome == COWTRACE_OUTCOME_REUSE,
	};
	unsigned int i;

	for (i = 0; i < c->nr && c->tgid[i] != tgid; i++)
		;
	if (i == c->nr) {
		need(++c->nr < ROWS, "too many processes");
		c->tgid[i] = tgid;
	}
	add(&c->row[i], &one);
	add(&c->in_rows, &one);
	c->log2[outcome][reason][31 - __builtin_clz(ns | 1)]++;
	/* Only of processes. */
	one.copies = one.reuses = 0;
	add(&c->of[outcome][reason], &one);
	add(&c->all, &one);
}

/* --- the experiment ------------------------------------------------------------ */

/*
 * The kernel writes to the rseq area of a thread that it had preempted, and who has forked
 * gets a fault by that: once more or less each time.
 */
static void no_rseq(void)
{
	void *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size)
		syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

/* Does the same each time: copies of three kinds of pages, and reuses. */
static void experiment(void *unused)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *mem = map_pages(PAGES), *zero = map_pages(MAPPED), *file;
	struct sched_param priority = { .sched_priority = 1 };
	volatile char sum = 0;
	int i;

	(void)unused;
	file = mmap(NULL, MAPPED * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	need(file != MAP_FAILED, "no private mapping");
	on_cpu(0);
	no_rseq();
	touch(mem, PAGES);
	lru_drain();
	/* A child waits until its parent does: who copies what both have is no race. */
	need(!sched_setscheduler(0, SCHED_FIFO, &priority), "no SCHED_FIFO");
	fork_write(mem, PAGES);
	for (i = 0; i < MAPPED; i++)
		sum += zero[i * PAGE] + file[i * PAGE];
	touch(zero, MAPPED);
	touch(file, MAPPED);
}

/* @beside: a child to run meanwhile, or NULL. */
static void traced(void (*fn)(void *), void (*beside)(void *), void *arg)
{
	struct held_child c = child_held(fn, NULL);
	pid_t other = 0;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", c.pid);
	need(!cow_write("filter/tree", pid), "filter/tree does not take %s", pid);
	enable();
	if (beside)
		other = child(beside, arg);
	child_go(&c);
	need(!child_wait(c.pid), "the load failed");
	disable();
	need(!beside || !child_wait(other), "what ran beside the load failed");
	cow_write("filter/tree", "any");
}

static void mode(const char *mode)
{
	need(!cow_write("mode", mode), "mode does not take %s", mode);
	need(!cow_write("reset", "1"), "reset is refused");
}

/* --- against the kernel's own ---------------------------------------------------- */

static unsigned long long outcome_of(const struct counts *c, int outcome)
{
	unsigned long long n = 0;
	int i;

	for (i = 0; i < COWTRACE_NR_REASONS; i++)
		n += c->of[outcome][i].faults;
	return n;
}

/*
 * Faults of other processes are in the sums of the whole system, some of them before the
 * module counts or after: what is held against its counts is of the experiment alone.
 */
static void outside(struct counts *c)
{
	static const int begun[] = {
		COWTRACE_OUTCOME_COPY, COWTRACE_OUTCOME_UNSHARE, COWTRACE_OUTCOME_RACED,
		COWTRACE_OUTCOME_RETRY, COWTRACE_OUTCOME_OOM, COWTRACE_OUTCOME_POISON,
	};
	static struct window w;
	struct held_child load;
	long long attempts = 0, reuses, pgreuse, own, calls, others;
	int calls_fd, attempts_fd = -1;
	char pid[16];
	size_t i;

	outside_init();
	load = child_held(experiment, NULL);
	child_sleeps(load.pid);
	calls_fd = outside_count("wp", load.pid);
	if (outside_attempts())
		attempts_fd = outside_count("attempt", load.pid);
	snprintf(pid, sizeof(pid), "%d", load.pid);
	need(!cow_write("filter/tree", pid), "filter/tree does not take %s", pid);
	window_open(&w);
	child_go(&load);
	child_wait(load.pid);
	window_close(&w);
	cow_write("filter/tree", "any");
	counts_read(c);
	own = w.after.minflt - w.before.minflt - 2 * (long long)w.s.sum.proofs;
	check(!own, "quiet", "the test itself took no fault but those of the proofs", "%lld", own);
	check(!stats_broken(&w.s) && w.s.sum.counted == w.s.sum.entries - w.s.sum.filtered_entry &&
	      !w.missed, "identities",
	      "the accounting identities hold, each fault of the experiment is counted and none is a record",
	      "%s", stats_broken(&w.s) ?: "some are not");
	calls = outside_counted(calls_fd);
	others = w.after.calls - w.before.calls - calls - (long long)w.s.sum.proofs;
	note("calls of do_wp_page %lld by the experiment, %lld by others", calls, others);
	check(calls == (long long)c->all.faults, "calls",
	      "calls of do_wp_page by the experiment, as perf counts them, are the faults of counts",
	      "%lld, %llu", calls, c->all.faults);
	for (i = 0; i < ARRAY_SIZE(begun); i++)
		attempts += outcome_of(c, begun[i]);
	if (outside_attempts()) {
		calls = outside_counted(attempts_fd);
		check(calls == attempts && attempts >= PAGES + 2 * MAPPED, "copies",
		      "copies begun, by delay accounting or by calls of wp_page_copy, are those of counts",
		      "%lld of %s, %lld", calls, outside_attempts(), attempts);
	} else {
		skip("copies", "no delay accounting");
	}
	reuses = outcome_of(c, COWTRACE_OUTCOME_REUSE) + outcome_of(c, COWTRACE_OUTCOME_MKWRITE);
	pgreuse = w.after.pgreuse - w.before.pgreuse;
	note("pgreuse %lld, reuse and mkwrite of counts %lld", pgreuse, reuses);
	check(pgreuse >= reuses && pgreuse <= reuses + others && reuses >= PAGES, "reuses",
	      "pgreuse of /proc/vmstat is the reuses of counts, but for as many calls as others made",
	      "%lld, %lld, others %lld", pgreuse, reuses, others);
	outside_exit();
}

/* --- against records and lines ----------------------------------------------------- */

#define LINES	"/tmp/counts-lines"

static void of_lines(struct counts *c)
{
	char line[2048], outcome[32], reason[32], *ns;
	FILE *f = fopen(LINES, "r");
	unsigned int pid;

	need(f, "no %s", LINES);
	memset(c, 0, sizeof(*c));
	while (fgets(line, sizeof(line), f)) {
		ns = strstr(line, " ns=");
		need(ns && sscanf(line, "%*s [%*u] %*[a-z]-%u %31s %31s", &pid, outcome, reason) == 3,
		     "a line of events: %s", line);
		count(c, OUTCOME(outcome), REASON(reason), pid, strtoul(ns + 4, NULL, 10));
	}
	fclose(f);
}

static void of_records(struct counts *c)
{
	struct trace t;
	size_t i;

	trace_read(&t);
	memset(c, 0, sizeof(*c));
	for (i = 0; i < t.n; i++)
		count(c, t.r[i].outcome, t.r[i].reason, t.r[i].tgid, t.r[i].duration_ns);
	trace_free(&t);
}

static void copy_lines(void *from)
{
	static char buf[1 << 16];
	int to = open(LINES, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	while ((n = read(*(int *)from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			_exit(1);
	_exit(!!n);
}

static bool has_row(const struct counts *c, unsigned int tgid, const struct sum *row)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (c->tgid[i] == tgid && !memcmp(&c->row[i], row, sizeof(*row)))
			return true;
	return false;
}

static unsigned int missing_rows(const struct counts *in, const struct counts *from)
{
	unsigned int i, n = 0;

	for (i = 0; i < from->nr; i++)
		n += !has_row(in, from->tgid[i], &from->row[i]);
	return n;
}

/* The first outcome and reason of which there are not as many, of other bytes or times. */
static const char *differ(const struct counts *a, const struct counts *b, bool times)
{
	static char text[160];
	int o, r;

	for (o = 0; o < COWTRACE_NR_OUTCOMES; o++)
		for (r = 0; r < COWTRACE_NR_REASONS; r++) {
			const struct sum *x = &a->of[o][r], *y = &b->of[o][r];

			if (x->faults == y->faults && x->bytes == y->bytes &&
			    (!times || (x->ns == y->ns && !memcmp(a->log2[o][r], b->log2[o][r],
								  sizeof(a->log2[o][r])))))
				continue;
			snprintf(text, sizeof(text), "%s %s: %llu, %llu bytes, %llu ns, not %llu, %llu, %llu",
				 outcome_name(o), reason_name(r), x->faults, x->bytes, x->ns,
				 y->faults, y->bytes, y->ns);
			return text;
		}
	return NULL;
}

/* Faults of any outcome and reason that only one of them has. */
static unsigned long long apart(const struct counts *a, const struct counts *b)
{
	unsigned long long sum = 0;
	int o, r;

	for (o = 0; o < COWTRACE_NR_OUTCOMES; o++)
		for (r = 0; r < COWTRACE_NR_REASONS; r++)
			sum += llabs((long long)(a->of[o][r].faults - b->of[o][r].faults));
	return sum;
}

static void against_records(void)
{
	static struct counts counted, lines, recorded, beside;
	int fd = cow_open("events", O_RDONLY);
	const char *wrong;

	need(fd >= 0, "opening events: %s", strerror(-fd));
	/* Once before, so that no page is written for the first time. */
	traced(experiment, copy_lines, &fd);
	mode("counts");
	traced(experiment, copy_lines, &fd);
	counts_read(&counted);
	of_lines(&lines);
	wrong = differ(&counted, &lines, true);
	check(!wrong && counted.all.faults > 2 * PAGES, "lines",
	      "of each outcome and reason faults, bytes, time and powers of two are those of the lines of events",
	      "%s", wrong ?: "too few");
	check(counted.nr == lines.nr && !missing_rows(&counted, &lines), "lines-processes",
	      "so are the processes", "%u of %u, %u differ", counted.nr, lines.nr,
	      missing_rows(&counted, &lines));

	mode("records");
	traced(experiment, copy_lines, &fd);
	close(fd);
	counts_read(&beside);
	of_records(&recorded);
	note("the same experiment: %llu faults counted, %llu recorded", counted.all.faults,
	     recorded.all.faults);
	/* It is another run: the kernel writes to a page of the stack now and then. */
	wrong = differ(&counted, &recorded, false);
	check(apart(&counted, &recorded) <= 2, "records",
	      "the same experiment, recorded, has the same outcomes and reasons, but for two faults",
	      "%llu differ: %s", apart(&counted, &recorded), wrong);
	check_metrics("records");
	check(counted.nr == recorded.nr, "records-processes", "and as many processes",
	      "%u and %u", counted.nr, recorded.nr);
	memset(recorded.log2, 0, sizeof(recorded.log2));
	wrong = differ(&beside, &recorded, true);
	check(!wrong && !beside.nr, "mode-records",
	      "in the mode records the file has the outcomes and reasons of the records, and nothing else",
	      "%s", wrong ?: "processes");
}

/* --- against itself ------------------------------------------------------------------ */

static void light(void *mem)
{
	touch(mem, 1);
}

static void crowd(void *unused)
{
	char *mem = fork_write_on(0, PAGES);
	int i;

	(void)unused;
	for (i = 0; i < CROWD; i++)
		child_wait(child(light, mem));
}

/* The command's report on the same file. */
static void by_command(const struct counts *c)
{
	static char json[1 << 22];
	const char *sums, *processes;

	output_of("cowtrace counts --json", json, sizeof(json));
	sums = strstr(json, "\"faults\":{");
	processes = strstr(json, "\"processes\":[");
	need(sums && processes, "the JSON lacks faults or processes");
	sums += strlen("\"faults\":{");
	check(json_number(sums, "faults") == (long long)c->all.faults &&
	      json_number(sums, "bytes_copied") == (long long)c->all.bytes &&
	      json_number(processes, "pid") == c->tgid[0] &&
	      json_number(processes, "copies") == (long long)c->row[0].copies, "command",
	      "cowtrace counts reports what the file says", "%lld faults, not %llu",
	      json_number(sums, "faults"), c->all.faults);
}

static void many(void)
{
	static struct counts c;

	mode("counts");
	traced(crowd, NULL, NULL);
	counts_read(&c);
	note("%u processes in %u lines, others %llu of %llu faults", CROWD + 2, c.nr,
	     c.others.faults, c.all.faults);
	check(c.nr < CROWD && c.others.faults, "bounded",
	      "of more processes than there is room for, some share a line", "%u lines", c.nr);
	check(c.in_rows.faults == c.all.faults && c.in_rows.bytes == c.all.bytes &&
	      c.in_rows.ns == c.all.ns &&
	      c.in_rows.copies == outcome_of(&c, COWTRACE_OUTCOME_COPY) &&
	      c.in_rows.reuses == outcome_of(&c, COWTRACE_OUTCOME_REUSE), "bounded-sum",
	      "all the same they add up to all faults, copies, reuses, bytes and time",
	      "%llu of %llu", c.in_rows.faults, c.all.faults);
	check(c.nr && c.row[0].copies >= PAGES, "bounded-top",
	      "who has copied most stands first, with all its copies", "%llu",
	      c.row[0].copies);
	by_command(&c);
	check_metrics("counts");
	check_metrics_enabled(false);
}

static bool went_back(const struct counts *now, const struct counts *before)
{
	int o, r;

	for (o = 0; o < COWTRACE_NR_OUTCOMES; o++)
		for (r = 0; r < COWTRACE_NR_REASONS; r++)
			if (now->of[o][r].faults < before->of[o][r].faults)
				return true;
	/* Whoever makes room is in the next line at once. */
	return now->in_rows.faults < before->in_rows.faults;
}

static void meanwhile(void)
{
	static struct counts c[2];
	unsigned long long first = 0;
	int i, back = 0;
	pid_t pid;

	mode("counts");
	enable();
	pid = child(crowd, NULL);
	for (i = 0; i < READS; i++) {
		counts_read(&c[i % 2]);
		first = first ?: c[i % 2].all.faults;
		back += i && went_back(&c[i % 2], &c[!(i % 2)]);
	}
	check_metrics_enabled(true);
	check(c[(i - 1) % 2].all.faults > first && !back, "meanwhile",
	      "it is read while faults happen, and no sum ever goes back", "%d of %d did", back, i);
	child_kill(pid);
	disable();
	counts_read(&c[0]);
	check(c[0].in_rows.faults == c[0].all.faults, "meanwhile-sum",
	      "after that processes add up to the faults", "%llu of %llu", c[0].in_rows.faults,
	      c[0].all.faults);
}

void run_counts(void)
{
	static struct counts c;

	module_start(4096);
	mode("counts");
	outside(&c);
	check(outcome_of(&c, COWTRACE_OUTCOME_COPY) * PAGE == c.all.bytes, "bytes",
	      "each copy copied a page", "%llu bytes", c.all.bytes);
	against_records();
	many();
	meanwhile();
}
