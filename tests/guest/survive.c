// SPDX-License-Identifier: GPL-2.0
/*
 * STORM_SECONDS (60) of all that happens to memory, on all CPUs, from one seed
 * (STORM_SEED, else a random one, which is printed), while everything else changes as
 * well: settings, buffers, readers that are killed, CPUs and memory that come and go,
 * and the module itself. At each unload the counts have to add up; at the end the
 * memory has to be back.
 *
 * The time is divided in four: the first tenth fills what the kernel keeps for next
 * time, and what is left over by each of the other three is what leaks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disturb.h"
#include "memory.h"

/* Longer than this is the kernel's doing. */
#define HANG_NS		30000000000ull
/*
 * The kernel's own word for a hang. 5.10 looks for a signal only between two passes over
 * memory that is to go offline; one was seen to take four minutes, and ksmd waits with it.
 */
#define HUNG_TASK_S	"600"
#define LEAST_LOADS	4
/* Fewer say nothing of what leaks by the round. */
#define LEAST_ROUNDS	16

#define ALL		(GENTLE_ACTORS + ROUGH_ACTORS + DISTURBERS)

static struct control {
	volatile bool		over, quiet;
	volatile bool		busy[DISTURBERS];
	unsigned long long	steps[ALL];
} *control;

/* --- who acts --------------------------------------------------------------- */

static uint64_t seed;
/* Of this process, when it is a disturber. */
static volatile bool *busy;

static const struct actor *actor(size_t i)
{
	if (i < GENTLE_ACTORS)
		return &gentle_actors[i];
	i -= GENTLE_ACTORS;
	return i < ROUGH_ACTORS ? &rough_actors[i] : &disturbers[i - ROUGH_ACTORS];
}

static bool goes_on(void)
{
	return !control->over;
}

/* Before each step, stand aside while the module is exchanged. */
static bool goes_on_aside(void)
{
	for (;;) {
		*busy = true;
		__sync_synchronize();
		if (!control->quiet)
			return goes_on();
		*busy = false;
		if (!goes_on())
			return false;
		sleep_ms(1);
	}
}

static void act(void *arg)
{
	size_t i = (uintptr_t)arg;
	bool disturbs = i >= GENTLE_ACTORS + ROUGH_ACTORS;

	if (disturbs)
		busy = &control->busy[i - GENTLE_ACTORS - ROUGH_ACTORS];
	else
		need(nice(19) == 19, "nice");
	life_live(actor(i), seed ^ (0x100000001b3ull * (1 + i)), disturbs ? goes_on_aside : goes_on,
		  &control->steps[i]);
	if (disturbs)
		*busy = false;
}

/* --- loading and unloading ---------------------------------------------------- */

static struct outcome {
	unsigned int		loads;
	unsigned long long	faults;
	uint64_t		slowest, acted;
	char			broken[256], stuck[256];
} got;

static void all_aside(void)
{
	size_t i;

	control->quiet = true;
	__sync_synchronize();
	for (i = 0; i < DISTURBERS; i++)
		while (control->busy[i])
			sleep_ms(1);
}

static void load(struct life *l)
{
	module_start(64 << life_below(l, 5));
	got.loads++;
	if (life_below(l, 4))
		enable();
	__sync_synchronize();
	control->quiet = false;
}

static void unload(void)
{
	uint64_t begin, took;
	static struct stats s;
	const char *what;
	int err;

	all_aside();
	disable();
	stats_read(&s);
	what = stats_broken(&s);
	if (what && !*got.broken)
		snprintf(got.broken, sizeof(got.broken), "load %u: %s", got.loads, what);
	got.faults += s.sum.entries;
	begin = now_ns();
	/* Somebody who was killed may not have closed all yet. */
	while ((err = module_unload(O_NONBLOCK)) == -EAGAIN &&
	       now_ns() - begin < slowness() * HANG_NS)
		sleep_ms(1);
	took = now_ns() - begin;
	if (took > got.slowest)
		got.slowest = took;
	if ((err || module_loaded() || !access(COW_DIR, F_OK)) && !*got.stuck)
		snprintf(got.stuck, sizeof(got.stuck), "load %u: %s", got.loads,
			 err ? strerror(-err) : "the module or its directory is still there");
}

/* --- phases ------------------------------------------------------------------- */

/* And something came of it, where that can be told. */
static bool all_acted(void)
{
	size_t i;

	for (i = 0; i < ALL; i++)
		if (!control->steps[i])
			return false;
	return disturbed->cpus && disturbed->resized && (disturbed->blocks || !disturb_memory());
}

/* How many actors failed in so many seconds of storm; and then nothing is loaded. */
static unsigned int storm(struct life *l, unsigned int seconds, bool to_the_end)
{
	uint64_t begin = now_ns(), asked = seconds * 1000000000ull;
	unsigned int failed = 0, loads = got.loads;
	static pid_t pids[ALL];
	int status;
	size_t i;

	disturb_swap(true);
	control->over = false;
	control->quiet = true;
	for (i = 0; i < ALL; i++)
		pids[i] = child(act, (void *)(uintptr_t)i);
	do {
		load(l);
		sleep_ms(life_below(l, 2000));
		unload();
		if (*got.stuck)
			break;
	} while (now_ns() - begin < asked || got.loads < loads + LEAST_LOADS ||
		 (to_the_end && !all_acted() && now_ns() - begin < 3 * asked));
	control->over = true;
	got.acted += now_ns() - begin;
	for (i = 0; i < ALL; i++) {
		status = child_wait(pids[i]);
		if (!status)
			continue;
		failed++;
		note("actor %s ended with %#x", actor(i)->name, status);
	}
	disturb_swap(false);
	disturb_put_back();
	return failed;
}

unsigned int survive_seconds(void)
{
	return 9 * life_seconds();
}

/* After the first tenth, and after each part of the rest. */
#define PARTS	3
static struct memory memory[1 + PARTS];

void run_survive(void)
{
	unsigned int seconds = life_seconds(), failed, loads, fewest = 0;
	struct life own = { .depth = 0 };
	long long splits, swapped;
	size_t i;

	seed = asked_seed("STORM_SEED");
	need(seconds >= 10, "STORM_SECONDS has to be 10 at least");
	own.random = seed;
	control = map_shared(sizeof(*control));
	note("STORM_SEED=%#llx, %u seconds, %u CPUs", (unsigned long long)seed, seconds,
	     cpus_there());
	memory_begin();
	disturb_init();
	disturb_swap(false);
	file_write("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	need(!file_write("/proc/sys/kernel/hung_task_timeout_secs", HUNG_TASK_S),
	     "hung_task_timeout_secs cannot be set");
	life_ksm(true);
	splits = value_in("/proc/vmstat", "thp_split_page");
	swapped = value_in("/proc/vmstat", "pswpout");
	failed = storm(&own, seconds / 10, false);
	memory_measure(&memory[0]);
	for (i = 1; i <= PARTS; i++) {
		loads = got.loads;
		failed += storm(&own, seconds * 3 / 10, i == PARTS);
		memory_measure(&memory[i]);
		if (i == 1 || got.loads - loads < fewest)
			fewest = got.loads - loads;
	}
	life_ksm(false);
	disturb_swap(true);
	splits = value_in("/proc/vmstat", "thp_split_page") - splits;
	swapped = value_in("/proc/vmstat", "pswpout") - swapped;

	for (i = 0; i < ALL; i++)
		note("actor %s: %llu steps", actor(i)->name, control->steps[i]);
	note("acted %llu s, loaded %u times, %llu faults, settings accepted %llu times and refused %llu, slowest rmmod %llu ms",
	     (unsigned long long)got.acted / 1000000000, got.loads, got.faults,
	     disturbed->accepted, disturbed->refused, (unsigned long long)got.slowest / 1000000);
	check(!failed, "actors", "each actor ends as it should", "%u did not", failed);
	note("CPUs gone %llu times, blocks of memory %llu times (and %llu times not), buffers resized %llu times, %lld huge pages split, %lld pages swapped out",
	     disturbed->cpus, disturbed->blocks, disturbed->kept, disturbed->resized, splits,
	     swapped);
	check(all_acted(), "all-act",
	      "each actor acts; CPUs and memory go and come, buffers are resized", "see above");
	check(splits > 0, "splits", "huge pages are split", "%lld", splits);
	check(swapped > 0, "swaps", "pages go to swap", "%lld", swapped);
	if (!disturb_memory())
		skip("memory-hotplug", "no block of this guest's memory may go");
	check(!*got.broken && got.faults, "identities",
	      "whenever the module goes, the accounting identities hold", "%s; %llu faults",
	      got.broken, got.faults);
	check(!*got.stuck, "unloads", "each rmmod works when its files are closed", "%s",
	      got.stuck);
	check(!*disturbed->odd && disturbed->accepted && disturbed->refused, "settings",
	      "a setting is accepted, or refused for a reason that the manual names",
	      "%s; %llu accepted, %llu refused", disturbed->odd, disturbed->accepted,
	      disturbed->refused);
	/* The kernel's own caches grow by a few in the best of times. */
	memory_claims(memory, ARRAY_SIZE(memory), fewest > LEAST_ROUNDS ? fewest : LEAST_ROUNDS);
}
