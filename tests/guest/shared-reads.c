// SPDX-License-Identifier: GPL-2.0
/*
 * A file that is read where it is, with no position, locks none: a read that waits for a
 * fault that may never come would let the next sleep where no signal reaches it. What
 * is read by nobody for too long is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

static void reads(void *arg)
{
	char text[1024];

	_exit(read(*(int *)arg, text, sizeof(text)) < 0);
}

static void killed_beside(const char *file)
{
	int fd = cow_open(file, O_RDONLY), status = 0, i;
	char name[32];
	pid_t first, second, gone = 0;

	need(fd >= 0, "opening %s: %s", file, strerror(-fd));
	first = child(reads, &fd);
	child_sleeps(first);
	second = child(reads, &fd);
	child_comes_to(second, "SDZ");
	kill(second, SIGKILL);
	/* Where it cannot be, it stays for as long as the first one waits. */
	for (i = 0; i < 6000 && !gone; i++) {
		gone = waitpid(second, &status, WNOHANG);
		sleep_ms(10);
	}
	snprintf(name, sizeof(name), "killed-%s", file);
	check(gone == second && WIFSIGNALED(status), name,
	      "of two that wait in one open file, the second can be killed",
	      "it %s", gone ? "came back" : "stays");
	child_kill(first);
	if (!gone)
		child_wait(second);
	close(fd);
}

/* More than the file has room for on a CPU: 256 KiB of records. */
#define MANY	4096

static void many(void *unused)
{
	(void)unused;
	fork_write_on(0, MANY);
}

static void read_late(void)
{
	static char text[1 << 16];
	void *nowhere = map_none();
	unsigned long long lines = 0;
	struct stats s;
	ssize_t n, bad, i;
	int fd;

	fd = events_of(many);
	bad = read(fd, nowhere, PAGE) < 0 ? -errno : 0;
	while ((n = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < n; i++)
			lines += text[i] == '\n';
	close(fd);
	stats_read(&s);
	check(bad == -EFAULT, "events-nowhere", "a read of events to a bad address is EFAULT",
	      "%zd", bad);
	check(s.events_dropped && lines + s.events_dropped == s.sum.recorded, "events-late",
	      "read too late, events lacks what stats says that it dropped, and no more",
	      "%llu lines + %llu, recorded %llu", lines, s.events_dropped, s.sum.recorded);
}

void shared_reads(void)
{
	/* Nobody is called that, and what others have left is gone. */
	need(!cow_write("filter/comm", "nobody"), "filter/comm does not take nobody");
	cow_write("reset", "1");
	enable();
	killed_beside("cpu1");
	killed_beside("events");
	disable();
	cow_write("filter/comm", "any");
	read_late();
}
