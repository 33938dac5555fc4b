// SPDX-License-Identifier: GPL-2.0
/* folio._pincount: 6.0 */
#include <linux/mm.h>

int probe(struct folio *folio);
int probe(struct folio *folio)
{
	return atomic_read(&folio->_pincount);
}
