// SPDX-License-Identifier: GPL-2.0
/* page_swap_entry() by folio.swap, instead of page_private() of each page: 6.6 */
#include <linux/swap.h>

swp_entry_t probe(struct page *page);
swp_entry_t probe(struct page *page)
{
	return page_swap_entry(page);
}
