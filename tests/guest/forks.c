// SPDX-License-Identifier: GPL-2.0
/* The ledger of forks, beside a load that is known and beside redis's own count. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

/* What "cowtest load" has a child write, and then the parent alone. */
#define PAGES	8192
/* As many as SAVES says, 10 where it does not. */
#define MAX_SAVES	100
/* Forks while a thread writes. */
#define WRITTEN	20

/* The JSON of a ledger, and where its parts begin. */
struct ledger {
	char		*text;
	const char	*faults, *chosen, *other, *causes, *forks, *lost;
};

static struct ledger ledger_read(const char *command)
{
	static char text[4 << 20];
	struct ledger l = { .text = text };

	output_of(command, text, sizeof(text));
	l.faults = strstr(text, "\"faults\":{");
	l.chosen = strstr(text, "\"chosen\":{");
	l.other = strstr(text, "\"other\":{");
	l.causes = strstr(text, "\"causes\":[");
	l.forks = strstr(text, "\"forks\":[");
	l.lost = strstr(text, "\"lost\":{");
	need(l.faults && l.chosen && l.other && l.causes && l.forks && l.lost,
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

static long long copies_by_forks(const struct ledger *l)
{
	return json_number(l->chosen, "copies") + json_number(l->other, "copies");
}

static void adds_up(const struct ledger *l, const char *name)
{
	long long all = json_number(l->faults + strlen("\"faults\":{"), "copies");
	long long forks = copies_by_forks(l);
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

/* --- a thread that writes while another forks ------------------------------------ */

static char *under_writes;

/* A page every other moment: what it comes by between is shared by the fork that goes on. */
static void *writes(void *unused)
{
	unsigned int i;

	(void)unused;
	on_cpu(1);
	for (i = 0;; i = (i + 1) % PAGES)
		under_writes[i * PAGE]++;
	return NULL;
}

void forked_under_writes(void)
{
	pthread_t writer;
	unsigned int i;
	pid_t pid;

	on_cpu(0);
	under_writes = map_pages(PAGES);
	touch(under_writes, PAGES);
	need(!pthread_create(&writer, NULL, writes, NULL), "no thread");
	for (i = 0; i < WRITTEN; i++) {
		pid = fork();
		if (!pid)
			_exit(0);
		need(pid > 0 && waitpid(pid, NULL, 0) == pid, "no child");
	}
}

/* Perf tells of a fork when the page tables were copied long ago. */
static void written_while_forking(void)
{
	struct ledger l;
	int status;

	status = system("cowtrace record -q -o /tmp/writes.trace -- /usr/libexec/cowtrace/cowtest load forks");
	need(!status, "cowtrace record ended with %#x", status);
	l = ledger_read("cowtrace forks --json --comm cowtest /tmp/writes.trace");
	adds_up(&l, "early-sum");
	check(copies_by_forks(&l) && !copies_by(&l, "unseen"), "early",
	      "what a thread writes while another forks counts to that fork, not to one unseen",
	      "%lld by forks, %lld unseen", copies_by_forks(&l), copies_by(&l, "unseen"));
	remove("/tmp/writes.trace");
}

/* --- redis ------------------------------------------------------------------------ */

struct save {
	unsigned int	running;
	long long	anon_kb;
	long long	cow_size;
};

/* tests/guest/saves prints a line for each save. */
static unsigned int take_saves(struct save *saves, unsigned int wanted)
{
	char command[128], line[128];
	unsigned int nr = 0;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "/usr/libexec/cowtrace/saves %u /tmp/saves.trace",
		 wanted);
	pipe = popen(command, "r");
	need(pipe, "no pipe");
	while (nr < wanted && fgets(line, sizeof(line), pipe) &&
	       sscanf(line, "%u %lld %lld ok", &saves[nr].running, &saves[nr].anon_kb,
		      &saves[nr].cow_size) == 3)
		nr++;
	status = pclose(pipe);
	need(!status, "%s ended with %#x", command, status);
	return nr;
}

/*
 * rdb_last_cow_size is Private_Dirty of the child's smaps: pages that the child
 * maps alone. A page becomes one when the parent writes it, and gets the copy, or
 * the child writes it, and gets the copy: these are the copies of the ledger. Pages
 * that the child touched for the first time are only in redis's number; pages that
 * it gave back, and copies after it had counted, only in the ledger.
 */
static void compare(const struct ledger *l, const struct save *saves, unsigned int nr)
{
	const char *at = next_fork(l->forks);
	unsigned int i, running = 0, close = 0, known = 0;
	long long worst = 0;

	for (i = 0; i < nr && at; i++, at = next_fork(at)) {
		long long parent = of_fork(at, "by_parent", "bytes_copied");
		long long child = of_fork(at, "by_child", "bytes_copied");
		long long off = saves[i].cow_size - parent - child;
		long long shared = json_number(at, "shared_bytes");
		long long anon = saves[i].anon_kb << 10;

		note("save %u: rdb_last_cow_size %lld, the ledger %lld by the parent + %lld by the child, off by %lld pages (%.2f %%)",
		     i + 1, saves[i].cow_size, parent, child, off / 4096,
		     100.0 * off / saves[i].cow_size);
		note("save %u: the ledger has %lld bytes for shared, smaps of the child %lld",
		     i + 1, shared, anon);
		running += saves[i].running;
		/* The kernel's counters may be off by a batch a CPU. */
		known += llabs(shared - anon) * 50 <= anon;
		close += llabs(off) * 100 <= saves[i].cow_size;
		worst = llabs(off) > worst ? llabs(off) : worst;
	}
	check(running == nr, "running", "each child lives until all has been written", "%u of %u",
	      running, nr);
	check(close == nr, "cow-size",
	      "the ledger of each save is within 1 % of redis's rdb_last_cow_size",
	      "%u of %u, off by up to %lld bytes", close, nr, worst);
	check(known == nr, "shared-bytes",
	      "the memory that each child shared is within 2 % of the child's smaps", "%u of %u",
	      known, nr);
}

/* Copies for a reason that only they have, or they before all others, by the report. */
static long long copies_because(const char *report, const char *reason)
{
	const char *reasons = strstr(report, "\"reasons\":[");
	char key[64];

	need(reasons, "a report without reasons");
	snprintf(key, sizeof(key), "\"reason\":\"%s\"", reason);
	reasons = strstr(reasons, key);
	return reasons ? json_number(reasons, "faults") : 0;
}

/*
 * The report looks at each fault alone and knows of no fork. A page that was copied
 * was shared by one, but for those that everybody shares; without PageAnonExclusive
 * only other mappings say so.
 */
static void compare_report(const struct ledger *l)
{
	long long forks = copies_by_forks(l);
	long long early = copies_by(l, "unseen"), shared;
	static char report[4 << 20];
	const char *all;

	output_of("cowtrace report --json /tmp/saves.trace", report, sizeof(report));
	all = strstr(report, "\"faults\":{");
	need(all, "a report without faults");
	if (kernel_traits() & COWTRACE_TRAIT_EXCLUSIVE)
		shared = json_number(all, "copies") - copies_because(report, "zero") -
			 copies_because(report, "file") - copies_because(report, "ksm");
	else
		shared = copies_because(report, "mapped");
	check(forks + early == shared, "shared",
	      "copies per fork and by forks not told yet add up to the copies of shared pages",
	      "%lld by forks, %lld not told, %lld of shared pages", forks, early, shared);
}

static void saves_of_redis(void)
{
	unsigned int wanted = asked("SAVES", 10), nr;
	struct save saves[MAX_SAVES];
	long long doubtful;
	struct ledger l;

	need(wanted >= 1 && wanted <= MAX_SAVES, "SAVES is not between 1 and %d", MAX_SAVES);
	nr = take_saves(saves, wanted);
	l = ledger_read("cowtrace forks --json --comm redis-server --sort start /tmp/saves.trace");
	check(nr == wanted && json_number(l.text, "nr_chosen") == nr, "saves",
	      "each save is a fork of its own", "%u saves, %lld forks", nr,
	      json_number(l.text, "nr_chosen"));
	compare(&l, saves, nr);
	adds_up(&l, "sum");
	compare_report(&l);
	doubtful = copies_by(&l, "untold") + copies_by(&l, "unsampled");
	check(!doubtful, "settled", "no copy is of a process or a page that was not seen", "%lld",
	      doubtful);
	check(!copies_by(&l, "unseen"), "told", "and none is of a fork that was not told", "%lld",
	      copies_by(&l, "unseen"));
	check(!json_number(l.lost, "full") && !json_number(l.lost, "sequence_lost") &&
	      !json_number(l.lost, "sideband_lost") && !json_number(l.lost, "sideband_bad"),
	      "lost", "nothing is lost of faults and forks", "%.600s", l.lost);
	remove("/tmp/saves.trace");
}

void run_forks(void)
{
	module_start(4096);
	known_load();
	written_while_forking();
	saves_of_redis();
}
