/* SPDX-License-Identifier: GPL-2.0 */
/* counters: where each fault went, per CPU, so that none is lost unaccounted. */
#ifndef COW_COUNTERS_H
#define COW_COUNTERS_H

#include <cowtrace/counters.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>
#include <linux/cache.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "sample.h"
#include "witness.h"

/**
 * struct cow_tally - faults of one outcome and reason
 * @count: how many.
 * @bytes: copied by them.
 * @ns: sum of their durations.
 */
struct cow_tally {
	u64	count;
	u64	bytes;
	u64	ns;
} __aligned(32);	/* none lies across two cache lines */

#define COW_COUNTER_FIELD_(name, sentence)	u64	name;
/**
 * struct cow_counters - one CPU's counters, whole cache lines written by that CPU alone
 * @visit: the fault that began here last (witness.h).
 * @busy: this CPU is inside one of our handlers.
 * @random: state of the generator that decides which faults are sampled.
 * @alike: what its handlers saw last (sample.h).
 * @tally: by outcome and reason, after the filters, dropped records included.
 * @scratch: a record that does not go to the ring, or not as it is.
 */
struct cow_counters {
	struct cow_visit	visit;
	bool			busy;
	u64			random;

	COWTRACE_COUNTERS(COW_COUNTER_FIELD_)
	struct cow_alike	alike;
	struct cow_tally	tally[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
	struct cowtrace_record	scratch;
} ____cacheline_aligned;

/* Allocated: what a module may have of static per-CPU memory is 8 KiB. */
extern struct cow_counters __percpu *cow_counters;

/* Return: 0 or -ENOMEM. */
int __init cow_counters_init(void);
void cow_counters_exit(void);

/* Add one to a counter of this CPU. Context: preemption off. */
#define cow_count(name)	__this_cpu_inc(cow_counters->name)

/* Sum of a counter over all CPUs, by its offset; exact when no fault runs. */
u64 cow_counter_sum(size_t offset);
#define cow_sum(name)	cow_counter_sum(offsetof(struct cow_counters, name))

/* Exits that will never come, because their probe was detached meanwhile. */
u64 cow_skipped_exits(void);

/* Move what is still asleep to the skipped exits. Context: no handler runs. */
void cow_skip_asleep(void);

/* Tasks that are inside do_wp_page() now. */
u64 cow_asleep(void);

/* Set all counters to zero. Context: no handler runs. */
void cow_counters_reset(void);

#endif /* COW_COUNTERS_H */
