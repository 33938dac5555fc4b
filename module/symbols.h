/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbols: which of the kernel's functions exist, under which name, and where
 * they lie. Addresses are only compared and probed, and never called: on
 * kernels with IBT most of these functions have no valid entry for an indirect call.
 * A static call is none: the kernel itself writes a direct call into our code.
 */
#ifndef COW_SYMBOLS_H
#define COW_SYMBOLS_H

#include <linux/types.h>

struct static_call_key;

/* Overridden by tests that need a symbol that is missing or blacklisted. */
#ifndef COW_SYMBOL_WP
#define COW_SYMBOL_WP	"do_wp_page"
#endif

/**
 * enum cow_symbol - functions of the kernel
 * @COW_SYM_WP: do_wp_page().
 * @COW_SYM_PMD: do_huge_pmd_wp_page().
 * @COW_SYM_HUGETLB: hugetlb_wp(), on 5.10 hugetlb_cow().
 * @COW_SYM_COPY: wp_page_copy(), until 6.1; then inlined into do_wp_page().
 * @COW_SYM_REUSE: wp_page_reuse(), inlined into do_wp_page() on 5.10.
 * @COW_SYM_SWAP: do_swap_page(), which calls do_wp_page().
 * @COW_SYM_FAULT_OUTER: handle_mm_fault(), into which handle_pte_fault(), the
 *	other caller of do_wp_page(), is inlined on 5.10.
 * @COW_SYM_FAULT_INNER: __handle_mm_fault(), likewise on later kernels.
 * @COW_SYM_PTE_FLUSH: ptep_clear_flush(), called to map a copy.
 * @COW_SYM_PTE_ACCESS: ptep_set_access_flags(), called to reuse a page.
 * @COW_SYM_PMD_ACCESS: pmdp_set_access_flags(), called to reuse a huge page.
 * @COW_SYM_PMD_FLUSH: pmdp_huge_clear_flush(), called to map a copy of the huge
 *	zero page, from 7.x on.
 * @COW_SYM_HUGETLB_RMAP: hugetlb_add_new_anon_rmap(), called to map a copy; until
 *	6.1 hugepage_add_new_anon_rmap().
 * @COW_SYM_RETURN_PROBE: where functions with a kretprobe return to, and those
 *	with an fprobe until 6.13.
 * @COW_SYM_RETURN_GRAPH: where those return to that function_graph traces, or a
 *	later fprobe.
 * @COW_SYM_SWAP_DEVICE: get_swap_device(), to which swap.c has a static call.
 * @COW_SYM_SCOUTED: cow_fgraph_scouted(), our own, where an fprobe is a user of the
 *	function graph.
 * @COW_NR_SYMBOLS: how many there are.
 */
enum cow_symbol {
	COW_SYM_WP,
	COW_SYM_PMD,
	COW_SYM_HUGETLB,
	COW_SYM_COPY,
	COW_SYM_REUSE,
	COW_SYM_SWAP,
	COW_SYM_FAULT_OUTER,
	COW_SYM_FAULT_INNER,
	COW_SYM_PTE_FLUSH,
	COW_SYM_PTE_ACCESS,
	COW_SYM_PMD_ACCESS,
	COW_SYM_PMD_FLUSH,
	COW_SYM_HUGETLB_RMAP,
	COW_SYM_RETURN_PROBE,
	COW_SYM_RETURN_GRAPH,
	COW_SYM_SWAP_DEVICE,
	COW_SYM_SCOUTED,
	COW_NR_SYMBOLS,
};

/**
 * cow_symbols_init() - find the functions
 *
 * Return: 0, -ENOMEM, or -ENOENT and the like when do_wp_page() cannot be
 * probed, after a line in the kernel log. Others that are missing are no error.
 */
int __init cow_symbols_init(void);

/* Does this kernel have the function, and can it be probed? */
bool cow_symbol_exists(enum cow_symbol symbol);
/* Its name here; where it does not exist, the newest one. */
const char *cow_symbol_name(enum cow_symbol symbol);
/*
 * Where ftrace calls from it: what an fprobe is registered with. By its name the kernel
 * would go through all of its symbols each time. 0 where ftrace does not.
 */
unsigned long cow_symbol_location(enum cow_symbol symbol);
/*
 * Have a static call, of that key and trampoline, go to the function. Where it does
 * not exist, the call goes on to its default.
 */
void __init cow_symbol_bind(enum cow_symbol symbol, struct static_call_key *key, void *tramp);

/**
 * struct cow_range - where a function lies
 * @start: its first byte.
 * @size: in bytes, 0 for one that does not exist.
 */
struct cow_range {
	unsigned long	start;
	unsigned long	size;
};

extern struct cow_range cow_ranges[COW_NR_SYMBOLS];

/* Does @ip lie inside it? Asked of one that cannot be probed, too. */
static __always_inline bool cow_symbol_covers(enum cow_symbol symbol, unsigned long ip)
{
	return ip - cow_ranges[symbol].start < cow_ranges[symbol].size;
}

#endif /* COW_SYMBOLS_H */
