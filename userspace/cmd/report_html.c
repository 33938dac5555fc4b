// SPDX-License-Identifier: GPL-2.0
/* The report as HTML: reads the trace, once, and puts the sections in order. */
#include "report_html.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "confine.h"
#include "page.h"
#include "past.h"
#include "report_html_parts.h"

/* --- what several sections use ----------------------------------------------- */

void html_section(struct html *h, const char *id, const char *title)
{
	html_printf(h, "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n",
		    id, id, id, title);
}

void html_section_end(struct html *h)
{
	html_put(h, "</section>\n");
}

void html_sentences(struct report_page *p, void (*say)(struct page *text, const void *arg),
		    const void *arg)
{
	char *text = NULL, *line, *rest = NULL;
	struct ct_report_opts opts = { .top = HTML_ROWS_MAX };
	struct page page = { .r = p->r, .opts = &opts, .unwrapped = true };
	size_t size;

	page.out = open_memstream(&text, &size);
	if (!page.out)
		return;
	say(&page, arg);
	fclose(page.out);
	line = strtok_r(text, "\n", &rest);
	if (line)
		html_put(&p->h, "<ul class=\"notes\">");
	for (; line; line = strtok_r(NULL, "\n", &rest)) {
		html_put(&p->h, "<li>");
		html_text(&p->h, line + strspn(line, " "));
		html_put(&p->h, "</li>");
	}
	if (size)
		html_put(&p->h, "</ul>\n");
	free(text);
}

static void sections(struct report_page *p)
{
	html_first(p);
	if (p->s->total.faults) {
		html_timeline(p);
		html_reasons(p);
		html_durations(p);
		html_who(p);
		html_forks(p);
		html_contention(p);
		html_policies(p);
	}
	html_lost(p);
	html_origin(p);
	html_text_report(p);
	html_put(&p->h, "</main>\n</body>\n</html>\n");
}

/* --- reading ----------------------------------------------------------------- */

/**
 * struct reading - all that looks at the records as they come by
 * @summary: the numbers; those of the report from the beginning.
 * @forks: the ledger.
 * @whatif: the patterns.
 * @past: what these ask of the history of the trace.
 * @timeline: faults over time.
 * @view: of the forks.
 * @policies: the view of the policies.
 * @sum: what the patterns add up to.
 */
struct reading {
	struct ct_summary *summary;
	struct ct_forks	*forks;
	struct ct_whatif *whatif;
	struct ct_forks	*past;
	struct ct_timeline timeline;
	struct ct_forks_view view;
	struct ct_whatif_view policies;
	struct ct_whatif_sum sum;
};

static int begin(struct reading *it, struct ct_report *r, struct ct_error *err)
{
	const struct ct_processes *processes;
	int ret = ct_summary_new(r->reader, &r->summary, err);

	if (ret)
		return ret;
	it->summary = r->summary;
	processes = it->summary->processes;
	it->forks = ct_forks_new(processes, r->schema->page_size);
	it->whatif = ct_whatif_new(r->schema, processes, NULL, 0);
	if (!it->forks || !it->whatif)
		return -ENOMEM;
	return ct_whatif_begin_past(it->whatif, r, &it->past, &it->policies.untold);
}

static int take(struct reading *it, const struct ct_event *event, uint64_t page_size)
{
	uint64_t bytes = cowtrace_copied_pages(event->record) * page_size;

	if (event->lost && it->whatif->past)
		ct_past_lost(it->whatif->past);
	ct_timeline_add(&it->timeline, event->record, bytes, event->lost);
	return ct_summary_take(it->summary, event->record) ?:
	       ct_forks_take(it->forks, event->record) ?:
	       ct_whatif_take(it->whatif, event->record);
}

/* There are no more records. */
static int end(struct reading *it, struct ct_report *r)
{
	int ret = ct_summary_end(it->summary);

	ct_forks_end(it->forks);
	ct_sample_summary(&r->sample, it->summary);
	ct_sample_forks(&r->sample, it->forks);
	ct_sample_whatif(&r->sample, it->whatif);
	ct_sample_timeline(&r->sample, &it->timeline);
	ct_whatif_sum(it->whatif, &it->sum);
	return ret;
}

static int views(struct reading *it, struct report_page *p, struct ct_error *err)
{
	static const struct ct_forks_opts forks_opts = { .sort = CT_FORK_SORT_COPIES };
	static const struct ct_whatif_opts whatif_opts = { .nr = 0 };
	size_t i;

	it->view.r = p->r;
	it->view.f = it->forks;
	it->view.opts = &forks_opts;
	it->policies.r = p->r;
	it->policies.opts = &whatif_opts;
	it->policies.w = it->whatif;
	it->policies.sum = &it->sum;
	for (i = 0; i < COWTRACE_NR_POLICIES; i++)
		it->policies.chosen[it->policies.nr++] = i;
	p->timeline = &it->timeline;
	p->forks = &it->view;
	p->whatif = &it->policies;
	return ct_forks_choose(&it->view, err);
}

static int read_records(struct reading *it, struct ct_report *r, struct report_page *p,
			struct ct_error *err)
{
	struct ct_event event;
	int ret = begin(it, r, err);

	while (!ret && ct_reader_next(r->reader, &event))
		ret = take(it, &event, r->schema->page_size);
	ret = ret ?: end(it, r) ?: views(it, p, err);
	return ret && !err->code ? ct_error_set(err, ret, "out of memory") : ret;
}

static void free_reading(struct reading *it)
{
	free(it->view.chosen);
	ct_whatif_free(it->whatif);
	ct_forks_free(it->past);
	ct_forks_free(it->forks);
	free(it);
}

static int print(FILE *out, struct ct_report *r, const void *arg, struct ct_error *err)
{
	const char *counts = ct_state_text(&r->state, "counts");
	struct reading *it = calloc(1, sizeof(*it));
	const struct ct_report_opts *opts = arg;
	struct report_page p = { .h = { .out = out, .top = opts->top }, .r = r };
	int ret;

	if (!it)
		return ct_error_set(err, -ENOMEM, "out of memory");
	r->opts = opts;
	ret = counts ? ct_report_count(r, counts, err) : read_records(it, r, &p, err);
	if (!ret) {
		p.s = r->summary;
		p.h.untimed = p.s->counts && !p.s->counts->timed;
		sections(&p);
		ret = ferror(out) ? -EIO : 0;
	}
	free_reading(it);
	return ret;
}

int ct_report_html(FILE *out, const char *trace_path, const struct ct_report_opts *opts)
{
	return ct_report_on(out, trace_path, print, opts);
}

int ct_report_html_file(const char *path, const char *trace_path,
			const struct ct_report_opts *opts)
{
	if (!strcmp(path, "-"))
		return ct_confined_report(stdout, trace_path, print, opts);
	return ct_report_into(path, trace_path, print, opts);
}
