// SPDX-License-Identifier: GPL-2.0
/* What came of a crosscheck, as text and as JSON. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "crosscheck_parts.h"
#include "json.h"

#define SIDES		2
#define VALUE_MAX	512

static const char *const class_names[CT_CROSS_NR_CLASSES] = {
	[CT_CROSS_VERDICT] = "verdict",
	[CT_CROSS_FIXED] = "fixed",
	[CT_CROSS_RACING] = "racing",
};

/* --- values --------------------------------------------------------------------------- */

static const char *word_of(char *text, const struct ct_schema *schema, const char *vocab,
			   uint64_t value)
{
	const struct ct_word *word = ct_schema_word(schema, vocab, value);

	if (word)
		snprintf(text, VALUE_MAX, "%s", word->name);
	else
		snprintf(text, VALUE_MAX, "?%" PRIu64, value);
	return text;
}

static void put_word(FILE *to, const struct ct_schema *schema, const char *vocab, uint64_t value)
{
	char text[VALUE_MAX];

	fputs(word_of(text, schema, vocab, value), to);
}

/* Names of bits as one word, "none" when no bit is set. */
static void put_flags(FILE *to, const struct ct_schema *schema, const char *vocab, uint64_t value)
{
	const char *before = "";

	if (!value)
		fputs("none", to);
	for (; value; value &= value - 1) {
		fputs(before, to);
		put_word(to, schema, vocab, value & -value);
		before = "|";
	}
}

static void put_name(FILE *to, uint64_t value)
{
	char name[sizeof(value) + 1] = "", clean[4 * sizeof(name)];

	memcpy(name, &value, sizeof(value));
	ct_clean_text(clean, sizeof(clean), name, sizeof(name));
	fprintf(to, "\"%s\"", clean);
}

/* What is absent is "-". */
static const char *value_of(char *text, const struct ct_schema *schema, size_t field,
			    const struct cowtrace_record *r)
{
	const struct ct_cross_field *f = &ct_cross_fields[field];
	uint64_t values[CT_CROSS_FIELDS_MAX], value;
	FILE *to = fmemopen(text, VALUE_MAX, "w");

	*text = '\0';
	if (!to)
		return text;
	ct_cross_values(r, values);
	value = values[field];
	if (value == CT_CROSS_ABSENT)
		fputc('-', to);
	else if (f->form == CT_CROSS_WORD)
		put_word(to, schema, f->vocab, value);
	else if (f->form == CT_CROSS_FLAGS)
		put_flags(to, schema, f->vocab, value);
	else if (f->form == CT_CROSS_NAME)
		put_name(to, value);
	else
		fprintf(to, f->form == CT_CROSS_HEX ? "0x%" PRIx64 : "%" PRId64, value);
	fclose(to);
	return text;
}

/* The losses of a source, a line each: name and number. Return: whether there is one more. */
static bool next_loss(const char **text, char *name, size_t size, unsigned long long *n)
{
	while (*text && **text) {
		const char *line = *text, *end = strchr(line, '\n'), *space = strchr(line, ' ');

		*text = end ? end + 1 : NULL;
		if (!space || (end && space > end) || space - line >= (long)size)
			continue;
		memcpy(name, line, space - line);
		name[space - line] = '\0';
		*n = strtoull(space, NULL, 10);
		return true;
	}
	return false;
}

/* --- text --------------------------------------------------------------------------------- */

static void print_losses(FILE *out, const struct crosscheck *c, int i)
{
	const char *rest = c->side[i].lost;
	unsigned long long n;
	bool any = false;
	char name[32];

	if (!rest) {
		fprintf(out, "what %s missed is not known\n", crosscheck_names[i]);
		return;
	}
	fprintf(out, "%s says that it missed", crosscheck_names[i]);
	while (next_loss(&rest, name, sizeof(name), &n)) {
		if (!n)
			continue;
		fprintf(out, "%s %s %llu", any ? "," : "", name, n);
		any = true;
	}
	fputs(any ? "\n" : " nothing\n", out);
}

static void print_side(FILE *out, const struct crosscheck *c, int i)
{
	const struct ct_cross *x = &c->cross;

	fprintf(out, "  %" PRIu64 " seen by %s alone; ", x->alone[i], crosscheck_names[i]);
	print_losses(out, c, !i);
	if (x->given_up[i])
		fprintf(out, "  %" PRIu64 " of %s had no partner yet when there was no more room\n",
			x->given_up[i], crosscheck_names[i]);
}

static void print_fields(FILE *out, const struct ct_cross *x)
{
	for (size_t i = 0; i < ct_cross_nr_fields; i++)
		if (x->differ[i])
			fprintf(out, "    %-14s %10" PRIu64 "  %7.3f %%  %s\n",
				ct_cross_fields[i].name, x->differ[i],
				100.0 * x->differ[i] / x->pairs,
				class_names[ct_cross_fields[i].class]);
}

static void print_fault(FILE *out, const struct crosscheck *c, const struct ct_cross_pair *p)
{
	int one = p->seen & 1 ? 0 : 1;
	const struct ct_schema *schema = c->side[one].schema;
	const struct cowtrace_record *r = &p->side[one];
	char comm[4 * COWTRACE_COMM_LEN], text[SIDES][VALUE_MAX];

	ct_clean_text(comm, sizeof(comm), r->comm, sizeof(r->comm));
	fprintf(out, "\n%" PRIu64 ".%06u %s-%u ", (uint64_t)r->time_ns / 1000000000,
		(unsigned int)(r->time_ns % 1000000000 / 1000), comm, r->pid);
	put_word(out, schema, "path", r->path);
	fprintf(out, " addr=0x%" PRIx64 " ", (uint64_t)r->address);
	put_word(out, schema, "outcome", r->outcome);
	fputc(' ', out);
	put_word(out, schema, "reason", r->reason);
	if (p->seen != 3)
		fprintf(out, " ns=%u, seen by %s alone", r->duration_ns, crosscheck_names[one]);
	fputc('\n', out);
	for (size_t i = 0; p->seen == 3 && i < ct_cross_nr_fields; i++)
		if (p->fields >> i & 1)
			fprintf(out, "  %-14s module %s, bpf %s\n", ct_cross_fields[i].name,
				value_of(text[0], c->side[0].schema, i, &p->side[0]),
				value_of(text[1], c->side[1].schema, i, &p->side[1]));
}

/* Of those that differ or one side saw alone: how many are not listed. */
static uint64_t unlisted(const struct ct_cross *x)
{
	uint64_t all = x->alone[0] + x->alone[1];

	for (int class = 0; class < CT_CROSS_NR_CLASSES; class++)
		all += x->worst[class];
	return all - x->nr_list;
}

int crosscheck_text(FILE *out, const struct crosscheck *c)
{
	const struct ct_cross *x = &c->cross;

	fprintf(out, "%" PRIu64 " faults seen by both in %.1f s on %s\n", x->pairs,
		c->elapsed_ns / 1e9, c->side[0].schema->kernel);
	for (int i = 0; i < SIDES; i++)
		print_side(out, c, i);
	fprintf(out, "\nof those seen by both\n");
	fprintf(out, "  %" PRIu64 " differ in outcome or page frame (verdict)\n",
		x->worst[CT_CROSS_VERDICT]);
	fprintf(out, "  %" PRIu64 " differ in what stays as it is while a fault lasts (fixed)\n",
		x->worst[CT_CROSS_FIXED]);
	fprintf(out,
		"  %" PRIu64 " (%.3f %%) differ in what may change between the samples (racing)\n",
		x->worst[CT_CROSS_RACING],
		x->pairs ? 100.0 * x->worst[CT_CROSS_RACING] / x->pairs : 0);
	print_fields(out, x);
	for (size_t i = 0; i < x->nr_list; i++)
		print_fault(out, c, &x->list[i]);
	if (unlisted(x))
		fprintf(out, "\n%" PRIu64 " more are not listed: --list N\n", unlisted(x));
	return ferror(out) ? -1 : 0;
}

/* --- JSON --------------------------------------------------------------------------------- */

static struct json_object *json_side(const struct crosscheck *c, int i)
{
	struct json_object *o = json_object_new_object(), *lost = NULL;
	const char *rest = c->side[i].lost;
	unsigned long long n;
	char name[32];

	add_number(o, "records", c->side[i].records);
	add_number(o, "alone", c->cross.alone[i]);
	add_number(o, "given_up", c->cross.given_up[i]);
	add_number(o, "edge", c->cross.edge[i]);
	if (rest)
		lost = json_object_new_object();
	while (rest && next_loss(&rest, name, sizeof(name), &n))
		add_number(lost, name, n);
	add(o, "lost", lost);
	return o;
}

static struct json_object *json_fields(const struct ct_cross *x)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ct_cross_nr_fields; i++)
		add_number(o, ct_cross_fields[i].name, x->differ[i]);
	return o;
}

static struct json_object *json_fault(const struct crosscheck *c, const struct ct_cross_pair *p)
{
	struct json_object *o = json_object_new_object(), *fields, *values;
	int one = p->seen & 1 ? 0 : 1;
	const struct cowtrace_record *r = &p->side[one];
	char text[VALUE_MAX];

	ct_clean_text(text, sizeof(text), r->comm, sizeof(r->comm));
	add_text(o, "comm", text);
	add_number(o, "pid", r->pid);
	snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)r->address);
	add_text(o, "address", text);
	add_text(o, "path", word_of(text, c->side[one].schema, "path", r->path));
	add_number(o, "time_ns", r->time_ns);
	add_number(o, "duration_ns", r->duration_ns);
	if (p->seen != 3) {
		add_text(o, "alone", crosscheck_names[one]);
		return o;
	}
	add_text(o, "class", class_names[ct_cross_worst(p->fields, r->path)]);
	fields = json_object_new_object();
	for (size_t i = 0; i < ct_cross_nr_fields; i++) {
		if (!(p->fields >> i & 1))
			continue;
		values = json_object_new_object();
		for (int side = 0; side < SIDES; side++)
			add_text(values, crosscheck_names[side],
				 value_of(text, c->side[side].schema, i, &p->side[side]));
		add(fields, ct_cross_fields[i].name, values);
	}
	add(o, "fields", fields);
	return o;
}

int crosscheck_json(FILE *out, const struct crosscheck *c)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct ct_cross *x = &c->cross;

	add_text(o, "kernel", c->side[0].schema->kernel);
	add_number(o, "began_ns", x->begin_ns);
	add_number(o, "elapsed_ns", c->elapsed_ns);
	add_number(o, "pairs", x->pairs);
	for (int class = 0; class < CT_CROSS_NR_CLASSES; class++)
		add_number(o, class_names[class], x->worst[class]);
	for (int i = 0; i < SIDES; i++)
		add(o, crosscheck_names[i], json_side(c, i));
	add(o, "fields", json_fields(x));
	for (size_t i = 0; i < x->nr_list; i++)
		json_object_array_add(list, json_fault(c, &x->list[i]));
	add(o, "list", list);
	add_number(o, "not_listed", unlisted(x));
	return json_print(out, o);
}
