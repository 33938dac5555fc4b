/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Charts: bars side by side, of series that stand on each other above a line or hang
 * below it, so that the two can be told apart without colours. The plot is SVG that
 * stretches; what is written beside it is text, as large on a phone as elsewhere.
 */
#ifndef COWTRACE_HTML_CHART_H
#define COWTRACE_HTML_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "html.h"

#define HTML_BARS	256u
#define HTML_SERIES	4u
#define HTML_TICKS	16u

/**
 * struct html_series - one colour
 * @class: its colour.
 * @name: what it is.
 * @down: it hangs below the line.
 * @value: by bar, not less than 0.
 */
struct html_series {
	const char	*class;
	const char	*name;
	bool		down;
	double		value[HTML_BARS];
};

/* A place on the horizontal axis, from 0 to 1, and what it is called. */
struct html_tick {
	double		at;
	char		text[32];
};

/**
 * struct html_chart - a chart
 * @about: what it shows, a sentence, for those who do not see it.
 * @nr: bars, at most HTML_BARS.
 * @series: what stands next to the line comes first.
 * @nr_series: number of them.
 * @ticks: of the horizontal axis.
 * @nr_ticks: number of them.
 * @y: what a value is called, of which @most is the greatest.
 * @tell: what is said of a bar that is pointed at; nothing for an empty one.
 * @arg: for @tell.
 */
struct html_chart {
	const char	*about;
	size_t		nr;
	struct html_series series[HTML_SERIES];
	size_t		nr_series;
	struct html_tick ticks[HTML_TICKS];
	size_t		nr_ticks;
	void		(*y)(char *to, size_t size, double value, double most);
	void		(*tell)(struct html *h, const void *arg, size_t bar);
	const void	*arg;
};

/* Print it; series without a value are left out. */
void html_chart(struct html *h, const struct html_chart *chart);

/* A line under a chart: a mark at each of @nr bars that has something, as high as it is. */
void html_strip(struct html *h, const char *name, const char *class, const uint64_t *marks,
		size_t nr);

/* The greatest of 1, 2, 5, 10, 20, ... that @max is at least @parts of; above 0. */
double html_step(double max, unsigned int parts);

#endif /* COWTRACE_HTML_CHART_H */
