// SPDX-License-Identifier: GPL-2.0
/* vm_fault.orig_pmd: 5.14 */
#include <linux/mm.h>

pmd_t probe(struct vm_fault *vmf);
pmd_t probe(struct vm_fault *vmf)
{
	return vmf->orig_pmd;
}
