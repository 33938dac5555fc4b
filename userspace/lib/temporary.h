/* SPDX-License-Identifier: GPL-2.0 */
/* Temporary files, in TMPDIR where that is set. */
#ifndef COWTRACE_TEMPORARY_H
#define COWTRACE_TEMPORARY_H

#include <stddef.h>

/* Where they go. */
const char *ct_temporary_dir(void);

/**
 * ct_temporary_open() - create one
 * @path: receives its name, for the caller to unlink.
 * @size: bytes of @path.
 * Return: its descriptor or a negative errno; @path is given in both cases.
 */
int ct_temporary_open(char *path, size_t size);

#endif /* COWTRACE_TEMPORARY_H */
