/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which records belong to one access: a huge page that is split goes on as a
 * fault of one page, with the flag after-split. Found while records stream by,
 * in the order in which faults ended, in memory that does not grow.
 */
#ifndef COWTRACE_SPLITS_H
#define COWTRACE_SPLITS_H

#include <stdbool.h>
#include <stdint.h>

#include <cowtrace/record.h>

/* Numbers of threads that run at the same time mostly differ in their last bits. */
#define CT_SPLITS_PLACES	4096u

/**
 * struct ct_split - a split that may go on
 * @pid: thread; 0 when the place is free.
 * @cpu: of its record.
 * @seq: of its record.
 * @address: of the access.
 */
struct ct_split {
	uint32_t	pid;
	uint32_t	cpu;
	uint32_t	seq;
	uint64_t	address;
};

/**
 * struct ct_splits - the last split of each thread, if nothing followed it yet
 * @place: by the last bits of the thread. Of two threads that share a place and
 *	split at the same time, one goes without its link.
 */
struct ct_splits {
	struct ct_split	place[CT_SPLITS_PLACES];
};

/**
 * ct_splits_take() - look at the next record
 * @splits: all zero before the first record.
 * @record: the record.
 * @split: receives the split that @record goes on with.
 *
 * Return: whether there is one. The split's record may have been lost, or left
 * out by a filter: a flag after-split alone says nothing about it.
 */
bool ct_splits_take(struct ct_splits *splits, const struct cowtrace_record *record,
		    struct ct_split *split);

#endif /* COWTRACE_SPLITS_H */
