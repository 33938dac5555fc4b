/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The side-band: which processes and mappings there were while a trace was
 * taken, as the kernel's perf events tell it. Without it a trace could not be
 * read after the processes are gone or on another machine.
 *
 * One dummy software event per CPU, for all processes: the children of a traced
 * process are told of on whichever CPU they run. Beside it, into the same ring,
 * the tracepoint task:task_newtask: only that tells a fork() from a vfork().
 * How much memory a new process has is asked from /proc (sideband_memory.h).
 */
#ifndef COWTRACE_SIDEBAND_H
#define COWTRACE_SIDEBAND_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* Most bytes that a sink gets at once. */
#define CT_SIDEBAND_MAX	(512u << 10)

/* What each record carries at its end, a sample at its beginning: struct ct_sideband_id. */
#define CT_SIDEBAND_SAMPLE_TYPE	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU)

/**
 * struct ct_sideband_id - who wrote a record, and when
 * @pid: process.
 * @tid: thread.
 * @time: CLOCK_MONOTONIC in ns.
 * @cpu: CPU.
 * @res: 0.
 */
struct ct_sideband_id {
	uint32_t	pid;
	uint32_t	tid;
	uint64_t	time;
	uint32_t	cpu;
	uint32_t	res;
};

/**
 * typedef ct_sideband_sink - takes whole records
 * @arg: of the caller.
 * @cpu: CPU whose ring they come from, UINT32_MAX for synthesised ones.
 * @data: records, one behind the other.
 * @size: bytes of them.
 * Return: 0 or a negative errno, which ends the reading.
 */
typedef int ct_sideband_sink(void *arg, uint32_t cpu, const void *data, size_t size);

struct ct_sideband;

/**
 * ct_sideband_open() - open the events of all CPUs that are online
 * @sb: receives the side-band, NULL without memory.
 * @err: why the kernel refuses events.
 * Return: 0 or a negative errno; @sb is then good for ct_sideband_synthesize()
 * only.
 */
int ct_sideband_open(struct ct_sideband **sb, struct ct_error *err);

/**
 * ct_sideband_poll() - let an epoll descriptor wake when a ring fills
 * @sb: the side-band.
 * @epoll: its data is UINT64_MAX for all rings; edge-triggered.
 */
void ct_sideband_poll(struct ct_sideband *sb, int epoll);

/* Open the events of CPUs that came online since. */
void ct_sideband_rescan(struct ct_sideband *sb);

/* Open the events of a CPU anew that was offline; what is in its ring was read. */
void ct_sideband_renew(struct ct_sideband *sb, unsigned int cpu);

/* Is there a ring that should be read before it is full? */
bool ct_sideband_filled(const struct ct_sideband *sb);

/**
 * ct_sideband_read() - hand on what is in the rings
 * @sb: the side-band.
 * @sink: gets records that have build-ids instead of inodes where they could be
 *	read, and what the new processes among them have for memory.
 * @arg: for @sink.
 * Return: 0 or what @sink returned.
 */
int ct_sideband_read(struct ct_sideband *sb, ct_sideband_sink *sink, void *arg);

/**
 * ct_sideband_synthesize() - records for what ran before the trace
 * @sb: the side-band.
 * @pids: processes, or NULL for all.
 * @n: number of @pids.
 * @sink: gets COMM records for each thread and MMAP2 records for each
 *	executable mapping, dated to ct_sideband_open().
 * @arg: for @sink.
 * Return: 0, what @sink returned, or another negative errno.
 */
int ct_sideband_synthesize(struct ct_sideband *sb, const pid_t *pids, size_t n,
			   ct_sideband_sink *sink, void *arg);

/* Records that the kernel could not fit into a ring so far. */
uint64_t ct_sideband_lost(const struct ct_sideband *sb);

void ct_sideband_close(struct ct_sideband *sb);

#endif /* COWTRACE_SIDEBAND_H */
