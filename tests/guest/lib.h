/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests inside a guest share, and the suites. */
#ifndef COWTEST_LIB_H
#define COWTEST_LIB_H

#include "files.h"
#include "module.h"
#include "pages.h"
#include "process.h"
#include "records.h"
#include "report.h"
#include "stats.h"

struct suite {
	const char	*name;
	void		(*run)(void);
	const char	*sentence;
};

/* What the suite pattern traces. */
void pattern(void *unused);
/* "cowtest load forks". */
void forked_under_writes(void);
/* What the suite explain does. */
void explained(void);
/* What the suite stacks records. */
void stacks_load(void);
/* What the suite ksm records. */
void ksm_load(void);
void ksm_off_load(void);
/* Of the suite events: one open file that several processes read. */
void shared_reads(void);
/* What the suite tools has others record. */
void tools_load(void);
/* What the suite bpf records. */
void bpf_load(void);
void crosscheck_load(void);

/* What the suite security records. */
void security_load(void);

void run_pattern(void);
void run_accounting(void);
void run_reconcile(void);
void run_truth_anon(void);
void run_truth_swap(void);
void run_truth_file(void);
void run_truth_held(void);
void run_truth_holders(void);
void run_truth_outcome(void);
void run_truth_thp(void);
void run_truth_large(void);
void run_truth_hugetlb(void);
void run_truth_origin(void);
void run_policies(void);
void run_counts(void);
void run_events(void);
void run_input(void);
void run_mutated(void);
void run_start(void);
void run_tracepoint(void);
void run_stacks(void);
void run_asleep(void);
void run_stale(void);
void run_explain(void);
void run_redis(void);
void run_forks(void);
void run_ksm(void);
void run_group_files(void);
void run_duplicates(void);
void run_top(void);
void run_tools(void);
void run_bpf(void);
void run_crosscheck(void);
void run_race(void);
void run_contention(void);
void run_khugepaged(void);
void run_storm(void);
void run_survive(void);
void run_load(void);
void run_hotplug(void);
/* How much longer than another suite they may take. */
unsigned int race_seconds(void);
unsigned int storm_seconds(void);
unsigned int survive_seconds(void);
unsigned int load_seconds(void);
unsigned int hotplug_seconds(void);
unsigned int mutated_seconds(void);
unsigned int beside_seconds(void);
unsigned int unload_seconds(void);
unsigned int injection_seconds(void);
void run_unload(void);
void run_security(void);
void run_injection(void);
void run_beside_bpftrace(void);
void run_beside_graph(void);
void run_beside_kprobes(void);
void run_beside_fprobes(void);

#endif /* COWTEST_LIB_H */
