// SPDX-License-Identifier: GPL-2.0
/*
 * Commits the fault it is asked for, so that a silent kernel is known to be
 * one that would have spoken. Built for the kernels debug and kcsan alone: on
 * another one these faults do their harm unseen.
 */
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "what to commit: a name of the table below (default none)");

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

static void plant_timer_expired(struct timer_list *timer)
{
}

/* The object is freed while its timer is pending. */
static void plant_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, plant_timer_expired, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	kfree(timer);
}

/* KASAN would see it as well. */
static noinline __no_sanitize_address void plant_write(unsigned long *word)
{
	WRITE_ONCE(*word, 0x0123456789abcdef);
}

/* Written to when it is free: seen when it is allocated again. */
static void plant_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL), *other;
	unsigned int count;
	LIST_HEAD(others);

	if (!page)
		return;
	__free_page(page);
	plant_write(page_address(page));
	for (count = 0; count < 16384; count++) {
		other = alloc_page(GFP_KERNEL);
		if (!other)
			break;
		list_add(&other->lru, &others);
		if (other == page)
			break;
	}
	while (!list_empty(&others)) {
		other = list_first_entry(&others, struct page, lru);
		list_del(&other->lru);
		__free_page(other);
	}
}

/* One reference, put twice. */
static void plant_refcount(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	put_page(page);
	put_page(page);
}

static unsigned long raced;

static int race_on_cpu(void *unused)
{
	unsigned long end = jiffies + 2 * HZ;

	while (time_before(jiffies, end)) {
		raced++;
		barrier();
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 10);
	return 0;
}

/* Two CPUs count in the same variable, and nothing orders them. */
static void plant_race(void)
{
	struct task_struct *task[2];
	int i;

	for (i = 0; i < 2; i++) {
		task[i] = kthread_create(race_on_cpu, NULL, "planted/%d", i);
		if (!IS_ERR(task[i])) {
			kthread_bind(task[i], i);
			wake_up_process(task[i]);
		}
	}
	schedule_timeout_uninterruptible(3 * HZ);
	for (i = 0; i < 2; i++)
		if (!IS_ERR(task[i]))
			kthread_stop(task[i]);
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
	{ "timer", plant_timer },
	{ "page", plant_page },
	{ "refcount", plant_refcount },
	{ "race", plant_race },
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
