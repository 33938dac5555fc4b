/* SPDX-License-Identifier: GPL-2.0 */
/* What the module has counted. */
#ifndef COWTEST_STATS_H
#define COWTEST_STATS_H

#include <cowtrace/vocab.h>

#define MAX_CPUS	8

/* A sample may be off by so many: one in 10^9 is further off, with 4 it is one in 16000. */
#define STANDARD_ERRORS	6

struct counters {
	unsigned long long proofs, entries, filtered_entry, sampled_out, nested, handed_on;
	unsigned long long pmd_entries, hugetlb_entries, unread;
	unsigned long long exits, recorded, counted, filtered_exit, dropped_full;
};

struct stats {
	struct counters		sum;
	struct counters		cpu[MAX_CPUS];
	unsigned int		cpus;
	unsigned long long	skipped_exits, asleep, events_dropped;
	unsigned long long	faults[COWTRACE_NR_OUTCOMES][COWTRACE_NR_REASONS];
	unsigned long long	tally;
};

void stats_read(struct stats *s);
/*
 * Like stats_read(), while tracing is on: wait until nobody faults. Identities hold at
 * rest, and the guest's own processes fault whenever they like.
 */
void stats_read_at_rest(struct stats *s);
/* Wait until @faults have been counted since the counters were zero. */
void faults_seen(unsigned long long faults);
/* Which accounting identity does not hold, NULL when all do. */
const char *stats_broken(const struct stats *s);
/* Faults of an outcome, whatever the reason. */
unsigned long long stats_outcome(const struct stats *s, unsigned int outcome);
/* The sum of what the kernel did not show to the probes. */
unsigned long long missed(void);
const char *outcome_name(unsigned int outcome);
const char *reason_name(unsigned int reason);

#endif /* COWTEST_STATS_H */
