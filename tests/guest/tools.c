// SPDX-License-Identifier: GPL-2.0
/*
 * cowtrace:wp_fault as people use it: perf, trace-cmd and bpftrace, each of which has to
 * count what cowtrace counts. They stand in the directory in which this is started.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define EVENT		"cowtrace:wp_fault"
#define LOAD		"tools-load"
#define RUN		"/usr/libexec/cowtrace/cowtest load tools"
#define PAGES		1024
#define OUT		"/tmp/tools.out"

/* "cowtest load tools": under a name that nothing else has. */
void tools_load(void)
{
	char *mem;

	wait_armed(true);
	prctl(PR_SET_NAME, LOAD);
	mem = map_pages(PAGES);
	touch(mem, PAGES);
	fork_write(mem, PAGES);
}

/* Its output in OUT. Return: whether it ended with 0. */
static bool run(const char *command)
{
	char line[1024];

	wait_armed(false);
	snprintf(line, sizeof(line), "%s >" OUT " 2>&1", command);
	return !system(line);
}

static const char *said(void)
{
	static char text[400];
	ssize_t n = file_read(OUT, text, sizeof(text));
	char *at;

	text[n > 0 && n < (ssize_t)sizeof(text) ? n : 0] = '\0';
	for (at = text; *at; at++)
		if (!isprint(*at))
			*at = ' ';
	return text;
}

/**
 * struct lines - what a tool has printed of the event
 * @events: lines of it.
 * @copies: with the words of a copy for another mapping.
 * @reuses: with those of a reuse by the only reference.
 * @unread: lines that the tool could not make words of.
 * @words: of the last fields: a state, an evidence, what is present.
 */
struct lines {
	unsigned long long events, copies, reuses, unread, words;
};

static struct lines printed(const char *word)
{
	FILE *f = fopen(OUT, "r");
	struct lines n = { 0 };
	char line[4096];

	need(f, "no " OUT);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, word);

		n.unread += !!strstr(line, "FAILED TO PARSE");
		if (!at)
			continue;
		n.events++;
		n.copies += !!strstr(at, " copy mapped kind=anon ");
		n.reuses += !!strstr(at, " reuse sole-ref kind=anon ");
		n.words += strstr(at, " state=anon|") && strstr(at, "exit-present|exit-write") &&
			   strstr(at, " present=page|");
	}
	fclose(f);
	return n;
}

static void claim_lines(const char *tool, const struct lines *n, const struct stats *s)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-counts", tool);
	check(n->events == s->sum.exits && n->events >= 2 * PAGES, name,
	      "it has each fault that cowtrace counts", "%llu, cowtrace %llu", n->events,
	      s->sum.exits);
	snprintf(name, sizeof(name), "%s-words", tool);
	check(n->copies == s->faults[COWTRACE_OUTCOME_COPY][COWTRACE_REASON_MAPPED] &&
	      n->reuses == s->faults[COWTRACE_OUTCOME_REUSE][COWTRACE_REASON_SOLE_REF] &&
	      n->copies >= PAGES && n->reuses >= PAGES && n->words >= 2 * PAGES && !n->unread, name,
	      "and prints outcomes, reasons and states as words",
	      "%llu copies, %llu reuses, %llu of %llu with states, %llu not parsed", n->copies,
	      n->reuses, n->words, n->events, n->unread);
}

static bool have(const char *program)
{
	char why[64];

	if (!access(program, X_OK))
		return true;
	snprintf(why, sizeof(why), "%s is not in this guest", program);
	skip(program + strlen("./"), why);
	return false;
}

static void by_perf(void)
{
	unsigned long long n = 0;
	struct lines lines;
	struct stats s;
	bool ran;

	if (!have("./perf"))
		return;
	ran = run("./perf record -a -m 1024 -o /tmp/perf.data -e " EVENT " -- " RUN);
	stats_read(&s);
	check(ran, "perf-record", "perf record -e " EVENT " ends with 0", "%s", said());
	ran = run("./perf script -i /tmp/perf.data");
	check(ran, "perf-script", "so does perf script", "%s", said());
	lines = printed(" " EVENT ": ");
	claim_lines("perf", &lines, &s);
	cow_write("reset", "1");
	ran = run("./perf stat -a -x , -e " EVENT " -- " RUN);
	stats_read(&s);
	check(ran && sscanf(said(), "%llu,", &n) == 1 && n == s.sum.exits && n >= 2 * PAGES, "perf-stat",
	      "perf stat counts what cowtrace counts", "%s, cowtrace %llu", said(), s.sum.exits);
	unlink("/tmp/perf.data");
}

static void by_trace_cmd(void)
{
	struct lines lines;
	struct stats s;
	bool ran;

	if (!have("./trace-cmd"))
		return;
	cow_write("reset", "1");
	ran = run("./trace-cmd record -b 8192 -e cowtrace -o /tmp/trace.dat " RUN);
	stats_read(&s);
	check(ran, "trace-cmd-record", "trace-cmd record -e cowtrace ends with 0", "%s", said());
	ran = run("./trace-cmd report -i /tmp/trace.dat");
	check(ran, "trace-cmd-report", "so does trace-cmd report", "%s", said());
	lines = printed(" wp_fault: ");
	claim_lines("trace-cmd", &lines, &s);
	unlink("/tmp/trace.dat");
}

/* Two CPUs that bring the same new key to a map at once lose one of the two: bpftrace's. */
static bool nearly(unsigned long long n, unsigned long long of)
{
	return n <= of && n + cpus_online() > of && n >= PAGES;
}

/* A line "@: N", and lines "@by[NAME, OUTCOME, REASON]: N". */
static void by_bpftrace(void)
{
	unsigned long long copies = 0, reuses = 0, all = 0, n;
	unsigned int outcome, reason;
	struct stats s;
	char line[256];
	bool ran;
	FILE *f;

	if (!kernel_has_types()) {
		skip("bpftrace", "this kernel has no BTF");
		return;
	}
	if (!have("./bpftrace"))
		return;
	cow_write("reset", "1");
	ran = run("./bpftrace -e 'tracepoint:" EVENT
		  " { @ = count(); @by[args.comm, args.outcome, args.reason] = count(); }' -c '"
		  RUN "'");
	stats_read(&s);
	check(ran, "bpftrace-runs", "bpftrace -e tracepoint:" EVENT " ends with 0", "%s", said());
	f = fopen(OUT, "r");
	need(f, "no " OUT);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "@: %llu", &n) == 1)
			all = n;
		if (sscanf(line, "@by[" LOAD ", %u, %u]: %llu", &outcome, &reason, &n) != 3)
			continue;
		if (outcome == COWTRACE_OUTCOME_COPY && reason == COWTRACE_REASON_MAPPED)
			copies = n;
		if (outcome == COWTRACE_OUTCOME_REUSE && reason == COWTRACE_REASON_SOLE_REF)
			reuses = n;
	}
	fclose(f);
	check(all == s.sum.exits && all >= 2 * PAGES, "bpftrace-counts",
	      "it counts what cowtrace counts", "%llu, cowtrace %llu", all, s.sum.exits);
	check(nearly(copies, s.faults[COWTRACE_OUTCOME_COPY][COWTRACE_REASON_MAPPED]) &&
	      nearly(reuses, s.faults[COWTRACE_OUTCOME_REUSE][COWTRACE_REASON_SOLE_REF]),
	      "bpftrace-fields", "and reads name, outcome and reason", "%llu copies, %llu reuses",
	      copies, reuses);
}

/*
 * The probes are armed before the event has its user, and disarmed after, and others
 * fault meanwhile: the load alone is asked for.
 */
void run_tools(void)
{
	module_start(1024);
	need(!cow_write("filter/comm", LOAD), "filter/comm does not take " LOAD);
	by_perf();
	by_trace_cmd();
	by_bpftrace();
}
