// SPDX-License-Identifier: GPL-2.0
#include "columns.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values of an enumeration that are looked up beforehand: those of one byte. */
#define WORDS	256
#define BITS	32

/* No name of ours is longer. */
#define NAME_LENGTH	64

/* A name that can stand in any format as it is; all of ours can. */
static bool plain(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '-' || text[n] == '_')
		n++;
	return n && !text[n] && n <= NAME_LENGTH;
}

static enum ct_column_kind kind_of(const struct ct_field *field)
{
	if (field->type == CT_TYPE_TEXT)
		return CT_COLUMN_TEXT;
	if (!strcmp(field->format, "flags"))
		return CT_COLUMN_FLAGS;
	if (!strcmp(field->format, "enum"))
		return CT_COLUMN_WORD;
	if (!strcmp(field->format, "hex"))
		return CT_COLUMN_HEX;
	return field->type == CT_TYPE_SIGNED ? CT_COLUMN_SIGNED : CT_COLUMN_UNSIGNED;
}

static bool look_up(struct ct_column *c, const struct ct_schema *schema)
{
	unsigned int n = c->kind == CT_COLUMN_FLAGS ? BITS : WORDS;

	if (c->kind != CT_COLUMN_FLAGS && c->kind != CT_COLUMN_WORD)
		return true;
	c->words = calloc(n, sizeof(*c->words));
	for (unsigned int i = 0; c->words && c->field->vocab && i < n; i++) {
		const struct ct_word *w = ct_schema_word(schema, c->field->vocab,
							 n == BITS ? 1u << i : i);

		c->words[i] = w && plain(w->name) ? w->name : NULL;
	}
	return c->words;
}

struct ct_columns *ct_columns_new(const struct ct_schema *schema)
{
	struct ct_columns *columns = calloc(1, sizeof(*columns) +
					       schema->nr_fields * sizeof(*columns->list));

	if (!columns)
		return NULL;
	columns->present = ct_schema_field(schema, "present");
	for (size_t i = 0; i < schema->nr_fields; i++) {
		struct ct_column *c = &columns->list[columns->nr];

		/* Nothing that a module of ours would print. */
		if (!plain(schema->fields[i].name))
			continue;
		c->field = &schema->fields[i];
		c->kind = kind_of(c->field);
		columns->nr++;
		if (!look_up(c, schema)) {
			ct_columns_free(columns);
			return NULL;
		}
	}
	return columns;
}

void ct_columns_free(struct ct_columns *columns)
{
	for (size_t i = 0; columns && i < columns->nr; i++)
		free(columns->list[i].words);
	free(columns);
}

static const char *without_name(uint64_t value, char *unknown)
{
	snprintf(unknown, CT_UNKNOWN_WORD, "?%" PRIu64, value);
	return unknown;
}

const char *ct_column_word(const struct ct_column *c, uint64_t value, char *unknown)
{
	return value < WORDS && c->words[value] ? c->words[value] : without_name(value, unknown);
}

const char *ct_column_flag(const struct ct_column *c, uint64_t bit, char *unknown)
{
	int i = __builtin_ctzll(bit);

	return i < BITS && c->words[i] ? c->words[i] : without_name(bit, unknown);
}
