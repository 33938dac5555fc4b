// SPDX-License-Identifier: GPL-2.0
#include <linux/kprobes.h>

#include "symbols.h"

unsigned long looked_up(const char *symbol)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };

	if (register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}
