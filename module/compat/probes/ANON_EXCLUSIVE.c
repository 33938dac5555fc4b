// SPDX-License-Identifier: GPL-2.0
/* PageAnonExclusive(): 5.19, commit 6c287605fd56 */
#include <linux/mm.h>

int probe(struct page *page);
int probe(struct page *page)
{
	return PageAnonExclusive(page);
}
