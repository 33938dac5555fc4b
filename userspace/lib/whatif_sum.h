/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the patterns of a trace add up to: each policy against what happened.
 *
 * Prices are the trace's own: a copy that a policy would have avoided saves the mean of
 * a copy less the mean of a reuse, on the same path and of the same kind of page, and
 * one that it would have added costs as much. The mean, not the median: what is asked
 * for is a sum. Not what the very fault took: one that lost its CPU would outweigh a
 * thousand. Where no such fault is in the trace, the mean of its path stands in;
 * without that the fault has no price.
 */
#ifndef COWTRACE_WHATIF_SUM_H
#define COWTRACE_WHATIF_SUM_H

#include "whatif.h"

/* What happened, where the kernel decided. */
enum ct_observed { CT_OBSERVED_REUSE, CT_OBSERVED_COPY, CT_OBSERVED_SPLIT, CT_NR_OBSERVED };

/* Sum and number of the times of some faults. */
struct ct_price {
	uint64_t	faults;
	uint64_t	ns;
};

/**
 * struct ct_whatif_change - what would have been different
 * @faults: decided otherwise.
 * @bytes: more bytes copied, less than 0 for fewer.
 * @ns: more time, likewise.
 * @unpriced: faults of them that add nothing to @ns.
 */
struct ct_whatif_change {
	uint64_t	faults;
	int64_t		bytes;
	int64_t		ns;
	uint64_t	unpriced;
};

/**
 * struct ct_whatif_policy_sum - one policy against what happened
 * @cell: faults, by what happened and by answer (CT_NR_ANSWERS).
 * @answers: by answer.
 * @bytes: copied, where it is settled.
 * @open_bytes: of the undetermined ones, were they all copies.
 * @avoided: copies and splits that it would not have made.
 * @added: copies and splits of its own.
 * @causes: undetermined faults by cause, enum cowtrace_cause, or the number of a word.
 * @right: determined and as it happened.
 * @wrong: determined and otherwise.
 */
struct ct_whatif_policy_sum {
	uint64_t	cell[CT_NR_OBSERVED][CT_NR_ANSWERS];
	uint64_t	answers[CT_NR_ANSWERS];
	uint64_t	bytes;
	uint64_t	open_bytes;
	struct ct_whatif_change avoided;
	struct ct_whatif_change added;
	uint64_t	causes[256];
	uint64_t	right;
	uint64_t	wrong;
};

/**
 * struct ct_whatif_sum - all of them
 * @w: the patterns.
 * @policy: by policy.
 * @price: by path, kind of page and what happened.
 * @decided: faults that the kernel decided.
 * @observed: by what happened.
 * @bytes: copied.
 * @ns: time of them.
 * @copy_ns: of their copies and splits.
 * @other: faults that policies are asked about and that the kernel did not decide, by
 *	outcome.
 * @unasked: faults that no policy decides, by outcome.
 * @folded: faults of patterns that were put together, ct_whatif_key.rest.
 */
struct ct_whatif_sum {
	const struct ct_whatif *w;
	struct ct_whatif_policy_sum policy[CT_WHATIF_POLICIES];
	struct ct_price	price[COWTRACE_NR_PATHS][COWTRACE_NR_KINDS][CT_NR_OBSERVED];
	uint64_t	decided;
	uint64_t	observed[CT_NR_OBSERVED];
	uint64_t	bytes;
	uint64_t	ns;
	uint64_t	copy_ns;
	uint64_t	other[256];
	uint64_t	unasked[256];
	uint64_t	folded;
};

/* Add up. */
void ct_whatif_sum(const struct ct_whatif *w, struct ct_whatif_sum *sum);

/* What happened to the faults of a pattern that was decided. */
enum ct_observed ct_whatif_happened(const struct ct_whatif_key *key);

/**
 * ct_whatif_change() - what a policy would have changed about the faults of a pattern
 * @sum: the sums.
 * @p: a pattern that was decided.
 * @policy: number of the policy.
 * @change: what that is, is added to it.
 * Return: whether it answers, and otherwise than it happened.
 */
bool ct_whatif_change(const struct ct_whatif_sum *sum, const struct ct_whatif_pattern *p,
		      size_t policy, struct ct_whatif_change *change);

/* Does a policy say copy or reuse, and then which? 0 where it does neither. */
static inline enum cowtrace_answer ct_whatif_determined(const struct ct_whatif_key *key,
							size_t policy)
{
	uint8_t answer = key->predicted[policy].answer;

	return answer == COWTRACE_ANSWER_REUSE || answer == COWTRACE_ANSWER_COPY ? answer : 0;
}

/* Name of a policy, and what it is. */
const char *ct_whatif_name(const struct ct_whatif *w, size_t policy);
const char *ct_whatif_sentence(const struct ct_whatif *w, size_t policy);

/* The number of a policy of that name, SIZE_MAX for none. */
size_t ct_whatif_find(const struct ct_whatif *w, const char *name);

/* Name of a cause of a policy, and what it means; the sentence may be empty. */
const char *ct_whatif_cause(const struct ct_whatif *w, size_t policy, uint8_t cause);
const char *ct_whatif_cause_sentence(size_t policy, uint8_t cause);

/**
 * ct_whatif_select() - patterns that are asked for, the most faults first
 * @w: the patterns.
 * @wanted: says which.
 * @arg: for it.
 * @nr: receives their number.
 * Return: them, to be freed; NULL without memory.
 */
const struct ct_whatif_pattern **
ct_whatif_select(const struct ct_whatif *w,
		 bool (*wanted)(const struct ct_whatif_pattern *p, const void *arg),
		 const void *arg, size_t *nr);

/**
 * ct_whatif_shares() - who or where the faults of a pattern were, the most first
 * @shares: of processes or of places.
 * @p: the pattern.
 * @w: the patterns.
 * @to: room for @max of them.
 * @max: at most so many.
 * Return: how many there are in all; the first of them are in @to.
 */
size_t ct_whatif_shares(const struct ct_whatif_shares *shares, const struct ct_whatif *w,
			const struct ct_whatif_pattern *p, const struct ct_whatif_share **to,
			size_t max);

#endif /* COWTRACE_WHATIF_SUM_H */
