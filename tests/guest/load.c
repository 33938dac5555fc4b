// SPDX-License-Identifier: GPL-2.0
/*
 * LOAD_FAULTS (default 5000000) faults on all CPUs with a reader, a fiftieth of that
 * with one that stalls, with the smallest buffers, on two and on four CPUs with a
 * sample, and with settings that change all the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crowd.h"

/* How long a reader stalls at least. */
#define STALL_MS	5000
#define MAX_CHANGES	5000

/**
 * struct phase - one load
 * @name: before the names of its claims.
 * @share: faults: one in so many of LOAD_FAULTS.
 * @cpus: that fault, 0 for all.
 * @kb: of buffer a CPU.
 * @every: sample_every.
 * @stalls: half way the reader stops for STALL_MS, and until each CPU has lost some.
 * @changes: filters and sample_every change all the time.
 */
struct phase {
	const char	*name;
	unsigned int	share, cpus, kb, every;
	bool		stalls, changes;
};

static const struct phase phases[] = {
	{ .name = "default", .share = 1, .kb = 1024, .every = 1 },
	{ .name = "stall", .share = 50, .kb = 1024, .every = 1, .stalls = true },
	{ .name = "smallest", .share = 50, .kb = 64, .every = 1, .stalls = true },
	{ .name = "two-cpus", .share = 50, .kb = 1024, .every = 10, .cpus = 2 },
	{ .name = "four-cpus", .share = 50, .kb = 1024, .every = 2, .cpus = 4 },
	{ .name = "changes", .share = 50, .kb = 1024, .every = 1, .changes = true },
};

static const struct {
	const char *name, *value;
} settings[] = {
	{ "filter/outcome", "copy" },
	{ "filter/uid", "1" },
	{ "sample_every", "3" },
	{ "filter/uid", "any" },
	{ "filter/min_duration_ns", "100000" },
	{ "filter/outcome", "any" },
	{ "sample_every", "1000" },
	{ "filter/min_duration_ns", "0" },
	{ "filter/comm", "cowtest" },
	{ "sample_every", "1" },
	{ "filter/comm", "any" },
};

static unsigned int goal(const struct phase *p)
{
	return asked("LOAD_FAULTS", 5000000) / p->share;
}

static void set(const char *name, const char *value)
{
	int err = cow_write(name, value);

	need(!err, "%s does not take %s: %s", name, value, strerror(-err));
}

/* Static: nothing here may fault while the kernel counts. */
static struct stats now;

static bool all_lost(unsigned int cpus)
{
	unsigned int cpu;

	stats_read(&now);
	for (cpu = 0; cpu < cpus; cpu++)
		if (!now.cpu[cpu].dropped_full)
			return false;
	return true;
}

static void stall(unsigned int cpus)
{
	uint64_t end = now_ns() + STALL_MS * 1000000ull;

	while (now_ns() < end || !all_lost(cpus))
		sleep_ms(50);
}

/* Each setting is in force for a moment, in which a slow guest may have no fault. */
static bool settings_took_effect(void)
{
	return now.sum.filtered_entry && now.sum.filtered_exit && now.sum.sampled_out;
}

static void follow_load(const struct phase *p, unsigned int cpus, struct follow *f)
{
	bool stalled = !p->stalls;
	unsigned int i;

	stats_read(&now);
	for (i = 0; now.sum.entries < goal(p) || !stalled ||
	     (p->changes && i < MAX_CHANGES && !settings_took_effect()); i++) {
		follow_read(f);
		if (p->changes)
			set(settings[i % ARRAY_SIZE(settings)].name,
			    settings[i % ARRAY_SIZE(settings)].value);
		sleep_ms(10);
		if (i % 16)
			continue;
		stats_read(&now);
		if (!stalled && now.sum.entries >= goal(p) / 2) {
			stall(cpus);
			stalled = true;
		}
	}
}

static void put_back(void)
{
	set("sample_every", "1");
	set("filter/outcome", "any");
	set("filter/uid", "any");
	set("filter/comm", "any");
	set("filter/min_duration_ns", "0");
}

static void run_phase(const struct phase *p)
{
	unsigned int cpu, cpus = p->cpus ?: cpus_online();
	static struct follow f;
	static struct beside b;
	static struct crowd c;
	long long pgreuse;
	bool some = true;
	char text[32];

	snprintf(text, sizeof(text), "%u", p->kb);
	set("buffer_kb", text);
	snprintf(text, sizeof(text), "%u", p->every);
	set("sample_every", text);
	follow_init(&f);
	crowd_init(&c, cpus, cpus);
	beside_open(&b);
	follow_read(&f);
	crowd_go(&c);
	follow_load(p, cpus, &f);
	crowd_stop(&c, &f);
	stats_read(&now);
	pgreuse = value_in("/proc/vmstat", "pgreuse") - b.before.pgreuse;
	/* What comes now is recorded, each fault of it. */
	put_back();
	crowd_sign(&c, &f);
	beside_close(&b, &f);
	follow_close(&f);

	crowd_check(&b, &f, p->name);
	if (!p->changes)
		crowd_check_reuses(&now, pgreuse, p->name, p->every);
	for (cpu = 0; cpu < cpus; cpu++)
		some &= b.s.cpu[cpu].entries && (!p->stalls || b.s.cpu[cpu].dropped_full);
	snprintf(text, sizeof(text), "%s-%s", p->name, p->changes ? "effect" : "lost");
	if (p->stalls)
		check(some, text, "while nobody reads, each CPU loses records", "see above");
	else if (!p->changes)
		check(some && !b.s.sum.dropped_full, text, "all CPUs fault, nothing is lost",
		      "%llu dropped", b.s.sum.dropped_full);
	else
		check(some && settings_took_effect(), text, "each of the settings took effect",
		      "see above");
	set("reset", "1");
}

/* Far more than it takes on a host that is busy with other guests. */
unsigned int load_seconds(void)
{
	return asked("LOAD_FAULTS", 5000000) / 500;
}

void run_load(void)
{
	unsigned int cpu;
	size_t i;

	need(asked("LOAD_FAULTS", 5000000) >= 50000, "LOAD_FAULTS has to be 50000 at least");
	for (cpu = 1; cpu < cpus_there(); cpu++)
		cpu_plug(cpu, true);
	need(cpus_online() >= 4, "there have to be 4 CPUs at least, and not %u", cpus_online());
	module_start(1024);
	outside_init();
	/* Its own memory stays where it is. */
	need(!mlockall(MCL_CURRENT), "mlockall");
	note("%u CPUs", cpus_online());
	for (i = 0; i < ARRAY_SIZE(phases); i++)
		run_phase(&phases[i]);
	outside_exit();
}
