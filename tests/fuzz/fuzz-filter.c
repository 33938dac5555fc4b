// SPDX-License-Identifier: GPL-2.0
/* Filters on a trace, NAME=VALUE a line; what fits them is asked of a plain record. */
#include <string.h>

#include "fuzz.h"
#include "generate.h"
#include "match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ct_schema *schema;
	static struct cowtrace_record r;
	struct ct_match match = { 0 };
	char *text, *line, *save = NULL;
	struct ct_error err;

	if (!schema) {
		text = schema_text(0);
		MUST(!ct_schema_parse(text, strlen(text), &schema, &err));
		free(text);
		r = plain_record(1, 1000);
	}
	text = fuzz_text(data, size);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (ct_match_add(&match, schema, line, &err))
			MUST(err.code < 0 && *err.text);
	ct_match_fits(&match, &r);
	r.outcome = size;
	r.kind = size / 7;
	ct_match_fits(&match, &r);
	free(text);
	return 0;
}
