// SPDX-License-Identifier: GPL-2.0
/* The accounting identities, and what is lost when nobody reads. */
#include <stdio.h>
#include <string.h>

#include "lib.h"

#define PAGES	512
#define ROUNDS	4
#define STOPS	8

/* Two tasks, a CPU each, that do not share pages with one another. */
static void load_on(void *arg)
{
	char *mem = map_pages(PAGES);
	int i;

	on_cpu((uintptr_t)arg);
	touch(mem, PAGES);
	lru_drain();
	for (i = 0; i < ROUNDS; i++)
		fork_write(mem, PAGES);
}

static void load(void)
{
	pid_t pids[2];
	uintptr_t i;

	for (i = 0; i < 2; i++)
		pids[i] = child(load_on, (void *)i);
	for (i = 0; i < 2; i++)
		need(!child_wait(pids[i]), "the load failed");
}

static void identities(const char *name, const char *claim, struct stats *s)
{
	const char *broken;

	stats_read(s);
	broken = stats_broken(s);
	note("%s: entries %llu filtered_entry %llu sampled_out %llu handed_on %llu exits %llu skipped %llu recorded %llu filtered_exit %llu dropped_full %llu",
	     name, s->sum.entries, s->sum.filtered_entry, s->sum.sampled_out, s->sum.handed_on,
	     s->sum.exits, s->skipped_exits, s->sum.recorded, s->sum.filtered_exit,
	     s->sum.dropped_full);
	check(!broken, name, claim, "%s", broken);
}

static void reset(void)
{
	int err = cow_write("reset", "1");

	need(!err, "reset: %s", strerror(-err));
}

static void all_recorded(void)
{
	struct stats s;
	struct trace t;

	enable();
	load();
	disable();
	identities("load", "identities hold on each CPU and over all after a load on two CPUs", &s);
	check(s.sum.recorded >= 2 * ROUNDS * 2 * PAGES, "load-size",
	      "each fault of the load is recorded", "%llu", s.sum.recorded);
	check(s.cpu[0].recorded > PAGES && s.cpu[1].recorded > PAGES, "load-cpus",
	      "both CPUs took part", "%llu, %llu", s.cpu[0].recorded, s.cpu[1].recorded);
	trace_read(&t);
	check(t.n == s.sum.recorded, "load-read", "as many records are read as are counted",
	      "read %zu, recorded %llu", t.n, s.sum.recorded);
	trace_free(&t);
	reset();
	stats_read(&s);
	check(!s.sum.entries && !s.sum.recorded && !s.tally, "reset", "reset zeroes the counters",
	      "entries %llu recorded %llu", s.sum.entries, s.sum.recorded);
}

static void filtered(void)
{
	struct held_child c = child_held(load_on, NULL);
	size_t i, strangers = 0;
	struct stats s;
	struct trace t;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", c.pid);
	need(!cow_write("filter/tgid", pid), "filter/tgid does not take %s", pid);
	need(!cow_write("filter/outcome", "reuse"), "filter/outcome does not take reuse");
	enable();
	child_go(&c);
	child_wait(c.pid);
	disable();
	identities("filter", "identities hold with filters at entry and at exit", &s);
	trace_read(&t);
	for (i = 0; i < t.n; i++)
		strangers += t.r[i].tgid != (uint32_t)c.pid ||
			     t.r[i].outcome != COWTRACE_OUTCOME_REUSE;
	check(!strangers && t.n == s.sum.recorded && t.n >= ROUNDS * PAGES, "filter-only",
	      "only what the filters let through is recorded, and all of that",
	      "%zu strangers among %zu, recorded %llu", strangers, t.n, s.sum.recorded);
	check(s.sum.filtered_entry >= ROUNDS * PAGES, "filter-entry",
	      "what the other process did is counted as filtered", "%llu", s.sum.filtered_entry);
	trace_free(&t);
	cow_write("filter/tgid", "any");
	cow_write("filter/outcome", "any");
	reset();
}

static void sampled(void)
{
	struct stats s;
	unsigned int cpu;
	bool tenth = true;

	need(!cow_write("sample_every", "10"), "sample_every does not take 10");
	enable();
	load();
	disable();
	identities("sample", "identities hold with sample_every=10", &s);
	for (cpu = 0; cpu < s.cpus; cpu++) {
		long long off = (long long)s.cpu[cpu].entries - 10 * (long long)s.cpu[cpu].handed_on;

		tenth &= off > -10 && off < 10;
	}
	check(tenth && s.sum.handed_on, "sample-tenth", "each CPU hands on one entry in ten",
	      "handed_on %llu of %llu", s.sum.handed_on, s.sum.entries);
	cow_write("sample_every", "1");
	reset();
}

/* What is read of one CPU after the buffer ran full, and the hole behind it. */
static void full(void)
{
	struct trace before, after;
	struct stats first, second;
	unsigned long long hole, seq;
	bool counted = true, shown = true;
	unsigned int cpu;
	size_t i;

	need(!cow_write("buffer_kb", "64"), "buffer_kb does not take 64");
	enable();
	load();
	disable();
	identities("full", "identities hold with the smallest buffer and no reader", &first);
	trace_read(&before);
	enable();
	load_on((void *)0);
	load_on((void *)1);
	disable();
	stats_read(&second);
	trace_read(&after);
	for (cpu = 0; cpu < before.cpus; cpu++) {
		size_t m, n = before.cpu[cpu + 1] - before.cpu[cpu];

		counted &= first.cpu[cpu].dropped_full > 0 && n == first.cpu[cpu].recorded;
		for (i = 0; i < n; i++)
			shown &= before.r[before.cpu[cpu] + i].seq == i + 1;
		seq = n ? before.r[before.cpu[cpu + 1] - 1].seq : 0;
		/* Of the second load the tail has not been seen by any later record. */
		m = after.cpu[cpu + 1] - after.cpu[cpu];
		counted &= m == second.cpu[cpu].recorded - first.cpu[cpu].recorded;
		hole = m ? after.r[after.cpu[cpu]].seq - seq - 1 : 0;
		shown &= m && hole == first.cpu[cpu].dropped_full;
		note("cpu %u: read %zu, dropped %llu, hole in the numbers %llu, then read %zu", cpu,
		     n, first.cpu[cpu].dropped_full, hole, m);
	}
	check(counted, "full-read", "a full buffer drops, and what it kept can be read", "see above");
	check(shown, "full-gap", "the gap in the sequence numbers is what was dropped, to the record",
	      "see above");
	check(value_in(COW_DIR "/lost", "full") == (long long)second.sum.dropped_full, "full-lost",
	      "lost says what was dropped", "%lld", value_in(COW_DIR "/lost", "full"));
	trace_free(&before);
	trace_free(&after);
	need(!cow_write("buffer_kb", "8192"), "buffer_kb does not take 8192");
	reset();
}

static void forever(void *arg)
{
	char *mem = map_pages(PAGES);

	on_cpu((uintptr_t)arg);
	touch(mem, PAGES);
	for (;;)
		fork_write(mem, PAGES);
}

static void stopped(void)
{
	char what[256] = "";
	struct stats s, later;
	pid_t pids[2];
	uintptr_t i;
	int round;

	for (i = 0; i < 2; i++)
		pids[i] = child(forever, (void *)i);
	for (round = 0; round < STOPS; round++) {
		reset();
		enable();
		faults_seen(PAGES + round);
		disable();
		stats_read(&s);
		if (stats_broken(&s))
			snprintf(what, sizeof(what), "round %d: %s", round, stats_broken(&s));
		sleep_ms(5);
		stats_read(&later);
		if (memcmp(&s.sum, &later.sum, sizeof(s.sum)))
			snprintf(what, sizeof(what), "round %d: entries went from %llu to %llu",
				 round, s.sum.entries, later.sum.entries);
	}
	for (i = 0; i < 2; i++)
		child_kill(pids[i]);
	check(!*what, "stop",
	      "identities hold, and nothing moves, after 8 stops in the middle of a load", "%s",
	      what);
}

void run_accounting(void)
{
	module_start(8192);
	all_recorded();
	filtered();
	sampled();
	full();
	stopped();
}
