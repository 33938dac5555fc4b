// SPDX-License-Identifier: GPL-2.0
#include "writer.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct ct_writer {
	int		fd;
	/* A regular file can be cut back to the last whole chunk. */
	bool		can_cut;
	bool		owns_fd;
	int		error;
	uint64_t	bytes;
	/* Written once more at the end: without it no record can be read. */
	void		*schema;
	size_t		schema_length;
};

static int write_all(int fd, struct iovec *v, int n)
{
	while (n) {
		ssize_t got = writev(fd, v, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (; n && (size_t)got >= v->iov_len; v++, n--)
			got -= v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + got;
			v->iov_len -= got;
		}
	}
	return 0;
}

/* All or nothing where the file can be cut. */
static int append(struct ct_writer *w, struct iovec *v, int n)
{
	uint64_t length = 0;
	int i, err;

	for (i = 0; i < n; i++)
		length += v[i].iov_len;
	err = write_all(w->fd, v, n);
	if (!err) {
		w->bytes += length;
		return 0;
	}
	/* What cannot be taken back is a broken last chunk; readers survive it. */
	if (w->can_cut && !ftruncate(w->fd, w->bytes))
		lseek(w->fd, w->bytes, SEEK_SET);
	w->error = err;
	return err;
}

/* Return: as of open(2). */
static int open_new(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? open(path, flags | O_EXCL, 0600) : -1;
	if (!S_ISREG(st.st_mode))
		return open(path, flags | O_TRUNC, 0600);
	return unlink(path) ? -1 : open(path, flags | O_EXCL, 0600);
}

/*
 * A trace is for the eyes of who takes it. A file that is there has an owner, a mode and
 * readers of its own, so a new one takes its place. Where a link leads is somebody's choice.
 * What comes between the look and the open, in a directory for all, is looked at once more.
 * Return: as of open(2).
 */
static int open_private(const char *path)
{
	int fd = open_new(path);

	return fd < 0 && errno == EEXIST ? open_new(path) : fd;
}

int ct_writer_open(const char *path, struct ct_writer **out)
{
	struct ct_file_header h = {
		.major = htole16(CT_FILE_MAJOR),
		.minor = htole16(CT_FILE_MINOR),
		.size = htole32(sizeof(h)),
	};
	struct iovec v = { &h, sizeof(h) };
	struct ct_writer *w;
	struct stat st;
	int err;

	memcpy(h.magic, CT_FILE_MAGIC, sizeof(h.magic));
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->owns_fd = strcmp(path, "-");
	w->fd = w->owns_fd ? open_private(path) : STDOUT_FILENO;
	if (w->fd < 0) {
		err = -errno;
		free(w);
		return err;
	}
	/* Standard output may be somebody's file opened for appending: leave it whole. */
	w->can_cut = w->owns_fd && !fstat(w->fd, &st) && S_ISREG(st.st_mode);
	err = append(w, &v, 1);
	if (err) {
		if (w->owns_fd)
			close(w->fd);
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

int ct_writer_chunk(struct ct_writer *w, uint32_t type, uint32_t cpu,
		    const void *data, size_t length)
{
	static const char zeros[8];
	struct ct_chunk_header h = {
		.magic = htole32(CT_CHUNK_MAGIC),
		.type = htole32(type),
		.cpu = htole32(cpu),
		.length = htole32(length),
	};
	struct iovec v[] = {
		{ &h, sizeof(h) },
		{ (void *)data, length },
		{ (void *)zeros, -length & 7 },
	};

	if (w->error)
		return w->error;
	if (length > CT_CHUNK_MAX)
		return -EINVAL;
	if (type == CT_CHUNK_SCHEMA && !w->schema) {
		w->schema = malloc(length);
		if (w->schema) {
			memcpy(w->schema, data, length);
			w->schema_length = length;
		}
	}
	h.payload_crc = htole32(libdeflate_crc32(0, data, length));
	h.header_crc = htole32(libdeflate_crc32(0, &h,
						offsetof(struct ct_chunk_header, header_crc)));
	return append(w, v, 3);
}

int ct_writer_state(struct ct_writer *w, const char *name, const char *text)
{
	char *chunk;
	int n = asprintf(&chunk, "%s\n%s", name, text), err;

	if (n < 0)
		return -ENOMEM;
	err = ct_writer_chunk(w, CT_CHUNK_STATE, UINT32_MAX, chunk, n);
	free(chunk);
	return err;
}

uint64_t ct_writer_bytes(const struct ct_writer *w)
{
	return w->bytes;
}

int ct_writer_close(struct ct_writer *w)
{
	int err;

	if (w->schema)
		ct_writer_chunk(w, CT_CHUNK_SCHEMA, UINT32_MAX, w->schema, w->schema_length);
	err = ct_writer_chunk(w, CT_CHUNK_END, UINT32_MAX, NULL, 0);
	/* close() is where some file systems first report a full disk. */
	if (w->owns_fd && close(w->fd) && !err)
		err = -errno;
	free(w->schema);
	free(w);
	return err;
}
