/* SPDX-License-Identifier: GPL-2.0 */
/* Pages, page-table entries and swap slots, as the module's compat/ reads them. */
#ifndef COW_BPF_PAGE_H
#define COW_BPF_PAGE_H

#include <cowtrace/kernel.h>
#include <cowtrace/record.h>
#include <cowtrace/vocab.h>

#include "kernel.bpf.h"

/* --- page-table entries ------------------------------------------------------ */

#define PTES	512

/* A value that does not change while the kernel runs. */
static __always_inline __u64 constant(const void *variable, __u64 *kept)
{
	if (!*kept)
		*kept = read_at(variable);
	return *kept;
}

static __u64 vmemmap, direct_map, zero_page, frame_mask;

static __always_inline __u64 pte_frame_mask(void)
{
	__u64 mask = (1ull << 52) - 1;

	/* Memory encryption takes a bit away. */
	if (&physical_mask)
		mask = constant(&physical_mask, &frame_mask) ?: mask;
	return mask & ~(__u64)0xfff;
}

/* The frame of an entry without the present bit (PROT_NONE) is inverted against L1TF. */
static __always_inline __u64 frame_of(__u64 entry, __u64 mask)
{
	if (entry && !(entry & COWTRACE_X86_PRESENT))
		entry = ~entry;
	return (entry & mask) >> PAGE_BITS;
}

static __always_inline __u64 pte_frame(__u64 pte)
{
	return frame_of(pte, pte_frame_mask());
}

static __always_inline __u64 pmd_frame(__u64 pmd)
{
	return frame_of(pmd, pte_frame_mask() & ~((1ull << 21) - 1));
}

static __always_inline bool is_present(__u64 entry)
{
	return entry & (COWTRACE_X86_PRESENT | COWTRACE_X86_PROTNONE);
}

static __always_inline bool is_dirty(__u64 entry)
{
	/* Where the dirty bit of a read-only entry would make it a shadow stack's. */
	if (&pte_mkwrite && (entry & COWTRACE_X86_SAVED_DIRTY))
		return true;
	return entry & COWTRACE_X86_DIRTY;
}

static __always_inline __u32 entry_states(__u64 entry)
{
	return (is_dirty(entry) ? COWTRACE_PTE_DIRTY : 0) |
	       (entry & COWTRACE_X86_ACCESSED ? COWTRACE_PTE_YOUNG : 0) |
	       (entry & COWTRACE_X86_SOFT_DIRTY ? COWTRACE_PTE_SOFT_DIRTY : 0) |
	       (entry & COWTRACE_X86_UFFD_WP ? COWTRACE_PTE_UFFD_WP : 0);
}

/* Where the table of a PMD stands, 0 if none hangs there. */
static __always_inline __u64 table_of(__u64 pmd)
{
	if ((pmd & (COWTRACE_X86_PRESENT | COWTRACE_X86_PSE)) != COWTRACE_X86_PRESENT)
		return 0;
	return constant(&page_offset_base, &direct_map) + (pmd & pte_frame_mask());
}

static __always_inline __u64 zero_frame(void)
{
	if (&zero_pfn)
		return constant(&zero_pfn, &zero_page);
	if (&zero_page_pfn)
		return constant(&zero_page_pfn, &zero_page);
	return 0;
}

/* --- struct page ------------------------------------------------------------- */

static __always_inline struct page *page_of(__u64 frame)
{
	return (struct page *)(constant(&vmemmap_base, &vmemmap) + frame * SIZE_OF_PAGE);
}

static __always_inline struct page *nth(struct page *page, __u64 n)
{
	return (struct page *)((__u64)page + n * SIZE_OF_PAGE);
}

static __always_inline unsigned long flags_of(struct page *page)
{
	if (bpf_core_field_exists(((struct page___desc *)0)->flags.f))
		return READ((struct page___desc *)page, flags.f);
	return READ((struct page___flat *)page, flags);
}

static __always_inline unsigned long compound_info(struct page *page)
{
	if (bpf_core_field_exists(page->compound_info))
		return READ(page, compound_info);
	return READ(page, compound_head);
}

/* The folio of a page, as the page that keeps its flags, mapping and count. */
static __always_inline struct page *head_of(struct page *page)
{
	unsigned long info = compound_info(page);

	/* No page stands so high: it is a mask. */
	if ((info & 1) && info >= 0xffffffff00000000)
		return (struct page *)((__u64)page & info);
	if (info & 1)
		return (struct page *)(info - 1);
	/*
	 * Of a hugetlb page, tails may be mapped to the head's frame: they look like heads,
	 * but the page behind them tells (e7d324850bfc).
	 */
	if (!((__u64)page & 0xfff) && (flags_of(page) & FLAG(PG_head))) {
		info = compound_info(nth(page, 1));
		if ((info & 1) && info < 0xffffffff00000000)
			return (struct page *)(info - 1);
	}
	return page;
}

static __always_inline unsigned int order_of(struct page *head)
{
	if (bpf_core_field_exists(head->compound_order))
		return READ(nth(head, 1), compound_order);
	if (bpf_core_field_exists(((struct folio *)0)->_folio_order))
		return READ((struct folio *)head, _folio_order);
	return READ((struct folio *)head, _flags_1) & 0xff;
}

/* Mappings of the folio as a whole, by PMDs. */
static __always_inline int entire_mapcount(struct page *head)
{
	if (bpf_core_field_exists(head->compound_mapcount))
		return READ_ATOMIC(nth(head, 1), compound_mapcount) + 1;
	return READ_ATOMIC((struct folio *)head, _entire_mapcount) + 1;
}

/* While PMDs and PTEs map it, each page counts one too many; until 6.1. */
static __always_inline bool mapped_both_ways(struct page *head)
{
	return HAS_FLAG(PG_double_map) && (flags_of(nth(head, 1)) & FLAG(PG_double_map));
}

/* Mappings of one page of a large folio. */
static __always_inline int mapcount_of(struct page *page, struct page *head, bool anon,
				       bool hugetlb)
{
	int maps = READ_ATOMIC(page, _mapcount) + 1;

	if (maps < 0)
		maps = 0;
	if (bpf_core_field_exists(page->compound_mapcount) && !anon && !hugetlb)
		return maps;
	return maps + entire_mapcount(head) - mapped_both_ways(head);
}

static __always_inline bool mappings_counted(void)
{
	return bpf_core_field_exists(((struct folio *)0)->_large_mapcount);
}

/* FOLL_PIN pins of a large folio. Return: false where it keeps no such count. */
static __always_inline bool pins_of(struct page *head, unsigned int order, __u32 *pins)
{
	if (bpf_core_field_exists(((struct folio *)0)->_pincount)) {
		*pins = READ_ATOMIC((struct folio *)head, _pincount);
		return true;
	}
	if (order < 2)
		return false;
	*pins = READ_ATOMIC(nth(head, 2), hpage_pinned_refcount);
	return true;
}

/* FOLIO_MM_IDS_SHARED_BITNUM: the highest. */
static __always_inline bool mm_shared(struct page *head)
{
	return bpf_core_field_exists(((struct folio *)0)->_mm_ids) &&
	       (READ((struct folio *)head, _mm_ids) >> 63);
}

static __always_inline bool knows_exclusive(void)
{
	return HAS_FLAG(PG_anon_exclusive);
}

static __always_inline bool is_exclusive(unsigned long flags)
{
	return knows_exclusive() && (flags & FLAG(PG_anon_exclusive));
}

static __always_inline bool in_swapcache(unsigned long flags)
{
	const unsigned long cached = FLAG(PG_swapcache) | FLAG(PG_swapbacked);

	return (flags & cached) == cached;
}

/* All but PG_EXCLUSIVE of a large folio, which each of its pages has for itself. */
static __always_inline __u32 page_states(unsigned long flags, unsigned long mapping)
{
	__u32 state = (flags & FLAG(PG_lru) ? COWTRACE_PG_LRU : 0) |
		      (flags & FLAG(PG_writeback) ? COWTRACE_PG_WRITEBACK : 0) |
		      (flags & FLAG(PG_locked) ? COWTRACE_PG_LOCKED : 0) |
		      (flags & FLAG(PG_dirty) ? COWTRACE_PG_DIRTY : 0) |
		      (flags & FLAG(PG_mlocked) ? COWTRACE_PG_MLOCKED : 0) |
		      (flags & FLAG(PG_private) ? COWTRACE_PG_PRIVATE : 0);

	if (in_swapcache(flags))
		state |= COWTRACE_PG_SWAPCACHE;
	if ((mapping & COWTRACE_MAPPING_KSM) == COWTRACE_MAPPING_KSM)
		state |= COWTRACE_PG_ANON | COWTRACE_PG_KSM;
	else if (mapping & COWTRACE_MAPPING_ANON)
		state |= COWTRACE_PG_ANON |
			 (is_exclusive(flags) && !(flags & FLAG(PG_head)) ?
			  COWTRACE_PG_EXCLUSIVE : 0);
	return state;
}

/* --- swap slots --------------------------------------------------------------- */

static __always_inline bool has_swap_map(void)
{
	return bpf_core_field_exists(((struct swap_info_struct *)0)->swap_map) && &swap_info;
}

/* The swap entry of a page in the swap cache, 0 for one that has just left. */
static __always_inline __u64 swap_entry(struct page *page, struct page *head)
{
	__u64 first;

	if (!bpf_core_field_exists(((struct folio *)0)->swap))
		return READ(page, private);
	first = READ((struct folio *)head, swap.val);
	return first ? first + ((__u64)page - (__u64)head) / SIZE_OF_PAGE : 0;
}

/*
 * No lock is taken: the device cannot go before its pages have left the swap cache, and
 * that this one has not is looked at afterwards. Return: whether there is a count.
 */
static __always_inline bool swap_count(struct page *page, struct page *head, __u16 *count)
{
	__u64 entry = swap_entry(page, head);
	struct swap_info_struct *si;
	unsigned char slot = 0;
	__u64 map;

	if (!entry)
		return false;
	si = (struct swap_info_struct *)read_at((const char *)&swap_info +
						(entry >> COWTRACE_SWAP_TYPE_SHIFT) * 8);
	map = (__u64)READ(si, swap_map);
	entry &= (1ull << COWTRACE_SWAP_TYPE_SHIFT) - 1;
	if (!map || bpf_probe_read_kernel(&slot, 1, (void *)(map + entry)))
		return false;
	/* COUNT_CONTINUED is set with what six bits do not hold. */
	*count = slot & ~COWTRACE_SWAP_HAS_CACHE;
	if (*count > COWTRACE_SWAPCOUNT_MAX)
		*count = COWTRACE_SWAPCOUNT_MAX;
	return (slot & COWTRACE_SWAP_HAS_CACHE) && in_swapcache(flags_of(head)) &&
	       (swap_entry(page, head) & ((1ull << COWTRACE_SWAP_TYPE_SHIFT) - 1)) == entry;
}

#endif /* COW_BPF_PAGE_H */
