/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that turn the text of an expression into its program. */
#ifndef COWTRACE_EXPRESSION_PARSE_H
#define COWTRACE_EXPRESSION_PARSE_H

#include "expression_parts.h"

/**
 * struct ct_parser - a text on its way to a program
 * @text: the whole.
 * @at: what is read next, neither blank nor comment.
 * @end: behind what was read last.
 * @depth: how deep the place is nested.
 * @waiting: operands on the stack there.
 * @e: the program.
 * @err: receives the error.
 */
struct ct_parser {
	const char	*text;
	const char	*at;
	const char	*end;
	unsigned int	depth;
	unsigned int	waiting;
	struct ct_expression *e;
	struct ct_expression_error *err;
};

/**
 * struct ct_operand - what was read, judged by what stands beside it
 * @start: where it begins.
 * @length: bytes of its first token.
 * @field: it is a field with words, and no number.
 * @word: it is a word of that, and no number.
 */
struct ct_operand {
	const char	*start;
	size_t		length;
	const struct ct_vocabulary *field;
	const struct ct_vocabulary *word;
};

/* Go on behind @length bytes, and behind the blanks and comments there. */
void ct_parser_take(struct ct_parser *p, size_t length);

/* A complaint about @length bytes at @at. */
struct ct_complaint ct_parser_complaint(const struct ct_parser *p, const char *at, size_t length);

/**
 * ct_parser_emit() - add a step
 * @p: the parser.
 * @step: the step; it leaves one operand.
 * @takes: how many it takes.
 * Return: 0 or -E2BIG.
 */
int ct_parser_emit(struct ct_parser *p, struct ct_step step, unsigned int takes);

/**
 * ct_parser_value() - read a number or a name
 * @p: the parser, before it.
 * @field: the field with words that is compared with this, NULL if none is.
 * @o: where it begins and how long it is; completed.
 * Return: 0, or a negative errno with the parser's error filled in, as below.
 */
int ct_parser_value(struct ct_parser *p, const struct ct_vocabulary *field,
		    struct ct_operand *o);

/* Only == and != take fields with words, and these only with a word at their right. */
int ct_parser_need_number(struct ct_parser *p, const struct ct_operand *o);

/* The whole text becomes the program. */
int ct_parser_run(struct ct_parser *p);

#endif /* COWTRACE_EXPRESSION_PARSE_H */
