// SPDX-License-Identifier: GPL-2.0
/* The end of the page: what was lost, where the trace comes from, the report as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "meta.h"
#include "page.h"
#include "report_html_parts.h"
#include "report_lost.h"
#include "units.h"

/* Bytes of the text that are shown. */
#define TEXT_MAX	(192u << 10)

/* --- what was lost ----------------------------------------------------------- */

static void lost_row(void *arg, const struct ct_lost *lost)
{
	struct html *h = arg;

	html_row(h, lost->what, NULL);
	if (lost->unit == CT_LOST_STATEMENT)
		html_cell_absent(h);
	else if (lost->unit == CT_LOST_BYTES)
		html_cell_bytes(h, lost->n);
	else
		html_cell_count(h, lost->n);
	html_cell_text(h, lost->next ?: "");
	html_row_end(h);
}

void html_lost(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "what", "text" }, { "how much", NULL }, { "what to do", "text" },
	};
	struct html *h = &p->h;

	html_section(h, "lost", "What was lost");
	if (ct_report_lost(p->r, p->s->processes, NULL, NULL)) {
		html_table(h, "losses", "Missing in the trace", columns,
			   sizeof(columns) / sizeof(*columns));
		ct_report_lost(p->r, p->s->processes, lost_row, h);
		html_table_end(h);
	} else {
		html_paragraph(h, "Nothing: each fault that was to be recorded is in the trace.");
	}
	if (ct_report_left_out(p->r, NULL, NULL)) {
		html_table(h, "leftout", "Left out on request", columns,
			   sizeof(columns) / sizeof(*columns));
		ct_report_left_out(p->r, lost_row, h);
		html_table_end(h);
	}
	html_section_end(h);
}

/* --- where the trace comes from ---------------------------------------------- */

static void begin_fact(struct html *h, const char *name)
{
	html_printf(h, "<div><dt>%s</dt><dd>", name);
}

static void end_fact(struct html *h)
{
	html_put(h, "</dd></div>\n");
}

static void fact(struct html *h, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	begin_fact(h, name);
	html_name(h, text);
	end_fact(h);
}

const char *html_date(const struct ct_report *r, char *to, size_t size)
{
	struct json_object *value = ct_meta_member(r->meta, "start", "realtime_ns");
	time_t seconds = json_object_get_int64(value) / 1000000000;
	struct tm tm;

	*to = '\0';
	if (seconds > 0 && gmtime_r(&seconds, &tm))
		strftime(to, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return to;
}

static void when(struct report_page *p)
{
	uint64_t span = p->s->last_ns - p->s->first_ns;
	char text[64];

	fact(&p->h, "Recorded", html_date(p->r, text, sizeof(text)));
	if (!span)
		return;
	begin_fact(&p->h, p->s->counts ? "Counted for" : "From first to last fault");
	html_put(&p->h, ct_format_ns(text, span));
	end_fact(&p->h);
}

static void recorder(struct report_page *p)
{
	/* Long enough to be seen to be cut. */
	char line[HTML_TEXT_MAX + 5];
	struct json_object *words = NULL;

	json_object_object_get_ex(p->r->meta, "command_line", &words);
	page_words(words, line, sizeof(line));
	fact(&p->h, "Recorded by", line);
}

void html_origin(struct report_page *p)
{
	const struct ct_report *r = p->r;
	char text[HTML_TEXT_MAX];
	struct html *h = &p->h;

	html_section(h, "origin", "Where the trace comes from");
	html_put(h, "<dl class=\"facts\">\n");
	command_line(r, text, sizeof(text));
	fact(h, "Traced command", text);
	recorder(p);
	when(p);
	fact(h, "Host", ct_meta_text(r->meta, "kernel", "host"));
	fact(h, "Kernel", r->schema->kernel);
	fact(h, "Its build", ct_meta_text(r->meta, "kernel", "version"));
	fact(h, "Machine", ct_meta_text(r->meta, "kernel", "arch"));
	fact(h, "CPUs", ct_meta_text(r->meta, "kernel", "cpus"));
	begin_fact(h, "Page size");
	html_bytes(h, r->schema->page_size);
	end_fact(h);
	fact(h, "Probes", r->schema->backend);
	fact(h, "cowtrace", r->schema->module);
	fact(h, "File", strcmp(r->path, "-") ? r->path : "standard input");
	begin_fact(h, "Records");
	html_count(h, r->info->records);
	html_put(h, " in ");
	html_bytes(h, r->info->size);
	end_fact(h);
	html_put(h, "</dl>\n");
	html_section_end(h);
}

/* --- the report as text ------------------------------------------------------ */

/* Line by line: html_text() ends where it is too long. */
static void text_lines(struct html *h, char *text)
{
	char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		html_text(h, line);
		html_put(h, "\n");
		if (end - text > (ptrdiff_t)TEXT_MAX) {
			html_put(h, "\xe2\x80\xa6 cut here: cowtrace report prints the whole\n");
			return;
		}
	}
}

void html_text_report(struct report_page *p)
{
	struct ct_report_opts opts = { .top = html_rows(&p->h, HTML_ROWS_MAX) };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	ct_report_text(f, p->r, &opts);
	fclose(f);
	html_section(&p->h, "text", "As text");
	html_put(&p->h, "<details><summary>What cowtrace report prints, with who held the pages, evidence and groups of events</summary>\n<pre tabindex=\"0\">");
	text_lines(&p->h, text);
	html_put(&p->h, "</pre></details>\n");
	html_section_end(&p->h);
	free(text);
}
