// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/clocksource.h>

#include "clock.h"

/* A fault of that many seconds is still told exactly. */
#define LONGEST_S	600
/* To read the kernel's clock takes a tenth of a microsecond, emulated one. */
#define APART_US	10

struct cow_clock cow_clock __read_mostly = { .mult = 1 };

void cow_clock_init(void)
{
	cow_clock = (struct cow_clock) { .mult = 1 };
	if (check_tsc_unstable() || !tsc_khz)
		return;
	clocks_calc_mult_shift(&cow_clock.mult, &cow_clock.shift, tsc_khz, NSEC_PER_MSEC,
			       LONGEST_S * MSEC_PER_SEC);
	cow_clock.apart = tsc_khz * APART_US / USEC_PER_MSEC;
	cow_clock.tsc = true;
}
