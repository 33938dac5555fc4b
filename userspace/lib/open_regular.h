/* SPDX-License-Identifier: GPL-2.0 */
/* Files that somebody else has named, who may have meant another one. */
#ifndef COWTRACE_OPEN_REGULAR_H
#define COWTRACE_OPEN_REGULAR_H

#include <stdint.h>

/**
 * ct_open_regular() - open a regular file for reading, and nothing else
 * @path: may lead to a FIFO, a terminal or a device, whose opening alone has effects;
 *	links are followed.
 * @device: st_dev that the file has to have, as major << 32 | minor.
 * @inode: st_ino that it has to have, 0 where any file will do.
 *
 * What is not that file is not opened, however short: it is looked at by O_PATH, see
 * open(2), and opened by /proc/self/fd, so that both are the same file.
 *
 * Return: a descriptor, -EINVAL for what is no regular file, -ESTALE for another one, or
 * another negative errno: -EWOULDBLOCK where somebody's lease would have to be waited for.
 */
int ct_open_regular(const char *path, uint64_t device, uint64_t inode);

#endif /* COWTRACE_OPEN_REGULAR_H */
