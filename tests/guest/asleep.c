// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that sleep in do_wp_page(), held by userfaultfd write protection,
 * while tracing is switched off and the module goes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"
#include "uffd.h"

/* As many as there are numbers of function graph users, which go round. */
#define SLEEPERS	16

static char *mem;
static int uffd = -1;

/* Threads, because a fork does not inherit the registration. */

static void *sleeper(void *page)
{
	poke(page, 7);
	return NULL;
}

static pthread_t threads[SLEEPERS];

static void fall_asleep(void)
{
	int i;

	uffd_protect(uffd, mem, SLEEPERS, true);
	for (i = 0; i < SLEEPERS; i++)
		need(!pthread_create(&threads[i], NULL, sleeper, mem + i * PAGE), "threads");
	/* Each of them sends a message when it goes to sleep. */
	for (i = 0; i < SLEEPERS; i++)
		uffd_wait(uffd);
}

/* Only one of them. */
static void wake_one(int i)
{
	uffd_protect(uffd, mem + i * PAGE, 1, false);
	pthread_join(threads[i], NULL);
}

static void wake_up(void)
{
	int i;

	uffd_protect(uffd, mem, SLEEPERS, false);
	for (i = 0; i < SLEEPERS; i++)
		pthread_join(threads[i], NULL);
}

/* Another process, so that it can be killed. */
static void sleep_for_ever(void *arg)
{
	(void)arg;
	mem = map_pages(SLEEPERS);
	touch(mem, SLEEPERS);
	uffd = uffd_open(0);
	need(uffd >= 0, "userfaultfd");
	uffd_register(uffd, mem, SLEEPERS);
	fall_asleep();
	pause();
}

/* TAINT_WARN of include/linux/panic.h. */
static bool kernel_warned(void)
{
	FILE *f = fopen("/proc/sys/kernel/tainted", "r");
	unsigned long tainted = 0;

	need(f && fscanf(f, "%lu", &tainted) == 1, "/proc/sys/kernel/tainted");
	fclose(f);
	return tainted & (1 << 9);
}

static bool written(void)
{
	int i;

	for (i = 0; i < SLEEPERS && mem[i * PAGE] == 7; i++)
		;
	memset(mem, 1, SLEEPERS * PAGE);
	return i == SLEEPERS;
}

void run_asleep(void)
{
	struct stats s;
	struct trace t;
	size_t i, uffds = 0;
	int err;

	mem = map_pages(SLEEPERS);
	touch(mem, SLEEPERS);
	uffd = uffd_open(0);
	if (uffd < 0) {
		skip("all", "this kernel has no userfaultfd write protection");
		return;
	}
	uffd_register(uffd, mem, SLEEPERS);

	/* Asleep and awake again while tracing is on. */
	module_start(256);
	enable();
	fall_asleep();
	stats_read_at_rest(&s);
	check(s.asleep == SLEEPERS, "counted", "tasks that sleep in a fault are counted as asleep",
	      "%llu", s.asleep);
	check(!stats_broken(&s), "identities", "identities hold while they sleep", "%s",
	      stats_broken(&s));
	wake_up();
	disable();
	need(written(), "the threads did not write");
	stats_read(&s);
	trace_read(&t);
	for (i = 0; i < t.n; i++)
		uffds += t.r[i].outcome == COWTRACE_OUTCOME_UFFD;
	check(!s.asleep && !s.skipped_exits && uffds == SLEEPERS, "uffd",
	      "awake again, their outcome is uffd", "asleep %llu, skipped %llu, uffd %zu", s.asleep,
	      s.skipped_exits, uffds);
	trace_free(&t);
	cow_write("reset", "1");

	/* Off and on again while they sleep. */
	enable();
	fall_asleep();
	disable();
	stats_read(&s);
	check(s.skipped_exits == SLEEPERS && !s.asleep && !stats_broken(&s), "skipped",
	      "switched off, they are counted as skipped exits, and identities hold",
	      "skipped %llu asleep %llu, %s", s.skipped_exits, s.asleep, stats_broken(&s));
	cow_write("reset", "1");
	enable();
	wake_up();
	disable();
	stats_read(&s);
	trace_read(&t);
	for (i = 0, uffds = 0; i < t.n; i++)
		uffds += t.r[i].outcome == COWTRACE_OUTCOME_UFFD;
	check(written() && !uffds && !stats_broken(&s), "stale",
	      "an exit of the last session does not count in this one", "uffd %zu, %s", uffds,
	      stats_broken(&s));
	trace_free(&t);
	cow_write("reset", "1");

	/*
	 * Each wakes under a session of its own. The probes of one of them have
	 * number 0 of the function graph, which marks everybody's frames.
	 */
	enable();
	fall_asleep();
	disable();
	for (err = 0, i = 0; i < SLEEPERS; i++) {
		enable();
		wake_one(i);
		disable();
		stats_read(&s);
		uffds = s.faults[COWTRACE_OUTCOME_UFFD][COWTRACE_REASON_NONE];
		err |= uffds || stats_broken(&s);
	}
	check(written() && !err && !kernel_warned(), "numbers",
	      "whatever number the session has under which they wake, it does no harm",
	      "counted wrong %d, warned %d", err, kernel_warned());
	cow_write("reset", "1");

	/* The module goes while they sleep, another comes, then they wake. */
	enable();
	fall_asleep();
	err = module_unload(O_NONBLOCK);
	check(!err, "rmmod", "rmmod works while tasks sleep in traced faults", "%s", strerror(-err));
	module_start(256);
	enable();
	wake_up();
	disable();
	stats_read(&s);
	check(written() && !s.faults[COWTRACE_OUTCOME_UFFD][COWTRACE_REASON_NONE] &&
	      !stats_broken(&s), "reload", "they wake under the next module, and do no harm", "%s",
	      stats_broken(&s));

	/* The module goes for good, then they wake. */
	enable();
	fall_asleep();
	err = module_unload(O_NONBLOCK);
	check(!err, "rmmod-again", "rmmod works once more", "%s", strerror(-err));
	wake_up();
	check(written(), "after", "they wake when the module is gone", "they did not write");
}

static bool counted(struct stats *s)
{
	stats_read(s);
	return stats_broken(s) || s->faults[COWTRACE_OUTCOME_UFFD][COWTRACE_REASON_NONE];
}

/*
 * Each wakes under a module of its own, all of which are later than the one that saw it
 * fall asleep. They probe by all backends in turn; some are off, some count only.
 */
static void under_others(void)
{
	static const char * const backends[] = { "kretprobe", "fprobe" };
	/* As the kernel has it, not as the module says. */
	int there = system("grep -qw register_fprobe_ips /proc/kallsyms") ? 0 : SLEEPERS / 2;
	const char *ours = backend;
	struct stats s;
	int i, others = 0, wrong = 0;

	module_start(256);
	enable();
	fall_asleep();
	need(!module_unload(O_NONBLOCK), "rmmod");
	for (i = 0; i < SLEEPERS; i++) {
		char parameters[64];

		snprintf(parameters, sizeof(parameters), "backend=%s buffer_kb=64",
			 backends[i % 2]);
		/* Not each kernel has both. */
		if (module_load("", parameters))
			module_start(64);
		else
			others += !!strcmp(backends[i % 2], ours);
		if (i % 3 == 2)
			need(!cow_write("mode", "counts"), "mode does not take counts");
		if (i % 5 != 4)
			enable();
		wake_one(i);
		if (i % 5 != 4)
			disable();
		wrong += counted(&s);
		need(!module_unload(O_NONBLOCK), "rmmod");
	}
	check(others == there, "reloads-other",
	      "half of them wake under a module with the other backend, where the kernel has it",
	      "%d of %d, not %d", others, SLEEPERS, there);
	check(written() && !wrong && !kernel_warned(), "reloads",
	      "each wakes under a later module, whatever that probes by, and does no harm",
	      "counted wrong %d times, warned %d", wrong, kernel_warned());
}

static void killed(void)
{
	struct stats s;
	pid_t pid;

	module_start(256);
	enable();
	pid = child(sleep_for_ever, NULL);
	do
		stats_read(&s);
	while (s.asleep != SLEEPERS && (sleep_ms(10), true));
	need(!module_unload(O_NONBLOCK), "rmmod");
	module_start(256);
	enable();
	child_kill(pid);
	disable();
	check(!counted(&s) && !kernel_warned(), "killed",
	      "killed in their sleep under the next module, they do no harm", "%s, warned %d",
	      stats_broken(&s) ?: "counted", kernel_warned());
	need(!module_unload(O_NONBLOCK), "rmmod");
}

void run_stale(void)
{
	mem = map_pages(SLEEPERS);
	touch(mem, SLEEPERS);
	uffd = uffd_open(0);
	if (uffd < 0) {
		skip("all", "this kernel has no userfaultfd write protection");
		return;
	}
	uffd_register(uffd, mem, SLEEPERS);
	under_others();
	killed();
}
