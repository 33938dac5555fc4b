/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actors that disturb the others, through the module, the command and the kernel. They
 * stand aside while the module is exchanged: none of them has a file of it open between
 * two steps.
 */
#ifndef COWTEST_DISTURB_H
#define COWTEST_DISTURB_H

#include <stdbool.h>

#include "life.h"

#define DISTURBERS	5
extern const struct actor disturbers[DISTURBERS];

/**
 * struct disturbed - what the settings said, and what has gone
 * @accepted: times that a setting took a value.
 * @refused: times that it did not.
 * @odd: the first that was refused with an error that the manual does not name.
 * @resized: of @accepted, those of buffer_kb.
 * @cpus: times that a CPU went, and @blocks a block of memory; @kept: times that one did not.
 */
struct disturbed {
	unsigned long long	accepted, refused, resized, cpus, blocks, kept;
	char			odd[256];
};

/* In memory that all share. */
extern struct disturbed *disturbed;

/* Before the first life, while swap is on: finds what may come and go. */
void disturb_init(void);
/*
 * The swap disk on or off, where there is one; fails the suite. The swap cache keeps
 * pages of processes that are gone, and the nodes of its tree with them, until somebody
 * needs the memory or there is no swap any more.
 */
void disturb_swap(bool on);
/* May any block of this guest's memory go? */
bool disturb_memory(void);
/* All CPUs and all memory. */
void disturb_put_back(void);

#endif /* COWTEST_DISTURB_H */
