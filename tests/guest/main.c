// SPDX-License-Identifier: GPL-2.0
/*
 * cowtest --backend NAME SUITE...: run suites of tests of the module, each in
 * a process of its own with no module loaded before or after. A line a claim:
 *	ok SUITE/NAME - CLAIM
 *	not ok SUITE/NAME - CLAIM (WHAT WAS FOUND)
 *	skip SUITE/NAME - WHY
 * cowtest list: names them. cowtest load: does what the suite pattern traces,
 * cowtest load explain: what the suite explain does; cowtest load forks: forks under writes;
 * cowtest load ksm and load ksm-off: what the suite ksm records; cowtest load tools:
 * what the suite tools has others record; cowtest load stacks: what the suite stacks records;
 * cowtest load bpf: what the suite bpf records; cowtest load crosscheck: what the suite
 * crosscheck compares, with threads, swap and huge pages;
 * cowtest load security: what the suite security records.
 * Lines that begin with # are figures for the log. The last line is "done".
 * Exit status: 0, 1 when a claim failed, 2 when it was called wrongly.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

static const struct suite suites[] = {
	{ "reconcile", run_reconcile, "counts of the kernel's own agree to the single fault" },
	{ "pattern", run_pattern, "8192 pages written by a child, then by the parent" },
	{ "anon", run_truth_anon, "what a record says is what the kernel says" },
	{ "swap", run_truth_swap, "who uses the swap slot of a page" },
	{ "file", run_truth_file, "the same of files and devices" },
	{ "held", run_truth_held, "the same of pages that somebody holds" },
	{ "holders", run_truth_holders, "the references of a page are split as they are held" },
	{ "outcome", run_truth_outcome, "what ends without a reuse or a copy" },
	{ "thp", run_truth_thp, "huge pages that a PMD maps" },
	{ "large", run_truth_large, "large folios that PTEs map" },
	{ "hugetlb", run_truth_hugetlb, "hugetlb pages" },
	{ "origin", run_truth_origin, "where accesses come from" },
	{ "accounting", run_accounting, "each fault is counted once at each stage" },
	{ "counts", run_counts, "what the kernel counts instead of recording" },
	{ "policies", run_policies, "what the policies answer, counted in the kernel" },
	{ "events", run_events, "reading records and lines" },
	{ "input", run_input, "settings refuse what they do not accept" },
	{ "start", run_start, "switching on proves itself" },
	{ "tracepoint", run_tracepoint, "cowtrace:wp_fault" },
	{ "stacks", run_stacks, "user stacks of a known chain and of redis-server" },
	{ "asleep", run_asleep, "tasks asleep in do_wp_page() across disable and rmmod" },
	{ "stale", run_stale, "the same across modules of either backend, and killed" },
	{ "explain", run_explain, "the command explains what the kernel's source says" },
	{ "redis", run_redis, "a traced redis-server answers as an untraced one" },
	{ "forks", run_forks, "the ledger of ten BGSAVEs beside redis's own count" },
	{ "ksm", run_ksm, "what KSM merges and what ends it, beside the kernel's own counts" },
	{ "files", run_group_files, "how often pages of files are reached, and by whom" },
	{ "duplicates", run_duplicates, "a planted set of pages of files that are alike" },
	{ "top", run_top, "cowtrace top in a terminal, and its numbers" },
	{ "tools", run_tools, "perf, trace-cmd and bpftrace on cowtrace:wp_fault" },
	{ "crosscheck", run_crosscheck, "module and bpf backend on the same faults" },
	{ "bpf", run_bpf, "the bpf backend, beside the kernel's own counts" },
	{ "security", run_security, "who may open what, also under lockdown, and who reads a trace" },
	{ "injection", run_injection, "each registration and each allocation fails once" },
	{ "race", run_race, "two writers of the same page at once; RACES rounds" },
	{ "contention", run_contention, "parent and child at one page; CONTENTION rounds" },
	{ "khugepaged", run_khugepaged, "what khugepaged finds in a range, and decides" },
	{ "storm", run_storm, "STORM_SECONDS of fork, write, swap and KSM on all CPUs" },
	{ "survive", run_survive, "the same of all that happens to memory, while all else changes" },
	{ "load", run_load, "LOAD_FAULTS faults on all CPUs, and a reader that stalls" },
	{ "hotplug", run_hotplug, "CPUs unplugged and plugged in under load; PLUG_ROUNDS rounds" },
	{ "mutated", run_mutated, "WRITES mutated values to all files of the module" },
	{ "unload", run_unload, "insmod and rmmod under load; ROUNDS of them" },
	{ "beside-bpftrace", run_beside_bpftrace, "BESIDE_ROUNDS rounds beside bpftrace's kretprobes" },
	{ "beside-graph", run_beside_graph, "the same beside function_graph" },
	{ "beside-kprobes", run_beside_kprobes, "the same beside kprobe events" },
	{ "beside-fprobes", run_beside_fprobes, "the same beside fprobe events" },
};

static const struct suite *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		if (!strcmp(suites[i].name, name))
			return &suites[i];
	return NULL;
}

/* Seconds after which a suite hangs: far more than it takes on the slowest host. */
#define LIMIT	900

static unsigned int limit(const struct suite *s)
{
	if (s->run == run_race)
		return LIMIT + race_seconds();
	if (s->run == run_storm)
		return LIMIT + storm_seconds();
	if (s->run == run_survive)
		return LIMIT + survive_seconds();
	if (s->run == run_load)
		return LIMIT + load_seconds();
	if (s->run == run_hotplug)
		return LIMIT + hotplug_seconds();
	if (s->run == run_mutated)
		return LIMIT + mutated_seconds();
	if (s->run == run_unload)
		return LIMIT + unload_seconds();
	if (s->run == run_injection)
		return LIMIT + injection_seconds();
	if (!strncmp(s->name, "beside-", strlen("beside-")))
		return LIMIT + beside_seconds();
	return LIMIT;
}

/* The suite and all that it started are one process group. */
static pid_t start(const struct suite *s)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	s->run();
	fflush(stdout);
	_exit(0);
}

static bool ended(pid_t pid, unsigned int seconds, int *status)
{
	uint64_t deadline = now_ns() + slowness() * seconds * 1000000000ull;
	pid_t gone;

	/* Orphans come to us: left as zombies they would look like a leak of pids. */
	while ((gone = waitpid(-1, status, WNOHANG)) != pid) {
		if (gone > 0)
			continue;
		if (now_ns() > deadline)
			return false;
		sleep_ms(20);
	}
	return true;
}

static void run(const struct suite *s)
{
	int log, status = 0, err = 0;
	uint64_t begin = now_ns();
	bool in_time;
	pid_t pid;

	suite_name = s->name;
	log = log_open();
	fflush(stdout);
	pid = start(s);
	setpgid(pid, pid);
	in_time = ended(pid, limit(s), &status);
	kill(-pid, SIGKILL);
	/* All that is left of the group, orphans included: they hold files until they are gone. */
	while (waitpid(-pid, NULL, 0) > 0)
		;
	check(in_time && !status, "ended", "the suite ends by itself", "%s, status %#x",
	      in_time ? "it ended early" : "it did not end in time", status);
	if (module_loaded())
		err = module_unload(O_NONBLOCK);
	check(!module_loaded(), "gone", "the module can be unloaded after it", "rmmod: %s",
	      strerror(-err));
	if (module_loaded_as("cowtrace_hold")) {
		err = module_unload_as("cowtrace_hold", O_NONBLOCK);
		check(!err, "held", "all that was held is given back", "rmmod cowtrace-hold: %s",
		      strerror(-err));
	}
	if (!in_time || status)
		note("kernel log of %s:\n%s", s->name, log_read(log));
	close(log);
	note("%s took %llu ms", s->name, (unsigned long long)(now_ns() - begin) / 1000000);
}

static int list(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		printf("%-16s%s\n", suites[i].name, suites[i].sentence);
	return 0;
}

static void whole_pattern(void)
{
	pattern(NULL);
}

/* What runs by itself, for a suite that records it. */
static int by_itself(const char *name)
{
	static const struct {
		const char	*name;
		void		(*run)(void);
	} loads[] = {
		{ "", whole_pattern },
		{ "explain", explained },
		{ "forks", forked_under_writes },
		{ "stacks", stacks_load },
		{ "ksm", ksm_load },
		{ "ksm-off", ksm_off_load },
		{ "tools", tools_load },
		{ "bpf", bpf_load },
		{ "crosscheck", crosscheck_load },
		{ "security", security_load },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(loads); i++)
		if (!strcmp(loads[i].name, name)) {
			loads[i].run();
			return 0;
		}
	fprintf(stderr, "cowtest: no load '%s'\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	int i = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	if (argc > 1 && argc < 4 && !strcmp(argv[1], "load"))
		return by_itself(argc == 3 ? argv[2] : "");
	if (argc > 2 && !strcmp(argv[1], "--backend")) {
		backend = argv[2];
		i = 3;
	}
	failed_claims = map_shared(sizeof(*failed_claims));
	/* DAMON takes references to pages, and objects for its regions, as it likes. */
	file_write("/sys/module/damon_stat/parameters/enabled", "N");
	for (; i < argc; i++) {
		const struct suite *s = find(argv[i]);

		if (!s) {
			fprintf(stderr, "cowtest: no suite '%s': see cowtest list\n", argv[i]);
			return 2;
		}
		run(s);
	}
	printf("done\n");
	return *failed_claims != 0;
}
