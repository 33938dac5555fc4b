// SPDX-License-Identifier: GPL-2.0
/* cowtrace: which write-protect faults copy a page, which reuse it, and why. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/module.h>

#include "compat/compat.h"
#include "count.h"
#include "counters.h"
#include "debugfs.h"
#include "events.h"
#include "filter.h"
#include "group.h"
#include "points.h"
#include "policies.h"
#include "register.h"
#include "ring.h"
#include "sample.h"
#include "session.h"
#include "swap.h"
#include "symbols.h"
#include "tracepoint.h"
#include "verdict.h"
#include "witness.h"

/* Return probes allocate storage for each at every start. */
#define MAX_ACTIVE	65536

static char *backend = "auto";
module_param(backend, charp, 0444);
MODULE_PARM_DESC(backend, "how to probe: fprobe, kretprobe or auto (the cheaper one)");

static unsigned int buffer_kb = COW_RING_DEFAULT_KB;
module_param(buffer_kb, uint, 0444);
MODULE_PARM_DESC(buffer_kb, "KiB of buffer a CPU at load, a power of two (default 1024)");

unsigned int cow_maxactive = 4096;
module_param_named(maxactive, cow_maxactive, uint, 0444);
MODULE_PARM_DESC(maxactive, "faults that may sleep at the same time (default 4096)");

static struct dentry *directory;

static int __init allocate(void)
{
	int err = cow_counters_init() ?: cow_verdict_init() ?: cow_witness_init();

	if (err)
		pr_err("no memory for the counters\n");
	return err;
}

/* Of what may not be there yet after a failed load, all take nothing. */
static void release(void)
{
	debugfs_remove(directory);
	cow_groups_exit();
	cow_witness_exit();
	cow_verdict_exit();
	cow_count_exit();
	cow_policies_exit();
	cow_counters_exit();
}

static int __init start(void)
{
	int err;

	if (!cow_maxactive || cow_maxactive > MAX_ACTIVE) {
		pr_err("maxactive=%u: use 1 to %d\n", cow_maxactive, MAX_ACTIVE);
		return -EINVAL;
	}
	directory = cow_create_dir("cowtrace", NULL);
	if (IS_ERR(directory)) {
		err = PTR_ERR(directory);
		pr_err("no directory in debugfs (error %d): it is switched off or the name is taken\n",
		       err);
		return err;
	}
	cow_sample_init();
	cow_swap_init();
	cow_tracepoint_init();
	err = cow_session_init(directory, backend, buffer_kb);
	if (err)
		return err;
	cow_events_init(directory);
	err = cow_debugfs_init(directory) ?: cow_groups_init(directory);
	if (err) {
		pr_err("not all files could be made (error %d)\n", err);
		cow_session_exit();
		return err;
	}
	cow_session_open();
	pr_info("ready, backend %s\n", cow_session_backend());
	return 0;
}

static int __init cowtrace_init(void)
{
	int err = cow_symbols_init() ?: allocate() ?: start();

	if (err)
		release();
	return err;
}

static void __exit cowtrace_exit(void)
{
	/* The ring's files before their directory: relay removes them itself. */
	cow_session_exit();
	cow_filter_exit_module();
	release();
}

module_init(cowtrace_init);
module_exit(cowtrace_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The cowtrace developers");
MODULE_DESCRIPTION("Traces write-protect faults: reuse or copy, why, and who else held the page");
MODULE_VERSION("0.1.0");
