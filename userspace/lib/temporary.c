// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "temporary.h"

const char *ct_temporary_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

int ct_temporary_open(char *path, size_t size)
{
	int fd;

	if (snprintf(path, size, "%s/cowtrace.XXXXXX", ct_temporary_dir()) >= (int)size)
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}
