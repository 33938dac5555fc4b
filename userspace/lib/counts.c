// SPDX-License-Identifier: GPL-2.0
#include "counts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "map.h"

#define LINE_MAX_	512

static const struct cowtrace_word policies[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };
static const struct cowtrace_word answers[] = { COWTRACE_ANSWERS(COWTRACE_WORD_) };

struct parser {
	struct ct_counts	*counts;
	const struct ct_schema	*schema;
};

/* Return: the number of a word, -1 when the schema has none. */
static int word(const struct parser *p, const char *vocab, const char *name)
{
	const struct ct_word *w = ct_schema_named(p->schema, vocab, name, strlen(name));

	return w && w->value <= UINT8_MAX ? (int)w->value : -1;
}

/* Likewise of a list that no schema has. */
static int listed(const struct cowtrace_word *list, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(list[i].name, name))
			return list[i].value;
	return -1;
}

/* A time, or '-' where none was taken. */
static bool duration(const char *text, uint64_t *ns, bool *timed)
{
	*ns = 0;
	*timed = strcmp(text, "-");
	return !*timed || ct_number(text, ns);
}

/* Cut off the next word. Return: NULL at the end. */
static char *next(char **rest)
{
	char *at = strsep(rest, " ");

	return at && *at ? at : NULL;
}

/* All @n words, no more and no less. */
static bool words(char **rest, char **to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = next(rest);
		if (!to[i])
			return false;
	}
	return !*rest;
}

static struct ct_counted *pair(struct parser *p, const char *outcome, const char *reason)
{
	int o = word(p, "outcome", outcome), r = word(p, "reason", reason);
	struct ct_counts *c = p->counts;
	struct ct_counted *grown;

	if (o < 0 || r < 0)
		return NULL;
	for (size_t i = 0; i < c->nr_pairs; i++)
		if (c->pairs[i].outcome == o && c->pairs[i].reason == r)
			return &c->pairs[i];
	grown = ct_grow(c->pairs, c->nr_pairs, sizeof(*grown));
	if (!grown)
		return NULL;
	c->pairs = grown;
	grown[c->nr_pairs] = (struct ct_counted){ .outcome = o, .reason = r };
	return &grown[c->nr_pairs++];
}

static bool take_flag(struct parser *p, bool *flag, char *rest)
{
	(void)p;
	*flag = !strcmp(rest, "1");
	return *flag || !strcmp(rest, "0");
}

static bool take_mode(struct parser *p, char *rest)
{
	p->counts->counting = !strcmp(rest, "counts");
	return p->counts->counting || !strcmp(rest, "records");
}

static bool take_durations(struct parser *p, char *rest)
{
	return take_flag(p, &p->counts->durations, rest);
}

static bool take_by_process(struct parser *p, char *rest)
{
	return take_flag(p, &p->counts->by_process, rest);
}

static bool take_policies(struct parser *p, char *rest)
{
	return take_flag(p, &p->counts->policies, rest);
}

/* OUTCOME REASON COUNT BYTES NS */
static bool take_fault(struct parser *p, char *rest)
{
	struct ct_counted *it;
	char *w[5];

	if (!words(&rest, w, 5))
		return false;
	it = pair(p, w[0], w[1]);
	return it && ct_number(w[2], &it->faults) && ct_number(w[3], &it->bytes) &&
	       duration(w[4], &it->ns, &p->counts->timed);
}

/* OUTCOME REASON FROM COUNT */
static bool take_duration(struct parser *p, char *rest)
{
	struct ct_counted *it;
	uint64_t from;
	char *w[4];

	if (!words(&rest, w, 4) || !ct_number(w[2], &from))
		return false;
	if (!from || from > UINT32_MAX || from & (from - 1))
		return false;
	it = pair(p, w[0], w[1]);
	return it && ct_number(w[3], &it->log2[__builtin_ctzll(from)]);
}

/* OUTCOME REASON POLICY ANSWER COUNT */
static bool take_policy(struct parser *p, char *rest)
{
	struct ct_counted *it;
	int policy, answer;
	char *w[5];

	if (!words(&rest, w, 5))
		return false;
	it = pair(p, w[0], w[1]);
	policy = listed(policies, COWTRACE_NR_POLICIES, w[2]);
	answer = listed(answers, COWTRACE_NR_ANSWERS, w[3]);
	return it && policy >= 0 && answer >= 0 && ct_number(w[4], &it->answers[policy][answer]);
}

/* FAULTS COPIES REUSES SPLITS BYTES NS */
#define COUNT_WORDS	6

static bool take_count(struct parser *p, char **w, struct ct_count *c)
{
	return ct_number(w[0], &c->faults) && ct_number(w[1], &c->copies) &&
	       ct_number(w[2], &c->reuses) && ct_number(w[3], &c->splits) &&
	       ct_number(w[4], &c->bytes) &&
	       duration(w[5], &c->ns, &p->counts->timed);
}

static bool take_others(struct parser *p, char *rest)
{
	char *w[COUNT_WORDS];

	return words(&rest, w, COUNT_WORDS) && take_count(p, w, &p->counts->others);
}

/* What the kernel's %pE makes of a byte that is not printable; in place. */
static void unescape(char *text)
{
	static const char from[] = "nrtvfae\\\"", to[] = "\n\r\t\v\f\a\033\\\"";
	char *at = text;
	const char *found;

	while (*text) {
		if (*text != '\\') {
			*at++ = *text++;
			continue;
		}
		text++;
		found = *text ? strchr(from, *text) : NULL;
		if (found) {
			*at++ = to[found - from];
			text++;
		} else if (*text >= '0' && *text <= '3' && text[1] && text[2]) {
			*at++ = (text[0] - '0') << 6 | (text[1] & 7) << 3 | (text[2] & 7);
			text += 3;
		}
	}
	*at = '\0';
}

/* TGID, a count, exact or at-least, and the name: the rest, spaces and all */
static bool take_process(struct parser *p, char *rest)
{
	struct ct_counted_process it = { 0 }, *grown;
	struct ct_counts *c = p->counts;
	char *w[COUNT_WORDS + 2];
	uint64_t tgid;

	for (size_t i = 0; i < COUNT_WORDS + 2; i++) {
		w[i] = next(&rest);
		if (!w[i])
			return false;
	}
	it.at_least = !strcmp(w[COUNT_WORDS + 1], "at-least");
	if (!it.at_least && strcmp(w[COUNT_WORDS + 1], "exact"))
		return false;
	if (!rest || !ct_number(w[0], &tgid) || tgid > UINT32_MAX ||
	    !take_count(p, w + 1, &it.count))
		return false;
	it.tgid = tgid;
	unescape(rest);
	ct_clean_text(it.comm, sizeof(it.comm), rest, strlen(rest));
	grown = ct_grow(c->processes, c->nr_processes, sizeof(*grown));
	if (!grown)
		return false;
	c->processes = grown;
	grown[c->nr_processes++] = it;
	return true;
}

static const struct {
	const char	*name;
	bool		(*take)(struct parser *p, char *rest);
} lines[] = {
	{ "mode", take_mode },
	{ "durations", take_durations },
	{ "processes", take_by_process },
	{ "policies", take_policies },
	{ "fault", take_fault },
	{ "duration", take_duration },
	{ "process", take_process },
	{ "others", take_others },
	{ "policy", take_policy },
};

static bool take(struct parser *p, const char *text, size_t length)
{
	char line[LINE_MAX_], *rest = line, *name;

	if (length >= sizeof(line))
		return false;
	memcpy(line, text, length);
	line[length] = '\0';
	name = strsep(&rest, " ");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strcmp(name, lines[i].name))
			return rest && lines[i].take(p, rest);
	return true;
}

int ct_counts_parse(const char *text, const struct ct_schema *schema,
		    struct ct_counts **out, struct ct_error *err)
{
	struct parser p = { calloc(1, sizeof(*p.counts)), schema };
	unsigned int number;

	if (!p.counts)
		return ct_error_set(err, -ENOMEM, "no memory for what was counted");
	p.counts->timed = true;
	for (number = 1; *text; number++) {
		size_t length = strcspn(text, "\n");

		if (length && !take(&p, text, length)) {
			ct_counts_free(p.counts);
			return ct_error_set(err, -EINVAL,
					    "line %u of counts makes no sense to this cowtrace (\"%.*s\"): load the module of this version",
					    number, (int)(length < 80 ? length : 80), text);
		}
		text += length + !!text[length];
	}
	*out = p.counts;
	return 0;
}

bool ct_counted_decided(const struct ct_counted *pair)
{
	/* Whether a fault is for policies does not depend on which. */
	const uint64_t *any = pair->answers[0];

	return (ct_took_away(pair->outcome) || pair->outcome == COWTRACE_OUTCOME_REUSE) &&
	       (any[COWTRACE_ANSWER_COPY] || any[COWTRACE_ANSWER_REUSE] ||
		any[COWTRACE_ANSWER_UNDETERMINED]);
}

struct ct_counted_policy ct_counts_policy(const struct ct_counts *counts,
					  enum cowtrace_policy policy)
{
	struct ct_counted_policy sum = { 0 };

	for (size_t i = 0; i < counts->nr_pairs; i++) {
		const uint64_t *n = counts->pairs[i].answers[policy];

		if (!ct_counted_decided(&counts->pairs[i]))
			continue;
		sum.copies += n[COWTRACE_ANSWER_COPY];
		sum.reuses += n[COWTRACE_ANSWER_REUSE];
		sum.undetermined += n[COWTRACE_ANSWER_UNDETERMINED];
		if (ct_took_away(counts->pairs[i].outcome))
			sum.avoided += n[COWTRACE_ANSWER_REUSE];
		else
			sum.added += n[COWTRACE_ANSWER_COPY];
	}
	return sum;
}

void ct_counts_free(struct ct_counts *counts)
{
	if (!counts)
		return;
	free(counts->pairs);
	free(counts->processes);
	free(counts);
}
