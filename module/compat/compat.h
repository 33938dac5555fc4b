/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat: all that differs between kernels, in one place. The module reads
 * pages, PTEs and probe registers through the cow_*() names below, which read
 * like the newest kernel. COW_HAVE_* come from probes/, one feature a file.
 */
#ifndef COW_COMPAT_H
#define COW_COMPAT_H

#include <linux/kprobes.h>
#include <linux/ksm.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/relay.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmstat.h>
#include <cowtrace/vocab.h>

#include "features.h"
#include "values.h"

#if defined(COW_HAVE_FPROBE) || defined(COW_HAVE_FPROBE_FTRACE_REGS)
#include <linux/fprobe.h>
#endif

#ifndef CONFIG_X86_64
#error "cowtrace: only x86-64 is supported: page-table and register access are written for it"
#endif
#ifndef CONFIG_KRETPROBES
#error "cowtrace: this kernel is built without CONFIG_KRETPROBES"
#endif
#ifndef CONFIG_RELAY
#error "cowtrace: this kernel is built without CONFIG_RELAY"
#endif
#ifndef CONFIG_DEBUG_FS
#error "cowtrace: this kernel is built without CONFIG_DEBUG_FS"
#endif
#ifndef CONFIG_VM_EVENT_COUNTERS
#error "cowtrace: this kernel is built without CONFIG_VM_EVENT_COUNTERS"
#endif
#if defined(COW_HAVE_FOLIO) && !defined(COW_HAVE_ANON_EXCLUSIVE)
#error "cowtrace: folios without PageAnonExclusive (5.16 to 5.18): this do_wp_page() is not known"
#endif
#if defined(COW_HAVE_ANON_EXCLUSIVE) && !defined(COW_HAVE_FAULT_FLAG_UNSHARE)
#error "cowtrace: PageAnonExclusive without FAULT_FLAG_UNSHARE: this do_wp_page() is not known"
#endif
#if defined(COW_HAVE_MM_IDS) && defined(COW_HAVE_VM_FAULT_WRITE)
#error "cowtrace: folio._mm_ids beside VM_FAULT_WRITE: this do_wp_page() is not known"
#endif
#if !defined(COW_HAVE_PAGE_MAPCOUNT) && !defined(COW_HAVE_FOLIO_LARGE_MAPCOUNT)
#error "cowtrace: neither page_mapcount() nor folio_large_mapcount(): mapcounts cannot be read"
#endif

/* What this kernel's do_wp_page() does; the features and the logic came together. */
#ifdef COW_HAVE_VM_FAULT_WRITE
#define COW_TRAITS_RET		COWTRACE_TRAIT_RET_WRITE
#else
#define COW_TRAITS_RET		COWTRACE_TRAIT_SHARED_FIRST
#endif
#ifdef COW_HAVE_ANON_EXCLUSIVE
#define COW_TRAITS_EXCLUSIVE	COWTRACE_TRAIT_EXCLUSIVE
#else
#define COW_TRAITS_EXCLUSIVE	0
#endif
#if defined(COW_HAVE_MM_IDS)
#define COW_TRAITS_LARGE	COWTRACE_TRAIT_LARGE_EXCLUSIVE
#elif !defined(COW_HAVE_VM_FAULT_WRITE)
#define COW_TRAITS_LARGE	COWTRACE_TRAIT_LARGE_COPY
#else
#define COW_TRAITS_LARGE	0
#endif
#define COW_TRAITS		(COW_TRAITS_RET | COW_TRAITS_EXCLUSIVE | COW_TRAITS_LARGE)

static inline unsigned long cow_real_address(const struct vm_fault *vmf)
{
#ifdef COW_HAVE_VMF_REAL_ADDRESS
	return vmf->real_address;
#else
	return vmf->address;
#endif
}

static inline unsigned long cow_page_flags(const struct page *page)
{
#ifdef COW_HAVE_PAGE_FLAGS_F
	return READ_ONCE(page->flags.f);
#else
	return READ_ONCE(page->flags);
#endif
}

/* The folio of a page, as the page that keeps its flags, mapping and count. */
static inline struct page *cow_head(struct page *page)
{
#ifdef COW_HAVE_FOLIO
	return &page_folio(page)->page;
#else
	return compound_head(page);
#endif
}

/* PageSwapCache() by the flags: the bit is used otherwise in a page that swap does not back. */
static inline bool cow_in_swapcache(unsigned long flags)
{
	const unsigned long cached = BIT(PG_swapcache) | BIT(PG_swapbacked);

	return (flags & cached) == cached;
}

/* What the lowest bits of page->mapping say of an anonymous page. */
#ifdef FOLIO_MAPPING_FLAGS
#define COW_MAPPING_ANON	FOLIO_MAPPING_ANON
#define COW_MAPPING_KSM		FOLIO_MAPPING_KSM
#define COW_MAPPING_FLAGS	FOLIO_MAPPING_FLAGS
#else
#define COW_MAPPING_ANON	PAGE_MAPPING_ANON
#define COW_MAPPING_KSM		PAGE_MAPPING_KSM
#define COW_MAPPING_FLAGS	PAGE_MAPPING_FLAGS
#endif

static inline unsigned int cow_page_order(struct page *page)
{
	return compound_order(cow_head(page));
}

/* Mappings of this one page, PMD mappings included: folio_precise_page_mapcount(). */
static inline int cow_page_mapcount(struct page *page)
{
#ifdef COW_HAVE_PAGE_MAPCOUNT
	return page_mapcount(page);
#else
	int maps = atomic_read(&page->_mapcount) + 1;

	if (maps < 0)
		maps = 0;
	if (folio_test_large(page_folio(page)))
		maps += folio_entire_mapcount(page_folio(page));
	return maps;
#endif
}

/* Mappings of all pages of the folio. Return: false where no module can know. */
static inline bool cow_folio_mapcount(struct page *page, unsigned int order, int *maps)
{
	if (!order || PageHuge(page)) {
		*maps = cow_page_mapcount(page);
		return true;
	}
#ifdef COW_HAVE_FOLIO_LARGE_MAPCOUNT
	*maps = folio_large_mapcount(page_folio(page));
	return true;
#else
	return false;
#endif
}

/* FOLL_PIN pins of a large folio. Return: false where it keeps no such count. */
static inline bool cow_pincount(struct page *page, unsigned int order, unsigned int *pins)
{
	if (!order)
		return false;
#ifdef COW_HAVE_FOLIO_PINCOUNT
	*pins = atomic_read(&page_folio(page)->_pincount);
#else
	/* It stands in the second tail page, which order 1 does not have. */
	if (order == 1)
		return false;
	*pins = compound_pincount(page);
#endif
	return true;
}

static inline bool cow_maybe_pinned(struct page *page)
{
#ifdef COW_HAVE_FOLIO
	return folio_maybe_dma_pinned(page_folio(page));
#else
	return page_maybe_dma_pinned(page);
#endif
}

/* PageAnonExclusive in the flags of a page, 0 where there is no such bit. */
#ifdef COW_HAVE_ANON_EXCLUSIVE
#define cow_exclusive_bit	BIT(PG_anon_exclusive)
#else
#define cow_exclusive_bit	0ul
#endif

/* Tests the bit alone: at exit the page may be somebody else's already. */
static inline bool cow_anon_exclusive(const struct page *page)
{
	return cow_page_flags(page) & cow_exclusive_bit;
}

/* May several mms map the large folio? Kept by the kernel, conservatively. */
static inline bool cow_mm_shared(struct page *page)
{
#ifdef COW_HAVE_MM_IDS
	return test_bit(FOLIO_MM_IDS_SHARED_BITNUM, &page_folio(page)->_mm_ids);
#else
	return false;
#endif
}

#ifdef COW_HAVE_SWAP_MAP
/* The swap entry of a page in the swap cache, 0 for one that is not or has just left. */
static inline swp_entry_t cow_swap_entry(struct page *page)
{
#ifdef COW_HAVE_PAGE_SWAP_ENTRY
	swp_entry_t first = { .val = READ_ONCE(page_folio(page)->swap.val) };

	if (first.val)
		first.val += folio_page_idx(page_folio(page), page);
	return first;
#else
	return (swp_entry_t){ .val = READ_ONCE(page_private(page)) };
#endif
}
#endif

/* Reuses that wp_page_reuse() counted on this CPU. Context: preemption off. */
static inline u32 cow_pgreuse(void)
{
	return this_cpu_read(vm_event_states.event[PGREUSE]);
}

/* Can a task lose its CPU anywhere in the kernel, but under a spinlock? */
static inline bool cow_preemptible(void)
{
#ifdef COW_HAVE_VM_FAULT_WRITE
	/* Nobody asks: the return code tells. */
	return false;
#else
	return preempt_model_preemptible();
#endif
}

static inline bool cow_pte_uffd_wp(pte_t pte)
{
#ifdef COW_HAVE_PTE_UFFD
	return pte_uffd(pte);
#else
	return pte_uffd_wp(pte);
#endif
}

/*
 * vm_normal_page() is exported nowhere. On x86 it is NULL for exactly these.
 * (Xen's gntdev pages are the exception: they read as special.) As there, a frame
 * below @end is taken for granted; only memory that came later is looked up. @pfn is
 * that of @pte.
 */
static inline struct page *cow_normal_page(pte_t pte, unsigned long pfn, unsigned long end)
{
	if (pte_special(pte))
		return NULL;
	if (unlikely(pfn >= end) && !pfn_valid(pfn))
		return NULL;
	return pfn_to_page(pfn);
}

/* The entry for @address in the page table of @pmd, NULL where none hangs there. */
static inline pte_t *cow_pte_slot(pmd_t pmd, unsigned long address)
{
	pmdval_t val = pmd_val(pmd);

	if ((val & (_PAGE_PRESENT | _PAGE_PSE)) != _PAGE_PRESENT)
		return NULL;
	return (pte_t *)__va(val & PTE_PFN_MASK) + pte_index(address);
}

/* Registers at the entry of a probed function: integer arguments in the calling convention. */
#define cow_arg0(regs)	((regs)->di)
#define cow_arg1(regs)	((regs)->si)
#define cow_arg2(regs)	((regs)->dx)
#define cow_arg3(regs)	((regs)->cx)
#define cow_arg4(regs)	((regs)->r8)

#ifdef COW_HAVE_GET_KRETPROBE
#define cow_kretprobe(ri)	get_kretprobe(ri)
/* rethook sets the instruction pointer to it before the handler runs. */
#define cow_return_address(ri, regs)	instruction_pointer(regs)
#else
#define cow_kretprobe(ri)	((ri)->rp)
#define cow_return_address(ri, regs)	((unsigned long)(ri)->ret_addr)
#endif

/*
 * Until 5.13 kprobe_fault_handler() takes each page fault inside of a handler for a call that
 * the probe has missed, and then tells the probe. Set when it is registered: that clears it.
 */
#ifdef COW_HAVE_KPROBE_FAULT_HANDLER
#define cow_on_handler_fault(kp, fn)	((kp)->fault_handler = (fn))
#else
#define cow_on_handler_fault(kp, fn)	((void)(fn))
#endif

#ifdef COW_HAVE_RELAY_PREV_PADDING
#define COW_SUBBUF_START(name)						\
	static int name(struct rchan_buf *buf, void *subbuf, void *prev, size_t padding)
#else
#define COW_SUBBUF_START(name)						\
	static int name(struct rchan_buf *buf, void *subbuf, void *prev)
#endif

#ifdef COW_HAVE_RELAY_CONST_CB
#define COW_RELAY_CONST	const
#else
#define COW_RELAY_CONST
#endif

#endif /* COW_COMPAT_H */
