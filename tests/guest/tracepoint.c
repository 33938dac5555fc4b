// SPDX-License-Identifier: GPL-2.0
/* cowtrace:wp_fault, used as perf and trace-cmd use it: by tracefs. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib.h"

#define TRACING	"/sys/kernel/tracing"
#define EVENT	TRACING "/events/cowtrace/wp_fault"
#define PAGES	512
/* Behind it an event has the name and the id of the task. */
#define WORD	" wp_fault: "
#define LOAD	"seen-load"
#define BOTH	"both-see"

static void load(void *arg)
{
	char *mem = map_pages(PAGES);

	(void)arg;
	on_cpu(0);
	touch(mem, PAGES);
	lru_drain();
	fork_write(mem, PAGES);
}

#define FIELD_NAME(name, type, format, unit, absent, sentence)	#name,

/* Each field of the record is one of the event, by the same name. */
static void format(void)
{
	static const char * const names[] = { COWTRACE_FIELDS(FIELD_NAME) };
	static char text[1 << 16];
	char want[64], missing[256] = "";
	size_t i;

	need(file_read(EVENT "/format", text, sizeof(text)) > 0, "no " EVENT "/format");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(want, sizeof(want), " %s;", names[i]);
		if (!strstr(text, want) && !(snprintf(want, sizeof(want), " %s[", names[i]) > 0 &&
					     strstr(text, want)))
			snprintf(missing, sizeof(missing), "%s", names[i]);
	}
	check(!*missing, "fields", "the format has each field of the record", "no %s", missing);
	check(strstr(text, "\"copy\"") && strstr(text, "\"swapcache-freed\"") &&
	      strstr(text, "\"exit-exclusive\""), "names",
	      "the print format has names instead of numbers", "%.300s", text);
}

/* Lines of the event, those that begin with @task if that is not empty. */
static unsigned long long lines(const char *task, unsigned long long *copies,
				unsigned long long *reuses)
{
	FILE *f = fopen(TRACING "/trace", "r");
	unsigned long long n = 0;
	char line[2048];

	need(f, "no " TRACING "/trace");
	*copies = *reuses = 0;
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, WORD);

		if (!at || strncmp(at + strlen(WORD), task, strlen(task)))
			continue;
		n++;
		*copies += !!strstr(at, " copy mapped ");
		*reuses += !!strstr(at, " reuse sole-ref ");
	}
	fclose(f);
	return n;
}

static void event(bool on)
{
	need(!file_write(EVENT "/enable", on ? "1" : "0"), "the event cannot be switched");
	wait_armed(on);
}

/* By this name, with its child, it faults only while all users are on. */
static void named_load(void *name)
{
	prctl(PR_SET_NAME, name);
	load(NULL);
}

/*
 * The probes are armed before the event has its user, and disarmed after: who faults just
 * then is counted and not shown, so that only the load is asked for.
 */
static void counts(void)
{
	unsigned long long n, copies, reuses;
	struct stats s;

	file_write(TRACING "/buffer_size_kb", "4096");
	file_write(TRACING "/trace", "");
	need(!cow_write("filter/comm", LOAD), "filter/comm does not take " LOAD);
	event(true);
	check(file_has(COW_DIR "/probes", " armed ") && file_has(COW_DIR "/enabled", "0"), "arms",
	      "enabling the event arms the probes, without enabled", "it does not");
	need(!child_wait(child(named_load, LOAD)), "the load failed");
	event(false);
	check(!file_has(COW_DIR "/probes", " armed "), "disarms", "disabling it disarms them",
	      "it does not");
	stats_read(&s);
	cow_write("filter/comm", "any");
	n = lines("", &copies, &reuses);
	check(n == s.sum.exits && n >= 2 * PAGES, "counts", "it shows what stats counts, to the event",
	      "%llu lines, %llu exits", n, s.sum.exits);
	check(copies == s.faults[COWTRACE_OUTCOME_COPY][COWTRACE_REASON_MAPPED] &&
	      reuses == s.faults[COWTRACE_OUTCOME_REUSE][COWTRACE_REASON_SOLE_REF] &&
	      copies >= PAGES && reuses >= PAGES, "words",
	      "its names are the outcomes and reasons that stats counts", "%llu %llu", copies,
	      reuses);
	check(!stats_broken(&s), "identities", "accounting identities hold for it", "%s",
	      stats_broken(&s));
}

/* Both users at once: neither takes from the other. */
static void beside(void)
{
	unsigned long long n, copies, reuses, records = 0;
	struct stats s;
	struct trace t;
	size_t i;

	cow_write("reset", "1");
	file_write(TRACING "/trace", "");
	need(!cow_write("filter/comm", BOTH), "filter/comm does not take " BOTH);
	enable();
	need(!file_write(EVENT "/enable", "1"), "the event cannot be enabled");
	need(!child_wait(child(named_load, BOTH)), "the load failed");
	disable();
	need(!file_write(EVENT "/enable", "0"), "the event cannot be disabled");
	cow_write("filter/comm", "any");
	stats_read(&s);
	trace_read(&t);
	for (i = 0; i < t.n; i++)
		records += !strncmp(t.r[i].comm, BOTH, sizeof(t.r[i].comm));
	n = lines(BOTH "-", &copies, &reuses);
	check(n == records && copies >= PAGES && n >= 2 * PAGES && t.n == s.sum.recorded,
	      "beside", "event and records both show the load, to the fault",
	      "%llu lines of it, %llu records; %zu records read, %llu recorded", n, records, t.n,
	      s.sum.recorded);
	trace_free(&t);
}

void run_tracepoint(void)
{
	module_start(1024);
	format();
	counts();
	beside();
}
