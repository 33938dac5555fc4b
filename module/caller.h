/* SPDX-License-Identifier: GPL-2.0 */
/*
 * caller: who called a probed function. A return probe of another tool puts its
 * own address where the return address was; what stood there is told by the
 * kernel's unwinder, which knows the books of all of them.
 */
#ifndef COW_CALLER_H
#define COW_CALLER_H

#include <linux/ptrace.h>

#include "symbols.h"

/**
 * cow_return_ip() - return address of a function, at its entry
 * @ip: the function, or the instruction of it that is probed.
 * @regs: there: the return address lies on top of the stack.
 *
 * Until 6.0 the unwinder does not know kretprobes, and never one of them above
 * another tool's function_graph.
 *
 * Context: the current task's own stack; preemption off.
 * Return: the address, or 0 when another tool's return probe hides it.
 */
unsigned long cow_return_ip(unsigned long ip, const struct pt_regs *regs);

/**
 * enum cow_caller - who called do_wp_page()
 * @COW_CALLER_UNKNOWN: neither; another tool's return probe hides it.
 * @COW_CALLER_FAULT: handle_pte_fault(), inlined into one of two functions.
 * @COW_CALLER_SWAP: do_swap_page(), for a write to a page just swapped in.
 */
enum cow_caller {
	COW_CALLER_UNKNOWN,
	COW_CALLER_FAULT,
	COW_CALLER_SWAP,
};

/* Which function called do_wp_page(), by its return address. */
enum cow_caller cow_caller(unsigned long ret_ip);

/* The same at its entry; nearly always it is the first that is asked for. */
static __always_inline enum cow_caller cow_caller_at(unsigned long ip, const struct pt_regs *regs)
{
	unsigned long ret_ip = *(unsigned long *)regs->sp;

	if (likely(cow_symbol_covers(COW_SYM_FAULT_INNER, ret_ip)))
		return COW_CALLER_FAULT;
	return cow_caller(cow_return_ip(ip, regs));
}

#endif /* COW_CALLER_H */
