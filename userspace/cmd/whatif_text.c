// SPDX-License-Identifier: GPL-2.0
/* What other policies would have decided, for people. */
#include <errno.h>
#include <string.h>

#include "past.h"
#include "page.h"
#include "units.h"
#include "whatif_text.h"

void ct_whatif_signed_bytes(struct page *p, int width, int64_t n)
{
	char text[CT_UNIT_TEXT], with[CT_UNIT_TEXT + 1];

	snprintf(with, sizeof(with), "%c%s", n < 0 ? '-' : '+',
		 ct_format_bytes(text, n < 0 ? -n : n));
	cell(p, width, n ? with : "-");
}

void ct_whatif_signed_ns(struct page *p, int width, int64_t n)
{
	char text[CT_UNIT_TEXT], with[CT_UNIT_TEXT + 1];

	snprintf(with, sizeof(with), "%c%s", n < 0 ? '-' : '+', ct_format_ns(text, n < 0 ? -n : n));
	cell(p, width, n ? with : "-");
}

/* --- the policies ------------------------------------------------------------ */

static void policy_head(struct page *p)
{
	spaces(p, 2);
	cell(p, -17, "policy");
	cell(p, 10, "copies");
	cell(p, 10, "reuses");
	cell(p, 13, "undetermined");
	cell(p, 10, "copied");
	cell(p, 9, "avoided");
	cell(p, 9, "added");
	cell(p, 10, "bytes");
	cell(p, 10, "time");
	end_line(p);
}

static void policy_row(struct page *p, const struct ct_whatif_view *v, size_t policy)
{
	const struct ct_whatif_policy_sum *of = &v->sum->policy[policy];

	put(p, policy == v->w->kernel ? "* " : "  ");
	cell(p, -17, ct_whatif_name(v->w, policy));
	count_cell(p, 10, of->answers[COWTRACE_ANSWER_COPY]);
	count_cell(p, 10, of->answers[COWTRACE_ANSWER_REUSE]);
	count_cell(p, 13, of->answers[COWTRACE_ANSWER_UNDETERMINED]);
	bytes_cell(p, 10, of->bytes);
	count_cell(p, 9, of->avoided.faults);
	count_cell(p, 9, of->added.faults);
	ct_whatif_signed_bytes(p, 10, of->avoided.bytes + of->added.bytes);
	ct_whatif_signed_ns(p, 10, of->avoided.ns + of->added.ns);
	end_line(p);
}

static void legend(struct page *p, const struct ct_whatif_view *v)
{
	size_t i;

	end_line(p);
	for (i = 0; i < v->nr; i++) {
		put(p, v->chosen[i] == v->w->kernel ? "* " : "  ");
		cell(p, -17, ct_whatif_name(v->w, v->chosen[i]));
		wrapped(p, ct_whatif_sentence(v->w, v->chosen[i]));
	}
}

void ct_whatif_policies(struct page *p, const struct ct_whatif_view *v)
{
	const struct ct_whatif_sum *sum = v->sum;
	size_t i;

	heading(p, "What each policy would have decided");
	policy_head(p);
	spaces(p, 2);
	cell(p, -17, "what happened");
	count_cell(p, 10, sum->observed[CT_OBSERVED_COPY] + sum->observed[CT_OBSERVED_SPLIT]);
	count_cell(p, 10, sum->observed[CT_OBSERVED_REUSE]);
	cell(p, 13, "-");
	bytes_cell(p, 10, sum->bytes);
	end_line(p);
	for (i = 0; i < v->nr; i++)
		policy_row(p, v, v->chosen[i]);
	legend(p, v);
	end_line(p);
	spaces(p, 2);
	say(p, "* this kernel's own. Avoided and added are its copies that a policy would not have "
	       "made and those it would have made besides; bytes and time say what that changes: "
	       "each saves or costs the mean of a copy less the mean of a reuse in this trace. "
	       "Undetermined faults are left as they happened.");
}

/* --- notes ------------------------------------------------------------------- */

/* Outcomes and their counts in one line; how many that are. */
static uint64_t outcomes(const struct page *p, const uint64_t *counts, char *to, size_t size)
{
	char n[CT_UNIT_TEXT];
	size_t used = 0;
	uint64_t all = 0;
	int i;

	*to = '\0';
	for (i = 0; i < 256; i++) {
		all += counts[i];
		if (counts[i] && used < size)
			used += snprintf(to + used, size - used, "%s%s %s", used ? ", " : "",
					 ct_report_word(p->r, "outcome", i),
					 ct_format_count(n, counts[i]));
	}
	return all;
}

static void left_out(struct page *p, const struct ct_whatif_view *v)
{
	char n[CT_UNIT_TEXT], list[512];
	uint64_t all;

	all = outcomes(p, v->sum->other, list, sizeof(list));
	if (all) {
		spaces(p, 2);
		say(p, "%s fault%s in no row: the kernel did not come to decide: %s",
		    ct_format_count(n, all), plural(all), list);
	}
	all = outcomes(p, v->sum->unasked, list, sizeof(list));
	if (all) {
		spaces(p, 2);
		say(p, "%s fault%s that no policy decides, of shared mappings, or taken by "
		       "userfaultfd: %s", ct_format_count(n, all), plural(all), list);
	}
}

static void of_policies(struct page *p, const struct ct_whatif_view *v)
{
	char n[CT_UNIT_TEXT];
	size_t i;

	for (i = 0; i < v->nr; i++) {
		const struct ct_whatif_policy_sum *of = &v->sum->policy[v->chosen[i]];
		uint64_t unpriced = of->avoided.unpriced + of->added.unpriced;
		uint64_t gone = of->answers[CT_ANSWER_NOT_FAULTED];

		if (gone) {
			spaces(p, 2);
			say(p, "%s: %s fault%s of one page would not have been, it would have kept the "
			       "huge page that was split first", ct_whatif_name(v->w, v->chosen[i]),
			    ct_format_count(n, gone), plural(gone));
		}
		if (unpriced) {
			spaces(p, 2);
			say(p, "%s: %s fault%s without a price, the trace has nothing to compare with: "
			       "they are not in its time", ct_whatif_name(v->w, v->chosen[i]),
			    ct_format_count(n, unpriced), plural(unpriced));
		}
	}
}

void ct_whatif_notes(struct page *p, const struct ct_whatif_view *v)
{
	char n[CT_UNIT_TEXT], other[CT_UNIT_TEXT];
	uint64_t forgotten = v->w->past ? ct_past_forgotten(v->w->past) : 0;

	left_out(p, v);
	of_policies(p, v);
	if (v->sum->observed[CT_OBSERVED_SPLIT]) {
		spaces(p, 2);
		say(p, "Of a huge page mapped by a PMD a copy is its split, which copies nothing yet.");
	}
	if (v->untold) {
		spaces(p, 2);
		say(p, "Which pages were exclusive is not known: %s.", v->untold);
	}
	if (forgotten) {
		spaces(p, 2);
		say(p, "The past of %s page%s was forgotten, there were too many.",
		    ct_format_count(n, forgotten), plural(forgotten));
	}
	if (v->sum->folded) {
		spaces(p, 2);
		say(p, "%s faults of more than %u patterns are told apart by their answers alone.",
		    ct_format_count(n, v->sum->folded), CT_WHATIF_PATTERNS);
	}
	if (v->w->by_process.over || v->w->by_site.over) {
		spaces(p, 2);
		say(p, "There were too many processes or places: %s and %s faults count to none.",
		    ct_format_count(n, v->w->by_process.over),
		    ct_format_count(other, v->w->by_site.over));
	}
	spaces(p, 2);
	say(p, "%s", ct_whatif_lower_bound(v->w));
}

/* --- what is open ------------------------------------------------------------ */

static void cause_row(struct page *p, const struct ct_whatif_view *v, size_t policy, int cause)
{
	uint64_t n = v->sum->policy[policy].causes[cause];

	spaces(p, 2);
	cell(p, -17, ct_whatif_name(v->w, policy));
	cell(p, -19, ct_whatif_cause(v->w, policy, cause));
	count_cell(p, 10, n);
	share_cell(p, 9, n, v->sum->decided);
	spaces(p, 2);
	wrapped(p, ct_whatif_cause_sentence(policy, cause));
}

void ct_whatif_open(struct page *p, const struct ct_whatif_view *v)
{
	bool any = false;
	int cause;
	size_t i;

	for (i = 0; i < v->nr; i++) {
		for (cause = 0; cause < 256; cause++) {
			if (!v->sum->policy[v->chosen[i]].causes[cause])
				continue;
			if (!any) {
				heading(p, "Undetermined: what would have to be known");
				spaces(p, 2);
				cell(p, -17, "policy");
				cell(p, -19, "cause");
				cell(p, 10, "faults");
				cell(p, 9, "share");
				end_line(p);
			}
			any = true;
			cause_row(p, v, v->chosen[i], cause);
		}
	}
}

/* --- the kernel against itself ------------------------------------------------ */

static void flags(const struct page *p, const struct ct_whatif_pattern *it, char *to, size_t size)
{
	char n[CT_UNIT_TEXT];
	size_t used = 0;
	int bit;

	*to = '\0';
	for (bit = 0; bit < 16; bit++)
		if (it->flagged[bit] && used < size)
			used += snprintf(to + used, size - used, "%s%s %s", used ? ", " : "",
					 ct_report_word(p->r, "evidence", 1u << bit),
					 ct_format_count(n, it->flagged[bit]));
}

static void surprise(struct page *p, const struct ct_whatif_view *v,
		     const struct ct_whatif_pattern *it)
{
	const struct cowtrace_prediction *said = &it->key.predicted[v->w->kernel];
	char n[CT_UNIT_TEXT], list[512], shape[CT_WHATIF_SHAPE_TEXT];

	spaces(p, 2);
	cell(p, 9, ct_format_count(n, it->faults));
	spaces(p, 2);
	flags(p, it, list, sizeof(list));
	say(p, "%s %s where the sample says %s %s: %s; evidence: %s; like fault %u:%u",
	    ct_report_word(p->r, "outcome", it->key.outcome),
	    ct_report_word(p->r, "reason", it->key.reason), ct_whatif_answer_name(said->answer),
	    ct_report_word(p->r, "reason", said->reason),
	    ct_whatif_shape_text(&it->key, shape, sizeof(shape)), list, it->cpu, it->seq);
}

int ct_whatif_self(struct page *p, const struct ct_whatif_view *v)
{
	const struct ct_whatif_policy_sum *of = &v->sum->policy[v->w->kernel];
	uint64_t open = of->answers[COWTRACE_ANSWER_UNDETERMINED];
	char right[CT_UNIT_TEXT], all[CT_UNIT_TEXT], share[CT_UNIT_TEXT], n[CT_UNIT_TEXT];
	char left[CT_UNIT_TEXT];
	const struct ct_whatif_pattern **list;
	size_t i, nr;

	heading(p, "This kernel's own policy against what happened");
	spaces(p, 2);
	say(p, open ? "%s predicts %s of %s determined faults (%s); %s undetermined (%s)" :
		      "%s predicts %s of %s determined faults (%s); none is undetermined",
	    ct_whatif_name(v->w, v->w->kernel), ct_format_count(right, of->right),
	    ct_format_count(all, of->right + of->wrong),
	    ct_format_share(share, of->right, of->right + of->wrong),
	    ct_format_count(n, open),
	    ct_format_share(left, open, v->sum->decided));
	list = ct_whatif_select(v->w, ct_whatif_surprise, v, &nr);
	if (!list)
		return -ENOMEM;
	for (i = 0; i < rows(p, nr); i++)
		surprise(p, v, list[i]);
	more(p, rows(p, nr), nr);
	free(list);
	return 0;
}

int ct_whatif_text(FILE *out, const struct ct_whatif_view *v)
{
	struct page p = { .out = out, .r = v->r, .opts = &v->opts->report };
	int err = 0;

	title(&p);
	if (!v->sum->decided) {
		end_line(&p);
		say(&p, "No fault that a policy could have decided was recorded.");
	} else if (v->diff[0] != SIZE_MAX) {
		err = ct_whatif_diff(&p, v);
	} else if (v->against != SIZE_MAX) {
		err = ct_whatif_against(&p, v);
	} else {
		ct_whatif_policies(&p, v);
		ct_whatif_notes(&p, v);
		ct_whatif_open(&p, v);
		err = ct_whatif_self(&p, v) ?: ct_whatif_patterns(&p, v);
	}
	losses(&p, v->w->table);
	return err ?: ferror(out) ? -EIO : 0;
}
