/* SPDX-License-Identifier: GPL-2.0 */
/* Two writers, each on a CPU of its own, that begin at the same moment. */
#ifndef COWTEST_MEET_H
#define COWTEST_MEET_H

#include <stdint.h>

/**
 * struct writer - one of the two, where they meet; all zero at first but @random
 * @at: the round that it has come to.
 * @start: the round that it begins.
 * @call: the last question of the first, the last answer of the second.
 * @asleep: whether it waits for the other's @at to be changed.
 * @random: state of its skew.
 */
struct writer {
	unsigned int	at, start, call, asleep;
	uint64_t	random;
} __attribute__((aligned(128)));

/*
 * Wait until the other of @both has come to @round too, then come later than it by
 * up to a few loops. They may be threads, or processes that share this memory.
 */
void meet(struct writer *both, unsigned int me, unsigned int round);

#endif /* COWTEST_MEET_H */
