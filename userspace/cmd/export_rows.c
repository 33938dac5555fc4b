// SPDX-License-Identifier: GPL-2.0
/*
 * A line for each fault, as JSON or CSV: the same columns in the same order, named
 * after the fields of the trace's schema. What is absent is null, or empty.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cowtrace/decision.h>

#include "bytes.h"
#include "columns.h"
#include "export.h"
#include "export_out.h"
#include "json.h"

/* Of the object that --header prints. */
#define HEADER_VERSION	"1.0"

#define NS		1000000000u

/**
 * struct rows - what writes the lines
 * @out: where they go.
 * @json: as JSON, else as CSV.
 * @export: the trace.
 * @constant: what each line begins with.
 * @columns: the fields.
 * @names: of each, as it stands before a value, with commas and quotes.
 * @dated: it is known when the trace was made.
 * @wall_ns: of CLOCK_REALTIME, more than CLOCK_MONOTONIC.
 * @second: that @date is of.
 * @date: "YYYY-MM-DD HH:MM:SS." in UTC.
 */
struct rows {
	struct ct_out	out;
	bool		json;
	struct ct_export *export;
	char		*constant;
	struct ct_columns *columns;
	char		**names;
	bool		dated;
	uint64_t	wall_ns;
	time_t		second;
	char		date[64];
};

/* --- values ----------------------------------------------------------------------- */

/* Clean text between quotes. */
static void put_quoted(struct rows *r, const char *text)
{
	struct ct_out *o = &r->out;
	size_t n;

	ct_out_char(o, '"');
	while (*text) {
		n = strcspn(text, "\"\\");
		ct_out_bytes(o, text, n);
		text += n;
		if (!*text)
			break;
		/* CSV doubles a quote, and knows no other escape. */
		if (r->json)
			ct_out_char(o, '\\');
		else if (*text == '"')
			ct_out_char(o, '"');
		ct_out_char(o, *text++);
	}
	ct_out_char(o, '"');
}

/* A word of the schema, which has nothing to escape. */
static void put_word(struct rows *r, const char *word)
{
	ct_out_char(&r->out, '"');
	ct_out_text(&r->out, word);
	ct_out_char(&r->out, '"');
}

static void put_flags(struct rows *r, const struct ct_column *c, uint64_t value)
{
	struct ct_out *o = &r->out;
	char unknown[CT_UNKNOWN_WORD];
	bool first = true;

	ct_out_char(o, r->json ? '[' : '"');
	for (; value; value &= value - 1) {
		if (!first)
			ct_out_char(o, r->json ? ',' : '|');
		first = false;
		if (r->json)
			ct_out_char(o, '"');
		ct_out_text(o, ct_column_flag(c, value & -value, unknown));
		if (r->json)
			ct_out_char(o, '"');
	}
	ct_out_char(o, r->json ? ']' : '"');
}

static void put_absent(struct rows *r)
{
	if (r->json)
		ct_out_bytes(&r->out, "null", 4);
}

static void put_hex(struct rows *r, uint64_t value)
{
	if (r->json)
		ct_out_char(&r->out, '"');
	ct_out_hex(&r->out, value);
	if (r->json)
		ct_out_char(&r->out, '"');
}

static void put_field(struct rows *r, const struct ct_column *c, const void *raw)
{
	char text[256];
	uint64_t value;

	if (c->kind == CT_COLUMN_TEXT) {
		ct_clean_text(text, sizeof(text), (const char *)raw + c->field->offset,
			      c->field->size);
		put_quoted(r, text);
		return;
	}
	value = ct_field_number(c->field, raw);
	switch (c->kind) {
	case CT_COLUMN_FLAGS:
		put_flags(r, c, value);
		break;
	case CT_COLUMN_WORD:
		put_word(r, ct_column_word(c, value, text));
		break;
	case CT_COLUMN_HEX:
		put_hex(r, value);
		break;
	case CT_COLUMN_SIGNED:
		ct_out_signed(&r->out, value);
		break;
	default:
		ct_out_unsigned(&r->out, value);
	}
}

/* --- a line ----------------------------------------------------------------------- */

/* What stands before the value of a column that is no field. */
static void name(struct rows *r, const char *json)
{
	if (r->json)
		ct_out_text(&r->out, json);
	else
		ct_out_char(&r->out, ',');
}

static void put_time(struct rows *r, uint64_t time_ns)
{
	uint64_t wall = time_ns + r->wall_ns;
	time_t second = wall / NS;
	unsigned int us = wall % NS / 1000;
	char fraction[8];
	struct tm tm;

	if (!r->dated) {
		put_absent(r);
		return;
	}
	if (second != r->second || !*r->date) {
		gmtime_r(&second, &tm);
		strftime(r->date, sizeof(r->date), "\"%Y-%m-%d %H:%M:%S.", &tm);
		r->second = second;
	}
	for (int i = 5; i >= 0; i--, us /= 10)
		fraction[i] = '0' + us % 10;
	fraction[6] = '"';
	ct_out_text(&r->out, r->date);
	ct_out_bytes(&r->out, fraction, 7);
}

static void put_decision(struct rows *r, const struct cowtrace_record *record)
{
	struct cowtrace_decision d = cowtrace_decision(record, r->export->report->schema->traits);
	bool measured = d.test && d.measured;

	name(r, ",\"decision\":");
	if (d.test)
		put_quoted(r, d.test);
	else
		put_absent(r);
	name(r, ",\"decision_value\":");
	if (measured)
		ct_out_signed(&r->out, d.value);
	else
		put_absent(r);
	name(r, ",\"decision_limit\":");
	if (measured)
		ct_out_signed(&r->out, d.limit);
	else
		put_absent(r);
}

static void put_split(struct rows *r, const struct ct_split *split)
{
	name(r, ",\"continues_cpu\":");
	if (split)
		ct_out_unsigned(&r->out, split->cpu);
	else
		put_absent(r);
	name(r, ",\"continues_seq\":");
	if (split)
		ct_out_unsigned(&r->out, split->seq);
	else
		put_absent(r);
}

static void put_row(struct rows *r, const struct ct_event *event, const struct ct_split *split)
{
	uint64_t page_size = r->export->report->schema->page_size;
	uint64_t given = ct_columns_given(r->columns, event->raw);

	ct_out_text(&r->out, r->constant);
	name(r, ",\"time_utc\":");
	put_time(r, event->record->time_ns);
	name(r, ",\"bytes_copied\":");
	ct_out_unsigned(&r->out, cowtrace_copied_pages(event->record) * page_size);
	name(r, ",\"lost_before\":");
	ct_out_unsigned(&r->out, event->lost);
	for (size_t i = 0; i < r->columns->nr; i++) {
		const struct ct_column *c = &r->columns->list[i];

		ct_out_text(&r->out, r->names[i]);
		if (ct_column_given(c, given))
			put_field(r, c, event->raw);
		else
			put_absent(r);
	}
	put_decision(r, event->record);
	put_split(r, split);
	if (r->json)
		ct_out_bytes(&r->out, "}\n", 2);
	else
		ct_out_bytes(&r->out, "\r\n", 2);
}

/* --- what is known beforehand -------------------------------------------------------- */

static void put_host(struct rows *r)
{
	if (r->export->host)
		put_quoted(r, r->export->host);
	else
		put_absent(r);
}

/* What is the same in each line is made once. */
static int make_constant(struct rows *r)
{
	const struct ct_report *report = r->export->report;
	char kernel[256];

	if (r->json)
		ct_out_text(&r->out, "{\"host\":");
	put_host(r);
	name(r, ",\"kernel\":");
	if (report->schema->kernel) {
		ct_clean_text(kernel, sizeof(kernel), report->schema->kernel,
			      strlen(report->schema->kernel));
		put_quoted(r, kernel);
	} else {
		put_absent(r);
	}
	name(r, ",\"weight\":");
	snprintf(kernel, sizeof(kernel), "%.17g", report->sample.factor);
	ct_out_text(&r->out, kernel);
	r->constant = strndup(r->out.buf, r->out.used);
	r->out.used = 0;
	return r->constant ? 0 : -ENOMEM;
}

static int prepare(struct rows *r)
{
	size_t i;

	r->out.file = r->export->out;
	r->columns = ct_columns_new(r->export->report->schema);
	if (!r->columns)
		return -ENOMEM;
	r->names = calloc(r->columns->nr, sizeof(*r->names));
	for (i = 0; r->names && i < r->columns->nr; i++)
		if (asprintf(&r->names[i], r->json ? ",\"%s\":" : ",",
			     r->columns->list[i].field->name) < 0)
			return -ENOMEM;
	r->dated = ct_export_wall(r->export, &r->wall_ns);
	return r->names ? make_constant(r) : -ENOMEM;
}

static void release(struct rows *r)
{
	for (size_t i = 0; r->names && i < r->columns->nr; i++)
		free(r->names[i]);
	free(r->names);
	ct_columns_free(r->columns);
	free(r->constant);
}

static void put_names(struct rows *r)
{
	ct_out_text(&r->out, "host,kernel,weight,time_utc,bytes_copied,lost_before");
	for (size_t i = 0; i < r->columns->nr; i++) {
		ct_out_char(&r->out, ',');
		ct_out_text(&r->out, r->columns->list[i].field->name);
	}
	ct_out_text(&r->out,
		    ",decision,decision_value,decision_limit,continues_cpu,continues_seq\r\n");
}

/* What the module knows to be missing; null where the trace does not say. */
static struct json_object *lost(const struct ct_report *report)
{
	struct json_object *o;
	uint64_t n;

	if (!ct_state_text(&report->state, "lost"))
		return NULL;
	o = json_object_new_object();
	for (const struct ct_loss *loss = ct_losses; loss->name; loss++)
		if (ct_state_number(&report->state, loss->file, loss->name, &n))
			add_number(o, loss->name, n);
	return o;
}

static void put_header(struct ct_export *e)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "export", HEADER_VERSION);
	add_text(o, "host", e->host);
	add(o, "trace", json_trace(e->report));
	add(o, "lost", lost(e->report));
	fprintf(e->out, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static int export_rows(struct ct_export *e, bool json, struct ct_error *err)
{
	struct rows *r = calloc(1, sizeof(*r));
	const struct ct_split *split;
	struct ct_event event;
	int ret;

	if (!r)
		return ct_error_set(err, -ENOMEM, "out of memory");
	r->json = json;
	r->export = e;
	ret = prepare(r);
	if (ret) {
		ct_error_set(err, ret, "out of memory");
	} else {
		if (!json)
			put_names(r);
		while (ct_export_next(e, &event, &split))
			put_row(r, &event, split);
		ct_out_flush(&r->out);
	}
	release(r);
	free(r);
	return ret;
}

int ct_export_jsonl(struct ct_export *e, struct ct_error *err)
{
	if (e->header)
		put_header(e);
	return export_rows(e, true, err);
}

int ct_export_csv(struct ct_export *e, struct ct_error *err)
{
	return export_rows(e, false, err);
}
