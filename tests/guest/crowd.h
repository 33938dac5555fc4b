/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crowd: tasks on all CPUs that fork and write until they are told to stop, and
 * a reader that follows the numbers of the records of each CPU, those of CPUs that
 * come up later too.
 */
#ifndef COWTEST_CROWD_H
#define COWTEST_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib.h"
#include "outside.h"

#define CROWD_MAX	(2 * MAX_CPUS)

/**
 * struct follow - what was read of each CPU
 * @fd: its file, -1 while it is not open.
 * @seq: number of the last record.
 * @read: records.
 * @gaps: numbers that no record had.
 */
struct follow {
	int			fd[MAX_CPUS];
	uint32_t		seq[MAX_CPUS];
	unsigned long long	read[MAX_CPUS], gaps[MAX_CPUS];
};

void follow_init(struct follow *f);
/* Open what is new, read all that is there. */
void follow_read(struct follow *f);
void follow_close(struct follow *f);
/*
 * Where a CPU's records differ from what was counted, NULL when they do not: as many
 * read as recorded, as many numbers missing as dropped. Exact when the last record of
 * each CPU that dropped was written after the last drop: crowd_sign().
 */
const char *follow_differs(const struct follow *f, const struct stats *s);

/**
 * struct crowd - tasks, forked and held
 * @task: those that fault.
 * @n: how many.
 * @sign: one a CPU, for crowd_sign().
 * @signs: how many.
 */
struct crowd {
	struct held_child	task[CROWD_MAX];
	unsigned int		n;
	struct held_child	sign[MAX_CPUS];
	unsigned int		signs;
};

/* Fork @n tasks, of which the first @pinned keep to one CPU each. Before any window. */
void crowd_init(struct crowd *c, unsigned int n, unsigned int pinned);
void crowd_go(struct crowd *c);
/* Let the first @n stop, wait for them, and end all others. */
void crowd_end(struct crowd *c, unsigned int n);
/* Let them stop, read until they have. */
void crowd_stop(struct crowd *c, struct follow *f);
/* One fault on each CPU, so that its records tell what was dropped before; read that. */
void crowd_sign(struct crowd *c, struct follow *f);
/* Read until a child has ended with 0; without a fault of this process. */
void read_until_gone(pid_t pid, struct follow *f);

/**
 * struct beside - one window of the crowd beside the kernel's own counts
 * @before: outside, before.
 * @after: outside, after.
 * @s: the module's statistics after it.
 * @missed: calls that the module knows that it did not see.
 */
struct beside {
	struct outside		before, after;
	struct stats		s;
	unsigned long long	missed;
};

void beside_open(struct beside *b);
/* Also reads what came after the last reading. */
void beside_close(struct beside *b, struct follow *f);

/*
 * Check the identities, the calls of do_wp_page() against its kprobe event, and the
 * records against the counts. @phase goes before the names of the claims.
 */
void crowd_check(const struct beside *b, const struct follow *f, const char *phase);
/*
 * Check the reuses of @s against those of /proc/vmstat, @pgreuse: the same, or with a
 * sample of 1 in @every within 6 standard errors.
 */
void crowd_check_reuses(const struct stats *s, long long pgreuse, const char *phase,
			unsigned int every);

#endif /* COWTEST_CROWD_H */
