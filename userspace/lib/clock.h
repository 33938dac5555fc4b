/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's clocks, in nanoseconds. */
#ifndef COWTRACE_CLOCK_H
#define COWTRACE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t ct_clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The clock of records. */
static inline uint64_t ct_now_ns(void)
{
	return ct_clock_ns(CLOCK_MONOTONIC);
}

#endif /* COWTRACE_CLOCK_H */
