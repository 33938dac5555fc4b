// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that sleep in do_wp_page(), held by userfaultfd write protection,
 * while tracing is switched off and the module goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"

/* As many as there are numbers of function graph users, which go round. */
#define SLEEPERS	16

static char *mem;
static int uffd = -1;

static bool protect(bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)mem, SLEEPERS * PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return !ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
}

static bool setup(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg;

	mem = map_pages(SLEEPERS);
	touch(mem, SLEEPERS);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		return false;
	reg = (struct uffdio_register) {
		.range = { (uintptr_t)mem, SLEEPERS * PAGE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	return !ioctl(uffd, UFFDIO_REGISTER, &reg);
}

/* Threads, because a fork does not inherit the registration. */

static void *sleeper(void *page)
{
	poke(page, 7);
	return NULL;
}

static pthread_t threads[SLEEPERS];

static void fall_asleep(void)
{
	struct uffd_msg msg;
	int i;

	need(protect(true), "write protection: %s", strerror(errno));
	for (i = 0; i < SLEEPERS; i++)
		need(!pthread_create(&threads[i], NULL, sleeper, mem + i * PAGE), "threads");
	/* Each of them sends a message when it goes to sleep. */
	for (i = 0; i < SLEEPERS; i++)
		need(read(uffd, &msg, sizeof(msg)) == sizeof(msg), "userfaultfd: %s",
		     strerror(errno));
}

/* Only one of them. */
static void wake_one(int i)
{
	struct uffdio_writeprotect wp = { .range = { (uintptr_t)mem + i * PAGE, PAGE } };

	need(!ioctl(uffd, UFFDIO_WRITEPROTECT, &wp), "no write protection: %s", strerror(errno));
	pthread_join(threads[i], NULL);
}

static void wake_up(void)
{
	int i;

	need(protect(false), "no write protection: %s", strerror(errno));
	for (i = 0; i < SLEEPERS; i++)
		pthread_join(threads[i], NULL);
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

	if (!setup()) {
		skip("all", "this kernel has no userfaultfd write protection");
		return;
	}

	/* Asleep and awake again while tracing is on. */
	module_start(256);
	enable();
	fall_asleep();
	stats_read(&s);
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
