// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "bytes.h"
#include "experiment.h"
#include "experiment_scan.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static const char *const kernel_names[] = {
#define KERNEL_(id, n, s)	n,
	CT_EXP_KERNELS(KERNEL_)
};

static const char *const kind_names[] = {
#define KIND_(id, n, s)	n,
	CT_EXP_KINDS(KIND_)
};

static const struct {
	const char	*name;
	bool		area;
	unsigned int	least, greatest;
} verbs[] = {
#define VERB_(id, n, a, l, g, s)	{ n, a, l, g },
	CT_EXP_VERBS(VERB_)
};

static const struct cowtrace_word outcomes[] = { COWTRACE_OUTCOMES(COWTRACE_WORD_) };
static const struct cowtrace_word reasons[] = { COWTRACE_REASONS(COWTRACE_WORD_) };

static const struct {
	const char	*name;
	unsigned int	need;
} needs[] = {
	{ "swap",	CT_EXP_NEED_SWAP },
	{ "zram",	CT_EXP_NEED_ZRAM },
	{ "slow-swap",	CT_EXP_NEED_SLOW_SWAP },
	{ "slow-disk",	CT_EXP_NEED_SLOW_DISK },
};

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

struct parser {
	const char		*file;
	unsigned int		line;
	struct ct_experiments	*all;
	struct ct_experiment	*e;
	struct ct_exp_step	*step;
	struct ct_error		*err;
};

enum ct_exp_kernel ct_exp_kernel(uint32_t traits)
{
	if (traits & COWTRACE_TRAIT_LARGE_EXCLUSIVE)
		return CT_EXP_KERNEL_7_2;
	if (traits & COWTRACE_TRAIT_SHARED_FIRST)
		return CT_EXP_KERNEL_6_12;
	return traits & COWTRACE_TRAIT_EXCLUSIVE ? CT_EXP_KERNEL_6_1 : CT_EXP_KERNEL_5_10;
}

const char *ct_exp_kernel_name(enum ct_exp_kernel kernel)
{
	return kernel_names[kernel];
}

const char *ct_exp_verb_name(enum ct_exp_verb verb)
{
	return verbs[verb].name;
}

/* The lists are in the order of the values. */
const char *ct_exp_outcome(int outcome)
{
	return outcomes[outcome].name;
}

const char *ct_exp_reason(int reason)
{
	return reasons[reason].name;
}

size_t ct_exp_unit(enum ct_exp_kind kind)
{
	switch (kind) {
	case CT_EXP_KIND_THP:
	case CT_EXP_KIND_HUGETLB:
		return 2 << 20;
	case CT_EXP_KIND_MTHP_16K:
		return 16 << 10;
	case CT_EXP_KIND_MTHP_64K:
		return 64 << 10;
	case CT_EXP_KIND_MTHP_512K:
		return 512 << 10;
	default:
		return 4 << 10;
	}
}

static bool sequence_matches(const struct ct_exp_sequence *s, const struct ct_exp_fault *fault,
			     unsigned int n)
{
	unsigned int i;

	if (s->n != n)
		return false;
	for (i = 0; i < n; i++)
		if (s->fault[i].outcome != fault[i].outcome ||
		    (s->fault[i].reason >= 0 && s->fault[i].reason != fault[i].reason))
			return false;
	return true;
}

bool ct_exp_matches(const struct ct_exp_answer *answer, const struct ct_exp_fault *fault,
		    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < answer->n; i++)
		if (sequence_matches(&answer->sequence[i], fault, n))
			return true;
	return false;
}

__attribute__((format(printf, 2, 3)))
static int wrong(struct parser *p, const char *format, ...)
{
	char text[CT_ERROR_TEXT / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return ct_error_set(p->err, -EINVAL, "%s:%u: %s", p->file, p->line, text);
}

/* The next word of a line; NULL at its end. */
static char *next(char **rest)
{
	char *word;

	*rest += strspn(*rest, " \t");
	if (!**rest)
		return NULL;
	word = *rest;
	*rest += strcspn(*rest, " \t");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static bool is_name(const char *word)
{
	size_t i;

	for (i = 0; word[i]; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr("-_.", word[i]))
			return false;
	return i && i < CT_EXP_WORD;
}

static bool number_of(const char *word, unsigned int least, unsigned int greatest,
		      unsigned int *value)
{
	uint64_t v;

	if (!ct_number(word, &v) || v < least || v > greatest)
		return false;
	*value = v;
	return true;
}

static int find(const char *const *names, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], word))
			return i;
	return -1;
}

static int word_of(const struct cowtrace_word *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return list[i].value;
	return -1;
}

static int copy_text(struct parser *p, char *to, size_t size, const char *text, const char *what)
{
	text += strspn(text, " \t");
	if (!*text)
		return wrong(p, "%s is empty", what);
	if (strlen(text) >= size)
		return wrong(p, "%s is longer than %zu characters", what, size - 1);
	strcpy(to, text);
	return 0;
}

/* --- answers ------------------------------------------------------------------ */

static int parse_fault(struct parser *p, char *text, struct ct_exp_fault *fault)
{
	char *reason = strchr(text, ':');

	if (reason)
		*reason++ = '\0';
	fault->outcome = word_of(outcomes, ARRAY_SIZE(outcomes), text);
	if (fault->outcome < 0)
		return wrong(p, "\"%s\" is no outcome, see cowtrace events --help", text);
	fault->reason = reason ? word_of(reasons, ARRAY_SIZE(reasons), reason) : -1;
	if (reason && fault->reason < 0)
		return wrong(p, "\"%s\" is no reason, see cowtrace events --help", reason);
	return 0;
}

static int parse_sequence(struct parser *p, char *text, struct ct_exp_sequence *s)
{
	char *fault;
	int ret;

	s->n = 0;
	if (!strcmp(text, "none"))
		return 0;
	while ((fault = strsep(&text, "+"))) {
		if (s->n == CT_EXP_FAULTS)
			return wrong(p, "more than %d faults of one page", CT_EXP_FAULTS);
		ret = parse_fault(p, fault, &s->fault[s->n]);
		if (ret)
			return ret;
		s->n++;
	}
	return 0;
}

static int parse_answer(struct parser *p, const char *text, struct ct_exp_answer *a)
{
	char buffer[CT_EXP_TEXT], *rest = buffer, *sequence;
	int ret;

	ret = copy_text(p, a->text, sizeof(a->text), text, "the answer");
	if (ret)
		return ret;
	strcpy(buffer, text);
	a->absent = !strcmp(text, "absent");
	a->n = 0;
	while (!a->absent && (sequence = strsep(&rest, "|"))) {
		if (a->n == CT_EXP_SEQUENCES)
			return wrong(p, "more than %d possible sequences", CT_EXP_SEQUENCES);
		if (ct_exp_is_scan(p->e, p->step))
			ret = ct_exp_scan_parse(sequence, &a->scan[a->n]) ? 0 :
			      wrong(p, "a scan is answered by VERDICT[:PRECISE/LIKELY/MAYBE]");
		else
			ret = parse_sequence(p, sequence, &a->sequence[a->n]);
		if (ret)
			return ret;
		a->n++;
	}
	a->given = true;
	return 0;
}

static int parse_row(struct parser *p, char *kernels, char *rest)
{
	struct ct_exp_answer a = { .given = false };
	char *answer, *name;
	int kernel, ret;

	if (!p->step)
		return wrong(p, "an answer stands below a step");
	answer = next(&rest);
	if (!answer)
		return wrong(p, "after the kernels comes an answer");
	ret = parse_answer(p, answer, &a);
	if (!ret)
		ret = copy_text(p, a.why, sizeof(a.why), rest, "the reason of the answer");
	while (!ret && (name = strsep(&kernels, ","))) {
		kernel = find(kernel_names, ARRAY_SIZE(kernel_names), name);
		if (kernel < 0)
			return wrong(p, "kernels are 5.10, 6.1, 6.12 and 7.2, not \"%s\"", name);
		if (p->step->answer[kernel].given)
			return wrong(p, "%s has an answer already", name);
		p->step->answer[kernel] = a;
	}
	return ret;
}

/* --- operations --------------------------------------------------------------- */

static int actor_of(const struct ct_experiment *e, const char *name)
{
	unsigned int i;

	for (i = 0; i < e->nr_actors; i++)
		if (!strcmp(e->actor[i], name))
			return i;
	return -1;
}

static int add_actor(struct parser *p, const char *name)
{
	struct ct_experiment *e = p->e;

	if (!is_name(name))
		return wrong(p, "\"%s\" is no name", name);
	if (actor_of(e, name) >= 0)
		return wrong(p, "there is an actor %s already", name);
	if (e->nr_actors == CT_EXP_ACTORS)
		return wrong(p, "more than %d actors", CT_EXP_ACTORS);
	strcpy(e->actor[e->nr_actors], name);
	return e->nr_actors++;
}

static int word_fits(struct parser *p, enum ct_exp_verb verb, const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].verb == verb && !strcmp(words[i].word, word))
			return 0;
	return wrong(p, "%s does not take \"%s\"", verbs[verb].name, word);
}

static int parse_area_of(struct parser *p, struct ct_exp_op *op, const char *name)
{
	unsigned int i;

	if (!name)
		return wrong(p, "%s wants an area", verbs[op->verb].name);
	for (i = 0; i < p->e->nr_areas; i++)
		if (!strcmp(p->e->area[i].name, name)) {
			op->area = i;
			return 0;
		}
	return wrong(p, "there is no area %s", name);
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
	return number_of(copy, 0, pages - 1, &op->number) &&
	       number_of(last, op->number, pages - 1, &op->last);
}

static int parse_word(struct parser *p, struct ct_exp_op *op, const char *word)
{
	switch (op->verb) {
	case CT_EXP_VERB_FORK:
	case CT_EXP_VERB_THREAD:
		op->other = add_actor(p, word);
		return op->other < 0 ? op->other : 0;
	case CT_EXP_VERB_MEM_WRITE:
	case CT_EXP_VERB_PTRACE_WRITE:
		op->other = actor_of(p->e, word);
		return op->other < 0 ? wrong(p, "there is no actor %s yet", word) : 0;
	case CT_EXP_VERB_CPU:
		if (!number_of(word, 0, 4095, &op->number))
			return wrong(p, "\"%s\" is no CPU", word);
		if (op->number >= p->e->cpus)
			p->e->cpus = op->number + 1;
		return 0;
	case CT_EXP_VERB_WAIT:
		return number_of(word, 1, 60000, &op->number) ? 0 :
		       wrong(p, "\"%s\" is no number of milliseconds from 1 to 60000", word);
	case CT_EXP_VERB_POKE:
		return number_of(word, 0, ct_exp_unit(p->e->area[op->area].kind) / 4096 - 1,
				 &op->number) ? 0 : wrong(p, "\"%s\" is no page of a unit", word);
	case CT_EXP_VERB_KEEP:
		return pages_of(word, ct_exp_unit(p->e->area[op->area].kind) / 4096, op) ? 0 :
		       wrong(p, "\"%s\" are no pages FIRST-LAST of a unit", word);
	case CT_EXP_VERB_COLLAPSE:
		if (p->e->area[op->area].kind != CT_EXP_KIND_THP ||
		    p->e->area[op->area].units != 1)
			return wrong(p, "collapse wants an area of thp 1: one range is watched");
		return number_of(word, 0, 511, &op->number) ? 0 :
		       wrong(p, "\"%s\" is no limit of shared pages from 0 to 511", word);
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

static int parse_op(struct parser *p, char *text)
{
	struct ct_experiment *e = p->e;
	struct ct_exp_op op = { .area = -1, .other = -1, .line = p->line };
	char *word = next(&text), *colon;
	unsigned int n = 0, verb;
	int ret;

	if (!word)
		return wrong(p, "an operation is missing");
	colon = word + strlen(word) - 1;
	if (*colon == ':') {
		*colon = '\0';
		op.actor = actor_of(e, word);
		if (op.actor < 0)
			return wrong(p, "there is no actor %s yet", word);
		word = next(&text);
		if (!word)
			return wrong(p, "an operation is missing");
	}
	for (verb = 0; verb < ARRAY_SIZE(verbs) && strcmp(verbs[verb].name, word); verb++)
		;
	if (verb == ARRAY_SIZE(verbs))
		return wrong(p, "there is no operation \"%s\", see cowtrace experiment --help",
			     word);
	op.verb = verb;
	if (verbs[verb].area) {
		ret = parse_area_of(p, &op, next(&text));
		if (ret)
			return ret;
	}
	while ((word = next(&text))) {
		if (n++ == verbs[verb].greatest || strlen(word) >= CT_EXP_WORD)
			return wrong(p, "%s does not take \"%s\"", verbs[verb].name, word);
		ret = parse_word(p, &op, word);
		if (ret)
			return ret;
	}
	if (n < verbs[verb].least)
		return wrong(p, "%s wants a further word", verbs[verb].name);
	if (e->nr_ops == CT_EXP_OPS)
		return wrong(p, "more than %d operations", CT_EXP_OPS);
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

static int parse_step(struct parser *p, char *rest)
{
	struct ct_experiment *e = p->e;
	char *name = next(&rest), *op;
	unsigned int i;
	int ret;

	if (!name || !is_name(name))
		return wrong(p, "a step wants a name");
	for (i = 0; i < e->nr_steps; i++)
		if (!strcmp(e->step[i].name, name))
			return wrong(p, "there is a step %s already", name);
	if (e->nr_steps == CT_EXP_STEPS)
		return wrong(p, "more than %d steps", CT_EXP_STEPS);
	p->step = &e->step[e->nr_steps];
	strcpy(p->step->name, name);
	p->step->first = e->nr_ops;
	while ((op = strsep(&rest, "&"))) {
		ret = parse_op(p, op);
		if (ret)
			return ret;
		if (e->op[e->nr_ops - 1].area < 0)
			return wrong(p, "a step is watched in its area, and this has none");
		p->step->n++;
	}
	if (p->step->n > CT_EXP_PARTIES)
		return wrong(p, "more than %d at the same time", CT_EXP_PARTIES);
	if (p->step->n > 1 && !go_together(e, &e->op[p->step->first], &e->op[p->step->first + 1]))
		return wrong(p,
			     "at the same time two actors can write or read as many pages each, and nothing else");
	e->nr_steps++;
	return 0;
}

/* --- lines -------------------------------------------------------------------- */

/* What can be said only when the next experiment begins, or the text ends. */
static int end_experiment(struct parser *p)
{
	struct ct_experiment *e = p->e;
	unsigned int i, k;

	if (!e)
		return 0;
	if (!*e->title)
		return wrong(p, "experiment %s has no title", e->name);
	if (!e->nr_steps)
		return wrong(p, "experiment %s has no step", e->name);
	/* What it sets up itself it need not find. */
	if (e->needs & (CT_EXP_NEED_ZRAM | CT_EXP_NEED_SLOW_SWAP))
		e->needs &= ~CT_EXP_NEED_SWAP;
	for (i = 0; i < e->nr_steps; i++)
		for (k = 0; k < CT_EXP_NR_KERNELS; k++)
			if (!e->step[i].answer[k].given)
				return wrong(p, "experiment %s, step %s: no answer for %s", e->name,
					     e->step[i].name, kernel_names[k]);
	return 0;
}

static int begin_experiment(struct parser *p, char *rest)
{
	char *name = next(&rest);
	struct ct_experiment *list;
	size_t i;
	int ret;

	ret = end_experiment(p);
	if (ret)
		return ret;
	if (!name || !is_name(name) || next(&rest))
		return wrong(p, "an experiment wants a name of letters, digits and - _ .");
	for (i = 0; i < p->all->n; i++)
		if (!strcmp(p->all->list[i].name, name))
			return wrong(p, "there is an experiment %s already", name);
	list = realloc(p->all->list, (p->all->n + 1) * sizeof(*list));
	if (!list)
		return ct_error_set(p->err, -ENOMEM, "no memory for the experiments");
	p->all->list = list;
	p->e = &list[p->all->n++];
	memset(p->e, 0, sizeof(*p->e));
	strcpy(p->e->name, name);
	strcpy(p->e->actor[p->e->nr_actors++], "p");
	p->e->cpus = 1;
	p->step = NULL;
	return 0;
}

static int parse_need(struct parser *p, char *rest)
{
	char *word = next(&rest);
	unsigned int n;
	size_t i;

	if (word && !strcmp(word, "cpus")) {
		word = next(&rest);
		if (!word || next(&rest) || !number_of(word, 1, 4096, &n))
			return wrong(p, "cpus wants a number");
		if (n > p->e->cpus)
			p->e->cpus = n;
		return 0;
	}
	for (i = 0; word && i < ARRAY_SIZE(needs); i++)
		if (!strcmp(needs[i].name, word)) {
			p->e->needs |= needs[i].need;
			return 0;
		}
	return wrong(p, "needs takes cpus N, swap, zram, slow-swap or slow-disk");
}

static int parse_area(struct parser *p, char *rest)
{
	char *name = next(&rest), *kind = next(&rest), *count = next(&rest);
	struct ct_experiment *e = p->e;
	struct ct_exp_area *a = &e->area[e->nr_areas];
	int k = kind ? find(kind_names, ARRAY_SIZE(kind_names), kind) : -1;
	unsigned int i;

	if (e->nr_areas == CT_EXP_AREAS)
		return wrong(p, "more than %d areas", CT_EXP_AREAS);
	if (!name || !is_name(name) || k < 0)
		return wrong(p,
			     "area wants a name, a kind and a number, see cowtrace experiment --help");
	for (i = 0; i < e->nr_areas; i++)
		if (!strcmp(e->area[i].name, name))
			return wrong(p, "there is an area %s already", name);
	if (!count || next(&rest) || !number_of(count, 1, 65536, &a->units))
		return wrong(p, "area %s wants a number of units, 1 to 65536", name);
	strcpy(a->name, name);
	a->kind = k;
	e->nr_areas++;
	return 0;
}

static int parse_line(struct parser *p, char *text)
{
	char *rest = text, *word;

	text[strcspn(text, "#")] = '\0';
	for (rest = text + strlen(text); rest > text && isspace((unsigned char)rest[-1]); rest--)
		rest[-1] = '\0';
	rest = text;
	word = next(&rest);
	if (!word)
		return 0;
	if (!strcmp(word, "experiment"))
		return begin_experiment(p, rest);
	if (!p->e)
		return wrong(p, "a file begins with: experiment NAME");
	if (!strcmp(word, "title"))
		return copy_text(p, p->e->title, sizeof(p->e->title), rest, "the title");
	if (!strcmp(word, "needs"))
		return parse_need(p, rest);
	if (!strcmp(word, "area"))
		return parse_area(p, rest);
	if (!strcmp(word, "do")) {
		p->step = NULL;
		return parse_op(p, rest);
	}
	if (!strcmp(word, "step"))
		return parse_step(p, rest);
	if (isdigit((unsigned char)*word))
		return parse_row(p, word, rest);
	return wrong(p,
		     "\"%s\" is none of experiment, title, needs, area, do, step, or a kernel", word);
}

static int parse(struct parser *p, char *text)
{
	char *line;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		p->line++;
		ret = parse_line(p, line);
		if (ret)
			return ret;
	}
	return p->e ? end_experiment(p) : wrong(p, "there is no experiment in it");
}

int ct_experiments_parse(const char *text, size_t length, const char *file,
			 struct ct_experiments *all, struct ct_error *err)
{
	struct parser p = { .file = file, .all = all, .err = err };
	char *copy = strndup(text, length);
	size_t before = all->n;
	int ret;

	if (!copy)
		return ct_error_set(err, -ENOMEM, "no memory for %s", file);
	ret = strlen(copy) == length ? parse(&p, copy) :
	      ct_error_set(err, -EINVAL, "%s: this is no text", file);
	if (ret)
		all->n = before;
	free(copy);
	return ret;
}

void ct_experiments_free(struct ct_experiments *all)
{
	free(all->list);
	all->list = NULL;
	all->n = 0;
}
