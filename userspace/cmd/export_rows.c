// SPDX-License-Identifier: GPL-2.0
/*
 * A line for each fault, as JSON or CSV: the same columns in the same order, named
 * after the fields of the trace's schema. What is absent is null, or empty.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cowtrace/decision.h>

#include "bytes.h"
#include "export.h"
#include "export_out.h"
#include "json.h"

/* Of the object that --header prints. */
#define HEADER_VERSION	"1.0"

#define NS		1000000000u
/* Values of an enumeration that are looked up beforehand. */
#define WORDS		256
#define BITS		32

/**
 * struct column - a field of the schema
 * @field: the field.
 * @name: its name as it stands before each value, with commas and quotes.
 * @hex: its numbers are written so, as text: JSON's numbers end at 2^53 for many.
 * @text: it is text.
 * @words: names of its values.
 * @bits: names of its bits, for a field of flags.
 */
struct column {
	const struct ct_field *field;
	char		*name;
	bool		hex, text;
	const char	**words;
	const char	**bits;
};

/**
 * struct rows - what writes the lines
 * @out: where they go.
 * @json: as JSON, else as CSV.
 * @export: the trace.
 * @constant: what each line begins with.
 * @columns: the fields.
 * @nr: number of them.
 * @present: the field that says which of them are given, or NULL.
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
	struct column	*columns;
	size_t		nr;
	const struct ct_field *present;
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

/* A word of the schema, which has nothing to escape, see word_of(). */
static void put_word(struct rows *r, const char *word)
{
	ct_out_char(&r->out, '"');
	ct_out_text(&r->out, word);
	ct_out_char(&r->out, '"');
}

/* A value without a word. */
static void put_unknown(struct rows *r, uint64_t value)
{
	ct_out_bytes(&r->out, "\"?", 2);
	ct_out_unsigned(&r->out, value);
	ct_out_char(&r->out, '"');
}

static void put_flags(struct rows *r, const struct column *c, uint64_t value)
{
	struct ct_out *o = &r->out;
	bool first = true;

	ct_out_char(o, r->json ? '[' : '"');
	for (; value; value &= value - 1) {
		unsigned int bit = __builtin_ctzll(value);
		const char *word = bit < BITS ? c->bits[bit] : NULL;

		if (!first)
			ct_out_char(o, r->json ? ',' : '|');
		first = false;
		if (r->json)
			ct_out_char(o, '"');
		if (word) {
			ct_out_text(o, word);
		} else {
			ct_out_char(o, '?');
			ct_out_unsigned(o, 1ull << bit);
		}
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

static void put_field(struct rows *r, const struct column *c, const void *raw)
{
	char text[256];
	uint64_t value;

	if (c->text) {
		ct_clean_text(text, sizeof(text), (const char *)raw + c->field->offset,
			      c->field->size);
		put_quoted(r, text);
		return;
	}
	value = ct_field_number(c->field, raw);
	if (c->bits) {
		put_flags(r, c, value);
	} else if (c->words) {
		if (value < WORDS && c->words[value])
			put_word(r, c->words[value]);
		else
			put_unknown(r, value);
	} else if (c->hex) {
		if (r->json)
			ct_out_char(&r->out, '"');
		ct_out_hex(&r->out, value);
		if (r->json)
			ct_out_char(&r->out, '"');
	} else if (c->field->type == CT_TYPE_SIGNED) {
		ct_out_signed(&r->out, value);
	} else {
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
	uint64_t given = r->present ? ct_field_number(r->present, event->raw) : UINT64_MAX;

	ct_out_text(&r->out, r->constant);
	name(r, ",\"time_utc\":");
	put_time(r, event->record->time_ns);
	name(r, ",\"bytes_copied\":");
	ct_out_unsigned(&r->out, cowtrace_copied_pages(event->record) * page_size);
	name(r, ",\"lost_before\":");
	ct_out_unsigned(&r->out, event->lost);
	for (size_t i = 0; i < r->nr; i++) {
		const struct column *c = &r->columns[i];

		ct_out_text(&r->out, c->name);
		if (c->field->present_bit && !(given & c->field->present_bit))
			put_absent(r);
		else
			put_field(r, c, event->raw);
	}
	put_decision(r, event->record);
	put_split(r, split);
	if (r->json)
		ct_out_bytes(&r->out, "}\n", 2);
	else
		ct_out_bytes(&r->out, "\r\n", 2);
}

/* --- what is known beforehand -------------------------------------------------------- */

/* A name of the schema, NULL if it cannot stand in any format as it is; all of ours can. */
static const char *plain(const char *text)
{
	const char *at = text;

	while (isalnum((unsigned char)*at) || *at == '-' || *at == '_')
		at++;
	return *at ? NULL : text;
}

static const char *word_of(const struct rows *r, const struct ct_field *field, uint32_t value)
{
	const struct ct_word *w = NULL;

	if (field->vocab)
		w = ct_schema_word(r->export->report->schema, field->vocab, value);
	return w ? plain(w->name) : NULL;
}

static int make_column(struct rows *r, const struct ct_field *field)
{
	struct column *c = &r->columns[r->nr];
	bool flags = !strcmp(field->format, "flags");
	unsigned int i;

	/* Nothing that a module of ours would print. */
	if (!plain(field->name))
		return 0;
	c->field = field;
	c->text = field->type == CT_TYPE_TEXT;
	c->hex = !strcmp(field->format, "hex");
	if (asprintf(&c->name, r->json ? ",\"%s\":" : ",", field->name) < 0)
		return -ENOMEM;
	r->nr++;
	if (flags && !c->text) {
		c->bits = calloc(BITS, sizeof(*c->bits));
		for (i = 0; c->bits && i < BITS; i++)
			c->bits[i] = word_of(r, field, 1u << i);
		return c->bits ? 0 : -ENOMEM;
	}
	if (strcmp(field->format, "enum") || c->text)
		return 0;
	c->words = calloc(WORDS, sizeof(*c->words));
	for (i = 0; c->words && i < WORDS; i++)
		c->words[i] = word_of(r, field, i);
	return c->words ? 0 : -ENOMEM;
}

static bool start_time(const struct ct_report *report, const char *clock, uint64_t *ns)
{
	struct json_object *start, *time;

	if (!json_object_object_get_ex(report->meta, "start", &start) ||
	    !json_object_object_get_ex(start, clock, &time))
		return false;
	*ns = json_object_get_int64(time);
	return *ns;
}

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
	const struct ct_report *report = r->export->report;
	const struct ct_schema *schema = report->schema;
	uint64_t realtime, monotonic;
	int ret = 0;

	r->out.file = r->export->out;
	r->present = ct_schema_field(schema, "present");
	r->columns = calloc(schema->nr_fields, sizeof(*r->columns));
	if (!r->columns)
		return -ENOMEM;
	for (size_t i = 0; !ret && i < schema->nr_fields; i++)
		ret = make_column(r, &schema->fields[i]);
	if (start_time(report, "realtime_ns", &realtime) &&
	    start_time(report, "monotonic_ns", &monotonic)) {
		r->dated = true;
		r->wall_ns = realtime - monotonic;
	}
	return ret ? ret : make_constant(r);
}

static void release(struct rows *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		free(r->columns[i].name);
		free(r->columns[i].words);
		free(r->columns[i].bits);
	}
	free(r->columns);
	free(r->constant);
}

static void put_names(struct rows *r)
{
	ct_out_text(&r->out, "host,kernel,weight,time_utc,bytes_copied,lost_before");
	for (size_t i = 0; i < r->nr; i++) {
		ct_out_char(&r->out, ',');
		ct_out_text(&r->out, r->columns[i].field->name);
	}
	ct_out_text(&r->out,
		    ",decision,decision_value,decision_limit,continues_cpu,continues_seq\r\n");
}

static void put_header(struct ct_export *e)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "export", HEADER_VERSION);
	add_text(o, "host", e->host);
	add(o, "trace", json_trace(e->report));
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
