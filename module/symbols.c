// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cache.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "compat/compat.h"
#include "register.h"
#include "symbols.h"

/**
 * struct symbol - one function
 * @names: the newest first.
 * @name: that of this kernel, NULL when none of them can be probed.
 * @location: where ftrace has its call, 0 when it has none.
 */
struct symbol {
	const char	*names[3];
	const char	*name;
	unsigned long	location;
};

struct cow_range cow_ranges[COW_NR_SYMBOLS] __ro_after_init;

static struct symbol symbols[COW_NR_SYMBOLS] __read_mostly = {
	[COW_SYM_WP]		= { { COW_SYMBOL_WP } },
	[COW_SYM_PMD]		= { { "do_huge_pmd_wp_page" } },
	[COW_SYM_HUGETLB]	= { { "hugetlb_wp", "hugetlb_cow" } },
	[COW_SYM_COPY]		= { { "wp_page_copy" } },
	[COW_SYM_REUSE]		= { { "wp_page_reuse" } },
	[COW_SYM_SWAP]		= { { "do_swap_page" } },
	[COW_SYM_FAULT_OUTER]	= { { "handle_mm_fault" } },
	[COW_SYM_FAULT_INNER]	= { { "__handle_mm_fault" } },
	[COW_SYM_PTE_FLUSH]	= { { "ptep_clear_flush" } },
	[COW_SYM_PTE_ACCESS]	= { { "ptep_set_access_flags" } },
	[COW_SYM_PMD_ACCESS]	= { { "pmdp_set_access_flags" } },
	[COW_SYM_PMD_FLUSH]	= { { "pmdp_huge_clear_flush" } },
	[COW_SYM_HUGETLB_RMAP]	= { { "hugetlb_add_new_anon_rmap", "hugepage_add_new_anon_rmap" } },
	[COW_SYM_RETURN_PROBE]	= { { "arch_rethook_trampoline", "__kretprobe_trampoline",
				      "kretprobe_trampoline" } },
	[COW_SYM_RETURN_GRAPH]	= { { "return_to_handler" } },
	[COW_SYM_SWAP_DEVICE]	= { { "get_swap_device" } },
#ifdef COW_HAVE_FPROBE_FTRACE_REGS
	[COW_SYM_SCOUTED]	= { { "cow_fgraph_scouted" } },
#endif
};

/* sprint_symbol() knows the size: "name+0xoffset/0xsize". */
static int __init measure(struct cow_range *r, unsigned long addr)
{
	char text[KSYM_SYMBOL_LEN];
	unsigned long offset, size;
	char *plus;

	sprint_symbol(text, addr);
	plus = strrchr(text, '+');
	if (!plus || sscanf(plus, "+0x%lx/0x%lx", &offset, &size) != 2)
		return -ENOENT;
	r->start = addr - offset;
	r->size = size;
	return 0;
}

/*
 * kallsyms_lookup_name() is exported to nobody. A disabled kprobe resolves the
 * name without touching the code, and before the kernel refuses the address of
 * what must not be probed.
 */
static int __init find(struct symbol *s, struct kprobe *kp)
{
	int i, err = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(s->names) && s->names[i]; i++) {
		*kp = (struct kprobe) {
			.symbol_name	= s->names[i],
			.flags		= KPROBE_FLAG_DISABLED,
		};
		err = cow_register_kprobe(kp);
		if (!err)
			s->name = s->names[i];
		/* The kprobe's own address, behind an ENDBR where there is one. */
		if (!err && kp->flags & KPROBE_FLAG_FTRACE)
			s->location = (unsigned long)kp->addr;
		if (kp->addr || err == -ENOMEM)
			break;
	}
	return err;
}

static void __init complain(const char *name, int err)
{
	if (err == -ENOMEM)
		pr_err("no memory to look for the functions of this kernel\n");
	else if (err == -ENOENT)
		pr_err("this kernel has no %s(): there is nothing to trace\n", name);
	else if (err == -EINVAL)
		pr_err("%s() cannot be probed: it is blacklisted, see /sys/kernel/debug/kprobes/blacklist\n",
		       name);
	else
		pr_err("%s() cannot be probed: error %d\n", name, err);
}

int __init cow_symbols_init(void)
{
	struct kprobe *kps, *found[COW_NR_SYMBOLS];
	int i, err = 0, wp_err = 0, nr = 0;

	kps = kcalloc(COW_NR_SYMBOLS, sizeof(*kps), GFP_KERNEL);
	if (!kps) {
		complain(COW_SYMBOL_WP, -ENOMEM);
		return -ENOMEM;
	}
	for (i = 0; err != -ENOMEM && i < COW_NR_SYMBOLS; i++) {
		err = find(&symbols[i], &kps[i]);
		if (!err)
			found[nr++] = &kps[i];
		if (kps[i].addr)
			err = measure(&cow_ranges[i], (unsigned long)kps[i].addr) ?: err;
		/* That there was no memory says nothing about a function. */
		if (i == COW_SYM_WP || err == -ENOMEM)
			wp_err = err;
	}
	/* Together: each call waits for an RCU grace period. */
	unregister_kprobes(found, nr);
	kfree(kps);

	if (wp_err)
		complain(COW_SYMBOL_WP, wp_err);
	return wp_err;
}

bool cow_symbol_exists(enum cow_symbol symbol)
{
	return symbols[symbol].name;
}

const char *cow_symbol_name(enum cow_symbol symbol)
{
	return symbols[symbol].name ?: symbols[symbol].names[0];
}

unsigned long cow_symbol_location(enum cow_symbol symbol)
{
	return symbols[symbol].location;
}

void __init cow_symbol_bind(enum cow_symbol symbol, struct static_call_key *key, void *tramp)
{
	unsigned long start = cow_ranges[symbol].start;

	if (start)
		__static_call_update(key, tramp, (void *)start);
}
