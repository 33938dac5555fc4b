// SPDX-License-Identifier: GPL-2.0
/* The schema: parsed, looked up, and records of its layout decoded. */
#include <string.h>

#include "fuzz.h"
#include "schema.h"

static void use(const struct ct_schema *s)
{
	/* As many bytes as a record has, so that the next one is seen by ASan. */
	uint8_t *raw = malloc(s->record_size);
	struct cowtrace_record record;
	size_t i;

	for (i = 0; i < s->record_size; i++)
		raw[i] = i * 37;
	for (i = 0; i < s->nr_fields; i++) {
		const struct ct_field *f = &s->fields[i];

		MUST(ct_schema_field(s, f->name) == f);
		MUST(f->offset + f->size <= s->record_size);
		MUST(f->sentence && f->unit && f->format);
		if (f->type != CT_TYPE_TEXT)
			ct_field_number(f, raw);
	}
	for (i = 0; i < s->nr_words; i++) {
		const struct ct_word *w = &s->words[i];

		MUST(ct_schema_word(s, w->vocab, w->value) == w);
		MUST(ct_schema_named(s, w->vocab, w->name, strlen(w->name)) == w);
	}
	memset(&record, 0x5a, sizeof(record));
	ct_schema_decode(s, raw, &record);
	free(raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_schema *s = NULL;
	struct ct_error err;

	if (ct_schema_parse((const char *)data, size, &s, &err)) {
		MUST(err.code < 0 && *err.text);
		return 0;
	}
	use(s);
	ct_schema_free(s);
	return 0;
}
