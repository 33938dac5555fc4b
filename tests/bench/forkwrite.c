// SPDX-License-Identifier: GPL-2.0
/*
 * The loop whose faults are priced: fork, and one of the two writes 4096 pages.
 *
 *   forkwrite copy|reuse|none ROUNDS DRAIN_MS
 *
 * copy: the child writes what it shares with its parent. reuse: the child has gone,
 * the parent writes. none: nobody writes. Each round prints two numbers of
 * nanoseconds, which under --icount are instructions: until the last page was
 * written, and until DRAIN_MS later without the time that the CPU was idle. So the
 * second has all that the faults caused, on whosever behalf: a reader that runs in
 * between, one that wakes up afterwards, the interrupts.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096
#define PAGES	4096
/* Rounds before the first that counts: page tables and per-CPU lists fill up. */
#define WARM_UP	2
/* Of the module idle, see floor/. */
#define IDLE	"/sys/module/idle/parameters/ns"

struct cost {
	uint64_t	written;
	uint64_t	busy;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* Of the only CPU, in nanoseconds; /proc/stat counts hundredths of a second. */
static uint64_t idle(void)
{
	char text[32] = "";
	int fd = open(IDLE, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		err(1, IDLE);
	close(fd);
	return strtoull(text, NULL, 10);
}

static struct cost measure(char *mem, bool write, long drain_ms)
{
	struct timespec drain = { drain_ms / 1000, drain_ms % 1000 * 1000000 };
	uint64_t slept = idle(), start = now(), written, end;

	for (size_t i = 0; write && i < PAGES; i++)
		*(volatile char *)(mem + i * PAGE) = 1;
	written = now();
	if (drain_ms)
		nanosleep(&drain, NULL);
	end = now();
	return (struct cost) { written - start, end - start - (idle() - slept) };
}

static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the child ended with %#x", status);
}

static struct cost in_child(char *mem, struct cost *shared, long drain_ms)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		/* What it touches beside the pages is copied now. */
		measure(mem, false, 0);
		*shared = measure(mem, true, drain_ms);
		_exit(0);
	}
	wait_for(pid);
	return *shared;
}

static struct cost in_parent(char *mem, bool write, long drain_ms)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		_exit(0);
	wait_for(pid);
	measure(mem, false, 0);
	return measure(mem, write, drain_ms);
}

static void *map(size_t size, int how)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		err(1, "mmap");
	return mem;
}

int main(int argc, char **argv)
{
	struct cost *shared = map(sizeof(*shared), MAP_SHARED), cost;
	char *mem = map(PAGES * PAGE, MAP_PRIVATE);
	long rounds, drain_ms;

	if (argc != 4)
		errx(2, "usage: forkwrite copy|reuse|none ROUNDS DRAIN_MS");
	rounds = atol(argv[2]);
	drain_ms = atol(argv[3]);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	memset(mem, 1, PAGES * PAGE);
	for (long i = 0; i < rounds + WARM_UP; i++) {
		if (!strcmp(argv[1], "copy"))
			cost = in_child(mem, shared, drain_ms);
		else
			cost = in_parent(mem, !strcmp(argv[1], "reuse"), drain_ms);
		if (i >= WARM_UP)
			printf("%s %llu %llu\n", argv[1], (unsigned long long)cost.written,
			       (unsigned long long)cost.busy);
	}
	return 0;
}
