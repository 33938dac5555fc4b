/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Are the policies right? The same experiments have run on several kernels. For each
 * fault of one kernel, the policy of another is asked what it would have done, and
 * what that other kernel did at the same place is the answer.
 *
 * A place is experiment, step, page, and the how-manieth fault of the page in the
 * step. What makes the comparison fair:
 *
 * - A page has a past. Once one kernel has copied it where the other has not (kept
 *   it, or took no fault), they no longer talk about the same page: what follows in
 *   that experiment, for all pages of its folio, is "diverged".
 * - A fault that one of the two did not take is an outcome of its own, in both
 *   directions, and never a hit.
 * - A wrong prediction is excused as "other state" only where the two samples differ
 *   in what was found before the decision, the sample of the one with these values of
 *   the other is not predicted wrong, and the sample of the other itself is predicted
 *   right. Where the samples agree, or a difference does not explain the answer, it is
 *   wrong.
 * - Experiments in which two processes write at once are left out: which of them comes
 *   first is up to the machine.
 *
 * Counted are classes, not faults: what has experiment, step, path, prediction, cause,
 * observation and verdict in common counts once, however many pages it was.
 */
#ifndef COWTRACE_VERIFY_H
#define COWTRACE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/policy.h>

#include "error.h"
#include "experiment.h"

/* X(id, name, sentence) */
#define CT_VERIFY_VERDICTS(X)						\
	X(RIGHT, "right", "predicted as it was observed")		\
	X(WRONG, "wrong", "predicted otherwise, from a page in the same state") \
	X(UNDETERMINED, "undetermined", "the policy cannot tell from the sample") \
	X(OTHER_STATE, "other-state", "the kernels had made the page different before the fault") \
	X(NOT_FAULTED, "not-faulted", "one of the two kernels took no fault there") \
	X(DIVERGED, "diverged", "one kernel had copied the page before, and the other had not") \
	X(NOT_ASKED, "not-asked", "a fault that no policy decides") \
	X(ABSENT, "absent", "one of the two kernels or machines has no such thing")

#define CT_VERIFY_ENUM_(id, n, s)	CT_VERIFY_##id,
enum ct_verify_verdict { CT_VERIFY_VERDICTS(CT_VERIFY_ENUM_) CT_NR_VERIFY_VERDICTS };

/*
 * What is asked. X(id, name, sentence)
 * Only 5.9 to 5.17 run reuse_swap_page() beside another policy. In do_swap_page() it
 * is seen by its refusal: then do_wp_page() is called, which is traced. Where it agrees,
 * the page is writable at once and no record tells of it, which here counts as a reuse:
 * the step has written to a page that was in swap. What can be asked is what some
 * kernel has a record of: an owner that each kernel sees as the only one leaves none.
 */
#define CT_VERIFY_QUESTIONS(X)						\
	X(OWN, "own", "each fault, by the policy of the other kernel")	\
	X(THP, "thp", "huge pages mapped by a PMD, by mapcount: do_huge_pmd_wp_page()") \
	X(SWAPIN, "swap-in", "writes to pages in swap, by mapcount: do_swap_page()")

#define CT_VERIFY_QUESTION_ENUM_(id, n, s)	CT_VERIFY_Q_##id,
enum ct_verify_question { CT_VERIFY_QUESTIONS(CT_VERIFY_QUESTION_ENUM_) CT_NR_VERIFY_QUESTIONS };

/* What a kernel was seen to do. X(id, name) */
#define CT_VERIFY_SEEN(X)						\
	X(NOTHING, "no fault")						\
	X(REUSE, "reuse")						\
	X(COPY, "copy")		/* unshare and split too */		\
	X(OTHER, "other")	/* nothing that a policy decides */

#define CT_VERIFY_SEEN_ENUM_(id, n)	CT_VERIFY_SEEN_##id,
enum ct_verify_seen { CT_VERIFY_SEEN(CT_VERIFY_SEEN_ENUM_) CT_NR_VERIFY_SEEN };

/**
 * struct ct_verify_fault - a fault of an experiment
 * @record: its sample.
 * @exclusive: what the past of the page says about PageAnonExclusive where the kernel
 *	has none: 0, 1 or COWTRACE_NOT_KNOWN.
 * @next: the next fault of the page in the step, in the order in which they began.
 */
struct ct_verify_fault {
	struct cowtrace_record	record;
	int8_t			exclusive;
	struct ct_verify_fault	*next;
};

/**
 * struct ct_verify_step - a step as it ran on one kernel
 * @experiment: its experiment.
 * @name: of the step.
 * @area: memory that was touched.
 * @done: it ran to its end; nothing else below is set if not.
 * @race: several did something at the same time.
 * @began: CLOCK_MONOTONIC in ns.
 * @ended: likewise.
 * @tgid: process whose faults are meant.
 * @base: first address of the area.
 * @bytes: of the area.
 * @grain: bytes from one touched address to the next.
 * @unit: bytes of a folio, as far as the experiment knows.
 * @page: the faults of each touched address, @bytes / @grain of them.
 */
struct ct_verify_step {
	char		experiment[CT_EXP_WORD], name[CT_EXP_WORD], area[CT_EXP_WORD];
	bool		done, race;
	uint64_t	began, ended;
	uint32_t	tgid;
	uint64_t	base, bytes, grain, unit;
	struct ct_verify_fault **page;
};

/**
 * struct ct_verify_run - the experiments on one kernel
 * @label: short name, such as "6.12".
 * @kernel: release.
 * @backend: how it was traced.
 * @traits: COWTRACE_TRAIT_*.
 * @nr_steps: number of @step.
 * @step: in the order in which they ran.
 */
struct ct_verify_run {
	char			label[32], kernel[128], backend[32];
	uint32_t		traits;
	size_t			nr_steps;
	struct ct_verify_step	*step;
};

/* Bytes of the name of a file. */
#define CT_VERIFY_NAME	4096

/**
 * struct ct_verify_files - what one kernel did, before anybody looked at it
 * @path: what cowtrace experiment run --json -o TRACE has printed.
 * @text: its bytes.
 * @length: how many.
 * @trace_path: TRACE, for messages.
 * @trace: the same, open; -1 if it is not.
 */
struct ct_verify_files {
	const char	*path;
	char		*text;
	size_t		length;
	char		trace_path[CT_VERIFY_NAME];
	int		trace;
};

/*
 * Runs and traces are anybody's: who has rights that their author has not calls
 * ct_verify_open() and ct_verify_open_trace(), and lets a process without these rights call
 * the two that parse, ct_verify_trace() and ct_verify_parse().
 */

/**
 * ct_verify_open() - read the bytes of a run
 * @path: of the run, which has to live as long as @files.
 * @files: filled in, to be given to ct_verify_close() also on failure.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_verify_open(const char *path, struct ct_verify_files *files, struct ct_error *err);

/**
 * ct_verify_trace() - which trace belongs to a run
 * @files: of ct_verify_open().
 * @name: receives what the run calls it.
 * @size: bytes of @name.
 * @err: what is wrong.
 * Return: 0, -ENOMEM, or -EINVAL for what is no run, lost records, or names no trace.
 */
int ct_verify_trace(const struct ct_verify_files *files, char *name, size_t size,
		    struct ct_error *err);

/**
 * ct_verify_open_trace() - open the trace of a run
 * @files: of ct_verify_open().
 * @name: of ct_verify_trace(). It stands beside the run, or where it was written.
 * @err: what is wrong.
 *
 * What is no regular file is not opened, and one that does not begin as a trace refused:
 * whoever wrote the run may have named what only the caller can read.
 *
 * Return: 0 or a negative errno.
 */
int ct_verify_open_trace(struct ct_verify_files *files, const char *name, struct ct_error *err);

/**
 * ct_verify_parse() - parse a run and its trace
 * @files: of ct_verify_open_trace().
 * @run: filled in, to be given to ct_verify_free() also on failure.
 * @err: what is wrong.
 *
 * A trace that lacks records, or is damaged, is refused: of a fault that is missing
 * nobody could say that it was not taken.
 *
 * Return: 0 or a negative errno.
 */
int ct_verify_parse(struct ct_verify_files *files, struct ct_verify_run *run,
		    struct ct_error *err);

void ct_verify_close(struct ct_verify_files *files);

/* All of these, in one process. @run: as of ct_verify_parse(). Return: 0 or a negative errno. */
int ct_verify_load(const char *path, struct ct_verify_run *run, struct ct_error *err);

void ct_verify_free(struct ct_verify_run *run);

/* Put a fault where it belongs; it is copied. Return: 0, also for one of no step; or -ENOMEM. */
int ct_verify_add(struct ct_verify_run *run, const struct cowtrace_record *record,
		  int8_t exclusive);

/**
 * struct ct_verify_class - what faults of one step have in common
 * @experiment: of the step.
 * @step: its name.
 * @path: enum cowtrace_path.
 * @predicted: what was predicted; of it @answer and @cause tell classes apart.
 * @has_record: there was a fault to predict from.
 * @seen: enum ct_verify_seen.
 * @verdict: enum ct_verify_verdict.
 * @faults: how many.
 * @from: the first of them, or NULL.
 * @to: what it was compared with, or NULL.
 */
struct ct_verify_class {
	const char			*experiment, *step;
	uint8_t				path;
	struct cowtrace_prediction	predicted;
	bool				has_record;
	enum ct_verify_seen		seen;
	enum ct_verify_verdict		verdict;
	uint64_t			faults;
	const struct cowtrace_record	*from, *to;
};

/**
 * struct ct_verify_pair - predictions from one kernel, held against another
 * @from: whose samples.
 * @to: whose policy, and what it did.
 * @question: enum ct_verify_question.
 * @policy: enum cowtrace_policy.
 * @nr_classes: number of @class.
 * @class: in the order of the experiments.
 * @count: classes of each verdict.
 */
struct ct_verify_pair {
	const struct ct_verify_run	*from, *to;
	enum ct_verify_question		question;
	enum cowtrace_policy		policy;
	size_t				nr_classes;
	struct ct_verify_class		*class;
	uint64_t			count[CT_NR_VERIFY_VERDICTS];
};

/**
 * ct_verify() - hold predictions against what was observed
 * @from: whose samples.
 * @to: whose policy; may be the same as @from.
 * @question: what is asked; all but OWN only of a kernel of the policy refcount.
 * @pair: filled in; its @class is to be freed, after an error there is none. Lives as
 *	long as both runs.
 * @err: what is wrong.
 * Return: 0, -ENOMEM, or -EINVAL where steps of one name are not the same.
 */
int ct_verify(const struct ct_verify_run *from, const struct ct_verify_run *to,
	      enum ct_verify_question question, struct ct_verify_pair *pair,
	      struct ct_error *err);

/**
 * ct_verify_differences() - in what two samples of a place differ
 * @a: the one.
 * @b: the other.
 * @to: text such as "refcount 2, 1; lru no, yes"; empty where they agree.
 * @size: bytes of @to.
 *
 * What was found before the decision counts, where both kernels give it.
 *
 * Return: @to.
 */
char *ct_verify_differences(const struct cowtrace_record *a, const struct cowtrace_record *b,
			    char *to, size_t size);

const char *ct_verify_verdict_name(enum ct_verify_verdict verdict);

#endif /* COWTRACE_VERIFY_H */
