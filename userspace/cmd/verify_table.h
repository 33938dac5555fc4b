/* SPDX-License-Identifier: GPL-2.0 */
/* Predictions for kernels, held against these kernels: all pairs of some runs. */
#ifndef COWTRACE_VERIFY_TABLE_H
#define COWTRACE_VERIFY_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "verify.h"

/* Of the JSON form: greater major when a reader of the old one would misread it. */
#define CT_VERIFY_VERSION	"1.0"

/* At most so many in a hundred of the classes that were compared may be undetermined. */
#define CT_VERIFY_LIMIT	10

/**
 * struct ct_verify_table - all pairs of some runs
 * @nr_runs: number of @run.
 * @run: the runs.
 * @nr_pairs: number of @pair.
 * @pair: in the order in which they are printed: first all pairs of different runs, then
 *	each run with itself, then what only mapcount is asked.
 * @different: how many of them are the first kind.
 * @count: classes of each verdict in the first kind.
 * @wrong: wrong classes in all pairs.
 * @passed: none is wrong, some are right, and few enough of the first kind are
 *	undetermined.
 */
struct ct_verify_table {
	size_t			nr_runs;
	struct ct_verify_run	*run;
	size_t			nr_pairs, different;
	struct ct_verify_pair	*pair;
	uint64_t		count[CT_NR_VERIFY_VERDICTS];
	uint64_t		wrong;
	bool			passed;
};

/* All pairs; @table to be given to ct_verify_table_free() also on failure. */
int ct_verify_table(struct ct_verify_run *run, size_t n, struct ct_verify_table *table,
		    struct ct_error *err);

void ct_verify_table_free(struct ct_verify_table *table);

/* Classes that say something about a policy. */
uint64_t ct_verify_compared(const uint64_t *count);

/* @why: with all classes, not only those that need a word. */
void ct_verify_text(FILE *out, const struct ct_verify_table *table, bool why);
/* Return: 0 or -EIO. */
int ct_verify_json(FILE *out, const struct ct_verify_table *table);

#endif /* COWTRACE_VERIFY_TABLE_H */
