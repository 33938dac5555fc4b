// SPDX-License-Identifier: GPL-2.0
/*
 * The frequency of this host's time stamp counter, in kHz: TCG gives it to guests as it
 * is. Measured against CLOCK_MONOTONIC, by which QEMU's other timers go.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
	unsigned long long	tsc, ns;
};

/* Both at the same time: of many readings the one that took the least. */
static struct moment now(void)
{
	struct moment best = { 0 };
	unsigned long long least = -1ull;
	int i;

	for (i = 0; i < 1000; i++) {
		unsigned long long before = __rdtsc(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec wait = { .tv_nsec = 200000000 };
	struct moment from = now(), to;

	nanosleep(&wait, NULL);
	to = now();
	printf("%.0f\n", (to.tsc - from.tsc) * 1e6 / (to.ns - from.ns));
	return 0;
}
