// SPDX-License-Identifier: GPL-2.0
/*
 * The setting policies: what the kernel counts of each policy's answers is what the
 * same header says of the same records here.
 */
#include <cowtrace/policy.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "truth-huge.h"

#define PAGES	64

struct answers {
	unsigned long long of[COWTRACE_NR_POLICIES][COWTRACE_NR_ANSWERS];
};

#define NAME(id, v, n, s)	[v] = n,
static const char * const policy_names[] = { COWTRACE_POLICIES(NAME) };
static const char * const answer_names[] = { COWTRACE_ANSWERS(NAME) };

/* --- what differs among the policies -------------------------------------------- */

static void swapped(void)
{
	char *mem = pages_in_swap_cache();
	struct partner p;

	if (mem)
		touch(mem, N);
	mem = fresh_pages();
	if (!page_out(mem))
		return;
	p = partner_start();
	read_pages();
	touch(mem, N);
	partner_end(&p);
}

static void large(void)
{
	char *mem = map_thp(2);

	fork_write(mem, 2 * HUGE / PAGE);
	mem = map_thp(1);
	mprotect(mem, PAGE, PROT_READ);
	mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
	fork_and_forget();
	touch(mem, PAGES);
}

static void load(void *unused)
{
	char *mem = map_pages(PAGES);

	(void)unused;
	/* The zero page. */
	read_one(mem);
	touch(mem, PAGES);
	fork_write(mem, PAGES);
	lru_drain();
	fork_write(mem, PAGES);
	/* References that a pipe holds. */
	mem = fresh_pages();
	fork_and_forget();
	pipe_pages(mem, N);
	touch(mem, N);
	mem = pages_of_ksm();
	if (mem)
		touch(mem, N);
	mem = map_file("/tmp/policies", MAP_PRIVATE);
	begin(mem);
	read_pages();
	touch(mem, N);
	swapped();
	large();
}

/* --- both counts ---------------------------------------------------------------- */

static unsigned int index_of(const char * const *names, unsigned int nr, const char *name)
{
	unsigned int i;

	for (i = 0; i < nr && strcmp(names[i], name); i++)
		;
	need(i < nr, "stats has the unknown word '%s'", name);
	return i;
}

/* Of the kernel. Return: how many lines. */
static unsigned int kernel_counts(struct answers *a)
{
	static char text[1 << 16];
	char policy[32], answer[32], *line, *save;
	ssize_t size = cow_read("stats", text, sizeof(text));
	unsigned long long value;
	unsigned int lines = 0;

	need(size > 0, "reading stats: %s", strerror(-size));
	memset(a, 0, sizeof(*a));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "policy %31s %31s %llu", policy, answer, &value) != 3)
			continue;
		a->of[index_of(policy_names, COWTRACE_NR_POLICIES, policy)]
		     [index_of(answer_names, COWTRACE_NR_ANSWERS, answer)] = value;
		lines++;
	}
	return lines;
}

static void count(struct answers *a, const struct trace *t)
{
	size_t i;
	int p;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < t->n; i++) {
		struct cowtrace_facts f = cowtrace_facts(&t->r[i], traits);

		for (p = 0; p < COWTRACE_NR_POLICIES; p++)
			a->of[p][cowtrace_predict(p, &f).answer]++;
	}
}

static void traced(struct trace *t)
{
	enable();
	child_wait(child(load, NULL));
	disable();
	trace_read(t);
}

static void same(const struct answers *kernel, const struct answers *here, const struct trace *t)
{
	char wrong[128] = "";
	unsigned long long sum;
	bool whole = true;
	int p, a;

	for (p = 0; p < COWTRACE_NR_POLICIES; p++) {
		sum = 0;
		for (a = 0; a < COWTRACE_NR_ANSWERS; a++) {
			sum += kernel->of[p][a];
			if (kernel->of[p][a] != here->of[p][a])
				snprintf(wrong, sizeof(wrong), "%s %s: %llu, of the records %llu",
					 policy_names[p], answer_names[a], kernel->of[p][a],
					 here->of[p][a]);
		}
		whole &= sum == t->n;
		note("%s: not asked %llu, reuse %llu, copy %llu, undetermined %llu",
		     policy_names[p], kernel->of[p][COWTRACE_ANSWER_NONE],
		     kernel->of[p][COWTRACE_ANSWER_REUSE], kernel->of[p][COWTRACE_ANSWER_COPY],
		     kernel->of[p][COWTRACE_ANSWER_UNDETERMINED]);
	}
	check(!*wrong, "same", "each count of stats is that of the records, to the fault", "%s",
	      wrong);
	check(whole && t->n > 6 * PAGES, "whole", "each policy answers to each fault once",
	      "%zu faults", t->n);
	check(here->of[COWTRACE_POLICY_REFCOUNT][COWTRACE_ANSWER_COPY] !=
	      here->of[COWTRACE_POLICY_MINIMAL][COWTRACE_ANSWER_COPY], "differ",
	      "the faults are such that policies differ", "all copy the same");
}

void run_policies(void)
{
	struct answers kernel, here;
	struct trace t;

	module_start(4096);
	traits = kernel_traits();
	sh = map_shared(sizeof(*sh));
	check(file_has(COW_DIR "/policies", "0") && !kernel_counts(&kernel), "default",
	      "until it is switched on, stats has no line of policies", "it has");
	need(!cow_write("policies", "1"), "policies does not take 1");
	traced(&t);
	check(kernel_counts(&kernel), "on", "then it has", "it has none");
	count(&here, &t);
	same(&kernel, &here, &t);
	need(!cow_write("reset", "1"), "reset is refused");
	check(!kernel_counts(&kernel), "reset", "reset zeroes them", "some are left");
	trace_free(&t);
	traced(&t);
	need(!cow_write("policies", "0"), "policies does not take 0");
	check(!kernel_counts(&kernel), "off", "switched off, none is shown", "some are");
	need(!cow_write("policies", "1"), "policies does not take 1");
	check(!kernel_counts(&kernel), "again", "switched on again, they begin at zero",
	      "some are left");
	trace_free(&t);
}
