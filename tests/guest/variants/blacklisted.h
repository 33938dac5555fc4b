/* SPDX-License-Identifier: GPL-2.0 */
/* Built into a module whose function may not be probed: entry code never may. */
#define COW_SYMBOL_WP	"exc_int3"
