// SPDX-License-Identifier: GPL-2.0
/* Patterns in which policies differ, for people. */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "units.h"
#include "whatif_text.h"

/* Who and where: so many of each. */
#define NAMED	3

/* What comes before the text of a line. */
static void label(struct page *p, const char *text)
{
	spaces(p, 7);
	cell(p, -14, text);
}

/* Chosen policies that give one answer, with their reasons. */
static void answered(struct page *p, const struct ct_whatif_view *v,
		     const struct ct_whatif_pattern *it, uint8_t answer)
{
	char line[1024] = "";
	size_t i, used = 0;

	for (i = 0; i < v->nr && used < sizeof(line); i++) {
		size_t policy = v->chosen[i];
		const struct cowtrace_prediction *said = &it->key.predicted[policy];
		const char *why = "";

		if (said->answer != answer)
			continue;
		if (answer == COWTRACE_ANSWER_UNDETERMINED)
			why = ct_whatif_cause(v->w, policy, said->cause);
		else if (said->reason)
			why = ct_report_word(p->r, "reason", said->reason);
		used += snprintf(line + used, sizeof(line) - used, *why ? "%s%s (%s)" : "%s%s%s",
				 used ? ", " : "", ct_whatif_name(v->w, policy), why);
	}
	if (!*line)
		return;
	label(p, ct_whatif_answer_name(answer));
	wrapped(p, line);
}

static void who(struct page *p, const struct ct_whatif_view *v, const struct ct_whatif_pattern *it)
{
	const struct ct_whatif_share *list[NAMED];
	size_t i, used = 0, nr = ct_whatif_shares(&v->w->by_process, v->w, it, list, NAMED);
	char line[512] = "", n[CT_UNIT_TEXT], name[CT_NAME_MAX];

	for (i = 0; i < nr && i < NAMED && used < sizeof(line); i++) {
		const struct ct_whatif_process *of = &v->w->processes[list[i]->what];

		ct_clean_text(name, sizeof(name), of->comm, strnlen(of->comm, sizeof(of->comm)));
		used += snprintf(line + used, sizeof(line) - used, "%s%s (%u) %s", used ? ", " : "",
				 name, of->tgid, ct_format_count(n, list[i]->faults));
	}
	if (nr > NAMED && used < sizeof(line))
		snprintf(line + used, sizeof(line) - used, " and %s more",
			 ct_format_count(n, nr - NAMED));
	label(p, nr == 1 ? "process" : "processes");
	wrapped(p, *line ? line : "-");
}

static void where(struct page *p, const struct ct_whatif_view *v,
		  const struct ct_whatif_pattern *it)
{
	const struct ct_whatif_share *list[NAMED];
	size_t i, used = 0, nr = ct_whatif_shares(&v->w->by_site, v->w, it, list, NAMED);
	char line[1536] = "", n[CT_UNIT_TEXT], name[256];

	for (i = 0; i < nr && i < NAMED && used < sizeof(line); i++) {
		site_name(v->w->table, &v->w->sites.list[list[i]->what], name, sizeof(name));
		used += snprintf(line + used, sizeof(line) - used, "%s%s %s", used ? ", " : "",
				 name, ct_format_count(n, list[i]->faults));
	}
	if (nr > NAMED && used < sizeof(line))
		snprintf(line + used, sizeof(line) - used, " and %s more",
			 ct_format_count(n, nr - NAMED));
	if (*line) {
		label(p, "code");
		wrapped(p, line);
	}
}

static void pattern(struct page *p, const struct ct_whatif_view *v,
		    const struct ct_whatif_pattern *it, size_t number)
{
	char n[CT_UNIT_TEXT], share[CT_UNIT_TEXT], bytes[CT_UNIT_TEXT], ns[CT_UNIT_TEXT];
	char shape[CT_WHATIF_SHAPE_TEXT], digits[CT_UNIT_TEXT];
	int answer;

	snprintf(digits, sizeof(digits), "%zu.", number);
	cell(p, 5, digits);
	spaces(p, 2);
	say(p, "%s fault%s (%s): %s %s, %s, %s; %s copied, %s; like fault %u:%u",
	    ct_format_count(n, it->faults), plural(it->faults),
	    ct_format_share(share, it->faults, v->sum->decided),
	    ct_report_word(p->r, "outcome", it->key.outcome),
	    it->key.rest ? "for several reasons" : ct_report_word(p->r, "reason", it->key.reason),
	    ct_report_word(p->r, "path", it->key.path),
	    it->key.rest ? "pages" : ct_report_word(p->r, "kind", it->key.kind),
	    it->copied ? ct_format_bytes(bytes, it->copied) : "nothing", ct_format_ns(ns, it->ns),
	    it->cpu, it->seq);
	label(p, "page");
	wrapped(p, ct_whatif_shape_text(&it->key, shape, sizeof(shape)));
	for (answer = COWTRACE_ANSWER_REUSE; answer < CT_NR_ANSWERS; answer++)
		answered(p, v, it, answer);
	who(p, v, it);
	where(p, v, it);
}

/* @last: what comes after a heading and before the rows, NULL for nothing. */
static int patterns(struct page *p, const struct ct_whatif_view *v, const char *title_,
		    const char *last,
		    bool (*wanted)(const struct ct_whatif_pattern *p, const void *arg))
{
	const struct ct_whatif_pattern **list;
	size_t i, nr;

	list = ct_whatif_select(v->w, wanted, v, &nr);
	if (!list)
		return -ENOMEM;
	if (nr) {
		heading(p, title_);
		if (last) {
			spaces(p, 2);
			say(p, "%s", last);
		}
	}
	for (i = 0; i < rows(p, nr); i++)
		pattern(p, v, list[i], i + 1);
	more(p, rows(p, nr), nr);
	free(list);
	return 0;
}

int ct_whatif_patterns(struct page *p, const struct ct_whatif_view *v)
{
	const char *head = v->nr == 1 ? "Where it differs from what happened, the most faults first" :
					"Where the policies differ, the most faults first";
	bool mapcount = false;
	size_t i;

	for (i = 0; i < v->nr; i++)
		mapcount |= v->chosen[i] == COWTRACE_POLICY_MAPCOUNT;
	return patterns(p, v, head, NULL, ct_whatif_differs) ?:
	       (mapcount ? patterns(p, v, "What mapcount reuses and minimal does not vouch for",
				    "Whoever holds a reference from before the page was shared, by "
				    "vmsplice() or direct I/O, may see what another process writes.",
				    ct_whatif_hole) : 0);
}

/* --- --diff ------------------------------------------------------------------ */

static void matrix(struct page *p, const struct ct_whatif_view *v)
{
	uint64_t cell_[CT_NR_ANSWERS][CT_NR_ANSWERS] = { 0 };
	char title_[128];
	size_t i, a, b;

	for (i = 0; i < v->w->nr; i++) {
		const struct ct_whatif_key *key = &v->w->list[i].key;
		uint64_t *row = cell_[key->predicted[v->diff[0]].answer];

		if (ct_whatif_decided(key))
			row[key->predicted[v->diff[1]].answer] += v->w->list[i].faults;
	}
	snprintf(title_, sizeof(title_), "How often they agree: %s down, %s across",
		 ct_whatif_name(v->w, v->diff[0]), ct_whatif_name(v->w, v->diff[1]));
	heading(p, title_);
	spaces(p, 2);
	cell(p, -17, "");
	for (b = 0; b < CT_NR_ANSWERS; b++)
		cell(p, 14, ct_whatif_answer_name(b));
	end_line(p);
	for (a = 0; a < CT_NR_ANSWERS; a++) {
		uint64_t all = 0;

		for (b = 0; b < CT_NR_ANSWERS; b++)
			all += cell_[a][b];
		if (!all)
			continue;
		spaces(p, 2);
		cell(p, -17, ct_whatif_answer_name(a));
		for (b = 0; b < CT_NR_ANSWERS; b++)
			count_cell(p, 14, cell_[a][b]);
		end_line(p);
	}
}

int ct_whatif_diff(struct page *p, const struct ct_whatif_view *v)
{
	struct ct_whatif_view two = *v;

	two.chosen[0] = v->diff[0];
	two.chosen[1] = v->diff[1];
	two.nr = v->diff[0] == v->diff[1] ? 1 : 2;
	ct_whatif_policies(p, &two);
	ct_whatif_notes(p, &two);
	matrix(p, v);
	return patterns(p, &two, "Where they disagree, the most faults first", NULL,
			ct_whatif_disagree);
}

/* --- --against --------------------------------------------------------------- */

static void cause_row(struct page *p, const char *name, const struct ct_whatif_cause_row *row)
{
	uint64_t all = row->change.faults + row->open + row->needed;

	spaces(p, 2);
	cell(p, -17, name);
	count_cell(p, 11, all);
	count_cell(p, 11, row->change.faults);
	share_cell(p, 10, row->change.faults, all);
	count_cell(p, 13, row->open);
	ct_whatif_signed_bytes(p, 11, row->change.bytes);
	ct_whatif_signed_ns(p, 11, row->change.ns);
	end_line(p);
}

static void cause_head(struct page *p)
{
	spaces(p, 2);
	cell(p, -17, "reason");
	cell(p, 11, "made");
	cell(p, 11, "unneeded");
	cell(p, 10, "share");
	cell(p, 13, "undetermined");
	cell(p, 11, "bytes");
	cell(p, 11, "time");
	end_line(p);
}

static void cause_rows(struct page *p, const struct ct_whatif_cause_row *list, size_t nr)
{
	struct ct_whatif_cause_row all = { 0 };
	char name[64];
	size_t i;

	cause_head(p);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "%s%s", ct_report_word(p->r, "reason", list[i].reason),
			 list[i].outcome == COWTRACE_OUTCOME_SPLIT ? " (split)" :
			 list[i].outcome == COWTRACE_OUTCOME_UNSHARE ? " (pin)" : "");
		cause_row(p, name, &list[i]);
		all.change.faults += list[i].change.faults;
		all.change.bytes += list[i].change.bytes;
		all.change.ns += list[i].change.ns;
		all.open += list[i].open;
		all.needed += list[i].needed;
	}
	cause_row(p, "all", &all);
}

int ct_whatif_against(struct page *p, const struct ct_whatif_view *v)
{
	struct ct_whatif_cause_row *list;
	struct ct_whatif_view one = *v;
	char title_[128];
	size_t nr;

	if (ct_whatif_by_reason(v->sum, v->against, &list, &nr))
		return -ENOMEM;
	snprintf(title_, sizeof(title_), "Copies of this kernel that %s would not have made",
		 ct_whatif_name(v->w, v->against));
	heading(p, title_);
	cause_rows(p, list, nr);
	free(list);
	end_line(p);
	spaces(p, 2);
	say(p, "%s: %s", ct_whatif_name(v->w, v->against),
	    ct_whatif_sentence(v->w, v->against));
	one.chosen[0] = v->against;
	one.nr = 1;
	ct_whatif_notes(p, &one);
	return patterns(p, &one, "Unneeded, the most faults first", NULL, ct_whatif_unneeded);
}
