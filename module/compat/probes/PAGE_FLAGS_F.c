// SPDX-License-Identifier: GPL-2.0
/* page.flags is a struct: 6.18 */
#include <linux/mm.h>

unsigned long probe(struct page *page);
unsigned long probe(struct page *page)
{
	return page->flags.f;
}
