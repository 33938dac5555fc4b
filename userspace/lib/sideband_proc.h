/* SPDX-License-Identifier: GPL-2.0 */
/* Side-band records made from /proc, for what ran before the trace. */
#ifndef COWTRACE_SIDEBAND_PROC_H
#define COWTRACE_SIDEBAND_PROC_H

#include "sideband.h"
#include "sideband_build_id.h"

/**
 * ct_sideband_proc() - as ct_sideband_synthesize()
 * @ids: files whose build-id is known.
 * @time_ns: time of all records.
 * @pids: processes, or NULL for all.
 * @n: number of @pids.
 * @sink: gets the records.
 * @arg: for @sink.
 * Return: 0, what @sink returned, or another negative errno.
 */
int ct_sideband_proc(struct ct_build_ids *ids, uint64_t time_ns, const pid_t *pids, size_t n,
		     ct_sideband_sink *sink, void *arg);

#endif /* COWTRACE_SIDEBAND_PROC_H */
