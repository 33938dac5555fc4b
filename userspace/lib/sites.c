// SPDX-License-Identifier: GPL-2.0
#include "sites.h"

#include <errno.h>
#include <stdlib.h>

/* Addresses whose places are kept at hand: each exec brings all of them anew. */
#define ADDRESSES_MAX	65536u

/* An address that was not looked up before. */
static int new_site(struct ct_sites *s, const struct ct_processes *processes, uint32_t process,
		    const struct cowtrace_record *r, uint32_t *site)
{
	struct ct_mapping m = { CT_MAP_NONE, r->ip };
	struct ct_site *it;
	size_t known = s->nr;

	if (!s->symbols)
		s->symbols = ct_symbols_new();
	if (!s->symbols)
		return -ENOMEM;
	if (process != CT_MAP_NONE)
		ct_processes_map(processes, process, r->ip, r->time_ns, &m);
	it = CT_ELEMENT(&s->by_place, m.object, m.offset, s->list, &s->nr);
	if (!it)
		return -ENOMEM;
	if (s->nr > known) {
		it->object = m.object;
		it->offset = m.offset;
		if (m.object != CT_MAP_NONE)
			it->symbol = ct_symbols_find(s->symbols, m.object,
						     ct_processes_object(processes, m.object),
						     m.offset, &it->past);
	}
	*site = it - s->list;
	return 0;
}

int ct_sites_find(struct ct_sites *s, const struct ct_processes *processes, uint32_t process,
		  const struct cowtrace_record *r, uint32_t *site)
{
	uint64_t space = process == CT_MAP_NONE ? UINT64_MAX :
			 ct_processes_space(processes, process, r->time_ns);
	uint32_t *slot;
	int err = 0;

	/* The places stay: what comes again is looked up once more. */
	if (s->by_ip.used >= ADDRESSES_MAX)
		ct_map_free(&s->by_ip);
	slot = ct_map_slot(&s->by_ip, space, r->ip);
	if (!slot)
		return -ENOMEM;
	if (*slot == CT_MAP_NONE)
		err = new_site(s, processes, process, r, slot);
	*site = *slot;
	return err;
}

void ct_sites_free(struct ct_sites *s)
{
	ct_symbols_free(s->symbols);
	ct_map_free(&s->by_place);
	ct_map_free(&s->by_ip);
	free(s->list);
}
