/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of expressions: names, the program they become, messages. */
#ifndef COWTRACE_EXPRESSION_PARTS_H
#define COWTRACE_EXPRESSION_PARTS_H

#include <cowtrace/vocab.h>

#include "expression.h"

/**
 * enum ct_op - one step of a program
 *
 * The program is in reverse Polish notation: CT_OP_NUMBER to CT_OP_HOLDER
 * push a value, the others take theirs from the stack.
 */
enum ct_op {
	CT_OP_NONE,	/* no step: a name that is no number */
	CT_OP_NUMBER,
	CT_OP_U8, CT_OP_U16, CT_OP_U32, CT_OP_U64, CT_OP_S32, CT_OP_WORD,
	CT_OP_STATE, CT_OP_PAGES, CT_OP_REFCOUNT,
	CT_OP_FACT_S8, CT_OP_FACT_S32, CT_OP_HOLDER,
	CT_OP_NOT, CT_OP_INVERT, CT_OP_NEGATE,
	CT_OP_MULTIPLY, CT_OP_DIVIDE, CT_OP_MODULO, CT_OP_ADD, CT_OP_SUBTRACT,
	CT_OP_LEFT, CT_OP_RIGHT,
	CT_OP_LESS, CT_OP_AT_MOST, CT_OP_GREATER, CT_OP_AT_LEAST,
	CT_OP_EQUAL, CT_OP_UNEQUAL,
	CT_OP_BITS_AND, CT_OP_BITS_XOR, CT_OP_BITS_OR,
	CT_OP_AND, CT_OP_OR,
	CT_OP_CHOOSE,
};

/* More words, or a value that is none. */
#define CT_VOCABULARY_WORDS	16
#define CT_NO_VALUE		(-1)

/**
 * struct ct_vocabulary - a field whose values are words
 * @field: its name.
 * @nr: number of @words.
 * @words: the words; the one named "unknown" says that there is no value.
 */
struct ct_vocabulary {
	const char	*field;
	size_t		nr;
	struct cowtrace_word words[CT_VOCABULARY_WORDS];
};

/**
 * struct ct_name - a name that an expression may meet
 * @name: as printed elsewhere, with dashes.
 * @op: what it becomes if it is accepted.
 * @where: offset in struct cowtrace_record or struct cowtrace_facts, bit of a state.
 * @present: COWTRACE_HAS_* that it takes.
 * @sentence: what it is.
 */
struct ct_name {
	const char	*name;
	enum ct_op	op;
	uint16_t	where;
	uint16_t	present;
	const char	*sentence;
};

/**
 * struct ct_step - one step of a program
 * @op: enum ct_op.
 * @where: as in struct ct_name.
 * @present: likewise.
 * @number: of CT_OP_NUMBER; of CT_OP_WORD the value that means unknown, or CT_NO_VALUE.
 * @name: what to call it when it is unknown.
 */
struct ct_step {
	uint8_t		op;
	uint16_t	where;
	uint16_t	present;
	int64_t		number;
	const char	*name;
};

/**
 * struct ct_expression - a parsed expression
 * @nr: number of @steps.
 * @steps: the program.
 * @text: see ct_expression_text().
 */
struct ct_expression {
	size_t		nr;
	struct ct_step	steps[CT_EXPRESSION_STEPS];
	char		text[];
};

/* Operands that wait at the same time: each level of nesting and precedence has one. */
#define CT_EXPRESSION_STACK	64

/* Bytes of the name at the start of @text, dashes included where they belong to it. */
size_t ct_name_length(const char *text);

/* The first name of those bytes, NULL if there is none. */
const struct ct_name *ct_name_find(const char *text, size_t length);

/* Why it is refused, a clause without its subject; NULL for a name that is accepted. */
const char *ct_name_refusal(const struct ct_name *name);

/* Its vocabulary, NULL for a number. */
const struct ct_vocabulary *ct_name_vocabulary(const struct ct_name *name);

/*
 * The accepted name, or with @vocabulary the word of it, that is spelt most like
 * that, NULL if none is. @to receives it with underscores.
 */
#define CT_NAME_TEXT	32
const char *ct_name_nearest(const struct ct_vocabulary *vocabulary, const char *text,
			    size_t length, char to[CT_NAME_TEXT]);

/* The vocabulary that has such a word, NULL if none has. */
const struct ct_vocabulary *ct_name_as_word(const char *text, size_t length);

/* The word of those bytes, NULL if the vocabulary has none or it is "unknown". */
const struct cowtrace_word *ct_vocabulary_find(const struct ct_vocabulary *vocabulary,
					       const char *text, size_t length);

/* Its value that means unknown, CT_NO_VALUE if there is none. */
int64_t ct_vocabulary_unknown(const struct ct_vocabulary *vocabulary);

/* What may be used where a word of @vocabulary, or with NULL a name, is expected: lines. */
void ct_name_list(FILE *to, const struct ct_vocabulary *vocabulary);

/**
 * struct ct_complaint - what is wrong, and where
 * @text: the whole expression.
 * @at: bytes before what is wrong.
 * @length: bytes of it, may be 0.
 * @list: say which names are accepted.
 * @vocabulary: say which of its words instead.
 */
struct ct_complaint {
	const char	*text;
	size_t		at;
	size_t		length;
	bool		list;
	const struct ct_vocabulary *vocabulary;
};

/**
 * ct_complain_at() - fill in an error
 * @err: the error.
 * @code: negative errno.
 * @c: what and where.
 * @format: as of printf(): one clause.
 * Return: @code.
 */
__attribute__((format(printf, 4, 5)))
int ct_complain_at(struct ct_expression_error *err, int code, const struct ct_complaint *c,
		   const char *format, ...);

#endif /* COWTRACE_EXPRESSION_PARTS_H */
