/* SPDX-License-Identifier: GPL-2.0 */
/* memory: does the kernel's grow with what a suite does over and over? */
#ifndef COWTEST_MEMORY_H
#define COWTEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Most slab caches that are looked at: two files each, of the 1024 that a process may open. */
#define MEMORY_CACHES	480
/* In fewer rounds, half an object a round is less than what comes and goes. */
#define MEMORY_LEAST	10

/**
 * struct memory - what the kernel has allocated, least of several looks
 * @objects: of each slab cache.
 * @vmalloc_kb: by vmalloc, in KiB.
 * @percpu_kb: for each CPU, in KiB.
 * @ours: something in vmalloc's list is the module's.
 */
struct memory {
	long		objects[MEMORY_CACHES];
	long long	vmalloc_kb, percpu_kb;
	bool		ours;
};

/* Before the first measurement: which caches there are. */
void memory_begin(void);
/*
 * While all that the suite has started is at rest and no module is loaded. Takes 3 s at
 * least, and as long as things are still being freed.
 */
void memory_measure(struct memory *m);
/*
 * Claims leak-slab, leak-vmalloc and leak-percpu of @nr measurements, 2 at least: @rounds
 * or more were between each two of them.
 */
void memory_claims(const struct memory *m, size_t nr, int rounds);

#endif /* COWTEST_MEMORY_H */
