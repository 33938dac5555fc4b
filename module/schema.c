// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>
#include <cowtrace/record.h>

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

struct vocabulary {
	const char			*name;
	const struct cowtrace_word	*words;
	size_t				nr;
};

static const struct vocabulary vocabularies[] = {
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

struct field {
	const char	*name;
	const char	*type;
	size_t		offset;
	size_t		size;
	const char	*format;
	const char	*unit;
	u32		absent_bit;
	const char	*sentence;
};

#define FIELD(member, type, format, unit, absent, sentence)			\
	{ #member, #type, offsetof(struct cowtrace_record, member),		\
	  sizeof_field(struct cowtrace_record, member), format, unit, absent, sentence },
static const struct field fields[] = { COWTRACE_FIELDS(FIELD) };

int cow_schema_show(struct seq_file *m, void *v)
{
	const struct vocabulary *voc;
	const struct cowtrace_word *w;
	const struct field *f;

	seq_printf(m, "cowtrace schema %d.%d\n", COWTRACE_SCHEMA_MAJOR, COWTRACE_SCHEMA_MINOR);
	seq_printf(m, "module %s\n", THIS_MODULE->version);
	seq_printf(m, "kernel %s\n", init_utsname()->release);
	seq_printf(m, "backend %s\n", cow_session_backend());
	seq_puts(m, "clock monotonic\n");
	seq_printf(m, "page_size %lu\n", PAGE_SIZE);
	seq_printf(m, "record_size %zu\n", sizeof(struct cowtrace_record));
	seq_printf(m, "traits %#x\n", COW_TRAITS);
	for (f = fields; f < fields + ARRAY_SIZE(fields); f++)
		seq_printf(m, "field %s %s %zu %zu %s %s %#x %s\n", f->name, f->type, f->offset,
			   f->size, f->format, f->unit, f->absent_bit, f->sentence);
	for (voc = vocabularies; voc < vocabularies + ARRAY_SIZE(vocabularies); voc++)
		for (w = voc->words; w < voc->words + voc->nr; w++)
			seq_printf(m, "word %s %#x %s %s\n", voc->name, w->value, w->name,
				   w->sentence);
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
