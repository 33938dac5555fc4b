// SPDX-License-Identifier: GPL-2.0
/* The files of a run are opened by one process, and looked at by another, which may less. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "open_regular.h"
#include "verify.h"

/* More than all experiments print: an endless device must not fill the memory. */
#define TEXT_MAX	(64u << 20)

static int read_all(int fd, struct ct_verify_files *files)
{
	size_t room = 0;
	ssize_t got = 1;

	while (got) {
		if (room - files->length < 4096) {
			char *more;

			room = room ? 2 * room : 1 << 16;
			if (room > TEXT_MAX)
				return -EFBIG;
			more = realloc(files->text, room);
			if (!more)
				return -ENOMEM;
			files->text = more;
		}
		got = read(fd, files->text + files->length, room - files->length);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			files->length += got;
	}
	return 0;
}

int ct_verify_open(const char *path, struct ct_verify_files *files, struct ct_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), ret;

	*files = (struct ct_verify_files) { .path = path, .trace = -1 };
	ret = fd < 0 ? -errno : read_all(fd, files);
	if (fd >= 0)
		close(fd);
	return ret ? ct_error_set(err, ret, "cannot read %s: %s", path, strerror(-ret)) : 0;
}

/*
 * The one look with all rights, at eight bytes: what only root may read, and is no trace,
 * is not for who parses what a stranger wrote.
 */
static bool begins_as_trace(int fd)
{
	char magic[sizeof(((struct ct_file_header *)0)->magic)] = "";

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, CT_FILE_MAGIC, sizeof(magic));
}

/*
 * Where runs and traces were copied to another machine, they stand together. The name is
 * somebody else's, and may lead to a FIFO or a device.
 */
int ct_verify_open_trace(struct ct_verify_files *files, const char *name, struct ct_error *err)
{
	const char *slash = strrchr(files->path, '/'), *last = strrchr(name, '/');
	size_t size = sizeof(files->trace_path);

	snprintf(files->trace_path, size, "%.*s%s", slash ? (int)(slash + 1 - files->path) : 0,
		 files->path, last ? last + 1 : name);
	files->trace = ct_open_regular(files->trace_path, 0, 0);
	if (files->trace < 0) {
		snprintf(files->trace_path, size, "%s", name);
		files->trace = ct_open_regular(files->trace_path, 0, 0);
	}
	if (files->trace < 0)
		return ct_error_set(err, files->trace,
				    "cannot read the trace of %s, %s: put it beside it",
				    files->path, files->trace_path);
	return begins_as_trace(files->trace) ? 0 :
	       ct_error_set(err, -EINVAL,
			    "%s, which %s names, does not begin as a trace does: it is none, or damaged, record it again",
			    files->trace_path, files->path);
}

void ct_verify_close(struct ct_verify_files *files)
{
	free(files->text);
	if (files->trace >= 0)
		close(files->trace);
}
