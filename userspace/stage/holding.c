// SPDX-License-Identifier: GPL-2.0
/* References to pages that outlast a system call: pipes, fixed buffers, direct I/O. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "devices.h"
#include "host.h"
#include "scene.h"

#define PAGE		4096ul
#define PIPES		32
#define PIPE_PAGES	16	/* what a pipe takes without F_SETPIPE_SZ */

/* What holds an area; zeroed: nothing does. */
static struct hold {
	int		pipe[PIPES][2];
	unsigned int	nr_pipes;
	int		ring;
	bool		ringing;
	pthread_t	reader;
	bool		reading;
	int		disk;
	_Atomic pid_t	reader_tid;
	struct iovec	memory;
} holds[CT_EXP_AREAS];

static int hold_pipe(struct hold *h, struct ct_error *err)
{
	struct iovec part = h->memory;
	int *fds;

	for (; part.iov_len; h->nr_pipes++) {
		struct iovec now = part;

		if (now.iov_len > PIPE_PAGES * PAGE)
			now.iov_len = PIPE_PAGES * PAGE;
		if (h->nr_pipes == PIPES)
			return ct_error_set(err, -E2BIG, "an area in pipes has at most %d pages",
					    PIPES * PIPE_PAGES);
		fds = h->pipe[h->nr_pipes];
		if (pipe2(fds, O_CLOEXEC))
			return ct_error_set(err, -errno, "pipe: %s", strerror(errno));
		if (vmsplice(fds[1], &now, 1, 0) != (ssize_t)now.iov_len)
			return ct_error_set(err, -errno, "vmsplice: %s", strerror(errno));
		part.iov_base = (char *)part.iov_base + now.iov_len;
		part.iov_len -= now.iov_len;
	}
	return 0;
}

static int hold_uring(struct hold *h, struct ct_error *err)
{
	struct io_uring_params params = { 0 };
	int code;

	h->ring = syscall(SYS_io_uring_setup, 1, &params);
	if (h->ring < 0)
		return ct_error_set(err, -ENODEV,
				    "io_uring_setup: %s: is it switched off? sysctl kernel.io_uring_disabled=0",
				    strerror(errno));
	if (syscall(SYS_io_uring_register, h->ring, IORING_REGISTER_BUFFERS, &h->memory, 1)) {
		code = -errno;
		close(h->ring);
		return ct_error_set(err, code, "IORING_REGISTER_BUFFERS: %s", strerror(-code));
	}
	h->ringing = true;
	return 0;
}

static void *read_slowly(void *arg)
{
	struct hold *h = arg;

	h->reader_tid = gettid();
	if (pread(h->disk, h->memory.iov_base, h->memory.iov_len, 0) < 0)
		h->disk = -1;
	return NULL;
}

static int hold_direct(struct ct_scene *scene, struct hold *h, struct ct_error *err)
{
	int i;

	h->disk = open(scene->slow_disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (h->disk < 0)
		return ct_error_set(err, -errno, "cannot open %s: %s", scene->slow_disk,
				    strerror(errno));
	if (pthread_create(&h->reader, NULL, read_slowly, h))
		return ct_error_set(err, -EAGAIN, "no further thread");
	h->reading = true;
	for (i = 0; i < 1000; i++) {
		/* On its way: the reader sleeps without a chance to be woken. */
		if (h->reader_tid && ct_task_state(h->reader_tid) == 'D')
			return 0;
		usleep(1000);
	}
	return ct_error_set(err, -EIO, "reading from %s has not begun", scene->slow_disk);
}

int ct_act_hold(const struct ct_turn *t, struct ct_error *err)
{
	struct hold *h = &holds[t->op->area];

	h->memory.iov_base = t->scene->base[t->op->area];
	h->memory.iov_len = ct_area_bytes(&t->scene->e->area[t->op->area]);
	if (!strcmp(t->op->word, "pipe"))
		return hold_pipe(h, err);
	if (!strcmp(t->op->word, "uring"))
		return hold_uring(h, err);
	return hold_direct(t->scene, h, err);
}

int ct_act_release(const struct ct_turn *t, struct ct_error *err)
{
	struct hold *h = &holds[t->op->area];

	(void)err;
	while (h->nr_pipes) {
		h->nr_pipes--;
		close(h->pipe[h->nr_pipes][0]);
		close(h->pipe[h->nr_pipes][1]);
	}
	if (h->ringing) {
		/* Closing it alone would let go later. */
		syscall(SYS_io_uring_register, h->ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
		close(h->ring);
		h->ringing = false;
	}
	if (h->reading) {
		pthread_join(h->reader, NULL);
		h->reading = false;
		if (h->disk >= 0)
			close(h->disk);
	}
	return 0;
}
