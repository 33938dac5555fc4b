// SPDX-License-Identifier: GPL-2.0
#include "timeline.h"

/* Two bins become one. */
static void widen(struct ct_timeline *t)
{
	struct ct_timeline wide = { .shift = t->shift + 1, .first = t->first / 2 };
	size_t i;

	for (i = 0; i < t->nr; i++) {
		struct ct_timeline_bin *from = ct_timeline_bin(t, i);
		struct ct_timeline_bin *to = &wide.bins[(t->first + i) / 2 % CT_TIMELINE_BINS];

		ct_count_merge(&to->count, &from->count);
		to->lost = ct_add(to->lost, from->lost);
		wide.nr = (t->first + i) / 2 - wide.first + 1;
	}
	*t = wide;
}

/* The bin of a time, which becomes one of those from first to last. */
static struct ct_timeline_bin *reach(struct ct_timeline *t, uint64_t time)
{
	uint64_t number = time >> t->shift, last;

	if (!t->nr) {
		t->first = number;
		t->nr = 1;
	}
	for (;;) {
		number = time >> t->shift;
		last = t->first + t->nr - 1;
		if (number >= t->first ? number - t->first < CT_TIMELINE_BINS :
					 last - number < CT_TIMELINE_BINS)
			break;
		widen(t);
	}
	if (number < t->first) {
		t->nr = last - number + 1;
		t->first = number;
	} else if (number > last) {
		t->nr = number - t->first + 1;
	}
	return &t->bins[number % CT_TIMELINE_BINS];
}

void ct_timeline_add(struct ct_timeline *t, const struct cowtrace_record *r, uint64_t bytes,
		     uint64_t lost)
{
	struct ct_timeline_bin *bin = reach(t, r->time_ns);

	ct_count_add(&bin->count, r, bytes);
	bin->lost = ct_add(bin->lost, lost);
}
