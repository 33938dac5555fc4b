// SPDX-License-Identifier: GPL-2.0
/* The time line: a fixed number of bins that hold all faults, in any order. */
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "tap.h"
#include "timeline.h"

#define FAULTS	5000

static struct ct_timeline timeline;

static void add(struct ct_timeline *t, uint64_t time, uint8_t outcome)
{
	struct cowtrace_record r = plain_record(1, time);

	r.outcome = outcome;
	ct_timeline_add(t, &r, outcome == COWTRACE_OUTCOME_COPY ? 4096 : 0, 1);
}

/* All bins together. */
static struct ct_count sum_of(struct ct_timeline *t)
{
	struct ct_count sum = { 0 };
	size_t i;

	for (i = 0; i < t->nr; i++)
		ct_count_merge(&sum, &ct_timeline_bin(t, i)->count);
	return sum;
}

/* Is each fault in the bin of its time, and is no bin beyond the first and the last? */
static bool placed(struct ct_timeline *t, const uint64_t *times, size_t nr)
{
	uint64_t counts[CT_TIMELINE_BINS] = { 0 };
	size_t i;

	for (i = 0; i < nr; i++) {
		uint64_t bin = (times[i] >> t->shift) - t->first;

		if (bin >= t->nr)
			return false;
		counts[bin]++;
	}
	for (i = 0; i < t->nr; i++)
		if (counts[i] != ct_timeline_bin(t, i)->count.faults)
			return false;
	return counts[0] && counts[t->nr - 1];
}

static void check_few(void)
{
	memset(&timeline, 0, sizeof(timeline));
	ok(!timeline.nr, "without a fault there is no bin");
	add(&timeline, 1000, COWTRACE_OUTCOME_COPY);
	ok(timeline.nr == 1 && !timeline.shift && ct_timeline_start(&timeline, 0) == 1000,
	   "the first fault is in a bin of 1 ns");
	add(&timeline, 1000 + CT_TIMELINE_BINS - 1, COWTRACE_OUTCOME_REUSE);
	ok(timeline.nr == CT_TIMELINE_BINS && !timeline.shift,
	   "as many ns as bins fit as they are");
	add(&timeline, 1000 + CT_TIMELINE_BINS, COWTRACE_OUTCOME_REUSE);
	ok(timeline.nr == CT_TIMELINE_BINS / 2 + 1 && timeline.shift == 1,
	   "one more makes each twice as wide");
	ok(ct_timeline_bin(&timeline, 0)->count.copies == 1 &&
	   ct_timeline_bin(&timeline, 0)->count.bytes == 4096 &&
	   ct_timeline_bin(&timeline, CT_TIMELINE_BINS / 2 - 1)->count.reuses == 1,
	   "with what stood in both");
	add(&timeline, 0, COWTRACE_OUTCOME_REUSE);
	ok(!timeline.first && timeline.shift == 3 && sum_of(&timeline).faults == 4,
	   "an earlier fault finds its place too");
	add(&timeline, UINT64_MAX, COWTRACE_OUTCOME_REUSE);
	ok(timeline.nr == CT_TIMELINE_BINS && timeline.shift == 56 &&
	   sum_of(&timeline).faults == 5, "from the first to the last moment of 64 bits");
}

static void check_any_order(void)
{
	static struct ct_timeline forward, backward, shuffled;
	struct random_state random = { 7 };
	static uint64_t times[FAULTS];
	struct ct_count sum;
	uint64_t lost = 0, time = 1ull << 40;
	size_t i;

	for (i = 0; i < FAULTS; i++) {
		time += below(&random, 1000000);
		times[i] = time;
	}
	for (i = 0; i < FAULTS; i++)
		add(&forward, times[i], COWTRACE_OUTCOME_COPY);
	for (i = FAULTS; i--;)
		add(&backward, times[i], COWTRACE_OUTCOME_COPY);
	/* 7 and the number of faults have no common divisor. */
	for (i = 0; i < FAULTS; i++)
		add(&shuffled, times[i * 7 % FAULTS], COWTRACE_OUTCOME_COPY);
	ok(placed(&forward, times, FAULTS), "each fault is in the bin of its time");
	ok(forward.nr > CT_TIMELINE_BINS / 2, "more than half of the bins are used");
	ok(placed(&backward, times, FAULTS),
	   "from the last to the first they are there too");
	ok(backward.shift == forward.shift && backward.first == forward.first &&
	   backward.nr == forward.nr, "and the bins are the same");
	ok(shuffled.shift == forward.shift && shuffled.first == forward.first &&
	   shuffled.nr == forward.nr && placed(&shuffled, times, FAULTS),
	   "as they are in any other order");
	sum = sum_of(&forward);
	for (i = 0; i < forward.nr; i++)
		lost += ct_timeline_bin(&forward, i)->lost;
	ok(sum.faults == FAULTS && sum.copies == FAULTS && sum.bytes == FAULTS * 4096ull &&
	   sum.ns == FAULTS * 500ull && lost == FAULTS, "the bins add up to all there is");
}

int main(void)
{
	check_few();
	check_any_order();
	return tap_end();
}
