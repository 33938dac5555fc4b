// SPDX-License-Identifier: GPL-2.0
/* Tables of the page: why the kernel copied or reused, who wrote, and from where. */
#include <string.h>

#include "page.h"
#include "report_html_parts.h"
#include "units.h"

/* --- outcomes and reasons ---------------------------------------------------- */

static bool copied(unsigned int outcome)
{
	return ct_copied(outcome);
}

static bool reused(unsigned int outcome)
{
	return outcome == COWTRACE_OUTCOME_REUSE;
}

static bool was_split(unsigned int outcome)
{
	return outcome == COWTRACE_OUTCOME_SPLIT;
}

/**
 * struct sort - what a table of reasons is of
 * @id: of the table.
 * @caption: over it.
 * @class: the colour of its bars.
 * @member: which outcomes.
 */
struct sort {
	const char	*id;
	const char	*caption;
	const char	*class;
	bool		(*member)(unsigned int outcome);
};

static void reason_row(struct report_page *p, const struct ct_pair *pair, const struct sort *sort,
		       uint64_t whole)
{
	const char *word = ct_report_word(p->r, "reason", pair->reason);
	char name[128];

	snprintf(name, sizeof(name), pair->outcome == COWTRACE_OUTCOME_UNSHARE ?
		 "%s, for a read-only pin" : "%s", word);
	html_row(&p->h, name, ct_report_sentence(p->r, "reason", pair->reason));
	html_cell_count(&p->h, pair->time.count);
	html_cell_share(&p->h, pair->time.count, whole);
	html_cell_bar(&p->h, sort->class, pair->time.count, whole);
	html_cell_bytes(&p->h, pair->bytes);
	html_cell_ns(&p->h, pair->time.sum);
	html_row_end(&p->h);
}

static void reason_table(struct report_page *p, const struct sort *sort)
{
	static const struct html_column columns[] = {
		{ "reason", "text" }, { "faults", NULL }, { "share", NULL }, { "", "bar" },
		{ "copied", NULL }, { "time", NULL },
	};
	uint64_t whole = 0, rest = 0, bytes = 0, ns = 0;
	size_t i, shown = 0, nr = 0;

	for (i = 0; i < p->s->nr_pairs; i++) {
		if (!sort->member(p->s->pairs[i].outcome))
			continue;
		whole = ct_add(whole, p->s->pairs[i].time.count);
		nr++;
	}
	if (!nr)
		return;
	html_table(&p->h, sort->id, sort->caption, columns, sizeof(columns) / sizeof(*columns));
	for (i = 0; i < p->s->nr_pairs; i++) {
		const struct ct_pair *pair = &p->s->pairs[i];

		if (!sort->member(pair->outcome))
			continue;
		if (shown < html_rows(&p->h, nr)) {
			reason_row(p, pair, sort, whole);
			shown++;
			continue;
		}
		rest = ct_add(rest, pair->time.count);
		bytes = ct_add(bytes, pair->bytes);
		ns = ct_add(ns, pair->time.sum);
	}
	if (shown < nr) {
		html_row_more(&p->h, nr - shown);
		html_cell_count(&p->h, rest);
		html_cell_share(&p->h, rest, whole);
		html_cell_bar(&p->h, sort->class, rest, whole);
		html_cell_bytes(&p->h, bytes);
		html_cell_ns(&p->h, ns);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
}

/* Rows for the words of a vocabulary that occur, the most frequent first. */
static void words(struct report_page *p, const char *vocab, const char *caption,
		  const struct ct_count *counts)
{
	const struct html_column columns[] = {
		{ vocab, "text" }, { "faults", NULL }, { "share", NULL }, { "copies", NULL },
		{ "reuses", NULL }, { "copied", NULL }, { "time", NULL },
	};
	struct ct_count rest = { 0 };
	bool done[256] = { false };
	size_t shown = 0, nr = 0;
	int i, best;

	for (i = 0; i < 256; i++)
		nr += !!counts[i].faults;
	if (!nr)
		return;
	html_table(&p->h, vocab, caption, columns, sizeof(columns) / sizeof(*columns));
	for (; shown < html_rows(&p->h, nr); shown++) {
		best = -1;
		for (i = 0; i < 256; i++)
			if (!done[i] && (best < 0 || counts[i].faults > counts[best].faults))
				best = i;
		done[best] = true;
		html_row(&p->h, ct_report_word(p->r, vocab, best),
			 ct_report_sentence(p->r, vocab, best));
		html_cell_count(&p->h, counts[best].faults);
		html_cell_share(&p->h, counts[best].faults, p->s->total.faults);
		html_cell_count(&p->h, counts[best].copies);
		html_cell_count(&p->h, counts[best].reuses);
		html_cell_bytes(&p->h, counts[best].bytes);
		html_cell_ns(&p->h, counts[best].ns);
		html_row_end(&p->h);
	}
	for (i = 0; i < 256; i++)
		if (!done[i])
			ct_count_merge(&rest, &counts[i]);
	if (shown < nr) {
		html_row_more(&p->h, nr - shown);
		html_cell_count(&p->h, rest.faults);
		html_cell_share(&p->h, rest.faults, p->s->total.faults);
		html_cell_count(&p->h, rest.copies);
		html_cell_count(&p->h, rest.reuses);
		html_cell_bytes(&p->h, rest.bytes);
		html_cell_ns(&p->h, rest.ns);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
}

void html_reasons(struct report_page *p)
{
	static const struct sort sorts[] = {
		{ "copies", "Copies by reason", "copy", copied },
		{ "reuses", "Reuses by reason", "reuse", reused },
		{ "splits", "Splits of huge pages by reason", "split", was_split },
	};
	size_t i;

	html_section(&p->h, "why", "Why");
	for (i = 0; i < sizeof(sorts) / sizeof(*sorts); i++)
		reason_table(p, &sorts[i]);
	html_put(&p->h, "<details><summary>All outcomes, paths, kinds of page and origins of writes</summary>\n");
	words(p, "outcome", "What the kernel did", p->s->outcomes);
	if (!p->s->counts) {
		words(p, "path", "Paths: one page, a huge page mapped by a PMD, a hugetlb page",
		      p->s->paths);
		words(p, "kind", "Kinds of page", p->s->kinds);
		words(p, "origin", "Where the writes came from", p->s->origins);
	}
	html_put(&p->h, "</details>\n");
	html_section_end(&p->h);
}

/* --- processes and code sites ------------------------------------------------ */

static void more_counts(struct report_page *p, size_t n, const struct ct_count *rest)
{
	html_row_more(&p->h, n);
	html_cell_bar(&p->h, "copy", rest->copies, p->s->total.copies);
	html_cells_count(&p->h, rest);
	html_row_end(&p->h);
}

static void processes(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "process", "text" }, { "copies", "bar" }, HTML_COUNT_COLUMNS,
	};
	size_t i, n = html_rows(&p->h, p->s->nr_processes);
	struct ct_count rest = { 0 };
	char name[PROCESS_TEXT];

	html_table(&p->h, "processes", "Processes, the most copies first", columns,
		   sizeof(columns) / sizeof(*columns));
	for (i = 0; i < n; i++) {
		const struct ct_process_count *it = &p->s->by_process[i];

		snprintf(name, sizeof(name), "%s (%u)", it->comm, it->tgid);
		html_row(&p->h, name, it->at_least ? "at least: others, below, may have some of it" : NULL);
		html_cell_bar(&p->h, "copy", it->count.copies, p->s->total.copies);
		html_cells_count(&p->h, &it->count);
		html_row_end(&p->h);
	}
	for (; i < p->s->nr_processes; i++)
		ct_count_merge(&rest, &p->s->by_process[i].count);
	if (n < p->s->nr_processes)
		more_counts(p, p->s->nr_processes - n, &rest);
	if (p->s->counts && p->s->counts->others.faults) {
		html_row(&p->h, "others, of a full table", NULL);
		html_cell_bar(&p->h, "copy", p->s->counts->others.copies, p->s->total.copies);
		html_cells_count(&p->h, &p->s->counts->others);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
}

static void sites(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "object and symbol", "text" }, { "copies", "bar" }, HTML_COUNT_COLUMNS,
	};
	size_t i, n = html_rows(&p->h, p->s->nr_sites);
	struct ct_count rest = { 0 };
	char name[512];

	html_table(&p->h, "sites", "Code: the instruction of the program that wrote", columns,
		   sizeof(columns) / sizeof(*columns));
	for (i = 0; i < n; i++) {
		const struct ct_site_count *it = &p->s->by_site[i];

		site_name(p->s->processes, &it->place, name, sizeof(name));
		html_row(&p->h, name, NULL);
		html_cell_bar(&p->h, "copy", it->count.copies, p->s->total.copies);
		html_cells_count(&p->h, &it->count);
		html_row_end(&p->h);
	}
	for (; i < p->s->nr_sites; i++)
		ct_count_merge(&rest, &p->s->by_site[i].count);
	if (n < p->s->nr_sites)
		more_counts(p, p->s->nr_sites - n, &rest);
	html_table_end(&p->h);
}

void html_who(struct report_page *p)
{
	html_section(&p->h, "who", "Who wrote, and where");
	if (!p->s->counts || p->s->counts->by_process)
		processes(p);
	else
		html_paragraph(&p->h, "Processes were not counted one by one.");
	if (p->s->nr_sites)
		sites(p);
	else
		html_paragraph(&p->h, "No fault has an instruction pointer: which code wrote is not known.");
	html_section_end(&p->h);
}
