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

/* By what happened. */
struct pairs {
	struct answers of[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
};

#define NAME(id, v, n, s)	[v] = n,
static const char * const policy_names[] = { COWTRACE_POLICIES(NAME) };
static const char * const answer_names[] = { COWTRACE_ANSWERS(NAME) };
static const char * const outcome_names[] = { COWTRACE_OUTCOMES(NAME) };
static const char * const reason_names[] = { COWTRACE_REASONS(NAME) };

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
	need(i < nr, "the module has the unknown word '%s'", name);
	return i;
}

#define INDEX_OF(names, name)	index_of(names, ARRAY_SIZE(names), name)

static unsigned long long *answer_of(struct answers *a, const char *policy, const char *answer)
{
	return &a->of[INDEX_OF(policy_names, policy)][INDEX_OF(answer_names, answer)];
}

static bool take_sum(void *to, const char *line)
{
	char policy[32], answer[32];
	unsigned long long n;

	if (sscanf(line, "policy %31s %31s %llu", policy, answer, &n) != 3)
		return false;
	*answer_of(to, policy, answer) = n;
	return true;
}

static bool take_pair(void *to, const char *line)
{
	char outcome[32], reason[32], policy[32], answer[32];
	struct pairs *pairs = to;
	unsigned long long n;

	if (sscanf(line, "policy %31s %31s %31s %31s %llu", outcome, reason, policy, answer,
		   &n) != 5)
		return false;
	*answer_of(&pairs->of[INDEX_OF(outcome_names, outcome)][INDEX_OF(reason_names, reason)],
		   policy, answer) = n;
	return true;
}

/* Lines of a file of the module that @take knows. Return: how many. */
static unsigned int lines_of(const char *file, bool (*take)(void *to, const char *line), void *to)
{
	static char text[1 << 18];
	ssize_t size = cow_read(file, text, sizeof(text));
	unsigned int lines = 0;
	char *line, *save;

	need(size > 0, "reading %s: %s", file, strerror(-size));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		lines += take(to, line);
	return lines;
}

/* Of the kernel. Return: how many lines. */
static unsigned int kernel_counts(struct answers *a)
{
	memset(a, 0, sizeof(*a));
	return lines_of("stats", take_sum, a);
}

static void count(struct answers *a, struct pairs *pairs, const struct trace *t)
{
	size_t i;
	int p;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < t->n; i++) {
		struct cowtrace_facts f = cowtrace_facts(&t->r[i], traits);

		for (p = 0; p < COWTRACE_NR_POLICIES; p++) {
			int answer = cowtrace_predict(p, &f).answer;

			a->of[p][answer]++;
			pairs->of[t->r[i].outcome][t->r[i].reason].of[p][answer]++;
		}
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
	static struct pairs kernel_pairs, pairs;
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
	count(&here, &pairs, &t);
	same(&kernel, &here, &t);
	check(lines_of("counts", take_pair, &kernel_pairs) &&
	      !memcmp(&kernel_pairs, &pairs, sizeof(pairs)), "pairs",
	      "counts has them by outcome and reason, and each is that of the records",
	      "it has not");
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
