// SPDX-License-Identifier: GPL-2.0
/* register_fprobe_syms() and handlers with pt_regs: 6.6 to 6.13 */
#include <linux/fprobe.h>

#ifndef CONFIG_FPROBE
#error "CONFIG_FPROBE is not set"
#endif
int probe(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, struct pt_regs *regs,
	  void *data);
int probe(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, struct pt_regs *regs,
	  void *data)
{
	struct fprobe now = { .entry_handler = probe, .entry_data_size = 8 };
	const char *symbol = "do_wp_page";

	return register_fprobe_syms(&now, &symbol, 1);
}
