// SPDX-License-Identifier: GPL-2.0
/* is_ksm_zero_pte(): 6.6, commit 79271476b336 marks zero pages that KSM mapped */
#include <linux/mm.h>
#include <linux/ksm.h>

int probe(pte_t pte);
int probe(pte_t pte)
{
	return is_ksm_zero_pte(pte);
}
