/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HTML on its way out, which is XML as well: text, numbers, tables and bars. Numbers
 * stand in <data>, whose attribute value has all digits, in ns, bytes and counts.
 */
#ifndef COWTRACE_HTML_H
#define COWTRACE_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "count.h"

/* Bytes of a text that are shown: names and sentences come from the trace. */
#define HTML_TEXT_MAX	400u
/* Rows of a table, and those that are shown where nobody asked for another number. */
#define HTML_ROWS_MAX	100u
#define HTML_ROWS	12u

/**
 * struct html - a page
 * @out: where it goes.
 * @top: rows of a table, 0 for HTML_ROWS.
 * @untimed: there are no times: each is absent.
 */
struct html {
	FILE		*out;
	unsigned int	top;
	bool		untimed;
};

/* Markup as it stands. */
void html_put(struct html *h, const char *markup);

__attribute__((format(printf, 2, 3)))
void html_printf(struct html *h, const char *format, ...);

/* Text of anybody: what may not be shown is '?', what HTML would read is escaped. */
void html_text(struct html *h, const char *text);

__attribute__((format(printf, 2, 3)))
void html_say(struct html *h, const char *format, ...);

/* A sentence or two of our own. */
void html_paragraph(struct html *h, const char *text);

/* A name from the trace, apart from what it stands in. */
void html_name(struct html *h, const char *name);

void html_count(struct html *h, uint64_t n);
void html_bytes(struct html *h, uint64_t bytes);
void html_ns(struct html *h, uint64_t ns);
void html_share(struct html *h, uint64_t part, uint64_t whole);

/* --- tables ------------------------------------------------------------------ */

/**
 * struct html_column - a column
 * @name: over it.
 * @class: NULL for numbers, "text" or "bar".
 */
struct html_column {
	const char	*name;
	const char	*class;
};

/* Begin a table of @nr columns and end it; it scrolls where it is too wide. */
void html_table(struct html *h, const char *id, const char *caption,
		const struct html_column *columns, size_t nr);
void html_table_end(struct html *h);

/* Begin a row with what it is about, and what that means, NULL for nothing; end it. */
void html_row(struct html *h, const char *name, const char *meaning);
void html_row_end(struct html *h);

/* Cells. Nothing is 0; what is not known is a dash. */
void html_cell_text(struct html *h, const char *text);
void html_cell_count(struct html *h, uint64_t n);
void html_cell_bytes(struct html *h, uint64_t bytes);
void html_cell_ns(struct html *h, uint64_t ns);
void html_cell_share(struct html *h, uint64_t part, uint64_t whole);
void html_cell_absent(struct html *h);

/* Faults, copies, reuses, bytes copied and time, with their columns. */
#define HTML_COUNT_COLUMNS						\
	{ "faults", NULL }, { "copies", NULL }, { "reuses", NULL },	\
	{ "copied", NULL }, { "time", NULL }
void html_cells_count(struct html *h, const struct ct_count *c);

/* How many of @n rows are shown, and a row for the others: "and N more". */
size_t html_rows(const struct html *h, size_t n);
void html_row_more(struct html *h, size_t n);

/* --- bars -------------------------------------------------------------------- */

/* Begin a bar, whose parts add up to its whole; @text says the same in words. */
void html_bar(struct html *h, const char *text);
/* @class: copy, reuse, split, other or open. */
void html_bar_part(struct html *h, const char *class, uint64_t part, uint64_t whole);
void html_bar_end(struct html *h);

/* A cell with a bar of one part. */
void html_cell_bar(struct html *h, const char *class, uint64_t part, uint64_t whole);

#endif /* COWTRACE_HTML_H */
