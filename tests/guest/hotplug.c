// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that come and go while their tasks fault: PLUG_ROUNDS (default 100) rounds of
 * unplugging and replugging one, and a fifth of that each while settings change,
 * while tracing is switched off and on, and while "cowtrace record" reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"

#define TRACE	"/mnt/hotplug.trace"
#define SAID	"/tmp/hotplug.json"
/* Of a CPU that comes up while the command reads: fewer than its buffer takes. */
#define PAGES		1024
/* However few rounds there are: each pair of settings, and several sessions. */
#define MIN_CHANGES	12
#define MAX_CHANGES	5000
#define MIN_SWITCHES	2

static unsigned int cpus;
/* In memory that all share: rounds done, and whether they are enough. */
static volatile struct control {
	unsigned int	done;
	bool		enough;
} *control;

/* A CPU at a time, so that there are always several. */
static void plug_rounds(void *arg)
{
	uintptr_t rounds = (uintptr_t)arg, i;
	uint64_t random = rounds;
	int err;

	for (i = 0; i < rounds && !control->enough; i++) {
		unsigned int cpu = 1 + next_random(&random) % (cpus - 1);

		err = cpu_plug(cpu, false);
		need(!err, "cpu%u cannot be unplugged: %s", cpu, strerror(-err));
		sleep_ms(next_random(&random) % 20);
		err = cpu_plug(cpu, true);
		need(!err, "cpu%u cannot be plugged in: %s", cpu, strerror(-err));
		sleep_ms(next_random(&random) % 20);
		control->done++;
	}
}

static unsigned int rounds(void)
{
	return asked("PLUG_ROUNDS", 100);
}

/* --- what the kernel says ----------------------------------------------------- */

/* What it says of every CPU that goes or comes, and of tasks that kept to it. */
static const char * const usual[] = {
	" is now offline", "x86: Booting SMP configuration:", "smpboot: Booting Node ",
	"no longer affine to cpu", "callbacks suppressed",
	/* An interrupt that it had not handled when it went. */
	"APIC: Stale IRR",
	/* The host let a CPU of the guest wait. */
	"hrtimer: interrupt took", "calibrate_delay_direct()",
};

static void check_log(int log)
{
	char *text = strdup(log_read(log)), *rest = text, *line;
	char first[256] = "";
	size_t i;

	while (text && (line = strsep(&rest, "\n"))) {
		for (i = 0; i < ARRAY_SIZE(usual); i++)
			if (strstr(line, usual[i]))
				break;
		if (!*line || i < ARRAY_SIZE(usual))
			continue;
		note("kernel: %s", line);
		if (!*first)
			snprintf(first, sizeof(first), "%s", line);
	}
	free(text);
	check(!*first, "silent", "the kernel says no more than that CPUs go and come", "%s", first);
}

/* --- phases --------------------------------------------------------------------- */

static void set(const char *name, const char *value)
{
	int err = cow_write(name, value);

	need(!err, "%s does not take %s: %s", name, value, strerror(-err));
}

static struct follow f;
static struct beside b;
static struct crowd c;

/* Two tasks a CPU, of which one keeps to it until it goes. */
static struct held_child begin(unsigned int nr)
{
	follow_init(&f);
	crowd_init(&c, 2 * cpus, cpus);
	control->done = 0;
	control->enough = false;
	return child_held(plug_rounds, (void *)(uintptr_t)nr);
}

static void check_rounds(const char *name, unsigned int nr)
{
	check(control->done == nr, name, "each CPU that was unplugged was plugged in again", "%u of %u",
	      control->done, nr);
}

/* What was recorded of CPUs that were away for a while. */
static void plugging(void)
{
	struct held_child plugger = begin(rounds());
	long long pgreuse;

	beside_open(&b);
	crowd_go(&c);
	child_go(&plugger);
	read_until_gone(plugger.pid, &f);
	crowd_stop(&c, &f);
	stats_read(&b.s);
	pgreuse = value_in("/proc/vmstat", "pgreuse") - b.before.pgreuse;
	crowd_check_reuses(&b.s, pgreuse, "plug", 1);
	crowd_sign(&c, &f);
	beside_close(&b, &f);
	follow_close(&f);
	check_rounds("plug-rounds", rounds());
	crowd_check(&b, &f, "plug");
	set("reset", "1");
}

/* Each setting is in force for a moment, in which a slow guest may have no fault. */
static bool settings_took_effect(void)
{
	stats_read(&b.s);
	return b.s.sum.sampled_out && b.s.sum.filtered_exit;
}

static void changing(void)
{
	static const char * const samples[] = { "1", "7", "2", "100" };
	static const char * const outcomes[] = { "any", "copy", "reuse,copy" };
	struct held_child plugger = begin(rounds() / 5);
	unsigned int i;

	beside_open(&b);
	crowd_go(&c);
	child_go(&plugger);
	for (i = 0; control->done < rounds() / 5 || i < MIN_CHANGES ||
	     (i < MAX_CHANGES && !settings_took_effect()); i++) {
		set("sample_every", samples[i % ARRAY_SIZE(samples)]);
		set("filter/outcome", outcomes[i % ARRAY_SIZE(outcomes)]);
		follow_read(&f);
		sleep_ms(2);
	}
	set("sample_every", "1");
	set("filter/outcome", "any");
	read_until_gone(plugger.pid, &f);
	crowd_stop(&c, &f);
	crowd_sign(&c, &f);
	beside_close(&b, &f);
	follow_close(&f);
	crowd_check(&b, &f, "changes");
	check(b.s.sum.sampled_out && b.s.sum.filtered_exit, "changes-effect",
	      "the settings took effect", "sampled out %llu, filtered %llu", b.s.sum.sampled_out,
	      b.s.sum.filtered_exit);
	set("reset", "1");
}

static void switching(void)
{
	struct held_child plugger = begin(UINT32_MAX);
	unsigned int switches, nr = rounds() / 5 + MIN_SWITCHES;
	const char *differs;
	char what[256] = "";
	static struct stats s;

	crowd_go(&c);
	child_go(&plugger);
	for (switches = 0; switches < nr || control->done < nr; switches++) {
		enable();
		sleep_ms(10);
		follow_read(&f);
		disable();
		follow_read(&f);
		stats_read(&s);
		if (stats_broken(&s) && !*what)
			snprintf(what, sizeof(what), "after %u: %s", switches, stats_broken(&s));
	}
	control->enough = true;
	read_until_gone(plugger.pid, &f);
	enable();
	crowd_stop(&c, &f);
	crowd_sign(&c, &f);
	disable();
	follow_read(&f);
	follow_close(&f);
	stats_read(&s);
	differs = follow_differs(&f, &s);
	note("switched on and off %u times in %u rounds: entries %llu, recorded %llu, dropped %llu, skipped exits %llu",
	     switches, control->done, s.sum.entries, s.sum.recorded, s.sum.dropped_full,
	     s.skipped_exits);
	check(!*what && !stats_broken(&s), "switch-identities",
	      "the accounting identities hold whenever tracing is off", "%s", what);
	check(!differs, "switch-gaps",
	      "on each CPU all that is recorded is read, and the gaps in the numbers are the drops",
	      "%s", differs);
	set("reset", "1");
}

/* --- the command ------------------------------------------------------------------ */

static pid_t record_start(void)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid) {
		int fd = open(SAID, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd >= 0)
			dup2(fd, 1);
		execlp("cowtrace", "cowtrace", "record", "-a", "-q", "--json", "-o", TRACE, NULL);
		_exit(127);
	}
	file_wait(COW_DIR "/enabled", "1");
	return pid;
}

/* The end of the command, and what it wrote against what the module counted. */
static void record_end(pid_t pid, const char *phase)
{
	long long records, full, faults;
	static struct stats s;
	static char text[1 << 20], name[64];
	const char *report;
	int status;

	kill(pid, SIGINT);
	status = child_wait(pid);
	stats_read(&s);
	need(file_read(SAID, text, sizeof(text)) > 0, "cowtrace record said nothing");
	records = json_number(text, "records");
	full = json_number(text, "full");
	output_of("cowtrace report --json " TRACE, text, sizeof(text));
	report = strstr(text, "\"faults\":{") ?: strstr(text, "\"faults\": {");
	faults = report ? json_number(report + strlen("\"faults\""), "faults") : -1;
	note("%s: recorded %llu, written %lld, in the report %lld, dropped %llu, exit status %#x",
	     phase, s.sum.recorded, records, faults, s.sum.dropped_full, status);
	snprintf(name, sizeof(name), "%s-records", phase);
	check(records == (long long)s.sum.recorded && faults == records &&
	      full == (long long)s.sum.dropped_full, name,
	      "the command writes each record, and says how many were lost",
	      "recorded %llu, written %lld, in the report %lld, dropped %llu, said %lld",
	      s.sum.recorded, records, faults, s.sum.dropped_full, full);
	snprintf(name, sizeof(name), "%s-identities", phase);
	check(!stats_broken(&s), name, "the accounting identities hold", "%s", stats_broken(&s));
	unlink(TRACE);
}

static void write_on_last(void *arg)
{
	(void)arg;
	fork_write_on(cpus - 1, PAGES);
}

/* A CPU that comes up for the first time since the module was loaded, and is read. */
static void newcomer(void)
{
	static struct stats s;
	pid_t pid = record_start();
	bool before = !access(COW_DIR "/cpu1", F_OK), absent, there;
	char name[64];

	snprintf(name, sizeof(name), COW_DIR "/cpu%u", cpus - 1);
	absent = access(name, F_OK);
	need(!cpu_plug(cpus - 1, true), "cpu%u cannot be plugged in", cpus - 1);
	there = !access(name, F_OK);
	need(!child_wait(child(write_on_last, NULL)), "the load failed");
	record_end(pid, "new");
	stats_read(&s);
	check(before && absent && there, "new-file",
	      "a CPU that was not there when the module was loaded gets its file when it comes",
	      "cpu1 %d, before absent %d, then there %d", before, absent, there);
	check(s.cpu[cpus - 1].recorded >= 2 * PAGES && !s.sum.dropped_full, "new-read",
	      "the command finds it, and loses nothing of it", "recorded %llu, dropped %llu",
	      s.cpu[cpus - 1].recorded, s.sum.dropped_full);
	set("reset", "1");
}

/* The same of the lines of text, whose buffers are there while somebody reads them. */
static void newcomer_in_text(void)
{
	unsigned long long lines = 0, of_last = 0;
	static char text[1 << 16];
	static struct stats s;
	char where[16], *line, *rest;
	ssize_t n, kept = 0;
	int fd;

	need(!cpu_plug(cpus - 1, false), "cpu%u cannot be unplugged", cpus - 1);
	snprintf(where, sizeof(where), "[%03u] ", cpus - 1);
	fd = cow_open("events", O_RDONLY);
	need(fd >= 0, "events: %s", strerror(-fd));
	enable();
	need(!cpu_plug(cpus - 1, true), "cpu%u cannot be plugged in", cpus - 1);
	need(!child_wait(child(write_on_last, NULL)), "the load failed");
	disable();
	while ((n = read(fd, text + kept, sizeof(text) - 1 - kept)) > 0) {
		text[kept + n] = '\0';
		for (rest = text; strchr(rest, '\n'); lines++) {
			line = strsep(&rest, "\n");
			of_last += !!strstr(line, where);
		}
		kept = strlen(rest);
		memmove(text, rest, kept);
	}
	close(fd);
	stats_read(&s);
	note("lines %llu, %llu of cpu%u, dropped %llu, recorded %llu", lines, of_last, cpus - 1,
	     s.events_dropped, s.sum.recorded);
	check(lines + s.events_dropped == s.sum.recorded && of_last > PAGES, "new-lines",
	      "and its lines, if events was open before it came",
	      "%llu lines and %llu dropped of %llu, %llu of it", lines, s.events_dropped,
	      s.sum.recorded, of_last);
	set("reset", "1");
}

/* The command's own side-band comes and goes with the CPUs. */
static void recording(void)
{
	struct held_child plugger = begin(rounds() / 5);
	pid_t pid = record_start();

	/* A trace of all tasks would not fit on the disk. */
	child_go(&c.task[0]);
	child_go(&plugger);
	need(!child_wait(plugger.pid), "plugging failed");
	crowd_end(&c, 1);
	record_end(pid, "record");
	check_rounds("record-rounds", rounds() / 5);
	set("reset", "1");
}

unsigned int hotplug_seconds(void)
{
	return 20 * rounds();
}

void run_hotplug(void)
{
	int log;

	cpus = cpus_there();
	need(cpus >= 3, "there have to be 3 CPUs at least, and not %u", cpus);
	need(rounds() >= 5, "PLUG_ROUNDS has to be 5 at least");
	control = map_shared(sizeof(*control));
	/* A kernel that was booted with maxcpus= has never had it. */
	cpu_plug(cpus - 1, false);
	need(cpus_online() == cpus - 1, "%u CPUs of %u are online", cpus_online(), cpus);
	module_start(1024);
	log = log_open();
	newcomer();
	newcomer_in_text();
	recording();
	outside_init();
	/* Its own memory stays where it is. */
	need(!mlockall(MCL_CURRENT), "mlockall: %s", strerror(errno));
	plugging();
	changing();
	switching();
	outside_exit();
	check_log(log);
	close(log);
}
