/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fields of a schema, looked up once for millions of records: how each is read, and
 * the names of its values.
 */
#ifndef COWTRACE_COLUMNS_H
#define COWTRACE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema.h"

/* How a value is shown. */
enum ct_column_kind {
	CT_COLUMN_UNSIGNED,
	CT_COLUMN_SIGNED,
	CT_COLUMN_HEX,
	CT_COLUMN_TEXT,
	CT_COLUMN_WORD,
	CT_COLUMN_FLAGS,
};

/* Room for "?N", a value without a name. */
#define CT_UNKNOWN_WORD	32

/**
 * struct ct_column - one field
 * @field: of the schema; its name has letters, digits, - and _ only.
 * @kind: how it is shown.
 * @words: names of its values, or of its bits by their number; NULL where there is none.
 */
struct ct_column {
	const struct ct_field *field;
	enum ct_column_kind kind;
	const char	**words;
};

/**
 * struct ct_columns - all fields that can be shown
 * @present: the field that says which of them are given, or NULL.
 * @nr: number of them.
 * @list: in the order of the schema.
 */
struct ct_columns {
	const struct ct_field *present;
	size_t		nr;
	struct ct_column list[];
};

/* Of @schema, which must outlive them. Return: NULL without memory. */
struct ct_columns *ct_columns_new(const struct ct_schema *schema);

/* NULL is allowed. */
void ct_columns_free(struct ct_columns *columns);

/**
 * ct_column_word() - the name of a value of a CT_COLUMN_WORD
 * @column: the field.
 * @value: its value.
 * @unknown: room for CT_UNKNOWN_WORD bytes.
 * Return: the name, or "?N" in @unknown.
 */
const char *ct_column_word(const struct ct_column *column, uint64_t value, char *unknown);

/* The same of one bit, as a mask, of CT_COLUMN_FLAGS. */
const char *ct_column_flag(const struct ct_column *column, uint64_t bit, char *unknown);

/* Bits of what is given in a record, for ct_column_given(). */
static inline uint64_t ct_columns_given(const struct ct_columns *columns, const void *raw)
{
	return columns->present ? ct_field_number(columns->present, raw) : UINT64_MAX;
}

/* Is the field given in a record? */
static inline bool ct_column_given(const struct ct_column *column, uint64_t given)
{
	return !column->field->present_bit || given & column->field->present_bit;
}

#endif /* COWTRACE_COLUMNS_H */
