// SPDX-License-Identifier: GPL-2.0
/* A child writes each of 8192 shared pages, then the parent, alone, writes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

#define PAGES	8192

/* What is traced, on its own: "cowtest load". */
void pattern(void *arg)
{
	char *mem = map_pages(PAGES);

	(void)arg;
	touch(mem, PAGES);
	lru_drain();
	fork_write(mem, PAGES);
}

/* The same pattern under the command, which records it or counts. */
static void by_command(const char *name, const char *option)
{
	static char json[1 << 20];
	const char *sum, *mapped, *lost;
	char command[256], claim[64];
	long long copies, reuses, all;
	int status;

	snprintf(command, sizeof(command),
		 "cowtrace run %s --output-report /tmp/run.txt --json /tmp/run.json -- /usr/libexec/cowtrace/cowtest load",
		 option);
	status = system(command);
	need(!status, "cowtrace run ended with %#x", status);
	need(file_read("/tmp/run.json", json, sizeof(json)) > 0, "cowtrace run left no JSON");
	sum = strstr(json, "\"faults\":{");
	mapped = strstr(json, "\"reasons\":[");
	/* Only copies and unshares have this reason. */
	mapped = mapped ? strstr(mapped, "\"reason\":\"mapped\"") : NULL;
	lost = strstr(json, "\"lost\":{");
	need(sum && mapped && lost, "the JSON lacks faults, reasons or lost");
	copies = json_number(mapped, "faults");
	reuses = json_number(sum, "reuses");
	all = json_number(sum + strlen("\"faults\":{"), "faults");
	note("cowtrace run %s: copies because mapped %lld, reuses %lld, all %lld", option, copies,
	     reuses, all);
	check(copies >= PAGES && reuses >= PAGES, name,
	      "cowtrace run reports at least 8192 copies because mapped and 8192 reuses",
	      "%lld and %lld", copies, reuses);
	snprintf(claim, sizeof(claim), "%s-others", name);
	check(all - 2 * PAGES <= 100, claim, "and at most 100 faults beside them", "%lld",
	      all - 2 * PAGES);
	snprintf(claim, sizeof(claim), "%s-lost", name);
	check(!json_number(lost, "sequence_gaps") && !json_number(lost, "sequence_lost") &&
	      !json_number(lost, "full") && !json_number(lost, "missed_no_instance") &&
	      !json_number(lost, "missed_recursion") && !json_number(lost, "disarmed"), claim,
	      "and nothing lost: no gap, nothing dropped, nothing missed", "%.600s", lost);
}

static bool reason_is(const struct cowtrace_record *r, int outcome, int reason)
{
	return r->outcome == outcome && r->reason == reason;
}

/* Places where the number is not the last one's plus 1. */
static size_t gaps(const struct trace *t)
{
	size_t i, n = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < t->cpus; cpu++)
		for (i = t->cpu[cpu]; i < t->cpu[cpu + 1]; i++)
			n += t->r[i].seq != i - t->cpu[cpu] + 1;
	return n;
}

void run_pattern(void)
{
	size_t i, copies = 0, reuses = 0, others = 0;
	struct held_child c;
	struct trace t;
	char pid[16];

	module_start(4096);
	c = child_held(pattern, NULL);
	snprintf(pid, sizeof(pid), "%d", c.pid);
	need(!cow_write("filter/tree", pid), "filter/tree does not take %s", pid);
	enable();
	child_go(&c);
	need(!child_wait(c.pid), "the pattern failed");
	disable();
	trace_read(&t);
	for (i = 0; i < t.n; i++) {
		if (reason_is(&t.r[i], COWTRACE_OUTCOME_COPY, COWTRACE_REASON_MAPPED))
			copies++;
		else if (t.r[i].outcome == COWTRACE_OUTCOME_REUSE)
			reuses++;
		else
			others++;
	}
	note("copies because mapped %zu, reuses %zu, others %zu", copies, reuses, others);
	check(copies >= PAGES, "copies", "at least 8192 copies with reason mapped", "%zu", copies);
	check(reuses >= PAGES, "reuses", "at least 8192 reuses", "%zu", reuses);
	/* The rest of the two processes: stack, data, libraries. */
	check(copies + reuses <= 2 * PAGES + 100 && others <= 100, "others",
	      "at most 100 faults of any other kind", "%zu of other pages, %zu of other kinds",
	      copies + reuses - 2 * PAGES, others);
	check(!gaps(&t), "sequence", "no gap in the sequence numbers", "%zu gaps", gaps(&t));
	trace_free(&t);
	by_command("run", "--records");
	by_command("run-counts", "");
}
