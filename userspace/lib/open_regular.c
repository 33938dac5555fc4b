// SPDX-License-Identifier: GPL-2.0
#include "open_regular.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int check_file(int fd, uint64_t device, uint64_t inode)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (inode && (st.st_ino != inode || major(st.st_dev) != device >> 32 ||
		      minor(st.st_dev) != (uint32_t)device))
		return -ESTALE;
	return 0;
}

int ct_open_regular(const char *path, uint64_t device, uint64_t inode)
{
	int found = open(path, O_PATH | O_CLOEXEC), ret;
	char again[32];

	if (found < 0)
		return -errno;
	ret = check_file(found, device, inode);
	if (!ret) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
		ret = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (ret < 0)
			ret = -errno;
	}
	close(found);
	return ret;
}
