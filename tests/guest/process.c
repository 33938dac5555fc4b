// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "pages.h"
#include "process.h"
#include "report.h"

int asked(const char *name, int otherwise)
{
	const char *value = getenv(name);

	return value ? atoi(value) : otherwise;
}

uint64_t asked_seed(const char *name)
{
	const char *value = getenv(name);
	uint64_t seed;

	if (value)
		return strtoull(value, NULL, 0);
	need(getrandom(&seed, sizeof(seed), 0) == sizeof(seed), "no random seed");
	return seed;
}

uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

int slowness(void)
{
	const char *text = getenv("SLOW");

	return text ? atoi(text) : 1;
}

unsigned int cpus_online(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

unsigned int cpus_there(void)
{
	return sysconf(_SC_NPROCESSORS_CONF);
}

int cpu_plug(unsigned int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return file_write(path, on ? "1" : "0");
}

void on_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % cpus_online(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

pid_t child(void (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	need(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		fn(arg);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

void child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	child_wait(pid);
}

void output_of(const char *command, char *text, size_t size)
{
	FILE *pipe = popen(command, "r");
	size_t n;
	int status;

	need(pipe, "no pipe");
	n = fread(text, 1, size - 1, pipe);
	text[n] = '\0';
	status = pclose(pipe);
	need(!status, "%s ended with %#x", command, status);
}

void child_comes_to(pid_t pid, const char *states)
{
	char path[64], line[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (;;) {
		need(file_read(path, line, sizeof(line)) > 0, "no %s", path);
		/* Behind the name, which may hold anything. */
		state = strrchr(line, ')');
		if (state && strchr(states, state[2]))
			return;
		sleep_ms(1);
	}
}

void child_sleeps(pid_t pid)
{
	child_comes_to(pid, "SZ");
}

struct held_child child_held(void (*fn)(void *), void *arg)
{
	struct held_child c;
	int fds[2];
	char byte;

	need(!pipe2(fds, O_CLOEXEC), "pipe: %s", strerror(errno));
	fflush(stdout);
	c.pid = fork();
	need(c.pid >= 0, "fork: %s", strerror(errno));
	if (!c.pid) {
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			_exit(1);
		close(fds[0]);
		fn(arg);
		fflush(stdout);
		_exit(0);
	}
	close(fds[0]);
	c.go = fds[1];
	return c;
}

void child_go(struct held_child *c)
{
	need(write(c->go, "", 1) == 1, "the child is gone");
	close(c->go);
}

void child_drop(struct held_child *c)
{
	child_kill(c->pid);
	close(c->go);
}

void turn_init(struct turn *t)
{
	need(!pipe2(t->fds, O_CLOEXEC), "pipe: %s", strerror(errno));
}

void turn_give(struct turn *t)
{
	if (write(t->fds[1], "", 1) != 1)
		_exit(1);
}

void turn_wait(struct turn *t)
{
	char byte;

	if (read(t->fds[0], &byte, 1) != 1)
		_exit(1);
}

static void sleeper(void *turn)
{
	turn_wait(turn);
}

struct partner partner_start(void)
{
	struct partner p;

	turn_init(&p.end);
	p.pid = child(sleeper, &p.end);
	/* What it does before that is not to be counted. */
	child_sleeps(p.pid);
	return p;
}

void partner_end(struct partner *p)
{
	turn_give(&p->end);
	need(!child_wait(p->pid), "a child that slept has failed");
}

static void nothing(void *unused)
{
	(void)unused;
}

void fork_and_forget(void)
{
	need(!child_wait(child(nothing, NULL)), "a child that does nothing has failed");
}

struct memory {
	char	*mem;
	size_t	pages;
};

static void write_all(void *arg)
{
	struct memory *m = arg;

	touch(m->mem, m->pages);
}

void fork_write(char *mem, size_t pages)
{
	struct memory m = { mem, pages };

	if (child_wait(child(write_all, &m)))
		_exit(1);
	touch(mem, pages);
}

char *fork_write_on(unsigned int cpu, size_t pages)
{
	char *mem = map_pages(pages);

	on_cpu(cpu);
	touch(mem, pages);
	fork_write(mem, pages);
	return mem;
}
