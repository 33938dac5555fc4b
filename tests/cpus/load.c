// SPDX-License-Identifier: GPL-2.0
/*
 * In the guest: copies and reuses on each CPU at the same time.
 *
 *   load PAGES <WHERE
 *
 * Tells the plugin what WHERE names (told.h), prints where that is, and for each run of
 * the load how many faults the module counted:
 *
 *   run NAME CPUS FAULTS
 *
 * Run 1 records without a reader. Run 2 counts all that can be counted. Both have
 * faults of single pages alone. Run 3, on more than one CPU, records with a reader
 * for each CPU, which runs on another one, all witnesses, and huge pages that are
 * split.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tell.h"
#include "told.h"

#define PAGE		4096ul
#define HUGE		(2ul << 20)
#define HUGE_PAGES	4
#define ROUNDS		2
#define DEBUGFS		"/sys/kernel/debug/cowtrace/"

static int nr_cpus;

/* One byte a process, either way. */
static int ready[2], go[2];

static void arrive(void)
{
	if (write(ready[1], "", 1) != 1)
		err(1, "pipe");
}

static void await(int fd, int n)
{
	char byte;

	while (n--)
		if (read(fd, &byte, 1) != 1)
			err(1, "pipe");
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
}

/* A process that stays on @cpu, and goes when this one does. */
static pid_t fork_on(int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		on_cpu(cpu);
	return pid;
}

static char *map(size_t size, int advice)
{
	char *at = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		err(1, "mmap");
	at = (char *)(((unsigned long)at + HUGE - 1) & ~(HUGE - 1));
	if (madvise(at, size, advice))
		err(1, "madvise");
	return at;
}

static void write_each(char *at, size_t size, size_t step)
{
	size_t i;

	for (i = 0; i < size; i += step)
		at[i] = 1;
}

/*
 * A child copies each page, then its parent reuses it, on one CPU. The children live
 * on, so that no stack or page that one CPU wrote becomes another's.
 */
static void load_of(size_t size, size_t huge_size)
{
	char *small = map(size, MADV_NOHUGEPAGE), *huge = map(HUGE_PAGES * HUGE, MADV_HUGEPAGE);
	int done[2], round;

	write_each(small, size, PAGE);
	write_each(huge, huge_size, HUGE);
	if (pipe(done))
		err(1, "pipe");
	arrive();
	await(go[0], 1);
	for (round = 0; round < ROUNDS; round++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		write_each(small, pid ? 0 : size, PAGE);
		write_each(huge, pid ? 0 : huge_size, HUGE);
		if (!pid) {
			if (write(done[1], "", 1) != 1)
				err(1, "pipe");
			pause();
		}
		await(done[0], 1);
		write_each(small, size, PAGE);
		write_each(huge, huge_size, HUGE);
	}
	arrive();
	pause();
}

static void read_cpu(int cpu)
{
	static char buffer[1 << 16];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "cpu%d", cpu);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		err(1, "%s", path);
	arrive();
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	pause();
}

static unsigned long faults(void)
{
	unsigned long n;
	char line[4096];
	FILE *f = fopen(DEBUGFS "stats", "r");

	if (!f)
		err(1, DEBUGFS "stats");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "entries %lu", &n) == 1) {
			fclose(f);
			return n;
		}
	errx(1, "stats has no entries");
}

static void set(const char *setting, const char *value)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), DEBUGFS "%s", setting);
	f = fopen(path, "w");
	if (!f || fputs(value, f) < 0 || fclose(f))
		err(1, "%s > %s", value, path);
}

/* Start: the plugin's; before: the module's. Both count the few faults of this process. */
static void measure(unsigned int name, size_t size, size_t huge_size, bool readers)
{
	unsigned long before;
	int cpu;

	set("enabled", "1");
	told_tell(nr_cpus);
	if (pipe(ready) || pipe(go))
		err(1, "pipe");
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (readers && !fork_on((cpu + 1) % nr_cpus))
			read_cpu(cpu);
		if (!fork_on(cpu))
			load_of(size, huge_size);
	}
	await(ready[0], nr_cpus * (readers ? 2 : 1));
	before = faults();
	TELL(TELL_START, name);
	for (cpu = 0; cpu < nr_cpus; cpu++)
		if (write(go[1], "", 1) != 1)
			err(1, "pipe");
	await(ready[0], nr_cpus);
	TELL(TELL_STOP, name);
	printf("run %u %d %lu\n", name, nr_cpus, faults() - before);
	fflush(stdout);
	set("enabled", "0");
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 0) * PAGE : 0;

	if (!size)
		errx(2, "usage: load PAGES <WHERE");
	/* What is ended at the end. */
	setpgid(0, 0);
	nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	on_cpu(0);
	told_read(stdin);
	measure(1, size, 0, false);
	set("mode", "counts");
	set("policies", "1");
	measure(2, size, 0, false);
	set("mode", "records");
	set("policies", "0");
	set("witness", "on");
	if (nr_cpus > 1)
		measure(3, size, HUGE_PAGES * HUGE, true);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return 0;
}
