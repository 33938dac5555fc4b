/* SPDX-License-Identifier: GPL-2.0 */
/* What a trace says about itself: its CT_CHUNK_META. */
#ifndef COWTRACE_CAPTURE_META_H
#define COWTRACE_CAPTURE_META_H

#include <stdbool.h>

#include "capture_session.h"
#include "capture_settings.h"

/**
 * ct_meta_write() - write the META chunk
 * @w: the trace.
 * @opts: of the session.
 * @source: where records come from.
 * @settings: in force.
 * @pid: the traced process or command, 0 for the system.
 * @events: whether the kernel's perf events tell of new processes.
 * Return: 0 or a negative errno.
 */
int ct_meta_write(struct ct_writer *w, const struct ct_session_opts *opts,
		  const struct ct_source *source, const struct ct_settings *settings,
		  pid_t pid, bool events);

#endif /* COWTRACE_CAPTURE_META_H */
