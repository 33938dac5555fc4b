/* SPDX-License-Identifier: GPL-2.0 */
/* count_parts: what the files of count.h share. */
#ifndef COW_COUNT_PARTS_H
#define COW_COUNT_PARTS_H

#include <linux/seq_file.h>
#include <linux/types.h>

/* A table for each possible CPU (tables.h). Return: 0 or -ENOMEM. */
int cow_durations_alloc(void);
int cow_processes_alloc(void);
/* Of what may not be there, both take nothing. */
void cow_durations_free(void);
void cow_processes_free(void);
void cow_durations_clear(void);
void cow_processes_clear(void);

/* Lines "duration OUTCOME REASON FROM COUNT", of the durations that occurred. */
void cow_durations_show(struct seq_file *m);

/**
 * cow_processes_show() - lines "process ..." and "others ...", see cow_counts_show()
 * @m: where they go.
 * @timed: show times.
 *
 * Return: 0 or -ENOMEM.
 */
int cow_processes_show(struct seq_file *m, bool timed);

/* " NANOSECONDS" or " -", where no clock was read. */
static inline void cow_count_show_ns(struct seq_file *m, u64 ns, bool timed)
{
	if (timed)
		seq_printf(m, " %llu", ns);
	else
		seq_puts(m, " -");
}

#endif /* COW_COUNT_PARTS_H */
