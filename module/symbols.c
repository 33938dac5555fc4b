// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#include "points.h"
#include "symbols.h"

struct symbol_range {
	const char	*symbol;
	unsigned long	start;
	unsigned long	end;
};

enum { WP, COPY, SWAP, FAULT_OUTER, FAULT_INNER };

/*
 * handle_pte_fault() is inlined into the inner function, on 5.10 into the outer.
 * wp_page_copy() stands alone until 6.1, then it is inlined into do_wp_page().
 */
static struct symbol_range ranges[] = {
	[WP]		= { COW_SYMBOL_WP },
	[COPY]		= { "wp_page_copy" },
	[SWAP]		= { "do_swap_page" },
	[FAULT_OUTER]	= { "handle_mm_fault" },
	[FAULT_INNER]	= { "__handle_mm_fault" },
};

static bool within(const struct symbol_range *r, unsigned long ip)
{
	return ip - r->start < r->end - r->start;
}

/*
 * kallsyms_lookup_name() is exported to nobody. A disabled kprobe resolves the
 * name without touching the code, and sprint_symbol() knows the size.
 */
static int __init locate(struct symbol_range *r)
{
	struct kprobe kp = { .symbol_name = r->symbol, .flags = KPROBE_FLAG_DISABLED };
	char text[KSYM_SYMBOL_LEN];
	unsigned long addr, offset, size;
	char *plus;
	int err = register_kprobe(&kp);

	if (err)
		return err;
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);

	sprint_symbol(text, addr);
	plus = strrchr(text, '+');
	if (!plus || sscanf(plus, "+0x%lx/0x%lx", &offset, &size) != 2)
		return -ENOENT;
	r->start = addr - offset;
	r->end = r->start + size;
	return 0;
}

int __init cow_symbols_init(void)
{
	int err, i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		err = locate(&ranges[i]);
		if (!err)
			continue;
		/* Inlined: its range stays empty. */
		if (i != WP)
			continue;
		if (err == -ENOENT)
			pr_err("this kernel has no %s(): there is nothing to trace\n",
			       ranges[i].symbol);
		else
			pr_err("%s() cannot be probed (%d): it is blacklisted, see /sys/kernel/debug/kprobes/blacklist\n",
			       ranges[i].symbol, err);
		return err;
	}
	return 0;
}

enum cow_caller cow_caller(unsigned long ret_ip)
{
	if (within(&ranges[FAULT_INNER], ret_ip) || within(&ranges[FAULT_OUTER], ret_ip))
		return COW_CALLER_FAULT;
	if (within(&ranges[SWAP], ret_ip))
		return COW_CALLER_SWAP;
	return COW_CALLER_UNKNOWN;
}

bool cow_copies_page(unsigned long ip)
{
	return within(&ranges[WP], ip) || within(&ranges[COPY], ip);
}
