// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>
#include <cowtrace/record.h>
#include <cowtrace/schema_text.h>

#include "compat/compat.h"
#include "schema.h"
#include "session.h"
#include "vocabulary.h"

const struct cowtrace_word cow_outcomes[] = { COWTRACE_OUTCOMES(COWTRACE_WORD_) };
const struct cowtrace_word cow_reasons[] = { COWTRACE_REASONS(COWTRACE_WORD_) };
const struct cowtrace_word cow_origins[] = { COWTRACE_ORIGINS(COWTRACE_WORD_) };
const struct cowtrace_word cow_kinds[] = { COWTRACE_KINDS(COWTRACE_WORD_) };
const struct cowtrace_word cow_paths[] = { COWTRACE_PATHS(COWTRACE_WORD_) };
static const struct cowtrace_word states[] = { COWTRACE_STATES(COWTRACE_FLAG_) };
static const struct cowtrace_word evidence[] = { COWTRACE_EVIDENCE(COWTRACE_FLAG_) };
static const struct cowtrace_word present[] = { COWTRACE_PRESENT(COWTRACE_FLAG_) };
static const struct cowtrace_word traits[] = { COWTRACE_TRAITS(COWTRACE_FLAG_) };

static const struct cowtrace_vocabulary vocabularies[] = {
	{ "path", cow_paths, ARRAY_SIZE(cow_paths) },
	{ "origin", cow_origins, ARRAY_SIZE(cow_origins) },
	{ "kind", cow_kinds, ARRAY_SIZE(cow_kinds) },
	{ "outcome", cow_outcomes, ARRAY_SIZE(cow_outcomes) },
	{ "reason", cow_reasons, ARRAY_SIZE(cow_reasons) },
	{ "state", states, ARRAY_SIZE(states) },
	{ "evidence", evidence, ARRAY_SIZE(evidence) },
	{ "present", present, ARRAY_SIZE(present) },
	{ "trait", traits, ARRAY_SIZE(traits) },
};

int cow_schema_show(struct seq_file *m, void *v)
{
	COWTRACE_SCHEMA_PRINT(seq_printf, m, THIS_MODULE->version, init_utsname()->release,
			      cow_session_backend(), PAGE_SIZE, COW_TRAITS, vocabularies);
	return 0;
}

static int join(char *buf, size_t size, const struct cowtrace_word *words, size_t nr, u32 set)
{
	size_t i;
	int n = 0;

	for (i = 0; i < nr; i++)
		if (set & words[i].value)
			n += scnprintf(buf + n, size - n, "%s%s", n ? "|" : "", words[i].name);
	return n ?: scnprintf(buf, size, "-");
}

int cow_state_names(char *buf, size_t size, u32 state)
{
	return join(buf, size, states, ARRAY_SIZE(states), state);
}

int cow_evidence_names(char *buf, size_t size, u32 set)
{
	return join(buf, size, evidence, ARRAY_SIZE(evidence), set);
}
