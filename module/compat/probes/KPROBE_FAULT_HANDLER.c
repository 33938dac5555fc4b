// SPDX-License-Identifier: GPL-2.0
/* kprobe.fault_handler: until 5.13, commit ec6aba3d2be1 */
#include <linux/kprobes.h>

kprobe_fault_handler_t probe(struct kprobe *kp);
kprobe_fault_handler_t probe(struct kprobe *kp)
{
	return kp->fault_handler;
}
