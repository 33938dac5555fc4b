// SPDX-License-Identifier: GPL-2.0
/* The report for people. */
#include <string.h>

#include <cowtrace/vocab.h>

#include "group_view.h"
#include "page.h"
#include "report_contention.h"
#include "report_evidence.h"
#include "report_folios.h"
#include "report_policies.h"
#include "units.h"

#define ESTIMATE_TEXT	(2 * CT_UNIT_TEXT + 5)

/* "1,000", or "1,000 +/- 95" for an estimate. */
static const char *estimate(const struct page *p, char *to, uint64_t n)
{
	const struct ct_sample *sample = &p->r->sample;
	char error[CT_UNIT_TEXT];

	ct_format_count(to, n);
	if (ct_sampled(sample) && n) {
		ct_format_count(error, ct_sample_error(sample, n) + 0.5);
		snprintf(to + strlen(to), ESTIMATE_TEXT - strlen(to), " +/- %s", error);
	}
	return to;
}

static void totals(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	uint64_t span = s->last_ns - s->first_ns;
	bool untimed = s->counts && !s->counts->timed;
	uint64_t rest = s->total.faults - s->total.reuses - s->total.copies - s->total.splits;
	char n[ESTIMATE_TEXT], t[CT_UNIT_TEXT], rate[CT_UNIT_TEXT], share[CT_UNIT_TEXT];

	end_line(p);
	if (!s->total.faults) {
		say(p, "No write-protect fault was %s.", s->counts ? "counted" : "recorded");
		return;
	}
	if (!span && s->counts)
		say(p, "%s write-protect fault%s", ct_format_count(n, s->total.faults),
		    plural(s->total.faults));
	else if (span >= 1000000000)
		say(p, "%s write-protect fault%s of %zu process%s in %s, %s a second",
		    ct_format_count(n, s->total.faults), plural(s->total.faults), s->nr_processes,
		    s->nr_processes == 1 ? "" : "es", ct_format_ns(t, span),
		    ct_format_count(rate, s->total.faults / (span / 1e9)));
	else
		say(p, "%s write-protect fault%s of %zu process%s in %s",
		    ct_format_count(n, s->total.faults), plural(s->total.faults), s->nr_processes,
		    s->nr_processes == 1 ? "" : "es", ct_format_ns(t, span));
	spaces(p, 2);
	say(p, "%s reused the page (%s)", estimate(p, n, s->total.reuses),
	    ct_format_share(share, s->total.reuses, s->total.faults));
	spaces(p, 2);
	if (s->total.copies) {
		char b[CT_UNIT_TEXT];

		say(p, "%s copied it (%s): %s copied%s%s%s",
		    estimate(p, n, s->total.copies),
		    ct_format_share(share, s->total.copies, s->total.faults),
		    ct_format_bytes(b, s->total.bytes), untimed ? "" : ", ",
		    untimed ? "" : ct_format_ns(t, s->total.copy_ns), untimed ? "" : " spent");
	} else {
		say(p, "no page was copied");
	}
	if (s->total.splits) {
		spaces(p, 2);
		say(p, "%s split a huge page (%s), to go on page by page",
		    estimate(p, n, s->total.splits),
		    ct_format_share(share, s->total.splits, s->total.faults));
	}
	if (rest) {
		spaces(p, 2);
		say(p, "%s did %s (%s)", estimate(p, n, rest),
		    s->total.splits ? "none of these" : "neither",
		    ct_format_share(share, rest, s->total.faults));
	}
}

static void word_head(struct page *p, const char *what, const char *of, const char *third)
{
	spaces(p, 2);
	cell(p, -15, what);
	cell(p, 11, "faults");
	if (ct_sampled(&p->r->sample))
		cell(p, 9, "+/-");
	cell(p, 10, of);
	cell(p, 10, third);
	cell(p, 10, "time");
	put(p, "  meaning");
	end_line(p);
}

static void word_row(struct page *p, const char *name, uint64_t n, uint64_t whole,
		     uint64_t bytes, uint64_t ns, const char *sentence)
{
	spaces(p, 2);
	cell(p, -15, name);
	count_cell(p, 11, n);
	if (ct_sampled(&p->r->sample))
		count_cell(p, 9, ct_sample_error(&p->r->sample, n) + 0.5);
	share_cell(p, 10, n, whole);
	bytes_cell(p, 10, bytes);
	ns_cell(p, 10, ns);
	spaces(p, 2);
	wrapped(p, sentence);
}

/* One row for each word of a vocabulary that occurs, the most frequent first. */
static void words(struct page *p, const char *title_, const char *vocab,
		  const struct ct_count *counts)
{
	const struct ct_summary *s = p->r->summary;
	bool done[256] = { false };
	int i, best;

	heading(p, title_);
	word_head(p, vocab, "share", "copied");
	for (;;) {
		best = -1;
		for (i = 0; i < 256; i++)
			if (counts[i].faults && !done[i] &&
			    (best < 0 || counts[i].faults > counts[best].faults))
				best = i;
		if (best < 0)
			return;
		done[best] = true;
		word_row(p, ct_report_word(p->r, vocab, best), counts[best].faults,
			 s->total.faults, counts[best].bytes, counts[best].ns,
			 ct_report_sentence(p->r, vocab, best));
	}
}

static void path_row(struct page *p, const char *name, const struct ct_count *c)
{
	spaces(p, 2);
	cell(p, -15, name);
	count_cell(p, 11, c->faults);
	count_cell(p, 11, c->reuses);
	count_cell(p, 11, c->copies);
	count_cell(p, 11, c->splits);
	bytes_cell(p, 10, c->bytes);
	ns_cell(p, 10, c->ns);
	end_line(p);
}

/* Nothing where all faults took the path of one PTE. */
static void paths(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	const struct ct_count *after = &s->after_split;
	char n[CT_UNIT_TEXT], copies[CT_UNIT_TEXT], reuses[CT_UNIT_TEXT];
	int i;

	if (s->paths[COWTRACE_PATH_PTE].faults == s->total.faults)
		return;
	heading(p, "By path: one page, a huge page mapped by a PMD, a hugetlb page");
	spaces(p, 2);
	cell(p, -15, "path");
	cell(p, 11, "faults");
	cell(p, 11, "reuses");
	cell(p, 11, "copies");
	cell(p, 11, "splits");
	cell(p, 10, "copied");
	cell(p, 10, "time");
	end_line(p);
	for (i = 0; i < 256; i++)
		if (s->paths[i].faults)
			path_row(p, ct_report_word(p->r, "path", i), &s->paths[i]);
	if (!after->faults)
		return;
	spaces(p, 2);
	say(p, "%s fault%s of one page went on with an access that had just split its huge page: "
	       "%s copied, %s reused", ct_format_count(n, after->faults), plural(after->faults),
	    ct_format_count(copies, after->copies), ct_format_count(reuses, after->reuses));
}

static bool copied(const struct ct_pair *pair)
{
	return ct_copied(pair->outcome);
}

static bool reused(const struct ct_pair *pair)
{
	return pair->outcome == COWTRACE_OUTCOME_REUSE;
}

static bool was_split(const struct ct_pair *pair)
{
	return pair->outcome == COWTRACE_OUTCOME_SPLIT;
}

static void reasons(struct page *p, const char *title_, bool (*member)(const struct ct_pair *),
		    uint64_t whole)
{
	const struct ct_summary *s = p->r->summary;
	char name[64];
	size_t i;

	if (!whole)
		return;
	heading(p, title_);
	word_head(p, "reason", "share", "copied");
	for (i = 0; i < s->nr_pairs; i++) {
		const struct ct_pair *pair = &s->pairs[i];

		if (!member(pair))
			continue;
		snprintf(name, sizeof(name), "%s%s", ct_report_word(p->r, "reason", pair->reason),
			 pair->outcome == COWTRACE_OUTCOME_UNSHARE ? "*" : "");
		word_row(p, name, pair->time.count, whole, pair->bytes, pair->time.sum,
			 ct_report_sentence(p->r, "reason", pair->reason));
	}
	if (member == copied && s->outcomes[COWTRACE_OUTCOME_UNSHARE].faults) {
		spaces(p, 2);
		say(p, "* unshare: a private copy for a read-only pin");
	}
}

static void durations(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	size_t i;

	heading(p, "How long a fault took, from entry to exit of the kernel's function");
	spaces(p, 2);
	cell(p, -10, "outcome");
	cell(p, -16, "reason");
	cell(p, 11, "faults");
	cell(p, 10, "average");
	cell(p, 10, "median");
	cell(p, 10, "99 %");
	cell(p, 10, "longest");
	end_line(p);
	for (i = 0; i < s->nr_pairs; i++) {
		const struct ct_pair *pair = &s->pairs[i];

		spaces(p, 2);
		cell(p, -10, ct_report_word(p->r, "outcome", pair->outcome));
		cell(p, -16, pair->reason ? ct_report_word(p->r, "reason", pair->reason) : "-");
		count_cell(p, 11, pair->time.count);
		ns_cell(p, 10, pair->time.sum / pair->time.count);
		ns_cell(p, 10, ct_histogram_percentile(&pair->time, 50));
		ns_cell(p, 10, ct_histogram_percentile(&pair->time, 99));
		ns_cell(p, 10, pair->time.max);
		end_line(p);
	}
	if (s->counts) {
		spaces(p, 2);
		say(p, "Counted by powers of two: median, 99 %% and longest are no more than that.");
	}
}

/* What the columns before it leave of a line. */
#define PARENT_WIDTH	18

static const char *parent_of(const struct page *p, uint32_t process, char *to)
{
	const struct ct_processes *table = p->r->summary->processes;
	const struct ct_process *it;
	const char *name;

	if (process == CT_MAP_NONE)
		return "-";
	it = ct_processes_get(table, process);
	if (it->parent == CT_MAP_NONE)
		return "-";
	name = ct_processes_name(table, it->parent, it->start);
	return process_text(to, PARENT_WIDTH, name ?: "?",
			    ct_processes_get(table, it->parent)->tgid);
}

/* Processes that are not shown, and those that the kernel's table had no room for. */
static void others(struct page *p, size_t shown)
{
	const struct ct_summary *s = p->r->summary;
	struct ct_count rest = { 0 };
	char n[CT_UNIT_TEXT];

	for (size_t i = shown; i < s->nr_processes; i++)
		ct_count_merge(&rest, &s->by_process[i].count);
	if (rest.faults) {
		spaces(p, 2);
		snprintf(n, sizeof(n), "%zu more", s->nr_processes - shown);
		cell(p, -24, n);
		count_cells(p, &rest);
		end_line(p);
	}
	if (s->counts->others.faults) {
		spaces(p, 2);
		cell(p, -24, "others, of a full table");
		count_cells(p, &s->counts->others);
		end_line(p);
	}
}

static void processes(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	size_t i, n = rows(p, s->nr_processes);
	char parent[PROCESS_TEXT], pid[CT_UNIT_TEXT];

	heading(p, "Processes");
	spaces(p, 2);
	cell(p, -16, "process");
	cell(p, 8, "pid");
	count_heads(p);
	put(p, s->counts ? "" : "  parent");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_process_count *it = &s->by_process[i];

		spaces(p, 2);
		cell(p, -16, it->comm);
		snprintf(pid, sizeof(pid), "%u", it->tgid);
		cell(p, 8, pid);
		count_cells(p, &it->count);
		if (!s->counts || it->at_least) {
			spaces(p, 2);
			put(p, s->counts ? "at least" : parent_of(p, it->process, parent));
		}
		end_line(p);
	}
	if (s->counts)
		others(p, n);
	else
		more(p, n, s->nr_processes);
}

static void sites(struct page *p)
{
	const struct ct_summary *s = p->r->summary;
	size_t i, n = rows(p, s->nr_sites);
	char name[512];

	if (!s->nr_sites)
		return;
	heading(p, "Code sites: the user instruction that faulted");
	spaces(p, 1);
	count_heads(p);
	put(p, "  object and symbol");
	end_line(p);
	for (i = 0; i < n; i++) {
		const struct ct_site_count *it = &s->by_site[i];

		spaces(p, 1);
		count_cells(p, &it->count);
		spaces(p, 2);
		site_name(s->processes, &it->place, name, sizeof(name));
		put(p, name);
		end_line(p);
	}
	more(p, n, s->nr_sites);
}

int ct_report_text(FILE *out, const struct ct_report *r, const struct ct_report_opts *opts)
{
	const struct ct_summary *s = r->summary;
	struct page p = { .out = out, .r = r, .opts = opts };

	title(&p);
	if (s->counts && s->counts->counting && ct_report_running(r))
		say(&p, "counting goes on");
	totals(&p);
	if (s->total.faults) {
		words(&p, "What the kernel did", "outcome", s->outcomes);
		if (!s->counts)
			paths(&p);
		reasons(&p, "Copies by reason", copied, s->total.copies);
		reasons(&p, "Reuses by reason", reused, s->total.reuses);
		reasons(&p, "Splits by reason", was_split, s->total.splits);
		holders_text(&p, "Who held the copied pages: references a page, on average",
			     copied);
		holders_text(&p,
			     "Who held the split huge pages: references a huge page, on average",
			     was_split);
		evidence_text(&p);
		doubts_text(&p);
		if (!s->counts || s->counts->durations)
			durations(&p);
		if (s->counts) {
			policies_text(&p);
		} else {
			folios_text(&p);
			contention_text(&p);
			words(&p, "Where the writes came from", "origin", s->origins);
			words(&p, "Kinds of page", "kind", s->kinds);
		}
		if (!s->counts || s->counts->by_process)
			processes(&p);
		sites(&p);
	}
	groups_text(&p);
	losses(&p, s->processes);
	if (s->counts && s->counts->counting) {
		end_line(&p);
		say(&p, "Counted in the kernel, not recorded, because that costs each fault less. "
			"Code sites, who held the pages, and forks need records: "
			"cowtrace run --records, or cowtrace record");
	}
	return ferror(out) ? -1 : 0;
}
