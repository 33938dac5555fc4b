// SPDX-License-Identifier: GPL-2.0
#include <linux/percpu.h>
#include <linux/random.h>

#include "counters.h"

struct cow_counters __percpu *cow_counters __read_mostly;

static u64 skipped_exits;

int __init cow_counters_init(void)
{
	cow_counters = alloc_percpu(struct cow_counters);
	if (!cow_counters)
		return -ENOMEM;
	cow_counters_reset();
	return 0;
}

void cow_counters_exit(void)
{
	free_percpu(cow_counters);
}

u64 cow_counter_sum(size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((void *)per_cpu_ptr(cow_counters, cpu) + offset));
	return sum;
}

u64 cow_skipped_exits(void)
{
	return READ_ONCE(skipped_exits);
}

u64 cow_asleep(void)
{
	/* Exits first: a fault that ends meanwhile must not make this negative. */
	u64 gone = cow_sum(exits) + cow_skipped_exits();

	return cow_sum(handed_on) - gone;
}

void cow_skip_asleep(void)
{
	WRITE_ONCE(skipped_exits, skipped_exits + cow_asleep());
}

void cow_counters_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct cow_counters *c = per_cpu_ptr(cow_counters, cpu);

		/* Who reads the statistics meanwhile sees some before and some after it. */
		data_race(memset(c, 0, sizeof(*c)));
		/* CPUs of one state would leave out the same faults of the same pattern. */
		c->random = get_random_u64();
	}
	WRITE_ONCE(skipped_exits, 0);
}
