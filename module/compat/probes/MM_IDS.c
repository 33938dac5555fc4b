// SPDX-License-Identifier: GPL-2.0
/* folio._mm_ids: 6.15, commit 1da190f4d0a6 reuses large folios by it */
#include <linux/mm.h>

int probe(struct folio *folio);
int probe(struct folio *folio)
{
	return test_bit(FOLIO_MM_IDS_SHARED_BITNUM, &folio->_mm_ids);
}
