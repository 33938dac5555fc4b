// SPDX-License-Identifier: GPL-2.0
/* The page's chart of faults over time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "html_chart.h"
#include "report_html_parts.h"
#include "units.h"

/* Rows of the time line as a table. */
#define TIME_ROWS	24u

/* Units that a time axis has its ticks in. */
static const struct time_unit {
	const char	*name;
	double		ns;
} units[] = {
	{ "h", 3600e9 }, { "min", 60e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "\xc2\xb5s", 1e3 },
	{ "ns", 1 },
};

/* The unit that a span is at least four of. */
static const struct time_unit *unit_of(double span)
{
	const struct time_unit *unit = units;

	while (unit->ns > 1 && span < 4 * unit->ns)
		unit++;
	return unit;
}

/* --- the time line ----------------------------------------------------------- */

static void y_rate(char *to, size_t size, double value, double most)
{
	if (!value)
		snprintf(to, size, "0");
	else if (most >= 2e6)
		snprintf(to, size, "%g M/s", value / 1e6);
	else if (most >= 2e3)
		snprintf(to, size, "%g k/s", value / 1e3);
	else
		snprintf(to, size, "%g/s", value);
}

/* Since the first fault; a bin may begin before it. */
static uint64_t since(const struct report_page *p, size_t bin)
{
	uint64_t start = ct_timeline_start(p->timeline, bin);

	return start > p->s->first_ns ? start - p->s->first_ns : 0;
}

static void tell_bin(struct html *h, const void *arg, size_t bin)
{
	const struct report_page *p = arg;
	const struct ct_count *c = &ct_timeline_bin(p->timeline, bin)->count;
	char t[CT_UNIT_TEXT], copies[CT_UNIT_TEXT], reuses[CT_UNIT_TEXT], bytes[CT_UNIT_TEXT];

	html_say(h, "after %s: %s copies (%s), %s reuses", ct_format_ns(t, since(p, bin)),
		 ct_format_count(copies, c->copies), ct_format_bytes(bytes, c->bytes),
		 ct_format_count(reuses, c->reuses));
	if (c->faults > c->copies + c->reuses)
		html_say(h, ", %s others",
			 ct_format_count(copies, c->faults - c->copies - c->reuses));
}

static void fill(struct html_chart *chart, struct ct_timeline *t)
{
	double second = 1e9 / ldexp(1, t->shift);
	size_t i;

	for (i = 0; i < t->nr; i++) {
		const struct ct_count *c = &ct_timeline_bin(t, i)->count;

		chart->series[0].value[i] = c->copies * second;
		chart->series[1].value[i] = c->splits * second;
		chart->series[2].value[i] = c->reuses * second;
		chart->series[3].value[i] =
			(c->faults - c->copies - c->reuses - c->splits) * second;
	}
}

static void time_ticks(struct html_chart *chart, const struct report_page *p)
{
	double width = ldexp(1, p->timeline->shift), all = width * p->timeline->nr;
	double start = ct_timeline_start(p->timeline, 0);
	double from = p->s->first_ns > start ? p->s->first_ns - start : 0;
	const struct time_unit *unit = unit_of(all - from);
	double step = html_step((all - from) / unit->ns, 4), t;

	/* Whole ones, unless they are ns. */
	for (t = 0; from + t * unit->ns <= all && chart->nr_ticks < HTML_TICKS; t += step) {
		struct html_tick *tick = &chart->ticks[chart->nr_ticks++];

		tick->at = (from + t * unit->ns) / all;
		snprintf(tick->text, sizeof(tick->text), t ? "%g %s" : "%g", t, unit->name);
	}
}

/* Forks and losses, under the bins in which they were. */
static void strips(struct report_page *p)
{
	uint64_t forks[CT_TIMELINE_BINS] = { 0 }, lost[CT_TIMELINE_BINS] = { 0 };
	struct ct_timeline *t = p->timeline;
	bool any_fork = false, any_lost = false;
	size_t i;

	for (i = 0; i < p->forks->f->nr; i++) {
		uint64_t number = p->forks->f->list[i].start >> t->shift;

		if (number < t->first || number - t->first >= t->nr)
			continue;
		forks[number - t->first]++;
		any_fork = true;
	}
	for (i = 0; i < t->nr; i++) {
		lost[i] = ct_timeline_bin(t, i)->lost;
		any_lost |= lost[i];
	}
	if (any_fork)
		html_strip(&p->h, "forks", "fork", forks, t->nr);
	if (any_lost)
		html_strip(&p->h, "lost", "lost", lost, t->nr);
}

static void time_table(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "after", "text" }, { "faults", NULL }, { "copies", NULL }, { "reuses", NULL },
		{ "copied", NULL }, { "time", NULL }, { "lost", NULL },
	};
	struct ct_timeline *t = p->timeline;
	size_t i, k, each = (t->nr + TIME_ROWS - 1) / TIME_ROWS;
	char text[CT_UNIT_TEXT];

	html_put(&p->h, "<details><summary>The timeline as a table</summary>\n");
	html_table(&p->h, "timetable", "Faults over time", columns,
		   sizeof(columns) / sizeof(*columns));
	for (i = 0; i < t->nr; i += each) {
		struct ct_count sum = { 0 };
		uint64_t lost = 0;

		for (k = i; k < i + each && k < t->nr; k++) {
			ct_count_merge(&sum, &ct_timeline_bin(t, k)->count);
			lost = ct_add(lost, ct_timeline_bin(t, k)->lost);
		}
		html_row(&p->h, ct_format_ns(text, since(p, i)), NULL);
		html_cells_count(&p->h, &sum);
		html_cell_count(&p->h, lost);
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
	html_put(&p->h, "</details>\n");
}

void html_timeline(struct report_page *p)
{
	struct html_chart *chart;
	char text[CT_UNIT_TEXT];

	html_section(&p->h, "time", "Timeline");
	if (!p->timeline) {
		html_paragraph(&p->h, "The faults were counted in the kernel and not recorded: when they were is not known.");
		html_section_end(&p->h);
		return;
	}
	chart = calloc(1, sizeof(*chart));
	if (chart) {
		*chart = (struct html_chart){
			.about = "Copies a second above the line, reuses below it, over time; the table below has the figures",
			.nr = p->timeline->nr,
			.series = {
				{ .class = "copy", .name = "copies, above the line" },
				{ .class = "split", .name = "splits of huge pages" },
				{ .class = "reuse", .name = "reuses, below the line",
				  .down = true },
				{ .class = "other", .name = "neither", .down = true },
			},
			.nr_series = 4,
			.y = y_rate,
			.tell = tell_bin,
			.arg = p,
		};
		fill(chart, p->timeline);
		time_ticks(chart, p);
		html_put(&p->h, "<figure class=\"chart\"><figcaption>Faults a second since the first; each bar is ");
		html_text(&p->h, ct_format_ns(text, 1ull << p->timeline->shift));
		html_put(&p->h, " wide.</figcaption>\n");
		html_chart(&p->h, chart);
		strips(p);
		html_put(&p->h, "</figure>\n");
	}
	free(chart);
	time_table(p);
	html_section_end(&p->h);
}
