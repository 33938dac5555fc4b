// SPDX-License-Identifier: GPL-2.0
/* How long faults took: the chart and the table of the page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "html_chart.h"
#include "report_html_parts.h"
#include "units.h"

/**
 * struct spread - the durations of copies and of reuses
 * @copies: of them.
 * @reuses: likewise.
 * @each: buckets of a bar.
 * @first: bar of the shortest.
 */
struct spread {
	struct ct_histogram copies;
	struct ct_histogram reuses;
	unsigned int	each;
	unsigned int	first;
};

static void merge(struct ct_histogram *to, const struct ct_histogram *from)
{
	size_t i;

	to->count += from->count;
	to->sum += from->sum;
	if (from->max > to->max)
		to->max = from->max;
	for (i = 0; i < CT_HISTOGRAM_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

static void gather(struct spread *s, const struct ct_summary *sum)
{
	int i;

	for (i = 0; i < 256; i++) {
		if (!sum->outcome_time[i])
			continue;
		if (ct_copied(i))
			merge(&s->copies, sum->outcome_time[i]);
		else if (i == COWTRACE_OUTCOME_REUSE)
			merge(&s->reuses, sum->outcome_time[i]);
	}
}

static uint64_t in_bar(const struct spread *s, const struct ct_histogram *h, size_t bar)
{
	uint64_t n = 0;
	size_t i;

	for (i = (s->first + bar) * s->each; i < (s->first + bar + 1) * s->each; i++)
		n += h->bucket[i];
	return n;
}

static bool empty_bar(const struct spread *s, size_t bar)
{
	return !in_bar(s, &s->copies, bar) && !in_bar(s, &s->reuses, bar);
}

/* Counts that anybody wrote may be none of the durations. */
static bool all_empty(const struct spread *s)
{
	size_t bar;

	for (bar = 0; bar < CT_HISTOGRAM_BUCKETS / s->each; bar++)
		if (!empty_bar(s, bar))
			return false;
	return true;
}

static void y_share(char *to, size_t size, double value, double most)
{
	(void)most;
	snprintf(to, size, "%g %%", 100 * value);
}

static void tell_spread(struct html *h, const void *arg, size_t bar)
{
	const struct spread *s = arg;
	char limit[CT_UNIT_TEXT], copies[CT_UNIT_TEXT], reuses[CT_UNIT_TEXT];
	unsigned int last = (s->first + bar + 1) * s->each - 1;

	html_say(h, "up to %s: %s copies, %s reuses", ct_format_ns(limit, ct_histogram_limit(last)),
		 ct_format_count(copies, in_bar(s, &s->copies, bar)),
		 ct_format_count(reuses, in_bar(s, &s->reuses, bar)));
}

/* Where a duration is among the buckets, which are as wide as their part of a power of 2. */
static double bucket_at(double ns)
{
	int power;

	if (ns < 8)
		return ns;
	power = ilogb(ns);
	return (power - 2) * 8 + (ns / ldexp(1, power) - 1) * 8;
}

static void spread_ticks(struct html_chart *chart, const struct spread *s)
{
	double ns, at;
	char text[CT_UNIT_TEXT];

	for (ns = 10; ns < 0x1p32 && chart->nr_ticks < HTML_TICKS; ns *= 10) {
		at = (bucket_at(ns) / s->each - s->first) / chart->nr;
		if (at < 0 || at > 1)
			continue;
		chart->ticks[chart->nr_ticks].at = at;
		ct_format_ns(text, ns);
		/* 10.0 µs */
		snprintf(chart->ticks[chart->nr_ticks++].text, sizeof(text), "%g%s",
			 strtod(text, NULL), strchr(text, ' '));
	}
}

static void spread_chart(struct report_page *p, struct spread *s)
{
	struct html_chart *chart = calloc(1, sizeof(*chart));
	size_t bar, nr = CT_HISTOGRAM_BUCKETS / s->each;

	if (!chart)
		return;
	*chart = (struct html_chart){
		.about = "Durations of copies above the line, of reuses below it, on a logarithmic scale; the table below has median and 99 %",
		.series = {
			{ .class = "copy", .name = "copies, above the line" },
			{ .class = "reuse", .name = "reuses, below the line", .down = true },
		},
		.nr_series = 2,
		.y = y_share,
		.tell = tell_spread,
		.arg = s,
	};
	while (empty_bar(s, 0))
		s->first++;
	while (empty_bar(s, nr - 1 - s->first))
		nr--;
	chart->nr = nr - s->first;
	for (bar = 0; bar < chart->nr; bar++) {
		if (s->copies.count)
			chart->series[0].value[bar] =
				(double)in_bar(s, &s->copies, bar) / s->copies.count;
		if (s->reuses.count)
			chart->series[1].value[bar] =
				(double)in_bar(s, &s->reuses, bar) / s->reuses.count;
	}
	spread_ticks(chart, s);
	html_put(&p->h, "<figure class=\"chart\"><figcaption>Share of all copies, and of all reuses, by how long the kernel's function took; logarithmic.</figcaption>\n");
	html_chart(&p->h, chart);
	html_put(&p->h, "</figure>\n");
	free(chart);
}

static void duration_row(struct report_page *p, const struct ct_pair *pair)
{
	char name[128];

	snprintf(name, sizeof(name), "%s", ct_report_word(p->r, "outcome", pair->outcome));
	if (pair->reason)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), ", %s",
			 ct_report_word(p->r, "reason", pair->reason));
	html_row(&p->h, name, NULL);
	html_cell_count(&p->h, pair->time.count);
	html_cell_ns(&p->h, pair->time.sum / pair->time.count);
	html_cell_ns(&p->h, ct_histogram_percentile(&pair->time, 50));
	html_cell_ns(&p->h, ct_histogram_percentile(&pair->time, 99));
	html_cell_ns(&p->h, pair->time.max);
	html_row_end(&p->h);
}

static void duration_table(struct report_page *p)
{
	static const struct html_column columns[] = {
		{ "outcome, reason", "text" }, { "faults", NULL }, { "average", NULL },
		{ "median", NULL }, { "99 %", NULL }, { "longest", NULL },
	};
	size_t i, n = html_rows(&p->h, p->s->nr_pairs);
	uint64_t rest = 0;

	html_table(&p->h, "durations", "From entry to exit of the kernel's function", columns,
		   sizeof(columns) / sizeof(*columns));
	for (i = 0; i < n; i++)
		duration_row(p, &p->s->pairs[i]);
	for (; i < p->s->nr_pairs; i++)
		rest = ct_add(rest, p->s->pairs[i].time.count);
	if (rest) {
		html_row_more(&p->h, p->s->nr_pairs - n);
		html_cell_count(&p->h, rest);
		html_put(&p->h, "<td colspan=\"4\"></td>");
		html_row_end(&p->h);
	}
	html_table_end(&p->h);
	if (p->s->counts)
		html_paragraph(&p->h, "Counted by powers of two: median, 99 % and longest are no more than that.");
}

void html_durations(struct report_page *p)
{
	struct spread s = { .each = p->s->counts ? 8 : 2 };

	html_section(&p->h, "duration", "How long it took");
	if (p->s->counts && !p->s->counts->durations) {
		html_paragraph(&p->h, "Durations were not counted: write 1 to the file durations.");
	} else {
		gather(&s, p->s);
		if (!all_empty(&s))
			spread_chart(p, &s);
		duration_table(p);
	}
	html_section_end(&p->h);
}
