// SPDX-License-Identifier: GPL-2.0
/*
 * STORM_SECONDS (60) of fork, write, swap and KSM on all CPUs, from one seed:
 * STORM_SEED, else a random one, which is printed. All that happens is traced,
 * read while it happens, and set against the kernel's own counts at the end. On
 * a slow host it takes up to three times as long, until each has had its turn.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cowtrace/classify.h>

#include "ledger.h"
#include "life.h"
#include "outside.h"
#include "prediction.h"

#define BUFFER_KB	32768
/* Times as long as asked for. */
#define LONGEST		3

static uint64_t seed;
static unsigned int seconds;
/* In memory that all share: whether all has happened that is to be claimed, steps of each actor. */
static struct control {
	bool			all_acted;
	unsigned long long	steps[GENTLE_ACTORS];
} *control;

/* Of this process, when its life began. */
static uint64_t begin;

static bool goes_on(void)
{
	uint64_t took = now_ns() - begin, asked = seconds * 1000000000ull;

	return took < asked || (took < LONGEST * asked && !control->all_acted);
}

static void act(void *arg)
{
	const struct actor *a = arg;
	size_t i = a - gentle_actors;

	begin = now_ns();
	life_live(a, seed ^ (0x100000001b3ull * (1 + i)), goes_on, &control->steps[i]);
}

/* --- the reader ------------------------------------------------------------- */

#define EXAMPLES	2

/* What the claims at the end need of all records. */
static struct found {
	struct ledger	ledger;
	struct kept	unknown, unattributed, attempts;
	struct predictions predictions;
} found;

static uint32_t traits;

static void find(const struct cowtrace_record *r, void *arg)
{
	struct found *f = arg;

	ledger_add(&f->ledger, r);
	predictions_add(&f->predictions, r, traits);
	if (r->outcome == COWTRACE_OUTCOME_UNKNOWN)
		keep(&f->unknown, r);
	if (r->reason == COWTRACE_REASON_UNATTRIBUTED)
		keep(&f->unattributed, r);
	/* While it copies, do_wp_page() holds a reference to the old page. */
	if (r->kind == COWTRACE_KIND_ANON &&
	    (r->outcome == COWTRACE_OUTCOME_COPY || r->outcome == COWTRACE_OUTCOME_UNSHARE ||
	     r->outcome == COWTRACE_OUTCOME_RACED))
		keep(&f->attempts, r);
}

static bool all_acted(void)
{
	const struct ledger *l = &found.ledger;
	size_t i;

	for (i = 0; i < GENTLE_ACTORS; i++)
		if (!control->steps[i])
			return false;
	return l->copied + l->unshared && l->reused && l->ksm;
}

static bool all_ended(pid_t *pids, int *failed)
{
	bool all = true;
	int status;
	size_t i;

	for (i = 0; i < GENTLE_ACTORS; i++) {
		if (pids[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
			if (status) {
				note("actor %s ended with %#x", gentle_actors[i].name, status);
				*failed = 1;
			}
			pids[i] = 0;
		}
		all &= !pids[i];
	}
	return all;
}

static void read_until_ended(pid_t *pids, int *failed, struct newpages *pages)
{
	unsigned int cpu, cpus = cpus_online();
	int fd[MAX_CPUS];
	bool ended;

	for (cpu = 0; cpu < cpus; cpu++)
		fd[cpu] = records_open(cpu);
	do {
		ended = all_ended(pids, failed);
		for (cpu = 0; cpu < cpus; cpu++)
			records_take(fd[cpu], cpu, find, &found);
		newpages_take(pages);
		control->all_acted = all_acted();
		sleep_ms(50);
	} while (!ended);
	for (cpu = 0; cpu < cpus; cpu++)
		close(fd[cpu]);
}

/* --- the claims --------------------------------------------------------------- */

static const char *holders_text(const struct cowtrace_record *r)
{
	struct cowtrace_holders h = cowtrace_holders(r, traits);
	static char line[192];

	snprintf(line, sizeof(line),
		 "holders %d = mappings %d + swapcache %d + pagecache %d + lru %d + pins %d + unattributed %d",
		 h.total, h.mappings, h.swapcache, h.pagecache, h.lru, h.pins, h.unattributed);
	return line;
}

/* Does another fault copy the same page when @r samples it? */
static bool copied_by_another(const struct cowtrace_record *r)
{
	const struct kept *k = &found.attempts;
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->r[i].pfn == r->pfn && k->r[i].pid != r->pid &&
		    k->r[i].time_ns <= r->time_ns &&
		    r->time_ns <= k->r[i].time_ns + k->r[i].duration_ns)
			return true;
	return false;
}

/* By the actor that copied, and some of each. */
static void print_unattributed(void)
{
	const struct kept *k = &found.unattributed;
	size_t i, n, copiers, actor;

	for (actor = 0; actor < GENTLE_ACTORS; actor++) {
		for (i = n = copiers = 0; i < k->n; i++) {
			if (strcmp(k->r[i].comm, gentle_actors[actor].name))
				continue;
			n++;
			if (copied_by_another(&k->r[i]))
				copiers++;
			else if (n - copiers <= EXAMPLES)
				note("unattributed: %s, %s", holders_text(&k->r[i]),
				     record_text(&k->r[i]));
		}
		note("unattributed of actor %s: %zu, of which another fault copied the page at that moment: %zu",
		     gentle_actors[actor].name, n, copiers);
	}
}

static void print_found(void)
{
	const struct ledger *l = &found.ledger;
	unsigned int i, outcome, reason;

	for (i = 0; i < GENTLE_ACTORS; i++)
		note("actor %s: %llu steps", gentle_actors[i].name, control->steps[i]);
	for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
		for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
			if (l->fault[outcome][reason])
				note("fault %s %s %llu", outcome_name(outcome), reason_name(reason),
				     l->fault[outcome][reason]);
	for (i = 0; i < found.unknown.n; i++)
		note("unknown: %s", record_text(&found.unknown.r[i]));
	print_unattributed();
}

static void judge(const struct window *w, struct newpages *pages)
{
	const struct ledger *l = &found.ledger;
	unsigned long long unknown = ledger_outcome(l, COWTRACE_OUTCOME_UNKNOWN);
	unsigned long long copies = l->copied + l->unshared;
	long long full = value_in(COW_DIR "/lost", "full");

	print_found();
	ledger_check(l, w, "", 1000 * seconds / 10);
	ledger_check_copies(l, w, pages, "");
	check(!full && !w->s.asleep && !w->s.skipped_exits, "lost", "nothing is lost or asleep",
	      "full %lld, asleep %llu, skipped %llu", full, w->s.asleep, w->s.skipped_exits);
	check(unknown * 1000 <= l->records, "unknown", "at most 0.1 % of the faults are unknown",
	      "%llu of %llu", unknown, l->records);
	check(found.unattributed.n * 100 <= copies, "unattributed",
	      "at most 1 % of the copies have no reason", "%zu of %llu", found.unattributed.n,
	      copies);
	predictions_check(&found.predictions);
	check(all_acted(), "all-act",
	      "each actor acts, and there are copies, reuses and pages of KSM",
	      "see above; %llu copies, %llu reuses, %llu of KSM", copies, l->reused, l->ksm);
}

/* Each step that has begun ends, and then all records are compared. */
unsigned int storm_seconds(void)
{
	return (LONGEST + 9) * life_seconds();
}

void run_storm(void)
{
	static struct held_child children[GENTLE_ACTORS];
	static pid_t pids[GENTLE_ACTORS];
	static struct newpages pages;
	static struct window w;
	int failed = 0;
	size_t i;

	seconds = life_seconds();
	seed = asked_seed("STORM_SEED");
	note("STORM_SEED=%#llx", (unsigned long long)seed);
	control = map_shared(sizeof(*control));
	need(seconds, "STORM_SECONDS is no number");
	module_start(BUFFER_KB);
	traits = kernel_traits();
	outside_init();
	newpages_open(8192);
	for (i = 0; i < GENTLE_ACTORS; i++) {
		children[i] = child_held(act, (void *)&gentle_actors[i]);
		pids[i] = children[i].pid;
	}
	/* Its own memory stays where it is. */
	need(!mlockall(MCL_CURRENT), "mlockall: %s", strerror(errno));
	window_open(&w);
	life_ksm(true);
	for (i = 0; i < GENTLE_ACTORS; i++)
		child_go(&children[i]);
	read_until_ended(pids, &failed, &pages);
	life_ksm(false);
	window_close(&w);
	need(!failed, "an actor failed");

	/* What came while the last of it was read. */
	read_until_ended(pids, &failed, &pages);
	judge(&w, &pages);
	newpages_free(&pages);
	ledger_free(&found.ledger);
	kept_free(&found.unknown);
	kept_free(&found.unattributed);
	kept_free(&found.attempts);
	outside_exit();
}
