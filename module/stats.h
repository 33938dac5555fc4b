/* SPDX-License-Identifier: GPL-2.0 */
/* stats: the counters as text, and what the session knows of losses. */
#ifndef COW_STATS_H
#define COW_STATS_H

struct seq_file;

/* Text of the files stats and lost. */
int cow_stats_show(struct seq_file *m, void *v);
int cow_lost_show(struct seq_file *m, void *v);

#endif /* COW_STATS_H */
