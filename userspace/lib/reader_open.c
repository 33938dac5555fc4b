// SPDX-License-Identifier: GPL-2.0
#include "reader_parts.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "progress.h"
#include "temporary.h"

int (*ct_reader_opened)(int fd, struct ct_error *err);

/* A trace whose header is damaged must show a chunk this early. */
#define SEARCH_WITHOUT_HEADER	(1u << 20)

static int check_header(struct ct_reader *r, const char *path, uint64_t *first,
			struct ct_error *err)
{
	struct ct_file_header h;
	uint64_t end = r->info.size < SEARCH_WITHOUT_HEADER ? r->info.size :
							      SEARCH_WITHOUT_HEADER;
	const uint8_t *p = ct_reader_look(r, 0, sizeof(h));

	if (!r->info.size)
		return ct_error_set(err, -EINVAL,
				    "%s is empty: no trace was written; record it again", path);
	if (p)
		memcpy(&h, p, sizeof(h));
	if (p && !memcmp(h.magic, CT_FILE_MAGIC, sizeof(h.magic))) {
		if (le16toh(h.major) > CT_FILE_MAJOR)
			return ct_error_set(err, -EPROTO,
					    "%s has format %u.%u, this cowtrace reads up to %u.x: use a newer cowtrace",
					    path, le16toh(h.major), le16toh(h.minor),
					    CT_FILE_MAJOR);
		*first = le32toh(h.size);
		if (*first >= sizeof(h) && *first <= r->info.size && *first <= 4096)
			return 0;
	}
	*first = ct_reader_find_header(r, 0, end);
	if (*first == end)
		return ct_error_set(err, -EINVAL,
				    "%s is no cowtrace trace: neither its header nor a chunk was found; name a file that cowtrace record wrote",
				    path);
	ct_reader_damage(r, CT_DAMAGE_HEADER, 0, *first, 0, UINT32_MAX);
	return 0;
}

/* A file without a name, for what can be read only once. Return: open, or a negative errno. */
static int open_spool(const char *path, struct ct_error *err)
{
	const char *dir = ct_temporary_dir();
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return ct_error_set(err, -errno, "cannot store %s in %s: %s; set TMPDIR", path, dir,
				    strerror(errno));
	return fd;
}

static int spool(int from, int fd, const char *path, struct ct_error *err)
{
	const char *dir = ct_temporary_dir();
	size_t total = 0;
	char *buffer;
	int ret = 0;

	buffer = malloc(WINDOW);
	if (!buffer)
		ret = ct_error_set(err, -ENOMEM, "out of memory");
	while (!ret) {
		ssize_t got = read(from, buffer, WINDOW), put;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			ret = ct_error_set(err, -errno, "cannot read %s: %s", path,
					   strerror(errno));
		if (got <= 0)
			break;
		/* An endless device must not fill the disk. */
		if (!total && *buffer != *CT_FILE_MAGIC) {
			ret = ct_error_set(err, -EINVAL,
					   "%s is no cowtrace trace: its header is missing; pipe in what cowtrace record wrote",
					   path);
			break;
		}
		put = write(fd, buffer, got);
		if (put != got)
			ret = ct_error_set(err, put < 0 ? -errno : -ENOSPC,
					   "cannot store %s in %s: %s; set TMPDIR", path, dir,
					   strerror(put < 0 ? errno : ENOSPC));
		total += got;
		ct_progress("storing the trace", total, 0);
	}
	free(buffer);
	return ret;
}

/* Rights are given up between what needs them, to open, and the first byte that is read. */
static int take_file(struct ct_reader *r, const char *path, struct ct_error *err)
{
	int from = -1, ret = 0;
	struct stat st;

	if (fstat(r->fd, &st))
		return ct_error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return ct_error_set(err, -EISDIR, "%s is a directory; name a trace file", path);
	if (!S_ISREG(st.st_mode)) {
		int fd = open_spool(path, err);

		if (fd < 0)
			return fd;
		from = r->fd;
		r->fd = fd;
	}
	if (ct_reader_opened)
		ret = ct_reader_opened(r->fd, err);
	if (from >= 0) {
		if (!ret)
			ret = spool(from, r->fd, path, err);
		close(from);
	}
	if (ret)
		return ret;
	if (fstat(r->fd, &st))
		return ct_error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	r->info.size = st.st_size;
	return 0;
}

/* State of reading the schema chunks. */
struct schema_walk {
	struct ct_reader *r;
	char		*text;
	size_t		length;
	struct ct_error	*err;
};

static int take_schema(void *arg, uint32_t cpu, const void *data, size_t length)
{
	struct schema_walk *w = arg;
	int err;

	if (w->text) {
		if (length != w->length || memcmp(data, w->text, length))
			ct_reader_damage(w->r, CT_DAMAGE_SCHEMA, 0, length, CT_CHUNK_SCHEMA, cpu);
		return 0;
	}
	err = ct_schema_parse(data, length, &w->r->schema, w->err);
	if (err == -EINVAL) {
		ct_reader_damage(w->r, CT_DAMAGE_SCHEMA, 0, length, CT_CHUNK_SCHEMA, cpu);
		return 0;
	}
	if (err)
		return err;
	w->text = malloc(length);
	if (!w->text)
		return ct_error_set(w->err, -ENOMEM, "out of memory");
	w->length = length;
	memcpy(w->text, data, length);
	return 0;
}

static int load_schema(struct ct_reader *r, const char *path, struct ct_error *err)
{
	struct schema_walk walk = { .r = r, .err = err };
	char why[CT_ERROR_TEXT / 2];
	int ret;

	*err->text = '\0';
	ret = ct_reader_chunks(r, CT_CHUNK_SCHEMA, take_schema, &walk);
	free(walk.text);
	if (!ret && r->schema)
		return 0;
	if (ret && !*err->text)
		return ct_error_set(err, ret, "cannot read %s: out of memory", path);
	if (!*err->text)
		return ct_error_set(err, -EINVAL,
				    "%s: the chunk with the schema is missing or damaged, so records cannot be read; use another copy of the trace",
				    path);
	ct_clean_text(why, sizeof(why), err->text, sizeof(err->text));
	return ct_error_set(err, ret ? ret : -EINVAL, "%s: %s", path, why);
}

int ct_reader_open_fd(int fd, const char *path, struct ct_reader **out, struct ct_error *err)
{
	struct ct_reader *r = calloc(1, sizeof(*r));
	uint64_t first = 0;
	int ret;

	if (!r) {
		close(fd);
		return ct_error_set(err, -ENOMEM, "out of memory");
	}
	r->fd = fd;
	memset(r->stream_of_cpu, 0xff, sizeof(r->stream_of_cpu));
	ret = take_file(r, path, err);
	if (ret)
		goto fail;
	r->window_size = r->info.size < WINDOW_MIN ? WINDOW_MIN :
			 r->info.size < WINDOW ? r->info.size : WINDOW;
	r->window = malloc(r->window_size);
	if (!r->window) {
		ret = ct_error_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	ret = check_header(r, path, &first, err);
	if (ret)
		goto fail;
	ret = ct_reader_scan(r, first);
	if (ret) {
		ct_error_set(err, ret, "cannot read %s: %s", path, strerror(-ret));
		goto fail;
	}
	free(r->window);
	r->window = NULL;
	ret = load_schema(r, path, err);
	if (!ret)
		ret = ct_reader_streams(r, err);
	if (ret)
		goto fail;
	ct_reader_rewind(r);
	*out = r;
	return 0;
fail:
	ct_reader_close(r);
	return ret;
}

int ct_reader_open(const char *path, struct ct_reader **out, struct ct_error *err)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
			    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return ct_error_set(err, -errno, "cannot open %s: %s%s", path, strerror(errno),
				    errno == ENOENT ? "; record one with cowtrace record" : "");
	return ct_reader_open_fd(fd, standard ? "standard input" : path, out, err);
}

void ct_reader_close(struct ct_reader *r)
{
	size_t i;

	ct_progress_erase();
	if (!r)
		return;
	for (i = 0; i < r->nr_streams; i++) {
		free(r->streams[i].chunks);
		free(r->streams[i].buffer);
	}
	free(r->streams);
	free(r->others);
	free(r->heap);
	free(r->window);
	ct_schema_free(r->schema);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}
