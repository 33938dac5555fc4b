/* SPDX-License-Identifier: GPL-2.0 */
/* What the running kernel's own policy predicts of each fault, against what it did. */
#ifndef COWTEST_PREDICTION_H
#define COWTEST_PREDICTION_H

#include <stddef.h>
#include <cowtrace/policy.h>

/* Kinds of wrong predictions that are told apart. */
#define WRONG_MAX	64

/**
 * struct wrong - wrong predictions of one kind
 * @said: the prediction.
 * @example: one of the faults; its outcome, reason and path are those of all.
 * @n: how many.
 */
struct wrong {
	struct cowtrace_prediction said;
	struct cowtrace_record	example;
	unsigned long long	n;
};

/**
 * struct predictions - all of them
 * @decided: faults that the kernel decided and that a policy is asked about.
 * @right: predicted as it happened.
 * @missed: predicted otherwise.
 * @open: undetermined, by cause.
 * @wrong: kinds of @missed.
 * @nr_wrong: number of them.
 */
struct predictions {
	unsigned long long	decided, right, missed;
	unsigned long long	open[COWTRACE_NR_CAUSES];
	struct wrong		wrong[WRONG_MAX];
	size_t			nr_wrong;
};

/* @traits: of the kernel that runs. */
void predictions_add(struct predictions *p, const struct cowtrace_record *r, unsigned int traits);

/* Print them, and check that they are right and settled as far as races allow. */
void predictions_check(const struct predictions *p);

#endif /* COWTEST_PREDICTION_H */
