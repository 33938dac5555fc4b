// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"
#include "verify_state.h"

/* The folios of an area that the two kernels have not in common any more. */
struct lineage {
	char		area[CT_EXP_WORD];
	uint64_t	units;
	bool		*diverged;
};

struct comparison {
	struct ct_verify_pair	*pair;
	/* Of the experiment under way. */
	const char		*experiment;
	size_t			nr_areas;
	struct lineage		area[CT_EXP_AREAS];
};

const char *ct_verify_verdict_name(enum ct_verify_verdict verdict)
{
	static const char *const names[] = {
#define NAME_(id, n, s)	n,
		CT_VERIFY_VERDICTS(NAME_)
	};

	return names[verdict];
}

/* --- one fault ------------------------------------------------------------------ */

static enum ct_verify_seen seen(const struct ct_verify_fault *f)
{
	if (!f)
		return CT_VERIFY_SEEN_NOTHING;
	switch (f->record.outcome) {
	case COWTRACE_OUTCOME_REUSE:
		return CT_VERIFY_SEEN_REUSE;
	case COWTRACE_OUTCOME_COPY:
	case COWTRACE_OUTCOME_UNSHARE:
	case COWTRACE_OUTCOME_SPLIT:
		return CT_VERIFY_SEEN_COPY;
	default:
		return CT_VERIFY_SEEN_OTHER;
	}
}

/* A split leaves the page what it is. */
static bool copied(const struct ct_verify_fault *f)
{
	return seen(f) == CT_VERIFY_SEEN_COPY && f->record.outcome != COWTRACE_OUTCOME_SPLIT;
}

static bool hit(uint8_t answer, enum ct_verify_seen seen)
{
	return (answer == COWTRACE_ANSWER_REUSE && seen == CT_VERIFY_SEEN_REUSE) ||
	       (answer == COWTRACE_ANSWER_COPY && seen == CT_VERIFY_SEEN_COPY);
}

static struct cowtrace_prediction predict(const struct ct_verify_pair *p, uint32_t traits,
					  const struct cowtrace_record *r, int8_t exclusive)
{
	struct cowtrace_facts facts = cowtrace_facts(r, traits);

	if (facts.exclusive == COWTRACE_NOT_KNOWN)
		facts.exclusive = exclusive;
	cowtrace_ask_kernel(&facts, p->to->traits);
	return cowtrace_predict(p->policy, &facts);
}

/* Does what the kernels had made different before explain it? */
static bool other_state(const struct ct_verify_pair *p, const struct ct_verify_fault *from,
			const struct ct_verify_fault *to, enum ct_verify_seen saw)
{
	struct cowtrace_record r = ct_verify_in_state(&from->record, &to->record);
	struct cowtrace_prediction there = predict(p, p->from->traits, &r, from->exclusive);

	return (hit(there.answer, saw) || there.answer == COWTRACE_ANSWER_UNDETERMINED) &&
	       hit(predict(p, p->to->traits, &to->record, to->exclusive).answer, saw);
}

static enum ct_verify_verdict judge(const struct ct_verify_pair *p,
				    const struct ct_verify_fault *from,
				    const struct ct_verify_fault *to, enum ct_verify_seen saw,
				    struct cowtrace_prediction predicted)
{
	switch (predicted.answer) {
	case COWTRACE_ANSWER_NONE:
		/* Where the other kernel has decided, somebody should have been asked. */
		return saw == CT_VERIFY_SEEN_NOTHING || saw == CT_VERIFY_SEEN_OTHER ||
		       cowtrace_is_unshare_(&from->record) ?
		       CT_VERIFY_NOT_ASKED : CT_VERIFY_WRONG;
	case COWTRACE_ANSWER_UNDETERMINED:
		return saw == CT_VERIFY_SEEN_NOTHING ? CT_VERIFY_NOT_FAULTED :
						       CT_VERIFY_UNDETERMINED;
	default:
		if (hit(predicted.answer, saw))
			return CT_VERIFY_RIGHT;
		if (saw == CT_VERIFY_SEEN_NOTHING)
			return CT_VERIFY_NOT_FAULTED;
		return to && other_state(p, from, to, saw) ? CT_VERIFY_OTHER_STATE :
							     CT_VERIFY_WRONG;
	}
}

/* --- classes -------------------------------------------------------------------- */

static bool same_class(const struct ct_verify_class *a, const struct ct_verify_class *b)
{
	return !strcmp(a->experiment, b->experiment) && !strcmp(a->step, b->step) &&
	       a->path == b->path && a->has_record == b->has_record &&
	       a->predicted.answer == b->predicted.answer &&
	       a->predicted.cause == b->predicted.cause && a->seen == b->seen &&
	       a->verdict == b->verdict;
}

static int count(struct ct_verify_pair *p, const struct ct_verify_class *c)
{
	struct ct_verify_class *list;
	size_t i;

	for (i = 0; i < p->nr_classes; i++)
		if (same_class(&p->class[i], c)) {
			p->class[i].faults += c->faults;
			return 0;
		}
	list = realloc(p->class, (p->nr_classes + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	p->class = list;
	list[p->nr_classes++] = *c;
	p->count[c->verdict]++;
	return 0;
}

static bool asked_about(enum ct_verify_question q, const struct ct_verify_fault *f)
{
	switch (q) {
	case CT_VERIFY_Q_THP:
		return f && f->record.path == COWTRACE_PATH_PMD;
	case CT_VERIFY_Q_SWAPIN:
		return f && f->record.path == COWTRACE_PATH_PTE &&
		       f->record.origin == COWTRACE_ORIGIN_SWAPIN;
	default:
		return true;
	}
}

static int compare_fault(struct ct_verify_pair *p, const struct ct_verify_step *s,
			 const struct ct_verify_fault *from, const struct ct_verify_fault *to,
			 bool diverged)
{
	struct ct_verify_class c = {
		.experiment = s->experiment, .step = s->name,
		.path = (from ? from : to)->record.path,
		.has_record = from,
		.seen = seen(to),
		.faults = 1,
		.from = from ? &from->record : NULL,
		.to = to ? &to->record : NULL,
	};

	if (!asked_about(p->question, from) && !asked_about(p->question, to))
		return 0;
	if (p->question == CT_VERIFY_Q_SWAPIN && !to)
		c.seen = CT_VERIFY_SEEN_REUSE;
	if (from)
		c.predicted = predict(p, p->from->traits, &from->record, from->exclusive);
	if (diverged)
		c.verdict = CT_VERIFY_DIVERGED;
	else if (!from)
		c.verdict = CT_VERIFY_NOT_FAULTED;
	else
		c.verdict = judge(p, from, to, c.seen, c.predicted);
	return count(p, &c);
}

/* --- lineage -------------------------------------------------------------------- */

static void forget(struct comparison *c)
{
	while (c->nr_areas)
		free(c->area[--c->nr_areas].diverged);
}

static bool *lineage(struct comparison *c, const struct ct_verify_step *s, uint64_t *units)
{
	struct lineage *l = c->area;
	size_t i;

	for (i = 0; i < c->nr_areas && strcmp(l[i].area, s->area); i++)
		;
	if (i == CT_EXP_AREAS)
		return NULL;
	if (i == c->nr_areas) {
		l[i].units = (s->bytes + s->unit - 1) / s->unit;
		l[i].diverged = calloc(l[i].units, sizeof(bool));
		if (!l[i].diverged)
			return NULL;
		memcpy(l[i].area, s->area, sizeof(l[i].area));
		c->nr_areas++;
	}
	*units = l[i].units;
	return l[i].diverged;
}

static int compare_step(struct comparison *c, const struct ct_verify_step *from,
			const struct ct_verify_step *to)
{
	uint64_t pages = from->bytes / from->grain, units, i;
	bool *diverged = lineage(c, from, &units);
	int ret = 0;

	if (!diverged)
		return -ENOMEM;
	for (i = 0; !ret && i < pages; i++) {
		const struct ct_verify_fault *a = from->page[i], *b = to->page[i];
		uint64_t unit = i * from->grain / from->unit;

		for (; !ret && unit < units && (a || b); a = a ? a->next : a, b = b ? b->next : b) {
			ret = compare_fault(c->pair, from, a, b, diverged[unit]);
			diverged[unit] |= copied(a) != copied(b);
		}
	}
	return ret;
}

/* --- pairs ---------------------------------------------------------------------- */

static const struct ct_verify_step *find(const struct ct_verify_run *run,
					 const struct ct_verify_step *like)
{
	size_t i;

	for (i = 0; i < run->nr_steps; i++)
		if (!strcmp(run->step[i].experiment, like->experiment) &&
		    !strcmp(run->step[i].name, like->name))
			return &run->step[i];
	return NULL;
}

/* Afterwards nobody knows which process has which page. */
static bool has_race(const struct ct_verify_run *run, const char *experiment)
{
	size_t i;

	for (i = 0; i < run->nr_steps; i++)
		if (run->step[i].race && !strcmp(run->step[i].experiment, experiment))
			return true;
	return false;
}

static int absent(struct ct_verify_pair *p, const struct ct_verify_step *s)
{
	struct ct_verify_class c = {
		.experiment = s->experiment, .step = s->name, .path = COWTRACE_NR_PATHS,
		.verdict = CT_VERIFY_ABSENT,
	};

	return p->question == CT_VERIFY_Q_OWN ? count(p, &c) : 0;
}

/* Steps of the one, in their order. */
static int compare_steps(struct comparison *c, struct ct_error *err)
{
	const struct ct_verify_run *from = c->pair->from, *to = c->pair->to;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < from->nr_steps; i++) {
		const struct ct_verify_step *a = &from->step[i], *b = find(to, a);

		if (has_race(from, a->experiment) || has_race(to, a->experiment))
			continue;
		if (!c->experiment || strcmp(c->experiment, a->experiment))
			forget(c);
		c->experiment = a->experiment;
		if (!a->done || !b || !b->done) {
			ret = absent(c->pair, a);
			continue;
		}
		if (a->bytes != b->bytes || a->grain != b->grain || a->unit != b->unit ||
		    strcmp(a->area, b->area))
			return ct_error_set(err, -EINVAL,
					    "step %s of experiment %s is not the same on %s and %s: let one version of cowtrace run them on both",
					    a->name, a->experiment, from->label, to->label);
		ret = compare_step(c, a, b);
	}
	return ret;
}

/* Steps that only the other has. */
static int only_there(struct ct_verify_pair *p)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < p->to->nr_steps; i++)
		if (!find(p->from, &p->to->step[i]) &&
		    !has_race(p->to, p->to->step[i].experiment))
			ret = absent(p, &p->to->step[i]);
	return ret;
}

int ct_verify(const struct ct_verify_run *from, const struct ct_verify_run *to,
	      enum ct_verify_question question, struct ct_verify_pair *pair, struct ct_error *err)
{
	struct comparison c = { .pair = pair };
	int ret;

	memset(pair, 0, sizeof(*pair));
	pair->from = from;
	pair->to = to;
	pair->question = question;
	pair->policy = question == CT_VERIFY_Q_OWN ? cowtrace_own_policy(to->traits) :
						     COWTRACE_POLICY_MAPCOUNT;
	ret = compare_steps(&c, err);
	forget(&c);
	if (!ret)
		ret = only_there(pair);
	if (ret) {
		free(pair->class);
		pair->class = NULL;
		pair->nr_classes = 0;
	}
	return ret == -ENOMEM ? ct_error_set(err, ret, "no memory to compare the runs") : ret;
}
