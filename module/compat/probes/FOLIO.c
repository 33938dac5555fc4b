// SPDX-License-Identifier: GPL-2.0
/* struct folio: 5.16 */
#include <linux/mm.h>

struct page *probe(struct page *page);
struct page *probe(struct page *page)
{
	return &page_folio(page)->page;
}
