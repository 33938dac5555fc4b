// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "verify_table.h"

uint64_t ct_verify_compared(const uint64_t *count)
{
	return count[CT_VERIFY_RIGHT] + count[CT_VERIFY_WRONG] + count[CT_VERIFY_UNDETERMINED];
}

static int add_pair(struct ct_verify_table *t, size_t from, size_t to,
		    enum ct_verify_question question, struct ct_error *err)
{
	return ct_verify(&t->run[from], &t->run[to], question, &t->pair[t->nr_pairs++], err);
}

static int add_all(struct ct_verify_table *t, struct ct_error *err)
{
	size_t from, to;
	int ret = 0;

	for (from = 0; !ret && from < t->nr_runs; from++)
		for (to = 0; !ret && to < t->nr_runs; to++)
			if (from != to)
				ret = add_pair(t, from, to, CT_VERIFY_Q_OWN, err);
	t->different = t->nr_pairs;
	for (from = 0; !ret && from < t->nr_runs; from++)
		ret = add_pair(t, from, from, CT_VERIFY_Q_OWN, err);
	for (to = 0; to < t->nr_runs; to++) {
		if (cowtrace_own_policy(t->run[to].traits) != COWTRACE_POLICY_REFCOUNT)
			continue;
		for (from = 0; !ret && from < t->nr_runs; from++)
			ret = add_pair(t, from, to, CT_VERIFY_Q_THP, err);
		for (from = 0; !ret && from < t->nr_runs; from++)
			ret = add_pair(t, from, to, CT_VERIFY_Q_SWAPIN, err);
	}
	return ret;
}

static void judge(struct ct_verify_table *t)
{
	uint64_t compared;
	size_t i, v;

	for (i = 0; i < t->nr_pairs; i++) {
		t->wrong += t->pair[i].count[CT_VERIFY_WRONG];
		for (v = 0; i < t->different && v < CT_NR_VERIFY_VERDICTS; v++)
			t->count[v] += t->pair[i].count[v];
	}
	compared = ct_verify_compared(t->count);
	t->passed = !t->wrong && t->count[CT_VERIFY_RIGHT] &&
		    t->count[CT_VERIFY_UNDETERMINED] * 100 <= compared * CT_VERIFY_LIMIT;
}

int ct_verify_table(struct ct_verify_run *run, size_t n, struct ct_verify_table *t,
		    struct ct_error *err)
{
	int ret;

	*t = (struct ct_verify_table) { .nr_runs = n, .run = run };
	/* Each with each, and twice more with each run of the policy refcount. */
	t->pair = calloc(3 * n * n + 1, sizeof(*t->pair));
	ret = t->pair ? add_all(t, err) : ct_error_set(err, -ENOMEM, "no memory for the table");
	judge(t);
	return ret;
}

void ct_verify_table_free(struct ct_verify_table *t)
{
	while (t->nr_pairs)
		free(t->pair[--t->nr_pairs].class);
	free(t->pair);
}
