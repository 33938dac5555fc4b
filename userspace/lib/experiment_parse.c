// SPDX-License-Identifier: GPL-2.0
/* The text of experiments, read line by line. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/vocab.h>

#include "bytes.h"
#include "experiment_parse.h"
#include "experiment_scan.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static const char *const kind_names[] = {
#define KIND_(id, n, s)	n,
	CT_EXP_KINDS(KIND_)
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

int ct_exp_wrong(struct ct_exp_parser *p, const char *format, ...)
{
	char text[CT_ERROR_TEXT / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return ct_error_set(p->err, -EINVAL, "%s:%u: %s", p->file, p->line, text);
}

char *ct_exp_next(char **rest)
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

bool ct_exp_is_name(const char *word)
{
	size_t i;

	for (i = 0; word[i]; i++)
		if (!isalnum((unsigned char)word[i]) && !strchr("-_.", word[i]))
			return false;
	return i && i < CT_EXP_WORD;
}

bool ct_exp_number(const char *word, unsigned int least, unsigned int greatest,
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

static int copy_text(struct ct_exp_parser *p, char *to, size_t size, const char *text,
		     const char *what)
{
	text += strspn(text, " \t");
	if (!*text)
		return ct_exp_wrong(p, "%s is empty", what);
	if (strlen(text) >= size)
		return ct_exp_wrong(p, "%s is longer than %zu characters", what, size - 1);
	strcpy(to, text);
	return 0;
}

/* --- answers ------------------------------------------------------------------ */

static int parse_fault(struct ct_exp_parser *p, char *text, struct ct_exp_fault *fault)
{
	char *reason = strchr(text, ':');

	if (reason)
		*reason++ = '\0';
	fault->outcome = word_of(outcomes, ARRAY_SIZE(outcomes), text);
	if (fault->outcome < 0)
		return ct_exp_wrong(p, "\"%s\" is no outcome, see cowtrace events --help", text);
	fault->reason = reason ? word_of(reasons, ARRAY_SIZE(reasons), reason) : -1;
	if (reason && fault->reason < 0)
		return ct_exp_wrong(p, "\"%s\" is no reason, see cowtrace events --help", reason);
	return 0;
}

static int parse_sequence(struct ct_exp_parser *p, char *text, struct ct_exp_sequence *s)
{
	char *fault;
	int ret;

	s->n = 0;
	if (!strcmp(text, "none"))
		return 0;
	while ((fault = strsep(&text, "+"))) {
		if (s->n == CT_EXP_FAULTS)
			return ct_exp_wrong(p, "more than %d faults of one page", CT_EXP_FAULTS);
		ret = parse_fault(p, fault, &s->fault[s->n]);
		if (ret)
			return ret;
		s->n++;
	}
	return 0;
}

static int parse_answer(struct ct_exp_parser *p, const char *text, struct ct_exp_answer *a)
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
			return ct_exp_wrong(p, "more than %d possible sequences", CT_EXP_SEQUENCES);
		if (ct_exp_is_scan(p->e, p->step))
			ret = ct_exp_scan_parse(sequence, &a->scan[a->n]) ? 0 :
			      ct_exp_wrong(p,
					   "a scan is answered by VERDICT[:PRECISE/LIKELY/MAYBE]");
		else
			ret = parse_sequence(p, sequence, &a->sequence[a->n]);
		if (ret)
			return ret;
		a->n++;
	}
	a->given = true;
	return 0;
}

static int parse_row(struct ct_exp_parser *p, char *kernels, char *rest)
{
	struct ct_exp_answer a = { .given = false };
	char *answer, *name;
	int kernel, ret;

	if (!p->step)
		return ct_exp_wrong(p, "an answer stands below a step");
	answer = ct_exp_next(&rest);
	if (!answer)
		return ct_exp_wrong(p, "after the kernels comes an answer");
	ret = parse_answer(p, answer, &a);
	if (!ret)
		ret = copy_text(p, a.why, sizeof(a.why), rest, "the reason of the answer");
	while (!ret && (name = strsep(&kernels, ","))) {
		kernel = find(ct_exp_kernel_names, CT_EXP_NR_KERNELS, name);
		if (kernel < 0)
			return ct_exp_wrong(p, "kernels are 5.10, 6.1, 6.12 and 7.2, not \"%s\"",
					    name);
		if (p->step->answer[kernel].given)
			return ct_exp_wrong(p, "%s has an answer already", name);
		p->step->answer[kernel] = a;
	}
	return ret;
}

/* --- lines -------------------------------------------------------------------- */

/* What can be said only when the next experiment begins, or the text ends. */
static int end_experiment(struct ct_exp_parser *p)
{
	struct ct_experiment *e = p->e;
	unsigned int i, k;

	if (!e)
		return 0;
	if (!*e->title)
		return ct_exp_wrong(p, "experiment %s has no title", e->name);
	if (!e->nr_steps)
		return ct_exp_wrong(p, "experiment %s has no step", e->name);
	/* What it sets up itself it need not find. */
	if (e->needs & (CT_EXP_NEED_ZRAM | CT_EXP_NEED_SLOW_SWAP))
		e->needs &= ~CT_EXP_NEED_SWAP;
	for (i = 0; i < e->nr_steps; i++)
		for (k = 0; k < CT_EXP_NR_KERNELS; k++)
			if (!e->step[i].answer[k].given)
				return ct_exp_wrong(p, "experiment %s, step %s: no answer for %s",
						    e->name, e->step[i].name,
						    ct_exp_kernel_names[k]);
	return 0;
}

static int begin_experiment(struct ct_exp_parser *p, char *rest)
{
	char *name = ct_exp_next(&rest);
	struct ct_experiment *list;
	size_t i;
	int ret;

	ret = end_experiment(p);
	if (ret)
		return ret;
	if (!name || !ct_exp_is_name(name) || ct_exp_next(&rest))
		return ct_exp_wrong(p, "an experiment wants a name of letters, digits and - _ .");
	for (i = 0; i < p->all->n; i++)
		if (!strcmp(p->all->list[i].name, name))
			return ct_exp_wrong(p, "there is an experiment %s already", name);
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

static int parse_need(struct ct_exp_parser *p, char *rest)
{
	char *word = ct_exp_next(&rest);
	unsigned int n;
	size_t i;

	if (word && !strcmp(word, "cpus")) {
		word = ct_exp_next(&rest);
		if (!word || ct_exp_next(&rest) || !ct_exp_number(word, 1, 4096, &n))
			return ct_exp_wrong(p, "cpus wants a number");
		if (n > p->e->cpus)
			p->e->cpus = n;
		return 0;
	}
	for (i = 0; word && i < ARRAY_SIZE(needs); i++)
		if (!strcmp(needs[i].name, word)) {
			p->e->needs |= needs[i].need;
			return 0;
		}
	return ct_exp_wrong(p, "needs takes cpus N, swap, zram, slow-swap or slow-disk");
}

static int parse_area(struct ct_exp_parser *p, char *rest)
{
	char *name = ct_exp_next(&rest), *kind = ct_exp_next(&rest), *count = ct_exp_next(&rest);
	struct ct_experiment *e = p->e;
	struct ct_exp_area *a = &e->area[e->nr_areas];
	int k = kind ? find(kind_names, ARRAY_SIZE(kind_names), kind) : -1;
	unsigned int i;

	if (e->nr_areas == CT_EXP_AREAS)
		return ct_exp_wrong(p, "more than %d areas", CT_EXP_AREAS);
	if (!name || !ct_exp_is_name(name) || k < 0)
		return ct_exp_wrong(p,
				    "area wants a name, a kind and a number, see cowtrace experiment --help");
	for (i = 0; i < e->nr_areas; i++)
		if (!strcmp(e->area[i].name, name))
			return ct_exp_wrong(p, "there is an area %s already", name);
	if (!count || ct_exp_next(&rest) || !ct_exp_number(count, 1, 65536, &a->units))
		return ct_exp_wrong(p, "area %s wants a number of units, 1 to 65536", name);
	strcpy(a->name, name);
	a->kind = k;
	e->nr_areas++;
	return 0;
}

static int parse_line(struct ct_exp_parser *p, char *text)
{
	char *rest = text, *word;

	text[strcspn(text, "#")] = '\0';
	for (rest = text + strlen(text); rest > text && isspace((unsigned char)rest[-1]); rest--)
		rest[-1] = '\0';
	rest = text;
	word = ct_exp_next(&rest);
	if (!word)
		return 0;
	if (!strcmp(word, "experiment"))
		return begin_experiment(p, rest);
	if (!p->e)
		return ct_exp_wrong(p, "a file begins with: experiment NAME");
	if (!strcmp(word, "title"))
		return copy_text(p, p->e->title, sizeof(p->e->title), rest, "the title");
	if (!strcmp(word, "needs"))
		return parse_need(p, rest);
	if (!strcmp(word, "area"))
		return parse_area(p, rest);
	if (!strcmp(word, "do")) {
		p->step = NULL;
		return ct_exp_parse_op(p, rest);
	}
	if (!strcmp(word, "step"))
		return ct_exp_parse_step(p, rest);
	if (isdigit((unsigned char)*word))
		return parse_row(p, word, rest);
	return ct_exp_wrong(p,
			    "\"%s\" is none of experiment, title, needs, area, do, step, or a kernel",
			    word);
}

static int parse(struct ct_exp_parser *p, char *text)
{
	char *line;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		p->line++;
		ret = parse_line(p, line);
		if (ret)
			return ret;
	}
	return p->e ? end_experiment(p) : ct_exp_wrong(p, "there is no experiment in it");
}

int ct_experiments_parse(const char *text, size_t length, const char *file,
			 struct ct_experiments *all, struct ct_error *err)
{
	struct ct_exp_parser p = { .file = file, .all = all, .err = err };
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
