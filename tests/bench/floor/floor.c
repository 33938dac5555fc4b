// SPDX-License-Identifier: GPL-2.0
/* Probes that do nothing: what the kernel takes for calling any handler at all. */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

#include "compat/compat.h"
#include "sample.h"

/* Which probes; entries are those of a tracer that does without return probes. */
static char *probes = "";
module_param(probes, charp, 0444);
MODULE_PARM_DESC(probes,
		 "kretprobe, kprobe-entry, kprobe-entries, fprobe, fprobe-entry or fprobe-entries");

static const char *functions[] = { "do_wp_page", "ptep_clear_flush", "ptep_set_access_flags" };

static int on_kprobe(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}
NOKPROBE_SYMBOL(on_kprobe);

static int on_kretprobe(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}
NOKPROBE_SYMBOL(on_kretprobe);

static struct kprobe kprobes[ARRAY_SIZE(functions)];
static struct kprobe *each_kprobe[ARRAY_SIZE(functions)];
static int nr_kprobes;

static struct kretprobe pair = {
	.kp.symbol_name	= "do_wp_page",
	.entry_handler	= on_kretprobe,
	.handler	= on_kretprobe,
	.data_size	= sizeof(struct cow_entry),
	.maxactive	= 4096,
};

static int arm_kprobes(int nr)
{
	for (nr_kprobes = 0; nr_kprobes < nr; nr_kprobes++) {
		kprobes[nr_kprobes].symbol_name = functions[nr_kprobes];
		kprobes[nr_kprobes].pre_handler = on_kprobe;
		each_kprobe[nr_kprobes] = &kprobes[nr_kprobes];
	}
	return register_kprobes(each_kprobe, nr);
}

#if defined(COW_HAVE_FPROBE) || defined(COW_HAVE_FPROBE_FTRACE_REGS)
#ifdef COW_HAVE_FPROBE_FTRACE_REGS
#define floor_regs	struct ftrace_regs
#else
#define floor_regs	struct pt_regs
#endif

static int on_entry(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, floor_regs *regs,
		    void *data)
{
	return 0;
}

static void on_return(struct fprobe *fp, unsigned long ip, unsigned long ret_ip, floor_regs *regs,
		      void *data)
{
}

static struct fprobe fprobe = { .entry_handler = on_entry };
static bool fprobe_armed;

static int arm_fprobe(int nr, bool paired)
{
	int err;

	if (paired) {
		fprobe.exit_handler = on_return;
		fprobe.entry_data_size = sizeof(struct cow_entry);
#ifdef COW_HAVE_FPROBE_MAXACTIVE
		fprobe.nr_maxactive = 4096;
#endif
	}
	err = register_fprobe_syms(&fprobe, functions, nr);
	fprobe_armed = !err;
	return err;
}

static void disarm_fprobe(void)
{
	if (fprobe_armed)
		unregister_fprobe(&fprobe);
}
#else
static int arm_fprobe(int nr, bool paired)
{
	return -EOPNOTSUPP;
}

static void disarm_fprobe(void)
{
}
#endif

static int __init floor_init(void)
{
	if (!strcmp(probes, "kretprobe"))
		return register_kretprobe(&pair);
	if (!strcmp(probes, "kprobe-entry"))
		return arm_kprobes(1);
	if (!strcmp(probes, "kprobe-entries"))
		return arm_kprobes(ARRAY_SIZE(functions));
	if (!strcmp(probes, "fprobe"))
		return arm_fprobe(1, true);
	if (!strcmp(probes, "fprobe-entry"))
		return arm_fprobe(1, false);
	if (!strcmp(probes, "fprobe-entries"))
		return arm_fprobe(ARRAY_SIZE(functions), false);
	return -EINVAL;
}

static void __exit floor_exit(void)
{
	if (pair.kp.addr)
		unregister_kretprobe(&pair);
	if (nr_kprobes)
		unregister_kprobes(each_kprobe, nr_kprobes);
	disarm_fprobe();
	/* Handlers run with preemption off: none is left after this. */
	synchronize_rcu();
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Empty probes, for tests/bench/cost");
