/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The schema text that travels with every trace: where each field of a record
 * stands, and the names and sentences of its values. Traces are read by this,
 * not by the reader's own headers.
 */
#ifndef COWTRACE_SCHEMA_H
#define COWTRACE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Limits that a schema must keep: the text may come from anywhere. */
#define CT_SCHEMA_TEXT_MAX	(1u << 20)
#define CT_SCHEMA_FIELDS_MAX	256
#define CT_SCHEMA_WORDS_MAX	2048
#define CT_SCHEMA_RECORD_MAX	4096

/**
 * enum ct_type - how the bytes of a field are to be read
 * @CT_TYPE_UNSIGNED: little-endian, 1, 2, 4 or 8 bytes.
 * @CT_TYPE_SIGNED: the same, two's complement.
 * @CT_TYPE_TEXT: characters, NUL-terminated when shorter than the field.
 */
enum ct_type {
	CT_TYPE_UNSIGNED,
	CT_TYPE_SIGNED,
	CT_TYPE_TEXT,
};

/**
 * struct ct_field - one field of a record
 * @name: lower case; unique in the schema.
 * @type: enum ct_type.
 * @offset: bytes from the start of the record.
 * @size: bytes.
 * @format: dec, hex, str, enum or flags.
 * @vocab: vocabulary of an enum or flags field, else NULL.
 * @unit: "-" for none.
 * @present_bit: bit of the field "present" that says it is given, 0: always.
 * @sentence: what it is.
 */
struct ct_field {
	const char	*name;
	enum ct_type	type;
	uint32_t	offset;
	uint32_t	size;
	const char	*format;
	const char	*vocab;
	const char	*unit;
	uint32_t	present_bit;
	const char	*sentence;
};

/**
 * struct ct_word - one word of a vocabulary
 * @vocab: path, origin, kind, outcome, reason, state, evidence, present, trait.
 * @value: the number, or the bit as a mask.
 * @name: as printed and filtered by.
 * @sentence: what it means, without a final stop.
 */
struct ct_word {
	const char	*vocab;
	uint32_t	value;
	const char	*name;
	const char	*sentence;
};

/**
 * struct ct_schema - a parsed schema; every string lives as long as it
 * @major: of the record layout; ct_schema_parse() refuses one that is greater
 *	than COWTRACE_SCHEMA_MAJOR.
 * @minor: fields and words may be more than this reader knows.
 * @module: version of the module that wrote it, NULL if not given, as below.
 * @kernel: release of the traced kernel.
 * @backend: how it probed.
 * @clock: of time_ns.
 * @page_size: bytes of a page on the traced machine.
 * @record_size: bytes from one record to the next.
 * @traits: COWTRACE_TRAIT_* of the traced kernel.
 * @fields: in the order of the text.
 * @nr_fields: number of them.
 * @words: in the order of the text.
 * @nr_words: number of them.
 */
struct ct_schema {
	uint32_t	major;
	uint32_t	minor;
	const char	*module;
	const char	*kernel;
	const char	*backend;
	const char	*clock;
	uint32_t	page_size;
	uint32_t	record_size;
	uint32_t	traits;
	const struct ct_field *fields;
	size_t		nr_fields;
	const struct ct_word *words;
	size_t		nr_words;
};

/**
 * ct_schema_parse() - parse the text of a schema
 * @text: the text, not NUL-terminated.
 * @length: bytes of it.
 * @schema: receives the schema.
 * @err: filled in on failure; names the line.
 *
 * Return: 0, -EPROTO for a schema of a newer major version, -EINVAL for text
 * that is no schema or contradicts itself, -ENOMEM.
 */
int ct_schema_parse(const char *text, size_t length, struct ct_schema **schema,
		    struct ct_error *err);

void ct_schema_free(struct ct_schema *schema);

/* The field of that name, NULL if there is none. */
const struct ct_field *ct_schema_field(const struct ct_schema *schema, const char *name);

/* The word of @value in @vocab, NULL if there is none. */
const struct ct_word *ct_schema_word(const struct ct_schema *schema, const char *vocab,
				     uint32_t value);

/* The word called by the first @length bytes of @name in @vocab, NULL if there is none. */
const struct ct_word *ct_schema_named(const struct ct_schema *schema, const char *vocab,
				      const char *name, size_t length);

/**
 * ct_schema_decode() - turn the bytes of a record into this reader's record
 * @schema: the schema of the trace.
 * @raw: ct_schema.record_size bytes, no alignment needed.
 * @record: filled in; fields that the trace does not have are 0, and their
 *	bits in @record->present too.
 */
void ct_schema_decode(const struct ct_schema *schema, const void *raw,
		      struct cowtrace_record *record);

/**
 * ct_field_number() - value of a number field
 * @field: of type CT_TYPE_UNSIGNED or CT_TYPE_SIGNED (sign-extended).
 * @raw: the record that it belongs to.
 */
uint64_t ct_field_number(const struct ct_field *field, const void *raw);

#ifdef __cplusplus
}
#endif

#endif /* COWTRACE_SCHEMA_H */
