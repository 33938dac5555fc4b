// SPDX-License-Identifier: GPL-2.0
/* FAULT_FLAG_UNSHARE: 5.19 */
#include <linux/mm.h>

unsigned int probe(void);
unsigned int probe(void)
{
	return FAULT_FLAG_UNSHARE;
}
