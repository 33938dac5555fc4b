// SPDX-License-Identifier: GPL-2.0
/* page_mapcount(): until 6.10 */
#include <linux/mm.h>

int probe(struct page *page);
int probe(struct page *page)
{
	return page_mapcount(page);
}
