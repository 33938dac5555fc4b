// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hold-client.h"
#include "lib.h"

void hold_load(void)
{
	int err = module_load("-hold", "");

	need(!err, "loading cowtrace-hold: %s", strerror(-err));
}

int hold_open(void)
{
	int fd = open(HOLD_DEVICE, O_RDWR | O_CLOEXEC);

	need(fd >= 0, HOLD_DEVICE ": %s", strerror(errno));
	return fd;
}

void hold_take(int fd, enum hold_kind kind, const void *at, uint32_t arg)
{
	struct hold_request request = { (uintptr_t)at, pfn_of(at), kind, arg };

	need(!ioctl(fd, HOLD_TAKE, &request), "holding a page as %d: %s", kind, strerror(errno));
}

void hold_release(int fd)
{
	need(!ioctl(fd, HOLD_RELEASE), "giving back: %s", strerror(errno));
}

void hold_wait(int fd)
{
	need(!ioctl(fd, HOLD_WAIT), "waiting for a fault: %s", strerror(errno));
}

int hold_count(int fd, const void *at)
{
	int count = ioctl(fd, HOLD_COUNT, pfn_of(at));

	need(count >= 0, "page_count(): %s", strerror(errno));
	return count;
}

void hold_answer(int fd, enum hold_answer answer)
{
	need(!ioctl(fd, HOLD_ANSWER, answer), "setting an answer: %s", strerror(errno));
}

char *hold_map(int fd, int flags, unsigned long offset)
{
	char *mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, fd, offset);

	need(mem != MAP_FAILED, "mapping " HOLD_DEVICE ": %s", strerror(errno));
	return mem;
}
