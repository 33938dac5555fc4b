/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records of all CPUs while they are written, in the order in which their
 * faults ended.
 */
#ifndef COWTRACE_MERGE_H
#define COWTRACE_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture_source.h"
#include "schema.h"

struct ct_merge;

/**
 * ct_merge_open() - open the streams of all CPUs
 * @source: where the records come from; must outlive the merge.
 * @schema: their layout; likewise.
 * @merge: receives the merge.
 * @err: filled in on failure.
 * Return: 0 or a negative errno.
 */
int ct_merge_open(struct ct_source *source, const struct ct_schema *schema,
		  struct ct_merge **merge, struct ct_error *err);

void ct_merge_close(struct ct_merge *merge);

/* Look for new records. Return: 0 or a negative errno. */
int ct_merge_read(struct ct_merge *merge, struct ct_error *err);

/**
 * ct_merge_next() - the next record
 * @merge: the merge.
 * @record: filled in, in this reader's layout.
 *
 * Return: its bytes in the source's own layout, valid until the next call of any
 * function here; NULL when the record that comes next may not have been read yet.
 */
const void *ct_merge_next(struct ct_merge *merge, struct cowtrace_record *record);

/* All streams have ended, and all records were taken. */
bool ct_merge_ended(const struct ct_merge *merge);

#endif /* COWTRACE_MERGE_H */
