// SPDX-License-Identifier: GPL-2.0
/* How a bad expression is refused: what is wrong, where, and what would do. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "bytes.h"
#include "expression_parts.h"
#include "units.h"

/* Bytes shown before, at and after the place. */
#define SHOWN_BEFORE	56
#define SHOWN_AT	32
#define SHOWN_AFTER	40

static const char margin[] = "  ";

static bool continues_character(char c)
{
	return (c & 0xc0) == 0x80;
}

/* Prints @length bytes so that a terminal can take them. Return: columns. */
static size_t show(FILE *to, const char *from, size_t length)
{
	char line[SHOWN_BEFORE + SHOWN_AT + SHOWN_AFTER], clean[sizeof(line) + 1];

	for (size_t i = 0; i < length; i++)
		line[i] = from[i] == '\t' || from[i] == '\r' ? ' ' : from[i];
	ct_clean_text(clean, sizeof(clean), line, length);
	fputs(clean, to);
	return ct_text_width(clean);
}

/* So many bytes of @length that at most @limit are left and no character is cut. */
static size_t cut(const char *text, size_t length, size_t limit)
{
	if (length <= limit)
		return length;
	while (limit && continues_character(text[limit]))
		limit--;
	return limit;
}

/* The line of the expression with the place, and a mark under it. */
static void show_place(FILE *to, const struct ct_complaint *c)
{
	const char *at = c->text + c->at, *start = at, *end = at + strcspn(at, "\n");
	size_t length = c->length < (size_t)(end - at) ? c->length : (size_t)(end - at);
	size_t shown, width, column = strlen(margin);

	while (start > c->text && start[-1] != '\n')
		start--;
	fprintf(to, "\n%s", margin);
	if (at - start > SHOWN_BEFORE) {
		/* What is wrong comes first: all before it is ASCII. */
		start = at - SHOWN_BEFORE;
		column += fprintf(to, "...");
	}
	column += show(to, start, at - start);
	shown = cut(at, length, SHOWN_AT);
	width = show(to, at, shown);
	if (shown == length) {
		at += length;
		shown = cut(at, end - at, SHOWN_AFTER);
		show(to, at, shown);
	}
	fprintf(to, "%s\n%*s^", at + shown < end ? "..." : "", (int)column, "");
	while (width-- > 1)
		putc('~', to);
}

static unsigned int line_of(const struct ct_complaint *c)
{
	unsigned int line = 1;

	for (size_t i = 0; i < c->at; i++)
		line += c->text[i] == '\n';
	return line;
}

int ct_complain_at(struct ct_expression_error *err, int code, const struct ct_complaint *c,
		   const char *format, ...)
{
	va_list args;
	FILE *to;

	memset(err, 0, sizeof(*err));
	err->code = code;
	err->place = c->at;
	/* The last byte stays 0 whatever is printed. */
	to = fmemopen(err->text, sizeof(err->text) - 1, "w");
	if (!to)
		return err->code = -ENOMEM;
	if (strchr(c->text, '\n'))
		fprintf(to, "line %u: ", line_of(c));
	va_start(args, format);
	vfprintf(to, format, args);
	va_end(args);
	show_place(to, c);
	if (c->list) {
		putc('\n', to);
		ct_name_list(to, c->vocabulary);
	}
	fclose(to);
	return code;
}
