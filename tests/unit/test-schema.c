// SPDX-License-Identifier: GPL-2.0
/* The schema parser: what it takes, and what it must refuse with a sentence. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	{ "a greater major version asks for a newer cowtrace", "schema 1.2", "schema 2.0",
	  -EPROTO, "newer cowtrace" },
	{ "a greater minor version is read", "schema 1.2", "schema 1.7", 0, NULL },
	{ "a text that is no schema is refused", "cowtrace schema", "hello", -EINVAL, "line 1" },
	{ "a version without a dot is refused", "schema 1.2", "schema 10", -EINVAL, "line 1" },
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

/* The fields of struct cowtrace_record in the reverse order, at odd offsets. */
static void check_moved(void)
{
	char *text = NULL, *native = schema_text(0), *line, *save = NULL;
	uint8_t raw[300] = { 0 };
	struct cowtrace_record in = plain_record(9, 777), out;
	struct ct_schema *schema = NULL;
	struct ct_error err = { 0 };
	unsigned int at = 271;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	in.mapcount = -3;
	for (line = strtok_r(native, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[32], type[16], rest[256];
		unsigned int offset, bytes;

		if (sscanf(line, "field %31s %15s %u %u %255[^\n]", name, type, &offset, &bytes,
			   rest) == 5) {
			at -= bytes;
			memcpy(raw + at, (char *)&in + offset, bytes);
			fprintf(f, "field %s %s %u %u %s\n", name, type, at, bytes, rest);
		} else if (!strncmp(line, "record_size", 11)) {
			fprintf(f, "record_size 300\n");
		} else {
			fprintf(f, "%s\n", line);
		}
	}
	fclose(f);
	if (ok(!ct_schema_parse(text, size, &schema, &err), "a schema with moved fields is read")) {
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
	free(native);
}

int main(void)
{
	char *text = changed("word outcome 0 unknown", "word outcome 0 unkn\033own");
	char *huge = calloc(1, CT_SCHEMA_TEXT_MAX + 2);

	check_native();
	check_moved();
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
