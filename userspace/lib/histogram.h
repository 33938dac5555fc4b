/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A histogram of durations: eight buckets for each power of two, so that a
 * percentile is at most 12.5 % too high, in a fixed size.
 */
#ifndef COWTRACE_HISTOGRAM_H
#define COWTRACE_HISTOGRAM_H

#include <stdint.h>

#define CT_HISTOGRAM_BUCKETS	(8 * 32)

struct ct_histogram {
	uint64_t	count;
	uint64_t	sum;
	uint32_t	max;
	uint64_t	bucket[CT_HISTOGRAM_BUCKETS];
};

static inline unsigned int ct_histogram_bucket(uint32_t ns)
{
	unsigned int power;

	if (ns < 8)
		return ns;
	power = 31 - __builtin_clz(ns);
	return (power - 2) * 8 + (ns >> (power - 3) & 7);
}

/* The greatest value of a bucket. */
static inline uint32_t ct_histogram_limit(unsigned int bucket)
{
	unsigned int power = bucket / 8 + 2;

	if (bucket < 8)
		return bucket;
	return (uint32_t)(((8ull + bucket % 8 + 1) << (power - 3)) - 1);
}

static inline void ct_histogram_add(struct ct_histogram *h, uint32_t ns)
{
	h->count++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
	h->bucket[ct_histogram_bucket(ns)]++;
}

/**
 * ct_histogram_percentile() - the duration that @percent of all stay within
 * Return: ns, 0 for an empty histogram.
 */
static inline uint32_t ct_histogram_percentile(const struct ct_histogram *h, double percent)
{
	uint64_t rank = h->count * percent / 100;
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < CT_HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen > rank || (seen && seen == h->count))
			return ct_histogram_limit(i) < h->max ? ct_histogram_limit(i) : h->max;
	}
	return h->max;
}

#endif /* COWTRACE_HISTOGRAM_H */
