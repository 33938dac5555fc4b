/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and unloading cowtrace.ko, and why the kernel refused it. */
#ifndef COWTRACE_MODULE_LOAD_H
#define COWTRACE_MODULE_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/**
 * struct ct_load_cause - one way in which loading fails
 * @code: errno of the module loader, 0 when modprobe found no module.
 * @words: what modprobe (kmod's or busybox's) prints for it, or NULL.
 * @log: words of the kernel log that mean the same, or NULL.
 * @cause: what it means.
 * @next: what to do.
 */
struct ct_load_cause {
	int		code;
	const char	*words;
	const char	*log;
	const char	*cause;
	const char	*next;
};

/* Whether the module is loaded. */
bool ct_module_is_loaded(void);

/**
 * ct_module_load() - load the installed module by modprobe
 * @log: of ct_log_open(), or -1.
 * @err: receives cause and next step.
 * Return: 0 or a negative errno.
 */
int ct_module_load(int log, struct ct_error *err);

/**
 * ct_module_unload() - unload the module
 * Return: 0 or a negative errno, -EBUSY when somebody uses it.
 */
int ct_module_unload(void);

/**
 * ct_load_cause_of_log() - explain a kernel log line of a failed load
 * @line: the line.
 * Return: the cause, or NULL when the line is none of those.
 */
const struct ct_load_cause *ct_load_cause_of_log(const char *line);

/**
 * ct_lockdown() - the kernel's lockdown mode
 * @root: put before the path of securityfs, "" for the system itself.
 * @mode: receives none, integrity or confidentiality.
 * @size: bytes of @mode.
 * Return: 0, -ENOENT when the kernel has no lockdown or securityfs is not mounted.
 */
int ct_lockdown(const char *root, char *mode, size_t size);

#endif /* COWTRACE_MODULE_LOAD_H */
