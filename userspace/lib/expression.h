/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A policy that somebody thinks of, as a short expression over what the kernel
 * knew when it decided, for example: refcount == 1 + swapcache && !ksm
 *
 * True means that the page is reused, false that it is copied, and unknown that
 * the answer rests on a value that the record does not have.
 *
 * Grammar: C's, with C's precedence: decimal and 0x numbers, names, ( ), ! - ~,
 * * / % + - << >> < <= > >= == != & ^ | && || ?:. No assignment, no calls.
 * # begins a comment up to the end of the line. Numbers are signed, of 64 bits,
 * and wrap around as the kernel's own do.
 *
 * Names (ct_expression_names() lists them, from the lists of vocab.h):
 * - fields of the record that are known at the entry of the fault: refcount,
 *   mapcount, order, address, ...; unknown where they are absent;
 * - states at entry, 0 or 1: swapcache, ksm, maybe_pinned, ... What is printed
 *   with a dash is written with an underscore; with its dash it is understood
 *   too. States of the page are unknown without a page;
 * - what follows from them, struct cowtrace_facts: exclusive, swapcount,
 *   folio_swapcount, folio_mapcount, elsewhere, mm_shared, locked, drains, and of
 *   its holders pins, lru_ref, unattributed; unknown where it is not known. A fact stands for the
 *   field or the state of its name. refcount, and what its holders are, is unknown
 *   where it moved while it was sampled;
 * - pages: 1 << order;
 * - kind, path and origin, which are compared by == or != with one of their
 *   words alone: "kind == thp". Right of them a word is theirs, anywhere else it
 *   is a field or a state: "ksm" is PageKsm, "kind == ksm" its kind. The word
 *   "unknown" is not accepted: such a value is unknown here too.
 *
 * Unknown follows Kleene: 0 && unknown is false, 1 || unknown is true, and
 * unknown ? a : b is a where a equals b; other operators give unknown for
 * unknown. A division by zero and a shift by less than 0 or more than 63 bits
 * are unknown.
 */
#ifndef COWTRACE_EXPRESSION_H
#define COWTRACE_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

/* Limits of an expression: bytes, operands and operators, and what nests. */
#define CT_EXPRESSION_TEXT	16384
#define CT_EXPRESSION_STEPS	256
#define CT_EXPRESSION_DEPTH	32

/* Long enough for every message, the accepted names included. */
#define CT_EXPRESSION_ERROR	4096

/**
 * enum ct_truth - what an expression says of a fault
 * @CT_FALSE: copy.
 * @CT_TRUE: reuse.
 * @CT_UNKNOWN: it rests on what the record does not have.
 */
enum ct_truth {
	CT_FALSE,
	CT_TRUE,
	CT_UNKNOWN,
};

/**
 * struct ct_expression_error - why an expression is refused
 * @code: negative errno.
 * @place: bytes of the text before what is wrong.
 * @text: lines without a final newline, fit for a terminal: what is wrong, the
 *	line of the expression, a caret under the place, what would be accepted.
 */
struct ct_expression_error {
	int	code;
	size_t	place;
	char	text[CT_EXPRESSION_ERROR];
};

struct cowtrace_facts;
struct ct_expression;

/**
 * ct_expression_parse() - read an expression
 * @text: the expression.
 * @expression: receives it; for ct_expression_free().
 * @err: filled in on failure.
 * Return: 0, -EINVAL for text that is no expression, -E2BIG for one beyond the
 * limits above, -ENOMEM.
 */
int ct_expression_parse(const char *text, struct ct_expression **expression,
			struct ct_expression_error *err);

void ct_expression_free(struct ct_expression *expression);

/**
 * ct_expression_text() - the expression on one line
 * @expression: the expression.
 * Return: its text without comments and superfluous blanks; lives as long as it.
 */
const char *ct_expression_text(const struct ct_expression *expression);

/**
 * ct_expression_eval() - what the expression says of a fault
 * @expression: the expression.
 * @facts: what is known of the fault. That a policy is asked about it at all
 *	(@facts->asked) is up to the caller.
 * @cause: receives, with CT_UNKNOWN, the name of the first value that is unknown
 *	and decides, or "a count that moved" while it was sampled, "division by zero",
 *	"shift out of range"; with the others NULL. Lives for ever. May be NULL.
 * Return: enum ct_truth. Allocates nothing; any thread may call it.
 */
enum ct_truth ct_expression_eval(const struct ct_expression *expression,
				 const struct cowtrace_facts *facts, const char **cause);

/**
 * ct_expression_reads_only() - does it read no fields of the record but these?
 * @expression: the expression.
 * @fields: offsets in struct cowtrace_record.
 * @nr: number of them.
 *
 * Equal faults have equal answers if what is compared has all fields that are read.
 * Facts are not fields: that what they follow from is compared is up to the caller.
 */
bool ct_expression_reads_only(const struct ct_expression *expression, const size_t *fields,
			      size_t nr);

/**
 * ct_expression_names() - list the accepted names, each with its sentence
 * @to: where they are printed.
 */
void ct_expression_names(FILE *to);

/**
 * ct_expression_read_file() - the text of an expression from a file
 * @path: the file: an expression, which may take several lines, and comments.
 * @text: receives the text, to be freed.
 * @err: filled in on failure.
 * Return: 0, -E2BIG for more than CT_EXPRESSION_TEXT bytes, -EINVAL for what is no
 * text, or another negative errno.
 */
int ct_expression_read_file(const char *path, char **text, struct ct_error *err);

#endif /* COWTRACE_EXPRESSION_H */
