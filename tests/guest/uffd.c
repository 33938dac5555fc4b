// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"
#include "uffd.h"

int uffd_open(uint64_t features)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = features | UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	need(fd >= 0, "userfaultfd: %s", strerror(errno));
	if (!ioctl(fd, UFFDIO_API, &api))
		return fd;
	close(fd);
	return -1;
}

void uffd_register(int fd, char *mem, size_t pages)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, pages * PAGE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	need(!ioctl(fd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER: %s", strerror(errno));
}

void uffd_protect(int fd, char *mem, size_t pages, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)mem, pages * PAGE },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	need(!ioctl(fd, UFFDIO_WRITEPROTECT, &wp), "UFFDIO_WRITEPROTECT: %s", strerror(errno));
}

void uffd_wait(int fd)
{
	struct uffd_msg msg;

	need(read(fd, &msg, sizeof(msg)) == sizeof(msg) && msg.event == UFFD_EVENT_PAGEFAULT,
	     "userfaultfd says nothing of a fault");
}
