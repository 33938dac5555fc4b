/* SPDX-License-Identifier: GPL-2.0 */
/* What the module has counted until now, as a trace without records. */
#ifndef COWTRACE_LIVE_H
#define COWTRACE_LIVE_H

#include <stddef.h>

#include "error.h"

/**
 * ct_live_trace() - ask the loaded module, and change nothing
 * @path: receives what opens a temporary trace, which is gone when the process ends.
 * @size: bytes of @path.
 * @err: filled in on failure.
 * Return: 0 or a negative errno.
 */
int ct_live_trace(char *path, size_t size, struct ct_error *err);

/* How to have all faults of the machine counted, for help texts. */
#define CT_LIVE_BY_HAND							\
	"write counts to mode and 1 to enabled below cowtrace/ in debugfs, or count a command by cowtrace run"

#endif /* COWTRACE_LIVE_H */
