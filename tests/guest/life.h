/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An actor is a process that takes one small step after another until it is told
 * that the time is over. What it does is decided by its own random numbers, so that
 * an actor does the same whatever the others do; how they meet is up to the scheduler.
 */
#ifndef COWTEST_LIFE_H
#define COWTEST_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib.h"

/**
 * struct life - an actor's own
 * @random: state of its random numbers.
 * @mem: its memory, @pages pages.
 * @other: a second mapping: a file's, or NULL.
 * @pages: of @mem.
 * @depth: 0 for the actor, 1 for its children, and so on.
 */
struct life {
	uint64_t	random;
	char		*mem, *other;
	unsigned int	pages, depth;
};

/**
 * struct actor - what a life is made of
 * @name: of its process, at most 15 bytes.
 * @step: ends the process with a status where what never fails has failed.
 * @prepare: before the first step; NULL for nothing. May map other memory.
 * @pages: of memory.
 */
struct actor {
	const char	*name;
	void		(*step)(struct life *l);
	void		(*prepare)(struct life *l);
	unsigned int	pages;
};

/* By fork, writes, swap, KSM, files and protections: each record of them can be checked. */
#define GENTLE_ACTORS	10
extern const struct actor gentle_actors[GENTLE_ACTORS];
/* By all else that changes memory: huge pages, moves, userfaultfd, ptrace, exec, OOM kills. */
#define ROUGH_ACTORS	7
extern const struct actor rough_actors[ROUGH_ACTORS];

/* Take steps while @goes_on() says so, and count them in @steps, which others may read. */
void life_live(const struct actor *a, uint64_t seed, bool (*goes_on)(void),
	       unsigned long long *steps);

/* The next random number, less than @n. */
unsigned int life_below(struct life *l, unsigned int n);
/* Write some pages in a row, @percent of them. */
void life_write(struct life *l, unsigned int percent);
void life_read(struct life *l);
/* A process that does a part of the step in its copy of the life. */
pid_t life_fork(struct life *l, void (*fn)(struct life *l));
/* Wait for it, if there is one; it must have ended well. */
void life_reap(pid_t pid);

/* What a thread runs that writes all of a life's memory. */
void *life_touch(void *life);

/* Have ksmd merge as fast as it can, or end that. */
void life_ksm(bool on);
/* STORM_SECONDS of the environment. */
unsigned int life_seconds(void);

#endif /* COWTEST_LIFE_H */
