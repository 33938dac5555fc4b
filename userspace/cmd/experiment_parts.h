/* SPDX-License-Identifier: GPL-2.0 */
/* What a run of experiments has shown, held against what the kernel must answer. */
#ifndef COWTRACE_EXPERIMENT_PARTS_H
#define COWTRACE_EXPERIMENT_PARTS_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"
#include "experiment.h"
#include "experiment_scan.h"
#include "reader.h"
#include "stage.h"

/* Of the JSON form: greater major when a reader of the old one would misread it. */
#define CT_EXP_VERSION	"1.3"

/*
 * What came of a step, and of an experiment: the worst of its steps.
 * X(id, name, sentence), from best to worst.
 */
#define CT_VERDICTS(X)							\
	X(EXPECTED, "expected", "each page as expected")		\
	X(ABSENT, "absent", "this kernel has no such thing, as expected") \
	X(UNSEEN, "unseen", "the backend does not see what decides")	\
	X(SKIPPED, "skipped", "this machine lacks what it needs")	\
	X(UNKNOWN, "unknown", \
	  "not as expected, but records were lost, or the kernel is none of the four") \
	X(DIFFERENT, "different", "not as expected")

#define CT_VERDICT_ENUM_(id, n, s)	CT_VERDICT_##id,
enum ct_verdict { CT_VERDICTS(CT_VERDICT_ENUM_) CT_NR_VERDICTS };

/* So many different sequences of one step are told apart. */
#define CT_OBSERVED	16

/**
 * struct ct_observed - pages that have seen the same
 * @scan: of a step of scans, what came of the scan; else empty.
 * @n: number of @fault; more than CT_EXP_FAULTS: only the first are there.
 * @fault: in the order in which they began.
 * @pages: how many pages.
 */
struct ct_observed {
	char			scan[CT_KHUGE_WORD + 24];
	unsigned int		n;
	struct ct_exp_fault	fault[CT_EXP_FAULTS];
	uint64_t		pages;
};

/*
 * What the scan of a range meant for memory, where the pages are those that the stage
 * counted by /proc/kpagecount. X(id, name, sentence)
 */
#define CT_CONSEQUENCES(X)						\
	X(NONE, "-", "it made no difference")				\
	X(WASTED, "wasted", \
	  "collapsed, where a precise count of shared pages would have refused") \
	X(SAVED, "saved", "refused, as a precise count of shared pages does") \
	X(MISSED, "missed", \
	  "refused as shared, where a precise count would have let it pass")

#define CT_CONSEQUENCE_ENUM_(id, n, s)	CT_CONSEQUENCE_##id,
enum ct_consequence { CT_CONSEQUENCES(CT_CONSEQUENCE_ENUM_) CT_NR_CONSEQUENCES };

extern const char * const ct_consequence_names[CT_NR_CONSEQUENCES];
extern const char * const ct_consequence_sentences[CT_NR_CONSEQUENCES];

/**
 * struct ct_scan_result - what came of a step of scans
 * @scan: of khugepaged; its @seq is 0 when there was none.
 * @shared: pages that others map too, by /proc/kpagecount.
 * @limit: of these.
 * @consequence: enum ct_consequence.
 * @copied_bytes: of WASTED and SAVED: copies of shared pages that a collapse makes.
 * @filled_bytes: likewise: memory where nothing was mapped.
 * @missed_bytes: of MISSED: what stays without a huge page.
 */
struct ct_scan_result {
	struct ct_khuge_scan	scan;
	unsigned int		shared, limit;
	enum ct_consequence	consequence;
	uint64_t		copied_bytes, filled_bytes, missed_bytes;
};

/**
 * struct ct_step_result - one step
 * @verdict: enum ct_verdict.
 * @pages: how many addresses were touched.
 * @unexpected: pages that saw what the kernel must not answer.
 * @faults: in all.
 * @ns: time of them.
 * @nr_observed: number of @observed.
 * @observed: the most frequent first; what is beyond CT_OBSERVED kinds is in the last.
 * @scan: of a step of scans.
 */
struct ct_step_result {
	enum ct_verdict		verdict;
	uint64_t		pages, unexpected, faults, ns;
	unsigned int		nr_observed;
	struct ct_observed	observed[CT_OBSERVED];
	struct ct_scan_result	scan;
};

/**
 * struct ct_exp_result - one experiment
 * @verdict: the worst of its steps.
 * @text: why it was skipped or has failed, or empty.
 * @step: by step.
 */
struct ct_exp_result {
	enum ct_verdict		verdict;
	const char		*text;
	struct ct_step_result	step[CT_EXP_STEPS];
};

/**
 * struct ct_exp_run - a run of experiments
 * @all: what was run.
 * @log: what the stage says.
 * @kernel: generation of the kernel.
 * @release: of the kernel.
 * @exact: it is of that very series; else the answers are those of the nearest.
 * @backend: how it was traced.
 * @lost: records that the trace lacks.
 * @trace: file in which it was kept, or NULL.
 * @result: by experiment.
 * @total: how many experiments came to each verdict.
 * @steps: likewise, of steps.
 */
struct ct_exp_run {
	const struct ct_experiments *all;
	const struct ct_stage_log *log;
	enum ct_exp_kernel	kernel;
	char			release[128];
	bool			exact;
	char			backend[32];
	uint64_t		lost;
	const char		*trace;
	struct ct_exp_result	*result;
	uint64_t		total[CT_NR_VERDICTS], steps[CT_NR_VERDICTS];
};

/**
 * ct_experiments_judge() - hold a trace against what was expected
 * @run: @all and @log are given, and in @lost what was lost before the trace; the
 *	rest is filled in; @result is to be freed.
 * @reader: the trace.
 * @err: what is wrong.
 * Return: 0 or -ENOMEM.
 */
int ct_experiments_judge(struct ct_exp_run *run, struct ct_reader *reader, struct ct_error *err);

/* Find the scans of the steps that are about one, in @run. Return: 0 or -ENOMEM. */
int ct_experiments_scans(struct ct_exp_run *run, struct ct_reader *reader);

/* Judge one of these. Return: enum ct_verdict, but for what was not reached. */
enum ct_verdict ct_experiments_judge_scan(const struct ct_exp_run *run,
					  const struct ct_exp_step *step,
					  const struct ct_stage_part *part,
					  struct ct_step_result *result);

/* "copy:mapped+reuse:exclusive" for what a page has seen. Returns @to. */
char *ct_observed_text(const struct ct_observed *o, char *to, size_t size);

const char *ct_verdict_name(enum ct_verdict verdict);

/* Which experiments there are, one line each, and as JSON with all answers. */
void ct_experiments_list(const struct ct_experiments *all);
void ct_experiments_list_json(const struct ct_experiments *all);

void ct_experiments_text(FILE *out, const struct ct_exp_run *run);
int ct_experiments_json(FILE *out, const struct ct_exp_run *run);

/**
 * ct_experiments_compare() - print runs on several kernels side by side
 * @out: where to.
 * @files: of experiment run --json.
 * @n: number of them.
 * @why: with the reason of each answer.
 * @json: as JSON.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_experiments_compare(FILE *out, char **files, size_t n, bool why, bool json,
			   struct ct_error *err);

#endif /* COWTRACE_EXPERIMENT_PARTS_H */
