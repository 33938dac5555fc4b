// SPDX-License-Identifier: GPL-2.0
#include <cowtrace/record.h>
#include <linux/static_call.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "compat/compat.h"
#include "swap.h"
#include "symbols.h"

#if defined(COW_HAVE_SWAP_MAP) && defined(CONFIG_HAVE_STATIC_CALL)

static_assert(SWAP_MAP_MAX + 1 == COWTRACE_SWAPCOUNT_MAX);

static struct swap_info_struct *no_device(swp_entry_t entry)
{
	return NULL;
}

/* get_swap_device() is exported to nobody: see symbols.h. */
DEFINE_STATIC_CALL(cow_get_swap_device, no_device);

void __init cow_swap_init(void)
{
	cow_symbol_bind(COW_SYM_SWAP_DEVICE, &STATIC_CALL_KEY(cow_get_swap_device),
			STATIC_CALL_TRAMP_ADDR(cow_get_swap_device));
}

/*
 * The lock of the PTE keeps the page, but neither its slot, nor the device from
 * swapoff. So:
 * - get_swap_device() takes any entry, even one that is stale: it looks the device
 *   up by its number, takes hold of it unless swapoff has given it up already
 *   (SWP_VALID under rcu_read_lock() on 5.10, then the percpu_ref users), and checks
 *   the offset. swapoff waits for the RCU readers, or for the last such user, before
 *   it takes swap_map away and frees it. put_swap_device() lets go again.
 * - The page may leave the swap cache, and its slot go to another page, while we
 *   look: the entry is cleared then, and read again afterwards.
 */
bool cow_swap_count(struct page *page, u16 *count)
{
	swp_entry_t entry = cow_swap_entry(page);
	struct swap_info_struct *si;
	unsigned char slot;

	if (!entry.val)
		return false;
	si = static_call(cow_get_swap_device)(entry);
	if (!si)
		return false;
	slot = READ_ONCE(si->swap_map[swp_offset(entry)]);
	put_swap_device(si);
	/* COUNT_CONTINUED is set with what six bits do not hold. */
	*count = min(slot & ~SWAP_HAS_CACHE, COWTRACE_SWAPCOUNT_MAX);
	return (slot & SWAP_HAS_CACHE) && cow_in_swapcache(cow_page_flags(cow_head(page))) &&
	       cow_swap_entry(page).val == entry.val;
}

#else

void __init cow_swap_init(void)
{
}

bool cow_swap_count(struct page *page, u16 *count)
{
	return false;
}

#endif
