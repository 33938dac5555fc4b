/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of user stacks, taken while the faults are: by the kernel's own perf, as
 * samples of the module's tracepoint cowtrace:wp_fault, which knows each fault that
 * is recorded. The event is off, and not even open, unless it is asked for.
 */
#ifndef COWTRACE_CAPTURE_STACKS_H
#define COWTRACE_CAPTURE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "writer.h"

/* Bytes of a stack that are copied if nothing else is asked for. */
#define CT_STACKS_BYTES		4096
/* What perf takes at most: the length of a record is of 16 bits. */
#define CT_STACKS_BYTES_MAX	65528
/* Most bytes that a sink gets at once. */
#define CT_STACKS_MAX		(512u << 10)

struct ct_capture_stacks;

/**
 * ct_capture_stacks_open() - open the event of all CPUs that are online, still off
 * @stacks: receives it.
 * @bytes: of each stack, a multiple of 8 from 8 to CT_STACKS_BYTES_MAX.
 * @every: copy the stack of one fault in so many.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 *
 * The module takes no settings while the event is open.
 */
int ct_capture_stacks_open(struct ct_capture_stacks **stacks, uint32_t bytes, uint32_t every,
			   struct ct_error *err);

/* As ct_sideband_poll(), with @tag. */
void ct_capture_stacks_poll(struct ct_capture_stacks *stacks, int epoll, uint64_t tag);

/* Copy from now on. */
void ct_capture_stacks_start(struct ct_capture_stacks *stacks);

/* Copy no more; what is in the rings can still be read. */
void ct_capture_stacks_stop(struct ct_capture_stacks *stacks);

/* Open the events of CPUs that came online since. */
void ct_capture_stacks_rescan(struct ct_capture_stacks *stacks);

/* Open the event of a CPU anew that was offline; what is in its ring was read. */
void ct_capture_stacks_renew(struct ct_capture_stacks *stacks, unsigned int cpu);

/**
 * typedef ct_stacks_sink - takes stacks
 * @arg: of the caller.
 * @cpu: CPU that they come from.
 * @data: payload of a CT_CHUNK_STACKS.
 * @size: bytes of it.
 */
typedef void ct_stacks_sink(void *arg, uint32_t cpu, const void *data, size_t size);

/* Is there a ring that should be read before it is full? */
bool ct_capture_stacks_filled(const struct ct_capture_stacks *stacks);

/* Hand on what is in the rings. */
void ct_capture_stacks_read(struct ct_capture_stacks *stacks, ct_stacks_sink *sink, void *arg);

/* Stacks that the kernel had no room for, once it is stopped and read. */
uint64_t ct_capture_stacks_lost(const struct ct_capture_stacks *stacks);

/* Write how many were asked for, taken and lost, as the state "stacks". */
void ct_capture_stacks_state(const struct ct_capture_stacks *stacks, struct ct_writer *writer);

/* Close the events, and free. NULL is allowed. */
void ct_capture_stacks_close(struct ct_capture_stacks *stacks);

#endif /* COWTRACE_CAPTURE_STACKS_H */
