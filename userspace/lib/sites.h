/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Places in the code that faulted. Memory grows with distinct places, and each
 * is mostly looked up once for a parent and all its children.
 */
#ifndef COWTRACE_SITES_H
#define COWTRACE_SITES_H

#include <stddef.h>
#include <stdint.h>

#include <cowtrace/record.h>

#include "map.h"
#include "process.h"
#include "symbol.h"

/**
 * struct ct_site - one place
 * @object: number of the file in the process table, CT_MAP_NONE if not known.
 * @offset: in the file; the address when @object is not known.
 * @symbol: name of the symbol, NULL if not known.
 * @past: distance from it.
 */
struct ct_site {
	uint32_t	object;
	uint64_t	offset;
	const char	*symbol;
	uint64_t	past;
};

/**
 * struct ct_sites - all places
 * @list: the places; moves when it grows.
 * @nr: number of them.
 */
struct ct_sites {
	struct ct_site	*list;
	size_t		nr;
	struct ct_symbols *symbols;
	struct ct_map	by_place;
	struct ct_map	by_ip;
};

/**
 * ct_sites_find() - where a fault happened
 * @sites: the places; all zero at first.
 * @processes: the process table, the same for each call.
 * @process: that of the fault in it, or CT_MAP_NONE.
 * @record: the fault, with an instruction pointer (COWTRACE_HAS_IP).
 * @site: receives the number of the place.
 * Return: 0 or -ENOMEM.
 */
int ct_sites_find(struct ct_sites *sites, const struct ct_processes *processes,
		  uint32_t process, const struct cowtrace_record *record, uint32_t *site);

void ct_sites_free(struct ct_sites *sites);

#endif /* COWTRACE_SITES_H */
