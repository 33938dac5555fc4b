// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "tables.h"

int cow_tables_alloc(struct cow_table __percpu *tables, size_t size)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *table = vzalloc_node(size, cpu_to_node(cpu));

		if (!table) {
			cow_tables_free(tables);
			return -ENOMEM;
		}
		per_cpu_ptr(tables, cpu)->at = table;
	}
	return 0;
}

void cow_tables_free(struct cow_table __percpu *tables)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		vfree(per_cpu_ptr(tables, cpu)->at);
		per_cpu_ptr(tables, cpu)->at = NULL;
	}
}

void cow_tables_clear(struct cow_table __percpu *tables, size_t size)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(tables, cpu)->at, 0, size);
}
