// SPDX-License-Identifier: GPL-2.0
/* Files that cowtrace makes: whose they are, and what is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "generate.h"
#include "tap.h"
#include "temporary.h"
#include "wrapped.h"
#include "writer.h"

static void check_temporary(void)
{
	char *dir = temporary_file(), path[4096], text[4] = "";
	int fd, again;

	unlink(dir);
	if (mkdir(dir, 0700) || setenv("TMPDIR", dir, 1))
		abort();
	fd = ct_temporary_open(path, sizeof(path));
	ok(fd >= 0 && !rmdir(dir), "a temporary file has no name");
	again = open(path, O_RDONLY);
	ok(write(fd, "abc", 3) == 3 && read(again, text, 3) == 3 && !strcmp(text, "abc"),
	   "it is opened again by what stands for its name");
	close(again);
	close(fd);
	fd = ct_temporary_open(path, sizeof(path));
	ok(fd == -ENOENT && !strncmp(path, dir, strlen(dir)),
	   "where it cannot be made, that place is told");
	free(dir);
}

static void write_trace(const char *path)
{
	struct ct_writer *w;

	if (ct_writer_open(path, &w))
		abort();
	ct_writer_close(w);
}

static void check_trace(void)
{
	char *path = temporary_file(), *link, byte;
	struct stat before, st;
	int reader;

	if (asprintf(&link, "%s.link", path) < 0 || symlink(path, link))
		abort();
	chmod(path, 0666);
	reader = open(path, O_RDONLY);
	write_trace(path);
	ok(!stat(path, &st) && (st.st_mode & 0777) == 0600,
	   "a trace is its owner's alone, whatever the mode of what stood there");
	ok(!read(reader, &byte, 1), "who has that open reads none of it");
	close(reader);
	chmod(path, 0644);
	stat(path, &before);
	write_trace(link);
	ok(!stat(path, &st) && st.st_ino == before.st_ino && (st.st_mode & 0777) == 0644,
	   "where a link leads is written as it is");
	unlink(link);
	unlink(path);
	free(link);
	free(path);
}

/* Where a stranger puts files for all after a look, how often, and the last of them. */
static const char *place;
static int plants, planted;

int __wrap_lstat64(const char *path, struct stat *st)
{
	bool mine = place && plants && !strcmp(path, place);
	int ret;

	if (mine)
		unlink(path);
	ret = __real_lstat64(path, st);
	if (!mine)
		return ret;
	plants--;
	planted = open(path, O_RDWR | O_CREAT | O_EXCL, 0666);
	errno = ENOENT;
	return ret;
}

static void check_stranger(void)
{
	char *path = temporary_file(), byte;
	struct ct_writer *w;
	struct stat st;
	int ret;

	place = path;
	plants = 1;
	write_trace(path);
	ok(planted > 0 && !read(planted, &byte, 1) && !stat(path, &st) && st.st_size &&
	   (st.st_mode & 0777) == 0600,
	   "a file that a stranger puts there after a look gets none of the trace");
	close(planted);
	plants = 2;
	ret = ct_writer_open(path, &w);
	ok(ret == -EEXIST && !read(planted, &byte, 1),
	   "and none after the second look, which is the last");
	if (!ret)
		ct_writer_close(w);
	close(planted);
	unlink(path);
	free(path);
}

int main(void)
{
	check_trace();
	check_stranger();
	check_temporary();
	return tap_end();
}
