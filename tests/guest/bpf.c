// SPDX-License-Identifier: GPL-2.0
/*
 * The bpf backend, without the module: its records of a load whose calls and copies the
 * kernel's own probe events count at the same time, by perf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"
#include "outside.h"

#define TRACE	"/tmp/bpf.data"
#define COUNTED	"/tmp/bpf.counted"
#define PAGES	1024

/* Both ways to end, and a page that is never reused. */
static void counted(void *arg)
{
	char *mem = map_pages(PAGES), *zero = map_pages(64);
	volatile char sum = 0;
	int i;

	(void)arg;
	touch(mem, PAGES);
	lru_drain();
	fork_write(mem, PAGES);
	for (i = 0; i < 64; i++)
		sum += zero[i * PAGE];
	touch(zero, 64);
}

/* "cowtest load bpf": the load in a child, the counts and when they began in a file. */
void bpf_load(void)
{
	int calls_fd, attempts_fd = -1;
	struct held_child load;
	uint64_t began;
	FILE *f;

	outside_init();
	load = child_held(counted, NULL);
	child_sleeps(load.pid);
	calls_fd = outside_count("wp", load.pid);
	if (outside_attempts())
		attempts_fd = outside_count("attempt", load.pid);
	began = now_ns();
	child_go(&load);
	need(!child_wait(load.pid), "the load failed");
	f = fopen(COUNTED, "w");
	need(f, "cannot write " COUNTED);
	fprintf(f, "%d %llu %lld %lld\n", getpid(), (unsigned long long)began,
		outside_counted(calls_fd), attempts_fd < 0 ? -1 : outside_counted(attempts_fd));
	fclose(f);
	outside_exit();
}

struct seen {
	long long records, reuses, copies, others, zero, gaps;
};

static long long number(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? atoll(at + strlen(name)) : -1;
}

/* The records of the load: those of other processes than its parent, from @began on. */
static void read_records(struct seen *s, int parent, uint64_t began)
{
	long long last[MAX_CPUS] = { 0 };
	char line[4096];
	FILE *f = popen("cowtrace events --json " TRACE, "r");

	need(f, "cowtrace events does not start");
	while (fgets(line, sizeof(line), f)) {
		long long cpu = number(line, "\"cpu\":"), seq = number(line, "\"seq\":");

		need(cpu >= 0 && cpu < MAX_CPUS, "a record of CPU %lld", cpu);
		s->gaps += seq != last[cpu] + 1;
		last[cpu] = seq;
		if (number(line, "\"tgid\":") == parent ||
		    (uint64_t)number(line, "\"time_ns\":") < began)
			continue;
		s->records++;
		s->zero += !!strstr(line, "\"reason\":\"zero\"");
		if (strstr(line, "\"outcome\":\"reuse\""))
			s->reuses++;
		else if (strstr(line, "\"outcome\":\"copy\""))
			s->copies++;
		else
			s->others++;
	}
	need(!pclose(f), "cowtrace events failed");
}

void run_bpf(void)
{
	static char json[1 << 16];
	unsigned long long began;
	long long calls, attempts;
	struct seen s = { 0 };
	int status, parent;
	const char *lost;

	status = system("cowtrace record --backend bpf --json -o " TRACE
			" -- /usr/libexec/cowtrace/cowtest load bpf >/tmp/bpf.json");
	need(!status, "cowtrace record --backend bpf ended with %#x", status);
	check(!module_loaded(), "alone", "the module is not loaded for it", "it is");
	status = system("cowtrace doctor | grep -q '^ok *BPF backend *built with libbpf v1'");
	check(!status, "doctor", "cowtrace doctor tells that it is there", "it does not");
	need(file_read(COUNTED, json, sizeof(json)) > 0 &&
	     sscanf(json, "%d %llu %lld %lld", &parent, &began, &calls, &attempts) == 4,
	     "the load left no counts");
	need(file_read("/tmp/bpf.json", json, sizeof(json)) > 0, "no summary");
	lost = strstr(json, "\"lost\"");
	need(lost, "the summary lacks lost");
	read_records(&s, parent, began);
	note("records %lld: copies %lld, reuses %lld, others %lld; calls %lld, copies begun %lld",
	     s.records, s.copies, s.reuses, s.others, calls, attempts);
	check(s.records == calls, "calls",
	      "the load has as many records as perf counts calls of do_wp_page", "%lld, %lld",
	      s.records, calls);
	if (attempts < 0)
		skip("copies", "this kernel has no function that each copy calls");
	else
		check(s.copies == attempts && s.copies > PAGES, "copies",
		      "and as many copies as delay accounting, or wp_page_copy, has calls",
		      "%lld, %lld", s.copies, attempts);
	check(s.reuses >= PAGES && !s.others, "reuses", "all others are reuses",
	      "%lld reuses, %lld of other outcomes", s.reuses, s.others);
	check(s.zero == 64, "zero", "64 of the copies are of the zero page", "%lld", s.zero);
	check(!s.gaps, "sequence", "the records of each CPU are numbered without a gap",
	      "%lld gaps", s.gaps);
	check(!number(lost, "\"full\":") && !number(lost, "\"missed_recursion\":") &&
	      !number(lost, "\"missed_no_instance\":") && !number(lost, "\"skipped_exits\":") &&
	      !number(lost, "\"disarmed\":"), "lost", "nothing is lost or missed", "%.400s", lost);
}
