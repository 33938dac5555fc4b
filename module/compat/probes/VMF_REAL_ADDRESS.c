// SPDX-License-Identifier: GPL-2.0
/* vm_fault.real_address: 5.17 */
#include <linux/mm.h>

unsigned long probe(struct vm_fault *vmf);
unsigned long probe(struct vm_fault *vmf)
{
	return vmf->real_address;
}
