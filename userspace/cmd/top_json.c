// SPDX-License-Identifier: GPL-2.0
/* cowtrace top as JSON, an object an interval. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "json.h"
#include "top_view.h"

/* Greater major when a reader of the old one would misread it. */
#define TOP_VERSION	"1.0"

/* A sum that was not taken is null; a process has no time of its copies. */
static void add_counts(struct json_object *to, const char *name, const struct ct_count *count,
		       bool timed, bool by_outcome)
{
	struct json_object *o = json_object_new_object();

	add_count(o, count);
	if (!timed) {
		add(o, "time_ns", NULL);
		add(o, "copy_time_ns", NULL);
	}
	if (!by_outcome)
		json_object_object_del(o, "copy_time_ns");
	add(to, name, o);
}

static void add_row(struct json_object *o, const struct ct_top *top,
		    const struct ct_top_row *row, bool by_outcome)
{
	add_counts(o, "interval", &row->now, top->timed, by_outcome);
	add_counts(o, "total", &row->total, top->timed, by_outcome);
}

static void add_word(struct json_object *o, const struct top_view *v, const char *vocab,
		     unsigned int value)
{
	const struct ct_word *w = ct_schema_word(v->schema, vocab, value);

	add_text(o, vocab, w ? w->name : NULL);
}

static struct json_object *patterns(const struct top_view *v)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < v->top->nr_patterns && (!v->rows || i < v->rows); i++) {
		const struct ct_top_row *row = &v->top->patterns[i];
		struct json_object *o = json_object_new_object();

		add_word(o, v, "outcome", row->outcome);
		add_word(o, v, "reason", row->reason);
		add_row(o, v->top, row, true);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *processes(const struct top_view *v)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < v->top->nr_processes && (!v->rows || i < v->rows); i++) {
		const struct ct_top_row *row = &v->top->processes[i];
		struct json_object *o = json_object_new_object();

		add_number(o, "pid", row->tgid);
		add_text(o, "comm", row->comm);
		add(o, "at_least", json_object_new_boolean(row->at_least));
		add_row(o, v->top, row, false);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *others(const struct top_view *v)
{
	struct json_object *o = json_object_new_object();

	add_row(o, v->top, &v->top->others, false);
	return o;
}

/* "name number" lines; '-' is not known. */
static struct json_object *lost(const char *text)
{
	struct json_object *o = json_object_new_object();
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ' ');
		uint64_t n;

		if (!value)
			continue;
		*value++ = '\0';
		add(o, line, ct_number(value, &n) ? json_object_new_uint64(n) : NULL);
	}
	free(copy);
	return o;
}

int top_json(FILE *out, const struct top_view *v)
{
	struct json_object *o = json_object_new_object();
	time_t seconds = v->time_ns / 1000000000;
	const char *line;
	char text[32];
	struct tm tm;
	int ret;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	add_text(o, "top", TOP_VERSION);
	add_text(o, "time", text);
	add(o, "seconds", v->top->elapsed_ns ? json_object_new_double(v->top->elapsed_ns / 1e9) :
					       NULL);
	add_text(o, "kernel", v->schema->kernel);
	add_text(o, "backend", v->schema->backend);
	add_text(o, "mode", v->counting ? "counts" : "records");
	add(o, "ours", json_object_new_boolean(v->ours));
	add(o, "on", json_object_new_boolean(v->on));
	add(o, "reset", json_object_new_boolean(v->top->reset));
	add_row(o, v->top, &v->top->sum, true);
	add(o, "patterns", patterns(v));
	add(o, "processes", v->top->by_process ? processes(v) : NULL);
	add(o, "others", v->top->by_process ? others(v) : NULL);
	add(o, "lost", lost(v->lost));
	line = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE);
	ret = !line || fputs(line, out) == EOF || fputc('\n', out) == EOF ? -EIO : 0;
	json_object_put(o);
	return ret;
}
