// SPDX-License-Identifier: GPL-2.0
/* The accounting identities, and what is lost when nobody reads. */
#include <stdio.h>
#include <string.h>

#include "lib.h"

#define PAGES	512
#define ROUNDS	4
#define STOPS	8
/* Of copies and reuses in turn. */
#define TURNS	8

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

/* Squares: neither a root nor a library of them is needed. */
static bool within(double estimate, double truth, double variance)
{
	double off = estimate - truth;

	return off * off <= STANDARD_ERRORS * STANDARD_ERRORS * variance;
}

/* Of n faults k are taken, each with the probability of 1 in every. */
static bool a_sample(unsigned long long n, unsigned long long k, unsigned int every)
{
	return within(k, (double)n / every, (double)n / every * (1 - 1.0 / every));
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
	for (cpu = 0; cpu < s.cpus; cpu++)
		tenth &= a_sample(s.cpu[cpu].entries, s.cpu[cpu].handed_on, 10);
	check(tenth && s.sum.handed_on, "sample-tenth",
	      "each CPU hands on one entry in ten, by chance", "handed_on %llu of %llu",
	      s.sum.handed_on, s.sum.entries);
	cow_write("sample_every", "1");
	reset();
}

/*
 * Copies and reuses in turn: a child holds the even pages, and the odd ones, which
 * this process wrote before, are its own.
 */
static void alternate(void *arg)
{
	char *mem = map_pages(PAGES);
	struct partner p;
	int round;
	size_t i;

	(void)arg;
	on_cpu(0);
	for (round = 0; round < TURNS; round++) {
		touch(mem, PAGES);
		p = partner_start();
		for (i = 1; i < PAGES; i += 2)
			poke(mem + i * PAGE, round);
		fork_and_forget();
		touch(mem, PAGES);
		partner_end(&p);
	}
}

static void trace_alternation(unsigned int every, struct stats *s)
{
	struct held_child c = child_held(alternate, NULL);
	char text[16];

	snprintf(text, sizeof(text), "%d", c.pid);
	need(!cow_write("filter/tgid", text), "filter/tgid does not take %s", text);
	snprintf(text, sizeof(text), "%u", every);
	need(!cow_write("sample_every", text), "sample_every does not take %s", text);
	enable();
	child_go(&c);
	need(!child_wait(c.pid), "the load failed");
	disable();
	stats_read(s);
	cow_write("filter/tgid", "any");
	cow_write("sample_every", "1");
	reset();
}

/* How many faults of the process there are is known by a run in which each is recorded. */
static void periodic(void)
{
	static const unsigned int rates[] = { 2, 10 };
	static const unsigned int outcomes[] = { COWTRACE_OUTCOME_COPY, COWTRACE_OUTCOME_REUSE };
	unsigned long long all, truth[2], found;
	struct stats s;
	char name[32];
	size_t i, k;

	trace_alternation(1, &s);
	all = s.sum.entries;
	for (k = 0; k < 2; k++)
		truth[k] = stats_outcome(&s, outcomes[k]);
	/* A page may wait in an LRU batch, which makes a copy of a reuse. */
	check(truth[0] >= PAGES * TURNS && truth[1] >= PAGES / 2 * TURNS * 9 / 10,
	      "periodic-load", "the load copies and reuses in turn", "%llu and %llu", truth[0], truth[1]);
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		double every = rates[i];
		bool good = true;

		trace_alternation(rates[i], &s);
		for (k = 0; k < 2; k++) {
			found = stats_outcome(&s, outcomes[k]);
			note("1 in %u: %s %llu, estimated %.0f of %llu", rates[i],
			     outcome_name(outcomes[k]), found, found * every, truth[k]);
			good &= within(found * every, truth[k], truth[k] * (every - 1));
		}
		snprintf(name, sizeof(name), "periodic-%u", rates[i]);
		check(good && !stats_broken(&s), name,
		      "a pattern of period 2 is estimated within 6 standard errors",
		      "see above, of %llu faults", all);
	}
}

/* The command on the load of the suite pattern: 8192 copies, then 8192 reuses. */
static void reported(void)
{
	static const char command[] =
		"cowtrace record -q --sample-every 10 -o /tmp/sample -- /usr/libexec/cowtrace/cowtest load && cowtrace report --json /tmp/sample";
	static char text[1 << 20];
	const char *sampling, *faults;
	long long all, recorded, copies;
	struct stats s;

	output_of(command, text, sizeof(text));
	sampling = strstr(text, "\"sampling\":{");
	faults = strstr(text, "\"faults\":{");
	all = json_number(sampling, "all");
	recorded = json_number(sampling, "recorded");
	copies = json_number(faults, "copies");
	stats_read(&s);
	note("all %lld, recorded %lld, copies estimated %lld", all, recorded, copies);
	check(sampling && recorded == (long long)s.sum.handed_on &&
	      all == (long long)(s.sum.entries - s.sum.filtered_entry) && all >= 2 * 8192,
	      "report-sample", "the report says of how many faults it has a sample",
	      "%lld of %lld", recorded, all);
	check(within(copies, 8192, 8192.0 / 2 * 9), "report-estimate",
	      "and estimates the copies within 6 standard errors", "%lld of 8192", copies);
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
	long long missed = 0;
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
		missed += value_in(COW_DIR "/lost", "missed_no_instance");
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
	check(!missed, "stop-missed", "a fault that comes while they stop is none that was missed",
	      "%lld", missed);
}

void run_accounting(void)
{
	module_start(8192);
	all_recorded();
	filtered();
	sampled();
	periodic();
	reported();
	full();
	stopped();
}
