// SPDX-License-Identifier: GPL-2.0
/*
 * Texts of the module's files in debugfs, as they stand there or at the end of a trace:
 * counts, probes, stats, what groups have counted and how their events look. The input
 * is such files: a line "=NAME" before each.
 */
#include <string.h>

#include "counts.h"
#include "files.h"
#include "fuzz.h"
#include "generate.h"
#include "group.h"
#include "khugepaged.h"
#include "ksm.h"
#include "probes.h"
#include "sample.h"
#include "state.h"

static struct ct_schema *schema;

/* Cuts the input into files. */
static void cut(char *text, struct ct_state *state)
{
	char *at = *text == '=' ? text : strstr(text, "\n=");

	while (at && state->nr < CT_STATE_FILES) {
		char *name = at + (*at == '\n') + 1, *end = strchr(name, '\n');

		if (!end)
			break;
		*at = *end = '\0';
		snprintf(state->file[state->nr].name, CT_STATE_NAME, "%s", name);
		state->file[state->nr++].text = end + 1;
		/* An empty text has only its line's end, which is cut away here. */
		at = end[1] == '=' ? end + 1 : strstr(end + 1, "\n=");
	}
}

static void take_counts(const char *text)
{
	struct ct_counts *counts = NULL;
	struct ct_error err;
	size_t i;

	if (ct_counts_parse(text, schema, &counts, &err)) {
		MUST(err.code < 0 && *err.text);
		return;
	}
	for (i = 0; i < COWTRACE_NR_POLICIES; i++)
		ct_counts_policy(counts, i);
	for (i = 0; i < counts->nr_processes; i++)
		MUST(memchr(counts->processes[i].comm, 0, COWTRACE_COMM_LEN));
	ct_counts_free(counts);
}

static void take_event(const char *word, char *fields, const struct ct_state *state)
{
	struct ct_group_event e = { .seq = 1, .comm = "x", .word = word, .fields = fields };
	struct ct_khugepaged sum = { .own = CT_NR_ESTIMATES };
	struct ct_ksm *ksm = ct_ksm_new(1000);
	struct ct_khuge_scan scan;

	MUST(ksm);
	for (; e.seq < 4; e.seq++, e.time_ns += 5000)
		MUST(!ct_ksm_take(ksm, &e));
	MUST(ct_ksm_merges(ksm) - ct_ksm_ended(ksm) == ksm->live);
	ct_ksm_free(ksm);
	ct_khuge_read(&e, state, 4096, &scan);
	ct_khugepaged_add(&sum, &scan);
}

static void take_events(const char *text, const struct ct_state *state)
{
	char *copy = strdup(text), *line, *save = NULL, *fields;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		fields = strchr(line, ' ');
		if (fields)
			*fields++ = '\0';
		take_event(line, fields ?: line + strlen(line), state);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_state state = { 0 };
	struct ct_probes probes;
	struct ct_sample sample;
	struct ct_files files;
	struct ct_error err;
	uint64_t n;
	char *text;
	unsigned int i;

	if (!schema) {
		text = schema_text(0);
		MUST(!ct_schema_parse(text, strlen(text), &schema, &err));
		free(text);
	}
	text = fuzz_text(data, size);
	cut(text, &state);
	if (ct_state_text(&state, "counts"))
		take_counts(ct_state_text(&state, "counts"));
	for (i = 0; i < state.nr; i++) {
		ct_probes_parse(&probes, state.file[i].text);
		ct_text_number(state.file[i].text, "entries", &n);
		take_events(state.file[i].text, &state);
	}
	ct_sample_read(&sample, &state, NULL);
	if (!ct_files_load(&state, &files))
		ct_files_free(&files);
	free(text);
	return 0;
}
