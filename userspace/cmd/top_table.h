/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace top as text: what its head and its tables are made with. */
#ifndef COWTRACE_TOP_TABLE_H
#define COWTRACE_TOP_TABLE_H

#include "top_view.h"

/**
 * struct top_text - lines on their way out
 * @view: what they show.
 * @columns: of each at most.
 * @line: takes them.
 * @arg: for it.
 */
struct top_text {
	const struct top_view	*view;
	size_t			columns;
	top_line_fn		*line;
	void			*arg;
};

/* One line, cut at the last column. */
__attribute__((format(printf, 3, 4)))
void top_say(const struct top_text *l, enum top_style style, const char *format, ...);

/*
 * What came in an interval by the second, into CT_UNIT_TEXT bytes at @to, which is
 * returned: a number, bytes, and nanoseconds of each second. "-" for none.
 */
const char *top_rate(const struct ct_top *top, char *to, uint64_t n);
const char *top_bytes_rate(const struct ct_top *top, char *to, uint64_t bytes);
const char *top_time_rate(const struct ct_top *top, char *to, uint64_t ns);

/* The heads of a table, and @most rows below them at most. */
void top_patterns(const struct top_text *l, size_t most);
void top_processes(const struct top_text *l, size_t most);

#endif /* COWTRACE_TOP_TABLE_H */
