/* SPDX-License-Identifier: GPL-2.0 */
/* events: one line of text a fault, like a trace pipe, for cat. */
#ifndef COW_EVENTS_H
#define COW_EVENTS_H

#include <linux/fs.h>

struct dentry;

/* Of the file events. Its buffer lives while it is open; nothing is taken from cpuN. */
extern const struct file_operations cow_events_fops;

/* The directory of the module: relay wants one, also for a ring without files. */
void cow_events_init(struct dentry *dir);

#endif /* COW_EVENTS_H */
