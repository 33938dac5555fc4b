// SPDX-License-Identifier: GPL-2.0
/* The names of expressions, from the lists of the vocabulary. */
#include <ctype.h>
#include <string.h>

#include <cowtrace/facts.h>

#include "expression_parts.h"
#include "spelling.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

#define LIST_COLUMNS	78

_Static_assert(COWTRACE_NR_KINDS <= CT_VOCABULARY_WORDS, "room for the kinds");
_Static_assert(COWTRACE_NR_PATHS <= CT_VOCABULARY_WORDS, "room for the paths");
_Static_assert(COWTRACE_NR_ORIGINS <= CT_VOCABULARY_WORDS, "room for the origins");

static const struct ct_vocabulary vocabularies[] = {
	{ "kind",   COWTRACE_NR_KINDS,   { COWTRACE_KINDS(COWTRACE_WORD_) } },
	{ "path",   COWTRACE_NR_PATHS,   { COWTRACE_PATHS(COWTRACE_WORD_) } },
	{ "origin", COWTRACE_NR_ORIGINS, { COWTRACE_ORIGINS(COWTRACE_WORD_) } },
};

/* Fields of the record that no policy may look at: everything else is accepted. */
#define AFTER	"is known only after the decision: a policy decides before"
#define RECORD	"belongs to the record, not to the fault: no kernel could ask for it"

static const struct {
	const char	*name;
	const char	*why;
} refused[] = {
	{ "seq",	RECORD },
	{ "cpu",	RECORD },
	{ "type",	RECORD },
	{ "magic",	RECORD },
	{ "comm",	"is text, and expressions know numbers only: take --filter comm=NAME" },
	{ "duration_ns", AFTER },
	{ "new_pfn",	AFTER },
	{ "ret",	AFTER },
	{ "outcome",	AFTER },
	{ "reason",	AFTER },
	{ "state",	"has a name for each of its bits: ask for swapcache, ksm, lru, ..." },
	{ "evidence",	"says how well the fault was seen: no kernel could ask for it" },
	{ "present",	"says what the record has: what it has not is unknown without asking" },
};

#define OP_u8		CT_OP_U8
#define OP_u16		CT_OP_U16
#define OP_u32		CT_OP_U32
#define OP_u64		CT_OP_U64
#define OP_s32		CT_OP_S32
#define OP_char16	CT_OP_NONE
#define FIELD(member, ctype, format, unit, present, sentence)		\
	{ #member, OP_##ctype, offsetof(struct cowtrace_record, member), present, sentence },

/* The bits of the page stand before all others. */
#define STATE(id, shift, name, sentence)				\
	{ name, CT_OP_STATE, shift,					\
	  COWTRACE_##id < COWTRACE_PTE_DIRTY ? COWTRACE_HAS_PAGE : 0, sentence },

#define FACT(member, type, sentence)					\
	{ #member, CT_OP_FACT_##type, offsetof(struct cowtrace_facts, member), \
	  COWTRACE_HAS_PAGE, sentence },
#define HOLDER(name, member, sentence)					\
	{ name, CT_OP_HOLDER, offsetof(struct cowtrace_facts, holders.member), 0, sentence },

/* The first of a name counts: a fact is known where the field alone is not. */
static const struct ct_name names[] = {
	FACT(exclusive, S8, "PageAnonExclusive of this page")
	FACT(swapcount, S32, "swap entries that share the page's slot, 0 outside of the swap cache")
	FACT(folio_swapcount, S32, "the same of all pages of the folio, 1 for at least one")
	FACT(folio_mapcount, S32, "mappings of all pages of the folio")
	FACT(elsewhere, S8, "1 if pages of the folio are mapped outside of this page table")
	FACT(mm_shared, S8, "1 if the folio may be mapped by several mms")
	FACT(locked, S8, "1 if the page lock is held")
	FACT(drains, S8, "1 if lru_add_drain() takes the reference of an LRU batch away")
	{ "refcount", CT_OP_REFCOUNT, offsetof(struct cowtrace_record, refcount),
	  COWTRACE_HAS_PAGE, "page_count() of the folio" },
	HOLDER("pins", pins, "references taken by FOLL_PIN, 1024 a pin on a small folio")
	HOLDER("lru_ref", lru, "1 if a reference of an LRU-add batch is inferred")
	HOLDER("unattributed", unattributed, "references that no holder explains")
	{ "pages", CT_OP_PAGES, 0, COWTRACE_HAS_PAGE, "pages of the folio: 1 << order" },
	COWTRACE_FIELDS(FIELD)
	COWTRACE_STATES(STATE)
};

/* Bytes of other alphabets too: they are shown as a whole, and are no name. */
static bool is_name_character(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c & 0x80;
}

static char underscored(char c)
{
	return c == '-' ? '_' : c;
}

/* Is this the listed name, dashes and underscores taken for the same? */
static bool is(const char *name, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length && name[i]; i++)
		if (underscored(text[i]) != underscored(name[i]))
			return false;
	return i == length && !name[i];
}

size_t ct_name_length(const char *text)
{
	size_t length = 0;

	while (is_name_character(text[length]))
		length++;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i].name);

		if (n > length && strchr(names[i].name, '-') && strnlen(text, n) == n &&
		    is(names[i].name, text, n) && !is_name_character(text[n]))
			length = n;
	}
	return length;
}

const struct ct_name *ct_name_find(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is(names[i].name, text, length))
			return &names[i];
	return NULL;
}

const char *ct_name_refusal(const struct ct_name *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (!strcmp(refused[i].name, name->name))
			return refused[i].why;
	return strncmp(name->sentence, "exit:", strlen("exit:")) ? NULL :
	       "is seen at the exit: a policy decides before";
}

const struct ct_vocabulary *ct_name_vocabulary(const struct ct_name *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(vocabularies); i++)
		if (!strcmp(vocabularies[i].field, name->name))
			return &vocabularies[i];
	return NULL;
}

static bool is_value(const struct cowtrace_word *word)
{
	return strcmp(word->name, "unknown");
}

int64_t ct_vocabulary_unknown(const struct ct_vocabulary *vocabulary)
{
	for (size_t i = 0; i < vocabulary->nr; i++)
		if (!is_value(&vocabulary->words[i]))
			return vocabulary->words[i].value;
	return CT_NO_VALUE;
}

const struct cowtrace_word *ct_vocabulary_find(const struct ct_vocabulary *vocabulary,
					       const char *text, size_t length)
{
	for (size_t i = 0; i < vocabulary->nr; i++)
		if (is(vocabulary->words[i].name, text, length) &&
		    is_value(&vocabulary->words[i]))
			return &vocabulary->words[i];
	return NULL;
}

const struct ct_vocabulary *ct_name_as_word(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(vocabularies); i++)
		if (ct_vocabulary_find(&vocabularies[i], text, length))
			return &vocabularies[i];
	return NULL;
}

static const char *typeable(const char *name, char to[CT_NAME_TEXT])
{
	size_t i;

	for (i = 0; i < CT_NAME_TEXT - 1 && name[i]; i++)
		to[i] = underscored(name[i]);
	to[i] = '\0';
	return to;
}

/* The @i-th that may be used where a word of @vocabulary, or a name, is expected. */
static bool member(const struct ct_vocabulary *vocabulary, size_t i, char to[CT_NAME_TEXT])
{
	to[0] = '\0';
	if (i >= (vocabulary ? vocabulary->nr : ARRAY_SIZE(names)))
		return false;
	if (vocabulary && is_value(&vocabulary->words[i]))
		typeable(vocabulary->words[i].name, to);
	else if (!vocabulary && !ct_name_refusal(&names[i]) &&
		 ct_name_find(names[i].name, strlen(names[i].name)) == &names[i])
		typeable(names[i].name, to);
	return true;
}

const char *ct_name_nearest(const struct ct_vocabulary *vocabulary, const char *text,
			    size_t length, char to[CT_NAME_TEXT])
{
	char typed[CT_NAME_TEXT], name[CT_NAME_TEXT];
	size_t best = length / 2 + 1;

	if (length >= sizeof(typed))
		return NULL;
	for (size_t i = 0; i <= length; i++)
		typed[i] = i < length ? tolower((unsigned char)text[i]) : '\0';
	to[0] = '\0';
	for (size_t i = 0; member(vocabulary, i, name); i++) {
		size_t edits = ct_spelling_distance(typed, name);

		if (*name && edits < best) {
			best = edits;
			memcpy(to, name, sizeof(name));
		}
	}
	return *to ? to : NULL;
}

void ct_name_list(FILE *to, const struct ct_vocabulary *vocabulary)
{
	static const char head[] = "accepted: ";
	size_t column = fprintf(to, "%s", head);
	char name[CT_NAME_TEXT];
	bool first = true;

	for (size_t i = 0; member(vocabulary, i, name); i++) {
		if (!*name)
			continue;
		if (!first)
			column += fprintf(to, ",");
		if (column + strlen(" ,") + strlen(name) > LIST_COLUMNS)
			column = fprintf(to, "\n%*s", (int)strlen(head), "") - 1;
		else if (!first)
			column += fprintf(to, " ");
		column += fprintf(to, "%s", name);
		first = false;
	}
}

static void list_words(FILE *to, const struct ct_vocabulary *vocabulary)
{
	char word[CT_NAME_TEXT];

	for (size_t i = 0; member(vocabulary, i, word); i++)
		if (*word)
			fprintf(to, "    == %-11s %s\n", word, vocabulary->words[i].sentence);
}

void ct_expression_names(FILE *to)
{
	const struct ct_vocabulary *vocabulary;
	char name[CT_NAME_TEXT];

	for (size_t i = 0; member(NULL, i, name); i++) {
		if (!*name)
			continue;
		fprintf(to, "  %-16s %s\n", name, names[i].sentence);
		vocabulary = ct_name_vocabulary(&names[i]);
		if (vocabulary)
			list_words(to, vocabulary);
	}
}
