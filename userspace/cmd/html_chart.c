// SPDX-License-Identifier: GPL-2.0
#include "html_chart.h"

#include <math.h>

#include "units.h"

/* Of the height: what a side has at least, and what ticks keep between them. */
#define LEAST_SIDE	0.12
#define TICK_ROOM	0.08
/* Of the height of a strip: a mark at least. */
#define LEAST_MARK	0.3

/* Above and below the line. */
struct scale {
	double	up;
	double	down;
};

double html_step(double max, unsigned int parts)
{
	double power = pow(10, floor(log10(max / parts))), rest = max / parts / power;

	return power * (rest >= 5 ? 5 : rest >= 2 ? 2 : 1);
}

static bool empty(const struct html_series *s, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (s->value[i] > 0)
			return false;
	return true;
}

static struct scale scale_of(const struct html_chart *c)
{
	struct scale most = { 0, 0 };
	size_t bar, i;

	for (bar = 0; bar < c->nr; bar++) {
		double up = 0, down = 0;

		for (i = 0; i < c->nr_series; i++)
			*(c->series[i].down ? &down : &up) += c->series[i].value[bar];
		most.up = fmax(most.up, up);
		most.down = fmax(most.down, down);
	}
	/* Room for what is written there. */
	if (most.up > 0)
		most.down = most.down > 0 ? fmax(most.down, most.up * LEAST_SIDE) : 0;
	if (most.down > 0)
		most.up = most.up > 0 ? fmax(most.up, most.down * LEAST_SIDE) : 0;
	return most;
}

/* Where a value is, in percent from the top. */
static double place(const struct scale *s, double value)
{
	return 100 * (s->up - value) / (s->up + s->down);
}

/* --- the vertical axis ------------------------------------------------------- */

static void y_tick(struct html *h, const struct html_chart *c, const struct scale *s, double value)
{
	char text[CT_UNIT_TEXT];

	c->y(text, sizeof(text), fabs(value), fmax(s->up, s->down));
	html_printf(h, "<span style=\"top:%.2f%%\">%s</span>", place(s, value), text);
}

/* Each tick is shown to @fn. */
static void each_tick(struct html *h, const struct html_chart *c, const struct scale *s,
		      void (*fn)(struct html *h, const struct html_chart *c,
				 const struct scale *s, double value))
{
	double step = html_step(fmax(s->up, s->down), 3), value;

	for (value = step; value <= s->up; value += step)
		if (value > TICK_ROOM * (s->up + s->down))
			fn(h, c, s, value);
	fn(h, c, s, 0);
	for (value = step; value <= s->down; value += step)
		if (value > TICK_ROOM * (s->up + s->down))
			fn(h, c, s, -value);
}

static void grid_line(struct html *h, const struct html_chart *c, const struct scale *s,
		      double value)
{
	html_printf(h, "<path class=\"%s\" d=\"M0 %.2fH%zu\"/>", value ? "grid" : "axis",
		    place(s, value), c->nr);
}

/* --- the plot ---------------------------------------------------------------- */

static void series(struct html *h, const struct html_chart *c, const struct scale *s, size_t nr)
{
	const struct html_series *it = &c->series[nr];
	double below[HTML_BARS] = { 0 };
	size_t bar, i;

	for (i = 0; i < nr; i++)
		for (bar = 0; c->series[i].down == it->down && bar < c->nr; bar++)
			below[bar] += c->series[i].value[bar];
	html_printf(h, "<path class=\"%s\" d=\"", it->class);
	for (bar = 0; bar < c->nr; bar++) {
		double from = below[bar], to = from + it->value[bar];

		if (to > from)
			html_printf(h, "M%zu %.2fh1V%.2fh-1z", bar,
				    place(s, it->down ? -from : from),
				    place(s, it->down ? -to : to));
	}
	html_put(h, "\"/>\n");
}

static void pointed_at(struct html *h, const struct html_chart *c)
{
	size_t bar, i;

	for (bar = 0; bar < c->nr; bar++) {
		for (i = 0; i < c->nr_series && !(c->series[i].value[bar] > 0); i++)
			;
		if (i == c->nr_series)
			continue;
		html_printf(h, "<rect class=\"at\" x=\"%zu\" width=\"1\" height=\"100\"><title>",
			    bar);
		c->tell(h, c->arg, bar);
		html_put(h, "</title></rect>\n");
	}
}

static void legend(struct html *h, const struct html_chart *c)
{
	size_t i;

	html_put(h, "<ul class=\"legend\">");
	for (i = 0; i < c->nr_series; i++)
		if (!empty(&c->series[i], c->nr))
			html_printf(h, "<li><i class=\"%s\"></i>%s</li>", c->series[i].class,
				    c->series[i].name);
	html_put(h, "</ul>\n");
}

/* What is written at an end of the axis must not go beyond it. */
static const char *side_of(double at)
{
	return at < TICK_ROOM ? "begin" : at > 1 - TICK_ROOM ? "end" : "within";
}

void html_chart(struct html *h, const struct html_chart *c)
{
	struct scale s = scale_of(c);
	size_t i;

	legend(h, c);
	html_put(h, "<div class=\"plot\"><div class=\"y\" aria-hidden=\"true\">");
	each_tick(h, c, &s, y_tick);
	html_printf(h, "</div>\n<svg viewBox=\"0 0 %zu 100\" preserveAspectRatio=\"none\" role=\"img\""
		    " aria-label=\"", c->nr);
	html_text(h, c->about);
	html_put(h, "\">");
	each_tick(h, c, &s, grid_line);
	html_put(h, "\n");
	for (i = 0; i < c->nr_series; i++)
		if (!empty(&c->series[i], c->nr))
			series(h, c, &s, i);
	grid_line(h, c, &s, 0);
	pointed_at(h, c);
	html_put(h, "</svg>\n<div class=\"x\" aria-hidden=\"true\">");
	for (i = 0; i < c->nr_ticks; i++)
		html_printf(h, "<span class=\"%s\" style=\"left:%.2f%%\">%s</span>",
			    side_of(c->ticks[i].at), 100 * c->ticks[i].at, c->ticks[i].text);
	html_put(h, "</div></div>\n");
}

void html_strip(struct html *h, const char *name, const char *class, const uint64_t *marks,
		size_t nr)
{
	char text[CT_UNIT_TEXT];
	uint64_t most = 1;
	size_t i;

	for (i = 0; i < nr; i++)
		most = marks[i] > most ? marks[i] : most;
	html_printf(h, "<div class=\"plot strip\"><div class=\"y\">%s</div>"
		    "<svg viewBox=\"0 0 %zu 1\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\">",
		    name, nr, name);
	for (i = 0; i < nr; i++) {
		/* One must be seen beside many. */
		double top = 1 - fmax((double)marks[i] / most, LEAST_MARK);

		if (marks[i])
			html_printf(h, "<rect class=\"%s\" x=\"%zu\" y=\"%.2f\" width=\"1\" height=\"1\">"
				    "<title>%s %s</title></rect>", class, i, top,
				    ct_format_count(text, marks[i]), name);
	}
	html_put(h, "</svg></div>\n");
}
