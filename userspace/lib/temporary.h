/* SPDX-License-Identifier: GPL-2.0 */
/* Temporary files, in TMPDIR where that is set. */
#ifndef COWTRACE_TEMPORARY_H
#define COWTRACE_TEMPORARY_H

#include <stddef.h>

/* Where they go. */
const char *ct_temporary_dir(void);

/**
 * ct_temporary_open() - create one without a name, so that nothing is left behind
 * @path: receives what opens it again while the descriptor is open; on failure, what
 *	could not be created.
 * @size: bytes of @path.
 * Return: its descriptor or a negative errno.
 */
int ct_temporary_open(char *path, size_t size);

#endif /* COWTRACE_TEMPORARY_H */
