/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that count for whatif share. */
#ifndef COWTRACE_WHATIF_PARTS_H
#define COWTRACE_WHATIF_PARTS_H

#include "whatif.h"

/**
 * struct ct_whatif_at - who faulted and where
 * @process: number in ct_whatif.processes, CT_MAP_NONE where that was full.
 * @site: number in ct_whatif.sites, CT_MAP_NONE without an instruction or room.
 * @in_table: number in the process table, CT_MAP_NONE if not there.
 */
struct ct_whatif_at {
	uint32_t	process;
	uint32_t	site;
	uint32_t	in_table;
};

struct ct_whatif_tasks *ct_whatif_tasks_new(void);

/* Who faulted: all of @at but its site. Return: 0 or -ENOMEM. */
int ct_whatif_who(struct ct_whatif *w, const struct cowtrace_record *record,
		  struct ct_whatif_at *at);

/* Count the fault to its process and its place. Return: 0 or -ENOMEM. */
int ct_whatif_share(struct ct_whatif *w, struct ct_whatif_pattern *pattern,
		    const struct cowtrace_record *record, struct ct_whatif_at *at);

#endif /* COWTRACE_WHATIF_PARTS_H */
