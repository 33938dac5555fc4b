// SPDX-License-Identifier: GPL-2.0
#include "whatif_sum.h"

#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "bytes.h"

/* --- names ------------------------------------------------------------------- */

static const struct cowtrace_word policies[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };
static const struct cowtrace_word causes[] = { COWTRACE_CAUSES(COWTRACE_WORD_) };

const char *ct_whatif_name(const struct ct_whatif *w, size_t policy)
{
	return policy < COWTRACE_NR_POLICIES ? policies[policy].name :
					       w->own[policy - COWTRACE_NR_POLICIES].name;
}

const char *ct_whatif_sentence(const struct ct_whatif *w, size_t policy)
{
	return policy < COWTRACE_NR_POLICIES ? policies[policy].sentence :
	       ct_expression_text(w->own[policy - COWTRACE_NR_POLICIES].expression);
}

size_t ct_whatif_find(const struct ct_whatif *w, const char *name)
{
	size_t i;

	for (i = 0; i < ct_whatif_nr(w); i++)
		if (!strcmp(ct_whatif_name(w, i), name))
			return i;
	return SIZE_MAX;
}

const char *ct_whatif_cause(const struct ct_whatif *w, size_t policy, uint8_t cause)
{
	if (policy >= COWTRACE_NR_POLICIES)
		return w->words[cause];
	return cause < COWTRACE_NR_CAUSES ? causes[cause].name : "?";
}

const char *ct_whatif_cause_sentence(size_t policy, uint8_t cause)
{
	if (policy >= COWTRACE_NR_POLICIES)
		return "the record does not have it";
	return cause < COWTRACE_NR_CAUSES ? causes[cause].sentence : "";
}

/* --- prices ------------------------------------------------------------------ */

enum ct_observed ct_whatif_happened(const struct ct_whatif_key *key)
{
	if (key->outcome == COWTRACE_OUTCOME_REUSE)
		return CT_OBSERVED_REUSE;
	return key->outcome == COWTRACE_OUTCOME_SPLIT ? CT_OBSERVED_SPLIT : CT_OBSERVED_COPY;
}

/* The mean of such a fault in ns, -1 where the path has none. */
static double price(const struct ct_whatif_sum *sum, const struct ct_whatif_key *key,
		    enum ct_observed what)
{
	const struct ct_price *of = &sum->price[key->path][key->kind][what];
	struct ct_price all = { 0 };
	int kind;

	if (of->faults)
		return (double)of->ns / of->faults;
	for (kind = 0; kind < COWTRACE_NR_KINDS; kind++) {
		all.faults += sum->price[key->path][kind][what].faults;
		all.ns += sum->price[key->path][kind][what].ns;
	}
	return all.faults ? (double)all.ns / all.faults : -1;
}

/* What a policy would have made of a fault that it decides otherwise. */
static enum ct_observed instead(const struct ct_whatif_key *key, enum cowtrace_answer answer)
{
	if (answer == COWTRACE_ANSWER_REUSE)
		return CT_OBSERVED_REUSE;
	return key->path == COWTRACE_PATH_PMD ? CT_OBSERVED_SPLIT : CT_OBSERVED_COPY;
}

bool ct_whatif_change(const struct ct_whatif_sum *sum, const struct ct_whatif_pattern *p,
		      size_t policy, struct ct_whatif_change *change)
{
	uint8_t answer = p->key.predicted[policy].answer;
	double mine = price(sum, &p->key, ct_whatif_happened(&p->key)), other = 0;

	if (answer != CT_ANSWER_NOT_FAULTED) {
		if (!ct_whatif_determined(&p->key, policy) ||
		    answer == ct_whatif_observed(&p->key))
			return false;
		other = price(sum, &p->key, instead(&p->key, answer));
	}
	change->faults += p->faults;
	if (answer == COWTRACE_ANSWER_COPY)
		change->bytes += p->bytes;
	else
		change->bytes -= p->copied;
	if (other < 0)
		change->unpriced += p->faults;
	else
		change->ns += (int64_t)((other - mine) * p->faults);
	return true;
}

/* --- sums -------------------------------------------------------------------- */

static void add_observed(struct ct_whatif_sum *sum, const struct ct_whatif_pattern *p)
{
	enum ct_observed what = ct_whatif_happened(&p->key);
	struct ct_price *of = &sum->price[p->key.path][p->key.kind][what];

	of->faults += p->faults;
	of->ns += p->ns;
	sum->decided += p->faults;
	sum->observed[what] += p->faults;
	sum->bytes = ct_add(sum->bytes, p->copied);
	sum->ns += p->ns;
	if (what != CT_OBSERVED_REUSE)
		sum->copy_ns += p->ns;
}

static void add_policy(struct ct_whatif_sum *sum, const struct ct_whatif_pattern *p, size_t i)
{
	struct ct_whatif_policy_sum *of = &sum->policy[i];
	const struct cowtrace_prediction *it = &p->key.predicted[i];
	enum cowtrace_answer determined = ct_whatif_determined(&p->key, i);

	of->cell[ct_whatif_happened(&p->key)][it->answer] += p->faults;
	of->answers[it->answer] += p->faults;
	if (determined == ct_whatif_observed(&p->key))
		of->right += p->faults;
	else if (determined)
		of->wrong += p->faults;
	if (it->answer == COWTRACE_ANSWER_UNDETERMINED) {
		of->causes[it->cause] += p->faults;
		of->open_bytes = ct_add(of->open_bytes, p->bytes);
	}
	if (it->answer == COWTRACE_ANSWER_COPY)
		of->bytes = ct_add(of->bytes, p->bytes);
	ct_whatif_change(sum, p, i, it->answer == COWTRACE_ANSWER_COPY ? &of->added :
									 &of->avoided);
}

void ct_whatif_sum(const struct ct_whatif *w, struct ct_whatif_sum *sum)
{
	size_t i, policy;

	memset(sum, 0, sizeof(*sum));
	sum->w = w;
	for (i = 0; i < w->nr; i++) {
		const struct ct_whatif_pattern *p = &w->list[i];

		if (p->key.rest)
			sum->folded += p->faults;
		if (ct_whatif_decided(&p->key))
			add_observed(sum, p);
		else if (p->key.asked)
			sum->other[p->key.outcome] += p->faults;
		else
			sum->unasked[p->key.outcome] += p->faults;
	}
	/* All prices are known now. */
	for (i = 0; i < w->nr; i++)
		for (policy = 0; policy < ct_whatif_nr(w); policy++)
			if (ct_whatif_decided(&w->list[i].key))
				add_policy(sum, &w->list[i], policy);
}

/* --- rows -------------------------------------------------------------------- */

static int by_faults(const void *one, const void *other)
{
	const struct ct_whatif_pattern *a = *(const struct ct_whatif_pattern **)one;
	const struct ct_whatif_pattern *b = *(const struct ct_whatif_pattern **)other;

	if (a->faults != b->faults)
		return a->faults > b->faults ? -1 : 1;
	return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns) ?:
	       (a > b) - (a < b);
}

const struct ct_whatif_pattern **
ct_whatif_select(const struct ct_whatif *w,
		 bool (*wanted)(const struct ct_whatif_pattern *p, const void *arg),
		 const void *arg, size_t *nr)
{
	const struct ct_whatif_pattern **list = calloc(w->nr + 1, sizeof(*list));
	size_t i;

	*nr = 0;
	if (!list)
		return NULL;
	for (i = 0; i < w->nr; i++)
		if (wanted(&w->list[i], arg))
			list[(*nr)++] = &w->list[i];
	qsort(list, *nr, sizeof(*list), by_faults);
	return list;
}

size_t ct_whatif_shares(const struct ct_whatif_shares *shares, const struct ct_whatif *w,
			const struct ct_whatif_pattern *p, const struct ct_whatif_share **to,
			size_t max)
{
	uint32_t pattern = p - w->list;
	size_t i, k, nr = 0, kept = 0;

	for (i = 0; i < shares->nr; i++) {
		const struct ct_whatif_share *it = &shares->list[i];

		if (it->pattern != pattern)
			continue;
		nr++;
		for (k = kept; k && to[k - 1]->faults < it->faults; k--)
			if (k < max)
				to[k] = to[k - 1];
		if (k < max)
			to[k] = it;
		kept += kept < max;
	}
	return nr;
}
