// SPDX-License-Identifier: GPL-2.0
/* Sections of the page on forks, contention and policies. */
#include <stdlib.h>
#include <string.h>

#include "contention.h"
#include "page.h"
#include "report_contention.h"
#include "report_html_parts.h"
#include "units.h"
#include "whatif_text.h"

/* --- forks ------------------------------------------------------------------- */

static void say_forks(struct page *text, const void *view)
{
	ct_forks_said(text, view);
}

static void fork_row(struct report_page *p, const struct ct_fork *fork)
{
	const struct ct_forks *f = p->forks->f;
	uint64_t shared = ct_fork_shared(f, fork);
	char name[PROCESS_TEXT], when[128], at[CT_UNIT_TEXT];

	snprintf(name, sizeof(name), "%s (%u)", ct_fork_parent_name(f, fork),
		 ct_fork_pid(f, fork->parent));
	snprintf(when, sizeof(when), "child %u, after %s, until %s", ct_fork_pid(f, fork->child),
		 ct_format_ns(at, fork->start - f->list[0].start), ct_fork_end_name(fork->how));
	html_row(&p->h, name, when);
	html_cell_bar(&p->h, "copy", fork->total.copies, p->s->total.copies);
	html_cell_count(&p->h, fork->by_parent.copies);
	html_cell_count(&p->h, fork->by_child.copies);
	html_cell_count(&p->h, fork->after.copies);
	html_cell_count(&p->h, fork->total.reuses);
	html_cell_bytes(&p->h, fork->total.bytes);
	if (shared == UINT64_MAX)
		html_cell_absent(&p->h);
	else
		html_cell_share(&p->h, fork->total.bytes, shared);
	html_cell_ns(&p->h, fork->total.ns);
	html_row_end(&p->h);
}

static void more_forks(struct report_page *p, size_t shown)
{
	uint64_t by_parent = 0, by_child = 0, after = 0;
	struct ct_count rest = { 0 };
	size_t i;

	for (i = shown; i < p->forks->nr; i++) {
		const struct ct_fork *fork = &p->forks->f->list[p->forks->chosen[i]];

		by_parent = ct_add(by_parent, fork->by_parent.copies);
		by_child = ct_add(by_child, fork->by_child.copies);
		after = ct_add(after, fork->after.copies);
		ct_count_merge(&rest, &fork->total);
	}
	html_row_more(&p->h, p->forks->nr - shown);
	html_cell_bar(&p->h, "copy", rest.copies, p->s->total.copies);
	html_cell_count(&p->h, by_parent);
	html_cell_count(&p->h, by_child);
	html_cell_count(&p->h, after);
	html_cell_count(&p->h, rest.reuses);
	html_cell_bytes(&p->h, rest.bytes);
	html_cell_absent(&p->h);
	html_cell_ns(&p->h, rest.ns);
	html_row_end(&p->h);
}

static void fork_table(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "parent", "text" }, { "copies", "bar" }, { "by parent", NULL },
		{ "by child", NULL }, { "after", NULL }, { "reuses", NULL }, { "copied", NULL },
		{ "of shared", NULL }, { "time", NULL },
	};
	size_t i, n = html_rows(&p->h, p->forks->nr);

	html_table(&p->h, "ledger", "Forks, the most copies first: pages that had to be copied because of each",
		   columns, sizeof(columns) / sizeof(*columns));
	for (i = 0; i < n; i++)
		fork_row(p, &p->forks->f->list[p->forks->chosen[i]]);
	if (n < p->forks->nr)
		more_forks(p, n);
	html_table_end(&p->h);
}

static void cause_table(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "caused by", "text" }, { "copies", "bar" }, HTML_COUNT_COLUMNS,
	};
	const struct ct_forks *f = p->forks->f;
	const struct ct_count *it;
	int i;

	html_table(&p->h, "causes", "All faults of the trace, by what caused them", columns,
		   sizeof(columns) / sizeof(*columns));
	for (i = -1; i < CT_NR_FORK_CAUSES; i++) {
		it = i < 0 ? &p->forks->sum : &f->causes[i];
		if (!it->faults)
			continue;
		html_row(&p->h, i < 0 ? "forks" : ct_fork_cause_name(i),
			 i < 0 ? "those above" : ct_fork_cause_sentence(i));
		html_cell_bar(&p->h, "copy", it->copies, f->total.copies);
		html_cells_count(&p->h, it);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
}

void html_forks(struct report_page *p)
{
	html_section(&p->h, "forks", "Forks");
	if (!p->forks) {
		html_paragraph(&p->h, "The faults were counted and not recorded: which fork caused which is not known.");
	} else {
		html_sentences(p, say_forks, p->forks);
		if (p->forks->nr)
			fork_table(p);
		cause_table(p);
	}
	html_section_end(&p->h);
}

/* --- contention -------------------------------------------------------------- */

static void say_contention(struct page *text, const void *nothing)
{
	(void)nothing;
	contention_said(text);
}

static void meetings(struct report_page *p, const struct ct_contention *c)
{
	static const struct html_column columns[] = {
		{ "in a group", "text" }, { "groups", NULL }, { "faults", NULL }, { "time", NULL },
	};
	int i;

	html_table(&p->h, "meetings", "What faults that met did to each other", columns,
		   sizeof(columns) / sizeof(*columns));
	for (i = 0; i < CT_NR_MEETINGS; i++) {
		if (!c->meetings[i].groups)
			continue;
		html_row(&p->h, ct_meeting_names[i], ct_meeting_sentences[i]);
		html_cell_count(&p->h, c->meetings[i].groups);
		html_cell_count(&p->h, c->meetings[i].faults);
		html_cell_ns(&p->h, c->meetings[i].ns);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
}

void html_contention(struct report_page *p)
{
	const struct ct_contention *c = p->s->contention;

	html_section(&p->h, "meet", "Contention");
	if (p->s->counts) {
		html_paragraph(&p->h, "The faults were counted and not recorded: which of them met is not known.");
	} else if (!contention_any(c)) {
		html_paragraph(&p->h, "None: no two faults of one page frame overlapped in time.");
	} else {
		html_sentences(p, say_contention, NULL);
		if (c->groups)
			meetings(p, c);
	}
	html_section_end(&p->h);
}

/* --- policies ---------------------------------------------------------------- */

/**
 * struct answers - what a policy, or the kernel, decided
 * @name: of the policy.
 * @sentence: what it is.
 * @copies: copies and splits; @reuses, @open and @gone likewise.
 * @reuses: pages kept.
 * @open: undetermined.
 * @gone: faults that would not have been.
 * @own: this is the policy of the traced kernel.
 */
struct answers {
	const char	*name;
	const char	*sentence;
	uint64_t	copies;
	uint64_t	reuses;
	uint64_t	open;
	uint64_t	gone;
	bool		own;
};

static void answer_cells(struct report_page *p, const struct answers *a)
{
	uint64_t whole = a->copies + a->reuses + a->open + a->gone;
	char copies[CT_UNIT_TEXT], reuses[CT_UNIT_TEXT], open[CT_UNIT_TEXT], text[160];
	char name[64];

	snprintf(text, sizeof(text), "%s copies, %s undetermined, %s reuses",
		 ct_format_count(copies, a->copies), ct_format_count(open, a->open),
		 ct_format_count(reuses, a->reuses));
	snprintf(name, sizeof(name), a->own ? "%s *" : "%s", a->name);
	html_row(&p->h, name, a->sentence);
	html_put(&p->h, "<td class=\"bar\">");
	html_bar(&p->h, text);
	html_bar_part(&p->h, "copy", a->copies, whole);
	html_bar_part(&p->h, "open", a->open, whole);
	html_bar_part(&p->h, "other", a->gone, whole);
	html_bar_part(&p->h, "reuse", a->reuses, whole);
	html_bar_end(&p->h);
	html_put(&p->h, "</td>");
	html_cell_count(&p->h, a->copies);
	html_cell_count(&p->h, a->reuses);
	html_cell_count(&p->h, a->open);
}

#define ANSWER_COLUMNS							\
	{ "policy", "text" }, { "copies, undetermined, reuses", "bar" },	\
	{ "copies", NULL }, { "reuses", NULL }, { "undetermined", NULL }

static void signed_cell(struct html *h, int64_t n, char *(*format)(char *to, uint64_t n))
{
	char text[CT_UNIT_TEXT], with[CT_UNIT_TEXT + 4] = "0";

	if (n)
		snprintf(with, sizeof(with), "%s%s", n < 0 ? "\xe2\x88\x92" : "+",
			 format(text, n < 0 ? -(uint64_t)n : (uint64_t)n));
	html_put(h, n ? "<td>" : "<td class=\"none\">");
	html_put(h, with);
	html_put(h, "</td>");
}

static void policy_row(struct report_page *p, size_t policy)
{
	const struct ct_whatif_policy_sum *of = &p->whatif->sum->policy[policy];
	const struct ct_whatif *w = p->whatif->w;
	struct answers a = {
		.name = ct_whatif_name(w, policy),
		.sentence = ct_whatif_sentence(w, policy),
		.own = policy == w->kernel,
		.copies = of->answers[COWTRACE_ANSWER_COPY],
		.reuses = of->answers[COWTRACE_ANSWER_REUSE],
		.open = of->answers[COWTRACE_ANSWER_UNDETERMINED],
		.gone = of->answers[CT_ANSWER_NOT_FAULTED],
	};

	answer_cells(p, &a);
	html_cell_bytes(&p->h, of->bytes);
	html_cell_count(&p->h, of->avoided.faults);
	html_cell_count(&p->h, of->added.faults);
	signed_cell(&p->h, of->avoided.bytes + of->added.bytes, ct_format_bytes);
	signed_cell(&p->h, of->avoided.ns + of->added.ns, ct_format_ns);
	html_row_end(&p->h);
}

static void say_policies(struct page *text, const void *view)
{
	ct_whatif_notes(text, view);
}

static void recorded_policies(struct report_page *p)
{
	static const struct html_column columns[] = {
		ANSWER_COLUMNS, { "copied", NULL }, { "avoided", NULL }, { "added", NULL },
		{ "bytes", NULL }, { "time", NULL },
	};
	const struct ct_whatif_sum *sum = p->whatif->sum;
	struct answers happened = {
		.name = "what happened",
		.copies = sum->observed[CT_OBSERVED_COPY] + sum->observed[CT_OBSERVED_SPLIT],
		.reuses = sum->observed[CT_OBSERVED_REUSE],
	};
	size_t i;

	if (!sum->decided) {
		html_paragraph(&p->h, "No fault that a policy could have decided was recorded.");
		return;
	}
	html_table(&p->h, "answers", "What each generation of the kernel's logic would have decided",
		   columns, sizeof(columns) / sizeof(*columns));
	answer_cells(p, &happened);
	html_cell_bytes(&p->h, sum->bytes);
	html_put(&p->h, "<td colspan=\"4\"></td>");
	html_row_end(&p->h);
	for (i = 0; i < COWTRACE_NR_POLICIES; i++)
		policy_row(p, i);
	html_table_end(&p->h);
	html_paragraph(&p->h, "* this kernel's own. Avoided are copies that a policy would not have made, added those that it would have made besides; bytes and time say what that changes. Undetermined faults are left as they happened.");
	html_sentences(p, say_policies, p->whatif);
}

static void counted_policies(struct report_page *p)
{
	static const struct html_column columns[] = {
		ANSWER_COLUMNS, { "avoided", NULL }, { "added", NULL },
	};
	static const struct cowtrace_word words[] = { COWTRACE_POLICIES(COWTRACE_WORD_) };
	struct answers happened = { .name = "what happened" };
	size_t k;
	int i;

	if (!p->s->counts->policies) {
		html_paragraph(&p->h, "Policies were not asked: --policies, or the file policies, does so.");
		return;
	}
	for (k = 0; k < p->s->counts->nr_pairs; k++) {
		const struct ct_counted *pair = &p->s->counts->pairs[k];

		if (ct_counted_decided(pair))
			*(pair->outcome == COWTRACE_OUTCOME_REUSE ?
			  &happened.reuses : &happened.copies) += pair->faults;
	}
	if (!happened.reuses && !happened.copies) {
		html_paragraph(&p->h, "No fault that a policy could have decided was counted.");
		return;
	}
	html_table(&p->h, "answers", "What each generation of the kernel's logic would have decided",
		   columns, sizeof(columns) / sizeof(*columns));
	answer_cells(p, &happened);
	html_put(&p->h, "<td colspan=\"2\"></td>");
	html_row_end(&p->h);
	for (i = 0; i < COWTRACE_NR_POLICIES; i++) {
		struct ct_counted_policy sum = ct_counts_policy(p->s->counts, i);
		struct answers a = { words[i].name, words[i].sentence, sum.copies, sum.reuses,
				     sum.undetermined, 0,
				     i == (int)cowtrace_own_policy(p->r->schema->traits) };

		answer_cells(p, &a);
		html_cell_count(&p->h, sum.avoided);
		html_cell_count(&p->h, sum.added);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
	html_paragraph(&p->h, "* this kernel's own. Avoided are copies that a policy would not have made, added those that it would have made besides. Bytes and time need records: cowtrace record, cowtrace whatif.");
}

void html_policies(struct report_page *p)
{
	html_section(&p->h, "policies", "Other policies");
	if (p->whatif)
		recorded_policies(p);
	else
		counted_policies(p);
	html_section_end(&p->h);
}
