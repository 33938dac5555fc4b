/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user stacks of a trace, unwound: for each fault that has one the chain of
 * functions that led to it. Chains share what they have in common from the first
 * function on, so that memory grows with distinct chains, and by some bytes a stack.
 */
#ifndef COWTRACE_STACKS_H
#define COWTRACE_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "map.h"
#include "unwind.h"

/**
 * typedef ct_stack_fn - is shown a stack
 * @arg: of the caller.
 * @stack: the stack, its numbers in the order of this machine.
 * @copy: @stack->copied bytes.
 * Return: 0 to go on; anything else ends the walk.
 */
typedef int ct_stack_fn(void *arg, const struct ct_stack *stack, const void *copy);

/**
 * ct_stacks_walk() - show all stacks of a trace
 * @reader: the trace.
 * @bad: receives how many chunks have something that is no stack; what is before it is
 *	shown. NULL for nobody.
 * @fn: is shown each.
 * @arg: for @fn.
 * Return: 0, what @fn returned, or -ENOMEM.
 */
int ct_stacks_walk(struct ct_reader *reader, uint64_t *bad, ct_stack_fn *fn, void *arg);

/**
 * struct ct_chain - a function and who called it
 * @caller: number of the chain of its caller, CT_MAP_NONE for the first function.
 * @frame: number of its frame. CT_STACK_MARK + enum ct_unwound where callers are missing.
 */
struct ct_chain {
	uint32_t	caller;
	uint32_t	frame;
};

#define CT_STACK_MARK	0xffffff00u

/**
 * struct ct_stacks - stacks of a trace
 * @unwinder: whose frames the chains consist of.
 * @chains: all chains.
 * @nr_chains: number of them.
 * @ends: stacks by how they ended.
 * @there: stacks in all.
 * @repeated: stacks of records that had one before, left out.
 * @bad: as ct_stacks_walk().
 */
struct ct_stacks {
	struct ct_unwinder *unwinder;
	struct ct_chain	*chains;
	size_t		nr_chains;
	struct ct_map	by_link;
	struct ct_map	by_record;
	struct ct_known_stack *known;
	size_t		nr_known;
	uint64_t	ends[CT_NR_UNWOUND];
	uint64_t	there;
	uint64_t	repeated;
	uint64_t	bad;
};

/**
 * ct_stacks_load() - unwind all stacks of a trace
 * @stacks: filled in; to be freed also after an error.
 * @reader: the trace.
 * @processes: its processes; must outlive @stacks.
 * Return: 0 or -ENOMEM.
 */
int ct_stacks_load(struct ct_stacks *stacks, struct ct_reader *reader,
		   const struct ct_processes *processes);

void ct_stacks_free(struct ct_stacks *stacks);

/**
 * ct_stacks_find() - the chain of a fault
 * @stacks: the stacks.
 * @record: the fault.
 * Return: number of the chain of the function that faulted, CT_MAP_NONE for a fault
 * without a stack.
 */
uint32_t ct_stacks_find(const struct ct_stacks *stacks, const struct cowtrace_record *record);

/**
 * ct_stacks_link() - the chain of a function and its caller
 * @stacks: the stacks.
 * @caller: chain of the caller, or CT_MAP_NONE.
 * @frame: as of struct ct_chain.
 * @chain: receives its number.
 * Return: 0 or -ENOMEM.
 */
int ct_stacks_link(struct ct_stacks *stacks, uint32_t caller, uint32_t frame, uint32_t *chain);

/* The name of the innermost function of a chain, or the mark that it is. */
const char *ct_stacks_name(const struct ct_stacks *stacks, uint32_t chain);

#endif /* COWTRACE_STACKS_H */
