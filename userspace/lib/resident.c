// SPDX-License-Identifier: GPL-2.0
#include "resident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Mapped at a time, and read at a time; pages. */
#define WINDOW	16384u
#define CHUNK	64u

/* Numbers and layout are those of all architectures; Linux 6.5 on. */
#ifndef SYS_cachestat
#define SYS_cachestat	451
#endif

struct range {
	uint64_t	offset, length;
};

struct cached {
	uint64_t	cache, dirty, writeback, evicted, recently_evicted;
};

/**
 * struct walk - a walk over a file
 * @fd: the file.
 * @page: bytes of a page.
 * @size: bytes of the file.
 * @told: mincore() tells the truth about it: it is ours.
 * @window: mapping of @WINDOW pages from @first on.
 * @first: page.
 * @nr: of them.
 * @in: what mincore() says of them.
 * @buffer: of CHUNK pages.
 * @found: for the caller.
 * @fn: likewise.
 * @arg: likewise.
 */
struct walk {
	int			fd;
	size_t			page;
	uint64_t		size;
	bool			told;
	char			*window;
	uint64_t		first;
	size_t			nr;
	unsigned char		*in;
	char			*buffer;
	struct ct_resident	*found;
	ct_resident_fn		*fn;
	void			*arg;
};

/* Has it any page at all there? Saves the mapping of most files of a large tree. */
static bool nothing_cached(int fd)
{
	struct range all = { 0 };
	struct cached found;

	return !syscall(SYS_cachestat, fd, &all, &found, 0) && !found.cache;
}

/* What is behind the end of the file is zero in the page cache. */
static int show(struct walk *w, uint64_t index, char *page, size_t bytes)
{
	memset(page + bytes, 0, w->page - bytes);
	return w->fn(w->arg, index, page);
}

static size_t bytes_of(const struct walk *w, uint64_t index)
{
	uint64_t left = w->size - index * w->page;

	return left < w->page ? left : w->page;
}

/*
 * RWF_NOWAIT also refuses what is there when the page is marked to start reading ahead,
 * or is being written to. Through the mapping, which is marked random, nothing is read
 * ahead; process_vm_readv() fails, where an access would kill us, when the file was cut.
 */
static int read_mapped(struct walk *w, uint64_t index, char *to)
{
	char *at = w->window + (index - w->first) * w->page;
	size_t bytes = bytes_of(w, index);
	struct iovec local = { .iov_base = to, .iov_len = bytes };
	struct iovec remote = { .iov_base = at, .iov_len = bytes };
	unsigned char in;

	if (!w->told || mincore(at, w->page, &in) || !(in & 1) ||
	    process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)bytes) {
		w->found->pages -= !w->told;
		w->found->gone += w->told;
		return 0;
	}
	return show(w, index, to, bytes);
}

/* Pages in a row that are all there. */
static int read_run(struct walk *w, uint64_t index, size_t nr)
{
	int ret = 0;

	while (!ret && nr) {
		struct iovec v = { .iov_base = w->buffer, .iov_len = nr * w->page };
		ssize_t n = preadv2(w->fd, &v, 1, index * w->page, RWF_NOWAIT);
		size_t i, whole;

		if (n < 0 && errno == EINTR)
			continue;
		/* The last page of a file is whole when it has come to its end. */
		whole = n <= 0 ? 0 : index * w->page + n == w->size ?
			(n + w->page - 1) / w->page : n / w->page;
		if (whole > nr)
			whole = nr;
		for (i = 0; !ret && i < whole; i++)
			ret = show(w, index + i, w->buffer + i * w->page, bytes_of(w, index + i));
		if (!whole) {
			ret = read_mapped(w, index, w->buffer);
			whole = 1;
		}
		index += whole;
		nr -= whole;
	}
	return ret;
}

static int walk_window(struct walk *w)
{
	size_t i, run;
	int ret = 0;

	if (mincore(w->window, w->nr * w->page, w->in))
		return -errno;
	for (i = 0; !ret && i < w->nr; i += run ?: 1) {
		for (run = 0; run < CHUNK && i + run < w->nr && (w->in[i + run] & 1); run++)
			;
		w->found->pages += run;
		if (run)
			ret = read_run(w, w->first + i, run);
	}
	return ret;
}

static int walk_file(struct walk *w)
{
	uint64_t pages = (w->size + w->page - 1) / w->page;
	int ret = 0;

	for (w->first = 0; !ret && w->first < pages; w->first += w->nr) {
		w->nr = pages - w->first < WINDOW ? pages - w->first : WINDOW;
		w->window = mmap(NULL, w->nr * w->page, PROT_READ, MAP_SHARED, w->fd,
				 w->first * w->page);
		if (w->window == MAP_FAILED)
			return -errno;
		madvise(w->window, w->nr * w->page, MADV_RANDOM);
		ret = walk_window(w);
		munmap(w->window, w->nr * w->page);
	}
	return ret;
}

int ct_resident_walk(int fd, struct ct_resident *found, ct_resident_fn *fn, void *arg)
{
	struct walk w = {
		.fd = fd, .page = sysconf(_SC_PAGESIZE), .found = found, .fn = fn, .arg = arg,
	};
	struct stat st;
	int ret = -ENOMEM;

	memset(found, 0, sizeof(*found));
	if (fstat(fd, &st))
		return -errno;
	w.size = st.st_size;
	if (!w.size || nothing_cached(fd))
		return 0;
	w.told = !geteuid() || st.st_uid == geteuid() || !faccessat(fd, "", W_OK, AT_EMPTY_PATH);
	/* Pages that are looked at for this are not to live longer for it; Linux 6.3 on. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_NOREUSE);
	w.in = malloc(WINDOW);
	w.buffer = aligned_alloc(w.page, CHUNK * w.page);
	if (w.in && w.buffer)
		ret = walk_file(&w);
	free(w.in);
	free(w.buffer);
	return ret;
}
