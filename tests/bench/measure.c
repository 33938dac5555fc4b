// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command on one CPU and says what it took: records a second of processor
 * time and of the clock, and how much memory it had at most.
 *
 * usage: measure RECORDS NAME CMD...
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

/* The last of the CPUs that are allowed: the first one serves most interrupts. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (cpu = CPU_SETSIZE - 1; cpu && !CPU_ISSET(cpu, &set); cpu--)
		;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	uint64_t begin = ct_now_ns();
	double records, wall, busy;
	struct rusage usage;
	int status;
	pid_t pid;

	records = argc > 3 ? strtod(argv[1], NULL) : 0;
	if (records <= 0) {
		fprintf(stderr, "usage: measure RECORDS NAME CMD...\n");
		return 2;
	}
	pid = fork();
	if (!pid) {
		stay_on_one_cpu();
		execvp(argv[3], argv + 3);
		fprintf(stderr, "measure: cannot run %s: %s\n", argv[3], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		fprintf(stderr, "measure: %s\n", strerror(errno));
		return 1;
	}
	wall = (ct_now_ns() - begin) / 1e9;
	busy = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	fprintf(stderr, "%-16s %6.2f million records a second of processor time (%.2f s), ",
		argv[2], records / busy / 1e6, busy);
	fprintf(stderr, "%.2f by the clock, %.1f MiB at the peak\n", records / wall / 1e6,
		usage.ru_maxrss / 1024.0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
