// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include "compat/compat.h"
#include "sample.h"
#include "swap.h"

unsigned long cow_end_pfn __read_mostly;

void cow_sample_init(void)
{
	int node;

	for_each_online_node(node)
		cow_end_pfn = max(cow_end_pfn, pgdat_end_pfn(NODE_DATA(node)));
}

/* What a folio of more than one page has besides. */
void cow_sample_large(struct cow_sampled *s, struct page *page)
{
	s->order = cow_page_order(page);
	s->mapcount = cow_page_mapcount(page);
	if (cow_folio_mapcount(page, s->order, &s->folio_mapcount))
		s->present |= COWTRACE_HAS_FOLIO_MAPCOUNT;
	if (cow_pincount(page, s->order, &s->pincount))
		s->present |= COWTRACE_HAS_PINCOUNT;
	if (cow_mm_shared(page))
		s->state |= COWTRACE_PG_MM_SHARED;
	if (cow_maybe_pinned(page))
		s->state |= COWTRACE_PG_PINNED;
}

void cow_sample_swap(struct cow_sampled *s, struct page *page)
{
	if (cow_swap_count(page, &s->swapcount))
		s->present |= COWTRACE_HAS_SWAPCOUNT;
}

/* What the page table of the fault has of the folio; the rest may be anywhere. */
static u16 mapped_here(const struct vm_fault *vmf, struct page *page, unsigned int order)
{
	unsigned long slot = pte_index(vmf->address), index = page - compound_head(page);
	unsigned long first = slot - min(slot, index);
	unsigned long end = min(slot - index + (1ul << order), (unsigned long)PTRS_PER_PTE);
	/* The frame that the first slot of the table would have in that row. */
	unsigned long base = page_to_pfn(page) - slot;
	const pte_t *table = vmf->pte - slot;
	u16 n = 0;

	for (; first < end; first++) {
		pte_t pte = ptep_get((pte_t *)table + first);

		n += pte_present(pte) && pte_pfn(pte) == base + first;
	}
	return n;
}

void cow_sample_table(struct cow_sampled *s, const struct vm_fault *vmf, struct page *page)
{
	s->mapped_here = mapped_here(vmf, page, s->order);
	s->present |= COWTRACE_HAS_MAPPED_HERE;
}
