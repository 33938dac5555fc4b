/* SPDX-License-Identifier: GPL-2.0 */
/* The sections of the HTML report. Each ends where it began: in <main>. */
#ifndef COWTRACE_REPORT_HTML_PARTS_H
#define COWTRACE_REPORT_HTML_PARTS_H

#include "forks.h"
#include "html.h"
#include "report_parts.h"
#include "timeline.h"
#include "whatif_view.h"

/**
 * struct report_page - what the page is made from
 * @h: the page.
 * @r: the trace.
 * @s: its numbers.
 * @timeline: faults over time; as @forks and @whatif, NULL where the trace has no records.
 * @forks: all forks, the most copies first.
 * @whatif: the policies.
 * @lost: what the page has begun with of what was lost, 0 for nothing yet.
 */
struct report_page {
	struct html	h;
	const struct ct_report *r;
	const struct ct_summary *s;
	struct ct_timeline *timeline;
	const struct ct_forks_view *forks;
	const struct ct_whatif_view *whatif;
	uint64_t	lost;
};

/* The style sheet: userspace/html/report.css. */
extern const char report_css_begin[], report_css_end[];

/* Begin a section, which the navigation names too. */
void html_section(struct html *h, const char *id, const char *title);
void html_section_end(struct html *h);

/* What a printer of text says, each sentence an item of a list; nothing for nothing. */
void html_sentences(struct report_page *p, void (*say)(struct page *text, const void *arg),
		    const void *arg);

/* When it began to be recorded, empty where it does not say. Return: @to. */
const char *html_date(const struct ct_report *r, char *to, size_t size);

/* From the document's beginning to the end of what is to be seen first. */
void html_first(struct report_page *p);

void html_timeline(struct report_page *p);
void html_durations(struct report_page *p);
void html_reasons(struct report_page *p);
void html_who(struct report_page *p);
void html_forks(struct report_page *p);
void html_contention(struct report_page *p);
void html_policies(struct report_page *p);
void html_lost(struct report_page *p);
void html_origin(struct report_page *p);

/* The report for people, as `cowtrace report` prints it. */
void html_text_report(struct report_page *p);

#endif /* COWTRACE_REPORT_HTML_PARTS_H */
