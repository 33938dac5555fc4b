// SPDX-License-Identifier: GPL-2.0
/* What the ledger of KSM looks up. */
#include <stdlib.h>
#include <string.h>

#include "ksm_parts.h"

struct ct_ksm *ct_ksm_new(uint64_t in_vain)
{
	struct ct_ksm *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->in_vain = in_vain;
	k->books = calloc(1, sizeof(*k->books));
	if (!k->books) {
		free(k);
		return NULL;
	}
	return k;
}

void ct_ksm_free(struct ct_ksm *k)
{
	if (!k)
		return;
	ct_map_free(&k->books->entry_at);
	ct_map_free(&k->books->space_at);
	ct_map_free(&k->books->process_at);
	ct_map_free(&k->books->page_at);
	free(k->books->entries);
	free(k->books->spaces);
	free(k->books);
	free(k->processes);
	free(k->pages);
	free(k);
}

uint32_t ksm_process(struct ct_ksm *k, const struct ct_group_event *e)
{
	struct ct_ksm_process *p;
	uint64_t tgid = 0;

	ct_group_number(e, "owner", &tgid);
	p = CT_ELEMENT(&k->books->process_at, tgid, 0, k->processes, &k->nr_processes);
	if (!p)
		return KSM_NOBODY;
	if (!p->name[0]) {
		p->tgid = tgid;
		if (!ct_group_text(e, "name", p->name, sizeof(p->name)))
			strcpy(p->name, "-");
	}
	return p - k->processes;
}

uint32_t ksm_page(struct ct_ksm *k, const struct ksm_seen *s, bool fresh)
{
	uint32_t *at = ct_map_slot(&k->books->page_at, s->pfn, 0);
	void *grown;

	if (!at)
		return KSM_NOBODY;
	if (*at != CT_MAP_NONE && !fresh)
		return *at;
	grown = ct_grow(k->pages, k->nr_pages, sizeof(*k->pages));
	if (!grown)
		return KSM_NOBODY;
	k->pages = grown;
	k->pages[k->nr_pages] = (struct ct_ksm_page) { .pfn = s->pfn };
	*at = k->nr_pages++;
	return *at;
}

struct ksm_entry *ksm_find(struct ct_ksm *k, const struct ksm_seen *s)
{
	uint32_t at = ct_map_find(&k->books->entry_at, s->mm, s->address);

	return at == CT_MAP_NONE ? NULL : &k->books->entries[at];
}

struct ksm_entry *ksm_entry(struct ct_ksm *k, const struct ksm_seen *s)
{
	struct ct_ksm_books *b = k->books;
	struct ksm_entry *e = ksm_find(k, s);
	struct ksm_space *space;

	if (e)
		return e;
	space = CT_ELEMENT(&b->space_at, s->mm, 0, b->spaces, &b->nr_spaces);
	e = CT_ELEMENT(&b->entry_at, s->mm, s->address, b->entries, &b->nr_entries);
	if (!space || !e)
		return NULL;
	if (!space->known)
		space->first = KSM_NOBODY;
	space->known = true;
	e->next = space->first;
	space->first = e - b->entries;
	return e;
}
