/* SPDX-License-Identifier: GPL-2.0 */
/* What other policies would have decided: what `cowtrace whatif` prints. */
#ifndef COWTRACE_WHATIF_VIEW_H
#define COWTRACE_WHATIF_VIEW_H

#include <stdio.h>

#include "report_parts.h"
#include "whatif_sum.h"

/* Of the JSON form: greater major when a reader of the old one would misread it. */
#define CT_WHATIF_VERSION	"1.0"

#define CT_WHATIF_ARGS		(CT_WHATIF_OWN_MAX + COWTRACE_NR_POLICIES)

/**
 * struct ct_whatif_opts - what is asked for
 * @report: rows and form.
 * @policy: what --policy says, each NAME, NAME=EXPRESSION, NAME=@FILE or "all".
 * @nr: number of them; 0 for all.
 * @diff: names of two policies to be compared, NULL for none.
 * @against: name of the policy that what happened is held against, NULL for none.
 */
struct ct_whatif_opts {
	struct ct_report_opts report;
	const char	*policy[CT_WHATIF_ARGS];
	size_t		nr;
	const char	*diff[2];
	const char	*against;
};

/**
 * struct ct_whatif_view - what is printed
 * @r: the trace.
 * @opts: what is asked for.
 * @w: the patterns.
 * @sum: what they add up to.
 * @chosen: policies that are shown, in the order of their numbers.
 * @nr: number of them.
 * @diff: two policies to be compared, SIZE_MAX for none.
 * @against: the policy that what happened is held against, SIZE_MAX for none.
 * @untold: why the history of the trace says nothing of PageAnonExclusive, NULL where
 *	it does or where the kernel knows.
 */
struct ct_whatif_view {
	const struct ct_report *r;
	const struct ct_whatif_opts *opts;
	const struct ct_whatif *w;
	const struct ct_whatif_sum *sum;
	size_t		chosen[CT_WHATIF_POLICIES];
	size_t		nr;
	size_t		diff[2];
	size_t		against;
	const char	*untold;
};

/* Print what is asked for. Return: 0, -EIO or -ENOMEM. */
int ct_whatif_text(FILE *out, const struct ct_whatif_view *v);
int ct_whatif_json(FILE *out, const struct ct_whatif_view *v);

/**
 * ct_whatif_print() - read a trace and print what other policies would have decided
 * @out: where that goes. Errors go to standard error.
 * @trace_path: trace file, "-" for standard input.
 * @opts: what is asked for.
 * Return: enum ct_report_status.
 */
int ct_whatif_print(FILE *out, const char *trace_path, const struct ct_whatif_opts *opts);

struct ct_forks;

/**
 * ct_whatif_begin_past() - the history of a trace, where the kernel does not tell of
 *	exclusive pages; before its first record
 * @w: the patterns; is given the history.
 * @r: the trace.
 * @forks: receives what the history asks, to be freed after @w; NULL for none.
 * @untold: receives why there is no history, as in struct ct_whatif_view.
 * Return: 0 or -ENOMEM.
 */
int ct_whatif_begin_past(struct ct_whatif *w, const struct ct_report *r,
			 struct ct_forks **forks, const char **untold);

/* --- which patterns are shown; each is for ct_whatif_select(), its arg is the view -- */

/* Chosen policies answer differently. */
bool ct_whatif_differs(const struct ct_whatif_pattern *p, const void *view);

/* The two policies of --diff do; of one of them the answer may be open. */
bool ct_whatif_disagree(const struct ct_whatif_pattern *p, const void *view);

/* The policy of --against would not have made this copy. */
bool ct_whatif_unneeded(const struct ct_whatif_pattern *p, const void *view);

/* mapcount reuses what minimal does not vouch for. */
bool ct_whatif_hole(const struct ct_whatif_pattern *p, const void *view);

/* The policy of the running kernel predicts otherwise than it happened. */
bool ct_whatif_surprise(const struct ct_whatif_pattern *p, const void *view);

/* Which figures are lower bounds, a sentence: faults that never happened. */
const char *ct_whatif_lower_bound(const struct ct_whatif *w);

/* What it is called: "not faulted" is one of them. */
const char *ct_whatif_answer_name(uint8_t answer);

/* How a page was held, "held by nobody else" for nothing. */
const char *ct_whatif_shape_text(const struct ct_whatif_key *key, char *to, size_t size);

#define CT_WHATIF_SHAPE_TEXT	512

/* Some rows of several patterns taken together by reason, --against. */
struct ct_whatif_cause_row {
	uint8_t		outcome;
	uint8_t		reason;
	struct ct_whatif_change change;
	uint64_t	open;
	uint64_t	needed;
};

/**
 * ct_whatif_by_reason() - the copies and splits of the kernel by reason, held against a policy
 * @sum: the sums.
 * @policy: the policy.
 * @rows: receives them, the most unneeded ones first; to be freed.
 * @nr: number of them.
 * Return: 0 or -ENOMEM.
 */
int ct_whatif_by_reason(const struct ct_whatif_sum *sum, size_t policy,
			struct ct_whatif_cause_row **rows, size_t *nr);

#endif /* COWTRACE_WHATIF_VIEW_H */
