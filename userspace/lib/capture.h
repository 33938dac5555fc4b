/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capture: moves records and side-band from their sources into a trace.
 *
 * One thread reads all CPUs, another writes, with a bounded queue between them:
 * a slow disk is felt by the kernel's buffers only when the queue is full.
 */
#ifndef COWTRACE_CAPTURE_H
#define COWTRACE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture_groups.h"
#include "capture_source.h"
#include "capture_stacks.h"
#include "sideband.h"
#include "writer.h"

/* How often the caller of ct_capture_pump() has to come by at least. */
#define CT_CAPTURE_PERIOD_MS	100

/**
 * struct ct_capture_stats - what was moved so far
 * @records: records written to the trace.
 * @bytes: bytes of them.
 * @unwritten: records that were read but not stored, because of @write_error.
 * @write_error: first error of the writer, a negative errno, or 0.
 * @read_error: first error of a CPU's stream, a negative errno, or 0.
 * @ended: a CPU's stream ended: somebody switched tracing off.
 */
struct ct_capture_stats {
	uint64_t	records;
	uint64_t	bytes;
	uint64_t	unwritten;
	int		write_error;
	int		read_error;
	bool		ended;
};

struct ct_capture;

/**
 * ct_capture_open() - open the streams of all CPUs
 * @capture: receives the capture.
 * @source: where records come from; tracing is still off.
 * @sideband: read along, or NULL.
 * @groups: read along, or NULL; switched on and off with the tracing.
 * @stacks: read along, or NULL; switched on and off with the tracing.
 * @writer: where all goes.
 * @record_size: bytes of one record.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_capture_open(struct ct_capture **capture, struct ct_source *source,
		    struct ct_sideband *sideband, struct ct_groups *groups,
		    struct ct_capture_stacks *stacks, struct ct_writer *writer,
		    size_t record_size, struct ct_error *err);

/* A descriptor that polls as readable when there is something to pump. */
int ct_capture_fd(const struct ct_capture *capture);

/**
 * ct_capture_start() - start the writer and switch tracing on
 * @capture: the capture. From here on the writer belongs to it.
 * @err: why tracing cannot be switched on.
 * Return: 0 or a negative errno.
 */
int ct_capture_start(struct ct_capture *capture, struct ct_error *err);

/**
 * ct_capture_pump() - read what has come
 * @capture: the capture.
 * Return: whether more is waiting, so that the caller should not sleep.
 */
bool ct_capture_pump(struct ct_capture *capture);

/**
 * ct_capture_stop() - switch tracing off, read all that is left, end the writer
 * @capture: the capture; the writer belongs to the caller again.
 * @err: what is wrong.
 * Return: 0 or a negative errno.
 */
int ct_capture_stop(struct ct_capture *capture, struct ct_error *err);

/**
 * ct_capture_stats() - what was moved so far
 * @capture: the capture.
 * @stats: filled in.
 */
void ct_capture_stats(struct ct_capture *capture, struct ct_capture_stats *stats);

/* Close the streams. NULL is allowed. */
void ct_capture_free(struct ct_capture *capture);

#endif /* COWTRACE_CAPTURE_H */
