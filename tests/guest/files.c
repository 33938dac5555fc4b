// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "files.h"
#include "process.h"
#include "report.h"

ssize_t file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) != 0) {
		if (got < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		n += got;
	}
	buf[n] = '\0';
	close(fd);
	return n;
}

static int write_as(const char *path, int flags, const char *text)
{
	size_t size = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	int err = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, size);
	if (n < 0)
		err = -errno;
	else if ((size_t)n != size)
		err = -EIO;
	close(fd);
	return err;
}

int file_append(const char *path, const char *text)
{
	return write_as(path, O_APPEND, text);
}

int file_write(const char *path, const char *text)
{
	return write_as(path, 0, text);
}

static const char *cow_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), COW_DIR "/%s", name);
	return path;
}

ssize_t cow_read(const char *name, char *buf, size_t size)
{
	return file_read(cow_path(name), buf, size);
}

int cow_write(const char *name, const char *text)
{
	return file_write(cow_path(name), text);
}

int cow_open(const char *name, int flags)
{
	int fd = open(cow_path(name), flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Static, so that reading a file faults nothing anew. */
static char text[1 << 20];

long long value_in(const char *path, const char *name)
{
	size_t len = strlen(name);
	char *line, *rest = text;

	if (file_read(path, text, sizeof(text)) < 0)
		return -1;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoll(line + len + 1, NULL, 10);
	return -1;
}

long long json_number(const char *from, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = from ? strstr(from, key) : NULL;
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

bool file_has(const char *path, const char *what)
{
	return file_read(path, text, sizeof(text)) >= 0 && strstr(text, what);
}

void file_wait(const char *path, const char *what)
{
	while (!file_has(path, what))
		sleep_ms(10);
}

bool ext4_on_mnt(void)
{
	struct statfs f;

	return !statfs("/mnt", &f) && f.f_type == EXT4_SUPER_MAGIC;
}

bool disk_of(const char *where, char *device, size_t size)
{
	char word[128], *line, *end;

	snprintf(word, sizeof(word), " %s ", where);
	if (!file_has("/proc/mounts", word))
		return false;
	end = strstr(text, word);
	for (line = end; line > text && line[-1] != '\n'; line--)
		;
	snprintf(device, size, "%.*s", (int)(end - line), line);
	return true;
}

int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	need(fd >= 0, "/dev/kmsg: %s", strerror(errno));
	lseek(fd, 0, SEEK_END);
	return fd;
}

const char *log_read(int fd)
{
	static char lines[1 << 16];
	char record[8192], *message;
	size_t n = 0;
	ssize_t got;

	lines[0] = '\0';
	while ((got = read(fd, record, sizeof(record) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		if (got < 0)
			continue;
		record[got] = '\0';
		message = strchr(record, ';');
		if (message && n + got < sizeof(lines))
			n += sprintf(lines + n, "%s", message + 1);
	}
	return lines;
}
