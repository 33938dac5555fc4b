// SPDX-License-Identifier: GPL-2.0
/* get_kretprobe(), instead of kretprobe_instance.rp: 5.14 */
#include <linux/kprobes.h>

struct kretprobe *probe(struct kretprobe_instance *ri);
struct kretprobe *probe(struct kretprobe_instance *ri)
{
	return get_kretprobe(ri);
}
