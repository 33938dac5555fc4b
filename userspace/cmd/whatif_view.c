// SPDX-License-Identifier: GPL-2.0
/* What text and JSON of whatif have in common: which patterns, and their words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "map.h"
#include "whatif_view.h"

/* --- which patterns ---------------------------------------------------------- */

bool ct_whatif_differs(const struct ct_whatif_pattern *p, const void *arg)
{
	const struct ct_whatif_view *v = arg;
	bool seen[CT_NR_ANSWERS] = { false };
	size_t i;

	if (!ct_whatif_decided(&p->key))
		return false;
	for (i = 0; i < v->nr; i++)
		seen[p->key.predicted[v->chosen[i]].answer] = true;
	/* One alone differs from what happened. */
	if (v->nr == 1)
		seen[ct_whatif_observed(&p->key)] = true;
	return seen[COWTRACE_ANSWER_REUSE] + seen[COWTRACE_ANSWER_COPY] +
	       seen[CT_ANSWER_NOT_FAULTED] > 1;
}

bool ct_whatif_disagree(const struct ct_whatif_pattern *p, const void *arg)
{
	const struct ct_whatif_view *v = arg;

	return ct_whatif_decided(&p->key) &&
	       p->key.predicted[v->diff[0]].answer != p->key.predicted[v->diff[1]].answer;
}

static bool not_reused(const struct ct_whatif_pattern *p)
{
	return ct_whatif_decided(&p->key) &&
	       ct_whatif_happened(&p->key) != CT_OBSERVED_REUSE;
}

bool ct_whatif_unneeded(const struct ct_whatif_pattern *p, const void *arg)
{
	const struct ct_whatif_view *v = arg;
	uint8_t answer = p->key.predicted[v->against].answer;

	return not_reused(p) && (answer == COWTRACE_ANSWER_REUSE ||
				 answer == CT_ANSWER_NOT_FAULTED);
}

bool ct_whatif_hole(const struct ct_whatif_pattern *p, const void *arg)
{
	const struct cowtrace_prediction *minimal = &p->key.predicted[COWTRACE_POLICY_MINIMAL];

	(void)arg;
	if (!ct_whatif_decided(&p->key) ||
	    p->key.predicted[COWTRACE_POLICY_MAPCOUNT].answer != COWTRACE_ANSWER_REUSE)
		return false;
	return minimal->answer == COWTRACE_ANSWER_COPY ||
	       (minimal->answer == COWTRACE_ANSWER_UNDETERMINED &&
		(minimal->cause == COWTRACE_CAUSE_PINNED ||
		 minimal->cause == COWTRACE_CAUSE_REFERENCE));
}

bool ct_whatif_surprise(const struct ct_whatif_pattern *p, const void *arg)
{
	const struct ct_whatif_view *v = arg;
	enum cowtrace_answer answer = ct_whatif_determined(&p->key, v->w->kernel);

	return ct_whatif_decided(&p->key) && answer && answer != ct_whatif_observed(&p->key);
}

/* --- words ------------------------------------------------------------------- */

const char *ct_whatif_lower_bound(const struct ct_whatif *w)
{
	if (w->traits & COWTRACE_TRAIT_RET_WRITE)
		return "Lower bounds: all copies and reuses of pages from swap, of each policy. This "
		       "kernel settles most writes that bring a page back from swap in do_swap_page(), "
		       "which leaves no record.";
	return "Lower bounds: copies of mapcount, refcount and swapcache, and reuses of each policy. "
	       "This kernel maps a page that is this process's alone writable when it comes back from "
	       "swap, read or written, and when mprotect() allows to write: such writes do not fault "
	       "and leave no record.";
}

const char *ct_whatif_answer_name(uint8_t answer)
{
	static const struct cowtrace_word answers[] = { COWTRACE_ANSWERS(COWTRACE_WORD_) };

	return answer < COWTRACE_NR_ANSWERS ? answers[answer].name : "not-faulted";
}

const char *ct_whatif_shape_text(const struct ct_whatif_key *key, char *to, size_t size)
{
	static const char * const words[] = {
#define SHAPE_(id, bit, text)	(text),
		CT_SHAPES(SHAPE_)
	};
	size_t i, used = 0;

	*to = '\0';
	for (i = 0; i < sizeof(words) / sizeof(*words) && used < size; i++)
		if (key->shape >> i & 1)
			used += snprintf(to + used, size - used, "%s%s", used ? ", " : "",
					 words[i]);
	if (!used)
		used += snprintf(to, size, key->rest ? "of many kinds" : "mapped once");
	if (key->exclusive != COWTRACE_NOT_KNOWN && used < size)
		snprintf(to + used, size - used, key->exclusive ? ", exclusive" : ", not exclusive");
	return to;
}

/* --- by reason --------------------------------------------------------------- */

static int by_unneeded(const void *one, const void *other)
{
	const struct ct_whatif_cause_row *a = one, *b = other;

	if (a->change.faults != b->change.faults)
		return a->change.faults > b->change.faults ? -1 : 1;
	if (a->open != b->open)
		return a->open > b->open ? -1 : 1;
	if (a->needed != b->needed)
		return a->needed > b->needed ? -1 : 1;
	return a->outcome != b->outcome ? a->outcome - b->outcome : a->reason - b->reason;
}

int ct_whatif_by_reason(const struct ct_whatif_sum *sum, size_t policy,
			struct ct_whatif_cause_row **out, size_t *nr)
{
	struct ct_whatif_cause_row *rows = NULL, *it;
	struct ct_map place = { 0 };
	size_t i;

	*nr = 0;
	for (i = 0; i < sum->w->nr; i++) {
		const struct ct_whatif_pattern *p = &sum->w->list[i];
		uint8_t answer = p->key.predicted[policy].answer;

		if (!not_reused(p))
			continue;
		it = CT_ELEMENT(&place, p->key.outcome, p->key.reason, rows, nr);
		if (!it) {
			free(rows);
			ct_map_free(&place);
			return -ENOMEM;
		}
		it->outcome = p->key.outcome;
		it->reason = p->key.reason;
		if (answer == COWTRACE_ANSWER_UNDETERMINED)
			it->open += p->faults;
		else if (!ct_whatif_change(sum, p, policy, &it->change))
			it->needed += p->faults;
	}
	ct_map_free(&place);
	if (*nr)
		qsort(rows, *nr, sizeof(*rows), by_unneeded);
	*out = rows;
	return 0;
}
