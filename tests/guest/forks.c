// SPDX-License-Identifier: GPL-2.0
/* The ledger of forks, beside a load whose copies are known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib.h"

/* What "cowtest load" has a child write, and then the parent alone. */
#define PAGES	8192

/* The JSON of a ledger, and where its parts begin. */
struct ledger {
	char		*text;
	const char	*faults, *chosen, *other, *causes, *forks;
};

static struct ledger ledger_read(const char *command)
{
	static char text[4 << 20];
	struct ledger l = { .text = text };
	FILE *pipe = popen(command, "r");
	size_t n;
	int status;

	need(pipe, "no pipe");
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	status = pclose(pipe);
	need(!status, "%s ended with %#x", command, status);
	l.faults = strstr(text, "\"faults\":{");
	l.chosen = strstr(text, "\"chosen\":{");
	l.other = strstr(text, "\"other\":{");
	l.causes = strstr(text, "\"causes\":[");
	l.forks = strstr(text, "\"forks\":[");
	need(l.faults && l.chosen && l.other && l.causes && l.forks,
	     "%s: a part is missing", command);
	return l;
}

static long long copies_by(const struct ledger *l, const char *cause)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"cause\":\"%s\"", cause);
	at = strstr(l->causes, key);
	need(at, "no cause %s", cause);
	return json_number(at, "copies");
}

/* Of all causes that are no fork. */
static long long copies_without_fork(const struct ledger *l)
{
	const char *at = l->causes;
	long long sum = 0;

	while ((at = strstr(at, "\"cause\":")) && at < l->forks) {
		sum += json_number(at, "copies");
		at++;
	}
	return sum;
}

/* Part of a fork: by_parent, by_child, after, unsettled. */
static long long of_fork(const char *fork, const char *part, const char *what)
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":{", part);
	fork = strstr(fork, key);
	need(fork, "a fork without %s", part);
	/* Behind the brace, where "faults" is the first number. */
	return json_number(fork + strlen(key), what);
}

static const char *next_fork(const char *at)
{
	return strstr(at + 1, "\"parent\":");
}

static void adds_up(const struct ledger *l, const char *name)
{
	long long all = json_number(l->faults + strlen("\"faults\":{"), "copies");
	long long forks = json_number(l->chosen, "copies") + json_number(l->other, "copies");
	long long rest = copies_without_fork(l);

	note("%s: copies %lld = by forks %lld + zero %lld + file %lld + ksm %lld + protected %lld + unseen %lld + unsettled %lld + others",
	     name, all, forks, copies_by(l, "zero"), copies_by(l, "file"), copies_by(l, "ksm"),
	     copies_by(l, "protected"), copies_by(l, "unseen"), copies_by(l, "unsettled"));
	check(all == forks + rest, name, "copies per fork and per other cause add up to all copies",
	      "%lld is not %lld + %lld", all, forks, rest);
}

/* --- a load whose copies are known ---------------------------------------------- */

static void known_load(void)
{
	long long child, reuses, unsettled;
	const char *best = NULL, *at;
	struct ledger l;
	int status;

	status = system("cowtrace record -q -o /tmp/known.trace -- /usr/libexec/cowtrace/cowtest load");
	need(!status, "cowtrace record ended with %#x", status);
	l = ledger_read("cowtrace forks --json /tmp/known.trace");
	for (at = next_fork(l.forks); at; at = next_fork(at))
		if (!best || of_fork(at, "by_child", "copies") > of_fork(best, "by_child", "copies"))
			best = at;
	need(best, "there is no fork");
	child = of_fork(best, "by_child", "copies");
	reuses = of_fork(best, "after", "reuses");
	unsettled = of_fork(best, "unsettled", "reuses");
	note("known load: by the child %lld copies, after its end %lld reuses, unsettled %lld",
	     child, reuses, unsettled);
	check(child >= PAGES && child <= PAGES + 50, "known-child",
	      "8192 pages that a child writes are 8192 copies by the child", "%lld", child);
	/* Without PageAnonExclusive one mapping settles nothing. */
	if (kernel_traits() & COWTRACE_TRAIT_EXCLUSIVE)
		check(reuses >= PAGES && reuses <= PAGES + 50, "known-after",
		      "and 8192 reuses by the parent once it has gone", "%lld", reuses);
	else
		check(unsettled >= PAGES && unsettled <= PAGES + 50, "known-after",
		      "and 8192 unsettled reuses by the parent once it has gone", "%lld",
		      unsettled);
	check(strstr(best, "\"copies_memory\":true") && strstr(best, "\"until\":\"exit\""),
	      "known-fork", "it is known to be a fork that ended by exit", "%.400s", best);
	adds_up(&l, "known-sum");
	remove("/tmp/known.trace");
}

void run_forks(void)
{
	module_start(4096);
	known_load();
}
