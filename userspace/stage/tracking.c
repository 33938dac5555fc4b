// SPDX-License-Identifier: GPL-2.0
/* Write protection by userfaultfd. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scene.h"

#define PAGE	4096ul

#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC	(1 << 15)
#endif

static int uffd_open(uint64_t features)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = features | UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return -ENODEV;
	if (!ioctl(fd, UFFDIO_API, &api))
		return fd;
	close(fd);
	return -EOPNOTSUPP;
}

static int protect(int fd, uint64_t start, uint64_t bytes, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { start, bytes },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
}

/* Lets each write pass when it has been told of it. */
static void *let_pass(void *arg)
{
	int fd = (intptr_t)arg;
	struct uffd_msg msg;

	while (read(fd, &msg, sizeof(msg)) == sizeof(msg))
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			protect(fd, msg.arg.pagefault.address & ~(PAGE - 1), PAGE, false);
	return NULL;
}

int ct_act_uffd(const struct ct_turn *t, struct ct_error *err)
{
	size_t bytes = ct_area_bytes(&t->scene->e->area[t->op->area]);
	uint64_t start = (uintptr_t)t->scene->base[t->op->area];
	bool async = !strcmp(t->op->word, "async");
	struct uffdio_register reg = {
		.range = { start, bytes },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int fd = uffd_open(async ? UFFD_FEATURE_WP_ASYNC : 0), ret;
	pthread_t thread;

	if (fd < 0)
		return ct_error_set(err, fd, async ? "this kernel has no asynchronous write protection by userfaultfd: %s" :
				    "no userfaultfd: %s", strerror(-fd));
	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		return ct_error_set(err, -errno, "UFFDIO_REGISTER: %s", strerror(errno));
	if (!async && pthread_create(&thread, NULL, let_pass, (void *)(intptr_t)fd))
		return ct_error_set(err, -EAGAIN, "no further thread");
	ret = protect(fd, start, bytes, true);
	return ret ? ct_error_set(err, ret, "UFFDIO_WRITEPROTECT: %s", strerror(-ret)) : 0;
}
