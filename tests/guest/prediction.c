// SPDX-License-Identifier: GPL-2.0
#include "prediction.h"

#include "lib.h"
#include "records.h"

static bool decided(const struct cowtrace_record *r)
{
	return r->outcome == COWTRACE_OUTCOME_REUSE || r->outcome == COWTRACE_OUTCOME_COPY ||
	       r->outcome == COWTRACE_OUTCOME_UNSHARE || r->outcome == COWTRACE_OUTCOME_SPLIT;
}

static void add_wrong(struct predictions *p, const struct cowtrace_record *r,
		      struct cowtrace_prediction said)
{
	struct wrong *it;

	for (it = p->wrong; it < p->wrong + p->nr_wrong; it++)
		if (it->said.step == said.step && it->said.answer == said.answer &&
		    it->example.path == r->path && it->example.outcome == r->outcome &&
		    it->example.reason == r->reason)
			break;
	if (it == p->wrong + WRONG_MAX)
		return;
	if (it == p->wrong + p->nr_wrong) {
		p->nr_wrong++;
		it->said = said;
		it->example = *r;
	}
	it->n++;
}

void predictions_add(struct predictions *p, const struct cowtrace_record *r, unsigned int traits)
{
	struct cowtrace_facts f = cowtrace_facts(r, traits);
	struct cowtrace_prediction said;

	if (!f.asked || !decided(r))
		return;
	said = cowtrace_foresee(r, traits);
	if (said.answer == COWTRACE_ANSWER_NONE)
		return;
	p->decided++;
	if (said.answer == COWTRACE_ANSWER_UNDETERMINED) {
		p->open[said.cause]++;
	} else if ((said.answer == COWTRACE_ANSWER_REUSE) ==
		   (r->outcome == COWTRACE_OUTCOME_REUSE)) {
		p->right++;
	} else {
		p->missed++;
		add_wrong(p, r, said);
	}
}

void predictions_check(const struct predictions *p)
{
	static const struct cowtrace_word causes[] = { COWTRACE_CAUSES(COWTRACE_WORD_) };
	static const char * const tests[] = {
#define TEST_(id, value, test, where)	(test),
		COWTRACE_POLICY_STEPS(TEST_)
	};
	unsigned long long open = 0;
	size_t i;

	for (i = 0; i < COWTRACE_NR_CAUSES; i++) {
		open += p->open[i];
		if (p->open[i])
			note("undetermined: %s %llu", causes[i].name, p->open[i]);
	}
	for (i = 0; i < p->nr_wrong; i++)
		note("otherwise than predicted by %s: %llu, like %s", tests[p->wrong[i].said.step],
		     p->wrong[i].n, record_text(&p->wrong[i].example));
	check(p->right && p->missed * 1000 <= p->right + p->missed, "predicted",
	      "the kernel's own policy predicts at least 99.9 % of the determined faults",
	      "%llu right, %llu wrong", p->right, p->missed);
	check(open * 100 <= p->decided, "undetermined",
	      "at most 1 % of the faults are undetermined", "%llu of %llu", open, p->decided);
}
