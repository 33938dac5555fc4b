/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much memory a new process shares with its parent. No event of the kernel
 * tells, so /proc is asked as soon as the fork is known here.
 */
#ifndef COWTRACE_SIDEBAND_MEMORY_H
#define COWTRACE_SIDEBAND_MEMORY_H

#include "sideband.h"

/**
 * struct ct_memory_record - what a process had soon after its fork
 * @header: its type is CT_RECORD_MEMORY.
 * @pid: the process.
 * @res: 0.
 * @anon: its private anonymous memory, in bytes: RssAnon of /proc/PID/status.
 *	The kernel counts by CPU and may be off by some dozen pages a CPU
 *	(get_mm_counter()).
 * @swapped: what of it is swapped out, in bytes: VmSwap there.
 * @id: its time is just after both were read.
 */
struct ct_memory_record {
	struct perf_event_header header;
	uint32_t	pid;
	uint32_t	res;
	uint64_t	anon;
	uint64_t	swapped;
	struct ct_sideband_id id;
};

/**
 * ct_memory_read() - ask /proc about a process
 * @pid: the process.
 * @record: filled in.
 * Return: false when it has no memory (any more).
 */
bool ct_memory_read(pid_t pid, struct ct_memory_record *record);

#endif /* COWTRACE_SIDEBAND_MEMORY_H */
