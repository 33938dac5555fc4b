/* SPDX-License-Identifier: GPL-2.0 */
/* What holds for the holders of any record. */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>

#include <cowtrace/holders.h>

static inline bool parts_add_up(const struct cowtrace_holders *h)
{
	return (__s64)h->mappings + h->swapcache + h->pagecache + h->lru + h->pins + h->fault +
	       h->unattributed == h->total;
}

static inline bool parts_negative(const struct cowtrace_holders *h)
{
	return h->mappings < 0 || h->swapcache < 0 || h->pagecache < 0 || h->lru < 0 ||
	       h->pins < 0 || h->fault < 0 || h->unattributed < 0;
}

#endif /* PARTS_H */
