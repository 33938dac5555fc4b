/* SPDX-License-Identifier: GPL-2.0 */
/* Time, processes, and whose turn it is. */
#ifndef COWTEST_PROCESS_H
#define COWTEST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the environment says of @name, a number. */
int asked(const char *name, int otherwise);
/* The same of a seed, which @name = NUMBER in the environment repeats: random without it. */
uint64_t asked_seed(const char *name);
/* The next of a row of random numbers that begins with any @state. */
uint64_t next_random(uint64_t *state);
uint64_t now_ns(void);
void sleep_ms(unsigned int ms);
/* How many times slower than Debian's kernels this one may be. */
int slowness(void);

/* --- processes --------------------------------------------------------- */

unsigned int cpus_online(void);
/* Those too that can be plugged in. */
unsigned int cpus_there(void);
/* Return: 0 or a negative errno. */
int cpu_plug(unsigned int cpu, bool on);
void on_cpu(unsigned int cpu);
/* Fork a child that runs @fn and exits; fails the suite when it cannot. */
pid_t child(void (*fn)(void *), void *arg);
/* 0 when it exited with 0, else its status. */
int child_wait(pid_t pid);
void child_kill(pid_t pid);
/* What a command prints, cut at @size; fails the suite when that ends otherwise than with 0. */
void output_of(const char *command, char *text, size_t size);
/* Wait until the kernel shows a child in one of these states, as ps does. */
void child_comes_to(pid_t pid, const char *states);
/* Wait until a child sleeps in the kernel, or has ended. */
void child_sleeps(pid_t pid);
/*
 * A child that waits: released by child_go(), so that its pid can be made a
 * filter before it does anything.
 */
struct held_child {
	pid_t	pid;
	int	go;
};

struct held_child child_held(void (*fn)(void *), void *arg);
void child_go(struct held_child *c);
/* End one that was not released. */
void child_drop(struct held_child *c);
/* Give a line from one process to another, both ways. */
struct turn {
	int fds[2];
};

void turn_init(struct turn *t);
void turn_give(struct turn *t);
void turn_wait(struct turn *t);

/* A child that maps what this process maps, and sleeps until partner_end(). */
struct partner {
	struct turn	end;
	pid_t		pid;
};

struct partner partner_start(void);
void partner_end(struct partner *p);
/*
 * Write-protect the process's pages without changing who owns them: fork, and
 * let the child go. No page is marked as its owner's alone after that.
 */
void fork_and_forget(void);

/* Fork, let the child write @pages shared pages, then write them alone. */
void fork_write(char *mem, size_t pages);
/* The same of new memory on one CPU: at least two faults a page. Returns that memory. */
char *fork_write_on(unsigned int cpu, size_t pages);

#endif /* COWTEST_PROCESS_H */
