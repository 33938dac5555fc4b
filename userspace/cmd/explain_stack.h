/* SPDX-License-Identifier: GPL-2.0 */
/* The user stack of one fault, for `cowtrace explain`. */
#ifndef COWTRACE_EXPLAIN_STACK_H
#define COWTRACE_EXPLAIN_STACK_H

#include "explain_print.h"
#include "reader.h"

/**
 * struct ct_explain_stack - what the names that are shown belong to
 * All zero until ct_explain_stack_find().
 */
struct ct_explain_stack {
	struct ct_processes *processes;
	struct ct_unwinder *unwinder;
	const char	**names;
};

/**
 * ct_explain_stack_find() - unwind the stack of a fault, if the trace has it
 * @stack: filled in; to be freed also after an error.
 * @reader: the trace.
 * @access: the fault that was asked for; its stack is set.
 * @err: filled in on failure.
 * Return: 0 or -ENOMEM.
 */
int ct_explain_stack_find(struct ct_explain_stack *stack, struct ct_reader *reader,
			  struct ct_access *access, struct ct_error *err);

void ct_explain_stack_free(struct ct_explain_stack *stack);

#endif /* COWTRACE_EXPLAIN_STACK_H */
