// SPDX-License-Identifier: GPL-2.0
/* The operations of experiments, read. */
#include <string.h>

#include "experiment_parse.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* The words that a verb takes, where they are not free; the first of each is the verb's. */
static const struct {
	enum ct_exp_verb verb;
	const char	*word;
} words[] = {
	{ CT_EXP_VERB_WRITE, "all" },
	{ CT_EXP_VERB_READ, "all" },
	{ CT_EXP_VERB_HOLD, "pipe" },
	{ CT_EXP_VERB_HOLD, "uring" },
	{ CT_EXP_VERB_HOLD, "direct" },
	{ CT_EXP_VERB_UFFD, "sync" },
	{ CT_EXP_VERB_UFFD, "async" },
};

static int actor_of(const struct ct_experiment *e, const char *name)
{
	unsigned int i;

	for (i = 0; i < e->nr_actors; i++)
		if (!strcmp(e->actor[i], name))
			return i;
	return -1;
}

static int add_actor(struct ct_exp_parser *p, const char *name)
{
	struct ct_experiment *e = p->e;

	if (!ct_exp_is_name(name))
		return ct_exp_wrong(p, "\"%s\" is no name", name);
	if (actor_of(e, name) >= 0)
		return ct_exp_wrong(p, "there is an actor %s already", name);
	if (e->nr_actors == CT_EXP_ACTORS)
		return ct_exp_wrong(p, "more than %d actors", CT_EXP_ACTORS);
	strcpy(e->actor[e->nr_actors], name);
	return e->nr_actors++;
}

static int word_fits(struct ct_exp_parser *p, enum ct_exp_verb verb, const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].verb == verb && !strcmp(words[i].word, word))
			return 0;
	return ct_exp_wrong(p, "%s does not take \"%s\"", ct_exp_forms[verb].name, word);
}

static int parse_area_of(struct ct_exp_parser *p, struct ct_exp_op *op, const char *name)
{
	unsigned int i;

	if (!name)
		return ct_exp_wrong(p, "%s wants an area", ct_exp_forms[op->verb].name);
	for (i = 0; i < p->e->nr_areas; i++)
		if (!strcmp(p->e->area[i].name, name)) {
			op->area = i;
			return 0;
		}
	return ct_exp_wrong(p, "there is no area %s", name);
}

/* FIRST-LAST */
static bool pages_of(const char *text, unsigned int pages, struct ct_exp_op *op)
{
	char copy[CT_EXP_WORD], *last;

	strcpy(copy, text);
	last = strchr(copy, '-');
	if (!last)
		return false;
	*last++ = '\0';
	return ct_exp_number(copy, 0, pages - 1, &op->number) &&
	       ct_exp_number(last, op->number, pages - 1, &op->last);
}

static int parse_word(struct ct_exp_parser *p, struct ct_exp_op *op, const char *word)
{
	switch (op->verb) {
	case CT_EXP_VERB_FORK:
	case CT_EXP_VERB_THREAD:
		op->other = add_actor(p, word);
		return op->other < 0 ? op->other : 0;
	case CT_EXP_VERB_MEM_WRITE:
	case CT_EXP_VERB_PTRACE_WRITE:
		op->other = actor_of(p->e, word);
		return op->other < 0 ? ct_exp_wrong(p, "there is no actor %s yet", word) : 0;
	case CT_EXP_VERB_CPU:
		if (!ct_exp_number(word, 0, 4095, &op->number))
			return ct_exp_wrong(p, "\"%s\" is no CPU", word);
		if (op->number >= p->e->cpus)
			p->e->cpus = op->number + 1;
		return 0;
	case CT_EXP_VERB_WAIT:
		return ct_exp_number(word, 1, 60000, &op->number) ? 0 :
		       ct_exp_wrong(p, "\"%s\" is no number of milliseconds from 1 to 60000", word);
	case CT_EXP_VERB_POKE:
		return ct_exp_number(word, 0, ct_exp_unit(p->e->area[op->area].kind) / 4096 - 1,
				     &op->number) ? 0 :
		       ct_exp_wrong(p, "\"%s\" is no page of a unit", word);
	case CT_EXP_VERB_KEEP:
		return pages_of(word, ct_exp_unit(p->e->area[op->area].kind) / 4096, op) ? 0 :
		       ct_exp_wrong(p, "\"%s\" are no pages FIRST-LAST of a unit", word);
	case CT_EXP_VERB_COLLAPSE:
		if (p->e->area[op->area].kind != CT_EXP_KIND_THP ||
		    p->e->area[op->area].units != 1)
			return ct_exp_wrong(p,
					    "collapse wants an area of thp 1: one range is watched");
		return ct_exp_number(word, 0, 511, &op->number) ? 0 :
		       ct_exp_wrong(p, "\"%s\" is no limit of shared pages from 0 to 511", word);
	default:
		strcpy(op->word, word);
		return word_fits(p, op->verb, word);
	}
}

static void note_needs(struct ct_experiment *e, const struct ct_exp_op *op)
{
	if (op->verb == CT_EXP_VERB_PAGEOUT)
		e->needs |= CT_EXP_NEED_SWAP;
	if (op->verb == CT_EXP_VERB_HOLD && !strcmp(op->word, "direct"))
		e->needs |= CT_EXP_NEED_SLOW_DISK;
}

int ct_exp_parse_op(struct ct_exp_parser *p, char *text)
{
	struct ct_experiment *e = p->e;
	struct ct_exp_op op = { .area = -1, .other = -1, .line = p->line };
	char *word = ct_exp_next(&text), *colon;
	unsigned int n = 0, verb;
	int ret;

	if (!word)
		return ct_exp_wrong(p, "an operation is missing");
	colon = word + strlen(word) - 1;
	if (*colon == ':') {
		*colon = '\0';
		op.actor = actor_of(e, word);
		if (op.actor < 0)
			return ct_exp_wrong(p, "there is no actor %s yet", word);
		word = ct_exp_next(&text);
		if (!word)
			return ct_exp_wrong(p, "an operation is missing");
	}
	for (verb = 0; verb < CT_EXP_NR_VERBS && strcmp(ct_exp_forms[verb].name, word); verb++)
		;
	if (verb == CT_EXP_NR_VERBS)
		return ct_exp_wrong(p,
				    "there is no operation \"%s\", see cowtrace experiment --help",
				    word);
	op.verb = verb;
	if (ct_exp_forms[verb].area) {
		ret = parse_area_of(p, &op, ct_exp_next(&text));
		if (ret)
			return ret;
	}
	while ((word = ct_exp_next(&text))) {
		if (n++ == ct_exp_forms[verb].greatest || strlen(word) >= CT_EXP_WORD)
			return ct_exp_wrong(p, "%s does not take \"%s\"",
					    ct_exp_forms[verb].name, word);
		ret = parse_word(p, &op, word);
		if (ret)
			return ret;
	}
	if (n < ct_exp_forms[verb].least)
		return ct_exp_wrong(p, "%s wants a further word", ct_exp_forms[verb].name);
	if (e->nr_ops == CT_EXP_OPS)
		return ct_exp_wrong(p, "more than %d operations", CT_EXP_OPS);
	note_needs(e, &op);
	e->op[e->nr_ops++] = op;
	return 0;
}

/* They meet at each page. */
static bool go_together(const struct ct_experiment *e, const struct ct_exp_op *a,
			const struct ct_exp_op *b)
{
	bool touch = (a->verb == CT_EXP_VERB_WRITE || a->verb == CT_EXP_VERB_READ) &&
		     (b->verb == CT_EXP_VERB_WRITE || b->verb == CT_EXP_VERB_READ);

	return touch && a->actor != b->actor && !strcmp(a->word, b->word) &&
	       e->area[a->area].kind == e->area[b->area].kind &&
	       e->area[a->area].units == e->area[b->area].units;
}

int ct_exp_parse_step(struct ct_exp_parser *p, char *rest)
{
	struct ct_experiment *e = p->e;
	char *name = ct_exp_next(&rest), *op;
	unsigned int i;
	int ret;

	if (!name || !ct_exp_is_name(name))
		return ct_exp_wrong(p, "a step wants a name");
	for (i = 0; i < e->nr_steps; i++)
		if (!strcmp(e->step[i].name, name))
			return ct_exp_wrong(p, "there is a step %s already", name);
	if (e->nr_steps == CT_EXP_STEPS)
		return ct_exp_wrong(p, "more than %d steps", CT_EXP_STEPS);
	p->step = &e->step[e->nr_steps];
	strcpy(p->step->name, name);
	p->step->first = e->nr_ops;
	while ((op = strsep(&rest, "&"))) {
		ret = ct_exp_parse_op(p, op);
		if (ret)
			return ret;
		if (e->op[e->nr_ops - 1].area < 0)
			return ct_exp_wrong(p, "a step is watched in its area, and this has none");
		p->step->n++;
	}
	if (p->step->n > CT_EXP_PARTIES)
		return ct_exp_wrong(p, "more than %d at the same time", CT_EXP_PARTIES);
	if (p->step->n > 1 && !go_together(e, &e->op[p->step->first], &e->op[p->step->first + 1]))
		return ct_exp_wrong(p,
				    "at the same time two actors can write or read as many pages each, and nothing else");
	e->nr_steps++;
	return 0;
}
