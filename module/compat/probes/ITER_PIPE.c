// SPDX-License-Identifier: GPL-2.0
/* iov_iter_is_pipe(): until 6.4 splice reads files into an iterator over the pipe */
#include <linux/fs.h>
#include <linux/uio.h>

bool probe(const struct iov_iter *i);
bool probe(const struct iov_iter *i)
{
	return iov_iter_is_pipe(i) && i->pipe;
}
