/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tables: what each CPU counts for itself, on whole pages near to it: none shares a
 * cache line with another.
 */
#ifndef COW_TABLES_H
#define COW_TABLES_H

#include <linux/percpu.h>
#include <linux/types.h>

/**
 * struct cow_table - where a CPU has its table
 * @at: NULL for none.
 */
struct cow_table {
	void	*at;
};

/* Return: 0, or -ENOMEM with nothing left behind. */
int cow_tables_alloc(struct cow_table __percpu *tables, size_t size);
/* Of what may not be there. */
void cow_tables_free(struct cow_table __percpu *tables);
void cow_tables_clear(struct cow_table __percpu *tables, size_t size);

#endif /* COW_TABLES_H */
