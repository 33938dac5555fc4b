/* SPDX-License-Identifier: GPL-2.0 */
/* The groups of events beside the core (group.h) while they are recorded. */
#ifndef COWTRACE_CAPTURE_GROUPS_H
#define COWTRACE_CAPTURE_GROUPS_H

#include <stddef.h>

#include "capture_source.h"
#include "error.h"
#include "writer.h"

struct ct_groups;

/**
 * ct_groups_open() - open the events of groups, which are still off
 * @groups: receives them; NULL for none.
 * @source: where they are.
 * @names: of the groups, separated by commas; "NAME:SECONDS" limits how long one is on.
 * @err: what is wrong: a name that is not known, a group that somebody else has switched on.
 * Return: 0 or a negative errno.
 */
int ct_groups_open(struct ct_groups **groups, struct ct_source *source, const char *names,
		   struct ct_error *err);

/* Switch them on: all or none. Return: 0 or a negative errno. */
int ct_groups_start(struct ct_groups *groups, struct ct_error *err);

/**
 * typedef ct_groups_fn - takes what was read
 * @arg: of the caller.
 * @data: payload of a CT_CHUNK_GROUP.
 * @size: bytes of it, at most CT_GROUPS_MAX.
 */
typedef void ct_groups_fn(void *arg, const void *data, size_t size);

#define CT_GROUPS_MAX	(64u << 10)

/* Read what has come. */
void ct_groups_read(struct ct_groups *groups, ct_groups_fn *fn, void *arg);

/* Switch them off; what is left can still be read. */
void ct_groups_stop(struct ct_groups *groups);

/* Write their counts and the like, after the last event. */
void ct_groups_state(struct ct_groups *groups, struct ct_writer *writer);

/* Switch off what is on, and free. NULL is allowed, here and above. */
void ct_groups_close(struct ct_groups *groups);

#endif /* COWTRACE_CAPTURE_GROUPS_H */
