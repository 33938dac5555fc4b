// SPDX-License-Identifier: GPL-2.0
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <asm/unwind.h>

#include "caller.h"

static bool is_return_probe(unsigned long ip)
{
	return cow_symbol_covers(COW_SYM_RETURN_PROBE, ip) ||
	       cow_symbol_covers(COW_SYM_RETURN_GRAPH, ip);
}

/* By ORC alone: a frame pointer is not set up yet at the entry. */
static unsigned long unwind(unsigned long ip, unsigned long sp)
{
#ifdef CONFIG_UNWINDER_ORC
	struct pt_regs regs = { .ip = ip, .sp = sp };
	struct unwind_state state;

	unwind_start(&state, current, &regs, NULL);
	return unwind_get_return_address(&state);
#else
	return 0;
#endif
}

unsigned long cow_return_ip(unsigned long ip, const struct pt_regs *regs)
{
	unsigned long ret_ip = *(unsigned long *)regs->sp;

	if (likely(!is_return_probe(ret_ip)))
		return ret_ip;
	ret_ip = unwind(ip, regs->sp);
	return is_return_probe(ret_ip) ? 0 : ret_ip;
}

enum cow_caller cow_caller(unsigned long ret_ip)
{
	if (cow_symbol_covers(COW_SYM_FAULT_INNER, ret_ip) ||
	    cow_symbol_covers(COW_SYM_FAULT_OUTER, ret_ip))
		return COW_CALLER_FAULT;
	if (cow_symbol_covers(COW_SYM_SWAP, ret_ip))
		return COW_CALLER_SWAP;
	return COW_CALLER_UNKNOWN;
}
