// SPDX-License-Identifier: GPL-2.0
/* The schema parser: what it takes, and what it must refuse with a sentence. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cowtrace/kernel.h>

#include "generate.h"
#include "schema.h"
#include "tap.h"

/* The schema with its first @from replaced by @to; to be freed. */
static char *changed(const char *from, const char *to)
{
	char *text = schema_text(0), *at = strstr(text, from), *result;

	if (!at || asprintf(&result, "%.*s%s%s", (int)(at - text), text, to,
			    at + strlen(from)) < 0)
		abort();
	free(text);
	return result;
}

static const struct {
	const char	*claim;
	const char	*from, *to;
	int		error;
	const char	*says;
} cases[] = {
	{ "a greater major version asks for a newer cowtrace", "schema 2.0", "schema 3.0",
	  -EPROTO, "newer cowtrace" },
	{ "a greater minor version is read", "schema 2.0", "schema 2.7", 0, NULL },
	{ "a text that is no schema is refused", "cowtrace schema", "hello", -EINVAL, "line 1" },
	{ "a version without a dot is refused", "schema 2.0", "schema 20", -EINVAL, "line 1" },
	{ "a field given twice is refused", "field cpu u16", "field seq u16", -EINVAL, "twice" },
	{ "a field whose size contradicts its type is refused", "time_ns u64 8 8",
	  "time_ns u64 8 4", -EINVAL, "time_ns" },
	{ "a field of another type than this version has is refused", "time_ns u64 8 8",
	  "time_ns u32 8 4", -EINVAL, "time_ns" },
	{ "a field that begins outside the record is refused", "time_ns u64 8 8",
	  "time_ns u64 129 8", -EINVAL, "outside" },
	{ "a field that ends outside the record is refused", "time_ns u64 8 8",
	  "time_ns u64 121 8", -EINVAL, "outside" },
	{ "an offset that wraps is refused", "time_ns u64 8 8", "time_ns u64 4294967295 8",
	  -EINVAL, "outside" },
	{ "an offset that is no number is refused", "time_ns u64 8 8", "time_ns u64 x 8", -EINVAL,
	  "time_ns" },
	{ "an offset greater than 2^32 is refused", "time_ns u64 8 8",
	  "time_ns u64 4294967304 8", -EINVAL, "time_ns" },
	{ "an odd offset is read", "time_ns u64 8 8", "time_ns u64 41 8", 0, NULL },
	{ "a missing mandatory field is refused", "field outcome", "field outcome_", -EINVAL,
	  "outcome is missing" },
	{ "a missing optional field is read", "field node", "field node_", 0, NULL },
	{ "a field of an unknown type is passed over", "field node u16", "field node f16", 0,
	  NULL },
	{ "a record of no bytes is refused", "record_size 128", "record_size 0", -EINVAL,
	  "record_size" },
	{ "a record of 4 GiB is refused", "record_size 128", "record_size 4294967295", -EINVAL,
	  "record_size" },
	{ "a longer record is read", "record_size 128", "record_size 192", 0, NULL },
	{ "a page size that is no power of two is refused", "page_size 4096", "page_size 4095",
	  -EINVAL, "page_size" },
	{ "a word with two meanings is refused", "word outcome 0x3", "word outcome 0x2",
	  -EINVAL, "another meaning" },
	{ "a number that this version knows by another name is refused", "0x2 copy",
	  "0x2 clone", -EINVAL, "copy" },
	{ "a word without a name is refused", "word trait 0x1 ret-write success",
	  "word trait 0x1\n#", -EINVAL, "word needs" },
	{ "a new outcome is read", "word reason 0 ",
	  "word outcome 0x63 new brand new\nword reason 0 ",
	  0, NULL },
	{ "a setting of later versions is passed over", "clock monotonic",
	  "clock monotonic\nflavour lemon", 0, NULL },
};

static void check_cases(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = changed(cases[i].from, cases[i].to);
		struct ct_schema *schema = NULL;
		struct ct_error err = { 0 };
		int got = ct_schema_parse(text, strlen(text), &schema, &err);
		bool good = got == cases[i].error &&
			    (!got || strstr(err.text, cases[i].says)) &&
			    !strchr(err.text, '\n');

		if (!ok(good, "%s", cases[i].claim))
			note("%d: %s", got, err.text);
		if (!got)
			ct_schema_free(schema);
		free(text);
	}
}

static void refuses(const char *text, size_t size, const char *claim)
{
	struct ct_schema *schema;
	struct ct_error err = { 0 };

	ok(ct_schema_parse(text, size, &schema, &err) == -EINVAL && *err.text, "%s", claim);
}

static void check_native(void)
{
	char *text = schema_text(3);
	struct cowtrace_record in = plain_record(7, 12345), out;
	struct ct_schema *schema = NULL;
	struct ct_error err = { 0 };

	if (!ok(!ct_schema_parse(text, strlen(text), &schema, &err),
		"the module's schema is read")) {
		note("%s", err.text);
		free(text);
		return;
	}
	ok(schema->traits == 3 && schema->record_size == 128 && schema->page_size == 4096 &&
	   !strcmp(schema->kernel, "6.1.0-50-amd64"), "the settings of the schema are read");
	ok(ct_schema_word(schema, "reason", COWTRACE_REASON_PINNED) &&
	   !strcmp(ct_schema_word(schema, "reason", COWTRACE_REASON_PINNED)->name, "pinned"),
	   "a word is found by its number");
	ok(!strcmp(ct_schema_field(schema, "order")->unit, "log2-pages"),
	   "a field has its unit");
	ct_schema_decode(schema, &in, &out);
	ok(!memcmp(&in, &out, sizeof(in)), "a record of the same layout is taken as it is");
	ok(ct_field_number(ct_schema_field(schema, "time_ns"), &in) == 12345,
	   "a field is read by its name");
	ct_schema_free(schema);
	free(text);
}

#define OTHER_SIZE	300

/* Of a line of the schema, what a layout that is not this one's makes of it. */
typedef void (*layout_fn)(FILE *f, const char *name, const char *type, const char *rest,
			  uint8_t *raw, const void *value, unsigned int bytes);

/* The schema in that layout, to be freed, and @in as a record of it. */
static char *laid_out(layout_fn layout, const char *version, const struct cowtrace_record *in,
		      uint8_t *raw)
{
	char *text = NULL, *native = schema_text(0), *line, *save = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (line = strtok_r(native, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[32], type[16], rest[256];
		unsigned int offset, bytes;

		if (sscanf(line, "field %31s %15s %u %u %255[^\n]", name, type, &offset, &bytes,
			   rest) == 5)
			layout(f, name, type, rest, raw, (char *)in + offset, bytes);
		else if (!strncmp(line, "record_size", 11))
			fprintf(f, "record_size %d\n", OTHER_SIZE);
		else if (!strncmp(line, "cowtrace schema", 15))
			fprintf(f, "cowtrace schema %s\n", version);
		else
			fprintf(f, "%s\n", line);
	}
	fclose(f);
	free(native);
	return text;
}

static unsigned int at;

/* The fields in the reverse order, at odd offsets. */
static void reverse(FILE *f, const char *name, const char *type, const char *rest, uint8_t *raw,
		    const void *value, unsigned int bytes)
{
	at -= bytes;
	memcpy(raw + at, value, bytes);
	fprintf(f, "field %s %s %u %u %s\n", name, type, at, bytes, rest);
}

static void check_moved(void)
{
	uint8_t raw[OTHER_SIZE] = { 0 };
	struct cowtrace_record in = plain_record(9, 777), out;
	struct ct_schema *schema = NULL;
	struct ct_error err = { 0 };
	char *text;

	in.mapcount = -3;
	at = 271;
	text = laid_out(reverse, "2.0", &in, raw);
	if (ok(!ct_schema_parse(text, strlen(text), &schema, &err),
	       "a schema with moved fields is read")) {
		ct_schema_decode(schema, raw, &out);
		ok(!memcmp(&in, &out, sizeof(in)),
		   "a record whose fields moved is read by the schema");
		ok((int64_t)ct_field_number(ct_schema_field(schema, "mapcount"), raw) == -3,
		   "a negative field keeps its sign");
	} else {
		note("%s", err.text);
	}
	ct_schema_free(schema);
	free(text);
}

/* As schema 1.2 had them: without the counts of 2.0, with flags and result of 32 bits. */
static void older(FILE *f, const char *name, const char *type, const char *rest, uint8_t *raw,
		  const void *value, unsigned int bytes)
{
	uint32_t wide = 0xf0000;

	if (!strcmp(name, "swapcount") || !strcmp(name, "mapped_here"))
		return;
	if (!strcmp(name, "fault_flags") || !strcmp(name, "ret")) {
		memcpy(&wide, value, bytes);
		memcpy(raw + at, &wide, sizeof(wide));
		fprintf(f, "field %s u32 %u 4 %s\n", name, at, rest);
		at += sizeof(wide);
		return;
	}
	memcpy(raw + at, value, bytes);
	fprintf(f, "field %s %s %u %u %s\n", name, type, at, bytes, rest);
	at += bytes;
}

static bool parses(const char *text, struct ct_schema **schema)
{
	struct ct_error err = { 0 };
	int got = ct_schema_parse(text, strlen(text), schema, &err);

	if (got)
		note("%d: %s", got, err.text);
	return !got;
}

static void check_older(void)
{
	uint8_t raw[OTHER_SIZE] = { 0 };
	struct cowtrace_record in = plain_record(9, 777), out;
	struct ct_schema *schema = NULL;
	struct ct_error err = { 0 };
	char *text;

	in.fault_flags = COWTRACE_FAULT_FLAG_UNSHARE;
	in.ret = COWTRACE_FAULT_COMPLETED;
	in.swapcount = 2;
	in.mapped_here = 3;
	in.present |= COWTRACE_HAS_SWAPCOUNT | COWTRACE_HAS_MAPPED_HERE;
	at = 0;
	text = laid_out(older, "1.2", &in, raw);
	if (ok(parses(text, &schema), "a schema of version 1.2 is read")) {
		ct_schema_decode(schema, raw, &out);
		in.swapcount = 0;
		in.mapped_here = 0;
		in.present &= ~(COWTRACE_HAS_SWAPCOUNT | COWTRACE_HAS_MAPPED_HERE);
		ok(!memcmp(&in, &out, sizeof(in)),
		   "its wider numbers are cut, and what it lacks is absent");
		ct_schema_free(schema);
	}
	free(text);
	at = 0;
	text = laid_out(older, "2.0", &in, raw);
	ok(ct_schema_parse(text, strlen(text), &schema, &err) == -EINVAL &&
	   strstr(err.text, "fault_flags"), "in this version a wider number is refused");
	free(text);
}

int main(void)
{
	char *text = changed("word outcome 0 unknown", "word outcome 0 unkn\033own");
	char *huge = calloc(1, CT_SCHEMA_TEXT_MAX + 2);

	check_native();
	check_moved();
	check_older();
	check_cases();
	refuses(text, strlen(text), "a schema with terminal escapes is refused");
	refuses("", 0, "an empty schema is refused");
	refuses("cowtrace schema 1.0\0x", 21, "a schema with a NUL in it is refused");
	memset(huge, '\n', CT_SCHEMA_TEXT_MAX + 1);
	refuses(huge, CT_SCHEMA_TEXT_MAX + 1, "a schema that is too long is refused");
	free(huge);
	free(text);
	return tap_end();
}
