// SPDX-License-Identifier: GPL-2.0
/* folio_large_mapcount(): 6.10 */
#include <linux/mm.h>

int probe(const struct folio *folio);
int probe(const struct folio *folio)
{
	return folio_large_mapcount(folio);
}
