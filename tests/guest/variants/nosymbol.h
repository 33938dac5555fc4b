/* SPDX-License-Identifier: GPL-2.0 */
/* Built into a module that has to find its function missing. */
#define COW_SYMBOL_WP	"cowtrace_no_such_function"
