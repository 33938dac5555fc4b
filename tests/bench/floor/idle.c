// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/module/idle/parameters/ns: how long the only CPU had nothing to do. The kernel's
 * own counts of that are rounded: until ticks, from 7.1 on, wherever a tick goes on.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pm_qos.h>
#include <linux/tracepoint.h>
#include <trace/events/power.h>

static u64 since, slept;

/* Interrupts that end the idleness are in it: some thousand instructions each. */
static void on_cpu_idle(void *data, unsigned int state, unsigned int cpu)
{
	u64 now = ktime_get_ns();

	if (state != PWR_EVENT_EXIT)
		since = now;
	else if (since)
		slept += now - since;
}

static int ns_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%llu\n", READ_ONCE(slept));
}

static const struct kernel_param_ops ns_ops = { .get = ns_get };

module_param_cb(ns, &ns_ops, NULL, 0444);

static int __init idle_init(void)
{
	return register_trace_cpu_idle(on_cpu_idle, NULL);
}

static void __exit idle_exit(void)
{
	unregister_trace_cpu_idle(on_cpu_idle, NULL);
	tracepoint_synchronize_unregister();
}

module_init(idle_init);
module_exit(idle_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Idle time to the nanosecond, for tests/bench/cost");
