/* SPDX-License-Identifier: GPL-2.0 */
/* Writing a trace file (format.h). */
#ifndef COWTRACE_WRITER_H
#define COWTRACE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"

struct ct_writer;

/**
 * ct_writer_open() - create a trace file and write its header
 * @path: file to create, in the place of one that is there; a link, a device and the like
 *	is written to as it is. "-" for standard output.
 * @w: receives the writer.
 * Return: 0, -EEXIST where somebody else makes such a file each time that it is looked
 * for, or another negative errno.
 */
int ct_writer_open(const char *path, struct ct_writer **w);

/**
 * ct_writer_chunk() - append one chunk
 * @w: the writer.
 * @type: enum ct_chunk_type.
 * @cpu: CPU, or UINT32_MAX.
 * @data: payload.
 * @length: bytes of it, at most CT_CHUNK_MAX.
 *
 * A chunk that does not fit on the disk is taken back (the file is cut to the
 * last whole chunk where it can be), so that what was written stays readable.
 *
 * Return: 0 or a negative errno; after an error further calls return the same.
 */
int ct_writer_chunk(struct ct_writer *w, uint32_t type, uint32_t cpu,
		    const void *data, size_t length);

/**
 * ct_writer_state() - append a text that the module keeps
 * @w: the writer.
 * @name: the file that it was read from.
 * @text: what stood there.
 * Return: as ct_writer_chunk(), or -ENOMEM, which the writer forgets.
 */
int ct_writer_state(struct ct_writer *w, const char *name, const char *text);

/* Bytes written so far, headers included. */
uint64_t ct_writer_bytes(const struct ct_writer *w);

/**
 * ct_writer_close() - write the end chunk if all went well, and close
 *
 * The schema is written a second time before it.
 *
 * Return: 0 or the negative errno of the first error.
 */
int ct_writer_close(struct ct_writer *w);

#endif /* COWTRACE_WRITER_H */
