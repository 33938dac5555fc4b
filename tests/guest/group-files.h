/* SPDX-License-Identifier: GPL-2.0 */
/* What the group files has counted, as its files in debugfs show it. */
#ifndef COWTEST_GROUP_FILES_H
#define COWTEST_GROUP_FILES_H

#include <sys/types.h>

#define REACH_SITES	32
#define REACH_ROWS	2048

struct reached_row {
	unsigned int		major, minor;
	unsigned long long	ino;
	long long		counts[REACH_SITES];
	char			name[48];
};

/**
 * struct reached - one reading
 * @sites: names, in the order of the counts.
 * @totals: as stats has them, -1 for a site that this kernel cannot count.
 * @fs: file systems; their inode is 0, their name the type.
 * @rows: files.
 * @others: counts of files that had to make room.
 * @nobody: counts of pages of no file.
 * @missed: hits that the group's probes of lookups did not see.
 */
struct reached {
	char			sites[REACH_SITES][24];
	long long		totals[REACH_SITES];
	int			nr_sites;
	struct reached_row	fs[64], rows[REACH_ROWS];
	size_t			nr_fs, nr_rows;
	long long		others[REACH_SITES], nobody[REACH_SITES];
	long long		missed;
};

/* Read both; fails the suite. */
void reached_read(struct reached *table);
/* Of one file. */
long long reached_by_inode(const struct reached *table, dev_t dev, ino_t ino, const char *site);
/* Of all files by that name. */
long long reached_by_name(const struct reached *table, const char *name, const char *site);
/* -1 for a site that this kernel cannot count. */
long long reached_total(const struct reached *table, const char *site);
/* A site of which the parts do not sum up to the total, NULL when all do. */
const char *reached_broken(const struct reached *table);

/* The suite's part with redis: AOF and RDB on /mnt. */
void reach_redis(void);

#endif /* COWTEST_GROUP_FILES_H */
