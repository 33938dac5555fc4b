// SPDX-License-Identifier: GPL-2.0
/*
 * ROUNDS (default 200) rounds of insmod and rmmod while eight tasks fault and
 * readers open, hold and close every file. With LIGHT=1, for many rounds, without
 * readers, off again at the first fault, with one task a CPU that pauses. Ends
 * with a search for leaks: after the first 20 rounds, objects of each slab cache,
 * vmalloc and per-CPU memory are taken, once more in the middle and at the end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injection.h"
#include "lib.h"
#include "memory.h"

#define TASKS	8
#define READERS	2
#define FIRST	20
#define PAGES	64
#define LIGHT_PAGES	8
/* Faults of a round, at least. */
#define SEEN	20
#define LIGHT_SEEN	1
/* A host may let a CPU of the guest wait for seconds; longer than this is the kernel's doing. */
#define HANG_NS	30000000000ull

/* Nothing but what makes a module come, trace and go. */
static bool light;

static struct control {
	/* Readers hold no file while this is set. */
	volatile bool		quiet;
	volatile unsigned int	held[READERS];
	volatile unsigned long	opened[READERS];
} *control;

static void fault(void *arg)
{
	char *mem = map_pages(PAGES);

	/* All CPU time that is left, but no more: what is tested has to make progress. */
	need(nice(19) == 19, "nice");
	on_cpu((uintptr_t)arg);
	for (;;) {
		touch(mem, light ? LIGHT_PAGES : PAGES);
		fork_write(mem, light ? LIGHT_PAGES : PAGES);
		/* Waits for a grace period cost the host nothing where the guest is idle. */
		if (light)
			sleep_ms(40);
	}
}

static char files[64][320];
static size_t nr_files;

static void list(const char *dir)
{
	char path[256];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), COW_DIR "/%s", dir);
	d = opendir(path);
	need(d, "%s: %s", path, strerror(errno));
	while ((e = readdir(d))) {
		if (e->d_type == DT_REG && nr_files < ARRAY_SIZE(files))
			snprintf(files[nr_files++], sizeof(files[0]), "%s/%s/%s", COW_DIR, dir,
				 e->d_name);
	}
	closedir(d);
}

/* Open a few files, read of some, hold them, close them; again and again. */
static void reader(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	static char buf[8192];
	int fds[4];
	size_t i;

	srand(me);
	for (;;) {
		control->held[me] = 0;
		while (control->quiet)
			sleep_ms(1);
		control->held[me] = 1;
		for (i = 0; i < ARRAY_SIZE(fds); i++) {
			fds[i] = open(files[rand() % nr_files], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
			if (fds[i] < 0)
				continue;
			control->opened[me]++;
			if (rand() % 2 && read(fds[i], buf, sizeof(buf)) < 0 && errno == EFAULT)
				_exit(1);
		}
		if (rand() % 4 == 0)
			sleep_ms(rand() % 20);
		for (i = 0; i < ARRAY_SIZE(fds); i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
}

static pid_t tasks[TASKS], readers[READERS];

static void start_all(void)
{
	uintptr_t i;

	for (i = 0; i < TASKS && (!light || i < cpus_online()); i++)
		tasks[i] = child(fault, (void *)i);
	for (i = 0; i < READERS && !light; i++)
		readers[i] = child(reader, (void *)i);
}

/* The faulting tasks have children of their own, which end by themselves. */
static void stop_all(void)
{
	int i;

	for (i = 0; i < TASKS && tasks[i]; i++)
		child_kill(tasks[i]);
	for (i = 0; i < READERS && !light; i++)
		child_kill(readers[i]);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	sleep_ms(300);
}

/* --- rounds ----------------------------------------------------------------- */

/* Static: the programs whose memory is looked at include this one. */
static struct memory memory[3];

static struct outcome {
	int		rounds, refused, held, accounted, faults;
	uint64_t	slowest;
	/* Where the time goes, in ns. */
	uint64_t	load, account, unload;
	char		wrong[256], broken[256];
} got;

static void wrong(int round, const char *what, const char *detail)
{
	if (!*got.wrong)
		snprintf(got.wrong, sizeof(got.wrong), "round %d: %s%s", round, what, detail);
}

static int rmmod(int round)
{
	uint64_t begin = now_ns();
	int err = module_unload(O_NONBLOCK);

	begin = now_ns() - begin;
	if (begin > got.slowest)
		got.slowest = begin;
	if (err && err != -EAGAIN)
		wrong(round, "rmmod: ", strerror(-err));
	if (begin > slowness() * HANG_NS)
		wrong(round, "rmmod took more than 30 s", "");
	return err;
}

/* A file that is held refuses rmmod; each file has its turn. */
static void while_held(int round)
{
	const char *file = files[round % nr_files];
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	/* A reader may have the only opening of it. */
	if (fd < 0)
		return;
	if (rmmod(round) != -EAGAIN)
		wrong(round, "rmmod did not fail with EAGAIN while this was held: ", file);
	got.held++;
	close(fd);
}

static void account(int round)
{
	struct stats s;

	enable();
	if (!light)
		sleep_ms(60 + round % 60);
	/* A host that is busy may have let nobody run meanwhile. */
	faults_seen(light ? LIGHT_SEEN : SEEN);
	disable();
	stats_read(&s);
	if (stats_broken(&s) && !*got.broken)
		snprintf(got.broken, sizeof(got.broken), "round %d: %s", round, stats_broken(&s));
	got.faults += s.sum.entries;
	got.accounted++;
}

static void one_round(int round)
{
	uint64_t deadline, begin = now_ns();
	int err;

	module_start(round % 2 ? 64 : 1024);
	got.load += now_ns() - begin;
	control->quiet = false;
	begin = now_ns();
	account(round);
	got.account += now_ns() - begin;
	begin = now_ns();
	/* Every other module goes while it traces; switching on is most of a light round. */
	if (light ? round % 8 == 0 : round % 2)
		enable();
	if (!light)
		while_held(round);
	if (rmmod(round) == 0)
		goto out;
	got.refused++;
	control->quiet = true;
	/* When all is closed it has to succeed. */
	deadline = now_ns() + slowness() * HANG_NS;
	while ((err = rmmod(round)) && now_ns() < deadline)
		sleep_ms(control->held[0] || control->held[1] ? 1 : 5);
	if (err)
		wrong(round, "rmmod still refused 30 s after all was closed", "");
out:
	control->quiet = true;
	if (module_loaded() || !access(COW_DIR, F_OK))
		wrong(round, "the module or its directory is still there", "");
	got.unload += now_ns() - begin;
	got.rounds++;
}

static void with_groups(void)
{
	static const char * const groups[] = { "ksm", "files", "khugepaged" };
	static struct visible before, after;
	const char *left = NULL;
	unsigned int i, on = 0;
	char path[64];

	visible_look(&before);
	for (i = 0; i < ARRAY_SIZE(groups) && !left; i++) {
		module_start(64);
		snprintf(path, sizeof(path), "groups/%s/enabled", groups[i]);
		on += !cow_write(path, "1");
		left = module_unload(O_NONBLOCK) ? "the module" : NULL;
		visible_look(&after);
		left = left ?: visible_differs(&after, &before);
	}
	check(on && !left, "groups",
	      "a group that is on goes with the module, and so do its probes",
	      "%u groups were on, left is %s", on, left);
}

static int rounds_asked(void)
{
	return asked("ROUNDS", 200);
}

unsigned int unload_seconds(void)
{
	return 30 * rounds_asked();
}

void run_unload(void)
{
	int rounds = rounds_asked(), round;
	int half = (rounds - FIRST) / 2, tenth = rounds / 10 ?: 1;

	light = asked("LIGHT", 0);
	need(half >= MEMORY_LEAST, "ROUNDS has to be %d at least", FIRST + 2 * MEMORY_LEAST);
	control = map_shared(sizeof(*control));
	module_start(64);
	list(".");
	list("filter");
	need(!module_unload(O_NONBLOCK), "rmmod");
	control->quiet = true;
	memory_begin();
	start_all();
	for (round = 1; round <= rounds && !*got.wrong; round++) {
		one_round(round);
		if (round == FIRST || round == FIRST + half) {
			stop_all();
			memory_measure(&memory[round == FIRST ? 0 : 1]);
			start_all();
		}
		/* A run of hours says how far it has come. */
		if (light && round % tenth == 0)
			note("%d rounds", round);
	}
	stop_all();
	memory_measure(&memory[2]);
	note("%d rounds, %d times refused because readers held files, %d by a held file, %d faults, %lu and %lu files opened, slowest rmmod %llu ms",
	     got.rounds, got.refused, got.held, got.faults, control->opened[0],
	     control->opened[1], (unsigned long long)got.slowest / 1000000);
	note("a round: insmod %llu ms, on and off %llu ms, rmmod %llu ms",
	     (unsigned long long)got.load / 1000000 / (got.rounds + !got.rounds),
	     (unsigned long long)got.account / 1000000 / (got.rounds + !got.rounds),
	     (unsigned long long)got.unload / 1000000 / (got.rounds + !got.rounds));
	check(!*got.wrong && got.rounds == rounds, "rounds",
	      "each rmmod works, or is refused while a file is held and then works, without a hang",
	      "%s", got.wrong);
	check(!*got.broken && got.accounted == rounds &&
	      got.faults >= (light ? LIGHT_SEEN : SEEN) * rounds,
	      "accounting", "accounting is exact in each round", "%s; %d rounds, %d faults",
	      got.broken, got.accounted, got.faults);
	if (light)
		skip("held", "with LIGHT=1 nobody holds a file");
	else
		check(got.held > rounds / 2 && got.refused > 0, "held",
		      "held files were really in the way", "%d and %d times", got.held, got.refused);
	if (got.rounds == rounds)
		memory_claims(memory, ARRAY_SIZE(memory), half);
	with_groups();
}
