/* SPDX-License-Identifier: GPL-2.0 */
/* Text for people, in 100 columns: cells, tables and sentences. */
#ifndef COWTRACE_PAGE_H
#define COWTRACE_PAGE_H

#include <stdio.h>

#include "report_parts.h"

#define COLUMNS		100
#define DEFAULT_TOP	10

/**
 * struct page - text on its way out
 * @out: where it goes.
 * @r: the trace that it is about.
 * @opts: rows and colour.
 * @column: where the next character stands.
 * @unwrapped: each sentence is one line, however long.
 */
struct page {
	FILE	*out;
	const struct ct_report *r;
	const struct ct_report_opts *opts;
	size_t	column;
	bool	unwrapped;
};

void put(struct page *p, const char *text);
void end_line(struct page *p);
void heading(struct page *p, const char *text);
void spaces(struct page *p, size_t n);

/* Text in a column: to the left for a width below zero, as printf() has it. */
void cell(struct page *p, int width, const char *text);

/* The rest of the line and as many more as it takes, below where it begins. */
void wrapped(struct page *p, const char *text);

__attribute__((format(printf, 2, 3)))
void say(struct page *p, const char *format, ...);

/* Numbers as cells; "-" for no faults and no bytes. */
void count_cell(struct page *p, int width, uint64_t n);
void bytes_cell(struct page *p, int width, uint64_t n);
void ns_cell(struct page *p, int width, uint64_t n);
void share_cell(struct page *p, int width, uint64_t part, uint64_t whole);

#define PROCESS_TEXT	(CT_NAME_MAX + CT_UNIT_TEXT)
/*
 * Name and number of a process, into PROCESS_TEXT bytes at @to, which is returned: a
 * name of 15 and a number of 7 digits are wider than most columns, the number stays.
 */
const char *process_text(char *to, size_t width, const char *name, uint32_t number);

/* "s" where there is not just one. */
const char *plural(uint64_t n);

/* How many of @n rows are shown. */
size_t rows(const struct page *p, size_t n);

/* A line about the rows that are not. */
void more(struct page *p, size_t shown, size_t n);

/* Faults, copies, reuses, bytes copied and time, with what stands over them. */
void count_cells(struct page *p, const struct ct_count *c);
void count_heads(struct page *p);

/* Words of a trace, as far as they fit, cleaned; empty for what is no array. */
void page_words(struct json_object *words, char *to, size_t size);

/* The traced command, as far as it fits; empty for none. */
void command_line(const struct ct_report *r, char *to, size_t size);

/* Which trace this is about. */
void title(struct page *p);

/* Object and symbol of a place in the code. */
void site_name(const struct ct_processes *processes, const struct ct_site *site, char *to,
	       size_t size);

/* What is missing in the trace, and what was left out on request. */
void losses(struct page *p, const struct ct_processes *processes);

#endif /* COWTRACE_PAGE_H */
