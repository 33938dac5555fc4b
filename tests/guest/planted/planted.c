// SPDX-License-Identifier: GPL-2.0
/*
 * Commits the fault it is asked for, so that a silent kernel is known to be
 * one that would have spoken. Built for the debug kernel alone: on another one
 * these faults do their harm unseen.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "none, use-after-free, lock-order, atomic-sleep, preemption or leak");

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);

static void plant_none(void)
{
	kfree(kmalloc(64, GFP_KERNEL));
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
}

static void plant_use_after_free(void)
{
	char *object = kzalloc(64, GFP_KERNEL);

	if (!object)
		return;
	kfree(object);
	/* The compiler would see it as well. */
	OPTIMIZER_HIDE_VAR(object);
	WRITE_ONCE(object[8], 1);
}

/* Both orders in turn, so that nothing really locks up. */
static void plant_lock_order(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);

	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

/* It may sleep, but has no need to: the report must not depend on that. */
static void plant_atomic_sleep(void)
{
	void *object;

	spin_lock(&lock_a);
	object = kmalloc(64, GFP_KERNEL);
	spin_unlock(&lock_a);
	kfree(object);
}

static void plant_preemption(void)
{
	pr_info("loaded on CPU %u\n", smp_processor_id());
}

/* Several, as a stale word somewhere may point to one of them. */
static void plant_leak(void)
{
	void *object;
	int i;

	for (i = 0; i < 16; i++) {
		object = kzalloc(128, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(object);
	}
}

static const struct {
	const char *name;
	void (*plant)(void);
} faults[] = {
	{ "none", plant_none },
	{ "use-after-free", plant_use_after_free },
	{ "lock-order", plant_lock_order },
	{ "atomic-sleep", plant_atomic_sleep },
	{ "preemption", plant_preemption },
	{ "leak", plant_leak },
};

static int __init planted_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(fault, faults[i].name)) {
			faults[i].plant();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults on purpose, for a kernel that has to report them");
