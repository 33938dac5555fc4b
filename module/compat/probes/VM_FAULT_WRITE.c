// SPDX-License-Identifier: GPL-2.0
/* VM_FAULT_WRITE: until 6.1, removed by cb8d8633344f */
#include <linux/mm.h>

unsigned int probe(void);
unsigned int probe(void)
{
	return (__force unsigned int)VM_FAULT_WRITE;
}
