// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "add.h"
#include "count.h"
#include "count_parts.h"
#include "tables.h"
#include "vocabulary.h"

/* From 1 ns, 2 ns, 4 ns... to what the record's 32 bits hold. */
#define BUCKETS		32

/**
 * struct durations - one CPU's faults by outcome, reason and log2 of their ns
 *
 * A row is four cache lines, of which a kind of fault mostly writes one.
 */
struct durations {
	u64	faults[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS][BUCKETS];
} ____cacheline_aligned;

/* Of struct durations. */
static DEFINE_PER_CPU(struct cow_table, durations);

void cow_durations_add(const struct cowtrace_record *r)
{
	struct durations *d = this_cpu_read(durations.at);

	/* One bit scan; 0 ns counts as 1. */
	cow_add(d->faults[r->outcome][r->reason][__fls(r->duration_ns | 1)], 1);
}

int cow_durations_alloc(void)
{
	return cow_tables_alloc(&durations, sizeof(struct durations));
}

void cow_durations_free(void)
{
	cow_tables_free(&durations);
}

void cow_durations_clear(void)
{
	cow_tables_clear(&durations, sizeof(struct durations));
}

static u64 sum(unsigned int outcome, unsigned int reason, unsigned int bucket)
{
	u64 faults = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct durations *d = per_cpu(durations, cpu).at;

		faults += READ_ONCE(d->faults[outcome][reason][bucket]);
	}
	return faults;
}

void cow_durations_show(struct seq_file *m)
{
	unsigned int outcome, reason, bucket;

	for (outcome = 0; outcome < COWTRACE_NR_OUTCOMES; outcome++)
		for (reason = 0; reason < COWTRACE_NR_REASONS; reason++)
			for (bucket = 0; bucket < BUCKETS; bucket++) {
				u64 faults = sum(outcome, reason, bucket);

				if (faults)
					seq_printf(m, "duration %s %s %lu %llu\n",
						   cow_outcome_name(outcome),
						   cow_reason_name(reason), BIT(bucket), faults);
			}
}
