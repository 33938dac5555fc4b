// SPDX-License-Identifier: GPL-2.0
/* VM_FAULT_COMPLETED: 6.0 */
#include <linux/mm.h>

unsigned int probe(void);
unsigned int probe(void)
{
	return (__force unsigned int)VM_FAULT_COMPLETED;
}
