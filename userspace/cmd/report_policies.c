// SPDX-License-Identifier: GPL-2.0
#include "report_policies.h"

#include <cowtrace/policy.h>

#include "json.h"
#include "units.h"

static const struct cowtrace_word names[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };

/* --- text -------------------------------------------------------------------- */

static void head(struct page *p)
{
	spaces(p, 2);
	cell(p, -17, "policy");
	cell(p, 11, "copies");
	cell(p, 11, "reuses");
	cell(p, 13, "undetermined");
	cell(p, 11, "avoided");
	cell(p, 11, "added");
	end_line(p);
}

static void happened(struct page *p)
{
	const struct ct_counts *c = p->r->summary->counts;
	uint64_t reuses = 0, others = 0;

	for (size_t i = 0; i < c->nr_pairs; i++)
		if (!ct_counted_decided(&c->pairs[i]))
			continue;
		else if (c->pairs[i].outcome == COWTRACE_OUTCOME_REUSE)
			reuses += c->pairs[i].faults;
		else
			others += c->pairs[i].faults;
	spaces(p, 2);
	cell(p, -17, "what happened");
	count_cell(p, 11, others);
	count_cell(p, 11, reuses);
	cell(p, 13, "-");
	end_line(p);
}

static const char *mark(const struct page *p, int policy)
{
	return policy == (int)cowtrace_own_policy(p->r->schema->traits) ? "* " : "  ";
}

static void policy_row(struct page *p, enum cowtrace_policy policy)
{
	struct ct_counted_policy sum = ct_counts_policy(p->r->summary->counts, policy);

	put(p, mark(p, policy));
	cell(p, -17, names[policy].name);
	count_cell(p, 11, sum.copies);
	count_cell(p, 11, sum.reuses);
	count_cell(p, 13, sum.undetermined);
	count_cell(p, 11, sum.avoided);
	count_cell(p, 11, sum.added);
	end_line(p);
}

static void legend(struct page *p)
{
	end_line(p);
	for (int i = 0; i < COWTRACE_NR_POLICIES; i++) {
		put(p, mark(p, i));
		cell(p, -17, names[i].name);
		wrapped(p, names[i].sentence);
	}
	end_line(p);
	spaces(p, 2);
	say(p, "* this kernel's own. Avoided are copies that a policy would not have made, added "
	       "those that it would have made besides. N+: at least N, the rest is undetermined. "
	       "Bytes, time, and what would have to be known: cowtrace record, cowtrace whatif.");
}

/* As wide as the name of the policy asks for, but for the numbers. */
static int width(enum cowtrace_policy policy)
{
	int n = strlen(names[policy].name) + 1;

	return n < 10 ? 10 : n;
}

/* Copies by each policy, "+" behind a number that may be greater. */
static void pair_row(struct page *p, const struct ct_counted *pair)
{
	char text[CT_UNIT_TEXT + 1], n[CT_UNIT_TEXT];

	spaces(p, 2);
	cell(p, -8, ct_report_word(p->r, "outcome", pair->outcome));
	cell(p, -15, ct_report_word(p->r, "reason", pair->reason));
	count_cell(p, 10, pair->faults);
	for (int i = 0; i < COWTRACE_NR_POLICIES; i++) {
		const uint64_t *of = pair->answers[i];
		bool open = of[COWTRACE_ANSWER_UNDETERMINED];

		snprintf(text, sizeof(text), "%s%s", of[COWTRACE_ANSWER_COPY] || open ?
			 ct_format_count(n, of[COWTRACE_ANSWER_COPY]) : "-", open ? "+" : "");
		cell(p, width(i), text);
	}
	end_line(p);
}

static void pairs(struct page *p)
{
	const struct ct_counts *c = p->r->summary->counts;

	heading(p, "How many of them each policy would have copied, or split, by what happened");
	spaces(p, 2);
	cell(p, -8, "outcome");
	cell(p, -15, "reason");
	cell(p, 10, "faults");
	for (int i = 0; i < COWTRACE_NR_POLICIES; i++)
		cell(p, width(i), names[i].name);
	end_line(p);
	for (size_t i = 0; i < c->nr_pairs; i++)
		if (ct_counted_decided(&c->pairs[i]))
			pair_row(p, &c->pairs[i]);
}

void policies_text(struct page *p)
{
	const struct ct_counts *c = p->r->summary->counts;
	bool any = false;

	for (size_t i = 0; c->policies && i < c->nr_pairs; i++)
		any |= ct_counted_decided(&c->pairs[i]);
	if (!any)
		return;
	heading(p, "What each policy would have decided");
	head(p);
	happened(p);
	for (int i = 0; i < COWTRACE_NR_POLICIES; i++)
		policy_row(p, i);
	pairs(p);
	legend(p);
}

/* --- JSON -------------------------------------------------------------------- */

static struct json_object *pairs_json(const struct ct_report *r, enum cowtrace_policy policy)
{
	struct json_object *rows = json_object_new_array(), *o;
	const struct ct_counts *c = r->summary->counts;

	for (size_t i = 0; i < c->nr_pairs; i++) {
		const uint64_t *of = c->pairs[i].answers[policy];

		o = json_object_new_object();
		add_text(o, "outcome", ct_report_word(r, "outcome", c->pairs[i].outcome));
		add_text(o, "reason", ct_report_word(r, "reason", c->pairs[i].reason));
		add_number(o, "copies", of[COWTRACE_ANSWER_COPY]);
		add_number(o, "reuses", of[COWTRACE_ANSWER_REUSE]);
		add_number(o, "undetermined", of[COWTRACE_ANSWER_UNDETERMINED]);
		add_number(o, "not_asked", of[COWTRACE_ANSWER_NONE]);
		json_object_array_add(rows, o);
	}
	return rows;
}

struct json_object *policies_json(const struct ct_report *r)
{
	struct json_object *rows, *o;

	if (!r->summary->counts->policies)
		return NULL;
	rows = json_object_new_array();
	for (int i = 0; i < COWTRACE_NR_POLICIES; i++) {
		struct ct_counted_policy sum = ct_counts_policy(r->summary->counts, i);
		bool own = (int)cowtrace_own_policy(r->schema->traits) == i;

		o = json_object_new_object();
		add_text(o, "policy", names[i].name);
		add_text(o, "sentence", names[i].sentence);
		add(o, "own", json_object_new_boolean(own));
		add_number(o, "copies", sum.copies);
		add_number(o, "reuses", sum.reuses);
		add_number(o, "undetermined", sum.undetermined);
		add_number(o, "avoided", sum.avoided);
		add_number(o, "added", sum.added);
		add(o, "reasons", pairs_json(r, i));
		json_object_array_add(rows, o);
	}
	return rows;
}
