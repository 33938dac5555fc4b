/* SPDX-License-Identifier: GPL-2.0 */
/* cowtrace top: what its ways to show an interval share. */
#ifndef COWTRACE_TOP_VIEW_H
#define COWTRACE_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "schema.h"
#include "top.h"

/* Longest text by which processes are picked. */
#define TOP_WANTED	64
/* Terminals that are smaller than this are told so. */
#define TOP_MIN_COLUMNS	40
#define TOP_MIN_ROWS	8

enum top_tables { TOP_BOTH, TOP_PROCESSES, TOP_PATTERNS, TOP_NR_TABLES };

/**
 * struct top_view - an interval, and how it is to be shown
 * @schema: of the module: kernel, backend, words.
 * @top: what happened; ct_top_sort() and ct_top_keep() were asked.
 * @lost: text of the module's lost.
 * @time_ns: of the look, CLOCK_REALTIME.
 * @since_ns: for how long it has been counting; 0 where somebody else switched that on.
 * @delay_ns: from look to look.
 * @limits: what the options let be counted, "" for everything.
 * @ours: counting was switched on by us.
 * @on: faults are counted or recorded at all.
 * @counting: in the mode counts, not records.
 * @paused: there are no looks.
 * @tables: enum top_tables.
 * @key: by which rows are ordered.
 * @reverse: the least first.
 * @wanted: processes are picked by this, "" for all.
 * @rows: of each table at most, 0 for all.
 * @skip: first rows of processes that are not shown.
 */
struct top_view {
	const struct ct_schema	*schema;
	const struct ct_top	*top;
	const char		*lost;
	uint64_t		time_ns;
	uint64_t		since_ns;
	uint64_t		delay_ns;
	char			limits[128];
	bool			ours;
	bool			on;
	bool			counting;
	bool			paused;
	enum top_tables		tables;
	enum ct_top_key		key;
	bool			reverse;
	char			wanted[TOP_WANTED];
	size_t			rows;
	size_t			skip;
};

/* What a line is, for who can show it. */
enum top_style { TOP_PLAIN, TOP_TITLE, TOP_HEAD, TOP_ALARM };

/**
 * typedef top_line_fn - takes a line
 * @arg: of the caller.
 * @style: enum top_style.
 * @text: UTF-8, no newline, of the columns asked for or less.
 */
typedef void top_line_fn(void *arg, enum top_style style, const char *text);

/**
 * top_lines() - all lines of a view, from the top to the bottom
 * @view: what to show.
 * @columns: of each line at most; what does not fit is left out from the right.
 * @rows: lines at most, 0 for as many as it takes.
 * @line: takes them.
 * @arg: for it.
 */
void top_lines(const struct top_view *view, size_t columns, size_t rows, top_line_fn *line,
	       void *arg);

/* The interval as one line of JSON. Return: 0 or -EIO. */
int top_json(FILE *out, const struct top_view *view);

/* What is to be done about a key. */
enum top_action { TOP_NOTHING, TOP_DRAW, TOP_QUIT };

/**
 * top_screen_check() - can be drawn on this terminal?
 * @err: why not, and what to do instead.
 * Return: 0 or -ENOTTY.
 */
int top_screen_check(struct ct_error *err);

/**
 * top_screen_open() - take the terminal
 * @err: why it cannot be had.
 * Return: 0 or a negative errno, with the terminal as it was.
 */
int top_screen_open(struct ct_error *err);

/* Give it back as it was. Allowed at any time. */
void top_screen_close(void);

/* The terminal has another size now. */
void top_screen_resize(void);

/* Change what differs from what is on the screen. */
void top_screen_draw(const struct top_view *view);

/**
 * top_screen_key() - obey one key that waits
 * @view: what it changes.
 * Return: enum top_action; TOP_QUIT too when the terminal is gone.
 */
enum top_action top_screen_key(struct top_view *view);

#endif /* COWTRACE_TOP_VIEW_H */
