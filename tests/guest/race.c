// SPDX-License-Identifier: GPL-2.0
/*
 * Two writers of the same pages, each on a CPU of its own, started together for
 * each page: a round. Both find the page shared; both copy it, or one copies it
 * and one finds it already done, or the holder goes away meanwhile and one
 * reuses it. RACES rounds (100000) of two threads whose page a third holds, and
 * a fifth of that of each other kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ledger.h"
#include "lib.h"
#include "meet.h"
#include "outside.h"

/* Pages that are shared by one fork, or held by one pipe. */
#define BATCH		128
/* Loops by which a pipe may let go later: as long as a fault takes until it has decided. */
#define LINGER		4096
#define SEED		0x636f77ull
/* Of RACES, with a fifth of each other kind, where a host runs much else. */
#define ROUNDS_A_SECOND	20
/* Batches more than asked for, for two writers that have not met often enough. */
#define MORE_BATCHES	16

/* --- two writers ---------------------------------------------------------- */

/* Of both writers, which may be processes; @batches are those to come. */
static struct arena {
	struct writer		writer[2];
	pthread_barrier_t	begin, end;
	unsigned int		batches;
	bool			over;
} *arena;

/* The batches are written; there may be more of them. */
static struct turn written, next;

static char *mem;

struct variant {
	const char	*name;
	const char	*sentence;
	/* Makes the pages shared, then both write them, then alone again. */
	void		(*batch)(const struct variant *v);
	/* What a writer does before it writes page @i; NULL for nothing. */
	void		(*before)(unsigned int writer, unsigned int i);
	/* One part of so many of RACES. */
	unsigned int	part;
	/*
	 * Of a thousand rounds that were asked for: how many are to have two faults at
	 * once, of which the host decides, and then a loser and a moved count.
	 */
	unsigned int	at_once, lost, moved;
	bool		threads, witness;
};

static void write_batch(const struct variant *v, unsigned int me)
{
	unsigned int i, round = arena->writer[me].at;

	for (i = 0; i < BATCH; i++) {
		meet(arena->writer, me, ++round);
		if (v->before)
			v->before(me, i);
		poke(mem + i * PAGE, me);
	}
	meet(arena->writer, me, ++round);
}

static void *second(void *arg)
{
	const struct variant *v = arg;

	on_cpu(1);
	for (;;) {
		pthread_barrier_wait(&arena->begin);
		if (arena->over)
			return NULL;
		write_batch(v, 1);
		pthread_barrier_wait(&arena->end);
	}
}

static void both_threads(const struct variant *v)
{
	pthread_barrier_wait(&arena->begin);
	write_batch(v, 0);
	pthread_barrier_wait(&arena->end);
}

static void racers(void *arg)
{
	const struct variant *v = arg;
	pthread_t other;
	unsigned int i;

	on_cpu(0);
	touch(mem, BATCH);
	if (v->threads)
		need(!pthread_create(&other, NULL, second, arg), "no thread");
	do {
		for (i = 0; i < arena->batches; i++)
			v->batch(v);
		turn_give(&written);
		turn_wait(&next);
	} while (arena->batches);
	if (v->threads) {
		arena->over = true;
		pthread_barrier_wait(&arena->begin);
		pthread_join(other, NULL);
	}
}

/* --- who holds the pages ---------------------------------------------------- */

static struct turn leave;

static void holder(void *unused)
{
	(void)unused;
	turn_wait(&leave);
}

/* A child holds them until both have written. */
static void held(const struct variant *v)
{
	pid_t pid = child(holder, NULL);

	both_threads(v);
	turn_give(&leave);
	need(!child_wait(pid), "the holder failed");
}

/* The same, but it leaves when half of the pages are written. */
static void leaving(const struct variant *v)
{
	pid_t pid = child(holder, NULL);

	both_threads(v);
	need(!child_wait(pid), "the holder failed");
}

static void send_away(unsigned int writer, unsigned int i)
{
	if (!writer && i == BATCH / 2)
		turn_give(&leave);
}

/* A pipe holds each page, and lets it go while they write it. */
static int hold[2], sink;

static void piped(const struct variant *v)
{
	struct iovec all = { mem, BATCH * PAGE };

	/* Not known to be exclusive any more, though nobody else maps them. */
	fork_and_forget();
	need(vmsplice(hold[1], &all, 1, 0) == BATCH * (ssize_t)PAGE, "vmsplice: %s",
	     strerror(errno));
	both_threads(v);
}

static void let_go(unsigned int writer, unsigned int i)
{
	volatile unsigned int linger;

	(void)i;
	if (!writer)
		return;
	linger = next_random(&arena->writer[writer].random) % LINGER;
	while (linger)
		linger--;
	need(splice(hold[0], NULL, sink, NULL, PAGE, 0) == (ssize_t)PAGE, "splice: %s",
	     strerror(errno));
}

/* The two processes that map the page write it. */
static void second_process(void *arg)
{
	on_cpu(1);
	write_batch(arg, 1);
}

static void family(const struct variant *v)
{
	pid_t pid = child(second_process, (void *)v);

	write_batch(v, 0);
	need(!child_wait(pid), "the other process failed");
}

/*
 * How often two faults meet is up to the emulator, and to what else its host
 * does: what is asked for is a part of the least that was seen. Losers and moved
 * counts then come by themselves, more of them than is asked for.
 */
static const struct variant variants[] = {
	{ "held", "two threads, held by a child", held, NULL, 1, 50, 50, 0, true, true },
	{ "leaving", "two threads, the child exits", leaving, send_away, 5, 15, 10, 0, true, true },
	{ "piped", "two threads, a pipe lets go", piped, let_go, 5, 100, 10, 15, true, true },
	{ "family", "two processes", family, NULL, 5, 30, 0, 0, false, true },
	{ "unwatched", "two threads, held by a child, witness off", held, NULL, 5, 50, 50, 0, true,
	  false },
};

/* --- what came of it ---------------------------------------------------------- */

static int by_page(const void *a, const void *b)
{
	const struct cowtrace_record *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/**
 * struct meetings - rounds that were a race
 * @at_once: the faults of both writers at the page overlap in time.
 * @lost: and one of them is called raced.
 * @differ: and one reused the page, the other did not.
 * @moved: faults that found other references than were sampled.
 */
struct meetings {
	unsigned long long at_once, lost, differ, moved;
};

static bool has_moved(const struct cowtrace_record *r)
{
	return r->evidence & COWTRACE_EV_SHIFTED ||
	       (r->outcome == COWTRACE_OUTCOME_RACED && r->new_pfn == r->pfn);
}

static void count_meetings(struct meetings *m, struct trace *t)
{
	size_t i;

	qsort(t->r, t->n, sizeof(*t->r), by_page);
	for (i = 0; i < t->n; i++) {
		const struct cowtrace_record *a = &t->r[i], *b = a + 1;

		if (a->address - (uintptr_t)mem >= BATCH * PAGE)
			continue;
		m->moved += has_moved(a);
		if (i + 1 == t->n || a->address != b->address || a->pid == b->pid ||
		    b->time_ns > a->time_ns + a->duration_ns)
			continue;
		m->at_once++;
		m->lost += a->outcome == COWTRACE_OUTCOME_RACED ||
			  b->outcome == COWTRACE_OUTCOME_RACED;
		m->differ += (a->outcome == COWTRACE_OUTCOME_REUSE) !=
			    (b->outcome == COWTRACE_OUTCOME_REUSE);
	}
}

static const char *full_name(const struct variant *v, const char *what)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s-%s", v->name, what);
	return name;
}

/**
 * struct tally - all rounds of one variant
 * @asked: rounds that were asked for.
 * @rounds: rounds that were run.
 * @odd: a record without an outcome, where the ledger has one.
 */
static struct tally {
	unsigned long long	asked, rounds;
	struct meetings		met;
	struct ledger		ledger;
	struct newpages		pages;
	struct cowtrace_record	odd;
} tally;

static void take(struct tally *a)
{
	struct trace t;
	size_t i;

	newpages_take(&a->pages);
	trace_read(&t);
	for (i = 0; i < t.n; i++) {
		ledger_add(&a->ledger, &t.r[i]);
		if (t.r[i].outcome == COWTRACE_OUTCOME_UNKNOWN)
			a->odd = t.r[i];
	}
	count_meetings(&a->met, &t);
	trace_free(&t);
}

static bool at_once(const struct variant *v, const struct tally *a)
{
	return a->met.at_once * 1000 >= a->asked * v->at_once;
}

static bool as_a_race(const struct variant *v, const struct tally *a)
{
	return a->met.lost * 1000 >= a->asked * v->lost &&
	       a->met.moved * 1000 >= a->asked * v->moved;
}

static void judge(const struct variant *v, const struct window *w, struct tally *a)
{
	const struct ledger *l = &a->ledger;
	const struct meetings *m = &a->met;
	unsigned long long unknown = ledger_outcome(l, COWTRACE_OUTCOME_UNKNOWN);

	note("%s: %llu rounds of %s: %llu with both faults at once, of which %llu with a loser and %llu with one reuse; in %llu the references moved; %llu copies are unattributed",
	     v->name, a->rounds, v->sentence, m->at_once, m->lost, m->differ, m->moved,
	     l->fault[COWTRACE_OUTCOME_COPY][COWTRACE_REASON_UNATTRIBUTED]);
	ledger_check(l, w, full_name(v, ""), a->rounds);
	if (v->witness || kernel_traits() & COWTRACE_TRAIT_RET_WRITE) {
		ledger_check_copies(l, w, &a->pages, full_name(v, ""));
	} else {
		check(l->copied + l->unshared + w->s.sum.proofs <= a->pages.n &&
		      l->raced >= m->at_once,
		      full_name(v, "raced"), "without the witness what is unsettled is raced",
		      "%llu copies, but %zu pages mapped; %llu raced", l->copied + l->unshared,
		      a->pages.n, l->raced);
	}
	check(!unknown, full_name(v, "unknown"), "no outcome is unknown", "%llu, such as %s",
	      unknown, record_text(unknown ? &a->odd : NULL));
	if (at_once(v, a))
		check(as_a_race(v, a), full_name(v, "met"),
		      "the faults of both meet often enough to be a race",
		      "%llu at once, %llu lost, %llu moved of %llu rounds", m->at_once, m->lost,
		      m->moved, a->rounds);
	else
		skip(full_name(v, "met"),
		     "the host runs both CPUs at the same time too seldom for a race");
}

static void run_variant(const struct variant *v, unsigned int rounds)
{
	unsigned int batches = (rounds / v->part + BATCH - 1) / BATCH;
	unsigned int most = batches + MORE_BATCHES, left;
	struct tally *a = &tally;
	static struct window w;
	struct held_child c;
	uint64_t begin;
	int status;

	need(batches, "no rounds of %s", v->name);
	memset(a, 0, sizeof(*a));
	memset(arena, 0, sizeof(*arena));
	pthread_barrier_init(&arena->begin, NULL, 2);
	pthread_barrier_init(&arena->end, NULL, 2);
	a->asked = batches * BATCH;
	arena->batches = batches;
	arena->writer[0].random = SEED;
	arena->writer[1].random = ~SEED;
	cow_write("reset", "1");
	need(!cow_write("witness", v->witness ? "auto" : "off"), "witness cannot be set");
	newpages_open(16384);
	c = child_held(racers, (void *)v);
	window_open(&w);
	begin = now_ns();
	child_go(&c);
	do {
		turn_wait(&written);
		take(a);
		a->rounds += arena->batches * BATCH;
		left = most - a->rounds / BATCH;
		arena->batches = left && !(at_once(v, a) && as_a_race(v, a));
		turn_give(&next);
	} while (arena->batches);
	status = child_wait(c.pid);
	note("%s: took %llu ms", v->name, (unsigned long long)(now_ns() - begin) / 1000000);
	window_close(&w);
	need(!status, "the racers ended with %#x", status);

	take(a);
	judge(v, &w, a);
	ledger_free(&a->ledger);
	newpages_free(&a->pages);
	newpages_close();
}

static unsigned int races(void)
{
	return asked("RACES", 100000);
}

unsigned int race_seconds(void)
{
	return (races() + ARRAY_SIZE(variants) * MORE_BATCHES * BATCH) / ROUNDS_A_SECOND;
}

void run_race(void)
{
	size_t i;

	if (cpus_online() < 2) {
		skip("all", "two writers need two CPUs");
		return;
	}
	arena = map_shared(sizeof(*arena));
	mem = map_pages(BATCH);
	turn_init(&leave);
	turn_init(&written);
	turn_init(&next);
	sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	need(!pipe(hold) && fcntl(hold[1], F_SETPIPE_SZ, BATCH * PAGE) >= 0, "pipe: %s",
	     strerror(errno));
	module_start(32768);
	outside_init();
	for (i = 0; i < ARRAY_SIZE(variants); i++)
		run_variant(&variants[i], races());
	outside_exit();
}
