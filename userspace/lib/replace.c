// SPDX-License-Identifier: GPL-2.0
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * struct ct_replace - a file that is written
 * @file: the stream.
 * @path: its place, links followed.
 * @mode: of what stood there, or of a new file.
 * @beside: where it stands until it is finished, NULL when it is written in place.
 */
struct ct_replace {
	FILE	*file;
	char	*path;
	mode_t	mode;
	char	*beside;
};

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* What a signal has to take away. */
static const char *_Atomic unfinished;

static void give_up(int sig)
{
	if (unfinished)
		unlink(unfinished);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void take_signals(void (*handler)(int))
{
	struct sigaction old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		/* nohup has them ignored. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			signal(signals[i], handler);
}

static void release(struct ct_replace *r)
{
	free(r->beside);
	free(r->path);
	free(r);
}

/* Of a new file, readable as any other: node_exporter is another user. */
static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* A file beside @r->path. */
static int open_beside(struct ct_replace *r)
{
	int fd;

	if (asprintf(&r->beside, "%s.XXXXXX", r->path) < 0) {
		r->beside = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(r->beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fchmod(fd, r->mode);
	unfinished = r->beside;
	take_signals(give_up);
	return fd;
}

static int open_as_it_is(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * The kernel follows links, by its rules (fs.protected_symlinks): realpath(path) would
 * follow those that a stranger has put into a directory for all.
 */
static int open_place(struct ct_replace *r, const char *path)
{
	int fd, at = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	char link[32];

	if (at < 0 && errno != ENOENT)
		return -errno;
	if (at >= 0 && (fstat(at, &st) || !S_ISREG(st.st_mode))) {
		close(at);
		r->path = strdup(path);
		return r->path ? open_as_it_is(path) : -ENOMEM;
	}
	r->mode = at < 0 ? usual_mode() : st.st_mode & 0777;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	r->path = at < 0 ? strdup(path) : realpath(link, NULL);
	fd = r->path ? open_beside(r) : -errno;
	if (at >= 0)
		close(at);
	return fd;
}

int ct_replace_open(const char *path, struct ct_replace **replace, FILE **file,
		    struct ct_error *err)
{
	struct ct_replace *r = calloc(1, sizeof(*r));
	int fd;

	if (!r)
		return ct_error_set(err, -ENOMEM, "out of memory");
	fd = open_place(r, path);
	r->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!r->file) {
		ct_error_set(err, fd < 0 ? fd : -ENOMEM,
			     "cannot write %s: %s: choose another file", path,
			     strerror(fd < 0 ? -fd : ENOMEM));
		release(r);
		return err->code;
	}
	*replace = r;
	*file = r->file;
	return 0;
}

/* On the disk before it has its name: a crash leaves the old file or the new one. */
static int finish(struct ct_replace *r)
{
	int ret = 0;

	if (ferror(r->file) || fflush(r->file))
		ret = errno ? -errno : -EIO;
	if (!ret && r->beside && fsync(fileno(r->file)))
		ret = -errno;
	if (fclose(r->file) && !ret)
		ret = -errno;
	if (!ret && r->beside && rename(r->beside, r->path))
		ret = -errno;
	return ret;
}

int ct_replace_end(struct ct_replace *r, bool keep, struct ct_error *err)
{
	int ret = 0;

	if (keep)
		ret = finish(r);
	else
		fclose(r->file);
	if (r->beside) {
		if (!keep || ret)
			unlink(r->beside);
		unfinished = NULL;
		take_signals(SIG_DFL);
	}
	if (ret)
		ct_error_set(err, ret, "cannot write %s: %s: it is as it was before, make room or choose another file",
			     r->path, strerror(-ret));
	release(r);
	return ret;
}
