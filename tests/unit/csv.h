/* SPDX-License-Identifier: GPL-2.0 */
/* A reader of CSV, by RFC 4180. */
#ifndef CSV_H
#define CSV_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* Fields of a line, and lines of a file; more are not looked at. */
#define CELLS	96
#define ROWS	20000

/**
 * struct csv - a file
 * @cell: its cells, by row and column; NULL where nothing stands, not even quotes.
 * @rows: with the line of names.
 * @columns: of the first line.
 * @even: all lines have as many, and nothing but the last line break follows.
 */
struct csv {
	char	*(*cell)[CELLS];
	size_t	rows, columns;
	bool	even;
};

/* One cell, cut out where it stands. */
static inline char *cut(char **at, char *end)
{
	char *to, *begin;

	if (**at != '"') {
		begin = *at;
		*at += strcspn(*at, ",\r");
		*end = **at;
		**at = '\0';
		return *begin ? begin : NULL;
	}
	for (begin = to = ++*at; **at; (*at)++) {
		if (**at == '"' && *++*at != '"')
			break;
		*to++ = **at;
	}
	*end = **at;
	*to = '\0';
	return begin;
}

static inline struct csv parse_csv(char *text)
{
	struct csv c = { .cell = calloc(ROWS, sizeof(*c.cell)), .even = true };
	size_t n = 0;
	char end = 0;

	while (*text && c.rows < ROWS && n < CELLS) {
		c.cell[c.rows][n++] = cut(&text, &end);
		if (end == ',') {
			text++;
			continue;
		}
		if (end != '\r' || text[1] != '\n')
			break;
		text += 2;
		if (!c.rows)
			c.columns = n;
		c.even &= n == c.columns;
		c.rows++;
		n = 0;
	}
	c.even &= !n && !*text;
	return c;
}

static inline const char *cell(const struct csv *c, size_t row, const char *name)
{
	for (size_t i = 0; i < c->columns; i++)
		if (c->cell[0][i] && !strcmp(c->cell[0][i], name))
			return c->cell[row][i];
	return "no such column";
}

static inline bool is(const struct csv *c, size_t row, const char *name, const char *value)
{
	const char *at = cell(c, row, name);

	if (value ? at && !strcmp(at, value) : !at)
		return true;
	note("%s stands as %s, not %s", name, at ?: "absent", value ?: "absent");
	return false;
}

#endif /* CSV_H */
