// SPDX-License-Identifier: GPL-2.0
/* Runs of the same experiments on several kernels, side by side. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiment_parts.h"
#include "json.h"
#include "json_read.h"
#include "units.h"

#define RUNS	16

struct runs {
	size_t			n;
	struct json_object	*run[RUNS];
};

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

static struct json_object *list_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_array) ?
	       v : NULL;
}

/* The member of a list that has that name. */
static struct json_object *named(struct json_object *list, const char *name)
{
	size_t i, n = list ? json_object_array_length(list) : 0;

	for (i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (!strcmp(text_of(o, "name"), name))
			return o;
	}
	return NULL;
}

static struct json_object *step_of(struct json_object *run, const char *experiment,
				   const char *step)
{
	struct json_object *e = named(list_of(run, "experiments"), experiment);

	return e ? named(list_of(e, "steps"), step) : NULL;
}

static int load(struct runs *runs, char **files, size_t n, struct ct_error *err)
{
	if (n > RUNS)
		return ct_error_set(err, -EINVAL, "at most %d runs can be compared", RUNS);
	for (; runs->n < n; runs->n++) {
		const char *file = files[runs->n];
		struct json_object *o = ct_json_file(file);

		if (!o && access(file, R_OK))
			return ct_error_set(err, -errno, "%s: %s", file, strerror(errno));
		if (!o)
			return ct_error_set(err, -EINVAL, "cannot read %s: is it the output of cowtrace experiment run --json?",
					    file);
		runs->run[runs->n] = o;
		if (!list_of(o, "experiments") || strncmp(text_of(o, "version"), "1.", 2)) {
			runs->n++;
			return ct_error_set(err, -EINVAL, "%s is no output of cowtrace experiment run --json, or of a newer version",
					    file);
		}
	}
	return 0;
}

/* A cell has a line for each of the most frequent kinds of what pages have seen. */
#define LINES	3

static void cell(struct json_object *step, size_t line, char *to, size_t size)
{
	struct json_object *list = step ? list_of(step, "observed") : NULL, *o, *pages;
	const char *verdict = step ? text_of(step, "verdict") : "-";
	const char *mark = strcmp(verdict, "expected") && !line ? "! " : "", *text;
	size_t n = list ? json_object_array_length(list) : 0;

	*to = '\0';
	if (!n && !line)
		snprintf(to, size, "%s", verdict);
	if (line >= n)
		return;
	o = json_object_array_get_idx(list, line);
	text = text_of(o, "text");
	if (line == LINES - 1 && n > LINES)
		snprintf(to, size, "...");
	else if (n == 1 && !strcmp(text, "none"))
		snprintf(to, size, "%s%s", mark, text);
	else if (json_object_object_get_ex(o, "pages", &pages))
		snprintf(to, size, "%s%llu %s", mark,
			 (unsigned long long)json_object_get_int64(pages), text);
}

/* All experiments and steps in the order of the first run that has them. */
typedef void row_fn(void *arg, const char *experiment, const char *title, const char *step);

static bool seen_before(const struct runs *runs, size_t before, const char *experiment)
{
	size_t i;

	for (i = 0; i < before; i++)
		if (named(list_of(runs->run[i], "experiments"), experiment))
			return true;
	return false;
}

static void rows(const struct runs *runs, row_fn *fn, void *arg)
{
	size_t r, e, s;

	for (r = 0; r < runs->n; r++) {
		struct json_object *list = list_of(runs->run[r], "experiments");

		for (e = 0; e < json_object_array_length(list); e++) {
			struct json_object *o = json_object_array_get_idx(list, e);
			struct json_object *steps = list_of(o, "steps");
			const char *name = text_of(o, "name");

			if (seen_before(runs, r, name))
				continue;
			for (s = 0; steps && s < json_object_array_length(steps); s++)
				fn(arg, name, s ? NULL : text_of(o, "title"),
				   text_of(json_object_array_get_idx(steps, s), "name"));
		}
	}
}

/* --- text --------------------------------------------------------------------- */

struct printer {
	FILE			*out;
	const struct runs	*runs;
	bool			why;
	int			width[RUNS + 1];
};

static void measure(void *arg, const char *experiment, const char *title, const char *step)
{
	struct printer *p = arg;
	char text[CT_EXP_TEXT];
	int width = 2 + strlen(step);
	size_t i, line;

	(void)title;
	if (width > p->width[0])
		p->width[0] = width;
	for (i = 0; i < p->runs->n; i++)
		for (line = 0; line < LINES; line++) {
			cell(step_of(p->runs->run[i], experiment, step), line, text, sizeof(text));
			width = strlen(text);
			if (width > p->width[i + 1])
				p->width[i + 1] = width;
		}
}

/* Equal reasons of neighbours are said once. */
static void print_why(struct printer *p, const char *experiment, const char *step)
{
	size_t i, k;

	for (i = 0; i < p->runs->n; i++) {
		struct json_object *o = step_of(p->runs->run[i], experiment, step);
		const char *why = o ? text_of(o, "why") : "";
		bool said = false;

		for (k = 0; k < i; k++) {
			struct json_object *other = step_of(p->runs->run[k], experiment, step);

			said |= other && !strcmp(text_of(other, "why"), why);
		}
		if (said || !*why)
			continue;
		fprintf(p->out, "      ");
		for (k = i; k < p->runs->n; k++) {
			struct json_object *other = step_of(p->runs->run[k], experiment, step);

			if (other && !strcmp(text_of(other, "why"), why))
				fprintf(p->out, "%s%s", k == i ? "" : ", ",
					text_of(p->runs->run[k], "generation"));
		}
		fprintf(p->out, ": %s\n", why);
	}
}

static void print_line(struct printer *p, const char *experiment, const char *step, size_t line)
{
	char text[RUNS][CT_EXP_TEXT];
	size_t i, last = 0;

	for (i = 0; i < p->runs->n; i++) {
		cell(step_of(p->runs->run[i], experiment, step), line, text[i],
		     sizeof(text[i]));
		if (*text[i])
			last = i + 1;
	}
	if (!last)
		return;
	fprintf(p->out, "  %-*s", p->width[0], line ? "" : step);
	for (i = 0; i < last; i++)
		fprintf(p->out, "  %-*s", i + 1 < last ? p->width[i + 1] : 0, text[i]);
	fputc('\n', p->out);
}

static void print_row(void *arg, const char *experiment, const char *title, const char *step)
{
	struct printer *p = arg;
	size_t line;

	if (title)
		fprintf(p->out, "\n%s: %s\n", experiment, title);
	for (line = 0; line < LINES; line++)
		print_line(p, experiment, step, line);
	if (p->why)
		print_why(p, experiment, step);
}

static void print(FILE *out, const struct runs *runs, bool why)
{
	struct printer p = { .out = out, .runs = runs, .why = why };
	size_t i;

	for (i = 0; i < runs->n; i++)
		p.width[i + 1] = strlen(text_of(runs->run[i], "generation")) +
				 strlen(text_of(runs->run[i], "backend")) + 1;
	rows(runs, measure, &p);
	fprintf(out, "%-*s", p.width[0] + 2, "");
	for (i = 0; i < runs->n; i++) {
		char head[CT_EXP_TEXT];

		snprintf(head, sizeof(head), "%s %s", text_of(runs->run[i], "generation"),
			 text_of(runs->run[i], "backend"));
		fprintf(out, "  %-*s", i + 1 < runs->n ? p.width[i + 1] : 0, head);
	}
	fputc('\n', out);
	rows(runs, print_row, &p);
	fprintf(out, "\nHow many pages of a step saw which faults; \"none\": no write-protect fault at all; \"!\": not as expected.\n");
	for (i = 0; i < runs->n; i++)
		fprintf(out, "%s: %s\n", text_of(runs->run[i], "generation"),
			text_of(runs->run[i], "kernel"));
}

/* --- JSON --------------------------------------------------------------------- */

struct collector {
	const struct runs	*runs;
	struct json_object	*rows;
};

static void collect(void *arg, const char *experiment, const char *title, const char *step)
{
	struct json_object *row = json_object_new_object(), *cells = json_object_new_array();
	struct collector *c = arg;
	size_t i;

	(void)title;
	add_text(row, "experiment", experiment);
	add_text(row, "step", step);
	for (i = 0; i < c->runs->n; i++) {
		struct json_object *o = step_of(c->runs->run[i], experiment, step);

		json_object_array_add(cells, o ? json_object_get(o) : NULL);
	}
	add(row, "cells", cells);
	json_object_array_add(c->rows, row);
}

static int print_json(FILE *out, const struct runs *runs)
{
	struct json_object *o = json_object_new_object(), *kernels = json_object_new_array();
	struct collector c = { runs, json_object_new_array() };
	size_t i;

	for (i = 0; i < runs->n; i++) {
		struct json_object *k = json_object_new_object();

		add_text(k, "generation", text_of(runs->run[i], "generation"));
		add_text(k, "backend", text_of(runs->run[i], "backend"));
		add_text(k, "kernel", text_of(runs->run[i], "kernel"));
		json_object_array_add(kernels, k);
	}
	rows(runs, collect, &c);
	add_text(o, "version", CT_EXP_VERSION);
	add(o, "kernels", kernels);
	add(o, "rows", c.rows);
	return json_print(out, o);
}

int ct_experiments_compare(FILE *out, char **files, size_t n, bool why, bool json,
			   struct ct_error *err)
{
	struct runs runs = { 0 };
	int ret = load(&runs, files, n, err);

	if (!ret && json)
		ret = print_json(out, &runs) ? ct_error_set(err, -EIO, "cannot print the table") : 0;
	else if (!ret)
		print(out, &runs, why);
	while (runs.n)
		json_object_put(runs.run[--runs.n]);
	return ret;
}
