/* SPDX-License-Identifier: GPL-2.0 */
/*
 * clock: when a fault began and how long it took. The time stamp counter where the
 * kernel trusts it: two instructions, against some forty of the kernel's clock, which
 * is then read once a fault, at its end. Else the kernel's clock at both ends.
 */
#ifndef COW_CLOCK_H
#define COW_CLOCK_H

#include <asm/msr.h>
#include <asm/tsc.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>

/**
 * struct cow_clock - how ticks become ns
 * @mult: ns a tick, times 2^@shift; 1 where a tick is a ns.
 * @shift: see @mult; 0 where a tick is a ns.
 * @apart: most ticks between two readings that are of one moment.
 * @tsc: a tick is one of the time stamp counter.
 */
struct cow_clock {
	u32	mult;
	u32	shift;
	u32	apart;
	bool	tsc;
};

extern struct cow_clock cow_clock;

/* Choose the clock, by what the kernel holds of the counter now. Context: no handler runs. */
void cow_clock_init(void);

/* Now, in ticks. Of all CPUs alike, as far as the kernel knows. */
static __always_inline u64 cow_ticks(void)
{
	return likely(cow_clock.tsc) ? rdtsc_ordered() : ktime_get_mono_fast_ns();
}

/* An interrupt, or the host at work, may come between; it seldom comes again. */
#define COW_CLOCK_TRIES	4

/**
 * cow_elapsed_ns() - how long ago was that?
 * @began: cow_ticks() then.
 * @now: receives ktime_get_mono_fast_ns(), of the same moment.
 *
 * Return: ns, 0 for a counter that went backwards.
 */
static __always_inline u64 cow_elapsed_ns(u64 began, u64 *now)
{
	int tries = COW_CLOCK_TRIES;
	u64 before, after;
	s64 ticks;

	do {
		before = rdtsc();
		*now = ktime_get_mono_fast_ns();
		after = likely(cow_clock.tsc) ? rdtsc_ordered() : *now;
	} while (likely(cow_clock.tsc) && unlikely(after - before > cow_clock.apart) && --tries);
	ticks = after - began;
	return likely(ticks > 0) ? mul_u64_u32_shr(ticks, cow_clock.mult, cow_clock.shift) : 0;
}

#endif /* COW_CLOCK_H */
