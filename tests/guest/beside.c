// SPDX-License-Identifier: GPL-2.0
/*
 * Beside other tools on the same functions: BESIDE_ROUNDS (default 100) rounds with one.
 *
 * A round is one order of six steps, random after two: insmod, enable, disable and rmmod of
 * cowtrace, start and stop of the tool. Tasks fault on all CPUs meanwhile. After
 * each step they pause, and one task takes a known number of write-protect faults:
 * all of them have to be seen by whoever is on, by cowtrace with the outcome that
 * the page frames show. BESIDE_SEED repeats the orders of an earlier run.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "beside.h"
#include "lib.h"
#include "outside.h"

#define STORM_PAGES	64
#define STORMS		2
#define STORM_MS	20
/* Each step waits for both CPUs in turn, which a host may run on one: let them be idle. */
#define REST_MS		20
/* Of each kind, in a burst. */
#define PAGES		32

/* --- faults that nobody knows the number of --------------------------------- */

static struct control {
	volatile bool	pause;
	volatile bool	paused[STORMS];
} *control;

static void storm(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	char *mem = map_pages(STORM_PAGES);

	need(nice(19) == 19, "nice");
	on_cpu(me);
	for (;;) {
		touch(mem, STORM_PAGES);
		fork_write(mem, STORM_PAGES);
		sleep_ms(REST_MS);
		while (control->pause) {
			control->paused[me] = true;
			sleep_ms(1);
		}
		control->paused[me] = false;
	}
}

static void storms_start(void)
{
	uintptr_t i;

	control = map_shared(sizeof(*control));
	for (i = 0; i < STORMS; i++)
		child(storm, (void *)i);
}

static void storm_pause(void)
{
	uint64_t deadline = now_ns() + slowness() * HANG_NS;
	int i;

	control->pause = true;
	for (i = 0; i < STORMS; i++)
		while (!control->paused[i]) {
			need(now_ns() < deadline, "a faulting task does not pause");
			sleep_ms(1);
		}
}

static void storm_resume(void)
{
	int i;

	control->pause = false;
	for (i = 0; i < STORMS; i++)
		while (control->paused[i])
			sleep_ms(1);
	sleep_ms(STORM_MS);
}

/* --- a known number of faults ----------------------------------------------- */

/**
 * struct burst - faults of one task of its own
 * @pid: its id, used by no other burst of a round.
 * @copies: how many of them copied a page.
 * @step: number of the step that it followed.
 */
struct burst {
	pid_t		pid;
	unsigned int	copies;
	int		step;
};

#define FAULTS	(2 * PAGES)

/* The zero page, and pages that a child of ours shared for a moment. */
static char *zero, *shared;
static char stack[16 * PAGE] __attribute__((aligned(4096)));

static int burst_task(void *cpu)
{
	on_cpu((uintptr_t)cpu);
	prctl(PR_SET_NAME, BURST);
	touch(zero, PAGES);
	touch(shared, PAGES);
	return 0;
}

static void frames(uint64_t pfns[FAULTS])
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		pfns[i] = pfn_of(zero + i * PAGE);
		pfns[PAGES + i] = pfn_of(shared + i * PAGE);
	}
}

static void burst_prepare(void)
{
	volatile char sum = 0;
	size_t i;

	madvise(zero, PAGES * PAGE, MADV_DONTNEED);
	for (i = 0; i < PAGES; i++)
		sum += zero[i * PAGE];
	touch(shared, PAGES);
	fork_and_forget();
	/* It shares our memory, but its faults shall be these alone. */
	for (i = 0; i < sizeof(stack); i += PAGE)
		poke(stack + i, 0);
}

static uint64_t before[FAULTS], after[FAULTS];

static void burst_run(struct burst *b)
{
	static uintptr_t cpu;
	size_t i;
	int status;

	frames(before);
	b->pid = clone(burst_task, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		       (void *)cpu++);
	need(b->pid > 0, "clone: %s", strerror(errno));
	status = child_wait(b->pid);
	need(!status, "the task of a burst: %#x", status);
	frames(after);
	b->copies = 0;
	for (i = 0; i < FAULTS; i++)
		b->copies += before[i] != after[i];
}

/* --- rounds ----------------------------------------------------------------- */

enum { INSMOD, ENABLE, DISABLE, RMMOD, START, STOP, STEPS };

static const char * const step_names[STEPS] = {
	"insmod", "enable", "disable", "rmmod", "start", "stop",
};

/* What was found with one tool. */
static struct found {
	int			rounds;
	unsigned long long	theirs, ours, faults, calls;
	unsigned int		unknown_origin, raced;
	char			lost[256], missed[256], wrong[512], unsettled[512];
	char			broken[256], uneven[256], said[256];
} found;

static const struct tool *tool;
static int steps[STEPS], step, round_nr;
static bool tracing, running;
static struct burst pending[STEPS];
static int nr_pending;

static const char *place(int at)
{
	static char line[128];
	int i, n;

	n = snprintf(line, sizeof(line), "round %d:", round_nr);
	for (i = 0; i <= at; i++)
		n += snprintf(line + n, sizeof(line) - n, " %s", step_names[steps[i]]);
	return line;
}

/*
 * The tool starts and stops between any two steps of cowtrace: in the first round
 * around all of them, in the second among them.
 */
static void shuffle(void)
{
	int one = rand() % STEPS, two = (one + 1 + rand() % (STEPS - 1)) % STEPS;
	int i, own = INSMOD;

	if (round_nr <= 2) {
		one = round_nr == 1 ? 0 : 2;
		two = STEPS - 1 - one;
	}
	for (i = 0; i < STEPS; i++)
		if (i != one && i != two)
			steps[i] = own++;
		else
			steps[i] = i == (one < two ? one : two) ? START : STOP;
}

static void judge_theirs(const struct burst *b)
{
	struct seen s = tool->seen(b->pid);

	found.theirs += s.calls;
	if (*found.lost || (s.calls == FAULTS && s.returns == FAULTS && s.copies == b->copies &&
			    s.copied == b->copies))
		return;
	snprintf(found.lost, sizeof(found.lost),
		 "%s: of %d calls and %u copies it saw %u and %u, of their returns %u and %u",
		 place(b->step), FAULTS, b->copies, s.calls, s.copies, s.returns, s.copied);
}

/* The page frames tell which page was copied. */
static bool is_right(const struct cowtrace_record *r)
{
	bool in_zero = r->address - (uintptr_t)zero < PAGES * PAGE;
	size_t i = (r->address - (uintptr_t)(in_zero ? zero : shared)) / PAGE;

	if (i >= PAGES)
		return false;
	i += in_zero ? 0 : PAGES;
	found.unknown_origin += r->origin == COWTRACE_ORIGIN_UNKNOWN;
	if (r->origin != COWTRACE_ORIGIN_USER && r->origin != COWTRACE_ORIGIN_UNKNOWN)
		return false;
	return r->outcome == (before[i] == after[i] ? COWTRACE_OUTCOME_REUSE :
						      COWTRACE_OUTCOME_COPY);
}

static void judge_ours(const struct burst *b, const struct trace *t)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->r[i].pid != (uint32_t)b->pid)
			continue;
		n++;
		if (t->r[i].outcome == COWTRACE_OUTCOME_RACED) {
			if (!found.raced++)
				snprintf(found.unsettled, sizeof(found.unsettled), "%s: %s",
					 place(b->step), record_text(&t->r[i]));
		} else if (!is_right(&t->r[i]) && !*found.wrong) {
			snprintf(found.wrong, sizeof(found.wrong), "%s: %s", place(b->step),
				 record_text(&t->r[i]));
		}
	}
	found.ours += n;
	if (n != FAULTS && !*found.missed)
		snprintf(found.missed, sizeof(found.missed), "%s: %u of %d", place(b->step), n,
			 FAULTS);
}

static void burst(void)
{
	struct burst b = { .step = step };
	struct trace t;

	burst_prepare();
	if (tracing) {
		trace_read(&t);
		trace_free(&t);
	}
	if (running && tool->clear)
		tool->clear();
	burst_run(&b);
	if (tracing) {
		trace_read(&t);
		judge_ours(&b, &t);
		trace_free(&t);
	}
	if (running && tool->clear)
		judge_theirs(&b);
	else if (running)
		pending[nr_pending++] = b;
}

/* Both counts of all calls, between which this process must not fault. */
static void count_calls(unsigned long long *ours, long long *theirs)
{
	static struct stats s;

	/* Lost makes a proof, so it comes first. */
	*ours = missed();
	stats_read(&s);
	*ours += s.sum.entries + s.sum.proofs;
	*theirs = tool->calls();
}

/* To the single call, over a time in which all CPUs fault. */
static void calls_agree(void)
{
	unsigned long long ours[2];
	long long theirs[2];

	/* Once for the pages that this writes to. */
	count_calls(&ours[0], &theirs[0]);
	count_calls(&ours[0], &theirs[0]);
	storm_resume();
	storm_pause();
	count_calls(&ours[1], &theirs[1]);
	found.calls += theirs[1] - theirs[0];
	if (ours[1] - ours[0] != (unsigned long long)(theirs[1] - theirs[0]) && !*found.uneven)
		snprintf(found.uneven, sizeof(found.uneven), "%s: %lld calls, ours %llu",
			 place(step), theirs[1] - theirs[0], ours[1] - ours[0]);
}

static void account(void)
{
	struct stats s;

	stats_read(&s);
	if (stats_broken(&s) && !*found.broken)
		snprintf(found.broken, sizeof(found.broken), "%s: %s", place(step),
			 stats_broken(&s));
	found.faults += s.sum.entries;
}

static void tool_stop(void)
{
	int i;

	running = false;
	tool->stop();
	for (i = 0; i < nr_pending; i++)
		judge_theirs(&pending[i]);
	nr_pending = 0;
}

static void take(int what)
{
	int err;

	switch (what) {
	case INSMOD:
		module_start(1024);
		break;
	case ENABLE:
		enable();
		tracing = true;
		break;
	case DISABLE:
		tracing = false;
		disable();
		account();
		break;
	case RMMOD:
		err = module_unload(O_NONBLOCK);
		need(!err, "rmmod: %s", strerror(-err));
		break;
	case START:
		tool->start();
		running = true;
		break;
	case STOP:
		tool_stop();
		break;
	}
}

static void one_round(void)
{
	shuffle();
	for (step = 0; step < STEPS; step++) {
		take(steps[step]);
		sleep_ms(STORM_MS);
		storm_pause();
		burst();
		if (tracing && running && tool->calls)
			calls_agree();
		storm_resume();
	}
	found.rounds++;
}

/* Anything that cowtrace says, but for the line and the taint of each insmod. */
static void listen(int log)
{
	char *lines = strdup(log_read(log)), *rest = lines, *line;

	while ((line = strsep(&rest, "\n")))
		if (strstr(line, "cowtrace: ") && !strstr(line, "cowtrace: ready") &&
		    !strstr(line, "taint") && !*found.said)
			snprintf(found.said, sizeof(found.said), "round %d: %s", round_nr, line);
	free(lines);
}

/* The tool comes last, so that its return probe is the one on top of the stack. */
static void witness_below(void)
{
	unsigned int seen = 0, unsure = 0;
	struct burst b = { 0 };
	struct trace t;
	size_t i;

	storm_pause();
	module_start(1024);
	need(!cow_write("witness", "on"), "witness");
	enable();
	tool->start();
	burst_prepare();
	trace_read(&t);
	trace_free(&t);
	burst_run(&b);
	trace_read(&t);
	for (i = 0; i < t.n; i++) {
		const struct cowtrace_record *r = &t.r[i];

		if (r->pid != (uint32_t)b.pid || r->outcome != COWTRACE_OUTCOME_COPY)
			continue;
		seen += !!(r->evidence & COWTRACE_EV_WITNESS);
		unsure += !(r->evidence & (COWTRACE_EV_WITNESS | COWTRACE_EV_WATCHED));
	}
	trace_free(&t);
	tool->stop();
	disable();
	need(!module_unload(O_NONBLOCK), "rmmod");
	storm_resume();
	note("of %u copies the witness saw %u, and could not tell of %u", b.copies, seen, unsure);
	check(b.copies && seen + (kernel_unwinds() ? 0 : unsure) == b.copies, "witness",
	      "its witness sees each copy below the tool's return probe, or says that it cannot tell",
	      "of %u it saw %u, could not tell of %u", b.copies, seen, unsure);
}

static int rounds_asked(void)
{
	return asked("BESIDE_ROUNDS", 100);
}

/* Far more than the rounds take: each waits for grace periods of RCU under load. */
unsigned int beside_seconds(void)
{
	return 60 * rounds_asked();
}

static void beside(const struct tool *with)
{
	const char *seed_text = getenv("BESIDE_SEED");
	unsigned int seed = seed_text ? strtoul(seed_text, NULL, 0) : now_ns() ^ getpid();
	int log = log_open(), rounds = rounds_asked();
	uint64_t begin = now_ns();

	tool = with;
	if (tool->missing()) {
		skip("rounds", tool->missing());
		return;
	}
	note("BESIDE_SEED=%u BESIDE_ROUNDS=%d", seed, rounds);
	srand(seed);
	zero = map_pages(PAGES);
	shared = map_pages(PAGES);
	storms_start();
	for (round_nr = 1; round_nr <= rounds && !*found.said; round_nr++) {
		one_round();
		listen(log);
	}
	note("%d rounds in %llu ms: %llu faults of tasks; of bursts %llu seen by it, %llu by cowtrace, of these %u of unknown origin, %u raced; %llu calls compared",
	     found.rounds, (unsigned long long)(now_ns() - begin) / 1000000, found.faults,
	     found.theirs, found.ours, found.unknown_origin, found.raced, found.calls);
	check(found.rounds == rounds && found.faults && !*found.said, "rounds",
	      "it and cowtrace come and go in any order, under faults, without a message",
	      "%d rounds, %s", found.rounds, found.said);
	check(!*found.lost && found.theirs, "theirs",
	      "it sees each call and each return of known faults, before, beside and after cowtrace",
	      "%s", found.lost);
	check(!*found.missed && found.ours, "ours",
	      "cowtrace sees each of known faults, before, beside and after it", "%s",
	      found.missed);
	check(!*found.wrong && found.ours, "right",
	      "with the outcome that the page frames show, and no wrong origin", "%s", found.wrong);
	/* Only two tools on one function could hide it from the unwinder, and here is one. */
	if (kernel_unwinds())
		check(!found.unknown_origin && found.ours, "origin",
		      "nor one that is unknown, as the kernel's unwinder tells what the tool hides",
		      "%u of %llu", found.unknown_origin, found.ours);
	check(!found.raced && found.ours, "settled",
	      "and none is left undecided, though a tool hides return addresses", "%u: %s",
	      found.raced, found.unsettled);
	check(!*found.broken, "accounting", "accounting is exact at each stop", "%s", found.broken);
	if (tool->calls)
		check(!*found.uneven && found.calls, "calls",
		      "calls that it counts while all CPUs fault = entries + proofs + missed", "%s",
		      found.uneven);
	witness_below();
	close(log);
}

void run_beside_bpftrace(void)
{
	beside(&tool_bpftrace);
}

void run_beside_graph(void)
{
	beside(&tool_graph);
}

void run_beside_kprobes(void)
{
	beside(&tool_kprobes);
}

void run_beside_fprobes(void)
{
	beside(&tool_fprobes);
}
