/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel module as a source of records, through debugfs. */
#ifndef COWTRACE_MODULE_H
#define COWTRACE_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "capture_source.h"

/**
 * struct ct_module - the loaded module
 * @source: the source that it is.
 * @dir: its debugfs directory; the descriptor carries the claim.
 * @log: the kernel log, -1 when it may not be read.
 * @loaded_here: we loaded it, and unload it at close.
 */
struct ct_module {
	struct ct_source source;
	int		dir;
	int		log;
	bool		loaded_here;
};

/**
 * ct_debugfs_dir() - where debugfs is mounted
 * @path: receives the mount point.
 * @size: bytes of @path.
 * Return: 0 or -ENOENT.
 */
int ct_debugfs_dir(char *path, size_t size);

/**
 * ct_module_open() - find the module, load it where it is only installed
 * @m: filled in.
 * @err: what is missing and what to do.
 * Return: 0 or a negative errno.
 */
int ct_module_open(struct ct_module *m, struct ct_error *err);

/**
 * ct_module_claim() - become the one cowtrace that changes settings
 * @m: the module.
 * @err: who is in the way.
 *
 * The claim ends with ct_module_close() or with the process.
 *
 * Return: 0, or -EBUSY when another cowtrace has it or tracing is already on.
 */
int ct_module_claim(struct ct_module *m, struct ct_error *err);

/**
 * ct_module_open_file() - open a file of the module
 * @m: the module.
 * @what: its name below the module's directory.
 * @flags: of open(2).
 * @err: what is wrong.
 * Return: a descriptor or a negative errno.
 */
int ct_module_open_file(struct ct_module *m, const char *what, int flags, struct ct_error *err);

/**
 * ct_module_close() - let go of the module, unload it if we loaded it
 * @m: the module.
 */
void ct_module_close(struct ct_module *m);

#endif /* COWTRACE_MODULE_H */
