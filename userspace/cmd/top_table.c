// SPDX-License-Identifier: GPL-2.0
/* cowtrace top: its two tables, with the columns for which there is room. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "top_table.h"
#include "units.h"

#define LINE_BYTES	1024

/* Cut at the last column, and not within a character. */
static void cut(char *text, size_t columns)
{
	size_t width = 0;

	for (; *text; text++) {
		if ((*text & 0xc0) != 0x80 && width++ == columns)
			break;
	}
	*text = '\0';
}

void top_say(const struct top_text *l, enum top_style style, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cut(text, l->columns);
	l->line(l->arg, style, text);
}

/* --- numbers ---------------------------------------------------------------------- */

/* A second; one place behind the point where there are few, "-" for none. */
const char *top_rate(const struct ct_top *top, char *to, uint64_t n)
{
	double a_second = ct_top_rate(top, n);

	if (!n || !top->elapsed_ns)
		return strcpy(to, "-");
	if (a_second < 0.05)
		return strcpy(to, "<0.1");
	if (a_second < 9.95)
		snprintf(to, CT_UNIT_TEXT, "%.1f", a_second);
	else
		ct_format_count(to, a_second + 0.5);
	return to;
}

const char *top_bytes_rate(const struct ct_top *top, char *to, uint64_t bytes)
{
	if (!bytes || !top->elapsed_ns)
		return strcpy(to, "-");
	return ct_format_bytes(to, ct_top_rate(top, bytes) + 0.5);
}

/* Nanoseconds of each second. */
const char *top_time_rate(const struct ct_top *top, char *to, uint64_t ns)
{
	if (!ns || !top->elapsed_ns)
		return strcpy(to, "-");
	return ct_format_ns(to, ct_top_rate(top, ns) + 0.5);
}

/* --- tables ----------------------------------------------------------------------- */

/* What may stand in a cell. */
struct place {
	const struct top_view	*view;
	const struct ct_top_row	*row;
	char			*to;
};

static const char *pid_cell(const struct place *p)
{
	/* The others are none. */
	snprintf(p->to, CT_UNIT_TEXT, "%" PRIu32, p->row->tgid);
	return p->row->tgid ? p->to : "-";
}

static const char *comm_cell(const struct place *p)
{
	return p->row->comm;
}

static const char *word(const struct place *p, const char *vocab, unsigned int value)
{
	const struct ct_word *w = ct_schema_word(p->view->schema, vocab, value);

	return w ? w->name : "?";
}

static const char *outcome_cell(const struct place *p)
{
	return word(p, "outcome", p->row->outcome);
}

static const char *reason_cell(const struct place *p)
{
	return word(p, "reason", p->row->reason);
}

static const char *faults_cell(const struct place *p)
{
	return top_rate(p->view->top, p->to, p->row->now.faults);
}

static const char *copies_cell(const struct place *p)
{
	return top_rate(p->view->top, p->to, p->row->now.copies);
}

static const char *reuses_cell(const struct place *p)
{
	return top_rate(p->view->top, p->to, p->row->now.reuses);
}

static const char *splits_cell(const struct place *p)
{
	return top_rate(p->view->top, p->to, p->row->now.splits);
}

static const char *bytes_cell(const struct place *p)
{
	return top_bytes_rate(p->view->top, p->to, p->row->now.bytes);
}

static const char *time_cell(const struct place *p)
{
	return top_time_rate(p->view->top, p->to, p->row->now.ns);
}

static const char *share_cell(const struct place *p)
{
	if (!p->row->now.faults)
		return "-";
	return ct_format_share(p->to, p->row->now.faults, p->view->top->sum.now.faults);
}

static const char *mean_cell(const struct place *p)
{
	if (!p->row->now.faults || !p->view->top->timed)
		return "-";
	return ct_format_ns(p->to, p->row->now.ns / p->row->now.faults);
}

/* Of a process that shared its line for a time, at least so many. */
static const char *total_cell(const struct place *p)
{
	ct_format_count(p->to, p->row->total.faults);
	if (p->row->at_least)
		strcat(p->to, "+");
	return p->to;
}

/**
 * struct column - of a table
 * @head: over it.
 * @width: to the left for one below zero, as printf() has it.
 * @last: the greater, the sooner it goes where there is no room.
 * @key: what orders by it, or -1.
 * @cell: its text.
 */
struct column {
	const char	*head;
	int		width;
	int		last;
	int		key;
	const char	*(*cell)(const struct place *place);
};

#define MOST_COLUMNS	9

static const struct column process_columns[] = {
	{ "PID",	7, 0, -1, pid_cell },
	{ "COMMAND",	-15, 0, -1, comm_cell },
	{ "FAULTS/s",	10, 1, CT_TOP_FAULTS, faults_cell },
	{ "COPIES/s",	10, 0, CT_TOP_COPIES, copies_cell },
	{ "REUSES/s",	10, 3, CT_TOP_REUSES, reuses_cell },
	{ "COPIED/s",	10, 2, CT_TOP_BYTES, bytes_cell },
	{ "TIME/s",	9, 4, CT_TOP_TIME, time_cell },
	{ "SPLITS/s",	10, 6, CT_TOP_SPLITS, splits_cell },
	{ "TOTAL",	13, 5, CT_TOP_TOTAL, total_cell },
};

static const struct column pattern_columns[] = {
	{ "OUTCOME",	-7, 0, -1, outcome_cell },
	{ "REASON",	-15, 0, -1, reason_cell },
	{ "FAULTS/s",	10, 0, CT_TOP_FAULTS, faults_cell },
	{ "SHARE",	10, 1, -1, share_cell },
	{ "COPIED/s",	10, 2, CT_TOP_BYTES, bytes_cell },
	{ "TIME/s",	9, 3, CT_TOP_TIME, time_cell },
	{ "MEAN",	9, 5, -1, mean_cell },
	{ "TOTAL",	13, 4, CT_TOP_TOTAL, total_cell },
};

/**
 * struct table - columns that fit, and rows
 * @columns: all that there are.
 * @nr: number of them.
 * @shown: a bit for each that fits.
 */
struct table {
	const struct column	*columns;
	size_t			nr;
	unsigned int		shown;
};

static size_t width_of(const struct table *t)
{
	size_t width = 0;

	for (size_t i = 0; i < t->nr; i++)
		if (t->shown & 1u << i)
			width += !!width + abs(t->columns[i].width);
	return width;
}

/* Without those that can be done without, until the rest fits. */
static struct table fit(const struct column *columns, size_t nr, size_t room)
{
	struct table t = { columns, nr, (1u << nr) - 1 };

	for (int last = MOST_COLUMNS; last > 0 && width_of(&t) > room; last--)
		for (size_t i = 0; i < nr; i++)
			if (columns[i].last == last)
				t.shown &= ~(1u << i);
	return t;
}

/* One cell more. printf() counts bytes where a terminal counts characters. */
static void append(char *to, const char *text, int width)
{
	size_t used = strlen(to), is = ct_text_width(text);
	int space = abs(width) > (int)is ? abs(width) - (int)is : 0;

	snprintf(to + used, LINE_BYTES - used, "%s%*s%s%*s", used ? " " : "",
		 width > 0 ? space : 0, "", text, width < 0 ? space : 0, "");
}

static void heads(const struct top_text *l, const struct table *t)
{
	char text[LINE_BYTES] = "", head[CT_UNIT_TEXT];

	for (size_t i = 0; i < t->nr; i++) {
		const struct column *c = &t->columns[i];

		if (!(t->shown & 1u << i))
			continue;
		snprintf(head, sizeof(head), "%s%s", c->key == (int)l->view->key ? "*" : "",
			 c->head);
		append(text, head, c->width);
	}
	top_say(l, TOP_HEAD, "%s", text);
}

static void one_row(const struct top_text *l, const struct table *t, const struct ct_top_row *row)
{
	char text[LINE_BYTES] = "", to[2 * CT_UNIT_TEXT];
	struct place place = { l->view, row, to };

	for (size_t i = 0; i < t->nr; i++)
		if (t->shown & 1u << i)
			append(text, t->columns[i].cell(&place), t->columns[i].width);
	top_say(l, TOP_PLAIN, "%s", text);
}

void top_patterns(const struct top_text *l, size_t most)
{
	const struct ct_top *top = l->view->top;
	struct table t = fit(pattern_columns, sizeof(pattern_columns) / sizeof(*pattern_columns),
			     l->columns);

	heads(l, &t);
	for (size_t i = 0; i < top->nr_patterns && i < most; i++)
		one_row(l, &t, &top->patterns[i]);
}

void top_processes(const struct top_text *l, size_t most)
{
	const struct ct_top *top = l->view->top;
	struct table t = fit(process_columns, sizeof(process_columns) / sizeof(*process_columns),
			     l->columns);
	struct ct_top_row others = top->others;

	heads(l, &t);
	for (size_t i = l->view->skip; i < top->nr_processes && i - l->view->skip < most; i++)
		one_row(l, &t, &top->processes[i]);
	if (!others.total.faults || most < top->nr_processes - l->view->skip + 1)
		return;
	strcpy(others.comm, "(others)");
	one_row(l, &t, &others);
}
