// SPDX-License-Identifier: GPL-2.0
/* pte_uffd(), the new name of pte_uffd_wp(): 7.3 */
#include <linux/mm.h>
#include <linux/userfaultfd_k.h>

int probe(pte_t pte);
int probe(pte_t pte)
{
	return pte_uffd(pte);
}
