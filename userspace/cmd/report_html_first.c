// SPDX-License-Identifier: GPL-2.0
/* What is seen of the page first: what was traced, how many faults, and why they copied. */
#include <string.h>

#include "meta.h"
#include "page.h"
#include "report_html_parts.h"
#include "report_lost.h"
#include "units.h"

static void style(struct html *h)
{
	html_put(h, "<style>\n");
	html_put(h, report_css_begin);
	html_put(h, "</style>\n");
}

/* What was traced: a command, a process, all of a machine, or what the file is called. */
static void traced(const struct report_page *p, char *to, size_t size)
{
	struct json_object *pid = ct_meta_member(p->r->meta, "target", "pid");
	const char *kind = ct_meta_text(p->r->meta, "target", "kind");

	command_line(p->r, to, size);
	if (*to)
		return;
	if (kind && !strcmp(kind, "system"))
		snprintf(to, size, "The whole system");
	else if (pid)
		snprintf(to, size, "process %u", (unsigned int)json_object_get_int(pid));
	else
		snprintf(to, size, "%s", strcmp(p->r->path, "-") ? ct_base_name(p->r->path) :
								   "standard input");
}

static void head(struct report_page *p, const char *what)
{
	struct html *h = &p->h;

	html_put(h, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
		 "<meta charset=\"utf-8\"/>\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		 "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		 "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>Copy on write: ");
	html_text(h, what);
	html_put(h, "</title>\n");
	style(h);
	html_put(h, "</head>\n");
}

static void navigation(struct report_page *p)
{
	static const char * const links[][2] = {
		{ "time", "Timeline" }, { "why", "Why" }, { "duration", "Durations" },
		{ "who", "Who" }, { "forks", "Forks" }, { "meet", "Contention" },
		{ "policies", "Policies" },
	};
	size_t i;

	html_put(&p->h, "<nav aria-label=\"Sections\"><ul>");
	for (i = 0; p->s->total.faults && i < sizeof(links) / sizeof(*links); i++)
		html_printf(&p->h, "<li><a href=\"#%s\">%s</a></li>", links[i][0], links[i][1]);
	html_put(&p->h, "<li><a href=\"#lost\">Lost</a></li><li><a href=\"#origin\">Origin</a></li>"
		 "<li><a href=\"#text\">Text</a></li></ul>\n"
		 "<fieldset class=\"theme\"><legend>Colours</legend>"
		 "<label><input type=\"radio\" name=\"theme\" id=\"auto\" checked=\"checked\"/>auto</label>"
		 "<label><input type=\"radio\" name=\"theme\" id=\"light\"/>light</label>"
		 "<label><input type=\"radio\" name=\"theme\" id=\"dark\"/>dark</label></fieldset></nav>\n");
}

/* --- in sentences ------------------------------------------------------------ */

static void of_faults(struct report_page *p, uint64_t n)
{
	html_put(&p->h, "<b>");
	html_count(&p->h, n);
	html_put(&p->h, "</b> (");
	html_share(&p->h, n, p->s->total.faults);
	html_put(&p->h, ")");
}

/* The most frequent reason of a copy, NULL for none. */
static const struct ct_pair *main_reason(const struct ct_summary *s)
{
	size_t i;

	for (i = 0; i < s->nr_pairs; i++)
		if (ct_copied(s->pairs[i].outcome))
			return &s->pairs[i];
	return NULL;
}

static void because(struct report_page *p)
{
	const struct ct_pair *pair = main_reason(p->s);
	struct html *h = &p->h;

	if (!pair)
		return;
	html_put(h, pair->time.count * 2 > p->s->total.copies ? " Most copies, <b>" :
								" The most frequent reason, for <b>");
	html_count(h, pair->time.count);
	html_put(h, "</b> (");
	html_share(h, pair->time.count, p->s->total.copies);
	html_put(h, pair->time.count * 2 > p->s->total.copies ? "), were made because of <b>" :
								") of the copies, is <b>");
	html_text(h, ct_report_word(p->r, "reason", pair->reason));
	html_put(h, "</b>: ");
	html_text(h, ct_report_sentence(p->r, "reason", pair->reason));
	html_put(h, ".");
}

static void verdict(struct report_page *p)
{
	const struct ct_count *total = &p->s->total;
	struct html *h = &p->h;

	html_put(h, "<p class=\"verdict\">");
	if (!total->faults) {
		html_printf(h, "No write-protect fault was %s.</p>\n",
			    p->s->counts ? "counted" : "recorded");
		return;
	}
	html_put(h, "Of <b>");
	html_count(h, total->faults);
	html_printf(h, "</b> write-protect fault%s the kernel reused the page in ",
		    plural(total->faults));
	of_faults(p, total->reuses);
	html_put(h, " and copied it in ");
	of_faults(p, total->copies);
	html_put(h, ".");
	because(p);
	html_put(h, "</p>\n");
}

static void estimated(struct report_page *p)
{
	const struct ct_sample *s = &p->r->sample;
	char recorded[CT_UNIT_TEXT], all[CT_UNIT_TEXT];

	if (!ct_sampled(s))
		return;
	html_put(&p->h, "<p class=\"note\">");
	if (s->all)
		html_say(&p->h, "Sampled: %s of %s faults were %s, 1 in %.4g, each by chance. ",
			 ct_format_count(recorded, s->recorded), ct_format_count(all, s->all),
			 p->s->counts ? "counted" : "recorded", s->factor);
	else
		html_say(&p->h, "Sampled: 1 in %.4g faults was recorded, each by chance. ",
			 s->factor);
	html_say(&p->h, "All figures are estimates of all faults: the standard error of a count n is at most the root of %.4g n.",
		 s->factor - 1);
	if (s->changed)
		html_put(&p->h, " The rate changed under way: they lean to the time in which more was recorded.");
	html_put(&p->h, "</p>\n");
}

/* --- in figures -------------------------------------------------------------- */

static void begin_tile(struct html *h, const char *class, const char *name)
{
	html_printf(h, "<div class=\"%s\"><dt>%s</dt><dd>", class, name);
}

static void rate(struct report_page *p)
{
	uint64_t span = p->s->last_ns - p->s->first_ns;
	char text[CT_UNIT_TEXT];

	if (span >= 1000000000 && p->s->total.faults >= span / 1000000000)
		html_printf(&p->h, "<small>%s a second</small>",
			    ct_format_count(text, p->s->total.faults / (span / 1e9)));
	else if (span)
		html_printf(&p->h, "<small>in %s</small>", ct_format_ns(text, span));
}

/* The first of what is counted is what the module itself lost. */
static void first_lost(void *arg, const struct ct_lost *lost)
{
	struct report_page *p = arg;

	if (lost->unit != CT_LOST_COUNT || p->lost)
		return;
	p->lost = lost->n;
	html_count(&p->h, lost->n);
	html_put(&p->h, "<small>");
	html_text(&p->h, lost->what);
	html_put(&p->h, ": ");
}

static void lost_tile(struct report_page *p)
{
	bool any = ct_report_lost(p->r, p->s->processes, NULL, NULL);

	begin_tile(&p->h, any ? "lost" : "whole", "Lost");
	if (any)
		ct_report_lost(p->r, p->s->processes, first_lost, p);
	if (any && !p->lost)
		html_put(&p->h, p->r->info->damages ? "part of the trace<small>" : "not known<small>");
	html_put(&p->h, any ? "<a href=\"#lost\">more</a></small></dd></div>\n" :
			      "nothing<small>the trace is whole</small></dd></div>\n");
}

static void tiles(struct report_page *p)
{
	uint64_t span = p->s->last_ns - p->s->first_ns;
	const struct ct_count *total = &p->s->total;
	struct html *h = &p->h;
	char text[CT_UNIT_TEXT];

	html_put(h, "<dl class=\"tiles\">\n");
	begin_tile(h, "all", "Faults");
	html_count(h, total->faults);
	rate(p);
	html_put(h, "</dd></div>\n");
	begin_tile(h, "reuse", "Reused");
	html_share(h, total->reuses, total->faults);
	html_put(h, "<small>");
	html_count(h, total->reuses);
	html_put(h, " pages kept</small></dd></div>\n");
	begin_tile(h, "copy", "Copied");
	html_share(h, total->copies, total->faults);
	html_put(h, "<small>");
	html_count(h, total->copies);
	html_put(h, " times</small></dd></div>\n");
	begin_tile(h, "copy", "Bytes copied");
	html_bytes(h, total->bytes);
	if (span >= 1000000000 && total->bytes >= span / 1000000000)
		html_printf(h, "<small>%s a second</small>",
			    ct_format_bytes(text, total->bytes / (span / 1e9)));
	html_put(h, "</dd></div>\n");
	begin_tile(h, "copy", "Time in copies");
	html_ns(h, total->copy_ns);
	if (total->copies && !h->untimed)
		html_printf(h, "<small>%s each, on average</small>",
			    ct_format_ns(text, total->copy_ns / total->copies));
	html_put(h, "</dd></div>\n");
	lost_tile(p);
	html_put(h, "</dl>\n");
}

static void shares(struct report_page *p)
{
	const struct ct_count *total = &p->s->total;
	uint64_t rest = total->faults - total->reuses - total->copies - total->splits;

	if (!total->faults)
		return;
	html_put(&p->h, "<div class=\"shares\">");
	html_bar(&p->h, "shares of reuses, copies and other outcomes");
	html_bar_part(&p->h, "reuse", total->reuses, total->faults);
	html_bar_part(&p->h, "other", rest, total->faults);
	html_bar_part(&p->h, "split", total->splits, total->faults);
	html_bar_part(&p->h, "copy", total->copies, total->faults);
	html_bar_end(&p->h);
	html_put(&p->h, "<ul class=\"legend\"><li><i class=\"reuse\"></i>reused</li>");
	if (rest)
		html_put(&p->h, "<li><i class=\"other\"></i>neither</li>");
	if (total->splits)
		html_put(&p->h, "<li><i class=\"split\"></i>huge page split</li>");
	html_put(&p->h, "<li><i class=\"copy\"></i>copied</li></ul></div>\n");
}

void html_first(struct report_page *p)
{
	char what[HTML_TEXT_MAX], date[64];
	struct html *h = &p->h;

	traced(p, what, sizeof(what));
	head(p, what);
	html_put(h, "<body>\n<header>\n<p class=\"kicker\">Copy on write, seen by cowtrace</p>\n<h1>");
	html_name(h, what);
	html_put(h, "</h1>\n<p class=\"sub\">");
	if (ct_meta_text(p->r->meta, "kernel", "host")) {
		html_put(h, "host ");
		html_name(h, ct_meta_text(p->r->meta, "kernel", "host"));
		html_put(h, ", ");
	}
	html_put(h, "kernel ");
	html_name(h, p->r->schema->kernel ?: "not known");
	html_say(h, ", cowtrace %s by %s%s%s. ", p->r->schema->module ?: "-",
		 p->r->schema->backend ?: "-", *html_date(p->r, date, sizeof(date)) ? ", " : "",
		 date);
	html_put(h, "<a href=\"#origin\">More on the origin</a></p>\n");
	navigation(p);
	html_put(h, "</header>\n<main>\n<section id=\"first\" aria-label=\"In short\">\n");
	if (p->s->counts && p->s->counts->counting && ct_report_running(p->r))
		html_put(h, "<p class=\"note\">Counting goes on.</p>\n");
	verdict(p);
	estimated(p);
	tiles(p);
	shares(p);
	html_section_end(h);
}
