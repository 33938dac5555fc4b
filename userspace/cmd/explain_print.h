/* SPDX-License-Identifier: GPL-2.0 */
/* Explanations as text and as JSON: what `cowtrace explain` prints. */
#ifndef COWTRACE_EXPLAIN_PRINT_H
#define COWTRACE_EXPLAIN_PRINT_H

#include <stdio.h>

#include "patterns.h"
#include "schema.h"

/**
 * struct ct_access - the records of one access: a fault, or a split and the rest
 * @records: in the order of time.
 * @nr: 1 or 2.
 * @asked: which of them was asked for.
 * @stack: the functions that led to it, the innermost first; NULL when nothing tells.
 * @nr_stack: number of them.
 * @stack_end: mark of ct_unwound_mark() where callers are missing, NULL where none is.
 */
struct ct_access {
	struct cowtrace_record records[2];
	size_t		nr;
	size_t		asked;
	const char	**stack;
	size_t		nr_stack;
	const char	*stack_end;
};

/* The first @top patterns, with their share of all. Return: 0 or -EIO. */
int ct_explain_patterns_text(FILE *out, const struct ct_schema *schema,
			     const struct ct_patterns *patterns, size_t top);
int ct_explain_patterns_json(FILE *out, const struct ct_schema *schema,
			     const struct ct_patterns *patterns, size_t top);

/* One access, likewise. */
int ct_explain_access_text(FILE *out, const struct ct_schema *schema,
			   const struct ct_access *access);
int ct_explain_access_json(FILE *out, const struct ct_schema *schema,
			   const struct ct_access *access);

#endif /* COWTRACE_EXPLAIN_PRINT_H */
